//! `KspCreatePin`: ready pins for programs in C and C++. Their header is `include/kspipe.h`.

use super::KsPinBuilder;
use super::name::Name;
use crate::guard;
use crate::hresult::*;
use core::ffi::c_void;
use core::ptr::null_mut;
use ks::{FramingEx, KsAllocatorFramingEx, KsPinCommunication, PinDirection};
use ksobject::{Handle, OwnedHandle};
use windows_core::{GUID, HRESULT, Interface};

/// `KSP_PIN_DESCRIPTION`: what [`KspCreatePin`] makes a pin with. Zero, or null, is "none" or "as usual" in every member but the
/// first.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct KspPinDescription {
    /// `Size`: the bytes of this structure.
    pub size: u32,
    /// `Direction`.
    pub direction: PinDirection,
    /// `PinName`: in UTF-16, ending in a zero; copied. At most 32767 units.
    pub pin_name: *const u16,
    /// `FilterName`: likewise.
    pub filter_name: *const u16,
    /// `Framing`: copied.
    pub framing: *const KsAllocatorFramingEx,
    /// `FramingSize`: the bytes of the framing, exactly as many as its `CountItems` says.
    pub framing_size: u32,
    /// `Communication`: which side of a connection the pin is; NONE is a sink for an input pin and a source for an
    /// output pin.
    pub communication: KsPinCommunication,
    /// `Handle`: the pin owns it, once it is created, and closes it at its end.
    pub handle: Handle,
}

/// The most units of a name: a text that goes on for longer has probably lost its zero.
const MAX_UNITS: usize = 32767;

/// A name of the caller's.
///
/// # Safety
///
/// `text` is null or good for reading up to its zero.
unsafe fn name(text: *const u16) -> Result<Option<Name>, HRESULT> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: not null, and nothing is read after the zero, as the caller promises.
    let length = (0..=MAX_UNITS).find(|index| unsafe { text.add(*index).read() } == 0).ok_or(E_INVALIDARG)?;
    // SAFETY: as many were read just now.
    Ok(Some(Name::from_units(unsafe { core::slice::from_raw_parts(text, length) })))
}

/// The builder that a description asks for.
///
/// # Safety
///
/// The pointers in it are null or good for reading what the description says.
unsafe fn builder(described: &KspPinDescription) -> Result<KsPinBuilder, HRESULT> {
    if ![PinDirection::INPUT, PinDirection::OUTPUT].contains(&described.direction) {
        return Err(E_INVALIDARG);
    }
    let mut builder = KsPinBuilder::new(described.direction, "");
    // SAFETY: as the caller promises.
    let names = unsafe { (name(described.pin_name)?, name(described.filter_name)?) };
    builder = builder.with_names(names.0, names.1);
    if !described.framing.is_null() {
        // SAFETY: not null, so good for as many bytes as are said, as the caller promises.
        let bytes = unsafe { core::slice::from_raw_parts(described.framing.cast(), described.framing_size as usize) };
        builder = builder.framing(FramingEx::parse(bytes).map_err(|_| E_INVALIDARG)?);
    } else if described.framing_size != 0 {
        return Err(E_POINTER);
    }
    if described.communication != KsPinCommunication::NONE {
        builder = builder.communication(described.communication);
    }
    Ok(builder)
}

/// Creates a ready pin and asks it for an interface.
///
/// `*object` has one reference, the caller's; on failure it is null, and the handle stays the caller's. For any thread.
///
/// Answers `S_OK`, `E_POINTER` for a null pointer, `E_INVALIDARG` for a wrong size, direction, name or framing,
/// `E_HANDLE` where the handle names nothing, `E_NOINTERFACE`, `E_UNEXPECTED`.
///
/// # Safety
///
/// `pin` is null or good for reading a [`KspPinDescription`] whose pointers are good for what it says, and whose handle is the
/// caller's to give. `iid` is null or good for reading a GUID, `object` null or good for writing a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn KspCreatePin(
    pin: *const KspPinDescription,
    iid: *const GUID,
    object: *mut *mut c_void,
) -> HRESULT {
    guard::hresult(|| {
        if object.is_null() {
            return E_POINTER;
        }
        // SAFETY: not null, so good for writing, as the caller promises.
        unsafe { object.write(null_mut()) };
        if pin.is_null() || iid.is_null() {
            return E_POINTER;
        }
        // The size comes first: the rest is read only where it is there.
        // SAFETY: not null, so good for reading its first member.
        if unsafe { (&raw const (*pin).size).read() } as usize != size_of::<KspPinDescription>() {
            return E_INVALIDARG;
        }
        // SAFETY: good for reading, as the caller promises.
        let described = unsafe { pin.read() };
        // SAFETY: so are its pointers.
        let made = match unsafe { builder(&described) } {
            Ok(builder) => builder.build(),
            Err(error) => return error,
        };
        // SAFETY: both are good, as the caller promises; on failure the object's own QueryInterface writes null.
        let answer = unsafe { made.interface().query(iid, object) };
        if answer.is_err() || [Handle::NULL, Handle::INVALID].contains(&described.handle) {
            return answer;
        }
        // SAFETY: the caller gives the handle away.
        match unsafe { OwnedHandle::from_raw(described.handle) } {
            Some(handle) => {
                // A new pin has no handle yet, so it takes this one.
                let taken = made.set_handle(handle).is_ok();
                debug_assert!(taken);
                S_OK
            }
            None => {
                // SAFETY: the reference that was just counted is given up.
                drop(unsafe { windows_core::IUnknown::from_raw(object.replace(null_mut())) });
                E_HANDLE
            }
        }
    })
}
