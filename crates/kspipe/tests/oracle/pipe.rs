//! The best way to run one pipe, its pins and cuts given: every choice of items, memory, size and count.

use super::rules::{accepted, all_memory, is_mapped};
use ks::{
    AllocatorFlags, KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_KERNEL_PAGED, KSMEMORY_TYPE_SYSTEM,
    KSMEMORY_TYPE_USER, KSMEMORY_TYPE_WILDCARD, RequirementFlags,
};
use kspipe::graph::{Direction, FramingItem, Graph, Mode, PinId, Route, RouteKind};
use kspipe::negotiate::{AllocatorChoice, AllocatorKind, AllocatorPlace, Cost, Pipe};

/// The largest frame there is.
const LARGEST: u64 = i64::MAX as u64;

/// The items its pins use, pin by pin.
pub(crate) type Chosen<'a> = Vec<Option<&'a FramingItem>>;

/// A pipe whose pins are known, and what came to be known about them.
pub(crate) struct Candidate<'a> {
    pub(crate) graph: &'a Graph,
    /// Upstream before downstream, ties by canonical order.
    pub(crate) pins: Vec<PinId>,
    /// Connections and routes inside it.
    pub(crate) edges: Vec<(PinId, PinId)>,
    /// The routes inside it.
    pub(crate) routes: Vec<Route>,
    /// What has to fit a frame whatever the items.
    pub(crate) capacities: Vec<u64>,
}

/// A way to run a pipe: what the plan says of it, which items its pins use, and its part of the cost.
#[derive(Clone)]
pub(crate) struct Way {
    pub(crate) pipe: Pipe,
    pub(crate) items: Vec<Option<u32>>,
    pub(crate) cost: Cost,
}

impl Candidate<'_> {
    /// The cheapest valid way, by the keys given.
    pub(crate) fn best(&self, keys: &dyn Fn(&Cost) -> Vec<u128>) -> Option<Way> {
        let mut best: Option<Way> = None;
        let mut choice: Vec<usize> = vec![0; self.pins.len()];
        loop {
            let items: Chosen<'_> =
                self.pins.iter().zip(&choice).map(|(pin, item)| self.graph.pin(*pin).items().get(*item)).collect();
            if !self.writes_what_is_shared(&items)
                && let Some(way) = self.best_with(&items, &choice, keys)
                && best.as_ref().is_none_or(|best| keys(&way.cost) < keys(&best.cost))
            {
                best = Some(way);
            }
            // The next choice of items, like a counter; done when it comes round.
            let mut digit = 0;
            loop {
                let Some(pin) = self.pins.get(digit) else { return best };
                choice[digit] += 1;
                if choice[digit] < self.graph.pin(*pin).items().len() {
                    break;
                }
                choice[digit] = 0;
                digit += 1;
            }
        }
    }

    fn best_with(&self, items: &Chosen<'_>, choice: &[usize], keys: &dyn Fn(&Cost) -> Vec<u128>) -> Option<Way> {
        let mut best: Option<Way> = None;
        let alignment = self.alignment(items);
        for memory in self.memories_by_ties(items) {
            let Some(allocator) = self.allocator(items, memory) else { continue };
            for size in self.sizes(items) {
                for frames in self.counts(items) {
                    let mode = self.mode();
                    let pins = self.pins.clone();
                    let (frame_size, memory_type) = (size, memory);
                    let pipe = Pipe { pins, mode, memory_type, frames, frame_size, alignment, prefix: 0, allocator };
                    let cost = self.cost(&pipe, items);
                    if best.as_ref().is_none_or(|best| keys(&cost) < keys(&best.cost)) {
                        let items = items.iter().zip(choice).map(|(item, number)| item.map(|_| *number as u32));
                        best = Some(Way { pipe, items: items.collect(), cost });
                    }
                }
            }
        }
        best
    }

    fn has_user_pin(&self) -> bool {
        self.pins.iter().any(|pin| self.graph.mode(*pin) == Mode::User)
    }

    pub(crate) fn mode(&self) -> Mode {
        if self.has_user_pin() { Mode::User } else { Mode::Kernel }
    }

    /// Rule 4. Of powers of two the largest is a multiple of each.
    pub(crate) fn alignment(&self, items: &Chosen<'_>) -> u64 {
        items.iter().flatten().map(|item| item.alignment).fold(1, u64::max)
    }

    fn reaches(&self, from: PinId, to: PinId) -> bool {
        from == to || self.edges.iter().any(|(above, below)| *above == from && self.reaches(*below, to))
    }

    /// Rule 7. A writer is where the frame is when it is written, and for a route, the pin after it.
    pub(crate) fn writes_what_is_shared(&self, items: &Chosen<'_>) -> bool {
        let says = |pin: PinId, what: RequirementFlags| {
            let place = self.pins.iter().position(|other| *other == pin);
            place.and_then(|place| items[place]).is_some_and(|item| item.requirements.contains(what))
        };
        let modifies = |pin: PinId| {
            self.graph.pin(pin).direction() == Direction::In && says(pin, RequirementFlags::INPLACE_MODIFIER)
        };
        if self.graph.routes().iter().any(|route| route.kind == RouteKind::Pass && modifies(route.from)) {
            return true;
        }
        let in_place: Vec<&Route> = self.routes.iter().filter(|route| route.kind != RouteKind::Pass).collect();
        for &pin in &self.pins {
            let branches: Vec<&Route> = self.routes.iter().filter(|route| route.from == pin).collect();
            if branches.len() > 1 {
                for branch in branches {
                    let below = |writer: PinId| self.reaches(branch.to, writer);
                    if branch.kind != RouteKind::Pass
                        || self.pins.iter().any(|writer| modifies(*writer) && below(*writer))
                        || in_place.iter().any(|writer| below(writer.from))
                    {
                        return true;
                    }
                }
            }
            if says(pin, RequirementFlags::FRAME_INTEGRITY)
                && (self.pins.iter().any(|writer| modifies(*writer) && *writer != pin && self.reaches(pin, *writer))
                    || in_place.iter().any(|writer| self.reaches(pin, writer.from)))
            {
                return true;
            }
        }
        false
    }

    /// Rule 2.
    pub(crate) fn memories(&self, items: &Chosen<'_>) -> Vec<ks::Guid> {
        let mut memories = all_memory(self.graph);
        memories.extend(items.iter().flatten().map(|item| item.memory));
        memories.retain(|memory| ![KSMEMORY_TYPE_WILDCARD, KSMEMORY_TYPE_SYSTEM].contains(memory));
        memories.retain(|memory| {
            let named = items.iter().flatten().any(|item| item.memory == *memory);
            let reachable = if self.has_user_pin() {
                *memory == KSMEMORY_TYPE_USER || is_mapped(self.graph, *memory)
            } else {
                *memory != KSMEMORY_TYPE_USER || named
            };
            reachable
                && self.pins.iter().zip(items).all(|(pin, item)| {
                    let Some(item) = item.filter(|item| !item.is_preference()) else { return true };
                    let side = self.graph.mode(*pin);
                    let may_allocate = !item.must_allocate()
                        || side == Mode::User
                        || !self.has_user_pin()
                        || is_mapped(self.graph, *memory);
                    may_allocate && accepted(self.graph, item.memory, side, self.has_user_pin()).contains(memory)
                })
        });
        memories
    }

    /// The type most pins name comes first, then user, nonpaged, paged memory.
    fn memories_by_ties(&self, items: &Chosen<'_>) -> Vec<ks::Guid> {
        let mut memories = self.memories(items);
        memories.sort_by_key(|memory| place_in_ties(*memory, items));
        memories
    }

    /// Rule 3.
    pub(crate) fn is_valid_size(&self, size: u64, items: &Chosen<'_>) -> bool {
        let suits = |item: &FramingItem| {
            let (min, max, step) = (item.physical.min, item.physical.max, item.physical.step);
            size >= u64::from(min)
                && (max == u32::MAX || size <= u64::from(max))
                && (step <= 1 || (size - u64::from(min)).is_multiple_of(u64::from(step)))
                && size >= u64::from(item.optimal.min)
        };
        (1..=LARGEST).contains(&size)
            && items.iter().flatten().filter(|item| !item.is_preference()).all(|item| suits(item))
            && self.capacities.iter().all(|bytes| size >= *bytes)
    }

    /// The sizes worth trying. What a size costs never falls as it grows, except where it reaches what a pin prefers; so
    /// the best is the smallest valid one from 1, or from such a preference.
    fn sizes(&self, items: &Chosen<'_>) -> Vec<u64> {
        let mut from = vec![1];
        from.extend(items.iter().flatten().map(|item| u64::from(item.physical.min)));
        from.extend(items.iter().flatten().map(|item| u64::from(item.optimal.min)));
        let mut sizes: Vec<u64> = from.into_iter().filter_map(|from| self.smallest_size(from, items)).collect();
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    }

    /// The smallest valid size of at least so many bytes. Found step by step: sizes that are on some of the steppings are
    /// a common multiple of these apart, so among as many of them as the next stepping is long, one is on that too.
    fn smallest_size(&self, from: u64, items: &Chosen<'_>) -> Option<u64> {
        let required = || items.iter().flatten().filter(|item| !item.is_preference());
        let least = required().map(|item| u64::from(item.physical.min.max(item.optimal.min)));
        let mut size = u128::from(least.chain(self.capacities.iter().copied()).fold(from, u64::max));
        let mut steps: Vec<(u128, u128)> = required()
            .filter(|item| item.physical.step > 1)
            .map(|item| (item.physical.step.into(), item.physical.min.into()))
            .collect();
        // The longest first, where no search is needed.
        steps.sort_unstable_by(|a, b| b.cmp(a));
        let mut apart = 1u128;
        for (step, min) in steps {
            if apart == 1 {
                size += (step - (size - min) % step) % step;
            }
            let tries = step / common_divisor(apart, step);
            size = (0..tries).map(|time| size + time * apart).find(|size| (size - min) % step == 0)?;
            apart = apart / common_divisor(apart, step) * step;
            if size > u128::from(LARGEST) {
                return None;
            }
        }
        u64::try_from(size).ok().filter(|size| self.is_valid_size(*size, items))
    }

    /// Rule 5: the fewest frames.
    pub(crate) fn least_count(&self, items: &Chosen<'_>) -> u64 {
        let required = items.iter().flatten().filter(|item| !item.is_preference()).map(|item| u64::from(item.frames));
        let holds: Vec<u64> = self.pins.iter().filter_map(|pin| self.graph.pin(*pin).holds()).map(u64::from).collect();
        let held = if holds.is_empty() { 0 } else { holds.iter().sum::<u64>() + 1 };
        required.max().unwrap_or(0).max(held).max(1)
    }

    /// The counts worth trying, as with sizes.
    fn counts(&self, items: &Chosen<'_>) -> Vec<u64> {
        let least = self.least_count(items);
        let mut counts = vec![least];
        counts.extend(items.iter().flatten().map(|item| u64::from(item.frames)).filter(|frames| *frames > least));
        counts.sort_unstable();
        counts.dedup();
        counts
    }

    /// Rule 6; `None` where two pins must allocate.
    pub(crate) fn allocator(&self, items: &Chosen<'_>, memory: ks::Guid) -> Option<AllocatorChoice> {
        let with = |wanted: &dyn Fn(&FramingItem) -> bool| -> Vec<PinId> {
            let pins = self.pins.iter().zip(items).filter(|(_, item)| item.is_some_and(wanted));
            pins.map(|(pin, _)| *pin).collect()
        };
        let may = |pins: Vec<PinId>| -> Vec<PinId> {
            let barred = |pin: PinId| self.has_user_pin() && self.graph.mode(pin) == Mode::Kernel;
            pins.into_iter().filter(|pin| !barred(*pin)).collect()
        };
        let musts = with(&|item| item.must_allocate() && !item.is_preference());
        let flag = |flags: AllocatorFlags| may(with(&|item| item.flags.contains(flags)));
        let (kind, pin) = if musts.len() > 1 {
            return None;
        } else if let Some(pin) = self.last(&musts) {
            (AllocatorKind::MustAllocate, Some(pin))
        } else if let Some(pin) = self.last(&may(with(&|item| item.must_allocate()))) {
            (AllocatorKind::Prefers, Some(pin))
        } else if let Some(pin) = self.last(&flag(AllocatorFlags::ALLOCATOR_EXISTS)) {
            (AllocatorKind::Exists, Some(pin))
        } else if let Some(pin) = self.last(&flag(AllocatorFlags::DEVICE_SPECIFIC | AllocatorFlags::CAN_ALLOCATE)) {
            (AllocatorKind::DeviceSpecific, Some(pin))
        } else if let Some(pin) = self.last(&flag(AllocatorFlags::CAN_ALLOCATE)) {
            (AllocatorKind::CanAllocate, Some(pin))
        } else if self.has_user_pin() || memory == KSMEMORY_TYPE_USER {
            (AllocatorKind::Default, None)
        } else {
            let in_pins = self.pins.iter().copied().filter(|pin| self.graph.pin(*pin).direction() == Direction::In);
            (AllocatorKind::Default, self.last(&in_pins.collect::<Vec<_>>()))
        };
        let place = if pin.is_none() {
            AllocatorPlace::None
        } else if pin == Some(self.pins[0]) {
            AllocatorPlace::FirstPin
        } else if pin == self.last(&self.pins) {
            AllocatorPlace::LastPin
        } else {
            AllocatorPlace::MiddlePin
        };
        Some(AllocatorChoice { kind, pin, place })
    }

    fn steps_to(&self, pin: PinId) -> usize {
        self.edges.iter().filter(|(_, to)| *to == pin).map(|(from, _)| 1 + self.steps_to(*from)).max().unwrap_or(0)
    }

    fn last(&self, pins: &[PinId]) -> Option<PinId> {
        let farthest = pins.iter().map(|pin| self.steps_to(*pin)).max()?;
        let farthest = pins.iter().copied().filter(|pin| self.steps_to(*pin) == farthest);
        farthest.min_by_key(|pin| self.graph.pin_name(*pin))
    }

    pub(crate) fn cost(&self, pipe: &Pipe, items: &Chosen<'_>) -> Cost {
        let mut departures = 0;
        for (pin, item) in pipe.pins.iter().zip(items) {
            let Some(item) = item.filter(|item| item.is_preference()) else { continue };
            let memory = accepted(self.graph, item.memory, self.graph.mode(*pin), self.has_user_pin());
            departures += u128::from(!memory.contains(&pipe.memory_type));
            let too_small = pipe.frame_size < u64::from(item.physical.min);
            departures += u128::from(too_small || pipe.frame_size < u64::from(item.optimal.min));
            departures += u128::from(pipe.frames < u64::from(item.frames));
            departures += u128::from(item.must_allocate() && pipe.allocator.pin != Some(*pin));
        }
        let slots = u128::from(pipe.frame_size).div_ceil(u128::from(pipe.alignment));
        Cost {
            bytes_copied: 0,
            allocators: 1,
            departures,
            depth: 0,
            bytes: u128::from(pipe.frames) * slots * u128::from(pipe.alignment),
            frames: u128::from(pipe.frames),
            sizes: u128::from(pipe.frame_size),
        }
    }
}

fn common_divisor(a: u128, b: u128) -> u128 {
    let (mut a, mut b) = (a, b);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Among memory types that cost the same, the least is taken.
pub(crate) fn place_in_ties(memory: ks::Guid, items: &Chosen<'_>) -> (usize, usize) {
    let named = items.iter().flatten().filter(|item| item.memory == memory).count();
    let known = [KSMEMORY_TYPE_USER, KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_KERNEL_PAGED];
    (usize::MAX - named, known.iter().position(|known| *known == memory).unwrap_or(known.len()))
}
