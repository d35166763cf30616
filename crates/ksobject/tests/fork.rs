//! A process that is forked has its parent's handles, and connections of its own. In a program of its own, because a
//! process is best forked where no other thread does anything.
#![cfg(unix)]

mod common;

use common::*;
use ksobject::{RemoteObjects, Win32Error};
use std::os::unix::fs::PermissionsExt;
use std::sync::Mutex;

/// One test forks at a time: what another holds would be held in its child for ever.
static FORKING: Mutex<()> = Mutex::new(());

/// Does this in a child, and gives what it came to: a number below 256.
fn in_a_child(work: impl FnOnce() -> i32) -> i32 {
    // SAFETY: the child uses what this thread has, and ends without coming back here.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let code = work();
        // SAFETY: it ends the process.
        unsafe { libc::_exit(code) };
    }
    let mut status = 0;
    // SAFETY: the child is this process's own.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert!(libc::WIFEXITED(status), "{status:#x}");
    libc::WEXITSTATUS(status)
}

#[test]
fn this_program_is_the_server_if_asked_to() {
    serve_if_asked_to();
}

#[test]
fn a_forked_child_asks_on_connections_of_its_own() {
    let _alone = FORKING.lock().unwrap();
    let objects = Objects::of(ServerProcess::start());
    let a = objects.allocator(3);
    let out = a.alloc().expect("a frame");
    let waiting = {
        a.alloc().expect("a frame");
        a.alloc().expect("a frame");
        a.begin_alloc()
    };
    a.object.settle();
    let code = in_a_child(|| {
        // It sees the same object, cannot free what is its parent's, and waits behind it.
        let same = a.allocated() == 3;
        let refused = a.free(out).is_err();
        let request = a.begin_alloc();
        request.cancel();
        let cancelled = frame(request) == Err(CANCELLED);
        i32::from(!same) | i32::from(!refused) << 1 | i32::from(!cancelled) << 2
    });
    assert_eq!(code, 0);
    // The parent's connection is as it was: its request waits still, and gets what the parent frees.
    a.object.settle();
    assert!(waiting.is_pending());
    a.free(out).expect("it is out");
    assert!(frame(waiting).is_ok());
    assert_eq!(a.allocated(), 3);
}

#[test]
fn a_user_who_may_not_is_refused() {
    let _alone = FORKING.lock().unwrap();
    if !rustix::process::geteuid().is_root() {
        println!("not run: only root can be another user for a while");
        return;
    }
    let server = ServerProcess::start();
    let path = server.path();
    let open_as_nobody = || {
        in_a_child(|| {
            // SAFETY: they change this process alone, which has one thread.
            let changed = unsafe { libc::setgid(65534) == 0 && libc::setuid(65534) == 0 };
            match RemoteObjects::open(&path) {
                _ if !changed => 1,
                Err(Win32Error::ACCESS_DENIED) => 2,
                Err(_) => 3,
                Ok(_) => 4,
            }
        })
    };
    let allow = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).expect("it is ours");
    };
    allow(path.parent().expect("a folder"), 0o755);
    assert_eq!(open_as_nobody(), 2, "by the kernel: the socket is this user's");
    allow(&path, 0o666);
    assert_eq!(open_as_nobody(), 2, "by the server");
    RemoteObjects::open(&path).expect("its own user may");
}
