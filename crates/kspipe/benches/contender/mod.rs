//! Things measured side by side, for the benches of several crates.

use std::sync::Barrier;
use std::time::Instant;

/// A pair of operations, done over and over by several threads at once.
pub(crate) struct Contender<'a> {
    pub(crate) name: &'static str,
    pub(crate) pair: &'a (dyn Fn(u32) + Sync),
    /// Nanoseconds a pair took each thread, by round.
    pub(crate) rounds: Vec<f64>,
}

impl Contender<'_> {
    /// One round.
    pub(crate) fn run(&mut self, threads: usize, pairs: u32) {
        let barrier = Barrier::new(threads);
        let nanoseconds: Vec<f64> = std::thread::scope(|scope| {
            let running: Vec<_> = (0..threads)
                .map(|_| {
                    scope.spawn(|| {
                        barrier.wait();
                        let start = Instant::now();
                        (self.pair)(pairs);
                        start.elapsed().as_nanos() as f64 / f64::from(pairs)
                    })
                })
                .collect();
            running.into_iter().map(|thread| thread.join().expect("a contender panicked")).collect()
        });
        self.rounds.push(nanoseconds.iter().sum::<f64>() / nanoseconds.len() as f64);
    }
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The median over the rounds of how long one took beside another.
pub(crate) fn ratio(of: &Contender<'_>, to: &Contender<'_>) -> f64 {
    median(of.rounds.iter().zip(&to.rounds).map(|(of, to)| of / to).collect())
}
