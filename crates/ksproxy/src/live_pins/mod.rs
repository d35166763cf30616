//! Negotiating live pins: COM pins that are connected are read, negotiated as one graph, and told the result.

mod com_pin;
mod driver_framing;
mod error;
mod export;
mod framing_cache;
mod names;
mod pin_graph;
mod pipes;
mod survey;
mod write;

pub use error::NegotiatePinsError;
pub use export::{KspExplain, KspNegotiatePins};

use crate::face::KsAllocator;
use com_pin::{identity, is_same};
use ksobject::ObjectAccess;
use kspipe::graph::{Graph, PinId, Strategy};
use kspipe::negotiate::describe::Description;
use kspipe::negotiate::{Plan, Warning, negotiate};
use pin_graph::PinGraph;
use std::fmt;
use std::sync::Arc;
use survey::Survey;
use windows_core::{IUnknown, Interface};

/// The most pins that are read.
pub(crate) const MOST_PINS: usize = 65_536;

/// Pins that were negotiated: the graph they make, its plan, and the pipe objects they hold now.
///
/// It may be dropped: the pins hold their pipes.
pub struct NegotiatedPins {
    pins: PinGraph,
    plan: Plan,
    pipes: Vec<KsAllocator>,
}

impl NegotiatedPins {
    /// The graph the pins make.
    pub fn graph(&self) -> &Graph {
        &self.pins.graph
    }
    /// What was negotiated: the same plan that [`negotiate`] gives for the graph.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }
    /// The pipe objects, in the order of the plan's pipes.
    pub fn pipes(&self) -> &[KsAllocator] {
        &self.pipes
    }
    /// The pin in the graph that a COM pin is; `None` for a pin that is not connected, or none of these.
    pub fn pin(&self, object: &impl Interface) -> Option<PinId> {
        let wanted = identity(object).ok()?;
        let place = self.pins.pins.iter().position(|pin| is_same(&pin.identity, &wanted))?;
        self.pins.graph.pin_ids().nth(place)
    }
    /// The pipe object of a COM pin.
    pub fn pipe_of(&self, object: &impl Interface) -> Option<&KsAllocator> {
        let pipe = self.plan.pipe_of[self.pin(object)?.index()];
        self.pipes.get(pipe.index())
    }
    /// What a reader should know: of the framings, what was not taken as it stands, then the plan's warnings. Each is a
    /// sentence.
    pub fn warnings(&self) -> Vec<String> {
        let graph = &self.pins.graph;
        let of_the_plan = Description::new(graph, &self.plan).warnings().into_iter().map(|warning| {
            let Warning { code, pin, message, .. } = warning;
            match pin {
                Some(pin) => format!("{}: {code}: {message}", graph.pin_name(pin)),
                None => format!("{code}: {message}"),
            }
        });
        self.pins.findings.iter().cloned().chain(of_the_plan).collect()
    }
}

impl fmt::Debug for NegotiatedPins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NegotiatedPins").field("plan", &self.plan).field("pipes", &self.pipes).finish_non_exhaustive()
    }
}

/// Negotiates the pins that hang together with the given ones, by `strategy`, and tells them the result; KS objects are
/// reached through `access`.
///
/// **Which pins.** From the given ones (a pin may be given twice, and one of a graph is enough) by connections
/// (`IKsPinPipe::KsGetConnectedPin`, else `IPin::ConnectedTo`) and by ways through filters
/// (`IPin::QueryInternalConnections`; where that is `E_NOTIMPL`, every in pin of the filter leads to every out pin). Pins
/// are told apart by COM identity. A pin that is not connected is left out.
///
/// **What they ask.** The framing in the pin's cache (`KsGetPinFramingCache`: the one read last, else the one read first;
/// where none was read yet and the pin has a handle, its driver is asked, `KSPROPERTY_CONNECTION_ALLOCATORFRAMING_EX`, then the
/// old property).
/// A pin without `IKsPinPipe` asks what `IMemInputPin::GetAllocatorRequirements` says, as a preference. A pin is in kernel
/// mode where it has a handle (`IKsObject`), so that a pipe is where all its pins have one; else the pipe is in user mode
/// (statement 163). A way through a filter is in place where the in pin's framing says INPLACE_MODIFIER, else a copy.
/// Nobody copies at a connection.
///
/// **What is written**, once everything is decided:
///
/// 1. in kernel mode, the allocator is created on the handle of the pin that allocates, by default the last in pin
///    (`KsCreateAllocatorAndGetHandle`), and the pipe object goes to kernel mode;
/// 2. a user-mode pin that insists on allocating, prefers to, or has an allocator, and gives one to `KsPeekAllocator`, has
///    that allocator's properties set, and the frames come from it;
/// 3. every pin gets its pipe (`KsSetPipe`);
/// 4. the pipe allocator flag becomes 1 at the pin that allocates and 0 elsewhere, where it is not so already;
/// 5. every pin gets the allocator of its frames (`KsReceiveAllocator`): the pipe object, or that of step 2;
/// 6. in kernel mode, the out pins at which the pipe begins get the allocator's handle (`KSPROPERTY_STREAM_ALLOCATOR`);
///    a pin that had one from a pipe before, and has none now, gets null.
///
/// Each step is taken for all pipes, upstream before downstream, before the next. Where a pin refuses, everything is taken
/// back, the last first. Interfaces that a pin does not have are passed over.
///
/// **The pipe objects** hold everything negotiated (`KsGetProperties`) and, in their memory half, count, size and
/// alignment. `PrevSegment` and `NextSegments` are plain pointers without references (statement 119). The array behind
/// `NextSegments` is the pipe object's own and good as long as it; the objects in it, and `PrevSegment`, are good as long as
/// their pins keep their pipes. Nothing is committed.
///
/// # Errors
/// See [`NegotiatePinsError`]; every pin is as it was, unless `not_undone` names it.
///
/// # Safety
///
/// The pins are COM objects that may be called from this thread and keep the contracts of their interfaces: pointers they
/// give are null or good. A framing is good for as many items as it says, a name up to its zero. No other thread connects,
/// disconnects or negotiates the same pins meanwhile.
pub unsafe fn negotiate_pins_with(
    pins: &[IUnknown],
    strategy: Strategy,
    access: Arc<dyn ObjectAccess>,
) -> Result<NegotiatedPins, NegotiatePinsError> {
    let survey = Survey::new(pins)?;
    if survey.pins.is_empty() {
        return Err(NegotiatePinsError::NotConnected);
    }
    // SAFETY: as the caller promises.
    let pins = unsafe { PinGraph::new(survey, strategy, &*access) }?;
    let plan = negotiate(&pins.graph).map_err(|error| NegotiatePinsError::of(error, &pins.graph))?;
    let mut pipes = pipes::make(&pins, &plan, &access)?;
    write::write(&pins, &mut pipes, &*access)?;
    let pipes = pipes.into_iter().map(|pipe| pipe.object).collect();
    Ok(NegotiatedPins { pins, plan, pipes })
}

/// [`negotiate_pins_with`] the KS objects of this process, or on Windows of the system.
///
/// # Errors
/// As [`negotiate_pins_with`].
///
/// # Safety
///
/// As [`negotiate_pins_with`].
pub unsafe fn negotiate_pins(pins: &[IUnknown], strategy: Strategy) -> Result<NegotiatedPins, NegotiatePinsError> {
    // SAFETY: as the caller promises.
    unsafe { negotiate_pins_with(pins, strategy, ksobject::objects_of_the_system()) }
}
