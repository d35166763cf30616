//! Frames of a shared pool, as their holder has them.

#![allow(unsafe_code)]

use super::super::header::FrameHeader;
use super::participant::Shared;
use super::racing;
use super::view::{Access, FrameView};
use super::word::{Holder, Word};
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A holder's claim on a frame; ends when dropped.
pub(super) struct Claim {
    shared: Arc<Shared>,
    frame: u32,
    holder: Holder,
    /// It was passed on, and is not this one's to end.
    passed_on: bool,
}

impl Claim {
    /// The holder has it, and the frame is one of the pool's.
    #[inline]
    pub(super) fn new(shared: Arc<Shared>, frame: u32, holder: Holder) -> Self {
        Claim { shared, frame, holder, passed_on: false }
    }

    #[inline]
    fn view(&self) -> &FrameView {
        // There: a claim is on one of the pool's frames, and they are all mapped.
        self.shared.memory.frame(self.frame).expect("a frame of this pool")
    }

    #[inline]
    pub(super) fn frame(&self) -> u32 {
        self.frame
    }

    /// It is a claim of this holder's on a frame of this pool.
    #[inline]
    pub(super) fn is_of(&self, shared: &Arc<Shared>, holder: Holder) -> bool {
        Arc::ptr_eq(&self.shared, shared) && self.holder == holder
    }

    #[inline]
    pub(super) fn pass_on(mut self) {
        self.passed_on = true;
    }
}

impl Drop for Claim {
    #[inline]
    fn drop(&mut self) {
        if !self.passed_on {
            self.shared.control.give_back(self.frame, self.holder);
        }
    }
}

/// What a [`Sender`](super::Sender) hands over: a [`WritableFrame`] or a [`ReceivedFrame`].
pub trait Held: private::Held {}

impl Held for WritableFrame {}
impl Held for ReceivedFrame {}

pub(super) mod private {
    use super::{Claim, FrameHeader};

    /// Only this crate's frames.
    pub trait Held: Sized {
        #[expect(private_interfaces, reason = "the trait cannot be named outside")]
        fn claim(&self) -> &Claim;
        #[expect(private_interfaces, reason = "the trait cannot be named outside")]
        fn into_claim(self) -> Claim;
        fn travels_with(&self) -> &FrameHeader;
    }
}

macro_rules! held {
    ($frame:ty) => {
        impl private::Held for $frame {
            #[expect(private_interfaces, reason = "the trait cannot be named outside")]
            #[inline]
            fn claim(&self) -> &Claim {
                &self.claim
            }

            #[expect(private_interfaces, reason = "the trait cannot be named outside")]
            #[inline]
            fn into_claim(self) -> Claim {
                self.claim
            }

            #[inline]
            fn travels_with(&self) -> &FrameHeader {
                &self.header
            }
        }

        impl $frame {
            /// Which holder of this process has it.
            pub fn holder(&self) -> Holder {
                self.claim.holder
            }

            /// What travels with the frame.
            pub fn header(&self) -> FrameHeader {
                self.header
            }

            /// Sets what travels on with the frame when it is handed over.
            pub fn set_header(&mut self, header: FrameHeader) {
                self.header = header;
            }
        }

        impl Deref for $frame {
            type Target = FrameView;

            #[inline]
            fn deref(&self) -> &FrameView {
                self.claim.view()
            }
        }

        impl fmt::Debug for $frame {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($frame))
                    .field("index", &self.index())
                    .field("holder", &self.claim.holder)
                    .field("header", &self.header)
                    .finish()
            }
        }
    };
}

/// A frame that is one holder's alone, to write and to read. Dropping it gives it back to the pool, from any thread, also
/// after the server has ended.
///
/// Its bytes are what the last writer left there; the header is the default one.
pub struct WritableFrame {
    claim: Claim,
    header: FrameHeader,
}

// SAFETY: a claim is an index and a process-wide mapping, neither of a thread; giving it back is for any.
unsafe impl Send for WritableFrame {}
// SAFETY: a shared reference only lets bytes be copied out, and reads a header.
unsafe impl Sync for WritableFrame {}

held!(WritableFrame);

impl WritableFrame {
    /// The memory is mapped to be written, and the holder is the only one.
    #[inline]
    pub(super) fn new(claim: Claim) -> Self {
        WritableFrame { claim, header: FrameHeader::default() }
    }

    /// The frame's first byte, to write.
    #[inline]
    pub fn as_mut_ptr(&mut self) -> *mut u8 {
        self.claim.view().start().as_ptr()
    }

    /// Copies bytes into the frame, from an offset on: as many as there is room for. Returns how many.
    pub fn copy_from(&mut self, offset: usize, from: &[u8]) -> usize {
        let count = from.len().min(self.len().saturating_sub(offset));
        if count != 0 {
            // SAFETY: `offset + count` is at most the frame's length, and the memory is mapped to be written while the claim
            // is there; `from` is not in it, because no slice of it is lent while this is borrowed exclusively.
            unsafe { racing::copy_in(from.as_ptr(), self.as_mut_ptr().add(offset), count) }
        }
        count
    }

    /// Sets every byte of the frame.
    pub fn fill(&mut self, byte: u8) {
        let length = self.len();
        // SAFETY: the frame is this long and mapped to be written.
        unsafe { racing::fill(self.as_mut_ptr(), byte, length) }
    }

    /// The frame's bytes as a slice to write, without a copy.
    ///
    /// # Safety
    /// While the slice is there, no other process writes to the frame or reads it. That is so where all who map the memory
    /// keep to the protocol: this holder is the frame's only one.
    #[inline]
    pub unsafe fn bytes_mut(&mut self) -> &mut [u8] {
        let length = self.len();
        // SAFETY: mapped to be written for as long as the claim, this long, initialised, and borrowed exclusively here; the
        // rest is the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.as_mut_ptr(), length) }
    }
}

/// A frame that was sent to an in pin: to be read, and given back by dropping it, from any thread, also after the server has
/// ended; or to be handed on.
pub struct ReceivedFrame {
    claim: Claim,
    header: FrameHeader,
}

// SAFETY: as for `WritableFrame`.
unsafe impl Send for ReceivedFrame {}
// SAFETY: as for `WritableFrame`.
unsafe impl Sync for ReceivedFrame {}

held!(ReceivedFrame);

impl ReceivedFrame {
    #[inline]
    pub(super) fn new(claim: Claim, header: FrameHeader) -> Self {
        ReceivedFrame { claim, header }
    }

    /// Bytes that carry data, by the header, and never more than there are.
    pub fn data_len(&self) -> usize {
        usize::try_from(self.header.data_used).map_or(self.len(), |used| used.min(self.len()))
    }

    /// The frame for this holder alone, to be changed in place, if nobody else holds it and the memory is mapped to be
    /// written. Nobody can come to hold it meanwhile, but who hands it on.
    ///
    /// # Errors
    /// The frame as it was.
    pub fn try_into_writable(self) -> Result<WritableFrame, ReceivedFrame> {
        // Acquire: what others did to it before they gave it back is done.
        let word = Word(self.claim.shared.control.word(self.claim.frame).load(Ordering::Acquire));
        if word.holders() == self.claim.holder.bit() && self.claim.shared.memory.access() == Access::Write {
            Ok(WritableFrame { claim: self.claim, header: self.header })
        } else {
            Err(self)
        }
    }
}
