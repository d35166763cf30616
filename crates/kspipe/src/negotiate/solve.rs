//! From the fixed facts to a plan: each component by the solver it needs, then put together.

use super::assemble::{Choices, assemble, cost_of};
use super::conflict::explain_conflict;
use super::counted::Counted;
use super::facts::Facts;
use super::keys::{Key, KeyOrder, Keys};
use super::open_pipe::Ground;
use super::problem::Problem;
use super::table::Effort;
use super::{NegotiateError, Plan, component};
use crate::graph::{Graph, PinId};

/// The best plan for a graph, by its strategy.
///
/// The plan is proven optimal in its first [`Plan::proven`] keys: in all of them where pipes have no undirected cycles and
/// the limit of work was not reached: 1,024 half-built pipes at a pin, and 60 million joins and comparisons of them in all
/// and 200 more a pin, of which each part of the graph that no `copy` route divides has its share. What decides among
/// plans of the same cost has a limit of its own, and is not counted.
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
    let (best, effort) = best_plan(&problem, |pins| most_effort(&facts, pins.len()));
    let plan = best.map_err(|no_plan| match no_plan {
        NoPlan::Infeasible { component } => {
            NegotiateError::Infeasible(explain_conflict(&problem, facts.component(component)))
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
    Infeasible { component: u32 },
    /// The limit came first.
    Undecided,
}

/// The best plan found with at most so much effort for each component; and the effort it took.
pub(super) fn best_plan(problem: &Problem<'_>, most: impl Fn(&[PinId]) -> u64) -> (Result<Plan, NoPlan>, u64) {
    let facts = problem.facts;
    let (mut exhausted, mut undecided, mut used) = (false, false, 0);
    let mut grounds: Vec<Ground> = Vec::with_capacity(facts.component_count());
    let mut choices = Choices::none(facts);
    let mut total = Keys::default();
    for component in facts.components() {
        let pins = facts.component(component);
        let ground = problem.ground(pins, &Counted::EVERYTHING);
        let mut effort = Effort::up_to(most(pins));
        let solved = component::solve(problem, pins, &ground, &mut effort, &Counted::EVERYTHING);
        exhausted |= effort.exhausted;
        used += effort.used;
        match solved {
            Some((solution, keys)) => {
                total += keys;
                choices.take(&solution);
                grounds.push(ground);
            }
            // Another component may still be found to have no plan, which decides it.
            None if effort.exhausted => undecided = true,
            None => return (Err(NoPlan::Infeasible { component }), used),
        }
    }
    if undecided {
        return (Err(NoPlan::Undecided), used);
    }
    let memory_of = |pin: PinId| {
        let ground = &grounds[facts.component_of(pin) as usize];
        ground.classes[choices.pins[pin.index()].class as usize]
    };
    let mut plan = assemble(facts, &problem.order, &choices, memory_of);
    plan.cost = cost_of(&problem.order, &total, plan.cost);
    plan.proven =
        if exhausted { proven_by_bounds(facts, &problem.order, &plan) } else { problem.order.compared() as u8 };
    (Ok(plan), used)
}

/// Joins and comparisons of half-built pipes after which a component is settled for less than the optimum. Its share of
/// all depends on nothing that is done to the others: by its pins, or an equal one where that is more, and some in any case.
pub(super) fn most_effort(facts: &Facts<'_>, pins: usize) -> u64 {
    const ALL: u64 = 60_000_000;
    const OF_A_PIN: u64 = 200;
    const OF_A_COMPONENT: u64 = 1_000_000;
    let all_pins = facts.graph.pins().len().max(1) as u64;
    let own = pins as u64;
    let by_pins = (u128::from(ALL) * u128::from(own) / u128::from(all_pins)) as u64;
    let equal = ALL / facts.component_count().max(1) as u64;
    by_pins.max(equal).max(OF_A_COMPONENT) + OF_A_PIN * own
}

/// How many leading keys are as small as they can be whatever is chosen.
pub(super) fn proven_by_bounds(facts: &Facts<'_>, order: &KeyOrder, plan: &Plan) -> u8 {
    let least = |key: &Key| match key {
        Key::BytesCopied | Key::Departures | Key::Depth => Some(0),
        Key::Allocators => Some(facts.component_count() as u128),
        _ => None,
    };
    let proven = order.keys().iter().take_while(|key| least(key).is_some() && key.of(&plan.cost) == least(key)).count();
    proven as u8
}
