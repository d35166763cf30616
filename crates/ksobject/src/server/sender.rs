//! [`Sender`]: what an object knows of a client elsewhere, while it looks at one of its requests.

use super::limits::EVENT;
use super::process::Process;
use crate::handle::Handle;
use crate::in_process::{
    Client, ClientProcess, EndedRequests, EventDescriptor, FrameMemory, MemoryFile, Object, Owner, Wake, is_eventfd,
    length_of,
};
use crate::socket;
use ks::NtStatus;
use rustix::fd::OwnedFd;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The sender of a request.
pub(super) struct Sender<'a> {
    pub(super) process: RefCell<&'a mut Process>,
    /// The connection it came on.
    pub(super) connection: u64,
    /// The object that is asked.
    pub(super) object: usize,
    /// Whose handles there are: the objects by the cookies of their handles' sockets.
    pub(super) handles: &'a BTreeMap<u64, Object>,
    /// The descriptors that came with the request. A handle in it is the number of one, counted from 1.
    pub(super) descriptors: RefCell<Vec<Option<OwnedFd>>>,
    /// What the event in the request is known by.
    pub(super) key: usize,
    /// Where the end of the request is told, if it waits, and its name there.
    pub(super) ended: &'a Arc<EndedRequests>,
    pub(super) name: u64,
}

impl Sender<'_> {
    /// The descriptor that a handle in the request stands for.
    fn descriptor<T>(
        &self,
        handle: Handle,
        look: impl FnOnce(&mut Option<OwnedFd>) -> Option<T>,
    ) -> Result<T, NtStatus> {
        let place = usize::try_from(handle.0).ok().and_then(|number| number.checked_sub(1));
        let mut descriptors = self.descriptors.borrow_mut();
        place.and_then(|place| descriptors.get_mut(place)).and_then(look).ok_or(NtStatus::STATUS_INVALID_HANDLE)
    }
}

impl Client for Sender<'_> {
    fn object(&self, handle: Handle) -> Result<Object, NtStatus> {
        self.descriptor(handle, |descriptor| {
            let descriptor = descriptor.as_ref().filter(|descriptor| socket::is_packet_socket(descriptor))?;
            self.handles.get(&socket::cookie(descriptor)?).cloned()
        })
    }

    fn eventfd(&self, handle: Handle) -> Result<EventDescriptor, NtStatus> {
        let charge = self.process.borrow().memory.charge(EVENT)?;
        let descriptor =
            self.descriptor(handle, |descriptor| descriptor.take_if(|descriptor| is_eventfd(descriptor)))?;
        Ok(EventDescriptor { descriptor, is_foreign: true, _charge: Some(charge) })
    }

    fn memory_file(&self, handle: Handle) -> Result<MemoryFile, NtStatus> {
        let charge = self.process.borrow().memory.charge(EVENT)?;
        let descriptor =
            self.descriptor(handle, |descriptor| descriptor.take_if(|descriptor| length_of(descriptor).is_some()))?;
        MemoryFile::new(descriptor, Some(charge)).ok_or(NtStatus::STATUS_INVALID_HANDLE)
    }

    fn owner(&self) -> Owner {
        Owner(self.connection)
    }

    fn event_key(&self, _data: &[u8]) -> usize {
        self.key
    }

    fn process(&self) -> Result<ClientProcess, NtStatus> {
        let peer = &self.process.borrow().peer;
        Ok(ClientProcess { process: peer.process, user: peer.user, pidfd: peer.pidfd.clone() })
    }

    fn wake(&self) -> Result<Wake, NtStatus> {
        Ok(Wake::List(self.ended.clone(), self.name))
    }

    fn memory(&self) -> FrameMemory {
        self.process.borrow().frame_memory.clone()
    }

    fn may_take(&self) -> Result<(), NtStatus> {
        self.process.borrow().may_take()
    }

    fn take(&self, frame: usize) -> usize {
        // The protocol's pointers are those of this process: as wide as its numbers, or cut to that width.
        self.process.borrow_mut().take(self.connection, self.object, frame) as usize
    }

    fn give_back(&self, pointer: usize) -> Result<usize, NtStatus> {
        self.process.borrow_mut().give_back(self.object, pointer as u64)
    }
}
