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

#[cfg(test)]
mod tests {
    use super::super::input::blob_of;
    use super::*;
    use crate::arguments::StructureName;
    use ks::{AllocatorFlags, RequirementFlags};
    use proptest::prelude::*;
    use zerocopy::IntoBytes;

    /// A mask of 1 to 2^32 bytes.
    fn mask() -> impl Strategy<Value = u32> {
        (0u32..=32).prop_map(|bits| u32::try_from((1u64 << bits) - 1).expect("it has 32 bits"))
    }

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    /// Flags that ks.h names.
    fn flags(named: &'static [(&'static str, u32)]) -> impl Strategy<Value = u32> {
        prop::collection::vec(prop::sample::select(named), 0..4)
            .prop_map(|flags| flags.into_iter().fold(0, |all, (_, flag)| all | flag))
    }

    const REQUIREMENTS: &[(&str, u32)] = &[
        ("inplace-modifier", RequirementFlags::INPLACE_MODIFIER.bits()),
        ("system-memory", RequirementFlags::SYSTEM_MEMORY.bits()),
        ("frame-integrity", RequirementFlags::FRAME_INTEGRITY.bits()),
        ("must-allocate", RequirementFlags::MUST_ALLOCATE.bits()),
        ("preferences-only", RequirementFlags::PREFERENCES_ONLY.bits()),
    ];
    const FLAGS: &[(&str, u32)] = &[
        ("can-allocate", AllocatorFlags::CAN_ALLOCATE.bits()),
        ("attention-stepping", AllocatorFlags::ATTENTION_STEPPING.bits()),
        ("2d-buffer-required", AllocatorFlags::TWO_D_BUFFER_REQUIRED.bits()),
        ("insist-on-framesize-ratio", AllocatorFlags::INSIST_ON_FRAMESIZE_RATIO.bits()),
    ];

    /// A range with a size in it: one that ends at 0 holds no frame, and is no framing of a graph.
    fn range() -> impl Strategy<Value = [u32; 3]> {
        (any::<u32>(), any::<u32>(), any::<u32>()).prop_map(|(a, b, step)| [a.min(b), a.max(b).max(1), step])
    }

    /// `KSALLOCATOR_FRAMING`, with nothing that ks.h does not name.
    fn old() -> impl Strategy<Value = Vec<u8>> {
        (flags(REQUIREMENTS), 0u32..=1, any::<u32>(), any::<u32>(), mask()).prop_map(
            |(flags, pool, frames, size, mask)| {
                // Of a pool that is not asked for nothing is kept.
                let pool = if flags & RequirementFlags::SYSTEM_MEMORY.bits() == 0 { 0 } else { pool };
                words(&[flags, pool, frames, size, mask, 0])
            },
        )
    }

    /// `KS_FRAMING_ITEM`, the same.
    fn item() -> impl Strategy<Value = Vec<u8>> {
        let known = keys::MEMORY_NAMES.iter().map(|(_, memory)| *memory).collect::<Vec<_>>();
        let guid = prop_oneof![prop::sample::select(known), any::<u128>().prop_map(Guid::from_u128)];
        let bus = prop_oneof![Just(Guid::NULL), any::<u128>().prop_map(Guid::from_u128)];
        let numbers = (flags(REQUIREMENTS), flags(FLAGS), any::<u32>(), mask(), any::<u32>(), any::<u32>());
        (guid, bus, numbers, range(), range()).prop_map(
            |(memory, bus, (requirements, flags, frames, mask, pitch, weight), physical, optimal)| {
                let is_pitch = flags & AllocatorFlags::TWO_D_BUFFER_REQUIRED.bits() != 0;
                let must_allocate = requirements & RequirementFlags::MUST_ALLOCATE.bits();
                let mut bytes = [memory.as_bytes(), bus.as_bytes()].concat();
                bytes.extend(words(&[
                    must_allocate,
                    0,
                    requirements | flags,
                    frames,
                    if is_pitch { pitch } else { mask },
                    weight,
                ]));
                bytes.extend(words(&physical));
                bytes.extend(words(&optimal));
                bytes.extend(words(&[0, 0]));
                bytes
            },
        )
    }

    fn extended() -> impl Strategy<Value = Vec<u8>> {
        let ratio = (1u32.., 1u32.., any::<u32>());
        (ratio, prop::collection::vec(item(), 1..4)).prop_map(|((numerator, denominator, margin), items)| {
            let count = u32::try_from(items.len()).expect("a few");
            let mut bytes = words(&[count, 0, numerator, denominator, margin, 0]);
            bytes.extend(items.concat());
            bytes
        })
    }

    proptest! {
        #[test]
        fn a_blob_comes_back_from_toml_byte_for_byte(bytes in prop_oneof![old(), extended()]) {
            let structure = if bytes.len() == 24 { StructureName::Old } else { StructureName::Extended };
            let text = write("pin", &FramingBlob::parse(&bytes).expect("it is a framing"));
            let (framing, compression) = read("pin.toml", &text).map_err(|why| TestCaseError::fail(format!("{why}\n{text}")))?;
            let back = blob_of(&framing, compression, structure).map_err(|why| TestCaseError::fail(format!("{why}\n{text}")))?;
            prop_assert_eq!(back, bytes, "{}", text);
        }
    }
}
