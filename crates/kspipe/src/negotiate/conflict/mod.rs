//! Why no plan is valid: the pins that cannot agree, what each has to do with it, and a change that was tried and helps.

mod suggest;
mod wording;

pub(super) use wording::{item_words, memory_name};

use super::counted::{Counted, Part};
use super::facts::{FactTables, Facts};
use super::memory::ANY_MEMORY;
use super::problem::Problem;
use super::table::Effort;
use super::what_if::{Asked, for_each_item};
use super::{Infeasible, component};
use crate::graph::{Graph, Mode, PinId, RouteKind};
use std::collections::{HashSet, VecDeque};
use std::hash::Hash;
use std::sync::Arc;
use suggest::suggest;
pub(super) use wording::Role;

/// Re-negotiations spent on an explanation, at most.
const MOST_TRIES: u32 = 64;
/// Work spent on each of them, at most.
const EFFORT_OF_A_TRY: u64 = 5_000_000;

/// What cannot be had at once: leave out any one of these, and the rest can.
#[derive(Clone, Debug, Default)]
pub(super) struct Conflict {
    /// What pins ask, by pin; a pin of which only the memory its side can reach matters is there with [`Asked::Memory`].
    pub(super) asks: Vec<(PinId, Asked)>,
    /// Pins that are in user mode.
    pub(super) sides: Vec<PinId>,
    /// Edges at which a filter writes.
    pub(super) writers: Vec<u32>,
    /// What is copied must fit.
    pub(super) data: bool,
    /// Nothing can be left out. Otherwise the re-negotiations came to their limit before that was known.
    pub(super) is_smallest: bool,
}

impl Conflict {
    /// What cannot be had at once by these pins, one component of a graph that has no valid plan.
    pub(super) fn of(problem: &Problem<'_>, pins: &[PinId]) -> Conflict {
        let mut trial = Trial { problem, pins, tries: 0 };
        let (mut conflict, asking) = trial.conflict();
        conflict.asks = trial.parts(&asking, &conflict);
        conflict.is_smallest = trial.tries < MOST_TRIES;
        conflict
    }

    /// The pins that ask something, each once.
    fn asking(&self) -> Vec<PinId> {
        let mut pins: Vec<PinId> = self.asks.iter().map(|(pin, _)| *pin).collect();
        pins.sort_unstable();
        pins.dedup();
        pins
    }

    /// What of a pin's asks is in it.
    pub(super) fn asked_of(&self, pin: PinId) -> Vec<Asked> {
        self.asks.iter().filter(|(asking, _)| *asking == pin).map(|(_, asked)| *asked).collect()
    }
}

/// Explains why these pins, one component of a graph, have no valid plan.
pub(super) fn explain_conflict(problem: &Problem<'_>, pins: &[PinId]) -> Box<Infeasible> {
    let facts = problem.facts;
    let conflict = Conflict::of(problem, pins);
    let roles = roles(facts, pins, &conflict);
    let mut message = wording::message(facts, &conflict, &roles);
    if !conflict.is_smallest {
        message
            .push_str(&format!(" (perhaps not all of this matters: {MOST_TRIES} re-negotiations did not settle it)"));
    }
    let named = named(&roles);
    let changes = suggest(facts, &conflict, &named, pins);
    let together = if changes.is_empty() { suggest::together(facts, &conflict, pins) } else { Vec::new() };
    let asks = roles.iter().map(|(pin, role)| (*pin, wording::describe(facts, &conflict, *pin, *role))).collect();
    let help = suggest::help(facts.graph, &changes, &together);
    Box::new(Infeasible { pins: named, asks, message, help, changes, together })
}

/// Each pin that has to do with a conflict, and what, in the order of the pins.
pub(super) fn roles(facts: &Facts<'_>, pins: &[PinId], conflict: &Conflict) -> Vec<(PinId, Role)> {
    let mut roles: Vec<(PinId, Role)> = Vec::new();
    let asking = conflict.asking();
    roles.extend(asking.iter().map(|pin| (*pin, Role::Asks)));
    // What a pin asks is said with its side.
    let on_a_side = conflict.sides.iter().filter(|pin| !asking.contains(pin));
    roles.extend(on_a_side.map(|pin| (*pin, Role::IsOnItsSide)));
    for edge in conflict.writers.iter().map(|writer| &facts.edges[*writer as usize]) {
        roles.push((edge.from, Role::Writes(edge.to)));
        roles.extend(shared_above(facts, edge.from).map(|pin| (pin, Role::IsShared)));
    }
    if conflict.data {
        let writers = conflict.writers.iter().map(|writer| facts.edges[*writer as usize].from);
        let receivers = asking.iter().copied().chain(writers);
        let mut origins: Vec<PinId> = receivers.filter_map(|pin| data_above(facts, pin)).collect();
        if origins.is_empty() {
            origins.extend(pins.iter().copied().max_by_key(|pin| facts.data[pin.index()]));
        }
        roles.extend(origins.into_iter().map(|pin| (pin, Role::Carries(facts.data[pin.index()]))));
    }
    if roles.is_empty() {
        let copies = facts.graph.routes().iter().filter(|route| route.kind == RouteKind::Copy);
        let component = pins.first().map(|pin| facts.component_of(*pin));
        let is_inside = |pin: PinId| Some(facts.component_of(pin)) == component;
        let inside = copies.filter(|route| is_inside(route.from) && is_inside(route.to));
        roles.extend(inside.map(|route| (route.from, Role::Copies(route.to))));
    }
    roles.sort_by_key(|(pin, _)| *pin);
    roles.dedup();
    roles
}

/// The pins that have to do with a conflict, each once.
fn named(roles: &[(PinId, Role)]) -> Vec<PinId> {
    let mut named: Vec<PinId> = roles.iter().map(|(pin, _)| *pin).collect();
    named.sort_unstable();
    named.dedup();
    named
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

/// Leaves out one thing that a pin asks; `false` where it does not ask that.
fn leave_out(graph: &mut Graph, required: &mut [u64], pin: PinId, asked: Asked) -> bool {
    match asked {
        Asked::MediaSize => std::mem::replace(&mut required[pin.index()], 0) > 0,
        Asked::Memory => for_each_item(graph, pin, |item| item.memory = ANY_MEMORY),
        asked => for_each_item(graph, pin, |item| asked.drop_from(item)),
    }
}

struct Trial<'a> {
    problem: &'a Problem<'a>,
    pins: &'a [PinId],
    tries: u32,
}

impl Trial<'_> {
    /// Whether there is a plan when only this counts.
    fn is_feasible(&mut self, counted: &Counted) -> bool {
        self.is_feasible_in(self.problem, counted)
    }

    fn is_feasible_in(&mut self, problem: &Problem<'_>, counted: &Counted) -> bool {
        self.tries += 1;
        let ground = problem.ground(self.pins, counted);
        let mut effort = Effort::up_to(EFFORT_OF_A_TRY);
        component::solve(problem, self.pins, &ground, &mut effort, counted).is_some() || effort.exhausted
    }

    /// What conflicts, kind after kind: the fewest pins' asks with everything else, then the fewest sides with these asks,
    /// then the fewest writers with these asks and sides. So leaving out any one thing makes the rest feasible. What of
    /// their asks matters is still open: the pins that ask are the second part.
    fn conflict(&mut self) -> (Conflict, Vec<PinId>) {
        let facts = self.problem.facts;
        let mut counted = Counted::EVERYTHING;
        let asks = |pin: &PinId| !facts.graph.pin(*pin).items().is_empty() || facts.required[pin.index()] > 0;
        let candidates: Vec<PinId> = self.pins.iter().copied().filter(asks).collect();
        let with = |part| Counted { asks: part, ..Counted::EVERYTHING };
        let asks = self.fewest(&candidates, with);
        counted.asks = Part::only(asks.iter().copied());

        let candidates = self.nearest_first(&asks, |pin| facts.graph.mode(pin) == Mode::User);
        let sides = self.fewest(&candidates, |part| Counted { sides: part, ..counted.clone() });
        counted.sides = Part::only(sides.iter().copied());

        let places = 0..facts.edges.len() as u32;
        let inside = facts.component_of(self.pins[0]);
        let writers: Vec<u32> = places
            .filter(|place| {
                let edge = facts.edges[*place as usize];
                edge.kind.writes() && facts.component_of(edge.from) == inside
            })
            .collect();
        let writers = self.fewest(&writers, |part| Counted { writers: part, ..counted.clone() });
        counted.writers = Part::only(writers.iter().copied());

        counted.data = false;
        let data = self.tries < MOST_TRIES && self.is_feasible(&counted);
        (Conflict { sides, writers, data, ..Conflict::default() }, asks)
    }

    /// What of the asks of these pins matters: one after the other is left out where the rest conflicts all the same.
    fn parts(&mut self, asking: &[PinId], conflict: &Conflict) -> Vec<(PinId, Asked)> {
        let base = self.problem.facts;
        let counted = Counted {
            asks: Part::only(asking.iter().copied()),
            sides: Part::only(conflict.sides.iter().copied()),
            writers: Part::only(conflict.writers.iter().copied()),
            data: conflict.data,
        };
        let mut kept = Vec::new();
        if asking.is_empty() {
            return kept;
        }
        let mut graph = base.graph.clone();
        let mut required = base.required.clone();
        for pin in asking {
            let first = kept.len();
            for asked in Asked::BINDING {
                let before = graph.pin(*pin).framing().clone();
                let needed = required[pin.index()];
                if !leave_out(&mut graph, &mut required, *pin, asked) {
                    continue;
                }
                if self.tries >= MOST_TRIES || self.is_feasible_without(&graph, &required, &counted) {
                    graph.pins[pin.index()].framing = before;
                    required[pin.index()] = needed;
                    kept.push((*pin, asked));
                }
            }
            if kept.len() == first {
                kept.push((*pin, Asked::Memory));
            }
        }
        kept
    }

    /// Whether there is a plan for a graph of which something was left out. The data stay what they are.
    fn is_feasible_without(&mut self, graph: &Graph, required: &[u64], counted: &Counted) -> bool {
        let base = self.problem.facts;
        let Ok(mut tables) = FactTables::of(graph) else { return false };
        tables.data.clone_from(&base.data);
        tables.unknown_data = base.unknown_data;
        tables.required.copy_from_slice(required);
        let facts = Facts::with(graph, &Arc::new(tables));
        self.is_feasible_in(&Problem::new(&facts), counted)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Bridges, Direction, FrameRange, FramingItem, RouteKind};
    use ks::{
        Guid, KSMEMORY_TYPE_DEVICE_UNKNOWN, KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_USER, KSMEMORY_TYPE_WILDCARD,
        RequirementFlags,
    };
    use proptest::prelude::*;
    use proptest::sample::select;

    fn item() -> impl Strategy<Value = FramingItem> {
        let memories = vec![
            KSMEMORY_TYPE_WILDCARD,
            KSMEMORY_TYPE_USER,
            KSMEMORY_TYPE_KERNEL_NONPAGED,
            KSMEMORY_TYPE_DEVICE_UNKNOWN,
        ];
        let range = || (0u32..6, 0u32..12, select(vec![1u32, 1, 4, 6]));
        let flags = select(vec![
            RequirementFlags::empty(),
            RequirementFlags::MUST_ALLOCATE,
            RequirementFlags::INPLACE_MODIFIER,
            RequirementFlags::FRAME_INTEGRITY,
        ]);
        (select(memories), range(), 0u32..10, flags).prop_map(|(memory, (min, more, step), capacity, requirements)| {
            FramingItem {
                memory,
                physical: FrameRange { min, max: min + more, step },
                optimal: FrameRange { min: capacity, ..FrameRange::OPEN },
                requirements,
                bus: Guid::NULL,
                ..FramingItem::default()
            }
        })
    }

    /// A chain of filters that pass frames on or write into them, without bridges.
    fn chain() -> impl Strategy<Value = Graph> {
        let pin = || prop::collection::vec(item(), 0..3);
        let filter = (any::<bool>(), any::<bool>(), pin(), pin(), prop::option::of(1u64..12));
        prop::collection::vec(filter, 2..5).prop_map(|filters| {
            let mut graph = Graph::builder();
            graph.bridges(Bridges::Forbid);
            for (place, (kernel, writes, ins, outs, media_size)) in filters.into_iter().enumerate() {
                let name = format!("f{place}");
                let mode = if kernel { Mode::Kernel } else { Mode::User };
                for (pin, direction, items) in [("in", Direction::In, ins), ("out", Direction::Out, outs)] {
                    let mut pin = graph.filter(&name).mode(mode).pin(pin, direction);
                    for item in items {
                        pin = pin.item(item);
                    }
                    pin.media_size(media_size.unwrap_or(0));
                }
                let kind = if writes { RouteKind::InPlace } else { RouteKind::Pass };
                graph.filter(&name).route("in", "out", kind);
                if place > 0 {
                    graph.connect(&format!("f{}.out", place - 1), &format!("{name}.in"));
                }
            }
            graph.build().unwrap()
        })
    }

    /// What conflicts, with only these asks of its pins counted.
    fn conflicts(problem: &Problem<'_>, pins: &[PinId], conflict: &Conflict) -> bool {
        let base = problem.facts;
        let mut trial = Trial { problem, pins, tries: 0 };
        let (mut graph, mut required) = (base.graph.clone(), base.required.clone());
        for pin in base.graph.pin_ids() {
            for asked in Asked::BINDING {
                if !conflict.asks.contains(&(pin, asked)) {
                    leave_out(&mut graph, &mut required, pin, asked);
                }
            }
        }
        let counted = Counted {
            asks: Part::All,
            sides: Part::only(conflict.sides.iter().copied()),
            writers: Part::only(conflict.writers.iter().copied()),
            data: conflict.data,
        };
        !trial.is_feasible_without(&graph, &required, &counted)
    }

    proptest! {
        #[test]
        fn nothing_of_a_conflict_can_be_left_out(graph in chain()) {
            let Ok(facts) = Facts::of(&graph) else { return Ok(()) };
            let problem = Problem::new(&facts);
            for pins in facts.components().map(|component| facts.component(component)) {
                let ground = problem.ground(pins, &Counted::EVERYTHING);
                let mut effort = Effort::up_to(EFFORT_OF_A_TRY);
                if component::solve(&problem, pins, &ground, &mut effort, &Counted::EVERYTHING).is_some() {
                    continue;
                }
                let whole = Conflict::of(&problem, pins);
                prop_assume!(whole.is_smallest);
                prop_assert!(conflicts(&problem, pins, &whole), "{:?} is no conflict", whole);
                for place in 0..whole.asks.len() {
                    let mut less = whole.clone();
                    less.asks.remove(place);
                    prop_assert!(!conflicts(&problem, pins, &less), "{:?}: {} is needless", whole, place);
                }
                for place in 0..whole.sides.len() {
                    let mut less = whole.clone();
                    less.sides.remove(place);
                    prop_assert!(!conflicts(&problem, pins, &less), "{:?}: side {} is needless", whole, place);
                }
                for place in 0..whole.writers.len() {
                    let mut less = whole.clone();
                    less.writers.remove(place);
                    prop_assert!(!conflicts(&problem, pins, &less), "{:?}: writer {} is needless", whole, place);
                }
            }
        }
    }
}
