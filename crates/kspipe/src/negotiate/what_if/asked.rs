//! The single things a pin asks, each of which can be dropped by itself.

use crate::graph::{FrameRange, FramingItem, Graph, Mode, PinId};
use ks::{AllocatorFlags, Guid, KSMEMORY_TYPE_WILDCARD, RequirementFlags};
use std::fmt;

/// One thing a pin asks, or is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Asked {
    /// `MemoryType`, rule 2.
    Memory,
    /// `BusType`: carried, no effect on a plan's cost.
    Bus,
    /// `Frames`, rule 5.
    Frames,
    /// `FileAlignment`, rule 4.
    Alignment,
    /// The smallest size in both ranges at once, where they say the same: the graph file's `size`.
    Size,
    /// `PhysicalRange.MinFrameSize`, rule 3.
    PhysicalMinimum,
    /// `PhysicalRange.MaxFrameSize`, rule 3.
    PhysicalMaximum,
    /// `PhysicalRange.Stepping`, rule 3.
    Stepping,
    /// `FramingRange.Range.MinFrameSize`: the capacity, rule 3.
    Capacity,
    /// `KSALLOCATOR_REQUIREMENTF_MUST_ALLOCATE`, rule 6.
    MustAllocate,
    /// `KSALLOCATOR_REQUIREMENTF_INPLACE_MODIFIER`, rule 7.
    InplaceModifier,
    /// `KSALLOCATOR_REQUIREMENTF_FRAME_INTEGRITY`, rule 7.
    FrameIntegrity,
    /// `KSALLOCATOR_FLAG_CAN_ALLOCATE`, rule 6.
    CanAllocate,
    /// `KSALLOCATOR_FLAG_DEVICE_SPECIFIC`, rule 6.
    DeviceSpecific,
    /// `KSALLOCATOR_FLAG_ALLOCATOR_EXISTS`, rule 6.
    AllocatorExists,
    /// The frames the pin keeps at once, rule 5.
    Holds,
    /// What one media frame takes, rule 3.
    MediaSize,
    /// `OutputCompression`, rule 3.
    Compression,
    /// The side its filter runs on, rule 2. Dropping it moves the filter to the other side.
    Mode,
}

impl Asked {
    /// What of an item can make it impossible to share a frame, in the order in which an explanation can do without it.
    pub(in crate::negotiate) const BINDING: [Asked; 9] = [
        Asked::Capacity,
        Asked::MediaSize,
        Asked::Stepping,
        Asked::PhysicalMinimum,
        Asked::PhysicalMaximum,
        Asked::Memory,
        Asked::FrameIntegrity,
        Asked::InplaceModifier,
        Asked::MustAllocate,
    ];

    /// The name JSON has for it.
    pub fn name(self) -> &'static str {
        match self {
            Asked::Memory => "memory",
            Asked::Bus => "bus",
            Asked::Frames => "frames",
            Asked::Alignment => "alignment",
            Asked::Size => "size",
            Asked::PhysicalMinimum => "physical-minimum",
            Asked::PhysicalMaximum => "physical-maximum",
            Asked::Stepping => "stepping",
            Asked::Capacity => "capacity",
            Asked::MustAllocate => "must-allocate",
            Asked::InplaceModifier => "inplace-modifier",
            Asked::FrameIntegrity => "frame-integrity",
            Asked::CanAllocate => "can-allocate",
            Asked::DeviceSpecific => "device-specific",
            Asked::AllocatorExists => "allocator-exists",
            Asked::Holds => "holds",
            Asked::MediaSize => "media-size",
            Asked::Compression => "compression",
            Asked::Mode => "mode",
        }
    }

    /// The member or flag of ks.h that asks it; for what a graph file alone says, its key there.
    pub fn header_name(self) -> &'static str {
        match self {
            Asked::Memory => "MemoryType",
            Asked::Bus => "BusType",
            Asked::Frames => "Frames",
            Asked::Alignment => "FileAlignment",
            Asked::Size => "PhysicalRange.MinFrameSize and FramingRange.MinFrameSize",
            Asked::PhysicalMinimum => "PhysicalRange.MinFrameSize",
            Asked::PhysicalMaximum => "PhysicalRange.MaxFrameSize",
            Asked::Stepping => "PhysicalRange.Stepping",
            Asked::Capacity => "FramingRange.MinFrameSize",
            Asked::MustAllocate => "KSALLOCATOR_REQUIREMENTF_MUST_ALLOCATE",
            Asked::InplaceModifier => "KSALLOCATOR_REQUIREMENTF_INPLACE_MODIFIER",
            Asked::FrameIntegrity => "KSALLOCATOR_REQUIREMENTF_FRAME_INTEGRITY",
            Asked::CanAllocate => "KSALLOCATOR_FLAG_CAN_ALLOCATE",
            Asked::DeviceSpecific => "KSALLOCATOR_FLAG_DEVICE_SPECIFIC",
            Asked::AllocatorExists => "KSALLOCATOR_FLAG_ALLOCATOR_EXISTS",
            Asked::Holds => "holds",
            Asked::MediaSize => "media-size",
            Asked::Compression => "OutputCompression",
            Asked::Mode => "mode",
        }
    }

    /// The rule by which it counts, by its number in `docs/negotiation.md`.
    pub fn rule(self) -> u8 {
        match self {
            Asked::Memory | Asked::Bus | Asked::Mode => 2,
            Asked::Frames | Asked::Holds => 5,
            Asked::Alignment => 4,
            Asked::Size
            | Asked::PhysicalMinimum
            | Asked::PhysicalMaximum
            | Asked::Stepping
            | Asked::Capacity
            | Asked::MediaSize
            | Asked::Compression => 3,
            Asked::MustAllocate | Asked::CanAllocate | Asked::DeviceSpecific | Asked::AllocatorExists => 6,
            Asked::InplaceModifier | Asked::FrameIntegrity => 7,
        }
    }

    fn requirement(self) -> Option<RequirementFlags> {
        match self {
            Asked::MustAllocate => Some(RequirementFlags::MUST_ALLOCATE),
            Asked::InplaceModifier => Some(RequirementFlags::INPLACE_MODIFIER),
            Asked::FrameIntegrity => Some(RequirementFlags::FRAME_INTEGRITY),
            _ => None,
        }
    }

    fn flag(self) -> Option<AllocatorFlags> {
        match self {
            Asked::CanAllocate => Some(AllocatorFlags::CAN_ALLOCATE),
            Asked::DeviceSpecific => Some(AllocatorFlags::DEVICE_SPECIFIC),
            Asked::AllocatorExists => Some(AllocatorFlags::ALLOCATOR_EXISTS),
            _ => None,
        }
    }

    /// Whether an item asks it; what a pin asks beside its items is in none.
    pub fn is_in(self, item: &FramingItem) -> bool {
        let mut without = item.clone();
        self.drop_from(&mut without);
        without != *item
    }

    /// Takes it out of an item; of what is no part of an item nothing changes.
    pub(in crate::negotiate) fn drop_from(self, item: &mut FramingItem) {
        // The stepping counts from the minimum, so its place stays.
        let place_of_steps = |range: &FrameRange| if range.step > 1 { range.min % range.step } else { 0 };
        match self {
            Asked::Memory => item.memory = KSMEMORY_TYPE_WILDCARD,
            Asked::Bus => item.bus = Guid::NULL,
            Asked::Frames => item.frames = 0,
            Asked::Alignment => item.alignment = 0,
            Asked::Size => {
                item.physical.min = place_of_steps(&item.physical);
                item.optimal.min = 0;
            }
            Asked::PhysicalMinimum => item.physical.min = place_of_steps(&item.physical),
            Asked::PhysicalMaximum => item.physical.max = FrameRange::OPEN.max,
            Asked::Stepping => item.physical.step = FrameRange::OPEN.step,
            Asked::Capacity => item.optimal.min = 0,
            _ => {}
        }
        if let Some(requirement) = self.requirement() {
            item.requirements.remove(requirement);
        }
        if let Some(flag) = self.flag() {
            item.flags.remove(flag);
        }
    }

    /// Puts it into an item, where it is a flag.
    pub(super) fn add_to(self, item: &mut FramingItem) {
        if let Some(requirement) = self.requirement() {
            item.requirements.insert(requirement);
        }
        if let Some(flag) = self.flag() {
            item.flags.insert(flag);
        }
    }

    /// What an item asks of it, in the header's words: `PhysicalRange.MinFrameSize 4096`.
    pub(in crate::negotiate) fn words(self, graph: &Graph, item: &FramingItem) -> String {
        let value = match self {
            Asked::Memory => super::memory_name(graph, item.memory),
            Asked::Bus => item.bus.to_string(),
            Asked::Frames => item.frames.to_string(),
            Asked::Alignment => item.alignment.to_string(),
            Asked::PhysicalMinimum | Asked::Size => item.physical.min.to_string(),
            Asked::PhysicalMaximum => item.physical.max.to_string(),
            Asked::Stepping => {
                let FrameRange { min, step, .. } = item.physical;
                format!("{step} (sizes of {min} + k * {step})")
            }
            Asked::Capacity => item.optimal.min.to_string(),
            _ => return self.header_name().to_owned(),
        };
        format!("{} {value}", self.header_name())
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.header_name())
    }
}

/// The other side.
pub(super) fn other_side(graph: &Graph, pin: PinId) -> Mode {
    match graph.mode(pin) {
        Mode::User => Mode::Kernel,
        Mode::Kernel => Mode::User,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropping_the_minimum_keeps_the_stepping_where_it_is() {
        let physical = FrameRange { min: 1000, max: 9000, step: 300 };
        let mut item = FramingItem { physical, ..FramingItem::default() };
        Asked::PhysicalMinimum.drop_from(&mut item);
        assert_eq!(item.physical, FrameRange { min: 100, max: 9000, step: 300 });
    }

    #[test]
    fn what_is_dropped_is_no_longer_in() {
        let asks_all = FramingItem {
            memory: ks::KSMEMORY_TYPE_USER,
            bus: Guid::from_u128(1),
            frames: 2,
            alignment: 4,
            physical: FrameRange { min: 8, max: 80, step: 8 },
            optimal: FrameRange { min: 16, max: 80, step: 1 },
            requirements: RequirementFlags::all(),
            flags: AllocatorFlags::all(),
            ..FramingItem::default()
        };
        let of_the_pin = [Asked::Holds, Asked::MediaSize, Asked::Compression, Asked::Mode];
        let of_items = [
            Asked::Memory,
            Asked::Bus,
            Asked::Frames,
            Asked::Alignment,
            Asked::Size,
            Asked::PhysicalMinimum,
            Asked::PhysicalMaximum,
            Asked::Stepping,
            Asked::Capacity,
            Asked::MustAllocate,
            Asked::InplaceModifier,
            Asked::FrameIntegrity,
            Asked::CanAllocate,
            Asked::DeviceSpecific,
            Asked::AllocatorExists,
        ];
        let mut names: Vec<&str> = of_items.iter().chain(&of_the_pin).map(|asked| asked.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 19, "no two have one name");
        for asked in of_the_pin {
            assert!(!asked.is_in(&asks_all), "{asked}");
        }
        for asked in of_items {
            // The minimum is where the steps count from.
            let mut item = asks_all.clone();
            assert!(asked.is_in(&item) || asked == Asked::PhysicalMinimum, "{asked}");
            asked.drop_from(&mut item);
            assert!(!asked.is_in(&item), "{asked}");
        }
    }
}
