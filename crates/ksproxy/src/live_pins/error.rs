//! [`NegotiatePinsError`]: why live pins were not negotiated, with the pins at fault by name.

use crate::hresult::*;
use kspipe::graph::{BuildError, Graph};
use kspipe::negotiate::describe::DoesNotFit;
use kspipe::negotiate::{NegotiateError, WhatIf};
use std::fmt;
use windows_core::HRESULT;

/// Why pins were not negotiated. Whatever it is, no pin is changed: what had been written was undone.
///
/// Pins are named `filter.pin`, with the names that `KsGetFilterName` and `KsGetPinName` gave. It displays as a sentence.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum NegotiatePinsError {
    /// A pin could not be read: it is none, a call to it failed, or it contradicts itself or its neighbour.
    Unreadable {
        /// The pin.
        pin: String,
        /// What the caller is answered.
        code: HRESULT,
        /// What is wrong.
        message: String,
    },
    /// What the pins say makes no graph: an empty physical range, say. `E_INVALIDARG`.
    Malformed(BuildError),
    /// None of the pins is connected. `VFW_E_NOT_CONNECTED`.
    NotConnected,
    /// More pins hang together than are read: 65,536. `E_OUTOFMEMORY`.
    TooManyPins,
    /// Frames would go round. `VFW_E_CIRCULAR_GRAPH`.
    Cycle {
        /// The pins, in order.
        pins: Vec<String>,
    },
    /// The pins cannot agree. `VFW_E_NO_ALLOCATOR`.
    Conflict {
        /// The pins that cannot, and where that is only one, the pin it is connected to.
        pins: Vec<String>,
        /// What each of those that cannot asks for.
        asks: Vec<(String, String)>,
        /// The conflict in a sentence.
        message: String,
        /// What would make them agree.
        help: String,
    },
    /// The limit of work came before any plan was found. `E_FAIL`.
    Undecided {
        /// The states looked at.
        states: u64,
    },
    /// A plan's number is none that an allocator of COM can be told. `E_OUTOFMEMORY`.
    DoesNotFit {
        /// The pins of the pipe.
        pins: Vec<String>,
        /// The number.
        number: DoesNotFit,
    },
    /// A pin refused what was negotiated. Everything written before was undone.
    Refused {
        /// The pin.
        pin: String,
        /// The method, or the property, it was told it by.
        call: &'static str,
        /// What it answered.
        code: HRESULT,
        /// Pins that refused to be set back, each with the method: they are not as they were.
        not_undone: Vec<String>,
    },
}

impl NegotiatePinsError {
    /// What `KspNegotiatePins` answers.
    pub fn hresult(&self) -> HRESULT {
        match self {
            Self::Unreadable { code, .. } | Self::Refused { code, .. } => *code,
            Self::Malformed(_) => E_INVALIDARG,
            Self::NotConnected => VFW_E_NOT_CONNECTED,
            Self::TooManyPins | Self::DoesNotFit { .. } => E_OUTOFMEMORY,
            Self::Cycle { .. } => VFW_E_CIRCULAR_GRAPH,
            Self::Conflict { .. } => VFW_E_NO_ALLOCATOR,
            Self::Undecided { .. } => E_FAIL,
        }
    }

    /// The pins at fault.
    pub fn pins(&self) -> &[String] {
        match self {
            Self::Unreadable { pin, .. } | Self::Refused { pin, .. } => std::slice::from_ref(pin),
            Self::Cycle { pins } | Self::Conflict { pins, .. } | Self::DoesNotFit { pins, .. } => pins,
            Self::Malformed(_) | Self::NotConnected | Self::TooManyPins | Self::Undecided { .. } => &[],
        }
    }

    /// The engine's answer, with the graph's names.
    pub(super) fn of(error: NegotiateError, graph: &Graph) -> Self {
        match error {
            NegotiateError::Cycle(pins) => Self::Cycle { pins: pins.iter().map(|pin| graph.pin_name(*pin)).collect() },
            NegotiateError::Undecided { states } => Self::Undecided { states },
            NegotiateError::Infeasible(conflict) => {
                let mut pins: Vec<String> = conflict.pins.iter().map(|pin| graph.pin_name(*pin)).collect();
                let mut message = conflict.message;
                if let [pin] = conflict.pins[..]
                    && let Some(peer) = graph.pin(pin).peer()
                {
                    message.push_str(&format!("; it is connected to {}", graph.pin_name(peer)));
                    pins.push(graph.pin_name(peer));
                }
                // Nobody copies at a connection of live pins, so bridges are no help; a filter that copies is the same.
                let (copies, others): (Vec<WhatIf>, Vec<WhatIf>) =
                    conflict.changes.into_iter().partition(|change| *change == WhatIf::AllowBridges);
                let way = |change: &WhatIf| match change {
                    WhatIf::AllowBridges => "a filter that copies between them".to_owned(),
                    other => other.describe(graph),
                };
                let ways: Vec<String> = copies.iter().chain(&others).map(way).collect();
                let together: Vec<String> = conflict.together.iter().map(way).collect();
                let help = match ways.split_first() {
                    None if together.is_empty() => conflict.help,
                    None => format!(
                        "more than this conflicts; these together would make it work: {}",
                        together.join("; and ")
                    ),
                    Some((first, [])) => format!("{first} would make it work"),
                    Some((first, others)) => format!("{first} would make it work; so would {}", others.join(", or ")),
                };
                let asks = conflict.asks.into_iter().map(|(pin, ask)| (graph.pin_name(pin), ask)).collect();
                Self::Conflict { pins, asks, message, help }
            }
        }
    }
}

impl fmt::Display for NegotiatePinsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { pin, message, .. } => write!(f, "{pin}: {message}"),
            Self::Malformed(error) => error.fmt(f),
            Self::NotConnected => f.write_str("none of the pins is connected"),
            Self::TooManyPins => {
                write!(f, "more than {} pins hang together, or a filter makes new ones all the time", super::MOST_PINS)
            }
            Self::Cycle { pins } => {
                write!(f, "the graph has a cycle: {}", pins.join(" -> "))?;
                pins.first().map_or(Ok(()), |first| write!(f, " -> {first}"))
            }
            Self::Conflict { message, .. } => f.write_str(message),
            Self::Undecided { states } => {
                write!(f, "undecided: no plan found within {states} states; there may be one")
            }
            Self::DoesNotFit { pins, number } => write!(f, "the pipe of {}: {number}", pins.join(", ")),
            Self::Refused { pin, call, code, not_undone } => {
                write!(f, "{pin} refused {call} with {}", ks::Hresult(code.0))?;
                if not_undone.is_empty() {
                    f.write_str("; everything is as it was")
                } else {
                    write!(f, "; these could not be set back: {}", not_undone.join(", "))
                }
            }
        }
    }
}

impl std::error::Error for NegotiatePinsError {}

/// What is wrong with a pin, before it has a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) code: HRESULT,
    pub(super) message: String,
}

impl Fault {
    pub(super) fn new(code: HRESULT, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// A call that failed.
    pub(super) fn failed(call: &str, code: HRESULT) -> Self {
        Self::new(code, format!("{call} answered {}", ks::Hresult(code.0)))
    }

    /// The error, of the pin with this name.
    pub(super) fn of(self, pin: String) -> NegotiatePinsError {
        NegotiatePinsError::Unreadable { pin, code: self.code, message: self.message }
    }
}
