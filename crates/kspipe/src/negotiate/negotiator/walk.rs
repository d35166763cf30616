//! A walk through each component, by which what lies behind an edge is found without going there.

use crate::graph::PinId;
use crate::negotiate::facts::FactTables;

/// The order in which pins are met, going through the edges of each component from its first pin. Where the edges make no
/// undirected cycle, all that lies behind an edge is met one after the other.
#[derive(Clone, Debug, Default)]
pub(super) struct Walk {
    /// By pin: its place.
    pub(super) place: Vec<u32>,
    /// By pin: the first place after it and what lies behind it.
    pub(super) end: Vec<u32>,
    /// By component: its edges make no undirected cycle, no `copy` route has both ends in it, and no pin has two edges
    /// that lead to it. Then how far downstream a pin stands, of two in one pipe, does not depend on what is cut.
    pub(super) is_steady: Vec<bool>,
    /// By pin: in steady components, the number of edges on the way to it.
    pub(super) level: Vec<u32>,
}

impl Walk {
    pub(super) fn of(tables: &FactTables) -> Self {
        let pins = tables.order.len();
        let mut walk = Walk {
            place: vec![u32::MAX; pins],
            end: vec![0; pins],
            is_steady: vec![false; tables.components.len()],
            level: vec![0; pins],
        };
        let mut next = 0;
        // A pin to go to, or one behind which everything was met.
        let mut open: Vec<(PinId, bool)> = Vec::new();
        for (number, component) in tables.components.iter().enumerate() {
            let mut ends = 0;
            let mut is_led_to_twice = false;
            open.extend(component.first().map(|pin| (*pin, false)));
            while let Some((pin, is_done)) = open.pop() {
                if is_done {
                    walk.end[pin.index()] = next;
                    continue;
                }
                if walk.place[pin.index()] != u32::MAX {
                    continue;
                }
                walk.place[pin.index()] = next;
                next += 1;
                open.push((pin, true));
                let edges = tables.edges_at(pin);
                ends += edges.len();
                let mut leading = 0;
                for edge in edges.iter().map(|edge| tables.edges[*edge as usize]) {
                    leading += u32::from(edge.to == pin);
                    let other = if edge.from == pin { edge.to } else { edge.from };
                    if walk.place[other.index()] == u32::MAX {
                        open.push((other, false));
                    }
                }
                is_led_to_twice |= leading > 1;
            }
            let is_tree = ends / 2 + 1 == component.len() && !tables.self_copying[number];
            walk.is_steady[number] = is_tree && !is_led_to_twice;
        }
        for pin in &tables.order {
            if walk.is_steady[tables.component_of[pin.index()] as usize] {
                for edge in tables.edges_at(*pin).iter().map(|edge| tables.edges[*edge as usize]) {
                    if edge.to == *pin {
                        walk.level[pin.index()] = walk.level[edge.from.index()] + 1;
                    }
                }
            }
        }
        walk
    }
}
