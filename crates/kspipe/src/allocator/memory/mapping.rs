//! Memory mapped by the system, by `rustix`.

use super::{Memory, Owner};
use crate::allocator::properties::{CommitError, Layout};
use rustix::io::Errno;
use rustix::mm::{MapFlags, ProtFlags, mlock, mmap_anonymous, munmap};
use std::ffi::c_void;
use std::os::fd::OwnedFd;
use std::ptr::{NonNull, null_mut};
use std::sync::Arc;

/// The smallest page of any system; what a mapping is aligned to at least.
const SMALLEST_PAGE: usize = 4096;
/// The largest ordinary page of any system we run on.
const LARGEST_PAGE: usize = 65536;
/// A huge page, where there are any.
const HUGE_PAGE: usize = 2 << 20;

/// A mapping and what is behind it.
pub(super) struct Mapping {
    start: *mut c_void,
    bytes: usize,
    file: Option<Arc<OwnedFd>>,
}

impl Mapping {
    pub(super) fn file(&self) -> Option<&Arc<OwnedFd>> {
        self.file.as_ref()
    }

    /// An anonymous mapping with an aligned stretch of `layout.bytes` in it, and the start of that stretch.
    fn reserve(layout: Layout, alignment: usize, access: ProtFlags) -> rustix::io::Result<(Self, NonNull<u8>)> {
        let spare = if alignment > SMALLEST_PAGE { alignment.max(LARGEST_PAGE) } else { 0 };
        let bytes = layout.bytes.checked_add(spare).ok_or(Errno::NOMEM)?;
        // SAFETY: a new mapping at an address of the system's choice touches no other memory.
        let start = unsafe { mmap_anonymous(null_mut(), bytes, access, MapFlags::PRIVATE)? };
        let mapping = Mapping { start, bytes, file: None };
        let start = NonNull::new(start.cast::<u8>()).ok_or(Errno::NOMEM)?;
        let skip = if spare == 0 { 0 } else { start.align_offset(spare) };
        debug_assert!(skip <= spare);
        // SAFETY: the mapping is `spare` longer than needed, and an aligned address is at most that far in.
        Ok((mapping, unsafe { start.add(skip) }))
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: mapped in `reserve`, this long, and nobody has its frames any more: a pool drops its memory when the
        // last frame is home. There is nothing to do about an error, and no reason for one.
        let _ = unsafe { munmap(self.start, self.bytes) };
    }
}

/// A private anonymous mapping.
pub(super) fn anonymous(layout: Layout, huge_pages: bool, prefault: bool) -> Result<Memory, CommitError> {
    let huge = huge_pages && layout.bytes >= HUGE_PAGE;
    let alignment = if huge { layout.alignment.max(HUGE_PAGE) } else { layout.alignment };
    let make = || {
        let (mapping, base) = Mapping::reserve(layout, alignment, ProtFlags::READ | ProtFlags::WRITE)?;
        if huge {
            ask_for_huge_pages(base, layout.bytes);
        }
        finish(mapping, base, layout.bytes, prefault)
    };
    make().map_err(|errno| out_of_memory(layout, errno))
}

/// A private anonymous mapping whose pages are all there and stay there.
pub(super) fn locked(layout: Layout) -> Result<Memory, CommitError> {
    let make = || {
        let (mapping, base) = Mapping::reserve(layout, layout.alignment, ProtFlags::READ | ProtFlags::WRITE)?;
        // SAFETY: locks pages of our own mapping, which changes nothing in them; `munmap` unlocks them.
        unsafe { mlock(base.as_ptr().cast(), layout.bytes)? };
        finish(mapping, base, layout.bytes, false)
    };
    make().map_err(|errno| out_of_memory(layout, errno))
}

/// A sealed `memfd` of our own.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn memfd(layout: Layout, prefault: bool) -> Result<Memory, CommitError> {
    use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
    let make = || {
        let file = memfd_create(c"kspipe frames", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        ftruncate(&file, layout.bytes as u64)?;
        fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        Ok(file)
    };
    let file = make().map_err(|errno| out_of_memory(layout, errno))?;
    shared(Arc::new(file), layout, true, prefault)
}

/// A file that is at least as long as the layout and stays so, mapped over a reservation, because only a reservation can
/// be aligned to more than a page.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn shared(
    file: Arc<OwnedFd>,
    layout: Layout,
    writable: bool,
    prefault: bool,
) -> Result<Memory, CommitError> {
    let make = || {
        let (mut mapping, base) = Mapping::reserve(layout, layout.alignment, ProtFlags::empty())?;
        let access = if writable { ProtFlags::READ | ProtFlags::WRITE } else { ProtFlags::READ };
        // SAFETY: replaces pages of the reservation, which nobody else knows of, and none outside: `base` is `bytes`
        // before the reservation's end or earlier, and both ends round to pages within it.
        let mapped = unsafe {
            rustix::mm::mmap(base.as_ptr().cast(), layout.bytes, access, MapFlags::SHARED | MapFlags::FIXED, &file, 0)?
        };
        debug_assert_eq!(mapped, base.as_ptr().cast());
        mapping.file = Some(file);
        finish(mapping, base, layout.bytes, writable && prefault)
    };
    make().map_err(|errno| out_of_memory(layout, errno))
}

/// Has a child of a fork not get these pages.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn keep_from_children(memory: &Memory) -> rustix::io::Result<()> {
    use rustix::mm::{Advice, madvise};
    // SAFETY: our own mapping, in which this changes nothing.
    unsafe { madvise(memory.base.as_ptr().cast(), memory.bytes, Advice::LinuxDontFork) }
}

fn finish(mapping: Mapping, base: NonNull<u8>, bytes: usize, prefault: bool) -> rustix::io::Result<Memory> {
    if prefault {
        populate(base, bytes)?;
    }
    Ok(Memory { base, bytes, owner: Owner::Mapping(mapping) })
}

fn out_of_memory(layout: Layout, errno: Errno) -> CommitError {
    CommitError::OutOfMemory { bytes: layout.bytes as u64, errno: Some(errno.raw_os_error()) }
}

/// A wish: the error of a system without huge pages is no error of ours.
fn ask_for_huge_pages(base: NonNull<u8>, bytes: usize) {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        use rustix::mm::{Advice, madvise};
        // SAFETY: advice about how to back our own mapping, which changes nothing in it.
        let _ = unsafe { madvise(base.as_ptr().cast(), bytes, Advice::LinuxHugepage) };
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let _ = (base, bytes);
}

/// Faults every page in, for writing. Asking the system in one call is cheaper than touching each page, and answers
/// with an error where touching would kill the process (a `memfd` when the machine is out of memory). More than there is
/// is not asked for at all.
fn populate(base: NonNull<u8>, bytes: usize) -> rustix::io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        use rustix::mm::{Advice, madvise};
        if super::available::bytes().is_some_and(|available| bytes as u64 > available) {
            return Err(Errno::NOMEM);
        }
        // SAFETY: faults in pages of our own mapping, as writing to them would, and changes nothing in them.
        match unsafe { madvise(base.as_ptr().cast(), bytes, Advice::LinuxPopulateWrite) } {
            // Linux before 5.14 does not know the advice.
            Err(Errno::INVAL) => {}
            result => return result,
        }
    }
    for offset in (0..bytes).step_by(SMALLEST_PAGE) {
        // SAFETY: `offset` lies in the mapping, which is zeroed, writable and not yet known to anybody else. Volatile,
        // so that writing a zero over a zero is not left out.
        unsafe { base.as_ptr().add(offset).write_volatile(0) };
    }
    Ok(())
}
