//! `IMemAllocator`, `IMemAllocatorCallbackTemp` and the callback a client implements.
#![allow(missing_docs, elided_lifetimes_in_paths, clippy::missing_safety_doc)]

use super::IMediaSample;
use ks::{AllocatorProperties, GetBufferFlags};
use windows_core::{HRESULT, IUnknown, IUnknown_Vtbl, Ref, interface};

/// `IMemAllocator` (strmif.h): a pool of media samples.
///
/// | slot | method | answers |
/// | --- | --- | --- |
/// | 3 | `SetProperties` | `S_OK`, `E_POINTER`, `VFW_E_BADALIGN`, `VFW_E_ALREADY_COMMITTED`, `VFW_E_BUFFERS_OUTSTANDING` |
/// | 4 | `GetProperties` | `S_OK`, `E_POINTER` |
/// | 5 | `Commit` | `S_OK`, `VFW_E_SIZENOTSET`, `E_OUTOFMEMORY` |
/// | 6 | `Decommit` | `S_OK` |
/// | 7 | `GetBuffer` | `S_OK`, `E_POINTER`, `VFW_E_NOT_COMMITTED`, `VFW_E_TIMEOUT` |
/// | 8 | `ReleaseBuffer` | `S_OK`, `E_POINTER`, `E_INVALIDARG` |
///
/// Every method may be called from any thread.
#[interface("56A8689C-0AD4-11CE-B03A-0020AF0BA770")]
pub unsafe trait IMemAllocator: IUnknown {
    /// Slot 3. Asks for properties and says what they became (statements 26 to 41).
    pub fn SetProperties(&self, request: *const AllocatorProperties, actual: *mut AllocatorProperties) -> HRESULT;
    /// Slot 4. The properties as `SetProperties` left them; zeros before (statements 24, 25).
    pub fn GetProperties(&self, properties: *mut AllocatorProperties) -> HRESULT;
    /// Slot 5. Allocates the frames; cancels a decommit that waits for samples (statements 42 to 58).
    pub fn Commit(&self) -> HRESULT;
    /// Slot 6. Fails those who wait and frees the frames once all are home (statements 50 to 56).
    pub fn Decommit(&self) -> HRESULT;
    /// Slot 7. A free sample with one reference, waiting for one unless `AM_GBF_NOWAIT` is in `flags`. The times are
    /// not applied to the sample (statements 59 to 71).
    pub fn GetBuffer(
        &self,
        buffer: *mut Option<IMediaSample>,
        start: *const i64,
        end: *const i64,
        flags: GetBufferFlags,
    ) -> HRESULT;
    /// Slot 8. What a sample's last `Release` does; clients call `Release` (statements 74, 75).
    pub fn ReleaseBuffer(&self, buffer: Ref<IMediaSample>) -> HRESULT;
}

/// `IMemAllocatorCallbackTemp` (strmif.h): tells one client when a frame is free again.
///
/// | slot | method | answers |
/// | --- | --- | --- |
/// | 9 | `SetNotify` | `S_OK` |
/// | 10 | `GetFreeCount` | `S_OK`, `E_POINTER` |
#[interface("379A0CF0-C1DE-11D2-ABF5-00A0C905F375")]
pub unsafe trait IMemAllocatorCallbackTemp: IMemAllocator {
    /// Slot 9. Sets the one client to notify, or with null none (statements 76 to 84).
    pub fn SetNotify(&self, notify: Ref<IMemAllocatorNotifyCallbackTemp>) -> HRESULT;
    /// Slot 10. The samples nobody holds, whether committed or not (statements 85 to 87).
    pub fn GetFreeCount(&self, free: *mut i32) -> HRESULT;
}

/// `IMemAllocatorNotifyCallbackTemp` (strmif.h), which the client implements.
///
/// | slot | method | answers |
/// | --- | --- | --- |
/// | 3 | `NotifyRelease` | ignored |
///
/// It may be called from any thread, and the thread may hold locks of its own: signal an event and return.
#[interface("92980B30-C1DE-11D2-ABF5-00A0C905F375")]
pub unsafe trait IMemAllocatorNotifyCallbackTemp: IUnknown {
    /// Slot 3. A sample was released. No lock of the allocator is held.
    pub fn NotifyRelease(&self) -> HRESULT;
}
