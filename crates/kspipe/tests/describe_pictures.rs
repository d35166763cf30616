//! Pictures of plans: well-formed, complete, and legible.

#[path = "pictures/geometry.rs"]
mod geometry;
#[path = "describe/graphs.rs"]
#[allow(dead_code)]
mod graphs;

use geometry::{Picture, has_class};
use ks::{KSMEMORY_TYPE_DEVICE_UNKNOWN, KSMEMORY_TYPE_KERNEL_NONPAGED, RequirementFlags};
use kspipe::graph::{Direction, FramingItem, Graph, RouteKind};
use kspipe::negotiate::{NegotiateError, Plan, conflict_dot, conflict_svg, negotiate, plan_dot, plan_svg};
use proptest::prelude::*;

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

/// Writes a picture where a person asks for it, to look at: `KSPIPE_PICTURES=DIRECTORY`.
fn looked_at(name: &str, svg: String) -> String {
    if let Some(directory) = std::env::var_os("KSPIPE_PICTURES") {
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(std::path::Path::new(&directory).join(format!("{name}.svg")), &svg).unwrap();
    }
    svg
}

/// The pictures by name, each read back.
fn pictures() -> Vec<(&'static str, Graph, Plan, String, Picture)> {
    all()
        .into_iter()
        .map(|(name, graph, plan)| {
            let svg = looked_at(name, plan_svg(&graph, &plan));
            let picture = Picture::of(&svg);
            (name, graph, plan, svg, picture)
        })
        .collect()
}

fn boxes(svg: &str) -> usize {
    Picture::of(svg).filters.len()
}

#[test]
fn a_picture_has_each_filter_pin_connection_and_pipe_once() {
    for (name, graph, plan, svg, picture) in pictures() {
        assert_eq!(picture.filters.len(), graph.filters().len(), "{name}");
        let pins = picture.filters.iter().flat_map(|filter| &filter.words);
        assert!(pins.count() >= graph.pins().len() + 2 * graph.filters().len(), "{name}");
        for connection in graph.connections() {
            let ends = format!("{} -> {}: ", graph.pin_name(connection.from), graph.pin_name(connection.to));
            let drawn = picture.arrows.iter().filter(|arrow| arrow.title.starts_with(&ends)).count();
            assert_eq!(drawn, 1, "{name}: {ends}");
        }
        let bridges: Vec<_> =
            picture.arrows.iter().filter(|arrow| arrow.title.contains(": a bridge, copies")).collect();
        assert_eq!(bridges.len(), plan.bridges.len(), "{name}");
        for bridge in bridges {
            assert!(bridge.words[0].text.starts_with("copy "), "{name}: {bridge:?}");
            assert!(!bridge.words[1].text.is_empty(), "{name}: a bridge says why: {bridge:?}");
        }
        for (place, pipe) in plan.pipes.iter().enumerate().take(48) {
            let listed = format!("{} × ", pipe.frames);
            assert!(picture.others.iter().any(|words| words.text.contains(&listed)), "{name}: pipe {place}");
        }
        let rings = svg.matches("class=\"ring s").count();
        let allocating = plan.pipes.iter().filter(|pipe| pipe.allocator.pin.is_some()).count();
        // One more in the legend.
        assert_eq!(rings, if allocating > 0 { allocating + 1 } else { 0 }, "{name}: who allocates is ringed");
    }
}

#[test]
fn nothing_lies_over_anything_and_all_of_it_in_the_picture() {
    for (name, _, _, _, picture) in pictures() {
        assert_eq!(picture.faults(), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn every_pin_has_its_pipes_number_so_colours_are_not_needed() {
    let (graph, plan) = planned(studio());
    let svg = plan_svg(&graph, &plan);
    let document = roxmltree::Document::parse(&svg).unwrap();
    let mut seen = 0;
    for group in document.descendants().filter(|node| node.tag_name().name() == "g") {
        let title = group.children().find(|node| node.tag_name().name() == "title").and_then(|node| node.text());
        let Some(pin) = title.and_then(|title| graph.find_pin(title.split_once(": pipe ")?.0)) else { continue };
        let number = group.children().find(|node| has_class(*node, "number")).and_then(|node| node.text());
        assert_eq!(number, Some(plan.pipe_of[pin.index()].0.to_string().as_str()), "{title:?}");
        seen += 1;
    }
    assert_eq!(seen, graph.pins().len());
}

#[test]
fn long_chains_are_broken_into_lines() {
    let (graph, plan) = planned(chain(60));
    let picture = Picture::of(&plan_svg(&graph, &plan));
    let mut lines: Vec<i64> = picture.filters.iter().map(|filter| filter.room.1 as i64).collect();
    lines.dedup();
    assert!((8..=20).contains(&lines.len()), "{} lines", lines.len());
    assert!(picture.room.2 <= 2000.0);
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
        "",
        " ",
        "\u{202E}txet\u{2066}",
        "מצלמה עם שם ארוך מאוד שאין לו סוף",
        "🎥🎞️👩‍👩‍👧‍👦🎥🎞️👩‍👩‍👧‍👦🎥🎞️👩‍👩‍👧‍👦",
        "e\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}",
        "--><!-- comment",
        "\n\r\n",
    ];
    for (place, name) in nasty.into_iter().enumerate() {
        let mut graph = Graph::builder();
        graph.filter(name).pin(name, Direction::Out).item(FramingItem::exactly(4));
        graph.filter("sink").pin("in", Direction::In);
        graph.connect(&format!("{name}.{name}"), "sink.in");
        let (graph, plan) = planned(graphs::build(&graph));
        let svg = looked_at(&format!("name-{place}"), plan_svg(&graph, &plan));
        let document = roxmltree::Document::parse(&svg).unwrap();
        assert!(document.descendants().all(|node| node.tag_name().name() != "script"), "{svg}");
        let picture = Picture::of(&svg);
        assert_eq!(picture.filters.len(), 2);
        assert_eq!(picture.faults(), Vec::<String>::new(), "{name}");
        let dot = plan_dot(&graph, &plan);
        assert_labels_are_sound(&dot);
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
    assert_eq!(boxes(&svg), 2);
}

#[test]
fn an_empty_graph_and_a_huge_one_are_drawn() {
    let (graph, plan) = planned(graphs::build(&Graph::builder()));
    roxmltree::Document::parse(&plan_svg(&graph, &plan)).unwrap();
    assert!(plan_dot(&graph, &plan).starts_with("digraph plan {"));
    let (graph, plan) = planned(chain(5000));
    assert_eq!(boxes(&plan_svg(&graph, &plan)), 5000);
}

#[test]
fn dot_has_each_connection_with_its_pins() {
    let (graph, plan) = planned(studio());
    let dot = plan_dot(&graph, &plan);
    assert_eq!(dot.matches(":e -> ").count(), graph.connections().len());
    assert_eq!(dot.matches("style = dashed").count(), plan.bridges.len());
    assert!(dot.contains("label = \"copy 829.44 kB\\nkernel allocates\""), "{dot}");
    assert!(dot.contains("★"), "the renderer allocates:\n{dot}");
}

/// Graphviz takes labels like HTML only where they are well-formed, and no formatting in them is empty.
fn assert_labels_are_sound(dot: &str) {
    let labels = dot.lines().filter_map(|line| line.split_once("label = <")?.1.strip_suffix(">];"));
    let mut count = 0;
    for label in labels {
        let document = roxmltree::Document::parse(label).unwrap_or_else(|error| panic!("{error}: {label}"));
        for node in document.descendants().filter(|node| matches!(node.tag_name().name(), "FONT" | "B")) {
            assert!(node.descendants().any(|inside| inside.is_text()), "empty: {label}");
        }
        count += 1;
    }
    assert_eq!(count, dot.matches("<TABLE").count());
}

#[test]
fn labels_of_dot_are_well_formed() {
    for (_, graph, plan) in all() {
        assert_labels_are_sound(&plan_dot(&graph, &plan));
    }
    for graph in [disagreeing(), going_round()] {
        assert_labels_are_sound(&conflict_dot(&graph, &negotiate(&graph).unwrap_err()));
    }
}

#[test]
fn pictures_do_not_depend_on_when_they_are_drawn() {
    let (graph, plan) = planned(mixer(5));
    assert_eq!(plan_svg(&graph, &plan), plan_svg(&graph, &plan));
    assert_eq!(plan_dot(&graph, &plan), plan_dot(&graph, &plan));
}

/// Two pins that must both allocate, and nothing may be copied.
fn disagreeing() -> Graph {
    let item = FramingItem { requirements: RequirementFlags::MUST_ALLOCATE, ..FramingItem::exactly(4096) };
    let mut graph = Graph::builder();
    graph.bridges(kspipe::graph::Bridges::Forbid);
    graph.filter("capture").pin("out", Direction::Out).item(item.clone());
    graph.filter("between").pin("in", Direction::In);
    graph.filter("between").pin("out", Direction::Out);
    graph.filter("between").route("in", "out", RouteKind::Pass);
    graph.filter("renderer").pin("in", Direction::In).item(item);
    graph.connect("capture.out", "between.in").connect("between.out", "renderer.in");
    graphs::build(&graph)
}

/// Three filters whose frames go round.
fn going_round() -> Graph {
    let mut graph = Graph::builder();
    for (name, next) in [("a", "b"), ("b", "c"), ("c", "a")] {
        graph.filter(name).pin("in", Direction::In);
        graph.filter(name).pin("out", Direction::Out);
        graph.filter(name).route("in", "out", RouteKind::Pass);
        graph.connect(&format!("{name}.out"), &format!("{next}.in"));
    }
    graphs::build(&graph)
}

#[test]
fn a_graph_without_a_plan_is_drawn_with_the_pins_that_conflict() {
    for (name, graph) in [("disagreeing", disagreeing()), ("going-round", going_round())] {
        let error = negotiate(&graph).unwrap_err();
        let conflicting = match &error {
            NegotiateError::Infeasible(infeasible) => infeasible.pins.clone(),
            NegotiateError::Cycle(pins) => pins.clone(),
            NegotiateError::Undecided { .. } => panic!("{error}"),
        };
        let svg = looked_at(name, conflict_svg(&graph, &error));
        let picture = Picture::of(&svg);
        assert_eq!(picture.faults(), Vec::<String>::new(), "{name}");
        assert_eq!(svg.matches("class=\"ring conflict\"").count(), conflicting.len(), "{name}");
        assert!(conflict_dot(&graph, &error).matches("✖").count() >= conflicting.len(), "{name}");
        let arrows = svg.matches("class=\"conflict\"").count();
        assert_eq!(arrows, if name == "going-round" { 3 } else { 0 }, "the connections of the cycle are marked");
        for pin in conflicting {
            assert!(picture.others.iter().any(|words| words.text.contains(&graph.pin_name(pin))), "{name}");
        }
    }
}

#[test]
fn a_picture_can_be_read_by_who_cannot_see_it() {
    let (graph, plan) = planned(studio());
    let svg = plan_svg(&graph, &plan);
    let document = roxmltree::Document::parse(&svg).unwrap();
    let root = document.root_element();
    assert_eq!(root.attribute("role"), Some("img"));
    let child = |name| root.children().find(|node| node.tag_name().name() == name).and_then(|node| node.text());
    assert!(child("title").unwrap().starts_with("maximize-speed: "));
    let told = child("desc").unwrap();
    assert!(told.contains("renderer.in allocates (must-allocate)"), "{told}");
    for bridge in &plan.bridges {
        assert!(told.contains(&graph.pin_name(bridge.connection.to)), "{told}");
    }
    // What is dark is said for light, too: a viewer without media queries has a whole set of colours.
    let (light, dark) = svg.split_once("@media (prefers-color-scheme: dark)").unwrap();
    for class in light.split(".kspipe-plan .").skip(1).filter_map(|rule| rule.split(' ').next()) {
        let has_colour =
            light.contains(&format!(".{class} {{ fill: #")) || light.contains(&format!(".{class} {{ stroke: #"));
        assert!(!has_colour || dark.contains(&format!(".{class} {{ ")), "{class} has no dark colour");
    }
}

/// A filter of a random graph: its mode, the number of its out pins, how its routes go, whether its first out pin must
/// allocate, and which free out pins its in pins are connected to.
type Draft = (bool, usize, u8, bool, Vec<usize>);

fn random_graph() -> impl Strategy<Value = Vec<Draft>> {
    let filter =
        (any::<bool>(), 0..5usize, 0..4u8, proptest::bool::weighted(0.1), proptest::collection::vec(0..40usize, 0..4));
    proptest::collection::vec(filter, 1..40)
}

fn drafted(drafts: &[Draft]) -> Graph {
    const KINDS: [RouteKind; 4] = [RouteKind::Pass, RouteKind::InPlace, RouteKind::Copy, RouteKind::Either];
    let names =
        ["n", "a-filter-with-a-name-that-is-far-too-long-for-a-box", "WWWWWWWWWWWWWW", "Ünïcödé-名前", "<&>\"'"];
    let mut graph = Graph::builder();
    let mut free: Vec<String> = Vec::new();
    for (place, (kernel, outs, kind, must_allocate, wires)) in drafts.iter().enumerate() {
        let name = format!("{}{place}", names[place % names.len()]);
        if *kernel {
            graph.filter(&name).kernel();
        }
        for (row, wire) in wires.iter().enumerate() {
            graph.filter(&name).pin(&format!("in{row}"), Direction::In).holds(row as u32);
            if !free.is_empty() {
                let from = free.remove(wire % free.len());
                graph.connect(&from, &format!("{name}.in{row}"));
            }
        }
        for row in 0..*outs {
            let out = format!("out{row}");
            let item = FramingItem {
                memory: if *kernel { KSMEMORY_TYPE_KERNEL_NONPAGED } else { ks::KSMEMORY_TYPE_WILDCARD },
                requirements: if *must_allocate { RequirementFlags::MUST_ALLOCATE } else { RequirementFlags::empty() },
                frames: place as u32 % 7,
                ..FramingItem::default()
            };
            graph.filter(&name).pin(&out, Direction::Out).item(item);
            if !wires.is_empty() {
                let kind = KINDS[(usize::from(*kind) + row) % 4];
                graph.filter(&name).route(&format!("in{}", row % wires.len()), &out, kind);
            }
            free.push(format!("{name}.{out}"));
        }
        if wires.is_empty() && *outs == 0 {
            graph.filter(&name).pin("alone", Direction::In);
        }
    }
    graphs::build(&graph)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_lies_over_anything_in_pictures_of_random_graphs(drafts in random_graph()) {
        let graph = drafted(&drafts);
        let (svg, dot) = match negotiate(&graph) {
            Ok(plan) => (plan_svg(&graph, &plan), plan_dot(&graph, &plan)),
            Err(error) => (conflict_svg(&graph, &error), conflict_dot(&graph, &error)),
        };
        assert_labels_are_sound(&dot);
        let picture = Picture::of(&svg);
        prop_assert_eq!(picture.filters.len(), graph.filters().len());
        prop_assert_eq!(picture.faults(), Vec::<String>::new());
    }
}
