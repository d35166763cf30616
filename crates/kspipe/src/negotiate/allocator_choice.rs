//! Rule 6: who allocates a pipe's frames.

use super::memory::MemoryClass;
use super::{AllocatorChoice, AllocatorKind, AllocatorPlace};
use crate::graph::{Direction, FramingItem, Mode, PinId};
use ks::{AllocatorFlags, KSMEMORY_TYPE_USER};

/// Whether the first pin stands farther downstream in its pipe than the second; of two as far, whether its full name
/// comes first.
pub(super) trait Farther {
    fn is_farther(&self, one: PinId, other: PinId) -> bool;
}

/// The last pin of some, if there is one.
#[derive(Clone, Copy, Debug, Default)]
struct Last(Option<PinId>);

impl Last {
    fn take_in(&mut self, other: Option<PinId>, farther: &impl Farther) {
        if let Some(pin) = other
            && self.0.is_none_or(|mine| farther.is_farther(pin, mine))
        {
            self.0 = Some(pin);
        }
    }
}

/// The last of the pins that would allocate for one reason: of all, and of those in user mode.
#[derive(Clone, Copy, Debug, Default)]
struct Willing {
    any: Last,
    in_user_mode: Last,
}

impl Willing {
    fn take_in(&mut self, other: &Self, farther: &impl Farther) {
        self.any.take_in(other.any.0, farther);
        self.in_user_mode.take_in(other.in_user_mode.0, farther);
    }
}

/// The reasons for which a pin may allocate, the strongest first. That it must is apart: nothing stands against it.
const REASONS: [AllocatorKind; 4] =
    [AllocatorKind::Prefers, AllocatorKind::Exists, AllocatorKind::DeviceSpecific, AllocatorKind::CanAllocate];

/// Those of some pins of one pipe that rule 6 may name. It does not depend on the order in which they are taken in.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Candidates {
    last: Last,
    last_in_pin: Last,
    must: Last,
    willing: [Willing; REASONS.len()],
}

impl Candidates {
    /// One pin, with the item it uses.
    pub(super) fn of(pin: PinId, direction: Direction, mode: Mode, item: Option<&FramingItem>) -> Self {
        let only = |is: bool| Last(is.then_some(pin));
        let mut candidates =
            Candidates { last: only(true), last_in_pin: only(direction == Direction::In), ..Candidates::default() };
        let Some(item) = item else { return candidates };
        candidates.must = only(item.must_allocate() && !item.is_preference());
        for (reason, willing) in REASONS.iter().zip(&mut candidates.willing) {
            let is = match reason {
                AllocatorKind::Prefers => item.must_allocate() && item.is_preference(),
                AllocatorKind::Exists => item.flags.contains(AllocatorFlags::ALLOCATOR_EXISTS),
                AllocatorKind::DeviceSpecific => {
                    item.flags.contains(AllocatorFlags::DEVICE_SPECIFIC | AllocatorFlags::CAN_ALLOCATE)
                }
                AllocatorKind::CanAllocate => item.flags.contains(AllocatorFlags::CAN_ALLOCATE),
                AllocatorKind::MustAllocate | AllocatorKind::Default => false,
            };
            *willing = Willing { any: only(is), in_user_mode: only(is && mode == Mode::User) };
        }
        candidates
    }

    /// Takes in other pins of the pipe.
    pub(super) fn take_in(&mut self, other: &Self, farther: &impl Farther) {
        self.last.take_in(other.last.0, farther);
        self.last_in_pin.take_in(other.last_in_pin.0, farther);
        self.must.take_in(other.must.0, farther);
        for (mine, others) in self.willing.iter_mut().zip(&other.willing) {
            mine.take_in(others, farther);
        }
    }

    /// The pin that allocates the frames of the pipe whose pins these are, and why.
    pub(super) fn choose(&self, memory: MemoryClass, first_pin: Option<PinId>) -> AllocatorChoice {
        // A kernel pin does not allocate for a pipe with a user-mode pin, unless it must.
        let willing = |willing: &Willing| match memory.mode {
            Mode::Kernel => willing.any.0,
            Mode::User => willing.in_user_mode.0,
        };
        let mut reasons = REASONS.iter().zip(&self.willing);
        let found = match self.must.0 {
            Some(pin) => Some((AllocatorKind::MustAllocate, pin)),
            None => reasons.find_map(|(reason, pins)| willing(pins).map(|pin| (*reason, pin))),
        };
        // The default allocator of kernel memory is made on the handle of the last in pin.
        let is_kernel_memory = memory.memory_type != KSMEMORY_TYPE_USER && memory.mode == Mode::Kernel;
        let (kind, pin) = match found {
            Some((kind, pin)) => (kind, Some(pin)),
            None => (AllocatorKind::Default, self.last_in_pin.0.filter(|_| is_kernel_memory)),
        };
        let place = match pin {
            None => AllocatorPlace::None,
            Some(_) if pin == first_pin => AllocatorPlace::FirstPin,
            Some(_) if pin == self.last.0 => AllocatorPlace::LastPin,
            Some(_) => AllocatorPlace::MiddlePin,
        };
        AllocatorChoice { kind, pin, place }
    }
}
