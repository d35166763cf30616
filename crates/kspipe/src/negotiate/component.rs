//! One component of a graph: solved as a tree where it is one, frontier by frontier where it is not; in one go where that is
//! little work, in stages where it is not.

use super::around::{Meetings, Surroundings, Watch};
use super::bounds::{Bounds, OnePipe};
use super::counted::Counted;
use super::cycles::Cycles;
use super::frontier;
use super::keys::{Key, KeyOrder, Keys};
use super::open_pipe::Ground;
use super::problem::Problem;
use super::table::{Effort, Work};
use super::trace::Solution;
use super::tree::{Visit, visits_of};
use crate::graph::PinId;

/// Work after which a component is not gone on with in one go: so much, and so much a pin.
const ONE_GO: (u64, u64) = (1_000, 100);
/// Half-built pipes of a part after which it is not gone on with in one go.
const MOST_IN_ONE_GO: usize = 24;

/// The best way to treat a component. A plan that cuts nothing is better than any that cuts, whatever the strategy,
/// because every cut copies at least a byte and adds an allocator; so that is tried first. Where the effort is not
/// exhausted, what is found costs the least in every key of the strategy.
pub(super) fn solve(
    problem: &Problem<'_>,
    pins: &[PinId],
    ground: &Ground,
    effort: &mut Effort,
    counted: &Counted,
) -> Option<(Solution, Keys)> {
    let component = Component::of(problem, pins, counted);
    let patience = ONE_GO.0 + ONE_GO.1 * pins.len() as u64;
    component
        .best(ground, effort, false, patience)
        .or_else(|| if component.is_cuttable { component.best(ground, effort, true, patience) } else { None })
}

/// A component, made ready to be solved.
struct Component<'a> {
    problem: &'a Problem<'a>,
    pins: &'a [PinId],
    counted: &'a Counted,
    way: Way,
    is_cuttable: bool,
}

enum Way {
    Tree(Vec<Visit>),
    Cycles(Cycles),
}

impl<'a> Component<'a> {
    fn of(problem: &'a Problem<'a>, pins: &'a [PinId], counted: &'a Counted) -> Self {
        let shape = Shape::of(problem, pins);
        let way = if shape.is_tree {
            Way::Tree(visits_of(problem.facts, pins))
        } else {
            Way::Cycles(Cycles::of(problem.facts, pins, counted))
        };
        Component { problem, pins, counted, way, is_cuttable: shape.is_cuttable }
    }

    /// The best way with cuts or without, in one go where that is no more than so much work.
    fn best(&self, ground: &Ground, effort: &mut Effort, may_cut: bool, patience: u64) -> Option<(Solution, Keys)> {
        let mut in_one_go = Effort {
            patience: Some(effort.used.saturating_add(patience)),
            most_open_pipes: MOST_IN_ONE_GO.min(effort.most_open_pipes),
            exhausted: false,
            ..*effort
        };
        let found = self.run(ground, &mut in_one_go, may_cut, Watch::Nothing);
        effort.used = in_one_go.used;
        if !in_one_go.has_given_up() {
            return found;
        }
        let mut in_stages = Effort { exhausted: false, ..*effort };
        let found =
            if may_cut { self.in_pipes(ground, &mut in_stages) } else { self.in_one_pipe(ground, &mut in_stages) };
        effort.used = in_stages.used;
        effort.exhausted |= in_stages.exhausted;
        found
    }

    /// The best way without cuts, in stages: what the pins force; the number that the strategy settles before anything
    /// else; all that the strategy compares; and among the cheapest the ties. Each stage has what the ones before found as
    /// bounds, which leaves few half-built pipes to be told apart.
    fn in_one_pipe(&self, ground: &Ground, effort: &mut Effort) -> Option<(Solution, Keys)> {
        let mut pipe = OnePipe::of(self.problem, self.pins, self.counted, ground, effort)?;
        let order = ground.order;
        if let Some((key, keys)) = settled_first(&order)
            && let Some(least) = self.least_of_first(keys, &pipe.ground, effort, false)
        {
            pipe.with_least(key, order.get(&least?, key), effort)?;
        }
        let costs = Ground { order: order.of_first(order.compared()), ..pipe.ground.clone() };
        let (cheapest, cost) = self.run(&costs, effort, false, Watch::Nothing)?;
        if effort.exhausted {
            return Some((cheapest, cost));
        }
        let mut ties = Effort::up_to(effort.limit);
        let first_of_ties =
            pipe.with_best(&cost, &mut ties).and_then(|()| self.run(&pipe.ground, &mut ties, false, Watch::Nothing));
        effort.used += ties.used;
        Some(self.first_or(first_of_ties, (cheapest, cost)))
    }

    /// The best way with cuts: first all that the strategy compares, then among the cheapest the ties. In a tree each part
    /// is then looked at with what surrounds it.
    fn in_pipes(&self, ground: &Ground, effort: &mut Effort) -> Option<(Solution, Keys)> {
        let order = ground.order;
        let mut ground = ground.clone();
        if let Some((_, keys)) = settled_first(&order)
            && let Some(least) = self.least_of_first(keys, &ground, effort, true)
        {
            ground = Bounds::at_most(&ground, &least?, keys);
        }
        let costs = Ground { order: order.of_first(order.compared()), ..ground.clone() };
        let mut meetings = Meetings::default();
        let (cheapest, cost) = self.run(&costs, effort, true, Watch::Note(&mut meetings))?;
        if effort.exhausted {
            return Some((cheapest, cost));
        }
        let mut ties = Effort::up_to(effort.limit);
        let around = match &self.way {
            Way::Tree(visits) => {
                let Component { problem, counted, .. } = *self;
                let (traces, watch) = (&mut Vec::new(), Watch::Nothing);
                let work = Work {
                    problem,
                    ground: &costs,
                    counted,
                    may_cut: true,
                    effort: &mut ties,
                    traces,
                    watch,
                    base: None,
                };
                Surroundings::of(work, visits, &meetings, cost)
            }
            Way::Cycles(_) => None,
        };
        drop(meetings);
        let watch = around.as_ref().map_or(Watch::Nothing, Watch::Confine);
        let first_of_ties = self.run(&Bounds::at_most(&ground, &cost, order.compared()), &mut ties, true, watch);
        effort.used += ties.used;
        Some(self.first_or(first_of_ties, (cheapest, cost)))
    }

    /// The least that the first keys can be, or `None` where there is no plan. Nothing where that was too much work.
    fn least_of_first(&self, keys: usize, ground: &Ground, effort: &mut Effort, may_cut: bool) -> Option<Option<Keys>> {
        let first = Ground { order: ground.order.of_first(keys), ..ground.clone() };
        let mut stage = Effort { exhausted: false, ..*effort };
        let found = self.run(&first, &mut stage, may_cut, Watch::Nothing);
        effort.used = stage.used;
        if stage.exhausted { None } else { Some(found.map(|(_, keys)| keys)) }
    }

    /// The first of those that tie, if the search for it got to one of the cheapest; it may have ended at a limit.
    fn first_or(&self, first: Option<(Solution, Keys)>, cheapest: (Solution, Keys)) -> (Solution, Keys) {
        first.filter(|(_, keys)| self.problem.order.costs_the_same(keys, &cheapest.1)).unwrap_or(cheapest)
    }

    fn run(&self, ground: &Ground, effort: &mut Effort, may_cut: bool, watch: Watch<'_>) -> Option<(Solution, Keys)> {
        let Component { problem, counted, .. } = *self;
        match &self.way {
            Way::Cycles(cycles) => frontier::solve(problem, cycles, ground, effort, counted, may_cut),
            Way::Tree(visits) => {
                let mut traces = Vec::with_capacity(visits.len() * 2);
                Work { problem, ground, counted, may_cut, effort, traces: &mut traces, watch, base: None }
                    .solve_tree(visits)
            }
        }
    }
}

/// The number of its pipes that a strategy settles before departures, and the keys up to it.
fn settled_first(order: &KeyOrder) -> Option<(Key, usize)> {
    let key = [Key::Sizes, Key::Frames].into_iter().find(|key| order.before(*key, Key::Departures))?;
    Some((key, order.up_to(key)?))
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
        let component = pins.first().map(|first| facts.component_of(*first));
        let copies_within = component.is_some_and(|component| facts.is_self_copying(component));
        Shape { is_tree: ends / 2 + 1 == pins.len() && !copies_within, is_cuttable }
    }
}

#[cfg(test)]
mod nasty;
#[cfg(test)]
mod tests;
