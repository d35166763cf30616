//! Graphs written as graph files, in any order.

use super::rebuilt::{Parts, Says};
use ks::{
    AllocatorFlags, Guid, KSMEMORY_TYPE_DEVICE_UNKNOWN, KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_KERNEL_PAGED,
    KSMEMORY_TYPE_SYSTEM, KSMEMORY_TYPE_USER, KSMEMORY_TYPE_WILDCARD, RequirementFlags,
};
use kspipe::graph::file::GraphFile;
use kspipe::graph::{Bridges, Direction, FrameRange, FramingItem, Graph};
use std::fmt::Write;
use std::path::Path;

/// A row of numbers that look random, the same for the same seed.
pub(crate) struct Shuffle(pub(crate) u64);

impl Shuffle {
    fn next(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn shuffle<T>(&mut self, things: &mut [T]) {
        for end in (1..things.len()).rev() {
            things.swap(end, (self.next() % (end as u64 + 1)) as usize);
        }
    }
}

/// The same parts, as far as a graph file can say them.
pub(crate) fn expressible(parts: &Parts) -> Parts {
    let mut parts = parts.clone();
    for pin in &mut parts.pins {
        pin.mode = pin.filter_mode;
        pin.old = false;
        pin.media_size = pin.media_size.map(|bytes| bytes.min(i64::MAX as u64));
        for item in &mut pin.items {
            item.alignment = item.alignment.min(1 << 32);
            if !item.is_preference() {
                item.physical.max = item.physical.max.max(1);
            }
        }
    }
    parts
}

/// The graph that a file reads as.
pub(crate) fn read(text: &str) -> Graph {
    match GraphFile::parse("graph.toml", text, Path::new("/nonexistent")) {
        Ok(file) => file.graph,
        Err(errors) => panic!("the file says what a graph says:\n{text}\n{errors}"),
    }
}

/// The same in another order, but for the items of a pin, which have their numbers.
pub(crate) fn shuffled(parts: &Parts, seed: u64) -> Parts {
    let mut parts = parts.clone();
    let mut shuffle = Shuffle(seed);
    shuffle.shuffle(&mut parts.pins);
    shuffle.shuffle(&mut parts.connections);
    shuffle.shuffle(&mut parts.routes);
    shuffle.shuffle(&mut parts.devices);
    parts
}

/// The parts as a graph file, in the order in which they stand.
pub(crate) fn written(parts: &Parts) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "strategy = \"{}\"", parts.strategy);
    if parts.bridges == Bridges::Forbid {
        let _ = writeln!(text, "bridges = \"forbid\"");
    }
    let connections: Vec<String> = parts.connections.iter().map(|(from, to)| format!("\"{from} -> {to}\"")).collect();
    let _ = writeln!(text, "connections = [{}]", connections.join(", "));
    let mut filters: Vec<&str> = Vec::new();
    for pin in &parts.pins {
        if !filters.contains(&pin.filter.as_str()) {
            filters.push(&pin.filter);
        }
    }
    for filter in filters {
        let pins = || parts.pins.iter().filter(|pin| pin.filter == filter);
        let mode = pins().next().map(|pin| pin.filter_mode).unwrap_or_default();
        let _ = writeln!(text, "[filter.{filter}]\nmode = \"{mode}\"");
        let routes = parts.routes.iter().filter(|(of, ..)| of == filter);
        let routes: Vec<String> = routes.map(|(_, from, to, kind)| format!("\"{from} -> {to} {kind}\"")).collect();
        let _ = writeln!(text, "routes = [{}]", routes.join(", "));
        for pin in pins() {
            write_pin(&mut text, pin);
        }
    }
    for (memory, device) in &parts.devices {
        let _ = writeln!(
            text,
            "[memory.\"{memory}\"]\nname = \"{}\"\nhost-mappable = {}\nuser-mappable = {}",
            device.name, device.host_mappable, device.user_mappable
        );
    }
    text
}

fn write_pin(text: &mut String, pin: &Says) {
    let direction = match pin.direction {
        Direction::In => "in",
        Direction::Out => "out",
    };
    let _ = writeln!(text, "[filter.{}.pin.{}]\ndirection = \"{direction}\"", pin.filter, pin.name);
    if !pin.items.is_empty() {
        let items: Vec<String> = pin.items.iter().map(item).collect();
        let _ = writeln!(text, "framing = [\n  {},\n]", items.join(",\n  "));
    }
    if pin.compression.is_stated() {
        let kspipe::graph::Compression { numerator, denominator, margin } = pin.compression;
        let _ = writeln!(
            text,
            "compression = {{ numerator = {numerator}, denominator = {denominator}, margin = {margin} }}"
        );
    }
    if let Some(holds) = pin.holds {
        let _ = writeln!(text, "holds = {holds}");
    }
    if let Some(bytes) = pin.media_size {
        let _ = writeln!(text, "media-size = {bytes}");
    }
}

fn item(item: &FramingItem) -> String {
    let range = |FrameRange { min, max, step }| format!("{{ min = {min}, max = {max}, step = {step} }}");
    let requirements = [
        (RequirementFlags::INPLACE_MODIFIER, "inplace-modifier"),
        (RequirementFlags::FRAME_INTEGRITY, "frame-integrity"),
        (RequirementFlags::MUST_ALLOCATE, "must-allocate"),
        (RequirementFlags::PREFERENCES_ONLY, "preferences-only"),
    ];
    let flags = [
        (AllocatorFlags::CAN_ALLOCATE, "can-allocate"),
        (AllocatorFlags::ALLOCATOR_EXISTS, "allocator-exists"),
        (AllocatorFlags::DEVICE_SPECIFIC, "device-specific"),
    ];
    let quoted = |words: Vec<&str>| words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
    let requirements = requirements.iter().filter(|(flag, _)| item.requirements.contains(*flag));
    let flags = flags.iter().filter(|(flag, _)| item.flags.contains(*flag));
    format!(
        "{{ memory = \"{}\", frames = {}, alignment = {}, physical = {}, optimal = {}, requirements = [{}], flags = [{}] }}",
        memory(item.memory),
        item.frames,
        item.alignment,
        range(item.physical),
        range(item.optimal),
        quoted(requirements.map(|(_, word)| *word).collect()),
        quoted(flags.map(|(_, word)| *word).collect()),
    )
}

fn memory(memory: Guid) -> String {
    let words = [
        (KSMEMORY_TYPE_WILDCARD, "wildcard"),
        (KSMEMORY_TYPE_SYSTEM, "system"),
        (KSMEMORY_TYPE_USER, "user"),
        (KSMEMORY_TYPE_KERNEL_PAGED, "kernel-paged"),
        (KSMEMORY_TYPE_KERNEL_NONPAGED, "kernel-nonpaged"),
        (KSMEMORY_TYPE_DEVICE_UNKNOWN, "device"),
    ];
    words.iter().find(|(known, _)| *known == memory).map_or_else(|| memory.to_string(), |(_, word)| (*word).to_owned())
}
