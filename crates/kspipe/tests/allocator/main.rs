//! The allocator's behaviour. Numbers in names are those of the statements about `IMemAllocator` that a test checks at
//! the engine, below the COM face.
#![cfg(not(loom))]

mod callback;
mod frames;
mod life;

use kspipe::allocator::{
    AcquireError, Allocator, AllocatorProperties, AllocatorStatus, CommitError, Frame, FrameFlags, FrameHeader,
    MAX_FRAMES, MemoryKind, ReclaimError, SetPropertiesError, SharedFrame,
};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// Miri maps no memory.
fn kind() -> MemoryKind {
    if cfg!(miri) { MemoryKind::Heap } else { MemoryKind::default() }
}

fn properties(frames: u32, size: u64, alignment: u64, prefix: u64) -> AllocatorProperties {
    AllocatorProperties { frames, size, alignment, prefix }
}

fn committed(frames: u32, size: u64) -> Allocator {
    let allocator = Allocator::new(kind());
    allocator.set_properties(properties(frames, size, 1, 0)).unwrap();
    allocator.commit().unwrap();
    allocator
}

fn take(allocator: &Allocator, frames: usize) -> Vec<Frame> {
    (0..frames).map(|_| allocator.try_acquire().unwrap()).collect()
}

/// Until so many threads wait.
fn until_waiting(allocator: &Allocator, waiters: u32) {
    while allocator.status().waiters != waiters {
        thread::yield_now();
    }
}

#[test]
fn handles_and_frames_go_wherever_threads_do() {
    fn anywhere<T: Send + Sync>() {}
    anywhere::<Allocator>();
    anywhere::<Frame>();
    anywhere::<SharedFrame>();
    // Two registers, and an error takes no more.
    assert!(size_of::<Result<Frame, AcquireError>>() <= 2 * size_of::<u64>());
}

// Acquiring.

#[test]
fn nothing_is_acquired_before_a_commit_59() {
    let allocator = Allocator::new(kind());
    assert_eq!(allocator.try_acquire().err(), Some(AcquireError::NotCommitted));
    assert_eq!(allocator.acquire(None).err(), Some(AcquireError::NotCommitted));
    assert_eq!(allocator.acquire(Some(Duration::ZERO)).err(), Some(AcquireError::NotCommitted));
}

#[test]
fn frames_are_distinct_and_none_is_given_twice_61_62() {
    let allocator = committed(2, 100);
    let frames = take(&allocator, 2);
    let ranges: Vec<_> = frames.iter().map(|frame| frame.as_ptr_range()).collect();
    assert!(ranges[0].end <= ranges[1].start || ranges[1].end <= ranges[0].start);
    assert_ne!(frames[0].index(), frames[1].index());
    assert_eq!(allocator.try_acquire().err(), Some(AcquireError::Empty));
    assert_eq!(allocator.acquire(Some(Duration::ZERO)).err(), Some(AcquireError::TimedOut));
    assert_eq!(allocator.status().in_use, 2);
}

#[test]
fn who_waits_gets_the_frame_that_comes_home_63() {
    let allocator = committed(2, 16);
    let mut frames = take(&allocator, 2);
    frames[0][0] = 42;
    thread::scope(|scope| {
        let waiter = scope.spawn(|| allocator.acquire(None).unwrap());
        until_waiting(&allocator, 1);
        let (index, generation) = (frames[0].index(), frames[0].generation());
        drop(frames.remove(0));
        let frame = waiter.join().unwrap();
        assert_eq!((frame.index(), frame.generation(), frame[0]), (index, generation + 1, 42));
    });
    assert_eq!(allocator.status().waits, 1);
}

#[test]
fn a_decommit_wakes_everybody_with_an_error_65() {
    let allocator = committed(1, 16);
    let frame = allocator.try_acquire().unwrap();
    thread::scope(|scope| {
        let waiters: Vec<_> = (0..4).map(|_| scope.spawn(|| allocator.acquire(None).err())).collect();
        until_waiting(&allocator, 4);
        allocator.decommit();
        for waiter in waiters {
            assert_eq!(waiter.join().unwrap(), Some(AcquireError::NotCommitted));
        }
    });
    drop(frame);
}

#[test]
fn who_waited_before_a_decommit_does_not_wait_on_after_a_commit_66() {
    let allocator = committed(1, 16);
    let frame = allocator.try_acquire().unwrap();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| allocator.acquire(None).err());
        until_waiting(&allocator, 1);
        allocator.decommit();
        allocator.commit().unwrap();
        assert_eq!(waiter.join().unwrap(), Some(AcquireError::NotCommitted));
    });
    drop(frame);
    assert!(allocator.try_acquire().is_ok());
}

#[test]
fn as_many_frames_as_waiters_serve_all_67() {
    let allocator = committed(3, 16);
    let frames = take(&allocator, 3);
    thread::scope(|scope| {
        let waiters: Vec<_> = (0..3).map(|_| scope.spawn(|| allocator.acquire(None).unwrap())).collect();
        until_waiting(&allocator, 3);
        drop(frames);
        let frames: Vec<_> = waiters.into_iter().map(|waiter| waiter.join().unwrap()).collect();
        let mut indices: Vec<_> = frames.iter().map(Frame::index).collect();
        indices.sort_unstable();
        assert_eq!(indices, [0, 1, 2]);
    });
}

#[test]
fn first_come_is_first_served_137() {
    let allocator = committed(1, 16);
    let mut frame = Some(allocator.try_acquire().unwrap());
    let (sender, order) = mpsc::channel();
    thread::scope(|scope| {
        for ticket in 0..4 {
            let (allocator, sender) = (&allocator, sender.clone());
            scope.spawn(move || {
                let frame = allocator.acquire(None).unwrap();
                sender.send(ticket).unwrap();
                drop(frame);
            });
            until_waiting(allocator, ticket + 1);
        }
        frame.take();
        assert_eq!(order.iter().take(4).collect::<Vec<_>>(), [0, 1, 2, 3]);
    });
}

#[test]
fn trying_fails_while_others_wait_and_takes_nothing_from_them() {
    let allocator = committed(1, 16);
    let frame = allocator.try_acquire().unwrap();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| allocator.acquire(None).unwrap());
        until_waiting(&allocator, 1);
        drop(frame);
        // With the waiter already, whether it has woken or not.
        assert_eq!(allocator.try_acquire().err(), Some(AcquireError::Empty));
        drop(waiter.join().unwrap());
    });
    assert!(allocator.try_acquire().is_ok());
}

#[test]
fn waiting_ends_when_its_time_is_over_and_leaves_no_trace() {
    let allocator = committed(1, 16);
    let frame = allocator.try_acquire().unwrap();
    let (start, timeout) = (Instant::now(), Duration::from_millis(5));
    assert_eq!(allocator.acquire(Some(timeout)).err(), Some(AcquireError::TimedOut));
    assert!(start.elapsed() >= timeout);
    let status = allocator.status();
    assert_eq!((status.waiters, status.waits), (0, 1));
    drop(frame);
    assert!(allocator.acquire(Some(Duration::MAX)).is_ok());
}

#[test]
fn the_start_of_every_slot_is_aligned_70() {
    for (frames, size, alignment, prefix, actual) in
        [(2, 100, 64, 10, 118), (3, 1, 4096, 0, 4096), (2, 5, 8192, 3, 8189), (2, 100, 1 << 20, 16, (1 << 20) - 16)]
    {
        let allocator = Allocator::new(kind());
        allocator.set_properties(properties(frames, size, alignment, prefix)).unwrap();
        allocator.commit().unwrap();
        for frame in take(&allocator, frames as usize) {
            assert_eq!((frame.as_ptr() as u64 - prefix) % alignment, 0);
            assert_eq!(frame.prefix().as_ptr() as u64 + prefix, frame.as_ptr() as u64);
            assert_eq!(frame.len() as u64, actual);
            let range = allocator.memory_range().unwrap();
            assert!(range.contains(&(frame.as_ptr() as usize)) && frame.as_ptr_range().end as usize <= range.end);
        }
    }
}

#[test]
fn frames_are_zero_after_every_commit_71() {
    let allocator = Allocator::new(kind());
    allocator.set_properties(properties(2, 5000, 16, 4)).unwrap();
    for _ in 0..3 {
        allocator.commit().unwrap();
        for mut frame in take(&allocator, 2) {
            assert!(frame.iter().chain(frame.prefix()).all(|byte| *byte == 0));
            frame.fill(0xFF);
            frame.prefix_mut().fill(0xFF);
        }
        allocator.decommit();
    }
}

// Status.

#[test]
fn status_counts_87_140_148() {
    let allocator = committed(4, 16);
    let before = allocator.status();
    assert_eq!((before.frames, before.in_use, before.peak, before.bytes), (4, 0, 0, 64));
    let mut frames = take(&allocator, 3);
    frames.remove(1);
    let status = allocator.status();
    let expected = AllocatorStatus { in_use: 2, peak: 3, acquires: 3, ..before };
    assert_eq!(status, expected);
    // The peak stays, and rises only beyond itself.
    frames.push(allocator.try_acquire().unwrap());
    assert_eq!(allocator.status().peak, 3);
    frames.push(allocator.try_acquire().unwrap());
    assert_eq!(allocator.status().peak, 4);
    drop(frames);
    assert_eq!(allocator.status(), AllocatorStatus { in_use: 0, peak: 4, acquires: 5, ..before });
}

#[test]
fn the_peak_is_what_was_out_at_once_in_whatever_order_frames_come_home() {
    let allocator = committed(8, 16);
    let mut out = std::collections::VecDeque::new();
    for turn in 0..100 {
        out.push_back(allocator.try_acquire().unwrap());
        if out.len() == 3 {
            // First in first out, last in first out, and from the middle.
            drop(out.remove(turn % 3));
        }
    }
    assert_eq!(allocator.status().peak, 3);
}

// Memory.

#[test]
#[cfg(any(target_os = "linux", target_os = "android"))]
#[cfg_attr(miri, ignore = "Miri maps no memory")]
fn a_memfd_is_shared_with_the_frames_and_sealed_against_resizing() {
    use rustix::fs::{SealFlags, fcntl_get_seals, fstat, ftruncate};
    use rustix::io::{Errno, pread};
    let allocator = Allocator::new(MemoryKind::Memfd { prefault: true });
    // SAFETY: only the test has it.
    assert!(unsafe { allocator.memory_file() }.is_none());
    allocator.set_properties(properties(2, 5000, 8192, 16)).unwrap();
    allocator.commit().unwrap();
    // SAFETY: it is only read.
    let file = unsafe { allocator.memory_file() }.unwrap();
    assert!(fcntl_get_seals(&file).unwrap().contains(SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL));
    for size in [0, 8192, 1 << 20] {
        assert_eq!(ftruncate(&file, size).err(), Some(Errno::PERM));
    }
    assert_eq!(fstat(&file).unwrap().st_size as u64, allocator.status().bytes);
    let mut frame = allocator.try_acquire().unwrap();
    frame[..4].copy_from_slice(b"kspi");
    let offset = frame.as_ptr() as usize - allocator.memory_range().unwrap().start;
    let mut read = [0; 4];
    assert_eq!(pread(&file, &mut read, offset as u64), Ok(4));
    assert_eq!(&read, b"kspi");
    drop(frame);
    allocator.decommit();
    // SAFETY: only the test has it.
    assert!(unsafe { allocator.memory_file() }.is_none());
}

#[test]
fn errors_say_what_to_do() {
    let shown = |error: &dyn std::error::Error| error.to_string();
    assert_eq!(shown(&SetPropertiesError::FramesOutstanding { frames: 3 }), "3 frames are still out");
    let unset = CommitError::NotSet { frames: 0, size: 16 };
    assert_eq!(shown(&unset), "0 frames of 16 bytes: set the allocator's properties first");
    let none = CommitError::OutOfMemory { bytes: 64, errno: None };
    assert_eq!(shown(&none), "no memory for 64 bytes of frames");
    let allocator = committed(1, 16);
    assert!(format!("{allocator:?}").contains("committed: true"));
    assert!(format!("{:?}", allocator.try_acquire().unwrap()).contains("size: 16"));
}
