//! Where the filters of a running graph wait, stop, fail and end together.

use super::outer::Door;
use super::pool::{Held, Pool};
use super::queue::{Item, Queue};
use super::statistics::Totals;
use crate::allocator::AcquireError;
use crate::graph::{FilterId, PinId};
use crate::negotiate::PipeId;
use crate::stream::filters::FilterError;
use crate::stream::prepare::Interrupts;
use crate::stream::stall::{FilterWait, Waits, WaitsFor};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A filter, by its place in the graph.
pub(super) type FilterIndex = usize;
/// A queue before a filter, by its place in [`HubParts::queues`].
pub(in crate::stream) type QueueIndex = usize;

/// What the hub is made of.
#[derive(Debug)]
pub(in crate::stream) struct HubParts {
    /// The filters' names.
    pub(in crate::stream) names: Vec<String>,
    /// The filters that run here.
    pub(in crate::stream) live: usize,
    /// A source is among them.
    pub(in crate::stream) has_source: bool,
    /// By in pin that is connected, in the wiring's order.
    pub(in crate::stream) queues: Vec<Queue>,
    /// The ways to other processes.
    pub(in crate::stream) doors: Vec<Door>,
    /// By pipe.
    pub(in crate::stream) pools: Vec<Arc<Pool>>,
    pub(in crate::stream) totals: Totals,
    /// What to tell where the graph stalls: who must keep what, and the frames that cure it.
    pub(in crate::stream) cure: Option<String>,
}

/// Shared by the threads of a running graph.
#[derive(Debug)]
pub(in crate::stream) struct Hub {
    pub(in crate::stream) parts: HubParts,
    state: Mutex<State>,
    /// The run stops, or has ended.
    changed: Condvar,
    /// Sources shall end. A mirror of the state, to be looked at without its lock.
    stopping: AtomicBool,
    interrupts: Interrupts,
}

#[derive(Debug)]
struct State {
    /// Filters that have not ended.
    live: usize,
    /// By filter: what it waits for. Who is about to wait says so before, and takes it back before it takes what it
    /// waited for; so where all wait, nobody has anything that is not in the books.
    waiting: Vec<Option<Waiting>>,
    /// Somebody asked to stop.
    asked: bool,
    /// A source ended, or a sink, because of that.
    stopped_early: bool,
    failures: Vec<Ended>,
    ended: Option<Instant>,
    /// Waits begun so far.
    waits: u64,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    what: Awaited,
    /// Frames the filter has meanwhile.
    keeps: usize,
}

#[derive(Clone, Copy, Debug)]
enum Awaited {
    /// The next frame in this queue of its.
    Frame(QueueIndex),
    /// A free frame of this pipe.
    FreeFrame(usize),
}

/// What ended a run before its time.
#[derive(Debug)]
pub(in crate::stream) struct Ended {
    /// The filter that failed; `None`: the graph as a whole.
    pub(in crate::stream) filter: Option<usize>,
    pub(in crate::stream) message: String,
    pub(in crate::stream) is_system_failure: bool,
}

/// How a run ended.
#[derive(Debug)]
pub(in crate::stream) struct Ending {
    pub(in crate::stream) stopped_early: bool,
    pub(in crate::stream) failures: Vec<Ended>,
    pub(in crate::stream) at: Option<Instant>,
}

impl Hub {
    /// For filters that all are about to start.
    pub(in crate::stream) fn new(parts: HubParts, interrupts: Interrupts) -> Self {
        let filters = parts.names.len();
        let state = State {
            live: parts.live,
            waiting: vec![None; filters],
            asked: false,
            stopped_early: false,
            failures: Vec::new(),
            ended: None,
            waits: 0,
        };
        Hub { parts, state: Mutex::new(state), changed: Condvar::new(), stopping: AtomicBool::new(false), interrupts }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next frame for `filter` from this queue of its, while it keeps so many; `None`: there will be none any more.
    pub(super) fn next(
        &self,
        filter: FilterIndex,
        from: QueueIndex,
        keeps: usize,
    ) -> Result<Option<Item>, FilterError> {
        let queue = &self.parts.queues[from];
        if let Some(item) = queue.try_pop()? {
            return Ok(Some(item));
        }
        if !queue.is_ready() {
            self.waiting(filter, Waiting { what: Awaited::Frame(from), keeps }, || queue.wait());
        }
        queue.try_pop()
    }

    /// A free frame of a pipe for an out pin of `filter`, which keeps so many others meanwhile; waits for one, at most
    /// until `deadline`.
    pub(super) fn acquire(
        &self,
        filter: FilterIndex,
        (pipe, pin): (usize, PinId),
        keeps: usize,
        deadline: Option<Instant>,
    ) -> Result<Held, FilterError> {
        let pool = &self.parts.pools[pipe];
        let frame = match pool.try_acquire(pin) {
            Err(FilterError::Acquire { source: AcquireError::Empty, .. }) => {
                self.waiting(filter, Waiting { what: Awaited::FreeFrame(pipe), keeps }, || {
                    let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
                    pool.acquire(pin, left)
                })
            }
            result => result,
        };
        Ok(pool.take(frame?))
    }

    /// Waits, after saying for what.
    fn waiting<T>(&self, filter: FilterIndex, waiting: Waiting, wait: impl FnOnce() -> T) -> T {
        let mut state = self.lock();
        state.waiting[filter] = Some(waiting);
        state.waits += 1;
        self.look_for_stall(state);
        let result = wait();
        self.lock().waiting[filter] = None;
        result
    }

    /// Ends the run where every filter waits, and none for something that is there. What other processes have to say is.
    fn look_for_stall(&self, state: MutexGuard<'_, State>) {
        if state.live == 0 || !self.all_wait(&state, |there| there != Some(false)) {
            return;
        }
        let waits = self.filter_waits(&state);
        self.end_stalled_in(state, &waits, |_| true);
    }

    /// Every filter waits, and none for something that is there, as far as this process knows.
    pub(in crate::stream) fn waits(&self) -> Option<Waits> {
        let state = self.lock();
        if self.all_wait(&state, |there| there == Some(true)) {
            let is_outside = |waiting: Option<Waiting>| waiting.is_some_and(|it| self.is_there(it.what).is_none());
            let outside = state.waiting.iter().zip(0..).filter(|(waiting, _)| is_outside(**waiting));
            let outside = outside.map(|(_, filter)| FilterId(filter)).collect();
            Some(Waits { begun: state.waits, filters: self.filter_waits(&state), outside })
        } else {
            None
        }
    }

    /// Every filter waits, for what is not there.
    fn all_wait(&self, state: &State, is_there: impl Fn(Option<bool>) -> bool) -> bool {
        let mut waiting = state.waiting.iter().flatten();
        waiting.clone().count() >= state.live && !waiting.any(|waiting| is_there(self.is_there(waiting.what)))
    }

    /// What somebody waits for is there, or nothing will come any more. `None`: that is other processes' to say.
    fn is_there(&self, what: Awaited) -> Option<bool> {
        match what {
            Awaited::Frame(queue) => {
                let queue = &self.parts.queues[queue];
                // Not its lock: who waits for a frame from outside has it.
                (!queue.is_fed_from_outside()).then(|| queue.is_ready())
            }
            Awaited::FreeFrame(pipe) => {
                let pool = &self.parts.pools[pipe];
                (!pool.is_shared()).then(|| pool.may_serve())
            }
        }
    }

    fn filter_waits(&self, state: &State) -> Vec<FilterWait> {
        let waiting =
            state.waiting.iter().zip(0..).filter_map(|(waiting, filter)| Some(((*waiting)?, FilterId(filter))));
        let wait = |(Waiting { what, keeps }, filter)| {
            let what = match what {
                Awaited::Frame(_) => WaitsFor::NextFrame,
                Awaited::FreeFrame(pipe) => {
                    let pool = &self.parts.pools[pipe];
                    WaitsFor::FreeFrame { pipe: PipeId(pool.pipe), frames: pool.frames() as u64 }
                }
            };
            FilterWait { filter, what, keeps: keeps as u64 }
        };
        waiting.map(wait).collect()
    }

    /// Ends the run because nobody can move any more; `waits` says who waits for what, of whatever process.
    pub(in crate::stream) fn end_stalled(&self, waits: &[FilterWait], closes: impl Fn(&Pool) -> bool) {
        self.end_stalled_in(self.lock(), waits, closes);
    }

    fn end_stalled_in(&self, mut state: MutexGuard<'_, State>, waits: &[FilterWait], closes: impl Fn(&Pool) -> bool) {
        let message = self.describe_stall(waits);
        state.failures.push(Ended { filter: None, message, is_system_failure: false });
        drop(state);
        self.end_sources();
        // Who waits for a frame is told that none will come; then queue after queue ends.
        self.parts.pools.iter().filter(|pool| closes(pool)).for_each(|pool| pool.close());
    }

    fn describe_stall(&self, waits: &[FilterWait]) -> String {
        let wait = |FilterWait { filter, what, keeps }: &FilterWait| {
            let what = match what {
                WaitsFor::NextFrame => "its next frame".to_owned(),
                WaitsFor::FreeFrame { pipe, frames } => {
                    format!("a frame of pipe {}, which has {frames}, all out", pipe.0)
                }
            };
            let keeps = if *keeps > 0 { format!(", keeping {keeps}") } else { String::new() };
            Some(format!("`{}` for {what}{keeps}", self.parts.names.get(filter.0 as usize)?))
        };
        let waits: Vec<String> = waits.iter().filter_map(wait).collect();
        let message = format!("the graph is stalled, every filter waits: {}", waits.join("; "));
        match &self.parts.cure {
            Some(cure) => message + ". " + cure,
            // No filter of ours keeps more than the plan allows for: somebody outside has frames.
            None => message + "; a frame that somebody outside the graph keeps is missing in its pipe",
        }
    }

    /// Sources end before their next frame.
    fn end_sources(&self) {
        self.stopping.store(true, Ordering::Release);
        self.interrupts.reading.raise();
        // With the lock, so that nobody is between looking and waiting.
        drop(self.lock());
        self.changed.notify_all();
    }

    /// Somebody asks to stop. The second time, sinks that wait for a reader give up, too, and so does who waits for
    /// another process; where no source runs here that is all there is to stop, and the first time does it.
    pub(in crate::stream) fn stop(&self) {
        let again = std::mem::replace(&mut self.lock().asked, true);
        self.end_sources();
        if again {
            self.interrupts.writing.raise();
        }
        if again || !self.parts.has_source {
            self.parts.pools.iter().filter(|pool| pool.is_shared()).for_each(|pool| pool.close());
        }
    }

    /// Sources shall end.
    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Waits until then, or until sources shall end.
    pub(super) fn wait_until(&self, then: Instant) {
        let mut state = self.lock();
        while !self.is_stopping() {
            let left = then.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// A filter ended early, because it was asked to or because a reader had enough. The others end, too.
    pub(super) fn stopped_early(&self) {
        self.lock().stopped_early = true;
        self.end_sources();
    }

    /// A filter failed. The others end, too.
    pub(super) fn failed(&self, filter: FilterIndex, error: &FilterError) {
        self.lock().failures.push(Ended {
            filter: Some(filter),
            message: error.to_string(),
            is_system_failure: error.is_system_failure(),
        });
        self.end_sources();
    }

    /// A filter has ended and has nothing more.
    pub(super) fn left(&self, filter: FilterIndex) {
        let mut state = self.lock();
        state.waiting[filter] = None;
        state.live = state.live.saturating_sub(1);
        if state.live == 0 {
            state.ended = Some(Instant::now());
            self.changed.notify_all();
        }
        // It may have been the only one that did not wait.
        self.look_for_stall(state);
    }

    /// Every filter has ended.
    pub(in crate::stream) fn is_finished(&self) -> bool {
        self.lock().live == 0
    }

    /// Waits until every filter has ended, at most so long; whether they have.
    pub(in crate::stream) fn wait_finished(&self, timeout: Duration) -> bool {
        let state = self.lock();
        let waited = self.changed.wait_timeout_while(state, timeout, |state| state.live > 0);
        waited.unwrap_or_else(PoisonError::into_inner).0.live == 0
    }

    /// How the run ended, once it has.
    pub(in crate::stream) fn ending(&self) -> Ending {
        let mut state = self.lock();
        Ending { stopped_early: state.stopped_early, failures: std::mem::take(&mut state.failures), at: state.ended }
    }
}
