//! Changes of one thing each that would make a conflict go away, each tried before it is suggested.

use super::{Conflict, EFFORT_OF_A_TRY, MOST_TRIES, named, roles, shared_above};
use crate::graph::{Graph, Mode, PinId, RouteKind};
use crate::negotiate::component;
use crate::negotiate::counted::{Counted, Part};
use crate::negotiate::facts::Facts;
use crate::negotiate::problem::Problem;
use crate::negotiate::table::Effort;
use crate::negotiate::what_if::{Asked, WhatIf};

/// So many changes are suggested at most.
const MOST_CHANGES: usize = 5;
/// So many changes together at most.
const MOST_TOGETHER: usize = 4;
/// In larger graphs they are not looked for: each of them takes as long as the first conflict.
const MOST_PINS_TOGETHER: usize = 20_000;
/// Pins of the graphs that are tried, in all: large graphs are tried less often.
const MOST_PINS: usize = 4_000_000;

/// Changes after which the component has a plan, the smallest first, each tried. `named` are the pins of the conflict,
/// `pins` all of its component.
pub(super) fn suggest(facts: &Facts<'_>, conflict: &Conflict, named: &[PinId], pins: &[PinId]) -> Vec<WhatIf> {
    let graph = facts.graph;
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
        if helps(graph, &change, pins) {
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
        // The other branches may get copies instead.
        let shared = shared_above(facts, edge.from).into_iter().flat_map(|pin| facts.edges_at(pin));
        let branches = shared.map(|edge| facts.edges[*edge as usize]).filter(|edge| edge.kind.is_route());
        changes.extend(branches.map(|branch| WhatIf::CopyRoute { from: branch.from, to: branch.to }));
    }
    if conflict.asks.is_empty() && conflict.writers.is_empty() {
        // What is copied on one way and shared on another: the other way can copy, too.
        let copies = graph.routes().iter().filter(|route| route.kind == RouteKind::Copy && named.contains(&route.from));
        for copy in copies {
            let others = graph.routes().iter().filter(|other| other.to == copy.to && other.kind != RouteKind::Copy);
            changes.extend(others.map(|other| WhatIf::CopyRoute { from: other.from, to: other.to }));
        }
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
pub(super) fn help(graph: &Graph, changes: &[WhatIf], together: &[WhatIf]) -> String {
    let words = |changes: &[WhatIf]| changes.iter().map(|change| change.describe(graph)).collect::<Vec<_>>();
    match words(changes).as_slice() {
        [] if !together.is_empty() => format!(
            "more than this conflicts, so no one change makes it work; these do together: {}",
            words(together).join("; and ")
        ),
        [] => "no change of one thing was found that makes it work: change what several of them ask, or put a filter that \
               copies between them"
            .to_owned(),
        [one] => format!("{one} would make it work"),
        [one, others @ ..] => format!("{one} would make it work; so would {}", others.join(", or ")),
    }
}

/// Whether the parts of the graph that have these pins have a plan after a change.
fn helps(graph: &Graph, change: &WhatIf, pins: &[PinId]) -> bool {
    change.apply(graph).is_some_and(|changed| without_plan(&changed, pins, &Counted::EVERYTHING).is_none())
}

/// The first part of a graph that has one of these pins and no plan, when only this counts. A route that copies makes two
/// parts of one.
fn without_plan(graph: &Graph, pins: &[PinId], counted: &Counted) -> Option<Vec<PinId>> {
    let Ok(facts) = Facts::of(graph) else { return Some(pins.to_vec()) };
    let problem = Problem::new(&facts);
    let mut parts: Vec<u32> = pins.iter().map(|pin| facts.component_of(*pin)).collect();
    parts.sort_unstable();
    parts.dedup();
    let mut parts = parts.into_iter().map(|part| facts.component(part));
    let found = parts.find(|pins| {
        let ground = problem.ground(pins, counted);
        component::solve(&problem, pins, &ground, &mut Effort::up_to(EFFORT_OF_A_TRY), counted).is_none()
    });
    found.map(<[PinId]>::to_vec)
}

/// Where several things conflict, so that no one change helps: changes that help together, and none of which can be left
/// out. Empty where none are found.
///
/// Conflict after conflict is taken, the smallest change that ends it first.
pub(super) fn together(facts: &Facts<'_>, conflict: &Conflict, pins: &[PinId]) -> Vec<WhatIf> {
    if facts.graph.pins().len() > MOST_PINS_TOGETHER {
        return Vec::new();
    }
    let mut tries = MOST_TRIES as usize * MOST_TOGETHER;
    let mut changes: Vec<WhatIf> = Vec::new();
    let (mut graph, mut conflict, mut part) = (facts.graph.clone(), conflict.clone(), pins.to_vec());
    while changes.len() < MOST_TOGETHER {
        let Some((change, changed)) = ending(&graph, &conflict, &part, &mut tries) else { return Vec::new() };
        changes.push(change);
        graph = changed;
        let Some(left) = without_plan(&graph, pins, &Counted::EVERYTHING) else {
            return needed(facts.graph, changes, pins);
        };
        let Ok(facts) = Facts::of(&graph) else { return Vec::new() };
        conflict = Conflict::of(&Problem::new(&facts), &left);
        part = left;
    }
    Vec::new()
}

/// The smallest change after which what conflicts no longer does, and the graph with it.
fn ending(graph: &Graph, conflict: &Conflict, pins: &[PinId], tries: &mut usize) -> Option<(WhatIf, Graph)> {
    let facts = Facts::of(graph).ok()?;
    let named = named(&roles(&facts, pins, conflict));
    let mut candidates = candidates(&facts, conflict, &named);
    candidates.sort_by_key(WhatIf::extent);
    let counted = Counted {
        asks: Part::only(conflict.asks.iter().map(|(pin, _)| *pin)),
        sides: Part::only(conflict.sides.iter().copied()),
        writers: Part::All,
        data: conflict.data,
    };
    candidates.into_iter().find_map(|change| {
        *tries = tries.checked_sub(1)?;
        let changed = change.apply(graph)?;
        without_plan(&changed, &named, &counted).is_none().then_some((change, changed))
    })
}

/// Those of these changes that are needed: a later one may do what an earlier one did.
fn needed(graph: &Graph, mut changes: Vec<WhatIf>, pins: &[PinId]) -> Vec<WhatIf> {
    let mut place = 0;
    while place < changes.len() {
        let others = changes.iter().enumerate().filter(|(other, _)| *other != place);
        let without = others.fold(graph.clone(), |graph, (_, change)| change.apply(&graph).unwrap_or(graph));
        if without_plan(&without, pins, &Counted::EVERYTHING).is_none() {
            changes.remove(place);
        } else {
            place += 1;
        }
    }
    changes
}
