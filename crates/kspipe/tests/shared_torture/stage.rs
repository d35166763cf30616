//! The pool the processes share, as its server and the living have it.

use crate::payload;
use crate::process::Child;
use kspipe::allocator::AllocatorProperties;
use kspipe::allocator::shared::{
    Access, Descriptors, Holder, Participant, SharedPool, SharedPoolProperties, Unready, WritableFrame,
};
use std::time::{Duration, Instant};

/// Longer than anything takes that does not hang.
pub(crate) const LONG: Duration = Duration::from_secs(30);

pub(crate) const FRAMES: u32 = 3;
/// Sends to two in pins at once.
pub(crate) const SOURCE: Holder = Holder::acquirer(0).unwrap();
/// Another that acquires.
pub(crate) const OTHER: Holder = Holder::acquirer(1).unwrap();
/// One that waits behind that.
pub(crate) const LATER: Holder = Holder::acquirer(2).unwrap();
/// Sends on.
pub(crate) const FILTER: Holder = Holder::in_pin(0).unwrap();
pub(crate) const VIEWER: Holder = Holder::in_pin(1).unwrap();
/// What the filter sends to.
pub(crate) const SINK: Holder = Holder::in_pin(2).unwrap();

pub(crate) fn properties(frames: u32, senders: Vec<Holder>, acquirers: u32) -> SharedPoolProperties {
    SharedPoolProperties {
        frames: AllocatorProperties { frames, size: payload::SIZE as u64, alignment: 64, prefix: 0 },
        senders,
        acquirers,
        ..SharedPoolProperties::default()
    }
}

/// What a trial needs besides the pool: frames held by the living, and a process that sleeps.
#[derive(Default)]
pub(crate) struct Props {
    pub(crate) held: Vec<WritableFrame>,
    pub(crate) sleeper: Option<Child>,
    /// Frames that a living source sent meanwhile, the last with this trial's number.
    pub(crate) sent_meanwhile: u64,
}

pub(crate) struct Stage {
    pub(crate) pool: SharedPool,
    /// What the frame of this trial carries; the one after it is for a look afterwards.
    pub(crate) number: u64,
    pub(crate) violations: Vec<String>,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let mut pool = SharedPool::create(properties(FRAMES, vec![SOURCE, SOURCE, FILTER], 3)).expect("a pool");
        for holder in pool.properties().holders() {
            pool.admit(holder).expect("nobody is there yet");
        }
        Stage { pool, number: 0, violations: Vec::new() }
    }

    pub(crate) fn descriptors(&self) -> Descriptors {
        self.pool.descriptors().expect("descriptors")
    }

    pub(crate) fn here(&self) -> Participant {
        self.pool.participant().clone()
    }

    pub(crate) fn check(&mut self, holds: bool, says: impl FnOnce() -> String) {
        if !holds {
            self.violations.push(says());
        }
    }

    pub(crate) fn free(&mut self) -> u32 {
        self.pool.ledger(Instant::now()).free
    }

    /// Recovers a process that had these holders, and lets others take its places.
    pub(crate) fn bury(&mut self, holders: &[Holder]) {
        self.pool.recover(holders);
        self.admit(holders);
    }

    pub(crate) fn admit(&mut self, holders: &[Holder]) {
        for holder in holders {
            if let Err(error) = self.pool.admit(*holder) {
                self.violations.push(format!("not admitted again: {error}"));
            }
        }
    }

    /// A free frame, which there is.
    pub(crate) fn acquire(&mut self, holder: Holder) -> Option<WritableFrame> {
        let frame = self.here().acquirer(holder).expect("a role").try_acquire();
        self.check(frame.is_ok(), || format!("{holder} finds no free frame"));
        frame.ok()
    }

    /// As the source, living: hands a frame over.
    pub(crate) fn send(&mut self, number: u64) {
        if let Some(mut frame) = self.acquire(SOURCE) {
            payload::fill(&mut frame, number);
            self.here().sender(SOURCE).expect("a role").hand_over(frame).expect("handed over");
        }
    }

    /// What has arrived with an in pin, given back.
    pub(crate) fn drain(&mut self, in_pin: Holder) -> Vec<u64> {
        let mut receiver = self.here().receiver(in_pin).expect("a role");
        let mut numbers = Vec::new();
        loop {
            match receiver.try_receive() {
                Ok(frame) => match payload::read(&frame) {
                    Ok(number) if number == frame.header().sequence => numbers.push(number),
                    Ok(_) => self.violations.push(format!("{in_pin}: another frame's header")),
                    Err(torn) => self.violations.push(format!("{in_pin}: {torn}")),
                },
                Err(Unready::Empty) => return numbers,
                Err(error) => {
                    self.violations.push(format!("{in_pin}: {error}"));
                    if error != Unready::Nonsense {
                        return numbers;
                    }
                }
            }
        }
    }

    /// Everything is home, and the next frame arrives everywhere, once.
    pub(crate) fn goes_on(&mut self) {
        let free = self.free();
        self.check(free == FRAMES, || format!("{free} of {FRAMES} frames are free"));
        let next = self.number + 1;
        self.send(next);
        for in_pin in [FILTER, VIEWER] {
            let numbers = self.drain(in_pin);
            self.check(numbers == [next], || format!("{in_pin} got {numbers:?} and should get [{next}]"));
        }
        let free = self.free();
        self.check(free == FRAMES, || format!("afterwards {free} of {FRAMES} frames are free"));
    }

    /// A process that receives one frame and exits with how far its number is from this trial's.
    pub(crate) fn receiver_asleep(&self) -> Child {
        let (descriptors, expected) = (self.descriptors(), self.number);
        let child = Child::start(move || {
            let there = Participant::open(descriptors, Access::Read).expect("the pool");
            let frame = there.receiver(FILTER).expect("a role").receive(None).expect("a frame");
            payload::read(&frame).map_or(100, |number| i32::try_from(number - expected).unwrap_or(100))
        });
        let deadline = Instant::now() + LONG;
        while !(self.here().is_asleep(FILTER) && child.is_blocked()) {
            assert!(Instant::now() < deadline, "a receiver goes to sleep");
            std::thread::yield_now();
        }
        child
    }

    /// A process that acquires one frame and exits.
    pub(crate) fn acquirer_asleep(&mut self, holder: Holder) -> Child {
        let descriptors = self.descriptors();
        let child = Child::start(move || {
            let there = Participant::open(descriptors, Access::Write).expect("the pool");
            let frame = there.acquirer(holder).expect("a role").acquire(None);
            i32::from(frame.is_err())
        });
        let deadline = Instant::now() + LONG;
        let waits = |stage: &mut Self| {
            stage.pool.ledger(Instant::now()).holders.iter().any(|entry| entry.holder == holder && entry.waiting)
        };
        while !(waits(self) && child.is_blocked()) {
            assert!(Instant::now() < deadline, "an acquirer goes to sleep");
            std::thread::yield_now();
        }
        child
    }
}
