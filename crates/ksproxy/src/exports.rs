//! What the library exports to programs in C and C++. Their header is `include/kspipe.h`.
#![allow(non_snake_case, reason = "the names of the header")]

use crate::face::KsAllocator;
use crate::guard;
use crate::hresult::*;
use crate::sample::MediaType;
use core::ffi::c_void;
use core::ptr::{NonNull, null_mut};
use ks::AmMediaType;
#[cfg(unix)]
use ksobject::Handle;
#[cfg(unix)]
use ksobject::InProcessObjects;
use windows_core::{GUID, HRESULT, Interface};

/// Creates an allocator object and asks it for an interface.
///
/// The object is in user mode, without handle, all properties zero. `*object` has one reference, the caller's; on
/// failure it is null. For any thread.
///
/// Answers `S_OK`, `E_POINTER` for a null pointer, `E_NOINTERFACE`, `E_UNEXPECTED`.
///
/// # Safety
///
/// `iid` is null or good for reading a GUID, `object` null or good for writing a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn KspCreateAllocator(iid: *const GUID, object: *mut *mut c_void) -> HRESULT {
    guard::hresult(|| {
        if object.is_null() {
            return E_POINTER;
        }
        // SAFETY: not null, so good for writing, as the caller promises.
        unsafe { object.write(null_mut()) };
        if iid.is_null() {
            return E_POINTER;
        }
        // SAFETY: both are good, as the caller promises; on failure the object's own QueryInterface writes null.
        unsafe { KsAllocator::new().interface().query(iid, object) }
    })
}

/// Creates a sink pin of this process: a KS object on whose handle `KsCreateAllocatorAndGetHandle` can create an
/// allocator. It stands in for a driver's pin; closing the handle ends it. For any thread.
///
/// Answers `S_OK`, `E_POINTER` for a null pointer, an HRESULT of a Win32 error where the process has no descriptor
/// left, `E_UNEXPECTED`. On failure `*handle` is null.
///
/// # Safety
///
/// `handle` is null or good for writing a handle.
#[cfg(unix)]
#[unsafe(no_mangle)]
pub unsafe extern "system" fn KspCreateSinkPin(handle: *mut Handle) -> HRESULT {
    guard::hresult(|| {
        if handle.is_null() {
            return E_POINTER;
        }
        let (made, answer) = match InProcessObjects::create_sink_pin() {
            Ok(pin) => {
                // The object lives in this library.
                crate::module::object_made();
                (pin.into_raw(), S_OK)
            }
            Err(error) => (Handle::NULL, error.to_hresult()),
        };
        // SAFETY: not null, so good for writing, as the caller promises.
        unsafe { handle.write(made) };
        answer
    })
}

/// Frees a media type that `IMediaSample::GetMediaType` gave: its reference, its format block and the structure. Null is
/// nothing. For any thread.
///
/// # Safety
///
/// `media_type` is null, or came from `GetMediaType` and is not used any more. Its members may have been changed as its
/// owner may: the format block is null or from `malloc`, `pUnk` null or a reference.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn KspDeleteMediaType(media_type: *mut AmMediaType) {
    guard::value((), || {
        if let Some(media_type) = NonNull::new(media_type) {
            // SAFETY: as the caller promises.
            drop(unsafe { MediaType::from_raw(media_type) });
        }
    });
}
