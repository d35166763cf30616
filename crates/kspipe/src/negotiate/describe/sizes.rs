//! Sets of frame sizes: from a minimum to a maximum, on one or several steppings at once.

use crate::graph::FrameRange;
use crate::negotiate::progression::Progression;

/// The largest frame there can be, and what a range that is open above allows.
const LARGEST: u64 = i64::MAX as u64;

/// The sizes of a progression up to a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sizes {
    progression: Progression,
    largest: u64,
}

impl Sizes {
    /// Every size.
    pub(super) fn any() -> Sizes {
        Sizes { progression: Progression::any_from(0), largest: LARGEST }
    }

    /// The sizes a range allows.
    pub(super) fn of(range: &FrameRange) -> Sizes {
        Sizes {
            progression: Progression::new(u64::from(range.min), u64::from(range.step)),
            largest: range.upper_bound().map_or(LARGEST, u64::from),
        }
    }

    /// The sizes both allow; `None` where there are none.
    pub(super) fn and(self, other: Sizes) -> Option<Sizes> {
        let largest = self.largest.min(other.largest);
        let progression = self.progression.intersect(&other.progression, largest)?;
        Some(Sizes { progression, largest })
    }

    /// The smallest size that is at least `floor`.
    pub(super) fn least(&self, floor: u64) -> Option<u64> {
        self.progression.next(floor).filter(|size| *size <= self.largest)
    }

    /// Whether a size is one of them.
    pub(super) fn contains(&self, size: u64) -> bool {
        self.least(size) == Some(size)
    }

    /// The largest size, or `None` where there is no bound.
    pub(super) fn upper_bound(&self) -> Option<u64> {
        (self.largest != LARGEST).then_some(self.largest)
    }

    /// The smallest size, the largest, and the stepping from the smallest: 1 where only one size is left. A set that is
    /// open above ends where the header's 32-bit structure says so, at 4294967295.
    pub(super) fn span(&self) -> (u64, u64, u64) {
        let min = self.progression.next(0).unwrap_or(self.progression.min);
        if self.largest.saturating_sub(min) < self.progression.step() {
            return (min, min, 1);
        }
        (min, self.upper_bound().unwrap_or(u64::from(u32::MAX)).max(min), self.progression.step())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn range(min: u32, max: u32, step: u32) -> FrameRange {
        FrameRange { min, max, step }
    }

    fn both(a: FrameRange, b: FrameRange) -> Option<(u64, u64, u64)> {
        Sizes::of(&a).and(Sizes::of(&b)).map(|sizes| sizes.span())
    }

    #[test]
    fn intersections() {
        let open = FrameRange::OPEN;
        let table = [
            (open, open, Some((0, u64::from(u32::MAX), 1))),
            (FrameRange::exactly(3_110_400), range(1, 8_294_400, 1), Some((3_110_400, 3_110_400, 1))),
            (range(100, 1000, 0), range(50, 500, 1), Some((100, 500, 1))),
            // 4 mod 6 and 1 mod 9 are both 10 mod 18.
            (range(4, 1000, 6), range(1, 1000, 9), Some((10, 1000, 18))),
            // Even and odd never meet.
            (range(0, 1000, 2), range(1, 1000, 2), None),
            (range(0, 99, 1), range(100, 200, 1), None),
            // One size is left: 18 would be the stepping, but there is no second size.
            (range(4, 20, 6), range(1, 1000, 9), Some((10, 10, 1))),
            // 0 and 4294967290 * 4294967291: the second is past every size a frame can have, the first is left.
            (range(0, u32::MAX, 4_294_967_290), range(0, u32::MAX, 4_294_967_291), Some((0, 0, 1))),
        ];
        for (a, b, expected) in table {
            assert_eq!(both(a, b), expected, "{a:?} and {b:?}");
            assert_eq!(both(b, a), expected, "{b:?} and {a:?}");
        }
    }

    #[test]
    fn steppings_whose_product_leaves_64_bits_leave_one_size() {
        let sizes = [4_294_967_291, 4_294_967_279, 4_294_967_231]
            .into_iter()
            .try_fold(Sizes::any(), |sizes, step| sizes.and(Sizes::of(&range(0, u32::MAX, step))));
        assert_eq!(sizes.and_then(|sizes| sizes.least(0)), Some(0));
        assert_eq!(sizes.and_then(|sizes| sizes.least(1)), None);
    }

    proptest! {
        /// Against trying every size.
        #[test]
        fn the_intersection_is_what_both_contain(
            a in (0u32..40, 0u32..120, 0u32..14),
            b in (0u32..40, 0u32..120, 0u32..14),
            c in (0u32..40, 0u32..120, 0u32..14),
        ) {
            let ranges = [a, b, c].map(|(min, length, step)| range(min, min + length, step));
            let all = ranges.iter().try_fold(Sizes::any(), |sizes, range| sizes.and(Sizes::of(range)));
            let allows = |size: u64| ranges.iter().all(|range| {
                size >= u64::from(range.min) && size <= u64::from(range.max)
                    && (size - u64::from(range.min)).is_multiple_of(u64::from(range.step.max(1)))
            });
            for size in 0..200 {
                prop_assert_eq!(all.is_some_and(|sizes| sizes.contains(size)), allows(size));
                let least = (size..200).find(|size| allows(*size));
                prop_assert_eq!(all.and_then(|sizes| sizes.least(size)), least);
            }
        }

        /// Any ranges at all: no panic, and what is found is in all of them.
        #[test]
        fn wild_ranges(ranges in prop::collection::vec((any::<u32>(), any::<u32>(), any::<u32>()), 0..6)) {
            let ranges: Vec<_> = ranges.into_iter().map(|(min, max, step)| range(min, max, step)).collect();
            let all = ranges.iter().try_fold(Sizes::any(), |sizes, range| sizes.and(Sizes::of(range)));
            if let Some(size) = all.and_then(|sizes| sizes.least(0)) {
                for range in &ranges {
                    prop_assert!(Sizes::of(range).contains(size), "{size} is not in {range:?}");
                }
            }
        }
    }
}
