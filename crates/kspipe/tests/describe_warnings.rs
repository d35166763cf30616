//! Every warning's code: a graph that has it, and that it is documented.

#[path = "describe/graphs.rs"]
#[allow(dead_code)]
mod graphs;

use graphs::build;
use ks::{
    Guid, KSMEMORY_TYPE_DEVICE_UNKNOWN, KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_KERNEL_PAGED, RequirementFlags,
};
use kspipe::graph::{
    Compression, DeviceMemory, Direction, FrameRange, Framing, FramingItem, Graph, GraphBuilder, Mode, RouteKind,
    Strategy,
};
use kspipe::negotiate::describe::{CODES, warnings};
use kspipe::negotiate::{Warning, negotiate};

const PREFERS: RequirementFlags = RequirementFlags::PREFERENCES_ONLY;

/// `a.out -> b.in`, each with its side and its item.
fn pair(a: (Mode, FramingItem), b: (Mode, FramingItem)) -> Graph {
    pair_by(Strategy::MaximizeSpeed, a, b)
}

fn pair_by(strategy: Strategy, a: (Mode, FramingItem), b: (Mode, FramingItem)) -> Graph {
    let mut graph = Graph::builder();
    graph.strategy(strategy);
    graph.filter("a").mode(a.0).pin("out", Direction::Out).item(a.1);
    graph.filter("b").mode(b.0).pin("in", Direction::In).item(b.1);
    graph.connect("a.out", "b.in");
    build(&graph)
}

fn found(graph: &Graph) -> Vec<Warning> {
    warnings(graph, &negotiate(graph).unwrap())
}

/// The warnings as `CODE pin message`.
fn lines(graph: &Graph) -> Vec<String> {
    let name = |warning: &Warning| warning.pin.map_or("-".to_owned(), |pin| graph.pin_name(pin));
    found(graph).iter().map(|warning| format!("{} {} {}", warning.code, name(warning), warning.message)).collect()
}

fn any() -> FramingItem {
    FramingItem::default()
}

fn physical(min: u32, max: u32, step: u32) -> FramingItem {
    FramingItem { physical: FrameRange { min, max, step }, ..any() }
}

fn preferred(item: FramingItem) -> FramingItem {
    FramingItem { requirements: item.requirements | PREFERS, ..item }
}

/// A tee whose branches meet again, one behind a copy and a pin that keeps three frames; so many are asked for in the
/// other branch, where a sink of its own keeps some.
fn re_joined(frames: u32, side: u32) -> GraphBuilder {
    let mut graph = Graph::builder();
    graph.filter("src").pin("out", Direction::Out).item(FramingItem { frames, ..any() });
    graph.filter("tee").pin("in", Direction::In);
    for (pin, route) in [("copied", RouteKind::Copy), ("passed", RouteKind::Pass), ("side", RouteKind::Pass)] {
        graph.filter("tee").pin(pin, Direction::Out);
        graph.filter("tee").route("in", pin, route);
    }
    graph.filter("delay").route("in", "out", RouteKind::Pass).pin("in", Direction::In).holds(3);
    graph.filter("delay").pin("out", Direction::Out);
    graph.filter("join").pin("a", Direction::In);
    graph.filter("join").pin("b", Direction::In);
    graph.filter("side").pin("in", Direction::In).holds(side);
    graph.connect("src.out", "tee.in").connect("tee.copied", "delay.in").connect("delay.out", "join.a");
    graph.connect("tee.passed", "join.b").connect("tee.side", "side.in");
    graph
}

/// For each code, a graph, and what is said of it.
fn cases() -> Vec<(Graph, &'static [&'static str])> {
    use Mode::{Kernel, User};
    let memory = |memory| FramingItem { memory, ..any() };
    let must = FramingItem { requirements: RequirementFlags::MUST_ALLOCATE, ..any() };
    let optimal = |max| FramingItem { optimal: FrameRange { min: 0, max, step: 1 }, ..any() };
    let undeclared = Guid::from_u128(0x77);

    let mut lonely = Graph::builder();
    lonely.filter("a").pin("in", Direction::In);
    lonely.filter("b").pin("out", Direction::Out);

    let mut old = Graph::builder();
    let device = memory(KSMEMORY_TYPE_DEVICE_UNKNOWN);
    old.filter("a").kernel().pin("out", Direction::Out).framing(Framing::Old(Box::new(device.clone())));
    let host =
        FramingItem { requirements: RequirementFlags::SYSTEM_MEMORY | PREFERS, ..memory(KSMEMORY_TYPE_KERNEL_PAGED) };
    old.filter("b").kernel().pin("in", Direction::In).framing(Framing::Old(Box::new(host)));
    old.connect("a.out", "b.in");

    let mut idle = Graph::builder();
    let half = Compression { numerator: 1, denominator: 2, margin: 0 };
    idle.filter("a").pin("out", Direction::Out).compression(half);
    idle.filter("b").pin("in", Direction::In).compression(half);
    idle.connect("a.out", "b.in");

    let mut mixed = Graph::builder();
    mixed.filter("src").pin("out", Direction::Out);
    mixed.filter("tee").pin("in", Direction::In);
    for pin in ["x", "y"] {
        mixed.filter("tee").route("in", pin, RouteKind::Copy).pin(pin, Direction::Out);
        mixed.filter("mixer").route(pin, "out", RouteKind::Pass).pin(pin, Direction::In);
        mixed.connect(&format!("tee.{pin}"), &format!("mixer.{pin}"));
    }
    mixed.filter("mixer").pin("out", Direction::Out);
    mixed.filter("sink").pin("in", Direction::In);
    mixed.connect("src.out", "tee.in").connect("mixer.out", "sink.in");

    vec![
        (
            pair((Kernel, preferred(memory(KSMEMORY_TYPE_DEVICE_UNKNOWN))), (User, any())),
            &["KS001 a.out prefers device; the pipe holds user"],
        ),
        (
            pair((User, FramingItem::exactly(100)), (User, preferred(physical(200, u32::MAX, 1)))),
            &["KS002 b.in prefers frames of at least 200 bytes (PhysicalRange); the pipe's have 100"],
        ),
        (
            pair((User, FramingItem::exactly(100)), (User, preferred(FramingItem::exactly(200)))),
            &["KS002 b.in prefers frames of at least 200 bytes (FramingRange); the pipe's have 100"],
        ),
        (
            pair_by(Strategy::MinimizeFrames, (User, any()), (User, preferred(FramingItem { frames: 8, ..any() }))),
            &["KS003 b.in prefers 8 frames; the pipe has 1"],
        ),
        (
            pair((User, preferred(must.clone())), (User, preferred(must.clone()))),
            &["KS004 a.out prefers to allocate; b.in does"],
        ),
        (
            pair((Kernel, preferred(must)), (User, any())),
            &["KS004 a.out prefers to allocate; the default allocator does"],
        ),
        (
            build(&lonely),
            &[
                "KS005 a.in is not connected: no frames come to it",
                "KS005 b.out is not connected: nobody gets its frames",
            ],
        ),
        (
            build(&old),
            &[
                "KS006 a.out its KSALLOCATOR_FRAMING leaves KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY clear, which asks for \
                 device memory of the sink",
                "KS001 b.in prefers kernel-paged; the pipe holds device",
            ],
        ),
        (
            pair((User, FramingItem::exactly(200)), (User, preferred(physical(0, 100, 1)))),
            &["KS007 b.in prefers frames of at most 100 bytes (PhysicalRange); the pipe's have 200"],
        ),
        (
            pair((User, FramingItem::exactly(200)), (User, preferred(physical(10, 1000, 64)))),
            &["KS008 b.in prefers sizes of 10 + k * 64 (PhysicalRange); the pipe's frames have 200 bytes"],
        ),
        (
            pair((User, FramingItem::exactly(200)), (User, optimal(100))),
            &["KS009 b.in likes frames of at most 100 bytes (FramingRange); the pipe's have 200"],
        ),
        (
            pair((User, physical(100, 1000, 1)), (User, physical(500, 800, 7))),
            &[
                "KS010 b.in its PhysicalRange (500 to 800, step 7) makes the pipe's frames 500 bytes; without it they would \
               have 100",
            ],
        ),
        (
            pair((User, physical(100, 1000, 1)), (User, preferred(physical(500, 800, 1)))),
            &[
                "KS010 b.in its PhysicalRange (500 to 800, step 1) makes the pipe's frames 500 bytes; without it they would \
               have 100",
            ],
        ),
        (
            pair((User, FramingItem::exactly(3_000_000_000)), (User, any())),
            &["KS011 - pipe 0: cbBuffer is 3000000000; a COM allocator has room for 2147483647"],
        ),
        (
            pair((Kernel, memory(undeclared)), (Kernel, preferred(any()))),
            &[
                "KS012 a.out asks for memory of the type {00000000-0000-0000-0000-000000000077}, which the graph does not \
                 declare: nobody is taken to map it",
                "KS001 b.in prefers memory its side can reach; the pipe holds {00000000-0000-0000-0000-000000000077}",
            ],
        ),
        (
            build(&idle),
            &[
                "KS013 a.out states a compression, but no route leads to it",
                "KS013 b.in states a compression, which means nothing at an in pin",
            ],
        ),
        (
            pair((Kernel, memory(KSMEMORY_TYPE_KERNEL_NONPAGED)), (User, any())),
            &["KS014 a.out asks kernel-nonpaged; the pipe has a user-mode pin, so locked user memory is used"],
        ),
        (
            pair((Kernel, preferred(memory(KSMEMORY_TYPE_KERNEL_PAGED))), (User, any())),
            &["KS014 a.out asks kernel-paged; the pipe has a user-mode pin, so locked user memory is used"],
        ),
        (
            build(&re_joined(0, 0)),
            &[
                "KS030 src.out pipe 0 has 1 frame and needs 4, or the graph stalls: `src` waits for a free frame of pipe 0, \
                 its only one out, until `join` gives one back; `join` for a frame from `src` by way of `tee`, `delay`; \
                 meanwhile delay.in keeps 3",
            ],
        ),
        (
            build(&re_joined(4, 1)),
            &[
                "KS031 src.out pipe 0 has 4 frames and needs 5, or the graph stalls, where filters keep any frames, as many \
                 as they may, and send only once they have all they acquire: `src` waits for a free frame of pipe 0, all 4 \
                 out, until `join` gives one back; `join` for a frame from `src` by way of `tee`, `delay`; meanwhile \
                 delay.in keeps 3, side.in keeps 1",
            ],
        ),
        (
            build(&mixed),
            &["KS032 - tee.x, tee.y all take frames of pipe 1: whether each always gets one is not proven"],
        ),
    ]
}

#[test]
fn each_code_says_what_it_is_about_and_what_to_do() {
    for (graph, expected) in cases() {
        assert_eq!(lines(&graph), expected);
        for warning in found(&graph) {
            assert!(!warning.help.is_empty() && !warning.help.contains('\n'), "{warning:?}");
        }
    }
}

#[test]
fn every_code_has_a_case() {
    let all: Vec<&str> = cases().iter().flat_map(|(graph, _)| found(graph)).map(|warning| warning.code).collect();
    for code in CODES {
        assert!(all.contains(&code.code), "no case for {}", code.code);
    }
}

#[test]
fn what_is_met_is_not_warned_of() {
    let guid = Guid::from_u128(0x77);
    let mut graph = Graph::builder();
    graph.memory(guid, DeviceMemory { name: "vram".to_owned(), host_mappable: true, user_mappable: true });
    let item =
        FramingItem { memory: guid, frames: 3, alignment: 64, requirements: PREFERS, ..FramingItem::exactly(640) };
    graph.filter("a").kernel().pin("out", Direction::Out).item(item.clone());
    graph.filter("b").pin("in", Direction::In).item(item);
    graph.connect("a.out", "b.in");
    assert_eq!(lines(&build(&graph)), [] as [String; 0]);
    // An in pin's range that other pins' asks meet decides nothing.
    let graph = pair((Mode::User, FramingItem::exactly(640)), (Mode::User, physical(1, 1000, 1)));
    assert_eq!(lines(&graph), [] as [String; 0]);
}

#[test]
fn departures_of_the_cost_are_the_warnings_of_departures() {
    let departures = ["KS001", "KS002", "KS003", "KS004"];
    for (graph, _) in cases() {
        let plan = negotiate(&graph).unwrap();
        let counted = found(&graph).iter().filter(|warning| departures.contains(&warning.code)).count();
        assert_eq!(counted as u128, plan.cost.departures, "{:?}", lines(&graph));
    }
}

#[test]
fn the_page_has_every_code_with_its_title() {
    let page = include_str!("../../../docs/plan.md");
    for code in CODES {
        assert!(page.contains(&format!("| {} | {} |", code.code, code.title)), "docs/plan.md lacks {code:?}");
    }
}
