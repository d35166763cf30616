//! The hand-over among threads, with real waiting, over memory that processes could share.

use super::super::header::FrameHeader;
use super::super::memory::MemoryKind;
use super::*;
use std::sync::Arc;
use std::time::Duration;

fn holder(number: u32) -> Holder {
    Holder::new(number).unwrap()
}

fn control(frames: u32, holders: u32) -> Arc<Control> {
    Arc::new(Control::new(Dimensions { frames, holders }, MemoryKind::Memfd { prefault: false }).unwrap())
}

fn numbered(sequence: u64) -> FrameHeader {
    FrameHeader { sequence, presentation_time: -5, data_used: sequence * 2, ..FrameHeader::default() }
}

#[test]
fn dimensions_past_the_limits_are_refused() {
    let refused = |frames, holders| Control::new(Dimensions { frames, holders }, MemoryKind::Heap).err();
    assert_eq!(refused(0, 1), Some(DimensionsError::Frames(0)));
    assert_eq!(refused(65_537, 1), Some(DimensionsError::Frames(65_537)));
    assert_eq!(refused(1, 0), Some(DimensionsError::Holders(0)));
    assert_eq!(refused(1, 41), Some(DimensionsError::Holders(41)));
    assert_eq!(refused(65_536, 40).map(|error| error.to_string()), None);
}

#[test]
fn every_word_has_a_place_of_its_own() {
    use super::super::sync::Ordering;
    let control = control(3, 5);
    let mut marks = Vec::new();
    for frame in 0..3 {
        marks.push(control.word(frame));
    }
    marks.extend([control.waiting(), control.tickets()]);
    for holder in control.holders() {
        marks.extend([control.gate(holder), control.waiter(holder), control.parked(holder)]);
        marks.extend([control.tail(holder), control.head(holder), control.section(holder)]);
        marks.extend((0..4).map(|nth| control.slot(holder, nth)));
        marks.extend((0..3).flat_map(|frame| (0..8).map(move |word| (frame, word))).map(|(f, w)| control.delivery(holder, f, w)));
    }
    for (mark, word) in (1..).zip(&marks) {
        word.store(mark, Ordering::Relaxed);
    }
    assert!((1..).zip(&marks).all(|(mark, word)| word.load(Ordering::Relaxed) == mark));
    assert!(std::ptr::eq(control.slot(holder(0), 1), control.slot(holder(0), 5)), "a ring goes round");
}

#[test]
fn a_chain_of_three_moves_every_frame_once_in_order() {
    const FRAMES: u64 = 20_000;
    let control = control(4, 3);
    let (writer, filter, sink) = (holder(0), holder(1), holder(2));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut acquirer = Acquirer::new(control.clone(), writer);
            let mut sender = Sender::new(control.clone(), writer, &[filter]);
            for number in 0..FRAMES {
                let frame = acquirer.acquire(None).unwrap();
                sender.hand_over(frame, &numbered(number)).unwrap();
            }
        });
        scope.spawn(|| {
            let mut receiver = Receiver::new(control.clone(), filter);
            let mut sender = Sender::new(control.clone(), filter, &[sink]);
            for _ in 0..FRAMES {
                let Delivered { frame, header } = receiver.wait().unwrap();
                sender.hand_over(frame, &header).unwrap();
            }
        });
        let mut receiver = Receiver::new(control.clone(), sink);
        for number in 0..FRAMES {
            let Delivered { frame, header } = receiver.wait().unwrap();
            assert_eq!(header, numbered(number));
            assert!(receiver.give_back(frame));
        }
    });
    let mut acquirer = Acquirer::new(control, writer);
    assert_eq!(std::iter::from_fn(|| acquirer.try_acquire()).count(), 4, "all frames are home");
}

#[test]
fn a_wrong_hand_over_changes_nothing() {
    let control = control(1, 2);
    let mut sender = Sender::new(control.clone(), holder(0), &[holder(1)]);
    let not_held = HandOverError::NotHeld { frame: 0, holder: holder(0) };
    assert_eq!(sender.hand_over(0, &numbered(0)), Err(not_held));
    let mut acquirer = Acquirer::new(control.clone(), holder(0));
    sender.hand_over(acquirer.try_acquire().unwrap(), &numbered(0)).unwrap();
    assert_eq!(sender.hand_over(0, &numbered(1)), Err(not_held));
    assert_eq!(acquirer.try_acquire(), None);
    let mut receiver = Receiver::new(control, holder(1));
    assert_eq!(receiver.take().map(|delivered| delivered.header.sequence), Some(0));
    assert_eq!(receiver.take(), None);
    assert!(receiver.give_back(0));
    assert!(!receiver.give_back(0));
    assert_eq!(acquirer.try_acquire(), Some(0));
}

#[test]
fn a_receiver_that_left_and_came_back_gets_what_is_sent_from_then_on() {
    let control = control(3, 2);
    let (writer, reader) = (holder(0), holder(1));
    let mut acquirer = Acquirer::new(control.clone(), writer);
    let mut sender = Sender::new(control.clone(), writer, &[reader]);
    let mut send = |number| sender.hand_over(acquirer.try_acquire().unwrap(), &numbered(number)).unwrap();
    send(1);
    send(2);
    assert_eq!(control.close(reader), Swept { claims: 2 });
    send(3);
    assert_eq!(control.reopen(reader, Some(writer)), Ok(()));
    let mut receiver = Receiver::new(control.clone(), reader);
    assert_eq!(receiver.take(), None);
    send(4);
    assert_eq!(receiver.take().map(|delivered| delivered.header.sequence), Some(4));
}

#[test]
fn who_waits_and_is_closed_is_told() {
    let control = control(1, 3);
    let (writer, waiter, reader) = (holder(0), holder(1), holder(2));
    let _frame = Acquirer::new(control.clone(), writer).try_acquire().unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| Acquirer::new(control.clone(), waiter).acquire(None));
        let reading = scope.spawn(|| Receiver::new(control.clone(), reader).wait());
        control.close(waiter);
        control.close(reader);
        assert_eq!(waiting.join().unwrap(), Err(waiting::Unavailable::Closed));
        assert_eq!(reading.join().unwrap(), None);
    });
}

#[test]
fn a_wait_ends_when_its_time_is_over() {
    let control = control(1, 2);
    let frame = Acquirer::new(control.clone(), holder(0)).try_acquire().unwrap();
    let mut other = Acquirer::new(control.clone(), holder(1));
    assert_eq!(other.acquire(Some(Duration::from_millis(1))), Err(waiting::Unavailable::TimedOut));
    assert!(control.give_back(frame, holder(0)));
    assert_eq!(other.acquire(Some(Duration::ZERO)), Ok(frame));
}
