//! Whether frames always move: the classic graphs one by one, random graphs against an oracle that tries every order,
//! and against `kspipe`'s own engine, which runs them.

#[path = "../stream_support/mod.rs"]
mod stream_support;

mod classics;
mod graphs;
mod random;
mod states;
