//! [`MediaType`], an `AM_MEDIA_TYPE` of our own: a deep copy in task memory.

use crate::hresult::{E_OUTOFMEMORY, E_POINTER};
use crate::task_memory;
use core::mem::ManuallyDrop;
use core::ptr::{NonNull, copy_nonoverlapping};
use ks::AmMediaType;
use windows_core::{HRESULT, IUnknown, Interface};

/// A media type with its format block and a reference to its `pUnk`, all owned. Never changed once made.
#[derive(Debug)]
pub(crate) struct MediaType(NonNull<AmMediaType>);

// SAFETY: the structure and its format block are owned and never written to after their making. The `pUnk` is shared
// between threads as DirectShow's samples, which any thread may ask for their type, require of it.
unsafe impl Send for MediaType {}
// SAFETY: as above.
unsafe impl Sync for MediaType {}

impl MediaType {
    /// A deep copy of `source`: structure and format block copied, `pUnk` referenced.
    ///
    /// `E_POINTER` where a format block is announced and none is there; `E_OUTOFMEMORY`.
    ///
    /// # Safety
    ///
    /// `source` is well-formed: its format pointer is null or good for `cbFormat` bytes, its `pUnk` null or an
    /// interface.
    pub(crate) unsafe fn copy(source: &AmMediaType) -> Result<Self, HRESULT> {
        // SAFETY: as the caller promises.
        let format = unsafe { copy_format(source)? };
        let Some(memory) = task_memory::allocate(size_of::<AmMediaType>()) else {
            free_format(format);
            return Err(E_OUTOFMEMORY);
        };
        let memory = memory.cast::<AmMediaType>();
        let copy = AmMediaType {
            p_unk: reference(source.p_unk),
            cb_format: if format.is_some() { source.cb_format } else { 0 },
            pb_format: format.map_or(core::ptr::null_mut(), |format| format.as_ptr().cast()),
            ..*source
        };
        // SAFETY: the memory is new, large enough, and aligned for any C type.
        unsafe { memory.write(copy) };
        Ok(Self(memory))
    }

    /// Takes over a structure that [`into_raw`](Self::into_raw) gave away.
    ///
    /// # Safety
    ///
    /// It is owned by the caller, as are its format block (null or task memory) and `pUnk` (null or a reference).
    pub(crate) unsafe fn from_raw(structure: NonNull<AmMediaType>) -> Self {
        Self(structure)
    }

    /// The structure.
    pub(crate) fn get(&self) -> &AmMediaType {
        // SAFETY: `self` owns the structure, which was initialised at its making and is never written to.
        unsafe { self.0.as_ref() }
    }

    /// Where the structure is.
    pub(crate) fn as_ptr(&self) -> *mut AmMediaType {
        self.0.as_ptr()
    }

    /// Gives what the structure holds away, to be freed as `FreeMediaType` does: the format block and `pUnk`.
    pub(crate) fn into_parts(self) -> AmMediaType {
        let parts = *self.get();
        // SAFETY: from `task_memory`, and `self` is consumed; what the structure points to is the caller's now.
        unsafe { task_memory::free(ManuallyDrop::new(self).0.cast()) };
        parts
    }

    /// Gives the structure away, to be freed as `DeleteMediaType` does.
    pub(crate) fn into_raw(self) -> *mut AmMediaType {
        ManuallyDrop::new(self).0.as_ptr()
    }
}

impl Drop for MediaType {
    fn drop(&mut self) {
        let AmMediaType { p_unk, pb_format, .. } = *self.get();
        free_format(NonNull::new(pb_format.cast()));
        // SAFETY: from `task_memory`, and nobody uses it after its owner.
        unsafe { task_memory::free(self.0.cast()) };
        if !p_unk.is_null() {
            // SAFETY: the reference `copy` took is given up, and only here.
            drop(unsafe { IUnknown::from_raw(p_unk) });
        }
    }
}

/// A copy of the format block; `None` if there is none.
///
/// # Safety
///
/// The format pointer is null or good for `cbFormat` bytes.
unsafe fn copy_format(source: &AmMediaType) -> Result<Option<NonNull<u8>>, HRESULT> {
    let size = usize::try_from(source.cb_format).map_err(|_| E_OUTOFMEMORY)?;
    if size == 0 {
        return Ok(None);
    }
    if source.pb_format.is_null() {
        return Err(E_POINTER);
    }
    let copy = task_memory::allocate(size).ok_or(E_OUTOFMEMORY)?.cast::<u8>();
    // SAFETY: the source is good for `size` bytes (the caller), the copy is that large and new.
    unsafe { copy_nonoverlapping(source.pb_format.cast::<u8>(), copy.as_ptr(), size) };
    Ok(Some(copy))
}

/// Frees a format block.
fn free_format(format: Option<NonNull<u8>>) {
    if let Some(format) = format {
        // SAFETY: from `copy_format`, whose result has one owner.
        unsafe { task_memory::free(format.cast()) };
    }
}

/// One more reference to an interface, or null.
fn reference(unknown: *mut core::ffi::c_void) -> *mut core::ffi::c_void {
    // SAFETY: `copy`'s caller promises null or an interface.
    match unsafe { IUnknown::from_raw_borrowed(&unknown) } {
        Some(unknown) => unknown.clone().into_raw(),
        None => core::ptr::null_mut(),
    }
}
