//! Requests that wait: an ALLOC for which no frame is free (statements 135 to 139).

use super::allocator::StreamAllocator;
use super::table::{Connection, Woken};
use crate::lock::{Lock, lock};
use ks::NtStatus;
use rustix::event::{EventfdFlags, eventfd};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use zerocopy::IntoBytes;

/// How a request for a frame ended: the frame's address, or why there is none.
pub(crate) type FrameOutcome = Result<usize, NtStatus>;

/// A place in an allocator's queue.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// `None` until it ended, and again once that was taken. Written under the allocator's lock.
    outcome: Lock<Option<FrameOutcome>>,
    wake: Wake,
}

/// How somebody is told that a request has ended.
#[derive(Clone, Debug)]
pub(crate) enum Wake {
    /// By an eventfd of the request's own, which can be read then.
    Descriptor(Arc<OwnedFd>),
    /// By an entry in a list that somebody reads.
    List(Arc<EndedRequests>, u64),
}

impl Wake {
    /// An eventfd.
    pub(crate) fn descriptor() -> Result<Self, NtStatus> {
        let none_left = |_| NtStatus::STATUS_INSUFFICIENT_RESOURCES;
        let ended = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).map_err(none_left)?;
        // A number that is a standard stream's must not be ours.
        Ok(Self::Descriptor(Arc::new(crate::socket::above_standard_streams(ended).map_err(none_left)?)))
    }
}

/// Requests that have ended and that nobody has looked at yet.
#[derive(Debug)]
pub(crate) struct EndedRequests {
    /// Their names, as who waits gave them.
    list: Lock<Vec<u64>>,
    /// Can be read while there are any.
    eventfd: OwnedFd,
}

impl EndedRequests {
    pub(crate) fn new() -> Result<Self, rustix::io::Errno> {
        let eventfd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self { list: Lock::new(Vec::new()), eventfd: crate::socket::above_standard_streams(eventfd)? })
    }

    fn push(&self, name: u64) {
        lock(&self.list).push(name);
        // A full counter wakes as well as one more.
        let _ = rustix::io::write(&self.eventfd, 1u64.as_bytes());
    }

    /// Has it be readable, without an end.
    pub(crate) fn remind(&self) {
        let _ = rustix::io::write(&self.eventfd, 1u64.as_bytes());
    }

    /// What can be read is read. Called before [`take`](Self::take): what ends in between is told of again.
    pub(crate) fn acknowledge(&self) {
        let _ = rustix::io::read(&self.eventfd, &mut [0; 8]);
    }

    /// Takes all of them.
    pub(crate) fn take(&self) -> Vec<u64> {
        std::mem::take(&mut *lock(&self.list))
    }
}

impl AsFd for EndedRequests {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.eventfd.as_fd()
    }
}

impl Waiting {
    /// A place for a request that just came.
    pub(crate) fn new(wake: Wake) -> Self {
        Self { outcome: Lock::new(None), wake }
    }

    /// Ends it. Called once, by whoever took it out of the queue, who then calls [`wake`](Self::wake).
    pub(crate) fn end(&self, outcome: FrameOutcome) {
        *lock(&self.outcome) = Some(outcome);
    }

    /// Wakes who waits. Called without the allocator's lock.
    pub(crate) fn wake(&self) {
        match &self.wake {
            Wake::Descriptor(eventfd) => {
                // A counter that starts at 0 takes a 1.
                let _ = rustix::io::write(eventfd, 1u64.as_bytes());
            }
            Wake::List(ended, name) => ended.push(*name),
        }
    }
}

/// A request that waits for a frame. Dropped, it is cancelled, and a frame it got meanwhile goes back.
#[derive(Debug)]
pub(crate) struct PendingFrame {
    allocator: Arc<StreamAllocator>,
    waiting: Arc<Waiting>,
}

impl PendingFrame {
    pub(crate) fn new(allocator: Arc<StreamAllocator>, waiting: Arc<Waiting>) -> Self {
        Self { allocator, waiting }
    }

    pub(crate) fn has_ended(&self) -> bool {
        lock(&self.waiting.outcome).is_some()
    }

    /// How it ended, once: whoever takes that has the frame. `None` while it waits.
    pub(crate) fn outcome(&self) -> Option<FrameOutcome> {
        lock(&self.waiting.outcome).take()
    }

    /// What can be read once it ended, if that is how it tells.
    pub(crate) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        match &self.waiting.wake {
            Wake::Descriptor(eventfd) => Some(eventfd.as_fd()),
            Wake::List(..) => None,
        }
    }

    pub(crate) fn cancel(&self) {
        self.allocator.cancel(&self.waiting);
    }

    /// Waits for the end, be it that of the object.
    pub(crate) fn wait(&self, connection: &Connection) -> FrameOutcome {
        loop {
            if let Some(outcome) = self.outcome() {
                return outcome;
            }
            let woken = self.descriptor().map_or(Woken::Failed, |ended| connection.wait_for(ended));
            match woken {
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
