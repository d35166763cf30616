//! [`Server`]: serves a graph to processes.

mod ends;
mod extension;
mod joining;
mod mediation;
mod participants;
mod signal;
mod stall;
mod state;
mod status;
mod told;

use crate::lock::lock;
use crate::verbs::GraphSource;
use extension::SessionExtension;
use ks::NtStatus;
use ksobject::{InProcessObjects, Limits, OwnedHandle, PinFactory};
use kspipe::allocator::CommitError;
use kspipe::allocator::shared::{AdmitError, CreateError, Participant, SharedPool, TrustedPool, WrittenBy};
use kspipe::graph::{FilterId, Strategy};
use kspipe::negotiate::Plan;
use kspipe::stream::{Part, Prepared, Process, Report, RunError, RunOptions, Running, SharingError};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use state::State;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How a graph is served.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// How far the server's own filters run, and how fast.
    pub run: RunOptions,
    /// The graph as a file, for processes that run a filter of it.
    pub graph: Option<GraphText>,
    /// When the graph begins.
    pub begins: Begins,
    /// Whose processes are trusted; those of other users that may come in are mediated.
    pub trust: Trust,
    /// Each frame has a file of its own, which a mediated process gets with the frame: it sees nothing of a frame that it was
    /// never handed. It sees what comes to be there later. Costs a descriptor a frame.
    pub isolate: bool,
    /// What becomes of the streams of a process that dies.
    pub streams_of_the_dead: StreamsOfTheDead,
    /// How often it is looked who has which frame. The ages of claims are as exact; what nobody asks costs as little.
    pub look_every: Duration,
    /// How long a process outside may keep a frame, those included that it does not take. Longer is told of in the status;
    /// `None`: any time. Seen by the looks, so as exact as these.
    pub hold_deadline: Option<Duration>,
    /// After so long, one that hung up and lives, or keeps a frame past the deadline, has no part any more: what a mediated
    /// process has is taken back, a trusted one is killed. `None`: never.
    pub evict_after: Option<Duration>,
    /// A graph that is stalled is ended, with an error in the report: all wait, each for a frame that another keeps, and none of
    /// them can ever move again. To be said only where every filter outside runs as [`JoinedFilter::start`] runs it, by one
    /// thread that waits for one thing at a time: what other programs do meanwhile cannot be seen. Else it is only told, in the
    /// status, that nothing moves.
    ///
    /// [`JoinedFilter::start`]: crate::JoinedFilter::start
    pub ends_stalls: bool,
}

impl Default for ServerOptions {
    /// It begins at once; this user is trusted; ten looks a second; the streams of the dead go on; nobody is killed.
    fn default() -> Self {
        Self {
            run: RunOptions::default(),
            graph: None,
            begins: Begins::default(),
            trust: Trust::default(),
            isolate: false,
            streams_of_the_dead: StreamsOfTheDead::default(),
            look_every: Duration::from_millis(100),
            hold_deadline: None,
            evict_after: None,
            ends_stalls: false,
        }
    }
}

/// A graph file, as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphText {
    /// Its name, for messages.
    pub name: String,
    /// Its text.
    pub text: String,
    /// The folder that paths in it are relative to.
    pub base: PathBuf,
    /// What the plan optimises, where that is not what the text says.
    pub strategy: Option<Strategy>,
}

impl GraphText {
    /// The graph as it is told to other processes.
    fn to_source(&self) -> Result<GraphSource, ServeError> {
        // Another process has another current folder.
        let base = std::path::absolute(&self.base).unwrap_or_else(|_| self.base.clone());
        Ok(GraphSource {
            name: self.name.clone(),
            text: self.text.clone(),
            base: base.into_os_string().into_string().map_err(|base| ServeError::Folder(base.into()))?,
            strategy: self.strategy.map(|strategy| strategy.name().to_owned()),
        })
    }
}

/// When a graph begins: the server's own filters start, and sources elsewhere send their first frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Begins {
    /// At once. Frames go by a pin that nobody has joined: for graphs to which others come and from which they go.
    #[default]
    AtOnce,
    /// When all filters outside were joined: for graphs of which nothing shall be missed.
    WhenAllHaveJoined,
}

/// Whose processes are trusted: they map the control words of the pools, and can damage frames and stop the graph. All others
/// that may come in are mediated: the server does everything for them. `docs/security.md` says what that promises.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// Those of this process's own user, of root, and of users that [`Server::trust_user`] names.
    #[default]
    OwnUser,
    /// Those of users that [`Server::trust_user`] names, and no others: this process's own user is not, unless it is named.
    Named,
    /// Nobody's, whoever is named. The frames' memory is sealed: nobody but the server can write there, not even a process of
    /// its own user that opens it again.
    Nobody,
}

/// What becomes of the streams that a process sent when it died.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StreamsOfTheDead {
    /// They wait for another process to take its place, and go on then.
    #[default]
    GoOn,
    /// They end, after the last frame that was sent.
    End,
}

/// Why a graph cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Processes cannot share what they would have to.
    #[error(transparent)]
    Sharing(#[from] SharingError),
    /// A pool cannot be made.
    #[error("pipe {pipe}: {source}")]
    Pool {
        /// The pipe's number.
        pipe: u32,
        /// Why not.
        #[source]
        source: CreateError,
    },
    /// The server's own holder cannot be admitted, which is a defect.
    #[error("pipe {pipe}: {source}")]
    Admit {
        /// The pipe's number.
        pipe: u32,
        /// Why not.
        #[source]
        source: AdmitError,
    },
    /// The server's own filters do not start.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The graph file's folder has a name that cannot be told to other processes, which look there for files.
    #[error("the graph's folder {} is not UTF-8, and other processes are told of it in UTF-8", .0.display())]
    Folder(PathBuf),
    /// The system cannot wait.
    #[error("waiting: {0}")]
    Wait(#[source] io::Error),
    /// The system: no socket at the path, no descriptor.
    #[error("{path}: {source}")]
    System {
        /// The path.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl ServeError {
    /// This process has as many files open as it may (`ulimit -n`).
    pub fn is_out_of_descriptors(&self) -> bool {
        let number = match self {
            Self::Pool { source: CreateError::Memory(CommitError::OutOfMemory { errno, .. }), .. } => *errno,
            Self::Pool { source: CreateError::Event(number), .. } => Some(*number),
            Self::System { source, .. } | Self::Wait(source) => source.raw_os_error(),
            _ => None,
        };
        number.is_some_and(|number| [Errno::MFILE, Errno::NFILE].contains(&Errno::from_raw_os_error(number)))
    }
}

/// Serves a graph: makes the pools that processes share, runs the filters that are not outside, and offers every pin of
/// those that are. A process that joins with a filter has the filter's holders until it leaves, or ends: then its frames come
/// home, and another may take its place.
///
/// It works while somebody calls [`run`](Self::run).
#[derive(Debug)]
pub struct Server {
    objects: ksobject::Server,
    /// The graph as an object.
    filter: OwnedHandle,
    shared: Arc<Shared>,
    own: Own,
    /// Some filter runs here.
    runs_filters: bool,
    options: ServerOptions,
    closes: Closes,
}

/// Nobody is left waiting for a server that is dropped, or that failed; its controls may live on.
#[derive(Debug)]
struct Closes(Arc<Shared>);

impl Drop for Closes {
    fn drop(&mut self) {
        lock(&self.0.state).close();
    }
}

/// The server's own filters.
#[derive(Debug)]
enum Own {
    /// They wait until all have joined.
    Waiting(Box<Waiting>),
    Running(Box<Running>),
}

#[derive(Debug)]
struct Waiting {
    prepared: Prepared,
    plan: Plan,
}

/// What the server's thread, its controls and the objects share.
#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Readable when somebody asks to stop.
    asked: OwnedFd,
}

/// Looks at a server, and stops it, from any thread. It may outlive the server.
#[derive(Clone, Debug)]
pub struct ServerControl(Arc<Shared>);

impl ServerControl {
    /// Asks the sources to end, here and in other processes. What is on its way is delivered, and the server ends when its
    /// filters have ended and no process has part in the graph. Asked a second time it ends at once: the others are told
    /// that their pools are closed.
    pub fn stop(&self) {
        lock(&self.0.state).ask_to_stop();
        // It can be read, or has been.
        let _ = rustix::io::write(&self.0.asked, &1u64.to_ne_bytes());
    }

    /// Says that no process will come to a filter, or come again: the streams that it sends end, and a filter, in whatever
    /// process, all of whose frames go there ends with the next of them. Does nothing where a living process has the filter,
    /// or none of that name is outside. A process can join with it all the same, for those that have not ended.
    pub fn give_up(&self, filter: &str) {
        lock(&self.0.state).give_up(filter);
    }

    /// Who has which frame since when, as JSON, one line: see `docs/sessions.md`.
    pub fn status(&self) -> String {
        lock(&self.0.state).status(Instant::now()).to_string()
    }
}

impl Server {
    /// Serves a graph at a path, whose socket is this user's alone. `prepared` is what
    /// [`prepare_served`](kspipe::stream::prepare_served) made of it for the same filters `outside`, and `plan` is
    /// for [its graph](Prepared::graph). Processes can join from here on, as soon as it runs.
    ///
    /// # Errors
    /// See [`ServeError`].
    pub fn bind(
        path: impl AsRef<Path>,
        prepared: Prepared,
        plan: &Plan,
        outside: &[FilterId],
        options: ServerOptions,
    ) -> Result<Self, ServeError> {
        Self::offered(Some(path.as_ref()), prepared, plan, outside, options)
    }

    /// Serves a graph at no path, to processes that are given a [handle](Self::open) of it. There is nothing of it that
    /// another process could find, and nothing that is left behind by the end of this one, whatever that is. Else as
    /// [`bind`](Self::bind).
    ///
    /// # Errors
    /// See [`ServeError`].
    pub fn new(
        prepared: Prepared,
        plan: &Plan,
        outside: &[FilterId],
        options: ServerOptions,
    ) -> Result<Self, ServeError> {
        Self::offered(None, prepared, plan, outside, options)
    }

    fn offered(
        path: Option<&Path>,
        prepared: Prepared,
        plan: &Plan,
        outside: &[FilterId],
        options: ServerOptions,
    ) -> Result<Self, ServeError> {
        let name = || path.map_or_else(|| "a socket without a path".to_owned(), |path| path.display().to_string());
        let system = |source: io::Error| ServeError::System { path: name(), source };
        let sharing = prepared.sharing(plan, outside)?;
        let mut pools = Vec::new();
        for (id, pipe) in sharing.pipes() {
            let mut properties = pipe.properties().clone();
            properties.isolate = options.isolate;
            if options.trust == Trust::Nobody {
                properties.written_by = WrittenBy::Creator;
            }
            let made = SharedPool::create(properties);
            let mut pool = made.map_err(|source| ServeError::Pool { pipe: id.0, source })?;
            for holder in pipe.holders_of(Process::Server) {
                pool.admit(holder).map_err(|source| ServeError::Admit { pipe: id.0, source })?;
            }
            for (holder, pin, _) in pipe.holders() {
                pool.declare_holds(holder, prepared.graph().pin(pin).holds());
            }
            pools.push((id, pool));
        }
        let source = options.graph.as_ref().map(GraphText::to_source).transpose()?;
        let state = State::new(&prepared, plan, sharing, pools, outside, source, &options);
        let factories = state.pins().map(|pin| {
            let factory = if pin.is_in { PinFactory::sink() } else { PinFactory::source() };
            let name = Some(pin.name.clone());
            // Who may have it is for the state to say: a pin of a process that has ended does not count.
            PinFactory { name, can_allocate: false, ..factory }
        });
        let factories: Vec<_> = factories.collect();
        let pins = factories.len();
        let asked = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).map_err(|error| system(error.into()))?;
        let shared = Arc::new(Shared { state: Mutex::new(state), asked });
        let extension = Arc::new(SessionExtension::new(Arc::downgrade(&shared)));
        let filter = InProcessObjects::create_extended_filter(factories, extension);
        // A process may have every filter, each by a client of its own.
        let limits = Limits::default().with_room_for(outside.len(), pins);
        let none_left = |_| system(io::Error::from(Errno::MFILE));
        let mut objects = ksobject::Server::with_limits(limits).map_err(system)?;
        let filter = filter.map_err(none_left)?;
        if let Some(path) = path {
            objects.listen(path, filter.try_clone().map_err(system)?).map_err(system)?;
        }
        let runs_filters = prepared.graph().filters().len() > outside.len();
        let waiting = Waiting { prepared, plan: plan.clone() };
        let own = match options.begins {
            Begins::AtOnce => Own::Running(Box::new(waiting.begin(&shared, options.run)?)),
            Begins::WhenAllHaveJoined => Own::Waiting(Box::new(waiting)),
        };
        let closes = Closes(shared.clone());
        Ok(Self { objects, filter, shared, own, runs_filters, options, closes })
    }

    /// A handle of the graph, for another process: to be inherited, or sent over a socket, and connected by
    /// [`Client::inherited`](crate::Client::inherited) or [`Client::of`](crate::Client::of). Who has it comes in as one who
    /// opened the path: who it is the kernel says when it joins. Each process that distrusts the others should have a handle
    /// of its own.
    ///
    /// # Errors
    /// This process has no descriptor left.
    pub fn open(&mut self) -> io::Result<OwnedHandle> {
        self.objects.open(self.filter.try_clone()?)
    }

    /// Lets a user come in, besides this process's own user and root, where the socket's mode lets it. Its processes are
    /// mediated, unless [`trust_user`](Self::trust_user) names it, too.
    pub fn allow_user(&mut self, user: u32) {
        self.objects.allow_user(user);
        lock(&self.shared.state).allow(user);
    }

    /// Lets a user's processes join: they map the pools' control words, and could damage frames of all others. With
    /// [`Trust::Nobody`] they are mediated, as others.
    pub fn trust_user(&mut self, user: u32) {
        self.objects.allow_user(user);
        lock(&self.shared.state).trust(user);
    }

    /// What looks at it and stops it.
    pub fn control(&self) -> ServerControl {
        ServerControl(self.shared.clone())
    }

    /// Works until the graph has ended: the server's own filters have, and no process has part in it. Where all filters are
    /// outside, every one has been joined and left. The report is of the server's own filters. Frames that other processes
    /// have stay readable to them.
    ///
    /// # Errors
    /// The system cannot wait, or the server's own filters, which waited until all had joined, do not start.
    pub fn run(self) -> Result<Report, ServeError> {
        let Self { mut objects, filter, shared, mut own, runs_filters, options, closes } = self;
        let mut looked = Instant::now();
        let running = loop {
            own = match own {
                Own::Running(running) if is_over(&lock(&shared.state), &running, runs_filters) => break running,
                Own::Waiting(waiting) if lock(&shared.state).shall_begin() => {
                    Own::Running(Box::new(waiting.begin(&shared, options.run)?))
                }
                own => own,
            };
            let left = options.look_every.saturating_sub(looked.elapsed());
            let somebody_died = Self::wait(&objects, &shared, left).map_err(ServeError::Wait)?;
            // A tenth of a millisecond, and a request: who floods waits for others, and looks are made in time.
            objects.turn(Some(Duration::ZERO)).map_err(ServeError::Wait)?;
            let mut state = lock(&shared.state);
            if somebody_died {
                state.recover_the_dead();
            }
            if looked.elapsed() >= options.look_every {
                looked = Instant::now();
                state.look(looked);
                state.end_if_stalled();
            }
        };
        drop(closes);
        drop(objects);
        drop(filter);
        Ok(running.wait())
    }

    /// Waits for a client, for a process's end, for somebody who asks to stop, or for the time. Whether a process has ended.
    fn wait(objects: &ksobject::Server, shared: &Shared, timeout: Duration) -> io::Result<bool> {
        // Not less than it is.
        let nanoseconds = i64::from(timeout.subsec_nanos());
        let timeout = Timespec { tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX), tv_nsec: nanoseconds };
        let (pidfds, awaited) = {
            let state = lock(&shared.state);
            (state.pidfds(), state.awaited())
        };
        let mut polled = vec![PollFd::new(objects, PollFlags::IN), PollFd::new(&shared.asked, PollFlags::IN)];
        polled.extend(awaited.iter().map(|event| PollFd::new(event.as_ref(), PollFlags::IN)));
        polled.extend(pidfds.iter().map(|pidfd| PollFd::new(pidfd.as_ref(), PollFlags::IN)));
        match poll(&mut polled, Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let is_ready = |polled: &PollFd<'_>| !polled.revents().is_empty();
        let has_come = polled.iter().skip(2).zip(&awaited).filter(|(polled, _)| is_ready(polled));
        has_come.for_each(|(_, event)| lock(&shared.state).has_come(event));
        let _ = rustix::io::read(&shared.asked, &mut [0; 8]);
        Ok(polled.iter().skip(2 + awaited.len()).any(is_ready))
    }
}

/// The graph has ended, or shall not be waited for.
fn is_over(state: &State, running: &Running, runs_filters: bool) -> bool {
    let ends = runs_filters || state.times_asked() > 0 || state.all_left();
    state.times_asked() > 1 || (state.nobody_is_there() && ends && running.is_finished())
}

impl Waiting {
    /// The graph begins, here and elsewhere.
    fn begin(self, shared: &Shared, options: RunOptions) -> Result<Running, RunError> {
        let mut state = lock(&shared.state);
        let pools: Vec<_> = state.pools().map(|(id, pool)| (id, trusted(pool.participant().clone()))).collect();
        let part = Part { sharing: state.sharing(), process: Process::Server, pools: &pools };
        let running = self.prepared.start_part(&self.plan, options, part)?;
        state.begun(&running);
        Ok(running)
    }
}

#[allow(unsafe_code)]
fn trusted(participant: Participant) -> TrustedPool {
    // SAFETY: descriptors through which frames can be written go only to processes of users that are trusted to keep to the
    // protocol, this process's own, root's and whom the caller of `trust_user` answers for; to pins that only read go others.
    // A holder is recovered when its process has ended, or said that it has dropped all it had.
    unsafe { TrustedPool::new(participant) }
}

/// What is answered where the system gives this process nothing more.
fn none_left(error: io::Error) -> NtStatus {
    match Errno::from_io_error(&error) {
        Some(Errno::MFILE | Errno::NFILE) => NtStatus::STATUS_TOO_MANY_OPENED_FILES,
        _ => NtStatus::STATUS_INSUFFICIENT_RESOURCES,
    }
}
