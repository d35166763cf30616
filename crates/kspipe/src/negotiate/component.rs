//! One component of a graph: solved as a tree where it is one, frontier by frontier where it is not.

use super::counted::Counted;
use super::frontier;
use super::keys::Keys;
use super::open_pipe::Ground;
use super::problem::Problem;
use super::table::{Effort, Work};
use super::trace::Solution;
use super::tree::visits_of;
use crate::graph::PinId;

/// The best way to treat a component. A plan that cuts nothing is better than any that cuts, whatever the strategy,
/// because every cut copies at least a byte and adds an allocator; so that is tried first.
pub(super) fn solve(
    problem: &Problem<'_>,
    pins: &[PinId],
    ground: &Ground,
    effort: &mut Effort,
    counted: &Counted,
) -> Option<(Solution, Keys)> {
    let shape = Shape::of(problem, pins);
    if !shape.is_tree {
        return frontier::solve(problem, pins, ground, effort, counted);
    }
    let visits = visits_of(problem.facts, pins);
    let mut traces = Vec::with_capacity(pins.len() * 2);
    let mut work = Work { problem, ground, counted, may_cut: false, effort, traces: &mut traces };
    if let Some(solution) = work.solve_tree(&visits) {
        return Some(solution);
    }
    if !shape.is_cuttable {
        return None;
    }
    work.traces.clear();
    work.may_cut = true;
    work.solve_tree(&visits)
}

/// What decides how a component is solved.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// Its edges make no undirected cycle, and no `copy` route has both ends in it.
    pub(super) is_tree: bool,
    /// Some edge of it can be cut.
    pub(super) is_cuttable: bool,
}

impl Shape {
    pub(super) fn of(problem: &Problem<'_>, pins: &[PinId]) -> Self {
        let facts = problem.facts;
        let (mut ends, mut is_cuttable) = (0, false);
        for edge in pins.iter().flat_map(|pin| facts.edges_at(*pin)) {
            ends += 1;
            is_cuttable |= facts.edges[*edge as usize].cuttable;
        }
        // A `copy` route inside keeps its ends in different pipes.
        let component = pins.first().map(|first| facts.component_of[first.index()]);
        let copies_within = component.is_some_and(|component| facts.self_copying[component as usize]);
        Shape { is_tree: ends / 2 + 1 == pins.len() && !copies_within, is_cuttable }
    }
}
