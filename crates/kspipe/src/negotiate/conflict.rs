//! Why no plan is valid: the pins that cannot agree, what each asks, and a change that was tried and helps.

use super::facts::{EdgeKind, Facts};
use super::problem::Problem;
use super::tree::Effort;
use super::{Infeasible, component};
use crate::graph::{Bridges, FrameRange, Framing, FramingItem, Graph, PinId, Route, RouteKind};
use ks::{
    Guid, KSMEMORY_TYPE_DEVICE_UNKNOWN, KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_KERNEL_PAGED,
    KSMEMORY_TYPE_SYSTEM, KSMEMORY_TYPE_USER, KSMEMORY_TYPE_WILDCARD, RequirementFlags,
};
use std::collections::HashSet;

/// Re-negotiations spent on an explanation, at most.
const MOST_TRIES: u32 = 64;
/// Work spent on each of them, at most.
const EFFORT_OF_A_TRY: u64 = 5_000_000;

/// Explains why these pins, one component of a graph, have no valid plan.
pub(super) fn explain_conflict(problem: &Problem<'_>, pins: &[PinId]) -> Infeasible {
    let graph = problem.facts.graph;
    let mut trial = Trial { problem, pins, tries: 0 };
    let asking: Vec<PinId> = pins.iter().copied().filter(|pin| asks_something(problem, *pin)).collect();
    // With nobody asking anything, only the routes are left to be at fault.
    let structural = !trial.is_feasible(&[]);
    let conflict =
        if structural { written_while_shared(problem.facts, pins) } else { trial.smallest_conflict(&asking) };
    let smallest = structural || trial.tries < MOST_TRIES;
    let asks: Vec<(PinId, String)> = conflict.iter().map(|pin| (*pin, describe_asks(problem, *pin))).collect();
    let names: Vec<String> = conflict.iter().map(|pin| graph.pin_name(*pin)).collect();
    let message = match &names[..] {
        [] => "these filters cannot form pipes: a route copies and passes frames between the same pipes".to_owned(),
        [shared, rest @ ..] if structural => format!(
            "the frames of {shared} go to several branches, and a filter behind one writes into them: {}; frames that are \
             shared are read-only",
            list(rest)
        ),
        [one] if conflict.iter().any(|pin| graph.pin(*pin).items().iter().all(FramingItem::modifies_in_place)) => {
            format!(
                "{one} writes into the frames it gets (INPLACE_MODIFIER), but others have them too, or they must stay as they are"
            )
        }
        [one] => format!("no frame serves {one}: {}", asks[0].1),
        _ => {
            let each: Vec<String> =
                names.iter().zip(&asks).map(|(name, (_, ask))| format!("{name} asks {ask}")).collect();
            format!("{} cannot share frames: {}", list(&names), each.join("; "))
        }
    };
    let message = if smallest { message } else { format!("{message} (perhaps not all of them matter)") };
    let help = suggest(graph, &conflict, pins.first().copied());
    Infeasible { pins: conflict, asks, message, help }
}

fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// An in pin whose frames go to several branches, and behind one of them the pins of a route that writes: the in pin,
/// then the writer's.
fn written_while_shared(facts: &Facts<'_>, pins: &[PinId]) -> Vec<PinId> {
    let graph = facts.graph;
    let inside: HashSet<PinId> = pins.iter().copied().collect();
    for routes in graph.routes().chunk_by(|a, b| a.from == b.from) {
        let stays = |route: &&Route| matches!(route.kind, RouteKind::Pass | RouteKind::InPlace);
        if !inside.contains(&routes[0].from) || routes.iter().filter(stays).count() < 2 {
            continue;
        }
        let mut seen = HashSet::from([routes[0].from]);
        let mut ahead = vec![routes[0].from];
        while let Some(pin) = ahead.pop() {
            for edge in facts.edges_at(pin).iter().map(|edge| facts.edges[*edge as usize]) {
                if edge.from != pin || edge.cuttable {
                    continue;
                }
                if edge.kind == EdgeKind::InPlace {
                    return vec![routes[0].from, edge.from, edge.to];
                }
                if seen.insert(edge.to) {
                    ahead.push(edge.to);
                }
            }
        }
    }
    Vec::new()
}

fn asks_something(problem: &Problem<'_>, pin: PinId) -> bool {
    !problem.facts.graph.pin(pin).items().is_empty() || problem.facts.required[pin.index()] > 0
}

struct Trial<'a> {
    problem: &'a Problem<'a>,
    pins: &'a [PinId],
    tries: u32,
}

impl Trial<'_> {
    /// Whether there is a plan when only these pins ask anything.
    fn is_feasible(&mut self, speaking: &[PinId]) -> bool {
        self.tries += 1;
        let speaking: HashSet<PinId> = speaking.iter().copied().collect();
        let silent = |pin: PinId| !speaking.contains(&pin);
        let ground = self.problem.ground(self.pins);
        let mut effort = Effort::up_to(EFFORT_OF_A_TRY);
        let found = component::solve(self.problem, self.pins, &ground, &mut effort, Some(&silent)).is_some();
        found || effort.exhausted
    }

    /// The smallest part of `pins` that conflicts: leaving out any one of them makes the rest feasible. Divides and
    /// conquers (Junker's QuickXplain), so few pins among many are found in few tries.
    fn smallest_conflict(&mut self, pins: &[PinId]) -> Vec<PinId> {
        let mut conflict = self.conflict_in(&[], false, pins);
        conflict.sort_unstable();
        conflict
    }

    fn conflict_in(&mut self, background: &[PinId], background_grew: bool, pins: &[PinId]) -> Vec<PinId> {
        if background_grew && self.tries < MOST_TRIES && !self.is_feasible(background) {
            return Vec::new();
        }
        if pins.len() <= 1 || self.tries >= MOST_TRIES {
            return pins.to_vec();
        }
        let (first, second) = pins.split_at(pins.len() / 2);
        let with_first: Vec<PinId> = background.iter().chain(first).copied().collect();
        let from_second = self.conflict_in(&with_first, true, second);
        let with_second: Vec<PinId> = background.iter().chain(&from_second).copied().collect();
        let mut conflict = self.conflict_in(&with_second, !from_second.is_empty(), first);
        conflict.extend(from_second);
        conflict
    }
}

/// What a pin asks, in the words of the header.
fn describe_asks(problem: &Problem<'_>, pin: PinId) -> String {
    let graph = problem.facts.graph;
    let mode = graph.mode(pin);
    let items: Vec<String> = graph.pin(pin).items().iter().map(|item| describe_item(graph, item)).collect();
    let mut text = items.join(", or ");
    let required = problem.facts.required[pin.index()];
    if required > 0 {
        let separator = if text.is_empty() { "" } else { ", and " };
        text.push_str(&format!("{separator}frames of at least {required} bytes for its media"));
    }
    if text.is_empty() { "nothing".to_owned() } else { format!("{text} ({mode} mode)") }
}

fn describe_item(graph: &Graph, item: &FramingItem) -> String {
    let mut parts = vec![format!("memory {}", memory_name(graph, item.memory))];
    if item.physical != FrameRange::OPEN {
        let FrameRange { min, max, step } = item.physical;
        let stepping = if step > 1 { format!(" in steps of {step}") } else { String::new() };
        let range = if min == max { format!("of {min} bytes") } else { format!("of {min} to {max} bytes{stepping}") };
        parts.push(format!("frames {range}"));
    }
    if item.capacity() > item.physical.min {
        parts.push(format!("room for {} bytes", item.capacity()));
    }
    if item.frames > 0 {
        parts.push(format!("{} frames", item.frames));
    }
    let flags = [
        (RequirementFlags::MUST_ALLOCATE, "MUST_ALLOCATE"),
        (RequirementFlags::INPLACE_MODIFIER, "INPLACE_MODIFIER"),
        (RequirementFlags::FRAME_INTEGRITY, "FRAME_INTEGRITY"),
        (RequirementFlags::PREFERENCES_ONLY, "PREFERENCES_ONLY"),
    ];
    parts
        .extend(flags.iter().filter(|(flag, _)| item.requirements.contains(*flag)).map(|(_, name)| (*name).to_owned()));
    parts.join(", ")
}

/// The name of a memory type as the graph file writes it.
pub(super) fn memory_name(graph: &Graph, memory: Guid) -> String {
    match memory {
        KSMEMORY_TYPE_WILDCARD => "wildcard".to_owned(),
        KSMEMORY_TYPE_SYSTEM => "system".to_owned(),
        KSMEMORY_TYPE_DEVICE_UNKNOWN => "device".to_owned(),
        KSMEMORY_TYPE_USER => "user".to_owned(),
        KSMEMORY_TYPE_KERNEL_PAGED => "kernel-paged".to_owned(),
        KSMEMORY_TYPE_KERNEL_NONPAGED => "kernel-nonpaged".to_owned(),
        other => graph.device_memory(other).map_or_else(|| other.to_string(), |declared| declared.name.clone()),
    }
}

/// A change to one alternative of a pin.
type ItemChange = fn(&mut FramingItem);

/// A change that makes the component feasible, tried before it is suggested.
fn suggest(graph: &Graph, conflict: &[PinId], component: Option<PinId>) -> String {
    let Some(member) = component else { return String::new() };
    if graph.bridges() == Bridges::Forbid {
        let mut changed = graph.clone();
        changed.bridges = Bridges::Allow;
        if has_plan(&changed, member) {
            return "allow bridges (`bridges = \"allow\"`): frames are then copied between them".to_owned();
        }
    }
    let changes: [(&str, ItemChange); 4] = [
        ("without MUST_ALLOCATE", |item| item.requirements.remove(RequirementFlags::MUST_ALLOCATE)),
        ("without INPLACE_MODIFIER", |item| item.requirements.remove(RequirementFlags::INPLACE_MODIFIER)),
        ("without FRAME_INTEGRITY", |item| item.requirements.remove(RequirementFlags::FRAME_INTEGRITY)),
        ("with PREFERENCES_ONLY", |item| item.requirements.insert(RequirementFlags::PREFERENCES_ONLY)),
    ];
    for pin in conflict.iter().take(8) {
        for (name, change) in &changes {
            let mut changed = graph.clone();
            if changed.change_items(*pin, change) && has_plan(&changed, member) {
                return format!("{} {name} would make it work", graph.pin_name(*pin));
            }
        }
    }
    "change what one of them asks, or put a filter that copies between them".to_owned()
}

impl Graph {
    /// Changes all items of a pin; `false` where that changes nothing.
    fn change_items(&mut self, pin: PinId, change: &ItemChange) -> bool {
        let framing = &mut self.pins[pin.index()].framing;
        let before = framing.clone();
        match framing {
            Framing::None => {}
            Framing::Old(item) => change(item),
            Framing::Extended(items) => items.iter_mut().for_each(change),
        }
        *framing != before
    }
}

/// Whether the part of a graph around a pin has a plan.
fn has_plan(graph: &Graph, member: PinId) -> bool {
    let Ok(facts) = Facts::of(graph) else { return false };
    let problem = Problem::new(&facts);
    let pins = &facts.components[facts.component_of[member.index()] as usize];
    let ground = problem.ground(pins);
    component::solve(&problem, pins, &ground, &mut Effort::up_to(EFFORT_OF_A_TRY), None).is_some()
}
