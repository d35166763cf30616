//! Commands that run beside each other: started, waited for by what they say, interrupted, killed.

use crate::ground::Ground;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

/// Longer than anything takes that is going to happen.
const LONG: Duration = Duration::from_secs(120);

/// A command that runs. Dropped, it is killed.
pub(super) struct Program {
    child: Child,
    lines: Receiver<String>,
    said: String,
}

impl Program {
    pub(super) fn start(ground: &Ground, arguments: &[&str]) -> Self {
        Self::start_with(ground, arguments, Stdio::null())
    }

    /// With this standard output.
    pub(super) fn start_with(ground: &Ground, arguments: &[&str], output: Stdio) -> Self {
        // Where a shell runs the tests in its background, they ignore Ctrl-C, and so would what they start.
        let mut child = Command::new("env")
            .args(["--default-signal=INT", env!("CARGO_BIN_EXE_kspipe")])
            .args(arguments)
            .current_dir(ground.path(""))
            .env("NO_COLOR", "1")
            // What one that is killed leaves behind goes with the ground.
            .env("TMPDIR", ground.path(""))
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command can be run");
        let error = BufReader::new(child.stderr.take().expect("it is piped"));
        let (sender, lines) = channel();
        std::thread::spawn(move || error.lines().map_while(Result::ok).all(|line| sender.send(line).is_ok()));
        Self { child, lines, said: String::new() }
    }

    /// Waits for a line of standard error that has this in it, and gives the line.
    pub(super) fn wait_for(&mut self, needed: &str) -> String {
        loop {
            match self.lines.recv_timeout(LONG) {
                Ok(line) => {
                    self.said += &(line.clone() + "\n");
                    if line.contains(needed) {
                        return line;
                    }
                }
                Err(_) => panic!("it did not say `{needed}`, but\n{}", self.said),
            }
        }
    }

    /// Waits for the number of the process in which a filter runs.
    pub(super) fn wait_for_process(&mut self, filter: &str) -> Process {
        let line = self.wait_for(&format!("`{filter}` runs in process "));
        let number = line.rsplit(' ').next().and_then(|number| number.parse().ok()).and_then(Pid::from_raw);
        Process::open(number.expect("a number"))
    }

    pub(super) fn process(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn output(&mut self) -> std::process::ChildStdout {
        self.child.stdout.take().expect("it is piped, and was not taken")
    }

    /// Ctrl-C, or what it does.
    pub(super) fn interrupt(&mut self) {
        self.signal(Signal::INT);
    }

    fn signal(&mut self, signal: Signal) {
        let process = Pid::from_raw(self.child.id() as i32).expect("a number");
        kill_process(process, signal).expect("it was not waited for yet");
    }

    /// Waits until the server at a socket has handed out a frame.
    pub(super) fn wait_until_frames_flow(&mut self, ground: &Ground, socket: &str) {
        self.wait_for_status(ground, socket, |status| {
            let holders = status["pipes"].as_array().into_iter().flatten().flat_map(|pipe| pipe["holders"].as_array());
            let mut taken =
                holders.flatten().filter(|holder| holder["filter"].is_string()).map(|it| it["taken"].as_u64());
            taken.any(|taken| taken > Some(0))
        });
    }

    /// Waits until the server tells that something has happened.
    pub(super) fn wait_for_event(&mut self, ground: &Ground, socket: &str, what: &str) {
        self.wait_for_status(ground, socket, |status| {
            status["events"].as_array().into_iter().flatten().any(|event| event["what"] == what)
        });
    }

    /// Waits until the server's status is like this.
    pub(super) fn wait_for_status(&mut self, ground: &Ground, socket: &str, fits: impl Fn(&serde_json::Value) -> bool) {
        // Each look takes a process, and so some time.
        for _ in 0..10_000 {
            let (status, _) = ground.run(&["status", socket, "--format", "json"], 0);
            if fits(&serde_json::from_str(&status).expect("it is JSON")) {
                return;
            }
        }
        panic!("it did not come to that");
    }

    pub(super) fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it has ended");
    }

    /// Waits for its end, which a signal is.
    pub(super) fn end_by_signal(mut self) {
        use std::os::unix::process::ExitStatusExt;
        let ended = self.child.wait().expect("it ends");
        assert_eq!(ended.signal(), Some(Signal::INT.as_raw()), "{ended}\n{}", self.said);
    }

    /// Waits for its end with this exit code, and gives all it said.
    pub(super) fn end(self, code: i32) -> String {
        self.end_with_one_of(&[code])
    }

    /// Waits for its end with one of these exit codes, and gives all it said.
    pub(super) fn end_with_one_of(mut self, codes: &[i32]) -> String {
        loop {
            match self.lines.recv_timeout(LONG) {
                Ok(line) => self.said += &(line + "\n"),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end, and said\n{}", self.said),
            }
        }
        let ended = self.child.wait().expect("it ends");
        assert!(ended.code().is_some_and(|code| codes.contains(&code)), "{ended}\n{}", self.said);
        std::mem::take(&mut self.said)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A process that another one started.
pub(super) struct Process(OwnedFd);

impl Process {
    fn open(number: Pid) -> Self {
        Self(pidfd_open(number, PidfdFlags::empty()).expect("it lives"))
    }

    pub(super) fn kill(&self) {
        rustix::process::pidfd_send_signal(&self.0, Signal::KILL).expect("it lives");
    }

    /// Asks it to end.
    pub(super) fn terminate(&self) {
        rustix::process::pidfd_send_signal(&self.0, Signal::TERM).expect("it lives");
    }

    /// Waits for its end.
    pub(super) fn wait(&self) {
        let timeout = Timespec { tv_sec: LONG.as_secs() as i64, tv_nsec: 0 };
        let ended = poll(&mut [PollFd::new(&self.0, PollFlags::IN)], Some(&timeout)).expect("it can be waited for");
        assert_eq!(ended, 1, "the process is left behind");
    }
}
