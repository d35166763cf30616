//! From a graph to a plan: who allocates the frames of each pipe, how many, how large, how aligned, in which memory.

mod allocator_choice;
mod around;
mod ask;
mod assemble;
mod bounds;
mod clusters;
mod component;
mod conflict;
mod counted;
mod cycles;
mod decomposition;
pub mod describe;
mod facts;
mod frontier;
mod json;
mod kept;
mod keys;
mod memory;
mod negotiator;
mod open_pipe;
mod picture;
mod pipe_numbers;
mod plan;
mod problem;
mod progression;
#[cfg(test)]
mod random_graphs;
mod sharing;
mod solve;
mod starvation;
mod table;
mod thresholds;
mod trace;
mod tree;
mod verify;
mod what_if;
mod why;

pub use json::{error_json, explained_plan_json, plan_json};
pub use negotiator::{Difference, Merged, Negotiator, PipeChange, Regrown, Split, StepError};
pub use picture::{conflict_dot, conflict_svg, plan_dot, plan_svg};
pub use plan::{
    AllocatorChoice, AllocatorKind, AllocatorPlace, Bridge, Cost, Infeasible, NegotiateError, Pipe, PipeId, Plan,
    RouteChoice, Warning,
};
pub use solve::negotiate;
pub use starvation::{
    Awaited, Behaviour, Circle, Cure, PipeProof, Proof, SharedPipe, Shortage, Starvation, Verdict, Wait, starvation,
    starvation_of,
};
pub use verify::{Rule, Violation, verify};
pub use what_if::{Asked, WhatIf};
pub use why::{Answer, Cause, CostDifference, Explainer, Obstacle, PipeNumber, Question, Saving, TriedChange};
