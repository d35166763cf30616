//! Why each number of a pipe is what it is: which pin, which of its items, which rule.

use super::floors::{Floor, FloorCause, PhysicalRanges};
use super::names::memory_name;
use super::view::View;
use crate::graph::{FramingItem, Mode, PinId};
use crate::negotiate::memory::MemoryClass;
use crate::negotiate::{AllocatorKind, Asked, PipeId};
use ks::{AllocatorFlags, Guid};

/// One reason: what a pin asks, and the rule by which that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The pin that asks; `None` where no pin does and the rule decides alone.
    pub pin: Option<PinId>,
    /// The place of the item that asks, in the pin's items; `None` where it is not an item that asks.
    pub item: Option<u32>,
    /// The rule, by its number in `docs/negotiation.md`.
    pub rule: u8,
    /// The one thing it is that the pin asks; `None` where it is not one thing that could be dropped.
    pub asked: Option<Asked>,
    /// What is asked, in the header's words.
    pub text: String,
}

impl Reason {
    pub(in crate::negotiate) fn of(pin: PinId, item: Option<u32>, rule: u8, text: impl Into<String>) -> Self {
        Reason { pin: Some(pin), item, rule, asked: None, text: text.into() }
    }
    pub(in crate::negotiate) fn by_rule(rule: u8, text: impl Into<String>) -> Self {
        Reason { pin: None, item: None, rule, asked: None, text: text.into() }
    }
    /// The same, with what of the pin's asks it is.
    pub(in crate::negotiate) fn asking(self, asked: Asked) -> Self {
        Reason { asked: Some(asked), ..self }
    }
}

/// The reasons for each number of a pipe. Only what forces a number is listed: a pin that asks for less is not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PipeReasons {
    /// Why so many frames (rule 5).
    pub frames: Vec<Reason>,
    /// Why frames of this size (rule 3).
    pub frame_size: Vec<Reason>,
    /// Why this alignment (rule 4).
    pub alignment: Vec<Reason>,
    /// Why this memory (rule 2).
    pub memory_type: Vec<Reason>,
    /// Why this allocator (rule 6).
    pub allocator: Vec<Reason>,
    /// Why this bus; empty where no pin asks for one.
    pub bus_type: Vec<Reason>,
    /// Why the pipe's flags, in the order of [`PipeProperties::flags`](super::PipeProperties::flags); empty where it has
    /// none.
    pub flags: Vec<Reason>,
}

impl PipeReasons {
    /// The reasons with the names JSON has for them, in its order.
    pub fn by_name(&self) -> [(&'static str, &[Reason]); 7] {
        [
            ("frames", &self.frames),
            ("frame_size", &self.frame_size),
            ("alignment", &self.alignment),
            ("memory_type", &self.memory_type),
            ("allocator", &self.allocator),
            ("bus_type", &self.bus_type),
            ("flags", &self.flags),
        ]
    }
}

pub(super) fn reasons(view: &View<'_>, id: PipeId) -> PipeReasons {
    PipeReasons {
        frames: frames(view, id),
        frame_size: frame_size(view, id),
        alignment: alignment(view, id),
        memory_type: memory_type(view, id),
        allocator: allocator(view, id),
        bus_type: bus_type(view, id),
        flags: flags(view, id),
    }
}

/// "requires" or "prefers", as the item says.
pub(super) fn verb(item: &FramingItem) -> &'static str {
    if item.is_preference() { "prefers" } else { "requires" }
}

fn frames(view: &View<'_>, id: PipeId) -> Vec<Reason> {
    const RULE: u8 = 5;
    let pipe = view.pipe(id);
    let mut reasons: Vec<Reason> = view
        .items(id)
        .filter(|(_, item)| item.frames > 0 && u64::from(item.frames) == pipe.frames)
        .map(|(pin, item)| {
            Reason::of(pin, view.item_place(pin), RULE, format!("{} Frames {}", verb(item), item.frames))
                .asking(Asked::Frames)
        })
        .collect();
    let holds = |pin: PinId| view.graph.pin(pin).holds().unwrap_or(0);
    let held: u128 = pipe.pins.iter().map(|pin| u128::from(holds(*pin))).sum();
    if held > 0 && held + 1 == u128::from(pipe.frames) {
        let holders = pipe.pins.iter().filter(|pin| holds(**pin) > 0);
        reasons.extend(holders.map(|pin| {
            let text = format!(
                "holds {} of the {held} frames held at once; one more keeps the pipe from starving",
                holds(*pin)
            );
            Reason::of(*pin, None, RULE, text).asking(Asked::Holds)
        }));
    }
    if reasons.is_empty() {
        reasons.push(Reason::by_rule(RULE, "no pin asks for more; a pipe has at least one frame"));
    }
    reasons
}

fn frame_size(view: &View<'_>, id: PipeId) -> Vec<Reason> {
    const RULE: u8 = 3;
    let size = view.pipe(id).frame_size;
    let mut floors: Vec<Floor> = Vec::new();
    for pin in &view.pipe(id).pins {
        for floor in view.floors(*pin, PhysicalRanges::All) {
            // Of two sizes an item asks that are the same, the physical one says more.
            let said = floors.last().is_some_and(|last| {
                last.pin == floor.pin && last.item.is_some() && last.item == floor.item && last.bytes == floor.bytes
            });
            if !said && floor.bytes <= size {
                floors.push(floor);
            }
        }
    }
    let highest = floors.iter().map(|floor| floor.bytes).max().unwrap_or(0);
    let mut reasons: Vec<Reason> = floors
        .iter()
        .filter(|floor| floor.bytes == highest)
        .map(|floor| {
            let reason = Reason::of(floor.pin, floor.item, RULE, floor_text(view, floor));
            Reason { asked: floor_asked(view, floor), ..reason }
        })
        .collect();
    if highest < size {
        // Something lifts the size over all that is asked: the steppings.
        let stepped = view.items(id).filter(|(_, item)| !item.is_preference() && item.physical.step > 1);
        reasons.extend(stepped.map(|(pin, item)| {
            let text = format!("requires sizes of {} + k * {} (PhysicalRange)", item.physical.min, item.physical.step);
            Reason::of(pin, view.item_place(pin), RULE, text).asking(Asked::Stepping)
        }));
    }
    if reasons.is_empty() {
        reasons.push(Reason::by_rule(
            RULE,
            "no pin asks for a size; a frame has at least one byte: state a capacity or a media-size",
        ));
    }
    reasons
}

/// What of its pin's asks a floor is; what is copied to a pin it does not ask.
fn floor_asked(view: &View<'_>, floor: &Floor) -> Option<Asked> {
    match floor.cause {
        FloorCause::PhysicalMinimum | FloorCause::Capacity => {
            let item = view.item(floor.pin)?;
            let same = item.physical.min == item.capacity();
            let one = if floor.cause == FloorCause::Capacity { Asked::Capacity } else { Asked::PhysicalMinimum };
            Some(if same { Asked::Size } else { one })
        }
        FloorCause::MediaSize => Some(Asked::MediaSize),
        FloorCause::Compression(_) => Some(Asked::Compression),
        FloorCause::Bridge(_) | FloorCause::Copy(_) => None,
    }
}

/// What a floor asks, in a sentence.
pub(super) fn floor_text(view: &View<'_>, floor: &Floor) -> String {
    let bytes = floor.bytes;
    let s = if bytes == 1 { "" } else { "s" };
    let verb = if floor.required { "requires" } else { "prefers" };
    match floor.cause {
        FloorCause::PhysicalMinimum => format!("{verb} PhysicalRange.MinFrameSize {bytes}"),
        FloorCause::Capacity => format!("{verb} FramingRange.MinFrameSize {bytes}, its capacity"),
        FloorCause::MediaSize => format!("has a format whose media frames take {bytes} byte{s} (media-size)"),
        FloorCause::Compression(from) => {
            format!("has a compression that makes {bytes} byte{s} of the data of {}", view.name(from))
        }
        FloorCause::Bridge(from) => {
            format!("gets {bytes} byte{s} a frame, copied over the bridge from {}", view.name(from))
        }
        FloorCause::Copy(from) => format!("gets {bytes} byte{s} a frame, copied from {}", view.name(from)),
    }
}

fn alignment(view: &View<'_>, id: PipeId) -> Vec<Reason> {
    const RULE: u8 = 4;
    let alignment = view.pipe(id).alignment;
    let mut reasons: Vec<Reason> = view
        .items(id)
        .filter(|(_, item)| item.alignment > 1 && item.alignment == alignment)
        .map(|(pin, item)| {
            Reason::of(pin, view.item_place(pin), RULE, format!("{} an alignment of {alignment} bytes", verb(item)))
                .asking(Asked::Alignment)
        })
        .collect();
    if reasons.is_empty() {
        reasons.push(Reason::by_rule(RULE, "no pin asks for an alignment"));
    }
    reasons
}

fn memory_type(view: &View<'_>, id: PipeId) -> Vec<Reason> {
    const RULE: u8 = 2;
    let pipe = view.pipe(id);
    let memory = memory_name(view.graph, pipe.memory_type);
    let class = MemoryClass::new(view.graph, pipe.memory_type, pipe.mode);
    let mut reasons = Vec::new();
    if let Some(pin) = view.first_user_pin(id) {
        let text =
            "belongs to a user-mode filter: frames lie in user memory or in device memory that user mode can map";
        reasons.push(Reason::of(pin, None, RULE, text).asking(Asked::Mode));
    }
    // Asks that locked user memory only stands in for do not force user memory.
    let kernel = MemoryClass::new(view.graph, pipe.memory_type, Mode::Kernel);
    let named = view.items(id).filter(|(pin, item)| {
        let mode = view.graph.mode(*pin);
        item.memory != Guid::NULL
            && class.is_accepted(item.memory, Some(mode))
            && kernel.is_accepted(item.memory, Some(mode))
    });
    reasons.extend(named.map(|(pin, item)| {
        let asked = memory_name(view.graph, item.memory);
        let text = if item.memory == pipe.memory_type {
            format!("{} MemoryType {asked}", verb(item))
        } else {
            format!("{} MemoryType {asked}, which {memory} is", verb(item))
        };
        Reason::of(pin, view.item_place(pin), RULE, text).asking(Asked::Memory)
    }));
    if reasons.is_empty() {
        let text = format!("no pin names a memory type that could be had; {memory} serves all");
        reasons.push(Reason::by_rule(RULE, text));
    }
    reasons
}

fn allocator(view: &View<'_>, id: PipeId) -> Vec<Reason> {
    const RULE: u8 = 6;
    let pipe = view.pipe(id);
    let item_verb = |pin| view.item(pin).map_or("says", verb);
    let text = match (pipe.allocator.kind, pipe.allocator.pin) {
        (AllocatorKind::MustAllocate | AllocatorKind::Prefers, Some(pin)) => {
            format!("{} to allocate (KSALLOCATOR_REQUIREMENTF_MUST_ALLOCATE)", item_verb(pin))
        }
        (AllocatorKind::Exists, Some(_)) => "has an allocator already (KSALLOCATOR_FLAG_ALLOCATOR_EXISTS)".to_owned(),
        (AllocatorKind::DeviceSpecific, Some(_)) => {
            "can allocate its device's memory (KSALLOCATOR_FLAG_DEVICE_SPECIFIC, KSALLOCATOR_FLAG_CAN_ALLOCATE)"
                .to_owned()
        }
        (AllocatorKind::CanAllocate, Some(_)) => {
            "can allocate (KSALLOCATOR_FLAG_CAN_ALLOCATE), the last pin that does".to_owned()
        }
        (AllocatorKind::Default, Some(_)) => {
            "is the last in pin; no pin must, prefers to or can allocate, so its handle has the default allocator"
                .to_owned()
        }
        (_, None) => "no pin must, prefers to or can allocate here: the default allocator, of no pin".to_owned(),
    };
    let asked = match pipe.allocator.kind {
        AllocatorKind::MustAllocate | AllocatorKind::Prefers => Some(Asked::MustAllocate),
        AllocatorKind::Exists => Some(Asked::AllocatorExists),
        AllocatorKind::DeviceSpecific => Some(Asked::DeviceSpecific),
        AllocatorKind::CanAllocate => Some(Asked::CanAllocate),
        AllocatorKind::Default => None,
    };
    vec![match pipe.allocator.pin {
        Some(pin) => Reason { asked, ..Reason::of(pin, view.item_place(pin), RULE, text) },
        None => Reason::by_rule(RULE, text),
    }]
}

/// The first bus asked for, by the order of the pins' names, is the pipe's.
fn bus_type(view: &View<'_>, id: PipeId) -> Vec<Reason> {
    let asking = view.items(id).filter(|(_, item)| item.bus != Guid::NULL).min_by_key(|(pin, _)| *pin);
    let reason = asking.map(|(pin, item)| {
        let text = format!("{} BusType {}; the first that names a bus is told to the allocator", verb(item), item.bus);
        Reason::of(pin, view.item_place(pin), 2, text).asking(Asked::Bus)
    });
    reason.into_iter().collect()
}

fn flags(view: &View<'_>, id: PipeId) -> Vec<Reason> {
    let flags = super::properties::flags(view, id);
    let item_reasons = |asks: fn(&View<'_>, PinId, &FramingItem) -> bool, rule, asked: Asked, text: &str| {
        let asking = view.items(id).filter(|(pin, item)| asks(view, *pin, item));
        let reason = |(pin, _)| Reason::of(pin, view.item_place(pin), rule, text).asking(asked);
        asking.map(reason).collect::<Vec<_>>()
    };
    let mut reasons = Vec::new();
    if flags.contains(AllocatorFlags::MULTIPLE_OUTPUT) {
        let branching = view.pipe(id).pins.iter().filter(|pin| view.branches(**pin).nth(1).is_some());
        let text = "multiple-output: gives its frames to several branches";
        reasons.extend(branching.map(|pin| Reason::of(*pin, None, 7, text)));
    }
    if flags.contains(AllocatorFlags::NO_FRAME_INTEGRITY) {
        let text = "no-frame-integrity: writes into the frames it gets (KSALLOCATOR_REQUIREMENTF_INPLACE_MODIFIER)";
        reasons.extend(item_reasons(|view, pin, _| view.declares_writing(pin), 7, Asked::InplaceModifier, text));
    }
    if flags.contains(AllocatorFlags::ALLOCATOR_EXISTS) {
        let at = view.pipe(id).allocator.pin;
        let text = "allocator-exists: has an allocator already, which is taken";
        reasons.extend(at.map(|pin| Reason::of(pin, view.item_place(pin), 6, text).asking(Asked::AllocatorExists)));
    }
    if flags.contains(AllocatorFlags::ATTENTION_STEPPING) {
        let steps = |_: &View<'_>, _: PinId, item: &FramingItem| !item.is_preference() && item.physical.step > 1;
        let text = "attention-stepping: requires sizes on a stepping (PhysicalRange)";
        reasons.extend(item_reasons(steps, 3, Asked::Stepping, text));
    }
    if flags.contains(AllocatorFlags::INDEPENDENT_RANGES) {
        let text = "independent-ranges: filters copy between this pipe and others without a stated compression, so \
                    neither's sizes depend on the other's";
        reasons.push(Reason::by_rule(3, text));
    }
    reasons
}
