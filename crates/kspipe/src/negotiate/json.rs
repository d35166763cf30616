//! A plan as JSON, version 1; `docs/plan.md` and `docs/plan.schema.json` describe every member.

use super::describe::{self, Description, PipeProperties, Reason, Termination, memory_name};
use super::{NegotiateError, Pipe, PipeId, Plan};
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
    let pipes = plan.pipes.iter().enumerate().map(|(place, pipe)| pipe_json(&description, PipeId(place as u32), pipe));
    let bridges = plan.bridges.iter().map(|bridge| {
        json!({
            "connection": connection(graph, bridge.connection),
            "bytes": number(bridge.bytes),
            "reasons": reasons_json(graph, &description.bridge_reasons(bridge)),
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
        "cost": {
            "bytes_copied": number(plan.cost.bytes_copied),
            "allocators": number(plan.cost.allocators),
            "departures": number(plan.cost.departures),
            "depth": number(plan.cost.depth),
            "bytes": number(plan.cost.bytes),
            "frames": number(plan.cost.frames),
            "sizes": number(plan.cost.sizes),
        },
    })
}

/// The error of a graph that has no plan, as JSON (version 1).
pub fn error_json(graph: &Graph, error: &NegotiateError) -> Value {
    let names = |pins: &[PinId]| pins.iter().map(|pin| graph.pin_name(*pin)).collect::<Vec<_>>();
    let (pins, asks, help) = match error {
        NegotiateError::Cycle(pins) => {
            (names(pins), Vec::new(), "take one of these connections or routes out: frames would go round for ever")
        }
        NegotiateError::Infeasible(infeasible) => {
            let asks = infeasible.asks.iter().map(|(pin, ask)| json!({ "pin": graph.pin_name(*pin), "ask": ask }));
            (names(&infeasible.pins), asks.collect(), infeasible.help.as_str())
        }
        NegotiateError::Undecided { .. } => (
            Vec::new(),
            Vec::new(),
            "give pins fewer alternatives with different steppings, or take undirected cycles out of the graph",
        ),
    };
    json!({
        "version": VERSION,
        "error": { "pins": pins, "asks": asks, "message": error.describe(graph), "help": help },
    })
}

fn pipe_json(description: &Description<'_>, id: PipeId, pipe: &Pipe) -> Value {
    let graph = description.graph();
    let properties = description.properties(id);
    let PipeProperties { physical_range, dimensions, .. } = properties;
    let reasons = description.reasons(id);
    let reasons: Map<String, Value> =
        reasons.by_name().into_iter().map(|(name, reasons)| (name.to_owned(), reasons_json(graph, reasons))).collect();
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
    let reasons = reasons.iter().map(|reason| {
        json!({
            "pin": reason.pin.map(|pin| graph.pin_name(pin)),
            "item": reason.item,
            "rule": reason.rule,
            "text": reason.text,
        })
    });
    reasons.collect()
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
