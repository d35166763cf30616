//! Pins that ask to allocate, and whose allocator is not used or not where they would have it.

use super::view::View;
use super::warnings::warning as finding;
use crate::finding::codes;
use crate::graph::{Mode, PinId};
use crate::negotiate::why::{ON_WINDOWS, obstacle, offer};
use crate::negotiate::{AllocatorKind, Obstacle, Warning};

/// What tries the changes that would help.
const TRY: &str = "`kspipe negotiate --explain` names what stands in the way and tries what would change it";

/// What a pin that must or prefers to allocate should know. A preference that is not met is a departure, and has its own
/// warning.
pub(super) fn warning(view: &View<'_>, pin: PinId) -> Option<Warning> {
    if !view.graph.pin(pin).items().iter().any(|item| item.must_allocate()) {
        return None;
    }
    // Only of these is something to be said, and to look further takes time in a large pipe.
    let allocates = view.plan.pipe(pin).allocator.pin == Some(pin);
    let uses_another = offer(view, pin).is_some_and(|offer| view.item_place(pin) != Some(offer.item));
    if !allocates && !uses_another {
        return None;
    }
    match obstacle(view, pin)? {
        Obstacle::UpToBridge { bridges } => {
            // Of a pin that only prefers to, the copies were not made for it.
            let forced = view.plan.pipe(pin).allocator.kind == AllocatorKind::MustAllocate;
            let bridge = bridges.into_iter().find(|_| forced)?;
            let (from, to) = (view.name(bridge.from), view.name(bridge.to));
            let message = format!(
                "must allocate (KSALLOCATOR_REQUIREMENTF_MUST_ALLOCATE) and does, but only up to {from} -> {to}, where its \
                 frames are copied"
            );
            let user = [bridge.from, bridge.to].into_iter().find(|end| view.graph.mode(*end) == Mode::User);
            let help = match user {
                Some(user) if view.graph.mode(pin) == Mode::Kernel => {
                    format!("{} is in user mode; {ON_WINDOWS}; {TRY}", view.name(user))
                }
                _ => TRY.to_owned(),
            };
            Some(finding(&codes::UP_TO_A_BRIDGE, Some(pin), message, help))
        }
        Obstacle::OtherItem { offers, used } => {
            let used = used.map_or("none of them".to_owned(), |used| format!("item {used}"));
            let message =
                format!("asks to allocate in item {offers} only; the plan uses {used}, so its allocator is not");
            let help = format!("ask it in every item that the pin could be used with; {TRY}");
            Some(finding(&codes::OTHER_ITEM, Some(pin), message, help))
        }
        Obstacle::NotOnWindows { peer } => {
            let message = format!(
                "allocates frames that {} in user mode gets, in device memory that it can map",
                view.name(peer)
            );
            Some(finding(&codes::NOT_ON_WINDOWS, Some(pin), message, ON_WINDOWS))
        }
        Obstacle::NotOffered | Obstacle::UserMode { .. } | Obstacle::OtherPin { .. } => None,
    }
}
