//! `IKsPinPipe`.

use super::held::Held;
use super::{Link, Pin, PinObject};
use crate::guard;
use crate::hresult::*;
use crate::interfaces::{IKsAllocatorEx, IKsPinPipe_Impl, IPin};
use crate::lock::lock;
use core::mem::ManuallyDrop;
use core::ptr::null_mut;
use core::sync::atomic::Ordering;
use ks::{FramingCacheOps, FramingProp, Guid, KsAllocatorFramingEx, KsPeekOperation};
use windows_core::{HRESULT, Ref};

impl Pin {
    /// The pipe's allocator.
    pub(super) fn pipe(&self) -> Option<Held<IKsAllocatorEx>> {
        lock(&self.state).pipe.clone()
    }

    /// Sets the pipe, or none (statements 154, 155).
    pub(super) fn set_pipe(&self, pipe: Option<&IKsAllocatorEx>) {
        let new = pipe.map(Held::new);
        let mut state = lock(&self.state);
        let old = std::mem::replace(&mut state.pipe, new);
        drop(state);
        // Released outside the lock.
        drop(old);
    }

    /// The bus that was set, else the set of the current medium (statement 157).
    pub(super) fn bus(&self) -> Guid {
        let state = lock(&self.state);
        state.bus.unwrap_or(state.medium.set)
    }
}

impl<P: PinObject> IKsPinPipe_Impl for P {
    unsafe fn KsGetPinFramingCache(
        &self,
        framing: *mut *mut KsAllocatorFramingEx,
        property: *mut FramingProp,
        option: FramingCacheOps,
    ) -> HRESULT {
        guard::hresult(|| {
            if framing.is_null() || property.is_null() {
                return E_POINTER;
            }
            let (pointer, which, answer) = match self.pin().framings.get(option) {
                Ok((pointer, which)) => (pointer, which, S_OK),
                Err(error) => (null_mut(), FramingProp::UNINITIALIZED, error),
            };
            // SAFETY: not null, so good for writing, as COM requires of the caller.
            unsafe {
                framing.write(pointer);
                property.write(which);
            }
            answer
        })
    }

    unsafe fn KsSetPinFramingCache(
        &self,
        framing: *mut KsAllocatorFramingEx,
        property: *mut FramingProp,
        option: FramingCacheOps,
    ) -> HRESULT {
        guard::hresult(|| {
            if property.is_null() {
                return E_POINTER;
            }
            // SAFETY: not null, so good for reading; the framing is the caller's to give, as the slot requires.
            unsafe { self.pin().framings.set(framing, property.read(), option) }.err().unwrap_or(S_OK)
        })
    }

    unsafe fn KsGetConnectedPin(&self) -> Option<ManuallyDrop<IPin>> {
        guard::value(None, || match &lock(&self.pin().state).link {
            Link::Made(connection) => Some(connection.peer.lend()),
            Link::None | Link::Reserved => None,
        })
    }

    unsafe fn KsGetPipe(&self, operation: KsPeekOperation) -> Option<ManuallyDrop<IKsAllocatorEx>> {
        guard::value(None, || self.pin().pipe().map(|pipe| pipe.peek(operation)))
    }

    unsafe fn KsSetPipe(&self, allocator: Ref<'_, IKsAllocatorEx>) -> HRESULT {
        guard::hresult(|| {
            self.pin().set_pipe(allocator.as_ref());
            S_OK
        })
    }

    unsafe fn KsGetPipeAllocatorFlag(&self) -> u32 {
        guard::value(0, || self.pin().pipe_allocator_flag.load(Ordering::SeqCst))
    }

    unsafe fn KsSetPipeAllocatorFlag(&self, flag: u32) -> HRESULT {
        guard::hresult(|| {
            self.pin().pipe_allocator_flag.store(flag, Ordering::SeqCst);
            S_OK
        })
    }

    unsafe fn KsGetPinBusCache(&self, bus: *mut Guid) -> *mut Guid {
        guard::value(bus, || {
            if !bus.is_null() {
                // SAFETY: not null, so good for writing, as COM requires of the caller.
                unsafe { bus.write(self.pin().bus()) };
            }
            bus
        })
    }

    unsafe fn KsSetPinBusCache(&self, bus: Guid) -> HRESULT {
        guard::hresult(|| {
            lock(&self.pin().state).bus = Some(bus);
            S_OK
        })
    }

    unsafe fn KsGetPinName(&self) -> *mut u16 {
        guard::value(null_mut(), || self.pin().name.as_ptr())
    }

    unsafe fn KsGetFilterName(&self) -> *mut u16 {
        guard::value(null_mut(), || self.pin().filter_name.as_ptr())
    }
}
