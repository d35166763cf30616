//! The allocator's behaviour. Numbers in names are those of the statements about `IMemAllocator` that a test checks at
//! the engine, below the COM face.
#![cfg(not(loom))]

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

// Properties.

#[test]
fn properties_are_zero_at_first_24() {
    assert_eq!(Allocator::new(kind()).properties(), properties(0, 0, 0, 0));
}

#[test]
fn an_alignment_that_is_no_power_of_two_is_refused_and_changes_nothing_27_28_31() {
    let allocator = Allocator::new(kind());
    let before = allocator.set_properties(properties(3, 50, 16, 2)).unwrap();
    for alignment in [0, 3, 6, 131_073, u64::MAX] {
        let refused = allocator.set_properties(properties(1, 1, alignment, 0));
        assert_eq!(refused, Err(SetPropertiesError::BadAlignment { alignment }));
        assert_eq!(allocator.properties(), before);
    }
}

#[test]
fn every_power_of_two_is_an_alignment_30() {
    let allocator = Allocator::new(kind());
    for shift in 0..64 {
        assert!(allocator.set_properties(properties(1, 1, 1 << shift, 0)).is_ok(), "2^{shift}");
    }
}

#[test]
fn the_actual_size_is_reported_kept_and_that_of_the_frames_32_33_34() {
    for (request, size) in [((1, 1, 1, 0), 1), ((1, 1, 16, 1), 15), ((1, 17, 16, 0), 32), ((1, 16, 16, 16), 16)] {
        let (frames, asked, alignment, prefix) = request;
        let allocator = Allocator::new(kind());
        let actual = allocator.set_properties(properties(frames, asked, alignment, prefix)).unwrap();
        assert_eq!(actual, properties(frames, size, alignment, prefix), "{request:?}");
        assert_eq!(allocator.properties(), actual);
        allocator.commit().unwrap();
        let frame = allocator.try_acquire().unwrap();
        assert_eq!((frame.len() as u64, frame.prefix().len() as u64), (size, prefix), "{request:?}");
    }
}

#[test]
fn count_and_size_are_not_looked_at_before_commit_36() {
    assert!(Allocator::new(kind()).set_properties(properties(0, 0, 1, 0)).is_ok());
}

#[test]
fn properties_change_only_while_idle_37_38_39_40() {
    let allocator = committed(2, 16);
    let request = properties(1, 8, 1, 0);
    assert_eq!(allocator.set_properties(request), Err(SetPropertiesError::AlreadyCommitted));
    let frame = allocator.try_acquire().unwrap();
    assert_eq!(allocator.set_properties(request), Err(SetPropertiesError::AlreadyCommitted));
    allocator.decommit();
    assert_eq!(allocator.set_properties(request), Err(SetPropertiesError::FramesOutstanding { frames: 1 }));
    assert_eq!(allocator.properties(), properties(2, 16, 1, 0));
    drop(frame);
    assert_eq!(allocator.set_properties(request), Ok(request));
}

#[test]
fn setting_properties_allocates_nothing_41() {
    let allocator = Allocator::new(kind());
    allocator.set_properties(properties(1000, 1 << 40, 4096, 0)).unwrap();
    assert_eq!(allocator.status().bytes, 0);
    assert_eq!(allocator.memory_range(), None);
}

// Commit and decommit.

#[test]
fn a_commit_without_count_or_size_fails_and_nothing_can_be_acquired_42_43_44() {
    for request in [None, Some((1, 0)), Some((0, 16))] {
        let allocator = Allocator::new(kind());
        if let Some((frames, size)) = request {
            allocator.set_properties(properties(frames, size, 1, 0)).unwrap();
        }
        let (frames, size) = request.unwrap_or_default();
        assert_eq!(allocator.commit(), Err(CommitError::NotSet { frames, size }));
        assert_eq!(allocator.try_acquire().err(), Some(AcquireError::NotCommitted));
        assert!(!allocator.status().committed);
    }
}

#[test]
fn a_commit_too_large_fails_without_allocating_and_can_be_mended_47_58() {
    for (frames, size, alignment, prefix) in [
        (u32::MAX, u64::MAX, 1, 0),
        (u32::MAX, u64::MAX, 1 << 63, u64::MAX),
        (u32::MAX, 1, 1, 0),
        (MAX_FRAMES + 1, 1, 1, 0),
        (1, u64::MAX, 1, 0),
        (MAX_FRAMES, 1 << 44, 1, 0),
    ] {
        let allocator = Allocator::new(kind());
        allocator.set_properties(properties(frames, size, alignment, prefix)).unwrap();
        let error = allocator.commit().unwrap_err();
        assert!(matches!(error, CommitError::TooLarge { .. }), "{error}");
        let status = allocator.status();
        assert_eq!((status.committed, status.bytes), (false, 0));
        allocator.set_properties(properties(1, 16, 1, 0)).unwrap();
        assert_eq!(allocator.commit(), Ok(()));
    }
}

#[test]
#[cfg_attr(miri, ignore = "Miri's memory is not the system's")]
fn a_commit_the_system_has_no_memory_for_fails_and_can_be_mended_58() {
    let allocator = Allocator::new(kind());
    allocator.set_properties(properties(1, isize::MAX as u64 / 4, 4096, 0)).unwrap();
    let error = allocator.commit().unwrap_err();
    assert!(matches!(error, CommitError::OutOfMemory { .. }), "{error}");
    allocator.set_properties(properties(1, 16, 1, 0)).unwrap();
    assert_eq!(allocator.commit(), Ok(()));
    assert!(allocator.try_acquire().is_ok());
}

#[test]
fn a_second_commit_changes_nothing_49() {
    let allocator = committed(2, 4096);
    let range = allocator.memory_range();
    assert!(range.is_some());
    assert_eq!(allocator.commit(), Ok(()));
    assert_eq!(allocator.memory_range(), range);
}

#[test]
fn a_decommit_is_always_possible_50_51() {
    let allocator = Allocator::new(kind());
    allocator.decommit();
    let allocator = committed(1, 16);
    allocator.decommit();
    allocator.decommit();
    assert_eq!(allocator.status().bytes, 0);
}

#[test]
fn frames_out_stay_writable_after_a_decommit_and_no_others_are_given_52_53() {
    let allocator = committed(2, 4096);
    let mut frame = allocator.try_acquire().unwrap();
    allocator.decommit();
    frame.fill(7);
    assert!(frame.iter().all(|byte| *byte == 7));
    assert_eq!(allocator.try_acquire().err(), Some(AcquireError::NotCommitted));
    assert_eq!(allocator.acquire(None).err(), Some(AcquireError::NotCommitted));
    let status = allocator.status();
    assert_eq!((status.committed, status.draining, status.in_use), (false, true, 1));
    drop(frame);
    assert!(!allocator.status().draining);
    assert_eq!(allocator.memory_range(), None);
}

#[test]
fn a_commit_while_draining_calls_the_decommit_off_54_55() {
    let allocator = committed(3, 64);
    let frame = allocator.try_acquire().unwrap();
    let address = frame.as_ptr();
    let range = allocator.memory_range();
    allocator.decommit();
    allocator.commit().unwrap();
    assert_eq!(frame.as_ptr(), address);
    assert_eq!(allocator.memory_range(), range);
    let others = take(&allocator, 2);
    assert_eq!(allocator.try_acquire().err(), Some(AcquireError::Empty));
    drop(frame);
    assert!(allocator.status().committed);
    assert_eq!(allocator.try_acquire().unwrap().as_ptr(), address);
    drop(others);
}

#[test]
fn no_frame_is_lost_or_stale_and_nothing_grows_over_many_lives_56_57() {
    let allocator = committed(3, 64);
    let first = allocator.status();
    for _ in 0..if cfg!(miri) { 20 } else { 1000 } {
        let frames = take(&allocator, 3);
        assert_eq!(allocator.try_acquire().err(), Some(AcquireError::Empty));
        allocator.decommit();
        drop(frames);
        assert_eq!(allocator.status().bytes, 0);
        allocator.commit().unwrap();
        let now = allocator.status();
        assert_eq!((now.bytes, now.control_bytes), (first.bytes, first.control_bytes));
    }
}

#[test]
fn control_memory_is_bounded_by_the_largest_life() {
    let allocator = Allocator::new(MemoryKind::Heap);
    let of = |frames| {
        allocator.set_properties(properties(frames, 1, 1, 0)).unwrap();
        allocator.commit().unwrap();
        allocator.decommit();
        allocator.status().control_bytes
    };
    let most = of(256);
    for frames in [1, 200, 256, 17, 3] {
        assert_eq!(of(frames), most);
    }
    // Every growth at least doubles, so all tables together stay within twice the last.
    let grown = of(257);
    assert!(grown < most + 2 * (most - 256) + 4096, "{most} then {grown}");
}

#[test]
fn a_life_with_other_properties_gives_other_frames() {
    let allocator = committed(2, 64);
    drop(take(&allocator, 2));
    for (frames, size) in [(5, 10), (1, 4096), (64, 3), (2, 1)] {
        allocator.decommit();
        allocator.set_properties(properties(frames, size, 1, 0)).unwrap();
        allocator.commit().unwrap();
        let all = take(&allocator, frames as usize);
        assert_eq!(allocator.try_acquire().err(), Some(AcquireError::Empty));
        assert!(all.iter().all(|frame| frame.len() as u64 == size));
        assert_eq!(allocator.status().peak, frames);
    }
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

// Sharing.

#[test]
fn a_shared_frame_comes_home_with_its_last_claim_72_73() {
    let allocator = committed(1, 16);
    let mut frame = allocator.try_acquire().unwrap();
    frame[3] = 9;
    let first = frame.share();
    let second = first.clone();
    assert_eq!((first[3], second[3]), (9, 9));
    assert_eq!(first.as_ptr(), second.as_ptr());
    drop(first);
    assert_eq!(allocator.status().in_use, 1);
    drop(second);
    assert_eq!(allocator.status().in_use, 0);
}

#[test]
fn the_only_claim_can_write_again() {
    let allocator = committed(1, 16);
    let shared = allocator.try_acquire().unwrap().share();
    let other = shared.clone();
    let shared = shared.try_into_exclusive().unwrap_err();
    drop(other);
    let mut frame = shared.try_into_exclusive().unwrap();
    frame[0] = 1;
    assert_eq!(frame.share()[0], 1);
    assert_eq!(allocator.status().in_use, 0);
}

#[test]
fn a_header_travels_with_its_frame_and_not_with_its_memory() {
    let allocator = committed(1, 16);
    let header = FrameHeader {
        presentation_time: -5,
        duration: 333_333,
        sequence: 7,
        data_used: 4,
        flags: FrameFlags::SPLICEPOINT | FrameFlags::TIMEVALID,
    };
    let mut frame = allocator.try_acquire().unwrap();
    assert_eq!(frame.header(), FrameHeader::default());
    frame.set_header(header);
    assert_eq!(frame.data().len(), 4);
    let shared = frame.share();
    assert_eq!(shared.clone().header(), header);
    drop(shared);
    let mut frame = allocator.try_acquire().unwrap();
    assert_eq!(frame.header(), FrameHeader::default());
    frame.set_header(FrameHeader { data_used: u64::MAX, ..header });
    assert_eq!(frame.data().len(), 16);
}

// Raw frames.

#[test]
fn a_raw_frame_is_reclaimed_once_and_by_its_own_allocator_75() {
    let allocator = committed(2, 16);
    let stranger = committed(2, 16);
    let mut frame = allocator.try_acquire().unwrap();
    frame[0] = 5;
    let address = frame.as_ptr() as usize;
    let raw = frame.into_raw();
    assert_eq!((raw.address(), raw.size()), (address, 16));
    assert_eq!(allocator.status().in_use, 1);
    assert_eq!(stranger.reclaim(raw).err(), Some(ReclaimError::Foreign));
    let frame = allocator.reclaim(raw).unwrap();
    assert_eq!((frame[0], frame.index(), frame.generation()), (5, raw.index(), raw.generation()));
    assert_eq!(allocator.reclaim(raw).err(), Some(ReclaimError::Stale));
    drop(frame);
    assert_eq!(allocator.reclaim(raw).err(), Some(ReclaimError::Stale));
    // The same frame again, in its next generation: the old raw one is still none of it.
    let again = allocator.try_acquire().unwrap();
    assert_eq!(again.index(), raw.index());
    let again = again.into_raw();
    assert_eq!(allocator.reclaim(raw).err(), Some(ReclaimError::Stale));
    drop(allocator.reclaim(again).unwrap());
    assert_eq!(allocator.status().in_use, 0);
}

#[test]
fn generations_go_on_through_lives_of_any_size() {
    let allocator = committed(1, 16);
    let mut last = None;
    for frames in [1, 2, 40, 3, 300] {
        allocator.decommit();
        allocator.set_properties(properties(frames, 16, 1, 0)).unwrap();
        allocator.commit().unwrap();
        let first = allocator.try_acquire().unwrap();
        assert_eq!(first.index(), 0);
        assert!(last < Some(first.generation()));
        last = Some(first.generation());
    }
}

#[test]
fn a_frame_behind_a_pointer_is_the_same_frame_again() {
    let allocator = committed(2, 16);
    let mut frame = allocator.try_acquire().unwrap();
    frame.fill(7);
    let (index, generation) = (frame.index(), frame.generation());
    let pointer = frame.into_ptr();
    assert_eq!(allocator.status().in_use, 1, "it is out");
    // Also when nobody has the allocator any more: the memory goes with the frame.
    allocator.decommit();
    drop(allocator);
    // SAFETY: from `into_ptr`, once.
    let frame = unsafe { Frame::from_ptr(pointer) };
    assert_eq!((frame.index(), frame.generation()), (index, generation));
    assert!(frame.iter().all(|byte| *byte == 7));
}

#[test]
fn the_hinted_frame_is_one_that_was_out_before() {
    let allocator = committed(2, 16);
    // A thread of its own: it has no hint yet.
    thread::scope(|scope| {
        scope.spawn(|| {
            assert!(allocator.acquire_hinted().is_none(), "nothing was searched for yet");
            let first = allocator.try_acquire().unwrap();
            let index = first.index();
            drop(first);
            let again = allocator.acquire_hinted().expect("the frame that came home last");
            assert_eq!(again.index(), index);
            assert!(allocator.acquire_hinted().is_none(), "the other was never out");
        });
    });
    allocator.decommit();
    assert!(allocator.acquire_hinted().is_none());
}

#[test]
fn a_raw_frame_is_out_for_a_decommit_too() {
    let allocator = committed(1, 16);
    let raw = allocator.try_acquire().unwrap().into_raw();
    allocator.decommit();
    assert!(allocator.status().draining);
    drop(allocator.reclaim(raw).unwrap());
    assert!(!allocator.status().draining);
    assert_eq!(allocator.reclaim(raw).err(), Some(ReclaimError::Stale));
}

// Lifetime.

#[test]
fn frames_outlive_their_allocator_19_21() {
    let allocator = committed(2, 4096);
    let mut frame = allocator.try_acquire().unwrap();
    let shared = allocator.try_acquire().unwrap().share();
    drop(allocator);
    frame.fill(1);
    assert!(shared.iter().all(|byte| *byte == 0));
    drop(frame);
    assert_eq!(shared.len(), 4096);
    drop(shared);
}

#[test]
fn the_last_clone_decommits_and_no_other() {
    let allocator = committed(1, 16);
    drop(allocator.clone());
    assert!(allocator.try_acquire().is_ok());
}

#[test]
fn a_dropped_allocator_drops_its_callback_22() {
    let allocator = committed(1, 16);
    let witness = Arc::new(());
    let held = witness.clone();
    allocator.set_notify(Some(Arc::new(move || drop(held.clone()))));
    let frame = allocator.try_acquire().unwrap();
    drop(allocator);
    drop(frame);
    assert_eq!(Arc::strong_count(&witness), 1);
}

// The callback.

fn counting(allocator: &Allocator) -> Arc<AtomicU32> {
    let calls = Arc::new(AtomicU32::new(0));
    let counter = calls.clone();
    allocator.set_notify(Some(Arc::new(move || {
        counter.fetch_add(1, Ordering::Relaxed);
    })));
    calls
}

#[test]
fn the_callback_is_called_once_a_frame_76_77() {
    let allocator = committed(2, 16);
    let before = allocator.try_acquire().unwrap();
    let calls = counting(&allocator);
    let called = || calls.load(Ordering::Relaxed);
    drop(before);
    assert_eq!(called(), 1);
    let shared = allocator.try_acquire().unwrap().share();
    drop(shared.clone());
    assert_eq!(called(), 1);
    drop(shared);
    assert_eq!(called(), 2);
    for count in 3..10 {
        drop(allocator.try_acquire().unwrap());
        assert_eq!(called(), count);
    }
}

#[test]
fn the_callback_is_called_for_the_last_frame_of_a_drain_and_in_the_next_life_78() {
    let allocator = committed(1, 16);
    let calls = counting(&allocator);
    let frame = allocator.try_acquire().unwrap();
    allocator.decommit();
    drop(frame);
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    allocator.commit().unwrap();
    drop(allocator.try_acquire().unwrap());
    assert_eq!(calls.load(Ordering::Relaxed), 2);
}

#[test]
fn the_callback_is_called_for_a_frame_that_goes_to_a_waiter() {
    let allocator = committed(1, 16);
    let calls = counting(&allocator);
    let frame = allocator.try_acquire().unwrap();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| drop(allocator.acquire(None).unwrap()));
        until_waiting(&allocator, 1);
        drop(frame);
        waiter.join().unwrap();
    });
    assert_eq!(calls.load(Ordering::Relaxed), 2);
}

#[test]
fn the_callback_may_use_the_allocator_and_finds_the_frame_free_79_80() {
    let allocator = committed(1, 16);
    let (sender, seen) = mpsc::channel();
    let in_use = {
        let allocator = allocator.clone();
        move || {
            // On another thread, so that a lock held here would be found out.
            let allocator = allocator.clone();
            thread::spawn(move || (allocator.status().in_use, allocator.try_acquire().map(Frame::into_raw)))
                .join()
                .unwrap()
        }
    };
    allocator.set_notify(Some(Arc::new(move || sender.send(in_use()).unwrap())));
    drop(allocator.try_acquire().unwrap());
    let (in_use, raw) = seen.recv().unwrap();
    assert_eq!(in_use, 0);
    allocator.set_notify(None);
    drop(allocator.reclaim(raw.unwrap()).unwrap());
    assert_eq!(allocator.status().in_use, 0);
}

#[test]
fn a_callback_replaced_or_taken_away_is_dropped_and_not_called_81_82() {
    let allocator = committed(1, 16);
    let first = counting(&allocator);
    let second = counting(&allocator);
    assert_eq!(Arc::strong_count(&first), 1);
    drop(allocator.try_acquire().unwrap());
    assert_eq!((first.load(Ordering::Relaxed), second.load(Ordering::Relaxed)), (0, 1));
    allocator.set_notify(None);
    assert_eq!(Arc::strong_count(&second), 1);
    drop(allocator.try_acquire().unwrap());
    assert_eq!(second.load(Ordering::Relaxed), 1);
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
