//! A connection of this process to an object of another: requests go out, answers come back in any order.
//!
//! There is no thread behind it. Who waits for an answer reads for all who wait: the first of them waits at the socket,
//! the others for what it finds.

use crate::lock::{Lock, lock};
use crate::object_access::Win32Error;
use crate::socket::{self, Descriptors};
use crate::wire::{Answer, MAX_PACKET, Message, VersionsDiffer, cancel_packet};
use ks::NtStatus;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, MutexGuard, PoisonError};
use zerocopy::IntoBytes;

/// A connection.
#[derive(Debug)]
pub(crate) struct Connection {
    socket: OwnedFd,
    /// The process that made it. A child of it has a copy, and must not use it.
    process: u32,
    state: Lock<State>,
    /// Something was read, or nobody reads any more.
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    /// The number of the request that was sent last.
    last: u64,
    /// The requests that were sent, and whose answers nobody has taken.
    sent: BTreeMap<u64, Slot>,
    /// Where packets are read to; taken by who reads. So `None` says that somebody does.
    buffer: Option<Vec<u8>>,
    /// Why there will be no more answers.
    gone: Option<Win32Error>,
}

/// What there is of a request's answer.
#[derive(Debug)]
enum Slot {
    /// Nothing yet. The eventfd is signalled when it comes.
    Waiting(Option<Arc<OwnedFd>>),
    Answered(Answered),
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: NtStatus,
    pub(crate) returned: u32,
    pub(crate) data: Vec<u8>,
    pub(crate) descriptors: Vec<OwnedFd>,
}

impl Connection {
    /// A connection over this socket, whose other end the server has, or will have.
    pub(super) fn new(socket: OwnedFd) -> Self {
        let state = State { last: 0, sent: BTreeMap::new(), buffer: Some(Vec::new()), gone: None };
        Self { socket, process: std::process::id(), state: Lock::new(state), changed: Condvar::new() }
    }

    /// Whether there can be no more answers.
    pub(super) fn is_gone(&self) -> bool {
        if lock(&self.state).gone.is_some() {
            return true;
        }
        let mut polled = [PollFd::new(&self.socket, PollFlags::empty())];
        matches!(poll(&mut polled, Some(&AT_ONCE)), Ok(1..))
    }

    /// Sends a request that `packet` makes for its number. The number is what its answer is asked for by, once, or what
    /// is [forgotten](Self::forget).
    ///
    /// # Errors
    /// `None` of `packet`: it does not fit a packet. Else as [`is_gone`](Self::is_gone).
    pub(super) fn send(
        &self,
        packet: impl FnOnce(u64) -> Option<Vec<u8>>,
        descriptors: &[BorrowedFd<'_>],
    ) -> Result<u64, Win32Error> {
        let id = {
            let mut state = lock(&self.state);
            if let Some(error) = state.gone {
                return Err(error);
            }
            state.last += 1;
            let id = state.last;
            state.sent.insert(id, Slot::Waiting(None));
            id
        };
        let sent = packet(id).ok_or(Win32Error::NO_SYSTEM_RESOURCES).and_then(|packet| self.put(&packet, descriptors));
        if let Err(error) = sent {
            self.forget(id);
            return Err(error);
        }
        Ok(id)
    }

    /// Sends a packet. A server that is busy answering reads nothing: what it answers is read meanwhile.
    fn put(&self, packet: &[u8], descriptors: &[BorrowedFd<'_>]) -> Result<(), Win32Error> {
        loop {
            match socket::send(&self.socket, packet, descriptors) {
                Ok(()) => return Ok(()),
                Err(Errno::AGAIN) => {}
                // The kernel counts descriptors that are on their way.
                Err(Errno::TOOMANYREFS | Errno::NOBUFS | Errno::NOMEM) => return Err(Win32Error::NO_SYSTEM_RESOURCES),
                Err(_) => {
                    // It may have said why it hung up.
                    let state = self.read(lock(&self.state), Wait::No);
                    return Err(state.gone.unwrap_or(Win32Error::DEVICE_REMOVED));
                }
            }
            let mut polled = [PollFd::new(&self.socket, PollFlags::OUT | PollFlags::IN)];
            let _ = poll(&mut polled, None);
            if polled[0].revents().contains(PollFlags::IN) {
                drop(self.read(lock(&self.state), Wait::No));
            }
        }
    }

    /// Cancels a request. It is answered all the same.
    pub(super) fn cancel(&self, id: u64) {
        if !self.is_answered(id) {
            // A server that is gone has ended it.
            let _ = self.put(&cancel_packet(id), &[]);
        }
    }

    /// Whether there is an answer, or there will be none. Does not wait.
    pub(super) fn is_answered(&self, id: u64) -> bool {
        let state = lock(&self.state);
        if state.has_ended(id) {
            return true;
        }
        self.read(state, Wait::No).has_ended(id)
    }

    /// Waits for the answer, and takes it.
    ///
    /// # Errors
    /// There will be none: the server has hung up.
    pub(super) fn wait(&self, id: u64) -> Result<Answered, Win32Error> {
        let mut state = lock(&self.state);
        loop {
            if let Some(Slot::Answered(_)) = state.sent.get(&id) {
                if let Some(Slot::Answered(answered)) = state.sent.remove(&id) {
                    return Ok(answered);
                }
            } else if let Some(error) = state.gone {
                state.sent.remove(&id);
                return Err(error);
            }
            state = self.read(state, Wait::Yes);
        }
    }

    /// The answer is not wanted any more.
    pub(super) fn forget(&self, id: u64) {
        lock(&self.state).sent.remove(&id);
    }

    /// Has an eventfd signalled when the answer comes.
    pub(super) fn signal_when_answered(&self, id: u64, eventfd: &Arc<OwnedFd>) {
        let mut state = lock(&self.state);
        let gone = state.gone.is_some();
        match state.sent.get_mut(&id) {
            Some(Slot::Waiting(told)) if !gone => *told = Some(eventfd.clone()),
            _ => signal(eventfd),
        }
    }

    /// Reads what has come, if nobody else does; who is to wait, waits for something to come, or for the other to have
    /// read.
    fn read<'a>(&'a self, mut state: MutexGuard<'a, State>, wait: Wait) -> MutexGuard<'a, State> {
        let Some(mut buffer) = state.buffer.take() else {
            return match wait {
                Wait::Yes => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Wait::No => state,
            };
        };
        drop(state);
        if buffer.is_empty() {
            buffer = socket::packet_buffer();
        }
        if wait == Wait::Yes {
            // Interrupted or failed: what can be read says the rest, and who waits comes again.
            let _ = poll(&mut [PollFd::new(&self.socket, PollFlags::IN)], None);
        }
        let mut came = Vec::new();
        let gone = loop {
            match socket::receive(&self.socket, &mut buffer, Descriptors::Taken) {
                Ok(Some(received)) if !received.descriptors_lost && received.length <= MAX_PACKET => {
                    match parse(&buffer[..received.length], received.descriptors) {
                        Ok(answer) => came.push(answer),
                        Err(error) => break Some(error),
                    }
                }
                Err(Errno::AGAIN) => break None,
                // This process has no room for the descriptors of an answer, and does not know whose it was.
                Ok(Some(received)) if received.descriptors_lost => break Some(Win32Error::NO_SYSTEM_RESOURCES),
                // A packet of nobody's, an end, or an error: there is no talking to it any more.
                Ok(_) | Err(_) => break Some(Win32Error::DEVICE_REMOVED),
            }
        };
        let mut state = lock(&self.state);
        state.buffer = Some(buffer);
        for (id, answered) in came {
            // What nobody asked for, or does not want any more, is nobody's.
            if let Some(slot) = state.sent.get_mut(&id)
                && let Slot::Waiting(Some(told)) = std::mem::replace(slot, Slot::Answered(answered))
            {
                signal(&told);
            }
        }
        if let Some(error) = gone {
            state.gone.get_or_insert(error);
            for slot in state.sent.values() {
                if let Slot::Waiting(Some(told)) = slot {
                    signal(told);
                }
            }
        }
        self.changed.notify_all();
        state
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // A child that this process has forked may have a copy, which must not keep the connection. And a child that
        // drops its copy must not end it.
        if std::process::id() == self.process {
            let _ = rustix::net::shutdown(&self.socket, rustix::net::Shutdown::Both);
        }
    }
}

impl State {
    fn has_ended(&self, id: u64) -> bool {
        self.gone.is_some() || !matches!(self.sent.get(&id), Some(Slot::Waiting(_)))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wait {
    Yes,
    No,
}

const AT_ONCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

/// The answer in a packet.
///
/// # Errors
/// It is none, or the last: the server does not speak our version.
fn parse(packet: &[u8], descriptors: Vec<OwnedFd>) -> Result<(u64, Answered), Win32Error> {
    match Message::parse(packet) {
        Ok((0, Message::Answer(Answer { data, .. }))) if VersionsDiffer::parse(data).is_some() => {
            Err(Win32Error::REVISION_MISMATCH)
        }
        // No request has this number: it says why there is no connection.
        Ok((0, Message::Answer(answer))) if answer.status != NtStatus::STATUS_SUCCESS => {
            Err(Win32Error::from_status(answer.status))
        }
        Ok((id, Message::Answer(answer))) if descriptors.len() == usize::from(answer.descriptors) => {
            let Answer { status, returned, data, .. } = answer;
            Ok((id, Answered { status, returned, data: data.to_vec(), descriptors }))
        }
        _ => Err(Win32Error::DEVICE_REMOVED),
    }
}

fn signal(eventfd: &OwnedFd) {
    // Ours, and not blocking; once is enough.
    let _ = rustix::io::write(eventfd, 1u64.as_bytes());
}
