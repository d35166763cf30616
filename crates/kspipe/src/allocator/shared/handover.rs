//! Handing a frame over to the holders downstream, and taking it there. See the module above for the protocol.

use super::super::header::{FrameFlags, FrameHeader};
use super::super::sync::Ordering;
use super::control::Control;
use super::park::Patience;
use super::region::write_then_read;
use super::word::{Holder, Word};
use std::sync::Arc;

/// Bit of a gate: nobody is behind it. The bits above count how often it was opened.
pub(super) const CLOSED: u64 = 1;

/// Why a frame was not handed over. Nothing has changed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HandOverError {
    /// The sender does not hold it.
    #[error("frame {frame} is not held by holder {holder}", holder = holder.number())]
    NotHeld {
        /// The frame.
        frame: u32,
        /// The sender.
        holder: Holder,
    },
    /// A receiver holds it already, and can hold it once.
    #[error("frame {frame} is held by holder {holder} already", holder = holder.number())]
    HeldAlready {
        /// The frame.
        frame: u32,
        /// The receiver.
        holder: Holder,
    },
}

/// A receiver as its sender knows it.
#[derive(Debug)]
struct Receiving {
    holder: Holder,
    /// Frames pushed to it so far.
    pushed: u64,
    /// Its gate as seen before the frame was passed on.
    gate: u64,
}

impl Receiving {
    fn is_open(&self) -> bool {
        self.gate & CLOSED == 0
    }
}

/// One holder's way to those it sends to: it is the only one that sends to them. One at a time, for one thread at a time.
#[derive(Debug)]
pub(crate) struct Sender {
    control: Arc<Control>,
    from: Holder,
    to: Vec<Receiving>,
}

impl Sender {
    /// A sender in the place of the one before it, if there was one: that one has ended, and what it left was recovered.
    pub(crate) fn new(control: Arc<Control>, from: Holder, to: &[Holder]) -> Self {
        let known = |holder: &Holder| {
            let pushed = control.tail(*holder).load(Ordering::Acquire);
            Receiving { holder: *holder, pushed, gate: CLOSED }
        };
        let to = to.iter().map(known).collect();
        Sender { control, from, to }
    }

    /// Hands a frame this holder has to all receivers that are there; with none there it goes home. The sender has no
    /// claim on it afterwards.
    pub(crate) fn hand_over(&mut self, frame: u32, header: &FrameHeader) -> Result<(), HandOverError> {
        let section = self.begin();
        let passed = self.pass_on(frame, header);
        if passed == Ok(true) {
            self.deliver(frame);
        }
        self.end(section);
        passed.map(|_| ())
    }

    /// Says that a frame is being handed over. Relaxed: who must know reads it after it has seen what `pass_on` swapped.
    pub(super) fn begin(&self) -> u64 {
        let section = self.control.section(self.from);
        let now = section.load(Ordering::Relaxed);
        section.store(now.wrapping_add(1), Ordering::Relaxed);
        now
    }

    /// Release: what was pushed is there for who sees the section ended.
    pub(super) fn end(&self, section: u64) {
        self.control.section(self.from).store(section.wrapping_add(2), Ordering::Release);
    }

    /// Swaps this holder's bit for the receivers'. `false` where none was there and the frame went home.
    pub(super) fn pass_on(&mut self, frame: u32, header: &FrameHeader) -> Result<bool, HandOverError> {
        let (control, from) = (&self.control, self.from);
        let word = control.word(frame);
        let mut seen = Word(word.load(Ordering::Relaxed));
        if !seen.is_held_by(from) || seen.is_offered() {
            return Err(HandOverError::NotHeld { frame, holder: from });
        }
        // Nobody else sets a receiver's bit, so one that is clear stays clear. Looked at before a delivery is written: the
        // one of a frame that is still held must stay what it is.
        if let Some(held) = self.to.iter().find(|receiving| seen.is_held_by(receiving.holder)) {
            return Err(HandOverError::HeldAlready { frame, holder: held.holder });
        }
        let mut to = 0;
        for receiving in &mut self.to {
            receiving.gate = control.gate(receiving.holder).load(Ordering::Acquire);
            if receiving.is_open() {
                to |= receiving.holder.bit();
                write_delivery(control, receiving.holder, frame, receiving.pushed, header);
            }
        }
        if to == 0 {
            control.give_back(frame, from);
            return Ok(false);
        }
        // Other holders may give theirs back meanwhile. Sequentially consistent, with the second look at the gates.
        loop {
            match word.compare_exchange(seen.0, seen.handed(from, to).0, Ordering::SeqCst, Ordering::Relaxed) {
                Ok(_) => return Ok(true),
                Err(now) => seen = Word(now),
            }
            if !seen.is_held_by(from) {
                return Err(HandOverError::NotHeld { frame, holder: from });
            }
        }
    }

    /// Looks again who is there, takes the frame back from who is not, and pushes it to the others.
    pub(super) fn deliver(&mut self, frame: u32) {
        let control = &self.control;
        write_then_read();
        for receiving in self.to.iter_mut().filter(|receiving| receiving.is_open()) {
            if control.gate(receiving.holder).load(Ordering::SeqCst) == receiving.gate {
                push(control, receiving.holder, receiving.pushed, frame);
                receiving.pushed += 1;
            } else {
                control.give_back(frame, receiving.holder);
            }
        }
    }
}

/// Pushes a frame into a holder's ring as the `nth` and wakes the holder if it sleeps. For its one sender, and for the
/// server when that one is dead.
pub(super) fn push(control: &Control, to: Holder, nth: u64, frame: u32) {
    control.slot(to, nth).store(frame.into(), Ordering::Relaxed);
    // Sequentially consistent, with who parks: it says so before its last look at the tail.
    let tail = control.tail(to);
    tail.store(nth + 1, Ordering::SeqCst);
    write_then_read();
    if control.parked(to).load(Ordering::SeqCst) != 0 {
        control.wake(tail);
    }
}

/// Relaxed: published by the swap of the frame's word, and by the ring's tail.
fn write_delivery(control: &Control, to: Holder, frame: u32, nth: u64, header: &FrameHeader) {
    let words = [
        nth,
        header.sequence,
        header.presentation_time as u64,
        header.duration as u64,
        header.data_used,
        header.flags.bits().into(),
    ];
    for (place, word) in words.into_iter().take(super::control::DELIVERY_WORDS).enumerate() {
        control.delivery(to, frame, place).store(word, Ordering::Relaxed);
    }
}

fn read_header(control: &Control, holder: Holder, frame: u32) -> FrameHeader {
    let mut words = [0; 6];
    for (place, word) in words.iter_mut().take(super::control::DELIVERY_WORDS).enumerate() {
        *word = control.delivery(holder, frame, place).load(Ordering::Relaxed);
    }
    let [_, sequence, presentation_time, duration, data_used, flags] = words;
    FrameHeader {
        presentation_time: presentation_time as i64,
        duration: duration as i64,
        sequence,
        data_used,
        flags: FrameFlags::from_bits_retain(flags as u32),
    }
}

/// A frame that arrived: the receiver holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Delivered {
    pub(crate) frame: u32,
    pub(crate) header: FrameHeader,
}

/// The end of one holder's ring. One at a time, for one thread at a time.
#[derive(Debug)]
pub(crate) struct Receiver {
    control: Arc<Control>,
    holder: Holder,
    taken: u64,
}

impl Receiver {
    /// The receiver behind a gate that was just opened: it gets what is sent from then on.
    pub(crate) fn new(control: Arc<Control>, holder: Holder) -> Self {
        let taken = control.head(holder).load(Ordering::Acquire);
        Receiver { control, holder, taken }
    }

    /// The next frame, if one has arrived.
    pub(crate) fn take(&mut self) -> Option<Delivered> {
        let control = &self.control;
        if control.tail(self.holder).load(Ordering::Acquire) == self.taken {
            return None;
        }
        let frame = control.slot(self.holder, self.taken).load(Ordering::Relaxed) as u32;
        let header = read_header(control, self.holder, frame);
        self.taken += 1;
        control.head(self.holder).store(self.taken, Ordering::Relaxed);
        Some(Delivered { frame, header })
    }

    /// The next frame; sleeps until one arrives. `None` once the holder's gate is closed and nothing is left.
    pub(crate) fn wait(&mut self) -> Option<Delivered> {
        let mut patience = Patience::default();
        loop {
            if let Some(delivered) = self.take() {
                return Some(delivered);
            }
            if self.control.gate(self.holder).load(Ordering::SeqCst) & CLOSED != 0 {
                return None;
            }
            if patience.spin() {
                continue;
            }
            let parked = self.control.parked(self.holder);
            parked.store(1, Ordering::SeqCst);
            write_then_read();
            let tail = self.control.tail(self.holder);
            let open = self.control.gate(self.holder).load(Ordering::SeqCst) & CLOSED == 0;
            if open && tail.load(Ordering::SeqCst) == self.taken {
                self.control.sleep(tail, self.taken, None);
            }
            parked.store(0, Ordering::Relaxed);
        }
    }

    /// Ends the claim on a frame taken before. `false` where there is none.
    pub(crate) fn give_back(&self, frame: u32) -> bool {
        self.control.give_back(frame, self.holder)
    }
}
