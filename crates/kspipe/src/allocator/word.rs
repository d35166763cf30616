//! The state word of a frame: who holds it, and which time around this is.
//!
//! ```text
//!  63                              35  34  33  32  31                             0
//! +----------------------------------+---+---+---+-------------------------------+
//! |            generation            | D | S | A |            holders            |
//! +----------------------------------+---+---+---+-------------------------------+
//! ```
//!
//! | bits | name | meaning |
//! |---|---|---|
//! | 0 to 31 | holders | bit *h*: holder number *h* has a claim on the frame; none set: nobody has. In one process there is one holder, [`Word::HOLDER`]; its shared claims are counted beside the word |
//! | 32 | attention | whoever gives the frame back takes the pool's lock first: somebody waits, the pool drains, or a callback wants to know |
//! | 33 | in service | the frame can be acquired. Clear: its pool is not committed, or was and the frame has come home |
//! | 34 | detached | the claim is a [`RawFrame`](super::RawFrame), plain data; no `Frame` of it exists |
//! | 35 to 63 | generation | raised whenever the frame comes home; 29 bits, wraps |
//!
//! *Free* is: in service and no holder.
//! Every change of ownership is one compare-and-swap of this word. Marking it for attention makes the
//! compare-and-swap of its holder fail, and that failure is how the holder learns of it: giving back needs no second
//! look at anything once the frame is given.

/// The value of a state word.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Word(pub(super) u64);

impl Word {
    const HOLDERS: u64 = 0xFFFF_FFFF;
    const ATTENTION: u64 = 1 << 32;
    const IN_SERVICE: u64 = 1 << 33;
    const DETACHED: u64 = 1 << 34;
    const GENERATION: u64 = 1 << Self::GENERATION_SHIFT;
    const GENERATION_SHIFT: u32 = 35;

    /// This process's bit among the holders.
    pub(super) const HOLDER: u64 = 1 << 0;

    /// What a frame's word is while it is held by a `Frame` or `SharedFrame` and nobody asked for attention.
    #[inline(always)]
    pub(super) const fn held(generation: u32) -> Self {
        Self((generation as u64) << Self::GENERATION_SHIFT | Self::IN_SERVICE | Self::HOLDER)
    }

    /// The word of a frame that is home and cannot be acquired.
    pub(super) const fn out_of_service(generation: u32) -> Self {
        Self((generation as u64) << Self::GENERATION_SHIFT)
    }

    #[inline(always)]
    pub(super) const fn generation(self) -> u32 {
        (self.0 >> Self::GENERATION_SHIFT) as u32
    }

    /// Nobody holds the frame, and it can be acquired.
    #[inline(always)]
    pub(super) const fn is_free(self) -> bool {
        self.0 & (Self::HOLDERS | Self::IN_SERVICE) == Self::IN_SERVICE
    }

    pub(super) const fn is_held(self) -> bool {
        self.0 & Self::HOLDERS != 0
    }

    #[cfg(test)]
    pub(super) const fn is_in_service(self) -> bool {
        self.0 & Self::IN_SERVICE != 0
    }

    pub(super) const fn is_detached(self) -> bool {
        self.0 & Self::DETACHED != 0
    }

    /// A free frame, taken.
    #[inline(always)]
    pub(super) const fn taken(self) -> Self {
        Self(self.0 | Self::HOLDER)
    }

    /// A held frame, come home: free, and a generation on. The sum wraps at the top, into nothing.
    #[inline(always)]
    pub(super) const fn freed(self) -> Self {
        Self((self.0 & !(Self::HOLDERS | Self::DETACHED)).wrapping_add(Self::GENERATION))
    }

    /// A held frame, come home and given to the next holder in the same step.
    pub(super) const fn handed_on(self) -> Self {
        self.freed().taken()
    }

    pub(super) const fn with_attention(self, attention: bool) -> Self {
        if attention { Self(self.0 | Self::ATTENTION) } else { Self(self.0 & !Self::ATTENTION) }
    }

    pub(super) const fn with_service(self, service: bool) -> Self {
        if service { Self(self.0 | Self::IN_SERVICE) } else { Self(self.0 & !Self::IN_SERVICE) }
    }

    pub(super) const fn with_detached(self, detached: bool) -> Self {
        if detached { Self(self.0 | Self::DETACHED) } else { Self(self.0 & !Self::DETACHED) }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const FRESH: Word = Word(0).with_service(true);

    #[test]
    fn a_word_out_of_service_is_neither_free_nor_held() {
        let word = Word::out_of_service(5);
        assert!(!word.is_free());
        assert!(!word.is_held());
        assert!(!word.is_in_service());
        assert_eq!(word.generation(), 5);
    }

    #[test]
    fn a_life_of_a_frame_bit_by_bit() {
        assert_eq!(FRESH.0, 0x2_0000_0000);
        assert_eq!(FRESH.taken().0, 0x2_0000_0001);
        assert_eq!(FRESH.taken().with_attention(true).0, 0x3_0000_0001);
        assert_eq!(FRESH.taken().with_detached(true).0, 0x6_0000_0001);
        assert_eq!(FRESH.taken().with_detached(true).freed().0, 0xA_0000_0000);
        assert_eq!(FRESH.taken().handed_on().0, 0xA_0000_0001);
        assert_eq!(FRESH.with_service(false).0, 0);
    }

    #[test]
    fn attention_and_service_survive_a_change_of_holder() {
        let word = FRESH.with_attention(true);
        assert_eq!(word.taken().freed(), word.taken().freed().with_attention(true));
        assert!(word.taken().freed().is_free());
    }

    #[test]
    fn held_is_what_taking_a_free_word_gives() {
        let mut word = FRESH;
        for generation in 0..5 {
            assert_eq!(word.generation(), generation);
            assert!(word.taken() == Word::held(generation));
            word = word.taken().freed();
        }
    }

    #[test]
    fn the_generation_wraps_and_spills_into_no_other_bit() {
        let last = Word::held(u32::MAX >> 3);
        assert_eq!(last.generation(), (1 << 29) - 1);
        assert_eq!(last.freed(), FRESH);
    }
}

#[cfg(test)]
impl std::fmt::Debug for Word {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Word({:#x})", self.0)
    }
}
