//! Two hand-overs that are wrong, for the test that has to find them out. Only with the feature `wrong-hand-over`, and only
//! where a test asks for one.

use std::sync::atomic::{AtomicU8, Ordering};

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Wrong {
    /// Nothing.
    Nothing,
    /// The frame is pushed before the word is swapped.
    Exchanged,
    /// The gates are not looked at again after the swap.
    NoSecondLook,
}

static WRONG: AtomicU8 = AtomicU8::new(0);

/// From now on, hand-overs of this process, and of those it forks, go wrong like this.
pub fn set(wrong: Wrong) {
    WRONG.store(wrong as u8, Ordering::Relaxed);
}

pub(super) fn exchanged() -> bool {
    WRONG.load(Ordering::Relaxed) == Wrong::Exchanged as u8
}

pub(super) fn no_second_look() -> bool {
    WRONG.load(Ordering::Relaxed) == Wrong::NoSecondLook as u8
}
