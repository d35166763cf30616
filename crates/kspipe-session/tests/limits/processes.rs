//! What this program does where it is started as one of a graph's processes. Each says in lines what happens, and reads a
//! line where it waits for the test.

use crate::graphs;
use kspipe::stream::RunOptions;
use kspipe_session::{Client, ServerOptions};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

/// Does what the arguments ask of one of a graph's processes. `false`: they ask nothing such.
pub(crate) fn run(arguments: &[String]) -> bool {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["process", "attach", path, filter] => attach(path, filter),
        ["process", "read-with", path, pin, spare] => read_with(path, pin, spare.parse().unwrap()),
        ["process", "serve-with", path, spare] => serve_with(path, spare.parse().unwrap()),
        _ => return false,
    }
    true
}

/// Runs a filter.
fn attach(path: &str, filter: &str) {
    let joined = Client::connect(path).unwrap().filter(filter).unwrap();
    say("joined");
    let report = joined.start(RunOptions::default()).unwrap().wait();
    say(&format!("end {:?} {:?}", report.outcome, report.errors));
}

/// From now on this process opens nothing with this number, or a higher one.
fn open_only_below(number: u64) {
    let limits = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(number), ..limits }).unwrap();
}

/// Takes a frame by a pin, where so many descriptors can be open; says what hinders it, and lives on.
fn read_with(path: &str, pin: &str, open: u64) {
    open_only_below(open);
    let connected = Client::connect(path);
    let frame = connected.and_then(|client| client.pin(pin)?.frames()).map(|mut frames| frames.next());
    match frame {
        Ok(frame) => say(&format!("got {}", frame.unwrap().unwrap().data().len())),
        Err(error) => say(&format!("error {error}")),
    }
    wait();
}

/// Serves the graph with three branches, with room for so many descriptors more than its pools take, until it is killed.
fn serve_with(path: &str, spare: u64) {
    let server = graphs::serve(Path::new(path), &graphs::fork(), &["x", "z"], ServerOptions::default()).unwrap();
    // The lowest is taken first.
    let next = std::fs::File::open("/dev/null").unwrap();
    open_only_below(std::os::fd::AsRawFd::as_raw_fd(&next) as u64 + spare);
    drop(next);
    say("serving");
    server.run().unwrap();
}

fn say(line: &str) {
    println!("{line}");
    std::io::stdout().flush().unwrap();
}

fn wait() {
    std::io::stdin().read_line(&mut String::new()).unwrap();
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

    /// Sends it the signal that kills, and waits for nothing.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
    }

    /// Waits until it has died.
    pub(crate) fn is_dead(&mut self) {
        self.child.wait().unwrap();
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
