//! Words that two processes share.

#![allow(unsafe_code)]

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, fstat, ftruncate, memfd_create};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU32, AtomicU64};

/// Atomic words in a memory file, all 0 at first.
pub(crate) struct Words {
    start: *mut std::ffi::c_void,
    count: usize,
    file: OwnedFd,
}

// SAFETY: all that is ever reached through it are atomic words.
unsafe impl Sync for Words {}
// SAFETY: a mapping is of the process, not of a thread.
unsafe impl Send for Words {}

const SEALS: SealFlags = SealFlags::SHRINK.union(SealFlags::GROW);

impl Words {
    pub(crate) fn create(count: usize) -> io::Result<Self> {
        let file = memfd_create(c"kspipe bench", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        ftruncate(&file, (count * 8) as u64)?;
        fcntl_add_seals(&file, SEALS)?;
        Self::open(file)
    }

    pub(crate) fn open(file: OwnedFd) -> io::Result<Self> {
        if !fcntl_get_seals(&file)?.contains(SEALS) {
            return Err(io::Error::other("the words are not sealed"));
        }
        let bytes = usize::try_from(fstat(&file)?.st_size).map_err(io::Error::other)?;
        // SAFETY: a new mapping, of a file that cannot shrink.
        let start = unsafe {
            mmap(std::ptr::null_mut(), bytes, ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED, &file, 0)?
        };
        Ok(Self { start, count: bytes / 8, file })
    }

    pub(crate) fn file(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    #[inline]
    pub(crate) fn at(&self, place: usize) -> &AtomicU64 {
        assert!(place < self.count, "one of the words");
        // SAFETY: within the mapping, aligned to 8 as it starts at a page, and alive as long as `self`.
        unsafe { &*self.start.cast::<AtomicU64>().add(place) }
    }

    /// The first half of a word of which nobody uses the whole.
    #[inline]
    pub(crate) fn half_at(&self, place: usize) -> &AtomicU32 {
        assert!(place < self.count, "one of the words");
        // SAFETY: as above; the word is only ever used as this half.
        unsafe { &*self.start.cast::<AtomicU64>().add(place).cast::<AtomicU32>() }
    }
}

impl Drop for Words {
    fn drop(&mut self) {
        // SAFETY: the whole mapping, of which no reference is left.
        let _ = unsafe { munmap(self.start, self.count * 8) };
    }
}
