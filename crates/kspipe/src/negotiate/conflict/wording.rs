//! A conflict in words.

use crate::graph::{FrameRange, FramingItem, Graph, PinId};
use crate::negotiate::facts::Facts;
use ks::{
    Guid, KSMEMORY_TYPE_DEVICE_UNKNOWN, KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_KERNEL_PAGED,
    KSMEMORY_TYPE_SYSTEM, KSMEMORY_TYPE_USER, KSMEMORY_TYPE_WILDCARD, RequirementFlags,
};

/// What a pin has to do with a conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It asks something.
    Asks,
    /// It asks nothing that matters, but is in user mode.
    IsOnItsSide,
    /// Its filter writes into the frame on the way to another pin.
    Writes(PinId),
    /// Its frames go to several pins of its filter.
    IsShared,
    /// Its filter copies frames on their way to a pin that gets them uncopied, too.
    Copies(PinId),
    /// Its frames carry so many bytes, and are copied.
    Carries(u64),
}

/// The conflict in a sentence.
pub(super) fn message(facts: &Facts<'_>, roles: &[(PinId, Role)]) -> String {
    let graph = facts.graph;
    let mut names: Vec<String> = roles.iter().map(|(pin, _)| graph.pin_name(*pin)).collect();
    names.dedup();
    match roles {
        [] => "these filters cannot form pipes".to_owned(),
        [(pin, Role::Asks)] if graph.pin(*pin).items().iter().all(FramingItem::modifies_in_place) => format!(
            "{} writes into the frames it gets (INPLACE_MODIFIER), but others have them too, or they must stay as they are",
            names[0]
        ),
        [(pin, Role::Asks)] => format!("no frame serves {}: {}", names[0], describe(facts, *pin, Role::Asks)),
        _ => {
            let clauses: Vec<String> = roles
                .iter()
                .map(|(pin, role)| {
                    let (name, text) = (graph.pin_name(*pin), describe(facts, *pin, *role));
                    if *role == Role::Asks { format!("{name} asks {text}") } else { format!("{name} {text}") }
                })
                .collect();
            format!("{} cannot share frames: {}", list(&names), clauses.join("; "))
        }
    }
}

fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// What a pin has to do with a conflict, in the words of the header.
pub(super) fn describe(facts: &Facts<'_>, pin: PinId, role: Role) -> String {
    match role {
        Role::Asks => describe_asks(facts, pin),
        Role::IsOnItsSide => "is in user mode, where kernel memory cannot be reached".to_owned(),
        Role::Writes(to) => {
            format!(
                "writes into frames on their way to {}, and frames that are shared are read-only",
                facts.graph.pin_name(to)
            )
        }
        Role::Copies(to) => {
            format!(
                "copies frames on their way to {}, which shares them with it by another way",
                facts.graph.pin_name(to)
            )
        }
        Role::IsShared => "shares its frames among several branches".to_owned(),
        Role::Carries(bytes) => format!("gives frames of {bytes} bytes of data, which must fit where they are copied"),
    }
}

fn describe_asks(facts: &Facts<'_>, pin: PinId) -> String {
    let graph = facts.graph;
    // By what they ask: the order they were written in says nothing.
    let mut items: Vec<&FramingItem> = graph.pin(pin).items().iter().collect();
    items.sort();
    let items: Vec<String> = items.into_iter().map(|item| describe_item(graph, item)).collect();
    let mut text = items.join(", or ");
    let required = facts.required[pin.index()];
    if required > 0 {
        let separator = if text.is_empty() { "" } else { ", and " };
        let cause =
            if graph.pin(pin).media_size() == Some(required) { "its media" } else { "what its compression yields" };
        text.push_str(&format!("{separator}frames of at least {required} bytes for {cause}"));
    }
    format!("{text} ({} mode)", graph.mode(pin))
}

fn describe_item(graph: &Graph, item: &FramingItem) -> String {
    let mut parts = vec![format!("memory {}", memory_name(graph, item.memory))];
    if item.physical != FrameRange::OPEN {
        let FrameRange { min, max, step } = item.physical;
        let stepping = if step > 1 { format!(" in steps of {step}") } else { String::new() };
        let range = if min == max { format!("of {min} bytes") } else { format!("of {min} to {max} bytes{stepping}") };
        parts.push(format!("frames {range}"));
    }
    if item.capacity() > item.physical.min {
        parts.push(format!("room for {} bytes", item.capacity()));
    }
    if item.frames > 0 {
        parts.push(format!("{} frames", item.frames));
    }
    let flags = [
        (RequirementFlags::MUST_ALLOCATE, "MUST_ALLOCATE"),
        (RequirementFlags::INPLACE_MODIFIER, "INPLACE_MODIFIER"),
        (RequirementFlags::FRAME_INTEGRITY, "FRAME_INTEGRITY"),
        (RequirementFlags::PREFERENCES_ONLY, "PREFERENCES_ONLY"),
    ];
    parts
        .extend(flags.iter().filter(|(flag, _)| item.requirements.contains(*flag)).map(|(_, name)| (*name).to_owned()));
    parts.join(", ")
}

/// The name of a memory type as the graph file writes it.
pub(in crate::negotiate) fn memory_name(graph: &Graph, memory: Guid) -> String {
    match memory {
        KSMEMORY_TYPE_WILDCARD => "wildcard".to_owned(),
        KSMEMORY_TYPE_SYSTEM => "system".to_owned(),
        KSMEMORY_TYPE_DEVICE_UNKNOWN => "device".to_owned(),
        KSMEMORY_TYPE_USER => "user".to_owned(),
        KSMEMORY_TYPE_KERNEL_PAGED => "kernel-paged".to_owned(),
        KSMEMORY_TYPE_KERNEL_NONPAGED => "kernel-nonpaged".to_owned(),
        other => graph.device_memory(other).map_or_else(|| other.to_string(), |declared| declared.name.clone()),
    }
}
