//! Frames, the pool they come from, waiting for one, and where their memory lives.
//!
//! An [`Allocator`] is one block of memory cut into frames, with a state word for each. Acquiring a frame is one
//! compare-and-swap of its word, giving it back another; nothing else is shared between the threads that do it. Its life
//! is that of `IMemAllocator` (strmif.h): set properties, commit, decommit, again.
//!
//! ```
//! use kspipe::allocator::{Allocator, AllocatorProperties, MemoryKind};
//!
//! let allocator = Allocator::new(MemoryKind::default());
//! allocator.set_properties(AllocatorProperties { frames: 4, size: 3_110_400, alignment: 4096, prefix: 0 })?;
//! allocator.commit()?;
//!
//! let mut frame = allocator.acquire(None)?;
//! frame.fill(0x80);
//! let for_display = frame.share();
//! let for_recording = for_display.clone();
//! drop((for_display, for_recording));
//!
//! assert_eq!(allocator.status().in_use, 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod frame;
mod header;
mod lifecycle;
mod memory;
#[cfg(all(test, loom))]
mod models;
mod pool;
mod properties;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub mod shared;
mod sync;
mod table;
mod waiting;
mod word;

pub use frame::{Frame, RawFrame, SharedFrame};
pub use header::{FrameFlags, FrameHeader};
pub use memory::MemoryKind;
pub use properties::{AcquireError, AllocatorProperties, CommitError, MAX_FRAMES, ReclaimError, SetPropertiesError};

use frame::Claim;
use lifecycle::{Phase, State};
use pool::Pool;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// An allocator of frames. Clones are the same allocator; every method is for any thread.
///
/// Dropping the last clone decommits it. Frames that are out stay as they are, and the memory goes when the last one
/// comes home.
#[derive(Clone)]
pub struct Allocator {
    pool: Arc<Pool>,
    /// One for all clones, so that the last one's drop is known. After `pool`, which each needs on the way of a frame.
    _handles: Arc<Handles>,
}

/// Decommits when the last clone of an allocator is dropped: nobody can acquire a frame any more.
struct Handles(Arc<Pool>);

impl Drop for Handles {
    fn drop(&mut self) {
        // It may own the allocator's owner, and there is nobody left to set it.
        self.0.set_notify(None);
        self.0.decommit();
    }
}

/// What an allocator is doing: more than `KSSTREAMALLOCATOR_STATUS` (ks.h) tells. The members were not read in one
/// moment: where other threads acquire meanwhile, they may not add up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AllocatorStatus {
    /// The frames there are: those of the properties, committed or not.
    pub frames: u32,
    /// The frames that are out (`AllocatedFrames`).
    pub in_use: u32,
    /// The most frames that were out at once since the last commit. It may count one too many where a frame came home
    /// during the very search that found none free; never one too few.
    pub peak: u32,
    /// Frames acquired since the allocator was made.
    pub acquires: u64,
    /// Acquisitions that had to wait since the allocator was made.
    pub waits: u64,
    /// Threads that wait now.
    pub waiters: u32,
    /// Frames can be acquired.
    pub committed: bool,
    /// The allocator was decommitted and waits for frames to come home.
    pub draining: bool,
    /// Bytes of memory for frames, prefixes and padding included; 0 while there is none.
    pub bytes: u64,
    /// Bytes of the allocator itself: its control words, 128 a frame, and what it needs once.
    pub control_bytes: u64,
}

impl Allocator {
    /// An allocator without properties, whose frames will live in this kind of memory. Takes no memory yet.
    pub fn new(memory: MemoryKind) -> Self {
        let pool = Arc::new(Pool::new(State::new(memory)));
        Self { _handles: Arc::new(Handles(pool.clone())), pool }
    }

    /// Says what the frames shall be, and returns what they will be: the size is raised so that prefix and size together
    /// are a multiple of the alignment. Nothing is allocated, and count and size are not checked, before
    /// [`commit`](Self::commit) (semantics 4.3, SetProperties).
    ///
    /// # Errors
    /// The first of: the alignment is not a power of two, the allocator is committed, frames are still out.
    pub fn set_properties(&self, request: AllocatorProperties) -> Result<AllocatorProperties, SetPropertiesError> {
        self.pool.set_properties(request)
    }

    /// The properties: all zero before any were set.
    pub fn properties(&self) -> AllocatorProperties {
        self.pool.lock().properties
    }

    /// Allocates the frames, zeroed, so that they can be acquired. Nothing changes where that was done before. While
    /// frames are out after a decommit, that decommit is called off: they and the others stay what they are.
    ///
    /// # Errors
    /// Properties that are not set or too large, or no memory. Nothing has changed then.
    pub fn commit(&self) -> Result<(), CommitError> {
        self.pool.commit()
    }

    /// Ends acquiring: every thread that waits gets [`AcquireError::NotCommitted`]. Frames that are out stay readable
    /// and writable until they are dropped; the last one home frees the memory. Does nothing where not committed.
    pub fn decommit(&self) {
        self.pool.decommit();
    }

    /// Takes a frame, without waiting: two compare-and-swaps with its way home.
    ///
    /// # Errors
    /// No frame is free (there is none free while others wait), or the allocator is not committed.
    #[inline]
    pub fn try_acquire(&self) -> Result<Frame, AcquireError> {
        self.pool.try_acquire()
    }

    /// The first look of [`try_acquire`](Self::try_acquire), which mostly finds a frame, and nothing else: for a caller
    /// who wants the rest out of its way. `None` says nothing about other frames.
    #[inline]
    pub fn acquire_hinted(&self) -> Option<Frame> {
        self.pool.acquire_hinted()
    }

    /// Takes a frame; waits for one, first come, first served, at most for the time given.
    ///
    /// # Errors
    /// No frame came home in time, or the allocator is not committed, or was decommitted meanwhile.
    #[inline]
    pub fn acquire(&self, timeout: Option<Duration>) -> Result<Frame, AcquireError> {
        self.pool.acquire(timeout)
    }

    /// Makes a frame of a raw one again.
    ///
    /// # Errors
    /// It is not a frame of this allocator, or it was reclaimed before.
    pub fn reclaim(&self, raw: RawFrame) -> Result<Frame, ReclaimError> {
        if raw.pool != self.pool.id {
            return Err(ReclaimError::Foreign);
        }
        let cell = self.pool.table().cell(raw.index).ok_or(ReclaimError::Stale)?;
        cell.change(|word| {
            (word.is_detached() && word.generation() == raw.generation).then_some(word.with_detached(false))
        })
        .map_err(|_| ReclaimError::Stale)?;
        Ok(Frame::new(Claim::new(cell, raw.generation)))
    }

    /// What the allocator is doing.
    pub fn status(&self) -> AllocatorStatus {
        let state = self.pool.lock();
        let table = self.pool.table();
        let cells = table.cells();
        let control: usize = state.tables().map(|table| table.bytes()).sum();
        AllocatorStatus {
            frames: state.properties.frames,
            in_use: count(cells.iter().filter(|cell| cell.word().is_held()).count()),
            peak: self.pool.reach.load(std::sync::atomic::Ordering::Relaxed),
            acquires: state.tables().map(|table| table.acquires()).sum(),
            waits: state.waiters.waits,
            waiters: count(state.waiters.len()),
            committed: state.phase == Phase::Live,
            draining: matches!(state.phase, Phase::Draining { .. }),
            bytes: state.memory.as_ref().map_or(0, |memory| memory.bytes() as u64),
            control_bytes: (control + size_of::<Pool>()) as u64,
        }
    }

    /// The addresses of the frames' memory, while there is any: what tells a frame of this allocator from a foreign one.
    pub fn memory_range(&self) -> Option<Range<usize>> {
        let state = self.pool.lock();
        let memory = state.memory.as_ref()?;
        let start = memory.base().as_ptr() as usize;
        Some(start..start + memory.bytes())
    }

    /// The file behind the frames' memory, sealed against shrinking and growing, while there is any: a `memfd`. Slots
    /// lie in it as they lie in [`memory_range`](Self::memory_range).
    ///
    /// # Safety
    /// Frames are lent as slices. Nobody writes through the file, in any process, to the bytes of a frame that somebody
    /// else has.
    #[cfg(unix)]
    #[allow(unsafe_code, reason = "a promise is asked of the caller; nothing unsafe is done here")]
    pub unsafe fn memory_file(&self) -> Option<Arc<std::os::fd::OwnedFd>> {
        self.pool.lock().memory.as_ref()?.file().cloned()
    }

    /// Has this called, once for each frame that came home, by the thread that brought it, outside every lock; or
    /// nothing any more. The frame is free by then, or with whom waited for it. It may be called once more while it is
    /// being taken away. It must not panic: it is called from a destructor (`IMemAllocatorCallbackTemp::SetNotify`).
    ///
    /// A frame's way home is longer with it: through a lock. What was called until now comes back, so that the caller
    /// chooses where it is dropped.
    pub fn set_notify(&self, notify: Option<Arc<dyn Fn() + Send + Sync>>) -> Option<Arc<dyn Fn() + Send + Sync>> {
        self.pool.set_notify(notify)
    }
}

impl fmt::Debug for Allocator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Allocator").field("properties", &self.properties()).field("status", &self.status()).finish()
    }
}

/// A number of frames or threads.
fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
