//! Pin descriptors: which pin has which framing, which way its data flows, and what edits it.

use crate::extent::split;
use crate::framing::{Flow, PinUse};
use crate::lexer::Token;
use crate::preprocess::Unit;
use crate::text::Place;

/// The pins of every `KSPIN_DESCRIPTOR_EX` of the unit, each with the names its descriptor has.
pub(crate) fn pins(unit: &Unit<'_>) -> Vec<(String, PinUse)> {
    let mut all = Vec::new();
    for (index, token) in unit.tokens.iter().enumerate() {
        if token.identifier() == Some("KSPIN_DESCRIPTOR_EX") {
            all.extend(table(&unit.tokens[index + 1..]).unwrap_or_default());
        }
    }
    all
}

/// `Name[] = { { ... }, { ... } };` behind the type.
fn table(tokens: &[Token<'_>]) -> Option<Vec<(String, PinUse)>> {
    let equals = tokens.iter().take(32).position(|token| token.is("="))?;
    let is_array = tokens[..equals].iter().any(|token| token.is("["));
    let name: String = tokens[..equals]
        .iter()
        .take_while(|token| !token.is("["))
        .filter(|token| token.identifier() != Some("const"))
        .map(|token| token.text.as_ref())
        .collect();
    let value = tokens.get(equals + 1..)?;
    let length = crate::extent::parenthesised_length(value);
    let inner = value.get(1..length.checked_sub(1)?).filter(|_| value[0].is("{"))?;
    let rows = if is_array { split(inner) } else { vec![inner.to_vec()] };
    let mut pins = Vec::new();
    for (pin, row) in rows.iter().filter(|row| !row.is_empty()).enumerate() {
        let says = |word: &str| row.iter().any(|token| token.identifier() == Some(word));
        let flow = match (says("KSPIN_DATAFLOW_IN"), says("KSPIN_DATAFLOW_OUT")) {
            (true, false) => Some(Flow::In),
            (false, true) => Some(Flow::Out),
            _ => None,
        };
        let dispatch_level = says("KSPIN_FLAG_DISPATCH_LEVEL_PROCESSING");
        for (index, token) in row.iter().enumerate() {
            if let Some(word) = token.identifier()
                && !row.get(index + 1).is_some_and(|next| next.is("::"))
            {
                let used = PinUse { table: name.clone(), pin, flow, dispatch_level, place: token.place };
                pins.push((word.to_owned(), used));
            }
        }
    }
    Some(pins)
}

/// Where a pin's framing is made editable or edited: `KsEdit(Pin, &Pin->Descriptor->AllocatorFraming, ...)` and its
/// kin, and what writes through `->AllocatorFraming`.
pub(crate) fn edits(unit: &Unit<'_>) -> Vec<Place> {
    let mut all = Vec::new();
    for (index, token) in unit.tokens.iter().enumerate() {
        let is_edit = matches!(token.identifier(), Some("KsEdit" | "_KsEdit" | "KsEditSized" | "_KsEditSized"));
        if is_edit && unit.tokens.get(index + 1).is_some_and(|next| next.is("(")) {
            let length = crate::extent::parenthesised_length(&unit.tokens[index + 1..]);
            let arguments = unit.tokens.get(index + 1..index + 1 + length).unwrap_or(&[]);
            if arguments.iter().any(|token| token.text.contains("AllocatorFraming")) {
                all.push(token.place);
            }
        }
    }
    all
}
