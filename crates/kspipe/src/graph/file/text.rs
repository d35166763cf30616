//! The text of a graph file, as diagnostics show it.

use crate::finding::Span;
use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};
use std::sync::Arc;

/// Of a line that is longer than this beside a place, only what is near the place is shown.
const MOST_BESIDE: usize = 300;
/// More of a place is not shown.
const MOST_OF_A_PLACE: usize = 1000;

/// A graph file's name and its text, with dots in place of control characters.
///
/// As [`SourceCode`] it shows the lines around each place. Places that lie far apart are shown each by itself, however
/// many lines stand between them, and of lines that are very long what is near the place.
#[derive(Clone, Debug)]
pub struct FileText {
    name: Arc<str>,
    text: Arc<str>,
}

impl FileText {
    pub(super) fn new(name: &str, text: String) -> Self {
        FileText { name: name.into(), text: text.into() }
    }

    /// The file's name as it was given; `-` is standard input.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A place as it is shown: of one that is very long, its beginning.
    pub fn shown(&self, place: Span) -> Span {
        let Span { start, end } = place;
        Span {
            start,
            end: if end.saturating_sub(start) > MOST_OF_A_PLACE { self.at(start + MOST_OF_A_PLACE) } else { end },
        }
    }

    /// The beginning of the letter that has this byte.
    fn at(&self, byte: usize) -> usize {
        let byte = byte.min(self.text.len());
        (0..=byte).rev().find(|byte| self.text.is_char_boundary(*byte)).unwrap_or(0)
    }

    /// Those of the lines around a place that are shown: without other lines that are very long, and of its own what is
    /// near it.
    fn near(&self, place: Span, lines: Span) -> Span {
        let line_start = self.text[lines.start..place.start].rfind('\n').map_or(lines.start, |at| lines.start + at + 1);
        let line_end = self.text[place.end..lines.end].find('\n').map_or(lines.end, |at| place.end + at + 1);
        let start = if place.start - line_start > MOST_BESIDE {
            self.at(place.start - MOST_BESIDE / 2)
        } else if line_start - lines.start > MOST_BESIDE {
            line_start
        } else {
            lines.start
        };
        let end = if line_end - place.end > MOST_BESIDE {
            self.at(place.end + MOST_BESIDE / 2)
        } else if lines.end - line_end > MOST_BESIDE {
            line_end
        } else {
            lines.end
        };
        Span { start, end }
    }
}

impl SourceCode for FileText {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let read = self.text.read_span(span, lines_before, lines_after)?;
        let (first, count) = (read.span().offset(), read.span().len());
        let lines = Span { start: self.at(first), end: self.at(first + count) };
        let start = self.at(span.offset()).max(lines.start);
        let place = Span { start, end: self.at(span.offset() + span.len()).clamp(start, lines.end.max(start)) };
        let Span { start, end } = self.near(place, Span { end: lines.end.max(place.end), ..lines });
        let newlines = |start: usize, end: usize| self.text[start..end].bytes().filter(|byte| *byte == b'\n').count();
        // What miette counts itself are the lines from the file's start, and it joins snippets that overlap by their
        // counts: two places in the second half of a file would be shown with everything between them.
        let contents = MietteSpanContents::new_named(
            self.name.to_string(),
            &self.text.as_bytes()[start..end],
            (start, end - start).into(),
            read.line() + newlines(lines.start, start),
            read.column(),
            newlines(start, end),
        );
        Ok(Box::new(contents.with_language("TOML")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, place: &str, around: usize) -> (String, usize, usize) {
        let file = FileText::new("graph.toml", text.to_owned());
        let at = text.find(place).expect("it is in the text");
        let read = file.read_span(&(at, place.len()).into(), around, around).expect("it can be read");
        (String::from_utf8(read.data().to_vec()).expect("whole letters"), read.line(), read.line_count())
    }

    #[test]
    fn the_lines_around_a_place_are_shown_and_counted_by_themselves() {
        let text = (1..=9).map(|line| format!("line {line}\n")).collect::<String>();
        assert_eq!(shown(&text, "e 8", 1), ("line 7\nline 8\nline 9\n".to_owned(), 6, 3));
        assert_eq!(shown(&text, "e 1", 1), ("line 1\nline 2\n".to_owned(), 0, 2));
    }

    #[test]
    fn of_long_lines_is_shown_what_is_near() {
        let long = "ä".repeat(5000);
        let (text, line, _) = shown(&format!("{long}\n{long}here{long}\n{long}\n"), "here", 1);
        assert_eq!((line, text.contains('\n')), (1, false));
        assert!(text.contains("ähereä") && (250..=310).contains(&text.len()), "{text}");
        let (text, line, lines) = shown(&format!("{long}\nhere\n{long}\n"), "here", 1);
        assert_eq!((text.as_str(), line, lines), ("here\n", 1, 1));
    }

    #[test]
    fn of_long_places_is_shown_the_beginning() {
        let text = "ä".repeat(5000);
        let file = FileText::new("graph.toml", text.clone());
        assert_eq!(file.shown(Span { start: 2, end: text.len() }), Span { start: 2, end: 1002 });
        assert_eq!(file.shown(Span { start: 0, end: 999 }), Span { start: 0, end: 999 });
    }

    #[test]
    fn a_place_beyond_the_text_is_an_error() {
        let file = FileText::new("graph.toml", "text".to_owned());
        assert!(file.read_span(&(9, 1).into(), 1, 1).is_err());
        assert!(FileText::new("", String::new()).read_span(&(0, 0).into(), 1, 1).is_ok());
    }
}
