//! The default device of a category: the first one the system lists.

#[cfg(windows)]
mod setup_api;
#[cfg(windows)]
pub(crate) use setup_api::open;

/// There are no categories of devices here.
#[cfg(not(windows))]
pub(crate) fn open(
    _category: &windows_core::GUID,
    _access: u32,
) -> Result<ksobject::OwnedHandle, ksobject::Win32Error> {
    Err(ksobject::Win32Error::NO_MORE_ITEMS)
}
