//! The media types that a ready pin prefers: none, since it takes any.

use crate::guard;
use crate::hresult::*;
use crate::interfaces::{IEnumMediaTypes, IEnumMediaTypes_Impl};
use ks::AmMediaType;
use windows_core::{HRESULT, implement};

/// An enumerator of nothing: it is always at its end.
#[implement(IEnumMediaTypes)]
pub(super) struct NoMediaTypes;

/// What passing over, or giving, so many of no types answers.
fn none_of(count: u32) -> HRESULT {
    if count == 0 { S_OK } else { S_FALSE }
}

impl IEnumMediaTypes_Impl for NoMediaTypes_Impl {
    unsafe fn Next(&self, count: u32, media_types: *mut *mut AmMediaType, fetched: *mut u32) -> HRESULT {
        guard::hresult(|| {
            if media_types.is_null() {
                return E_POINTER;
            }
            if !fetched.is_null() {
                // SAFETY: not null, so good for writing, as COM requires of the caller.
                unsafe { fetched.write(0) };
            } else if count > 1 {
                return E_INVALIDARG;
            }
            none_of(count)
        })
    }

    unsafe fn Skip(&self, count: u32) -> HRESULT {
        guard::hresult(|| none_of(count))
    }

    unsafe fn Reset(&self) -> HRESULT {
        guard::hresult(|| S_OK)
    }

    unsafe fn Clone(&self, enumerator: *mut Option<IEnumMediaTypes>) -> HRESULT {
        guard::hresult(|| {
            if enumerator.is_null() {
                return E_POINTER;
            }
            // SAFETY: not null, so good for writing, as COM requires of the caller. What was there is not dropped.
            unsafe { enumerator.write(Some(NoMediaTypes.into())) };
            S_OK
        })
    }
}
