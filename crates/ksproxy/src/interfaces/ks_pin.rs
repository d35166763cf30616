//! `IKsObject` and `IKsPin`, as far as the allocator calls them.
#![allow(missing_docs, elided_lifetimes_in_paths, clippy::missing_safety_doc)]

use super::{IMediaSample, IMemAllocator};
use crate::handle::Handle;
use ks::{KsMultipleItem, KsPeekOperation, KsPinCommunication, KsPinInterface, KsPinMedium, KsStreamSegment};
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

/// `IKsPin` (ksproxy.h). The allocator only asks a pin for [`IKsObject`]; the interface is here so that
/// `KsCreateAllocatorAndGetHandle` takes what the header says, and that pins can be written against it.
///
/// | slot | method | slot | method |
/// | --- | --- | --- | --- |
/// | 3 | `KsQueryMediums` | 10 | `KsPeekAllocator` |
/// | 4 | `KsQueryInterfaces` | 11 | `KsReceiveAllocator` |
/// | 5 | `KsCreateSinkPinHandle` | 12 | `KsRenegotiateAllocator` |
/// | 6 | `KsGetCurrentCommunication` | 13 | `KsIncrementPendingIoCount` |
/// | 7 | `KsPropagateAcquire` | 14 | `KsDecrementPendingIoCount` |
/// | 8 | `KsDeliver` | 15 | `KsQualityNotify` |
/// | 9 | `KsMediaSamplesCompleted` | | |
#[interface("B61178D1-A2D9-11CF-9E53-00AA00A216A1")]
pub unsafe trait IKsPin: IUnknown {
    /// Slot 3.
    pub fn KsQueryMediums(&self, medium_list: *mut *mut KsMultipleItem) -> HRESULT;
    /// Slot 4.
    pub fn KsQueryInterfaces(&self, interface_list: *mut *mut KsMultipleItem) -> HRESULT;
    /// Slot 5. C++ references are pointers.
    pub fn KsCreateSinkPinHandle(&self, interface: *mut KsPinInterface, medium: *mut KsPinMedium) -> HRESULT;
    /// Slot 6. Each pointer may be null.
    pub fn KsGetCurrentCommunication(
        &self,
        communication: *mut KsPinCommunication,
        interface: *mut KsPinInterface,
        medium: *mut KsPinMedium,
    ) -> HRESULT;
    /// Slot 7.
    pub fn KsPropagateAcquire(&self) -> HRESULT;
    /// Slot 8. Delivers a sample downstream.
    pub fn KsDeliver(&self, sample: Ref<IMediaSample>, flags: u32) -> HRESULT;
    /// Slot 9.
    pub fn KsMediaSamplesCompleted(&self, stream_segment: *mut KsStreamSegment) -> HRESULT;
    /// Slot 10. The allocator or null; the caller owns a reference only if it asked for one, so that with
    /// `KsPeekOperation_PeekOnly` what comes back must not be dropped (`ManuallyDrop`).
    pub fn KsPeekAllocator(&self, operation: KsPeekOperation) -> Option<IMemAllocator>;
    /// Slot 11. The allocator the connection is to use, or null.
    pub fn KsReceiveAllocator(&self, allocator: Ref<IMemAllocator>) -> HRESULT;
    /// Slot 12.
    pub fn KsRenegotiateAllocator(&self) -> HRESULT;
    /// Slot 13. The new count.
    pub fn KsIncrementPendingIoCount(&self) -> i32;
    /// Slot 14. The new count.
    pub fn KsDecrementPendingIoCount(&self) -> i32;
    /// Slot 15.
    pub fn KsQualityNotify(&self, proportion: u32, delta: i64) -> HRESULT;
}
