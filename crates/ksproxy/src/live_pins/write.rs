//! Telling the pins what was negotiated, all of them or none.

use super::com_pin::{ComPin, identity, is_same};
use super::error::NegotiatePinsError;
use super::pin_graph::PinGraph;
use super::pipes::NegotiatedPipe;
use crate::hresult::*;
use crate::interfaces::{IKsAllocatorEx, IMemAllocator};
use ks::{AllocatorProperties, KSPROPERTY_STREAM_ALLOCATOR, KSPROPSETID_Stream, KsProperty, KsPropertyType};
use ksobject::Handle;
use ksobject::ObjectAccess;
use kspipe::graph::PinId;
use windows_core::HRESULT;

/// What a pin had before. Reading it changes nothing.
struct Before {
    pipe: Option<IKsAllocatorEx>,
    /// The allocator of that pipe, lent: the pipe has it.
    handle: Handle,
    flag: u32,
    allocator: Option<IMemAllocator>,
}

impl Before {
    fn of(pin: &ComPin) -> Self {
        let pipe = pin.current_pipe();
        // SAFETY: an interface the pin gave.
        let handle = pipe.as_ref().map_or(Handle::NULL, |pipe| unsafe { pipe.KsGetAllocatorHandle() });
        Self {
            // SAFETY: an interface the pin answered with.
            flag: pin.pipe.as_ref().map_or(0, |pin| unsafe { pin.KsGetPipeAllocatorFlag() }),
            allocator: pin.allocator(),
            handle: if handle.is_object() { handle } else { Handle::NULL },
            pipe,
        }
    }
}

/// Something written, and what undoes it.
enum Written {
    Properties(IMemAllocator, AllocatorProperties),
    Pipe,
    Flag,
    Allocator,
    StreamAllocator,
}

impl Written {
    /// The method, or the property, it is written by.
    fn call(&self) -> &'static str {
        match self {
            Written::Properties(..) => "IMemAllocator::SetProperties",
            Written::Pipe => "KsSetPipe",
            Written::Flag => "KsSetPipeAllocatorFlag",
            Written::Allocator => "KsReceiveAllocator",
            Written::StreamAllocator => "KSPROPERTY_STREAM_ALLOCATOR",
        }
    }
}

/// Writes everything, or leaves every pin as it was.
pub(super) fn write(
    pins: &PinGraph,
    pipes: &mut [NegotiatedPipe],
    access: &dyn ObjectAccess,
) -> Result<(), NegotiatePinsError> {
    let before = pins.pins.iter().map(Before::of).collect();
    // What a driver may refuse, and what no pin sees, comes first.
    for pipe in pipes.iter() {
        pipe.create_in_kernel(pins)?;
    }
    let mut writing = Writing { pins, access, before, done: Vec::new() };
    let result = writing.write_all(pipes);
    if let Err(error) = result {
        return Err(writing.undo(error));
    }
    writing.done.clear();
    Ok(())
}

/// The writing under way. Dropped before it is finished, by a panic, it undoes what was done.
struct Writing<'a> {
    pins: &'a PinGraph,
    access: &'a dyn ObjectAccess,
    before: Vec<Before>,
    done: Vec<(PinId, Written)>,
}

/// A pin and what it refused.
type Refusal = (PinId, &'static str, HRESULT);

impl Writing<'_> {
    fn write_all(&mut self, pipes: &mut [NegotiatedPipe]) -> Result<(), Refusal> {
        for pipe in pipes.iter_mut() {
            self.set_hosts_own(pipe)?;
        }
        for pipe in pipes.iter() {
            for pin in &pipe.pins {
                self.set_pipe(*pin, &pipe.object.interface())?;
            }
        }
        for pipe in pipes.iter() {
            for pin in &pipe.pins {
                self.set_flag(*pin, u32::from(pipe.host == Some(*pin)))?;
            }
        }
        for pipe in pipes.iter() {
            let allocator = pipe.frames();
            for pin in &pipe.pins {
                self.give_allocator(*pin, &allocator)?;
            }
        }
        // Last, because nothing public says what a driver does where this is undone.
        for pipe in pipes.iter() {
            let handle = if pipe.in_kernel { pipe.object.handle() } else { Handle::NULL };
            for pin in &pipe.sources {
                self.set_stream_allocator(*pin, handle)?;
            }
        }
        Ok(())
    }

    fn written(&mut self, pin: PinId, written: Written, code: HRESULT) -> Result<(), Refusal> {
        if code.is_err() {
            return Err((pin, written.call(), code));
        }
        self.done.push((pin, written));
        Ok(())
    }

    /// Tells a host's own allocator what was negotiated. Where it cannot do that and need not, the pipe object allocates.
    fn set_hosts_own(&mut self, pipe: &mut NegotiatedPipe) -> Result<(), Refusal> {
        let (Some(own), Some(host)) = (&pipe.hosts_own, pipe.host) else { return Ok(()) };
        let done_before = self.done.len();
        let code = self.set_properties(host, &own.allocator, &pipe.properties);
        match code {
            _ if code.is_ok() => Ok(()),
            _ if own.required => Err((host, "IMemAllocator::SetProperties", code)),
            _ => {
                pipe.hosts_own = None;
                for (host, written) in self.done.split_off(done_before) {
                    // It keeps its frames as they were; if it does not, nobody takes any from it.
                    let _ = self.undo_one(host, &written);
                }
                Ok(())
            }
        }
    }

    /// Sets the properties of a host's own allocator. `VFW_E_NO_ALLOCATOR` where it takes them and gives other frames.
    fn set_properties(&mut self, host: PinId, allocator: &IMemAllocator, asked: &AllocatorProperties) -> HRESULT {
        // Pipes do not share frames, or one could wait for those of the other (statement 161).
        if self.is_anothers(allocator) {
            return VFW_E_NO_ALLOCATOR;
        }
        let (mut old, mut actual) = (AllocatorProperties::default(), AllocatorProperties::default());
        // SAFETY: an interface the pin gave; the pointer is there.
        let mut code = unsafe { allocator.GetProperties(&mut old) };
        if code.is_ok() {
            // SAFETY: as above.
            code = unsafe { allocator.SetProperties(asked, &mut actual) };
        }
        if code.is_err() {
            return code;
        }
        self.done.push((host, Written::Properties(allocator.clone(), old)));
        if serves(&actual, asked) { code } else { VFW_E_NO_ALLOCATOR }
    }

    /// Whether an allocator is another pipe's already.
    fn is_anothers(&self, allocator: &IMemAllocator) -> bool {
        let Ok(wanted) = identity(allocator) else { return false };
        self.done.iter().any(|(_, written)| match written {
            Written::Properties(other, _) => identity(other).is_ok_and(|other| is_same(&other, &wanted)),
            _ => false,
        })
    }

    fn set_pipe(&mut self, pin: PinId, pipe: &IKsAllocatorEx) -> Result<(), Refusal> {
        let Some(target) = &self.pins.pin(pin).pipe else { return Ok(()) };
        // SAFETY: an interface the pin answered with.
        let code = unsafe { target.KsSetPipe(pipe) };
        self.written(pin, Written::Pipe, code)
    }

    /// 1 at the host and 0 elsewhere, where it is not so already.
    fn set_flag(&mut self, pin: PinId, flag: u32) -> Result<(), Refusal> {
        let Some(target) = &self.pins.pin(pin).pipe else { return Ok(()) };
        if self.before[pin.index()].flag == flag {
            return Ok(());
        }
        // SAFETY: an interface the pin answered with.
        let code = unsafe { target.KsSetPipeAllocatorFlag(flag) };
        self.written(pin, Written::Flag, code)
    }

    fn give_allocator(&mut self, pin: PinId, allocator: &IMemAllocator) -> Result<(), Refusal> {
        let Some(target) = &self.pins.pin(pin).ks_pin else { return Ok(()) };
        // SAFETY: an interface the pin answered with.
        let code = unsafe { target.KsReceiveAllocator(allocator) };
        self.written(pin, Written::Allocator, code)
    }

    /// Null takes away what an earlier negotiation had set.
    fn set_stream_allocator(&mut self, pin: PinId, handle: Handle) -> Result<(), Refusal> {
        if handle == self.before[pin.index()].handle {
            return Ok(());
        }
        let code = self.send_stream_allocator(pin, handle);
        self.written(pin, Written::StreamAllocator, code)
    }

    fn send_stream_allocator(&self, pin: PinId, handle: Handle) -> HRESULT {
        let Some(object) = self.pins.pin(pin).handle else { return S_OK };
        let request = KsProperty::property(KSPROPSETID_Stream, KSPROPERTY_STREAM_ALLOCATOR, KsPropertyType::SET);
        let mut data = handle.0.to_ne_bytes();
        match self.access.property(object, &request, &mut data) {
            Ok(_) => S_OK,
            Err(failure) => failure.error.to_hresult(),
        }
    }

    /// Takes back one thing.
    fn undo_one(&self, pin: PinId, written: &Written) -> HRESULT {
        let (target, before) = (self.pins.pin(pin), &self.before[pin.index()]);
        match written {
            // SAFETY: here and below, interfaces the pin answered with or gave; pointers are there.
            Written::Properties(allocator, old) => unsafe {
                allocator.SetProperties(old, &mut AllocatorProperties::default())
            },
            Written::Pipe => {
                // SAFETY: as above.
                target.pipe.as_ref().map_or(S_OK, |pin| unsafe { pin.KsSetPipe(before.pipe.as_ref()) })
            }
            Written::Flag => {
                // SAFETY: as above.
                target.pipe.as_ref().map_or(S_OK, |pin| unsafe { pin.KsSetPipeAllocatorFlag(before.flag) })
            }
            Written::Allocator => {
                // SAFETY: as above.
                target.ks_pin.as_ref().map_or(S_OK, |pin| unsafe { pin.KsReceiveAllocator(before.allocator.as_ref()) })
            }
            Written::StreamAllocator => self.send_stream_allocator(pin, before.handle),
        }
    }

    /// Takes everything back, the last first.
    fn undo_all(&mut self) -> Vec<String> {
        let mut not_undone = Vec::new();
        while let Some((pin, written)) = self.done.pop() {
            if self.undo_one(pin, &written).is_err() {
                not_undone.push(format!("{} by {}", self.pins.graph.pin_name(pin), written.call()));
            }
        }
        not_undone
    }

    fn undo(&mut self, (pin, call, code): Refusal) -> NegotiatePinsError {
        let not_undone = self.undo_all();
        NegotiatePinsError::Refused { pin: self.pins.graph.pin_name(pin), call, code, not_undone }
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.undo_all();
    }
}

/// Whether an allocator that was asked for `asked` and will have `actual` gives frames that do.
fn serves(actual: &AllocatorProperties, asked: &AllocatorProperties) -> bool {
    actual.c_buffers >= asked.c_buffers
        && actual.cb_buffer >= asked.cb_buffer
        && actual.cb_prefix >= asked.cb_prefix
        && actual.cb_align.0 >= 1
        && actual.cb_align.0 % asked.cb_align.0.max(1) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use ks::AlignmentCount;

    #[test]
    fn more_serves_and_less_does_not() {
        let asked = AllocatorProperties { c_buffers: 4, cb_buffer: 4096, cb_align: AlignmentCount(64), cb_prefix: 0 };
        assert!(serves(&asked, &asked));
        assert!(serves(&AllocatorProperties { c_buffers: 5, cb_align: AlignmentCount(128), ..asked }, &asked));
        for less in [
            AllocatorProperties { c_buffers: 3, ..asked },
            AllocatorProperties { cb_buffer: 4095, ..asked },
            AllocatorProperties { cb_align: AlignmentCount(32), ..asked },
            AllocatorProperties { cb_align: AlignmentCount(0), ..asked },
        ] {
            assert!(!serves(&less, &asked), "{less:?}");
        }
    }
}
