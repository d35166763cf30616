//! Any text as a graph file: a graph whose every pin, item and connection has a place in the text, or errors that have
//! one, and that can be shown.

use kspipe::graph::file::GraphFile;
use std::path::Path;

/// Panics where that does not hold.
pub fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    // Blobs are looked for where none are, so that no file of this machine is read.
    match GraphFile::parse("fuzz.toml", &text, Path::new("/nonexistent")) {
        Ok(file) => {
            for pin in file.graph.pin_ids() {
                let span = file.pin_span(pin).expect("every pin has a place");
                assert!(text.is_char_boundary(span.start) && text.is_char_boundary(span.end));
                for item in 0..file.graph.pin(pin).items().len() {
                    assert!(file.item_span(pin, item).is_some(), "every item has a place");
                }
            }
            for connection in file.graph.connections() {
                assert!(file.connection_span(*connection).is_some(), "every connection has a place");
            }
        }
        Err(errors) => {
            for error in errors.iter() {
                let span = error.span().expect("the text could be read");
                assert!(span.start <= span.end && span.end <= text.len());
                assert!(error.position().is_some());
            }
            assert!(!errors.to_string().is_empty());
        }
    }
}
