//! Where the frames of a pool live: one block of zeroed memory of a [`MemoryKind`].

#![allow(unsafe_code)]

#[cfg(any(target_os = "linux", target_os = "android"))]
mod available;
#[cfg(unix)]
mod mapping;

use super::properties::{CommitError, Layout};
use std::alloc::{alloc_zeroed, dealloc};
use std::fmt;
use std::ptr::NonNull;

/// Where an allocator's frames live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MemoryKind {
    /// The program's heap. On every system.
    Heap,
    /// A private anonymous mapping. On Unix.
    Anonymous {
        /// Ask for huge pages (`MADV_HUGEPAGE`): fewer faults, and fewer misses of the translation cache. A wish: where
        /// the system has none to give, the pages are ordinary ones.
        huge_pages: bool,
        /// Touch every page at commit (`MADV_POPULATE_WRITE`), so that the first frames do not pay for it.
        prefault: bool,
    },
    /// A private anonymous mapping, locked (`mlock`): every page is there from commit on and none is paged out, which is
    /// what nonpaged memory promises. On Unix; how much a process may lock is limited (`RLIMIT_MEMLOCK`).
    Locked,
    /// A `memfd`, mapped and sealed against shrinking and growing, so that other processes can map it and none can be
    /// killed by its going away. On Linux and Android.
    Memfd {
        /// Touch every page at commit, so that the first frames do not pay for it. More than the memory that is available is
        /// refused ([`CommitError::OutOfMemory`]).
        prefault: bool,
    },
}

impl Default for MemoryKind {
    /// An anonymous mapping of ordinary pages, faulted in as they are touched; the heap where there are no mappings.
    fn default() -> Self {
        if cfg!(unix) { MemoryKind::Anonymous { huge_pages: false, prefault: false } } else { MemoryKind::Heap }
    }
}

impl fmt::Display for MemoryKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            MemoryKind::Heap => "memory on the heap",
            MemoryKind::Anonymous { huge_pages: false, .. } => "an anonymous mapping",
            MemoryKind::Anonymous { huge_pages: true, .. } => "an anonymous mapping of huge pages",
            MemoryKind::Locked => "a locked anonymous mapping",
            MemoryKind::Memfd { .. } => "a memfd",
        })
    }
}

/// One block of memory: zeroed at first, aligned, alive until dropped.
pub(super) struct Memory {
    base: NonNull<u8>,
    bytes: usize,
    /// Gives the memory back when dropped.
    #[cfg_attr(not(unix), expect(dead_code, reason = "held for its drop"))]
    owner: Owner,
}

enum Owner {
    Heap(#[expect(dead_code, reason = "held for its drop")] Heap),
    #[cfg(unix)]
    Mapping(mapping::Mapping),
}

// SAFETY: a `Memory` owns its block, and gives out nothing but the block's address.
unsafe impl Send for Memory {}

impl Memory {
    /// Memory for a pool of this layout.
    pub(super) fn new(kind: MemoryKind, layout: Layout) -> Result<Self, CommitError> {
        match kind {
            MemoryKind::Heap => Heap::memory(layout),
            #[cfg(unix)]
            MemoryKind::Anonymous { huge_pages, prefault } => mapping::anonymous(layout, huge_pages, prefault),
            #[cfg(unix)]
            MemoryKind::Locked => mapping::locked(layout),
            #[cfg(any(target_os = "linux", target_os = "android"))]
            MemoryKind::Memfd { prefault } => mapping::memfd(layout, prefault),
            #[allow(unreachable_patterns, reason = "reached where a kind above is not compiled in")]
            kind => Err(CommitError::Unsupported { kind }),
        }
    }

    /// A file mapped for all who map it: at least as long as the layout, and sealed against shrinking.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(super) fn of_file(
        file: std::sync::Arc<std::os::fd::OwnedFd>,
        layout: Layout,
        writable: bool,
        prefault: bool,
    ) -> Result<Self, CommitError> {
        mapping::shared(file, layout, writable, prefault)
    }

    /// Has a child of a fork not get this memory, which must be a mapping.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(super) fn keep_from_children(&self) -> rustix::io::Result<()> {
        mapping::keep_from_children(self)
    }

    /// The first byte.
    pub(super) fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// The number of bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The file behind the memory, where there is one.
    #[cfg(unix)]
    pub(super) fn file(&self) -> Option<&std::sync::Arc<std::os::fd::OwnedFd>> {
        match &self.owner {
            Owner::Heap(_) => None,
            Owner::Mapping(mapping) => mapping.file(),
        }
    }
}

/// A block of the heap.
struct Heap {
    block: NonNull<u8>,
    layout: std::alloc::Layout,
}

impl Heap {
    /// What every heap gives without being asked. More is found inside a larger block, because a heap asked for more
    /// cannot take the zeroed pages of the system as they are, and writes every byte.
    const ALIGNMENT: usize = 16;

    fn memory(layout: Layout) -> Result<Memory, CommitError> {
        let out_of_memory = CommitError::OutOfMemory { bytes: layout.bytes as u64, errno: None };
        // Does not overflow: a `Layout` leaves room for twice its alignment.
        let spare = if layout.alignment > Self::ALIGNMENT { layout.alignment } else { 0 };
        let whole =
            std::alloc::Layout::from_size_align(layout.bytes + spare, Self::ALIGNMENT).map_err(|_| out_of_memory)?;
        // SAFETY: a `Layout` has at least one byte.
        let block = NonNull::new(unsafe { alloc_zeroed(whole) }).ok_or(out_of_memory)?;
        let owner = Heap { block, layout: whole };
        let skip = block.align_offset(layout.alignment);
        debug_assert!(skip <= spare);
        // SAFETY: the block has `spare` bytes more than needed, and an aligned address is at most that far in.
        let base = unsafe { block.add(skip) };
        Ok(Memory { base, bytes: layout.bytes, owner: Owner::Heap(owner) })
    }
}

impl Drop for Heap {
    fn drop(&mut self) {
        // SAFETY: allocated in `memory` with this layout, and given back once.
        unsafe { dealloc(self.block.as_ptr(), self.layout) }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::allocator::AllocatorProperties;

    const KINDS: [MemoryKind; 7] = [
        MemoryKind::Heap,
        MemoryKind::Anonymous { huge_pages: false, prefault: false },
        MemoryKind::Anonymous { huge_pages: false, prefault: true },
        MemoryKind::Anonymous { huge_pages: true, prefault: false },
        MemoryKind::Anonymous { huge_pages: true, prefault: true },
        MemoryKind::Memfd { prefault: false },
        MemoryKind::Memfd { prefault: true },
    ];

    fn here(kind: MemoryKind) -> bool {
        match kind {
            MemoryKind::Heap => true,
            MemoryKind::Anonymous { .. } | MemoryKind::Locked => cfg!(unix),
            MemoryKind::Memfd { .. } => cfg!(any(target_os = "linux", target_os = "android")),
        }
    }

    fn layout(frames: u32, size: u64, alignment: u64) -> Layout {
        AllocatorProperties { frames, size, alignment, prefix: 0 }.layout().unwrap()
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri maps no memory")]
    fn every_kind_gives_aligned_zeroed_writable_memory_statement_71() {
        for kind in KINDS {
            for alignment in [1, 16, 4096, 8192, 1 << 16, 1 << 21] {
                let layout = layout(3, 5000, alignment);
                let memory = match Memory::new(kind, layout) {
                    Ok(memory) => memory,
                    Err(error) => {
                        assert_eq!(error, CommitError::Unsupported { kind });
                        assert!(!here(kind), "{kind:?}: {error}");
                        continue;
                    }
                };
                assert!(here(kind));
                assert_eq!(memory.base().as_ptr() as usize % alignment as usize, 0, "{kind:?} {alignment}");
                assert_eq!(memory.bytes(), layout.bytes);
                // SAFETY: the block is ours, this long, and initialised.
                let bytes = unsafe { std::slice::from_raw_parts_mut(memory.base().as_ptr(), memory.bytes()) };
                assert!(bytes.iter().all(|byte| *byte == 0), "{kind:?}");
                bytes.fill(0xA5);
            }
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri maps no memory")]
    #[cfg(unix)]
    fn locked_memory_is_zeroed_and_writable_statement_71() {
        // Four pages: within the 64 KiB that any process may lock.
        let memory = Memory::new(MemoryKind::Locked, layout(3, 4096, 4096)).unwrap();
        // SAFETY: the block is ours, this long, and initialised.
        let bytes = unsafe { std::slice::from_raw_parts_mut(memory.base().as_ptr(), memory.bytes()) };
        assert!(bytes.iter().all(|byte| *byte == 0));
        bytes.fill(0xA5);
        let status = std::fs::read_to_string("/proc/self/smaps").unwrap_or_default();
        if !status.is_empty() {
            assert!(
                status.lines().any(|line| line.starts_with("Locked:") && !line.ends_with(" 0 kB")),
                "nothing is locked"
            );
        }
    }

    #[test]
    fn the_heap_gives_aligned_zeroed_writable_memory_statement_71() {
        for alignment in [1, 16, 64, 4096] {
            let layout = layout(3, 50, alignment);
            let memory = Memory::new(MemoryKind::Heap, layout).unwrap();
            assert_eq!(memory.base().as_ptr() as usize % alignment as usize, 0);
            // SAFETY: the block is ours, this long, and initialised.
            let bytes = unsafe { std::slice::from_raw_parts_mut(memory.base().as_ptr(), memory.bytes()) };
            assert!(bytes.iter().all(|byte| *byte == 0));
            bytes.fill(0xA5);
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri's memory is not the system's")]
    fn more_than_the_system_has_is_out_of_memory() {
        // A quarter of the largest address: fits the arithmetic, and no machine.
        let layout = layout(1, isize::MAX as u64 / 4, 4096);
        for kind in KINDS.into_iter().filter(|kind| here(*kind)) {
            // A memfd may be made this large, and then cannot be mapped.
            let error = Memory::new(kind, layout).err();
            assert!(matches!(error, Some(CommitError::OutOfMemory { .. })), "{kind:?}: {error:?}");
        }
    }
}
