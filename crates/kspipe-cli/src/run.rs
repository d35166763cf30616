//! `kspipe run`: a graph negotiated, its allocators created, frames streamed through it, and what happened.

use crate::arguments::RunArguments;
use crate::failure::Failure;
use crate::progress::ProgressLine;
use crate::{graph, output, overwriting, report, summary};
use kspipe::graph::Graph;
use kspipe::graph::file::GraphFile;
use kspipe::negotiate::negotiate;
use kspipe::stream::{self, Outcome, PrepareError, Report, RunError, RunOptions, Running, StopHandle};
use std::io::{IsTerminal, stderr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How often the line on the terminal is drawn.
const REDRAW: Duration = Duration::from_millis(100);

/// What a shell reports of a program that Ctrl-C killed.
const KILLED: i32 = 130;

/// Runs the graph to its end, and says how it went.
pub(crate) fn run(arguments: &RunArguments) -> Result<(), Failure> {
    let file = graph::read(&arguments.graph)?;
    let tell = |text: &str| {
        if !arguments.quiet {
            output::tell(text);
        }
    };
    tell(&graph::findings(&file));
    overwrite_nothing(arguments, &file)?;
    let prepared = stream::prepare(file.graph.clone()).map_err(|error| cannot_run(&file, &error))?;
    let graph = prepared.graph().clone();
    let plan = negotiate(&graph).map_err(|error| graph::negotiation_failure(&file, &error))?;
    tell(&summary::plan_text(&graph, &plan));

    make_folders(&graph)?;
    let options = RunOptions { frames: arguments.frames, duration: arguments.duration, realtime: arguments.realtime };
    // Before the first frame: who sees one may interrupt at once.
    let interrupt = Interrupt::listen()?;
    let running = prepared.start(&plan, options).map_err(|error| cannot_start(&file, &error))?;
    interrupt.stops(running.stop_handle());
    let report = follow(running, arguments.duration, !arguments.quiet && stderr().is_terminal());

    tell(&summary::text(&report));
    report::write(&arguments.report, file.name(), &graph, &plan, &report)?;
    ending(&file, &report)
}

/// No sink may be written over the graph, and no report over the graph or a filter's file.
fn overwrite_nothing(arguments: &RunArguments, file: &GraphFile) -> Result<(), Failure> {
    let graph_file = &arguments.graph.graph;
    if let Some(filter) = overwriting::sink_over_graph(graph_file, &file.graph) {
        let message = format!("`{filter}` would be written over this graph file; give it a path of its own");
        return Err(Failure::Graph(graph::filter_fault(file, filter, message)));
    }
    arguments
        .report
        .iter()
        .try_for_each(|report| overwriting::refuse("--report", &report.path, graph_file, &file.graph))
}

/// Makes the folders of the files that sinks write, where they are not there.
fn make_folders(graph: &Graph) -> Result<(), Failure> {
    for run in graph.filters().iter().filter_map(|filter| filter.run()) {
        let Some(path) = overwriting::written(run) else { continue };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|error| Failure::file("make the folder", folder, error))?;
        }
    }
    Ok(())
}

/// The filter at fault is in the file, unless the system is at fault.
fn cannot_run(file: &GraphFile, error: &PrepareError) -> Failure {
    let report = graph::filter_fault(file, error.filter(), error.to_string());
    if error.is_system_failure() { Failure::System(report) } else { Failure::Graph(report) }
}

/// The graph is at fault where it asks for memory nobody provides, or for media that cannot be made.
fn cannot_start(file: &GraphFile, error: &RunError) -> Failure {
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

/// The first Ctrl-C (or SIGTERM) ends the stream, so that every frame comes home and files are whole; the second one
/// ends the process.
#[derive(Clone, Default)]
struct Interrupt(Arc<Mutex<Interrupted>>);

#[derive(Default)]
struct Interrupted {
    asked: bool,
    stop: Option<StopHandle>,
}

impl Interrupt {
    fn listen() -> Result<Self, Failure> {
        let interrupt = Interrupt::default();
        let heard = interrupt.clone();
        ctrlc::set_handler(move || {
            let mut state = heard.lock();
            if std::mem::replace(&mut state.asked, true) {
                std::process::exit(KILLED);
            }
            if let Some(stop) = &state.stop {
                stop.stop();
            }
        })
        .map_err(|error| Failure::system("listen for Ctrl-C", error))?;
        Ok(interrupt)
    }

    /// What to stop, at once where somebody asked before there was anything.
    fn stops(&self, stop: StopHandle) {
        let mut state = self.lock();
        if state.asked {
            stop.stop();
        }
        state.stop = Some(stop);
    }

    fn lock(&self) -> MutexGuard<'_, Interrupted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for the end, with a line on the terminal where there is one. When the duration is over the graph is stopped,
/// because a source that waits for its data does not look at the time.
fn follow(running: Running, duration: Option<Duration>, on_terminal: bool) -> Report {
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
    running.wait()
}

/// A run that failed is an error of its filters; where the system failed one, it failed the run.
fn ending(file: &GraphFile, report: &Report) -> Result<(), Failure> {
    if report.outcome != Outcome::Failed {
        return Ok(());
    }
    for error in &report.errors {
        let message = error.message.clone();
        let report = match &error.filter {
            Some(filter) => graph::filter_fault(file, filter, message),
            None => graph::fault(file, message),
        };
        output::tell(format_args!("{report:?}\n"));
    }
    let system = report.errors.iter().any(|error| error.is_system_failure);
    Err(if system { Failure::SystemSaid } else { Failure::GraphSaid })
}
