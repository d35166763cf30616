//! Changes of one thing each that would make a conflict go away, each tried before it is suggested.

use super::{Conflict, EFFORT_OF_A_TRY, MOST_TRIES};
use crate::graph::{Graph, Mode, PinId};
use crate::negotiate::component;
use crate::negotiate::counted::Counted;
use crate::negotiate::facts::Facts;
use crate::negotiate::problem::Problem;
use crate::negotiate::table::Effort;
use crate::negotiate::what_if::{Asked, WhatIf};

/// So many changes are suggested at most.
const MOST_CHANGES: usize = 5;
/// Pins of the graphs that are tried, in all: large graphs are tried less often.
const MOST_PINS: usize = 4_000_000;

/// Changes after which the component has a plan, the smallest first, each tried. `named` are the pins of the conflict,
/// `component` any pin of its component.
pub(super) fn suggest(
    facts: &Facts<'_>,
    conflict: &Conflict,
    named: &[PinId],
    component: Option<PinId>,
) -> Vec<WhatIf> {
    let graph = facts.graph;
    let Some(member) = component else { return Vec::new() };
    let mut candidates = candidates(facts, conflict, named);
    // Stable: of those that change as much, the first pin's come first.
    candidates.sort_by_key(WhatIf::extent);
    let mut tries = (MOST_TRIES as usize).min(MOST_PINS / graph.pins().len().max(1)).max(4);
    let mut found: Vec<WhatIf> = Vec::new();
    for change in candidates {
        if tries == 0 || found.len() == MOST_CHANGES {
            break;
        }
        // A number that helps says more than that the ask could be dropped whole.
        if found.iter().any(|smaller| covers(smaller, &change)) {
            continue;
        }
        tries -= 1;
        if helps(graph, &change, member) {
            found.push(change);
        }
    }
    found
}

/// Whether a change does less of the same.
fn covers(smaller: &WhatIf, change: &WhatIf) -> bool {
    match (smaller, change) {
        (WhatIf::LowerMinimum { pin, .. }, WhatIf::Drop { pin: other, asked, .. }) => {
            pin == other && matches!(asked, Asked::Size | Asked::PhysicalMinimum | Asked::Capacity)
        }
        (WhatIf::RaiseMaximum { pin, .. }, WhatIf::Drop { pin: other, asked, .. }) => {
            pin == other && *asked == Asked::PhysicalMaximum
        }
        _ => false,
    }
}

fn candidates(facts: &Facts<'_>, conflict: &Conflict, named: &[PinId]) -> Vec<WhatIf> {
    let graph = facts.graph;
    let mut changes = vec![WhatIf::AllowBridges];
    let numbers = numbers(facts, conflict, named);
    for (pin, asked) in &conflict.asks {
        let pin = *pin;
        match asked {
            Asked::PhysicalMinimum | Asked::Capacity => {
                changes.extend(numbers.largest_allowed.map(|bytes| WhatIf::LowerMinimum { pin, bytes }));
                changes.push(WhatIf::Drop { pin, item: None, asked: Asked::Size });
            }
            Asked::PhysicalMaximum => {
                changes.extend(numbers.smallest_needed.map(|bytes| WhatIf::RaiseMaximum { pin, bytes }));
                changes.push(WhatIf::Drop { pin, item: None, asked: Asked::PhysicalMaximum });
            }
            Asked::Memory => {
                changes.push(WhatIf::Drop { pin, item: None, asked: Asked::Memory });
                let memories = graph.pin(pin).items().iter().map(|item| WhatIf::MapMemory { memory_type: item.memory });
                changes.extend(memories);
            }
            asked => changes.push(WhatIf::Drop { pin, item: None, asked: *asked }),
        }
        changes.push(WhatIf::Prefer { pin });
    }
    for edge in conflict.writers.iter().map(|writer| facts.edges[*writer as usize]) {
        changes.push(WhatIf::CopyRoute { from: edge.from, to: edge.to });
    }
    for pin in conflict.sides.iter().filter(|pin| graph.mode(**pin) == Mode::User) {
        changes.push(WhatIf::Mode { filter: graph.pin(*pin).filter(), mode: Mode::Kernel });
    }
    let mut seen = Vec::new();
    changes.retain(|change| {
        let new = !seen.contains(change);
        seen.push(change.clone());
        new
    });
    changes
}

/// Sizes that could be agreed on.
struct Numbers {
    /// No pin of the conflict allows more.
    largest_allowed: Option<u32>,
    /// What the pins of the conflict need.
    smallest_needed: Option<u32>,
}

fn numbers(facts: &Facts<'_>, conflict: &Conflict, named: &[PinId]) -> Numbers {
    let items = || conflict.asks.iter().flat_map(|(pin, _)| facts.graph.pin(*pin).items());
    let needs = items().map(|item| u64::from(item.physical.min.max(item.capacity())));
    let carried = named.iter().map(|pin| facts.data[pin.index()].max(facts.required[pin.index()]));
    Numbers {
        largest_allowed: items().filter_map(|item| item.physical.upper_bound()).min(),
        smallest_needed: needs.chain(carried).max().and_then(|bytes| u32::try_from(bytes).ok()),
    }
}

/// What helps, in words.
pub(super) fn help(graph: &Graph, changes: &[WhatIf]) -> String {
    let words: Vec<String> = changes.iter().map(|change| change.describe(graph)).collect();
    match words.as_slice() {
        [] => "no change of one thing was found that makes it work: change what several of them ask, or put a filter that \
               copies between them"
            .to_owned(),
        [one] => format!("{one} would make it work"),
        [one, others @ ..] => format!("{one} would make it work; so would {}", others.join(", or ")),
    }
}

/// Whether the part of the graph around a pin has a plan after a change. A route that copies makes two parts of one.
fn helps(graph: &Graph, change: &WhatIf, member: PinId) -> bool {
    let Some(changed) = change.apply(graph) else { return false };
    let Ok(facts) = Facts::of(&changed) else { return false };
    let problem = Problem::new(&facts);
    let members = match change {
        WhatIf::CopyRoute { from, to } => vec![*from, *to],
        _ => vec![member],
    };
    members.into_iter().all(|member| {
        let pins = &facts.components[facts.component_of[member.index()] as usize];
        let ground = problem.ground(pins, &Counted::EVERYTHING);
        component::solve(&problem, pins, &ground, &mut Effort::up_to(EFFORT_OF_A_TRY), &Counted::EVERYTHING).is_some()
    })
}
