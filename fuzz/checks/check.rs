//! Any bytes under the linter, as a framing blob and as a graph file: every finding has a code of the registry, a place
//! within the file, and something to say; and it is found again.

use kspipe::check::{check_blob, check_graph_file, graph_file_findings};
use kspipe::finding::{CODES, Finding};
use kspipe::graph::file::GraphFile;
use std::path::Path;

/// Panics where that does not hold.
pub(crate) fn check(bytes: &[u8]) {
    let findings = check_blob("pin", bytes);
    assert_sound(&findings, bytes.len());
    assert_eq!(findings, check_blob("pin", bytes));

    // Blobs are looked for where none are, so that no file of this machine is read.
    let text = String::from_utf8_lossy(bytes);
    let findings = match GraphFile::parse("fuzz.toml", &text, Path::new("/nonexistent")) {
        Ok(file) => {
            let findings = check_graph_file(&file);
            assert_eq!(findings, check_graph_file(&file));
            findings
        }
        Err(errors) => {
            let findings = graph_file_findings(&errors);
            assert!(!findings.is_empty());
            findings
        }
    };
    assert_sound(&findings, text.len());
}

fn assert_sound(findings: &[Finding], length: usize) {
    for finding in findings {
        assert!(CODES.contains(&finding.code));
        assert!(!finding.message.is_empty());
        let fixed = finding.fix.as_ref().and_then(|fix| fix.span);
        let related = finding.related.iter().map(|related| related.span);
        for span in finding.span.into_iter().chain(fixed).chain(related) {
            assert!(span.start <= span.end && span.end <= length, "{finding:?}");
        }
    }
}
