//! The graphs everybody who builds pipelines meets once, each with its verdict and its cure, run both ways.

use super::stream_support::{pattern, plan};
use kspipe::graph::{Direction, Graph, GraphBuilder, PixelFormat, RouteKind, Run};
use kspipe::negotiate::{Behaviour, PipeId, Plan, Starvation, Verdict, negotiate, starvation, starvation_of};
use kspipe::stream::{Outcome, RunOptions, prepare};

/// Filters in words, one a line: `name run in,in -> out:route,out:route`, then connections `a.x > b.y`, or `=` for a
/// bridge. A source's route is not read.
fn graph(text: &str) -> (Graph, Vec<String>) {
    let mut graph = Graph::builder();
    let mut bridges = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some((from, to)) = line.split_once(" > ").or_else(|| line.split_once(" = ")) {
            graph.connect(from, to);
            if line.contains(" = ") {
                bridges.push(from.to_owned());
            }
        } else {
            filter(&mut graph, line);
        }
    }
    (graph.build().unwrap(), bridges)
}

fn filter(graph: &mut GraphBuilder, line: &str) {
    let mut words = line.split_whitespace();
    let (name, run) = (words.next().unwrap(), words.next().unwrap());
    let run = match run.split_once(':').unwrap_or((run, "0")) {
        ("source", _) => pattern(PixelFormat::Nv12, Some(200)),
        ("hold", frames) => Run::Hold { frames: frames.parse().unwrap() },
        ("tee", _) => Run::Tee,
        ("join", _) => Run::Join,
        ("invert", _) => Run::Invert,
        ("sink", _) => Run::Discard,
        (other, _) => panic!("{other}"),
    };
    graph.filter(name).run(run);
    for pin in words {
        match pin.split_once('<') {
            // out<in:route
            Some((out, from)) => {
                graph.filter(name).pin(out, Direction::Out);
                if let Some((from, route)) = from.split_once(':') {
                    let kind = if route == "copy" { RouteKind::Copy } else { RouteKind::Pass };
                    graph.filter(name).route(from, out, kind);
                }
            }
            None => _ = graph.filter(name).pin(pin, Direction::In),
        }
    }
}

/// The graph's pipes with so many frames each, by the pin they begin at; 1 where none is given.
fn planned(text: &str, frames: &[(&str, u64)]) -> (Graph, Plan) {
    let (graph, bridges) = graph(text);
    let graph = prepare(graph).unwrap().graph().clone();
    let bridges: Vec<&str> = bridges.iter().map(String::as_str).collect();
    let mut plan = plan(&graph, 1, &bridges, &[]);
    for (pin, frames) in frames {
        let pin = graph.find_pin(pin).unwrap_or_else(|| panic!("{pin}"));
        plan.pipes[plan.pipe_of[pin.index()].index()].frames = *frames;
    }
    (graph, plan)
}

fn run(graph: &Graph, plan: &Plan) -> (Outcome, String) {
    let report = prepare(graph.clone()).unwrap().start(plan, RunOptions::default()).unwrap().wait();
    (report.outcome, report.errors.first().map(|error| error.message.clone()).unwrap_or_default())
}

fn stalled(graph: &Graph, plan: &Plan) -> Starvation {
    match starvation_of(graph, plan, Behaviour::Run) {
        Verdict::Stalls(starvation) => starvation,
        other => panic!("{other:?}"),
    }
}

/// The pipes of a cure, by number, and the frames each needs.
fn cure(starvation: &Starvation) -> Vec<(PipeId, u64)> {
    let cure = starvation.cure.as_ref().expect("frames cure it");
    assert!(cure.smallest);
    cure.pipes.iter().map(|short| (short.pipe, short.needed)).collect()
}

const CHAIN: &str = "
    src source out<
    delay hold:3 in out<in:pass
    sink sink in
    src.out > delay.in
    delay.out > sink.in";

/// A tee hands frames on to a join and copies them for a filter that keeps three, before the same join.
const RE_JOINED: &str = "
    src source out<
    tee tee in a<in:pass b<in:copy
    delay hold:3 in out<in:pass
    join join a b out<a:pass
    sink sink in
    src.out > tee.in
    tee.a > join.a
    tee.b > delay.in
    delay.out > join.b
    join.out > sink.in";

/// Both branches are copies of their own.
const BOTH_COPIED: &str = "
    src source out<
    tee tee in a<in:copy b<in:copy
    delay hold:3 in out<in:pass
    join join a b out<a:pass
    sink sink in
    src.out > tee.in
    tee.a > join.a
    tee.b > delay.in
    delay.out > join.b
    join.out > sink.in";

/// The branch that is not held back has two pipes, one after the other.
const TWO_PIPES: &str = "
    src source out<
    tee tee in a<in:pass b<in:copy
    work invert in out<in:copy
    delay hold:3 in out<in:pass
    join join a b out<a:pass
    sink sink in
    src.out > tee.in
    tee.a > work.in
    work.out > join.a
    tee.b > delay.in
    delay.out > join.b
    join.out > sink.in";

/// A bridge before the filter that keeps frames back.
const BRIDGED: &str = "
    src source out<
    tee tee in a<in:pass b<in:pass
    delay hold:2 in out<in:pass
    join join a b out<a:pass
    sink sink in
    src.out > tee.in
    tee.a > join.a
    tee.b = delay.in
    delay.out > join.b
    join.out > sink.in";

#[test]
fn the_classic_graphs_stall_and_are_cured_by_the_fewest_frames() {
    for (name, text, frames, expected) in [
        ("a chain", CHAIN, &[("src.out", 3)][..], &[("src.out", 4)][..]),
        ("re-joined", RE_JOINED, &[("src.out", 1), ("tee.b", 4)], &[("src.out", 4)]),
        ("re-joined, both short", RE_JOINED, &[], &[("src.out", 4), ("tee.b", 4)]),
        // Copies are made in the order of names: `a` has its fourth frame before `b` has, which the join waits for.
        ("both copied", BOTH_COPIED, &[("tee.b", 4), ("tee.a", 2)], &[("tee.a", 4)]),
        ("two pipes on the way", TWO_PIPES, &[("tee.b", 4)], &[("src.out", 3)]),
        ("bridged", BRIDGED, &[("delay.in", 3)], &[("src.out", 3)]),
    ] {
        let (graph, mut plan) = planned(text, frames);
        let starvation = stalled(&graph, &plan);
        let mut pipes: Vec<(PipeId, u64)> = expected
            .iter()
            .map(|(pin, frames)| (plan.pipe_of[graph.find_pin(pin).unwrap().index()], *frames))
            .collect();
        pipes.sort_unstable();
        assert_eq!(cure(&starvation), pipes, "{name}");
        let (outcome, message) = run(&graph, &plan);
        assert_eq!(outcome, Outcome::Failed, "{name}");
        assert!(message.contains(&starvation.describe(&graph, &plan)), "{name}: {message}");
        for shortage in &starvation.cure.as_ref().unwrap().pipes {
            plan.pipes[shortage.pipe.index()].frames = shortage.needed;
        }
        assert!(matches!(starvation_of(&graph, &plan, Behaviour::Run), Verdict::Moves(_)), "{name}");
        assert_eq!(run(&graph, &plan), (Outcome::Finished, String::new()), "{name}");
    }
}

#[test]
fn a_circle_names_who_waits_for_whom_and_who_keeps_what() {
    let (graph, plan) = planned(RE_JOINED, &[("tee.b", 4)]);
    let starvation = stalled(&graph, &plan);
    assert_eq!(
        starvation.describe(&graph, &plan),
        "`src` waits for a free frame of pipe 0, its only one out, until `join` gives one back; `join` for a frame from \
         `src` by way of `tee`, `delay`; meanwhile delay.in keeps 3"
    );
    assert_eq!(starvation.help(&graph), "write `framing = [{ frames = 4 }]` at join.a");
}

#[test]
fn what_a_plan_lacks_is_cured_in_the_graph_itself() {
    let (graph, _) = graph(RE_JOINED);
    let graph = prepare(graph).unwrap().graph().clone();
    let plan = negotiate(&graph).unwrap();
    let Verdict::Stalls(starvation) = starvation(&graph, &plan) else { panic!("it moves") };
    let cured = starvation.cured(&graph);
    let plan = negotiate(&cured).unwrap();
    assert!(matches!(kspipe::negotiate::starvation(&cured, &plan), Verdict::Moves(_)));
    assert_eq!(run(&cured, &plan).0, Outcome::Finished);
}

#[test]
fn a_pool_as_large_as_the_queue_behind_it_starves() {
    // The tuner's pool of 24 samples, and an application that queues 24 before it takes any out (tsduck).
    let mut tuner = Graph::builder();
    tuner.filter("tuner").kernel().pin("out", Direction::Out);
    tuner.filter("queue").pin("in", Direction::In).holds(24);
    tuner.connect("tuner.out", "queue.in");
    let graph = tuner.build().unwrap();
    let mut plan = negotiate(&graph).unwrap();
    // Negotiated, there is one more.
    assert_eq!(plan.pipes[0].frames, 25);
    assert!(matches!(starvation(&graph, &plan), Verdict::Moves(_)));
    plan.pipes[0].frames = 24;
    let Verdict::Stalls(starvation) = starvation(&graph, &plan) else { panic!("it moves") };
    assert_eq!(starvation.cure.as_ref().unwrap().pipes[0].needed, 25);
    assert_eq!(
        starvation.describe(&graph, &plan),
        "`tuner` waits for a free frame of pipe 0, all 24 out, until `queue` gives one back; `queue` for a frame from \
         `tuner`; meanwhile queue.in keeps 24"
    );
}

#[test]
fn two_sources_that_take_from_one_pipe_starve_each_other_whatever_the_number_of_frames() {
    let mut mixer = Graph::builder();
    mixer.filter("a").pin("out", Direction::Out);
    mixer.filter("b").pin("out", Direction::Out);
    mixer.filter("mixer").pin("a", Direction::In);
    mixer.filter("mixer").pin("b", Direction::In);
    mixer.filter("mixer").pin("out", Direction::Out);
    mixer.filter("mixer").route("a", "out", RouteKind::Pass).route("b", "out", RouteKind::Pass);
    mixer.filter("sink").pin("in", Direction::In).holds(100);
    mixer.connect("a.out", "mixer.a").connect("b.out", "mixer.b").connect("mixer.out", "sink.in");
    let graph = mixer.build().unwrap();
    let plan = negotiate(&graph).unwrap();
    let Verdict::Stalls(starvation) = starvation(&graph, &plan) else { panic!("it moves") };
    assert_eq!(starvation.cure, None);
    assert!(starvation.describe(&graph, &plan).starts_with("a.out, b.out all take frames of pipe 0"));
    assert!(starvation.help(&graph).contains("bridge"));
}

#[test]
fn a_join_that_waits_for_its_own_frames_is_cured_by_none() {
    let (graph, plan) = planned(
        "
        src source out<
        join join a b out<a:pass more<b:pass
        sink sink in
        src.out > join.a
        join.out > join.b
        join.more > sink.in",
        &[("src.out", 9)],
    );
    let starvation = stalled(&graph, &plan);
    assert_eq!(starvation.cure, None);
    assert_eq!(starvation.describe(&graph, &plan), "`join` waits for a frame from `itself`");
}

#[test]
fn filters_that_kspipe_does_not_run_may_keep_any_frames() {
    // Two branches of a tee keep one frame each. In kspipe they are the same frames; another program's may be others.
    let mut graph = Graph::builder();
    graph.filter("a").pin("out", Direction::Out);
    graph.filter("tee").route("in", "x", RouteKind::Pass).route("in", "y", RouteKind::Pass).pin("in", Direction::In);
    for (out, sink) in [("x", "b"), ("y", "c")] {
        graph.filter("tee").pin(out, Direction::Out);
        graph.filter(sink).pin("in", Direction::In).holds(1);
        graph.connect(&format!("tee.{out}"), &format!("{sink}.in"));
    }
    graph.connect("a.out", "tee.in");
    let graph = graph.build().unwrap();
    let mut plan = negotiate(&graph).unwrap();
    assert_eq!(plan.pipes[0].frames, 3);
    assert!(matches!(starvation_of(&graph, &plan, Behaviour::Any), Verdict::Moves(_)));
    plan.pipes[0].frames = 2;
    assert!(matches!(starvation_of(&graph, &plan, Behaviour::InOrder), Verdict::Moves(_)));
    let Verdict::Stalls(starvation) = starvation_of(&graph, &plan, Behaviour::Any) else { panic!("it moves") };
    assert_eq!(starvation.cure.unwrap().pipes[0].needed, 3);
}

#[test]
fn a_long_chain_is_judged_at_once() {
    // Linear time: 100,000 pins, and a stall at its end. (No clock here: the benchmark has the time.)
    let mut graph = Graph::builder();
    let name = |number: usize| format!("f{number:06}");
    for number in 0..50_000 {
        let filter = name(number);
        graph.filter(&filter).pin("in", Direction::In);
        graph.filter(&filter).pin("out", Direction::Out);
        graph.filter(&filter).route("in", "out", if number % 10 == 0 { RouteKind::Copy } else { RouteKind::Pass });
        if number > 0 {
            graph.connect(&format!("{}.out", name(number - 1)), &format!("{filter}.in"));
        }
    }
    graph.filter(&name(49_999)).pin("in", Direction::In).holds(7);
    let graph = graph.build().unwrap();
    let mut plan = negotiate(&graph).unwrap();
    assert!(matches!(starvation(&graph, &plan), Verdict::Moves(_)));
    let last = plan.pipe_of[graph.find_pin("f049999.in").unwrap().index()];
    plan.pipes[last.index()].frames = 7;
    let Verdict::Stalls(starvation) = starvation(&graph, &plan) else { panic!("it moves") };
    assert_eq!(starvation.cure.unwrap().pipes.iter().map(|pipe| pipe.needed).collect::<Vec<_>>(), [8]);
}

/// Linear in the branches; looking at each branch for each other would take minutes here.
#[test]
fn a_tee_of_very_many_branches_is_judged() {
    const BRANCHES: usize = 30_000;
    let mut graph = Graph::builder();
    graph.filter("source").pin("out", Direction::Out);
    graph.filter("tee").pin("in", Direction::In);
    graph.connect("source.out", "tee.in");
    for branch in 0..BRANCHES {
        let out = format!("out{branch}");
        graph.filter("tee").pin(&out, Direction::Out);
        graph.filter("tee").route("in", &out, RouteKind::Pass);
        graph.filter(&format!("sink{branch}")).pin("in", Direction::In).holds(1);
        graph.connect(&format!("tee.{out}"), &format!("sink{branch}.in"));
    }
    let graph = graph.build().unwrap();
    let plan = negotiate(&graph).unwrap();
    assert_eq!(plan.pipes[0].frames, BRANCHES as u64 + 1);
    for behaviour in [Behaviour::Run, Behaviour::InOrder, Behaviour::Any] {
        assert!(matches!(starvation_of(&graph, &plan, behaviour), Verdict::Moves(_)), "{behaviour:?}");
    }
}
