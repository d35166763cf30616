//! `IMemAllocator` and `IMemAllocatorCallbackTemp`.

use super::properties::{self, Request};
use super::{AllocatorObject, State};
use crate::guard;
use crate::hresult::*;
use crate::interfaces::{
    IMediaSample, IMemAllocator_Impl, IMemAllocatorCallbackTemp_Impl, IMemAllocatorNotifyCallbackTemp,
};
use crate::sample::{Sample, Whose};
use crate::sync::{Ordering, lock};
use ks::{AllocatorProperties, GetBufferFlags, KsAllocatorMode};
use kspipe::allocator::{AcquireError, CommitError, Frame, SetPropertiesError};
use std::sync::Arc;
use windows_core::{HRESULT, Interface, Ref};

/// The HRESULT an `Err` carries, or `S_OK`.
fn answer(result: Result<(), HRESULT>) -> HRESULT {
    result.err().unwrap_or(S_OK)
}

impl AllocatorObject {
    /// Whether the object is in kernel mode, where the memory half does nothing.
    pub(super) fn in_kernel_mode(&self) -> bool {
        self.mode.load(Ordering::SeqCst) == KsAllocatorMode::KERNEL.0
    }

    /// Whether nothing is committed and every frame is home.
    pub(super) fn engine_is_idle(&self) -> bool {
        let status = self.engine.status();
        !status.committed && !status.draining
    }

    /// The properties as `GetProperties` says them.
    pub(super) fn properties(&self, state: &State) -> Result<AllocatorProperties, HRESULT> {
        let properties = self.engine.properties();
        match state.unfit {
            Some(unfit) if properties::is_placeholder(properties) => Ok(unfit),
            _ => properties::from_engine(properties),
        }
    }

    /// `SetProperties`, the pointers being good.
    fn set_properties(&self, asked: AllocatorProperties) -> Result<AllocatorProperties, HRESULT> {
        let request = properties::request(asked)?;
        let mut state = lock(&self.state);
        if self.in_kernel_mode() {
            return Err(VFW_E_ALREADY_COMMITTED);
        }
        let (given, unfit) = match request {
            Request::Fit(properties) => (properties, None),
            Request::Unfit(unfit) => (properties::PLACEHOLDER, Some(unfit)),
        };
        self.engine.set_properties(given).map_err(|error| match error {
            SetPropertiesError::BadAlignment { .. } => VFW_E_BADALIGN,
            SetPropertiesError::AlreadyCommitted => VFW_E_ALREADY_COMMITTED,
            SetPropertiesError::FramesOutstanding { .. } => VFW_E_BUFFERS_OUTSTANDING,
        })?;
        state.unfit = unfit;
        self.properties(&state)
    }
}

impl AllocatorObject {
    /// `Commit`.
    fn commit(&self) -> Result<(), HRESULT> {
        let mut state = lock(&self.state);
        if self.in_kernel_mode() {
            return Ok(());
        }
        let properties = self.engine.properties();
        match state.unfit {
            Some(unfit) if properties::is_placeholder(properties) => return Err(properties::commit_error(unfit)),
            _ => properties::check_commit(properties)?,
        }
        // At most `MAX_FRAMES`, which `check_commit` saw to.
        let samples = properties.frames as usize;
        if self.engine_is_idle() {
            // The engine knows, and the reference to itself does not: a frame is home before its decommit is complete,
            // and a client may commit again in between.
            self.samples.prepare(self.whole, samples)?;
        } else {
            self.samples.grow(self.whole, samples)?;
        }
        self.engine.commit().map_err(|error| match error {
            CommitError::NotSet { .. } => VFW_E_SIZENOTSET,
            CommitError::TooLarge { .. } | CommitError::OutOfMemory { .. } | CommitError::Unsupported { .. } => {
                E_OUTOFMEMORY
            }
        })?;
        // Nothing was committed so far, or this changes nothing.
        self.committed.store(true, Ordering::Release);
        self.samples.for_each(Sample::dismiss);
        self.refer_to_itself(&mut state);
        Ok(())
    }

    /// `Decommit` in user mode. The caller has a reference and does not hold the lock.
    pub(super) fn decommit(&self) {
        let mut state = lock(&self.state);
        self.decommit_locked(&mut state);
        drop(state);
        self.complete_decommit();
    }

    /// The part of `Decommit` that needs the lock.
    pub(super) fn decommit_locked(&self, state: &mut State) {
        self.committed.store(false, Ordering::Release);
        self.samples.for_each(|sample| state.summoned += usize::from(sample.summon()));
        self.engine.decommit();
    }

    /// `GetBuffer`: mostly, this thread's next frame is free, and its sample goes out by one compare-and-swap. Whatever
    /// else there may be to it is out of line and comes last, so that this keeps what it has in registers.
    ///
    /// # Safety
    ///
    /// `buffer` is good for writing, and what is there need not be dropped.
    #[inline(always)]
    unsafe fn get_buffer(&self, buffer: *mut Option<IMediaSample>, flags: GetBufferFlags) -> HRESULT {
        let mut taken = None;
        // In kernel mode nothing is committed.
        if self.committed.load(Ordering::Acquire)
            && let Some(frame) = self.engine.acquire_hinted()
        {
            let issued = match self.samples.get(frame.index() as usize) {
                Some(sample) => sample.issue(frame),
                None => Err(frame),
            };
            match issued {
                Ok(sample) => {
                    // SAFETY: as the caller promises.
                    unsafe { buffer.write(Some(sample)) };
                    return S_OK;
                }
                Err(frame) => taken = Some(frame),
            }
        }
        // SAFETY: as the caller promises.
        unsafe { self.get_buffer_attended(buffer, flags, taken) }
    }

    /// `GetBuffer`, whatever there is to it; a frame may be taken already.
    ///
    /// # Safety
    ///
    /// As for [`Self::get_buffer`].
    #[cold]
    #[inline(never)]
    unsafe fn get_buffer_attended(
        &self,
        buffer: *mut Option<IMediaSample>,
        flags: GetBufferFlags,
        taken: Option<Frame>,
    ) -> HRESULT {
        // SAFETY: as the caller promises.
        unsafe { buffer.write(None) };
        let issued = match taken {
            Some(frame) => self.issue(frame),
            None => self.acquire(flags).and_then(|frame| self.issue(frame)),
        };
        answer(issued.map(|sample| {
            // SAFETY: as the caller promises.
            unsafe { buffer.write(Some(sample)) };
        }))
    }

    /// A frame, waiting for one if the flags allow.
    fn acquire(&self, flags: GetBufferFlags) -> Result<Frame, HRESULT> {
        if !self.committed.load(Ordering::Acquire) {
            return Err(VFW_E_NOT_COMMITTED);
        }
        let no_wait = flags.contains(GetBufferFlags::NOWAIT);
        let frame = if no_wait { self.engine.try_acquire() } else { self.engine.acquire(None) };
        frame.map_err(|error| match error {
            AcquireError::NotCommitted => VFW_E_NOT_COMMITTED,
            AcquireError::Empty | AcquireError::TimedOut => VFW_E_TIMEOUT,
        })
    }

    /// Sends a frame out as a sample. A frame that cannot be goes home, outside the lock.
    fn issue(&self, frame: Frame) -> Result<IMediaSample, HRESULT> {
        // Only where the engine was given other properties behind this face's back is this no LONG.
        let size = i32::try_from(frame.len()).map_err(|_| E_UNEXPECTED)?;
        let index = frame.index() as usize;
        let state = lock(&self.state);
        let sample = if self.committed.load(Ordering::Relaxed) {
            // Nothing grows but where the engine was given more frames behind this face's back.
            self.samples.grow(self.whole, index + 1).and_then(|()| self.samples.get(index).ok_or(E_UNEXPECTED))
        } else {
            // Decommitted since the frame was taken.
            Err(VFW_E_NOT_COMMITTED)
        };
        let issued = match sample {
            Ok(sample) => {
                sample.dismiss();
                sample.fit(size);
                // Dismissed, under the lock: nothing stands in the way.
                sample.issue(frame).map_err(|frame| (frame, E_UNEXPECTED))
            }
            Err(error) => Err((frame, error)),
        };
        drop(state);
        issued.map_err(|(frame, error)| {
            drop(frame);
            error
        })
    }

    /// `ReleaseBuffer`: the pointer is only compared.
    fn release_buffer(&self, buffer: usize) -> HRESULT {
        match self.samples.whose(buffer) {
            // SAFETY: a sample of this object's, whose reference the caller gives up.
            Whose::Ours(sample) if unsafe { Sample::release_only_reference(sample) } => S_OK,
            Whose::Ours(_) | Whose::Foreign => E_INVALIDARG,
        }
    }
}

impl IMemAllocator_Impl for AllocatorObject {
    unsafe fn SetProperties(&self, request: *const AllocatorProperties, actual: *mut AllocatorProperties) -> HRESULT {
        guard::hresult(|| {
            if request.is_null() || actual.is_null() {
                return E_POINTER;
            }
            // SAFETY: not null, so good for reading, as COM requires of the caller.
            let asked = unsafe { request.read() };
            // The two may be one structure, so what is asked was read before.
            // SAFETY: not null, so good for writing.
            unsafe { actual.write(AllocatorProperties::default()) };
            answer(self.set_properties(asked).map(|properties| {
                // SAFETY: as above.
                unsafe { actual.write(properties) }
            }))
        })
    }

    unsafe fn GetProperties(&self, properties: *mut AllocatorProperties) -> HRESULT {
        guard::hresult(|| {
            if properties.is_null() {
                return E_POINTER;
            }
            let now = self.properties(&lock(&self.state));
            answer(now.map(|now| {
                // SAFETY: not null, so good for writing, as COM requires of the caller.
                unsafe { properties.write(now) }
            }))
        })
    }

    unsafe fn Commit(&self) -> HRESULT {
        guard::hresult(|| answer(self.commit()))
    }

    unsafe fn Decommit(&self) -> HRESULT {
        guard::hresult(|| {
            if !self.in_kernel_mode() {
                self.decommit();
            }
            S_OK
        })
    }

    #[inline]
    unsafe fn GetBuffer(
        &self,
        buffer: *mut Option<IMediaSample>,
        _start: *const i64,
        _end: *const i64,
        flags: GetBufferFlags,
    ) -> HRESULT {
        guard::hresult(|| {
            if buffer.is_null() {
                return E_POINTER;
            }
            // SAFETY: not null, so good for writing, as COM requires of the caller; what was there is not dropped.
            unsafe { self.get_buffer(buffer, flags) }
        })
    }

    unsafe fn ReleaseBuffer(&self, buffer: Ref<'_, IMediaSample>) -> HRESULT {
        guard::hresult(|| match buffer.as_ref() {
            None => E_POINTER,
            Some(sample) => self.release_buffer(sample.as_raw().addr()),
        })
    }
}

impl IMemAllocatorCallbackTemp_Impl for AllocatorObject {
    unsafe fn SetNotify(&self, notify: Ref<'_, IMemAllocatorNotifyCallbackTemp>) -> HRESULT {
        guard::hresult(|| {
            self.set_notify(notify.cloned());
            S_OK
        })
    }

    unsafe fn GetFreeCount(&self, free: *mut i32) -> HRESULT {
        guard::hresult(|| {
            if free.is_null() {
                return E_POINTER;
            }
            let count = self.free_count();
            // SAFETY: not null, so good for writing, as COM requires of the caller.
            unsafe { free.write(count) };
            S_OK
        })
    }
}

/// The client that is told of free frames.
struct Client(IMemAllocatorNotifyCallbackTemp);

// SAFETY: a client's callback may be called and released on any thread, as its interface's page says.
unsafe impl Send for Client {}
// SAFETY: as above.
unsafe impl Sync for Client {}

impl Client {
    /// Tells the client that a frame is free. The engine holds no lock while this runs; what the client answers is
    /// ignored (statement 84).
    fn notify(&self) {
        guard::value((), || {
            // SAFETY: an interface of the client, which this holds a reference to.
            let _ignored = unsafe { self.0.NotifyRelease() };
        });
    }
}

impl AllocatorObject {
    /// Sets the client to notify. The new one is referenced already when the old one is released, which may be the
    /// same (statement 83).
    fn set_notify(&self, client: Option<IMemAllocatorNotifyCallbackTemp>) {
        let client = client.map(Client);
        let notify = client.map(|client| Arc::new(move || client.notify()) as Arc<dyn Fn() + Send + Sync>);
        let mut state = lock(&self.state);
        state.notifies = notify.is_some();
        let old = self.engine.set_notify(notify);
        drop(state);
        // Its last Release is the client's code, and runs outside every lock.
        drop(old);
    }

    /// The samples that nobody holds, whether they are committed or only configured (statements 86, 87).
    fn free_count(&self) -> i32 {
        let state = lock(&self.state);
        let all = self.properties(&state).map_or(0, |properties| properties.c_buffers.max(0));
        drop(state);
        all.saturating_sub(i32::try_from(self.engine.status().in_use).unwrap_or(i32::MAX)).max(0)
    }
}
