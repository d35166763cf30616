//! Graphs that several processes run together, part by part in this one: whatever the graph and whoever runs what of it, the
//! sinks get what they get where one process runs all.
#![cfg(target_os = "linux")]

mod ends;
mod graphs;
mod parts;
#[path = "../stream_support/mod.rs"]
mod stream_support;

use graphs::{recipe, written};
use kspipe::stream::{Outcome, RunOptions, prepare};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// The same graphs each time, unless `KSPIPE_GRAPHS` asks for so many others.
fn config() -> ProptestConfig {
    let asked = std::env::var("KSPIPE_GRAPHS").ok().and_then(|graphs| graphs.parse().ok());
    let rng_seed = if asked.is_some() { RngSeed::Random } else { RngSeed::Fixed(5) };
    let failure_persistence = None;
    ProptestConfig {
        cases: asked.unwrap_or(150),
        rng_seed,
        failure_persistence,
        max_shrink_iters: 200,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_sink_gets_what_it_gets_in_one_process(recipe in recipe(9)) {
        let [alone, together] = [(); 2].map(|()| stream_support::folder());
        let made = recipe.make(alone.path());
        let report = prepare(made.graph.clone()).unwrap().start(&made.plan, RunOptions::default()).unwrap().wait();
        prop_assert_eq!(report.outcome, Outcome::Finished, "{:?}", report.errors);
        prop_assert!(report.all_frames_home());

        let made = recipe.make(together.path());
        let reports = parts::run(&made.graph, &made.plan, &made.outside, &recipe.order).map_err(TestCaseError::fail)?;
        for (process, part) in &reports {
            prop_assert_eq!(part.outcome, Outcome::Finished, "{:?}: {:?}", process, part.errors);
            prop_assert!(part.all_frames_home(), "{:?}: {:#?}", process, part);
        }
        prop_assert_eq!(written(together.path()), written(alone.path()));
        for sink in &made.sinks {
            let found = reports.iter().find_map(|(_, part)| part.filter(sink)).unwrap();
            let expected = report.filter(sink).unwrap();
            prop_assert_eq!((found.frames_in, &found.digest), (expected.frames_in, &expected.digest));
        }
    }
}
