//! [`DeviceObjects`]: KS objects as Windows has them, behind the handles of files.

mod device_io_control;
mod ksuser;
mod unimplemented;

use crate::handle::{Handle, OwnedHandle};
use crate::object_access::{DeviceError, ObjectAccess, Win32Error};
use ks::KsAllocatorFraming;
use std::sync::Arc;

/// The KS objects that the kernel's handles name. Requests go by `DeviceIoControl`, and allocators are created by the
/// `KsCreateAllocator` of the ksuser.dll that the program would load.
///
/// A handle may be opened for overlapped use, as Kernel Streaming's are, or not; a request that stays pending is waited
/// for.
#[derive(Clone, Copy, Debug, Default)]
pub struct DeviceObjects;

impl DeviceObjects {
    /// These objects, to be given to an allocator.
    pub fn access() -> Arc<dyn ObjectAccess> {
        Arc::new(Self)
    }
}

impl ObjectAccess for DeviceObjects {
    /// # Errors
    /// What `KsCreateAllocator` answered. Where there is no ksuser.dll, what kept it from being loaded; where it has no
    /// such function, or one that is known to be a stub of Wine's, `ERROR_PROC_NOT_FOUND` and `ERROR_CALL_NOT_IMPLEMENTED`.
    fn create_allocator(&self, pin: Handle, framing: &KsAllocatorFraming) -> Result<OwnedHandle, Win32Error> {
        ksuser::create_allocator(pin, framing)
    }

    fn device_io_control(
        &self,
        object: Handle,
        code: u32,
        input: &[u8],
        output: &mut [u8],
    ) -> Result<usize, DeviceError> {
        device_io_control::device_io_control(object, code, input, output)
    }
}

/// `GetLastError`, right after the call that failed.
fn last_error() -> Win32Error {
    // SAFETY: always.
    Win32Error(unsafe { windows_sys::Win32::Foundation::GetLastError() })
}
