//! Requests that wait: an ALLOC for which no frame is free (statements 135 to 139).

use super::allocator::StreamAllocator;
use super::table::{Connection, Woken};
use crate::lock::{Lock, lock};
use crate::object_access::DeviceError;
use ks::NtStatus;
use rustix::event::{EventfdFlags, eventfd};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use zerocopy::IntoBytes;

/// How a request for a frame ended: the frame's address, or why there is none.
pub(super) type FrameOutcome = Result<usize, NtStatus>;

/// A place in an allocator's queue.
#[derive(Debug)]
pub(super) struct Waiting {
    /// `None` until it ended, and again once that was taken. Written under the allocator's lock.
    outcome: Lock<Option<FrameOutcome>>,
    /// Can be read once it ended.
    ended: OwnedFd,
}

impl Waiting {
    /// A place for a request that just came.
    pub(super) fn new() -> Result<Self, NtStatus> {
        let ended = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
            .map_err(|_| NtStatus::STATUS_INSUFFICIENT_RESOURCES)?;
        // A number that is a standard stream's must not be ours.
        let ended = rustix::io::fcntl_dupfd_cloexec(ended, 3).map_err(|_| NtStatus::STATUS_INSUFFICIENT_RESOURCES)?;
        Ok(Self { outcome: Lock::new(None), ended })
    }

    /// Ends it. Called once, by whoever took it out of the queue, who then calls [`wake`](Self::wake).
    pub(super) fn end(&self, outcome: FrameOutcome) {
        *lock(&self.outcome) = Some(outcome);
    }

    /// Wakes who waits. Called without the allocator's lock.
    pub(super) fn wake(&self) {
        // A counter that starts at 0 takes a 1.
        let _ = rustix::io::write(&self.ended, 1u64.as_bytes());
    }
}

/// A request that waits for a frame. Dropped, it is cancelled, and a frame it got meanwhile goes back.
#[derive(Debug)]
pub(super) struct PendingFrame {
    allocator: Arc<StreamAllocator>,
    waiting: Arc<Waiting>,
}

impl PendingFrame {
    pub(super) fn new(allocator: Arc<StreamAllocator>, waiting: Arc<Waiting>) -> Self {
        Self { allocator, waiting }
    }

    fn has_ended(&self) -> bool {
        lock(&self.waiting.outcome).is_some()
    }

    fn cancel(&self) {
        self.allocator.cancel(&self.waiting);
    }

    /// Waits for the end, be it that of the object.
    fn wait(&self, connection: &Connection) -> FrameOutcome {
        loop {
            if let Some(outcome) = lock(&self.waiting.outcome).take() {
                return outcome;
            }
            match connection.wait_for(&self.waiting.ended) {
                Woken::Ready => {}
                Woken::Closed => {
                    // All that wait end by this, also this one.
                    super::table::sweep();
                    self.allocator.end_requests();
                }
                Woken::Failed => self.cancel(),
            }
        }
    }
}

impl Drop for PendingFrame {
    fn drop(&mut self) {
        self.cancel();
        if let Some(Ok(frame)) = lock(&self.waiting.outcome).take() {
            // An error is that the allocator has ended, and the frame with it.
            let _ = self.allocator.free(frame);
        }
    }
}

/// A request to an object of this process, started by
/// [`InProcessObjects::begin`](crate::InProcessObjects::begin): what an overlapped `DeviceIoControl` is on Windows. It
/// may have ended at once; only a `KSMETHOD_STREAMALLOCATOR_ALLOC` waits.
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
}

impl Request {
    pub(super) fn ended(output: Vec<u8>, result: Result<usize, DeviceError>) -> Self {
        Self { output, progress: Progress::Ended(result) }
    }

    pub(super) fn pending(output: Vec<u8>, frame: PendingFrame, connection: Connection) -> Self {
        Self { output, progress: Progress::Pending(frame, connection) }
    }

    /// Whether the request still waits (`STATUS_PENDING`).
    pub fn is_pending(&self) -> bool {
        match &self.progress {
            Progress::Ended(_) => false,
            Progress::Pending(frame, _) => !frame.has_ended(),
        }
    }

    /// Cancels the request, so that it ends with [`Win32Error::OPERATION_ABORTED`](crate::Win32Error::OPERATION_ABORTED)
    /// (statement 138). Nothing happens where it has ended (`CancelIoEx`).
    pub fn cancel(&self) {
        if let Progress::Pending(frame, _) = &self.progress {
            frame.cancel();
        }
    }

    /// A descriptor that can be read once the request has ended; `None` where it ended when it began. For a program that
    /// waits for several things. It does not tell of a handle that was closed by its number alone: then
    /// [`wait`](Self::wait) does.
    pub fn as_fd(&self) -> Option<BorrowedFd<'_>> {
        match &self.progress {
            Progress::Ended(_) => None,
            Progress::Pending(frame, _) => Some(frame.waiting.ended.as_fd()),
        }
    }

    /// Waits for the end. Gives the output buffer, and what
    /// [`device_io_control`](crate::ObjectAccess::device_io_control) answers.
    pub fn wait(mut self) -> (Vec<u8>, Result<usize, DeviceError>) {
        let result = match &self.progress {
            Progress::Ended(result) => *result,
            Progress::Pending(frame, connection) => wait_for_frame(frame, connection, &mut self.output),
        };
        (self.output, result)
    }
}

/// Waits for a frame, and writes its address to `output`.
pub(super) fn wait_for_frame(
    frame: &PendingFrame,
    connection: &Connection,
    output: &mut [u8],
) -> Result<usize, DeviceError> {
    let address = frame.wait(connection)?;
    super::request::answer(address.as_bytes(), output)
}
