//! Who is served next: of all users that want something the one that has cost the server least, and of that user's clients
//! likewise.
//!
//! What is counted is time that the server spends on a processor. Who was idle does not save that up: it begins where those that
//! are served now stand, and so is the next in line. Users that ask without end have the same share each, and who asks for less
//! than its share waits for one request of the others at most.

use rustix::event::epoll::EventFlags;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// What there is to do for somebody: a source, and what epoll told of it.
pub(super) type Work = (u64, EventFlags);

/// Those that are no client yet: who knocks at a path, and who has a handle that no client of now opened.
pub(super) const NEWCOMERS: u64 = 0;

/// Who is served next.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    clients: BTreeMap<u64, Client>,
    /// `None`: the newcomers, together.
    users: BTreeMap<Option<u32>, User>,
    /// What the user had cost that was served last.
    now: Duration,
}

#[derive(Debug, Default)]
struct Client {
    user: Option<u32>,
    cost: Duration,
    work: VecDeque<Work>,
}

#[derive(Debug, Default)]
struct User {
    cost: Duration,
    /// How many of its clients want something.
    wanting: usize,
    /// What the client had cost that was served last.
    now: Duration,
    clients: usize,
}

impl Schedule {
    /// A client of a user has come.
    pub(super) fn add(&mut self, client: u64, user: u32) {
        self.insert(client, Some(user));
    }

    fn insert(&mut self, client: u64, user: Option<u32>) {
        let of = self.users.entry(user).or_default();
        of.clients += 1;
        self.clients.insert(client, Client { user, ..Client::default() });
    }

    /// A client has ended. What there was to do for it is there for the newcomers: its handles may be others'.
    pub(super) fn remove(&mut self, client: u64) {
        let Some(Client { user, work, .. }) = self.clients.remove(&client) else { return };
        if let Some(of) = self.users.get_mut(&user) {
            of.clients -= 1;
            of.wanting -= usize::from(!work.is_empty());
            if of.clients == 0 {
                self.users.remove(&user);
            }
        }
        work.into_iter().for_each(|work| self.push(NEWCOMERS, work));
    }

    /// There is something to do for a client; for one that is not known, as for a newcomer.
    pub(super) fn push(&mut self, client: u64, work: Work) {
        let client = if self.clients.contains_key(&client) { client } else { NEWCOMERS };
        if !self.clients.contains_key(&client) {
            self.insert(client, None);
        }
        let Some(of) = self.clients.get_mut(&client) else { return };
        of.work.push_back(work);
        let (is_first, user) = (of.work.len() == 1, of.user);
        if let Some(user) = self.users.get_mut(&user).filter(|_| is_first) {
            of.cost = of.cost.max(user.now);
            if user.wanting == 0 {
                user.cost = user.cost.max(self.now);
            }
            user.wanting += 1;
        }
    }

    /// Whose turn it is, and what there is to do for it.
    pub(super) fn next(&mut self) -> Option<(u64, Work)> {
        let wanting = self.users.iter_mut().filter(|(_, user)| user.wanting > 0);
        let (name, user) = wanting.min_by_key(|(_, user)| user.cost)?;
        let clients = self.clients.iter_mut().filter(|(_, client)| client.user == *name && !client.work.is_empty());
        let (number, client) = clients.min_by_key(|(_, client)| client.cost)?;
        let work = client.work.pop_front()?;
        (self.now, user.now) = (user.cost, client.cost);
        user.wanting -= usize::from(client.work.is_empty());
        Some((*number, work))
    }

    /// What was done for a client has cost so much.
    pub(super) fn charge(&mut self, client: u64, cost: Duration) {
        // Nothing is free: else who asks for what takes no time by the clock would always be next.
        let cost = cost.max(Duration::from_nanos(1));
        let Some(client) = self.clients.get_mut(&client) else { return };
        client.cost += cost;
        if let Some(user) = self.users.get_mut(&client.user) {
            user.cost += cost;
        }
    }

    /// Nobody wants anything.
    pub(super) fn is_empty(&self) -> bool {
        self.users.values().all(|user| user.wanting == 0)
    }
}

#[cfg(test)]
mod tests;
