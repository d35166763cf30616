//! Preferences of a half-built pipe that may come out unmet.

/// Preferences that may come out unmet: how many pins prefer at least how much, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Thresholds(Vec<(u64, u64)>);

impl Thresholds {
    pub(super) fn add(&mut self, value: u64, pins: u64) {
        match self.0.binary_search_by_key(&value, |(value, _)| *value) {
            Ok(place) => self.0[place].1 = self.0[place].1.saturating_add(pins),
            Err(place) => self.0.insert(place, (value, pins)),
        }
    }

    pub(super) fn merge(&mut self, other: &Thresholds) {
        if self.0.is_empty() {
            self.0.clone_from(&other.0);
        } else {
            other.0.iter().for_each(|(value, pins)| self.add(*value, *pins));
        }
    }

    /// Forgets those that are met whatever comes.
    pub(super) fn drop_up_to(&mut self, value: u64) {
        let met = self.0.partition_point(|(threshold, _)| *threshold <= value);
        self.0.drain(..met);
    }

    /// How many more than of `other` can be unmet, whatever value is granted to both; and how much larger the largest of
    /// those that are met can be, beside `own` and `others` whatever is met, where not fewer are unmet.
    pub(super) fn beside(&self, other: &Thresholds, own: u64, others: u64) -> (u128, u64) {
        let (mut unmet, mut others_unmet) = (self.unmet(0), other.unmet(0));
        let (mut size, mut others_size) = (own, others);
        let (mut more, mut larger) = (0, 0);
        let (mut mine, mut theirs) = (self.0.iter().peekable(), other.0.iter().peekable());
        loop {
            more = more.max(unmet.saturating_sub(others_unmet));
            if unmet >= others_unmet {
                larger = larger.max(size.saturating_sub(others_size));
            }
            let Some(value) = mine.peek().into_iter().chain(theirs.peek()).map(|(value, _)| *value).min() else {
                break;
            };
            if let Some((_, pins)) = mine.next_if(|(next, _)| *next == value) {
                (unmet, size) = (unmet - u128::from(*pins), size.max(value));
            }
            if let Some((_, pins)) = theirs.next_if(|(next, _)| *next == value) {
                (others_unmet, others_size) = (others_unmet - u128::from(*pins), others_size.max(value));
            }
        }
        (more, larger)
    }

    pub(super) fn unmet(&self, value: u64) -> u128 {
        let met = self.0.partition_point(|(threshold, _)| *threshold <= value);
        self.0[met..].iter().map(|(_, pins)| u128::from(*pins)).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are, of different values.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The values, the largest first.
    pub(super) fn largest_first(&self) -> impl Iterator<Item = u64> + '_ {
        self.0.iter().rev().map(|(value, _)| *value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(values: &[u64]) -> Thresholds {
        let mut thresholds = Thresholds::default();
        values.iter().for_each(|value| thresholds.add(*value, 1));
        thresholds
    }

    /// What is granted where a pipe can be so large at most: its own size, or the largest that is preferred and fits.
    fn granted(thresholds: &[u64], own: u64, most: u64) -> u64 {
        thresholds.iter().copied().filter(|value| *value <= most).fold(own, u64::max)
    }

    proptest! {
        #[test]
        fn what_is_worse_is_the_worst_over_all_that_can_be_granted(
            mine in prop::collection::vec(1u64..20, 0..6), theirs in prop::collection::vec(1u64..20, 0..6),
            own in 0u64..20, others in 0u64..20
        ) {
            let (more, larger) = of(&mine).beside(&of(&theirs), own, others);
            let (mut most_more, mut most_larger) = (0, 0);
            for most in 0..=20 {
                let (unmet, others_unmet) = (of(&mine).unmet(most), of(&theirs).unmet(most));
                most_more = most_more.max(unmet.saturating_sub(others_unmet));
                if unmet >= others_unmet {
                    let sizes = (granted(&mine, own, most), granted(&theirs, others, most));
                    most_larger = most_larger.max(sizes.0.saturating_sub(sizes.1));
                }
            }
            prop_assert_eq!((more, larger), (most_more, most_larger));
        }
    }
}
