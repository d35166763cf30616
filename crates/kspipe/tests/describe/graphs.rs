//! Graphs to describe, and plans for them written by hand where a test needs a plan that no negotiation gives.

use ks::{Guid, KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_SYSTEM, KSMEMORY_TYPE_USER};
use kspipe::graph::{Direction, FrameRange, FramingItem, Graph, GraphBuilder, Mode, PinId, RouteKind};
use kspipe::negotiate::{AllocatorChoice, AllocatorKind, AllocatorPlace, Cost, Pipe, PipeId, Plan};

/// Bytes of an NV12 picture of 1920 x 1080 pixels.
pub(crate) const PICTURE: u32 = 3_110_400;

/// The graph that shows the graph file: a kernel-mode camera, an overlay that writes in place, a recorder that holds two.
pub(crate) fn camera_overlay_recorder() -> Graph {
    let mut graph = Graph::builder();
    graph
        .filter("camera")
        .kernel()
        .pin("capture", Direction::Out)
        .item(FramingItem {
            memory: KSMEMORY_TYPE_KERNEL_NONPAGED,
            frames: 4,
            alignment: 4096,
            ..FramingItem::exactly(PICTURE)
        })
        .media_size(u64::from(PICTURE));
    let sizes = FrameRange { min: 1, max: 8_294_400, step: 1 };
    let item = FramingItem {
        memory: KSMEMORY_TYPE_SYSTEM,
        frames: 2,
        physical: sizes,
        optimal: sizes,
        ..FramingItem::default()
    };
    graph.filter("overlay").pin("in", Direction::In).item(item);
    graph.filter("overlay").pin("out", Direction::Out);
    graph.filter("overlay").route("in", "out", RouteKind::InPlace);
    graph.filter("recorder").pin("in", Direction::In).holds(2);
    graph.connect("camera.capture", "overlay.in").connect("overlay.out", "recorder.in");
    graph.build().unwrap()
}

pub(crate) fn build(graph: &GraphBuilder) -> Graph {
    graph.build().unwrap()
}

/// The pin with this name.
pub(crate) fn pin(graph: &Graph, name: &str) -> PinId {
    graph.find_pin(name).unwrap()
}

/// A plan by hand: pipes given by their pins, each with its memory, frames and size; first items, no cuts but those
/// added afterwards.
pub(crate) fn plan(graph: &Graph, pipes: &[(&[&str], Guid, u64, u64)]) -> Plan {
    let mut pipe_of = vec![PipeId(u32::MAX); graph.pins().len()];
    let pipes: Vec<Pipe> = pipes
        .iter()
        .enumerate()
        .map(|(place, (names, memory_type, frames, frame_size))| {
            let pins: Vec<PinId> = names.iter().map(|name| pin(graph, name)).collect();
            for pin in &pins {
                pipe_of[pin.index()] = PipeId(place as u32);
            }
            let user = pins.iter().any(|pin| graph.mode(*pin) == Mode::User);
            Pipe {
                pins,
                mode: if user { Mode::User } else { Mode::Kernel },
                memory_type: *memory_type,
                frames: *frames,
                frame_size: *frame_size,
                alignment: 1,
                prefix: 0,
                allocator: AllocatorChoice { kind: AllocatorKind::Default, pin: None, place: AllocatorPlace::None },
            }
        })
        .collect();
    assert!(pipe_of.iter().all(|pipe| pipe.index() < pipes.len()), "every pin is in a pipe");
    let cost = Cost {
        allocators: pipes.len() as u128,
        bytes: pipes.iter().map(|pipe| u128::from(pipe.frames) * u128::from(pipe.frame_size)).sum(),
        frames: pipes.iter().map(|pipe| u128::from(pipe.frames)).sum(),
        sizes: pipes.iter().map(|pipe| u128::from(pipe.frame_size)).sum(),
        ..Cost::default()
    };
    Plan {
        strategy: graph.strategy(),
        proven: 6,
        items: graph.pins().iter().map(|pin| (!pin.items().is_empty()).then_some(0)).collect(),
        pipe_of,
        pipes,
        bridges: Vec::new(),
        copies: Vec::new(),
        cost,
    }
}

/// The plan of [`camera_overlay_recorder`].
pub(crate) fn camera_plan(graph: &Graph) -> Plan {
    let pins: &[&str] = &["camera.capture", "overlay.in", "overlay.out", "recorder.in"];
    let mut plan = plan(graph, &[(pins, KSMEMORY_TYPE_USER, 4, u64::from(PICTURE))]);
    plan.pipes[0].alignment = 4096;
    plan.cost.bytes = 12_451_840;
    plan
}
