//! What was measured, for people and for programs.

use serde::Serialize;
use std::fmt;

/// All of it. Times are nanoseconds.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The machine's load before, as `/proc/loadavg` has it.
    pub load: String,
    /// The processors of the two processes.
    pub processors: [usize; 2],
    /// Medians are of so many rounds.
    pub rounds: usize,
    /// Hand-overs, payloads not touched.
    pub rows: Vec<Row>,
    /// Wakes of a receiver that sleeps.
    pub wakes: Wakes,
    /// 4K pictures written by one process and read by the other, as fast as they can.
    pub pictures: Vec<Pictures>,
    /// The same, 60 times a second.
    pub paced: Vec<Paced>,
    /// GStreamer's way.
    pub shm: Shm,
}

/// A hand-over.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// `one way` or `round trip`.
    pub what: &'static str,
    /// Buffers of each direction.
    pub buffers: u32,
    /// Bytes of a frame.
    pub bytes: u64,
    /// A frame, by kspipe.
    pub nanoseconds: f64,
    /// Other ways.
    pub beside: Vec<Beside>,
}

/// Another way.
#[derive(Clone, Debug, Serialize)]
pub struct Beside {
    /// `ring`, `socket` or `pipe`.
    pub way: &'static str,
    /// A frame.
    pub nanoseconds: f64,
    /// kspipe's time of its: the median of the rounds' ratios.
    pub ratio: f64,
}

/// Wakes.
#[derive(Clone, Debug, Serialize)]
pub struct Wakes {
    /// So many of each, in turn.
    pub wakes: u64,
    /// Median, by a hand-over.
    pub nanoseconds: f64,
    /// Median, by a raw futex.
    pub futex_nanoseconds: f64,
    /// Of the two.
    pub ratio: f64,
    /// Its 95 % interval.
    pub interval: [f64; 2],
}

/// 4K pictures.
#[derive(Clone, Debug, Serialize)]
pub struct Pictures {
    /// How.
    pub way: &'static str,
    /// A picture.
    pub nanoseconds: f64,
    /// 10^9 bytes of pictures a second.
    pub gigabytes_a_second: f64,
}

/// 4K pictures, paced.
#[derive(Clone, Debug, Serialize)]
pub struct Paced {
    /// How.
    pub way: &'static str,
    /// Time of both processes on processors, as a share of one.
    pub percent_of_a_processor: f64,
}

/// GStreamer's `shmsink` and `shmsrc`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Shm {
    /// It is not there, or failed.
    NotRun {
        /// Why.
        why: String,
    },
    /// By size.
    Rows(Vec<ShmRow>),
}

/// Pictures by `shmsink` and `shmsrc`, which `videotestsrc` makes.
#[derive(Clone, Debug, Serialize)]
pub struct ShmRow {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// A picture, both processes' start and end in it.
    pub nanoseconds: f64,
    /// Time on processors a picture, of both.
    pub processor_nanoseconds: f64,
    /// A picture that is made and dropped by one process.
    pub source_alone_nanoseconds: f64,
    /// Time on processors of that.
    pub source_alone_processor_nanoseconds: f64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second] = self.processors;
        writeln!(
            f,
            "load {}; two processes, on processors {first} and {second}; medians of {} rounds",
            self.load, self.rounds
        )?;
        if first == second {
            writeln!(f, "There is one processor: the two take turns on it.")?;
        }
        writeln!(f, "\nHand-over, payload not touched")?;
        for row in &self.rows {
            write!(
                f,
                "{:<11}{} buffers {:>9} B  kspipe {:>8.0} ns",
                row.what, row.buffers, row.bytes, row.nanoseconds
            )?;
            for beside in &row.beside {
                write!(f, "  {} {:>7.0} ns ({:.2})", beside.way, beside.nanoseconds, beside.ratio)?;
            }
            writeln!(f)?;
        }
        let Wakes { wakes, nanoseconds, futex_nanoseconds, ratio, interval: [low, high] } = self.wakes;
        writeln!(f, "\nWake of a receiver that sleeps, {wakes} of each in turn")?;
        writeln!(
            f,
            "kspipe {nanoseconds:.0} ns, raw futex {futex_nanoseconds:.0} ns: {ratio:.3}, 95 % {low:.3} to {high:.3}"
        )?;
        writeln!(f, "\n4K pictures (12,441,600 bytes), all bytes written and read")?;
        for row in &self.pictures {
            let milliseconds = row.nanoseconds / 1e6;
            writeln!(f, "{:<34}{milliseconds:>8.2} ms{:>8.2} GB/s", row.way, row.gigabytes_a_second)?;
        }
        writeln!(f, "\nThe same 60 times a second, time on processors")?;
        for row in &self.paced {
            writeln!(f, "{:<34}{:>8.1} % of one", row.way, row.percent_of_a_processor)?;
        }
        writeln!(f, "\nGStreamer's shmsink and shmsrc, pictures made by videotestsrc")?;
        match &self.shm {
            Shm::NotRun { why } => writeln!(f, "not run: {why}"),
            Shm::Rows(rows) => rows.iter().try_for_each(|row| {
                let [time, processor, alone, alone_processor] = [
                    row.nanoseconds,
                    row.processor_nanoseconds,
                    row.source_alone_nanoseconds,
                    row.source_alone_processor_nanoseconds,
                ]
                .map(|nanoseconds| nanoseconds / 1e6);
                writeln!(
                    f,
                    "{} x {}: {time:.2} ms, {processor:.2} ms on processors; made and dropped by one process: \
                     {alone:.2} ms, {alone_processor:.2} ms",
                    row.width, row.height
                )
            }),
        }
    }
}
