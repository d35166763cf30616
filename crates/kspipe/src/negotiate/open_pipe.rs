//! A half-built pipe: all that what is still to come needs to know of the pins it has so far.

use super::ask::{Ask, LARGEST_FRAME, WantsToAllocate};
use super::facts::EdgeKind;
use super::keys::{Key, KeyOrder, Keys};
use super::memory::MemoryClass;
use super::progression::Progression;
use crate::graph::Mode;
use ks::KSMEMORY_TYPE_USER;

/// What the solver knows of a set of pins that may end up in one pipe.
#[derive(Clone, Debug)]
pub(super) struct Ground {
    pub(super) order: KeyOrder,
    pub(super) classes: Vec<MemoryClass>,
    /// Preferred sizes up to this one can always be granted: no maximum is below it and no stepping skips it.
    pub(super) always_granted: u64,
    /// Some pin asks for sizes on a stepping.
    pub(super) has_steps: bool,
}

impl Ground {
    /// Sizes are settled before departures are counted, so preferred sizes do not raise them.
    fn size_comes_first(&self) -> bool {
        self.order.before(Key::Sizes, Key::Departures)
    }
    /// Counts are settled before departures are counted.
    fn count_comes_first(&self) -> bool {
        self.order.before(Key::Frames, Key::Departures)
    }
}

/// Preferences that may come out unmet: how many pins prefer at least how much, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Thresholds(Vec<(u64, u64)>);

impl Thresholds {
    fn add(&mut self, value: u64, pins: u64) {
        match self.0.binary_search_by_key(&value, |(value, _)| *value) {
            Ok(place) => self.0[place].1 = self.0[place].1.saturating_add(pins),
            Err(place) => self.0.insert(place, (value, pins)),
        }
    }
    fn merge(&mut self, other: &Thresholds) {
        if self.0.is_empty() {
            self.0.clone_from(&other.0);
        } else {
            other.0.iter().for_each(|(value, pins)| self.add(*value, *pins));
        }
    }
    /// Forgets those that are met whatever comes.
    fn drop_up_to(&mut self, value: u64) {
        let met = self.0.partition_point(|(threshold, _)| *threshold <= value);
        self.0.drain(..met);
    }
    fn unmet(&self, value: u64) -> u128 {
        let met = self.0.partition_point(|(threshold, _)| *threshold <= value);
        self.0[met..].iter().map(|(_, pins)| u128::from(*pins)).sum()
    }
}

/// The numbers of a finished pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PipeNumbers {
    pub(super) frames: u64,
    pub(super) frame_size: u64,
    pub(super) alignment: u64,
}

/// A half-built pipe, seen from the pin at which it goes on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct OpenPipe {
    /// Its memory, a place in [`Ground::classes`]: chosen at its first pin.
    pub(super) class: u16,
    has_user_pin: bool,
    names_user_memory: bool,
    has_allocator: bool,
    /// A pin prefers to allocate and may.
    has_willing: bool,
    says_holds: bool,
    alignment_log: u8,
    /// A writer at this pin or downstream of it.
    writes: bool,
    /// This pin, or one upstream of it, lets nobody downstream write.
    protects: bool,
    /// Routes that leave this in pin and stay in the pipe: 0, 1, or more.
    branches: u8,
    /// A writer in one of those branches.
    branch_writes: bool,
    sizes: Progression,
    largest: u64,
    /// A preferred size that will be granted.
    granted_size: u64,
    frames: u32,
    holds: u64,
    more_size: Thresholds,
    more_frames: Thresholds,
}

impl OpenPipe {
    /// The pipe that one pin is by itself, with what it costs already; `None` where the pin cannot have this memory. The
    /// pin is on any side where its `mode` does not count.
    pub(super) fn of(
        ground: &Ground,
        ask: &Ask,
        holds: Option<u32>,
        mode: Option<Mode>,
        class: u16,
    ) -> Option<(Self, Keys)> {
        let memory = &ground.classes[class as usize];
        if mode == Some(Mode::User) && memory.mode == Mode::Kernel {
            return None;
        }
        let mut keys = Keys::default();
        let order = &ground.order;
        if ask.asks_memory {
            if !memory.is_accepted(ask.memory, mode) {
                if !ask.preference {
                    return None;
                }
                order.add(&mut keys, Key::Departures, 1);
            }
            if ask.memory != memory.memory_type {
                order.add(&mut keys, Key::NotNaming, 1);
            }
        }
        let may_allocate = mode != Some(Mode::Kernel) || memory.mode == Mode::Kernel;
        match ask.allocate {
            WantsToAllocate::Must if !may_allocate && !memory.is_mapped_device() => return None,
            WantsToAllocate::Prefers => order.add(&mut keys, Key::Departures, 1),
            _ => {}
        }
        if ask.sizes.next(1)? > ask.largest {
            return None;
        }
        let mut pipe = OpenPipe {
            class,
            has_user_pin: mode != Some(Mode::Kernel),
            names_user_memory: ask.memory == KSMEMORY_TYPE_USER,
            has_allocator: ask.allocate == WantsToAllocate::Must,
            has_willing: ask.allocate == WantsToAllocate::Prefers && may_allocate,
            says_holds: holds.is_some(),
            alignment_log: ask.alignment.trailing_zeros() as u8,
            writes: ask.writes,
            protects: ask.integrity,
            branches: 0,
            branch_writes: false,
            sizes: ask.sizes,
            largest: ask.largest,
            granted_size: 0,
            frames: ask.required_frames,
            holds: holds.unwrap_or(0).into(),
            more_size: Thresholds::default(),
            more_frames: Thresholds::default(),
        };
        if ask.preferred_size > ask.sizes.min {
            if ask.preferred_size <= ground.always_granted && !ground.size_comes_first() {
                pipe.granted_size = ask.preferred_size;
            } else {
                pipe.more_size.add(ask.preferred_size, 1);
            }
        }
        if ask.preferred_frames > 0 {
            if ground.count_comes_first() {
                pipe.more_frames.add(ask.preferred_frames.into(), 1);
            } else {
                // There is no upper bound on frames, so a preferred count is always granted.
                pipe.frames = pipe.frames.max(ask.preferred_frames);
            }
        }
        pipe.settle(ground);
        Some((pipe, keys))
    }

    /// Makes pipes that behave alike equal.
    fn settle(&mut self, ground: &Ground) {
        self.more_size.drop_up_to(self.sizes.min.max(self.granted_size));
        self.more_frames.drop_up_to(self.frames.into());
        let memory = &ground.classes[self.class as usize];
        if memory.mode == Mode::User || memory.memory_type != KSMEMORY_TYPE_USER {
            self.names_user_memory = false;
        }
        if self.has_allocator {
            self.has_willing = false;
        }
        if self.granted_size <= self.sizes.min {
            self.granted_size = 0;
        }
    }

    /// The pipe with a size more required of it, where something of `bytes` is copied into it.
    pub(super) fn with_capacity(&self, ground: &Ground, bytes: u64) -> Option<Self> {
        if bytes <= self.sizes.min {
            return Some(self.clone());
        }
        let mut pipe = self.clone();
        pipe.sizes = pipe.sizes.from(bytes);
        if pipe.sizes.next(bytes)? > pipe.largest {
            return None;
        }
        pipe.settle(ground);
        Some(pipe)
    }

    /// This pipe, seen from a pin upstream, joined with `down` by an edge; what results is seen from `up`'s pin or from
    /// `down`'s.
    pub(super) fn join(ground: &Ground, up: &Self, down: &Self, edge: EdgeKind, seen_from: Side) -> Option<Self> {
        if up.class != down.class || (up.has_allocator && down.has_allocator) {
            return None;
        }
        let writes_below = edge.writes() || down.writes;
        let shared = edge.is_route() && up.branches > 0;
        if (up.protects || shared) && writes_below || shared && up.branch_writes {
            return None;
        }
        let largest = up.largest.min(down.largest);
        let sizes = up.sizes.intersect(&down.sizes, largest)?;
        let (seen, other) = match seen_from {
            Side::Upstream => (up, down),
            Side::Downstream => (down, up),
        };
        let mut pipe = seen.clone();
        pipe.absorb(other, sizes, largest);
        match seen_from {
            Side::Upstream => {
                pipe.writes |= writes_below;
                if edge.is_route() {
                    pipe.branches = (pipe.branches + 1).min(2);
                    pipe.branch_writes |= writes_below;
                }
            }
            Side::Downstream => pipe.protects |= up.protects || shared,
        }
        pipe.settle(ground);
        Some(pipe)
    }

    /// Takes in what another part of the same pipe asks, whatever lies between the two.
    fn absorb(&mut self, other: &Self, sizes: Progression, largest: u64) {
        self.has_user_pin |= other.has_user_pin;
        self.names_user_memory |= other.names_user_memory;
        self.has_allocator |= other.has_allocator;
        self.has_willing |= other.has_willing;
        self.says_holds |= other.says_holds;
        self.alignment_log = self.alignment_log.max(other.alignment_log);
        self.sizes = sizes;
        self.largest = largest;
        self.granted_size = self.granted_size.max(other.granted_size);
        self.frames = self.frames.max(other.frames);
        self.holds = self.holds.saturating_add(other.holds);
        self.more_size.merge(&other.more_size);
        self.more_frames.merge(&other.more_frames);
    }

    /// Two parts of one pipe together, who writes and who protects left out of account; `None` where their asks cannot
    /// be met at once.
    pub(super) fn combined(ground: &Ground, one: &Self, other: &Self) -> Option<Self> {
        if one.class != other.class || (one.has_allocator && other.has_allocator) {
            return None;
        }
        let largest = one.largest.min(other.largest);
        let sizes = one.sizes.intersect(&other.sizes, largest)?;
        let mut pipe = one.clone();
        pipe.absorb(other, sizes, largest);
        pipe.settle(ground);
        Some(pipe)
    }

    /// The pipe with what it says of writers forgotten, for who keeps account of them elsewhere.
    pub(super) fn without_writers(mut self) -> Self {
        (self.writes, self.protects, self.branches, self.branch_writes) = (false, false, 0, false);
        self
    }

    /// Forgets what does not matter across the edge at which the pipe goes on.
    pub(super) fn look_across(&mut self, edge: EdgeKind, this_side: Side) {
        match this_side {
            Side::Upstream => {
                self.writes = false;
                if edge.is_route() {
                    self.branches = self.branches.min(1);
                } else {
                    self.branches = 0;
                    self.branch_writes = false;
                }
            }
            Side::Downstream => {
                self.protects = false;
                self.branches = 0;
                self.branch_writes = false;
            }
        }
    }

    /// The finished pipe's numbers and what it adds to the cost; `None` where it cannot be finished.
    pub(super) fn close(&self, ground: &Ground, keys: &mut Keys) -> Option<PipeNumbers> {
        let memory = &ground.classes[self.class as usize];
        if memory.mode == Mode::User && !self.has_user_pin {
            return None;
        }
        if memory.mode == Mode::Kernel && memory.memory_type == KSMEMORY_TYPE_USER && !self.names_user_memory {
            return None;
        }
        let order = &ground.order;
        let frame_size = self.frame_size(ground)?;
        let frames = u64::from(self.frames).max(1).max(if self.says_holds { self.holds.saturating_add(1) } else { 0 });
        let alignment = 1u64 << self.alignment_log;
        let slot = u128::from(frame_size).next_multiple_of(u128::from(alignment));
        order.add(keys, Key::Allocators, 1);
        if self.has_willing {
            // Each that prefers to allocate was counted as a departure; one of them does.
            order.take_back(keys, Key::Departures);
        }
        order.add(keys, Key::Departures, self.more_size.unmet(frame_size) + self.more_frames.unmet(frames));
        order.add(keys, Key::Bytes, u128::from(frames).saturating_mul(slot));
        order.add(keys, Key::Frames, frames.into());
        order.add(keys, Key::Sizes, frame_size.into());
        order.add(keys, Key::Rank, memory.rank());
        Some(PipeNumbers { frames, frame_size, alignment })
    }

    /// The smallest valid size that grants as many preferred sizes as any, where departures come before sizes; else the
    /// smallest valid size.
    fn frame_size(&self, ground: &Ground) -> Option<u64> {
        let fits = |size: u64| self.sizes.next(size).filter(|size| *size <= self.largest);
        let least = fits(self.granted_size.max(1))?;
        if ground.size_comes_first() {
            return Some(least);
        }
        let most = self.more_size.0.iter().rev().find_map(|(threshold, _)| fits(*threshold));
        Some(most.map_or(least, |most| most.max(least)))
    }

    /// The less, the more it still allows: its stepping first, then how far its sizes reach.
    pub(super) fn strictness(&self) -> (u64, bool, std::cmp::Reverse<u64>, u64) {
        (self.sizes.step(), self.has_allocator, std::cmp::Reverse(self.largest), self.sizes.min)
    }

    /// Whether whatever can still be done with `other` can be done with this one, at no more cost; then `other` is not
    /// needed. May say no where that is so.
    pub(super) fn makes_needless(&self, keys: &Keys, other: &Self, other_keys: &Keys, ground: &Ground) -> bool {
        let at_least_as_free = self.class == other.class
            && self.has_user_pin >= other.has_user_pin
            && self.names_user_memory >= other.names_user_memory
            && self.has_allocator <= other.has_allocator
            && self.writes <= other.writes
            && self.protects <= other.protects
            && self.branches <= other.branches
            && self.branch_writes <= other.branch_writes
            && self.largest >= other.largest
            && (self.sizes.contains(&other.sizes)
                || !self.sizes.has_steps() && self.sizes.min <= ground.always_granted);
        if !at_least_as_free {
            return false;
        }
        let mut extra = [(Key::Departures, 0), (Key::Sizes, 0), (Key::Frames, 0), (Key::Bytes, 0)];
        if self.more_size != other.more_size || self.more_frames != other.more_frames {
            extra[0].1 += self.more_size.unmet(0) + self.more_frames.unmet(0);
        }
        extra[0].1 += u128::from(other.has_willing && !self.has_willing);
        let size = |pipe: &Self| pipe.sizes.min.max(pipe.granted_size);
        let grows = if self.sizes == other.sizes && self.more_size == other.more_size {
            self.granted_size.saturating_sub(other.granted_size)
        } else if !self.sizes.has_steps() && self.more_size.0.is_empty() {
            size(self).saturating_sub(size(other))
        } else {
            LARGEST_FRAME
        };
        // With steps a little more asked can be a whole step more.
        extra[1].1 = if grows > 0 && ground.has_steps { LARGEST_FRAME.into() } else { grows.into() };
        let frames = self.frames.saturating_sub(other.frames);
        let least_count = |pipe: &Self| pipe.holds.saturating_add(pipe.says_holds.into());
        let holds = least_count(self).saturating_sub(least_count(other));
        extra[2].1 = u128::from(frames).max(holds.into());
        if extra[1].1 > 0 || extra[2].1 > 0 || self.alignment_log > other.alignment_log {
            extra[3].1 = u128::MAX;
        }
        ground.order.at_most(keys, &extra, other_keys)
    }
}

/// From which end of an edge a pipe is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Upstream,
    Downstream,
}
