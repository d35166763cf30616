//! `docs/conformance.md`, made of the statements and of what was found.

use crate::program::{Run, Verdict, sources};
use crate::tools::folder;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// One of the 164 statements (statements.tsv).
pub struct Statement {
    pub number: u32,
    section: String,
    evidence: String,
    text: String,
}

/// The kinds of evidence, the strongest first, and what they mean.
const EVIDENCE: [(&str, &str); 7] = [
    ("MS doc", "Microsoft's documentation says it"),
    ("header", "the SDK's headers, or what compilers make of them"),
    ("Wine tests", "tests of Wine's that pass on Windows"),
    ("base classes", "Microsoft's published DirectShow base classes do it"),
    ("ReactOS", "ReactOS's implementation does it"),
    ("inference", "it follows from what is documented"),
    ("design", "chosen here, because nothing public says it"),
];

/// The columns of verdicts.tsv.
const PLATFORMS: [&str; 3] = ["linux", "windows64", "windows32"];

fn read(name: &str) -> String {
    let path = sources().join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The rows of a table with a head.
pub fn rows(name: &str) -> Vec<Vec<String>> {
    read(name).lines().skip(1).map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

pub fn statements() -> Vec<Statement> {
    rows("statements.tsv")
        .into_iter()
        .map(|row| {
            let [number, section, evidence, text] = <[String; 4]>::try_from(row).expect("four columns");
            assert!(EVIDENCE.iter().any(|(name, _)| *name == evidence), "{number}: no such evidence: {evidence}");
            Statement { number: number.parse().expect("a number"), section, evidence, text }
        })
        .collect()
}

/// What was found when the program ran last, by platform: `ok`, `n/a`, or `-` where it has no case.
type Verdicts = BTreeMap<u32, [String; 3]>;

fn verdicts() -> Verdicts {
    rows("verdicts.tsv")
        .into_iter()
        .map(|row| {
            let [number, linux, windows64, windows32] = <[String; 4]>::try_from(row).expect("four columns");
            (number.parse().expect("a number"), [linux, windows64, windows32])
        })
        .collect()
}

/// The verdicts with one platform's column as a run found it.
fn with_run(mut verdicts: Verdicts, platform: &str, run: &Run) -> Verdicts {
    let column = PLATFORMS.iter().position(|name| *name == platform).expect("a platform");
    for statement in statements() {
        let found = match run.verdicts.get(&statement.number) {
            Some(Verdict::Ok) => "ok",
            Some(Verdict::Failed(_)) => "FAIL",
            Some(Verdict::NotApplicable) => "n/a",
            None => "-",
        };
        let row = verdicts.entry(statement.number).or_insert_with(|| PLATFORMS.map(|_| "-".to_owned()));
        row[column] = found.to_owned();
    }
    verdicts
}

fn verdict_table(verdicts: &Verdicts) -> String {
    let mut table = format!("number\t{}\n", PLATFORMS.join("\t"));
    for (number, row) in verdicts {
        writeln!(table, "{number}\t{}", row.join("\t")).expect("a string takes it");
    }
    table
}

/// The numbers of the statements that tests in Rust have in their names: `s135_...`, `s135_s136_...`.
fn tested_in_rust() -> BTreeSet<u32> {
    fn look(folder: &Path, numbers: &mut BTreeSet<u32>) {
        for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if entry.is_dir() {
                look(&entry, numbers);
            } else if entry.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&entry).expect("a source");
                for name in text.lines().filter_map(|line| line.trim_start().strip_prefix("fn s")) {
                    let name = format!("s{name}");
                    for part in name.split('_') {
                        match part.strip_prefix('s').map(str::parse) {
                            Some(Ok(number)) if part.len() == 4 => numbers.insert(number),
                            _ => break,
                        };
                    }
                }
            }
        }
    }
    let mut numbers = BTreeSet::new();
    for name in ["ks", "ksobject", "kspipe", "ksproxy"] {
        for part in ["src", "tests"] {
            look(&folder().join("..").join(name).join(part), &mut numbers);
        }
    }
    numbers
}

/// `docs/conformance.md`.
fn page(verdicts: &Verdicts) -> String {
    let statements = statements();
    let in_rust = tested_in_rust();
    let found = |statement: &Statement| &verdicts[&statement.number];
    // What no run of the program has judged may be tested in Rust, on Linux.
    let by_rust = |statement: &Statement| found(statement)[0] == "-" && in_rust.contains(&statement.number);
    let open = |statement: &Statement| found(statement).iter().all(|one| one != "ok") && !by_rust(statement);

    let mut page = read("page.md");
    let mut put = |line: String| page.push_str(&(line + "\n"));
    put("\n## Totals\n".to_owned());
    put("| evidence | statements | Linux | Windows 64 | Windows 32 | Rust tests | open | what it is |".to_owned());
    put("| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |".to_owned());
    let mut total = |name: &str, meaning: &str, of: &dyn Fn(&Statement) -> bool| {
        let those: Vec<&Statement> = statements.iter().filter(|statement| of(statement)).collect();
        let ok = |column: usize| those.iter().filter(|statement| found(statement)[column] == "ok").count();
        put(format!(
            "| {name} | {} | {} | {} | {} | {} | {} | {meaning} |",
            those.len(),
            ok(0),
            ok(1),
            ok(2),
            those.iter().filter(|statement| by_rust(statement)).count(),
            those.iter().filter(|statement| open(statement)).count(),
        ));
    };
    for (name, meaning) in EVIDENCE {
        total(name, meaning, &|statement| statement.evidence == name);
    }
    total("all", "", &|_| true);

    let mut section = "";
    for statement in &statements {
        if statement.section != section {
            section = &statement.section;
            put(format!("\n## {section}\n"));
            put("| | statement | evidence | Linux | Windows 64 | Windows 32 |".to_owned());
            put("| ---: | --- | --- | --- | --- | --- |".to_owned());
        }
        let cell = |column: usize| match found(statement)[column].as_str() {
            "-" if column == 0 && by_rust(statement) => "Rust tests",
            other => other,
        };
        let text = statement.text.replace('|', "\\|").replace('*', "\\*");
        let (number, evidence) = (statement.number, &statement.evidence);
        put(format!("| {number} | {text} | {evidence} | {} | {} | {} |", cell(0), cell(1), cell(2)));
    }
    page
}

/// Where the page and the verdicts are.
fn places() -> [PathBuf; 2] {
    [folder().join("../../docs/conformance.md"), sources().join("verdicts.tsv")]
}

/// Compares what a run found, and the page made of it, with what is there; or writes them where
/// `KSPROXY_WRITE_CONFORMANCE` is set.
pub fn compare_or_write(platform: &str, run: &Run) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock();
    let verdicts = with_run(verdicts(), platform, run);
    for (place, text) in places().iter().zip([page(&verdicts), verdict_table(&verdicts)]) {
        if std::env::var_os("KSPROXY_WRITE_CONFORMANCE").is_some() {
            std::fs::write(place, text).expect("it can be written");
            continue;
        }
        let there = std::fs::read_to_string(place).unwrap_or_default();
        let differs = there.lines().zip(text.lines()).find(|(old, new)| old != new);
        assert!(
            there == text,
            "{} is not what was found; KSPROXY_WRITE_CONFORMANCE=1 writes it. The first difference: {differs:?}",
            place.display(),
        );
    }
}
