//! Pins of trees that are connected or parted, and routes there that begin or cease to copy: what is known of the graph is
//! parted and joined with them, and all else stays.

use super::solved::{Solved, Touched};
use crate::graph::{Bridges, Graph, PinId};
use crate::negotiate::facts::{Edge, EdgeKind, Facts};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A connection or a route that is not what it was.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    /// Its place among the edges.
    pub(super) number: u32,
    before: Edge,
    pub(super) now: Edge,
}

/// The components that are not what they were.
#[derive(Clone, Debug, Default)]
pub(super) struct Relinked {
    /// Those that are to be solved again, and those that are no more.
    pub(super) again: BTreeSet<u32>,
    /// Those that may lie deeper than they did, or less deep.
    pub(super) deeper: BTreeSet<u32>,
}

impl Link {
    /// Whether it joins other pins than before, or none.
    pub(super) fn is_moved(&self) -> bool {
        let ends = |edge: &Edge| (!edge.kind.is_absent()).then_some((edge.from, edge.to));
        ends(&self.before) != ends(&self.now)
    }

    /// What there was, where that goes.
    fn gone(&self) -> Option<Edge> {
        Some(self.before).filter(|edge| self.is_moved() && !edge.kind.is_absent())
    }

    /// What there is now, where that is new.
    fn come(&self) -> Option<Edge> {
        Some(self.now).filter(|edge| self.is_moved() && !edge.kind.is_absent())
    }

    /// Data goes another way.
    fn is_connection(&self) -> bool {
        [self.before, self.now].iter().any(|edge| edge.kind == EdgeKind::Connection)
    }
}

impl Solved {
    /// The connections and routes that differ now, each once.
    pub(super) fn links(&self, graph: &Graph, touched: &Touched) -> Vec<Link> {
        let mut numbers = BTreeSet::new();
        for (from, to) in touched.connections.iter().chain(&touched.routes) {
            numbers.extend(self.tables.edge_of(graph, *from, *to));
        }
        let link = |number: u32| {
            let before = self.tables.edges[number as usize];
            let now = match self.tables.route_at(graph, number) {
                Some(route) => {
                    let mut edge = before;
                    edge.take_kind(EdgeKind::of(route.kind));
                    edge
                }
                None => Edge::of_connection(graph, before.from, graph.bridges() == Bridges::Allow),
            };
            Link { number, before, now }
        };
        numbers.into_iter().map(link).filter(|link| link.before != link.now).collect()
    }

    /// Whether all that these touch is in trees that are kept, each with a plan.
    pub(super) fn can_relink(&self, links: &[Link]) -> bool {
        let is_kept = |pin: PinId| {
            let kept = self.components.get(&self.tables.component_of(pin));
            self.walk.is_in_tree(pin) && kept.is_some_and(|kept| kept.is_settled(&self.clusters))
        };
        // How much work is done on what was too hard depends on how many components there are; and where a tree moves, so
        // does what cuts cost in what lies behind.
        let has_others = self.components.values().any(|kept| kept.tree().is_none());
        let is_sure = self.undecided.is_empty() && self.unproven.is_empty();
        let are_kept = |pins: &[PinId]| !has_others || pins.iter().all(|pin| is_kept(*pin));
        is_sure
            && links.iter().filter(|link| link.is_moved()).all(|link| {
                let edges = || link.gone().into_iter().chain(link.come());
                edges().all(|edge| is_kept(edge.from) && is_kept(edge.to))
                    && edges().all(|edge| are_kept(self.walk.pins(self.walk.behind(edge.to))))
            })
    }

    /// Parts and joins what moved. `None` where frames would go round.
    pub(super) fn relink(&mut self, graph: &Graph, links: &[Link]) -> Option<Relinked> {
        let mut relinked = Relinked::default();
        let moved = || links.iter().filter(|link| link.is_moved());
        for link in moved() {
            let was_cut = std::mem::take(&mut self.choices.is_cut[link.number as usize]);
            self.untold.edges.entry(link.number).or_insert((link.before, was_cut));
            self.untold.order |= link.is_connection();
            if let Some(edge) = link.gone() {
                self.part(graph, link, edge, &mut relinked);
            }
        }
        for link in moved() {
            if let Some(edge) = link.come() {
                self.join(graph, link, edge, &mut relinked)?;
            }
        }
        Some(relinked)
    }

    fn part(&mut self, graph: &Graph, link: &Link, edge: Edge, relinked: &mut Relinked) {
        let component = self.tables.component_of(edge.to);
        let (above, below) = self.clusters.part(link.number, edge.to);
        let Some(kept) = self.components.get(&component) else { return };
        let (upper, lower) = (kept.parted(above), kept.parted(below));
        let new = Arc::make_mut(&mut self.tables).new_component();
        // The larger keeps its number.
        let is_upper_larger = self.clusters.pins(below) <= self.clusters.pins(above);
        self.give(edge.to, is_upper_larger, component, new);
        let (stays, leaves) = if is_upper_larger { (upper, lower) } else { (lower, upper) };
        self.components.extend([(component, stays), (new, leaves)]);
        relinked.again.extend([component, new]);
        let tables = Arc::make_mut(&mut self.tables);
        let gone = if link.is_connection() { Edge::absent(edge.from) } else { link.now };
        tables.put_edge(link.number, gone);
        if link.is_connection() {
            let by = tables.depth(edge.from);
            tables.deepen(self.walk.pins(self.walk.behind(edge.to)), |depth| depth.saturating_sub(by));
            let moved = self.walk.part(edge.to);
            self.pipes.tallies.moved(moved, &self.walk);
            self.flow.connect(graph, edge.from);
            self.go_behind(edge.to, relinked);
        }
    }

    fn join(&mut self, graph: &Graph, link: &Link, edge: Edge, relinked: &mut Relinked) -> Option<()> {
        let (above, below) = (self.tables.component_of(edge.from), self.tables.component_of(edge.to));
        let tables = Arc::make_mut(&mut self.tables);
        if link.is_connection() {
            let moved = self.walk.join(edge.from, edge.to)?;
            self.pipes.tallies.moved(moved, &self.walk);
            let by = tables.depth(edge.from);
            tables.deepen(self.walk.pins(self.walk.behind(edge.to)), |depth| depth.saturating_add(by));
            self.flow.connect(graph, edge.from);
        }
        tables.put_edge(link.number, link.now);
        let is_above_larger = tables.component_size(above) >= tables.component_size(below);
        let (larger, smaller) = if is_above_larger { (above, below) } else { (below, above) };
        self.give(edge.to, is_above_larger, smaller, larger);
        let other = self.components.remove(&smaller)?;
        let kept = self.components.get_mut(&larger)?;
        let facts = Facts::with(graph, &self.tables);
        kept.join(&mut self.clusters, &facts, &other, (link.number, edge.from, edge.to));
        drop(facts);
        relinked.again.extend([larger, smaller]);
        if link.is_connection() {
            self.go_behind(edge.to, relinked);
        }
        Some(())
    }

    /// Gives a component's pins to another: those at and behind a pin of a tree, or all others of the tree.
    fn give(&mut self, pin: PinId, is_behind: bool, from: u32, to: u32) {
        let tables = Arc::make_mut(&mut self.tables);
        if is_behind {
            tables.give(self.walk.pins(self.walk.behind(pin)), from, to);
        } else {
            for around in self.walk.around(pin) {
                tables.give(self.walk.pins(around), from, to);
            }
        }
    }

    /// What cuts cost behind a pin is another sum, in all components there.
    fn go_behind(&self, pin: PinId, relinked: &mut Relinked) {
        if self.components.len() > relinked.again.len() {
            let mut last = None;
            for pin in self.walk.pins(self.walk.behind(pin)) {
                let component = self.tables.component_of(*pin);
                if last.replace(component) != Some(component) {
                    relinked.deeper.insert(component);
                }
            }
        }
    }
}
