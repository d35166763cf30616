//! The file as a whole: its filters read one after the other, checked against each other, and made into a graph.

use super::connect;
use super::draft::{ConnectionDraft, End, FilterDraft, Filters, Memories};
use super::keys;
use super::memory;
use super::pin;
use super::reader::{Fields, Problem, Reader, Text, Value, key_text};
use super::run::{self, PathUse};
use super::suggest::excerpt;
use super::{FileText, GraphFile, PinPlace};
use crate::finding::{Span, Subject, codes};
use crate::graph::{Bridges, Connection, Graph, Mode, PinId, Restart, Route, Strategy};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use toml::de::DeTable;

/// A graph file as written: its filters, their connections, and the rest.
pub(super) struct Document<'d> {
    strategy: Strategy,
    bridges: Bridges,
    memories: Memories<'d>,
    filters: Filters<'d>,
    connections: Vec<ConnectionDraft<'d>>,
}

impl<'d> Document<'d> {
    /// Reads all of it, and checks its parts against each other.
    pub(super) fn read(
        reader: &mut Reader<'d>,
        text: &str,
        table: &'d toml::Spanned<DeTable<'d>>,
        base: &Path,
        standard_input: bool,
    ) -> Self {
        let file = reader.fields(table.get_ref(), &keys::FILE, Span { start: 0, end: 0 });
        let strategy = file.get("strategy").and_then(|value| reader.word(value, "strategy", &Strategy::ALL));
        let bridges = file.get("bridges").and_then(|value| reader.word(value, "bridges", &keys::BRIDGES));
        let memories = file.get("memory").map(|value| memory::read(reader, value)).unwrap_or_default();
        let mut filters = Filters::new();
        let mut paths = Vec::new();
        let expected = "tables named by the filters: [filter.NAME]";
        if let Some(value) = file.get("filter") {
            for (key, value) in reader.names(value, "`filter`", expected).into_iter().flatten() {
                let name = key_text(key);
                let (filter, path) = read_filter(reader, &memories, base, name, value);
                filters.insert(name.text, filter);
                paths.extend(path);
            }
        } else {
            let end = text.len();
            reader.report(|| {
                Problem::new(Span { start: end, end }, "a graph without a filter", "expected a [filter.NAME]")
                    .help("docs/graph-file.md has an example to start from")
            });
        }
        let connections = file.get("connections").map(|value| connect::read_connections(reader, value));
        let connections = connections.unwrap_or_default();
        connect::check_connections(reader, &filters, &connections);
        connect::check_routes(reader, &filters);
        check_paths(reader, paths, standard_input);
        Document {
            strategy: strategy.unwrap_or_default(),
            bridges: bridges.unwrap_or_default(),
            memories,
            filters,
            connections,
        }
    }

    /// The graph, where nothing is wrong.
    pub(super) fn build(self, reader: &mut Reader<'d>, source: &FileText, base: &Path) -> Option<GraphFile> {
        if reader.failed() {
            return None;
        }
        let mut builder = Graph::builder();
        builder.strategy(self.strategy).bridges(self.bridges);
        for (memory_type, memory) in &self.memories.by_type {
            builder.memory(*memory_type, memory.value.clone());
        }
        for (name, draft) in &self.filters {
            builder.filter(name).mode(draft.mode);
            if let Some(run) = &draft.run {
                builder.filter(name).run(run.value.clone());
            }
            if let Some(restart) = draft.process {
                builder.filter(name).process(restart);
            }
            for route in &draft.routes {
                builder.filter(name).route(route.from.text, route.to.text, route.kind.value);
            }
            for (pin_name, pin) in &draft.pins {
                let direction = pin.direction?;
                let mut built = builder.filter(name).pin(pin_name, direction).framing(pin.framing.clone());
                if let Some(compression) = &pin.compression {
                    built = built.compression(compression.value);
                }
                if let Some(holds) = &pin.holds {
                    built = built.holds(holds.value);
                }
                if let Some(bytes) = &pin.media_size {
                    built.media_size(bytes.value);
                }
            }
        }
        let full = |end: &End<'_>| format!("{}.{}", end.filter, end.pin);
        for connection in &self.connections {
            builder.connect(&full(&connection.from), &full(&connection.to));
        }
        match builder.build() {
            Ok(graph) => Some(self.with_places(graph, reader, source, base)),
            Err(error) => {
                // The checks above know the same rules and places; this is for a rule they do not know.
                let start = Span { start: 0, end: 0 };
                reader.report(|| Problem::new(start, error.to_string(), "somewhere in this file"));
                None
            }
        }
    }

    fn with_places(self, graph: Graph, reader: &mut Reader<'d>, source: &FileText, base: &Path) -> GraphFile {
        // Drafts and graph have the same order: by filter name, then pin name, in byte order.
        let mut ids: BTreeMap<(&str, &str), PinId> = BTreeMap::new();
        let names = self.filters.iter().flat_map(|(name, filter)| filter.pins.keys().map(move |pin| (*name, *pin)));
        ids.extend(names.zip(graph.pin_ids()));
        let find = |filter: &'d str, pin: &'d str| ids.get(&(filter, pin)).copied();
        let mut connections = BTreeMap::new();
        for draft in &self.connections {
            if let (Some(from), Some(to)) =
                (find(draft.from.filter, draft.from.pin), find(draft.to.filter, draft.to.pin))
            {
                connections.insert(Connection { from, to }, draft.span);
            }
        }
        let mut routes = BTreeMap::new();
        for (name, filter) in &self.filters {
            for draft in &filter.routes {
                if let (Some(from), Some(to)) = (find(name, draft.from.text), find(name, draft.to.text)) {
                    routes.insert(Route { from, to, kind: draft.kind.value }, draft.span);
                }
            }
        }
        let mut findings = std::mem::take(&mut reader.findings);
        // Of one place in the order they were found.
        findings.sort_by_key(|finding| finding.span);
        let pins = self.filters.values().flat_map(|filter| filter.pins.values());
        let pins = pins.map(|pin| PinPlace { key: pin.key, items: pin.items.clone() }).collect();
        let filters = self.filters.values().map(|filter| filter.name.span).collect();
        let written = None;
        let (source, base) = (source.clone(), base.to_owned());
        GraphFile { graph, source, written, base, filters, pins, connections, routes, findings }
    }
}

fn read_filter<'d>(
    reader: &mut Reader<'d>,
    memories: &Memories<'d>,
    base: &Path,
    name: Text<'d>,
    value: &'d Value<'d>,
) -> (FilterDraft<'d>, Option<PathUse>) {
    reader.check_name(name, "filter");
    let mut filter = FilterDraft {
        name,
        mode: Mode::User,
        pins: BTreeMap::new(),
        routes: Vec::new(),
        run: None,
        process: None,
        broken: false,
    };
    let Some(fields) = reader.table(value, &keys::FILTER, "a filter") else {
        filter.broken = true;
        return (filter, None);
    };
    if let Some(value) = fields.get("mode") {
        filter.mode = reader.word(value, "mode", &keys::MODES).unwrap_or_default();
    }
    match fields.get("pin") {
        Some(value) => match reader.names(value, "`pin`", "tables named by the pins: pin.NAME = { ... }") {
            Some(pins) => {
                for (key, value) in pins {
                    let name = key_text(key);
                    let pin = pin::read(reader, memories, base, filter.name.text, name, value);
                    filter.broken |= pin.direction.is_none();
                    filter.pins.insert(name.text, pin);
                }
            }
            None => filter.broken = true,
        },
        None => {
            let message = format!("the filter `{}` has no pins, so it does nothing", excerpt(name.text));
            reader.finding(
                &codes::NO_PINS,
                Subject::default(),
                name.span,
                message,
                "add pins: pin.NAME = { direction = \"in\" }",
            );
        }
    }
    if let Some(value) = fields.get("routes") {
        match connect::read_routes(reader, value) {
            Some(routes) => filter.routes = routes,
            None => filter.broken = true,
        }
    }
    filter.process = read_process(reader, &fields);
    let run = fields.entry("run").and_then(|(key, value)| run::read(reader, base, &mut filter, key, value));
    (filter, run)
}

/// Whether a filter runs in a process of its own, and what becomes of it when that dies.
fn read_process<'d>(reader: &mut Reader<'d>, fields: &Fields<'d>) -> Option<Restart> {
    let process = fields.get("process").map(|value| reader.boolean(value, "`process`"));
    let restart = fields.entry("restart").map(|(key, value)| (key, reader.word(value, "restart", &keys::RESTARTS)));
    if let (None | Some(Some(false)), Some((key, _))) = (process, restart) {
        reader.report(|| {
            let message = "`restart` of a filter without a process of its own";
            Problem::new(key, message, "there is no process to start again").help("add `process = true`")
        });
    }
    let restart = restart.and_then(|(_, restart)| restart).unwrap_or_default();
    (process == Some(Some(true))).then_some(restart)
}

/// A file is written by one filter at most, and not read by another at the same time; standard input has one reader.
fn check_paths(reader: &mut Reader<'_>, paths: Vec<PathUse>, standard_input: bool) {
    let mut uses: BTreeMap<PathBuf, PathUse> = BTreeMap::new();
    for path in paths {
        let stream = path.path.as_os_str() == "-";
        if stream && !path.writes && standard_input {
            reader.report(|| {
                Problem::new(path.span, "standard input is the graph file itself", "expected another path")
                    .help("give the graph as a file, or the media")
            });
        }
        // Standard input and output are two things under one name.
        let key = if stream && path.writes { PathBuf::from("- (output)") } else { path.path.clone() };
        let Some(first) = uses.get(&key) else {
            uses.insert(key, path);
            continue;
        };
        let message = match (first.writes || path.writes, stream) {
            (true, true) => "two filters write to standard output",
            (false, true) => "two filters read standard input",
            (true, false) if first.writes && path.writes => "two filters write this file",
            (true, false) => "one filter reads the file that another writes",
            (false, false) => continue,
        };
        let other = first.span;
        reader.report(|| Problem::new(path.span, message, "expected another path").note(other, "the other filter's"));
    }
}
