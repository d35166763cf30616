//! [`TaskBytes`], bytes in task memory, until they are given to a caller who frees them.

use crate::task_memory;
use core::ffi::c_void;
use core::mem::ManuallyDrop;
use core::ptr::NonNull;

/// Bytes that `CoTaskMemFree` frees once they are given away, and this if they are not.
#[derive(Debug)]
pub(crate) struct TaskBytes {
    memory: NonNull<c_void>,
    length: usize,
}

impl TaskBytes {
    /// So many zeros; `None` where there is no memory left.
    pub(crate) fn zeroed(length: usize) -> Option<Self> {
        let memory = task_memory::allocate(length)?;
        // SAFETY: new, and as long as asked.
        unsafe { memory.as_ptr().write_bytes(0, length) };
        Some(Self { memory, length })
    }

    /// A copy.
    pub(crate) fn copy(bytes: &[u8]) -> Option<Self> {
        let mut copy = Self::zeroed(bytes.len())?;
        copy.as_mut_slice().copy_from_slice(bytes);
        Some(copy)
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        // SAFETY: owned, that long, and written when it was made.
        unsafe { core::slice::from_raw_parts(self.memory.as_ptr().cast(), self.length) }
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [u8] {
        // SAFETY: as above, and borrowed from its owner alone.
        unsafe { core::slice::from_raw_parts_mut(self.memory.as_ptr().cast(), self.length) }
    }

    /// Forgets all bytes but the first ones. The memory stays.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    /// Gives the memory away, to be freed as task memory is.
    pub(crate) fn into_raw(self) -> *mut c_void {
        ManuallyDrop::new(self).memory.as_ptr()
    }
}

impl Drop for TaskBytes {
    fn drop(&mut self) {
        // SAFETY: from `task_memory`, and nobody uses it after its owner.
        unsafe { task_memory::free(self.memory) };
    }
}
