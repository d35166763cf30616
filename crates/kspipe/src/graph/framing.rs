//! What a pin asks of an allocator.

use ks::{AllocatorFlags, Guid, RequirementFlags};

/// Frame sizes, in bytes: from `min` to `max` in steps from `min` (`KS_FRAMING_RANGE`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameRange {
    /// The smallest size; 0 asks nothing.
    pub min: u32,
    /// The largest size; `u32::MAX` is open.
    pub max: u32,
    /// Sizes are `min + k * step`; 0 and 1 mean any.
    pub step: u32,
}

impl FrameRange {
    /// Any size: what `DECLARE_SIMPLE_FRAMING_EX` writes for the physical range.
    pub const OPEN: FrameRange = FrameRange { min: 0, max: u32::MAX, step: 1 };

    /// One size only.
    pub const fn exactly(size: u32) -> Self {
        FrameRange { min: size, max: size, step: 1 }
    }

    /// The largest size, or `None` where the range is open above.
    pub fn upper_bound(&self) -> Option<u32> {
        (self.max != u32::MAX).then_some(self.max)
    }
}

impl Default for FrameRange {
    fn default() -> Self {
        FrameRange::OPEN
    }
}

/// One alternative of a pin's framing (`KS_FRAMING_ITEM`). The default asks nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FramingItem {
    /// The memory type asked (`KSMEMORY_TYPE_*`, or a device's); `GUID_NULL` is the wildcard.
    pub memory: Guid,
    /// The bus type; `GUID_NULL` is don't care.
    pub bus: Guid,
    /// Frames needed; 0 asks nothing.
    pub frames: u32,
    /// Alignment in bytes, a power of two; 0 and 1 ask nothing. (A blob's `FileAlignment` is this minus 1.)
    pub alignment: u64,
    /// Bytes per row, where the item says so instead of an alignment (`FramePitch`). Carried, no effect on a plan.
    pub pitch: Option<i32>,
    /// `PhysicalRange`: the bounds of the frame size.
    pub physical: FrameRange,
    /// `FramingRange`: the sizes the pin likes. Its minimum is the pin's capacity.
    pub optimal: FrameRange,
    /// `MemoryTypeWeight`. Carried, no effect on a plan (documented as unsupported).
    pub weight: u32,
    /// `KSALLOCATOR_REQUIREMENTF_*` of `Flags` and `MemoryFlags`.
    pub requirements: RequirementFlags,
    /// `KSALLOCATOR_FLAG_*` of `Flags`.
    pub flags: AllocatorFlags,
}

impl FramingItem {
    /// An item that asks for frames of one size, and nothing else.
    pub fn exactly(size: u32) -> Self {
        FramingItem { physical: FrameRange::exactly(size), optimal: FrameRange::exactly(size), ..Self::default() }
    }
    /// What it asks are preferences (`PREFERENCES_ONLY`).
    pub fn is_preference(&self) -> bool {
        self.requirements.contains(RequirementFlags::PREFERENCES_ONLY)
    }
    /// The bytes a frame must hold for it; 0 asks nothing.
    pub fn capacity(&self) -> u32 {
        self.optimal.min
    }
    /// The pin insists on allocating.
    pub fn must_allocate(&self) -> bool {
        self.requirements.contains(RequirementFlags::MUST_ALLOCATE)
    }
    /// The pin writes into frames.
    pub fn modifies_in_place(&self) -> bool {
        self.requirements.contains(RequirementFlags::INPLACE_MODIFIER)
    }
    /// Nobody downstream may write into frames.
    pub fn needs_frame_integrity(&self) -> bool {
        self.requirements.contains(RequirementFlags::FRAME_INTEGRITY)
    }
}

/// A pin's framing: the property it answers, and the alternatives in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// The pin has no framing property (`FramingProp_None`): anything will do.
    #[default]
    None,
    /// The pin answers only the old property, one item (`FramingProp_Old`).
    Old(Box<FramingItem>),
    /// The pin answers the extended property (`FramingProp_Ex`).
    Extended(Vec<FramingItem>),
}

impl Framing {
    /// The alternatives; empty: anything.
    pub fn items(&self) -> &[FramingItem] {
        match self {
            Framing::None => &[],
            Framing::Old(item) => std::slice::from_ref(item),
            Framing::Extended(items) => items,
        }
    }
}

/// `KS_COMPRESSION`: size out = size in × numerator / denominator (rounded up) + margin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Compression {
    /// `RatioNumerator`, at least 1.
    pub numerator: u32,
    /// `RatioDenominator`, at least 1.
    pub denominator: u32,
    /// `RatioConstantMargin`, bytes.
    pub margin: u32,
}

impl Compression {
    /// 1/1/0, which every driver writes and none means.
    pub const NONE: Compression = Compression { numerator: 1, denominator: 1, margin: 0 };

    /// Whether it says anything: it is not 1/1/0.
    pub fn is_stated(&self) -> bool {
        *self != Compression::NONE
    }

    /// The bytes that come out where `bytes` go in; `None` where that does not fit 64 bits.
    pub fn scale(&self, bytes: u64) -> Option<u64> {
        let scaled = (u128::from(bytes) * u128::from(self.numerator)).div_ceil(u128::from(self.denominator.max(1)))
            + u128::from(self.margin);
        u64::try_from(scaled).ok()
    }
}

impl Default for Compression {
    fn default() -> Self {
        Compression::NONE
    }
}
