//! Alignment, which Kernel Streaming states as a mask and DirectShow as a count.

use core::fmt;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// `FileAlignment`: the alignment in bytes minus 1, as the `FILE_*_ALIGNMENT` constants are. 0 asks nothing.
///
/// A driver can write any number here. One that is not a power of two minus 1 is representable, and
/// [`bytes`](Self::bytes) reports it.
///
/// ```
/// use ks::{AlignmentCount, AlignmentMask};
/// assert_eq!(AlignmentMask(4095).bytes(), Ok(4096));
/// assert_eq!(AlignmentCount::try_from(AlignmentMask(63)), Ok(AlignmentCount(64)));
/// assert!(AlignmentMask(4096).bytes().is_err());
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(transparent)]
pub struct AlignmentMask(pub u32);

impl AlignmentMask {
    /// `FILE_BYTE_ALIGNMENT`: none.
    pub const BYTE: Self = Self(0x000);
    /// `FILE_WORD_ALIGNMENT`: 2 bytes.
    pub const WORD: Self = Self(0x001);
    /// `FILE_LONG_ALIGNMENT`: 4 bytes.
    pub const LONG: Self = Self(0x003);
    /// `FILE_QUAD_ALIGNMENT`: 8 bytes.
    pub const QUAD: Self = Self(0x007);
    /// `FILE_OCTA_ALIGNMENT`: 16 bytes.
    pub const OCTA: Self = Self(0x00F);
    /// `FILE_32_BYTE_ALIGNMENT`.
    pub const BYTES_32: Self = Self(0x01F);
    /// `FILE_64_BYTE_ALIGNMENT`.
    pub const BYTES_64: Self = Self(0x03F);
    /// `FILE_128_BYTE_ALIGNMENT`.
    pub const BYTES_128: Self = Self(0x07F);
    /// `FILE_256_BYTE_ALIGNMENT`.
    pub const BYTES_256: Self = Self(0x0FF);
    /// `FILE_512_BYTE_ALIGNMENT`.
    pub const BYTES_512: Self = Self(0x1FF);

    /// The header's name of every constant (wdm.h).
    pub const NAMES: &'static [(&'static str, Self)] = &[
        ("FILE_BYTE_ALIGNMENT", Self::BYTE),
        ("FILE_WORD_ALIGNMENT", Self::WORD),
        ("FILE_LONG_ALIGNMENT", Self::LONG),
        ("FILE_QUAD_ALIGNMENT", Self::QUAD),
        ("FILE_OCTA_ALIGNMENT", Self::OCTA),
        ("FILE_32_BYTE_ALIGNMENT", Self::BYTES_32),
        ("FILE_64_BYTE_ALIGNMENT", Self::BYTES_64),
        ("FILE_128_BYTE_ALIGNMENT", Self::BYTES_128),
        ("FILE_256_BYTE_ALIGNMENT", Self::BYTES_256),
        ("FILE_512_BYTE_ALIGNMENT", Self::BYTES_512),
    ];

    /// Whether it is a power of two minus 1.
    pub const fn is_valid(self) -> bool {
        self.0 & self.0.wrapping_add(1) == 0
    }

    /// The alignment in bytes, 1 to 2^32.
    ///
    /// # Errors
    /// [`AlignmentError::NotAMask`] where it is not a power of two minus 1.
    pub const fn bytes(self) -> Result<u64, AlignmentError> {
        if self.is_valid() { Ok(self.0 as u64 + 1) } else { Err(AlignmentError::NotAMask(self)) }
    }
}

/// `cbAlign`: the alignment in bytes. Valid where it is a power of two; DirectShow's LONG holds any number.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(transparent)]
pub struct AlignmentCount(pub i32);

impl AlignmentCount {
    /// Whether it is a power of two.
    pub const fn is_valid(self) -> bool {
        self.0 > 0 && self.0.count_ones() == 1
    }
}

impl TryFrom<AlignmentMask> for AlignmentCount {
    type Error = AlignmentError;

    fn try_from(mask: AlignmentMask) -> Result<Self, AlignmentError> {
        let bytes = mask.bytes()?;
        i32::try_from(bytes).map(Self).map_err(|_| AlignmentError::TooLarge(mask))
    }
}

impl TryFrom<AlignmentCount> for AlignmentMask {
    type Error = AlignmentError;

    fn try_from(count: AlignmentCount) -> Result<Self, AlignmentError> {
        match u32::try_from(count.0) {
            Ok(bytes) if bytes.is_power_of_two() => Ok(Self(bytes - 1)),
            _ => Err(AlignmentError::NotAPowerOfTwo(count)),
        }
    }
}

impl fmt::Debug for AlignmentMask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AlignmentMask({:#x})", self.0)
    }
}

impl fmt::Debug for AlignmentCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AlignmentCount({})", self.0)
    }
}

/// Why an alignment has no counterpart in the other notation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlignmentError {
    /// The mask is not a power of two minus 1.
    NotAMask(AlignmentMask),
    /// The count is not a power of two.
    NotAPowerOfTwo(AlignmentCount),
    /// The mask's alignment does not fit the LONG `cbAlign`.
    TooLarge(AlignmentMask),
}

impl fmt::Display for AlignmentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAMask(mask) => write!(f, "the alignment mask {:#x} is not a power of two minus 1", mask.0),
            Self::NotAPowerOfTwo(count) => write!(f, "the alignment of {} bytes is not a power of two", count.0),
            Self::TooLarge(mask) => {
                write!(f, "the alignment mask {:#x} asks for {} bytes, over 2^30", mask.0, u64::from(mask.0) + 1)
            }
        }
    }
}

impl core::error::Error for AlignmentError {}

/// A union of `FileAlignment` and `FramePitch`, in `KSALLOCATOR_FRAMING` and `KS_FRAMING_ITEM`. It is a pitch where
/// the flags say [`TWO_D_BUFFER_REQUIRED`](crate::AllocatorFlags::TWO_D_BUFFER_REQUIRED).
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(transparent)]
pub struct AlignmentOrPitch(pub u32);

impl AlignmentOrPitch {
    /// A `FramePitch`: bytes per row; negative where rows are stored from the last to the first.
    pub const fn from_pitch(pitch: i32) -> Self {
        Self(pitch.cast_unsigned())
    }
    /// A `FileAlignment`.
    pub const fn from_mask(mask: AlignmentMask) -> Self {
        Self(mask.0)
    }
    /// Read as `FileAlignment`.
    pub const fn file_alignment(self) -> AlignmentMask {
        AlignmentMask(self.0)
    }
    /// Read as `FramePitch`: bytes per row.
    pub const fn frame_pitch(self) -> i32 {
        self.0.cast_signed()
    }
}

impl From<AlignmentMask> for AlignmentOrPitch {
    fn from(mask: AlignmentMask) -> Self {
        Self::from_mask(mask)
    }
}

impl fmt::Debug for AlignmentOrPitch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AlignmentOrPitch({:#x})", self.0)
    }
}
