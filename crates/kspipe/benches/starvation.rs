//! How long it takes to prove that a graph moves, and to find why it does not: chains, and branches that meet again.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use kspipe::graph::{Direction, Graph, GraphBuilder, RouteKind};
use kspipe::negotiate::{Plan, Verdict, negotiate, starvation};

fn filter(graph: &mut GraphBuilder, name: &str, ins: &[&str], outs: &[(&str, RouteKind)]) {
    for pin in ins {
        graph.filter(name).pin(pin, Direction::In);
    }
    for (pin, kind) in outs {
        graph.filter(name).pin(pin, Direction::Out);
        if let Some(from) = ins.first() {
            graph.filter(name).route(from, pin, *kind);
        }
    }
}

/// A chain of so many pins, with a copy at every tenth filter; the last filter keeps seven frames.
fn chain(pins: usize) -> Graph {
    let mut graph = Graph::builder();
    for number in 0..pins / 2 {
        let kind = if number % 10 == 0 { RouteKind::Copy } else { RouteKind::Pass };
        filter(&mut graph, &format!("f{number:07}"), &["in"], &[("out", kind)]);
        if number > 0 {
            graph.connect(&format!("f{:07}.out", number - 1), &format!("f{number:07}.in"));
        }
    }
    graph.filter(&format!("f{:07}", pins / 2 - 1)).pin("in", Direction::In).holds(7);
    graph.build().expect("a chain is a graph")
}

/// So many sections of a tee, a copied branch that keeps three frames back, and a join.
fn sections(count: usize) -> Graph {
    let mut graph = Graph::builder();
    filter(&mut graph, "source", &[], &[("out", RouteKind::Pass)]);
    let mut from = "source.out".to_owned();
    for number in 0..count {
        let name = |kind: &str| format!("s{number:06}-{kind}");
        let [tee, delay, join] = ["tee", "delay", "join"].map(name);
        filter(&mut graph, &tee, &["in"], &[("now", RouteKind::Pass), ("late", RouteKind::Copy)]);
        filter(&mut graph, &delay, &["in"], &[("out", RouteKind::Pass)]);
        graph.filter(&delay).pin("in", Direction::In).holds(3);
        filter(&mut graph, &join, &["now", "late"], &[("out", RouteKind::Copy)]);
        graph.connect(&from, &format!("{tee}.in")).connect(&format!("{tee}.now"), &format!("{join}.now"));
        graph.connect(&format!("{tee}.late"), &format!("{delay}.in"));
        graph.connect(&format!("{delay}.out"), &format!("{join}.late"));
        from = format!("{join}.out");
    }
    graph.build().expect("sections are a graph")
}

fn planned(graph: Graph) -> (Graph, Plan) {
    let plan = negotiate(&graph).expect("nothing is asked");
    (graph, plan)
}

fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("starvation");
    group.sample_size(10);
    for pins in [1_000, 10_000, 100_000] {
        let (graph, plan) = planned(chain(pins));
        group.throughput(Throughput::Elements(pins as u64));
        group.bench_function(BenchmarkId::new("a chain moves", pins), |bencher| {
            bencher.iter(|| assert!(matches!(starvation(&graph, &plan), Verdict::Moves(_))));
        });
        let mut short = plan.clone();
        if let Some(pipe) = short.pipes.iter_mut().max_by_key(|pipe| pipe.frames) {
            pipe.frames = 7;
        }
        group.bench_function(BenchmarkId::new("a chain stalls", pins), |bencher| {
            bencher.iter(|| assert!(matches!(starvation(&graph, &short), Verdict::Stalls(_))));
        });
    }
    for count in [10, 100, 1_000] {
        let (graph, plan) = planned(sections(count));
        group.throughput(Throughput::Elements(graph.pins().len() as u64));
        group.bench_function(BenchmarkId::new("sections that all stall", count), |bencher| {
            bencher.iter(|| assert!(matches!(starvation(&graph, &plan), Verdict::Stalls(_))));
        });
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
