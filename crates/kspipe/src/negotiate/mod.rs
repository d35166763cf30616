//! From a graph to a plan: who allocates the frames of each pipe, how many, how large, how aligned, in which memory.

mod allocator_choice;
mod ask;
mod assemble;
mod conflict;
mod facts;
mod frontier;
mod keys;
mod memory;
mod open_pipe;
mod plan;
mod progression;
mod solve;
mod tree;
mod verify;

pub use plan::{
    AllocatorChoice, AllocatorKind, AllocatorPlace, Bridge, Cost, Infeasible, NegotiateError, Pipe, PipeId, Plan,
    RouteChoice, Warning,
};
pub use solve::negotiate;
pub use verify::{Rule, Violation, verify};
