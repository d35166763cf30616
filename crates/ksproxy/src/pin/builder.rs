//! [`KsPinBuilder`]: what a ready pin is made with.

use super::face::Class;
use super::framing_cache::FramingCache;
use super::name::Name;
use super::{InputPin, KsPin, OutputPin, Pin, PinEvents, State};
use crate::lock::Lock;
use core::sync::atomic::{AtomicI32, AtomicU32};
use ks::{
    FramingEx, KSINTERFACE_STANDARD_STREAMING, KSINTERFACESETID_Standard, KSMEDIUM_TYPE_ANYINSTANCE,
    KSMEDIUMSETID_Standard, KsPinCommunication, KsPinInterface, KsPinMedium, PinDirection,
};
use ksobject::OwnedHandle;
use std::sync::{Arc, OnceLock};
use windows_core::ComObject;

/// Makes a [`KsPin`]; see [`KsPin::input`] and [`KsPin::output`].
///
/// Without more, a pin has no framing, no handle and no filter name, the medium and interface that every system has,
/// and is the sink (an input pin) or the source (an output pin) of its connection.
#[must_use = "a pin is made by `build`"]
pub struct KsPinBuilder {
    direction: PinDirection,
    name: Name,
    filter_name: Name,
    communication: KsPinCommunication,
    interfaces: Vec<KsPinInterface>,
    mediums: Vec<KsPinMedium>,
    handle: OnceLock<OwnedHandle>,
    events: Option<Arc<dyn PinEvents>>,
    framings: FramingCache,
}

impl KsPinBuilder {
    pub(super) fn new(direction: PinDirection, name: &str) -> Self {
        let interface = KsPinInterface { set: KSINTERFACESETID_Standard, id: KSINTERFACE_STANDARD_STREAMING, flags: 0 };
        let medium = KsPinMedium { set: KSMEDIUMSETID_Standard, id: KSMEDIUM_TYPE_ANYINSTANCE, flags: 0 };
        let input = direction == PinDirection::INPUT;
        Self {
            direction,
            name: Name::new(name),
            filter_name: Name::new(""),
            communication: if input { KsPinCommunication::SINK } else { KsPinCommunication::SOURCE },
            interfaces: vec![interface],
            mediums: vec![medium],
            handle: OnceLock::new(),
            events: None,
            framings: FramingCache::default(),
        }
    }

    /// The name `KsGetFilterName` answers, up to its first zero character.
    pub fn filter_name(mut self, name: &str) -> Self {
        self.filter_name = Name::new(name);
        self
    }

    /// Both names, where there are.
    pub(super) fn with_names(mut self, name: Option<Name>, filter_name: Option<Name>) -> Self {
        self.name = name.unwrap_or(self.name);
        self.filter_name = filter_name.unwrap_or(self.filter_name);
        self
    }

    /// The pin's framing, as its driver would have answered it: in the cache as read first and as read last, one copy
    /// for both.
    pub fn framing(mut self, framing: FramingEx<'_>) -> Self {
        self.framings = FramingCache::with_framing(&framing);
        self
    }

    /// The handle `KsGetObjectHandle` lends. The pin owns it and closes it at its end.
    pub fn handle(mut self, handle: OwnedHandle) -> Self {
        self.handle = OnceLock::from(handle);
        self
    }

    /// Which side of a connection the pin is.
    pub fn communication(mut self, communication: KsPinCommunication) -> Self {
        self.communication = communication;
        self
    }

    /// The mediums of `KsQueryMediums`, the preferred one first; that one is the current one, and its set the bus
    /// (statement 157). With none, both are zero.
    pub fn mediums(mut self, mediums: &[KsPinMedium]) -> Self {
        self.mediums = mediums.to_vec();
        self
    }

    /// The interfaces of `KsQueryInterfaces`, likewise.
    pub fn interfaces(mut self, interfaces: &[KsPinInterface]) -> Self {
        self.interfaces = interfaces.to_vec();
        self
    }

    /// Who is told of quality and errors.
    pub fn events(mut self, events: Arc<dyn PinEvents>) -> Self {
        self.events = Some(events);
        self
    }

    /// The pin.
    pub fn build(self) -> KsPin {
        crate::module::object_made();
        let state = State {
            interface: self.interfaces.first().copied().unwrap_or_default(),
            medium: self.mediums.first().copied().unwrap_or_default(),
            ..State::default()
        };
        let pin = Pin {
            direction: self.direction,
            name: self.name,
            filter_name: self.filter_name,
            communication: self.communication,
            interfaces: self.interfaces,
            mediums: self.mediums,
            handle: self.handle,
            events: self.events,
            framings: self.framings,
            pending_io: AtomicI32::new(0),
            pipe_allocator_flag: AtomicU32::new(0),
            state: Lock::new(state),
        };
        if pin.direction == PinDirection::INPUT {
            KsPin(Class::Input(ComObject::new(InputPin(pin))))
        } else {
            KsPin(Class::Output(ComObject::new(OutputPin(pin))))
        }
    }
}

impl std::fmt::Debug for KsPinBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KsPinBuilder").field("direction", &self.direction).finish_non_exhaustive()
    }
}
