//! What a layer above adds to a filter: sets of properties and methods of its own, on the filter and on its pins.

use super::client::Client;
use super::failure::Failure;
use super::memory_file::MemoryFile;
use super::object::{Item, Set, Verb};
use super::request::{Requested, Started, answer};
use crate::handle::Handle;
use crate::wire::MAX_DESCRIPTORS;
use ks::{Guid, KsMethodType, KsPropertyType, NtStatus};
use rustix::fd::OwnedFd;
use std::fmt::Debug;
use std::sync::Arc;

/// What a layer above adds to a filter of this process ([`InProcessObjects::create_extended_filter`]). The filter and its
/// pins keep what they answer by themselves; requests about the sets named here come to the extension. Calls come in
/// whatever thread sends the request, behind a [`Server`](crate::Server) in that of its turn, and must not wait.
///
/// [`InProcessObjects::create_extended_filter`]: crate::InProcessObjects::create_extended_filter
pub trait FilterExtension: Debug + Send + Sync {
    /// The sets it answers on the filter.
    fn filter_sets(&self) -> &'static [ExtensionSet];

    /// The sets it answers on every pin.
    fn pin_sets(&self) -> &'static [ExtensionSet];

    /// A process creates a pin, which may be. It has none of the filter's other pins by that.
    ///
    /// # Errors
    /// Why it may not: what creating the pin fails with.
    fn pin_created(&self, pin: PinInstance, by: ClientProcess) -> Result<(), NtStatus>;

    /// The last handle of a pin that was created is closed. Once for each. Where its process has ended this may come before
    /// or after [`ClientProcess::pidfd`] says so.
    fn pin_ended(&self, pin: PinInstance);

    /// Answers a request about one of the sets.
    ///
    /// # Errors
    /// What the request fails with.
    fn request(&self, request: &ExtensionRequest<'_>, from: ClientProcess) -> Result<ExtensionAnswer, NtStatus>;
}

/// A set of properties or methods of a layer above.
#[derive(Clone, Copy, Debug)]
pub struct ExtensionSet {
    /// The set.
    pub set: Guid,
    /// Whether its items are methods, called with `KSMETHOD_TYPE_WRITE` or `SEND`; else they are properties to be got.
    pub are_methods: bool,
    /// The items, counted from 0.
    pub items: u32,
}

/// A pin that was created of an extended filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PinInstance {
    /// The number of its factory.
    pub factory: u32,
    /// Which of all pins of the filter: no other ever has the number.
    pub number: u64,
}

/// A request about a set of an extension.
#[derive(Clone, Copy, Debug)]
pub struct ExtensionRequest<'a> {
    /// The pin that is asked; `None`: the filter.
    pub pin: Option<PinInstance>,
    /// The set.
    pub set: Guid,
    /// Which of its items.
    pub id: u32,
    /// What goes with a method: as much of its buffer as was sent. Empty for a property.
    pub data: &'a [u8],
    /// The descriptors that handles in the data stand for.
    pub descriptors: SentDescriptors<'a>,
}

/// The descriptors that came with a request. What is not taken is closed.
#[derive(Clone, Copy)]
pub struct SentDescriptors<'a>(&'a dyn Client);

impl SentDescriptors<'_> {
    /// Takes the file behind a handle: of another process's request the number of a descriptor that came with it, counted
    /// from 1 ([`RemoteObjects::call_with`](crate::RemoteObjects::call_with)). It costs its sender as much as an event.
    ///
    /// # Errors
    /// `STATUS_INVALID_HANDLE` where there is none, or it is no `memfd` that is sealed against shrinking;
    /// `STATUS_INSUFFICIENT_RESOURCES` where its sender has too much here already.
    pub fn memory_file(&self, handle: Handle) -> Result<MemoryFile, NtStatus> {
        self.0.memory_file(handle)
    }
}

impl Debug for SentDescriptors<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SentDescriptors").finish_non_exhaustive()
    }
}

/// The answer to a request: as many bytes as the caller has room for, or it is told how many there are.
#[derive(Debug, Default)]
pub struct ExtensionAnswer {
    /// The bytes.
    pub data: Vec<u8>,
    /// Descriptors that go to the caller, at most [`MAX_DESCRIPTORS`](crate::wire::MAX_DESCRIPTORS). Only of a method, and
    /// only to another process that asks by [`RemoteObjects::call`](crate::RemoteObjects::call).
    pub descriptors: Vec<OwnedFd>,
}

/// The process that a request is from, as the kernel says.
#[derive(Debug)]
pub struct ClientProcess {
    /// Its number. While the descriptor is not readable no other process has it.
    pub process: i32,
    /// Its effective user, when it connected.
    pub user: u32,
    /// Can be read once it has ended.
    pub pidfd: Arc<OwnedFd>,
}

/// An extension, and the sets of the objects it is for.
#[derive(Debug)]
pub(crate) struct Extension {
    pub(super) extension: Arc<dyn FilterExtension>,
    /// With the filter's own.
    pub(super) filter: Sets,
    /// With the pins' own.
    pub(super) pin: Sets,
}

/// The sets of an object.
#[derive(Debug)]
pub(super) struct Sets {
    properties: Vec<Set>,
    methods: Vec<Set>,
}

impl Sets {
    fn new(own: &'static [Set], added: &'static [ExtensionSet]) -> Self {
        let of = |are_methods: bool, types: u32| {
            let meant = added.iter().filter(move |set| set.are_methods == are_methods);
            meant.map(move |set| {
                let items = (0..set.items).map(|id| Item { id, types }).collect::<Vec<_>>();
                Set { guid: set.set, items: items.into() }
            })
        };
        Self {
            properties: own.iter().cloned().chain(of(false, KsPropertyType::GET.bits())).collect(),
            methods: of(true, KsMethodType::WRITE.bits()).collect(),
        }
    }

    pub(super) fn of(&self, verb: Verb) -> &[Set] {
        match verb {
            Verb::Property => &self.properties,
            Verb::Method => &self.methods,
            Verb::Event => &[],
        }
    }
}

impl Extension {
    pub(super) fn new(extension: Arc<dyn FilterExtension>, filter: &'static [Set], pin: &'static [Set]) -> Self {
        let (filter, pin) = (Sets::new(filter, extension.filter_sets()), Sets::new(pin, extension.pin_sets()));
        Self { extension, filter, pin }
    }

    /// Whether a set is the extension's.
    pub(super) fn has(&self, pin: Option<PinInstance>, set: Guid) -> bool {
        let sets = if pin.is_some() { self.extension.pin_sets() } else { self.extension.filter_sets() };
        sets.iter().any(|added| added.set == set)
    }

    /// A property of an object's.
    pub(super) fn get_property(
        &self,
        pin: Option<PinInstance>,
        requested: &Requested<'_>,
        output: &mut [u8],
        client: &dyn Client,
    ) -> Result<usize, Failure> {
        let request = ExtensionRequest {
            pin,
            set: requested.set,
            id: requested.id,
            data: &[],
            descriptors: SentDescriptors(client),
        };
        answer(&self.extension.request(&request, client.process()?)?.data, output)
    }

    /// A method of an object's, with what is in `data`; the answer goes there.
    pub(super) fn call(
        &self,
        pin: Option<PinInstance>,
        requested: &Requested<'_>,
        data: &mut [u8],
        client: &dyn Client,
    ) -> Result<Started, Failure> {
        let request =
            ExtensionRequest { pin, set: requested.set, id: requested.id, data, descriptors: SentDescriptors(client) };
        let ExtensionAnswer { data: bytes, descriptors } = self.extension.request(&request, client.process()?)?;
        if descriptors.len() > MAX_DESCRIPTORS {
            return Err(NtStatus::STATUS_UNSUCCESSFUL.into());
        }
        Ok(Started::Given(answer(&bytes, data)?, descriptors))
    }
}
