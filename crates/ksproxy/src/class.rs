//! The library's class and its factory: how `CoCreateInstance` makes an allocator.

use crate::exports::KspCreateAllocator;
use crate::guard;
use crate::hresult::*;
use crate::interfaces::{IClassFactory, IClassFactory_Impl};
use crate::module::{self, FactoryMade};
use core::ffi::c_void;
use core::ptr::null_mut;
use ks::Guid;
use windows_core::{GUID, HRESULT, IUnknown, Ref, implement};

/// The class of the allocator object: its only identifier in a registry, and what `DllGetClassObject` knows.
pub const CLSID_KspAllocator: Guid = Guid::from_u128(0x5FA6F11F_72A3_4A16_A13C_00B3CBED2BAE);

/// The factory of [`CLSID_KspAllocator`].
#[implement(IClassFactory)]
struct AllocatorFactory {
    _made: FactoryMade,
}

impl IClassFactory_Impl for AllocatorFactory_Impl {
    unsafe fn CreateInstance(&self, outer: Ref<'_, IUnknown>, iid: *const GUID, object: *mut *mut c_void) -> HRESULT {
        guard::hresult(|| {
            if object.is_null() {
                return E_POINTER;
            }
            // SAFETY: not null, so good for writing, as COM requires of the caller.
            unsafe { object.write(null_mut()) };
            if outer.is_some() {
                return CLASS_E_NOAGGREGATION;
            }
            // SAFETY: as COM requires of the caller; both are null or good.
            unsafe { KspCreateAllocator(iid, object) }
        })
    }

    unsafe fn LockServer(&self, lock: i32) -> HRESULT {
        guard::hresult(|| {
            let counted = if lock != 0 { module::lock_server() } else { module::unlock_server() };
            if counted { S_OK } else { E_UNEXPECTED }
        })
    }
}

/// A factory of the class, or `None` for a class that is not here.
pub(crate) fn factory(class: &GUID) -> Option<IClassFactory> {
    let known = *class == GUID::from_u128(CLSID_KspAllocator.to_u128());
    known.then(|| AllocatorFactory { _made: FactoryMade::new() }.into())
}
