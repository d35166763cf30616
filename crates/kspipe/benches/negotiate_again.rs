//! How long a change takes a `Negotiator`, beside a fresh negotiation of the same graph in the same run.
//!
//! `cargo bench -p kspipe --bench negotiate_again`; `-- --pins 1000` takes another number of pins (100,000). Each change
//! is made and taken back again and again, fresh negotiations between; the figures are medians, and the worst of making
//! and taking back counts.

mod families;

use ks::{KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_SYSTEM, KSMEMORY_TYPE_USER, RequirementFlags};
use kspipe::graph::{
    Change, Connection, Direction, FrameRange, Framing, FramingItem, Graph, PinId, Route, RouteKind, Strategy,
};
use kspipe::negotiate::{Negotiator, negotiate};
use std::time::{Duration, Instant};

/// Times a change is made and taken back.
const ROUNDS: usize = 15;

/// A chain of filters that pass frames on; every pin says the size of a media frame.
fn chain(pins: u32, bridged: bool) -> Graph {
    let mut graph = Graph::builder();
    let filters = pins / 2;
    for number in 0..filters {
        let name = format!("f{number:07}");
        let kernel = bridged && (number / 5) % 2 == 0;
        let memory = match (bridged, kernel) {
            (true, true) => KSMEMORY_TYPE_KERNEL_NONPAGED,
            (true, false) => KSMEMORY_TYPE_USER,
            (false, _) => KSMEMORY_TYPE_SYSTEM,
        };
        // One pipe: a pin in the middle allocates. Bridged: one of every second group of ten does.
        let must = if bridged { kernel && number % 5 == 0 } else { number == filters / 2 + 1 };
        let requirements = if must { RequirementFlags::MUST_ALLOCATE } else { RequirementFlags::empty() };
        let item = FramingItem { memory, frames: 2, ..FramingItem::default() };
        let filter = if kernel { graph.filter(&name).kernel() } else { graph.filter(&name) };
        filter.pin("in", Direction::In).item(FramingItem { requirements, ..item.clone() }).media_size(4096);
        graph.filter(&name).pin("out", Direction::Out).item(item).media_size(4096);
        graph.filter(&name).route("in", "out", RouteKind::Pass);
        if number > 0 {
            graph.connect(&format!("f{:07}.out", number - 1), &format!("{name}.in"));
        }
    }
    graph.build().expect("a valid graph")
}

type ItemChange = fn(&mut FramingItem);

const CHANGES: [(&str, ItemChange); 5] = [
    ("frames raised", |item| item.frames = 40),
    ("capacity raised, within the media size", |item| item.optimal = FrameRange { min: 4000, ..FrameRange::OPEN }),
    ("alignment", |item| item.alignment = 4096),
    ("maximum lowered", |item| item.physical.max = 1 << 20),
    ("must-allocate added or dropped", |item| item.requirements.toggle(RequirementFlags::MUST_ALLOCATE)),
];

fn framing_changed(graph: &Graph, pin: PinId, change: ItemChange) -> Change {
    let mut items = graph.pin(pin).items().to_vec();
    items.iter_mut().for_each(change);
    Change::Framing { pin, framing: Framing::Extended(items) }
}

struct Bench {
    negotiator: Negotiator,
    /// Fresh negotiations, before and between the changes.
    fresh: Vec<Duration>,
    worst: f64,
}

impl Bench {
    fn say_worst(&mut self) {
        let fresh = median(&mut self.fresh).as_secs_f64() * 1e3;
        println!("  worst: 1/{:.0} of a fresh negotiation, which takes {fresh:.1} ms", 1.0 / self.worst);
        self.worst = 0.0;
    }

    /// Connections that come and go, routes that go otherwise, and what a change of a pin takes right after.
    fn connections_and_routes(&mut self, kinds: &[(&str, RouteKind)]) {
        let graph = self.negotiator.graph();
        let (connections, routes) = (graph.connections().to_vec(), graph.routes().to_vec());
        let places = |count: usize| [("first", 0), ("middle", count / 2), ("last", count - 1)];
        for (place, at) in places(connections.len()) {
            self.measure("a connection cut or joined", place, &Change::Disconnect(connections[at]), true);
        }
        for (place, at) in places(routes.len()) {
            let Route { from, to, .. } = routes[at];
            for (name, kind) in kinds {
                self.measure(name, place, &Change::Route { from, to, kind: *kind }, true);
            }
        }
        for (place, at) in places(connections.len()) {
            let change = framing_changed(self.negotiator.graph(), connections[at].to, |item| item.frames = 40);
            self.measure_after("frames raised, right after a connection", place, connections[at], &change);
        }
        self.say_worst();
    }

    /// A change right after a connection was cut and joined.
    fn measure_after(&mut self, name: &str, place: &str, connection: Connection, change: &Change) {
        let undo = self.negotiator.graph().clone().change(change.clone()).expect("a change that fits");
        let mut times = Vec::new();
        for _ in 0..ROUNDS {
            self.negotiator.change([Change::Disconnect(connection)]).expect("a plan");
            self.negotiator.change([Change::Connect(connection)]).expect("a plan");
            let start = Instant::now();
            self.negotiator.change([change.clone()]).expect("a plan");
            times.push(start.elapsed());
            self.negotiator.change([undo.clone()]).expect("a plan");
        }
        self.tell(name, place, median(&mut times), true, "");
    }

    fn tell(&mut self, name: &str, place: &str, time: Duration, counts: bool, what: &str) {
        let share = time.as_secs_f64() / median(&mut self.fresh).as_secs_f64();
        if counts {
            self.worst = self.worst.max(share);
        }
        println!("  {name:<42} {place:<8} {:>9.1} us   1/{:<7.0} {what}", time.as_secs_f64() * 1e6, 1.0 / share);
    }

    fn new(graph: Graph) -> Self {
        let mut times = Vec::new();
        for _ in 0..5 {
            let start = Instant::now();
            let plan = negotiate(&graph).expect("a plan");
            times.push(start.elapsed());
            assert_eq!(usize::from(plan.proven), plan.cost.keys(graph.strategy()).len(), "the plan is proven");
        }
        Bench { negotiator: Negotiator::new(graph), fresh: times, worst: 0.0 }
    }

    /// Makes a change and takes it back; the longer of the two medians, and what it is of a fresh negotiation.
    fn measure(&mut self, name: &str, place: &str, change: &Change, counts: bool) {
        self.measure_step(name, place, std::slice::from_ref(change), counts);
    }

    fn measure_step(&mut self, name: &str, place: &str, changes: &[Change], counts: bool) {
        let mut graph = self.negotiator.graph().clone();
        let mut undo: Vec<Change> =
            changes.iter().map(|change| graph.change(change.clone()).expect("a change that fits")).collect();
        undo.reverse();
        drop(graph);
        let mut made = Vec::new();
        let mut taken_back = Vec::new();
        let mut what = String::new();
        for round in 0..ROUNDS {
            let start = Instant::now();
            let difference = self.negotiator.change(changes.iter().cloned()).expect("a plan");
            made.push(start.elapsed());
            if round == 0 {
                let start = Instant::now();
                let fresh = negotiate(self.negotiator.graph()).expect("a plan");
                self.fresh.push(start.elapsed());
                assert!(self.negotiator.plan() == Ok(&fresh), "{name} at the {place} place: another plan");
                let (regrown, merged) = (difference.regrown.len(), difference.merged.len());
                what = format!("{regrown} regrown, {merged} merged, {} split", difference.split.len());
            }
            let start = Instant::now();
            self.negotiator.change(undo.iter().cloned()).expect("a plan");
            taken_back.push(start.elapsed());
        }
        let time = median(&mut made).max(median(&mut taken_back));
        self.tell(name, place, time, counts, &what);
    }
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let given = arguments.iter().position(|argument| argument == "--pins").and_then(|place| arguments.get(place + 1));
    let quick = arguments.iter().any(|argument| argument == "--test" || argument == "--quick");
    let pins: u32 = match given {
        Some(text) => text.parse().expect("--pins is followed by a number"),
        None if quick => 1_000,
        None => 100_000,
    };
    for (family, bridged) in [("one pipe", false), ("bridged every 10 pins", true)] {
        let graph = chain(pins, bridged);
        let mut bench = Bench::new(graph);
        println!("{family}, {pins} pins");
        let all: Vec<PinId> = bench.negotiator.graph().pin_ids().collect();
        // In the bridged family, the pins that must allocate are in pins of every tenth filter.
        let allocating = |place: usize| if bridged { place / 20 * 20 } else { place };
        for (name, change) in CHANGES {
            for (place, at) in [("first", 0), ("middle", all.len() / 2), ("last", all.len() - 1)] {
                let toggles = name.starts_with("must");
                let pin = all[if toggles { allocating(at) } else { at }];
                let change = framing_changed(bench.negotiator.graph(), pin, change);
                bench.measure(name, place, &change, true);
            }
        }
        bench.say_worst();
        bench.connections_and_routes(&[("a route copies", RouteKind::Copy), ("a route writes", RouteKind::InPlace)]);
        println!("  apart:");
        let first = Change::MediaSize { pin: all[0], bytes: 8192 };
        bench.measure("other data, one pin on", "first", &first, false);
        bench.measure("another strategy", "", &Change::Strategy(Strategy::MinimizeFrames), false);
        let mut flowing = chain(pins, bridged);
        for pin in flowing.pin_ids().skip(1) {
            flowing.set_media_size(pin, 0);
        }
        let mut bench = Bench::new(flowing);
        bench.measure("other data, all pins on", "first", &first, false);
    }
    let (name, tees) = families::FAMILIES.iter().find(|(name, _)| name.contains("tees")).expect("a tree of tees");
    let mut bench = Bench::new(tees(pins));
    println!("{name}, {} pins", bench.negotiator.graph().pins().len());
    // Behind a tee nobody may write.
    bench.connections_and_routes(&[("a route copies", RouteKind::Copy)]);
    let graph = bench.negotiator.graph();
    let moved = graph.connections()[1];
    let free = |pin: &PinId| graph.pin(*pin).direction() == Direction::Out && graph.pin(*pin).peer().is_none();
    let from = graph.pin_ids().filter(free).last().expect("a leaf");
    let elsewhere = [Change::Disconnect(moved), Change::Connect(Connection { from, to: moved.to })];
    bench.measure_step("a branch goes elsewhere", "first", &elsewhere, false);
}
