//! The ready pin: a COM object with everything the negotiation of pipes asks of a pin, for hosts and tests.
//!
//! There are two classes, because an input pin answers `IMemInputPin` and an output pin `IAMBufferNegotiation`; what
//! both do is written once, for every [`PinObject`].
//!
//! One lock per pin guards what changes together; the framing cache has its own. Neither is ever held while anything
//! foreign runs, a reference count included: under the lock a [`Held`] is copied, and used after.

mod builder;
mod connection;
mod export;
mod face;
mod framing_cache;
mod held;
mod ks_pin;
mod ks_pin_pipe;
mod media_types;
mod mem_input_pin;
mod name;

pub use builder::KsPinBuilder;
pub use export::{KspCreatePin, KspPinDescription};
pub use face::{KsPin, PinEvents, Segment};

use crate::interfaces::{
    IAMBufferNegotiation, IBaseFilter, IKsAllocatorEx, IKsObject, IKsPinEx, IKsPinPipe, IMemAllocator, IMemInputPin,
    IPin,
};
use crate::lock::Lock;
use crate::sample::MediaType;
use core::sync::atomic::{AtomicI32, AtomicU32, Ordering, fence};
use framing_cache::FramingCache;
use held::Held;
use ks::{AllocatorProperties, Guid, KsPinCommunication, KsPinInterface, KsPinMedium, PinDirection};
use ksobject::OwnedHandle;
use name::Name;
use std::sync::{Arc, OnceLock};
use windows_core::{HRESULT, IUnknownImpl, Weak, implement};

/// What an input pin and an output pin have in common.
pub(crate) struct Pin {
    direction: PinDirection,
    name: Name,
    filter_name: Name,
    communication: KsPinCommunication,
    /// By preference; the first is the current one until a handle is created.
    interfaces: Vec<KsPinInterface>,
    mediums: Vec<KsPinMedium>,
    /// Set once, and lent since: it is closed with the pin.
    handle: OnceLock<OwnedHandle>,
    /// `None` only while the pin is destroyed.
    events: Option<Arc<dyn PinEvents>>,
    framings: FramingCache,
    pending_io: AtomicI32,
    pipe_allocator_flag: AtomicU32,
    state: Lock<State>,
}

/// What a pin's lock guards.
#[derive(Default)]
struct State {
    link: Link,
    allocator: Option<Held<IMemAllocator>>,
    /// Whether samples of the allocator may not be changed.
    read_only: bool,
    pipe: Option<Held<IKsAllocatorEx>>,
    interface: KsPinInterface,
    medium: KsPinMedium,
    /// What was set; without, the medium says.
    bus: Option<Guid>,
    filter: Option<Held<IBaseFilter>>,
    /// `None`: to every pin of the other direction.
    internal_connections: Option<Arc<[Weak<IPin>]>>,
    suggested: Option<AllocatorProperties>,
    segment: Option<Segment>,
    quality: Option<(u32, i64)>,
    error: Option<HRESULT>,
}

/// The connection to another filter's pin.
#[derive(Default)]
enum Link {
    #[default]
    None,
    /// Being made: the other pin is asked, outside the lock.
    Reserved,
    Made(Arc<Connection>),
}

/// A connection: the other pin, and what they agreed to be connected by.
struct Connection {
    peer: Held<IPin>,
    media_type: MediaType,
}

/// The class of input pins.
#[implement(IKsObject, IKsPinEx, IKsPinPipe, IPin, IMemInputPin)]
pub(crate) struct InputPin(Pin);

/// The class of output pins.
#[implement(IKsObject, IKsPinEx, IKsPinPipe, IPin, IAMBufferNegotiation)]
pub(crate) struct OutputPin(Pin);

/// A pin in its COM object.
pub(crate) trait PinObject: IUnknownImpl {
    /// The pin.
    fn pin(&self) -> &Pin;
    /// The object as a pin of DirectShow, with a reference.
    fn to_pin(&self) -> IPin;
}

impl PinObject for InputPin_Impl {
    fn pin(&self) -> &Pin {
        &self.this.0
    }
    fn to_pin(&self) -> IPin {
        self.to_interface()
    }
}

impl PinObject for OutputPin_Impl {
    fn pin(&self) -> &Pin {
        &self.this.0
    }
    fn to_pin(&self) -> IPin {
        self.to_interface()
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        // What other threads did before they gave up their references is done: `implement` counts down with Release.
        fence(Ordering::Acquire);
        // The host's destructor must not let a panic out: this is called from the object's own Release.
        crate::guard::value((), || drop(self.events.take()));
    }
}
