//! What negotiation should find, by trying everything, and the graphs to try it on. Shares nothing with the solver and
//! the verifier but the graph's and the plan's types.

// Each test that uses this module uses a part of it.
#![allow(dead_code)]

pub(crate) mod brute;
pub(crate) mod generate;
pub(crate) mod mutations;
mod pipe;
mod rules;

use kspipe::graph::Graph;
use std::fmt::Write;

/// A graph in few lines, what its pins do not say left out.
pub(crate) fn describe(graph: &Graph) -> String {
    let mut text = format!("{}, bridges {:?}\n", graph.strategy(), graph.bridges());
    for (memory, device) in graph.device_memories() {
        let (host, user) = (device.host_mappable, device.user_mappable);
        let _ = writeln!(text, "memory {memory}: host {host}, user {user}");
    }
    for id in graph.pin_ids() {
        let pin = graph.pin(id);
        let _ = write!(text, "{} ({} {:?})", graph.pin_name(id), graph.mode(id), pin.direction());
        if let Some(peer) = pin.peer() {
            let _ = write!(text, " -- {}", graph.pin_name(peer));
        }
        if let Some(holds) = pin.holds() {
            let _ = write!(text, ", holds {holds}");
        }
        if let Some(bytes) = pin.media_size() {
            let _ = write!(text, ", media {bytes}");
        }
        if pin.compression().is_stated() {
            let _ = write!(text, ", {:?}", pin.compression());
        }
        let _ = writeln!(text);
        for item in pin.items() {
            let (physical, capacity) = (item.physical, item.capacity());
            let _ = writeln!(
                text,
                "    {} frames {} alignment {} size {}..{}/{} capacity {capacity} {:?} {:?}",
                item.memory,
                item.frames,
                item.alignment,
                physical.min,
                physical.max,
                physical.step,
                item.requirements,
                item.flags
            );
        }
    }
    for route in graph.routes() {
        let _ = writeln!(text, "{} -> {} {}", graph.pin_name(route.from), graph.pin_name(route.to), route.kind);
    }
    text
}
