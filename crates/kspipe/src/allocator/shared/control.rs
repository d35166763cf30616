//! The control words of a shared pool, and where each lies.

use super::super::memory::MemoryKind;
use super::super::properties::CommitError;
use super::super::sync::{AtomicU64, Ordering};
use super::region::{Region, write_then_read};
use super::word::{Holder, Word};
use std::time::Duration;

/// Words that different processors write lie so many words apart: two cache lines, because processors fetch pairs.
const APART: usize = if cfg!(loom) { 1 } else { 16 };
/// Words of a delivery: its place in the order and the frame's header. One cache line.
pub(super) const DELIVERY_WORDS: usize = if cfg!(loom) { 2 } else { 8 };
/// More frames than this are not counted on: a ring has a slot for each.
const MOST_FRAMES: u32 = 1 << 16;

/// How large a [`Control`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dimensions {
    /// Frames of the pool, 1 to 65,536.
    pub(crate) frames: u32,
    /// Holders, 1 to 40.
    pub(crate) holders: u32,
}

/// Why there is no [`Control`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DimensionsError {
    /// Not 1 to 65,536 frames.
    #[error("{0} frames cannot be shared: from 1 to {MOST_FRAMES} can")]
    Frames(u32),
    /// Not 1 to 40 holders.
    #[error("{0} holders cannot share frames: from 1 to {most} can", most = Holder::MOST)]
    Holders(u32),
    /// The system gives no memory.
    #[error(transparent)]
    Memory(#[from] CommitError),
}

/// A place among a holder's words.
#[derive(Clone, Copy)]
enum OfHolder {
    /// Open or closed, and how often it was opened. Written by the server.
    Gate,
    /// What it waits for. See [`super::waiting`].
    Waiter,
    /// It sleeps until something is pushed. Written by the holder; its sender reads it at each push.
    Parked,
    /// Frames ever pushed to it. Written by its sender.
    Tail,
    /// Frames ever taken from its ring. Written by the holder, for others to look at.
    Head,
    /// Odd while it hands a frame over. Written by the holder.
    Section,
}

impl OfHolder {
    const LINES: usize = if cfg!(loom) { 6 } else { 3 };

    /// Those that are seldom written share a line, the sender's is alone, the holder's own share the third.
    const fn place(self) -> usize {
        if cfg!(loom) {
            return self as usize;
        }
        match self {
            OfHolder::Gate => 0,
            OfHolder::Waiter => 1,
            OfHolder::Parked => 2,
            OfHolder::Tail => APART,
            OfHolder::Head => 2 * APART,
            OfHolder::Section => 2 * APART + 1,
        }
    }
}

/// The control words of a shared pool.
pub(crate) struct Control {
    region: Region,
    dimensions: Dimensions,
    slots: usize,
}

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Control").field("dimensions", &self.dimensions).finish_non_exhaustive()
    }
}

impl Control {
    const WAITING: usize = 0;
    const TICKETS: usize = APART;
    const WORDS: usize = 2 * APART;

    /// Control words for frames that are all free, with every holder's gate open.
    pub(crate) fn new(dimensions: Dimensions, kind: MemoryKind) -> Result<Self, DimensionsError> {
        let Dimensions { frames, holders } = dimensions;
        if !(1..=MOST_FRAMES).contains(&frames) {
            return Err(DimensionsError::Frames(frames));
        }
        if !(1..=Holder::MOST).contains(&holders) {
            return Err(DimensionsError::Holders(holders));
        }
        let slots = (frames as usize).next_power_of_two();
        let of_holder = OfHolder::LINES * APART + slots + frames as usize * DELIVERY_WORDS;
        let words = Self::WORDS + frames as usize * APART + holders as usize * of_holder.next_multiple_of(APART);
        let control = Control { region: Region::new(words, kind)?, dimensions, slots };
        for frame in 0..frames {
            control.word(frame).store(Word::FRESH.0, Ordering::Relaxed);
        }
        Ok(control)
    }

    pub(crate) fn frames(&self) -> u32 {
        self.dimensions.frames
    }

    /// Every holder, whether there is anybody behind it or not.
    pub(super) fn holders(&self) -> impl Iterator<Item = Holder> + use<> {
        (0..self.dimensions.holders).filter_map(Holder::new)
    }

    /// A frame's state word.
    pub(super) fn word(&self, frame: u32) -> &AtomicU64 {
        assert!(frame < self.dimensions.frames, "a frame of this pool");
        self.region.at(Self::WORDS + frame as usize * APART)
    }

    /// The holders that wait for a free frame, as bits.
    pub(super) fn waiting(&self) -> &AtomicU64 {
        self.region.at(Self::WAITING)
    }

    /// Tickets drawn so far.
    pub(super) fn tickets(&self) -> &AtomicU64 {
        self.region.at(Self::TICKETS)
    }

    pub(super) fn gate(&self, holder: Holder) -> &AtomicU64 {
        self.of_holder(holder, OfHolder::Gate)
    }

    pub(super) fn waiter(&self, holder: Holder) -> &AtomicU64 {
        self.of_holder(holder, OfHolder::Waiter)
    }

    pub(super) fn parked(&self, holder: Holder) -> &AtomicU64 {
        self.of_holder(holder, OfHolder::Parked)
    }

    pub(super) fn tail(&self, holder: Holder) -> &AtomicU64 {
        self.of_holder(holder, OfHolder::Tail)
    }

    pub(super) fn head(&self, holder: Holder) -> &AtomicU64 {
        self.of_holder(holder, OfHolder::Head)
    }

    pub(super) fn section(&self, holder: Holder) -> &AtomicU64 {
        self.of_holder(holder, OfHolder::Section)
    }

    /// The slot of a holder's ring for the frame pushed as the `nth`. There are at least as many slots as frames, and a
    /// frame is in a ring at most once, so what is pushed never meets what was not taken yet.
    pub(super) fn slot(&self, holder: Holder, nth: u64) -> &AtomicU64 {
        let place = (nth & (self.slots as u64 - 1)) as usize;
        self.region.at(self.start_of(holder) + OfHolder::LINES * APART + place)
    }

    /// A word of what a holder's sender says of a frame.
    pub(super) fn delivery(&self, holder: Holder, frame: u32, word: usize) -> &AtomicU64 {
        assert!(frame < self.dimensions.frames && word < DELIVERY_WORDS, "a word of a delivery");
        let deliveries = self.start_of(holder) + OfHolder::LINES * APART + self.slots;
        self.region.at(deliveries + frame as usize * DELIVERY_WORDS + word)
    }

    fn of_holder(&self, holder: Holder, which: OfHolder) -> &AtomicU64 {
        self.region.at(self.start_of(holder) + which.place())
    }

    fn start_of(&self, holder: Holder) -> usize {
        assert!(holder.number() < self.dimensions.holders, "a holder of this pool");
        let of_one = OfHolder::LINES * APART + self.slots + self.dimensions.frames as usize * DELIVERY_WORDS;
        Self::WORDS
            + self.dimensions.frames as usize * APART
            + holder.number() as usize * of_one.next_multiple_of(APART)
    }

    /// Sleeps while a word is what is expected: see [`Region`].
    pub(super) fn sleep(&self, word: &AtomicU64, expected: u64, timeout: Option<Duration>) {
        self.region.sleep(word, expected, timeout);
    }

    /// Wakes all who sleep on a word.
    pub(super) fn wake(&self, word: &AtomicU64) {
        self.region.wake(word);
    }

    /// Ends a holder's claim on a frame; the last one out frees it, for who waits. `false` where it had none.
    ///
    /// The swap is sequentially consistent, as is the look at the mask after it: see the module, "Waiting".
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
