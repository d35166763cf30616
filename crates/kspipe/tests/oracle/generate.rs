//! Random graphs, full of conflicts, that shrink.

use super::asks::{PinDraft, Temper, pin};
use ks::Guid;
use kspipe::graph::{
    self, Bridges, Compression, DeviceMemory, Direction, Framing, Graph, GraphBuilder, Mode, RouteKind,
};
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;

/// Device memory that graphs declare, or not.
pub(crate) const DEVICES: [Guid; 2] = [Guid::from_u128(0xA), Guid::from_u128(0xB)];
/// Device memory that no graph declares.
pub(crate) const UNDECLARED: Guid = Guid::from_u128(0xC);

/// How much of a draft is built. Brute force tries every choice of every pin with every set of cuts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) pins: usize,
    /// The choices of items: the product over the pins.
    pub(crate) choices: usize,
    /// The `either` routes; those past it write in place.
    pub(crate) eithers: usize,
}

/// What brute force does in a moment.
pub(crate) const SMALL: Bounds = Bounds { pins: 9, choices: 96, eithers: 5 };
/// What brute force does in some milliseconds.
pub(crate) const MIDDLE: Bounds = Bounds { pins: 14, choices: 200, eithers: 6 };
/// Too many for brute force.
pub(crate) const LARGE: Bounds = Bounds { pins: 250, choices: usize::MAX, eithers: usize::MAX };

/// What a graph is made of. Everything in it means something whatever else is taken away, so that it shrinks.
#[derive(Clone, Debug)]
pub(crate) struct GraphDraft {
    bounds: Bounds,
    strategy: graph::Strategy,
    forbid_bridges: bool,
    /// Who can map each of [`DEVICES`], kernel mode and user mode, where it is declared.
    devices: [Option<(bool, bool)>; 2],
    /// Names the filters, so that their order says nothing about where they stand.
    names: [u8; 8],
    filters: Vec<FilterDraft>,
}

#[derive(Clone, Debug)]
struct FilterDraft {
    mode: Mode,
    shape: Shape,
    /// How each of the filter's routes goes; `None`: it has not got it.
    routes: [Option<RouteKind>; 4],
    /// Which of the out pins still free each in pin is connected to; `None`: it stays alone.
    wires: [Option<u8>; 2],
    pins: [PinDraft; 4],
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Shape {
    Source,
    Sink,
    Transform,
    Tee,
    Merge,
    /// A tee with three branches.
    Fork,
    /// Two in pins, two out pins, and up to four routes.
    Cross,
}

impl Shape {
    fn pins(self) -> &'static [(&'static str, Direction)] {
        use Direction::{In, Out};
        match self {
            Shape::Source => &[("z", Out)],
            Shape::Sink => &[("in", In)],
            Shape::Transform => &[("p", In), ("out", Out)],
            Shape::Tee => &[("m", In), ("a", Out), ("x", Out)],
            Shape::Merge => &[("b", In), ("n", In), ("f", Out)],
            Shape::Fork => &[("m", In), ("a", Out), ("k", Out), ("x", Out)],
            Shape::Cross => &[("b", In), ("n", In), ("f", Out), ("y", Out)],
        }
    }
    fn routes(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Shape::Source | Shape::Sink => &[],
            Shape::Transform => &[("p", "out")],
            Shape::Tee => &[("m", "a"), ("m", "x")],
            Shape::Merge => &[("b", "f"), ("n", "f")],
            Shape::Fork => &[("m", "a"), ("m", "k"), ("m", "x")],
            Shape::Cross => &[("b", "f"), ("n", "y"), ("b", "y"), ("n", "f")],
        }
    }
}

/// What is left of the bounds.
struct Left {
    pins: usize,
    choices: usize,
    eithers: usize,
}

impl GraphDraft {
    /// The graph, within the bounds; the rest of the draft is left out.
    pub(crate) fn build(&self) -> Graph {
        let mut graph = Graph::builder();
        graph.strategy(self.strategy);
        graph.bridges(if self.forbid_bridges { Bridges::Forbid } else { Bridges::Allow });
        for (memory, mapped) in DEVICES.into_iter().zip(self.devices) {
            if let Some((host_mappable, user_mappable)) = mapped {
                let name = format!("device-{}", memory.data4[7]);
                graph.memory(memory, DeviceMemory { name, host_mappable, user_mappable });
            }
        }
        let Bounds { pins, choices, eithers } = self.bounds;
        let mut left = Left { pins, choices, eithers };
        let mut free_out_pins: Vec<String> = Vec::new();
        for (number, draft) in self.filters.iter().enumerate() {
            if draft.shape.pins().len() > left.pins {
                break;
            }
            // Hyphens sort before dots: pins in order of full names are not always in order of filters.
            let filter = format!("f{}", "-".repeat(usize::from(self.names[number % 8] % 3)))
                + &format!("{}n{number}", self.names[number % 8]);
            draft.add_to(&mut graph, &filter, &mut left, &mut free_out_pins);
        }
        graph.build().expect("a draft names its own pins only, and asks what can be asked")
    }
}

impl FilterDraft {
    fn add_to(&self, graph: &mut GraphBuilder, filter: &str, left: &mut Left, free_out_pins: &mut Vec<String>) {
        graph.filter(filter).mode(self.mode);
        // Out pins to which a route keeps the size, stated or by itself.
        let mut keep_size: Vec<&str> = Vec::new();
        for ((from, to), kind) in self.shape.routes().iter().zip(self.routes) {
            let kind = match kind {
                Some(RouteKind::Either) if left.eithers == 0 => Some(RouteKind::InPlace),
                other => other,
            };
            if kind == Some(RouteKind::Either) {
                left.eithers -= 1;
            }
            if matches!(kind, None | Some(RouteKind::Either)) {
                keep_size.push(to);
            }
            if let Some(kind) = kind {
                graph.filter(filter).route(from, to, kind);
            }
        }
        let mut wires = self.wires.into_iter();
        let mut out_pins = Vec::new();
        for ((name, direction), pin) in self.shape.pins().iter().zip(&self.pins) {
            left.pins -= 1;
            let mut items = pin.items.clone();
            items.truncate(left.choices.max(1));
            left.choices /= items.len().max(1);
            let framing = match &items[..] {
                [] => Framing::None,
                [only] if pin.old => Framing::Old(Box::new(only.clone())),
                _ => Framing::Extended(items),
            };
            let compression = match pin.compression {
                Some(compression) if *direction == Direction::Out && !keep_size.contains(name) => compression,
                _ => Compression::NONE,
            };
            let mut built = graph.filter(filter).pin(name, *direction).framing(framing).compression(compression);
            if let Some(mode) = pin.side {
                built = built.mode(mode);
            }
            if let Some(holds) = pin.holds {
                built = built.holds(holds);
            }
            if let Some(bytes) = pin.media_size {
                built.media_size(bytes);
            }
            let full_name = format!("{filter}.{name}");
            match direction {
                Direction::In => {
                    if let Some(wire) = wires.next().flatten()
                        && !free_out_pins.is_empty()
                    {
                        // Half of them to the newest, so that chains grow long; the others to any.
                        let any = usize::from(wire / 2) % free_out_pins.len();
                        let place = if wire % 2 == 0 { free_out_pins.len() - 1 } else { any };
                        let from = free_out_pins.remove(place);
                        graph.connect(&from, &full_name);
                    }
                }
                Direction::Out => out_pins.push(full_name),
            }
        }
        free_out_pins.extend(out_pins);
    }
}

/// Graphs of all kinds, of up to nine pins.
pub(crate) fn graphs() -> impl Strategy<Value = GraphDraft> {
    drafts(SMALL, Temper::Demanding, 1..8)
}

/// Graphs that start with a source and a tee, often with branches that meet again.
pub(crate) fn tangled_graphs() -> impl Strategy<Value = GraphDraft> {
    graphs().prop_map(|mut draft| {
        let shapes = [Shape::Source, Shape::Tee, Shape::Merge];
        for (filter, shape) in draft.filters.iter_mut().zip(shapes) {
            filter.shape = shape;
        }
        draft
    })
}

/// Graphs of up to fourteen pins whose pins ask less, so that more of them have a plan.
pub(crate) fn middle_graphs() -> impl Strategy<Value = GraphDraft> {
    drafts(MIDDLE, Temper::Moderate, 4..12)
}

/// Graphs of some ten to some hundred pins, of which few ask much.
pub(crate) fn large_graphs() -> impl Strategy<Value = GraphDraft> {
    drafts(LARGE, Temper::Modest, 8..110)
}

fn drafts(bounds: Bounds, temper: Temper, filters: std::ops::Range<usize>) -> impl Strategy<Value = GraphDraft> {
    let filters = prop::collection::vec(filter(temper), filters);
    let devices = [weighted(0.8, any::<(bool, bool)>()), weighted(0.5, any::<(bool, bool)>())];
    let strategy = select(graph::Strategy::ALL.map(|(_, strategy)| strategy).to_vec());
    let forbids = prop::bool::weighted(if temper == Temper::Demanding { 0.2 } else { 0.05 });
    (strategy, forbids, devices, any::<[u8; 8]>(), filters).prop_map(
        move |(strategy, forbid_bridges, devices, names, mut filters)| {
            // Frames come from somewhere: what stands first gives.
            filters[0].shape = match filters[0].shape {
                Shape::Sink | Shape::Transform => Shape::Source,
                other => other,
            };
            GraphDraft { bounds, strategy, forbid_bridges, devices, names, filters }
        },
    )
}

fn filter(temper: Temper) -> impl Strategy<Value = FilterDraft> {
    // Where many branches meet again, the best plan takes long to find.
    let (many, meeting) = if temper == Temper::Modest { (100, 1) } else { (1, 1) };
    let shape = prop_oneof![
        4 * many => Just(Shape::Source),
        8 * many => Just(Shape::Transform),
        6 * many => Just(Shape::Sink),
        5 * many => Just(Shape::Tee),
        4 * meeting => Just(Shape::Merge),
        many => Just(Shape::Fork),
        2 * meeting => Just(Shape::Cross),
    ];
    let route = || {
        prop_oneof![
            8 => Just(Some(RouteKind::Pass)),
            7 => Just(Some(RouteKind::Either)),
            4 => Just(Some(RouteKind::InPlace)),
            2 => Just(Some(RouteKind::Copy)),
            1 => Just(None),
        ]
    };
    // Of four routes most are left out, or everything would be one pipe.
    let rare = || prop_oneof![2 => route(), 3 => Just(None)];
    let mode = select(vec![Mode::User, Mode::Kernel]);
    let wire = || weighted(0.92, any::<u8>());
    let pins = [pin(temper), pin(temper), pin(temper), pin(temper)];
    (mode, shape, [route(), route()], rare(), rare(), [wire(), wire()], pins).prop_map(
        |(mode, shape, [first, second], third, fourth, wires, pins)| {
            let third = if shape == Shape::Fork { first } else { third };
            FilterDraft { mode, shape, routes: [first, second, third, fourth], wires, pins }
        },
    )
}
