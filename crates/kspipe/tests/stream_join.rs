//! `join`: branches that meet again.

mod stream_support;

use kspipe::graph::{Direction, Graph, PixelFormat, RouteKind, Run};
use kspipe::negotiate::negotiate;
use kspipe::stream::{Outcome, Report, RunOptions, prepare};
use std::path::Path;
use stream_support::*;

const NV12: PixelFormat = PixelFormat::Nv12;

/// Two sources of so many frames, a join with these routes, and a recorder at each of its out pins.
fn joined(frames: [Option<u64>; 2], routes: &[(&str, &str, RouteKind)], folder: &Path) -> Graph {
    let mut graph = Graph::builder();
    for (name, frames) in ["a", "b"].into_iter().zip(frames) {
        add(&mut graph, name, pattern(NV12, frames), None);
        graph.filter("join").pin(name, Direction::In);
        graph.connect(&format!("{name}.out"), &format!("join.{name}"));
    }
    graph.filter("join").run(Run::Join);
    for (from, to, kind) in routes {
        graph.filter("join").pin(to, Direction::Out);
        graph.filter("join").route(from, to, *kind);
        if graph.clone().build().is_ok_and(|graph| graph.find_filter(to).is_none()) {
            add(&mut graph, to, raw(&folder.join(to)), None);
            graph.connect(&format!("join.{to}"), &format!("{to}.in"));
        }
    }
    graph.build().unwrap()
}

fn run(graph: Graph) -> Report {
    let prepared = prepare(graph).unwrap();
    let plan = negotiate(prepared.graph()).unwrap();
    let report = prepared.start(&plan, RunOptions::default()).unwrap().wait();
    assert!(report.all_frames_home(), "{report:#?}");
    report
}

#[test]
fn each_out_pin_gets_the_frames_of_the_in_pin_whose_route_leads_there() {
    let folder = folder();
    for (kind, copies) in [(RouteKind::Pass, 0), (RouteKind::Copy, 2)] {
        let routes = [("a", "x", kind), ("b", "y", kind)];
        let report = run(joined([Some(20), Some(20)], &routes, folder.path()));
        assert_eq!((report.outcome, report.graph.delivered), (Outcome::Finished, 40));
        let join = report.filter("join").unwrap();
        assert_eq!((join.frames_in, join.frames_out, join.kind.as_str()), (40, 40, "join"));
        assert_eq!(report.graph.bytes_copied, copies * 20 * format(NV12).frame_bytes() as u64);
        for out in ["x", "y"] {
            assert_eq!(verified_numbers(&folder.path().join(out), &format(NV12)), (0..20).collect::<Vec<u64>>());
        }
    }
}

#[test]
fn a_frame_that_goes_to_several_out_pins_is_shared_and_one_that_goes_nowhere_comes_home() {
    let folder = folder();
    let routes = [("b", "x", RouteKind::Pass), ("b", "y", RouteKind::Pass)];
    let report = run(joined([Some(20), Some(20)], &routes, folder.path()));
    assert_eq!((report.outcome, report.graph.delivered, report.graph.bytes_copied), (Outcome::Finished, 40, 0));
    assert_eq!(report.pipes.iter().map(|pipe| pipe.pins[0].as_str()).collect::<Vec<_>>(), ["a.out", "b.out"]);
}

#[test]
fn it_ends_with_the_shorter_stream_and_ends_a_source_that_sends_to_nobody_else() {
    let folder = folder();
    for frames in [[Some(7), None], [None, Some(7)], [Some(7), Some(9)], [Some(0), None]] {
        let report = run(joined(frames, &[("a", "x", RouteKind::Pass)], folder.path()));
        assert_eq!(report.outcome, Outcome::Finished, "{frames:?}");
        let made = frames.into_iter().flatten().min().unwrap();
        assert_eq!(verified_numbers(&folder.path().join("x"), &format(NV12)), (0..made).collect::<Vec<u64>>());
    }
}

#[test]
fn a_branch_of_a_tee_goes_on_where_the_other_ends_in_a_join_that_has_ended() {
    let folder = folder();
    let mut graph = Graph::builder();
    add(&mut graph, "long", pattern(NV12, Some(50)), None);
    add(&mut graph, "short", pattern(NV12, Some(5)), None);
    add(&mut graph, "tee", Run::Tee, Some(RouteKind::Pass));
    add(&mut graph, "all", raw(&folder.path().join("all")), None);
    add(&mut graph, "some", raw(&folder.path().join("some")), None);
    graph.filter("join").run(Run::Join).route("i", "out", RouteKind::Pass);
    graph.filter("join").pin("i", Direction::In);
    graph.filter("join").pin("j", Direction::In);
    graph.filter("join").pin("out", Direction::Out);
    graph.connect("long.out", "tee.in").connect("tee.a", "join.i").connect("tee.b", "all.in");
    graph.connect("short.out", "join.j").connect("join.out", "some.in");
    let report = run(graph.build().unwrap());
    assert_eq!(report.outcome, Outcome::Finished);
    for (name, frames) in [("all", 50), ("some", 5)] {
        assert_eq!(verified_numbers(&folder.path().join(name), &format(NV12)), (0..frames).collect::<Vec<u64>>());
    }
}

#[test]
fn a_join_that_cannot_be_run_says_why() {
    let folder = folder();
    for (routes, expected) in [
        (&[("a", "x", RouteKind::Pass), ("b", "x", RouteKind::Pass)][..], "two routes lead to its pin `x`"),
        (&[("a", "x", RouteKind::InPlace)], "writes nothing"),
        (&[], "at least two in pins and one out pin"),
    ] {
        let error = prepare(joined([Some(1), Some(1)], routes, folder.path())).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(error.filter(), "join");
    }
}
