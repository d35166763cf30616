//! Files that clients send, for what is in them to be read.

use super::client::Charge;
use crate::handle::Handle;
use ks::NtStatus;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{SealFlags, fcntl_get_seals, fstat, fstatfs};
use rustix::io::{Errno, pread};

/// `TMPFS_MAGIC` (linux/magic.h): where every `memfd` lives but those of huge pages.
const TMPFS: i64 = 0x0102_1994;

/// A `memfd` that a client sent, sealed against shrinking. It is read and never mapped: what its owner does to it meanwhile
/// changes the bytes that are read, and nothing else.
#[derive(Debug)]
pub struct MemoryFile {
    descriptor: OwnedFd,
    /// Bytes in it; there may come to be more.
    length: u64,
    /// What it costs who sent it.
    _charge: Option<Charge>,
}

impl MemoryFile {
    /// `None`: it is another file.
    pub(crate) fn new(descriptor: OwnedFd, charge: Option<Charge>) -> Option<Self> {
        let length = length_of(&descriptor)?;
        Some(Self { descriptor, length, _charge: charge })
    }

    /// The bytes in it. There are never fewer.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Reads bytes from this offset on, all of them. `false`: there are not as many.
    pub fn read(&self, offset: u64, to: &mut [u8]) -> bool {
        let mut read = 0;
        while read < to.len() {
            match pread(&self.descriptor, &mut to[read..], offset.saturating_add(read as u64)) {
                Ok(0) => return false,
                Ok(count) => read += count,
                Err(Errno::INTR) => {}
                Err(_) => return false,
            }
        }
        true
    }
}

impl AsFd for MemoryFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

/// How long a `memfd` is that cannot shrink. `None`: it is another file. Only files that have seals are asked for more than
/// these, and the kernel knows which do without asking a file system: nobody can make this wait.
pub(crate) fn length_of(descriptor: &OwnedFd) -> Option<u64> {
    let sealed = fcntl_get_seals(descriptor).is_ok_and(|seals| seals.contains(SealFlags::SHRINK));
    // Pages of others can be missing when they are read.
    if !sealed || fstatfs(descriptor).ok()?.f_type as i64 != TMPFS {
        return None;
    }
    u64::try_from(fstat(descriptor).ok()?.st_size).ok()
}

/// A duplicate of a file of this process.
pub(crate) fn duplicate(handle: Handle) -> Result<MemoryFile, NtStatus> {
    // SAFETY: who sends a request keeps its handles open for the call; where it does not, another descriptor is duplicated,
    // and looked at below.
    let borrowed = unsafe { handle.borrow() }.ok_or(NtStatus::STATUS_INVALID_HANDLE)?;
    let file = rustix::io::fcntl_dupfd_cloexec(borrowed, 3).map_err(|_| NtStatus::STATUS_INSUFFICIENT_RESOURCES)?;
    MemoryFile::new(file, None).ok_or(NtStatus::STATUS_INVALID_HANDLE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{MemfdFlags, fcntl_add_seals, ftruncate, memfd_create};
    use rustix::io::pwrite;

    #[test]
    fn what_cannot_shrink_is_read_and_nothing_else_is_taken() {
        let memfd = || memfd_create(c"file", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING).unwrap();
        let (sealed, open) = (memfd(), memfd());
        ftruncate(&sealed, 10).unwrap();
        pwrite(&sealed, b"bytes", 5).unwrap();
        assert_eq!(length_of(&sealed), None, "it can shrink");
        fcntl_add_seals(&sealed, SealFlags::SHRINK).unwrap();
        let file = MemoryFile::new(sealed, None).unwrap();
        assert_eq!(file.length(), 10);
        let mut bytes = [0; 5];
        assert!(file.read(5, &mut bytes));
        assert_eq!(&bytes, b"bytes");
        for past in [6, 10, u64::MAX] {
            assert!(!file.read(past, &mut bytes), "{past}");
        }
        assert!(file.read(u64::MAX, &mut []));
        assert_eq!(length_of(&open), None);
        let (pipe, _) = rustix::pipe::pipe().unwrap();
        assert_eq!(length_of(&pipe), None);
        let on_disk = OwnedFd::from(std::fs::File::open("/proc/self/stat").unwrap());
        assert_eq!(length_of(&on_disk), None);
    }
}
