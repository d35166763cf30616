//! A request that was sent to another process.

use super::RemoteObjects;
use super::connection::{Answered, Connection};
use super::outgoing::Outgoing;
use crate::object_access::{DeviceError, Win32Error};
use ks::{
    IOCTL_KS_METHOD, KSMETHOD_STREAMALLOCATOR_ALLOC, KSMETHOD_STREAMALLOCATOR_FREE, KSMETHODSETID_StreamAllocator,
    KsIdentifier, KsMethod, KsMethodType, NtStatus,
};
use rustix::event::{EventfdFlags, epoll, eventfd};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, OnceLock};
use zerocopy::{FromBytes, IntoBytes};

/// A request. Dropped before its answer was taken, it is cancelled, and a frame it was given goes back: that takes a
/// word of the server's, and so waits for it.
#[derive(Debug)]
pub(crate) struct Sent {
    connection: Arc<Connection>,
    id: u64,
    /// It asks for a frame.
    takes_frame: bool,
    /// Its answer was taken, or is about to be.
    taken: bool,
    watched: OnceLock<Option<Watched>>,
}

/// What can be read when there is news: the socket, which others read too, and an eventfd that those signal.
#[derive(Debug)]
struct Watched {
    both: OwnedFd,
    /// Kept, because what is closed is watched no more.
    _signalled: Arc<OwnedFd>,
}

impl Sent {
    pub(super) fn new(connection: Arc<Connection>, id: u64, code: u32, input: &[u8]) -> Self {
        let alloc = |about: KsIdentifier| {
            (about.set, about.id) == (KSMETHODSETID_StreamAllocator, KSMETHOD_STREAMALLOCATOR_ALLOC)
                && !KsMethodType::from_bits_retain(about.flags)
                    .intersects(KsMethodType::SETSUPPORT | KsMethodType::BASICSUPPORT)
        };
        let takes_frame =
            code == IOCTL_KS_METHOD && KsIdentifier::read_from_prefix(input).is_ok_and(|(about, _)| alloc(about));
        Self { connection, id, takes_frame, taken: false, watched: OnceLock::new() }
    }

    /// Whether there is an answer, or there will be none.
    pub(crate) fn is_answered(&self) -> bool {
        self.connection.is_answered(self.id)
    }

    pub(crate) fn cancel(&self) {
        self.connection.cancel(self.id);
    }

    /// What can be read when the answer has come, or perhaps.
    pub(crate) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        let watched = self.watched.get_or_init(|| {
            let both = epoll::create(epoll::CreateFlags::CLOEXEC).ok()?;
            let signalled = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).ok()?);
            let watch = |descriptor: BorrowedFd<'_>| {
                epoll::add(&both, descriptor, epoll::EventData::new_u64(0), epoll::EventFlags::IN).ok()
            };
            watch(self.connection.as_fd())?;
            watch(signalled.as_fd())?;
            self.connection.signal_when_answered(self.id, &signalled);
            Some(Watched { both, _signalled: signalled })
        });
        watched.as_ref().map(|watched| watched.both.as_fd())
    }

    /// Waits for the answer, and writes what belongs into `output`.
    pub(crate) fn wait(self, output: &mut [u8]) -> Result<usize, DeviceError> {
        self.wait_given(output).map(|(length, _)| length)
    }

    /// Waits for the answer, writes what belongs into `output`, and gives the descriptors that came with it.
    pub(crate) fn wait_given(mut self, output: &mut [u8]) -> Result<(usize, Vec<OwnedFd>), DeviceError> {
        self.taken = true;
        let answered = self.connection.wait(self.id)?;
        let returned = usize::try_from(answered.returned).map_err(|_| Win32Error::INVALID_DATA)?;
        if answered.status != NtStatus::STATUS_SUCCESS {
            return Err(DeviceError { error: Win32Error::from_status(answered.status), returned });
        }
        // What a server says is a stranger's word: it may say how much of the buffer it took, or fill as much.
        let place = output.get_mut(..returned).ok_or(Win32Error::INVALID_DATA)?;
        if !answered.data.is_empty() {
            if answered.data.len() != returned {
                return Err(Win32Error::INVALID_DATA.into());
            }
            place.copy_from_slice(&answered.data);
        }
        Ok((returned, answered.descriptors))
    }

    /// Gives a frame back that nobody was told of.
    fn free(&self, frame: &Answered) {
        let free = KsMethod::method(KSMETHODSETID_StreamAllocator, KSMETHOD_STREAMALLOCATOR_FREE, KsMethodType::READ);
        let sent = Outgoing::control(IOCTL_KS_METHOD, free.as_bytes(), &frame.data)
            .and_then(|outgoing| RemoteObjects::send_on(&self.connection, IOCTL_KS_METHOD, free.as_bytes(), outgoing));
        // Where the server is gone, so is the frame.
        if let Ok(mut sent) = sent {
            sent.taken = true;
            let _ = sent.connection.wait(sent.id);
        }
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        if self.taken {
            return;
        }
        self.connection.cancel(self.id);
        match self.connection.wait(self.id) {
            Ok(answered) if self.takes_frame && answered.status == NtStatus::STATUS_SUCCESS => self.free(&answered),
            // It came to its end, or to none.
            Ok(_) | Err(_) => {}
        }
    }
}
