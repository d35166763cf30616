//! Memory whose ownership crosses the boundary: `CoTaskMemAlloc` and `CoTaskMemFree`.
//!
//! On Linux that is the C library's `malloc` and `free`, so that a program in any language can free what it was given.

use core::ffi::c_void;
use core::ptr::NonNull;

/// `size` bytes, aligned for any C type; `None` if there are none left.
pub(crate) fn allocate(size: usize) -> Option<NonNull<c_void>> {
    // Of 0 bytes one, so that null always means failure.
    let size = size.max(1);
    #[cfg(unix)]
    // SAFETY: malloc may be called with any size.
    let memory = unsafe { libc::malloc(size) };
    #[cfg(windows)]
    // SAFETY: CoTaskMemAlloc may be called with any size, whether or not COM is initialised.
    let memory = unsafe { windows_sys::Win32::System::Com::CoTaskMemAlloc(size) };
    NonNull::new(memory)
}

/// Gives memory back.
///
/// # Safety
///
/// `memory` came from [`allocate`] (or `CoTaskMemAlloc`, on Linux the C library), was not freed since, and nobody uses it
/// any more.
pub(crate) unsafe fn free(memory: NonNull<c_void>) {
    #[cfg(unix)]
    // SAFETY: as the caller promises.
    unsafe {
        libc::free(memory.as_ptr());
    }
    #[cfg(windows)]
    // SAFETY: as the caller promises.
    unsafe {
        windows_sys::Win32::System::Com::CoTaskMemFree(memory.as_ptr());
    }
}
