//! Every order in which a graph's filters can get to work, one by one: an oracle that knows nothing of tokens. What a
//! filter does is written out as a program of its own; a state is where each filter is and which frames are where.

use kspipe::graph::{Direction, Graph, PinId, RouteKind, Run};
use kspipe::negotiate::Plan;
use std::collections::HashSet;

type Frame = (u8, u8);

#[derive(Clone, Copy, Debug)]
enum Op {
    /// The next frame of a queue, into a place.
    Take(usize, usize),
    /// The frame in place 0 is kept; the oldest of more than so many comes back, else all begins anew.
    Keep(usize),
    /// A free frame of a pipe, into a place.
    Acquire(usize, usize),
    /// The frame of a place, into a queue; it stays in its place, too.
    Send(usize, Option<usize>),
    /// A place is empty.
    Drop(usize),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    at: Vec<u8>,
    places: Vec<Vec<Option<Frame>>>,
    kept: Vec<Vec<Frame>>,
    queues: Vec<Vec<Frame>>,
}

pub(crate) struct States {
    programs: Vec<Vec<Op>>,
    frames: Vec<u64>,
    /// By filter: what it hangs together with.
    component: Vec<usize>,
}

const PLACES: usize = 8;

impl States {
    pub(crate) fn of(graph: &Graph, plan: &Plan) -> Self {
        let pipe = |pin: PinId| plan.pipe_of[pin.index()].index();
        let is_bridge = |pin: PinId| plan.bridges.iter().any(|bridge| bridge.connection.from == pin);
        let mut programs = Vec::new();
        for filter in graph.filters() {
            let pins = |direction| filter.pins().filter(move |pin| graph.pin(*pin).direction() == direction);
            let ins: Vec<PinId> = pins(Direction::In).collect();
            let mut program: Vec<Op> =
                ins.iter().enumerate().map(|(place, pin)| Op::Take(pin.index(), place)).collect();
            if let Some(Run::Hold { frames }) = filter.run() {
                program.push(Op::Keep(*frames as usize));
            }
            // Copies first, then frames handed on at once, then those that wait at a bridge.
            let mut outs: Vec<(u8, PinId, usize)> = pins(Direction::Out)
                .map(|out| {
                    let route = graph.routes().iter().find(|route| route.to == out);
                    let from = route.and_then(|route| ins.iter().position(|pin| *pin == route.from)).unwrap_or(0);
                    let copies = route.is_none_or(|route| route.kind == RouteKind::Copy);
                    (if copies { 0 } else { 1 + u8::from(is_bridge(out)) }, out, from)
                })
                .collect();
            outs.sort();
            for (kind, out, from) in outs {
                let queue = graph.pin(out).peer().map(PinId::index);
                let mut place = from;
                if kind == 0 {
                    program.push(Op::Acquire(pipe(out), 6));
                    place = 6;
                    if filter.run() == Some(&Run::Invert) {
                        program.push(Op::Drop(0));
                    }
                }
                if let Some(peer) = graph.pin(out).peer().filter(|_| is_bridge(out)) {
                    program.push(Op::Acquire(pipe(peer), 7));
                    program.push(Op::Send(7, queue));
                    program.push(Op::Drop(7));
                } else {
                    program.push(Op::Send(place, queue));
                }
                program.push(Op::Drop(6));
            }
            program.extend((0..ins.len()).map(Op::Drop));
            programs.push(program);
        }
        let mut component: Vec<usize> = (0..programs.len()).collect();
        for connection in graph.connections() {
            let [a, b] = [connection.from, connection.to].map(|pin| component[graph.pin(pin).filter().index()]);
            component.iter_mut().filter(|other| **other == a).for_each(|other| *other = b);
        }
        States { programs, frames: plan.pipes.iter().map(|pipe| pipe.frames).collect(), component }
    }

    /// Whether a state can be reached in which everybody who hangs together waits; `None` where there are more states
    /// than so many.
    pub(crate) fn can_stall(&self, queues: usize, limit: usize) -> Option<bool> {
        let filters = self.programs.len();
        let start = State {
            at: vec![0; filters],
            places: vec![vec![None; PLACES]; filters],
            kept: vec![Vec::new(); filters],
            queues: vec![Vec::new(); queues],
        };
        let mut seen = HashSet::from([start.clone()]);
        let mut stack = vec![start];
        while let Some(state) = stack.pop() {
            let next: Vec<(usize, State)> =
                (0..filters).filter_map(|filter| Some((filter, self.step(&state, filter)?))).collect();
            let lives = |component: usize| next.iter().any(|(filter, _)| self.component[*filter] == component);
            if !self.component.iter().all(|component| lives(*component)) {
                return Some(true);
            }
            for (_, state) in next {
                if seen.insert(state.clone()) {
                    stack.push(state);
                }
            }
            if seen.len() > limit {
                return None;
            }
        }
        Some(false)
    }

    /// What becomes of a state where a filter does the next thing it has to; `None` where it waits.
    fn step(&self, state: &State, filter: usize) -> Option<State> {
        let mut next = state.clone();
        let at = state.at[filter] as usize;
        next.at[filter] = ((at + 1) % self.programs[filter].len()) as u8;
        match self.programs[filter][at] {
            Op::Take(queue, place) => {
                if state.queues[queue].is_empty() {
                    return None;
                }
                next.places[filter][place] = Some(next.queues[queue].remove(0));
            }
            Op::Keep(frames) => {
                next.kept[filter].extend(next.places[filter][0].take());
                if next.kept[filter].len() > frames {
                    next.places[filter][0] = Some(next.kept[filter].remove(0));
                } else {
                    next.at[filter] = 0;
                }
            }
            Op::Acquire(pipe, place) => {
                let mut out: Vec<u8> =
                    everywhere(&mut next).filter(|frame| usize::from(frame.0) == pipe).map(|frame| frame.1).collect();
                out.sort_unstable();
                out.dedup();
                if out.len() as u64 >= self.frames[pipe] {
                    return None;
                }
                next.places[filter][place] = Some((pipe as u8, u8::MAX));
            }
            Op::Send(place, queue) => {
                if let Some(queue) = queue {
                    let frame = next.places[filter][place].expect("a program sends what it has");
                    next.queues[queue].push(frame);
                }
            }
            Op::Drop(place) => next.places[filter][place] = None,
        }
        // Frames have no names of their own: those of a pipe are numbered as they are met.
        let mut names: Vec<Frame> = Vec::new();
        for frame in everywhere(&mut next) {
            let name = names.iter().position(|other| other == frame).unwrap_or_else(|| {
                names.push(*frame);
                names.len() - 1
            });
            frame.1 = name as u8;
        }
        Some(next)
    }
}

fn everywhere(state: &mut State) -> impl Iterator<Item = &mut Frame> {
    let State { places, kept, queues, .. } = state;
    let held = places.iter_mut().flatten().flatten();
    held.chain(kept.iter_mut().flatten()).chain(queues.iter_mut().flatten())
}
