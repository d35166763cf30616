//! How many frames, and how many bytes altogether.

use crate::check::alternative::{Alternative, Subjected};
use crate::check::{Circumstances, Member, Origin};
use crate::finding::codes;
use crate::graph::{Direction, Mode};

/// KS058: 0 where somebody wrote it.
pub(super) fn asks_nothing(subject: &mut Subjected<'_>, circumstances: &Circumstances) {
    // What a graph file leaves out is 0 as well; and the sizes and frames of an in pin come from upstream.
    if subject.framing.origin == Origin::Graph || circumstances.direction == Some(Direction::In) {
        return;
    }
    for item in subject.alternatives() {
        if item.frames() == Some(0) {
            subject.find(
                &codes::ASKS_NOTHING,
                item.at(Member::Frames),
                "0 frames ask for no number: others decide, and clients differ in what they take",
                "state the number of frames the driver needs",
            );
        }
        let optimal = item.optimal();
        if (optimal.min, optimal.max) == (Some(0), Some(0)) {
            subject.find(
                &codes::ASKS_NOTHING,
                item.at(item.capacity_member()),
                "a size of 0 asks for none: others decide, and a client may give a frame of any size",
                "state the bytes the driver needs in a frame",
            );
        }
    }
}

/// What Microsoft recommends for both pins of a codec.
const CODEC_FRAMES: u32 = 3;

/// KS055: fewer than three frames at a codec's pin.
pub(super) fn codec_frames(subject: &mut Subjected<'_>, circumstances: &Circumstances) {
    if (circumstances.is_codec, circumstances.mode) != (Some(true), Some(Mode::Kernel)) {
        return;
    }
    for item in subject.alternatives() {
        if let Some(frames @ 1..CODEC_FRAMES) = item.frames() {
            subject.find_fixed(
                &codes::CODEC_FRAMES,
                item.at(Member::Frames),
                format!("{frames} of the 3 frames recommended for both pins of a codec"),
                "ask for three frames or more",
                Some(u64::from(CODEC_FRAMES)),
            );
        }
    }
}

/// The least frame that serves the item, in bytes: its capacity, or what its physical range starts with.
fn least_size(item: &Alternative<'_>) -> Option<u64> {
    Some(u64::from(item.capacity()?.max(item.physical().min?)))
}

/// The same with what its alignment adds, as an allocator places frames one after the other.
fn slot(item: &Alternative<'_>) -> Option<u64> {
    Some(least_size(item)?.max(1).next_multiple_of(item.alignment()?))
}

/// So much memory nobody misses: 64 KiB.
const SMALL: u64 = 64 << 10;
/// From here on a pool is large: 16 MiB, in at least 32 frames.
const LARGE: u64 = 16 << 20;
const MANY: u32 = 32;

/// KS056: memory that nobody uses.
pub(super) fn wasted(subject: &mut Subjected<'_>, circumstances: &Circumstances) {
    for item in subject.alternatives() {
        let (Some(frames), Some(size), Some(slot)) = (item.frames(), least_size(&item), slot(&item)) else {
            continue;
        };
        let count = u64::from(frames.max(1));
        let total = slot.saturating_mul(count);
        let lost_to_alignment = (slot - size.min(slot)).saturating_mul(count);
        let media = circumstances.media.map_or(size, |media| media.bytes);
        if size > 0 && slot >= 2 * size && lost_to_alignment >= SMALL {
            subject.find(
                &codes::MEMORY_WASTED,
                item.at(Member::FileAlignment),
                format!(
                    "an alignment of {} bytes makes each frame of {size} bytes take {slot}",
                    item.alignment().unwrap_or(1)
                ),
                "ask for the alignment the device needs; FILE_*_ALIGNMENT are masks",
            );
        // Eight times the media is a size in bits, and found as that.
        } else if size >= media.saturating_mul(2)
            && size != media.saturating_mul(8)
            && (size - media).saturating_mul(count) >= SMALL
        {
            subject.find_fixed(
                &codes::MEMORY_WASTED,
                item.at(if item.capacity().map(u64::from) == Some(size) {
                    item.capacity_member()
                } else {
                    Member::PhysicalMin
                }),
                format!("frames of {size} bytes for a format whose frame takes {media}"),
                "edit the framing when the format is set: the size of its frame",
                item.is_old().then_some(media),
            );
        } else if frames >= MANY && total >= LARGE && total <= u64::from(u32::MAX) {
            subject.find(
                &codes::MEMORY_WASTED,
                item.at(Member::Frames),
                format!("{frames} frames of {size} bytes take {} MiB while the pin exists", total >> 20),
                "ask for a few frames more than are held at once",
            );
        }
    }
}

/// KS065, KS066: bytes that overflow 32 bits, or a COM allocator's LONG.
pub(super) fn too_many_bytes(subject: &mut Subjected<'_>, _: &Circumstances) {
    for item in subject.alternatives() {
        let (Some(frames), Some(slot)) = (item.frames(), slot(&item)) else { continue };
        let total = slot.saturating_mul(u64::from(frames.max(1)));
        let code = if total > u64::from(u32::MAX) {
            &codes::BYTES_OVERFLOW
        } else if total > i32::MAX as u64 {
            &codes::OVER_LONG
        } else {
            continue;
        };
        let member = if frames > 1 { Member::Frames } else { item.capacity_member() };
        let wrapped = total & u64::from(u32::MAX);
        let message = if code == &codes::BYTES_OVERFLOW {
            format!("{} frames of {slot} bytes are {total} bytes, which a ULONG holds as {wrapped}", frames.max(1))
        } else {
            format!(
                "{} frames of {slot} bytes are {total} bytes; a COM allocator has at most 2147483647",
                frames.max(1)
            )
        };
        subject.find(code, item.at(member), message, "ask for fewer or smaller frames");
    }
}
