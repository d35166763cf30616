//! What a run did: numbers, and where they were counted. The JSON is stable (`docs/streaming.md`).

use serde::Serialize;
use std::time::Duration;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The filter's name; `None`: the graph as a whole.
    pub filter: Option<String>,
    /// What happened.
    pub message: String,
    /// The system is at fault, a file or its memory, and not the graph or its media.
    pub is_system_failure: bool,
}

/// A distribution of times. All are 0 where nothing was measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Latency {
    /// Half of the frames took no longer, in nanoseconds.
    pub median_ns: u64,
    /// 99 of a hundred took no longer, in nanoseconds.
    pub p99_ns: u64,
    /// None took longer, in nanoseconds.
    pub max_ns: u64,
}

/// The graph as a whole.
#[derive(Clone, Debug, PartialEq, Serialize)]
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

/// One filter.
#[derive(Clone, Debug, PartialEq, Serialize)]
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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_to_end: Option<Latency>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Only of `checksum`: the digest of all pictures, in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// One pipe.
#[derive(Clone, Debug, PartialEq, Serialize)]
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

/// What a run did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The version of this format: 1.
    pub version: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// What went wrong, in the order it did; empty unless it failed.
    pub errors: Vec<Failure>,
    /// From the start to the end of the last filter, in seconds.
    #[serde(rename = "duration_seconds", serialize_with = "seconds")]
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
    /// The report of one filter.
    pub fn filter(&self, name: &str) -> Option<&FilterReport> {
        self.filters.iter().find(|filter| filter.name == name)
    }
}

fn seconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
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
