//! One component, solved in a way that can be gone on with when something in it changes.

use super::component;
use super::counted::Counted;
use super::keys::Keys;
use super::open_pipe::Ground;
use super::problem::Problem;
use super::tree::{Effort, PinChoice, Solution};
use crate::graph::PinId;
use std::collections::{HashMap, HashSet};

/// A component with its solution.
#[derive(Clone, Debug)]
pub(super) struct KeptComponent {
    pins: Vec<PinId>,
    ground: Ground,
    found: Option<(Solution, Keys)>,
    exhausted: bool,
    used: u64,
    told: Solution,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A plan; whether no other is better is `proven`.
    Solved { keys: Keys, proven: bool },
    /// There is no plan.
    Infeasible,
    /// No plan was found, but not all were looked for; so much work was done.
    Undecided { used: u64 },
}

/// What differs between two solutions of a component.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes {
    pub(super) pins: Vec<(PinId, PinChoice)>,
    pub(super) cuts_added: Vec<u32>,
    pub(super) cuts_removed: Vec<u32>,
}

impl KeptComponent {
    pub(super) fn new(problem: &Problem<'_>, pins: Vec<PinId>, limit: u64) -> Self {
        let ground = problem.ground(&pins, &Counted::EVERYTHING);
        let mut effort = Effort::up_to(limit);
        let found = component::solve(problem, &pins, &ground, &mut effort, &Counted::EVERYTHING);
        KeptComponent { pins, ground, found, exhausted: effort.exhausted, used: effort.used, told: Solution::default() }
    }

    pub(super) fn update(&mut self, problem: &Problem<'_>, _: &[PinId], _: &[u32], limit: u64) {
        let told = std::mem::take(&mut self.told);
        *self = KeptComponent { told, ..KeptComponent::new(problem, std::mem::take(&mut self.pins), limit) };
    }

    pub(super) fn outcome(&self) -> Outcome {
        match &self.found {
            Some((_, keys)) => Outcome::Solved { keys: *keys, proven: !self.exhausted },
            None if self.exhausted => Outcome::Undecided { used: self.used },
            None => Outcome::Infeasible,
        }
    }

    pub(super) fn changes(&mut self, _: &Problem<'_>) -> Option<Changes> {
        let (now, _) = self.found.as_ref()?;
        let before: HashMap<PinId, PinChoice> = self.told.pins.iter().copied().collect();
        let differs = |(pin, choice): &(PinId, PinChoice)| {
            before.get(pin).is_none_or(|old| (old.item, old.class) != (choice.item, choice.class))
        };
        let old: HashSet<u32> = self.told.cuts.iter().copied().collect();
        let new: HashSet<u32> = now.cuts.iter().copied().collect();
        let changes = Changes {
            pins: now.pins.iter().copied().filter(differs).collect(),
            cuts_added: new.difference(&old).copied().collect(),
            cuts_removed: old.difference(&new).copied().collect(),
        };
        self.told = now.clone();
        Some(changes)
    }

    pub(super) fn solution(&self) -> Option<Solution> {
        self.found.as_ref().map(|(solution, _)| solution.clone())
    }

    pub(super) fn ground(&self) -> &Ground {
        &self.ground
    }
}
