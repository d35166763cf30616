//! How fast a graph of five filters streams 4K NV12 at 60 frames a second, beside the two things it cannot beat: making
//! the same pictures without any graph, and making and inverting them. `cargo bench --bench stream`.
//!
//! The graph: pattern, invert (in place), tee, and two sinks. One iteration is a run of [`FRAMES`] frames, allocating
//! included; real time is one second for 60 of them.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use kspipe::graph::{Direction, Graph, PixelFormat, Rate, RouteKind, Run};
use kspipe::negotiate::{AllocatorChoice, AllocatorKind, AllocatorPlace, Cost, Pipe, PipeId, Plan};
use kspipe::stream::pattern::Pattern;
use kspipe::stream::{MediaFormat, Report, RunOptions, prepare};
use std::hint::black_box;

const FRAMES: u64 = 120;
const RATE: Rate = Rate { numerator: 60, denominator: 1 };

fn graph() -> Graph {
    let mut graph = Graph::builder();
    let source =
        Run::Pattern { format: PixelFormat::Nv12, width: 3840, height: 2160, rate: RATE, frames: Some(FRAMES) };
    graph.filter("1-camera").run(source).pin("out", Direction::Out);
    graph.filter("2-overlay").run(Run::Invert).route("in", "out", RouteKind::InPlace);
    graph.filter("3-tee").run(Run::Tee).route("in", "a", RouteKind::Pass).route("in", "b", RouteKind::Pass);
    graph.filter("4-preview").run(Run::Discard).pin("in", Direction::In);
    graph.filter("5-recorder").run(Run::Discard).pin("in", Direction::In);
    for (filter, pin, direction) in [
        ("2-overlay", "in", Direction::In),
        ("2-overlay", "out", Direction::Out),
        ("3-tee", "in", Direction::In),
        ("3-tee", "a", Direction::Out),
        ("3-tee", "b", Direction::Out),
    ] {
        graph.filter(filter).pin(pin, direction);
    }
    graph.connect("1-camera.out", "2-overlay.in").connect("2-overlay.out", "3-tee.in");
    graph.connect("3-tee.a", "4-preview.in").connect("3-tee.b", "5-recorder.in");
    graph.build().expect("the graph is one")
}

/// The plan any negotiation finds: one pipe.
fn plan(graph: &Graph) -> Plan {
    let frame_size = graph.pins().iter().filter_map(|pin| pin.media_size()).max().unwrap_or(1);
    Plan {
        strategy: graph.strategy(),
        proven: 0,
        pipes: vec![Pipe {
            pins: graph.pin_ids().collect(),
            mode: kspipe::graph::Mode::User,
            memory_type: ks::KSMEMORY_TYPE_USER,
            frames: 4,
            frame_size,
            alignment: 4096,
            prefix: 0,
            allocator: AllocatorChoice { kind: AllocatorKind::Default, pin: None, place: AllocatorPlace::None },
        }],
        items: vec![None; graph.pins().len()],
        pipe_of: vec![PipeId(0); graph.pins().len()],
        bridges: Vec::new(),
        copies: Vec::new(),
        cost: Cost::default(),
    }
}

fn run() -> Report {
    let prepared = prepare(graph()).expect("it can run");
    let plan = plan(prepared.graph());
    let report = prepared.start(&plan, RunOptions::default()).expect("it starts").wait();
    assert_eq!((report.graph.delivered, report.graph.bytes_copied), (2 * FRAMES, 0));
    report
}

fn stream(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("4K60 NV12");
    group.sample_size(10).throughput(Throughput::Elements(FRAMES));
    let format = MediaFormat::new(PixelFormat::Nv12, 3840, 2160, RATE).expect("a format");
    let pattern = Pattern::new(&format).expect("a pattern");
    let mut pictures = vec![vec![0u8; format.frame_bytes()]; 4];
    group.bench_function("pattern alone", |bench| {
        bench.iter(|| {
            for number in 0..FRAMES {
                let picture = &mut pictures[number as usize % 4];
                pattern.fill(black_box(picture), number).expect("its size");
            }
        });
    });
    group.bench_function("pattern and invert, one thread", |bench| {
        bench.iter(|| {
            for number in 0..FRAMES {
                let picture = &mut pictures[number as usize % 4];
                pattern.fill(picture, number).expect("its size");
                for byte in black_box(&mut *picture) {
                    *byte = !*byte;
                }
            }
        });
    });
    group.bench_function("graph of five filters", |bench| bench.iter(run));
    group.finish();
    let report = run();
    println!("one run of {FRAMES} frames:\n{}", serde_json::to_string_pretty(&report).expect("numbers and names"));
}

criterion_group!(benches, stream);
criterion_main!(benches);
