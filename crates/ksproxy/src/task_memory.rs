//! Memory whose ownership crosses the boundary: `CoTaskMemAlloc` and `CoTaskMemFree`.
//!
//! On Linux that is the C library's `malloc` and `free`, so that a program in any language can free what it was given.

use core::ffi::c_void;
use core::ptr::NonNull;

/// `size` bytes, aligned for any C type; `None` if there are none left.
pub(crate) fn allocate(size: usize) -> Option<NonNull<c_void>> {
    // SAFETY: malloc may be called with any size; for 0 we ask for 1, so that null always means failure.
    NonNull::new(unsafe { libc::malloc(size.max(1)) })
}

/// Gives memory back.
///
/// # Safety
///
/// `memory` came from [`allocate`] (or the C library), was not freed since, and nobody uses it any more.
pub(crate) unsafe fn free(memory: NonNull<c_void>) {
    // SAFETY: as the caller promises.
    unsafe { libc::free(memory.as_ptr()) }
}
