//! A conflict in words.

use super::Conflict;
use crate::graph::{FramingItem, Graph, PinId};
use crate::negotiate::facts::Facts;
use crate::negotiate::what_if::Asked;
use ks::{
    Guid, KSMEMORY_TYPE_DEVICE_UNKNOWN, KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_KERNEL_PAGED,
    KSMEMORY_TYPE_SYSTEM, KSMEMORY_TYPE_USER, KSMEMORY_TYPE_WILDCARD,
};

/// What a pin has to do with a conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::negotiate) enum Role {
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
pub(super) fn message(facts: &Facts<'_>, conflict: &Conflict, roles: &[(PinId, Role)]) -> String {
    let graph = facts.graph;
    let mut names: Vec<String> = roles.iter().map(|(pin, _)| graph.pin_name(*pin)).collect();
    names.dedup();
    match roles {
        [] => "these filters cannot form pipes".to_owned(),
        [(pin, Role::Asks)] if graph.pin(*pin).items().iter().all(FramingItem::modifies_in_place) => format!(
            "{} writes into the frames it gets (INPLACE_MODIFIER), but others have them too, or they must stay as they are",
            names[0]
        ),
        [(pin, Role::Asks)] => format!("no frame serves {}: {}", names[0], describe(facts, conflict, *pin, Role::Asks)),
        _ => {
            let clauses: Vec<String> = roles
                .iter()
                .map(|(pin, role)| {
                    let (name, text) = (graph.pin_name(*pin), describe(facts, conflict, *pin, *role));
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
pub(in crate::negotiate) fn describe(facts: &Facts<'_>, conflict: &Conflict, pin: PinId, role: Role) -> String {
    match role {
        Role::Asks => describe_asks(facts, pin, &conflict.asked_of(pin)),
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

/// Those asks of a pin that matter.
fn describe_asks(facts: &Facts<'_>, pin: PinId, asked: &[Asked]) -> String {
    let graph = facts.graph;
    // By what they ask: the order they were written in says nothing.
    let mut items: Vec<&FramingItem> = graph.pin(pin).items().iter().collect();
    items.sort();
    let of_items = asked.iter().any(|asked| *asked != Asked::MediaSize);
    let mut alternatives: Vec<String> = Vec::new();
    for item in items.into_iter().filter(|_| of_items) {
        let words = item_words(graph, item, asked);
        if !alternatives.contains(&words) {
            alternatives.push(words);
        }
    }
    let mut text = alternatives.join(", or ");
    if asked.contains(&Asked::MediaSize) {
        let separator = if text.is_empty() { "" } else { ", and " };
        let required = facts.required[pin.index()];
        let cause =
            if graph.pin(pin).media_size() == Some(required) { "its media" } else { "what its compression yields" };
        text.push_str(&format!("{separator}frames of at least {required} bytes for {cause}"));
    }
    format!("{text} ({} mode)", graph.mode(pin))
}

/// What an item asks of these things, in the words of the header; where it asks none of them, what memory it takes.
pub(in crate::negotiate) fn item_words(graph: &Graph, item: &FramingItem, asked: &[Asked]) -> String {
    let parts: Vec<String> =
        asked.iter().filter(|asked| asked.is_in(item)).map(|asked| asked.words(graph, item)).collect();
    if !parts.is_empty() {
        return parts.join(", ");
    }
    match item.memory {
        // Not the word is what matters, but what it comes to.
        KSMEMORY_TYPE_WILDCARD => "MemoryType wildcard, so memory that its side can reach".to_owned(),
        _ => Asked::Memory.words(graph, item),
    }
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
