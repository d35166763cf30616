//! What a driver is documented to meet on Windows that the plan alone does not show.

use super::floors::wanted_size;
use super::view::View;
use super::warnings::warning;
use crate::finding::codes;
use crate::graph::{Direction, FramingItem, Mode, PinId};
use crate::negotiate::Warning;

/// What the author of the driver behind a kernel-mode pin should know.
pub(super) fn warnings(view: &View<'_>, pin: PinId, item: &FramingItem, found: &mut Vec<Warning>) {
    if view.graph.mode(pin) == Mode::Kernel {
        found.extend(upstream_may_ignore(view, pin, item));
        found.extend(more_outstanding(view, pin, item));
    }
}

/// A user-mode filter upstream that asks for less: where it allocates, only it decides.
fn upstream_may_ignore(view: &View<'_>, pin: PinId, item: &FramingItem) -> Option<Warning> {
    let upstream = view.graph.pin(pin).peer().filter(|_| view.graph.pin(pin).direction() == Direction::In)?;
    if view.graph.mode(upstream) != Mode::User || item.is_preference() {
        return None;
    }
    let own = view.item(upstream).filter(|item| !item.is_preference());
    let says = own.map_or(0, wanted_size).max(view.required_size(upstream));
    let aligns = own.map_or(1, |item| item.alignment.max(1));
    let mut asks = Vec::new();
    if wanted_size(item) > says {
        asks.push(format!("frames of at least {} bytes", wanted_size(item)));
    }
    if item.alignment > aligns {
        asks.push(format!("an alignment of {} bytes", item.alignment));
    }
    if asks.is_empty() {
        return None;
    }
    let upstream = view.name(upstream);
    Some(warning(
        &codes::UPSTREAM_MAY_IGNORE,
        Some(pin),
        format!("requires {}, and {upstream} in user mode, which gives the frames, does not", asks.join(" and ")),
        format!(
            "this plan meets it, but on Windows a user-mode filter upstream may allocate and ignore it \
             (learn.microsoft.com/windows-hardware/drivers/ddi/ks/ns-ks-_kspin_descriptor_ex): check each frame's size and \
             alignment and copy those that do not fit, or let {upstream} ask for the same"
        ),
    ))
}

/// A capturing driver that gets far more frames than it says it can have outstanding.
fn more_outstanding(view: &View<'_>, pin: PinId, item: &FramingItem) -> Option<Warning> {
    let pipe = view.plan.pipe(pin);
    let is_source = view.graph.pin(pin).direction() == Direction::Out && !view.has_route(pin);
    let twice = u64::from(item.frames) * 2;
    if !is_source || item.frames == 0 || pipe.frames <= twice {
        return None;
    }
    let id = view.pipe_of(pin);
    let others = view.items(id).find(|(_, other)| u64::from(other.frames) == pipe.frames);
    let who = others.map_or("what pins of it hold at once".to_owned(), |(other, _)| view.name(other));
    Some(warning(
        &codes::MORE_OUTSTANDING,
        Some(pin),
        format!("says Frames {}; the pipe has {} because of {who}", item.frames, pipe.frames),
        "Frames is documented as the most frames that are outstanding at a pin \
         (learn.microsoft.com/windows-hardware/drivers/stream/specifying-allocator-framing-in-avstream-codecs), and drivers are \
         known that fail with more: queue no more reads at it than it says, or ask for fewer frames downstream",
    ))
}
