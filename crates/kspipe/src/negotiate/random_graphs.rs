//! Random graphs for tests of the solver from inside.

use crate::graph::{Bridges, Direction, FrameRange, Framing, FramingItem, Graph, GraphBuilder, RouteKind, Strategy};
use ks::{
    AllocatorFlags, Guid, KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_KERNEL_PAGED, KSMEMORY_TYPE_SYSTEM,
    KSMEMORY_TYPE_USER, KSMEMORY_TYPE_WILDCARD, RequirementFlags,
};

/// Numbers that look random and are the same each time (xorshift64*).
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % sides
    }

    pub(super) fn of<T: Copy>(&mut self, things: &[T]) -> T {
        things[self.roll(things.len() as u64) as usize]
    }

    /// True once in so many times.
    pub(super) fn once_in(&mut self, times: u64) -> bool {
        self.roll(times) == 0
    }
}

const MEMORY: [Guid; 5] = [
    KSMEMORY_TYPE_SYSTEM,
    KSMEMORY_TYPE_WILDCARD,
    KSMEMORY_TYPE_USER,
    KSMEMORY_TYPE_KERNEL_NONPAGED,
    KSMEMORY_TYPE_KERNEL_PAGED,
];

pub(super) fn random_item(dice: &mut Dice) -> FramingItem {
    let mut item = FramingItem { memory: dice.of(&MEMORY), frames: dice.roll(4) as u32, ..FramingItem::default() };
    if dice.once_in(2) {
        item.memory = KSMEMORY_TYPE_SYSTEM;
    }
    if dice.once_in(3) {
        item.optimal = FrameRange { min: dice.of(&[100, 200, 300, 1000]), max: u32::MAX, step: 1 };
    }
    if dice.once_in(8) {
        item.physical =
            FrameRange { min: 0, max: dice.of(&[250, 900, 5000, u32::MAX]), step: dice.of(&[1, 1, 1, 64, 96]) };
    }
    if dice.once_in(4) {
        item.alignment = dice.of(&[16, 64]);
    }
    let flags = [
        (RequirementFlags::MUST_ALLOCATE, 10),
        (RequirementFlags::PREFERENCES_ONLY, 4),
        (RequirementFlags::FRAME_INTEGRITY, 16),
        (RequirementFlags::INPLACE_MODIFIER, 24),
    ];
    for (flag, times) in flags {
        if dice.once_in(times) {
            item.requirements |= flag;
        }
    }
    item.flags = AllocatorFlags::empty();
    item
}

/// What a graph is like: how its filters hang together, and how often pins ask anything.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Chain,
    Tees,
    WideTee,
    Mixers,
    /// Tees and mixers, the branches of one tee met again.
    Tangled,
}

pub(super) fn random_graph(dice: &mut Dice, kind: Kind, filters: u64) -> Graph {
    let mut graph = Graph::builder();
    graph.strategy(dice.of(&Strategy::ALL).1);
    if dice.once_in(8) {
        graph.bridges(Bridges::Forbid);
    }
    let side = dice.roll(4);
    let asks_once_in = dice.of(&[1, 2, 6]);
    let tree = !matches!(kind, Kind::Tangled);
    // Out pins and in pins that wait for a peer.
    let (mut outs, mut ins): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for number in 0..filters {
        let name = format!("f{}{number}", dice.roll(10));
        let filter =
            if side == 0 || side == 1 && dice.once_in(3) { graph.filter(&name).kernel() } else { graph.filter(&name) };
        filter.pin("in", Direction::In);
        let (more_ins, more_outs) = match kind {
            Kind::Chain => (0, 1),
            Kind::Tees => (0, 2),
            Kind::WideTee => (0, if number == 0 { filters } else { u64::from(dice.once_in(3)) }),
            Kind::Mixers | Kind::Tangled => (u64::from(dice.once_in(3)), 1 + u64::from(dice.once_in(2))),
        };
        for pin in 0..more_outs {
            let pin = format!("out{pin}");
            graph.filter(&name).pin(&pin, Direction::Out);
            let tees = matches!(kind, Kind::Tees | Kind::WideTee);
            let kind = match dice.roll(if tees { 12 } else { 6 }) {
                0 => RouteKind::InPlace,
                1 | 2 => RouteKind::Either,
                _ => RouteKind::Pass,
            };
            graph.filter(&name).route("in", &pin, kind);
            outs.push(format!("{name}.{pin}"));
        }
        for pin in 0..more_ins.min(more_outs) {
            let pin = format!("more{pin}");
            graph.filter(&name).pin(&pin, Direction::In);
            graph.filter(&name).route(&pin, "out0", RouteKind::Pass);
            ins.push(format!("{name}.{pin}"));
        }
        if number > 0 {
            // The filter's own out pins stand last.
            let others = outs.len() - more_outs as usize;
            if others > 0 {
                let last = matches!(kind, Kind::Chain);
                let place = if last { others - 1 } else { dice.roll(others as u64) as usize };
                graph.connect(&outs.remove(place), &format!("{name}.in"));
            }
        }
    }
    for number in 0..ins.len().min(8) {
        let name = format!("source{number}");
        let pin = ins.remove(0);
        if tree || outs.is_empty() || dice.once_in(2) {
            graph.filter(&name).pin("out", Direction::Out);
            graph.connect(&format!("{name}.out"), &pin);
        } else {
            // May make a directed cycle; the test passes over those.
            let out = outs.remove(dice.roll(outs.len() as u64) as usize);
            graph.connect(&out, &pin);
        }
    }
    let mut graph = dressed(graph);
    for pin in 0..graph.pins.len() {
        if dice.once_in(asks_once_in) {
            change_pin(dice, &mut graph, pin);
        }
    }
    graph
}

pub(super) fn dressed(graph: GraphBuilder) -> Graph {
    graph.build().expect("a valid graph")
}

pub(super) fn change_pin(dice: &mut Dice, graph: &mut Graph, pin: usize) {
    match dice.roll(8) {
        0 => graph.pins[pin].holds = Some(dice.roll(4) as u32),
        1 => graph.pins[pin].media_size = Some(dice.of(&[100, 250, 700])),
        2 => (graph.pins[pin].holds, graph.pins[pin].media_size) = (None, None),
        3 => graph.pins[pin].framing = Framing::None,
        4 => {
            let (one, other) = (random_item(dice), random_item(dice));
            graph.pins[pin].framing = Framing::Extended(vec![one, other]);
        }
        _ => graph.pins[pin].framing = Framing::Extended(vec![random_item(dice)]),
    }
}
