//! Counting what happens while a graph runs.

use crate::stream::report::Latency;
use hdrhistogram::Histogram;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A number one thread counts up and others look at.
#[derive(Debug, Default)]
pub(in crate::stream) struct Counter(AtomicU64);

impl Counter {
    /// Counts. Does not wrap in the lifetime of a machine: 2^64 bytes are 30 years of memory bandwidth.
    pub(super) fn add(&self, number: u64) {
        self.0.fetch_add(number, Ordering::Relaxed);
    }
    pub(in crate::stream) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What one filter did.
#[derive(Debug, Default)]
pub(in crate::stream) struct Counters {
    pub(in crate::stream) frames_in: Counter,
    pub(in crate::stream) frames_out: Counter,
    pub(in crate::stream) bytes: Counter,
}

/// What all did together.
#[derive(Debug)]
pub(in crate::stream) struct Totals {
    pub(in crate::stream) source_frames: Counter,
    pub(in crate::stream) drops: Counter,
    pub(in crate::stream) copies: Counter,
    pub(in crate::stream) bytes_copied: Counter,
    pub(in crate::stream) bytes_moved: Counter,
    /// By pipe.
    pub(in crate::stream) delivered: Vec<Counter>,
}

impl Totals {
    pub(in crate::stream) fn new(pipes: usize) -> Self {
        Totals {
            source_frames: Counter::default(),
            drops: Counter::default(),
            copies: Counter::default(),
            bytes_copied: Counter::default(),
            bytes_moved: Counter::default(),
            delivered: (0..pipes).map(|_| Counter::default()).collect(),
        }
    }

    /// A frame was copied.
    pub(super) fn copied(&self, bytes: usize) {
        self.copies.add(1);
        self.bytes_copied.add(bytes as u64);
    }

    /// A frame of `pipe` arrived at a filter, copied on its way there or not.
    pub(super) fn delivered(&self, pipe: u32, bytes: usize, copied: bool) {
        if let Some(counter) = self.delivered.get(pipe as usize) {
            counter.add(bytes as u64);
        }
        if !copied {
            self.bytes_moved.add(bytes as u64);
        }
    }
}

/// The longest time told apart from longer ones, but for the maximum.
const LONGEST: u64 = 60 * 60 * 1_000_000_000;

/// Times, in memory that does not grow (some 30 kB), to within 1 %; the longest exactly.
#[derive(Debug)]
pub(in crate::stream) struct Times {
    /// `None`: the histogram could not be made, which its constant bounds rule out.
    histogram: Option<Histogram<u64>>,
    longest: u64,
}

impl Times {
    pub(super) fn new() -> Self {
        Times { histogram: Histogram::new_with_bounds(1, LONGEST, 2).ok(), longest: 0 }
    }

    pub(super) fn record(&mut self, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.longest = self.longest.max(nanoseconds);
        if let Some(histogram) = &mut self.histogram {
            histogram.saturating_record(nanoseconds);
        }
    }

    pub(in crate::stream) fn latency(&self) -> Latency {
        // A quantile is the upper end of a step of the histogram, which may lie above the longest time.
        let quantile = |quantile| {
            let value = self.histogram.as_ref().map_or(0, |histogram| histogram.value_at_quantile(quantile));
            value.min(self.longest)
        };
        Latency { median_ns: quantile(0.5), p99_ns: quantile(0.99), max_ns: self.longest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_within_a_percent_and_the_longest_is_exact() {
        let mut times = Times::new();
        assert_eq!(times.latency(), Latency::default());
        for micros in 1..=1000 {
            times.record(Duration::from_micros(micros));
        }
        let Latency { median_ns, p99_ns, max_ns } = times.latency();
        assert!((495_000..=505_000).contains(&median_ns), "{median_ns}");
        assert!((980_000..=1_000_000).contains(&p99_ns), "{p99_ns}");
        assert_eq!(max_ns, 1_000_000);
        times.record(Duration::from_secs(100_000));
        assert_eq!(times.latency().max_ns, 100_000_000_000_000);
    }
}
