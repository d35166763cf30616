//! What moves frames: a thread for each filter ([`worker`]), a queue before each in pin ([`queue`]),
//! a pool for each pipe ([`pool`]), and the [`hub`] through which they wait, stop, fail and end together.
//!
//! Nobody waits to put a frame into a queue: all frames in it are of one pipe, and it has room for all the pipe has. So
//! a filter waits for one of two things only, its next frame or a free one, and both are known to the hub. That is how
//! it can tell a stall (everybody waits, and for nothing that can come) from work, without a clock. What other processes
//! send or give back can always come, as far as one of them knows; who sees all of them knows more ([`super::stall`]).

mod hub;
#[cfg_attr(not(all(any(target_os = "linux", target_os = "android"), not(loom))), path = "outer_nowhere.rs")]
mod outer;
mod outlet;
mod pool;
mod queue;
mod statistics;
mod worker;

pub(super) use hub::{Hub, HubParts, QueueIndex};
pub(super) use outer::Door;
#[cfg(all(any(target_os = "linux", target_os = "android"), not(loom)))]
pub(super) use outer::{OuterPool, Ring};
pub(super) use outlet::{Outlet, To, Way};
pub(super) use pool::{MemoryError, Pool};
pub(super) use queue::Queue;
pub(super) use statistics::{Counters, Totals};
pub(super) use worker::{Done, Limits, Worker, header};
