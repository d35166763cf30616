//! Frames between processes, beside iceoryx2, an own ring without state words, and a raw futex.
//!
//! Two threads, each on a processor of its own, stand for two processes: each has mappings of its own of everything shared.
//! Every contender has the same number of buffers and drops nothing; each frame is sent before the next is acquired, and
//! acquiring and releasing each is in the time. Both sides look again at once where nothing is ready. Contenders take turns
//! within a round, and what is printed is the median of the rounds and of the rounds' ratios. Pictures that are written and
//! read come after that.
//!
//! `ci/ipc.sh [ROUNDS]`; `ci/ipc.sh ROUNDS pictures` for the pictures alone.

mod contenders;
mod pictures;
mod wake;

use contenders::{Contender, Frames, Iceoryx, Ring};
use std::time::Instant;

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Runs the two sides, each on its processor, and returns the nanoseconds of one turn.
fn timed(turns: u64, there: impl FnOnce() + Send, here: impl FnOnce()) -> f64 {
    let ready = std::sync::Barrier::new(2);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            wake::pin(1);
            ready.wait();
            there();
        });
        wake::pin(0);
        ready.wait();
        let start = Instant::now();
        here();
        start.elapsed().as_nanos() as f64 / turns as f64
    })
}

fn one_way(contender: &dyn Contender, turns: u64) -> f64 {
    let (mut from, mut to) = contender.pair(0);
    // The last frame's arrival ends the time: the receiver's side is timed.
    timed(turns, move || (0..turns).for_each(|_| from.send()), move || (0..turns).for_each(|_| to.receive()))
}

/// Both sides in turn on one processor: the work, without the way between two.
fn one_thread(contender: &dyn Contender, turns: u64) -> f64 {
    let (mut from, mut to) = contender.pair(0);
    let start = Instant::now();
    for _ in 0..turns {
        from.send();
        to.receive();
    }
    start.elapsed().as_nanos() as f64 / turns as f64
}

fn round_trip(contender: &dyn Contender, turns: u64) -> f64 {
    let ((mut ping, mut pinged), (mut pong, mut ponged)) = (contender.pair(0), contender.pair(1));
    let there = move || {
        for _ in 0..turns {
            pinged.receive();
            pong.send();
        }
    };
    let here = move || {
        for _ in 0..turns {
            ping.send();
            ponged.receive();
        }
    };
    timed(turns, there, here)
}

fn compare(what: &str, rounds: usize, buffers: usize, size: usize, measure: fn(&dyn Contender, u64) -> f64) {
    let contenders: [Box<dyn Contender>; 3] =
        [Box::new(Frames::new(buffers, size)), Box::new(Iceoryx::new(buffers, size)), Box::new(Ring::new(buffers))];
    let turns = 200_000;
    let mut times = [const { Vec::new() }; 3];
    for round in 0..=rounds {
        for (times, contender) in times.iter_mut().zip(&contenders) {
            let time = measure(contender.as_ref(), turns);
            // The first warms up.
            if round != 0 {
                times.push(time);
            }
        }
    }
    let ratio = |other: &[f64]| median(times[0].iter().zip(other).map(|(own, other)| own / other).collect());
    println!(
        "{what:<10} {buffers} buffers {size:>9} B: kspipe {:>6.0} ns, iceoryx2 {:>6.0} ns, ring {:>6.0} ns; \
         kspipe / iceoryx2 {:.2}, kspipe / ring {:.2}",
        median(times[0].clone()),
        median(times[1].clone()),
        median(times[2].clone()),
        ratio(&times[1]),
        ratio(&times[2]),
    );
}

fn main() {
    let rounds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(9);
    if std::env::args().nth(2).is_some_and(|only| only == "pictures") {
        return pictures::compare(rounds);
    }
    for size in [64, 12_441_600] {
        compare("one thread", rounds, 8, size, one_thread);
        for buffers in [4, 8] {
            compare("one way", rounds, buffers, size, one_way);
        }
        compare("round trip", rounds, 8, size, round_trip);
    }
    pictures::compare(rounds);
    wake::compare(10_000);
}
