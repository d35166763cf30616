//! `run` of a filter: what it does, whether its pins and routes allow that, and what its format fixes.

use super::draft::{At, FilterDraft};
use super::error::Span;
use super::keys::{self, Kind, Role};
use super::reader::{Fields, Problem, Reader, Text, Value};
use super::suggest::{excerpt, list, list_all, nearest};
use crate::graph::{Direction, PixelFormat, Rate, RouteKind, Run};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A path that a filter reads or writes.
#[derive(Clone, Debug)]
pub(super) struct PathUse {
    /// The path, resolved.
    pub(super) path: PathBuf,
    pub(super) span: Span,
    pub(super) writes: bool,
}

/// Reads `run`, checks it against the filter's pins and routes, and gives the pins what the format fixes.
pub(super) fn read<'d>(
    reader: &mut Reader<'d>,
    base: &Path,
    filter: &mut FilterDraft<'d>,
    key: Span,
    value: &'d Value<'d>,
) -> Option<PathUse> {
    let kind = kind(reader, filter, key, value)?;
    let at = value.get_ref().as_table()?.get("kind").map_or(key, |kind| kind.span().into());
    if !filter.broken {
        check_routes(reader, filter, kind, at);
    }
    let fields = reader.table(value, &kind.table, "`run`")?;
    for missing in kind.required.iter().filter(|required| fields.get(required).is_none()) {
        reader
            .report(|| Problem::new(at, format!("{} needs `{missing}`", kind.table.name), "expected it in this table"));
    }
    let path = fields.get("kind").and(path(reader, base, kind, &fields));
    let run = of_kind(reader, kind, &fields, path.as_ref().map(|path| path.path.clone()));
    if let Some(run) = run {
        fix_pins(reader, filter, &run, key);
        filter.run = Some(At { value: run, span: key });
    }
    path
}

/// The kind in the role that the filter's pins give it.
fn kind<'d>(
    reader: &mut Reader<'d>,
    filter: &FilterDraft<'d>,
    key: Span,
    value: &'d Value<'d>,
) -> Option<&'static Kind> {
    let expected = "a table with a `kind`";
    let table = reader.names(value, "`run`", expected)?;
    let Some(kind) = table.get("kind") else {
        reader
            .report(|| Problem::new(key, "`run` without a `kind`", "expected `kind` in this table").help(kinds_help()));
        return None;
    };
    let name = reader.string(kind, "`kind`", "what the filter does")?;
    let roles: Vec<&Kind> = keys::KINDS.iter().filter(|kind| kind.name == name.text).collect();
    let Some(first) = roles.first() else {
        reader.report(|| {
            let message = format!("unknown kind `{}`", excerpt(name.text));
            let problem = Problem::new(name.span, message, "no filter can do this");
            match nearest(name.text, keys::KINDS.iter().map(|kind| kind.name)) {
                Some(known) => problem.help(format!("did you mean `{known}`?")),
                None => problem.help(kinds_help()),
            }
        });
        return None;
    };
    let ins = filter.pins_that(Direction::In).count();
    let outs = filter.pins_that(Direction::Out).count();
    let fitting = roles.iter().find(|kind| match kind.role {
        Role::Source => (ins, outs) == (0, 1),
        Role::Transform => (ins, outs) == (1, 1),
        Role::Tee => ins == 1 && outs >= 1,
        Role::Join => ins >= 2 && outs >= 1,
        Role::Sink => (ins, outs) == (1, 0),
    });
    if fitting.is_none() && !filter.broken {
        reader.report(|| shape_problem(filter, name, &roles));
    }
    // Where the pins do not fit, the keys are still checked, against those of the role that is nearest.
    fitting.or_else(|| roles.iter().find(|kind| (kind.role == Role::Source) == (ins == 0))).or(Some(first)).copied()
}

fn kinds_help() -> String {
    let of = |roles: &[Role]| {
        let kinds = keys::KINDS.iter().filter(|kind| roles.contains(&kind.role));
        list_all(&kinds.map(|kind| kind.name).collect::<Vec<_>>())
    };
    let transforms = of(&[Role::Transform, Role::Tee, Role::Join]);
    format!("sources: {}; transforms: {transforms}; sinks: {}", of(&[Role::Source]), of(&[Role::Sink]))
}

fn shape_problem(filter: &FilterDraft<'_>, name: Text<'_>, roles: &[&Kind]) -> Problem {
    let needs: Vec<&str> = roles
        .iter()
        .map(|kind| match kind.role {
            Role::Source => "exactly one out pin and no in pin, as a source",
            Role::Transform => "exactly one in pin and one out pin",
            Role::Tee => "exactly one in pin and at least one out pin",
            Role::Join => "at least two in pins and at least one out pin",
            Role::Sink => "exactly one in pin and no out pin, as a sink",
        })
        .collect();
    let pins = |direction, word: &str| {
        let names: Vec<String> =
            filter.pins_that(direction).take(8).map(|name| format!("`{}`", excerpt(name))).collect();
        match names.as_slice() {
            [] => format!("no {word} pin"),
            [name] => format!("the {word} pin {name}"),
            _ => format!("the {word} pins {}", names.join(", ")),
        }
    };
    let has = format!(
        "the filter `{}` has {} and {}",
        excerpt(filter.name.text),
        pins(Direction::In, "in"),
        pins(Direction::Out, "out")
    );
    Problem::new(name.span, format!("`{}` needs {}", name.text, needs.join(", or ")), has)
}

/// Whether the filter's routes let it do what it is to do.
fn check_routes<'d>(reader: &mut Reader<'d>, filter: &FilterDraft<'d>, kind: &Kind, at: Span) {
    if kind.name == "hold" {
        for (from, _, _, span) in filter.effective_routes().iter().filter(|(.., route, _)| *route == RouteKind::Copy) {
            let message = "`hold` on a route `copy` copies every frame it hands on";
            reader.finding(Some((filter.name.text, from)), span.unwrap_or(at), message, "state the route as `pass`");
        }
        return;
    }
    let (allowed, why): (&[RouteKind], &str) = match kind.name {
        "invert" => (&[RouteKind::InPlace, RouteKind::Either, RouteKind::Copy], "it changes every byte of a frame"),
        "convert" => (&[RouteKind::Copy], "it writes frames of another size"),
        "tee" => (&[RouteKind::Pass], "it hands the same frame to every out pin"),
        "join" => {
            (&[RouteKind::Pass, RouteKind::Either, RouteKind::Copy], "it writes nothing into the frames it joins")
        }
        _ => return,
    };
    let Some(from) = filter.pins_that(Direction::In).next() else { return };
    let words: Vec<String> = allowed.iter().map(RouteKind::to_string).collect();
    let words = list(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let routes = filter.effective_routes();
    let needed: Vec<String> =
        filter.pins_that(Direction::Out).take(8).map(|to| format!("\"{from} -> {to} {}\"", allowed[0])).collect();
    let help = format!("routes = [{}]", needed.join(", "));
    let mut served = BTreeSet::new();
    for (_, to, route, span) in routes {
        if !served.insert(to) && kind.name == "join" {
            reader.report(|| {
                let message = format!("two routes lead to `{}` of a `join`", excerpt(to));
                Problem::new(span.unwrap_or(at), message, "expected one: the frames of one in pin go there")
            });
        }
        if !allowed.contains(&route) {
            reader.report(|| {
                let label = match span {
                    Some(_) => format!("expected {words}"),
                    None => format!("its route is `{route}`, because none is stated; expected {words}"),
                };
                let message = format!("`{}` cannot work on a route `{route}`: {why}", kind.name);
                Problem::new(span.unwrap_or(at), message, label).help(help.as_str())
            });
        }
    }
    for to in filter.pins_that(Direction::Out).filter(|to| !served.contains(to)) {
        reader.report(|| {
            let message = format!("`{}` needs a route from `{from}` to `{}`", kind.name, excerpt(to));
            Problem::new(at, message, format!("expected a route {words}: {why}")).help(help.as_str())
        });
    }
}

fn of_kind<'d>(reader: &mut Reader<'d>, kind: &Kind, fields: &Fields<'d>, path: Option<PathBuf>) -> Option<Run> {
    match (kind.name, kind.role) {
        ("pattern", _) => {
            let (format, width, height, rate) = picture(reader, fields);
            let frames = match fields.get("frames") {
                Some(value) => {
                    let frames =
                        reader.integer(value, "`frames`", "frames until the end of the stream", 0, i64::MAX)?;
                    Some(u64::try_from(frames).ok()?)
                }
                None => None,
            };
            Some(Run::Pattern { format: format?, width: width?, height: height?, rate: rate?, frames })
        }
        ("y4m", Role::Source) => Some(Run::Y4mSource { path: path? }),
        ("raw", Role::Source) => {
            let (format, width, height, rate) = picture(reader, fields);
            Some(Run::RawSource { path: path?, format: format?, width: width?, height: height?, rate: rate? })
        }
        ("invert", _) => Some(Run::Invert),
        ("convert", _) => Some(Run::Convert),
        ("hold", _) => {
            let frames = fields.get("frames")?;
            Some(Run::Hold { frames: reader.u32(frames, "`frames`", "frames it keeps", 0)? })
        }
        ("tee", _) => Some(Run::Tee),
        ("join", _) => Some(Run::Join),
        ("y4m", _) => Some(Run::Y4mSink { path: path? }),
        ("raw", _) => Some(Run::RawSink { path: path? }),
        ("png", _) => {
            let every = match fields.get("every") {
                Some(value) => reader.u32(value, "`every`", "a picture every so many frames", 1)?,
                None => 1,
            };
            Some(Run::Png { path: path?, every })
        }
        ("checksum", _) => {
            let stated = fields.get("path").is_some();
            if stated && path.is_none() { None } else { Some(Run::Checksum { path }) }
        }
        ("discard", _) => Some(Run::Discard),
        // No other kind is in `keys::KINDS`; a test reads one of each.
        _ => None,
    }
}

type Picture = (Option<PixelFormat>, Option<u32>, Option<u32>, Option<Rate>);

fn picture<'d>(reader: &mut Reader<'d>, fields: &Fields<'d>) -> Picture {
    let format = fields.get("format").and_then(|value| reader.word(value, "format", &PixelFormat::ALL));
    let width = fields.get("width").and_then(|value| reader.u32(value, "`width`", "pixels", 1));
    let height = fields.get("height").and_then(|value| reader.u32(value, "`height`", "rows", 1));
    let rate = match fields.get("rate") {
        Some(value) => rate(reader, value),
        None => Some(Rate { numerator: 30, denominator: 1 }),
    };
    if let (Some(format), Some(width), Some(height), Some(at)) = (format, width, height, fields.get("width"))
        && format.frame_bytes(width, height) == u64::MAX
    {
        reader.report(|| {
            let message = format!("a picture of {width} × {height} pixels does not fit any memory");
            Problem::new(at.span().into(), message, "expected a smaller picture")
        });
    }
    (format, width, height, rate)
}

fn rate(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Rate> {
    let expected = "frames per second, as in \"30/1\" or \"30000/1001\"";
    let Some(text) = value.get_ref().as_str() else {
        reader.wrong_type(value, "`rate`", expected);
        return None;
    };
    let (numerator, denominator) = text.split_once('/').unwrap_or((text, "1"));
    let part = |text: &str| {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse::<u32>().ok()).flatten().filter(|number| *number > 0)
    };
    let rate = part(numerator).zip(part(denominator)).map(|(numerator, denominator)| Rate { numerator, denominator });
    if rate.is_none() {
        reader.report(|| {
            let message = format!("`{}` is not a frame rate", excerpt(text));
            Problem::new(value.span().into(), message, format!("expected {expected}"))
                .help(format!("both numbers are from 1 to {}", u32::MAX))
        });
    }
    rate
}

fn path<'d>(reader: &mut Reader<'d>, base: &Path, kind: &Kind, fields: &Fields<'d>) -> Option<PathUse> {
    if !kind.table.keys.contains(&"path") {
        return None;
    }
    let text = fields.get("path").and_then(|value| reader.string(value, "`path`", "the path of a file"))?;
    if text.text.is_empty() || text.text.contains('\0') {
        reader.report(|| Problem::new(text.span, "`path` names no file", "expected the path of a file"));
        return None;
    }
    if kind.name == "png" && text.text == "-" {
        reader.report(|| {
            Problem::new(text.span, "`png` writes one file a picture, not to standard output", "expected a path")
                .help("for example: path = \"frame-{:05}.png\"")
        });
        return None;
    }
    if kind.name == "png" && !numbers_well(text.text) {
        reader.report(|| {
            Problem::new(
                text.span,
                "braces that stand for no number of a picture",
                "expected `{}` or `{:05}`, in the file's name",
            )
            .help("for example: path = \"frame-{:05}.png\"")
        });
        return None;
    }
    Some(PathUse { path: resolve(base, text.text), span: text.span, writes: kind.role == Role::Sink })
}

/// Whether braces stand only where a picture's number goes: `{}`, or `{:0N}` with up to 20 digits, in the file's name.
fn numbers_well(path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let mut parts = name.split('{');
    let before = parts.next().unwrap_or("");
    let well = parts.all(|part| {
        let Some((inside, after)) = part.split_once('}') else { return false };
        let digits = inside.strip_prefix(":0").and_then(|digits| digits.parse::<u8>().ok());
        !after.contains('}') && (inside.is_empty() || digits.is_some_and(|digits| digits <= 20))
    });
    well && !before.contains('}') && !folder.contains(['{', '}'])
}

/// A path of the file, which is relative to the file's own directory; `-` stays.
pub(super) fn resolve(base: &Path, path: &str) -> PathBuf {
    if path == "-" { PathBuf::from(path) } else { base.join(path) }
}

/// Gives the pins what `run` fixes and they do not state: the size of a picture, and the frames that are kept.
fn fix_pins<'d>(reader: &mut Reader<'d>, filter: &mut FilterDraft<'d>, run: &Run, at: Span) {
    match run {
        Run::Pattern { format, width, height, .. } | Run::RawSource { format, width, height, .. } => {
            let bytes = format.frame_bytes(*width, *height);
            for pin in filter.pins.values_mut().filter(|pin| pin.direction == Some(Direction::Out)) {
                match &pin.media_size {
                    None => pin.media_size = Some(At { value: bytes, span: at }),
                    Some(stated) if stated.value < bytes => {
                        let (stated, span) = (stated.value, stated.span);
                        reader.report(|| {
                            let message = format!("a `media-size` of {stated} bytes is less than one picture");
                            let label = format!("expected {bytes} bytes, or leave it out");
                            Problem::new(span, message, label)
                                .note(at, format!("{format}, {width} × {height}: {bytes} bytes"))
                        });
                    }
                    Some(_) => {}
                }
            }
        }
        Run::Hold { frames } => {
            for pin in filter.pins.values_mut().filter(|pin| pin.direction == Some(Direction::In)) {
                match &pin.holds {
                    None => pin.holds = Some(At { value: *frames, span: at }),
                    Some(stated) if stated.value < *frames => {
                        let message = format!("`holds` says {} frames, but the filter keeps {frames}", stated.value);
                        let help = format!("say at least {frames}, or leave it out; the pipe may starve");
                        reader.finding(None, stated.span, message, help);
                    }
                    Some(_) => {}
                }
            }
        }
        _ => {}
    }
}
