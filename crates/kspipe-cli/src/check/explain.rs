//! `kspipe check --explain` and `--list`: codes, for reading.

use super::judge::code;
use crate::failure::Failure;
use kspipe::finding::{CODES, Code, Reference};
use std::fmt::Write;

/// Columns of explanations.
const WIDTH: usize = 80;

/// Every code in a line.
pub(super) fn list() -> String {
    let width = CODES.iter().map(|code| code.name.len()).max().unwrap_or_default();
    CODES
        .iter()
        .map(|code| format!("{code}  {:7}  {:width$}  {}\n", code.severity.name(), code.name, code.title))
        .collect()
}

/// The codes that are asked for, one page each; `all` is every code.
pub(super) fn explain(words: &[String]) -> Result<String, Failure> {
    let mut codes = Vec::new();
    for word in words {
        match word.as_str() {
            "all" => codes.extend(CODES),
            word => codes.push(code(word)?),
        }
    }
    Ok(codes.into_iter().map(page).collect::<Vec<_>>().join("\n"))
}

fn page(code: &Code) -> String {
    let mut page = format!("{code} {} ({})\n\n", code.name, code.severity);
    push_wrapped(&mut page, "    ", code.title);
    for paragraph in code.explanation.split("\n\n") {
        page.push('\n');
        push_wrapped(&mut page, "    ", paragraph);
    }
    if code.ksproxy_differs {
        page.push_str("\n    KSProxy is documented to do something else here.\n");
    }
    page.push_str("\nEXAMPLE\n");
    for line in code.example.lines() {
        let _ = writeln!(page, "    {line}");
    }
    if let Some(fix) = code.fix {
        page.push_str("\nWHAT TO DO\n");
        push_wrapped(&mut page, "    ", fix);
    }
    page.push_str("\nRESTS ON\n");
    for Reference { title, address } in code.references {
        let _ = writeln!(page, "    {title}");
        match address {
            Some(page_of_ours) if !page_of_ours.contains("://") => {
                let _ = writeln!(page, "        docs/{page_of_ours}");
            }
            Some(address) => {
                let _ = writeln!(page, "        {address}");
            }
            None => {}
        }
    }
    page
}

/// Words in lines of at most [`WIDTH`] columns.
fn push_wrapped(page: &mut String, indent: &str, text: &str) {
    let mut line = String::from(indent);
    for word in text.split_whitespace() {
        if line.len() > indent.len() && line.len() + 1 + word.len() > WIDTH {
            page.push_str(&line);
            page.push('\n');
            line = String::from(indent);
        }
        if line.len() > indent.len() {
            line.push(' ');
        }
        line.push_str(word);
    }
    page.push_str(&line);
    page.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_for_reading_in_a_terminal() {
        for code in CODES {
            let page = page(code);
            for heading in ["EXAMPLE", "RESTS ON"] {
                assert!(page.contains(heading), "{code}");
            }
            // Examples and addresses are not broken.
            let prose = page.lines().take_while(|line| *line != "EXAMPLE");
            assert!(prose.into_iter().all(|line| line.len() <= WIDTH), "{page}");
        }
    }

    #[test]
    fn a_code_is_asked_for_by_number_or_name_and_all_of_them_by_a_word() {
        let ask = |word: &str| explain(&[word.to_owned()]);
        assert_eq!(ask("KS040").ok(), ask("alignment-as-count").ok());
        assert_eq!(ask("ks040").ok(), ask("KS040").ok());
        let all = ask("all").unwrap_or_default();
        assert!(CODES.iter().all(|code| all.contains(code.title) || code.title.len() > WIDTH - 4));
        assert!(ask("KS999").is_err());
        assert_eq!(list().lines().count(), CODES.len());
    }
}
