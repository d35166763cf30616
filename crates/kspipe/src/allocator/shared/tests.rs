//! A shared pool within one process: roles, waiting, ends, and words that say what cannot be.

use super::control::Control;
use super::layout::{Dimensions, OfHolder};
use super::*;
use crate::allocator::{AllocatorProperties, FrameFlags, FrameHeader};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

mod descriptors;
mod events;
mod standstill;

const SIZE: usize = 256;

fn in_pin(place: u32) -> Holder {
    Holder::in_pin(place).unwrap()
}

fn acquirer(place: u32) -> Holder {
    Holder::acquirer(place).unwrap()
}

fn properties(frames: u32, senders: &[Holder], acquirers: u32) -> SharedPoolProperties {
    SharedPoolProperties {
        frames: AllocatorProperties { frames, size: SIZE as u64, alignment: 64, prefix: 0 },
        senders: senders.to_vec(),
        acquirers,
        ..SharedPoolProperties::default()
    }
}

/// A pool with everybody admitted, and another process's view of it.
fn pool(frames: u32, senders: &[Holder], acquirers: u32) -> (SharedPool, Participant) {
    let mut pool = SharedPool::create(properties(frames, senders, acquirers)).unwrap();
    for holder in pool.properties().holders() {
        pool.admit(holder).unwrap();
    }
    let other = Participant::open(pool.descriptors().unwrap(), Access::Write).unwrap();
    (pool, other)
}

fn words(pool: &SharedPool) -> &Control {
    &pool.participant().shared.control
}

fn numbered(sequence: u64) -> FrameHeader {
    FrameHeader {
        sequence,
        presentation_time: -5,
        duration: i64::MAX,
        data_used: sequence * 2,
        flags: FrameFlags::TIMEVALID,
    }
}

fn send(acquirer: &mut Acquirer, sender: &mut Sender, number: u64) {
    let mut frame = acquirer.try_acquire().unwrap();
    assert_eq!(frame.copy_from(0, &number.to_le_bytes()), 8);
    frame.set_header(numbered(number));
    sender.hand_over(frame).unwrap();
}

fn number(frame: &FrameView) -> u64 {
    let mut bytes = [0; 8];
    assert_eq!(frame.copy_to(0, &mut bytes), 8);
    u64::from_le_bytes(bytes)
}

fn free(pool: &mut SharedPool) -> u32 {
    pool.ledger(Instant::now()).free
}

#[test]
#[cfg_attr(miri, ignore = "Miri maps no memory")]
fn a_chain_of_three_moves_every_frame_once_in_order() {
    const FRAMES: u64 = 20_000;
    let (mut pool, there) = pool(4, &[acquirer(0), in_pin(0)], 1);
    let here = pool.participant().clone();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (mut frames, mut sender) = (there.acquirer(acquirer(0)).unwrap(), there.sender(acquirer(0)).unwrap());
            for number in 0..FRAMES {
                let mut frame = frames.acquire(None).unwrap();
                frame.copy_from(8, &number.to_le_bytes());
                frame.set_header(numbered(number));
                sender.hand_over(frame).unwrap();
            }
        });
        scope.spawn(|| {
            let (mut receiver, mut sender) = (here.receiver(in_pin(0)).unwrap(), here.sender(in_pin(0)).unwrap());
            for _ in 0..FRAMES {
                // Nobody else has it, so it may be changed in place.
                let mut frame = receiver.receive(None).unwrap().try_into_writable().unwrap();
                let mut bytes = [0; 8];
                frame.copy_to(8, &mut bytes);
                frame.copy_from(0, &bytes);
                sender.hand_over(frame).unwrap();
            }
        });
        let mut receiver = there.receiver(in_pin(1)).unwrap();
        for expected in 0..FRAMES {
            let frame = receiver.receive(Some(Duration::from_secs(60))).unwrap();
            assert_eq!((frame.header(), number(&frame)), (numbered(expected), expected));
        }
    });
    assert_eq!(free(&mut pool), 4, "all frames are home");
}

#[test]
#[cfg_attr(miri, ignore = "Miri maps no memory")]
fn a_tee_shares_a_frame_and_the_last_one_out_frees_it() {
    let (mut pool, there) = pool(1, &[acquirer(0), acquirer(0)], 1);
    let (mut frames, mut sender) = (there.acquirer(acquirer(0)).unwrap(), there.sender(acquirer(0)).unwrap());
    let here = pool.participant().clone();
    let mut receivers = [here.receiver(in_pin(0)).unwrap(), here.receiver(in_pin(1)).unwrap()];
    send(&mut frames, &mut sender, 1);
    let [first, second] = receivers.each_mut().map(|receiver| receiver.try_receive().unwrap());
    assert_eq!([first.index(), second.index()], [0, 0]);
    let first = first.try_into_writable().unwrap_err();
    drop(second);
    assert_eq!(frames.try_acquire().unwrap_err(), Unready::Empty);
    drop(first.try_into_writable().unwrap());
    assert_eq!(free(&mut pool), 1);
}

#[test]
#[cfg_attr(miri, ignore = "Miri maps no memory")]
fn a_role_is_taken_once_in_a_process_and_by_its_kind_of_holder() {
    let (pool, there) = pool(1, &[acquirer(0)], 1);
    let role = there.receiver(in_pin(0)).unwrap();
    assert_eq!(there.receiver(in_pin(0)).unwrap_err(), RoleError::InUse(in_pin(0)));
    assert!(there.sender(in_pin(0)).is_ok(), "a filter hands on what its in pin got");
    assert!(pool.participant().receiver(in_pin(0)).is_ok(), "another process is not seen from here");
    drop(role);
    assert!(there.receiver(in_pin(0)).is_ok());
    assert_eq!(there.receiver(acquirer(0)).unwrap_err(), RoleError::NoSuchHolder(acquirer(0)));
    assert_eq!(there.acquirer(in_pin(0)).unwrap_err(), RoleError::NoSuchHolder(in_pin(0)));
    assert_eq!(there.acquirer(acquirer(1)).unwrap_err(), RoleError::NoSuchHolder(acquirer(1)));
    let readers = Participant::open(pool.descriptors().unwrap(), Access::Read).unwrap();
    assert_eq!(readers.acquirer(acquirer(0)).unwrap_err(), RoleError::ReadOnly);
}

#[test]
#[cfg_attr(miri, ignore = "Miri maps no memory")]
fn a_wrong_hand_over_gives_the_frame_back_to_the_caller() {
    let (mut pool, there) = pool(2, &[acquirer(0), acquirer(0)], 2);
    let mut frames = there.acquirer(acquirer(0)).unwrap();
    let mut other = there.acquirer(acquirer(1)).unwrap();
    let mut sender = there.sender(acquirer(0)).unwrap();
    let foreign = sender.hand_over(other.try_acquire().unwrap()).unwrap_err();
    assert_eq!((foreign.reason, foreign.frame.holder()), (UnsentReason::Foreign, acquirer(1)));
    drop(foreign);
    let swept = frames.try_acquire().unwrap();
    pool.recover(&[acquirer(0)]);
    assert_eq!(sender.hand_over(swept).unwrap_err().reason, UnsentReason::NotHeld);
    assert_eq!(free(&mut pool), 2);
}

#[test]
#[cfg_attr(miri, ignore = "Miri maps no memory")]
fn nobody_is_sent_anything_before_it_is_admitted() {
    let mut pool = SharedPool::create(properties(2, &[acquirer(0)], 1)).unwrap();
    let there = Participant::open(pool.descriptors().unwrap(), Access::Write).unwrap();
    assert_eq!(there.acquirer(acquirer(0)).unwrap_err(), RoleError::NotAdmitted(acquirer(0)));
    pool.admit(acquirer(0)).unwrap();
    assert_eq!(pool.admit(acquirer(0)), Err(AdmitError::Admitted(acquirer(0))));
    assert_eq!(pool.admit(acquirer(1)), Err(AdmitError::NoSuchHolder(acquirer(1))));
    let (mut frames, mut sender) = (there.acquirer(acquirer(0)).unwrap(), there.sender(acquirer(0)).unwrap());
    send(&mut frames, &mut sender, 1);
    assert_eq!(free(&mut pool), 2, "what nobody takes goes home");
    pool.admit(in_pin(0)).unwrap();
    send(&mut frames, &mut sender, 2);
    let mut receiver = there.receiver(in_pin(0)).unwrap();
    assert_eq!(receiver.try_receive().map(|frame| number(&frame)), Ok(2));
}

#[test]
#[cfg_attr(miri, ignore = "Miri maps no memory")]
fn a_receiver_that_left_and_came_back_gets_what_is_sent_from_then_on() {
    let (mut pool, there) = pool(3, &[acquirer(0)], 1);
    let (mut frames, mut sender) = (there.acquirer(acquirer(0)).unwrap(), there.sender(acquirer(0)).unwrap());
    send(&mut frames, &mut sender, 1);
    send(&mut frames, &mut sender, 2);
    assert_eq!(pool.recover(&[in_pin(0)]), Recovered { claims: 2, arrived: 0 });
    send(&mut frames, &mut sender, 3);
    pool.admit(in_pin(0)).unwrap();
    let mut receiver = there.receiver(in_pin(0)).unwrap();
    assert_eq!(receiver.try_receive().unwrap_err(), Unready::Empty);
    send(&mut frames, &mut sender, 4);
    assert_eq!(receiver.try_receive().map(|frame| number(&frame)), Ok(4));
}

#[test]
#[cfg_attr(miri, ignore = "Miri maps no memory")]
fn an_acquirer_that_left_and_came_back_goes_on_in_order() {
    let (mut pool, there) = pool(3, &[acquirer(0)], 1);
    let mut receiver = there.receiver(in_pin(0)).unwrap();
    for number in 0..10 {
        let (mut frames, mut sender) = (there.acquirer(acquirer(0)).unwrap(), there.sender(acquirer(0)).unwrap());
        send(&mut frames, &mut sender, number);
        std::mem::forget(frames.try_acquire().unwrap());
        drop((frames, sender));
        assert_eq!(pool.recover(&[acquirer(0)]), Recovered { claims: 1, arrived: 0 });
        pool.admit(acquirer(0)).unwrap();
        assert_eq!(receiver.try_receive().map(|frame| self::number(&frame)), Ok(number));
        assert_eq!(free(&mut pool), 3);
    }
}

/// Says why each of two waits ended: an acquirer's, and an in pin's, each asleep by then.
fn ends_of_waits(end: impl FnOnce(&mut SharedPool, &Participant)) -> (Unready, Unready) {
    let (mut pool, there) = pool(1, &[acquirer(0)], 2);
    let _held = pool.participant().acquirer(acquirer(0)).unwrap().try_acquire().unwrap();
    std::thread::scope(|scope| {
        let acquiring = scope.spawn(|| there.acquirer(acquirer(1)).unwrap().acquire(None).unwrap_err());
        let receiving = scope.spawn(|| there.receiver(in_pin(0)).unwrap().receive(None).unwrap_err());
        let deadline = Instant::now() + Duration::from_secs(60);
        while !there.is_asleep(in_pin(0)) || !waiting::sleeps(words(&pool), acquirer(1)) {
            assert!(Instant::now() < deadline, "they go to sleep");
            std::thread::yield_now();
        }
        end(&mut pool, &there);
        (acquiring.join().unwrap(), receiving.join().unwrap())
    })
}

#[test]
#[cfg_attr(miri, ignore = "Miri maps no memory")]
fn who_waits_is_told_why_it_waits_no_longer() {
    let shut = ends_of_waits(|pool, _| {
        pool.shut(acquirer(1));
        pool.shut(in_pin(0));
    });
    assert_eq!(shut, (Unready::Shut, Unready::Shut));
    let recovered = ends_of_waits(|pool, _| {
        pool.recover(&[acquirer(1), in_pin(0)]);
    });
    assert_eq!(recovered, (Unready::Shut, Unready::Shut));
    assert_eq!(ends_of_waits(|pool, _| pool.close_all()), (Unready::PoolClosed, Unready::PoolClosed));
    assert_eq!(ends_of_waits(|_, there| there.server_gone()), (Unready::ServerGone, Unready::ServerGone));
}

#[test]
#[cfg_attr(miri, ignore = "Miri maps no memory")]
fn frames_outlive_the_server_readable() {
    let (pool, there) = pool(2, &[acquirer(0)], 1);
    let (mut frames, mut sender) = (there.acquirer(acquirer(0)).unwrap(), there.sender(acquirer(0)).unwrap());
    let mut receiver = there.receiver(in_pin(0)).unwrap();
    send(&mut frames, &mut sender, 7);
    send(&mut frames, &mut sender, 8);
    let first = receiver.try_receive().unwrap();
    drop(pool);
    there.server_gone();
    assert!(there.is_closed());
    assert_eq!(number(&first), 7);
    assert_eq!(receiver.receive(None).map(|frame| number(&frame)), Ok(8), "what had arrived is taken first");
    assert_eq!(receiver.receive(None).unwrap_err(), Unready::ServerGone);
    assert_eq!(receiver.try_receive().unwrap_err(), Unready::ServerGone);
    assert_eq!(frames.acquire(None).unwrap_err(), Unready::ServerGone);
    assert!(!receiver.arm(), "nothing will come");
    drop((there, frames, sender, receiver));
    assert_eq!(number(&first), 7);
}

#[test]
#[cfg_attr(miri, ignore = "Miri maps no memory")]
fn a_wait_ends_when_its_time_is_over() {
    let (_pool, there) = pool(1, &[acquirer(0)], 2);
    let mut receiver = there.receiver(in_pin(0)).unwrap();
    let frame = there.acquirer(acquirer(0)).unwrap().try_acquire().unwrap();
    let mut other = there.acquirer(acquirer(1)).unwrap();
    for timeout in [Duration::ZERO, Duration::from_millis(1)] {
        assert_eq!(other.acquire(Some(timeout)).unwrap_err(), Unready::TimedOut);
        assert_eq!(receiver.receive(Some(timeout)).unwrap_err(), Unready::TimedOut);
    }
    drop(frame);
    assert!(other.acquire(Some(Duration::ZERO)).is_ok());
}

#[test]
#[cfg_attr(miri, ignore = "Miri maps no memory")]
fn a_frame_that_came_and_went_between_two_readings_was_out() {
    let (mut pool, there) = pool(4, &[acquirer(0)], 1);
    assert_eq!(pool.ledger(Instant::now()).peak, 0);
    drop(there.acquirer(acquirer(0)).unwrap().try_acquire().unwrap());
    let ledger = pool.ledger(Instant::now());
    assert_eq!((ledger.free, ledger.peak), (4, 1));
}

#[test]
#[cfg_attr(miri, ignore = "Miri maps no memory")]
fn the_ledger_says_who_holds_what_since_when_and_too_much() {
    let (mut pool, there) = pool(4, &[acquirer(0)], 1);
    let (mut frames, mut sender) = (there.acquirer(acquirer(0)).unwrap(), there.sender(acquirer(0)).unwrap());
    let mut receiver = there.receiver(in_pin(0)).unwrap();
    pool.declare_holds(in_pin(0), Some(1));
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    send(&mut frames, &mut sender, 0);
    let first = receiver.try_receive().unwrap();
    let entry = |ledger: &Ledger| ledger.holders[0].clone();
    let ledger = pool.ledger(at(1));
    assert_eq!((ledger.frames, ledger.free, ledger.peak), (4, 3, 1));
    assert_eq!(entry(&ledger).held, [HeldEntry { frame: first.index(), since: at(1) }]);
    assert_eq!((entry(&ledger).overdraft(), entry(&ledger).taken, entry(&ledger).arriving), (0, 1, 0));
    send(&mut frames, &mut sender, 1);
    let ledger = pool.ledger(at(2));
    assert_eq!((entry(&ledger).overdraft(), entry(&ledger).arriving), (0, 1), "in its ring is not with it");
    let second = receiver.try_receive().unwrap();
    let ledger = pool.ledger(at(3));
    assert_eq!(entry(&ledger).overdraft(), 1);
    assert_eq!(entry(&ledger).oldest(at(3)), Some(Duration::from_secs(2)));
    let index = first.index();
    drop((first, second));
    // The same frame again, in another use.
    let again = std::iter::from_fn(|| frames.try_acquire().ok()).find(|frame| frame.index() == index);
    let ledger = pool.ledger(at(4));
    assert_eq!((ledger.free, ledger.peak), (3, 2));
    assert_eq!(ledger.holders[1].held, [HeldEntry { frame: index, since: at(4) }]);
    drop(again);
    assert_eq!((index, ledger.holders[1].taken), (0, 5), "frames are taken in turn: 0, 1, then 2, 3, 0");
}

#[test]
#[cfg_attr(miri, ignore = "Miri maps no memory")]
fn words_that_say_what_cannot_be_harm_nobody() {
    let garbage = [0, 1, 2, 3, 1 << 16, 0xFFFF, 1 << 40, 1 << 41, 3 << 40, u64::MAX >> 1, u64::MAX];
    let dimensions = Dimensions { frames: 3, in_pins: 2, acquirers: 2 };
    let timeout = Some(Duration::from_micros(1));
    for place in 48..dimensions.words() {
        for value in garbage {
            let (mut pool, there) = pool(3, &[acquirer(0), in_pin(0)], 2);
            let mut roles = (there.acquirer(acquirer(0)).unwrap(), there.sender(acquirer(0)).unwrap());
            let mut filter = (there.receiver(in_pin(0)).unwrap(), there.sender(in_pin(0)).unwrap());
            let mut sink = there.receiver(in_pin(1)).unwrap();
            let mut poller = there.acquirer(acquirer(1)).unwrap();
            let _armed = poller.arm();
            send(&mut roles.0, &mut roles.1, 0);
            words(&pool).region.at(place).store(value, Ordering::Relaxed);
            // What comes of it is anything but a panic, an endless loop, or an access outside.
            for _ in 0..4 {
                if let Ok(frame) = roles.0.acquire(timeout) {
                    let _ = roles.1.hand_over(frame);
                }
                if let Ok(frame) = filter.0.receive(timeout) {
                    let _ = filter.1.hand_over(frame);
                }
                drop(sink.receive(timeout));
                let _armed = poller.arm();
                drop(poller.try_acquire());
            }
            drop(poller);
            pool.ledger(Instant::now());
            pool.recover(&[acquirer(0), in_pin(0), in_pin(1), acquirer(1)]);
            for holder in pool.properties().holders() {
                let _ = pool.admit(holder);
            }
            pool.close_all();
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "Miri maps no memory")]
fn every_holder_of_the_largest_graph_gets_its_frames() {
    let (mut pool, there) = pool(2, &[acquirer(7); 32], 8);
    let (mut frames, mut sender) = (there.acquirer(acquirer(7)).unwrap(), there.sender(acquirer(7)).unwrap());
    let mut receivers: Vec<_> = (0..32).map(|place| there.receiver(in_pin(place)).unwrap()).collect();
    for expected in 0..5 {
        send(&mut frames, &mut sender, expected);
        for receiver in &mut receivers {
            assert_eq!(receiver.try_receive().map(|frame| number(&frame)), Ok(expected));
        }
    }
    assert_eq!(free(&mut pool), 2);
}

#[test]
#[cfg_attr(miri, ignore = "Miri maps no memory")]
fn the_words_lie_where_the_page_says() {
    let dimensions = Dimensions { frames: 3, in_pins: 2, acquirers: 2 };
    assert_eq!([Dimensions::STATE, Dimensions::WAITING, Dimensions::TICKETS], [48, 64, 80]);
    assert_eq!([dimensions.frame(0), dimensions.frame(2)], [96, 128]);
    assert_eq!(dimensions.of_holder(in_pin(0), OfHolder::Gate), 144);
    assert_eq!(dimensions.of_holder(in_pin(1), OfHolder::Tail), 144 + 48 + 16);
    assert_eq!(dimensions.of_holder(in_pin(1), OfHolder::Section), 144 + 48 + 17);
    assert_eq!(dimensions.of_holder(in_pin(1), OfHolder::Header), 144 + 48 + 18);
    assert_eq!(dimensions.of_holder(in_pin(1), OfHolder::Ended), 144 + 48 + 3);
    assert_eq!(dimensions.of_holder(acquirer(1), OfHolder::Acquired), 144 + 3 * 48 + 33);
    assert_eq!(dimensions.arrival(in_pin(1), 3), 144 + 4 * 48 + (4 + 3) * 8);
    assert_eq!(dimensions.words(), 144 + 4 * 48 + 2 * 4 * 8);
}
