//! From KS's structures to the graph's framing.

use super::oddity::{self, Oddity};
use super::{BlobFinding, BlobFraming};
use crate::graph::{Compression, FrameRange, Framing, FramingItem};
use ks::{
    AlignmentMask, AllocatorFlags, FramingBlob, FramingEx, Guid, KSMEMORY_TYPE_DEVICE_UNKNOWN,
    KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_KERNEL_PAGED, KsAllocatorFraming, KsCompression, KsFramingItem,
    KsFramingRange, KsFramingRangeWeighted, RequirementFlags,
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
    fn push(&mut self, field: &'static str, value: u32, oddity: Option<Oddity>) {
        if let Some(Oddity { code, message, help }) = oddity {
            self.all.push(BlobFinding { code, item: self.item, field, value, message, help });
        }
    }
}

fn old(framing: &KsAllocatorFraming) -> BlobFraming {
    let mut all = Vec::new();
    let mut findings = Findings { item: None, all: &mut all };
    let requirements = framing.flags.requirements();
    let memory = old_memory(framing, &mut findings);
    let alignment = alignment(framing.file_alignment.file_alignment(), &mut findings);
    findings.push("Reserved", framing.reserved, oddity::reserved(framing.reserved));
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
    findings.push("RequirementsFlags", requirements.bits(), oddity::old_requirements(requirements));
    if !requirements.contains(RequirementFlags::SYSTEM_MEMORY) {
        return KSMEMORY_TYPE_DEVICE_UNKNOWN;
    }
    findings.push("PoolType", framing.pool_type.0, oddity::pool_type(framing.pool_type));
    if oddity::is_paged(framing.pool_type) { KSMEMORY_TYPE_KERNEL_PAGED } else { KSMEMORY_TYPE_KERNEL_NONPAGED }
}

fn extended(framing: &FramingEx<'_>) -> BlobFraming {
    let mut findings = Vec::new();
    let head = framing.head();
    let mut outside = Findings { item: None, all: &mut findings };
    outside.push("PinFlags", head.pin_flags, oddity::reserved(head.pin_flags));
    let compression = compression(head.output_compression, &mut outside);
    outside.push("PinWeight", head.pin_weight, oddity::reserved(head.pin_weight));
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
        findings.push(field, value, Some(oddity::zero_ratio(ratio_numerator, ratio_denominator)));
    }
    if ratio_numerator == 0 || ratio_denominator == 0 {
        return Compression::NONE;
    }
    Compression { numerator: ratio_numerator, denominator: ratio_denominator, margin: ratio_constant_margin }
}

fn extended_item(item: &KsFramingItem, findings: &mut Findings<'_>) -> FramingItem {
    // Microsoft documents MUST_ALLOCATE in MemoryFlags, and nothing else there; drivers write it in Flags.
    let must_allocate = item.memory_flags.requirements() & RequirementFlags::MUST_ALLOCATE;
    findings.push("MemoryFlags", item.memory_flags.0, oddity::memory_flags(item.memory_flags.0));
    findings.push("BusFlags", item.bus_flags, oddity::reserved(item.bus_flags));
    let requirements = item.flags.requirements() | must_allocate;
    let flags = item.flags.allocator();
    let (alignment, pitch) = if flags.contains(AllocatorFlags::TWO_D_BUFFER_REQUIRED) {
        (1, Some(item.file_alignment.frame_pitch()))
    } else {
        (alignment(item.file_alignment.file_alignment(), findings), None)
    };
    let KsFramingRangeWeighted { in_place_weight, not_in_place_weight, .. } = item.framing_range;
    findings.push("FramingRange.InPlaceWeight", in_place_weight, oddity::weight(in_place_weight));
    findings.push("FramingRange.NotInPlaceWeight", not_in_place_weight, oddity::weight(not_in_place_weight));
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

fn alignment(mask: AlignmentMask, findings: &mut Findings<'_>) -> u64 {
    findings.push("FileAlignment", mask.0, oddity::alignment(mask));
    oddity::alignment_bytes(mask)
}

fn range(range: KsFramingRange) -> FrameRange {
    FrameRange { min: range.min_frame_size, max: range.max_frame_size, step: range.stepping }
}
