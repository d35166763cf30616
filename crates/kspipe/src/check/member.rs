//! The members of KS's framing structures.

use std::mem::{offset_of, size_of};

use crate::finding::Span;
use ks::{KsAllocatorFraming, KsAllocatorFramingExHead, KsFramingItem};

/// Which structure a framing is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Structure {
    /// `KSALLOCATOR_FRAMING`, which has no items.
    Old,
    /// `KSALLOCATOR_FRAMING_EX`.
    Extended,
}

macro_rules! members {
    ($($member:ident = $name:literal;)*) => {
        /// A member of `KSALLOCATOR_FRAMING`, `KSALLOCATOR_FRAMING_EX` or `KS_FRAMING_ITEM` that holds a number or, for
        /// [`MemoryType`](Member::MemoryType) and [`BusType`](Member::BusType), a GUID.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Member {
            $(#[doc = concat!("`", $name, "`.")] $member,)*
        }

        impl Member {
            /// Every member.
            pub const ALL: &[Member] = &[$(Member::$member),*];

            /// Its name in ks.h, from the item on.
            pub fn name(self) -> &'static str {
                match self { $(Member::$member => $name,)* }
            }
        }
    };
}

members! {
    RequirementsFlags = "RequirementsFlags";
    PoolType = "PoolType";
    FrameSize = "FrameSize";
    Reserved = "Reserved";
    CountItems = "CountItems";
    PinFlags = "PinFlags";
    RatioNumerator = "OutputCompression.RatioNumerator";
    RatioDenominator = "OutputCompression.RatioDenominator";
    RatioConstantMargin = "OutputCompression.RatioConstantMargin";
    PinWeight = "PinWeight";
    MemoryType = "MemoryType";
    BusType = "BusType";
    MemoryFlags = "MemoryFlags";
    BusFlags = "BusFlags";
    Flags = "Flags";
    Frames = "Frames";
    FileAlignment = "FileAlignment";
    MemoryTypeWeight = "MemoryTypeWeight";
    PhysicalMin = "PhysicalRange.MinFrameSize";
    PhysicalMax = "PhysicalRange.MaxFrameSize";
    PhysicalStepping = "PhysicalRange.Stepping";
    FramingMin = "FramingRange.Range.MinFrameSize";
    FramingMax = "FramingRange.Range.MaxFrameSize";
    FramingStepping = "FramingRange.Range.Stepping";
    InPlaceWeight = "FramingRange.InPlaceWeight";
    NotInPlaceWeight = "FramingRange.NotInPlaceWeight";
}

impl Member {
    /// The member with this name, as ks.h has it.
    pub fn named(name: &str) -> Option<Member> {
        Member::ALL.iter().copied().find(|member| member.name() == name)
    }

    /// Where its bytes are in a framing blob: of the old structure, of the head of an extended one (`item` is `None`), or
    /// of an item. `None` where there is no such member.
    pub fn bytes(self, structure: Structure, item: Option<usize>) -> Option<Span> {
        let offset = match (structure, item) {
            (Structure::Old, None) => match self {
                Member::RequirementsFlags => offset_of!(KsAllocatorFraming, flags),
                Member::PoolType => offset_of!(KsAllocatorFraming, pool_type),
                Member::Frames => offset_of!(KsAllocatorFraming, frames),
                Member::FrameSize => offset_of!(KsAllocatorFraming, frame_size),
                Member::FileAlignment => offset_of!(KsAllocatorFraming, file_alignment),
                Member::Reserved => offset_of!(KsAllocatorFraming, reserved),
                _ => return None,
            },
            (Structure::Old, Some(_)) => return None,
            (Structure::Extended, None) => match self {
                Member::CountItems => offset_of!(KsAllocatorFramingExHead, count_items),
                Member::PinFlags => offset_of!(KsAllocatorFramingExHead, pin_flags),
                Member::RatioNumerator => offset_of!(KsAllocatorFramingExHead, output_compression),
                Member::RatioDenominator => offset_of!(KsAllocatorFramingExHead, output_compression) + 4,
                Member::RatioConstantMargin => offset_of!(KsAllocatorFramingExHead, output_compression) + 8,
                Member::PinWeight => offset_of!(KsAllocatorFramingExHead, pin_weight),
                _ => return None,
            },
            (Structure::Extended, Some(item)) => {
                let start = item.checked_mul(size_of::<KsFramingItem>())?;
                start.checked_add(size_of::<KsAllocatorFramingExHead>())?.checked_add(self.offset_in_item()?)?
            }
        };
        let length = if matches!(self, Member::MemoryType | Member::BusType) { 16 } else { 4 };
        Some(Span { start: offset, end: offset.checked_add(length)? })
    }

    fn offset_in_item(self) -> Option<usize> {
        Some(match self {
            Member::MemoryType => offset_of!(KsFramingItem, memory_type),
            Member::BusType => offset_of!(KsFramingItem, bus_type),
            Member::MemoryFlags => offset_of!(KsFramingItem, memory_flags),
            Member::BusFlags => offset_of!(KsFramingItem, bus_flags),
            Member::Flags => offset_of!(KsFramingItem, flags),
            Member::Frames => offset_of!(KsFramingItem, frames),
            Member::FileAlignment => offset_of!(KsFramingItem, file_alignment),
            Member::MemoryTypeWeight => offset_of!(KsFramingItem, memory_type_weight),
            Member::PhysicalMin => offset_of!(KsFramingItem, physical_range),
            Member::PhysicalMax => offset_of!(KsFramingItem, physical_range) + 4,
            Member::PhysicalStepping => offset_of!(KsFramingItem, physical_range) + 8,
            Member::FramingMin => offset_of!(KsFramingItem, framing_range),
            Member::FramingMax => offset_of!(KsFramingItem, framing_range) + 4,
            Member::FramingStepping => offset_of!(KsFramingItem, framing_range) + 8,
            Member::InPlaceWeight => offset_of!(KsFramingItem, framing_range) + 12,
            Member::NotInPlaceWeight => offset_of!(KsFramingItem, framing_range) + 16,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ks::FramingField;

    #[test]
    fn members_lie_where_the_reader_of_blobs_has_them() {
        for item in [None, Some(0), Some(3)] {
            for member in Member::ALL {
                let Some(span) = member.bytes(Structure::Extended, item) else { continue };
                for offset in span.start..span.end {
                    let field = FramingField::at(offset);
                    assert_eq!((field.item, field.name), (item, member.name()), "byte {offset}");
                }
            }
        }
    }

    #[test]
    fn every_byte_of_a_framing_belongs_to_one_member() {
        let covered = |structure, items: &[Option<usize>], length: usize| {
            let mut count = vec![0; length];
            for item in items {
                for span in Member::ALL.iter().filter_map(|member| member.bytes(structure, *item)) {
                    count[span.start..span.end].iter_mut().for_each(|count| *count += 1);
                }
            }
            assert!(count.iter().all(|count| *count == 1), "{structure:?}: {count:?}");
        };
        covered(Structure::Old, &[None], 24);
        covered(Structure::Extended, &[None, Some(0), Some(1)], 24 + 2 * 88);
    }

    #[test]
    fn members_are_found_by_their_names() {
        for member in Member::ALL {
            assert_eq!(Member::named(member.name()), Some(*member));
        }
        assert_eq!(Member::named("Frame"), None);
    }
}
