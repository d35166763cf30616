//! Random graphs, small and full of conflicts, that shrink.

use ks::{
    AllocatorFlags, Guid, KSMEMORY_TYPE_DEVICE_UNKNOWN, KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_KERNEL_PAGED,
    KSMEMORY_TYPE_SYSTEM, KSMEMORY_TYPE_USER, KSMEMORY_TYPE_WILDCARD, RequirementFlags,
};
use kspipe::graph::{
    self, Bridges, Compression, DeviceMemory, Direction, FrameRange, Framing, FramingItem, Graph, Mode, RouteKind,
};
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;

/// Device memory that graphs declare, or not.
pub(crate) const DEVICES: [Guid; 2] = [Guid::from_u128(0xA), Guid::from_u128(0xB)];
/// Device memory that no graph declares.
pub(crate) const UNDECLARED: Guid = Guid::from_u128(0xC);

/// The most pins of a graph: every choice of every pin is tried with every set of cuts.
const PINS: usize = 9;
/// The most choices of items in a graph.
const CHOICES: usize = 96;

/// What a graph is made of. Everything in it means something whatever else is taken away, so that it shrinks.
#[derive(Clone, Debug)]
pub(crate) struct GraphDraft {
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
    /// How the filter's routes go.
    routes: [RouteKind; 2],
    /// Which of the out pins still free each in pin is connected to; `None`: it stays alone.
    wires: [Option<u8>; 2],
    pins: [PinDraft; 3],
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Shape {
    Source,
    Sink,
    Transform,
    Tee,
    Merge,
}

impl Shape {
    fn pins(self) -> &'static [(&'static str, Direction)] {
        match self {
            Shape::Source => &[("z", Direction::Out)],
            Shape::Sink => &[("in", Direction::In)],
            Shape::Transform => &[("p", Direction::In), ("out", Direction::Out)],
            Shape::Tee => &[("m", Direction::In), ("a", Direction::Out), ("x", Direction::Out)],
            Shape::Merge => &[("b", Direction::In), ("n", Direction::In), ("f", Direction::Out)],
        }
    }
    fn routes(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Shape::Source | Shape::Sink => &[],
            Shape::Transform => &[("p", "out")],
            Shape::Tee => &[("m", "a"), ("m", "x")],
            Shape::Merge => &[("b", "f"), ("n", "f")],
        }
    }
}

#[derive(Clone, Debug)]
struct PinDraft {
    items: Vec<FramingItem>,
    old: bool,
    holds: Option<u32>,
    media_size: Option<u64>,
    compression: Option<Compression>,
}

impl GraphDraft {
    /// The graph; with at most [`PINS`] pins and [`CHOICES`] choices of items, the rest of the draft left out.
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
        let mut pins_left = PINS;
        let mut choices_left = CHOICES;
        let mut free_out_pins: Vec<String> = Vec::new();
        for (number, draft) in self.filters.iter().enumerate() {
            let pins = draft.shape.pins();
            if pins.len() > pins_left {
                break;
            }
            pins_left -= pins.len();
            // Hyphens sort before dots: pins in order of full names are not always in order of filters.
            let filter = format!("f{}", "-".repeat(usize::from(self.names[number % 8] % 3)))
                + &format!("{}{number}", self.names[number % 8]);
            graph.filter(&filter).mode(draft.mode);
            let mut in_pins = 0;
            let mut out_pins = Vec::new();
            for ((name, direction), pin) in pins.iter().zip(&draft.pins) {
                let mut items = pin.items.clone();
                items.truncate(choices_left.max(1));
                choices_left /= items.len().max(1);
                let framing = match &items[..] {
                    [] => Framing::None,
                    [only] if pin.old => Framing::Old(Box::new(only.clone())),
                    _ => Framing::Extended(items),
                };
                let mut built = graph.filter(&filter).pin(name, *direction).framing(framing);
                if let Some(holds) = pin.holds {
                    built = built.holds(holds);
                }
                if let Some(bytes) = pin.media_size {
                    built = built.media_size(bytes);
                }
                let keeps_size = draft.routes[..draft.shape.routes().len()].contains(&RouteKind::Either);
                if let (Direction::Out, false, Some(compression)) = (direction, keeps_size, pin.compression) {
                    built.compression(compression);
                }
                let full_name = format!("{filter}.{name}");
                match direction {
                    Direction::In => {
                        let wire = draft.wires[in_pins];
                        in_pins += 1;
                        if let Some(wire) = wire
                            && !free_out_pins.is_empty()
                        {
                            let from = free_out_pins.remove(usize::from(wire) % free_out_pins.len());
                            graph.connect(&from, &full_name);
                        }
                    }
                    Direction::Out => out_pins.push(full_name),
                }
            }
            free_out_pins.extend(out_pins);
            for ((from, to), kind) in draft.shape.routes().iter().zip(draft.routes) {
                graph.filter(&filter).route(from, to, kind);
            }
        }
        graph.build().expect("a draft names its own pins only, and asks what can be asked")
    }
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

/// Graphs of all kinds.
pub(crate) fn graphs() -> impl Strategy<Value = GraphDraft> {
    let filters = prop::collection::vec(filter(), 1..8);
    let devices = [weighted(0.8, any::<(bool, bool)>()), weighted(0.5, any::<(bool, bool)>())];
    let strategy = select(graph::Strategy::ALL.map(|(_, strategy)| strategy).to_vec());
    (strategy, prop::bool::weighted(0.2), devices, any::<[u8; 8]>(), filters).prop_map(
        |(strategy, forbid_bridges, devices, names, mut filters)| {
            // Frames come from somewhere: what stands first gives.
            filters[0].shape = match filters[0].shape {
                Shape::Sink | Shape::Transform => Shape::Source,
                other => other,
            };
            GraphDraft { strategy, forbid_bridges, devices, names, filters }
        },
    )
}

fn filter() -> impl Strategy<Value = FilterDraft> {
    let shape = prop_oneof![
        2 => Just(Shape::Source),
        4 => Just(Shape::Transform),
        3 => Just(Shape::Sink),
        3 => Just(Shape::Tee),
        2 => Just(Shape::Merge),
    ];
    let route = || {
        prop_oneof![
            4 => Just(RouteKind::Pass),
            3 => Just(RouteKind::Either),
            2 => Just(RouteKind::InPlace),
            1 => Just(RouteKind::Copy),
        ]
    };
    let mode = select(vec![Mode::User, Mode::Kernel]);
    let wire = || weighted(0.92, any::<u8>());
    (mode, shape, [route(), route()], [wire(), wire()], [pin(), pin(), pin()])
        .prop_map(|(mode, shape, routes, wires, pins)| FilterDraft { mode, shape, routes, wires, pins })
}

fn pin() -> impl Strategy<Value = PinDraft> {
    let items = prop_oneof![
        6 => Just(0usize),
        8 => Just(1),
        4 => Just(2),
        1 => Just(3),
    ]
    .prop_flat_map(|count| prop::collection::vec(item(), count));
    let holds = weighted(0.15, 0u32..4);
    let bytes = prop_oneof![
        30 => select(vec![1u64, 2, 64, 100, 128, 4096]),
        1 => select(vec![1 << 32, 1 << 40, i64::MAX as u64, u64::MAX]),
    ];
    let compression = (select(vec![1u32, 2, 3]), select(vec![1u32, 2, 3]), select(vec![0u32, 1, 64]));
    let compression =
        compression.prop_map(|(numerator, denominator, margin)| Compression { numerator, denominator, margin });
    (items, any::<bool>(), holds, weighted(0.12, bytes), weighted(0.15, compression)).prop_map(
        |(items, old, holds, media_size, compression)| PinDraft { items, old, holds, media_size, compression },
    )
}

fn item() -> impl Strategy<Value = FramingItem> {
    let memory = prop_oneof![
        5 => Just(KSMEMORY_TYPE_WILDCARD),
        4 => Just(KSMEMORY_TYPE_SYSTEM),
        3 => Just(KSMEMORY_TYPE_KERNEL_NONPAGED),
        2 => Just(KSMEMORY_TYPE_KERNEL_PAGED),
        3 => Just(KSMEMORY_TYPE_USER),
        1 => Just(KSMEMORY_TYPE_DEVICE_UNKNOWN),
        3 => Just(DEVICES[0]),
        1 => Just(DEVICES[1]),
        1 => Just(UNDECLARED),
    ];
    let frames = prop_oneof![30 => select(vec![0u32, 0, 1, 2, 3, 5]), 1 => Just(u32::MAX)];
    let alignment = prop_oneof![30 => select(vec![0u64, 0, 1, 16, 64, 4096]), 1 => select(vec![1 << 32, 1 << 63])];
    let requirements = [
        (0.4, RequirementFlags::PREFERENCES_ONLY),
        (0.15, RequirementFlags::MUST_ALLOCATE),
        (0.15, RequirementFlags::INPLACE_MODIFIER),
        (0.1, RequirementFlags::FRAME_INTEGRITY),
    ]
    .map(|(weight, flag)| prop::bool::weighted(weight).prop_map(move |set| if set { flag } else { Default::default() }))
    .prop_map(|flags| flags.into_iter().collect::<RequirementFlags>());
    let flags = [
        (0.3, AllocatorFlags::CAN_ALLOCATE),
        (0.1, AllocatorFlags::ALLOCATOR_EXISTS),
        (0.2, AllocatorFlags::DEVICE_SPECIFIC),
    ]
    .map(|(weight, flag)| prop::bool::weighted(weight).prop_map(move |set| if set { flag } else { Default::default() }))
    .prop_map(|flags| flags.into_iter().collect::<AllocatorFlags>());
    (memory, frames, alignment, physical(), capacity(), requirements, flags).prop_map(
        |(memory, frames, alignment, mut physical, capacity, requirements, flags)| {
            if !requirements.contains(RequirementFlags::PREFERENCES_ONLY) {
                physical.max = physical.max.max(physical.min);
            }
            let optimal = FrameRange { min: capacity, ..FrameRange::OPEN };
            FramingItem { memory, frames, alignment, physical, optimal, requirements, flags, ..FramingItem::default() }
        },
    )
}

fn capacity() -> impl Strategy<Value = u32> {
    prop_oneof![40 => select(vec![0u32, 0, 0, 1, 64, 100, 128, 4096]), 1 => Just(u32::MAX)]
}

fn physical() -> impl Strategy<Value = FrameRange> {
    let size = || select(vec![0u32, 1, 64, 100, 128, 4096]);
    let max = prop_oneof![3 => Just(u32::MAX), 3 => size(), 1 => Just(u32::MAX - 1)];
    prop_oneof![
        5 => Just(FrameRange::OPEN),
        4 => (size(), max, select(vec![0u32, 1, 2, 3, 16, 64]))
            .prop_map(|(min, max, step)| FrameRange { min, max, step }),
        1 => size().prop_map(FrameRange::exactly),
    ]
}
