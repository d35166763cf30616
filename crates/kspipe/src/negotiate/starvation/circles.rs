//! Difference constraints: a schedule in which every turn has its time, or the circles that wait for themselves.

use super::model::{Edge, Model, NodeId, Why};
use std::collections::VecDeque;

/// How often a node's time may be raised, for each node, before the search gives up.
const RAISES_PER_NODE: usize = 200;

/// A circle of edges, each waiting for the one before, that has no token: none of its turns ever comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Circle {
    /// Places in [`Model::edges`], in the direction of the edges.
    pub(super) edges: Vec<usize>,
    /// How many tokens it lacks: at least 1.
    pub(super) missing: i128,
    /// The pipes, by number, whose frames would help: each frame more is a token.
    pub(super) pipes: Vec<usize>,
}

/// What a search found.
#[derive(Debug)]
pub(super) enum Search {
    /// Circles, and how many frames more each pipe was given until none was left. None: every turn comes, and `times` is
    /// the proof.
    Done {
        circles: Vec<Circle>,
        added: Vec<i128>,
        /// By node: turn `k` comes at `times[node] + k * nodes`. (A node's time is later than all it needs.)
        times: Vec<i128>,
    },
    /// A circle that no number of frames cures.
    Incurable(Circle),
    /// Given up.
    Limit,
}

/// The time between a node's turns: more than the longest way without keeping anybody back.
pub(super) fn period(model: &Model) -> i128 {
    model.nodes.len() as i128 + 1
}

struct Searcher<'a> {
    model: &'a Model,
    added: Vec<i128>,
    times: Vec<i128>,
    /// By node: the edge its time was last raised by.
    raised_by: Vec<Option<usize>>,
    /// Edges by node they start at.
    first: Vec<usize>,
    from: Vec<usize>,
}

/// Looks for circles with `added` frames more in each pipe, adding frames wherever one is found until there is none.
pub(super) fn search(model: &Model, added: Vec<i128>) -> Search {
    let (first, from) = edges_by_start(model);
    let mut searcher = Searcher {
        model,
        added,
        times: vec![0; model.nodes.len()],
        raised_by: vec![None; model.nodes.len()],
        first,
        from,
    };
    if let Some(circle) = searcher.go_forward() {
        return Search::Incurable(circle);
    }
    searcher.relax()
}

fn edges_by_start(model: &Model) -> (Vec<usize>, Vec<usize>) {
    let mut first = vec![0; model.nodes.len() + 1];
    for edge in &model.edges {
        first[edge.from + 1] += 1;
    }
    for place in 1..first.len() {
        first[place] += first[place - 1];
    }
    let mut next = first.clone();
    let mut from = vec![0; model.edges.len()];
    for (place, edge) in model.edges.iter().enumerate() {
        from[next[edge.from]] = place;
        next[edge.from] += 1;
    }
    (first, from)
}

impl Searcher<'_> {
    fn edges_from(&self, node: NodeId) -> std::ops::Range<usize> {
        self.first[node]..self.first[node + 1]
    }

    fn tokens(&self, edge: &Edge) -> i128 {
        match edge.why {
            Why::Acquire(pipe) => edge.tokens.saturating_add(self.added[pipe.index()]),
            _ => edge.tokens,
        }
    }

    /// The earliest time an edge allows its end.
    fn demand(&self, edge: &Edge) -> i128 {
        let waits = self.tokens(edge).saturating_mul(period(self.model));
        self.times[edge.from].saturating_sub(waits).saturating_add(1)
    }

    /// Sets the times that the edges which do not go back ask for: the longest way, in topological order.
    fn go_forward(&mut self) -> Option<Circle> {
        let model = self.model;
        let mut waiting_for = vec![0u32; model.nodes.len()];
        for edge in model.edges.iter().filter(|edge| !edge.goes_back()) {
            waiting_for[edge.to] += 1;
        }
        let mut ready: Vec<NodeId> = (0..model.nodes.len()).filter(|node| waiting_for[*node] == 0).collect();
        let mut done = 0;
        while let Some(node) = ready.pop() {
            done += 1;
            for place in self.edges_from(node) {
                let edge = &model.edges[self.from[place]];
                if edge.goes_back() {
                    continue;
                }
                self.times[edge.to] = self.times[edge.to].max(self.demand(edge));
                waiting_for[edge.to] -= 1;
                if waiting_for[edge.to] == 0 {
                    ready.push(edge.to);
                }
            }
        }
        (done < model.nodes.len()).then(|| self.circle_of_waiting(&waiting_for))
    }

    /// A circle of edges that do not go back, among the nodes that wait for one another.
    fn circle_of_waiting(&self, waiting_for: &[u32]) -> Circle {
        let model = self.model;
        let mut before: Vec<Option<usize>> = vec![None; model.nodes.len()];
        for (place, edge) in model.edges.iter().enumerate() {
            if !edge.goes_back() && waiting_for[edge.from] > 0 && waiting_for[edge.to] > 0 {
                before[edge.to].get_or_insert(place);
            }
        }
        let mut at = waiting_for.iter().position(|waits| *waits > 0).unwrap_or(0);
        // As many steps back as there are nodes end on a circle.
        for _ in 0..model.nodes.len() {
            at = before[at].map_or(at, |place| model.edges[place].from);
        }
        let mut edges = Vec::new();
        let mut node = at;
        while let Some(place) = before[node] {
            edges.push(place);
            node = model.edges[place].from;
            if node == at {
                break;
            }
        }
        edges.reverse();
        self.circle(edges)
    }

    fn circle(&self, mut edges: Vec<usize>) -> Circle {
        // From the smallest on, so that the same circle always reads the same.
        let start = edges.iter().enumerate().min_by_key(|(_, edge)| **edge).map_or(0, |(place, _)| place);
        edges.rotate_left(start);
        let tokens: i128 = edges.iter().map(|edge| self.tokens(&self.model.edges[*edge])).sum();
        let mut pipes: Vec<usize> = edges
            .iter()
            .filter_map(|edge| match self.model.edges[*edge].why {
                Why::Acquire(pipe) => Some(pipe.index()),
                _ => None,
            })
            .collect();
        pipes.sort_unstable();
        Circle { edges, missing: 1 - tokens, pipes }
    }

    /// Raises times until every edge has what it asks for. Where raising goes in a circle, that circle lacks tokens.
    fn relax(mut self) -> Search {
        let model = self.model;
        let mut circles = Vec::new();
        let mut is_queued = vec![false; model.nodes.len()];
        let mut queue = VecDeque::new();
        for edge in model.edges.iter().filter(|edge| edge.goes_back()) {
            if self.times[edge.to] < self.demand(edge) && !std::mem::replace(&mut is_queued[edge.from], true) {
                queue.push_back(edge.from);
            }
        }
        let mut left = RAISES_PER_NODE.saturating_mul(model.nodes.len()).saturating_add(1_000_000);
        while let Some(node) = queue.pop_front() {
            is_queued[node] = false;
            for place in self.edges_from(node) {
                let place = self.from[place];
                let edge = &model.edges[place];
                while self.times[edge.to] < self.demand(edge) {
                    let Some(edges) = self.way(edge.to, edge.from, &mut left) else {
                        let demand = self.demand(edge);
                        self.times[edge.to] = demand;
                        self.raised_by[edge.to] = Some(place);
                        if !std::mem::replace(&mut is_queued[edge.to], true) {
                            queue.push_back(edge.to);
                        }
                        break;
                    };
                    let circle = self.circle(edges.into_iter().chain([place]).collect());
                    let Some(pipe) = circle.pipes.first().copied() else { return Search::Incurable(circle) };
                    self.added[pipe] = self.added[pipe].saturating_add(circle.missing.max(1));
                    // What was raised over the edge that now asks for less is no circle any more.
                    for edge in &circle.edges {
                        if model.edges[*edge].why == Why::Acquire(crate::negotiate::PipeId(pipe as u32)) {
                            self.raised_by[model.edges[*edge].to] = None;
                        }
                    }
                    circles.push(circle);
                }
                if left == 0 {
                    return Search::Limit;
                }
            }
        }
        Search::Done { circles, added: self.added, times: self.times }
    }

    /// The edges by which `to` was raised because of `from`, if it was.
    fn way(&self, from: NodeId, to: NodeId, left: &mut usize) -> Option<Vec<usize>> {
        let mut edges = Vec::new();
        let mut at = to;
        while at != from {
            *left = left.saturating_sub(1);
            let place = self.raised_by[at].filter(|_| *left > 0)?;
            edges.push(place);
            at = self.model.edges[place].from;
        }
        edges.reverse();
        Some(edges)
    }
}
