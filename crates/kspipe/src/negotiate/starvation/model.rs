//! A graph and its plan as a marked graph: who must have done what before whom, and how many frames earlier.
//!
//! A *step* is something a filter does once a frame, in turn `0`, `1`, `2`...: it takes a frame of each connected in
//! pin, then it acquires a frame of a pipe for each copy and each bridge, one after the other. *Free* of a pipe is that
//! its frame `k` has come home. An edge from `u` to `v` with `m` tokens says: turn `k` of `v` needs turn `k - m` of `u`.
//! `m` is negative where somebody keeps frames back.

use super::Behaviour;
use crate::graph::{Direction, Filter, FilterId, Graph, PinId, RouteKind, Run};
use crate::negotiate::facts::find;
use crate::negotiate::{PipeId, Plan};

pub(super) type NodeId = usize;

/// What has turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// A step of a filter.
    Step(FilterId),
    /// The frames of a pipe come home.
    Free(PipeId),
}

/// Why one waits for the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// A filter does one thing after the other.
    Order,
    /// A frame comes to an in pin.
    Frame,
    /// A frame has to be given back by this step.
    Back,
    /// A frame is acquired.
    Acquire(PipeId),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Edge {
    pub(super) from: NodeId,
    pub(super) to: NodeId,
    pub(super) tokens: i128,
    pub(super) why: Why,
    /// The pins whose kept frames are in `tokens`: taken off, or for an acquisition added.
    pub(super) holders: [Option<PinId>; 2],
}

impl Edge {
    /// It leads from a turn to a later one only, and so closes circles.
    pub(super) fn goes_back(&self) -> bool {
        matches!(self.why, Why::Acquire(_)) || (self.why == Why::Order && self.tokens > 0)
    }
}

/// Somebody who takes frames out of a pipe.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taker {
    pub(super) pipe: PipeId,
    pub(super) step: NodeId,
    /// The out pin whose frames they become, or the in pin behind a bridge.
    pub(super) pin: PinId,
    /// Turns between the step's and the frame's.
    delay: i128,
    holder: Option<PinId>,
}

#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Vec<Edge>,
    /// By pipe.
    pub(super) free: Vec<NodeId>,
    /// By pipe: the frames of the plan.
    pub(super) frames: Vec<i128>,
    /// By pipe: its acquisition, where only one place takes frames of it.
    pub(super) acquisition: Vec<Option<usize>>,
    /// Those who take frames of a pipe that has several, pipe after pipe.
    pub(super) shared: Vec<Taker>,
}

/// How frames come to an out pin, and which of the filter's in pins keeps them back.
#[derive(Clone, Copy, Debug)]
struct Outlet {
    pin: PinId,
    /// It sends a new frame; else the one that came.
    is_new: bool,
    bridge: Option<PipeId>,
    /// The in pin that keeps frames back longest on the way to it.
    keeper: Option<PinId>,
}

/// What a model is made from.
struct Builder<'a> {
    graph: &'a Graph,
    plan: &'a Plan,
    behaviour: Behaviour,
    model: Model,
    is_bridge: Vec<bool>,
    is_copy: Vec<bool>,
    /// The places of all routes, by the out pins they lead to; those to one pin in the order of the in pins.
    by_out_pin: Vec<usize>,
    /// By in pin: the first step of what takes its frames.
    takes: Vec<NodeId>,
    /// Frames sent: by whom, by which pin, and who keeps them back.
    sent: Vec<(NodeId, PinId, [Option<PinId>; 2])>,
    takers: Vec<Taker>,
    /// By pipe: frames that may be kept in it in any order. By pin: those of them on the pin's way from the pipe's start.
    any: Option<(Vec<i128>, Vec<i128>)>,
}

impl Model {
    pub(super) fn of(graph: &Graph, plan: &Plan, behaviour: Behaviour) -> Self {
        let pins = graph.pins().len();
        let mut is_bridge = vec![false; pins];
        for bridge in &plan.bridges {
            // A plan is plain data: it may name what is not there.
            if let Some(is_bridge) = is_bridge.get_mut(bridge.connection.from.index()) {
                *is_bridge = true;
            }
        }
        let mut is_copy = vec![false; graph.routes().len()];
        for (route, copy) in graph.routes().iter().zip(&mut is_copy) {
            *copy = route.kind == RouteKind::Copy;
        }
        for choice in &plan.copies {
            if let Ok(place) = graph.routes().binary_search(&choice.route) {
                is_copy[place] = true;
            }
        }
        let mut by_out_pin: Vec<usize> = (0..graph.routes().len()).collect();
        by_out_pin.sort_by_key(|place| graph.routes()[*place].to);
        let mut model = Model::default();
        for (place, pipe) in plan.pipes.iter().enumerate() {
            model.free.push(model.nodes.len());
            model.nodes.push(Node::Free(PipeId(place as u32)));
            model.frames.push(i128::from(pipe.frames));
        }
        model.acquisition = vec![None; plan.pipes.len()];
        let mut builder = Builder {
            graph,
            plan,
            behaviour,
            model,
            is_bridge,
            is_copy,
            by_out_pin,
            takes: vec![0; pins],
            sent: Vec::new(),
            takers: Vec::new(),
            any: None,
        };
        if behaviour == Behaviour::Any {
            builder.any = Some(builder.kept_in_any_order());
        }
        for (place, filter) in graph.filters().iter().enumerate() {
            for part in builder.parts(filter) {
                builder.part(FilterId(place as u32), filter, &part);
            }
        }
        builder.finish()
    }
}

impl Builder<'_> {
    /// How many frames a pin keeps back.
    fn holds(&self, pin: PinId) -> i128 {
        held(self.graph, pin, self.behaviour)
    }

    fn held_by(&self, pins: [Option<PinId>; 2]) -> i128 {
        pins.into_iter().flatten().map(|pin| self.holds(pin)).sum()
    }

    fn pipe(&self, pin: PinId) -> PipeId {
        self.plan.pipe_of[pin.index()]
    }

    fn routes_from(&self, pin: PinId) -> std::ops::Range<usize> {
        let routes = self.graph.routes();
        let start = routes.partition_point(|route| route.from < pin);
        start..start + routes[start..].partition_point(|route| route.from == pin)
    }

    /// The places of the routes that lead to an out pin.
    fn routes_to(&self, pin: PinId) -> &[usize] {
        let routes = self.graph.routes();
        let start = self.by_out_pin.partition_point(|place| routes[*place].to < pin);
        let those = &self.by_out_pin[start..];
        &those[..those.partition_point(|place| routes[*place].to == pin)]
    }

    /// Pins of a filter that work together: those joined by routes. In pins without routes work with the only such part,
    /// or where there is none with each other, as those of a filter that muxes; out pins without routes are a source.
    fn parts(&self, filter: &Filter) -> Vec<Vec<PinId>> {
        let pins: Vec<PinId> = filter.pins().collect();
        let is_in = |pin: PinId| self.graph.pin(pin).direction() == Direction::In;
        if filter.run().is_some() || !pins.iter().any(|pin| is_in(*pin)) {
            return vec![pins];
        }
        let first = pins.first().map_or(0, |pin| pin.index());
        let mut parent: Vec<u32> = (0..pins.len() as u32).collect();
        let mut is_routed = vec![false; pins.len()];
        for pin in &pins {
            for route in &self.graph.routes()[self.routes_from(*pin)] {
                let [from, to] = [route.from, route.to].map(|pin| pin.index() - first);
                (is_routed[from], is_routed[to]) = (true, true);
                let (from, to) = (find(&mut parent, from as u32), find(&mut parent, to as u32));
                parent[from as usize] = to;
            }
        }
        let mut part_of: Vec<Option<usize>> = vec![None; pins.len()];
        let mut parts: Vec<Vec<PinId>> = Vec::new();
        for (place, pin) in pins.iter().enumerate().filter(|(place, _)| is_routed[*place]) {
            let set = find(&mut parent, place as u32) as usize;
            let part = *part_of[set].get_or_insert_with(|| {
                parts.push(Vec::new());
                parts.len() - 1
            });
            parts[part].push(*pin);
        }
        let routed = parts.len();
        for (place, pin) in pins.iter().enumerate().filter(|(place, _)| !is_routed[*place]) {
            match parts.first_mut().filter(|part| routed <= 1 && is_in(*pin) && part.iter().any(|pin| is_in(*pin))) {
                Some(part) => part.push(*pin),
                // Parts of in pins first.
                None if is_in(*pin) => parts.insert(0, vec![pins[place]]),
                None => parts.push(vec![pins[place]]),
            }
        }
        parts
    }

    /// One thing a filter does, with these pins.
    fn part(&mut self, id: FilterId, filter: &Filter, pins: &[PinId]) {
        let mut steps = Steps { filter: id, first: self.model.nodes.len(), last: self.model.nodes.len() };
        self.model.nodes.push(Node::Step(id));
        let is_in = |pin: &PinId| self.graph.pin(*pin).direction() == Direction::In;
        let ins: Vec<PinId> = pins.iter().copied().filter(is_in).collect();
        let mut outlets: Vec<Outlet> = pins.iter().filter(|pin| !is_in(pin)).map(|pin| self.outlet(*pin)).collect();
        // The order in which the engine serves out pins.
        outlets.sort_by_key(|outlet| match (outlet.is_new, outlet.bridge) {
            (true, _) => 0,
            (false, None) => 1,
            (false, Some(_)) => 2,
        });
        for pin in &ins {
            self.takes[pin.index()] = steps.first;
        }
        // These give the frame they got back once they have written the new one, the others once all is sent.
        let gives_back_early = matches!(filter.run(), Some(Run::Invert | Run::Convert));
        for outlet in &outlets {
            if outlet.is_new {
                self.take(&mut steps, self.pipe(outlet.pin), outlet.pin, [outlet.keeper, None]);
                if gives_back_early {
                    self.give_back_all(&ins, steps.last);
                }
            }
            let kept = [outlet.keeper, Some(outlet.pin)];
            if let (Some(pipe), Some(peer)) = (outlet.bridge, self.graph.pin(outlet.pin).peer()) {
                self.take(&mut steps, pipe, peer, kept);
            }
            if outlet.bridge.is_some() || self.graph.pin(outlet.pin).peer().is_none() {
                self.give_back(outlet.pin, steps.last, kept);
            }
            self.sent.push((steps.last, outlet.pin, kept));
        }
        if !(gives_back_early && outlets.iter().any(|outlet| outlet.is_new)) {
            self.give_back_all(&ins, steps.last);
        }
        if steps.last != steps.first {
            self.edge(steps.last, steps.first, 1, Why::Order, [None; 2]);
        }
    }

    fn outlet(&self, pin: PinId) -> Outlet {
        let (mut passes, mut copies, mut keeper) = (false, false, None);
        for place in self.routes_to(pin) {
            let from = self.graph.routes()[*place].from;
            passes |= !self.is_copy[*place];
            copies |= self.is_copy[*place];
            if keeper.is_none_or(|keeper| self.holds(from) > self.holds(keeper)) {
                keeper = Some(from);
            }
        }
        let peer = self.graph.pin(pin).peer();
        let bridge = peer.filter(|_| self.is_bridge[pin.index()]).map(|peer| self.pipe(peer));
        Outlet { pin, is_new: copies || !passes, bridge, keeper }
    }

    /// A filter acquires a frame, after what it did before.
    fn take(&mut self, steps: &mut Steps, pipe: PipeId, pin: PinId, kept: [Option<PinId>; 2]) {
        // Worst of all is a filter that sends and gives back only once it has all it needs: one step does everything.
        if self.behaviour != Behaviour::Any {
            let step = self.model.nodes.len();
            self.model.nodes.push(Node::Step(steps.filter));
            self.edge(steps.last, step, 0, Why::Order, [None; 2]);
            steps.last = step;
        }
        // Who keeps frames back on both sides of an acquisition makes it that much later.
        let delay = self.held_by(kept);
        let holder = kept.into_iter().flatten().max_by_key(|pin| self.holds(*pin));
        self.takers.push(Taker { pipe, step: steps.last, pin, delay, holder: holder.filter(|_| delay > 0) });
    }

    fn give_back_all(&mut self, ins: &[PinId], step: NodeId) {
        for pin in ins {
            self.give_back(*pin, step, [Some(*pin), None]);
        }
    }

    /// The frame at a pin is given back in this step, or is gone to somebody else by then.
    fn give_back(&mut self, pin: PinId, step: NodeId, kept: [Option<PinId>; 2]) {
        let pipe = self.pipe(pin);
        // Who keeps other frames of the pipe than the newest that came to him leaves that many fewer.
        let elsewhere =
            self.any.as_ref().map_or(0, |(total, on_the_way)| total[pipe.index()] - on_the_way[pin.index()]);
        let tokens = -self.held_by(kept) - elsewhere;
        self.edge(step, self.model.free[pipe.index()], tokens, Why::Back, kept);
    }

    fn edge(&mut self, from: NodeId, to: NodeId, tokens: i128, why: Why, kept: [Option<PinId>; 2]) {
        let holders = kept.map(|pin| pin.filter(|pin| self.holds(*pin) > 0));
        self.model.edges.push(Edge { from, to, tokens, why, holders });
    }

    fn finish(mut self) -> Model {
        for (step, pin, kept) in std::mem::take(&mut self.sent) {
            if let Some(peer) = self.graph.pin(pin).peer() {
                self.edge(step, self.takes[peer.index()], -self.held_by(kept), Why::Frame, kept);
            }
        }
        let mut takers = std::mem::take(&mut self.takers);
        takers.sort_by_key(|taker| (taker.pipe, taker.pin));
        for takers in takers.chunk_by(|a, b| a.pipe == b.pipe) {
            match takers {
                [taker] => {
                    let pipe = taker.pipe.index();
                    let tokens = self.model.frames[pipe].saturating_add(taker.delay);
                    self.model.acquisition[pipe] = Some(self.model.edges.len());
                    let holders = [taker.holder, None];
                    let from = self.model.free[pipe];
                    self.model.edges.push(Edge {
                        from,
                        to: taker.step,
                        tokens,
                        why: Why::Acquire(taker.pipe),
                        holders,
                    });
                }
                takers => self.model.shared.extend_from_slice(takers),
            }
        }
        self.model
    }

    /// By pipe, all frames its pins may keep; by pin, those kept by it and by pins of the pipe before it (the fewest,
    /// where several ways lead to it).
    fn kept_in_any_order(&self) -> (Vec<i128>, Vec<i128>) {
        let mut total = vec![0; self.plan.pipes.len()];
        for pin in self.graph.pin_ids() {
            total[self.pipe(pin).index()] += self.holds(pin);
        }
        let mut on_the_way = vec![0; self.graph.pins().len()];
        // Upstream before downstream, as a plan orders them.
        let pins = self.plan.pipes.iter().flat_map(|pipe| &pipe.pins);
        for pin in pins.filter(|pin| pin.index() < on_the_way.len()).collect::<Vec<_>>() {
            let id = self.graph.pin(*pin);
            let before = match id.direction() {
                Direction::In => {
                    id.peer().filter(|from| !self.is_bridge[from.index()]).map(|from| on_the_way[from.index()])
                }
                Direction::Out => {
                    let ways = self.routes_to(*pin).iter().filter(|place| !self.is_copy[**place]);
                    ways.map(|place| on_the_way[self.graph.routes()[*place].from.index()]).min()
                }
            };
            on_the_way[pin.index()] = before.unwrap_or(0) + self.holds(*pin);
        }
        (total, on_the_way)
    }
}

/// The steps of one part of a filter so far.
struct Steps {
    filter: FilterId,
    first: NodeId,
    last: NodeId,
}

/// How many frames a pin keeps back, by what is assumed of filters.
pub(super) fn held(graph: &Graph, pin: PinId, behaviour: Behaviour) -> i128 {
    let at = graph.pin(pin);
    let kept = match graph.filter(at.filter()).run() {
        Some(Run::Hold { frames }) if at.direction() == Direction::In => *frames,
        _ => 0,
    };
    i128::from(match behaviour {
        Behaviour::Run => kept,
        Behaviour::InOrder | Behaviour::Any => at.holds().unwrap_or(0).max(kept),
    })
}
