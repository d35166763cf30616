//! `KSALLOCATOR_REQUIREMENTF_*`, `KSALLOCATOR_OPTIONF_*` and `KSALLOCATOR_FLAG_*` (ks.h), and the two words in which
//! they meet.

use core::fmt;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

flags! {
    /// `KSALLOCATOR_REQUIREMENTF_*`: what a connection point asks of an allocator (the page of `KSALLOCATOR_FRAMING`).
    RequirementFlags {
        /// The connection point can modify frames in place.
        INPLACE_MODIFIER = 0x0000_0001, KSALLOCATOR_REQUIREMENTF_INPLACE_MODIFIER;
        /// System memory; when clear (in the old structure) the sink's device memory.
        SYSTEM_MEMORY = 0x0000_0002, KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY;
        /// Filters downstream must leave the frame's contents intact.
        FRAME_INTEGRITY = 0x0000_0004, KSALLOCATOR_REQUIREMENTF_FRAME_INTEGRITY;
        /// The connection point insists on allocating the frames itself.
        MUST_ALLOCATE = 0x0000_0008, KSALLOCATOR_REQUIREMENTF_MUST_ALLOCATE;
        /// Undocumented. Its value is that of [`AllocatorFlags::PARTIAL_READ_SUPPORT`], which is what the bit means in
        /// a [`FramingFlags`] word.
        SYSTEM_MEMORY_CUSTOM_ALLOCATION = 0x0000_0010, KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY_CUSTOM_ALLOCATION;
        /// All other requirements are only preferences.
        PREFERENCES_ONLY = 0x8000_0000, KSALLOCATOR_REQUIREMENTF_PREFERENCES_ONLY;
    }

    /// `KSALLOCATOR_OPTIONF_*`: how an allocator is created (`OptionsFlags`, the same word as the requirements).
    OptionFlags {
        /// The new allocator's framing is compatible with the one downstream: an in-place modifier that need not
        /// change a frame may pass it on without allocating another.
        COMPATIBLE = 0x0000_0001, KSALLOCATOR_OPTIONF_COMPATIBLE;
        /// From system memory of the pool that `PoolType` names; otherwise the sink maps memory of its device.
        SYSTEM_MEMORY = 0x0000_0002, KSALLOCATOR_OPTIONF_SYSTEM_MEMORY;
        /// All valid bits.
        VALID = 0x0000_0003, KSALLOCATOR_OPTIONF_VALID;
    }

    /// `KSALLOCATOR_FLAG_*` (ks.h): pin flags 0x10 to 0x80, pipe flags from 0x100.
    AllocatorFlags {
        /// The pin can read part of a frame.
        PARTIAL_READ_SUPPORT = 0x0010, KSALLOCATOR_FLAG_PARTIAL_READ_SUPPORT;
        /// The pin's memory is specific to its device.
        DEVICE_SPECIFIC = 0x0020, KSALLOCATOR_FLAG_DEVICE_SPECIFIC;
        /// The pin can allocate; not to be used to say only that it can reach the memory.
        CAN_ALLOCATE = 0x0040, KSALLOCATOR_FLAG_CAN_ALLOCATE;
        /// The frame-size ratio must hold exactly.
        INSIST_ON_FRAMESIZE_RATIO = 0x0080, KSALLOCATOR_FLAG_INSIST_ON_FRAMESIZE_RATIO;
        /// At least one modification of data happens in the pipe.
        NO_FRAME_INTEGRITY = 0x0100, KSALLOCATOR_FLAG_NO_FRAME_INTEGRITY;
        /// The pipe has several outputs.
        MULTIPLE_OUTPUT = 0x0200, KSALLOCATOR_FLAG_MULTIPLE_OUTPUT;
        /// The pipe's graph loops.
        CYCLE = 0x0400, KSALLOCATOR_FLAG_CYCLE;
        /// An allocator was already given.
        ALLOCATOR_EXISTS = 0x0800, KSALLOCATOR_FLAG_ALLOCATOR_EXISTS;
        /// The framings of neighbouring pipes do not depend on each other.
        INDEPENDENT_RANGES = 0x1000, KSALLOCATOR_FLAG_INDEPENDENT_RANGES;
        /// Some range has a stepping that matters.
        ATTENTION_STEPPING = 0x2000, KSALLOCATOR_FLAG_ATTENTION_STEPPING;
        /// `KSALLOCATOR_FLAG_ENABLE_CACHED_MDL`, undocumented.
        ENABLE_CACHED_MDL = 0x4000, KSALLOCATOR_FLAG_ENABLE_CACHED_MDL;
        /// `KSALLOCATOR_FLAG_2D_BUFFER_REQUIRED`, with `FramePitch`.
        TWO_D_BUFFER_REQUIRED = 0x8000, KSALLOCATOR_FLAG_2D_BUFFER_REQUIRED;
    }
}

/// The bits of a [`FramingFlags`] word that are requirements: 0 to 3, and 31.
const REQUIREMENT_BITS: u32 = RequirementFlags::INPLACE_MODIFIER.bits()
    | RequirementFlags::SYSTEM_MEMORY.bits()
    | RequirementFlags::FRAME_INTEGRITY.bits()
    | RequirementFlags::MUST_ALLOCATE.bits()
    | RequirementFlags::PREFERENCES_ONLY.bits();

/// A word in which [`RequirementFlags`] and [`AllocatorFlags`] share the bits: `KS_FRAMING_ITEM.Flags`,
/// `PIPE_TERMINATION.Flags` and `ALLOCATOR_PROPERTIES_EX.Flags`.
///
/// Bits 0 to 3 and 31 are requirements; every other bit, known or not, is an allocator flag. Splitting and joining
/// lose nothing.
///
/// ```
/// use ks::{AllocatorFlags, FramingFlags, RequirementFlags};
/// let flags = FramingFlags::new(RequirementFlags::PREFERENCES_ONLY, AllocatorFlags::CAN_ALLOCATE);
/// assert_eq!(flags, FramingFlags(0x8000_0040));
/// assert_eq!(flags.allocator(), AllocatorFlags::CAN_ALLOCATE);
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(transparent)]
pub struct FramingFlags(pub u32);

impl FramingFlags {
    /// The word with all bits of both.
    pub const fn new(requirements: RequirementFlags, allocator: AllocatorFlags) -> Self {
        Self(requirements.bits() | allocator.bits())
    }
    /// Bits 0 to 3 and 31.
    pub const fn requirements(self) -> RequirementFlags {
        RequirementFlags::from_bits_retain(self.0 & REQUIREMENT_BITS)
    }
    /// All other bits.
    pub const fn allocator(self) -> AllocatorFlags {
        AllocatorFlags::from_bits_retain(self.0 & !REQUIREMENT_BITS)
    }
}

impl From<RequirementFlags> for FramingFlags {
    fn from(flags: RequirementFlags) -> Self {
        Self(flags.bits())
    }
}

impl From<AllocatorFlags> for FramingFlags {
    fn from(flags: AllocatorFlags) -> Self {
        Self(flags.bits())
    }
}

impl fmt::Debug for FramingFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.requirements(), self.allocator()) {
            (requirements, allocator) if allocator.is_empty() => fmt::Debug::fmt(&requirements, f),
            (requirements, allocator) if requirements.is_empty() => fmt::Debug::fmt(&allocator, f),
            (requirements, allocator) => write!(f, "{requirements:?} | {allocator:?}"),
        }
    }
}

/// The first word of `KSALLOCATOR_FRAMING`, a union of `OptionsFlags` (what an allocator is created with) and
/// `RequirementsFlags` (what a pin answers).
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(transparent)]
pub struct OptionsOrRequirements(pub u32);

impl OptionsOrRequirements {
    /// Read as `OptionsFlags`.
    pub const fn options(self) -> OptionFlags {
        OptionFlags::from_bits_retain(self.0)
    }
    /// Read as `RequirementsFlags`.
    pub const fn requirements(self) -> RequirementFlags {
        RequirementFlags::from_bits_retain(self.0)
    }
}

impl From<OptionFlags> for OptionsOrRequirements {
    fn from(flags: OptionFlags) -> Self {
        Self(flags.bits())
    }
}

impl From<RequirementFlags> for OptionsOrRequirements {
    fn from(flags: RequirementFlags) -> Self {
        Self(flags.bits())
    }
}

impl fmt::Debug for OptionsOrRequirements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Nothing in the word says which of the two it is; the bits have different names in each.
        write!(f, "OptionsOrRequirements({:#x})", self.0)
    }
}
