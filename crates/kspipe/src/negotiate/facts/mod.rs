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
use crate::graph::{Graph, PinId};
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
    /// The pins, upstream before downstream; by longest way from a source, ties by canonical order.
    pub(super) order: Vec<PinId>,
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
    /// Sets of pins that no `copy` route separates; a pipe lies in one of them. Each in canonical order.
    pub(super) components: Vec<Vec<PinId>>,
    pub(super) component_of: Vec<u32>,
    /// By component: a `copy` route has both its ends in it.
    pub(super) self_copying: Vec<bool>,
    depths: OnceLock<Vec<u64>>,
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

    /// For each pin, the number of pins it can be reached from, itself included.
    pub(super) fn depths(&self) -> &[u64] {
        self.tables.depths.get_or_init(|| depths::depths(self.graph, &self.tables.order))
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
        let edges_at = EdgeIndex::of(graph.pins().len(), &edges);
        let Components { pins, component_of, self_copying } = Components::of(graph, &edges, &edges_at);
        Ok(FactTables {
            order,
            data,
            unknown_data,
            required,
            edges,
            edges_at,
            components: pins,
            component_of,
            self_copying,
            depths: OnceLock::new(),
            names: OnceLock::new(),
        })
    }

    /// [`Facts::depths`], if they were asked for.
    pub(super) fn depths(&self) -> Option<&[u64]> {
        self.depths.get().map(Vec::as_slice)
    }

    /// The edges at a pin, as places in [`Self::edges`].
    pub(super) fn edges_at(&self, pin: PinId) -> &[u32] {
        self.edges_at.at(pin)
    }

    /// The bytes a cut at this pin copies for a source frame.
    pub(super) fn copied_bytes(&self, giver: PinId) -> u64 {
        match self.data[giver.index()] {
            0 => self.unknown_data,
            bytes => bytes,
        }
    }
}
