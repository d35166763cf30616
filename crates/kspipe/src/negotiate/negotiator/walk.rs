//! A walk through the graph, by which what lies behind an edge is found without going there.

use crate::graph::PinId;
use crate::negotiate::facts::{Arrows, Facts, find};

/// The order in which pins are met.
///
/// Pins that data connects, no two ways meeting anywhere, are a *tree*: it has one source, and all pins downstream of a
/// pin are met right after it, one after the other. Trees stand first in the walk, and stay such when pins in them are
/// connected or parted. Elsewhere the walk goes through the edges of each component from its first pin; where those make
/// no undirected cycle, all that lies behind an edge is met one after the other too.
#[derive(Clone, Debug, Default)]
pub(super) struct Walk {
    /// By pin: its place.
    place: Vec<u32>,
    /// By place: the pin.
    pins: Vec<PinId>,
    /// By place: the first place after the pin and what lies behind it.
    end: Vec<u32>,
    /// By place: the longest way to the pin from a source, in connections and routes.
    level: Vec<u32>,
    /// Places below are those of trees.
    trees: u32,
    /// By component that is in no tree: its edges make no undirected cycle, no `copy` route has both ends in it, and no
    /// pin has two edges that lead to it. Then how far downstream a pin stands, of two in one pipe, does not depend on
    /// what is cut. In trees that is always so.
    is_steady: Vec<bool>,
    /// By pin: in steady components that are in no tree, the number of edges on the way to it.
    distance: Vec<u32>,
}

/// Pins that stand elsewhere in the walk now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moved {
    /// First place and end of two runs, one after the other, that changed places; `first == middle`: none did.
    first: u32,
    middle: u32,
    end: u32,
}

impl Moved {
    /// Where what was at the places from `first` to `last` is now; `None` where these are beside each other no more.
    pub(super) fn now(self, first: u32, last: u32) -> Option<(u32, u32)> {
        let (one, other) = (self.middle - self.first, self.end - self.middle);
        if last < self.first || first >= self.end {
            Some((first, last))
        } else if self.first <= first && last < self.middle {
            Some((first + other, last + other))
        } else if self.middle <= first && last < self.end {
            Some((first - one, last - one))
        } else {
            None
        }
    }
}

impl Walk {
    pub(super) fn of(facts: &Facts<'_>) -> Self {
        let graph = facts.graph;
        let count = graph.pins().len();
        let arrows = Arrows::of(graph);
        let mut level = vec![0u32; count];
        let mut ways_to = vec![0u8; count];
        let mut joined: Vec<u32> = (0..count as u32).collect();
        for pin in facts.order() {
            for to in arrows.from(graph, *pin) {
                level[to.index()] = level[to.index()].max(level[pin.index()] + 1);
                ways_to[to.index()] = ways_to[to.index()].saturating_add(1);
                let (one, other) = (find(&mut joined, pin.0), find(&mut joined, to.0));
                joined[one as usize] = other;
            }
        }
        let mut is_tree = vec![true; count];
        for pin in graph.pin_ids().filter(|pin| ways_to[pin.index()] > 1) {
            is_tree[find(&mut joined, pin.0) as usize] = false;
        }
        let mut walk = Walk { place: vec![u32::MAX; count], ..Walk::default() };
        walk.pins.reserve_exact(count);
        walk.end = vec![0; count];
        // A pin to go to, or one behind which everything was met.
        let mut open: Vec<(PinId, bool)> = Vec::new();
        for source in graph.pin_ids().filter(|pin| ways_to[pin.index()] == 0) {
            if is_tree[find(&mut joined, source.0) as usize] {
                open.push((source, false));
                walk.go(&mut open, |pin, open| open.extend(arrows.from(graph, pin).map(|to| (to, false))));
            }
        }
        walk.trees = walk.pins.len() as u32;
        walk.through_components(facts);
        walk.level = walk.pins.iter().map(|pin| level[pin.index()]).collect();
        walk
    }

    /// Meets the pins behind those that are open.
    fn go(&mut self, open: &mut Vec<(PinId, bool)>, mut behind: impl FnMut(PinId, &mut Vec<(PinId, bool)>)) {
        while let Some((pin, is_done)) = open.pop() {
            let place = self.place[pin.index()];
            if is_done {
                self.end[place as usize] = self.pins.len() as u32;
            } else if place == u32::MAX {
                self.place[pin.index()] = self.pins.len() as u32;
                self.pins.push(pin);
                open.push((pin, true));
                behind(pin, open);
            }
        }
    }

    /// Meets the pins that are in no tree.
    fn through_components(&mut self, facts: &Facts<'_>) {
        let numbers = || facts.components();
        self.is_steady = vec![false; numbers().max().map_or(0, |last| last as usize + 1)];
        self.distance = vec![0; self.place.len()];
        let mut open: Vec<(PinId, bool)> = Vec::new();
        for number in numbers() {
            let component = facts.component(number);
            let Some(first) = component.first().filter(|pin| !self.is_in_tree(**pin)) else { continue };
            let mut ends = 0;
            let mut is_led_to_twice = false;
            open.push((*first, false));
            self.go(&mut open, |pin, open| {
                let edges = facts.edges_at(pin);
                ends += edges.len();
                let edges = || edges.iter().map(|edge| facts.edges[*edge as usize]);
                is_led_to_twice |= edges().filter(|edge| edge.to == pin).count() > 1;
                open.extend(edges().map(|edge| (if edge.from == pin { edge.to } else { edge.from }, false)));
            });
            let has_no_cycle = ends / 2 + 1 == component.len() && !facts.is_self_copying(number);
            self.is_steady[number as usize] = has_no_cycle && !is_led_to_twice;
        }
        for pin in facts.order() {
            if !self.is_in_tree(*pin) && self.is_steady[facts.component_of(*pin) as usize] {
                for edge in facts.edges_at(*pin).iter().map(|edge| facts.edges[*edge as usize]) {
                    if edge.to == *pin {
                        self.distance[pin.index()] = self.distance[edge.from.index()] + 1;
                    }
                }
            }
        }
    }

    pub(super) fn place(&self, pin: PinId) -> u32 {
        self.place[pin.index()]
    }

    /// The places of a pin and all that lies behind it.
    pub(super) fn behind(&self, pin: PinId) -> std::ops::Range<u32> {
        let place = self.place(pin);
        place..self.end[place as usize]
    }

    /// The places of a tree around a pin of it and all that lies behind that.
    pub(super) fn around(&self, pin: PinId) -> [std::ops::Range<u32>; 2] {
        let behind = self.behind(pin);
        let source = self.source_above(behind.start);
        [source..behind.start, behind.end..self.end[source as usize]]
    }

    /// The pins at some places.
    pub(super) fn pins(&self, places: std::ops::Range<u32>) -> &[PinId] {
        &self.pins[places.start as usize..places.end as usize]
    }

    pub(super) fn is_in_tree(&self, pin: PinId) -> bool {
        self.place(pin) < self.trees
    }

    /// Whether how far downstream the pins of this component stand does not depend on what is cut.
    pub(super) fn is_steady(&self, pin: PinId, component: u32) -> bool {
        self.is_in_tree(pin) || self.is_steady.get(component as usize).is_some_and(|is| *is)
    }

    /// How far downstream a pin stands, beside others of its pipe; `None` where that depends on what is cut. What component a
    /// pin of a tree is in does not matter, and is not asked.
    pub(super) fn distance(&self, pin: PinId, component_of: impl Fn(PinId) -> u32) -> Option<u32> {
        let place = self.place(pin);
        if place < self.trees {
            Some(self.level[place as usize])
        } else {
            self.is_steady(pin, component_of(pin)).then(|| self.distance[pin.index()])
        }
    }

    /// Orders the pins as [`Facts::order`] does.
    pub(super) fn rank(&self, pin: PinId) -> (u32, PinId) {
        (self.level[self.place(pin) as usize], pin)
    }

    /// The place of the source of the tree that a place is in.
    fn source_above(&self, place: u32) -> u32 {
        let mut source = 0;
        while self.end[source as usize] <= place {
            source = self.end[source as usize];
        }
        source
    }

    /// Makes a pin of a tree and all that lies behind it a tree of their own. It is not the source.
    pub(super) fn part(&mut self, pin: PinId) -> Moved {
        let behind = self.behind(pin);
        let length = behind.len() as u32;
        let source = self.source_above(behind.start);
        let end = self.end[source as usize];
        for above in &mut self.end[source as usize..behind.start as usize] {
            *above -= if *above >= behind.end { length } else { 0 };
        }
        let level = self.level[behind.start as usize];
        for other in &mut self.level[behind.start as usize..behind.end as usize] {
            *other -= level;
        }
        self.swap(Moved { first: behind.start, middle: behind.end, end })
    }

    /// Puts a tree behind a pin of another one. `None` where it is the same tree: frames would go round.
    pub(super) fn join(&mut self, above: PinId, source: PinId) -> Option<Moved> {
        let behind = self.behind(source);
        let length = behind.len() as u32;
        let at = self.place(above);
        if behind.contains(&at) {
            return None;
        }
        let level = self.level[at as usize] + 1;
        for other in &mut self.level[behind.start as usize..behind.end as usize] {
            *other += level;
        }
        // From before it goes right behind the pin, from after it behind all else that lies behind the pin.
        let moved = if at < behind.start {
            Moved { first: self.end[at as usize], middle: behind.start, end: behind.end }
        } else {
            Moved { first: behind.start, middle: behind.end, end: at + 1 }
        };
        let first = self.source_above(at);
        for above in &mut self.end[first as usize..=at as usize] {
            *above += if *above > at { length } else { 0 };
        }
        Some(self.swap(moved))
    }

    /// Lets two runs change places. All that lies behind their pins is in them, or stays where it is by what was added.
    fn swap(&mut self, moved: Moved) -> Moved {
        let Moved { first, middle, end } = moved;
        let (one, other) = (middle - first, end - middle);
        if one == 0 || other == 0 {
            return moved;
        }
        let places = first as usize..end as usize;
        self.end[first as usize..middle as usize].iter_mut().for_each(|end| *end += other);
        self.end[middle as usize..end as usize].iter_mut().for_each(|end| *end -= one);
        self.end[places.clone()].rotate_left(one as usize);
        self.level[places.clone()].rotate_left(one as usize);
        self.pins[places.clone()].rotate_left(one as usize);
        for (place, pin) in (first..).zip(&self.pins[places]) {
            self.place[pin.index()] = place;
        }
        moved
    }
}
