//! Random graphs: verdict, every order of events, and a run must agree.

use super::graphs::recipe;
use super::states::States;
use kspipe::graph::{Graph, Run};
use kspipe::negotiate::{Behaviour, Plan, Starvation, Verdict, negotiate, starvation, starvation_of};
use kspipe::stream::{Outcome, Report, RunOptions, prepare};
use proptest::prelude::*;

/// More than all pipes of a graph here have together: a graph that stalls does so before its sources end.
const FRAMES: u64 = 300;

fn run(graph: &Graph, plan: &Plan) -> Report {
    let report = prepare(graph.clone()).unwrap().start(plan, RunOptions::default()).unwrap().wait();
    assert!(report.all_frames_home(), "{report:#?}");
    report
}

fn moves(graph: &Graph, plan: &Plan) -> Result<(), TestCaseError> {
    let report = run(graph, plan);
    prop_assert_eq!(report.outcome, Outcome::Finished, "{:?}", report.errors);
    let sinks = graph.filters().iter().filter(|filter| filter.run() == Some(&Run::Discard)).count() as u64;
    prop_assert_eq!(report.graph.delivered, sinks * FRAMES);
    Ok(())
}

fn stalls(graph: &Graph, plan: &Plan, starvation: &Starvation) -> Result<(), TestCaseError> {
    let report = run(graph, plan);
    prop_assert_eq!(report.outcome, Outcome::Failed);
    let message = &report.errors[0].message;
    prop_assert!(message.contains("is stalled"), "{}", message);
    let told = starvation.describe(graph, plan);
    prop_assert!(message.contains(&told), "{} is not in {}", told, message);
    prop_assert!(message.contains(&starvation.help(graph)), "{}", message);
    Ok(())
}

/// The plan with the frames of a cure.
fn cured(plan: &Plan, starvation: &Starvation) -> Plan {
    let mut plan = plan.clone();
    for shortage in &starvation.cure.as_ref().unwrap().pipes {
        plan.pipes[shortage.pipe.index()].frames = shortage.needed;
    }
    plan
}

/// The graph with all cures written into it, and its plan.
fn cured_graph(mut graph: Graph) -> Result<(Graph, Plan), TestCaseError> {
    // Another plan may be the best one once more is asked, and lack frames elsewhere; but it comes to an end.
    for _ in 0..8 {
        let plan = negotiate(&graph).unwrap();
        match starvation(&graph, &plan) {
            Verdict::Stalls(starvation) => graph = starvation.cured(&graph),
            Verdict::Moves(_) => return Ok((graph, plan)),
            Verdict::Unproven(_) => break,
        }
    }
    Err(TestCaseError::fail("it is never cured"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, max_shrink_iters: 1000, ..ProptestConfig::default() })]

    #[test]
    fn a_run_stalls_where_predicted_and_moves_where_cured(recipe in recipe(9, 3, 5)) {
        let (graph, plan) = recipe.make(Some(FRAMES));
        match starvation_of(&graph, &plan, Behaviour::Run) {
            Verdict::Moves(proof) => {
                prop_assert!(proof.pipes.iter().all(|pipe| (1..=pipe.frames).contains(&pipe.used)), "{:?}", proof);
                moves(&graph, &plan)?;
            }
            Verdict::Stalls(starvation) => {
                stalls(&graph, &plan, &starvation)?;
                let cure = starvation.cure.as_ref().unwrap();
                prop_assert!(cure.smallest && !cure.pipes.is_empty());
                let whole = cured(&plan, &starvation);
                moves(&graph, &whole)?;
                for shortage in &cure.pipes {
                    let mut lowered = whole.clone();
                    lowered.pipes[shortage.pipe.index()].frames -= 1;
                    let Verdict::Stalls(still) = starvation_of(&graph, &lowered, Behaviour::Run) else {
                        return Err(TestCaseError::fail(format!("{shortage:?} is more than needed")));
                    };
                    stalls(&graph, &lowered, &still)?;
                }
            }
            other => return Err(TestCaseError::fail(format!("{other:?}"))),
        }
    }

    #[test]
    fn a_cure_written_into_the_graph_moves_when_it_is_negotiated_anew(recipe in recipe(9, 3, 1)) {
        let (graph, _) = recipe.make(Some(FRAMES));
        let (graph, plan) = cured_graph(graph)?;
        moves(&graph, &plan)?;
    }

    #[test]
    fn what_moves_in_the_worst_case_moves_in_kspipe(recipe in recipe(12, 3, 6)) {
        let (graph, plan) = recipe.make(None);
        let moves = |behaviour| matches!(starvation_of(&graph, &plan, behaviour), Verdict::Moves(_));
        if moves(Behaviour::Any) {
            prop_assert!(moves(Behaviour::InOrder));
        }
        if moves(Behaviour::InOrder) {
            prop_assert!(moves(Behaviour::Run));
        }
        prop_assert_eq!(starvation(&graph, &plan), starvation_of(&graph, &plan, Behaviour::InOrder));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn every_order_of_events_confirms_the_verdict(recipe in recipe(5, 2, 3)) {
        let (graph, plan) = recipe.make(None);
        let verdict = starvation_of(&graph, &plan, Behaviour::Run);
        let oracle = States::of(&graph, &plan).can_stall(graph.pins().len(), 8_000);
        if let Some(can_stall) = oracle {
            prop_assert_eq!(matches!(verdict, Verdict::Stalls(_)), can_stall, "{:?}", verdict);
        }
        if let Verdict::Stalls(starvation) = verdict {
            // No smaller sum of frames moves: all ways to add one frame less than the cure, on tiny graphs.
            let cure = starvation.cure.as_ref().unwrap();
            let added: u64 = cure.pipes.iter().map(|pipe| pipe.needed - pipe.frames).sum();
            prop_assert!(cure.smallest);
            let moves = matches!(starvation_of(&graph, &cured(&plan, &starvation), Behaviour::Run), Verdict::Moves(_));
            prop_assert!(moves);
            if added <= 4 && plan.pipes.len() <= 6 {
                let mut less = plan.clone();
                prop_assert!(!any_way_moves(&graph, &mut less, 0, added - 1), "fewer than {:?} do", cure);
            }
        }
    }
}

/// Whether some way to deal out `more` frames among the pipes from `place` on moves.
fn any_way_moves(graph: &Graph, plan: &mut Plan, place: usize, more: u64) -> bool {
    if place == plan.pipes.len() || more == 0 {
        return matches!(starvation_of(graph, plan, Behaviour::Run), Verdict::Moves(_));
    }
    (0..=more).any(|here| {
        plan.pipes[place].frames += here;
        let moves = any_way_moves(graph, plan, place + 1, more - here);
        plan.pipes[place].frames -= here;
        moves
    })
}
