//! [`KsPin`]: the ready pin, from Rust.

use super::builder::KsPinBuilder;
use super::held::Held;
use super::{InputPin, OutputPin, Pin};
use crate::hresult::VFW_E_INVALID_DIRECTION;
use crate::interfaces::{IBaseFilter, IKsAllocatorEx, IKsPin, IKsPinEx, IKsPinPipe, IMediaSample, IMemAllocator, IPin};
use crate::lock::lock;
use core::sync::atomic::Ordering;
use ks::{AllocatorProperties, Guid, PinDirection};
use ksobject::{Handle, OwnedHandle};
use std::fmt;
use windows_core::{ComObject, HRESULT, Interface, Result};

/// What a host is told of its pin's stream. The methods may be called from any thread, and no lock of the pin is held.
pub trait PinEvents: Send + Sync {
    /// `IKsPin::KsQualityNotify`: the proportion in thousandths, and how late samples are in units of 100 ns. What it
    /// gives is what the caller is answered.
    fn quality(&self, proportion: u32, delta: i64) -> HRESULT;
    /// `IKsPinEx::KsNotifyError`: a sample, if one is named, met an error.
    fn error(&self, sample: Option<&IMediaSample>, error: HRESULT);
}

/// A part of a stream, as `IPin::NewSegment` announces it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Segment {
    /// Its start, in units of 100 ns.
    pub start: i64,
    /// Its end, in units of 100 ns.
    pub stop: i64,
    /// The rate at which it is to be played.
    pub rate: f64,
}

/// A ready pin: a COM object for hosts and tests, and one reference to it. Clones refer to the same object.
///
/// It answers `IKsObject`, `IKsPin`, `IKsPinEx`, `IKsPinPipe` and `IPin`, an input pin `IMemInputPin` and an output pin
/// `IAMBufferNegotiation` too. It keeps what the negotiation of pipes reads and writes (framings, pipe, allocator, bus)
/// and connects to other pins. It has no media types of its own, taking any, and moves no samples.
///
/// ```
/// use ks::{AlignmentMask, FramingEx, FramingFlags, KSMEMORY_TYPE_USER, KsAllocatorFramingEx};
/// use ksproxy::KsPin;
/// use zerocopy::IntoBytes;
///
/// let framing = KsAllocatorFramingEx::simple(KSMEMORY_TYPE_USER, FramingFlags(0), 4, AlignmentMask(63), 4096, 4096);
/// let source = KsPin::output("Out").filter_name("Camera").framing(FramingEx::parse(framing.as_bytes())?).build();
/// let sink = KsPin::input("In").filter_name("Screen").build();
/// source.connect(&sink)?;
/// assert!(sink.is_connected());
/// source.disconnect();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Lifetime
///
/// As in DirectShow, two connected pins refer to each other, and a pin refers to the filter it was given: call
/// [`disconnect`](Self::disconnect), and [`set_filter`](Self::set_filter) with `None`, to let them go.
#[derive(Clone)]
pub struct KsPin(pub(super) Class);

/// The object, by its class.
#[derive(Clone)]
pub(super) enum Class {
    Input(ComObject<InputPin>),
    Output(ComObject<OutputPin>),
}

// SAFETY: the object's references are counted atomically, what it holds is behind locks or atomic, and foreign objects
// it holds are for any thread, as their interfaces require.
unsafe impl Send for KsPin {}
// SAFETY: as above.
unsafe impl Sync for KsPin {}

impl KsPin {
    /// An input pin of this name, to be completed by the builder. The name ends at its first zero character; it is
    /// also what `IPin::QueryId` answers, and so should be the only one of its filter.
    pub fn input(name: &str) -> KsPinBuilder {
        KsPinBuilder::new(PinDirection::INPUT, name)
    }

    /// An output pin, likewise.
    pub fn output(name: &str) -> KsPinBuilder {
        KsPinBuilder::new(PinDirection::OUTPUT, name)
    }

    fn pin(&self) -> &Pin {
        match &self.0 {
            Class::Input(object) => &object.0,
            Class::Output(object) => &object.0,
        }
    }

    /// The object as an `IPin`, with a reference of its own.
    pub fn interface(&self) -> IPin {
        match &self.0 {
            Class::Input(object) => object.to_interface(),
            Class::Output(object) => object.to_interface(),
        }
    }

    /// The object as an `IKsPinEx`, with a reference of its own.
    pub fn ks_interface(&self) -> IKsPinEx {
        match &self.0 {
            Class::Input(object) => object.to_interface(),
            Class::Output(object) => object.to_interface(),
        }
    }

    /// The object as an `IKsPinPipe`, with a reference of its own.
    pub fn pipe_interface(&self) -> IKsPinPipe {
        match &self.0 {
            Class::Input(object) => object.to_interface(),
            Class::Output(object) => object.to_interface(),
        }
    }

    /// Which way samples go.
    pub fn direction(&self) -> PinDirection {
        self.pin().direction
    }

    /// `IPin::Connect` of this output pin to an input pin, by any media type.
    ///
    /// # Errors
    /// What `Connect` answers: `VFW_E_INVALID_DIRECTION`, `VFW_E_ALREADY_CONNECTED`.
    pub fn connect(&self, other: &KsPin) -> Result<()> {
        // SAFETY: both are there, and null is a media type not given.
        unsafe { self.interface().Connect(&other.interface(), core::ptr::null()) }.ok()
    }

    /// `IPin::Disconnect` of both sides. Does nothing where the pin is not connected.
    pub fn disconnect(&self) {
        let connection = self.pin().connection();
        // SAFETY: interfaces, and no pointers. That one side was disconnected already is no error.
        unsafe {
            let _ = self.interface().Disconnect();
            if let Some(connection) = connection {
                let _ = connection.peer.get().Disconnect();
            }
        }
    }

    /// Whether the pin is connected.
    pub fn is_connected(&self) -> bool {
        self.pin().connection().is_some()
    }

    /// The filter that `IPin::QueryPinInfo` names. The pin takes a reference; give `None` to let the filter go.
    pub fn set_filter(&self, filter: Option<&IBaseFilter>) {
        let new = filter.map(Held::new);
        let old = std::mem::replace(&mut lock(&self.pin().state).filter, new);
        // Released outside the lock.
        drop(old);
    }

    /// The pins of the same filter that this one's samples come from or go to, which
    /// `IPin::QueryInternalConnections` answers; `None`, as at first, is every pin of the other direction
    /// (`E_NOTIMPL`). It says nothing of the way back: those pins are to be told of this one too. The pin does not refer
    /// to them: those that are gone are left out.
    ///
    /// # Errors
    /// `VFW_E_INVALID_DIRECTION` where one goes the same way as this; nothing is changed then.
    pub fn set_internal_connections(&self, pins: Option<&[&KsPin]>) -> Result<()> {
        let weak = |pin: &&KsPin| {
            if pin.direction() == self.direction() {
                return Err(windows_core::Error::from_hresult(VFW_E_INVALID_DIRECTION));
            }
            pin.interface().downgrade()
        };
        let new = pins.map(|pins| pins.iter().map(weak).collect::<Result<_>>()).transpose()?;
        let old = std::mem::replace(&mut lock(&self.pin().state).internal_connections, new);
        // Released outside the lock.
        drop(old);
        Ok(())
    }

    /// `KsReceiveAllocator` or `NotifyAllocator`: the allocator the pin was given last, with a reference.
    pub fn allocator(&self) -> Option<IMemAllocator> {
        self.pin().allocator().map(|allocator| allocator.get().clone())
    }

    /// Whether the allocator came with the word that samples may not be changed (`NotifyAllocator`).
    pub fn is_read_only(&self) -> bool {
        lock(&self.pin().state).read_only
    }

    /// The pipe the pin was given (`KsSetPipe`), with a reference.
    pub fn pipe(&self) -> Option<IKsAllocatorEx> {
        self.pin().pipe().map(|pipe| pipe.get().clone())
    }

    /// `KsGetPipeAllocatorFlag`.
    pub fn pipe_allocator_flag(&self) -> u32 {
        self.pin().pipe_allocator_flag.load(Ordering::SeqCst)
    }

    /// `KsGetPinBusCache`.
    pub fn bus(&self) -> Guid {
        self.pin().bus()
    }

    /// `KsGetObjectHandle`: lent, good for the pin's life; null if there is none.
    pub fn handle(&self) -> Handle {
        self.pin().handle()
    }

    /// Gives a pin that has no handle one, which it owns then.
    ///
    /// # Errors
    /// The handle, where the pin has one: that one may be lent to others.
    pub fn set_handle(&self, handle: OwnedHandle) -> core::result::Result<(), OwnedHandle> {
        self.pin().handle.set(handle)
    }

    /// How many requests are under way (`KsIncrementPendingIoCount`).
    pub fn pending_io(&self) -> i32 {
        self.pin().pending_io.load(Ordering::SeqCst)
    }

    /// What `IAMBufferNegotiation` suggested last.
    pub fn suggested_properties(&self) -> Option<AllocatorProperties> {
        lock(&self.pin().state).suggested
    }

    /// The segment announced last.
    pub fn segment(&self) -> Option<Segment> {
        lock(&self.pin().state).segment
    }

    /// The proportion and lateness that `KsQualityNotify` told last.
    pub fn last_quality(&self) -> Option<(u32, i64)> {
        lock(&self.pin().state).quality
    }

    /// The error that `KsNotifyError` told last.
    pub fn last_error(&self) -> Option<HRESULT> {
        lock(&self.pin().state).error
    }
}

impl From<KsPin> for IPin {
    fn from(pin: KsPin) -> Self {
        pin.interface()
    }
}

impl From<KsPin> for IKsPin {
    fn from(pin: KsPin) -> Self {
        let whole = pin.ks_interface();
        // SAFETY: an IKsPinEx is an IKsPin: its first slots are that interface's.
        unsafe { Self::from_raw(whole.into_raw()) }
    }
}

impl From<KsPin> for IKsPinPipe {
    fn from(pin: KsPin) -> Self {
        pin.pipe_interface()
    }
}

impl fmt::Debug for KsPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KsPin")
            .field("direction", &self.direction())
            .field("handle", &self.handle())
            .field("connected", &self.is_connected())
            .finish_non_exhaustive()
    }
}
