//! `IMemInputPin` of an input pin and `IAMBufferNegotiation` of an output pin.

use super::{InputPin_Impl, OutputPin_Impl, PinObject};
use crate::guard;
use crate::hresult::*;
use crate::interfaces::{IAMBufferNegotiation_Impl, IMediaSample, IMemAllocator, IMemInputPin_Impl};
use crate::lock::lock;
use ks::AllocatorProperties;
use windows_core::{HRESULT, Ref};

impl IMemInputPin_Impl for InputPin_Impl {
    unsafe fn GetAllocator(&self, allocator: *mut Option<IMemAllocator>) -> HRESULT {
        guard::hresult(|| {
            if allocator.is_null() {
                return E_POINTER;
            }
            let own = self.pin().allocator().map(|allocator| allocator.get().clone());
            let answer = if own.is_some() { S_OK } else { VFW_E_NO_ALLOCATOR };
            // SAFETY: not null, so good for writing, as COM requires of the caller. What was there is not dropped.
            unsafe { allocator.write(own) };
            answer
        })
    }

    unsafe fn NotifyAllocator(&self, allocator: Ref<'_, IMemAllocator>, read_only: i32) -> HRESULT {
        guard::hresult(|| {
            if allocator.is_null() {
                return E_POINTER;
            }
            self.pin().set_allocator(allocator.as_ref(), read_only != 0);
            S_OK
        })
    }

    unsafe fn GetAllocatorRequirements(&self, properties: *mut AllocatorProperties) -> HRESULT {
        guard::hresult(|| {
            if properties.is_null() {
                return E_POINTER;
            }
            match self.pin().framings.requirements() {
                None => E_NOTIMPL,
                Some(Err(error)) => error,
                Some(Ok(asked)) => {
                    // SAFETY: not null, so good for writing, as COM requires of the caller.
                    unsafe { properties.write(asked) };
                    S_OK
                }
            }
        })
    }

    unsafe fn Receive(&self, sample: Ref<'_, IMediaSample>) -> HRESULT {
        guard::hresult(|| if sample.is_null() { E_POINTER } else { self.pin().stopped() })
    }

    unsafe fn ReceiveMultiple(
        &self,
        samples: *const Option<IMediaSample>,
        _count: i32,
        processed: *mut i32,
    ) -> HRESULT {
        guard::hresult(|| {
            if samples.is_null() || processed.is_null() {
                return E_POINTER;
            }
            // SAFETY: not null, so good for writing, as COM requires of the caller.
            unsafe { processed.write(0) };
            self.pin().stopped()
        })
    }

    unsafe fn ReceiveCanBlock(&self) -> HRESULT {
        guard::hresult(|| S_FALSE)
    }
}

impl IAMBufferNegotiation_Impl for OutputPin_Impl {
    unsafe fn SuggestAllocatorProperties(&self, properties: *const AllocatorProperties) -> HRESULT {
        guard::hresult(|| {
            if properties.is_null() {
                return E_POINTER;
            }
            if self.pin().connection().is_some() {
                return VFW_E_ALREADY_CONNECTED;
            }
            // SAFETY: not null, so good for reading, as COM requires of the caller.
            lock(&self.pin().state).suggested = Some(unsafe { properties.read() });
            S_OK
        })
    }

    unsafe fn GetAllocatorProperties(&self, properties: *mut AllocatorProperties) -> HRESULT {
        guard::hresult(|| {
            if properties.is_null() {
                return E_POINTER;
            }
            if self.pin().connection().is_none() {
                return VFW_E_NOT_CONNECTED;
            }
            match self.pin().allocator() {
                // SAFETY: an interface the pin was given; the structure is there.
                Some(allocator) => unsafe { allocator.get().GetProperties(properties) },
                None => E_FAIL,
            }
        })
    }
}
