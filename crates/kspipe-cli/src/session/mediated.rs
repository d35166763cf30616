//! `kspipe attach` where the server does not trust this process: a source or a sink, whose pictures the server takes and
//! gives, one by one, by copies.

use super::{failures, text};
use crate::failure::Failure;
use crate::graph;
use crate::interrupt::Interrupt;
use kspipe::graph::file::GraphFile;
use kspipe::graph::{Graph, Run};
use kspipe::negotiate::{Plan, negotiate};
use kspipe::stream::{
    self, FilterError, FilterReport, GraphReport, Latency, MediaFormat, Outcome, PictureSink, PictureSource, Report,
    RunOptions, UNITS_PER_SECOND, with_formats,
};
use kspipe_session::{AttachError, Client, JoinedFilter, StreamError, WriteError};
use std::path::Path;
use std::time::{Duration, Instant};

/// How often it is looked whether somebody interrupts, or the time is over.
const LOOK: Duration = Duration::from_millis(50);

/// What was told of the graph: with its plan, for a report.
pub(super) fn plan(client: &Client, file: &GraphFile) -> Result<(Graph, Plan), Failure> {
    let formats = client.description().formats_of(&file.graph);
    let formats = formats.ok_or_else(|| Failure::system("read the graph", "the server tells formats of other pins"))?;
    let graph = with_formats(file.graph.clone(), &formats);
    let plan = negotiate(&graph).map_err(|error| graph::negotiation_failure(file, &error))?;
    Ok((graph, plan))
}

/// A filter while it runs.
struct Filter<'a> {
    name: &'a str,
    interrupt: &'a Interrupt,
    options: RunOptions,
    started: Instant,
    frames: u64,
    bytes: u64,
}

/// Why a filter ended before its stream did.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Filter(#[from] FilterError),
    #[error(transparent)]
    Stream(#[from] StreamError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error("{0}")]
    Format(String),
}

/// Runs a source or a sink to its end, once the graph has begun.
pub(super) fn run(
    (socket, client): (&Path, &Client),
    joined: JoinedFilter,
    (file, name, run): (&GraphFile, &str, &Run),
    options: RunOptions,
    interrupt: &Interrupt,
) -> Result<Report, Failure> {
    let mut pins = client.description().pins.iter().filter(|pin| pin.filter == name);
    let (Some(pin), None) = (pins.next(), pins.next()) else {
        return Err(failures::attach(None, AttachError::Mediated));
    };
    let format = client.description().formats.get(&pin.name).and_then(|format| format.to_format());
    let format =
        format.ok_or_else(|| Failure::system("run the filter", "the server does not say what its frames are"))?;
    let mut filter = Filter { name, interrupt, options, started: Instant::now(), frames: 0, bytes: 0 };
    let opened = |error: FilterError| filter_failure(file, name, &error);
    let failed = |error| failures::client(socket, &error);
    let mut digest = None;
    let ended = if pin.is_in {
        let sink = PictureSink::create(run, &format).map_err(opened)?;
        let mut sink = sink.ok_or_else(|| failures::attach(None, AttachError::Mediated))?;
        let frames = joined.frames(&pin.name).map_err(failed)?;
        let taken = filter.take(frames, &mut sink);
        // Also after a failure: what was taken before it is written. The first failure is the one to tell.
        let finished = sink.finish().map_err(Trouble::from);
        taken.and_then(|outcome| {
            finished.map(|all| {
                digest = all;
                outcome
            })
        })
    } else {
        let source = PictureSource::open(run).map_err(opened)?;
        let source = source.ok_or_else(|| failures::attach(None, AttachError::Mediated))?;
        let writer = joined.writer(&pin.name).map_err(failed)?;
        filter.make(writer, source, &format)
    };
    Ok(filter.report(run, pin.is_in, ended, digest))
}

impl Filter<'_> {
    /// Takes what comes until nothing more does.
    fn take(&mut self, mut frames: kspipe_session::Frames, sink: &mut PictureSink) -> Result<Outcome, Trouble> {
        while !self.is_asked() {
            match frames.next_within(LOOK) {
                Ok(frame) => {
                    let picture = frame.data();
                    sink.take(picture, &frame.header())?;
                    self.count(picture.len());
                }
                Err(StreamError::TimedOut) => {}
                Err(StreamError::Ended) => return Ok(Outcome::Finished),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Outcome::Stopped)
    }

    /// Sends pictures until there are no more, or nobody wants any.
    fn make(
        &mut self,
        mut writer: kspipe_session::Writer,
        mut source: PictureSource,
        format: &MediaFormat,
    ) -> Result<Outcome, Trouble> {
        if source.format() != *format {
            let own = source.format();
            return Err(Trouble::Format(format!("it has frames of {own}, and the graph was served with {format}")));
        }
        let mut outcome = Outcome::Finished;
        while self.options.frames.is_none_or(|most| self.frames < most) {
            if self.is_asked() || !self.pace(format) {
                outcome = Outcome::Stopped;
                break;
            }
            let mut frame = match writer.acquire(Some(LOOK)) {
                Ok(frame) => frame,
                Err(WriteError::TimedOut) => continue,
                Err(WriteError::Stopping) => {
                    outcome = Outcome::Stopped;
                    break;
                }
                Err(error) => return Err(error.into()),
            };
            let length = format.frame_bytes();
            let picture = frame.bytes_mut().get_mut(..length);
            let picture = picture.ok_or_else(|| Trouble::Format(format!("{length} bytes do not fit into a frame")))?;
            let Some(header) = source.next(picture)? else { break };
            frame.set_header(header);
            writer.send(frame)?;
            self.count(length);
        }
        writer.end();
        Ok(outcome)
    }

    fn count(&mut self, bytes: usize) {
        self.frames = self.frames.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes as u64);
    }

    /// Somebody interrupts, or the time is over.
    fn is_asked(&self) -> bool {
        let is_over = |duration| self.started.elapsed() >= duration;
        self.interrupt.is_asked() || self.options.duration.is_some_and(is_over)
    }

    /// Waits until the next picture is due, where the run is paced; false where somebody interrupts meanwhile.
    fn pace(&self, format: &MediaFormat) -> bool {
        let units = if self.options.realtime { format.time_of(self.frames) } else { 0 };
        let due = Duration::from_secs(units / UNITS_PER_SECOND) + Duration::from_nanos(units % UNITS_PER_SECOND * 100);
        loop {
            let left = due.saturating_sub(self.started.elapsed());
            if left.is_zero() || self.is_asked() {
                return left.is_zero();
            }
            std::thread::sleep(left.min(LOOK));
        }
    }

    fn report(self, run: &Run, is_sink: bool, ended: Result<Outcome, Trouble>, digest: Option<String>) -> Report {
        let Self { name, started, frames, bytes, .. } = self;
        let (outcome, error) = match ended {
            Ok(outcome) => (outcome, None),
            Err(error) => (Outcome::Failed, Some(error)),
        };
        let is_system_failure = match &error {
            Some(Trouble::Filter(error)) => error.is_system_failure(),
            Some(Trouble::Stream(_) | Trouble::Write(_)) => true,
            Some(Trouble::Format(_)) | None => false,
        };
        let message = error.map(|error| text::printable(&error.to_string()));
        let failure = |message| stream::Failure { filter: Some(name.to_owned()), message, is_system_failure };
        let (frames_in, frames_out) = if is_sink { (frames, 0) } else { (0, frames) };
        Report {
            version: 1,
            outcome,
            errors: message.clone().map(failure).into_iter().collect(),
            duration: started.elapsed(),
            graph: GraphReport {
                source_frames: frames_out,
                delivered: frames_in,
                drops: 0,
                // Each once: by the server, or out of the memory that it shows.
                copies_per_frame: frames as f64 / frames_out.max(1) as f64,
                bytes_copied: bytes,
                bytes_moved_without_copying: 0,
            },
            filters: vec![FilterReport {
                name: name.to_owned(),
                kind: run.kind().to_owned(),
                frames_in,
                frames_out,
                bytes,
                latency: Latency::default(),
                end_to_end: None,
                error: message,
                digest,
            }],
            pipes: Vec::new(),
        }
    }
}

/// A source or a sink that cannot be opened.
fn filter_failure(file: &GraphFile, name: &str, error: &FilterError) -> Failure {
    let report = graph::filter_fault(file, name, text::printable(&error.to_string()));
    if error.is_system_failure() { Failure::System(report) } else { Failure::Graph(report) }
}
