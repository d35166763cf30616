//! Negotiating again with one thing changed, a bounded number of times.

use crate::graph::Graph;
use crate::negotiate::facts::Facts;
use crate::negotiate::problem::Problem;
use crate::negotiate::solve::{NoPlan, best_plan};
use crate::negotiate::{Plan, WhatIf};

/// Work on one component in one re-negotiation: joins and comparisons of half-built pipes, so many and so many a pin.
const EFFORT_OF_ONE: (u64, u64) = (2_000_000, 200);
/// Work of all of them: those, and the pins looked at.
const EFFORT_OF_ALL: u64 = 20_000_000;

/// Work of finding what conflicts, for each pin that could: a try each time their number is halved, and one for each kind.
const EFFORT_OF_A_CONFLICT: u64 = 32;

/// What came of it.
pub(super) enum Outcome {
    /// The changed graph and its best plan.
    Plan(Box<Graph>, Box<Plan>),
    NoPlan,
    /// No plan was found before the limit of one re-negotiation.
    Undecided,
    /// The graph does not ask what was to be changed.
    NothingChanged,
    /// The limit of all re-negotiations was reached before.
    NotTried,
}

/// Negotiates a graph again and again, each time with another single change.
#[derive(Debug)]
pub(super) struct Renegotiator<'a> {
    graph: &'a Graph,
    left: u32,
    effort_left: u64,
    /// Done so far.
    pub(super) done: u32,
    /// Not done because of the limit.
    pub(super) refused: u32,
}

impl<'a> Renegotiator<'a> {
    pub(super) fn new(graph: &'a Graph, most: u32) -> Self {
        Renegotiator { graph, left: most, effort_left: EFFORT_OF_ALL, done: 0, refused: 0 }
    }

    /// Takes the work of finding a conflict among so many pins from what is left; `false` where nothing is left.
    pub(super) fn spend_on_conflict(&mut self, pins: usize) -> bool {
        if self.effort_left == 0 {
            self.refused += 1;
            return false;
        }
        self.effort_left = self.effort_left.saturating_sub((pins as u64).saturating_mul(EFFORT_OF_A_CONFLICT));
        true
    }

    /// The best plan with this changed. The one place where re-negotiations are done: what keeps its state from one to
    /// the next can take the place of all that follows.
    pub(super) fn with(&mut self, change: &WhatIf) -> Outcome {
        if self.left == 0 || self.effort_left == 0 {
            self.refused += 1;
            return Outcome::NotTried;
        }
        let Some(changed) = change.apply(self.graph) else { return Outcome::NothingChanged };
        self.left -= 1;
        self.done += 1;
        let (best, used) = match Facts::of(&changed) {
            Ok(facts) => best_plan(&Problem::new(&facts), |pins| EFFORT_OF_ONE.0 + EFFORT_OF_ONE.1 * pins.len() as u64),
            Err(_) => return Outcome::NoPlan,
        };
        self.effort_left = self.effort_left.saturating_sub(used.saturating_add(changed.pins().len() as u64));
        match best {
            Ok(plan) => Outcome::Plan(Box::new(changed), Box::new(plan)),
            Err(NoPlan::Infeasible { .. }) => Outcome::NoPlan,
            Err(NoPlan::Undecided) => Outcome::Undecided,
        }
    }
}
