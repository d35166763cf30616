//! What random graphs have in them, and what came out, counted: a test on graphs that lack something proves nothing of it.

use super::compare::{Agreed, is_forest};
use super::generate::{DEVICES, UNDECLARED};
use ks::{
    AllocatorFlags, KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_KERNEL_PAGED, KSMEMORY_TYPE_USER, RequirementFlags,
};
use kspipe::graph::{Bridges, Direction, Framing, FramingItem, Graph, Mode, PinId, RouteKind};
use kspipe::negotiate::AllocatorKind;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// How often each thing came up.
#[derive(Default)]
pub(crate) struct Coverage {
    graphs: RefCell<u64>,
    seen: RefCell<BTreeMap<&'static str, u64>>,
}

impl Coverage {
    pub(crate) fn count(&self, graph: &Graph, agreed: Option<&Agreed>) {
        *self.graphs.borrow_mut() += 1;
        let mut seen = self.seen.borrow_mut();
        for (what, is) in features(graph).into_iter().chain(verdict(graph, agreed)) {
            *seen.entry(what).or_default() += u64::from(is);
        }
    }

    /// How many graphs have had this.
    pub(crate) fn of(&self, what: &str) -> u64 {
        *self.seen.borrow().get(what).unwrap_or_else(|| panic!("nothing is called {what}"))
    }

    /// Prints the table, and panics where something came up in fewer than one of `one_in` graphs, but for what such graphs
    /// have no room for.
    pub(crate) fn assert_each(&self, one_in: u64, but: &[&str]) {
        let graphs = *self.graphs.borrow();
        let mut missing = Vec::new();
        for (what, number) in self.seen.borrow().iter() {
            println!("{number:>8} of {graphs} graphs: {what}");
            if number * one_in < graphs && graphs >= 1000 && !but.contains(what) {
                missing.push(*what);
            }
        }
        assert!(missing.is_empty(), "fewer than one of {one_in} graphs have: {missing:?}");
    }
}

fn features(graph: &Graph) -> Vec<(&'static str, bool)> {
    let pins = || graph.pins().iter();
    let items = || pins().flat_map(|pin| pin.items());
    let required = || items().filter(|item| !item.is_preference());
    let preferred = || items().filter(|item| item.is_preference());
    let has_route = |kind: RouteKind| graph.routes().iter().any(|route| route.kind == kind);
    let says = |flag: RequirementFlags| items().any(|item| item.requirements.contains(flag));
    let leaving = |pin: PinId| graph.routes().iter().filter(move |route| route.from == pin);
    let arriving = |pin: PinId| graph.routes().iter().filter(move |route| route.to == pin);
    let on_side = |mode: Mode| graph.pin_ids().filter(|pin| graph.mode(*pin) == mode).count();
    let part = parts(graph);
    let ids = || graph.pin_ids();
    let steps = |of: &str| {
        let mut steps: Vec<u32> = ids()
            .filter(|pin| part[pin.index()] == of)
            .flat_map(|pin| graph.pin(pin).items())
            .filter(|item| !item.is_preference() && item.physical.step > 1)
            .map(|item| item.physical.step)
            .collect();
        steps.sort_unstable();
        steps.dedup();
        steps.len()
    };
    let mut part_names = part.clone();
    part_names.sort_unstable();
    part_names.dedup();
    vec![
        ("chain of 4 pins or more", longest_chain(graph) >= 4),
        ("chain of 6 pins or more", longest_chain(graph) >= 6),
        ("nothing joined two ways", is_forest(graph)),
        ("branches that meet again", !is_forest(graph)),
        ("several parts", part_names.len() > 1),
        ("a tee: a pin with several routes", ids().any(|pin| leaving(pin).count() > 1)),
        ("a tee of three branches", ids().any(|pin| leaving(pin).count() > 2)),
        ("a merge: several routes to a pin", ids().any(|pin| arriving(pin).count() > 1)),
        ("a pass route", has_route(RouteKind::Pass)),
        ("an in-place route", has_route(RouteKind::InPlace)),
        ("an either route", has_route(RouteKind::Either)),
        ("a copy route", has_route(RouteKind::Copy)),
        ("a copy route inside a part", copies_inside(graph)),
        ("a pin nobody connects", ids().any(|pin| graph.pin(pin).peer().is_none())),
        ("bridges forbidden", graph.bridges() == Bridges::Forbid),
        ("all pins in user mode", on_side(Mode::Kernel) == 0),
        ("all pins in the kernel", on_side(Mode::User) == 0),
        ("pins on both sides", on_side(Mode::Kernel) > 0 && on_side(Mode::User) > 0),
        (
            "a pin not on its filter's side",
            ids().any(|pin| graph.mode(pin) != graph.filter(graph.pin(pin).filter()).mode()),
        ),
        ("a pin of several items", pins().any(|pin| pin.items().len() > 1)),
        ("several pins of several items", pins().filter(|pin| pin.items().len() > 1).count() > 1),
        ("the old framing", pins().any(|pin| matches!(pin.framing(), Framing::Old(_)))),
        ("a requirement", required().next().is_some()),
        ("a preference", preferred().next().is_some()),
        ("a required stepping", required().any(|item| item.physical.step > 1)),
        ("two steppings in a part", part_names.iter().any(|name| steps(name) > 1)),
        ("a required maximum", required().any(|item| item.physical.upper_bound().is_some())),
        ("a preference no size meets", preferred().any(|item| item.physical.min > item.physical.max)),
        ("a compression", pins().any(|pin| pin.compression().is_stated())),
        ("a media size", pins().any(|pin| pin.media_size().is_some())),
        ("holds", pins().any(|pin| pin.holds().is_some())),
        ("several pins that hold", pins().filter(|pin| pin.holds().is_some()).count() > 1),
        ("a pin that must allocate", required().any(FramingItem::must_allocate)),
        (
            "a kernel pin that must allocate",
            ids().any(|pin| {
                let must = |item: &FramingItem| item.must_allocate() && !item.is_preference();
                graph.mode(pin) == Mode::Kernel && graph.pin(pin).items().iter().any(must)
            }),
        ),
        ("a pin that prefers to allocate", preferred().any(FramingItem::must_allocate)),
        ("a pin that can allocate", items().any(|item| item.flags.contains(AllocatorFlags::CAN_ALLOCATE))),
        ("INPLACE_MODIFIER", says(RequirementFlags::INPLACE_MODIFIER)),
        (
            "INPLACE_MODIFIER at a pin with a pass route",
            ids().any(|pin| {
                let passes = leaving(pin).any(|route| route.kind == RouteKind::Pass);
                passes && graph.pin(pin).items().iter().any(FramingItem::modifies_in_place)
            }),
        ),
        ("FRAME_INTEGRITY", says(RequirementFlags::FRAME_INTEGRITY)),
        (
            "a declared device's memory asked for",
            items().any(|item| DEVICES.contains(&item.memory) && graph.device_memory(item.memory).is_some()),
        ),
        (
            "an undeclared device's memory asked for",
            items().any(|item| {
                item.memory == UNDECLARED
                    || DEVICES.contains(&item.memory) && graph.device_memory(item.memory).is_none()
            }),
        ),
        (
            "a number past 32 bits, or at their end",
            items().any(|item| {
                item.frames == u32::MAX || item.capacity() == u32::MAX || item.alignment > u64::from(u32::MAX)
            }),
        ),
        ("maximize-speed", graph.strategy().name() == "maximize-speed"),
        ("minimize-allocators", graph.strategy().name() == "minimize-allocators"),
        ("minimize-frame-size", graph.strategy().name() == "minimize-frame-size"),
        ("minimize-frames", graph.strategy().name() == "minimize-frames"),
    ]
}

fn verdict(graph: &Graph, agreed: Option<&Agreed>) -> Vec<(&'static str, bool)> {
    let plan = agreed.map(|agreed| &agreed.plan);
    let pipes = || plan.into_iter().flat_map(|plan| &plan.pipes);
    let chosen = || plan.into_iter().flat_map(|plan| &plan.copies).filter(|copy| copy.chosen).count();
    let eithers = graph.routes().iter().filter(|route| route.kind == RouteKind::Either).count();
    let bridges = plan.map_or(0, |plan| plan.bridges.len());
    let kind = |kind: AllocatorKind| pipes().any(|pipe| pipe.allocator.kind == kind);
    let has = |mode: Mode, memory: ks::Guid| pipes().any(|pipe| pipe.mode == mode && pipe.memory_type == memory);
    let known = [KSMEMORY_TYPE_USER, KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_KERNEL_PAGED];
    let not_first = |plan: &kspipe::negotiate::Plan| plan.items.iter().any(|item| item.is_some_and(|item| item > 0));
    let proven = agreed.is_some_and(|agreed| agreed.proven.0 == agreed.proven.1);
    vec![
        ("verdict: a plan", plan.is_some()),
        ("verdict: no plan", plan.is_none()),
        ("verdict: no plan, bridges allowed", plan.is_none() && graph.bridges() == Bridges::Allow),
        ("verdict: branches that meet again, and a plan", plan.is_some() && !is_forest(graph)),
        ("verdict: every key proven", proven),
        ("verdict: a bridge", bridges > 0),
        ("verdict: several bridges", bridges > 1),
        ("verdict: an either route taken as a copy", chosen() > 0),
        ("verdict: an either route taken in place", plan.is_some() && eithers > chosen()),
        ("verdict: a bridge and a chosen copy", bridges > 0 && chosen() > 0),
        ("verdict: an item that is not the first", plan.is_some_and(not_first)),
        ("verdict: departures", plan.is_some_and(|plan| plan.cost.departures > 0)),
        ("verdict: a pipe of 4 pins or more", pipes().any(|pipe| pipe.pins.len() >= 4)),
        ("verdict: user memory in user mode", has(Mode::User, KSMEMORY_TYPE_USER)),
        ("verdict: user memory in a kernel pipe", has(Mode::Kernel, KSMEMORY_TYPE_USER)),
        ("verdict: nonpaged memory", has(Mode::Kernel, KSMEMORY_TYPE_KERNEL_NONPAGED)),
        ("verdict: paged memory", has(Mode::Kernel, KSMEMORY_TYPE_KERNEL_PAGED)),
        ("verdict: a device's memory", pipes().any(|pipe| !known.contains(&pipe.memory_type))),
        (
            "verdict: a device's memory in user mode",
            pipes().any(|pipe| pipe.mode == Mode::User && pipe.memory_type != KSMEMORY_TYPE_USER),
        ),
        (
            "verdict: both sides in one pipe",
            pipes().any(|pipe| pipe.mode == Mode::User && pipe.pins.iter().any(|pin| graph.mode(*pin) == Mode::Kernel)),
        ),
        ("verdict: a pin that must allocates", kind(AllocatorKind::MustAllocate)),
        ("verdict: a pin that prefers to allocates", kind(AllocatorKind::Prefers)),
        ("verdict: an allocator that exists", kind(AllocatorKind::Exists)),
        ("verdict: a device-specific allocator", kind(AllocatorKind::DeviceSpecific)),
        ("verdict: a pin that can allocates", kind(AllocatorKind::CanAllocate)),
        ("verdict: the default allocator", kind(AllocatorKind::Default)),
    ]
}

/// By pin, the first name in its part of the graph: what connections and routes that can keep the frame join.
fn parts(graph: &Graph) -> Vec<String> {
    let mut name: Vec<String> = graph.pin_names().collect();
    let routes =
        graph.routes().iter().filter(|route| route.kind != RouteKind::Copy).map(|route| (route.from, route.to));
    let edges: Vec<(PinId, PinId)> =
        graph.connections().iter().map(|edge| (edge.from, edge.to)).chain(routes).collect();
    while let Some((from, to)) = edges.iter().find(|(from, to)| name[from.index()] != name[to.index()]) {
        let (one, other) = (name[from.index()].clone(), name[to.index()].clone());
        let (keep, drop) = if one < other { (one, other) } else { (other, one) };
        name.iter_mut().filter(|name| **name == drop).for_each(|name| name.clone_from(&keep));
    }
    name
}

fn copies_inside(graph: &Graph) -> bool {
    let part = parts(graph);
    let mut copies = graph.routes().iter().filter(|route| route.kind == RouteKind::Copy);
    copies.any(|route| part[route.from.index()] == part[route.to.index()])
}

/// The pins of the longest way by connections and routes.
fn longest_chain(graph: &Graph) -> usize {
    fn from(graph: &Graph, pin: PinId) -> usize {
        let next: Vec<PinId> = match graph.pin(pin).direction() {
            Direction::Out => graph.pin(pin).peer().into_iter().collect(),
            Direction::In => graph.routes().iter().filter(|route| route.from == pin).map(|route| route.to).collect(),
        };
        1 + next.into_iter().map(|next| from(graph, next)).max().unwrap_or(0)
    }
    graph.pin_ids().map(|pin| from(graph, pin)).max().unwrap_or(0)
}
