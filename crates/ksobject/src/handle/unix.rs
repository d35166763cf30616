//! On Linux a KS object's handle is the number of a descriptor, at least 3, so that null (0) and
//! `INVALID_HANDLE_VALUE` (-1) never name an object, nor do the three standard streams.

use super::Handle;
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};

impl Handle {
    /// The descriptor this names, if its number is one that a KS object can have.
    fn descriptor(self) -> Option<RawFd> {
        RawFd::try_from(self.0).ok().filter(|number| *number >= 3)
    }

    /// See [`Handle::is_object`].
    pub(super) fn could_name_an_object(self) -> bool {
        self.descriptor().is_some()
    }

    /// The open descriptor this names, lent for as long as the caller keeps it open.
    ///
    /// # Safety
    ///
    /// Nobody closes the descriptor for the lifetime `'a`.
    pub(crate) unsafe fn borrow<'a>(self) -> Option<BorrowedFd<'a>> {
        // SAFETY: the number is not -1; that it stays open is the caller's promise.
        let descriptor = unsafe { BorrowedFd::borrow_raw(self.descriptor()?) };
        rustix::io::fcntl_getfd(descriptor).is_ok().then_some(descriptor)
    }
}

/// A handle that belongs to its holder, who closes it by dropping this.
#[derive(Debug)]
pub struct OwnedHandle(OwnedFd, Closed);

/// Dropped after the descriptor: an object of this process whose last handle it was ends now, and connections to objects
/// that have ended are let go of.
#[derive(Debug)]
struct Closed;

impl Drop for Closed {
    fn drop(&mut self) {
        crate::in_process::sweep();
        crate::remote::sweep();
    }
}

impl OwnedHandle {
    /// Takes over the handle that `handle` names. `None` if it names no open descriptor: then nothing is taken over,
    /// and so nothing will be closed that somebody else opened under the same number since.
    ///
    /// # Safety
    ///
    /// The caller gives away the ownership of what `handle` names: nobody else closes it.
    pub unsafe fn from_raw(handle: Handle) -> Option<Self> {
        // SAFETY: the caller owns the descriptor, so nobody closes it meanwhile.
        let number = unsafe { handle.borrow()? }.as_raw_fd();
        // SAFETY: it is open, and its ownership is the caller's to give.
        Some(Self(unsafe { OwnedFd::from_raw_fd(number) }, Closed))
    }

    /// The handle, lent: it is good until `self` is dropped.
    pub fn handle(&self) -> Handle {
        // A descriptor's number fits a machine word on every platform with descriptors.
        Handle(self.0.as_raw_fd() as isize)
    }

    /// Another handle of the same object.
    ///
    /// # Errors
    /// The process has no descriptor left.
    pub fn try_clone(&self) -> std::io::Result<Self> {
        Ok(Self(rustix::io::fcntl_dupfd_cloexec(&self.0, 3)?, Closed))
    }

    /// Gives the handle away without closing it.
    pub fn into_raw(self) -> Handle {
        Handle(self.0.into_raw_fd() as isize)
    }
}

impl From<OwnedFd> for OwnedHandle {
    /// A descriptor below 3 is moved up, because its number could not be a handle; if the process has no descriptor
    /// left, it stays where it is, and its number names no object.
    fn from(descriptor: OwnedFd) -> Self {
        if descriptor.as_raw_fd() >= 3 {
            return Self(descriptor, Closed);
        }
        Self(rustix::io::fcntl_dupfd_cloexec(&descriptor, 3).unwrap_or(descriptor), Closed)
    }
}

impl From<OwnedHandle> for OwnedFd {
    fn from(handle: OwnedHandle) -> Self {
        handle.0
    }
}

impl AsFd for OwnedHandle {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::pipe::pipe;

    #[test]
    fn null_invalid_and_the_standard_streams_name_no_object() {
        for number in [0, -1, 1, 2, isize::MIN, isize::MAX, 1 << 40] {
            assert!(!Handle(number).is_object(), "{number}");
            // SAFETY: none of these is taken over.
            assert!(unsafe { OwnedHandle::from_raw(Handle(number)) }.is_none(), "{number}");
        }
        assert!(Handle(3).is_object());
    }

    #[test]
    fn a_number_nobody_opened_is_not_taken_over() {
        // Far above what the tests of this process open, and below the least limit of descriptors in use.
        // SAFETY: nothing is open under the number, so nothing changes hands.
        assert!(unsafe { OwnedHandle::from_raw(Handle(i32::MAX as isize)) }.is_none());
    }

    #[test]
    fn an_owned_handle_closes_what_it_owns() {
        let (reader, writer) = pipe().expect("a pipe");
        let owned = OwnedHandle::from(writer);
        assert!(owned.handle().is_object());
        drop(owned);
        let mut byte = [0u8; 1];
        assert_eq!(rustix::io::read(&reader, &mut byte), Ok(0), "the last writer is gone: end of file");
    }
}
