//! [`Slabs`]: an allocator's samples, kept at one address from their making until the allocator is destroyed.

use super::Sample;
use crate::allocator::AllocatorObject;
use crate::hresult::E_OUTOFMEMORY;
use crate::sync::{AtomicPtr, Lock, Ordering, lock};
use core::ptr::NonNull;
use windows_core::HRESULT;

/// Sample number *i* is frame number *i* of the engine's pool.
///
/// Growing replaces the slab and keeps the old one, at most as large again in all, so that no pointer a client was
/// ever given is left without a sample behind it.
pub(crate) struct Slabs {
    /// The slab in use; null before the first Commit. It is one of `all`.
    current: AtomicPtr<Slab>,
    all: Lock<Vec<NonNull<Slab>>>,
}

// SAFETY: owned slabs behind a lock and an atomic; samples are made for any thread.
unsafe impl Send for Slabs {}
// SAFETY: as above.
unsafe impl Sync for Slabs {}

/// Samples in a row.
struct Slab(Box<[Sample]>);

/// Whose sample a pointer is.
pub(crate) enum Whose {
    /// Nobody's here: it must not be followed.
    Foreign,
    /// One of these, there as long as the allocator is.
    Ours(NonNull<Sample>),
}

impl Slabs {
    pub(crate) fn new() -> Self {
        Self { current: AtomicPtr::new(core::ptr::null_mut()), all: Lock::new(Vec::new()) }
    }

    /// Sees to at least `count` samples, all of whose next use is the first after a Commit. No sample is out.
    pub(crate) fn prepare(&self, owner: NonNull<AllocatorObject>, count: usize) -> Result<(), HRESULT> {
        self.grow(owner, count)?;
        self.current().into_iter().flat_map(|slab| &slab.0).for_each(Sample::renew);
        Ok(())
    }

    /// Sees to at least `count` samples. Those that are out go on; new ones are at home, summoned.
    pub(crate) fn grow(&self, owner: NonNull<AllocatorObject>, count: usize) -> Result<(), HRESULT> {
        let mut all = lock(&self.all);
        if self.current().is_some_and(|slab| slab.0.len() >= count) {
            return Ok(());
        }
        // Doubling bounds what the old slabs take.
        let count = count.checked_next_power_of_two().ok_or(E_OUTOFMEMORY)?;
        let mut samples = Vec::new();
        samples.try_reserve_exact(count).map_err(|_| E_OUTOFMEMORY)?;
        all.try_reserve(1).map_err(|_| E_OUTOFMEMORY)?;
        samples.resize_with(count, || Sample::new(owner));
        let slab = NonNull::from(Box::leak(Box::new(Slab(samples.into_boxed_slice()))));
        all.push(slab);
        self.current.store(slab.as_ptr(), Ordering::Release);
        Ok(())
    }

    /// All samples, also those of the slabs before, which may be out still.
    pub(crate) fn for_each(&self, mut body: impl FnMut(&Sample)) {
        for slab in lock(&self.all).iter() {
            // SAFETY: never written to or freed before `self` is dropped.
            let slab: &Slab = unsafe { slab.as_ref() };
            slab.0.iter().for_each(&mut body);
        }
    }

    /// Sample number `index`, if there are that many.
    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<&Sample> {
        self.current()?.0.get(index)
    }

    /// Whose sample `pointer` is, told by its address alone.
    pub(crate) fn whose(&self, pointer: usize) -> Whose {
        let all = lock(&self.all);
        for slab in all.iter() {
            // SAFETY: never written to or freed before `self` is dropped.
            let slab: &Slab = unsafe { slab.as_ref() };
            let first = slab.0.as_ptr() as usize;
            let Some(offset) = pointer.checked_sub(first) else { continue };
            let at_its_start = offset % size_of::<Sample>() == 0;
            if let Some(sample) = slab.0.get(offset / size_of::<Sample>()).filter(|_| at_its_start) {
                return Whose::Ours(NonNull::from(sample));
            }
        }
        Whose::Foreign
    }

    #[inline]
    fn current(&self) -> Option<&Slab> {
        // SAFETY: null, or one of `all`, which are never written to or freed before `self` is dropped; it was published
        // with Release after it was made.
        unsafe { self.current.load(Ordering::Acquire).as_ref() }
    }
}

impl Drop for Slabs {
    fn drop(&mut self) {
        for slab in lock(&self.all).drain(..) {
            // SAFETY: from `Box::leak`, freed only here; that no sample is out any more is why the allocator could be
            // destroyed.
            drop(unsafe { Box::from_raw(slab.as_ptr()) });
        }
    }
}
