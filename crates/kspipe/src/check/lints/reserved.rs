//! Members that are reserved, or have no effect.

use crate::check::alternative::Subjected;
use crate::check::{Circumstances, Member};
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
