//! The frames of an allocator behind a handle, from pools of the engine's.
//!
//! Memory is taken as it is needed: a first pool of a few frames when the allocator is created, then as many again each
//! time none is free, up to the framing's `Frames`.

use super::client::{Charge, FrameMemory};
use ks::{KsAllocatorFraming, NtStatus, PoolType};
use kspipe::allocator::{Allocator, AllocatorProperties, Frame, MAX_FRAMES, MemoryKind};
use std::collections::HashMap;

/// Bytes that the first pool has at least, where the framing asks for so many frames.
const FIRST_POOL_BYTES: u64 = 64 << 10;
/// The largest pool that is locked into memory: locking touches every page.
const LOCKED_POOL_BYTES: u64 = 64 << 20;

/// The frames.
#[derive(Debug)]
pub(crate) struct Frames {
    framing: KsAllocatorFraming,
    /// At least one; the last one is the largest.
    pools: Vec<Allocator>,
    /// The frames in all pools.
    total: u32,
    /// The frames that are out, by their addresses.
    out: HashMap<usize, Frame>,
    /// Where their memory is counted, and what they have of it.
    memory: FrameMemory,
    charges: Vec<Charge>,
    /// Every pool has the memory that the framing's pool type promises.
    as_promised: bool,
}

impl Frames {
    /// Frames of this framing, which is valid, and the memory of the first few.
    pub(crate) fn new(framing: KsAllocatorFraming, memory: FrameMemory) -> Result<Self, NtStatus> {
        let mut frames = Self {
            framing,
            pools: Vec::new(),
            total: 0,
            out: HashMap::new(),
            memory,
            charges: Vec::new(),
            as_promised: true,
        };
        let first = FIRST_POOL_BYTES / u64::from(framing.frame_size);
        frames.grow(u32::try_from(first).unwrap_or(u32::MAX))?;
        Ok(frames)
    }

    /// The most frames there can be at once.
    fn limit(&self) -> u32 {
        // 0 asks for no limit.
        if self.framing.frames == 0 { u32::MAX } else { self.framing.frames }
    }

    /// Adds a pool of `count` frames, or as many as there can be.
    fn grow(&mut self, count: u32) -> Result<(), NtStatus> {
        let count = count.clamp(1, MAX_FRAMES).min(self.limit() - self.total);
        let size = u64::from(self.framing.frame_size);
        let alignment = u64::from(self.framing.file_alignment.file_alignment().0) + 1;
        let lock = self.framing.pool_type == PoolType::NON_PAGED_POOL;
        let bytes = size.next_multiple_of(alignment) * u64::from(count);
        let within = bytes <= LOCKED_POOL_BYTES;
        let charge = self.memory.take(bytes)?;
        let kinds = [(MemoryKind::Locked, lock && within), (MemoryKind::default(), true)];
        for kind in kinds.into_iter().filter(|(_, wanted)| *wanted).map(|(kind, _)| kind) {
            let pool = Allocator::new(kind);
            let properties = AllocatorProperties { frames: count, size, alignment, prefix: 0 };
            if pool.set_properties(properties).is_ok() && pool.commit().is_ok() {
                self.as_promised &= !lock || kind == MemoryKind::Locked;
                self.pools.push(pool);
                self.total += count;
                self.charges.extend(charge);
                return Ok(());
            }
        }
        Err(NtStatus::STATUS_INSUFFICIENT_RESOURCES)
    }

    /// Takes a frame, and gives its address; `None` where as many are out as there can be.
    pub(crate) fn take(&mut self) -> Result<Option<usize>, NtStatus> {
        self.out.try_reserve(1).map_err(|_| NtStatus::STATUS_INSUFFICIENT_RESOURCES)?;
        if self.out.len() >= self.limit() as usize {
            return Ok(None);
        }
        if self.out.len() == self.total as usize {
            // Where there is no memory for as many again, there may be for one.
            self.grow(self.total).or_else(|_| self.grow(1))?;
        }
        // The newest pool is half of all frames, and the most likely to have one.
        let frame = self.pools.iter().rev().find_map(|pool| pool.try_acquire().ok());
        let mut frame = frame.ok_or(NtStatus::STATUS_INSUFFICIENT_RESOURCES)?;
        // The address leaves as a number, and comes back as a pointer of whoever has the frame.
        let address = frame.as_mut_ptr().expose_provenance();
        self.out.insert(address, frame);
        Ok(Some(address))
    }

    /// Whether a frame is out.
    pub(crate) fn is_out(&self, address: usize) -> bool {
        self.out.contains_key(&address)
    }

    /// Takes a frame back.
    pub(crate) fn give_back(&mut self, address: usize) {
        self.out.remove(&address);
    }

    /// How many are out.
    pub(crate) fn allocated(&self) -> u32 {
        // Never more than `total`.
        self.out.len() as u32
    }

    /// The framing they were made with.
    pub(crate) fn framing(&self) -> KsAllocatorFraming {
        self.framing
    }

    /// Whether nonpaged memory, where the framing asks for it, is locked. Paged memory is what it is.
    pub(crate) fn as_promised(&self) -> bool {
        self.as_promised
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(count: u32, frame_size: u32, pool_type: PoolType) -> Frames {
        let framing = KsAllocatorFraming { frames: count, frame_size, pool_type, ..Default::default() };
        Frames::new(framing, FrameMemory::default()).expect("memory")
    }

    #[test]
    fn memory_is_taken_as_it_is_needed() {
        let mut few = frames(3, 1 << 20, PoolType::PAGED_POOL);
        assert_eq!((few.total, few.pools.len()), (1, 1));
        let taken: Vec<_> = (0..3).map(|_| few.take().expect("memory").expect("a frame")).collect();
        assert_eq!((few.total, few.allocated(), few.take()), (3, 3, Ok(None)));
        taken.into_iter().for_each(|address| few.give_back(address));
        assert_eq!((few.total, few.allocated()), (3, 0));
        assert!(few.take().is_ok_and(|frame| frame.is_some()));
        assert_eq!(few.total, 3, "what is there is used");
    }

    #[test]
    fn no_number_of_frames_is_no_limit() {
        let mut any = frames(0, 1000, PoolType::PAGED_POOL);
        let taken: std::collections::HashSet<_> = (0..1000).map(|_| any.take().expect("memory")).collect();
        assert_eq!((taken.len(), any.allocated(), taken.contains(&None)), (1000, 1000, false));
    }

    #[test]
    fn memory_that_is_counted_ends_and_comes_back() {
        let memory = FrameMemory::limited(3 << 20);
        let framing = KsAllocatorFraming { frames: 8, frame_size: 1 << 20, ..Default::default() };
        let mut few = Frames::new(framing, memory.clone()).expect("memory");
        let taken: Vec<_> = (0..3).map(|_| few.take().expect("memory").expect("a frame")).collect();
        assert_eq!(few.take(), Err(NtStatus::STATUS_INSUFFICIENT_RESOURCES));
        assert_eq!(Frames::new(framing, memory.clone()).err(), Some(NtStatus::STATUS_INSUFFICIENT_RESOURCES));
        few.give_back(taken[0]);
        assert_eq!(few.take(), Ok(Some(taken[0])), "what is there is used");
        drop(few);
        Frames::new(framing, memory).expect("it came back");
    }

    #[test]
    fn what_cannot_be_locked_is_said_to_be_simulated() {
        assert!(frames(2, 4096, PoolType::PAGED_POOL).as_promised());
        let large = frames(1, (LOCKED_POOL_BYTES + 1) as u32, PoolType::NON_PAGED_POOL);
        assert!(!large.as_promised());
    }
}
