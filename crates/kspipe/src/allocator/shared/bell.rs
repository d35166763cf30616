//! How an in pin that stopped looking for arrivals learns of one.
//!
//! Who stops looking first says in its bell word how it is to be told: it sleeps on that word ([`ASLEEP`]), or it polls
//! its event ([`ARMED`]), or both; then it looks once more. Who pushes looks at the word after it, clears it, and does
//! what it said. Both are sequentially consistent, so at least one of the two sees the other. While nobody has stopped
//! looking the word is 0, and there is no system call.
//!
//! The word that is slept on is the one that is cleared, so a wake that comes between the last look and the sleep is not
//! lost: the word has changed, and the kernel does not put the thread to sleep.

use super::super::sync::Ordering;
use super::control::Control;
use super::word::Holder;

/// Bit of a bell: sleeps on it.
pub(super) const ASLEEP: u64 = 1;
/// Bit of a bell: polls its event.
pub(super) const ARMED: u64 = 2;

impl Control {
    /// Wakes an in pin that said that it stopped looking.
    #[inline(always)]
    pub(super) fn ring(&self, in_pin: Holder) {
        if self.bell(in_pin).load(Ordering::SeqCst) != 0 {
            self.ring_out(in_pin);
        }
    }

    #[cold]
    fn ring_out(&self, in_pin: Holder) {
        let asked = self.bell(in_pin).swap(0, Ordering::SeqCst);
        if asked & ASLEEP != 0 {
            self.wake(self.bell(in_pin));
        }
        if asked & ARMED != 0 {
            self.signal(in_pin);
        }
    }

    /// Wakes an in pin, whatever it said: somebody may have cleared its bell, and died before doing what it asked.
    pub(super) fn ring_for_the_dead(&self, in_pin: Holder) {
        self.bell(in_pin).store(0, Ordering::SeqCst);
        self.wake(self.bell(in_pin));
        self.signal(in_pin);
    }
}
