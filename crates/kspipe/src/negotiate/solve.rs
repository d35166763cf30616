//! From the fixed facts to a plan: each component by the solver it needs, then put together.

use super::assemble::assemble;
use super::conflict::explain_conflict;
use super::counted::Counted;
use super::facts::Facts;
use super::keys::{Key, KeyOrder, Keys};
use super::problem::Problem;
use super::tree::Effort;
use super::{NegotiateError, Plan, component};
use crate::graph::Graph;

/// Joins and comparisons of half-built pipes after which a negotiation settles for less than the optimum: so many, and so
/// many a pin.
const MOST_EFFORT: (u64, u64) = (60_000_000, 200);

/// The best plan for a graph, by its strategy.
///
/// The plan is proven optimal in its first [`Plan::proven`] keys: in all of them where pipes have no undirected cycles and
/// the limit of work was not reached: 1,024 half-built pipes at a pin, and 60 million joins and comparisons of them in all
/// and 200 more a pin.
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
    let problem = Problem::new(&facts);
    let (best, effort) = best_plan(&problem, MOST_EFFORT.0, MOST_EFFORT.1);
    let plan = best.map_err(|no_plan| match no_plan {
        NoPlan::Infeasible { component } => {
            NegotiateError::Infeasible(explain_conflict(&problem, &facts.components[component]))
        }
        NoPlan::Undecided => NegotiateError::Undecided { states: effort },
    })?;
    debug_assert_eq!(super::verify(graph, &plan), Ok(()), "every plan is verified in debug builds");
    Ok(plan)
}

/// Why there is no plan, not yet explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoPlan {
    /// This component has none.
    Infeasible { component: usize },
    /// The limit came first.
    Undecided,
}

/// The best plan found with so much effort, and so much a pin; and the effort it took.
pub(super) fn best_plan(problem: &Problem<'_>, most: u64, most_a_pin: u64) -> (Result<Plan, NoPlan>, u64) {
    let facts = problem.facts;
    let mut left = most + most_a_pin * facts.graph.pins().len() as u64;
    let (mut exhausted, mut undecided, mut used) = (false, false, 0);
    let mut parts = Vec::with_capacity(facts.components.len());
    let mut total = Keys::default();
    for (component, pins) in facts.components.iter().enumerate() {
        let ground = problem.ground(pins, &Counted::EVERYTHING);
        // What a hard component used up, the easy ones after it do not need.
        let mut effort = Effort::up_to(left.max(most_a_pin * pins.len() as u64));
        let solved = component::solve(problem, pins, &ground, &mut effort, &Counted::EVERYTHING);
        exhausted |= effort.exhausted;
        used += effort.used;
        left = left.saturating_sub(effort.used);
        match solved {
            Some((solution, keys)) => {
                total += keys;
                parts.push((ground, solution));
            }
            // Another component may still be found to have no plan, which decides it.
            None if effort.exhausted => undecided = true,
            None => return (Err(NoPlan::Infeasible { component }), used),
        }
    }
    if undecided {
        return (Err(NoPlan::Undecided), used);
    }
    let mut plan = assemble(problem, &parts, &total);
    plan.proven =
        if exhausted { proven_by_bounds(facts, &problem.order, &plan) } else { problem.order.compared() as u8 };
    (Ok(plan), used)
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
