//! `IKsObject`, `IKsPin` and `IKsPinEx`.

use super::held::Held;
use super::{Pin, PinObject};
use crate::guard;
use crate::hresult::*;
use crate::interfaces::{IKsObject_Impl, IKsPin_Impl, IKsPinEx_Impl, IMediaSample, IMemAllocator};
use crate::lock::lock;
use crate::task_memory;
use core::mem::ManuallyDrop;
use core::ptr::{NonNull, null_mut};
use core::sync::atomic::Ordering;
use ks::{
    KsIdentifier, KsMultipleItem, KsPeekOperation, KsPinCommunication, KsPinInterface, KsPinMedium, KsStreamSegment,
    PinDirection,
};
use ksobject::{Handle, OwnedHandle};
use windows_core::{HRESULT, Ref};

/// A list in task memory: its head, and the items after it.
fn multiple_item(items: &[KsIdentifier]) -> Result<NonNull<KsMultipleItem>, HRESULT> {
    let size = size_of::<KsMultipleItem>() + size_of_val(items);
    let as_ulong = |number: usize| u32::try_from(number).map_err(|_| E_OUTOFMEMORY);
    let head = KsMultipleItem { size: as_ulong(size)?, count: as_ulong(items.len())? };
    let memory = task_memory::allocate(size).ok_or(E_OUTOFMEMORY)?.cast::<KsMultipleItem>();
    // SAFETY: the memory is new, aligned for any C type, and has room for the head and, 8 bytes on, the items.
    unsafe {
        memory.write(head);
        let first = memory.add(1).cast::<KsIdentifier>();
        first.copy_from_nonoverlapping(NonNull::from(items).cast(), items.len());
    }
    Ok(memory)
}

/// What `KsQueryMediums` and `KsQueryInterfaces` answer.
///
/// # Safety
///
/// `list` is null or good for writing a pointer.
unsafe fn query(items: &[KsIdentifier], list: *mut *mut KsMultipleItem) -> HRESULT {
    if list.is_null() {
        return E_POINTER;
    }
    let (pointer, answer) = match multiple_item(items) {
        Ok(made) => (made.as_ptr(), S_OK),
        Err(error) => (null_mut(), error),
    };
    // SAFETY: not null, so good for writing, as the caller promises.
    unsafe { list.write(pointer) };
    answer
}

impl Pin {
    /// The handle, lent.
    pub(super) fn handle(&self) -> Handle {
        self.handle.get().map_or(Handle::NULL, |handle| handle.handle())
    }

    /// The pin's allocator.
    pub(super) fn allocator(&self) -> Option<Held<IMemAllocator>> {
        lock(&self.state).allocator.clone()
    }

    /// Sets the allocator, or none.
    pub(super) fn set_allocator(&self, allocator: Option<&IMemAllocator>, read_only: bool) {
        let new = allocator.map(Held::new);
        let mut state = lock(&self.state);
        let old = std::mem::replace(&mut state.allocator, new);
        state.read_only = read_only;
        drop(state);
        // Released outside the lock.
        drop(old);
    }

    /// `KsCreateSinkPinHandle`. A pin that has a handle keeps it.
    fn create_handle(&self, interface: KsPinInterface, medium: KsPinMedium) -> Result<(), HRESULT> {
        if ![KsPinCommunication::SINK, KsPinCommunication::BOTH].contains(&self.communication) {
            return Err(E_FAIL);
        }
        let has = |list: &[KsIdentifier], wanted: KsIdentifier| {
            list.iter().any(|item| (item.set, item.id) == (wanted.set, wanted.id))
        };
        if !has(&self.interfaces, interface) || !has(&self.mediums, medium) {
            return Err(E_INVALIDARG);
        }
        if self.handle.get().is_none() {
            let created = new_object()?;
            if self.handle.set(created).is_err() {
                // Another thread was faster, and what it agreed on stands.
                return Ok(());
            }
            let mut state = lock(&self.state);
            (state.interface, state.medium) = (interface, medium);
        }
        Ok(())
    }

    /// Counts requests under way. The count stays within 0 and `i32::MAX`.
    fn count_io(&self, change: i32) -> i32 {
        let counted = |count: i32| count.saturating_add(change).max(0);
        let update = self.pending_io.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |count| Some(counted(count)));
        // The closure always gives a number, so both arms are the count before.
        counted(update.unwrap_or_else(|count| count))
    }
}

/// An object for a pin whose host gave it none.
#[cfg(unix)]
fn new_object() -> Result<OwnedHandle, HRESULT> {
    ksobject::InProcessObjects::create_sink_pin().map_err(|error| error.to_hresult())
}

/// On Windows the kernel has the objects, so only the host can give a pin one.
#[cfg(windows)]
fn new_object() -> Result<OwnedHandle, HRESULT> {
    Err(E_FAIL)
}

impl<P: PinObject> IKsObject_Impl for P {
    unsafe fn KsGetObjectHandle(&self) -> Handle {
        guard::value(Handle::NULL, || self.pin().handle())
    }
}

impl<P: PinObject> IKsPin_Impl for P {
    unsafe fn KsQueryMediums(&self, medium_list: *mut *mut KsMultipleItem) -> HRESULT {
        // SAFETY: null or good for writing, as COM requires of the caller.
        guard::hresult(|| unsafe { query(&self.pin().mediums, medium_list) })
    }

    unsafe fn KsQueryInterfaces(&self, interface_list: *mut *mut KsMultipleItem) -> HRESULT {
        // SAFETY: as above.
        guard::hresult(|| unsafe { query(&self.pin().interfaces, interface_list) })
    }

    unsafe fn KsCreateSinkPinHandle(&self, interface: *mut KsPinInterface, medium: *mut KsPinMedium) -> HRESULT {
        guard::hresult(|| {
            if interface.is_null() || medium.is_null() {
                return E_POINTER;
            }
            // SAFETY: not null, so good for reading, as COM requires of the caller.
            let (interface, medium) = unsafe { (interface.read(), medium.read()) };
            self.pin().create_handle(interface, medium).err().unwrap_or(S_OK)
        })
    }

    unsafe fn KsGetCurrentCommunication(
        &self,
        communication: *mut KsPinCommunication,
        interface: *mut KsPinInterface,
        medium: *mut KsPinMedium,
    ) -> HRESULT {
        guard::hresult(|| {
            let pin = self.pin();
            let (now_interface, now_medium) = {
                let state = lock(&pin.state);
                (state.interface, state.medium)
            };
            // SAFETY: each is null or good for writing, as COM requires of the caller.
            unsafe {
                write_unless_null(communication, pin.communication);
                write_unless_null(interface, now_interface);
                write_unless_null(medium, now_medium);
            }
            S_OK
        })
    }

    unsafe fn KsPropagateAcquire(&self) -> HRESULT {
        // A ready pin has no states to go to.
        guard::hresult(|| E_NOTIMPL)
    }

    unsafe fn KsDeliver(&self, sample: Ref<'_, IMediaSample>, _flags: u32) -> HRESULT {
        guard::hresult(|| {
            if self.pin().direction == PinDirection::INPUT {
                // What its page says of input pins.
                return E_FAIL;
            }
            if sample.is_null() { E_POINTER } else { E_NOTIMPL }
        })
    }

    unsafe fn KsMediaSamplesCompleted(&self, stream_segment: *mut KsStreamSegment) -> HRESULT {
        guard::hresult(|| if stream_segment.is_null() { E_POINTER } else { E_NOTIMPL })
    }

    unsafe fn KsPeekAllocator(&self, operation: KsPeekOperation) -> Option<ManuallyDrop<IMemAllocator>> {
        guard::value(None, || self.pin().allocator().map(|allocator| allocator.peek(operation)))
    }

    unsafe fn KsReceiveAllocator(&self, allocator: Ref<'_, IMemAllocator>) -> HRESULT {
        guard::hresult(|| {
            self.pin().set_allocator(allocator.as_ref(), false);
            S_OK
        })
    }

    unsafe fn KsRenegotiateAllocator(&self) -> HRESULT {
        // Its host negotiates, the pin does not.
        guard::hresult(|| E_NOTIMPL)
    }

    unsafe fn KsIncrementPendingIoCount(&self) -> i32 {
        guard::value(0, || self.pin().count_io(1))
    }

    unsafe fn KsDecrementPendingIoCount(&self) -> i32 {
        guard::value(0, || self.pin().count_io(-1))
    }

    unsafe fn KsQualityNotify(&self, proportion: u32, delta: i64) -> HRESULT {
        guard::hresult(|| {
            let pin = self.pin();
            lock(&pin.state).quality = Some((proportion, delta));
            pin.events.as_ref().map_or(S_OK, |events| events.quality(proportion, delta))
        })
    }
}

impl<P: PinObject> IKsPinEx_Impl for P {
    unsafe fn KsNotifyError(&self, sample: Ref<'_, IMediaSample>, error: HRESULT) {
        guard::value((), || {
            let pin = self.pin();
            lock(&pin.state).error = Some(error);
            if let Some(events) = &pin.events {
                events.error(sample.as_ref(), error);
            }
        });
    }
}

/// Writes through a pointer that the caller may leave out.
///
/// # Safety
///
/// `place` is null or good for writing.
unsafe fn write_unless_null<T>(place: *mut T, value: T) {
    if !place.is_null() {
        // SAFETY: as the caller promises.
        unsafe { place.write(value) };
    }
}
