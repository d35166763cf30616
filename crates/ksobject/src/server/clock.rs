//! The time that a thread has spent.

use std::time::Duration;

/// How long this thread has been on a processor. That the system gave it to somebody else meanwhile is no client's fault.
pub(super) fn spent() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: it writes the structure.
    if unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) } != 0 {
        // Every system has it; where one has not, each request counts the same.
        return Duration::ZERO;
    }
    let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or_default();
    Duration::new(u64::try_from(time.tv_sec).unwrap_or_default(), nanoseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_takes_time() {
        let before = spent();
        while spent() == before {}
        assert!(spent() > before);
    }
}
