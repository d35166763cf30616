//! DirectShow's side of a frame (strmif.h): the properties of a media sample, media types, and how a sample is asked
//! for.

use crate::{Guid, Native, PointerWidth};

flags! {
    /// `AM_GBF_*`: how `IMemAllocator::GetBuffer` is called.
    GetBufferFlags {
        /// The sample before was skipped.
        PREVFRAMESKIPPED = 0x1, AM_GBF_PREVFRAMESKIPPED;
        /// Not a synchronisation point.
        NOTASYNCPOINT = 0x2, AM_GBF_NOTASYNCPOINT;
        /// Not to wait: `VFW_E_TIMEOUT` where no sample is free.
        NOWAIT = 0x4, AM_GBF_NOWAIT;
        /// Not to lock a DirectDraw surface.
        NODDSURFACELOCK = 0x8, AM_GBF_NODDSURFACELOCK;
    }

    /// `AM_SAMPLE_*`: `AM_SAMPLE2_PROPERTIES.dwSampleFlags`.
    SampleFlags {
        /// A synchronisation point.
        SPLICEPOINT = 0x001, AM_SAMPLE_SPLICEPOINT;
        /// Not to be presented.
        PREROLL = 0x002, AM_SAMPLE_PREROLL;
        /// It does not follow on the one before.
        DATADISCONTINUITY = 0x004, AM_SAMPLE_DATADISCONTINUITY;
        /// The media type changes here.
        TYPECHANGED = 0x008, AM_SAMPLE_TYPECHANGED;
        /// `tStart` is valid.
        TIMEVALID = 0x010, AM_SAMPLE_TIMEVALID;
        /// Its time does not follow on the one before.
        TIMEDISCONTINUITY = 0x040, AM_SAMPLE_TIMEDISCONTINUITY;
        /// To be dropped when the graph pauses.
        FLUSH_ON_PAUSE = 0x080, AM_SAMPLE_FLUSH_ON_PAUSE;
        /// `tStop` is valid.
        STOPVALID = 0x100, AM_SAMPLE_STOPVALID;
        /// The last one.
        ENDOFSTREAM = 0x200, AM_SAMPLE_ENDOFSTREAM;
    }
}

/// `AM_SAMPLE2_PROPERTIES`: everything about a media sample at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(C, align(8))]
pub struct AmSample2PropertiesFor<P: PointerWidth> {
    /// `cbData`: bytes of this structure.
    pub cb_data: u32,
    /// `dwTypeSpecificFlags`.
    pub dw_type_specific_flags: u32,
    /// `dwSampleFlags`.
    pub dw_sample_flags: SampleFlags,
    /// `lActual`: bytes of the buffer that hold data.
    pub l_actual: i32,
    /// `tStart`, 100 ns.
    pub t_start: i64,
    /// `tStop`, 100 ns.
    pub t_stop: i64,
    /// `dwStreamId`: `AM_STREAM_*`.
    pub dw_stream_id: u32,
    /// `pMediaType`: an `AM_MEDIA_TYPE *`, or null.
    pub p_media_type: P::Pointer,
    /// `pbBuffer`: the buffer.
    pub pb_buffer: P::Pointer,
    /// `cbBuffer`: bytes of it.
    pub cb_buffer: i32,
}

/// [`AmSample2PropertiesFor`] this program.
pub type AmSample2Properties = AmSample2PropertiesFor<Native>;

/// `AM_MEDIA_TYPE`: a media format. What its pointers own is the business of whoever holds it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct AmMediaTypeFor<P: PointerWidth> {
    /// `majortype`.
    pub majortype: Guid,
    /// `subtype`.
    pub subtype: Guid,
    /// `bFixedSizeSamples`: a BOOL.
    pub b_fixed_size_samples: i32,
    /// `bTemporalCompression`: a BOOL.
    pub b_temporal_compression: i32,
    /// `lSampleSize`: bytes of a sample where they are fixed.
    pub l_sample_size: u32,
    /// `formattype`: what the format block is.
    pub formattype: Guid,
    /// `pUnk`, unused.
    pub p_unk: P::Pointer,
    /// `cbFormat`: bytes of the format block.
    pub cb_format: u32,
    /// `pbFormat`: the format block, from `CoTaskMemAlloc`.
    pub pb_format: P::Pointer,
}

/// [`AmMediaTypeFor`] this program.
pub type AmMediaType = AmMediaTypeFor<Native>;

assert_layout_by_width!(AmSample2PropertiesFor: 64 | 48, 8 | 8 {
    cb_data: 0 | 0, dw_type_specific_flags: 4 | 4, dw_sample_flags: 8 | 8, l_actual: 12 | 12, t_start: 16 | 16,
    t_stop: 24 | 24, dw_stream_id: 32 | 32, p_media_type: 40 | 36, pb_buffer: 48 | 40, cb_buffer: 56 | 44,
});
assert_layout_by_width!(AmMediaTypeFor: 88 | 72, 8 | 4 {
    majortype: 0 | 0, subtype: 16 | 16, b_fixed_size_samples: 32 | 32, b_temporal_compression: 36 | 36,
    l_sample_size: 40 | 40, formattype: 44 | 44, p_unk: 64 | 60, cb_format: 72 | 64, pb_format: 80 | 68,
});
