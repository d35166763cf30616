//! Memory types, pools, and from where frames are written.

use crate::check::alternative::Subjected;
use crate::check::{Circumstances, Member, Origin};
use crate::finding::codes;
use crate::graph::oddity;
use ks::{
    KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_KERNEL_PAGED, KSMEMORY_TYPE_SYSTEM, KSMEMORY_TYPE_USER,
    KSMEMORY_TYPE_WILDCARD, PoolType, RequirementFlags,
};

/// KS072: SYSTEM_MEMORY against the memory type or the pool.
pub(super) fn contradiction(subject: &mut Subjected<'_>, _: &Circumstances) {
    let in_graph = subject.framing.origin == Origin::Graph;
    for item in subject.alternatives() {
        let Some(system) = item.has(RequirementFlags::SYSTEM_MEMORY) else { continue };
        if item.is_old() {
            if !system && item.get(Member::PoolType).is_some_and(|pool| pool != PoolType::NON_PAGED_POOL.0) {
                subject.find(
                    &codes::MEMORY_CONTRADICTION,
                    item.at(Member::PoolType),
                    "a pool is named, and SYSTEM_MEMORY is clear, so it is not read",
                    "set KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY, or write 0",
                );
            }
            continue;
        }
        let Some(memory) = item.memory() else { continue };
        let host = [KSMEMORY_TYPE_SYSTEM, KSMEMORY_TYPE_KERNEL_PAGED, KSMEMORY_TYPE_KERNEL_NONPAGED].contains(&memory);
        let anywhere = [KSMEMORY_TYPE_WILDCARD, KSMEMORY_TYPE_USER].contains(&memory);
        // In a graph file the memory type says it, and the flag may be left out.
        if host && !system && !in_graph {
            subject.find(
                &codes::MEMORY_CONTRADICTION,
                item.at(Member::Flags),
                "host memory is asked for, and SYSTEM_MEMORY is clear, which asks for a device's",
                "set KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY",
            );
        } else if !host && !anywhere && system {
            subject.find(
                &codes::MEMORY_CONTRADICTION,
                item.at(Member::Flags),
                "a device's memory is asked for, and SYSTEM_MEMORY, which asks for the host's",
                "clear KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY, or name host memory",
            );
        }
    }
}

/// KS075: a pool that is neither paged nor nonpaged.
pub(super) fn pool_type(subject: &mut Subjected<'_>, _: &Circumstances) {
    for item in subject.alternatives().into_iter().filter(|item| item.is_old()) {
        if let (Some(true), Some(pool)) = (item.has(RequirementFlags::SYSTEM_MEMORY), item.get(Member::PoolType)) {
            subject.odd(item.at(Member::PoolType), oddity::pool_type(PoolType(pool)), None);
        }
    }
}

/// KS006: the old structure without SYSTEM_MEMORY.
pub(super) fn system_memory_clear(subject: &mut Subjected<'_>, _: &Circumstances) {
    for item in subject.alternatives().into_iter().filter(|item| item.is_old()) {
        if let Some(requirements) = item.requirements() {
            subject.odd(item.at(Member::RequirementsFlags), oddity::old_requirements(requirements), None);
        }
    }
}

/// KS051: nonpaged memory as a wish, and a writer that cannot wait for a page.
pub(super) fn paged_at_dispatch_level(subject: &mut Subjected<'_>, circumstances: &Circumstances) {
    if circumstances.writes_at_dispatch_level != Some(true) {
        return;
    }
    for item in subject.alternatives() {
        if item.is_preference() == Some(true) && item.memory() == Some(KSMEMORY_TYPE_KERNEL_NONPAGED) {
            subject.find(
                &codes::PAGED_AT_DISPATCH,
                item.at(item.flags_member()),
                "frames are touched at DISPATCH_LEVEL, and PREFERENCES_ONLY makes nonpaged memory a wish",
                "clear KSALLOCATOR_REQUIREMENTF_PREFERENCES_ONLY",
            );
        }
    }
}

/// KS074: requirements in the wrong word.
pub(super) fn memory_flags(subject: &mut Subjected<'_>, _: &Circumstances) {
    for item in subject.alternatives() {
        if let Some(flags) = item.get(Member::MemoryFlags) {
            let kept = u64::from(flags & RequirementFlags::MUST_ALLOCATE.bits());
            subject.odd(item.at(Member::MemoryFlags), oddity::memory_flags(flags), Some(kept));
        }
    }
}
