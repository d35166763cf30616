//! `kspipe run`: a graph negotiated, its allocators created, frames streamed through it, and what happened.

use crate::arguments::{ReportFile, RunArguments};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::progress::ProgressLine;
use crate::{graph, output, overwriting, report, summary};
use kspipe::graph::Filter;
use kspipe::graph::file::GraphFile;
use kspipe::negotiate::negotiate;
use kspipe::stream::{self, Outcome, PrepareError, Report, RunError, RunOptions, Running};
use std::io::{IsTerminal, stderr};
use std::path::Path;
use std::time::{Duration, Instant};

/// How often the line on the terminal is drawn.
pub(crate) const REDRAW: Duration = Duration::from_millis(100);

/// Runs the graph to its end, and says how it went.
pub(crate) fn run(arguments: &RunArguments) -> Result<(), Failure> {
    let file = graph::read(&arguments.graph)?;
    let tell = |text: &str| {
        if !arguments.quiet {
            output::tell(text);
        }
    };
    tell(&graph::findings(&file));
    overwrite_nothing(&arguments.report, &arguments.graph.graph, &file)?;
    if let Some(filter) = file.graph.filters().iter().find(|filter| filter.process().is_some()) {
        return in_processes(arguments, &file, filter);
    }
    let prepared = stream::prepare(file.graph.clone()).map_err(|error| cannot_run(&file, &error))?;
    let graph = prepared.graph().clone();
    let plan = negotiate(&graph).map_err(|error| graph::negotiation_failure(&file, &error))?;
    tell(&summary::plan_text(&graph, &plan));

    make_folders(graph.filters())?;
    // Before the first frame: who sees one may interrupt at once.
    let interrupt = Interrupt::listen(1)?;
    let running = prepared.start(&plan, options(arguments)).map_err(|error| cannot_start(&file, &error))?;
    let stop = running.stop_handle();
    interrupt.stops(move || stop.stop());
    follow(&running, arguments.duration, !arguments.quiet && stderr().is_terminal());
    let report = running.wait();

    tell(&summary::text(&report));
    report::write(
        &arguments.report,
        &report::Of { name: file.name(), graph: &graph, plan: &plan, report: &report, session: None },
    )?;
    ending(&file, &report)
}

/// How far sources run.
pub(crate) fn options(arguments: &RunArguments) -> RunOptions {
    RunOptions { frames: arguments.frames, duration: arguments.duration, realtime: arguments.realtime }
}

/// Runs a graph of which this filter, and perhaps others, has a process of its own.
#[cfg(target_os = "linux")]
fn in_processes(arguments: &RunArguments, file: &GraphFile, _: &Filter) -> Result<(), Failure> {
    crate::session::supervise::run(arguments, file)
}

/// Runs a graph of which this filter, and perhaps others, has a process of its own.
#[cfg(not(target_os = "linux"))]
fn in_processes(_: &RunArguments, file: &GraphFile, filter: &Filter) -> Result<(), Failure> {
    let message =
        format!("`{}` has `process = true`, and filters have processes of their own on Linux alone", filter.name());
    Err(Failure::Graph(graph::filter_fault(file, filter.name(), message)))
}

/// No sink may be written over the graph, and no report over the graph or a filter's file.
pub(crate) fn overwrite_nothing(reports: &[ReportFile], graph_file: &Path, file: &GraphFile) -> Result<(), Failure> {
    if let Some(filter) = overwriting::sink_over_graph(graph_file, &file.graph) {
        let message = format!("`{filter}` would be written over this graph file; give it a path of its own");
        return Err(Failure::Graph(graph::filter_fault(file, filter, message)));
    }
    reports.iter().try_for_each(|report| overwriting::refuse("--report", &report.path, graph_file, &file.graph))
}

/// Makes the folders of the files that sinks among these filters write, where they are not there.
pub(crate) fn make_folders<'f>(filters: impl IntoIterator<Item = &'f Filter>) -> Result<(), Failure> {
    for run in filters.into_iter().filter_map(|filter| filter.run()) {
        overwriting::written(run).map_or(Ok(()), make_folder)?;
    }
    Ok(())
}

/// Makes the folder of a file, where it is not there.
pub(crate) fn make_folder(file: &Path) -> Result<(), Failure> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let made = |folder: &Path| {
        std::fs::create_dir_all(folder).map_err(|error| Failure::file("make the folder", folder, error))
    };
    folder.map_or(Ok(()), made)
}

/// The filter at fault is in the file, unless the system is at fault.
pub(crate) fn cannot_run(file: &GraphFile, error: &PrepareError) -> Failure {
    let report = graph::filter_fault(file, error.filter(), error.to_string());
    if error.is_system_failure() { Failure::System(report) } else { Failure::Graph(report) }
}

/// The graph is at fault where it asks for memory nobody provides, or for media that cannot be made.
pub(crate) fn cannot_start(file: &GraphFile, error: &RunError) -> Failure {
    match error {
        RunError::MemoryType { pins, .. } => Failure::Graph(graph::pins_fault(file, pins, error.to_string())),
        RunError::Filter { filter, source } => {
            let report = graph::filter_fault(file, filter, error.to_string());
            if source.is_system_failure() { Failure::System(report) } else { Failure::Graph(report) }
        }
        RunError::Plan { .. } | RunError::Memory { .. } | RunError::Sharing { .. } | RunError::Thread { .. } => {
            Failure::System(graph::fault(file, error.to_string()))
        }
    }
}

/// Waits for the end, with a line on the terminal where there is one. When the duration is over the graph is stopped,
/// because a source that waits for its data does not look at the time.
pub(crate) fn follow(running: &Running, duration: Option<Duration>, on_terminal: bool) {
    let started = Instant::now();
    let mut left = duration;
    let line = on_terminal.then(ProgressLine::new);
    while let Some(wait) = line.as_ref().map(|_| REDRAW).into_iter().chain(left).min() {
        if running.wait_timeout(wait) {
            break;
        }
        if let Some(line) = &line {
            line.show(&running.progress());
        }
        left = left.and(duration).map(|duration| duration.saturating_sub(started.elapsed()));
        if left == Some(Duration::ZERO) {
            running.stop_handle().stop();
            left = None;
        }
    }
    if let Some(line) = line {
        line.end();
    }
}

/// A run that failed is an error of its filters; where the system failed one, it failed the run.
pub(crate) fn ending(file: &GraphFile, report: &Report) -> Result<(), Failure> {
    if report.outcome != Outcome::Failed {
        return Ok(());
    }
    tell_errors(file, report);
    Err(said(report))
}

/// Says what failed, pointing at the filters in the file.
pub(crate) fn tell_errors(file: &GraphFile, report: &Report) {
    for error in &report.errors {
        let message = error.message.clone();
        let report = match &error.filter {
            Some(filter) => graph::filter_fault(file, filter, message),
            None => graph::fault(file, message),
        };
        output::tell(format_args!("{report:?}\n"));
    }
}

/// The failure of a run whose errors have been said.
pub(crate) fn said(report: &Report) -> Failure {
    let system = report.errors.iter().any(|error| error.is_system_failure);
    if system { Failure::SystemSaid } else { Failure::GraphSaid }
}
