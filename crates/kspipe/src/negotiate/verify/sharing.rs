//! Rule 7: shared frames are read-only.

use super::{Findings, Rule, View};
use crate::graph::{Direction, PinId, RouteKind};

/// Why a frame must not be written where it now is.
#[derive(Clone, Copy)]
enum Guard {
    /// The in pin with this id hands the frame to several branches.
    Shared(PinId),
    /// The pin with this id insists that the frame stay as it is.
    Integrity(PinId),
}

pub(super) fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    let mut branches = vec![0u32; view.graph.pins().len()];
    for route in view.graph.routes().iter().filter(|route| !view.is_copied(route)) {
        branches[route.from.index()] += 1;
    }
    // What is downstream of a guard: the guards that reach a pin come from all pins before it along the frame's way, and
    // one is enough to forbid a writer there.
    let guard_from = |pin: PinId, at_pin: Option<Guard>| {
        if branches[pin.index()] > 1 {
            Some(Guard::Shared(pin))
        } else if view.item(pin).is_some_and(|item| item.needs_frame_integrity()) {
            Some(Guard::Integrity(pin))
        } else {
            at_pin
        }
    };
    let mut guards: Vec<Option<Guard>> = vec![None; view.graph.pins().len()];
    for &pin in &view.order {
        if let Some(guard) = guard_from(pin, guards[pin.index()]) {
            for next in &view.same_frame[pin.index()] {
                guards[next.index()] = Some(guard);
            }
        }
    }
    for pin in view.graph.pin_ids() {
        let writes = view.graph.pin(pin).direction() == Direction::In
            && view.item(pin).is_some_and(|item| item.modifies_in_place());
        if writes && let Some(guard) = guards[pin.index()] {
            forbid(guard, pin, format!("{} (INPLACE_MODIFIER)", findings.name(pin)), findings);
        }
    }
    for route in view.graph.routes() {
        if view.is_written_in_place(route)
            && let Some(guard) = guard_from(route.from, guards[route.from.index()])
        {
            let writer = format!("{} -> {}", findings.name(route.from), findings.name(route.to));
            forbid(guard, route.from, writer, findings);
        }
        let modifies = view.item(route.from).is_some_and(|item| item.modifies_in_place());
        if route.kind == RouteKind::Pass && modifies {
            let message = format!(
                "{} -> {} passes the frame on untouched, but the item of {} says INPLACE_MODIFIER",
                findings.name(route.from),
                findings.name(route.to),
                findings.name(route.from)
            );
            findings.push(Rule::SharedFrames, &[route.from, route.to], message);
        }
    }
}

fn forbid(guard: Guard, pin: PinId, writer: String, findings: &mut Findings<'_>) {
    let (origin, why) = match guard {
        Guard::Shared(origin) => (origin, "hands to several"),
        Guard::Integrity(origin) => (origin, "wants left alone (FRAME_INTEGRITY)"),
    };
    let message = format!("{writer} writes into frames that {} {why}", findings.name(origin));
    findings.push(Rule::SharedFrames, &[origin, pin], message);
}
