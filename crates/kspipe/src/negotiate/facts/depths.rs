//! For each pin, the number of pins it can be reached from.

use super::Arrows;
use crate::graph::{Graph, PinId};

/// For each pin, the number of pins it can be reached from, itself included.
pub(super) fn depths(graph: &Graph, order: &[PinId]) -> Vec<u32> {
    let count = graph.pins().len();
    let arrows = Arrows::of(graph);
    if graph.connections().len() + graph.routes().len() + weak_components(graph) == count {
        // Without undirected cycles no pin is reached two ways, so the counts add up.
        let mut depths = vec![1u32; count];
        for pin in order {
            for next in arrows.from(graph, *pin) {
                depths[next.index()] += depths[pin.index()];
            }
        }
        return depths;
    }
    let mut depths = vec![0u32; count];
    let mut reached_from = vec![0u64; count];
    for block in order.chunks(64) {
        reached_from.fill(0);
        for (bit, pin) in block.iter().enumerate() {
            reached_from[pin.index()] |= 1 << bit;
        }
        for pin in order {
            let bits = reached_from[pin.index()];
            if bits != 0 {
                depths[pin.index()] += bits.count_ones();
                for next in arrows.from(graph, *pin) {
                    reached_from[next.index()] |= bits;
                }
            }
        }
    }
    depths
}

fn weak_components(graph: &Graph) -> usize {
    let mut parent: Vec<u32> = (0..graph.pins().len() as u32).collect();
    let mut components = parent.len();
    let connections = graph.connections().iter().map(|c| (c.from, c.to));
    for (a, b) in connections.chain(graph.routes().iter().map(|r| (r.from, r.to))) {
        let (a, b) = (find(&mut parent, a.0), find(&mut parent, b.0));
        if a != b {
            parent[a as usize] = b;
            components -= 1;
        }
    }
    components
}

/// The representative of a set in a forest of parents, with the way halved.
pub(in crate::negotiate) fn find(parent: &mut [u32], mut at: u32) -> u32 {
    while parent[at as usize] != at {
        parent[at as usize] = parent[parent[at as usize] as usize];
        at = parent[at as usize];
    }
    at
}
