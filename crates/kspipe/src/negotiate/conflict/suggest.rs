//! Changes that would make a conflict go away, each tried before it is suggested.

use super::EFFORT_OF_A_TRY;
use crate::graph::{Bridges, Framing, FramingItem, Graph, PinId, RouteKind};
use crate::negotiate::component;
use crate::negotiate::counted::Counted;
use crate::negotiate::facts::Facts;
use crate::negotiate::problem::Problem;
use crate::negotiate::table::Effort;
use ks::RequirementFlags;

/// A change to one alternative of a pin.
type ItemChange = fn(&mut FramingItem);

/// A change that makes the component feasible, tried before it is suggested.
///
/// `writers` are the edges at which a filter writes, `component` any pin of the component.
pub(super) fn suggest(facts: &Facts<'_>, pins: &[PinId], writers: &[u32], component: Option<PinId>) -> String {
    let graph = facts.graph;
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
    for pin in pins.iter().take(8) {
        for (name, change) in &changes {
            let mut changed = graph.clone();
            if changed.change_items(*pin, change) && has_plan(&changed, member) {
                return format!("{} {name} would make it work", graph.pin_name(*pin));
            }
        }
    }
    for edge in writers.iter().take(8).map(|writer| facts.edges[*writer as usize]) {
        let mut changed = graph.clone();
        let mut routes = changed.routes.iter_mut();
        if let Some(route) = routes.find(|route| (route.from, route.to) == (edge.from, edge.to)) {
            route.kind = RouteKind::Copy;
            // The filter then gives frames of another pipe.
            if has_plan(&changed, edge.from) && has_plan(&changed, edge.to) {
                let (from, to) = (graph.pin_name(edge.from), graph.pin_name(edge.to));
                return format!("a route {from} -> {to} that copies would make it work");
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
    let ground = problem.ground(pins, &Counted::EVERYTHING);
    component::solve(&problem, pins, &ground, &mut Effort::up_to(EFFORT_OF_A_TRY), &Counted::EVERYTHING).is_some()
}
