//! A framing as text and as JSON.

use super::members::{Member, Value, members, structure};
use ks::{FramingBlob, FramingBlobError};
use kspipe::graph::{BlobFinding, BlobFraming};
use serde_json::{Map, json};
use std::fmt::Write;

/// A table of members, with what each value means, and what in the framing is odd.
pub(super) fn text(name: &str, blob: &FramingBlob<'_>, offsets: bool) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{name}: {}, {} bytes", structure(blob), blob.byte_length());
    let mut item = None;
    for member in members(blob) {
        if member.item != item {
            item = member.item;
            if let Some(item) = item {
                let _ = writeln!(text, "  FramingItem[{item}]");
            }
        }
        let indent = if member.item.is_some() { "    " } else { "  " };
        let offset = if offsets { format!("{:#06x}  ", member.offset) } else { String::new() };
        let value = match member.value {
            Value::Number(number) => number.to_string(),
            Value::Bits(bits) => format!("{bits:#x}"),
            Value::Guid(guid) => guid.to_string(),
        };
        let width = 40 - indent.len();
        let line = format!("{indent}{offset}{:width$} {value:<10}  {}", member.name, member.meaning.join(" | "));
        let _ = writeln!(text, "{}", line.trim_end());
    }
    for finding in BlobFraming::from(blob).findings {
        let _ = writeln!(text, "  finding: {finding}; {}", finding.help);
    }
    text
}

/// The members nested as in the header; `names` says what flags, memory types and pools are called there.
pub(super) fn json(name: &str, blob: &FramingBlob<'_>, offsets: bool) -> serde_json::Value {
    let mut framing = Map::new();
    let mut names = Map::new();
    let mut places = Map::new();
    for member in members(blob) {
        let path = match member.item {
            Some(item) => format!("FramingItem[{item}].{}", member.name),
            None => member.name.to_owned(),
        };
        if !member.meaning.is_empty() {
            names.insert(path.clone(), json!(member.meaning));
        }
        if offsets {
            places.insert(path, json!(format!("{:#06x}", member.offset)));
        }
        place(&mut framing, &member);
    }
    let findings: Vec<_> = BlobFraming::from(blob).findings.iter().map(finding_json).collect();
    let mut document = json!({
        "file": name,
        "structure": structure(blob),
        "bytes": blob.byte_length(),
        "framing": framing,
        "names": names,
        "findings": findings,
    });
    if offsets {
        document["offsets"] = places.into();
    }
    document
}

fn finding_json(finding: &BlobFinding) -> serde_json::Value {
    json!({
        "code": finding.code.code,
        "item": finding.item,
        "member": finding.field,
        "value": finding.value,
        "message": finding.message,
        "help": finding.help,
    })
}

/// What is wrong with bytes that are no framing, and where.
pub(super) fn error_json(name: &str, error: &FramingBlobError) -> serde_json::Value {
    json!({ "file": name, "error": { "offset": error.offset(), "message": error.to_string() } })
}

/// Puts a member where the header has it.
fn place(framing: &mut Map<String, serde_json::Value>, member: &Member) {
    let value = match member.value {
        Value::Number(number) | Value::Bits(number) => json!(number),
        Value::Guid(guid) => json!(guid.to_string()),
    };
    let mut at = framing;
    if let Some(item) = member.item {
        let items = at.entry("FramingItem").or_insert_with(|| json!([]));
        let Some(items) = items.as_array_mut() else { return };
        if items.len() == item {
            items.push(json!({}));
        }
        let Some(object) = items.get_mut(item).and_then(serde_json::Value::as_object_mut) else { return };
        at = object;
    }
    let mut names = member.name.split('.').peekable();
    while let Some(name) = names.next() {
        if names.peek().is_none() {
            at.insert(name.to_owned(), value);
            return;
        }
        let Some(inner) = at.entry(name).or_insert_with(|| json!({})).as_object_mut() else { return };
        at = inner;
    }
}
