//! Who holds the frames of pipes that processes share, and by which number.
#![cfg(target_os = "linux")]

mod stream_support;

use kspipe::allocator::shared::Holder;
use kspipe::graph::{Direction, FilterId, Graph, PixelFormat, RouteKind, Run};
use kspipe::negotiate::PipeId;
use kspipe::stream::{Part, Prepared, Process, RunError, RunOptions, Sharing, SharingError, prepare};
use stream_support::{graph, pattern, plan};

const PASS: Option<RouteKind> = Some(RouteKind::Pass);

fn source() -> Run {
    pattern(PixelFormat::I420, Some(1))
}

fn filters(graph: &Graph, names: &[&str]) -> Vec<FilterId> {
    names.iter().map(|name| graph.find_filter(name).unwrap()).collect()
}

/// Every holder, pipe by pipe, as `pipe: pin [<- the pin its sender is]`.
fn described(prepared: &Prepared, sharing: &Sharing) -> Vec<String> {
    let mut lines = Vec::new();
    for (id, pipe) in sharing.pipes() {
        let name = |holder: Holder| {
            let pin = pipe.holders().find(|(of, _, _)| *of == holder).map(|(_, pin, _)| pin);
            prepared.graph().pin_name(pin.unwrap())
        };
        assert!(pipe.holders().map(|(holder, _, _)| holder).eq(pipe.properties().holders()));
        for (holder, pin, _) in pipe.holders() {
            assert_eq!(pipe.holder(pin), Some(holder));
            let sender = pipe.properties().sender_of(holder);
            lines.push(match sender {
                Some(sender) => format!("{}: {} <- {}", id.0, name(holder), name(sender)),
                None => format!("{}: {}", id.0, name(holder)),
            });
        }
    }
    lines
}

fn chain(route: RouteKind) -> Graph {
    let filters = vec![("a", source(), None), ("b", Run::Invert, Some(route)), ("c", Run::Discard, None)];
    graph(filters, &[("a.out", "b.in"), ("b.out", "c.in")])
}

fn tees() -> Graph {
    let filters = vec![
        ("a", source(), None),
        ("t", Run::Tee, PASS),
        ("u", Run::Tee, PASS),
        ("x", Run::Discard, None),
        ("y", Run::Discard, None),
        ("z", Run::Discard, None),
    ];
    graph(filters, &[("a.out", "t.in"), ("t.a", "x.in"), ("t.b", "u.in"), ("u.a", "y.in"), ("u.b", "z.in")])
}

#[test]
fn holders_are_the_in_pins_at_boundaries_and_who_acquires_for_them() {
    type Names = &'static [&'static str];
    let cases: [(Graph, Names, Names, Names); 8] = [
        (chain(RouteKind::InPlace), &[], &[], &[]),
        (chain(RouteKind::InPlace), &[], &["b"], &["0: b.in <- a.out", "0: c.in <- b.in", "0: a.out"]),
        (chain(RouteKind::InPlace), &[], &["c"], &["0: c.in <- a.out", "0: a.out"]),
        (chain(RouteKind::InPlace), &[], &["a", "c"], &["0: b.in <- a.out", "0: c.in <- b.in", "0: a.out"]),
        (chain(RouteKind::Copy), &[], &["c"], &["1: c.in <- b.out", "1: b.out"]),
        (chain(RouteKind::Copy), &[], &["b"], &["0: b.in <- a.out", "0: a.out", "1: c.in <- b.out", "1: b.out"]),
        // Who sends over a bridge acquires beyond it, and the pipe before it stays its own.
        (chain(RouteKind::InPlace), &["b.out"], &["c"], &["1: c.in <- b.out", "1: b.out"]),
        // Within a process a frame keeps the holder that it came by, however many filters it goes through.
        (tees(), &[], &["x", "y"], &["0: x.in <- a.out", "0: y.in <- a.out", "0: a.out"]),
    ];
    for (graph, bridges, outside, expected) in cases {
        let prepared = prepare(graph).unwrap();
        let plan = plan(prepared.graph(), 4, bridges, &[]);
        let sharing = prepared.sharing(&plan, &filters(prepared.graph(), outside)).unwrap();
        assert_eq!(described(&prepared, &sharing), expected, "outside: {outside:?}");
        assert_eq!(sharing.processes().count(), 1 + outside.len());
    }
}

#[test]
fn every_holder_is_of_one_process() {
    let prepared = prepare(tees()).unwrap();
    let plan = plan(prepared.graph(), 4, &[], &[]);
    let outside = filters(prepared.graph(), &["u", "x"]);
    let sharing = prepared.sharing(&plan, &outside).unwrap();
    let pipe = sharing.pipe_of(PipeId(0)).unwrap();
    let named = |process| -> Vec<String> {
        let of_process = pipe.holders().filter(|(_, _, of)| *of == process);
        of_process.map(|(_, pin, _)| prepared.graph().pin_name(pin)).collect()
    };
    assert_eq!(named(Process::Server), ["y.in", "z.in", "a.out"]);
    assert_eq!(named(Process::Of(outside[0])), ["u.in"]);
    assert_eq!(named(Process::Of(outside[1])), ["x.in"]);
    let all: usize = sharing.processes().map(|process| pipe.holders_of(process).count()).sum();
    assert_eq!(all, pipe.holders().count());
}

/// A tee of so many branches, each a sink.
fn wide(branches: usize) -> Graph {
    let mut builder = Graph::builder();
    builder.filter("a").run(source()).pin("out", Direction::Out);
    builder.filter("t").run(Run::Tee).pin("in", Direction::In);
    builder.connect("a.out", "t.in");
    for branch in 0..branches {
        let (pin, sink) = (format!("b{branch:02}"), format!("s{branch:02}"));
        builder.filter("t").pin(&pin, Direction::Out);
        builder.filter("t").route("in", &pin, RouteKind::Pass);
        builder.filter(&sink).run(Run::Discard).pin("in", Direction::In);
        builder.connect(&format!("t.{pin}"), &format!("{sink}.in"));
    }
    builder.build().unwrap()
}

#[test]
fn a_pipe_goes_to_32_in_pins_of_other_processes_and_a_33rd_is_an_error_that_names_them() {
    for (branches, fits) in [(32, true), (33, false)] {
        let prepared = prepare(wide(branches)).unwrap();
        let plan = plan(prepared.graph(), 2, &[], &[]);
        let outside: Vec<_> =
            (0..branches).map(|it| prepared.graph().find_filter(&format!("s{it:02}")).unwrap()).collect();
        match prepared.sharing(&plan, &outside) {
            Ok(sharing) => assert_eq!((fits, sharing.pipe_of(PipeId(0)).unwrap().holders().count()), (true, 33)),
            Err(error) => {
                assert!(!fits, "{error}");
                let text = error.to_string();
                assert!(text.contains("33 pins") && text.contains("s00.in") && text.contains("s32.in"), "{text}");
            }
        }
        // In one process they cost nothing.
        assert!(prepared.sharing(&plan, &[]).unwrap().pipes().next().is_none());
    }
}

#[test]
fn frames_of_a_pipe_are_acquired_for_8_pins_and_a_ninth_is_an_error_that_names_them() {
    for (sources, fits) in [(8, true), (9, false)] {
        let names: Vec<_> = (0..sources).map(|it| (format!("a{it}"), format!("s{it}"))).collect();
        let mut builder = Graph::builder();
        for (source_name, sink) in &names {
            builder.filter(source_name).run(source()).pin("out", Direction::Out);
            builder.filter(sink).run(Run::Discard).pin("in", Direction::In);
            builder.connect(&format!("{source_name}.out"), &format!("{sink}.in"));
        }
        let prepared = prepare(builder.build().unwrap()).unwrap();
        // All in one pipe.
        let mut plan = plan(prepared.graph(), 9, &[], &[]);
        plan.pipes.truncate(1);
        plan.pipes[0].pins = prepared.graph().pin_ids().collect();
        plan.pipe_of.fill(PipeId(0));
        let sharing = prepared.sharing(&plan, &filters(prepared.graph(), &["s0"]));
        let text = sharing.as_ref().map(|_| String::new()).unwrap_or_else(ToString::to_string);
        assert_eq!(sharing.is_ok(), fits, "{text}");
        assert!(fits || (text.contains("9 pins") && text.contains("a0.out") && text.contains("a8.out")), "{text}");
    }
}

#[test]
fn memory_that_processes_cannot_map_is_an_error_only_where_they_would_share_it() {
    let prepared = prepare(chain(RouteKind::InPlace)).unwrap();
    let mut plan = plan(prepared.graph(), 2, &[], &[]);
    plan.pipes[0].memory_type = ks::KSMEMORY_TYPE_KERNEL_NONPAGED;
    let outside = filters(prepared.graph(), &["c"]);
    let error = prepared.sharing(&plan, &outside).unwrap_err();
    assert!(matches!(error, SharingError::MemoryType { pipe: 0, .. }), "{error}");
    assert!(prepared.sharing(&plan, &[]).is_ok());
}

#[test]
fn a_part_without_its_pool_does_not_start() {
    let prepared = prepare(chain(RouteKind::InPlace)).unwrap();
    let plan = plan(prepared.graph(), 2, &[], &[]);
    let sharing = prepared.sharing(&plan, &filters(prepared.graph(), &["c"])).unwrap();
    let part = Part { sharing: &sharing, process: Process::Server, pools: &[] };
    let error = prepared.start_part(&plan, RunOptions::default(), part).unwrap_err();
    assert!(matches!(error, RunError::Sharing { pipe: 0, .. }), "{error}");
}
