//! Media samples: `IMediaSample2` over a frame of the engine's pool.
//!
//! Samples are made at Commit and kept by their allocator until it is destroyed, so that `GetBuffer` allocates nothing
//! and a stale `Release` finds a count of 0. Their `IUnknown` is written by hand under the vtable of
//! [`IMediaSample2`], because a sample's last `Release` does not free it but sends it home.
//!
//! A sample holds no reference to its allocator: while one is out, the allocator's reference to itself keeps both
//! alive (statements 19 to 21). What is needed for that is in the sample's [`Word`]: leaving home and coming home are
//! one compare-and-swap each, beside the engine's two, and no lock is taken where nobody asked for one.

mod attributes;
mod media_type;
mod properties;
mod slab;
mod vtable;
mod word;

pub(crate) use attributes::Attributes;
pub(crate) use media_type::MediaType;
pub(crate) use slab::{Slabs, Whose};

use crate::allocator::AllocatorObject;
use crate::hresult::*;
use crate::interfaces::{IMediaSample, IMediaSample2_Vtbl};
use crate::sync::{AtomicPtr, Lock, Ordering, lock};
use core::ptr::NonNull;
use core::sync::atomic::{AtomicI32, AtomicUsize};
use kspipe::allocator::Frame;
use windows_core::{HRESULT, Interface};
use word::{Seen, Word};

/// A media sample. Its address is its interface pointer. On cache lines of its own, as the engine's words are: what one
/// thread does with a sample does not slow down another with the next.
#[repr(C, align(128))]
pub(crate) struct Sample {
    /// First, as COM has it.
    vtable: &'static IMediaSample2_Vtbl,
    word: Word,
    /// The frame, from [`Frame::into_ptr`]; meaningful while the sample is out.
    frame: AtomicPtr<()>,
    /// Where its bytes begin, behind the prefix. An address, and atomic, because a caller may ask at any time; it is
    /// written before the sample goes out.
    address: AtomicUsize,
    /// How many there are. [`UNFIT`] until the sample is first used after a Commit.
    size: AtomicI32,
    /// The allocator; alive while the sample is out.
    owner: NonNull<AllocatorObject>,
    attributes: Lock<Attributes>,
}

// SAFETY: atomics and a lock; the owner is for any thread, and followed only while it is alive.
unsafe impl Send for Sample {}
// SAFETY: as above.
unsafe impl Sync for Sample {}

/// What a sample answers that is at home.
const AT_HOME: HRESULT = E_UNEXPECTED;

/// The size of a sample that has none yet: no frame is of this size.
const UNFIT: i32 = -1;

impl Sample {
    /// A sample at home, summoned.
    fn new(owner: NonNull<AllocatorObject>) -> Self {
        Self {
            vtable: &vtable::VTABLE,
            word: Word::new(),
            frame: AtomicPtr::new(core::ptr::null_mut()),
            address: AtomicUsize::new(0),
            size: AtomicI32::new(UNFIT),
            owner,
            attributes: Lock::new(Attributes::default()),
        }
    }

    /// Sends the sample out with a frame and one reference, which is the caller's. Gives the frame back where the sample
    /// is summoned, or of another size than the frame: see [`Self::fit`].
    ///
    /// The frame has this sample's number, so nobody else has the sample.
    #[inline(always)]
    pub(crate) fn issue(&self, mut frame: Frame) -> Result<IMediaSample, Frame> {
        if usize::try_from(self.size.load(Ordering::Relaxed)) != Ok(frame.len()) {
            return Err(frame);
        }
        // Exposed: the client makes a pointer of the address.
        self.address.store(frame.as_mut_ptr().expose_provenance(), Ordering::Relaxed);
        let frame = frame.into_ptr();
        self.frame.store(frame.as_ptr(), Ordering::Relaxed);
        if !self.word.leave() {
            // SAFETY: from `into_ptr` just now, and nobody had the sample to take it.
            return Err(unsafe { Frame::from_ptr(frame) });
        }
        let this: *const Self = self;
        // SAFETY: `repr(C)` with a vtable of IMediaSample2 first is an IMediaSample; the reference counted above goes
        // to the caller.
        Ok(unsafe { IMediaSample::from_raw(this.cast_mut().cast()) })
    }

    /// Makes the sample one of frames of this size. At its first use after a Commit the length is the size too (statement
    /// 89). It is at home, and its frame is the caller's.
    pub(crate) fn fit(&self, size: i32) {
        if self.size.swap(size, Ordering::Relaxed) != size {
            lock(&self.attributes).actual_length = size;
        }
    }

    /// Makes the next use of the sample the first one after a Commit.
    fn renew(&self) {
        self.size.store(UNFIT, Ordering::Relaxed);
    }

    /// Makes the sample ask its allocator before it leaves home, or report to it when it is back: whether it is out and
    /// was not asked to before. Under the allocator's lock.
    pub(crate) fn summon(&self) -> bool {
        self.word.summon()
    }

    /// Takes that back, where the sample is at home. Under the allocator's lock.
    pub(crate) fn dismiss(&self) {
        self.word.dismiss();
    }

    /// One more reference; the new count, 0 at home.
    fn add_reference(&self) -> u32 {
        self.word.add()
    }

    /// One reference less; the new count. At 0 the sample goes home, and may not be touched after that: its allocator
    /// and with it the sample itself may be gone. That is why this takes a pointer and no reference.
    ///
    /// # Safety
    /// A sample, there at least until its last reference is given up.
    #[inline(always)]
    unsafe fn release(this: NonNull<Self>) -> u32 {
        // SAFETY: there, as the caller promises.
        let seen = unsafe { &(*this.as_ptr()).word }.load();
        // SAFETY: a reference is given up, and if the word is still as it was seen, it is the only one.
        unsafe { Self::release_seen(this, seen) }
    }

    /// `ReleaseBuffer`, called by a client instead of `Release`: gives up the only reference. `false`, and nothing is
    /// changed, where the sample is at home or somebody else refers to it too.
    ///
    /// # Safety
    /// As for [`Self::release`].
    pub(crate) unsafe fn release_only_reference(this: NonNull<Self>) -> bool {
        // SAFETY: there, as the caller promises.
        let seen = unsafe { &(*this.as_ptr()).word }.load();
        if seen.references() != 1 {
            return false;
        }
        // SAFETY: there is one reference, which the caller gives up.
        unsafe { Self::release_seen(this, seen) };
        true
    }

    /// Gives up a reference, the word having been `seen`; the new count. Mostly it is the only one, and nobody asked for
    /// anything: the sample goes home by one compare-and-swap, and nothing of it is touched after that, only its frame,
    /// which keeps its memory there. Whatever else there may be to it is out of line.
    ///
    /// # Safety
    /// A sample, there at least until its last reference is given up.
    #[inline(always)]
    unsafe fn release_seen(this: NonNull<Self>, seen: Seen) -> u32 {
        // SAFETY: as the caller promises.
        match unsafe { Self::come_home(this, seen) } {
            Some(frame) => {
                drop(frame);
                0
            }
            // SAFETY: nothing was given up.
            None => unsafe { Self::release_attended(this) },
        }
    }

    /// Ends the life that was `seen`: its frame, if nothing stands in the way.
    ///
    /// # Safety
    /// As for [`Self::release_seen`].
    #[inline(always)]
    unsafe fn come_home(this: NonNull<Self>, seen: Seen) -> Option<Frame> {
        // Before the word is changed, for afterwards the sample may be gone: it is of the life that was seen, or that is
        // over and the change fails.
        // SAFETY: there, as the caller promises.
        let frame = unsafe { &(*this.as_ptr()).frame }.load(Ordering::Relaxed);
        // SAFETY: there, as the caller promises.
        let home = unsafe { Word::come_home(&raw const (*this.as_ptr()).word, seen) };
        // SAFETY: the frame of this life, which ended here and only here.
        home.then(|| unsafe { Self::frame_of(frame) }).flatten()
    }

    /// The frame of a life that ended.
    ///
    /// # Safety
    /// The pointer is of that life, and the caller ended it.
    #[inline]
    unsafe fn frame_of(pointer: *mut ()) -> Option<Frame> {
        // SAFETY: from `into_ptr` when the sample left home, and its way back is only here.
        NonNull::new(pointer).map(|pointer| unsafe { Frame::from_ptr(pointer) })
    }

    /// Gives a reference up where there is more to it: other references, attributes to clear, an allocator to report to,
    /// or another thread that was quicker.
    ///
    /// # Safety
    /// As for [`Self::release`].
    #[cold]
    #[inline(never)]
    unsafe fn release_attended(this: NonNull<Self>) -> u32 {
        loop {
            // SAFETY: there, as the caller promises, until the last reference is given up below.
            let sample = unsafe { &*this.as_ptr() };
            let seen = match sample.word.subtract() {
                Ok(count) => return count,
                Err(seen) => seen,
            };
            if seen.is_touched() {
                sample.clear();
            } else if seen.is_summoned() {
                let (owner, leaving) = (sample.owner, Leaving { sample: this, seen });
                // SAFETY: the sample is out and was summoned, so the allocator counts it and is alive.
                if unsafe { AllocatorObject::take_home(owner, leaving) } {
                    return 0;
                }
            // SAFETY: there, as the caller promises.
            } else if let Some(frame) = unsafe { Self::come_home(this, seen) } {
                drop(frame);
                return 0;
            }
        }
    }

    /// Clears what does not survive the last `Release` (statement 98). The caller has the last reference still, so that
    /// nobody gets the sample meanwhile.
    fn clear(&self) {
        let mut attributes = lock(&self.attributes);
        let media_type = attributes.recycle();
        self.word.cleared();
        drop(attributes);
        // Its `pUnk` is foreign, and released outside the lock.
        drop(media_type);
    }

    /// What the attributes say; at home, nothing. Nothing foreign may be called in `body`.
    fn read<T>(&self, body: impl FnOnce(&Attributes) -> T) -> Result<T, HRESULT> {
        let attributes = lock(&self.attributes);
        if self.word.load().is_home() { Err(AT_HOME) } else { Ok(body(&attributes)) }
    }

    /// Changes the attributes, given the size; at home, nothing is changed. Nothing foreign may be called in `body`.
    fn change<T>(&self, body: impl FnOnce(&mut Attributes, i32) -> T) -> Result<T, HRESULT> {
        let mut attributes = lock(&self.attributes);
        if !self.word.touch() {
            return Err(AT_HOME);
        }
        Ok(body(&mut attributes, self.size.load(Ordering::Relaxed)))
    }

    /// `SetActualDataLength`. The length survives (statement 91), so nothing is left to be cleared.
    fn set_actual_length(&self, length: i32) -> HRESULT {
        let mut attributes = lock(&self.attributes);
        if self.word.load().is_home() {
            return AT_HOME;
        }
        attributes.set_actual_length(length, self.size.load(Ordering::Relaxed))
    }

    /// Where the bytes begin, and how many there are; at home there are none.
    fn buffer(&self) -> Result<(usize, i32), HRESULT> {
        if self.word.load().is_home() {
            return Err(AT_HOME);
        }
        Ok((self.address.load(Ordering::Relaxed), self.size.load(Ordering::Relaxed)))
    }

    /// `SetMediaType`, the copy having been made.
    fn set_media_type(&self, copy: Result<Option<MediaType>, HRESULT>) -> HRESULT {
        let (media_type, answer) = match copy {
            Ok(media_type) => (media_type, S_OK),
            Err(error) => (None, error),
        };
        match self.change(|attributes, _| attributes.set_media_type(media_type.map(std::sync::Arc::new))) {
            Ok(old) => {
                drop(old);
                answer
            }
            Err(error) => error,
        }
    }
}

/// A sample whose only reference is being given up, and which is summoned.
pub(crate) struct Leaving {
    sample: NonNull<Sample>,
    seen: Seen,
}

impl Leaving {
    /// Ends the sample's life: its frame. `None`, and nothing is changed, if another thread was quicker. Under the
    /// allocator's lock.
    ///
    /// # Safety
    /// The sample's allocator is alive, and with it the sample.
    pub(crate) unsafe fn come_home(&self, decommitted: bool) -> Option<Frame> {
        // SAFETY: there, as the caller promises.
        let sample = unsafe { self.sample.as_ref() };
        let frame = sample.frame.load(Ordering::Relaxed);
        let home = sample.word.come_home_summoned(self.seen, decommitted);
        // SAFETY: the frame of this life, which ended here and only here.
        home.then(|| unsafe { Sample::frame_of(frame) }).flatten()
    }
}
