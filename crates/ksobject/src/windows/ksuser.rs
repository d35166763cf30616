//! `KsCreateAllocator`, as ksuser.dll has it.
//!
//! It is looked up when it is needed, so that a program that stays in user mode needs no ksuser.dll, and that it is the
//! one the program itself would get.

use super::last_error;
use super::unimplemented;
use crate::handle::{Handle, OwnedHandle};
use crate::object_access::Win32Error;
use core::ffi::{CStr, c_void};
use ks::KsAllocatorFraming;
use windows_sys::Win32::Foundation::{FreeLibrary, HMODULE};
use windows_sys::Win32::System::LibraryLoader::{GetProcAddress, LoadLibraryW};
use windows_sys::w;

/// ks.h: the answer is a Win32 error. The framing is only read, whatever the header says.
type KsCreateAllocator = unsafe extern "system" fn(*mut c_void, *mut KsAllocatorFraming, *mut *mut c_void) -> u32;

/// Calls `KsCreateAllocator`.
pub(super) fn create_allocator(pin: Handle, framing: &KsAllocatorFraming) -> Result<OwnedHandle, Win32Error> {
    let library = Library::ksuser()?;
    let function = library.function(c"KsCreateAllocator")?;
    // SAFETY: the function of that name, whose type ks.h declares.
    let function = unsafe { core::mem::transmute::<unsafe extern "system" fn() -> isize, KsCreateAllocator>(function) };
    let (mut framing, mut made) = (*framing, core::ptr::null_mut());
    let mut error = 0;
    let mut call = || {
        // SAFETY: a handle, and structures that are there for the call.
        error = unsafe { function(pin.as_raw(), &mut framing, &mut made) };
    };
    // SAFETY: nothing in `call` has a destructor, and a stub of Wine's has taken nothing when it raises its exception.
    unsafe { unimplemented::caught(&mut call) }?;
    if error != 0 {
        return Err(Win32Error(error));
    }
    // SAFETY: the handle of a new object is its creator's.
    unsafe { OwnedHandle::from_raw(made.into()) }.ok_or(Win32Error::INVALID_HANDLE)
}

/// A library, loaded for as long as this lives.
struct Library(HMODULE);

impl Library {
    /// The ksuser.dll that the program's search finds.
    fn ksuser() -> Result<Self, Win32Error> {
        // SAFETY: a name with its end.
        let module = unsafe { LoadLibraryW(w!("ksuser.dll")) };
        if module.is_null() { Err(last_error()) } else { Ok(Self(module)) }
    }

    fn function(&self, name: &CStr) -> Result<unsafe extern "system" fn() -> isize, Win32Error> {
        // SAFETY: a module that is loaded, and a name with its end.
        unsafe { GetProcAddress(self.0, name.as_ptr().cast()) }.ok_or_else(last_error)
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        // SAFETY: loaded by this value, and nothing of it is used any more.
        unsafe { FreeLibrary(self.0) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Windows' own function refuses a handle that is no pin's; Wine's is a stub. Neither ends the program.
    #[test]
    fn no_allocator_is_created_on_what_is_no_pin() {
        for handle in [Handle::NULL, Handle::INVALID, Handle(0x7FFF_FFFC)] {
            for _ in 0..3 {
                assert!(create_allocator(handle, &KsAllocatorFraming::default()).is_err(), "{handle:?}");
            }
        }
    }

    #[test]
    fn a_function_that_is_not_there_is_an_error() {
        let library = Library::ksuser().expect("every Windows has it, and Wine");
        assert_eq!(library.function(c"KsCreateNothing").err(), Some(Win32Error(127)), "ERROR_PROC_NOT_FOUND");
    }
}
