//! The path of a frame: GetBuffer and Release, a frame being free, neither allocate nor call the system.

mod common;

use common::*;
use ks::GetBufferFlags;
use ksproxy::hresult::*;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, counting what this thread asks it for.
struct Counting;

thread_local! {
    static REQUESTS: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    // While the thread ends there is nothing to count.
    let _ = REQUESTS.try_with(|requests| requests.set(requests.get() + 1));
}

// SAFETY: the system's allocator does it all.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count();
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as the caller promises.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const TURNS: i64 = 10_000;

/// What a source and a renderer do with a sample, over and over.
fn stream(a: &Subject, turns: i64) {
    for turn in 0..turns {
        let flags = if turn % 2 == 0 { GetBufferFlags::empty() } else { GetBufferFlags::NOWAIT };
        let sample = a.buffer(flags).expect("a free sample");
        let (start, end) = (turn, turn + 1);
        let (mut from, mut to) = (0, 0);
        // SAFETY: every pointer is good.
        unsafe {
            assert_eq!(sample.SetTime(&start, &end), S_OK);
            assert_eq!(sample.SetSyncPoint(1), S_OK);
            assert_eq!(sample.SetActualDataLength(8), S_OK);
            assert_eq!(sample.GetTime(&mut from, &mut to), S_OK);
        }
        assert_eq!((from, to), (start, end));
        // A second reference, as a tee takes one.
        drop(sample.clone());
        drop(sample);
    }
}

#[test]
fn a_frames_path_allocates_nothing() {
    let a = Subject::committed(4, 64, 1, 0);
    let before = REQUESTS.get();
    stream(&a, TURNS);
    assert_eq!(REQUESTS.get(), before, "nothing was allocated or freed by this thread");
    // The counter does count.
    drop(std::hint::black_box(Box::new(7)));
    assert_eq!(REQUESTS.get(), before + 2);
}

#[cfg(target_os = "linux")]
mod system {
    use super::*;

    /// Forbids this thread every system call but those that end it: any other kills the process at once.
    ///
    /// Seccomp's strict mode: `read`, `write`, `exit` and `sigreturn` are left.
    fn forbid_system_calls() {
        // SAFETY: no pointers; the mode takes effect for this thread only.
        let answer = unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_STRICT) };
        assert_eq!(answer, 0, "seccomp's strict mode: {}", std::io::Error::last_os_error());
    }

    /// Runs `body` in a child process that may call the system no more; how the child ended.
    fn without_system_calls(body: impl FnOnce()) -> libc::c_int {
        // SAFETY: the child goes on with one thread, calls nothing that another may have locked, and ends by `exit`.
        let child = unsafe { libc::fork() };
        assert!(child >= 0, "fork: {}", std::io::Error::last_os_error());
        if child == 0 {
            forbid_system_calls();
            body();
            // `exit_group`, which the C library's `_exit` calls, is not allowed either.
            // SAFETY: ends this thread, the only one, and with it the process.
            unsafe { libc::syscall(libc::SYS_exit, 0) };
        }
        let mut status = 0;
        // SAFETY: the child above, and a good pointer.
        assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
        status
    }

    #[test]
    fn a_frames_path_calls_the_system_for_nothing() {
        let a = Subject::committed(4, 64, 1, 0);
        let status = without_system_calls(|| stream(&a, TURNS));
        assert!(libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0, "how the child ended: {status:#x}");
        // A call to the system does end the child.
        let status = without_system_calls(|| {
            std::hint::black_box(std::process::id());
            // SAFETY: no pointers. (The C library may know the process's number without asking.)
            unsafe { libc::syscall(libc::SYS_getpid) };
        });
        assert!(libc::WIFSIGNALED(status) && libc::WTERMSIG(status) == libc::SIGKILL, "how it ended: {status:#x}");
    }
}
