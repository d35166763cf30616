//! What every KS object does, and the kinds there are. Nothing here knows how an object's handle came to it: a handle of
//! this process, or the connection of a client elsewhere.

use super::allocator::StreamAllocator;
use super::filter::Filter;
use super::pin::Pin;
use super::request::{Requested, Started};
use crate::handle::Handle;
use crate::object_access::DeviceError;
use ks::{CreateName, Guid, NtStatus};
use std::sync::Arc;

/// A KS object of any kind. Clones are the same object.
#[derive(Clone, Debug)]
pub(super) enum Object {
    Filter(Arc<Filter>),
    Pin(Arc<Pin>),
    Allocator(Arc<StreamAllocator>),
}

/// What a client's handle names: handles come in the data of requests.
pub(super) trait Handles {
    /// The object behind a handle.
    fn object(&self, handle: Handle) -> Result<Object, NtStatus>;
}

/// The three verbs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Property,
    Method,
    Event,
}

/// A set of properties, methods or events, and what is in it.
pub(super) struct Set {
    pub(super) guid: Guid,
    pub(super) items: &'static [Item],
}

/// A property, method or event.
pub(super) struct Item {
    pub(super) id: u32,
    /// The types of request it takes: `KSPROPERTY_TYPE_GET` and `SET`, `KSMETHOD_TYPE_*`, `KSEVENT_TYPE_ENABLE` and
    /// `ONESHOT`.
    pub(super) types: u32,
}

/// The answering side of a KS object. A method here is called only for what is in [`sets`](Self::sets).
pub(super) trait KsObject {
    /// What the object answers.
    fn sets(&self, verb: Verb) -> &'static [Set];

    /// Whether this object has an item of its sets: a pin may lack what others of its kind have.
    fn has(&self, _verb: Verb, _set: Guid, _id: u32) -> bool {
        true
    }

    /// Writes a property's value to `output`, and says how long it is.
    fn get_property(&self, requested: &Requested<'_>, output: &mut [u8]) -> Result<usize, DeviceError>;

    /// Takes a property's value.
    fn set_property(
        &self,
        _requested: &Requested<'_>,
        _value: &[u8],
        _handles: &dyn Handles,
    ) -> Result<(), DeviceError> {
        Err(NtStatus::STATUS_NOT_FOUND.into())
    }

    /// Starts a method, whose argument is in `data`, and whose answer goes there.
    fn start_method(self: Arc<Self>, _requested: &Requested<'_>, _data: &mut [u8]) -> Result<Started, DeviceError> {
        Err(NtStatus::STATUS_NOT_FOUND.into())
    }

    /// Enables an event. `key` is what it will be disabled by.
    fn enable_event(&self, _requested: &Requested<'_>, _key: usize, _data: &[u8]) -> Result<(), DeviceError> {
        Err(NtStatus::STATUS_NOT_FOUND.into())
    }

    /// Disables the events with this key, or all.
    fn disable_event(&self, _key: Option<usize>) -> Result<(), DeviceError> {
        Err(NtStatus::STATUS_NOT_FOUND.into())
    }

    /// Creates an object of this one, by its create name.
    fn create(&self, _name: &CreateName<'_>, _handles: &dyn Handles) -> Result<Object, NtStatus> {
        Err(NtStatus::STATUS_OBJECT_NAME_NOT_FOUND)
    }

    /// The last handle of the object is closed: what waits is cancelled, events are disabled. May be called twice.
    fn end(&self) {}
}

impl Object {
    /// The object, whatever it is.
    pub(super) fn answering(&self) -> &dyn KsObject {
        match self {
            Self::Filter(filter) => &**filter,
            Self::Pin(pin) => &**pin,
            Self::Allocator(allocator) => &**allocator,
        }
    }

    /// Starts a method of the object.
    pub(super) fn start_method(&self, requested: &Requested<'_>, data: &mut [u8]) -> Result<Started, DeviceError> {
        match self.clone() {
            Self::Filter(filter) => filter.start_method(requested, data),
            Self::Pin(pin) => pin.start_method(requested, data),
            Self::Allocator(allocator) => allocator.start_method(requested, data),
        }
    }

    /// Creates an object by a name nobody vouches for.
    pub(super) fn create(&self, name: &[u8], handles: &dyn Handles) -> Result<Object, NtStatus> {
        self.answering().create(&CreateName::parse(name)?, handles)
    }

    /// The last handle is closed.
    pub(super) fn end(&self) {
        self.answering().end();
    }
}
