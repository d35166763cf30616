//! What samples and their allocator synchronise with: the standard library's, or loom's where a model is checked.

#[cfg(not(loom))]
pub(crate) use crate::lock::{Lock, lock};
#[cfg(not(loom))]
pub(crate) use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64};

#[cfg(loom)]
pub(crate) use loom::sync::{
    Mutex as Lock,
    atomic::{AtomicBool, AtomicPtr, AtomicU64},
};

pub(crate) use std::sync::atomic::Ordering;

/// Locks, poisoned or not.
#[cfg(loom)]
pub(crate) fn lock<T>(mutex: &Lock<T>) -> loom::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
