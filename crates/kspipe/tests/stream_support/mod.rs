//! Graphs and plans made by hand, for tests of streaming alone.
#![allow(dead_code, reason = "each test file uses some of it")]

use kspipe::graph::{Bridges, Connection, Direction, Graph, GraphBuilder, PixelFormat, Rate, RouteKind, Run};
use kspipe::negotiate::{
    AllocatorChoice, AllocatorKind, AllocatorPlace, Bridge, Cost, Pipe, PipeId, Plan, RouteChoice,
};
use kspipe::stream::pattern::Pattern;
use kspipe::stream::{MediaFormat, Prepared, Report, RunOptions, prepare};
use std::path::{Path, PathBuf};

pub(crate) const RATE: Rate = Rate { numerator: 30, denominator: 1 };

/// A small format with odd sizes.
pub(crate) fn format(pixels: PixelFormat) -> MediaFormat {
    MediaFormat::new(pixels, 37, 19, RATE).unwrap()
}

pub(crate) fn pattern(pixels: PixelFormat, frames: Option<u64>) -> Run {
    let MediaFormat { width, height, rate, .. } = format(pixels);
    Run::Pattern { format: pixels, width, height, rate, frames }
}

pub(crate) fn raw(path: &Path) -> Run {
    Run::RawSink { path: path.to_owned() }
}

/// The test media.
pub(crate) fn clip() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/media/bigbuckbunny-320x180-24.y4m")
}

/// Adds a filter with the pins and the route its `run` has.
pub(crate) fn add(graph: &mut GraphBuilder, name: &str, run: Run, route: Option<RouteKind>) {
    let (ins, outs): (&[&str], &[&str]) = match &run {
        Run::Pattern { .. } | Run::Y4mSource { .. } | Run::RawSource { .. } => (&[], &["out"]),
        Run::Tee => (&["in"], &["a", "b"]),
        Run::Invert | Run::Convert | Run::Hold { .. } => (&["in"], &["out"]),
        _ => (&["in"], &[]),
    };
    graph.filter(name).run(run);
    for pin in ins {
        graph.filter(name).pin(pin, Direction::In);
    }
    for pin in outs {
        graph.filter(name).pin(pin, Direction::Out);
        if let Some(route) = route {
            graph.filter(name).route("in", pin, route);
        }
    }
}

/// A graph: filters with their routes, and connections `a.out -> b.in`.
pub(crate) fn graph(filters: Vec<(&str, Run, Option<RouteKind>)>, connections: &[(&str, &str)]) -> Graph {
    let mut graph = Graph::builder();
    graph.bridges(Bridges::Allow);
    for (name, run, route) in filters {
        add(&mut graph, name, run, route);
    }
    for (from, to) in connections {
        graph.connect(from, to);
    }
    graph.build().unwrap()
}

/// A plan for a graph: its pipes as what is joined, each with so many frames; `bridges` by their out pins, `copied` the
/// `either` routes taken as copies, by their in pins.
pub(crate) fn plan(graph: &Graph, frames: u64, bridges: &[&str], copied: &[&str]) -> Plan {
    let pins = graph.pins().len();
    let mut pipe_of: Vec<usize> = (0..pins).collect();
    let mut plan = Plan {
        strategy: graph.strategy(),
        proven: 0,
        pipes: Vec::new(),
        items: vec![None; pins],
        pipe_of: Vec::new(),
        bridges: Vec::new(),
        copies: Vec::new(),
        cost: Cost::default(),
    };
    let mut join = |a: usize, b: usize| {
        let (from, to) = (pipe_of[a], pipe_of[b]);
        for pipe in pipe_of.iter_mut().filter(|pipe| **pipe == to) {
            *pipe = from;
        }
    };
    for connection in graph.connections() {
        let Connection { from, to } = *connection;
        if bridges.contains(&graph.pin_name(from).as_str()) {
            plan.bridges.push(Bridge { connection: *connection, bytes: 0 });
        } else {
            join(from.index(), to.index());
        }
    }
    for route in graph.routes() {
        let chosen = route.kind == RouteKind::Either && copied.contains(&graph.pin_name(route.from).as_str());
        if chosen || route.kind == RouteKind::Copy {
            plan.copies.push(RouteChoice { route: *route, chosen, bytes: 0 });
        } else {
            join(route.from.index(), route.to.index());
        }
    }
    let mut names: Vec<usize> = pipe_of.clone();
    names.sort_unstable();
    names.dedup();
    for name in &names {
        let members: Vec<_> = graph.pin_ids().filter(|pin| pipe_of[pin.index()] == *name).collect();
        plan.pipes.push(Pipe {
            mode: graph.mode(members[0]),
            memory_type: ks::KSMEMORY_TYPE_USER,
            frames,
            frame_size: members.iter().filter_map(|pin| graph.pin(*pin).media_size()).max().unwrap_or(1),
            alignment: 64,
            prefix: 0,
            allocator: AllocatorChoice { kind: AllocatorKind::Default, pin: None, place: AllocatorPlace::None },
            pins: members,
        });
    }
    plan.pipe_of = pipe_of.iter().map(|pipe| PipeId(names.binary_search(pipe).unwrap() as u32)).collect();
    plan
}

/// Prepares, plans, runs and waits; checks what holds of every run.
pub(crate) fn run(graph: Graph, frames: u64, bridges: &[&str], copied: &[&str], options: RunOptions) -> Report {
    let prepared: Prepared = prepare(graph).unwrap();
    let plan = plan(prepared.graph(), frames, bridges, copied);
    let report = prepared.start(&plan, options).unwrap().wait();
    assert!(report.all_frames_home(), "{report:#?}");
    report
}

/// The numbers of the pattern's pictures in a file of raw frames, each verified byte by byte.
pub(crate) fn verified_numbers(path: &Path, format: &MediaFormat) -> Vec<u64> {
    let pattern = Pattern::new(format).unwrap();
    let bytes = std::fs::read(path).unwrap();
    let frames = bytes.chunks_exact(format.frame_bytes());
    assert!(frames.remainder().is_empty(), "half a frame in {}", path.display());
    frames
        .map(|frame| {
            let number = kspipe::stream::pattern::read_number(frame).unwrap();
            pattern.verify(frame, number).unwrap();
            number
        })
        .collect()
}

/// A folder for what a test writes.
pub(crate) fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}
