//! What of a component counts: everything, where it is negotiated; a part of it, where the cause of a conflict is looked
//! for.

use super::ask::{Ask, asks_of};
use super::facts::{Edge, EdgeKind, Facts};
use super::problem::Problem;
use crate::graph::{Mode, PinId};
use std::collections::HashSet;
use std::hash::Hash;

/// Some things of a kind, or all of them.
#[derive(Clone, Debug)]
pub(super) enum Part<T> {
    All,
    Only(HashSet<T>),
}

impl<T: Eq + Hash> Part<T> {
    pub(super) fn only(things: impl IntoIterator<Item = T>) -> Self {
        Part::Only(things.into_iter().collect())
    }

    pub(super) fn has(&self, thing: &T) -> bool {
        match self {
            Part::All => true,
            Part::Only(things) => things.contains(thing),
        }
    }
}

/// What counts. The less does, the more is valid.
#[derive(Clone, Debug)]
pub(super) struct Counted {
    /// Pins whose framing, media size and holds count.
    pub(super) asks: Part<PinId>,
    /// Pins of which it counts on which side of the user / kernel boundary they are.
    pub(super) sides: Part<PinId>,
    /// Routes of which it counts that their filter writes into the frame: places in [`Facts::edges`].
    pub(super) writers: Part<u32>,
    /// What is copied must fit.
    pub(super) data: bool,
}

impl Counted {
    pub(super) const EVERYTHING: Counted =
        Counted { asks: Part::All, sides: Part::All, writers: Part::All, data: true };

    /// The alternatives of a pin, as [`asks_of`] gives them.
    pub(super) fn asks_of(&self, problem: &Problem<'_>, pin: PinId, asks: &mut Vec<Ask>) {
        if self.asks.has(&pin) {
            asks_of(problem.facts, pin, asks);
        } else {
            asks.clear();
            asks.push(Ask::nothing());
        }
    }

    /// How many frames a pin keeps, where it says so.
    pub(super) fn holds(&self, facts: &Facts<'_>, pin: PinId) -> Option<u32> {
        if self.asks.has(&pin) { facts.graph.pin(pin).holds() } else { None }
    }

    /// The side a pin is on; `None` where any will do.
    pub(super) fn mode(&self, facts: &Facts<'_>, pin: PinId) -> Option<Mode> {
        self.sides.has(&pin).then(|| facts.graph.mode(pin))
    }

    /// What an edge means for who writes.
    pub(super) fn kind(&self, number: u32, edge: &Edge) -> EdgeKind {
        if edge.kind.writes() && !self.writers.has(&number) { EdgeKind::Pass } else { edge.kind }
    }

    /// The bytes that must fit where they are copied.
    pub(super) fn carried(&self, facts: &Facts<'_>, giver: PinId) -> u64 {
        if self.data { facts.data[giver.index()] } else { 0 }
    }
}
