//! Events that are enabled: who is told, how, and how often (statements 145 to 147).
//!
//! The handle of an event or of a semaphore is the number of an eventfd. What is kept is a duplicate of it, so its owner
//! may close it before the event is disabled.

use super::client::{Client, EventDescriptor, Owner};
use crate::handle::Handle;
use ks::{EventNotification, KsEventData, NtStatus};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::fs::{OFlags, fcntl_setfl};
use std::mem::offset_of;
use std::sync::Arc;
use zerocopy::{FromBytes, IntoBytes};

/// The events enabled at an object.
#[derive(Debug, Default)]
pub(crate) struct Events(Vec<Enabled>);

/// What an event is known by: its `KSEVENTDATA` is at an address of the client's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EventKey {
    pub(crate) owner: Owner,
    pub(crate) address: usize,
}

/// An event that is enabled.
#[derive(Debug)]
struct Enabled {
    key: EventKey,
    once: bool,
    notification: Arc<Notification>,
}

impl Events {
    /// Enables one.
    pub(crate) fn enable(&mut self, key: EventKey, once: bool, notification: Notification) -> Result<(), NtStatus> {
        self.0.try_reserve(1).map_err(|_| NtStatus::STATUS_INSUFFICIENT_RESOURCES)?;
        self.0.push(Enabled { key, once, notification: Arc::new(notification) });
        Ok(())
    }

    /// Disables those of an owner with data at this address, or all of the owner's. They are given back, to be dropped
    /// without a lock.
    pub(crate) fn disable(&mut self, owner: Owner, address: Option<usize>) -> Self {
        let meant = |key: EventKey| key.owner == owner && address.is_none_or(|address| address == key.address);
        let (disabled, kept) = std::mem::take(&mut self.0).into_iter().partition(|event| meant(event.key));
        self.0 = kept;
        Self(disabled)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// What is to be told now, without a lock. Those to be told once are disabled by it.
    pub(crate) fn fire(&mut self) -> Vec<Arc<Notification>> {
        let fired = self.0.iter().map(|event| event.notification.clone()).collect();
        self.0.retain(|event| !event.once);
        fired
    }
}

/// How somebody is told.
#[derive(Debug)]
pub(crate) struct Notification {
    eventfd: EventDescriptor,
    /// What is added to its counter: 1 for an event, a semaphore's adjustment.
    adjustment: u64,
}

impl Notification {
    /// Reads a `KSEVENTDATA`. Of user mode's two notifications; the others are the kernel's.
    pub(crate) fn parse(data: &[u8], client: &dyn Client) -> Result<Self, NtStatus> {
        if data.len() < size_of::<KsEventData>() {
            return Err(NtStatus::STATUS_INVALID_BUFFER_SIZE);
        }
        let word = |offset: usize| u32::read_from_prefix(&data[offset..]).map(|(word, _)| word);
        let too_short = |_| NtStatus::STATUS_INVALID_BUFFER_SIZE;
        let kind = word(offset_of!(KsEventData, notification_type)).map_err(too_short)?;
        let handle = &data[offset_of!(KsEventData, handle)..];
        let (handle, _) = isize::read_from_prefix(handle).map_err(|_| NtStatus::STATUS_INVALID_BUFFER_SIZE)?;
        let adjustment = match EventNotification::from_bits_retain(kind) {
            EventNotification::EVENT_HANDLE => 1,
            EventNotification::SEMAPHORE_HANDLE => {
                // The arm's `Reserved` and `Adjustment` are two LONGs.
                let adjustment = word(offset_of!(KsEventData, words) + 4).map_err(too_short)?.cast_signed();
                u64::try_from(adjustment).ok().filter(|by| *by > 0).ok_or(NtStatus::STATUS_INVALID_PARAMETER)?
            }
            _ => return Err(NtStatus::STATUS_INVALID_PARAMETER),
        };
        Ok(Self { eventfd: client.eventfd(Handle(handle))?, adjustment })
    }

    /// Tells it. Called without a lock.
    pub(crate) fn signal(&self) {
        // A counter that is full is signalled as it is, and writing to it would wait. What another process does to its own
        // meanwhile must not make this one wait, so there the writing itself is told not to.
        let may_write = match self.eventfd.is_foreign {
            true => fcntl_setfl(&self.eventfd.descriptor, OFlags::NONBLOCK | OFlags::RDWR).is_ok(),
            false => self.has_room(),
        };
        if may_write {
            let _ = rustix::io::write(&self.eventfd.descriptor, self.adjustment.as_bytes());
        }
    }

    /// Whether the counter takes the adjustment without waiting.
    fn has_room(&self) -> bool {
        let mut polled = [PollFd::new(&self.eventfd.descriptor, PollFlags::OUT)];
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        // This tells of room for 1.
        let some = poll(&mut polled, Some(&at_once)).is_ok() && polled[0].revents().contains(PollFlags::OUT);
        some && (self.adjustment == 1
            || count(&self.eventfd.descriptor).is_some_and(|count| self.adjustment < u64::MAX - count))
    }
}

/// What an eventfd counts, without taking it.
fn count(eventfd: &OwnedFd) -> Option<u64> {
    let information = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", eventfd.as_raw_fd())).ok()?;
    let digits = information.lines().find_map(|line| line.strip_prefix("eventfd-count:"))?;
    u64::from_str_radix(digits.trim(), 16).ok()
}

/// Whether a descriptor is an eventfd. No file system is asked, so nobody can make this wait.
pub(crate) fn is_eventfd(descriptor: &OwnedFd) -> bool {
    let link = format!("/proc/self/fd/{}", descriptor.as_raw_fd());
    std::fs::read_link(link).is_ok_and(|target| target.as_os_str() == "anon_inode:[eventfd]")
}

/// A duplicate of an eventfd of this process.
pub(crate) fn duplicate_eventfd(handle: Handle) -> Result<OwnedFd, NtStatus> {
    // SAFETY: who enables an event keeps its handle open for the call; where it does not, another descriptor is
    // duplicated, and looked at below.
    let borrowed = unsafe { handle.borrow() }.ok_or(NtStatus::STATUS_INVALID_HANDLE)?;
    let eventfd = rustix::io::fcntl_dupfd_cloexec(borrowed, 3).map_err(|_| NtStatus::STATUS_INSUFFICIENT_RESOURCES)?;
    if is_eventfd(&eventfd) { Ok(eventfd) } else { Err(NtStatus::STATUS_INVALID_HANDLE) }
}
