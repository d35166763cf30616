//! Why a plan is what it is: questions about its numbers, its copies and the allocators it does not use, each answered
//! with who asks for that, and what dropping that one ask would save. The savings are had by negotiating again.

mod difference;
mod joined;
mod renegotiate;
mod unused;

pub use difference::CostDifference;
pub use unused::Obstacle;

pub(super) use unused::{ON_WINDOWS, obstacle, offer};

use super::describe::{Description, PipeReasons, Reason};
use super::{PipeId, Plan, WhatIf};
use crate::graph::{Connection, Graph, PinId};
use renegotiate::{Outcome, Renegotiator};

/// A number of a pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PipeNumber {
    /// How many frames (rule 5).
    Frames,
    /// Their size (rule 3).
    FrameSize,
    /// Their alignment (rule 4).
    Alignment,
    /// Their memory (rule 2).
    MemoryType,
    /// Who allocates them (rule 6).
    Allocator,
    /// The bus that the allocator is told.
    BusType,
    /// The pipe's flags.
    Flags,
}

impl PipeNumber {
    /// All of them, in the order of JSON.
    pub const ALL: [PipeNumber; 7] = [
        PipeNumber::Frames,
        PipeNumber::FrameSize,
        PipeNumber::Alignment,
        PipeNumber::MemoryType,
        PipeNumber::Allocator,
        PipeNumber::BusType,
        PipeNumber::Flags,
    ];

    /// The name JSON has for it.
    pub fn name(self) -> &'static str {
        match self {
            PipeNumber::Frames => "frames",
            PipeNumber::FrameSize => "frame_size",
            PipeNumber::Alignment => "alignment",
            PipeNumber::MemoryType => "memory_type",
            PipeNumber::Allocator => "allocator",
            PipeNumber::BusType => "bus_type",
            PipeNumber::Flags => "flags",
        }
    }

    /// Its reasons, of a pipe's.
    fn of(self, reasons: &PipeReasons) -> &[Reason] {
        match self {
            PipeNumber::Frames => &reasons.frames,
            PipeNumber::FrameSize => &reasons.frame_size,
            PipeNumber::Alignment => &reasons.alignment,
            PipeNumber::MemoryType => &reasons.memory_type,
            PipeNumber::Allocator => &reasons.allocator,
            PipeNumber::BusType => &reasons.bus_type,
            PipeNumber::Flags => &reasons.flags,
        }
    }
}

/// What one may ask of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Question {
    /// Why this number of this pipe?
    Number(PipeId, PipeNumber),
    /// Why are frames copied at this connection: why can its two sides share none?
    Bridge(Connection),
    /// Why is the `either` route between these pins taken as a copy?
    Copy(Connection),
    /// Why does this pin not allocate the frames it sees?
    Allocator(PinId),
}

/// What is said to a question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// What makes it so. For a bridge or a copy, what cannot be had in one pipe: leaving out any one of these, the two
    /// sides could share frames.
    pub causes: Vec<Cause>,
    /// What keeps a pin from allocating, where that was the question; `None` where nothing does.
    pub obstacle: Option<Obstacle>,
    /// Changes of one thing each after which the pin allocates, where that was the question. Each was tried; those that
    /// cost least come first.
    pub changes: Vec<TriedChange>,
}

/// One thing that makes a plan what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Which pin, which item, which rule.
    pub reason: Reason,
    /// What dropping that one ask would save; `None` where no single ask could be dropped.
    pub saving: Option<Saving>,
}

/// What came of negotiating again without one ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Saving {
    /// There is a plan.
    Plan {
        /// What it costs, beside what the plan at hand costs.
        cost: Box<CostDifference>,
        /// What the number asked about is then, in words; `None` where it is the same, or no number was asked about.
        becomes: Option<String>,
        /// Where the number is the same: who asks for as much, or the rule by which it is so where nobody does.
        still: Vec<Reason>,
        /// Where the ask told how many bytes the pin's frames carry: what they are taken to carry without it.
        data: Option<u64>,
    },
    /// There is none: something rests on this ask.
    NoPlan,
    /// The search came to its limit.
    Undecided,
    /// It was not tried: the re-negotiations that an explanation may take were used up.
    NotTried,
}

/// A change that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriedChange {
    /// The change.
    pub change: WhatIf,
    /// What the plan costs after it.
    pub cost: CostDifference,
}

impl Plan {
    /// Answers a question about this plan, which must be one of this graph's. For many questions, [`Explainer`] is
    /// faster, and bounds the work of all of them together.
    ///
    /// ```
    /// use kspipe::graph::{Direction, FramingItem, Graph};
    /// use kspipe::negotiate::{PipeId, PipeNumber, Question, Saving, negotiate};
    ///
    /// let mut graph = Graph::builder();
    /// graph.filter("camera").pin("out", Direction::Out).item(FramingItem { frames: 8, ..FramingItem::exactly(1000) });
    /// graph.filter("viewer").pin("in", Direction::In).holds(2);
    /// graph.connect("camera.out", "viewer.in");
    /// let graph = graph.build()?;
    /// let plan = negotiate(&graph)?;
    ///
    /// let answer = plan.why(&graph, Question::Number(PipeId(0), PipeNumber::Frames));
    /// assert_eq!(answer.causes[0].reason.text, "requires Frames 8");
    /// match &answer.causes[0].saving {
    ///     // The viewer needs two and one more.
    ///     Some(Saving::Plan { cost, becomes, .. }) => {
    ///         assert_eq!(becomes.as_deref(), Some("3 frames"));
    ///         assert_eq!(cost.to_string(), "saves 5 000 bytes and 5 frames");
    ///     }
    ///     other => panic!("{other:?}"),
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// A pipe, connection, route or pin that the plan does not have in this way (a connection that is no bridge) has an
    /// empty answer.
    pub fn why(&self, graph: &Graph, question: Question) -> Answer {
        Explainer::new(graph, self).answer(question)
    }
}

/// Answers questions about one plan.
///
/// All answers together take at most [`Explainer::MOST_RENEGOTIATIONS`] re-negotiations, and fewer in a large graph; what
/// was left untried says so ([`Saving::NotTried`]).
#[derive(Debug)]
pub struct Explainer<'a> {
    description: Description<'a>,
    renegotiator: Renegotiator<'a>,
}

impl<'a> Explainer<'a> {
    /// Re-negotiations at most. In a graph of many pins there are fewer: with all of them together, at most twenty million
    /// pins and joins of half-built pipes are looked at.
    pub const MOST_RENEGOTIATIONS: u32 = 1000;

    /// For a graph and a plan of it.
    pub fn new(graph: &'a Graph, plan: &'a Plan) -> Self {
        Self::with_limit(graph, plan, Self::MOST_RENEGOTIATIONS)
    }

    /// The same, with at most so many re-negotiations.
    pub fn with_limit(graph: &'a Graph, plan: &'a Plan, renegotiations: u32) -> Self {
        Explainer { description: Description::new(graph, plan), renegotiator: Renegotiator::new(graph, renegotiations) }
    }

    /// The plan's description.
    pub fn description(&self) -> &Description<'a> {
        &self.description
    }

    /// Whether something was left untried.
    pub fn came_to_its_limit(&self) -> bool {
        self.renegotiator.refused > 0
    }

    /// Re-negotiations done so far.
    pub fn renegotiations(&self) -> u32 {
        self.renegotiator.done
    }

    /// Answers a question.
    pub fn answer(&mut self, question: Question) -> Answer {
        match question {
            Question::Number(pipe, number) => self.number(pipe, number),
            Question::Bridge(connection) | Question::Copy(connection) => {
                let reasons = self.conflict(connection);
                Answer { causes: self.causes(reasons, None), ..Answer::default() }
            }
            Question::Allocator(pin) => unused::answer(self, pin),
        }
    }

    /// Why the pipes at both ends of a copy cannot be one. Past the limit, as much of it as is seen at once.
    fn conflict(&mut self, cut: Connection) -> Vec<Reason> {
        let (view, plan) = (self.description.view(), self.description.plan());
        let pins = [cut.from, cut.to].into_iter().filter(|pin| pin.index() < plan.pipe_of.len());
        let size = pins.map(|pin| plan.pipe(pin).pins.len()).sum();
        if self.renegotiator.spend_on_conflict(size) {
            return joined::reasons(view, cut);
        }
        let bridge = plan.bridges.iter().find(|bridge| bridge.connection == cut);
        bridge.map(|bridge| self.description.bridge_reasons(bridge)).unwrap_or_default()
    }

    /// Pins that offer to allocate, so that it can be asked why they do not: the first thousand of the graph, and how many
    /// there are besides.
    pub fn offering_pins(&self) -> (Vec<PinId>, usize) {
        const MOST: usize = 1000;
        let mut pins: Vec<PinId> = self.description.graph().pin_ids().collect();
        pins.retain(|pin| self.description.offers_to_allocate(*pin));
        let left_out = pins.len().saturating_sub(MOST);
        pins.truncate(MOST);
        (pins, left_out)
    }

    fn number(&mut self, pipe: PipeId, number: PipeNumber) -> Answer {
        if self.description.plan().pipes.len() <= pipe.index() {
            return Answer::default();
        }
        let reasons = self.description.reasons(pipe);
        let reasons = number.of(&reasons).to_vec();
        Answer { causes: self.causes(reasons, Some(number)), ..Answer::default() }
    }

    /// The reasons, each with what dropping it saves.
    fn causes(&mut self, reasons: Vec<Reason>, number: Option<PipeNumber>) -> Vec<Cause> {
        let causes = reasons.into_iter().map(|reason| Cause { saving: self.saving(&reason, number), reason });
        causes.collect()
    }

    /// What dropping the one ask of a reason saves.
    fn saving(&mut self, reason: &Reason, number: Option<PipeNumber>) -> Option<Saving> {
        let (pin, asked) = (reason.pin?, reason.asked?);
        let (graph, before) = (self.description.graph(), self.description.plan());
        let change = WhatIf::dropping(graph, pin, reason.item, asked);
        Some(match self.renegotiator.with(&change) {
            Outcome::Plan(changed, plan) => {
                let cost = Box::new(CostDifference::of(before, &plan));
                let new = Description::new(&changed, &plan);
                let (mut becomes, mut still) = (None, Vec::new());
                if let Some(number) = number {
                    let value = |description: &Description<'_>| {
                        let plan = description.plan();
                        difference::number_words(description.graph(), plan.pipe(pin), number)
                    };
                    let now = value(&new);
                    if now == value(&self.description) {
                        let reasons = new.reasons(plan.pipe_of[pin.index()]);
                        still = number.of(&reasons).to_vec();
                    } else {
                        becomes = Some(now);
                    }
                }
                let carried = |description: &Description<'_>| description.view().data(pin).unwrap_or(0);
                let data = Some(carried(&new)).filter(|data| *data != carried(&self.description));
                Saving::Plan { cost, becomes, still, data }
            }
            Outcome::NoPlan => Saving::NoPlan,
            Outcome::Undecided => Saving::Undecided,
            Outcome::NothingChanged => return None,
            Outcome::NotTried => Saving::NotTried,
        })
    }
}
