//! The exports by which COM finds the library's class: the four functions of every in-process server.
#![allow(non_snake_case, reason = "the names COM looks for")]

use crate::class;
use crate::guard;
use crate::hresult::*;
use crate::module;
use crate::registration;
use core::ffi::c_void;
use core::ptr::null_mut;
use windows_core::{GUID, HRESULT, Interface};

/// The factory of a class: [`CLSID_KspAllocator`](crate::CLSID_KspAllocator) is the only one.
///
/// `*object` is the interface asked for (`IClassFactory`, `IUnknown`), with one reference, or null. For any thread.
///
/// Answers `S_OK`, `E_POINTER` for a null pointer, `CLASS_E_CLASSNOTAVAILABLE`, `E_NOINTERFACE`, `E_UNEXPECTED`.
///
/// # Safety
///
/// `class` and `iid` are null or good for reading a GUID, `object` null or good for writing a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn DllGetClassObject(
    class: *const GUID,
    iid: *const GUID,
    object: *mut *mut c_void,
) -> HRESULT {
    guard::hresult(|| {
        if object.is_null() {
            return E_POINTER;
        }
        // SAFETY: not null, so good for writing, as the caller promises.
        unsafe { object.write(null_mut()) };
        if class.is_null() || iid.is_null() {
            return E_POINTER;
        }
        // SAFETY: not null, so good for reading, as the caller promises.
        let Some(factory) = class::factory(unsafe { &*class }) else { return CLASS_E_CLASSNOTAVAILABLE };
        // SAFETY: both are good, as the caller promises; on failure the object's own QueryInterface writes null.
        unsafe { factory.query(iid, object) }
    })
}

/// Whether the library may be unloaded: `S_OK` or `S_FALSE`.
///
/// It may until the first object is made, while no class factory exists and the server is not locked. From the first
/// object on it stays loaded, also where it is unloaded all the same. For any thread.
#[unsafe(no_mangle)]
pub extern "system" fn DllCanUnloadNow() -> HRESULT {
    guard::value(S_FALSE, || if module::can_unload() { S_OK } else { S_FALSE })
}

/// Registers the class with this library's path, threading model "Both": for the machine
/// (`HKEY_LOCAL_MACHINE\SOFTWARE\Classes\CLSID`) or, where that is denied, for the user
/// (`HKEY_CURRENT_USER\SOFTWARE\Classes\CLSID`).
///
/// Answers `S_OK`, `SELFREG_E_CLASS`, `E_UNEXPECTED`; after a failure nothing is left behind. Elsewhere than on Windows
/// there is no registry: always `SELFREG_E_CLASS`, and objects are made by `KspCreateAllocator` or the factory.
#[unsafe(no_mangle)]
pub extern "system" fn DllRegisterServer() -> HRESULT {
    guard::hresult(|| if registration::register() { S_OK } else { SELFREG_E_CLASS })
}

/// Removes what [`DllRegisterServer`] wrote, for the machine and for the user, and nothing else.
///
/// Answers `S_OK`, also where nothing was registered, `SELFREG_E_CLASS` where something is left, `E_UNEXPECTED`.
#[unsafe(no_mangle)]
pub extern "system" fn DllUnregisterServer() -> HRESULT {
    guard::hresult(|| if registration::unregister() { S_OK } else { SELFREG_E_CLASS })
}
