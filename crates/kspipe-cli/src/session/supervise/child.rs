//! One filter's process.

use super::{Happening, line};
use crate::arguments::RunArguments;
use kspipe::graph::{Filter, Restart};
use kspipe::stream::Report;
use kspipe_session::OwnedHandle;
use nix::sys::signal::Signal;
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::io::{FdFlags, fcntl_setfd};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{ChildStderr, Command, Stdio};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

/// A process that dies as often as this within [`SHORT`] is not started again.
const DEATHS: usize = 5;
const SHORT: Duration = Duration::from_secs(10);
/// A longer line is shown as several.
const LONGEST_LINE: u64 = 4096;

/// How a process ended.
pub(super) enum End {
    /// It told what its filter did.
    Report(Box<Report>),
    /// It told nothing.
    Code(i32),
    /// By a signal's name.
    Killed(String),
}

/// A filter's process, to be started, and perhaps again.
pub(super) struct Child {
    pub(super) filter: String,
    restart: Restart,
    reads_standard_input: bool,
    arguments: Vec<OsString>,
    /// The graph, for this process alone.
    handle: OwnedHandle,
    /// What it did: a file that has no name anywhere.
    report: File,
    process: Option<std::process::Child>,
    was_killed: bool,
    deaths: Vec<Instant>,
}

impl Child {
    /// The process that will run a filter of the graph behind this handle.
    ///
    /// # Errors
    /// This process has no descriptor left.
    pub(super) fn new(run: &RunArguments, filter: &Filter, handle: OwnedHandle) -> io::Result<Self> {
        let report = File::from(memfd_create(c"kspipe report", MemfdFlags::CLOEXEC)?);
        let number = |descriptor: BorrowedFd<'_>| OsString::from(descriptor.as_raw_fd().to_string());
        let mut arguments: Vec<OsString> = vec!["attach".into(), "the graph".into(), filter.name().into()];
        arguments.extend(["--quiet".into(), "--supervised-by".into(), std::process::id().to_string().into()]);
        arguments.extend(["--handle".into(), number(handle.as_fd())]);
        arguments.extend(["--report-to".into(), number(report.as_fd())]);
        if let Some(frames) = run.frames {
            arguments.extend(["--frames".into(), frames.to_string().into()]);
        }
        if let Some(duration) = run.duration {
            arguments.extend(["--duration".into(), duration.as_secs_f64().to_string().into()]);
        }
        if run.realtime {
            arguments.push("--realtime".into());
        }
        let reads = filter.run().and_then(crate::overwriting::path_of).is_some_and(|path| path == Path::new("-"));
        Ok(Self {
            filter: filter.name().to_owned(),
            restart: filter.process().unwrap_or_default(),
            reads_standard_input: reads,
            arguments,
            handle,
            report,
            process: None,
            was_killed: false,
            deaths: Vec::new(),
        })
    }

    /// Starts the process, and has its words and its end told; gives its number. To be called by a thread that lives as long
    /// as this process: with that thread the process is killed.
    pub(super) fn start(&mut self, place: usize, sender: Sender<Happening>) -> io::Result<u32> {
        // This very program, also where another one has been installed meanwhile.
        let mut command = Command::new("/proc/self/exe");
        command.arg0("kspipe").args(&self.arguments).stderr(Stdio::piped());
        if !self.reads_standard_input {
            command.stdin(Stdio::null());
        }
        // Ctrl-C is for the process that serves, which asks the others to end in order.
        command.process_group(0);
        self.report.set_len(0)?;
        let mut process = self.inherited(|| command.spawn())?;
        let (words, number) = (process.stderr.take(), process.id());
        self.process = Some(process);
        let hears = std::thread::Builder::new().name(format!("{} process", self.filter));
        hears.spawn(move || {
            if let Some(words) = words {
                hear(words, |line| {
                    let _ = sender.send(Happening::Said(place, line));
                });
            }
            let _ = sender.send(Happening::Closed(place));
        })?;
        Ok(number)
    }

    /// Starts a process that inherits what is for it. No other thread of this process starts any meanwhile.
    fn inherited<T>(&self, start: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let its_own = [self.handle.as_fd(), self.report.as_fd()];
        its_own.iter().try_for_each(|descriptor| fcntl_setfd(descriptor, FdFlags::empty()))?;
        let started = start();
        its_own.iter().try_for_each(|descriptor| fcntl_setfd(descriptor, FdFlags::CLOEXEC))?;
        started
    }

    /// It has ended, and its end was taken note of.
    pub(super) fn has_ended(&self) -> bool {
        self.process.is_none()
    }

    /// Waits for the end of a process that has said its last word, or was killed; `None`: that was done.
    pub(super) fn reap(&mut self) -> io::Result<Option<End>> {
        let Some(mut process) = self.process.take() else { return Ok(None) };
        let status = process.wait()?;
        if let Some(signal) = status.signal() {
            self.deaths.push(Instant::now());
            let name = Signal::try_from(signal).map_or_else(|_| format!("signal {signal}"), |name| name.to_string());
            return Ok(Some(End::Killed(name)));
        }
        let mut text = Vec::new();
        self.report.seek(SeekFrom::Start(0))?;
        self.report.read_to_end(&mut text)?;
        let report = serde_json::from_slice(&text).ok();
        let code = || End::Code(status.code().unwrap_or(-1));
        Ok(Some(report.map_or_else(code, |report| End::Report(Box::new(report)))))
    }

    /// It was killed, and shall be started again, unless that happens all the time.
    pub(super) fn may_start_again(&self) -> bool {
        let lately = self.deaths.iter().filter(|death| death.elapsed() < SHORT).count();
        self.restart == Restart::OnDeath && lately < DEATHS
    }

    /// Ends it at once. One that has ended already is none the worse for it.
    pub(super) fn kill(&mut self) {
        if let Some(process) = &mut self.process {
            self.was_killed = true;
            // It fails only where it was waited for, which takes it away.
            let _ = process.kill();
        }
    }

    /// It was told to end at once.
    pub(super) fn was_killed(&self) -> bool {
        self.was_killed
    }
}

/// Reads lines until nobody can write any more.
fn hear(words: ChildStderr, mut said: impl FnMut(String)) {
    let mut words = BufReader::new(words);
    let mut bytes = Vec::new();
    while matches!((&mut words).take(LONGEST_LINE).read_until(b'\n', &mut bytes), Ok(1..)) {
        said(line(&bytes));
        bytes.clear();
    }
}
