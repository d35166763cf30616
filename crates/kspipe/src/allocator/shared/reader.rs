//! Reading a frame in order: in pieces that are copied, or in blocks that need no copy.

use super::racing::BLOCK;
use super::view::FrameView;
use std::fmt;
use std::io::{self, BufRead, Read};
use std::iter::FusedIterator;
use std::ops::{Bound, Range, RangeBounds};

/// Bytes of a piece: a page, so that a piece, what is made of it, and what is on its way stay in a processor's nearest cache
/// (32 KiB, on most). Pieces of 16 and 32 KiB took up to twice as long.
const PIECE: usize = 4096;

/// Reads a frame's bytes in order. It has a copy of a few of them, so they do not change while they are looked at.
///
/// From [`FrameView::reader`]. As a [`BufRead`] it is for everything that reads; it never fails.
pub struct FrameReader<'a> {
    frame: &'a FrameView,
    /// The frame's bytes that were not copied yet.
    next: usize,
    end: usize,
    piece: Piece,
    /// What of the piece was not read yet.
    read: usize,
    filled: usize,
}

/// At the start of a cache line.
#[repr(align(64))]
struct Piece([u8; PIECE]);

/// What of a range is in a frame: at most to its end, and not before its own start.
fn of_frame(frame: &FrameView, range: impl RangeBounds<usize>) -> Range<usize> {
    let start = match range.start_bound() {
        Bound::Included(first) => *first,
        Bound::Excluded(before) => before.saturating_add(1),
        Bound::Unbounded => 0,
    };
    let end = match range.end_bound() {
        Bound::Included(last) => last.saturating_add(1),
        Bound::Excluded(end) => *end,
        Bound::Unbounded => usize::MAX,
    };
    let start = start.min(frame.len());
    start..end.clamp(start, frame.len())
}

impl<'a> FrameReader<'a> {
    pub(super) fn new(frame: &'a FrameView, range: impl RangeBounds<usize>) -> Self {
        let Range { start: next, end } = of_frame(frame, range);
        Self { frame, next, end, piece: Piece([0; PIECE]), read: 0, filled: 0 }
    }

    /// The next bytes, at most 4096; `None` where all were read.
    #[inline]
    pub fn next_piece(&mut self) -> Option<&[u8]> {
        self.fill();
        let piece = &self.piece.0[self.read..self.filled];
        self.read = self.filled;
        (!piece.is_empty()).then_some(piece)
    }

    /// Bytes that were not read yet.
    pub fn remaining(&self) -> usize {
        self.filled - self.read + self.end - self.next
    }

    /// Sees to it that there is something to read in the piece, if there is anything at all.
    #[inline]
    fn fill(&mut self) {
        if self.read == self.filled {
            let count = PIECE.min(self.end - self.next);
            self.filled = self.frame.copy_to(self.next, &mut self.piece.0[..count]);
            self.next += self.filled;
            self.read = 0;
        }
    }
}

impl BufRead for FrameReader<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.fill();
        Ok(&self.piece.0[self.read..self.filled])
    }

    fn consume(&mut self, count: usize) {
        self.read = self.filled.min(self.read.saturating_add(count));
    }
}

impl Read for FrameReader<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        // What takes a whole piece is copied there at once.
        if self.read == self.filled && to.len() >= PIECE {
            let count = to.len().min(self.end - self.next);
            let copied = self.frame.copy_to(self.next, &mut to[..count]);
            self.next += copied;
            return Ok(copied);
        }
        self.fill();
        let count = to.len().min(self.filled - self.read);
        to[..count].copy_from_slice(&self.piece.0[self.read..self.read + count]);
        self.read += count;
        Ok(count)
    }
}

impl fmt::Debug for FrameReader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrameReader")
            .field("frame", self.frame)
            .field("remaining", &self.remaining())
            .finish_non_exhaustive()
    }
}

/// A frame's bytes in order, 64 at a time, each read once and into registers.
///
/// From [`FrameView::blocks`].
pub struct FrameBlocks<'a> {
    frame: &'a FrameView,
    next: usize,
    end: usize,
}

impl<'a> FrameBlocks<'a> {
    pub(super) fn new(frame: &'a FrameView, range: impl RangeBounds<usize>) -> Self {
        let Range { start: next, end } = of_frame(frame, range);
        Self { frame, next, end }
    }
}

impl Iterator for FrameBlocks<'_> {
    type Item = [u8; BLOCK];

    #[inline]
    fn next(&mut self) -> Option<[u8; BLOCK]> {
        (self.end - self.next >= BLOCK).then(|| {
            let block = self.frame.block(self.next);
            self.next += BLOCK;
            block
        })
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = (self.end - self.next) / BLOCK;
        (left, Some(left))
    }
}

impl ExactSizeIterator for FrameBlocks<'_> {}
impl FusedIterator for FrameBlocks<'_> {}

impl fmt::Debug for FrameBlocks<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrameBlocks").field("frame", self.frame).field("len", &self.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
