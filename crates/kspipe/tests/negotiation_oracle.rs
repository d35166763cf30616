//! The solver against brute force, and the verifier against both, on random graphs.
//!
//! `KSPIPE_ORACLE_GRAPHS` is the number of graphs (2,000), `KSPIPE_ORACLE_SEED` a number that chooses them; a failure
//! prints the smallest graph found that fails in the same way.

mod oracle;

use kspipe::graph::Graph;
use kspipe::negotiate::{NegotiateError, Plan, negotiate, verify};
use oracle::brute::{best_plan, keys};
use oracle::generate::{graphs, tangled_graphs};
use oracle::on_random_graphs;
use proptest::test_runner::TestCaseError;
use std::cell::Cell;

fn rejected(graph: &Graph, plan: &Plan) -> Option<String> {
    let violations = verify(graph, plan).err()?;
    Some(violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

/// Whether pins, joined by connections and routes, have one way at most from each to each.
fn is_forest(graph: &Graph) -> bool {
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
struct Agreed {
    best: Plan,
    /// The number of keys the solver says it proved, and of all there are.
    proven: (usize, usize),
}

/// The solver's answer is brute force's, as far as it says that it is proven, and the verifier accepts both plans. `None`
/// where both find that there is no plan.
fn agree(graph: &Graph) -> Result<Option<Agreed>, TestCaseError> {
    let fail = |message: String| Err(TestCaseError::fail(message));
    let best = best_plan(graph);
    if let Some(violations) = best.as_ref().and_then(|best| rejected(graph, best)) {
        return fail(format!("brute force, {violations}\n{best:#?}"));
    }
    let (plan, best) = match (negotiate(graph), best) {
        (Ok(plan), Some(best)) => (plan, best),
        (Err(NegotiateError::Infeasible(_)), None) => return Ok(None),
        (Ok(plan), None) => {
            let violations = rejected(graph, &plan);
            return fail(format!("brute force finds no plan, the solver {plan:#?}\n{violations:?}"));
        }
        (Err(error), Some(best)) => return fail(format!("the solver says {error:?}; there is\n{best:#?}")),
        (Err(error), None) => return fail(format!("the solver says {error:?}; there is no plan")),
    };
    if let Some(violations) = rejected(graph, &plan) {
        return fail(format!("the solver, {violations}\n{plan:#?}"));
    }
    let keys = keys(graph.strategy());
    let (found, least) = (keys(&plan.cost), keys(&best.cost));
    let proven = usize::from(plan.proven);
    if found.len() < proven || found[..proven] != least[..proven] || found < least {
        return fail(format!("cost {found:?}, {proven} proven; least {least:?}\n{plan:#?}\nbetter: {best:#?}"));
    }
    Ok(Some(Agreed { best, proven: (proven, least.len()) }))
}

#[test]
fn the_solver_finds_what_brute_force_finds_and_the_verifier_accepts_it() {
    let (feasible, infeasible, forests) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let (bridged, copied) = (Cell::new(0), Cell::new(0));
    let count = |counter: &Cell<u64>, is: bool| counter.set(counter.get() + u64::from(is));
    on_random_graphs(graphs(), 1, |draft| {
        let graph = draft.build();
        let agreed = agree(&graph)?;
        count(&feasible, agreed.is_some());
        count(&infeasible, agreed.is_none());
        let Some(Agreed { best, proven: (proven, keys) }) = agreed else { return Ok(()) };
        count(&bridged, !best.bridges.is_empty());
        count(&copied, best.copies.iter().any(|copy| copy.chosen));
        count(&forests, is_forest(&graph));
        if is_forest(&graph) && proven < keys {
            return Err(TestCaseError::fail(format!("only {proven} of {keys} keys of a forest are proven")));
        }
        Ok(())
    });
    // The graphs are worth the time: each kind of answer comes up often.
    let all = feasible.get() + infeasible.get();
    for (what, number) in [
        ("feasible", feasible),
        ("infeasible", infeasible),
        ("forests with a plan", forests),
        ("best with a bridge", bridged),
        ("best with a chosen copy", copied),
    ] {
        println!("{} of {all} graphs are {what}", number.get());
        assert!(number.get() * 30 > all || all < 100, "only {number:?} of {all} graphs are {what}");
    }
}

#[test]
fn the_solver_finds_what_brute_force_finds_where_branches_meet_again() {
    let (tangled, proven_whole, all) = (Cell::new(0), Cell::new(0), Cell::new(0));
    on_random_graphs(tangled_graphs(), 1, |draft| {
        let graph = draft.build();
        all.set(all.get() + 1);
        if let Some(Agreed { proven: (proven, keys), .. }) = agree(&graph)?
            && !is_forest(&graph)
        {
            tangled.set(tangled.get() + 1);
            proven_whole.set(proven_whole.get() + u64::from(proven == keys));
        }
        Ok(())
    });
    println!("{} plans of tangled graphs, {} proven in every key", tangled.get(), proven_whole.get());
    assert!(tangled.get() * 10 > all.get() || all.get() < 100, "only {tangled:?} of {all:?} graphs are tangled");
}
