//! The cost of one plan beside that of another, key by key.

use super::PipeNumber;
use crate::graph::{Graph, Strategy};
use crate::negotiate::describe::{count, grouped, memory_name};
use crate::negotiate::{Cost, Pipe, Plan};
use std::fmt;

/// The cost of a plan and that of another, of the same graph with one thing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CostDifference {
    /// What both optimise.
    pub strategy: Strategy,
    /// The plan at hand.
    pub before: Cost,
    /// The other.
    pub after: Cost,
}

impl CostDifference {
    pub(super) fn of(before: &Plan, after: &Plan) -> Self {
        CostDifference { strategy: before.strategy, before: before.cost, after: after.cost }
    }

    /// The keys that differ, by the names JSON has for them: before, and after.
    pub fn keys(&self) -> Vec<(&'static str, u128, u128)> {
        let named = |cost: &Cost| {
            [
                ("bytes_copied", cost.bytes_copied),
                ("allocators", cost.allocators),
                ("departures", cost.departures),
                ("depth", cost.depth),
                ("bytes", cost.bytes),
                ("frames", cost.frames),
                ("sizes", cost.sizes),
            ]
        };
        let pairs = named(&self.before).into_iter().zip(named(&self.after));
        pairs
            .filter(|(before, after)| before.1 != after.1)
            .map(|(before, after)| (before.0, before.1, after.1))
            .collect()
    }

    /// Whether nothing differs.
    pub fn is_nothing(&self) -> bool {
        self.before == self.after
    }
}

/// `saves 3 110 400 bytes copied a frame and 1 allocator; costs 1 departure more`, or `saves nothing`. The sum of sizes is
/// named only where the strategy compares it.
impl fmt::Display for CostDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut less, mut more) = (Vec::new(), Vec::new());
        for (name, before, after) in self.keys() {
            if name == "sizes" && self.strategy != Strategy::MinimizeFrameSize {
                continue;
            }
            let amount = amount(name, before.abs_diff(after));
            if after < before { less.push(amount) } else { more.push(amount) }
        }
        match (less.is_empty(), more.is_empty()) {
            (true, true) => f.write_str("saves nothing"),
            (false, true) => write!(f, "saves {}", listed(&less)),
            (true, false) => write!(f, "costs {} more", listed(&more)),
            (false, false) => write!(f, "saves {}; costs {} more", listed(&less), listed(&more)),
        }
    }
}

fn amount(name: &str, number: u128) -> String {
    match name {
        "bytes_copied" => format!("{} copied a frame", count(number, "byte")),
        "allocators" => count(number, "allocator"),
        "departures" => count(number, "departure"),
        "depth" => format!("{} of depth", grouped(number)),
        "bytes" => count(number, "byte"),
        "frames" => count(number, "frame"),
        _ => format!("{} in the sum of sizes", count(number, "byte")),
    }
}

fn listed(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// A number of a pipe in words: `4 frames`.
pub(super) fn number_words(graph: &Graph, pipe: &Pipe, number: PipeNumber) -> String {
    match number {
        PipeNumber::Frames => count(pipe.frames, "frame"),
        PipeNumber::FrameSize => format!("{} a frame", count(pipe.frame_size, "byte")),
        PipeNumber::Alignment => format!("alignment {}", grouped(pipe.alignment)),
        PipeNumber::MemoryType => format!("{} memory", memory_name(graph, pipe.memory_type)),
        PipeNumber::Allocator => match pipe.allocator.pin {
            Some(pin) => format!("{} allocator, {}", pipe.allocator.kind.name(), graph.pin_name(pin)),
            None => format!("{} allocator", pipe.allocator.kind.name()),
        },
        PipeNumber::BusType | PipeNumber::Flags => String::new(),
    }
}
