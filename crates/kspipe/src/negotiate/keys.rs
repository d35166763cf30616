//! Costs as the strategy compares them: one array whose order is the strategy's, then the ties.

use super::Cost;
use crate::graph::Strategy;
use std::cmp::Ordering;
use std::ops::{Add, AddAssign};

const LENGTH: usize = 10;

/// A cost, ordered as the strategy orders it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Keys([u128; LENGTH]);

/// One number of a cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    BytesCopied,
    Allocators,
    Departures,
    Depth,
    Bytes,
    Frames,
    Sizes,
    /// Tie: pins that do not name their pipe's memory type.
    NotNaming,
    /// Tie: the ranks of the memory types.
    Rank,
    /// The last tie: how late in their order the items used stand, then a number that the names of the pins whose choice
    /// that is, and of the edges cut, give. So no two plans tie, and the best one does not depend on how it is found.
    Chance,
}

/// The order in which a strategy compares keys.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeyOrder {
    place: [Option<u8>; LENGTH],
    order: [Key; LENGTH],
    compared: usize,
}

impl KeyOrder {
    pub(super) fn of(strategy: Strategy) -> Self {
        use Key::*;
        let keys: &[Key] = match strategy {
            Strategy::MaximizeSpeed => &[BytesCopied, Allocators, Departures, Depth, Bytes, Frames],
            Strategy::MinimizeAllocators => &[Allocators, BytesCopied, Departures, Depth, Bytes, Frames],
            Strategy::MinimizeFrameSize => &[BytesCopied, Sizes, Departures, Allocators, Depth, Bytes, Frames],
            Strategy::MinimizeFrames => &[BytesCopied, Frames, Departures, Allocators, Depth, Bytes],
        };
        let mut order = [Chance; LENGTH];
        let mut place = [None; LENGTH];
        for (index, key) in keys.iter().chain(&[NotNaming, Rank, Chance]).enumerate() {
            order[index] = *key;
            place[*key as usize] = Some(index as u8);
        }
        KeyOrder { place, order, compared: keys.len() }
    }

    /// The same order of the first keys only: the others cost nothing, and ties are none.
    pub(super) fn of_first(mut self, keys: usize) -> Self {
        for key in &self.order[keys.min(self.compared)..] {
            self.place[*key as usize] = None;
        }
        self
    }

    /// The same with nothing known of the keys after the first.
    pub(super) fn open_after(&self, keys: &Keys, first: usize) -> Keys {
        let mut open = *keys;
        open.0[first.min(LENGTH)..].fill(u128::MAX);
        open
    }

    /// The number of keys up to this one; `None` where the strategy does not compare it.
    pub(super) fn up_to(&self, key: Key) -> Option<usize> {
        self.place[key as usize].map(|place| usize::from(place) + 1)
    }

    /// Whether two cost the same in all keys the strategy compares, ties left out.
    pub(super) fn costs_the_same(&self, one: &Keys, other: &Keys) -> bool {
        one.0[..self.compared] == other.0[..self.compared]
    }

    /// Whether some key that the strategy compares is greater than in `most`.
    pub(super) fn is_beyond(&self, keys: &Keys, most: &Keys) -> bool {
        keys.0[..self.compared].iter().zip(&most.0).any(|(key, most)| key > most)
    }

    /// Whether the two are the order of one strategy.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.order == other.order
    }

    /// The number of keys the strategy compares, ties left out.
    pub(super) fn compared(&self) -> usize {
        self.compared
    }

    /// The keys the strategy compares, in order, ties left out.
    pub(super) fn keys(&self) -> &[Key] {
        &self.order[..self.compared]
    }

    /// Whether the strategy looks at `first` before `second`.
    pub(super) fn before(&self, first: Key, second: Key) -> bool {
        match (self.place[first as usize], self.place[second as usize]) {
            (Some(first), Some(second)) => first < second,
            (first, _) => first.is_some(),
        }
    }

    /// Adds to one key; nothing happens where the strategy does not compare it.
    pub(super) fn add(&self, keys: &mut Keys, key: Key, amount: u128) {
        if let Some(place) = self.place[key as usize] {
            keys.0[place as usize] = keys.0[place as usize].saturating_add(amount);
        }
    }

    /// Takes back one that was added.
    pub(super) fn take_back(&self, keys: &mut Keys, key: Key) {
        if let Some(place) = self.place[key as usize] {
            keys.0[place as usize] = keys.0[place as usize].saturating_sub(1);
        }
    }

    /// One number; 0 where the strategy does not compare it.
    pub(super) fn get(&self, keys: &Keys, key: Key) -> u128 {
        self.place[key as usize].map_or(0, |place| keys.0[place as usize])
    }

    /// Whether `a`, with `extra` added to it, is at most `b`.
    pub(super) fn at_most(&self, a: &Keys, extra: &[(Key, u128)], b: &Keys) -> bool {
        for (place, (mine, others)) in a.0.iter().zip(&b.0).enumerate() {
            let key = self.order[place];
            let is_counted = self.place[key as usize] == Some(place as u8);
            let more = extra.iter().filter(|(other, _)| is_counted && *other == key).map(|(_, amount)| *amount).sum();
            match mine.saturating_add(more).cmp(others) {
                Ordering::Less => return true,
                Ordering::Greater => return false,
                Ordering::Equal => {}
            }
        }
        true
    }
}

impl Add for Keys {
    type Output = Keys;
    fn add(mut self, other: Keys) -> Keys {
        self += other;
        self
    }
}

impl AddAssign for Keys {
    fn add_assign(&mut self, other: Keys) {
        for (mine, others) in self.0.iter_mut().zip(other.0) {
            *mine = mine.saturating_add(others);
        }
    }
}

impl Key {
    /// The number a cost has for this key; ties have none.
    pub(super) fn of(self, cost: &Cost) -> Option<u128> {
        Some(match self {
            Key::BytesCopied => cost.bytes_copied,
            Key::Allocators => cost.allocators,
            Key::Departures => cost.departures,
            Key::Depth => cost.depth,
            Key::Bytes => cost.bytes,
            Key::Frames => cost.frames,
            Key::Sizes => cost.sizes,
            Key::NotNaming | Key::Rank | Key::Chance => return None,
        })
    }
}
