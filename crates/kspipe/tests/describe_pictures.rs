//! Pictures of plans: well-formed, complete, and legible.

#[path = "describe/graphs.rs"]
mod graphs;

use kspipe::graph::{Direction, FramingItem, Graph, RouteKind};
use kspipe::negotiate::{Plan, negotiate, plan_dot, plan_svg};
use ks::{KSMEMORY_TYPE_DEVICE_UNKNOWN, KSMEMORY_TYPE_KERNEL_NONPAGED, RequirementFlags};

/// A capture card, a tee, an encoder, a renderer that has its own memory: bridges, copies, several pipes.
fn studio() -> Graph {
    let mut graph = Graph::builder();
    graph.filter("capture-card").kernel().pin("video", Direction::Out).item(FramingItem {
        memory: KSMEMORY_TYPE_KERNEL_NONPAGED,
        frames: 5,
        ..FramingItem::exactly(829_440)
    });
    graph.filter("capture-card").kernel().pin("audio", Direction::Out).item(FramingItem::exactly(3840));
    graph.filter("tee").pin("in", Direction::In);
    for out in ["preview", "record", "analyse"] {
        graph.filter("tee").pin(out, Direction::Out);
        graph.filter("tee").route("in", out, RouteKind::Pass);
    }
    graph.filter("renderer").kernel().pin("in", Direction::In).item(FramingItem {
        memory: KSMEMORY_TYPE_DEVICE_UNKNOWN,
        frames: 3,
        requirements: RequirementFlags::MUST_ALLOCATE,
        ..FramingItem::default()
    });
    graph.filter("encoder").pin("video-in", Direction::In).holds(3);
    graph.filter("encoder").pin("out", Direction::Out).item(FramingItem { frames: 8, ..FramingItem::exactly(131_072) });
    graph.filter("encoder").route("video-in", "out", RouteKind::Copy);
    graph.filter("mux").pin("video", Direction::In).holds(2);
    graph.filter("mux").pin("audio", Direction::In);
    graph.filter("motion").pin("in", Direction::In);
    graph.filter("gain").pin("in", Direction::In);
    graph.filter("gain").pin("out", Direction::Out);
    graph.filter("gain").route("in", "out", RouteKind::InPlace);
    graph.connect("capture-card.video", "tee.in");
    graph.connect("tee.preview", "renderer.in");
    graph.connect("tee.record", "encoder.video-in");
    graph.connect("tee.analyse", "motion.in");
    graph.connect("encoder.out", "mux.video");
    graph.connect("capture-card.audio", "gain.in");
    graph.connect("gain.out", "mux.audio");
    graphs::build(&graph)
}

/// A chain of so many filters, in place and by copy in turn.
fn chain(length: usize) -> Graph {
    let mut graph = Graph::builder();
    for place in 0..length {
        let name = format!("stage-{place:02}");
        if place > 0 {
            graph.filter(&name).pin("in", Direction::In);
        }
        if place + 1 < length {
            graph.filter(&name).pin("out", Direction::Out);
            let next = format!("stage-{:02}.in", place + 1);
            graph.connect(&format!("{name}.out"), &next);
        }
        if place > 0 && place + 1 < length {
            let kind = if place % 5 == 0 { RouteKind::Copy } else { RouteKind::InPlace };
            graph.filter(&name).route("in", "out", kind);
        }
    }
    graphs::build(&graph)
}

/// So many sources, each through a tee to a writer, a mixer and a meter of its own.
fn mixer(sources: usize) -> Graph {
    let mut graph = Graph::builder();
    graph.filter("mixer").pin("out", Direction::Out).item(FramingItem::exactly(8192));
    for source in 0..sources {
        let (camera, tee, meter, effect) =
            (format!("camera-{source}"), format!("tee-{source}"), format!("meter-{source}"), format!("effect-{source}"));
        graph.filter(&camera).kernel().pin("out", Direction::Out).item(FramingItem::exactly(4096));
        graph.filter(&tee).pin("in", Direction::In);
        graph.filter(&tee).pin("a", Direction::Out);
        graph.filter(&tee).pin("b", Direction::Out);
        graph.filter(&tee).route("in", "a", RouteKind::Pass).route_pass_b();
        graph.filter(&meter).pin("in", Direction::In);
        graph.filter(&effect).pin("in", Direction::In);
        graph.filter(&effect).pin("out", Direction::Out);
        graph.filter(&effect).route("in", "out", RouteKind::InPlace);
        let input = format!("in-{source}");
        graph.filter("mixer").pin(&input, Direction::In);
        graph.filter("mixer").route(&input, "out", RouteKind::Copy);
        graph.connect(&format!("{camera}.out"), &format!("{tee}.in"));
        graph.connect(&format!("{tee}.a"), &format!("{meter}.in"));
        graph.connect(&format!("{tee}.b"), &format!("{effect}.in"));
        graph.connect(&format!("{effect}.out"), &format!("mixer.{input}"));
    }
    graph.filter("file").pin("in", Direction::In);
    graph.connect("mixer.out", "file.in");
    graphs::build(&graph)
}

trait Tee {
    fn route_pass_b(self) -> Self;
}
impl Tee for kspipe::graph::FilterBuilder<'_> {
    fn route_pass_b(self) -> Self {
        self.route("in", "b", RouteKind::Pass)
    }
}

fn planned(graph: Graph) -> (Graph, Plan) {
    let plan = negotiate(&graph).unwrap();
    (graph, plan)
}

fn all() -> Vec<(&'static str, Graph, Plan)> {
    [("camera", graphs::camera_overlay_recorder()), ("studio", studio()), ("chain", chain(60)), ("mixer", mixer(14))]
        .into_iter()
        .map(|(name, graph)| {
            let (graph, plan) = planned(graph);
            (name, graph, plan)
        })
        .collect()
}

#[test]
fn draw() {
    for (name, graph, plan) in all() {
        std::fs::write(format!("/tmp/pic-{name}.svg"), plan_svg(&graph, &plan)).unwrap();
        std::fs::write(format!("/tmp/pic-{name}.dot"), plan_dot(&graph, &plan)).unwrap();
        println!("{}", kspipe::negotiate::describe::plan_text(&graph, &plan, name == "studio"));
    }
}
