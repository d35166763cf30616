//! `IPin`.

use super::held::Held;
use super::media_types::NoMediaTypes;
use super::{Connection, Link, Pin, PinObject, Segment};
use crate::guard;
use crate::hresult::*;
use crate::interfaces::{IEnumMediaTypes, IPin, IPin_Impl};
use crate::lock::lock;
use crate::sample::MediaType;
use crate::task_memory;
use core::ptr::{NonNull, null_mut};
use ks::{AmMediaType, PinDirection, PinInfo};
use std::sync::Arc;
use windows_core::{HRESULT, Interface, Ref};

/// A connection being made: nobody else can make one. Dropped without [`complete`](Self::complete), there is none.
struct Reservation<'a>(Option<&'a Pin>);

impl<'a> Reservation<'a> {
    /// `VFW_E_ALREADY_CONNECTED` where there is a connection, or one is being made.
    fn new(pin: &'a Pin) -> Result<Self, HRESULT> {
        let mut state = lock(&pin.state);
        if !matches!(state.link, Link::None) {
            return Err(VFW_E_ALREADY_CONNECTED);
        }
        state.link = Link::Reserved;
        Ok(Self(Some(pin)))
    }

    /// The connection is made.
    fn complete(mut self, peer: Held<IPin>, media_type: MediaType) {
        if let Some(pin) = self.0.take() {
            lock(&pin.state).link = Link::Made(Arc::new(Connection { peer, media_type }));
        }
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        if let Some(pin) = self.0 {
            lock(&pin.state).link = Link::None;
        }
    }
}

/// `VFW_E_INVALID_DIRECTION` where a pin goes another way.
fn check_direction(pin: &IPin, expected: PinDirection) -> Result<(), HRESULT> {
    let mut direction = PinDirection(u32::MAX);
    // SAFETY: an interface the caller gave, and the place is there.
    let answer = unsafe { pin.QueryDirection(&mut direction) };
    if answer.is_err() {
        return Err(answer);
    }
    if direction == expected { Ok(()) } else { Err(VFW_E_INVALID_DIRECTION) }
}

impl Pin {
    /// The connection, if there is one.
    pub(super) fn connection(&self) -> Option<Arc<Connection>> {
        match &lock(&self.state).link {
            Link::Made(connection) => Some(connection.clone()),
            Link::None | Link::Reserved => None,
        }
    }

    /// `Connect` of the pin whose interface is `own`.
    ///
    /// # Safety
    ///
    /// `media_type` is null or well-formed.
    unsafe fn connect(&self, own: &IPin, other: Option<&IPin>, media_type: *const AmMediaType) -> Result<(), HRESULT> {
        let other = other.ok_or(E_POINTER)?;
        if self.direction != PinDirection::OUTPUT {
            return Err(VFW_E_INVALID_DIRECTION);
        }
        let any = AmMediaType::default();
        // SAFETY: null or well-formed, as the caller promises.
        let media_type = unsafe { MediaType::copy(media_type.as_ref().unwrap_or(&any))? };
        let peer = Held::new(other);
        let reservation = Reservation::new(self)?;
        check_direction(other, PinDirection::INPUT)?;
        // SAFETY: an interface the caller gave; both arguments are there.
        let answer = unsafe { other.ReceiveConnection(own, media_type.get()) };
        if answer.is_err() {
            return Err(answer);
        }
        reservation.complete(peer, media_type);
        Ok(())
    }

    /// `ReceiveConnection`.
    ///
    /// # Safety
    ///
    /// `media_type` is null or well-formed.
    unsafe fn receive_connection(
        &self,
        connector: Option<&IPin>,
        media_type: *const AmMediaType,
    ) -> Result<(), HRESULT> {
        let connector = connector.ok_or(E_POINTER)?;
        // SAFETY: null or well-formed, as the caller promises.
        let media_type = unsafe { media_type.as_ref() }.ok_or(E_POINTER)?;
        if self.direction != PinDirection::INPUT {
            return Err(VFW_E_INVALID_DIRECTION);
        }
        // SAFETY: as above.
        let media_type = unsafe { MediaType::copy(media_type)? };
        let peer = Held::new(connector);
        let reservation = Reservation::new(self)?;
        check_direction(connector, PinDirection::OUTPUT)?;
        reservation.complete(peer, media_type);
        Ok(())
    }

    /// `Disconnect`: whether there was a connection. Its allocator goes with it; the pipe stays until it is set anew.
    fn disconnect(&self) -> bool {
        let mut state = lock(&self.state);
        if !matches!(state.link, Link::Made(_)) {
            return false;
        }
        let old = (std::mem::take(&mut state.link), state.allocator.take());
        state.read_only = false;
        drop(state);
        // Released outside the lock.
        drop(old);
        true
    }

    /// What `QueryPinInfo` answers.
    fn info(&self) -> PinInfo {
        let filter = lock(&self.state).filter.clone();
        PinInfo {
            p_filter: filter.map_or(null_mut(), |filter| filter.get().clone().into_raw()),
            dir: self.direction,
            ach_name: self.name.truncated(),
        }
    }

    /// The pin's name in task memory.
    fn id(&self) -> Option<NonNull<u16>> {
        let units = self.name.units();
        let memory = task_memory::allocate(size_of_val(units))?.cast::<u16>();
        // SAFETY: the memory is new, aligned for any C type, and as large as the units.
        unsafe { memory.copy_from_nonoverlapping(NonNull::from(units).cast(), units.len()) };
        Some(memory)
    }

    /// The pins this one is connected to inside its filter; those that are gone are left out. `None`: all of the other
    /// direction.
    fn internal_pins(&self) -> Option<Vec<IPin>> {
        let pins = lock(&self.state).internal_connections.clone()?;
        Some(pins.iter().filter_map(|pin| pin.upgrade()).collect())
    }

    /// What an input pin answers whose filter does not run, as none of a ready pin's does.
    pub(super) fn stopped(&self) -> HRESULT {
        if self.connection().is_some() { VFW_E_WRONG_STATE } else { VFW_E_NOT_CONNECTED }
    }

    /// Answers a call that only input pins take.
    fn input_only(&self, answer: impl FnOnce() -> HRESULT) -> HRESULT {
        if self.direction == PinDirection::INPUT { answer() } else { E_UNEXPECTED }
    }
}

impl<P: PinObject> IPin_Impl for P {
    unsafe fn Connect(&self, receive_pin: Ref<'_, IPin>, media_type: *const AmMediaType) -> HRESULT {
        guard::hresult(|| {
            let own = self.to_pin();
            // SAFETY: null or well-formed, as COM requires of the caller.
            unsafe { self.pin().connect(&own, receive_pin.as_ref(), media_type) }.err().unwrap_or(S_OK)
        })
    }

    unsafe fn ReceiveConnection(&self, connector: Ref<'_, IPin>, media_type: *const AmMediaType) -> HRESULT {
        guard::hresult(|| {
            // SAFETY: as above.
            unsafe { self.pin().receive_connection(connector.as_ref(), media_type) }.err().unwrap_or(S_OK)
        })
    }

    unsafe fn Disconnect(&self) -> HRESULT {
        guard::hresult(|| if self.pin().disconnect() { S_OK } else { S_FALSE })
    }

    unsafe fn ConnectedTo(&self, pin: *mut Option<IPin>) -> HRESULT {
        guard::hresult(|| {
            if pin.is_null() {
                return E_POINTER;
            }
            let peer = self.pin().connection().map(|connection| connection.peer.get().clone());
            let answer = if peer.is_some() { S_OK } else { VFW_E_NOT_CONNECTED };
            // SAFETY: not null, so good for writing, as COM requires of the caller. What was there is not dropped.
            unsafe { pin.write(peer) };
            answer
        })
    }

    unsafe fn ConnectionMediaType(&self, media_type: *mut AmMediaType) -> HRESULT {
        guard::hresult(|| {
            if media_type.is_null() {
                return E_POINTER;
            }
            // SAFETY: the connection's own media type is well-formed.
            let copy =
                self.pin().connection().map(|connection| unsafe { MediaType::copy(connection.media_type.get()) });
            let (copy, answer) = match copy {
                Some(Ok(copy)) => (copy.into_parts(), S_OK),
                Some(Err(error)) => (AmMediaType::default(), error),
                None => (AmMediaType::default(), VFW_E_NOT_CONNECTED),
            };
            // SAFETY: not null, so good for writing, as COM requires of the caller.
            unsafe { media_type.write(copy) };
            answer
        })
    }

    unsafe fn QueryPinInfo(&self, info: *mut PinInfo) -> HRESULT {
        guard::hresult(|| {
            if info.is_null() {
                return E_POINTER;
            }
            // SAFETY: as above.
            unsafe { info.write(self.pin().info()) };
            S_OK
        })
    }

    unsafe fn QueryDirection(&self, direction: *mut PinDirection) -> HRESULT {
        guard::hresult(|| {
            if direction.is_null() {
                return E_POINTER;
            }
            // SAFETY: as above.
            unsafe { direction.write(self.pin().direction) };
            S_OK
        })
    }

    unsafe fn QueryId(&self, id: *mut *mut u16) -> HRESULT {
        guard::hresult(|| {
            if id.is_null() {
                return E_POINTER;
            }
            let copy = self.pin().id();
            // SAFETY: as above.
            unsafe { id.write(copy.map_or(null_mut(), NonNull::as_ptr)) };
            if copy.is_some() { S_OK } else { E_OUTOFMEMORY }
        })
    }

    unsafe fn QueryAccept(&self, media_type: *const AmMediaType) -> HRESULT {
        // What the frames hold is nothing to a ready pin.
        guard::hresult(|| if media_type.is_null() { E_POINTER } else { S_OK })
    }

    unsafe fn EnumMediaTypes(&self, enumerator: *mut Option<IEnumMediaTypes>) -> HRESULT {
        guard::hresult(|| {
            if enumerator.is_null() {
                return E_POINTER;
            }
            // SAFETY: as above.
            unsafe { enumerator.write(Some(NoMediaTypes.into())) };
            S_OK
        })
    }

    unsafe fn QueryInternalConnections(&self, pins: *mut Option<IPin>, count: *mut u32) -> HRESULT {
        guard::hresult(|| {
            let Some(connected) = self.pin().internal_pins() else { return E_NOTIMPL };
            if count.is_null() {
                return E_POINTER;
            }
            // A vector of pointers has fewer elements than that.
            let number = connected.len() as u32;
            // SAFETY: not null, so good for reading and writing, as COM requires of the caller.
            let room = unsafe { count.replace(number) };
            if number != 0 && (pins.is_null() || room < number) {
                return S_FALSE;
            }
            for (index, pin) in connected.into_iter().enumerate() {
                // SAFETY: not null where there is a pin, and good for writing `room` pointers, as COM requires.
                unsafe { pins.add(index).write(Some(pin)) };
            }
            S_OK
        })
    }

    unsafe fn EndOfStream(&self) -> HRESULT {
        guard::hresult(|| self.pin().input_only(|| self.pin().stopped()))
    }

    unsafe fn BeginFlush(&self) -> HRESULT {
        // There is never a sample to be thrown away.
        guard::hresult(|| self.pin().input_only(|| S_OK))
    }

    unsafe fn EndFlush(&self) -> HRESULT {
        guard::hresult(|| self.pin().input_only(|| S_OK))
    }

    unsafe fn NewSegment(&self, start: i64, stop: i64, rate: f64) -> HRESULT {
        guard::hresult(|| {
            lock(&self.pin().state).segment = Some(Segment { start, stop, rate });
            S_OK
        })
    }
}
