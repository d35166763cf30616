//! What if one thing in a graph were different: what is tried to tell what an ask costs, and what would help.

mod asked;

pub use asked::Asked;

use super::conflict::memory_name;
use crate::graph::{
    Bridges, Compression, FilterId, Framing, FramingItem, Graph, Mode, PinId, RouteKind, kind_by_itself,
};
use asked::other_side;
use ks::{Guid, RequirementFlags};

/// One thing that could be different in a graph. It is tried on a copy of the graph ([`WhatIf::apply`]) to tell what an
/// ask costs, and suggested where it would help. A change that is meant is a [`graph::Change`](crate::graph::Change).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum WhatIf {
    /// Frames may be copied at connections.
    AllowBridges,
    /// A pin no longer asks one thing: in one of its items, or with `None` in all of them.
    Drop {
        /// The pin.
        pin: PinId,
        /// The place of the item in the pin's items.
        item: Option<u32>,
        /// What it no longer asks.
        asked: Asked,
    },
    /// A pin asks for no larger a size: neither of its ranges starts above this one, in any of its items.
    LowerMinimum {
        /// The pin.
        pin: PinId,
        /// The size in bytes.
        bytes: u32,
    },
    /// A pin allows larger frames: the physical range of no item ends below this size.
    RaiseMaximum {
        /// The pin.
        pin: PinId,
        /// The size in bytes.
        bytes: u32,
    },
    /// A pin says one thing more, a flag, in all its items.
    Add {
        /// The pin.
        pin: PinId,
        /// The flag.
        asked: Asked,
    },
    /// What a pin asks are preferences (`KSALLOCATOR_REQUIREMENTF_PREFERENCES_ONLY`), in all its items.
    Prefer {
        /// The pin.
        pin: PinId,
    },
    /// What a pin asks are requirements: `PREFERENCES_ONLY` is cleared in all its items.
    Require {
        /// The pin.
        pin: PinId,
    },
    /// A route copies.
    CopyRoute {
        /// The in pin.
        from: PinId,
        /// The out pin.
        to: PinId,
    },
    /// A filter, with all its pins, runs on this side.
    Mode {
        /// The filter.
        filter: FilterId,
        /// The side.
        mode: Mode,
    },
    /// User mode can map a device's memory.
    MapMemory {
        /// Its type.
        memory_type: Guid,
    },
}

impl WhatIf {
    /// The change that takes away what a reason names.
    pub(super) fn dropping(graph: &Graph, pin: PinId, item: Option<u32>, asked: Asked) -> WhatIf {
        match asked {
            Asked::Mode => WhatIf::Mode { filter: graph.pin(pin).filter(), mode: other_side(graph, pin) },
            _ => WhatIf::Drop { pin, item, asked },
        }
    }

    /// The graph with this changed; `None` where that changes nothing, or the graph has no such pin, filter or item.
    pub fn apply(&self, graph: &Graph) -> Option<Graph> {
        if !self.is_about(graph) {
            return None;
        }
        let mut changed = graph.clone();
        self.apply_to(&mut changed).then_some(changed)
    }

    /// Whether the graph has the pins and filters it names.
    fn is_about(&self, graph: &Graph) -> bool {
        let has = |pin: PinId| pin.index() < graph.pins.len();
        match *self {
            WhatIf::AllowBridges | WhatIf::MapMemory { .. } => true,
            WhatIf::Drop { pin, .. }
            | WhatIf::LowerMinimum { pin, .. }
            | WhatIf::RaiseMaximum { pin, .. }
            | WhatIf::Add { pin, .. }
            | WhatIf::Prefer { pin }
            | WhatIf::Require { pin } => has(pin),
            WhatIf::CopyRoute { from, to } => has(from) && has(to),
            WhatIf::Mode { filter, .. } => filter.index() < graph.filters.len(),
        }
    }

    /// Changes a graph; `false` where that changes nothing.
    fn apply_to(&self, graph: &mut Graph) -> bool {
        match *self {
            WhatIf::AllowBridges => {
                let forbidden = graph.bridges == Bridges::Forbid;
                graph.bridges = Bridges::Allow;
                forbidden
            }
            WhatIf::Drop { pin, item, asked } => drop_asked(graph, pin, item, asked),
            WhatIf::LowerMinimum { pin, bytes } => change_items(graph, pin, None, |item| {
                if item.physical.min > bytes {
                    let step = item.physical.step.max(1);
                    // On the stepping, so that the sizes allowed become more and no others.
                    item.physical.min -=
                        (item.physical.min - bytes).div_ceil(step).min(item.physical.min / step) * step;
                }
                item.optimal.min = item.optimal.min.min(bytes);
            }),
            WhatIf::RaiseMaximum { pin, bytes } => {
                change_items(graph, pin, None, |item| item.physical.max = item.physical.max.max(bytes))
            }
            WhatIf::Add { pin, asked } => change_items(graph, pin, None, |item| asked.add_to(item)),
            WhatIf::Prefer { pin } => {
                change_items(graph, pin, None, |item| item.requirements.insert(RequirementFlags::PREFERENCES_ONLY))
            }
            WhatIf::Require { pin } => {
                let changed =
                    change_items(graph, pin, None, |item| item.requirements.remove(RequirementFlags::PREFERENCES_ONLY));
                // A range that is only preferred may be empty; as a requirement that is no graph.
                let items = graph.pin(pin).items();
                changed && items.iter().all(|item| item.physical.min <= item.physical.max)
            }
            WhatIf::CopyRoute { from, to } => {
                let mut routes = graph.routes.iter_mut();
                let route = routes.find(|route| (route.from, route.to) == (from, to) && route.kind != RouteKind::Copy);
                let Some(route) = route else { return false };
                route.kind = RouteKind::Copy;
                true
            }
            WhatIf::Mode { filter, mode } => {
                let pins = graph.filters[filter.index()].pins();
                let mut changed = false;
                for pin in pins {
                    changed |= graph.mode(pin) != mode;
                    graph.pins[pin.index()].mode = None;
                }
                graph.filters[filter.index()].mode = mode;
                changed
            }
            WhatIf::MapMemory { memory_type } => match graph.memory.get_mut(&memory_type) {
                Some(memory) if !memory.user_mappable => {
                    memory.user_mappable = true;
                    true
                }
                _ => false,
            },
        }
    }

    /// The change in words that follow "with" or "so would": `camera.out without KSALLOCATOR_REQUIREMENTF_MUST_ALLOCATE`.
    ///
    /// # Panics
    /// Where the graph has not the pin or filter that is changed: a change of another graph.
    pub fn describe(&self, graph: &Graph) -> String {
        let name = |pin: PinId| graph.pin_name(pin);
        match self {
            WhatIf::AllowBridges => {
                "bridges allowed (`bridges = \"allow\"`), so that frames are copied between them,".to_owned()
            }
            WhatIf::Drop { pin, item, asked } => {
                let several = graph.pin(*pin).items().len() > 1;
                let place = item.filter(|_| several).map_or(String::new(), |item| format!(" in item {item}"));
                match asked {
                    Asked::Memory => format!("{} with MemoryType wildcard{place}", name(*pin)),
                    Asked::Stepping => format!("{} with PhysicalRange.Stepping 1{place}", name(*pin)),
                    Asked::PhysicalMaximum => {
                        format!("{} with PhysicalRange.MaxFrameSize {}{place}", name(*pin), u32::MAX)
                    }
                    asked => format!("{} without {asked}{place}", name(*pin)),
                }
            }
            WhatIf::LowerMinimum { pin, bytes } => {
                let items = graph.pin(*pin).items();
                let asked = match (
                    items.iter().any(|item| item.physical.min > *bytes),
                    items.iter().any(|item| item.optimal.min > *bytes),
                ) {
                    (true, true) => Asked::Size,
                    (false, _) => Asked::Capacity,
                    (true, false) => Asked::PhysicalMinimum,
                };
                format!("{} with {asked} of at most {bytes}", name(*pin))
            }
            WhatIf::RaiseMaximum { pin, bytes } => {
                format!("{} with {} of at least {bytes}", name(*pin), Asked::PhysicalMaximum)
            }
            WhatIf::Add { pin, asked } => format!("{} with {asked}", name(*pin)),
            WhatIf::Prefer { pin } => format!("{} with KSALLOCATOR_REQUIREMENTF_PREFERENCES_ONLY", name(*pin)),
            WhatIf::Require { pin } => format!("{} without KSALLOCATOR_REQUIREMENTF_PREFERENCES_ONLY", name(*pin)),
            WhatIf::CopyRoute { from, to } => format!("a route {} -> {} that copies", name(*from), name(*to)),
            WhatIf::Mode { filter, mode } => format!("{} in {mode} mode", graph.filter(*filter).name()),
            WhatIf::MapMemory { memory_type } => {
                format!("memory {} that user mode can map (`user-mappable = true`)", memory_name(graph, *memory_type))
            }
        }
    }

    /// The pin whose framing it changes, if one.
    pub fn pin(&self) -> Option<PinId> {
        match *self {
            WhatIf::Drop { pin, .. }
            | WhatIf::LowerMinimum { pin, .. }
            | WhatIf::RaiseMaximum { pin, .. }
            | WhatIf::Add { pin, .. }
            | WhatIf::Prefer { pin }
            | WhatIf::Require { pin } => Some(pin),
            _ => None,
        }
    }

    /// The name JSON has for its kind.
    pub fn name(&self) -> &'static str {
        match self {
            WhatIf::AllowBridges => "allow-bridges",
            WhatIf::Drop { .. } => "drop",
            WhatIf::LowerMinimum { .. } => "lower-minimum",
            WhatIf::RaiseMaximum { .. } => "raise-maximum",
            WhatIf::Add { .. } => "add",
            WhatIf::Prefer { .. } => "prefer",
            WhatIf::Require { .. } => "require",
            WhatIf::CopyRoute { .. } => "copy-route",
            WhatIf::Mode { .. } => "mode",
            WhatIf::MapMemory { .. } => "map-memory",
        }
    }

    /// How much it changes, the smallest first: what the graph may do; then one number or flag of one pin; then all that
    /// a pin asks; then what a filter does or where it runs.
    pub(super) fn extent(&self) -> u8 {
        match self {
            WhatIf::AllowBridges => 0,
            WhatIf::LowerMinimum { .. } | WhatIf::RaiseMaximum { .. } => 1,
            WhatIf::Drop { .. } | WhatIf::Add { .. } | WhatIf::MapMemory { .. } => 2,
            WhatIf::Require { .. } | WhatIf::Prefer { .. } => 3,
            WhatIf::CopyRoute { .. } => 4,
            WhatIf::Mode { .. } => 5,
        }
    }
}

fn drop_asked(graph: &mut Graph, pin: PinId, item: Option<u32>, asked: Asked) -> bool {
    let at = &mut graph.pins[pin.index()];
    match asked {
        Asked::Holds => at.holds.take().is_some(),
        Asked::MediaSize => at.media_size.take().is_some(),
        Asked::Compression => std::mem::replace(&mut at.compression, Compression::NONE).is_stated(),
        Asked::Mode => false,
        asked => {
            let follows = route_that_follows(graph, pin);
            let changed = change_items(graph, pin, item, |item| asked.drop_from(item));
            if let Some(route) = follows {
                graph.routes[route].kind = kind_by_itself(&graph.pins[pin.index()].framing);
            }
            changed
        }
    }
}

/// The place of the route that a filter has by itself, where this is its in pin: what the pin asks says how it goes.
fn route_that_follows(graph: &Graph, pin: PinId) -> Option<usize> {
    let at = graph.pin(pin);
    if !graph.filter(at.filter()).route_by_itself {
        return None;
    }
    let place = graph.routes.binary_search_by_key(&pin, |route| route.from).ok()?;
    (graph.routes[place].kind == kind_by_itself(at.framing())).then_some(place)
}

/// Changes one item of a pin or all of them; `false` where that changes nothing.
fn change_items(graph: &mut Graph, pin: PinId, only: Option<u32>, change: impl Fn(&mut FramingItem)) -> bool {
    let framing = &mut graph.pins[pin.index()].framing;
    let before = framing.clone();
    match framing {
        Framing::None => {}
        Framing::Old(item) => change(item),
        Framing::Extended(items) => {
            let chosen =
                items.iter_mut().enumerate().filter(|(place, _)| only.is_none_or(|only| only == *place as u32));
            chosen.for_each(|(_, item)| change(item));
        }
    }
    *framing != before
}

/// The items of a pin, to be changed where the cause of a conflict is looked for.
pub(super) fn for_each_item(graph: &mut Graph, pin: PinId, change: impl Fn(&mut FramingItem)) -> bool {
    change_items(graph, pin, None, change)
}
