//! From the fixed facts to a plan: each component by the solver it needs, then put together.

use super::ask::{asks_of, passing_pins};
use super::assemble::assemble;
use super::conflict::explain_conflict;
use super::facts::{CutCost, Edge, Facts};
use super::keys::{Key, KeyOrder, Keys};
use super::memory::memory_classes;
use super::open_pipe::Ground;
use super::tree::{Effort, Solution, TreeSolver};
use super::{NegotiateError, Plan};
use crate::graph::{Graph, PinId};
use std::cell::OnceCell;

/// Joins and comparisons of half-built pipes after which a negotiation settles for less than the optimum.
const MOST_EFFORT: u64 = 100_000_000;

/// The best plan for a graph, by its strategy.
///
/// The plan is proven optimal in its first [`Plan::proven`] keys: in all of them where pipes have no undirected cycles and
/// the limit of work (100 million joins of half-built pipes; 1,024 of them at a pin) was not reached.
///
/// # Errors
/// [`NegotiateError::Cycle`] where frames would go round, [`NegotiateError::Infeasible`] where no plan is valid, and
/// [`NegotiateError::Undecided`] where the limit came before any plan was found.
///
/// ```
/// use kspipe::graph::{Direction, FramingItem, Graph};
/// use kspipe::negotiate::negotiate;
///
/// let mut graph = Graph::builder();
/// graph.filter("camera").pin("capture", Direction::Out).item(FramingItem { frames: 4, ..FramingItem::exactly(3_110_400) });
/// graph.filter("viewer").pin("in", Direction::In).holds(2);
/// graph.connect("camera.capture", "viewer.in");
/// let plan = negotiate(&graph.build()?)?;
/// assert_eq!((plan.pipes[0].frames, plan.pipes[0].frame_size), (4, 3_110_400));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn negotiate(graph: &Graph) -> Result<Plan, NegotiateError> {
    let facts = Facts::of(graph)?;
    let solver = Solver::new(&facts);
    let mut effort = Effort::new(MOST_EFFORT);
    let mut parts = Vec::with_capacity(facts.components.len());
    let mut total = Keys::default();
    for pins in &facts.components {
        let ground = solver.ground(pins);
        match solver.solve(pins, &ground, &mut effort, None) {
            Some((solution, keys)) => {
                total += keys;
                parts.push((ground, solution));
            }
            None if effort.exhausted => return Err(NegotiateError::Undecided { states: effort.used }),
            None => return Err(NegotiateError::Infeasible(explain_conflict(&solver, pins))),
        }
    }
    let mut plan = assemble(&solver, &parts, &total);
    plan.proven =
        if effort.exhausted { proven_by_bounds(&facts, &solver.order, &plan) } else { solver.order.compared() as u8 };
    debug_assert_eq!(super::verify(graph, &plan), Ok(()), "every plan is verified in debug builds");
    Ok(plan)
}

/// How many leading keys are as small as they can be whatever is chosen.
fn proven_by_bounds(facts: &Facts<'_>, order: &KeyOrder, plan: &Plan) -> u8 {
    let least = |key: &Key| match key {
        Key::BytesCopied | Key::Departures | Key::Depth => Some(0),
        Key::Allocators => Some(facts.components.len() as u128),
        _ => None,
    };
    let proven = order.keys().iter().take_while(|key| least(key).is_some() && key.of(&plan.cost) == least(key)).count();
    proven as u8
}

impl Effort {
    pub(super) fn new(limit: u64) -> Self {
        Effort { used: 0, limit, exhausted: false }
    }
}

/// What solving needs of a graph, whichever component is solved.
pub(super) struct Solver<'a> {
    pub(super) facts: &'a Facts<'a>,
    pub(super) order: KeyOrder,
    pub(super) passes: Vec<bool>,
    depths: OnceCell<Vec<u64>>,
}

impl<'a> Solver<'a> {
    pub(super) fn new(facts: &'a Facts<'a>) -> Self {
        let order = KeyOrder::of(facts.graph.strategy());
        Solver { facts, order, passes: passing_pins(facts), depths: OnceCell::new() }
    }

    /// What a cut of this edge costs.
    pub(super) fn cut_cost(&self, edge: &Edge) -> CutCost {
        let depths = self.depths.get_or_init(|| self.facts.depths());
        CutCost { bytes: self.facts.copied_bytes(edge.from), depth: depths[edge.from.index()] }
    }

    /// What is common to the pipes these pins can form.
    pub(super) fn ground(&self, pins: &[PinId]) -> Ground {
        let mut has_steps = false;
        let mut smallest_maximum: Option<u64> = None;
        let mut asks = Vec::new();
        for pin in pins.iter().filter(|pin| !self.facts.graph.pin(**pin).items().is_empty()) {
            asks_of(self.facts, *pin, self.passes[pin.index()], &mut asks);
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
        Ground { order: self.order, classes: memory_classes(self.facts.graph, pins), always_granted, has_steps }
    }

    /// The best way to treat a component. A plan that cuts nothing is better than any that cuts, whatever the strategy,
    /// because every cut copies at least a byte and adds an allocator; so that is tried first.
    pub(super) fn solve(
        &self,
        pins: &[PinId],
        ground: &Ground,
        effort: &mut Effort,
        silent: Option<&dyn Fn(PinId) -> bool>,
    ) -> Option<(Solution, Keys)> {
        let edges = pins.iter().flat_map(|pin| self.facts.edges_at(*pin));
        let (mut ends, mut cuttable) = (0, false);
        for edge in edges {
            ends += 1;
            cuttable |= self.facts.edges[*edge as usize].cuttable;
        }
        let is_tree = ends / 2 + 1 == pins.len() && !self.copies_within(pins);
        if !is_tree {
            return super::frontier::solve(self, pins, ground, effort, silent);
        }
        let mut tree = TreeSolver { facts: self.facts, ground, passes: &self.passes, cut_costs: None, effort, silent };
        if let Some(solution) = tree.solve(pins) {
            return Some(solution);
        }
        if !cuttable {
            return None;
        }
        let cut_cost = |edge: &Edge| self.cut_cost(edge);
        tree.cut_costs = Some(&cut_cost);
        tree.solve(pins)
    }

    /// Whether a `copy` route has both ends in a component, so that they must be kept in different pipes.
    fn copies_within(&self, pins: &[PinId]) -> bool {
        let component_of = |pin: PinId| self.facts.component_of[pin.index()];
        pins.first().is_some_and(|first| self.facts.self_copying[component_of(*first) as usize])
    }
}
