//! What can be said of filters in processes of their own before any of them runs, on every system: which connections lead
//! from one process to another, and whether the memory behind them can be mapped by both.

use crate::graph::{Graph, PinId};
use crate::negotiate::describe::memory_name;
use ks::{Guid, KSMEMORY_TYPE_KERNEL_PAGED, KSMEMORY_TYPE_USER};

/// A connected in pin that frames come to from another process, where each filter that is outside has one of its own, and all
/// others are together.
pub(crate) fn is_boundary(graph: &Graph, in_pin: PinId, is_outside: impl Fn(usize) -> bool) -> bool {
    let filter = |pin: PinId| graph.pin(pin).filter().0 as usize;
    let differs = |peer| filter(peer) != filter(in_pin) && (is_outside(filter(peer)) || is_outside(filter(in_pin)));
    graph.pin(in_pin).peer().is_some_and(differs)
}

/// The name of a memory type that several processes can map.
///
/// # Errors
/// They cannot; what it is called.
pub(crate) fn shared_memory(graph: &Graph, memory_type: Guid) -> Result<&'static str, String> {
    match memory_type {
        KSMEMORY_TYPE_USER => Ok("user"),
        KSMEMORY_TYPE_KERNEL_PAGED => Ok("kernel-paged"),
        other => Err(memory_name(graph, other)),
    }
}
