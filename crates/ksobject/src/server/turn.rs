//! A turn: what clients ask is put on the schedule, and done for whose turn it is.

use super::schedule::NEWCOMERS;
use super::{Server, Source, clock};
use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::io::Errno;
use std::io;
use std::time::{Duration, Instant};

/// How long a turn lasts, where there is so much to do: who has a loop of its own has other things to look at.
const TURN: Duration = Duration::from_micros(100);

impl Server {
    /// Waits for something to do, at most so long, or without end, and does it for about a tenth of a millisecond: first what
    /// users ask that have cost the server least of its time, and of their processes those that have. A request that is being
    /// done is done to its end, and nobody else waits for more than that because others flood. Says how many things there
    /// were; what is left is for the next turn.
    ///
    /// # Errors
    /// The system cannot wait.
    pub fn turn(&mut self, timeout: Option<Duration>) -> io::Result<usize> {
        let timeout = if self.schedule.is_empty() { timeout } else { Some(Duration::ZERO) };
        let mut done = self.look(timeout)?;
        let begin = Instant::now();
        let mut then = clock::spent();
        while let Some((client, (id, flags))) = self.schedule.next() {
            self.work(id, flags);
            // What one request ended is answered before the next is read.
            self.answer_ended();
            self.schedule.charge(client, clock::spent().saturating_sub(then));
            done += 1;
            if begin.elapsed() >= TURN {
                break;
            }
            // Who comes now may be the next.
            if !self.schedule.is_empty() {
                done += self.look(Some(Duration::ZERO))?;
            }
            then = clock::spent();
        }
        if !self.schedule.is_empty() {
            // Who waits for the server's descriptor finds it readable.
            self.ended.remind();
        }
        Ok(done)
    }

    /// Waits for something to happen. What clients ask is put on the schedule, everything else is done; how much was.
    fn look(&mut self, timeout: Option<Duration>) -> io::Result<usize> {
        let timeout = timeout.map(|timeout| Timespec {
            tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: timeout.subsec_nanos().into(),
        });
        let mut events = Vec::<epoll::Event>::with_capacity(64);
        match epoll::wait(&self.epoll, spare_capacity(&mut events), timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        self.spare.restore(&self.stop);
        // Where nothing else happens there is no more room than before, and trying at once would be without end.
        let mut may_have_room = events.is_empty() && self.schedule.is_empty();
        let mut done = 0;
        for event in &events {
            let id = event.data.u64();
            // What an earlier one of these ended is not there any more.
            let Some(source) = self.sources.get(&id).copied() else { continue };
            may_have_room |= !matches!(source, Source::Listener);
            match source {
                Source::Listener | Source::Handle | Source::Connection => {
                    self.put_on_schedule(id, source, event.flags);
                    continue;
                }
                Source::Process(process) => self.process_ended(process),
                Source::Ended => self.ended.acknowledge(),
                Source::Stop => self.stopped = true,
            }
            self.answer_ended();
            done += 1;
        }
        if may_have_room && self.listeners_paused {
            self.pause_listeners(false);
        }
        Ok(done)
    }

    /// There is something to do for a client.
    fn put_on_schedule(&mut self, id: u64, source: Source, flags: EventFlags) {
        let client = match source {
            Source::Handle => self.handles.get(&id).map(|end| end.client),
            _ => self.connections.get_mut(&id).and_then(|connection| {
                connection.is_scheduled = true;
                self.process_sources.get(&connection.process).copied()
            }),
        };
        self.schedule.push(client.unwrap_or(NEWCOMERS), (id, flags));
    }

    /// Does what a client asks by a source, and has epoll tell of that again.
    fn work(&mut self, id: u64, flags: EventFlags) {
        let again = EventFlags::IN | EventFlags::ONESHOT;
        match self.sources.get(&id) {
            Some(Source::Listener) => {
                self.let_in(id);
                if let Some((listener, _)) = self.listeners.get(&id).filter(|_| !self.listeners_paused) {
                    let _ = epoll::modify(&self.epoll, listener, EventData::new_u64(id), again);
                }
            }
            Some(Source::Handle) => {
                self.handle_is_ready(id);
                if let Some(end) = self.handles.get(&id) {
                    let _ = epoll::modify(&self.epoll, &end.socket, EventData::new_u64(id), again);
                }
            }
            Some(Source::Connection) => {
                self.connection_is_ready(id, flags);
                if let Some(connection) = self.connections.get_mut(&id) {
                    (connection.is_scheduled, connection.interest) = (false, EventFlags::empty());
                    let number = connection.process;
                    self.look_at(number);
                }
            }
            // What an earlier one ended is not there any more.
            _ => {}
        }
    }

    /// Asks epoll for what a client's connections are ready for: none is read from while one of them has no room for an
    /// answer.
    pub(super) fn look_at(&mut self, number: i32) {
        let Some(process) = self.processes.get(&number) else { return };
        for id in &process.connections {
            let Some(connection) = self.connections.get_mut(id) else { continue };
            if connection.is_scheduled {
                continue;
            }
            let mut interest = EventFlags::ONESHOT;
            interest.set(EventFlags::IN, process.unread == 0);
            interest.set(EventFlags::OUT, connection.unread() > 0);
            if interest != connection.interest {
                connection.interest = interest;
                let _ = epoll::modify(&self.epoll, &connection.socket, EventData::new_u64(*id), interest);
            }
        }
    }
}
