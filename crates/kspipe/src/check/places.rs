//! Findings of a graph file get their places.

use super::Member;
use crate::finding::{Finding, Span, codes};
use crate::graph::PinId;
use crate::graph::file::{GraphFile, KeyPlace, KeyPlaces};

/// Gives a finding about this pin its place: the key of its member, else the item, else the pin's name.
pub(super) fn place(file: &GraphFile, keys: &KeyPlaces<'_>, pin: PinId, finding: &mut Finding) {
    let subject = &finding.subject;
    let member = subject.member.and_then(Member::named);
    // The old structure of a blob has no items, and one place.
    let item = subject.item.unwrap_or(0);
    let key = member.and_then(|member| key(keys, pin, item, member, finding));
    finding.span = match key {
        Some(key) => Some(key.whole),
        None => member.and_then(|_| file.item_span(pin, item)).or_else(|| file.pin_span(pin)),
    };
    if let Some(fix) = &mut finding.fix {
        let is_number =
            |span: &Span| file.text().get(span.start..span.end).is_some_and(|text| text.parse::<u64>().is_ok());
        fix.span = key.map(|key| key.value).filter(is_number);
    }
}

/// The key that says what the member holds.
fn key(keys: &KeyPlaces<'_>, pin: PinId, item: usize, member: Member, finding: &Finding) -> Option<KeyPlace> {
    let of_item = |paths: &[&[&str]]| paths.iter().find_map(|path| keys.of_item(pin, item, path));
    let part = |range: &str, part: &str| of_item(&[&[range, part], &["size", part], &[range], &["size"]]);
    match member {
        Member::Frames => of_item(&[&["frames"]]),
        Member::FileAlignment => of_item(&[&["alignment"], &["pitch"]]),
        Member::MemoryType => of_item(&[&["memory"]]),
        Member::BusType => of_item(&[&["bus"]]),
        Member::MemoryTypeWeight => of_item(&[&["weight"]]),
        Member::Flags if [&codes::PIPE_FLAGS, &codes::UNKNOWN_FLAGS, &codes::CANNOT_WIN].contains(&finding.code) => {
            of_item(&[&["flags"], &["requirements"]])
        }
        Member::Flags => of_item(&[&["requirements"], &["flags"]]),
        Member::PhysicalMin => part("physical", "min"),
        Member::PhysicalMax => part("physical", "max"),
        Member::PhysicalStepping => part("physical", "step"),
        Member::FramingMin => part("optimal", "min"),
        Member::FramingMax => part("optimal", "max"),
        Member::FramingStepping => part("optimal", "step"),
        Member::RatioNumerator | Member::RatioDenominator | Member::RatioConstantMargin => {
            keys.of_pin(pin, &["compression"])
        }
        _ => None,
    }
}
