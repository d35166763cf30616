//! A tree divided into pieces of a few pins, and a balanced tree of parts over the pieces, so that a change at one pin
//! changes few parts.
//!
//! From the root on, each pin's largest branch makes a *path*. A path is cut into pieces, with the small branches of their
//! pins in them; the pieces are put together two and two, divided where half of the pins lie on either side. A large
//! branch is a path of its own. Where a pin has many branches, they are put together two and two as well. A part that has
//! `w` of `n` pins lies about `log(n / w)` parts below the top, since a branch has at most half of the pins above it.

use super::facts::Facts;
use super::sharing::WayOut;
use super::table::way_out;
use super::tree::{NONE, Top, Visit, visit_from, visits_of};
use crate::graph::PinId;

/// Pins of a piece, about: few enough to be walked through in microseconds.
pub(super) const PINS_OF_A_PIECE: u32 = 12;

/// What a part is made of.
#[derive(Clone, Debug)]
pub(super) enum PartKind {
    /// Some pins, and parts that meet them at a place.
    Piece { visits: Vec<Visit>, top: Top, far_end: Option<(u32, WayOut)>, kept: Vec<(u32, u32)> },
    /// Two pieces of a path, and whether nothing lies above.
    Path { upper: u32, lower: u32, is_top: bool },
    /// Branches of one pin.
    Branches { one: u32, other: u32 },
}

impl PartKind {
    /// Whether its first pin is not in it.
    pub(super) fn is_bundle(&self) -> bool {
        matches!(self, PartKind::Piece { top: Top::Absent, .. })
    }

    /// Gives the parts that this one is made of other numbers.
    pub(super) fn renumber(&mut self, number: impl Fn(u32) -> u32) {
        match self {
            PartKind::Piece { kept, .. } => kept.iter_mut().for_each(|(_, part)| *part = number(*part)),
            PartKind::Path { upper: one, lower: other, .. } | PartKind::Branches { one, other } => {
                (*one, *other) = (number(*one), number(*other));
            }
        }
    }

    /// The parts that this one is made of.
    pub(super) fn below(&self) -> impl Iterator<Item = u32> + '_ {
        let (kept, both) = match self {
            PartKind::Piece { kept, .. } => (kept.as_slice(), None),
            PartKind::Path { upper, lower, .. } => (&[][..], Some([*upper, *lower])),
            PartKind::Branches { one, other } => (&[][..], Some([*one, *other])),
        };
        kept.iter().map(|(_, part)| *part).chain(both.into_iter().flatten())
    }
}

/// The parts of a tree, those that others are made of first; the last is all of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Decomposition {
    pub(super) parts: Vec<PartKind>,
}

impl Decomposition {
    /// Of the tree with these pins, from `root` on where that is given, into pieces of about so many.
    pub(super) fn of(facts: &Facts<'_>, pins: &[PinId], root: Option<PinId>, pins_of_a_piece: u32) -> Self {
        let whole = match root {
            None => visits_of(facts, pins),
            Some(root) => {
                let mut visits = Vec::with_capacity(pins.len());
                visit_from(facts, root, &mut visits, |_| true);
                visits
            }
        };
        if whole.is_empty() {
            return Decomposition::default();
        }
        let mut size = vec![1u32; whole.len()];
        let mut heavy = vec![NONE; whole.len()];
        for place in (1..whole.len()).rev() {
            let parent = whole[place].parent as usize;
            size[parent] += size[place];
            if heavy[parent] == NONE || size[heavy[parent] as usize] <= size[place] {
                heavy[parent] = place as u32;
            }
        }
        let mut builder = Builder { facts, whole, size, heavy, pins_of_a_piece, made: Decomposition::default() };
        builder.path(0);
        builder.made
    }
}

struct Builder<'a> {
    facts: &'a Facts<'a>,
    /// All pins from the root on; a branch is a range.
    whole: Vec<Visit>,
    size: Vec<u32>,
    /// The largest branch of each pin.
    heavy: Vec<u32>,
    pins_of_a_piece: u32,
    made: Decomposition,
}

/// A pin of a path with its other branches.
struct PathPin {
    place: u32,
    /// The small branches, which lie in the pin's piece.
    inside: Vec<u32>,
    /// The part the other branches are.
    kept: Option<u32>,
    /// Pins in the piece, and in all.
    small: u32,
    all: u32,
}

impl Builder<'_> {
    fn push(&mut self, part: PartKind) -> u32 {
        self.made.parts.push(part);
        (self.made.parts.len() - 1) as u32
    }

    /// The branches of a pin, without the largest.
    fn branches(&self, place: u32) -> Vec<u32> {
        let end = place + self.size[place as usize];
        let mut branches = Vec::new();
        let mut at = place + 1;
        while at < end {
            if at != self.heavy[place as usize] {
                branches.push(at);
            }
            at += self.size[at as usize];
        }
        branches
    }

    /// The part that the branch below `top` is. Recursion is no deeper than branches lie in branches of half their size.
    fn path(&mut self, top: u32) -> u32 {
        let mut pins = Vec::new();
        let mut place = top;
        while place != NONE {
            pins.push(self.path_pin(place));
            place = self.heavy[place as usize];
        }
        let mut pieces: Vec<(u32, u64)> = Vec::new();
        let mut first = 0;
        while first < pins.len() {
            let mut end = first + 1;
            let mut small = pins[first].small;
            while end < pins.len() && small + pins[end].small <= self.pins_of_a_piece {
                small += pins[end].small;
                end += 1;
            }
            let all = pins[first..end].iter().map(|pin| u64::from(pin.all)).sum();
            let next = pins.get(end).map(|pin| pin.place);
            pieces.push((self.piece(&pins[first..end], next), all));
            first = end;
        }
        self.balanced(&pieces, |upper, lower, is_first| PartKind::Path { upper, lower, is_top: top == 0 && is_first })
    }

    fn path_pin(&mut self, place: u32) -> PathPin {
        let branches = self.branches(place);
        let all = 1 + branches.iter().map(|branch| self.size[*branch as usize]).sum::<u32>();
        let most = self.pins_of_a_piece;
        let is_small = |size: u32| size <= most / 2;
        if is_small(all) {
            return PathPin { place, inside: branches, kept: None, small: all, all };
        }
        let mut parts = Vec::new();
        let mut bundle = Vec::new();
        let mut bundled = 0;
        for branch in branches {
            let size = self.size[branch as usize];
            if !is_small(size) {
                parts.push((self.path(branch), size.into()));
                continue;
            }
            if bundled + size > most {
                parts.push((self.bundle(place, &bundle), bundled.into()));
                bundle.clear();
                bundled = 0;
            }
            bundle.push(branch);
            bundled += size;
        }
        if !bundle.is_empty() {
            parts.push((self.bundle(place, &bundle), bundled.into()));
        }
        let kept = self.balanced(&parts, |one, other, _| PartKind::Branches { one, other });
        PathPin { place, inside: Vec::new(), kept: Some(kept), small: 1, all }
    }

    /// Small branches of one pin.
    fn bundle(&mut self, place: u32, branches: &[u32]) -> u32 {
        let mut visits = vec![Visit { parent: NONE, edge: NONE, ..self.whole[place as usize] }];
        for branch in branches {
            self.copy_branch(*branch, &mut visits, 0);
        }
        self.push(PartKind::Piece { visits, top: Top::Absent, far_end: None, kept: Vec::new() })
    }

    /// Some pins of a path; `next` is the one after.
    fn piece(&mut self, pins: &[PathPin], next: Option<u32>) -> u32 {
        let mut visits: Vec<Visit> = Vec::new();
        let mut kept = Vec::new();
        let mut above = NONE;
        let is_root = pins.first().is_some_and(|pin| pin.place == 0);
        for pin in pins {
            let at = visits.len() as u32;
            visits.push(Visit { parent: above, ..self.whole[pin.place as usize] });
            for branch in &pin.inside {
                self.copy_branch(*branch, &mut visits, at);
            }
            kept.extend(pin.kept.map(|part| (at, part)));
            above = at;
        }
        let far_end = next.map(|next| {
            let edge = &self.facts.edges[self.whole[next as usize].edge as usize];
            let last = visits[above as usize].pin;
            (above, way_out(edge, edge.kind, last))
        });
        let top = if is_root { Top::Root } else { Top::BelowAnEdge };
        self.push(PartKind::Piece { visits, top, far_end, kept })
    }

    /// The pins of a branch, below the pin at the place `parent` of a piece.
    fn copy_branch(&self, branch: u32, piece: &mut Vec<Visit>, parent: u32) {
        let moved = piece.len() as u32;
        for place in branch..branch + self.size[branch as usize] {
            let visit = self.whole[place as usize];
            let parent = if place == branch { parent } else { visit.parent - branch + moved };
            piece.push(Visit { parent, ..visit });
        }
    }

    /// Parts, each with its number of pins, put together two and two.
    fn balanced(&mut self, parts: &[(u32, u64)], both: impl Fn(u32, u32, bool) -> PartKind) -> u32 {
        balanced(parts, &mut |one, other, is_first| self.push(both(one, other, is_first)))
    }
}

/// Parts, each with its number of pins, put together two and two; `both` makes one part of two, and is told whether the
/// first of all is in it. At least one part is given.
pub(super) fn balanced(parts: &[(u32, u64)], both: &mut impl FnMut(u32, u32, bool) -> u32) -> u32 {
    balanced_from(parts, both, true)
}

fn balanced_from(parts: &[(u32, u64)], both: &mut impl FnMut(u32, u32, bool) -> u32, is_first: bool) -> u32 {
    if let [(part, _)] = parts {
        return *part;
    }
    let all: u64 = parts.iter().map(|(_, pins)| pins).sum();
    let mut before = 0;
    // The first part whose middle lies past the middle of all begins the second half.
    let half = parts.iter().position(|(_, pins)| {
        before += pins;
        2 * before - pins >= all
    });
    let half = half.unwrap_or(parts.len() - 1).clamp(1, parts.len() - 1);
    let one = balanced_from(&parts[..half], both, is_first);
    let other = balanced_from(&parts[half..], both, false);
    both(one, other, is_first)
}
