//! `kspipe check`: what is wrong, or odd, in graph files, framing blobs and drivers' sources.

mod explain;
mod fix;
mod input;
mod json;
mod judge;
mod sarif;
mod source;
mod text;

use crate::arguments::{CheckArguments, FindingFormat};
use crate::failure::Failure;
use crate::output;
use input::CheckedFile;
use judge::Verdicts;
use kspipe::finding::{Finding, Severity};
use std::io::IsTerminal;
use std::path::Path;

/// Checks each file and shows what was found. One that cannot be read does not keep the others from being checked.
pub(crate) fn check(arguments: &CheckArguments) -> Result<(), Failure> {
    if arguments.list {
        return output::write(None, &explain::list());
    }
    if !arguments.explain.is_empty() {
        return output::write(None, &explain::explain(&arguments.explain)?);
    }
    let verdicts = Verdicts::of(arguments)?;
    if arguments.files.iter().filter(|path| *path == Path::new("-")).count() > 1 {
        return Err(Failure::usage("`-` is given twice", "there is one standard input"));
    }
    if arguments.fix && arguments.files.iter().any(|path| path == Path::new("-")) {
        return Err(Failure::usage("`--fix` changes files, and `-` is none", "write standard input to a file first"));
    }
    let (mut judged, mut failures) = read(arguments, &verdicts);
    if arguments.fix {
        for _ in 0..MOST_ROUNDS {
            let written = fix::write(&judged)?;
            if written.is_empty() {
                break;
            }
            for (name, values) in written {
                let values = if values == 1 { "1 value".to_owned() } else { format!("{values} values") };
                output::tell(format_args!("{name}: {values} written\n"));
            }
            (judged, failures) = read(arguments, &verdicts);
        }
    }
    let unread: Vec<String> = failures.iter().map(Failure::message).collect();
    for failure in failures {
        failure.tell();
    }
    let shown = match arguments.format {
        FindingFormat::Text => {
            let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            text::text(&judged, unread.len(), colour)
        }
        FindingFormat::Json => format!("{:#}\n", json::json(&judged, &unread)),
        FindingFormat::Sarif => format!("{:#}\n", sarif::sarif(&judged, &unread)),
    };
    output::write(None, &shown)?;
    match (unread.is_empty(), Counts::of(&judged).errors) {
        (false, _) => Err(Failure::SystemSaid),
        (true, 0) => Ok(()),
        (true, _) => Err(Failure::GraphSaid),
    }
}

/// A value that is written can show that another is wrong. Where two would be changed for ever, this ends it.
const MOST_ROUNDS: usize = 8;

fn read(arguments: &CheckArguments, verdicts: &Verdicts) -> (Vec<JudgedFile>, Vec<Failure>) {
    let (files, failures) = input::read_all(&arguments.files, &arguments.include);
    (files.into_iter().map(|file| JudgedFile::new(file, verdicts)).collect(), failures)
}

/// A file with what was found in it and is to be shown.
#[derive(Debug)]
struct JudgedFile {
    file: CheckedFile,
    findings: Vec<(Severity, Finding)>,
}

impl JudgedFile {
    fn new(mut file: CheckedFile, verdicts: &Verdicts) -> Self {
        let findings = std::mem::take(&mut file.findings);
        let findings = findings.into_iter().filter_map(|finding| Some((verdicts.severity(finding.code)?, finding)));
        JudgedFile { findings: findings.collect(), file }
    }
}

/// How many findings there are of each severity.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    errors: usize,
    warnings: usize,
    notes: usize,
}

impl Counts {
    fn of(files: &[JudgedFile]) -> Self {
        let mut counts = Counts::default();
        for (severity, _) in files.iter().flat_map(|file| &file.findings) {
            match severity {
                Severity::Error => counts.errors += 1,
                Severity::Warning => counts.warnings += 1,
                Severity::Note => counts.notes += 1,
            }
        }
        counts
    }
}
