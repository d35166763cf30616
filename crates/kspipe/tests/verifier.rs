//! What the verifier rejects: each way to break a plan, and the rule it names.

mod oracle;

use kspipe::graph::{Direction, Graph, RouteKind};
use kspipe::negotiate::{Plan, Rule, negotiate, verify};
use oracle::brute::{best_plan, keys};
use oracle::changes::changes;
use oracle::generate::graphs;
use oracle::judge::cost_of_valid;
use oracle::mutations::{BREAKS, Broken, graph, without_bridges};
use oracle::on_random_graphs;
use proptest::test_runner::TestCaseError;
use std::cell::Cell;
use std::collections::BTreeSet;

fn rules_broken(graph: &Graph, plan: &Plan) -> BTreeSet<Rule> {
    verify(graph, plan).err().into_iter().flatten().map(|violation| violation.rule).collect()
}

#[test]
fn each_way_to_break_a_plan_is_found_by_the_rule_it_breaks() {
    let graph = graph().build().expect("a graph");
    let plan = best_plan(&graph).expect("a plan");
    assert_eq!(verify(&graph, &plan), Ok(()), "before anything is broken");
    assert_eq!((plan.bridges.len(), plan.copies.len(), plan.pipes.len()), (1, 1, 6));
    for (what, rule, breaks) in BREAKS {
        let mut broken = Broken::new(&graph, &plan);
        breaks(&mut broken);
        let mut rules = rules_broken(&graph, &broken.plan);
        // What costs something costs something else when it is changed.
        if *rule != Rule::Cost {
            rules.remove(&Rule::Cost);
        }
        let found = verify(&graph, &broken.plan);
        assert!(rules.remove(rule), "{what}: {found:?}");
        // Other pins in a pipe make it another pipe, and that can break every other rule.
        assert!(rules.is_empty() || *rule == Rule::Pipes, "{what}: {found:?}");
    }
}

#[test]
fn a_violation_names_its_rule_and_its_pins() {
    let graph = graph().build().expect("a graph");
    let plan = best_plan(&graph).expect("a plan");
    let recorder = graph.find_pin("recorder.in").expect("a pin");
    let mut broken = plan.clone();
    broken.items[recorder.index()] = Some(1);
    let violations = verify(&graph, &broken).expect_err("recorder.in writes into shared frames");
    let sentence = "rule 7: `recorder.in` (INPLACE_MODIFIER) writes into frames that `tee.in` hands to several";
    assert_eq!(violations[0].to_string(), sentence);
    assert_eq!(violations[0].pins, [graph.find_pin("tee.in").expect("a pin"), recorder]);
}

#[test]
fn a_bridge_is_rejected_where_bridges_are_forbidden() {
    let allowed = graph().build().expect("a graph");
    let plan = best_plan(&allowed).expect("a plan");
    assert_eq!(rules_broken(&without_bridges(), &plan), BTreeSet::from([Rule::Pipes]));
}

#[test]
fn two_pins_that_must_allocate_cannot_share_a_pipe() {
    let must =
        || kspipe::graph::FramingItem { requirements: ks::RequirementFlags::MUST_ALLOCATE, ..Default::default() };
    let mut graph = Graph::builder();
    graph.filter("a").pin("out", Direction::Out).item(Default::default()).item(must());
    graph.filter("b").pin("in", Direction::In).item(must());
    graph.connect("a.out", "b.in");
    let graph = graph.build().expect("a graph");
    let mut plan = best_plan(&graph).expect("the first item of a.out lets b.in allocate");
    assert_eq!(verify(&graph, &plan), Ok(()));
    plan.items[0] = Some(1);
    assert_eq!(rules_broken(&graph, &plan), BTreeSet::from([Rule::Allocator]));
}

#[test]
fn a_kernel_pin_that_must_allocate_cannot_share_user_memory() {
    let item = |requirements| kspipe::graph::FramingItem { requirements, ..Default::default() };
    let mut graph = Graph::builder();
    let camera = graph.filter("camera").kernel().pin("out", Direction::Out);
    camera.item(item(ks::RequirementFlags::empty())).item(item(ks::RequirementFlags::MUST_ALLOCATE));
    graph.filter("viewer").pin("in", Direction::In);
    graph.connect("camera.out", "viewer.in");
    let graph = graph.build().expect("a graph");
    let mut plan = best_plan(&graph).expect("the first item lets anybody allocate");
    assert_eq!(verify(&graph, &plan), Ok(()));
    plan.items[0] = Some(1);
    assert_eq!(rules_broken(&graph, &plan), BTreeSet::from([Rule::Memory, Rule::Allocator]));
}

#[test]
fn a_cycle_is_named() {
    let build = |closed| {
        let mut graph = Graph::builder();
        graph.filter("source").pin("out", Direction::Out);
        for name in ["delay", "mix"] {
            graph.filter(name).pin("in", Direction::In);
            graph.filter(name).pin("out", Direction::Out);
        }
        graph.filter("delay").route("in", "out", RouteKind::Copy);
        graph.filter("mix").pin("main", Direction::In);
        graph.filter("mix").route("in", "out", RouteKind::Pass).route("main", "out", RouteKind::Copy);
        graph.connect("source.out", "mix.main").connect("mix.out", "delay.in");
        if closed {
            graph.connect("delay.out", "mix.in");
        }
        graph.build().expect("a graph")
    };
    let plan = best_plan(&build(false)).expect("a plan");
    let violations = verify(&build(true), &plan).expect_err("what delay.out gives comes back to it");
    let messages: Vec<String> = violations.iter().map(ToString::to_string).collect();
    let cycle = "rule 8: the graph has a cycle: \
                 `delay.out` -> `mix.in` -> `mix.out` -> `delay.in` -> `delay.out`";
    assert_eq!(messages, [cycle]);
}

#[test]
fn a_plan_for_another_graph_is_rejected_without_a_panic() {
    let large = graph().build().expect("a graph");
    let plan = best_plan(&large).expect("a plan");
    let mut small = Graph::builder();
    small.filter("a").pin("out", Direction::Out);
    assert_eq!(rules_broken(&small.build().expect("a graph"), &plan), BTreeSet::from([Rule::Shape]));
    let empty = Graph::builder().build().expect("a graph");
    assert_eq!(rules_broken(&empty, &plan), BTreeSet::from([Rule::Shape]));
    assert_eq!(verify(&empty, &best_plan(&empty).expect("a plan of no pipes")), Ok(()));
}

/// Each small change of the best plan of a random graph breaks a rule, and the verifier says so; or it breaks none, the
/// verifier does not mind it either, and it costs no less.
#[test]
fn every_small_change_of_a_plan_is_caught_or_is_valid_and_no_cheaper() {
    let (caught, valid) = (Cell::new(0u64), Cell::new(0u64));
    on_random_graphs(graphs(), 20, |graph| {
        let Ok(plan) = negotiate(graph) else { return Ok(()) };
        let keys = keys(graph.strategy());
        for (what, mut changed) in changes(graph, &plan) {
            let rules = rules_broken(graph, &changed);
            let only_costs = rules.iter().all(|rule| *rule == Rule::Cost);
            let fail = |error: &str| Err(TestCaseError::fail(format!("{error}: {what}, {rules:?}\n{changed:#?}")));
            let Some(cost) = cost_of_valid(graph, &changed) else {
                caught.set(caught.get() + 1);
                if only_costs {
                    return fail("missed");
                }
                continue;
            };
            valid.set(valid.get() + 1);
            if !only_costs {
                return fail("rejected");
            }
            if keys(&cost)[..usize::from(plan.proven)] < keys(&plan.cost)[..usize::from(plan.proven)] {
                return fail("cheaper");
            }
            changed.cost = cost;
            if verify(graph, &changed).is_err() {
                return Err(TestCaseError::fail(format!("cost: {what}\n{:?}\n{changed:#?}", verify(graph, &changed))));
            }
        }
        Ok(())
    });
    println!("{caught:?} changes break a rule, {valid:?} break none");
    assert!(caught.get() > 1000 && valid.get() > 1000, "both kinds come up");
}
