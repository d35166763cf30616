//! `IMemInputPin` and `IAMBufferNegotiation`: how two pins of DirectShow agree on an allocator.
#![allow(missing_docs, elided_lifetimes_in_paths, clippy::missing_safety_doc)]

use super::{IMediaSample, IMemAllocator};
use ks::AllocatorProperties;
use windows_core::{HRESULT, IUnknown, IUnknown_Vtbl, Ref, interface};

/// `IMemInputPin` (strmif.h): how an input pin is given samples.
///
/// | slot | method | answers |
/// | --- | --- | --- |
/// | 3 | `GetAllocator` | `S_OK`, `E_POINTER`, `VFW_E_NO_ALLOCATOR` |
/// | 4 | `NotifyAllocator` | `S_OK`, `E_POINTER` |
/// | 5 | `GetAllocatorRequirements` | `S_OK`, `E_POINTER`, `E_NOTIMPL` |
/// | 6 | `Receive` | `S_OK`, `S_FALSE`, `E_POINTER`, `VFW_E_WRONG_STATE` and others |
/// | 7 | `ReceiveMultiple` | the same |
/// | 8 | `ReceiveCanBlock` | `S_OK` yes, `S_FALSE` no |
#[interface("56A8689D-0AD4-11CE-B03A-0020AF0BA770")]
pub unsafe trait IMemInputPin: IUnknown {
    /// Slot 3. An allocator the pin offers, with a reference.
    pub fn GetAllocator(&self, allocator: *mut Option<IMemAllocator>) -> HRESULT;
    /// Slot 4. The allocator that was chosen. Anything but 0 for `read_only`: samples may not be changed.
    pub fn NotifyAllocator(&self, allocator: Ref<IMemAllocator>, read_only: i32) -> HRESULT;
    /// Slot 5. What the pin asks of an allocator (statement 164).
    pub fn GetAllocatorRequirements(&self, properties: *mut AllocatorProperties) -> HRESULT;
    /// Slot 6. A sample, which the caller does not touch afterwards.
    pub fn Receive(&self, sample: Ref<IMediaSample>) -> HRESULT;
    /// Slot 7. `count` samples; `*processed` becomes the number taken.
    pub fn ReceiveMultiple(&self, samples: *const Option<IMediaSample>, count: i32, processed: *mut i32) -> HRESULT;
    /// Slot 8. Whether `Receive` may wait.
    pub fn ReceiveCanBlock(&self) -> HRESULT;
}

/// `IAMBufferNegotiation` (strmif.h): what an application asks of an output pin's allocator.
///
/// | slot | method | answers |
/// | --- | --- | --- |
/// | 3 | `SuggestAllocatorProperties` | `S_OK`, `E_POINTER`, `VFW_E_ALREADY_CONNECTED` |
/// | 4 | `GetAllocatorProperties` | `S_OK`, `E_POINTER`, `VFW_E_NOT_CONNECTED`, `E_FAIL` |
#[interface("56ED71A0-AF5F-11D0-B3F0-00AA003761C5")]
pub unsafe trait IAMBufferNegotiation: IUnknown {
    /// Slot 3. Before the pin is connected: what its allocator should have. A negative number is "as you like".
    pub fn SuggestAllocatorProperties(&self, properties: *const AllocatorProperties) -> HRESULT;
    /// Slot 4. After: what it has.
    pub fn GetAllocatorProperties(&self, properties: *mut AllocatorProperties) -> HRESULT;
}
