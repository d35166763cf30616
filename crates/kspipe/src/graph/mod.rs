//! What is negotiated: filters with pins, their connections and routes, and what each pin asks of an allocator.
//!
//! A [`Graph`] is built by a [`GraphBuilder`] or read from a graph file. It is valid by construction (every connection
//! and route joins pins that exist, in the right direction, each pin at most once), and its pins stand in canonical
//! order, by filter name and then pin name in byte order, whatever the order they were given in.

mod blob;
mod build;
mod change;
pub mod file;
mod framing;
mod run;

pub(crate) use blob::oddity;
pub use blob::{BlobFinding, BlobFraming, WriteBlobError, read_blob, write_blob};
pub(crate) use build::kind_by_itself;
pub use build::{BuildError, FilterBuilder, GraphBuilder, PinBuilder};
pub use change::{Change, ChangeError};
pub use framing::{Compression, FrameRange, Framing, FramingItem};
pub use run::{PixelFormat, Rate, Run};

use ks::Guid;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

/// A pin of a [`Graph`]: its place in the canonical order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PinId(pub(crate) u32);

impl PinId {
    /// The pin's place in the canonical order, from 0.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A filter of a [`Graph`]: its place in the order of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FilterId(pub(crate) u32);

impl FilterId {
    /// The filter's place in the order of names, from 0.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// On which side of the user / kernel boundary a filter runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// In a process (`KsAllocatorMode_User`).
    #[default]
    User,
    /// In the kernel, or on the other side of a handle (`KsAllocatorMode_Kernel`).
    Kernel,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Mode::User => "user",
            Mode::Kernel => "kernel",
        })
    }
}

/// Which way frames pass a pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// Into the filter.
    In,
    /// Out of the filter.
    Out,
}

/// What becomes of a filter whose process died: a filter that has [a process of its own](Filter::process).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Restart {
    /// Its streams end, and the graph with them.
    #[default]
    Never,
    /// It is started again, and goes on in the running graph.
    OnDeath,
}

/// How a filter brings frames from an in pin to an out pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RouteKind {
    /// The same frame goes on untouched.
    Pass,
    /// The filter writes into the frame it got and passes it on.
    InPlace,
    /// The filter writes into a new frame.
    Copy,
    /// In place or copy, as the plan chooses; the size stays.
    Either,
}

impl fmt::Display for RouteKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RouteKind::Pass => "pass",
            RouteKind::InPlace => "in-place",
            RouteKind::Copy => "copy",
            RouteKind::Either => "either",
        })
    }
}

/// A way through a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Route {
    /// The in pin.
    pub from: PinId,
    /// The out pin.
    pub to: PinId,
    /// How frames go from one to the other.
    pub kind: RouteKind,
}

/// An out pin joined to an in pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Connection {
    /// The out pin.
    pub from: PinId,
    /// The in pin.
    pub to: PinId,
}

/// Whether a plan may copy frames at a connection whose pins cannot share memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Bridges {
    /// A bridge costs what it copies.
    #[default]
    Allow,
    /// No plan has a bridge.
    Forbid,
}

/// What a plan optimises (`AllocatorStrategy_*`, ksproxy.h). The keys each compares, in order, are in
/// `docs/negotiation.md`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Strategy {
    /// `AllocatorStrategy_MinimizeNumberOfFrames`.
    MinimizeFrames,
    /// `AllocatorStrategy_MinimizeFrameSize`.
    MinimizeFrameSize,
    /// `AllocatorStrategy_MinimizeNumberOfAllocators`.
    MinimizeAllocators,
    /// `AllocatorStrategy_MaximizeSpeed`, the default.
    #[default]
    MaximizeSpeed,
}

impl Strategy {
    /// The strategies, with the names the graph file and the command line use.
    pub const ALL: [(&'static str, Strategy); 4] = [
        ("maximize-speed", Strategy::MaximizeSpeed),
        ("minimize-allocators", Strategy::MinimizeAllocators),
        ("minimize-frame-size", Strategy::MinimizeFrameSize),
        ("minimize-frames", Strategy::MinimizeFrames),
    ];

    /// The name the graph file and the command line use.
    pub fn name(self) -> &'static str {
        Strategy::ALL.iter().find(|(_, strategy)| *strategy == self).map_or("", |(name, _)| name)
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A memory type of a device, declared by the graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceMemory {
    /// The name the graph file uses for it.
    pub name: String,
    /// Kernel-mode filters can reach it.
    pub host_mappable: bool,
    /// User-mode filters can reach it.
    pub user_mappable: bool,
}

/// A pin and what it asks.
#[derive(Clone, Debug, PartialEq)]
pub struct Pin {
    pub(crate) name: String,
    pub(crate) filter: FilterId,
    pub(crate) direction: Direction,
    /// Where it is not the filter's.
    pub(crate) mode: Option<Mode>,
    pub(crate) framing: Framing,
    pub(crate) compression: Compression,
    pub(crate) holds: Option<u32>,
    pub(crate) media_size: Option<u64>,
    pub(crate) peer: Option<PinId>,
}

impl Pin {
    /// The pin's name, unique in its filter.
    pub fn name(&self) -> &str {
        &self.name
    }
    /// The filter it belongs to.
    pub fn filter(&self) -> FilterId {
        self.filter
    }
    /// Which way frames pass it.
    pub fn direction(&self) -> Direction {
        self.direction
    }
    /// What it asks of an allocator.
    pub fn framing(&self) -> &Framing {
        &self.framing
    }
    /// The alternatives it asks for, one of which a plan uses; empty: anything.
    pub fn items(&self) -> &[FramingItem] {
        self.framing.items()
    }
    /// `OutputCompression`: how the size of frames changes on the way to this out pin.
    pub fn compression(&self) -> Compression {
        self.compression
    }
    /// How many frames it keeps at once, where it says so.
    pub fn holds(&self) -> Option<u32> {
        self.holds
    }
    /// Bytes of one media frame, where the connected format fixes it.
    pub fn media_size(&self) -> Option<u64> {
        self.media_size
    }
    /// The pin it is connected to.
    pub fn peer(&self) -> Option<PinId> {
        self.peer
    }
}

/// A filter: some pins, the routes between them, and what it does when the graph runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    pub(crate) name: String,
    pub(crate) mode: Mode,
    pub(crate) pins: Range<u32>,
    /// Its only route is the one that it has by itself, and goes as the items of its in pin say.
    pub(crate) route_by_itself: bool,
    pub(crate) run: Option<Run>,
    pub(crate) process: Option<Restart>,
}

impl Filter {
    /// The filter's name, unique in the graph.
    pub fn name(&self) -> &str {
        &self.name
    }
    /// The side it runs on.
    pub fn mode(&self) -> Mode {
        self.mode
    }
    /// Its pins, in the order of their names.
    pub fn pins(&self) -> impl ExactSizeIterator<Item = PinId> + use<> {
        self.pins.clone().map(PinId)
    }
    /// What it does when the graph runs; `None` where the graph is only negotiated.
    pub fn run(&self) -> Option<&Run> {
        self.run.as_ref()
    }
    /// It runs in a process of its own (`process = true`), and so much for that one's death; `None`: together with the
    /// others. A plan is the same either way.
    pub fn process(&self) -> Option<Restart> {
        self.process
    }
}

/// A graph, valid by construction; the input of [`negotiate`](crate::negotiate::negotiate).
///
/// ```
/// use kspipe::graph::{Direction, FramingItem, Graph, RouteKind};
///
/// let mut graph = Graph::builder();
/// graph.filter("camera").kernel().pin("capture", Direction::Out).item(FramingItem {
///     frames: 4,
///     ..FramingItem::exactly(3_110_400)
/// });
/// graph.filter("viewer").pin("in", Direction::In).holds(2);
/// graph.connect("camera.capture", "viewer.in");
/// let graph = graph.build()?;
/// assert_eq!(graph.pin_names().collect::<Vec<_>>(), ["camera.capture", "viewer.in"]);
/// # Ok::<(), kspipe::graph::BuildError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    pub(crate) strategy: Strategy,
    pub(crate) bridges: Bridges,
    pub(crate) filters: Vec<Filter>,
    pub(crate) pins: Vec<Pin>,
    pub(crate) connections: Vec<Connection>,
    pub(crate) routes: Vec<Route>,
    pub(crate) memory: BTreeMap<Guid, DeviceMemory>,
}

impl Graph {
    /// A graph with nothing in it yet.
    pub fn builder() -> GraphBuilder {
        GraphBuilder::default()
    }
    /// What a plan for it optimises.
    pub fn strategy(&self) -> Strategy {
        self.strategy
    }
    /// The same graph, to be negotiated for another purpose.
    pub fn with_strategy(mut self, strategy: Strategy) -> Self {
        self.strategy = strategy;
        self
    }
    /// The same graph, where a filter does something else when it runs; nothing changes where there is no such filter.
    pub fn with_run(mut self, filter: FilterId, run: Option<Run>) -> Self {
        if let Some(filter) = self.filters.get_mut(filter.index()) {
            filter.run = run;
        }
        self
    }
    /// Whether connections may copy.
    pub fn bridges(&self) -> Bridges {
        self.bridges
    }
    /// All filters, in the order of their names.
    pub fn filters(&self) -> &[Filter] {
        &self.filters
    }
    /// One filter.
    ///
    /// # Panics
    /// Where the graph has no such filter: an id of another graph.
    pub fn filter(&self, id: FilterId) -> &Filter {
        &self.filters[id.index()]
    }
    /// All pins, in canonical order.
    pub fn pins(&self) -> &[Pin] {
        &self.pins
    }
    /// Every pin's id, in canonical order.
    pub fn pin_ids(&self) -> impl ExactSizeIterator<Item = PinId> + use<> {
        (0..self.pins.len() as u32).map(PinId)
    }
    /// One pin.
    ///
    /// # Panics
    /// Where the graph has no such pin: an id of another graph.
    pub fn pin(&self, id: PinId) -> &Pin {
        &self.pins[id.index()]
    }
    /// The side a pin is on: its filter's, unless the pin was given its own.
    ///
    /// # Panics
    /// Where the graph has no such pin: an id of another graph.
    pub fn mode(&self, id: PinId) -> Mode {
        let pin = self.pin(id);
        pin.mode.unwrap_or(self.filter(pin.filter).mode)
    }
    /// A pin's full name, `filter.pin`.
    ///
    /// # Panics
    /// Where the graph has no such pin: an id of another graph.
    pub fn pin_name(&self, id: PinId) -> String {
        let pin = self.pin(id);
        format!("{}.{}", self.filter(pin.filter).name, pin.name)
    }
    /// Every pin's full name, in canonical order.
    pub fn pin_names(&self) -> impl Iterator<Item = String> + '_ {
        self.pin_ids().map(|id| self.pin_name(id))
    }
    /// The pin with this full name.
    pub fn find_pin(&self, name: &str) -> Option<PinId> {
        self.pin_ids().find(|id| self.pin_name(*id) == name)
    }
    /// The filter with this name.
    pub fn find_filter(&self, name: &str) -> Option<FilterId> {
        self.filters.binary_search_by(|filter| filter.name.as_str().cmp(name)).ok().map(|index| FilterId(index as u32))
    }
    /// All connections, ordered by their out pin.
    pub fn connections(&self) -> &[Connection] {
        &self.connections
    }
    /// All routes, ordered by in pin, then out pin.
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }
    /// The device memory declared under a type, if any.
    pub fn device_memory(&self, memory_type: Guid) -> Option<&DeviceMemory> {
        self.memory.get(&memory_type)
    }
    /// All declared device memory, by type.
    pub fn device_memories(&self) -> &BTreeMap<Guid, DeviceMemory> {
        &self.memory
    }
    /// Sets what one media frame takes at a pin (0: unknown), where the graph left it open (a format found in a file's header).
    ///
    /// # Panics
    /// Where the graph has no such pin: an id of another graph.
    pub fn set_media_size(&mut self, pin: PinId, bytes: u64) {
        self.pins[pin.index()].media_size = (bytes > 0).then_some(bytes);
    }
    /// Sets how many frames a pin keeps at once, where the graph left it open and what its filter does fixes it.
    ///
    /// # Panics
    /// Where the graph has no such pin: an id of another graph.
    pub fn set_holds(&mut self, pin: PinId, frames: u32) {
        self.pins[pin.index()].holds = Some(frames);
    }
}
