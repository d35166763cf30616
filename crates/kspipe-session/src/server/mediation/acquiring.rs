//! Waiting for a free frame in the place of a mediated process: in line with all others, and never in the server's thread.

use super::super::signal::Signal;
use crate::lock::lock;
use crate::verbs::Step;
use kspipe::allocator::shared::{Acquirer, Unready, WritableFrame};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// An acquirer, here or in a thread that waits with it.
#[derive(Debug, Default)]
pub(super) struct Acquiring {
    acquirer: Option<Acquirer>,
    waiting: Option<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    /// Filled by the thread before it ends.
    got: Arc<Mutex<Option<Got>>>,
    thread: JoinHandle<()>,
}

type Got = (Acquirer, Result<WritableFrame, Unready>);

impl Acquiring {
    pub(super) fn new(acquirer: Acquirer) -> Self {
        Self { acquirer: Some(acquirer), waiting: None }
    }

    /// A free frame, or why there is none. Where none is free a thread waits for one, and signals when it has it.
    pub(super) fn acquire(&mut self, signal: &Arc<Signal>) -> Result<WritableFrame, Step> {
        if let Some(waiting) = self.waiting.take() {
            let Some((acquirer, got)) = lock(&waiting.got).take() else {
                self.waiting = Some(waiting);
                return Err(Step::Nothing);
            };
            // It has nothing more to do but to end.
            let _ = waiting.thread.join();
            self.acquirer = Some(acquirer);
            return got.map_err(step);
        }
        let acquirer = self.acquirer.as_mut().ok_or(Step::Shut)?;
        match acquirer.try_acquire() {
            Err(Unready::Empty) => {}
            got => return got.map_err(step),
        }
        self.wait(signal)
    }

    fn wait(&mut self, signal: &Arc<Signal>) -> Result<WritableFrame, Step> {
        let got = Arc::new(Mutex::new(None));
        let (fills, says) = (got.clone(), signal.clone());
        let given = Arc::new(Mutex::new(self.acquirer.take()));
        let takes = given.clone();
        let wait = move || {
            let acquirer = lock(&takes).take();
            if let Some(mut acquirer) = acquirer {
                let frame = acquirer.acquire(None);
                *lock(&fills) = Some((acquirer, frame));
            }
            says.say();
        };
        match std::thread::Builder::new().name("kspipe acquires".to_owned()).spawn(wait) {
            Ok(thread) => self.waiting = Some(Waiting { got, thread }),
            // Asked again, there may be room for one.
            Err(_) => {
                self.acquirer = lock(&given).take();
                signal.say();
            }
        }
        Err(Step::Nothing)
    }
}

impl Drop for Acquiring {
    /// The holder was shut, or the pool closed: a wait ends.
    fn drop(&mut self) {
        if let Some(waiting) = self.waiting.take() {
            let _ = waiting.thread.join();
        }
    }
}

fn step(unready: Unready) -> Step {
    match unready {
        Unready::PoolClosed | Unready::ServerGone => Step::Closed,
        Unready::Shut | Unready::Interrupted => Step::Shut,
        Unready::Empty | Unready::TimedOut | Unready::Ended | Unready::Nonsense => Step::Nothing,
    }
}
