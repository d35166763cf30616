//! The status as JSON. `docs/sessions.md` describes it; members are added, never changed or removed, without a new version.

use super::mediation::Mediation;
use super::state::{State, What};
use kspipe::allocator::shared::{HolderEntry, Ledger};
use kspipe::negotiate::PipeId;
use kspipe::stream::Process;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const VERSION: u32 = 1;
/// A pipe in which nothing has moved for so long, while somebody waits for a frame of it, is told of.
const STILL: Duration = Duration::from_secs(1);

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl State {
    /// Who has which frame since when, and what happened.
    pub(super) fn status(&mut self, now: Instant) -> Value {
        let ledgers = self.ledgers(now);
        let pipes: Vec<Value> = ledgers.iter().map(|(id, ledger)| self.pipe_status(*id, ledger, now)).collect();
        let mut warnings: Vec<Value> = ledgers.iter().flat_map(|(id, ledger)| self.overdrafts(*id, ledger)).collect();
        warnings.extend((0..self.places.len()).filter_map(|place| self.overdue(place, &ledgers, now)));
        warnings.extend(ledgers.iter().filter_map(|(id, ledger)| self.standing_still(*id, ledger, now)));
        let since = |then: Instant| milliseconds(then.saturating_duration_since(self.started));
        let filters: Vec<Value> = self
            .places
            .iter()
            .map(|place| {
                let occupant = place.occupant.as_ref();
                let mediation = occupant.and_then(|occupant| occupant.joined.as_ref()?.mediation.as_ref());
                json!({
                    "name": place.name,
                    "state": place.state(),
                    "process": occupant.map(|occupant| occupant.process),
                    "user": occupant.map(|occupant| occupant.user),
                    "since_ms": occupant.map(|occupant| since(occupant.since)),
                    "mediated": occupant.is_some_and(|occupant| occupant.is_mediated),
                    "requests": place.requests.saturating_add(mediation.map_or(0, Mediation::requests)),
                    "copies": place.copies.saturating_add(mediation.map_or(0, Mediation::copies)),
                    "joins": place.joins,
                    "leaves": place.leaves,
                    "deaths": place.deaths,
                })
            })
            .collect();
        let events: Vec<Value> = self
            .events
            .iter()
            .map(|event| {
                let (what, claims, arrived) = match event.what {
                    What::Joined => ("joined", 0, 0),
                    What::Left { claims } => ("left", claims, 0),
                    What::Died { claims, arrived } => ("died", claims, arrived),
                    What::HungUp => ("hung-up", 0, 0),
                    What::Overdue => ("overdue", 0, 0),
                    What::Evicted { claims } => ("evicted", claims, 0),
                };
                json!({
                    "at_ms": since(event.at),
                    "filter": self.places[event.place].name,
                    "process": event.process,
                    "what": what,
                    "frames_recovered": claims,
                    "frames_arrived": arrived,
                })
            })
            .collect();
        json!({
            "version": VERSION,
            "up_ms": since(now),
            "begun_ms": self.begun.map(since),
            "stopping": self.times_asked() > 0,
            "filters": filters,
            "pipes": pipes,
            "warnings": warnings,
            "events": events,
        })
    }

    fn pipe_status(&self, id: PipeId, ledger: &Ledger, now: Instant) -> Value {
        let holders: Vec<Value> =
            self.holders(id, ledger).map(|(pin, process, entry)| holder(&pin, process, entry, now)).collect();
        json!({
            "id": id.0,
            "frames": ledger.frames,
            "free": ledger.free,
            "peak": ledger.peak,
            "still_ms": still(ledger, now).map(milliseconds),
            "holders": holders,
        })
    }

    /// The holders of a pipe, each with its pin and the filter that is outside.
    fn holders<'a>(
        &'a self,
        id: PipeId,
        ledger: &'a Ledger,
    ) -> impl Iterator<Item = (String, Option<String>, &'a HolderEntry)> {
        let pipe = self.sharing.pipe_of(id);
        let holders = pipe.into_iter().flat_map(|pipe| pipe.holders());
        holders.filter_map(move |(holder, pin, process)| {
            let entry = ledger.holders.iter().find(|entry| entry.holder == holder)?;
            let outside = match process {
                Process::Server => None,
                Process::Of(filter) => Some(self.graph.filter(filter).name().to_owned()),
            };
            Some((self.graph.pin_name(pin), outside, entry))
        })
    }

    /// Who waits for a frame of a pipe in which nothing moves, and who has them all.
    fn standing_still(&self, id: PipeId, ledger: &Ledger, now: Instant) -> Option<Value> {
        let still = still(ledger, now).filter(|still| *still >= STILL && ledger.free == 0)?;
        let waiting = self.holders(id, ledger).filter(|(.., entry)| entry.waiting_since.is_some());
        let waiting: Vec<String> = waiting.map(|(pin, ..)| pin).collect();
        let count = |held: usize| if ledger.frames > 1 { format!(" ({held})") } else { String::new() };
        let having = self.holders(id, ledger).filter(|(.., entry)| !entry.held.is_empty());
        let having = having.map(|(pin, _, entry)| format!("`{pin}`{}", count(entry.held.len()))).collect();
        let seconds = still.as_millis() / 100;
        let message = format!(
            "nothing has moved in pipe {} for {}.{} s: {} {} for a frame; {} with {}",
            id.0,
            seconds / 10,
            seconds % 10,
            listed(waiting.iter().map(|pin| format!("`{pin}`")).collect()),
            if waiting.len() == 1 { "waits" } else { "wait" },
            if ledger.frames > 1 { format!("all {} are", ledger.frames) } else { "its only one is".to_owned() },
            listed(having),
        );
        Some(json!({
            "pipe": id.0,
            "pin": waiting.first(),
            "over": 0,
            "still_ms": milliseconds(still),
            "message": message,
        }))
    }

    /// Who keeps a frame for longer than is allowed.
    fn overdue(&self, place: usize, ledgers: &[(PipeId, Ledger)], now: Instant) -> Option<Value> {
        let (id, holder, age) = self.oldest_overdue(place, ledgers, now)?;
        let (_, pin, _) = self.sharing.pipe_of(id)?.holders().find(|(of, _, _)| *of == holder)?;
        let (pin, age, allowed) = (self.graph.pin_name(pin), milliseconds(age), milliseconds(self.hold_deadline?));
        let message = format!("`{pin}` has had a frame for {age} ms, {allowed} are allowed");
        Some(json!({ "pipe": id.0, "pin": pin, "over": 0, "age_ms": age, "message": message }))
    }

    /// Who keeps more than it said.
    fn overdrafts(&self, id: PipeId, ledger: &Ledger) -> Vec<Value> {
        let over = self.holders(id, ledger).filter(|(_, _, entry)| entry.overdraft() > 0);
        let warning = |(pin, _, entry): (String, Option<String>, &HolderEntry)| {
            let holds = entry.holds.unwrap_or(0);
            let over = entry.overdraft();
            let frames = if over == 1 { "frame" } else { "frames" };
            let message = format!("`{pin}` keeps {over} {frames} more than the {holds} it holds");
            json!({ "pipe": id.0, "pin": pin, "over": over, "message": message })
        };
        over.map(warning).collect()
    }
}

/// `a`, `b` and `c`.
fn listed(mut names: Vec<String>) -> String {
    let last = names.pop().unwrap_or_default();
    if names.is_empty() { last } else { format!("{} and {last}", names.join(", ")) }
}

/// For how long nothing has moved, where somebody waits for a free frame.
fn still(ledger: &Ledger, now: Instant) -> Option<Duration> {
    let is_waited_for = ledger.holders.iter().any(|entry| entry.waiting_since.is_some());
    is_waited_for.then(|| now.saturating_duration_since(ledger.still_since))
}

fn holder(pin: &str, outside: Option<String>, entry: &HolderEntry, now: Instant) -> Value {
    let held: Vec<Value> = entry
        .held
        .iter()
        .map(|held| json!({ "frame": held.frame, "age_ms": milliseconds(now.saturating_duration_since(held.since)) }))
        .collect();
    json!({
        "pin": pin,
        "holder": entry.holder.number(),
        "filter": outside,
        "admitted": entry.admitted,
        "held": held,
        "holds": entry.holds,
        "overdraft": entry.overdraft(),
        "arriving": entry.arriving,
        "taken": entry.taken,
        "waits": entry.waits,
        "waiting": entry.waiting,
        "waiting_ms": entry.waiting_since.map(|since| milliseconds(now.saturating_duration_since(since))),
    })
}
