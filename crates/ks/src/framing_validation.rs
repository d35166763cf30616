//! `KsValidateAllocatorFramingEx`: whether an extended framing makes sense.

use crate::{FramingEx, KsFramingItem, KsFramingRange, NtStatus};

/// `KsValidateAllocatorFramingEx`: whether these bytes hold an extended framing that makes sense: at least one item, all
/// of them within the bytes (statement 151), a compression whose denominator is not 0, and in each item two ranges that
/// are the right way round with a step that is no wider than the range, and an alignment that is a power of two. A step
/// of 0 or 1 is always right: drivers whose minimum and maximum are the same write either (statement 150;
/// `DECLARE_SIMPLE_FRAMING_EX` writes 1). Bytes after the items are
/// passed over, as the buffer may be larger than the framing.
///
/// The function of Windows also takes the framing of a pin; no page says what for.
///
/// # Errors
/// `STATUS_INVALID_DEVICE_REQUEST` where the bytes are too few for the items there should be, and
/// `STATUS_INVALID_PARAMETER` where a number is wrong.
pub fn validate_allocator_framing_ex(bytes: &[u8]) -> Result<(), NtStatus> {
    let (framing, _) = FramingEx::parse_prefix(bytes).map_err(|error| match error {
        crate::FramingBlobError::NoItems => NtStatus::STATUS_INVALID_PARAMETER,
        _ => NtStatus::STATUS_INVALID_DEVICE_REQUEST,
    })?;
    let sound = framing.head().output_compression.ratio_denominator != 0 && framing.items().all(|item| is_sound(&item));
    if sound { Ok(()) } else { Err(NtStatus::STATUS_INVALID_PARAMETER) }
}

fn is_sound(item: &KsFramingItem) -> bool {
    // Where the item says it is a pitch, the same word holds no alignment.
    let pitch = item.flags.allocator().contains(crate::AllocatorFlags::TWO_D_BUFFER_REQUIRED);
    (pitch || item.file_alignment.file_alignment().is_valid())
        && is_range(&item.physical_range)
        && is_range(&item.framing_range.range)
}

fn is_range(range: &KsFramingRange) -> bool {
    range.max_frame_size.checked_sub(range.min_frame_size).is_some_and(|width| range.stepping <= width.max(1))
}
