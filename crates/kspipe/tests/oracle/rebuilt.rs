//! A graph taken apart, to be changed and put together again.

use ks::Guid;
use kspipe::graph::{
    Bridges, Compression, Connection, DeviceMemory, Direction, Framing, FramingItem, Graph, Mode, PinId, Route,
    RouteKind, Strategy,
};

/// What is put into a connection: a filter that passes frames on and asks nothing.
pub(crate) const BETWEEN: &str = "between";

/// Everything a graph says, by names.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    pub(crate) strategy: Strategy,
    pub(crate) bridges: Bridges,
    pub(crate) devices: Vec<(Guid, DeviceMemory)>,
    pub(crate) pins: Vec<Says>,
    /// Out pins and in pins, `filter.pin`.
    pub(crate) connections: Vec<(String, String)>,
    /// Filter, in pin, out pin, kind.
    pub(crate) routes: Vec<(String, String, String, RouteKind)>,
}

/// What a pin says.
#[derive(Clone, Debug)]
pub(crate) struct Says {
    pub(crate) filter: String,
    pub(crate) filter_mode: Mode,
    pub(crate) name: String,
    pub(crate) direction: Direction,
    pub(crate) mode: Mode,
    pub(crate) old: bool,
    pub(crate) items: Vec<FramingItem>,
    pub(crate) compression: Compression,
    pub(crate) holds: Option<u32>,
    pub(crate) media_size: Option<u64>,
}

impl Says {
    /// A pin that asks nothing.
    pub(crate) fn nothing(filter: &str, name: &str, direction: Direction, mode: Mode) -> Self {
        Says {
            filter: filter.to_owned(),
            filter_mode: mode,
            name: name.to_owned(),
            direction,
            mode,
            old: false,
            items: Vec::new(),
            compression: Compression::NONE,
            holds: None,
            media_size: None,
        }
    }

    pub(crate) fn full_name(&self) -> String {
        format!("{}.{}", self.filter, self.name)
    }
}

impl Parts {
    /// The parts of a graph, its pins in its order.
    pub(crate) fn of(graph: &Graph) -> Self {
        let filter = |pin: PinId| graph.filter(graph.pin(pin).filter());
        let says = |id: PinId| {
            let pin = graph.pin(id);
            Says {
                filter: filter(id).name().to_owned(),
                filter_mode: filter(id).mode(),
                name: pin.name().to_owned(),
                direction: pin.direction(),
                mode: graph.mode(id),
                old: matches!(pin.framing(), Framing::Old(_)),
                items: pin.items().to_vec(),
                compression: pin.compression(),
                holds: pin.holds(),
                media_size: pin.media_size(),
            }
        };
        let name = |pin: PinId| graph.pin_name(pin);
        let own_name = |pin: PinId| graph.pin(pin).name().to_owned();
        Parts {
            strategy: graph.strategy(),
            bridges: graph.bridges(),
            devices: graph.device_memories().iter().map(|(memory, device)| (*memory, device.clone())).collect(),
            pins: graph.pin_ids().map(says).collect(),
            connections: graph.connections().iter().map(|edge| (name(edge.from), name(edge.to))).collect(),
            routes: graph
                .routes()
                .iter()
                .map(|route| {
                    (filter(route.from).name().to_owned(), own_name(route.from), own_name(route.to), route.kind)
                })
                .collect(),
        }
    }

    /// The graph, where these parts make one. They are written down in the opposite order.
    pub(crate) fn try_build(&self) -> Option<Graph> {
        let mut builder = Graph::builder();
        builder.strategy(self.strategy).bridges(self.bridges);
        for (memory, device) in self.devices.iter().rev() {
            builder.memory(*memory, device.clone());
        }
        for pin in self.pins.iter().rev() {
            let framing = match (&pin.items[..], pin.old) {
                ([], _) => Framing::None,
                ([only], true) => Framing::Old(Box::new(only.clone())),
                _ => Framing::Extended(pin.items.clone()),
            };
            let filter = builder.filter(&pin.filter).mode(pin.filter_mode).only_stated_routes();
            let mut built = filter.pin(&pin.name, pin.direction).mode(pin.mode).framing(framing);
            built = built.compression(pin.compression).media_size(pin.media_size.unwrap_or(0));
            if let Some(holds) = pin.holds {
                built.holds(holds);
            }
        }
        for (from, to) in self.connections.iter().rev() {
            builder.connect(from, to);
        }
        for (filter, from, to, kind) in self.routes.iter().rev() {
            builder.filter(filter).route(from, to, *kind);
        }
        builder.build().ok()
    }

    /// The graph.
    pub(crate) fn build(&self) -> Graph {
        self.try_build().expect("as valid as the graph it was")
    }

    /// Without one of its pins, and whatever leads there.
    pub(crate) fn without_pin(&self, place: usize) -> Self {
        let mut parts = self.clone();
        let gone = parts.pins.remove(place);
        let name = gone.full_name();
        parts.connections.retain(|(from, to)| *from != name && *to != name);
        parts.routes.retain(|(filter, from, to, _)| *filter != gone.filter || *from != gone.name && *to != gone.name);
        parts
    }
}

/// A graph like another, written down in the opposite order, the items of each pin changed by `change`.
pub(crate) fn rebuilt(graph: &Graph, change: impl Fn(PinId, &mut Vec<FramingItem>)) -> Graph {
    rebuilt_with(graph, |pin, says| change(pin, &mut says.items), |route| route.kind)
}

/// The same, with whatever pins say and routes do changed.
pub(crate) fn rebuilt_with(
    graph: &Graph,
    change: impl Fn(PinId, &mut Says),
    kind: impl Fn(&Route) -> RouteKind,
) -> Graph {
    let mut parts = Parts::of(graph);
    for (pin, says) in graph.pin_ids().zip(&mut parts.pins) {
        change(pin, says);
    }
    for (route, part) in graph.routes().iter().zip(&mut parts.routes) {
        part.3 = kind(route);
    }
    parts.build()
}

/// The same graph, with a filter in the middle of a connection.
pub(crate) fn widened(graph: &Graph, connection: Connection) -> Graph {
    let mut parts = Parts::of(graph);
    let mode = graph.mode(connection.from);
    parts.pins.push(Says::nothing(BETWEEN, "in", Direction::In, mode));
    parts.pins.push(Says::nothing(BETWEEN, "out", Direction::Out, mode));
    parts.routes.push((BETWEEN.to_owned(), "in".to_owned(), "out".to_owned(), RouteKind::Pass));
    let names = (graph.pin_name(connection.from), graph.pin_name(connection.to));
    parts.connections.retain(|connection| *connection != names);
    parts.connections.push((names.0, format!("{BETWEEN}.in")));
    parts.connections.push((format!("{BETWEEN}.out"), names.1));
    parts.build()
}
