//! Types: how large they are and what lies where in them, as a compiler for Windows lays them out.

use crate::integer::IntegerType;
use std::rc::Rc;

/// A type whose values an initialiser can be read for.
#[derive(Clone, Debug)]
pub(crate) enum Type {
    Integer(IntegerType),
    Guid,
    /// An address. Nothing of it is known before the driver is loaded.
    Pointer,
    Record(Rc<Record>),
    Array(Rc<Type>, u64),
    /// A type of which only the size is known.
    Opaque {
        size: u64,
        align: u64,
    },
}

/// A structure or union.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) name: String,
    pub(crate) is_union: bool,
    pub(crate) fields: Vec<Field>,
    size: u64,
    align: u64,
}

/// A member.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    /// Its names: two where the header has a union of words. Empty: an unnamed structure or union, whose members count
    /// as the outer one's.
    pub(crate) names: Vec<String>,
    pub(crate) offset: u64,
    pub(crate) of: Type,
}

/// What no structure of a driver reaches; a larger one is not laid out.
const LARGEST_TYPE: u64 = 1 << 32;

impl Type {
    /// Bytes; none where it is too large to be meant.
    pub(crate) fn size(&self, pointer_bytes: u64) -> u64 {
        match self {
            Type::Integer(integer) => u64::from(integer.bits / 8),
            Type::Guid => 16,
            Type::Pointer => pointer_bytes,
            Type::Record(record) => record.size,
            Type::Array(of, count) => of.size(pointer_bytes).saturating_mul(*count),
            Type::Opaque { size, .. } => *size,
        }
    }

    fn align(&self, pointer_bytes: u64) -> u64 {
        match self {
            Type::Integer(integer) => u64::from(integer.bits / 8),
            Type::Guid => 4,
            Type::Pointer => pointer_bytes,
            Type::Record(record) => record.align,
            Type::Array(of, _) => of.align(pointer_bytes),
            Type::Opaque { align, .. } => *align,
        }
    }

    /// Whether an initialiser of it has braces, or could have.
    pub(crate) fn is_aggregate(&self) -> bool {
        matches!(self, Type::Guid | Type::Record(_) | Type::Array(..))
    }
}

impl Record {
    /// Lays members out, each on its alignment; `None` where it is too large.
    pub(crate) fn layout(
        name: &str,
        is_union: bool,
        members: Vec<(Vec<String>, Type)>,
        pointer_bytes: u64,
    ) -> Option<Self> {
        let (mut size, mut align, mut fields) = (0u64, 1u64, Vec::new());
        for (names, of) in members {
            let (field_size, field_align) = (of.size(pointer_bytes), of.align(pointer_bytes).max(1));
            let offset = if is_union { 0 } else { size.checked_next_multiple_of(field_align)? };
            size = size.max(offset.checked_add(field_size)?);
            align = align.max(field_align);
            fields.push(Field { names, offset, of });
        }
        let size = size.checked_next_multiple_of(align).filter(|size| *size <= LARGEST_TYPE)?;
        Some(Self { name: name.to_owned(), is_union, fields, size, align })
    }

    /// The member with this name, in unnamed members too: its offset and type.
    pub(crate) fn member(&self, name: &str) -> Option<(u64, Type)> {
        self.fields.iter().find_map(|field| {
            if field.names.iter().any(|known| known == name) {
                return Some((field.offset, field.of.clone()));
            }
            match &field.of {
                Type::Record(inner) if field.names.is_empty() => {
                    inner.member(name).map(|(offset, of)| (field.offset + offset, of))
                }
                _ => None,
            }
        })
    }
}

/// The structures of framings, by the header's name.
pub(crate) fn framing_type(name: &str) -> Option<Type> {
    let word = || Type::Integer(IntegerType::UNSIGNED);
    let of = |name: &str| framing_type(name);
    let field = |name: &str, of: Type| (vec![name.to_owned()], of);
    let words = |names: &[&str]| names.iter().map(|name| field(name, word())).collect::<Vec<_>>();
    let alignment = || (vec!["FileAlignment".to_owned(), "FramePitch".to_owned()], word());
    let members = match name.trim_start_matches('_') {
        "KS_COMPRESSION" => words(&["RatioNumerator", "RatioDenominator", "RatioConstantMargin"]),
        "KS_FRAMING_RANGE" => words(&["MinFrameSize", "MaxFrameSize", "Stepping"]),
        "KS_FRAMING_RANGE_WEIGHTED" => {
            let mut members = vec![field("Range", of("KS_FRAMING_RANGE")?)];
            members.extend(words(&["InPlaceWeight", "NotInPlaceWeight"]));
            members
        }
        "KS_FRAMING_ITEM" => {
            let mut members = vec![field("MemoryType", Type::Guid), field("BusType", Type::Guid)];
            members.extend(words(&["MemoryFlags", "BusFlags", "Flags", "Frames"]));
            members.push(alignment());
            members.extend(words(&["MemoryTypeWeight"]));
            members.push(field("PhysicalRange", of("KS_FRAMING_RANGE")?));
            members.push(field("FramingRange", of("KS_FRAMING_RANGE_WEIGHTED")?));
            members
        }
        "KSALLOCATOR_FRAMING_EX" => {
            let mut members = words(&["CountItems", "PinFlags"]);
            members.push(field("OutputCompression", of("KS_COMPRESSION")?));
            members.extend(words(&["PinWeight"]));
            members.push(field("FramingItem", Type::Array(Rc::new(of("KS_FRAMING_ITEM")?), 1)));
            members
        }
        "KSALLOCATOR_FRAMING" => {
            let mut members = vec![(vec!["OptionsFlags".to_owned(), "RequirementsFlags".to_owned()], word())];
            members.extend(words(&["PoolType", "Frames", "FrameSize"]));
            members.push(alignment());
            members.extend(words(&["Reserved"]));
            members
        }
        _ => return None,
    };
    // None of them has a pointer.
    Record::layout(name.trim_start_matches('_'), false, members, 8).map(|record| Type::Record(Rc::new(record)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_framing_structures_have_their_sizes() {
        for (name, size) in [
            ("KS_COMPRESSION", 12),
            ("KS_FRAMING_RANGE", 12),
            ("KS_FRAMING_RANGE_WEIGHTED", 20),
            ("KS_FRAMING_ITEM", 88),
            ("KSALLOCATOR_FRAMING", 24),
            ("KSALLOCATOR_FRAMING_EX", 112),
        ] {
            assert_eq!(framing_type(name).map(|of| of.size(8)), Some(size), "{name}");
        }
    }

    #[test]
    fn members_lie_on_their_alignment() {
        let byte = Type::Integer(IntegerType { bits: 8, signed: false });
        let wide = Type::Integer(IntegerType::LONG_LONG);
        let members = |first: Type, second: Type| vec![(vec!["a".to_owned()], first), (vec!["b".to_owned()], second)];
        let record = Record::layout("S", false, members(byte.clone(), wide.clone()), 8).unwrap();
        assert_eq!((record.size, record.member("b").map(|(offset, _)| offset)), (16, Some(8)));
        let union = Record::layout("U", true, members(byte, wide.clone()), 8).unwrap();
        assert_eq!(union.size, 8);
        assert!(Record::layout("L", false, members(Type::Array(Rc::new(wide), u64::MAX), Type::Guid), 8).is_none());
    }
}
