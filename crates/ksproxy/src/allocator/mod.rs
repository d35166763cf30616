//! The allocator object: `IKsAllocatorEx` and `IMemAllocatorCallbackTemp` over one [`kspipe::allocator::Allocator`].
//!
//! One allocator, two faces: frames, properties and life cycle are the engine's, and what its Rust users do shows
//! through the interfaces and the other way round. The object adds what only COM has: identity, the kernel half (mode,
//! handle, extended properties), the notified client, samples, and its reference to itself while committed.
//!
//! One lock per object guards the kernel half and the life cycle. It is never held while a caller waits for a frame,
//! nor while anything foreign runs: callbacks, their release, the object's own, a pin's methods, a driver's answer.

mod kernel_streaming;
mod memory;
mod properties;

use crate::handle::OwnedHandle;
use crate::interfaces::{IKsAllocatorEx, IMemAllocatorCallbackTemp};
use crate::lock::{Lock, lock};
use crate::object_access::ObjectAccess;
use crate::sample::Slabs;
use core::cell::UnsafeCell;
use core::ffi::c_void;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering, fence};
use ks::{AllocatorProperties, AllocatorPropertiesEx};
use kspipe::allocator::{Allocator, RawFrame};
use std::sync::{Arc, OnceLock};
use windows_core::{IUnknownImpl, implement};

/// The object behind the interfaces.
#[implement(IKsAllocatorEx, IMemAllocatorCallbackTemp)]
pub(crate) struct AllocatorObject {
    /// Frames, properties, life cycle.
    engine: Allocator,
    /// How handles are reached.
    access: Arc<dyn ObjectAccess>,
    /// `KSALLOCATORMODE`. Written under the lock of `state`.
    mode: AtomicU32,
    /// What `KsGetProperties` points to. Written under the lock of `state`, and by whoever has the pointer.
    extended: UnsafeCell<AllocatorPropertiesEx>,
    /// What `NextSegments` points to, where this library linked the pipe.
    next_segments: OnceLock<Segments>,
    /// Committed through this face. Written under the lock of `state`; read by samples on their way home.
    committed: AtomicBool,
    state: Lock<State>,
    samples: Slabs,
    /// Samples that somebody has.
    samples_out: AtomicU32,
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
    /// Whether a client is to be notified: the engine has it.
    notifies: bool,
}

impl AllocatorObject {
    /// An object in user mode, without handle, over `engine`.
    pub(crate) fn new(engine: Allocator, access: Arc<dyn ObjectAccess>) -> Self {
        Self {
            engine,
            access,
            mode: AtomicU32::new(0),
            extended: UnsafeCell::new(AllocatorPropertiesEx::default()),
            next_segments: OnceLock::new(),
            committed: AtomicBool::new(false),
            state: Lock::default(),
            samples: Slabs::default(),
            samples_out: AtomicU32::new(0),
        }
    }

    /// Zeroes the extended properties, padding and all: C programs compare whole structures (statement 115). To be
    /// called once the object is where it stays, before anybody else has it.
    pub(crate) fn clear_extended(&self) {
        // SAFETY: the object's own structure, of which zero is a value, and which nobody else can reach yet.
        unsafe { self.extended.get().write_bytes(0, 1) };
    }

    /// The engine's allocator.
    pub(crate) fn engine(&self) -> &Allocator {
        &self.engine
    }
}

impl AllocatorObject_Impl {
    /// Gives a frame home, whose sample has no reference any more, and does what follows from it: the engine
    /// notifies the client, and a decommit that waited for it completes. The object may be gone afterwards.
    ///
    /// # Safety
    ///
    /// `object` is alive: the frame is still out, so it refers to itself.
    pub(crate) unsafe fn take_home(object: NonNull<Self>, frame: RawFrame) {
        // SAFETY: alive, and from here on by the reference taken here.
        let this = unsafe { object.as_ref() };
        this.AddRef();
        // A sample's frame is the engine's and reclaimed once, so this is no error. Dropping it is its way home.
        drop(this.engine.reclaim(frame));
        this.samples_out.fetch_sub(1, Ordering::SeqCst);
        if !this.committed.load(Ordering::SeqCst) {
            this.complete_decommit();
        }
        // SAFETY: gives up the reference taken above.
        unsafe { Self::Release(object.as_ptr()) };
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
        let complete = state.refers_to_itself
            && !self.committed.load(Ordering::SeqCst)
            && self.samples_out.load(Ordering::SeqCst) == 0;
        if complete {
            state.refers_to_itself = false;
        }
        drop(state);
        if complete {
            let this: *const Self = self;
            // SAFETY: the reference `refer_to_itself` took, given up once because the flag was taken down under the
            // lock.
            unsafe { Self::Release(this.cast_mut()) };
        }
    }
}

impl Drop for AllocatorObject {
    fn drop(&mut self) {
        // What other threads did before they gave up their references is done: `implement` counts down with Release.
        fence(Ordering::Acquire);
        // Neither the client's last Release nor the closing of the handle may let a panic out: this is called from the
        // object's own Release.
        crate::guard::value((), || {
            let state = std::mem::take(&mut *lock(&self.state));
            if state.notifies {
                drop(self.engine.set_notify(None));
            }
        });
    }
}
