//! What a pin asks of an allocator: `KSALLOCATOR_FRAMING`, `KSALLOCATOR_FRAMING_EX` and the structures in them.

use crate::{AlignmentMask, AlignmentOrPitch, FramingFlags, Guid, KS_TYPE_DONT_CARE, OptionsOrRequirements};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

open_enum! {
    /// `POOL_TYPE`, as far as framing uses it (wdm.h).
    PoolType {
        /// Memory that is always resident.
        NON_PAGED_POOL = 0, NonPagedPool;
        /// Memory that can be paged out.
        PAGED_POOL = 1, PagedPool;
    }
}

/// `KS_COMPRESSION`: size out = size in × numerator / denominator + margin. 1/1/0 means none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct KsCompression {
    /// `RatioNumerator`.
    pub ratio_numerator: u32,
    /// `RatioDenominator`. 0 is representable and means nothing.
    pub ratio_denominator: u32,
    /// `RatioConstantMargin`, bytes.
    pub ratio_constant_margin: u32,
}

impl KsCompression {
    /// 1/1/0, which `SetDefaultKsCompression` writes.
    pub const NONE: Self = Self { ratio_numerator: 1, ratio_denominator: 1, ratio_constant_margin: 0 };
}

/// `KS_FRAMING_RANGE`: frame sizes, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct KsFramingRange {
    /// `MinFrameSize`.
    pub min_frame_size: u32,
    /// `MaxFrameSize`.
    pub max_frame_size: u32,
    /// `Stepping`: sizes are the minimum plus a multiple of it. Drivers write 0 where minimum and maximum are equal.
    pub stepping: u32,
}

impl KsFramingRange {
    /// 0 to 2^32 - 1 by 1: any size.
    pub const OPEN: Self = Self { min_frame_size: 0, max_frame_size: u32::MAX, stepping: 1 };
}

/// `KS_FRAMING_RANGE_WEIGHTED`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct KsFramingRangeWeighted {
    /// `Range`.
    pub range: KsFramingRange,
    /// `InPlaceWeight`.
    pub in_place_weight: u32,
    /// `NotInPlaceWeight`.
    pub not_in_place_weight: u32,
}

/// `KS_FRAMING_ITEM`: one alternative of a pin's framing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct KsFramingItem {
    /// `MemoryType`: `KSMEMORY_TYPE_*`, or a device's own.
    pub memory_type: Guid,
    /// `BusType`; `GUID_NULL` is don't care.
    pub bus_type: Guid,
    /// `MemoryFlags`: requirements about the memory; Microsoft documents MUST_ALLOCATE here.
    pub memory_flags: FramingFlags,
    /// `BusFlags`, reserved.
    pub bus_flags: u32,
    /// `Flags`: requirements and allocator flags.
    pub flags: FramingFlags,
    /// `Frames`: how many frames can be outstanding.
    pub frames: u32,
    /// The union of `FileAlignment` and `FramePitch`.
    pub file_alignment: AlignmentOrPitch,
    /// `MemoryTypeWeight`.
    pub memory_type_weight: u32,
    /// `PhysicalRange`: the bounds of the frame size.
    pub physical_range: KsFramingRange,
    /// `FramingRange`: the optimal frame sizes.
    pub framing_range: KsFramingRangeWeighted,
}

/// `KSALLOCATOR_FRAMING`: the old structure, one alternative; also what an allocator is created with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct KsAllocatorFraming {
    /// The union of `OptionsFlags` and `RequirementsFlags`.
    pub flags: OptionsOrRequirements,
    /// `PoolType`.
    pub pool_type: PoolType,
    /// `Frames`: how many frames can be outstanding.
    pub frames: u32,
    /// `FrameSize`, bytes.
    pub frame_size: u32,
    /// The union of `FileAlignment` and `FramePitch`.
    pub file_alignment: AlignmentOrPitch,
    /// `Reserved`: 0.
    pub reserved: u32,
}

/// `KSALLOCATOR_FRAMING_EX` with one framing item. One with several is read by [`FramingBlob`](crate::FramingBlob).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct KsAllocatorFramingEx {
    /// `CountItems`: how many framing items follow one another from [`framing_item`](Self::framing_item) on.
    pub count_items: u32,
    /// `PinFlags`.
    pub pin_flags: u32,
    /// `OutputCompression`.
    pub output_compression: KsCompression,
    /// `PinWeight`.
    pub pin_weight: u32,
    /// `FramingItem`, the first of them.
    pub framing_item: [KsFramingItem; 1],
}

impl KsAllocatorFramingEx {
    /// What the macro `DECLARE_SIMPLE_FRAMING_EX` declares: one item, no compression, any physical size, the optimal
    /// range as given with the stepping 1, no weights (statement 13).
    ///
    /// ```
    /// use ks::{AlignmentMask, FramingFlags, KSMEMORY_TYPE_KERNEL_NONPAGED, KsAllocatorFramingEx};
    /// const FRAMING: KsAllocatorFramingEx = KsAllocatorFramingEx::simple(
    ///     KSMEMORY_TYPE_KERNEL_NONPAGED, FramingFlags(0x8000_0002), 2, AlignmentMask(0), 8192, 8192,
    /// );
    /// assert_eq!(FRAMING.framing_item[0].physical_range.max_frame_size, u32::MAX);
    /// ```
    pub const fn simple(
        memory_type: Guid,
        flags: FramingFlags,
        frames: u32,
        alignment: AlignmentMask,
        min_frame_size: u32,
        max_frame_size: u32,
    ) -> Self {
        Self {
            count_items: 1,
            pin_flags: 0,
            output_compression: KsCompression::NONE,
            pin_weight: 0,
            framing_item: [KsFramingItem {
                memory_type,
                bus_type: KS_TYPE_DONT_CARE,
                memory_flags: FramingFlags(0),
                bus_flags: 0,
                flags,
                frames,
                file_alignment: AlignmentOrPitch::from_mask(alignment),
                memory_type_weight: 0,
                physical_range: KsFramingRange::OPEN,
                framing_range: KsFramingRangeWeighted {
                    range: KsFramingRange { min_frame_size, max_frame_size, stepping: 1 },
                    in_place_weight: 0,
                    not_in_place_weight: 0,
                },
            }],
        }
    }
}

assert_layout!(KsCompression: 12, 4 { ratio_numerator: 0, ratio_denominator: 4, ratio_constant_margin: 8 });
assert_layout!(KsFramingRange: 12, 4 { min_frame_size: 0, max_frame_size: 4, stepping: 8 });
assert_layout!(KsFramingRangeWeighted: 20, 4 { range: 0, in_place_weight: 12, not_in_place_weight: 16 });
assert_layout!(KsFramingItem: 88, 4 {
    memory_type: 0, bus_type: 16, memory_flags: 32, bus_flags: 36, flags: 40, frames: 44, file_alignment: 48,
    memory_type_weight: 52, physical_range: 56, framing_range: 68,
});
assert_layout!(KsAllocatorFraming: 24, 4 {
    flags: 0, pool_type: 4, frames: 8, frame_size: 12, file_alignment: 16, reserved: 20,
});
assert_layout!(KsAllocatorFramingEx: 112, 4 {
    count_items: 0, pin_flags: 4, output_compression: 8, pin_weight: 20, framing_item: 24,
});
