//! What a run did: numbers, and where they were counted. The JSON is stable (`docs/streaming.md`).

use serde::{Deserialize, Deserializer, Serialize};
use std::time::Duration;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Every source came to its end, or to the number of frames or the time it was asked for.
    Finished,
    /// Somebody asked: a [`StopHandle`](super::StopHandle), or a reader that closed the pipe a sink wrote to.
    Stopped,
    /// A filter failed; the report's `errors` tell which.
    Failed,
}

/// What went wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The filter's name; `None`: the graph as a whole.
    pub filter: Option<String>,
    /// What happened.
    pub message: String,
    /// The system is at fault, a file or its memory, and not the graph or its media.
    pub is_system_failure: bool,
}

/// A distribution of times. All are 0 where nothing was measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    /// Half of the frames took no longer, in nanoseconds.
    pub median_ns: u64,
    /// 99 of a hundred took no longer, in nanoseconds.
    pub p99_ns: u64,
    /// None took longer, in nanoseconds.
    pub max_ns: u64,
}

/// The graph as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GraphReport {
    /// Frames the sources sent out.
    pub source_frames: u64,
    /// Frames the sinks took, over all sinks.
    pub delivered: u64,
    /// Pictures a paced source left out because no frame was free in time. 0 unless the run was paced.
    pub drops: u64,
    /// Frames copied, for each source frame: at bridges, on `either` routes the plan copies, and where a filter that
    /// changes nothing has a route that copies.
    pub copies_per_frame: f64,
    /// Bytes of those copies.
    pub bytes_copied: u64,
    /// Bytes handed from filter to filter in the frame they were in: data used, summed over every hand-over.
    pub bytes_moved_without_copying: u64,
}

impl GraphReport {
    /// Frames copied, in all.
    fn copies(&self) -> f64 {
        self.copies_per_frame * self.source_frames.max(1) as f64
    }
}

/// One filter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FilterReport {
    /// The filter's name.
    pub name: String,
    /// What it does, `run.kind`.
    pub kind: String,
    /// Frames it took.
    pub frames_in: u64,
    /// Frames it sent, over all its out pins.
    pub frames_out: u64,
    /// Bytes of data in the frames it took, or, for a source, made.
    pub bytes: u64,
    /// From a frame's arrival at the filter, waiting in its queue included, to its leaving. A source's frame arrives
    /// when it is acquired.
    pub latency: Latency,
    /// Only at sinks: from the source's acquiring the frame to the sink's being done with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_to_end: Option<Latency>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Only of `checksum`: the digest of all pictures, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// One pipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PipeReport {
    /// Its number in the plan.
    pub id: u32,
    /// Its pins, `filter.pin`, as the plan orders them.
    pub pins: Vec<String>,
    /// The memory type the plan chose: `user`, `kernel-paged`, `kernel-nonpaged`.
    pub memory_type: String,
    /// What that was made of here; says `simulated` where the memory type is the kernel's.
    pub memory: String,
    /// The number of its frames.
    pub frames: u64,
    /// Bytes of one.
    pub frame_size: u64,
    /// Bytes of data in its frames when they arrived at an in pin, summed over in pins and frames.
    pub bytes: u64,
    /// How often a frame was acquired.
    pub acquires: u64,
    /// The most frames that were out at once.
    pub peak_in_use: u64,
    /// How often somebody had to wait for a frame.
    pub waits: u64,
    /// Frames that had not come home when the run was over: 0, or there is a defect.
    pub frames_out_at_end: u64,
}

impl PipeReport {
    /// Adds what another process has counted of the same pipe.
    fn add(&mut self, other: &PipeReport) {
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.acquires = self.acquires.max(other.acquires);
        self.peak_in_use = self.peak_in_use.max(other.peak_in_use);
        self.waits = self.waits.max(other.waits);
        self.frames_out_at_end = self.frames_out_at_end.saturating_add(other.frames_out_at_end);
    }
}

/// What a run did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The version of this format: 1.
    pub version: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// What went wrong, in the order it did; empty unless it failed.
    pub errors: Vec<Failure>,
    /// From the start to the end of the last filter, in seconds.
    #[serde(rename = "duration_seconds", serialize_with = "seconds", deserialize_with = "duration")]
    pub duration: Duration,
    /// The graph as a whole.
    pub graph: GraphReport,
    /// The filters, in the order of their names.
    pub filters: Vec<FilterReport>,
    /// The pipes, as the plan orders them.
    pub pipes: Vec<PipeReport>,
}

impl Report {
    /// Every frame came home.
    pub fn all_frames_home(&self) -> bool {
        self.pipes.iter().all(|pipe| pipe.frames_out_at_end == 0)
    }

    /// One report of a graph whose filters ran in several processes, from those of all its processes. It has the longest of
    /// their times. What all processes count together, a shared pipe's `acquires`, `waits` and
    /// `peak_in_use`, is what the last who looked saw. Failed where one did, else stopped where one was.
    pub fn merged(server: Report, others: impl IntoIterator<Item = Report>) -> Report {
        let mut all = server;
        let mut copies = all.graph.copies();
        for other in others {
            all.outcome = match (all.outcome, other.outcome) {
                (Outcome::Failed, _) | (_, Outcome::Failed) => Outcome::Failed,
                (Outcome::Stopped, _) | (_, Outcome::Stopped) => Outcome::Stopped,
                _ => Outcome::Finished,
            };
            all.duration = all.duration.max(other.duration);
            all.errors.extend(other.errors);
            all.filters.extend(other.filters);
            copies += other.graph.copies();
            let graph = &mut all.graph;
            for (sum, more) in [
                (&mut graph.source_frames, other.graph.source_frames),
                (&mut graph.delivered, other.graph.delivered),
                (&mut graph.drops, other.graph.drops),
                (&mut graph.bytes_copied, other.graph.bytes_copied),
                (&mut graph.bytes_moved_without_copying, other.graph.bytes_moved_without_copying),
            ] {
                *sum = sum.saturating_add(more);
            }
            for pipe in other.pipes {
                match all.pipes.iter_mut().find(|known| known.id == pipe.id) {
                    Some(known) => known.add(&pipe),
                    None => all.pipes.push(pipe),
                }
            }
        }
        all.graph.copies_per_frame = copies / all.graph.source_frames.max(1) as f64;
        all.filters.sort_by(|a, b| a.name.cmp(&b.name));
        all.pipes.sort_by_key(|pipe| pipe.id);
        all
    }

    /// The report of one filter.
    pub fn filter(&self, name: &str) -> Option<&FilterReport> {
        self.filters.iter().find(|filter| filter.name == name)
    }
}

fn seconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    Duration::try_from_secs_f64(f64::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

/// A glance at a running graph, cheap enough to take ten times a second. The numbers are read one after the other
/// while the filters go on, so they may be of slightly different moments.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// Since the start.
    pub elapsed: Duration,
    /// Frames the sources sent out so far.
    pub source_frames: u64,
    /// Frames the sources will send in all, where each says so; `None`: not known.
    pub expected_frames: Option<u64>,
    /// Each sink, in the order of names.
    pub sinks: Vec<SinkProgress>,
    /// Each pipe, as the plan orders them.
    pub pipes: Vec<PipeProgress>,
    /// Every filter has ended.
    pub finished: bool,
}

/// How far a sink is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkProgress {
    /// The sink's name.
    pub name: String,
    /// Frames it took.
    pub frames: u64,
}

/// How full a pipe is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PipeProgress {
    /// Its number in the plan.
    pub id: u32,
    /// Frames out at the moment.
    pub in_use: u64,
    /// Frames it has.
    pub frames: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(source_frames: u64, copies_per_frame: f64, filter: &str, pipes: &[(u32, u64)]) -> Report {
        let none = Latency::default();
        let pipe = |(id, bytes): &(u32, u64)| PipeReport {
            id: *id,
            pins: vec!["a.out".to_owned(), "b.in".to_owned()],
            memory_type: "user".to_owned(),
            memory: "user".to_owned(),
            frames: 4,
            frame_size: 8,
            bytes: *bytes,
            acquires: 5 + u64::from(*id),
            peak_in_use: 3,
            waits: source_frames,
            frames_out_at_end: 0,
        };
        Report {
            version: 1,
            outcome: Outcome::Finished,
            errors: Vec::new(),
            duration: Duration::from_millis(1500),
            graph: GraphReport {
                source_frames,
                delivered: 7,
                drops: 0,
                copies_per_frame,
                bytes_copied: 10,
                bytes_moved_without_copying: 20,
            },
            filters: vec![FilterReport {
                name: filter.to_owned(),
                kind: "tee".to_owned(),
                frames_in: 1,
                frames_out: 1,
                bytes: 1,
                latency: none,
                end_to_end: None,
                error: None,
                digest: Some("00".to_owned()),
            }],
            pipes: pipes.iter().map(pipe).collect(),
        }
    }

    #[test]
    fn a_report_comes_back_as_it_went() {
        let report = report(24, 0.25, "b", &[(0, 100), (2, 5)]);
        let text = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
        for wrong in ["-1.0", "1e300", "\"long\""] {
            let text = text.replace("1.5", wrong);
            assert!(serde_json::from_str::<Report>(&text).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_reports_of_processes_become_one() {
        // The server copied 6 of its 24 frames; a process without a source copied 12 of them.
        let server = report(24, 0.25, "m", &[(1, 100)]);
        let other = Report { duration: Duration::from_secs(2), ..report(0, 12.0, "a", &[(0, 1), (1, 50)]) };
        let all = Report::merged(server, [other]);
        assert_eq!((all.graph.source_frames, all.duration), (24, Duration::from_secs(2)));
        assert!((all.graph.copies_per_frame - 0.75).abs() < 1e-9, "{}", all.graph.copies_per_frame);
        assert_eq!((all.graph.delivered, all.graph.bytes_copied), (14, 20));
        assert_eq!(all.filters.iter().map(|filter| filter.name.as_str()).collect::<Vec<_>>(), ["a", "m"]);
        let pipes: Vec<_> = all.pipes.iter().map(|pipe| (pipe.id, pipe.bytes, pipe.acquires, pipe.waits)).collect();
        assert_eq!(pipes, [(0, 1, 5, 0), (1, 150, 6, 24)]);
    }

    #[test]
    fn one_part_that_failed_failed_the_run() {
        let with = |outcome| Report { outcome, ..report(1, 0.0, "a", &[]) };
        for (one, other, both) in [
            (Outcome::Finished, Outcome::Finished, Outcome::Finished),
            (Outcome::Stopped, Outcome::Finished, Outcome::Stopped),
            (Outcome::Finished, Outcome::Stopped, Outcome::Stopped),
            (Outcome::Stopped, Outcome::Failed, Outcome::Failed),
            (Outcome::Failed, Outcome::Finished, Outcome::Failed),
        ] {
            assert_eq!(Report::merged(with(one), [with(other)]).outcome, both);
        }
    }
}
