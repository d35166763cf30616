//! How long to look before sleeping.

use super::super::sync::relax;

/// Waking another thread costs its waker a system call and the sleeper some microseconds, so who waits looks for about as
/// long first. Not at all where there is one processor: while it looks, nothing it waits for can happen.
#[derive(Debug)]
pub(super) struct Patience {
    left: u32,
}

impl Patience {
    /// For one wait.
    pub(super) fn new() -> Self {
        Patience { left: looks() }
    }

    /// Waits a moment; `false` where it is time to sleep.
    #[inline]
    pub(super) fn spin(&mut self) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        relax();
        true
    }
}

#[cfg(loom)]
fn looks() -> u32 {
    0
}

/// How many looks take as long as a sleep and a wake: found once in a process, by trying how long a look takes, which
/// differs by a factor of 20 between processors.
#[cfg(not(loom))]
fn looks() -> u32 {
    use std::sync::OnceLock;
    use std::time::{Duration, Instant};
    const WORTH: Duration = Duration::from_micros(20);
    const TRIED: u32 = 64;
    static LOOKS: OnceLock<u32> = OnceLock::new();
    *LOOKS.get_or_init(|| {
        // What this process may run on, as its affinity and its group's quota say.
        if std::thread::available_parallelism().is_ok_and(|processors| processors.get() == 1) {
            return 0;
        }
        let start = Instant::now();
        (0..TRIED).for_each(|_| relax());
        let one = (start.elapsed() / TRIED).as_nanos().max(1);
        u32::try_from(WORTH.as_nanos() / one).unwrap_or(u32::MAX).clamp(32, 8192)
    })
}
