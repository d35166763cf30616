//! What is known of a graph: its facts, the solution of each component, and what the plan has yet to be told.

use super::difference::Difference;
use super::flow::{Flow, Flowed};
use super::patch::{Patch, Pipes};
use super::totals::Totals;
use crate::graph::{Bridges, Change, Graph, PinId};
use crate::negotiate::assemble::{Choices, assemble};
use crate::negotiate::clusters::Changes;
use crate::negotiate::conflict::explain_conflict;
use crate::negotiate::facts::{EdgeKind, FactTables, Facts};
use crate::negotiate::kept::{KeptComponent, Outcome};
use crate::negotiate::keys::{KeyOrder, Keys};
use crate::negotiate::memory::MemoryClass;
use crate::negotiate::problem::Problem;
use crate::negotiate::solve::{most_effort, proven_by_bounds};
use crate::negotiate::{NegotiateError, Plan};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A graph's facts and solution.
#[derive(Clone, Debug)]
pub(super) struct Solved {
    tables: Arc<FactTables>,
    flow: Flow,
    components: Vec<KeptComponent>,
    /// By component: what its solution costs, if it has one.
    keys: Vec<Option<Keys>>,
    totals: Totals,
    /// Components without a plan, those of which none was found, those whose plan may not be the best.
    infeasible: BTreeSet<u32>,
    undecided: BTreeSet<u32>,
    unproven: BTreeSet<u32>,
    choices: Choices,
    pipes: Pipes,
    untold: Untold,
}

/// What changed since the last plan.
#[derive(Clone, Debug, Default)]
struct Untold {
    /// The plan is to be put together anew.
    everything: bool,
    /// Pins that ask something else, or use another item.
    asking: Vec<PinId>,
    /// Pins that carry other data.
    data: Vec<PinId>,
    /// What unknown data counts as is another number.
    unknown: bool,
    /// Edges that were cut and are not, or are and were not.
    cuts: BTreeSet<u32>,
}

/// What changes of a graph touch.
#[derive(Default)]
struct Touched {
    /// Pins that ask something else.
    asking: Vec<PinId>,
    /// Pins that may carry other data.
    sources: Vec<PinId>,
    /// Pins that were connected or are, the out pin first.
    connections: Vec<(PinId, PinId)>,
    /// Routes that go otherwise.
    routes: Vec<(PinId, PinId)>,
    /// Every connection may be cut that could not, or the reverse.
    bridges: bool,
    strategy: bool,
}

impl Touched {
    fn by(graph: &Graph, changes: &[Change]) -> Self {
        let mut touched = Touched::default();
        for change in changes {
            match change {
                Change::Framing { pin, .. } | Change::MediaSize { pin, .. } | Change::Compression { pin, .. } => {
                    touched.asking.push(*pin);
                    touched.sources.push(*pin);
                }
                Change::Holds { pin, .. } => touched.asking.push(*pin),
                Change::Connect(connection) | Change::Disconnect(connection) => {
                    touched.sources.push(connection.to);
                    touched.connections.push((connection.from, connection.to));
                }
                Change::Route { from, to, .. } => {
                    touched.sources.push(*to);
                    // Whether the route passes frames on decides which items the in pin can use.
                    touched.asking.push(*from);
                    touched.routes.push((*from, *to));
                }
                Change::Mode { filter, .. } => touched.asking.extend(graph.filter(*filter).pins()),
                Change::Strategy(_) => touched.strategy = true,
                Change::Bridges(_) => touched.bridges = true,
            }
        }
        touched.asking.sort_unstable();
        touched
    }
}

impl Solved {
    /// Errors where the graph has a cycle.
    pub(super) fn new(graph: &Graph) -> Result<Self, NegotiateError> {
        let facts = Facts::of(graph)?;
        let tables = facts.tables();
        let mut solved = Solved {
            flow: Flow::of(graph, &tables),
            components: Vec::new(),
            keys: Vec::new(),
            totals: Totals::default(),
            infeasible: BTreeSet::new(),
            undecided: BTreeSet::new(),
            unproven: BTreeSet::new(),
            choices: Choices::none(&facts),
            pipes: Pipes::default(),
            untold: Untold::default(),
            tables,
        };
        solved.solve_all(graph, KeptComponent::new);
        Ok(solved)
    }

    /// Solves every component from nothing.
    fn solve_all(&mut self, graph: &Graph, solver: fn(&Problem<'_>, Vec<PinId>, u64) -> KeptComponent) {
        let facts = Facts::with(graph, &self.tables);
        let problem = Problem::new(&facts);
        let solve = |pins: &Vec<PinId>| solver(&problem, pins.clone(), most_effort(&facts, pins));
        self.components = facts.components.iter().map(solve).collect();
        self.forget_outcomes();
        for component in 0..self.components.len() as u32 {
            self.note(&problem.order, component);
        }
        self.untold.everything = true;
    }

    fn forget_outcomes(&mut self) {
        self.keys = vec![None; self.components.len()];
        self.totals = Totals::default();
        self.infeasible.clear();
        self.undecided.clear();
        self.unproven.clear();
    }

    /// Notes what came out for a component.
    fn note(&mut self, order: &KeyOrder, component: u32) {
        let outcome = self.components[component as usize].outcome();
        let keys = match outcome {
            Outcome::Solved { keys, .. } => Some(keys),
            Outcome::Infeasible | Outcome::Undecided { .. } => None,
        };
        if let Some(before) = std::mem::replace(&mut self.keys[component as usize], keys) {
            self.totals.take_back(order, &before);
        }
        if let Some(keys) = keys {
            self.totals.add(order, &keys);
        }
        let mut put = |set: fn(&mut Self) -> &mut BTreeSet<u32>, is_in: bool| {
            let set = set(self);
            let _ = if is_in { set.insert(component) } else { set.remove(&component) };
        };
        put(|solved| &mut solved.infeasible, outcome == Outcome::Infeasible);
        put(|solved| &mut solved.undecided, matches!(outcome, Outcome::Undecided { .. }));
        put(|solved| &mut solved.unproven, matches!(outcome, Outcome::Solved { proven: false, .. }));
    }

    /// Takes over what differs between the solution of a component and the one before. Where there is none now, the one
    /// before stays until there is one.
    fn take_over(choices: &mut Choices, untold: &mut Untold, changes: &Changes) {
        for (pin, choice) in &changes.pins {
            choices.pins[pin.index()] = *choice;
            untold.asking.push(*pin);
        }
        for (edges, is_cut) in [(&changes.cuts_added, true), (&changes.cuts_removed, false)] {
            for edge in edges {
                let was_cut = std::mem::replace(&mut choices.is_cut[*edge as usize], is_cut);
                // What changed twice is as it was.
                if was_cut != is_cut && !untold.cuts.remove(edge) {
                    untold.cuts.insert(*edge);
                }
            }
        }
    }

    /// The same after changes, of which `changes` names the places. Errors where the graph has a cycle now.
    pub(super) fn changed(mut self, graph: &Graph, changes: &[Change]) -> Result<Self, NegotiateError> {
        let touched = Touched::by(graph, changes);
        let connections = self.tables.edges.len() - graph.routes().len();
        let mut kinds = Vec::new();
        for (from, to) in &touched.routes {
            let found = graph.routes().binary_search_by_key(&(*from, *to), |route| (route.from, route.to));
            if let Ok(place) = found {
                kinds.push((connections + place, EdgeKind::of(graph.routes()[place].kind)));
            }
        }
        let moved = |(place, kind): &(usize, EdgeKind)| self.tables.edges[*place].kind.is_absent() != kind.is_absent();
        if !touched.connections.is_empty() || kinds.iter().any(moved) {
            return self.reconnected(graph, &touched);
        }
        let mut struck = BTreeSet::new();
        let tables = Arc::make_mut(&mut self.tables);
        for (place, kind) in kinds {
            tables.edges[place].take_kind(kind);
            struck.insert(tables.component_of[tables.edges[place].from.index()]);
        }
        if touched.bridges {
            for edge in tables.edges.iter_mut().filter(|edge| edge.kind == EdgeKind::Connection) {
                edge.cuttable = graph.bridges() == Bridges::Allow;
            }
        }
        let flowed = self.flow.follow(graph, tables, &touched.sources);
        if touched.strategy || touched.bridges {
            self.solve_all(graph, KeptComponent::to_be_kept);
        } else {
            self.solve_again(graph, &touched, &flowed, &struck);
        }
        self.untold.asking.extend(touched.asking.into_iter().chain(flowed.required));
        self.untold.data.extend(flowed.data);
        self.untold.unknown |= flowed.unknown;
        Ok(self)
    }

    /// Solves the components again in which something asks, carries or costs something else; those that are `struck`
    /// from nothing.
    fn solve_again(&mut self, graph: &Graph, touched: &Touched, flowed: &Flowed, struck: &BTreeSet<u32>) {
        let facts = Facts::with(graph, &self.tables);
        let problem = Problem::new(&facts);
        let component_of = |pin: PinId| facts.component_of[pin.index()];
        let mut asking: Vec<(u32, PinId)> =
            touched.asking.iter().chain(&flowed.required).map(|pin| (component_of(*pin), *pin)).collect();
        asking.sort_unstable();
        asking.dedup();
        let all = if flowed.unknown { facts.graph.pins().len() as u32 } else { 0 };
        let unknown = (0..all).map(PinId).filter(|pin| facts.data[pin.index()] == 0);
        let mut edges: Vec<(u32, u32)> = Vec::new();
        for pin in flowed.data.iter().copied().chain(unknown) {
            let leaving = facts.edges_at(pin).iter().copied();
            let leaving = leaving.filter(|edge| {
                let edge = &facts.edges[*edge as usize];
                edge.from == pin && edge.cuttable
            });
            edges.extend(leaving.map(|edge| (component_of(pin), edge)));
        }
        edges.sort_unstable();
        edges.dedup();
        let mut again: BTreeSet<u32> = struck.clone();
        again.extend(asking.iter().map(|(component, _)| *component));
        again.extend(edges.iter().map(|(component, _)| *component));
        for component in again {
            if struck.contains(&component) {
                let pins = &facts.components[component as usize];
                let solved = KeptComponent::to_be_kept(&problem, pins.clone(), most_effort(&facts, pins));
                self.components[component as usize] = solved;
                self.untold.everything = true;
            } else {
                let limit = most_effort(&facts, &facts.components[component as usize]);
                let (pins, edges) = (seconds(&asking, component), seconds(&edges, component));
                let kept = &mut self.components[component as usize];
                kept.update(&problem, &pins, &edges, limit);
                if let Some(changes) = kept.changes(&problem) {
                    Solved::take_over(&mut self.choices, &mut self.untold, &changes);
                }
            }
            self.note(&problem.order, component);
        }
    }

    /// The same after pins were joined or parted: the facts are found anew, and the components in which nothing changed
    /// stay as they are.
    fn reconnected(mut self, graph: &Graph, touched: &Touched) -> Result<Self, NegotiateError> {
        if touched.strategy || touched.bridges {
            return Solved::new(graph);
        }
        let facts = Facts::of(graph)?;
        let problem = Problem::new(&facts);
        let before = std::mem::replace(&mut self.tables, facts.tables());
        let mut struck = vec![false; facts.components.len()];
        for (from, to) in touched.connections.iter().chain(&touched.routes) {
            for pin in [from, to] {
                struck[facts.component_of[pin.index()] as usize] = true;
            }
        }
        let mut old: Vec<Option<KeptComponent>> = self.components.drain(..).map(Some).collect();
        // What lies upstream of a cut, and so what it costs, can have changed in components that did not.
        let depths_before = before.depths();
        let is_other = |pin: PinId| {
            let place = pin.index();
            facts.data[place] != before.data[place]
                || facts.unknown_data != before.unknown_data && facts.data[place] == 0
                || depths_before.is_some_and(|before| before[place] != facts.depths()[place])
        };
        for (number, pins) in facts.components.iter().enumerate() {
            let kept = match pins.first() {
                Some(first) if !struck[number] => old[before.component_of[first.index()] as usize].take(),
                _ => None,
            };
            // How much work is done on one that was too hard depends on how many there are.
            let is_sure = |kept: &KeptComponent| match kept.outcome() {
                Outcome::Solved { proven, .. } => proven,
                Outcome::Infeasible => true,
                Outcome::Undecided { .. } => false,
            };
            let Some(mut kept) = kept.filter(is_sure) else {
                self.components.push(KeptComponent::to_be_kept(&problem, pins.clone(), most_effort(&facts, pins)));
                continue;
            };
            let is_asking = |pin: &PinId| {
                facts.required[pin.index()] != before.required[pin.index()] || touched.asking.binary_search(pin).is_ok()
            };
            let asking: Vec<PinId> = pins.iter().copied().filter(is_asking).collect();
            let others = pins.iter().filter(|pin| is_other(**pin));
            let leaving = others.flat_map(|pin| facts.edges_at(*pin).iter().map(move |edge| (*pin, *edge)));
            let dearer = leaving.filter(|(pin, edge)| {
                let edge = &facts.edges[*edge as usize];
                edge.from == *pin && edge.cuttable
            });
            let edges: Vec<u32> = dearer.map(|(_, edge)| edge).collect();
            if !asking.is_empty() || !edges.is_empty() {
                kept.update(&problem, &asking, &edges, most_effort(&facts, pins));
            }
            self.components.push(kept);
        }
        self.flow = Flow::of(graph, &facts);
        self.forget_outcomes();
        self.untold = Untold { everything: true, ..Untold::default() };
        for component in 0..self.components.len() as u32 {
            self.note(&problem.order, component);
        }
        Ok(self)
    }

    /// Why the graph has no plan; `None` where it has one.
    pub(super) fn error(&self, graph: &Graph) -> Option<NegotiateError> {
        if let Some(first) = self.infeasible.first() {
            let facts = Facts::with(graph, &self.tables);
            let pins = &facts.components[*first as usize];
            return Some(NegotiateError::Infeasible(explain_conflict(&Problem::new(&facts), pins)));
        }
        let states = |component: &u32| match self.components[*component as usize].outcome() {
            Outcome::Undecided { used } => used,
            Outcome::Solved { .. } | Outcome::Infeasible => 0,
        };
        let states: u64 = self.undecided.iter().map(states).fold(0, u64::saturating_add);
        (!self.undecided.is_empty()).then_some(NegotiateError::Undecided { states })
    }

    /// Makes the last plan the one that was found; every component has a solution.
    pub(super) fn tell(&mut self, graph: &Graph, plan: &mut Option<Plan>) -> Difference {
        let facts = Facts::with(graph, &self.tables);
        let problem = Problem::new(&facts);
        let untold = std::mem::take(&mut self.untold);
        let difference = match plan {
            Some(plan) if !untold.everything => {
                let Untold { asking, data, unknown, cuts, .. } = untold;
                let patch = Patch { asking, data, unknown, cuts: cuts.into_iter().collect() };
                let components = &self.components;
                let choices = &self.choices;
                let memory_of = |pin: PinId| memory_of(components, &facts, pin, choices);
                let (rank, totals) = (&self.flow.rank, &mut self.totals);
                self.pipes.patch(&problem, choices, memory_of, rank, patch, plan, totals)
            }
            _ => {
                self.choices = Choices::none(&facts);
                for component in &mut self.components {
                    // Told as a whole.
                    let _ = component.changes(&problem);
                    if let Some(solution) = component.solution() {
                        self.choices.take(&solution);
                    }
                }
                let memory_of = |pin: PinId| memory_of(&self.components, &facts, pin, &self.choices);
                let new = assemble(&facts, &problem.order, &self.choices, memory_of);
                let difference = Difference::between(plan.as_ref(), &new);
                self.pipes = Pipes::of(&facts, &self.choices, &self.flow.rank, &new);
                self.totals.clear_sizes();
                new.pipes.iter().for_each(|pipe| self.totals.add_size(pipe.frame_size));
                *plan = Some(new);
                difference
            }
        };
        if let Some(plan) = plan {
            plan.cost = self.totals.cost(plan.pipes.len());
            plan.proven = if self.unproven.is_empty() {
                problem.order.compared() as u8
            } else {
                proven_by_bounds(&facts, &problem.order, plan)
            };
        }
        difference
    }
}

/// The memory chosen at a pin.
fn memory_of(components: &[KeptComponent], facts: &Facts<'_>, pin: PinId, choices: &Choices) -> MemoryClass {
    let component = &components[facts.component_of[pin.index()] as usize];
    component.ground().classes[choices.pins[pin.index()].class as usize]
}

/// What belongs to a component, in a list in the order of the components.
fn seconds<T: Copy>(pairs: &[(u32, T)], component: u32) -> Vec<T> {
    let start = pairs.partition_point(|pair| pair.0 < component);
    pairs[start..].iter().take_while(|pair| pair.0 == component).map(|pair| pair.1).collect()
}
