//! What is negotiated, whichever component of it is being solved.

use super::ask::asks_of;
use super::counted::Counted;
use super::facts::{CutCost, Edge, Facts};
use super::keys::KeyOrder;
use super::memory::memory_classes;
use super::open_pipe::Ground;
use crate::graph::PinId;

/// A graph's facts, ordered by its strategy.
pub(super) struct Problem<'a> {
    pub(super) facts: &'a Facts<'a>,
    pub(super) order: KeyOrder,
}

impl<'a> Problem<'a> {
    pub(super) fn new(facts: &'a Facts<'a>) -> Self {
        let order = KeyOrder::of(facts.graph.strategy());
        Problem { facts, order }
    }

    /// What a cut of this edge costs.
    pub(super) fn cut_cost(&self, edge: &Edge) -> CutCost {
        CutCost { bytes: self.facts.copied_bytes(edge.from), depth: self.facts.depths()[edge.from.index()] }
    }

    /// What is common to the pipes these pins can form.
    pub(super) fn ground(&self, pins: &[PinId], counted: &Counted) -> Ground {
        let mut has_steps = false;
        let mut smallest_maximum: Option<u64> = None;
        let mut asks = Vec::new();
        for pin in pins.iter().filter(|pin| !self.facts.graph.pin(**pin).items().is_empty()) {
            asks_of(self.facts, *pin, &mut asks);
            for ask in &asks {
                has_steps |= ask.sizes.has_steps();
                if ask.has_maximum() {
                    smallest_maximum = Some(smallest_maximum.map_or(ask.largest, |least| least.min(ask.largest)));
                }
            }
        }
        let always_granted = match smallest_maximum {
            None => u64::MAX,
            Some(_) if has_steps => 0,
            Some(maximum) => maximum,
        };
        Ground {
            order: self.order,
            classes: memory_classes(self.facts.graph, pins, |pin| counted.mode(self.facts, pin)),
            always_granted,
            has_steps,
        }
    }
}
