//! A filter of DirectShow that knows nothing of Kernel Streaming: its pins are `IPin` and `IMemInputPin`, every in pin leads
//! to every out pin (`E_NOTIMPL`), and its pins are known by enumeration only.

use super::not_called::not_called;
use ks::*;
use ksproxy::hresult::*;
use ksproxy::interfaces::*;
use std::ffi::c_void;
use std::sync::{Arc, Mutex};
use windows_core::{HRESULT, Interface, Ref, implement};

/// The pins of a filter, by address: the test keeps them.
#[derive(Default)]
pub struct PlainFilterState {
    pub name: String,
    pub pins: Mutex<Vec<usize>>,
}

#[implement(IBaseFilter)]
pub struct PlainFilter {
    state: Arc<PlainFilterState>,
}

#[implement(IEnumPins)]
struct Enumerator {
    pins: Vec<usize>,
    at: Mutex<usize>,
}

#[implement(IPin, IMemInputPin)]
pub struct PlainPin {
    pub name: &'static str,
    pub direction: PinDirection,
    pub filter: usize,
    pub peer: Mutex<usize>,
    pub requirements: Option<AllocatorProperties>,
}

impl PlainFilter {
    pub fn make(name: &str) -> (IBaseFilter, Arc<PlainFilterState>) {
        let state = Arc::new(PlainFilterState { name: name.to_owned(), ..Default::default() });
        (PlainFilter { state: state.clone() }.into(), state)
    }
}

impl PlainPin {
    pub fn make(
        filter: &(IBaseFilter, Arc<PlainFilterState>),
        name: &'static str,
        direction: PinDirection,
        peer: &IPin,
        requirements: Option<AllocatorProperties>,
    ) -> IPin {
        let (filter, state) = filter;
        let pin: IPin = PlainPin {
            name,
            direction,
            filter: filter.as_raw().addr(),
            peer: Mutex::new(peer.as_raw().addr()),
            requirements,
        }
        .into();
        state.pins.lock().unwrap().push(pin.as_raw().addr());
        pin
    }
}

fn at<T: Interface + Clone>(address: usize) -> Option<T> {
    let raw = address as *mut c_void;
    // SAFETY: an object that the test keeps.
    unsafe { T::from_raw_borrowed(&raw) }.cloned()
}

fn copy_name(from: &str, to: &mut [u16]) {
    for (unit, place) in from.encode_utf16().chain([0]).zip(to) {
        *place = unit;
    }
}

impl IPin_Impl for PlainPin_Impl {
    unsafe fn ConnectedTo(&self, pin: *mut Option<IPin>) -> HRESULT {
        // SAFETY: the caller's pointer is there.
        unsafe { pin.write(at(*self.peer.lock().unwrap())) };
        S_OK
    }
    unsafe fn QueryPinInfo(&self, info: *mut PinInfo) -> HRESULT {
        let mut answer = PinInfo { dir: self.direction, ..PinInfo::default() };
        answer.p_filter = at::<IBaseFilter>(self.filter).map_or(std::ptr::null_mut(), Interface::into_raw);
        copy_name(self.name, &mut answer.ach_name);
        // SAFETY: the caller's pointer is there.
        unsafe { info.write(answer) };
        S_OK
    }
    unsafe fn QueryDirection(&self, direction: *mut PinDirection) -> HRESULT {
        // SAFETY: the caller's pointer is there.
        unsafe { direction.write(self.direction) };
        S_OK
    }
    unsafe fn QueryInternalConnections(&self, _: *mut Option<IPin>, _: *mut u32) -> HRESULT {
        E_NOTIMPL
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

impl IMemInputPin_Impl for PlainPin_Impl {
    unsafe fn GetAllocatorRequirements(&self, properties: *mut AllocatorProperties) -> HRESULT {
        let Some(requirements) = self.requirements else { return E_NOTIMPL };
        // SAFETY: the caller's pointer is there.
        unsafe { properties.write(requirements) };
        S_OK
    }
    not_called! {
        GetAllocator(*mut Option<IMemAllocator>);
        NotifyAllocator(Ref<'_, IMemAllocator>, i32);
        Receive(Ref<'_, IMediaSample>);
        ReceiveMultiple(*const Option<IMediaSample>, i32, *mut i32);
        ReceiveCanBlock();
    }
}

impl IEnumPins_Impl for Enumerator_Impl {
    unsafe fn Next(&self, count: u32, pins: *mut Option<IPin>, fetched: *mut u32) -> HRESULT {
        assert_eq!(count, 1);
        let mut place = self.at.lock().unwrap();
        let pin = self.pins.get(*place).and_then(|address| at(*address));
        *place += 1;
        let answer = if pin.is_some() { S_OK } else { S_FALSE };
        // SAFETY: the caller's pointers are there.
        unsafe {
            fetched.write(u32::from(pin.is_some()));
            pins.write(pin);
        }
        answer
    }
    not_called! {
        Skip(u32);
        Reset();
        Clone(*mut Option<IEnumPins>);
    }
}

impl IPersist_Impl for PlainFilter_Impl {
    unsafe fn GetClassID(&self, _: *mut Guid) -> HRESULT {
        panic!("not called")
    }
}

impl IMediaFilter_Impl for PlainFilter_Impl {
    not_called! {
        Stop();
        Pause();
        Run(i64);
        GetState(u32, *mut FilterState);
        SetSyncSource(*mut c_void);
        GetSyncSource(*mut *mut c_void);
    }
}

impl IBaseFilter_Impl for PlainFilter_Impl {
    unsafe fn EnumPins(&self, enumerator: *mut Option<IEnumPins>) -> HRESULT {
        let pins = self.state.pins.lock().unwrap().clone();
        // SAFETY: the caller's pointer is there.
        unsafe { enumerator.write(Some(Enumerator { pins, at: Mutex::new(0) }.into())) };
        S_OK
    }
    unsafe fn QueryFilterInfo(&self, info: *mut FilterInfo) -> HRESULT {
        let mut answer = FilterInfo::default();
        copy_name(&self.state.name, &mut answer.ach_name);
        // SAFETY: the caller's pointer is there.
        unsafe { info.write(answer) };
        S_OK
    }
    not_called! {
        FindPin(*const u16, *mut Option<IPin>);
        JoinFilterGraph(*mut c_void, *const u16);
        QueryVendorInfo(*mut *mut u16);
    }
}
