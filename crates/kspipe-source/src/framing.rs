//! A framing as a driver's source declares it: every member with its place, and its value or why it is not known.

use crate::evaluate::Value;
use crate::fields::{Fields, HEAD, HEAD_BYTES, ITEM, ITEM_BYTES, OLD};
use crate::slots::Slots;
use crate::text::Place;
use crate::unknown::{Cause, Unknown};
use ks::Guid;
use std::fmt;

/// Which of the two structures a framing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Structure {
    /// `KSALLOCATOR_FRAMING`.
    Old,
    /// `KSALLOCATOR_FRAMING_EX`.
    Extended,
}

impl Structure {
    /// The header's name.
    pub fn name(self) -> &'static str {
        match self {
            Structure::Old => "KSALLOCATOR_FRAMING",
            Structure::Extended => "KSALLOCATOR_FRAMING_EX",
        }
    }
}

impl fmt::Display for Structure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How a source states a framing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// `DECLARE_SIMPLE_FRAMING_EX`.
    SimpleMacro,
    /// An initialiser.
    Initializer,
    /// Members assigned one by one in a function, or `INITIALIZE_SIMPLE_FRAMING_EX`.
    Assignments,
}

/// What a member holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberValue {
    /// A number, a set of flags, or a size.
    Word(u32),
    /// A memory or bus type.
    Guid(Guid),
}

/// A member of a framing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The framing item it belongs to, from 0; `None`: to the structure itself.
    pub item: Option<usize>,
    /// The header's name; members of inner structures after a dot.
    pub name: &'static str,
    /// Where it begins, in bytes from the start of the structure.
    pub offset: usize,
    /// Its value, or why it is not known.
    pub value: Result<MemberValue, Unknown>,
    /// The expression that states it; the whole declaration where none does.
    pub place: Place,
}

impl Member {
    /// Its name as C has it: `FramingItem[0].Flags`.
    pub fn path(&self) -> String {
        match self.item {
            Some(item) => format!("FramingItem[{item}].{}", self.name),
            None => self.name.to_owned(),
        }
    }
}

/// A pin that a `KSPIN_DESCRIPTOR_EX` gives a framing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinUse {
    /// The array of descriptors.
    pub table: String,
    /// The pin's number in it, from 0.
    pub pin: usize,
    /// `KSPIN_DATAFLOW_*`, where the descriptor says one: into the filter, or out of it.
    pub flow: Option<Flow>,
    /// The descriptor's flags have `KSPIN_FLAG_DISPATCH_LEVEL_PROCESSING`.
    pub dispatch_level: bool,
    /// The framing's name in the descriptor.
    pub place: Place,
}

/// `KSPIN_DATAFLOW`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Into the filter.
    In,
    /// Out of the filter.
    Out,
}

/// A framing that a source declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFraming {
    /// Its name, with the class or namespace and, where it is local, the function: `CapturePin::Framing`,
    /// `AnswerProperty/Framing`.
    pub name: String,
    /// Which structure it is.
    pub structure: Structure,
    /// How it is stated.
    pub form: Form,
    /// Which of several ways through conditionals or branches this one is: `case 2`, `#if, way 1 of 2`.
    pub variant: Option<String>,
    /// The whole declaration, or the first assignment.
    pub place: Place,
    /// The name in it.
    pub name_place: Place,
    /// Every member, in the order of the structure; as many items as there are.
    pub members: Vec<Member>,
    /// Something in these sources that changes it, or could, when a pin is made.
    pub edited: Option<Place>,
    /// Something in these sources that uses it.
    pub used: Option<Place>,
    /// Only this file can use it: `static`, or `const` in C++, and not in a header.
    pub is_local_to_file: bool,
    /// The pins that have it, as far as the sources say.
    pub pins: Vec<PinUse>,
}

impl SourceFraming {
    /// Its name, with the variant where there are several.
    pub fn full_name(&self) -> String {
        match &self.variant {
            Some(variant) => format!("{} ({variant})", self.name),
            None => self.name.clone(),
        }
    }

    /// Whether it is initialised to zeros and nothing else: storage that something fills when the driver runs, or the end
    /// of a table, and no framing that somebody states.
    pub fn is_blank(&self) -> bool {
        let is_zero = |member: &Member| {
            matches!(member.value, Ok(MemberValue::Word(0))) || member.value == Ok(MemberValue::Guid(Guid::NULL))
        };
        self.form == Form::Initializer && self.members.iter().all(is_zero)
    }

    /// The members whose values are not known.
    pub fn unknown(&self) -> impl Iterator<Item = (&Member, &Unknown)> {
        self.members.iter().filter_map(|member| member.value.as_ref().err().map(|unknown| (member, unknown)))
    }

    /// A member by its name.
    pub fn member(&self, item: Option<usize>, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.item == item && member.name == name)
    }

    /// The items it has.
    pub fn item_count(&self) -> usize {
        self.members.iter().filter_map(|member| member.item).max().map_or(0, |last| last + 1)
    }

    /// The bytes a compiler would make of it; where a value is not known there is 0, and [`unknown`](Self::unknown)
    /// names the member. `CountItems` is what the source says.
    pub fn bytes_or_zero(&self) -> Vec<u8> {
        let mut bytes = match self.structure {
            Structure::Old => vec![0; 24],
            Structure::Extended => vec![0; HEAD_BYTES + ITEM_BYTES * self.item_count()],
        };
        for member in &self.members {
            let value = match &member.value {
                Ok(MemberValue::Word(word)) => word.to_le_bytes().to_vec(),
                Ok(MemberValue::Guid(guid)) => guid_bytes(*guid).to_vec(),
                Err(_) => continue,
            };
            if let Some(at) = bytes.get_mut(member.offset..member.offset + value.len()) {
                at.copy_from_slice(&value);
            }
        }
        bytes
    }

    /// The bytes a compiler makes of it.
    ///
    /// # Errors
    /// The first member whose value is not known.
    pub fn bytes(&self) -> Result<Vec<u8>, &Member> {
        match self.members.iter().find(|member| member.value.is_err()) {
            Some(member) => Err(member),
            None => Ok(self.bytes_or_zero()),
        }
    }

    /// The member that holds the byte at this offset of the structure.
    pub fn member_at(&self, offset: usize) -> Option<&Member> {
        self.members.iter().rfind(|member| member.offset <= offset)
    }
}

fn guid_bytes(guid: Guid) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&guid.data1.to_le_bytes());
    bytes[4..6].copy_from_slice(&guid.data2.to_le_bytes());
    bytes[6..8].copy_from_slice(&guid.data3.to_le_bytes());
    bytes[8..].copy_from_slice(&guid.data4);
    bytes
}

/// More items than any driver declares.
const LARGEST_NUMBER_OF_ITEMS: usize = 1024;

/// The members of a framing that begins at `base` of what `slots` hold. Where nothing states a member it is 0, or not
/// known because of `otherwise`.
pub(crate) fn members(
    structure: Structure,
    slots: &Slots,
    base: u64,
    room: usize,
    whole: Place,
    otherwise: Option<&str>,
) -> Vec<Member> {
    let mut members = Vec::new();
    let mut add = |fields: Fields, item: Option<usize>, start: usize| {
        for (offset, size, name) in fields {
            let offset = start + offset;
            let at = base + offset as u64;
            let (value, place) = if *size == 16 { slots.guid(at) } else { slots.word(at) }.unwrap_or_else(|| {
                let zero =
                    if *size == 16 { Value::Guid(Guid::NULL) } else { Value::Integer(crate::integer::Integer::int(0)) };
                (otherwise.map_or(Ok(zero), |why| Err(Unknown::new(Cause::AtRunTime, whole, why))), whole)
            });
            let value = value.map(|value| match value {
                Value::Guid(guid) => MemberValue::Guid(guid),
                // The slots hold what fits.
                Value::Integer(integer) => MemberValue::Word((integer.value & 0xFFFF_FFFF) as u32),
            });
            members.push(Member { item, name, offset, value, place });
        }
    };
    match structure {
        Structure::Old => add(OLD, None, 0),
        Structure::Extended => {
            add(HEAD, None, 0);
            let stated = slots.end(base).saturating_sub(base + HEAD_BYTES as u64).div_ceil(ITEM_BYTES as u64);
            let stated = usize::try_from(stated).unwrap_or(usize::MAX).min(room.max(1));
            let counted = match slots.word(base) {
                Some((Ok(Value::Integer(count)), _)) => {
                    usize::try_from(count.value & 0xFFFF_FFFF).unwrap_or(usize::MAX)
                }
                _ => stated,
            };
            let items = counted.min(room).max(stated).clamp(1, LARGEST_NUMBER_OF_ITEMS);
            for item in 0..items {
                add(ITEM, Some(item), HEAD_BYTES + ITEM_BYTES * item);
            }
        }
    }
    members
}
