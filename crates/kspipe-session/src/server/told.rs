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

    fn has_status(&self, now: Instant) -> bool {
        self.status.as_ref().is_some_and(|(written, _)| now.saturating_duration_since(*written) < AGE)
    }

    fn write_status(&mut self, now: Instant, text: &str) -> io::Result<()> {
        self.status = Some((now, Document::new(text)?));
        Ok(())
    }

    /// The status that was written last. `None`: it was given away.
    fn status(&mut self) -> Option<(u64, OwnedFd)> {
        let (written, document) = self.status.take()?;
        let (told, kept) = given(document);
        self.status = kept.map(|document| (written, document));
        Some(told)
    }

    fn description(&mut self) -> io::Result<(u64, OwnedFd)> {
        let document = match self.described.take() {
            Some(document) => document,
            None => Document::new(&self.description)?,
        };
        let (told, kept) = given(document);
        self.described = kept;
        Ok(told)
    }
}

impl State {
    /// The description: its length, and a file that holds it.
    pub(super) fn told_description(&mut self) -> io::Result<(u64, OwnedFd)> {
        self.told.description()
    }

    /// The status, likewise: who has which filter as it is now, and the frames as they were a few milliseconds ago at most.
    pub(super) fn told_status(&mut self, now: Instant) -> io::Result<(u64, OwnedFd)> {
        if !self.told.has_status(now) {
            let text = self.status(now).to_string();
            self.told.write_status(now, &text)?;
        }
        // It is there, or was just written.
        self.told.status().ok_or_else(|| io::ErrorKind::NotFound.into())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document;

    #[test]
    fn a_status_is_written_again_when_it_is_old_or_something_has_happened() {
        let mut told = Told::new("what is served".to_owned());
        let start = Instant::now();
        let mut ask = |after, text: &str, happened| {
            if happened {
                told.is_old();
            }
            if !told.has_status(start + after) {
                told.write_status(start + after, text).unwrap();
            }
            let (length, file) = told.status().unwrap();
            let read = document::read(&file).unwrap();
            assert_eq!(length, read.len() as u64);
            let (_, description) = told.description().unwrap();
            assert_eq!(document::read(&description).as_deref(), Some("what is served"));
            read
        };
        let nearly = AGE - Duration::from_nanos(1);
        assert_eq!(ask(Duration::ZERO, "first", false), "first");
        assert_eq!(ask(nearly, "not written", false), "first");
        assert_eq!(ask(AGE, "second", false), "second");
        assert_eq!(ask(AGE + nearly, "not written", false), "second");
        assert_eq!(ask(AGE + nearly, "third", true), "third");
    }
}
