//! Frames on their way: `KSSTREAM_HEADER`, its time, and the segment of an I/O operation.

use crate::{Native, PointerWidth};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

open_enum! {
    /// `KSIOOPERATION`: which way an I/O operation goes.
    KsIoOperation {
        /// To the pin.
        WRITE = 0, KsIoOperation_Write;
        /// From the pin.
        READ = 1, KsIoOperation_Read;
    }
}

flags! {
    /// `KSSTREAM_HEADER_OPTIONSF_*`. The same numbers as [`SampleFlags`](crate::SampleFlags) up to 0x200, but for
    /// 0x100, which means that the stop time is valid there.
    StreamHeaderFlags {
        /// Decoding can start here.
        SPLICEPOINT = 0x0000_0001, KSSTREAM_HEADER_OPTIONSF_SPLICEPOINT;
        /// Not to be presented.
        PREROLL = 0x0000_0002, KSSTREAM_HEADER_OPTIONSF_PREROLL;
        /// It does not follow on the one before.
        DATADISCONTINUITY = 0x0000_0004, KSSTREAM_HEADER_OPTIONSF_DATADISCONTINUITY;
        /// The format changes here.
        TYPECHANGED = 0x0000_0008, KSSTREAM_HEADER_OPTIONSF_TYPECHANGED;
        /// `PresentationTime` is valid.
        TIMEVALID = 0x0000_0010, KSSTREAM_HEADER_OPTIONSF_TIMEVALID;
        /// Its time does not follow on the one before.
        TIMEDISCONTINUITY = 0x0000_0040, KSSTREAM_HEADER_OPTIONSF_TIMEDISCONTINUITY;
        /// To be dropped when the stream pauses.
        FLUSHONPAUSE = 0x0000_0080, KSSTREAM_HEADER_OPTIONSF_FLUSHONPAUSE;
        /// `Duration` is valid.
        DURATIONVALID = 0x0000_0100, KSSTREAM_HEADER_OPTIONSF_DURATIONVALID;
        /// The last one.
        ENDOFSTREAM = 0x0000_0200, KSSTREAM_HEADER_OPTIONSF_ENDOFSTREAM;
        /// Filled piece by piece.
        BUFFEREDTRANSFER = 0x0000_0400, KSSTREAM_HEADER_OPTIONSF_BUFFEREDTRANSFER;
        /// Its data is in video memory.
        VRAM_DATA_TRANSFER = 0x0000_0800, KSSTREAM_HEADER_OPTIONSF_VRAM_DATA_TRANSFER;
        /// Its data is to be repeated.
        LOOPEDDATA = 0x8000_0000, KSSTREAM_HEADER_OPTIONSF_LOOPEDDATA;
    }
}

/// `KSTIME`: a time in units of `numerator / denominator` × 100 ns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C, align(8))]
pub struct KsTime {
    /// `Time`.
    pub time: i64,
    /// `Numerator`.
    pub numerator: u32,
    /// `Denominator`.
    pub denominator: u32,
}

/// `KSSTREAM_HEADER`: one frame of a read or write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(C, align(8))]
pub struct KsStreamHeaderFor<P: PointerWidth> {
    /// `Size`: bytes of this structure and whatever follows it.
    pub size: u32,
    /// `TypeSpecificFlags`.
    pub type_specific_flags: u32,
    /// `PresentationTime`.
    pub presentation_time: KsTime,
    /// `Duration`, in the units of the presentation time.
    pub duration: i64,
    /// `FrameExtent`: bytes of the frame.
    pub frame_extent: u32,
    /// `DataUsed`: bytes of it that hold data.
    pub data_used: u32,
    /// `Data`: the frame.
    pub data: P::Pointer,
    /// `OptionsFlags`.
    pub options_flags: StreamHeaderFlags,
    /// `Reserved`, in the 64-bit structure only.
    pub reserved: P::HeaderReserved,
}

/// [`KsStreamHeaderFor`] this program.
pub type KsStreamHeader = KsStreamHeaderFor<Native>;

/// `KSSTREAM_SEGMENT`: an I/O operation on its way, the head of what its interface handler keeps about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct KsStreamSegmentFor<P: PointerWidth> {
    /// `KsInterfaceHandler`: an `IKsInterfaceHandler *`.
    pub ks_interface_handler: P::Pointer,
    /// `KsDataTypeHandler`: an `IKsDataTypeHandler *`.
    pub ks_data_type_handler: P::Pointer,
    /// `IoOperation`.
    pub io_operation: KsIoOperation,
    /// `CompletionEvent`: the handle of an event.
    pub completion_event: P::Pointer,
}

/// [`KsStreamSegmentFor`] this program.
pub type KsStreamSegment = KsStreamSegmentFor<Native>;

assert_layout!(KsTime: 16, 8 { time: 0, numerator: 8, denominator: 12 });
assert_layout_by_width!(KsStreamHeaderFor: 56 | 48, 8 | 8 {
    size: 0 | 0, type_specific_flags: 4 | 4, presentation_time: 8 | 8, duration: 24 | 24, frame_extent: 32 | 32,
    data_used: 36 | 36, data: 40 | 40, options_flags: 48 | 44, reserved: 52 | 48,
});
assert_layout_by_width!(KsStreamSegmentFor: 32 | 16, 8 | 4 {
    ks_interface_handler: 0 | 0, ks_data_type_handler: 8 | 4, io_operation: 16 | 8, completion_event: 24 | 12,
});
