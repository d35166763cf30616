//! Properties, commit and decommit, the end.

use super::*;

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
