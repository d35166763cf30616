//! What every KS object does, and the kinds there are. Nothing here knows how an object's handle came to it: a handle of
//! this process, or the connection of a client elsewhere.

use super::allocator::StreamAllocator;
use super::client::{Client, Owner};
use super::failure::Failure;
use super::filter::Filter;
use super::pin::Pin;
use super::request::{Requested, Started};
use ks::{CreateName, Guid, NtStatus};
use std::borrow::Cow;
use std::sync::Arc;

/// A KS object of any kind. Clones are the same object.
#[derive(Clone, Debug)]
pub(crate) enum Object {
    Filter(Arc<Filter>),
    Pin(Arc<Pin>),
    Allocator(Arc<StreamAllocator>),
}

/// The three verbs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Property,
    Method,
    Event,
}

/// A set of properties, methods or events, and what is in it.
#[derive(Clone, Debug)]
pub(crate) struct Set {
    pub(crate) guid: Guid,
    pub(crate) items: Cow<'static, [Item]>,
}

impl Set {
    /// A set that is known when the program is built.
    pub(crate) const fn of(guid: Guid, items: &'static [Item]) -> Self {
        Self { guid, items: Cow::Borrowed(items) }
    }
}

/// A property, method or event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item {
    pub(crate) id: u32,
    /// The types of request it takes: `KSPROPERTY_TYPE_GET` and `SET`, `KSMETHOD_TYPE_*`, `KSEVENT_TYPE_ENABLE` and
    /// `ONESHOT`.
    pub(crate) types: u32,
}

/// The answering side of a KS object. A method here is called only for what is in [`sets`](Self::sets).
pub(crate) trait KsObject {
    /// What the object answers.
    fn sets(&self, verb: Verb) -> &[Set];

    /// Whether this object has an item of its sets: a pin may lack what others of its kind have.
    fn has(&self, _verb: Verb, _set: Guid, _id: u32) -> bool {
        true
    }

    /// Writes a property's value to `output`, and says how long it is.
    fn get_property(&self, requested: &Requested<'_>, output: &mut [u8], client: &dyn Client)
    -> Result<usize, Failure>;

    /// Takes a property's value.
    fn set_property(&self, _requested: &Requested<'_>, _value: &[u8], _client: &dyn Client) -> Result<(), Failure> {
        Err(NtStatus::STATUS_NOT_FOUND.into())
    }

    /// Starts a method, whose argument is in `data`, and whose answer goes there.
    fn start_method(
        self: Arc<Self>,
        _requested: &Requested<'_>,
        _data: &mut [u8],
        _client: &dyn Client,
    ) -> Result<Started, Failure> {
        Err(NtStatus::STATUS_NOT_FOUND.into())
    }

    /// Enables an event of the client's, whose data is `data`.
    fn enable_event(&self, _requested: &Requested<'_>, _data: &[u8], _client: &dyn Client) -> Result<(), Failure> {
        Err(NtStatus::STATUS_NOT_FOUND.into())
    }

    /// Disables the events of the owner's with this key, or all of the owner's. Says how many.
    fn disable_event(&self, _owner: Owner, _key: Option<usize>) -> Result<usize, Failure> {
        Err(NtStatus::STATUS_NOT_FOUND.into())
    }

    /// Creates an object of this one, by its create name.
    fn create(&self, _name: &CreateName<'_>, _client: &dyn Client) -> Result<Object, NtStatus> {
        Err(NtStatus::STATUS_OBJECT_NAME_NOT_FOUND)
    }

    /// The last handle of the object is closed: what waits is cancelled, events are disabled. May be called twice.
    fn end(&self) {}
}

impl Object {
    /// The object, whatever it is.
    pub(crate) fn answering(&self) -> &dyn KsObject {
        match self {
            Self::Filter(filter) => &**filter,
            Self::Pin(pin) => &**pin,
            Self::Allocator(allocator) => &**allocator,
        }
    }

    /// What is the same for clones, and different for every object there is.
    pub(crate) fn identity(&self) -> usize {
        match self {
            Self::Filter(filter) => Arc::as_ptr(filter).addr(),
            Self::Pin(pin) => Arc::as_ptr(pin).addr(),
            Self::Allocator(allocator) => Arc::as_ptr(allocator).addr(),
        }
    }

    /// What a client that is gone had here comes to an end: its events, and the frames it took.
    pub(crate) fn client_gone(&self, owner: Owner, frames: impl Iterator<Item = usize>) {
        // What has no events has none of the client's.
        let _ = self.answering().disable_event(owner, None);
        if let Self::Allocator(allocator) = self {
            // An error is that the allocator has ended, and the frame with it.
            for frame in frames {
                let _ = allocator.free(frame);
            }
        }
    }

    /// Starts a method of the object.
    pub(crate) fn start_method(
        &self,
        requested: &Requested<'_>,
        data: &mut [u8],
        client: &dyn Client,
    ) -> Result<Started, Failure> {
        match self.clone() {
            Self::Filter(filter) => filter.start_method(requested, data, client),
            Self::Pin(pin) => pin.start_method(requested, data, client),
            Self::Allocator(allocator) => allocator.start_method(requested, data, client),
        }
    }

    /// Creates an object by a name nobody vouches for.
    pub(crate) fn create(&self, name: &[u8], client: &dyn Client) -> Result<Object, NtStatus> {
        self.answering().create(&CreateName::parse(name)?, client)
    }

    /// The last handle is closed.
    pub(crate) fn end(&self) {
        self.answering().end();
    }
}
