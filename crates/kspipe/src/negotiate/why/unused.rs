//! Why a pin that could allocate does not.

use super::renegotiate::Outcome;
use super::{Answer, Cause, CostDifference, Explainer, TriedChange};
use crate::graph::{Connection, Direction, FilterId, FramingItem, Mode, PinId};
use crate::negotiate::describe::{Reason, View};
use crate::negotiate::{AllocatorKind, Asked, Plan, WhatIf};
use ks::AllocatorFlags;

/// What Microsoft says of a vendor's allocator, with the pages.
pub(in crate::negotiate) const ON_WINDOWS: &str = "on Windows the same: a kernel-mode allocator is chosen only where the \
    connection is in kernel mode (learn.microsoft.com/windows-hardware/drivers/stream/avstream-allocators) and cannot give \
    frames that may reach user mode (.../drivers/ddi/ks/nc-ks-pfnkspininitializeallocator), so InitializeAllocator is never \
    called";

/// Changes tried for one pin, at most.
const MOST_CHANGES_TRIED: usize = 16;

/// Bridges explained for one pin, at most.
const MOST_BRIDGES: usize = 8;
/// User-mode pins named for one pin, at most.
const MOST_USER_PINS: usize = 8;

/// What keeps a pin from allocating, or its frames from going far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// No item of the pin says that it must, prefers to or can allocate, nor that an allocator exists.
    NotOffered,
    /// The plan uses another of its items.
    OtherItem {
        /// The item that offers it.
        offers: u32,
        /// The item used.
        used: Option<u32>,
    },
    /// It is in kernel mode, and these pins of its pipe are in user mode.
    UserMode {
        /// Those pins, the first eight.
        pins: Vec<PinId>,
    },
    /// Another pin comes first (rule 6).
    OtherPin {
        /// That pin.
        pin: PinId,
        /// Why it allocates.
        kind: AllocatorKind,
    },
    /// It does allocate, but only up to these connections, at which its frames are copied.
    UpToBridge {
        /// Those connections.
        bridges: Vec<Connection>,
    },
    /// It allocates here, but Windows would not let it: the pin it is connected to is in user mode.
    NotOnWindows {
        /// That pin.
        peer: PinId,
    },
}

/// How much a pin offers to allocate, and in which item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::negotiate) struct Offer {
    pub(in crate::negotiate) item: u32,
    pub(in crate::negotiate) kind: AllocatorKind,
}

/// What an item offers by rule 6.
fn kind_of(item: &FramingItem) -> Option<AllocatorKind> {
    let has = |flags: AllocatorFlags| item.flags.contains(flags);
    if item.must_allocate() {
        Some(if item.is_preference() { AllocatorKind::Prefers } else { AllocatorKind::MustAllocate })
    } else if has(AllocatorFlags::ALLOCATOR_EXISTS) {
        Some(AllocatorKind::Exists)
    } else if has(AllocatorFlags::DEVICE_SPECIFIC | AllocatorFlags::CAN_ALLOCATE) {
        Some(AllocatorKind::DeviceSpecific)
    } else if has(AllocatorFlags::CAN_ALLOCATE) {
        Some(AllocatorKind::CanAllocate)
    } else {
        None
    }
}

/// Rule 6's order, the first first.
fn rank(kind: AllocatorKind) -> u8 {
    match kind {
        AllocatorKind::MustAllocate => 0,
        AllocatorKind::Prefers => 1,
        AllocatorKind::Exists => 2,
        AllocatorKind::DeviceSpecific => 3,
        AllocatorKind::CanAllocate => 4,
        AllocatorKind::Default => 5,
    }
}

/// What a pin offers: in the item the plan uses, else in the item that offers most.
pub(in crate::negotiate) fn offer(view: &View<'_>, pin: PinId) -> Option<Offer> {
    let items = view.graph.pin(pin).items();
    let offers = items
        .iter()
        .enumerate()
        .filter_map(|(place, item)| kind_of(item).map(|kind| Offer { item: place as u32, kind }));
    let used = view.item_place(pin);
    offers.min_by_key(|offer| (Some(offer.item) != used, rank(offer.kind)))
}

/// What keeps a pin from allocating; `None` where nothing does.
pub(in crate::negotiate) fn obstacle(view: &View<'_>, pin: PinId) -> Option<Obstacle> {
    let Some(offer) = offer(view, pin) else { return Some(Obstacle::NotOffered) };
    let used = view.item_place(pin);
    if used != Some(offer.item) {
        return Some(Obstacle::OtherItem { offers: offer.item, used });
    }
    let id = view.pipe_of(pin);
    let pipe = view.pipe(id);
    let allocates = pipe.allocator.pin == Some(pin) && pipe.allocator.kind != AllocatorKind::Default;
    if allocates {
        let bridges = view.bridges_out(id).chain(view.bridges_in(id)).map(|bridge| bridge.connection);
        let bridges: Vec<Connection> = bridges.collect();
        if !bridges.is_empty() {
            return Some(Obstacle::UpToBridge { bridges });
        }
        let peer = view.graph.pin(pin).peer()?;
        let crosses = view.graph.mode(pin) == Mode::Kernel && view.graph.mode(peer) == Mode::User;
        return crosses.then_some(Obstacle::NotOnWindows { peer });
    }
    if view.graph.mode(pin) == Mode::Kernel && pipe.mode == Mode::User {
        let user = pipe.pins.iter().copied().filter(|other| view.graph.mode(*other) == Mode::User);
        let pins = user.take(MOST_USER_PINS).collect();
        return Some(Obstacle::UserMode { pins });
    }
    let other = pipe.allocator.pin?;
    Some(Obstacle::OtherPin { pin: other, kind: pipe.allocator.kind })
}

/// The answer to why a pin does not allocate.
pub(super) fn answer(explainer: &mut Explainer<'_>, pin: PinId) -> Answer {
    let view = explainer.description.view();
    if pin.index() >= view.graph.pins().len() {
        return Answer::default();
    }
    let Some(obstacle) = obstacle(view, pin) else {
        let reasons = explainer.description.reasons(view.pipe_of(pin)).allocator;
        let causes = explainer.causes(reasons, Some(super::PipeNumber::Allocator));
        return Answer { causes, ..Answer::default() };
    };
    let conflicts = conflicts(explainer, &obstacle);
    let view = explainer.description.view();
    let reasons = reasons(view, pin, &obstacle, &conflicts);
    let causes: Vec<Cause> = reasons.into_iter().map(|reason| Cause { reason, saving: None }).collect();
    let candidates = candidates(view, pin, &obstacle, &conflicts);
    let mut changes = Vec::new();
    for change in candidates.into_iter().take(MOST_CHANGES_TRIED) {
        if let Outcome::Plan(changed, plan) = explainer.renegotiator.with(&change) {
            let before = explainer.description.plan();
            let crosses = |plan: &Plan| plan.bridges.iter().any(|bridge| obstacle.names(bridge.connection));
            let own = plan.pipe(pin).allocator;
            let allocates = own.pin == Some(pin) && own.kind != AllocatorKind::Default;
            let peer_differs = changed.pin(pin).peer().is_some_and(|peer| changed.mode(peer) != changed.mode(pin));
            let helps = match obstacle {
                Obstacle::UpToBridge { .. } => allocates && !crosses(&plan),
                Obstacle::NotOnWindows { .. } => allocates && !peer_differs,
                _ => allocates,
            };
            if helps {
                changes.push(TriedChange { change, cost: CostDifference::of(before, &plan) });
            }
        }
    }
    let strategy = explainer.description.plan().strategy;
    // Stable: of those that cost the same, the smaller change.
    changes.sort_by_key(|tried| (tried.cost.after.keys(strategy), tried.change.extent()));
    Answer { causes, obstacle: Some(obstacle), changes }
}

impl Obstacle {
    /// The name JSON has for it.
    pub fn name(&self) -> &'static str {
        match self {
            Obstacle::NotOffered => "not-offered",
            Obstacle::OtherItem { .. } => "other-item",
            Obstacle::UserMode { .. } => "user-mode",
            Obstacle::OtherPin { .. } => "other-pin",
            Obstacle::UpToBridge { .. } => "up-to-bridge",
            Obstacle::NotOnWindows { .. } => "not-on-windows",
        }
    }

    /// Whether a connection is one of those at which the frames are copied.
    fn names(&self, connection: Connection) -> bool {
        matches!(self, Obstacle::UpToBridge { bridges } if bridges.contains(&connection))
    }
}

/// The bridges at which frames are copied that a pin allocates, each with why it is one.
fn conflicts(explainer: &mut Explainer<'_>, obstacle: &Obstacle) -> Vec<(Connection, Vec<Reason>)> {
    match obstacle {
        Obstacle::UpToBridge { bridges } => {
            let first = bridges.iter().take(MOST_BRIDGES);
            first.map(|bridge| (*bridge, explainer.conflict(*bridge))).collect()
        }
        _ => Vec::new(),
    }
}

/// An obstacle as reasons.
fn reasons(view: &View<'_>, pin: PinId, obstacle: &Obstacle, conflicts: &[(Connection, Vec<Reason>)]) -> Vec<Reason> {
    const RULE: u8 = 6;
    let offer = offer(view, pin);
    let item = offer.map(|offer| offer.item);
    let at = |text: String| Reason::of(pin, item, RULE, text);
    let windows = || Reason::by_rule(RULE, ON_WINDOWS);
    let mut reasons = Vec::new();
    match obstacle {
        Obstacle::NotOffered => {
            let items = view.graph.pin(pin).items();
            let device_only = items.iter().any(|item| item.flags.contains(AllocatorFlags::DEVICE_SPECIFIC));
            reasons.push(at(if device_only {
                "says KSALLOCATOR_FLAG_DEVICE_SPECIFIC, which counts only beside KSALLOCATOR_FLAG_CAN_ALLOCATE"
                    .to_owned()
            } else {
                "does not offer to allocate: no item has KSALLOCATOR_REQUIREMENTF_MUST_ALLOCATE, \
                 KSALLOCATOR_FLAG_CAN_ALLOCATE or KSALLOCATOR_FLAG_ALLOCATOR_EXISTS"
                    .to_owned()
            }));
        }
        Obstacle::OtherItem { offers, used } => {
            let used = used.map_or("none".to_owned(), |used| format!("item {used}"));
            reasons.push(at(format!("offers to allocate in item {offers} only; the plan uses {used}, which does not")));
        }
        Obstacle::UserMode { pins } => {
            reasons
                .push(at(format!("{}, but is in kernel mode and shares its pipe with user mode", offer_words(offer))));
            for user in pins {
                let text = "is in user mode, which no frame that a kernel-mode pin allocates may reach";
                reasons.push(Reason::of(*user, None, 2, text));
            }
            if view.item(pin).is_some_and(|item| item.is_preference() && item.must_allocate()) {
                let text = "asks with KSALLOCATOR_REQUIREMENTF_PREFERENCES_ONLY: to do without costs one departure, to copy \
                            costs more";
                reasons.push(at(text.to_owned()));
            }
            reasons.push(windows());
        }
        Obstacle::OtherPin { pin: other, kind } => {
            let own = offer.map_or(AllocatorKind::Default, |offer| offer.kind);
            let text = if *kind == own {
                format!(
                    "{}, as {} does, which is farther downstream or earlier by name",
                    offer_words(offer),
                    view.name(*other)
                )
            } else {
                format!("{}, but {} comes before it", offer_words(offer), view.name(*other))
            };
            reasons.push(at(text));
            let other_offer = self::offer(view, *other);
            let text = format!("{}, and so allocates", offer_words(other_offer));
            reasons.push(Reason::of(*other, view.item_place(*other), RULE, text));
        }
        Obstacle::UpToBridge { bridges } => {
            for (bridge, conflict) in conflicts {
                let (from, to) = (view.name(bridge.from), view.name(bridge.to));
                reasons.push(at(format!(
                    "{}, but only up to {from} -> {to}, where frames are copied",
                    offer_words(offer)
                )));
                reasons.extend(conflict.iter().cloned());
            }
            let to_user = bridges.iter().any(|bridge| view.graph.mode(bridge.to) != view.graph.mode(bridge.from));
            if to_user && view.graph.mode(pin) == Mode::Kernel {
                reasons.push(windows());
            }
        }
        Obstacle::NotOnWindows { peer } => {
            let text = format!("{}, and does, but {} is in user mode", offer_words(offer), view.name(*peer));
            reasons.push(at(text));
            reasons.push(windows());
        }
    }
    reasons
}

/// An offer in words.
pub(in crate::negotiate) fn offer_words(offer: Option<Offer>) -> &'static str {
    match offer.map(|offer| offer.kind) {
        Some(AllocatorKind::MustAllocate) => "requires to allocate (KSALLOCATOR_REQUIREMENTF_MUST_ALLOCATE)",
        Some(AllocatorKind::Prefers) => "prefers to allocate (KSALLOCATOR_REQUIREMENTF_MUST_ALLOCATE)",
        Some(AllocatorKind::Exists) => "has an allocator already (KSALLOCATOR_FLAG_ALLOCATOR_EXISTS)",
        Some(AllocatorKind::DeviceSpecific) => "can allocate its device's memory (KSALLOCATOR_FLAG_DEVICE_SPECIFIC)",
        Some(AllocatorKind::CanAllocate) => "can allocate (KSALLOCATOR_FLAG_CAN_ALLOCATE)",
        _ => "has the default allocator on its handle",
    }
}

/// Changes that might make the pin allocate, the likely first.
fn candidates(
    view: &View<'_>,
    pin: PinId,
    obstacle: &Obstacle,
    conflicts: &[(Connection, Vec<Reason>)],
) -> Vec<WhatIf> {
    let graph = view.graph;
    let mut changes = Vec::new();
    let into_kernel = |pins: &mut dyn Iterator<Item = PinId>| {
        let user = pins.filter(|other| graph.mode(*other) == Mode::User);
        let mut filters: Vec<FilterId> = user.map(|other| graph.pin(other).filter()).collect();
        filters.sort_unstable();
        filters.dedup();
        let changes = filters.into_iter().map(|filter| WhatIf::Mode { filter, mode: Mode::Kernel });
        changes.collect::<Vec<_>>()
    };
    let must = WhatIf::Add { pin, asked: Asked::MustAllocate };
    match obstacle {
        Obstacle::NotOffered => changes.extend([WhatIf::Add { pin, asked: Asked::CanAllocate }, must]),
        Obstacle::OtherItem { .. } => changes.extend([must, WhatIf::Require { pin }]),
        Obstacle::UserMode { pins } => {
            changes.push(WhatIf::Require { pin });
            changes.push(must);
            changes.extend(into_kernel(&mut pins.iter().copied()));
        }
        Obstacle::OtherPin { pin: other, kind } => {
            let asked = match kind {
                AllocatorKind::MustAllocate | AllocatorKind::Prefers => Asked::MustAllocate,
                AllocatorKind::Exists => Asked::AllocatorExists,
                AllocatorKind::DeviceSpecific => Asked::DeviceSpecific,
                AllocatorKind::CanAllocate | AllocatorKind::Default => Asked::CanAllocate,
            };
            changes.push(WhatIf::Drop { pin: *other, item: None, asked });
            changes.extend([WhatIf::Require { pin }, must]);
        }
        Obstacle::UpToBridge { .. } => {
            for (bridge, conflict) in conflicts {
                for reason in conflict {
                    let Some((other, asked)) = reason.pin.zip(reason.asked) else { continue };
                    // What the pin's own frames are is the question; its wish to allocate stays.
                    if (other, asked) != (pin, Asked::MustAllocate) && asked != Asked::Mode {
                        changes.push(WhatIf::Drop { pin: other, item: None, asked });
                    }
                }
                changes.extend(into_kernel(&mut [bridge.from, bridge.to].into_iter()));
            }
            let memories = graph.pin(pin).items().iter().map(|item| WhatIf::MapMemory { memory_type: item.memory });
            changes.extend(memories);
        }
        Obstacle::NotOnWindows { peer } => changes.extend(into_kernel(&mut std::iter::once(*peer))),
    }
    if graph.pin(pin).direction() == Direction::Out {
        // Stable: what concerns the pin itself stays before what concerns others.
        changes.sort_by_key(|change| change.pin() != Some(pin));
    }
    let mut seen: Vec<WhatIf> = Vec::new();
    changes.retain(|change| {
        let new = !seen.contains(change);
        seen.push(change.clone());
        new
    });
    changes
}
