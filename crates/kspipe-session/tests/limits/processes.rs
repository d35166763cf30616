//! What this program does where it is started as one of a graph's processes. Each says in lines what happens, and reads a
//! line where it waits for the test.

use crate::graphs;
use kspipe::stream::RunOptions;
use kspipe_session::{Client, ServerOptions, Trust};
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
        ["process", "read-on", path, pin] => read_on(path, pin),
        ["process", "serve-with", path, trust, spare] => serve_with(path, trust, spare.parse().unwrap()),
        ["process", "attach-all", path, by, filters @ ..] => attach_all(path, by, filters),
        ["process", "open-many", path] => open_many(path),
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

/// Takes frames by a pin, all that come, until it is told to go on; then a few more.
fn read_on(path: &str, pin: &str) {
    let mut frames = Client::connect(path).unwrap().pin(pin).unwrap().frames().unwrap();
    let told = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let tell = told.clone();
    std::thread::spawn(move || {
        wait();
        tell.store(true, std::sync::atomic::Ordering::SeqCst);
    });
    let mut is_first = true;
    while !told.load(std::sync::atomic::Ordering::SeqCst) {
        assert!(!frames.next().unwrap().unwrap().data().is_empty());
        if std::mem::take(&mut is_first) {
            say("first");
        }
    }
    for frame in frames.by_ref().take(50) {
        assert!(!frame.unwrap().data().is_empty());
    }
    say("more");
}

/// Serves the graph with three branches until it is killed. From when it is told on it has room for so many descriptors
/// more than it uses.
fn serve_with(path: &str, trust: &str, spare: u64) {
    let trust = if trust == "trusts" { Trust::OwnUser } else { Trust::Nobody };
    let options = ServerOptions { trust, ..ServerOptions::default() };
    let server = graphs::serve(Path::new(path), &graphs::fork(), &["x", "z"], options).unwrap();
    let serves = std::thread::spawn(move || server.run());
    say("serving");
    wait();
    fill_up(spare);
    say("limited");
    serves.join().unwrap().unwrap();
}

/// From now on this process can open so many descriptors more: those it has closed among the open ones are opened again,
/// and stay so.
fn fill_up(spare: u64) {
    let open = std::fs::read_dir("/proc/self/fd").unwrap();
    let numbers = open.map(|entry| entry.unwrap().file_name().to_str().unwrap().parse::<u64>().unwrap());
    let highest = numbers.max().unwrap();
    loop {
        // The lowest is taken first.
        let next = std::fs::File::open("/dev/null").unwrap();
        let number = std::os::fd::AsRawFd::as_raw_fd(&next) as u64;
        if number > highest {
            return open_only_below(number + spare);
        }
        std::mem::forget(next);
    }
}

/// As many descriptors as this process may have at all.
fn open_many_files() {
    let limits = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limits.maximum, ..limits }).unwrap();
}

/// Runs all these filters, each joined by a client of its own, or all by one.
fn attach_all(path: &str, by: &str, filters: &[&str]) {
    open_many_files();
    let one = Client::connect(path).unwrap();
    let clients: Vec<Client> = match by {
        "one" => filters.iter().map(|_| one.clone()).collect(),
        _ => filters.iter().map(|_| Client::connect(path).unwrap()).collect(),
    };
    let joined: Vec<_> = clients.iter().zip(filters).map(|(client, filter)| client.filter(filter).unwrap()).collect();
    say(&format!("joined {}", joined.len()));
    // The begin is waited for by each.
    let started: Vec<_> = joined.into_iter().map(|joined| joined.start(RunOptions::default()).unwrap()).collect();
    for running in started {
        let report = running.wait();
        assert!(report.errors.is_empty(), "{:?}", report.errors);
    }
    say("end");
}

/// Opens the graph until the server will have no more, and keeps what it has. Says how often that was, and why no more.
fn open_many(path: &str) {
    open_many_files();
    let mut clients = Vec::new();
    let refused = loop {
        match Client::connect(path) {
            Ok(client) => clients.push(client),
            Err(error) => break error,
        }
    };
    say(&format!("{} {refused}", clients.len()));
    wait();
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
