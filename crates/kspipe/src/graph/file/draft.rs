//! The file's filters as written, with the place of everything, before they are a graph.

use super::reader::Text;
use crate::finding::Span;
use crate::graph::{Compression, DeviceMemory, Direction, Framing, FramingItem, Mode, Restart, RouteKind, Run};
use ks::Guid;
use std::collections::BTreeMap;

/// A value and its place.
#[derive(Clone, Debug)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) span: Span,
}

/// The filters, by name: in the canonical order.
pub(super) type Filters<'d> = BTreeMap<&'d str, FilterDraft<'d>>;

/// A filter as written.
#[derive(Debug)]
pub(super) struct FilterDraft<'d> {
    pub(super) name: Text<'d>,
    pub(super) mode: Mode,
    pub(super) pins: BTreeMap<&'d str, PinDraft>,
    pub(super) routes: Vec<RouteDraft<'d>>,
    pub(super) run: Option<At<Run>>,
    /// It runs in a process of its own.
    pub(super) process: Option<Restart>,
    /// Something of its pins, routes or `run` could not be read, so that what depends on them is not checked.
    pub(super) broken: bool,
}

/// A pin as written.
#[derive(Clone, Debug)]
pub(super) struct PinDraft {
    /// The pin's name in the file.
    pub(super) key: Span,
    /// `None`: not readable, an error that was reported.
    pub(super) direction: Option<Direction>,
    pub(super) framing: Framing,
    /// The framing's items; those of a blob have the blob's place.
    pub(super) items: Vec<Span>,
    pub(super) compression: Option<At<Compression>>,
    pub(super) holds: Option<At<u32>>,
    pub(super) media_size: Option<At<u64>>,
}

/// A route as written.
#[derive(Clone, Debug)]
pub(super) struct RouteDraft<'d> {
    pub(super) from: Text<'d>,
    pub(super) to: Text<'d>,
    pub(super) kind: At<RouteKind>,
    /// The whole route.
    pub(super) span: Span,
}

/// A connection as written, its pins as `(filter, pin)`.
#[derive(Clone, Debug)]
pub(super) struct ConnectionDraft<'d> {
    pub(super) from: End<'d>,
    pub(super) to: End<'d>,
    /// The whole connection.
    pub(super) span: Span,
}

/// One end of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct End<'d> {
    pub(super) filter: &'d str,
    pub(super) pin: &'d str,
    pub(super) span: Span,
}

/// The declared memory types.
#[derive(Debug, Default)]
pub(super) struct Memories<'d> {
    pub(super) by_type: BTreeMap<Guid, At<DeviceMemory>>,
    pub(super) by_name: BTreeMap<&'d str, At<Guid>>,
}

impl<'d> FilterDraft<'d> {
    /// The pins of one direction, by name.
    pub(super) fn pins_that(&self, direction: Direction) -> impl Iterator<Item = &'d str> + '_ {
        self.pins.iter().filter(move |(_, pin)| pin.direction == Some(direction)).map(|(name, _)| *name)
    }

    /// The routes stated, or the one a filter with one in and one out pin has by itself: from, to, kind, and the place
    /// where it is stated.
    pub(super) fn effective_routes(&self) -> Vec<(&'d str, &'d str, RouteKind, Option<Span>)> {
        if !self.routes.is_empty() || self.pins.len() != 2 {
            let stated = |route: &RouteDraft<'d>| (route.from.text, route.to.text, route.kind.value, Some(route.span));
            return self.routes.iter().map(stated).collect();
        }
        let (Some(from), Some(to)) = (self.pins_that(Direction::In).next(), self.pins_that(Direction::Out).next())
        else {
            return Vec::new();
        };
        let in_place = self.pins[from].framing.items().iter().any(FramingItem::modifies_in_place);
        vec![(from, to, if in_place { RouteKind::Either } else { RouteKind::Copy }, None)]
    }
}
