//! Small random graphs of everything that moves frames, and which of their filters are in processes of their own.

use crate::stream_support::{pattern, plan};
use kspipe::graph::{Bridges, Direction, FilterId, Graph, GraphBuilder, PixelFormat, RouteKind, Run, Strategy as Aim};
use kspipe::negotiate::{Behaviour, Plan, Verdict, negotiate, starvation_of};
use kspipe::stream::prepare;
use proptest::prelude::*;
use std::path::{Path, PathBuf};

/// One filter more; numbers choose among the out pins that are not connected yet.
#[derive(Clone, Debug)]
pub(crate) enum Add {
    Source { frames: u64 },
    Hold { at: usize, frames: u32, copies: bool, bridge: bool },
    Invert { at: usize, either: bool, bridge: bool },
    Convert { at: usize },
    Tee { at: usize, copies: Vec<bool>, bridge: bool },
    Join { at: Vec<usize>, outs: Vec<(usize, bool)>, bridge: bool },
    Sink { at: usize, bridge: bool },
    Nothing { at: usize },
}

/// A graph, how many frames its pipes have, and who is where.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    first: u64,
    filters: Vec<Add>,
    /// Taken in turn, by pipe.
    frames: Vec<u64>,
    kernel_paged: bool,
    /// The plan is negotiated; else it is as the bridges and copies of the filters say.
    negotiated: Option<Aim>,
    /// Taken in turn, by filter.
    outside: Vec<bool>,
    /// In what order the processes start.
    pub(crate) order: Vec<u32>,
}

pub(crate) fn recipe(most: usize) -> impl Strategy<Value = Recipe> {
    let at = || 0usize..8;
    let seldom = || prop::bool::weighted(0.25);
    let add = prop_oneof![
        1 => (0u64..60).prop_map(|frames| Add::Source { frames }),
        3 => (at(), 0u32..4, seldom(), seldom())
            .prop_map(|(at, frames, copies, bridge)| Add::Hold { at, frames, copies, bridge }),
        3 => (at(), any::<bool>(), seldom()).prop_map(|(at, either, bridge)| Add::Invert { at, either, bridge }),
        1 => at().prop_map(|at| Add::Convert { at }),
        4 => (at(), prop::collection::vec(any::<bool>(), 1..4), seldom())
            .prop_map(|(at, copies, bridge)| Add::Tee { at, copies, bridge }),
        4 => (prop::collection::vec(at(), 2..4), prop::collection::vec((at(), seldom()), 1..4), seldom())
            .prop_map(|(at, outs, bridge)| Add::Join { at, outs, bridge }),
        1 => (at(), seldom()).prop_map(|(at, bridge)| Add::Sink { at, bridge }),
        1 => at().prop_map(|at| Add::Nothing { at }),
    ];
    let filters = prop::collection::vec(add, 1..=most);
    let outside = prop::collection::vec(any::<bool>(), 1..=13);
    let frames = prop_oneof![3 => 1u64..6, 1 => Just(1u64), 1 => Just(1000u64)];
    let frames = prop::collection::vec(frames, 1..6);
    let negotiated = prop::option::of(prop::sample::select(Aim::ALL.map(|(_, aim)| aim).to_vec()));
    let order = prop::collection::vec(any::<u32>(), 1..8);
    (0u64..60, filters, frames, seldom(), negotiated, outside, order).prop_map(
        |(first, filters, frames, kernel_paged, negotiated, outside, order)| Recipe {
            first,
            filters,
            frames,
            kernel_paged,
            negotiated,
            outside,
            order,
        },
    )
}

/// An out pin that is not connected yet.
#[derive(Clone, Debug)]
struct Open {
    pin: String,
    /// Others read the frames that come out of it.
    shared: bool,
    rgb: bool,
}

struct Kitchen<'a> {
    graph: GraphBuilder,
    folder: &'a Path,
    open: Vec<Open>,
    bridges: Vec<String>,
    copied: Vec<String>,
    sinks: Vec<String>,
    made: usize,
    /// Bridges are where the recipe has them.
    bridges_stay: bool,
}

fn route(copies: bool) -> RouteKind {
    if copies { RouteKind::Copy } else { RouteKind::Pass }
}

impl Kitchen<'_> {
    /// A filter behind out pins, by a bridge or not. Gives its name, and what comes in.
    fn filter(&mut self, run: Run, inputs: &[usize], bridge: bool) -> (String, Vec<Open>) {
        // Names in another order than the filters were made in, so that the order of names is seen to mean nothing.
        let name = format!("f{:02}-{}", (self.made * 37) % 100, run.kind());
        self.made += 1;
        self.graph.filter(&name).run(run);
        let mut from = Vec::new();
        for (place, at) in inputs.iter().enumerate() {
            let mut open = self.open.remove(at % self.open.len());
            let pin = format!("i{place}");
            self.graph.filter(&name).pin(&pin, Direction::In);
            self.graph.connect(&open.pin, &format!("{name}.{pin}"));
            if bridge && place == 0 && self.bridges_stay {
                self.bridges.push(open.pin.clone());
                open.shared = false;
            }
            from.push(open);
        }
        (name, from)
    }

    fn out(&mut self, filter: &str, pin: &str, from: Option<(&str, RouteKind)>, shared: bool, rgb: bool) {
        self.graph.filter(filter).pin(pin, Direction::Out);
        if let Some((from, kind)) = from {
            self.graph.filter(filter).route(from, pin, kind);
        }
        self.open.push(Open { pin: format!("{filter}.{pin}"), shared, rgb });
    }

    fn sink(&mut self, at: usize, bridge: bool) {
        let path = self.folder.join(format!("{:02}.framemd5", self.sinks.len()));
        let (name, _) = self.filter(Run::Checksum { path: Some(path) }, &[at], bridge);
        self.sinks.push(name);
    }

    fn add(&mut self, add: &Add) {
        match add {
            Add::Source { frames } => {
                let (name, _) = self.filter(pattern(PixelFormat::Nv12, Some(*frames)), &[], false);
                self.out(&name, "o", None, false, false);
            }
            Add::Hold { at, frames, copies, bridge } => {
                let (name, from) = self.filter(Run::Hold { frames: *frames }, &[*at], *bridge);
                self.out(&name, "o", Some(("i0", route(*copies))), from[0].shared && !copies, from[0].rgb);
            }
            Add::Invert { at, either, bridge } => {
                let (name, from) = self.filter(Run::Invert, &[*at], *bridge);
                let kind = match (*either, from[0].shared) {
                    (true, _) => RouteKind::Either,
                    (false, true) => RouteKind::Copy,
                    (false, false) => RouteKind::InPlace,
                };
                if *either && (from[0].shared || at % 2 == 0) {
                    self.copied.push(format!("{name}.i0"));
                }
                self.out(&name, "o", Some(("i0", kind)), false, from[0].rgb);
            }
            Add::Convert { at } => {
                if !self.open[at % self.open.len()].rgb {
                    let (name, _) = self.filter(Run::Convert, &[*at], false);
                    self.out(&name, "o", Some(("i0", RouteKind::Copy)), false, true);
                }
            }
            Add::Tee { at, copies, bridge } => {
                let (name, from) = self.filter(Run::Tee, &[*at], *bridge);
                let same = copies.iter().filter(|copies| !**copies).count();
                for (place, copies) in copies.iter().enumerate() {
                    let shared = !copies && (from[0].shared || same > 1);
                    self.out(&name, &format!("o{place}"), Some(("i0", route(*copies))), shared, from[0].rgb);
                }
            }
            Add::Join { at, outs, bridge } if self.open.len() >= at.len() => {
                let (name, from) = self.filter(Run::Join, at, *bridge);
                for (place, (which, copies)) in outs.iter().enumerate() {
                    let which = which % from.len();
                    let same =
                        outs.iter().filter(|(other, copies)| other % from.len() == which && !*copies).count() > 1;
                    let shared = !copies && (from[which].shared || same);
                    let way = Some((format!("i{which}"), route(*copies)));
                    let way = way.as_ref().map(|(pin, kind)| (pin.as_str(), *kind));
                    self.out(&name, &format!("o{place}"), way, shared, from[which].rgb);
                }
            }
            Add::Sink { at, bridge } if self.open.len() > 1 => self.sink(*at, *bridge),
            Add::Nothing { at } if self.open.len() > 1 => {
                let place = at % self.open.len();
                self.open.remove(place);
            }
            Add::Join { .. } | Add::Sink { .. } | Add::Nothing { .. } => {}
        }
    }
}

/// What a recipe makes.
pub(crate) struct Made {
    pub(crate) graph: Graph,
    pub(crate) plan: Plan,
    pub(crate) outside: Vec<FilterId>,
    pub(crate) sinks: Vec<String>,
}

impl Recipe {
    /// The graph, with a sink at every out pin that is left, and a plan by which it moves. The sinks write into a folder.
    pub(crate) fn make(&self, folder: &Path) -> Made {
        let mut graph = Graph::builder();
        graph.bridges(Bridges::Allow);
        if let Some(strategy) = self.negotiated {
            graph.strategy(strategy);
        }
        let (open, bridges, copied, sinks) = Default::default();
        let bridges_stay = self.negotiated.is_none();
        let mut kitchen = Kitchen { graph, folder, open, bridges, copied, sinks, made: 0, bridges_stay };
        kitchen.add(&Add::Source { frames: self.first });
        for add in &self.filters {
            if kitchen.open.is_empty() {
                kitchen.add(&Add::Source { frames: self.first });
            }
            kitchen.add(add);
        }
        while !kitchen.open.is_empty() {
            kitchen.sink(0, false);
        }
        let Kitchen { graph, bridges, copied, sinks, .. } = kitchen;
        let graph = graph.build().unwrap();
        let sized = prepare(graph.clone()).unwrap().graph().clone();
        let [bridges, copied] = [&bridges, &copied].map(|pins| pins.iter().map(String::as_str).collect::<Vec<_>>());
        let mut plan = match self.negotiated {
            Some(_) => negotiate(&sized).unwrap(),
            None => plan(&sized, 1, &bridges, &copied),
        };
        let by_hand = plan.pipes.iter_mut().zip(self.frames.iter().cycle()).filter(|_| self.negotiated.is_none());
        for (pipe, frames) in by_hand {
            pipe.frames = *frames;
            if self.kernel_paged {
                pipe.memory_type = ks::KSMEMORY_TYPE_KERNEL_PAGED;
            }
        }
        until_it_moves(&sized, &mut plan);
        let places = graph.filters().iter().filter_map(|filter| graph.find_filter(filter.name()));
        let outside = places.zip(self.outside.iter().cycle()).filter(|(_, outside)| **outside).map(|(id, _)| id);
        Made { outside: outside.collect(), graph, plan, sinks }
    }
}

/// Gives a plan's pipes the frames that they lack.
fn until_it_moves(graph: &Graph, plan: &mut Plan) {
    loop {
        let cure = match starvation_of(graph, plan, Behaviour::Run) {
            Verdict::Moves(_) => return,
            Verdict::Stalls(starvation) => starvation.cure,
            Verdict::Unproven(_) => None,
        };
        match cure {
            Some(cure) => {
                cure.pipes.iter().for_each(|short| plan.pipes[short.pipe.index()].frames = short.needed);
            }
            // As many as all filters together can keep, for each place that takes some.
            None => return plan.pipes.iter_mut().for_each(|pipe| pipe.frames = pipe.frames.max(256)),
        }
    }
}

/// What the sinks wrote, by name, once they have.
pub(crate) fn written(folder: &Path) -> Vec<(PathBuf, String)> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut all: Vec<_> =
        entries.map(|path| (path.file_name().unwrap().into(), std::fs::read_to_string(&path).unwrap())).collect();
    all.sort();
    all
}
