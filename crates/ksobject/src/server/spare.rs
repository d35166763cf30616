//! A descriptor that is kept for when no other is left: who comes then is told so, and not hung up without a word.

use ks::NtStatus;
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::{Errno, fcntl_dupfd_cloexec};

/// Room for one descriptor.
#[derive(Debug)]
pub(super) struct Spare(Option<OwnedFd>);

impl Spare {
    /// Keeps a copy of this descriptor, which is as good as any.
    ///
    /// # Errors
    /// The process has no descriptor left.
    pub(super) fn new(of: impl AsFd) -> Result<Self, Errno> {
        Ok(Self(Some(fcntl_dupfd_cloexec(of, 3)?)))
    }

    /// Makes room for one descriptor, which is about to come.
    pub(super) fn lend(&mut self) {
        self.0 = None;
    }

    /// Takes the room back. `false`: what came is in it, or another thread was faster, and nothing more is to be kept.
    pub(super) fn restore(&mut self, of: impl AsFd) -> bool {
        if self.0.is_none() {
            self.0 = fcntl_dupfd_cloexec(of, 3).ok();
        }
        self.0.is_some()
    }
}

/// What is answered where the system gives nothing more.
pub(super) fn none_left(error: Errno) -> NtStatus {
    match error {
        Errno::MFILE | Errno::NFILE => NtStatus::STATUS_TOO_MANY_OPENED_FILES,
        _ => NtStatus::STATUS_INSUFFICIENT_RESOURCES,
    }
}
