//! `KSALLOCATOR_REQUIREMENTF_*` and `KSALLOCATOR_FLAG_*`.

use crate::check::Circumstances;
use crate::check::alternative::Subjected;
use crate::finding::codes;
use crate::graph::Direction;
use ks::{AllocatorFlags, RequirementFlags};

/// KS067: bits ks.h does not name.
pub(super) fn unknown(subject: &mut Subjected<'_>, _: &Circumstances) {
    for item in subject.alternatives() {
        let member = item.flags_member();
        let Some(flags) = item.get(member) else { continue };
        // `all()` has the bits that ks.h does not name too.
        let requirements = RequirementFlags::from_bits_retain(flags).iter_names().map(|(_, named)| named.bits());
        let mut unknown = requirements.fold(flags, |rest, named| rest & !named);
        if !item.is_old() {
            let flags = AllocatorFlags::from_bits_retain(flags).iter_names().map(|(_, named)| named.bits());
            unknown = flags.fold(unknown, |rest, named| rest & !named);
        }
        if unknown != 0 {
            subject.find_fixed(
                &codes::UNKNOWN_FLAGS,
                item.at(member),
                format!("{unknown:#x} of {flags:#x} has no name in ks.h and no effect"),
                "use KSALLOCATOR_REQUIREMENTF_* and KSALLOCATOR_FLAG_* only",
                None,
            );
        }
    }
}

/// What a proxy says of pipes. ALLOCATOR_EXISTS is read at pins too.
const OF_PIPES: AllocatorFlags = AllocatorFlags::NO_FRAME_INTEGRITY
    .union(AllocatorFlags::MULTIPLE_OUTPUT)
    .union(AllocatorFlags::CYCLE)
    .union(AllocatorFlags::INDEPENDENT_RANGES)
    .union(AllocatorFlags::ATTENTION_STEPPING);

/// KS068: flags of pipes at a pin.
pub(super) fn of_pipes(subject: &mut Subjected<'_>, _: &Circumstances) {
    for item in subject.alternatives() {
        let set = item.flags().unwrap_or(AllocatorFlags::empty()) & OF_PIPES;
        if !set.is_empty() {
            subject.find(
                &codes::PIPE_FLAGS,
                item.at(item.flags_member()),
                format!("{set:?} says something of a pipe, which a pin does not know"),
                "leave it out",
            );
        }
    }
}

/// KS053: MUST_ALLOCATE as a wish.
pub(super) fn must_allocate_preferred(subject: &mut Subjected<'_>, _: &Circumstances) {
    for item in subject.alternatives() {
        if item.has(RequirementFlags::MUST_ALLOCATE.union(RequirementFlags::PREFERENCES_ONLY)) == Some(true) {
            subject.find(
                &codes::MUST_ALLOCATE_PREFERRED,
                item.at(item.flags_member()),
                "PREFERENCES_ONLY makes MUST_ALLOCATE a wish: another allocator may be chosen",
                "clear PREFERENCES_ONLY if nobody else may allocate, else MUST_ALLOCATE",
            );
        }
    }
}

/// KS063: INPLACE_MODIFIER at an out pin.
pub(super) fn in_place_at_source(subject: &mut Subjected<'_>, circumstances: &Circumstances) {
    if circumstances.direction != Some(Direction::Out) {
        return;
    }
    for item in subject.alternatives() {
        if item.has(RequirementFlags::INPLACE_MODIFIER) == Some(true) {
            subject.find(
                &codes::IN_PLACE_AT_SOURCE,
                item.at(item.flags_member()),
                "INPLACE_MODIFIER is read at in pins; at this out pin it has no effect",
                "set it at the in pin of a filter that modifies in place",
            );
        }
    }
}

/// KS064: an item that writes into frames and asks that nobody does.
pub(super) fn integrity_and_writer(subject: &mut Subjected<'_>, circumstances: &Circumstances) {
    // At an out pin INPLACE_MODIFIER has no effect, and is found as that.
    if circumstances.direction == Some(Direction::Out) {
        return;
    }
    for item in subject.alternatives() {
        if item.has(RequirementFlags::INPLACE_MODIFIER.union(RequirementFlags::FRAME_INTEGRITY)) == Some(true) {
            subject.find(
                &codes::INTEGRITY_AND_WRITER,
                item.at(item.flags_member()),
                "INPLACE_MODIFIER says that frames are modified here, FRAME_INTEGRITY asks that they are not from here on",
                "clear the one that is not meant",
            );
        }
    }
}
