//! Waking a receiver that sleeps in the kernel, checked before each wake, beside a raw futex: from before the sender's call to
//! the receiver's return, in another process.

use crate::frames::Frames;
use crate::frames::Pools;
use crate::measure::median;
use crate::process::{self, Peer, Start, now, pin};
use crate::report::Wakes;
use crate::words::Words;
use crate::{End, Touch};
use rustix::thread::futex::{self, Flags};
use std::io;
use std::sync::atomic::Ordering;

/// Words: how often the sleeper woke, when it did last, and what the raw futex sleeps on.
const WOKEN: usize = 0;
const WHEN: usize = 16;
const FUTEX: usize = 32;
const WORDS: usize = 48;

/// As the other process, where that is its job.
pub(crate) fn peer(arguments: &[String]) -> Option<io::Result<()>> {
    let [kind, wakes, processor] = arguments else { return None };
    let (wakes, processor) = (wakes.parse().ok()?, processor.parse().ok()?);
    match kind.as_str() {
        "wake-frames" => Some(sleep_for_frames(wakes, processor)),
        "wake-futex" => Some(sleep_on_a_futex(wakes, processor)),
        _ => None,
    }
}

fn sleep_for_frames(wakes: u64, processor: usize) -> io::Result<()> {
    pin(processor)?;
    let words = words()?;
    let mut frames = Frames::there(process::given()?, true)?;
    process::say([0, 0])?;
    for _ in 0..wakes {
        frames.receive(Touch::Nothing)?;
        woken(&words);
    }
    process::wait_for_the_end()
}

fn sleep_on_a_futex(wakes: u64, processor: usize) -> io::Result<()> {
    pin(processor)?;
    let words = words()?;
    process::say([0, 0])?;
    let word = words.half_at(FUTEX);
    for turn in 0..wakes as u32 {
        while word.load(Ordering::Acquire) == turn {
            let _ = futex::wait(word, Flags::empty(), turn, None);
        }
        woken(&words);
    }
    process::wait_for_the_end()
}

fn words() -> io::Result<Words> {
    Words::open(process::given()?.next().ok_or_else(|| io::Error::other("no words"))?)
}

fn woken(words: &Words) {
    words.at(WHEN).store(now(), Ordering::Relaxed);
    words.at(WOKEN).fetch_add(1, Ordering::Release);
}

/// A process that sleeps.
struct Sleeper {
    peer: Peer,
    words: Words,
}

impl Sleeper {
    fn start(start: &Start, kind: &str, wakes: u64, processor: usize) -> io::Result<Self> {
        let peer = Peer::start(start, &[kind.to_owned(), wakes.to_string(), processor.to_string()])?;
        let words = Words::create(WORDS)?;
        peer.give(&[words.file()])?;
        Ok(Self { peer, words })
    }

    /// Nanoseconds from before the call to its return, once the process sleeps for the `turn`th time.
    fn wake(&self, turn: u64, wake: impl FnOnce() -> io::Result<()>) -> io::Result<f64> {
        while self.words.at(WOKEN).load(Ordering::Acquire) != turn || !self.peer.sleeps()? {
            std::thread::yield_now();
        }
        let since = now();
        wake()?;
        while self.words.at(WOKEN).load(Ordering::Acquire) == turn {
            std::hint::spin_loop();
        }
        Ok(self.words.at(WHEN).load(Ordering::Relaxed).saturating_sub(since) as f64)
    }
}

pub(crate) fn measure(start: &Start, processor: usize, wakes: u64) -> io::Result<Wakes> {
    let frames = Sleeper::start(start, "wake-frames", wakes, processor)?;
    let pools = Pools::new(4, 64)?;
    pools.give(&frames.peer)?;
    frames.peer.says()?;
    let raw = Sleeper::start(start, "wake-futex", wakes, processor)?;
    raw.peer.says()?;
    let mut sender = pools.here(true)?;
    let mut times = [Vec::new(), Vec::new()];
    for turn in 0..wakes {
        times[0].push(frames.wake(turn, || sender.send(Touch::Nothing))?);
        times[1].push(raw.wake(turn, || {
            let word = raw.words.half_at(FUTEX);
            word.store(turn as u32 + 1, Ordering::Release);
            futex::wake(word, Flags::empty(), 1)?;
            Ok(())
        })?);
    }
    frames.peer.ends()?;
    raw.peer.ends()?;
    let (low, high) = interval(&times);
    let [own, other] = times.map(median);
    Ok(Wakes { wakes, nanoseconds: own, futex_nanoseconds: other, ratio: own / other.max(1.0), interval: [low, high] })
}

/// The 95 % interval of the ratio of the medians, by drawing the pairs again.
fn interval(times: &[Vec<f64>; 2]) -> (f64, f64) {
    let count = times[0].len().max(1);
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    let mut draw = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % count as u64) as usize
    };
    let mut ratios: Vec<f64> = (0..400)
        .map(|_| {
            let places: Vec<usize> = (0..count).map(|_| draw()).collect();
            let of = |times: &[f64]| median(places.iter().filter_map(|place| times.get(*place)).copied().collect());
            of(&times[0]) / of(&times[1]).max(1.0)
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    (ratios[9], ratios[389])
}
