//! The state word of a frame that processes share.
//!
//! ```text
//!  63              42  41  40  39            32 31                                    0
//! +------------------+---+---+-----------------+---------------------------------------+
//! |    generation    | S | O |    acquirers    |                in pins                |
//! +------------------+---+---+-----------------+---------------------------------------+
//! ```
//!
//! | bits | name | meaning |
//! |---|---|---|
//! | 0 to 39 | holders | bit *h*: holder *h* has a claim on the frame; none set: nobody has |
//! | 40 | offered | the one holder was given the frame while it waited, and has not taken it yet |
//! | 41 | in service | the frame can be acquired |
//! | 42 to 63 | generation | raised whenever the frame comes home; wraps |
//!
//! *Free* is: in service and no holder. Nothing depends on the generation's never coming round: who swaps a word holds
//! the frame itself, or takes one that is free now.

use std::fmt;

/// Who can hold frames of a shared pool: an in pin of a process, which gets frames from exactly one sender, or an
/// acquirer, a place where a process takes free frames to fill them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Holder(u8);

impl Holder {
    /// The most in pins of processes of their own that share a pool (rule 9 of the negotiation).
    pub const MOST_IN_PINS: u32 = 32;
    /// The most acquirers of a pool.
    pub const MOST_ACQUIRERS: u32 = 8;
    /// In pins and acquirers together.
    pub(super) const MOST: u32 = Self::MOST_IN_PINS + Self::MOST_ACQUIRERS;

    /// An in pin by its place in the pool's list of them, 0 to 31.
    pub const fn in_pin(place: u32) -> Option<Self> {
        if place < Self::MOST_IN_PINS { Some(Self(place as u8)) } else { None }
    }

    /// An acquirer by its number, 0 to 7.
    pub const fn acquirer(place: u32) -> Option<Self> {
        if place < Self::MOST_ACQUIRERS { Some(Self((Self::MOST_IN_PINS + place) as u8)) } else { None }
    }

    /// The holder with this number.
    pub const fn new(number: u32) -> Option<Self> {
        if number < Self::MOST { Some(Self(number as u8)) } else { None }
    }

    /// The holder's number, 0 to 39: its bit in the state words. In pins come first, acquirers from 32.
    pub const fn number(self) -> u32 {
        self.0 as u32
    }

    /// It is an in pin; else an acquirer.
    pub const fn is_in_pin(self) -> bool {
        self.number() < Self::MOST_IN_PINS
    }

    /// Its place among the in pins, or among the acquirers, from 0.
    pub const fn place(self) -> u32 {
        self.number() % Self::MOST_IN_PINS
    }

    /// The holder's bit, in a state word and in a mask of holders.
    pub(super) const fn bit(self) -> u64 {
        1 << self.0
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", if self.is_in_pin() { "in pin" } else { "acquirer" }, self.place())
    }
}

impl fmt::Debug for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Holder({self})")
    }
}

/// The value of a state word.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Word(pub(super) u64);

impl Word {
    const HOLDERS: u64 = (1 << Holder::MOST) - 1;
    /// See the module.
    pub(super) const OFFERED: u64 = 1 << 40;
    const IN_SERVICE: u64 = 1 << 41;
    const GENERATION: u64 = 1 << 42;

    /// What a frame's word is at first: free.
    pub(super) const FRESH: Self = Self(Self::IN_SERVICE);

    pub(super) const fn is_free(self) -> bool {
        self.0 & (Self::HOLDERS | Self::IN_SERVICE) == Self::IN_SERVICE
    }

    pub(super) const fn holders(self) -> u64 {
        self.0 & Self::HOLDERS
    }

    pub(super) const fn is_held_by(self, holder: Holder) -> bool {
        self.0 & holder.bit() != 0
    }

    /// How often the frame has come home, modulo 2^22.
    pub(super) const fn generation(self) -> u32 {
        (self.0 >> 42) as u32
    }

    /// The frame was given to this holder while it waited, and it has not taken it yet.
    pub(super) const fn is_offered_to(self, holder: Holder) -> bool {
        self.0 & Self::OFFERED != 0 && self.is_held_by(holder)
    }

    pub(super) const fn is_offered(self) -> bool {
        self.0 & Self::OFFERED != 0
    }

    /// A free frame, taken.
    pub(super) const fn taken_by(self, holder: Holder) -> Self {
        Self(self.0 | holder.bit())
    }

    /// A free frame, offered.
    pub(super) const fn offered_to(self, holder: Holder) -> Self {
        Self(self.0 | holder.bit() | Self::OFFERED)
    }

    /// An offered frame, taken.
    pub(super) const fn accepted(self) -> Self {
        Self(self.0 & !Self::OFFERED)
    }

    /// One holder's claim ended; where it was the last, the frame is home, free, and a generation on.
    pub(super) const fn without(self, holder: Holder) -> Self {
        let left = self.0 & !holder.bit();
        if left & Self::HOLDERS == 0 {
            Self((left & !Self::OFFERED).wrapping_add(Self::GENERATION))
        } else {
            Self(left)
        }
    }

    /// One holder's claim passed to others, given as their bits.
    pub(super) const fn handed(self, from: Holder, to: u64) -> Self {
        Self((self.0 & !from.bit()) | to)
    }
}

impl std::fmt::Debug for Word {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Word({:#x})", self.0)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn holder(number: u32) -> Holder {
        Holder::new(number).unwrap()
    }

    #[test]
    fn a_life_of_a_frame_bit_by_bit() {
        let (writer, reader, last) = (holder(0), holder(1), holder(39));
        let word = Word::FRESH.taken_by(writer);
        assert_eq!(word.0, 0x200_0000_0001);
        let word = word.handed(writer, reader.bit() | last.bit());
        assert_eq!(word.0, 0x280_0000_0002);
        let word = word.without(reader);
        assert_eq!(word.0, 0x280_0000_0000);
        assert!(!word.is_free());
        assert_eq!(word.without(last).0, 0x600_0000_0000);
        assert!(word.without(last).is_free());
    }

    #[test]
    fn an_offer_is_a_claim_that_ends_like_one() {
        let word = Word::FRESH.offered_to(holder(3));
        assert!(word.is_offered_to(holder(3)) && !word.is_offered_to(holder(2)) && !word.is_free());
        assert_eq!(word.accepted(), Word::FRESH.taken_by(holder(3)));
        assert_eq!(word.without(holder(3)), word.accepted().without(holder(3)));
    }

    #[test]
    fn the_generation_wraps_and_spills_into_no_other_bit() {
        let last = Word(u64::MAX << 42 | Word::IN_SERVICE).taken_by(holder(39));
        assert_eq!(last.without(holder(39)), Word::FRESH);
    }

    #[test]
    fn there_are_32_in_pins_and_8_acquirers() {
        assert!(Holder::in_pin(31).is_some() && Holder::in_pin(32).is_none());
        assert!(Holder::acquirer(7).is_some() && Holder::acquirer(8).is_none());
        assert!(Holder::new(39) == Holder::acquirer(7) && Holder::new(40).is_none());
        assert_eq!(Holder::in_pin(31).unwrap().to_string(), "in pin 31");
        assert_eq!(Holder::acquirer(0).unwrap().to_string(), "acquirer 0");
    }
}
