//! From a graph to a plan: who allocates the frames of each pipe, how many, how large, how aligned, in which memory.

mod allocator_choice;
mod ask;
mod assemble;
mod clusters;
mod component;
mod conflict;
mod counted;
mod decomposition;
pub mod describe;
mod facts;
mod frontier;
mod json;
#[cfg_attr(not(test), expect(dead_code, reason = "the negotiator that keeps its state is not there yet"))]
mod kept;
mod keys;
mod memory;
mod open_pipe;
mod picture;
mod plan;
mod problem;
mod progression;
mod sharing;
mod solve;
mod table;
mod trace;
mod tree;
mod verify;

pub use json::{error_json, plan_json};
pub use picture::{plan_dot, plan_svg};
pub use plan::{
    AllocatorChoice, AllocatorKind, AllocatorPlace, Bridge, Cost, Infeasible, NegotiateError, Pipe, PipeId, Plan,
    RouteChoice, Warning,
};
pub use solve::negotiate;
pub use verify::{Rule, Violation, verify};
