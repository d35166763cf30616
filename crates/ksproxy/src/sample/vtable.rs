//! A sample's vtable: the twenty-one slots, each of which checks its pointers, calls the rule and lets no panic out.

use super::{AT_HOME, Attributes, MediaType, Sample, properties};
use crate::guard;
use crate::hresult::*;
use crate::interfaces::{IMediaSample, IMediaSample_Vtbl, IMediaSample2, IMediaSample2_Vtbl};
use core::ffi::c_void;
use core::ptr::NonNull;
use ks::{AmMediaType, SampleFlags};
use windows_core::{GUID, HRESULT, IUnknown, IUnknown_Vtbl, Interface};

/// The one vtable of every sample.
pub(super) static VTABLE: IMediaSample2_Vtbl = IMediaSample2_Vtbl {
    base__: IMediaSample_Vtbl {
        base__: IUnknown_Vtbl { QueryInterface: query_interface, AddRef: add_ref, Release: release },
        GetPointer: get_pointer,
        GetSize: get_size,
        GetTime: get_time,
        SetTime: set_time,
        IsSyncPoint: is_sync_point,
        SetSyncPoint: set_sync_point,
        IsPreroll: is_preroll,
        SetPreroll: set_preroll,
        GetActualDataLength: get_actual_data_length,
        SetActualDataLength: set_actual_data_length,
        GetMediaType: get_media_type,
        SetMediaType: set_media_type,
        IsDiscontinuity: is_discontinuity,
        SetDiscontinuity: set_discontinuity,
        GetMediaTime: get_media_time,
        SetMediaTime: set_media_time,
    },
    GetProperties: get_properties,
    SetProperties: set_properties,
};

/// The sample behind an interface pointer.
///
/// # Safety
///
/// `this` is the pointer of a sample whose allocator is not destroyed, as COM requires of a caller.
unsafe fn sample<'a>(this: *mut c_void) -> &'a Sample {
    // SAFETY: as the caller promises; samples are only ever shared.
    unsafe { &*this.cast::<Sample>() }
}

/// Writes through a pointer a caller gave, unless it is null.
///
/// # Safety
///
/// `target` is null or good for writing a `T`.
unsafe fn put<T>(target: *mut T, value: T) {
    if !target.is_null() {
        // SAFETY: as the caller promises. Callers from C may have aligned it to less than Rust asks.
        unsafe { target.write_unaligned(value) };
    }
}

/// Reads through a pointer a caller gave; `None` for null.
///
/// # Safety
///
/// `source` is null or good for reading a `T`.
unsafe fn get<T: Copy>(source: *const T) -> Option<T> {
    // SAFETY: as the caller promises.
    (!source.is_null()).then(|| unsafe { source.read_unaligned() })
}

/// The HRESULT an `Err` carries, or `S_OK`.
fn answer(result: Result<(), HRESULT>) -> HRESULT {
    result.err().unwrap_or(S_OK)
}

// In the slots below: `this` is a sample's pointer and every other pointer is null or good for what the slot does with
// it, as COM requires of the caller; that is each block's argument.

unsafe extern "system" fn query_interface(this: *mut c_void, iid: *const GUID, object: *mut *mut c_void) -> HRESULT {
    guard::hresult(|| {
        if object.is_null() {
            return E_POINTER;
        }
        // SAFETY: see above.
        unsafe { object.write(core::ptr::null_mut()) };
        // SAFETY: see above.
        let Some(iid) = (unsafe { get(iid) }) else { return E_POINTER };
        if ![IUnknown::IID, IMediaSample::IID, IMediaSample2::IID].contains(&iid) {
            return E_NOINTERFACE;
        }
        // SAFETY: see above.
        if unsafe { sample(this) }.add_reference() == 0 {
            return AT_HOME;
        }
        // SAFETY: see above.
        unsafe { object.write(this) };
        S_OK
    })
}

unsafe extern "system" fn add_ref(this: *mut c_void) -> u32 {
    // SAFETY: see above.
    guard::value(0, || unsafe { sample(this) }.add_reference())
}

unsafe extern "system" fn release(this: *mut c_void) -> u32 {
    // SAFETY: see above.
    guard::value(0, || NonNull::new(this.cast::<Sample>()).map_or(0, |this| unsafe { Sample::release(this) }))
}

unsafe extern "system" fn get_pointer(this: *mut c_void, buffer: *mut *mut u8) -> HRESULT {
    guard::hresult(|| {
        if buffer.is_null() {
            return E_POINTER;
        }
        // SAFETY: see above.
        let (address, answer) = match unsafe { sample(this) }.buffer() {
            Ok((address, _)) => (core::ptr::with_exposed_provenance_mut(address), S_OK),
            Err(error) => (core::ptr::null_mut(), error),
        };
        // SAFETY: see above.
        unsafe { put(buffer, address) };
        answer
    })
}

unsafe extern "system" fn get_size(this: *mut c_void) -> i32 {
    // SAFETY: see above.
    guard::value(0, || unsafe { sample(this) }.buffer().map_or(0, |(_, size)| size))
}

unsafe extern "system" fn get_time(this: *mut c_void, start: *mut i64, end: *mut i64) -> HRESULT {
    guard::hresult(|| {
        if start.is_null() || end.is_null() {
            return E_POINTER;
        }
        // SAFETY: see above.
        let (time, answer) = unsafe { sample(this) }.read(Attributes::time).unwrap_or_else(|error| (None, error));
        if let Some((from, to)) = time {
            // SAFETY: see above.
            unsafe {
                put(start, from);
                put(end, to);
            }
        }
        answer
    })
}

unsafe extern "system" fn set_time(this: *mut c_void, start: *const i64, end: *const i64) -> HRESULT {
    guard::hresult(|| {
        // SAFETY: see above.
        let (sample, start, end) = unsafe { (sample(this), get(start), get(end)) };
        answer(sample.change(|attributes, _| attributes.set_time(start, end)))
    })
}

/// Whether a flag is set.
fn is(this: *mut c_void, flag: SampleFlags) -> HRESULT {
    // SAFETY: only slots call this, with their `this`.
    guard::hresult(|| unsafe { sample(this) }.read(|attributes| attributes.is(flag)).unwrap_or_else(|error| error))
}

/// Sets or clears a flag.
fn set(this: *mut c_void, flag: SampleFlags, value: i32) -> HRESULT {
    guard::hresult(|| {
        // SAFETY: only slots call this, with their `this`.
        answer(unsafe { sample(this) }.change(|attributes, _| attributes.flags.set(flag, value != 0)))
    })
}

unsafe extern "system" fn is_sync_point(this: *mut c_void) -> HRESULT {
    is(this, SampleFlags::SPLICEPOINT)
}

unsafe extern "system" fn set_sync_point(this: *mut c_void, value: i32) -> HRESULT {
    set(this, SampleFlags::SPLICEPOINT, value)
}

unsafe extern "system" fn is_preroll(this: *mut c_void) -> HRESULT {
    is(this, SampleFlags::PREROLL)
}

unsafe extern "system" fn set_preroll(this: *mut c_void, value: i32) -> HRESULT {
    set(this, SampleFlags::PREROLL, value)
}

unsafe extern "system" fn is_discontinuity(this: *mut c_void) -> HRESULT {
    is(this, SampleFlags::DATADISCONTINUITY)
}

unsafe extern "system" fn set_discontinuity(this: *mut c_void, value: i32) -> HRESULT {
    set(this, SampleFlags::DATADISCONTINUITY, value)
}

unsafe extern "system" fn get_actual_data_length(this: *mut c_void) -> i32 {
    // SAFETY: see above.
    guard::value(0, || unsafe { sample(this) }.read(|attributes| attributes.actual_length).unwrap_or(0))
}

unsafe extern "system" fn set_actual_data_length(this: *mut c_void, length: i32) -> HRESULT {
    // SAFETY: see above.
    guard::hresult(|| unsafe { sample(this) }.set_actual_length(length))
}

unsafe extern "system" fn get_media_type(this: *mut c_void, media_type: *mut *mut AmMediaType) -> HRESULT {
    guard::hresult(|| {
        if media_type.is_null() {
            return E_POINTER;
        }
        // SAFETY: see above.
        unsafe { put(media_type, core::ptr::null_mut()) };
        // SAFETY: see above.
        let own = match unsafe { sample(this) }.read(|attributes| attributes.media_type.clone()) {
            Ok(Some(own)) => own,
            Ok(None) => return S_FALSE,
            Err(error) => return error,
        };
        // SAFETY: our own copy is well-formed.
        match unsafe { MediaType::copy(own.get()) } {
            Ok(copy) => {
                // SAFETY: see above.
                unsafe { put(media_type, copy.into_raw()) };
                S_OK
            }
            Err(error) => error,
        }
    })
}

unsafe extern "system" fn set_media_type(this: *mut c_void, media_type: *const AmMediaType) -> HRESULT {
    guard::hresult(|| {
        // SAFETY: see above; an AM_MEDIA_TYPE that a caller gives is well-formed.
        let copy = unsafe { get(media_type).map(|source| MediaType::copy(&source)).transpose() };
        // SAFETY: see above.
        unsafe { sample(this) }.set_media_type(copy)
    })
}

unsafe extern "system" fn get_media_time(this: *mut c_void, start: *mut i64, end: *mut i64) -> HRESULT {
    guard::hresult(|| {
        if start.is_null() || end.is_null() {
            return E_POINTER;
        }
        // SAFETY: see above.
        let (from, to) = match unsafe { sample(this) }.read(|attributes| attributes.media_time) {
            Ok(Some(times)) => times,
            Ok(None) => return VFW_E_MEDIA_TIME_NOT_SET,
            Err(error) => return error,
        };
        // SAFETY: see above.
        unsafe {
            put(start, from);
            put(end, to);
        }
        S_OK
    })
}

unsafe extern "system" fn set_media_time(this: *mut c_void, start: *const i64, end: *const i64) -> HRESULT {
    guard::hresult(|| {
        // SAFETY: see above.
        let (sample, start, end) = unsafe { (sample(this), get(start), get(end)) };
        sample.change(|attributes, _| attributes.set_media_time(start, end)).unwrap_or_else(|error| error)
    })
}

unsafe extern "system" fn get_properties(this: *mut c_void, size: u32, target: *mut u8) -> HRESULT {
    // SAFETY: see above.
    guard::hresult(|| unsafe { properties::get(sample(this), size, target) })
}

unsafe extern "system" fn set_properties(this: *mut c_void, size: u32, source: *const u8) -> HRESULT {
    // SAFETY: see above.
    guard::hresult(|| unsafe { properties::set(sample(this), size, source) })
}
