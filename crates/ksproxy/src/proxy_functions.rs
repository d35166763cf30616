//! The six functions of ksproxy.ax (ksproxy.h), by their names, arguments and documented behaviour.
//!
//! Here is the border only: pointers become slices and structures, or an HRESULT; what is done with them is safe code
//! elsewhere.
#![allow(non_snake_case, reason = "the names of the header")]

use crate::default_device;
use crate::guard;
use crate::hresult::*;
use crate::pin_factory_query::PinFactoryQuery;
use core::ffi::c_void;
use core::ptr::null_mut;
use ks::{AmMediaType, AttributeList, DataRange, DataRangeFlags, KsDataRange, KsMultipleItem};
use ksobject::Handle;
use ksobject::required_attributes;
use ksobject::{DeviceError, ObjectAccess, Win32Error};
use std::sync::Arc;
use windows_core::{GUID, HRESULT};

/// How the functions reach objects.
fn objects() -> Arc<dyn ObjectAccess> {
    ksobject::objects_of_the_system()
}

/// Sends a request to a KS object and waits for its end, also where the object lets it wait (`ERROR_IO_PENDING`).
///
/// `io_control` is one of [`ks::IOCTLS`]. Which buffer holds what is said at [`ObjectAccess::device_io_control`]. The
/// buffers may be the same memory or overlap: the object reads the request as it was before the call, from a copy. Else
/// the object sees the buffers where they are, which tells events apart.
///
/// Answers `S_OK`, and the number of bytes answered in `*bytes_returned`; `E_POINTER` where that pointer is null or a
/// buffer with a length is; `E_INVALIDARG` for a length that no memory has; `E_UNEXPECTED`; else `HRESULT_FROM_WIN32`
/// of what `DeviceIoControl` fails with. Then `*bytes_returned` is 0, but with `ERROR_MORE_DATA` and
/// `ERROR_INSUFFICIENT_BUFFER` the bytes that the answer takes. For any thread.
///
/// Microsoft: [KsSynchronousDeviceControl][page].
///
/// [page]: https://learn.microsoft.com/windows-hardware/drivers/ddi/ksproxy/nf-ksproxy-kssynchronousdevicecontrol
///
/// # Safety
///
/// Each buffer is null or good for its length: the first for reading, the second for both. `bytes_returned` is null or
/// good for writing. Nobody else uses the memory during the call, nor closes the handle.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn KsSynchronousDeviceControl(
    handle: Handle,
    io_control: u32,
    in_buffer: *const c_void,
    in_length: u32,
    out_buffer: *mut c_void,
    out_length: u32,
    bytes_returned: *mut u32,
) -> HRESULT {
    guard::hresult(|| {
        if bytes_returned.is_null() {
            return E_POINTER;
        }
        let (input, output) =
            match (area(in_buffer.cast(), in_length), area(out_buffer.cast_const().cast(), out_length)) {
                (Ok(input), Ok(output)) => (input, output),
                (Err(error), _) | (_, Err(error)) => {
                    // SAFETY: not null, so good for writing, as the caller promises.
                    unsafe { bytes_returned.write_unaligned(0) };
                    return error;
                }
            };
        // SAFETY: not null and good for the length, as the caller promises, or empty.
        let given = unsafe { core::slice::from_raw_parts(input.start, input.length) };
        let overlap = input.overlaps(&output);
        let copy = overlap.then(|| given.to_vec());
        // The original is used no more where there is a copy.
        let request = copy.as_deref().unwrap_or(given);
        // SAFETY: as above, and what is read meanwhile lies elsewhere.
        let data = unsafe { core::slice::from_raw_parts_mut(output.start.cast_mut(), output.length) };
        let (answer, returned) = match objects().device_io_control(handle, io_control, request, data) {
            Ok(returned) => (S_OK, returned),
            Err(DeviceError { error, returned }) => (error.to_hresult(), returned),
        };
        // SAFETY: as above; the slices are used no more.
        unsafe { bytes_returned.write_unaligned(u32::try_from(returned).unwrap_or(u32::MAX)) };
        answer
    })
}

/// Bytes of a caller's.
struct Area {
    start: *const u8,
    length: usize,
}

impl Area {
    fn overlaps(&self, other: &Self) -> bool {
        let (a, b) = (self.start.addr(), other.start.addr());
        self.length != 0 && other.length != 0 && a < b + other.length && b < a + self.length
    }
}

/// A buffer, which may be null only where it has no length, and wraps around the end of memory nowhere.
fn area(start: *const u8, length: u32) -> Result<Area, HRESULT> {
    let length = usize::try_from(length).map_err(|_| E_INVALIDARG)?;
    if length == 0 {
        return Ok(Area { start: core::ptr::NonNull::<u8>::dangling().as_ptr(), length });
    }
    if start.is_null() {
        return Err(E_POINTER);
    }
    let sound = isize::try_from(length).is_ok() && start.addr().checked_add(length).is_some();
    if sound { Ok(Area { start, length }) } else { Err(E_INVALIDARG) }
}

/// Gets a property of `KSPROPSETID_Pin` of a filter's pin factory, however long it is.
///
/// `*items` is task memory that the caller frees (`CoTaskMemFree`; on Linux `free`), or null on failure. For a list it
/// begins with a `KSMULTIPLE_ITEM`. It is what the device answered, unchecked.
///
/// Answers `S_OK`, `E_POINTER` for a null pointer, `E_HANDLE`, `E_OUTOFMEMORY` also for more than 16 MiB,
/// `ERROR_INVALID_DATA` as an HRESULT where the device answers nothing, `E_UNEXPECTED`; else `HRESULT_FROM_WIN32` of
/// what the device answered. For any thread.
///
/// Microsoft: [KsGetMultiplePinFactoryItems][page].
///
/// [page]: https://learn.microsoft.com/windows-hardware/drivers/ddi/ksproxy/nf-ksproxy-ksgetmultiplepinfactoryitems
///
/// # Safety
///
/// `items` is null or good for writing a pointer. Nobody closes the handle during the call.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn KsGetMultiplePinFactoryItems(
    filter_handle: Handle,
    pin_factory_id: u32,
    property_id: u32,
    items: *mut *mut c_void,
) -> HRESULT {
    guard::hresult(|| {
        if items.is_null() {
            return E_POINTER;
        }
        // SAFETY: not null, so good for writing, as the caller promises.
        unsafe { items.write(null_mut()) };
        let factory = PinFactoryQuery { access: &*objects(), filter: filter_handle, id: pin_factory_id };
        match factory.items(property_id) {
            Ok(bytes) => {
                // SAFETY: as above.
                unsafe { items.write(bytes.into_raw()) };
                S_OK
            }
            Err(error) => error,
        }
    })
}

/// How many media types a filter's pin factory has: as many as data ranges.
///
/// The ranges are those of `KSPROPERTY_PIN_CONSTRAINEDDATARANGES` or, where the filter does not answer it, of
/// `KSPROPERTY_PIN_DATARANGES`. Lists of attributes are not counted. On failure `*media_type_count` is 0.
///
/// Answers as [`KsGetMultiplePinFactoryItems`], and `ERROR_INVALID_DATA` as an HRESULT for a malformed list. For any
/// thread.
///
/// Microsoft: [KsGetMediaTypeCount][page].
///
/// [page]: https://learn.microsoft.com/windows-hardware/drivers/ddi/ksproxy/nf-ksproxy-ksgetmediatypecount
///
/// # Safety
///
/// `media_type_count` is null or good for writing. Nobody closes the handle during the call.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn KsGetMediaTypeCount(
    filter_handle: Handle,
    pin_factory_id: u32,
    media_type_count: *mut u32,
) -> HRESULT {
    guard::hresult(|| {
        if media_type_count.is_null() {
            return E_POINTER;
        }
        let factory = PinFactoryQuery { access: &*objects(), filter: filter_handle, id: pin_factory_id };
        let (count, answer) = match factory.media_type_count() {
            Ok(count) => (count, S_OK),
            Err(error) => (0, error),
        };
        // SAFETY: not null, so good for writing, as the caller promises.
        unsafe { media_type_count.write(count) };
        answer
    })
}

/// The media type at a position: the format that the filter makes of its data range there
/// (`KSPROPERTY_PIN_DATAINTERSECTION`), as an `AM_MEDIA_TYPE`.
///
/// Position 0 is the first of the ranges that [`KsGetMediaTypeCount`] counts. What `*media_type` held before is
/// overwritten, not freed. Its format block is task memory that the caller frees (`FreeMediaType`); `pUnk` is null.
/// Unless the answer is `S_OK`, the whole structure is zero.
///
/// Answers `S_OK`; `E_POINTER` for a null pointer; `E_INVALIDARG` for a negative position; `VFW_S_NO_MORE_ITEMS`, which
/// is no failure, for one past the last range, as DirectShow's pins answer; else as [`KsGetMediaTypeCount`]. For any
/// thread.
///
/// Microsoft: [KsGetMediaType][page].
///
/// [page]: https://learn.microsoft.com/windows-hardware/drivers/ddi/ksproxy/nf-ksproxy-ksgetmediatype
///
/// # Safety
///
/// `media_type` is null or good for writing. Nobody closes the handle during the call.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn KsGetMediaType(
    position: i32,
    media_type: *mut AmMediaType,
    filter_handle: Handle,
    pin_factory_id: u32,
) -> HRESULT {
    guard::hresult(|| {
        if media_type.is_null() {
            return E_POINTER;
        }
        // SAFETY: not null, so good for writing, as the caller promises; zero is a value of the structure.
        unsafe { media_type.write_bytes(0, 1) };
        let Ok(position) = usize::try_from(position) else { return E_INVALIDARG };
        let factory = PinFactoryQuery { access: &*objects(), filter: filter_handle, id: pin_factory_id };
        match factory.media_type(position) {
            Ok(Some(format)) => {
                // SAFETY: as above.
                unsafe { media_type.write(format.into_media_type()) };
                S_OK
            }
            Ok(None) => VFW_S_NO_MORE_ITEMS,
            Err(error) => error,
        }
    })
}

/// Opens the first device of a category: on Windows the first present device interface of that class that SetupAPI
/// lists, opened with `access` and for overlapped requests. The caller closes the handle.
///
/// Elsewhere there are no categories of devices: `ERROR_NO_MORE_ITEMS` as an HRESULT, which is also the answer on
/// Windows where the category is empty. On failure `*device_handle` is null.
///
/// Answers `S_OK`, `E_POINTER` for a null pointer, `E_UNEXPECTED`; else an HRESULT of a Win32 error. For any thread.
///
/// Microsoft: [KsOpenDefaultDevice][page].
///
/// [page]: https://learn.microsoft.com/windows-hardware/drivers/ddi/ksproxy/nf-ksproxy-ksopendefaultdevice
///
/// # Safety
///
/// `category` is null or good for reading a GUID, `device_handle` null or good for writing a handle.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn KsOpenDefaultDevice(
    category: *const GUID,
    access: u32,
    device_handle: *mut Handle,
) -> HRESULT {
    guard::hresult(|| {
        if device_handle.is_null() {
            return E_POINTER;
        }
        // SAFETY: not null, so good for writing, as the caller promises.
        unsafe { device_handle.write(Handle::NULL) };
        if category.is_null() {
            return E_POINTER;
        }
        // SAFETY: not null, so good for reading, as the caller promises.
        match default_device::open(unsafe { &*category }, access) {
            Ok(device) => {
                // SAFETY: as above.
                unsafe { device_handle.write(device.into_raw()) };
                S_OK
            }
            Err(error) => error.to_hresult(),
        }
    })
}

/// Whether the attributes that are asked for and those attached to a data range suit each other.
///
/// `attributes` is a `KSMULTIPLE_ITEM` followed by that many `KSATTRIBUTE`s, each at a multiple of 8 bytes. Every one of
/// them must be attached to the range, and every attached one that is required (`KSATTRIBUTE_REQUIRED`) must be among
/// them; an attribute is known by its GUID. Where `attributes` is null, the range must have no list attached, as
/// Microsoft's page says, not even an empty one. The range is not changed.
///
/// Answers `S_OK`, `E_POINTER` for a null range, `E_INVALIDARG` for a range or list whose sizes contradict each other,
/// `ERROR_NOT_FOUND` as an HRESULT where they do not suit, `E_UNEXPECTED`. For any thread.
///
/// Microsoft: [KsResolveRequiredAttributes][page].
///
/// [page]: https://learn.microsoft.com/windows-hardware/drivers/ddi/ksproxy/nf-ksproxy-ksresolverequiredattributes
///
/// # Safety
///
/// `data_range` is null or good for reading a `KSDATARANGE`, for as many bytes as its `FormatSize` says, and, where its
/// flags say that a list follows, for that list's head and as many bytes as its `Size` says. `attributes` is null or good
/// for reading a `KSMULTIPLE_ITEM` and as many bytes as its `Size` says. Nobody writes to them during the call.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn KsResolveRequiredAttributes(
    data_range: *const KsDataRange,
    attributes: *const KsMultipleItem,
) -> HRESULT {
    guard::hresult(|| {
        if data_range.is_null() {
            return E_POINTER;
        }
        // SAFETY: not null, and good for what it says, as the caller promises.
        let range = unsafe { range_bytes(data_range) }.and_then(|bytes| DataRange::parse(bytes).ok());
        let Some(range) = range else { return E_INVALIDARG };
        let mut asked = None;
        if !attributes.is_null() {
            // SAFETY: as above.
            let list = unsafe { list_bytes(attributes.cast(), 0) }.and_then(|bytes| AttributeList::parse(bytes).ok());
            let Some(list) = list else { return E_INVALIDARG };
            asked = Some(list);
        }
        if required_attributes::are_met(&range, asked.as_ref()) { S_OK } else { Win32Error::NOT_FOUND.to_hresult() }
    })
}

/// A range and the list that follows it, as long as they say they are; `None` where that is too long for memory.
///
/// # Safety
///
/// As [`KsResolveRequiredAttributes`] says.
unsafe fn range_bytes<'a>(range: *const KsDataRange) -> Option<&'a [u8]> {
    // SAFETY: good for reading its head, as the caller promises.
    let head = unsafe { range.read_unaligned() };
    let size = usize::try_from(head.format_size).ok()?;
    if size < size_of::<KsDataRange>() {
        return None;
    }
    if head.range_flags().contains(DataRangeFlags::ATTRIBUTES) {
        // SAFETY: a list follows the range, as the caller promises.
        return unsafe { list_bytes(range.cast(), size.checked_next_multiple_of(8)?) };
    }
    // SAFETY: good for its size, as the caller promises.
    unsafe { bytes(range.cast(), size) }
}

/// Everything from `start` to the end of the list of attributes that lies `offset` bytes further.
///
/// # Safety
///
/// `start` is good for reading up to the list, the list's head, and as many bytes of it as it says.
unsafe fn list_bytes<'a>(start: *const u8, offset: usize) -> Option<&'a [u8]> {
    // The head's place must be one in memory.
    start.addr().checked_add(offset)?.checked_add(size_of::<KsMultipleItem>())?;
    // SAFETY: the head is there, as the caller promises.
    let head = unsafe { start.add(offset).cast::<KsMultipleItem>().read_unaligned() };
    let size = usize::try_from(head.size).ok()?.max(size_of_val(&head));
    // SAFETY: good for as many bytes, as the caller promises.
    unsafe { bytes(start, offset.checked_add(size)?) }
}

/// Bytes of a caller's, if there can be as many.
///
/// # Safety
///
/// `start` is good for reading `length` bytes, which nobody writes to for the lifetime.
unsafe fn bytes<'a>(start: *const u8, length: usize) -> Option<&'a [u8]> {
    let sound = isize::try_from(length).is_ok() && start.addr().checked_add(length).is_some();
    // SAFETY: as the caller promises.
    sound.then(|| unsafe { core::slice::from_raw_parts(start, length) })
}
