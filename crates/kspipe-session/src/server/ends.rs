//! What becomes of a filter's holders when its process ends, hangs up, or keeps frames too long.

use super::StreamsOfTheDead;
use super::participants::{Occupant, Place};
use super::state::{State, What};
use kspipe::allocator::shared::{Holder, Ledger};
use kspipe::graph::FilterId;
use kspipe::negotiate::PipeId;
use kspipe::stream::Process;
use rustix::fd::OwnedFd;
use rustix::process::{Signal, pidfd_send_signal};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a process has at least, from its first pin to its joining, where there is a deadline.
const TIME_TO_JOIN: Duration = Duration::from_secs(2);
/// A process that ends closes its handles first, and its end is known a little later. Who lives for so long after it closed
/// them has hung up.
const TIME_TO_END: Duration = Duration::from_secs(1);

impl State {
    /// Takes back what a mediated process has: how many frames. The claims of its filter's holders can be ended after that,
    /// whatever the process does: they are this process's.
    pub(super) fn take_back(&mut self, place: usize) -> u32 {
        let filter = self.places[place].filter;
        let joined = self.places[place].occupant.as_mut().and_then(|occupant| occupant.joined.as_mut());
        let Some(mediation) = joined.and_then(|joined| joined.mediation.take()) else { return 0 };
        for (id, pool) in &mut self.pools {
            let Some(pipe) = self.sharing.pipe_of(*id) else { continue };
            // Whoever waits for it wakes.
            pipe.holders_of(Process::Of(filter)).for_each(|holder| pool.shut(holder));
        }
        let stands = &mut self.places[place];
        stands.copies = stands.copies.saturating_add(mediation.copies());
        stands.requests = stands.requests.saturating_add(mediation.requests());
        mediation.claims()
    }

    /// Ends all claims of a filter's holders: how many there were, and how many frames arrived that were on their way.
    pub(super) fn end_claims(&mut self, filter: FilterId) -> (u32, u32) {
        let (mut claims, mut arrived) = (0, 0);
        for (id, pool) in &mut self.pools {
            let Some(pipe) = self.sharing.pipe_of(*id) else { continue };
            let holders: Vec<Holder> = pipe.holders_of(Process::Of(filter)).collect();
            if !holders.is_empty() {
                let recovered = pool.recover(&holders);
                claims += recovered.claims;
                arrived += recovered.arrived;
            }
        }
        (claims, arrived)
    }

    /// The process that had a filter has ended.
    pub(super) fn recover(&mut self, place: usize) {
        self.vacate(place, |claims, arrived| What::Died { claims, arrived });
    }

    /// Nobody has the filter any more: its frames come home, and its streams go on or end as those of the dead.
    fn vacate(&mut self, place: usize, what: impl FnOnce(u32, u32) -> What) {
        self.told.is_old();
        let taken_back = self.take_back(place);
        let Some(occupant) = self.places[place].occupant.take() else { return };
        if occupant.joined.is_none() {
            return;
        }
        let filter = self.places[place].filter;
        let (claims, arrived) = self.end_claims(filter);
        if self.streams_of_the_dead == StreamsOfTheDead::End {
            self.end_streams(filter);
            self.places[place].has_left = true;
        }
        let what = what(claims + taken_back, arrived);
        match what {
            What::Left { .. } => self.places[place].leaves += 1,
            What::Died { .. } => self.places[place].deaths += 1,
            _ => {}
        }
        self.happened(place, occupant.process, what);
        self.end_streams_where_nobody_comes(place);
    }

    /// Says the end of the streams that a filter sent, in its place.
    fn end_streams(&mut self, filter: FilterId) {
        for (id, pool) in &mut self.pools {
            let Some(pipe) = self.sharing.pipe_of(*id) else { continue };
            let senders: Vec<Holder> = pipe.holders_of(Process::Of(filter)).collect();
            let fed: Vec<Holder> = senders.iter().flat_map(|sender| pipe.properties().receivers_of(*sender)).collect();
            fed.into_iter().for_each(|in_pin| pool.end_stream(in_pin));
        }
    }

    /// While it stops, streams that nobody sends any more end: nobody is expected to go on with them.
    pub(super) fn end_streams_where_nobody_comes(&mut self, place: usize) {
        let place = &self.places[place];
        if self.asked > 0 && place.occupant.is_none() {
            self.end_streams(place.filter);
        }
    }

    /// Nobody comes to a filter that no living process has: its streams end, and so does who sends to it alone.
    pub(super) fn give_up(&mut self, filter: &str) {
        self.recover_the_dead();
        let vacant = |place: &&mut Place| place.name == filter && place.occupant.is_none();
        let Some(place) = self.places.iter_mut().find(vacant) else { return };
        place.has_left = true;
        let filter = place.filter;
        self.end_streams(filter);
        for (id, pool) in &mut self.pools {
            let Some(pipe) = self.sharing.pipe_of(*id) else { continue };
            pipe.holders_of(Process::Of(filter)).for_each(|holder| pool.give_up(holder));
        }
    }

    /// Those whose ends are waited for, each process once as long as its places stand side by side.
    pub(super) fn pidfds(&self) -> Vec<Arc<OwnedFd>> {
        let occupied = self.places.iter().filter_map(|place| Some(place.occupant.as_ref()?.pidfd.clone()));
        let mut pidfds: Vec<_> = occupied.collect();
        pidfds.dedup_by(|one, other| Arc::ptr_eq(one, other));
        pidfds
    }

    pub(super) fn recover_the_dead(&mut self) {
        for place in 0..self.places.len() {
            if self.places[place].occupant.as_ref().is_some_and(Occupant::has_ended) {
                self.recover(place);
            }
        }
    }

    /// What is done from time to time: who has which frame, who keeps one too long, and who has hung up and lives.
    pub(super) fn look(&mut self, now: Instant) {
        let ledgers = self.ledgers(now);
        for place in 0..self.places.len() {
            let keeps_frames = self.oldest_overdue(place, &ledgers, now).is_some();
            let Some(occupant) = &mut self.places[place].occupant else { continue };
            // Who has pins and does not join keeps the filter from others.
            let keeps_place = occupant.joined.is_none()
                && self
                    .hold_deadline
                    .is_some_and(|allowed| now.saturating_duration_since(occupant.since) > allowed.max(TIME_TO_JOIN));
            let is_overdue = keeps_frames || keeps_place;
            let process = occupant.process;
            if !is_overdue {
                occupant.overdue = None;
            } else if occupant.overdue.is_none() {
                occupant.overdue = Some(now);
                self.happened(place, process, What::Overdue);
            }
            let Some(occupant) = &mut self.places[place].occupant else { continue };
            if let Some(hung_up) = &mut occupant.hung_up
                && !occupant.evicted
                && now.saturating_duration_since(hung_up.since) >= TIME_TO_END
                && !std::mem::replace(&mut hung_up.reported, true)
            {
                // What a mediated process has is the server's: by closing its pins it left.
                if occupant.is_mediated {
                    self.vacate(place, |claims, _| What::Left { claims });
                    continue;
                }
                self.happened(place, process, What::HungUp);
            }
            if self.shall_be_evicted(place, now) {
                self.evict(place);
            }
        }
    }

    fn shall_be_evicted(&self, place: usize, now: Instant) -> bool {
        let (Some(occupant), Some(after)) = (&self.places[place].occupant, self.evict_after) else { return false };
        let hung_up = occupant.hung_up.as_ref().filter(|hung_up| hung_up.reported).map(|hung_up| hung_up.since);
        let since = [hung_up, occupant.overdue].into_iter().flatten().min();
        !occupant.evicted && since.is_some_and(|since| now.saturating_duration_since(since) >= after)
    }

    /// Ends a process's part. A trusted one has the pools mapped, and only its death ends that.
    fn evict(&mut self, place: usize) {
        let Some(occupant) = &mut self.places[place].occupant else { return };
        let process = occupant.process;
        if occupant.joined.is_none() {
            self.places[place].occupant = None;
            return self.happened(place, process, What::Evicted { claims: 0 });
        }
        if occupant.is_mediated {
            return self.vacate(place, |claims, _| What::Evicted { claims });
        }
        occupant.evicted = true;
        // One that has ended meanwhile is none the worse for it.
        let _ = pidfd_send_signal(&occupant.pidfd, Signal::KILL);
        self.happened(place, process, What::Evicted { claims: 0 });
    }

    /// Where a filter's process has had a frame for longer than is allowed: the pipe, the holder, and for how long. Frames
    /// that wait in a ring count: who does not take them keeps them from all others. Who waits for a free frame itself is not
    /// the one to blame.
    pub(super) fn oldest_overdue(
        &self,
        place: usize,
        ledgers: &[(PipeId, Ledger)],
        now: Instant,
    ) -> Option<(PipeId, Holder, Duration)> {
        let (allowed, process) = (self.hold_deadline?, Process::Of(self.places[place].filter));
        self.places[place].occupant.as_ref()?.joined.as_ref()?;
        let mut oldest: Option<(PipeId, Holder, Duration)> = None;
        for (id, ledger) in ledgers {
            let Some(pipe) = self.sharing.pipe_of(*id) else { continue };
            for holder in pipe.holders_of(process) {
                let Some(entry) = ledger.holders.iter().find(|entry| entry.holder == holder) else { continue };
                if entry.waiting {
                    return None;
                }
                let age = entry.oldest(now).filter(|age| *age > allowed);
                if let Some(age) = age.filter(|age| oldest.is_none_or(|(_, _, most)| *age > most)) {
                    oldest = Some((*id, holder, age));
                }
            }
        }
        oldest
    }

    pub(super) fn ledgers(&mut self, now: Instant) -> Vec<(PipeId, Ledger)> {
        self.pools.iter_mut().map(|(id, pool)| (*id, pool.ledger(now))).collect()
    }
}
