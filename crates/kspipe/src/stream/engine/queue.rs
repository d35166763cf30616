//! The frames on their way to a filter.

use super::pool::Held;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// A frame on its way.
#[derive(Debug)]
pub(in crate::stream) struct Item {
    pub(super) frame: Held,
    /// When a source acquired the frame, or the frame it was made from.
    pub(super) born: Instant,
    /// When it came to the filter that has it.
    pub(super) arrived: Instant,
}

/// From one filter to one other.
#[derive(Debug)]
pub(in crate::stream) struct Queue {
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
    /// A queue for the frames of a pipe of so many.
    pub(in crate::stream) fn new(frames: usize) -> Self {
        let state = State { items: VecDeque::with_capacity(frames), ended: false, abandoned: false };
        Queue { state: Mutex::new(state), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a frame in; false, and the frame goes home, where nobody takes it any more.
    pub(super) fn push(&self, item: Item) -> bool {
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

    /// The next frame, if there is one.
    pub(super) fn try_pop(&self) -> Option<Item> {
        self.lock().items.pop_front()
    }

    /// There is a frame, or there will be none any more.
    pub(super) fn is_ready(&self) -> bool {
        let state = self.lock();
        !state.items.is_empty() || state.ended
    }

    /// Waits until [`is_ready`](Self::is_ready).
    pub(super) fn wait(&self) {
        let state = self.lock();
        let waited = self.changed.wait_while(state, |state| state.items.is_empty() && !state.ended);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Nothing more will come.
    pub(super) fn end(&self) {
        self.lock().ended = true;
        self.changed.notify_one();
    }

    /// Nothing more will be taken; what is in it goes home.
    pub(super) fn abandon(&self) {
        let mut state = self.lock();
        state.abandoned = true;
        let items = std::mem::take(&mut state.items);
        drop(state);
        drop(items);
    }
}
