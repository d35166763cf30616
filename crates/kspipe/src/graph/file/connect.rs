//! `connections` of the file and `routes` of its filters.

use super::draft::{At, ConnectionDraft, End, Filters, PinDraft, RouteDraft};
use super::keys;
use super::reader::{Problem, Reader, Text, Value};
use super::suggest::{excerpt, nearest};
use crate::finding::Span;
use crate::graph::{Direction, RouteKind};
use std::collections::BTreeMap;

/// Reads `connections`.
pub(super) fn read_connections<'d>(reader: &mut Reader<'d>, value: &'d Value<'d>) -> Vec<ConnectionDraft<'d>> {
    let expected = "a list of connections: [\"filter.pin -> filter.pin\"]";
    let values = reader.array(value, "`connections`", expected).unwrap_or_default();
    values.iter().filter_map(|value| read_connection(reader, value)).collect()
}

fn read_connection<'d>(reader: &mut Reader<'d>, value: &'d Value<'d>) -> Option<ConnectionDraft<'d>> {
    let expected = "\"filter.pin -> filter.pin\"";
    let text = reader.string(value, "a connection", expected)?;
    let parts =
        text.text.split_once("->").and_then(|(from, to)| Some((end(reader, text, from)?, end(reader, text, to)?)));
    if parts.is_none() {
        reader.report(|| {
            let message = format!("`{}` is not a connection", excerpt(text.text));
            Problem::new(text.span, message, format!("expected {expected}"))
                .help("for example: \"camera.capture -> viewer.in\"")
        });
    }
    parts.map(|(from, to)| ConnectionDraft { from, to, span: text.span })
}

/// `filter.pin`.
fn end<'d>(reader: &Reader<'d>, whole: Text<'d>, part: &'d str) -> Option<End<'d>> {
    let part = part.trim();
    let (filter, pin) = part.split_once('.')?;
    let plain = |name: &str| !name.is_empty() && !name.contains(['.', '>', ' ', '\t', '\n']);
    (plain(filter) && plain(pin)).then(|| End { filter, pin, span: reader.slice(whole, part) })
}

/// Reads a filter's `routes`; `None` where one of them could not be read.
pub(super) fn read_routes<'d>(reader: &mut Reader<'d>, value: &'d Value<'d>) -> Option<Vec<RouteDraft<'d>>> {
    let values = reader.array(value, "`routes`", "a list of routes: [\"in -> out kind\"]")?;
    let routes: Vec<RouteDraft<'d>> = values.iter().filter_map(|value| read_route(reader, value)).collect();
    (routes.len() == values.len()).then_some(routes)
}

fn read_route<'d>(reader: &mut Reader<'d>, value: &'d Value<'d>) -> Option<RouteDraft<'d>> {
    let expected = "\"in-pin -> out-pin kind\"";
    let text = reader.string(value, "a route", expected)?;
    let malformed = |reader: &mut Reader<'d>, label: &str| {
        reader.report(|| {
            Problem::new(text.span, format!("`{}` is not a route", excerpt(text.text)), label)
                .help("for example: \"in -> out in-place\"; the kinds are `pass`, `in-place`, `copy` and `either`")
        });
    };
    let Some((from, rest)) = text.text.split_once("->") else {
        malformed(reader, &format!("expected {expected}"));
        return None;
    };
    let (from, mut words) = (from.trim(), rest.split_whitespace());
    let (Some(to), kind, None) = (words.next(), words.next(), words.next()) else {
        malformed(reader, &format!("expected {expected}"));
        return None;
    };
    let Some(kind) = kind else {
        malformed(reader, "expected a kind after the out pin: `pass`, `in-place`, `copy` or `either`");
        return None;
    };
    if from.is_empty() || from.contains(char::is_whitespace) {
        malformed(reader, &format!("expected {expected}"));
        return None;
    }
    let part = |part| Text { text: part, span: reader.slice(text, part) };
    let (from, to, kind) = (part(from), part(to), part(kind));
    let value = reader.choice(kind, "kind of route", &keys::ROUTE_KINDS)?;
    Some(RouteDraft { from, to, kind: At { value, span: kind.span }, span: text.span })
}

/// Checks that connections join pins that exist, out to in, each once.
pub(super) fn check_connections<'d>(
    reader: &mut Reader<'d>,
    filters: &Filters<'d>,
    connections: &[ConnectionDraft<'d>],
) {
    let mut connected: BTreeMap<(&str, &str), Span> = BTreeMap::new();
    for connection in connections {
        for (end, direction) in [(connection.from, Direction::Out), (connection.to, Direction::In)] {
            let Some(pin) = find(reader, filters, end) else { continue };
            let name = format!("{}.{}", end.filter, end.pin);
            let way = "a connection goes from an out pin to an in pin";
            check_direction(reader, pin, &name, end.span, direction, way);
            if let Some(first) = connected.insert((end.filter, end.pin), end.span) {
                reader.report(|| {
                    let message = format!("`{}.{}` is connected twice", end.filter, end.pin);
                    Problem::new(end.span, message, "connected here again")
                        .note(first, "connected here")
                        .help("connections are one to one; a tee is a filter with several `pass` routes")
                });
            }
        }
    }
}

fn find<'f>(reader: &mut Reader<'_>, filters: &'f Filters<'_>, end: End<'_>) -> Option<&'f PinDraft> {
    let found = filters.get(end.filter).and_then(|filter| filter.pins.get(end.pin));
    if found.is_some() {
        return found;
    }
    // A filter whose pins could not be read has more pins than we know.
    if filters.get(end.filter).is_some_and(|filter| filter.broken && filter.pins.is_empty()) {
        return None;
    }
    reader.report(|| {
        let (name, label) = match filters.get(end.filter) {
            Some(filter) => {
                let name = nearest(end.pin, filter.pins.keys().copied()).map(|pin| format!("{}.{pin}", end.filter));
                (name, format!("the filter `{}` has no such pin", excerpt(end.filter)))
            }
            None => {
                let with_pin = filters.iter().filter(|(_, filter)| filter.pins.contains_key(end.pin));
                let name = nearest(end.filter, with_pin.map(|(name, _)| *name))
                    .or_else(|| nearest(end.filter, filters.keys().copied()));
                let name = name.map(|filter| {
                    let pins = &filters[filter].pins;
                    let pin = pins.get_key_value(end.pin).map(|(pin, _)| *pin);
                    match pin.or_else(|| nearest(end.pin, pins.keys().copied())) {
                        Some(pin) => format!("{filter}.{pin}"),
                        None => filter.to_owned(),
                    }
                });
                (name, format!("there is no filter `{}`", excerpt(end.filter)))
            }
        };
        let problem =
            Problem::new(end.span, format!("there is no pin `{}.{}`", excerpt(end.filter), excerpt(end.pin)), label);
        match name {
            Some(name) => problem.help(format!("did you mean `{name}`?")),
            None => problem.help("pins are named `filter.pin`, as in [filter.NAME] and pin.NAME"),
        }
    });
    None
}

/// `what`: what goes the other way, and from where to where.
fn check_direction(reader: &mut Reader<'_>, pin: &PinDraft, name: &str, span: Span, needed: Direction, what: &str) {
    let Some(found) = pin.direction.filter(|found| *found != needed) else { return };
    let word = |direction| match direction {
        Direction::In => "an in pin",
        Direction::Out => "an out pin",
    };
    let key = pin.key;
    reader.report(|| {
        let message = format!("`{}` is {}", excerpt(name), word(found));
        Problem::new(span, message, format!("expected {}", word(needed))).note(key, "declared here").help(what)
    });
}

/// Checks that routes join pins of their filter that exist, in to out, each pair once.
pub(super) fn check_routes<'d>(reader: &mut Reader<'d>, filters: &Filters<'d>) {
    for filter in filters.values() {
        let mut seen: BTreeMap<(&str, &str), Span> = BTreeMap::new();
        for route in &filter.routes {
            for (name, direction) in [(route.from, Direction::In), (route.to, Direction::Out)] {
                match filter.pins.get(name.text) {
                    Some(pin) => {
                        let way = "a route goes from an in pin to an out pin";
                        check_direction(reader, pin, name.text, name.span, direction, way);
                    }
                    None => reader.report(|| {
                        let message =
                            format!("the filter `{}` has no pin `{}`", excerpt(filter.name.text), excerpt(name.text));
                        let problem = Problem::new(name.span, message, "expected a pin of this filter");
                        match nearest(name.text, filter.pins.keys().copied()) {
                            Some(known) => problem.help(format!("did you mean `{known}`?")),
                            None => problem,
                        }
                    }),
                }
            }
            if let Some(first) = seen.insert((route.from.text, route.to.text), route.span) {
                reader.report(|| {
                    let message = format!("two routes from `{}` to `{}`", route.from.text, route.to.text);
                    Problem::new(route.span, message, "here again").note(first, "the first")
                });
            }
        }
        for (_, to, kind, span) in filter.effective_routes() {
            let compression = filter.pins.get(to).and_then(|pin| pin.compression.as_ref());
            let Some(at) = compression.filter(|at| kind == RouteKind::Either && at.value.is_stated()) else { continue };
            reader.report(|| {
                let message = "a compression on a pin whose route is `either`, which keeps the size";
                let problem = Problem::new(at.span, message, "expected none here, or a route `copy`");
                match span {
                    Some(span) => problem.note(span, "the route"),
                    None => problem.help(
                        "the filter states no route, and an item of its in pin says `inplace-modifier`: that is `either`",
                    ),
                }
            });
        }
    }
}
