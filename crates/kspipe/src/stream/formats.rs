//! Which format the frames have at every pin: formats start at the sources and go downstream, through connections and
//! routes.

use super::filters;
use super::format::MediaFormat;
use crate::graph::{Direction, FilterId, Graph, PinId, PixelFormat, Run};

/// Something found out, or not, about one filter's frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The filter's name.
    pub filter: String,
    /// What there is to say.
    pub message: String,
}

/// Finds out the formats and sets the `media-size` of the pins they fix, and the `holds` of the pins of `hold` filters,
/// where the graph states none, without running anything: files are only looked into, and a missing file, standard input or a filter that takes no such frames is a
/// note, never an error. For negotiating a graph that is not run.
pub fn probe_formats(graph: &mut Graph) -> Vec<Note> {
    let formats = propagate(graph, |_, run| filters::probe_source(run).map_err(|error| error.to_string()));
    formats.state_facts(graph);
    formats.problems
}

/// The formats of a graph's pins.
#[derive(Clone, Debug)]
pub(super) struct Formats {
    /// By pin; `None`: no source reaches it.
    of: Vec<Option<MediaFormat>>,
    /// What could not be found out.
    pub(super) problems: Vec<Note>,
}

impl Formats {
    /// What another process found out.
    pub(super) fn given(graph: &Graph, formats: &[(PinId, MediaFormat)]) -> Self {
        let mut of = vec![None; graph.pins().len()];
        for (pin, format) in formats {
            if let Some(place) = of.get_mut(pin.index()) {
                *place = Some(*format);
            }
        }
        Formats { of, problems: Vec::new() }
    }

    pub(super) fn get(&self, pin: PinId) -> Option<&MediaFormat> {
        self.of[pin.index()].as_ref()
    }

    /// Sets the media size of every pin that has a format, and how many frames the in pin of a `hold` keeps, where the
    /// graph states none.
    pub(super) fn state_facts(&self, graph: &mut Graph) {
        for pin in graph.pin_ids() {
            let keeps = match graph.filter(graph.pin(pin).filter()).run() {
                Some(Run::Hold { frames }) if graph.pin(pin).direction() == Direction::In => Some(*frames),
                _ => None,
            };
            if let (Some(frames), None) = (keeps, graph.pin(pin).holds()) {
                graph.set_holds(pin, frames);
            }
            if let (Some(format), None) = (self.get(pin), graph.pin(pin).media_size()) {
                graph.set_media_size(pin, format.frame_bytes() as u64);
            }
        }
    }
}

/// Asks every source for its format and takes it downstream. Each pin gets at most one format (an in pin has one
/// connection; of several routes to an out pin the first to bring one counts), so this ends even where the graph has a
/// cycle.
pub(super) fn propagate(
    graph: &Graph,
    mut source_format: impl FnMut(FilterId, &Run) -> Result<MediaFormat, String>,
) -> Formats {
    let mut formats = Formats { of: vec![None; graph.pins().len()], problems: Vec::new() };
    let mut reached = Vec::new();
    let reach = |of: &mut Vec<Option<MediaFormat>>, reached: &mut Vec<PinId>, pin: PinId, format: MediaFormat| {
        if of[pin.index()].is_none() {
            of[pin.index()] = Some(format);
            reached.push(pin);
        }
    };
    for (index, filter) in graph.filters().iter().enumerate() {
        let Some(run) = filter.run().filter(|run| filters::is_source(run)) else { continue };
        match source_format(FilterId(index as u32), run) {
            Ok(format) => {
                for pin in filter.pins().filter(|pin| graph.pin(*pin).direction() == Direction::Out) {
                    reach(&mut formats.of, &mut reached, pin, format);
                }
            }
            Err(message) => formats.problems.push(Note { filter: filter.name().to_owned(), message }),
        }
    }
    while let Some(pin) = reached.pop() {
        let Some(format) = formats.of[pin.index()] else { continue };
        match graph.pin(pin).direction() {
            Direction::Out => {
                if let Some(peer) = graph.pin(pin).peer() {
                    reach(&mut formats.of, &mut reached, peer, format);
                }
            }
            Direction::In => {
                let filter = graph.filter(graph.pin(pin).filter());
                let Some(run) = filter.run() else { continue };
                match after(run, format) {
                    Ok(out) => {
                        for route in graph.routes().iter().filter(|route| route.from == pin) {
                            reach(&mut formats.of, &mut reached, route.to, out);
                        }
                    }
                    Err(message) => formats.problems.push(Note { filter: filter.name().to_owned(), message }),
                }
            }
        }
    }
    formats
}

/// The format of the frames a filter sends where it gets those of `format`; for a sink, which sends none, the same.
fn after(run: &Run, format: MediaFormat) -> Result<MediaFormat, String> {
    match run {
        Run::Convert if format.pixels == PixelFormat::Rgb24 => {
            Err(format!("`convert` takes nv12 or i420, but gets {format}"))
        }
        Run::Convert => format.with_pixels(PixelFormat::Rgb24).map_err(|error| error.to_string()),
        Run::Y4mSink { .. } if format.pixels == PixelFormat::Rgb24 => {
            Err(format!("a YUV4MPEG2 file holds nv12 or i420, but gets {format}"))
        }
        Run::Invert
        | Run::Hold { .. }
        | Run::Tee
        | Run::Join
        | Run::Y4mSink { .. }
        | Run::RawSink { .. }
        | Run::Png { .. }
        | Run::Checksum { .. }
        | Run::Discard => Ok(format),
        Run::Pattern { .. } | Run::Y4mSource { .. } | Run::RawSource { .. } => {
            Err(format!("`{}` is a source here and takes no frames", run.kind()))
        }
    }
}
