//! [`Client`]: what an object must know of who sends it requests, be it this process or one elsewhere.

use super::extension::ClientProcess;
use super::memory_file::MemoryFile;
use super::object::Object;
use super::pending::Wake;
use crate::handle::Handle;
use ks::NtStatus;
use rustix::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Who sends a request, and what its handles and pointers mean.
pub(crate) trait Client {
    /// The object behind a handle in the data of a request.
    fn object(&self, handle: Handle) -> Result<Object, NtStatus>;

    /// The eventfd behind a handle, which is the object's from now on. Any other descriptor is refused: to write eight
    /// bytes to somebody's file would be no signal.
    fn eventfd(&self, handle: Handle) -> Result<EventDescriptor, NtStatus>;

    /// The `memfd` behind a handle, sealed against shrinking, which is the object's from now on. Any other descriptor is
    /// refused: to read another file can take as long as its file system likes.
    fn memory_file(&self, handle: Handle) -> Result<MemoryFile, NtStatus>;

    /// Whose events they are that this client enables: nobody else disables them.
    fn owner(&self) -> Owner;

    /// What an event is known by, whose `KSEVENTDATA` is in this buffer.
    fn event_key(&self, data: &[u8]) -> usize;

    /// The process it is.
    fn process(&self) -> Result<ClientProcess, NtStatus>;

    /// How it is told that a request which waits has ended.
    fn wake(&self) -> Result<Wake, NtStatus>;

    /// The memory that allocators it creates may take.
    fn memory(&self) -> FrameMemory;

    /// Whether it may take one frame more, or wait for one.
    fn may_take(&self) -> Result<(), NtStatus> {
        Ok(())
    }

    /// Gives it a frame of an allocator: the pointer it will know the frame by.
    fn take(&self, frame: usize) -> usize;

    /// The frame behind such a pointer, which it gives back.
    fn give_back(&self, pointer: usize) -> Result<usize, NtStatus>;
}

/// An eventfd, and what it costs who gave it.
#[derive(Debug)]
pub(crate) struct EventDescriptor {
    pub(crate) descriptor: OwnedFd,
    /// Its giver is another process, which may do with it what it likes.
    pub(crate) is_foreign: bool,
    pub(crate) _charge: Option<Charge>,
}

/// What a client may have of something, in units of it.
#[derive(Debug)]
pub(crate) struct Account(AtomicU64);

impl Account {
    pub(crate) fn new(units: u64) -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(units)))
    }

    /// How many units are left.
    pub(crate) fn left(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Takes units, until what is given for them is dropped.
    pub(crate) fn charge(self: &Arc<Self>, units: u64) -> Result<Charge, NtStatus> {
        let taken = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(units));
        taken.map_err(|_| NtStatus::STATUS_INSUFFICIENT_RESOURCES)?;
        Ok(Charge { account: self.clone(), units })
    }
}

/// Units that were taken of an account, and go back when this is dropped.
#[derive(Debug)]
pub(crate) struct Charge {
    account: Arc<Account>,
    units: u64,
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.account.0.fetch_add(self.units, Ordering::Relaxed);
    }
}

/// Whose events they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Owner(pub(crate) u64);

impl Owner {
    /// This process itself.
    pub(crate) const THIS_PROCESS: Self = Self(0);
}

/// Bytes of memory for frames: without a limit, or a sum that several allocators share.
#[derive(Clone, Debug, Default)]
pub(crate) struct FrameMemory(Option<Arc<Account>>);

impl FrameMemory {
    /// At most so many bytes, for all that share the value.
    pub(crate) fn limited(bytes: u64) -> Self {
        Self(Some(Account::new(bytes)))
    }

    /// Takes bytes, if there are as many, for as long as what is given for them lives.
    pub(crate) fn take(&self, bytes: u64) -> Result<Option<Charge>, NtStatus> {
        self.0.as_ref().map(|account| account.charge(bytes)).transpose()
    }
}
