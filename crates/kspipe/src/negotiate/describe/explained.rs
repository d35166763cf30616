//! Answers in words, a line each.

use super::Reason;
use super::text::row;
use crate::graph::Graph;
use crate::negotiate::{Answer, Asked, Cause, Explainer, PipeId, PipeNumber, Question, Saving, TriedChange};
use std::fmt::Write as _;

/// Changes named for one pin, at most; the others are in JSON.
const MOST_CHANGES: usize = 3;

/// The reasons for each number of a pipe, under the number's value.
pub(super) fn pipe_text(text: &mut String, explainer: &mut Explainer<'_>, pipe: PipeId, values: [String; 7]) {
    for (number, value) in PipeNumber::ALL.into_iter().zip(values) {
        let answer = explainer.answer(Question::Number(pipe, number));
        if !answer.causes.is_empty() {
            // Writing to a String does not fail.
            let _ = writeln!(text, "  why {value}");
            causes_text(text, explainer.description().graph(), &answer);
        }
    }
}

/// Why frames are copied here.
pub(super) fn cut_text(text: &mut String, explainer: &mut Explainer<'_>, question: Question) {
    let answer = explainer.answer(question);
    causes_text(text, explainer.description().graph(), &answer);
}

/// Every pin that offers to allocate and does not, or whose frames do not go far: why, and what would change it.
pub(super) fn unused_text(text: &mut String, explainer: &mut Explainer<'_>) {
    let (graph, plan) = (explainer.description().graph(), explainer.description().plan());
    let (pins, left_out) = explainer.offering_pins();
    for pin in pins {
        let answer = explainer.answer(Question::Allocator(pin));
        if answer.obstacle.is_none() {
            continue;
        }
        let what = if plan.pipe(pin).allocator.pin == Some(pin) { "does not reach far" } else { "is not used" };
        let _ = writeln!(text, "the allocator of {} {what}", graph.pin_name(pin));
        causes_text(text, graph, &answer);
        changes_text(text, graph, &answer.changes);
        text.push('\n');
    }
    if left_out > 0 {
        let _ = writeln!(text, "{left_out} more pins offer to allocate\n");
    }
}

fn changes_text(text: &mut String, graph: &Graph, changes: &[TriedChange]) {
    if changes.is_empty() {
        row(text, "", "no change of one thing was found after which it would be");
    }
    for tried in changes.iter().take(MOST_CHANGES) {
        row(text, "", &format!("it would be, with {}: {}", tried.change.describe(graph), tried.cost));
    }
}

fn causes_text(text: &mut String, graph: &Graph, answer: &Answer) {
    for cause in &answer.causes {
        row(text, "", &cause_text(graph, cause));
    }
}

/// A cause in a line.
fn cause_text(graph: &Graph, cause: &Cause) -> String {
    let reason = reason_text(graph, &cause.reason);
    match &cause.saving {
        None => reason,
        Some(saving) => format!("{reason}; {}", saving_text(graph, &cause.reason, saving)),
    }
}

fn saving_text(graph: &Graph, reason: &Reason, saving: &Saving) -> String {
    match saving {
        Saving::Plan { cost, becomes, still, data } => {
            let moved = reason.asked == Some(Asked::Mode);
            let dropped = if moved { "in the other mode this" } else { "dropping this" };
            let mut words = match (becomes, cost.is_nothing(), still.iter().find(|other| !is_same(other, reason))) {
                (Some(value), ..) if moved => format!("in the other mode {value}, which {cost}"),
                (Some(value), ..) => format!("without this {value}, which {cost}"),
                (None, true, Some(other)) if other.text == reason.text => {
                    format!("{dropped} saves nothing: {}too", who_text(graph, other))
                }
                (None, true, Some(other)) => {
                    format!("{dropped} saves nothing: {}", who_text(graph, other) + &other.text)
                }
                (None, ..) => format!("{dropped} {cost}"),
            };
            if let Some(bytes) = data {
                let carried = if *bytes == 0 { "an unknown number of".to_owned() } else { super::grouped(*bytes) };
                let _ = write!(words, " (its frames are then taken to carry {carried} bytes)");
            }
            words
        }
        Saving::NoPlan => "without this there is no plan".to_owned(),
        Saving::Undecided => "what dropping this saves is undecided: the search came to its limit".to_owned(),
        Saving::NotTried => "not tried without this".to_owned(),
    }
}

fn is_same(other: &Reason, reason: &Reason) -> bool {
    (other.pin, other.item, other.asked) == (reason.pin, reason.item, reason.asked)
}

pub(super) fn reason_text(graph: &Graph, reason: &Reason) -> String {
    format!("rule {}: {}{}", reason.rule, who_text(graph, reason), reason.text)
}

fn who_text(graph: &Graph, reason: &Reason) -> String {
    match (reason.pin, reason.item) {
        (Some(pin), Some(item)) => format!("{} (item {item}) ", graph.pin_name(pin)),
        (Some(pin), None) => format!("{} ", graph.pin_name(pin)),
        (None, _) => String::new(),
    }
}
