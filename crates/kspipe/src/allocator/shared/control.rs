//! The control words of a shared pool, by name.

use super::super::sync::{AtomicU64, Ordering};
use super::layout::{ARRIVAL_WORDS, Dimensions, HEADER_OF_FRAME_WORDS, OfHolder};
use super::region::{Events, Region, will_change, write_then_read};
use super::word::{Holder, Word};
#[cfg(not(loom))]
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

/// Bit of [`Control::state`]: the server has closed the pool.
pub(super) const POOL_CLOSED: u64 = 1;

/// Bit of [`Control::state`]: nobody will come to this in pin, or come again.
const fn given_up(in_pin: Holder) -> u64 {
    // At most 32 of them.
    2 << in_pin.place()
}

/// The control words of a shared pool.
///
/// Whatever the words say, wrong as it may be, nothing here panics or leaves the region: an index is used only after it was
/// compared with the dimensions, of which every process keeps its own copy.
pub(super) struct Control {
    pub(super) region: Region,
    pub(super) dimensions: Dimensions,
    events: Events,
}

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Control").field("dimensions", &self.dimensions).finish_non_exhaustive()
    }
}

impl Control {
    /// The words of a region that has at least as many as the dimensions ask for.
    pub(super) fn over(region: Region, dimensions: Dimensions, events: Events) -> Self {
        Control { region, dimensions, events }
    }

    /// Makes every frame free, in words that are all 0, so that every gate is open.
    pub(super) fn initialise(&self) {
        for frame in 0..self.frames() {
            self.word(frame).store(Word::FRESH.0, Ordering::Relaxed);
        }
    }

    #[inline(always)]
    pub(super) fn frames(&self) -> u32 {
        self.dimensions.frames
    }

    /// Every holder, whether there is anybody behind it or not.
    pub(super) fn holders(&self) -> impl Iterator<Item = Holder> + Clone + use<> {
        self.dimensions.holders()
    }

    /// A frame's state word. The frame is one of the pool's: an index that was read from shared words is checked first.
    #[inline(always)]
    pub(super) fn word(&self, frame: u32) -> &AtomicU64 {
        self.region.at(self.dimensions.frame(frame))
    }

    /// Has the processor fetch a frame's state word to change it: for who is about to, or will soon. A look first and a
    /// swap after it would fetch it twice where another processor had it, to read and then to write.
    #[inline(always)]
    pub(super) fn word_will_change(&self, frame: u32) {
        will_change(self.word(frame));
    }

    /// Has the processor fetch the place for what is pushed to an in pin as the `nth`: for its sender, which is about to.
    #[inline(always)]
    pub(super) fn arrival_will_change(&self, in_pin: Holder, nth: u64) {
        will_change(self.arrival(in_pin, nth, 0));
    }

    /// Whether the pool is closed.
    pub(super) fn state(&self) -> &AtomicU64 {
        self.region.at(Dimensions::STATE)
    }

    /// Says of an in pin whether nobody will come to it again.
    pub(super) fn give_up(&self, in_pin: Holder, is_given_up: bool) {
        if is_given_up {
            self.state().fetch_or(given_up(in_pin), Ordering::SeqCst);
        } else {
            self.state().fetch_and(!given_up(in_pin), Ordering::SeqCst);
        }
    }

    /// Nobody will come to any of these in pins again. Of none at all that is not so.
    pub(super) fn are_given_up(&self, in_pins: impl IntoIterator<Item = Holder>) -> bool {
        let all = in_pins.into_iter().fold(0, |all, in_pin| all | given_up(in_pin));
        all != 0 && self.state().load(Ordering::SeqCst) & all == all
    }

    /// The holders that wait for a free frame, as bits.
    #[inline(always)]
    pub(super) fn waiting(&self) -> &AtomicU64 {
        self.region.at(Dimensions::WAITING)
    }

    /// Tickets drawn so far.
    pub(super) fn tickets(&self) -> &AtomicU64 {
        self.region.at(Dimensions::TICKETS)
    }

    #[inline(always)]
    pub(super) fn gate(&self, holder: Holder) -> &AtomicU64 {
        self.of_holder(holder, OfHolder::Gate)
    }

    pub(super) fn waiter(&self, holder: Holder) -> &AtomicU64 {
        self.of_holder(holder, OfHolder::Waiter)
    }

    #[inline(always)]
    pub(super) fn bell(&self, holder: Holder) -> &AtomicU64 {
        self.of_holder(holder, OfHolder::Bell)
    }

    #[inline(always)]
    pub(super) fn tail(&self, holder: Holder) -> &AtomicU64 {
        self.of_holder(holder, OfHolder::Tail)
    }

    #[inline(always)]
    pub(super) fn head(&self, holder: Holder) -> &AtomicU64 {
        self.of_holder(holder, OfHolder::Head)
    }

    pub(super) fn ended(&self, holder: Holder) -> &AtomicU64 {
        self.of_holder(holder, OfHolder::Ended)
    }

    #[inline(always)]
    pub(super) fn section(&self, holder: Holder) -> &AtomicU64 {
        self.of_holder(holder, OfHolder::Section)
    }

    /// A word of the header of the frame that is handed over to an in pin.
    #[inline(always)]
    pub(super) fn header(&self, in_pin: Holder, word: usize) -> &AtomicU64 {
        assert!(word < HEADER_OF_FRAME_WORDS, "a word of a header");
        self.region.at(self.dimensions.of_holder(in_pin, OfHolder::Header) + word)
    }

    #[inline(always)]
    pub(super) fn acquired(&self, holder: Holder) -> &AtomicU64 {
        self.of_holder(holder, OfHolder::Acquired)
    }

    pub(super) fn waited(&self, holder: Holder) -> &AtomicU64 {
        self.of_holder(holder, OfHolder::Waited)
    }

    #[inline(always)]
    fn of_holder(&self, holder: Holder, which: OfHolder) -> &AtomicU64 {
        self.region.at(self.dimensions.of_holder(holder, which))
    }

    /// A word of what is pushed to an in pin as the `nth`; the first says which frame, and whether it has arrived.
    #[inline(always)]
    pub(super) fn arrival(&self, in_pin: Holder, nth: u64, word: usize) -> &AtomicU64 {
        assert!(word < ARRIVAL_WORDS, "a word of an arrival");
        self.region.at(self.dimensions.arrival(in_pin, nth) + word)
    }

    /// Sleeps while a word is what is expected: see [`Region`].
    pub(super) fn sleep(&self, word: &AtomicU64, expected: u64, timeout: Option<Duration>) {
        self.region.sleep(word, expected, timeout);
    }

    /// Wakes all who sleep on a word.
    pub(super) fn wake(&self, word: &AtomicU64) {
        self.region.wake(word);
    }

    /// Makes a holder's event readable.
    pub(super) fn signal(&self, holder: Holder) {
        self.events.signal(self.dimensions.place(holder));
    }

    /// A holder's event, of this pool.
    #[cfg(not(loom))]
    pub(super) fn event(&self, holder: Holder) -> BorrowedFd<'_> {
        // There: one for each holder, which was looked at when the pool was opened.
        self.events.0[self.dimensions.place(holder)].as_fd()
    }

    pub(super) fn events(&self) -> &Events {
        &self.events
    }

    /// Ends a holder's claim on a frame; the last one out frees it, for who waits. `false` where it had none.
    ///
    /// The swap is sequentially consistent, as is the look at the mask after it: see the module, "Waiting".
    #[inline]
    pub(super) fn give_back(&self, frame: u32, holder: Holder) -> bool {
        let word = self.word(frame);
        let mut seen = Word(word.load(Ordering::Relaxed));
        loop {
            if !seen.is_held_by(holder) {
                return false;
            }
            let next = seen.without(holder);
            match word.compare_exchange(seen.0, next.0, Ordering::SeqCst, Ordering::Relaxed) {
                Ok(_) if next.is_free() => break,
                Ok(_) => return true,
                Err(now) => seen = Word(now),
            }
        }
        write_then_read();
        if self.waiting().load(Ordering::SeqCst) != 0 {
            self.offer_free_frames();
        }
        true
    }
}

/// Bytes of a region of so many words, a multiple of 4096.
#[cfg(not(loom))]
pub(super) fn bytes_of(words: usize) -> u64 {
    (words as u64 * size_of::<u64>() as u64).next_multiple_of(4096)
}
