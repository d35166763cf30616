//! `IKsObject`, `IKsPin` and `IKsPinEx`.
#![allow(missing_docs, elided_lifetimes_in_paths, clippy::missing_safety_doc)]

use super::{IMediaSample, IMemAllocator};
use core::mem::ManuallyDrop;
use ks::{KsMultipleItem, KsPeekOperation, KsPinCommunication, KsPinInterface, KsPinMedium, KsStreamSegment};
use ksobject::Handle;
use windows_core::{HRESULT, IUnknown, IUnknown_Vtbl, Ref, interface};

/// `IKsObject` (ksproxy.h): a KS object has a handle.
///
/// | slot | method | answers |
/// | --- | --- | --- |
/// | 3 | `KsGetObjectHandle` | the handle, lent; null if there is none |
#[interface("423C13A2-2070-11D0-9EF7-00AA00A216A1")]
pub unsafe trait IKsObject: IUnknown {
    /// Slot 3. The object's handle, lent.
    pub fn KsGetObjectHandle(&self) -> Handle;
}

/// `IKsPin` (ksproxy.h): a pin of the proxy.
///
/// | slot | method | answers |
/// | --- | --- | --- |
/// | 3 | `KsQueryMediums` | `S_OK`, `E_POINTER`, `E_OUTOFMEMORY` |
/// | 4 | `KsQueryInterfaces` | `S_OK`, `E_POINTER`, `E_OUTOFMEMORY` |
/// | 5 | `KsCreateSinkPinHandle` | `S_OK` or why there is no handle |
/// | 6 | `KsGetCurrentCommunication` | `S_OK` |
/// | 7 | `KsPropagateAcquire` | `S_OK` |
/// | 8 | `KsDeliver` | `S_OK` |
/// | 9 | `KsMediaSamplesCompleted` | `S_OK` |
/// | 10 | `KsPeekAllocator` | the allocator or null |
/// | 11 | `KsReceiveAllocator` | `S_OK` |
/// | 12 | `KsRenegotiateAllocator` | `S_OK` |
/// | 13 | `KsIncrementPendingIoCount` | the new count |
/// | 14 | `KsDecrementPendingIoCount` | the new count |
/// | 15 | `KsQualityNotify` | `S_OK` |
///
/// Slots 11, 12 and 15 have no page of Microsoft's. Every method may be called from any thread.
#[interface("B61178D1-A2D9-11CF-9E53-00AA00A216A1")]
pub unsafe trait IKsPin: IUnknown {
    /// Slot 3. The mediums the pin can be connected by: a `KSMULTIPLE_ITEM` with its items, which the caller frees with
    /// `CoTaskMemFree`.
    pub fn KsQueryMediums(&self, medium_list: *mut *mut KsMultipleItem) -> HRESULT;
    /// Slot 4. The interfaces the pin speaks: a list as above.
    pub fn KsQueryInterfaces(&self, interface_list: *mut *mut KsMultipleItem) -> HRESULT;
    /// Slot 5. Makes the pin a sink with a handle, by an interface and a medium it has. C++ references are pointers.
    pub fn KsCreateSinkPinHandle(&self, interface: *mut KsPinInterface, medium: *mut KsPinMedium) -> HRESULT;
    /// Slot 6. Which side of a connection the pin is, and by what it is connected. Each pointer may be null.
    pub fn KsGetCurrentCommunication(
        &self,
        communication: *mut KsPinCommunication,
        interface: *mut KsPinInterface,
        medium: *mut KsPinMedium,
    ) -> HRESULT;
    /// Slot 7. Takes the pins upstream to the state ACQUIRE.
    pub fn KsPropagateAcquire(&self) -> HRESULT;
    /// Slot 8. Delivers a sample downstream.
    pub fn KsDeliver(&self, sample: Ref<IMediaSample>, flags: u32) -> HRESULT;
    /// Slot 9. Says that the samples of a segment are done with.
    pub fn KsMediaSamplesCompleted(&self, stream_segment: *mut KsStreamSegment) -> HRESULT;
    /// Slot 10. The allocator or null. The caller owns a reference, and has to give it up, only if it asked for one
    /// by `KsPeekOperation_AddRef`; without, the pointer is good while nobody gives the pin another allocator
    /// (statements 152, 153).
    pub fn KsPeekAllocator(&self, operation: KsPeekOperation) -> Option<ManuallyDrop<IMemAllocator>>;
    /// Slot 11. The allocator the connection is to use, or null.
    pub fn KsReceiveAllocator(&self, allocator: Ref<IMemAllocator>) -> HRESULT;
    /// Slot 12. Asks for an allocator to be negotiated anew.
    pub fn KsRenegotiateAllocator(&self) -> HRESULT;
    /// Slot 13. One more request is under way; gives the new count, from 1.
    pub fn KsIncrementPendingIoCount(&self) -> i32;
    /// Slot 14. One less is; gives the new count, from 0.
    pub fn KsDecrementPendingIoCount(&self) -> i32;
    /// Slot 15. Tells of the quality of what arrives: the proportion in thousandths, and how late, in units of 100 ns.
    pub fn KsQualityNotify(&self, proportion: u32, delta: i64) -> HRESULT;
}

/// `IKsPinEx` (ksproxy.h): a pin that is told of errors.
///
/// | slot | method | answers |
/// | --- | --- | --- |
/// | 16 | `KsNotifyError` | nothing |
#[interface("7BB38260-D19C-11D2-B38A-00A0C95EC22E")]
pub unsafe trait IKsPinEx: IKsPin {
    /// Slot 16. A sample, or null, met an error.
    pub fn KsNotifyError(&self, sample: Ref<IMediaSample>, error: HRESULT);
}
