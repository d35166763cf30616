//! The graphs that are run in several processes.

use crate::stream_support::{graph, pattern};
use kspipe::graph::{FilterId, Graph, PixelFormat, RouteKind, Run};

/// A graph, and which of its filters are in a process of their own.
pub(crate) struct Shared {
    pub(crate) name: &'static str,
    make: fn() -> Graph,
    /// Frames of each pipe.
    pub(crate) frames: u64,
    /// Out pins at a bridge.
    pub(crate) bridges: &'static [&'static str],
    outside: &'static [&'static str],
}

impl Shared {
    pub(crate) fn graph(&self) -> Graph {
        (self.make)()
    }

    pub(crate) fn outside(&self) -> Vec<FilterId> {
        let graph = self.graph();
        self.outside.iter().map(|name| filter(&graph, name)).collect()
    }
}

pub(crate) fn filter(graph: &Graph, name: &str) -> FilterId {
    graph.find_filter(name).unwrap_or_else(|| panic!("no filter `{name}`"))
}

pub(crate) fn by_name(name: &str) -> Shared {
    let others = [ENDLESS, BROKEN];
    all().into_iter().chain(others).find(|graph| graph.name == name).unwrap_or_else(|| panic!("no graph `{name}`"))
}

const FRAMES: Option<u64> = Some(300);
const PASS: Option<RouteKind> = Some(RouteKind::Pass);
const IN_PLACE: Option<RouteKind> = Some(RouteKind::InPlace);
const COPY: Option<RouteKind> = Some(RouteKind::Copy);

fn source(frames: Option<u64>) -> (&'static str, Run, Option<RouteKind>) {
    ("a", pattern(PixelFormat::I420, frames), None)
}

fn checksum(name: &'static str) -> (&'static str, Run, Option<RouteKind>) {
    (name, Run::Checksum { path: None }, None)
}

fn chain(route: Option<RouteKind>) -> Graph {
    graph(vec![source(FRAMES), ("b", Run::Invert, route), checksum("c")], &[("a.out", "b.in"), ("b.out", "c.in")])
}

/// The tees of two branches, one in the other: three sinks.
fn tees() -> Graph {
    let filters =
        vec![source(FRAMES), ("t", Run::Tee, PASS), ("u", Run::Tee, PASS), checksum("x"), checksum("y"), checksum("z")];
    graph(filters, &[("a.out", "t.in"), ("t.a", "x.in"), ("t.b", "u.in"), ("u.a", "y.in"), ("u.b", "z.in")])
}

fn fork(frames: Option<u64>, first: (&'static str, Run, Option<RouteKind>)) -> Graph {
    let name = format!("{}.in", first.0);
    let filters = vec![source(frames), ("t", Run::Tee, PASS), first, checksum("y")];
    graph(filters, &[("a.out", "t.in"), ("t.a", &name), ("t.b", "y.in")])
}

/// Runs until it is stopped. The sink `x` is outside.
pub(crate) const ENDLESS: Shared =
    Shared { name: "endless", make: || fork(None, checksum("x")), frames: 4, bridges: &[], outside: &["x"] };

/// The sink `x`, which is outside, can write nothing.
pub(crate) const BROKEN: Shared = Shared {
    name: "broken",
    make: || fork(FRAMES, ("x", Run::RawSink { path: "/dev/full".into() }, None)),
    frames: 4,
    bridges: &[],
    outside: &["x"],
};

pub(crate) fn all() -> Vec<Shared> {
    let shared = |name, make, frames, bridges, outside| Shared { name, make, frames, bridges, outside };
    let in_place: fn() -> Graph = || chain(IN_PLACE);
    let copying: fn() -> Graph = || chain(COPY);
    let holding: fn() -> Graph = || {
        let filters = vec![source(FRAMES), ("b", Run::Hold { frames: 2 }, PASS), checksum("c")];
        graph(filters, &[("a.out", "b.in"), ("b.out", "c.in")])
    };
    vec![
        shared("through_two_other_processes", in_place, 4, &[], &["b", "c"]),
        shared("through_two_other_processes_with_one_frame", in_place, 1, &[], &["b", "c"]),
        shared("from_another_process_and_on_to_a_third", in_place, 4, &[], &["a", "c"]),
        shared("every_filter_is_outside", in_place, 3, &[], &["a", "b", "c"]),
        shared("out_and_back", in_place, 2, &[], &["b"]),
        shared("a_copy_in_another_process", copying, 3, &[], &["b"]),
        shared("a_copy_between_two_other_processes", copying, 3, &[], &["a", "c"]),
        shared("a_bridge_into_another_process", in_place, 3, &["a.out"], &["b"]),
        shared("a_bridge_out_of_another_process", in_place, 3, &["b.out"], &["b"]),
        shared("frames_kept_back_in_another_process", holding, 5, &[], &["b"]),
        shared("both_branches_of_a_tee", tees, 4, &[], &["y", "z"]),
        shared("branches_of_two_tees", tees, 4, &[], &["x", "y"]),
        shared("every_branch", tees, 4, &[], &["x", "y", "z"]),
        shared("a_tee_in_another_process", tees, 4, &[], &["t"]),
        shared("a_tee_behind_a_tee_in_another_process", tees, 1, &[], &["u", "x"]),
    ]
}
