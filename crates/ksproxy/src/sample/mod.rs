//! Media samples: `IMediaSample2` over a frame of the engine's pool.
//!
//! Samples are made at Commit and kept by their allocator until it is destroyed, so that `GetBuffer` allocates nothing
//! and a stale `Release` finds a count of 0. Their `IUnknown` is written by hand under the vtable of
//! [`IMediaSample2`], because a sample's last `Release` does not free it but sends it home.
//!
//! A sample holds no reference to its allocator: while one is out, the allocator's reference to itself keeps both
//! alive (statements 19 to 21).

mod attributes;
mod media_type;
mod properties;
mod slab;
mod vtable;

pub(crate) use attributes::Attributes;
pub(crate) use media_type::MediaType;
pub(crate) use slab::{Slabs, Whose};

use crate::allocator::AllocatorObject_Impl;
use crate::hresult::*;
use crate::interfaces::{IMediaSample, IMediaSample2_Vtbl};
use crate::lock::{Lock, lock};
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, Ordering};
use kspipe::allocator::RawFrame;
use windows_core::{HRESULT, Interface};

/// A media sample. Its address is its interface pointer.
#[repr(C)]
pub(crate) struct Sample {
    /// First, as COM has it.
    vtable: &'static IMediaSample2_Vtbl,
    /// 0: at home.
    references: AtomicU32,
    /// The allocator; alive while the sample is out.
    owner: NonNull<AllocatorObject_Impl>,
    contents: Lock<Contents>,
}

/// What a sample is about at the moment.
#[derive(Default)]
struct Contents {
    /// The frame; `None` at home.
    frame: Option<RawFrame>,
    /// Where its bytes begin, behind the prefix.
    address: usize,
    /// How many there are. 0 until the sample is first used after a Commit.
    size: i32,
    attributes: Attributes,
}

impl Sample {
    /// A sample at home.
    fn new(owner: NonNull<AllocatorObject_Impl>) -> Self {
        Self { vtable: &vtable::VTABLE, references: AtomicU32::new(0), owner, contents: Lock::default() }
    }

    /// Sends the sample out with a frame and one reference, which is the caller's.
    ///
    /// The caller has just acquired the frame with this sample's number, so nobody else has the sample.
    pub(crate) fn issue(&self, frame: RawFrame, size: i32) -> IMediaSample {
        let mut contents = lock(&self.contents);
        if contents.size != size {
            contents.size = size;
            contents.attributes.actual_length = size;
        }
        contents.address = frame.address();
        contents.frame = Some(frame);
        drop(contents);
        self.references.store(1, Ordering::Release);
        let this: *const Self = self;
        // SAFETY: `repr(C)` with a vtable of IMediaSample2 first is an IMediaSample; the reference counted above goes
        // to the caller.
        unsafe { IMediaSample::from_raw(this.cast_mut().cast()) }
    }

    /// Makes the next use of the sample the first one after a Commit: its length will be its size (statement 89).
    fn renew(&self) {
        lock(&self.contents).size = 0;
    }

    /// One more reference; the new count.
    ///
    /// At home there is nothing to refer to: 0, and nothing changes. At the far end the count stays, so that it never
    /// wraps to a number that frees a sample in use.
    fn add_reference(&self) -> u32 {
        let more = |count: u32| if count == 0 { None } else { count.checked_add(1) };
        match self.references.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more) {
            Ok(count) => count + 1,
            Err(count) => count,
        }
    }

    /// One reference less; the new count. At 0 the sample goes home, and may not be touched after that: its allocator
    /// and with it the sample itself may be gone. That is why this takes a pointer and no reference.
    ///
    /// # Safety
    /// A sample, there at least until its last reference is given up.
    unsafe fn release(this: NonNull<Self>) -> u32 {
        let less = |count: u32| count.checked_sub(1);
        // SAFETY: there, as the caller promises.
        let references = unsafe { &(*this.as_ptr()).references };
        match references.fetch_update(Ordering::AcqRel, Ordering::Acquire, less) {
            Ok(1) => {
                // SAFETY: the last reference was taken away just now, here.
                unsafe { Self::go_home(this) };
                0
            }
            Ok(count) => count - 1,
            Err(_) => 0,
        }
    }

    /// `ReleaseBuffer`, called by a client instead of `Release`: gives up the only reference. `false`, and nothing is
    /// changed, where the sample is at home or somebody else refers to it too.
    ///
    /// # Safety
    /// As for [`Self::release`].
    pub(crate) unsafe fn release_only_reference(this: NonNull<Self>) -> bool {
        // SAFETY: there, as the caller promises.
        let references = unsafe { &(*this.as_ptr()).references };
        let only = references.compare_exchange(1, 0, Ordering::AcqRel, Ordering::Acquire).is_ok();
        if only {
            // SAFETY: the last reference was taken away just now, here.
            unsafe { Self::go_home(this) };
        }
        only
    }

    /// Clears the sample and gives its frame back. Called once per life, by who took the last reference away.
    ///
    /// # Safety
    /// The last reference is gone, and the frame is not home yet, so the allocator refers to itself and is alive.
    unsafe fn go_home(this: NonNull<Self>) {
        // SAFETY: its allocator is alive, and so it is.
        let (contents, owner) = unsafe { (&(*this.as_ptr()).contents, (*this.as_ptr()).owner) };
        let mut contents = lock(contents);
        let frame = contents.frame.take();
        let media_type = contents.attributes.recycle();
        drop(contents);
        drop(media_type);
        if let Some(frame) = frame {
            // SAFETY: alive, as above; nothing of the sample is used after this, and no reference to it is left.
            unsafe { AllocatorObject_Impl::take_home(owner, frame) };
        }
    }

    /// The attributes and the size, under the sample's lock. Nothing foreign may be called in `body`.
    fn with<T>(&self, body: impl FnOnce(&mut Attributes, i32) -> T) -> T {
        let contents = &mut *lock(&self.contents);
        body(&mut contents.attributes, contents.size)
    }

    /// Where the bytes begin, and how many there are.
    fn buffer(&self) -> (usize, i32) {
        let contents = lock(&self.contents);
        (contents.address, contents.size)
    }

    /// `SetMediaType`, the copy having been made.
    fn set_media_type(&self, copy: Result<Option<MediaType>, HRESULT>) -> HRESULT {
        let (media_type, answer) = match copy {
            Ok(media_type) => (media_type, S_OK),
            Err(error) => (None, error),
        };
        let old = self.with(|attributes, _| attributes.set_media_type(media_type.map(std::sync::Arc::new)));
        drop(old);
        answer
    }
}
