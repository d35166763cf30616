//! Rule 2: which memory a pipe may have, and who accepts it.

use crate::graph::{Graph, Mode, PinId};
use ks::{
    Guid, KSMEMORY_TYPE_DEVICE_UNKNOWN, KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_KERNEL_PAGED,
    KSMEMORY_TYPE_SYSTEM, KSMEMORY_TYPE_USER, KSMEMORY_TYPE_WILDCARD,
};

/// A memory type together with the side of the pipe that has it. What a pin accepts depends on both: where a user-mode
/// pin is in the pipe, locked user memory meets every ask for paged or nonpaged memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MemoryClass {
    pub(super) memory_type: Guid,
    /// `User`: the pipe has a user-mode pin.
    pub(super) mode: Mode,
    user_mappable: bool,
    host_mappable: bool,
}

impl MemoryClass {
    pub(super) fn new(graph: &Graph, memory_type: Guid, mode: Mode) -> Self {
        let declared = graph.device_memory(memory_type);
        MemoryClass {
            memory_type,
            mode,
            user_mappable: declared.is_some_and(|memory| memory.user_mappable),
            host_mappable: declared.is_some_and(|memory| memory.host_mappable),
        }
    }

    /// Device memory that user mode can map.
    pub(super) fn is_mapped_device(&self) -> bool {
        self.user_mappable
    }

    /// Whether an item that asks for `asked`, of a pin on side `pin_mode` (`None`: any), accepts this memory.
    pub(super) fn is_accepted(&self, asked: Guid, pin_mode: Option<Mode>) -> bool {
        let memory = self.memory_type;
        let locked_user = self.mode == Mode::User && memory == KSMEMORY_TYPE_USER;
        match asked {
            KSMEMORY_TYPE_WILDCARD => match pin_mode {
                Some(Mode::User) => memory == KSMEMORY_TYPE_USER || self.user_mappable,
                Some(Mode::Kernel) => is_host_memory(memory) || self.host_mappable,
                None => is_host_memory(memory) || self.user_mappable || self.host_mappable,
            },
            KSMEMORY_TYPE_SYSTEM => is_host_memory(memory),
            KSMEMORY_TYPE_KERNEL_PAGED => {
                locked_user || memory == KSMEMORY_TYPE_KERNEL_PAGED || memory == KSMEMORY_TYPE_KERNEL_NONPAGED
            }
            KSMEMORY_TYPE_KERNEL_NONPAGED => locked_user || memory == KSMEMORY_TYPE_KERNEL_NONPAGED,
            KSMEMORY_TYPE_USER => memory == KSMEMORY_TYPE_USER || self.user_mappable,
            other => memory == other,
        }
    }

    /// Where types tie, the one with the smaller rank is taken: user, nonpaged, paged, then devices by GUID.
    pub(super) fn rank(&self) -> u128 {
        match self.memory_type {
            KSMEMORY_TYPE_USER => 0,
            KSMEMORY_TYPE_KERNEL_NONPAGED => 1,
            KSMEMORY_TYPE_KERNEL_PAGED => 2,
            // A GUID's number, moved past the others; the top bits only shift the order of equals.
            other => 3 + (other.to_u128() >> 32),
        }
    }

    /// Which of the types of one rank is taken: [`Self::rank`] leaves the last bits of a GUID out.
    pub(super) fn rank_of_equals(&self) -> u128 {
        self.memory_type.to_u128() & u128::from(u32::MAX)
    }
}

/// User memory, or the kernel's paged or nonpaged pool.
fn is_host_memory(memory: Guid) -> bool {
    matches!(memory, KSMEMORY_TYPE_USER | KSMEMORY_TYPE_KERNEL_PAGED | KSMEMORY_TYPE_KERNEL_NONPAGED)
}

/// What some pins name, of which the memory their pipes could have follows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct NamedMemory {
    pub(super) types: Vec<Guid>,
    pub(super) any_user: bool,
    pub(super) any_kernel: bool,
}

impl NamedMemory {
    /// Adds what a pin names; `mode` is its side, `None` where any.
    pub(super) fn add(&mut self, graph: &Graph, pin: PinId, mode: Option<Mode>) {
        self.any_user |= mode != Some(Mode::Kernel);
        self.any_kernel |= mode != Some(Mode::User);
        for item in graph.pin(pin).items() {
            if !self.types.contains(&item.memory) {
                self.types.push(item.memory);
            }
        }
    }

    /// Adds what others name.
    pub(super) fn add_all(&mut self, other: &Self) {
        self.any_user |= other.any_user;
        self.any_kernel |= other.any_kernel;
        for memory in &other.types {
            if !self.types.contains(memory) {
                self.types.push(*memory);
            }
        }
    }

    /// The memory a pipe made of some of these pins could have. Types that no pin names are left out where another type
    /// serves everyone they serve.
    pub(super) fn classes(&self, graph: &Graph) -> Vec<MemoryClass> {
        let named = &self.types;
        let mut devices: Vec<Guid> = named
            .iter()
            .copied()
            .filter(|memory| {
                !is_host_memory(*memory) && *memory != KSMEMORY_TYPE_SYSTEM && *memory != KSMEMORY_TYPE_WILDCARD
            })
            .chain(graph.device_memories().iter().filter(|(_, memory)| memory.user_mappable).map(|(guid, _)| *guid))
            .collect();
        devices.sort_unstable();
        devices.dedup();
        let mut classes = Vec::new();
        if self.any_user {
            classes.push(MemoryClass::new(graph, KSMEMORY_TYPE_USER, Mode::User));
            let mapped = devices.iter().map(|device| MemoryClass::new(graph, *device, Mode::User));
            classes.extend(mapped.filter(MemoryClass::is_mapped_device));
        }
        if self.any_kernel {
            classes.push(MemoryClass::new(graph, KSMEMORY_TYPE_KERNEL_NONPAGED, Mode::Kernel));
            let others = [KSMEMORY_TYPE_KERNEL_PAGED, KSMEMORY_TYPE_USER, KSMEMORY_TYPE_DEVICE_UNKNOWN];
            let others = others.iter().chain(devices.iter().filter(|device| **device != KSMEMORY_TYPE_DEVICE_UNKNOWN));
            let others = others.filter(|memory| named.contains(memory));
            classes.extend(others.map(|memory| MemoryClass::new(graph, *memory, Mode::Kernel)));
        }
        classes
    }
}

/// The memory a pipe made of some of these pins could have. `mode_of` says on which side each pin is, `None` where on any.
pub(super) fn memory_classes(
    graph: &Graph,
    pins: &[PinId],
    mode_of: impl Fn(PinId) -> Option<Mode>,
) -> Vec<MemoryClass> {
    let mut named = NamedMemory::default();
    pins.iter().for_each(|pin| named.add(graph, *pin, mode_of(*pin)));
    named.classes(graph)
}
