//! Sizes against what a frame carries.

use crate::check::alternative::Subjected;
use crate::check::{Circumstances, Member, Origin};
use crate::finding::codes;
use crate::graph::{Direction, Mode};

/// KS047, KS048, KS049: sizes in bits, in pixels, and too small, where the format is known.
pub(super) fn against_media(subject: &mut Subjected<'_>, circumstances: &Circumstances) {
    let Some(media) = circumstances.media else { return };
    let bytes = media.bytes;
    for item in subject.alternatives() {
        let member = item.capacity_member();
        let capacity = u64::from(item.capacity().unwrap_or(0));
        // An item has the number in two members, or four.
        let instead = u32::try_from(bytes).ok().filter(|_| item.is_old()).map(u64::from);
        // A range that has room for the frame only says what is enough for the pin.
        let largest = item.optimal().max.map(u64::from);
        if capacity > 0 && capacity == bytes.saturating_mul(8) {
            subject.find_fixed(
                &codes::SIZE_IN_BITS,
                item.at(member),
                format!("{capacity} is 8 times the {bytes} bytes of a frame: it is in bits"),
                format!("write {bytes}: sizes are bytes"),
                instead,
            );
        } else if capacity > 0 && capacity < bytes && media.pixels == Some(capacity) {
            subject.find_fixed(
                &codes::SIZE_IN_PIXELS,
                item.at(member),
                format!("{capacity} is the number of pixels; the picture takes {bytes} bytes"),
                format!("write {bytes}, the size of the format's frame (biSizeImage)"),
                instead,
            );
        } else if capacity > 0 && capacity < bytes && largest.is_some_and(|largest| largest < bytes) {
            subject.find_fixed(
                &codes::SIZE_UNDER_MEDIA,
                item.at(member),
                format!("{capacity} bytes are declared, and a frame of the connected format takes {bytes}"),
                "declare the size of the format's frame: edit the framing when the format is set",
                instead,
            );
        } else if let (Some(max), Some(false)) = (item.physical().max, item.is_preference())
            && max > 0
            && u64::from(max) < bytes
        {
            subject.find_fixed(
                &codes::SIZE_UNDER_MEDIA,
                item.at(Member::PhysicalMax),
                format!("frames of at most {max} bytes are required, and one of the connected format takes {bytes}"),
                "raise the maximum of PhysicalRange, or connect a smaller format",
                u32::try_from(bytes).ok().map(u64::from),
            );
        }
    }
}

/// What the samples declare before they know a format: 2 * PAGE_SIZE, where a page is 4 KiB, or 8 KiB as on ia64.
const PLACEHOLDERS: [u32; 2] = [8192, 16384];

/// KS050: the declaration of the samples, never edited. In a graph the format decides (KS049).
pub(super) fn placeholder(subject: &mut Subjected<'_>, circumstances: &Circumstances) {
    if circumstances.edited == Some(true) || subject.framing.origin == Origin::Graph {
        return;
    }
    for item in subject.alternatives() {
        let (physical, optimal) = (item.physical(), item.optimal());
        let open = (physical.min, physical.max) == (Some(0), Some(u32::MAX));
        let Some(size) = optimal.min.filter(|size| optimal.max == Some(*size) && PLACEHOLDERS.contains(size)) else {
            continue;
        };
        if item.is_old() || !open {
            continue;
        }
        let message = match circumstances.edited {
            Some(_) => format!("{size} bytes are declared, and nothing edits the framing when a format is set"),
            None => format!("{size} bytes are what samples declare before a format is known (2 * PAGE_SIZE)"),
        };
        subject.find(
            &codes::PLACEHOLDER_SIZE,
            item.at(Member::FramingMin),
            message,
            "edit the framing when the data format is set: all four sizes are the size of the format's frame",
        );
    }
}

/// KS057: sizes that KSProxy does not read.
pub(super) fn unread_at_in_pins(subject: &mut Subjected<'_>, circumstances: &Circumstances) {
    let Circumstances { direction, mode, is_codec, .. } = circumstances;
    if (*direction, *mode, *is_codec) != (Some(Direction::In), Some(Mode::Kernel), Some(true)) {
        return;
    }
    for item in subject.alternatives() {
        let range = item.physical();
        let (Some(min), Some(max)) = (range.min, range.max) else { continue };
        if (min > 0 || max != u32::MAX) && max > 0 {
            let member = if min > 0 { Member::PhysicalMin } else { Member::PhysicalMax };
            subject.find(
                &codes::INPUT_SIZE,
                item.at(member),
                format!("PhysicalRange ({min} to {max}) is not read at the in pin of a codec: frames have the size upstream gives"),
                "take any size here, and set internal structures when the media type is set",
            );
        }
    }
}
