//! A graph that runs: starting it, looking at it, stopping it, and what it did.

use super::engine::{Counters, Done, Door, Hub, HubParts, Limits, MemoryError, Pool, Queue, Totals, Worker};
use super::filters::{self, FilterError, Interrupt, Role};
use super::format::MediaFormat;
use super::prepare::Prepared;
use super::report::{
    Failure, FilterReport, GraphReport, Outcome, PipeProgress, PipeReport, Progress, Report, SinkProgress,
};
use super::stall::StallHandle;
use super::wiring::Wiring;
use crate::allocator::Allocator;
use crate::graph::{Filter, Graph};
use crate::negotiate::{Behaviour, Pipe, PipeId, Plan, Verdict, starvation_of};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How far a graph runs, and how fast.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunOptions {
    /// Every source ends after so many frames, if not by itself before.
    pub frames: Option<u64>,
    /// Every source ends when so much time has passed since the start; looked at before each frame.
    pub duration: Option<Duration>,
    /// Sources make frames at their rate instead of as fast as they can. A `pattern`, like a camera, leaves out the
    /// pictures whose time is over before a frame is free, which counts as drops; files lose nothing.
    pub realtime: bool,
}

/// Why a graph did not start. Nothing runs then.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The plan is not one for this graph, or not a valid one.
    #[error("the plan does not fit the graph: {message}")]
    Plan {
        /// What does not fit.
        message: String,
    },
    /// Nobody here provides the memory type a pipe needs.
    #[error("pipe {pipe} ({pins}): nobody provides memory of the type {memory_type}")]
    MemoryType {
        /// The pipe's number.
        pipe: u32,
        /// Its pins.
        pins: String,
        /// The memory type: its name in the graph, its GUID.
        memory_type: String,
    },
    /// A pipe's frames cannot be allocated.
    #[error("pipe {pipe} ({pins}): {message}")]
    Memory {
        /// The pipe's number.
        pipe: u32,
        /// Its pins.
        pins: String,
        /// Why not.
        message: String,
    },
    /// This process cannot take part in a pool that processes share.
    #[error("pipe {pipe}: {message}")]
    Sharing {
        /// The pipe's number.
        pipe: u32,
        /// Why not.
        message: String,
    },
    /// A filter cannot start: a sink's file cannot be created.
    #[error("filter `{filter}`: {source}")]
    Filter {
        /// The filter.
        filter: String,
        /// Why not.
        #[source]
        source: FilterError,
    },
    /// The system gives no thread.
    #[error("filter `{filter}`: no thread: {source}")]
    Thread {
        /// The filter.
        filter: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
}

impl Prepared {
    /// Starts the graph by a plan negotiated for [`graph`](Self::graph): allocates every pipe's frames, creates the
    /// sinks' files, and starts a thread for each filter.
    ///
    /// # Errors
    /// Where it cannot; what was started has ended by then.
    pub fn start(self, plan: &Plan, options: RunOptions) -> Result<Running, RunError> {
        let wiring = Wiring::of(&self.graph, plan, &self.formats).map_err(|message| RunError::Plan { message })?;
        let pools = allocate(&self.graph, plan)?;
        let queues = wiring.queues.iter().map(|pipe| Queue::new(pools[*pipe].frames())).collect();
        let here = vec![true; self.graph.filters().len()];
        self.start_local(plan, options, Local { here, wiring, pools, queues, doors: Vec::new() })
    }

    /// Starts the filters that run here.
    pub(super) fn start_local(self, plan: &Plan, options: RunOptions, local: Local) -> Result<Running, RunError> {
        let Prepared { graph, sources, formats, interrupts } = self;
        let Local { here, wiring, pools, queues, doors } = local;
        let names = graph.filters().iter().map(|filter| filter.name().to_owned()).collect();
        let mut expected = Some(0u64);
        let mut has_source = false;
        let mut roles = Vec::with_capacity(graph.filters().len());
        for (index, ((filter, source), inputs)) in
            graph.filters().iter().zip(sources).zip(&wiring.inputs).enumerate().filter(|(index, _)| here[*index])
        {
            has_source |= source.is_some();
            let input = inputs.first().map(|(pin, _)| *pin);
            let role = match source {
                Some(source) => {
                    let frames = source.expected_frames().into_iter().chain(options.frames).min();
                    expected = expected.zip(frames).map(|(sum, frames)| sum.saturating_add(frames));
                    Role::Source(source)
                }
                None => open(filter, input.and_then(|pin| formats.get(pin)), &interrupts.writing)?,
            };
            roles.push((index, role));
        }
        let totals = Totals::new(plan.pipes.len());
        let (live, cure) = (roles.len(), cure(&graph, plan));
        let parts = HubParts { names, live, has_source, queues, doors, pools, totals, cure };
        let hub = Arc::new(Hub::new(parts, interrupts));
        let started = Instant::now();
        let limits = Limits {
            frames: options.frames,
            deadline: options.duration.and_then(|duration| started.checked_add(duration)),
            paced_from: options.realtime.then_some(started),
        };
        let mut running =
            Running { graph, plan: plan.clone(), hub: Arc::clone(&hub), filters: Vec::new(), started, expected };
        let mut failed = None;
        let ways = wiring.outlets.into_iter().zip(wiring.inputs).zip(wiring.out_bytes).enumerate();
        let ways = ways.filter(|(index, _)| here[*index]).map(|(_, way)| way);
        for ((index, role), ((outlets, inputs), out_bytes)) in roles.into_iter().zip(ways) {
            let counters = Arc::<Counters>::default();
            let worker = Worker {
                hub: Arc::clone(&hub),
                filter: index,
                counters: Arc::clone(&counters),
                queues: inputs.into_iter().map(|(_, queue)| queue).collect(),
                outlets,
                out_bytes,
                limits,
            };
            running.filters.push(Started { filter: index, counters, thread: None });
            if failed.is_some() {
                // It ends at once, so that the others find their end.
                continue;
            }
            let filter = hub.parts.names[index].clone();
            match std::thread::Builder::new().name(filter.clone()).spawn(move || worker.run(role)) {
                Ok(thread) => {
                    if let Some(started) = running.filters.last_mut() {
                        started.thread = Some(thread);
                    }
                }
                Err(source) => {
                    hub.stop();
                    failed = Some(RunError::Thread { filter, source });
                }
            }
        }
        // Where one got no thread, dropping `running` waits for the others.
        failed.map_or(Ok(running), Err)
    }
}

/// What of a graph runs in this process.
pub(super) struct Local {
    /// By filter.
    pub(super) here: Vec<bool>,
    pub(super) wiring: Wiring,
    /// By pipe.
    pub(super) pools: Vec<Arc<Pool>>,
    /// By in pin that is connected.
    pub(super) queues: Vec<Queue>,
    pub(super) doors: Vec<Door>,
}

/// What to tell should the graph stall: who keeps frames and waits, and the cure. `None`: nobody here can make it.
fn cure(graph: &Graph, plan: &Plan) -> Option<String> {
    match starvation_of(graph, plan, Behaviour::Run) {
        Verdict::Stalls(starvation) => {
            Some(format!("{}; to cure it, {}", starvation.describe(graph, plan), starvation.help(graph)))
        }
        Verdict::Moves(_) | Verdict::Unproven(_) => None,
    }
}

/// Allocates the frames of every pipe.
fn allocate(graph: &Graph, plan: &Plan) -> Result<Vec<Arc<Pool>>, RunError> {
    let mut pools = Vec::with_capacity(plan.pipes.len());
    for (pipe, id) in plan.pipes.iter().zip(0u32..) {
        pools.push(Arc::new(commit(graph, plan, id, pipe)?));
    }
    Ok(pools)
}

/// Allocates the frames of a pipe.
pub(super) fn commit(graph: &Graph, plan: &Plan, id: u32, pipe: &Pipe) -> Result<Pool, RunError> {
    Pool::commit(graph, id, pipe).map_err(|error| {
        let pins = pin_names(graph, plan, id).join(", ");
        match error {
            MemoryError::Unprovided(memory_type) => RunError::MemoryType { pipe: id, pins, memory_type },
            error => RunError::Memory { pipe: id, pins, message: error.to_string() },
        }
    })
}

/// Makes the part of a filter that gets frames of `format`.
fn open(filter: &Filter, format: Option<&MediaFormat>, interrupt: &Arc<Interrupt>) -> Result<Role, RunError> {
    let opened = filter.run().zip(format).and_then(|(run, format)| filters::open(run, format, interrupt));
    // `prepare` sees to it that every filter has a `run`, every source is open and every other has a format.
    let opened =
        opened.ok_or_else(|| RunError::Plan { message: format!("filter `{}` has nothing to do", filter.name()) })?;
    opened.map_err(|source| RunError::Filter { filter: filter.name().to_owned(), source })
}

/// The names of a pipe's pins; of a plan that is not this graph's, those there are.
fn pin_names(graph: &Graph, plan: &Plan, pipe: u32) -> Vec<String> {
    let pins = plan.pipes.get(PipeId(pipe).index()).map_or(&[][..], |pipe| &pipe.pins);
    pins.iter().filter(|pin| pin.index() < graph.pins().len()).map(|pin| graph.pin_name(*pin)).collect()
}

/// A graph that runs. Dropping it stops it and waits for its end.
#[derive(Debug)]
pub struct Running {
    graph: Graph,
    plan: Plan,
    hub: Arc<Hub>,
    /// Those that run here.
    filters: Vec<Started>,
    started: Instant,
    expected: Option<u64>,
}

#[derive(Debug)]
struct Started {
    /// Its place in the graph.
    filter: usize,
    counters: Arc<Counters>,
    /// `None`: joined already, or never there.
    thread: Option<JoinHandle<Done>>,
}

/// Stops a running graph, from any thread.
#[derive(Clone, Debug)]
pub struct StopHandle(Arc<Hub>);

impl StopHandle {
    /// Asks the sources to end. Frames on their way are delivered, and the graph ends as at the end of its streams. A
    /// source that waits for data gives up (not on Windows). Asked a second time, sinks that wait for a reader who does
    /// not read give up, too. Does not wait, and does nothing once the graph has ended.
    pub fn stop(&self) {
        self.0.stop();
    }
}

impl Running {
    /// The graph.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The plan it runs by.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The allocator of a pipe; another handle to the same one, which may outlive the run. Decommitting it stops the
    /// graph. `None` where the plan has no such pipe, or its frames are not this process's alone.
    pub fn allocator(&self, pipe: PipeId) -> Option<Allocator> {
        self.hub.parts.pools.get(pipe.index())?.allocator().cloned()
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        let Running { graph, hub, filters, .. } = self;
        let started = filters.iter().map(|started| (&graph.filters()[started.filter], started));
        let sinks = started.filter(|(filter, _)| filter.run().is_some_and(filters::is_sink));
        Progress {
            elapsed: self.started.elapsed(),
            source_frames: hub.parts.totals.source_frames.get(),
            expected_frames: self.expected,
            sinks: sinks
                .map(|(filter, started)| SinkProgress {
                    name: filter.name().to_owned(),
                    frames: started.counters.frames_in.get(),
                })
                .collect(),
            pipes: hub
                .parts
                .pools
                .iter()
                .filter(|pool| !pool.is_elsewhere())
                .map(|pool| PipeProgress {
                    id: pool.pipe,
                    in_use: u64::from(pool.status().in_use),
                    frames: pool.frames() as u64,
                })
                .collect(),
            finished: hub.is_finished(),
        }
    }

    /// What stops it.
    pub fn stop_handle(&self) -> StopHandle {
        StopHandle(Arc::clone(&self.hub))
    }

    /// What sees whether it waits: for who sees the other processes of the graph, too.
    pub fn stall_handle(&self) -> StallHandle {
        StallHandle(Arc::clone(&self.hub))
    }

    /// Every filter has ended: [`wait`](Self::wait) will not block.
    pub fn is_finished(&self) -> bool {
        self.hub.is_finished()
    }

    /// Waits for the end, at most so long; whether it has come.
    pub fn wait_timeout(&self, timeout: Duration) -> bool {
        self.hub.wait_finished(timeout)
    }

    /// Waits for the end, and tells what happened. No thread of the graph is left then.
    pub fn wait(mut self) -> Report {
        let done: Vec<Option<Done>> = self.filters.iter_mut().map(Started::join).collect();
        let ending = self.hub.ending();
        let outcome = match ending {
            ref ending if !ending.failures.is_empty() => Outcome::Failed,
            ref ending if ending.stopped_early => Outcome::Stopped,
            _ => Outcome::Finished,
        };
        let name = |filter: usize| self.hub.parts.names[filter].clone();
        let failures = ending.failures.into_iter();
        let errors = failures.map(|ended| Failure {
            filter: ended.filter.map(name),
            message: ended.message,
            is_system_failure: ended.is_system_failure,
        });
        let errors = errors.collect();
        let duration = ending.at.map_or(Duration::ZERO, |at| at.saturating_duration_since(self.started));
        let filter_of = |started: &Started| &self.graph.filters()[started.filter];
        let filters: Vec<FilterReport> = self
            .filters
            .iter()
            .zip(done)
            .map(|(started, done)| filter_report(filter_of(started), &started.counters, done))
            .collect();
        let sinks = self.filters.iter().map(filter_of).zip(&filters);
        let sinks = sinks.filter(|(filter, _)| filter.run().is_some_and(filters::is_sink));
        let totals = &self.hub.parts.totals;
        let source_frames = totals.source_frames.get();
        let graph = GraphReport {
            source_frames,
            delivered: sinks.map(|(_, report)| report.frames_in).sum(),
            drops: totals.drops.get(),
            copies_per_frame: totals.copies.get() as f64 / source_frames.max(1) as f64,
            bytes_copied: totals.bytes_copied.get(),
            bytes_moved_without_copying: totals.bytes_moved.get(),
        };
        let pipes = self.hub.parts.pools.iter().zip(&totals.delivered).zip(&self.plan.pipes);
        let pipes = pipes.filter(|((pool, _), _)| !pool.is_elsewhere()).map(|((pool, delivered), pipe)| {
            let status = pool.status();
            PipeReport {
                id: pool.pipe,
                pins: pin_names(&self.graph, &self.plan, pool.pipe),
                memory_type: pool.memory_type.clone(),
                memory: pool.memory.clone(),
                frames: pipe.frames,
                frame_size: pipe.frame_size,
                bytes: delivered.get(),
                acquires: status.acquires,
                peak_in_use: u64::from(status.peak),
                waits: status.waits,
                frames_out_at_end: u64::from(status.held_here),
            }
        });
        Report { version: 1, outcome, errors, duration, graph, pipes: pipes.collect(), filters }
    }
}

impl Started {
    fn join(&mut self) -> Option<Done> {
        // A filter's panics are caught in its thread, so it always has something to say.
        self.thread.take()?.join().ok()
    }
}

fn filter_report(filter: &Filter, counters: &Counters, done: Option<Done>) -> FilterReport {
    let (latency, end_to_end, digest, error) = match done {
        Some(done) => (done.latency.latency(), done.end_to_end.map(|times| times.latency()), done.digest, done.error),
        None => Default::default(),
    };
    FilterReport {
        name: filter.name().to_owned(),
        kind: filter.run().map_or("", |run| run.kind()).to_owned(),
        frames_in: counters.frames_in.get(),
        frames_out: counters.frames_out.get(),
        bytes: counters.bytes.get(),
        latency,
        end_to_end,
        error,
        digest,
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.filters.iter().any(|filter| filter.thread.is_some()) {
            // Twice: nobody is there to wait for a slow reader.
            self.hub.stop();
            self.hub.stop();
            for filter in &mut self.filters {
                filter.join();
            }
        }
    }
}
