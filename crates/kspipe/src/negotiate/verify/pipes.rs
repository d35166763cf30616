//! Whether the plan fits the graph, and rule 1: what the pipes are.

use super::super::{PipeId, Plan};
use super::{Findings, Rule, View};
use crate::graph::{Bridges, Connection, Graph, PinId, Route, RouteKind};

/// Everything the other checks rely on when they look things up.
pub(super) fn check_shape(graph: &Graph, plan: &Plan, findings: &mut Findings<'_>) {
    let pins = graph.pins().len();
    if plan.strategy != graph.strategy() {
        let message = format!("the plan is for {}, the graph asks for {}", plan.strategy, graph.strategy());
        findings.push(Rule::Shape, &[], message);
    }
    let keys = plan.cost.keys(plan.strategy).len();
    if usize::from(plan.proven) > keys {
        findings.push(Rule::Shape, &[], format!("{} keys are said to be proven, of {keys}", plan.proven));
    }
    if plan.items.len() != pins || plan.pipe_of.len() != pins {
        let message = format!(
            "the graph has {pins} pins; the plan has items for {} and pipes for {}",
            plan.items.len(),
            plan.pipe_of.len()
        );
        findings.push(Rule::Shape, &[], message);
        return;
    }
    for pin in graph.pin_ids() {
        let items = graph.pin(pin).items().len();
        match plan.items[pin.index()] {
            None if items > 0 => {
                let message = format!("{} uses none of its {items} items", findings.name(pin));
                findings.push(Rule::Shape, &[pin], message);
            }
            Some(item) if item as usize >= items => {
                let message = format!("{} uses item {item}, but has {items}", findings.name(pin));
                findings.push(Rule::Shape, &[pin], message);
            }
            _ => {}
        }
        let pipe = plan.pipe_of[pin.index()];
        if pipe.index() >= plan.pipes.len() {
            let name = findings.name(pin);
            let message = format!("{name} is in pipe {}, but there are {}", pipe.0, plan.pipes.len());
            findings.push(Rule::Shape, &[pin], message);
        }
    }
    check_pins_of_pipes(plan, pins, findings);
    let bridges: Vec<Connection> = plan.bridges.iter().map(|bridge| bridge.connection).collect();
    if !is_part_in_order(&bridges, graph.connections()) {
        let message = "the bridges are not connections of the graph, each once, in the graph's order".to_owned();
        findings.push(Rule::Shape, &[], message);
    }
    let copies: Vec<Route> = plan.copies.iter().map(|copy| copy.route).collect();
    if !is_part_in_order(&copies, graph.routes()) {
        let message = "the copies are not routes of the graph, each once, in the graph's order".to_owned();
        findings.push(Rule::Shape, &[], message);
    }
}

/// Each pipe has pins, and each pin stands once in the pipe it is said to be in.
fn check_pins_of_pipes(plan: &Plan, pins: usize, findings: &mut Findings<'_>) {
    let mut seen = vec![false; pins];
    for (number, pipe) in plan.pipes.iter().enumerate() {
        if pipe.pins.is_empty() {
            findings.push(Rule::Shape, &[], format!("pipe {number} has no pins"));
        }
        for &pin in &pipe.pins {
            let wrong = match plan.pipe_of.get(pin.index()) {
                None => "which does not exist".to_owned(),
                Some(said) if said.index() != number => format!("which is said to be in pipe {}", said.0),
                Some(_) if std::mem::replace(&mut seen[pin.index()], true) => "and has it twice".to_owned(),
                Some(_) => continue,
            };
            let message = format!("pipe {number} has {}, {wrong}", findings.name(pin));
            findings.push(Rule::Shape, &[pin], message);
        }
    }
    for pin in findings.graph.pin_ids().filter(|pin| !seen[pin.index()]) {
        let message = format!("{} is in no pipe", findings.name(pin));
        findings.push(Rule::Shape, &[pin], message);
    }
}

/// Whether `part` is `whole` with some left out.
fn is_part_in_order<T: PartialEq>(part: &[T], whole: &[T]) -> bool {
    let mut whole = whole.iter();
    part.iter().all(|one| whole.any(|other| other == one))
}

/// Rule 1, and what the plan says about each pipe's side and order.
pub(super) fn check_pipes(view: &View<'_>, findings: &mut Findings<'_>) {
    check_cuts(view, findings);
    check_copies(view, findings);
    check_joined(view, findings);
    check_order(view, findings);
    for (number, pipe) in view.plan.pipes.iter().enumerate() {
        let mode = view.mode(pipe);
        if pipe.mode != mode {
            let message = format!("the mode of pipe {number} is {}, its pins make it {mode}", pipe.mode);
            findings.push(Rule::Pipes, &pipe.pins, message);
        }
    }
}

/// What the plan cuts has its ends in two pipes, what it does not cut in one.
fn check_cuts(view: &View<'_>, findings: &mut Findings<'_>) {
    let connections = view.graph.connections().iter().map(|connection| {
        let bridge = view.is_bridge(connection);
        (connection.from, connection.to, bridge, if bridge { "a bridge" } else { "a connection without a copy" })
    });
    let routes = view.graph.routes().iter().map(|route| {
        let copied = view.is_copied(route);
        (route.from, route.to, copied, if copied { "a route that copies" } else { "a route that keeps the frame" })
    });
    for (from, to, cut, what) in connections.chain(routes) {
        let together = view.plan.pipe_of[from.index()] == view.plan.pipe_of[to.index()];
        if cut == together {
            let pipes = if together { "one pipe" } else { "two pipes" };
            let message = format!("{} -> {}, {what}, lies in {pipes}", findings.name(from), findings.name(to));
            findings.push(Rule::Pipes, &[from, to], message);
        }
    }
    if view.graph.bridges() == Bridges::Forbid {
        for bridge in &view.plan.bridges {
            let Connection { from, to } = bridge.connection;
            let message =
                format!("{} -> {} is a bridge, and the graph forbids them", findings.name(from), findings.name(to));
            findings.push(Rule::Pipes, &[from, to], message);
        }
    }
}

/// The routes that copy are those that must and those that may, and say which.
fn check_copies(view: &View<'_>, findings: &mut Findings<'_>) {
    for route in view.graph.routes() {
        let wrong = match (route.kind, view.is_copied(route)) {
            (RouteKind::Copy, false) => "copies, but the plan does not list it",
            (RouteKind::Pass, true) => "passes the frame on, but the plan copies it",
            (RouteKind::InPlace, true) => "writes in place, but the plan copies it",
            _ => continue,
        };
        let message = format!("{} -> {} {wrong}", findings.name(route.from), findings.name(route.to));
        findings.push(Rule::Pipes, &[route.from, route.to], message);
    }
    for copy in &view.plan.copies {
        if copy.chosen != (copy.route.kind == RouteKind::Either) {
            let said = if copy.chosen { "chosen" } else { "not chosen" };
            let (from, to) = (copy.route.from, copy.route.to);
            let message = format!(
                "the copy at {} -> {} is said to be {said}, but the route is {}",
                findings.name(from),
                findings.name(to),
                copy.route.kind
            );
            findings.push(Rule::Pipes, &[from, to], message);
        }
    }
}

/// A pipe is no more than what is joined: from its first pin every other is reached along what is not cut.
fn check_joined(view: &View<'_>, findings: &mut Findings<'_>) {
    let mut neighbours = vec![Vec::new(); view.graph.pins().len()];
    for pin in view.graph.pin_ids() {
        for &next in &view.same_frame[pin.index()] {
            neighbours[pin.index()].push(next);
            neighbours[next.index()].push(pin);
        }
    }
    let mut reached = vec![false; view.graph.pins().len()];
    for (number, pipe) in view.plan.pipes.iter().enumerate() {
        let here = PipeId(number as u32);
        let mut open: Vec<PinId> = pipe.pins.first().copied().into_iter().collect();
        while let Some(pin) = open.pop() {
            if !std::mem::replace(&mut reached[pin.index()], true) {
                let neighbours = neighbours[pin.index()].iter();
                open.extend(neighbours.filter(|next| view.plan.pipe_of[next.index()] == here));
            }
        }
        for &pin in pipe.pins.iter().filter(|pin| !reached[pin.index()]) {
            let first = pipe.pins[0];
            let message = format!(
                "{} and {} are both in pipe {number}, but nothing joins them there",
                findings.name(first),
                findings.name(pin)
            );
            findings.push(Rule::Pipes, &[first, pin], message);
        }
    }
}

/// The pins of a pipe stand upstream before downstream.
fn check_order(view: &View<'_>, findings: &mut Findings<'_>) {
    let mut place = vec![0; view.graph.pins().len()];
    for pipe in &view.plan.pipes {
        for (position, pin) in pipe.pins.iter().enumerate() {
            place[pin.index()] = position;
        }
    }
    for pin in view.graph.pin_ids() {
        for next in &view.same_frame[pin.index()] {
            let together = view.plan.pipe_of[pin.index()] == view.plan.pipe_of[next.index()];
            if together && place[pin.index()] > place[next.index()] {
                let message = format!("{} stands after {}, which it feeds", findings.name(pin), findings.name(*next));
                findings.push(Rule::Pipes, &[pin, *next], message);
            }
        }
    }
}
