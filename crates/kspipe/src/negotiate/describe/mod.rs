//! A plan, described: all that `ALLOCATOR_PROPERTIES_EX` holds of each pipe, why each number is what it is, and what
//! a reader should know. Nothing here decides anything; it is computed from a graph and its plan when asked for.
//!
//! `docs/plan.md` tells every member of the JSON form, and every warning's code.

mod allocators;
mod bridges;
mod com;
mod drivers;
mod explained;
mod floors;
mod names;
mod properties;
mod reasons;
mod sizes;
mod termination;
mod text;
mod view;
mod warnings;

pub use com::DoesNotFit;
pub use names::memory_name;
pub(super) use names::{count, factor_names, flag_names, grouped, logical_memory_name, requirement_names, state_name};
pub use properties::{Dimensions, PipeProperties, SizeRange};
pub use reasons::{PipeReasons, Reason};
pub use termination::Termination;
pub use text::plan_text;

use super::{Bridge, PipeId, Plan, Warning, why};
use crate::graph::{Graph, PinId};
use bridges::BridgeReasons;
use std::sync::OnceLock;
pub(super) use view::View;

/// A graph and its plan, ready to be asked about.
///
/// The plan must be one of this graph's: a plan of another graph gives answers about pins it never saw, or panics
/// where it names one that is not there.
#[derive(Debug)]
pub struct Description<'a> {
    view: View<'a>,
    bridges: OnceLock<BridgeReasons>,
}

impl<'a> Description<'a> {
    /// Indexes a graph and its plan: linear in both.
    pub fn new(graph: &'a Graph, plan: &'a Plan) -> Self {
        Description { view: View::new(graph, plan), bridges: OnceLock::new() }
    }
    /// The graph.
    pub fn graph(&self) -> &'a Graph {
        self.view.graph
    }
    /// The plan.
    pub fn plan(&self) -> &'a Plan {
        self.view.plan
    }
    /// The indexes.
    pub(super) fn view(&self) -> &View<'a> {
        &self.view
    }
    /// Everything `ALLOCATOR_PROPERTIES_EX` holds, for one pipe.
    pub fn properties(&self, pipe: PipeId) -> PipeProperties {
        properties::properties(&self.view, pipe)
    }
    /// Why the numbers of a pipe are what they are.
    pub fn reasons(&self, pipe: PipeId) -> PipeReasons {
        reasons::reasons(&self.view, pipe)
    }
    /// Whether an item of a pin says that it must, prefers to or can allocate, or that an allocator exists.
    pub fn offers_to_allocate(&self, pin: PinId) -> bool {
        why::offer(&self.view, pin).is_some()
    }
    /// Why a bridge is one, as far as two of the items chosen conflict by themselves: quick, for every bridge of a plan.
    /// [`Plan::why`] finds the whole conflict.
    pub fn bridge_reasons(&self, bridge: &Bridge) -> Vec<Reason> {
        self.bridges.get_or_init(|| BridgeReasons::new(&self.view)).of(&self.view, bridge)
    }
    /// What the plan's reader should know: warnings about pins in canonical order, then those about pipes.
    pub fn warnings(&self) -> Vec<Warning> {
        warnings::warnings(&self.view)
    }
}

/// Everything `ALLOCATOR_PROPERTIES_EX` holds, for one pipe of a plan. For many pipes, [`Description`] is faster.
pub fn pipe_properties(graph: &Graph, plan: &Plan, pipe: PipeId) -> PipeProperties {
    Description::new(graph, plan).properties(pipe)
}

/// What a plan's reader should know.
pub fn warnings(graph: &Graph, plan: &Plan) -> Vec<Warning> {
    Description::new(graph, plan).warnings()
}
