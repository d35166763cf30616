//! Many threads on few frames. Each claims a frame's first bytes for itself while it has it, and finds out whether
//! anybody else did.
#![cfg(not(loom))]

use kspipe::allocator::{AcquireError, Allocator, AllocatorProperties, Frame, MemoryKind};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

const TURNS: u64 = if cfg!(miri) { 30 } else { 20_000 };
/// Where every turn may sleep and be woken, which on a busy machine takes milliseconds.
const WAITS: u64 = TURNS.div_ceil(20);

fn committed(frames: u32) -> Allocator {
    let allocator = Allocator::new(if cfg!(miri) { MemoryKind::Heap } else { MemoryKind::default() });
    allocator.set_properties(AllocatorProperties { frames, size: 64, alignment: 64, prefix: 0 }).unwrap();
    allocator.commit().unwrap();
    allocator
}

/// Writes a mark, lets others run, and finds the same mark.
fn own(frame: &mut Frame, mark: u64) {
    frame[..8].copy_from_slice(&mark.to_le_bytes());
    frame[56..].copy_from_slice(&mark.to_le_bytes());
    std::hint::black_box(&mut **frame);
    assert_eq!((&frame[..8], &frame[56..]), (&mark.to_le_bytes()[..], &mark.to_le_bytes()[..]));
}

#[test]
fn threads_that_wait_for_few_frames_never_share_one_and_all_get_theirs() {
    let allocator = committed(2);
    thread::scope(|scope| {
        for thread in 0..4 {
            let allocator = &allocator;
            scope.spawn(move || {
                for turn in 0..WAITS {
                    own(&mut allocator.acquire(None).unwrap(), thread * WAITS + turn);
                }
            });
        }
    });
    let status = allocator.status();
    assert_eq!((status.in_use, status.waiters, status.acquires), (0, 0, 4 * WAITS));
    assert!(status.peak <= 2);
}

#[test]
fn as_many_frames_as_threads_are_never_empty() {
    let allocator = committed(3);
    thread::scope(|scope| {
        for thread in 0..3 {
            let allocator = &allocator;
            scope.spawn(move || {
                for turn in 0..TURNS {
                    own(&mut allocator.try_acquire().unwrap(), thread * TURNS + turn);
                }
            });
        }
    });
    assert_eq!(allocator.status().acquires, 3 * TURNS);
}

#[test]
fn frames_flow_from_a_producer_to_consumers_that_free_them_out_of_order() {
    let allocator = committed(8);
    let (sender, receiver) = mpsc::channel::<Frame>();
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut kept = VecDeque::new();
            for (turn, frame) in receiver.iter().enumerate() {
                assert_eq!(frame[..8], (turn as u64).to_le_bytes());
                kept.push_back(frame.share());
                if kept.len() == 5 {
                    kept.swap_remove_back(turn % 5);
                }
            }
        });
        for turn in 0..4 * WAITS {
            let mut frame = allocator.acquire(None).unwrap();
            own(&mut frame, turn);
            sender.send(frame).unwrap();
        }
        drop(sender);
    });
    let status = allocator.status();
    assert_eq!((status.in_use, status.acquires), (0, 4 * WAITS));
}

#[test]
fn lives_come_and_go_under_threads_that_acquire_wait_and_time_out() {
    let allocator = committed(2);
    let stop = AtomicBool::new(false);
    let got = AtomicU64::new(0);
    thread::scope(|scope| {
        for thread in 0..3 {
            let (allocator, stop, got) = (&allocator, &stop, &got);
            scope.spawn(move || {
                let mut turn = thread;
                while !stop.load(Ordering::Relaxed) {
                    turn += 3;
                    let result = match turn % 4 {
                        0 => allocator.try_acquire(),
                        1 => allocator.acquire(Some(Duration::from_micros(turn % 50))),
                        _ => allocator.acquire(None),
                    };
                    match result {
                        Ok(mut frame) => {
                            own(&mut frame, turn);
                            got.fetch_add(1, Ordering::Relaxed);
                        }
                        Err(AcquireError::NotCommitted | AcquireError::Empty | AcquireError::TimedOut) => {
                            thread::yield_now();
                        }
                    }
                }
            });
        }
        for turn in 0..WAITS {
            allocator.decommit();
            if turn % 3 == 0 {
                let frames = 1 + (turn % 5) as u32;
                let request = AllocatorProperties { frames, size: 64, alignment: 64, prefix: 64 };
                // Refused while frames are out, and no new one goes out: so it is taken in the end.
                while allocator.set_properties(request).is_err() {
                    thread::yield_now();
                }
            }
            allocator.commit().unwrap();
            if turn % 16 == 0 {
                thread::yield_now();
            }
        }
        // The last life goes on until somebody had a frame of it.
        let before = got.load(Ordering::Relaxed);
        while got.load(Ordering::Relaxed) == before {
            thread::yield_now();
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert_eq!(allocator.status().in_use, 0);
    allocator.decommit();
    assert_eq!(allocator.status().bytes, 0);
}

#[test]
fn the_last_frame_home_frees_a_pool_whose_allocator_is_gone_whichever_it_is() {
    for _ in 0..TURNS / 20 {
        let allocator = committed(3);
        let frames: Vec<_> = (0..3).map(|_| allocator.try_acquire().unwrap()).collect();
        thread::scope(|scope| {
            for mut frame in frames {
                scope.spawn(move || own(&mut frame, 1));
            }
            scope.spawn(move || drop(allocator));
        });
    }
}
