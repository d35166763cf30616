//! A pipe as `ALLOCATOR_PROPERTIES_EX` tells it.

use super::floors::PhysicalRanges;
use super::termination::Termination;
use super::view::View;
use crate::graph::{Compression, FrameRange, Graph, PinId, RouteKind, Strategy};
use crate::negotiate::{AllocatorKind, AllocatorPlace, PipeId};
use ks::{
    AllocatorFlags, Guid, KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_KERNEL_PAGED, KSMEMORY_TYPE_SYSTEM,
    KSMEMORY_TYPE_USER, KSMEMORY_TYPE_WILDCARD, KsLogicalMemoryType, PipeFactors, PipeState,
};
use std::cmp::Ordering;
use std::collections::HashMap;

/// A range of frame sizes in bytes, as `KS_FRAMING_RANGE`, wide enough for any plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SizeRange {
    /// The smallest size.
    pub min: u64,
    /// The largest; 4294967295 where there is no bound.
    pub max: u64,
    /// Sizes are `min + k * step`; at least 1.
    pub step: u64,
}

/// Frame sizes at some pins of a pipe relative to its first pin (`PIPE_DIMENSIONS`); 1/1/0 where nothing changes them.
/// Where an exact ratio does not fit the structure's 32 bits it is rounded up, so that a frame of the size it gives
/// always suffices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dimensions {
    /// At the allocating pin; 1/1/0 where no pin allocates.
    pub allocator_pin: Compression,
    /// Where frames are largest.
    pub max_expansion_pin: Compression,
    /// At the last pin.
    pub end_pin: Compression,
}

/// Everything `ALLOCATOR_PROPERTIES_EX` holds (ksproxy.h), for one pipe of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipeProperties {
    /// `cBuffers`: frames.
    pub frames: u64,
    /// `cbBuffer`: bytes of a frame, prefix not counted.
    pub frame_size: u64,
    /// `cbAlign`: the alignment in bytes, a count and not a mask.
    pub alignment: u64,
    /// `cbPrefix`: bytes before each frame.
    pub prefix: u64,
    /// `MemoryType`.
    pub memory_type: Guid,
    /// `BusType`: the bus the first pin in canonical order asks for; `GUID_NULL` where none does.
    pub bus_type: Guid,
    /// `State`: always [`PipeState::FINALIZED`], for a plan decides everything.
    pub state: PipeState,
    /// `Input`: the first pin, and what lies upstream of the pipe.
    pub input: Termination,
    /// `Output`: the last pin, and what lies downstream of the pipe.
    pub output: Termination,
    /// `Strategy`: what the plan optimises.
    pub strategy: Strategy,
    /// `Flags`: the `KSALLOCATOR_FLAG_*` of pipes, 0x100 to 0x2000.
    pub flags: AllocatorFlags,
    /// `Weight`: always 0. Microsoft documents weights as not supported.
    pub weight: u32,
    /// `LogicalMemoryType`.
    pub logical_memory_type: KsLogicalMemoryType,
    /// `AllocatorPlace`.
    pub allocator_place: AllocatorPlace,
    /// `Dimensions`.
    pub dimensions: Dimensions,
    /// `PhysicalRange`: the frame sizes that every required physical range of the pipe allows.
    pub physical_range: SizeRange,
    /// `PrevSegment`: the pipe from which a filter copies frames into this one; of several the one with the least id.
    /// A bridge joins no segments: nothing but bytes crosses it.
    pub previous: Option<PipeId>,
    /// `NextSegments`: the pipes into which filters copy frames from this one, by id.
    pub next: Vec<PipeId>,
    /// `InsideFactors`: what the pins of the pipe ask about.
    pub inside_factors: PipeFactors,
    /// `NumberPins`.
    pub number_pins: usize,
}

/// Where memory of a type lies, seen from the host (`KS_LogicalMemoryType`).
pub(super) fn logical_memory_type(graph: &Graph, memory_type: Guid) -> KsLogicalMemoryType {
    match memory_type {
        KSMEMORY_TYPE_WILDCARD => KsLogicalMemoryType::DONT_CARE,
        KSMEMORY_TYPE_SYSTEM => KsLogicalMemoryType::ANY_HOST,
        KSMEMORY_TYPE_USER => KsLogicalMemoryType::USER,
        KSMEMORY_TYPE_KERNEL_PAGED => KsLogicalMemoryType::KERNEL_PAGED,
        KSMEMORY_TYPE_KERNEL_NONPAGED => KsLogicalMemoryType::KERNEL_NON_PAGED,
        device => match graph.device_memory(device) {
            Some(memory) if memory.host_mappable => KsLogicalMemoryType::DEVICE_HOST_MAPPED,
            _ => KsLogicalMemoryType::DEVICE_SPECIFIC,
        },
    }
}

pub(super) fn properties(view: &View<'_>, id: PipeId) -> PipeProperties {
    let pipe = view.pipe(id);
    let (min, max, step) = match view.physical_sizes(id, PhysicalRanges::All) {
        Some(sizes) => sizes.span(),
        // Only a plan that breaks rule 3 comes here; its size is all there is to say.
        None => (pipe.frame_size, pipe.frame_size, 1),
    };
    let other_ends = |pins: &mut dyn Iterator<Item = PinId>| {
        let mut pipes: Vec<PipeId> = pins.map(|pin| view.pipe_of(pin)).collect();
        pipes.sort_unstable();
        pipes.dedup();
        pipes
    };
    let previous = other_ends(&mut view.copies_in(id).map(|copy| copy.route.from));
    let next = other_ends(&mut view.copies_out(id).map(|copy| copy.route.to));
    PipeProperties {
        frames: pipe.frames,
        frame_size: pipe.frame_size,
        alignment: pipe.alignment,
        prefix: pipe.prefix,
        memory_type: pipe.memory_type,
        bus_type: bus_type(view, id),
        state: PipeState::FINALIZED,
        input: Termination::input(view, id),
        output: Termination::output(view, id),
        strategy: view.plan.strategy,
        flags: flags(view, id),
        weight: 0,
        logical_memory_type: logical_memory_type(view.graph, pipe.memory_type),
        allocator_place: pipe.allocator.place,
        dimensions: dimensions(view, id),
        physical_range: SizeRange { min, max, step },
        previous: previous.first().copied(),
        next,
        inside_factors: inside_factors(view, id),
        number_pins: pipe.pins.len(),
    }
}

fn bus_type(view: &View<'_>, id: PipeId) -> Guid {
    let asked = view.items(id).filter(|(_, item)| item.bus != Guid::NULL);
    asked.min_by_key(|(pin, _)| *pin).map_or(Guid::NULL, |(_, item)| item.bus)
}

pub(super) fn flags(view: &View<'_>, id: PipeId) -> AllocatorFlags {
    let pipe = view.pipe(id);
    let mut flags = AllocatorFlags::empty();
    if pipe.pins.iter().any(|pin| view.branches(*pin).nth(1).is_some()) {
        flags |= AllocatorFlags::MULTIPLE_OUTPUT;
    }
    if pipe.pins.iter().any(|pin| view.declares_writing(*pin)) {
        flags |= AllocatorFlags::NO_FRAME_INTEGRITY;
    }
    if pipe.allocator.kind == AllocatorKind::Exists {
        flags |= AllocatorFlags::ALLOCATOR_EXISTS;
    }
    let steps = |range: &FrameRange| range.step > 1 && range.min < range.max;
    if view.items(id).any(|(_, item)| !item.is_preference() && steps(&item.physical)) {
        flags |= AllocatorFlags::ATTENTION_STEPPING;
    }
    // Segments depend on one another's sizes only across a route that keeps the size or states how it changes.
    let bound = |pin: PinId, kind| kind == RouteKind::Either || view.graph.pin(pin).compression().is_stated();
    let mut copies = view.copies_in(id).chain(view.copies_out(id)).peekable();
    if copies.peek().is_some() && !copies.any(|copy| bound(copy.route.to, copy.route.kind)) {
        flags |= AllocatorFlags::INDEPENDENT_RANGES;
    }
    flags
}

fn inside_factors(view: &View<'_>, id: PipeId) -> PipeFactors {
    let mut factors = PipeFactors::empty();
    let mut found = |factor, is_found| {
        if is_found {
            factors |= factor;
        }
    };
    for (_, item) in view.items(id) {
        found(PipeFactors::MEMORY_TYPES, item.memory != Guid::NULL);
        found(PipeFactors::FLAGS, !item.flags.is_empty() || !item.requirements.is_empty());
        found(PipeFactors::PHYSICAL_RANGES, !is_open(&item.physical));
        found(PipeFactors::OPTIMAL_RANGES, !is_open(&item.optimal));
        found(PipeFactors::BUFFERS, item.frames > 0);
        found(PipeFactors::ALIGN, item.alignment > 1);
    }
    for pin in &view.pipe(id).pins {
        found(PipeFactors::BUFFERS, view.graph.pin(*pin).holds().is_some());
        let stated = view.graph.pin(*pin).compression().is_stated();
        found(PipeFactors::FIXED_COMPRESSION, stated && view.joined_to(*pin).next().is_some());
    }
    factors
}

/// Whether a range allows every size.
fn is_open(range: &FrameRange) -> bool {
    range.min == 0 && range.upper_bound().is_none() && range.step <= 1
}

/// Sizes at the pins of a pipe relative to its first: stated compressions, multiplied along the way.
fn dimensions(view: &View<'_>, id: PipeId) -> Dimensions {
    let pipe = view.pipe(id);
    let mut ratios: HashMap<PinId, Compression> = HashMap::new();
    let mut largest = Compression::NONE;
    for pin in &pipe.pins {
        let at = |from: PinId| ratios.get(&from).copied().unwrap_or(Compression::NONE);
        let over_routes = view.joined_to(*pin).map(|route| then(at(route.from), view.graph.pin(*pin).compression()));
        let ratio = over_routes.max_by(compare).or_else(|| {
            let peer = view.graph.pin(*pin).peer().filter(|_| !view.is_bridged(*pin));
            peer.and_then(|peer| ratios.get(&peer).copied())
        });
        if let Some(ratio) = ratio.filter(Compression::is_stated) {
            ratios.insert(*pin, ratio);
            if compare(&ratio, &largest) == Ordering::Greater {
                largest = ratio;
            }
        }
    }
    let at = |pin: Option<&PinId>| pin.and_then(|pin| ratios.get(pin)).copied().unwrap_or(Compression::NONE);
    Dimensions {
        allocator_pin: at(pipe.allocator.pin.as_ref()),
        max_expansion_pin: largest,
        end_pin: at(view.last_pin(id).as_ref()),
    }
}

/// Which of two makes more of large frames; where they tie, which adds more.
fn compare(a: &Compression, b: &Compression) -> Ordering {
    let left = u64::from(a.numerator) * u64::from(b.denominator);
    let right = u64::from(b.numerator) * u64::from(a.denominator);
    left.cmp(&right).then(a.margin.cmp(&b.margin))
}

/// One compression after another, rounded up where it does not fit.
fn then(first: Compression, second: Compression) -> Compression {
    let mut numerator = u64::from(first.numerator) * u64::from(second.numerator);
    let mut denominator = u64::from(first.denominator) * u64::from(second.denominator);
    let common = gcd(numerator, denominator).max(1);
    numerator /= common;
    denominator /= common;
    while numerator > u64::from(u32::MAX) || denominator > u64::from(u32::MAX) {
        if denominator == 1 {
            numerator = u64::from(u32::MAX);
            break;
        }
        numerator = numerator.div_ceil(2);
        denominator /= 2;
    }
    let scaled = (u64::from(first.margin) * u64::from(second.numerator)).div_ceil(u64::from(second.denominator.max(1)));
    let margin = scaled.saturating_add(u64::from(second.margin));
    let fit = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
    Compression { numerator: fit(numerator), denominator: fit(denominator).max(1), margin: fit(margin) }
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(numerator: u32, denominator: u32, margin: u32) -> Compression {
        Compression { numerator, denominator, margin }
    }

    #[test]
    fn compressions_multiply_and_never_understate() {
        let huge = u32::MAX;
        let table = [
            (ratio(1, 1, 0), ratio(3, 2, 5), ratio(3, 2, 5)),
            (ratio(3, 2, 5), ratio(2, 3, 0), ratio(1, 1, 4)),
            (ratio(1, 2, 10), ratio(1, 2, 1), ratio(1, 4, 6)),
            (ratio(huge, 1, 0), ratio(huge, 1, 0), ratio(huge, 1, 0)),
            (ratio(0, 1, 9), ratio(5, 1, 0), ratio(0, 1, 45)),
            (ratio(1, 1, huge), ratio(2, 1, huge), ratio(2, 1, huge)),
        ];
        for (first, second, expected) in table {
            assert_eq!(then(first, second), expected, "{first:?} then {second:?}");
        }
        let (a, b) = (ratio(4_294_967_291, 4_294_967_279, 0), ratio(4_294_967_231, 4_294_967_197, 0));
        let exact =
            (u128::from(a.numerator) * u128::from(b.numerator), u128::from(a.denominator) * u128::from(b.denominator));
        let rounded = then(a, b);
        assert!(u128::from(rounded.numerator) * exact.1 >= exact.0 * u128::from(rounded.denominator));
    }
}
