//! Pins and the routes between them.

use super::{Found, about};
use crate::check::Member;
use crate::check::media::next_pins;
use crate::finding::{Finding, codes};
use crate::graph::{Direction, Framing, FramingItem, Graph, PinId, RouteKind};
use ks::RequirementFlags;
use std::collections::{HashSet, VecDeque};

/// The member with the requirements, and the item it is in.
pub(super) fn flags_at(graph: &Graph, pin: PinId, item: usize) -> (Option<usize>, &'static str) {
    match graph.pin(pin).framing() {
        Framing::Old(_) => (None, Member::RequirementsFlags.name()),
        _ => (Some(item), Member::Flags.name()),
    }
}

fn first_item(graph: &Graph, pin: PinId, asks: impl Fn(&FramingItem) -> bool) -> Option<usize> {
    graph.pin(pin).items().iter().position(asks)
}

fn finding(
    graph: &Graph,
    pin: PinId,
    item: usize,
    code: &'static crate::finding::Code,
    message: String,
    help: &str,
) -> Finding {
    let (item, member) = flags_at(graph, pin, item);
    let mut subject = about(graph, pin).member(member);
    subject.item = item;
    Finding::new(code, subject, message, help)
}

/// KS062: INPLACE_MODIFIER at an in pin none of whose routes modifies in place.
pub(super) fn in_place_and_copy(graph: &Graph, found: &mut Found) {
    let mut routes = graph.routes().iter().peekable();
    while let Some(first) = routes.next() {
        let pin = first.from;
        let mut kinds = vec![first.kind];
        while let Some(route) = routes.next_if(|route| route.from == pin) {
            kinds.push(route.kind);
        }
        let writes = |kind: &RouteKind| matches!(kind, RouteKind::InPlace | RouteKind::Either);
        let Some(item) = first_item(graph, pin, FramingItem::modifies_in_place).filter(|_| !kinds.iter().any(writes))
        else {
            continue;
        };
        let message = if kinds.contains(&RouteKind::Pass) {
            "INPLACE_MODIFIER is set, and a route of the pin passes frames on untouched, so that the item cannot be chosen"
        } else {
            "INPLACE_MODIFIER is set, and the pin's routes fill new frames"
        };
        let help = "clear the flag, or state the route as `in-place` or `either`";
        found.push((Some(pin), finding(graph, pin, item, &codes::IN_PLACE_AND_COPY, message.to_owned(), help)));
    }
}

/// KS064: FRAME_INTEGRITY at a pin from which the same frame comes to a writer.
pub(super) fn integrity_and_writer(graph: &Graph, found: &mut Found) {
    let asks = |item: &FramingItem| item.requirements.contains(RequirementFlags::FRAME_INTEGRITY);
    if !graph.pins().iter().any(|pin| pin.items().iter().any(asks)) {
        return;
    }
    let below = writers_below(graph);
    for pin in graph.pin_ids() {
        let (Some(item), Some(writer)) = (first_item(graph, pin, asks), below[pin.index()]) else { continue };
        let writer = graph.pin_name(writer);
        let message = format!("FRAME_INTEGRITY asks that frames stay as they are, and {writer} writes into them");
        let help =
            "state that filter's route as `either` or `copy`, or clear FRAME_INTEGRITY where a change does no harm";
        found.push((Some(pin), finding(graph, pin, item, &codes::INTEGRITY_AND_WRITER, message, help)));
    }
}

/// By pin: a pin downstream of it that writes into the frame it gave, the nearest.
fn writers_below(graph: &Graph) -> Vec<Option<PinId>> {
    let in_place = graph.routes().iter().filter(|route| route.kind == RouteKind::InPlace).map(|route| route.from);
    let says_so = graph.pin_ids().filter(|pin| {
        let pin = graph.pin(*pin);
        // Where the plan may let it copy, it need not write.
        pin.direction() == Direction::In
            && !pin.items().is_empty()
            && pin.items().iter().all(FramingItem::modifies_in_place)
    });
    let mut writers: Vec<PinId> = in_place.chain(says_so).collect();
    let either = graph.routes().iter().filter(|route| route.kind == RouteKind::Either).map(|route| route.from);
    let either: HashSet<PinId> = either.collect();
    writers.retain(|pin| !either.contains(pin));
    writers.sort_unstable();
    writers.dedup();
    let mut before = vec![Vec::new(); graph.pins().len()];
    for (pin, next) in next_pins(graph).into_iter().enumerate() {
        for after in next {
            before[after.index()].push(pin);
        }
    }
    let mut below: Vec<Option<PinId>> = vec![None; graph.pins().len()];
    let mut reached: VecDeque<(usize, PinId)> = writers.into_iter().map(|writer| (writer.index(), writer)).collect();
    while let Some((pin, writer)) = reached.pop_front() {
        for above in &before[pin] {
            if below[*above].is_none() {
                below[*above] = Some(writer);
                reached.push_back((*above, writer));
            }
        }
    }
    below
}
