//! Every small change of a plan.

use super::generate::{DEVICES, UNDECLARED};
use ks::{
    KSMEMORY_TYPE_DEVICE_UNKNOWN, KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_KERNEL_PAGED, KSMEMORY_TYPE_SYSTEM,
    KSMEMORY_TYPE_USER, KSMEMORY_TYPE_WILDCARD,
};
use kspipe::graph::{Graph, Mode, PinId, RouteKind};
use kspipe::negotiate::{AllocatorKind, AllocatorPlace, Bridge, Pipe, Plan, RouteChoice};

/// Plans that differ from this one in one number or one choice, each with what was changed. Costs are left as they were.
pub(crate) fn changes(graph: &Graph, plan: &Plan) -> Vec<(String, Plan)> {
    let mut changes = Vec::new();
    let mut change = |what: String, make: &dyn Fn(&mut Plan)| {
        let mut changed = plan.clone();
        make(&mut changed);
        if changed != *plan {
            changes.push((what, changed));
        }
    };
    for (place, pipe) in plan.pipes.iter().enumerate() {
        let pipe_changes = pipe_changes(pipe);
        for (what, make) in &pipe_changes {
            change(format!("{what} of pipe {place}"), &|plan| make(&mut plan.pipes[place]));
        }
        for pin in pipe.pins.iter().copied().map(Some).chain([None]) {
            change(format!("the allocating pin of pipe {place}"), &|plan| plan.pipes[place].allocator.pin = pin);
        }
    }
    for pin in graph.pin_ids() {
        let items = graph.pin(pin).items().len() as u32;
        for item in (0..=items).map(Some).chain([None]) {
            change(format!("the item of {}", graph.pin_name(pin)), &|plan| plan.items[pin.index()] = item);
        }
    }
    for (place, connection) in graph.connections().iter().enumerate() {
        let is_bridge = |bridge: &Bridge| bridge.connection == *connection;
        change(format!("connection {place}"), &|plan| match plan.bridges.iter().position(is_bridge) {
            Some(place) => drop_at(&mut plan.bridges, place),
            None => plan.bridges.push(Bridge { connection: *connection, bytes: 1 }),
        });
    }
    for (place, route) in graph.routes().iter().enumerate() {
        let is_copy = |copy: &RouteChoice| copy.route == *route;
        let chosen = route.kind == RouteKind::Either;
        change(format!("route {place}"), &|plan| match plan.copies.iter().position(is_copy) {
            Some(place) => drop_at(&mut plan.copies, place),
            None => plan.copies.push(RouteChoice { route: *route, chosen, bytes: 1 }),
        });
    }
    let mut cut = plan.clone();
    for (pipe, _) in plan.pipes.iter().enumerate().skip(1) {
        // A pipe taken into the first.
        let pins: Vec<PinId> = cut.pipes.remove(1).pins;
        cut.pipes[0].pins.extend(&pins);
        cut.pipe_of.iter_mut().for_each(|of| of.0 = of.0.saturating_sub(1));
        changes.push((format!("pipe {pipe} is taken into the first"), cut.clone()));
    }
    changes
}

fn drop_at<T>(things: &mut Vec<T>, place: usize) {
    things.remove(place);
}

type PipeChange = Box<dyn Fn(&mut Pipe)>;

fn pipe_changes(pipe: &Pipe) -> Vec<(&'static str, PipeChange)> {
    let mut changes: Vec<(&'static str, PipeChange)> = Vec::new();
    let (size, frames) = (pipe.frame_size, pipe.frames);
    for other in [0, 1, 2, 64, 100, 4096, size - 1, size + 1, size.saturating_mul(2), 1 << 32, i64::MAX as u64, 1 << 63]
    {
        changes.push(("the size", Box::new(move |pipe| pipe.frame_size = other)));
    }
    for other in [0, 1, 2, 5, frames - 1, frames + 1, u64::from(u32::MAX), 1 << 40] {
        changes.push(("the count", Box::new(move |pipe| pipe.frames = other)));
    }
    for other in [0, 1, 16, 64, 4096, pipe.alignment / 2, pipe.alignment.saturating_mul(2)] {
        changes.push(("the alignment", Box::new(move |pipe| pipe.alignment = other)));
    }
    let memories = [
        KSMEMORY_TYPE_WILDCARD,
        KSMEMORY_TYPE_SYSTEM,
        KSMEMORY_TYPE_USER,
        KSMEMORY_TYPE_KERNEL_PAGED,
        KSMEMORY_TYPE_KERNEL_NONPAGED,
        KSMEMORY_TYPE_DEVICE_UNKNOWN,
        DEVICES[0],
        DEVICES[1],
        UNDECLARED,
    ];
    for memory in memories {
        changes.push(("the memory", Box::new(move |pipe| pipe.memory_type = memory)));
    }
    for mode in [Mode::User, Mode::Kernel] {
        changes.push(("the mode", Box::new(move |pipe| pipe.mode = mode)));
    }
    for kind in [
        AllocatorKind::MustAllocate,
        AllocatorKind::Prefers,
        AllocatorKind::Exists,
        AllocatorKind::DeviceSpecific,
        AllocatorKind::CanAllocate,
        AllocatorKind::Default,
    ] {
        changes.push(("the kind of allocator", Box::new(move |pipe| pipe.allocator.kind = kind)));
    }
    for place in [AllocatorPlace::None, AllocatorPlace::FirstPin, AllocatorPlace::MiddlePin, AllocatorPlace::LastPin] {
        changes.push(("the allocator's place", Box::new(move |pipe| pipe.allocator.place = place)));
    }
    changes.push(("the order of the pins", Box::new(|pipe| pipe.pins.reverse())));
    changes.push(("the pins", Box::new(|pipe| pipe.pins.truncate(pipe.pins.len() - 1))));
    changes
}
