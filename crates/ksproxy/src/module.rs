//! The module's own life: how long the library that this code is in stays loaded.
//!
//! `DllCanUnloadNow` says no while a class factory exists or the server is locked, and, from the first object on, for
//! ever. A host may unload the library all the same (`FreeLibrary`, `dlclose`): so the first interface handed out pins
//! it in its process, and what a client still holds goes on working.

use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::Once;

/// Whether there ever was an object.
static HAD_OBJECT: AtomicBool = AtomicBool::new(false);
/// The class factories that exist.
static FACTORIES: AtomicU32 = AtomicU32::new(0);
/// The locks of the server: `IClassFactory::LockServer`.
static LOCKS: AtomicU32 = AtomicU32::new(0);

/// To be called when an object is made whose interfaces leave the library: from now on the library stays.
pub(crate) fn object_made() {
    pin();
    HAD_OBJECT.store(true, Ordering::SeqCst);
}

/// Whether nothing of the library is in use, nor can be: `DllCanUnloadNow`.
pub(crate) fn can_unload() -> bool {
    let none = |count: &AtomicU32| count.load(Ordering::SeqCst) == 0;
    !HAD_OBJECT.load(Ordering::SeqCst) && none(&FACTORIES) && none(&LOCKS)
}

/// Locks the server. `false` where there are as many locks as can be counted.
pub(crate) fn lock_server() -> bool {
    LOCKS.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |locks| locks.checked_add(1)).is_ok()
}

/// Takes a lock away. `false` where there is none.
pub(crate) fn unlock_server() -> bool {
    LOCKS.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |locks| locks.checked_sub(1)).is_ok()
}

/// A class factory that exists.
pub(crate) struct FactoryMade(());

impl FactoryMade {
    pub(crate) fn new() -> Self {
        pin();
        FACTORIES.fetch_add(1, Ordering::SeqCst);
        Self(())
    }
}

impl Drop for FactoryMade {
    fn drop(&mut self) {
        FACTORIES.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Keeps the library loaded until the process ends, whoever unloads it. Where this code is part of a program and not a
/// library, there is nothing to keep.
fn pin() {
    static PINNED: Once = Once::new();
    PINNED.call_once(pin_in_process);
}

/// An address in this module.
fn an_address() -> *const core::ffi::c_void {
    (&raw const HAD_OBJECT).cast()
}

#[cfg(unix)]
fn pin_in_process() {
    let mut found = core::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: any address may be asked for, and the structure is there to be written.
    if unsafe { libc::dladdr(an_address(), found.as_mut_ptr()) } == 0 {
        return;
    }
    // SAFETY: zero is a value of the structure, and the call wrote the rest.
    let name = unsafe { found.assume_init() }.dli_fname;
    // NOLOAD: only what is loaded already. The handle is kept for ever.
    // SAFETY: the name is a C string of the loader's, or null, which stands for the program.
    unsafe { libc::dlopen(name, libc::RTLD_LAZY | libc::RTLD_NOLOAD | libc::RTLD_NODELETE) };
}

#[cfg(windows)]
fn pin_in_process() {
    let _ = handle_with(windows_sys::Win32::System::LibraryLoader::GET_MODULE_HANDLE_EX_FLAG_PIN);
}

/// This module's handle, lent.
#[cfg(windows)]
pub(crate) fn handle() -> Option<windows_sys::Win32::Foundation::HMODULE> {
    handle_with(windows_sys::Win32::System::LibraryLoader::GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT)
}

#[cfg(windows)]
fn handle_with(flags: u32) -> Option<windows_sys::Win32::Foundation::HMODULE> {
    use windows_sys::Win32::System::LibraryLoader::{GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, GetModuleHandleExW};
    let mut module = core::ptr::null_mut();
    // SAFETY: with FROM_ADDRESS the second argument is an address in the module and not a name.
    let found =
        unsafe { GetModuleHandleExW(flags | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, an_address().cast(), &mut module) };
    (found != 0).then_some(module)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_was_not_taken_cannot_be_given_up() {
        // Nothing else in this process's tests locks the server.
        assert!(!unlock_server());
        assert!(lock_server() && lock_server());
        assert!(!can_unload(), "locked");
        assert!(unlock_server() && unlock_server());
        assert!(!unlock_server());
    }
}
