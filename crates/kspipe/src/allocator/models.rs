//! Models for loom: every order in which the threads of each can run, within the bound on preemptions.
//!
//! `RUSTFLAGS="--cfg loom" LOOM_MAX_PREEMPTIONS=2 cargo test -p kspipe --release --target-dir target/loom --lib models`

use super::waiting::Joined;
use super::{AcquireError, Allocator, AllocatorProperties, Frame, FrameHeader, MemoryKind};
use loom::thread;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

fn committed(frames: u32) -> Allocator {
    let allocator = Allocator::new(MemoryKind::Heap);
    set(&allocator, frames);
    allocator.commit().unwrap();
    allocator
}

fn set(allocator: &Allocator, frames: u32) {
    allocator.set_properties(AllocatorProperties { frames, size: 8, alignment: 1, prefix: 0 }).unwrap();
}

/// Reads and writes what only one holder at a time may: loom sees two that do at once, or one that does not see what
/// the one before did.
fn use_exclusively(frame: &mut Frame) {
    let header = frame.header();
    frame.set_header(FrameHeader { sequence: header.sequence + 1, ..header });
}

#[test]
fn two_acquirers_never_hold_one_frame_together() {
    loom::model(|| {
        let allocator = committed(1);
        let other = {
            let allocator = allocator.clone();
            thread::spawn(move || {
                if let Ok(mut frame) = allocator.try_acquire() {
                    use_exclusively(&mut frame);
                }
            })
        };
        if let Ok(mut frame) = allocator.try_acquire() {
            use_exclusively(&mut frame);
        }
        other.join().unwrap();
        assert_eq!(allocator.status().in_use, 0);
        assert!(allocator.try_acquire().is_ok());
    });
}

#[test]
fn two_acquirers_of_two_frames_both_get_one() {
    loom::model(|| {
        let allocator = committed(2);
        let other = {
            let allocator = allocator.clone();
            thread::spawn(move || drop(allocator.try_acquire().unwrap()))
        };
        // Each holds one at most, so one is always free: to say "empty" would be wrong in every order.
        drop(allocator.try_acquire().unwrap());
        drop(allocator.try_acquire().unwrap());
        other.join().unwrap();
    });
}

#[test]
fn a_frame_that_comes_home_wakes_the_waiter() {
    loom::model(|| {
        let allocator = committed(1);
        let mut frame = allocator.try_acquire().unwrap();
        let waiter = {
            let allocator = allocator.clone();
            // With the wake lost, this never ends, and loom says so.
            thread::spawn(move || use_exclusively(&mut allocator.acquire(None).unwrap()))
        };
        use_exclusively(&mut frame);
        drop(frame);
        waiter.join().unwrap();
        assert_eq!(allocator.status().in_use, 0);
    });
}

#[test]
fn two_waiters_are_both_served_by_one_frame() {
    loom::model(|| {
        let allocator = committed(1);
        let frame = allocator.try_acquire().unwrap();
        let waiters: Vec<_> = (0..2)
            .map(|_| {
                let allocator = allocator.clone();
                thread::spawn(move || use_exclusively(&mut allocator.acquire(None).unwrap()))
            })
            .collect();
        drop(frame);
        for waiter in waiters {
            waiter.join().unwrap();
        }
        assert_eq!(allocator.status().in_use, 0);
    });
}

#[test]
fn who_waits_is_not_overtaken_by_who_only_tries() {
    loom::model(|| {
        let allocator = committed(1);
        let frame = allocator.try_acquire().unwrap();
        let Ok(Joined::Waiting(waiter)) = allocator.pool.join_queue() else { panic!("the only frame is out") };
        let other = {
            let allocator = allocator.clone();
            thread::spawn(move || assert_eq!(allocator.try_acquire().err(), Some(AcquireError::Empty)))
        };
        drop(frame);
        // Held until the other has tried.
        let granted = allocator.pool.wait(&waiter, None).unwrap();
        other.join().unwrap();
        drop(granted);
    });
}

#[test]
fn who_times_out_and_was_granted_a_frame_takes_it() {
    loom::model(|| {
        let allocator = committed(1);
        let frame = allocator.try_acquire().unwrap();
        let Ok(Joined::Waiting(waiter)) = allocator.pool.join_queue() else { panic!("the only frame is out") };
        let giver = thread::spawn(move || drop(frame));
        match allocator.pool.give_up(&waiter) {
            Ok(mut frame) => use_exclusively(&mut frame),
            Err(error) => assert_eq!(error, AcquireError::TimedOut),
        }
        giver.join().unwrap();
        // Not lost on the way to a waiter that had gone.
        assert_eq!(allocator.status().in_use, 0);
        assert!(allocator.try_acquire().is_ok());
    });
}

#[test]
fn a_waiter_does_not_outlive_a_decommit_and_a_commit() {
    loom::model(|| {
        let allocator = committed(1);
        let frame = allocator.try_acquire().unwrap();
        let Ok(Joined::Waiting(waiter)) = allocator.pool.join_queue() else { panic!("the only frame is out") };
        let other = {
            let allocator = allocator.clone();
            thread::spawn(move || {
                allocator.decommit();
                allocator.commit().unwrap();
            })
        };
        let result = allocator.pool.wait(&waiter, None);
        assert_eq!(result.err(), Some(AcquireError::NotCommitted));
        drop(frame);
        other.join().unwrap();
        assert!(allocator.try_acquire().is_ok());
    });
}

#[test]
fn a_frame_that_comes_home_and_a_decommit_agree_on_who_frees_the_memory() {
    loom::model(|| {
        let allocator = committed(2);
        let frames = [allocator.try_acquire().unwrap(), allocator.try_acquire().unwrap()];
        let givers = frames.map(|mut frame| {
            thread::spawn(move || {
                use_exclusively(&mut frame);
                drop(frame);
            })
        });
        allocator.decommit();
        for giver in givers {
            giver.join().unwrap();
        }
        let status = allocator.status();
        assert_eq!((status.in_use, status.draining, status.bytes), (0, false, 0));
    });
}

#[test]
fn the_last_frame_frees_a_pool_that_nobody_else_has() {
    loom::model(|| {
        let allocator = committed(2);
        let pool = Arc::downgrade(&allocator.pool);
        let frames = [allocator.try_acquire().unwrap(), allocator.try_acquire().unwrap()];
        let givers = frames.map(|frame| thread::spawn(move || drop(frame)));
        drop(allocator);
        for giver in givers {
            giver.join().unwrap();
        }
        assert!(pool.upgrade().is_none());
    });
}

#[test]
fn who_acquires_across_a_commit_of_other_frames_sees_the_new_ones_or_none() {
    loom::model(|| {
        let allocator = committed(1);
        let other = {
            let allocator = allocator.clone();
            thread::spawn(move || match allocator.try_acquire() {
                // The place of a frame is read here, and written by the commit: loom sees the two meet.
                Ok(frame) => assert_eq!(frame.len(), 8),
                Err(error) => assert_eq!(error, AcquireError::NotCommitted),
            })
        };
        allocator.decommit();
        let request = AllocatorProperties { frames: 2, size: 8, alignment: 1, prefix: 4 };
        if allocator.set_properties(request).is_ok() {
            allocator.commit().unwrap();
        }
        other.join().unwrap();
        assert_eq!(allocator.status().in_use, 0);
    });
}

#[test]
fn a_decommit_called_off_keeps_every_frame() {
    loom::model(|| {
        let allocator = committed(1);
        let frame = allocator.try_acquire().unwrap();
        let giver = thread::spawn(move || drop(frame));
        allocator.decommit();
        allocator.commit().unwrap();
        giver.join().unwrap();
        assert!(allocator.try_acquire().is_ok());
    });
}

#[test]
fn the_last_shared_claim_brings_the_frame_home_once() {
    loom::model(|| {
        let allocator = committed(1);
        let calls = Arc::new(AtomicU32::new(0));
        let counter = calls.clone();
        allocator.set_notify(Some(Arc::new(move || {
            counter.fetch_add(1, Ordering::Relaxed);
        })));
        let frame = allocator.try_acquire().unwrap().share();
        let other = {
            let frame = frame.clone();
            thread::spawn(move || {
                if let Ok(mut frame) = frame.try_into_exclusive() {
                    use_exclusively(&mut frame);
                }
            })
        };
        let _ = frame.header();
        drop(frame);
        other.join().unwrap();
        assert_eq!(calls.load(Ordering::Relaxed), 1);
        assert_eq!(allocator.status().in_use, 0);
    });
}

#[test]
fn a_callback_set_while_a_frame_comes_home_loses_no_frame() {
    loom::model(|| {
        let allocator = committed(1);
        let frame = allocator.try_acquire().unwrap();
        let giver = thread::spawn(move || drop(frame));
        allocator.set_notify(Some(Arc::new(|| {})));
        allocator.set_notify(None);
        giver.join().unwrap();
        drop(allocator.try_acquire().unwrap());
        drop(allocator.try_acquire().unwrap());
    });
}

#[test]
fn a_raw_frame_is_reclaimed_once() {
    loom::model(|| {
        let allocator = committed(1);
        let raw = allocator.try_acquire().unwrap().into_raw();
        let other = {
            let allocator = allocator.clone();
            thread::spawn(move || allocator.reclaim(raw).map(|mut frame| use_exclusively(&mut frame)).is_ok())
        };
        let here = allocator.reclaim(raw).map(|mut frame| use_exclusively(&mut frame)).is_ok();
        assert!(here != other.join().unwrap());
        assert_eq!(allocator.status().in_use, 0);
    });
}
