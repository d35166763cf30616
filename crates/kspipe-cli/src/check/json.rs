//! Findings as JSON, version 1; `docs/check.schema.json` describes every member.

use super::input::Content;
use super::{Counts, JudgedFile};
use kspipe::finding::{Finding, Severity, Span};
use serde_json::{Value, json};

/// Raised when a member changes its meaning or goes away, not when one is added.
const VERSION: u32 = 1;

/// All files with all that was found, and why the others could not be read.
pub(super) fn json(files: &[JudgedFile], unread: &[String]) -> Value {
    let documents = files.iter().map(|JudgedFile { file, findings }| {
        let findings = findings.iter().map(|(severity, finding)| document(&file.content, *severity, finding));
        json!({ "file": file.name, "kind": file.kind.name(), "findings": findings.collect::<Vec<_>>() })
    });
    let counts = Counts::of(files);
    json!({
        "version": VERSION,
        "files": documents.collect::<Vec<_>>(),
        "unread": unread,
        "summary": { "errors": counts.errors, "warnings": counts.warnings, "notes": counts.notes },
    })
}

fn document(content: &Content, severity: Severity, finding: &Finding) -> Value {
    let fix =
        finding.fix.as_ref().map(|fix| json!({ "text": fix.text, "place": fix.span.map(|span| place(content, span)) }));
    let related = finding.related.iter();
    let related = related.map(|related| json!({ "place": place(content, related.span), "message": related.message }));
    json!({
        "code": finding.code.code,
        "name": finding.code.name,
        "severity": severity.name(),
        "subject": {
            "pin": finding.subject.pin,
            "item": finding.subject.item,
            "member": finding.subject.member,
        },
        "message": finding.message,
        "help": finding.help,
        "fix": fix,
        "place": finding.span.map(|span| place(content, span)),
        "related": related.collect::<Vec<_>>(),
    })
}

/// Where it is: bytes of the file from 0, and for a text lines and columns from 1.
fn place(content: &Content, span: Span) -> Value {
    let mut place = json!({ "start": span.start, "end": span.end });
    if let Content::Text(text) = content {
        let [(line, column), (end_line, end_column)] = text.ends(span);
        place["line"] = line.into();
        place["column"] = column.into();
        place["end_line"] = end_line.into();
        place["end_column"] = end_column.into();
    }
    place
}
