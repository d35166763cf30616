//! Which handle names which object.
//!
//! An object's handle is one end of a socket pair; the other is kept here. A duplicate of the handle names the same
//! object, because what is compared is the socket, not its number. Once every duplicate is closed, the end that is kept
//! hangs up, and the object ends: what waits at it is cancelled. That is seen at once where an
//! [`OwnedHandle`] is dropped or a thread waits at the object, and else when the next object is created or the next handle
//! dropped.

use super::client::{Client, EventDescriptor, FrameMemory, Owner};
use super::events::duplicate_eventfd;
use super::extension::ClientProcess;
use super::memory_file::{self, MemoryFile};
use super::object::Object;
use super::pending::Wake;
use crate::handle::{Handle, OwnedHandle};
use crate::lock::{Lock, lock};
use crate::object_access::Win32Error;
use ks::NtStatus;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

static TABLE: Lock<Vec<Entry>> = Lock::new(Vec::new());

/// An object of the table.
struct Entry {
    identity: Identity,
    connection: Connection,
    object: Object,
}

/// The end of an object's socket that stays here.
#[derive(Clone, Debug)]
pub(crate) struct Connection(Arc<OwnedFd>);

/// Why a wait ended.
pub(crate) enum Woken {
    /// What was waited for can be read.
    Ready,
    /// The last handle of the object is closed.
    Closed,
    /// The system cannot wait.
    Failed,
}

impl Connection {
    /// Waits until `wanted` can be read, or the last handle of the object is closed.
    pub(crate) fn wait_for(&self, wanted: BorrowedFd<'_>) -> Woken {
        loop {
            let mut polled = [PollFd::new(&*self.0, PollFlags::empty()), PollFd::new(&wanted, PollFlags::IN)];
            match poll(&mut polled, None) {
                // A signal; go on.
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return Woken::Failed,
                Ok(_) if polled[1].revents().contains(PollFlags::IN) => return Woken::Ready,
                Ok(_) => return Woken::Closed,
            }
        }
    }
}

/// What is the same for all duplicates of a descriptor, and different for every socket that is open.
type Identity = (u64, u64);

fn identity(descriptor: impl AsFd) -> Option<Identity> {
    let status = rustix::fs::fstat(descriptor).ok()?;
    Some((status.st_dev, status.st_ino))
}

/// Puts an object into the table and gives its handle out.
pub(crate) fn insert(object: Object) -> Result<OwnedHandle, Win32Error> {
    let none_left = |_| Win32Error::NO_SYSTEM_RESOURCES;
    sweep();
    let (near, far) = crate::socket::pair().map_err(none_left)?;
    let identity = identity(&far).ok_or(Win32Error::NO_SYSTEM_RESOURCES)?;
    let mut table = lock(&TABLE);
    table.try_reserve(1).map_err(|_| Win32Error::NO_SYSTEM_RESOURCES)?;
    table.push(Entry { identity, connection: Connection(Arc::new(near)), object });
    drop(table);
    Ok(OwnedHandle::from(far))
}

/// The object that `handle` names, and its connection.
pub(crate) fn find(handle: Handle) -> Result<(Object, Connection), Win32Error> {
    // SAFETY: the caller of the functions of this module's parent keeps the handle open for the call; where it does not,
    // the worst is that another descriptor is looked at, which is then no object or another one.
    let descriptor = unsafe { handle.borrow() }.ok_or(Win32Error::INVALID_HANDLE)?;
    let identity = identity(descriptor).ok_or(Win32Error::INVALID_HANDLE)?;
    let table = lock(&TABLE);
    let entry = table.iter().find(|entry| entry.identity == identity);
    entry.map(|entry| (entry.object.clone(), entry.connection.clone())).ok_or(Win32Error::INVALID_HANDLE)
}

/// Ends the objects whose last handle is closed.
pub(crate) fn sweep() {
    let mut ended = Vec::new();
    {
        let mut table = lock(&TABLE);
        let mut polled: Vec<_> =
            table.iter().map(|entry| PollFd::new(&*entry.connection.0, PollFlags::empty())).collect();
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        if polled.is_empty() || !matches!(poll(&mut polled, Some(&at_once)), Ok(hung_up) if hung_up > 0) {
            return;
        }
        let hung_up: Vec<bool> = polled.iter().map(|end| end.revents().contains(PollFlags::HUP)).collect();
        for index in (0..hung_up.len()).rev().filter(|index| hung_up[*index]) {
            ended.push(table.swap_remove(index));
        }
    }
    // The lock is free: an object that ends wakes threads, unmaps memory and closes descriptors.
    for entry in ended {
        entry.object.end();
    }
}

/// The handles of this process.
pub(crate) struct ThisProcess;

impl Client for ThisProcess {
    fn object(&self, handle: Handle) -> Result<Object, NtStatus> {
        find(handle).map(|(object, _)| object).map_err(|_| NtStatus::STATUS_INVALID_HANDLE)
    }

    fn eventfd(&self, handle: Handle) -> Result<EventDescriptor, NtStatus> {
        Ok(EventDescriptor { descriptor: duplicate_eventfd(handle)?, is_foreign: false, _charge: None })
    }

    fn memory_file(&self, handle: Handle) -> Result<MemoryFile, NtStatus> {
        memory_file::duplicate(handle)
    }

    fn owner(&self) -> Owner {
        Owner::THIS_PROCESS
    }

    /// Where the data is, as in Kernel Streaming.
    fn event_key(&self, data: &[u8]) -> usize {
        data.as_ptr().addr()
    }

    fn process(&self) -> Result<ClientProcess, NtStatus> {
        let (process, user) = (rustix::process::getpid(), rustix::process::geteuid());
        let pidfd = rustix::process::pidfd_open(process, rustix::process::PidfdFlags::empty());
        let pidfd = pidfd.map_err(|_| NtStatus::STATUS_INSUFFICIENT_RESOURCES)?;
        Ok(ClientProcess { process: process.as_raw_nonzero().get(), user: user.as_raw(), pidfd: Arc::new(pidfd) })
    }

    fn wake(&self) -> Result<Wake, NtStatus> {
        Wake::descriptor()
    }

    fn memory(&self) -> FrameMemory {
        FrameMemory::default()
    }

    fn take(&self, frame: usize) -> usize {
        frame
    }

    fn give_back(&self, pointer: usize) -> Result<usize, NtStatus> {
        Ok(pointer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::in_process::InProcessObjects;

    #[test]
    fn an_object_is_its_socket_and_not_its_number() {
        let pin = InProcessObjects::create_sink_pin().expect("a pin");
        let twin = OwnedHandle::from(rustix::io::fcntl_dupfd_cloexec(&pin, 3).expect("a duplicate"));
        drop(pin);
        assert!(matches!(find(twin.handle()), Ok((Object::Pin(_), _))), "the duplicate is the pin");
        let (stranger, _other) = rustix::pipe::pipe().expect("a pipe");
        let stranger = OwnedHandle::from(stranger);
        assert_eq!(find(stranger.handle()).err(), Some(Win32Error::INVALID_HANDLE), "a pipe is no object");
        assert_eq!(find(Handle::NULL).err(), Some(Win32Error::INVALID_HANDLE));
    }

    /// Whether an object of the table is this one.
    fn has(object: &Object) -> bool {
        let Object::Pin(pin) = object else { return false };
        lock(&TABLE).iter().any(|entry| matches!(&entry.object, Object::Pin(other) if Arc::ptr_eq(other, pin)))
    }

    #[test]
    fn an_object_nobody_has_a_handle_of_leaves_the_table() {
        let gone = InProcessObjects::create_sink_pin().expect("a pin");
        let kept = InProcessObjects::create_sink_pin().expect("a pin");
        let [(gone_object, _), (kept_object, _)] = [&gone, &kept].map(|handle| find(handle.handle()).expect("a pin"));
        assert!(has(&gone_object));
        drop(gone);
        assert!(!has(&gone_object) && has(&kept_object));
    }

    #[test]
    fn an_object_whose_handle_was_closed_by_its_number_leaves_with_the_next() {
        let handle = InProcessObjects::create_sink_pin().expect("a pin");
        let (object, _) = find(handle.handle()).expect("a pin");
        drop(OwnedFd::from(handle));
        let _next = InProcessObjects::create_sink_pin().expect("a pin");
        assert!(!has(&object));
    }
}
