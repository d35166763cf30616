//! The items of an extended framing among each other.

use crate::check::alternative::{Alternative, Subjected};
use crate::check::{Circumstances, Member, Origin};
use crate::finding::codes;
use ks::{Guid, RequirementFlags};

/// More alternatives than this no driver has; comparing each with each takes the square of their number.
const COMPARED: usize = 64;

/// KS069, KS070: an item that is another's twin, or asks for more than another.
pub(super) fn duplicate_or_dominated(subject: &mut Subjected<'_>, _: &Circumstances) {
    let items: Vec<(Alternative<'_>, Asked)> =
        subject.alternatives().into_iter().take(COMPARED).filter_map(|item| Some((item, Asked::of(&item)?))).collect();
    for (place, (item, asked)) in items.iter().enumerate() {
        let number = |item: &Alternative<'_>| item.item.unwrap_or_default();
        if let Some((twin, _)) = items[..place].iter().find(|(_, other)| other == asked) {
            subject.find(
                &codes::DUPLICATE_ITEM,
                item.at(Member::MemoryType),
                format!("it asks what FramingItem[{}] asks already", number(twin)),
                "leave it out, or change what was meant to differ",
            );
        } else if let Some((weaker, _)) =
            items.iter().find(|(_, other)| other != asked && other.is_served_by_all_of(asked))
        {
            subject.find(
                &codes::DOMINATED_ITEM,
                item.at(Member::MemoryType),
                format!("whatever serves it serves FramingItem[{}] too, which asks for less", number(weaker)),
                "leave it out: no plan needs it",
            );
        }
    }
}

/// What an item asks, all of it known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Asked {
    memory: Guid,
    bus: Guid,
    requirements: RequirementFlags,
    /// `KSALLOCATOR_FLAG_*`, and the pitch where the member is one.
    flags: u32,
    file_alignment: u32,
    alignment: u64,
    frames: u32,
    physical: (u32, u32, u32),
    optimal: (u32, u32, u32),
}

impl Asked {
    fn of(item: &Alternative<'_>) -> Option<Self> {
        let (physical, optimal) = (item.physical(), item.optimal());
        Some(Asked {
            memory: item.memory()?,
            bus: item.bus()?,
            requirements: item.requirements()?,
            flags: item.flags()?.bits(),
            file_alignment: item.get(Member::FileAlignment)?,
            alignment: item.alignment()?,
            frames: item.frames()?,
            physical: (physical.min?, physical.max?, physical.step?.max(1)),
            optimal: (optimal.min?, optimal.max?, optimal.step?.max(1)),
        })
    }

    /// Whether every frame that serves `other` serves this one, which offers the same.
    fn is_served_by_all_of(&self, other: &Asked) -> bool {
        let ((min, max, step), (other_min, other_max, other_step)) = (self.physical, other.physical);
        let on_the_steps = step == 1 || (other_step % step == 0 && other_min.wrapping_sub(min) % step == 0);
        let facts = RequirementFlags::PREFERENCES_ONLY | RequirementFlags::SYSTEM_MEMORY;
        let pitch = self.alignment == 1 && other.alignment == 1 && self.file_alignment != other.file_alignment;
        self.memory == other.memory
            && (self.bus == other.bus || self.bus == Guid::NULL)
            && self.requirements & facts == other.requirements & facts
            && other.requirements.contains(self.requirements)
            && self.flags == other.flags
            && !pitch
            && self.alignment <= other.alignment
            && self.frames <= other.frames
            && min <= other_min
            && max >= other_max
            && on_the_steps
            && self.optimal.0 <= other.optimal.0
            && self.optimal.1 >= other.optimal.1
    }
}

/// KS071: further items, which programs that speak to drivers do not read.
pub(super) fn unread(subject: &mut Subjected<'_>, _: &Circumstances) {
    let items = subject.framing.items();
    if items > 1 && subject.framing.origin != Origin::Graph {
        subject.find(
            &codes::FURTHER_ITEMS,
            (None, Member::CountItems),
            format!("public clients read FramingItem[0], not the {} after it", items - 1),
            "put the item that suits most clients first",
        );
    }
}
