//! [`AllocatorFunctions`]: the direct interface of an allocator.

use super::allocator::StreamAllocator;
use ks::NtStatus;
use std::ffi::c_void;
use std::ptr::{NonNull, with_exposed_provenance_mut};
use std::sync::{Arc, Weak};

/// `KSSTREAMALLOCATOR_FUNCTIONTABLE` of an allocator of this process: what a driver beside it would call, and no client
/// gets through a handle (statement 143). It does not keep the allocator: once its last handle is closed every call
/// fails. Any thread may call, and no call waits for a frame.
#[derive(Clone, Debug)]
pub struct AllocatorFunctions(Weak<StreamAllocator>);

impl AllocatorFunctions {
    pub(crate) fn new(allocator: &Arc<StreamAllocator>) -> Self {
        Self(Arc::downgrade(allocator))
    }

    /// `AllocateFrame`: takes a frame at once, of the framing's `FrameSize` and alignment. Requests that wait come first:
    /// while there are any, there is no frame for this.
    ///
    /// # Errors
    /// `STATUS_INSUFFICIENT_RESOURCES` where no frame is free (statement 144), `STATUS_INVALID_HANDLE` where the
    /// allocator has ended.
    pub fn allocate_frame(&self) -> Result<NonNull<c_void>, NtStatus> {
        let frame = self.allocator()?.allocate()?;
        NonNull::new(with_exposed_provenance_mut(frame)).ok_or(NtStatus::STATUS_UNSUCCESSFUL)
    }

    /// `FreeFrame`: gives a frame back, whichever way it was taken. The first request that waits gets it, and the
    /// FREEFRAME event is signalled.
    ///
    /// # Errors
    /// `STATUS_INVALID_PARAMETER` where this is no frame that is out, `STATUS_INVALID_HANDLE` where the allocator has
    /// ended.
    pub fn free_frame(&self, frame: NonNull<c_void>) -> Result<(), NtStatus> {
        self.allocator()?.free(frame.addr().get())
    }

    fn allocator(&self) -> Result<Arc<StreamAllocator>, NtStatus> {
        self.0.upgrade().ok_or(NtStatus::STATUS_INVALID_HANDLE)
    }
}
