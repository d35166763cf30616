//! How the parts of a graph end: at the end of what they do, asked to, or because others have.

use crate::parts::{self, Pools};
use crate::stream_support::{graph, pattern, plan};
use kspipe::graph::{Direction, FilterId, Graph, PixelFormat, RouteKind, Run};
use kspipe::stream::{Outcome, Process, Report, prepare};

const PASS: Option<RouteKind> = Some(RouteKind::Pass);

fn outside(graph: &Graph, names: &[&str]) -> Vec<FilterId> {
    names.iter().map(|name| graph.find_filter(name).unwrap()).collect()
}

/// Two sources to a join to a sink.
fn joined(first: Option<u64>, second: Option<u64>) -> Graph {
    let mut builder = Graph::builder();
    for (source, frames) in [("a", first), ("b", second)] {
        builder.filter(source).run(pattern(PixelFormat::I420, frames)).pin("out", Direction::Out);
    }
    builder.filter("j").run(Run::Join);
    for (pin, direction) in [("a", Direction::In), ("b", Direction::In), ("out", Direction::Out)] {
        builder.filter("j").pin(pin, direction);
    }
    builder.filter("j").route("a", "out", RouteKind::Pass);
    builder.filter("s").run(Run::Checksum { path: None }).pin("in", Direction::In);
    for (from, to) in [("a.out", "j.a"), ("b.out", "j.b"), ("j.out", "s.in")] {
        builder.connect(from, to);
    }
    builder.build().unwrap()
}

fn report<'a>(reports: &'a [(Process, Report)], filter: &str) -> &'a Report {
    reports.iter().map(|(_, part)| part).find(|part| part.filter(filter).is_some()).unwrap()
}

#[test]
fn a_source_whose_takers_in_the_server_have_ended_ends() {
    // Without end: it is over when the other stream is.
    let graph = joined(Some(20), None);
    for names in [&["b"][..], &["a", "b"], &["b", "s"]] {
        let plan = plan(prepare(graph.clone()).unwrap().graph(), 3, &[], &[]);
        let reports = parts::run(&graph, &plan, &outside(&graph, names), &[1, 0]).unwrap();
        for (process, part) in &reports {
            assert_eq!(part.outcome, Outcome::Finished, "{process:?}: {:?}", part.errors);
        }
        assert_eq!(report(&reports, "s").filter("s").unwrap().frames_in, 20, "{names:?}");
    }
}

#[test]
fn a_source_whose_taker_failed_in_the_server_ends() {
    let filters = vec![
        ("a", pattern(PixelFormat::I420, None), None),
        ("b", Run::Hold { frames: 1 }, PASS),
        ("s", Run::RawSink { path: "/dev/full".into() }, None),
    ];
    let graph = graph(filters, &[("a.out", "b.in"), ("b.out", "s.in")]);
    let plan = plan(prepare(graph.clone()).unwrap().graph(), 3, &[], &[]);
    let reports = parts::run(&graph, &plan, &outside(&graph, &["a"]), &[0]).unwrap();
    assert_eq!(report(&reports, "s").outcome, Outcome::Failed);
    assert_eq!(report(&reports, "a").outcome, Outcome::Finished);
}

#[test]
fn a_source_goes_on_where_takers_may_come_back() {
    // The sink is outside, and fails at once: another process could take its place.
    let graph = graph(
        vec![
            ("a", pattern(PixelFormat::I420, Some(300)), None),
            ("t", Run::Tee, PASS),
            ("s", Run::RawSink { path: "/dev/full".into() }, None),
            ("y", Run::Checksum { path: None }, None),
        ],
        &[("a.out", "t.in"), ("t.a", "s.in"), ("t.b", "y.in")],
    );
    let plan = plan(prepare(graph.clone()).unwrap().graph(), 3, &[], &[]);
    let reports = parts::run(&graph, &plan, &outside(&graph, &["a", "s"]), &[0, 2, 1]).unwrap();
    assert_eq!(report(&reports, "s").outcome, Outcome::Failed);
    assert_eq!(report(&reports, "y").filter("y").unwrap().frames_in, 300);
}

#[test]
fn a_part_that_is_dropped_ends_its_streams_and_gives_back_what_it_had() {
    let filters = vec![
        ("a", pattern(PixelFormat::I420, None), None),
        ("b", Run::Hold { frames: 2 }, PASS),
        ("s", Run::Checksum { path: None }, None),
    ];
    let graph = graph(filters, &[("a.out", "b.in"), ("b.out", "s.in")]);
    for dropped in ["a", "b", "s"] {
        let prepared = || prepare(graph.clone()).unwrap();
        let plan = plan(prepared().graph(), 4, &[], &[]);
        let all = outside(&graph, &["a", "b", "s"]);
        let mut pools = Pools::of(&prepared(), &plan, &all);
        let mut running: Vec<_> =
            pools.sharing.processes().map(|process| (process, pools.start(prepared(), &plan, process))).collect();
        while !running.iter().any(|(_, part)| part.progress().sinks.iter().any(|sink| sink.frames > 20)) {
            std::thread::yield_now();
        }
        let of = |name: &str| Process::Of(graph.find_filter(name).unwrap());
        let place = running.iter().position(|(process, _)| *process == of(dropped)).unwrap();
        drop(running.remove(place));
        if let Some((_, source)) = running.iter().find(|(process, _)| *process == of("a")) {
            // Who takes its frames may come back.
            assert!(!source.is_finished());
            source.stop_handle().stop();
        }
        for (process, part) in parts::wait(running).unwrap() {
            assert!(part.errors.is_empty() && part.all_frames_home(), "{dropped}, {process:?}: {part:#?}");
        }
        pools.audit().unwrap();
    }
}

/// A frame that goes to a join at once, and again after three that are kept back: with fewer than four it stalls.
fn stalling() -> Graph {
    let mut builder = Graph::builder();
    builder.filter("a").run(pattern(PixelFormat::I420, None)).pin("out", Direction::Out);
    builder.filter("t").run(Run::Tee);
    builder.filter("h").run(Run::Hold { frames: 3 });
    builder.filter("j").run(Run::Join);
    let pins = [("t", "in"), ("h", "in"), ("j", "b"), ("j", "h")].map(|pin| (pin, Direction::In));
    let outs = [("t", "b"), ("t", "h"), ("h", "out"), ("j", "out")].map(|pin| (pin, Direction::Out));
    for ((filter, pin), direction) in pins.into_iter().chain(outs) {
        builder.filter(filter).pin(pin, direction);
    }
    for (filter, from, to) in [("t", "in", "b"), ("t", "in", "h"), ("h", "in", "out"), ("j", "b", "out")] {
        builder.filter(filter).route(from, to, RouteKind::Pass);
    }
    builder.filter("s").run(Run::Checksum { path: None }).pin("in", Direction::In);
    let connections = [("a.out", "t.in"), ("t.b", "j.b"), ("t.h", "h.in"), ("h.out", "j.h"), ("j.out", "s.in")];
    for (from, to) in connections {
        builder.connect(from, to);
    }
    builder.build().unwrap()
}

#[test]
fn parts_that_wait_for_each_other_for_ever_end_when_stopped_twice() {
    let graph = stalling();
    let prepared = || prepare(graph.clone()).unwrap();
    for names in [&["h"][..], &["a"], &["j", "t"], &["a", "t", "h", "j", "s"]] {
        let plan = plan(prepared().graph(), 3, &[], &[]);
        let mut pools = Pools::of(&prepared(), &plan, &outside(&graph, names));
        let processes: Vec<_> = pools.sharing.processes().collect();
        let running: Vec<_> =
            processes.into_iter().map(|process| (process, pools.start(prepared(), &plan, process))).collect();
        // All frames are kept back: nothing moves any more.
        let made = || running.iter().map(|(_, part)| part.progress().source_frames).sum::<u64>();
        while made() < 3 {
            std::thread::yield_now();
        }
        for _ in 0..2 {
            running.iter().for_each(|(_, part)| part.stop_handle().stop());
        }
        for (process, part) in parts::wait(running).unwrap() {
            assert!(part.errors.is_empty() && part.all_frames_home(), "{names:?}, {process:?}: {part:#?}");
        }
        pools.audit().unwrap();
    }
}
