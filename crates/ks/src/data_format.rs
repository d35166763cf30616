//! Formats, ranges of formats, their attributes, and the request of a pin factory's property (ks.h).

use crate::{Guid, KsProperty, Native, PointerWidth};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

flags! {
    /// `KSDATAFORMAT_*`: the flags of a [`KsDataFormat`].
    DataFormatFlags {
        /// The samples depend on one another.
        TEMPORAL_COMPRESSION = 0x1, KSDATAFORMAT_TEMPORAL_COMPRESSION;
        /// A list of attributes follows.
        ATTRIBUTES = 0x2, KSDATAFORMAT_ATTRIBUTES;
    }

    /// `KSDATARANGE_*`: the flags of a [`KsDataRange`].
    DataRangeFlags {
        /// A list of attributes follows.
        ATTRIBUTES = 0x2, KSDATARANGE_ATTRIBUTES;
        /// The list has attributes that are required.
        REQUIRED_ATTRIBUTES = 0x4, KSDATARANGE_REQUIRED_ATTRIBUTES;
    }

    /// `KSATTRIBUTE_*`: the flags of a [`KsAttribute`].
    AttributeFlags {
        /// A format without the attribute is none of the range's.
        REQUIRED = 0x1, KSATTRIBUTE_REQUIRED;
    }
}

/// `KSDATAFORMAT` and `KSDATARANGE`: the head of a format, or of a range of formats. `FormatSize` counts it and what
/// follows it by its specifier; a list of attributes comes after that.
///
/// In the headers it is a union with a LONGLONG, which is what aligns it to 8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C, align(8))]
pub struct KsDataFormat {
    /// `FormatSize`: bytes of the format, this head included, attributes not.
    pub format_size: u32,
    /// `Flags`: by what the structure is, [`DataFormatFlags`] or [`DataRangeFlags`].
    pub flags: u32,
    /// `SampleSize`: bytes of a sample where they are fixed, else 0. A range has none.
    pub sample_size: u32,
    /// `Reserved`: 0.
    pub reserved: u32,
    /// `MajorFormat`.
    pub major_format: Guid,
    /// `SubFormat`.
    pub sub_format: Guid,
    /// `Specifier`: what follows the head.
    pub specifier: Guid,
}

/// `KSDATARANGE`.
pub type KsDataRange = KsDataFormat;

impl KsDataFormat {
    /// The flags of a format.
    pub const fn format_flags(&self) -> DataFormatFlags {
        DataFormatFlags::from_bits_retain(self.flags)
    }
    /// The flags of a range.
    pub const fn range_flags(&self) -> DataRangeFlags {
        DataRangeFlags::from_bits_retain(self.flags)
    }
}

/// `KSATTRIBUTE`: the head of an attribute of a format or range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct KsAttribute {
    /// `Size`: bytes of the attribute, this head included.
    pub size: u32,
    /// `Flags`.
    pub flags: AttributeFlags,
    /// `Attribute`: which it is, and so what follows the head.
    pub attribute: Guid,
}

/// `KSATTRIBUTE_LIST`: the attributes of a range as a driver has them. Kernel mode only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct KsAttributeListFor<P: PointerWidth> {
    /// `Count`: how many there are.
    pub count: u32,
    /// `Attributes`: a `KSATTRIBUTE **`.
    pub attributes: P::Pointer,
}

/// [`KsAttributeListFor`] this program.
pub type KsAttributeList = KsAttributeListFor<Native>;

/// `KSP_PIN`: the request of a property of [`KSPROPSETID_Pin`](crate::KSPROPSETID_Pin).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct KspPin {
    /// `Property`.
    pub property: KsProperty,
    /// `PinId`: the pin factory.
    pub pin_id: u32,
    /// `Reserved`: 0.
    pub reserved: u32,
}

assert_layout!(KsDataFormat: 64, 8 {
    format_size: 0, flags: 4, sample_size: 8, reserved: 12, major_format: 16, sub_format: 32, specifier: 48,
});
assert_layout!(KsAttribute: 24, 4 { size: 0, flags: 4, attribute: 8 });
assert_layout!(KspPin: 32, 8 { property: 0, pin_id: 24, reserved: 28 });
assert_layout_by_width!(KsAttributeListFor: 16 | 8, 8 | 4 { count: 0 | 0, attributes: 8 | 4 });
