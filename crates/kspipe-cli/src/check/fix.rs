//! `kspipe check --fix`: values in graph files that are sure to do away with a finding are written in place of those
//! that stand there. Nothing else of a file is touched: comments, order and line ends stay.

use super::JudgedFile;
use super::input::{Content, Kind};
use crate::failure::Failure;
use kspipe::finding::{Fix, Span};
use kspipe::graph::file::GraphFile;
use std::cmp::Reverse;
use std::fs;
use std::path::Path;

/// Writes what is sure into the graph files; gives the name of each that was changed, and how many values were written.
///
/// # Errors
/// A file cannot be written.
pub(super) fn write(files: &[JudgedFile]) -> Result<Vec<(String, usize)>, Failure> {
    let mut written = Vec::new();
    for judged in files.iter().filter(|judged| judged.file.kind == Kind::Graph) {
        let Content::Text(text) = &judged.file.content else { continue };
        let (text, path) = (text.whole(), Path::new(&judged.file.name));
        let chosen = chosen(judged);
        let fixed = replaced(text, &chosen);
        // The places are those of the text that was read: of a file that is written otherwise, or that has changed
        // since, they are none.
        let is_as_read = fs::read(path).is_ok_and(|bytes| bytes == text.as_bytes());
        let read = |text: &str| GraphFile::parse(&judged.file.name, text, path.parent().unwrap_or(Path::new("")));
        let stays_readable = || read(&fixed).is_ok() || read(text).is_err();
        if chosen.is_empty() || !is_as_read || !stays_readable() {
            continue;
        }
        fs::write(path, &fixed).map_err(|error| Failure::file("write", path, error))?;
        written.push((judged.file.name.clone(), chosen.len()));
    }
    Ok(written)
}

/// The changes to make, in the order of their places. Of several for one place the worst finding's counts; whether the
/// others still ask for one is seen when the file is checked again.
fn chosen(judged: &JudgedFile) -> Vec<(Span, &str)> {
    let mut fixes: Vec<_> = judged
        .findings
        .iter()
        .filter_map(|(severity, finding)| match &finding.fix {
            Some(Fix { span: Some(span), text }) => Some((*span, Reverse(*severity), text.as_str())),
            _ => None,
        })
        .collect();
    fixes.sort_unstable();
    let mut chosen: Vec<(Span, &str)> = Vec::new();
    for (span, _, text) in fixes {
        if chosen.last().is_none_or(|(last, _)| last.end <= span.start) {
            chosen.push((span, text));
        }
    }
    chosen
}

/// The text with other values in these places, which are in order and apart.
fn replaced(text: &str, changes: &[(Span, &str)]) -> String {
    let mut fixed = String::with_capacity(text.len());
    let mut copied = 0;
    for (span, value) in changes {
        fixed.push_str(text.get(copied..span.start).unwrap_or_default());
        fixed.push_str(value);
        copied = span.end;
    }
    fixed.push_str(text.get(copied..).unwrap_or_default());
    fixed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_replaced_and_nothing_else() {
        let text = "a = 1 # ü\r\nb = 22\n";
        let span = |start, end| Span { start, end };
        assert_eq!(replaced(text, &[]), text);
        assert_eq!(replaced(text, &[(span(4, 5), "300"), (span(16, 18), "4")]), "a = 300 # ü\r\nb = 4\n");
    }
}
