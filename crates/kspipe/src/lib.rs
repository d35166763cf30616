//! kspipe: frame allocators for media graphs, negotiated for the whole graph at once, with the semantics of Kernel
//! Streaming's `IKsAllocatorEx`.
//!
//! Data goes one way: framing → [`graph`] → [`negotiate`] (a plan) → [`allocator`] → frames → [`stream`] (a report).
#![deny(unsafe_code)]

pub mod allocator;
#[forbid(unsafe_code)]
pub mod check;
#[forbid(unsafe_code)]
pub mod finding;
#[forbid(unsafe_code)]
pub mod graph;
#[forbid(unsafe_code)]
pub mod negotiate;
#[forbid(unsafe_code)]
pub mod stream;
