//! A pin: its framing, its allocator, its state, and the allocators created on it.

use super::allocator::StreamAllocator;
use super::client::Client;
use super::extension::{Extension, PinInstance};
use super::failure::Failure;
use super::filter::Counted;
use super::object::{Item, KsObject, Object, Set, Verb};
use super::request::{Requested, Started, answer};
use crate::handle::Handle;
use crate::lock::{Lock, lock};
use ks::{
    CreateName, Guid, KSPROPERTY_CONNECTION_ALLOCATORFRAMING, KSPROPERTY_CONNECTION_ALLOCATORFRAMING_EX,
    KSPROPERTY_CONNECTION_DATAFORMAT, KSPROPERTY_CONNECTION_STATE, KSPROPERTY_STREAM_ALLOCATOR, KSPROPSETID_Connection,
    KSPROPSETID_Stream, KsPropertyType, KsState, NtStatus,
};
use std::sync::Arc;
use zerocopy::{FromBytes, IntoBytes};

/// A pin object.
#[derive(Debug)]
pub(crate) struct Pin {
    counted: Counted,
    /// The `KSDATAFORMAT` it was created with, and what follows it; empty where it was created without.
    format: Vec<u8>,
    state: Lock<State>,
    /// What a layer above answers, and which pin this is there.
    extension: Option<(Arc<Extension>, PinInstance)>,
}

#[derive(Debug, Default)]
struct State {
    streaming: KsState,
    /// The allocator whose handle was set. It is the object that is kept, not a handle: the handle stays its owner's.
    allocator: Option<Arc<StreamAllocator>>,
    /// The extension was told of the end.
    ended: bool,
}

const PROPERTIES: &[Set] = &[
    Set::of(KSPROPSETID_Stream, &[Item { id: KSPROPERTY_STREAM_ALLOCATOR, types: GET | SET }]),
    Set::of(
        KSPROPSETID_Connection,
        &[
            Item { id: KSPROPERTY_CONNECTION_STATE, types: GET | SET },
            Item { id: KSPROPERTY_CONNECTION_DATAFORMAT, types: GET },
            Item { id: KSPROPERTY_CONNECTION_ALLOCATORFRAMING, types: GET },
            Item { id: KSPROPERTY_CONNECTION_ALLOCATORFRAMING_EX, types: GET },
        ],
    ),
];
const GET: u32 = KsPropertyType::GET.bits();
const SET: u32 = KsPropertyType::SET.bits();

impl Pin {
    pub(crate) fn new(counted: Counted, format: Vec<u8>) -> Self {
        Self { counted, format, state: Lock::default(), extension: None }
    }

    /// What pins answer by themselves.
    pub(super) const PROPERTIES: &'static [Set] = PROPERTIES;

    /// The pin, which answers more.
    pub(super) fn extended(self, extension: Arc<Extension>, instance: PinInstance) -> Self {
        Self { extension: Some((extension, instance)), ..self }
    }

    /// The extension, where the request is about a set of its.
    fn extension_for(&self, set: Guid) -> Option<(&Extension, PinInstance)> {
        let (extension, instance) = self.extension.as_ref()?;
        extension.has(Some(*instance), set).then_some((&**extension, *instance))
    }

    /// Whether it receives frames.
    pub(crate) fn receives(&self) -> bool {
        self.counted.factory().receives()
    }

    /// The allocator it was given.
    pub(crate) fn allocator(&self) -> Option<Arc<StreamAllocator>> {
        lock(&self.state).allocator.clone()
    }

    /// The answer to a property that does not change; `None` where the pin lacks it.
    fn constant(&self, set: Guid, id: u32) -> Option<&[u8]> {
        let framing = &self.counted.factory().framing;
        match (set, id) {
            (KSPROPSETID_Connection, KSPROPERTY_CONNECTION_ALLOCATORFRAMING) => framing.as_old(),
            (KSPROPSETID_Connection, KSPROPERTY_CONNECTION_ALLOCATORFRAMING_EX) => framing.as_extended(),
            (KSPROPSETID_Connection, KSPROPERTY_CONNECTION_DATAFORMAT) => {
                (!self.format.is_empty()).then_some(&self.format[..])
            }
            _ => None,
        }
    }

    fn set_allocator(&self, value: &[u8], client: &dyn Client) -> Result<(), NtStatus> {
        let (handle, _) = isize::read_from_prefix(value).map_err(|_| NtStatus::STATUS_BUFFER_TOO_SMALL)?;
        let allocator = match Handle(handle) {
            Handle::NULL => None,
            handle => match client.object(handle)? {
                Object::Allocator(allocator) => Some(allocator),
                _ => return Err(NtStatus::STATUS_INVALID_HANDLE),
            },
        };
        let previous = std::mem::replace(&mut lock(&self.state).allocator, allocator);
        // Without the lock: the last reference unmaps memory.
        drop(previous);
        Ok(())
    }

    fn set_streaming(&self, value: &[u8]) -> Result<(), NtStatus> {
        let (state, _) = KsState::read_from_prefix(value).map_err(|_| NtStatus::STATUS_BUFFER_TOO_SMALL)?;
        if state.name().is_none() {
            return Err(NtStatus::STATUS_INVALID_PARAMETER);
        }
        lock(&self.state).streaming = state;
        Ok(())
    }
}

impl KsObject for Pin {
    fn sets(&self, verb: Verb) -> &[Set] {
        match &self.extension {
            Some((extension, _)) => extension.pin.of(verb),
            None if verb == Verb::Property => PROPERTIES,
            None => &[],
        }
    }

    fn has(&self, _verb: Verb, set: Guid, id: u32) -> bool {
        match (set, id) {
            (KSPROPSETID_Connection, KSPROPERTY_CONNECTION_STATE) => true,
            (KSPROPSETID_Stream, _) => self.counted.factory().can_allocate,
            (set, _) if self.extension_for(set).is_some() => true,
            _ => self.constant(set, id).is_some(),
        }
    }

    fn get_property(
        &self,
        requested: &Requested<'_>,
        output: &mut [u8],
        client: &dyn Client,
    ) -> Result<usize, Failure> {
        if let Some((extension, instance)) = self.extension_for(requested.set) {
            return extension.get_property(Some(instance), requested, output, client);
        }
        match (requested.set, requested.id) {
            // Whether there is an allocator or not: success says that the pin can provide one (statement 149).
            (KSPROPSETID_Stream, _) => answer(Handle::NULL.0.as_bytes(), output),
            (_, KSPROPERTY_CONNECTION_STATE) => {
                let state = lock(&self.state).streaming;
                answer(state.as_bytes(), output)
            }
            (set, id) => answer(self.constant(set, id).ok_or(NtStatus::STATUS_NOT_FOUND)?, output),
        }
    }

    fn set_property(&self, requested: &Requested<'_>, value: &[u8], client: &dyn Client) -> Result<(), Failure> {
        match requested.set {
            KSPROPSETID_Stream => self.set_allocator(value, client)?,
            _ => self.set_streaming(value)?,
        }
        Ok(())
    }

    fn start_method(
        self: Arc<Self>,
        requested: &Requested<'_>,
        data: &mut [u8],
        client: &dyn Client,
    ) -> Result<Started, Failure> {
        let (extension, instance) = self.extension_for(requested.set).ok_or(NtStatus::STATUS_NOT_FOUND)?;
        extension.call(Some(instance), requested, data, client)
    }

    fn create(&self, name: &CreateName<'_>, client: &dyn Client) -> Result<Object, NtStatus> {
        let framing = name.allocator_framing()?;
        if !self.receives() || !self.counted.factory().can_allocate {
            return Err(NtStatus::STATUS_OBJECT_NAME_NOT_FOUND);
        }
        Ok(Object::Allocator(Arc::new(StreamAllocator::new(framing, client.memory())?)))
    }

    fn end(&self) {
        let (allocator, told) = {
            let mut state = lock(&self.state);
            (state.allocator.take(), std::mem::replace(&mut state.ended, true))
        };
        drop(allocator);
        if let (Some((extension, instance)), false) = (&self.extension, told) {
            extension.extension.pin_ended(*instance);
        }
    }
}
