//! What a sample carries beside its bytes. No pointers, no locks: the rules of `IMediaSample`'s getters and setters.

use super::media_type::MediaType;
use crate::hresult::*;
use ks::SampleFlags;
use std::sync::Arc;
use windows_core::HRESULT;

/// The attributes of one sample.
#[derive(Debug, Default)]
pub(crate) struct Attributes {
    /// `AM_SAMPLE_*`. `TYPECHANGED` is set exactly while there is a media type.
    pub(crate) flags: SampleFlags,
    /// `dwTypeSpecificFlags`.
    pub(crate) type_specific_flags: u32,
    /// `dwStreamId`.
    pub(crate) stream_id: u32,
    /// The stream time at which the sample starts, in 100 ns; meaningful under `TIMEVALID`.
    pub(crate) start: i64,
    /// The stream time at which it ends; meaningful under `STOPVALID`.
    pub(crate) end: i64,
    /// The media times.
    pub(crate) media_time: Option<(i64, i64)>,
    /// `lActual`: how many bytes of the buffer carry data.
    pub(crate) actual_length: i32,
    /// The new media type, where the format changes with this sample.
    pub(crate) media_type: Option<Arc<MediaType>>,
}

impl Attributes {
    /// Clears what does not survive the last `Release` (statement 98). The length does (statement 91); the times need
    /// no clearing beyond their flags. The media type is handed out, for its `pUnk` may not be released under a lock.
    #[must_use = "drop it outside the lock"]
    pub(crate) fn recycle(&mut self) -> Option<Arc<MediaType>> {
        self.flags = SampleFlags::empty();
        self.type_specific_flags = 0;
        self.stream_id = 0;
        self.media_time = None;
        self.media_type.take()
    }

    /// `GetTime`: the times to write, if any, and the answer (statements 92 to 94).
    pub(crate) fn time(&self) -> (Option<(i64, i64)>, HRESULT) {
        if !self.flags.contains(SampleFlags::TIMEVALID) {
            (None, VFW_E_SAMPLE_TIME_NOT_SET)
        } else if self.flags.contains(SampleFlags::STOPVALID) {
            (Some((self.start, self.end)), S_OK)
        } else {
            (Some((self.start, self.start.saturating_add(1))), VFW_S_NO_STOP_TIME)
        }
    }

    /// `SetTime` (statements 92, 93, 95): without a start there is no end either.
    pub(crate) fn set_time(&mut self, start: Option<i64>, end: Option<i64>) {
        let end = start.and(end);
        self.flags.set(SampleFlags::TIMEVALID, start.is_some());
        self.flags.set(SampleFlags::STOPVALID, end.is_some());
        self.start = start.unwrap_or(self.start);
        self.end = end.unwrap_or(self.end);
    }

    /// `SetMediaTime` (statements 96, 97).
    pub(crate) fn set_media_time(&mut self, start: Option<i64>, end: Option<i64>) -> HRESULT {
        self.media_time = match (start, end) {
            (None, _) => None,
            (Some(_), None) => return E_POINTER,
            (Some(start), Some(end)) => Some((start, end)),
        };
        S_OK
    }

    /// Whether a flag is set, as a BOOL-like HRESULT.
    pub(crate) fn is(&self, flag: SampleFlags) -> HRESULT {
        if self.flags.contains(flag) { S_OK } else { S_FALSE }
    }

    /// `SetActualDataLength` (statement 90).
    pub(crate) fn set_actual_length(&mut self, length: i32, size: i32) -> HRESULT {
        if length < 0 || length > size {
            return VFW_E_BUFFER_OVERFLOW;
        }
        self.actual_length = length;
        S_OK
    }

    /// Puts a media type in or takes it away, and gives back the old one, to be dropped outside the lock.
    #[must_use = "drop it outside the lock"]
    pub(crate) fn set_media_type(&mut self, media_type: Option<Arc<MediaType>>) -> Option<Arc<MediaType>> {
        self.flags.set(SampleFlags::TYPECHANGED, media_type.is_some());
        std::mem::replace(&mut self.media_type, media_type)
    }
}
