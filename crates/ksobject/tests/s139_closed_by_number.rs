//! A handle that is closed by its number, as a program in C closes it (statement 139). Alone in its program, because any
//! other test that drops a handle would see to it too.
#![cfg(unix)]

mod common;

use common::*;

#[test]
fn s139_a_thread_that_waits_sees_a_handle_closed_by_its_number() {
    let a = Allocator::new(1);
    a.alloc().expect("a frame");
    let [first, second] = [(); 2].map(|()| a.begin_alloc());
    let handle = a.object.0;
    let waiter = std::thread::spawn(move || frame(first));
    drop(rustix::fd::OwnedFd::from(handle));
    assert_eq!(waiter.join().expect("no panic"), Err(CANCELLED));
    assert!(!second.is_pending(), "all that wait end with the object");
    assert_eq!(frame(second), Err(CANCELLED));
}
