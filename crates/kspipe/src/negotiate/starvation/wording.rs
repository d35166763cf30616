//! Verdicts in words.

use super::{Awaited, Circle, Cure, Proof, SharedPipe, Shortage, Starvation, Wait};
use crate::graph::{Framing, Graph};
use crate::negotiate::Plan;

/// Filters named in one circle.
const NAMES: usize = 8;

impl Circle {
    /// Who waits for whom, with the names of the graph: `` `a` waits for a frame of pipe 0, ... ``.
    pub fn describe(&self, graph: &Graph, plan: &Plan) -> String {
        let name = |filter: crate::graph::FilterId| graph.filter(filter).name();
        let mut parts = Vec::new();
        for waits in self.waits.chunk_by(|a, b| (a.what, b.what) == (Awaited::Frame, Awaited::Frame)) {
            let (Some(first), Some(last)) = (waits.first(), waits.last()) else { continue };
            let who = if parts.is_empty() {
                format!("`{}` waits", name(first.filter))
            } else {
                format!("`{}`", name(first.filter))
            };
            parts.push(match first.what {
                Awaited::FreeFrame(pipe) => {
                    let frames = plan.pipes.get(pipe.index()).map_or(0, |pipe| pipe.frames);
                    let all = if frames == 1 { "its only one".to_owned() } else { format!("all {frames}") };
                    let from = if first.from == first.filter { "itself" } else { name(first.from) };
                    format!("{who} for a free frame of pipe {}, {all} out, until `{from}` gives one back", pipe.0)
                }
                Awaited::Frame => {
                    let between: Vec<&Wait> = waits.iter().skip(1).collect();
                    let way = match between.len() {
                        0 => String::new(),
                        n if n <= NAMES => {
                            let names: Vec<String> =
                                between.iter().rev().map(|wait| format!("`{}`", name(wait.filter))).collect();
                            format!(" by way of {}", names.join(", "))
                        }
                        n => format!(" by way of {n} filters"),
                    };
                    let from = if last.from == first.filter { "itself" } else { name(last.from) };
                    format!("{who} for a frame from `{from}`{way}")
                }
            });
        }
        let text = parts.join("; ");
        let keeps: Vec<String> =
            self.holders.iter().map(|(pin, frames)| format!("{} keeps {frames}", graph.pin_name(*pin))).collect();
        if keeps.is_empty() { text } else { format!("{text}; meanwhile {}", keeps.join(", ")) }
    }
}

impl Shortage {
    /// What to write where: `` `frames = 4` in the framing of a.out ``.
    pub fn describe(&self, graph: &Graph) -> String {
        let name = graph.pin_name(self.pin);
        let needed = self.needed;
        match graph.pin(self.pin).framing() {
            Framing::Extended(items) if items.len() > 1 => format!("`frames = {needed}` in each item of {name}"),
            framing if framing.items().is_empty() => format!("`framing = [{{ frames = {needed} }}]` at {name}"),
            _ => format!("`frames = {needed}` in the item of {name}"),
        }
    }
}

impl Cure {
    /// What to write where.
    pub fn describe(&self, graph: &Graph) -> String {
        let changes: Vec<String> = self.pipes.iter().map(|shortage| shortage.describe(graph)).collect();
        let also = if self.smallest { "" } else { " (fewer may do)" };
        format!("write {}{also}", changes.join(", and "))
    }
}

impl SharedPipe {
    /// Who takes frames of it.
    pub fn describe(&self, graph: &Graph) -> String {
        let names: Vec<String> = self.takers.iter().map(|pin| graph.pin_name(*pin)).collect();
        format!("{} all take frames of pipe {}", names.join(", "), self.pipe.0)
    }
}

impl Starvation {
    /// The first circle, or the pipe that one place may empty, in a sentence.
    pub fn describe(&self, graph: &Graph, plan: &Plan) -> String {
        let mut told = self.circles.iter().map(|circle| circle.describe(graph, plan));
        let first = told.next();
        let more = match told.count() {
            0 => String::new(),
            1 => " (and one more circle like it)".to_owned(),
            n => format!(" (and {n} more circles like it)"),
        };
        match (first, self.shared.first()) {
            (Some(first), _) => first + &more,
            (None, Some(pipe)) => {
                format!(
                    "{}: one may take every frame while another, that it waits for, gets none",
                    pipe.describe(graph)
                )
            }
            (None, None) => String::new(),
        }
    }

    /// What to do about it.
    pub fn help(&self, graph: &Graph) -> String {
        match (&self.cure, self.shared.first()) {
            (Some(cure), _) => cure.describe(graph),
            (None, Some(pipe)) => format!(
                "no number of frames cures it; let one of them copy into another pipe: a `copy` route, or a bridge, before \
                 pipe {}",
                pipe.pipe.0
            ),
            (None, None) => {
                "no number of frames cures it: a filter waits for frames made from those it has not sent yet; \
                             take that branch out or give it a filter of its own"
                    .to_owned()
            }
        }
    }
}

impl Proof {
    /// The schedule in a few lines: the lag of each filter that has one, and the frames of each pipe in use.
    pub fn describe(&self, graph: &Graph) -> Vec<String> {
        let mut lines = Vec::new();
        let late: Vec<String> = graph
            .filters()
            .iter()
            .zip(&self.lags)
            .filter(|(_, lag)| **lag > 0)
            .map(|(filter, lag)| format!("{} {lag}", filter.name()))
            .collect();
        lines.push(match late.len() {
            0 => "no filter is behind its sources".to_owned(),
            n if n > 4 * NAMES => format!("{n} filters are behind their sources"),
            _ => format!("frames behind their sources: {}", late.join(", ")),
        });
        let tight: Vec<String> = self
            .pipes
            .iter()
            .take(4 * NAMES)
            .map(|proof| format!("pipe {}: {} of {}", proof.pipe.0, proof.used, proof.frames))
            .collect();
        if !tight.is_empty() {
            lines.push(format!("frames out at once: {}", tight.join(", ")));
        }
        lines
    }
}
