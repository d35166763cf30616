//! What negotiation should find, by trying everything, and the graphs to try it on. Shares nothing with the solver and
//! the verifier but the graph's and the plan's types.

// Each test that uses this module uses a part of it.
#![allow(dead_code)]

mod asks;
pub(crate) mod brute;
pub(crate) mod changes;
pub(crate) mod compare;
pub(crate) mod coverage;
mod cuts;
pub(crate) mod file;
pub(crate) mod generate;
pub(crate) mod judge;
mod minimal;
pub(crate) mod mutations;
mod pipe;
pub(crate) mod planted;
pub(crate) mod rebuilt;
mod rules;

use generate::GraphDraft;
use kspipe::graph::Graph;
use minimal::minimal;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

fn number(variable: &str, default: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{variable} is not a number: {text}")),
        Err(_) => default,
    }
}

/// The number of graphs a test of all of them takes.
pub(crate) fn number_of_graphs() -> u64 {
    number("KSPIPE_ORACLE_GRAPHS", 5_000)
}

/// A graph that a test fails on, the smallest found, and what the test says of it.
pub(crate) struct Failure {
    pub(crate) seed: u64,
    pub(crate) reason: String,
    pub(crate) graph: Graph,
}

/// Runs `test` on as many graphs as asked for, or a part of them where one graph takes long.
pub(crate) fn on_random_graphs(
    graphs: impl Strategy<Value = GraphDraft>,
    share: u64,
    test: impl Fn(&Graph) -> Result<(), TestCaseError>,
) {
    if let Some(Failure { seed, reason, graph }) =
        failure_on(number("KSPIPE_ORACLE_SEED", SEED), graphs, number_of_graphs() / share, test)
    {
        panic!("seed {seed}: {reason}\n{}", describe(&graph));
    }
}

/// Chooses the graphs where nobody chose others.
pub(crate) const SEED: u64 = 0x6b73_7069_7065;

/// Runs `test` on so many graphs; where it fails, the graph is made as small as it can be.
pub(crate) fn failure_on(
    seed: u64,
    graphs: impl Strategy<Value = GraphDraft>,
    count: u64,
    test: impl Fn(&Graph) -> Result<(), TestCaseError>,
) -> Option<Failure> {
    println!("{count} graphs, seed {seed}");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        cases: u32::try_from(count).expect("a number of graphs that ends"),
        failure_persistence: None,
        // The draft shrinks a little; then what it makes is taken apart.
        max_shrink_iters: 500,
        ..Config::default()
    };
    // What a test says of a graph; a panic is an answer too.
    let says = |graph: &Graph| match catch_unwind(AssertUnwindSafe(|| test(graph))) {
        Ok(Ok(())) => None,
        Ok(Err(TestCaseError::Fail(reason) | TestCaseError::Reject(reason))) => Some(reason.message().to_owned()),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            Some(format!("panic: {}", text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("of no words")))
        }
    };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    match runner.run(&graphs, |draft| match says(&draft.build()) {
        None => Ok(()),
        Some(reason) => Err(TestCaseError::fail(reason)),
    }) {
        Ok(()) => None,
        Err(TestError::Fail(first, draft)) => {
            // It goes on failing in the same way: its first word says in which.
            let kind = |reason: &str| reason.split([':', ' ']).next().map(str::to_owned);
            let first = kind(first.message());
            let graph = minimal(&draft.build(), |graph| says(graph).is_some_and(|reason| kind(&reason) == first));
            Some(Failure { seed, reason: says(&graph).unwrap_or_default(), graph })
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
