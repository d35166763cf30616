//! The system's clocks. The C library's, because valgrind knows it.

use std::time::Duration;

/// How long this thread has been on a processor. That the system gave it to somebody else meanwhile is no client's fault.
pub(super) fn spent() -> Duration {
    // Every system has it; where one has not, each request counts the same.
    read(libc::CLOCK_THREAD_CPUTIME_ID).unwrap_or_default()
}

/// How long the machine has been up, the time that it slept too; `None`: nobody knows.
pub(super) fn since_boot() -> Option<Duration> {
    read(libc::CLOCK_BOOTTIME)
}

fn read(clock: libc::clockid_t) -> Option<Duration> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: it writes the structure.
    if unsafe { libc::clock_gettime(clock, &raw mut time) } != 0 {
        return None;
    }
    Some(Duration::new(u64::try_from(time.tv_sec).ok()?, u32::try_from(time.tv_nsec).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_takes_time() {
        let (before, up) = (spent(), since_boot());
        while spent() == before {}
        assert!(spent() > before && up.is_some() && since_boot() > up);
    }
}
