//! What is fixed before anything is chosen: the order of the pins, the data they carry, what cuts cost, who can be in
//! one pipe with whom.

mod arrows;
mod components;
mod data;
mod depths;
mod edges;
mod names;

pub(super) use arrows::Arrows;
pub(super) use data::{data_at, through};
pub(super) use depths::find;
pub(super) use edges::{Edge, EdgeKind};

use super::NegotiateError;
use crate::graph::{Direction, Graph, PinId, Route};
use components::Components;
use edges::EdgeIndex;
use names::NameOrder;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

/// What one cut costs, whatever else is chosen.
#[derive(Clone, Copy, Debug)]
pub(super) struct CutCost {
    pub(super) bytes: u64,
    pub(super) depth: u64,
}

/// A graph and what is fixed about it.
#[derive(Clone, Debug)]
pub(super) struct Facts<'a> {
    pub(super) graph: &'a Graph,
    tables: Arc<FactTables>,
}

/// What is fixed about a graph. It borrows nothing, so that who changes the graph can keep it beside the graph.
#[derive(Clone, Debug)]
pub(super) struct FactTables {
    order: OnceLock<Vec<PinId>>,
    /// Data by pin, in bytes; 0: unknown. `u64::MAX` stands for what does not fit 64 bits.
    pub(super) data: Vec<u64>,
    /// What unknown data counts as in the cost: the largest data known, at least 1.
    pub(super) unknown_data: u64,
    /// Sizes each pin requires whatever item it uses: its media size and what a stated compression makes of its data.
    pub(super) required: Vec<u64>,
    /// A place for each out pin's connection and then one for each route, in the graph's order, so that an edge keeps its
    /// place whatever is connected or cut. Those that are not there are [`EdgeKind::Absent`].
    pub(super) edges: Vec<Edge>,
    edges_at: EdgeIndex,
    components: Components,
    depths: OnceLock<Vec<u32>>,
    names: OnceLock<NameOrder>,
}

impl<'a> Facts<'a> {
    /// Errors with the cycle where frames would go round.
    pub(super) fn of(graph: &'a Graph) -> Result<Self, NegotiateError> {
        Ok(Facts { graph, tables: Arc::new(FactTables::of(graph)?) })
    }

    /// A graph with what was found to be fixed about it.
    pub(super) fn with(graph: &'a Graph, tables: &Arc<FactTables>) -> Self {
        Facts { graph, tables: Arc::clone(tables) }
    }

    /// What was found, to be kept.
    pub(super) fn tables(&self) -> Arc<FactTables> {
        Arc::clone(&self.tables)
    }

    /// The pins, upstream before downstream; by longest way from a source, ties by canonical order.
    pub(super) fn order(&self) -> &[PinId] {
        // Whoever makes tables knows that there is no cycle.
        self.tables.order.get_or_init(|| Arrows::of(self.graph).topological_order(self.graph).unwrap_or_default())
    }

    /// For each pin, the number of pins it can be reached from, itself included.
    pub(super) fn depths(&self) -> &[u32] {
        self.tables.depths.get_or_init(|| depths::depths(self.graph, self.order()))
    }

    /// The order of the pins' full names.
    pub(super) fn names(&self) -> &NameOrder {
        self.tables.names.get_or_init(|| NameOrder::of(self.graph))
    }
}

impl Deref for Facts<'_> {
    type Target = FactTables;
    fn deref(&self) -> &FactTables {
        &self.tables
    }
}

impl FactTables {
    /// Errors with the cycle where frames would go round.
    pub(super) fn of(graph: &Graph) -> Result<Self, NegotiateError> {
        let arrows = Arrows::of(graph);
        let order = arrows.topological_order(graph).map_err(NegotiateError::Cycle)?;
        let (data, required) = data::data_of(graph, &order, &arrows);
        let unknown_data = data.iter().copied().max().unwrap_or(0).max(1);
        let edges = edges::edges_of(graph);
        let edges_at = EdgeIndex::of(graph, &edges);
        let components = Components::of(graph, &edges, &edges_at);
        Ok(FactTables {
            order: OnceLock::from(order),
            data,
            unknown_data,
            required,
            edges,
            edges_at,
            components,
            depths: OnceLock::new(),
            names: OnceLock::new(),
        })
    }

    /// [`Facts::depths`], if they were asked for.
    pub(super) fn depths(&self) -> Option<&[u32]> {
        self.depths.get().map(Vec::as_slice)
    }

    /// The numbers of the components: sets of pins that no `copy` route separates; a pipe lies in one of them.
    pub(super) fn components(&self) -> impl Iterator<Item = u32> + '_ {
        self.components.numbers()
    }

    pub(super) fn component_count(&self) -> usize {
        self.components.count()
    }

    /// The pins of a component, in canonical order.
    pub(super) fn component(&self, component: u32) -> &[PinId] {
        self.components.pins(component)
    }

    pub(super) fn component_size(&self, component: u32) -> usize {
        self.components.size(component)
    }

    pub(super) fn component_of(&self, pin: PinId) -> u32 {
        self.components.component_of[pin.index()]
    }

    /// Whether a `copy` route has both its ends in the component.
    pub(super) fn is_self_copying(&self, component: u32) -> bool {
        self.components.self_copying[component as usize]
    }

    /// The edges at a pin, as places in [`Self::edges`].
    pub(super) fn edges_at(&self, pin: PinId) -> &[u32] {
        self.edges_at.at(pin)
    }

    /// The place of an out pin's connection, or of a route, in [`Self::edges`].
    pub(super) fn edge_of(&self, graph: &Graph, from: PinId, to: PinId) -> Option<u32> {
        let connections = self.edges.len() - graph.routes().len();
        let place = if graph.pin(from).direction() == Direction::Out {
            self.edges[..connections].binary_search_by_key(&from, |edge| edge.from)
        } else {
            let routes = graph.routes().binary_search_by_key(&(from, to), |route| (route.from, route.to));
            routes.map(|place| connections + place)
        };
        place.ok().map(|place| place as u32)
    }

    /// The route at a place in [`Self::edges`]; `None`: a connection is.
    pub(super) fn route_at(&self, graph: &Graph, number: u32) -> Option<Route> {
        let connections = self.edges.len() - graph.routes().len();
        graph.routes().get((number as usize).checked_sub(connections)?).copied()
    }

    /// Puts another edge in the place of one. What is fixed about other pins than its two is told apart: [`Self::give`],
    /// [`Self::deepen`].
    pub(super) fn put_edge(&mut self, number: u32, edge: Edge) {
        let before = std::mem::replace(&mut self.edges[number as usize], edge);
        for (edge, is_there) in [(before, false), (edge, true)] {
            if !edge.kind.is_absent() {
                self.edges_at.put(edge.from, number, is_there);
                self.edges_at.put(edge.to, number, is_there);
            }
        }
        self.order = OnceLock::new();
    }

    /// The number of a component that has no pin yet.
    pub(super) fn new_component(&mut self) -> u32 {
        self.components.new_number()
    }

    /// Those of `among` that are in a component go over to another.
    pub(super) fn give(&mut self, among: &[PinId], from: u32, to: u32) {
        self.components.give(among, from, to);
    }

    /// The number of pins a pin can be reached from, itself included, if that was asked for; else 0.
    pub(super) fn depth(&self, pin: PinId) -> u32 {
        self.depths.get().map_or(0, |depths| depths[pin.index()])
    }

    /// These pins can be reached from more pins than they could, or fewer: `now` says from how many, by what it was.
    pub(super) fn deepen(&mut self, pins: &[PinId], now: impl Fn(u32) -> u32) {
        if let Some(depths) = self.depths.get_mut() {
            for pin in pins {
                let depth = &mut depths[pin.index()];
                *depth = now(*depth);
            }
        }
    }

    /// The bytes a cut at this pin copies for a source frame.
    pub(super) fn copied_bytes(&self, giver: PinId) -> u64 {
        match self.data[giver.index()] {
            0 => self.unknown_data,
            bytes => bytes,
        }
    }
}
