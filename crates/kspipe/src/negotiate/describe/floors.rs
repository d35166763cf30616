//! What a frame's size must reach, and why (rule 3).

use super::sizes::Sizes;
use super::view::View;
use crate::graph::{self, Direction, FramingItem, PinId, RouteKind};
use crate::negotiate::PipeId;

/// Why a size is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FloorCause {
    /// `PhysicalRange.MinFrameSize`.
    PhysicalMinimum,
    /// `FramingRange.Range.MinFrameSize`: the capacity.
    Capacity,
    /// The connected format fixes the size of a media frame.
    MediaSize,
    /// A stated compression makes so much of the data of an in pin.
    Compression(PinId),
    /// Frames are copied here from the pin on the other side of a bridge.
    Bridge(PinId),
    /// Frames are copied here from the in pin of an `either` route.
    Copy(PinId),
}

/// A size that a pin asks a frame to reach.
#[derive(Clone, Copy, Debug)]
pub(super) struct Floor {
    pub(super) pin: PinId,
    /// The item that asks, where it is an item.
    pub(super) item: Option<u32>,
    pub(super) required: bool,
    pub(super) bytes: u64,
    pub(super) cause: FloorCause,
}

/// Whose physical ranges count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PhysicalRanges {
    /// Every pin's, as the rules say.
    All,
    /// Those of out pins only, as KSProxy is documented to do.
    OutPins,
}

impl PhysicalRanges {
    fn count(self, view: &View<'_>, pin: PinId) -> bool {
        self == PhysicalRanges::All || view.graph.pin(pin).direction() == Direction::Out
    }
}

impl View<'_> {
    /// Every size that a pin asks a frame to reach.
    pub(super) fn floors(&self, pin: PinId, ranges: PhysicalRanges) -> Vec<Floor> {
        let mut floors = Vec::new();
        let mut add = |item, required, bytes, cause| {
            if bytes > 0 {
                floors.push(Floor { pin, item, required, bytes, cause });
            }
        };
        let place = self.item_place(pin);
        if let Some(item) = self.item(pin) {
            let minimum = if ranges.count(self, pin) { u64::from(item.physical.min) } else { 0 };
            let (capacity, required) = (u64::from(item.capacity()), !item.is_preference());
            // A preference is met or not as a whole: one departure for both, so only the larger counts.
            if required || minimum >= capacity {
                add(place, required, minimum, FloorCause::PhysicalMinimum);
            }
            if required || capacity > minimum {
                add(place, required, capacity, FloorCause::Capacity);
            }
        }
        add(None, true, self.graph.pin(pin).media_size().unwrap_or(0), FloorCause::MediaSize);
        if self.is_bridged(pin)
            && let (Direction::In, Some(from)) = (self.graph.pin(pin).direction(), self.graph.pin(pin).peer())
        {
            add(None, true, self.data(from).unwrap_or(0), FloorCause::Bridge(from));
        }
        let compression = self.graph.pin(pin).compression();
        for (route, copied) in self.routes_to(pin) {
            let data = self.data(route.from).unwrap_or(0);
            if compression.is_stated() && data > 0 {
                let scaled = compression.scale(data).unwrap_or(u64::MAX);
                add(None, true, scaled, FloorCause::Compression(route.from));
            } else if copied && route.kind == RouteKind::Either {
                add(None, true, data, FloorCause::Copy(route.from));
            }
        }
        floors
    }

    /// The sizes every required physical range of a pipe allows; `None` where there is none, which no valid plan has.
    pub(super) fn physical_sizes(&self, pipe: PipeId, ranges: PhysicalRanges) -> Option<Sizes> {
        self.items(pipe)
            .filter(|(pin, item)| !item.is_preference() && ranges.count(self, *pin))
            .try_fold(Sizes::any(), |sizes, (_, item)| sizes.and(Sizes::of(&item.physical)))
    }

    /// The size the rules give a pipe: the least that holds what is required, and what is preferred where it can.
    pub(super) fn least_size(&self, pipe: PipeId, ranges: PhysicalRanges) -> Option<u64> {
        let sizes = self.physical_sizes(pipe, ranges)?;
        let (mut required, mut preferred) = (1, Vec::new());
        for pin in &self.pipe(pipe).pins {
            for floor in self.floors(*pin, ranges) {
                if floor.required {
                    required = required.max(floor.bytes);
                } else {
                    preferred.push(floor.bytes);
                }
            }
        }
        let least = sizes.least(required)?;
        if self.plan.strategy == graph::Strategy::MinimizeFrameSize {
            return Some(least);
        }
        Some(preferred.into_iter().filter_map(|bytes| sizes.least(bytes.max(least))).fold(least, u64::max))
    }
}

/// The size an item prefers or requires a frame to reach: its physical minimum or its capacity.
pub(super) fn wanted_size(item: &FramingItem) -> u64 {
    u64::from(item.physical.min.max(item.capacity()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{FrameRange, Graph};
    use crate::negotiate::negotiate;
    use ks::RequirementFlags;
    use proptest::prelude::*;

    fn item() -> impl Strategy<Value = FramingItem> {
        let range =
            || (0u32..40, 0u32..60, 0u32..7).prop_map(|(min, more, step)| FrameRange { min, max: min + more, step });
        (range(), range(), any::<bool>()).prop_map(|(physical, optimal, prefers)| FramingItem {
            physical,
            optimal,
            requirements: if prefers { RequirementFlags::PREFERENCES_ONLY } else { RequirementFlags::empty() },
            ..FramingItem::default()
        })
    }

    proptest! {
        /// What a description says of sizes rests on the same rule the negotiation follows.
        #[test]
        fn the_least_size_is_the_one_negotiated(
            items in prop::collection::vec(item(), 3),
            strategy in prop::sample::select(crate::graph::Strategy::ALL.map(|(_, strategy)| strategy).to_vec()),
        ) {
            let mut graph = Graph::builder();
            graph.strategy(strategy);
            graph.filter("a").pin("out", Direction::Out).item(items[0].clone());
            graph.filter("b").pin("in", Direction::In).item(items[1].clone());
            graph.filter("b").pin("out", Direction::Out).item(items[2].clone());
            graph.filter("b").route("in", "out", RouteKind::Pass);
            graph.connect("a.out", "b.in");
            let graph = graph.build().unwrap();
            let Ok(plan) = negotiate(&graph) else { return Ok(()) };
            let view = View::new(&graph, &plan);
            for (place, pipe) in plan.pipes.iter().enumerate() {
                let least = view.least_size(PipeId(place as u32), PhysicalRanges::All);
                prop_assert_eq!(least, Some(pipe.frame_size));
            }
        }
    }
}
