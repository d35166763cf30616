//! The solver against brute force, and the verifier against both, on random graphs.
//!
//! `KSPIPE_ORACLE_GRAPHS` is the number of graphs (2,000), `KSPIPE_ORACLE_SEED` a number that chooses them; a failure
//! prints the smallest graph found that fails in the same way.

mod oracle;

use kspipe::graph::Graph;
use kspipe::negotiate::{Plan, verify};
use oracle::brute::best_plan;
use oracle::describe;
use oracle::generate::{GraphDraft, graphs};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use std::cell::Cell;

fn number(variable: &str, default: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{variable} is not a number: {text}")),
        Err(_) => default,
    }
}

/// Runs `test` on as many graphs as asked for, `share` of them.
fn on_random_graphs(share: u64, test: impl Fn(&GraphDraft) -> Result<(), TestCaseError>) {
    let count = number("KSPIPE_ORACLE_GRAPHS", 2_000);
    let seed = number("KSPIPE_ORACLE_SEED", 0x6b73_7069_7065);
    println!("{} graphs, seed {seed}", count / share);
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        cases: u32::try_from(count / share).expect("a number of graphs that ends"),
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    match runner.run(&graphs(), |draft| test(&draft)) {
        Ok(()) => {}
        Err(TestError::Fail(reason, draft)) => {
            panic!("seed {seed}: {reason}\n{}", describe(&draft.build()))
        }
        Err(error) => panic!("seed {seed}: {error}"),
    }
}

fn rejected(graph: &Graph, plan: &Plan) -> Option<String> {
    let violations = verify(graph, plan).err()?;
    Some(violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

#[test]
fn the_verifier_accepts_every_plan_of_brute_force() {
    let (feasible, infeasible) = (Cell::new(0), Cell::new(0));
    let (bridged, copied) = (Cell::new(0), Cell::new(0));
    on_random_graphs(1, |draft| {
        let graph = draft.build();
        match best_plan(&graph) {
            None => infeasible.set(infeasible.get() + 1),
            Some(plan) => {
                feasible.set(feasible.get() + 1);
                bridged.set(bridged.get() + usize::from(!plan.bridges.is_empty()));
                copied.set(copied.get() + usize::from(plan.copies.iter().any(|copy| copy.chosen)));
                if let Some(violations) = rejected(&graph, &plan) {
                    return Err(TestCaseError::fail(format!("{violations}\n{plan:#?}")));
                }
            }
        }
        Ok(())
    });
    // The graphs are worth the time: each kind of answer comes up often.
    let all = feasible.get() + infeasible.get();
    println!("{feasible:?} feasible, {infeasible:?} infeasible; {bridged:?} with bridges, {copied:?} with copies");
    for (what, number) in [("feasible", feasible), ("infeasible", infeasible), ("bridged", bridged), ("copied", copied)]
    {
        assert!(number.get() * 20 > all, "only {number:?} of {all} graphs are {what}");
    }
}
