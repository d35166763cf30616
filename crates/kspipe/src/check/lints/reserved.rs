//! Members that are reserved, or have no effect.

use crate::check::alternative::Subjected;
use crate::check::{Circumstances, Member, Origin};
use crate::finding::codes;
use crate::graph::oddity;

/// KS061: reserved members that are not 0.
pub(super) fn members(subject: &mut Subjected<'_>, _: &Circumstances) {
    let outside = [Member::Reserved, Member::PinFlags, Member::PinWeight].map(|member| (None, member));
    let inside = (0..subject.framing.items()).map(|item| (Some(item), Member::BusFlags));
    for (item, member) in outside.into_iter().chain(inside) {
        if let Some(value) = subject.framing.get(item, member) {
            subject.odd((item, member), oddity::reserved(value), Some(0));
        }
    }
}

/// KS073: weights.
pub(super) fn weights(subject: &mut Subjected<'_>, _: &Circumstances) {
    let weights = [Member::MemoryTypeWeight, Member::InPlaceWeight, Member::NotInPlaceWeight];
    for item in 0..subject.framing.items() {
        for member in weights {
            if let Some(value) = subject.framing.get(Some(item), member) {
                subject.odd((Some(item), member), oddity::weight(value), Some(0));
            }
        }
    }
}

/// KS060: a ratio with a 0 in it.
pub(super) fn ratio(subject: &mut Subjected<'_>, _: &Circumstances) {
    let [numerator, denominator] =
        [Member::RatioNumerator, Member::RatioDenominator].map(|member| subject.framing.get(None, member));
    for (member, value) in [(Member::RatioNumerator, numerator), (Member::RatioDenominator, denominator)] {
        if value == Some(0) {
            let oddity = oddity::zero_ratio(numerator.unwrap_or(1), denominator.unwrap_or(1));
            subject.odd((None, member), Some(oddity), Some(1));
        }
    }
}

/// More items than any driver has.
const MANY_ITEMS: u32 = 16;

/// KS100: `CountItems`, `PinFlags` 0, 1/1/0, `PinWeight` 0, read as the old structure.
pub(super) fn head_of_extended(subject: &mut Subjected<'_>, _: &Circumstances) {
    let old = |member| subject.framing.get(None, member);
    let is_head = old(Member::RequirementsFlags).is_some_and(|count| (1..=MANY_ITEMS).contains(&count))
        && [
            (Member::PoolType, 0),
            (Member::Frames, 1),
            (Member::FrameSize, 1),
            (Member::FileAlignment, 0),
            (Member::Reserved, 0),
        ]
        .into_iter()
        .all(|(member, value)| old(member) == Some(value));
    // Of a driver's source it is known which structure it writes.
    if is_head && subject.framing.origin == Origin::Blob {
        subject.find(
            &codes::HEAD_OF_EXTENDED,
            (None, Member::RequirementsFlags),
            "these 24 bytes are those of a KSALLOCATOR_FRAMING_EX without its items",
            "read the whole answer of KSPROPERTY_CONNECTION_ALLOCATORFRAMING_EX",
        );
    }
}
