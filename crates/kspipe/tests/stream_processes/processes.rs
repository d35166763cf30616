//! Starting processes for parts of a graph, and what they say at their end.

use crate::descriptors::{receive, send};
use crate::graphs::{self, Shared, filter};
use crate::stream_support::plan;
use kspipe::allocator::shared::{Access, Participant, SharedPool, TrustedPool};
use kspipe::graph::FilterId;
use kspipe::negotiate::{PipeId, Plan};
use kspipe::stream::{Outcome, Part, Prepared, Process, Report, RunOptions, Running, Sharing, prepare};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use std::collections::BTreeMap;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};

/// The first argument of this program where it runs a part of a graph.
pub(crate) const PART: &str = "run-part";

/// What every sink got: frames and digest.
type Sinks = BTreeMap<String, (u64, String)>;

fn sinks(report: &Report) -> Sinks {
    let sinks = report.filters.iter().filter_map(|filter| Some((filter, filter.digest.clone()?)));
    sinks.map(|(filter, digest)| (filter.name.clone(), (filter.frames_in, digest))).collect()
}

fn prepared(shared: &Shared) -> (Prepared, Plan, Sharing) {
    let prepared = prepare(shared.graph()).unwrap();
    let plan = plan(prepared.graph(), shared.frames, shared.bridges, &[]);
    let sharing = prepared.sharing(&plan, &shared.outside()).unwrap();
    (prepared, plan, sharing)
}

fn trusted(participant: Participant) -> TrustedPool {
    // SAFETY: all who get the descriptors are this program, which touches frames by the engine only; and nobody recovers a
    // holder before its process has ended.
    unsafe { TrustedPool::new(participant) }
}

/// The process of one filter: standard input is the socket to the server.
pub(crate) fn run_part(graph: &str, name: &str) {
    let shared = graphs::by_name(graph);
    let (prepared, plan, sharing) = prepared(&shared);
    let process = Process::Of(filter(prepared.graph(), name));
    let mut pools = Vec::new();
    let wanted = sharing.pipes().filter(|(_, pipe)| pipe.holders_of(process).next().is_some()).count();
    while pools.len() < wanted {
        let (pipe, descriptors) = receive(std::io::stdin()).expect("the server sends every pool");
        pools.push((pipe, trusted(Participant::open(descriptors, Access::Write).unwrap())));
    }
    let participants: Vec<Participant> = pools.iter().map(|(_, pool)| pool.participant().clone()).collect();
    std::thread::spawn(move || {
        // Nothing more is sent: the other side goes.
        while receive(std::io::stdin()).is_some() {}
        participants.iter().for_each(Participant::server_gone);
    });
    let part = Part { sharing: &sharing, process, pools: &pools };
    let report = prepared.start_part(&plan, RunOptions::default(), part).unwrap().wait();
    assert!(report.all_frames_home(), "{report:#?}");
    println!("{:?}", report.outcome);
    for error in &report.errors {
        println!("error {}", error.message);
    }
    for (name, (frames, digest)) in sinks(&report) {
        println!("sink {name} {frames} {digest}");
    }
}

/// A process for a filter, and the way to it.
struct Outside {
    filter: FilterId,
    child: Child,
    socket: OwnedFd,
}

/// What a process said at its end.
struct Said {
    outcome: String,
    errors: Vec<String>,
    sinks: Sinks,
}

/// A server with its part of a graph, and the other processes.
struct Session {
    sharing: Sharing,
    pools: Vec<(PipeId, SharedPool)>,
    running: Running,
    outside: Vec<Outside>,
}

impl Session {
    fn start(shared: &Shared) -> Self {
        let (prepared, plan, sharing) = prepared(shared);
        let mut pools = Vec::new();
        for (id, pipe) in sharing.pipes() {
            let mut pool = SharedPool::create(pipe.properties().clone()).unwrap();
            pipe.holders().for_each(|(holder, _, _)| pool.admit(holder).unwrap());
            pools.push((id, pool));
        }
        let mut outside = Vec::new();
        for filter in shared.outside() {
            let (socket, theirs) =
                socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
            let name = prepared.graph().filter(filter).name();
            let mut command = Command::new(std::env::current_exe().unwrap());
            command.args([PART, shared.name, name]).stdin(theirs).stdout(Stdio::piped());
            let child = command.spawn().unwrap();
            for (id, pool) in &pools {
                let pipe = sharing.pipe_of(*id).unwrap();
                if pipe.holders_of(Process::Of(filter)).next().is_some() {
                    send(&socket, *id, &pool.descriptors().unwrap());
                }
            }
            outside.push(Outside { filter, child, socket });
        }
        let own: Vec<_> = pools.iter().map(|(id, pool)| (*id, trusted(pool.participant().clone()))).collect();
        let part = Part { sharing: &sharing, process: Process::Server, pools: &own };
        let running = prepared.start_part(&plan, RunOptions::default(), part).unwrap();
        Session { sharing, pools, running, outside }
    }

    /// Waits for every process, and audits the frames.
    fn finish(self) -> (Report, Vec<Said>) {
        let Session { sharing, mut pools, running, outside } = self;
        let report = running.wait();
        assert!(report.all_frames_home(), "{report:#?}");
        let said = outside.into_iter().map(Outside::finish).collect();
        for (id, pool) in &mut pools {
            let pipe = sharing.pipe_of(*id).unwrap();
            for process in sharing.processes() {
                let left = pool.recover(&pipe.holders_of(process).collect::<Vec<_>>());
                assert_eq!((left.claims, left.arrived), (0, 0), "pipe {}: {process:?} left frames", id.0);
            }
            let ledger = pool.ledger(std::time::Instant::now());
            assert_eq!(ledger.free, ledger.frames, "pipe {}: {ledger:#?}", id.0);
        }
        (report, said)
    }
}

impl Outside {
    fn finish(mut self) -> Said {
        let mut text = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}: {text}");
        drop(self.socket);
        let mut said = Said { outcome: String::new(), errors: Vec::new(), sinks: Sinks::new() };
        for line in text.lines() {
            match line.split(' ').collect::<Vec<_>>().as_slice() {
                ["sink", name, frames, digest] => {
                    said.sinks.insert((*name).to_owned(), (frames.parse().unwrap(), (*digest).to_owned()));
                }
                ["error", message @ ..] => said.errors.push(message.join(" ")),
                _ => said.outcome.push_str(line),
            }
        }
        said
    }
}

pub(crate) fn same_as_in_one_process(shared: &Shared) {
    let prepared = prepare(shared.graph()).unwrap();
    let plan = plan(prepared.graph(), shared.frames, shared.bridges, &[]);
    let alone = prepared.start(&plan, RunOptions::default()).unwrap().wait();
    let expected = sinks(&alone);
    assert!(expected.values().all(|(frames, _)| *frames == 300), "{expected:?}");

    let (report, said) = Session::start(shared).finish();
    assert_eq!(report.outcome, Outcome::Finished, "{report:#?}");
    let mut found = sinks(&report);
    for said in said {
        assert_eq!(said.outcome, "Finished", "{:?}", said.errors);
        found.extend(said.sinks);
    }
    assert_eq!(found, expected);
}

/// Waits, without a clock, until so many frames have come to the sinks of the server.
fn until_delivered(running: &Running, frames: u64) {
    while running.progress().sinks.iter().any(|sink| sink.frames < frames) {
        std::thread::yield_now();
    }
}

pub(crate) fn stopped() {
    let session = Session::start(&graphs::ENDLESS);
    until_delivered(&session.running, 50);
    session.running.stop_handle().stop();
    let (report, said) = session.finish();
    assert_eq!(report.outcome, Outcome::Stopped, "{report:#?}");
    // What was on its way is delivered in the other process, too, and the end after it.
    assert_eq!(said[0].outcome, "Finished", "{:?}", said[0].errors);
    assert_eq!(said[0].sinks["x"], sinks(&report)["y"]);
}

pub(crate) fn one_fails() {
    let (report, said) = Session::start(&graphs::BROKEN).finish();
    assert_eq!(said[0].outcome, "Failed");
    assert!(said[0].errors.iter().any(|error| error.contains("/dev/full")), "{:?}", said[0].errors);
    assert_eq!(report.outcome, Outcome::Finished, "{report:#?}");
    assert_eq!(sinks(&report)["y"].0, 300);
}

pub(crate) fn one_is_killed() {
    let mut session = Session::start(&graphs::ENDLESS);
    until_delivered(&session.running, 50);
    let mut dead = session.outside.remove(0);
    dead.child.kill().unwrap();
    dead.child.wait().unwrap();
    for (id, pool) in &mut session.pools {
        let pipe = session.sharing.pipe_of(*id).unwrap();
        pool.recover(&pipe.holders_of(Process::Of(dead.filter)).collect::<Vec<_>>());
    }
    // Its frames are home, or these would not come.
    let now = session.running.progress().sinks[0].frames;
    until_delivered(&session.running, now + 50);
    session.running.stop_handle().stop();
    let (report, _) = session.finish();
    assert_eq!(report.outcome, Outcome::Stopped, "{report:#?}");
}

pub(crate) fn server_gone() {
    let mut session = Session::start(&graphs::ENDLESS);
    until_delivered(&session.running, 50);
    let Outside { mut child, socket, .. } = session.outside.remove(0);
    // As its end looks to the others: the socket hangs up, and nothing more comes.
    drop(socket);
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(child.wait().unwrap().success(), "{text}");
    assert!(text.contains("has ended"), "{text}");
    session.running.stop_handle().stop();
    session.finish();
}
