//! The recording pin.

use super::Log;
use super::not_called::not_called;
use ks::*;
use kspipe::graph::Direction;
use ksproxy::Handle;
use ksproxy::hresult::*;
use ksproxy::interfaces::*;
use std::mem::ManuallyDrop;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use windows_core::{HRESULT, Interface, Ref, implement};

/// Text of the pin's own, ending in a zero; empty: the pin answers null.
pub struct Name(Vec<u16>);

impl Name {
    pub fn new(text: &str) -> Self {
        Name(if text.is_empty() { Vec::new() } else { text.encode_utf16().chain([0]).collect() })
    }
    fn pointer(&self) -> *mut u16 {
        if self.0.is_empty() { std::ptr::null_mut() } else { self.0.as_ptr().cast_mut() }
    }
    pub fn text(&self) -> String {
        String::from_utf16(self.0.strip_suffix(&[0]).unwrap_or(&[])).expect("text")
    }
}

/// What a pin says, and what it was given. Other pins are lent by address: they live as long as their world.
pub struct PinState {
    pub filter: Name,
    pub name: Name,
    pub direction: PinDirection,
    pub peer: Mutex<usize>,
    /// What `ConnectedTo` says where it says something else; `Some(0)`: not connected.
    pub other_peer: Mutex<Option<usize>>,
    pub internal: Mutex<Vec<usize>>,
    pub internal_answer: Mutex<HRESULT>,
    /// What `QueryInternalConnections` counts where it lies.
    pub internal_count: Mutex<Option<u32>>,
    pub property: FramingProp,
    pub framing: Option<Vec<u8>>,
    /// The slot of the cache the framing is in.
    pub slot: FramingCacheOps,
    pub handle: Handle,
    pub pipe: Mutex<Option<IKsAllocatorEx>>,
    pub flag: Mutex<u32>,
    pub allocator: Mutex<Option<IMemAllocator>>,
    /// A method, and how often it still refuses.
    pub refuses: Mutex<(&'static str, u32)>,
    /// A method, and how often it still does as it is told before it refuses.
    pub tires_of: Mutex<(&'static str, u32)>,
    /// Every question for its internal connections makes another pin, which does the same.
    pub spawns: AtomicBool,
    log: Log,
}

// SAFETY: what is not behind a lock is not changed once the pin is made; the objects it is given are for any thread.
unsafe impl Send for PinState {}
// SAFETY: as above.
unsafe impl Sync for PinState {}

impl PinState {
    pub fn new(filter: &str, name: &str, direction: Direction, log: &Log) -> Self {
        PinState {
            filter: Name::new(filter),
            name: Name::new(name),
            direction: if direction == Direction::In { PinDirection::INPUT } else { PinDirection::OUTPUT },
            peer: Mutex::new(0),
            other_peer: Mutex::new(None),
            internal: Mutex::default(),
            internal_answer: Mutex::new(S_OK),
            internal_count: Mutex::new(None),
            property: FramingProp::NONE,
            framing: None,
            slot: FramingCacheOps::READ_LAST,
            handle: Handle::NULL,
            pipe: Mutex::new(None),
            flag: Mutex::new(0),
            allocator: Mutex::new(None),
            refuses: Mutex::new(("", 0)),
            tires_of: Mutex::new(("", 0)),
            spawns: AtomicBool::new(false),
            log: log.clone(),
        }
    }

    pub fn full_name(&self) -> String {
        format!("{}.{}", self.filter.text(), self.name.text())
    }

    pub fn refuse(&self, method: &'static str, times: u32) {
        *self.refuses.lock().unwrap() = (method, times);
    }

    pub fn refuse_after(&self, method: &'static str, times: u32) {
        *self.tires_of.lock().unwrap() = (method, times);
    }

    /// Pipe, flag and allocator, the objects by their address.
    pub fn has(&self) -> (usize, u32, usize) {
        let pipe = self.pipe.lock().unwrap().as_ref().map_or(0, |pipe| pipe.as_raw().addr());
        let allocator = self.allocator.lock().unwrap().as_ref().map_or(0, |allocator| allocator.as_raw().addr());
        (pipe, *self.flag.lock().unwrap(), allocator)
    }

    /// Records a call, and says what it answers.
    fn called(&self, method: &'static str) -> HRESULT {
        self.log.lock().unwrap().push(format!("{} {method}", self.full_name()));
        let mut refuses = self.refuses.lock().unwrap();
        if refuses.0 == method && refuses.1 > 0 {
            refuses.1 -= 1;
            return E_FAIL;
        }
        let mut tires = self.tires_of.lock().unwrap();
        if tires.0 == method {
            if tires.1 == 0 {
                return E_FAIL;
            }
            tires.1 -= 1;
        }
        S_OK
    }
}

#[implement(IPin, IKsPin, IKsPinPipe, IKsObject)]
pub struct RecordingPin {
    pub state: std::sync::Arc<PinState>,
}

/// A reference to the pin at an address, if it is one.
fn pin_at(address: usize) -> Option<IPin> {
    let raw = address as *mut core::ffi::c_void;
    // SAFETY: null, or a pin of a world that is alive.
    unsafe { IPin::from_raw_borrowed(&raw) }.cloned()
}

/// The same without a reference.
fn lent_pin(address: usize) -> Option<ManuallyDrop<IPin>> {
    // SAFETY: as above; nothing is given up.
    (address != 0).then(|| ManuallyDrop::new(unsafe { IPin::from_raw(address as *mut core::ffi::c_void) }))
}

/// What a getter of two operations gives.
fn peeked<T: Clone + Interface>(held: &Mutex<Option<T>>, operation: KsPeekOperation) -> Option<ManuallyDrop<T>> {
    let held = held.lock().unwrap();
    let held = held.as_ref()?;
    if operation == KsPeekOperation::ADD_REF {
        return Some(ManuallyDrop::new(held.clone()));
    }
    // SAFETY: a copy without a reference, which nobody gives up.
    Some(ManuallyDrop::new(unsafe { T::from_raw(held.as_raw()) }))
}

impl IKsObject_Impl for RecordingPin_Impl {
    unsafe fn KsGetObjectHandle(&self) -> Handle {
        let _ = self.state.called("KsGetObjectHandle");
        self.state.handle
    }
}

impl IKsPinPipe_Impl for RecordingPin_Impl {
    unsafe fn KsGetPinFramingCache(
        &self,
        framing: *mut *mut KsAllocatorFramingEx,
        property: *mut FramingProp,
        option: FramingCacheOps,
    ) -> HRESULT {
        let answer = self.state.called("KsGetPinFramingCache");
        let here = option == self.state.slot;
        let bytes = self.state.framing.as_ref().filter(|_| here);
        let pointer = bytes.map_or(std::ptr::null_mut(), |bytes| bytes.as_ptr().cast_mut().cast());
        // SAFETY: the caller's pointers are there.
        unsafe {
            framing.write(pointer);
            property.write(if here { self.state.property } else { FramingProp::UNINITIALIZED });
        }
        answer
    }
    unsafe fn KsSetPinFramingCache(
        &self,
        _: *mut KsAllocatorFramingEx,
        _: *mut FramingProp,
        _: FramingCacheOps,
    ) -> HRESULT {
        panic!("nobody changes a pin's framing")
    }
    unsafe fn KsGetConnectedPin(&self) -> Option<ManuallyDrop<IPin>> {
        let _ = self.state.called("KsGetConnectedPin");
        lent_pin(*self.state.peer.lock().unwrap())
    }
    unsafe fn KsGetPipe(&self, operation: KsPeekOperation) -> Option<ManuallyDrop<IKsAllocatorEx>> {
        let _ = self.state.called("KsGetPipe");
        peeked(&self.state.pipe, operation)
    }
    unsafe fn KsSetPipe(&self, pipe: Ref<'_, IKsAllocatorEx>) -> HRESULT {
        let answer = self.state.called("KsSetPipe");
        if answer.is_ok() {
            *self.state.pipe.lock().unwrap() = pipe.cloned();
        }
        answer
    }
    unsafe fn KsGetPipeAllocatorFlag(&self) -> u32 {
        let _ = self.state.called("KsGetPipeAllocatorFlag");
        *self.state.flag.lock().unwrap()
    }
    unsafe fn KsSetPipeAllocatorFlag(&self, flag: u32) -> HRESULT {
        let answer = self.state.called("KsSetPipeAllocatorFlag");
        if answer.is_ok() {
            *self.state.flag.lock().unwrap() = flag;
        }
        answer
    }
    unsafe fn KsGetPinBusCache(&self, bus: *mut Guid) -> *mut Guid {
        let _ = self.state.called("KsGetPinBusCache");
        bus
    }
    unsafe fn KsSetPinBusCache(&self, _: Guid) -> HRESULT {
        panic!("nobody changes a pin's bus")
    }
    unsafe fn KsGetPinName(&self) -> *mut u16 {
        let _ = self.state.called("KsGetPinName");
        self.state.name.pointer()
    }
    unsafe fn KsGetFilterName(&self) -> *mut u16 {
        let _ = self.state.called("KsGetFilterName");
        self.state.filter.pointer()
    }
}

impl IKsPin_Impl for RecordingPin_Impl {
    unsafe fn KsPeekAllocator(&self, operation: KsPeekOperation) -> Option<ManuallyDrop<IMemAllocator>> {
        let _ = self.state.called("KsPeekAllocator");
        peeked(&self.state.allocator, operation)
    }
    unsafe fn KsReceiveAllocator(&self, allocator: Ref<'_, IMemAllocator>) -> HRESULT {
        let answer = self.state.called("KsReceiveAllocator");
        if answer.is_ok() {
            *self.state.allocator.lock().unwrap() = allocator.cloned();
        }
        answer
    }
    not_called! {
        KsQueryMediums(*mut *mut KsMultipleItem);
        KsQueryInterfaces(*mut *mut KsMultipleItem);
        KsCreateSinkPinHandle(*mut KsPinInterface, *mut KsPinMedium);
    }
    unsafe fn KsGetCurrentCommunication(
        &self,
        _: *mut KsPinCommunication,
        _: *mut KsPinInterface,
        _: *mut KsPinMedium,
    ) -> HRESULT {
        panic!("not called")
    }
    not_called! {
        KsPropagateAcquire();
        KsDeliver(Ref<'_, IMediaSample>, u32);
        KsMediaSamplesCompleted(*mut KsStreamSegment);
        KsRenegotiateAllocator();
    }
    unsafe fn KsIncrementPendingIoCount(&self) -> i32 {
        panic!("not called")
    }
    unsafe fn KsDecrementPendingIoCount(&self) -> i32 {
        panic!("not called")
    }
    unsafe fn KsQualityNotify(&self, _: u32, _: i64) -> HRESULT {
        panic!("not called")
    }
}

impl IPin_Impl for RecordingPin_Impl {
    unsafe fn ConnectedTo(&self, pin: *mut Option<IPin>) -> HRESULT {
        let _ = self.state.called("ConnectedTo");
        let peer = pin_at(self.state.other_peer.lock().unwrap().unwrap_or(*self.state.peer.lock().unwrap()));
        let answer = if peer.is_some() { S_OK } else { VFW_E_NOT_CONNECTED };
        // SAFETY: the caller's pointer is there.
        unsafe { pin.write(peer) };
        answer
    }
    unsafe fn QueryPinInfo(&self, _: *mut PinInfo) -> HRESULT {
        let _ = self.state.called("QueryPinInfo");
        E_NOTIMPL
    }
    unsafe fn QueryDirection(&self, direction: *mut PinDirection) -> HRESULT {
        let answer = self.state.called("QueryDirection");
        // SAFETY: the caller's pointer is there.
        unsafe { direction.write(self.state.direction) };
        answer
    }
    unsafe fn QueryInternalConnections(&self, pins: *mut Option<IPin>, count: *mut u32) -> HRESULT {
        let answer = self.state.called("QueryInternalConnections");
        if answer.is_err() {
            return answer;
        }
        if self.state.spawns.load(Ordering::Relaxed) {
            let other = if self.state.direction == PinDirection::INPUT { Direction::Out } else { Direction::In };
            let child = PinState::new("", "", other, &Log::default());
            child.spawns.store(true, Ordering::Relaxed);
            let child: IPin = RecordingPin { state: std::sync::Arc::new(child) }.into();
            // SAFETY: the caller's pointers are there, with room for one.
            unsafe {
                pins.write(Some(child));
                count.write(1);
            }
            return S_OK;
        }
        let internal = self.state.internal.lock().unwrap();
        // SAFETY: the caller's pointers are there, with room for as many as it says.
        unsafe {
            let room = count.read() as usize;
            if let Some(count_of_a_liar) = *self.state.internal_count.lock().unwrap() {
                count.write(count_of_a_liar);
                return *self.state.internal_answer.lock().unwrap();
            }
            count.write(internal.len() as u32);
            if internal.len() > room {
                return S_FALSE;
            }
            for (place, address) in internal.iter().enumerate() {
                pins.add(place).write(pin_at(*address));
            }
        }
        *self.state.internal_answer.lock().unwrap()
    }
    not_called! {
        Connect(Ref<'_, IPin>, *const AmMediaType);
        ReceiveConnection(Ref<'_, IPin>, *const AmMediaType);
        Disconnect();
        ConnectionMediaType(*mut AmMediaType);
        QueryId(*mut *mut u16);
        QueryAccept(*const AmMediaType);
        EnumMediaTypes(*mut Option<IEnumMediaTypes>);
        EndOfStream();
        BeginFlush();
        EndFlush();
        NewSegment(i64, i64, f64);
    }
}
