//! Statement 64: a thread that waits in GetBuffer uses next to no processor time.
#![cfg(target_os = "linux")]

mod common;

use common::*;
use ks::GetBufferFlags;
use std::os::unix::thread::JoinHandleExt;
use std::time::Duration;

/// What a processor-time clock says.
fn read(clock: libc::clockid_t) -> Duration {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the structure is there.
    assert_eq!(unsafe { libc::clock_gettime(clock, &mut now) }, 0);
    Duration::new(now.tv_sec.try_into().expect("no negative time"), now.tv_nsec.try_into().expect("under a second"))
}

/// The clock of a thread's processor time.
fn clock_of<T>(thread: &std::thread::JoinHandle<T>) -> libc::clockid_t {
    let mut clock = 0;
    // SAFETY: a thread that was not joined yet, and a good pointer.
    assert_eq!(unsafe { libc::pthread_getcpuclockid(thread.as_pthread_t(), &mut clock) }, 0);
    clock
}

#[test]
fn s064_a_blocked_thread_uses_next_to_no_processor_time() {
    const WORKED: Duration = Duration::from_millis(200);
    let a = Subject::committed(1, 16, 1, 0);
    let sample = a.sample();
    let memory = Shared(a.memory.clone());
    let waiting = std::thread::spawn(move || {
        let memory = memory;
        get_buffer(&memory.0, GetBufferFlags::empty()).map(Shared)
    });
    a.until_waiting(1);
    let clock = clock_of(&waiting);
    let (before, start) = (read(clock), read(libc::CLOCK_THREAD_CPUTIME_ID));
    // This thread works for so long by its own processor clock, however busy the machine is. One that spins would be
    // given its share meanwhile.
    while read(libc::CLOCK_THREAD_CPUTIME_ID) - start < WORKED {
        std::hint::spin_loop();
    }
    let used = read(clock) - before;
    assert!(used < WORKED / 20, "{used:?} of processor time while waiting, and {WORKED:?} of another thread's");
    drop(sample);
    assert!(waiting.join().expect("no panic").is_ok(), "it did wait");
}
