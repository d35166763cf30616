//! Who holds frames of the pipes that processes share, and by which number.

use super::engine::Way;
use super::wiring::Wiring;
use crate::graph::{FilterId, Graph, PinId};
use crate::negotiate::Plan;

/// In pins of other processes that one pipe's frames can go to.
const MOST_PINS: usize = 32;
/// Holders of one pipe: those pins, and who acquires.
const MOST_HOLDERS: usize = 40;

/// What a holder of a pipe's frames is. Frames that go from filter to filter within a process stay with their holder,
/// which counts its claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HolderKind {
    /// The process that serves the graph, where its filters acquire frames.
    Server,
    /// An in pin that gets the frames from another process.
    In(PinId),
    /// An out pin of a filter in a process of its own, which acquires frames of this pipe for it: a source's, one that a
    /// copying route leads to, or one with a bridge to this pipe.
    Out(PinId),
}

/// The holders of a pipe, by number; none where only the serving process has its frames.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PipeHolders(Vec<HolderKind>);

impl PipeHolders {
    /// All, by number.
    pub fn kinds(&self) -> &[HolderKind] {
        &self.0
    }

    /// The number of one.
    pub fn number(&self, kind: HolderKind) -> Option<u32> {
        self.0.binary_search(&kind).ok().map(|place| place as u32)
    }
}

/// More processes have part in a pipe than can share its frames.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "pipe {pipe} goes to {} pins of other processes and is written at {}: a pipe's frames can be shared by {MOST_PINS} \
     and by {} holders in all; let a filter between them copy, or run some of {} in the serving process",
    pins.len(), acquiring.len(), MOST_HOLDERS, pins.join(", ")
)]
pub struct TooManyHolders {
    /// The pipe's number.
    pub pipe: u32,
    /// The in pins that get its frames from another process, by name.
    pub pins: Vec<String>,
    /// The out pins of other processes for which its frames are acquired, by name.
    pub acquiring: Vec<String>,
}

/// The holders of every pipe of a plan, where the filters that `is_outside` says are each in a process of its own.
///
/// # Errors
/// Where a pipe has more than [`MOST_PINS`] in pins that get frames from another process, or more than [`MOST_HOLDERS`]
/// holders.
pub(super) fn holders(
    graph: &Graph,
    plan: &Plan,
    wiring: &Wiring,
    is_outside: impl Fn(FilterId) -> bool,
) -> Result<Vec<PipeHolders>, TooManyHolders> {
    let mut pipes = vec![PipeHolders::default(); plan.pipes.len()];
    let outside = |pin: PinId| is_outside(graph.pin(pin).filter());
    for outlet in wiring.outlets.iter().flatten().filter(|outlet| outside(outlet.pin)) {
        let new = match outlet.way {
            Way::New { pipe, .. } => Some(pipe),
            Way::Same => None,
        };
        for pipe in new.into_iter().chain(outlet.bridge) {
            pipes[pipe].0.push(HolderKind::Out(outlet.pin));
        }
    }
    for connection in graph.connections() {
        // Filters outside are each in a process of its own, so one of them at either end makes two processes.
        if outside(connection.from) || outside(connection.to) {
            let pipe = plan.pipe_of[connection.to.index()].index();
            pipes[pipe].0.push(HolderKind::In(connection.to));
        }
    }
    for (PipeHolders(kinds), id) in pipes.iter_mut().zip(0..) {
        if kinds.is_empty() {
            continue;
        }
        kinds.push(HolderKind::Server);
        kinds.sort();
        kinds.dedup();
        let named = |which: fn(&HolderKind) -> Option<PinId>| -> Vec<String> {
            kinds.iter().filter_map(which).map(|pin| graph.pin_name(pin)).collect()
        };
        let pins = named(|kind| if let HolderKind::In(pin) = kind { Some(*pin) } else { None });
        if pins.len() > MOST_PINS || kinds.len() > MOST_HOLDERS {
            let acquiring = named(|kind| if let HolderKind::Out(pin) = kind { Some(*pin) } else { None });
            return Err(TooManyHolders { pipe: id, pins, acquiring });
        }
    }
    Ok(pipes)
}
