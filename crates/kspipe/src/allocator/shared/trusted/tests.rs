//! Claims counted within a process, hand-overs of frames that others keep, ends of streams, leaving.

use super::*;
use crate::allocator::AllocatorProperties;
use crate::allocator::shared::{SharedPool, SharedPoolProperties};
use std::time::Instant;

const WRITER: Holder = Holder::acquirer(0).unwrap();
const FIRST: Holder = Holder::in_pin(0).unwrap();
const SECOND: Holder = Holder::in_pin(1).unwrap();

/// A pool of so many frames whose two in pins get what is acquired, the server's view of it, and another process's.
fn pool(frames: u32) -> (SharedPool, TrustedPool, TrustedPool) {
    let mut pool = SharedPool::create(SharedPoolProperties {
        frames: AllocatorProperties { frames, size: 64, alignment: 64, prefix: 0 },
        senders: vec![WRITER, WRITER],
        acquirers: 1,
        ..SharedPoolProperties::default()
    })
    .unwrap();
    for holder in [WRITER, FIRST, SECOND] {
        pool.admit(holder).unwrap();
    }
    let there = Participant::open(pool.descriptors().unwrap(), Access::Write).unwrap();
    // SAFETY: this test has all the participants, and they write only what `exclusive` lends.
    let [here, there] = [pool.participant().clone(), there].map(|participant| unsafe { TrustedPool::new(participant) });
    (pool, here, there)
}

fn free(pool: &mut SharedPool) -> u32 {
    pool.ledger(Instant::now()).free
}

fn with_byte(mut frame: TrustedFrame, byte: u8) -> TrustedFrame {
    frame.exclusive().unwrap()[0] = byte;
    frame.set_header(FrameHeader { data_used: 1, sequence: byte.into(), ..FrameHeader::default() });
    frame
}

#[test]
fn a_frame_that_several_have_here_is_home_when_the_last_lets_go() {
    let (mut pool, here, _) = pool(1);
    let mut frame = here.acquirer(WRITER).unwrap().acquire(None).unwrap();
    assert!(frame.exclusive().is_some());
    let other = frame.another();
    assert!(frame.exclusive().is_none(), "another has it");
    assert_eq!((free(&mut pool), here.held_here(), here.in_use()), (0, 1, 1));
    drop(other);
    assert!(frame.exclusive().is_some());
    drop(frame);
    assert_eq!((free(&mut pool), here.held_here(), here.in_use()), (1, 0, 0));
}

#[test]
fn a_frame_goes_out_by_two_doors_and_is_home_when_all_let_go_in_any_order() {
    // Who lets go when: those two that it was sent to, and the one here that keeps it.
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let (mut pool, here, there) = pool(1);
        let frame = with_byte(here.acquirer(WRITER).unwrap().acquire(None).unwrap(), 7);
        let mut doors = [FIRST, SECOND].map(|to| here.sender_to(WRITER, &[to]).unwrap());
        let mut receivers = [FIRST, SECOND].map(|in_pin| there.receiver(in_pin).unwrap());
        for door in &mut doors {
            assert_eq!(door.hand_over(frame.another()).unwrap(), 1);
        }
        let [first, second] = receivers.each_mut().map(|receiver| receiver.try_receive().unwrap());
        let mut all = [Some(frame), Some(first), Some(second)];
        for who in order {
            for frame in all.iter_mut().flatten() {
                assert_eq!((frame.data(), frame.header().sequence), (&[7][..], 7));
                assert_eq!(frame.exclusive().is_some(), who == order[2], "{order:?}");
            }
            assert_eq!(free(&mut pool), 0);
            all[who] = None;
        }
        assert_eq!(free(&mut pool), 1, "{order:?}");
    }
}

#[test]
fn the_last_one_here_hands_its_claim_on() {
    let (mut pool, here, there) = pool(1);
    let frame = here.acquirer(WRITER).unwrap().acquire(None).unwrap();
    let mut door = here.sender_to(WRITER, &[FIRST, SECOND]).unwrap();
    let mut receivers = [FIRST, SECOND].map(|in_pin| there.receiver(in_pin).unwrap());
    assert_eq!(door.hand_over(frame).unwrap(), 2);
    assert_eq!((here.held_here(), there.held_here(), here.in_use()), (0, 0, 1));
    let [first, mut second] = receivers.each_mut().map(|receiver| receiver.try_receive().unwrap());
    assert!(second.exclusive().is_none());
    drop(first);
    assert!(second.exclusive().is_some(), "the only one left may change it in place");
    drop(second);
    assert_eq!(free(&mut pool), 1);
}

#[test]
fn with_nobody_there_a_frame_goes_home_unless_somebody_here_keeps_it() {
    let (mut pool, here, _) = pool(1);
    pool.recover(&[FIRST, SECOND]);
    let mut frames = here.acquirer(WRITER).unwrap();
    let mut door = here.sender_to(WRITER, &[FIRST, SECOND]).unwrap();
    let frame = frames.acquire(None).unwrap();
    let kept = frame.another();
    assert_eq!(door.hand_over(frame).unwrap(), 0);
    assert_eq!(free(&mut pool), 0);
    assert_eq!(door.hand_over(kept).unwrap(), 0);
    assert_eq!(free(&mut pool), 1);
}

#[test]
fn a_wrong_hand_over_gives_the_frame_back_and_changes_nothing() {
    let (mut pool, here, there) = pool(2);
    let mut frames = here.acquirer(WRITER).unwrap();
    let mut door = here.sender_to(WRITER, &[FIRST]).unwrap();
    let mut receiver = there.receiver(FIRST).unwrap();
    let frame = frames.acquire(None).unwrap();
    door.hand_over(frame.another()).unwrap();
    let again = door.hand_over(frame).unwrap_err();
    assert_eq!(again.reason, UnsentReason::HeldAlready(FIRST));
    let received = receiver.try_receive().unwrap();
    let foreign = door.hand_over(received).unwrap_err();
    assert_eq!((foreign.reason, foreign.frame.holder()), (UnsentReason::Foreign, FIRST));
    assert_eq!(free(&mut pool), 1);
    drop((again, foreign));
    assert_eq!(free(&mut pool), 2);
}

#[test]
fn every_in_pin_has_one_door_in_a_process_and_each_door_its_own() {
    let (_pool, here, _) = pool(1);
    let door = here.sender_to(WRITER, &[SECOND]).unwrap();
    assert_eq!(here.sender_to(WRITER, &[FIRST, SECOND]).unwrap_err(), RoleError::InUse(WRITER));
    assert!(here.sender_to(WRITER, &[FIRST]).is_ok(), "what was refused took nothing");
    drop(door);
    assert_eq!(here.sender_to(WRITER, &[FIRST, FIRST]).unwrap_err(), RoleError::NoSuchHolder(FIRST));
    assert_eq!(here.sender_to(FIRST, &[SECOND]).unwrap_err(), RoleError::NoSuchHolder(SECOND));
    assert!(here.sender_to(WRITER, &[FIRST, SECOND]).is_ok());
}

#[test]
fn a_stream_ends_after_its_last_frame_and_goes_on_with_the_next_sender() {
    let (_pool, here, there) = pool(2);
    let mut frames = here.acquirer(WRITER).unwrap();
    let mut door = here.sender_to(WRITER, &[FIRST]).unwrap();
    let mut receiver = there.receiver(FIRST).unwrap();
    for number in [1, 2] {
        door.hand_over(with_byte(frames.acquire(None).unwrap(), number)).unwrap();
    }
    door.end_stream();
    assert_eq!([(); 2].map(|()| receiver.receive(None).unwrap().data()[0]), [1, 2]);
    assert_eq!(receiver.try_receive().unwrap_err(), Unready::Ended);
    assert_eq!(receiver.receive(None).unwrap_err(), Unready::Ended);
    drop(door);
    assert_eq!(receiver.try_receive().unwrap_err(), Unready::Ended, "that a sender is dropped says nothing");
    let mut door = here.sender_to(WRITER, &[FIRST]).unwrap();
    assert_eq!(receiver.try_receive().unwrap_err(), Unready::Empty);
    door.hand_over(with_byte(frames.acquire(None).unwrap(), 3)).unwrap();
    assert_eq!(receiver.receive(None).unwrap().data(), [3]);
}

#[test]
fn the_server_ends_a_stream_in_the_place_of_a_dead_sender() {
    let (mut pool, here, there) = pool(1);
    let mut receiver = there.receiver(FIRST).unwrap();
    drop(here.sender_to(WRITER, &[FIRST]).unwrap());
    pool.recover(&[WRITER]);
    assert_eq!(receiver.try_receive().unwrap_err(), Unready::Empty, "another sender may come");
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| receiver.receive(None).map(|_| ()).unwrap_err());
        pool.end_stream(FIRST);
        assert_eq!(waits.join().unwrap(), Unready::Ended);
    });
}

#[test]
fn who_leaves_gets_nothing_more_and_keeps_what_it_has() {
    let (mut pool, here, there) = pool(3);
    let mut frames = here.acquirer(WRITER).unwrap();
    let mut door = here.sender_to(WRITER, &[FIRST]).unwrap();
    let mut receiver = there.receiver(FIRST).unwrap();
    let mut send = |number| door.hand_over(with_byte(frames.acquire(None).unwrap(), number)).unwrap();
    assert_eq!([send(1), send(2)], [1, 1]);
    let kept = receiver.try_receive().unwrap();
    receiver.leave();
    assert_eq!(free(&mut pool), 2, "what had come and was not taken is home");
    assert_eq!(send(3), 0);
    assert_eq!((kept.data(), free(&mut pool)), (&[1][..], 2));
    drop(kept);
    assert_eq!(free(&mut pool), 3);
    pool.recover(&[FIRST]);
    pool.admit(FIRST).unwrap();
    assert_eq!(there.receiver(FIRST).unwrap().try_receive().unwrap_err(), Unready::Empty);
}

#[test]
fn an_interrupted_process_waits_no_more_but_takes_what_had_come() {
    let (_pool, here, there) = pool(1);
    let mut frames = here.acquirer(WRITER).unwrap();
    let mut door = here.sender_to(WRITER, &[FIRST]).unwrap();
    let mut receiver = there.receiver(FIRST).unwrap();
    door.hand_over(with_byte(frames.acquire(None).unwrap(), 1)).unwrap();
    there.participant().interrupt();
    let frame = receiver.receive(None).unwrap();
    assert_eq!(receiver.receive(None).unwrap_err(), Unready::Interrupted);
    assert_eq!(frames.try_acquire().unwrap_err(), Unready::Empty, "the other process is not meant");
    here.participant().interrupt();
    assert_eq!(frames.acquire(None).unwrap_err(), Unready::Interrupted);
    drop(frame);
}

#[test]
fn frames_that_are_mapped_to_be_read_are_never_lent_to_be_written() {
    let (pool, here, _) = pool(1);
    let readers = Participant::open(pool.descriptors().unwrap(), Access::Read).unwrap();
    // SAFETY: as above.
    let readers = unsafe { TrustedPool::new(readers) };
    let mut receiver = readers.receiver(FIRST).unwrap();
    let frame = with_byte(here.acquirer(WRITER).unwrap().acquire(None).unwrap(), 9);
    here.sender_to(WRITER, &[FIRST]).unwrap().hand_over(frame).unwrap();
    let mut frame = receiver.try_receive().unwrap();
    assert_eq!(frame.data(), [9]);
    assert!(frame.exclusive().is_none());
}

#[test]
fn threads_that_send_on_and_let_go_of_one_frame_lose_none() {
    const FRAMES: u64 = 2_000;
    let (mut pool, here, there) = pool(3);
    std::thread::scope(|scope| {
        let (to_door, other_branch) = std::sync::mpsc::channel::<TrustedFrame>();
        let mut door = here.sender_to(WRITER, &[SECOND]).unwrap();
        scope.spawn(move || other_branch.iter().for_each(|frame| assert_eq!(door.hand_over(frame).unwrap(), 1)));
        let here = &here;
        scope.spawn(move || {
            let mut frames = here.acquirer(WRITER).unwrap();
            let mut door = here.sender_to(WRITER, &[FIRST]).unwrap();
            for number in 0..FRAMES {
                let frame = with_byte(frames.acquire(None).unwrap(), number as u8);
                to_door.send(frame.another()).unwrap();
                assert_eq!(door.hand_over(frame).unwrap(), 1);
            }
        });
        for in_pin in [FIRST, SECOND] {
            let mut receiver = there.receiver(in_pin).unwrap();
            scope.spawn(move || {
                for number in 0..FRAMES {
                    assert_eq!(receiver.receive(None).unwrap().data(), [number as u8]);
                }
            });
        }
    });
    assert_eq!((free(&mut pool), here.held_here(), there.held_here()), (3, 0, 0));
}
