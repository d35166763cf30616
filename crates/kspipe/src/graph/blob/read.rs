//! From KS's structures to the graph's framing.

use super::{BlobFinding, BlobFraming};
use crate::graph::{Compression, FrameRange, Framing, FramingItem};
use ks::{
    AlignmentMask, AllocatorFlags, FramingBlob, FramingEx, Guid, KSMEMORY_TYPE_DEVICE_UNKNOWN,
    KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_KERNEL_PAGED, KsAllocatorFraming, KsCompression, KsFramingItem,
    KsFramingRange, RequirementFlags,
};

impl From<&FramingBlob<'_>> for BlobFraming {
    fn from(blob: &FramingBlob<'_>) -> Self {
        match blob {
            FramingBlob::Old(framing) => old(framing),
            FramingBlob::Extended(framing) => extended(framing),
        }
    }
}

/// Collects findings about one item, or about what is outside of all.
struct Findings<'a> {
    item: Option<usize>,
    all: &'a mut Vec<BlobFinding>,
}

impl Findings<'_> {
    fn push(&mut self, field: &'static str, value: u32, message: impl Into<String>, help: impl Into<String>) {
        self.all.push(BlobFinding { item: self.item, field, value, message: message.into(), help: help.into() });
    }

    /// A member that nothing reads: anything but 0 there is lost.
    fn unused(&mut self, field: &'static str, value: u32) {
        if value != 0 {
            self.push(field, value, "it has no effect", "write 0");
        }
    }
}

fn old(framing: &KsAllocatorFraming) -> BlobFraming {
    let mut all = Vec::new();
    let mut findings = Findings { item: None, all: &mut all };
    let requirements = framing.flags.requirements();
    let memory = old_memory(framing, &mut findings);
    let alignment = alignment(framing.file_alignment.file_alignment(), &mut findings);
    findings.unused("Reserved", framing.reserved);
    // One size, which says what a frame must hold, not what it may be; 0 asks nothing.
    let optimal = match framing.frame_size {
        0 => FrameRange::OPEN,
        size => FrameRange::exactly(size),
    };
    let item = FramingItem {
        memory,
        frames: framing.frames,
        alignment,
        physical: FrameRange::OPEN,
        optimal,
        requirements,
        ..FramingItem::default()
    };
    BlobFraming { framing: Framing::Old(Box::new(item)), compression: Compression::NONE, findings: all }
}

fn old_memory(framing: &KsAllocatorFraming, findings: &mut Findings<'_>) -> Guid {
    let requirements = framing.flags.requirements();
    if !requirements.contains(RequirementFlags::SYSTEM_MEMORY) {
        findings.push(
            "RequirementsFlags",
            requirements.bits(),
            "SYSTEM_MEMORY is clear, which asks for memory of the sink's device; nobody else can map it",
            "set KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY where the pin works in host memory",
        );
        return KSMEMORY_TYPE_DEVICE_UNKNOWN;
    }
    // In wdm.h the lowest bit of every pool type says whether it is paged.
    let paged = framing.pool_type.0 & 1 != 0;
    if framing.pool_type.name().is_none() {
        findings.push(
            "PoolType",
            framing.pool_type.0,
            format!(
                "it is neither NonPagedPool nor PagedPool; it counts as {}",
                if paged { "paged" } else { "nonpaged" }
            ),
            "write 0 (NonPagedPool) or 1 (PagedPool)",
        );
    }
    if paged { KSMEMORY_TYPE_KERNEL_PAGED } else { KSMEMORY_TYPE_KERNEL_NONPAGED }
}

fn extended(framing: &FramingEx<'_>) -> BlobFraming {
    let mut findings = Vec::new();
    let head = framing.head();
    let mut outside = Findings { item: None, all: &mut findings };
    outside.unused("PinFlags", head.pin_flags);
    let compression = compression(head.output_compression, &mut outside);
    outside.unused("PinWeight", head.pin_weight);
    let items = framing
        .items()
        .enumerate()
        .map(|(index, item)| extended_item(&item, &mut Findings { item: Some(index), all: &mut findings }))
        .collect();
    BlobFraming { framing: Framing::Extended(items), compression, findings }
}

fn compression(compression: KsCompression, findings: &mut Findings<'_>) -> Compression {
    let KsCompression { ratio_numerator, ratio_denominator, ratio_constant_margin } = compression;
    let zeroes = [
        ("OutputCompression.RatioNumerator", ratio_numerator),
        ("OutputCompression.RatioDenominator", ratio_denominator),
    ];
    for (field, value) in zeroes.into_iter().filter(|(_, value)| *value == 0) {
        findings.push(
            field,
            value,
            format!(
                "the ratio {ratio_numerator}/{ratio_denominator} is none; the pin counts as stating no compression"
            ),
            "write 1/1 and a margin of 0 where the size stays as it is",
        );
    }
    if ratio_numerator == 0 || ratio_denominator == 0 {
        return Compression::NONE;
    }
    Compression { numerator: ratio_numerator, denominator: ratio_denominator, margin: ratio_constant_margin }
}

fn extended_item(item: &KsFramingItem, findings: &mut Findings<'_>) -> FramingItem {
    // Microsoft documents MUST_ALLOCATE in MemoryFlags, and nothing else there; drivers write it in Flags.
    let must_allocate = item.memory_flags.requirements() & RequirementFlags::MUST_ALLOCATE;
    let unknown = item.memory_flags.0 & !RequirementFlags::MUST_ALLOCATE.bits();
    if unknown != 0 {
        findings.push(
            "MemoryFlags",
            item.memory_flags.0,
            format!("only MUST_ALLOCATE counts here; {unknown:#x} has no effect"),
            "write other requirements in Flags",
        );
    }
    findings.unused("BusFlags", item.bus_flags);
    let requirements = item.flags.requirements() | must_allocate;
    let flags = item.flags.allocator();
    let (alignment, pitch) = if flags.contains(AllocatorFlags::TWO_D_BUFFER_REQUIRED) {
        (1, Some(item.file_alignment.frame_pitch()))
    } else {
        (alignment(item.file_alignment.file_alignment(), findings), None)
    };
    findings.unused("FramingRange.InPlaceWeight", item.framing_range.in_place_weight);
    findings.unused("FramingRange.NotInPlaceWeight", item.framing_range.not_in_place_weight);
    FramingItem {
        memory: item.memory_type,
        bus: item.bus_type,
        frames: item.frames,
        alignment,
        pitch,
        physical: range(item.physical_range),
        optimal: range(item.framing_range.range),
        weight: item.memory_type_weight,
        requirements,
        flags,
    }
}

/// The alignment in bytes: the smallest power of two over the mask. Of a mask that is none, every bit is met: what it
/// would have to be zero in an address is.
fn alignment(mask: AlignmentMask, findings: &mut Findings<'_>) -> u64 {
    let bytes = (u64::from(mask.0) + 1).next_power_of_two();
    if !mask.is_valid() {
        let help = if mask.0.is_power_of_two() {
            format!("write {:#x} for an alignment of {} bytes: the member is a mask, not a count", mask.0 - 1, mask.0)
        } else {
            format!("write {:#x} for an alignment of {bytes} bytes", bytes - 1)
        };
        findings.push(
            "FileAlignment",
            mask.0,
            format!("the mask is not a power of two minus 1; it counts as an alignment of {bytes} bytes"),
            help,
        );
    }
    bytes
}

fn range(range: KsFramingRange) -> FrameRange {
    FrameRange { min: range.min_frame_size, max: range.max_frame_size, step: range.stepping }
}
