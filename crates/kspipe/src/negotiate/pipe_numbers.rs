//! The numbers of a pipe, from what its pins ask by the items they use: rules 3, 4 and 5.

use super::ask::{Ask, LARGEST_FRAME};
use super::keys::{Key, KeyOrder};
use super::progression::Progression;

/// The numbers of a finished pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Numbers {
    pub(super) frames: u64,
    pub(super) frame_size: u64,
    pub(super) alignment: u64,
}

/// What pins of one pipe ask of its numbers together. It does not depend on the order in which they are taken in.
#[derive(Clone, Copy, Debug)]
pub(super) struct NumberAsks {
    sizes: Progression,
    largest: u64,
    required_frames: u32,
    preferred_frames: u32,
    holds: u64,
    says_holds: bool,
    alignment_log: u8,
    /// No size is on every stepping and in every range. A valid plan has no such pipe.
    contradict: bool,
}

impl NumberAsks {
    /// What no pin asks.
    pub(super) fn nothing() -> Self {
        NumberAsks {
            sizes: Progression::any_from(1),
            largest: LARGEST_FRAME,
            required_frames: 0,
            preferred_frames: 0,
            holds: 0,
            says_holds: false,
            alignment_log: 0,
            contradict: false,
        }
    }

    /// What one pin asks, into which frames of `copied_in` bytes are copied (0: none). The size it prefers is left out:
    /// see [`Self::numbers`].
    pub(super) fn of(ask: &Ask, holds: Option<u32>, copied_in: u64) -> Self {
        NumberAsks {
            sizes: ask.sizes.from(copied_in),
            largest: ask.largest,
            required_frames: ask.required_frames,
            preferred_frames: ask.preferred_frames,
            holds: holds.unwrap_or(0).into(),
            says_holds: holds.is_some(),
            alignment_log: ask.alignment.trailing_zeros() as u8,
            contradict: false,
        }
    }

    /// Takes in what other pins of the pipe ask.
    pub(super) fn take_in(&mut self, other: &Self) {
        self.largest = self.largest.min(other.largest);
        match self.sizes.intersect(&other.sizes, self.largest) {
            Some(sizes) => self.sizes = sizes,
            None => self.contradict = true,
        }
        self.required_frames = self.required_frames.max(other.required_frames);
        self.preferred_frames = self.preferred_frames.max(other.preferred_frames);
        self.holds = self.holds.saturating_add(other.holds);
        self.says_holds |= other.says_holds;
        self.alignment_log = self.alignment_log.max(other.alignment_log);
        self.contradict |= other.contradict;
    }

    /// The largest frame that is valid: the most a preferred size can be and be granted.
    pub(super) fn largest_size(&self) -> u64 {
        self.sizes.last(self.largest).unwrap_or(0)
    }

    /// The numbers of the pipe whose pins these are. `preferred` is the largest size one of them prefers and
    /// [`Self::largest_size`] grants; 0: none.
    pub(super) fn numbers(&self, order: &KeyOrder, preferred: u64) -> Numbers {
        let valid = |size: u64| self.sizes.next(size).filter(|size| *size <= self.largest);
        debug_assert!(!self.contradict && valid(1).is_some(), "the solver closed this pipe, so its asks can be met");
        // Where the strategy settles sizes or counts before departures, a preference does not raise them.
        let size = if order.before(Key::Sizes, Key::Departures) { 1 } else { preferred.max(1) };
        let preferred_frames =
            if order.before(Key::Frames, Key::Departures) { 0 } else { u64::from(self.preferred_frames) };
        let held = if self.says_holds { self.holds.saturating_add(1) } else { 0 };
        Numbers {
            frames: u64::from(self.required_frames).max(preferred_frames).max(held).max(1),
            frame_size: valid(size).unwrap_or(1),
            alignment: 1 << self.alignment_log,
        }
    }
}
