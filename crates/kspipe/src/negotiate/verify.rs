//! The plan's independent verifier: whether a plan keeps the rules of negotiation, re-checked from the graph alone.
//!
//! Nothing here is shared with the code that makes plans, and every check is written the way its rule is: a plan that
//! passes is valid whatever made it. It does not ask whether a cheaper plan exists; what the plan says it costs is
//! recomputed key by key. A check takes time in proportion to the pins (for the key *depth*, where branches of a graph
//! meet again, to the pins times the cuts, 128 cuts at a time), so that every plan can be checked in debug builds.

mod allocator;
mod cost;
mod frames;
mod pipes;
mod sharing;
mod view;

use super::Plan;
use crate::graph::{Graph, PinId};
use std::fmt;
use view::View;

/// What a plan has to keep, by the numbers of `docs/negotiation.md`. Rule 9 (at most 32 in pins of a pipe in processes
/// of their own) asks nothing of a plan for one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// The plan speaks about this graph: every pin is in exactly one pipe and uses one of its items, every bridge and
    /// copy is one of the graph's.
    Shape,
    /// Rule 1: a pipe is what connections that are not bridges, and routes that keep the frame, join; no more.
    Pipes,
    /// Rule 2: every pin with a requirement can use the pipe's memory.
    Memory,
    /// Rule 3: the frame size lies in every required range, on every required step, and holds what must fit.
    Size,
    /// Rule 4: the alignment is the least common multiple of all that is asked.
    Alignment,
    /// Rule 5: there are frames enough.
    Count,
    /// Rule 6: the one who allocates is the one the order of preference names.
    Allocator,
    /// Rule 7: nobody writes into a frame that others read.
    SharedFrames,
    /// Rule 8: frames never come back to where they were.
    Cycles,
    /// What the plan says it costs is what it costs.
    Cost,
}

impl Rule {
    /// The rule's number in `docs/negotiation.md`; `None` for what comes before the rules (shape) and after (cost).
    pub fn number(self) -> Option<u8> {
        match self {
            Rule::Shape | Rule::Cost => None,
            Rule::Pipes => Some(1),
            Rule::Memory => Some(2),
            Rule::Size => Some(3),
            Rule::Alignment => Some(4),
            Rule::Count => Some(5),
            Rule::Allocator => Some(6),
            Rule::SharedFrames => Some(7),
            Rule::Cycles => Some(8),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.number()) {
            (_, Some(number)) => write!(f, "rule {number}"),
            (Rule::Cost, None) => f.write_str("cost"),
            (_, None) => f.write_str("shape"),
        }
    }
}

/// One way in which a plan breaks a rule. Displayed as the rule and the sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{rule}: {message}")]
pub struct Violation {
    /// The rule it breaks.
    pub rule: Rule,
    /// The pins it is about; empty where it is about the plan as a whole.
    pub pins: Vec<PinId>,
    /// What is wrong, naming those pins.
    pub message: String,
}

/// What has been found so far.
struct Findings<'a> {
    graph: &'a Graph,
    found: Vec<Violation>,
}

impl Findings<'_> {
    fn push(&mut self, rule: Rule, pins: &[PinId], message: String) {
        self.found.push(Violation { rule, pins: pins.to_vec(), message });
    }

    /// A pin's name in quotes, also where a plan for another graph names a pin this one does not have.
    fn name(&self, pin: PinId) -> String {
        if pin.index() < self.graph.pins().len() {
            format!("`{}`", self.graph.pin_name(pin))
        } else {
            format!("pin number {}", pin.index())
        }
    }
}

/// Checks that `plan` is a valid plan for `graph` and costs what it says.
///
/// # Errors
/// Every violation found. Where the plan does not even fit the graph, or the graph has a cycle, only that is reported,
/// because the rules say nothing about such a plan.
pub fn verify(graph: &Graph, plan: &Plan) -> Result<(), Vec<Violation>> {
    let mut findings = Findings { graph, found: Vec::new() };
    pipes::check_shape(graph, plan, &mut findings);
    if findings.found.is_empty() {
        match View::new(graph, plan) {
            Err(cycle) => {
                let names: Vec<String> = cycle.iter().chain(cycle.first()).map(|pin| findings.name(*pin)).collect();
                findings.push(Rule::Cycles, &cycle, format!("the graph has a cycle: {}", names.join(" -> ")));
            }
            Ok(view) => {
                pipes::check_pipes(&view, &mut findings);
                frames::check(&view, &mut findings);
                allocator::check(&view, &mut findings);
                sharing::check(&view, &mut findings);
                cost::check(&view, &mut findings);
            }
        }
    }
    if findings.found.is_empty() { Ok(()) } else { Err(findings.found) }
}
