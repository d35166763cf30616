//! The optimum of a component with undirected cycles: the pins one after the other, upstream before downstream, with
//! every way to treat those behind that differs in what it allows those ahead.
//!
//! Only the pins that lie between cycles are taken like this, the *core*. Each tree that hangs at one of them is solved as
//! a tree first, and its half-built pipes are what that pin asks.
//!
//! What those ahead need to know is the *frontier*: for each edge that leaves the pins behind, whether it is cut, which
//! half-built pipe it leaves, and whether what comes after it may write; the half-built pipes themselves; and which of
//! them must stay apart because a cut lies between them. Frontiers are narrow where branches are worked off one after
//! the other, so that is the order taken. The number of frontiers kept is limited; past the limit the dearest are left
//! out and the plan is no longer proven.

use super::around::Watch;
use super::counted::Counted;
use super::cycles::{ArrowKind, Cycles};
use super::facts::EdgeKind;
use super::keys::{Key, Keys};
use super::open_pipe::{Excess, Ground, OpenPipe};
use super::problem::Problem;
use super::table::{Effort, Entry, Work};
use super::trace::{Solution, Trace, follow, push};
use super::tree::{Piece, Top, visit_from};
use crate::graph::PinId;
use std::collections::HashMap;

/// At most so many frontiers are kept between two pins.
const MOST_FRONTIERS: usize = 4096;
/// So many are kept once the effort is used up.
const FEWEST_FRONTIERS: usize = 16;

/// A way out of the pins that are done, in to a pin that is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Pending {
    arrow: u32,
    /// The half-built pipe it leaves; `None` where that pipe is finished.
    pipe: Option<u16>,
    is_cut: bool,
    /// Nobody may write downstream of it, in this pipe.
    protects: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Frontier {
    pending: Vec<Pending>,
    pipes: Vec<OpenPipe>,
    /// Pairs of half-built pipes that must not become one, the smaller first.
    apart: Vec<(u16, u16)>,
}

#[derive(Clone, Debug)]
struct State {
    frontier: Frontier,
    keys: Keys,
    trace: Option<u32>,
}

struct Walk<'a> {
    problem: &'a Problem<'a>,
    ground: &'a Ground,
    effort: &'a mut Effort,
    counted: &'a Counted,
    cycles: &'a Cycles,
    traces: Vec<Trace>,
    may_cut: bool,
}

/// The best way found to treat a component of any shape.
pub(super) fn solve(
    problem: &Problem<'_>,
    cycles: &Cycles,
    ground: &Ground,
    effort: &mut Effort,
    counted: &Counted,
    may_cut: bool,
) -> Option<(Solution, Keys)> {
    Walk { problem, ground, effort, counted, cycles, traces: Vec::new(), may_cut }.run()
}

impl Walk<'_> {
    fn run(&mut self) -> Option<(Solution, Keys)> {
        let mut states = vec![State { frontier: Frontier::default(), keys: Keys::default(), trace: None }];
        let cycles = self.cycles;
        for pin in &cycles.order {
            if self.effort.has_given_up() {
                return None;
            }
            let parts = self.parts(*pin);
            let mut next = Frontiers::default();
            for state in &states {
                for part in &parts {
                    self.extend(state, *pin, part, &mut next);
                }
            }
            states = next.kept(self.ground, self.effort);
            if states.is_empty() {
                return None;
            }
        }
        let best = states.into_iter().min_by_key(|state| state.keys)?;
        Some((follow(&self.traces, best.trace?, |_, _| ()), best.keys))
    }

    /// What a pin and the trees that hang at it are by themselves.
    fn parts(&mut self, pin: PinId) -> Vec<Entry> {
        let mut visits = Vec::new();
        visit_from(self.problem.facts, pin, &mut visits, |edge| self.cycles.hanging.contains(&edge));
        let mut work = Work {
            problem: self.problem,
            ground: self.ground,
            counted: self.counted,
            may_cut: self.may_cut,
            effort: self.effort,
            traces: &mut self.traces,
            watch: Watch::Nothing,
            base: None,
        };
        work.fold(&Piece { visits: &visits, top: Top::Open, far_end: None, kept: &[] }, |_| None).entries
    }

    /// Every way to go on from a state with this pin.
    fn extend(&mut self, state: &State, pin: PinId, part: &Entry, next: &mut Frontiers) {
        self.effort.used += 1;
        if state.frontier.pipes.len() >= usize::from(u16::MAX) {
            // More half-built pipes than can be numbered: this way on is left out, and the answer says so.
            self.effort.exhausted = true;
            return;
        }
        let facts = self.problem.facts;
        let (arriving, mut pending): (Vec<Pending>, Vec<Pending>) =
            state.frontier.pending.iter().partition(|pending| self.cycles.arrows[pending.arrow as usize].to == pin);
        let protected = arriving.iter().any(|way| !way.is_cut && way.protects);
        if protected && part.sharing().writes {
            return;
        }
        let mut merged: Vec<u16> = arriving.iter().filter(|way| !way.is_cut).filter_map(|way| way.pipe).collect();
        merged.sort_unstable();
        merged.dedup();
        let mut pipe = part.pipe().clone();
        for old in &merged {
            match OpenPipe::combined(self.ground, &pipe, &state.frontier.pipes[*old as usize]) {
                Some(both) => pipe = both,
                None => return,
            }
        }
        for way in arriving.iter().filter(|way| way.is_cut) {
            if way.pipe.is_some_and(|old| merged.contains(&old)) {
                return;
            }
            let arrow = self.cycles.arrows[way.arrow as usize];
            if let ArrowKind::Edge { .. } = arrow.kind {
                match pipe.with_capacity(self.ground, self.counted.carried(facts, arrow.from)) {
                    Some(with_capacity) => pipe = with_capacity,
                    None => return,
                }
            }
        }
        // The pin's pipe is the last; pipes it took in point to it.
        let mine = state.frontier.pipes.len() as u16;
        let now = |old: u16| if merged.contains(&old) { mine } else { old };
        let mut apart: Vec<(u16, u16)> = Vec::new();
        let old_pairs = state.frontier.apart.iter().map(|(a, b)| (now(*a), now(*b)));
        let new_pairs = arriving.iter().filter(|way| way.is_cut).filter_map(|way| way.pipe).map(|old| (old, mine));
        for (a, b) in old_pairs.chain(new_pairs) {
            if a == b {
                return;
            }
            apart.push((a.min(b), a.max(b)));
        }
        for way in &mut pending {
            way.pipe = way.pipe.map(now);
        }
        let mut pipes = state.frontier.pipes.clone();
        pipes.push(pipe);
        let before =
            State { frontier: Frontier { pending, pipes, apart }, keys: state.keys + part.keys, trace: state.trace };
        let protects = protected || part.sharing().protects;
        self.leave(&before, pin, part, mine, protects, next);
    }

    /// Every way to cut or keep what leaves the pin.
    fn leave(&mut self, before: &State, pin: PinId, part: &Entry, mine: u16, protects: bool, next: &mut Frontiers) {
        let leaving = self.cycles.leaving.get(&pin).cloned().unwrap_or_default();
        let mut optional = Vec::new();
        let mut fixed = Vec::new();
        for number in leaving {
            match self.cycles.arrows[number as usize].kind {
                ArrowKind::Edge { cuttable: true, .. } if self.may_cut => optional.push(number),
                ArrowKind::Edge { .. } => fixed.push((number, false)),
                ArrowKind::Copy => fixed.push((number, true)),
            }
        }
        let mut cut = vec![false; optional.len()];
        loop {
            self.effort.used += 1;
            let ways = fixed.iter().copied().chain(optional.iter().copied().zip(cut.iter().copied()));
            let ways: Vec<(u32, bool)> = ways.collect();
            self.go_on(before, part, mine, protects, &ways, next);
            // The next combination, counting in binary.
            let Some(place) = cut.iter().position(|cut| !cut) else { break };
            cut[place] = true;
            cut[..place].fill(false);
            if self.effort.used > self.effort.limit {
                self.effort.exhausted = true;
                break;
            }
        }
    }

    fn go_on(
        &mut self,
        before: &State,
        part: &Entry,
        mine: u16,
        protects: bool,
        ways: &[(u32, bool)],
        next: &mut Frontiers,
    ) {
        let kind_of = |number: u32| match self.cycles.arrows[number as usize].kind {
            ArrowKind::Edge { kind, .. } => Some(kind),
            ArrowKind::Copy => None,
        };
        let joined = || ways.iter().filter(|(_, cut)| !cut).filter_map(|(number, _)| kind_of(*number));
        let branches = joined().filter(|kind| kind.is_route()).count() + usize::from(part.sharing().has_branches());
        let shared = branches > 1 || part.sharing().is_shared();
        let writes = joined().any(EdgeKind::writes) || shared && part.sharing().has_writing_branch();
        if (protects || shared) && writes {
            return;
        }
        let mut state = before.clone();
        for (number, is_cut) in ways {
            if *is_cut && let ArrowKind::Edge { number, .. } = self.cycles.arrows[*number as usize].kind {
                let cost = self.problem.cut_cost(&self.problem.facts.edges[number as usize]);
                self.ground.order.add(&mut state.keys, Key::BytesCopied, cost.bytes.into());
                self.ground.order.add(&mut state.keys, Key::Depth, cost.depth.into());
                self.ground.order.add(&mut state.keys, Key::Chance, self.problem.chance_of_cut(number));
            }
            let protects = !is_cut && (protects || shared);
            state.frontier.pending.push(Pending { arrow: *number, pipe: Some(mine), is_cut: *is_cut, protects });
        }
        if !state.close_finished(self.ground) || self.ground.is_beyond(&state.keys) {
            return;
        }
        let traces = &mut self.traces;
        next.insert(state, |previous| {
            let mut trace = part.trace;
            if let Some(previous) = previous {
                trace = push(traces, Trace::Join { one: previous, other: trace });
            }
            for (number, is_cut) in ways {
                if *is_cut && let ArrowKind::Edge { number, .. } = self.cycles.arrows[*number as usize].kind {
                    trace = push(traces, Trace::CutEdge { one: trace, edge: number });
                }
            }
            trace
        });
    }
}

impl State {
    /// Whether what `other` allows, this one allows at no more cost. Only states of one shape are compared.
    fn makes_needless(&self, other: &State, ground: &Ground) -> bool {
        let pairs = || self.frontier.pipes.iter().zip(&other.frontier.pipes);
        match pairs().filter(|(mine, others)| mine != others).count() {
            0 => self.keys <= other.keys,
            _ if self.keys > other.keys => false,
            _ => {
                let mut each = pairs().map(|(mine, others)| mine.instead_of(others, ground));
                let excess = each.try_fold(Excess::default(), |all, one| one.map(|one| all.and(one)));
                excess.is_some_and(|excess| excess.is_covered(&self.keys, &other.keys, ground))
            }
        }
    }

    /// Finishes the pipes that nothing can join any more and numbers the others anew, in the order in which the pending
    /// ways meet them. `false` where a pipe cannot be finished.
    fn close_finished(&mut self, ground: &Ground) -> bool {
        let frontier = &mut self.frontier;
        frontier.pending.sort_unstable_by_key(|way| way.arrow);
        let mut new_number: Vec<Option<u16>> = vec![None; frontier.pipes.len()];
        let mut kept = Vec::new();
        for way in frontier.pending.iter().filter(|way| !way.is_cut) {
            if let Some(pipe) = way.pipe
                && new_number[pipe as usize].is_none()
            {
                new_number[pipe as usize] = Some(kept.len() as u16);
                kept.push(pipe);
            }
        }
        // Pipes that were taken in by the newest are gone; every other but the newest is still pending somewhere.
        if let (Some(None), Some(newest)) = (new_number.last(), frontier.pipes.last())
            && newest.close(ground, &mut self.keys).is_none()
        {
            return false;
        }
        for way in &mut frontier.pending {
            way.pipe = way.pipe.and_then(|pipe| new_number[pipe as usize]);
        }
        frontier.apart.retain_mut(|(a, b)| match (new_number[*a as usize], new_number[*b as usize]) {
            (Some(new_a), Some(new_b)) => {
                (*a, *b) = (new_a.min(new_b), new_a.max(new_b));
                true
            }
            _ => false,
        });
        frontier.apart.sort_unstable();
        frontier.apart.dedup();
        frontier.pipes = kept.iter().map(|pipe| frontier.pipes[*pipe as usize].clone()).collect();
        true
    }
}

/// What frontiers must have in common to be compared.
type Shape = (Vec<Pending>, Vec<(u16, u16)>);

/// The frontiers after a pin, each with the cheapest way to it.
#[derive(Debug, Default)]
struct Frontiers {
    states: Vec<State>,
    place_of: HashMap<Frontier, usize>,
}

impl Frontiers {
    fn insert(&mut self, mut state: State, trace: impl FnOnce(Option<u32>) -> u32) {
        match self.place_of.get(&state.frontier) {
            Some(place) if self.states[*place].keys <= state.keys => {}
            Some(place) => {
                state.trace = Some(trace(state.trace));
                self.states[*place] = state;
            }
            None => {
                state.trace = Some(trace(state.trace));
                self.place_of.insert(state.frontier.clone(), self.states.len());
                self.states.push(state);
            }
        }
    }

    /// Those worth going on with: none that another makes needless, and not more than the limit.
    fn kept(mut self, ground: &Ground, effort: &mut Effort) -> Vec<State> {
        self.states.sort_by_key(|state| state.keys);
        let mut groups: HashMap<Shape, Vec<usize>> = HashMap::new();
        let mut kept: Vec<State> = Vec::new();
        for state in self.states {
            let shape = (state.frontier.pending.clone(), state.frontier.apart.clone());
            let group = groups.entry(shape).or_default();
            effort.used += 1 + group.len() as u64;
            if !group.iter().any(|other| kept[*other].makes_needless(&state, ground)) {
                group.push(kept.len());
                kept.push(state);
            }
        }
        let most = if effort.used > effort.limit { FEWEST_FRONTIERS } else { MOST_FRONTIERS };
        if kept.len() > most {
            effort.exhausted = true;
            kept.truncate(most);
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Direction, Graph, RouteKind};
    use crate::negotiate::facts::Facts;

    /// A tee with so many branches of three pins, the first two of which meet again.
    fn tee_with_a_cycle(branches: u32) -> Graph {
        let mut graph = Graph::builder();
        graph.filter("tee").pin("in", Direction::In);
        for number in 0..branches {
            let (out, name) = (format!("out{number:06}"), format!("f{number:06}"));
            graph.filter("tee").pin(&out, Direction::Out);
            graph.filter("tee").route("in", &out, RouteKind::Pass);
            if number < 2 {
                graph.filter("mixer").pin(&name, Direction::In);
                graph.filter("mixer").pin("out", Direction::Out);
                graph.filter("mixer").route(&name, "out", RouteKind::Pass);
                graph.connect(&format!("tee.{out}"), &format!("mixer.{name}"));
            } else {
                graph.filter(&name).pin("in", Direction::In);
                graph.filter(&name).pin("out", Direction::Out);
                graph.filter(&name).route("in", "out", RouteKind::Pass);
                graph.connect(&format!("tee.{out}"), &format!("{name}.in"));
            }
        }
        graph.build().expect("a valid graph")
    }

    fn work(branches: u32) -> u64 {
        let graph = tee_with_a_cycle(branches);
        let facts = Facts::of(&graph).expect("no directed cycle");
        let problem = Problem::new(&facts);
        let pins = facts.component(0);
        let ground = problem.ground(pins, &Counted::EVERYTHING);
        let mut effort = Effort::up_to(u64::MAX);
        let cycles = Cycles::of(&facts, pins, &Counted::EVERYTHING);
        let found = solve(&problem, &cycles, &ground, &mut effort, &Counted::EVERYTHING, false);
        assert_eq!(found.map(|(solution, _)| solution.pins.len()), Some(pins.len()));
        effort.used
    }

    #[test]
    fn branches_that_do_not_meet_again_cost_no_more_than_in_a_tree() {
        let (few, many) = (work(20), work(2_000));
        assert!(many < 120 * few, "{few}, {many}");
    }
}
