//! A graph in which nobody can move any more, seen from the server: it has the words by which all others wait.
//!
//! Every filter outside is one thread that waits for one thing at a time, which is what
//! [`ServerOptions::ends_stalls`](super::ServerOptions::ends_stalls) promises. So a filter waits in vain where one of its
//! holders sleeps for what is not there. Where all do, at one moment, none of them will ever wake another: that is a stall,
//! whatever time has passed.

use super::participants::{Occupant, Place};
use super::state::State;
use kspipe::allocator::shared::{SleepsFor, Standstill};
use kspipe::graph::FilterId;
use kspipe::negotiate::PipeId;
use kspipe::stream::{FilterWait, Process, Waits, WaitsFor};
use std::time::Instant;

/// What is known of everybody, read once.
#[derive(PartialEq, Eq)]
struct Reading {
    /// The server's own filters.
    own: Waits,
    pools: Vec<(PipeId, Standstill)>,
}

impl State {
    /// Ends a graph that is stalled.
    pub(super) fn end_if_stalled(&mut self) {
        if !self.ends_stalls || self.closed {
            return;
        }
        let (Some(waits), Some(stall)) = (self.stalled(), self.stall.clone()) else { return };
        // Nobody comes any more. Who waits for a free frame is told that there will be none; streams end after the last frame.
        self.closed = true;
        stall.end_stalled(&waits);
        for (_, pool) in &mut self.pools {
            let acquirers: Vec<_> = pool.properties().holders().filter(|holder| !holder.is_in_pin()).collect();
            acquirers.into_iter().for_each(|acquirer| pool.shut(acquirer));
        }
    }

    /// Who waits for what, where nobody can move any more.
    fn stalled(&mut self) -> Option<Vec<FilterWait>> {
        let reading = self.reading()?;
        let mut waits: Vec<FilterWait> = reading.own.filters.clone();
        if !reading.own.outside.iter().all(|filter| sleeps(self, &reading, Process::Server, *filter).is_some()) {
            return None;
        }
        // Who is gone for good waits for nothing; for one that may come, or come back, it can be worth waiting.
        let expected = self.places.iter().filter(|place| !(place.has_left && place.occupant.is_none()));
        for place in expected {
            let is_there = |occupant: &Occupant| {
                !occupant.is_mediated && occupant.joined.is_some() && occupant.hung_up.is_none() && !occupant.evicted
            };
            place.occupant.as_ref().filter(|occupant| is_there(occupant))?;
            let what = sleeps(self, &reading, Process::Of(place.filter), place.filter)?;
            waits.push(FilterWait { filter: place.filter, what, keeps: 0 });
        }
        // Nothing has moved meanwhile, and nobody has died: it was so at one moment.
        let has_ended = |place: &Place| place.occupant.as_ref().is_some_and(Occupant::has_ended);
        if waits.is_empty() || self.reading()? != reading || self.places.iter().any(has_ended) {
            return None;
        }
        self.count_kept(&mut waits);
        waits.sort_by_key(|wait| wait.filter);
        Some(waits)
    }

    fn reading(&self) -> Option<Reading> {
        let own = self.stall.as_ref()?.waits()?;
        Some(Reading { own, pools: self.pools.iter().map(|(id, pool)| (*id, pool.standstill())).collect() })
    }

    /// How many frames the filters outside have taken and keep.
    fn count_kept(&mut self, waits: &mut [FilterWait]) {
        let ledgers = self.ledgers(Instant::now());
        let outside = |filter| self.places.iter().any(|place| place.filter == filter);
        for wait in waits.iter_mut().filter(|wait| outside(wait.filter)) {
            let of_filter = ledgers.iter().flat_map(|(id, ledger)| {
                let pipe = self.sharing.pipe_of(*id).into_iter();
                let holders = pipe.flat_map(|pipe| pipe.holders_of(Process::Of(wait.filter)));
                holders.filter_map(|holder| ledger.holders.iter().find(|entry| entry.holder == holder))
            });
            wait.keeps = of_filter.map(|entry| (entry.held.len() as u64).saturating_sub(entry.arriving)).sum();
        }
    }
}

/// What a filter sleeps for in vain, by one of its holders; `None`: by none.
fn sleeps(state: &State, reading: &Reading, process: Process, filter: FilterId) -> Option<WaitsFor> {
    reading.pools.iter().find_map(|(id, pool)| {
        let pipe = state.sharing.pipe_of(*id)?;
        let of_filter =
            pipe.holders().filter(|(_, pin, of)| *of == process && state.graph.pin(*pin).filter() == filter);
        let what = of_filter.into_iter().find_map(|(holder, ..)| pool.sleeper(holder))?;
        Some(match what {
            SleepsFor::NextFrame => WaitsFor::NextFrame,
            SleepsFor::FreeFrame => {
                WaitsFor::FreeFrame { pipe: *id, frames: u64::from(pipe.properties().frames.frames) }
            }
        })
    })
}
