//! What things are called in a plan's text and JSON: the header's names in lower case with dashes.

use super::words::PipeFactors;
use crate::graph::Graph;
use ks::{
    AllocatorFlags, Guid, KSMEMORY_TYPE_DEVICE_UNKNOWN, KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_KERNEL_PAGED,
    KSMEMORY_TYPE_SYSTEM, KSMEMORY_TYPE_USER, KSMEMORY_TYPE_WILDCARD, RequirementFlags,
};

/// The memory types every graph knows, with the names the graph file uses.
const MEMORY_TYPES: [(Guid, &str); 6] = [
    (KSMEMORY_TYPE_WILDCARD, "wildcard"),
    (KSMEMORY_TYPE_SYSTEM, "system"),
    (KSMEMORY_TYPE_USER, "user"),
    (KSMEMORY_TYPE_KERNEL_PAGED, "kernel-paged"),
    (KSMEMORY_TYPE_KERNEL_NONPAGED, "kernel-nonpaged"),
    (KSMEMORY_TYPE_DEVICE_UNKNOWN, "device"),
];

const REQUIREMENTS: [(RequirementFlags, &str); 6] = [
    (RequirementFlags::INPLACE_MODIFIER, "inplace-modifier"),
    (RequirementFlags::SYSTEM_MEMORY, "system-memory"),
    (RequirementFlags::FRAME_INTEGRITY, "frame-integrity"),
    (RequirementFlags::MUST_ALLOCATE, "must-allocate"),
    (RequirementFlags::SYSTEM_MEMORY_CUSTOM_ALLOCATION, "system-memory-custom-allocation"),
    (RequirementFlags::PREFERENCES_ONLY, "preferences-only"),
];

const FLAGS: [(AllocatorFlags, &str); 12] = [
    (AllocatorFlags::PARTIAL_READ_SUPPORT, "partial-read-support"),
    (AllocatorFlags::DEVICE_SPECIFIC, "device-specific"),
    (AllocatorFlags::CAN_ALLOCATE, "can-allocate"),
    (AllocatorFlags::INSIST_ON_FRAMESIZE_RATIO, "insist-on-framesize-ratio"),
    (AllocatorFlags::NO_FRAME_INTEGRITY, "no-frame-integrity"),
    (AllocatorFlags::MULTIPLE_OUTPUT, "multiple-output"),
    (AllocatorFlags::CYCLE, "cycle"),
    (AllocatorFlags::ALLOCATOR_EXISTS, "allocator-exists"),
    (AllocatorFlags::INDEPENDENT_RANGES, "independent-ranges"),
    (AllocatorFlags::ATTENTION_STEPPING, "attention-stepping"),
    (AllocatorFlags::ENABLE_CACHED_MDL, "enable-cached-mdl"),
    (AllocatorFlags::TWO_D_BUFFER_REQUIRED, "2d-buffer-required"),
];

const FACTORS: [(PipeFactors, &str); 12] = [
    (PipeFactors::USER_MODE_UPSTREAM, "user-mode-upstream"),
    (PipeFactors::USER_MODE_DOWNSTREAM, "user-mode-downstream"),
    (PipeFactors::MEMORY_TYPES, "memory-types"),
    (PipeFactors::FLAGS, "flags"),
    (PipeFactors::PHYSICAL_RANGES, "physical-ranges"),
    (PipeFactors::OPTIMAL_RANGES, "optimal-ranges"),
    (PipeFactors::FIXED_COMPRESSION, "fixed-compression"),
    (PipeFactors::UNKNOWN_COMPRESSION, "unknown-compression"),
    (PipeFactors::BUFFERS, "buffers"),
    (PipeFactors::ALIGN, "align"),
    (PipeFactors::PHYSICAL_END, "physical-end"),
    (PipeFactors::LOGICAL_END, "logical-end"),
];

/// A memory type's name: as the graph file spells it, the name a device's memory was declared under, or the GUID.
pub fn memory_name(graph: &Graph, memory_type: Guid) -> String {
    if let Some((_, name)) = MEMORY_TYPES.iter().find(|(guid, _)| *guid == memory_type) {
        return (*name).to_owned();
    }
    match graph.device_memory(memory_type) {
        Some(memory) if !memory.name.is_empty() => memory.name.clone(),
        _ => memory_type.to_string(),
    }
}

/// Whether a memory type means the same in every graph.
pub(super) fn is_well_known(memory_type: Guid) -> bool {
    MEMORY_TYPES.iter().any(|(guid, _)| *guid == memory_type)
}

/// The names of the bits of `word` that `table` knows, in the order of their values, and what is left over as one
/// hexadecimal number.
fn names<'a>(word: u32, table: impl Iterator<Item = (u32, &'a str)>) -> Vec<String> {
    let mut left = word;
    let mut found = Vec::new();
    for (bits, name) in table {
        if word & bits == bits {
            left &= !bits;
            found.push(name.to_owned());
        }
    }
    if left != 0 {
        found.push(format!("{left:#010x}"));
    }
    found
}

/// The names of requirements.
pub(in crate::negotiate) fn requirement_names(requirements: RequirementFlags) -> Vec<String> {
    names(requirements.bits(), REQUIREMENTS.iter().map(|(flag, name)| (flag.bits(), *name)))
}

/// The names of flags.
pub(in crate::negotiate) fn flag_names(flags: AllocatorFlags) -> Vec<String> {
    names(flags.bits(), FLAGS.iter().map(|(flag, name)| (flag.bits(), *name)))
}

/// The names of factors.
pub(in crate::negotiate) fn factor_names(factors: PipeFactors) -> Vec<String> {
    names(factors.bits(), FACTORS.iter().map(|(factor, name)| (factor.bits(), *name)))
}

/// A number with a thin grouping a reader can count: `3 110 400`.
pub(in crate::negotiate) fn grouped(number: impl Into<u128>) -> String {
    let digits = number.into().to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3 + 1);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::DeviceMemory;

    #[test]
    fn every_bit_is_named_or_shown() {
        assert_eq!(requirement_names(RequirementFlags::MUST_ALLOCATE), ["must-allocate"]);
        assert_eq!(
            flag_names(AllocatorFlags::CAN_ALLOCATE | AllocatorFlags::from_bits_retain(0x0003_0000)),
            ["can-allocate", "0x00030000"]
        );
        assert_eq!(factor_names(PipeFactors::ALIGN | PipeFactors::FLAGS), ["flags", "align"]);
        assert!(factor_names(PipeFactors::NONE).is_empty());
    }

    #[test]
    fn a_declared_memory_type_has_its_name_and_another_its_guid() {
        let declared = Guid::from_u128(7);
        let mut graph = Graph::builder();
        let memory = DeviceMemory { name: "my-device".to_owned(), host_mappable: true, user_mappable: false };
        graph.memory(declared, memory);
        let graph = graph.build().unwrap();
        assert_eq!(memory_name(&graph, declared), "my-device");
        assert_eq!(memory_name(&graph, KSMEMORY_TYPE_USER), "user");
        assert_eq!(memory_name(&graph, Guid::from_u128(8)), "{00000000-0000-0000-0000-000000000008}");
    }

    #[test]
    fn digits_are_grouped_from_the_right() {
        for (number, text) in [(0u64, "0"), (999, "999"), (1000, "1 000"), (3_110_400, "3 110 400")] {
            assert_eq!(grouped(number), text);
        }
    }
}
