//! How long negotiation takes, by the number of pins, for families of graphs that make it hard in different ways.
//!
//! `cargo bench -p kspipe --bench negotiate`; the throughput shows whether time grows as the pins do. Every plan must be
//! proven optimal in all its keys.

mod families;

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use families::FAMILIES;
use kspipe::negotiate::negotiate;

fn by_pins(criterion: &mut Criterion) {
    for (name, family) in FAMILIES {
        let mut group = criterion.benchmark_group(name);
        group.sample_size(10).sampling_mode(SamplingMode::Flat);
        for pins in [10, 1_000, 100_000] {
            let graph = family(pins);
            let plan = negotiate(&graph).expect("a plan");
            assert_eq!(usize::from(plan.proven), plan.cost.keys(graph.strategy()).len(), "the plan is proven");
            group.throughput(Throughput::Elements(graph.pins().len() as u64));
            group.bench_function(BenchmarkId::from_parameter(pins), |bencher| bencher.iter(|| negotiate(&graph)));
        }
        group.finish();
    }
}

criterion_group!(benches, by_pins);
criterion_main!(benches);
