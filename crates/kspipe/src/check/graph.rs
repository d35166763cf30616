//! Checking a graph: each pin's framing where it stands, the pins among each other, and the plan.

mod planned;
mod routes;

use super::media::media_of;
use super::places::place;
use super::{Circumstances, DeclaredFraming, MediaFrame, check_framing};
use crate::finding::{Finding, Fix, Related, Subject, codes};
use crate::graph::file::{GraphFile, GraphFileError, GraphFileErrors, KeyPlaces};
use crate::graph::{Graph, PinId, RouteKind};
use std::collections::HashSet;

/// What there is to say of a graph, without places: of its pins in canonical order, then of the graph as a whole.
///
/// ```
/// use kspipe::check::check_graph;
/// use kspipe::graph::{Direction, FramingItem, Graph};
///
/// let mut graph = Graph::builder();
/// graph.filter("camera").pin("capture", Direction::Out).media_size(153_600).item(FramingItem::exactly(8192));
/// graph.filter("viewer").pin("in", Direction::In);
/// graph.connect("camera.capture", "viewer.in");
/// let findings = check_graph(&graph.build()?);
/// assert_eq!(findings[0].code.name, "size-under-media");
/// # Ok::<(), kspipe::graph::BuildError>(())
/// ```
pub fn check_graph(graph: &Graph) -> Vec<Finding> {
    without_repetition(found(graph).into_iter().map(|(_, finding)| finding).collect())
}

/// What there is to say of a graph file, in the order of its text: what was found in reading it, and what
/// [`check_graph`] finds. Media files are not opened; [`probe_formats`](crate::stream::probe_formats) before it lets
/// their formats count.
pub fn check_graph_file(file: &GraphFile) -> Vec<Finding> {
    let mut all: Vec<Finding> = file.findings().to_vec();
    let found = found(&file.graph);
    let keys = (!found.is_empty()).then(|| KeyPlaces::of(file));
    for (pin, mut finding) in found {
        if let (Some(pin), Some(keys)) = (pin, &keys) {
            place(file, keys, pin, &mut finding);
        }
        for (pin, message) in planned::other_pins(&finding, &file.graph) {
            finding.related.extend(file.pin_span(pin).map(|span| Related { span, message }));
        }
        all.push(finding);
    }
    all.sort_by_key(|finding| (finding.span, finding.code.code));
    without_repetition(all)
}

/// What is wrong with a graph file that is no graph, as findings.
pub fn graph_file_findings(errors: &GraphFileErrors) -> Vec<Finding> {
    let finding = |error: &GraphFileError| {
        let help = error.help().unwrap_or_default();
        let message = match error.label() {
            "" => error.message().to_owned(),
            label => format!("{}: {label}", error.message()),
        };
        let fix = error.span().filter(|_| error.code() == &codes::ALIGNMENT_AS_MASK).and_then(|span| {
            let mask: u64 = errors.text().get(span.start..span.end)?.parse().ok()?;
            Some(Fix { span: Some(span), text: mask.checked_add(1)?.to_string() })
        });
        let related = error.notes().map(|(span, message)| Related { span, message: message.to_owned() });
        Finding {
            related: related.collect(),
            fix,
            ..Finding::new(error.code(), Subject::default(), message, help).at(error.span())
        }
    };
    let mut findings: Vec<Finding> = errors.iter().map(finding).collect();
    let unlisted = errors.count().saturating_sub(findings.len());
    if unlisted > 0 {
        let message = format!("{unlisted} more errors are not listed");
        findings.push(Finding::new(
            &codes::NOT_READABLE,
            Subject::default(),
            message,
            "mend those that are listed first",
        ));
    }
    findings
}

/// Findings with the pin they are about.
type Found = Vec<(Option<PinId>, Finding)>;

fn found(graph: &Graph) -> Found {
    let mut found = Found::new();
    let media = media_of(graph);
    let codecs = codec_pins(graph);
    for id in graph.pin_ids() {
        let pin = graph.pin(id);
        if let Some(framing) = DeclaredFraming::of_graph(pin.framing(), pin.compression()) {
            let circumstances = circumstances(graph, id, media[id.index()], codecs.contains(&id));
            let findings = check_framing(&graph.pin_name(id), &framing, &circumstances);
            found.extend(findings.into_iter().map(|finding| (Some(id), finding)));
        }
    }
    routes::in_place_and_copy(graph, &mut found);
    routes::integrity_and_writer(graph, &mut found);
    planned::with_the_plan(graph, &mut found);
    // Stable: what is said of one pin stays in its order, what is said of none comes last.
    found.sort_by_key(|(pin, _)| (pin.is_none(), *pin));
    found
}

fn circumstances(graph: &Graph, pin: PinId, media: Option<MediaFrame>, is_codec: bool) -> Circumstances {
    Circumstances {
        direction: Some(graph.pin(pin).direction()),
        mode: Some(graph.mode(pin)),
        media,
        is_codec: Some(is_codec),
        // A graph does not say what a driver does.
        edited: None,
        writes_at_dispatch_level: None,
    }
}

/// The pins of filters that make new frames of those they get.
fn codec_pins(graph: &Graph) -> HashSet<PinId> {
    let copies = graph.routes().iter().filter(|route| route.kind == RouteKind::Copy);
    copies.flat_map(|route| [route.from, route.to]).collect()
}

fn about(graph: &Graph, pin: PinId) -> Subject {
    Subject::pin(graph.pin_name(pin))
}

/// Each thing once: of findings of one code about one member, or at one place, the first; and none about a pin as a whole
/// where one tells which member it is.
fn without_repetition(findings: Vec<Finding>) -> Vec<Finding> {
    let of_a_member: HashSet<(&str, Option<String>)> = findings
        .iter()
        .filter(|finding| finding.subject.member.is_some())
        .map(|finding| (finding.code.code, finding.subject.pin.clone()))
        .collect();
    let mut subjects = HashSet::new();
    let mut places = HashSet::new();
    let mut said = |finding: &Finding| {
        let code = finding.code.code;
        let pin = finding.subject.pin.clone();
        if finding.subject.member.is_none() {
            return pin.is_some() && of_a_member.contains(&(code, pin));
        }
        let again = !subjects.insert((code, finding.subject.clone()));
        let same_place = finding.span.is_some_and(|span| !places.insert((code, pin, span)));
        again || same_place
    };
    findings.into_iter().filter(|finding| !said(finding)).collect()
}
