//! Building a [`Graph`] from names, checked once, in canonical order.

use super::{
    Bridges, Compression, Connection, DeviceMemory, Direction, Filter, FilterId, Framing, FramingItem, Graph, Mode,
    Pin, PinId, Restart, Route, RouteKind, Run, Strategy,
};
use ks::{
    Guid, KSMEMORY_TYPE_DEVICE_UNKNOWN, KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_KERNEL_PAGED,
    KSMEMORY_TYPE_SYSTEM, KSMEMORY_TYPE_USER, KSMEMORY_TYPE_WILDCARD,
};
use std::collections::{BTreeMap, HashMap};

/// Why names do not make a graph. Each names what is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// A connection or route names a pin that does not exist.
    #[error("there is no pin `{name}`")]
    UnknownPin {
        /// The name, `filter.pin`.
        name: String,
    },
    /// A connection starts at an in pin or ends at an out pin, or a route the other way round.
    #[error("`{name}` is an {} pin; an {} pin is needed here", direction_name(*found), direction_name(opposite(*found)))]
    WrongDirection {
        /// The pin, `filter.pin`.
        name: String,
        /// The direction it has.
        found: Direction,
    },
    /// A pin is connected twice.
    #[error(
        "`{name}` is connected twice: to `{first}` and to `{second}`; connections are one to one (a tee is a filter)"
    )]
    ConnectedTwice {
        /// The pin.
        name: String,
        /// One pin it is connected to.
        first: String,
        /// The other.
        second: String,
    },
    /// A filter has two routes between the same pins.
    #[error("`{filter}` has two routes from `{from}` to `{to}`")]
    RouteTwice {
        /// The filter.
        filter: String,
        /// The in pin.
        from: String,
        /// The out pin.
        to: String,
    },
    /// A compression is stated on an out pin of an `either` route, which keeps the size.
    #[error("`{name}` states a compression, but its route is `either`, which keeps the size")]
    CompressionOnEither {
        /// The out pin.
        name: String,
    },
    /// A compression multiplies or divides by 0.
    #[error("the compression of `{name}` has a 0 in its ratio; numerator and denominator are at least 1")]
    CompressionByZero {
        /// The pin.
        name: String,
    },
    /// An item's alignment is not a power of two.
    #[error("`{name}` asks for an alignment of {alignment} bytes, which is not a power of two")]
    Alignment {
        /// The pin.
        name: String,
        /// What it asks.
        alignment: u64,
    },
    /// A required physical range holds no size.
    #[error("a physical range of `{name}` has its minimum {min} over its maximum {max}")]
    EmptyRange {
        /// The pin.
        name: String,
        /// The smallest size.
        min: u32,
        /// The largest.
        max: u32,
    },
    /// A `KSMEMORY_TYPE_*` is declared as a device's memory.
    #[error("{memory_type} is a memory type of ks.h; only a device's own type can be declared")]
    KnownMemoryType {
        /// The type.
        memory_type: Guid,
    },
    /// There are more pins than a graph can number.
    #[error("a graph has at most {} pins", u32::MAX)]
    TooManyPins,
}

/// What ks.h itself defines.
const KNOWN_TYPES: [Guid; 6] = [
    KSMEMORY_TYPE_WILDCARD,
    KSMEMORY_TYPE_SYSTEM,
    KSMEMORY_TYPE_DEVICE_UNKNOWN,
    KSMEMORY_TYPE_USER,
    KSMEMORY_TYPE_KERNEL_PAGED,
    KSMEMORY_TYPE_KERNEL_NONPAGED,
];

fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::In => "in",
        Direction::Out => "out",
    }
}

fn opposite(direction: Direction) -> Direction {
    match direction {
        Direction::In => Direction::Out,
        Direction::Out => Direction::In,
    }
}

#[derive(Clone, Debug, Default)]
struct FilterDraft {
    mode: Mode,
    run: Option<Run>,
    process: Option<Restart>,
    pins: BTreeMap<String, PinDraft>,
    routes: Vec<(String, String, RouteKind)>,
    only_stated_routes: bool,
}

#[derive(Clone, Debug)]
struct PinDraft {
    direction: Direction,
    mode: Option<Mode>,
    framing: Framing,
    compression: Compression,
    holds: Option<u32>,
    media_size: Option<u64>,
}

/// Collects a graph by names; [`build`](Self::build) checks it.
#[derive(Clone, Debug, Default)]
pub struct GraphBuilder {
    strategy: Strategy,
    bridges: Bridges,
    filters: BTreeMap<String, FilterDraft>,
    connections: Vec<(String, String)>,
    memory: BTreeMap<Guid, DeviceMemory>,
}

/// Adds to one filter of a [`GraphBuilder`].
#[derive(Debug)]
pub struct FilterBuilder<'a>(&'a mut FilterDraft);

/// Adds to one pin of a [`GraphBuilder`].
#[derive(Debug)]
pub struct PinBuilder<'a>(&'a mut PinDraft);

impl GraphBuilder {
    /// What a plan optimises.
    pub fn strategy(&mut self, strategy: Strategy) -> &mut Self {
        self.strategy = strategy;
        self
    }
    /// Whether connections may copy.
    pub fn bridges(&mut self, bridges: Bridges) -> &mut Self {
        self.bridges = bridges;
        self
    }
    /// Declares device memory.
    pub fn memory(&mut self, memory_type: Guid, memory: DeviceMemory) -> &mut Self {
        self.memory.insert(memory_type, memory);
        self
    }
    /// The filter with this name, made at the first call: user mode, no pins.
    pub fn filter(&mut self, name: &str) -> FilterBuilder<'_> {
        FilterBuilder(self.filters.entry(name.to_owned()).or_default())
    }
    /// Connects an out pin to an in pin, each given as `filter.pin`.
    pub fn connect(&mut self, from: &str, to: &str) -> &mut Self {
        self.connections.push((from.to_owned(), to.to_owned()));
        self
    }

    /// The graph, or the first thing that is wrong with it.
    pub fn build(&self) -> Result<Graph, BuildError> {
        if let Some(memory_type) = self.memory.keys().copied().find(|memory_type| KNOWN_TYPES.contains(memory_type)) {
            return Err(BuildError::KnownMemoryType { memory_type });
        }
        let mut filters = Vec::with_capacity(self.filters.len());
        let mut pins = Vec::new();
        let mut ids = HashMap::new();
        for (filter_name, draft) in &self.filters {
            let filter = FilterId(filters.len() as u32);
            let first = pins.len() as u32;
            for (pin_name, pin) in &draft.pins {
                let name = || format!("{filter_name}.{pin_name}");
                check_pin(pin, name)?;
                let id = u32::try_from(pins.len()).map_err(|_| BuildError::TooManyPins)?;
                ids.insert(name(), PinId(id));
                pins.push(Pin {
                    name: pin_name.clone(),
                    filter,
                    direction: pin.direction,
                    mode: pin.mode.filter(|mode| *mode != draft.mode),
                    framing: pin.framing.clone(),
                    compression: pin.compression,
                    holds: pin.holds,
                    media_size: pin.media_size,
                    peer: None,
                });
            }
            let pins = first..pins.len() as u32;
            filters.push(Filter {
                name: filter_name.clone(),
                mode: draft.mode,
                pins,
                route_by_itself: has_route_by_itself(draft),
                run: draft.run.clone(),
                process: draft.process,
            });
        }
        let mut graph = Graph {
            strategy: self.strategy,
            bridges: self.bridges,
            filters,
            pins,
            connections: Vec::new(),
            routes: Vec::new(),
            memory: self.memory.clone(),
        };
        let find = |name: &str, direction: Direction, graph: &Graph| {
            let id = *ids.get(name).ok_or_else(|| BuildError::UnknownPin { name: name.to_owned() })?;
            let found = graph.pin(id).direction;
            if found == direction { Ok(id) } else { Err(BuildError::WrongDirection { name: name.to_owned(), found }) }
        };
        for (from, to) in &self.connections {
            let connection =
                Connection { from: find(from, Direction::Out, &graph)?, to: find(to, Direction::In, &graph)? };
            for (pin, other) in [(connection.from, connection.to), (connection.to, connection.from)] {
                if let Some(first) = graph.pin(pin).peer {
                    return Err(BuildError::ConnectedTwice {
                        name: graph.pin_name(pin),
                        first: graph.pin_name(first),
                        second: graph.pin_name(other),
                    });
                }
                graph.pins[pin.index()].peer = Some(other);
            }
            graph.connections.push(connection);
        }
        graph.connections.sort_unstable();
        for (filter_name, draft) in &self.filters {
            for route in routes_of(draft) {
                let from = find(&format!("{filter_name}.{}", route.0), Direction::In, &graph)?;
                let to = find(&format!("{filter_name}.{}", route.1), Direction::Out, &graph)?;
                if route.2 == RouteKind::Either && graph.pin(to).compression.is_stated() {
                    return Err(BuildError::CompressionOnEither { name: graph.pin_name(to) });
                }
                graph.routes.push(Route { from, to, kind: route.2 });
            }
        }
        graph.routes.sort_unstable();
        if let Some(pair) =
            graph.routes.windows(2).find(|pair| (pair[0].from, pair[0].to) == (pair[1].from, pair[1].to))
        {
            return Err(BuildError::RouteTwice {
                filter: graph.filter(graph.pin(pair[0].from).filter).name.clone(),
                from: graph.pin(pair[0].from).name.clone(),
                to: graph.pin(pair[0].to).name.clone(),
            });
        }
        Ok(graph)
    }
}

fn check_pin(pin: &PinDraft, name: impl Fn() -> String) -> Result<(), BuildError> {
    if pin.compression.numerator == 0 || pin.compression.denominator == 0 {
        return Err(BuildError::CompressionByZero { name: name() });
    }
    check_framing(&pin.framing, name)
}

/// What no item of a framing may ask.
pub(super) fn check_framing(framing: &Framing, name: impl Fn() -> String) -> Result<(), BuildError> {
    for item in framing.items() {
        if item.alignment != 0 && !item.alignment.is_power_of_two() {
            return Err(BuildError::Alignment { name: name(), alignment: item.alignment });
        }
        if !item.is_preference() && item.physical.min > item.physical.max {
            return Err(BuildError::EmptyRange { name: name(), min: item.physical.min, max: item.physical.max });
        }
    }
    Ok(())
}

/// The routes stated, or the one a filter with one in and one out pin has by itself: `either` where an item of the in
/// pin says that it modifies in place, else `copy`.
fn routes_of(draft: &FilterDraft) -> Vec<(String, String, RouteKind)> {
    if !has_route_by_itself(draft) {
        return draft.routes.clone();
    }
    let find = |direction| draft.pins.iter().find(|(_, pin)| pin.direction == direction);
    let (Some((from, pin)), Some((to, _))) = (find(Direction::In), find(Direction::Out)) else {
        return Vec::new();
    };
    vec![(from.clone(), to.clone(), kind_by_itself(&pin.framing))]
}

fn has_route_by_itself(draft: &FilterDraft) -> bool {
    let count = |direction| draft.pins.values().filter(|pin| pin.direction == direction).count();
    let one_each = draft.pins.len() == 2 && count(Direction::In) == 1;
    one_each && draft.routes.is_empty() && !draft.only_stated_routes
}

/// How a route goes that a filter has by itself, by what its in pin asks.
pub(crate) fn kind_by_itself(in_pin: &Framing) -> RouteKind {
    let in_place = in_pin.items().iter().any(FramingItem::modifies_in_place);
    if in_place { RouteKind::Either } else { RouteKind::Copy }
}

impl<'a> FilterBuilder<'a> {
    /// The filter runs in the kernel.
    pub fn kernel(self) -> Self {
        self.mode(Mode::Kernel)
    }
    /// The side the filter runs on.
    pub fn mode(self, mode: Mode) -> Self {
        self.0.mode = mode;
        self
    }
    /// What the filter does when the graph runs.
    pub fn run(self, run: Run) -> Self {
        self.0.run = Some(run);
        self
    }
    /// The filter runs in a process of its own, and so much for that one's death.
    pub fn process(self, restart: Restart) -> Self {
        self.0.process = Some(restart);
        self
    }
    /// A way through the filter, from an in pin to an out pin.
    pub fn route(self, from: &str, to: &str, kind: RouteKind) -> Self {
        self.0.routes.push((from.to_owned(), to.to_owned(), kind));
        self
    }
    /// The filter has no route but those given, also where it has one in and one out pin.
    pub fn only_stated_routes(self) -> Self {
        self.0.only_stated_routes = true;
        self
    }
    /// The pin with this name, made at the first call: it asks nothing.
    pub fn pin(self, name: &str, direction: Direction) -> PinBuilder<'a> {
        let pin = self.0.pins.entry(name.to_owned()).or_insert(PinDraft {
            direction,
            mode: None,
            framing: Framing::None,
            compression: Compression::NONE,
            holds: None,
            media_size: None,
        });
        pin.direction = direction;
        PinBuilder(pin)
    }
}

impl PinBuilder<'_> {
    /// The side the pin is on, where it is not its filter's: a filter may have pins with a driver behind them, and others
    /// that only a process has.
    pub fn mode(self, mode: Mode) -> Self {
        self.0.mode = Some(mode);
        self
    }
    /// What the pin asks, whole.
    pub fn framing(self, framing: Framing) -> Self {
        self.0.framing = framing;
        self
    }
    /// One more alternative of an extended framing.
    pub fn item(self, item: FramingItem) -> Self {
        match &mut self.0.framing {
            Framing::Extended(items) => items.push(item),
            other => *other = Framing::Extended(vec![item]),
        }
        self
    }
    /// How the size of frames changes on the way to this out pin.
    pub fn compression(self, compression: Compression) -> Self {
        self.0.compression = compression;
        self
    }
    /// How many frames the pin keeps at once.
    pub fn holds(self, frames: u32) -> Self {
        self.0.holds = Some(frames);
        self
    }
    /// Bytes of one media frame; 0 says nothing.
    pub fn media_size(self, bytes: u64) -> Self {
        self.0.media_size = (bytes > 0).then_some(bytes);
        self
    }
}
