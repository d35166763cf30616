//! Sizes that lie on every stepping asked: an arithmetic progression, intersected as pins join a pipe.

/// The sizes `residue + k × step`, from `min` on. With a step of 1, every size from `min` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Progression {
    pub(super) min: u64,
    /// At least 1.
    step: u64,
    /// Below `step`.
    residue: u64,
}

impl Progression {
    /// Every size from `min` on.
    pub(super) fn any_from(min: u64) -> Self {
        Progression { min, step: 1, residue: 0 }
    }

    /// `min + k × step`; a step of 0 or 1 means any size from `min` on.
    pub(super) fn new(min: u64, step: u64) -> Self {
        if step <= 1 { Progression::any_from(min) } else { Progression { min, step, residue: min % step } }
    }

    /// The same sizes, those under `min` left out.
    pub(super) fn from(self, min: u64) -> Self {
        Progression { min: self.min.max(min), ..self }
    }

    /// The distance from one size to the next, at least 1.
    pub(super) fn step(&self) -> u64 {
        self.step
    }

    /// Whether some sizes are left out between the bounds.
    pub(super) fn has_steps(&self) -> bool {
        self.step > 1
    }

    /// Whether every size of `other` from `other.min` on is one of these.
    pub(super) fn contains(&self, other: &Progression) -> bool {
        self.min <= other.min && other.step.is_multiple_of(self.step) && other.residue % self.step == self.residue
    }

    /// The smallest of these sizes that is at least `size`, if it fits.
    pub(super) fn next(&self, size: u64) -> Option<u64> {
        let size = size.max(self.min);
        if self.step == 1 {
            return Some(size);
        }
        let over = size % self.step;
        let add = if over <= self.residue { self.residue - over } else { self.step - over + self.residue };
        size.checked_add(add)
    }

    /// The largest of these sizes that is at most `size`, if there is one.
    pub(super) fn last(&self, size: u64) -> Option<u64> {
        let over = size.checked_sub(self.residue)? % self.step;
        Some(size - over).filter(|last| *last >= self.min)
    }

    /// The sizes both have; `None` where there is none up to `largest`.
    pub(super) fn intersect(&self, other: &Progression, largest: u64) -> Option<Self> {
        let min = self.min.max(other.min);
        let met = if self.step == 1 {
            Progression { min, ..*other }
        } else if other.step == 1 || (self.step, self.residue) == (other.step, other.residue) {
            Progression { min, ..*self }
        } else {
            self.intersect_steps(other, min, largest)?
        };
        met.next(min).is_some_and(|size| size <= largest).then_some(met)
    }

    /// The Chinese remainder: x ≡ residue (mod step) for both.
    fn intersect_steps(&self, other: &Progression, min: u64, largest: u64) -> Option<Self> {
        let (a, b) = (u128::from(self.step), u128::from(other.step));
        let (gcd, inverse) = gcd_and_inverse(a, b);
        let difference = (i128::from(other.residue) - i128::from(self.residue)).rem_euclid(other.step.into()) as u128;
        if !difference.is_multiple_of(gcd) {
            return None;
        }
        let modulus = b / gcd;
        let times = (difference / gcd % modulus) * (inverse % modulus) % modulus;
        let residue = u128::from(self.residue) + a * times;
        let step = a * modulus;
        if let Ok(step) = u64::try_from(step) {
            return Some(Progression { min, step, residue: residue as u64 });
        }
        // Such a step leaves at most one size that a frame can have.
        let size = u64::try_from(residue).ok().filter(|size| *size >= min && *size <= largest)?;
        Some(Progression { min: size, step: u64::MAX, residue: size })
    }
}

/// Of two steps; [`u64::MAX`] where it is more.
pub(super) fn least_common_multiple(a: u64, b: u64) -> u64 {
    let (a, b) = (u128::from(a), u128::from(b));
    u64::try_from(a / gcd_and_inverse(a, b).0 * b).unwrap_or(u64::MAX)
}

/// The greatest common divisor of `a` and `b`, and the inverse of `a / gcd` modulo `b / gcd`.
fn gcd_and_inverse(a: u128, b: u128) -> (u128, u128) {
    let (mut old, mut new) = ((a as i128, 1i128), (b as i128, 0i128));
    while new.0 != 0 {
        let quotient = old.0 / new.0;
        (old, new) = (new, (old.0 - quotient * new.0, old.1 - quotient * new.1));
    }
    let modulus = b as i128 / old.0;
    (old.0 as u128, old.1.rem_euclid(modulus.max(1)) as u128)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sizes(progression: Progression, to: u64) -> Vec<u64> {
        let mut sizes = Vec::new();
        let mut at = 0;
        while let Some(size) = progression.next(at).filter(|size| *size <= to) {
            sizes.push(size);
            at = size + 1;
        }
        sizes
    }

    proptest! {
        #[test]
        fn an_intersection_has_the_sizes_both_have(
            a in 0u64..60, s in 0u64..20, b in 0u64..60, t in 0u64..20, largest in 0u64..500
        ) {
            let (left, right) = (Progression::new(a, s), Progression::new(b, t));
            let both: Vec<u64> = sizes(left, largest).into_iter().filter(|size| sizes(right, largest).contains(size)).collect();
            let met = left.intersect(&right, largest).map_or(Vec::new(), |met| sizes(met, largest));
            prop_assert_eq!(met, both);
        }

        #[test]
        fn the_last_size_is_the_largest_not_over_a_bound(min in 0u64..60, step in 0u64..20, bound in 0u64..200) {
            let progression = Progression::new(min, step);
            prop_assert_eq!(progression.last(bound), sizes(progression, bound).last().copied());
        }

        #[test]
        fn the_least_common_multiple_is_the_first_size_on_both_steppings(a in 1u64..100, b in 1u64..100) {
            let least = (1..=a * b).find(|size| size.is_multiple_of(a) && size.is_multiple_of(b));
            prop_assert_eq!(Some(least_common_multiple(a, b)), least);
            prop_assert_eq!(least_common_multiple(u64::MAX, a), least_common_multiple(a, u64::MAX));
            prop_assert_eq!(least_common_multiple(u64::MAX, a), u64::MAX);
        }

        #[test]
        fn huge_steps_never_wrap(a: u32, s: u32, b: u32, t: u32, c: u32, u: u32) {
            let each = [(a, s), (b, t), (c, u)].map(|(min, step)| Progression::new(min.into(), step.into()));
            let largest = i64::MAX as u64;
            let met = each[0].intersect(&each[1], largest).and_then(|met| met.intersect(&each[2], largest));
            if let Some(size) = met.and_then(|met| met.next(1)) {
                for (progression, (min, step)) in each.iter().zip([(a, s), (b, t), (c, u)]) {
                    prop_assert_eq!(progression.next(size), Some(size));
                    prop_assert!(size >= min.into());
                    prop_assert!(step <= 1 || (size - u64::from(min)).is_multiple_of(step.into()));
                }
            }
        }
    }
}
