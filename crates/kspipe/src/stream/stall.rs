//! A graph that is stalled: every filter waits, and none for something that can come. A process that runs all filters of a
//! graph sees that itself. Where several do, each knows of its own filters only, and who serves the pools that they share
//! knows of all: it asks its own part here, and ends it.

use super::engine::Hub;
use crate::graph::FilterId;
use crate::negotiate::PipeId;
use std::sync::Arc;

/// What a filter waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitsFor {
    /// The next frame at an in pin.
    NextFrame,
    /// A free frame.
    FreeFrame {
        /// Of this pipe.
        pipe: PipeId,
        /// How many the pipe has.
        frames: u64,
    },
}

/// A filter that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilterWait {
    /// The filter.
    pub filter: FilterId,
    /// What it waits for.
    pub what: WaitsFor,
    /// Frames it has meanwhile.
    pub keeps: u64,
}

/// All filters of a process that have not ended: each waits, and none for something that is there, as far as that process
/// knows. Of two equal ones no filter did anything between the two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waits {
    /// How many waits had begun.
    pub(super) begun: u64,
    /// By filter.
    pub filters: Vec<FilterWait>,
    /// Those of them that wait for what another process may send, or give back.
    pub outside: Vec<FilterId>,
}

/// Sees whether a process's part of a graph waits, and ends it where the whole graph is stalled, from any thread.
#[derive(Clone, Debug)]
pub struct StallHandle(pub(super) Arc<Hub>);

impl StallHandle {
    /// What its filters wait for; `None`: one of them does something, or can.
    pub fn waits(&self) -> Option<Waits> {
        self.0.waits()
    }

    /// Ends the run with an error: the graph is stalled, in which each of these filters waits, of whatever process. Sources
    /// end, and who waits for a frame of a pipe that is this process's alone is told that none will come; of pipes that
    /// processes share that is the server's to tell. Frames that were sent are delivered.
    pub fn end_stalled(&self, waits: &[FilterWait]) {
        self.0.end_stalled(waits, |pool| !pool.is_shared());
    }
}
