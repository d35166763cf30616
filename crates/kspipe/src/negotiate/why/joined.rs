//! Why two pipes cannot be one: what conflicts if the cut between them is not made.

use crate::graph::{Bridges, Compression};
use crate::graph::{Connection, Direction, FilterId, Graph, Mode, Pin, PinId, Route, RouteKind};
use crate::negotiate::conflict::{Conflict, Role, item_words, roles};
use crate::negotiate::describe::{Reason, View};
use crate::negotiate::facts::Facts;
use crate::negotiate::problem::Problem;
use crate::negotiate::{Asked, PipeId};
use std::collections::HashMap;

/// Why frames are copied between two pins: what the pipes at both ends ask that one pipe cannot have, the fewest such
/// things. Empty where the plan does not copy there by its own choice.
pub(super) fn reasons(view: &View<'_>, cut: Connection) -> Vec<Reason> {
    if !is_cut(view, cut) {
        return Vec::new();
    }
    let both = BothPipes::of(view, cut);
    let Ok(facts) = Facts::of(&both.graph) else { return Vec::new() };
    let problem = Problem::new(&facts);
    if both.graph.pins().is_empty() {
        return Vec::new();
    }
    let pins = facts.component(facts.component_of(PinId(0)));
    let conflict = Conflict::of(&problem, pins);
    let mut reasons = both.reasons(view, &facts, pins, &conflict);
    if reasons.is_empty() {
        let text = format!(
            "one pipe would be valid; without this copy no plan is, or {} was not searched to the end",
            view.plan.strategy
        );
        reasons.push(Reason::of(cut.from, view.item_place(cut.from), 1, text));
    } else if !conflict.is_smallest {
        reasons.push(Reason::by_rule(1, "perhaps not all of this matters: 64 re-negotiations did not settle it"));
    }
    reasons
}

/// Whether the plan copies between these pins by its own choice.
fn is_cut(view: &View<'_>, cut: Connection) -> bool {
    let count = view.graph.pins().len();
    if cut.from.index() >= count || cut.to.index() >= count {
        return false;
    }
    if view.graph.pin(cut.from).peer() == Some(cut.to) {
        return view.is_bridged(cut.from);
    }
    let mut copies = view.copies_out(view.pipe_of(cut.from)).filter(|copy| copy.chosen);
    copies.any(|copy| (copy.route.from, copy.route.to) == (cut.from, cut.to))
}

/// Two pipes of a plan as a graph of their own, in which nothing between them is cut.
struct BothPipes {
    graph: Graph,
    /// The plan's pins, by pin of that graph.
    original: Vec<PinId>,
}

impl BothPipes {
    fn of(view: &View<'_>, cut: Connection) -> Self {
        let pipes = [view.pipe_of(cut.from), view.pipe_of(cut.to)];
        let mut original: Vec<PinId> = pipes.iter().flat_map(|pipe| &view.pipe(*pipe).pins).copied().collect();
        original.sort_unstable();
        original.dedup();
        let place: HashMap<PinId, PinId> =
            original.iter().enumerate().map(|(place, pin)| (*pin, PinId(place as u32))).collect();
        let required = required_sizes(view, pipes);
        let whole = view.graph;
        let mut filters = Vec::new();
        let mut pins: Vec<Pin> = Vec::with_capacity(original.len());
        let mut last: Option<FilterId> = None;
        for pin in &original {
            let mut own = whole.pin(*pin).clone();
            if last != Some(own.filter) {
                last = Some(own.filter);
                let mut filter = whole.filter(own.filter).clone();
                filter.pins = pins.len() as u32..pins.len() as u32;
                filter.run = None;
                filters.push(filter);
            }
            own.filter = FilterId(filters.len() as u32 - 1);
            own.peer = own.peer.and_then(|peer| place.get(&peer).copied());
            own.media_size = required.get(pin).copied().filter(|bytes| *bytes > 0);
            own.compression = Compression::NONE;
            pins.push(own);
            if let Some(filter) = filters.last_mut() {
                filter.pins.end = pins.len() as u32;
            }
        }
        let mut connections = Vec::new();
        let mut routes = Vec::new();
        for pin in &original {
            if let (Direction::Out, Some(peer)) = (whole.pin(*pin).direction(), whole.pin(*pin).peer())
                && let Some(to) = place.get(&peer)
            {
                connections.push(Connection { from: place[pin], to: *to });
            }
            for route in view.all_routes_from(*pin) {
                if let Some(to) = place.get(&route.to) {
                    // What could be in place is, here.
                    let kind = if route.kind == RouteKind::Either { RouteKind::InPlace } else { route.kind };
                    routes.push(Route { from: place[pin], to: *to, kind });
                }
            }
        }
        connections.sort_unstable();
        routes.sort_unstable();
        let memory = whole.device_memories().clone();
        let graph =
            Graph { strategy: whole.strategy(), bridges: Bridges::Forbid, filters, pins, connections, routes, memory };
        BothPipes { graph, original }
    }

    fn reasons(&self, view: &View<'_>, facts: &Facts<'_>, pins: &[PinId], conflict: &Conflict) -> Vec<Reason> {
        let mut reasons = Vec::new();
        for (pin, role) in roles(facts, pins, conflict) {
            let original = self.original[pin.index()];
            let name = |pin: PinId| self.graph.pin_name(pin);
            match role {
                Role::Asks => self.asks(view, pin, conflict, &mut reasons),
                Role::IsOnItsSide => reasons.push(on_its_side(original)),
                Role::Writes(to) => {
                    let text = format!("writes into frames on their way to {}; shared frames are read-only", name(to));
                    reasons.push(Reason::of(original, None, 7, text));
                }
                Role::IsShared => {
                    let text = "gives its frames to several branches, where they are read-only";
                    reasons.push(Reason::of(original, None, 7, text));
                }
                Role::Copies(to) => {
                    let text = format!(
                        "frames are copied from here to {}, so both lie in different pipes; joined, they would be in one",
                        name(to)
                    );
                    reasons.push(Reason::of(original, None, 1, text));
                }
                Role::Carries(_) => {}
            }
        }
        reasons
    }

    /// What a pin asks, a reason for each of its items, or where it has one item for each thing asked; and its side, where
    /// that matters.
    fn asks(&self, view: &View<'_>, pin: PinId, conflict: &Conflict, reasons: &mut Vec<Reason>) {
        let original = self.original[pin.index()];
        let graph = &self.graph;
        let asked = conflict.asked_of(pin);
        let of_items: Vec<Asked> = asked.iter().copied().filter(|asked| *asked != Asked::MediaSize).collect();
        // A kernel-mode pin's side has no reason of its own.
        let in_kernel = view.graph.mode(original) == Mode::Kernel && !conflict.sides.is_empty();
        let side = if in_kernel { " in kernel mode" } else { "" };
        match graph.pin(pin).items() {
            _ if of_items.is_empty() => {}
            [item] => reasons.extend(of_items.iter().map(|asked| {
                let text = format!("requires {}{side}", item_words(graph, item, &[*asked]));
                let reason = Reason::of(original, Some(0), asked.rule(), text);
                // A wildcard asks nothing that could be dropped: it is the pin's side that matters.
                if asked.is_in(item) { reason.asking(*asked) } else { reason }
            })),
            items => reasons.extend(items.iter().enumerate().map(|(place, item)| {
                let text = format!("requires {}{side}", item_words(graph, item, &of_items));
                let rule = of_items.first().map_or(1, |asked| asked.rule());
                let reason = Reason::of(original, Some(place as u32), rule, text);
                match of_items.as_slice() {
                    [one] if one.is_in(item) => reason.asking(*one),
                    _ => reason,
                }
            })),
        }
        if asked.contains(&Asked::MediaSize) {
            reasons.push(size_reason(view, original, graph.pin(pin).media_size().unwrap_or(0)));
        }
        if conflict.sides.contains(&pin) {
            reasons.push(on_its_side(original));
        }
    }
}

fn on_its_side(pin: PinId) -> Reason {
    let text = "belongs to a user-mode filter, which kernel memory does not reach";
    Reason::of(pin, None, 2, text).asking(Asked::Mode)
}

/// What a pin of two pipes needs beside what its items ask: for its media, for what its compression yields, and for what
/// is copied to it from other pipes.
fn required_sizes(view: &View<'_>, pipes: [PipeId; 2]) -> HashMap<PinId, u64> {
    let mut required: HashMap<PinId, u64> = HashMap::new();
    for pipe in pipes {
        for pin in &view.pipe(pipe).pins {
            required.insert(*pin, view.required_size(*pin));
        }
        let bridges = view.bridges_in(pipe).map(|bridge| (bridge.connection.from, bridge.connection.to));
        let copies = view.copies_in(pipe).filter(|copy| copy.chosen).map(|copy| (copy.route.from, copy.route.to));
        for (from, to) in bridges.chain(copies) {
            if !pipes.contains(&view.pipe_of(from)) {
                let needed = required.entry(to).or_default();
                *needed = (*needed).max(view.data(from).unwrap_or(0));
            }
        }
    }
    required
}

fn size_reason(view: &View<'_>, pin: PinId, bytes: u64) -> Reason {
    let own = view.graph.pin(pin).media_size();
    if own == Some(bytes) {
        let text = format!("has a format whose media frames take {bytes} bytes (media-size)");
        return Reason::of(pin, None, 3, text).asking(Asked::MediaSize);
    }
    if view.required_size(pin) == bytes {
        let text = format!("has a compression that makes frames of {bytes} bytes");
        return Reason::of(pin, None, 3, text).asking(Asked::Compression);
    }
    Reason::of(pin, None, 3, format!("gets {bytes} bytes a frame, copied to it from another pipe"))
}
