//! [`Failure`]: why a request failed, as objects say it.

use crate::object_access::{DeviceError, Win32Error};
use ks::NtStatus;

/// Why a request failed. What a client in this process sees of it is a [`DeviceError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) status: NtStatus,
    /// Bytes that the answer takes, where that is why.
    pub(crate) returned: usize,
}

impl Failure {
    /// The answer takes `needed` bytes, and the buffer has `given`: an empty one is how a size is asked for.
    pub(crate) fn too_small(needed: usize, given: usize) -> Self {
        let status = if given == 0 { NtStatus::STATUS_BUFFER_OVERFLOW } else { NtStatus::STATUS_BUFFER_TOO_SMALL };
        Self { status, returned: needed }
    }
}

impl From<NtStatus> for Failure {
    fn from(status: NtStatus) -> Self {
        Self { status, returned: 0 }
    }
}

impl From<Failure> for DeviceError {
    fn from(Failure { status, returned }: Failure) -> Self {
        Self { error: Win32Error::from_status(status), returned }
    }
}
