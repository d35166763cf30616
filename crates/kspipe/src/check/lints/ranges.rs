//! Ranges of sizes.

use crate::check::Circumstances;
use crate::check::alternative::{Alternative, Range, Subjected};
use crate::finding::codes;

/// Both ranges of every item, with what to call them. The old structure has none.
fn ranges<'a>(subject: &Subjected<'a>) -> Vec<(Alternative<'a>, Range, &'static str)> {
    let items = subject.alternatives().into_iter().filter(|alternative| !alternative.is_old());
    let both =
        |item: Alternative<'a>| [(item, item.physical(), "PhysicalRange"), (item, item.optimal(), "FramingRange")];
    items.flat_map(both).collect()
}

/// KS044: the minimum is over the maximum.
pub(super) fn upside_down(subject: &mut Subjected<'_>, _: &Circumstances) {
    for (item, range, name) in ranges(subject) {
        let (Some(min), Some(max)) = (range.min, range.max) else { continue };
        // A maximum of 0 is no limit that somebody swapped, but one that was never written: `no_size` says so.
        if min > max && max > 0 {
            subject.find(
                &codes::RANGE_UPSIDE_DOWN,
                item.at(range.members[0]),
                format!("the minimum of {name}, {min}, is over its maximum, {max}: no size is in it"),
                "swap them",
            );
        }
    }
}

/// KS045: the stepping is larger than the range. For a range of one size 0 and 1 are both right.
pub(super) fn step_over_range(subject: &mut Subjected<'_>, _: &Circumstances) {
    for (item, range, name) in ranges(subject) {
        let (Some(min), Some(max), Some(step)) = (range.min, range.max, range.step) else { continue };
        let Some(width) = max.checked_sub(min) else { continue };
        if step > width.max(1) {
            subject.find_fixed(
                &codes::STEP_OVER_RANGE,
                item.at(range.members[2]),
                format!("the stepping of {name}, {step}, is over the difference of its minimum and maximum, {width}"),
                if width == 0 { "write 0: there is one size" } else { "write at most the difference; 1 for any size" },
                Some(u64::from(width != 0)),
            );
        }
    }
}

/// KS046: counting up from the minimum never reaches the maximum.
pub(super) fn step_misses_maximum(subject: &mut Subjected<'_>, _: &Circumstances) {
    for (item, range, name) in ranges(subject) {
        let (Some(min), Some(max), Some(step)) = (range.min, range.max, range.step) else { continue };
        let Some(width) = max.checked_sub(min) else { continue };
        // An open range ends nowhere in particular.
        if step <= 1 || step > width || max == u32::MAX || width % step == 0 {
            continue;
        }
        let largest = max - width % step;
        subject.find(
            &codes::STEP_MISSES_MAXIMUM,
            item.at(range.members[2]),
            format!("from {min} in steps of {step}, {name} never reaches its maximum of {max}: its largest size is {largest}"),
            format!("start and end at multiples of {step}, or write {largest} as the maximum"),
        );
    }
}

/// KS059: a physical range that ends at 0.
pub(super) fn no_size(subject: &mut Subjected<'_>, _: &Circumstances) {
    for item in subject.alternatives() {
        let range = item.physical();
        if range.max == Some(0) {
            subject.find_fixed(
                &codes::NO_SIZE_ALLOWED,
                item.at(range.members[1]),
                "the largest physical size is 0, so the range holds no frame",
                "write 0xFFFFFFFF for no limit",
                Some(u64::from(u32::MAX)),
            );
        }
    }
}

/// KS077: more is needed than can be taken.
pub(super) fn capacity_over_maximum(subject: &mut Subjected<'_>, _: &Circumstances) {
    for item in subject.alternatives() {
        let (Some(capacity), Range { min, max: Some(max), .. }) = (item.capacity(), item.physical()) else { continue };
        // A range that is upside down is found as that.
        if max > 0 && capacity > max && min.is_none_or(|min| min <= max) {
            subject.find(
                &codes::CAPACITY_OVER_MAXIMUM,
                item.at(item.capacity_member()),
                format!(
                    "the capacity (the minimum of FramingRange, {capacity} bytes) is over the physical maximum of {max} bytes"
                ),
                "no frame can serve this item; set both ranges, or leave PhysicalRange open",
            );
        }
    }
}
