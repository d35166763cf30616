//! [`InProcessObjects`]: KS objects that live in this process, behind real handles.
//!
//! There are filters with pin factories, pins, and allocators created on sink pins. They answer properties, methods and
//! events as drivers do: requests are bytes nobody vouches for, and come to an object the same way whoever sends them,
//! so that objects could be served to other processes too. How handles and objects belong together is in [`table`].

#![allow(non_upper_case_globals, reason = "patterns of constants with the header's names")]

mod allocator;
mod client;
mod events;
mod extension;
mod factory;
mod failure;
mod filter;
mod frames;
mod functions;
mod intersection;
mod memory_file;
mod object;
mod pending;
mod pin;
mod request;
mod table;

pub use extension::{
    ClientProcess, ExtensionAnswer, ExtensionRequest, ExtensionSet, FilterExtension, PinInstance, SentDescriptors,
};
pub use factory::{PinFactory, PinFraming};
pub use functions::AllocatorFunctions;
pub use memory_file::MemoryFile;

use crate::handle::{Handle, OwnedHandle};
use crate::object_access::{DeviceError, ObjectAccess, Win32Error};
use crate::request::Request;
pub(crate) use client::{Account, Charge, Client, EventDescriptor, FrameMemory, Owner};
pub(crate) use events::is_eventfd;
pub(crate) use failure::Failure;
use filter::{Counted, CountedFactory, Filter};
use ks::{CreateClass, KsAllocatorFraming, KsPinConnect, KsStreamAllocatorStatus, allocator_create_name};
pub(crate) use memory_file::length_of;
pub(crate) use object::Object;
pub(crate) use pending::{EndedRequests, PendingFrame, Wake};
use pin::Pin;
pub(crate) use request::{Started, start};
use std::sync::Arc;
pub(crate) use table::find;
pub(crate) use table::{Connection, sweep};
use table::{ThisProcess, insert};
use zerocopy::IntoBytes;

/// The KS objects of this process. One table for the process: every value is the same. Every method is for any thread.
///
/// An object ends when the last duplicate of its handle is closed: what waits at it is cancelled, its events are
/// disabled, and nothing of it is left. Where a handle is closed by its number alone (`close`), and not by dropping an
/// [`OwnedHandle`], that is noticed by a thread that waits at the object, and else when the next object is created or
/// the next handle dropped.
#[derive(Clone, Copy, Debug, Default)]
pub struct InProcessObjects;

impl InProcessObjects {
    /// These objects, to be given to an allocator.
    pub fn access() -> Arc<dyn ObjectAccess> {
        Arc::new(Self)
    }

    /// Creates a filter with these pin factories, numbered from 0.
    ///
    /// # Errors
    /// [`Win32Error::NO_SYSTEM_RESOURCES`].
    pub fn create_filter(factories: Vec<PinFactory>) -> Result<OwnedHandle, Win32Error> {
        insert(Object::Filter(Arc::new(Filter::new(factories))))
    }

    /// Creates a filter with these pin factories that, and whose pins, answer what a layer above adds.
    ///
    /// # Errors
    /// [`Win32Error::NO_SYSTEM_RESOURCES`].
    pub fn create_extended_filter(
        factories: Vec<PinFactory>,
        extension: Arc<dyn FilterExtension>,
    ) -> Result<OwnedHandle, Win32Error> {
        insert(Object::Filter(Arc::new(Filter::extended(factories, extension))))
    }

    /// `KsCreatePin`: creates a pin of a filter's factory `connect.pin_id`. `format` is a
    /// [`KsDataFormat`](ks::KsDataFormat) and what follows it.
    ///
    /// # Errors
    /// [`Win32Error::INVALID_HANDLE`] where `filter`, or the pin that `connect` is to connect to, is no object;
    /// [`Win32Error::FILE_NOT_FOUND`] where `filter` is no filter; [`Win32Error::INVALID_PARAMETER`] where there is no
    /// such factory, the format is not as long as it says, or the pin to connect to receives nothing;
    /// [`Win32Error::NO_MATCH`] where the factory has no such interface, medium or format; [`Win32Error::BUSY`] where
    /// there are as many pins as there may be; [`Win32Error::NO_SYSTEM_RESOURCES`].
    pub fn create_pin(filter: Handle, connect: &KsPinConnect, format: &[u8]) -> Result<OwnedHandle, Win32Error> {
        let mut name = CreateClass::Pin.head().to_vec();
        name.extend_from_slice(&connect.to_bytes());
        name.extend_from_slice(format);
        Self::create(filter, &name)
    }

    /// Creates a sink pin that belongs to no filter: an object on whose handle allocators can be created.
    ///
    /// # Errors
    /// [`Win32Error::NO_SYSTEM_RESOURCES`].
    pub fn create_sink_pin() -> Result<OwnedHandle, Win32Error> {
        Self::create_lone_pin(PinFactory::sink())
    }

    /// Creates a pin as a factory like this would, without a filter and without a format.
    ///
    /// # Errors
    /// [`Win32Error::NO_SYSTEM_RESOURCES`].
    pub fn create_lone_pin(factory: PinFactory) -> Result<OwnedHandle, Win32Error> {
        let counted = Counted::new(&CountedFactory::new(PinFactory {
            possible_instances: ks::KSINSTANCE_INDETERMINATE,
            ..factory
        }));
        let counted = counted.map_err(Win32Error::from_status)?;
        insert(Object::Pin(Arc::new(Pin::new(counted, Vec::new()))))
    }

    /// Creates an object on the handle of another by a create name, as the I/O system is asked to: see
    /// [`ks::CreateName`]. The name may be any bytes.
    ///
    /// # Errors
    /// [`Win32Error::INVALID_HANDLE`] where `parent` is no object, [`Win32Error::FILE_NOT_FOUND`] where nothing can be
    /// created under the name there, and what creating a pin or an allocator fails with.
    pub fn create(parent: Handle, name: &[u8]) -> Result<OwnedHandle, Win32Error> {
        let (parent, _) = find(parent)?;
        let object = parent.create(name, &ThisProcess).map_err(Win32Error::from_status)?;
        insert(object.clone()).inspect_err(|_| object.end())
    }

    /// Starts a request and does not wait for its end: an overlapped `DeviceIoControl`. `output` is the request's until
    /// [`Request::wait`] gives it back. Otherwise as [`ObjectAccess::device_io_control`]; what fails is an end like any
    /// other.
    pub fn begin(object: Handle, code: u32, input: &[u8], mut output: Vec<u8>) -> Request {
        let started = find(object)
            .map_err(DeviceError::from)
            .and_then(|(object, connection)| Ok((start(&object, code, input, &mut output, &ThisProcess)?, connection)));
        match started {
            Ok((Started::Pending(frame), connection)) => Request::pending(output, frame, connection),
            Ok((Started::Done(length) | Started::Given(length, _), _)) => Request::ended(output, Ok(length)),
            Err(error) => Request::ended(output, Err(error)),
        }
    }

    /// The direct interface of an allocator: what a driver in the kernel gets by
    /// `KSPROPERTY_STREAMALLOCATOR_FUNCTIONTABLE`.
    ///
    /// # Errors
    /// [`Win32Error::INVALID_HANDLE`] where the handle names no allocator.
    pub fn functions(allocator: Handle) -> Result<AllocatorFunctions, Win32Error> {
        match find(allocator)? {
            (Object::Allocator(allocator), _) => Ok(AllocatorFunctions::new(&allocator)),
            _ => Err(Win32Error::INVALID_HANDLE),
        }
    }

    /// Whether an allocator's nonpaged memory is simulated: it could not be locked (`RLIMIT_MEMLOCK`), or was too large
    /// to be, and may be paged out. `false` for paged memory.
    ///
    /// # Errors
    /// [`Win32Error::INVALID_HANDLE`] where the handle names no allocator.
    pub fn is_nonpaged_simulated(allocator: Handle) -> Result<bool, Win32Error> {
        match find(allocator)? {
            (Object::Allocator(allocator), _) => Ok(!allocator.has_memory_as_promised()),
            _ => Err(Win32Error::INVALID_HANDLE),
        }
    }

    /// The status of the allocator that a pin was given (`KSPROPERTY_STREAM_ALLOCATOR`); `None` where it has none. A
    /// driver knows its allocator, and its clients cannot ask it.
    ///
    /// # Errors
    /// [`Win32Error::INVALID_HANDLE`] where the handle names no pin.
    pub fn pin_allocator_status(pin: Handle) -> Result<Option<KsStreamAllocatorStatus>, Win32Error> {
        match find(pin)? {
            (Object::Pin(pin), _) => Ok(pin.allocator().map(|allocator| allocator.status())),
            _ => Err(Win32Error::INVALID_HANDLE),
        }
    }
}

impl ObjectAccess for InProcessObjects {
    fn create_allocator(&self, pin: Handle, framing: &KsAllocatorFraming) -> Result<OwnedHandle, Win32Error> {
        Self::create(pin, &allocator_create_name(framing))
    }

    fn device_io_control(
        &self,
        object: Handle,
        code: u32,
        input: &[u8],
        output: &mut [u8],
    ) -> Result<usize, DeviceError> {
        let (object, connection) = find(object)?;
        match start(&object, code, input, output, &ThisProcess)? {
            // There is no room for descriptors in what is answered here.
            Started::Done(length) | Started::Given(length, _) => Ok(length),
            Started::Pending(frame) => wait_for_frame(&frame, &connection, output),
        }
    }
}

/// Waits for a frame, and writes its address to `output`.
pub(crate) fn wait_for_frame(
    frame: &PendingFrame,
    connection: &Connection,
    output: &mut [u8],
) -> Result<usize, DeviceError> {
    let address = frame.wait(connection).map_err(Failure::from)?;
    Ok(request::answer(address.as_bytes(), output)?)
}
