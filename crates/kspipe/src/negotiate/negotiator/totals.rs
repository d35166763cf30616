//! Sums that can be taken back from, and come out as if only what is left had been added.

use crate::negotiate::Cost;
use crate::negotiate::keys::{Key, KeyOrder, Keys};

/// A sum of numbers of 128 bits, wider than any of them.
#[derive(Clone, Copy, Debug, Default)]
struct Wide {
    low: u128,
    /// How often the low part went over.
    over: i64,
}

impl Wide {
    fn add(&mut self, amount: u128) {
        let (low, over) = self.low.overflowing_add(amount);
        (self.low, self.over) = (low, self.over + i64::from(over));
    }

    fn take_back(&mut self, amount: u128) {
        let (low, under) = self.low.overflowing_sub(amount);
        (self.low, self.over) = (low, self.over - i64::from(under));
    }

    /// The sum, or the largest number where it is larger.
    fn get(&self) -> u128 {
        if self.over > 0 { u128::MAX } else { self.low }
    }
}

/// What the components cost together, and the sizes of the pipes.
#[derive(Clone, Debug, Default)]
pub(super) struct Totals {
    of_components: [Wide; COSTS.len()],
    sizes: Wide,
}

const COSTS: [Key; 5] = [Key::BytesCopied, Key::Departures, Key::Depth, Key::Bytes, Key::Frames];

impl Totals {
    pub(super) fn add(&mut self, order: &KeyOrder, keys: &Keys) {
        for (sum, key) in self.of_components.iter_mut().zip(COSTS) {
            sum.add(order.get(keys, key));
        }
    }

    pub(super) fn take_back(&mut self, order: &KeyOrder, keys: &Keys) {
        for (sum, key) in self.of_components.iter_mut().zip(COSTS) {
            sum.take_back(order.get(keys, key));
        }
    }

    pub(super) fn add_size(&mut self, size: u64) {
        self.sizes.add(size.into());
    }

    pub(super) fn take_back_size(&mut self, size: u64) {
        self.sizes.take_back(size.into());
    }

    /// The sizes of no pipe.
    pub(super) fn clear_sizes(&mut self) {
        self.sizes = Wide::default();
    }

    pub(super) fn cost(&self, pipes: usize) -> Cost {
        let [bytes_copied, departures, depth, bytes, frames] = self.of_components.map(|sum| sum.get());
        Cost { bytes_copied, allocators: pipes as u128, departures, depth, bytes, frames, sizes: self.sizes.get() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_past_128_bits_comes_back() {
        let mut sum = Wide::default();
        sum.add(u128::MAX);
        sum.add(7);
        assert_eq!(sum.get(), u128::MAX);
        sum.take_back(u128::MAX);
        assert_eq!(sum.get(), 7);
    }
}
