//! Live pins and a graph that says the same have the same plan, and the pipe objects hold it member by member.
//!
//! `KSPIPE_LIVE_GRAPHS` is the number of random graphs (500), `KSPIPE_LIVE_SEED` a number that chooses them.

#[path = "../../kspipe/tests/oracle/asks.rs"]
#[allow(dead_code, reason = "what other tests use")]
mod asks;
#[path = "../../kspipe/tests/corpus/mod.rs"]
mod corpus;
#[path = "../../kspipe/tests/oracle/generate.rs"]
#[allow(dead_code, reason = "what other tests use")]
mod generate;
mod recording;

use kspipe::graph::{Bridges, Compression, Framing, FramingItem, Graph, Mode, PinId, RouteKind, read_blob, write_blob};
use kspipe::negotiate::describe::Description;
use kspipe::negotiate::{NegotiateError, PipeId, negotiate};
use ksproxy::{NegotiatePinsError, NegotiatedPins};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use recording::World;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::ptr::null_mut;
use std::sync::atomic::Ordering;
use windows_core::Interface;

/// What a pin can say of its framing by a blob.
fn sayable(framing: &Framing, compression: Compression) -> (Framing, Compression) {
    let blob = write_blob(framing, compression).or_else(|_| write_blob(framing, Compression::NONE));
    let Ok(blob) = blob else { return (Framing::None, Compression::NONE) };
    let read = read_blob(&blob).expect("what was written is read");
    (read.framing, read.compression)
}

/// The part of a graph that live pins can say: no media sizes, nothing held, no bridges, no device memory declared, routes
/// as the framings say. Without the pins that are not connected, where asked.
fn live(graph: &Graph, connected_only: bool) -> Graph {
    let mut built = Graph::builder();
    built.strategy(graph.strategy()).bridges(Bridges::Forbid);
    let stays = |pin: PinId| !connected_only || graph.pin(pin).peer().is_some();
    let mut modifies = vec![false; graph.pins().len()];
    for id in graph.pin_ids() {
        let pin = graph.pin(id);
        let (framing, compression) = sayable(pin.framing(), pin.compression());
        modifies[id.index()] = framing.items().iter().any(FramingItem::modifies_in_place);
        if stays(id) {
            let filter = graph.filter(pin.filter());
            let filter = built.filter(filter.name()).mode(filter.mode()).only_stated_routes();
            filter.pin(pin.name(), pin.direction()).framing(framing).compression(compression);
        }
    }
    for connection in graph.connections() {
        built.connect(&graph.pin_name(connection.from), &graph.pin_name(connection.to));
    }
    for route in graph.routes().iter().filter(|route| stays(route.from) && stays(route.to)) {
        let kind = if modifies[route.from.index()] { RouteKind::InPlace } else { RouteKind::Copy };
        let filter = graph.filter(graph.pin(route.from).filter()).name();
        built.filter(filter).route(graph.pin(route.from).name(), graph.pin(route.to).name(), kind);
    }
    built.build().expect("as valid as the other")
}

/// Whether a filter has pins that no way through it joins.
fn is_apart(graph: &Graph) -> bool {
    graph.filters().iter().any(|filter| {
        let mut joined: Vec<PinId> = filter.pins().take(1).collect();
        let mut next = 0;
        while next < joined.len() {
            for route in graph.routes() {
                for (from, to) in [(route.from, route.to), (route.to, route.from)] {
                    if from == joined[next] && !joined.contains(&to) {
                        joined.push(to);
                    }
                }
            }
            next += 1;
        }
        joined.len() < filter.pins().len()
    })
}

/// Negotiates a graph and live pins that say the same, and compares. Tells how it went.
fn compare(graph: &Graph) -> &'static str {
    let world = World::of(&live(graph, false));
    world.driver.is_small.store(true, Ordering::Relaxed);
    let expected = live(graph, true);
    let negotiated = world.negotiate_by(&world.unknowns(), expected.strategy());
    if expected.pins().is_empty() {
        assert_eq!(negotiated.err(), Some(NegotiatePinsError::NotConnected));
        return "not connected";
    }
    match (negotiated, negotiate(&expected)) {
        // To live pins that name no filter, pins that no way joins are pins of two: names differ, and what rests on them.
        (Ok(negotiated), Ok(plan)) if is_apart(&expected) => {
            assert_eq!(negotiated.plan().cost, plan.cost);
            compare_pipes(&world, &negotiated);
            "agreed, by other names"
        }
        (Err(NegotiatePinsError::Conflict { .. }), Err(NegotiateError::Infeasible(_))) if is_apart(&expected) => {
            assert_eq!(world.writes(), Vec::<String>::new());
            "conflict, by other names"
        }
        (Ok(negotiated), Ok(plan)) => {
            assert_eq!(negotiated.graph(), &expected);
            assert_eq!(negotiated.plan(), &plan);
            compare_pipes(&world, &negotiated);
            "agreed"
        }
        (Err(NegotiatePinsError::DoesNotFit { .. }), Ok(_)) if is_apart(&expected) => {
            assert_eq!(world.writes(), Vec::<String>::new());
            "does not fit, by other names"
        }
        (Err(NegotiatePinsError::DoesNotFit { pins, number }), Ok(plan)) => {
            let description = Description::new(&expected, &plan);
            let pipe = plan.pipe_of[expected.find_pin(&pins[0]).expect("a pin").index()];
            assert_eq!(description.properties(pipe).to_ks(), Err(number));
            assert_eq!(world.writes(), Vec::<String>::new());
            "does not fit"
        }
        (Err(NegotiatePinsError::Conflict { asks, .. }), Err(NegotiateError::Infeasible(conflict))) => {
            let expected: Vec<(String, String)> =
                conflict.asks.into_iter().map(|(pin, ask)| (expected.pin_name(pin), ask)).collect();
            assert_eq!(asks, expected);
            assert_eq!(world.writes(), Vec::<String>::new());
            "conflict"
        }
        (negotiated, plan) => panic!("{negotiated:?}\n{plan:?}"),
    }
}

/// Every pin has the pipe object of its pipe, and that holds what the plan says.
fn compare_pipes(world: &World, negotiated: &NegotiatedPins) {
    let description = Description::new(negotiated.graph(), negotiated.plan());
    let objects: Vec<_> = negotiated.pipes().iter().map(|pipe| pipe.interface()).collect();
    for (number, object) in negotiated.pipes().iter().enumerate() {
        let properties = description.properties(PipeId(number as u32));
        let mut held = object.properties_ex();
        let address = |pipe: PipeId| objects[pipe.index()].as_raw();
        assert_eq!(held.prev_segment, properties.previous.map_or(null_mut(), address));
        assert_eq!(held.count_next_segments as usize, properties.next.len());
        let next: Vec<*mut core::ffi::c_void> = match held.count_next_segments {
            0 => Vec::new(),
            // SAFETY: the array is the object's, and as long as it says.
            count => unsafe { std::slice::from_raw_parts(held.next_segments.cast(), count as usize) }.to_vec(),
        };
        assert_eq!(next, properties.next.iter().copied().map(address).collect::<Vec<_>>());
        // The engine leaves these to whoever has the objects.
        (held.prev_segment, held.next_segments, held.count_next_segments) = (null_mut(), null_mut(), 0);
        assert_eq!(held, properties.to_ks().expect("it fits"));
    }
    for pin in &world.pins {
        let pipe = recording::pipe_of(pin);
        assert_eq!(pipe.is_some(), negotiated.pin(pin).is_some());
        if let Some(pipe) = pipe {
            let expected = negotiated.pipe_of(pin).expect("a pipe").interface();
            assert!(recording::same(&pipe, &expected));
            assert!(recording::same(&recording::allocator_of(pin).expect("an allocator"), &expected));
        }
    }
}

fn number(variable: &str, default: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{variable} is not a number: {text}")),
        Err(_) => default,
    }
}

#[test]
fn random_graphs_and_pins_that_say_the_same_have_the_same_plan() {
    let seed = number("KSPIPE_LIVE_SEED", 0x6c69_7665);
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let cases = u32::try_from(number("KSPIPE_LIVE_GRAPHS", 500)).expect("a number of graphs that ends");
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let went = RefCell::new(BTreeMap::<&str, u32>::new());
    let result = runner.run(&generate::graphs(), |draft| {
        *went.borrow_mut().entry(compare(&draft.build())).or_default() += 1;
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    let went = went.into_inner();
    println!("{went:?}");
    for (way, least) in [("agreed", cases / 5), ("conflict", cases / 50), ("does not fit", 1), ("not connected", 1)] {
        assert!(went.get(way).is_some_and(|count| *count >= least), "the graphs do not try everything: {went:?}");
    }
}

/// A driver's pin and another, connected.
fn pair(from: (&Framing, Mode), to: (&Framing, Mode)) -> Graph {
    let mut graph = Graph::builder();
    graph.filter("source").mode(from.1).pin("out", recording::OUT).framing(from.0.clone());
    graph.filter("sink").mode(to.1).pin("in", recording::IN).framing(to.0.clone());
    graph.connect("source.out", "sink.in");
    graph.build().expect("a graph")
}

#[test]
fn the_framings_of_real_drivers_are_negotiated_as_in_a_graph_file() {
    let framings = corpus::framings();
    assert!(framings.len() > 50);
    let none = Framing::None;
    for (number, driver) in framings.iter().enumerate() {
        let next = &framings[(number + 1) % framings.len()].framing;
        for other in [&none, next] {
            compare(&pair((&driver.framing, Mode::Kernel), (other, Mode::Kernel)));
            compare(&pair((&driver.framing, Mode::Kernel), (&none, Mode::User)));
            compare(&pair((other, Mode::User), (&driver.framing, Mode::Kernel)));
        }
    }
}

#[test]
fn a_graph_file_and_live_pins_have_the_same_plan() {
    let text = r#"
strategy = "minimize-frames"
bridges = "forbid"
connections = ["camera.capture -> overlay.in", "overlay.out -> encoder.in", "encoder.out -> recorder.in"]

[filter.camera]
mode = "kernel"
pin.capture = { direction = "out", framing = [{ memory = "kernel-nonpaged", frames = 4, alignment = 4096, size = 153600 }] }

[filter.overlay]
mode = "kernel"
pin.in = { direction = "in", framing = [{ memory = "system", frames = 2, flags = [], requirements = ["inplace-modifier"] }] }
pin.out = { direction = "out" }
routes = ["in -> out in-place"]

[filter.encoder]
pin.in = { direction = "in", framing = [{ frames = 3 }] }
pin.out = { direction = "out", framing = [{ frames = 1 }], compression = { numerator = 1, denominator = 2, margin = 16 } }
routes = ["in -> out copy"]

[filter.recorder]
pin.in = { direction = "in", framing = [{ alignment = 512 }] }
"#;
    let file = kspipe::graph::file::GraphFile::parse("live.toml", text, Path::new(".")).expect("a graph file");
    assert_eq!(compare(&file.graph), "agreed");
}
