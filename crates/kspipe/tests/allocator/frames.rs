//! Frames that are shared, and frames that are plain data for a while.

use super::*;

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
