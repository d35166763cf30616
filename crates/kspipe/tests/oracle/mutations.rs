//! A valid plan, and ways to break it: one rule each.

use super::generate::DEVICES;
use ks::{
    AllocatorFlags, KSMEMORY_TYPE_DEVICE_UNKNOWN, KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_SYSTEM,
    KSMEMORY_TYPE_USER, KSMEMORY_TYPE_WILDCARD, RequirementFlags,
};
use kspipe::graph::{
    Bridges, DeviceMemory, Direction, FrameRange, FramingItem, Graph, GraphBuilder, Mode, PinId, RouteKind, Strategy,
};
use kspipe::negotiate::{AllocatorKind, AllocatorPlace, PipeId, Plan, Rule};

/// A camera whose frames are written into, then shared by a recorder and a viewer; a bridge from `file` to `card`; a copy
/// inside `codec`; a pipe in the kernel.
pub(crate) fn graph() -> GraphBuilder {
    let mut graph = Graph::builder();
    let device = DeviceMemory { name: "card".to_owned(), host_mappable: true, user_mappable: false };
    graph.memory(DEVICES[0], device);
    let says = |requirements| FramingItem { requirements, ..FramingItem::default() };
    let on_card = || FramingItem { memory: DEVICES[0], ..FramingItem::default() };

    // Item 0 is the one used: with item 1, nobody may write into what the camera gives.
    let camera = FramingItem {
        memory: KSMEMORY_TYPE_KERNEL_NONPAGED,
        frames: 2,
        alignment: 64,
        physical: FrameRange { min: 100, max: 4096, step: 4 },
        optimal: FrameRange { min: 128, ..FrameRange::OPEN },
        ..FramingItem::default()
    };
    let left_alone = FramingItem { requirements: RequirementFlags::FRAME_INTEGRITY, ..camera.clone() };
    graph.filter("camera").kernel().pin("out", Direction::Out).item(camera).item(left_alone).media_size(200);
    graph.filter("overlay").pin("in", Direction::In);
    graph.filter("overlay").pin("out", Direction::Out);
    graph.filter("overlay").route("in", "out", RouteKind::InPlace);
    let passes = || FramingItem { flags: AllocatorFlags::CAN_ALLOCATE, ..FramingItem::default() };
    graph
        .filter("tee")
        .pin("in", Direction::In)
        .item(passes())
        .item(FramingItem { requirements: RequirementFlags::INPLACE_MODIFIER, ..passes() });
    graph.filter("tee").pin("a", Direction::Out);
    graph.filter("tee").pin("b", Direction::Out);
    graph.filter("tee").route("in", "a", RouteKind::Pass).route("in", "b", RouteKind::Pass);
    graph
        .filter("recorder")
        .pin("in", Direction::In)
        .item(FramingItem::default())
        .item(says(RequirementFlags::INPLACE_MODIFIER))
        .holds(2);
    graph.filter("viewer").pin("in", Direction::In).holds(1);
    graph.connect("camera.out", "overlay.in").connect("overlay.out", "tee.in");
    graph.connect("tee.a", "recorder.in").connect("tee.b", "viewer.in");

    graph.filter("file").pin("out", Direction::Out).media_size(300);
    graph.filter("card").kernel().pin("in", Direction::In).item(on_card());
    graph.connect("file.out", "card.in");

    graph.filter("microphone").pin("out", Direction::Out).media_size(64);
    let in_user_memory = FramingItem { memory: KSMEMORY_TYPE_USER, ..FramingItem::default() };
    graph.filter("codec").kernel().pin("in", Direction::In).item(in_user_memory);
    graph.filter("codec").kernel().pin("out", Direction::Out);
    graph.filter("codec").route("in", "out", RouteKind::Either);
    graph
        .filter("speaker")
        .kernel()
        .pin("in", Direction::In)
        .item(on_card())
        .item(FramingItem { requirements: RequirementFlags::MUST_ALLOCATE, ..on_card() });
    graph.connect("microphone.out", "codec.in").connect("codec.out", "speaker.in");

    let prefers = FramingItem { memory: KSMEMORY_TYPE_KERNEL_NONPAGED, ..says(RequirementFlags::PREFERENCES_ONLY) };
    graph.filter("timer").kernel().pin("out", Direction::Out).item(prefers);
    graph.filter("log").kernel().pin("in", Direction::In);
    graph.connect("timer.out", "log.in");
    graph
}

/// A plan with something changed in it.
pub(crate) struct Broken<'a> {
    graph: &'a Graph,
    /// The plan.
    pub(crate) plan: Plan,
}

impl<'a> Broken<'a> {
    pub(crate) fn new(graph: &'a Graph, plan: &Plan) -> Self {
        Broken { graph, plan: plan.clone() }
    }
    fn pin(&self, name: &str) -> PinId {
        self.graph.find_pin(name).expect("a pin of this graph")
    }
    fn pipe(&mut self, pin: &str) -> &mut kspipe::negotiate::Pipe {
        let pipe = self.plan.pipe_of[self.pin(pin).index()];
        &mut self.plan.pipes[pipe.index()]
    }
    fn item(&mut self, pin: &str, item: Option<u32>) {
        let pin = self.pin(pin).index();
        self.plan.items[pin] = item;
    }
}

type Break = fn(&mut Broken<'_>);

/// What is changed, and the rule it breaks.
pub(crate) const BREAKS: &[(&str, Rule, Break)] = &[
    ("another strategy", Rule::Shape, |b| b.plan.strategy = Strategy::MinimizeFrames),
    ("more keys proven than there are", Rule::Shape, |b| b.plan.proven = 7),
    ("a pin with items uses none", Rule::Shape, |b| b.item("camera.out", None)),
    ("a pin uses an item it does not have", Rule::Shape, |b| b.item("camera.out", Some(2))),
    ("a pin without items uses one", Rule::Shape, |b| b.item("overlay.in", Some(0))),
    ("items for too few pins", Rule::Shape, |b| b.plan.items.truncate(3)),
    ("a pin in no pipe", Rule::Shape, |b| b.pipe("camera.out").pins.truncate(3)),
    ("a pin twice in its pipe", Rule::Shape, |b| {
        let pin = b.pin("file.out");
        b.pipe("file.out").pins.push(pin);
    }),
    ("a pin in two pipes", Rule::Shape, |b| {
        let pin = b.pin("file.out");
        b.pipe("camera.out").pins.push(pin);
    }),
    ("a pin in a pipe there is not", Rule::Shape, |b| {
        let pin = b.pin("file.out").index();
        b.plan.pipe_of[pin] = PipeId(99);
    }),
    ("a pipe without pins", Rule::Shape, |b| {
        let mut empty = b.pipe("file.out").clone();
        empty.pins.clear();
        b.plan.pipes.push(empty);
    }),
    ("a bridge twice", Rule::Shape, |b| b.plan.bridges.push(b.plan.bridges[0])),
    ("a bridge at a connection there is not", Rule::Shape, |b| {
        b.plan.bridges[0].connection.to = b.pin("viewer.in");
    }),
    ("a copy at a route there is not", Rule::Shape, |b| b.plan.copies[0].route.kind = RouteKind::Pass),
    ("both ends of a bridge in one pipe", Rule::Pipes, |b| move_pin(b, "card.in", "file.out")),
    ("both ends of a copy in one pipe", Rule::Pipes, |b| {
        move_pin(b, "codec.out", "codec.in");
        move_pin(b, "speaker.in", "codec.in");
    }),
    ("the ends of a connection in two pipes", Rule::Pipes, |b| b.plan.bridges.clear()),
    ("the ends of a route that keeps the frame in two pipes", Rule::Pipes, |b| b.plan.copies.clear()),
    ("two pipes that nothing joins made one", Rule::Pipes, |b| {
        move_pin(b, "timer.out", "card.in");
        move_pin(b, "log.in", "card.in");
    }),
    ("pins in the wrong order", Rule::Pipes, |b| b.pipe("timer.out").pins.reverse()),
    ("the wrong mode", Rule::Pipes, |b| b.pipe("timer.out").mode = Mode::User),
    ("a chosen copy said to be stated", Rule::Pipes, |b| b.plan.copies[0].chosen = false),
    ("memory a pin does not accept", Rule::Memory, |b| {
        b.pipe("speaker.in").memory_type = KSMEMORY_TYPE_KERNEL_NONPAGED;
    }),
    ("kernel memory at a user-mode pin", Rule::Memory, |b| {
        b.pipe("file.out").memory_type = KSMEMORY_TYPE_KERNEL_NONPAGED;
    }),
    ("device memory that user mode cannot map", Rule::Memory, |b| b.pipe("file.out").memory_type = DEVICES[0]),
    ("memory nobody can map at a user-mode pin", Rule::Memory, |b| {
        b.pipe("file.out").memory_type = KSMEMORY_TYPE_DEVICE_UNKNOWN;
    }),
    ("user memory in the kernel, named by nobody", Rule::Memory, |b| {
        b.pipe("timer.out").memory_type = KSMEMORY_TYPE_USER;
        b.pipe("timer.out").allocator.pin = None;
        b.pipe("timer.out").allocator.place = AllocatorPlace::None;
    }),
    ("memory of a type nobody declares", Rule::Memory, |b| b.pipe("timer.out").memory_type = DEVICES[1]),
    ("the wildcard for a memory type", Rule::Memory, |b| b.pipe("timer.out").memory_type = KSMEMORY_TYPE_WILDCARD),
    ("system for a memory type", Rule::Memory, |b| b.pipe("timer.out").memory_type = KSMEMORY_TYPE_SYSTEM),
    ("frames of no bytes", Rule::Size, |b| b.pipe("timer.out").frame_size = 0),
    ("frames past the largest", Rule::Size, |b| b.pipe("timer.out").frame_size = 1 << 63),
    ("a size off the step", Rule::Size, |b| b.pipe("camera.out").frame_size += 1),
    ("a size over the physical maximum", Rule::Size, |b| b.pipe("camera.out").frame_size = 4100),
    ("a size under the physical minimum", Rule::Size, |b| b.pipe("camera.out").frame_size = 96),
    ("a size under the capacity", Rule::Size, |b| b.pipe("camera.out").frame_size = 124),
    ("a size under the media frame", Rule::Size, |b| b.pipe("camera.out").frame_size = 196),
    ("a size under what a bridge copies", Rule::Size, |b| b.pipe("card.in").frame_size = 299),
    ("a size under what a filter copies", Rule::Size, |b| b.pipe("speaker.in").frame_size = 63),
    ("an alignment too small", Rule::Alignment, |b| b.pipe("camera.out").alignment = 32),
    ("an alignment nobody asks", Rule::Alignment, |b| b.pipe("camera.out").alignment = 128),
    ("an alignment of 0", Rule::Alignment, |b| b.pipe("timer.out").alignment = 0),
    ("no frames", Rule::Count, |b| b.pipe("timer.out").frames = 0),
    ("as many frames as are held", Rule::Count, |b| b.pipe("camera.out").frames = 3),
    ("fewer frames than required", Rule::Count, |b| b.pipe("camera.out").frames = 1),
    ("an allocator that comes later in the order", Rule::Allocator, |b| {
        b.pipe("camera.out").allocator.kind = AllocatorKind::Default;
        b.pipe("camera.out").allocator.pin = None;
        b.pipe("camera.out").allocator.place = AllocatorPlace::None;
    }),
    ("another pin's allocator", Rule::Allocator, |b| b.pipe("camera.out").allocator.pin = Some(b.pin("viewer.in"))),
    ("the right pin for the wrong reason", Rule::Allocator, |b| {
        b.pipe("camera.out").allocator.kind = AllocatorKind::Exists;
    }),
    ("the right pin in the wrong place", Rule::Allocator, |b| {
        b.pipe("camera.out").allocator.place = AllocatorPlace::LastPin;
    }),
    ("the default allocator of a kernel pipe on no handle", Rule::Allocator, |b| {
        b.pipe("timer.out").allocator.pin = None;
        b.pipe("timer.out").allocator.place = AllocatorPlace::None;
    }),
    ("a pin that must allocate and does not", Rule::Allocator, |b| b.item("speaker.in", Some(1))),
    ("a writer downstream of a branch", Rule::SharedFrames, |b| b.item("recorder.in", Some(1))),
    ("a modifier that passes frames on", Rule::SharedFrames, |b| b.item("tee.in", Some(1))),
    ("a writer downstream of frame integrity", Rule::SharedFrames, |b| b.item("camera.out", Some(1))),
    ("bytes copied", Rule::Cost, |b| b.plan.cost.bytes_copied -= 1),
    ("allocators", Rule::Cost, |b| b.plan.cost.allocators -= 1),
    ("departures", Rule::Cost, |b| b.plan.cost.departures += 1),
    ("depth", Rule::Cost, |b| b.plan.cost.depth -= 1),
    ("bytes", Rule::Cost, |b| b.plan.cost.bytes += 1),
    ("frames", Rule::Cost, |b| b.plan.cost.frames -= 1),
    ("sizes", Rule::Cost, |b| b.plan.cost.sizes -= 1),
    ("the bytes of a bridge", Rule::Cost, |b| b.plan.bridges[0].bytes += 1),
    ("the bytes of a copy", Rule::Cost, |b| b.plan.copies[0].bytes = 0),
    ("more frames than 128 bits can count in bytes", Rule::Cost, |b| {
        for pipe in &mut b.plan.pipes {
            pipe.frames = u64::MAX;
            pipe.prefix = u64::MAX;
        }
    }),
];

fn move_pin(b: &mut Broken<'_>, pin: &str, to: &str) {
    let id = b.pin(pin);
    b.pipe(pin).pins.retain(|other| *other != id);
    let left = b.plan.pipe_of[id.index()];
    b.pipe(to).pins.push(id);
    b.plan.pipe_of[id.index()] = b.plan.pipe_of[b.pin(to).index()];
    if b.plan.pipes[left.index()].pins.is_empty() {
        b.plan.pipes.remove(left.index());
        b.plan.pipe_of.iter_mut().filter(|pipe| **pipe > left).for_each(|pipe| pipe.0 -= 1);
    }
}

/// The same graph, where the bridge it needs is forbidden.
pub(crate) fn without_bridges() -> Graph {
    graph().bridges(Bridges::Forbid).build().expect("as it is with bridges")
}
