//! `pin.NAME` of a filter.

use super::blob;
use super::draft::{At, Memories, PinDraft};
use super::item::{self, PinName};
use super::keys;
use super::reader::{Problem, Reader, Text, Value};
use crate::finding::codes;
use crate::graph::{Compression, Direction, Framing};
use std::path::Path;

/// Reads a pin. What cannot be read is reported, and asks nothing.
pub(super) fn read<'d>(
    reader: &mut Reader<'d>,
    memories: &Memories<'d>,
    base: &Path,
    filter: &'d str,
    name: Text<'d>,
    value: &'d Value<'d>,
) -> PinDraft {
    reader.check_name(name, "pin");
    let mut pin = PinDraft {
        key: name.span,
        direction: None,
        framing: Framing::None,
        items: Vec::new(),
        compression: None,
        holds: None,
        media_size: None,
    };
    let Some(fields) = reader.table(value, &keys::PIN, "a pin") else { return pin };
    let full_name = (filter, name.text);
    match fields.get("direction") {
        Some(value) => pin.direction = reader.word(value, "direction", &keys::DIRECTIONS),
        None => reader.report(|| {
            Problem::new(
                name.span,
                "a pin without a `direction`",
                "expected `direction = \"in\"` or \"out\" in this pin",
            )
        }),
    }
    if let Some(value) = fields.get("framing") {
        framing(reader, memories, full_name, value, &mut pin);
    }
    match (fields.entry("framing-blob"), fields.entry("framing")) {
        (Some((blob, _)), Some((framing, _))) => reader.report(|| {
            Problem::new(blob, "a pin has `framing` or `framing-blob`, not both", "leave one out")
                .note(framing, "the other")
        }),
        (Some((_, value)), None) => blob::read(reader, base, full_name, value, &mut pin),
        (None, _) => {}
    }
    if let Some((key, value)) = fields.entry("compression") {
        if let Some(of_blob) = &pin.compression {
            let Compression { numerator, denominator, margin } = of_blob.value;
            let blob = of_blob.span;
            reader.report(|| {
                Problem::new(key, "the framing blob states the compression itself", "leave it out")
                    .note(blob, format!("it says {numerator}/{denominator}, margin {margin}"))
            });
        }
        pin.compression = compression(reader, value).map(|value| At { value, span: key });
        if pin.direction == Some(Direction::In) && pin.compression.as_ref().is_some_and(|at| at.value.is_stated()) {
            let message = "a compression on an in pin has no effect: it says how sizes change on the way to an out pin";
            reader.finding(
                &codes::IDLE_COMPRESSION,
                item::subject(full_name).member("OutputCompression.RatioNumerator"),
                key,
                message,
                "state it on the filter's out pin",
            );
        }
    }
    if let Some((_, value)) = fields.entry("holds") {
        let frames = reader.u32(value, "`holds`", "frames", 0);
        pin.holds = frames.map(|frames| At { value: frames, span: value.span().into() });
    }
    if let Some((_, value)) = fields.entry("media-size") {
        let bytes = reader.integer(value, "`media-size`", "bytes", 1, i64::MAX);
        let bytes = bytes.and_then(|bytes| u64::try_from(bytes).ok());
        pin.media_size = bytes.map(|bytes| At { value: bytes, span: value.span().into() });
    }
    pin
}

fn framing<'d>(
    reader: &mut Reader<'d>,
    memories: &Memories<'d>,
    name: PinName<'d>,
    value: &'d Value<'d>,
    pin: &mut PinDraft,
) {
    let mut items = Vec::new();
    for value in reader.array(value, "`framing`", "a list of items: [{ ... }]").into_iter().flatten() {
        if let Some(item) = item::read(reader, memories, name, items.len(), value) {
            items.push(item);
            pin.items.push(value.span().into());
        }
    }
    if !items.is_empty() {
        pin.framing = Framing::Extended(items);
    }
}

fn compression<'d>(reader: &mut Reader<'d>, value: &'d Value<'d>) -> Option<Compression> {
    let fields = reader.table(value, &keys::COMPRESSION, "`compression`")?;
    let mut part = |name: &str, unit: &str, least: u32, otherwise: u32| match fields.get(name) {
        Some(value) => reader.u32(value, &format!("`{name}`"), unit, least),
        None => Some(otherwise),
    };
    let numerator = part("numerator", "it multiplies the size", 1, 1);
    let denominator = part("denominator", "it divides the size", 1, 1);
    let margin = part("margin", "bytes", 0, 0);
    Some(Compression { numerator: numerator?, denominator: denominator?, margin: margin? })
}
