//! [`Word`]: who has a sample, in one word.
//!
//! ```text
//!  63                          34  33  32  31                             0
//! +------------------------------+---+---+-------------------------------+
//! |             life             | S | T |          references           |
//! +------------------------------+---+---+-------------------------------+
//! ```
//!
//! | bits | name | meaning |
//! |---|---|---|
//! | 0 to 31 | references | how many clients have; 0: the sample is at home |
//! | 32 | touched | some attribute is to be cleared before the sample is at home again. Only while it is out |
//! | 33 | summoned | the allocator is decommitted, or was while the sample was out: it neither leaves home nor comes home without the allocator's lock |
//! | 34 to 63 | life | raised whenever the sample leaves home; 30 bits, wraps |
//!
//! Every change is one compare-and-swap of this word, so that the two questions that matter are answered by its order
//! alone: who took the last reference away, and whether a Decommit counted the sample among those that are out. Decommit
//! summons every sample. One that was at home then asks before it leaves; one that was out then has been counted, and
//! reports when it is back.
//!
//! At 0 nothing but leaving home and (un)summoning changes the word: a `Release` or `AddRef` too many finds nothing to
//! do. The life keeps a `Release` that read the word in one life from succeeding in another.

use crate::sync::{AtomicU64, Ordering};

/// The state word of a sample.
#[derive(Debug)]
pub(super) struct Word(AtomicU64);

/// What a word was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen(u64);

impl Seen {
    const REFERENCES: u64 = 0xFFFF_FFFF;
    const TOUCHED: u64 = 1 << 32;
    const SUMMONED: u64 = 1 << 33;
    const LIFE: u64 = 1 << 34;

    /// How many references there are.
    #[inline]
    pub(super) fn references(self) -> u32 {
        // 32 bits.
        (self.0 & Self::REFERENCES) as u32
    }

    /// Nobody has the sample.
    #[inline]
    pub(super) fn is_home(self) -> bool {
        self.references() == 0
    }

    /// There is something to clear.
    #[inline]
    pub(super) fn is_touched(self) -> bool {
        self.0 & Self::TOUCHED != 0
    }

    /// The allocator's lock is to be asked.
    #[inline]
    pub(super) fn is_summoned(self) -> bool {
        self.0 & Self::SUMMONED != 0
    }
}

impl Word {
    /// The word of a new sample: at home, and summoned, for nothing is committed as far as it knows.
    pub(super) fn new() -> Self {
        Self(AtomicU64::new(Seen::SUMMONED))
    }

    /// The word as it is now.
    #[inline]
    pub(super) fn load(&self) -> Seen {
        Seen(self.0.load(Ordering::Acquire))
    }

    /// Leaves home with one reference. `false`, and nothing is changed, if the sample is summoned.
    ///
    /// The caller has the frame of this sample's number to itself, and so nobody else sends the sample out.
    #[inline]
    pub(super) fn leave(&self) -> bool {
        let home = self.load().0;
        if home & !Self::lives() != 0 {
            return false;
        }
        let out = home.wrapping_add(Seen::LIFE) | 1;
        // Release: what the sample is about was written before. Acquire: and its last holder is done with it.
        self.0.compare_exchange(home, out, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// The bits of the life.
    const fn lives() -> u64 {
        !(Seen::LIFE - 1)
    }

    /// One reference more; the new count. At home there is nothing to refer to: 0, and nothing changes. At the far end
    /// the count stays, for ever: it never wraps to a number that takes a sample in use home.
    pub(super) fn add(&self) -> u32 {
        let more = |word: u64| match Seen(word).references() {
            0 | u32::MAX => None,
            _ => Some(word + 1),
        };
        // Relaxed, as in `Arc`: whatever brings the reference to another thread orders this before.
        match self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more) {
            Ok(word) => Seen(word).references() + 1,
            Err(word) => Seen(word).references(),
        }
    }

    /// Takes one of several references away: the new count. `Err` with what the word is, and nothing is changed, where
    /// there is only one, which is for [`Self::come_home`].
    #[inline]
    pub(super) fn subtract(&self) -> Result<u32, Seen> {
        let mut word = self.load().0;
        loop {
            match Seen(word).references() {
                0 => return Ok(0),
                1 => return Err(Seen(word)),
                u32::MAX => return Ok(u32::MAX),
                more => {
                    // Release: what this holder did is done before the last one goes on.
                    match self.0.compare_exchange_weak(word, word - 1, Ordering::Release, Ordering::Acquire) {
                        Ok(_) => return Ok(more - 1),
                        Err(changed) => word = changed,
                    }
                }
            }
        }
    }

    /// Takes the last reference away, if the word is still as it was `seen`: one reference, untouched, not summoned.
    /// Once it says so the caller must not touch the sample again, which may be gone. That is why this takes a pointer: a
    /// reference to the word would promise that it is there until the end.
    ///
    /// # Safety
    /// The word is there.
    #[inline]
    pub(super) unsafe fn come_home(this: *const Self, seen: Seen) -> bool {
        if seen.0 & !Self::lives() != 1 {
            return false;
        }
        // SAFETY: there, as the caller promises.
        let word = unsafe { &(*this).0 };
        // Release: what this holder did is done before the sample leaves again. Acquire: and what the others did is done.
        word.compare_exchange(seen.0, seen.0 - 1, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// The same of a sample that is summoned, under the allocator's lock. It stays summoned if the allocator is
    /// decommitted (still or again).
    pub(super) fn come_home_summoned(&self, seen: Seen, decommitted: bool) -> bool {
        if seen.0 & !Self::lives() != Seen::SUMMONED | 1 {
            return false;
        }
        let home = seen.0 & Self::lives() | if decommitted { Seen::SUMMONED } else { 0 };
        self.0.compare_exchange(seen.0, home, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Notes that some attribute is to be cleared before the sample is home again. `false`, and nothing is changed, at
    /// home. Called under the attributes' lock.
    pub(super) fn touch(&self) -> bool {
        let word = self.load();
        if word.is_touched() {
            return true;
        }
        let touched = |word: u64| (!Seen(word).is_home()).then_some(word | Seen::TOUCHED);
        self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, touched).is_ok()
    }

    /// Notes that every attribute is cleared. Called under the attributes' lock.
    pub(super) fn cleared(&self) {
        self.0.fetch_and(!Seen::TOUCHED, Ordering::AcqRel);
    }

    /// Summons the sample, under the allocator's lock: whether it is out and was not summoned before.
    pub(super) fn summon(&self) -> bool {
        let was = Seen(self.0.fetch_or(Seen::SUMMONED, Ordering::AcqRel));
        !was.is_home() && !was.is_summoned()
    }

    /// Lets a sample that is at home leave again, under the allocator's lock. One that is out reports when it is back.
    pub(super) fn dismiss(&self) {
        let dismissed = |word: u64| Seen(word).is_home().then_some(word & !Seen::SUMMONED);
        // Out: nothing to do.
        let _ = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, dismissed);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// The word of a sample at home in a committed allocator.
    fn home() -> Word {
        let word = Word::new();
        word.dismiss();
        word
    }

    #[test]
    fn s072_s073_a_life_of_a_sample_bit_by_bit() {
        let word = home();
        assert_eq!(word.load().0, 0);
        assert!(word.leave());
        assert_eq!(word.load().0, 0x4_0000_0001);
        assert_eq!(word.add(), 2);
        assert!(word.touch());
        assert_eq!(word.load().0, 0x5_0000_0002);
        assert_eq!(word.subtract(), Ok(1));
        let last = word.subtract().unwrap_err();
        assert_eq!(last.0, 0x5_0000_0001);
        // SAFETY: the word is there.
        assert!(!unsafe { Word::come_home(&word, last) }, "touched: it is cleared first");
        word.cleared();
        // SAFETY: as above.
        assert!(unsafe { Word::come_home(&word, word.load()) });
        assert_eq!(word.load().0, 0x4_0000_0000);
    }

    #[test]
    fn s073_at_home_nothing_counts_and_nothing_touches() {
        for word in [home(), Word::new()] {
            let before = word.load();
            assert_eq!((word.add(), word.subtract(), word.touch()), (0, Ok(0), false));
            // SAFETY: the word is there.
            assert!(!unsafe { Word::come_home(&word, before) });
            assert!(!word.come_home_summoned(before, false));
            assert_eq!(word.load(), before);
        }
    }

    #[test]
    fn a_release_seen_in_one_life_does_nothing_in_another() {
        let word = home();
        assert!(word.leave());
        let stale = word.load();
        // SAFETY: the word is there.
        assert!(unsafe { Word::come_home(&word, stale) });
        assert!(word.leave());
        // SAFETY: as above.
        assert!(!unsafe { Word::come_home(&word, stale) });
        assert_eq!(word.load().references(), 1);
    }

    #[test]
    fn a_count_at_the_far_end_stays_there() {
        let word = home();
        assert!(word.leave());
        word.0.fetch_or(Seen::REFERENCES, Ordering::Relaxed);
        assert_eq!((word.add(), word.subtract()), (u32::MAX, Ok(u32::MAX)));
        assert_eq!(word.load().references(), u32::MAX);
    }

    #[test]
    fn the_life_wraps_and_spills_into_no_other_bit() {
        let word = home();
        word.0.store(Word::lives(), Ordering::Relaxed);
        assert!(word.leave());
        assert_eq!(word.load().0, 1);
    }

    #[test]
    fn s052_s054_who_is_summoned_asks_before_leaving_and_reports_when_back() {
        let (at_home, out) = (home(), home());
        assert!(out.leave());
        assert_eq!((at_home.summon(), out.summon()), (false, true));
        assert_eq!((at_home.summon(), out.summon()), (false, false), "counted once");
        assert!(!at_home.leave());
        // Committed again: who is at home may leave, who is out was counted and still reports.
        at_home.dismiss();
        out.dismiss();
        assert!(at_home.leave());
        let last = out.subtract().unwrap_err();
        assert!(last.is_summoned());
        // SAFETY: the word is there.
        assert!(!unsafe { Word::come_home(&out, last) });
        assert!(out.come_home_summoned(last, false));
        assert!(out.leave(), "it is not summoned any more");
    }

    #[test]
    fn s021_a_sample_back_from_a_decommitted_allocator_stays_summoned() {
        let word = home();
        assert!(word.leave() && word.summon());
        assert!(word.come_home_summoned(word.load(), true));
        assert!(!word.leave());
    }
}
