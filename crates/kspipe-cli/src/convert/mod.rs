//! `kspipe convert`: a framing from a driver's source, a blob or TOML into another of these.

mod fragment;
mod input;

use crate::arguments::{ConvertArguments, FramingLanguage, StructureName};
use crate::failure::Failure;
use crate::output;
use crate::overwriting;
use input::{Found, Kind};
use ks::{FramingBlob, FramingField};
use miette::miette;
use std::io::IsTerminal;
use std::path::Path;

/// Converts.
pub(crate) fn convert(arguments: &ConvertArguments) -> Result<(), Failure> {
    if let Some(target) = &arguments.output {
        overwriting::refuse_input(target, &arguments.input)?;
    }
    let (kind, found) = input::read(arguments)?;
    let to = language(arguments, kind);
    let Found { name, bytes } = found;
    let framing = FramingBlob::parse(&bytes)
        .map_err(|error| Failure::Graph(miette!("{} is not a framing: {error}", arguments.input.display())))?;
    match to {
        FramingLanguage::Blob => write_bytes(arguments.output.as_deref(), &bytes),
        FramingLanguage::C => output::write(arguments.output.as_deref(), &kspipe_source::write_c(&framing, &name)),
        FramingLanguage::Toml => {
            let text = toml(&name, &bytes, &framing, arguments.lossy)?;
            output::write(arguments.output.as_deref(), &text)
        }
    }
}

/// What to write: as was asked, or by the output's name, or the other of TOML and blob.
fn language(arguments: &ConvertArguments, kind: Kind) -> FramingLanguage {
    let of_name = arguments.output.as_deref().and_then(|path| match path.extension()?.to_str()? {
        "toml" => Some(FramingLanguage::Toml),
        "bin" => Some(FramingLanguage::Blob),
        _ if crate::sources::is_source(path) => Some(FramingLanguage::C),
        _ => None,
    });
    let other = if kind == Kind::Toml { FramingLanguage::Blob } else { FramingLanguage::Toml };
    arguments.to.or(of_name).unwrap_or(other)
}

fn write_bytes(path: Option<&Path>, bytes: &[u8]) -> Result<(), Failure> {
    let Some(path) = path.filter(|path| *path != Path::new("-")) else {
        if std::io::stdout().is_terminal() {
            return Err(Failure::usage("a blob is no text for a terminal", "say where to write it: -o pin.bin"));
        }
        return output::to_standard_output(bytes);
    };
    std::fs::write(path, bytes).map_err(|error| Failure::file("write", path, error))
}

/// The framing in TOML. What a graph file has no place for would be lost: that is an error, unless it may be.
fn toml(name: &str, bytes: &[u8], framing: &FramingBlob<'_>, lossy: bool) -> Result<String, Failure> {
    let text = fragment::write(name, framing);
    if lossy {
        return Ok(text);
    }
    let structure = match framing {
        FramingBlob::Old(_) => StructureName::Old,
        FramingBlob::Extended(_) => StructureName::Extended,
    };
    let back = fragment::read(name, &text).and_then(|pin| input::blob_of(&pin.0, pin.1, structure));
    let back = back.map_err(|why| {
        Failure::Graph(miette!(help = "--lossy writes it all the same", "{name} cannot be said in a graph file: {why}"))
    })?;
    let lost = differences(bytes, &back, structure);
    if lost.is_empty() {
        return Ok(text);
    }
    Err(Failure::Graph(miette!(
        help = "--lossy leaves it out",
        "{name} says what a graph file has no place for: {}",
        lost.join("; ")
    )))
}

/// The members in which two framings differ, with what they hold.
fn differences(before: &[u8], after: &[u8], structure: StructureName) -> Vec<String> {
    let mut members: Vec<String> = Vec::new();
    for offset in (0..before.len().max(after.len())).step_by(4) {
        let word = |bytes: &[u8]| {
            let word = bytes.get(offset..offset + 4).and_then(|word| word.try_into().ok());
            word.map_or_else(|| "nothing".to_owned(), |word| format!("{:#x}", u32::from_le_bytes(word)))
        };
        let (before, after) = (word(before), word(after));
        if before != after {
            let member = match structure {
                StructureName::Old => old_member(offset).to_owned(),
                StructureName::Extended => FramingField::at(offset).to_string(),
            };
            members.push(format!("{member} is {before}, and would come back as {after}"));
        }
    }
    members
}

fn old_member(offset: usize) -> &'static str {
    ["RequirementsFlags", "PoolType", "Frames", "FrameSize", "FileAlignment", "Reserved"].get(offset / 4).unwrap_or(&"")
}
