//! A process that is forked has its parent's handles, and connections of its own. In a program of its own, because a
//! process is best forked where no other thread does anything.
#![cfg(unix)]

mod common;

use common::*;

#[test]
fn this_program_is_the_server_if_asked_to() {
    serve_if_asked_to();
}

#[test]
fn a_forked_child_asks_on_connections_of_its_own() {
    let objects = Objects::of(ServerProcess::start());
    let a = objects.allocator(3);
    let out = a.alloc().expect("a frame");
    let waiting = {
        a.alloc().expect("a frame");
        a.alloc().expect("a frame");
        a.begin_alloc()
    };
    a.object.settle();
    // SAFETY: the child uses what this thread has, and ends without coming back here.
    let child = unsafe { libc::fork() };
    if child == 0 {
        // It sees the same object, cannot free what is its parent's, and waits behind it.
        let same = a.allocated() == 3;
        let refused = a.free(out).is_err();
        let request = a.begin_alloc();
        request.cancel();
        let cancelled = frame(request) == Err(CANCELLED);
        let code = i32::from(!same) | i32::from(!refused) << 1 | i32::from(!cancelled) << 2;
        // SAFETY: it ends the process.
        unsafe { libc::_exit(code) };
    }
    let mut status = 0;
    // SAFETY: the child is this process's own.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert_eq!((libc::WIFEXITED(status), libc::WEXITSTATUS(status)), (true, 0));
    // The parent's connection is as it was: its request waits still, and gets what the parent frees.
    a.object.settle();
    assert!(waiting.is_pending());
    a.free(out).expect("it is out");
    assert!(frame(waiting).is_ok());
    assert_eq!(a.allocated(), 3);
}
