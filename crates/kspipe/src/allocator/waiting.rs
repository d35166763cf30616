//! Waiting for a frame: first come, first served.
//!
//! Who waits has found every frame held, and has marked them all, under the lock. So whoever brings one home does it
//! under the lock too, and hands it to the oldest waiter: a frame is never free while somebody waits for one, and nobody
//! who comes later can be quicker.

use super::frame::{Claim, Frame};
use super::pool::Pool;
use super::properties::AcquireError;
use super::sync::{AtomicU64, Condvar, Ordering, relax};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// With this frame: the waiter holds it already.
    Granted(u32),
    /// With a decommit.
    NotCommitted,
}

/// A thread that waits.
#[derive(Default)]
pub(super) struct Waiter {
    /// 0: it still waits; else the [`Outcome`], packed. Written once, under the pool's lock.
    outcome: AtomicOutcome,
    /// The thread sleeps, and must be woken. Written under the pool's lock.
    asleep: AtomicBool,
    wake: Condvar,
}

/// An [`Outcome`], or none yet.
struct AtomicOutcome(AtomicU64);

impl Default for AtomicOutcome {
    fn default() -> Self {
        Self(AtomicU64::new(0))
    }
}

impl AtomicOutcome {
    fn get(&self) -> Option<Outcome> {
        // Acquire: what the frame's last holder did to it is done.
        match self.0.load(Ordering::Acquire) {
            0 => None,
            1 => Some(Outcome::NotCommitted),
            // Fits: packed below.
            index => Some(Outcome::Granted((index - 2) as u32)),
        }
    }

    fn set(&self, outcome: Outcome) {
        let packed = match outcome {
            Outcome::NotCommitted => 1,
            Outcome::Granted(index) => u64::from(index) + 2,
        };
        self.0.store(packed, Ordering::Release);
    }
}

/// The threads that wait, oldest first.
#[derive(Default)]
pub(super) struct Waiters {
    queue: VecDeque<Arc<Waiter>>,
    /// How many ever waited.
    pub(super) waits: u64,
}

/// Threads whose wait has ended, to be woken when the lock is not held any more: they would only wait for it.
#[must_use]
pub(super) struct Woken(VecDeque<Arc<Waiter>>);

impl Woken {
    pub(super) fn wake(self) {
        for waiter in self.0 {
            if waiter.asleep.load(Ordering::Relaxed) {
                waiter.wake.notify_one();
            }
        }
    }
}

impl Waiters {
    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    fn join(&mut self) -> Arc<Waiter> {
        let waiter = Arc::<Waiter>::default();
        self.queue.push_back(waiter.clone());
        self.waits = self.waits.wrapping_add(1);
        waiter
    }

    /// Gives a frame to the oldest, if anybody waits: `hand_on` makes it the holder.
    pub(super) fn grant(&mut self, index: u32, hand_on: impl FnOnce()) -> Option<Woken> {
        let waiter = self.queue.pop_front()?;
        hand_on();
        waiter.outcome.set(Outcome::Granted(index));
        Some(Woken(VecDeque::from([waiter])))
    }

    /// Ends every wait. Nobody who waited before goes on waiting after, whatever happens next (statement 66).
    pub(super) fn take_all(&mut self, outcome: Outcome) -> Woken {
        let all = std::mem::take(&mut self.queue);
        for waiter in &all {
            waiter.outcome.set(outcome);
        }
        Woken(all)
    }

    fn leave(&mut self, waiter: &Arc<Waiter>) {
        self.queue.retain(|other| !Arc::ptr_eq(other, waiter));
    }
}

/// A frame, or a place in the queue for one.
pub(super) enum Joined {
    Frame(Frame),
    Waiting(Arc<Waiter>),
}

impl Pool {
    #[inline]
    pub(super) fn acquire(&self, timeout: Option<Duration>) -> Result<Frame, AcquireError> {
        match self.try_acquire() {
            Err(error) => self.acquire_or_wait(error, timeout),
            frame => frame,
        }
    }

    #[cold]
    #[inline(never)]
    fn acquire_or_wait(&self, error: AcquireError, timeout: Option<Duration>) -> Result<Frame, AcquireError> {
        if error == AcquireError::Empty && timeout == Some(Duration::ZERO) {
            return Err(AcquireError::TimedOut);
        }
        // A time beyond the clock's end is no limit.
        let deadline = timeout.map(|timeout| Instant::now().checked_add(timeout)).unwrap_or_default();
        match self.join_queue()? {
            Joined::Frame(frame) => Ok(frame),
            Joined::Waiting(waiter) => {
                let start = Instant::now();
                let result = self.wait(&waiter, deadline);
                SPIN.learn(start.elapsed());
                result
            }
        }
    }

    /// Takes a free frame, or a place in the queue.
    pub(super) fn join_queue(&self) -> Result<Joined, AcquireError> {
        let mut state = self.lock();
        if let Some(error) = Pool::refusal(&state) {
            return Err(error);
        }
        match self.take_or_mark() {
            Some(claim) => Ok(Joined::Frame(Frame::new(claim))),
            None => Ok(Joined::Waiting(state.waiters.join())),
        }
    }

    /// Waits for its turn.
    pub(super) fn wait(&self, waiter: &Arc<Waiter>, deadline: Option<Instant>) -> Result<Frame, AcquireError> {
        if let Some(outcome) = SPIN.until(|| waiter.outcome.get()) {
            return self.conclude(outcome);
        }
        let mut state = self.lock();
        loop {
            if let Some(outcome) = waiter.outcome.get() {
                drop(state);
                return self.conclude(outcome);
            }
            waiter.asleep.store(true, Ordering::Relaxed);
            state = match deadline {
                None => waiter.wake.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        drop(state);
                        return self.give_up(waiter);
                    }
                    waiter.wake.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// Leaves the queue; with a frame, if that was granted meanwhile.
    pub(super) fn give_up(&self, waiter: &Arc<Waiter>) -> Result<Frame, AcquireError> {
        let mut state = self.lock();
        if let Some(outcome) = waiter.outcome.get() {
            drop(state);
            return self.conclude(outcome);
        }
        state.waiters.leave(waiter);
        Err(AcquireError::TimedOut)
    }

    fn conclude(&self, outcome: Outcome) -> Result<Frame, AcquireError> {
        match outcome {
            Outcome::NotCommitted => Err(AcquireError::NotCommitted),
            Outcome::Granted(index) => {
                let cell = self.table().cell(index).ok_or(AcquireError::NotCommitted)?;
                Ok(Frame::new(Claim::new(cell, cell.word().generation())))
            }
        }
    }
}

/// Spinning before sleeping, for as long as it pays: a wake from sleep across processors takes tens of microseconds, and
/// where frames come home sooner it is better not to sleep. One for all pools: it learns how busy the machine is.
static SPIN: Spin = Spin { turns: AtomicU32::new(Spin::LEAST) };

struct Spin {
    /// How often to look before sleeping.
    turns: AtomicU32,
}

impl Spin {
    /// Less than a microsecond.
    const LEAST: u32 = 16;
    /// Ten to twenty-five microseconds, by processor.
    const MOST: u32 = 512;
    /// A wait shorter than this, the wake from sleep included, may be worth spinning through.
    const SHORT: Duration = Duration::from_micros(100);

    fn until<T>(&self, done: impl Fn() -> Option<T>) -> Option<T> {
        if cfg!(loom) {
            // A spin is a branch of the model for every turn, and shows nothing new.
            return done();
        }
        (0..self.turns.load(Ordering::Relaxed)).find_map(|_| {
            relax();
            done()
        })
    }

    /// A short wait teaches to spin longer, a long one to sleep sooner.
    fn learn(&self, waited: Duration) {
        let turns = self.turns.load(Ordering::Relaxed);
        let turns = if waited < Self::SHORT { turns.saturating_mul(2) } else { turns / 2 };
        self.turns.store(turns.clamp(Self::LEAST, Self::MOST), Ordering::Relaxed);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// How often a wait that never ends is looked at.
    fn looks(spin: &Spin) -> u32 {
        let looks = Cell::new(0);
        let never: Option<()> = spin.until(|| {
            looks.set(looks.get() + 1);
            None
        });
        assert_eq!(never, None);
        looks.get()
    }

    #[test]
    fn spinning_ends_soon_whatever_it_learned_64() {
        let spin = Spin { turns: AtomicU32::new(Spin::LEAST) };
        for _ in 0..50 {
            spin.learn(Duration::ZERO);
        }
        assert_eq!(looks(&spin), Spin::MOST);
        for _ in 0..50 {
            spin.learn(Duration::MAX);
        }
        assert_eq!(looks(&spin), Spin::LEAST);
    }

    #[test]
    fn spinning_stops_when_the_wait_is_over() {
        let spin = Spin { turns: AtomicU32::new(Spin::LEAST) };
        let looks = Cell::new(0);
        let over = spin.until(|| {
            looks.set(looks.get() + 1);
            (looks.get() == 3).then_some(7)
        });
        assert_eq!((over, looks.get()), (Some(7), 3));
    }

    #[test]
    fn an_outcome_is_what_was_set() {
        let none = AtomicOutcome::default();
        assert_eq!(none.get(), None);
        for outcome in [Outcome::NotCommitted, Outcome::Granted(0), Outcome::Granted(u32::MAX)] {
            let set = AtomicOutcome::default();
            set.set(outcome);
            assert_eq!(set.get(), Some(outcome));
        }
    }
}
