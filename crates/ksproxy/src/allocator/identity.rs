//! The allocator's `IUnknown`: who it is, what it answers to, and how long it lives.
//!
//! Written by hand where `windows_core::implement` would generate it, because that answers more than an allocator is:
//! `IInspectable`, `IAgileObject`, on Windows `IMarshal`, weak references, and a number of its own that writes two
//! pointers where a caller expects one. An allocator answers `IUnknown` and its own interfaces, and to everything else
//! `E_NOINTERFACE` with a null pointer (statements 14 to 16).

use super::AllocatorObject;
use crate::guard;
use crate::hresult::*;
use crate::interfaces::{
    IKsAllocator, IKsAllocatorEx, IKsAllocatorEx_Vtbl, IMemAllocator, IMemAllocatorCallbackTemp,
    IMemAllocatorCallbackTemp_Vtbl,
};
use core::ffi::c_void;
use core::ptr::{NonNull, null_mut};
use core::sync::atomic::{Ordering, fence};
use ksobject::ObjectAccess;
use kspipe::allocator::Allocator;
use std::sync::Arc;
use windows_core::{
    ComObject, ComObjectInner, ComObjectInterface, GUID, HRESULT, IUnknown, IUnknownImpl, Interface, InterfaceRef,
};

/// The vtable at the object's beginning.
pub(super) static KS: IKsAllocatorEx_Vtbl = IKsAllocatorEx_Vtbl::new::<AllocatorObject, 0>();

/// The vtable one pointer further.
pub(super) static MEMORY: IMemAllocatorCallbackTemp_Vtbl = IMemAllocatorCallbackTemp_Vtbl::new::<AllocatorObject, -1>();

const _: () = {
    assert!(core::mem::offset_of!(AllocatorObject, ks) == 0);
    assert!(core::mem::offset_of!(AllocatorObject, memory) == size_of::<usize>());
};

impl AllocatorObject {
    /// A new object over `engine`, and the one reference to it.
    pub(crate) fn create(engine: Allocator, access: Arc<dyn ObjectAccess>) -> ComObject<Self> {
        Self::new(engine, access).into_object()
    }

    /// The pointer of the interface that is answered to this question.
    fn face(&self, iid: &GUID) -> Option<NonNull<c_void>> {
        let this = self.whole.cast::<c_void>();
        if [IUnknown::IID, IKsAllocator::IID, IKsAllocatorEx::IID].contains(iid) {
            Some(this)
        } else if [IMemAllocator::IID, IMemAllocatorCallbackTemp::IID].contains(iid) {
            // SAFETY: the object's second pointer is inside it.
            Some(unsafe { this.byte_add(size_of::<usize>()) })
        } else {
            None
        }
    }
}

impl IUnknownImpl for AllocatorObject {
    type Impl = Self;

    fn get_impl(&self) -> &Self {
        self
    }

    fn get_impl_mut(&mut self) -> &mut Self {
        self
    }

    fn into_inner(self) -> Self {
        self
    }

    unsafe fn QueryInterface(&self, iid: *const GUID, interface: *mut *mut c_void) -> HRESULT {
        guard::hresult(|| {
            if interface.is_null() {
                return E_POINTER;
            }
            // SAFETY: neither is null where it is used, so good for that, as COM requires of the caller.
            unsafe { interface.write(null_mut()) };
            if iid.is_null() {
                return E_POINTER;
            }
            // SAFETY: as above.
            let Some(face) = self.face(&unsafe { iid.read_unaligned() }) else { return E_NOINTERFACE };
            self.AddRef();
            // SAFETY: as above.
            unsafe { interface.write(face.as_ptr()) };
            S_OK
        })
    }

    /// At the far end the count stays, for ever: it never wraps to a number that destroys an object in use.
    fn AddRef(&self) -> u32 {
        // Relaxed, as in `Arc`: whatever brings the reference to another thread orders this before.
        match self.references.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| count.checked_add(1)) {
            Ok(count) => count + 1,
            Err(count) => count,
        }
    }

    unsafe fn Release(this: *mut Self) -> u32 {
        let less = |count: u32| if count == u32::MAX { None } else { count.checked_sub(1) };
        // SAFETY: the caller has a reference, so the object is there until that is given up here.
        let references = unsafe { &(*this).references };
        // Release: what this holder did is done before the last one goes on.
        match references.fetch_update(Ordering::Release, Ordering::Relaxed, less) {
            Ok(1) => {
                // What the other holders did is done.
                fence(Ordering::Acquire);
                // Neither the client's last Release nor the closing of the handle may let a panic out.
                // SAFETY: from `into_object`, and nobody refers to it any more.
                guard::value((), || drop(unsafe { Box::from_raw(this) }));
                0
            }
            Ok(count) => count - 1,
            Err(count) => count,
        }
    }

    fn is_reference_count_one(&self) -> bool {
        self.references.load(Ordering::Acquire) == 1
    }

    /// Of `IInspectable`, which an allocator is not.
    unsafe fn GetTrustLevel(&self, _value: *mut i32) -> HRESULT {
        E_NOINTERFACE
    }

    fn to_object(&self) -> ComObject<Self> {
        self.AddRef();
        // SAFETY: the reference counted above; the object is in its box, for there are no others.
        unsafe { ComObject::from_raw(self.whole) }
    }
}

impl ComObjectInner for AllocatorObject {
    type Outer = Self;

    fn into_object(self) -> ComObject<Self> {
        // SAFETY: a box is somewhere.
        let this = unsafe { NonNull::new_unchecked(Box::into_raw(Box::new(self))) };
        // SAFETY: new, and nobody else's yet.
        unsafe { (*this.as_ptr()).whole = this };
        // Zeroes the extended properties, padding and all: C programs compare whole structures (statement 115).
        // SAFETY: the object's own structure, of which zero is a value, and which nobody else can reach yet.
        unsafe { this.as_ref().extended.get().write_bytes(0, 1) };
        // SAFETY: in its box, with the one reference it was made with.
        unsafe { ComObject::from_raw(this) }
    }
}

impl ComObjectInterface<IKsAllocatorEx> for AllocatorObject {
    fn as_interface_ref(&self) -> InterfaceRef<'_, IKsAllocatorEx> {
        // SAFETY: the object's first member is the interface's vtable.
        unsafe { InterfaceRef::from_raw(self.whole.cast()) }
    }
}

impl ComObjectInterface<IMemAllocatorCallbackTemp> for AllocatorObject {
    fn as_interface_ref(&self) -> InterfaceRef<'_, IMemAllocatorCallbackTemp> {
        // SAFETY: the object's second member, one pointer on, is the interface's vtable.
        unsafe { InterfaceRef::from_raw(self.whole.cast::<c_void>().byte_add(size_of::<usize>())) }
    }
}
