//! What a plan's reader should know: preferences not met, and facts that surprise.

use super::codes::{self, Code};
use super::floors::{PhysicalRanges, wanted_size};
use super::names::{is_well_known, memory_name};
use super::sizes::Sizes;
use super::view::View;
use crate::graph::{Direction, Framing, FramingItem, Mode, PinId};
use crate::negotiate::memory::MemoryClass;
use crate::negotiate::{Behaviour, PipeId, Verdict, Warning, starvation_of};
use ks::{Guid, KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_KERNEL_PAGED, KSMEMORY_TYPE_USER, RequirementFlags};

fn warning(code: Code, pin: Option<PinId>, message: impl Into<String>, help: impl Into<String>) -> Warning {
    Warning { code: code.code, pin, message: message.into(), help: help.into() }
}

/// All warnings: those of pins in canonical order, by code; then those of pipes.
pub(super) fn warnings(view: &View<'_>) -> Vec<Warning> {
    let mut found = Vec::new();
    for pin in view.graph.pin_ids() {
        let first = found.len();
        pin_warnings(view, pin, &mut found);
        if let Some(item) = view.item(pin) {
            if item.is_preference() {
                preferences(view, pin, item, &mut found);
            }
            item_warnings(view, pin, item, &mut found);
        }
        found[first..].sort_by_key(|warning| warning.code);
    }
    let pipes = (0..view.plan.pipes.len()).map(|pipe| PipeId(pipe as u32));
    let mut in_pins: Vec<Warning> = pipes.clone().flat_map(|pipe| in_pin_ranges(view, pipe)).collect();
    found.append(&mut in_pins);
    let (mut at_pins, of_the_graph): (Vec<Warning>, Vec<Warning>) =
        starvation(view).into_iter().partition(|warning| warning.pin.is_some());
    found.append(&mut at_pins);
    // Stable, so that the order of one pin's warnings stays.
    found.sort_by_key(|warning| warning.pin);
    found.extend(of_the_graph);
    found.extend(pipes.filter_map(|pipe| com_limits(view, pipe)));
    found
}

/// What can be said of a pin without the plan.
fn pin_warnings(view: &View<'_>, id: PinId, found: &mut Vec<Warning>) {
    let pin = view.graph.pin(id);
    if pin.peer().is_none() {
        let (what, to) = match pin.direction() {
            Direction::In => ("no frames come to it", "an out pin"),
            Direction::Out => ("nobody gets its frames", "an in pin"),
        };
        let help = format!("connect it to {to}, or leave the pin out of the graph");
        found.push(warning(codes::NOT_CONNECTED, Some(id), format!("is not connected: {what}"), help));
    }
    if let Framing::Old(item) = pin.framing()
        && !item.requirements.contains(RequirementFlags::SYSTEM_MEMORY)
    {
        found.push(warning(
            codes::OLD_DEVICE_MEMORY,
            Some(id),
            "its KSALLOCATOR_FRAMING leaves KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY clear, which asks for device memory \
             of the sink",
            "set SYSTEM_MEMORY and name the pool in PoolType, or answer KSPROPERTY_CONNECTION_ALLOCATORFRAMING_EX",
        ));
    }
    if pin.compression().is_stated() {
        let (message, help) = if pin.direction() == Direction::In {
            (
                "states a compression, which means nothing at an in pin",
                "state it at the out pin whose frames it describes",
            )
        } else if !view.has_route(id) {
            (
                "states a compression, but no route leads to it",
                "add the route whose frames it describes, or leave it out",
            )
        } else {
            ("", "")
        };
        if !message.is_empty() {
            found.push(warning(codes::IDLE_COMPRESSION, Some(id), message, help));
        }
    }
    let mut undeclared: Vec<Guid> = pin.items().iter().map(|item| item.memory).collect();
    undeclared.retain(|memory| !is_well_known(*memory) && view.graph.device_memory(*memory).is_none());
    undeclared.sort_unstable();
    undeclared.dedup();
    found.extend(undeclared.into_iter().map(|memory| {
        warning(
            codes::UNDECLARED_MEMORY,
            Some(id),
            format!(
                "asks for memory of the type {memory}, which the graph does not declare: nobody is taken to map it"
            ),
            format!("add [memory.\"{memory}\"] with name, host-mappable and user-mappable"),
        )
    }));
}

/// Preferences the plan does not meet: departures (KS001 to KS004), and what is only noted (KS007, KS008).
fn preferences(view: &View<'_>, pin: PinId, item: &FramingItem, found: &mut Vec<Warning>) {
    let pipe = view.plan.pipe(pin);
    let class = MemoryClass::new(view.graph, pipe.memory_type, pipe.mode);
    let asked = memory_name(view.graph, item.memory);
    let memory = memory_name(view.graph, pipe.memory_type);
    if !class.is_accepted(item.memory, Some(view.graph.mode(pin))) {
        let message = if item.memory == Guid::NULL {
            format!("prefers memory its side can reach; the pipe holds {memory}")
        } else {
            format!("prefers {asked}; the pipe holds {memory}")
        };
        let user_pin = view.first_user_pin(view.pipe_of(pin)).filter(|_| item.memory != Guid::NULL);
        let help = match user_pin {
            Some(user) => format!(
                "clear PREFERENCES_ONLY if the pin cannot work with {memory}; {} is in user mode and rules {asked} out",
                view.name(user)
            ),
            None => format!("clear PREFERENCES_ONLY if the pin cannot work with {memory}"),
        };
        found.push(warning(codes::PREFERRED_MEMORY, Some(pin), message, help));
    }
    let wanted = wanted_size(item);
    if pipe.frame_size < wanted {
        let member = if wanted == u64::from(item.capacity()) { "FramingRange" } else { "PhysicalRange" };
        found.push(warning(
            codes::PREFERRED_SIZE,
            Some(pin),
            format!("prefers frames of at least {wanted} bytes ({member}); the pipe's have {}", pipe.frame_size),
            "the reasons for frame_size name the pins that keep frames small; clear PREFERENCES_ONLY if the pin cannot \
             work with less",
        ));
    }
    if pipe.frames < u64::from(item.frames) {
        found.push(warning(
            codes::PREFERRED_FRAMES,
            Some(pin),
            format!("prefers {} frames; the pipe has {}", item.frames, pipe.frames),
            "the strategy puts fewer frames first; clear PREFERENCES_ONLY if the pin cannot work with less",
        ));
    }
    if item.must_allocate() && pipe.allocator.pin != Some(pin) {
        let message = match pipe.allocator.pin {
            Some(other) => format!("prefers to allocate; {} does", view.name(other)),
            None => "prefers to allocate; the default allocator does".to_owned(),
        };
        let help = if view.graph.mode(pin) == Mode::Kernel && pipe.mode == Mode::User {
            "frames a kernel-mode pin allocates cannot reach the pipe's user-mode pins"
        } else {
            "one pin of a pipe allocates: one that must, else the last that prefers to"
        };
        found.push(warning(codes::PREFERRED_ALLOCATOR, Some(pin), message, help));
    }
    if item.physical.upper_bound().is_some_and(|largest| pipe.frame_size > u64::from(largest)) {
        found.push(warning(
            codes::PREFERRED_MAXIMUM,
            Some(pin),
            format!(
                "prefers frames of at most {} bytes (PhysicalRange); the pipe's have {}",
                item.physical.max, pipe.frame_size
            ),
            "a larger frame serves; clear PREFERENCES_ONLY if the device cannot use one",
        ));
    }
    let stepping = Sizes::of(&crate::graph::FrameRange { max: u32::MAX, ..item.physical });
    if pipe.frame_size >= u64::from(item.physical.min) && !stepping.contains(pipe.frame_size) {
        found.push(warning(
            codes::PREFERRED_STEPPING,
            Some(pin),
            format!(
                "prefers sizes of {} + k * {} (PhysicalRange); the pipe's frames have {} bytes",
                item.physical.min, item.physical.step, pipe.frame_size
            ),
            "a larger frame serves; clear PREFERENCES_ONLY if the device cannot use one off the stepping",
        ));
    }
}

/// What surprises at a pin whether it requires or prefers.
fn item_warnings(view: &View<'_>, pin: PinId, item: &FramingItem, found: &mut Vec<Warning>) {
    let pipe = view.plan.pipe(pin);
    let kernel_memory = matches!(item.memory, KSMEMORY_TYPE_KERNEL_PAGED | KSMEMORY_TYPE_KERNEL_NONPAGED);
    if kernel_memory && pipe.mode == Mode::User && pipe.memory_type == KSMEMORY_TYPE_USER {
        let asked = memory_name(view.graph, item.memory);
        let user = view.first_user_pin(view.pipe_of(pin)).map(|user| view.name(user)).unwrap_or_default();
        found.push(warning(
            codes::LOCKED_USER_MEMORY,
            Some(pin),
            format!("asks {asked}; the pipe has a user-mode pin, so locked user memory is used"),
            format!("expect the pages of {user}'s process, locked while a frame is in use; keep the pipe in the kernel to have {asked}"),
        ));
    }
    if item.optimal.upper_bound().is_some_and(|largest| pipe.frame_size > u64::from(largest)) {
        found.push(warning(
            codes::OPTIMAL_MAXIMUM,
            Some(pin),
            format!(
                "likes frames of at most {} bytes (FramingRange); the pipe's have {}",
                item.optimal.max, pipe.frame_size
            ),
            "a larger frame serves; state PhysicalRange if the device cannot use one",
        ));
    }
}

/// In pins whose physical range changes the size of their pipe: without them it would be one their range does not hold.
fn in_pin_ranges(view: &View<'_>, pipe: PipeId) -> Vec<Warning> {
    let states_range = |pin: PinId, item: &FramingItem| {
        view.graph.pin(pin).direction() == Direction::In
            && if item.is_preference() { item.physical.min > 0 } else { Sizes::of(&item.physical) != Sizes::any() }
    };
    if !view.items(pipe).any(|(pin, item)| states_range(pin, item)) {
        return Vec::new();
    }
    let size = view.pipe(pipe).frame_size;
    let Some(without) = view.least_size(pipe, PhysicalRanges::OutPins).filter(|without| *without != size) else {
        return Vec::new();
    };
    let decides = |item: &FramingItem| {
        if item.is_preference() {
            let min = u64::from(item.physical.min);
            without < min && min <= size
        } else {
            !Sizes::of(&item.physical).contains(without)
        }
    };
    let deciding = view.items(pipe).filter(|(pin, item)| states_range(*pin, item) && decides(item));
    deciding
        .map(|(pin, item)| {
            warning(
                codes::IN_PIN_RANGE,
                Some(pin),
                format!(
                    "its PhysicalRange ({} to {}, step {}) makes the pipe's frames {size} bytes; without it they would have {without}",
                    item.physical.min, item.physical.max, item.physical.step
                ),
                "KSProxy is documented to ignore the physical range of in pins: on Windows expect the other size, or state the \
                 range at the out pin",
            )
        })
        .collect()
}

/// Whether frames always move: in kspipe, and in any program.
fn starvation(view: &View<'_>) -> Vec<Warning> {
    let (graph, plan) = (view.graph, view.plan);
    let worst = starvation_of(graph, plan, Behaviour::Any);
    if matches!(worst, Verdict::Moves(_)) {
        return Vec::new();
    }
    let (code, verdict) = match starvation_of(graph, plan, Behaviour::InOrder) {
        Verdict::Moves(_) => (codes::MAY_STALL, worst),
        verdict => (codes::STALLS, verdict),
    };
    match verdict {
        Verdict::Moves(_) => Vec::new(),
        Verdict::Unproven(pipes) => {
            let message = match pipes.first() {
                Some(pipe) => format!("{}: whether each always gets one is not proven", pipe.describe(graph)),
                None => "whether frames always move was not found out within the stated limit".to_owned(),
            };
            let help = "let all but one copy into another pipe: a `copy` route, or a bridge";
            vec![warning(codes::NOT_PROVEN_TO_MOVE, None, message, help)]
        }
        Verdict::Stalls(starvation) => {
            let help = starvation.help(graph);
            let why = |pipe: Option<PipeId>| {
                let of_pipe =
                    starvation.circles.iter().find(|circle| pipe.is_some_and(|pipe| circle.pipes.contains(&pipe)));
                of_pipe.map_or_else(|| starvation.describe(graph, plan), |circle| circle.describe(graph, plan))
            };
            let who = match code == codes::STALLS {
                true => "",
                false => {
                    ", where filters keep any frames, as many as they may, and send only once they have all they acquire"
                }
            };
            let Some(cure) = starvation.cure.as_ref().filter(|cure| !cure.pipes.is_empty()) else {
                return vec![warning(code, None, format!("the graph stalls{who}: {}", why(None)), help)];
            };
            let at = cure.pipes.iter().map(|shortage| {
                let frames = if shortage.frames == 1 { "frame" } else { "frames" };
                let message = format!(
                    "pipe {} has {} {frames} and needs {}, or the graph stalls{who}: {}",
                    shortage.pipe.0,
                    shortage.frames,
                    shortage.needed,
                    why(Some(shortage.pipe))
                );
                warning(code, Some(shortage.pin), message, help.as_str())
            });
            at.collect()
        }
    }
}

fn com_limits(view: &View<'_>, pipe: PipeId) -> Option<Warning> {
    let too_large = super::com::check(view.pipe(pipe)).err()?;
    Some(warning(
        codes::COM_LIMITS,
        None,
        format!("pipe {}: {too_large}", pipe.0),
        "the plan is valid, but writing it to a COM allocator fails with E_OUTOFMEMORY; ask for fewer or smaller frames there",
    ))
}
