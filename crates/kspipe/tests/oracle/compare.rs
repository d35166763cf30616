//! A solver's answer beside brute force's, and the verifier beside both.

use super::brute::{best_plan, keys};
use super::judge::{cost_of_valid, wrong_tie};
use kspipe::graph::Graph;
use kspipe::negotiate::{NegotiateError, Plan, verify};

/// Something that makes plans.
pub(crate) type Solver<'a> = &'a dyn Fn(&Graph) -> Result<Plan, NegotiateError>;

fn rejected(graph: &Graph, plan: &Plan) -> Option<String> {
    let violations = verify(graph, plan).err()?;
    Some(violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

/// Whether pins, joined by connections and routes, have one way at most from each to each.
pub(crate) fn is_forest(graph: &Graph) -> bool {
    let joined = graph.connections().iter().map(|edge| (edge.from, edge.to));
    let mut tree: Vec<usize> = (0..graph.pins().len()).collect();
    for (from, to) in joined.chain(graph.routes().iter().map(|edge| (edge.from, edge.to))) {
        let (from, to) = (tree[from.index()], tree[to.index()]);
        if from == to {
            return false;
        }
        tree.iter_mut().filter(|tree| **tree == to).for_each(|tree| *tree = from);
    }
    true
}

/// What the two found for a graph.
pub(crate) struct Agreed {
    /// The solver's plan.
    pub(crate) plan: Plan,
    /// The number of keys the solver says it proved, and of all there are.
    pub(crate) proven: (usize, usize),
}

/// The solver's answer is brute force's, as far as it says that it is proven, and the verifier accepts both plans. `None`
/// where both find that there is no plan. An error begins with what kind of thing is wrong.
pub(crate) fn agree(graph: &Graph, solver: Solver<'_>) -> Result<Option<Agreed>, String> {
    let best = best_plan(graph);
    if let Some(violations) = best.as_ref().and_then(|best| rejected(graph, best)) {
        return Err(format!("the verifier rejects brute force's: {violations}\n{best:#?}"));
    }
    let (plan, best) = match (solver(graph), best) {
        (Ok(plan), Some(best)) => (plan, best),
        (Err(NegotiateError::Infeasible(_)), None) => return Ok(None),
        (Ok(plan), None) => {
            let violations = rejected(graph, &plan);
            return Err(format!("invented: brute force finds no plan, the solver {plan:#?}\n{violations:?}"));
        }
        (Err(error), Some(best)) => return Err(format!("missed: the solver says {error:?}; there is\n{best:#?}")),
        (Err(error), None) => return Err(format!("undecided: the solver says {error:?}; there is no plan")),
    };
    if let Some(violations) = rejected(graph, &plan) {
        return Err(format!("invalid: {violations}\n{plan:#?}"));
    }
    let cost = cost_of_valid(graph, &plan);
    if cost != Some(plan.cost) {
        return Err(format!("the verifier accepts what the rules do not: {plan:#?}\n{cost:?}"));
    }
    let keys = keys(graph.strategy());
    let (found, least) = (keys(&plan.cost), keys(&best.cost));
    let proven = usize::from(plan.proven);
    if found.len() < proven || found[..proven] != least[..proven] || found < least {
        return Err(format!("dear: cost {found:?}, {proven} proven; least {least:?}\n{plan:#?}\nbetter: {best:#?}"));
    }
    if let Some((pipe, memory)) = wrong_tie(graph, &plan) {
        return Err(format!("tie: {pipe:?} should have the memory {memory}\n{plan:#?}"));
    }
    Ok(Some(Agreed { plan, proven: (proven, least.len()) }))
}
