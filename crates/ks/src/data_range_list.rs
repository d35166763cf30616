//! Reading what `KSPROPERTY_PIN_DATARANGES` answers: a list of data ranges, each with the attributes that follow it.
//!
//! The bytes come from a device or a stranger and may be anything. Everything in a list starts at a multiple of 8 bytes
//! from the list's beginning, as Microsoft's pages say of data ranges; the bytes themselves may lie anywhere.

use crate::{DataRangeFlags, KsAttribute, KsDataRange, KsMultipleItem};
use core::fmt;
use zerocopy::FromBytes;

/// Bytes of a `KSMULTIPLE_ITEM`.
const LIST_HEAD: usize = size_of::<KsMultipleItem>();
/// Bytes of a `KSDATARANGE`.
const RANGE_HEAD: usize = size_of::<KsDataRange>();
/// Bytes of a `KSATTRIBUTE`.
const ATTRIBUTE_HEAD: usize = size_of::<KsAttribute>();

/// The next multiple of 8.
fn aligned(offset: usize) -> Option<usize> {
    offset.checked_next_multiple_of(8)
}

/// The bytes are no data ranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DataRangeError {
    /// A structure does not fit the bytes that are left.
    TooShort {
        /// The structure's name.
        structure: &'static str,
        /// Bytes it takes.
        needed: usize,
        /// Bytes that are left.
        length: usize,
    },
    /// A structure's size is less than its head.
    SizeTooSmall {
        /// The name of the member that says the size.
        field: &'static str,
        /// The size.
        size: u32,
    },
    /// `Count` is not the number of ranges, nor that of ranges and lists of attributes.
    WrongCount {
        /// What `Count` says.
        count: u32,
        /// The ranges that are there.
        ranges: u32,
        /// The lists of attributes that are there.
        lists: u32,
    },
}

impl fmt::Display for DataRangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort { structure, needed, length } => {
                write!(f, "{structure} takes {needed} bytes, and {length} are left")
            }
            Self::SizeTooSmall { field, size } => write!(f, "{field} is {size}, less than the structure's head"),
            Self::WrongCount { count, ranges, lists } => write!(
                f,
                "KSMULTIPLE_ITEM.Count is {count}, and there are {ranges} data ranges and {lists} lists of attributes"
            ),
        }
    }
}

impl core::error::Error for DataRangeError {}

/// The head of a structure, and the bytes that its size says it has.
fn structure<'a, T: FromBytes>(
    bytes: &'a [u8],
    name: &'static str,
    field: &'static str,
    size: impl FnOnce(&T) -> u32,
) -> Result<(T, &'a [u8]), DataRangeError> {
    let too_short = |needed| DataRangeError::TooShort { structure: name, needed, length: bytes.len() };
    let (head, _) = T::read_from_prefix(bytes).map_err(|_| too_short(size_of::<T>()))?;
    let size = size(&head);
    // A size that is no usize is more than there is.
    let needed = usize::try_from(size).unwrap_or(usize::MAX);
    if needed < size_of::<T>() {
        return Err(DataRangeError::SizeTooSmall { field, size });
    }
    Ok((head, bytes.get(..needed).ok_or(too_short(needed))?))
}

/// A list of attributes: a `KSMULTIPLE_ITEM` and the `KSATTRIBUTE`s after it. Every one of them is known to fit.
#[derive(Clone, Copy, Debug)]
pub struct AttributeList<'a> {
    /// The whole list, by its `Size`.
    bytes: &'a [u8],
    count: u32,
}

impl<'a> AttributeList<'a> {
    /// The list with nothing in it.
    pub const EMPTY: Self = Self { bytes: &[], count: 0 };

    /// Reads the list that these bytes begin with.
    ///
    /// # Errors
    /// The list, or an attribute of it, does not fit.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DataRangeError> {
        let (head, bytes) =
            structure::<KsMultipleItem>(bytes, "KSMULTIPLE_ITEM", "KSMULTIPLE_ITEM.Size", |head| head.size)?;
        let mut offset = LIST_HEAD;
        for _ in 0..head.count {
            // Past the end where the padding of the attribute before is missing.
            let rest = bytes.get(offset..).unwrap_or_default();
            let (_, attribute) = Self::attribute(rest)?;
            offset = aligned(offset + attribute.len()).unwrap_or(usize::MAX);
        }
        Ok(Self { bytes, count: head.count })
    }

    fn attribute(bytes: &'a [u8]) -> Result<(KsAttribute, &'a [u8]), DataRangeError> {
        structure::<KsAttribute>(bytes, "KSATTRIBUTE", "KSATTRIBUTE.Size", |head| head.size)
    }

    /// The attributes, each with what follows its head.
    pub fn iter(&self) -> impl Iterator<Item = (KsAttribute, &'a [u8])> + use<'a> {
        let Self { bytes, count } = *self;
        let mut offset = LIST_HEAD;
        (0..count).map_while(move |_| {
            let (head, attribute) = Self::attribute(bytes.get(offset..)?).ok()?;
            offset = aligned(offset + attribute.len())?;
            Some((head, &attribute[ATTRIBUTE_HEAD..]))
        })
    }
}

/// A data range, and the attributes attached to it.
#[derive(Clone, Copy, Debug)]
pub struct DataRange<'a> {
    head: KsDataRange,
    /// The range, and the list where there is one.
    bytes: &'a [u8],
    attributes: Option<AttributeList<'a>>,
}

impl<'a> DataRange<'a> {
    /// Reads the range that these bytes begin with, and the list that follows it where its flags say so.
    ///
    /// # Errors
    /// The range, or its list, does not fit.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DataRangeError> {
        let (head, range) =
            structure::<KsDataRange>(bytes, "KSDATARANGE", "KSDATARANGE.FormatSize", |head| head.format_size)?;
        if !head.range_flags().contains(DataRangeFlags::ATTRIBUTES) {
            return Ok(Self { head, bytes: range, attributes: None });
        }
        // Past the end where nothing follows.
        let start = aligned(range.len()).unwrap_or(usize::MAX);
        let attributes = AttributeList::parse(bytes.get(start..).unwrap_or_default())?;
        Ok(Self { head, bytes: &bytes[..start + attributes.bytes.len()], attributes: Some(attributes) })
    }

    /// The range's head.
    pub fn head(&self) -> &KsDataRange {
        &self.head
    }

    /// The range and, where there are attributes, the padding before them and their list.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The attributes, where the range's flags say that it has a list of them.
    pub fn attributes(&self) -> Option<AttributeList<'a>> {
        self.attributes
    }
}

/// A list of data ranges. Every one of them is known to fit.
///
/// `KSMULTIPLE_ITEM.Count` may count the lists of attributes or not: no page says which. The ranges are told by their
/// place.
#[derive(Clone, Copy, Debug)]
pub struct DataRanges<'a> {
    /// The ranges, without the list's head.
    bytes: &'a [u8],
    len: u32,
}

impl<'a> DataRanges<'a> {
    /// Reads the list that these bytes begin with.
    ///
    /// # Errors
    /// The list, a range of it or a range's list of attributes does not fit, or `Count` is wrong.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DataRangeError> {
        let (KsMultipleItem { count, .. }, bytes) =
            structure::<KsMultipleItem>(bytes, "KSMULTIPLE_ITEM", "KSMULTIPLE_ITEM.Size", |head| head.size)?;
        let bytes = &bytes[LIST_HEAD..];
        let (mut rest, mut ranges, mut lists) = (bytes, 0, 0);
        while ranges < count && (lists == 0 || rest.len() >= RANGE_HEAD) {
            let range = DataRange::parse(rest)?;
            rest = aligned(range.bytes.len()).and_then(|next| rest.get(next..)).unwrap_or_default();
            ranges += 1;
            lists += u32::from(range.attributes.is_some());
        }
        if count > ranges.saturating_add(lists) {
            return Err(DataRangeError::WrongCount { count, ranges, lists });
        }
        Ok(Self { bytes, len: ranges })
    }

    /// How many ranges there are.
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The ranges in their order.
    pub fn iter(&self) -> impl Iterator<Item = DataRange<'a>> + use<'a> {
        let mut rest = self.bytes;
        (0..self.len).map_while(move |_| {
            let range = DataRange::parse(rest).ok()?;
            rest = aligned(range.bytes.len()).and_then(|next| rest.get(next..)).unwrap_or_default();
            Some(range)
        })
    }
}
