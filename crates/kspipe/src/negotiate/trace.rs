//! How a half-built pipe came to be, and the choices that can be read from that.

use crate::graph::PinId;

/// What is chosen at a pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PinChoice {
    pub(super) item: Option<u32>,
    pub(super) class: u16,
}

/// How a component is solved: what each pin uses and which edges are cut.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Solution {
    pub(super) pins: Vec<(PinId, PinChoice)>,
    pub(super) cuts: Vec<u32>,
}

impl Solution {
    /// Puts the pins and the cuts in order.
    pub(super) fn sort(&mut self) {
        self.pins.sort_unstable_by_key(|(pin, _)| *pin);
        self.cuts.sort_unstable();
    }
}

/// How a half-built pipe came to be, as a tree of choices.
#[derive(Clone, Copy, Debug)]
pub(super) enum Trace {
    Nothing,
    Pin {
        pin: PinId,
        choice: PinChoice,
    },
    Join {
        one: u32,
        other: u32,
    },
    CutEdge {
        one: u32,
        edge: u32,
    },
    /// An entry of another part's table, which is kept apart.
    Kept {
        part: u32,
        entry: u32,
    },
}

pub(super) fn push(traces: &mut Vec<Trace>, trace: Trace) -> u32 {
    traces.push(trace);
    (traces.len() - 1) as u32
}

/// The choices that led to a half-built pipe; `kept` is told of each entry of a kept part among them.
pub(super) fn follow(traces: &[Trace], last: u32, mut kept: impl FnMut(u32, u32)) -> Solution {
    let mut solution = Solution::default();
    let mut stack = vec![last];
    while let Some(at) = stack.pop() {
        match traces[at as usize] {
            Trace::Nothing => {}
            Trace::Pin { pin, choice } => solution.pins.push((pin, choice)),
            Trace::Join { one, other } => stack.extend([one, other]),
            Trace::CutEdge { one, edge } => {
                solution.cuts.push(edge);
                stack.push(one);
            }
            Trace::Kept { part, entry } => kept(part, entry),
        }
    }
    solution
}
