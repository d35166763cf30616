//! Where frames come from other processes and go to them: by a ring into an in pin here, by a door out of an out pin here, and
//! the pool that both are of.

use super::pool::{Held, Pool};
use super::queue::Item;
use crate::allocator::AcquireError;
use crate::allocator::shared::{
    TrustedAcquirer, TrustedFrame, TrustedPool, TrustedReceiver, TrustedSender, Unready, UnsentReason,
};
use crate::graph::PinId;
use crate::stream::filters::FilterError;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub(super) type OuterFrame = TrustedFrame;

/// A pipe's pool, shared with other processes.
#[derive(Debug)]
pub(in crate::stream) struct OuterPool {
    pool: TrustedPool,
    /// By out pin of this process for which its frames are acquired. Each is its filter's alone, so nobody waits for a lock.
    acquirers: Vec<(PinId, Mutex<TrustedAcquirer>)>,
    /// The most frames seen out at once.
    peak: AtomicU32,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl OuterPool {
    pub(in crate::stream) fn new(pool: TrustedPool, acquirers: Vec<(PinId, TrustedAcquirer)>) -> Self {
        let acquirers = acquirers.into_iter().map(|(pin, acquirer)| (pin, Mutex::new(acquirer))).collect();
        OuterPool { pool, acquirers, peak: AtomicU32::new(0) }
    }

    pub(super) fn frames(&self) -> u32 {
        self.pool.participant().properties().frames.frames
    }

    /// A free frame for an out pin, if there is one.
    pub(super) fn try_acquire(&self, pipe: u32, pin: PinId) -> Result<OuterFrame, FilterError> {
        let got = self.acquirer(pipe, pin)?.try_acquire();
        if matches!(got, Err(Unready::Empty)) {
            // Those that wait stand for frames that are out.
            self.peak.store(self.frames(), Ordering::Relaxed);
        }
        got.map_err(|unready| unacquired(unready, pipe))
    }

    /// Waits for a free frame for an out pin.
    pub(super) fn acquire(&self, pipe: u32, pin: PinId, timeout: Option<Duration>) -> Result<OuterFrame, FilterError> {
        self.acquirer(pipe, pin)?.acquire(timeout).map_err(|unready| unacquired(unready, pipe))
    }

    fn acquirer(&self, pipe: u32, pin: PinId) -> Result<MutexGuard<'_, TrustedAcquirer>, FilterError> {
        let acquirer = self.acquirers.iter().find(|(of, _)| *of == pin);
        let nobody = FilterError::Acquire { pipe, source: AcquireError::NotCommitted };
        acquirer.map(|(_, acquirer)| lock(acquirer)).ok_or(nobody)
    }

    /// Frames out, in whatever process; the most seen so far, of which one is known that came and went unseen.
    pub(super) fn in_use(&self) -> (u32, u32) {
        let now = self.pool.in_use();
        let least = now.max(u32::from(self.acquires() > 0));
        (now, self.peak.fetch_max(least, Ordering::Relaxed).max(least))
    }

    pub(super) fn held_here(&self) -> u32 {
        self.pool.held_here()
    }

    pub(super) fn acquires(&self) -> u64 {
        self.pool.acquires()
    }

    pub(super) fn waits(&self) -> u64 {
        self.pool.waits()
    }

    /// Who waits for its frames in this process wakes, and gets none.
    pub(super) fn interrupt(&self) {
        self.pool.participant().interrupt();
    }
}

/// Why a filter gets no free frame.
fn unacquired(unready: Unready, pipe: u32) -> FilterError {
    let source = match unready {
        Unready::Empty => AcquireError::Empty,
        Unready::TimedOut => AcquireError::TimedOut,
        Unready::ServerGone => return FilterError::ServerGone { pipe },
        Unready::Interrupted | Unready::Ended => return FilterError::Stopped,
        Unready::Shut | Unready::PoolClosed | Unready::Nonsense => AcquireError::NotCommitted,
    };
    FilterError::Acquire { pipe, source }
}

/// Frames from another process on their way to a filter here.
#[derive(Debug)]
pub(in crate::stream) struct Ring {
    pool: Arc<Pool>,
    /// Its filter's alone.
    state: Mutex<Arriving>,
}

#[derive(Debug)]
struct Arriving {
    /// `None`: nobody takes anything any more.
    receiver: Option<TrustedReceiver>,
    /// What a wait ended with.
    next: Option<Result<TrustedFrame, Unready>>,
}

impl Ring {
    pub(in crate::stream) fn new(pool: Arc<Pool>, receiver: TrustedReceiver) -> Self {
        Ring { pool, state: Mutex::new(Arriving { receiver: Some(receiver), next: None }) }
    }

    /// The next frame, if there is one. `None` also at the end of the stream.
    pub(super) fn try_pop(&self) -> Result<Option<Item>, FilterError> {
        let mut state = lock(&self.state);
        let next = match state.next.take() {
            Some(next) => next,
            None => state.receiver.as_mut().map_or(Err(Unready::Ended), TrustedReceiver::try_receive),
        };
        let pipe = self.pool.pipe;
        match next {
            Ok(frame) => {
                // When it was born nobody told: clocks are each process's own.
                let arrived = Instant::now();
                Ok(Some(Item { frame: Pool::arrived(&self.pool, frame), born: arrived, arrived }))
            }
            Err(ended @ Unready::Ended) => {
                state.next = Some(Err(ended));
                Ok(None)
            }
            Err(Unready::Empty | Unready::TimedOut) => Ok(None),
            Err(Unready::ServerGone) => Err(FilterError::ServerGone { pipe }),
            Err(Unready::Nonsense) => Err(FilterError::NotHeld { pipe }),
            Err(Unready::Shut | Unready::PoolClosed | Unready::Interrupted) => Err(FilterError::Stopped),
        }
    }

    /// The stream has ended, or what to take is there. Only where [`try_pop`](Self::try_pop) gave nothing.
    pub(super) fn is_ready(&self) -> bool {
        lock(&self.state).next.is_some()
    }

    /// Waits until there is something to take, if only the end.
    pub(super) fn wait(&self) {
        let mut state = lock(&self.state);
        let Arriving { receiver: Some(receiver), next: next @ None } = &mut *state else { return };
        *next = Some(receiver.receive(None));
    }

    /// Nothing more will be taken; what has come goes home, and nothing more comes.
    pub(super) fn abandon(&self) {
        let mut state = lock(&self.state);
        drop(state.next.take());
        if let Some(receiver) = state.receiver.take() {
            receiver.leave();
        }
    }
}

/// The way out of an out pin, or of several that send on the same frames, into other processes.
#[derive(Debug)]
pub(in crate::stream) struct Door {
    /// Its filter's alone.
    sender: Mutex<TrustedSender>,
    /// Where all in pins there are of the serving process's filters: their pool. They are there from the start, and who has
    /// ended does not come back.
    server_takes: Option<TrustedPool>,
}

impl Door {
    pub(in crate::stream) fn new(sender: TrustedSender, server_takes: Option<TrustedPool>) -> Self {
        Door { sender: Mutex::new(sender), server_takes }
    }

    /// Nobody will ever take frames there again, where the last went to nobody. Not where the pool is closed: that is for the
    /// next wait to tell.
    pub(super) fn is_over(&self) -> bool {
        self.server_takes.as_ref().is_some_and(|pool| !pool.participant().is_closed())
            || lock(&self.sender).is_given_up()
    }

    /// Hands a frame over; to how many in pins. With none there it goes home, and the stream goes on: one may come.
    pub(super) fn hand_over(&self, pipe: u32, frame: Held) -> Result<u32, FilterError> {
        // Its connections are within the pool's pipe, or over a bridge into it.
        let frame = frame.into_outer().ok_or(FilterError::NotHeld { pipe })?;
        lock(&self.sender).hand_over(frame).map_err(|unsent| match unsent.reason {
            // The server ended its claims: it was told to go.
            UnsentReason::NotHeld => FilterError::Stopped,
            UnsentReason::Foreign | UnsentReason::HeldAlready(_) => FilterError::NotHeld { pipe },
        })
    }

    /// Nothing more will be sent.
    pub(super) fn end(&self) {
        lock(&self.sender).end_stream();
    }
}
