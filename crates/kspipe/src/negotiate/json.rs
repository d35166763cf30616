//! A plan as JSON, version 1; `docs/plan.md` and `docs/plan.schema.json` describe every member.

mod explained;

use super::describe::{self, Description, PipeProperties, Reason, Termination, memory_name};
use super::{Asked, Cost, Explainer, NegotiateError, Pipe, PipeId, Plan, Question, WhatIf};
use crate::graph::{Compression, Connection, Graph, PinId};
use ks::Guid;
use serde_json::{Map, Value, json};

/// The version of the form: raised when a member changes its meaning or goes away, not when one is added.
const VERSION: u32 = 1;

/// The largest number that every reader of JSON keeps exactly: 2^53.
const EXACT: u128 = 1 << 53;

/// A plan as JSON (version 1). Members stand in a fixed order; numbers past 2^53 are strings.
pub fn plan_json(graph: &Graph, plan: &Plan) -> Value {
    let description = Description::new(graph, plan);
    let bridges = plan.bridges.iter().map(|bridge| reasons_json(graph, &description.bridge_reasons(bridge)));
    let bridges = bridges.collect();
    plan_json_with(&description, bridges, |pipe| {
        let reasons = description.reasons(pipe);
        let reasons = reasons.by_name().map(|(name, reasons)| (name.to_owned(), reasons_json(graph, reasons)));
        reasons.into_iter().collect()
    })
}

/// Like [`plan_json`], with what each reason costs: reasons have `saves`, bridges and chosen copies the whole conflict
/// between their two sides, and `allocators` tells why those that pins offer are not used. It negotiates again for each
/// ask that could be dropped, so it takes its time.
pub fn explained_plan_json(graph: &Graph, plan: &Plan) -> Value {
    let mut explainer = Explainer::new(graph, plan);
    // What is asked most is tried first, in case the limit of re-negotiations leaves something untried.
    let allocators = explained::allocators(&mut explainer);
    let mut causes = |question| explained::causes_json(graph, &explainer.answer(question).causes);
    let bridges = plan.bridges.iter().map(|bridge| causes(Question::Bridge(bridge.connection))).collect();
    let copies: Vec<Value> = plan
        .copies
        .iter()
        .map(|copy| causes(Question::Copy(Connection { from: copy.route.from, to: copy.route.to })))
        .collect();
    let pipes: Vec<Map<String, Value>> =
        (0..plan.pipes.len()).map(|pipe| explained::numbers(&mut explainer, PipeId(pipe as u32))).collect();
    let mut json = plan_json_with(explainer.description(), bridges, |pipe| pipes[pipe.index()].clone());
    for (copy, reasons) in json["copies"].as_array_mut().into_iter().flatten().zip(copies) {
        copy["reasons"] = reasons;
    }
    json["allocators"] = allocators;
    json["renegotiations"] = json!({
        "done": explainer.renegotiations(),
        "complete": !explainer.came_to_its_limit() && explainer.offering_pins().1 == 0,
    });
    json
}

/// A plan as JSON, its reasons given: by bridge, and by pipe.
fn plan_json_with(
    description: &Description<'_>,
    bridge_reasons: Vec<Value>,
    reasons: impl Fn(PipeId) -> Map<String, Value>,
) -> Value {
    let (graph, plan) = (description.graph(), description.plan());
    let pipes = plan.pipes.iter().enumerate().map(|(place, pipe)| {
        let id = PipeId(place as u32);
        pipe_json(description, id, pipe, reasons(id))
    });
    let bridges = plan.bridges.iter().zip(bridge_reasons).map(|(bridge, reasons)| {
        json!({
            "connection": connection(graph, bridge.connection),
            "bytes": number(bridge.bytes),
            "reasons": reasons,
        })
    });
    let copies = plan.copies.iter().map(|copy| {
        json!({
            "route": connection(graph, Connection { from: copy.route.from, to: copy.route.to }),
            "chosen": copy.chosen,
            "bytes": number(copy.bytes),
        })
    });
    let warnings = description.warnings().into_iter().map(|warning| {
        json!({
            "code": warning.code,
            "pin": warning.pin.map(|pin| graph.pin_name(pin)),
            "message": warning.message,
            "help": warning.help,
        })
    });
    json!({
        "version": VERSION,
        "strategy": plan.strategy.name(),
        "proven": plan.proven,
        "pipes": pipes.collect::<Vec<_>>(),
        "bridges": bridges.collect::<Vec<_>>(),
        "copies": copies.collect::<Vec<_>>(),
        "warnings": warnings.collect::<Vec<_>>(),
        "cost": cost_json(&plan.cost),
    })
}

fn cost_json(cost: &Cost) -> Value {
    json!({
        "bytes_copied": number(cost.bytes_copied),
        "allocators": number(cost.allocators),
        "departures": number(cost.departures),
        "depth": number(cost.depth),
        "bytes": number(cost.bytes),
        "frames": number(cost.frames),
        "sizes": number(cost.sizes),
    })
}

/// The error of a graph that has no plan, as JSON (version 1).
pub fn error_json(graph: &Graph, error: &NegotiateError) -> Value {
    let names = |pins: &[PinId]| pins.iter().map(|pin| graph.pin_name(*pin)).collect::<Vec<_>>();
    let (pins, asks, help, changes, together) = match error {
        NegotiateError::Cycle(pins) => (
            names(pins),
            Vec::new(),
            "take one of these connections or routes out: frames would go round for ever",
            Vec::new(),
            Vec::new(),
        ),
        NegotiateError::Infeasible(infeasible) => {
            let asks = infeasible.asks.iter().map(|(pin, ask)| json!({ "pin": graph.pin_name(*pin), "ask": ask }));
            let changes = |changes: &[WhatIf]| changes.iter().map(|change| change_json(graph, change)).collect();
            let (alternatives, together) = (changes(&infeasible.changes), changes(&infeasible.together));
            (names(&infeasible.pins), asks.collect(), infeasible.help.as_str(), alternatives, together)
        }
        NegotiateError::Undecided { .. } => (
            Vec::new(),
            Vec::new(),
            "give pins fewer alternatives with different steppings, or take undirected cycles out of the graph",
            Vec::new(),
            Vec::new(),
        ),
    };
    json!({
        "version": VERSION,
        "error": {
            "pins": pins,
            "asks": asks,
            "message": error.describe(graph),
            "help": help,
            "changes": changes,
            "together": together,
        },
    })
}

/// A change of one thing: what every change has, and what this kind has.
fn change_json(graph: &Graph, change: &WhatIf) -> Value {
    let mut json = json!({ "change": change.name(), "pin": change.pin().map(|pin| graph.pin_name(pin)) });
    match *change {
        WhatIf::AllowBridges | WhatIf::Prefer { .. } | WhatIf::Require { .. } => {}
        WhatIf::Drop { item, asked, .. } => {
            json["asked"] = asked.name().into();
            json["item"] = item.into();
        }
        WhatIf::Add { asked, .. } => json["asked"] = asked.name().into(),
        WhatIf::LowerMinimum { bytes, .. } | WhatIf::RaiseMaximum { bytes, .. } => json["bytes"] = bytes.into(),
        WhatIf::CopyRoute { from, to } => json["route"] = connection(graph, Connection { from, to }).into(),
        WhatIf::Mode { filter, mode } => {
            json["filter"] = graph.filter(filter).name().into();
            json["mode"] = mode.to_string().into();
        }
        WhatIf::MapMemory { memory_type } => json["memory_type"] = memory_name(graph, memory_type).into(),
    }
    json["text"] = change.describe(graph).into();
    json
}

fn pipe_json(description: &Description<'_>, id: PipeId, pipe: &Pipe, reasons: Map<String, Value>) -> Value {
    let graph = description.graph();
    let properties = description.properties(id);
    let PipeProperties { physical_range, dimensions, .. } = properties;
    json!({
        "id": id.0,
        "pins": pipe.pins.iter().map(|pin| graph.pin_name(*pin)).collect::<Vec<_>>(),
        "mode": pipe.mode.to_string(),
        "memory_type": memory_name(graph, properties.memory_type),
        "logical_memory_type": describe::logical_memory_name(properties.logical_memory_type),
        "bus_type": (properties.bus_type != Guid::NULL).then(|| properties.bus_type.to_string()),
        "frames": number(properties.frames),
        "frame_size": number(properties.frame_size),
        "alignment": number(properties.alignment),
        "prefix": number(properties.prefix),
        "allocator": {
            "kind": pipe.allocator.kind.name(),
            "pin": pipe.allocator.pin.map(|pin| graph.pin_name(pin)),
            "place": pipe.allocator.place.name(),
        },
        "state": describe::state_name(properties.state),
        "flags": describe::flag_names(properties.flags),
        "physical_range": {
            "min": number(physical_range.min),
            "max": number(physical_range.max),
            "step": number(physical_range.step),
        },
        "input": termination(&properties.input),
        "output": termination(&properties.output),
        "dimensions": {
            "allocator_pin": ratio(dimensions.allocator_pin),
            "max_expansion_pin": ratio(dimensions.max_expansion_pin),
            "end_pin": ratio(dimensions.end_pin),
        },
        "previous": properties.previous.map(|pipe| pipe.0),
        "next": properties.next.iter().map(|pipe| pipe.0).collect::<Vec<_>>(),
        "inside_factors": describe::factor_names(properties.inside_factors),
        "reasons": reasons,
    })
}

fn termination(end: &Termination) -> Value {
    let mut flags = describe::requirement_names(end.requirements);
    flags.extend(describe::flag_names(end.flags));
    json!({ "flags": flags, "outside_factors": describe::factor_names(end.outside_factors) })
}

fn ratio(compression: Compression) -> Value {
    json!([compression.numerator, compression.denominator, compression.margin])
}

fn reasons_json(graph: &Graph, reasons: &[Reason]) -> Value {
    reasons.iter().map(|reason| reason_json(graph, reason)).collect()
}

fn reason_json(graph: &Graph, reason: &Reason) -> Value {
    json!({
        "pin": reason.pin.map(|pin| graph.pin_name(pin)),
        "item": reason.item,
        "rule": reason.rule,
        "asked": reason.asked.map(Asked::name),
        "text": reason.text,
    })
}

fn connection(graph: &Graph, connection: Connection) -> String {
    format!("{} -> {}", graph.pin_name(connection.from), graph.pin_name(connection.to))
}

fn number(value: impl Into<u128>) -> Value {
    let value = value.into();
    match u64::try_from(value) {
        Ok(small) if value <= EXACT => Value::from(small),
        _ => Value::from(value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_past_two_to_the_53_are_strings() {
        assert_eq!(number(EXACT), json!(9_007_199_254_740_992_u64));
        assert_eq!(number(EXACT + 1), json!("9007199254740993"));
        assert_eq!(number(u128::MAX), json!("340282366920938463463374607431768211455"));
    }
}
