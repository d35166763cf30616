//! `kspipe attach`: a filter of a graph that another process serves.

use super::arguments::AttachArguments;
use super::connect::connect;
use super::{failures, mediated, run_kind, text};
use crate::arguments::{ReportFile, ReportFormat};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::{output, overwriting, report, run, units};
use kspipe::graph::Run;
use kspipe::graph::file::GraphFile;
use kspipe::stream::{Report, RunOptions};
use kspipe_session::{Client, ClientError};
use rustix::process::{Pid, Signal, geteuid, getppid, set_parent_process_death_signal};
use std::fmt::Write;
use std::io::{IsTerminal, stderr};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often it is looked whether somebody interrupts while the graph has not begun.
const LOOK: Duration = Duration::from_millis(50);

/// Runs the filter to its end, and says how it went.
pub(crate) fn attach(arguments: &AttachArguments) -> Result<(), Failure> {
    let socket = &arguments.socket;
    if let Some(parent) = arguments.supervised_by
        && !end_with(parent)
    {
        // Whoever started this has ended, and so has the graph.
        return Ok(());
    }
    let tell = |text: &str| {
        if !arguments.quiet {
            output::tell(text);
        }
    };
    let failed = |error: ClientError| failures::client(socket, &error);
    let client = match arguments.handle {
        Some(handle) => Client::inherited(handle).map_err(failed)?,
        None => connect(socket, arguments.quiet)?,
    };
    let filter = filter_of(&client, &arguments.filter)?;
    let file = told_graph(&client)?;
    let run = run_of(arguments, &client, &file, &filter)?;
    if let Some(path) = overwriting::written(&run) {
        refuse_reports(arguments, path)?;
        run::make_folder(path)?;
    }
    let interrupt = Interrupt::listen(1)?;
    let joined = client.filter(&filter).map_err(failed)?;
    tell(&format!("joined {} with `{filter}`\n", text::printable(&socket.display().to_string())));
    while !joined.wait_for_begin(Some(LOOK)) {
        if interrupt.is_asked() {
            tell("left before the graph began\n");
            return Ok(());
        }
    }
    let progress = !arguments.quiet && stderr().is_terminal();
    let options = RunOptions { frames: arguments.frames, duration: arguments.duration, realtime: arguments.realtime };
    let (graph, plan, report) = if joined.is_mediated() {
        let (graph, plan) = mediated::plan(&client, &file)?;
        let report = mediated::run((socket, &client), joined, (&file, &filter, &run), options, &interrupt)?;
        (graph, plan, report)
    } else {
        let attached = joined.start_as(run, options).map_err(|error| failures::attach(Some(&file), error))?;
        let stop = attached.stop_handle();
        interrupt.stops(move || stop.stop());
        run::follow(attached.running(), arguments.duration, progress);
        let (graph, plan) = (attached.running().graph().clone(), attached.running().plan().clone());
        (graph, plan, attached.wait())
    };

    tell(&said(&report));
    let of = report::Of { name: file.name(), graph: &graph, plan: &plan, report: &report, session: None };
    report::write(&reports(arguments), &of)?;
    run::ending(&file, &report)
}

/// The reports to write: those that were asked for, and the one that is for whoever started this.
fn reports(arguments: &AttachArguments) -> Vec<ReportFile> {
    let inherited = arguments.report_to.map(|descriptor| PathBuf::from(format!("/proc/self/fd/{descriptor}")));
    let inherited = inherited.map(|path| ReportFile { path, format: ReportFormat::Json });
    arguments.report.iter().cloned().chain(inherited).collect()
}

/// Has this process killed when its parent ends. `false`: it has ended.
fn end_with(parent: u32) -> bool {
    // Where that is not to be had, the end of the server's socket ends it a little later.
    let _ = set_parent_process_death_signal(Some(Signal::KILL));
    getppid().map(Pid::as_raw_nonzero).is_some_and(|process| u32::try_from(process.get()) == Ok(parent))
}

/// The filter that is named, or whose pin is.
fn filter_of(client: &Client, name: &str) -> Result<String, Failure> {
    let described = client.description();
    if let Some(pin) = described.pins.iter().find(|pin| pin.name == name || pin.filter == name) {
        return Ok(pin.filter.clone());
    }
    let (name, filters) = (text::printable(name), text::printable(&described.outside.join(", ")));
    Err(Failure::usage(format!("no filter or pin `{name}` can be joined"), format!("there are {filters}")))
}

/// The graph file, as the server tells it.
fn told_graph(client: &Client) -> Result<GraphFile, Failure> {
    let told = client.description().graph.as_ref();
    let told = told.ok_or_else(|| Failure::system("run a filter", "the server does not tell its graph"))?;
    let read = GraphFile::parse(&text::printable(&told.name), &told.text, Path::new(&told.base));
    read.map_err(|errors| Failure::Graph(errors.into()))
}

/// What the filter does here.
fn run_of(arguments: &AttachArguments, client: &Client, file: &GraphFile, filter: &str) -> Result<Run, Failure> {
    let id = file.graph.find_filter(filter);
    let id = id.ok_or_else(|| Failure::system("run a filter", "the server tells a graph without it"))?;
    if let Some(text) = &arguments.run {
        return run_kind::parse(text, &file.graph, id);
    }
    let told = file.graph.filter(id).run().cloned().ok_or_else(|| {
        let message = format!("the graph does not say what `{filter}` does");
        Failure::usage(message, "say it here: --run checksum, --run y4m=FILE, ...")
    })?;
    let server = client.server_user().map_err(|error| Failure::system("ask who serves the graph", error))?;
    if overwriting::path_of(&told).is_some_and(|path| path != Path::new("-"))
        && server != geteuid().as_raw()
        && server != 0
    {
        let message = format!("the graph is user {server}'s, and says which file `{filter}` reads or writes");
        return Err(Failure::usage(message, "say it here, in --run"));
    }
    Ok(told)
}

/// No report may be written over the filter's file.
fn refuse_reports(arguments: &AttachArguments, written: &Path) -> Result<(), Failure> {
    arguments.report.iter().try_for_each(|report| overwriting::refuse_file("--report", &report.path, written))
}

/// The summary of one filter: what it took and sent, and its digest.
fn said(report: &Report) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    for filter in &report.filters {
        let _ = writeln!(
            text,
            "{}: {} in, {} out, {} in {}",
            filter.name,
            units::counted(filter.frames_in, "frame"),
            units::grouped(filter.frames_out),
            units::bytes(filter.bytes),
            units::seconds(report.duration),
        );
        if let Some(digest) = &filter.digest {
            let _ = writeln!(text, "{}: digest {digest}", filter.name);
        }
    }
    text.replace('\u{a0}', " ")
}
