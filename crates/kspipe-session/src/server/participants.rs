//! Filters that are outside, and the processes that have them.

use super::mediation::Mediation;
use super::signal::Signal;
use ksobject::PinInstance;
use kspipe::graph::FilterId;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

/// A filter that is outside.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) filter: FilterId,
    pub(super) name: String,
    pub(super) occupant: Option<Occupant>,
    /// How often somebody joined, left in order, and died.
    pub(super) joins: u64,
    pub(super) leaves: u64,
    pub(super) deaths: u64,
    /// Frames that were copied in for mediated processes that are gone, and their requests.
    pub(super) copies: u64,
    pub(super) requests: u64,
    /// The last who was there left in order.
    pub(super) has_left: bool,
}

/// A process that has a filter: created a pin of it.
#[derive(Debug)]
pub(super) struct Occupant {
    pub(super) process: i32,
    pub(super) user: u32,
    /// Shared with who waits for it.
    pub(super) pidfd: Arc<OwnedFd>,
    /// Its pins, at most one of each factory.
    pub(super) pins: BTreeSet<PinInstance>,
    pub(super) since: Instant,
    /// It is not trusted with the control memory.
    pub(super) is_mediated: bool,
    /// It keeps frames for longer than is allowed: since when that is known.
    pub(super) overdue: Option<Instant>,
    /// It was killed, and its end is waited for.
    pub(super) evicted: bool,
    /// It joined, and has the filter's holders.
    pub(super) joined: Option<Joined>,
    /// It closed all its pins and did not leave.
    pub(super) hung_up: Option<HungUp>,
}

/// A process that has hung up, and lives as far as is known.
#[derive(Debug)]
pub(super) struct HungUp {
    pub(super) since: Instant,
    /// It was told of.
    pub(super) reported: bool,
}

/// What a process got that joined.
#[derive(Debug)]
pub(super) struct Joined {
    /// Sources shall end.
    pub(super) stop: Signal,
    /// The graph has begun.
    pub(super) begins: Signal,
    /// What it has not fetched yet, each once.
    pub(super) descriptors: Vec<Option<OwnedFd>>,
    /// What the server does for it, where it is mediated.
    pub(super) mediation: Option<Mediation>,
}

impl Place {
    pub(super) fn new(filter: FilterId, name: &str) -> Self {
        let name = name.to_owned();
        Self { filter, name, occupant: None, joins: 0, leaves: 0, deaths: 0, copies: 0, requests: 0, has_left: false }
    }

    /// What the server does for the process that is there.
    pub(super) fn mediation(&mut self) -> Option<&mut Mediation> {
        self.occupant.as_mut()?.joined.as_mut()?.mediation.as_mut()
    }

    /// How it stands: `vacant`, `opened`, `joined`, `hung-up`.
    pub(super) fn state(&self) -> &'static str {
        match &self.occupant {
            None => "vacant",
            Some(Occupant { hung_up: Some(_), .. }) => "hung-up",
            Some(Occupant { joined: Some(_), .. }) => "joined",
            Some(_) => "opened",
        }
    }
}

impl Occupant {
    pub(super) fn has_ended(&self) -> bool {
        let mut polled = [PollFd::new(self.pidfd.as_ref(), PollFlags::IN)];
        matches!(poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })), Ok(1..))
    }
}
