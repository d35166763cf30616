//! What pointers from C become: places for results, texts. Whoever calls these promises what its own caller promised.

use super::failure::Failure;
use crate::hresult::E_INVALIDARG;
use crate::task_bytes::TaskBytes;
use core::ffi::{CStr, c_char};
use core::ptr::null_mut;

/// A place for a result that is a pointer. It is null at first.
///
/// # Safety
/// `place` is null or good for writing a pointer, and nobody else uses it during the call.
pub(super) unsafe fn result<'call, T>(place: *mut *mut T) -> Result<&'call mut *mut T, Failure> {
    if place.is_null() {
        return Err(Failure::NULL);
    }
    // SAFETY: not null, so good for writing, as the caller promises.
    unsafe { place.write(null_mut()) };
    // SAFETY: it has a value now, and is the caller's alone.
    Ok(unsafe { &mut *place })
}

/// The bytes of a text that ends in a zero.
///
/// # Safety
/// `text` is null or such a text, which nobody changes during the call.
pub(super) unsafe fn bytes<'call>(text: *const c_char) -> Result<&'call [u8], Failure> {
    if text.is_null() {
        return Err(Failure::NULL);
    }
    // SAFETY: not null, so a text, as the caller promises.
    Ok(unsafe { CStr::from_ptr(text) }.to_bytes())
}

/// A text in UTF-8 that ends in a zero.
///
/// # Safety
/// See [`bytes`].
pub(super) unsafe fn name<'call>(text: *const c_char) -> Result<&'call str, Failure> {
    // SAFETY: as the caller promises.
    let bytes = unsafe { bytes(text)? };
    std::str::from_utf8(bytes).map_err(|_| Failure::new(E_INVALIDARG, "a name is no UTF-8"))
}

/// A text for a program that frees it with `free`.
pub(super) fn given_text(text: &str) -> Result<*mut c_char, Failure> {
    let mut bytes = TaskBytes::zeroed(text.len().saturating_add(1)).ok_or(Failure::MEMORY)?;
    // The zero behind it stays.
    bytes.as_mut_slice()[..text.len()].copy_from_slice(text.as_bytes());
    Ok(bytes.into_raw().cast())
}

/// A structure's first member says how long it is; `true` where that is as long as it is here.
///
/// # Safety
/// `structure` is good for reading its first member, 32 bits.
pub(super) unsafe fn has_size<T>(structure: *const T) -> bool {
    // SAFETY: as the caller promises.
    unsafe { structure.cast::<u32>().read() as usize == size_of::<T>() }
}
