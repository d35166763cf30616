//! Rule 6: who allocates a pipe's frames.

use super::memory::MemoryClass;
use super::{AllocatorChoice, AllocatorKind, AllocatorPlace};
use crate::graph::{Direction, FramingItem, Graph, Mode, PinId};
use ks::{AllocatorFlags, KSMEMORY_TYPE_USER};
use std::cmp::{Ordering, Reverse};

/// What the choice looks at.
pub(super) struct Candidates<'a> {
    pub(super) graph: &'a Graph,
    pub(super) memory: MemoryClass,
    /// The pipe's pins, upstream before downstream.
    pub(super) pins: &'a [PinId],
    /// The longest way to each pin inside the pipe, by pin.
    pub(super) distance: &'a [u32],
    pub(super) items: &'a [Option<u32>],
}

impl Candidates<'_> {
    /// The pin that allocates the frames, and why.
    pub(super) fn choose(&self) -> AllocatorChoice {
        let must = |_: &Self, item: &FramingItem| !item.is_preference() && item.must_allocate();
        let prefers = |_: &Self, item: &FramingItem| item.is_preference() && item.must_allocate();
        let has = |flags: AllocatorFlags| move |_: &Self, item: &FramingItem| item.flags.contains(flags);
        let device = AllocatorFlags::DEVICE_SPECIFIC | AllocatorFlags::CAN_ALLOCATE;
        let found = None
            .or_else(|| self.last_where(must, true).map(|pin| (AllocatorKind::MustAllocate, pin)))
            .or_else(|| self.last_where(prefers, false).map(|pin| (AllocatorKind::Prefers, pin)))
            .or_else(|| {
                self.last_where(has(AllocatorFlags::ALLOCATOR_EXISTS), false).map(|pin| (AllocatorKind::Exists, pin))
            })
            .or_else(|| self.last_where(has(device), false).map(|pin| (AllocatorKind::DeviceSpecific, pin)))
            .or_else(|| {
                self.last_where(has(AllocatorFlags::CAN_ALLOCATE), false).map(|pin| (AllocatorKind::CanAllocate, pin))
            });
        let (kind, pin) = match found {
            Some((kind, pin)) => (kind, Some(pin)),
            None => (AllocatorKind::Default, self.default_pin()),
        };
        AllocatorChoice { kind, pin, place: pin.map_or(AllocatorPlace::None, |pin| self.place(pin)) }
    }

    /// The default allocator of kernel memory is made on the handle of the last in pin.
    fn default_pin(&self) -> Option<PinId> {
        if self.memory.memory_type == KSMEMORY_TYPE_USER || self.memory.mode == Mode::User {
            return None;
        }
        self.last(self.pins.iter().copied().filter(|pin| self.graph.pin(*pin).direction() == Direction::In))
    }

    fn last_where(&self, wants: impl Fn(&Self, &FramingItem) -> bool, required: bool) -> Option<PinId> {
        self.last(self.pins.iter().copied().filter(|pin| {
            let may = required || self.memory.mode == Mode::Kernel || self.graph.mode(*pin) == Mode::User;
            let item = self.items[pin.index()].map(|item| &self.graph.pin(*pin).items()[item as usize]);
            may && item.is_some_and(|item| wants(self, item))
        }))
    }

    /// The pin farthest downstream; of several, the first by full name in byte order.
    fn last(&self, pins: impl Iterator<Item = PinId>) -> Option<PinId> {
        pins.min_by(|a, b| {
            let distance = |pin: &PinId| Reverse(self.distance[pin.index()]);
            distance(a).cmp(&distance(b)).then_with(|| self.compare_names(*a, *b))
        })
    }

    fn compare_names(&self, a: PinId, b: PinId) -> Ordering {
        let name = |pin: PinId| {
            let filter = self.graph.filter(self.graph.pin(pin).filter()).name();
            filter.bytes().chain([b'.']).chain(self.graph.pin(pin).name().bytes())
        };
        name(a).cmp(name(b))
    }

    fn place(&self, pin: PinId) -> AllocatorPlace {
        if self.pins.first() == Some(&pin) {
            AllocatorPlace::FirstPin
        } else if self.last(self.pins.iter().copied()) == Some(pin) {
            AllocatorPlace::LastPin
        } else {
            AllocatorPlace::MiddlePin
        }
    }
}
