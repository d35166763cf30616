//! What the server does when a process has died: its frames come home, what it had passed on arrives, who waits is woken,
//! and its numbers can be given out again. See the module above for why this is enough.
//!
//! Each of these can be done again from the start when the server itself was interrupted in it.

use super::super::sync::Ordering;
use super::control::Control;
use super::handover::{Arrival, CLOSED, Section, push, read_header};
use super::region::write_then_read;
use super::waiting::Cell;
use super::word::{Holder, Word};

/// A holder's number cannot be given out again yet: its sender is in the middle of handing a frame over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct InSection;

impl Control {
    /// Sends nothing to a holder any more, and gives it nothing: it learns of it where it waits. What it holds it keeps.
    pub(super) fn shut(&self, holder: Holder) {
        self.gate(holder).fetch_or(CLOSED, Ordering::SeqCst);
        write_then_read();
        // One that is alive sees its gate when it wakes.
        self.ring_for_the_dead(holder);
        self.waiter(holder).store(Cell::IDLE.0, Ordering::SeqCst);
        self.waiting().fetch_and(!holder.bit(), Ordering::SeqCst);
        write_then_read();
        self.wake(self.waiter(holder));
    }

    /// An in pin's own end, in order: nothing is sent to it any more once no sender is in a section, which is to be looked at
    /// after this.
    pub(super) fn leave(&self, in_pin: Holder) {
        self.gate(in_pin).fetch_or(CLOSED, Ordering::SeqCst);
        write_then_read();
        // Sequentially consistent, with a sender's second look at the gate: where that saw it open, this sees its swap, and
        // with that its section.
        for frame in 0..self.frames() {
            self.word(frame).load(Ordering::SeqCst);
        }
    }

    /// Ends all a holder has: it is shut, and its claims are ended; returns how many there were. For a holder whose process
    /// is dead, or that left. May be called again.
    pub(super) fn close(&self, holder: Holder) -> u32 {
        self.shut(holder);
        self.sweep(holder)
    }

    fn sweep(&self, holder: Holder) -> u32 {
        let mut claims = 0;
        for frame in 0..self.frames() {
            // Sequentially consistent, with a sender's second look at the gate.
            let word = Word(self.word(frame).load(Ordering::SeqCst));
            if word.is_held_by(holder) && self.give_back(frame, holder) {
                claims += 1;
            }
        }
        claims
    }

    /// Finishes what a dead process had begun to hand over to these in pins: a frame it had passed on and not pushed arrives,
    /// as the next in its order. Before the dead one's holders are closed. Returns how many did, at most one for each in pin.
    pub(super) fn finish_hand_over(&self, in_pins: impl IntoIterator<Item = Holder>) -> u32 {
        in_pins.into_iter().map(|in_pin| u32::from(self.finish_hand_over_to(in_pin))).sum()
    }

    fn finish_hand_over_to(&self, in_pin: Holder) -> bool {
        let mut has_arrived = false;
        let section = self.section(in_pin);
        let begun = Section(section.load(Ordering::Acquire));
        if self.gate(in_pin).load(Ordering::SeqCst) & CLOSED != 0 {
            // The dead one can have passed a frame on to it after it was swept.
            self.sweep(in_pin);
        } else {
            let nth = self.tail(in_pin).load(Ordering::Acquire);
            let frame = begun.frame();
            if Arrival::read(self, in_pin, nth).is_push(nth) {
                self.tail(in_pin).store(nth.wrapping_add(1), Ordering::Relaxed);
            } else if begun.is_push(nth)
                && frame < self.frames()
                && Word(self.word(frame).load(Ordering::SeqCst)).is_held_by(in_pin)
            {
                push(self, in_pin, nth, frame, &read_header(|word| self.header(in_pin, word)));
                has_arrived = true;
            }
            // The dead one may have pushed and owed the wake.
            self.ring_for_the_dead(in_pin);
        }
        section.store(begun.over().0, Ordering::Release);
        has_arrived
    }

    /// Says in a dead sender's place that nothing more will come to an in pin.
    pub(super) fn end_stream(&self, in_pin: Holder) {
        let pushed = self.tail(in_pin).load(Ordering::Acquire);
        self.ended(in_pin).store(pushed.wrapping_add(1), Ordering::SeqCst);
        self.ring_for_the_dead(in_pin);
    }

    /// After a death: frames the dead had offered and told nobody of are free again, and who waits is looked after.
    pub(super) fn revive_waiters(&self) {
        for frame in 0..self.frames() {
            let word = Word(self.word(frame).load(Ordering::SeqCst));
            let offered_to = self.holders().find(|holder| word.is_offered_to(*holder));
            if let Some(waiter) = offered_to
                && Cell(self.waiter(waiter).load(Ordering::SeqCst)).frame() != Some(frame)
            {
                self.take_offer_back(frame, waiter);
            }
        }
        self.offer_free_frames();
        // Granted by the dead, who owed the wake.
        for holder in self.holders() {
            self.wake(self.waiter(holder));
            if Cell(self.waiter(holder).load(Ordering::SeqCst)).frame().is_some() {
                self.signal(holder);
            }
        }
    }

    /// Lets a holder's number be used again, by one that gets what is sent from now on. Its gate was closed.
    ///
    /// # Errors
    /// Its sender, which is alive, may still push a frame into the ring as it was: try again later.
    pub(super) fn reopen(&self, holder: Holder) -> Result<(), InSection> {
        // Makes what a sender did before its second look visible, its section among it.
        self.sweep(holder);
        if Section(self.section(holder).load(Ordering::Acquire)).is_odd() {
            return Err(InSection);
        }
        self.bell(holder).store(0, Ordering::Relaxed);
        self.head(holder).store(self.tail(holder).load(Ordering::Acquire), Ordering::Release);
        let gate = self.gate(holder);
        gate.store((gate.load(Ordering::Relaxed) | CLOSED).wrapping_add(1), Ordering::SeqCst);
        Ok(())
    }
}
