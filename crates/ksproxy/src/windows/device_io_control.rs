//! `DeviceIoControl`, waited for.

use super::last_error;
use crate::handle::{Handle, OwnedHandle};
use crate::object_access::{DeviceError, Win32Error};
use core::ptr::{null, null_mut};
use windows_sys::Win32::Foundation::{ERROR_IO_INCOMPLETE, ERROR_IO_PENDING};
use windows_sys::Win32::System::IO::{DeviceIoControl, GetOverlappedResult, OVERLAPPED};
use windows_sys::Win32::System::Threading::CreateEventW;

/// Sends a request and waits for its end. See [`ObjectAccess`](crate::ObjectAccess::device_io_control).
pub(super) fn device_io_control(
    object: Handle,
    code: u32,
    input: &[u8],
    output: &mut [u8],
) -> Result<usize, DeviceError> {
    let [input_length, output_length] =
        [input.len(), output.len()].map(|length| u32::try_from(length).map_err(|_| Win32Error::INVALID_PARAMETER));
    let (input_length, output_length) = (input_length?, output_length?);
    let completion = new_event()?;
    let mut overlapped = OVERLAPPED::default();
    // With its lowest bit set, the event's handle keeps the end of the request out of a completion port that the object
    // may be bound to: its owner would take it for one of his own requests.
    overlapped.hEvent = completion.handle().as_raw().map_addr(|address| address | 1);
    let (input, output) = (pointer(input), pointer_mut(output));
    let mut returned = 0;
    // SAFETY: the buffers have these lengths, and with `overlapped` stay where they are until the request has ended: it
    // has, or is waited for below, before this function returns.
    let succeeded = unsafe {
        DeviceIoControl(
            object.as_raw(),
            code,
            input.cast(),
            input_length,
            output.cast(),
            output_length,
            &mut returned,
            &mut overlapped,
        )
    };
    match succeeded {
        0 => match last_error() {
            Win32Error(ERROR_IO_PENDING) => wait(object, &overlapped),
            error => Err(DeviceError { error, returned: returned as usize }),
        },
        _ => Ok(returned as usize),
    }
}

/// Waits for the end of a request that is pending.
fn wait(object: Handle, overlapped: &OVERLAPPED) -> Result<usize, DeviceError> {
    loop {
        let mut returned = 0;
        // SAFETY: the request's own structure, which is not written to here.
        let succeeded = unsafe { GetOverlappedResult(object.as_raw(), overlapped, &mut returned, 1) };
        match succeeded {
            0 => match last_error() {
                // The event was set before the result was there. Wine does so where a handle is closed meanwhile.
                Win32Error(ERROR_IO_INCOMPLETE) => std::thread::yield_now(),
                error => return Err(DeviceError { error, returned: returned as usize }),
            },
            _ => return Ok(returned as usize),
        }
    }
}

/// An event that is set by hand, and is not.
fn new_event() -> Result<OwnedHandle, Win32Error> {
    // SAFETY: no attributes, no name.
    let event = unsafe { CreateEventW(null(), 1, 0, null()) };
    // SAFETY: created just now, so ours; null is none.
    unsafe { OwnedHandle::from_raw(event.into()) }.ok_or_else(last_error)
}

/// A buffer's address; null for an empty one, which is how Kernel Streaming is told that there is none.
fn pointer(buffer: &[u8]) -> *const u8 {
    if buffer.is_empty() { null() } else { buffer.as_ptr() }
}

/// As [`pointer`].
fn pointer_mut(buffer: &mut [u8]) -> *mut u8 {
    if buffer.is_empty() { null_mut() } else { buffer.as_mut_ptr() }
}
