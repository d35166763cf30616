//! Locks that a panic does not poison: what they guard is consistent between statements, and the callers on the other
//! side of the boundary go on after a panic (see [`crate::guard`]).

pub(crate) use std::sync::Mutex as Lock;
use std::sync::{MutexGuard, PoisonError};

/// Locks, poisoned or not.
pub(crate) fn lock<T>(mutex: &Lock<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
