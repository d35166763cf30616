//! Findings as SARIF 2.1.0, which code hosts and editors read.

use super::JudgedFile;
use super::input::{CheckedFile, Content};
use kspipe::finding::{Code, Finding, Severity, Span};
use serde_json::{Value, json};

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// One run over all files, with the rules of what was found, and what could not be read.
pub(super) fn sarif(files: &[JudgedFile], unread: &[String]) -> Value {
    let found = || {
        files.iter().flat_map(|file| file.findings.iter().map(move |(severity, finding)| (file, *severity, finding)))
    };
    let mut codes: Vec<&'static Code> = found().map(|(_, _, finding)| finding.code).collect();
    codes.sort_by_key(|code| code.code);
    codes.dedup();
    let results = found().map(|(file, severity, finding)| {
        let rule = codes.iter().position(|code| *code == finding.code).unwrap_or_default();
        result(&file.file, severity, finding, rule)
    });
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "kspipe",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": codes.iter().map(|code| rule(code)).collect::<Vec<_>>(),
            } },
            "invocations": [{
                "executionSuccessful": unread.is_empty(),
                "toolExecutionNotifications": unread
                    .iter()
                    .map(|message| json!({ "level": "error", "message": { "text": message } }))
                    .collect::<Vec<_>>(),
            }],
            "columnKind": "unicodeCodePoints",
            "artifacts": files.iter().map(|file| json!({ "location": { "uri": uri(&file.file.name) } })).collect::<Vec<_>>(),
            "results": results.collect::<Vec<_>>(),
        }],
    })
}

fn rule(code: &Code) -> Value {
    let fix = code.fix.unwrap_or_default();
    json!({
        "id": code.code,
        "name": pascal(code.name),
        "shortDescription": { "text": code.title },
        "fullDescription": { "text": code.explanation },
        "help": { "text": format!("{}\n\nExample:\n{}\n\n{fix}", code.explanation, code.example).trim_end() },
        "helpUri": code.address(),
        "defaultConfiguration": { "level": code.severity.name() },
        "properties": { "ksproxyDiffers": code.ksproxy_differs },
    })
}

fn result(file: &CheckedFile, severity: Severity, finding: &Finding, rule: usize) -> Value {
    let subject = finding.subject.to_string();
    let said = if subject.is_empty() { finding.message.clone() } else { format!("{subject}: {}", finding.message) };
    let text = if finding.help.is_empty() { said } else { format!("{said}; {}", finding.help) };
    let mut result = json!({
        "ruleId": finding.code.code,
        "ruleIndex": rule,
        "level": severity.name(),
        "message": { "text": text },
        "locations": [{ "physicalLocation": physical(file, finding.span) }],
    });
    if !finding.related.is_empty() {
        let related = finding.related.iter().enumerate().map(|(id, related)| {
            json!({
                "id": id,
                "physicalLocation": physical(file, Some(related.span)),
                "message": { "text": related.message },
            })
        });
        result["relatedLocations"] = related.collect();
    }
    if let Some((span, fix)) = finding.fix.as_ref().and_then(|fix| Some((fix.span?, fix))) {
        result["fixes"] = json!([{
            "description": { "text": format!("write {}", fix.text) },
            "artifactChanges": [{
                "artifactLocation": { "uri": uri(&file.name) },
                "replacements": [{
                    "deletedRegion": region(&file.content, span),
                    "insertedContent": { "text": fix.text },
                }],
            }],
        }]);
    }
    result
}

fn physical(file: &CheckedFile, span: Option<Span>) -> Value {
    let mut location = json!({ "artifactLocation": { "uri": uri(&file.name) } });
    if let Some(span) = span {
        location["region"] = region(&file.content, span);
    }
    location
}

fn region(content: &Content, span: Span) -> Value {
    match content {
        Content::Text(text) => {
            let [(line, column), (end_line, end_column)] = text.ends(span);
            json!({ "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column })
        }
        Content::Bytes(_) => json!({ "byteOffset": span.start, "byteLength": span.end.saturating_sub(span.start) }),
    }
}

/// `alignment-as-count` as `AlignmentAsCount`.
fn pascal(name: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    };
    name.split('-').map(capital).collect()
}

/// A path as a relative URI, or one of a file where it is absolute; what stands in no URI is written `%XX`.
fn uri(path: &str) -> String {
    if path == "-" {
        return "stdin".to_owned();
    }
    let path = if cfg!(windows) { path.replace('\\', "/") } else { path.to_owned() };
    let absolute = path.starts_with('/') || (cfg!(windows) && path.as_bytes().get(1) == Some(&b':'));
    let prefix = match (absolute, path.starts_with('/')) {
        (true, true) => "file://",
        (true, false) => "file:///",
        (false, _) => "",
    };
    // A colon in the first part of a relative path would read as a scheme.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) || (absolute && byte == b':');
    let escaped =
        path.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") });
    escaped.fold(prefix.to_owned(), |uri, part| uri + &part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_uris() {
        let table = [
            ("graph.toml", "graph.toml"),
            ("a b/ü.toml", "a%20b/%C3%BC.toml"),
            ("a:b", "a%3Ab"),
            ("/tmp/x.bin", "file:///tmp/x.bin"),
            ("-", "stdin"),
        ];
        for (path, expected) in table {
            assert_eq!(uri(path), expected);
        }
    }

    #[test]
    fn names_of_rules_are_in_pascal_case() {
        assert_eq!(pascal("alignment-as-count"), "AlignmentAsCount");
    }
}
