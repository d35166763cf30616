//! What is known of a graph: its facts, the solution of each component, and what the plan has yet to be told.

use super::difference::Difference;
use super::flow::{Flow, Flowed};
use super::patch::{Patch, Pipes, ToldEdge};
use super::relink::Relinked;
use super::totals::Totals;
use super::walk::Walk;
use crate::graph::{Bridges, Change, Graph, PinId};
use crate::negotiate::assemble::{Choices, assemble};
use crate::negotiate::clusters::{Changes, Clusters};
use crate::negotiate::conflict::explain_conflict;
use crate::negotiate::decomposition::PINS_OF_A_PIECE;
use crate::negotiate::facts::{Edge, EdgeKind, FactTables, Facts};
use crate::negotiate::kept::{KeptComponent, Outcome};
use crate::negotiate::keys::Keys;
use crate::negotiate::memory::MemoryClass;
use crate::negotiate::problem::Problem;
use crate::negotiate::solve::{most_effort, proven_by_bounds};
use crate::negotiate::{NegotiateError, Plan};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A graph's facts and solution.
#[derive(Clone, Debug)]
pub(super) struct Solved {
    pub(super) tables: Arc<FactTables>,
    pub(super) flow: Flow,
    pub(super) walk: Walk,
    pub(super) clusters: Clusters,
    pub(super) components: BTreeMap<u32, KeptComponent>,
    /// By component that has a solution: what it costs.
    keys: BTreeMap<u32, Keys>,
    totals: Totals,
    /// Components without a plan.
    infeasible: BTreeSet<u32>,
    /// Those of which none was found, though not all were looked for.
    pub(super) undecided: BTreeSet<u32>,
    /// Those whose plan may not be the best.
    pub(super) unproven: BTreeSet<u32>,
    pub(super) choices: Choices,
    pub(super) pipes: Pipes,
    pub(super) untold: Untold,
}

/// What changed since the last plan.
#[derive(Clone, Debug, Default)]
pub(super) struct Untold {
    /// The plan is to be put together anew.
    pub(super) everything: bool,
    /// Pins lie deeper than they did, or less deep.
    pub(super) order: bool,
    /// Pins that ask something else, or use another item.
    asking: Vec<PinId>,
    /// Pins that carry other data.
    data: Vec<PinId>,
    /// What unknown data counts as is another number.
    unknown: bool,
    /// Edges that were changed: what was there, and whether it was cut.
    pub(super) edges: BTreeMap<u32, (Edge, bool)>,
}

/// What changes of a graph touch.
#[derive(Default)]
pub(super) struct Touched {
    /// Pins that ask something else.
    pub(super) asking: Vec<PinId>,
    /// Pins that may carry other data.
    pub(super) sources: Vec<PinId>,
    /// Pins that were connected or are, the out pin first.
    pub(super) connections: Vec<(PinId, PinId)>,
    /// Routes that go otherwise.
    pub(super) routes: Vec<(PinId, PinId)>,
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
            walk: Walk::of(&facts),
            clusters: Clusters::new(graph.pins().len(), PINS_OF_A_PIECE),
            components: BTreeMap::new(),
            keys: BTreeMap::new(),
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
    fn solve_all(&mut self, graph: &Graph, solver: fn(&Problem<'_>, &mut Clusters, &[PinId], u64) -> KeptComponent) {
        let facts = Facts::with(graph, &self.tables);
        let problem = Problem::new(&facts);
        self.clusters = Clusters::new(graph.pins().len(), PINS_OF_A_PIECE);
        let clusters = &mut self.clusters;
        let solve = |component: u32| {
            let pins = facts.component(component);
            (component, solver(&problem, clusters, pins, most_effort(&facts, pins.len())))
        };
        self.components = facts.components().map(solve).collect();
        self.forget_outcomes();
        for component in facts.components() {
            self.note(&problem, component);
        }
        self.untold.everything = true;
    }

    fn forget_outcomes(&mut self) {
        self.keys.clear();
        self.totals = Totals::default();
        self.infeasible.clear();
        self.undecided.clear();
        self.unproven.clear();
    }

    /// Notes what came out for a component; nothing where it is none any more.
    pub(super) fn note(&mut self, problem: &Problem<'_>, component: u32) {
        let outcome = self.components.get(&component).map(|kept| kept.outcome(problem, &self.clusters));
        if let Some(before) = self.keys.remove(&component) {
            self.totals.take_back(&problem.order, &before);
        }
        if let Some(Outcome::Solved { keys, .. }) = outcome {
            self.totals.add(&problem.order, &keys);
            self.keys.insert(component, keys);
        }
        for (set, is_in) in [
            (&mut self.infeasible, outcome == Some(Outcome::Infeasible)),
            (&mut self.undecided, matches!(outcome, Some(Outcome::Undecided { .. }))),
            (&mut self.unproven, matches!(outcome, Some(Outcome::Solved { proven: false, .. }))),
        ] {
            let _ = if is_in { set.insert(component) } else { set.remove(&component) };
        }
    }

    /// Takes over what differs between the solution of a component and the one before. Where there is none now, the one
    /// before stays until there is one.
    fn take_over(choices: &mut Choices, untold: &mut Untold, edges: &[Edge], changes: &Changes) {
        for (pin, choice) in &changes.pins {
            choices.pins[pin.index()] = *choice;
            untold.asking.push(*pin);
        }
        for (changed, is_cut) in [(&changes.cuts_added, true), (&changes.cuts_removed, false)] {
            for number in changed {
                let was_cut = std::mem::replace(&mut choices.is_cut[*number as usize], is_cut);
                if was_cut != is_cut {
                    untold.edges.entry(*number).or_insert((edges[*number as usize], was_cut));
                }
            }
        }
    }

    /// The same after changes, of which `changes` names the places. Errors where the graph has a cycle now.
    pub(super) fn changed(mut self, graph: &Graph, changes: &[Change]) -> Result<Self, NegotiateError> {
        let touched = Touched::by(graph, changes);
        let links = self.links(graph, &touched);
        let mut relinked = Relinked::default();
        if links.iter().any(|link| link.is_moved()) {
            if touched.strategy || touched.bridges {
                return Solved::new(graph);
            }
            match self.can_relink(&links).then(|| self.relink(graph, &links)).flatten() {
                Some(found) => relinked = found,
                None => return self.reconnected(graph, &touched),
            }
        }
        let tables = Arc::make_mut(&mut self.tables);
        for link in links.iter().filter(|link| !link.is_moved()) {
            tables.put_edge(link.number, link.now);
            relinked.again.insert(tables.component_of(link.now.from));
        }
        if touched.bridges {
            for edge in tables.edges.iter_mut().filter(|edge| edge.kind == EdgeKind::Connection) {
                edge.cuttable = graph.bridges() == Bridges::Allow;
            }
        }
        let flowed = self.flow.follow(graph, tables, &self.walk, &touched.sources);
        if touched.strategy || touched.bridges {
            self.solve_all(graph, KeptComponent::to_be_kept);
        } else {
            let facts = Facts::with(graph, &self.tables);
            for link in links.iter().filter(|link| !link.is_moved()) {
                let kept = self.components.get(&facts.component_of(link.now.from));
                if kept.is_some_and(|kept| kept.tree().is_some()) {
                    self.clusters.change_kind(&facts, link.number);
                }
            }
            drop(facts);
            self.solve_again(graph, &touched, &flowed, relinked);
        }
        self.untold.asking.extend(touched.asking.into_iter().chain(flowed.required));
        self.untold.data.extend(flowed.data);
        self.untold.unknown |= flowed.unknown;
        Ok(self)
    }

    /// Solves the components again in which something asks, carries or costs something else, and those that were relinked.
    fn solve_again(&mut self, graph: &Graph, touched: &Touched, flowed: &Flowed, relinked: Relinked) {
        let facts = Facts::with(graph, &self.tables);
        let problem = Problem::new(&facts);
        let component_of = |pin: PinId| facts.component_of(pin);
        let mut asking: Vec<(u32, PinId)> =
            touched.asking.iter().chain(&flowed.required).map(|pin| (component_of(*pin), *pin)).collect();
        asking.sort_unstable();
        asking.dedup();
        let all = if flowed.unknown { facts.graph.pins().len() as u32 } else { 0 };
        let unknown = (0..all).map(PinId).filter(|pin| facts.data[pin.index()] == 0);
        let mut edges: Vec<(u32, u32)> = Vec::new();
        for pin in flowed.data.iter().copied().chain(unknown) {
            edges.extend(cuttable_from(&facts, pin).map(|edge| (component_of(pin), edge)));
        }
        edges.sort_unstable();
        edges.dedup();
        let Relinked { mut again, deeper } = relinked;
        again.extend(asking.iter().map(|(component, _)| *component));
        again.extend(edges.iter().map(|(component, _)| *component));
        for component in again {
            if let Some(kept) = self.components.get_mut(&component) {
                let limit = most_effort(&facts, facts.component_size(component));
                let (pins, edges) = (seconds(&asking, component), seconds(&edges, component));
                kept.update(&problem, &mut self.clusters, component, (&pins, &edges), limit);
                if let Some(changes) = kept.changes(&problem, &mut self.clusters) {
                    Solved::take_over(&mut self.choices, &mut self.untold, &facts.edges, &changes);
                }
            }
            self.note(&problem, component);
        }
        deeper.into_iter().for_each(|component| self.note(&problem, component));
    }

    /// The same after pins were joined or parted where that cannot be followed: the facts are found anew, and the
    /// components in which nothing changed stay as they are.
    fn reconnected(mut self, graph: &Graph, touched: &Touched) -> Result<Self, NegotiateError> {
        let facts = Facts::of(graph)?;
        let problem = Problem::new(&facts);
        let before = std::mem::replace(&mut self.tables, facts.tables());
        let struck: BTreeSet<u32> = touched
            .connections
            .iter()
            .chain(&touched.routes)
            .flat_map(|(from, to)| [facts.component_of(*from), facts.component_of(*to)])
            .collect();
        let mut old = std::mem::take(&mut self.components);
        // What lies upstream of a cut, and so what it costs, can have changed in components that did not.
        let depths_before = before.depths();
        let is_other = |pin: PinId| {
            let place = pin.index();
            facts.data[place] != before.data[place]
                || facts.unknown_data != before.unknown_data && facts.data[place] == 0
                || depths_before.is_some_and(|before| before[place] != facts.depths()[place])
        };
        for number in facts.components() {
            let pins = facts.component(number);
            let kept = match pins.first() {
                Some(first) if !struck.contains(&number) => old.remove(&before.component_of(*first)),
                _ => None,
            };
            // How much work is done on one that was too hard depends on how many there are.
            let is_sure = |kept: &KeptComponent| match kept.outcome(&problem, &self.clusters) {
                Outcome::Solved { proven, .. } => proven,
                Outcome::Infeasible => true,
                Outcome::Undecided { .. } => false,
            };
            let limit = most_effort(&facts, pins.len());
            let Some(mut kept) = kept.filter(is_sure) else {
                let solved = KeptComponent::to_be_kept(&problem, &mut self.clusters, pins, limit);
                self.components.insert(number, solved);
                continue;
            };
            let is_asking = |pin: &PinId| {
                facts.required[pin.index()] != before.required[pin.index()] || touched.asking.binary_search(pin).is_ok()
            };
            let asking: Vec<PinId> = pins.iter().copied().filter(is_asking).collect();
            let others = pins.iter().copied().filter(|pin| is_other(*pin));
            let edges: Vec<u32> = others.flat_map(|pin| cuttable_from(&facts, pin)).collect();
            if !asking.is_empty() || !edges.is_empty() {
                kept.update(&problem, &mut self.clusters, number, (&asking, &edges), limit);
            }
            self.components.insert(number, kept);
        }
        for root in old.values().filter_map(KeptComponent::tree) {
            self.clusters.drop_tree(root);
        }
        self.flow = Flow::of(graph, &facts);
        self.walk = Walk::of(&facts);
        self.forget_outcomes();
        self.untold = Untold { everything: true, ..Untold::default() };
        for component in facts.components() {
            self.note(&problem, component);
        }
        Ok(self)
    }

    /// Why the graph has no plan; `None` where it has one.
    pub(super) fn error(&self, graph: &Graph) -> Option<NegotiateError> {
        let facts = Facts::with(graph, &self.tables);
        let problem = Problem::new(&facts);
        let first = self.infeasible.iter().map(|component| facts.component(*component)).min_by_key(|pins| pins.first());
        if let Some(pins) = first {
            return Some(NegotiateError::Infeasible(explain_conflict(&problem, pins)));
        }
        let outcome = |component: &u32| Some(self.components.get(component)?.outcome(&problem, &self.clusters));
        let states = |component: &u32| match outcome(component) {
            Some(Outcome::Undecided { used }) => used,
            _ => 0,
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
                let Untold { asking, data, unknown, order, edges, .. } = untold;
                let now = |number: u32| (facts.edges[number as usize], self.choices.is_cut[number as usize]);
                let edges = edges.into_iter().filter(|(number, before)| now(*number) != *before);
                let edges = edges.map(|(number, (before, was_cut))| ToldEdge { number, before, was_cut }).collect();
                let patch = Patch { asking, data, unknown, order, edges };
                let components = &self.components;
                let choices = &self.choices;
                let memory_of = |pin: PinId| memory_of(components, &facts, pin, choices);
                self.pipes.patch(&problem, choices, memory_of, &self.walk, patch, plan, &mut self.totals)
            }
            _ => {
                self.choices = Choices::none(&facts);
                for component in self.components.values_mut() {
                    // Told as a whole.
                    let _ = component.changes(&problem, &mut self.clusters);
                    if let Some(solution) = component.solution(&self.clusters) {
                        self.choices.take(&solution);
                    }
                }
                let memory_of = |pin: PinId| memory_of(&self.components, &facts, pin, &self.choices);
                let new = assemble(&facts, &problem.order, &self.choices, memory_of);
                let difference = Difference::between(plan.as_ref(), &new);
                self.pipes = Pipes::of(&facts, &self.choices, &self.walk, &new);
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

/// The edges from a pin that can be cut: what that costs depends on the data there.
fn cuttable_from<'a>(facts: &'a Facts<'_>, pin: PinId) -> impl Iterator<Item = u32> + 'a {
    facts.edges_at(pin).iter().copied().filter(move |edge| {
        let edge = &facts.edges[*edge as usize];
        edge.from == pin && edge.cuttable
    })
}

/// The memory chosen at a pin.
fn memory_of(
    components: &BTreeMap<u32, KeptComponent>,
    facts: &Facts<'_>,
    pin: PinId,
    choices: &Choices,
) -> MemoryClass {
    components[&facts.component_of(pin)].ground().classes[choices.pins[pin.index()].class as usize]
}

/// What belongs to a component, in a list in the order of the components.
fn seconds<T: Copy>(pairs: &[(u32, T)], component: u32) -> Vec<T> {
    let start = pairs.partition_point(|pair| pair.0 < component);
    pairs[start..].iter().take_while(|pair| pair.0 == component).map(|pair| pair.1).collect()
}
