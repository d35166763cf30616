//! A framing as somebody wrote it, in KS's own numbers, of which not all need be known.

use super::{Member, Structure};
use crate::graph::{Compression, Framing, FramingItem};
use ks::{AllocatorFlags, FramingBlob, FramingFlags, Guid, KSMEMORY_TYPE_KERNEL_PAGED, RequirementFlags};
use std::collections::BTreeMap;

/// Where a framing comes from. It decides which members were written by somebody and which only left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A graph file, or a graph that was built: what is left out was not written.
    Graph,
    /// The bytes a pin answered: every member was written.
    Blob,
    /// A driver's source.
    Source,
}

/// A framing as it is written: the value of each member that is known. What is not known is never taken as 0: no finding
/// rests on it.
///
/// ```
/// use kspipe::check::{Circumstances, DeclaredFraming, Member, Origin, Structure, check_framing};
///
/// let mut framing = DeclaredFraming::new(Structure::Extended, Origin::Source);
/// framing.set(Some(0), Member::Flags, 0);
/// framing.set(Some(0), Member::FileAlignment, 4096);
/// let findings = check_framing("CaptureFraming", &framing, &Circumstances::default());
/// assert_eq!(findings[0].code.code, "KS040");
/// assert_eq!(findings[0].subject.to_string(), "CaptureFraming FramingItem[0].FileAlignment");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredFraming {
    pub(super) structure: Structure,
    pub(super) origin: Origin,
    items: usize,
    numbers: BTreeMap<(Option<usize>, Member), u32>,
    guids: BTreeMap<(usize, Member), Guid>,
}

impl DeclaredFraming {
    /// A framing of which nothing is known.
    pub fn new(structure: Structure, origin: Origin) -> Self {
        DeclaredFraming { structure, origin, items: 0, numbers: BTreeMap::new(), guids: BTreeMap::new() }
    }

    /// The structure it is written in.
    pub fn structure(&self) -> Structure {
        self.structure
    }
    /// How many items it has; the old structure has none.
    pub fn items(&self) -> usize {
        self.items
    }
    /// Says that it has an item, also where nothing in the item is known.
    pub fn set_items(&mut self, items: usize) {
        self.items = self.items.max(items);
    }
    /// Says what a member holds; `item` is `None` for members outside the items.
    pub fn set(&mut self, item: Option<usize>, member: Member, value: u32) {
        self.set_items(item.map_or(0, |item| item.saturating_add(1)));
        self.numbers.insert((item, member), value);
    }
    /// Says which GUID an item's memory or bus type is.
    pub fn set_guid(&mut self, item: usize, member: Member, guid: Guid) {
        self.set_items(item.saturating_add(1));
        self.guids.insert((item, member), guid);
    }
    /// Forgets what a member holds.
    pub fn forget(&mut self, item: Option<usize>, member: Member) {
        self.numbers.remove(&(item, member));
        if let Some(item) = item {
            self.guids.remove(&(item, member));
        }
    }
    /// What a member holds, where that is known.
    pub fn get(&self, item: Option<usize>, member: Member) -> Option<u32> {
        self.numbers.get(&(item, member)).copied()
    }
    /// The GUID in an item, where it is known.
    pub fn guid(&self, item: usize, member: Member) -> Option<Guid> {
        self.guids.get(&(item, member)).copied()
    }

    /// What a pin's answer says, member for member.
    pub fn of_blob(blob: &FramingBlob<'_>) -> Self {
        match blob {
            FramingBlob::Old(framing) => {
                let mut declared = DeclaredFraming::new(Structure::Old, Origin::Blob);
                let numbers = [
                    (Member::RequirementsFlags, framing.flags.0),
                    (Member::PoolType, framing.pool_type.0),
                    (Member::Frames, framing.frames),
                    (Member::FrameSize, framing.frame_size),
                    (Member::FileAlignment, framing.file_alignment.0),
                    (Member::Reserved, framing.reserved),
                ];
                declared.set_all(None, numbers);
                declared
            }
            FramingBlob::Extended(framing) => {
                let mut declared = DeclaredFraming::new(Structure::Extended, Origin::Blob);
                let head = framing.head();
                let numbers = [
                    (Member::CountItems, head.count_items),
                    (Member::PinFlags, head.pin_flags),
                    (Member::RatioNumerator, head.output_compression.ratio_numerator),
                    (Member::RatioDenominator, head.output_compression.ratio_denominator),
                    (Member::RatioConstantMargin, head.output_compression.ratio_constant_margin),
                    (Member::PinWeight, head.pin_weight),
                ];
                declared.set_all(None, numbers);
                for (index, item) in framing.items().enumerate() {
                    let (physical, weighted) = (item.physical_range, item.framing_range);
                    let numbers = [
                        (Member::MemoryFlags, item.memory_flags.0),
                        (Member::BusFlags, item.bus_flags),
                        (Member::Flags, item.flags.0),
                        (Member::Frames, item.frames),
                        (Member::FileAlignment, item.file_alignment.0),
                        (Member::MemoryTypeWeight, item.memory_type_weight),
                        (Member::PhysicalMin, physical.min_frame_size),
                        (Member::PhysicalMax, physical.max_frame_size),
                        (Member::PhysicalStepping, physical.stepping),
                        (Member::FramingMin, weighted.range.min_frame_size),
                        (Member::FramingMax, weighted.range.max_frame_size),
                        (Member::FramingStepping, weighted.range.stepping),
                        (Member::InPlaceWeight, weighted.in_place_weight),
                        (Member::NotInPlaceWeight, weighted.not_in_place_weight),
                    ];
                    declared.set_all(Some(index), numbers);
                    declared.set_guid(index, Member::MemoryType, item.memory_type);
                    declared.set_guid(index, Member::BusType, item.bus_type);
                }
                declared
            }
        }
    }

    /// What a graph's pin asks; `None`: nothing.
    pub fn of_graph(framing: &Framing, compression: Compression) -> Option<Self> {
        match framing {
            Framing::None => None,
            Framing::Old(item) => {
                let mut declared = DeclaredFraming::new(Structure::Old, Origin::Graph);
                declared.set(None, Member::RequirementsFlags, item.requirements.bits());
                declared.set(None, Member::Frames, item.frames);
                declared.set(None, Member::FrameSize, item.capacity());
                declared.set(None, Member::FileAlignment, mask(item.alignment));
                if item.requirements.contains(RequirementFlags::SYSTEM_MEMORY) {
                    let paged = item.memory == KSMEMORY_TYPE_KERNEL_PAGED;
                    declared.set(None, Member::PoolType, u32::from(paged));
                }
                Some(declared)
            }
            Framing::Extended(items) => {
                let mut declared = DeclaredFraming::new(Structure::Extended, Origin::Graph);
                let numbers = [
                    (Member::RatioNumerator, compression.numerator),
                    (Member::RatioDenominator, compression.denominator),
                    (Member::RatioConstantMargin, compression.margin),
                ];
                declared.set_all(None, numbers);
                for (index, item) in items.iter().enumerate() {
                    declared.set_graph_item(index, item);
                }
                Some(declared)
            }
        }
    }

    fn set_graph_item(&mut self, index: usize, item: &FramingItem) {
        let numbers = [
            (Member::Flags, FramingFlags::new(item.requirements, item.flags).0),
            (Member::Frames, item.frames),
            (Member::MemoryTypeWeight, item.weight),
            (Member::PhysicalMin, item.physical.min),
            (Member::PhysicalMax, item.physical.max),
            (Member::PhysicalStepping, item.physical.step),
            (Member::FramingMin, item.optimal.min),
            (Member::FramingMax, item.optimal.max),
            (Member::FramingStepping, item.optimal.step),
        ];
        self.set_all(Some(index), numbers);
        match item.pitch {
            // A pitch without its flag is neither.
            Some(pitch) if item.flags.contains(AllocatorFlags::TWO_D_BUFFER_REQUIRED) => {
                self.set(Some(index), Member::FileAlignment, pitch.cast_unsigned());
            }
            Some(_) => {}
            None => self.set(Some(index), Member::FileAlignment, mask(item.alignment)),
        }
        self.set_guid(index, Member::MemoryType, item.memory);
        self.set_guid(index, Member::BusType, item.bus);
    }

    fn set_all<const N: usize>(&mut self, item: Option<usize>, numbers: [(Member, u32); N]) {
        for (member, value) in numbers {
            self.set(item, member, value);
        }
    }
}

/// The mask of an alignment in bytes, 0 to 2^32.
fn mask(alignment: u64) -> u32 {
    u32::try_from(alignment.saturating_sub(1)).unwrap_or(u32::MAX)
}
