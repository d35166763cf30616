//! The class in Windows' registry: `CLSID\{...}` and its `InprocServer32`, below the machine's or the user's classes.

use crate::class::CLSID_KspAllocator;
use crate::module;
use core::ptr::{null, null_mut};
use windows_sys::Win32::Foundation::{ERROR_ACCESS_DENIED, ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND, ERROR_SUCCESS};
use windows_sys::Win32::System::LibraryLoader::GetModuleFileNameW;
use windows_sys::Win32::System::Registry::{
    HKEY, HKEY_CURRENT_USER, HKEY_LOCAL_MACHINE, KEY_SET_VALUE, REG_OPTION_NON_VOLATILE, REG_SZ, RegCloseKey,
    RegCreateKeyExW, RegDeleteKeyW, RegSetValueExW,
};

/// What the class is called.
const NAME: &str = "kspipe allocator (IKsAllocatorEx)";

/// Where classes are registered: for the machine, for the user.
const ROOTS: [HKEY; 2] = [HKEY_LOCAL_MACHINE, HKEY_CURRENT_USER];

/// A Win32 error that is not `ERROR_SUCCESS`.
type Error = u32;

/// A text as the registry has it: UTF-16 with a zero at its end.
fn text(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// The class's key below a root.
fn class_key() -> String {
    format!(r"SOFTWARE\Classes\CLSID\{CLSID_KspAllocator}")
}

/// The key below it that says where the library is.
fn server_key() -> String {
    format!(r"{}\InprocServer32", class_key())
}

/// An open key.
struct Key(HKEY);

impl Key {
    /// Opens a key, creating it where it is missing.
    fn create(root: HKEY, path: &str) -> Result<Self, Error> {
        let mut key = null_mut();
        let path = text(path);
        // SAFETY: the root is a predefined key, the path ends in a zero, the result is there; the rest may be null.
        let error = unsafe {
            RegCreateKeyExW(
                root,
                path.as_ptr(),
                0,
                null(),
                REG_OPTION_NON_VOLATILE,
                KEY_SET_VALUE,
                null(),
                &mut key,
                null_mut(),
            )
        };
        if error == ERROR_SUCCESS { Ok(Self(key)) } else { Err(error) }
    }

    /// Sets a value; `None` is the key's own.
    fn set(&self, name: Option<&str>, value: &[u16]) -> Result<(), Error> {
        let name = name.map(text);
        let name = name.as_ref().map_or(null(), |name| name.as_ptr());
        let bytes = u32::try_from(size_of_val(value)).expect("a path is short");
        // SAFETY: the key is open, the name null or ending in a zero, the value as long as said.
        let error = unsafe { RegSetValueExW(self.0, name, 0, REG_SZ, value.as_ptr().cast(), bytes) };
        if error == ERROR_SUCCESS { Ok(()) } else { Err(error) }
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        // SAFETY: open, and nobody uses it after its owner.
        unsafe { RegCloseKey(self.0) };
    }
}

/// This library's path, ending in a zero.
fn library_path() -> Option<Vec<u16>> {
    /// The longest path of Windows.
    const LONGEST: u32 = 32767;
    let mut path = vec![0; LONGEST as usize + 1];
    // SAFETY: the module is this one, and the buffer longer than said.
    let length = unsafe { GetModuleFileNameW(module::handle()?, path.as_mut_ptr(), LONGEST) };
    if length == 0 || length >= LONGEST {
        return None;
    }
    path.truncate(length as usize + 1);
    Some(path)
}

/// Registers the class below a root.
fn register_below(root: HKEY, library: &[u16]) -> Result<(), Error> {
    Key::create(root, &class_key())?.set(None, &text(NAME))?;
    let server = Key::create(root, &server_key())?;
    server.set(None, library)?;
    server.set(Some("ThreadingModel"), &text("Both"))
}

/// Removes the class below a root. Keys that somebody else put below it stay, and it with them.
fn remove_below(root: HKEY) -> Result<(), Error> {
    for path in [server_key(), class_key()] {
        let path = text(&path);
        // SAFETY: a predefined key, and a path that ends in a zero.
        match unsafe { RegDeleteKeyW(root, path.as_ptr()) } {
            ERROR_SUCCESS | ERROR_FILE_NOT_FOUND | ERROR_PATH_NOT_FOUND => {}
            error => return Err(error),
        }
    }
    Ok(())
}

/// For the machine, or, where that is denied, for the user.
pub(super) fn register() -> bool {
    let Some(library) = library_path() else { return false };
    for root in ROOTS {
        match register_below(root, &library) {
            Ok(()) => return true,
            Err(error) => {
                let _ = remove_below(root);
                if error != ERROR_ACCESS_DENIED {
                    return false;
                }
            }
        }
    }
    false
}

/// For the machine and for the user.
pub(super) fn unregister() -> bool {
    // Both, whatever the first answers.
    ROOTS.map(remove_below).into_iter().all(|removed| removed.is_ok())
}
