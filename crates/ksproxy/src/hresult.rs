//! The HRESULTs the interfaces answer, by their names in the headers.

use ks::Hresult;
use ksobject::Win32Error;
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
    CLASS_E_NOAGGREGATION CLASS_E_CLASSNOTAVAILABLE SELFREG_E_CLASS
    VFW_S_NO_MORE_ITEMS
    S_OK S_FALSE E_POINTER E_NOINTERFACE E_NOTIMPL E_FAIL E_UNEXPECTED E_OUTOFMEMORY E_INVALIDARG E_HANDLE
    VFW_E_ALREADY_CONNECTED VFW_E_NO_ACCEPTABLE_TYPES VFW_E_INVALID_DIRECTION VFW_E_NOT_CONNECTED VFW_E_NO_ALLOCATOR
    VFW_E_NOT_STOPPED VFW_E_WRONG_STATE VFW_E_TYPE_NOT_ACCEPTED VFW_S_NO_STOP_TIME VFW_E_BUFFER_OVERFLOW VFW_E_BADALIGN VFW_E_ALREADY_COMMITTED VFW_E_BUFFERS_OUTSTANDING
    VFW_E_NOT_COMMITTED VFW_E_SIZENOTSET VFW_E_TIMEOUT VFW_E_CIRCULAR_GRAPH VFW_E_SAMPLE_TIME_NOT_SET VFW_E_MEDIA_TIME_NOT_SET
}

/// `HRESULT_FROM_WIN32`. An error that is an HRESULT already stays as it is.
pub const fn from_win32(error: Win32Error) -> HRESULT {
    let code = error.0.cast_signed();
    if code <= 0 { HRESULT(code) } else { HRESULT((error.0 & 0xFFFF | 0x8007_0000).cast_signed()) }
}

/// What fails with an HRESULT at the interfaces' border.
pub trait ToHresult {
    /// The failure as an HRESULT: [`from_win32`].
    fn to_hresult(self) -> HRESULT;
}

impl ToHresult for Win32Error {
    fn to_hresult(self) -> HRESULT {
        from_win32(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn win32_errors_map_as_hresult_from_win32_maps_them() {
        assert_eq!(Win32Error(0).to_hresult(), S_OK);
        assert_eq!(Win32Error::INVALID_HANDLE.to_hresult(), E_HANDLE);
        assert_eq!(Win32Error::INVALID_PARAMETER.to_hresult(), E_INVALIDARG);
        assert_eq!(Win32Error(0x8004_0211).to_hresult(), VFW_E_NOT_COMMITTED, "an HRESULT stays one");
    }
}
