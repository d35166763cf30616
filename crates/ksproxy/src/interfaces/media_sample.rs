//! `IMediaSample` and `IMediaSample2`.
#![allow(missing_docs, elided_lifetimes_in_paths, clippy::missing_safety_doc)]

use ks::AmMediaType;
use windows_core::{HRESULT, IUnknown, IUnknown_Vtbl, interface};

/// `IMediaSample` (strmif.h): a frame on its way through a graph.
///
/// | slot | method | slot | method |
/// | --- | --- | --- | --- |
/// | 3 | `GetPointer` | 11 | `GetActualDataLength` (not an HRESULT) |
/// | 4 | `GetSize` (not an HRESULT) | 12 | `SetActualDataLength` |
/// | 5 | `GetTime` | 13 | `GetMediaType` |
/// | 6 | `SetTime` | 14 | `SetMediaType` |
/// | 7 | `IsSyncPoint` | 15 | `IsDiscontinuity` |
/// | 8 | `SetSyncPoint` | 16 | `SetDiscontinuity` |
/// | 9 | `IsPreroll` | 17 | `GetMediaTime` |
/// | 10 | `SetPreroll` | 18 | `SetMediaTime` |
///
/// At the last `Release` the sample goes back to its allocator and may not be touched again.
#[interface("56A8689A-0AD4-11CE-B03A-0020AF0BA770")]
pub unsafe trait IMediaSample: IUnknown {
    /// Slot 3. The frame's first byte, after the prefix.
    pub fn GetPointer(&self, buffer: *mut *mut u8) -> HRESULT;
    /// Slot 4. The frame's size in bytes, without prefix.
    pub fn GetSize(&self) -> i32;
    /// Slot 5. The stream times, in units of 100 ns.
    pub fn GetTime(&self, start: *mut i64, end: *mut i64) -> HRESULT;
    /// Slot 6. Sets or, with null, clears the stream times.
    pub fn SetTime(&self, start: *const i64, end: *const i64) -> HRESULT;
    /// Slot 7. `S_OK` yes, `S_FALSE` no.
    pub fn IsSyncPoint(&self) -> HRESULT;
    /// Slot 8. Anything but 0 sets.
    pub fn SetSyncPoint(&self, sync_point: i32) -> HRESULT;
    /// Slot 9. `S_OK` yes, `S_FALSE` no.
    pub fn IsPreroll(&self) -> HRESULT;
    /// Slot 10. Anything but 0 sets.
    pub fn SetPreroll(&self, preroll: i32) -> HRESULT;
    /// Slot 11. The bytes of the frame that carry data.
    pub fn GetActualDataLength(&self) -> i32;
    /// Slot 12. 0 to the size; else `VFW_E_BUFFER_OVERFLOW`.
    pub fn SetActualDataLength(&self, length: i32) -> HRESULT;
    /// Slot 13. A deep copy that the caller frees, or null and `S_FALSE`.
    pub fn GetMediaType(&self, media_type: *mut *mut AmMediaType) -> HRESULT;
    /// Slot 14. Deep-copies a new media type in, or with null takes it away.
    pub fn SetMediaType(&self, media_type: *const AmMediaType) -> HRESULT;
    /// Slot 15. `S_OK` yes, `S_FALSE` no.
    pub fn IsDiscontinuity(&self) -> HRESULT;
    /// Slot 16. Anything but 0 sets.
    pub fn SetDiscontinuity(&self, discontinuity: i32) -> HRESULT;
    /// Slot 17. The media times, in units the stream defines.
    pub fn GetMediaTime(&self, start: *mut i64, end: *mut i64) -> HRESULT;
    /// Slot 18. Sets or, with null, clears the media times.
    pub fn SetMediaTime(&self, start: *const i64, end: *const i64) -> HRESULT;
}

/// `IMediaSample2` (strmif.h): a sample's properties in one structure.
///
/// | slot | method |
/// | --- | --- |
/// | 19 | `GetProperties` |
/// | 20 | `SetProperties` |
#[interface("36B73884-C2C8-11CF-8B46-00805F6CEF60")]
pub unsafe trait IMediaSample2: IMediaSample {
    /// Slot 19. Writes the first `size` bytes of an `AM_SAMPLE2_PROPERTIES`.
    pub fn GetProperties(&self, size: u32, properties: *mut u8) -> HRESULT;
    /// Slot 20. Takes the first bytes of an `AM_SAMPLE2_PROPERTIES`: all or nothing.
    pub fn SetProperties(&self, size: u32, properties: *const u8) -> HRESULT;
}
