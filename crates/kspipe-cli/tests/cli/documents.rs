//! What the documents say is so: their links lead somewhere, their code is in the examples, their pictures are drawn.

use crate::ground::{Ground, root};
use std::fs;
use std::path::{Path, PathBuf};

/// Every Markdown file that people read.
fn documents() -> Vec<PathBuf> {
    let folders = ["", "corpus", "docs", "examples", "examples/media"];
    let files = folders.iter().flat_map(|folder| fs::read_dir(root().join(folder)).expect("the folder is there"));
    let paths = files.map(|file| file.expect("it can be listed").path());
    let documents: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|end| end == "md")).collect();
    assert!(documents.len() > 5);
    documents
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(root().join(&path)).unwrap_or_else(|error| panic!("{}: {error}", path.as_ref().display()))
}

#[test]
fn links_within_the_project_lead_to_files() {
    for document in documents() {
        let text = read(&document);
        let folder = document.parent().expect("a file is in a folder");
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap_or_default();
            if !link.contains("://") && !file.is_empty() {
                assert!(folder.join(file).exists(), "{}: {link}", document.display());
            }
        }
    }
}

/// What a link leads to a heading by: its words in small letters, without punctuation, joined by hyphens.
fn anchors(text: &str) -> Vec<String> {
    let prose = text.split("```").step_by(2); // between the blocks of code
    let headings = prose.flat_map(str::lines).filter(|line| line.starts_with('#'));
    let words = headings.map(|line| line.trim_start_matches('#').trim().to_lowercase());
    words
        .map(|words| words.replace(' ', "-").replace(|c: char| !c.is_alphanumeric() && c != '-' && c != '_', ""))
        .collect()
}

#[test]
fn the_readme_leads_to_every_page() {
    let readme = read("README.md");
    for page in fs::read_dir(root().join("docs")).expect("the folder is there") {
        let name = page.expect("it can be listed").file_name().into_string().expect("a name");
        let is_page = name.ends_with(".md");
        assert!(!is_page || readme.contains(&format!("](docs/{name})")), "README.md has no link to docs/{name}");
    }
}

#[test]
fn links_to_headings_lead_to_headings() {
    let mut found = 0;
    for document in documents() {
        let text = read(&document);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let Some((file, heading)) = link.split_once('#').filter(|_| !link.contains("://")) else { continue };
            let target = if file.is_empty() { document.clone() } else { document.with_file_name("").join(file) };
            assert!(anchors(&read(target)).iter().any(|anchor| anchor == heading), "{}: {link}", document.display());
            found += 1;
        }
    }
    assert!(found > 5);
}

/// The lines of the first block of code in a language.
fn code(text: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let block = text.split(fence.as_str()).nth(1).and_then(|rest| rest.split("```").next()).expect("a block of code");
    block.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

#[test]
fn the_readmes_code_is_that_of_the_examples_which_are_built_and_run() {
    let readme = read("README.md");
    for (language, example) in [("rust", "rs"), ("cpp", "cpp")] {
        let example = read(format!("crates/ksproxy/examples/iksallocatorex.{example}"));
        let lines: Vec<&str> = example.lines().map(str::trim).collect();
        for line in code(&readme, language) {
            assert!(lines.contains(&line.as_str()), "not in the example: {line}");
        }
    }
}

#[test]
fn the_readmes_table_has_eleven_slots_and_names_tests_that_exist() {
    let readme = read("README.md");
    let rows: Vec<&str> = readme.lines().filter(|line| line.starts_with('|') && line.contains("| `s")).collect();
    assert_eq!(rows.len(), 11);
    let folder = root().join("crates/ksproxy/tests");
    let tests: String = fs::read_dir(folder)
        .expect("the folder is there")
        .map(|file| file.expect("it can be listed").path())
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
        .map(read)
        .collect();
    for (slot, row) in rows.iter().enumerate() {
        assert!(row.starts_with(&format!("| {slot} | `")), "{row}");
        let test = row.rsplit('`').nth(1).expect("a name in backquotes");
        assert!(tests.contains(&format!("fn {test}()")), "{test}");
    }
}

#[test]
fn the_documents_pictures_are_what_the_command_draws() {
    let ground = Ground::new();
    for (example, code) in [("preview", 0), ("bridge", 0), ("infeasible", 1)] {
        let (picture, graph) = (format!("{example}.svg"), format!("examples/{example}.toml"));
        ground.run(&["negotiate", "--format", "svg", "-o", &picture, &graph], code);
        // Not by assert_eq!, which would print both.
        assert!(
            ground.text(&picture) == read(format!("docs/{picture}")),
            "draw it again: cargo run -- negotiate --format svg -o docs/{picture} {graph}"
        );
    }
}

#[test]
fn the_readmes_output_has_the_lines_of_a_run() {
    let ground = Ground::new();
    let (_, output) = ground.run(&["run", "examples/preview.toml"], 0);
    let shown = code(&read("README.md"), "text");
    let numbers_apart = |line: &str| -> String {
        let line: String = line.trim().chars().filter(|c| !c.is_ascii_digit() && *c != '.' && *c != 'µ').collect();
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let lines: Vec<String> = output.lines().map(numbers_apart).collect();
    let shown: Vec<String> = shown.iter().skip(1).map(|line| numbers_apart(line)).collect();
    assert_eq!(lines.len(), shown.len(), "{output}");
    for (line, shown) in lines.iter().zip(&shown) {
        // Units of time vary: `ms` in one run, `s` in another.
        let without_time = |text: &str| text.replace(" in ms,", " in,").replace(" in s,", " in,");
        assert_eq!(without_time(line), without_time(shown));
    }
}
