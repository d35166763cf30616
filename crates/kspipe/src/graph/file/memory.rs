//! `[memory."{GUID}"]`: the memory types of devices.

use super::draft::{At, Memories};
use super::keys;
use super::reader::{Problem, Reader, Text, Value, key_text};
use super::suggest::{excerpt, list, nearest};
use crate::graph::DeviceMemory;
use ks::Guid;

/// Reads every declared memory type.
pub(super) fn read<'d>(reader: &mut Reader<'d>, value: &'d Value<'d>) -> Memories<'d> {
    let mut memories = Memories::default();
    let expected = "tables named by a GUID: [memory.\"{XXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX}\"]";
    for (key, value) in reader.names(value, "`memory`", expected).into_iter().flatten() {
        declare(reader, &mut memories, key_text(key), value);
    }
    memories
}

fn declare<'d>(reader: &mut Reader<'d>, memories: &mut Memories<'d>, key: Text<'d>, value: &'d Value<'d>) {
    let memory_type = guid(reader, key);
    if let Some(memory_type) = memory_type {
        if let Some((name, _)) = keys::MEMORY_NAMES.iter().find(|(_, known)| *known == memory_type) {
            reader.report(|| {
                let message = format!("{memory_type} is Kernel Streaming's own memory type `{name}`");
                Problem::new(key.span, message, "expected a device's memory type")
                    .help(format!("say `memory = \"{name}\"` in an item; it needs no declaration"))
            });
        } else if let Some(first) = memories.by_type.get(&memory_type) {
            let first = first.span;
            reader.report(|| {
                Problem::new(key.span, format!("{memory_type} is declared twice"), "here again")
                    .note(first, "declared here")
            });
        }
    }
    let Some(fields) = reader.table(value, &keys::MEMORY, "a memory type") else { return };
    let mappable = |reader: &mut Reader<'d>, key| {
        fields.get(key).and_then(|value| reader.boolean(value, &format!("`{key}`"))).unwrap_or(false)
    };
    let host_mappable = mappable(reader, "host-mappable");
    let user_mappable = mappable(reader, "user-mappable");
    let Some(name) = fields.get("name") else {
        reader.report(|| {
            Problem::new(key.span, "a memory type without a `name`", "expected a `name` in this table")
                .help("for example: name = \"my-device\"")
        });
        return;
    };
    let Some(name) = reader.string(name, "`name`", "a name to use as `memory` of an item") else { return };
    reader.check_name(name, "memory type");
    let taken = keys::MEMORY_NAMES.iter().any(|(known, _)| *known == name.text) || name.text.parse::<Guid>().is_ok();
    if taken {
        reader.report(|| {
            Problem::new(name.span, format!("the name `{}` is taken", excerpt(name.text)), "expected another name")
        });
    }
    if let Some(first) = memories.by_name.get(name.text) {
        let first = first.span;
        reader.report(|| {
            let message = format!("two memory types have the name `{}`", excerpt(name.text));
            Problem::new(name.span, message, "here again").note(first, "the first")
        });
    }
    // The first of two with one name or type stays, and none takes the name of Kernel Streaming's.
    let Some(memory_type) = memory_type.filter(|_| !taken && !memories.by_name.contains_key(name.text)) else { return };
    let memory = DeviceMemory { name: name.text.to_owned(), host_mappable, user_mappable };
    memories.by_type.insert(memory_type, At { value: memory, span: key.span });
    memories.by_name.insert(name.text, At { value: memory_type, span: name.span });
}

fn guid(reader: &mut Reader<'_>, text: Text<'_>) -> Option<Guid> {
    let guid = text.text.parse().ok();
    if guid.is_none() {
        reader.report(|| {
            let message = format!("`{}` is not a GUID", excerpt(text.text));
            Problem::new(text.span, message, "expected {XXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX} in quotes")
        });
    }
    guid
}

/// The memory type an item names.
pub(super) fn of_item<'d>(reader: &mut Reader<'d>, memories: &Memories<'d>, value: &'d Value<'d>) -> Option<Guid> {
    let expected = "the name of a memory type, or a GUID";
    let text = reader.string(value, "`memory`", expected)?;
    let known = keys::MEMORY_NAMES.iter().find(|(name, _)| *name == text.text).map(|(_, memory_type)| *memory_type);
    if let Some(memory_type) = known.or_else(|| memories.by_name.get(text.text).map(|at| at.value)) {
        return Some(memory_type);
    }
    if let Ok(memory_type) = text.text.parse::<Guid>() {
        return Some(memory_type);
    }
    reader.report(|| {
        let declared = memories.by_name.keys().copied();
        let names: Vec<&str> = keys::MEMORY_NAMES.iter().map(|(name, _)| *name).chain(declared).take(20).collect();
        let problem = Problem::new(
            text.span,
            format!("unknown memory type `{}`", excerpt(text.text)),
            format!("expected {}, or a GUID", list(&names)),
        );
        let all = keys::MEMORY_NAMES.iter().map(|(name, _)| *name).chain(memories.by_name.keys().copied());
        match nearest(text.text, all) {
            Some(name) => problem.help(format!("did you mean `{name}`?")),
            None => problem.help("a device's memory type is declared: [memory.\"{GUID}\"] with its `name`"),
        }
    });
    None
}

/// The bus type an item names.
pub(super) fn bus(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Guid> {
    match value.get_ref().as_str() {
        Some(text) => guid(reader, Text { text, span: value.span().into() }),
        None => {
            reader.wrong_type(value, "`bus`", "the GUID of a bus type");
            None
        }
    }
}
