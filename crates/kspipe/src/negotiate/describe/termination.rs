//! The ends of a pipe, and what lies beyond them.

use super::view::View;
use crate::graph::{Compression, Direction, FrameRange, Mode, PinId};
use crate::negotiate::PipeId;
use ks::{AllocatorFlags, PipeFactors, RequirementFlags};

/// A pipe's first or last pin and what lies beyond it (`PIPE_TERMINATION`).
///
/// A pipe may have several ends on one side, and the structure one place: the flags are those of the first (last) pin,
/// the factors those of all ends on that side, and the neighbour is the first in canonical order. Beyond the out pin of
/// a source and the in pin of a sink there is nothing: no factor, open ranges, 1/1/0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Termination {
    /// The pin's `KSALLOCATOR_FLAG_*`, of the item the plan uses.
    pub flags: AllocatorFlags,
    /// The pin's `KSALLOCATOR_REQUIREMENTF_*`; the structure has both in one word.
    pub requirements: RequirementFlags,
    /// `OutsideFactors`: what is imposed from beyond this end.
    pub outside_factors: PipeFactors,
    /// `Weigth` (the header's spelling): always 0. Microsoft documents weights as not supported.
    pub weight: u32,
    /// The neighbour's physical range.
    pub physical_range: FrameRange,
    /// The neighbour's optimal range.
    pub optimal_range: FrameRange,
    /// The compression stated between this end and the neighbour.
    pub compression: Compression,
}

/// One cut at which frames come or go: the pin beyond, and the out pin that may state a compression there.
struct Beyond {
    pin: PinId,
    end: PipeFactors,
    compression: Compression,
}

impl Termination {
    pub(super) fn input(view: &View<'_>, id: PipeId) -> Self {
        let bridges = view.bridges_in(id).map(|bridge| beyond_bridge(bridge.connection.from));
        let copies = view.copies_in(id).map(|copy| beyond_copy(view, copy.route.from, copy.route.to));
        let pin = view.pipe(id).pins.first().copied();
        Termination::of(view, id, pin, Direction::In, PipeFactors::USER_MODE_UPSTREAM, bridges.chain(copies))
    }

    pub(super) fn output(view: &View<'_>, id: PipeId) -> Self {
        let bridges = view.bridges_out(id).map(|bridge| beyond_bridge(bridge.connection.to));
        let copies = view.copies_out(id).map(|copy| beyond_copy(view, copy.route.to, copy.route.to));
        let pin = view.last_pin(id);
        Termination::of(view, id, pin, Direction::Out, PipeFactors::USER_MODE_DOWNSTREAM, bridges.chain(copies))
    }

    fn of(
        view: &View<'_>,
        id: PipeId,
        pin: Option<PinId>,
        open_side: Direction,
        user_mode: PipeFactors,
        beyond: impl Iterator<Item = Beyond>,
    ) -> Self {
        let mut factors = PipeFactors::empty();
        let mut neighbour: Option<Beyond> = None;
        for cut in beyond {
            factors |= cut.end;
            if view.graph.mode(cut.pin) == Mode::User {
                factors |= user_mode;
            }
            if neighbour.as_ref().is_none_or(|first| cut.pin < first.pin) {
                neighbour = Some(cut);
            }
        }
        // A pin that could be connected and is not: the pipe ends where a connection would be.
        let is_open = |pin: &PinId| {
            let pin = view.graph.pin(*pin);
            pin.direction() == open_side && pin.peer().is_none()
        };
        if view.pipe(id).pins.iter().any(is_open) {
            factors |= PipeFactors::PHYSICAL_END;
        }
        let item = pin.and_then(|pin| view.item(pin));
        let beyond_item = neighbour.as_ref().and_then(|cut| view.item(cut.pin));
        Termination {
            flags: item.map_or(AllocatorFlags::empty(), |item| item.flags),
            requirements: item.map_or(RequirementFlags::empty(), |item| item.requirements),
            outside_factors: factors,
            weight: 0,
            physical_range: beyond_item.map_or(FrameRange::OPEN, |item| item.physical),
            optimal_range: beyond_item.map_or(FrameRange::OPEN, |item| item.optimal),
            compression: neighbour.map_or(Compression::NONE, |cut| cut.compression),
        }
    }
}

fn beyond_bridge(pin: PinId) -> Beyond {
    Beyond { pin, end: PipeFactors::PHYSICAL_END, compression: Compression::NONE }
}

fn beyond_copy(view: &View<'_>, pin: PinId, out_pin: PinId) -> Beyond {
    Beyond { pin, end: PipeFactors::LOGICAL_END, compression: view.graph.pin(out_pin).compression() }
}
