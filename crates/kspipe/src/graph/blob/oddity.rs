//! What a member of KS's structures can hold that is not taken as it stands.

use crate::finding::{Code, codes};
use ks::{AlignmentMask, PoolType, RequirementFlags};

/// Something odd about the value of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Oddity {
    pub(crate) code: &'static Code,
    /// What is wrong with it, and what it counts as.
    pub(crate) message: String,
    /// What to write instead.
    pub(crate) help: String,
}

impl Oddity {
    fn new(code: &'static Code, message: impl Into<String>, help: impl Into<String>) -> Self {
        Oddity { code, message: message.into(), help: help.into() }
    }
}

/// A member that is to be zero.
pub(crate) fn reserved(value: u32) -> Option<Oddity> {
    (value != 0).then(|| Oddity::new(&codes::RESERVED_NOT_ZERO, "it has no effect", "write 0"))
}

/// `InPlaceWeight`, `NotInPlaceWeight`, `MemoryTypeWeight`.
pub(crate) fn weight(value: u32) -> Option<Oddity> {
    (value != 0).then(|| Oddity::new(&codes::WEIGHT, "it has no effect", "write 0"))
}

/// `FileAlignment`, where it is no pitch.
pub(crate) fn alignment(mask: AlignmentMask) -> Option<Oddity> {
    if mask.is_valid() {
        return None;
    }
    let bytes = alignment_bytes(mask);
    let message = format!("the mask is not a power of two minus 1; it counts as an alignment of {bytes} bytes");
    Some(if mask.0.is_power_of_two() {
        let help =
            format!("write {:#x} for an alignment of {} bytes: the member is a mask, not a count", mask.0 - 1, mask.0);
        Oddity::new(&codes::ALIGNMENT_AS_COUNT, message, help)
    } else {
        let help = format!("write {:#x} for an alignment of {bytes} bytes", bytes - 1);
        Oddity::new(&codes::ALIGNMENT_NOT_A_MASK, message, help)
    })
}

/// The alignment in bytes: the smallest power of two over the mask. Of a mask that is none, every bit is met: what it
/// would have to be zero in an address is.
pub(crate) fn alignment_bytes(mask: AlignmentMask) -> u64 {
    (u64::from(mask.0) + 1).next_power_of_two()
}

/// `MemoryFlags`. Microsoft documents MUST_ALLOCATE there, and nothing else.
pub(crate) fn memory_flags(value: u32) -> Option<Oddity> {
    let unknown = value & !RequirementFlags::MUST_ALLOCATE.bits();
    (unknown != 0).then(|| {
        let message = format!("only MUST_ALLOCATE counts here; {unknown:#x} has no effect");
        Oddity::new(&codes::MEMORY_FLAGS, message, "write other requirements in Flags")
    })
}

/// `RequirementsFlags` of the old structure.
pub(crate) fn old_requirements(requirements: RequirementFlags) -> Option<Oddity> {
    (!requirements.contains(RequirementFlags::SYSTEM_MEMORY)).then(|| {
        Oddity::new(
            &codes::OLD_DEVICE_MEMORY,
            "SYSTEM_MEMORY is clear, which asks for memory of the sink's device; nobody else can map it",
            "set KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY where the pin works in host memory",
        )
    })
}

/// `PoolType`, where it is read.
pub(crate) fn pool_type(pool: PoolType) -> Option<Oddity> {
    pool.name().is_none().then(|| {
        let kind = if is_paged(pool) { "paged" } else { "nonpaged" };
        let message = format!("it is neither NonPagedPool nor PagedPool; it counts as {kind}");
        Oddity::new(&codes::POOL_TYPE, message, "write 0 (NonPagedPool) or 1 (PagedPool)")
    })
}

/// In wdm.h the lowest bit of every pool type says whether it is paged.
pub(crate) fn is_paged(pool: PoolType) -> bool {
    pool.0 & 1 != 0
}

/// A part of `OutputCompression`'s ratio that is 0.
pub(crate) fn zero_ratio(numerator: u32, denominator: u32) -> Oddity {
    Oddity::new(
        &codes::ZERO_RATIO,
        format!("the ratio {numerator}/{denominator} is none; the pin counts as stating no compression"),
        "write 1/1 and a margin of 0 where the size stays as it is",
    )
}
