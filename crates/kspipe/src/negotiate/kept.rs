//! One component, solved in a way that can be gone on with when something in it changes.
//!
//! A tree's tables are kept ([`Clusters`]). What is not a tree, and a tree that is too hard to keep, is solved whole each
//! time. The solution is the one that [`component::solve`] finds afresh: the best one is one, whatever way leads to it.

use super::clusters::{Changes, Clusters, NotKept};
use super::component::{self, Shape};
use super::counted::Counted;
use super::facts::Facts;
use super::keys::Keys;
use super::open_pipe::Ground;
use super::problem::Problem;
use super::table::Effort;
use super::trace::Solution;
use crate::graph::PinId;

/// A component of more pins is solved whole where most of them change.
const MANY_PINS: usize = 1_000;

/// A component with its solution.
#[derive(Clone, Debug)]
pub(super) struct KeptComponent {
    ground: Ground,
    state: State,
    /// The solution that was told last, where the state does not have it.
    told: Option<Solution>,
    /// Every pin's choice is to be told, because the numbers of its memory mean something else now.
    tell_all: bool,
}

#[derive(Clone, Debug)]
enum State {
    /// The tree that [`Clusters`] keep.
    Clusters {
        root: u32,
    },
    Whole {
        found: Option<Box<(Solution, Keys)>>,
        exhausted: bool,
        used: u64,
        patience: Patience,
    },
}

/// After how many more changes it is tried again to keep a component that was too hard.
#[derive(Clone, Copy, Debug, Default)]
struct Patience {
    left: u32,
    next: u32,
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

impl KeptComponent {
    /// Solves a component afresh. `limit` is the most work to be done where it cannot be kept.
    pub(super) fn new(problem: &Problem<'_>, clusters: &mut Clusters, pins: &[PinId], limit: u64) -> Self {
        let ground = problem.ground(pins, &Counted::EVERYTHING);
        let state = State::of(problem, clusters, pins, &ground, limit, Patience::default());
        KeptComponent { ground, state, told: None, tell_all: false }
    }

    /// Solves a component afresh, and makes what is kept of it with the first change after: where all of a graph is
    /// solved again, that would take several times as long as the solutions.
    pub(super) fn to_be_kept(problem: &Problem<'_>, _: &mut Clusters, pins: &[PinId], limit: u64) -> Self {
        let ground = problem.ground(pins, &Counted::EVERYTHING);
        let state = State::whole(problem, pins, &ground, limit, Patience::default());
        KeptComponent { ground, state, told: None, tell_all: false }
    }

    /// Solves it again after a change that left its pins and edges: `pins` ask something else, and `edges` cost something
    /// else to cut or carry something else. The same after its tree was parted or joined.
    pub(super) fn update(
        &mut self,
        problem: &Problem<'_>,
        clusters: &mut Clusters,
        component: u32,
        (pins, edges): (&[PinId], &[u32]),
        limit: u64,
    ) {
        let count = problem.facts.component_size(component);
        let mut patience = Patience::default();
        let is_most = count > MANY_PINS && (pins.len() + edges.len()) * 8 > count;
        match &mut self.state {
            // Making most tables anew takes longer than to solve it, and the next change may be as large.
            State::Clusters { .. } if is_most => {}
            State::Clusters { root } => match clusters.update(problem, *root, &mut self.ground, pins, edges) {
                Ok(_) => return,
                Err(NotKept::OtherGround) => {}
                Err(NotKept::TooHard) => patience = Patience { left: 1, next: 2 },
            },
            State::Whole { patience: so_far, .. } => patience = so_far.after_a_change(),
        }
        if self.told.is_none() {
            self.told = self.solution(clusters);
        }
        if let State::Clusters { root } = self.state {
            clusters.drop_tree(root);
        }
        let pins = problem.facts.component(component);
        let ground = problem.ground(pins, &Counted::EVERYTHING);
        self.tell_all |= ground.classes != self.ground.classes;
        self.ground = ground;
        self.state = if is_most {
            State::whole(problem, pins, &self.ground, limit, patience)
        } else {
            State::of(problem, clusters, pins, &self.ground, limit, patience)
        };
    }

    /// The tree that is kept of it, where one is.
    pub(super) fn tree(&self) -> Option<u32> {
        match self.state {
            State::Clusters { root } => Some(root),
            State::Whole { .. } => None,
        }
    }

    /// One of the two that a tree became, with what is known of it. It is to be updated.
    pub(super) fn parted(&self, root: u32) -> Self {
        KeptComponent {
            ground: self.ground.clone(),
            state: State::Clusters { root },
            told: None,
            tell_all: self.tell_all,
        }
    }

    /// Whether it is kept, has a solution, and no other than that is to be told.
    pub(super) fn is_settled(&self, clusters: &Clusters) -> bool {
        self.tree().is_some_and(|root| clusters.has_plan(root)) && self.told.is_none() && !self.tell_all
    }

    /// Puts the tree of another component and its own together at an edge: its place, the pin above, and the root below.
    /// It is to be updated.
    pub(super) fn join(
        &mut self,
        clusters: &mut Clusters,
        facts: &Facts<'_>,
        other: &Self,
        (edge, above, below): (u32, PinId, PinId),
    ) {
        if let (State::Clusters { root }, State::Clusters { root: smaller }) = (&mut self.state, &other.state) {
            clusters.share_ground(*smaller, &other.ground, &mut self.ground);
            *root = clusters.join(facts, edge, above, below);
        }
    }

    /// What was found.
    pub(super) fn outcome(&self, problem: &Problem<'_>, clusters: &Clusters) -> Outcome {
        match &self.state {
            State::Clusters { root } => match clusters.keys(problem, *root) {
                Some(keys) => Outcome::Solved { keys, proven: true },
                None => Outcome::Infeasible,
            },
            State::Whole { found: Some(found), exhausted, .. } => Outcome::Solved { keys: found.1, proven: !exhausted },
            State::Whole { exhausted: true, used, .. } => Outcome::Undecided { used: *used },
            State::Whole { .. } => Outcome::Infeasible,
        }
    }

    /// In what the solution differs from the one told last; all of it the first time. To be asked after every update.
    /// `None` where there is none; the one told last stays the one to compare with.
    pub(super) fn changes(&mut self, problem: &Problem<'_>, clusters: &mut Clusters) -> Option<Changes> {
        let changes = match &mut self.state {
            State::Clusters { root } => clusters.choose(problem, *root, &self.ground)?,
            State::Whole { found, .. } => {
                found.as_ref()?;
                Changes::default()
            }
        };
        let is_whole = matches!(self.state, State::Whole { .. });
        if self.told.is_none() && !self.tell_all && !is_whole {
            return Some(changes);
        }
        let told = self.told.take().unwrap_or_default();
        let now = self.solution(clusters).unwrap_or_default();
        let mut changes = Changes::default();
        changes.add(&told, &now);
        if std::mem::take(&mut self.tell_all) {
            changes.pins = now.pins;
        }
        Some(changes)
    }

    /// The solution, its pins and cuts in order.
    pub(super) fn solution(&self, clusters: &Clusters) -> Option<Solution> {
        match &self.state {
            State::Clusters { root } => clusters.solution(*root),
            State::Whole { found, .. } => found.as_ref().map(|found| found.0.clone()),
        }
    }

    /// What is common to its pipes; [`PinChoice::class`](super::trace::PinChoice) is a place in its classes.
    pub(super) fn ground(&self) -> &Ground {
        &self.ground
    }
}

impl State {
    fn of(
        problem: &Problem<'_>,
        clusters: &mut Clusters,
        pins: &[PinId],
        ground: &Ground,
        limit: u64,
        patience: Patience,
    ) -> Self {
        let mut patience = patience;
        if Shape::of(problem, pins).is_tree && patience.left == 0 {
            match clusters.build(problem, pins, ground) {
                Ok(root) => return State::Clusters { root },
                Err(_) => patience = patience.doubled(),
            }
        }
        State::whole(problem, pins, ground, limit, patience)
    }

    fn whole(problem: &Problem<'_>, pins: &[PinId], ground: &Ground, limit: u64, patience: Patience) -> Self {
        let mut effort = Effort::up_to(limit);
        let mut found = component::solve(problem, pins, ground, &mut effort, &Counted::EVERYTHING);
        if let Some((solution, _)) = &mut found {
            solution.sort();
        }
        State::Whole { found: found.map(Box::new), exhausted: effort.exhausted, used: effort.used, patience }
    }
}

impl Patience {
    fn after_a_change(self) -> Self {
        Patience { left: self.left.saturating_sub(1), ..self }
    }

    fn doubled(self) -> Self {
        let next = self.next.max(1);
        Patience { left: next, next: next.saturating_mul(2) }
    }
}

#[cfg(test)]
mod tests;
