//! Before a run: a graph's sources are opened and its formats found out.

use super::filters::{self, FilterError, Interrupt, Source, same_file};
use super::format::MediaFormat;
use super::formats::{Formats, propagate};
use crate::graph::{Direction, Filter, FilterId, Graph, PinId, RouteKind, Run};
use std::path::Path;
use std::sync::Arc;

/// Why a graph cannot run, whatever the plan. Each names the filter.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// A filter does not say what it does.
    #[error("filter `{filter}` has no `run`: what does it do?")]
    NoRun {
        /// The filter.
        filter: String,
    },
    /// A filter has other pins or routes than what it does needs.
    #[error("filter `{filter}`: {message}")]
    Shape {
        /// The filter.
        filter: String,
        /// What is wrong, and what would be right.
        message: String,
    },
    /// A source cannot be opened, or what it says of its frames is wrong.
    #[error("filter `{filter}`: {source}")]
    Source {
        /// The filter.
        filter: String,
        /// What is wrong.
        #[source]
        source: FilterError,
    },
    /// A filter gets frames of a format it does not take.
    #[error("filter `{filter}`: {message}")]
    Format {
        /// The filter.
        filter: String,
        /// What it gets, and what it takes.
        message: String,
    },
    /// Two filters use one file, so that one would spoil it for the other.
    #[error("filters `{first}` and `{filter}` cannot both use {path}")]
    SameFile {
        /// The filter.
        filter: String,
        /// The other.
        first: String,
        /// The file.
        path: String,
    },
}

impl PrepareError {
    /// The filter at fault.
    pub fn filter(&self) -> &str {
        match self {
            PrepareError::NoRun { filter }
            | PrepareError::Shape { filter, .. }
            | PrepareError::Source { filter, .. }
            | PrepareError::Format { filter, .. }
            | PrepareError::SameFile { filter, .. } => filter,
        }
    }

    /// The graph is not at fault, but a file or the system is: it cannot be opened or read.
    pub fn is_system_failure(&self) -> bool {
        matches!(self, PrepareError::Source { source, .. } if source.is_system_failure())
    }
}

/// A graph with its sources open and its formats known, to be negotiated and started.
pub struct Prepared {
    pub(super) graph: Graph,
    /// Of the connected filters, by filter; `None`: the filter is no source.
    pub(super) sources: Vec<Option<Box<dyn Source>>>,
    pub(super) formats: Formats,
    pub(super) interrupts: Interrupts,
}

/// What ends waits for files: reading at the first stop, writing at the second.
#[derive(Clone, Debug, Default)]
pub(super) struct Interrupts {
    pub(super) reading: Arc<Interrupt>,
    pub(super) writing: Arc<Interrupt>,
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prepared").field("graph", &self.graph).field("formats", &self.formats).finish_non_exhaustive()
    }
}

impl Prepared {
    /// The graph, with the `media-size` of every pin its formats fix, to be negotiated.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// What the frames at a pin hold; `None` only at an out pin that nothing leads to.
    pub fn format(&self, pin: PinId) -> Option<&MediaFormat> {
        self.formats.get(pin)
    }
}

/// Opens a graph's sources (standard input for `-`), reads what their files say of their frames, and works out the
/// format at every pin; sets the `media-size` of the pins this fixes, and the `holds` of the in pins of `hold` filters,
/// where the graph states none. Creates no file: the sinks' are created by [`Prepared::start`], once there is a plan.
///
/// Reading a header blocks until it is there.
///
/// # Errors
/// Where the graph cannot run, whatever the plan.
pub fn prepare(graph: Graph) -> Result<Prepared, PrepareError> {
    prepare_served(graph, &[])
}

/// As [`prepare`], where the filters `outside` run in processes of their own: their files are not opened. A source's file
/// is looked into where it says what its frames are, as [`probe_formats`](super::probe_formats) does; a sink outside
/// need not say what it does.
///
/// # Errors
/// As for [`prepare`].
pub fn prepare_served(mut graph: Graph, outside: &[FilterId]) -> Result<Prepared, PrepareError> {
    let here = |filter: FilterId| !outside.contains(&filter);
    for (filter, id) in graph.filters().iter().zip((0..).map(FilterId)) {
        // Whoever comes to take its frames knows what to do with them.
        if here(id) || filter.run().is_some() {
            check_shape(&graph, filter)?;
        }
    }
    check_files(&graph, here)?;
    let interrupts = Interrupts::default();
    let sources = open_sources(&graph, &interrupts, here)?;
    let formats = propagate(&graph, |id, run| match &sources[id.0 as usize] {
        Some(source) => Ok(source.format()),
        None if !here(id) => filters::probe_source(run).map_err(|error| error.to_string()),
        None => Err(format!("`{}` is no source", run.kind())),
    });
    if let Some(note) = formats.problems.first() {
        return Err(PrepareError::Format { filter: note.filter.clone(), message: note.message.clone() });
    }
    let unknown = |pin: &PinId| graph.pin(*pin).direction() == Direction::In && formats.get(*pin).is_none();
    // Whoever fills it in the end: the graph says what its frames are.
    let silent = |pin: &PinId| graph.filters()[graph.pin(*pin).filter().0 as usize].run().is_none();
    if let Some(out) = graph.pin_ids().filter(unknown).filter_map(|pin| graph.pin(pin).peer()).find(silent) {
        let message = "it has no `run`, which would say what the frames it sends are, whoever sends them".to_owned();
        return Err(PrepareError::Shape { filter: filter_name(&graph, out), message });
    }
    if let Some(pin) = graph.pin_ids().find(unknown) {
        let message = format!("no source leads to its pin `{}`", graph.pin(pin).name());
        return Err(PrepareError::Shape { filter: filter_name(&graph, pin), message });
    }
    formats.state_facts(&mut graph);
    Ok(Prepared { graph, sources, formats, interrupts })
}

/// Prepares a process that runs one filter of a graph which another process serves: `formats` is what that one found at
/// its pins, so that both have the same graph and come to the same plan. No file but the filter's own is opened.
///
/// # Errors
/// Where the filter cannot run, or its file holds other frames than `formats` says.
pub fn prepare_outside(
    graph: Graph,
    filter: FilterId,
    formats: &[(PinId, MediaFormat)],
) -> Result<Prepared, PrepareError> {
    let run = graph.filters().get(filter.0 as usize).and_then(|filter| filter.run().cloned());
    prepare_outside_as(graph, filter, run, formats)
}

/// As [`prepare_outside`], where the filter does something else than the graph says: its pins, and so the plan, stay as
/// that has them. The prepared graph says what the filter does here.
///
/// # Errors
/// As for [`prepare_outside`].
pub fn prepare_outside_as(
    mut graph: Graph,
    filter: FilterId,
    run: Option<Run>,
    formats: &[(PinId, MediaFormat)],
) -> Result<Prepared, PrepareError> {
    let here = |other: FilterId| other == filter;
    let formats = Formats::given(&graph, formats);
    formats.state_facts(&mut graph);
    let graph = graph.with_run(filter, run);
    for (own, _) in graph.filters().iter().zip((0..).map(FilterId)).filter(|(_, id)| here(*id)) {
        check_shape(&graph, own)?;
    }
    check_files(&graph, here)?;
    let interrupts = Interrupts::default();
    let sources = open_sources(&graph, &interrupts, here)?;
    for pin in graph.pin_ids().filter(|pin| here(graph.pin(*pin).filter())) {
        let own = sources.get(filter.0 as usize).and_then(Option::as_ref).map(|source| source.format());
        let message = match (formats.get(pin), own) {
            (None, _) => format!("nobody says what the frames at its pin `{}` are", graph.pin(pin).name()),
            (Some(given), Some(own)) if *given != own => {
                format!("it has frames of {own}, and the graph was served with {given}")
            }
            _ => continue,
        };
        return Err(PrepareError::Format { filter: filter_name(&graph, pin), message });
    }
    Ok(Prepared { graph, sources, formats, interrupts })
}

/// The graph as [`Prepared::graph`] has it: with what the formats at its pins fix.
pub fn with_formats(mut graph: Graph, formats: &[(PinId, MediaFormat)]) -> Graph {
    Formats::given(&graph, formats).state_facts(&mut graph);
    graph
}

/// The sources of the filters that run here, by filter.
fn open_sources(
    graph: &Graph,
    interrupts: &Interrupts,
    here: impl Fn(FilterId) -> bool,
) -> Result<Vec<Option<Box<dyn Source>>>, PrepareError> {
    let mut sources = Vec::with_capacity(graph.filters().len());
    for (filter, id) in graph.filters().iter().zip((0..).map(FilterId)) {
        let run = filter.run().filter(|_| here(id));
        let opened = run.and_then(|run| filters::open_source(run, &interrupts.reading)).transpose();
        sources.push(opened.map_err(|source| PrepareError::Source { filter: filter.name().to_owned(), source })?);
    }
    Ok(sources)
}

fn filter_name(graph: &Graph, pin: PinId) -> String {
    graph.filter(graph.pin(pin).filter()).name().to_owned()
}

/// Checks that a filter has the pins and routes that what it does needs.
fn check_shape(graph: &Graph, filter: &Filter) -> Result<(), PrepareError> {
    let name = || filter.name().to_owned();
    let Some(run) = filter.run() else { return Err(PrepareError::NoRun { filter: name() }) };
    let (mut ins, mut outs) = (0usize, 0usize);
    for pin in filter.pins() {
        match graph.pin(pin).direction() {
            Direction::In => ins += 1,
            Direction::Out => outs += 1,
        }
    }
    let (expected, fits) = match run {
        run if filters::is_source(run) => ("a source: no in pin and one out pin", (ins, outs) == (0, 1)),
        run if filters::is_sink(run) => ("a sink: one in pin and no out pin", (ins, outs) == (1, 0)),
        Run::Tee => ("a tee: one in pin and at least one out pin", ins == 1 && outs >= 1),
        Run::Join => ("a join: at least two in pins and one out pin", ins >= 2 && outs >= 1),
        _ => ("a transform: one in pin and one out pin", (ins, outs) == (1, 1)),
    };
    let kind = run.kind();
    if !fits {
        let message = format!("`{kind}` makes it {expected}; it has {ins} in and {outs} out");
        return Err(PrepareError::Shape { filter: name(), message });
    }
    for out in filter.pins().filter(|pin| graph.pin(*pin).direction() == Direction::Out) {
        if filters::is_source(run) {
            continue;
        }
        let pin = graph.pin(out).name();
        let mut routes = graph.routes().iter().filter(|route| route.to == out).map(|route| route.kind);
        let message = match (run, routes.next()) {
            (_, None) => format!("no route leads to its pin `{pin}`"),
            (Run::Invert, Some(RouteKind::Pass)) => {
                format!("`{kind}` writes into frames, so its route cannot be `pass`; `in-place` or `copy`")
            }
            (Run::Join, Some(RouteKind::InPlace)) => {
                format!("`{kind}` writes nothing, so its route cannot be `in-place`; `pass` or `copy`")
            }
            (Run::Join, Some(_)) if routes.next().is_some() => {
                format!("two routes lead to its pin `{pin}`: which in pin's frames go there?")
            }
            (Run::Convert, Some(route)) if route != RouteKind::Copy => {
                format!("`{kind}` changes the size of frames, so its route cannot be `{route}`; `copy`")
            }
            _ => continue,
        };
        return Err(PrepareError::Shape { filter: name(), message });
    }
    Ok(())
}

/// Checks that no filter of this process writes a file that another reads or writes, and that each standard stream has one
/// user.
fn check_files(graph: &Graph, here: impl Fn(FilterId) -> bool) -> Result<(), PrepareError> {
    let own: Vec<&Filter> =
        graph.filters().iter().zip((0..).map(FilterId)).filter(|(_, id)| here(*id)).map(|(filter, _)| filter).collect();
    let using = |path: fn(&Run) -> Option<&Path>| {
        own.iter().filter_map(move |filter| Some((filter.name(), path(filter.run()?)?)))
    };
    let outputs: Vec<(&str, &Path)> = using(filters::output_path).collect();
    let inputs: Vec<(&str, &Path)> = using(filters::input_path).collect();
    let conflict = |first: &str, filter: &str, path: String| {
        Err(PrepareError::SameFile { filter: filter.to_owned(), first: first.to_owned(), path })
    };
    for (index, (name, path)) in outputs.iter().enumerate() {
        let standard = filters::is_standard_stream(path);
        for (other, other_path) in &outputs[..index] {
            if standard && path == other_path {
                return conflict(other, name, "standard output".to_owned());
            }
        }
        for (other, other_path) in outputs[..index].iter().chain(&inputs) {
            if same_file(path, other_path) {
                return conflict(other, name, path.display().to_string());
            }
        }
    }
    let mut standard = inputs.iter().filter(|(_, path)| filters::is_standard_stream(path));
    if let (Some((first, _)), Some((filter, _))) = (standard.next(), standard.next()) {
        return conflict(first, filter, "standard input".to_owned());
    }
    Ok(())
}
