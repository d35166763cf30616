//! The graph that the engine negotiates, made of surveyed pins.

use super::com_pin::ComPin;
use super::error::{Fault, NegotiatePinsError};
use super::names::Names;
use super::survey::Survey;
use super::{driver_framing, framing_cache};
use ks::{AllocatorProperties, RequirementFlags};
use ksobject::ObjectAccess;
use kspipe::graph::{
    BlobFraming, Bridges, Direction, FrameRange, Framing, FramingItem, Graph, Mode, PinId, RouteKind, Strategy,
};
use std::collections::HashMap;

/// A graph, and the pins it was made of.
pub(super) struct PinGraph {
    pub(super) graph: Graph,
    /// The graph's pins in its order.
    pub(super) pins: Vec<ComPin>,
    /// What in their framings was not taken as it stands.
    pub(super) findings: Vec<String>,
}

impl PinGraph {
    /// Reads the framing of every pin and builds the graph.
    ///
    /// # Safety
    ///
    /// Pointers that the pins give are null or good for reading what they say.
    pub(super) unsafe fn new(
        survey: Survey,
        strategy: Strategy,
        access: &dyn ObjectAccess,
    ) -> Result<Self, NegotiatePinsError> {
        let Survey { pins, filter_of, connections, routes } = survey;
        let names = name_all(&pins, &filter_of);
        let mut graph = Graph::builder();
        graph.strategy(strategy).bridges(Bridges::Forbid);
        let mut findings = Vec::new();
        let mut modifies = vec![false; pins.len()];
        let mut all_kernel: HashMap<&str, bool> = HashMap::new();
        for (pin, name) in pins.iter().zip(&names) {
            *all_kernel.entry(&name.filter).or_insert(true) &= mode(pin) == Mode::Kernel;
        }
        for ((pin, name), modifies) in pins.iter().zip(&names).zip(&mut modifies) {
            // SAFETY: as the caller promises.
            let framing = unsafe { framing_of(pin, access) }.map_err(|fault| fault.of(name.full.clone()))?;
            findings.extend(framing.findings.iter().map(|finding| format!("{}: {finding}", name.full)));
            *modifies = framing.framing.items().iter().any(FramingItem::modifies_in_place);
            // What a filter's pins share is the filter's.
            let filter_mode = if all_kernel[name.filter.as_str()] { Mode::Kernel } else { Mode::User };
            let draft = graph.filter(&name.filter).mode(filter_mode).only_stated_routes().pin(&name.pin, pin.direction);
            draft.mode(mode(pin)).framing(framing.framing).compression(framing.compression);
        }
        for (from, to) in &connections {
            graph.connect(&names[*from].full, &names[*to].full);
        }
        for (from, to) in &routes {
            let kind = if modifies[*from] { RouteKind::InPlace } else { RouteKind::Copy };
            graph.filter(&names[*from].filter).route(&names[*from].pin, &names[*to].pin, kind);
        }
        let graph = graph.build().map_err(NegotiatePinsError::Malformed)?;
        let place_of: HashMap<String, usize> = graph.pin_names().zip(0..).collect();
        let mut placed: Vec<(usize, ComPin)> = names.iter().map(|name| place_of[&name.full]).zip(pins).collect();
        placed.sort_unstable_by_key(|(place, _)| *place);
        Ok(Self { graph, pins: placed.into_iter().map(|(_, pin)| pin).collect(), findings })
    }

    /// The pin of a place in the graph.
    pub(super) fn pin(&self, id: PinId) -> &ComPin {
        &self.pins[id.index()]
    }
}

/// The side a pin is on: in the kernel where there is a handle behind it.
fn mode(pin: &ComPin) -> Mode {
    if pin.handle.is_some() { Mode::Kernel } else { Mode::User }
}

struct Name {
    filter: String,
    pin: String,
    full: String,
}

/// A name for every pin, none twice.
fn name_all(pins: &[ComPin], filter_of: &[usize]) -> Vec<Name> {
    let own: Vec<(String, String)> = pins.iter().map(ComPin::names).collect();
    let mut names = Names::default();
    // The first of a filter's pins that has a name for it says how it is called.
    let mut wanted: HashMap<usize, &str> = HashMap::new();
    for (filter, (_, name)) in filter_of.iter().zip(&own).filter(|(_, (_, name))| !name.is_empty()) {
        wanted.entry(*filter).or_insert(name);
    }
    let mut filters: HashMap<usize, String> = HashMap::new();
    for filter in filter_of {
        filters.entry(*filter).or_insert_with(|| names.filter(wanted.get(filter).copied().unwrap_or_default()));
    }
    let name = |(filter, (pin, _)): (&usize, &(String, String))| {
        let filter = filters[filter].clone();
        let (pin, full) = names.pin(&filter, pin);
        Name { filter, pin, full }
    };
    filter_of.iter().zip(&own).map(name).collect()
}

/// What a pin asks: the framing in its cache; where none was read into it yet, its driver's; and without a framing cache,
/// what it requires as an input pin of DirectShow.
///
/// # Safety
///
/// As [`framing_cache::read`].
unsafe fn framing_of(pin: &ComPin, access: &dyn ObjectAccess) -> Result<BlobFraming, Fault> {
    let Some(pipe) = &pin.pipe else {
        let required = (pin.direction == Direction::In).then(|| pin.requirements()).flatten();
        let framing = required.map_or(Framing::None, |required| Framing::Extended(vec![preferred(required)]));
        return Ok(BlobFraming { framing, ..BlobFraming::default() });
    };
    // SAFETY: as the caller promises.
    match (unsafe { framing_cache::read(pipe) }?, pin.handle) {
        (Some(framing), _) => Ok(framing),
        (None, Some(handle)) => driver_framing::read(access, handle),
        (None, None) => Ok(BlobFraming::default()),
    }
}

/// `ALLOCATOR_PROPERTIES` as a framing item. They are preferences: an output pin need not meet them. A prefix is not
/// negotiated. Negative numbers ask nothing.
fn preferred(required: AllocatorProperties) -> FramingItem {
    let positive = |number: i32| u32::try_from(number).unwrap_or(0);
    FramingItem {
        frames: positive(required.c_buffers),
        alignment: u64::from(positive(required.cb_align.0)).next_power_of_two(),
        optimal: FrameRange { min: positive(required.cb_buffer), ..FrameRange::OPEN },
        requirements: RequirementFlags::PREFERENCES_ONLY,
        ..FramingItem::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ks::AlignmentCount;

    #[test]
    fn requirements_of_directshow_are_preferences() {
        let required = |c_buffers, cb_buffer, cb_align| {
            preferred(AllocatorProperties { c_buffers, cb_buffer, cb_align: AlignmentCount(cb_align), cb_prefix: 0 })
        };
        let item = required(4, 4096, 48);
        assert_eq!((item.frames, item.capacity(), item.alignment, item.is_preference()), (4, 4096, 64, true));
        let item = required(-1, i32::MIN, 0);
        assert_eq!((item.frames, item.capacity(), item.alignment), (0, 0, 1));
    }
}
