//! The solver against brute force, and the verifier against both, on random graphs.
//!
//! `KSPIPE_ORACLE_GRAPHS` is the number of graphs (5,000), `KSPIPE_ORACLE_SEED` a number that chooses them; a failure
//! prints the smallest graph found that fails in the same way.

mod oracle;

use kspipe::negotiate::negotiate;
use oracle::compare::{Solver, agree, is_forest};
use oracle::coverage::Coverage;
use oracle::generate::{GraphDraft, graphs, middle_graphs, tangled_graphs};
use oracle::planted::{PLANTED, Planted};
use oracle::{SEED, failure_on, on_random_graphs};
use proptest::strategy::Strategy;
use proptest::test_runner::TestCaseError;

/// Compares the two on random graphs and counts what they were.
fn compare(graphs: impl Strategy<Value = GraphDraft>, share: u64) -> Coverage {
    let coverage = Coverage::default();
    on_random_graphs(graphs, share, |graph| {
        let agreed = agree(graph, &negotiate).map_err(TestCaseError::fail)?;
        coverage.count(graph, agreed.as_ref());
        match agreed.map(|agreed| agreed.proven) {
            Some((proven, keys)) if proven < keys && is_forest(graph) => {
                Err(TestCaseError::fail(format!("only {proven} of {keys} keys of a forest are proven")))
            }
            _ => Ok(()),
        }
    });
    coverage
}

#[test]
fn the_solver_finds_what_brute_force_finds_and_the_verifier_accepts_it() {
    compare(graphs(), 1).assert_each(200, &[]);
}

#[test]
fn the_solver_finds_what_brute_force_finds_where_branches_meet_again() {
    let coverage = compare(tangled_graphs(), 1);
    coverage.assert_each(1000, &["a tee of three branches"]);
    let (tangled, plans) = (coverage.of("branches that meet again"), coverage.of("verdict: a plan"));
    assert!(tangled * 3 > plans, "only {tangled} graphs are tangled");
    assert_eq!(coverage.of("verdict: every key proven"), plans, "the limits are far from such small graphs");
}

#[test]
fn the_solver_finds_what_brute_force_finds_in_graphs_of_up_to_fourteen_pins() {
    compare(middle_graphs(), 20).assert_each(1000, &[]);
}

/// The comparison is worth something: each error that is planted in a solver is found, and the graph it is shown on shrinks
/// to few pins. On graphs that stay the same: how few pins is the shrinking's luck.
#[test]
fn an_error_planted_in_the_solver_is_found_and_shown_on_few_pins() {
    let mut wrong = Vec::new();
    for Planted { error, solver, found_as, pins } in PLANTED {
        let solver: Solver<'_> = solver;
        let failure =
            failure_on(SEED, graphs(), 3000, |graph| agree(graph, solver).map(|_| ()).map_err(TestCaseError::fail));
        match failure {
            None => wrong.push(format!("{error}: not found")),
            Some(failure) => {
                let first = failure.reason.lines().next().unwrap_or_default().to_owned();
                println!("{error}: {} pins, {first}", failure.graph.pins().len());
                if failure.graph.pins().len() > *pins || !found_as.iter().any(|what| first.starts_with(what)) {
                    wrong.push(format!("{error}: {first}\n{}", oracle::describe(&failure.graph)));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
