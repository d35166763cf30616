//! The smallest graph that fails as another does: things are taken away, one by one, for as long as it still fails.

use super::rebuilt::{Parts, Says};
use ks::{AllocatorFlags, KSMEMORY_TYPE_WILDCARD, RequirementFlags};
use kspipe::graph::{Bridges, Compression, FrameRange, FramingItem, Graph, Mode, RouteKind, Strategy};

type SimplerPin = fn(&mut Says);
type SimplerItem = fn(&mut FramingItem);

const SIMPLER_PINS: &[SimplerPin] = &[
    |pin| pin.items.clear(),
    |pin| pin.compression = Compression::NONE,
    |pin| pin.holds = None,
    |pin| pin.media_size = None,
    |pin| (pin.mode, pin.filter_mode) = (Mode::User, Mode::User),
    |pin| pin.mode = pin.filter_mode,
    |pin| pin.old = false,
    |pin| pin.holds = pin.holds.map(|holds| holds.min(1)),
    |pin| pin.media_size = pin.media_size.map(|bytes| bytes.min(2)),
];

const SIMPLER_ITEMS: &[SimplerItem] = &[
    |item| item.memory = KSMEMORY_TYPE_WILDCARD,
    |item| item.frames = 0,
    |item| item.alignment = 0,
    |item| item.physical = FrameRange::OPEN,
    |item| item.physical.step = 1,
    |item| item.physical.min = 0,
    |item| item.physical.max = u32::MAX,
    |item| item.optimal = FrameRange::OPEN,
    |item| item.optimal = FrameRange { min: item.optimal.min, ..FrameRange::OPEN },
    |item| item.requirements.remove(RequirementFlags::PREFERENCES_ONLY),
    |item| item.requirements.remove(RequirementFlags::MUST_ALLOCATE),
    |item| item.requirements.remove(RequirementFlags::INPLACE_MODIFIER),
    |item| item.requirements.remove(RequirementFlags::FRAME_INTEGRITY),
    |item| item.flags = AllocatorFlags::empty(),
    |item| item.frames = item.frames.min(2),
    |item| item.alignment = item.alignment.min(16),
    |item| item.optimal.min = item.optimal.min.min(2),
    |item| item.physical.min = item.physical.min.min(2),
];

/// The smallest graph found, by taking away and simplifying, on which `fails` still says so.
pub(crate) fn minimal(graph: &Graph, fails: impl Fn(&Graph) -> bool) -> Graph {
    let mut parts = Parts::of(graph);
    loop {
        let smaller = simpler(&parts).into_iter().find_map(|parts| {
            let graph = parts.try_build()?;
            fails(&graph).then_some(parts)
        });
        match smaller {
            Some(smaller) => parts = smaller,
            None => return parts.build(),
        }
    }
}

/// Everything that is one step simpler, what takes most away first.
fn simpler(parts: &Parts) -> Vec<Parts> {
    let pins = if parts.pins.len() > 1 { 0..parts.pins.len() } else { 0..0 };
    let mut simpler: Vec<Parts> = pins.map(|place| parts.without_pin(place)).collect();
    let mut push = |change: &dyn Fn(&mut Parts)| {
        let mut changed = parts.clone();
        change(&mut changed);
        if format!("{changed:?}") != format!("{parts:?}") {
            simpler.push(changed);
        }
    };
    for place in 0..parts.connections.len() {
        push(&|parts| {
            parts.connections.remove(place);
        });
    }
    for place in 0..parts.routes.len() {
        push(&|parts| {
            parts.routes.remove(place);
        });
    }
    for place in 0..parts.devices.len() {
        push(&|parts| {
            parts.devices.remove(place);
        });
    }
    push(&|parts| parts.bridges = Bridges::Allow);
    push(&|parts| parts.strategy = Strategy::MaximizeSpeed);
    for place in 0..parts.routes.len() {
        push(&|parts| parts.routes[place].3 = RouteKind::Pass);
    }
    for (place, pin) in parts.pins.iter().enumerate() {
        for item in 0..pin.items.len() {
            push(&|parts| {
                parts.pins[place].items.remove(item);
            });
        }
        for change in SIMPLER_PINS {
            push(&|parts| change(&mut parts.pins[place]));
        }
        for item in 0..pin.items.len() {
            for change in SIMPLER_ITEMS {
                push(&|parts| change(&mut parts.pins[place].items[item]));
            }
        }
    }
    simpler
}
