//! What negotiation should find, by trying everything, and the graphs to try it on. Shares nothing with the solver and
//! the verifier but the graph's and the plan's types.

// Each test that uses this module uses a part of it.
#![allow(dead_code)]

pub(crate) mod brute;
pub(crate) mod generate;
pub(crate) mod mutations;
mod pipe;
mod rules;

use generate::GraphDraft;
use kspipe::graph::Graph;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use std::fmt::Write;

fn number(variable: &str, default: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{variable} is not a number: {text}")),
        Err(_) => default,
    }
}

/// Runs `test` on as many graphs as asked for, or a part of them where one graph takes long.
pub(crate) fn on_random_graphs(
    graphs: impl Strategy<Value = GraphDraft>,
    share: u64,
    test: impl Fn(&GraphDraft) -> Result<(), TestCaseError>,
) {
    let count = number("KSPIPE_ORACLE_GRAPHS", 2_000) / share;
    let seed = number("KSPIPE_ORACLE_SEED", 0x6b73_7069_7065);
    println!("{} graphs, seed {seed}", count);
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        cases: u32::try_from(count).expect("a number of graphs that ends"),
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    match runner.run(&graphs, |draft| test(&draft)) {
        Ok(()) => {}
        Err(TestError::Fail(reason, draft)) => {
            panic!("seed {seed}: {reason}\n{}", describe(&draft.build()))
        }
        Err(error) => panic!("seed {seed}: {error}"),
    }
}

/// A graph in few lines, what its pins do not say left out.
pub(crate) fn describe(graph: &Graph) -> String {
    let mut text = format!("{}, bridges {:?}\n", graph.strategy(), graph.bridges());
    for (memory, device) in graph.device_memories() {
        let (host, user) = (device.host_mappable, device.user_mappable);
        let _ = writeln!(text, "memory {memory}: host {host}, user {user}");
    }
    for id in graph.pin_ids() {
        let pin = graph.pin(id);
        let _ = write!(text, "{} ({} {:?})", graph.pin_name(id), graph.mode(id), pin.direction());
        if let Some(peer) = pin.peer() {
            let _ = write!(text, " -- {}", graph.pin_name(peer));
        }
        if let Some(holds) = pin.holds() {
            let _ = write!(text, ", holds {holds}");
        }
        if let Some(bytes) = pin.media_size() {
            let _ = write!(text, ", media {bytes}");
        }
        if pin.compression().is_stated() {
            let _ = write!(text, ", {:?}", pin.compression());
        }
        let _ = writeln!(text);
        for item in pin.items() {
            let (physical, capacity) = (item.physical, item.capacity());
            let _ = writeln!(
                text,
                "    {} frames {} alignment {} size {}..{}/{} capacity {capacity} {:?} {:?}",
                item.memory,
                item.frames,
                item.alignment,
                physical.min,
                physical.max,
                physical.step,
                item.requirements,
                item.flags
            );
        }
    }
    for route in graph.routes() {
        let _ = writeln!(text, "{} -> {} {}", graph.pin_name(route.from), graph.pin_name(route.to), route.kind);
    }
    text
}
