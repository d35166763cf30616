//! Where each control word of a shared pool lies, and how many there are. `docs/shared-pool.md` has the same as a page.

use super::word::Holder;

/// Words that different processors write lie so many words apart: two cache lines, because processors fetch pairs.
pub(super) const APART: usize = if cfg!(loom) { 1 } else { 16 };
/// Words of an arrival, which is a place of a ring: one cache line.
pub(super) const ARRIVAL_WORDS: usize = if cfg!(loom) { 2 } else { 8 };
/// Words of the header that travels with a frame.
pub(super) const HEADER_OF_FRAME_WORDS: usize = if cfg!(loom) { 1 } else { 5 };
/// Words that describe the pool, and do not change: see [`super::header`].
pub(super) const HEADER_WORDS: usize = if cfg!(loom) { 0 } else { 48 };
/// The most frames of a shared pool: an arrival has 16 bits for a frame's index.
pub(super) const MOST_FRAMES: u32 = 1 << 16;

/// How many frames and holders a pool has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dimensions {
    /// 1 to [`MOST_FRAMES`].
    pub(super) frames: u32,
    /// 0 to [`Holder::MOST_IN_PINS`].
    pub(super) in_pins: u32,
    /// 0 to [`Holder::MOST_ACQUIRERS`].
    pub(super) acquirers: u32,
}

/// A word of a holder.
#[derive(Clone, Copy)]
pub(super) enum OfHolder {
    /// Open or closed, and how often it was opened. Written by the server; an in pin that leaves closes its own.
    Gate,
    /// What it waits for. See [`super::waiting`].
    Waiter,
    /// What it did before it stopped looking for arrivals. See [`super::bell`].
    Bell,
    /// Frames ever pushed to it. Written by its sender.
    Tail,
    /// Odd while a frame is handed over to it, and which: see [`super::handover::Section`]. Written by its sender.
    Section,
    /// The first of the [`HEADER_OF_FRAME_WORDS`] of the frame that is handed over to it. Written by its sender.
    Header,
    /// Where its stream ends: one more than the frames pushed to it by then. Written by its sender.
    Ended,
    /// Frames ever taken from its ring. Written by the holder, for others to look at.
    Head,
    /// Frames ever acquired. Written by the holder, for others to look at.
    Acquired,
    /// Acquisitions that had to wait. Written by the holder, for others to look at.
    Waited,
}

impl OfHolder {
    const LINES: usize = if cfg!(loom) { 10 } else { 3 };

    /// Those that are seldom written share a line, and are all that who waits looks at; the sender's share the second, which
    /// nobody else touches while all is well; the holder's own the third.
    const fn place(self) -> usize {
        if cfg!(loom) {
            return self as usize;
        }
        match self {
            OfHolder::Gate => 0,
            OfHolder::Waiter => 1,
            OfHolder::Bell => 2,
            OfHolder::Ended => 3,
            OfHolder::Tail => APART,
            OfHolder::Section => APART + 1,
            OfHolder::Header => APART + 2,
            OfHolder::Head => 2 * APART,
            OfHolder::Acquired => 2 * APART + 1,
            OfHolder::Waited => 2 * APART + 2,
        }
    }
}

impl Dimensions {
    /// Bit 0: the server has closed the pool, or has ended.
    pub(super) const STATE: usize = HEADER_WORDS;
    /// The holders that wait for a free frame, as bits.
    pub(super) const WAITING: usize = Self::STATE + APART;
    /// Tickets drawn so far.
    pub(super) const TICKETS: usize = Self::WAITING + APART;
    const FRAMES: usize = Self::TICKETS + APART;

    /// Arrivals of a ring: a power of two, and at least as many as frames, so that what is pushed never meets what was
    /// not taken yet.
    pub(super) fn places(self) -> usize {
        (self.frames as usize).next_power_of_two()
    }

    /// All words: less than 2^28, so that nothing here overflows, on a machine of 32 bits either.
    pub(super) fn words(self) -> usize {
        self.rings() + self.in_pins as usize * self.places() * ARRIVAL_WORDS
    }

    /// The holders there are.
    pub(super) fn holders(self) -> impl Iterator<Item = Holder> + Clone {
        let in_pins = (0..self.in_pins).filter_map(Holder::in_pin);
        in_pins.chain((0..self.acquirers).filter_map(Holder::acquirer))
    }

    /// There is this holder.
    pub(super) fn has(self, holder: Holder) -> bool {
        holder.place() < if holder.is_in_pin() { self.in_pins } else { self.acquirers }
    }

    /// A holder's place among all: of its lines, and of its event. In pins come first.
    #[inline(always)]
    pub(super) fn place(self, holder: Holder) -> usize {
        (if holder.is_in_pin() { holder.place() } else { self.in_pins + holder.place() }) as usize
    }

    /// A frame's state word.
    #[inline(always)]
    pub(super) fn frame(self, frame: u32) -> usize {
        assert!(frame < self.frames, "a frame of this pool");
        Self::FRAMES + frame as usize * APART
    }

    /// A holder's word.
    #[inline(always)]
    pub(super) fn of_holder(self, holder: Holder, which: OfHolder) -> usize {
        assert!(self.has(holder), "a holder of this pool");
        self.lines() + self.place(holder) * OfHolder::LINES * APART + which.place()
    }

    /// The first word of the place of an in pin's ring for what is pushed as the `nth`.
    #[inline(always)]
    pub(super) fn arrival(self, in_pin: Holder, nth: u64) -> usize {
        assert!(in_pin.is_in_pin() && self.has(in_pin), "an in pin of this pool");
        let places = self.places();
        let place = (nth & (places as u64 - 1)) as usize;
        self.rings() + (in_pin.place() as usize * places + place) * ARRIVAL_WORDS
    }

    fn lines(self) -> usize {
        Self::FRAMES + self.frames as usize * APART
    }

    fn rings(self) -> usize {
        self.lines() + (self.in_pins + self.acquirers) as usize * OfHolder::LINES * APART
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn every_word_has_a_place_of_its_own_within_the_whole() {
        use OfHolder::*;
        let dimensions = Dimensions { frames: 3, in_pins: 2, acquirers: 2 };
        let mut places: Vec<usize> = (0..HEADER_WORDS).collect();
        places.extend([Dimensions::STATE, Dimensions::WAITING, Dimensions::TICKETS]);
        places.extend((0..3).map(|frame| dimensions.frame(frame)));
        for holder in dimensions.holders() {
            let words = [Gate, Waiter, Bell, Tail, Section, Ended, Head, Acquired, Waited];
            places.extend(words.map(|word| dimensions.of_holder(holder, word)));
            let header = dimensions.of_holder(holder, Header);
            places.extend(header..header + HEADER_OF_FRAME_WORDS);
        }
        for in_pin in [Holder::in_pin(0), Holder::in_pin(1)].into_iter().flatten() {
            let starts = (0..4).map(|nth| dimensions.arrival(in_pin, nth));
            places.extend(starts.flat_map(|start| start..start + ARRIVAL_WORDS));
            assert_eq!(dimensions.arrival(in_pin, 1), dimensions.arrival(in_pin, 5), "a ring goes round");
        }
        let count = places.len();
        places.sort_unstable();
        places.dedup();
        assert_eq!(places.len(), count);
        assert_eq!(places.last(), Some(&(dimensions.words() - 1)));
    }

    #[test]
    fn the_largest_pool_has_less_than_2_to_the_28th_words() {
        let largest = Dimensions { frames: MOST_FRAMES, in_pins: 32, acquirers: 8 };
        assert!(largest.words() < 1 << 28, "{}", largest.words());
    }
}
