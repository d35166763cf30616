//! Checking drivers' sources: what they declare becomes framings, of which some members may not be known, and what is
//! found in these points at the source.

use super::input::{CheckedFile, Content, Kind, Text};
use crate::sources;
use kspipe::check::{Circumstances, DeclaredFraming, Member, Origin, Structure, check_framing};
use kspipe::finding::{Code, Finding, Span, Subject, codes};
use kspipe::graph::{Direction, Mode};
use kspipe_source::{DriverSource, Flow, MemberValue, Place, Problem, ProblemKind, SourceFraming};
use std::path::PathBuf;

/// Reads sources together and checks what they declare: each file, and each that they include and something is found in.
pub(super) fn check(texts: &[(String, Vec<u8>)], includes: &[PathBuf]) -> Vec<CheckedFile> {
    if texts.is_empty() {
        return Vec::new();
    }
    let source = sources::read_all(texts, includes);
    let mut findings: Vec<(Place, Finding)> = Vec::new();
    for framing in source.framings.iter().filter(|framing| !framing.is_blank()) {
        findings.extend(of_framing(&source, framing, texts.len()));
    }
    findings.extend(source.problems.iter().map(of_problem));
    findings.sort_by(|(a, first), (b, second)| {
        (a, first.code.code, &first.message).cmp(&(b, second.code.code, &second.message))
    });
    // The ways through a conditional share most of their lines.
    findings.dedup_by(|(a, first), (b, second)| a == b && first.code == second.code && first.message == second.message);
    let mut checked: Vec<CheckedFile> = source
        .files
        .iter()
        .map(|file| CheckedFile {
            name: file.name().to_owned(),
            kind: Kind::Source,
            content: Content::Text(Text::new(printable(file.text()))),
            findings: Vec::new(),
        })
        .collect();
    for (place, finding) in findings {
        if let Some(file) = checked.get_mut(place.file) {
            file.findings.push(finding);
        }
    }
    let given = |index: usize| source.files.get(index).is_some_and(|file| !file.was_included());
    let mut index = 0;
    checked.retain(|file| {
        index += 1;
        given(index - 1) || !file.findings.is_empty()
    });
    checked
}

fn of_framing(source: &DriverSource, framing: &SourceFraming, given: usize) -> Vec<(Place, Finding)> {
    let name = printable(&framing.full_name());
    let found = check_framing(&name, &declared(source, framing), &circumstances(framing, given));
    found
        .into_iter()
        .map(|mut finding| {
            let member = finding.subject.member.and_then(|member| framing.member(finding.subject.item, member));
            // A member that nothing states has the place of the whole; its name is enough.
            let stated = member.map(|member| member.place).filter(|place| *place != framing.place);
            let place = stated.unwrap_or(framing.name_place);
            finding.span = Some(span(place));
            if let Some(fix) = &mut finding.fix {
                // Of an expression only its author knows which part to change.
                let is_number = stated.is_some_and(|place| {
                    let text = source.text(place);
                    text.starts_with(|first: char| first.is_ascii_digit())
                        && text.chars().all(|character| character.is_ascii_alphanumeric())
                });
                fix.span = stated.filter(|_| is_number).map(span);
            }
            (place, finding)
        })
        .collect()
}

/// What the source says of the framing; what it does not say stays unknown. A value that overflowed is not what its
/// author means: that is found, and nothing rests on the bits that are left.
fn declared(source: &DriverSource, framing: &SourceFraming) -> DeclaredFraming {
    // Problems stand in the order of their places.
    let problems = &source.problems;
    let first = problems.partition_point(|problem| problem.place < Place { end: 0, ..framing.place });
    let inside = problems[first..]
        .iter()
        .take_while(|problem| problem.place.file == framing.place.file && problem.place.start < framing.place.end);
    let overflows: Vec<Place> =
        inside.filter(|problem| problem.kind == ProblemKind::Overflow).map(|problem| problem.place).collect();
    let overflowed = |place: Place| overflows.iter().any(|other| other.start < place.end && place.start < other.end);
    let structure = match framing.structure {
        kspipe_source::Structure::Old => Structure::Old,
        kspipe_source::Structure::Extended => Structure::Extended,
    };
    let mut declared = DeclaredFraming::new(structure, Origin::Source);
    declared.set_items(framing.item_count());
    for member in framing.members.iter().filter(|member| member.place == framing.place || !overflowed(member.place)) {
        match (Member::named(member.name), &member.value, member.item) {
            (Some(named), Ok(MemberValue::Word(word)), item) => declared.set(item, named, *word),
            (Some(named), Ok(MemberValue::Guid(guid)), Some(item)) => declared.set_guid(item, named, *guid),
            _ => {}
        }
    }
    declared
}

fn circumstances(framing: &SourceFraming, given: usize) -> Circumstances {
    let flow = |wanted: Flow| !framing.pins.is_empty() && framing.pins.iter().all(|pin| pin.flow == Some(wanted));
    let direction = match (flow(Flow::In), flow(Flow::Out)) {
        (true, _) => Some(Direction::In),
        (_, true) => Some(Direction::Out),
        _ => None,
    };
    let edited = match framing.edited {
        Some(_) => Some(true),
        // Of one file of several nobody knows what the others do.
        None if given > 1 => Some(false),
        None => None,
    };
    let at_dispatch_level = framing.pins.iter().any(|pin| pin.dispatch_level);
    Circumstances {
        direction,
        mode: Some(Mode::Kernel),
        edited,
        writes_at_dispatch_level: at_dispatch_level.then_some(true),
        ..Circumstances::default()
    }
}

fn of_problem(problem: &Problem) -> (Place, Finding) {
    let code: &'static Code = match problem.kind {
        ProblemKind::NotEvaluated => &codes::NOT_EVALUATED,
        ProblemKind::NoValue => &codes::NO_VALUE,
        ProblemKind::Overflow => &codes::OVERFLOW,
        ProblemKind::NotUnderstood => &codes::NOT_UNDERSTOOD,
        ProblemKind::Conditional => &codes::SEVERAL_WAYS,
        ProblemKind::ItemCount => &codes::ITEM_COUNT,
        ProblemKind::NeverUsed => &codes::NEVER_USED,
    };
    let subject =
        Subject { pin: problem.framing.as_deref().map(printable), item: problem.item, member: problem.member };
    let finding = Finding::new(code, subject, printable(&problem.message), problem.help.clone());
    (problem.place, finding.at(Some(span(problem.place))))
}

fn span(place: Place) -> Span {
    Span { start: place.start, end: place.end }
}

/// The text with dots for what would work on a terminal instead of being shown on it. Every place stays where it is.
fn printable(text: &str) -> String {
    let shown = |character: char| match character {
        '\n' | '\r' | '\t' => character,
        '\0'..='\x1f' | '\x7f' => '.',
        // Two bytes in UTF-8, and so is the dot.
        '\u{80}'..='\u{9f}' => '\u{b7}',
        _ => character,
    };
    text.chars().map(shown).collect()
}
