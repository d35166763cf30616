//! The memory of the frames as one process maps it.

#![allow(unsafe_code)]

use super::super::memory::Memory;
use super::super::properties::CommitError;
use super::files::{self, DescriptorError};
use super::properties::{SharedPoolProperties, WrittenBy};
use super::racing;
use super::reader::{FrameBlocks, FrameReader};
use std::fmt;
use std::ops::RangeBounds;
use std::os::fd::OwnedFd;
use std::ptr::NonNull;
use std::sync::Arc;

/// How a process maps the frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// To be read. A write through the mapping kills the process.
    Read,
    /// To be read and written.
    Write,
}

/// Why frames cannot be mapped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MapError {
    /// Not as many files as there should be.
    #[error("{expected} files of frames were expected, and there are {found}")]
    Files {
        /// How many there should be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A file is not what it should be.
    #[error("file {file} of the frames: {error}")]
    Descriptor {
        /// Which, from 0.
        file: usize,
        /// What is wrong.
        error: DescriptorError,
    },
    /// The file can only be mapped to be read.
    #[error("file {file} of the frames cannot be mapped to be written")]
    ReadOnly {
        /// Which, from 0.
        file: usize,
    },
    /// The alignment is not a power of two.
    #[error("an alignment of {0} bytes is not a power of two")]
    Alignment(u64),
    /// Sizes that are not set or too large, or the system gives no memory.
    #[error(transparent)]
    Memory(#[from] CommitError),
}

/// The frames of a shared pool, mapped. For a process that does not map the control words, too: who tells it which frame is
/// its own is not the concern here.
pub struct FrameMemory {
    views: Vec<FrameView>,
    access: Access,
    /// Keeps what the views point into.
    #[expect(dead_code, reason = "held for its drop")]
    files: Vec<Memory>,
}

// SAFETY: the memories only give out addresses, and what is done through views is their callers' promise or a copy.
unsafe impl Sync for FrameMemory {}
// SAFETY: as above; nothing here belongs to a thread.
unsafe impl Send for FrameMemory {}

impl FrameMemory {
    /// Maps the frames' files, received from whoever has the pool: one of all frames, or one for each where they are
    /// [isolated](SharedPoolProperties::isolate). Of the properties `frames` and `isolate` count. A mapping for
    /// [`Access::Read`] is enough for who is sent frames.
    ///
    /// The files may come from anybody: nothing in them can make this process fault or fail later. What the *bytes* of the
    /// frames say is whatever their writers say, and may change while it is read where those break the rules.
    ///
    /// # Errors
    /// Files that are not sealed `memfd`s of exactly the length the properties give, or not to be mapped like this.
    pub fn open(files: Vec<OwnedFd>, properties: &SharedPoolProperties, access: Access) -> Result<Self, MapError> {
        if !properties.frames.alignment.is_power_of_two() {
            return Err(MapError::Alignment(properties.frames.alignment));
        }
        let layout = properties.file_layout()?;
        let expected = if properties.isolate { properties.frames.frames as usize } else { 1 };
        if files.len() != expected {
            return Err(MapError::Files { expected, found: files.len() });
        }
        for (file, descriptor) in files.iter().enumerate() {
            let writable = files::examine_length(descriptor, layout.bytes as u64)
                .map_err(|error| MapError::Descriptor { file, error })?;
            if access == Access::Write && !writable {
                return Err(MapError::ReadOnly { file });
            }
        }
        Self::map(files.into_iter().map(Arc::new).collect(), properties, access)
    }

    /// New files for the frames, mapped to be written, then sealed.
    pub(super) fn create(properties: &SharedPoolProperties) -> Result<(Self, Vec<Arc<OwnedFd>>), CommitError> {
        let layout = properties.file_layout()?;
        let failed = |errno: rustix::io::Errno| CommitError::OutOfMemory {
            bytes: layout.bytes as u64,
            errno: Some(errno.raw_os_error()),
        };
        let count = if properties.isolate { properties.frames.frames } else { 1 };
        let make = || files::create(c"kspipe frames", layout.bytes as u64).map(Arc::new);
        let made = (0..count).map(|_| make()).collect::<rustix::io::Result<Vec<_>>>().map_err(failed)?;
        let memory = match Self::map(made.clone(), properties, Access::Write) {
            Ok(memory) => memory,
            Err(MapError::Memory(error)) => return Err(error),
            Err(_) => return Err(failed(rustix::io::Errno::INVAL)),
        };
        let future_write = properties.written_by == WrittenBy::Creator;
        made.iter().try_for_each(|file| files::seal(file, future_write)).map_err(failed)?;
        Ok((memory, made))
    }

    fn map(files: Vec<Arc<OwnedFd>>, properties: &SharedPoolProperties, access: Access) -> Result<Self, MapError> {
        let layout = properties.file_layout()?;
        let writable = access == Access::Write;
        let of_file = |file| Memory::of_file(file, layout, writable, properties.prefault);
        let files = files.into_iter().map(of_file).collect::<Result<Vec<_>, _>>()?;
        let in_each = if properties.isolate { 1 } else { properties.frames.frames as usize };
        let place = |(index, frame): (u32, (&Memory, usize))| {
            let (memory, nth) = frame;
            // SAFETY: the file's layout has this many slots, and prefix and frame lie in theirs.
            let start = unsafe { memory.base().add(nth * layout.slot + layout.prefix) };
            FrameView { start, length: layout.size, prefix: layout.prefix, index }
        };
        let slots = files.iter().flat_map(|memory| (0..in_each).map(move |nth| (memory, nth)));
        let views = (0..).zip(slots).map(place).collect();
        Ok(FrameMemory { views, access, files })
    }

    /// A frame by its index. `None` past the last.
    #[inline]
    pub fn frame(&self, index: u32) -> Option<&FrameView> {
        self.views.get(index as usize)
    }

    /// How it is mapped.
    pub fn access(&self) -> Access {
        self.access
    }
}

impl fmt::Debug for FrameMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrameMemory").field("frames", &self.views.len()).field("access", &self.access).finish()
    }
}

/// A frame's bytes in this process's address space. Other processes map the same bytes, so they are never lent as a Rust
/// reference except by a promise: they are copied out, or reached by address.
pub struct FrameView {
    start: NonNull<u8>,
    length: usize,
    prefix: usize,
    index: u32,
}

impl FrameView {
    /// The frame's place in its pool, from 0.
    #[inline]
    pub fn index(&self) -> u32 {
        self.index
    }

    /// Bytes of the frame, without its prefix.
    #[inline]
    #[expect(clippy::len_without_is_empty, reason = "a frame has at least one byte")]
    pub fn len(&self) -> usize {
        self.length
    }

    /// The frame's first byte, behind its prefix.
    #[inline]
    pub fn as_ptr(&self) -> *const u8 {
        self.start.as_ptr()
    }

    /// The bytes before the frame (`cbPrefix`): the first, and how many.
    pub fn prefix(&self) -> (*const u8, usize) {
        // SAFETY: the slot starts so many bytes before the frame.
        (unsafe { self.start.as_ptr().sub(self.prefix) }, self.prefix)
    }

    /// Reads bytes of the frame in order, for everything that takes slices or reads: in copies of 4 KiB, which stay in the
    /// processor's nearest cache. What of the range is past the frame's end is left out.
    ///
    /// ```
    /// # use kspipe::allocator::shared::ReceivedFrame;
    /// fn is_black(picture: &ReceivedFrame) -> bool {
    ///     let mut reader = picture.reader(..picture.data_len());
    ///     while let Some(piece) = reader.next_piece() {
    ///         if piece.iter().any(|byte| *byte != 0) {
    ///             return false;
    ///         }
    ///     }
    ///     true
    /// }
    /// ```
    pub fn reader(&self, range: impl RangeBounds<usize>) -> FrameReader<'_> {
        FrameReader::new(self, range)
    }

    /// The frame's bytes in blocks of 64, for loops: each is read where it lies, into registers, so that nothing is
    /// copied where what is made of it stays there, too. On `x86_64` as fast as a slice, without its promise. What of
    /// the range is past the frame's end is left out, and so are the bytes at its end that fill no block: they are for
    /// a [`reader`](Self::reader).
    ///
    /// ```
    /// # use kspipe::allocator::shared::ReceivedFrame;
    /// fn parity(frame: &ReceivedFrame) -> u64 {
    ///     let words = |block: [u8; 64]| block.as_chunks().0.iter().fold(0, |all, word| all ^ u64::from_le_bytes(*word));
    ///     frame.blocks(..frame.data_len()).fold(0, |all, block| all ^ words(block))
    /// }
    /// ```
    pub fn blocks(&self, range: impl RangeBounds<usize>) -> FrameBlocks<'_> {
        FrameBlocks::new(self, range)
    }

    /// A block of the frame, from an offset on.
    #[inline]
    pub(super) fn block(&self, offset: usize) -> [u8; racing::BLOCK] {
        assert!(self.length >= racing::BLOCK && offset <= self.length - racing::BLOCK, "a block of this frame");
        // SAFETY: the frame has as many bytes there, and stays mapped while `self` is there. Others may write meanwhile.
        unsafe { racing::block(self.start.as_ptr().add(offset)) }
    }

    /// Copies bytes of the frame out, from an offset on: as many as fit into `to` and are there. Returns how many. Who wants
    /// to look at the bytes, and not to keep them, is faster with a [`reader`](Self::reader) or [`blocks`](Self::blocks).
    #[inline]
    pub fn copy_to(&self, offset: usize, to: &mut [u8]) -> usize {
        let count = to.len().min(self.length.saturating_sub(offset));
        if count != 0 {
            // SAFETY: `offset + count` is at most the frame's length, the frame stays mapped while `self` is there, and
            // `to` is this process's own. A process that breaks the rules may write meanwhile.
            unsafe { racing::copy_out(self.start.as_ptr().add(offset), to.as_mut_ptr(), count) }
        }
        count
    }

    /// The frame's bytes as a slice, without a copy.
    ///
    /// # Safety
    /// While the slice is there, no process writes to the frame. A holder that was *sent* the frame may rely on that where
    /// all who map the memory to be written are trusted to keep to the protocol, or nobody can write any more
    /// ([`WrittenBy::Creator`]); a process that writes after it handed over makes this undefined behaviour.
    #[inline]
    pub unsafe fn bytes(&self) -> &[u8] {
        // SAFETY: mapped for as long as `self`, this long and initialised; the rest is the caller's promise.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }

    /// Of memory that is no pool's, which stays there meanwhile.
    #[cfg(test)]
    pub(super) fn of(memory: &mut [u8]) -> Self {
        FrameView { start: NonNull::from(&mut *memory).cast(), length: memory.len(), prefix: 0, index: 0 }
    }

    #[inline]
    pub(super) fn start(&self) -> NonNull<u8> {
        self.start
    }
}

impl fmt::Debug for FrameView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrameView").field("index", &self.index).field("len", &self.length).finish_non_exhaustive()
    }
}
