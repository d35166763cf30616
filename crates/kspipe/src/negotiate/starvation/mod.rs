//! Whether frames always move: a proof, or who waits for whom for ever, and the fewest frames that end it.
//!
//! A pipe with too few frames makes everybody wait: whoever takes frames out of it waits for one to come home, and that
//! waits for a filter which keeps frames until more come. Where branches of a tee meet again this goes round through
//! several pipes, and no pin of the pipe that is too small says so. `docs/negotiation.md` has the model and its proof.

mod circles;
mod cure;
mod model;
mod shared;
mod wording;

use super::{Pipe, PipeId, Plan};
use crate::graph::{FilterId, Framing, FramingItem, Graph, PinId};
use circles::{Circle as FoundCircle, Search, period, search};
use model::{Model, Node, Why, held};

/// What is taken for granted of filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Behaviour {
    /// What `kspipe run` does: only a `hold` keeps frames back, and every filter works as kspipe's do, in the order
    /// `docs/streaming.md` tells.
    Run,
    /// Pins keep as many frames back as they state (`holds`), the newest ones; else as in `kspipe run`.
    InOrder,
    /// The worst any program may do with what its pins state: they keep any frames, as many as stated, for as long as
    /// they like, and a filter sends and gives back nothing before it has every frame it acquires in that turn.
    Any,
}

/// Whether frames always move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They do, in whatever order the filters get to work.
    Moves(Proof),
    /// They stop, in whatever order the filters get to work, once so many frames have come; where [`Starvation::shared`]
    /// is not empty, in an order that nothing prevents.
    Stalls(Starvation),
    /// Neither was proven: several places take frames of one of these pipes, or the search was given up (none).
    Unproven(Vec<SharedPipe>),
}

/// A schedule that never stops: turn `k` of a filter comes `lag` turns of the source after its own turn `k`. Whoever
/// keeps to it always finds a free frame, and whoever does not is only earlier.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// By filter: how many frames it is behind.
    pub lags: Vec<u64>,
    /// By pipe.
    pub pipes: Vec<PipeProof>,
}

/// What the schedule needs of a pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PipeProof {
    /// The pipe.
    pub pipe: PipeId,
    /// Frames that are out at once by the schedule, at most [`frames`](Self::frames). The graph may move with fewer.
    pub used: u64,
    /// Frames the plan gives it.
    pub frames: u64,
}

/// Why frames stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Starvation {
    /// Circles in which each waits for the next, one for each cure or more; empty where only [`shared`](Self::shared)
    /// pipes are at fault.
    pub circles: Vec<Circle>,
    /// Pipes of which one place may take all frames while another, that it waits for, needs one.
    pub shared: Vec<SharedPipe>,
    /// The frames that cure it; `None`: no number of frames does.
    pub cure: Option<Cure>,
}

/// Filters of which each waits for the next, and the last for the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circle {
    /// In the order of waiting.
    pub waits: Vec<Wait>,
    /// The pins that keep frames back in it, and how many.
    pub holders: Vec<(PinId, u64)>,
    /// The pipes whose frames are all out.
    pub pipes: Vec<PipeId>,
    /// How many frames more, in any of these pipes, would open it.
    pub missing: u64,
}

/// One filter waits for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Who waits.
    pub filter: FilterId,
    /// What for.
    pub what: Awaited,
    /// Who would have to give it.
    pub from: FilterId,
}

/// What a filter waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// Its next frame.
    Frame,
    /// A free frame of this pipe.
    FreeFrame(PipeId),
}

/// Frames to add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cure {
    /// The pipes that need more, by number.
    pub pipes: Vec<Shortage>,
    /// No fewer frames in all would do; of the ways to add so many, this takes the fewest bytes, and then the pipes of
    /// the lowest numbers. False where the search for it was given up: the cure cures, but may be larger than needed.
    pub smallest: bool,
}

/// A pipe with too few frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// The pipe.
    pub pipe: PipeId,
    /// The pin to say so at: `frames = needed` in every item of its framing.
    pub pin: PinId,
    /// Frames the plan gives it.
    pub frames: u64,
    /// Frames it needs.
    pub needed: u64,
}

/// A pipe of which several places take frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedPipe {
    /// The pipe.
    pub pipe: PipeId,
    /// The out pins that acquire there, and the in pins behind bridges.
    pub takers: Vec<PinId>,
}

/// Whether frames always move in a graph that runs by a plan, where pins keep frames back as they state
/// ([`Behaviour::InOrder`]).
///
/// ```
/// use kspipe::graph::{Direction, FramingItem, Graph, RouteKind};
/// use kspipe::negotiate::{Verdict, negotiate, starvation};
///
/// // A tee whose branches meet again: one keeps three frames back, in a pipe of its own behind a copy.
/// let mut graph = Graph::builder();
/// graph.filter("source").pin("out", Direction::Out);
/// for (filter, ins, outs) in
///     [("tee", &["in"][..], &["a", "b"][..]), ("delay", &["in"], &["out"]), ("join", &["a", "b"], &["out"])]
/// {
///     ins.iter().for_each(|pin| _ = graph.filter(filter).pin(pin, Direction::In));
///     outs.iter().for_each(|pin| _ = graph.filter(filter).pin(pin, Direction::Out));
/// }
/// graph.filter("tee").route("in", "a", RouteKind::Pass).route("in", "b", RouteKind::Copy);
/// graph.filter("delay").route("in", "out", RouteKind::Pass).pin("in", Direction::In).holds(3);
/// graph.filter("join").route("a", "out", RouteKind::Pass);
/// graph.filter("sink").pin("in", Direction::In);
/// for (from, to) in [("source.out", "tee.in"), ("tee.a", "join.a"), ("tee.b", "delay.in"), ("delay.out", "join.b")] {
///     graph.connect(from, to);
/// }
/// graph.connect("join.out", "sink.in");
/// let graph = graph.build()?;
/// let plan = negotiate(&graph)?;
/// let Verdict::Stalls(starvation) = starvation(&graph, &plan) else { panic!("it moves") };
/// let cure = starvation.cure.as_ref().unwrap();
/// assert_eq!((cure.pipes[0].frames, cure.pipes[0].needed), (1, 4));
/// let cured = starvation.cured(&graph);
/// assert!(matches!(kspipe::negotiate::starvation(&cured, &negotiate(&cured)?), Verdict::Moves(_)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn starvation(graph: &Graph, plan: &Plan) -> Verdict {
    starvation_of(graph, plan, Behaviour::InOrder)
}

/// Whether frames always move, by what is taken for granted of filters. The plan must be one of this graph's.
///
/// Takes time linear in the pins where every pipe has a frame for each that is kept on the way from where its frames are
/// acquired to where they are given back; a little more near pipes that have not.
pub fn starvation_of(graph: &Graph, plan: &Plan, behaviour: Behaviour) -> Verdict {
    let model = Model::of(graph, plan, behaviour);
    let view = View { graph, plan, behaviour, model: &model };
    let none = vec![0; model.frames.len()];
    let (circles, cure) = match search(&model, none) {
        Search::Done { circles, times, .. } if circles.is_empty() => {
            let shared = shared::judge(&model);
            return if !shared.starving.is_empty() {
                Verdict::Stalls(Starvation { circles: Vec::new(), shared: shared.starving, cure: None })
            } else if !shared.open.is_empty() {
                Verdict::Unproven(shared.open)
            } else {
                Verdict::Moves(view.proof(&times))
            };
        }
        Search::Done { mut circles, added, .. } => {
            let bytes: Vec<u128> = plan.pipes.iter().map(bytes_of_frame).collect();
            let frames = cure::cure(&model, &bytes, &mut circles, added);
            (circles, Some(view.cure(frames)))
        }
        Search::Incurable(circle) => (vec![circle], None),
        Search::Limit => return Verdict::Unproven(Vec::new()),
    };
    let mut told: Vec<Circle> = circles.iter().map(|circle| view.circle(circle)).collect();
    let mut seen = std::collections::HashSet::new();
    told.retain(|circle| circle.missing > 0 && seen.insert(format!("{circle:?}")));
    let shared = if cure.is_some() { shared::judge(&model).starving } else { Vec::new() };
    let cure = cure.filter(|_| shared.is_empty());
    Verdict::Stalls(Starvation { circles: told, shared, cure })
}

impl Starvation {
    /// The graph with the cure written into it: `frames` in every item of the pins that [`Cure::pipes`] names, an item
    /// of its own where a pin has none.
    pub fn cured(&self, graph: &Graph) -> Graph {
        let mut cured = graph.clone();
        for shortage in self.cure.iter().flat_map(|cure| &cure.pipes) {
            let frames = u32::try_from(shortage.needed).unwrap_or(u32::MAX);
            let pin = &mut cured.pins[shortage.pin.index()];
            match &mut pin.framing {
                Framing::Old(item) => item.frames = item.frames.max(frames),
                Framing::Extended(items) if !items.is_empty() => {
                    items.iter_mut().for_each(|item| item.frames = item.frames.max(frames));
                }
                none => *none = Framing::Extended(vec![FramingItem { frames, ..FramingItem::default() }]),
            }
        }
        cured
    }
}

/// From nodes and edges back to filters, pins and pipes.
struct View<'a> {
    graph: &'a Graph,
    plan: &'a Plan,
    behaviour: Behaviour,
    model: &'a Model,
}

impl View<'_> {
    fn proof(&self, times: &[i128]) -> Proof {
        let (model, period) = (self.model, period(self.model));
        let earliest = times.iter().copied().min().unwrap_or(0);
        let lag = |time: i128| to_u64((time - earliest) / period);
        let mut lags = vec![0; self.graph.filters().len()];
        for (node, time) in model.nodes.iter().zip(times) {
            if let Node::Step(filter) = node {
                lags[filter.index()] = lag(*time).max(lags[filter.index()]);
            }
        }
        let pipes = model.acquisition.iter().enumerate().filter_map(|(place, edge)| {
            let edge = &model.edges[(*edge)?];
            let delay = edge.tokens - model.frames[place];
            // The fewest frames with which the next is acquired later than this one is back.
            let behind = times[edge.from] + 1 - times[edge.to];
            let used = behind.div_euclid(period) + i128::from(behind.rem_euclid(period) > 0) - delay;
            let frames = to_u64(model.frames[place]);
            Some(PipeProof { pipe: PipeId(place as u32), used: to_u64(used.max(1)), frames })
        });
        Proof { lags, pipes: pipes.collect() }
    }

    fn cure(&self, frames: cure::Frames) -> Cure {
        let pipes = frames.added.iter().enumerate().filter(|(_, added)| **added > 0).map(|(place, added)| {
            let now = self.model.frames[place];
            let pipe = PipeId(place as u32);
            Shortage { pipe, pin: self.pin_to_say_so(pipe), frames: to_u64(now), needed: to_u64(now + added) }
        });
        Cure { pipes: pipes.collect(), smallest: frames.smallest }
    }

    /// The pin at which to ask for more frames: one whose asks count as they are, that asks for frames already if there
    /// is one; upstream ones first.
    fn pin_to_say_so(&self, pipe: PipeId) -> PinId {
        let pins = &self.plan.pipes[pipe.index()].pins;
        let rank = |pin: &PinId| match self.graph.pin(*pin).items() {
            [] => 2,
            items if items.iter().any(FramingItem::is_preference) => 3,
            items if items.iter().any(|item| item.frames > 0) => 0,
            _ => 1,
        };
        pins.iter().copied().min_by_key(rank).unwrap_or(PinId(0))
    }

    fn circle(&self, found: &FoundCircle) -> Circle {
        let edges = || found.edges.iter().map(|edge| &self.model.edges[*edge]);
        let mut kept: Vec<(PinId, i128)> = Vec::new();
        for edge in edges() {
            let sign = if matches!(edge.why, Why::Acquire(_)) { -1 } else { 1 };
            kept.extend(edge.holders.iter().flatten().map(|pin| (*pin, sign * held(self.graph, *pin, self.behaviour))));
        }
        if self.behaviour == Behaviour::Any {
            // Who keeps frames of a pipe elsewhere counts as well.
            let pipes = found.pipes.iter().flat_map(|pipe| &self.plan.pipes[*pipe].pins);
            let elsewhere: Vec<PinId> = pipes.copied().filter(|pin| !kept.iter().any(|(at, _)| at == pin)).collect();
            kept.extend(elsewhere.into_iter().map(|pin| (pin, held(self.graph, pin, self.behaviour))));
        }
        kept.sort_unstable_by_key(|(pin, _)| *pin);
        let holders = kept.chunk_by(|a, b| a.0 == b.0).filter_map(|kept| {
            let frames: i128 = kept.iter().map(|(_, frames)| frames).sum();
            let (pin, _) = kept.first()?;
            (frames > 0).then(|| (*pin, to_u64(frames)))
        });
        Circle {
            waits: self.waits(found),
            holders: holders.collect(),
            pipes: found.pipes.iter().map(|pipe| PipeId(*pipe as u32)).collect(),
            missing: to_u64(found.missing),
        }
    }

    /// Who waits for whom, from the end of each edge to its start.
    fn waits(&self, found: &FoundCircle) -> Vec<Wait> {
        let edges = found.edges.iter().rev().map(|edge| &self.model.edges[*edge]);
        let mut waits = Vec::new();
        let mut free = None;
        let mut wrapped = None;
        for edge in edges {
            let (from, to) = (self.model.nodes[edge.from], self.model.nodes[edge.to]);
            match (from, to) {
                (Node::Free(pipe), Node::Step(filter)) => free = Some((filter, pipe)),
                (Node::Step(from), Node::Free(_)) => match free.take() {
                    Some((filter, pipe)) => waits.push(Wait { filter, what: Awaited::FreeFrame(pipe), from }),
                    None => wrapped = Some(from),
                },
                (Node::Step(from), Node::Step(filter)) if edge.why == Why::Frame => {
                    waits.push(Wait { filter, what: Awaited::Frame, from });
                }
                _ => {}
            }
        }
        if let (Some((filter, pipe)), Some(from)) = (free, wrapped) {
            waits.push(Wait { filter, what: Awaited::FreeFrame(pipe), from });
        }
        // Told from the first that waits for a free frame on.
        let start = waits.iter().position(|wait| wait.what != Awaited::Frame).unwrap_or(0);
        waits.rotate_left(start);
        waits
    }
}

/// Bytes that one more frame of a pipe takes.
fn bytes_of_frame(pipe: &Pipe) -> u128 {
    (u128::from(pipe.prefix) + u128::from(pipe.frame_size)).next_multiple_of(u128::from(pipe.alignment.max(1)))
}

fn to_u64(number: i128) -> u64 {
    u64::try_from(number.max(0)).unwrap_or(u64::MAX)
}
