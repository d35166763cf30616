//! What things are called in a plan's text and JSON: the header's names without their prefix, in lower case with dashes.

use crate::graph::Graph;
use crate::negotiate::conflict;
use ks::{
    AllocatorFlags, Guid, KSMEMORY_TYPE_DEVICE_UNKNOWN, KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_KERNEL_PAGED,
    KSMEMORY_TYPE_SYSTEM, KSMEMORY_TYPE_USER, KSMEMORY_TYPE_WILDCARD, KsLogicalMemoryType, PipeFactors, PipeState,
    RequirementFlags,
};

/// A memory type's name: as the graph file spells it, the name a device's memory was declared under, or the GUID.
pub fn memory_name(graph: &Graph, memory_type: Guid) -> String {
    conflict::memory_name(graph, memory_type)
}

/// Whether a memory type means the same in every graph.
pub(super) fn is_well_known(memory_type: Guid) -> bool {
    matches!(
        memory_type,
        KSMEMORY_TYPE_WILDCARD
            | KSMEMORY_TYPE_SYSTEM
            | KSMEMORY_TYPE_USER
            | KSMEMORY_TYPE_KERNEL_PAGED
            | KSMEMORY_TYPE_KERNEL_NONPAGED
            | KSMEMORY_TYPE_DEVICE_UNKNOWN
    )
}

/// `MUST_ALLOCATE` and `UserModeUpstream` as `must-allocate` and `user-mode-upstream`.
fn dashed(name: &str) -> String {
    let camel = name.contains(|letter: char| letter.is_ascii_lowercase());
    let mut text = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if camel && letter.is_ascii_uppercase() && !text.is_empty() {
            text.push('-');
        }
        text.push(if letter == '_' { '-' } else { letter.to_ascii_lowercase() });
    }
    text
}

/// The names of the bits of `word` that `table` knows, in the order of their values, and what is left over as one
/// hexadecimal number.
fn names<'a>(word: u32, prefix: &str, table: impl Iterator<Item = (&'a str, u32)>) -> Vec<String> {
    let mut left = word;
    let mut found = Vec::new();
    for (name, bits) in table {
        if word & bits == bits {
            left &= !bits;
            found.push(dashed(name.strip_prefix(prefix).unwrap_or(name)));
        }
    }
    if left != 0 {
        found.push(format!("{left:#010x}"));
    }
    found
}

/// The names of requirements.
pub(in crate::negotiate) fn requirement_names(requirements: RequirementFlags) -> Vec<String> {
    let table = RequirementFlags::NAMES.iter().map(|(name, flag)| (*name, flag.bits()));
    names(requirements.bits(), "KSALLOCATOR_REQUIREMENTF_", table)
}

/// The names of flags.
pub(in crate::negotiate) fn flag_names(flags: AllocatorFlags) -> Vec<String> {
    names(flags.bits(), "KSALLOCATOR_FLAG_", AllocatorFlags::NAMES.iter().map(|(name, flag)| (*name, flag.bits())))
}

/// The names of factors.
pub(in crate::negotiate) fn factor_names(factors: PipeFactors) -> Vec<String> {
    names(factors.bits(), "PipeFactor_", PipeFactors::NAMES.iter().map(|(name, factor)| (*name, factor.bits())))
}

/// The name of a pipe's state.
pub(in crate::negotiate) fn state_name(state: PipeState) -> String {
    state.name().map_or_else(|| state.0.to_string(), |name| dashed(name.trim_start_matches("PipeState_")))
}

/// The name of a logical memory type. The pools are spelled as the graph file spells them, `kernel-nonpaged`.
pub(in crate::negotiate) fn logical_memory_name(memory: KsLogicalMemoryType) -> String {
    match memory {
        KsLogicalMemoryType::KERNEL_NON_PAGED => "kernel-nonpaged".to_owned(),
        other => {
            other.name().map_or_else(|| other.0.to_string(), |name| dashed(name.trim_start_matches("KS_MemoryType")))
        }
    }
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

/// A number of things: `1 byte`, `3 110 400 bytes`.
pub(in crate::negotiate) fn count(number: impl Into<u128>, noun: &str) -> String {
    let number = number.into();
    format!("{} {noun}{}", grouped(number), if number == 1 { "" } else { "s" })
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
        assert!(factor_names(PipeFactors::empty()).is_empty());
    }

    #[test]
    fn names_are_the_headers_in_lower_case_with_dashes() {
        let all = flag_names(AllocatorFlags::from_bits_retain(0xFFF0));
        assert_eq!(all.first().map(String::as_str), Some("partial-read-support"));
        assert_eq!(all.last().map(String::as_str), Some("2d-buffer-required"));
        assert_eq!(factor_names(PipeFactors::USER_MODE_UPSTREAM), ["user-mode-upstream"]);
        assert_eq!(state_name(PipeState::FINALIZED), "finalized");
        assert_eq!(logical_memory_name(KsLogicalMemoryType::DEVICE_HOST_MAPPED), "device-host-mapped");
        assert_eq!(logical_memory_name(KsLogicalMemoryType::KERNEL_NON_PAGED), "kernel-nonpaged");
        assert_eq!(logical_memory_name(KsLogicalMemoryType::USER), "user");
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
