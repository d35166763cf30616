//! The framings of real drivers, from `corpus/framings.toml`, as a graph's framing items.

// Each test that uses this module uses a part of it.
#![allow(dead_code)]

use ks::{
    Guid, KSMEMORY_TYPE_DEVICE_UNKNOWN, KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_KERNEL_PAGED,
    KSMEMORY_TYPE_SYSTEM, KSMEMORY_TYPE_USER, KSMEMORY_TYPE_WILDCARD, RequirementFlags,
};
use kspipe::graph::{FrameRange, Framing, FramingItem};
use toml::Table;

/// What one pin of a driver answers.
#[derive(Clone, Debug)]
pub(crate) struct PinFraming {
    /// The pin's id in the file, and the size where the driver edits it when the pin is made.
    pub(crate) id: String,
    pub(crate) framing: Framing,
}

/// Every framing of the file, as declared; after each those its driver makes of it at run time.
pub(crate) fn framings() -> Vec<PinFraming> {
    let file: Table = include_str!("../../../../corpus/framings.toml").parse().expect("the corpus is TOML");
    let pins = file["pin"].as_array().expect("an array of pins");
    pins.iter().flat_map(|pin| variants(pin.as_table().expect("a table"))).collect()
}

/// The framing with this id: as declared, or `id/size` as edited at run time.
pub(crate) fn framing(id: &str) -> Framing {
    let all = framings();
    all.into_iter().find(|framing| framing.id == id).unwrap_or_else(|| panic!("no framing {id}")).framing
}

fn variants(pin: &Table) -> Vec<PinFraming> {
    let id = pin["id"].as_str().expect("an id");
    let declared = item(pin);
    let old = pin["struct"].as_str() == Some("KSALLOCATOR_FRAMING");
    let framing = |item: FramingItem| {
        if old { Framing::Old(Box::new(item)) } else { Framing::Extended(vec![item]) }
    };
    let mut variants = vec![PinFraming { id: id.to_owned(), framing: framing(declared.clone()) }];
    for size in pin.get("runtime_sizes").and_then(|sizes| sizes.as_array()).into_iter().flatten() {
        let bytes = u32::try_from(size.as_integer().expect("a size")).expect("a size of 32 bits");
        let exactly = FrameRange { min: bytes, max: bytes, step: 0 };
        let mut edited = FramingItem { optimal: exactly, ..declared.clone() };
        if !old {
            edited.physical = exactly;
        }
        if pin.contains_key("runtime_frames") {
            edited.frames = number(pin, "runtime_frames");
        }
        variants.push(PinFraming { id: format!("{id}/{bytes}"), framing: framing(edited) });
    }
    variants
}

/// The item a driver declares, in either structure.
fn item(pin: &Table) -> FramingItem {
    let requirements = flags(pin, "requirements");
    let common = FramingItem {
        frames: number(pin, "frames"),
        // A mask, the alignment minus 1; 0 asks nothing.
        alignment: u64::from(number(pin, "alignment")) + 1,
        requirements,
        optimal: FrameRange { min: number(pin, "min_frame_size"), max: number(pin, "max_frame_size"), step: 1 },
        ..FramingItem::default()
    };
    assert!(common.alignment.is_power_of_two(), "a mask of {} needs rounding", pin["id"]);
    if pin["struct"].as_str() == Some("KSALLOCATOR_FRAMING") {
        // The old structure: a pool where it asks for system memory, else the device memory of the sink; its one size is
        // what has to fit, and bounds nothing.
        let memory = match pin["pool_type"].as_str() {
            _ if !requirements.contains(RequirementFlags::SYSTEM_MEMORY) => KSMEMORY_TYPE_DEVICE_UNKNOWN,
            Some("PagedPool") => KSMEMORY_TYPE_KERNEL_PAGED,
            Some("NonPagedPool") => KSMEMORY_TYPE_KERNEL_NONPAGED,
            other => panic!("{} has the pool type {other:?}", pin["id"]),
        };
        return FramingItem { memory, ..common };
    }
    FramingItem {
        memory: memory(pin["memory_type"].as_str().expect("a memory type")),
        requirements: requirements | flags(pin, "memory_flags"),
        physical: range(pin, "physical_min", "physical_max", "physical_stepping"),
        optimal: range(pin, "min_frame_size", "max_frame_size", "stepping"),
        ..common
    }
}

fn number(pin: &Table, key: &str) -> u32 {
    let number = pin[key].as_integer().unwrap_or_else(|| panic!("{}: {key} is not a number", pin["id"]));
    u32::try_from(number).unwrap_or_else(|_| panic!("{}: {key} does not fit 32 bits", pin["id"]))
}

fn range(pin: &Table, min: &str, max: &str, step: &str) -> FrameRange {
    FrameRange { min: number(pin, min), max: number(pin, max), step: number(pin, step) }
}

fn flags(pin: &Table, key: &str) -> RequirementFlags {
    let names = pin[key].as_array().expect("a list of flags");
    let flag = |name: &toml::Value| {
        let name = name.as_str().expect("a flag's name");
        RequirementFlags::from_name(name).unwrap_or_else(|| panic!("{}: no flag {name}", pin["id"]))
    };
    names.iter().map(flag).collect()
}

fn memory(name: &str) -> Guid {
    match name {
        "wildcard" | "dont_care" => KSMEMORY_TYPE_WILDCARD,
        "system" => KSMEMORY_TYPE_SYSTEM,
        "user" => KSMEMORY_TYPE_USER,
        "kernel_paged" => KSMEMORY_TYPE_KERNEL_PAGED,
        "kernel_nonpaged" => KSMEMORY_TYPE_KERNEL_NONPAGED,
        "device" => KSMEMORY_TYPE_DEVICE_UNKNOWN,
        other => panic!("no memory type {other}"),
    }
}
