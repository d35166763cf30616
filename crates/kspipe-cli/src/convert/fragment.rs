//! A framing as a fragment of a graph file: the keys `framing` and `compression` of a pin.

use ks::{FramingBlob, Guid};
use kspipe::graph::file::{GraphFile, keys};
use kspipe::graph::{BlobFraming, Compression, FrameRange, Framing, FramingItem};
use std::fmt::Write;
use std::path::Path;

/// The keys, with a line that says where they come from.
pub(super) fn write(name: &str, framing: &FramingBlob<'_>) -> String {
    let read = BlobFraming::from(framing);
    let origin = match framing {
        FramingBlob::Old(_) => "KSALLOCATOR_FRAMING; back: kspipe convert --structure old",
        FramingBlob::Extended(_) => "KSALLOCATOR_FRAMING_EX",
    };
    let name: String = name.chars().filter(|character| !character.is_control()).collect();
    let mut text = format!("# {name}: {origin}\nframing = [\n");
    for item in read.framing.items() {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {{ {} }},", keys_of(item).join(", "));
    }
    text.push_str("]\n");
    let Compression { numerator, denominator, margin } = read.compression;
    if read.compression.is_stated() {
        let _ = writeln!(
            text,
            "compression = {{ numerator = {numerator}, denominator = {denominator}, margin = {margin} }}"
        );
    }
    text
}

fn keys_of(item: &FramingItem) -> Vec<String> {
    let mut keys = Vec::new();
    let memory = keys::MEMORY_NAMES.iter().find(|(_, known)| *known == item.memory);
    keys.push(match memory {
        Some((name, _)) => format!("memory = \"{name}\""),
        None => format!("memory = \"{}\"", item.memory),
    });
    if item.bus != Guid::NULL {
        keys.push(format!("bus = \"{}\"", item.bus));
    }
    if item.frames > 0 {
        keys.push(format!("frames = {}", item.frames));
    }
    match item.pitch {
        Some(pitch) => keys.push(format!("pitch = {pitch}")),
        None if item.alignment > 1 => keys.push(format!("alignment = {}", item.alignment)),
        None => {}
    }
    for (key, range) in [("physical", item.physical), ("optimal", item.optimal)] {
        if range != FrameRange::OPEN {
            keys.push(format!("{key} = {}", range_of(range)));
        }
    }
    if item.weight > 0 {
        keys.push(format!("weight = {}", item.weight));
    }
    let words = |names: Vec<&str>| names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    let requirements: Vec<&str> = keys::REQUIREMENTS
        .iter()
        .filter(|(_, flag)| item.requirements.contains(*flag))
        .map(|(name, _)| *name)
        .collect();
    if !requirements.is_empty() {
        keys.push(format!("requirements = [{}]", words(requirements)));
    }
    let flags: Vec<&str> =
        keys::FLAGS.iter().filter(|(_, flag)| item.flags.contains(*flag)).map(|(name, _)| *name).collect();
    if !flags.is_empty() {
        keys.push(format!("flags = [{}]", words(flags)));
    }
    keys
}

fn range_of(range: FrameRange) -> String {
    let mut parts = Vec::new();
    if range.min != FrameRange::OPEN.min {
        parts.push(format!("min = {}", range.min));
    }
    if range.max != FrameRange::OPEN.max {
        parts.push(format!("max = {}", range.max));
    }
    if range.step != FrameRange::OPEN.step {
        parts.push(format!("step = {}", range.step));
    }
    format!("{{ {} }}", parts.join(", "))
}

/// What makes a graph of a fragment.
const AROUND: &str = "[filter.framing.pin.framing]\ndirection = \"out\"\n";

/// Whether a text is a fragment, and not a graph: its first key is one of a pin's.
pub(super) fn is_fragment(text: &str) -> bool {
    let first = text.lines().map(str::trim_start).find(|line| !line.is_empty() && !line.starts_with('#'));
    first.is_some_and(|line| ["framing", "compression"].iter().any(|key| line.starts_with(key)))
}

/// The framing of a fragment; the error is in words, with its lines.
pub(super) fn read(name: &str, text: &str) -> Result<(Framing, Compression), String> {
    let file = GraphFile::parse(name, &format!("{AROUND}{text}"), Path::new("")).map_err(|errors| {
        let messages = errors.iter().map(|error| match error.position() {
            Some((line, column)) => {
                format!("{name}:{}:{column}: {}", line.saturating_sub(AROUND.lines().count()).max(1), error.message())
            }
            None => error.message().to_owned(),
        });
        messages.collect::<Vec<_>>().join("\n")
    })?;
    let pin = file.graph.pins().first().ok_or("there is no framing in it")?;
    Ok((pin.framing().clone(), pin.compression()))
}
