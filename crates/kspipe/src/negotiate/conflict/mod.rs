//! Why no plan is valid: the pins that cannot agree, what each has to do with it, and a change that was tried and helps.

mod suggest;
mod wording;

pub(super) use wording::memory_name;

use super::counted::{Counted, Part};
use super::facts::Facts;
use super::problem::Problem;
use super::table::Effort;
use super::{Infeasible, component};
use crate::graph::{Mode, PinId, RouteKind};
use std::collections::{HashSet, VecDeque};
use std::hash::Hash;
use suggest::suggest;
use wording::Role;

/// Re-negotiations spent on an explanation, at most.
const MOST_TRIES: u32 = 64;
/// Work spent on each of them, at most.
const EFFORT_OF_A_TRY: u64 = 5_000_000;

/// What cannot be had at once: leave out any one of these, and the rest can.
#[derive(Debug, Default)]
struct Conflict {
    /// Pins that ask something.
    asks: Vec<PinId>,
    /// Pins that are on a side.
    sides: Vec<PinId>,
    /// Edges at which a filter writes.
    writers: Vec<u32>,
    /// What is copied must fit.
    data: bool,
}

/// Explains why these pins, one component of a graph, have no valid plan.
pub(super) fn explain_conflict(problem: &Problem<'_>, pins: &[PinId]) -> Infeasible {
    let facts = problem.facts;
    let mut trial = Trial { problem, pins, tries: 0 };
    let conflict = trial.conflict();
    let smallest = trial.tries < MOST_TRIES;
    let roles = roles(facts, pins, &conflict);
    let mut message = wording::message(facts, &roles);
    if !smallest {
        message.push_str(" (perhaps not all of them matter)");
    }
    let mut named: Vec<PinId> = Vec::new();
    for (pin, _) in &roles {
        if !named.contains(pin) {
            named.push(*pin);
        }
    }
    named.sort_unstable();
    let help = suggest(facts, &named, &conflict.writers, pins.first().copied());
    let asks = roles.iter().map(|(pin, role)| (*pin, wording::describe(facts, *pin, *role))).collect();
    Infeasible { pins: named, asks, message, help }
}

/// Each pin that has to do with a conflict, and what, in the order of the pins.
fn roles(facts: &Facts<'_>, pins: &[PinId], conflict: &Conflict) -> Vec<(PinId, Role)> {
    let mut roles: Vec<(PinId, Role)> = Vec::new();
    roles.extend(conflict.asks.iter().map(|pin| (*pin, Role::Asks)));
    // What a pin asks is said with its side.
    let on_a_side = conflict.sides.iter().filter(|pin| !conflict.asks.contains(pin));
    roles.extend(on_a_side.map(|pin| (*pin, Role::IsOnItsSide)));
    for edge in conflict.writers.iter().map(|writer| &facts.edges[*writer as usize]) {
        roles.push((edge.from, Role::Writes(edge.to)));
        roles.extend(shared_above(facts, edge.from).map(|pin| (pin, Role::IsShared)));
    }
    if conflict.data {
        let writers = conflict.writers.iter().map(|writer| facts.edges[*writer as usize].from);
        let receivers = conflict.asks.iter().copied().chain(writers);
        let mut origins: Vec<PinId> = receivers.filter_map(|pin| data_above(facts, pin)).collect();
        if origins.is_empty() {
            origins.extend(pins.iter().copied().max_by_key(|pin| facts.data[pin.index()]));
        }
        roles.extend(origins.into_iter().map(|pin| (pin, Role::Carries(facts.data[pin.index()]))));
    }
    if roles.is_empty() {
        let copies = facts.graph.routes().iter().filter(|route| route.kind == RouteKind::Copy);
        let component = pins.first().map(|pin| facts.component_of[pin.index()]);
        let is_inside = |pin: PinId| Some(facts.component_of[pin.index()]) == component;
        let inside = copies.filter(|route| is_inside(route.from) && is_inside(route.to));
        roles.extend(inside.map(|route| (route.from, Role::Copies(route.to))));
    }
    roles.sort_by_key(|(pin, _)| *pin);
    roles.dedup();
    roles
}

/// The nearest in pin upstream whose frames go on to several pins of its filter, the pin itself included.
fn shared_above(facts: &Facts<'_>, pin: PinId) -> Option<PinId> {
    upstream(facts, pin).find(|pin| {
        let leaving = facts.edges_at(*pin).iter().map(|edge| facts.edges[*edge as usize]);
        leaving.filter(|edge| edge.from == *pin && edge.kind.is_route()).count() > 1
    })
}

/// The nearest pin, from this one upstream, that says how many bytes its frames carry, where that is not less than what
/// this one's do.
fn data_above(facts: &Facts<'_>, pin: PinId) -> Option<PinId> {
    let says = |pin: &PinId| {
        let pin = facts.graph.pin(*pin);
        let capacities = pin.items().iter().map(|item| u64::from(item.capacity())).filter(|capacity| *capacity > 0);
        pin.media_size().or(capacities.min())
    };
    let carries = facts.data[pin.index()].max(1);
    upstream(facts, pin).find(|above| says(above).is_some_and(|own| own >= carries && own == facts.data[above.index()]))
}

/// A pin and those upstream of it, the nearest first.
fn upstream<'a>(facts: &'a Facts<'_>, pin: PinId) -> impl Iterator<Item = PinId> + use<'a> {
    let mut seen = HashSet::from([pin]);
    let mut waiting = VecDeque::from([pin]);
    std::iter::from_fn(move || {
        let at = waiting.pop_front()?;
        for edge in facts.edges_at(at).iter().map(|edge| facts.edges[*edge as usize]) {
            if edge.to == at && seen.insert(edge.from) {
                waiting.push_back(edge.from);
            }
        }
        Some(at)
    })
}

struct Trial<'a> {
    problem: &'a Problem<'a>,
    pins: &'a [PinId],
    tries: u32,
}

impl Trial<'_> {
    /// Whether there is a plan when only this counts.
    fn is_feasible(&mut self, counted: &Counted) -> bool {
        self.tries += 1;
        let ground = self.problem.ground(self.pins, counted);
        let mut effort = Effort::up_to(EFFORT_OF_A_TRY);
        component::solve(self.problem, self.pins, &ground, &mut effort, counted).is_some() || effort.exhausted
    }

    /// What conflicts, kind after kind: the fewest asks with everything else, then the fewest sides with these asks, then
    /// the fewest writers with these asks and sides. So leaving out any one thing makes the rest feasible.
    fn conflict(&mut self) -> Conflict {
        let facts = self.problem.facts;
        let mut counted = Counted::EVERYTHING;
        let asks = |pin: &PinId| !facts.graph.pin(*pin).items().is_empty() || facts.required[pin.index()] > 0;
        let candidates: Vec<PinId> = self.pins.iter().copied().filter(asks).collect();
        let with = |part| Counted { asks: part, ..Counted::EVERYTHING };
        let asks = self.fewest(&candidates, with);
        counted.asks = Part::only(asks.iter().copied());

        // A kernel pin that asks nothing takes everything.
        let candidates = self.nearest_first(&asks, |pin| facts.graph.mode(pin) == Mode::User || asks.contains(&pin));
        let sides = self.fewest(&candidates, |part| Counted { sides: part, ..counted.clone() });
        counted.sides = Part::only(sides.iter().copied());

        let places = 0..facts.edges.len() as u32;
        let inside = facts.component_of[self.pins[0].index()];
        let writers: Vec<u32> = places
            .filter(|place| {
                let edge = facts.edges[*place as usize];
                edge.kind.writes() && facts.component_of[edge.from.index()] == inside
            })
            .collect();
        let writers = self.fewest(&writers, |part| Counted { writers: part, ..counted.clone() });
        counted.writers = Part::only(writers.iter().copied());

        counted.data = false;
        let data = self.tries < MOST_TRIES && self.is_feasible(&counted);
        Conflict { asks, sides, writers, data }
    }

    /// The fewest of `things` that conflict with what else counts: leaving out any one of them makes the rest feasible.
    fn fewest<T: Copy + Eq + Hash + Ord>(&mut self, things: &[T], counted: impl Fn(Part<T>) -> Counted) -> Vec<T> {
        if things.is_empty() || self.tries < MOST_TRIES && !self.is_feasible(&counted(Part::only([]))) {
            return Vec::new();
        }
        let mut conflict = self.fewest_in(&[], false, things, &counted);
        conflict.sort_unstable();
        conflict
    }

    /// Divides and conquers (Junker's QuickXplain), so few things among many are found in few tries.
    fn fewest_in<T: Copy + Eq + Hash>(
        &mut self,
        background: &[T],
        background_grew: bool,
        things: &[T],
        counted: &impl Fn(Part<T>) -> Counted,
    ) -> Vec<T> {
        let conflicts = |trial: &mut Self| !trial.is_feasible(&counted(Part::only(background.iter().copied())));
        if background_grew && self.tries < MOST_TRIES && conflicts(self) {
            return Vec::new();
        }
        if things.len() <= 1 || self.tries >= MOST_TRIES {
            return things.to_vec();
        }
        let (first, second) = things.split_at(things.len() / 2);
        let with_first: Vec<T> = background.iter().chain(first).copied().collect();
        let from_second = self.fewest_in(&with_first, true, second, counted);
        let with_second: Vec<T> = background.iter().chain(&from_second).copied().collect();
        let mut conflict = self.fewest_in(&with_second, !from_second.is_empty(), first, counted);
        conflict.extend(from_second);
        conflict
    }

    /// The pins of the component that are so, those nearest to `from` first: QuickXplain prefers what comes first.
    fn nearest_first(&self, from: &[PinId], is: impl Fn(PinId) -> bool) -> Vec<PinId> {
        let facts = self.problem.facts;
        let mut waiting: VecDeque<PinId> = from.iter().chain(self.pins).copied().collect();
        let mut seen = HashSet::new();
        let mut found = Vec::new();
        let mut near: VecDeque<PinId> = VecDeque::new();
        while let Some(pin) = near.pop_front().or_else(|| waiting.pop_front()) {
            if !seen.insert(pin) {
                continue;
            }
            if is(pin) {
                found.push(pin);
            }
            for edge in facts.edges_at(pin).iter().map(|edge| facts.edges[*edge as usize]) {
                near.push_back(if edge.from == pin { edge.to } else { edge.from });
            }
        }
        found
    }
}
