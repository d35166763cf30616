//! The plan: what negotiation decides, and what it costs.

use super::WhatIf;
use crate::graph::{Connection, Graph, Mode, PinId, Route, Strategy};
use ks::Guid;
use std::fmt;

/// A pipe of a plan: its place in [`Plan::pipes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PipeId(pub u32);

impl PipeId {
    /// The pipe's place in [`Plan::pipes`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Why a pin, or nobody, allocates a pipe's frames (rule 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AllocatorKind {
    /// The pin must: `MUST_ALLOCATE`, required.
    MustAllocate,
    /// The pin prefers to: `MUST_ALLOCATE`, preferred.
    Prefers,
    /// An allocator exists at the pin: `KSALLOCATOR_FLAG_ALLOCATOR_EXISTS`.
    Exists,
    /// The pin has device-specific memory and can allocate.
    DeviceSpecific,
    /// The pin can allocate: `KSALLOCATOR_FLAG_CAN_ALLOCATE`.
    CanAllocate,
    /// The default allocator: on the handle of the last in pin for kernel memory, of nobody in user mode.
    Default,
}

impl AllocatorKind {
    /// The name used in JSON.
    pub fn name(self) -> &'static str {
        match self {
            AllocatorKind::MustAllocate => "must-allocate",
            AllocatorKind::Prefers => "prefers",
            AllocatorKind::Exists => "exists",
            AllocatorKind::DeviceSpecific => "device-specific",
            AllocatorKind::CanAllocate => "can-allocate",
            AllocatorKind::Default => "default",
        }
    }
}

/// Where in its pipe the allocating pin stands (`PIPE_ALLOCATOR_PLACE`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AllocatorPlace {
    /// No pin allocates.
    None,
    /// The first pin of the pipe.
    FirstPin,
    /// The last pin of the pipe.
    LastPin,
    /// A pin between.
    MiddlePin,
}

impl AllocatorPlace {
    /// The name used in JSON.
    pub fn name(self) -> &'static str {
        match self {
            AllocatorPlace::None => "none",
            AllocatorPlace::FirstPin => "first",
            AllocatorPlace::LastPin => "last",
            AllocatorPlace::MiddlePin => "middle",
        }
    }
}

/// Who allocates a pipe's frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AllocatorChoice {
    /// Why.
    pub kind: AllocatorKind,
    /// The pin that allocates, or on whose handle the default allocator is made; `None`: nobody's.
    pub pin: Option<PinId>,
    /// Where that pin stands.
    pub place: AllocatorPlace,
}

/// The pins that share one allocator, and what that allocator is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pipe {
    /// The pins, upstream before downstream, ties by canonical order.
    pub pins: Vec<PinId>,
    /// `User` where a pin of the pipe belongs to a user-mode filter.
    pub mode: Mode,
    /// The memory type of the frames, never a wildcard.
    pub memory_type: Guid,
    /// The number of frames, at least 1.
    pub frames: u64,
    /// The size of a frame in bytes, at least 1, without prefix.
    pub frame_size: u64,
    /// The alignment of a frame in bytes, a power of two.
    pub alignment: u64,
    /// Bytes before each frame.
    pub prefix: u64,
    /// Who allocates.
    pub allocator: AllocatorChoice,
}

/// A connection at which frames are copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bridge {
    /// The connection.
    pub connection: Connection,
    /// Bytes copied for a source frame: the data of the out pin.
    pub bytes: u64,
}

/// How a route that copies, or could, is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteChoice {
    /// The route, `copy` or `either`.
    pub route: Route,
    /// The plan chose to copy: the route is `either`.
    pub chosen: bool,
    /// Bytes copied for a source frame: the data of the in pin.
    pub bytes: u64,
}

/// What a plan costs. Each strategy compares these in an order of its own; smaller is better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Cost {
    /// Bytes copied for a source frame, at bridges and at `either` routes taken as a copy.
    pub bytes_copied: u128,
    /// The number of pipes.
    pub allocators: u128,
    /// Preferences not met.
    pub departures: u128,
    /// How far down the cuts lie: for each, the pins from which it can be reached.
    pub depth: u128,
    /// Bytes of memory: over the pipes, frames × (prefix + size, rounded up to the alignment).
    pub bytes: u128,
    /// Frames, over the pipes.
    pub frames: u128,
    /// Frame sizes, over the pipes.
    pub sizes: u128,
}

impl Cost {
    /// The keys the strategy compares, in order. The last key or keys are not compared by every strategy and stay out.
    pub fn keys(&self, strategy: Strategy) -> Vec<u128> {
        let c = self;
        match strategy {
            Strategy::MaximizeSpeed => vec![c.bytes_copied, c.allocators, c.departures, c.depth, c.bytes, c.frames],
            Strategy::MinimizeAllocators => {
                vec![c.allocators, c.bytes_copied, c.departures, c.depth, c.bytes, c.frames]
            }
            Strategy::MinimizeFrameSize => {
                vec![c.bytes_copied, c.sizes, c.departures, c.allocators, c.depth, c.bytes, c.frames]
            }
            Strategy::MinimizeFrames => vec![c.bytes_copied, c.frames, c.departures, c.allocators, c.depth, c.bytes],
        }
    }
}

/// Something a plan's reader should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// A stable code, `KS014`.
    pub code: &'static str,
    /// The pin it is about.
    pub pin: Option<PinId>,
    /// What it is.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

/// The result of a negotiation: every pin in exactly one pipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What it optimises.
    pub strategy: Strategy,
    /// How many leading keys of the strategy are proven to be optimal.
    pub proven: u8,
    /// The pipes, upstream before downstream, ties by their first pin.
    pub pipes: Vec<Pipe>,
    /// The item each pin uses, by pin: its place in [`Pin::items`](crate::graph::Pin::items); `None`: the pin has none.
    pub items: Vec<Option<u32>>,
    /// The pipe each pin is in, by pin.
    pub pipe_of: Vec<PipeId>,
    /// The connections at which frames are copied, in the graph's order.
    pub bridges: Vec<Bridge>,
    /// The routes taken as copies, stated or chosen, in the graph's order.
    pub copies: Vec<RouteChoice>,
    /// What it costs.
    pub cost: Cost,
}

impl Plan {
    /// The pipe a pin is in.
    ///
    /// # Panics
    /// Where the plan's graph has no such pin: an id of another graph.
    pub fn pipe(&self, pin: PinId) -> &Pipe {
        &self.pipes[self.pipe_of[pin.index()].index()]
    }
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NegotiateError {
    /// The graph has a cycle (rule 8): its pins, in order, the first again at the end left out.
    Cycle(Vec<PinId>),
    /// No plan is valid.
    Infeasible(Box<Infeasible>),
    /// The stated limit came before any plan was found. There may be one.
    Undecided {
        /// The states looked at.
        states: u64,
    },
}

/// Pins that cannot agree, and what would make them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Infeasible {
    /// The pins whose asks conflict.
    pub pins: Vec<PinId>,
    /// What each asks, in the header's words, with the pin it is about. Leaving out any one ask makes the rest possible,
    /// unless `message` says that 64 re-negotiations did not settle that.
    pub asks: Vec<(PinId, String)>,
    /// The conflict in a sentence.
    pub message: String,
    /// What would make them agree: `changes` in a sentence.
    pub help: String,
    /// Changes of one thing each after which these pins have a plan, the smallest first. Each was tried. Empty where none
    /// was found.
    pub changes: Vec<WhatIf>,
    /// Where several things conflict, so that no one change helps: changes after which these pins have a plan, all of
    /// them together. They were tried, and none can be left out. Empty where one change helps, none
    /// were found, or the graph has more than 20,000 pins.
    pub together: Vec<WhatIf>,
}

impl NegotiateError {
    /// The message, with the names of the graph's pins.
    pub fn describe(&self, graph: &Graph) -> String {
        match self {
            NegotiateError::Cycle(pins) => {
                let names: Vec<String> = pins.iter().chain(pins.first()).map(|pin| graph.pin_name(*pin)).collect();
                format!("the graph has a cycle: {}", names.join(" -> "))
            }
            NegotiateError::Infeasible(infeasible) => infeasible.message.clone(),
            NegotiateError::Undecided { states } => {
                format!("undecided: no plan found within {states} states; there may be one")
            }
        }
    }
}

impl fmt::Display for NegotiateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NegotiateError::Cycle(_) => f.write_str("the graph has a cycle"),
            NegotiateError::Infeasible(infeasible) => f.write_str(&infeasible.message),
            NegotiateError::Undecided { states } => write!(f, "undecided: no plan found within {states} states"),
        }
    }
}

impl std::error::Error for NegotiateError {}
