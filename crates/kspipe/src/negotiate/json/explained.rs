//! What only an explained plan has: savings, and the allocators that are not used.

use super::{change_json, connection, cost_json, number, reason_json};
use crate::graph::Graph;
use crate::negotiate::{Cause, Explainer, Obstacle, PipeId, PipeNumber, Question, Saving};
use serde_json::{Map, Value, json};

/// The reasons for each number of a pipe.
pub(super) fn numbers(explainer: &mut Explainer<'_>, pipe: PipeId) -> Map<String, Value> {
    let graph = explainer.description().graph();
    let named = PipeNumber::ALL.map(|number| {
        let answer = explainer.answer(Question::Number(pipe, number));
        (number.name().to_owned(), causes_json(graph, &answer.causes))
    });
    named.into_iter().collect()
}

pub(super) fn causes_json(graph: &Graph, causes: &[Cause]) -> Value {
    let causes = causes.iter().map(|cause| {
        let mut json = reason_json(graph, &cause.reason);
        json["saves"] = cause.saving.as_ref().map_or(Value::Null, |saving| saving_json(graph, saving));
        json
    });
    causes.collect()
}

fn saving_json(graph: &Graph, saving: &Saving) -> Value {
    match saving {
        Saving::Plan { cost, becomes, still, data } => json!({
            "outcome": "plan",
            "text": cost.to_string(),
            "cost": cost_json(&cost.after),
            "becomes": becomes,
            "still": still.iter().map(|reason| reason_json(graph, reason)).collect::<Vec<_>>(),
            "data": data.map(number),
        }),
        Saving::NoPlan => json!({ "outcome": "no-plan" }),
        Saving::Undecided => json!({ "outcome": "undecided" }),
        Saving::NotTried => json!({ "outcome": "not-tried" }),
    }
}

/// Every pin that offers to allocate and does not, or whose frames do not go far.
pub(super) fn allocators(explainer: &mut Explainer<'_>) -> Value {
    let graph = explainer.description().graph();
    let mut found = Vec::new();
    for pin in explainer.offering_pins().0 {
        let answer = explainer.answer(Question::Allocator(pin));
        let Some(obstacle) = &answer.obstacle else { continue };
        let changes = answer.changes.iter().map(|tried| {
            let mut json = change_json(graph, &tried.change);
            json["saves"] = json!({ "text": tried.cost.to_string(), "cost": cost_json(&tried.cost.after) });
            json
        });
        found.push(json!({
            "pin": graph.pin_name(pin),
            "obstacle": obstacle.name(),
            "in_the_way": in_the_way(graph, obstacle),
            "reasons": causes_json(graph, &answer.causes),
            "changes": changes.collect::<Vec<_>>(),
        }));
    }
    Value::Array(found)
}

/// The pins or connections that an obstacle is about.
fn in_the_way(graph: &Graph, obstacle: &Obstacle) -> Vec<String> {
    match obstacle {
        Obstacle::NotOffered | Obstacle::OtherItem { .. } => Vec::new(),
        Obstacle::UserMode { pins } => pins.iter().map(|pin| graph.pin_name(*pin)).collect(),
        Obstacle::OtherPin { pin, .. } | Obstacle::NotOnWindows { peer: pin } => vec![graph.pin_name(*pin)],
        Obstacle::UpToBridge { bridges } => bridges.iter().map(|bridge| connection(graph, *bridge)).collect(),
    }
}
