//! [`Request`]: a request that has begun, and that nobody waits for yet.

use crate::in_process::{Connection, PendingFrame, wait_for_frame};
use crate::object_access::DeviceError;
use crate::remote::Sent;
use rustix::fd::BorrowedFd;

/// A request to an object, started by [`InProcessObjects::begin`](crate::InProcessObjects::begin),
/// [`RemoteObjects::begin`](crate::RemoteObjects::begin) or [`SystemObjects::begin`](crate::SystemObjects::begin): what an
/// overlapped `DeviceIoControl` is on Windows. At an object of this process it may have ended at once; only a
/// `KSMETHOD_STREAMALLOCATOR_ALLOC` waits there.
///
/// Every method is for any thread. Dropped before it ended, it is cancelled; a frame it was given, and nobody was told
/// of, goes back.
#[derive(Debug)]
pub struct Request {
    output: Vec<u8>,
    progress: Progress,
}

#[derive(Debug)]
enum Progress {
    Ended(Result<usize, DeviceError>),
    Pending(PendingFrame, Connection),
    Sent(Sent),
}

impl Request {
    pub(crate) fn ended(output: Vec<u8>, result: Result<usize, DeviceError>) -> Self {
        Self { output, progress: Progress::Ended(result) }
    }

    pub(crate) fn pending(output: Vec<u8>, frame: PendingFrame, connection: Connection) -> Self {
        Self { output, progress: Progress::Pending(frame, connection) }
    }

    pub(crate) fn sent(output: Vec<u8>, sent: Sent) -> Self {
        Self { output, progress: Progress::Sent(sent) }
    }

    /// Whether the request still waits (`STATUS_PENDING`). Of an object of another process: whether its answer is still to
    /// come.
    pub fn is_pending(&self) -> bool {
        match &self.progress {
            Progress::Ended(_) => false,
            Progress::Pending(frame, _) => !frame.has_ended(),
            Progress::Sent(sent) => !sent.is_answered(),
        }
    }

    /// Cancels the request, so that it ends with [`Win32Error::OPERATION_ABORTED`](crate::Win32Error::OPERATION_ABORTED)
    /// (statement 138). Nothing happens where it has ended (`CancelIoEx`). An object of another process ends it when it
    /// hears of that.
    pub fn cancel(&self) {
        match &self.progress {
            Progress::Ended(_) => {}
            Progress::Pending(frame, _) => frame.cancel(),
            Progress::Sent(sent) => sent.cancel(),
        }
    }

    /// A descriptor that can be read once the request has ended; `None` where it ended when it began, or where the
    /// process has no descriptor left. For a program that waits for several things. Of an object of another process it
    /// can be read also where another answer has come: ask [`is_pending`](Self::is_pending) each time. It does not tell of
    /// a handle of this process's objects that was closed by its number alone: then [`wait`](Self::wait) does.
    pub fn as_fd(&self) -> Option<BorrowedFd<'_>> {
        match &self.progress {
            Progress::Ended(_) => None,
            Progress::Pending(frame, _) => frame.descriptor(),
            Progress::Sent(sent) => sent.descriptor(),
        }
    }

    /// Waits for the end. Gives the output buffer, and what
    /// [`device_io_control`](crate::ObjectAccess::device_io_control) answers.
    pub fn wait(mut self) -> (Vec<u8>, Result<usize, DeviceError>) {
        let result = match self.progress {
            Progress::Ended(result) => result,
            Progress::Pending(frame, connection) => wait_for_frame(&frame, &connection, &mut self.output),
            Progress::Sent(sent) => sent.wait(&mut self.output),
        };
        (self.output, result)
    }
}
