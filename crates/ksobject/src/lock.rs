//! Locks that a panic does not poison: what they guard is consistent between statements, and who calls, a COM face that
//! catches panics among them, goes on after one.

pub(crate) use std::sync::Mutex as Lock;
use std::sync::{MutexGuard, PoisonError};

/// Locks, poisoned or not.
pub(crate) fn lock<T>(mutex: &Lock<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
