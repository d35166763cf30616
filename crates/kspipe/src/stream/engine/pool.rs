//! A pipe's frames: its allocator, and who in this graph has them.

use crate::allocator::{
    Allocator, AllocatorProperties, CommitError, Frame, FrameHeader, MemoryKind, SetPropertiesError, SharedFrame,
};
use crate::graph::Graph;
use crate::negotiate::Pipe;
use ks::{KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_KERNEL_PAGED, KSMEMORY_TYPE_USER};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A pipe at run time.
#[derive(Debug)]
pub(in crate::stream) struct Pool {
    /// The pipe's number in the plan.
    pub(in crate::stream) pipe: u32,
    pub(in crate::stream) allocator: Allocator,
    /// The name of the memory type, and what it is made of here.
    pub(in crate::stream) memory_type: String,
    pub(in crate::stream) memory: String,
    /// By frame: how many [`Held`]s have it. The allocator's own words tell that a frame is out, but not whether it has
    /// arrived with whom it was granted to, which is what a stall is told by.
    holders: Box<[AtomicU32]>,
}

/// Why a pipe has no frames.
#[derive(Debug, thiserror::Error)]
pub(in crate::stream) enum MemoryError {
    #[error("nobody provides memory of the type {0}")]
    Unprovided(String),
    #[error("{0} frames are more than an allocator has")]
    TooMany(u64),
    #[error(transparent)]
    Properties(#[from] SetPropertiesError),
    #[error(transparent)]
    Commit(#[from] CommitError),
}

impl Pool {
    /// Commits the frames of a pipe, every page touched: the first frames shall not be late for it.
    pub(in crate::stream) fn commit(graph: &Graph, id: u32, pipe: &Pipe) -> Result<Self, MemoryError> {
        let mapped =
            if cfg!(unix) { MemoryKind::Anonymous { huge_pages: false, prefault: true } } else { MemoryKind::Heap };
        let (memory_type, kinds): (_, &[MemoryKind]) = match pipe.memory_type {
            KSMEMORY_TYPE_USER => ("user", &[mapped]),
            KSMEMORY_TYPE_KERNEL_PAGED => ("kernel-paged", &[mapped]),
            // How much may be locked is the system's to say; nothing here runs at DISPATCH_LEVEL, so it will do unlocked.
            KSMEMORY_TYPE_KERNEL_NONPAGED => ("kernel-nonpaged", &[MemoryKind::Locked, mapped]),
            other => {
                let name = graph.device_memory(other).map(|memory| format!("`{}` {other}", memory.name));
                return Err(MemoryError::Unprovided(name.unwrap_or_else(|| other.to_string())));
            }
        };
        let frames = u32::try_from(pipe.frames).map_err(|_| MemoryError::TooMany(pipe.frames))?;
        let properties =
            AllocatorProperties { frames, size: pipe.frame_size, alignment: pipe.alignment, prefix: pipe.prefix };
        let (allocator, kind) = commit_one_of(kinds, properties)?;
        let memory = match pipe.memory_type {
            KSMEMORY_TYPE_USER => kind.to_string(),
            KSMEMORY_TYPE_KERNEL_NONPAGED if kind != MemoryKind::Locked => {
                format!("{memory_type}, simulated in {kind}, not locked")
            }
            _ => format!("{memory_type}, simulated in {kind}"),
        };
        let holders = (0..frames).map(|_| AtomicU32::new(0)).collect();
        Ok(Pool { pipe: id, allocator, memory_type: memory_type.to_owned(), memory, holders })
    }

    /// The number of frames.
    pub(in crate::stream) fn frames(&self) -> usize {
        self.holders.len()
    }

    /// How many frames somebody in this graph has. Exact while everybody waits.
    pub(super) fn held(&self) -> usize {
        self.holders.iter().filter(|holders| holders.load(Ordering::Acquire) > 0).count()
    }

    /// Takes a frame just acquired into the books.
    pub(super) fn take(self: &Arc<Self>, frame: Frame) -> Held {
        let index = frame.index();
        self.count(index, |holders| holders.fetch_add(1, Ordering::AcqRel));
        Held { index, claim: Some(Claim::Exclusive(frame)), pool: Arc::clone(self) }
    }

    fn count(&self, index: u32, change: impl FnOnce(&AtomicU32) -> u32) {
        // The allocator has as many frames as this has counters.
        if let Some(holders) = self.holders.get(index as usize) {
            change(holders);
        }
    }
}

/// An allocator of the first of these kinds that the system has memory of.
fn commit_one_of(
    kinds: &[MemoryKind],
    properties: AllocatorProperties,
) -> Result<(Allocator, MemoryKind), MemoryError> {
    let mut result = Err(CommitError::Unsupported { kind: MemoryKind::Locked }.into());
    for kind in kinds {
        let allocator = Allocator::new(*kind);
        allocator.set_properties(properties)?;
        match allocator.commit() {
            Ok(()) => return Ok((allocator, *kind)),
            Err(error) => result = Err(error.into()),
        }
    }
    result
}

/// A frame somebody in this graph has, alone or with others. Dropping it lets it go.
#[derive(Debug)]
pub(in crate::stream) struct Held {
    index: u32,
    /// `None` only while it is dropped or changes from one kind to the other.
    claim: Option<Claim>,
    pool: Arc<Pool>,
}

#[derive(Debug)]
enum Claim {
    Exclusive(Frame),
    Shared(SharedFrame),
}

impl Held {
    pub(super) fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    /// The bytes that carry data.
    pub(super) fn data(&self) -> &[u8] {
        match &self.claim {
            Some(Claim::Exclusive(frame)) => frame.data(),
            Some(Claim::Shared(frame)) => frame.data(),
            None => &[],
        }
    }

    pub(super) fn header(&self) -> FrameHeader {
        match &self.claim {
            Some(Claim::Exclusive(frame)) => frame.header(),
            Some(Claim::Shared(frame)) => frame.header(),
            None => FrameHeader::default(),
        }
    }

    /// The frame, to write into; `None` where others have it too.
    pub(super) fn exclusive(&mut self) -> Option<&mut Frame> {
        self.claim = match self.claim.take() {
            Some(Claim::Shared(frame)) => Some(match frame.try_into_exclusive() {
                Ok(frame) => Claim::Exclusive(frame),
                Err(frame) => Claim::Shared(frame),
            }),
            other => other,
        };
        match &mut self.claim {
            Some(Claim::Exclusive(frame)) => Some(frame),
            _ => None,
        }
    }

    /// The same frame once more, for another reader: from now on it is read-only.
    pub(super) fn another(&mut self) -> Held {
        let shared = match self.claim.take() {
            Some(Claim::Exclusive(frame)) => Some(frame.share()),
            Some(Claim::Shared(frame)) => Some(frame),
            None => None,
        };
        let claim = shared.clone().map(Claim::Shared);
        self.claim = shared.map(Claim::Shared);
        self.pool.count(self.index, |holders| holders.fetch_add(1, Ordering::AcqRel));
        Held { index: self.index, claim, pool: Arc::clone(&self.pool) }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Out of the books first: who is granted the frame enters it anew.
        self.pool.count(self.index, |holders| holders.fetch_sub(1, Ordering::AcqRel));
        self.claim = None;
    }
}
