//! What the tests of the interfaces share: an allocator and its two faces, clients, pins and a recording driver.
#![allow(dead_code, unreachable_pub, reason = "each test uses some of it")]

mod not_called;
pub mod pins;

#[allow(unused_imports, reason = "each test uses some of it")]
pub(crate) use not_called::not_called;

use ks::{AlignmentCount, AllocatorProperties, GetBufferFlags, KsAllocatorFraming, KsProperty};
use kspipe::allocator::{Allocator, MemoryKind};
use ksproxy::hresult::*;
use ksproxy::interfaces::*;
use ksproxy::{DeviceError, Handle, KsAllocator, ObjectAccess, OwnedHandle, Win32Error};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};
use windows_core::{HRESULT, Interface, implement};
use zerocopy::FromBytes;

/// An allocator and its two faces.
pub struct Subject {
    pub object: KsAllocator,
    pub ks: IKsAllocatorEx,
    pub memory: IMemAllocatorCallbackTemp,
    abandoned: bool,
}

/// A committed allocator refers to itself, and would outlive its test.
impl Drop for Subject {
    fn drop(&mut self) {
        if !self.abandoned {
            self.decommit();
        }
    }
}

/// Memory for frames: the default, but under Miri, which maps none.
pub fn kind() -> MemoryKind {
    if cfg!(miri) { MemoryKind::Heap } else { MemoryKind::default() }
}

/// What a COM method answered: `Ok` for `S_OK`.
pub fn result(answer: HRESULT) -> Result<(), HRESULT> {
    if answer == S_OK { Ok(()) } else { Err(answer) }
}

pub fn properties(c_buffers: i32, cb_buffer: i32, cb_align: i32, cb_prefix: i32) -> AllocatorProperties {
    AllocatorProperties { c_buffers, cb_buffer, cb_align: AlignmentCount(cb_align), cb_prefix }
}

impl Subject {
    /// A new allocator. (Miri maps no memory, so under it frames are on the heap.)
    pub fn new() -> Self {
        Self::from(if cfg!(miri) { KsAllocator::from_allocator(Allocator::new(kind())) } else { KsAllocator::new() })
    }

    /// A committed allocator.
    pub fn committed(c_buffers: i32, cb_buffer: i32, cb_align: i32, cb_prefix: i32) -> Self {
        let subject = Self::new();
        subject.set(properties(c_buffers, cb_buffer, cb_align, cb_prefix)).expect("properties");
        subject.commit().expect("a commit");
        subject
    }

    pub fn from(object: KsAllocator) -> Self {
        let (ks, memory) = (object.interface(), object.memory_interface());
        Self { object, ks, memory, abandoned: false }
    }

    /// Drops all references and does nothing else.
    pub fn abandon(mut self) {
        self.abandoned = true;
    }

    pub fn set(&self, request: AllocatorProperties) -> Result<AllocatorProperties, HRESULT> {
        let mut actual = properties(-7, -7, -7, -7);
        // SAFETY: both structures are there.
        let answer = unsafe { self.memory.SetProperties(&request, &mut actual) };
        if answer != S_OK {
            assert_eq!(actual, AllocatorProperties::default(), "a refused request leaves zeros (statement 31)");
        }
        result(answer).map(|()| actual)
    }

    pub fn get(&self) -> Result<AllocatorProperties, HRESULT> {
        let mut now = properties(-7, -7, -7, -7);
        // SAFETY: the structure is there.
        result(unsafe { self.memory.GetProperties(&mut now) }).map(|()| now)
    }

    pub fn commit(&self) -> Result<(), HRESULT> {
        // SAFETY: no pointers.
        result(unsafe { self.memory.Commit() })
    }

    pub fn decommit(&self) {
        // SAFETY: no pointers.
        assert_eq!(unsafe { self.memory.Decommit() }, S_OK);
    }

    pub fn buffer(&self, flags: GetBufferFlags) -> Result<IMediaSample, HRESULT> {
        get_buffer(&self.memory, flags)
    }

    /// A sample that is free, without waiting for one.
    pub fn sample(&self) -> IMediaSample {
        self.buffer(GetBufferFlags::NOWAIT).expect("a free sample")
    }

    pub fn free(&self) -> i32 {
        let mut free = -1;
        // SAFETY: the number is there.
        assert_eq!(unsafe { self.memory.GetFreeCount(&mut free) }, S_OK);
        free
    }

    pub fn notify(&self, client: Option<&IMemAllocatorNotifyCallbackTemp>) {
        // SAFETY: null or an interface.
        assert_eq!(unsafe { self.memory.SetNotify(client) }, S_OK);
    }

    /// Waits until so many threads wait for a frame.
    pub fn until_waiting(&self, threads: u32) {
        while self.object.allocator().status().waiters != threads {
            std::thread::yield_now();
        }
    }
}

pub fn get_buffer(memory: &IMemAllocatorCallbackTemp, flags: GetBufferFlags) -> Result<IMediaSample, HRESULT> {
    let mut sample = None;
    // SAFETY: the pointer is there, and null is a time not given.
    let answer = unsafe { memory.GetBuffer(&mut sample, std::ptr::null(), std::ptr::null(), flags) };
    assert_eq!(sample.is_some(), answer == S_OK, "a sample comes with S_OK and only then");
    sample.ok_or(answer)
}

/// Memory whose ownership crosses the boundary, as `CoTaskMemAlloc` gives it. It is aligned for any C type.
pub fn task_allocate(size: usize) -> *mut std::ffi::c_void {
    // SAFETY: malloc may be called with any size.
    let memory = unsafe { libc::malloc(size) };
    assert!(!memory.is_null());
    memory
}

/// Frees such memory, as `CoTaskMemFree` does.
///
/// # Safety
///
/// It is the caller's, and nobody uses it any more.
pub unsafe fn task_free(memory: *mut std::ffi::c_void) {
    // SAFETY: as the caller promises.
    unsafe { libc::free(memory) }
}

/// A pointer that other threads may use: every interface of the allocator may be.
pub struct Shared<T>(pub T);
// SAFETY: the objects of this library are for any thread, and the tests' own count atomically.
unsafe impl<T> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Shared<T> {}

/// The number of references to an object, the pointer at hand included.
pub fn references(interface: &impl Interface) -> u32 {
    let (_, release) = counting(interface);
    release()
}

/// AddRef, which was called once, and Release, which the caller has to call once.
fn counting(interface: &impl Interface) -> (u32, impl FnOnce() -> u32) {
    let this = interface.as_raw();
    // SAFETY: every interface begins with IUnknown's slots.
    let vtable = unsafe { &**this.cast::<*const windows_core::IUnknown_Vtbl>() };
    // SAFETY: one reference more and, by the caller, the same one less.
    unsafe { ((vtable.AddRef)(this), move || (vtable.Release)(this)) }
}

/// What AddRef and then Release answer.
pub fn add_ref_and_release(interface: &impl Interface) -> (u32, u32) {
    let (added, release) = counting(interface);
    (added, release())
}

pub fn address(sample: &IMediaSample) -> usize {
    pointer(sample).addr()
}

pub fn size(sample: &IMediaSample) -> i32 {
    // SAFETY: no pointers.
    unsafe { sample.GetSize() }
}

/// Writes the whole buffer of a sample.
pub fn fill(sample: &IMediaSample, value: u8) {
    // SAFETY: the buffer is as large as GetSize says while the sample is out, and the test is its only holder.
    unsafe { pointer(sample).write_bytes(value, length(sample)) };
}

/// Whether every byte of a sample's buffer is `value`.
pub fn is_all(sample: &IMediaSample, value: u8) -> bool {
    // SAFETY: as above.
    let bytes = unsafe { std::slice::from_raw_parts(pointer(sample), length(sample)) };
    bytes.iter().all(|byte| *byte == value)
}

fn pointer(sample: &IMediaSample) -> *mut u8 {
    let mut buffer = std::ptr::null_mut();
    // SAFETY: the pointer is there.
    assert_eq!(unsafe { sample.GetPointer(&mut buffer) }, S_OK);
    buffer
}

fn length(sample: &IMediaSample) -> usize {
    usize::try_from(size(sample)).expect("a size")
}

/// A client: counts its notifications and says when it is gone.
#[implement(IMemAllocatorNotifyCallbackTemp)]
pub struct Client {
    pub counts: Arc<Counts>,
    pub answer: HRESULT,
    pub on_notify: Box<dyn Fn()>,
}

#[derive(Default)]
pub struct Counts {
    pub notified: AtomicU32,
    pub destroyed: AtomicU32,
}

impl Counts {
    pub fn notified(&self) -> u32 {
        self.notified.load(Ordering::SeqCst)
    }
    pub fn destroyed(&self) -> u32 {
        self.destroyed.load(Ordering::SeqCst)
    }
}

impl Client {
    pub fn make(answer: HRESULT, on_notify: impl Fn() + 'static) -> (IMemAllocatorNotifyCallbackTemp, Arc<Counts>) {
        let counts = Arc::new(Counts::default());
        (Client { counts: counts.clone(), answer, on_notify: Box::new(on_notify) }.into(), counts)
    }

    pub fn quiet() -> (IMemAllocatorNotifyCallbackTemp, Arc<Counts>) {
        Self::make(S_OK, || ())
    }
}

impl IMemAllocatorNotifyCallbackTemp_Impl for Client_Impl {
    unsafe fn NotifyRelease(&self) -> HRESULT {
        self.counts.notified.fetch_add(1, Ordering::SeqCst);
        (self.on_notify)();
        self.answer
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.counts.destroyed.fetch_add(1, Ordering::SeqCst);
    }
}

/// A driver that records what it is asked and answers as it was told to.
#[derive(Default)]
pub struct RecordingAccess {
    pub created: Mutex<Vec<(Handle, KsAllocatorFraming)>>,
    pub asked: Mutex<Vec<(Handle, KsProperty, usize)>>,
    /// The allocators still to be created; when there are none, creation fails.
    pub handles: Mutex<Vec<OwnedHandle>>,
    pub property_error: Mutex<Option<Win32Error>>,
}

impl ObjectAccess for RecordingAccess {
    fn create_allocator(&self, pin: Handle, framing: &KsAllocatorFraming) -> Result<OwnedHandle, Win32Error> {
        self.created.lock().unwrap().push((pin, *framing));
        self.handles.lock().unwrap().pop().ok_or(Win32Error::INVALID_PARAMETER)
    }

    fn device_io_control(
        &self,
        object: Handle,
        code: u32,
        input: &[u8],
        output: &mut [u8],
    ) -> Result<usize, DeviceError> {
        assert_eq!(code, ks::IOCTL_KS_PROPERTY);
        let request = KsProperty::read_from_bytes(input).expect("a property's request");
        self.asked.lock().unwrap().push((object, request, output.len()));
        if let Some(error) = *self.property_error.lock().unwrap() {
            return Err(error.into());
        }
        output.fill(0x11);
        Ok(output.len())
    }
}

/// A handle, and the other end of it, which tells when the handle is closed.
pub fn watched_handle() -> (OwnedHandle, rustix::fd::OwnedFd) {
    let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).expect("a pipe");
    (OwnedHandle::from(writer), reader)
}

/// Whether the handle that `reader` watches is closed.
pub fn is_closed(reader: &rustix::fd::OwnedFd) -> bool {
    let mut polled = [rustix::event::PollFd::new(reader, rustix::event::PollFlags::empty())];
    let at_once = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
    rustix::event::poll(&mut polled, Some(&at_once)).expect("a poll");
    polled[0].revents().contains(rustix::event::PollFlags::HUP)
}

/// A pin with a handle.
#[implement(IKsPin, IKsObject)]
pub struct Pin(pub Handle);

impl IKsObject_Impl for Pin_Impl {
    unsafe fn KsGetObjectHandle(&self) -> Handle {
        self.0
    }
}

/// A pin that is no KS object.
#[implement(IKsPin)]
pub struct PinWithoutObject;

/// The allocator calls none of a pin's own methods, and a pin that is called says so.
macro_rules! uncalled {
    ($($pin:ident)*) => {$(
        impl IKsPin_Impl for $pin {
            unsafe fn KsQueryMediums(&self, _: *mut *mut ks::KsMultipleItem) -> HRESULT { panic!("not called") }
            unsafe fn KsQueryInterfaces(&self, _: *mut *mut ks::KsMultipleItem) -> HRESULT { panic!("not called") }
            unsafe fn KsCreateSinkPinHandle(&self, _: *mut ks::KsPinInterface, _: *mut ks::KsPinMedium) -> HRESULT {
                panic!("not called")
            }
            unsafe fn KsGetCurrentCommunication(
                &self, _: *mut ks::KsPinCommunication, _: *mut ks::KsPinInterface, _: *mut ks::KsPinMedium,
            ) -> HRESULT {
                panic!("not called")
            }
            unsafe fn KsPropagateAcquire(&self) -> HRESULT { panic!("not called") }
            unsafe fn KsDeliver(&self, _: windows_core::Ref<'_, IMediaSample>, _: u32) -> HRESULT { panic!("not called") }
            unsafe fn KsMediaSamplesCompleted(&self, _: *mut ks::KsStreamSegment) -> HRESULT { panic!("not called") }
            unsafe fn KsPeekAllocator(&self, _: ks::KsPeekOperation) -> Option<std::mem::ManuallyDrop<IMemAllocator>> {
                panic!("not called")
            }
            unsafe fn KsReceiveAllocator(&self, _: windows_core::Ref<'_, IMemAllocator>) -> HRESULT {
                panic!("not called")
            }
            unsafe fn KsRenegotiateAllocator(&self) -> HRESULT { panic!("not called") }
            unsafe fn KsIncrementPendingIoCount(&self) -> i32 { panic!("not called") }
            unsafe fn KsDecrementPendingIoCount(&self) -> i32 { panic!("not called") }
            unsafe fn KsQualityNotify(&self, _: u32, _: i64) -> HRESULT { panic!("not called") }
        }
    )*};
}

uncalled!(Pin_Impl PinWithoutObject_Impl);

/// Whether an allocator's object is still there, told by what only the object has.
pub struct Witness(Weak<RecordingAccess>);

impl Witness {
    pub fn is_there(&self) -> bool {
        self.0.strong_count() > 0
    }
}

/// A committed allocator, watched.
pub fn watched(count: i32, size: i32) -> (Subject, Witness) {
    let access = Arc::new(RecordingAccess::default());
    let witness = Witness(Arc::downgrade(&access));
    let a = Subject::from(KsAllocator::with_access(Allocator::new(kind()), access));
    a.set(properties(count, size, 1, 0)).expect("properties");
    a.commit().expect("a commit");
    (a, witness)
}
