//! [`ComPin`]: one COM pin, and what is asked of it before anything is written.
//!
//! Every call here is one to foreign code. What it answers is checked as far as it can be told; that a pointer it gives
//! is good is what the caller of [`negotiate_pins`](super::negotiate_pins) promises.

use super::error::Fault;
use super::names::decode;
use crate::hresult::*;
use crate::interfaces::{
    IBaseFilter, IEnumPins, IKsAllocatorEx, IKsObject, IKsPin, IKsPinPipe, IMemAllocator, IMemInputPin, IPin,
};
use core::mem::ManuallyDrop;
use ks::{AllocatorProperties, FilterInfo, KsPeekOperation, PinDirection, PinInfo};
use ksobject::Handle;
use kspipe::graph::Direction;
use windows_core::{HRESULT, IUnknown, Interface};

/// The most pins of one filter that are read.
const MOST_PINS_OF_A_FILTER: usize = 4096;

/// A pin and the interfaces it answers.
pub(super) struct ComPin {
    /// What tells it from every other object.
    pub(super) identity: IUnknown,
    pub(super) pin: IPin,
    pub(super) pipe: Option<IKsPinPipe>,
    pub(super) ks_pin: Option<IKsPin>,
    /// The handle behind it, lent; `None`: it is in user mode.
    pub(super) handle: Option<Handle>,
    pub(super) direction: Direction,
}

/// The pins that frames of a pin come from or go to, inside its filter.
pub(super) enum InternalConnections {
    /// These.
    Listed(Vec<IPin>),
    /// All of the other direction; here are all of both.
    Every(Vec<IPin>),
}

/// What tells an object from every other.
pub(super) fn identity(object: &impl Interface) -> Result<IUnknown, Fault> {
    object.cast().map_err(|error| Fault::failed("QueryInterface for IUnknown", error.code()))
}

/// Whether two identities are of one object. (`==` asks both for their identity again, and panics where that fails.)
pub(super) fn is_same(one: &IUnknown, other: &IUnknown) -> bool {
    one.as_raw() == other.as_raw()
}

/// What a method wrote to its out pointer. After a failure that is not looked at: it need not be an object.
fn written<T>(call: impl FnOnce(*mut Option<T>) -> HRESULT) -> Result<Option<T>, HRESULT> {
    let mut out = ManuallyDrop::new(None);
    let code = call(&mut *out);
    if code.is_err() { Err(code) } else { Ok(ManuallyDrop::into_inner(out)) }
}

impl ComPin {
    /// Asks an object for the interfaces of a pin.
    pub(super) fn new(object: &IUnknown) -> Result<Self, Fault> {
        let identity = identity(object)?;
        let pin: IPin = object.cast().map_err(|error| Fault::failed("QueryInterface for IPin", error.code()))?;
        let mut direction = PinDirection::INPUT;
        // SAFETY: an interface the object answered with; the pointer is there.
        let code = unsafe { pin.QueryDirection(&mut direction) };
        if code.is_err() {
            return Err(Fault::failed("QueryDirection", code));
        }
        let direction = match direction {
            PinDirection::INPUT => Direction::In,
            PinDirection::OUTPUT => Direction::Out,
            other => return Err(Fault::new(E_INVALIDARG, format!("QueryDirection answered {}", other.0))),
        };
        // SAFETY: an interface the object answered with.
        let handle = object.cast::<IKsObject>().ok().map(|object| unsafe { object.KsGetObjectHandle() });
        Ok(Self {
            identity,
            pin,
            pipe: object.cast().ok(),
            ks_pin: object.cast().ok(),
            handle: handle.filter(|handle| handle.is_object()),
            direction,
        })
    }

    /// The pin it is connected to. `KsGetConnectedPin` says so, else `ConnectedTo`; they may not say different things.
    pub(super) fn connected_pin(&self) -> Result<Option<IPin>, Fault> {
        // SAFETY: an interface the pin answered with. The pin is lent: it gets a reference before anything else is called.
        let lent = self.pipe.as_ref().and_then(|pipe| unsafe { pipe.KsGetConnectedPin() });
        let peer = lent.map(|peer| IPin::clone(&peer));
        // SAFETY: an interface the pin answered with; the pointer is there.
        let connected = written(|pin| unsafe { self.pin.ConnectedTo(pin) });
        match (peer, connected) {
            (None, Ok(peer)) => Ok(peer),
            (None, Err(VFW_E_NOT_CONNECTED | E_NOTIMPL)) => Ok(None),
            (None, Err(code)) => Err(Fault::failed("ConnectedTo", code)),
            (Some(_), Ok(None) | Err(VFW_E_NOT_CONNECTED)) => Err(Fault::new(
                VFW_E_NOT_CONNECTED,
                "KsGetConnectedPin gives a pin, and ConnectedTo says that there is none",
            )),
            (Some(peer), Err(_)) => Ok(Some(peer)),
            (Some(peer), Ok(Some(other))) if is_same(&identity(&peer)?, &identity(&other)?) => Ok(Some(peer)),
            (Some(_), Ok(Some(_))) => {
                Err(Fault::new(E_INVALIDARG, "KsGetConnectedPin and ConnectedTo give different pins"))
            }
        }
    }

    /// The pins of its filter that its frames come from or go to.
    pub(super) fn internal_connections(&self) -> Result<InternalConnections, Fault> {
        let mut room = 16;
        loop {
            let mut pins: Vec<Option<IPin>> = vec![None; room];
            let mut count = room as u32;
            // SAFETY: an interface the pin answered with; there is room for as many as it is told.
            let code = unsafe { self.pin.QueryInternalConnections(pins.as_mut_ptr(), &mut count) };
            let count = count as usize;
            match code {
                E_NOTIMPL => {
                    forget(pins);
                    return Ok(InternalConnections::Every(self.all_pins_of_the_filter()?));
                }
                _ if code.is_err() => {
                    forget(pins);
                    return Err(Fault::failed("QueryInternalConnections", code));
                }
                // It wants more room; one that never has enough is stopped by the limit.
                S_FALSE if room < MOST_PINS_OF_A_FILTER => {
                    drop(pins);
                    room = count.max(room * 2).min(MOST_PINS_OF_A_FILTER);
                }
                _ if count > room || code == S_FALSE => {
                    drop(pins);
                    return Err(Fault::new(E_INVALIDARG, format!("QueryInternalConnections counts {count} pins")));
                }
                _ => {
                    pins.truncate(count);
                    let given: Option<Vec<IPin>> = pins.into_iter().collect();
                    let missing = || Fault::new(E_INVALIDARG, "QueryInternalConnections gives a null pin");
                    return given.map(InternalConnections::Listed).ok_or_else(missing);
                }
            }
        }
    }

    /// Every pin of its filter; none where it names no filter.
    fn all_pins_of_the_filter(&self) -> Result<Vec<IPin>, Fault> {
        let Some(filter) = self.info().0 else { return Ok(Vec::new()) };
        // SAFETY: an interface the pin gave; the pointer is there.
        let enumerator: Option<IEnumPins> = written(|enumerator| unsafe { filter.EnumPins(enumerator) })
            .map_err(|code| Fault::failed("EnumPins", code))?;
        let Some(enumerator) = enumerator else { return Ok(Vec::new()) };
        let mut pins = Vec::new();
        loop {
            let (mut fetched, mut code) = (0, S_OK);
            let next = written(|pin| {
                // SAFETY: an interface the filter gave; the pointers are there, with room for one.
                code = unsafe { enumerator.Next(1, pin, &mut fetched) };
                code
            });
            match next {
                Ok(Some(pin)) if code == S_OK => pins.push(pin),
                Ok(_) => return Ok(pins),
                Err(code) => return Err(Fault::failed("IEnumPins::Next", code)),
            }
            if pins.len() > MOST_PINS_OF_A_FILTER {
                return Err(Fault::new(E_INVALIDARG, format!("its filter has more than {MOST_PINS_OF_A_FILTER} pins")));
            }
        }
    }

    /// Its filter and its name, as DirectShow has them.
    fn info(&self) -> (Option<IBaseFilter>, String) {
        let mut info = PinInfo::default();
        // SAFETY: an interface the pin answered with; the pointer is there.
        if unsafe { self.pin.QueryPinInfo(&mut info) }.is_err() {
            return (None, String::new());
        }
        // SAFETY: null, or a reference that is the caller's to give up.
        let filter = (!info.p_filter.is_null()).then(|| unsafe { IBaseFilter::from_raw(info.p_filter) });
        (filter, decode(info.ach_name))
    }

    /// What tells its filter from every other; `None` where it names none.
    pub(super) fn filter_identity(&self) -> Option<IUnknown> {
        identity(&self.info().0?).ok()
    }

    /// The name of the pin, and of its filter; empty where it has none. Those of `IKsPinPipe`, else DirectShow's.
    pub(super) fn names(&self) -> (String, String) {
        let text = |text: *mut u16| {
            // SAFETY: null, or text of the pin's own that ends in a zero.
            (!text.is_null()).then(|| decode(unsafe { units(text) }))
        };
        // SAFETY: interfaces the pin answered with, here and below.
        let pin = self.pipe.as_ref().and_then(|pipe| text(unsafe { pipe.KsGetPinName() }));
        // SAFETY: as above.
        let filter = self.pipe.as_ref().and_then(|pipe| text(unsafe { pipe.KsGetFilterName() }));
        if let (Some(pin), Some(filter)) = (&pin, &filter)
            && !pin.is_empty()
            && !filter.is_empty()
        {
            return (pin.clone(), filter.clone());
        }
        let (base_filter, info_name) = self.info();
        let other = |name: Option<String>, other: &dyn Fn() -> String| {
            name.filter(|name| !name.is_empty()).unwrap_or_else(other)
        };
        let filter = other(filter, &|| base_filter.as_ref().map(filter_name).unwrap_or_default());
        (other(pin, &|| info_name.clone()), filter)
    }

    /// The name to be used in an error about it.
    pub(super) fn full_name(&self) -> String {
        let (pin, filter) = self.names();
        let or = |name: String, other: &str| if name.is_empty() { other.to_owned() } else { name };
        format!("{}.{}", or(filter, "filter"), or(pin, "pin"))
    }

    /// What an input pin of DirectShow asks of an allocator, where it says so.
    pub(super) fn requirements(&self) -> Option<AllocatorProperties> {
        let input: IMemInputPin = self.identity.cast().ok()?;
        let mut properties = AllocatorProperties::default();
        // SAFETY: an interface the pin answered with; the pointer is there.
        let code = unsafe { input.GetAllocatorRequirements(&mut properties) };
        code.is_ok().then_some(properties)
    }

    /// The allocator of the pipe it is in at the moment.
    pub(super) fn current_pipe(&self) -> Option<IKsAllocatorEx> {
        // SAFETY: an interface the pin answered with.
        let given = unsafe { self.pipe.as_ref()?.KsGetPipe(KsPeekOperation::ADD_REF) };
        // The reference that was asked for is ours.
        given.map(ManuallyDrop::into_inner)
    }

    /// The allocator it has at the moment.
    pub(super) fn allocator(&self) -> Option<IMemAllocator> {
        // SAFETY: an interface the pin answered with.
        let given = unsafe { self.ks_pin.as_ref()?.KsPeekAllocator(KsPeekOperation::ADD_REF) };
        // The reference that was asked for is ours.
        given.map(ManuallyDrop::into_inner)
    }
}

/// What a call that failed left in its array is not looked at.
fn forget(pins: Vec<Option<IPin>>) {
    pins.into_iter().for_each(std::mem::forget);
}

/// The units of a text, up to its zero and without it.
///
/// # Safety
///
/// The text is good for reading up to its zero, as long as the iterator is used, which stops there.
unsafe fn units(text: *const u16) -> impl Iterator<Item = u16> {
    let mut at = text;
    std::iter::from_fn(move || {
        // SAFETY: no unit so far was the zero.
        let unit = unsafe { at.read_unaligned() };
        // SAFETY: as above, so there is another one.
        (unit != 0).then(|| at = unsafe { at.byte_add(2) })?;
        Some(unit)
    })
    .fuse()
}

/// The name of a filter of DirectShow.
fn filter_name(filter: &IBaseFilter) -> String {
    let mut info = FilterInfo::default();
    // SAFETY: an interface the pin gave; the pointer is there.
    if unsafe { filter.QueryFilterInfo(&mut info) }.is_err() {
        return String::new();
    }
    if !info.p_graph.is_null() {
        // SAFETY: a reference that is the caller's to give up.
        drop(unsafe { IUnknown::from_raw(info.p_graph) });
    }
    decode(info.ach_name)
}
