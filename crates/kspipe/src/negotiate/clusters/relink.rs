//! Trees that are parted at an edge, or joined by one: only the parts around it are taken apart and put together again.

use super::{Clusters, PartKind};
use crate::graph::PinId;
use crate::negotiate::decomposition::balanced;
use crate::negotiate::facts::{EdgeKind, Facts};
use crate::negotiate::table::way_out;
use crate::negotiate::trace::Solution;
use crate::negotiate::tree::{NONE, Top, Visit};

/// A path of which what put its pieces together was taken away, next to one of them.
struct Opened {
    /// What stands above the piece, and below, from above to below.
    left: Vec<u32>,
    right: Vec<u32>,
    /// The part that the path was in; [`NONE`]: it was the root's.
    slot: u32,
    /// The number that the path had there.
    was: u32,
}

impl Clusters {
    /// Takes the edge above a pin away. Returns the trees that what lies above it and what lies below it are then.
    pub(in crate::negotiate) fn part(&mut self, edge: u32, pin: PinId) -> (u32, u32) {
        let piece = self.piece_of[pin.index()];
        let cuts = &mut self.parts[piece as usize].solution.cuts;
        cuts.retain(|cut| *cut != edge);
        let place = self.place_in(piece, pin);
        let (above, below) = if place == 0 { self.part_above(piece) } else { self.part_within(piece, place) };
        (self.measure_above(above), self.measure_above(below))
    }

    /// Puts a tree below a pin of another one, by an edge to its root. Returns the tree that they become.
    pub(in crate::negotiate) fn join(&mut self, facts: &Facts<'_>, edge: u32, above: PinId, source: PinId) -> u32 {
        let (piece, lower) = (self.piece_of[above.index()], self.piece_of[source.index()]);
        let place = self.place_in(piece, above);
        let kind = facts.edges[edge as usize].kind;
        self.head(lower, edge, Top::BelowAnEdge);
        let Opened { right, .. } = self.open_at(lower);
        let (visits, has_far_end, is_bundle) = self.piece(piece);
        let (lower_visits, lower_has_far_end, _) = self.piece(lower);
        let fits = visits + lower_visits <= self.pins_of_a_piece as usize;
        if !has_far_end && !is_bundle {
            // The path goes on.
            let Opened { mut left, slot, was, .. } = self.open_at(piece);
            left.push(piece);
            if fits {
                self.absorb(piece, place, lower);
            } else {
                self.set_far_end(facts, piece, place, edge, kind);
                left.push(lower);
            }
            left.extend(right);
            self.close(&left, slot, was, slot == NONE);
        } else if fits && !lower_has_far_end {
            self.absorb(piece, place, lower);
        } else {
            let path: Vec<u32> = std::iter::once(lower).chain(right).collect();
            let path = self.close(&path, NONE, NONE, false);
            self.hang(piece, place, path);
            return self.measure_above(path);
        }
        self.measure_above(piece)
    }

    /// An edge is of another kind.
    pub(in crate::negotiate) fn change_kind(&mut self, facts: &Facts<'_>, number: u32) {
        let edge = facts.edges[number as usize];
        for pin in [edge.from, edge.to] {
            let piece = self.piece_of[pin.index()];
            let place = self.place_in(piece, pin);
            let PartKind::Piece { visits, .. } = &self.parts[piece as usize].kind else { continue };
            if visits[place as usize].edge != number {
                continue;
            }
            self.due.push(piece);
            // Where it divides two pieces of a path, the upper one goes on over it.
            if let Some(upper) = (place == 0).then(|| self.piece_above(piece)).flatten()
                && let PartKind::Piece { far_end: Some((place, _)), .. } = self.parts[upper as usize].kind
            {
                self.set_far_end(facts, upper, place, number, edge.kind);
            }
        }
    }

    /// The piece of the same path above a piece.
    fn piece_above(&self, piece: u32) -> Option<u32> {
        let mut at = piece;
        loop {
            let above = self.parts[at as usize].above;
            match self.parts.get(above as usize)?.kind {
                PartKind::Path { upper, lower, .. } if lower == at => return Some(self.last_piece(upper)),
                PartKind::Path { .. } => at = above,
                _ => return None,
            }
        }
    }

    /// The last piece of a part of a path.
    fn last_piece(&self, part: u32) -> u32 {
        let mut at = part;
        while let PartKind::Path { lower, .. } = self.parts[at as usize].kind {
            at = lower;
        }
        at
    }

    /// The number of places of a piece, whether a path goes on from it, and whether its first pin is not in it.
    fn piece(&self, number: u32) -> (usize, bool, bool) {
        let kind = &self.parts[number as usize].kind;
        match kind {
            PartKind::Piece { visits, far_end, .. } => (visits.len(), far_end.is_some(), kind.is_bundle()),
            _ => (0, false, false),
        }
    }

    fn place_in(&self, piece: u32, pin: PinId) -> u32 {
        let kind = &self.parts[piece as usize].kind;
        let PartKind::Piece { visits, .. } = kind else { return 0 };
        let skipped = usize::from(kind.is_bundle());
        let place = visits.iter().skip(skipped).position(|visit| visit.pin == pin);
        (place.unwrap_or(0) + skipped) as u32
    }

    /// Makes a piece the first of a path below an edge, or below nothing.
    fn head(&mut self, piece: u32, edge: u32, head: Top) {
        if let PartKind::Piece { visits, top, .. } = &mut self.parts[piece as usize].kind
            && let Some(first) = visits.first_mut()
        {
            *top = head;
            (first.edge, first.parent) = (edge, NONE);
        }
        self.due.push(piece);
    }

    fn set_far_end(&mut self, facts: &Facts<'_>, piece: u32, place: u32, edge: u32, kind: EdgeKind) {
        if let PartKind::Piece { visits, far_end, .. } = &mut self.parts[piece as usize].kind {
            let out = way_out(&facts.edges[edge as usize], kind, visits[place as usize].pin);
            *far_end = Some((place, out));
        }
        self.due.push(piece);
    }

    /// Parts a tree above a piece, the first of what is below. Returns a part of each.
    fn part_above(&mut self, piece: u32) -> (u32, u32) {
        let Opened { left, mut right, slot, was } = self.open_at(piece);
        let above = match left.last() {
            // It is the first piece of a branch.
            None => self.detach(slot, was),
            Some(last) => {
                let last = self.last_piece(*last);
                if let PartKind::Piece { far_end, .. } = &mut self.parts[last as usize].kind {
                    *far_end = None;
                }
                self.due.push(last);
                self.close(&left, slot, was, slot == NONE);
                last
            }
        };
        self.head(piece, NONE, Top::Root);
        right.insert(0, piece);
        (above, self.close(&right, NONE, NONE, true))
    }

    /// Parts a tree above a place of a piece that is not its first. Returns a part of each.
    fn part_within(&mut self, piece: u32, place: u32) -> (u32, u32) {
        let is_steady = self.parts[piece as usize].is_steady;
        let PartKind::Piece { visits, far_end, kept, top } = &mut self.parts[piece as usize].kind else {
            return (piece, piece);
        };
        // What lies below a place stands right after it.
        let after = visits[place as usize + 1..].iter().position(|visit| visit.parent < place);
        let end = after.map_or(visits.len() as u32, |after| place + 1 + after as u32);
        let length = end - place;
        let is_below = |at: u32| (place..end).contains(&at);
        let mut below: Vec<Visit> = visits.drain(place as usize..end as usize).collect();
        for visit in &mut below {
            visit.parent = visit.parent.wrapping_sub(place);
        }
        (below[0].parent, below[0].edge) = (NONE, NONE);
        for visit in &mut visits[place as usize..] {
            visit.parent -= if visit.parent >= end { length } else { 0 };
        }
        let left_out = |at: u32| if at >= end { at - length } else { at };
        let kept_below: Vec<(u32, u32)> = kept.extract_if(.., |(at, _)| is_below(*at)).collect();
        kept.iter_mut().for_each(|(at, _)| *at = left_out(*at));
        let far_below = far_end.filter(|(at, _)| is_below(*at)).map(|(at, out)| (at - place, out));
        *far_end = far_end.filter(|(at, _)| !is_below(*at)).map(|(at, out)| (left_out(at), out));
        let is_empty = *top == Top::Absent && visits.len() == 1 && kept.is_empty();

        // What was chosen goes with the pins and the edges above them.
        let pins: Vec<(PinId, u32)> = below.iter().map(|visit| (visit.pin, visit.edge)).collect();
        let solution = &mut self.parts[piece as usize].solution;
        let chosen = Solution {
            pins: solution.pins.extract_if(.., |(pin, _)| pins.iter().any(|other| other.0 == *pin)).collect(),
            cuts: solution.cuts.extract_if(.., |cut| pins.iter().any(|other| other.1 == *cut)).collect(),
        };
        let kept = kept_below.into_iter().map(|(at, part)| (at - place, part)).collect();
        let lower = PartKind::Piece { visits: below, top: Top::Root, far_end: far_below, kept };
        let lower = self.add(lower, is_steady);
        self.measure(piece);
        self.parts[lower as usize].solution = chosen;
        self.due.push(piece);
        if far_below.is_some() {
            let Opened { mut left, mut right, slot, was } = self.open_at(piece);
            left.push(piece);
            self.close(&left, slot, was, slot == NONE);
            right.insert(0, lower);
            return (piece, self.close(&right, NONE, NONE, true));
        }
        if is_empty {
            let slot = self.parts[piece as usize].above;
            let above = self.detach(slot, piece);
            self.drop_part(piece);
            return (above, lower);
        }
        (piece, lower)
    }

    /// Takes away what puts the pieces of a path together around one of them.
    fn open_at(&mut self, piece: u32) -> Opened {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        let mut at = piece;
        loop {
            let slot = self.parts[at as usize].above;
            match self.parts.get(slot as usize).map(|part| &part.kind) {
                Some(PartKind::Path { upper, lower, .. }) => {
                    if *lower == at {
                        left.push(*upper)
                    } else {
                        right.push(*lower)
                    }
                }
                _ => {
                    left.reverse();
                    if at != piece {
                        self.drop_part(at);
                    }
                    return Opened { left, right, slot, was: at };
                }
            }
            if at != piece {
                self.drop_part(at);
            }
            at = slot;
        }
    }

    /// Puts pieces, and parts made of them, together to a path, in the place of the one that was there. Nothing lies above
    /// the root's.
    fn close(&mut self, parts: &[u32], slot: u32, was: u32, is_root: bool) -> u32 {
        let sizes: Vec<(u32, u64)> = parts.iter().map(|part| (*part, self.pins(*part).into())).collect();
        let is_steady = parts.first().is_some_and(|part| self.parts[*part as usize].is_steady);
        let path = balanced(&sizes, &mut |upper, lower, is_first| {
            self.add(PartKind::Path { upper, lower, is_top: is_root && is_first }, is_steady)
        });
        self.parts[path as usize].above = slot;
        if slot != NONE {
            self.replace(slot, was, path);
        }
        path
    }

    /// Puts a part in the place of another one.
    fn replace(&mut self, slot: u32, was: u32, now: u32) {
        self.parts[slot as usize].kind.renumber(|part| if part == was { now } else { part });
        self.parts[now as usize].above = slot;
        self.due.push(slot);
    }

    /// Takes a branch away. Returns a part of what is left.
    fn detach(&mut self, slot: u32, branch: u32) -> u32 {
        self.due.push(slot);
        match &mut self.parts[slot as usize].kind {
            PartKind::Piece { kept, visits, top, .. } => {
                kept.retain(|(_, part)| *part != branch);
                if *top == Top::Absent && visits.len() == 1 && kept.is_empty() {
                    let above = self.parts[slot as usize].above;
                    let above = self.detach(above, slot);
                    self.drop_part(slot);
                    return above;
                }
                slot
            }
            PartKind::Branches { one, other } | PartKind::Path { upper: one, lower: other, .. } => {
                let left = if *one == branch { *other } else { *one };
                let above = self.parts[slot as usize].above;
                self.replace(above, slot, left);
                self.drop_part(slot);
                above
            }
        }
    }

    /// Puts a piece into another one, below the pin at a place.
    fn absorb(&mut self, piece: u32, place: u32, lower: u32) {
        let empty = PartKind::Branches { one: NONE, other: NONE };
        let kind = std::mem::replace(&mut self.parts[lower as usize].kind, empty);
        let chosen = std::mem::take(&mut self.parts[lower as usize].solution);
        self.drop_part(lower);
        let PartKind::Piece { visits: below, far_end: far_below, kept: kept_below, .. } = kind else { return };
        let Some(PartKind::Piece { visits, far_end, kept, .. }) =
            self.parts.get_mut(piece as usize).map(|part| &mut part.kind)
        else {
            return;
        };
        let (first, length) = (place + 1, below.len() as u32);
        let moved = |at: u32| if at != NONE && at >= first { at + length } else { at };
        visits.iter_mut().for_each(|visit| visit.parent = moved(visit.parent));
        kept.iter_mut().for_each(|(at, _)| *at = moved(*at));
        *far_end = far_end.map(|(at, out)| (moved(at), out)).or(far_below.map(|(at, out)| (at + first, out)));
        for (_, part) in &kept_below {
            self.parts[*part as usize].above = piece;
        }
        let Some(PartKind::Piece { visits, kept, .. }) = self.parts.get_mut(piece as usize).map(|part| &mut part.kind)
        else {
            return;
        };
        kept.extend(kept_below.into_iter().map(|(at, part)| (at + first, part)));
        let inside = below.into_iter().map(|visit| {
            self.piece_of[visit.pin.index()] = piece;
            Visit { parent: if visit.parent == NONE { place } else { visit.parent + first }, ..visit }
        });
        visits.splice(first as usize..first as usize, inside);
        let solution = &mut self.parts[piece as usize].solution;
        solution.pins.extend(chosen.pins);
        solution.cuts.extend(chosen.cuts);
        solution.sort();
        self.measure(piece);
        self.due.push(piece);
    }

    /// Makes a path a branch of the pin at a place of a piece.
    fn hang(&mut self, piece: u32, place: u32, path: u32) {
        self.due.push(piece);
        let PartKind::Piece { kept, .. } = &mut self.parts[piece as usize].kind else { return };
        let Some((_, branches)) = kept.iter().find(|(at, _)| *at == place) else {
            kept.push((place, path));
            self.parts[path as usize].above = piece;
            return;
        };
        // Beside what is not much larger, so that none lies deep that is large.
        let mut beside = *branches;
        while let PartKind::Branches { one, other } = self.parts[beside as usize].kind
            && self.pins(beside) / 2 > self.pins(path)
        {
            beside = if self.pins(one) < self.pins(other) { one } else { other };
        }
        let slot = self.parts[beside as usize].above;
        let is_steady = self.parts[path as usize].is_steady;
        let both = self.add(PartKind::Branches { one: beside, other: path }, is_steady);
        self.replace(slot, beside, both);
    }

    /// Counts again what the parts above one are made of. Returns the topmost.
    fn measure_above(&mut self, part: u32) -> u32 {
        let mut at = part;
        loop {
            self.measure(at);
            let above = self.parts[at as usize].above;
            if above == NONE {
                return at;
            }
            at = above;
        }
    }
}
