//! The default device on Windows: the first device interface that SetupAPI lists.

use core::mem::offset_of;
use core::ptr::{null, null_mut};
use ksobject::Win32Error;
use ksobject::{Handle, OwnedHandle};
use windows_core::GUID;
use windows_sys::Win32::Devices::DeviceAndDriverInstallation::{
    DIGCF_DEVICEINTERFACE, DIGCF_PRESENT, HDEVINFO, SP_DEVICE_INTERFACE_DATA, SP_DEVICE_INTERFACE_DETAIL_DATA_W,
    SetupDiDestroyDeviceInfoList, SetupDiEnumDeviceInterfaces, SetupDiGetClassDevsW, SetupDiGetDeviceInterfaceDetailW,
};
use windows_sys::Win32::Foundation::GetLastError;
use windows_sys::Win32::Storage::FileSystem::{
    CreateFileW, FILE_ATTRIBUTE_NORMAL, FILE_FLAG_OVERLAPPED, FILE_SHARE_NONE, OPEN_EXISTING,
};

/// A list of devices.
struct Devices(HDEVINFO);

impl Drop for Devices {
    fn drop(&mut self) {
        // SAFETY: from SetupDiGetClassDevsW, and nobody uses it after its owner.
        unsafe { SetupDiDestroyDeviceInfoList(self.0) };
    }
}

/// Why the call just made failed.
fn last_error() -> Win32Error {
    // SAFETY: it may always be called.
    Win32Error(unsafe { GetLastError() })
}

/// `Err` with the last error where a call answered FALSE.
fn succeeded(answer: i32) -> Result<(), Win32Error> {
    if answer == 0 { Err(last_error()) } else { Ok(()) }
}

/// Opens the first device of a category.
pub(crate) fn open(category: &GUID, access: u32) -> Result<OwnedHandle, Win32Error> {
    let path = first_path(category)?;
    // SAFETY: the path ends in a zero; the rest may be null.
    let device = unsafe {
        CreateFileW(
            path.as_ptr(),
            access,
            FILE_SHARE_NONE,
            null(),
            OPEN_EXISTING,
            FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OVERLAPPED,
            null_mut(),
        )
    };
    // SAFETY: a new handle, which belongs to nobody else, or none.
    unsafe { OwnedHandle::from_raw(Handle::from(device)) }.ok_or_else(last_error)
}

/// The path of the first device of a category, ending in a zero.
fn first_path(category: &GUID) -> Result<Vec<u16>, Win32Error> {
    let category: *const GUID = category;
    // SAFETY: a GUID, in the layout both crates have it; the rest may be null.
    let list =
        unsafe { SetupDiGetClassDevsW(category.cast(), null(), null_mut(), DIGCF_PRESENT | DIGCF_DEVICEINTERFACE) };
    // INVALID_HANDLE_VALUE
    if list == -1 {
        return Err(last_error());
    }
    let devices = Devices(list);
    let mut first = SP_DEVICE_INTERFACE_DATA {
        cbSize: size_of::<SP_DEVICE_INTERFACE_DATA>() as u32,
        ..SP_DEVICE_INTERFACE_DATA::default()
    };
    // SAFETY: the list is there, the structure says its size.
    succeeded(unsafe { SetupDiEnumDeviceInterfaces(devices.0, null(), category.cast(), 0, &mut first) })?;
    let mut bytes = 0;
    // Fails, because nothing fits into nothing, and says the size.
    // SAFETY: as above; no detail is asked for.
    unsafe { SetupDiGetDeviceInterfaceDetailW(devices.0, &first, null_mut(), 0, &mut bytes, null_mut()) };
    let path_at = offset_of!(SP_DEVICE_INTERFACE_DETAIL_DATA_W, DevicePath);
    if (bytes as usize) < size_of::<SP_DEVICE_INTERFACE_DETAIL_DATA_W>() {
        return Err(last_error());
    }
    // Words, so that the structure is aligned.
    let mut detail = vec![0_u32; (bytes as usize).div_ceil(size_of::<u32>())];
    // `cbSize` is that of the fixed part, which every caller has to say.
    detail[0] = size_of::<SP_DEVICE_INTERFACE_DETAIL_DATA_W>() as u32;
    let start = detail.as_mut_ptr();
    // SAFETY: as above, and the detail is as long as said.
    succeeded(unsafe {
        SetupDiGetDeviceInterfaceDetailW(devices.0, &first, start.cast(), bytes, null_mut(), null_mut())
    })?;
    let units = (bytes as usize - path_at) / size_of::<u16>();
    // SAFETY: inside the detail, which is initialised, and aligned to two bytes.
    let path = unsafe { core::slice::from_raw_parts(start.cast::<u8>().add(path_at).cast::<u16>(), units) };
    Ok(path.iter().copied().take_while(|unit| *unit != 0).chain([0]).collect())
}
