//! What one item of one pin asks, made ready for the solver.

use super::facts::{EdgeKind, Facts};
use super::progression::Progression;
use crate::graph::{Direction, FramingItem, PinId};
use ks::{Guid, KSMEMORY_TYPE_WILDCARD};

/// How much a pin wants to allocate the frames itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WantsToAllocate {
    No,
    Prefers,
    Must,
}

/// One alternative of a pin. A pin without items has one that asks nothing.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    /// Its place in the pin's items; `None` for a pin without.
    pub(super) item: Option<u32>,
    /// Its place in the order of the items' contents.
    pub(super) rank: u32,
    pub(super) memory: Guid,
    /// The pin has an item at all, so its memory type is an ask.
    pub(super) asks_memory: bool,
    pub(super) preference: bool,
    /// The sizes required: at least `sizes.min`, at most `largest`, on the progression.
    pub(super) sizes: Progression,
    pub(super) largest: u64,
    /// The size preferred; 0: none.
    pub(super) preferred_size: u64,
    pub(super) required_frames: u32,
    pub(super) preferred_frames: u32,
    pub(super) alignment: u64,
    pub(super) allocate: WantsToAllocate,
    /// The pin writes into frames (an in pin whose item says INPLACE_MODIFIER).
    pub(super) writes: bool,
    pub(super) integrity: bool,
}

/// The largest frame there can be.
pub(super) const LARGEST_FRAME: u64 = i64::MAX as u64;

impl Ask {
    /// What a pin without items asks.
    pub(super) fn nothing() -> Self {
        Ask {
            item: None,
            rank: 0,
            memory: KSMEMORY_TYPE_WILDCARD,
            asks_memory: false,
            preference: true,
            sizes: Progression::any_from(1),
            largest: LARGEST_FRAME,
            preferred_size: 0,
            required_frames: 0,
            preferred_frames: 0,
            alignment: 1,
            allocate: WantsToAllocate::No,
            writes: false,
            integrity: false,
        }
    }

    /// Whether a frame can be too large for it.
    pub(super) fn has_maximum(&self) -> bool {
        self.largest < LARGEST_FRAME
    }

    fn of(item: &FramingItem, place: u32, direction: Direction) -> Self {
        let preference = item.is_preference();
        let wanted = u64::from(item.physical.min.max(item.capacity()));
        let mut ask = Ask {
            item: Some(place),
            memory: item.memory,
            asks_memory: true,
            preference,
            alignment: item.alignment.max(1),
            writes: direction == Direction::In && item.modifies_in_place(),
            integrity: item.needs_frame_integrity(),
            ..Ask::nothing()
        };
        if preference {
            ask.preferred_size = wanted;
            ask.preferred_frames = item.frames;
            if item.must_allocate() {
                ask.allocate = WantsToAllocate::Prefers;
            }
        } else {
            ask.sizes =
                Progression::new(u64::from(item.physical.min), u64::from(item.physical.step)).from(wanted.max(1));
            ask.largest = item.physical.upper_bound().map_or(LARGEST_FRAME, u64::from);
            ask.required_frames = item.frames;
            if item.must_allocate() {
                ask.allocate = WantsToAllocate::Must;
            }
        }
        ask
    }
}

/// The alternatives of a pin, in the order of their contents, so that the order of the file never matters. What the pin
/// asks whatever item it uses is in each. An item that says INPLACE_MODIFIER is none where a `pass` route leaves the pin.
pub(super) fn asks_of(facts: &Facts<'_>, pin: PinId, asks: &mut Vec<Ask>) {
    let graph = facts.graph;
    let items = graph.pin(pin).items();
    asks.clear();
    if items.is_empty() {
        asks.push(Ask::nothing());
    } else {
        let direction = graph.pin(pin).direction();
        asks.extend(items.iter().enumerate().map(|(place, item)| Ask::of(item, place as u32, direction)));
        if items.len() > 1 {
            asks.sort_by(|a, b| {
                let content = |ask: &Ask| ask.item.map(|place| &items[place as usize]);
                content(a).cmp(&content(b))
            });
            for (rank, ask) in asks.iter_mut().enumerate() {
                ask.rank = rank as u32;
            }
        }
        if asks.iter().any(|ask| ask.writes) && passes_on(facts, pin) {
            asks.retain(|ask| !ask.writes);
        }
    }
    let required = facts.required[pin.index()].max(1);
    for ask in asks {
        ask.sizes = ask.sizes.from(required);
    }
}

/// Whether a `pass` route leaves a pin.
fn passes_on(facts: &Facts<'_>, pin: PinId) -> bool {
    let mut edges = facts.edges_at(pin).iter().map(|edge| &facts.edges[*edge as usize]);
    edges.any(|edge| edge.from == pin && edge.kind == EdgeKind::Pass)
}
