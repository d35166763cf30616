//! Models for loom of the hand-over, of waiting, and of deaths in the middle of both. A death is a call of only the first
//! steps of a hand-over, then the recovery.
//!
//! `RUSTFLAGS="--cfg loom" LOOM_MAX_PREEMPTIONS=2 cargo test -p kspipe --release --target-dir target/loom --lib models`

use super::super::header::FrameHeader;
use super::super::sync::Ordering;
use super::control::Control;
use super::handover::{Arrived, Giving, Own, Taking, Unreceived};
use super::layout::Dimensions;
use super::region::{Events, Region};
use super::waiting::{Acquiring, Unavailable};
use super::word::{Holder, Word};
use loom::thread;
use std::sync::Arc;

const WRITER: Holder = Holder::acquirer(0).unwrap();
const READER: Holder = Holder::in_pin(0).unwrap();
const OTHER: Holder = Holder::in_pin(1).unwrap();

fn control(frames: u32) -> Arc<Control> {
    let dimensions = Dimensions { frames, in_pins: 2, acquirers: 1 };
    let control = Control::over(Region::new(dimensions.words()), dimensions, Events::default());
    control.initialise();
    Arc::new(control)
}

fn word(control: &Control, frame: u32) -> Word {
    Word(control.word(frame).load(Ordering::SeqCst))
}

fn numbered(sequence: u64) -> FrameHeader {
    FrameHeader { sequence, ..FrameHeader::default() }
}

fn hand_over(sender: &mut Giving, frame: u32, sequence: u64) {
    sender.hand_over(frame, &numbered(sequence), Own::Ends).unwrap();
}

/// Everything that has arrived, given back.
fn drain(control: &Control, in_pin: Holder, receiver: &mut Taking) -> Vec<u64> {
    let mut numbers = Vec::new();
    while let Some(Arrived { frame, header }) = receiver.take().expect("no nonsense") {
        assert!(control.give_back(frame, in_pin), "what arrives is held");
        numbers.push(header.sequence);
    }
    numbers
}

#[test]
fn frames_arrive_once_in_order_with_their_headers() {
    loom::model(|| {
        let control = control(1);
        let writer = {
            let control = control.clone();
            thread::spawn(move || {
                let mut sender = Giving::new(control.clone(), WRITER, [READER]);
                let mut acquirer = Acquiring::new(control, WRITER);
                for number in 7..9 {
                    let frame = acquirer.acquire(None, || false).unwrap();
                    hand_over(&mut sender, frame, number);
                }
            })
        };
        let mut receiver = Taking::new(control.clone(), READER);
        for number in 7..9 {
            let delivered = receiver.wait(None, || false).unwrap();
            assert_eq!(delivered.header.sequence, number);
            assert!(control.give_back(delivered.frame, READER));
        }
        writer.join().unwrap();
        assert!(word(&control, 0).is_free());
    });
}

#[test]
fn a_receiver_that_dies_while_it_is_sent_a_frame_leaves_it_free() {
    loom::model(|| {
        let control = control(1);
        let frame = Acquiring::new(control.clone(), WRITER).try_acquire().unwrap();
        let writer = {
            let control = control.clone();
            thread::spawn(move || hand_over(&mut Giving::new(control, WRITER, [READER]), frame, 1))
        };
        control.close(READER);
        writer.join().unwrap();
        assert!(word(&control, frame).is_free());
        assert_eq!(control.reopen(READER), Ok(()));
        assert_eq!(drain(&control, READER, &mut Taking::new(control.clone(), READER)), Vec::<u64>::new());
    });
}

#[test]
fn an_in_pin_that_leaves_finds_all_that_was_sent_to_it() {
    loom::model(|| {
        let control = control(1);
        let frame = Acquiring::new(control.clone(), WRITER).try_acquire().unwrap();
        let writer = {
            let control = control.clone();
            thread::spawn(move || hand_over(&mut Giving::new(control, WRITER, [READER]), frame, 1))
        };
        let mut receiver = Taking::new(control.clone(), READER);
        control.leave(READER);
        let is_being_sent = receiver.is_being_sent();
        drain(&control, READER, &mut receiver);
        writer.join().unwrap();
        if is_being_sent {
            drain(&control, READER, &mut receiver);
        }
        assert!(word(&control, frame).is_free());
    });
}

#[test]
fn a_number_given_out_again_gets_only_frames_it_holds() {
    loom::model(|| {
        let control = control(2);
        let writer = {
            let control = control.clone();
            thread::spawn(move || {
                let mut acquirer = Acquiring::new(control.clone(), WRITER);
                let mut sender = Giving::new(control, WRITER, [READER]);
                for number in 0..2 {
                    let frame = acquirer.try_acquire().unwrap();
                    hand_over(&mut sender, frame, number);
                }
            })
        };
        control.close(READER);
        let reopened = control.reopen(READER).is_ok();
        writer.join().unwrap();
        if reopened {
            drain(&control, READER, &mut Taking::new(control.clone(), READER));
        }
        assert!((0..2).all(|frame| word(&control, frame).is_free()));
    });
}

/// How far a sender got.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Begun,
    Passed,
    Delivered,
}

fn die_at(step: Step, sender: &mut Giving, frame: u32) {
    let begun = sender.begin(frame, &numbered(5)).unwrap();
    if step != Step::Begun {
        assert_eq!(sender.pass_on(frame, begun, Own::Ends), Ok(true));
    }
    if step == Step::Delivered {
        sender.deliver(frame, &numbered(5));
    }
}

#[test]
fn a_sender_that_dies_at_any_step_has_sent_its_frame_once_or_never() {
    for step in [Step::Begun, Step::Passed, Step::Delivered] {
        loom::model(move || {
            let control = control(1);
            let frame = Acquiring::new(control.clone(), WRITER).try_acquire().unwrap();
            let reader = {
                let control = control.clone();
                thread::spawn(move || {
                    let mut receiver = Taking::new(control.clone(), READER);
                    let first = drain(&control, READER, &mut receiver);
                    (receiver, first)
                })
            };
            die_at(step, &mut Giving::new(control.clone(), WRITER, [READER]), frame);
            control.finish_hand_over([READER]);
            control.close(WRITER);
            control.revive_waiters();
            let (mut receiver, mut numbers) = reader.join().unwrap();
            numbers.extend(drain(&control, READER, &mut receiver));
            assert_eq!(numbers, if step == Step::Begun { Vec::<u64>::new() } else { vec![5] }, "{step:?}");
            assert!(word(&control, frame).is_free());
        });
    }
}

#[test]
fn sender_and_receiver_die_and_nothing_is_left() {
    for step in [Step::Begun, Step::Passed, Step::Delivered] {
        loom::model(move || {
            let control = control(1);
            let frame = Acquiring::new(control.clone(), WRITER).try_acquire().unwrap();
            let dying = {
                let control = control.clone();
                thread::spawn(move || die_at_if_there(step, &mut Giving::new(control, WRITER, [READER]), frame))
            };
            control.close(READER);
            dying.join().unwrap();
            control.finish_hand_over([READER]);
            control.close(WRITER);
            assert!(word(&control, frame).is_free(), "{step:?}");
            assert_eq!(control.reopen(READER), Ok(()));
            assert_eq!(drain(&control, READER, &mut Taking::new(control.clone(), READER)), Vec::<u64>::new());
        });
    }
}

/// As `die_at`, where the receiver may be gone before.
fn die_at_if_there(step: Step, sender: &mut Giving, frame: u32) {
    let begun = sender.begin(frame, &numbered(5)).unwrap();
    let passed = step != Step::Begun && sender.pass_on(frame, begun, Own::Ends) == Ok(true);
    if passed && step == Step::Delivered {
        sender.deliver(frame, &numbered(5));
    }
}

#[test]
fn a_tee_whose_one_receiver_dies_still_serves_the_other() {
    loom::model(|| {
        let control = control(1);
        let frame = Acquiring::new(control.clone(), WRITER).try_acquire().unwrap();
        let writer = {
            let control = control.clone();
            thread::spawn(move || hand_over(&mut Giving::new(control, WRITER, [READER, OTHER]), frame, 3))
        };
        control.close(READER);
        writer.join().unwrap();
        assert_eq!(drain(&control, OTHER, &mut Taking::new(control.clone(), OTHER)), [3]);
        assert!(word(&control, frame).is_free());
    });
}

#[test]
fn who_waits_for_a_frame_learns_of_the_end_of_the_stream_after_the_last() {
    loom::model(|| {
        let control = control(1);
        let frame = Acquiring::new(control.clone(), WRITER).try_acquire().unwrap();
        let writer = {
            let control = control.clone();
            thread::spawn(move || {
                let mut sender = Giving::new(control, WRITER, [READER]);
                hand_over(&mut sender, frame, 3);
                // With the wake lost, the wait below never ends.
                sender.end_stream();
            })
        };
        let mut receiver = Taking::new(control.clone(), READER);
        assert_eq!(receiver.wait(None, || false).map(|arrived| arrived.header.sequence), Ok(3));
        assert_eq!(receiver.wait(None, || false), Err(Unreceived::Ended));
        writer.join().unwrap();
    });
}

#[test]
fn two_threads_that_send_one_frame_on_leave_it_with_whom_they_sent_it_to() {
    loom::model(|| {
        let control = control(1);
        let frame = Acquiring::new(control.clone(), WRITER).try_acquire().unwrap();
        let other = {
            let control = control.clone();
            thread::spawn(move || {
                let mut sender = Giving::new(control, WRITER, [OTHER]);
                assert_eq!(sender.hand_over(frame, &numbered(4), Own::Stays), Ok(1));
            })
        };
        let mut sender = Giving::new(control.clone(), WRITER, [READER]);
        assert_eq!(sender.hand_over(frame, &numbered(4), Own::Stays), Ok(1));
        other.join().unwrap();
        assert!(control.give_back(frame, WRITER), "it stayed with who kept it");
        assert_eq!(word(&control, frame).holders(), READER.bit() | OTHER.bit());
        for in_pin in [READER, OTHER] {
            assert_eq!(drain(&control, in_pin, &mut Taking::new(control.clone(), in_pin)), [4]);
        }
        assert!(word(&control, frame).is_free());
    });
}

#[test]
fn a_frame_that_comes_home_reaches_who_waits() {
    loom::model(|| {
        let control = control(1);
        let mut acquirer = Acquiring::new(control.clone(), WRITER);
        let frame = acquirer.try_acquire().unwrap();
        let waiter = {
            let control = control.clone();
            // With the wake lost, this never ends, and loom says so.
            thread::spawn(move || Acquiring::new(control, READER).acquire(None, || false).unwrap())
        };
        assert!(control.give_back(frame, WRITER));
        assert_eq!(waiter.join().unwrap(), frame);
        assert_eq!(word(&control, frame).holders(), READER.bit());
        assert!(!word(&control, frame).is_offered());
    });
}

#[test]
fn a_frame_that_comes_home_reaches_who_polls() {
    loom::model(|| {
        let control = control(1);
        let frame = Acquiring::new(control.clone(), WRITER).try_acquire().unwrap();
        let poller = {
            let control = control.clone();
            thread::spawn(move || {
                let mut acquirer = Acquiring::new(control.clone(), READER);
                loop {
                    match acquirer.try_acquire() {
                        Ok(frame) => return frame,
                        // With the event lost, this never ends, and loom says so.
                        Err(_) if acquirer.arm(|| false) => control.events().wait(control.dimensions.place(READER)),
                        Err(_) => {}
                    }
                }
            })
        };
        assert!(control.give_back(frame, WRITER));
        assert_eq!(poller.join().unwrap(), frame);
        assert_eq!(word(&control, frame).holders(), READER.bit());
        assert!(!word(&control, frame).is_offered());
    });
}

#[test]
fn who_stops_polling_leaves_the_frame_free() {
    loom::model(|| {
        let control = control(1);
        let frame = Acquiring::new(control.clone(), WRITER).try_acquire().unwrap();
        let writer = {
            let control = control.clone();
            thread::spawn(move || assert!(control.give_back(frame, WRITER)))
        };
        let mut poller = Acquiring::new(control.clone(), READER);
        poller.arm(|| false);
        drop(poller);
        writer.join().unwrap();
        assert!(word(&control, frame).is_free());
        assert_eq!(control.waiting().load(Ordering::SeqCst), 0);
    });
}

#[test]
fn who_is_told_to_stop_while_it_arms_is_told() {
    use loom::sync::atomic::AtomicBool;
    loom::model(|| {
        let control = control(1);
        Acquiring::new(control.clone(), WRITER).try_acquire().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let poller = {
            let (control, stop) = (control.clone(), stop.clone());
            thread::spawn(move || {
                let mut acquirer = Acquiring::new(control.clone(), READER);
                while acquirer.arm(|| stop.load(Ordering::SeqCst)) {
                    // With the event lost, this never ends, and loom says so.
                    control.events().wait(control.dimensions.place(READER));
                }
            })
        };
        stop.store(true, Ordering::SeqCst);
        super::region::write_then_read();
        control.nudge(READER);
        poller.join().unwrap();
        assert_eq!(control.waiting().load(Ordering::SeqCst), 0);
    });
}

#[test]
fn two_frames_that_come_home_at_once_serve_two_that_wait() {
    loom::model(|| {
        let control = control(2);
        let mut acquirer = Acquiring::new(control.clone(), WRITER);
        let frames = [acquirer.try_acquire().unwrap(), acquirer.try_acquire().unwrap()];
        Acquiring::new(control.clone(), READER).start_waiting(0);
        Acquiring::new(control.clone(), OTHER).start_waiting(1);
        let other = {
            let control = control.clone();
            thread::spawn(move || assert!(control.give_back(frames[0], WRITER)))
        };
        assert!(control.give_back(frames[1], WRITER));
        other.join().unwrap();
        let held = word(&control, 0).holders() | word(&control, 1).holders();
        assert_eq!(held, READER.bit() | OTHER.bit());
    });
}

#[test]
fn who_stops_waiting_has_the_frame_or_leaves_it_free() {
    loom::model(|| {
        let control = control(1);
        let frame = Acquiring::new(control.clone(), WRITER).try_acquire().unwrap();
        let waiter = Acquiring::new(control.clone(), READER);
        waiter.start_waiting(0);
        let writer = {
            let control = control.clone();
            thread::spawn(move || assert!(control.give_back(frame, WRITER)))
        };
        let got = waiter.leave();
        writer.join().unwrap();
        match got {
            Some(frame) => assert!(waiter.accept(frame) && control.give_back(frame, READER)),
            None => {}
        }
        assert!(word(&control, frame).is_free());
    });
}

#[test]
fn a_frame_offered_by_the_dead_reaches_who_waits() {
    loom::model(|| {
        let control = control(1);
        let waiter = {
            let control = control.clone();
            thread::spawn(move || Acquiring::new(control, READER).acquire(None, || false).unwrap())
        };
        // The dead one swapped the word and told nobody.
        let free = word(&control, 0);
        let offered = free.offered_to(READER).0;
        if free.is_free() {
            let _ = control.word(0).compare_exchange(free.0, offered, Ordering::SeqCst, Ordering::Relaxed);
        }
        control.revive_waiters();
        assert_eq!(waiter.join().unwrap(), 0);
        assert_eq!(word(&control, 0), word(&control, 0).accepted());
    });
}

#[test]
fn a_waiter_that_dies_leaves_no_frame_behind() {
    loom::model(|| {
        let control = control(1);
        let frame = Acquiring::new(control.clone(), WRITER).try_acquire().unwrap();
        Acquiring::new(control.clone(), READER).start_waiting(0);
        let writer = {
            let control = control.clone();
            thread::spawn(move || assert!(control.give_back(frame, WRITER)))
        };
        control.close(READER);
        writer.join().unwrap();
        assert!(word(&control, frame).is_free());
        assert_eq!(control.waiting().load(Ordering::SeqCst), 0);
    });
}

#[test]
fn who_is_shut_while_it_falls_asleep_wakes() {
    loom::model(|| {
        let control = control(1);
        let receiver = {
            let control = control.clone();
            // With the wake lost, this never ends, and loom says so.
            thread::spawn(move || Taking::new(control, READER).wait(None, || false))
        };
        control.shut(READER);
        assert_eq!(receiver.join().unwrap(), Err(Unreceived::Stopped));
    });
    loom::model(|| {
        let control = control(1);
        Acquiring::new(control.clone(), WRITER).try_acquire().unwrap();
        let waiter = {
            let control = control.clone();
            thread::spawn(move || Acquiring::new(control, READER).acquire(None, || false))
        };
        control.shut(READER);
        assert_eq!(waiter.join().unwrap(), Err(Unavailable::Stopped));
    });
}
