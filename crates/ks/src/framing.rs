//! What a pin asks of an allocator: `KSALLOCATOR_FRAMING`, `KSALLOCATOR_FRAMING_EX` and the structures in them.

use bitflags::bitflags;

bitflags! {
    /// `KSALLOCATOR_REQUIREMENTF_*` (ks.h).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub struct RequirementFlags: u32 {
        /// The connection point can modify frames in place.
        const INPLACE_MODIFIER = 0x0000_0001;
        /// System memory; when clear (in the old structure) the sink's device memory.
        const SYSTEM_MEMORY = 0x0000_0002;
        /// Filters downstream must leave the frame's contents intact.
        const FRAME_INTEGRITY = 0x0000_0004;
        /// The connection point insists on allocating the frames itself.
        const MUST_ALLOCATE = 0x0000_0008;
        /// `KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY_CUSTOM_ALLOCATION`, undocumented.
        const SYSTEM_MEMORY_CUSTOM_ALLOCATION = 0x0000_0010;
        /// All other requirements are only preferences.
        const PREFERENCES_ONLY = 0x8000_0000;
        const _ = !0;
    }
}

bitflags! {
    /// `KSALLOCATOR_FLAG_*` (ks.h): pin flags 0x10 to 0x80, pipe flags from 0x100.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub struct AllocatorFlags: u32 {
        /// The pin can read part of a frame.
        const PARTIAL_READ_SUPPORT = 0x0010;
        /// The pin's memory is specific to its device.
        const DEVICE_SPECIFIC = 0x0020;
        /// The pin can allocate.
        const CAN_ALLOCATE = 0x0040;
        /// The frame-size ratio must hold exactly.
        const INSIST_ON_FRAMESIZE_RATIO = 0x0080;
        /// At least one modification of data happens in the pipe.
        const NO_FRAME_INTEGRITY = 0x0100;
        /// The pipe has several outputs.
        const MULTIPLE_OUTPUT = 0x0200;
        /// The pipe's graph loops.
        const CYCLE = 0x0400;
        /// An allocator was already given.
        const ALLOCATOR_EXISTS = 0x0800;
        /// The framings of neighbouring pipes do not depend on each other.
        const INDEPENDENT_RANGES = 0x1000;
        /// Some range has a stepping that matters.
        const ATTENTION_STEPPING = 0x2000;
        /// `KSALLOCATOR_FLAG_ENABLE_CACHED_MDL`.
        const ENABLE_CACHED_MDL = 0x4000;
        /// `KSALLOCATOR_FLAG_2D_BUFFER_REQUIRED`, with `FramePitch`.
        const TWO_D_BUFFER_REQUIRED = 0x8000;
        const _ = !0;
    }
}
