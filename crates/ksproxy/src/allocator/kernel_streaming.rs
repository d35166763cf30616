//! `IKsAllocator` and `IKsAllocatorEx`.

use super::{AllocatorObject, Segments};
use crate::guard;
use crate::hresult::*;
use crate::interfaces::{IKsAllocator_Impl, IKsAllocatorEx_Impl, IKsObject, IKsPin};
use crate::sync::lock;
use core::ffi::c_void;
use core::ptr::null_mut;
use core::sync::atomic::Ordering;
use ks::{
    AlignmentMask, AllocatorProperties, AllocatorPropertiesEx, KSPROPERTY_STREAMALLOCATOR_STATUS,
    KSPROPSETID_StreamAllocator, KsAllocatorFraming, KsAllocatorMode, KsLogicalMemoryType, KsProperty, KsPropertyType,
    KsStreamAllocatorStatus, OptionFlags, OptionsOrRequirements, PoolType,
};
use ksobject::{Handle, OwnedHandle};
use std::sync::Arc;
use windows_core::{HRESULT, Interface, Ref};
use zerocopy::IntoBytes;

/// The framing of an allocator with these properties (semantics 4.7, step 4; statements 124, 125).
///
/// `FrameSize` counts the prefix, as its page says; negative numbers count as 0.
fn framing(properties: AllocatorProperties, pool_type: PoolType) -> KsAllocatorFraming {
    let AllocatorProperties { c_buffers, cb_buffer, cb_align, cb_prefix } = properties;
    let at_least_zero = |number: i32| u32::try_from(number).unwrap_or(0);
    KsAllocatorFraming {
        flags: OptionsOrRequirements(OptionFlags::SYSTEM_MEMORY.bits()),
        pool_type,
        frames: at_least_zero(c_buffers),
        // Two numbers below 2^31.
        frame_size: at_least_zero(cb_buffer) + at_least_zero(cb_prefix),
        file_alignment: AlignmentMask(at_least_zero(cb_align.0).saturating_sub(1)).into(),
        reserved: 0,
    }
}

/// The pool of the memory a pipe uses.
fn pool_type(memory: KsLogicalMemoryType) -> PoolType {
    if memory == KsLogicalMemoryType::KERNEL_PAGED { PoolType::PAGED_POOL } else { PoolType::NON_PAGED_POOL }
}

impl AllocatorObject {
    /// The mode.
    pub(crate) fn mode(&self) -> KsAllocatorMode {
        KsAllocatorMode(self.mode.load(Ordering::SeqCst))
    }

    /// The handle, lent.
    pub(crate) fn handle(&self) -> Handle {
        lock(&self.state).handle.as_ref().map_or(Handle::NULL, |handle| handle.handle())
    }

    /// Takes a handle over, or with `None` leaves none. The one before is closed.
    pub(crate) fn set_handle(&self, handle: Option<OwnedHandle>) {
        // Closed outside the lock.
        drop(self.replace_handle(handle));
    }

    /// Takes a handle over and gives the one before out.
    fn replace_handle(&self, handle: Option<OwnedHandle>) -> Option<Arc<OwnedHandle>> {
        let mut state = lock(&self.state);
        std::mem::replace(&mut state.handle, handle.map(Arc::new))
    }

    /// Gives the handle out without closing it. Where another thread is using it at the moment, a duplicate.
    pub(crate) fn take_handle(&self) -> std::io::Result<Option<OwnedHandle>> {
        match self.replace_handle(None).map(Arc::try_unwrap) {
            None => Ok(None),
            Some(Ok(handle)) => Ok(Some(handle)),
            Some(Err(in_use)) => in_use.try_clone().map(Some),
        }
    }

    /// The extended properties, copied.
    pub(crate) fn extended(&self) -> AllocatorPropertiesEx {
        let _state = lock(&self.state);
        // SAFETY: the pointer is the object's; `KsSetProperties` writes under the lock, and who writes through the
        // pointer that `KsGetProperties` gives has to see to it that nobody reads meanwhile.
        unsafe { self.extended.get().read() }
    }

    /// Copies the extended properties in, padding and all.
    ///
    /// # Safety
    ///
    /// `properties` is good for reading a whole structure. It may be the object's own, or overlap it.
    unsafe fn copy_extended(&self, properties: *const AllocatorPropertiesEx) {
        let _state = lock(&self.state);
        // SAFETY: as the caller promises, and as above. `copy_to` is for pointers that may overlap.
        unsafe { properties.copy_to(self.extended.get(), 1) };
    }

    /// Sets the extended properties.
    pub(crate) fn set_extended(&self, properties: &AllocatorPropertiesEx) {
        // SAFETY: a reference is good for reading.
        unsafe { self.copy_extended(properties) };
    }

    /// Writes the pipe's neighbours into the extended properties. The array stays where it is as long as the object; of
    /// several calls only the first has an effect.
    pub(crate) fn link_segments(&self, previous: Option<*mut c_void>, next: Box<[*mut c_void]>) {
        let mut linked = false;
        let next = self.next_segments.get_or_init(|| {
            linked = true;
            Segments(next)
        });
        if !linked {
            return;
        }
        let mut properties = self.extended();
        properties.prev_segment = previous.unwrap_or_else(null_mut);
        properties.count_next_segments = next.0.len() as u32;
        properties.next_segments = match &next.0[..] {
            [] => null_mut(),
            // Who reads the array may not write it, as behind a constant.
            segments => segments.as_ptr().cast_mut().cast(),
        };
        self.set_extended(&properties);
    }

    /// The status, from the allocator behind the handle or, without one, from the engine.
    pub(crate) fn status(&self) -> Result<KsStreamAllocatorStatus, HRESULT> {
        // Held for the call, so that no other thread closes it meanwhile; the lock is not.
        let handle = lock(&self.state).handle.clone();
        match handle {
            Some(handle) => self.status_behind(&handle),
            None => self.own_status(),
        }
    }

    /// Asks the allocator behind a handle (statement 129).
    fn status_behind(&self, handle: &OwnedHandle) -> Result<KsStreamAllocatorStatus, HRESULT> {
        let set = KSPROPSETID_StreamAllocator;
        let request = KsProperty::property(set, KSPROPERTY_STREAMALLOCATOR_STATUS, KsPropertyType::GET);
        let mut status = KsStreamAllocatorStatus::default();
        match self.access.property(handle.handle(), &request, status.as_mut_bytes()) {
            Ok(_) => Ok(status),
            Err(error) => Err(error.error.to_hresult()),
        }
    }

    /// The user-mode allocator's status, in the words of a kernel allocator's.
    fn own_status(&self) -> Result<KsStreamAllocatorStatus, HRESULT> {
        let properties = self.properties(&lock(&self.state))?;
        let framing = framing(properties, PoolType::NON_PAGED_POOL);
        Ok(KsStreamAllocatorStatus { framing, allocated_frames: self.engine.status().in_use, reserved: 0 })
    }

    /// Steps 1 to 6 of `KsCreateAllocatorAndGetHandle` (statements 122 to 127).
    pub(crate) fn create_allocator(&self, pin: Option<&IKsPin>) -> Handle {
        self.set_handle(None);
        let Some(handle) = pin.and_then(object_handle) else { return Handle::NULL };
        let properties = self.extended();
        let asked = framing(properties.allocator_properties(), pool_type(properties.logical_memory_type));
        let Ok(created) = self.access.create_allocator(handle, &asked) else { return Handle::NULL };
        let lent = created.handle();
        self.set_handle(Some(created));
        lent
    }
}

/// The handle of a pin, lent; `None` where it has none (statements 122, 123).
fn object_handle(pin: &IKsPin) -> Option<Handle> {
    let object: IKsObject = pin.cast().ok()?;
    // SAFETY: an interface the pin answered with.
    let handle = unsafe { object.KsGetObjectHandle() };
    handle.is_object().then_some(handle)
}

impl AllocatorObject {
    /// `KsSetAllocatorMode` (statements 110, 114). The caller has a reference.
    pub(crate) fn set_mode(&self, mode: KsAllocatorMode) {
        if ![KsAllocatorMode::USER, KsAllocatorMode::KERNEL].contains(&mode) {
            return;
        }
        let mut state = lock(&self.state);
        self.mode.store(mode.0, Ordering::SeqCst);
        if mode == KsAllocatorMode::KERNEL {
            self.decommit_locked(&mut state);
        }
        drop(state);
        self.complete_decommit();
    }
}

impl IKsAllocator_Impl for AllocatorObject {
    unsafe fn KsGetAllocatorHandle(&self) -> Handle {
        guard::value(Handle::NULL, || self.handle())
    }

    unsafe fn KsGetAllocatorMode(&self) -> KsAllocatorMode {
        guard::value(KsAllocatorMode::USER, || self.mode())
    }

    unsafe fn KsGetAllocatorStatus(&self, status: *mut KsStreamAllocatorStatus) -> HRESULT {
        guard::hresult(|| {
            if status.is_null() {
                return E_POINTER;
            }
            match self.status() {
                Ok(now) => {
                    // SAFETY: not null, so good for writing, as COM requires of the caller.
                    unsafe { status.write(now) };
                    S_OK
                }
                Err(error) => error,
            }
        })
    }

    unsafe fn KsSetAllocatorMode(&self, mode: KsAllocatorMode) {
        guard::value((), || self.set_mode(mode));
    }
}

impl IKsAllocatorEx_Impl for AllocatorObject {
    unsafe fn KsGetProperties(&self) -> *mut AllocatorPropertiesEx {
        // Cannot panic.
        self.extended.get()
    }

    unsafe fn KsSetProperties(&self, properties: *const AllocatorPropertiesEx) {
        guard::value((), || {
            if properties.is_null() {
                return;
            }
            // SAFETY: not null, so good for reading, as COM requires of the caller.
            unsafe { self.copy_extended(properties) };
        });
    }

    unsafe fn KsSetAllocatorHandle(&self, handle: Handle) {
        guard::value((), || {
            let mut state = lock(&self.state);
            // The same handle again changes hands no further: closing it would close what is stored.
            if handle.is_object() && state.handle.as_ref().is_some_and(|stored| stored.handle() == handle) {
                return;
            }
            // SAFETY: the caller gives the handle away, as the method requires.
            let given = unsafe { OwnedHandle::from_raw(handle) };
            let old = std::mem::replace(&mut state.handle, given.map(Arc::new));
            drop(state);
            // Closed outside the lock.
            drop(old);
        });
    }

    unsafe fn KsCreateAllocatorAndGetHandle(&self, pin: Ref<'_, IKsPin>) -> Handle {
        guard::value(Handle::NULL, || self.create_allocator(pin.as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ks::AlignmentCount;

    fn properties(c_buffers: i32, cb_buffer: i32, cb_align: i32, cb_prefix: i32) -> AllocatorProperties {
        AllocatorProperties { c_buffers, cb_buffer, cb_align: AlignmentCount(cb_align), cb_prefix }
    }

    #[test]
    fn s124_s125_the_framing_says_what_the_properties_ask() {
        for (asked, memory, expected) in [
            (properties(4, 4096, 64, 0), KsLogicalMemoryType::KERNEL_PAGED, (1, 4, 4096, 63)),
            (properties(4, 4096, 64, 0), KsLogicalMemoryType::KERNEL_NON_PAGED, (0, 4, 4096, 63)),
            (properties(4, 4096, 64, 0), KsLogicalMemoryType::USER, (0, 4, 4096, 63)),
            (properties(4, 4000, 1, 96), KsLogicalMemoryType::DONT_CARE, (0, 4, 4096, 0)),
            (properties(-1, -2, -3, -4), KsLogicalMemoryType::DONT_CARE, (0, 0, 0, 0)),
            (properties(0, i32::MAX, i32::MIN, i32::MAX), KsLogicalMemoryType::DONT_CARE, (0, 0, 0xFFFF_FFFE, 0)),
        ] {
            let framing = framing(asked, pool_type(memory));
            let (pool, frames, size, mask) = expected;
            assert_eq!(framing.flags.0, 2, "system memory");
            assert_eq!((framing.pool_type.0, framing.frames, framing.frame_size), (pool, frames, size), "{asked:?}");
            assert_eq!((framing.file_alignment.0, framing.reserved), (mask, 0), "{asked:?}");
        }
    }
}
