//! From a graph to a plan: who allocates the frames of each pipe, how many, how large, how aligned, in which memory.

mod plan;
mod verify;

pub use plan::{
    AllocatorChoice, AllocatorKind, AllocatorPlace, Bridge, Cost, Infeasible, NegotiateError, Pipe, PipeId, Plan,
    RouteChoice, Warning,
};
pub use verify::{Rule, Violation, verify};
