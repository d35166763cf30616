//! No panic crosses the boundary: every slot and export runs inside one of these.
//!
//! A panic is a defect of ours, so the caller learns that something failed (`E_UNEXPECTED`, or the method's null) and
//! goes on; what the panicking call had changed stays changed, and locks it held are taken over as they are.

use std::panic::{AssertUnwindSafe, catch_unwind};
use windows_core::HRESULT;

/// Runs a slot that answers an HRESULT; a panic becomes `E_UNEXPECTED`.
#[inline]
pub(crate) fn hresult(body: impl FnOnce() -> HRESULT) -> HRESULT {
    value(crate::hresult::E_UNEXPECTED, body)
}

/// Runs a slot that answers something else; a panic becomes `otherwise`.
///
/// Everything a slot can reach behind `&self` is guarded by locks or atomics, which stay usable after a panic (locks
/// are taken over, see [`crate::lock`]), hence `AssertUnwindSafe`.
#[inline]
pub(crate) fn value<T>(otherwise: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(|| {
        #[cfg(test)]
        injection::strike();
        body()
    }))
    .unwrap_or_else(|payload| {
        discard(payload);
        otherwise
    })
}

/// Drops what a panic carried. Its destructor may panic in turn, and what that carries too, none of which may cross the
/// boundary; where it goes on and on, what is left is leaked.
#[cold]
fn discard(mut payload: Box<dyn std::any::Any + Send>) {
    for _ in 0..4 {
        match catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            Ok(()) => return,
            Err(next) => payload = next,
        }
    }
    std::mem::forget(payload);
}

/// Panics on demand, so that a test can prove every slot guarded.
#[cfg(test)]
pub(crate) mod injection {
    use std::cell::Cell;

    thread_local! {
        static ARMED: Cell<bool> = const { Cell::new(false) };
    }

    /// The next guarded call of this thread panics.
    pub(crate) fn arm() {
        ARMED.set(true);
    }

    /// Whether a panic is still to come: the call made since was not guarded.
    pub(crate) fn disarm() -> bool {
        ARMED.replace(false)
    }

    pub(super) fn strike() {
        if ARMED.replace(false) {
            panic!("injected by a test");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_the_slots_failure() {
        assert_eq!(hresult(|| panic!("a defect")), crate::hresult::E_UNEXPECTED);
        assert_eq!(value(7, || panic!("a defect")), 7);
        assert_eq!(value(7, || 8), 8);
    }

    #[test]
    fn a_payload_that_panics_when_dropped_is_swallowed_too() {
        struct Spiteful;
        impl Drop for Spiteful {
            fn drop(&mut self) {
                panic!("again");
            }
        }
        assert_eq!(value(1, || std::panic::panic_any(Spiteful)), 1);
    }
}
