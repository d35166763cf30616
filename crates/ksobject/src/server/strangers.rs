//! Descriptors that clients sent and nobody wants. To close one can wait for as long as a client likes, where it made a
//! file system that answers so; a server must not.

use crate::in_process::is_eventfd;
use crate::socket::is_packet_socket;
use rustix::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};

/// How many may be waiting to be closed before no more are taken.
const MOST: usize = 64;

/// Closes what is not wanted.
#[derive(Debug, Default)]
pub(super) struct Strangers {
    /// To the thread that closes. It is there once somebody sent what could wait.
    thread: Option<Sender<OwnedFd>>,
    waiting: Arc<AtomicUsize>,
}

impl Strangers {
    /// Whether descriptors may be taken at all.
    pub(super) fn may_come(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) < MOST
    }

    /// Closes these. Sockets and eventfds at once: they never wait.
    pub(super) fn close(&mut self, descriptors: impl IntoIterator<Item = OwnedFd>) {
        for descriptor in descriptors {
            if is_eventfd(&descriptor) || is_packet_socket(&descriptor) {
                continue;
            }
            self.waiting.fetch_add(1, Ordering::Relaxed);
            let thread = self.thread.get_or_insert_with(|| closing_thread(self.waiting.clone()));
            // There is no thread: then it is closed here, by being given back and dropped.
            if thread.send(descriptor).is_err() {
                self.waiting.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }
}

/// A thread that closes what it is sent, until nobody can send any more.
fn closing_thread(waiting: Arc<AtomicUsize>) -> Sender<OwnedFd> {
    let (sender, receiver) = channel();
    let close = move || {
        for descriptor in receiver {
            drop(descriptor);
            waiting.fetch_sub(1, Ordering::Relaxed);
        }
    };
    // Without a thread the receiver is dropped, and the sender learns of it.
    let _ = std::thread::Builder::new().name("ksobject strangers".to_owned()).spawn(close);
    sender
}
