//! A part of a component that is a tree, pin by pin from the leaves to its top: the whole component, a piece of it, or a
//! tree that hangs at a pin.

use super::around::Watch;
use super::ask::Ask;
use super::facts::{Edge, Facts};
use super::keys::Keys;
use super::sharing::WayOut;
use super::table::{Table, Work};
use super::trace::{Solution, Trace, follow, push};
use crate::graph::PinId;
use std::borrow::Cow;

/// A pin, the place of the pin above it, and the edge between the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Visit {
    pub(super) pin: PinId,
    pub(super) parent: u32,
    pub(super) edge: u32,
}

/// What stands for a place, an edge or a part where there is none.
pub(super) const NONE: u32 = u32::MAX;

/// What the first visit of a piece is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Top {
    /// A pin at whose edge the piece is seen from above.
    BelowAnEdge,
    /// The component's root: nothing lies above.
    Root,
    /// A pin of whose lower neighbours some are in the piece, but not itself.
    Absent,
    /// A pin that something else joins.
    Open,
}

/// Some pins of a tree that hang together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece<'a> {
    /// The pins, each after the one above it and before those beside that one.
    pub(super) visits: &'a [Visit],
    pub(super) top: Top,
    /// The place of the pin at which the path goes on, and over which edge.
    pub(super) far_end: Option<(u32, WayOut)>,
    /// Parts that are kept and meet the piece: the place of the pin at which they do.
    pub(super) kept: &'a [(u32, u32)],
}

impl Work<'_> {
    /// The best way to treat a tree; `None` where there is none (or none was found, which [`Effort::exhausted`] tells).
    ///
    /// [`Effort::exhausted`]: super::table::Effort::exhausted
    pub(super) fn solve_tree(&mut self, visits: &[Visit]) -> Option<(Solution, Keys)> {
        let piece = Piece { visits, top: Top::Root, far_end: None, kept: &[] };
        let table = self.fold(&piece, |_| None);
        let best = table.entries.first()?;
        Some((follow(self.traces, best.trace, |_, _| ()), best.keys))
    }

    /// What a piece can be, seen from its top. An empty table: nothing valid.
    pub(super) fn fold<'t>(&mut self, piece: &Piece<'_>, kept: impl Fn(u32) -> Option<Cow<'t, Table>>) -> Table {
        let mut asks = Vec::new();
        // Pins that some of their neighbours below were met with already, the innermost last.
        let mut begun: Vec<(u32, Table)> = Vec::new();
        for place in (0..piece.visits.len() as u32).rev() {
            if self.effort.has_given_up() {
                break;
            }
            let visit = piece.visits[place as usize];
            let mut table = match begun.pop_if(|(begun, _)| *begun == place) {
                Some((_, table)) => table,
                None => self.own(piece, place, &mut asks, &kept),
            };
            if let Some((_, way_out)) = piece.far_end.filter(|(far, _)| *far == place) {
                table = Work::with_far_end(table, way_out);
            }
            if place == 0 {
                return match piece.top {
                    Top::BelowAnEdge => self.cross(table, visit.edge, visit.pin),
                    Top::Root => self.finish(table),
                    Top::Absent | Top::Open => table,
                };
            }
            let below = self.cross(table, visit.edge, visit.pin);
            let mine = match begun.pop_if(|(begun, _)| *begun == visit.parent) {
                Some((_, table)) => {
                    if let Watch::Note(meetings) = &mut self.watch {
                        meetings.note(place, &table, &below);
                    }
                    table
                }
                None => self.own(piece, visit.parent, &mut asks, &kept),
            };
            let mut met = self.meet(&mine, &below);
            if let Watch::Confine(around) = self.watch
                && around.confine(place, &mut met, self.effort)
            {
                met.prune(self.ground, self.effort);
            }
            if met.is_empty() {
                return met;
            }
            begun.push((visit.parent, met));
        }
        Table::default()
    }

    /// A pin by itself and the kept parts that meet it.
    fn own<'t>(
        &mut self,
        piece: &Piece<'_>,
        place: u32,
        asks: &mut Vec<Ask>,
        kept: &impl Fn(u32) -> Option<Cow<'t, Table>>,
    ) -> Table {
        let is_absent = place == 0 && piece.top == Top::Absent;
        let mut table = if is_absent { self.nothing() } else { self.pin(piece.visits[place as usize].pin, asks) };
        for (_, part) in piece.kept.iter().filter(|(at, _)| *at == place) {
            let Some(other) = kept(*part) else { continue };
            let mut other = other.into_owned();
            for (entry, way) in other.entries.iter_mut().enumerate() {
                way.trace = push(self.traces, Trace::Kept { part: *part, entry: entry as u32 });
            }
            table = self.meet(&table, &other);
        }
        table
    }
}

/// The pins of a tree from a root on, each after the one above it and before those beside that one. The root is an end
/// of a chain where there is one.
pub(super) fn visits_of(facts: &Facts<'_>, pins: &[PinId]) -> Vec<Visit> {
    let root = pins.iter().copied().find(|pin| facts.edges_at(*pin).len() <= 1).or(pins.first().copied());
    let mut visits = Vec::with_capacity(pins.len());
    if let Some(root) = root {
        visit_from(facts, root, &mut visits, |_| true);
    }
    visits
}

/// Appends the pins of the tree below `root` that can be reached over edges that `may` be taken.
pub(super) fn visit_from(facts: &Facts<'_>, root: PinId, visits: &mut Vec<Visit>, may: impl Fn(u32) -> bool) {
    let mut waiting = vec![Visit { pin: root, parent: NONE, edge: NONE }];
    while let Some(visit) = waiting.pop() {
        let place = visits.len() as u32;
        visits.push(visit);
        for edge in facts.edges_at(visit.pin).iter().filter(|edge| **edge != visit.edge && may(**edge)) {
            let Edge { from, to, .. } = facts.edges[*edge as usize];
            waiting.push(Visit { pin: if from == visit.pin { to } else { from }, parent: place, edge: *edge });
        }
    }
}
