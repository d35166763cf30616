//! `kspipe run` of a graph in which filters have processes of their own: this process serves the graph to those that it gives
//! a handle, starts them as `kspipe attach`, and sees to it that nobody is left behind.

mod child;

use super::serve::{graph_text, inside, work_in_thread};
use super::served::{Follower, misfortunes, stops};
use super::status::model::Status;
use super::{failures, text};
use crate::arguments::RunArguments;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::{graph, output, report, run, summary};
use child::{Child, End};
use kspipe::graph::file::GraphFile;
use kspipe::graph::{FilterId, Graph};
use kspipe::negotiate::negotiate;
use kspipe::stream::{self, FilterReport, Latency, Outcome, Report, prepare_served};
use kspipe_session::{Begins, ServeError, Server, ServerControl, ServerOptions};
use std::collections::BTreeMap;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};

/// What the processes and the server's thread tell the main thread.
pub(super) enum Happening {
    /// The server has ended; `None`: its thread has died.
    Ended(Option<Result<Report, ServeError>>),
    /// A filter's process wrote a line to standard error.
    Said(usize, String),
    /// A filter's process has closed its standard error: it ends.
    Closed(usize),
}

/// Runs the graph to its end, and says how it went.
pub(crate) fn run(arguments: &RunArguments, file: &GraphFile) -> Result<(), Failure> {
    let tell = |text: &str| {
        if !arguments.quiet {
            output::tell(text);
        }
    };
    let outside = with_processes(&file.graph);
    let prepared = prepare_served(file.graph.clone(), &outside).map_err(|error| run::cannot_run(file, &error))?;
    let graph = prepared.graph().clone();
    let plan = negotiate(&graph).map_err(|error| graph::negotiation_failure(file, &error))?;
    tell(&summary::plan_text(&graph, &plan));
    run::make_folders(inside(&graph, &outside))?;

    let options = ServerOptions {
        run: run::options(arguments),
        graph: Some(graph_text(file, arguments.graph.strategy)),
        begins: Begins::WhenAllHaveJoined,
        ends_stalls: true,
        ..ServerOptions::default()
    };
    let interrupt = Interrupt::listen(2)?;
    // At no path: there is nothing that could be left behind.
    let made = Server::new(prepared, &plan, &outside, options);
    let mut server = made.map_err(|error| failures::serve(file, &error))?;
    let control = server.control();
    interrupt.stops(stops(control.clone(), arguments.quiet));

    let child = |filter: &FilterId| Child::new(arguments, graph.filter(*filter), server.open()?);
    let children: io::Result<Vec<Child>> = outside.iter().map(child).collect();
    let children = children.map_err(|error| Failure::system("make a handle for a process", error))?;
    let (sender, happenings) = channel();
    work_in_thread(server, sender.clone())?;
    let mut supervisor = Supervisor {
        children,
        control: control.clone(),
        follower: Follower::new(control.clone(), arguments.duration, arguments.quiet),
        sender,
        errors: Vec::new(),
        parts: BTreeMap::new(),
        is_ending: false,
        is_quiet: arguments.quiet,
    };
    (0..outside.len()).try_for_each(|place| supervisor.start(place))?;
    let own = supervisor.follow(&happenings, &interrupt)?;
    let own = own.map_err(|error| failures::serve(file, &error))?;
    run::tell_errors(file, &own);
    let report = supervisor.end(&graph, &outside, own);

    let last = control.status();
    tell(&summary::text(&report));
    tell(&Status::read(&last).map(|status| misfortunes(&status)).unwrap_or_default());
    let session = serde_json::from_str(&last).ok();
    let of = report::Of { name: file.name(), graph: &graph, plan: &plan, report: &report, session: session.as_ref() };
    report::write(&arguments.report, &of)?;
    if report.outcome == Outcome::Failed { Err(run::said(&report)) } else { Ok(()) }
}

/// The filters that have processes of their own; of those that nothing is connected to there is nothing to share.
fn with_processes(graph: &Graph) -> Vec<FilterId> {
    let connected = |filter: &&kspipe::graph::Filter| filter.pins().any(|pin| graph.pin(pin).peer().is_some());
    let filters = graph.filters().iter().filter(|filter| filter.process().is_some()).filter(connected);
    filters.filter_map(|filter| graph.find_filter(filter.name())).collect()
}

/// The processes of a graph's filters. Dropped, none of them is left.
struct Supervisor {
    children: Vec<Child>,
    control: ServerControl,
    follower: Follower,
    sender: Sender<Happening>,
    /// What went wrong with processes, and has been said.
    errors: Vec<stream::Failure>,
    /// What each filter did, by its place.
    parts: BTreeMap<usize, Report>,
    /// The graph ends: a process that comes too late is no failure.
    is_ending: bool,
    is_quiet: bool,
}

impl Supervisor {
    fn start(&mut self, place: usize) -> Result<(), Failure> {
        let child = &mut self.children[place];
        let started = child.start(place, self.sender.clone());
        let started = started
            .map_err(|error| Failure::system(&format!("start a process for the filter `{}`", child.filter), error));
        let text = format!("`{}` runs in process {}\n", child.filter, started?);
        if !self.is_quiet {
            self.tell(&text);
        }
        Ok(())
    }

    /// Waits until the server and all processes have ended.
    fn follow(
        &mut self,
        happenings: &Receiver<Happening>,
        interrupt: &Interrupt,
    ) -> Result<Result<Report, ServeError>, Failure> {
        let mut ended = None;
        loop {
            if let Some(result) = ended.take_if(|_| self.children.iter().all(Child::has_ended)) {
                return Ok(result);
            }
            let happened = match self.follower.next_look() {
                Some(wait) => happenings.recv_timeout(wait),
                // `self` has a sender, so the channel stays open.
                None => happenings.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            self.is_ending |= interrupt.is_asked();
            match happened {
                Ok(Happening::Said(place, line)) => self.tell(&format!("{}: {line}\n", self.children[place].filter)),
                Ok(Happening::Closed(place)) => self.reap(place)?,
                Ok(Happening::Ended(Some(result))) => {
                    self.is_ending = true;
                    if result.is_err() || interrupt.times_asked() > 1 {
                        self.kill_all()?;
                    }
                    ended = Some(result);
                }
                Ok(Happening::Ended(None)) | Err(RecvTimeoutError::Disconnected) => {
                    return Err(Failure::system("serve the graph", "its thread has ended; this is a defect"));
                }
                Err(RecvTimeoutError::Timeout) => self.follower.look(),
            }
        }
    }

    /// Ends those that are left: they were asked twice, or there is nothing to take part in.
    fn kill_all(&mut self) -> Result<(), Failure> {
        for place in 0..self.children.len() {
            self.children[place].kill();
            self.reap(place)?;
        }
        Ok(())
    }

    fn tell(&self, text: &str) {
        self.follower.aside(|| output::tell(text));
    }

    /// A process has ended, or does so now.
    fn reap(&mut self, place: usize) -> Result<(), Failure> {
        let child = &mut self.children[place];
        let end = child.reap().map_err(|error| Failure::system("wait for a process", error))?;
        let (filter, was_killed_here) = (child.filter.clone(), child.was_killed());
        let lost = match end {
            // It was taken note of.
            None => return Ok(()),
            Some(End::Report(report)) => {
                let failed = report.outcome == Outcome::Failed;
                self.parts.insert(place, *report);
                if !failed {
                    // It does not come again: who sends to it alone has nothing to go on for, and others go on.
                    self.control.give_up(&filter);
                    return Ok(());
                }
                // It has said why.
                None
            }
            // It came when the graph had ended already.
            Some(End::Code(_)) if self.is_ending => return Ok(()),
            Some(End::Code(code)) => Some((format!("its process ended with exit code {code}"), code != 1)),
            Some(End::Killed(_)) if was_killed_here => {
                Some(("its process was killed, to end at once; what it had not delivered is lost".to_owned(), true))
            }
            Some(End::Killed(signal)) if !self.is_ending && child.may_start_again() => {
                self.tell(&format!("`{filter}` was killed by {signal}; it is started again\n"));
                return self.start(place);
            }
            Some(End::Killed(signal)) => Some((format!("its process was killed by {signal}"), true)),
        };
        if let Some((message, is_system_failure)) = lost {
            self.tell(&format!("`{filter}`: {message}\n"));
            self.errors.push(stream::Failure { filter: Some(filter.clone()), message, is_system_failure });
        }
        // As where a filter fails among others: what was made is delivered, and the sources end.
        self.is_ending = true;
        self.control.give_up(&filter);
        self.control.stop();
        Ok(())
    }

    /// The report of all processes.
    fn end(mut self, graph: &Graph, outside: &[FilterId], own: Report) -> Report {
        let mut report = Report::merged(own, std::mem::take(&mut self.parts).into_values());
        for id in outside {
            let filter = graph.filter(*id);
            if report.filter(filter.name()).is_none() {
                let error = self.errors.iter().find(|error| error.filter.as_deref() == Some(filter.name()));
                report.filters.push(unreported(filter, error.map(|error| error.message.clone())));
            }
        }
        report.filters.sort_by(|a, b| a.name.cmp(&b.name));
        if !self.errors.is_empty() {
            report.outcome = Outcome::Failed;
            report.errors.append(&mut self.errors);
        }
        report
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        for child in &mut self.children {
            child.kill();
            // Where it cannot be waited for nobody can do more.
            let _ = child.reap();
        }
        self.follower.finish();
    }
}

/// A filter whose process said nothing of what it did.
fn unreported(filter: &kspipe::graph::Filter, error: Option<String>) -> FilterReport {
    FilterReport {
        name: filter.name().to_owned(),
        kind: filter.run().map_or("", |run| run.kind()).to_owned(),
        frames_in: 0,
        frames_out: 0,
        bytes: 0,
        latency: Latency::default(),
        end_to_end: None,
        error,
        digest: None,
    }
}

/// A line of a process, as it is shown.
fn line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text::printable(text.trim_end_matches(['\n', '\r']))
}
