//! Frames: a claim on one, alone or shared, and what the claim lets its holder do.

#![allow(unsafe_code)]

use super::header::FrameHeader;
use super::pool::Pool;
use super::sync::Ordering;
use super::table::{Cell, Place};
use std::fmt;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

/// A claim on a frame. Plain data: what it means, and that it is given back once, is for its owners to see to.
///
/// The cell, its pool and its memory are there as long as the claim is: see [`pool`](super::pool).
pub(super) struct Claim {
    pub(super) cell: NonNull<Cell>,
    pub(super) generation: u32,
}

impl Claim {
    #[inline(always)]
    pub(super) fn new(cell: &Cell, generation: u32) -> Self {
        Self { cell: NonNull::from(cell), generation }
    }

    #[inline(always)]
    fn cell(&self) -> &Cell {
        // SAFETY: there as long as the claim.
        unsafe { self.cell.as_ref() }
    }

    #[inline(always)]
    pub(super) fn place(&self) -> Place {
        // SAFETY: this is a claim.
        unsafe { self.cell().place() }
    }

    /// The frame's first byte, and how many there are.
    #[inline(always)]
    fn frame(&self) -> (NonNull<u8>, usize) {
        let place = self.place();
        // SAFETY: a slot is at least prefix and size long.
        (unsafe { place.start.add(place.prefix) }, place.size)
    }

    /// The first byte of the frame's prefix, and how many there are.
    #[inline(always)]
    fn prefix(&self) -> (NonNull<u8>, usize) {
        let place = self.place();
        (place.start, place.prefix)
    }

    #[inline(always)]
    fn bytes(&self) -> &[u8] {
        let (start, length) = self.frame();
        // SAFETY: these bytes were zeroed when they were made, are there while the claim is, and are this frame's alone;
        // nobody writes while the claim's owner lends them (it is the only claim, or all are shared and read-only).
        unsafe { std::slice::from_raw_parts(start.as_ptr(), length) }
    }

    fn header(&self) -> FrameHeader {
        // SAFETY: a header is written with `&mut Frame` only: by the only claim.
        unsafe { self.cell().header(self.generation) }
    }
}

/// A frame that is the holder's alone, to write and to read: `size` bytes. Dropping it gives it back to its allocator,
/// from any thread, also after the allocator was decommitted or dropped.
///
/// Fresh memory is zero; a frame that was used before has its old contents, and a default [`FrameHeader`].
pub struct Frame(Claim);

// SAFETY: a `Frame` is the only claim on its memory, wherever it goes, and giving it back is for any thread.
unsafe impl Send for Frame {}
// SAFETY: a shared `Frame` only lets its memory and header be read.
unsafe impl Sync for Frame {}

impl Frame {
    #[inline(always)]
    pub(super) fn new(claim: Claim) -> Self {
        Self(claim)
    }

    /// The frame's place in its allocator, from 0.
    pub fn index(&self) -> u32 {
        self.0.place().index
    }

    /// How often the frame has come home before: with the index, this names one use of one frame. 29 bits, wraps.
    pub fn generation(&self) -> u32 {
        self.0.generation
    }

    /// The bytes before the frame, which a filter may keep for itself (`cbPrefix`); the alignment is theirs.
    pub fn prefix(&self) -> &[u8] {
        let (start, length) = self.0.prefix();
        // SAFETY: as for `Claim::bytes`.
        unsafe { std::slice::from_raw_parts(start.as_ptr(), length) }
    }

    /// The bytes before the frame, to write.
    pub fn prefix_mut(&mut self) -> &mut [u8] {
        let (start, length) = self.0.prefix();
        // SAFETY: as for `Claim::bytes`; this is the only claim, and it is borrowed exclusively.
        unsafe { std::slice::from_raw_parts_mut(start.as_ptr(), length) }
    }

    /// What travels with the frame.
    pub fn header(&self) -> FrameHeader {
        self.0.header()
    }

    /// Sets what travels with the frame.
    pub fn set_header(&mut self, header: FrameHeader) {
        // SAFETY: this is the only claim, and it is borrowed exclusively.
        unsafe { self.0.cell().set_header(self.0.generation, header) }
    }

    /// The bytes the header says carry data, or all where it says more.
    pub fn data(&self) -> &[u8] {
        used(self, self.header())
    }

    /// Makes the frame shared and read-only.
    pub fn share(self) -> SharedFrame {
        // Relaxed: whatever brings a claim to another thread orders this before.
        self.0.cell().claims.store(1, Ordering::Relaxed);
        SharedFrame(self.into_claim())
    }

    /// Makes the claim plain data, for what cannot hold a `Frame`: a handle, a COM object. The frame stays out until
    /// [`Allocator::reclaim`](super::Allocator::reclaim) makes a `Frame` of it again; with the last `Allocator` dropped
    /// before, it stays out for ever.
    pub fn into_raw(self) -> RawFrame {
        let (start, size) = self.0.frame();
        let Place { pool, index, .. } = self.0.place();
        // Nobody else holds the frame, so there is nothing to check but what is passed over: marks.
        let _ = self.0.cell().change(|word| Some(word.with_detached(true)));
        // SAFETY: there as long as the claim.
        let pool = unsafe { pool.as_ref() }.id;
        let generation = self.into_claim().generation;
        RawFrame { pool, address: start.as_ptr() as usize, size, index, generation }
    }

    /// Makes the claim a pointer, as [`Box::into_raw`] does: for a holder that keeps it in an atomic. The frame stays out,
    /// and its allocator's memory there, until [`from_ptr`](Self::from_ptr) makes a `Frame` of it again. Costs nothing,
    /// where [`into_raw`](Self::into_raw) marks the frame so that the way back can be checked.
    ///
    /// The pointer is never followed by anybody but `from_ptr`.
    #[inline]
    pub fn into_ptr(self) -> NonNull<()> {
        self.into_claim().cell.cast()
    }

    /// Makes a frame of what [`into_ptr`](Self::into_ptr) gave, also after the last `Allocator` was dropped.
    ///
    /// # Safety
    /// The pointer came from `into_ptr`, and no frame has been made of it since.
    #[inline]
    pub unsafe fn from_ptr(pointer: NonNull<()>) -> Self {
        let cell: NonNull<Cell> = pointer.cast();
        // SAFETY: the claim that `into_ptr` took was not given up since, so the cell is there.
        let generation = unsafe { cell.as_ref() }.word().generation();
        Self(Claim { cell, generation })
    }

    #[inline(always)]
    fn into_claim(self) -> Claim {
        let this = ManuallyDrop::new(self);
        // SAFETY: read once, and not dropped.
        unsafe { std::ptr::read(&this.0) }
    }
}

impl Deref for Frame {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.0.bytes()
    }
}

impl DerefMut for Frame {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        let (start, length) = self.0.frame();
        // SAFETY: as for `Claim::bytes`; this is the only claim, and it is borrowed exclusively.
        unsafe { std::slice::from_raw_parts_mut(start.as_ptr(), length) }
    }
}

impl Drop for Frame {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the claim is this frame's, and ends with it.
        unsafe { Pool::release(&self.0) }
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.describe(f, "Frame")
    }
}

/// A frame several holders read. Clones are claims on the same frame; the last one dropped gives it back.
pub struct SharedFrame(Claim);

// SAFETY: shared claims only read, and their number is atomic.
unsafe impl Send for SharedFrame {}
// SAFETY: see above.
unsafe impl Sync for SharedFrame {}

impl SharedFrame {
    /// The frame's place in its allocator, from 0.
    pub fn index(&self) -> u32 {
        self.0.place().index
    }

    /// How often the frame has come home before. See [`Frame::generation`].
    pub fn generation(&self) -> u32 {
        self.0.generation
    }

    /// The bytes before the frame.
    pub fn prefix(&self) -> &[u8] {
        let (start, length) = self.0.prefix();
        // SAFETY: as for `Claim::bytes`.
        unsafe { std::slice::from_raw_parts(start.as_ptr(), length) }
    }

    /// What travels with the frame.
    pub fn header(&self) -> FrameHeader {
        self.0.header()
    }

    /// The bytes the header says carry data, or all where it says more.
    pub fn data(&self) -> &[u8] {
        used(self, self.header())
    }

    /// The frame for this holder alone again, if no other holder is left; else it stays shared.
    ///
    /// # Errors
    /// The frame as it was, when there are other claims on it.
    pub fn try_into_exclusive(self) -> Result<Frame, SharedFrame> {
        // Acquire: what the others read, they have read. The only claim cannot be cloned meanwhile: it is here.
        if self.0.cell().claims.load(Ordering::Acquire) == 1 {
            let this = ManuallyDrop::new(self);
            // SAFETY: read once, and not dropped.
            Ok(Frame(unsafe { std::ptr::read(&this.0) }))
        } else {
            Err(self)
        }
    }
}

impl Clone for SharedFrame {
    fn clone(&self) -> Self {
        // Relaxed, as in `Arc`: whatever brings the claim to another thread orders this before. 2^64 claims cannot be.
        self.0.cell().claims.fetch_add(1, Ordering::Relaxed);
        Self(Claim { ..self.0 })
    }
}

impl Deref for SharedFrame {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.0.bytes()
    }
}

impl Drop for SharedFrame {
    fn drop(&mut self) {
        // Release: what this holder read, it has read. Acquire, in the last: so have the others. Until the last one is
        // through here the frame is held, so the cell is good for each.
        if self.0.cell().claims.fetch_sub(1, Ordering::AcqRel) == 1 {
            // SAFETY: this was the last claim of the holder's, and it ends here.
            unsafe { Pool::release(&self.0) }
        }
    }
}

impl fmt::Debug for SharedFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.describe(f, "SharedFrame")
    }
}

impl Claim {
    /// Not the bytes: there are millions.
    fn describe(&self, f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
        f.debug_struct(name)
            .field("index", &self.place().index)
            .field("generation", &self.generation)
            .field("size", &self.frame().1)
            .finish()
    }
}

/// The bytes that carry data.
fn used(bytes: &[u8], header: FrameHeader) -> &[u8] {
    let length = usize::try_from(header.data_used).unwrap_or(usize::MAX);
    bytes.get(..length).unwrap_or(bytes)
}

/// A claim on a frame as plain data: made by [`Frame::into_raw`], made a [`Frame`] again by
/// [`Allocator::reclaim`](super::Allocator::reclaim), once. It may be copied and kept: the frame's state word tells a
/// copy that is out of date. Two of the same allocator, index and generation are the same raw frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RawFrame {
    pub(super) pool: u64,
    address: usize,
    size: usize,
    pub(super) index: u32,
    pub(super) generation: u32,
}

impl RawFrame {
    /// The address of the frame's first byte, behind its prefix. Good until the frame is reclaimed.
    pub fn address(&self) -> usize {
        self.address
    }

    /// The size of the frame, in bytes.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The frame's place in its allocator, from 0.
    pub fn index(&self) -> u32 {
        self.index
    }

    /// How often the frame has come home before. See [`Frame::generation`].
    pub fn generation(&self) -> u32 {
        self.generation
    }
}
