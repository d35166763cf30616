//! `kspipe serve`: a graph hosted for other processes.

use super::arguments::ServeArguments;
use super::served::{Follower, ending_text, stops};
use super::status::model::Status;
use super::supervise::Happening;
use super::user::Trusted;
use super::{failures, text};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::{graph, output, report, run, summary};
use kspipe::graph::file::GraphFile;
use kspipe::graph::{Filter, FilterId, Graph, Strategy};
use kspipe::negotiate::negotiate;
use kspipe::stream::{Report, RunOptions, prepare_served};
use kspipe_session::{Begins, GraphText, ServeError, Server, ServerOptions, StreamsOfTheDead, Trust};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};

/// Serves the graph until it has ended, and says how it went.
pub(crate) fn serve(arguments: &ServeArguments) -> Result<(), Failure> {
    let file = graph::read(&arguments.graph)?;
    let tell = |text: &str| {
        if !arguments.quiet {
            output::tell(text);
        }
    };
    tell(&graph::findings(&file));
    run::overwrite_nothing(&arguments.report, &arguments.graph.graph, &file)?;
    let outside = outside(&file.graph, &arguments.outside)?;
    let prepared = prepare_served(file.graph.clone(), &outside).map_err(|error| run::cannot_run(&file, &error))?;
    let graph = prepared.graph().clone();
    let plan = negotiate(&graph).map_err(|error| graph::negotiation_failure(&file, &error))?;
    tell(&summary::plan_text(&graph, &plan));
    run::make_folders(inside(&graph, &outside))?;

    let options = ServerOptions {
        run: RunOptions { frames: arguments.frames, duration: None, realtime: arguments.realtime },
        graph: Some(graph_text(&file, arguments.graph.strategy)),
        begins: if arguments.wait_for_all { Begins::WhenAllHaveJoined } else { Begins::AtOnce },
        trust: match arguments.trust.as_slice() {
            [] => Trust::Nobody,
            trusted if trusted.contains(&Trusted::Own) => Trust::OwnUser,
            _ => Trust::Named,
        },
        streams_of_the_dead: match arguments.end_streams_of_the_dead {
            true => StreamsOfTheDead::End,
            false => StreamsOfTheDead::GoOn,
        },
        hold_deadline: arguments.hold_deadline,
        evict_after: arguments.evict_after,
        ..ServerOptions::default()
    };
    // Before the first frame: who sees one may interrupt at once.
    let interrupt = Interrupt::listen(2)?;
    let socket = &arguments.socket;
    let bound = Server::bind(socket, prepared, &plan, &outside, options);
    let mut server = bound.map_err(|error| failures::serve(&file, &error))?;
    let control = server.control();
    interrupt.stops(stops(control.clone(), arguments.quiet));
    let trusted = arguments.trust.iter().filter_map(|trusted| match trusted {
        Trusted::Own => None,
        Trusted::User(user) => Some(user.0),
    });
    trusted.clone().for_each(|user| server.trust_user(user));
    arguments.allow_user.iter().for_each(|user| server.allow_user(user.0));
    if !arguments.allow_user.is_empty() || trusted.count() > 0 {
        // Everybody may knock; the server asks the kernel who it is.
        let opened = std::fs::set_permissions(socket, Permissions::from_mode(0o666));
        opened.map_err(|error| Failure::file("open for other users", socket, error))?;
    }
    tell(&listening(&graph, &outside, socket));

    let mut follower = Follower::new(control.clone(), arguments.duration, arguments.quiet);
    let (sender, happenings) = channel();
    work_in_thread(server, sender)?;
    let ended = follow(&happenings, &mut follower);
    follower.finish();
    let report = ended?.map_err(|error| failures::serve(&file, &error))?;
    let last = control.status();
    if !report.filters.is_empty() {
        tell(&summary::text(&report));
    }
    tell(&Status::read(&last).map(|status| ending_text(&status)).unwrap_or_default());
    write_report(arguments, &file, &graph, &plan, &report, &last)?;
    run::ending(&file, &report)
}

/// The filters in other processes: those that do not say what they do, those that shall have a process, and those named.
fn outside(graph: &Graph, named: &[String]) -> Result<Vec<FilterId>, Failure> {
    let names = || graph.filters().iter().map(Filter::name).collect::<Vec<_>>().join(", ");
    if let Some(unknown) = named.iter().find(|name| graph.find_filter(name).is_none()) {
        let message = format!("--outside {}: the graph has no such filter", text::printable(unknown));
        return Err(Failure::usage(message, format!("it has {}", names())));
    }
    let is_connected = |filter: &Filter| filter.pins().any(|pin| graph.pin(pin).peer().is_some());
    let is_named = |filter: &&Filter| named.iter().any(|name| name == filter.name());
    if let Some(alone) = graph.filters().iter().filter(is_named).find(|filter| !is_connected(filter)) {
        let message = format!("--outside {}: nothing is connected to the filter", alone.name());
        return Err(Failure::usage(message, "there is nothing that another process could join"));
    }
    let is_outside = |filter: &Filter| {
        is_connected(filter) && (filter.run().is_none() || filter.process().is_some() || is_named(&filter))
    };
    let ids = graph.filters().iter().filter(|filter| is_outside(filter)).filter_map(|it| graph.find_filter(it.name()));
    let outside: Vec<FilterId> = ids.collect();
    if outside.is_empty() {
        let help = nothing_outside(graph, is_connected);
        return Err(Failure::usage("no filter of the graph is outside, so there is nothing to serve", help));
    }
    Ok(outside)
}

/// What would help where no filter is outside. One that is connected to nothing shares nothing, whatever it is marked with.
fn nothing_outside(graph: &Graph, is_connected: impl Fn(&Filter) -> bool) -> String {
    let names = |which: &dyn Fn(&Filter) -> bool| {
        graph.filters().iter().filter(|filter| which(filter)).map(Filter::name).collect::<Vec<_>>()
    };
    let connected = names(&|filter| is_connected(filter));
    if connected.is_empty() {
        return "its filters have no connection, so there is nothing to share with another process: connect some"
            .to_owned();
    }
    let name = format!("name some of {} with --outside", connected.join(", "));
    match names(&|filter| filter.process().is_some()).first() {
        Some(alone) => format!(
            "`{alone}` has `process = true`, and no connection, so nothing is shared with it: connect it, or {name}"
        ),
        None => format!("{name}, or mark them with `process = true`"),
    }
}

/// The filters that run in the serving process.
pub(super) fn inside<'g>(graph: &'g Graph, outside: &[FilterId]) -> impl Iterator<Item = &'g Filter> {
    let names: Vec<&str> = outside.iter().map(|id| graph.filter(*id).name()).collect();
    graph.filters().iter().filter(move |filter| !names.contains(&filter.name()))
}

/// The graph as processes that run a filter of it need it.
pub(super) fn graph_text(file: &GraphFile, strategy: Option<Strategy>) -> GraphText {
    // What has no folder is relative to the current one, which others do not have.
    let base = if file.base().as_os_str().is_empty() { Path::new(".") } else { file.base() };
    GraphText { name: file.name().to_owned(), text: file.text_as_written().to_owned(), base: base.to_owned(), strategy }
}

fn listening(graph: &Graph, outside: &[FilterId], socket: &Path) -> String {
    let names: Vec<&str> = outside.iter().map(|id| graph.filter(*id).name()).collect();
    format!("serving at {}; outside: {}\n", text::printable(&socket.display().to_string()), names.join(", "))
}

/// Lets the server work, and tells its end.
pub(super) fn work_in_thread(server: Server, sender: Sender<Happening>) -> Result<(), Failure> {
    let work = move || {
        let mut word = LastWord { result: None, sender };
        word.result = Some(server.run());
    };
    let started = std::thread::Builder::new().name("kspipe serve".to_owned()).spawn(work);
    started.map(drop).map_err(|error| Failure::system("start a thread", error))
}

/// What the server's thread tells when it ends, also where it panics.
struct LastWord {
    result: Option<Result<Report, ServeError>>,
    sender: Sender<Happening>,
}

impl Drop for LastWord {
    fn drop(&mut self) {
        // Nobody is there to be told only where the command has failed meanwhile.
        let _ = self.sender.send(Happening::Ended(self.result.take()));
    }
}

/// Waits for the server's end.
fn follow(happenings: &Receiver<Happening>, follower: &mut Follower) -> Result<Result<Report, ServeError>, Failure> {
    loop {
        let happened = match follower.next_look() {
            Some(wait) => happenings.recv_timeout(wait),
            None => happenings.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match happened {
            Ok(Happening::Ended(Some(result))) => return Ok(result),
            Ok(Happening::Said(..) | Happening::Closed(_)) => {}
            Err(RecvTimeoutError::Timeout) => follower.look(),
            Ok(Happening::Ended(None)) | Err(RecvTimeoutError::Disconnected) => {
                return Err(Failure::system("serve the graph", "its thread has ended; this is a defect"));
            }
        }
    }
}

fn write_report(
    arguments: &ServeArguments,
    file: &GraphFile,
    graph: &Graph,
    plan: &kspipe::negotiate::Plan,
    report: &Report,
    status: &str,
) -> Result<(), Failure> {
    let session = serde_json::from_str(status).ok();
    let of = report::Of { name: file.name(), graph, plan, report, session: session.as_ref() };
    report::write(&arguments.report, &of)
}
