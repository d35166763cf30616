//! What negotiation makes of a graph: a plan with its warnings, or the reason why there is none.

use super::routes::flags_at;
use super::{Found, about};
use crate::check::Member;
use crate::finding::{Finding, Subject, codes, find_code};
use crate::graph::{Graph, Mode, PinId};
use crate::negotiate::{NegotiateError, Pipe, Plan, describe, negotiate};
use crate::stream::processes::{is_boundary, shared_memory};
use ks::AllocatorFlags;

/// Negotiates, and says what comes of it.
pub(super) fn with_the_plan(graph: &Graph, found: &mut Found) {
    match negotiate(graph) {
        Ok(plan) => {
            for warning in describe::warnings(graph, &plan) {
                let Some(code) = find_code(warning.code) else { continue };
                let subject = warning.pin.map(|pin| about(graph, pin)).unwrap_or_default();
                found.push((warning.pin, Finding::new(code, subject, warning.message, warning.help)));
            }
            for pin in graph.pin_ids() {
                cannot_win(graph, &plan, pin, found);
            }
            for pipe in &plan.pipes {
                frames_under_holds(graph, &plan, pipe, found);
            }
            not_to_be_shared(graph, &plan, found);
        }
        Err(error) => found.push(no_plan(graph, &error)),
    }
}

fn no_plan(graph: &Graph, error: &NegotiateError) -> (Option<PinId>, Finding) {
    let message = error.describe(graph);
    match error {
        NegotiateError::Infeasible(infeasible) => {
            let pin = infeasible.pins.first().copied();
            let subject = pin.map(|pin| about(graph, pin)).unwrap_or_default();
            (pin, Finding::new(&codes::NO_PLAN, subject, message, infeasible.help.as_str()))
        }
        NegotiateError::Cycle(pins) => {
            let pin = pins.first().copied();
            let subject = pin.map(|pin| about(graph, pin)).unwrap_or_default();
            let help = "take one of these connections or routes out: frames would go round for ever";
            (pin, Finding::new(&codes::NO_PLAN, subject, message, help))
        }
        NegotiateError::Undecided { .. } => {
            let help =
                "give pins fewer alternatives with different steppings, or take undirected cycles out of the graph";
            (None, Finding::new(&codes::UNDECIDED, Subject::default(), message, help))
        }
    }
}

/// The other pins that a missing plan is about, with what each asks.
pub(super) fn other_pins(finding: &Finding, graph: &Graph) -> Vec<(PinId, String)> {
    if finding.code != &codes::NO_PLAN {
        return Vec::new();
    }
    let Err(NegotiateError::Infeasible(infeasible)) = negotiate(graph) else { return Vec::new() };
    let asks = infeasible.asks.into_iter();
    asks.map(|(pin, ask)| (pin, format!("{}: {ask}", graph.pin_name(pin)))).collect()
}

/// KS052: a kernel-mode pin that can allocate, in a pipe whose frames it cannot.
fn cannot_win(graph: &Graph, plan: &Plan, pin: PinId, found: &mut Found) {
    let Some(chosen) = plan.items[pin.index()] else { return };
    let Some(item) = graph.pin(pin).items().get(chosen as usize) else { return };
    let pipe = plan.pipe(pin);
    // A wish to allocate that is not met is a warning of the plan already.
    let offers = item.flags.contains(AllocatorFlags::CAN_ALLOCATE) && !item.must_allocate();
    if !offers || graph.mode(pin) != Mode::Kernel || pipe.mode != Mode::User || pipe.allocator.pin == Some(pin) {
        return;
    }
    if graph.device_memory(pipe.memory_type).is_some_and(|memory| memory.user_mappable) {
        return;
    }
    let user = pipe.pins.iter().find(|pin| graph.mode(**pin) == Mode::User);
    let Some(user) = user.map(|pin| graph.pin_name(*pin)) else { return };
    let (at, member) = flags_at(graph, pin, chosen as usize);
    let mut subject = about(graph, pin).member(member);
    subject.item = at;
    let message = format!(
        "the pin offers to allocate, and never can: {user}, in the same pipe, is in user mode, where frames of a kernel-mode \
         allocator cannot go"
    );
    let help = "keep the pipe in the kernel, offer device memory that user mode can map, or leave CAN_ALLOCATE out";
    found.push((Some(pin), Finding::new(&codes::CANNOT_WIN, subject, message, help)));
}

/// KS054: no pin of the pipe asks for as many frames as its pins hold, and one more.
fn frames_under_holds(graph: &Graph, plan: &Plan, pipe: &Pipe, found: &mut Found) {
    let holds = pipe.pins.iter().filter_map(|pin| graph.pin(*pin).holds());
    let held: u64 = holds.map(u64::from).fold(0, u64::saturating_add);
    let asked = |pin: &PinId| {
        let item = plan.items[pin.index()]? as usize;
        let frames = graph.pin(*pin).items().get(item)?.frames;
        (frames > 0).then_some((frames, *pin, item))
    };
    // The most, and of equals the first.
    let most = pipe.pins.iter().filter_map(asked).max_by_key(|(frames, pin, _)| (*frames, std::cmp::Reverse(*pin)));
    let Some((frames, pin, item)) = most.filter(|(frames, ..)| held > 0 && u64::from(*frames) <= held) else { return };
    let needed = held.saturating_add(1);
    let (at, _) = flags_at(graph, pin, item);
    let mut subject = about(graph, pin).member(Member::Frames.name());
    subject.item = at;
    let message = format!(
        "{frames} frames are the most that a pin of the pipe asks for; its pins hold {held} at once, so it takes {needed}"
    );
    let help =
        format!("ask for {needed}: kspipe adds what is missing, a proxy that cannot know what pins hold does not");
    let finding = Finding::new(&codes::FRAMES_UNDER_HOLDS, subject, message, help);
    // More than a ULONG can be asked for by nobody.
    let finding = if u32::try_from(needed).is_ok() { finding.fixed_by(needed) } else { finding };
    found.push((Some(pin), finding));
}

/// KS025: frames that go from one process to another, in memory that only one can map.
fn not_to_be_shared(graph: &Graph, plan: &Plan, found: &mut Found) {
    let has_process = |filter: usize| graph.filters()[filter].process().is_some();
    for connection in graph.connections().iter().filter(|connection| is_boundary(graph, connection.to, has_process)) {
        let Err(memory) = shared_memory(graph, plan.pipe(connection.to).memory_type) else { continue };
        // At the filter that is to have a process; once, where both are.
        let filter = |pin: PinId| graph.pin(pin).filter();
        let receives = has_process(filter(connection.to).0 as usize);
        let pin = if receives { connection.to } else { connection.from };
        let message = format!(
            "`{}` has a process of its own, and the frames of {} are in {memory} memory (pipe {}), which processes cannot share",
            graph.filter(filter(pin)).name(),
            graph.pin_name(pin),
            plan.pipe_of[connection.to.index()].0
        );
        let help = "ask for `user` or `kernel-paged` memory, or leave `process = true` out";
        found.push((Some(pin), Finding::new(&codes::NOT_TO_BE_SHARED, about(graph, pin), message, help)));
    }
}
