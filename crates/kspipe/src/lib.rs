//! kspipe: frame allocators for media graphs, negotiated for the whole graph at once, with the semantics of Kernel
//! Streaming's `IKsAllocatorEx`.
//!
//! Data goes one way: framing → [`graph`] → [`negotiate`] (a plan) → [`allocator`] → frames → [`stream`] (a report).
#![deny(unsafe_code)]

pub mod allocator;
pub mod graph;
pub mod negotiate;
pub mod stream;
