//! The HRESULTs the interfaces answer, by their names in the headers.

use ks::Hresult;
use windows_core::HRESULT;

/// The names of [`Hresult`] as [`HRESULT`]s, the type `windows-core`'s interfaces speak.
macro_rules! same_as {
    ($($name:ident)*) => {
        $(
            #[doc = concat!("See [`Hresult::", stringify!($name), "`].")]
            pub const $name: HRESULT = HRESULT(Hresult::$name.0);
        )*
    };
}

same_as! {
    S_OK S_FALSE E_POINTER E_NOINTERFACE E_UNEXPECTED E_OUTOFMEMORY E_INVALIDARG E_HANDLE
    CLASS_E_NOAGGREGATION CLASS_E_CLASSNOTAVAILABLE SELFREG_E_CLASS
    VFW_S_NO_STOP_TIME VFW_S_NO_MORE_ITEMS VFW_E_BUFFER_OVERFLOW VFW_E_BADALIGN VFW_E_ALREADY_COMMITTED VFW_E_BUFFERS_OUTSTANDING
    VFW_E_NOT_COMMITTED VFW_E_SIZENOTSET VFW_E_TIMEOUT VFW_E_SAMPLE_TIME_NOT_SET VFW_E_MEDIA_TIME_NOT_SET
}
