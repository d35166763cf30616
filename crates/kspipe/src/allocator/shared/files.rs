//! The files a shared pool lives in: made and sealed here, or received from somebody and checked.

use super::super::memory::Memory;
use super::super::properties::{AllocatorProperties, CommitError, Layout};
use rustix::fs::{
    MemfdFlags, Mode, OFlags, SealFlags, fchmod, fcntl_add_seals, fcntl_get_seals, fcntl_getfl, fstat, fstatfs,
    ftruncate, memfd_create,
};
use rustix::io::Errno;
use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::Arc;

/// A memory file is as long as what is in it, to so many bytes.
const UNIT: u64 = 4096;
/// What keeps a mapping of the file from going away, and the seals from being changed.
const SEALS: SealFlags = SealFlags::SHRINK.union(SealFlags::GROW).union(SealFlags::SEAL);
/// `TMPFS_MAGIC` (linux/magic.h): where every `memfd` lives but those of huge pages, whose pages may be missing when they
/// are touched, which kills.
const TMPFS: i64 = 0x0102_1994;

/// What a descriptor that was received is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DescriptorError {
    /// It has no seals: it is not a `memfd`, or not one of ordinary pages.
    #[error("it is not a memfd of ordinary pages")]
    NotAMemfd,
    /// It can shrink under who maps it.
    #[error("it is not sealed against shrinking, growing and further seals")]
    NotSealed,
    /// It is not as long as the pool says.
    #[error("it is {found} bytes long, and {expected} are said to be in it")]
    Length {
        /// What its length should be, in bytes.
        expected: u64,
        /// What it is.
        found: u64,
    },
    /// It is not an `eventfd` that does not block.
    #[error("it is not an eventfd that does not block")]
    NotAnEvent,
    /// It cannot be asked.
    #[error("it cannot be examined: {}", std::io::Error::from_raw_os_error(*.0))]
    System(i32),
}

impl From<Errno> for DescriptorError {
    fn from(errno: Errno) -> Self {
        DescriptorError::System(errno.raw_os_error())
    }
}

/// The length of a file for so many bytes.
pub(super) fn length(bytes: u64) -> u64 {
    bytes.next_multiple_of(UNIT)
}

/// A new file, zeroed, that is closed on exec, is nobody else's to open, and is not sealed yet.
pub(super) fn create(name: &CStr, bytes: u64) -> rustix::io::Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let file = match memfd_create(name, flags | MemfdFlags::NOEXEC_SEAL) {
        // Linux before 6.3 does not know the flag.
        Err(Errno::INVAL) => memfd_create(name, flags)?,
        file => file?,
    };
    // Who has another user id and a descriptor for reading cannot open it for writing through /proc.
    fchmod(&file, Mode::RUSR | Mode::WUSR)?;
    ftruncate(&file, length(bytes))?;
    Ok(file)
}

/// Seals a file; against writable mappings to come, too, where it is asked for.
pub(super) fn seal(file: &OwnedFd, future_write: bool) -> rustix::io::Result<()> {
    fcntl_add_seals(file, if future_write { SEALS | SealFlags::FUTURE_WRITE } else { SEALS })
}

/// A descriptor of the same file that can only be read through.
pub(super) fn read_only(file: &OwnedFd) -> rustix::io::Result<OwnedFd> {
    let path = format!("/proc/self/fd/{}", file.as_fd().as_raw_fd());
    rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
}

/// Checks that a file is a sealed `memfd`, and returns its length and whether it can still be mapped to be written.
pub(super) fn examine(file: &OwnedFd) -> Result<(u64, bool), DescriptorError> {
    // Other files have no seals to ask for.
    let seals = fcntl_get_seals(file).map_err(|_| DescriptorError::NotAMemfd)?;
    if fstatfs(file)?.f_type as i64 != TMPFS {
        return Err(DescriptorError::NotAMemfd);
    }
    if !seals.contains(SEALS) {
        return Err(DescriptorError::NotSealed);
    }
    let writable = !seals.intersects(SealFlags::FUTURE_WRITE | SealFlags::WRITE)
        && (fcntl_getfl(file)? & OFlags::ACCMODE) == OFlags::RDWR;
    // A sealed length stays what it is.
    Ok((u64::try_from(fstat(file)?.st_size).unwrap_or(0), writable))
}

/// Checks that a file is a sealed `memfd` of exactly this length, in whole units; returns whether it can be mapped to be
/// written.
pub(super) fn examine_length(file: &OwnedFd, bytes: u64) -> Result<bool, DescriptorError> {
    let (found, writable) = examine(file)?;
    let expected = length(bytes);
    if found == expected { Ok(writable) } else { Err(DescriptorError::Length { expected, found }) }
}

/// Checks that a write to a descriptor neither blocks nor changes a file.
pub(super) fn examine_event(event: &OwnedFd) -> Result<(), DescriptorError> {
    let anonymous = rustix::fs::FileType::from_raw_mode(fstat(event)?.st_mode) == rustix::fs::FileType::Unknown;
    let ready = fcntl_getfl(event)?;
    if anonymous && ready.contains(OFlags::NONBLOCK) { Ok(()) } else { Err(DescriptorError::NotAnEvent) }
}

/// The layout of control memory of so many bytes.
pub(super) fn control_layout(bytes: u64) -> Result<Layout, CommitError> {
    AllocatorProperties { frames: 1, size: length(bytes), alignment: UNIT, prefix: 0 }.layout()
}

/// Maps control memory: every page is there from now on, and no child of a fork gets it.
pub(super) fn map_control(file: Arc<OwnedFd>, bytes: u64) -> Result<Memory, CommitError> {
    let memory = Memory::of_file(file, control_layout(bytes)?, true, true)?;
    memory
        .keep_from_children()
        .map_err(|errno| CommitError::OutOfMemory { bytes, errno: Some(errno.raw_os_error()) })?;
    Ok(memory)
}
