//! Small random graphs that run: sources, tees, holds, joins, copies and bridges, in any arrangement.

use super::stream_support::{pattern, plan};
use kspipe::graph::{Direction, Graph, GraphBuilder, PixelFormat, RouteKind, Run};
use kspipe::negotiate::Plan;
use kspipe::stream::prepare;
use proptest::prelude::*;

/// One filter more; numbers choose among the out pins that are not connected yet.
#[derive(Clone, Debug)]
pub(crate) enum Add {
    Source,
    Hold { at: usize, frames: u32, copies: bool, bridge: bool },
    Invert { at: usize, bridge: bool },
    Tee { at: usize, copies: [bool; 2], bridge: bool },
    Join { at: [usize; 2], copies: bool, bridges: [bool; 2] },
    Sink { at: usize, bridge: bool },
}

/// Filters, and the frames of the pipes, taken in turn.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    pub(crate) filters: Vec<Add>,
    pub(crate) frames: Vec<u64>,
}

pub(crate) fn recipe(filters: usize, holds: u32, frames: u64) -> impl Strategy<Value = Recipe> {
    let at = 0usize..8;
    let seldom = || prop::bool::weighted(0.25);
    let add = prop_oneof![
        1 => Just(Add::Source),
        4 => (at.clone(), 0..=holds, seldom(), seldom())
            .prop_map(|(at, frames, copies, bridge)| Add::Hold { at, frames, copies, bridge }),
        1 => (at.clone(), seldom()).prop_map(|(at, bridge)| Add::Invert { at, bridge }),
        4 => (at.clone(), [prop::bool::ANY, prop::bool::ANY], seldom())
            .prop_map(|(at, copies, bridge)| Add::Tee { at, copies, bridge }),
        4 => ([at.clone(), at.clone()], seldom(), [seldom(), seldom()])
            .prop_map(|(at, copies, bridges)| Add::Join { at, copies, bridges }),
        1 => (at, seldom()).prop_map(|(at, bridge)| Add::Sink { at, bridge }),
    ];
    (prop::collection::vec(add, 1..=filters), prop::collection::vec(1..=frames, 1..=8))
        .prop_map(|(filters, frames)| Recipe { filters, frames })
}

struct Kitchen {
    graph: GraphBuilder,
    /// Out pins that are not connected yet.
    open: Vec<String>,
    bridges: Vec<String>,
    made: usize,
    frames: Option<u64>,
}

fn route(copies: bool) -> RouteKind {
    if copies { RouteKind::Copy } else { RouteKind::Pass }
}

impl Kitchen {
    /// A filter with these pins, its in pins connected to open out pins; its out pins are open.
    fn filter(&mut self, run: Run, inputs: &[(usize, bool)], outs: &[&str]) -> String {
        // Names in another order than the filters were made in, so that the order of names is seen to mean nothing.
        let name = format!("f{:02}-{}", (self.made * 37) % 100, run.kind());
        self.made += 1;
        self.graph.filter(&name).run(run);
        for ((at, bridge), pin) in inputs.iter().zip(["i", "j"]) {
            let from = self.open.remove(at % self.open.len());
            self.graph.filter(&name).pin(pin, Direction::In);
            self.graph.connect(&from, &format!("{name}.{pin}"));
            if *bridge {
                self.bridges.push(from);
            }
        }
        for pin in outs {
            self.graph.filter(&name).pin(pin, Direction::Out);
            self.open.push(format!("{name}.{pin}"));
        }
        name
    }

    fn source(&mut self) {
        let frames = self.frames;
        self.filter(pattern(PixelFormat::Nv12, frames), &[], &["o"]);
    }

    fn add(&mut self, add: &Add) {
        match *add {
            Add::Source => self.source(),
            Add::Hold { at, frames, copies, bridge } => {
                let name = self.filter(Run::Hold { frames }, &[(at, bridge)], &["o"]);
                self.graph.filter(&name).route("i", "o", route(copies));
            }
            Add::Invert { at, bridge } => {
                let name = self.filter(Run::Invert, &[(at, bridge)], &["o"]);
                self.graph.filter(&name).route("i", "o", RouteKind::Copy);
            }
            Add::Tee { at, copies, bridge } => {
                let name = self.filter(Run::Tee, &[(at, bridge)], &["o", "p"]);
                for (pin, copies) in ["o", "p"].into_iter().zip(copies) {
                    self.graph.filter(&name).route("i", pin, route(copies));
                }
            }
            Add::Join { at, copies, bridges } if self.open.len() > 1 => {
                let name = self.filter(Run::Join, &[(at[0], bridges[0]), (at[1], bridges[1])], &["o"]);
                self.graph.filter(&name).route("i", "o", route(copies));
            }
            Add::Sink { at, bridge } if self.open.len() > 1 => {
                self.filter(Run::Discard, &[(at, bridge)], &[]);
            }
            Add::Join { .. } | Add::Sink { .. } => {}
        }
    }
}

impl Recipe {
    /// The graph, what is open connected to sinks, and a plan for it with the recipe's frames. Sources make so many
    /// frames.
    pub(crate) fn make(&self, frames: Option<u64>) -> (Graph, Plan) {
        let graph = Graph::builder();
        let mut kitchen = Kitchen { graph, open: Vec::new(), bridges: Vec::new(), made: 0, frames };
        kitchen.source();
        for add in &self.filters {
            kitchen.add(add);
        }
        while !kitchen.open.is_empty() {
            kitchen.filter(Run::Discard, &[(0, false)], &[]);
        }
        let graph = prepare(kitchen.graph.build().unwrap()).unwrap().graph().clone();
        let bridges: Vec<&str> = kitchen.bridges.iter().map(String::as_str).collect();
        let mut plan = plan(&graph, 1, &bridges, &[]);
        for (pipe, frames) in plan.pipes.iter_mut().zip(self.frames.iter().cycle()) {
            pipe.frames = *frames;
        }
        (graph, plan)
    }
}
