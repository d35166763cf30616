//! From the graph's framing to KS's structures.

use crate::graph::{Compression, FrameRange, Framing, FramingItem};
use ks::{
    AlignmentMask, AlignmentOrPitch, AllocatorFlags, FramingBlob, FramingFlags, FramingWriteError, Guid,
    KSMEMORY_TYPE_DEVICE_UNKNOWN, KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_KERNEL_PAGED, KsAllocatorFraming,
    KsAllocatorFramingExHead, KsCompression, KsFramingItem, KsFramingRange, KsFramingRangeWeighted, PoolType,
    RequirementFlags, write_framing_ex,
};

/// Why a framing has no blob.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteBlobError {
    /// The pin has no framing, so it answers neither property.
    #[error("a pin without a framing has no blob")]
    NoFraming,
    /// The structure cannot say what the framing says.
    #[error("item {item}, {field}: {message}")]
    NotExpressible {
        /// The framing item, from 0.
        item: usize,
        /// The header's name of the member that would have to say it.
        field: &'static str,
        /// What it cannot say.
        message: String,
    },
    /// The compression has a 0 in its ratio, or the old structure would have to hold one.
    #[error("OutputCompression: {message}")]
    Compression {
        /// What cannot be said.
        message: &'static str,
    },
    /// There are no items, or more than `CountItems` holds.
    #[error(transparent)]
    Items(#[from] FramingWriteError),
}

/// The blob that says a framing: [`Framing::Old`] as `KSALLOCATOR_FRAMING`, [`Framing::Extended`] as
/// `KSALLOCATOR_FRAMING_EX`.
///
/// What it writes, [`read_blob`](super::read_blob) reads back: the same framing and compression, but for an alignment of
/// 0, which asks as little as 1 and comes back as 1. The one finding it can have is that the old structure asks for
/// memory of the sink's device. MUST_ALLOCATE is written in `Flags` and in
/// `MemoryFlags`.
///
/// # Errors
/// Where the structure cannot say what the framing says; the error names the member.
pub fn write_blob(framing: &Framing, compression: Compression) -> Result<Vec<u8>, WriteBlobError> {
    match framing {
        Framing::None => Err(WriteBlobError::NoFraming),
        Framing::Old(item) => {
            if compression.is_stated() {
                return Err(WriteBlobError::Compression { message: "the old structure has no place for one" });
            }
            let blob = FramingBlob::Old(old(item)?);
            let mut bytes = vec![0; blob.byte_length()];
            blob.write_to(&mut bytes)?;
            Ok(bytes)
        }
        Framing::Extended(items) => {
            if compression.numerator == 0 || compression.denominator == 0 {
                return Err(WriteBlobError::Compression { message: "a ratio with a 0 in it says nothing" });
            }
            let head = KsAllocatorFramingExHead {
                output_compression: KsCompression {
                    ratio_numerator: compression.numerator,
                    ratio_denominator: compression.denominator,
                    ratio_constant_margin: compression.margin,
                },
                ..KsAllocatorFramingExHead::default()
            };
            let structures =
                items.iter().enumerate().map(|(index, item)| extended(index, item)).collect::<Result<Vec<_>, _>>()?;
            let length = size_of_val(structures.as_slice()) + size_of::<KsAllocatorFramingExHead>();
            let mut bytes = vec![0; length];
            write_framing_ex(head, structures.into_iter(), &mut bytes)?;
            Ok(bytes)
        }
    }
}

fn refuse<T>(item: usize, field: &'static str, message: impl Into<String>) -> Result<T, WriteBlobError> {
    Err(WriteBlobError::NotExpressible { item, field, message: message.into() })
}

fn old(item: &FramingItem) -> Result<KsAllocatorFraming, WriteBlobError> {
    let pool_type = match item.memory {
        KSMEMORY_TYPE_KERNEL_NONPAGED => Some(PoolType::NON_PAGED_POOL),
        KSMEMORY_TYPE_KERNEL_PAGED => Some(PoolType::PAGED_POOL),
        KSMEMORY_TYPE_DEVICE_UNKNOWN => None,
        other => return refuse(0, "PoolType", format!("the old structure has no place for the memory type {other}")),
    };
    if item.requirements.contains(RequirementFlags::SYSTEM_MEMORY) != pool_type.is_some() {
        return refuse(0, "RequirementsFlags", "SYSTEM_MEMORY is set exactly where the memory is kernel memory");
    }
    let frame_size = match item.optimal {
        FrameRange::OPEN => 0,
        range if range.min > 0 && range == FrameRange::exactly(range.min) => range.min,
        _ => return refuse(0, "FrameSize", "the old structure has one optimal size, not a range"),
    };
    let missing = [
        (item.physical == FrameRange::OPEN, "a physical range"),
        (item.flags.is_empty(), "allocator flags"),
        (item.bus == Guid::NULL, "a bus type"),
        (item.weight == 0, "a weight"),
        (item.pitch.is_none(), "a pitch that says it is one"),
    ];
    if let Some((_, what)) = missing.into_iter().find(|(absent, _)| !absent) {
        return refuse(0, "KSALLOCATOR_FRAMING", format!("the old structure has no place for {what}"));
    }
    Ok(KsAllocatorFraming {
        flags: item.requirements.into(),
        pool_type: pool_type.unwrap_or_default(),
        frames: item.frames,
        frame_size,
        file_alignment: AlignmentOrPitch::from_mask(mask(0, item.alignment)?),
        reserved: 0,
    })
}

fn extended(index: usize, item: &FramingItem) -> Result<KsFramingItem, WriteBlobError> {
    let flags = FramingFlags::new(item.requirements, item.flags);
    if flags.requirements() != item.requirements || flags.allocator() != item.flags {
        let message = format!("{:?} and {:?} share bits of one word", item.requirements, item.flags);
        return refuse(index, "Flags", message);
    }
    let file_alignment = match (item.flags.contains(AllocatorFlags::TWO_D_BUFFER_REQUIRED), item.pitch) {
        (true, Some(pitch)) if item.alignment <= 1 => AlignmentOrPitch::from_pitch(pitch),
        (false, None) => AlignmentOrPitch::from_mask(mask(index, item.alignment)?),
        (_, Some(_)) if item.alignment > 1 => {
            return refuse(index, "FramePitch", "a pitch and an alignment share one word");
        }
        _ => return refuse(index, "FramePitch", "there is a pitch exactly where the flags say 2D_BUFFER_REQUIRED"),
    };
    Ok(KsFramingItem {
        memory_type: item.memory,
        bus_type: item.bus,
        memory_flags: (item.requirements & RequirementFlags::MUST_ALLOCATE).into(),
        bus_flags: 0,
        flags,
        frames: item.frames,
        file_alignment,
        memory_type_weight: item.weight,
        physical_range: range(item.physical),
        framing_range: KsFramingRangeWeighted { range: range(item.optimal), ..KsFramingRangeWeighted::default() },
    })
}

fn mask(index: usize, alignment: u64) -> Result<AlignmentMask, WriteBlobError> {
    let bytes = alignment.max(1);
    match u32::try_from(bytes - 1) {
        Ok(mask) if bytes.is_power_of_two() => Ok(AlignmentMask(mask)),
        _ => refuse(index, "FileAlignment", format!("{alignment} is not a power of two up to 2^32")),
    }
}

fn range(range: FrameRange) -> KsFramingRange {
    KsFramingRange { min_frame_size: range.min, max_frame_size: range.max, stepping: range.step }
}
