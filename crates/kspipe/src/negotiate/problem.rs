//! What is negotiated, whichever component of it is being solved.

use super::ask::{Ask, LARGEST_FRAME, asks_of};
use super::counted::Counted;
use super::facts::{CutCost, Edge, Facts};
use super::keys::KeyOrder;
use super::memory::{MemoryClass, NamedMemory};
use super::open_pipe::Ground;
use super::progression::least_common_multiple;
use crate::graph::PinId;

/// A graph's facts, ordered by its strategy.
pub(super) struct Problem<'a> {
    pub(super) facts: &'a Facts<'a>,
    pub(super) order: KeyOrder,
}

impl<'a> Problem<'a> {
    pub(super) fn new(facts: &'a Facts<'a>) -> Self {
        Problem { facts, order: KeyOrder::of(facts.graph.strategy()) }
    }

    /// What a cut of this edge costs.
    pub(super) fn cut_cost(&self, edge: &Edge) -> CutCost {
        CutCost { bytes: self.facts.copied_bytes(edge.from), depth: self.facts.depths()[edge.from.index()].into() }
    }

    /// The last tie of using this alternative of a pin: nothing for its first one.
    pub(super) fn chance_of_ask(&self, pin: PinId, ask: &Ask) -> u128 {
        match ask.rank {
            0 => 0,
            rank => u128::from(rank) << 96 | u128::from(mixed(self.name_number(START, pin) ^ u64::from(rank))),
        }
    }

    /// The last tie of a cut.
    pub(super) fn chance_of_cut(&self, edge: u32) -> u128 {
        let edge = &self.facts.edges[edge as usize];
        mixed(self.name_number(self.name_number(START, edge.from), edge.to)).into()
    }

    /// A number that the full name of a pin gives, after another.
    fn name_number(&self, before: u64, pin: PinId) -> u64 {
        let graph = self.facts.graph;
        let pin = graph.pin(pin);
        let name = graph.filter(pin.filter()).name().bytes().chain([b'.']).chain(pin.name().bytes()).chain([0xff]);
        name.fold(before, |number, byte| (number ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }

    /// What is common to the pipes these pins can form.
    pub(super) fn ground(&self, pins: &[PinId], counted: &Counted) -> Ground {
        let mut limits = Limits::default();
        let mut named = NamedMemory::default();
        let mut asks = Vec::new();
        for pin in pins {
            named.add(self.facts.graph, *pin, counted.mode(self.facts, *pin));
            limits = limits.and(self.limits(*pin, &mut asks));
        }
        limits.ground(self.order, named.classes(self.facts.graph))
    }

    /// What a pin says of the sizes its pipe can have.
    pub(super) fn limits(&self, pin: PinId, asks: &mut Vec<Ask>) -> Limits {
        let mut limits = Limits::default();
        if !self.facts.graph.pin(pin).items().is_empty() {
            asks_of(self.facts, pin, asks);
            for ask in asks.iter() {
                let smallest_maximum = if ask.has_maximum() { Some(ask.largest) } else { None };
                let step = Some(ask.sizes.step()).filter(|_| ask.sizes.has_steps());
                limits = limits.and(Limits { smallest_maximum, step });
            }
        }
        limits
    }
}

/// What some pins say of the sizes a pipe can have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Limits {
    smallest_maximum: Option<u64>,
    /// The least common multiple of the steps there are.
    step: Option<u64>,
}

impl Limits {
    pub(super) fn and(self, other: Self) -> Self {
        let smallest_maximum = match (self.smallest_maximum, other.smallest_maximum) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        let step = match (self.step, other.step) {
            (Some(one), Some(other)) => Some(least_common_multiple(one, other)),
            (one, other) => one.or(other),
        };
        Limits { smallest_maximum, step }
    }

    pub(super) fn ground(self, order: KeyOrder, classes: Vec<MemoryClass>) -> Ground {
        let always_granted = match (self.smallest_maximum, self.step) {
            (None, None) => u64::MAX,
            (Some(maximum), None) => maximum,
            (Some(_), Some(_)) => 0,
            // The next size on all steppings is less than a step further, and no frame is larger than the largest.
            (None, Some(step)) => LARGEST_FRAME.saturating_sub(step - 1),
        };
        Ground { order, classes, always_granted, has_steps: self.step.is_some(), bounds: None }
    }
}

/// Where the numbers of names begin (FNV-1a).
const START: u64 = 0xcbf2_9ce4_8422_2325;

/// The number with all its bits mixed, so that sums of such numbers do not meet (splitmix64).
fn mixed(number: u64) -> u64 {
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}
