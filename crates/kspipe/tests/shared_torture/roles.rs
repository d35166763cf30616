//! What the processes do that are stepped and killed: all of it between two stops.

use crate::payload;
use crate::process::stop;
use crate::stage::{FILTER, OTHER, SOURCE};
use kspipe::allocator::shared::{Access, Descriptors, Participant, SharedPool, TrustedPool, Unready};
use rustix::event::{PollFd, PollFlags, poll};
use std::time::Duration;

fn open(descriptors: Descriptors) -> Participant {
    Participant::open(descriptors, Access::Write).expect("the pool")
}

/// Nothing: what the two stops themselves are.
pub(crate) fn nothing(_: Descriptors, _: u64) -> i32 {
    stop();
    stop();
    0
}

/// A source hands one frame over to two in pins.
pub(crate) fn hand_over(descriptors: Descriptors, number: u64) -> i32 {
    let there = open(descriptors);
    let (mut acquirer, mut sender) = (there.acquirer(SOURCE).expect("a role"), there.sender(SOURCE).expect("a role"));
    let mut frame = acquirer.try_acquire().expect("a frame");
    payload::fill(&mut frame, number);
    stop();
    sender.hand_over(frame).expect("handed over");
    stop();
    0
}

pub(crate) fn acquire(descriptors: Descriptors, number: u64) -> i32 {
    let mut acquirer = open(descriptors).acquirer(SOURCE).expect("a role");
    stop();
    let mut frame = acquirer.try_acquire().expect("a frame");
    payload::fill(&mut frame, number);
    stop();
    0
}

pub(crate) fn take(descriptors: Descriptors, _: u64) -> i32 {
    let mut receiver = open(descriptors).receiver(FILTER).expect("a role");
    stop();
    let _frame = receiver.try_receive().expect("a frame");
    stop();
    0
}

pub(crate) fn release(descriptors: Descriptors, _: u64) -> i32 {
    let mut receiver = open(descriptors).receiver(FILTER).expect("a role");
    let frame = receiver.try_receive().expect("a frame");
    stop();
    drop(frame);
    stop();
    0
}

/// A filter takes a frame and sends it on.
pub(crate) fn filter(descriptors: Descriptors, _: u64) -> i32 {
    let there = open(descriptors);
    let (mut receiver, mut sender) = (there.receiver(FILTER).expect("a role"), there.sender(FILTER).expect("a role"));
    stop();
    sender.hand_over(receiver.try_receive().expect("a frame")).expect("handed over");
    stop();
    0
}

/// Somebody waits for a frame for no time at all.
pub(crate) fn wait(descriptors: Descriptors, _: u64) -> i32 {
    let mut acquirer = open(descriptors).acquirer(OTHER).expect("a role");
    stop();
    let frame = acquirer.acquire(Some(Duration::ZERO));
    stop();
    i32::from(frame.is_err())
}

/// A server recovers a dead source and lets another take its place.
pub(crate) fn recover(descriptors: Descriptors, _: u64) -> i32 {
    let mut pool = SharedPool::take_over(descriptors).expect("the pool");
    stop();
    pool.recover(&[SOURCE]);
    let _ = pool.admit(SOURCE);
    stop();
    0
}

/// A server recovers a dead filter, likewise.
pub(crate) fn recover_filter(descriptors: Descriptors, _: u64) -> i32 {
    let mut pool = SharedPool::take_over(descriptors).expect("the pool");
    stop();
    pool.recover(&[FILTER]);
    let _ = pool.admit(FILTER);
    stop();
    0
}

/// Somebody waits for a frame as long as it takes.
pub(crate) fn wait_long(descriptors: Descriptors, _: u64) -> i32 {
    let mut acquirer = open(descriptors).acquirer(OTHER).expect("a role");
    stop();
    let frame = acquirer.acquire(None);
    stop();
    i32::from(frame.is_err())
}

/// Somebody polls for a frame, and sleeps in that.
pub(crate) fn poll_long(descriptors: Descriptors, _: u64) -> i32 {
    let mut acquirer = open(descriptors).acquirer(OTHER).expect("a role");
    stop();
    let frame = loop {
        match acquirer.try_acquire() {
            Err(Unready::Empty) if acquirer.arm() => {
                while poll(&mut [PollFd::new(&acquirer.event(), PollFlags::IN)], None).is_err() {}
            }
            Err(Unready::Empty) => {}
            frame => break frame,
        }
    };
    stop();
    i32::from(frame.is_err())
}

/// An in pin leaves in good order.
pub(crate) fn leave(descriptors: Descriptors, _: u64) -> i32 {
    let receiver = trusted(open(descriptors)).receiver(FILTER).expect("a role");
    stop();
    receiver.leave();
    stop();
    0
}

/// The pool of processes that all keep to the protocol.
#[allow(unsafe_code)]
pub(crate) fn trusted(participant: Participant) -> TrustedPool {
    // SAFETY: everyone here writes only to frames of its own, and nothing of a frame is lent by this one; a holder that left
    // is recovered after its process has ended, or has dropped all it had.
    unsafe { TrustedPool::new(participant) }
}

/// Ends with all frames, and gives none back.
pub(crate) fn die_with_all_frames(descriptors: Descriptors) -> i32 {
    let mut acquirer = open(descriptors).acquirer(SOURCE).expect("a role");
    while let Ok(frame) = acquirer.try_acquire() {
        std::mem::forget(frame);
    }
    0
}
