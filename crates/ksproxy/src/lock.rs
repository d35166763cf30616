//! Locks that a panic does not poison: what they guard is consistent between statements, and the callers on the other
//! side of the boundary go on after a panic (see [`crate::guard`]).

use std::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) use Mutex as Lock;

/// Locks, poisoned or not.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
