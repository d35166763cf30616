//! A `Negotiator` has the plan that a fresh negotiation finds, whatever changes came before, and says what became of
//! each pipe. `KSPIPE_SEQUENCES` is the number of random sequences of 20 steps (40).

#[path = "../oracle/mod.rs"]
mod oracle;

mod difference;
mod random;

use difference::check_difference;
use kspipe::graph::{Change, Compression, Connection, Direction, Framing, Graph, Mode, RouteKind};
use kspipe::negotiate::{NegotiateError, Negotiator, Plan, StepError, negotiate, verify};
use random::{Numbers, random_change, random_graph, random_links, random_tree};

/// How many random sequences are tried.
fn sequences() -> u64 {
    match std::env::var("KSPIPE_SEQUENCES") {
        Ok(text) => text.parse().expect("KSPIPE_SEQUENCES is a number"),
        Err(_) => 40,
    }
}

/// The plan, or the kind of error and what it says.
fn said(answer: Result<&Plan, &NegotiateError>) -> Result<Plan, String> {
    match answer {
        Ok(plan) => Ok(plan.clone()),
        Err(NegotiateError::Undecided { .. }) => Err("undecided".to_owned()),
        Err(error) => Err(format!("{error:?}")),
    }
}

#[test]
fn after_any_changes_the_plan_is_that_of_a_fresh_negotiation() {
    let (mut steps, mut infeasible, mut cycles) = (0, 0, 0);
    for seed in 0..sequences() {
        let mut numbers = Numbers(seed);
        let graph = random_graph(&mut numbers);
        let mut negotiator = Negotiator::new(graph);
        let mut last: Option<Plan> = negotiator.plan().ok().cloned();
        assert_eq!(
            said(negotiator.plan().as_ref().copied()),
            said(negotiate(negotiator.graph()).as_ref()),
            "seed {seed}, the start"
        );
        for step in 0..20 {
            let mut changed = negotiator.graph().clone();
            let batch: Vec<Change> = (0..numbers.one_of(&[1, 1, 1, 2, 4]))
                .map(|_| {
                    let change = random_change(&changed, &mut numbers);
                    changed.change(change.clone()).expect("a change that fits");
                    change
                })
                .collect();
            let answer = negotiator.change(batch.clone());
            assert_eq!(negotiator.graph(), &changed);
            let fresh = negotiate(&changed);
            let context = || format!("seed {seed}, step {step}: {batch:?}\n{}", oracle::describe(&changed));
            assert_eq!(said(negotiator.plan().as_ref().copied()), said(fresh.as_ref()), "{}", context());
            steps += 1;
            match answer {
                Ok(difference) => {
                    let plan = negotiator.plan().expect("a plan");
                    assert_eq!(verify(&changed, plan), Ok(()));
                    check_difference(last.as_ref(), plan, &difference);
                    last = Some(plan.clone());
                }
                Err(StepError::NoPlan(error)) => {
                    infeasible += 1;
                    cycles += u32::from(matches!(&error, NegotiateError::Cycle(_)));
                    assert_eq!(negotiator.plan(), Err(error));
                }
                Err(StepError::Unfit(error)) => panic!("{error}: {}", context()),
            }
        }
    }
    println!("{steps} steps, {infeasible} without a plan, {cycles} of them with a cycle");
    assert!(infeasible * 20 > steps && infeasible < steps, "{infeasible} of {steps} steps had no plan");
    assert!(cycles > 0);
}

/// Trees of many pieces, so that they are parted and joined within a piece, between two, and at branches.
#[test]
fn trees_that_are_parted_and_joined_have_the_plan_of_a_fresh_negotiation() {
    let (mut steps, mut without) = (0, 0);
    for seed in 0..sequences() {
        let mut numbers = Numbers(seed ^ 0x7265_6c69_6e6b);
        let filters = 5 + numbers.next(60);
        let mut negotiator = Negotiator::new(random_tree(&mut numbers, filters));
        let mut last: Option<Plan> = negotiator.plan().ok().cloned();
        for step in 0..30 {
            let mut changes = random_links(negotiator.graph(), &mut numbers);
            if numbers.next(4) == 0 {
                changes = vec![random_change(negotiator.graph(), &mut numbers)];
            }
            let before = negotiator.graph().clone();
            let answer = negotiator.change(changes.clone());
            let fresh = negotiate(negotiator.graph());
            steps += 1;
            assert!(
                said(negotiator.plan().as_ref().copied()) == said(fresh.as_ref()),
                "seed {seed}, step {step}: {changes:?}"
            );
            match answer {
                Ok(difference) => {
                    let plan = negotiator.plan().expect("a plan");
                    check_difference(last.as_ref(), plan, &difference);
                    last = Some(plan.clone());
                }
                Err(_) => {
                    without += 1;
                    // Back to where there was a plan, or the rest would be without one too.
                    negotiator = Negotiator::new(before);
                    last = negotiator.plan().ok().cloned();
                }
            }
        }
    }
    println!("{steps} steps, {without} without a plan");
    assert!(without * 2 < steps, "{without} of {steps} steps had no plan");
}

/// Whatever stands before it in the step is taken back, and the next step finds everything as it was.
#[test]
fn a_step_with_a_change_that_does_not_fit_changes_nothing() {
    let (mut refused, mut steps) = (0, 0);
    for seed in 0..10 {
        let mut numbers = Numbers(seed);
        let mut start = Negotiator::new(random_graph(&mut numbers));
        while start.plan().is_err() {
            start = Negotiator::new(random_graph(&mut numbers));
        }
        // A larger graph has pins and filters that this one has not.
        let mut other = Graph::builder();
        for filter in 0..200 {
            other.filter(&format!("f{filter}")).pin("in", Direction::In);
        }
        let other = other.build().expect("a graph");
        let beyond = other.pin_ids().last().expect("it has pins");
        let filter = other.pin(beyond).filter();
        assert!(beyond.index() >= start.graph().pins().len());
        let unfit = [
            Change::Framing { pin: beyond, framing: Framing::None },
            Change::Compression { pin: beyond, compression: Compression::NONE },
            Change::Holds { pin: beyond, frames: Some(1) },
            Change::MediaSize { pin: beyond, bytes: 1 },
            Change::Connect(Connection { from: beyond, to: beyond }),
            Change::Disconnect(Connection { from: beyond, to: beyond }),
            Change::Route { from: beyond, to: beyond, kind: RouteKind::Copy },
            Change::Mode { filter, mode: Mode::Kernel },
        ];
        for unfit in unfit {
            let mut negotiator = start.clone();
            let mut graph = start.graph().clone();
            let mut step = Vec::new();
            for _ in 0..2 {
                let change = random_change(&graph, &mut numbers);
                graph.change(change.clone()).expect("a change that fits");
                step.push(change);
            }
            let with_unfit: Vec<Change> = step.iter().cloned().chain([unfit.clone()]).collect();
            assert!(matches!(negotiator.change(with_unfit), Err(StepError::Unfit(_))), "{unfit:?}");
            refused += 1;
            assert_eq!(negotiator.graph(), start.graph());
            assert_eq!(negotiator.plan(), start.plan());
            if negotiator.change(step).is_ok() {
                steps += 1;
            }
            assert_eq!(said(negotiator.plan().as_ref().copied()), said(negotiate(negotiator.graph()).as_ref()));
        }
    }
    assert!(refused == 80 && steps > 10, "{steps} of {refused}");
}
