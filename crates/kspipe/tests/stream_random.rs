//! Random graphs: whatever tees, holds, bridges and copies there are, every sink gets every frame, in order and whole.

mod stream_support;

use kspipe::graph::{Graph, PixelFormat, RouteKind, Run};
use kspipe::negotiate::negotiate;
use kspipe::stream::{Outcome, RunOptions, prepare};
use proptest::prelude::*;
use stream_support::*;

/// What lies below an out pin.
#[derive(Clone, Debug)]
enum Below {
    Sink,
    Hold(u32, Box<Below>),
    /// Two negatives: the picture again, so that every sink can verify it. Copied where it may not be written.
    Twice(Box<Below>),
    Tee(Box<Below>, Box<Below>),
    Bridge(Box<Below>),
}

fn below() -> impl Strategy<Value = Below> {
    Just(Below::Sink).prop_recursive(5, 24, 2, |inner| {
        let boxed = inner.prop_map(Box::new);
        prop_oneof![
            (0u32..4, boxed.clone()).prop_map(|(keep, below)| Below::Hold(keep, below)),
            boxed.clone().prop_map(Below::Twice),
            (boxed.clone(), boxed.clone()).prop_map(|(a, b)| Below::Tee(a, b)),
            boxed.prop_map(Below::Bridge),
        ]
    })
}

struct Builder<'a> {
    graph: kspipe::graph::GraphBuilder,
    folder: &'a std::path::Path,
    bridges: Vec<String>,
    sinks: Vec<std::path::PathBuf>,
    /// The most frames any pipe can be made to keep: all that all keep.
    kept: u64,
    filters: usize,
    /// Whether frames may be written in place is left to the plan.
    negotiated: bool,
}

impl<'a> Builder<'a> {
    fn new(folder: &'a std::path::Path, frames: u64, negotiated: bool) -> Self {
        let mut graph = Graph::builder();
        add(&mut graph, "source", pattern(PixelFormat::Nv12, Some(frames)), None);
        Builder { graph, folder, bridges: Vec::new(), sinks: Vec::new(), kept: 0, filters: 0, negotiated }
    }
}

impl Builder<'_> {
    fn filter(&mut self, from: &str, run: Run, route: Option<RouteKind>) -> String {
        let name = format!("f{:03}", self.filters);
        self.filters += 1;
        add(&mut self.graph, &name, run, route);
        self.graph.connect(from, &format!("{name}.in"));
        name
    }

    /// `shared`: others read the frames that come out of `from`.
    fn build(&mut self, from: &str, below: &Below, shared: bool) {
        match below {
            Below::Sink => {
                let path = self.folder.join(format!("sink{}", self.sinks.len()));
                self.filter(from, raw(&path), None);
                self.sinks.push(path);
            }
            Below::Hold(keep, below) => {
                self.kept += u64::from(*keep);
                let name = self.filter(from, Run::Hold { frames: *keep }, Some(RouteKind::Pass));
                self.build(&format!("{name}.out"), below, shared);
            }
            Below::Twice(below) => {
                let route = match (self.negotiated, shared) {
                    (true, _) => RouteKind::Either,
                    (false, true) => RouteKind::Copy,
                    (false, false) => RouteKind::InPlace,
                };
                let first = self.filter(from, Run::Invert, Some(route));
                let second = self.filter(
                    &format!("{first}.out"),
                    Run::Invert,
                    Some(match self.negotiated {
                        true => RouteKind::Either,
                        false => RouteKind::InPlace,
                    }),
                );
                self.build(&format!("{second}.out"), below, false);
            }
            Below::Tee(a, b) => {
                let name = self.filter(from, Run::Tee, Some(RouteKind::Pass));
                self.build(&format!("{name}.a"), a, true);
                self.build(&format!("{name}.b"), b, true);
            }
            Below::Bridge(below) => {
                self.bridges.push(from.to_owned());
                // A bridge is of a connection, and two bridges need a filter between them.
                let name = self.filter(from, Run::Hold { frames: 0 }, Some(RouteKind::Pass));
                self.build(&format!("{name}.out"), below, false);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn every_sink_of_any_tree_gets_every_frame(tree in below(), frames in 0u64..40) {
        let folder = folder();
        let mut builder = Builder::new(folder.path(), frames, false);
        builder.build("source.out", &tree, false);
        let bridges: Vec<&str> = builder.bridges.iter().map(String::as_str).collect();
        // As rule 5 counts: what all keep, and one more.
        let report = run(builder.graph.build().unwrap(), builder.kept + 1, &bridges, &[], RunOptions::default());
        prop_assert_eq!(report.outcome, Outcome::Finished, "{:?}", report.errors);
        prop_assert_eq!(report.graph.source_frames, frames);
        for sink in &builder.sinks {
            let numbers = verified_numbers(sink, &format(PixelFormat::Nv12));
            prop_assert_eq!(numbers, (0..frames).collect::<Vec<u64>>());
        }
        let copies = report.graph.copies_per_frame * frames.max(1) as f64;
        prop_assert_eq!(copies.round() as u64, frames * bridges.len() as u64);
    }

    #[test]
    fn every_negotiated_plan_of_any_tree_streams(tree in below(), frames in 0u64..40) {
        let folder = folder();
        let mut builder = Builder::new(folder.path(), frames, true);
        builder.build("source.out", &tree, false);
        let prepared = prepare(builder.graph.build().unwrap()).unwrap();
        let plan = negotiate(prepared.graph()).unwrap();
        let report = prepared.start(&plan, RunOptions::default()).unwrap().wait();
        prop_assert_eq!(report.outcome, Outcome::Finished, "{:?}", report.errors);
        prop_assert!(report.all_frames_home());
        for sink in &builder.sinks {
            let numbers = verified_numbers(sink, &format(PixelFormat::Nv12));
            prop_assert_eq!(numbers, (0..frames).collect::<Vec<u64>>());
        }
        prop_assert_eq!(u128::from(report.graph.bytes_copied), plan.cost.bytes_copied * u128::from(frames));
    }
}
