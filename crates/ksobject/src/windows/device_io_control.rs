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
    // With its lowest bit set, the event's handle keeps the end of the request out of a completion port that the object
    // may be bound to: its owner would take it for one of his own requests.
    let event = completion.handle().as_raw().map_addr(|address| address | 1);
    let mut overlapped = OVERLAPPED { hEvent: event, ..OVERLAPPED::default() };
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::OpenOptions;
    use std::io::Write;
    use windows_sys::Win32::Foundation::{ERROR_MORE_DATA, ERROR_PIPE_CONNECTED};
    use windows_sys::Win32::Storage::FileSystem::{FILE_FLAG_OVERLAPPED, PIPE_ACCESS_DUPLEX};
    use windows_sys::Win32::System::Pipes::{CreateNamedPipeW, PIPE_READMODE_MESSAGE, PIPE_TYPE_MESSAGE};

    /// winioctl.h: waits until a client opens the pipe.
    const FSCTL_PIPE_LISTEN: u32 = 0x0011_0008;
    /// winioctl.h: four words about the pipe, and the bytes in it, as many as there is room for.
    const FSCTL_PIPE_PEEK: u32 = 0x0011_400C;
    const PEEK_HEADER: usize = 16;

    /// A named pipe's server end: a device that leaves requests pending. And the name its clients open.
    fn pipe(name: &str) -> (OwnedHandle, String) {
        let name = format!(r"\\.\pipe\ksproxy-{name}-{}", std::process::id());
        let wide: Vec<u16> = name.encode_utf16().chain([0]).collect();
        let access = PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED;
        // A message that does not fit is an answer that is cut; bytes would be left for the next request.
        let kind = PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE;
        // SAFETY: a name with its end, no attributes.
        let handle = unsafe { CreateNamedPipeW(wide.as_ptr(), access, kind, 1, 4096, 4096, 0, null()) };
        // SAFETY: new, so ours.
        (unsafe { OwnedHandle::from_raw(handle.into()) }.expect("a pipe"), name)
    }

    /// A pipe with something in it to read, and its client's end.
    fn written(name: &str, bytes: &[u8]) -> (OwnedHandle, std::fs::File) {
        let (server, name) = pipe(name);
        let mut client = OpenOptions::new().read(true).write(true).open(name).expect("the pipe is there");
        client.write_all(bytes).expect("it takes bytes");
        (server, client)
    }

    #[test]
    fn a_request_that_pends_is_waited_for() {
        let (server, name) = pipe("listen");
        let answer = std::thread::scope(|scope| {
            let client =
                scope.spawn(|| OpenOptions::new().read(true).write(true).open(&name).expect("the pipe is there"));
            let answer = device_io_control(server.handle(), FSCTL_PIPE_LISTEN, &[], &mut []);
            drop(client.join().expect("the client"));
            answer
        });
        // Whichever of the two came first.
        let connected = DeviceError { error: Win32Error(ERROR_PIPE_CONNECTED), returned: 0 };
        assert!(answer == Ok(0) || answer == Err(connected), "{answer:?}");
    }

    #[test]
    fn an_answer_comes_with_its_length() {
        let (server, _client) = written("peek", b"frames");
        let mut output = [0xEE; PEEK_HEADER + 32];
        let returned = device_io_control(server.handle(), FSCTL_PIPE_PEEK, &[], &mut output);
        assert_eq!(returned, Ok(PEEK_HEADER + 6));
        assert_eq!(&output[PEEK_HEADER..PEEK_HEADER + 6], b"frames");
        assert!(output[PEEK_HEADER + 6..].iter().all(|byte| *byte == 0xEE), "nothing behind the answer is written");
    }

    #[test]
    fn an_answer_that_is_cut_says_so_and_how_much_there_is() {
        let (server, _client) = written("cut", b"frames");
        let mut output = [0; PEEK_HEADER + 2];
        let answer = device_io_control(server.handle(), FSCTL_PIPE_PEEK, &[], &mut output);
        let cut = DeviceError { error: Win32Error(ERROR_MORE_DATA), returned: PEEK_HEADER + 2 };
        assert_eq!(answer, Err(cut));
        assert_eq!(&output[PEEK_HEADER..], b"fr");
    }

    #[test]
    fn what_no_device_answers_is_an_error() {
        let event = new_event().expect("an event");
        for handle in [event.handle(), Handle::NULL, Handle::INVALID, Handle(0x7FFF_FFFC)] {
            let answer = device_io_control(handle, ks::IOCTL_KS_PROPERTY, &[0; 24], &mut [0; 32]);
            let error = answer.expect_err("no device");
            assert_ne!(error.error, Win32Error(0), "{handle:?}");
            assert_eq!(error.returned, 0, "{handle:?}");
        }
    }
}
