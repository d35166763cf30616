//! A whole filter of the graph, run here as the graph file says.

use super::JoinedFilter;
use super::membership::{Membership, stops};
use kspipe::graph::file::{GraphFile, GraphFileErrors};
use kspipe::graph::{Direction, FilterId, Run, Strategy};
use kspipe::negotiate::{NegotiateError, negotiate, plan_json};
use kspipe::stream::{
    Part, PrepareError, Process, Report, RunError, RunOptions, Running, SharingError, StopHandle, prepare_outside_as,
};
use std::path::Path;
use std::sync::Arc;

/// Why a filter does not run here.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// The server has no graph file.
    #[error("the server does not tell its graph, so none of its filters can run elsewhere")]
    NoGraph,
    /// The server does not trust this process.
    #[error("the server does not trust this process: it can take and send frames, and not run a filter of the graph")]
    Mediated,
    /// The graph file is wrong, to this version of the project.
    #[error("the graph, as the server tells it, is wrong: {0}")]
    Graph(#[from] GraphFileErrors),
    /// What the server tells does not belong together.
    #[error("what the server tells of its graph contradicts itself: {0}")]
    Contradiction(&'static str),
    /// The filter cannot run, whatever the plan.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// There is no plan here, and there was one there.
    #[error(transparent)]
    Negotiate(#[from] NegotiateError),
    /// There is another plan here than there: another version negotiates.
    #[error("this process comes to another plan than the server's, which is of another version")]
    OtherPlan,
    /// Processes cannot share what they would have to.
    #[error(transparent)]
    Sharing(#[from] SharingError),
    /// The filter does not start.
    #[error(transparent)]
    Run(#[from] RunError),
}

/// A filter that runs here. Dropping it stops it, waits for its end, and leaves.
#[derive(Debug)]
pub struct AttachedFilter {
    running: Running,
    /// Dropped after the run.
    membership: Arc<Membership>,
}

impl JoinedFilter {
    /// Runs the filter as the graph says, in threads of this process, once the graph has begun. Only its own files are
    /// opened. A source ends when the server is asked to stop, others with the streams that come in.
    ///
    /// # Errors
    /// See [`AttachError`].
    pub fn start(self, options: RunOptions) -> Result<AttachedFilter, AttachError> {
        self.start_filter(None, options)
    }

    /// As [`start`](Self::start), where the filter does something else than the graph says, or where that does not say what
    /// it does: its frames are what they are, so a source has to have such, and another number of frames kept is an
    /// overdraft.
    ///
    /// # Errors
    /// See [`AttachError`].
    pub fn start_as(self, run: Run, options: RunOptions) -> Result<AttachedFilter, AttachError> {
        self.start_filter(Some(run), options)
    }

    fn start_filter(self, other: Option<Run>, options: RunOptions) -> Result<AttachedFilter, AttachError> {
        let Self { membership, description } = self;
        if membership.what().mediated {
            return Err(AttachError::Mediated);
        }
        let source = description.graph.as_ref().ok_or(AttachError::NoGraph)?;
        let mut graph = GraphFile::parse(&source.name, &source.text, Path::new(&source.base))?.graph;
        if let Some(name) = &source.strategy {
            let found = Strategy::ALL.iter().find(|(known, _)| known == name);
            graph = graph.with_strategy(found.ok_or(AttachError::Contradiction("its strategy is none"))?.1);
        }
        let formats = description.formats_of(&graph).ok_or(AttachError::Contradiction("a format is of no pin"))?;
        let find = |name: &str| graph.find_filter(name).ok_or(AttachError::Contradiction("a filter is not in it"));
        let outside: Vec<FilterId> = description.outside.iter().map(|name| find(name)).collect::<Result<_, _>>()?;
        let filter = find(&membership.what().filter)?;
        let told = graph.filter(filter).run().cloned();
        let prepared = prepare_outside_as(graph, filter, other.or_else(|| told.clone()), &formats)?;
        let plan = negotiate(prepared.graph())?;
        // What the plan says of frames that could run out is of the filter that the server knows.
        let told = prepared.graph().clone().with_run(filter, told);
        if plan_json(&told, &plan) != description.plan {
            return Err(AttachError::OtherPlan);
        }
        let sharing = prepared.sharing(&plan, &outside)?;
        let part = Part { sharing: &sharing, process: Process::Of(filter), pools: membership.pools() };
        membership.wait_for_begin(None);
        let running = prepared.start_part(&plan, options, part)?;
        let filter = running.graph().filter(filter);
        if filter.pins().all(|pin| running.graph().pin(pin).direction() == Direction::Out) {
            // What is no source ends with the streams that come in.
            membership.when_stopping(stops(running.stop_handle()));
        }
        Ok(AttachedFilter { running, membership })
    }
}

impl AttachedFilter {
    /// What stops it.
    pub fn stop_handle(&self) -> StopHandle {
        self.running.stop_handle()
    }

    /// The run, to look at.
    pub fn running(&self) -> &Running {
        &self.running
    }

    /// Waits for its end, leaves, and tells what it did. Where the server ended, it failed with an error that says so.
    pub fn wait(self) -> Report {
        let Self { running, membership } = self;
        let report = running.wait();
        drop(membership);
        report
    }
}
