//! On Windows a handle is one of the kernel's, closed with `CloseHandle`. Null and `INVALID_HANDLE_VALUE` are none.
//!
//! Any other number is taken for what its giver says it is: whether it is open is not looked at, because it may be
//! closed a moment later all the same.

use super::Handle;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, IntoRawHandle, RawHandle};

impl Handle {
    /// See [`Handle::is_object`].
    pub(super) fn could_name_an_object(self) -> bool {
        self != Self::NULL && self != Self::INVALID
    }

    /// As the system's functions take it.
    pub(crate) fn as_raw(self) -> RawHandle {
        std::ptr::without_provenance_mut(self.0.cast_unsigned())
    }
}

impl From<RawHandle> for Handle {
    fn from(handle: RawHandle) -> Self {
        Self(handle.addr().cast_signed())
    }
}

/// A handle that belongs to its holder, who closes it by dropping this.
#[derive(Debug)]
pub struct OwnedHandle(std::os::windows::io::OwnedHandle);

impl OwnedHandle {
    /// Takes over the handle that `handle` names. `None` for null and `INVALID_HANDLE_VALUE`.
    ///
    /// # Safety
    ///
    /// The caller gives away the ownership of what `handle` names: nobody else closes it.
    pub unsafe fn from_raw(handle: Handle) -> Option<Self> {
        if !handle.is_object() {
            return None;
        }
        // SAFETY: its ownership is the caller's to give, and it is to be closed with `CloseHandle`.
        Some(Self(unsafe { std::os::windows::io::OwnedHandle::from_raw_handle(handle.as_raw()) }))
    }

    /// The handle, lent: it is good until `self` is dropped.
    pub fn handle(&self) -> Handle {
        self.0.as_raw_handle().into()
    }

    /// Another handle of the same object.
    ///
    /// # Errors
    /// What `DuplicateHandle` failed with.
    pub fn try_clone(&self) -> std::io::Result<Self> {
        Ok(Self(self.0.try_clone()?))
    }

    /// Gives the handle away without closing it.
    pub fn into_raw(self) -> Handle {
        self.0.into_raw_handle().into()
    }
}

impl From<std::os::windows::io::OwnedHandle> for OwnedHandle {
    fn from(handle: std::os::windows::io::OwnedHandle) -> Self {
        Self(handle)
    }
}

impl From<OwnedHandle> for std::os::windows::io::OwnedHandle {
    fn from(handle: OwnedHandle) -> Self {
        handle.0
    }
}

impl AsHandle for OwnedHandle {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.0.as_handle()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn null_and_invalid_name_no_object() {
        for handle in [Handle::NULL, Handle::INVALID] {
            assert!(!handle.is_object());
            // SAFETY: neither is taken over.
            assert!(unsafe { OwnedHandle::from_raw(handle) }.is_none());
        }
        assert!(Handle(4).is_object());
    }

    #[test]
    fn an_owned_handle_closes_what_it_owns() {
        let (mut reader, writer) = std::io::pipe().expect("a pipe");
        let owned = OwnedHandle::from(std::os::windows::io::OwnedHandle::from(writer));
        let twin = owned.try_clone().expect("a duplicate");
        assert_ne!(owned.handle(), twin.handle());
        let raw = owned.into_raw();
        drop(twin);
        // SAFETY: its ownership was given out just above.
        drop(unsafe { OwnedHandle::from_raw(raw) });
        assert_eq!(reader.read(&mut [0u8; 1]).expect("a read"), 0, "the last writer is gone: end of file");
    }
}
