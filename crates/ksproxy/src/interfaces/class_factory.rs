//! `IClassFactory`.
#![allow(missing_docs, elided_lifetimes_in_paths, clippy::missing_safety_doc)]

use core::ffi::c_void;
use windows_core::{GUID, HRESULT, IUnknown, IUnknown_Vtbl, Ref, interface};

/// `IClassFactory` (unknwn.h): makes objects of one class.
///
/// | slot | method | answers |
/// | --- | --- | --- |
/// | 3 | `CreateInstance` | `S_OK`, `E_POINTER`, `E_NOINTERFACE`, `CLASS_E_NOAGGREGATION` |
/// | 4 | `LockServer` | `S_OK`, `E_UNEXPECTED` for a lock that was not taken |
///
/// Every method may be called from any thread.
#[interface("00000001-0000-0000-C000-000000000046")]
pub unsafe trait IClassFactory: IUnknown {
    /// Slot 3. A new object by one of its interfaces. An object cannot be part of another: `outer` is null.
    pub fn CreateInstance(&self, outer: Ref<IUnknown>, iid: *const GUID, object: *mut *mut c_void) -> HRESULT;
    /// Slot 4. Anything but 0 keeps the library loaded until the same is called with 0.
    pub fn LockServer(&self, lock: i32) -> HRESULT;
}
