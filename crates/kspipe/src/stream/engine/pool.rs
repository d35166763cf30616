//! A pipe's frames: its allocator, or the pool it shares with other processes, and who in this graph has them.

use super::outer::{OuterFrame, OuterPool};
use crate::allocator::{
    AcquireError, Allocator, AllocatorProperties, CommitError, Frame, FrameHeader, MemoryKind, SetPropertiesError,
    SharedFrame,
};
use crate::graph::{Graph, PinId};
use crate::negotiate::Pipe;
use crate::stream::filters::FilterError;
use ks::{KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_KERNEL_PAGED, KSMEMORY_TYPE_USER};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// A pipe at run time.
#[derive(Debug)]
pub(in crate::stream) struct Pool {
    /// The pipe's number in the plan.
    pub(in crate::stream) pipe: u32,
    frames: Frames,
    /// The name of the memory type, and what it is made of here.
    pub(in crate::stream) memory_type: String,
    pub(in crate::stream) memory: String,
}

#[derive(Debug)]
enum Frames {
    /// Of this process alone.
    Own {
        allocator: Allocator,
        /// By frame: how many [`Held`]s have it. The allocator's own words tell that a frame is out, but not whether it
        /// has arrived with whom it was granted to, which is what a stall is told by.
        holders: Box<[AtomicU32]>,
    },
    /// Shared with other processes.
    Outer(OuterPool),
    /// Other processes' alone.
    Elsewhere,
}

/// What a pipe's frames do.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::stream) struct PoolStatus {
    /// Frames that are out, in whatever process.
    pub(in crate::stream) in_use: u32,
    /// Frames that somebody in this process has.
    pub(in crate::stream) held_here: u32,
    pub(in crate::stream) peak: u32,
    pub(in crate::stream) acquires: u64,
    pub(in crate::stream) waits: u64,
}

/// A free frame that was acquired, and is in nobody's books yet.
#[derive(Debug)]
pub(super) enum Acquired {
    Own(Frame),
    Outer(OuterFrame),
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
        let frames = Frames::Own { allocator, holders };
        Ok(Pool { pipe: id, frames, memory_type: memory_type.to_owned(), memory })
    }

    /// The pipe of a pool that is shared with other processes.
    #[cfg(all(any(target_os = "linux", target_os = "android"), not(loom)))]
    pub(in crate::stream) fn outer(id: u32, memory_type: &str, pool: OuterPool) -> Self {
        let shared = "memory shared by processes";
        let memory = match memory_type {
            "user" => shared.to_owned(),
            memory_type => format!("{memory_type}, simulated in {shared}"),
        };
        Pool { pipe: id, frames: Frames::Outer(pool), memory_type: memory_type.to_owned(), memory }
    }

    /// A pipe whose frames never come here.
    pub(in crate::stream) fn elsewhere(id: u32) -> Self {
        Pool { pipe: id, frames: Frames::Elsewhere, memory_type: String::new(), memory: String::new() }
    }

    pub(in crate::stream) fn is_elsewhere(&self) -> bool {
        matches!(self.frames, Frames::Elsewhere)
    }

    /// Other processes have a part in its frames.
    pub(in crate::stream) fn is_shared(&self) -> bool {
        matches!(self.frames, Frames::Outer(_))
    }

    /// The allocator, where the frames are this process's alone.
    pub(in crate::stream) fn allocator(&self) -> Option<&Allocator> {
        match &self.frames {
            Frames::Own { allocator, .. } => Some(allocator),
            Frames::Outer(_) | Frames::Elsewhere => None,
        }
    }

    /// The number of frames.
    pub(in crate::stream) fn frames(&self) -> usize {
        match &self.frames {
            Frames::Own { holders, .. } => holders.len(),
            Frames::Outer(pool) => pool.frames() as usize,
            Frames::Elsewhere => 0,
        }
    }

    pub(in crate::stream) fn status(&self) -> PoolStatus {
        match &self.frames {
            Frames::Own { allocator, .. } => {
                let status = allocator.status();
                PoolStatus {
                    in_use: status.in_use,
                    held_here: status.in_use,
                    peak: status.peak,
                    acquires: status.acquires,
                    waits: status.waits,
                }
            }
            Frames::Outer(pool) => {
                let (in_use, peak) = pool.in_use();
                let (held_here, acquires, waits) = (pool.held_here(), pool.acquires(), pool.waits());
                PoolStatus { in_use, held_here, peak, acquires, waits }
            }
            Frames::Elsewhere => PoolStatus::default(),
        }
    }

    /// A frame can be had, or none ever again: who waits for one does not wait in vain. Exact while everybody waits; of a
    /// shared pool it is not for this process to say.
    pub(super) fn may_serve(&self) -> bool {
        match &self.frames {
            Frames::Own { allocator, holders } => {
                let held = holders.iter().filter(|holders| holders.load(Ordering::Acquire) > 0).count();
                held < holders.len() || !allocator.status().committed
            }
            Frames::Outer(_) | Frames::Elsewhere => true,
        }
    }

    /// A free frame for an out pin, if there is one.
    pub(super) fn try_acquire(&self, pin: PinId) -> Result<Acquired, FilterError> {
        match &self.frames {
            Frames::Own { allocator, .. } => self.acquired(allocator.try_acquire()),
            Frames::Outer(pool) => Ok(Acquired::Outer(pool.try_acquire(self.pipe, pin)?)),
            Frames::Elsewhere => self.acquired(Err(AcquireError::NotCommitted)),
        }
    }

    /// A free frame for an out pin; waits for one.
    pub(super) fn acquire(&self, pin: PinId, timeout: Option<Duration>) -> Result<Acquired, FilterError> {
        match &self.frames {
            Frames::Own { allocator, .. } => self.acquired(allocator.acquire(timeout)),
            Frames::Outer(pool) => Ok(Acquired::Outer(pool.acquire(self.pipe, pin, timeout)?)),
            Frames::Elsewhere => self.acquired(Err(AcquireError::NotCommitted)),
        }
    }

    fn acquired(&self, frame: Result<Frame, AcquireError>) -> Result<Acquired, FilterError> {
        frame.map(Acquired::Own).map_err(|source| FilterError::Acquire { pipe: self.pipe, source })
    }

    /// Takes a frame just acquired into the books. Not before its filter has said that it waits no more: until then it is
    /// what the filter waits for.
    pub(super) fn take(self: &Arc<Self>, frame: Acquired) -> Held {
        match frame {
            Acquired::Own(frame) => {
                let index = frame.index();
                self.count(index, |holders| holders.fetch_add(1, Ordering::AcqRel));
                Held { index, claim: Some(Claim::Exclusive(frame)), pool: Arc::clone(self) }
            }
            Acquired::Outer(frame) => Pool::arrived(self, frame),
        }
    }

    /// A frame of the shared pool, which is in its own books.
    pub(super) fn arrived(self: &Arc<Self>, frame: OuterFrame) -> Held {
        Held { index: 0, claim: Some(Claim::Outer(frame)), pool: Arc::clone(self) }
    }

    /// Who waits for a frame is told that none will come. Of a shared pool, in this process only.
    pub(super) fn close(&self) {
        match &self.frames {
            Frames::Own { allocator, .. } => {
                allocator.decommit();
            }
            Frames::Outer(pool) => pool.interrupt(),
            Frames::Elsewhere => {}
        }
    }

    fn count(&self, index: u32, change: impl FnOnce(&AtomicU32) -> u32) {
        // The allocator has as many frames as this has counters.
        if let Frames::Own { holders, .. } = &self.frames
            && let Some(holders) = holders.get(index as usize)
        {
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
    /// In its allocator's books.
    index: u32,
    /// `None` only while it is dropped or changes from one kind to the other.
    claim: Option<Claim>,
    pool: Arc<Pool>,
}

#[derive(Debug)]
enum Claim {
    Exclusive(Frame),
    Shared(SharedFrame),
    /// Of a pool that processes share.
    Outer(OuterFrame),
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
            Some(Claim::Outer(frame)) => frame.data(),
            None => &[],
        }
    }

    pub(super) fn header(&self) -> FrameHeader {
        match &self.claim {
            Some(Claim::Exclusive(frame)) => frame.header(),
            Some(Claim::Shared(frame)) => frame.header(),
            Some(Claim::Outer(frame)) => frame.header(),
            None => FrameHeader::default(),
        }
    }

    /// The frame's bytes, to write into; `None` where others have it too.
    pub(super) fn exclusive(&mut self) -> Option<&mut [u8]> {
        self.claim = match self.claim.take() {
            Some(Claim::Shared(frame)) => Some(match frame.try_into_exclusive() {
                Ok(frame) => Claim::Exclusive(frame),
                Err(frame) => Claim::Shared(frame),
            }),
            other => other,
        };
        match &mut self.claim {
            Some(Claim::Exclusive(frame)) => Some(frame),
            Some(Claim::Outer(frame)) => frame.exclusive(),
            Some(Claim::Shared(_)) | None => None,
        }
    }

    /// Sets what travels with the frame, where nobody else has it.
    pub(super) fn set_header(&mut self, header: FrameHeader) {
        match &mut self.claim {
            Some(Claim::Exclusive(frame)) => frame.set_header(header),
            Some(Claim::Outer(frame)) => frame.set_header(header),
            Some(Claim::Shared(_)) | None => {}
        }
    }

    /// The frame of a pool that processes share, to be handed over.
    #[cfg(all(any(target_os = "linux", target_os = "android"), not(loom)))]
    pub(super) fn into_outer(mut self) -> Option<OuterFrame> {
        match self.claim.take() {
            Some(Claim::Outer(frame)) => Some(frame),
            _ => None,
        }
    }

    /// The same frame once more, for another reader: from now on it is read-only.
    pub(super) fn another(&mut self) -> Held {
        if let Some(Claim::Outer(frame)) = &self.claim {
            return Pool::arrived(&self.pool, frame.another());
        }
        let shared = match self.claim.take() {
            Some(Claim::Exclusive(frame)) => Some(frame.share()),
            Some(Claim::Shared(frame)) => Some(frame),
            Some(Claim::Outer(_)) | None => None,
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

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::graph::{Direction, Graph};

    #[test]
    fn a_frame_that_is_granted_and_not_taken_yet_is_one_that_can_be_had() {
        let mut graph = Graph::builder();
        graph.filter("a").pin("out", Direction::Out);
        let pin = graph.build().unwrap().pin_ids().next().unwrap();
        let properties = AllocatorProperties { frames: 1, size: 8, alignment: 8, prefix: 0 };
        let (allocator, _) = commit_one_of(&[MemoryKind::Heap], properties).unwrap();
        let frames = Frames::Own { allocator, holders: [AtomicU32::new(0)].into() };
        let pool = Arc::new(Pool { pipe: 0, frames, memory_type: String::new(), memory: String::new() });
        // Whoever waits for it would be told that the graph is stalled.
        let granted = pool.acquire(pin, None).unwrap();
        assert!(pool.may_serve());
        let held = pool.take(granted);
        assert!(!pool.may_serve());
        drop(held);
        assert!(pool.may_serve());
    }
}
