//! Pins and the routes between them.

use super::{Found, about};
use crate::check::Member;
use crate::check::media::next_pins;
use crate::finding::{Finding, codes};
use crate::graph::{Direction, Framing, FramingItem, Graph, Mode, PinId, RouteKind};
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

/// KS100: requirements of a kernel-mode in pin whose frames come from a filter in user mode.
pub(super) fn upstream_ignores(graph: &Graph, found: &mut Found) {
    for connection in graph.connections() {
        if (graph.mode(connection.from), graph.mode(connection.to)) != (Mode::User, Mode::Kernel) {
            continue;
        }
        // The old structure has one size and says nothing it requires but that.
        let Framing::Extended(items) = graph.pin(connection.to).framing() else { continue };
        let asks = |item: &FramingItem| {
            let range = item.physical.min > 0 || item.physical.upper_bound().is_some();
            let asked = [(item.alignment > 1, Member::FileAlignment), (range, Member::PhysicalMin)];
            let asked = asked.into_iter().find(|(asks, _)| *asks && !item.is_preference());
            asked.map(|(_, member)| member)
        };
        let Some((item, member)) = items.iter().enumerate().find_map(|(place, item)| Some((place, asks(item)?))) else {
            continue;
        };
        let message = format!(
            "{} allocates in user mode, and may ignore the size and alignment required here: KSProxy does not enforce them",
            graph.pin_name(connection.from)
        );
        let help = "have the driver take any size and alignment, or copy what it cannot use";
        let subject = about(graph, connection.to).item(item).member(member.name());
        found.push((Some(connection.to), Finding::new(&codes::UPSTREAM_IGNORES, subject, message, help)));
    }
}
