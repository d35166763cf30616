//! A framing as a list of its members: the header's name, the place, the value, and what the value means. What is shown
//! as text and as JSON is this one list.

use ks::{
    AlignmentOrPitch, AllocatorFlags, FramingBlob, FramingEx, FramingFlags, Guid, KSMEMORY_TYPES, KsAllocatorFraming,
    KsCompression, KsFramingItem, KsFramingRange, RequirementFlags,
};

/// A member of one of the two structures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    /// The framing item it belongs to, from 0; `None`: to the structure itself.
    pub(super) item: Option<usize>,
    /// The header's name; members of inner structures after a dot.
    pub(super) name: &'static str,
    /// Where it begins, in bytes from the start of the blob.
    pub(super) offset: usize,
    pub(super) value: Value,
    /// The header's names for the value, or what it is in bytes; empty where there is nothing to say.
    pub(super) meaning: Vec<String>,
}

/// What a member holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// A number, shown in decimal.
    Number(u32),
    /// Bits, shown in hexadecimal.
    Bits(u32),
    Guid(Guid),
}

/// The structure's name in ks.h.
pub(super) fn structure(blob: &FramingBlob<'_>) -> &'static str {
    match blob {
        FramingBlob::Old(_) => "KSALLOCATOR_FRAMING",
        FramingBlob::Extended(_) => "KSALLOCATOR_FRAMING_EX",
    }
}

/// Every member, in the order of the structure.
pub(super) fn members(blob: &FramingBlob<'_>) -> Vec<Member> {
    let mut list = List { members: Vec::new(), item: None, offset: 0 };
    match blob {
        FramingBlob::Old(framing) => list.old(framing),
        FramingBlob::Extended(framing) => list.extended(framing),
    }
    list.members
}

/// Members as they are added one behind the other; each has the size of its value, so the offsets follow.
struct List {
    members: Vec<Member>,
    item: Option<usize>,
    offset: usize,
}

impl List {
    fn add(&mut self, name: &'static str, value: Value, meaning: Vec<String>) {
        self.members.push(Member { item: self.item, name, offset: self.offset, value, meaning });
        self.offset += match value {
            Value::Number(_) | Value::Bits(_) => 4,
            Value::Guid(_) => 16,
        };
    }

    fn number(&mut self, name: &'static str, value: u32) {
        self.add(name, Value::Number(value), Vec::new());
    }

    fn range(&mut self, names: [&'static str; 3], range: KsFramingRange) {
        self.number(names[0], range.min_frame_size);
        let open = if range.max_frame_size == u32::MAX { vec!["open".to_owned()] } else { Vec::new() };
        self.add(names[1], Value::Number(range.max_frame_size), open);
        self.number(names[2], range.stepping);
    }

    fn compression(&mut self, compression: KsCompression) {
        self.number("OutputCompression.RatioNumerator", compression.ratio_numerator);
        self.number("OutputCompression.RatioDenominator", compression.ratio_denominator);
        self.number("OutputCompression.RatioConstantMargin", compression.ratio_constant_margin);
    }

    fn old(&mut self, framing: &KsAllocatorFraming) {
        let requirements = framing.flags.requirements();
        self.add("RequirementsFlags", Value::Bits(framing.flags.0), requirement_names(requirements));
        let pool = framing.pool_type.name().map(str::to_owned);
        self.add("PoolType", Value::Number(framing.pool_type.0), pool.into_iter().collect());
        self.number("Frames", framing.frames);
        self.number("FrameSize", framing.frame_size);
        self.alignment(framing.file_alignment, false);
        self.number("Reserved", framing.reserved);
    }

    fn extended(&mut self, framing: &FramingEx<'_>) {
        let head = framing.head();
        self.number("CountItems", head.count_items);
        self.add("PinFlags", Value::Bits(head.pin_flags), Vec::new());
        self.compression(head.output_compression);
        self.number("PinWeight", head.pin_weight);
        for (place, item) in framing.items().enumerate() {
            self.item = Some(place);
            self.framing_item(&item);
        }
    }

    fn framing_item(&mut self, item: &KsFramingItem) {
        self.add("MemoryType", Value::Guid(item.memory_type), memory_type_name(item.memory_type));
        let bus = if item.bus_type == Guid::NULL { vec!["KS_TYPE_DONT_CARE".to_owned()] } else { Vec::new() };
        self.add("BusType", Value::Guid(item.bus_type), bus);
        self.add("MemoryFlags", Value::Bits(item.memory_flags.0), flag_names(item.memory_flags));
        self.add("BusFlags", Value::Bits(item.bus_flags), Vec::new());
        self.add("Flags", Value::Bits(item.flags.0), flag_names(item.flags));
        self.number("Frames", item.frames);
        self.alignment(item.file_alignment, item.flags.allocator().contains(AllocatorFlags::TWO_D_BUFFER_REQUIRED));
        self.number("MemoryTypeWeight", item.memory_type_weight);
        let physical = ["PhysicalRange.MinFrameSize", "PhysicalRange.MaxFrameSize", "PhysicalRange.Stepping"];
        self.range(physical, item.physical_range);
        let optimal =
            ["FramingRange.Range.MinFrameSize", "FramingRange.Range.MaxFrameSize", "FramingRange.Range.Stepping"];
        self.range(optimal, item.framing_range.range);
        self.number("FramingRange.InPlaceWeight", item.framing_range.in_place_weight);
        self.number("FramingRange.NotInPlaceWeight", item.framing_range.not_in_place_weight);
    }

    /// `FileAlignment`, or `FramePitch` in the same place.
    fn alignment(&mut self, word: AlignmentOrPitch, is_pitch: bool) {
        if is_pitch {
            let meaning = vec![format!("{} bytes a row", word.frame_pitch())];
            return self.add("FramePitch", Value::Bits(word.0), meaning);
        }
        let meaning = match word.file_alignment().bytes() {
            Ok(1) => "no alignment".to_owned(),
            Ok(bytes) => format!("{bytes} bytes"),
            Err(error) => error.to_string(),
        };
        self.add("FileAlignment", Value::Bits(word.0), vec![meaning]);
    }
}

fn memory_type_name(memory_type: Guid) -> Vec<String> {
    KSMEMORY_TYPES
        .iter()
        .find(|(_, guid)| *guid == memory_type)
        .map(|(name, _)| (*name).to_owned())
        .into_iter()
        .collect()
}

/// The header's names of the bits that are set; bits without a name as one number.
fn bit_names<'a>(bits: u32, names: impl Iterator<Item = (&'a str, u32)>) -> Vec<String> {
    let mut rest = bits;
    let mut found = Vec::new();
    for (name, flag) in names {
        if rest & flag == flag {
            rest &= !flag;
            found.push(name.to_owned());
        }
    }
    if rest != 0 {
        found.push(format!("{rest:#x}"));
    }
    found
}

fn requirement_names(requirements: RequirementFlags) -> Vec<String> {
    bit_names(requirements.bits(), RequirementFlags::NAMES.iter().map(|(name, flag)| (*name, flag.bits())))
}

fn flag_names(flags: FramingFlags) -> Vec<String> {
    let mut names = requirement_names(flags.requirements());
    let allocator = flags.allocator();
    names.extend(bit_names(allocator.bits(), AllocatorFlags::NAMES.iter().map(|(name, flag)| (*name, flag.bits()))));
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use ks::{AlignmentMask, KSMEMORY_TYPE_KERNEL_NONPAGED, KsAllocatorFramingEx};
    use zerocopy::IntoBytes;

    #[test]
    fn offsets_are_those_of_the_structures() {
        let framing = KsAllocatorFramingEx::simple(
            KSMEMORY_TYPE_KERNEL_NONPAGED,
            FramingFlags(0x8000_0002),
            2,
            AlignmentMask(4095),
            8192,
            8192,
        );
        let members = members(&FramingBlob::parse(framing.as_bytes()).unwrap());
        for member in &members {
            // The reader of blobs knows the same offsets by a table of its own.
            let field = ks::FramingField::at(member.offset);
            assert_eq!((field.item, field.name), (member.item, member.name));
        }
        assert_eq!(members.len(), 6 + 16);
    }

    #[test]
    fn bits_without_a_name_are_shown() {
        assert_eq!(
            flag_names(FramingFlags(0x8001_0040)),
            ["KSALLOCATOR_REQUIREMENTF_PREFERENCES_ONLY", "KSALLOCATOR_FLAG_CAN_ALLOCATE", "0x10000"]
        );
        assert!(flag_names(FramingFlags(0)).is_empty());
    }
}
