//! One component of a graph: solved as a tree where it is one, frontier by frontier where it is not.

use super::counted::Counted;
use super::frontier;
use super::keys::Keys;
use super::open_pipe::Ground;
use super::problem::Problem;
use super::tree::{Effort, Solution, TreeSolver};
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
    let edges = pins.iter().flat_map(|pin| problem.facts.edges_at(*pin));
    let (mut ends, mut cuttable) = (0, false);
    for edge in edges {
        ends += 1;
        cuttable |= problem.facts.edges[*edge as usize].cuttable;
    }
    let is_tree = ends / 2 + 1 == pins.len() && !copies_within(problem, pins);
    if !is_tree {
        return frontier::solve(problem, pins, ground, effort, counted);
    }
    let mut tree = TreeSolver { problem, ground, may_cut: false, effort, counted };
    if let Some(solution) = tree.solve(pins) {
        return Some(solution);
    }
    if !cuttable {
        return None;
    }
    tree.may_cut = true;
    tree.solve(pins)
}

/// Whether a `copy` route has both ends in a component, so that they must be kept in different pipes.
fn copies_within(problem: &Problem<'_>, pins: &[PinId]) -> bool {
    let component_of = |pin: PinId| problem.facts.component_of[pin.index()];
    pins.first().is_some_and(|first| problem.facts.self_copying[component_of(*first) as usize])
}
