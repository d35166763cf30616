//! What the server does when a process has died: its frames come home, what it had passed on arrives, who waits is woken,
//! and its numbers can be given out again. See the module above for why this is enough.

use super::super::sync::Ordering;
use super::control::Control;
use super::handover::{CLOSED, push};
use super::region::write_then_read;
use super::waiting::Cell;
use super::word::{Holder, Word};

/// What a sweep found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Swept {
    /// Claims that were ended.
    pub(crate) claims: u32,
}

/// A holder's number cannot be given out again yet: its sender is in the middle of handing a frame over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sender to this holder is handing a frame over")]
pub(crate) struct Busy;

impl Control {
    /// Ends all a holder has: nothing is sent to it any more, its claims are ended, and it waits for nothing. For a holder
    /// whose process is dead, or that leaves. May be called again.
    pub(crate) fn close(&self, holder: Holder) -> Swept {
        self.gate(holder).fetch_or(CLOSED, Ordering::SeqCst);
        write_then_read();
        // A holder that leaves and is alive sleeps in one of these, and sees its gate when it wakes.
        self.wake(self.tail(holder));
        self.waiter(holder).store(Cell::IDLE.0, Ordering::SeqCst);
        self.waiting().fetch_and(!holder.bit(), Ordering::SeqCst);
        write_then_read();
        self.wake(self.waiter(holder));
        self.sweep(holder)
    }

    fn sweep(&self, holder: Holder) -> Swept {
        let mut swept = Swept::default();
        for frame in 0..self.frames() {
            // Sequentially consistent, with a sender's second look at the gate.
            let word = Word(self.word(frame).load(Ordering::SeqCst));
            if word.is_held_by(holder) && self.give_back(frame, holder) {
                swept.claims += 1;
            }
        }
        swept
    }

    /// Finishes what a dead sender had begun: a frame it had passed on and not pushed arrives, as the next in its order.
    /// Before its own holder is closed. Returns how many did, at most one for each receiver.
    pub(crate) fn finish_hand_over(&self, dead: Holder, receivers: &[Holder]) -> u32 {
        let mut arrived = 0;
        for receiver in receivers {
            if self.gate(*receiver).load(Ordering::SeqCst) & CLOSED != 0 {
                // The dead one can have passed a frame on to it after it was swept.
                self.sweep(*receiver);
                continue;
            }
            let nth = self.tail(*receiver).load(Ordering::Acquire);
            let lost = (0..self.frames()).find(|frame| {
                // Acquire, as part of it: the delivery was written before the bit was set.
                let word = Word(self.word(*frame).load(Ordering::SeqCst));
                word.is_held_by(*receiver) && self.delivery(*receiver, *frame, 0).load(Ordering::Relaxed) == nth
            });
            if let Some(frame) = lost {
                push(self, *receiver, nth, frame);
                arrived += 1;
            }
            // The dead one may have pushed and owed the wake.
            self.wake(self.tail(*receiver));
        }
        let section = self.section(dead);
        section.store(section.load(Ordering::Relaxed).next_multiple_of(2), Ordering::Release);
        arrived
    }

    /// After a death: frames the dead had offered and told nobody of are free again, and who waits is looked after.
    pub(crate) fn revive_waiters(&self) {
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
        self.holders().for_each(|holder| self.wake(self.waiter(holder)));
    }

    /// Lets a holder's number be used again, by a receiver that gets what is sent from now on. Its gate was closed.
    ///
    /// # Errors
    /// Its sender, which is alive, may still push a frame into the ring as it was: try again later.
    pub(crate) fn reopen(&self, holder: Holder, sender: Option<Holder>) -> Result<(), Busy> {
        // Makes what a sender did before its second look visible, its section among it.
        self.sweep(holder);
        if sender.is_some_and(|sender| self.section(sender).load(Ordering::Acquire) % 2 == 1) {
            return Err(Busy);
        }
        self.parked(holder).store(0, Ordering::Relaxed);
        self.head(holder).store(self.tail(holder).load(Ordering::Acquire), Ordering::Release);
        let gate = self.gate(holder);
        gate.store((gate.load(Ordering::Relaxed) | CLOSED).wrapping_add(1), Ordering::SeqCst);
        Ok(())
    }
}
