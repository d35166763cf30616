//! Findings as compilers print them: the place, what it is, the line of the source with the part underlined.

use super::input::{CheckedFile, Content};
use super::{Counts, JudgedFile};
use kspipe::finding::{Finding, Severity, Span};
use std::fmt::Write;

/// Characters of a source line that are shown; longer ones are cut around the place.
const SHOWN: usize = 100;

/// Everything that was found, and a line that sums it up; `unread` files could not be read.
pub(super) fn text(files: &[JudgedFile], unread: usize, colour: bool) -> String {
    let paint = Paint { colour };
    let mut text = String::new();
    for JudgedFile { file, findings } in files {
        for (severity, finding) in findings {
            show(&mut text, file, *severity, finding, paint);
        }
    }
    text.push_str(&sum(files, unread));
    text
}

/// `2 files checked, 1 could not be read: 3 errors, 1 note`.
fn sum(files: &[JudgedFile], unread: usize) -> String {
    let counts = Counts::of(files);
    let numbers = [(counts.errors, "error"), (counts.warnings, "warning"), (counts.notes, "note")];
    let found: Vec<String> = numbers
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{number} {word}{}", if *number == 1 { "" } else { "s" }))
        .collect();
    let checked = match files.len() {
        0 => "no file checked".to_owned(),
        1 => "1 file checked".to_owned(),
        many => format!("{many} files checked"),
    };
    let unread = if unread == 0 { String::new() } else { format!(", {unread} could not be read") };
    let found = match (files.is_empty(), found.is_empty()) {
        (true, _) => String::new(),
        (false, true) => ": nothing found".to_owned(),
        (false, false) => format!(": {}", found.join(", ")),
    };
    format!("{checked}{unread}{found}\n")
}

fn show(text: &mut String, file: &CheckedFile, severity: Severity, finding: &Finding, paint: Paint) {
    let subject = finding.subject.to_string();
    let subject = if subject.is_empty() { subject } else { format!("{subject}: ") };
    let place = place(file, finding.span);
    let head = paint.severity(severity, &format!("{severity}[{}]", finding.code));
    let _ =
        writeln!(text, "{}{head}: {}", paint.strong(&place), paint.strong(&format!("{subject}{}", finding.message)));
    let margin = excerpt(text, file, finding.span, severity, paint);
    let pad = " ".repeat(margin);
    for related in &finding.related {
        let at = self::place(file, Some(related.span));
        let _ = writeln!(text, "{pad} {} {at}{}", paint.frame("="), related.message);
    }
    if !finding.help.is_empty() {
        let _ = writeln!(text, "{pad} {} {}: {}", paint.frame("="), paint.strong("help"), finding.help);
    }
    if let Some(fix) =
        finding.fix.as_ref().filter(|fix| fix.span.is_some() || matches!(file.content, Content::Bytes(_)))
    {
        let _ = writeln!(text, "{pad} {} {}: write {}", paint.frame("="), paint.strong("fix"), fix.text);
    }
    let _ = writeln!(text, "{pad} {} kspipe check --explain {}\n", paint.frame("="), finding.code);
}

/// `file:line:column: `, or `file:offset: `.
fn place(file: &CheckedFile, span: Option<Span>) -> String {
    match (&file.content, span) {
        (Content::Text(text), Some(span)) => {
            let [(line, column), _] = text.ends(span);
            format!("{}:{line}:{column}: ", file.name)
        }
        (Content::Bytes(_), Some(span)) => format!("{}:{:#06x}: ", file.name, span.start),
        (_, None) => format!("{}: ", file.name),
    }
}

/// The source line with the span underlined, or its bytes; gives the width of the margin.
fn excerpt(text: &mut String, file: &CheckedFile, span: Option<Span>, severity: Severity, paint: Paint) -> usize {
    let Some(span) = span else { return 1 };
    match &file.content {
        Content::Text(source) => {
            let [(line, column), (last_line, last_column)] = source.ends(span);
            let number = line.to_string();
            let shown: Vec<char> =
                source.line(line).chars().map(|character| if character == '\t' { ' ' } else { character }).collect();
            let end = if last_line == line { last_column - 1 } else { shown.len() };
            let (before, line, marked) = cut(&shown, column - 1, end);
            let pad = " ".repeat(number.len());
            let bar = paint.frame("|");
            let _ = writeln!(text, "{pad} {bar}");
            let _ = writeln!(text, "{} {bar} {line}", paint.frame(&number));
            let marks = paint.severity(severity, &"^".repeat(marked.max(1)));
            let _ = writeln!(text, "{pad} {bar} {}{marks}", " ".repeat(before));
            number.len()
        }
        Content::Bytes(bytes) => {
            let shown = bytes.get(span.start..span.end).unwrap_or_default();
            if !shown.is_empty() {
                let words: Vec<String> = shown.iter().map(|byte| format!("{byte:02x}")).collect();
                let _ = writeln!(text, "  {} bytes {}", paint.frame("|"), words.join(" "));
            }
            1
        }
    }
}

/// The part of a line around characters `start..end`: how many of it lie before them, the part, how many are marked.
fn cut(line: &[char], start: usize, end: usize) -> (usize, String, usize) {
    let (start, end) = (start.min(line.len()), end.min(line.len()).max(start.min(line.len())));
    if line.len() <= SHOWN {
        return (start, line.iter().collect(), end - start);
    }
    let marked = (end - start).min(SHOWN - 20);
    let first = start.saturating_sub((SHOWN - marked) / 2).min(line.len() - SHOWN);
    let part: String = line[first..first + SHOWN].iter().collect();
    let dots = |cut: bool| if cut { "..." } else { "" };
    let shown = format!("{}{part}{}", dots(first > 0), dots(first + SHOWN < line.len()));
    (start - first + dots(first > 0).len(), shown, marked)
}

/// Colours, on a terminal.
#[derive(Clone, Copy, Debug)]
struct Paint {
    colour: bool,
}

impl Paint {
    fn with(self, style: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{style}m{text}\x1b[0m") } else { text.to_owned() }
    }
    fn severity(self, severity: Severity, text: &str) -> String {
        let style = match severity {
            Severity::Error => "1;31",
            Severity::Warning => "1;33",
            Severity::Note => "1;36",
        };
        self.with(style, text)
    }
    fn strong(self, text: &str) -> String {
        self.with("1", text)
    }
    fn frame(self, text: &str) -> String {
        self.with("34", text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let line: Vec<char> = (0..1000u32).map(|place| char::from_digit(place % 10, 10).unwrap_or(' ')).collect();
        for (start, end) in [(0, 5), (500, 510), (995, 1000), (1000, 1000), (0, 1000), (2000, 3000)] {
            let (before, shown, marked) = cut(&line, start, end);
            let shown: Vec<char> = shown.chars().collect();
            assert!(shown.len() <= SHOWN + 6 && before + marked <= shown.len(), "{start}..{end}");
            if start < 1000 {
                assert_eq!(shown[before], line[start], "{start}..{end}");
            }
        }
        assert_eq!(cut(&line[..10], 3, 5), (3, "0123456789".to_owned(), 2));
    }

    #[test]
    fn colours_are_only_for_terminals() {
        assert_eq!(Paint { colour: false }.severity(Severity::Error, "error"), "error");
        assert_eq!(Paint { colour: true }.severity(Severity::Error, "error"), "\x1b[1;31merror\x1b[0m");
    }
}
