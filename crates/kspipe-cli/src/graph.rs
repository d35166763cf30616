//! The graph of a command: read from its file, and what to say, with its places, where it cannot be negotiated.

use crate::arguments::GraphArguments;
use crate::failure::Failure;
use kspipe::finding::Span;
use kspipe::graph::file::{FileText, GraphFile};
use kspipe::graph::{Connection, PinId};
use kspipe::negotiate::{Infeasible, NegotiateError};
use miette::{Diagnostic, LabeledSpan, Report, SourceCode};
use std::fmt::{self, Display};

/// Reads the graph file.
pub(crate) fn read(arguments: &GraphArguments) -> Result<GraphFile, Failure> {
    let mut file = GraphFile::read(&arguments.graph).map_err(|errors| match errors.io_error() {
        Some(_) => Failure::System(errors.into()),
        None => Failure::Graph(errors.into()),
    })?;
    if let Some(strategy) = arguments.strategy {
        file.graph = file.graph.with_strategy(strategy);
    }
    Ok(file)
}

/// What the file's writer should know, for standard error, each with its line and column.
pub(crate) fn findings(file: &GraphFile) -> String {
    file.findings()
        .iter()
        .map(|finding| {
            // What was found in reading has a place.
            let (line, column) = file.position(finding.span.unwrap_or(Span { start: 0, end: 0 }));
            let (severity, code) = (finding.severity(), finding.code);
            format!("{}:{line}:{column}: {severity}[{code}]: {}; {}\n", file.name(), finding.message, finding.help)
        })
        .collect()
}

/// The error, pointing at the pins in the file. No answer within the stated limit is nobody's fault.
pub(crate) fn negotiation_failure(file: &GraphFile, error: &NegotiateError) -> Failure {
    let fault = |help: Option<String>, labels| -> Report {
        Fault { message: error.describe(&file.graph), help, source: file.source().clone(), labels }.into()
    };
    match error {
        NegotiateError::Infeasible(infeasible) => {
            Failure::Graph(fault(Some(infeasible.help.clone()), labels_of_pins(file, infeasible)))
        }
        NegotiateError::Cycle(pins) => {
            let help = "frames cannot go round: take out one of these connections";
            Failure::Graph(fault(Some(help.to_owned()), labels_of_cycle(file, pins)))
        }
        NegotiateError::Undecided { .. } => {
            let help = "fewer alternatives and fewer different steppings make it easier";
            Failure::System(fault(Some(help.to_owned()), Vec::new()))
        }
    }
}

/// Each pin that cannot agree, with what it asks.
fn labels_of_pins(file: &GraphFile, infeasible: &Infeasible) -> Vec<LabeledSpan> {
    let labels = infeasible.pins.iter().filter_map(|pin| {
        let asks: Vec<&str> =
            infeasible.asks.iter().filter(|(asking, _)| asking == pin).map(|(_, ask)| ask.as_str()).collect();
        let name = file.graph.pin_name(*pin);
        let label = if asks.is_empty() { name } else { format!("{name}: {}", asks.join("; ")) };
        Some(LabeledSpan::new_with_span(Some(label), file.pin_span(*pin)?))
    });
    labels.collect()
}

/// The connections of a cycle, in its order.
fn labels_of_cycle(file: &GraphFile, pins: &[PinId]) -> Vec<LabeledSpan> {
    let next = pins.iter().cycle().skip(1);
    let connections = pins.iter().zip(next).filter_map(|(from, to)| connection_span(file, *from, *to));
    let labels = connections.enumerate();
    labels.map(|(place, span)| LabeledSpan::new_with_span(Some(format!("{}", place + 1)), span)).collect()
}

fn connection_span(file: &GraphFile, from: PinId, to: PinId) -> Option<miette::SourceSpan> {
    file.connection_span(Connection { from, to }).map(Into::into)
}

/// What is wrong with a graph as a whole, with its places in the file.
#[derive(Debug)]
struct Fault {
    message: String,
    help: Option<String>,
    source: FileText,
    labels: Vec<LabeledSpan>,
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

impl Diagnostic for Fault {
    fn help<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn Display>)
    }
    fn source_code(&self) -> Option<&dyn SourceCode> {
        (!self.labels.is_empty()).then_some(&self.source as &dyn SourceCode)
    }
    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}

/// A message about a filter of the graph, pointing at its name in the file.
pub(crate) fn filter_fault(file: &GraphFile, filter: &str, message: String) -> Report {
    let span = file.graph.find_filter(filter).and_then(|id| file.filter_span(id));
    let labels = span.map(|span| LabeledSpan::new_with_span(Some("this filter".to_owned()), span));
    Fault { message, help: None, source: file.source().clone(), labels: labels.into_iter().collect() }.into()
}

/// A message about pins, whose names are separated by commas, pointing at each in the file.
pub(crate) fn pins_fault(file: &GraphFile, pins: &str, message: String) -> Report {
    let spans = pins.split(", ").filter_map(|name| file.pin_span(file.graph.find_pin(name)?));
    let labels = spans.map(|span| LabeledSpan::new_with_span(Some("of this pipe".to_owned()), span)).collect();
    let help = "kspipe runs user memory, and simulates kernel memory; ask for one of those to run the graph here";
    Fault { message, help: Some(help.to_owned()), source: file.source().clone(), labels }.into()
}

/// A message about the graph as a whole.
pub(crate) fn fault(file: &GraphFile, message: String) -> Report {
    Fault { message, help: None, source: file.source().clone(), labels: Vec::new() }.into()
}
