//! `docs/checks.md` is made of the registry of codes.

use kspipe::finding::{CODES, Code, Reference, Severity, Topic};
use std::fmt::Write;
use std::path::Path;

const HEAD: &str = "\
# The checks

What kspipe has to say of a graph, a framing or a plan has a code. `kspipe check` says all of it ([the
command](command-line.md#check)), `kspipe negotiate` and `kspipe run` what concerns the plan, `kspipe inspect` what is odd
in a blob. `kspipe check --explain KS040` shows a code's page in the terminal. This page is made of the same registry
(`kspipe::finding::CODES`), by a test.

An **error** is surely wrong. A **warning** is probably not what was meant, or not what will happen. A **note** is worth
knowing; nothing need be done. What is not known raises no finding: a member whose value cannot be told, a format that is
not stated, an edit that nobody sees. The framings of public drivers in [the corpus](../corpus/README.md) have no error,
and what else is found in them is argued, one by one, in `crates/kspipe/tests/check_corpus.rs`.

A code keeps its meaning for ever and is never used for another. Codes marked *KSProxy differs* tell of a place where
KSProxy is documented to do something else than kspipe.
";

fn page() -> String {
    let mut page = HEAD.to_owned();
    for (topic, heading) in Topic::ALL {
        let codes: Vec<&Code> = CODES.iter().copied().filter(|code| code.topic == topic).collect();
        if codes.is_empty() {
            continue;
        }
        let _ = write!(page, "\n## {heading}\n\n| code | name | | what it stands for |\n| --- | --- | --- | --- |\n");
        for code in &codes {
            let link = code.code.to_lowercase();
            let differs = if code.ksproxy_differs { " (*KSProxy differs*)" } else { "" };
            let _ =
                writeln!(page, "| [{code}](#{link}) | {} | {} | {}{differs} |", code.name, code.severity, code.title);
        }
        for code in codes {
            push_code(&mut page, code);
        }
    }
    page
}

fn push_code(page: &mut String, code: &Code) {
    let _ =
        write!(page, "\n### {code}\n\n**{}** ({}, {})\n\n{}\n", code.title, code.severity, code.name, code.explanation);
    if code.ksproxy_differs {
        page.push_str("\nKSProxy differs.\n");
    }
    let _ = write!(page, "\n```text\n{}\n```\n", code.example);
    if let Some(fix) = code.fix {
        let _ = write!(page, "\n*What to do*: {fix}\n");
    }
    let references = code.references.iter().map(|Reference { title, address }| match address {
        Some(address) => format!("[{title}]({address})"),
        None => (*title).to_owned(),
    });
    let _ = write!(page, "\n*Rests on*: {}.\n", references.collect::<Vec<_>>().join("; "));
}

#[test]
fn the_page_of_checks_is_that_of_the_registry() {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/checks.md");
    let page = page();
    if std::env::var_os("KSPIPE_WRITE_CHECKS").is_some() {
        std::fs::write(&place, page).expect("it can be written");
        return;
    }
    let there = std::fs::read_to_string(&place).unwrap_or_default();
    let differs = there.lines().zip(page.lines()).find(|(old, new)| old != new);
    assert!(
        there == page,
        "docs/checks.md is stale; KSPIPE_WRITE_CHECKS=1 writes it. The first difference: {differs:?}"
    );
}

#[test]
fn severities_are_ordered_from_note_to_error() {
    assert!(Severity::Note < Severity::Warning && Severity::Warning < Severity::Error);
}
