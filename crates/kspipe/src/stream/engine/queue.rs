//! The frames on their way to a filter.

use super::outer::Ring;
use super::pool::Held;
use crate::stream::filters::FilterError;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// A frame on its way.
#[derive(Debug)]
pub(in crate::stream) struct Item {
    pub(super) frame: Held,
    /// When a source acquired the frame, or the frame it was made from; of one from another process, when it came here.
    pub(super) born: Instant,
    /// When it came to the filter that has it.
    pub(super) arrived: Instant,
}

/// From one filter to one other.
#[derive(Debug)]
pub(in crate::stream) enum Queue {
    /// Within this process.
    List(List),
    /// From another process.
    Ring(Ring),
}

/// From one filter of this process to another.
#[derive(Debug)]
pub(in crate::stream) struct List {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    /// Never more than the pipe has frames, for which room is made once.
    items: VecDeque<Item>,
    /// Nothing more will come.
    ended: bool,
    /// Nobody takes anything any more.
    abandoned: bool,
}

impl Queue {
    /// A queue within this process for the frames of a pipe of so many.
    pub(in crate::stream) fn new(frames: usize) -> Self {
        let state = State { items: VecDeque::with_capacity(frames), ended: false, abandoned: false };
        Queue::List(List { state: Mutex::new(state), changed: Condvar::new() })
    }

    /// Puts a frame in; false, and the frame goes home, where nobody takes it any more. A ring is filled by another
    /// process only.
    pub(super) fn push(&self, item: Item) -> bool {
        match self {
            Queue::List(list) => list.push(item),
            Queue::Ring(_) => false,
        }
    }

    /// The next frame, if there is one.
    ///
    /// # Errors
    /// None will come, for another reason than that the stream has ended.
    pub(super) fn try_pop(&self) -> Result<Option<Item>, FilterError> {
        match self {
            Queue::List(list) => Ok(list.lock().items.pop_front()),
            Queue::Ring(ring) => ring.try_pop(),
        }
    }

    /// There is a frame, or there will be none any more.
    pub(super) fn is_ready(&self) -> bool {
        match self {
            Queue::List(list) => list.is_ready(),
            Queue::Ring(ring) => ring.is_ready(),
        }
    }

    /// What comes into it is another process's to say.
    pub(super) fn is_fed_from_outside(&self) -> bool {
        matches!(self, Queue::Ring(_))
    }

    /// Waits until [`is_ready`](Self::is_ready).
    pub(super) fn wait(&self) {
        match self {
            Queue::List(list) => list.wait(),
            Queue::Ring(ring) => ring.wait(),
        }
    }

    /// Nothing more will come. A ring is ended by another process only.
    pub(super) fn end(&self) {
        if let Queue::List(list) = self {
            list.lock().ended = true;
            list.changed.notify_one();
        }
    }

    /// Nothing more will be taken; what is in it goes home.
    pub(super) fn abandon(&self) {
        match self {
            Queue::List(list) => list.abandon(),
            Queue::Ring(ring) => ring.abandon(),
        }
    }
}

impl List {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, item: Item) -> bool {
        let mut state = self.lock();
        if state.abandoned {
            // Outside the lock: its way home may be longer.
            drop(state);
            drop(item);
            return false;
        }
        state.items.push_back(item);
        drop(state);
        self.changed.notify_one();
        true
    }

    fn is_ready(&self) -> bool {
        let state = self.lock();
        !state.items.is_empty() || state.ended
    }

    fn wait(&self) {
        let state = self.lock();
        let waited = self.changed.wait_while(state, |state| state.items.is_empty() && !state.ended);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    fn abandon(&self) {
        let mut state = self.lock();
        state.abandoned = true;
        let items = std::mem::take(&mut state.items);
        drop(state);
        drop(items);
    }
}
