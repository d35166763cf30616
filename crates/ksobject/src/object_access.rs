//! [`ObjectAccess`]: what the interfaces ask of KS objects behind handles.

use crate::handle::{Handle, OwnedHandle};
use ks::{IOCTL_KS_PROPERTY, KsAllocatorFraming, KsProperty, NtStatus};
use std::fmt;
use std::sync::Arc;
use zerocopy::IntoBytes;

/// A Win32 error code (winerror.h), as `KsCreateAllocator` and `DeviceIoControl` fail with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Win32Error(pub u32);

impl Win32Error {
    /// `ERROR_INVALID_FUNCTION`: the object has no such request.
    pub const INVALID_FUNCTION: Self = Self(1);
    /// `ERROR_FILE_NOT_FOUND`: nothing can be created under such a name.
    pub const FILE_NOT_FOUND: Self = Self(2);
    /// `ERROR_ACCESS_DENIED`: the object is not for this user.
    pub const ACCESS_DENIED: Self = Self(5);
    /// `ERROR_TOO_MANY_OPEN_FILES`: the object's server has as many files open as it may.
    pub const TOO_MANY_OPEN_FILES: Self = Self(4);
    /// `ERROR_INVALID_HANDLE`: the handle names no object, or none of the kind asked for.
    pub const INVALID_HANDLE: Self = Self(6);
    /// `ERROR_INVALID_DATA`: what was answered is malformed.
    pub const INVALID_DATA: Self = Self(13);
    /// `ERROR_GEN_FAILURE`: it failed, and nothing more is known.
    pub const GEN_FAILURE: Self = Self(31);
    /// `ERROR_BAD_DEV_TYPE`: what is there is of another type than objects are reached by.
    pub const BAD_DEV_TYPE: Self = Self(66);
    /// `ERROR_NOT_SUPPORTED`: the object does not do this.
    pub const NOT_SUPPORTED: Self = Self(50);
    /// `ERROR_INVALID_PARAMETER`: what is asked is malformed.
    pub const INVALID_PARAMETER: Self = Self(87);
    /// `ERROR_CALL_NOT_IMPLEMENTED`: the system has no such function.
    pub const CALL_NOT_IMPLEMENTED: Self = Self(120);
    /// `ERROR_INSUFFICIENT_BUFFER`: the answer does not fit the buffer.
    pub const INSUFFICIENT_BUFFER: Self = Self(122);
    /// `ERROR_BUSY`: there are as many as there may be.
    pub const BUSY: Self = Self(170);
    /// `ERROR_ALREADY_EXISTS`: who asks has one already.
    pub const ALREADY_EXISTS: Self = Self(183);
    /// `ERROR_MORE_DATA`: there is an answer, and no buffer, or too small a one, was given for it.
    pub const MORE_DATA: Self = Self(234);
    /// `ERROR_NO_MORE_ITEMS`: the list is at its end.
    pub const NO_MORE_ITEMS: Self = Self(259);
    /// `ERROR_OPERATION_ABORTED`: the request was cancelled.
    pub const OPERATION_ABORTED: Self = Self(995);
    /// `ERROR_IO_PENDING`: the request waits.
    pub const IO_PENDING: Self = Self(997);
    /// `ERROR_NOT_FOUND`: the set has no such item.
    pub const NOT_FOUND: Self = Self(1168);
    /// `ERROR_NO_MATCH`: nothing the object has matches what is asked.
    pub const NO_MATCH: Self = Self(1169);
    /// `ERROR_SET_NOT_FOUND`: the object has no such set.
    pub const SET_NOT_FOUND: Self = Self(1170);
    /// `ERROR_REVISION_MISMATCH`: the object's server speaks no version of the protocol that this library does.
    pub const REVISION_MISMATCH: Self = Self(1306);
    /// `ERROR_NO_SYSTEM_RESOURCES`: no descriptor, or no memory, is left.
    pub const NO_SYSTEM_RESOURCES: Self = Self(1450);
    /// `ERROR_DEVICE_REMOVED`: the object's server is gone, or has hung up.
    pub const DEVICE_REMOVED: Self = Self(1617);
    /// `ERROR_INVALID_USER_BUFFER`: the request is not as long as one.
    pub const INVALID_USER_BUFFER: Self = Self(1784);
    /// `ERROR_MR_MID_NOT_FOUND`: what Windows makes of a status it has no error for.
    pub const MR_MID_NOT_FOUND: Self = Self(317);

    /// The error that Windows makes of a status (`RtlNtStatusToDosError`), of those in [`NtStatus::NAMES`]; of any
    /// other, [`MR_MID_NOT_FOUND`](Self::MR_MID_NOT_FOUND). `STATUS_SUCCESS` is no error: 0.
    pub const fn from_status(status: NtStatus) -> Self {
        match status {
            NtStatus::STATUS_SUCCESS => Self(0),
            NtStatus::STATUS_PENDING => Self::IO_PENDING,
            NtStatus::STATUS_BUFFER_OVERFLOW => Self::MORE_DATA,
            NtStatus::STATUS_DEVICE_BUSY => Self::BUSY,
            NtStatus::STATUS_UNSUCCESSFUL => Self::GEN_FAILURE,
            NtStatus::STATUS_INVALID_HANDLE => Self::INVALID_HANDLE,
            NtStatus::STATUS_INVALID_PARAMETER => Self::INVALID_PARAMETER,
            NtStatus::STATUS_INVALID_DEVICE_REQUEST => Self::INVALID_FUNCTION,
            NtStatus::STATUS_BUFFER_TOO_SMALL => Self::INSUFFICIENT_BUFFER,
            NtStatus::STATUS_OBJECT_NAME_NOT_FOUND => Self::FILE_NOT_FOUND,
            NtStatus::STATUS_OBJECT_NAME_COLLISION => Self::ALREADY_EXISTS,
            NtStatus::STATUS_INSUFFICIENT_RESOURCES => Self::NO_SYSTEM_RESOURCES,
            NtStatus::STATUS_ACCESS_DENIED => Self::ACCESS_DENIED,
            NtStatus::STATUS_REVISION_MISMATCH => Self::REVISION_MISMATCH,
            NtStatus::STATUS_NOT_SUPPORTED => Self::NOT_SUPPORTED,
            NtStatus::STATUS_TOO_MANY_OPENED_FILES => Self::TOO_MANY_OPEN_FILES,
            NtStatus::STATUS_CANCELLED => Self::OPERATION_ABORTED,
            NtStatus::STATUS_INVALID_BUFFER_SIZE => Self::INVALID_USER_BUFFER,
            NtStatus::STATUS_NOT_FOUND => Self::NOT_FOUND,
            NtStatus::STATUS_PROPSET_NOT_FOUND => Self::SET_NOT_FOUND,
            NtStatus::STATUS_NO_MATCH => Self::NO_MATCH,
            _ => Self::MR_MID_NOT_FOUND,
        }
    }
}

impl fmt::Display for Win32Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Win32 error {}", self.0)
    }
}

impl std::error::Error for Win32Error {}

/// Why a request to an object failed, and what `DeviceIoControl` leaves in `lpBytesReturned` then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeviceError {
    /// What `GetLastError` would answer.
    pub error: Win32Error,
    /// Bytes. With [`Win32Error::MORE_DATA`] and [`Win32Error::INSUFFICIENT_BUFFER`], those the answer takes: Kernel
    /// Streaming's way to be asked for a size. Otherwise 0.
    pub returned: usize,
}

impl DeviceError {
    /// The answer takes `needed` bytes. The error is `MORE_DATA` where no output buffer was given, which is how a size
    /// is asked for, and `INSUFFICIENT_BUFFER` where one was.
    pub const fn too_small(needed: usize, given: usize) -> Self {
        let error = if given == 0 { Win32Error::MORE_DATA } else { Win32Error::INSUFFICIENT_BUFFER };
        Self { error, returned: needed }
    }
}

impl From<Win32Error> for DeviceError {
    fn from(error: Win32Error) -> Self {
        Self { error, returned: 0 }
    }
}

impl From<NtStatus> for DeviceError {
    fn from(status: NtStatus) -> Self {
        Win32Error::from_status(status).into()
    }
}

impl fmt::Display for DeviceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.returned {
            0 => self.error.fmt(f),
            needed => write!(f, "{}: {needed} bytes are needed", self.error),
        }
    }
}

impl std::error::Error for DeviceError {}

/// How KS objects are reached by their handles. The allocator object calls this from any thread and holds no lock
/// meanwhile.
///
/// On Windows, `DeviceObjects` reaches what the kernel's handles name. Elsewhere, `InProcessObjects` reaches the objects
/// of this process, `RemoteObjects` those of others, and `SystemObjects` both.
pub trait ObjectAccess: Send + Sync {
    /// `KsCreateAllocator`: creates an allocator with this framing on the handle of a sink pin.
    ///
    /// # Errors
    /// What the function of ksuser.dll would answer.
    fn create_allocator(&self, pin: Handle, framing: &KsAllocatorFraming) -> Result<OwnedHandle, Win32Error>;

    /// `DeviceIoControl`: sends a request to an object, one of the `IOCTL_KS_*` of [`ks::IOCTLS`], and waits for its end.
    /// Returns how many bytes of `output` were answered.
    ///
    /// Which buffer holds what is Kernel Streaming's convention. `input` holds the request: a
    /// [`KsProperty`], [`KsMethod`](ks::KsMethod) or [`KsEvent`](ks::KsEvent), and what belongs to it (a pin's number,
    /// say). `output` holds the data, **in both directions**: a property that is set, a method's argument and the
    /// [`KsEventData`](ks::KsEventData) of an event that is enabled are read from it. To disable an event, `input` is
    /// its `KsEventData`, or empty for every event of the caller's. An event is known by the address of its
    /// `KsEventData`: the same bytes elsewhere are another event.
    ///
    /// The buffers of `DeviceIoControl` (METHOD_NEITHER) may be the same memory; these may not, as slices never do. Who
    /// is called with overlapping ones passes on a copy of `input`, and the original `output`.
    ///
    /// # Errors
    /// What `DeviceIoControl` would leave in `GetLastError` and `lpBytesReturned`. Nothing is written to `output` then.
    fn device_io_control(
        &self,
        object: Handle,
        code: u32,
        input: &[u8],
        output: &mut [u8],
    ) -> Result<usize, DeviceError>;
}

/// How the objects of this system are reached: `DeviceObjects` on Windows, `SystemObjects` elsewhere.
pub fn objects_of_the_system() -> Arc<dyn ObjectAccess> {
    #[cfg(unix)]
    return crate::SystemObjects::access();
    #[cfg(windows)]
    return crate::windows::DeviceObjects::access();
}

impl dyn ObjectAccess + '_ {
    /// `IOCTL_KS_PROPERTY`: sends a property's request. `data` goes with it, or takes the answer.
    ///
    /// # Errors
    /// As [`device_io_control`](ObjectAccess::device_io_control).
    pub fn property(&self, object: Handle, request: &KsProperty, data: &mut [u8]) -> Result<usize, DeviceError> {
        self.device_io_control(object, IOCTL_KS_PROPERTY, request.as_bytes(), data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_error() {
        for (name, status) in NtStatus::NAMES {
            assert_ne!(Win32Error::from_status(*status), Win32Error::MR_MID_NOT_FOUND, "{name}");
        }
        assert_eq!(Win32Error::from_status(NtStatus(0x1234)), Win32Error::MR_MID_NOT_FOUND);
        let error = |status| Win32Error::from_status(status).0;
        assert_eq!(error(NtStatus::STATUS_PROPSET_NOT_FOUND), 1170);
        assert_eq!(error(NtStatus::STATUS_CANCELLED), 995);
    }
}
