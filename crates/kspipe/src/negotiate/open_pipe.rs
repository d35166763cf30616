//! A half-built pipe: all that what is still to come needs to know of what its pins ask. Who writes and who forbids it
//! depends on where one stands and is kept apart ([`Sharing`](super::sharing::Sharing)).

use super::ask::{Ask, LARGEST_FRAME, WantsToAllocate};
use super::bounds::{Bounds, NumberBounds};
use super::keys::{Key, KeyOrder, Keys};
use super::memory::MemoryClass;
use super::progression::Progression;
use super::thresholds::Thresholds;
use crate::graph::Mode;
use ks::KSMEMORY_TYPE_USER;

/// What the solver knows of a set of pins that may end up in one pipe.
#[derive(Clone, Debug)]
pub(super) struct Ground {
    pub(super) order: KeyOrder,
    pub(super) classes: Vec<MemoryClass>,
    /// Sizes up to this one can always be granted: no maximum is below it, or below the next one on a stepping.
    pub(super) always_granted: u64,
    /// Some pin asks for sizes on a stepping.
    pub(super) has_steps: bool,
    /// What is known before of the pipes, where something is.
    pub(super) bounds: Option<Box<Bounds>>,
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
    /// Departures cost anything.
    fn counts_departures(&self) -> bool {
        self.order.up_to(Key::Departures).is_some()
    }
    /// Whether what costs so much cannot be part of the best plan.
    pub(super) fn is_beyond(&self, keys: &Keys) -> bool {
        self.bounds.as_ref().is_some_and(|bounds| bounds.is_beyond(&self.order, keys))
    }
    /// What the numbers of a pipe of a class are within; `None` where no pipe is of it.
    fn bounds_of(&self, class: u16) -> Option<NumberBounds> {
        self.bounds.as_ref().map_or(Some(NumberBounds::NONE), |bounds| bounds.of(class))
    }
}

/// The numbers of a finished pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PipeNumbers {
    pub(super) frames: u64,
    pub(super) frame_size: u64,
    pub(super) alignment: u64,
}

/// Preferences of a pipe that may come out unmet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Open {
    sizes: Thresholds,
    frames: Thresholds,
}

impl PipeNumbers {
    /// With the largest size that takes no more room, where every pipe can have it, and the largest alignment that this
    /// room has: they cost the same.
    pub(super) fn filled(self, ground: &Ground) -> Self {
        let room = u128::from(self.frame_size).next_multiple_of(u128::from(self.alignment));
        let Ok(room) = u64::try_from(room) else { return self };
        let sizes_cost = ground.order.up_to(Key::Sizes).is_some();
        let can_have_it = !ground.has_steps && room <= ground.always_granted.min(LARGEST_FRAME);
        let frame_size = if sizes_cost || !can_have_it { self.frame_size } else { room };
        PipeNumbers { frame_size, alignment: 1 << room.trailing_zeros(), ..self }
    }

    /// The smaller of each.
    pub(super) fn least(self, other: Self) -> Self {
        PipeNumbers {
            frames: self.frames.min(other.frames),
            frame_size: self.frame_size.min(other.frame_size),
            alignment: self.alignment.min(other.alignment),
        }
    }
}

/// A half-built pipe, or none yet: something that no pin is in and that any pipe can take in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct OpenPipe {
    sizes: Progression,
    largest: u64,
    /// A preferred size that will be granted.
    granted_size: u64,
    holds: u64,
    /// Mostly there are none.
    open: Option<Box<Open>>,
    frames: u32,
    /// Its memory, a place in [`Ground::classes`]: chosen at its first pin. [`NO_CLASS`]: no pin is in it.
    class: u16,
    alignment_log: u8,
    has_user_pin: bool,
    names_user_memory: bool,
    has_allocator: bool,
    /// A pin prefers to allocate and may.
    has_willing: bool,
    says_holds: bool,
}

/// The memory of no pipe.
const NO_CLASS: u16 = u16::MAX;

impl OpenPipe {
    /// No pin yet; what comes must hold so many bytes, which are copied in.
    pub(super) fn nothing(bytes: u64) -> Self {
        OpenPipe {
            sizes: Progression::any_from(bytes),
            largest: LARGEST_FRAME,
            granted_size: 0,
            holds: 0,
            open: None,
            frames: 0,
            class: NO_CLASS,
            alignment_log: 0,
            has_user_pin: false,
            names_user_memory: false,
            has_allocator: false,
            has_willing: false,
            says_holds: false,
        }
    }

    /// How many preferences of it may come out unmet, of different sizes or counts.
    pub(super) fn thresholds(&self) -> usize {
        self.open.as_ref().map_or(0, |open| open.sizes.len() + open.frames.len())
    }

    /// Whether no pin is in it.
    pub(super) fn is_nothing(&self) -> bool {
        self.class == NO_CLASS
    }

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
        let bounds = ground.bounds_of(class)?;
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
        let (sizes, largest) = (ask.sizes.from(bounds.least_size), ask.largest.min(bounds.most_size));
        if sizes.next(1)? > largest {
            return None;
        }
        let mut pipe = OpenPipe {
            sizes,
            largest,
            granted_size: 0,
            holds: holds.unwrap_or(0).into(),
            open: None,
            frames: ask.required_frames.max(bounds.least_frames),
            class,
            alignment_log: (ask.alignment.trailing_zeros() as u8).max(bounds.least_alignment_log),
            has_user_pin: mode != Some(Mode::Kernel),
            names_user_memory: ask.memory == KSMEMORY_TYPE_USER,
            has_allocator: ask.allocate == WantsToAllocate::Must,
            has_willing: ask.allocate == WantsToAllocate::Prefers && may_allocate,
            says_holds: holds.is_some(),
        };
        if ask.preferred_size > bounds.most_size {
            order.add(&mut keys, Key::Departures, 1);
        } else if ask.preferred_size > pipe.sizes.min && ground.counts_departures() {
            if ask.preferred_size <= ground.always_granted && !ground.size_comes_first() {
                pipe.granted_size = ask.preferred_size;
            } else {
                pipe.open.get_or_insert_default().sizes.add(ask.preferred_size, 1);
            }
        }
        if ask.preferred_frames > 0 {
            if ground.count_comes_first() && u64::from(ask.preferred_frames) > bounds.most_frames {
                order.add(&mut keys, Key::Departures, 1);
            } else if ground.count_comes_first() {
                pipe.open.get_or_insert_default().frames.add(ask.preferred_frames.into(), 1);
            } else {
                // There is no upper bound on frames, so a preferred count is always granted.
                pipe.frames = pipe.frames.max(ask.preferred_frames);
            }
        }
        pipe.settle(ground);
        let is_within = pipe.least_frames() <= bounds.most_frames && pipe.alignment_log <= bounds.most_alignment_log;
        (is_within && !ground.is_beyond(&keys)).then_some((pipe, keys))
    }

    /// Asks for numbers that it will come to in any case.
    pub(super) fn ask_for(&mut self, numbers: PipeNumbers, ground: &Ground) {
        self.sizes = self.sizes.from(numbers.frame_size);
        self.frames = self.frames.max(u32::try_from(numbers.frames).unwrap_or(u32::MAX));
        self.alignment_log = self.alignment_log.max(numbers.alignment.trailing_zeros() as u8);
        self.settle(ground);
    }

    /// What its numbers are at least, and its size at most, wherever it ends.
    pub(super) fn number_bounds(&self) -> NumberBounds {
        NumberBounds {
            least_size: self.sizes.next(self.granted_size.max(1)).unwrap_or(u64::MAX),
            most_size: self.largest,
            least_frames: self.frames,
            least_alignment_log: self.alignment_log,
            ..NumberBounds::NONE
        }
    }

    fn least_frames(&self) -> u64 {
        u64::from(self.frames).max(1).max(if self.says_holds { self.holds.saturating_add(1) } else { 0 })
    }

    /// Makes pipes that behave alike equal.
    fn settle(&mut self, ground: &Ground) {
        if let Some(open) = &mut self.open {
            open.sizes.drop_up_to(self.sizes.min.max(self.granted_size));
            open.frames.drop_up_to(self.frames.into());
            if open.sizes.is_empty() && open.frames.is_empty() {
                self.open = None;
            }
        }
        if let Some(memory) = ground.classes.get(self.class as usize)
            && (memory.mode == Mode::User || memory.memory_type != KSMEMORY_TYPE_USER)
        {
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

    /// Two parts of one pipe together, wherever they lie; `None` where their asks cannot be met at once.
    pub(super) fn combined(ground: &Ground, one: &Self, other: &Self) -> Option<Self> {
        if one.class != other.class && !one.is_nothing() && !other.is_nothing()
            || (one.has_allocator && other.has_allocator)
        {
            return None;
        }
        let largest = one.largest.min(other.largest);
        let sizes = one.sizes.intersect(&other.sizes, largest)?;
        let mut pipe = one.clone();
        pipe.class = one.class.min(other.class);
        pipe.has_user_pin |= other.has_user_pin;
        pipe.names_user_memory |= other.names_user_memory;
        pipe.has_allocator |= other.has_allocator;
        pipe.has_willing |= other.has_willing;
        pipe.says_holds |= other.says_holds;
        pipe.alignment_log = pipe.alignment_log.max(other.alignment_log);
        pipe.sizes = sizes;
        pipe.largest = largest;
        pipe.granted_size = pipe.granted_size.max(other.granted_size);
        pipe.frames = pipe.frames.max(other.frames);
        pipe.holds = pipe.holds.saturating_add(other.holds);
        if let Some(others) = &other.open {
            let open = pipe.open.get_or_insert_default();
            open.sizes.merge(&others.sizes);
            open.frames.merge(&others.frames);
        }
        pipe.settle(ground);
        Some(pipe)
    }

    /// The finished pipe's numbers and what it adds to the cost; `None` where it cannot be finished.
    pub(super) fn close(&self, ground: &Ground, keys: &mut Keys) -> Option<PipeNumbers> {
        let memory = ground.classes.get(self.class as usize)?;
        if memory.mode == Mode::User && !self.has_user_pin {
            return None;
        }
        if memory.mode == Mode::Kernel && memory.memory_type == KSMEMORY_TYPE_USER && !self.names_user_memory {
            return None;
        }
        let order = &ground.order;
        let frame_size = self.frame_size(ground)?;
        let frames = self.least_frames();
        let alignment = 1u64 << self.alignment_log;
        let slot = u128::from(frame_size).next_multiple_of(u128::from(alignment));
        order.add(keys, Key::Allocators, 1);
        if self.has_willing {
            // Each that prefers to allocate was counted as a departure; one of them does.
            order.take_back(keys, Key::Departures);
        }
        if let Some(open) = &self.open {
            order.add(keys, Key::Departures, open.sizes.unmet(frame_size) + open.frames.unmet(frames));
        }
        order.add(keys, Key::Bytes, u128::from(frames).saturating_mul(slot));
        order.add(keys, Key::Frames, frames.into());
        order.add(keys, Key::Sizes, frame_size.into());
        order.add(keys, Key::Rank, memory.rank());
        order.add(keys, Key::Chance, memory.rank_of_equals());
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
        let preferred = self.open.iter().flat_map(|open| open.sizes.largest_first());
        let most = preferred.into_iter().find_map(fits);
        Some(most.map_or(least, |most| most.max(least)))
    }

    /// The less, the more it still allows: its stepping first, then how far its sizes reach.
    pub(super) fn strictness(&self) -> (u64, bool, std::cmp::Reverse<u64>, u64) {
        (self.sizes.step(), self.has_allocator, std::cmp::Reverse(self.largest), self.sizes.min)
    }

    /// The size that was taken for granted because no pin of the component has a maximum below it.
    pub(super) fn taken_for_granted(&self) -> u64 {
        self.granted_size
    }

    /// Whether this pipe may come to more bytes than `other`, seen at once. May say no where that is so.
    pub(super) fn comes_to_more_bytes(&self, other: &Self, ground: &Ground) -> bool {
        let asks_more = self.frames > other.frames
            || self.alignment_log > other.alignment_log
            || self.sizes.min.max(self.granted_size) > other.sizes.min.max(other.granted_size);
        asks_more
            && ground.order.up_to(Key::Bytes).is_some()
            && ground.bounds.as_ref().is_none_or(|bounds| !bounds.numbers_cost_the_same)
    }

    /// What this pipe may come to cost more than `other`, if whatever can still be done with `other` can be done with
    /// this one; else `None`. May say `None` where that is so.
    pub(super) fn instead_of(&self, other: &Self, ground: &Ground) -> Option<Excess> {
        let mut excess = Excess::default();
        let at_least_as_free = (self.class == other.class || self.is_nothing())
            && self.has_user_pin >= other.has_user_pin
            && self.names_user_memory >= other.names_user_memory
            && self.has_allocator <= other.has_allocator
            && self.largest >= other.largest;
        if !at_least_as_free {
            return None;
        }
        if !self.sizes.contains(&other.sizes) {
            if self.sizes.has_steps() || self.sizes.min > ground.always_granted {
                return None;
            }
            excess.relies_on = self.sizes.min;
        }
        // A smaller size or count is strictly less in a key before departures where preferences do not raise it, so only
        // pipes that come to the same are compared in what is unmet.
        let size = |pipe: &Self| pipe.sizes.min.max(pipe.granted_size);
        let mut larger = size(self).saturating_sub(size(other));
        if self.open != other.open {
            let none = Open::default();
            let (mine, others) = (self.open.as_deref().unwrap_or(&none), other.open.as_deref().unwrap_or(&none));
            let (unmet, larger_of_met) = mine.sizes.beside(&others.sizes, size(self), size(other));
            excess.departures += unmet + mine.frames.beside(&others.frames, 0, 0).0;
            if !ground.size_comes_first() {
                larger = larger_of_met;
            }
        }
        excess.departures += u128::from(other.has_willing && !self.has_willing);
        if ground.bounds.as_ref().is_some_and(|bounds| bounds.numbers_cost_the_same) {
            return Some(excess);
        }
        let grows = if self.sizes == other.sizes || !self.sizes.has_steps() { larger } else { LARGEST_FRAME };
        if grows > 0 {
            // With steps a little more asked can be a whole step more.
            excess.sizes = if ground.has_steps { LARGEST_FRAME.into() } else { grows.into() };
            excess.relies_on = excess.relies_on.max(1);
        }
        let frames = self.frames.saturating_sub(other.frames);
        let least_count = |pipe: &Self| pipe.holds.saturating_add(pipe.says_holds.into());
        let holds = least_count(self).saturating_sub(least_count(other));
        excess.frames = u128::from(frames).max(holds.into());
        excess.bytes = excess.sizes > 0 || excess.frames > 0 || self.alignment_log > other.alignment_log;
        Some(excess)
    }
}

/// How much more one half-built pipe may come to cost than another, at most.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Excess {
    departures: u128,
    sizes: u128,
    frames: u128,
    /// Its bytes may be more, by how much is not known.
    bytes: bool,
    /// True only while [`Ground::always_granted`] is at least this.
    pub(super) relies_on: u64,
}

impl Excess {
    /// Of two pairs of pipes together.
    pub(super) fn and(self, other: Self) -> Self {
        Excess {
            departures: self.departures + other.departures,
            sizes: self.sizes + other.sizes,
            frames: self.frames + other.frames,
            bytes: self.bytes || other.bytes,
            relies_on: self.relies_on.max(other.relies_on),
        }
    }

    /// Whether `keys` with this added are at most `other_keys`.
    pub(super) fn is_covered(&self, keys: &Keys, other_keys: &Keys, ground: &Ground) -> bool {
        let nothing = self.departures == 0 && self.sizes == 0 && self.frames == 0 && !self.bytes;
        if nothing {
            return keys <= other_keys;
        }
        let bytes = if self.bytes { u128::MAX } else { 0 };
        let extra = [
            (Key::Departures, self.departures),
            (Key::Sizes, self.sizes),
            (Key::Frames, self.frames),
            (Key::Bytes, bytes),
        ];
        ground.order.at_most(keys, &extra, other_keys)
    }
}
