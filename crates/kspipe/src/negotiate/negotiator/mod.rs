//! Negotiating again after a change, touching only what depends on it.

mod difference;
mod flow;
mod patch;
mod regroup;
mod relink;
mod renumber;
mod solved;
mod tallies;
mod totals;
mod walk;

pub use difference::{Difference, Merged, PipeChange, Regrown, Split};

use super::{NegotiateError, Plan};
use crate::graph::{Change, ChangeError, Graph};
use solved::Solved;

/// A graph that changes, with its plan.
///
/// After every change the plan is the one that [`negotiate`](super::negotiate) finds for the graph as it is, in every
/// detail; but only what depends on the change is negotiated again, and what became of each pipe is told, so that a
/// running graph can keep what is still valid.
///
/// A graph that has no plan is no reason to stop: the changes stay, and a later one can give it a plan again. The
/// [`Difference`] is then the one from the last plan there was, because that is what still runs.
///
/// ```
/// use kspipe::graph::{Change, Direction, Framing, FramingItem, Graph};
/// use kspipe::negotiate::{Negotiator, PipeChange, PipeId, negotiate};
///
/// let mut graph = Graph::builder();
/// graph.filter("camera").pin("capture", Direction::Out).item(FramingItem { frames: 4, ..FramingItem::exactly(3_110_400) });
/// graph.filter("viewer").pin("in", Direction::In).holds(2);
/// graph.connect("camera.capture", "viewer.in");
/// let mut negotiator = Negotiator::new(graph.build()?);
/// assert_eq!(negotiator.plan()?.pipes[0].frames, 4);
///
/// // The viewer keeps more frames now: the pipe has the same pins and more frames.
/// let pin = negotiator.graph().find_pin("viewer.in").expect("a pin");
/// let difference = negotiator.change([Change::Holds { pin, frames: Some(7) }])?;
/// assert_eq!(difference.regrown[0].numbers, [PipeChange::Frames]);
/// assert_eq!(difference.new_number(PipeId(0)), Some(PipeId(0)));
/// assert_eq!(negotiator.plan()?, &negotiate(negotiator.graph())?);
///
/// // Frames of one size only, and another than the camera's: there is no plan until one of the two gives way.
/// let framing = |size| Change::Framing { pin, framing: Framing::Extended(vec![FramingItem::exactly(size)]) };
/// assert!(negotiator.change([framing(4096), Change::Bridges(kspipe::graph::Bridges::Forbid)]).is_err());
/// assert!(negotiator.plan().is_err());
/// let difference = negotiator.change([framing(3_110_400)])?;
/// assert!(difference.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Negotiator {
    graph: Graph,
    /// What is known of the graph; `None` while it has a cycle.
    solved: Option<Solved>,
    /// The last plan there was.
    plan: Option<Plan>,
    /// Why there is none now.
    error: Option<NegotiateError>,
}

/// Why changes gave no plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepError {
    /// A change does not fit the graph. None was made; the plan is as it was.
    Unfit(ChangeError),
    /// The changes were made, and the graph has no plan now.
    NoPlan(NegotiateError),
}

impl std::fmt::Display for StepError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            StepError::Unfit(error) => error.fmt(f),
            StepError::NoPlan(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for StepError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            StepError::Unfit(error) => Some(error),
            StepError::NoPlan(error) => Some(error),
        }
    }
}

impl Negotiator {
    /// Negotiates a graph. One that has no plan yet can be changed until it has.
    pub fn new(graph: Graph) -> Self {
        let mut negotiator = Negotiator { graph, solved: None, plan: None, error: None };
        // `plan` tells it.
        negotiator.error = negotiator.start().err();
        negotiator
    }

    /// The graph as it is.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The best plan for the graph as it is.
    ///
    /// # Errors
    /// Why there is none: what [`negotiate`](super::negotiate) says of the graph.
    pub fn plan(&self) -> Result<&Plan, NegotiateError> {
        match (&self.error, &self.plan) {
            (None, Some(plan)) => Ok(plan),
            (Some(error), _) => Err(error.clone()),
            // Whoever left no plan left an error.
            (None, None) => Err(NegotiateError::Undecided { states: 0 }),
        }
    }

    /// Makes changes, one after the other, and negotiates once after the last of them. Returns how the plan differs from
    /// the last one there was.
    ///
    /// # Errors
    /// [`StepError::Unfit`] where one of the changes does not fit the graph; then none was made. [`StepError::NoPlan`]
    /// where the changed graph has no plan; the changes stay.
    pub fn change(&mut self, changes: impl IntoIterator<Item = Change>) -> Result<Difference, StepError> {
        let mut made = Vec::new();
        for change in changes {
            match self.graph.change(change) {
                Ok(undo) => made.push(undo),
                Err(error) => {
                    for undo in made.into_iter().rev() {
                        let undone = self.graph.change(undo);
                        debug_assert!(undone.is_ok(), "what was changed can be changed back");
                    }
                    return Err(StepError::Unfit(error));
                }
            }
        }
        let found = match self.solved.take() {
            None => self.start(),
            // What undoes a change names what was changed.
            Some(solved) => solved.changed(&self.graph, &made).and_then(|solved| self.go_on(solved)),
        };
        self.error = found.as_ref().err().cloned();
        #[cfg(debug_assertions)]
        if let Ok(plan) = self.plan() {
            debug_assert_eq!(super::verify(&self.graph, plan), Ok(()), "every plan is verified in debug builds");
        }
        found.map_err(StepError::NoPlan)
    }

    /// Negotiates the graph from nothing.
    fn start(&mut self) -> Result<Difference, NegotiateError> {
        Solved::new(&self.graph).and_then(|solved| self.go_on(solved))
    }

    /// Goes from the last plan to the one that was found, if one was.
    fn go_on(&mut self, mut solved: Solved) -> Result<Difference, NegotiateError> {
        let found = match solved.error(&self.graph) {
            Some(error) => Err(error),
            None => Ok(solved.tell(&self.graph, &mut self.plan)),
        };
        self.solved = Some(solved);
        found
    }
}
