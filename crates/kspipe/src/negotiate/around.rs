//! What surrounds the parts of a tree: the ways to treat all that is not in a part, seen from the pin at which it meets the
//! rest. With the least cost known, a part needs only the ways that something around it completes at that cost, and the
//! numbers that all of those come to at least.
//!
//! *Why nothing is lost*: let a way to treat a part be completed at the least cost by some way around it. That way around,
//! or one that made it needless, is in the table; and one that made it needless asks for no larger number, since it costs
//! less in an earlier key where it does, and the whole would cost less than the least. So the least numbers over the table's
//! completions are the least over all, and a pipe that must come to a number loses nothing when it is asked for now. In the
//! same way the frames and the room each of them takes are those of a completion in the table; so what fills that room
//! can be asked for too.

use super::keys::Keys;
use super::open_pipe::Ground;
use super::table::{Effort, Entry, Table, Work};
use super::tree::Visit;
use std::collections::HashMap;

/// The ways around a pin are kept at every so many pins: half-built pipes grow little from one to the next.
const EVERY: u32 = 8;

/// What has to do with the parts of a tree while it is solved.
#[derive(Debug)]
pub(super) enum Watch<'a> {
    Nothing,
    /// What meets at pins of several branches is noted.
    Note(&'a mut Meetings),
    /// What nothing around completes at the least cost is left out.
    Confine(&'a Surroundings),
}

/// By place of a pin: what the pin above it was without it, and the part that it is, seen from there; where the pin above
/// was met by another branch before.
#[derive(Debug, Default)]
pub(super) struct Meetings(HashMap<u32, (Table, Table)>);

impl Meetings {
    pub(super) fn note(&mut self, place: u32, above: &Table, branch: &Table) {
        self.0.insert(place, (above.clone(), branch.clone()));
    }
}

/// What surrounds the parts of a tree.
#[derive(Debug)]
pub(super) struct Surroundings {
    cost: Keys,
    /// Without ties.
    ground: Ground,
    /// By place divided by [`EVERY`]: the ways around the pin above that place once its branch has met it.
    tables: Vec<Table>,
}

impl Surroundings {
    /// Of a tree whose least cost is known; `ground` counts costs only. `None` where that was too much work.
    pub(super) fn of(mut work: Work<'_>, visits: &[Visit], meetings: &Meetings, cost: Keys) -> Option<Self> {
        let mut asks = Vec::new();
        let mut tables = vec![Table::default(); visits.len() / EVERY as usize + 1];
        // The ways around pins whose branches are not all gone through, with those that are, the last pin last.
        let mut open: Vec<(u32, Table)> = vec![(0, work.nothing())];
        for place in 1..visits.len() as u32 {
            let Visit { parent, edge, .. } = visits[place as usize];
            work.traces.clear();
            while open.pop_if(|(pin, _)| *pin != parent).is_some() {}
            let (_, around) = open.last()?;
            if place.is_multiple_of(EVERY) {
                tables[(place / EVERY) as usize] = around.clone();
            }
            let pin = visits[parent as usize].pin;
            let (met, beyond) = match meetings.0.get(&place) {
                Some((above, branch)) => (work.meet(around, above), Some(work.meet(around, branch))),
                None => {
                    let above = work.pin(pin, &mut asks);
                    (work.meet(around, &above), None)
                }
            };
            open.pop();
            open.extend(beyond.map(|beyond| (parent, beyond)));
            let below = work.cross(met, edge, pin);
            open.push((place, below));
            if work.effort.exhausted || work.effort.has_given_up() {
                return None;
            }
        }
        Some(Surroundings { cost, ground: work.ground.clone(), tables })
    }

    /// Leaves out the ways that nothing around completes at the least cost, and asks of the others what they come to.
    /// Whether it looked at them.
    pub(super) fn confine(&self, place: u32, table: &mut Table, effort: &mut Effort) -> bool {
        if !place.is_multiple_of(EVERY) || table.entries.len() < 2 {
            return false;
        }
        let around = &self.tables[(place / EVERY) as usize].entries;
        effort.used += (table.entries.len() * around.len()) as u64;
        table.entries.retain_mut(|entry| self.is_completed(entry, around));
        true
    }

    fn is_completed(&self, entry: &mut Entry, around: &[Entry]) -> bool {
        let completions = around.iter().filter_map(|other| entry.completed_by(other, &self.ground));
        let cheapest = completions.filter(|(_, keys)| !self.ground.order.is_beyond(keys, &self.cost));
        match cheapest.map(|(numbers, _)| numbers.filled(&self.ground)).reduce(|one, other| one.least(other)) {
            Some(least) => {
                entry.ask_for(least, &self.ground);
                true
            }
            None => false,
        }
    }
}
