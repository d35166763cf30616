//! A graph whose filters run in several processes: which pipes' frames these share, and who holds them by which number.
//!
//! Some filters are *outside*: each is in a process of its own. All others run in the process that serves the graph. A
//! connection between two processes is a *boundary*, and the in pin behind it a holder; so is every out pin for which frames
//! of such a pipe are acquired. Within a process frames go on by counted claims of the holder that they came by.
//!
//! **Each in pin has one sender.** A frame comes to an in pin by one way: each in pin has one connection, and each out pin
//! hands on what came to one in pin, or what was acquired for it. So the way up from an in pin ends at exactly one holder of
//! the process before it, and that is its sender. What has several ways out of a process (a tee, before it others) sends in
//! several places, each to in pins of its own ([`Participant::sender_to`]), and the last to let go of the frame ends the claim.
//!
//! [`Participant::sender_to`]: crate::allocator::shared::Participant::sender_to

use super::engine::Way;
use super::prepare::Prepared;
use super::processes;
use super::wiring::Wiring;
use crate::allocator::AllocatorProperties;
use crate::allocator::shared::{Holder, SharedPoolProperties};
use crate::graph::{FilterId, Graph, PinId};
use crate::negotiate::{Pipe, PipeId, Plan};

/// A process that has part in a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Process {
    /// The one that serves it: all filters that are in no process of their own.
    Server,
    /// The one of this filter.
    Of(FilterId),
}

/// The pipes that processes share, and the holders of their frames. The same in every process that has the same graph and
/// plan, and the same filters outside.
#[derive(Clone, Debug)]
pub struct Sharing {
    /// By filter.
    outside: Vec<bool>,
    /// By pipe.
    pipes: Vec<Option<SharedPipe>>,
}

/// A pipe whose frames processes share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedPipe {
    properties: SharedPoolProperties,
    /// The in pins by number, each with the process that takes there, and the pin's holds as the plan's graph has them.
    in_pins: Vec<(PinId, Process)>,
    /// The out pins that frames are acquired for, by number, each with the process that does.
    acquirers: Vec<(PinId, Process)>,
    pub(super) memory_type: &'static str,
}

/// Why processes cannot share what they would have to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SharingError {
    /// The plan is not one for this graph.
    #[error("the plan does not fit the graph: {0}")]
    Plan(String),
    /// No filter of the graph.
    #[error("the graph has no filter {}", .0.0)]
    Filter(FilterId),
    /// More in pins get a pipe's frames from another process than can share them.
    #[error(
        "pipe {pipe} goes to {count} pins of other processes, {most} can share its frames: {pins}; let a filter between \
         them copy, or run some of them in the serving process", count = pins.len(), most = Holder::MOST_IN_PINS,
        pins = pins.join(", ")
    )]
    InPins {
        /// The pipe's number.
        pipe: u32,
        /// The in pins, by name.
        pins: Vec<String>,
    },
    /// Frames of a pipe that processes share are acquired in more places than can.
    #[error(
        "frames of pipe {pipe}, which processes share, are acquired for {count} pins, {most} can: {pins}; put a bridge \
         between some of them", count = pins.len(), most = Holder::MOST_ACQUIRERS, pins = pins.join(", ")
    )]
    Acquirers {
        /// The pipe's number.
        pipe: u32,
        /// The out pins, by name.
        pins: Vec<String>,
    },
    /// Its memory cannot be mapped by several processes.
    #[error("pipe {pipe}: processes cannot share memory of the type {memory_type}")]
    MemoryType {
        /// The pipe's number.
        pipe: u32,
        /// The memory type: its name, or its GUID.
        memory_type: String,
    },
    /// More frames than processes can share.
    #[error("pipe {pipe}: {frames} frames are more than processes can share")]
    Frames {
        /// The pipe's number.
        pipe: u32,
        /// What the plan gives it.
        frames: u64,
    },
}

impl Prepared {
    /// What processes share where each of the filters `outside` is in a process of its own, and all others are in one.
    ///
    /// # Errors
    /// See [`SharingError`].
    pub fn sharing(&self, plan: &Plan, outside: &[FilterId]) -> Result<Sharing, SharingError> {
        let wiring = Wiring::of(&self.graph, plan, &self.formats).map_err(SharingError::Plan)?;
        Sharing::of(&self.graph, plan, &wiring, outside)
    }
}

impl Sharing {
    pub(super) fn of(graph: &Graph, plan: &Plan, wiring: &Wiring, outside: &[FilterId]) -> Result<Self, SharingError> {
        let mut is_outside = vec![false; graph.filters().len()];
        for filter in outside {
            *is_outside.get_mut(filter.0 as usize).ok_or(SharingError::Filter(*filter))? = true;
        }
        let mut sharing = Sharing { outside: is_outside, pipes: Vec::new() };
        for (pipe, id) in plan.pipes.iter().zip(0..) {
            sharing.pipes.push(sharing.pipe(graph, plan, wiring, PipeId(id), pipe)?);
        }
        Ok(sharing)
    }

    pub(super) fn process_of(&self, graph: &Graph, pin: PinId) -> Process {
        let filter = graph.pin(pin).filter();
        if self.outside.get(filter.0 as usize) == Some(&true) { Process::Of(filter) } else { Process::Server }
    }

    /// Where frames come to an in pin from another process.
    fn is_boundary(&self, graph: &Graph, in_pin: PinId) -> bool {
        processes::is_boundary(graph, in_pin, |filter| self.outside.get(filter) == Some(&true))
    }

    fn pipe(
        &self,
        graph: &Graph,
        plan: &Plan,
        wiring: &Wiring,
        id: PipeId,
        pipe: &Pipe,
    ) -> Result<Option<SharedPipe>, SharingError> {
        let with_process = |pin: PinId| (pin, self.process_of(graph, pin));
        let of_pipe = |pin: &PinId| plan.pipe_of[pin.index()] == id;
        let in_pins = graph.connections().iter().map(|connection| connection.to);
        let mut in_pins: Vec<_> =
            in_pins.filter(of_pipe).filter(|pin| self.is_boundary(graph, *pin)).map(with_process).collect();
        if in_pins.is_empty() {
            return Ok(None);
        }
        in_pins.sort_unstable();
        let acquires = |way: Way, bridge: Option<usize>| {
            matches!(way, Way::New { pipe, .. } if pipe == id.index()) || bridge == Some(id.index())
        };
        let outlets = wiring.outlets.iter().flatten().filter(|outlet| acquires(outlet.way, outlet.bridge));
        let mut acquirers: Vec<_> = outlets.map(|outlet| with_process(outlet.pin)).collect();
        acquirers.sort_unstable();
        let names = |pins: &[(PinId, Process)]| pins.iter().map(|(pin, _)| graph.pin_name(*pin)).collect();
        if in_pins.len() > Holder::MOST_IN_PINS as usize {
            return Err(SharingError::InPins { pipe: id.0, pins: names(&in_pins) });
        }
        if acquirers.len() > Holder::MOST_ACQUIRERS as usize {
            return Err(SharingError::Acquirers { pipe: id.0, pins: names(&acquirers) });
        }
        let memory_type = processes::shared_memory(graph, pipe.memory_type);
        let memory_type = memory_type.map_err(|memory_type| SharingError::MemoryType { pipe: id.0, memory_type })?;
        let frames = u32::try_from(pipe.frames);
        let frames = frames.map_err(|_| SharingError::Frames { pipe: id.0, frames: pipe.frames })?;
        let properties = SharedPoolProperties {
            frames: AllocatorProperties {
                frames,
                size: pipe.frame_size,
                alignment: pipe.alignment,
                prefix: pipe.prefix,
            },
            acquirers: acquirers.len() as u32,
            prefault: true,
            ..SharedPoolProperties::default()
        };
        let mut shared = SharedPipe { properties, in_pins, acquirers, memory_type };
        let senders = shared.in_pins.iter().map(|(pin, _)| {
            let nobody = || SharingError::Plan(format!("no frame comes to `{}`", graph.pin_name(*pin)));
            self.sender(graph, wiring, *pin).and_then(|sender| shared.holder(sender)).ok_or_else(nobody)
        });
        shared.properties.senders = senders.collect::<Result<_, _>>()?;
        Ok(Some(shared))
    }

    /// By which pin the process before an in pin has the frames that come to it: the in pin they came to from another
    /// process, or the out pin they were acquired for.
    fn sender(&self, graph: &Graph, wiring: &Wiring, in_pin: PinId) -> Option<PinId> {
        let mut pin = in_pin;
        // No way up is longer than there are pins, unless it goes round.
        for _ in graph.pins() {
            let out = graph.pin(pin).peer()?;
            let filter = graph.pin(out).filter().0 as usize;
            let outlet = wiring.outlets[filter].iter().find(|outlet| outlet.pin == out)?;
            if outlet.bridge.is_some() || outlet.way != Way::Same {
                return Some(out);
            }
            pin = wiring.inputs[filter].get(outlet.from)?.0;
            if self.is_boundary(graph, pin) {
                return Some(pin);
            }
        }
        None
    }

    /// The filters that run in a process.
    pub(super) fn is_in(&self, filter: usize, process: Process) -> bool {
        let outside = self.outside.get(filter) == Some(&true);
        match process {
            Process::Server => !outside,
            Process::Of(FilterId(of)) => outside && of as usize == filter,
        }
    }

    /// The pipes that processes share, by number.
    pub fn pipes(&self) -> impl Iterator<Item = (PipeId, &SharedPipe)> {
        (0..).zip(&self.pipes).filter_map(|(id, pipe)| Some((PipeId(id), pipe.as_ref()?)))
    }

    /// A pipe, where processes share its frames.
    pub fn pipe_of(&self, id: PipeId) -> Option<&SharedPipe> {
        self.pipes.get(id.index())?.as_ref()
    }

    /// The processes that have part in the graph: the server's first.
    pub fn processes(&self) -> impl Iterator<Item = Process> + '_ {
        let outside = (0..).zip(&self.outside).filter(|(_, outside)| **outside);
        std::iter::once(Process::Server).chain(outside.map(|(filter, _)| Process::Of(FilterId(filter))))
    }

    /// For the sender's pin of an in pin at a boundary, with the holder it sends as.
    pub(super) fn sender_of(&self, graph: &Graph, wiring: &Wiring, pipe: PipeId, in_pin: PinId) -> Option<[Holder; 2]> {
        let pipe = self.pipe_of(pipe)?;
        Some([pipe.holder(self.sender(graph, wiring, in_pin)?)?, pipe.holder(in_pin)?])
    }
}

impl SharedPipe {
    /// What its pool has to be: of the plan's frames, pre-faulted, written by any participant.
    pub fn properties(&self) -> &SharedPoolProperties {
        &self.properties
    }

    /// The holder of a pin: an in pin that gets frames from another process, or an out pin that frames are acquired for.
    pub fn holder(&self, pin: PinId) -> Option<Holder> {
        let place = |pins: &[(PinId, Process)]| pins.binary_search_by_key(&pin, |(pin, _)| *pin).ok();
        match place(&self.in_pins) {
            Some(place) => Holder::in_pin(place as u32),
            None => Holder::acquirer(place(&self.acquirers)? as u32),
        }
    }

    /// The holders, each with its pin and the process that acts as it, in the order of
    /// [`SharedPoolProperties::holders`].
    pub fn holders(&self) -> impl Iterator<Item = (Holder, PinId, Process)> + '_ {
        let pins = self.in_pins.iter().chain(&self.acquirers);
        pins.filter_map(|(pin, process)| Some((self.holder(*pin)?, *pin, *process)))
    }

    /// The holders a process acts as: all that has to be admitted for it, and recovered after it.
    pub fn holders_of(&self, process: Process) -> impl Iterator<Item = Holder> + '_ {
        self.holders().filter(move |(_, _, of)| *of == process).map(|(holder, _, _)| holder)
    }
}
