//! The words of `ALLOCATOR_PROPERTIES_EX` that only describe.

use bitflags::bitflags;

bitflags! {
    /// `PipeFactor_*` (ksproxy.h): where what a pipe is like comes from.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct PipeFactors: u32 {
        /// Nothing.
        const NONE = 0;
        /// Frames come from a user-mode pin outside.
        const USER_MODE_UPSTREAM = 0x1;
        /// Frames go to a user-mode pin outside.
        const USER_MODE_DOWNSTREAM = 0x2;
        /// A pin names a memory type.
        const MEMORY_TYPES = 0x4;
        /// A pin states flags or requirements.
        const FLAGS = 0x8;
        /// A pin states a physical range.
        const PHYSICAL_RANGES = 0x10;
        /// A pin states an optimal range.
        const OPTIMAL_RANGES = 0x20;
        /// A compression is stated.
        const FIXED_COMPRESSION = 0x40;
        /// A compression is not known.
        const UNKNOWN_COMPRESSION = 0x80;
        /// A pin asks for a number of frames.
        const BUFFERS = 0x100;
        /// A pin asks for an alignment.
        const ALIGN = 0x200;
        /// The pipe ends at a bridge, or at a pin nobody connects.
        const PHYSICAL_END = 0x400;
        /// The pipe ends at a route that copies.
        const LOGICAL_END = 0x800;
    }
}

/// `PIPE_STATE` (ksproxy.h): how far the sizing of a pipe has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PipeState {
    /// Everything is decided (`PipeState_Finalized`).
    Finalized = 4,
}

/// `KS_LogicalMemoryType` (ksproxy.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LogicalMemoryType {
    /// Anything.
    DontCare = 0,
    /// The kernel's paged pool.
    KernelPaged = 1,
    /// The kernel's nonpaged pool.
    KernelNonPaged = 2,
    /// A device's memory that the host can map.
    DeviceHostMapped = 3,
    /// A device's memory that only the device sees.
    DeviceSpecific = 4,
    /// A process's memory.
    User = 5,
    /// Host memory of any kind.
    AnyHost = 6,
}

impl PipeState {
    /// The name used in JSON.
    pub fn name(self) -> &'static str {
        match self {
            PipeState::Finalized => "finalized",
        }
    }
}

impl LogicalMemoryType {
    /// The name used in JSON.
    pub fn name(self) -> &'static str {
        match self {
            LogicalMemoryType::DontCare => "dont-care",
            LogicalMemoryType::KernelPaged => "kernel-paged",
            LogicalMemoryType::KernelNonPaged => "kernel-nonpaged",
            LogicalMemoryType::DeviceHostMapped => "device-host-mapped",
            LogicalMemoryType::DeviceSpecific => "device-specific",
            LogicalMemoryType::User => "user",
            LogicalMemoryType::AnyHost => "any-host",
        }
    }
}
