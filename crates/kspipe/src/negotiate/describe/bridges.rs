//! Why frames are copied at a bridge: what of its two pipes' asks cannot be had in one pipe.

use super::floors::{Floor, FloorCause, PhysicalRanges};
use super::names::memory_name;
use super::reasons::{Reason, floor_text};
use super::sizes::Sizes;
use super::view::View;
use crate::graph::{Direction, FrameRange, Mode, PinId, Route};
use crate::negotiate::memory::{MemoryClass, memory_classes};
use crate::negotiate::{Bridge, PipeId};
use ks::{Guid, KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_KERNEL_PAGED, KSMEMORY_TYPE_USER};
use std::collections::{BTreeMap, HashMap};

/// Different steppings compared with one another at most, for each pipe. More are left to the general reason.
const STEPPINGS: usize = 64;

/// What one pipe asks, as far as another pipe could object to it.
#[derive(Debug, Default)]
struct Summary {
    /// Memory types that an item requires, with the side of the pin, and one pin that does.
    memory: BTreeMap<(Guid, Mode), PinId>,
    user_pin: Option<PinId>,
    must_allocate: Option<PinId>,
    kernel_must_allocate: Option<PinId>,
    floor: Option<Floor>,
    ceiling: Option<(PinId, u64)>,
    steppings: BTreeMap<FrameRange, PinId>,
}

/// The reasons for bridges, made ready once for a whole plan.
#[derive(Debug)]
pub(super) struct BridgeReasons {
    /// By pipe.
    summaries: Vec<Summary>,
    /// By the pipes at both ends: a route taken as a copy between them, of several the last.
    copies: HashMap<(PipeId, PipeId), Route>,
    /// By pin: the pin upstream in its pipe from which its frames must stay as they are.
    shared_from: Vec<Option<PinId>>,
    /// By pin: a pin from there on downstream in its pipe at which frames are written into.
    written_at: Vec<Option<PinId>>,
}

impl BridgeReasons {
    pub(super) fn new(view: &View<'_>) -> Self {
        let pipes = if view.plan.bridges.is_empty() { 0 } else { view.plan.pipes.len() };
        let (shared_from, written_at) = if pipes == 0 { (Vec::new(), Vec::new()) } else { sharing(view) };
        let summaries = (0..pipes).map(|pipe| summary(view, PipeId(pipe as u32))).collect();
        let between = |route: Route| (view.pipe_of(route.from), view.pipe_of(route.to));
        let copies = view.plan.copies.iter().map(|copy| (between(copy.route), copy.route)).collect();
        BridgeReasons { summaries, copies, shared_from, written_at }
    }

    /// Why a bridge is one: for each conflict, what each side asks. Where no two of the items the plan chose conflict,
    /// one reason says so.
    pub(super) fn of(&self, view: &View<'_>, bridge: &Bridge) -> Vec<Reason> {
        let (from, to) = (bridge.connection.from, bridge.connection.to);
        let summary = |pin: PinId| self.summaries.get(view.pipe_of(pin).index());
        let mut reasons = Vec::new();
        if let (Some(up), Some(down)) = (summary(from), summary(to)) {
            memory_conflict(view, up, down, &mut reasons);
            allocator_conflict(view, up, down, &mut reasons);
            size_conflict(view, up, down, &mut reasons);
            self.sharing_conflict(view, from, to, &mut reasons);
        }
        if reasons.is_empty() {
            self.separate_pipes(view, from, to, &mut reasons);
        }
        // Two conflicts may share a side.
        let mut said = Vec::new();
        reasons.retain(|reason| {
            !said.contains(reason) && {
                said.push(reason.clone());
                true
            }
        });
        if reasons.is_empty() {
            let text = format!(
                "no two of the items chosen conflict here; without this bridge no plan is valid, or {} finds none cheaper",
                view.plan.strategy
            );
            reasons.push(Reason::of(from, view.item_place(from), 1, text));
        }
        reasons
    }

    /// Rule 1: a copy elsewhere that keeps the two pipes apart.
    fn separate_pipes(&self, view: &View<'_>, from: PinId, to: PinId, reasons: &mut Vec<Reason>) {
        let (up, down) = (view.pipe_of(from), view.pipe_of(to));
        if let Some(route) = self.copies.get(&(up, down)).or_else(|| self.copies.get(&(down, up))) {
            let text = format!(
                "frames are copied from here to {}, so both lie in different pipes; joined here, they would be in one",
                view.name(route.to)
            );
            reasons.push(Reason::of(route.from, None, 1, text));
        }
    }

    fn sharing_conflict(&self, view: &View<'_>, from: PinId, to: PinId, reasons: &mut Vec<Reason>) {
        const RULE: u8 = 7;
        if let (Some(source), Some(writer)) = (self.shared_from[from.index()], self.written_at[to.index()]) {
            let why = if view.branches(source).nth(1).is_some() {
                "gives its frames to several branches, where they are read-only"
            } else {
                "requires that frames stay as they are downstream (FRAME_INTEGRITY)"
            };
            reasons.push(Reason::of(source, view.item_place(source), RULE, why));
            reasons.push(Reason::of(writer, view.item_place(writer), RULE, "writes into the frames it gets"));
        }
    }
}

fn summary(view: &View<'_>, id: PipeId) -> Summary {
    let mut summary = Summary { user_pin: view.first_user_pin(id), ..Summary::default() };
    for pin in &view.pipe(id).pins {
        // What a bridge brings is no ask of the pipe: without the bridge it would not be copied.
        let own = |floor: &Floor| floor.required && !matches!(floor.cause, FloorCause::Bridge(_));
        for floor in view.floors(*pin, PhysicalRanges::All).into_iter().filter(own) {
            if summary.floor.is_none_or(|highest| floor.bytes > highest.bytes) {
                summary.floor = Some(floor);
            }
        }
        let Some(item) = view.required(*pin) else { continue };
        let mode = view.graph.mode(*pin);
        summary.memory.entry((item.memory, mode)).or_insert(*pin);
        if item.must_allocate() {
            summary.must_allocate.get_or_insert(*pin);
            if mode == Mode::Kernel {
                summary.kernel_must_allocate.get_or_insert(*pin);
            }
        }
        if let Some(largest) = item.physical.upper_bound().map(u64::from)
            && summary.ceiling.is_none_or(|(_, lowest)| largest < lowest)
        {
            summary.ceiling = Some((*pin, largest));
        }
        if item.physical.step > 1 && summary.steppings.len() < STEPPINGS {
            summary.steppings.entry(item.physical).or_insert(*pin);
        }
    }
    summary
}

/// Rule 2: the memory that the pins of both pipes could share.
fn memory_conflict(view: &View<'_>, up: &Summary, down: &Summary, reasons: &mut Vec<Reason>) {
    const RULE: u8 = 2;
    let user_pin = up.user_pin.or(down.user_pin);
    let mode = if user_pin.is_some() { Mode::User } else { Mode::Kernel };
    let asks = || up.memory.iter().chain(&down.memory);
    let pins: Vec<PinId> = asks().map(|(_, pin)| *pin).chain(user_pin).collect();
    let named = |memory| asks().any(|((asked, _), _)| *asked == memory);
    let mut classes = memory_classes(view.graph, &pins, |pin| Some(view.graph.mode(pin)));
    for memory in [KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_KERNEL_PAGED, KSMEMORY_TYPE_USER] {
        if mode == Mode::Kernel && (memory != KSMEMORY_TYPE_USER || named(memory)) {
            classes.push(MemoryClass::new(view.graph, memory, mode));
        }
    }
    classes.retain(|class| class.mode == mode);
    let serves =
        |class: &MemoryClass, asks: &[(Guid, Mode)]| asks.iter().all(|ask| class.is_accepted(ask.0, Some(ask.1)));
    let any_serves = |asks: &[(Guid, Mode)]| classes.iter().any(|class| serves(class, asks));
    if any_serves(&asks().map(|(ask, _)| *ask).collect::<Vec<_>>()) {
        return;
    }
    let reason = |ask: &(Guid, Mode), pin: PinId, text: String| {
        Reason::of(
            pin,
            view.item_place(pin),
            RULE,
            format!("requires MemoryType {}{text}", memory_name(view.graph, ask.0)),
        )
    };
    // One ask that the other side's mode rules out.
    for (side, other) in [(up, down), (down, up)] {
        if let Some(user) = other.user_pin.filter(|_| side.user_pin.is_none())
            && let Some((ask, pin)) = side.memory.iter().find(|(ask, _)| !any_serves(&[**ask]))
        {
            reasons.push(reason(ask, *pin, ", which user mode cannot map".to_owned()));
            reasons.push(Reason::of(user, None, RULE, "belongs to a user-mode filter"));
            return;
        }
    }
    for (ask, pin) in &up.memory {
        if let Some((other, other_pin)) = down.memory.iter().find(|(other, _)| !any_serves(&[*ask, **other])) {
            reasons.push(reason(ask, *pin, format!("; no memory is also what {} requires", view.name(*other_pin))));
            reasons.push(reason(other, *other_pin, format!("; no memory is also what {} requires", view.name(*pin))));
            return;
        }
    }
    for (ask, pin) in asks() {
        reasons.push(reason(ask, *pin, "; together with the others it leaves no memory type".to_owned()));
    }
}

/// Rules 2 and 6: who must allocate.
fn allocator_conflict(view: &View<'_>, up: &Summary, down: &Summary, reasons: &mut Vec<Reason>) {
    if let (Some(first), Some(second)) = (up.must_allocate, down.must_allocate) {
        for (pin, other) in [(first, second), (second, first)] {
            let text = format!("requires to allocate (MUST_ALLOCATE), as {} does", view.name(other));
            reasons.push(Reason::of(pin, view.item_place(pin), 6, text));
        }
    }
    for (side, other) in [(up, down), (down, up)] {
        let (Some(pin), Some(user)) = (side.kernel_must_allocate, other.user_pin) else { continue };
        let memory = view.required(pin).map_or(Guid::NULL, |item| item.memory);
        if side.user_pin.is_none() && !MemoryClass::new(view.graph, memory, Mode::User).is_mapped_device() {
            let text =
                "requires to allocate in the kernel; user mode is given such frames only in device memory mapped to it";
            reasons.push(Reason::of(pin, view.item_place(pin), 2, text));
            reasons.push(Reason::of(user, None, 2, "belongs to a user-mode filter"));
        }
    }
}

/// Rule 3: the sizes that the pins of both pipes allow.
fn size_conflict(view: &View<'_>, up: &Summary, down: &Summary, reasons: &mut Vec<Reason>) {
    const RULE: u8 = 3;
    for (side, other) in [(up, down), (down, up)] {
        if let (Some(floor), Some((pin, largest))) = (side.floor, other.ceiling)
            && floor.bytes > largest
        {
            reasons.push(Reason::of(floor.pin, floor.item, RULE, floor_text(view, &floor)));
            let text = format!("requires PhysicalRange.MaxFrameSize {largest}");
            reasons.push(Reason::of(pin, view.item_place(pin), RULE, text));
            return;
        }
    }
    for (range, pin) in &up.steppings {
        let disjoint = |other: &FrameRange| Sizes::of(range).and(Sizes::of(other)).is_none();
        if let Some((other, other_pin)) = down.steppings.iter().find(|(other, _)| disjoint(other)) {
            for (range, pin) in [(range, pin), (other, other_pin)] {
                let text = format!(
                    "requires sizes of {} + k * {} up to {} (PhysicalRange); the two steppings never meet",
                    range.min, range.step, range.max
                );
                reasons.push(Reason::of(*pin, view.item_place(*pin), RULE, text));
            }
            return;
        }
    }
}

/// Rule 7, for every pin: what upstream shares its frames, and what downstream writes into them. A branch counts from
/// its out pin, so the out pins of a tee are shared even where bridges follow them.
fn sharing(view: &View<'_>) -> (Vec<Option<PinId>>, Vec<Option<PinId>>) {
    let count = view.graph.pins().len();
    let (mut shared, mut written) = (vec![None; count], vec![None; count]);
    let keeps = |pin: PinId| view.item(pin).is_some_and(|item| item.needs_frame_integrity()).then_some(pin);
    let peer = |pin: PinId| view.graph.pin(pin).peer().filter(|_| !view.is_bridged(pin));
    for pin in view.downstream() {
        let before = match view.graph.pin(*pin).direction() {
            Direction::In => peer(*pin).and_then(|from| shared[from.index()]),
            Direction::Out => view.joined_to(*pin).find_map(|route| {
                let splits = view.branches(route.from).nth(1).is_some();
                shared[route.from.index()].or(splits.then_some(route.from))
            }),
        };
        shared[pin.index()] = before.or(keeps(*pin));
    }
    for pin in view.downstream().iter().rev() {
        written[pin.index()] = match view.graph.pin(*pin).direction() {
            Direction::In if view.writes(*pin) => Some(*pin),
            Direction::In => view.branches(*pin).find_map(|route| written[route.to.index()]),
            Direction::Out => peer(*pin).and_then(|to| written[to.index()]),
        };
    }
    (shared, written)
}
