//! [`KsAllocator`]: the allocator object, from Rust.

use crate::allocator::AllocatorObject;
use crate::interfaces::{IKsAllocatorEx, IKsPin, IMemAllocator, IMemAllocatorCallbackTemp};
use core::ffi::c_void;
use ks::{AllocatorPropertiesEx, KsAllocatorMode, KsStreamAllocatorStatus};
use ksobject::ObjectAccess;
use ksobject::{Handle, OwnedHandle};
use kspipe::allocator::{Allocator, MemoryKind};
use std::fmt;
use std::sync::Arc;
use windows_core::{ComObject, Interface};

/// The allocator object: a COM object over an [`Allocator`], and one reference to it.
///
/// Clones refer to the same object. What is done to the [`Allocator`] shows through the interfaces, and the other way
/// round:
///
/// ```
/// use kspipe::allocator::{Allocator, AllocatorProperties, MemoryKind};
/// use ksproxy::KsAllocator;
///
/// let allocator = Allocator::new(MemoryKind::default());
/// let face = KsAllocator::from_allocator(allocator.clone());
/// allocator.set_properties(AllocatorProperties { frames: 4, size: 4096, alignment: 64, prefix: 0 })?;
/// assert_eq!(face.status()?.framing.frames, 4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Like every COM allocator, one that was committed through `IMemAllocator::Commit` refers to itself until it is
/// decommitted and every sample is home, so that it outlives what its clients drop.
#[derive(Clone)]
pub struct KsAllocator(ComObject<AllocatorObject>);

// SAFETY: the object's references are counted atomically, what it holds is behind a lock or atomic, and its engine,
// samples and access are for any thread. What `KsGetProperties` points to is written under the lock, or through that
// pointer by unsafe code that has to see to it that nobody else reads or writes meanwhile.
unsafe impl Send for KsAllocator {}
// SAFETY: as above.
unsafe impl Sync for KsAllocator {}

impl KsAllocator {
    /// A new allocator: in user mode, without handle, all properties zero, its frames in memory of the default kind.
    pub fn new() -> Self {
        Self::from_allocator(Allocator::new(MemoryKind::default()))
    }

    /// The COM face of an allocator that exists.
    ///
    /// `IMemAllocator::GetBuffer` gives its frames once `IMemAllocator::Commit` was called, whether or not the
    /// allocator was committed before; `IMemAllocator::Decommit` decommits it for its Rust users too.
    pub fn from_allocator(allocator: Allocator) -> Self {
        Self::with_access(allocator, ksobject::objects_of_the_system())
    }

    /// The COM face of an allocator, reaching KS objects through `access` instead of the system's way.
    pub fn with_access(allocator: Allocator, access: Arc<dyn ObjectAccess>) -> Self {
        crate::module::object_made();
        Self(AllocatorObject::create(allocator, access))
    }

    /// The allocator behind the interfaces.
    pub fn allocator(&self) -> &Allocator {
        self.0.engine()
    }

    /// The interface the object exists for, with a reference of its own.
    pub fn interface(&self) -> IKsAllocatorEx {
        self.0.to_interface()
    }

    /// The memory half, with a reference of its own.
    pub fn memory_interface(&self) -> IMemAllocatorCallbackTemp {
        self.0.to_interface()
    }

    /// `KsGetAllocatorMode`.
    pub fn mode(&self) -> KsAllocatorMode {
        self.0.mode()
    }

    /// `KsSetAllocatorMode`: going to kernel mode decommits first; going back does not commit again. Another value
    /// than the two is ignored.
    pub fn set_mode(&self, mode: KsAllocatorMode) {
        let interface = self.interface();
        // SAFETY: the object's own interface, and no pointers in the call.
        unsafe { interface.KsSetAllocatorMode(mode) };
    }

    /// `KsGetAllocatorStatus`: of the allocator behind the handle, or, without a handle, of this one.
    ///
    /// # Errors
    /// What the object behind the handle answered; `E_OUTOFMEMORY` where the allocator's properties are no LONGs.
    pub fn status(&self) -> windows_core::Result<KsStreamAllocatorStatus> {
        self.0.status().map_err(windows_core::Error::from_hresult)
    }

    /// A copy of what `KsGetProperties` points to. Nobody may be writing through that pointer meanwhile.
    pub fn properties_ex(&self) -> AllocatorPropertiesEx {
        self.0.extended()
    }

    /// `KsSetProperties`: what was negotiated for the allocator's pipe. It does not change the properties that
    /// `IMemAllocator` has; the segments in it are kept as they are, without references. Nobody may be reading or
    /// writing through the pointer of `KsGetProperties` meanwhile.
    pub fn set_properties_ex(&self, properties: &AllocatorPropertiesEx) {
        self.0.set_extended(properties);
    }

    /// Links the pipe to its neighbours: `PrevSegment`, `CountNextSegments` and `NextSegments`, plain pointers. The array
    /// is the object's and lives as long. To be called once, before anybody else has the object.
    pub(crate) fn link_segments(&self, previous: Option<*mut c_void>, next: Box<[*mut c_void]>) {
        self.0.link_segments(previous, next);
    }

    /// `KsGetAllocatorHandle`: lent, null if there is none.
    pub fn handle(&self) -> Handle {
        self.0.handle()
    }

    /// `KsSetAllocatorHandle`: the object owns the handle from now on, and closes the one before.
    pub fn set_handle(&self, handle: Option<OwnedHandle>) {
        self.0.set_handle(handle);
    }

    /// Gives the handle out without closing it; the object has none then.
    ///
    /// # Errors
    /// Another thread is using the handle at this moment, and the process has no descriptor left for a duplicate; the
    /// handle is closed then.
    pub fn take_handle(&self) -> std::io::Result<Option<OwnedHandle>> {
        self.0.take_handle()
    }

    /// `KsCreateAllocatorAndGetHandle`: creates an allocator on the pin's handle, with the framing the extended
    /// properties say. The handle is lent; null if it failed.
    pub fn create_allocator(&self, pin: &IKsPin) -> Handle {
        self.0.create_allocator(Some(pin))
    }
}

impl Default for KsAllocator {
    fn default() -> Self {
        Self::new()
    }
}

impl From<KsAllocator> for IKsAllocatorEx {
    fn from(allocator: KsAllocator) -> Self {
        allocator.0.into_interface()
    }
}

impl From<KsAllocator> for IMemAllocatorCallbackTemp {
    fn from(allocator: KsAllocator) -> Self {
        allocator.0.into_interface()
    }
}

impl From<KsAllocator> for IMemAllocator {
    fn from(allocator: KsAllocator) -> Self {
        let whole: IMemAllocatorCallbackTemp = allocator.into();
        // SAFETY: an IMemAllocatorCallbackTemp is an IMemAllocator: its first slots are that interface's.
        unsafe { Self::from_raw(whole.into_raw()) }
    }
}

impl fmt::Debug for KsAllocator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KsAllocator")
            .field("mode", &self.mode())
            .field("handle", &self.handle())
            .field("allocator", self.allocator())
            .finish()
    }
}
