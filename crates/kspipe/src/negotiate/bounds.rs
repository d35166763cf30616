//! What is known of pipes before they are built. Where nothing of a component is cut it is one pipe with all its pins, so
//! what every choice forces at one pin holds for the pipe; and once the least cost is known, nothing dearer is looked at.

use super::ask::LARGEST_FRAME;
use super::counted::Counted;
use super::keys::{Key, KeyOrder, Keys};
use super::open_pipe::{Ground, OpenPipe};
use super::problem::Problem;
use super::table::Effort;
use crate::graph::PinId;

/// What forces one pin can make another's items useless, and so force more; so often that is gone through.
const MOST_ROUNDS: u32 = 2;

/// What the numbers of a pipe are within.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NumberBounds {
    pub(super) least_size: u64,
    pub(super) most_size: u64,
    pub(super) least_frames: u32,
    pub(super) most_frames: u64,
    pub(super) least_alignment_log: u8,
    pub(super) most_alignment_log: u8,
}

impl NumberBounds {
    /// Any numbers.
    pub(super) const NONE: NumberBounds = NumberBounds {
        least_size: 0,
        most_size: u64::MAX,
        least_frames: 0,
        most_frames: u64::MAX,
        least_alignment_log: 0,
        most_alignment_log: u8::MAX,
    };

    /// Within one or the other.
    fn or(self, other: Self) -> Self {
        NumberBounds {
            least_size: self.least_size.min(other.least_size),
            most_size: self.most_size.max(other.most_size),
            least_frames: self.least_frames.min(other.least_frames),
            most_frames: self.most_frames.max(other.most_frames),
            least_alignment_log: self.least_alignment_log.min(other.least_alignment_log),
            most_alignment_log: self.most_alignment_log.max(other.most_alignment_log),
        }
    }

    /// Within both; `None` where no numbers are.
    fn and(self, other: Self) -> Option<Self> {
        let both = NumberBounds {
            least_size: self.least_size.max(other.least_size),
            most_size: self.most_size.min(other.most_size),
            least_frames: self.least_frames.max(other.least_frames),
            most_frames: self.most_frames.min(other.most_frames),
            least_alignment_log: self.least_alignment_log.max(other.least_alignment_log),
            most_alignment_log: self.most_alignment_log.min(other.most_alignment_log),
        };
        let is_possible = both.least_size <= both.most_size
            && u64::from(both.least_frames) <= both.most_frames
            && both.least_alignment_log <= both.most_alignment_log;
        is_possible.then_some(both)
    }
}

/// What is known of the pipes of a component.
#[derive(Clone, Debug, Default)]
pub(super) struct Bounds {
    /// By class of memory: what the numbers of the one pipe are within, `None` where it cannot be of the class. Empty:
    /// nothing is known.
    by_class: Vec<Option<NumberBounds>>,
    /// What each key is at most.
    most: Option<Keys>,
    /// Every pipe within the bounds costs the same in all that its numbers decide.
    pub(super) numbers_cost_the_same: bool,
}

impl Bounds {
    pub(super) fn of(&self, class: u16) -> Option<NumberBounds> {
        if self.by_class.is_empty() { Some(NumberBounds::NONE) } else { self.by_class[class as usize] }
    }

    pub(super) fn is_beyond(&self, order: &KeyOrder, keys: &Keys) -> bool {
        self.most.as_ref().is_some_and(|most| order.is_beyond(keys, most))
    }

    /// Only what costs no more than this in the first keys is looked for, and several pipes there may be. Each of them is
    /// no larger than the sizes of all, nor has more frames.
    pub(super) fn at_most(ground: &Ground, cost: &Keys, keys: usize) -> Ground {
        let order = ground.order;
        let at_most = |key: Key| {
            let is_known = order.up_to(key).is_some_and(|place| place <= keys);
            if is_known { u64::try_from(order.get(cost, key)).unwrap_or(u64::MAX) } else { u64::MAX }
        };
        let (most_size, most_frames) = (at_most(Key::Sizes), at_most(Key::Frames));
        let numbers = NumberBounds { most_size, most_frames, ..NumberBounds::NONE };
        let most = Some(most_on_the_way(&order, &order.open_after(cost, keys)));
        let by_class = vec![Some(numbers); ground.classes.len()];
        Ground { bounds: Some(Box::new(Bounds { by_class, most, ..Bounds::default() })), ..ground.clone() }
    }
}

/// What a part of something of this cost can cost: of the departures one is taken back at the end of each pipe at most.
fn most_on_the_way(order: &KeyOrder, cost: &Keys) -> Keys {
    let mut most = *cost;
    // A part has two open ends at most.
    order.add(&mut most, Key::Departures, 2);
    most
}

/// All pins of a component in one pipe.
pub(super) struct OnePipe<'a> {
    problem: &'a Problem<'a>,
    pins: &'a [PinId],
    counted: &'a Counted,
    /// The frames that its pins keep at the same time, and one more.
    held: u64,
    pub(super) ground: Ground,
}

impl<'a> OnePipe<'a> {
    /// With what its pins force, whatever items they use. `None` where they cannot be one pipe.
    pub(super) fn of(
        problem: &'a Problem<'a>,
        pins: &'a [PinId],
        counted: &'a Counted,
        ground: &Ground,
        effort: &mut Effort,
    ) -> Option<Self> {
        let holds = || pins.iter().filter_map(|pin| counted.holds(problem.facts, *pin));
        let held = if holds().next().is_some() {
            holds().fold(1u64, |sum, frames| sum.saturating_add(frames.into()))
        } else {
            0
        };
        let least_frames = u32::try_from(held).unwrap_or(u32::MAX);
        let any = Some(NumberBounds { least_frames, ..NumberBounds::NONE });
        let bounds = Bounds { by_class: vec![any; ground.classes.len()], ..Bounds::default() };
        let ground = Ground { bounds: Some(Box::new(bounds)), ..ground.clone() };
        let mut one = OnePipe { problem, pins, counted, held, ground };
        one.tighten(effort)?;
        Some(one)
    }

    fn bounds(&mut self) -> &mut Bounds {
        self.ground.bounds.get_or_insert_default()
    }

    /// Looks at what the pins force within the bounds there are.
    fn tighten(&mut self, effort: &mut Effort) -> Option<()> {
        let facts = self.problem.facts;
        let mut asks = Vec::new();
        for _ in 0..MOST_ROUNDS {
            let before = self.bounds().by_class.clone();
            let mut now = before.clone();
            // By class: no pin's maximum is below it.
            let mut always = vec![LARGEST_FRAME; now.len()];
            for pin in self.pins {
                self.counted.asks_of(self.problem, *pin, &mut asks);
                let (holds, mode) = (self.counted.holds(facts, *pin), self.counted.mode(facts, *pin));
                for class in 0..now.len() {
                    let Some(so_far) = now[class] else { continue };
                    effort.used += asks.len() as u64;
                    let pipes = asks.iter().filter_map(|ask| {
                        OpenPipe::of(&self.ground, ask, holds, mode, class as u16).map(|(pipe, _)| pipe.number_bounds())
                    });
                    let pipes = pipes.inspect(|pipe| always[class] = always[class].min(pipe.most_size));
                    now[class] = pipes.reduce(NumberBounds::or).and_then(|any| so_far.and(any));
                }
            }
            let possible = || now.iter().zip(&always).filter(|(bounds, _)| bounds.is_some());
            let always = possible().map(|(_, always)| *always).min()?;
            if !self.ground.has_steps {
                self.ground.always_granted = if always == LARGEST_FRAME { u64::MAX } else { always };
            }
            let is_done = now == before;
            self.bounds().by_class = now;
            if is_done {
                break;
            }
        }
        Some(())
    }

    /// Within these bounds too.
    fn within(&mut self, bounds: NumberBounds, effort: &mut Effort) -> Option<()> {
        for class in &mut self.bounds().by_class {
            *class = class.and_then(|class| class.and(bounds));
        }
        self.tighten(effort)
    }

    /// With what is known of one key: it is `least`.
    pub(super) fn with_least(&mut self, key: Key, least: u128, effort: &mut Effort) -> Option<()> {
        let least = u64::try_from(least).unwrap_or(u64::MAX);
        let bounds = match key {
            Key::Sizes => NumberBounds { least_size: least, most_size: least, ..NumberBounds::NONE },
            Key::Frames => self.frames(least),
            _ => return Some(()),
        };
        self.within(bounds, effort)
    }

    fn frames(&self, frames: u64) -> NumberBounds {
        // More than an item can ask for are held; then items decide nothing.
        let least_frames = u32::try_from(frames.max(self.held)).unwrap_or(u32::MAX);
        NumberBounds { least_frames, most_frames: frames, ..NumberBounds::NONE }
    }

    /// Only what costs as little as the best. Its numbers are known then, but for a size where a larger one takes as much
    /// room: a pipe whose numbers are not above those costs no more in them, and none costs less.
    pub(super) fn with_best(&mut self, best: &Keys, effort: &mut Effort) -> Option<()> {
        let order = self.ground.order;
        let frames = order.get(best, Key::Frames);
        let slot = u64::try_from(order.get(best, Key::Bytes).checked_div(frames)?).ok()?;
        let alignment_log = slot.trailing_zeros().min(63);
        let sizes = if order.up_to(Key::Sizes).is_some() {
            let size = u64::try_from(order.get(best, Key::Sizes)).ok()?;
            size..=size
        } else {
            // No smaller size takes as much room, however it is aligned.
            (slot - (1 << alignment_log)).saturating_add(1)..=slot
        };
        let bounds = NumberBounds {
            least_size: *sizes.start(),
            most_size: *sizes.end(),
            most_alignment_log: alignment_log as u8,
            ..self.frames(u64::try_from(frames).ok()?)
        };
        let most = most_on_the_way(&order, best);
        let all = self.bounds();
        (all.most, all.numbers_cost_the_same) = (Some(most), true);
        self.within(bounds, effort)
    }
}
