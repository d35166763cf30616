//! The control words: one [`Cell`] a frame, on cache lines of its own, and the [`Table`] of them.

#![allow(unsafe_code)]

use super::header::FrameHeader;
use super::memory::Memory;
use super::pool::Pool;
use super::properties::Layout;
use super::sync::{AtomicU64, Ordering, UnsafeCell};
use super::word::Word;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64 as Counter};

/// What the pool knows of one frame. Two cache lines, because processors fetch them in pairs: what one thread does with
/// a frame does not slow down another with the next.
#[repr(align(128))]
pub(super) struct Cell {
    /// The state word. Nothing else says who owns the frame.
    word: AtomicU64,
    /// How often the frame was acquired. Written by its holder only, so that counting needs no read-modify-write.
    acquires: Counter,
    /// While the frame is shared: how many `SharedFrame`s there are. Not used while one `Frame` has it.
    pub(super) claims: AtomicU64,
    /// What travels with the frame, and the generation it was written in. Of another generation: not written yet.
    /// Written by an exclusive holder, read by any.
    header: UnsafeCell<(u32, FrameHeader)>,
    /// Where the frame is. Written while its word is out of service (nobody has a claim, and nobody can get one), read by
    /// its holders. The word's changes order the two.
    place: UnsafeCell<Place>,
}

/// Where a frame is: all its holder needs, so that a claim is small and looks in one place.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// Whose it is. Good as long as the claim.
    pub(super) pool: NonNull<Pool>,
    /// Its place in its table.
    pub(super) index: u32,
    /// The first byte of its prefix.
    pub(super) start: NonNull<u8>,
    /// Bytes of its prefix; the frame follows.
    pub(super) prefix: usize,
    /// Bytes of the frame.
    pub(super) size: usize,
}

impl Cell {
    fn new(generation: u32) -> Self {
        Self {
            word: AtomicU64::new(Word::out_of_service(generation).0),
            acquires: Counter::new(0),
            claims: AtomicU64::new(0),
            // No generation has this number: they have 29 bits.
            header: UnsafeCell::new((u32::MAX, FrameHeader::default())),
            // Nowhere, and of no bytes, until it is laid out.
            place: UnsafeCell::new(Place {
                pool: NonNull::dangling(),
                index: 0,
                start: NonNull::dangling(),
                prefix: 0,
                size: 0,
            }),
        }
    }

    /// The word as it is now.
    #[inline(always)]
    pub(super) fn word(&self) -> Word {
        Word(self.word.load(Ordering::Acquire))
    }

    /// Takes the frame if it is free: the word it then has.
    #[inline(always)]
    pub(super) fn take(&self) -> Option<Word> {
        let word = Word(self.word.load(Ordering::Relaxed));
        if !word.is_free() {
            return None;
        }
        // Acquire: what the last holder did to the frame, and what the commit laid out, is done.
        match self.word.compare_exchange(word.0, word.taken().0, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => {
                self.acquired();
                Some(word.taken())
            }
            Err(_) => None,
        }
    }

    /// Counts an acquisition. Only for the holder.
    #[inline(always)]
    pub(super) fn acquired(&self) {
        self.acquires.store(self.acquires.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    /// How often the frame was acquired.
    pub(super) fn acquires(&self) -> u64 {
        self.acquires.load(Ordering::Relaxed)
    }

    /// Gives the frame home, if nobody asked for attention. When this says so, the caller has no claim any more, and
    /// must not touch the cell or its pool again: they may be gone. That is why this takes a pointer: a reference to the
    /// cell would promise that it is there until the end; one to an atomic, as in `Arc`, promises no such thing.
    ///
    /// # Safety
    /// The caller has the only claim on the frame, of this generation.
    #[inline(always)]
    pub(super) unsafe fn give_back(cell: NonNull<Cell>, generation: u32) -> bool {
        let held = Word::held(generation);
        // SAFETY: the claim keeps the cell there.
        let word = unsafe { &(*cell.as_ptr()).word };
        // Release: what the holder did to the frame is done before anybody else takes it.
        word.compare_exchange(held.0, held.freed().0, Ordering::Release, Ordering::Relaxed).is_ok()
    }

    /// Changes the word by `change`, again if another changed it meanwhile; `None` leaves it. Gives what it was, in
    /// `Err` where it was left.
    pub(super) fn change(&self, change: impl Fn(Word) -> Option<Word>) -> Result<Word, Word> {
        self.word
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |word| change(Word(word)).map(|word| word.0))
            .map(Word)
            .map_err(Word)
    }

    /// Where the frame is.
    ///
    /// # Safety
    /// The caller has a claim on the frame.
    #[inline(always)]
    pub(super) unsafe fn place(&self) -> Place {
        // SAFETY: nobody writes while anybody has a claim.
        self.place.with(|place| unsafe { *place })
    }

    /// Says where the frame is.
    ///
    /// # Safety
    /// The word is out of service, and stays so until this returns.
    pub(super) unsafe fn lay_out(&self, new: Place) {
        // SAFETY: nobody has a claim and nobody can get one, so nobody reads.
        self.place.with_mut(|place| unsafe { *place = new });
    }

    /// The header of this generation.
    ///
    /// # Safety
    /// The caller has a claim on the frame, and nobody writes the header meanwhile.
    pub(super) unsafe fn header(&self, generation: u32) -> FrameHeader {
        // SAFETY: nobody writes, as the caller promises.
        let (written, header) = self.header.with(|header| unsafe { *header });
        if written == generation { header } else { FrameHeader::default() }
    }

    /// Sets the header of this generation.
    ///
    /// # Safety
    /// The caller has the only claim on the frame.
    pub(super) unsafe fn set_header(&self, generation: u32, new: FrameHeader) {
        // SAFETY: nobody else reads or writes, as the caller promises.
        self.header.with_mut(|header| unsafe { *header = (generation, new) });
    }
}

/// The cells of a pool.
///
/// A table is never freed before its pool: whoever searches for a frame has looked up the table before, and may come
/// back to it after any time. It then finds every word out of service, and looks up the table again. A pool that is
/// committed with more frames than its table holds gets one at least twice as large, so that all its tables together
/// are smaller than two of the last.
pub(super) struct Table {
    cells: Box<[Cell]>,
    /// How many cells are in use. Those beyond are out of service.
    frames: AtomicU32,
}

// SAFETY: atomics, but for the header and the place, whose functions state who may call them. The addresses in the place
// are plain data here.
unsafe impl Send for Cell {}
// SAFETY: see above.
unsafe impl Sync for Cell {}

impl Table {
    /// A table with room for no frame.
    pub(super) fn empty() -> Self {
        Self { cells: Box::default(), frames: AtomicU32::new(0) }
    }

    /// A larger table, with room for this many frames, all out of service; `None` without memory for it. Generations go
    /// on from those of the table before, all of whose frames are out of service too, so that no use of a frame is ever
    /// mistaken for another.
    pub(super) fn grown(&self, capacity: u32) -> Option<Self> {
        let mut cells = Vec::new();
        cells.try_reserve_exact(usize::try_from(capacity).ok()?).ok()?;
        cells.extend((0..capacity).map(|index| Cell::new(self.cell(index).map_or(0, |cell| cell.word().generation()))));
        Some(Self { cells: cells.into_boxed_slice(), frames: AtomicU32::new(0) })
    }

    /// The memory it takes.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.cells)
    }

    /// How often its frames were acquired.
    pub(super) fn acquires(&self) -> u64 {
        self.cells.iter().fold(0, |sum, cell| sum.wrapping_add(cell.acquires()))
    }

    /// How many frames it has room for.
    pub(super) fn capacity(&self) -> usize {
        self.cells.len()
    }

    /// The cells in use.
    pub(super) fn cells(&self) -> &[Cell] {
        let frames = self.frames.load(Ordering::Relaxed) as usize;
        // `lay_out` keeps the number within the capacity.
        self.cells.get(..frames).unwrap_or(&self.cells)
    }

    /// One cell, in use or not.
    #[inline(always)]
    pub(super) fn cell(&self, index: u32) -> Option<&Cell> {
        self.cells.get(index as usize)
    }

    /// Says where the frames of a pool are, in this memory, and how many there are.
    ///
    /// # Safety
    /// Every word of the table is out of service, and stays so until this returns. The memory is of this layout, and
    /// there as long as any claim on a frame.
    pub(super) unsafe fn lay_out(&self, pool: NonNull<Pool>, frames: u32, memory: &Memory, layout: Layout) {
        debug_assert!(frames as usize <= self.cells.len());
        self.frames.store(frames, Ordering::Relaxed);
        for (index, cell) in (0..frames).zip(&self.cells) {
            // SAFETY: the memory has a slot for every index.
            let start = unsafe { memory.base().add(index as usize * layout.slot) };
            // SAFETY: as the caller promises.
            unsafe { cell.lay_out(Place { pool, index, start, prefix: layout.prefix, size: layout.size }) };
        }
    }
}
