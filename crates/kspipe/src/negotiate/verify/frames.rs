//! Rules 2 to 5: the memory, size, alignment and number of a pipe's frames.

use super::super::Pipe;
use super::view::scaled;
use super::{Findings, Rule, View};
use crate::graph::{DeviceMemory, FrameRange, Graph, Mode, PinId};
use ks::{
    Guid, KSMEMORY_TYPE_DEVICE_UNKNOWN, KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_KERNEL_PAGED,
    KSMEMORY_TYPE_SYSTEM, KSMEMORY_TYPE_USER, KSMEMORY_TYPE_WILDCARD,
};

/// The largest frame: what a signed 64-bit length can say.
const LARGEST_FRAME: u64 = i64::MAX as u64;

pub(super) fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for pipe in &view.plan.pipes {
        check_memory(view, pipe, findings);
        check_size(view, pipe, findings);
        check_alignment(view, pipe, findings);
        check_count(view, pipe, findings);
    }
    check_what_must_fit(view, findings);
}

/// The memory of a device, where the graph declares it: KSMEMORY_TYPE_DEVICE_UNKNOWN and the types of ks.h are never
/// that.
pub(super) fn device_memory(graph: &Graph, memory: Guid) -> Option<&DeviceMemory> {
    let known = [
        KSMEMORY_TYPE_WILDCARD,
        KSMEMORY_TYPE_SYSTEM,
        KSMEMORY_TYPE_USER,
        KSMEMORY_TYPE_KERNEL_PAGED,
        KSMEMORY_TYPE_KERNEL_NONPAGED,
        KSMEMORY_TYPE_DEVICE_UNKNOWN,
    ];
    if known.contains(&memory) { None } else { graph.device_memory(memory) }
}

pub(super) fn is_mapped_to_user_mode(graph: &Graph, memory: Guid) -> bool {
    device_memory(graph, memory).is_some_and(|device| device.user_mappable)
}

/// Rule 2's table: whether a pin on this side, in a pipe of this mode, accepts `memory` where its item asks `asked`.
pub(super) fn accepts(graph: &Graph, asked: Guid, side: Mode, pipe: Mode, memory: Guid) -> bool {
    let locked_user_memory = pipe == Mode::User && memory == KSMEMORY_TYPE_USER;
    match asked {
        KSMEMORY_TYPE_WILDCARD => match side {
            Mode::User => memory == KSMEMORY_TYPE_USER || is_mapped_to_user_mode(graph, memory),
            Mode::Kernel => {
                [KSMEMORY_TYPE_USER, KSMEMORY_TYPE_KERNEL_PAGED, KSMEMORY_TYPE_KERNEL_NONPAGED].contains(&memory)
                    || device_memory(graph, memory).is_some_and(|device| device.host_mappable)
            }
        },
        KSMEMORY_TYPE_SYSTEM => {
            [KSMEMORY_TYPE_USER, KSMEMORY_TYPE_KERNEL_PAGED, KSMEMORY_TYPE_KERNEL_NONPAGED].contains(&memory)
        }
        KSMEMORY_TYPE_KERNEL_PAGED => {
            [KSMEMORY_TYPE_KERNEL_PAGED, KSMEMORY_TYPE_KERNEL_NONPAGED].contains(&memory) || locked_user_memory
        }
        KSMEMORY_TYPE_KERNEL_NONPAGED => memory == KSMEMORY_TYPE_KERNEL_NONPAGED || locked_user_memory,
        KSMEMORY_TYPE_USER => memory == KSMEMORY_TYPE_USER || is_mapped_to_user_mode(graph, memory),
        device => memory == device,
    }
}

/// Rule 2.
fn check_memory(view: &View<'_>, pipe: &Pipe, findings: &mut Findings<'_>) {
    let memory = pipe.memory_type;
    let user_pin = pipe.pins.iter().copied().find(|pin| !view.is_kernel(*pin));
    let is_named = pipe.pins.iter().any(|pin| view.item(*pin).is_some_and(|item| item.memory == memory));
    let mode = if user_pin.is_some() { Mode::User } else { Mode::Kernel };
    let mapped = is_mapped_to_user_mode(view.graph, memory);
    let wrong = if memory == KSMEMORY_TYPE_WILDCARD || memory == KSMEMORY_TYPE_SYSTEM {
        Some("is not one memory but a choice of several")
    } else if mode == Mode::User && memory != KSMEMORY_TYPE_USER && !mapped {
        Some("is out of user mode's reach")
    } else if mode == Mode::Kernel && memory == KSMEMORY_TYPE_USER && !is_named {
        Some("is user memory, which no pin of this kernel pipe names")
    } else if !is_concrete(view.graph, memory) && !is_named {
        Some("is neither declared nor named by a pin of the pipe")
    } else {
        None
    };
    if let Some(wrong) = wrong {
        let pin = user_pin.unwrap_or(pipe.pins[0]);
        findings.push(Rule::Memory, &[pin], format!("the memory {memory} at {} {wrong}", findings.name(pin)));
    }
    for &pin in &pipe.pins {
        let Some(item) = view.requirement(pin) else { continue };
        if !accepts(view.graph, item.memory, view.graph.mode(pin), mode, memory) {
            let message = format!("{} requires the memory {}, and gets {memory}", findings.name(pin), item.memory);
            findings.push(Rule::Memory, &[pin], message);
        }
        if let Some(user_pin) = user_pin
            && view.is_kernel(pin)
            && item.must_allocate()
            && !mapped
        {
            let message = format!(
                "{} must allocate in the kernel, and shares a pipe with {} in memory that user mode cannot map",
                findings.name(pin),
                findings.name(user_pin)
            );
            findings.push(Rule::Memory, &[pin, user_pin], message);
        }
    }
}

/// A memory type that exists without a pin naming it.
fn is_concrete(graph: &Graph, memory: Guid) -> bool {
    [KSMEMORY_TYPE_USER, KSMEMORY_TYPE_KERNEL_PAGED, KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_DEVICE_UNKNOWN]
        .contains(&memory)
        || device_memory(graph, memory).is_some()
}

/// Rule 3, as far as a pipe's own pins ask.
fn check_size(view: &View<'_>, pipe: &Pipe, findings: &mut Findings<'_>) {
    let size = pipe.frame_size;
    if !(1..=LARGEST_FRAME).contains(&size) {
        let first = pipe.pins[0];
        let message = format!("the pipe of {} has frames of {size} bytes", findings.name(first));
        findings.push(Rule::Size, &[first], message);
    }
    for &pin in &pipe.pins {
        if let Some(item) = view.requirement(pin) {
            if !is_in_range(size, &item.physical) {
                let FrameRange { min, max, step } = item.physical;
                let message = format!(
                    "{} requires a frame size from {min} to {max} in steps of {step}, and gets {size}",
                    findings.name(pin)
                );
                findings.push(Rule::Size, &[pin], message);
            }
            require_capacity(view, pin, u64::from(item.capacity()), "its item asks", findings);
        }
        if let Some(bytes) = view.graph.pin(pin).media_size() {
            require_capacity(view, pin, bytes, "its media frame takes", findings);
        }
    }
}

fn is_in_range(size: u64, range: &FrameRange) -> bool {
    let Some(over) = size.checked_sub(u64::from(range.min)) else { return false };
    let below_max = range.upper_bound().is_none_or(|max| size <= u64::from(max));
    below_max && (range.step < 2 || over % u64::from(range.step) == 0)
}

fn require_capacity(view: &View<'_>, pin: PinId, bytes: u64, why: &str, findings: &mut Findings<'_>) {
    let size = view.pipe_of(pin).frame_size;
    if size < bytes {
        let message = format!("{} gets frames of {size} bytes, but {why} {bytes}", findings.name(pin));
        findings.push(Rule::Size, &[pin], message);
    }
}

/// Rule 3, as far as what comes from another pipe, or another size, has to fit. Unknown data fits every frame.
fn check_what_must_fit(view: &View<'_>, findings: &mut Findings<'_>) {
    for bridge in &view.plan.bridges {
        if let Some(bytes) = view.data[bridge.connection.from.index()] {
            require_capacity(view, bridge.connection.to, bytes, "what the bridge copies takes", findings);
        }
    }
    for copy in view.plan.copies.iter().filter(|copy| copy.chosen) {
        if let Some(bytes) = view.data[copy.route.from.index()] {
            require_capacity(view, copy.route.to, bytes, "what its filter copies takes", findings);
        }
    }
    for route in view.graph.routes() {
        if view.graph.pin(route.to).compression().is_stated()
            && let Some(bytes) = scaled(view.graph, route, &view.data)
        {
            require_capacity(view, route.to, bytes, "by its compression a frame takes", findings);
        }
    }
}

/// Rule 4. Each ask is a power of two, so their least common multiple is the largest.
fn check_alignment(view: &View<'_>, pipe: &Pipe, findings: &mut Findings<'_>) {
    let mut alignment = 1;
    let mut pin = pipe.pins[0];
    for &one in &pipe.pins {
        let asked = view.item(one).map_or(1, |item| item.alignment);
        if asked > alignment {
            (alignment, pin) = (asked, one);
        }
    }
    if pipe.alignment != alignment {
        let message = format!("the alignment is {}, {} makes it {alignment}", pipe.alignment, findings.name(pin));
        findings.push(Rule::Alignment, &[pin], message);
    }
}

/// Rule 5.
fn check_count(view: &View<'_>, pipe: &Pipe, findings: &mut Findings<'_>) {
    let count = pipe.frames;
    if count < 1 {
        let first = pipe.pins[0];
        findings.push(Rule::Count, &[first], format!("the pipe of {} has no frames", findings.name(first)));
    }
    for &pin in &pipe.pins {
        if let Some(item) = view.requirement(pin)
            && count < u64::from(item.frames)
        {
            let message = format!("{} requires {} frames, and gets {count}", findings.name(pin), item.frames);
            findings.push(Rule::Count, &[pin], message);
        }
    }
    let holders: Vec<PinId> = pipe.pins.iter().copied().filter(|pin| view.graph.pin(*pin).holds().is_some()).collect();
    let held: u128 = holders.iter().filter_map(|pin| view.graph.pin(*pin).holds()).map(u128::from).sum();
    if !holders.is_empty() && u128::from(count) <= held {
        let names: Vec<String> = holders.iter().map(|pin| findings.name(*pin)).collect();
        let message = format!("{} hold {held} frames at once, of {count}", names.join(", "));
        findings.push(Rule::Count, &holders, message);
    }
}
