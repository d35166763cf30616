//! The facts about a frame that travel with it: those of `KSSTREAM_HEADER` (ks.h).

use bitflags::bitflags;

bitflags! {
    /// `KSSTREAM_HEADER_OPTIONSF_*` (ks.h).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct FrameFlags: u32 {
        /// The frame can be decoded without those before it.
        const SPLICEPOINT = 0x0001;
        /// The frame is there to prepare for those after it and is not to be shown.
        const PREROLL = 0x0002;
        /// Frames before this one are missing.
        const DATADISCONTINUITY = 0x0004;
        /// The format changes with this frame.
        const TYPECHANGED = 0x0008;
        /// The presentation time is valid.
        const TIMEVALID = 0x0010;
        /// The presentation time does not follow from the frame before.
        const TIMEDISCONTINUITY = 0x0040;
        /// When the stream pauses, this frame is given up.
        const FLUSHONPAUSE = 0x0080;
        /// The duration is valid.
        const DURATIONVALID = 0x0100;
        /// The stream ends with this frame.
        const ENDOFSTREAM = 0x0200;
        const _ = !0;
    }
}

/// What travels with a frame: the members of `KSSTREAM_HEADER` a stream needs, and the frame's number. A frame just
/// acquired has the default one, whatever its memory carried before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameHeader {
    /// When the frame is to be shown, in units of 100 ns since the stream's start. Valid with
    /// [`FrameFlags::TIMEVALID`].
    pub presentation_time: i64,
    /// For how long, in units of 100 ns. Valid with [`FrameFlags::DURATIONVALID`].
    pub duration: i64,
    /// The frame's number in its stream, from 0.
    pub sequence: u64,
    /// How many bytes of the frame carry data (`DataUsed`).
    pub data_used: u64,
    /// What else there is to know.
    pub flags: FrameFlags,
}
