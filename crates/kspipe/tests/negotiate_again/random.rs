//! Graphs and changes of them that look random and are the same each time.

use ks::{
    AllocatorFlags, KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_KERNEL_PAGED, KSMEMORY_TYPE_SYSTEM,
    KSMEMORY_TYPE_USER, RequirementFlags,
};
use kspipe::graph::{
    Bridges, Change, Compression, Connection, Direction, FrameRange, Framing, FramingItem, Graph, Mode, PinId,
    RouteKind, Strategy,
};

/// Numbers that look random and are the same each time (splitmix64).
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.0;
        number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((number ^ number >> 31) % below.max(1) as u64) as usize
    }
    pub(crate) fn one_of<T: Copy>(&mut self, things: &[T]) -> T {
        things[self.next(things.len())]
    }
}

fn random_item(numbers: &mut Numbers) -> FramingItem {
    let memories = [
        KSMEMORY_TYPE_SYSTEM,
        KSMEMORY_TYPE_SYSTEM,
        KSMEMORY_TYPE_USER,
        KSMEMORY_TYPE_KERNEL_PAGED,
        KSMEMORY_TYPE_KERNEL_NONPAGED,
        ks::KSMEMORY_TYPE_WILDCARD,
    ];
    let min = numbers.one_of(&[0, 0, 1, 64, 100]);
    let requirements = [
        RequirementFlags::empty(),
        RequirementFlags::empty(),
        RequirementFlags::PREFERENCES_ONLY,
        RequirementFlags::MUST_ALLOCATE,
        RequirementFlags::MUST_ALLOCATE | RequirementFlags::PREFERENCES_ONLY,
        RequirementFlags::FRAME_INTEGRITY,
        RequirementFlags::INPLACE_MODIFIER,
    ];
    let flags = [
        AllocatorFlags::empty(),
        AllocatorFlags::empty(),
        AllocatorFlags::CAN_ALLOCATE,
        AllocatorFlags::ALLOCATOR_EXISTS,
        AllocatorFlags::CAN_ALLOCATE | AllocatorFlags::DEVICE_SPECIFIC,
    ];
    FramingItem {
        memory: numbers.one_of(&memories),
        frames: numbers.one_of(&[0, 1, 2, 5]),
        alignment: numbers.one_of(&[0, 1, 16, 4096]),
        physical: FrameRange {
            min,
            max: numbers.one_of(&[u32::MAX, u32::MAX, 200, 4096]),
            step: numbers.one_of(&[0, 1, 1, 32, 48]),
        },
        optimal: FrameRange { min: numbers.one_of(&[0, 0, 50, 150, 5000]), ..FrameRange::OPEN },
        requirements: numbers.one_of(&requirements),
        flags: numbers.one_of(&flags),
        ..FramingItem::default()
    }
}

/// A change that fits the graph, of any kind.
pub(crate) fn random_change(graph: &Graph, numbers: &mut Numbers) -> Change {
    let pins: Vec<PinId> = graph.pin_ids().collect();
    let pin = numbers.one_of(&pins);
    loop {
        let change = match numbers.next(20) {
            0..6 => {
                let count = numbers.one_of(&[0, 1, 1, 1, 2]);
                let items: Vec<FramingItem> = (0..count).map(|_| random_item(numbers)).collect();
                let framing = if items.is_empty() { Framing::None } else { Framing::Extended(items) };
                Change::Framing { pin, framing }
            }
            6..8 => {
                // One thing of an item only.
                let mut items = graph.pin(pin).items().to_vec();
                let Some(item) = items.first_mut() else { continue };
                match numbers.next(4) {
                    0 => item.frames = numbers.one_of(&[1, 3, 9]),
                    1 => item.alignment = numbers.one_of(&[1, 64]),
                    2 => item.requirements.toggle(RequirementFlags::MUST_ALLOCATE),
                    _ => item.requirements.toggle(RequirementFlags::PREFERENCES_ONLY),
                }
                if !item.is_preference() && item.physical.min > item.physical.max {
                    continue;
                }
                Change::Framing { pin, framing: Framing::Extended(items) }
            }
            8 => Change::Holds { pin, frames: numbers.one_of(&[None, Some(0), Some(1), Some(4)]) },
            9 | 10 => Change::MediaSize { pin, bytes: numbers.one_of(&[0, 0, 120, 150, 3000]) },
            11 => {
                let compressions = [
                    Compression::NONE,
                    Compression { numerator: 1, denominator: 2, margin: 0 },
                    Compression { numerator: 3, denominator: 1, margin: 7 },
                ];
                Change::Compression { pin, compression: numbers.one_of(&compressions) }
            }
            12 | 13 => match graph.pin(pin).peer() {
                Some(peer) if graph.pin(pin).direction() == Direction::Out => {
                    Change::Disconnect(Connection { from: pin, to: peer })
                }
                Some(peer) => Change::Disconnect(Connection { from: peer, to: pin }),
                None => continue,
            },
            14 | 15 => {
                let free = |direction| {
                    let is =
                        |pin: &&PinId| graph.pin(**pin).direction() == direction && graph.pin(**pin).peer().is_none();
                    pins.iter().filter(is).copied().collect::<Vec<_>>()
                };
                let (outs, ins) = (free(Direction::Out), free(Direction::In));
                if outs.is_empty() || ins.is_empty() {
                    continue;
                }
                Change::Connect(Connection { from: numbers.one_of(&outs), to: numbers.one_of(&ins) })
            }
            16 => {
                if graph.routes().is_empty() {
                    continue;
                }
                let route = numbers.one_of(graph.routes());
                let kinds = [RouteKind::Pass, RouteKind::InPlace, RouteKind::Either, RouteKind::Copy];
                Change::Route { from: route.from, to: route.to, kind: numbers.one_of(&kinds) }
            }
            17 => {
                let filter = graph.pin(pin).filter();
                Change::Mode { filter, mode: numbers.one_of(&[Mode::User, Mode::Kernel]) }
            }
            18 => Change::Strategy(numbers.one_of(&Strategy::ALL).1),
            _ => Change::Bridges(numbers.one_of(&[Bridges::Allow, Bridges::Allow, Bridges::Forbid])),
        };
        if graph.clone().change(change.clone()).is_ok() {
            return change;
        }
    }
}

/// A filter with these in pins and out pins and a route of a random kind between each two.
fn filter(graph: &mut kspipe::graph::GraphBuilder, name: &str, ins: usize, outs: usize, numbers: &mut Numbers) {
    let mode = numbers.one_of(&[Mode::User, Mode::User, Mode::Kernel]);
    let mut draft = graph.filter(name).mode(mode).only_stated_routes();
    for number in 0..ins {
        draft.pin(&format!("in{number}"), Direction::In);
        draft = graph.filter(name);
    }
    for number in 0..outs {
        draft.pin(&format!("out{number}"), Direction::Out);
        draft = graph.filter(name);
    }
    for from in 0..ins {
        for to in 0..outs {
            let kinds = [RouteKind::Pass, RouteKind::Pass, RouteKind::InPlace, RouteKind::Either, RouteKind::Copy];
            draft = draft.route(&format!("in{from}"), &format!("out{to}"), numbers.one_of(&kinds));
        }
    }
}

/// A name out of order, often the beginning of another one's.
fn name(number: usize) -> String {
    let mixed = (number * 7) % 31;
    format!("f{}{}", if mixed.is_multiple_of(3) { "-" } else { "" }, mixed % 10) + &"-x".repeat(mixed / 10)
}

/// A chain, a tree of tees, mixers, branches that meet again, or several of them apart.
pub(crate) fn random_graph(numbers: &mut Numbers) -> Graph {
    let mut graph = Graph::builder();
    let shape = numbers.next(5);
    let count = 3 + numbers.next(10);
    let mut free: Vec<String> = Vec::new();
    for number in 0..count {
        let (ins, outs) = match shape {
            0 => (1, 1),
            1 => (1, 2),
            2 => (2, 1),
            3 => numbers.one_of(&[(1, 2), (2, 1), (1, 1)]),
            _ => numbers.one_of(&[(0, 1), (1, 0), (1, 1), (1, 2), (2, 1)]),
        };
        let name = name(number);
        filter(&mut graph, &name, ins, outs, numbers);
        for to in 0..ins {
            if !free.is_empty() && numbers.next(8) > 0 {
                let from = if shape == 0 { free.len() - 1 } else { numbers.next(free.len()) };
                graph.connect(&free.remove(from), &format!("{name}.in{to}"));
            }
        }
        free.extend((0..outs).map(|out| format!("{name}.out{out}")));
    }
    let graph = graph.build().expect("a valid graph");
    // What the pins ask.
    let mut negotiated = graph;
    for pin in negotiated.pin_ids() {
        if numbers.next(2) == 0 {
            let framing = Framing::Extended(vec![random_item(numbers)]);
            if negotiated.clone().change(Change::Framing { pin, framing: framing.clone() }).is_ok() {
                negotiated.change(Change::Framing { pin, framing }).expect("it fits");
            }
        }
    }
    negotiated
}

/// A chain, or a tree of tees, with so many filters; some routes copy or write, some connections are left open.
pub(crate) fn random_tree(numbers: &mut Numbers, filters: usize) -> Graph {
    let mut graph = Graph::builder();
    let outs = numbers.one_of(&[1, 1, 2, 5]);
    let is_long = numbers.next(2) == 0;
    let mut free: Vec<String> = Vec::new();
    for number in 0..filters {
        // Names that do not follow the way of the data.
        let name = format!("f{:03}", (number * 67) % 211);
        let mode = numbers.one_of(&[Mode::User, Mode::User, Mode::User, Mode::Kernel]);
        graph.filter(&name).mode(mode).only_stated_routes().pin("in", Direction::In);
        for out in 0..outs {
            graph.filter(&name).pin(&format!("out{out}"), Direction::Out);
            let kinds = [RouteKind::Pass, RouteKind::Pass, RouteKind::Pass, RouteKind::Pass, RouteKind::Copy];
            graph.filter(&name).route("in", &format!("out{out}"), numbers.one_of(&kinds));
        }
        if !free.is_empty() && numbers.next(12) > 0 {
            let from = if is_long { free.len() - 1 } else { numbers.next(free.len()) };
            graph.connect(&free.remove(from), &format!("{name}.in"));
        }
        free.extend((0..outs).map(|out| format!("{name}.out{out}")));
    }
    let mut graph = graph.build().expect("a valid graph");
    for pin in graph.pin_ids() {
        let item = FramingItem {
            memory: numbers.one_of(&[KSMEMORY_TYPE_SYSTEM, KSMEMORY_TYPE_SYSTEM, KSMEMORY_TYPE_USER]),
            frames: numbers.one_of(&[0, 1, 2, 5]),
            optimal: FrameRange { min: numbers.one_of(&[0, 0, 0, 64, 100]), ..FrameRange::OPEN },
            physical: FrameRange {
                max: numbers.one_of(&[u32::MAX, u32::MAX, u32::MAX, u32::MAX, 128]),
                ..FrameRange::OPEN
            },
            ..FramingItem::default()
        };
        graph.change(Change::Framing { pin, framing: Framing::Extended(vec![item]) }).expect("it fits");
    }
    graph
}

/// Connects, parts, moves to another place, or makes a route go otherwise; several at once too.
pub(crate) fn random_links(graph: &Graph, numbers: &mut Numbers) -> Vec<Change> {
    let mut changed = graph.clone();
    let mut step = Vec::new();
    for _ in 0..numbers.one_of(&[1, 1, 2, 3]) {
        let connections = changed.connections().to_vec();
        let free = |direction| {
            let is = |pin: &PinId| changed.pin(*pin).direction() == direction && changed.pin(*pin).peer().is_none();
            changed.pin_ids().filter(is).collect::<Vec<PinId>>()
        };
        let mut changes = Vec::new();
        let (outs, ins) = (free(Direction::Out), free(Direction::In));
        match numbers.next(6) {
            0 | 1 if !connections.is_empty() => changes.push(Change::Disconnect(numbers.one_of(&connections))),
            2 | 3 if !outs.is_empty() && !ins.is_empty() => {
                changes.push(Change::Connect(Connection { from: numbers.one_of(&outs), to: numbers.one_of(&ins) }));
            }
            4 if !connections.is_empty() && !outs.is_empty() => {
                let gone = numbers.one_of(&connections);
                changes.push(Change::Disconnect(gone));
                changes.push(Change::Connect(Connection { from: numbers.one_of(&outs), to: gone.to }));
            }
            _ => {
                let route = numbers.one_of(graph.routes());
                let kind = numbers.one_of(&[RouteKind::Pass, RouteKind::InPlace, RouteKind::Either, RouteKind::Copy]);
                changes.push(Change::Route { from: route.from, to: route.to, kind });
            }
        }
        for change in changes {
            // A compression does not go with every route.
            if changed.change(change.clone()).is_ok() {
                step.push(change);
            }
        }
    }
    step
}
