//! Three to eight processes stream over one pool, and are killed at random.

use crate::payload;
use crate::process::{Child, open_descriptors, shared_words};
use crate::stage::{LONG, properties};
use kspipe::allocator::shared::{Access, AdmitError, Descriptors, Holder, Participant, SharedPool, Unready};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const FRAMES: u32 = 6;

const fn acquirer(place: u32) -> Holder {
    Holder::acquirer(place).unwrap()
}

const fn in_pin(place: u32) -> Holder {
    Holder::in_pin(place).unwrap()
}

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Source,
    Filter,
    Sink,
}

/// The processes, in the order in which more of them take part: two sources, each with a filter and a sink behind it, and
/// sinks beside the filters.
const CAST: [(Kind, Holder); 8] = [
    (Kind::Source, acquirer(0)),
    (Kind::Filter, in_pin(0)),
    (Kind::Sink, in_pin(2)),
    (Kind::Sink, in_pin(1)),
    (Kind::Source, acquirer(1)),
    (Kind::Sink, in_pin(3)),
    (Kind::Filter, in_pin(4)),
    (Kind::Sink, in_pin(5)),
];

fn senders() -> Vec<Holder> {
    vec![acquirer(0), acquirer(0), in_pin(0), acquirer(1), acquirer(1), in_pin(4)]
}

/// What the processes tell the parent, and what outlives each of them.
#[derive(Clone, Copy)]
struct Report(&'static [AtomicU64]);

impl Report {
    fn new() -> Self {
        Report(shared_words(4 * 64))
    }

    /// Sources: numbers given to frames. Sinks: the last number that came.
    fn number(&self, holder: Holder) -> &AtomicU64 {
        &self.0[holder.number() as usize]
    }

    /// Numbers that did not come.
    fn missed(&self, holder: Holder) -> &AtomicU64 {
        &self.0[64 + holder.number() as usize]
    }

    /// What went wrong: 1 twice or out of order, 2 torn, 3 another end than was said.
    fn wrong(&self, holder: Holder) -> &AtomicU64 {
        &self.0[128 + holder.number() as usize]
    }

    fn stop(&self) -> &AtomicU64 {
        &self.0[192]
    }
}

fn source(there: &Participant, holder: Holder, report: Report) -> Result<(), Unready> {
    let mut acquirer = there.acquirer(holder).expect("a role");
    let mut sender = there.sender(holder).expect("a role");
    while report.stop().load(Ordering::Relaxed) == 0 {
        let mut frame = acquirer.acquire(None)?;
        // Given before it is used: a number is never used twice, and a death loses at most one.
        let number = report.number(holder).fetch_add(1, Ordering::Relaxed) + 1;
        payload::fill(&mut frame, number);
        sender.hand_over(frame).expect("handed over");
    }
    Ok(())
}

fn filter(there: &Participant, holder: Holder, report: Report) -> Result<(), Unready> {
    let mut receiver = there.receiver(holder).expect("a role");
    let mut sender = there.sender(holder).expect("a role");
    loop {
        let frame = receiver.receive(None)?;
        if payload::read(&frame) != Ok(frame.header().sequence) {
            report.wrong(holder).store(2, Ordering::Relaxed);
        }
        sender.hand_over(frame).expect("handed over");
    }
}

fn sink(there: &Participant, holder: Holder, report: Report) -> Result<(), Unready> {
    let mut receiver = there.receiver(holder).expect("a role");
    loop {
        let frame = receiver.receive(None)?;
        let number = frame.header().sequence;
        if payload::read(&frame) != Ok(number) {
            report.wrong(holder).store(2, Ordering::Relaxed);
        }
        let last = report.number(holder).load(Ordering::Relaxed);
        if number <= last {
            report.wrong(holder).store(1, Ordering::Relaxed);
        }
        report.missed(holder).fetch_add(number.saturating_sub(last + 1), Ordering::Relaxed);
        report.number(holder).store(number, Ordering::Relaxed);
    }
}

fn start(kind: Kind, holder: Holder, descriptors: Descriptors, report: Report) -> Child {
    Child::start(move || {
        let there = Participant::open(descriptors, Access::Write).expect("the pool");
        let end = match kind {
            Kind::Source => source(&there, holder, report),
            Kind::Filter => filter(&there, holder, report),
            Kind::Sink => sink(&there, holder, report),
        };
        if !matches!(end, Ok(()) | Err(Unready::PoolClosed)) {
            report.wrong(holder).store(3, Ordering::Relaxed);
        }
        0
    })
}

/// A generator of numbers: another run kills at other moments, and tells its seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

struct Run {
    pool: SharedPool,
    report: Report,
    children: Vec<Option<Child>>,
    kills: [u64; CAST.len()],
    violations: Vec<String>,
}

impl Run {
    fn new(processes: usize) -> Self {
        let pool = SharedPool::create(properties(FRAMES, senders(), 2)).expect("a pool");
        let mut run =
            Run { pool, report: Report::new(), children: Vec::new(), kills: [0; CAST.len()], violations: Vec::new() };
        run.children.resize_with(processes, || None);
        // Those at the end first: what is sent before they are there would count as missed.
        (0..processes).rev().for_each(|place| run.start(place));
        run
    }

    fn start(&mut self, place: usize) {
        let (kind, holder) = CAST[place];
        let deadline = Instant::now() + LONG;
        loop {
            match self.pool.admit(holder) {
                Ok(()) => break,
                // Its sender, which lives, is in the middle of a hand-over, for a moment.
                Err(AdmitError::Busy { .. }) if Instant::now() < deadline => std::thread::yield_now(),
                Err(error) => return self.violations.push(format!("not admitted again: {error}")),
            }
        }
        let descriptors = self.pool.descriptors().expect("descriptors");
        self.children[place] = Some(start(kind, holder, descriptors, self.report));
    }

    /// Kills one, and looks at what is left of it.
    fn kill(&mut self, place: usize) {
        let holder = CAST[place].1;
        if let Some(child) = self.children[place].take() {
            child.kill();
        }
        self.kills[place] += 1;
        self.pool.recover(&[holder]);
        // Its sender may set its bit for a moment yet, and takes it back itself.
        let deadline = Instant::now() + LONG;
        while !self.holds_nothing(holder) {
            if Instant::now() > deadline {
                return self.violations.push(format!("{holder} is dead and holds frames"));
            }
            std::thread::yield_now();
        }
        self.start(place);
    }

    fn holds_nothing(&mut self, holder: Holder) -> bool {
        let ledger = self.pool.ledger(Instant::now());
        ledger.holders.iter().all(|entry| entry.holder != holder || entry.held.is_empty())
    }

    fn sinks(&self) -> impl Iterator<Item = (usize, Holder)> + use<> {
        let taking_part = CAST.into_iter().take(self.children.len()).enumerate();
        taking_part.filter(|(_, (kind, _))| *kind == Kind::Sink).map(|(place, (_, holder))| (place, holder))
    }

    /// Every sink gets frames still.
    fn goes_on(&mut self) {
        for (_, sink) in self.sinks() {
            let number = || self.report.number(sink).load(Ordering::Relaxed);
            let (before, deadline) = (number(), Instant::now() + LONG);
            while number() < before + 2 {
                if Instant::now() > deadline {
                    self.violations.push(format!("{sink} gets nothing any more"));
                    break;
                }
                std::thread::yield_now();
            }
        }
    }

    /// Ends everybody in good order, and counts.
    fn finish(mut self) -> Vec<String> {
        self.goes_on();
        self.report.stop().store(1, Ordering::Relaxed);
        for place in (0..self.children.len()).filter(|place| CAST[*place].0 == Kind::Source) {
            self.exits(place);
        }
        self.pool.close_all();
        for place in 0..self.children.len() {
            self.exits(place);
        }
        // What was in a ring when its receiver was told to stop.
        self.pool.recover(&CAST.map(|(_, holder)| holder));
        let free = self.pool.ledger(Instant::now()).free;
        if free != FRAMES {
            self.violations.push(format!("{free} of {FRAMES} frames are free at the end"));
        }
        for (_, holder) in CAST {
            let wrong = self.report.wrong(holder).load(Ordering::Relaxed);
            if wrong != 0 {
                let what = ["", "twice or out of order", "torn", "ended in another way than was said"][wrong as usize];
                self.violations.push(format!("{holder}: {what}"));
            }
        }
        for (place, sink) in self.sinks().collect::<Vec<_>>() {
            let missed = self.report.missed(sink).load(Ordering::Relaxed);
            let may_miss = self.may_miss(place);
            if missed > may_miss {
                self.violations.push(format!("{sink} missed {missed} frames, and the deaths explain {may_miss}"));
            }
        }
        self.violations
    }

    /// A source's death loses the frame it was writing. What is sent while a process further down is away was never for it,
    /// so where one of those died nothing is said of how much is missed.
    fn may_miss(&self, sink: usize) -> u64 {
        let mut sum = 0;
        let mut holder = Some(CAST[sink].1);
        while let Some(of) = holder {
            let place = CAST.iter().position(|(_, holder)| *holder == of).expect("in the cast");
            match self.kills[place] {
                0 => {}
                kills if of.is_in_pin() => return u64::MAX - kills,
                kills => sum += kills,
            }
            holder = self.pool.properties().sender_of(of);
        }
        sum
    }

    fn exits(&mut self, place: usize) {
        if let Some(mut child) = self.children[place].take()
            && child.wait_for(LONG).is_none()
        {
            self.violations.push(format!("{} hangs at the end", CAST[place].1));
        }
    }
}

pub(crate) fn run(kills: u32) -> Vec<String> {
    let seed = std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(1, |since| since.as_nanos() as u64) | 1;
    println!("killed at random (seed {seed}):");
    let mut dice = Dice(seed);
    let mut violations = Vec::new();
    let start = Instant::now();
    let (before, mut done) = (open_descriptors(), 0);
    // Half of the rounds kill sources only, so that what the sinks miss is known exactly.
    while done < kills && violations.len() < 10 {
        let processes = 3 + dice.below(6) as usize;
        let sources_only = dice.below(2) == 0;
        let mut run = Run::new(processes);
        for _ in 0..25.min(kills - done) {
            let place = loop {
                let place = dice.below(processes as u64) as usize;
                if !sources_only || CAST[place].0 == Kind::Source {
                    break place;
                }
            };
            std::thread::sleep(Duration::from_micros(dice.below(3000)));
            run.kill(place);
            done += 1;
        }
        violations.extend(run.finish());
    }
    let after = open_descriptors();
    if after != before {
        violations.push(format!("{before} descriptors were open before, and {after} are after"));
    }
    println!("{done} kills, {} violations, {:.1} s", violations.len(), start.elapsed().as_secs_f32());
    violations
}
