//! [`FramingCache`]: the framings a pin keeps for the negotiation of pipes.

use crate::hresult::{E_INVALIDARG, E_OUTOFMEMORY};
use crate::lock::{Lock, lock};
use crate::task_memory;
use core::ptr::{NonNull, null_mut};
use ks::{
    AlignmentCount, AllocatorFlags, AllocatorProperties, FramingCacheOps, FramingEx, FramingProp, KsAllocatorFramingEx,
    KsAllocatorFramingExHead, KsFramingItem,
};
use std::alloc::{Layout, handle_alloc_error};
use std::sync::Arc;
use windows_core::HRESULT;

/// A framing in task memory, owned. It is freed when the last slot lets go of it.
///
/// Nobody says how long the memory is. The pin reads `CountItems` and, where that is not 0, the first item, and so no
/// more than the 112 bytes that `KSALLOCATOR_FRAMING_EX` has; what an absurd `CountItems` promises is never looked at.
struct Framing(NonNull<KsAllocatorFramingEx>);

// SAFETY: the memory is owned, and whoever gave it does not write to it any more.
unsafe impl Send for Framing {}
// SAFETY: as above.
unsafe impl Sync for Framing {}

impl Framing {
    /// A copy of a framing.
    fn copy(framing: &FramingEx<'_>) -> Self {
        let length = framing.byte_length();
        let Some(memory) = task_memory::allocate(length) else {
            handle_alloc_error(Layout::new::<KsAllocatorFramingEx>());
        };
        let head = memory.cast::<KsAllocatorFramingExHead>();
        // SAFETY: the memory is new and has room for the head and, after it, as many items as it says.
        unsafe {
            head.write(*framing.head());
            let items = head.add(1).cast::<KsFramingItem>();
            for (index, item) in framing.items().enumerate() {
                items.add(index).write(item);
            }
        }
        Self(memory.cast())
    }

    /// The first item, if there is one.
    fn first_item(&self) -> Option<KsFramingItem> {
        let head = self.0.cast::<KsAllocatorFramingExHead>();
        // SAFETY: whoever gave the framing gave a whole structure (the slot's contract): the head is there, and an
        // item after it where it says so. No alignment is asked of either.
        unsafe {
            let counted = head.read_unaligned().count_items != 0;
            counted.then(|| head.add(1).cast::<KsFramingItem>().read_unaligned())
        }
    }
}

impl Drop for Framing {
    fn drop(&mut self) {
        // SAFETY: task memory that was given to the pin, or made by `copy`; nobody else frees it.
        unsafe { task_memory::free(self.0.cast()) };
    }
}

/// What a slot has: a framing or none, and which property it was.
#[derive(Clone, Default)]
struct Slot {
    framing: Option<Arc<Framing>>,
    property: FramingProp,
}

/// Three slots (`Framing_Cache_ReadLast`, `_ReadOrig`, `_Write`), empty at first.
#[derive(Default)]
pub(super) struct FramingCache(Lock<[Slot; 3]>);

/// The slot that an option names. `Framing_Cache_Update` bypasses the cache and names none.
fn slot(option: FramingCacheOps) -> Result<usize, HRESULT> {
    match option {
        FramingCacheOps::READ_LAST => Ok(0),
        FramingCacheOps::READ_ORIG => Ok(1),
        FramingCacheOps::WRITE => Ok(2),
        _ => Err(E_INVALIDARG),
    }
}

impl FramingCache {
    /// A cache with one framing, as read first and last.
    pub(super) fn with_framing(framing: &FramingEx<'_>) -> Self {
        let read = Slot { framing: Some(Arc::new(Framing::copy(framing))), property: FramingProp::EX };
        Self(Lock::new([read.clone(), read, Slot::default()]))
    }

    /// A slot's pointer, lent, and property (statements 158, 159).
    pub(super) fn get(&self, option: FramingCacheOps) -> Result<(*mut KsAllocatorFramingEx, FramingProp), HRESULT> {
        let slot = &lock(&self.0)[slot(option)?];
        let pointer = slot.framing.as_ref().map_or(null_mut(), |framing| framing.0.as_ptr());
        Ok((pointer, slot.property))
    }

    /// Puts a framing into a slot, which lets go of what it had (statements 158 to 160). On an error the memory stays
    /// the caller's.
    ///
    /// # Safety
    ///
    /// `framing` is null, or task memory that holds a whole framing and is the caller's to give or a slot's already.
    pub(super) unsafe fn set(
        &self,
        framing: *mut KsAllocatorFramingEx,
        property: FramingProp,
        option: FramingCacheOps,
    ) -> Result<(), HRESULT> {
        let index = slot(option)?;
        let mut slots = lock(&self.0);
        let framing = NonNull::new(framing).map(|given| {
            // The same pointer again is the same framing, and has one owner: all slots that have it.
            let known = slots.iter().filter_map(|slot| slot.framing.as_ref()).find(|known| known.0 == given);
            known.cloned().unwrap_or_else(|| Arc::new(Framing(given)))
        });
        let old = std::mem::replace(&mut slots[index], Slot { framing, property });
        drop(slots);
        // Freed outside the lock, if it is the last.
        drop(old);
        Ok(())
    }

    /// What the newest framing (written, else read last, else read first) asks of an allocator: its first item's
    /// frames, least size and alignment (statement 164). `None` where there is no item.
    ///
    /// `E_OUTOFMEMORY` where a number is no LONG: there is no such allocator.
    pub(super) fn requirements(&self) -> Option<Result<AllocatorProperties, HRESULT>> {
        let [last, first, written] = lock(&self.0).clone();
        let newest = [written, last, first].into_iter().find_map(|slot| slot.framing)?;
        Some(requirements(&newest.first_item()?))
    }
}

/// What an item asks of an allocator.
fn requirements(item: &KsFramingItem) -> Result<AllocatorProperties, HRESULT> {
    let long = |number: u32| i32::try_from(number).map_err(|_| E_OUTOFMEMORY);
    let size = item.framing_range.range.min_frame_size.max(item.physical_range.min_frame_size);
    // The member is a pitch, in bytes per row, where frames have two dimensions.
    let cb_align = if item.flags.allocator().contains(AllocatorFlags::TWO_D_BUFFER_REQUIRED) {
        1
    } else {
        long(item.file_alignment.file_alignment().0)?.checked_add(1).ok_or(E_OUTOFMEMORY)?
    };
    Ok(AllocatorProperties {
        c_buffers: long(item.frames)?,
        cb_buffer: long(size)?,
        cb_align: AlignmentCount(cb_align),
        cb_prefix: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ks::{AlignmentMask, FramingFlags, KSMEMORY_TYPE_USER};
    use std::sync::Weak;
    use zerocopy::IntoBytes;

    const LAST: FramingCacheOps = FramingCacheOps::READ_LAST;
    const ORIG: FramingCacheOps = FramingCacheOps::READ_ORIG;
    const WRITE: FramingCacheOps = FramingCacheOps::WRITE;

    fn simple() -> KsAllocatorFramingEx {
        KsAllocatorFramingEx::simple(KSMEMORY_TYPE_USER, FramingFlags(0), 1, AlignmentMask(0), 1, 1)
    }

    impl FramingCache {
        fn put(&self, framing: *mut KsAllocatorFramingEx, option: FramingCacheOps) {
            // SAFETY: null, or task memory of the tests.
            unsafe { self.set(framing, FramingProp::EX, option) }.expect("a slot");
        }

        /// Gives a new framing to a slot; what comes back tells when it is freed.
        fn put_new(&self, option: FramingCacheOps) -> (*mut KsAllocatorFramingEx, Weak<Framing>) {
            let memory = task_memory::allocate(size_of::<KsAllocatorFramingEx>()).expect("memory").cast();
            // SAFETY: the memory is new and large enough.
            unsafe { memory.write(simple()) };
            self.put(memory.as_ptr(), option);
            let slots = lock(&self.0);
            let stored = slots[slot(option).expect("a slot")].framing.as_ref().expect("the framing");
            (memory.as_ptr(), Arc::downgrade(stored))
        }
    }

    fn is_freed(framing: &Weak<Framing>) -> bool {
        framing.strong_count() == 0
    }

    #[test]
    fn s160_a_shared_framing_is_freed_with_its_last_slot_and_not_before() {
        let cache = FramingCache::default();
        let (pointer, framing) = cache.put_new(LAST);
        cache.put(pointer, ORIG);
        cache.put(null_mut(), LAST);
        assert!(!is_freed(&framing), "the other slot has it");
        cache.put(pointer, ORIG);
        assert!(!is_freed(&framing), "the same again in its own slot");
        cache.put(pointer, WRITE);
        cache.put(null_mut(), ORIG);
        assert!(!is_freed(&framing));
        let (_, other) = cache.put_new(WRITE);
        assert!(is_freed(&framing) && !is_freed(&other), "the last slot has another");
        drop(cache);
        assert!(is_freed(&other), "the rest goes with the cache");
    }

    #[test]
    fn s160_the_drivers_framing_is_one_in_two_slots() {
        let framing = simple();
        let cache = FramingCache::with_framing(&FramingEx::parse(framing.as_bytes()).expect("a framing"));
        let first = Arc::downgrade(lock(&cache.0)[0].framing.as_ref().expect("a framing"));
        cache.put_new(LAST);
        assert!(!is_freed(&first));
        cache.put_new(ORIG);
        assert!(is_freed(&first));
    }

    #[test]
    fn s159_what_is_refused_changes_nothing() {
        let cache = FramingCache::default();
        let (pointer, framing) = cache.put_new(LAST);
        for option in [FramingCacheOps::UPDATE, FramingCacheOps(4)] {
            // SAFETY: null is no framing.
            assert_eq!(unsafe { cache.set(null_mut(), FramingProp::NONE, option) }, Err(E_INVALIDARG));
        }
        assert_eq!(cache.get(LAST), Ok((pointer, FramingProp::EX)));
        assert!(!is_freed(&framing));
    }
}
