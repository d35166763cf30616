//! The texts that everybody may ask for, however often.

use super::state::State;
use crate::document::Document;
use rustix::fd::OwnedFd;
use std::io;
use std::time::{Duration, Instant};

/// How old a status may be that somebody is told. To write one takes as long as many requests about frames.
const AGE: Duration = Duration::from_millis(10);

/// The texts, as files.
#[derive(Debug)]
pub(super) struct Told {
    description: String,
    described: Option<Document>,
    status: Option<(Instant, Document)>,
}

impl Told {
    /// With the description, as JSON.
    pub(super) fn new(description: String) -> Self {
        Self { description, described: None, status: None }
    }

    /// Something has changed that the status does not tell.
    pub(super) fn is_old(&mut self) {
        self.status = None;
    }
}

impl State {
    /// The description: its length, and a file that holds it.
    pub(super) fn told_description(&mut self) -> io::Result<(u64, OwnedFd)> {
        let document = match self.told.described.take() {
            Some(document) => document,
            None => Document::new(&self.told.description)?,
        };
        let (told, kept) = given(document);
        self.told.described = kept;
        Ok(told)
    }

    /// The status, likewise: who has which filter as it is now, and the frames as they were a few milliseconds ago at most.
    pub(super) fn told_status(&mut self, now: Instant) -> io::Result<(u64, OwnedFd)> {
        let known = self.told.status.take();
        let known = known.filter(|(written, _)| now.saturating_duration_since(*written) < AGE);
        let (written, document) = match known {
            Some(known) => known,
            None => (now, Document::new(&self.status(now).to_string())?),
        };
        let (told, kept) = given(document);
        self.told.status = kept.map(|document| (written, document));
        Ok(told)
    }
}

/// A document opened for somebody, and the document, to be kept. Where no descriptor is left for both it is given away.
fn given(document: Document) -> ((u64, OwnedFd), Option<Document>) {
    let length = document.length();
    match document.open() {
        Ok(file) => ((length, file), Some(document)),
        Err(_) => ((length, document.into()), None),
    }
}
