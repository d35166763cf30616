//! Families of graphs that make negotiation hard in different ways, of any number of pins.

use ks::{
    KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_KERNEL_PAGED, KSMEMORY_TYPE_SYSTEM, KSMEMORY_TYPE_USER,
    RequirementFlags,
};
use kspipe::graph::{Direction, FrameRange, FramingItem, Graph, GraphBuilder, RouteKind};

/// A family's name, and its graph of about so many pins.
pub(crate) type Family = (&'static str, fn(u32) -> Graph);

/// All families.
pub(crate) const FAMILIES: [Family; 10] = [
    ("compatible chain", compatible),
    ("side changes every 10 pins", side_changes),
    ("all capacities distinct", distinct_capacities),
    ("two items a pin", two_items),
    ("two items, all distinct", two_distinct_items),
    ("the same, parted in the middle", two_distinct_items_parted),
    ("three items with other frames", three_items),
    ("an either route every third filter", either_routes),
    ("tree of tees", tees),
    ("holds, mixed alignments, side changes", holds_and_alignments),
];

/// A chain of filters with one in and one out pin; `dress` says what each filter's pins ask.
fn chain(pins: u32, dress: impl Fn(&mut GraphBuilder, &str, u32)) -> Graph {
    let filters = pins / 2;
    let mut graph = Graph::builder();
    for number in 0..filters {
        let name = format!("f{number:07}");
        graph.filter(&name).pin("in", Direction::In);
        graph.filter(&name).pin("out", Direction::Out);
        dress(&mut graph, &name, number);
        if number > 0 {
            graph.connect(&format!("f{:07}.out", number - 1), &format!("{name}.in"));
        }
    }
    graph.build().expect("a valid graph")
}

fn item(frames: u32) -> FramingItem {
    FramingItem { memory: KSMEMORY_TYPE_SYSTEM, frames, ..FramingItem::default() }
}

fn compatible(pins: u32) -> Graph {
    chain(pins, |graph, name, number| {
        graph.filter(name).pin("in", Direction::In).item(item(2 + number % 3));
        graph.filter(name).pin("out", Direction::Out).item(item(1));
        graph.filter(name).route("in", "out", RouteKind::InPlace);
    })
}

fn side_changes(pins: u32) -> Graph {
    chain(pins, |graph, name, number| {
        let kernel = (number / 5) % 2 == 0;
        let memory = if kernel { KSMEMORY_TYPE_KERNEL_NONPAGED } else { KSMEMORY_TYPE_USER };
        let must = number % 5 == 0 && kernel;
        let requirements = if must { RequirementFlags::MUST_ALLOCATE } else { RequirementFlags::empty() };
        let filter = if kernel { graph.filter(name).kernel() } else { graph.filter(name) };
        filter.pin("in", Direction::In).item(FramingItem { memory, requirements, ..item(2) });
        graph.filter(name).pin("out", Direction::Out).item(FramingItem { memory, ..item(2) });
        graph.filter(name).route("in", "out", RouteKind::Pass);
    })
}

fn distinct_capacities(pins: u32) -> Graph {
    chain(pins, |graph, name, number| {
        let size = |n: u32| FrameRange { min: 1 + n.wrapping_mul(2_654_435_761) % 1_000_003, max: u32::MAX, step: 1 };
        graph.filter(name).pin("in", Direction::In).item(FramingItem { optimal: size(number), ..item(1) });
        graph.filter(name).pin("out", Direction::Out).item(FramingItem { optimal: size(!number), ..item(1) });
        graph.filter(name).route("in", "out", RouteKind::Pass);
    })
}

fn two_items(pins: u32) -> Graph {
    chain(pins, |graph, name, number| {
        for (pin, direction) in [("in", Direction::In), ("out", Direction::Out)] {
            let paged = FramingItem { memory: KSMEMORY_TYPE_KERNEL_PAGED, ..item(3) };
            let nonpaged = FramingItem { memory: KSMEMORY_TYPE_KERNEL_NONPAGED, alignment: 64, ..item(1 + number % 2) };
            graph.filter(name).kernel().pin(pin, direction).item(paged);
            graph.filter(name).pin(pin, direction).item(nonpaged);
        }
        graph.filter(name).route("in", "out", RouteKind::Pass);
    })
}

/// Each pin has a first item and one of another memory, and no two items the same capacity.
fn two_distinct_items(pins: u32) -> Graph {
    let sized = |memory, size| FramingItem {
        memory,
        optimal: FrameRange { min: size, max: u32::MAX, step: 1 },
        ..FramingItem::default()
    };
    chain(pins, |graph, name, number| {
        for (pin, direction, place) in [("in", Direction::In, 2 * number), ("out", Direction::Out, 2 * number + 1)] {
            let other = (u64::from(place) * 7919 % u64::from(pins)) as u32;
            graph.filter(name).pin(pin, direction).item(sized(KSMEMORY_TYPE_USER, 1000 + 7 * place));
            graph.filter(name).pin(pin, direction).item(sized(KSMEMORY_TYPE_SYSTEM, 1000 + 5 * other));
        }
        graph.filter(name).route("in", "out", RouteKind::InPlace);
    })
}

/// The same with a filter in the middle that must allocate in the kernel: one pipe on either side of it.
fn two_distinct_items_parted(pins: u32) -> Graph {
    let graph = two_distinct_items(pins);
    let mut parted = Graph::builder();
    let middle = graph.pin_ids().nth(graph.pins().len() / 2).expect("a pin");
    let middle = graph.filter(graph.pin(middle).filter()).name();
    for id in graph.pin_ids() {
        let (pin, name) = (graph.pin(id), graph.filter(graph.pin(id).filter()).name());
        if name != middle {
            parted.filter(name).pin(pin.name(), pin.direction()).framing(pin.framing().clone());
        } else if pin.direction() == Direction::In {
            let requirements = RequirementFlags::MUST_ALLOCATE;
            let item = FramingItem { memory: KSMEMORY_TYPE_KERNEL_NONPAGED, requirements, ..item(2) };
            parted.filter(name).kernel().pin(pin.name(), pin.direction()).item(item);
        } else {
            parted.filter(name).pin(pin.name(), pin.direction());
        }
    }
    for connection in graph.connections() {
        parted.connect(&graph.pin_name(connection.from), &graph.pin_name(connection.to));
    }
    for route in graph.routes() {
        let filter = graph.filter(graph.pin(route.from).filter()).name();
        parted.filter(filter).route(graph.pin(route.from).name(), graph.pin(route.to).name(), route.kind);
    }
    parted.build().expect("a valid graph")
}

/// Items that trade frames for size.
fn three_items(pins: u32) -> Graph {
    let number_of = |place: u32, most: u32| {
        let mixed = (u64::from(place) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        1 + ((mixed ^ mixed >> 27) >> 16) as u32 % most
    };
    chain(pins, |graph, name, number| {
        for (pin, direction, place) in [("in", Direction::In, 6 * number), ("out", Direction::Out, 6 * number + 3)] {
            for place in place..place + 3 {
                let optimal = FrameRange { min: number_of(place, 10 * pins), max: u32::MAX, step: 1 };
                let frames = number_of(!place, 50);
                let item = FramingItem { memory: KSMEMORY_TYPE_USER, frames, optimal, ..FramingItem::default() };
                graph.filter(name).pin(pin, direction).item(item);
            }
        }
        graph.filter(name).route("in", "out", RouteKind::InPlace);
    })
}

fn either_routes(pins: u32) -> Graph {
    chain(pins, |graph, name, number| {
        graph.filter(name).pin("in", Direction::In).item(item(2));
        let integrity = if number % 30 == 1 { RequirementFlags::FRAME_INTEGRITY } else { RequirementFlags::empty() };
        graph.filter(name).pin("out", Direction::Out).item(FramingItem { requirements: integrity, ..item(2) });
        graph.filter(name).route("in", "out", if number % 3 == 0 { RouteKind::Either } else { RouteKind::Pass });
    })
}

fn holds_and_alignments(pins: u32) -> Graph {
    chain(pins, |graph, name, number| {
        let alignment = 1 << (number % 13);
        let kernel = (number / 5) % 2 == 0;
        let memory = if kernel { KSMEMORY_TYPE_KERNEL_NONPAGED } else { KSMEMORY_TYPE_USER };
        let must = number % 5 == 0 && kernel;
        let requirements = if must { RequirementFlags::MUST_ALLOCATE } else { RequirementFlags::empty() };
        let filter = if kernel { graph.filter(name).kernel() } else { graph.filter(name) };
        filter
            .pin("in", Direction::In)
            .item(FramingItem { memory, requirements, alignment, ..item(1) })
            .holds(number % 7);
        graph.filter(name).pin("out", Direction::Out);
        graph.filter(name).route("in", "out", RouteKind::Pass);
    })
}

fn tees(pins: u32) -> Graph {
    let mut graph = Graph::builder();
    let filters = (pins / 3).max(1);
    for number in 0..filters {
        let name = format!("t{number:07}");
        graph.filter(&name).pin("in", Direction::In).item(item(2 + number % 3));
        for pin in ["x", "y"] {
            graph.filter(&name).pin(pin, Direction::Out);
            graph.filter(&name).route("in", pin, RouteKind::Pass);
        }
        if number > 0 {
            let pin = if number % 2 == 1 { "x" } else { "y" };
            graph.connect(&format!("t{:07}.{pin}", (number - 1) / 2), &format!("{name}.in"));
        }
    }
    graph.build().expect("a valid graph")
}
