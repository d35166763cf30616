//! Pipes of which several places take frames: no marked graph, because which of them gets the next frame is open.

use super::SharedPipe;
use super::model::{Model, NodeId, Taker, Why};

/// What can be said of such pipes.
pub(super) struct Shared {
    /// One place may take all frames before another takes the first that it waits for.
    pub(super) starving: Vec<SharedPipe>,
    /// Neither that nor the contrary was shown.
    pub(super) open: Vec<SharedPipe>,
}

/// Judges them, in a model that moves where these pipes always have a free frame.
///
/// Nothing keeps a place from taking every frame where its frames' coming home is no condition of its going on (but for
/// this pipe's being empty). If whoever gives the frames back first needs one from the other place, none comes back: an
/// order in which the graph stalls, whatever the number of frames.
pub(super) fn judge(model: &Model) -> Shared {
    let mut shared = Shared { starving: Vec::new(), open: Vec::new() };
    let mut next: Vec<Vec<NodeId>> = Vec::new();
    if !model.shared.is_empty() {
        next.resize(model.nodes.len(), Vec::new());
        for edge in &model.edges {
            next[edge.from].push(edge.to);
        }
    }
    for takers in model.shared.chunk_by(|a, b| a.pipe == b.pipe) {
        let Some(pipe) = takers.first().map(|taker| taker.pipe) else { continue };
        let free = model.free[pipe.index()];
        let gives: Vec<NodeId> =
            model.edges.iter().filter(|edge| edge.why == Why::Back && edge.to == free).map(|edge| edge.from).collect();
        let reached: Vec<Vec<bool>> = takers.iter().map(|taker| reach(&next, taker.step)).collect();
        let all: Vec<bool> = gives.iter().fold(vec![false; next.len()], |mut all, step| {
            for (all, reached) in all.iter_mut().zip(reach(&next, *step)) {
                *all |= reached;
            }
            all
        });
        // A place that nothing bounds, whose frames are given back only where another's are needed, too.
        let takes_all = |(taker, after): (&Taker, &Vec<bool>)| {
            !all[taker.step]
                && takers.iter().zip(&reached).any(|(other, after_other)| {
                    other.step != taker.step
                        && !after_other[taker.step]
                        && gives.iter().all(|step| !after[*step] || after_other[*step])
                })
        };
        let starves = takers.iter().zip(&reached).any(takes_all);
        let pins = SharedPipe { pipe, takers: takers.iter().map(|taker| taker.pin).collect() };
        if starves { shared.starving.push(pins) } else { shared.open.push(pins) }
    }
    shared
}

fn reach(next: &[Vec<NodeId>], from: NodeId) -> Vec<bool> {
    let mut reached = vec![false; next.len()];
    let mut stack = vec![from];
    reached[from] = true;
    while let Some(node) = stack.pop() {
        for to in &next[node] {
            if !std::mem::replace(&mut reached[*to], true) {
                stack.push(*to);
            }
        }
    }
    reached
}
