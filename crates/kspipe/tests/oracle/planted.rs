//! Solvers with one error each, and what brute force should say of them.

use super::brute::{best_plan_by, keys};
use super::rebuilt::{Parts, Says, rebuilt_with};
use ks::{KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_KERNEL_PAGED, KSMEMORY_TYPE_WILDCARD, RequirementFlags};
use kspipe::graph::{Bridges, FrameRange, Graph, Mode, PinId, Route, RouteKind, Strategy};
use kspipe::negotiate::{AllocatorPlace, Cost, NegotiateError, Plan, negotiate};

type Answer = Result<Plan, NegotiateError>;

/// A solver that is wrong in one thing.
pub(crate) struct Planted {
    pub(crate) error: &'static str,
    pub(crate) solver: fn(&Graph) -> Answer,
    /// What the comparison says of it first: one of these.
    pub(crate) found_as: &'static [&'static str],
    /// The pins of the smallest graph that shows it.
    pub(crate) pins: usize,
}

/// Negotiates as if pins said something else, and takes the plan for the graph's.
fn if_pins_said(graph: &Graph, change: impl Fn(&mut Says)) -> Answer {
    negotiate(&rebuilt_with(graph, |_, says| change(says), |route| route.kind))
}

/// The same with items only.
fn if_items_said(graph: &Graph, change: impl Fn(&mut kspipe::graph::FramingItem)) -> Answer {
    if_pins_said(graph, |says| says.items.iter_mut().for_each(&change))
}

/// The same with routes.
fn if_routes_were(graph: &Graph, from: RouteKind, to: RouteKind) -> Answer {
    let kind = |route: &Route| if route.kind == from { to } else { route.kind };
    let mut plan = negotiate(&rebuilt_with(graph, |_: PinId, _: &mut Says| {}, kind))?;
    for copy in &mut plan.copies {
        if let Some(route) =
            graph.routes().iter().find(|route| (route.from, route.to) == (copy.route.from, copy.route.to))
        {
            copy.route = *route;
            copy.chosen = route.kind == RouteKind::Either;
        }
    }
    Ok(plan)
}

fn by_keys(graph: &Graph, keys: &dyn Fn(&Cost) -> Vec<u128>) -> Answer {
    best_plan_by(graph, keys).ok_or_else(nothing)
}

fn nothing() -> NegotiateError {
    NegotiateError::Infeasible(Box::default())
}

fn forbidding_bridges(graph: &Graph) -> Graph {
    Parts { bridges: Bridges::Forbid, ..Parts::of(graph) }.build()
}

/// The keys without one of them.
fn without(graph: &Graph, zero: fn(&mut Cost)) -> Answer {
    let keys = keys(graph.strategy());
    by_keys(graph, &move |cost| {
        let mut cost = *cost;
        zero(&mut cost);
        keys(&cost)
    })
}

/// A plan with something changed that the cost follows.
fn then(graph: &Graph, change: fn(&mut Plan)) -> Answer {
    let mut plan = negotiate(graph)?;
    change(&mut plan);
    Ok(plan)
}

const INVALID: &[&str] = &["invalid"];
const MISSED: &[&str] = &["missed"];
const DEAR: &[&str] = &["dear"];

/// The errors.
pub(crate) const PLANTED: &[Planted] = &[
    Planted {
        error: "frames held are forgotten",
        found_as: INVALID,
        pins: 1,
        solver: |graph| if_pins_said(graph, |says| says.holds = None),
    },
    Planted {
        error: "media frames are forgotten",
        found_as: INVALID,
        pins: 1,
        solver: |graph| if_pins_said(graph, |says| says.media_size = None),
    },
    Planted {
        error: "compressions are forgotten",
        found_as: &["invalid", "invented"],
        pins: 2,
        solver: |graph| if_pins_said(graph, |says| says.compression = kspipe::graph::Compression::NONE),
    },
    Planted {
        error: "only the first item of a pin is seen",
        found_as: &["missed", "dear"],
        pins: 1,
        solver: |graph| if_pins_said(graph, |says| says.items.truncate(1)),
    },
    Planted {
        error: "steppings are forgotten",
        found_as: &["invalid", "invented"],
        pins: 1,
        solver: |graph| if_items_said(graph, |item| item.physical.step = 1),
    },
    Planted {
        error: "maxima are forgotten",
        found_as: &["invalid", "invented"],
        pins: 1,
        solver: |graph| if_items_said(graph, |item| item.physical.max = u32::MAX),
    },
    Planted {
        error: "minima are forgotten",
        found_as: &["invalid", "invented"],
        pins: 1,
        solver: |graph| if_items_said(graph, |item| item.physical.min = 0),
    },
    Planted {
        error: "capacities are forgotten",
        found_as: &["invalid", "invented"],
        pins: 1,
        solver: |graph| if_items_said(graph, |item| item.optimal = FrameRange::OPEN),
    },
    Planted {
        error: "alignments are forgotten",
        found_as: INVALID,
        pins: 1,
        solver: |graph| if_items_said(graph, |item| item.alignment = 0),
    },
    Planted {
        error: "counts are forgotten",
        found_as: INVALID,
        pins: 1,
        solver: |graph| if_items_said(graph, |item| item.frames = 0),
    },
    Planted {
        error: "memory types are forgotten",
        found_as: &["invalid", "invented"],
        pins: 1,
        solver: |graph| if_items_said(graph, |item| item.memory = KSMEMORY_TYPE_WILDCARD),
    },
    Planted {
        error: "MUST_ALLOCATE is forgotten",
        found_as: &["invalid", "invented"],
        pins: 1,
        solver: |graph| if_items_said(graph, |item| item.requirements.remove(RequirementFlags::MUST_ALLOCATE)),
    },
    Planted {
        error: "INPLACE_MODIFIER is forgotten",
        found_as: &["invalid", "invented"],
        pins: 2,
        solver: |graph| if_items_said(graph, |item| item.requirements.remove(RequirementFlags::INPLACE_MODIFIER)),
    },
    Planted {
        error: "FRAME_INTEGRITY is forgotten",
        found_as: &["invalid", "invented"],
        pins: 2,
        solver: |graph| if_items_said(graph, |item| item.requirements.remove(RequirementFlags::FRAME_INTEGRITY)),
    },
    Planted {
        error: "preferences are required",
        found_as: &["missed", "dear", "invalid"],
        pins: 1,
        solver: |graph| {
            if_items_said(graph, |item| {
                item.requirements.remove(RequirementFlags::PREFERENCES_ONLY);
                item.physical.max = item.physical.max.max(item.physical.min);
            })
        },
    },
    Planted {
        error: "requirements are preferred",
        found_as: &["invalid", "invented"],
        pins: 1,
        solver: |graph| if_items_said(graph, |item| item.requirements.insert(RequirementFlags::PREFERENCES_ONLY)),
    },
    Planted {
        error: "everybody is in user mode",
        found_as: &["invalid", "invented", "missed"],
        pins: 1,
        solver: |graph| if_pins_said(graph, |says| says.mode = Mode::User),
    },
    Planted {
        error: "nothing is ever bridged",
        found_as: MISSED,
        pins: 3,
        solver: |graph| negotiate(&forbidding_bridges(graph)),
    },
    Planted {
        error: "no either route is taken as a copy",
        found_as: &["missed", "dear"],
        pins: 3,
        solver: |graph| if_routes_were(graph, RouteKind::Either, RouteKind::InPlace),
    },
    Planted {
        error: "every either route is taken as a copy",
        found_as: &["missed", "invalid"],
        pins: 2,
        solver: |graph| if_routes_were(graph, RouteKind::Either, RouteKind::Copy),
    },
    Planted {
        error: "who writes in place only passes on",
        found_as: &["invalid", "invented", "missed"],
        pins: 3,
        solver: |graph| if_routes_were(graph, RouteKind::InPlace, RouteKind::Pass),
    },
    Planted { error: "nothing has a plan", found_as: MISSED, pins: 1, solver: |_| Err(nothing()) },
    Planted {
        error: "a graph of several pins is undecided",
        found_as: &["missed", "undecided"],
        pins: 2,
        solver: |graph| {
            if graph.pins().len() > 1 { Err(NegotiateError::Undecided { states: 0 }) } else { negotiate(graph) }
        },
    },
    Planted {
        error: "a frame too many",
        found_as: DEAR,
        pins: 1,
        solver: |graph| {
            then(graph, |plan| {
                let pipe = &mut plan.pipes[0];
                pipe.frames += 1;
                plan.cost.frames += 1;
                plan.cost.bytes += u128::from(pipe.frame_size).next_multiple_of(pipe.alignment.into());
            })
        },
    },
    Planted {
        error: "the allocator stands elsewhere",
        found_as: INVALID,
        pins: 1,
        solver: |graph| {
            then(graph, |plan| {
                plan.pipes[0].allocator.place = AllocatorPlace::MiddlePin;
            })
        },
    },
    Planted {
        error: "the cost leaves out a pipe",
        found_as: INVALID,
        pins: 1,
        solver: |graph| {
            then(graph, |plan| {
                plan.cost.allocators -= 1;
            })
        },
    },
    Planted {
        error: "every strategy is maximize-speed",
        found_as: DEAR,
        pins: 3,
        solver: |graph| by_keys(graph, &keys(Strategy::MaximizeSpeed)),
    },
    Planted {
        error: "departures do not count",
        found_as: DEAR,
        pins: 1,
        solver: |graph| without(graph, |cost| cost.departures = 0),
    },
    Planted {
        error: "depth does not count",
        found_as: DEAR,
        pins: 5,
        solver: |graph| without(graph, |cost| cost.depth = 0),
    },
    Planted {
        error: "bytes copied do not count",
        found_as: DEAR,
        pins: 3,
        solver: |graph| without(graph, |cost| cost.bytes_copied = 0),
    },
    Planted {
        error: "bytes do not count",
        found_as: DEAR,
        pins: 1,
        solver: |graph| without(graph, |cost| cost.bytes = 0),
    },
    Planted {
        error: "paged memory is taken where nonpaged is as good",
        found_as: &["tie"],
        pins: 1,
        solver: |graph| {
            then(graph, |plan| {
                for pipe in plan.pipes.iter_mut().filter(|pipe| pipe.memory_type == KSMEMORY_TYPE_KERNEL_NONPAGED) {
                    pipe.memory_type = KSMEMORY_TYPE_KERNEL_PAGED;
                }
            })
        },
    },
];
