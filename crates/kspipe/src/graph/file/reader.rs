//! Reading TOML values with their places, and collecting what is wrong with them.

use super::FileText;
use super::error::{GraphFileError, GraphFileErrors};
use super::keys::Table;
use super::suggest::{excerpt, list, list_all, nearest};
use crate::finding::{Code, Finding, Span, Subject, codes};
use std::borrow::Cow;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// So many errors are kept in full; the others are counted. More would be read by nobody, and looking for the nearest
/// name a million times takes long.
const LISTED_ERRORS: usize = 100;

/// A TOML value with its place.
pub(super) type Value<'d> = Spanned<DeValue<'d>>;

/// A string of the file with its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text<'d> {
    pub(super) text: &'d str,
    pub(super) span: Span,
}

/// One thing that is wrong, before it is tied to the source.
#[derive(Debug)]
pub(super) struct Problem {
    message: String,
    span: Span,
    label: String,
    notes: Vec<(Span, String)>,
    help: Option<String>,
    code: &'static Code,
}

impl Problem {
    /// `label` stands beside the underlined text.
    pub(super) fn new(span: Span, message: impl Into<String>, label: impl Into<String>) -> Self {
        Problem {
            message: message.into(),
            span,
            label: label.into(),
            notes: Vec::new(),
            help: None,
            code: &codes::NOT_READABLE,
        }
    }
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
    /// Where there is a better code than that of an unreadable file.
    pub(super) fn code(mut self, code: &'static Code) -> Self {
        self.code = code;
        self
    }
    /// Another place that has to do with it.
    pub(super) fn note(mut self, span: Span, note: impl Into<String>) -> Self {
        self.notes.push((span, note.into()));
        self
    }
}

/// The text being read, and what was found wrong with it so far.
#[derive(Debug)]
pub(super) struct Reader<'d> {
    text: &'d str,
    problems: Vec<Problem>,
    unlisted: usize,
    pub(super) findings: Vec<Finding>,
}

impl<'d> Reader<'d> {
    pub(super) fn new(text: &'d str) -> Self {
        Reader { text, problems: Vec::new(), unlisted: 0, findings: Vec::new() }
    }

    /// Whether two places start on the same line.
    pub(super) fn same_line(&self, first: Span, second: Span) -> bool {
        let between = first.start.min(second.start)..first.start.max(second.start);
        self.text.as_bytes().get(between).is_some_and(|between| !between.contains(&b'\n'))
    }

    /// Whether anything is wrong so far.
    pub(super) fn failed(&self) -> bool {
        !self.problems.is_empty()
    }

    /// Something is wrong. The problem is only made where it will be listed.
    pub(super) fn report(&mut self, problem: impl FnOnce() -> Problem) {
        if self.problems.len() < LISTED_ERRORS {
            self.problems.push(problem());
        } else {
            self.unlisted += 1;
        }
    }

    /// The errors, where there are any.
    pub(super) fn into_errors(self, source: &FileText) -> Option<GraphFileErrors> {
        let mut problems = self.problems;
        problems.sort_by_key(|problem| problem.span);
        let mut errors = problems.into_iter().map(|problem| GraphFileError {
            source: source.clone(),
            message: problem.message,
            span: Some(problem.span),
            label: problem.label,
            notes: problem.notes,
            help: problem.help,
            code: problem.code,
        });
        let first = errors.next()?;
        Some(GraphFileErrors::new(first, errors.collect(), self.unlisted))
    }

    /// The place of a part of a string, from its byte `start` to `end`. Where the string is written with escapes, its
    /// bytes are not the file's, and the place is the whole string's.
    pub(super) fn part(&self, whole: Text<'_>, start: usize, end: usize) -> Span {
        let raw = self.text.get(whole.span.start..whole.span.end).unwrap_or_default();
        for quote in ["\"\"\"", "'''", "\"", "'"] {
            let inner = raw.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
            if inner == Some(whole.text) {
                let first = whole.span.start + quote.len();
                return Span { start: first + start, end: first + end };
            }
        }
        whole.span
    }

    /// The place of `part`, a slice of `whole`.
    pub(super) fn slice(&self, whole: Text<'_>, part: &str) -> Span {
        // Where `part` is no slice of `whole`, the place is the whole string's.
        let offset = (part.as_ptr() as usize).checked_sub(whole.text.as_ptr() as usize);
        match offset.filter(|offset| offset + part.len() <= whole.text.len()) {
            Some(offset) => self.part(whole, offset, offset + part.len()),
            None => whole.span,
        }
    }

    /// The value has another type than the one needed.
    pub(super) fn wrong_type(&mut self, value: &Value<'_>, what: &str, expected: &str) {
        let found = match value.get_ref() {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a number with a fraction",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        let span = value.span().into();
        self.report(|| Problem::new(span, format!("{what} is {found}"), format!("expected {expected}")));
    }

    /// The value as a table whose keys are those of `schema`; others are errors.
    pub(super) fn table(&mut self, value: &'d Value<'d>, schema: &'static Table, what: &str) -> Option<Fields<'d>> {
        let Some(table) = value.get_ref().as_table() else {
            self.wrong_type(value, what, &format!("a table; {} has the keys {}", schema.name, list_all(schema.keys)));
            return None;
        };
        Some(self.fields(table, schema, value.span().into()))
    }

    /// A table whose keys are those of `schema`; others are errors.
    pub(super) fn fields(&mut self, table: &'d DeTable<'d>, schema: &'static Table, span: Span) -> Fields<'d> {
        self.unknown_keys(table, schema);
        Fields { table, schema, span }
    }

    fn unknown_keys(&mut self, table: &DeTable<'_>, schema: &'static Table) {
        for key in table.keys().filter(|key| !schema.keys.contains(&key.get_ref().as_ref())) {
            let (name, span) = (key.get_ref(), key.span().into());
            self.report(|| {
                let help = match nearest(name, schema.keys.iter().copied()) {
                    Some(known) => format!("did you mean `{known}`?"),
                    None => match super::keys::TABLES.iter().find(|table| table.keys.contains(&name.as_ref())) {
                        Some(other) => format!("`{name}` is a key of {}", other.name),
                        None => format!("{} has the keys {}", schema.name, list_all(schema.keys)),
                    },
                };
                let label = format!("{} has no such key", schema.name);
                Problem::new(span, format!("unknown key `{}`", excerpt(name)), label).help(help)
            });
        }
    }

    /// A table whose keys are names of the writer's choice.
    pub(super) fn names(&mut self, value: &'d Value<'d>, what: &str, expected: &str) -> Option<&'d DeTable<'d>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.wrong_type(value, what, expected);
        }
        table
    }

    pub(super) fn string<'v>(&mut self, value: &'v Value<'_>, what: &str, expected: &str) -> Option<Text<'v>> {
        match value.get_ref() {
            DeValue::String(text) => Some(Text { text, span: value.span().into() }),
            _ => {
                self.wrong_type(value, what, expected);
                None
            }
        }
    }

    pub(super) fn boolean(&mut self, value: &Value<'_>, what: &str) -> Option<bool> {
        let boolean = value.get_ref().as_bool();
        if boolean.is_none() {
            self.wrong_type(value, what, "true or false");
        }
        boolean
    }

    pub(super) fn array(&mut self, value: &'d Value<'d>, what: &str, expected: &str) -> Option<&'d [Value<'d>]> {
        match value.get_ref() {
            DeValue::Array(array) => Some(array),
            _ => {
                self.wrong_type(value, what, expected);
                None
            }
        }
    }

    /// A whole number from `min` to `max`. `unit` says what it counts.
    pub(super) fn integer(&mut self, value: &Value<'_>, what: &str, unit: &str, min: i64, max: i64) -> Option<i64> {
        let DeValue::Integer(written) = value.get_ref() else {
            self.wrong_type(value, what, &format!("a whole number ({unit})"));
            return None;
        };
        // `None`: more digits than fit, so out of range whatever they are.
        let number = i128::from_str_radix(written.as_str(), written.radix()).ok();
        let fits = number.and_then(|number| i64::try_from(number).ok()).filter(|number| (min..=max).contains(number));
        if fits.is_none() {
            let span = value.span().into();
            let digits = written.as_str();
            self.report(|| {
                let (message, label) = if digits.starts_with('-') {
                    let message = if min == 0 { "is negative" } else { "is too small" };
                    (message, format!("the smallest is {min}"))
                } else if number.is_some_and(|number| number < i128::from(min)) {
                    ("is too small", format!("the smallest is {min}"))
                } else {
                    ("is too large", format!("the largest is {max}"))
                };
                Problem::new(span, format!("{what} {message}"), format!("{label} ({unit})"))
            });
        }
        fits
    }

    /// A whole number from `min` to 2^32 - 1.
    pub(super) fn u32(&mut self, value: &Value<'_>, what: &str, unit: &str, min: u32) -> Option<u32> {
        let number = self.integer(value, what, unit, i64::from(min), i64::from(u32::MAX))?;
        u32::try_from(number).ok()
    }

    /// One of some words.
    pub(super) fn choice<T: Copy>(&mut self, text: Text<'_>, what: &str, words: &[(&'static str, T)]) -> Option<T> {
        let found = words.iter().find(|(word, _)| *word == text.text).map(|(_, value)| *value);
        if found.is_none() {
            self.report(|| {
                let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                let problem = Problem::new(
                    text.span,
                    format!("unknown {what} `{}`", excerpt(text.text)),
                    format!("expected {}", list(&known)),
                );
                match nearest(text.text, known.iter().copied()) {
                    Some(word) => problem.help(format!("did you mean `{word}`?")),
                    None => problem,
                }
            });
        }
        found
    }

    /// The value of a key that takes one of some words.
    pub(super) fn word<T: Copy>(&mut self, value: &Value<'_>, key: &str, words: &[(&'static str, T)]) -> Option<T> {
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let text = self.string(value, &format!("`{key}`"), &list(&known))?;
        self.choice(text, &format!("value of `{key}`:"), words)
    }

    /// A name of a filter or pin, of letters, digits, `-` and `_`, because `.` and spaces part names elsewhere.
    pub(super) fn check_name(&mut self, name: Text<'_>, what: &str) {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.text.is_empty() || !name.text.chars().all(plain) {
            self.report(|| {
                let message = format!("`{}` cannot be the name of a {what}", excerpt(name.text));
                Problem::new(name.span, message, "expected ASCII letters, digits, `-` and `_`, at least one")
            });
        }
    }

    /// Something the writer should know.
    pub(super) fn finding(
        &mut self,
        code: &'static Code,
        subject: Subject,
        span: Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.findings.push(Finding::new(code, subject, message, help).at(Some(span)));
    }
}

/// A table of the file whose keys are known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'d> {
    table: &'d DeTable<'d>,
    schema: &'static Table,
    /// The table's place: its header, or the braces.
    pub(super) span: Span,
}

impl<'d> Fields<'d> {
    /// The value under a key that the table's schema has.
    pub(super) fn get(&self, key: &str) -> Option<&'d Value<'d>> {
        self.entry(key).map(|(_, value)| value)
    }
    /// The key's place and the value.
    pub(super) fn entry(&self, key: &str) -> Option<(Span, &'d Value<'d>)> {
        debug_assert!(self.schema.keys.contains(&key), "the reader reads `{key}`, which keys.rs does not list");
        self.table.get_key_value(key).map(|(key, value)| (key.span().into(), value))
    }
}

/// The text of a key.
pub(super) fn key_text<'d>(key: &'d Spanned<Cow<'_, str>>) -> Text<'d> {
    Text { text: key.get_ref(), span: key.span().into() }
}
