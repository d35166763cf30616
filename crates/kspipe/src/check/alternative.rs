//! One alternative of a framing, whichever structure it is written in.

use super::{DeclaredFraming, Member, Structure};
use crate::finding::{Code, Finding, Subject};
use crate::graph::oddity::{self, Oddity};
use ks::{
    AlignmentMask, AllocatorFlags, FramingFlags, Guid, KSMEMORY_TYPE_DEVICE_UNKNOWN, KSMEMORY_TYPE_KERNEL_NONPAGED,
    KSMEMORY_TYPE_KERNEL_PAGED, PoolType, RequirementFlags,
};

/// A framing under check, with its name and what was found so far.
#[derive(Debug)]
pub(super) struct Subjected<'a> {
    pub(super) name: &'a str,
    pub(super) framing: &'a DeclaredFraming,
    pub(super) found: Vec<Finding>,
}

/// One alternative: an item, or the old structure as a whole.
#[derive(Clone, Copy, Debug)]
pub(super) struct Alternative<'a> {
    pub(super) framing: &'a DeclaredFraming,
    pub(super) item: Option<usize>,
}

/// A range of which not all need be known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Range {
    pub(super) min: Option<u32>,
    pub(super) max: Option<u32>,
    pub(super) step: Option<u32>,
    /// Its members: minimum, maximum, stepping.
    pub(super) members: [Member; 3],
}

impl<'a> Subjected<'a> {
    /// The alternatives there are, in order.
    pub(super) fn alternatives(&self) -> Vec<Alternative<'a>> {
        let framing = self.framing;
        match framing.structure() {
            Structure::Old => vec![Alternative { framing, item: None }],
            Structure::Extended => (0..framing.items()).map(|item| Alternative { framing, item: Some(item) }).collect(),
        }
    }

    /// Something about a member.
    pub(super) fn find(
        &mut self,
        code: &'static Code,
        (item, member): (Option<usize>, Member),
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.find_fixed(code, (item, member), message, help, None);
    }

    /// The same, where another value of the member does away with it.
    pub(super) fn find_fixed(
        &mut self,
        code: &'static Code,
        (item, member): (Option<usize>, Member),
        message: impl Into<String>,
        help: impl Into<String>,
        value: Option<u64>,
    ) {
        let subject = Subject { pin: Some(self.name.to_owned()), item, member: Some(member.name()) };
        let finding = Finding::new(code, subject, message, help);
        self.found.push(match value {
            Some(value) => finding.fixed_by(value),
            None => finding,
        });
    }

    /// What is odd about a member's value by itself.
    pub(super) fn odd(&mut self, place: (Option<usize>, Member), oddity: Option<Oddity>, value: Option<u64>) {
        if let Some(Oddity { code, message, help }) = oddity {
            let held = self.framing.get(place.0, place.1).unwrap_or_default();
            self.find_fixed(code, place, format!("{held:#x}: {message}"), help, value);
        }
    }
}

impl Alternative<'_> {
    pub(super) fn get(&self, member: Member) -> Option<u32> {
        self.framing.get(self.item, member)
    }
    pub(super) fn at(&self, member: Member) -> (Option<usize>, Member) {
        (self.item, member)
    }
    pub(super) fn is_old(&self) -> bool {
        self.framing.structure() == Structure::Old
    }
    /// The member with the requirements.
    pub(super) fn flags_member(&self) -> Member {
        if self.is_old() { Member::RequirementsFlags } else { Member::Flags }
    }
    /// The member with the size the pin needs.
    pub(super) fn capacity_member(&self) -> Member {
        if self.is_old() { Member::FrameSize } else { Member::FramingMin }
    }
    pub(super) fn requirements(&self) -> Option<RequirementFlags> {
        let flags = self.get(self.flags_member())?;
        if self.is_old() {
            return Some(RequirementFlags::from_bits_retain(flags));
        }
        let in_memory_flags = self.get(Member::MemoryFlags).unwrap_or_default();
        let must = RequirementFlags::from_bits_retain(in_memory_flags) & RequirementFlags::MUST_ALLOCATE;
        Some(FramingFlags(flags).requirements() | must)
    }
    pub(super) fn has(&self, requirement: RequirementFlags) -> Option<bool> {
        Some(self.requirements()?.contains(requirement))
    }
    pub(super) fn is_preference(&self) -> Option<bool> {
        self.has(RequirementFlags::PREFERENCES_ONLY)
    }
    /// `KSALLOCATOR_FLAG_*`; the old structure has none.
    pub(super) fn flags(&self) -> Option<AllocatorFlags> {
        if self.is_old() {
            return Some(AllocatorFlags::empty());
        }
        Some(FramingFlags(self.get(Member::Flags)?).allocator())
    }
    pub(super) fn memory(&self) -> Option<Guid> {
        let Some(item) = self.item else {
            if !self.has(RequirementFlags::SYSTEM_MEMORY)? {
                return Some(KSMEMORY_TYPE_DEVICE_UNKNOWN);
            }
            let paged = oddity::is_paged(PoolType(self.get(Member::PoolType)?));
            return Some(if paged { KSMEMORY_TYPE_KERNEL_PAGED } else { KSMEMORY_TYPE_KERNEL_NONPAGED });
        };
        self.framing.guid(item, Member::MemoryType)
    }
    pub(super) fn bus(&self) -> Option<Guid> {
        self.item.map_or(Some(Guid::NULL), |item| self.framing.guid(item, Member::BusType))
    }
    pub(super) fn frames(&self) -> Option<u32> {
        self.get(Member::Frames)
    }
    /// The mask; `None` also where the member is, or may be, a pitch.
    pub(super) fn mask(&self) -> Option<AlignmentMask> {
        if self.flags()?.contains(AllocatorFlags::TWO_D_BUFFER_REQUIRED) {
            return None;
        }
        self.get(Member::FileAlignment).map(AlignmentMask)
    }
    /// Bytes, 1 where the member is a pitch.
    pub(super) fn alignment(&self) -> Option<u64> {
        if self.flags()?.contains(AllocatorFlags::TWO_D_BUFFER_REQUIRED) {
            return Some(1);
        }
        self.mask().map(oddity::alignment_bytes)
    }
    /// `PhysicalRange`; the old structure leaves it open.
    pub(super) fn physical(&self) -> Range {
        let members = [Member::PhysicalMin, Member::PhysicalMax, Member::PhysicalStepping];
        if self.is_old() {
            return Range { min: Some(0), max: Some(u32::MAX), step: Some(1), members };
        }
        self.range(members)
    }
    /// `FramingRange`; the old structure has one size.
    pub(super) fn optimal(&self) -> Range {
        let members = [Member::FramingMin, Member::FramingMax, Member::FramingStepping];
        if self.is_old() {
            let size = self.get(Member::FrameSize);
            return Range { min: size, max: size, step: Some(1), members };
        }
        self.range(members)
    }
    /// The bytes the pin needs in a frame; 0 asks nothing.
    pub(super) fn capacity(&self) -> Option<u32> {
        self.get(self.capacity_member())
    }
    fn range(&self, members: [Member; 3]) -> Range {
        let [min, max, step] = members.map(|member| self.get(member));
        Range { min, max, step, members }
    }
}
