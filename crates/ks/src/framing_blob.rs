//! Framing blobs: what a pin answers to the framing properties, read from bytes nobody vouches for, and written.

use crate::{KsAllocatorFraming, KsCompression, KsFramingItem};
use core::fmt;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The members of `KSALLOCATOR_FRAMING_EX` before its items, in bytes.
const HEAD_BYTES: usize = size_of::<KsAllocatorFramingExHead>();
/// One item, in bytes.
const ITEM_BYTES: usize = size_of::<KsFramingItem>();

/// The members of `KSALLOCATOR_FRAMING_EX` that come before its items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct KsAllocatorFramingExHead {
    /// `CountItems`: how many items follow.
    pub count_items: u32,
    /// `PinFlags`.
    pub pin_flags: u32,
    /// `OutputCompression`.
    pub output_compression: KsCompression,
    /// `PinWeight`.
    pub pin_weight: u32,
}

assert_layout!(KsAllocatorFramingExHead: 24, 4 { count_items: 0, pin_flags: 4, output_compression: 8, pin_weight: 20 });

/// A `KSALLOCATOR_FRAMING_EX` with all its items, in bytes of somebody else's. No alignment is asked of them, and
/// nothing is copied before it is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct FramingEx<'a> {
    head: KsAllocatorFramingExHead,
    /// Whole items, as many as the head says.
    items: &'a [u8],
}

impl<'a> FramingEx<'a> {
    /// Reads an extended framing, exactly as long as its `CountItems` says: `24 + 88 * CountItems` bytes.
    ///
    /// # Errors
    /// Where the bytes are fewer or more, or `CountItems` is 0; see [`FramingBlobError`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, FramingBlobError> {
        let (framing, rest) = Self::parse_prefix(bytes)?;
        if rest.is_empty() {
            return Ok(framing);
        }
        Err(FramingBlobError::TrailingBytes {
            count_items: framing.head.count_items,
            offset: framing.byte_length(),
            length: bytes.len(),
        })
    }

    /// Reads the extended framing that these bytes begin with, and gives those after it.
    ///
    /// # Errors
    /// Where the bytes are fewer than its `CountItems` says, or that is 0; see [`FramingBlobError`].
    pub fn parse_prefix(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), FramingBlobError> {
        let Ok((head, items)) = KsAllocatorFramingExHead::read_from_prefix(bytes) else {
            return Err(FramingBlobError::truncated(bytes.len(), HEAD_BYTES as u64 + ITEM_BYTES as u64));
        };
        if head.count_items == 0 {
            return Err(FramingBlobError::NoItems);
        }
        let length = ITEM_BYTES as u64 * u64::from(head.count_items);
        let split = usize::try_from(length).ok().and_then(|length| items.split_at_checked(length));
        let (items, rest) = split.ok_or(FramingBlobError::truncated(bytes.len(), HEAD_BYTES as u64 + length))?;
        Ok((Self { head, items }, rest))
    }

    /// The members before the items.
    pub fn head(&self) -> &KsAllocatorFramingExHead {
        &self.head
    }

    /// The items, at least one.
    pub fn items(&self) -> impl ExactSizeIterator<Item = KsFramingItem> + DoubleEndedIterator + Clone + use<'a> {
        let (chunks, _) = self.items.as_chunks::<ITEM_BYTES>();
        chunks.iter().map(|chunk| zerocopy::transmute!(*chunk))
    }

    /// The number of bytes it was read from, and is written to.
    pub fn byte_length(&self) -> usize {
        HEAD_BYTES + self.items.len()
    }
}

impl fmt::Debug for FramingEx<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct Items<'a>(FramingEx<'a>);
        impl fmt::Debug for Items<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_list().entries(self.0.items()).finish()
            }
        }
        f.debug_struct("FramingEx").field("head", &self.head).field("items", &Items(*self)).finish()
    }
}

/// What a pin answers to one of the two framing properties.
///
/// ```
/// use ks::{AlignmentMask, FramingBlob, FramingFlags, KSMEMORY_TYPE_USER, KsAllocatorFramingEx};
/// use zerocopy::IntoBytes;
///
/// let framing = KsAllocatorFramingEx::simple(KSMEMORY_TYPE_USER, FramingFlags(0), 4, AlignmentMask(63), 1, 4096);
/// let FramingBlob::Extended(read) = FramingBlob::parse(framing.as_bytes())? else { panic!("not extended") };
/// assert!(read.items().eq(framing.framing_item));
/// # Ok::<(), ks::FramingBlobError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FramingBlob<'a> {
    /// `KSPROPERTY_CONNECTION_ALLOCATORFRAMING`: the old structure.
    Old(KsAllocatorFraming),
    /// `KSPROPERTY_CONNECTION_ALLOCATORFRAMING_EX`.
    Extended(FramingEx<'a>),
}

impl<'a> FramingBlob<'a> {
    /// Reads a framing of either kind. 24 bytes are the old structure; any other length is an extended one, as
    /// [`FramingEx::parse`] reads it.
    ///
    /// Bytes after the structure are an error, not ignored: a pin's answer is exactly as long as the structure, so
    /// more bytes mean that something else was read, or a wrong `CountItems`; and what is read is written back the
    /// same.
    ///
    /// # Errors
    /// See [`FramingBlobError`]; it names the offset and the member.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, FramingBlobError> {
        match KsAllocatorFraming::read_from_bytes(bytes) {
            Ok(framing) => Ok(Self::Old(framing)),
            Err(_) => FramingEx::parse(bytes).map(Self::Extended),
        }
    }

    /// The number of bytes it was read from, and is written to.
    pub fn byte_length(&self) -> usize {
        match self {
            Self::Old(_) => size_of::<KsAllocatorFraming>(),
            Self::Extended(framing) => framing.byte_length(),
        }
    }

    /// Writes the bytes it was read from to the start of `bytes`; gives their number.
    ///
    /// # Errors
    /// [`FramingWriteError::BufferTooSmall`]; nothing is written then.
    pub fn write_to(&self, bytes: &mut [u8]) -> Result<usize, FramingWriteError> {
        match self {
            Self::Old(framing) => {
                let length = bytes.len();
                framing.write_to_prefix(bytes).map_err(|_| FramingWriteError::BufferTooSmall {
                    needed: size_of::<KsAllocatorFraming>(),
                    length,
                })?;
                Ok(size_of::<KsAllocatorFraming>())
            }
            Self::Extended(framing) => write_framing_ex(framing.head, framing.items(), bytes),
        }
    }
}

/// Writes a `KSALLOCATOR_FRAMING_EX` with these items to the start of `bytes`; gives the number of bytes written,
/// `24 + 88 * items`. `CountItems` is the number of items, whatever the head says.
///
/// # Errors
/// See [`FramingWriteError`]; nothing is written then.
pub fn write_framing_ex(
    head: KsAllocatorFramingExHead,
    items: impl ExactSizeIterator<Item = KsFramingItem>,
    bytes: &mut [u8],
) -> Result<usize, FramingWriteError> {
    let count = items.len();
    let count_items = match u32::try_from(count) {
        Ok(0) => return Err(FramingWriteError::NoItems),
        Ok(count_items) => count_items,
        Err(_) => return Err(FramingWriteError::TooManyItems { count }),
    };
    let length = bytes.len();
    let needed = count.checked_mul(ITEM_BYTES).and_then(|bytes| bytes.checked_add(HEAD_BYTES));
    let Some(needed) = needed else { return Err(FramingWriteError::TooManyItems { count }) };
    let too_small = FramingWriteError::BufferTooSmall { needed, length };
    let bytes = bytes.get_mut(..needed).ok_or(too_small)?;
    let (head_bytes, item_bytes) = bytes.split_at_mut_checked(HEAD_BYTES).ok_or(too_small)?;
    head_bytes.copy_from_slice(KsAllocatorFramingExHead { count_items, ..head }.as_bytes());
    for (item, bytes) in items.zip(item_bytes.chunks_exact_mut(ITEM_BYTES)) {
        bytes.copy_from_slice(item.as_bytes());
    }
    Ok(needed)
}

/// Why bytes are not a framing. Each says where: the offset, and the member that should be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FramingBlobError {
    /// The bytes end inside the structure.
    Truncated {
        /// Where they end.
        offset: usize,
        /// How long the structure is, by its `CountItems`; where that is cut off too, with one item.
        expected: u64,
        /// The member they end in.
        field: FramingField,
    },
    /// `CountItems`, at offset 0, is 0 in an extended framing.
    NoItems,
    /// The bytes go on after the items.
    TrailingBytes {
        /// `CountItems`, at offset 0.
        count_items: u32,
        /// Where the structure ends.
        offset: usize,
        /// Where the bytes end.
        length: usize,
    },
}

impl FramingBlobError {
    fn truncated(offset: usize, expected: u64) -> Self {
        Self::Truncated { offset, expected, field: FramingField::at(offset) }
    }

    /// The offset of the byte that is at fault.
    pub fn offset(&self) -> usize {
        match self {
            Self::Truncated { offset, .. } | Self::TrailingBytes { offset, .. } => *offset,
            Self::NoItems => 0,
        }
    }
}

impl fmt::Display for FramingBlobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated { offset, expected, field } => {
                write!(f, "the framing ends at byte {offset}, in {field}: expected ")?;
                if *offset < HEAD_BYTES {
                    write!(f, "24 bytes (KSALLOCATOR_FRAMING) or at least {expected} (KSALLOCATOR_FRAMING_EX)")
                } else {
                    write!(f, "{expected} bytes by its CountItems")
                }
            }
            Self::NoItems => f.write_str("CountItems, at byte 0, is 0: an extended framing has at least one item"),
            Self::TrailingBytes { count_items, offset, length } => write!(
                f,
                "the framing has {length} bytes, but by its CountItems ({count_items}) it ends at byte {offset}"
            ),
        }
    }
}

impl core::error::Error for FramingBlobError {}

/// Why a framing cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FramingWriteError {
    /// There are no items.
    NoItems,
    /// There are more items than `CountItems`, or the address space, holds.
    TooManyItems {
        /// How many there are.
        count: usize,
    },
    /// The framing does not fit.
    BufferTooSmall {
        /// Bytes it takes.
        needed: usize,
        /// Bytes there are.
        length: usize,
    },
}

impl fmt::Display for FramingWriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoItems => f.write_str("an extended framing has at least one item"),
            Self::TooManyItems { count } => write!(f, "{count} items are more than a framing holds"),
            Self::BufferTooSmall { needed, length } => {
                write!(f, "the framing takes {needed} bytes, the buffer has {length}")
            }
        }
    }
}

impl core::error::Error for FramingWriteError {}

/// A member of a `KSALLOCATOR_FRAMING_EX`. It displays as in C: `FramingItem[1].PhysicalRange.Stepping`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FramingField {
    /// The item it belongs to, from 0; `None`: to the members before the items.
    pub item: Option<usize>,
    /// The header's name.
    pub name: &'static str,
}

/// The members before the items, each with the offset of its end.
const HEAD_FIELDS: &[(usize, &str)] = &[
    (4, "CountItems"),
    (8, "PinFlags"),
    (12, "OutputCompression.RatioNumerator"),
    (16, "OutputCompression.RatioDenominator"),
    (20, "OutputCompression.RatioConstantMargin"),
    (24, "PinWeight"),
];

/// The members of an item, each with the offset of its end.
const ITEM_FIELDS: &[(usize, &str)] = &[
    (16, "MemoryType"),
    (32, "BusType"),
    (36, "MemoryFlags"),
    (40, "BusFlags"),
    (44, "Flags"),
    (48, "Frames"),
    (52, "FileAlignment"),
    (56, "MemoryTypeWeight"),
    (60, "PhysicalRange.MinFrameSize"),
    (64, "PhysicalRange.MaxFrameSize"),
    (68, "PhysicalRange.Stepping"),
    (72, "FramingRange.Range.MinFrameSize"),
    (76, "FramingRange.Range.MaxFrameSize"),
    (80, "FramingRange.Range.Stepping"),
    (84, "FramingRange.InPlaceWeight"),
    (88, "FramingRange.NotInPlaceWeight"),
];

impl FramingField {
    /// The member that holds the byte at this offset of an extended framing, however many items it has.
    pub fn at(offset: usize) -> Self {
        let (item, fields, offset) = match offset.checked_sub(HEAD_BYTES) {
            None => (None, HEAD_FIELDS, offset),
            Some(offset) => (Some(offset / ITEM_BYTES), ITEM_FIELDS, offset % ITEM_BYTES),
        };
        let name = fields.iter().find(|(end, _)| offset < *end).map_or("", |(_, name)| *name);
        Self { item, name }
    }
}

impl fmt::Display for FramingField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.item {
            Some(item) => write!(f, "FramingItem[{item}].{}", self.name),
            None => f.write_str(self.name),
        }
    }
}
