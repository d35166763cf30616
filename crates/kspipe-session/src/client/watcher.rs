//! A thread that waits for the server's end, so that nobody else has to, and for its word to stop.

use crate::descriptor::above_standard_streams;
use crate::lock::lock;
use ksobject::OwnedHandle;
use kspipe::allocator::shared::Participant;
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::net::{RecvFlags, recv};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// What is told when sources shall end.
pub(super) type Stopped = Arc<dyn Fn() + Send + Sync>;

/// Watches until it is dropped.
pub(super) struct Watcher {
    watched: Arc<Watched>,
    thread: Option<JoinHandle<()>>,
}

struct Watched {
    /// Hangs up when the server ends.
    server: OwnedHandle,
    /// Readable once sources shall end.
    stop: OwnedFd,
    /// Readable once nobody wants to know any more.
    done: OwnedFd,
    participants: Vec<Participant>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    stopping: bool,
    told: Vec<Stopped>,
}

impl std::fmt::Debug for Watcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watcher").field("stopping", &self.is_stopping()).finish_non_exhaustive()
    }
}

impl Watcher {
    /// Watches the server by the handle of one of its objects.
    pub(super) fn start(server: OwnedHandle, stop: OwnedFd, participants: Vec<Participant>) -> std::io::Result<Self> {
        let done = above_standard_streams(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?)?;
        let watched = Arc::new(Watched { server, stop, done, participants, state: Mutex::default() });
        let watches = watched.clone();
        let thread = std::thread::Builder::new().name("kspipe server".to_owned()).spawn(move || watches.watch())?;
        Ok(Self { watched, thread: Some(thread) })
    }

    /// What it polls: readable once sources shall end, and one that hangs up when the server ends.
    pub(super) fn ends(&self) -> (BorrowedFd<'_>, BorrowedFd<'_>) {
        (self.watched.stop.as_fd(), self.watched.server.as_fd())
    }

    pub(super) fn is_stopping(&self) -> bool {
        lock(&self.watched.state).stopping
    }

    pub(super) fn when_stopping(&self, stopped: Stopped) {
        let now = {
            let mut state = lock(&self.watched.state);
            state.told.push(stopped.clone());
            state.stopping
        };
        if now {
            stopped();
        }
    }
}

impl Watched {
    /// It is readable for a word, and not for its end.
    fn was_said(&self) -> bool {
        // What is no socket is an event, which has no end.
        !matches!(recv(&self.stop, &mut [0; 1], RecvFlags::DONTWAIT | RecvFlags::PEEK), Ok((0, _)))
    }

    fn watch(&self) {
        let mut stopping = false;
        loop {
            let mut polled = vec![
                PollFd::new(&self.done, PollFlags::IN),
                // The server's first word always waits there to be read: only a hang-up is news.
                PollFd::new(&self.server, PollFlags::empty()),
            ];
            if !stopping {
                polled.push(PollFd::new(&self.stop, PollFlags::IN));
            }
            match poll(&mut polled, None) {
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => continue,
                // Nobody would be told of the server's end: as if it had ended.
                Err(_) => return self.participants.iter().for_each(Participant::server_gone),
            }
            // Its other end may be closed, unsaid.
            let said = |place: usize| polled.get(place).is_some_and(|polled| polled.revents().contains(PollFlags::IN));
            let is_ready = |place: usize| polled.get(place).is_some_and(|polled| !polled.revents().is_empty());
            if is_ready(0) {
                return;
            }
            if is_ready(2) {
                // Whatever it was: it is not asked again.
                stopping = true;
            }
            if said(2) && self.was_said() {
                let told = {
                    let mut state = lock(&self.state);
                    state.stopping = true;
                    state.told.clone()
                };
                told.iter().for_each(|stopped| stopped());
            }
            if is_ready(1) {
                return self.participants.iter().for_each(Participant::server_gone);
            }
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = rustix::io::write(&self.watched.done, &1u64.to_ne_bytes());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
