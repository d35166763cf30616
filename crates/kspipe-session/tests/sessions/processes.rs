//! What this program does where it is started as one of a graph's processes. Each says in lines what happens, and reads a
//! line where it waits for the test.

use crate::session::Session;
use crate::{attempts, graphs};
use kspipe::stream::RunOptions;
use kspipe_session::{Client, ServerOptions, StreamError, WritableFrame, WriteError, Writer};
use md5::{Digest, Md5};
use rustix::event::{PollFd, PollFlags, poll};
use std::io::{BufRead, BufReader, Write};
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

/// Does what the arguments ask of one of a graph's processes. `false`: they ask nothing such.
pub(crate) fn run(arguments: &[String]) -> bool {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["process", "read", path, pin] => read(path, pin),
        ["process", "keep", path, pin] => keep(path, pin, || {}),
        ["process", "hang-up", path, pin] => keep(path, pin, close_sockets),
        ["process", "leave-child", path, pin] => keep(path, pin, start_heir),
        ["process", "wait"] => wait(),
        ["process", "as-nobody", path, pin] => as_nobody(path, pin),
        ["process", "write", path, pin, frames] => {
            write(path, pin, frames.parse().unwrap(), |writer| writer.acquire(None))
        }
        ["process", "write-polling", path, pin, frames] => write(path, pin, frames.parse().unwrap(), polled),
        ["process", "attach", path, filter] => attach(path, filter),
        ["process", "pass", path, filter] => pass(path, filter),
        ["process", "invert", path, filter] => invert(path, filter),
        ["process", "at-point", path, point] => {
            let _pins = crate::hostile::at_point(path, point.parse().unwrap());
            say("done");
            wait();
        }
        ["process", "join", path, pin] => join(path, pin),
        ["process", "flood", path, user] => flood(path, user.parse().unwrap()),
        ["process", "try-everything", path, server] => attempts::try_everything(path, server.parse().unwrap()),
        ["process", "serve", path] => serve(path),
        _ => return false,
    }
    true
}

/// Takes every frame, and says how many there were, and their digest.
fn read(path: &str, pin: &str) {
    let mut digest = Md5::new();
    let (mut frames, mut last) = (0u64, None);
    let all = Client::connect(path).unwrap().pin(pin).unwrap().frames().unwrap();
    say("joined");
    for frame in all {
        let frame = match frame {
            Ok(frame) => frame,
            Err(error) => return say(&format!("error {error}")),
        };
        let sequence = frame.header().sequence;
        assert!(last.is_none_or(|last| sequence > last), "{sequence} after {last:?}");
        last = Some(sequence);
        digest.update(frame.data());
        frames += 1;
        if frames == 1 {
            say("first");
        }
    }
    say(&format!("end {frames} {}", hex(digest)));
}

/// A digest as text.
pub(crate) fn hex(digest: Md5) -> String {
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Keeps two frames until a line comes; then says why there are no more, and whether the two are still readable. Those that
/// come meanwhile are left in the ring.
fn keep(path: &str, pin: &str, then: impl FnOnce()) {
    let mut frames = Client::connect(path).unwrap().pin(pin).unwrap().frames().unwrap();
    let kept = [frames.next().unwrap().unwrap(), frames.next().unwrap().unwrap()];
    let before = kept.each_ref().map(|frame| frame.data().to_vec());
    then();
    say("kept");
    wait();
    let error = loop {
        match frames.next() {
            Some(Ok(_)) => {}
            Some(Err(error)) => break error,
            None => break StreamError::Ended,
        }
    };
    assert_eq!(kept.each_ref().map(|frame| frame.data().to_vec()), before, "what is kept stays as it is");
    drop(kept);
    drop(frames);
    say(&format!("error {error}"));
}

/// Looks at a graph as another user, and takes a frame where that is allowed.
fn as_nobody(path: &str, pin: &str) {
    let nobody = rustix::process::Uid::from_raw(65534);
    // Of this thread, the only one yet.
    rustix::thread::set_thread_res_uid(nobody, nobody, nobody).unwrap();
    let client = match Client::connect(path) {
        Ok(client) => client,
        Err(error) => return say(&format!("error {error}")),
    };
    assert!(client.status().unwrap().contains("\"version\":1"));
    let joined = client.filter(pin.split('.').next().unwrap());
    let is_mediated = joined.as_ref().is_ok_and(kspipe_session::JoinedFilter::is_mediated);
    match joined.and_then(|joined| joined.frames(pin)) {
        Ok(mut frames) => {
            let length = frames.next().unwrap().unwrap().data().len();
            say(&format!("got {length}, mediated {is_mediated}"));
        }
        Err(error) => say(&format!("looks, error {error}")),
    }
}

/// The numbers of this process's sockets.
fn sockets() -> Vec<i32> {
    std::fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|number| {
            let link = std::fs::read_link(format!("/proc/self/fd/{number}"));
            link.is_ok_and(|link| link.to_string_lossy().starts_with("socket:"))
        })
        .collect()
}

#[expect(clippy::zombie_processes, reason = "it outlives this process, which is killed")]
/// Starts a process that has all sockets of this one, and outlives it.
fn start_heir() {
    for number in sockets() {
        // SAFETY: it is open: nobody closes anything meanwhile.
        rustix::io::fcntl_setfd(unsafe { BorrowedFd::borrow_raw(number) }, rustix::io::FdFlags::empty()).unwrap();
    }
    // It ends with the test, which has the other end of standard input.
    Command::new(std::env::current_exe().unwrap()).args(["process", "wait"]).stdout(Stdio::null()).spawn().unwrap();
}

/// Closes every socket of this process, whoever has it: as one that hangs up, and keeps what it has mapped.
fn close_sockets() {
    for number in sockets() {
        // SAFETY: it is open: nobody closes anything meanwhile. One that a thread polls ends for the other side by this alone.
        let _ = rustix::net::shutdown(unsafe { BorrowedFd::borrow_raw(number) }, rustix::net::Shutdown::Both);
        // SAFETY: nobody in this process opens anything until it ends, so a number that is used after this names nothing.
        unsafe { rustix::io::close(number) }
    }
}

/// Fills frames until there were so many, or the server asks to end: the first with zeros, the next with ones.
fn write(
    path: &str,
    pin: &str,
    frames: u64,
    mut acquire: impl FnMut(&mut Writer) -> Result<WritableFrame, WriteError>,
) {
    let mut writer = Client::connect(path).unwrap().pin(pin).unwrap().writer().unwrap();
    let mut written = 0;
    while written < frames {
        let mut frame = match acquire(&mut writer) {
            Ok(frame) => frame,
            Err(WriteError::Stopping) => break,
            Err(error) => return say(&format!("error {error}")),
        };
        frame.bytes_mut().fill(written as u8);
        writer.send(frame).unwrap();
        written += 1;
    }
    writer.end();
    say(&format!("end {written}"));
}

/// Polls for a frame.
fn polled(writer: &mut Writer) -> Result<WritableFrame, WriteError> {
    loop {
        match writer.try_acquire()? {
            Some(frame) => return Ok(frame),
            None if writer.arm() => drop(poll(&mut [PollFd::new(&*writer, PollFlags::IN)], None).unwrap()),
            None => {}
        }
    }
}

/// Runs a filter.
fn attach(path: &str, filter: &str) {
    let joined = Client::connect(path).unwrap().filter(filter).unwrap();
    say("joined");
    let attached = joined.start(RunOptions::default()).unwrap();
    let report = attached.wait();
    for error in &report.errors {
        say(&format!("error {}", error.message));
    }
    let digest = report.filter(filter).and_then(|filter| filter.digest.clone()).unwrap_or_default();
    say(&format!("end {:?} {digest}", report.outcome));
}

/// Changes every frame in place, and hands it on.
fn invert(path: &str, filter: &str) {
    let joined = Client::connect(path).unwrap().filter(filter).unwrap();
    let (frames, mut writer) = (joined.frames("in").unwrap(), joined.writer(&format!("{filter}.out")).unwrap());
    assert_eq!(writer.acquire(None).map(drop), Err(WriteError::HandsOn));
    for frame in frames {
        let mut frame = frame.unwrap();
        let length = frame.data().len();
        frame.exclusive().expect("it is this process's alone")[..length].iter_mut().for_each(|byte| *byte = !*byte);
        writer.hand_on(frame).unwrap();
    }
    writer.end();
    say("end");
}

/// Hands on every frame.
fn pass(path: &str, filter: &str) {
    let joined = Client::connect(path).unwrap().filter(filter).unwrap();
    let (frames, mut writer) = (joined.frames("in").unwrap(), joined.writer("out").unwrap());
    assert_eq!(writer.acquire(None).map(drop), Err(WriteError::HandsOn));
    for frame in frames {
        writer.hand_on(frame.unwrap()).unwrap();
    }
    writer.end();
    say("end");
}

/// Joins to write, and leaves without a word when it is told.
fn join(path: &str, pin: &str) {
    let writer = Client::connect(path).unwrap().pin(pin).unwrap().writer().unwrap();
    say("joined");
    wait();
    drop(writer);
    say("left");
    wait();
}

/// Asks without end, as a user of this number, by as many connections as it may have.
fn flood(path: &str, user: u32) {
    let user = rustix::process::Uid::from_raw(user);
    rustix::thread::set_thread_res_uid(user, user, user).unwrap();
    let clients: Vec<Client> = std::iter::from_fn(|| Client::connect(path).ok()).collect();
    assert!(clients.len() > 20, "{}", clients.len());
    say("flooding");
    std::thread::scope(|scope| {
        for client in &clients {
            scope.spawn(move || while client.status().is_ok() {});
        }
    });
}

/// Serves the graph with two branches, until it is killed.
fn serve(path: &str) {
    let server = graphs::serve(Path::new(path), &graphs::fork(None), &["x"], ServerOptions::default()).unwrap();
    say("serving");
    server.run().unwrap();
}

pub(crate) fn say(line: &str) {
    println!("{line}");
    std::io::stdout().flush().unwrap();
}

fn wait() {
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

impl Session {
    /// One of the graph's processes.
    pub(crate) fn process(&self, what: &str, rest: &[&str]) -> Process {
        Process::start(what, &self.path(), rest)
    }
}

/// A process that was started. Dropped, it is killed.
pub(crate) struct Process {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Process {
    pub(crate) fn start(what: &str, path: &Path, rest: &[&str]) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["process", what]).arg(path).args(rest).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// What it says next; nothing where it has ended.
    pub(crate) fn says(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Lets it go on.
    pub(crate) fn go_on(&mut self) {
        self.child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }

    /// Kills it, and does not wait for the server to hear of it.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Stops it, as `SIGSTOP` does.
    pub(crate) fn stop(&self) {
        let number = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(number, rustix::process::Signal::STOP).unwrap();
    }

    /// Waits for its end, which is a good one.
    pub(crate) fn ends(&mut self) {
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
