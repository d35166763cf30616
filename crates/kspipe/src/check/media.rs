//! What one frame of the connected format takes, at every pin where that is known.

use crate::graph::{Graph, PinId, RouteKind, Run};
use std::collections::VecDeque;

/// One frame of a media format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediaFrame {
    /// What it takes, at least 1.
    pub bytes: u64,
    /// Width times height, where it is a picture of known size.
    pub pixels: Option<u64>,
}

/// By pin: what the pin says itself, else what comes to it with frames that keep their format.
pub(super) fn media_of(graph: &Graph) -> Vec<Option<MediaFrame>> {
    let mut media: Vec<Option<MediaFrame>> = vec![None; graph.pins().len()];
    let mut reached = VecDeque::new();
    for pin in graph.pin_ids() {
        if let Some(bytes) = graph.pin(pin).media_size() {
            let pixels = graph.filter(graph.pin(pin).filter()).run().and_then(pixels_of);
            media[pin.index()] = Some(MediaFrame { bytes, pixels });
            reached.push_back(pin);
        }
    }
    let next = next_pins(graph);
    while let Some(pin) = reached.pop_front() {
        for after in &next[pin.index()] {
            if media[after.index()].is_none() {
                media[after.index()] = media[pin.index()];
                reached.push_back(*after);
            } else if let (Some(there), Some(here)) = (media[after.index()], media[pin.index()])
                && there.bytes == here.bytes
                && there.pixels.is_none()
                && here.pixels.is_some()
            {
                // The same frame, of which more is known here.
                media[after.index()] = Some(here);
                reached.push_back(*after);
            }
        }
    }
    media
}

/// By pin: where the same frame goes from there.
pub(super) fn next_pins(graph: &Graph) -> Vec<Vec<PinId>> {
    let mut next = vec![Vec::new(); graph.pins().len()];
    for connection in graph.connections() {
        next[connection.from.index()].push(connection.to);
    }
    for route in graph.routes().iter().filter(|route| route.kind != RouteKind::Copy) {
        next[route.from.index()].push(route.to);
    }
    next
}

fn pixels_of(run: &Run) -> Option<u64> {
    match run {
        Run::Pattern { width, height, .. } | Run::RawSource { width, height, .. } => {
            Some(u64::from(*width) * u64::from(*height))
        }
        _ => None,
    }
}
