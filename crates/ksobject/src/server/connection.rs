//! A client's connection to an object: what it still has to be told, and which of its requests wait.

use crate::in_process::{Charge, PendingFrame};
use crate::socket;
use rustix::event::epoll::EventFlags;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use std::collections::{BTreeMap, VecDeque};

/// A connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) socket: OwnedFd,
    /// The handle it was asked for on.
    pub(super) handle: u64,
    /// The process at its other end.
    pub(super) process: i32,
    /// Answers that the client has had no room for.
    unread: VecDeque<(Vec<u8>, Vec<OwnedFd>)>,
    /// Requests that wait, by their names here.
    pub(super) waiting: BTreeMap<u64, WaitingRequest>,
    /// What is asked of epoll.
    pub(super) interest: EventFlags,
    /// Epoll has told of it, and what there is to do was not done yet.
    pub(super) is_scheduled: bool,
    pub(super) _charge: Charge,
}

/// A request that waits for a frame.
#[derive(Debug)]
pub(super) struct WaitingRequest {
    /// The client's number for it.
    pub(super) id: u64,
    pub(super) frame: PendingFrame,
    pub(super) _charge: Charge,
}

/// Why nothing more can be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gone;

impl Connection {
    pub(super) fn new(socket: OwnedFd, handle: u64, process: i32, charge: Charge) -> Self {
        let (unread, waiting) = (VecDeque::new(), BTreeMap::new());
        let (interest, is_scheduled) = (EventFlags::empty(), false);
        Self { socket, handle, process, unread, waiting, interest, is_scheduled, _charge: charge }
    }

    /// How many answers wait until the client reads.
    pub(super) fn unread(&self) -> usize {
        self.unread.len()
    }

    /// Sends an answer, or keeps it for when there is room.
    pub(super) fn answer(&mut self, packet: Vec<u8>, descriptors: Vec<OwnedFd>) -> Result<(), Gone> {
        self.unread.push_back((packet, descriptors));
        self.flush()
    }

    /// Sends what there is room for.
    pub(super) fn flush(&mut self) -> Result<(), Gone> {
        while let Some((packet, descriptors)) = self.unread.front() {
            let borrowed: Vec<BorrowedFd<'_>> = descriptors.iter().map(AsFd::as_fd).collect();
            match socket::send(&self.socket, packet, &borrowed) {
                Ok(()) => drop(self.unread.pop_front()),
                // No room, or too many descriptors on their way: both pass as the client reads.
                Err(Errno::AGAIN | Errno::NOBUFS | Errno::NOMEM | Errno::TOOMANYREFS) => return Ok(()),
                Err(_) => return Err(Gone),
            }
        }
        Ok(())
    }
}
