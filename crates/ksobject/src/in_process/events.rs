//! Events that are enabled: who is told, how, and how often (statements 145 to 147).
//!
//! The handle of an event or of a semaphore is the number of an eventfd. What is kept is a duplicate of it, so its owner
//! may close it before the event is disabled.

use crate::handle::Handle;
use ks::{EventNotification, KsEventData, NtStatus};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsRawFd, OwnedFd};
use std::mem::offset_of;
use std::sync::Arc;
use zerocopy::{FromBytes, IntoBytes};

/// The events enabled at an object.
#[derive(Debug, Default)]
pub(super) struct Events(Vec<Enabled>);

/// An event that is enabled.
#[derive(Debug)]
struct Enabled {
    key: usize,
    once: bool,
    notification: Arc<Notification>,
}

impl Events {
    /// Enables one.
    pub(super) fn enable(&mut self, key: usize, once: bool, notification: Notification) -> Result<(), NtStatus> {
        self.0.try_reserve(1).map_err(|_| NtStatus::STATUS_INSUFFICIENT_RESOURCES)?;
        self.0.push(Enabled { key, once, notification: Arc::new(notification) });
        Ok(())
    }

    /// Disables those with this key, or all. They are given back, to be dropped without a lock.
    pub(super) fn disable(&mut self, key: Option<usize>) -> Self {
        let (disabled, kept) =
            std::mem::take(&mut self.0).into_iter().partition(|event| key.is_none_or(|key| key == event.key));
        self.0 = kept;
        Self(disabled)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is to be told now, without a lock. Those to be told once are disabled by it.
    pub(super) fn fire(&mut self) -> Vec<Arc<Notification>> {
        let fired = self.0.iter().map(|event| event.notification.clone()).collect();
        self.0.retain(|event| !event.once);
        fired
    }
}

/// How somebody is told.
#[derive(Debug)]
pub(super) struct Notification {
    eventfd: OwnedFd,
    /// What is added to its counter: 1 for an event, a semaphore's adjustment.
    adjustment: u64,
}

impl Notification {
    /// Reads a `KSEVENTDATA`. Of user mode's two notifications; the others are the kernel's.
    pub(super) fn parse(data: &[u8]) -> Result<Self, NtStatus> {
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
        Ok(Self { eventfd: duplicate_eventfd(Handle(handle))?, adjustment })
    }

    /// Tells it. Called without a lock.
    pub(super) fn signal(&self) {
        // A counter that is full is signalled as it is, and writing to it would wait.
        if self.has_room() {
            let _ = rustix::io::write(&self.eventfd, self.adjustment.as_bytes());
        }
    }

    /// Whether the counter takes the adjustment without waiting.
    fn has_room(&self) -> bool {
        let mut polled = [PollFd::new(&self.eventfd, PollFlags::OUT)];
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        // This tells of room for 1.
        let some = poll(&mut polled, Some(&at_once)).is_ok() && polled[0].revents().contains(PollFlags::OUT);
        some && (self.adjustment == 1 || count(&self.eventfd).is_some_and(|count| self.adjustment < u64::MAX - count))
    }
}

/// What an eventfd counts, without taking it.
fn count(eventfd: &OwnedFd) -> Option<u64> {
    let information = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", eventfd.as_raw_fd())).ok()?;
    let digits = information.lines().find_map(|line| line.strip_prefix("eventfd-count:"))?;
    u64::from_str_radix(digits.trim(), 16).ok()
}

/// A duplicate of an eventfd. Anything else is refused: to write eight bytes to somebody's file would be no signal.
fn duplicate_eventfd(handle: Handle) -> Result<OwnedFd, NtStatus> {
    // SAFETY: who enables an event keeps its handle open for the call; where it does not, another descriptor is
    // duplicated, and looked at below.
    let borrowed = unsafe { handle.borrow() }.ok_or(NtStatus::STATUS_INVALID_HANDLE)?;
    let eventfd = rustix::io::fcntl_dupfd_cloexec(borrowed, 3).map_err(|_| NtStatus::STATUS_INSUFFICIENT_RESOURCES)?;
    let link = format!("/proc/self/fd/{}", eventfd.as_raw_fd());
    let target = std::fs::read_link(link).map_err(|_| NtStatus::STATUS_NOT_SUPPORTED)?;
    if target.as_os_str() != "anon_inode:[eventfd]" {
        return Err(NtStatus::STATUS_INVALID_HANDLE);
    }
    Ok(eventfd)
}
