//! The framing that is converted, as the bytes a compiler would make of it.

use super::fragment;
use crate::arguments::{ConvertArguments, StructureName};
use crate::failure::Failure;
use crate::sources;
use kspipe::graph::file::GraphFile;
use kspipe::graph::{Compression, Framing, write_blob};
use kspipe_source::SourceFraming;
use miette::miette;
use std::path::Path;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Source,
    Blob,
    Toml,
}

impl Kind {
    /// By the name's end, else by the content.
    fn of(path: &Path, bytes: &[u8]) -> Self {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or("");
        if sources::is_source(path) {
            return Kind::Source;
        }
        match ending {
            "toml" => Kind::Toml,
            "bin" => Kind::Blob,
            _ => match std::str::from_utf8(bytes) {
                Ok(text) if text.contains("KSALLOCATOR_FRAMING") || text.contains("_SIMPLE_FRAMING_EX") => Kind::Source,
                Ok(text) if !text.contains('\0') => Kind::Toml,
                _ => Kind::Blob,
            },
        }
    }
}

/// A framing and its name.
pub(super) struct Found {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
}

/// Reads it.
pub(super) fn read(arguments: &ConvertArguments) -> Result<(Kind, Found), Failure> {
    let path = &arguments.input;
    let bytes = sources::bytes(path).map_err(|error| Failure::file("read", path, error))?;
    let kind = Kind::of(path, &bytes);
    let stem = path.file_stem().and_then(|stem| stem.to_str()).filter(|stem| *stem != "-").unwrap_or("framing");
    let name = arguments.name.clone();
    let found = match kind {
        Kind::Blob => Found { name: name.unwrap_or_else(|| stem.to_owned()), bytes },
        Kind::Source => of_source(arguments, bytes)?,
        Kind::Toml => of_toml(arguments, &bytes, stem)?,
    };
    Ok((kind, found))
}

fn of_source(arguments: &ConvertArguments, bytes: Vec<u8>) -> Result<Found, Failure> {
    let file = arguments.input.display().to_string();
    let source = sources::read_all(&[(file.clone(), bytes)], &arguments.include);
    let own = |framing: &SourceFraming| framing.name.rsplit(['/', ':']).next().unwrap_or("").to_owned();
    let matches = |framing: &&SourceFraming| match &arguments.name {
        Some(name) => [framing.full_name(), framing.name.clone(), own(framing)].contains(name),
        None => true,
    };
    let chosen: Vec<&SourceFraming> = source.framings.iter().filter(matches).collect();
    let [framing] = chosen.as_slice() else {
        let candidates = if chosen.is_empty() { source.framings.iter().collect() } else { chosen };
        return Err(which(
            &file,
            arguments.name.as_deref(),
            candidates.into_iter().map(SourceFraming::full_name).collect(),
        ));
    };
    let unknown: Vec<String> = framing
        .unknown()
        .map(|(member, unknown)| {
            let (file, line, column) = source.position(member.place);
            format!("{file}:{line}:{column}: {}: {}", member.path(), unknown.because)
        })
        .collect();
    if !unknown.is_empty() {
        return Err(Failure::Graph(miette!(
            help = "give the directory of the header that defines it with --include",
            "not all of {} is known:\n{}",
            framing.full_name(),
            unknown.join("\n")
        )));
    }
    Ok(Found { name: own(framing), bytes: framing.bytes_or_zero() })
}

/// There is none, or more than one.
fn which(file: &str, name: Option<&str>, candidates: Vec<String>) -> Failure {
    if candidates.is_empty() {
        return Failure::Graph(miette!("there is no framing in {file}"));
    }
    let help = format!("say which with --name: {}", candidates.join(", "));
    match name {
        Some(name) => Failure::usage(format!("`{name}` is not one framing of {file}"), help),
        None => Failure::usage(format!("{file} has {} framings", candidates.len()), help),
    }
}

fn of_toml(arguments: &ConvertArguments, bytes: &[u8], stem: &str) -> Result<Found, Failure> {
    let file = arguments.input.display().to_string();
    let at_fault = |why: String| Failure::Graph(miette!("{why}"));
    let text = std::str::from_utf8(bytes).map_err(|error| at_fault(format!("{file} is not UTF-8: {error}")))?;
    let (name, framing, compression) = if fragment::is_fragment(text) {
        let (framing, compression) = fragment::read(&file, text).map_err(at_fault)?;
        (arguments.name.clone().unwrap_or_else(|| stem.to_owned()), framing, compression)
    } else {
        let base = arguments.input.parent().unwrap_or(Path::new(""));
        let graph = GraphFile::parse(&file, text, base).map_err(|errors| Failure::Graph(errors.into()))?.graph;
        let framed: Vec<_> = graph.pin_ids().filter(|pin| *graph.pin(*pin).framing() != Framing::None).collect();
        let chosen: Vec<_> = match &arguments.name {
            Some(name) => framed.iter().copied().filter(|pin| graph.pin_name(*pin) == *name).collect(),
            None => framed.clone(),
        };
        let [pin] = chosen.as_slice() else {
            let candidates = if chosen.is_empty() { framed } else { chosen };
            let names = candidates.into_iter().map(|pin| graph.pin_name(pin)).collect();
            return Err(which(&file, arguments.name.as_deref(), names));
        };
        let pin_framing = graph.pin(*pin);
        (graph.pin_name(*pin), pin_framing.framing().clone(), pin_framing.compression())
    };
    let structure = arguments.structure.unwrap_or(match framing {
        Framing::Old(_) => StructureName::Old,
        _ => StructureName::Extended,
    });
    let bytes = blob_of(&framing, compression, structure).map_err(|why| at_fault(format!("{name}: {why}")))?;
    Ok(Found { name, bytes })
}

/// The blob of a framing in this structure; the error says what it cannot hold.
pub(super) fn blob_of(
    framing: &Framing,
    compression: Compression,
    structure: StructureName,
) -> Result<Vec<u8>, String> {
    let framing = match (framing, structure) {
        (Framing::Extended(items), StructureName::Old) => match items.as_slice() {
            [item] => Framing::Old(Box::new(item.clone())),
            _ => return Err(format!("the old structure has room for one item, here are {}", items.len())),
        },
        (Framing::Old(item), StructureName::Extended) => Framing::Extended(vec![item.as_ref().clone()]),
        _ => framing.clone(),
    };
    write_blob(&framing, compression).map_err(|error| error.to_string())
}
