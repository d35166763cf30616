//! The allocator object: `IKsAllocatorEx` and `IMemAllocatorCallbackTemp` over one [`kspipe::allocator::Allocator`].
//!
//! One allocator, two faces: frames, properties and life cycle are the engine's, and what its Rust users do shows
//! through the interfaces and the other way round. The object adds what only COM has: identity, the kernel half (mode,
//! handle, extended properties), the notified client, samples, and its reference to itself while committed.
//!
//! One lock per object guards the kernel half and the life cycle. It is never held while a caller waits for a frame,
//! nor while anything foreign runs: callbacks, their release, the object's own, a pin's methods, a driver's answer.

mod identity;
mod kernel_streaming;
mod memory;
#[cfg(all(test, loom))]
mod models;
mod properties;

use crate::interfaces::{IKsAllocatorEx_Vtbl, IMemAllocatorCallbackTemp_Vtbl};
use crate::sample::{Leaving, Slabs};
use crate::sync::{AtomicBool, Lock, Ordering, lock};
use core::cell::UnsafeCell;
use core::ffi::c_void;
use core::ptr::NonNull;
use core::sync::atomic::AtomicU32;
use ks::{AllocatorProperties, AllocatorPropertiesEx};
use ksobject::ObjectAccess;
use ksobject::OwnedHandle;
use kspipe::allocator::Allocator;
use std::sync::{Arc, OnceLock};
use windows_core::IUnknownImpl;

/// The object behind the interfaces. Its first two members are the two interface pointers; where it is, it stays.
#[repr(C)]
pub(crate) struct AllocatorObject {
    /// `IKsAllocatorEx`, and the object's identity.
    ks: &'static IKsAllocatorEx_Vtbl,
    /// `IMemAllocatorCallbackTemp`.
    memory: &'static IMemAllocatorCallbackTemp_Vtbl,
    /// The object, by the pointer it was put in its box with: what interface pointers are made of, because the last one
    /// frees it.
    whole: NonNull<Self>,
    /// How many references there are.
    references: AtomicU32,
    /// `KSALLOCATORMODE`. Written under the lock of `state`.
    mode: AtomicU32,
    /// Committed through this face. Written under the lock of `state`.
    committed: AtomicBool,
    samples: Slabs,
    /// Frames, properties, life cycle.
    engine: Allocator,
    /// How handles are reached.
    access: Arc<dyn ObjectAccess>,
    /// What `KsGetProperties` points to. Written under the lock of `state`, and by whoever has the pointer.
    extended: UnsafeCell<AllocatorPropertiesEx>,
    /// What `NextSegments` points to, where this library linked the pipe.
    next_segments: OnceLock<Segments>,
    state: Lock<State>,
}

/// Pipes downstream, as plain pointers that nobody here follows.
pub(crate) struct Segments(Box<[*mut c_void]>);

// SAFETY: the pointers are only numbers here.
unsafe impl Send for Segments {}
// SAFETY: as above.
unsafe impl Sync for Segments {}

/// What the object's lock guards.
#[derive(Default)]
struct State {
    /// The allocator's handle, which the object owns.
    handle: Option<Arc<OwnedHandle>>,
    /// The properties last asked for, where they are such as the engine cannot hold (a negative number). Commit
    /// refuses them.
    unfit: Option<AllocatorProperties>,
    /// Whether the object holds a reference to itself: from Commit until the decommit is complete.
    refers_to_itself: bool,
    /// Samples that were out at some Decommit and are still: each is summoned, so each reports when it is back.
    summoned: usize,
    /// Whether a client is to be notified: the engine has it.
    notifies: bool,
}

impl AllocatorObject {
    /// An object in user mode, without handle, over `engine`, to be put in its box.
    fn new(engine: Allocator, access: Arc<dyn ObjectAccess>) -> Self {
        Self {
            ks: &identity::KS,
            memory: &identity::MEMORY,
            whole: NonNull::dangling(),
            references: AtomicU32::new(1),
            mode: AtomicU32::new(0),
            committed: AtomicBool::new(false),
            samples: Slabs::new(),
            engine,
            access,
            extended: UnsafeCell::new(AllocatorPropertiesEx::default()),
            next_segments: OnceLock::new(),
            state: Lock::new(State::default()),
        }
    }

    /// The engine's allocator.
    pub(crate) fn engine(&self) -> &Allocator {
        &self.engine
    }

    /// Takes a summoned sample home, whose only reference is being given up, and does what follows from it: the engine
    /// notifies the client, and a decommit that waited for it completes. The object may be gone afterwards. `false`, and
    /// nothing is changed, if another thread was quicker.
    ///
    /// # Safety
    ///
    /// `object` is alive: the sample is out and counted, so it refers to itself.
    pub(crate) unsafe fn take_home(object: NonNull<Self>, sample: Leaving) -> bool {
        // SAFETY: alive, and from here on by the reference taken here.
        let this = unsafe { object.as_ref() };
        this.AddRef();
        let mut state = lock(&this.state);
        // SAFETY: alive, as above.
        let frame = unsafe { sample.come_home(!this.committed.load(Ordering::Relaxed)) };
        // Counted when it was summoned, and each comes home once.
        state.summoned = state.summoned.saturating_sub(usize::from(frame.is_some()));
        drop(state);
        let home = frame.is_some();
        // Its way home, on which the client is notified.
        drop(frame);
        this.complete_decommit();
        // SAFETY: gives up the reference taken above.
        unsafe { Self::Release(object.as_ptr()) };
        home
    }

    /// Takes the reference that keeps a committed object alive. Called under the lock.
    fn refer_to_itself(&self, state: &mut State) {
        if !state.refers_to_itself {
            self.AddRef();
            state.refers_to_itself = true;
        }
    }

    /// Gives that reference up if nothing is committed and every sample is home. (A frame that the engine's Rust side
    /// has needs no object.) The caller has a reference, so that
    /// the object outlives the call, and does not hold the lock.
    fn complete_decommit(&self) {
        let mut state = lock(&self.state);
        let complete = state.refers_to_itself && !self.committed.load(Ordering::Relaxed) && state.summoned == 0;
        if complete {
            state.refers_to_itself = false;
        }
        drop(state);
        if complete {
            // SAFETY: the reference `refer_to_itself` took, given up once because the flag was taken down under the
            // lock.
            unsafe { Self::Release(self.whole.as_ptr()) };
        }
    }
}

impl Drop for AllocatorObject {
    fn drop(&mut self) {
        let state = std::mem::take(&mut *lock(&self.state));
        if state.notifies {
            drop(self.engine.set_notify(None));
        }
    }
}
