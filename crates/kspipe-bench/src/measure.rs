//! What is measured, in turns: within each round every way, one after the other, so that what else the machine does meets all.

use crate::frames::{Frames, Pools};
use crate::other_ways::{Copies, Messages, Ring};
use crate::process::{self, Peer, Start, now, pin, processor_time, processors};
use crate::report::{Beside, Paced, Pictures, Report, Row};
use crate::{End, Touch, gstreamer, sum, wake};
use std::hint::black_box;
use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A 4K picture in NV12.
const PICTURE: usize = 3840 * 2160 * 3 / 2;

/// How much is measured.
#[derive(Clone, Debug)]
pub struct Options {
    /// This program.
    pub program: PathBuf,
    /// What it is started with as the other process, before what [`peer`] gets.
    pub arguments: Vec<String>,
    /// Rounds; medians are of so many.
    pub rounds: usize,
    /// Frames of each hand-over in a round.
    pub frames: u64,
    /// Wakes of a sleeping receiver, of each kind.
    pub wakes: u64,
    /// 4K pictures that are written and read in a round, by each way.
    pub pictures: u64,
    /// How long pictures are paced, for each way.
    pub paced: Duration,
}

/// A way of frames from process to process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Kspipe,
    /// kspipe's, where both sides sleep when they have waited for some microseconds.
    KspipeSleeps,
    Ring,
    Messages,
    Copies,
}

impl Way {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Kspipe, "kspipe"),
        (Self::KspipeSleeps, "kspipe-sleeps"),
        (Self::Ring, "ring"),
        (Self::Messages, "socket"),
        (Self::Copies, "pipe"),
    ];

    fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(way, _)| *way == self).map_or("", |(_, name)| name)
    }
}

/// What the other process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Job {
    way: Way,
    /// Each frame comes back, or only goes there.
    comes_back: bool,
    touch: Touch,
    buffers: u32,
    size: usize,
    frames: u64,
}

impl Job {
    fn arguments(self, processor: usize) -> Vec<String> {
        let numbers =
            [self.comes_back.into(), (self.touch == Touch::All).into(), self.buffers.into(), self.size as u64];
        let mut all = vec![self.way.name().to_owned()];
        all.extend(numbers.into_iter().chain([self.frames, processor as u64]).map(|number| number.to_string()));
        all
    }

    /// The job, and the processor.
    fn parse(arguments: &[String]) -> Option<(Self, usize)> {
        let [way, comes_back, touch, buffers, size, frames, processor] = arguments else { return None };
        let (way, _) = Way::ALL.into_iter().find(|(_, name)| name == way)?;
        let touch = if touch == "1" { Touch::All } else { Touch::Nothing };
        let (buffers, size, frames) = (buffers.parse().ok()?, size.parse().ok()?, frames.parse().ok()?);
        let job = Self { way, comes_back: comes_back == "1", touch, buffers, size, frames };
        Some((job, processor.parse().ok()?))
    }
}

/// Does what the arguments after [`Options::arguments`] say, as the other process of a measurement.
///
/// # Errors
/// They say nothing, or the first process has ended.
pub fn peer(arguments: &[String]) -> io::Result<()> {
    if let Some(done) = wake::peer(arguments) {
        return done;
    }
    let (job, processor) = Job::parse(arguments).ok_or_else(|| io::Error::other("there is no such job"))?;
    pin(processor)?;
    let given = process::given()?;
    let buffers = job.buffers.into();
    match job.way {
        Way::Kspipe => serve(&mut Frames::there(given, false)?, job),
        Way::KspipeSleeps => serve(&mut Frames::there(given, true)?, job),
        Way::Ring => serve(&mut Ring::there(given, buffers)?, job),
        Way::Messages => serve(&mut Messages::there(given, buffers)?, job),
        Way::Copies => serve(&mut Copies::there(given, job.size)?, job),
    }
}

fn serve(end: &mut impl End, job: Job) -> io::Result<()> {
    process::say([0, 0])?;
    let before = processor_time();
    for _ in 0..job.frames {
        end.receive(job.touch)?;
        if job.comes_back {
            end.send(job.touch)?;
        }
    }
    process::say([now(), processor_time() - before])?;
    process::wait_for_the_end()
}

/// What a job took: nanoseconds of time, and of both processes' processors, for each frame.
#[derive(Clone, Copy, Debug)]
struct Took {
    time: f64,
    processor: f64,
}

/// Both sides of a measurement.
struct Bench<'a> {
    start: Start,
    processors: [usize; 2],
    options: &'a Options,
}

impl Bench<'_> {
    fn run(&self, job: Job, pace: Option<Duration>) -> io::Result<Took> {
        let peer = Peer::start(&self.start, &job.arguments(self.processors[1]))?;
        let buffers = job.buffers.into();
        match job.way {
            Way::Kspipe | Way::KspipeSleeps => {
                let pools = Pools::new(job.buffers, job.size as u64)?;
                pools.give(&peer)?;
                drive(&mut pools.here(job.way == Way::KspipeSleeps)?, job, pace, peer)
            }
            Way::Ring => {
                let mut ring = Ring::create(buffers)?;
                ring.give(&peer)?;
                drive(&mut ring, job, pace, peer)
            }
            Way::Messages => {
                let (mut here, there) = Messages::create(buffers)?;
                peer.give(&there.each_ref().map(AsFd::as_fd))?;
                drop(there);
                drive(&mut here, job, pace, peer)
            }
            Way::Copies => {
                let (mut here, there) = Copies::create(job.size)?;
                peer.give(&there.each_ref().map(AsFd::as_fd))?;
                drop(there);
                drive(&mut here, job, pace, peer)
            }
        }
    }

    /// Every way in every round; of each the times.
    fn compare(&self, job: Job, ways: &[Way]) -> io::Result<Row> {
        let mut times = vec![Vec::new(); ways.len()];
        // The first round warms up.
        for round in 0..=self.options.rounds {
            for (times, way) in times.iter_mut().zip(ways) {
                // A way that calls the system for every frame takes so much longer.
                let frames = if matches!(way, Way::Messages | Way::Copies) { job.frames / 10 } else { job.frames };
                let took = self.run(Job { way: *way, frames: frames.max(1), ..job }, None)?;
                if round > 0 {
                    times.push(took.time);
                }
            }
        }
        let what = if job.comes_back { "round trip" } else { "one way" };
        let beside = ways.iter().zip(&times).skip(1).map(|(way, other)| Beside {
            way: way.name(),
            nanoseconds: median(other.clone()),
            ratio: median(times[0].iter().zip(other).map(|(own, other)| own / other).collect()),
        });
        let beside = beside.collect();
        Ok(Row { what, buffers: job.buffers, bytes: job.size as u64, nanoseconds: median(times[0].clone()), beside })
    }
}

/// Sends, and takes what comes back.
fn drive(end: &mut impl End, job: Job, pace: Option<Duration>, peer: Peer) -> io::Result<Took> {
    peer.says()?;
    let before = processor_time();
    let (start, begin) = (now(), Instant::now());
    for frame in 0..job.frames {
        if let Some(left) =
            pace.and_then(|pace| (begin + pace.mul_f64(frame as f64)).checked_duration_since(Instant::now()))
        {
            std::thread::sleep(left);
        }
        end.send(job.touch)?;
        if job.comes_back {
            end.receive(job.touch)?;
        }
    }
    let (last, here) = (now(), processor_time() - before);
    // One way, the last frame's arrival ends the time.
    let [arrived, there] = peer.says()?;
    peer.ends()?;
    let end = if job.comes_back { last } else { arrived };
    let frames = job.frames as f64;
    Ok(Took { time: end.saturating_sub(start) as f64 / frames, processor: (here + there) as f64 / frames })
}

/// The middle one; of none 0.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// Measures all, in about a minute with the command's defaults.
///
/// # Errors
/// The system's: no process, no memory.
pub fn ipc(options: &Options) -> io::Result<Report> {
    let allowed = processors()?;
    let (Some(first), Some(last)) = (allowed.first(), allowed.get(1).or(allowed.first())) else {
        return Err(io::Error::other("there is no processor"));
    };
    let start = Start { program: options.program.clone(), arguments: options.arguments.clone() };
    let bench = Bench { start, processors: [*first, *last], options };
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let gstreamer = gstreamer::measure();
    pin(*first)?;
    let mut rows = Vec::new();
    for size in [64, PICTURE] {
        let job = |comes_back, buffers| Job {
            way: Way::Kspipe,
            comes_back,
            touch: Touch::Nothing,
            buffers,
            size,
            frames: options.frames,
        };
        let mut ways = vec![Way::Kspipe, Way::Ring, Way::Messages];
        if size == 64 {
            ways.push(Way::Copies);
        }
        for buffers in [4, 8] {
            rows.push(bench.compare(job(false, buffers), &ways)?);
        }
        rows.push(bench.compare(job(true, 8), &ways)?);
    }
    let wakes = wake::measure(&bench.start, bench.processors[1], options.wakes)?;
    Ok(Report {
        load: load.split(' ').take(3).collect::<Vec<_>>().join(" "),
        processors: bench.processors,
        rounds: options.rounds,
        rows,
        wakes,
        pictures: bench.pictures()?,
        paced: bench.paced()?,
        shm: gstreamer,
    })
}

impl Bench<'_> {
    fn picture(way: Way, frames: u64) -> Job {
        Job { way, comes_back: false, touch: Touch::All, buffers: 4, size: PICTURE, frames }
    }

    /// Pictures that are written there and read here, beside one process that does both, and a copy in memory.
    fn pictures(&self) -> io::Result<Vec<Pictures>> {
        let pictures = self.options.pictures.max(1);
        let ways = [Way::KspipeSleeps, Way::Copies];
        let mut times = [const { Vec::new() }; 4];
        for round in 0..=self.options.rounds.min(5) {
            let mut took = vec![in_one_process(pictures), copy_in_memory(pictures)];
            for way in ways {
                took.push(self.run(Self::picture(way, pictures), None)?.time);
            }
            for (times, took) in times.iter_mut().zip(took).filter(|_| round > 0) {
                times.push(took);
            }
        }
        let names = ["written and read by one process", "copied in memory", "kspipe", "pipe"];
        let gigabytes = |time: f64| PICTURE as f64 / time.max(1.0);
        let medians = times.map(median);
        let rows = names.into_iter().zip(medians);
        Ok(rows.map(|(way, time)| Pictures { way, nanoseconds: time, gigabytes_a_second: gigabytes(time) }).collect())
    }

    /// Pictures that are written and read 60 times a second, and what both processes take of the processors for that.
    fn paced(&self) -> io::Result<Vec<Paced>> {
        let pace = Duration::from_secs(1) / 60;
        let frames = ((self.options.paced.as_secs_f64() * 60.0) as u64).max(1);
        let mut rows = Vec::new();
        let before = processor_time();
        in_one_process(frames);
        let floor = (processor_time() - before) as f64 / frames as f64;
        rows.push(("written and read by one process", floor));
        for way in [Way::KspipeSleeps, Way::Copies] {
            let took = self.run(Self::picture(way, frames), Some(pace))?;
            rows.push((if way == Way::Copies { "pipe" } else { "kspipe" }, took.processor));
        }
        let share = |time: f64| time * 60.0 / 1e9 * 100.0;
        Ok(rows.into_iter().map(|(way, time)| Paced { way, percent_of_a_processor: share(time) }).collect())
    }
}

/// Nanoseconds a picture: writes all of it, then reads all of it.
fn in_one_process(frames: u64) -> f64 {
    let mut pictures = vec![vec![0u8; PICTURE]; 4];
    let start = Instant::now();
    for frame in 0..frames {
        let picture = &mut pictures[frame as usize % 4];
        picture.fill(black_box(frame as u8));
        black_box(sum(picture));
    }
    start.elapsed().as_nanos() as f64 / frames as f64
}

/// Nanoseconds a picture: copies it.
fn copy_in_memory(frames: u64) -> f64 {
    let (from, mut to) = (vec![1u8; PICTURE], vec![0u8; PICTURE]);
    let start = Instant::now();
    for _ in 0..frames {
        to.copy_from_slice(black_box(&from));
        black_box(&mut to);
    }
    start.elapsed().as_nanos() as f64 / frames as f64
}
