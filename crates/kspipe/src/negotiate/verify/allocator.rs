//! Rule 6: who allocates.

use super::super::{AllocatorChoice, AllocatorKind, AllocatorPlace, Pipe};
use super::{Findings, Rule, View};
use crate::graph::{Direction, FramingItem, Mode, PinId};
use ks::{AllocatorFlags, KSMEMORY_TYPE_USER};

pub(super) fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    let distance = distances(view);
    for pipe in &view.plan.pipes {
        let musts: Vec<PinId> = with_item(view, pipe, |item| !item.is_preference() && item.must_allocate());
        if musts.len() > 1 {
            let names: Vec<String> = musts.iter().map(|pin| findings.name(*pin)).collect();
            let message = format!("{} must each allocate, and share a pipe", names.join(" and "));
            findings.push(Rule::Allocator, &musts, message);
            continue;
        }
        let expected = allocator(view, pipe, &distance);
        if pipe.allocator != expected {
            let message = format!(
                "the pipe of {} is allocated by {}; by the order of preference it is {}",
                findings.name(pipe.pins[0]),
                describe(&pipe.allocator, findings),
                describe(&expected, findings)
            );
            let pins: Vec<PinId> = pipe.allocator.pin.into_iter().chain(expected.pin).collect();
            findings.push(Rule::Allocator, &pins, message);
        }
    }
}

/// By pin: the number of steps of the longest way to it inside its pipe.
fn distances(view: &View<'_>) -> Vec<u32> {
    let mut distance = vec![0; view.graph.pins().len()];
    for pin in &view.order {
        for next in &view.same_frame[pin.index()] {
            distance[next.index()] = distance[next.index()].max(distance[pin.index()] + 1);
        }
    }
    distance
}

fn with_item(view: &View<'_>, pipe: &Pipe, wanted: impl Fn(&FramingItem) -> bool) -> Vec<PinId> {
    pipe.pins.iter().copied().filter(|pin| view.item(*pin).is_some_and(&wanted)).collect()
}

/// The farthest downstream of `pins`; of several, the first by name.
fn last(view: &View<'_>, pins: impl IntoIterator<Item = PinId>, distance: &[u32]) -> Option<PinId> {
    pins.into_iter().reduce(|best, pin| match distance[pin.index()].cmp(&distance[best.index()]) {
        std::cmp::Ordering::Greater => pin,
        std::cmp::Ordering::Equal if view.graph.pin_name(pin) < view.graph.pin_name(best) => pin,
        _ => best,
    })
}

/// The one rule 6 names, where at most one pin must allocate.
fn allocator(view: &View<'_>, pipe: &Pipe, distance: &[u32]) -> AllocatorChoice {
    let has_user_pin = view.mode(pipe) == Mode::User;
    let may = |pin: &PinId| !(has_user_pin && view.is_kernel(*pin));
    let last_that = |wanted: &dyn Fn(&FramingItem) -> bool| {
        last(view, with_item(view, pipe, wanted).into_iter().filter(may), distance)
    };
    let must = with_item(view, pipe, |item| !item.is_preference() && item.must_allocate()).first().copied();
    let steps = [
        (AllocatorKind::MustAllocate, must),
        (AllocatorKind::Prefers, last_that(&|item| item.is_preference() && item.must_allocate())),
        (AllocatorKind::Exists, last_that(&|item| item.flags.contains(AllocatorFlags::ALLOCATOR_EXISTS))),
        (
            AllocatorKind::DeviceSpecific,
            last_that(&|item| item.flags.contains(AllocatorFlags::DEVICE_SPECIFIC | AllocatorFlags::CAN_ALLOCATE)),
        ),
        (AllocatorKind::CanAllocate, last_that(&|item| item.flags.contains(AllocatorFlags::CAN_ALLOCATE))),
    ];
    let chosen = steps.into_iter().find_map(|(kind, pin)| pin.map(|pin| (kind, Some(pin))));
    let (kind, pin) = chosen.unwrap_or_else(|| {
        let in_pins = pipe.pins.iter().copied().filter(|pin| view.graph.pin(*pin).direction() == Direction::In);
        let kernel_memory = !has_user_pin && pipe.memory_type != KSMEMORY_TYPE_USER;
        (AllocatorKind::Default, if kernel_memory { last(view, in_pins, distance) } else { None })
    });
    let place = match pin {
        None => AllocatorPlace::None,
        Some(_) if pin == pipe.pins.first().copied() => AllocatorPlace::FirstPin,
        Some(_) if pin == last(view, pipe.pins.iter().copied(), distance) => AllocatorPlace::LastPin,
        Some(_) => AllocatorPlace::MiddlePin,
    };
    AllocatorChoice { kind, pin, place }
}

fn describe(choice: &AllocatorChoice, findings: &Findings<'_>) -> String {
    let pin = choice.pin.map_or("nobody".to_owned(), |pin| findings.name(pin));
    format!("{pin} ({}, {})", choice.kind.name(), choice.place.name())
}
