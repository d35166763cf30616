//! [`Handle`], the `HANDLE` of the interfaces, and [`OwnedHandle`], one that is closed when dropped.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub use unix::OwnedHandle;
#[cfg(windows)]
pub use windows::OwnedHandle;

/// `HANDLE`: a machine word that may name an object. Copying it does not duplicate the object's handle.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Handle(pub isize);

impl Handle {
    /// No handle.
    pub const NULL: Handle = Handle(0);
    /// `INVALID_HANDLE_VALUE`, which some functions answer for no handle.
    pub const INVALID: Handle = Handle(-1);

    /// Whether this could name an object: on Linux, a number from 3; on Windows, any but null and
    /// `INVALID_HANDLE_VALUE`.
    pub fn is_object(self) -> bool {
        self.could_name_an_object()
    }
}
