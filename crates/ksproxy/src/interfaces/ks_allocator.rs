//! `IKsAllocator` and `IKsAllocatorEx`.
//!
//! The macro writes a type, a trait and a vtable for every interface and passes documentation on to the type and the
//! trait's methods only; the rest of what it writes is documented by the interface.
#![allow(missing_docs, elided_lifetimes_in_paths, clippy::missing_safety_doc)]

use super::IKsPin;
use ks::{AllocatorPropertiesEx, KsAllocatorMode, KsStreamAllocatorStatus};
use ksobject::Handle;
use windows_core::{HRESULT, IUnknown, IUnknown_Vtbl, Ref, interface};

/// `IKsAllocator` (ksproxy.h): the mode, handle and status of an allocator.
///
/// | slot | method | answers |
/// | --- | --- | --- |
/// | 3 | `KsGetAllocatorHandle` | the allocator's handle, lent; null if there is none |
/// | 4 | `KsGetAllocatorMode` | user (0) or kernel (1) |
/// | 5 | `KsGetAllocatorStatus` | `S_OK` and the framing and number of frames out; `E_POINTER` for null |
/// | 6 | `KsSetAllocatorMode` | nothing |
///
/// Every method may be called from any thread. Calling through a pointer is unsafe as all of COM is: pointers given
/// must be null or good for what the method does with them.
#[interface("8DA64899-C0D9-11D0-8413-0000F822FE8A")]
pub unsafe trait IKsAllocator: IUnknown {
    /// Slot 3. The stored handle: borrowed, never duplicated; null if there is none (statements 109, 120, 127).
    pub fn KsGetAllocatorHandle(&self) -> Handle;
    /// Slot 4. User at creation (statements 109, 110).
    pub fn KsGetAllocatorMode(&self) -> KsAllocatorMode;
    /// Slot 5. With a handle, the allocator behind it is asked; without, the answer is the user-mode allocator's
    /// (statements 128, 129).
    pub fn KsGetAllocatorStatus(&self, status: *mut KsStreamAllocatorStatus) -> HRESULT;
    /// Slot 6. Going to kernel mode decommits first; going back does not commit again. Another value than the two is
    /// ignored (statements 110 to 114).
    pub fn KsSetAllocatorMode(&self, mode: KsAllocatorMode);
}

/// `IKsAllocatorEx` (ksproxy.h): the allocator of a pipe, with everything that was negotiated for it.
///
/// | slot | method | answers |
/// | --- | --- | --- |
/// | 7 | `KsGetProperties` | the object's own structure, live, for the object's life |
/// | 8 | `KsSetProperties` | nothing; copies the whole structure in |
/// | 9 | `KsSetAllocatorHandle` | nothing; the allocator owns the handle from then on |
/// | 10 | `KsCreateAllocatorAndGetHandle` | the new handle, lent; null on failure |
///
/// # Lifetime and threads
///
/// The pointer `KsGetProperties` gives is good until the last reference to the object is released, is the same at
/// every call, and is never null. Nothing guards what is behind it: whoever reads or writes through it must see to it
/// that nobody writes at the same time, neither through the pointer nor by `KsSetProperties`. Everything else may be
/// called from any thread at any time.
#[interface("091BB63A-603F-11D1-B067-00A0C9062802")]
pub unsafe trait IKsAllocatorEx: IKsAllocator {
    /// Slot 7. All zero at creation (statements 115, 117).
    pub fn KsGetProperties(&self) -> *mut AllocatorPropertiesEx;
    /// Slot 8. Null changes nothing, nor does the pointer that `KsGetProperties` gives; segments are copied as they
    /// are, without references (statements 116, 118, 119).
    pub fn KsSetProperties(&self, properties: *const AllocatorPropertiesEx);
    /// Slot 9. Closes the handle stored before, unless it is the same; null and `INVALID_HANDLE_VALUE` leave none
    /// (statements 120, 121).
    pub fn KsSetAllocatorHandle(&self, handle: Handle);
    /// Slot 10, which Microsoft's pages leave out. Creates an allocator on the pin's handle (`IKsObject`) with the
    /// framing that the extended properties say (statements 122 to 127).
    pub fn KsCreateAllocatorAndGetHandle(&self, pin: Ref<IKsPin>) -> Handle;
}
