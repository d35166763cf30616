//! `IKsPinPipe`.
#![allow(missing_docs, elided_lifetimes_in_paths, clippy::missing_safety_doc)]

use super::{IKsAllocatorEx, IPin};
use core::mem::ManuallyDrop;
use ks::{FramingCacheOps, FramingProp, Guid, KsAllocatorFramingEx, KsPeekOperation};
use windows_core::{HRESULT, IUnknown, IUnknown_Vtbl, Ref, interface};

/// `IKsPinPipe` (ksproxy.h): what the negotiation of pipes reads from a pin, and what it writes back.
///
/// | slot | method | answers |
/// | --- | --- | --- |
/// | 3 | `KsGetPinFramingCache` | `S_OK`, `E_POINTER`, `E_INVALIDARG` |
/// | 4 | `KsSetPinFramingCache` | `S_OK`, `E_POINTER`, `E_INVALIDARG` |
/// | 5 | `KsGetConnectedPin` | the other pin, lent, or null |
/// | 6 | `KsGetPipe` | the pipe's allocator or null |
/// | 7 | `KsSetPipe` | `S_OK` |
/// | 8 | `KsGetPipeAllocatorFlag` | the flag |
/// | 9 | `KsSetPipeAllocatorFlag` | `S_OK` |
/// | 10 | `KsGetPinBusCache` | the address it was given, with the GUID there |
/// | 11 | `KsSetPinBusCache` | `S_OK` |
/// | 12 | `KsGetPinName` | the pin's own text |
/// | 13 | `KsGetFilterName` | the pin's own text |
///
/// Every method may be called from any thread. What is lent without a reference is good while nobody replaces it.
#[interface("E539CD90-A8B4-11D1-8189-00A0C9062802")]
pub unsafe trait IKsPinPipe: IUnknown {
    /// Slot 3. The framing in a slot of the cache, lent, and which property it is; null and
    /// `FramingProp_Uninitialized` where none was set (statements 158, 159).
    pub fn KsGetPinFramingCache(
        &self,
        framing: *mut *mut KsAllocatorFramingEx,
        property: *mut FramingProp,
        option: FramingCacheOps,
    ) -> HRESULT;
    /// Slot 4. Puts a framing into a slot of the cache. The memory, from `CoTaskMemAlloc`, is the pin's from then on,
    /// which frees it when no slot has it any more (statements 158 to 160).
    pub fn KsSetPinFramingCache(
        &self,
        framing: *mut KsAllocatorFramingEx,
        property: *mut FramingProp,
        option: FramingCacheOps,
    ) -> HRESULT;
    /// Slot 5. The pin this one is connected to, without a reference, or null.
    pub fn KsGetConnectedPin(&self) -> Option<ManuallyDrop<IPin>>;
    /// Slot 6. The allocator of the pin's pipe or null. The caller owns a reference only if it asked for one
    /// (statements 154, 155).
    pub fn KsGetPipe(&self, operation: KsPeekOperation) -> Option<ManuallyDrop<IKsAllocatorEx>>;
    /// Slot 7. Sets the pipe, or with null none. The pin takes a reference (statements 154, 155).
    pub fn KsSetPipe(&self, allocator: Ref<IKsAllocatorEx>) -> HRESULT;
    /// Slot 8. 0 at first (statement 156).
    pub fn KsGetPipeAllocatorFlag(&self) -> u32;
    /// Slot 9. Any number (statement 156).
    pub fn KsSetPipeAllocatorFlag(&self, flag: u32) -> HRESULT;
    /// Slot 10. The bus the pin is on. C++ declares it as returning a GUID by value, which Microsoft's ABI makes of
    /// this: the object first, then where the result goes, and that address is returned (statements 11, 157).
    pub fn KsGetPinBusCache(&self, bus: *mut Guid) -> *mut Guid;
    /// Slot 11. Sets the bus. The GUID goes by value, as the platform passes a structure of 16 bytes (statement 157).
    pub fn KsSetPinBusCache(&self, bus: Guid) -> HRESULT;
    /// Slot 12. The pin's name in UTF-16, ending in a zero: the pin's own, not to be freed or changed.
    pub fn KsGetPinName(&self) -> *mut u16;
    /// Slot 13. The filter's name, likewise.
    pub fn KsGetFilterName(&self) -> *mut u16;
}

/// What is only lent is one pointer, null where there is nothing, as the ABI has it.
const _: () = assert!(size_of::<Option<ManuallyDrop<IPin>>>() == size_of::<*mut IPin>());
