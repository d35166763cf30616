//! [`ObjectAccess`]: what the interfaces ask of KS objects behind handles.

use crate::handle::{Handle, OwnedHandle};
use ks::{KsAllocatorFraming, KsProperty};
use std::fmt;
use windows_core::HRESULT;

/// A Win32 error code (winerror.h), as `KsCreateAllocator` and `DeviceIoControl` fail with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Win32Error(pub u32);

impl Win32Error {
    /// The handle names no object, or none of the kind asked for.
    pub const INVALID_HANDLE: Self = Self(6);
    /// No descriptor, or no memory, is left.
    pub const NO_SYSTEM_RESOURCES: Self = Self(1450);
    /// What is asked is malformed.
    pub const INVALID_PARAMETER: Self = Self(87);
    /// The answer does not fit the buffer.
    pub const INSUFFICIENT_BUFFER: Self = Self(122);
    /// The set has no such item.
    pub const NOT_FOUND: Self = Self(1168);
    /// The object has no such set.
    pub const SET_NOT_FOUND: Self = Self(1170);

    /// `HRESULT_FROM_WIN32`.
    pub const fn to_hresult(self) -> HRESULT {
        let code = self.0.cast_signed();
        if code <= 0 { HRESULT(code) } else { HRESULT((self.0 & 0xFFFF | 0x8007_0000).cast_signed()) }
    }
}

impl fmt::Display for Win32Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Win32 error {}", self.0)
    }
}

impl std::error::Error for Win32Error {}

/// How KS objects are reached by their handles. The allocator object calls this from any thread and holds no lock
/// meanwhile.
///
/// [`InProcessObjects`](crate::InProcessObjects) reaches the objects of this process. Objects of other processes, and
/// Windows' own, will be further implementations.
pub trait ObjectAccess: Send + Sync {
    /// `KsCreateAllocator`: creates an allocator with this framing on the handle of a sink pin.
    ///
    /// # Errors
    /// What the function of ksuser.dll would answer.
    fn create_allocator(&self, pin: Handle, framing: &KsAllocatorFraming) -> Result<OwnedHandle, Win32Error>;

    /// `IOCTL_KS_PROPERTY`: sends a property request to an object. `data` goes with it and takes the answer.
    ///
    /// Returns how many bytes were answered.
    ///
    /// # Errors
    /// What `DeviceIoControl` would leave in `GetLastError`.
    fn property(&self, object: Handle, request: &KsProperty, data: &mut [u8]) -> Result<usize, Win32Error>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hresult::*;

    #[test]
    fn win32_errors_map_as_hresult_from_win32_maps_them() {
        assert_eq!(Win32Error(0).to_hresult(), S_OK);
        assert_eq!(Win32Error::INVALID_HANDLE.to_hresult(), E_HANDLE);
        assert_eq!(Win32Error::INVALID_PARAMETER.to_hresult(), E_INVALIDARG);
        assert_eq!(Win32Error(0x8004_0211).to_hresult(), VFW_E_NOT_COMMITTED, "an HRESULT stays one");
    }
}
