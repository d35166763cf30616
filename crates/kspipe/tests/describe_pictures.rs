//! Pictures of plans: well-formed, complete, and legible.

#[path = "describe/graphs.rs"]
#[allow(dead_code)]
mod graphs;

use ks::{KSMEMORY_TYPE_DEVICE_UNKNOWN, KSMEMORY_TYPE_KERNEL_NONPAGED, RequirementFlags};
use kspipe::graph::{Direction, FramingItem, Graph, RouteKind};
use kspipe::negotiate::{Plan, negotiate, plan_dot, plan_svg};

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
        let (camera, tee, meter, effect) = (
            format!("camera-{source}"),
            format!("tee-{source}"),
            format!("meter-{source}"),
            format!("effect-{source}"),
        );
        graph.filter(&camera).kernel().pin("out", Direction::Out).item(FramingItem::exactly(4096));
        graph.filter(&tee).pin("in", Direction::In);
        graph.filter(&tee).pin("a", Direction::Out);
        graph.filter(&tee).pin("b", Direction::Out);
        graph.filter(&tee).route("in", "a", RouteKind::Pass).route("in", "b", RouteKind::Pass);
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

/// Whether two boxes, each x, y, width and height, have a point in common.
fn overlap(a: [f64; 4], b: [f64; 4]) -> bool {
    a[0] < b[0] + b[2] && b[0] < a[0] + a[2] && a[1] < b[1] + b[3] && b[1] < a[1] + a[3]
}

fn with_class<'a>(
    document: &'a roxmltree::Document<'a>,
    tag: &'a str,
    class: &'a str,
) -> impl Iterator<Item = roxmltree::Node<'a, 'a>> {
    document.descendants().filter(move |node| {
        node.has_tag_name(("http://www.w3.org/2000/svg", tag))
            && node.attribute("class").is_some_and(|classes| classes.split(' ').any(|other| other == class))
    })
}

fn boxes(document: &roxmltree::Document<'_>) -> Vec<[f64; 4]> {
    let number = |node: roxmltree::Node<'_, '_>, name| node.attribute(name).unwrap().parse::<f64>().unwrap();
    with_class(document, "rect", "box")
        .map(|node| ["x", "y", "width", "height"].map(|name| number(node, name)))
        .collect()
}

#[test]
fn a_picture_has_each_filter_pin_and_connection_once() {
    for (name, graph, plan) in all() {
        let svg = plan_svg(&graph, &plan);
        let document = roxmltree::Document::parse(&svg).unwrap();
        let boxes = boxes(&document);
        assert_eq!(boxes.len(), graph.filters().len(), "{name}");
        for (place, first) in boxes.iter().enumerate() {
            assert!(boxes[..place].iter().all(|second| !overlap(*first, *second)), "{name}: boxes overlap");
        }
        assert_eq!(with_class(&document, "text", "pin").count(), graph.pins().len(), "{name}");
        let titles: Vec<&str> = document
            .descendants()
            .filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "title")))
            .filter_map(|node| node.text())
            .collect();
        for connection in graph.connections() {
            let ends = format!("{} -> {}: ", graph.pin_name(connection.from), graph.pin_name(connection.to));
            assert_eq!(titles.iter().filter(|title| title.starts_with(&ends)).count(), 1, "{name}: {ends}");
        }
        let bridges = titles.iter().filter(|title| title.contains(": a bridge, copies")).count();
        assert_eq!(bridges, plan.bridges.len(), "{name}");
        for pipe in 0..plan.pipes.len().min(48) {
            assert!(svg.contains(&format!(">pipe {pipe}</text>")), "{name}: the legend lacks pipe {pipe}");
        }
    }
}

#[test]
fn everything_stands_inside_the_picture() {
    for (name, graph, plan) in all() {
        let svg = plan_svg(&graph, &plan);
        let document = roxmltree::Document::parse(&svg).unwrap();
        let size = |name| document.root_element().attribute(name).unwrap().parse::<f64>().unwrap();
        for [x, y, width, height] in boxes(&document) {
            assert!(x >= 0.0 && y >= 0.0 && x + width <= size("width") && y + height <= size("height"), "{name}");
        }
        for text in with_class(&document, "text", "text") {
            let y: f64 = text.attribute("y").unwrap().parse().unwrap();
            assert!(y > 0.0 && y < size("height"), "{name}: {:?}", text.text());
        }
    }
}

#[test]
fn long_chains_are_broken_into_lines() {
    let (graph, plan) = planned(chain(60));
    let svg = plan_svg(&graph, &plan);
    let document = roxmltree::Document::parse(&svg).unwrap();
    let mut lines: Vec<i64> = boxes(&document).iter().map(|[_, y, ..]| *y as i64).collect();
    lines.dedup();
    assert_eq!(lines.len(), 8, "60 filters, eight in a line");
}

#[test]
fn no_name_breaks_a_picture() {
    let nasty = [
        "<script>alert(1)</script>",
        "a\"b\\c",
        "]]>&amp;",
        "tab\there\u{1}\u{FFFF}",
        "名前が長い名前が長い名前が長い名前が長い",
        "{x|y}<z>",
    ];
    for name in nasty {
        let mut graph = Graph::builder();
        graph.filter(name).pin(name, Direction::Out).item(FramingItem::exactly(4));
        graph.filter("sink").pin("in", Direction::In);
        graph.connect(&format!("{name}.{name}"), "sink.in");
        let (graph, plan) = planned(graphs::build(&graph));
        let svg = plan_svg(&graph, &plan);
        let document = roxmltree::Document::parse(&svg).unwrap();
        assert!(document.descendants().all(|node| node.tag_name().name() != "script"), "{svg}");
        assert_eq!(boxes(&document).len(), 2);
        let dot = plan_dot(&graph, &plan);
        let quotes = dot.replace("\\\\", "").replace("\\\"", "").matches('"').count();
        assert_eq!(quotes % 2, 0, "quotes are paired:\n{dot}");
    }
}

#[test]
fn filters_that_feed_each_other_in_a_circle_are_drawn() {
    // Frames do not go round: b.in has no route to b.back.
    let mut graph = Graph::builder();
    graph.filter("a").pin("out", Direction::Out);
    graph.filter("a").pin("in", Direction::In);
    graph.filter("a").pin("more", Direction::In);
    graph.filter("b").pin("in", Direction::In);
    graph.filter("b").pin("back", Direction::Out);
    graph.filter("b").pin("self", Direction::Out);
    graph.connect("a.out", "b.in").connect("b.back", "a.in").connect("b.self", "a.more");
    let (graph, plan) = planned(graphs::build(&graph));
    let svg = plan_svg(&graph, &plan);
    assert_eq!(boxes(&roxmltree::Document::parse(&svg).unwrap()).len(), 2);
}

#[test]
fn an_empty_graph_and_a_huge_one_are_drawn() {
    let (graph, plan) = planned(graphs::build(&Graph::builder()));
    roxmltree::Document::parse(&plan_svg(&graph, &plan)).unwrap();
    assert!(plan_dot(&graph, &plan).starts_with("digraph plan {"));
    let (graph, plan) = planned(chain(5000));
    assert_eq!(boxes(&roxmltree::Document::parse(&plan_svg(&graph, &plan)).unwrap()).len(), 5000);
}

#[test]
fn dot_has_each_connection_with_its_pins() {
    let (graph, plan) = planned(studio());
    let dot = plan_dot(&graph, &plan);
    assert_eq!(dot.matches(" -> ").count(), graph.connections().len());
    assert_eq!(dot.matches("style = dashed").count(), plan.bridges.len());
    assert!(dot.contains("label = \"copy 829.44 kB\""), "{dot}");
    assert!(dot.contains("in *"), "the renderer allocates:\n{dot}");
}

#[test]
fn pictures_do_not_depend_on_when_they_are_drawn() {
    let (graph, plan) = planned(mixer(5));
    assert_eq!(plan_svg(&graph, &plan), plan_svg(&graph, &plan));
    assert_eq!(plan_dot(&graph, &plan), plan_dot(&graph, &plan));
}
