//! [`SystemObjects`]: whatever a handle names on Linux.

use crate::handle::{Handle, OwnedHandle};
use crate::in_process::{self, InProcessObjects};
use crate::object_access::{DeviceError, ObjectAccess, Win32Error};
use crate::remote::RemoteObjects;
use crate::request::Request;
use ks::{KsAllocatorFraming, allocator_create_name};
use std::sync::Arc;

/// The objects of this process ([`InProcessObjects`]) and those of others ([`RemoteObjects`]): which of them it is, the
/// handle says. Any other handle is [`Win32Error::INVALID_HANDLE`].
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemObjects;

impl SystemObjects {
    /// These objects, to be given to an allocator.
    pub fn access() -> Arc<dyn ObjectAccess> {
        Arc::new(Self)
    }

    /// Creates an object on the handle of another by a create name, as [`InProcessObjects::create`] and
    /// [`RemoteObjects::create`] do.
    ///
    /// # Errors
    /// As theirs.
    pub fn create(parent: Handle, name: &[u8]) -> Result<OwnedHandle, Win32Error> {
        if in_process::find(parent).is_ok() {
            InProcessObjects::create(parent, name)
        } else {
            RemoteObjects::create(parent, name)
        }
    }

    /// Starts a request and does not wait for its end, as [`InProcessObjects::begin`] and [`RemoteObjects::begin`] do.
    pub fn begin(object: Handle, code: u32, input: &[u8], output: Vec<u8>) -> Request {
        if in_process::find(object).is_ok() {
            InProcessObjects::begin(object, code, input, output)
        } else {
            RemoteObjects::begin(object, code, input, output)
        }
    }
}

impl ObjectAccess for SystemObjects {
    fn create_allocator(&self, pin: Handle, framing: &KsAllocatorFraming) -> Result<OwnedHandle, Win32Error> {
        Self::create(pin, &allocator_create_name(framing))
    }

    fn device_io_control(
        &self,
        object: Handle,
        code: u32,
        input: &[u8],
        output: &mut [u8],
    ) -> Result<usize, DeviceError> {
        if in_process::find(object).is_ok() {
            InProcessObjects.device_io_control(object, code, input, output)
        } else {
            RemoteObjects.device_io_control(object, code, input, output)
        }
    }
}
