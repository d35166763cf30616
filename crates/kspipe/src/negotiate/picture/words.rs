//! What a picture says, before anything in it has a place: of each pin, connection, route and pipe a few words, and what
//! it is drawn as. The same words go into SVG and DOT.

use super::text::{short_bytes, shown};
use crate::graph::{FilterId, Graph, Mode, PinId, RouteKind};
use crate::negotiate::describe::{Description, Reason, count, grouped, memory_name};
use crate::negotiate::{AllocatorKind, Bridge, NegotiateError, Pipe, PipeId, Plan};
use std::collections::HashMap;

/// How many colours pipes have. Pipes that touch have different ones, as far as these suffice.
pub(super) const COLOURS: usize = 8;
/// Pipes, and copies, listed at most.
pub(super) const MOST_LISTED: usize = 48;
/// Pipes inside one filter that its box tells of at most.
const MOST_INSIDE: usize = 3;

/// What an arrow between filters, or a line through one, is drawn as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// The frame itself goes on.
    Shared(PipeId),
    /// The frame itself goes on, written into on the way.
    Written(PipeId),
    /// The frame is copied.
    Copied,
    /// There is no plan that says.
    Unplanned,
    /// It is part of why there is no plan.
    Conflict,
}

/// A connection, or a route.
#[derive(Clone, Debug)]
pub(super) struct LineWords {
    pub(super) line: Line,
    /// A few words over it, and under it.
    pub(super) above: String,
    pub(super) below: String,
    /// All of it: the tool tip.
    pub(super) title: String,
    /// It leads from kernel mode to user mode, or back.
    pub(super) crosses: bool,
}

/// What a pin is in the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It shares a pipe's frames.
    Shares(PipeId),
    /// It allocates them, or the default allocator is made on its handle.
    Allocates(PipeId),
    /// There is no plan.
    Unplanned,
    /// It is part of why there is none; its number in the list below the picture, from 1.
    Conflict(usize),
}

#[derive(Clone, Debug)]
pub(super) struct PinWords {
    pub(super) role: Role,
    pub(super) name: String,
    /// A word beside the name.
    pub(super) tag: &'static str,
    pub(super) title: String,
    pub(super) connected: bool,
}

/// A pipe in the legend.
#[derive(Clone, Debug)]
pub(super) struct PipeWords {
    pub(super) colour: usize,
    pub(super) text: String,
}

/// One thing under the picture: what it is about, and what there is to say.
#[derive(Clone, Debug)]
pub(super) struct Note {
    /// The number at the pin it is about.
    pub(super) number: Option<usize>,
    pub(super) text: String,
}

/// All that a picture says.
#[derive(Debug)]
pub(super) struct Words<'a> {
    pub(super) graph: &'a Graph,
    pub(super) headline: String,
    /// The picture in words, for who cannot see it.
    pub(super) description: String,
    pub(super) is_plan: bool,
    /// By pin, connection, route, filter, pipe.
    pub(super) pins: Vec<PinWords>,
    pub(super) connections: Vec<LineWords>,
    pub(super) routes: Vec<LineWords>,
    /// Pipes that are nowhere but in this filter, and so on no arrow.
    pub(super) inside: Vec<Vec<(Option<PipeId>, String)>>,
    pub(super) pipes: Vec<PipeWords>,
    pub(super) notes_title: &'static str,
    pub(super) notes: Vec<Note>,
}

impl<'a> Words<'a> {
    /// Of a graph and its plan.
    pub(super) fn of_plan(graph: &'a Graph, plan: &Plan) -> Self {
        let description = Description::new(graph, plan);
        let bridges: HashMap<(PinId, PinId), &Bridge> =
            plan.bridges.iter().map(|bridge| ((bridge.connection.from, bridge.connection.to), bridge)).collect();
        let told_at = pipes_on_arrows(graph, plan, &bridges);
        let connections = graph
            .connections()
            .iter()
            .enumerate()
            .map(|(place, connection)| {
                let ends = format!("{} -> {}", graph.pin_name(connection.from), graph.pin_name(connection.to));
                let crosses = graph.mode(connection.from) != graph.mode(connection.to);
                let side = if crosses { " across the user / kernel boundary" } else { "" };
                match bridges.get(&(connection.from, connection.to)) {
                    Some(bridge) => {
                        let reasons = description.bridge_reasons(bridge);
                        let why = sentence(graph, &reasons);
                        LineWords {
                            line: Line::Copied,
                            above: format!("copy {}", short_bytes(bridge.bytes)),
                            below: in_short(&reasons).to_owned(),
                            title: format!(
                                "{ends}: a bridge, copies {} a frame{side}. {why}",
                                count(bridge.bytes, "byte")
                            ),
                            crosses,
                        }
                    }
                    None => {
                        let id = plan.pipe_of[connection.from.index()];
                        let is_told = told_at[id.index()] == Some(place);
                        let (above, below) = if is_told { pipe_in_short(graph, plan, id) } else { Default::default() };
                        let title = format!("{ends}: pipe {}{side}", id.0);
                        LineWords { line: Line::Shared(id), above, below, title, crosses }
                    }
                }
            })
            .collect();
        let mut words = Words {
            graph,
            headline: headline(plan),
            description: String::new(),
            is_plan: true,
            pins: pins_of_plan(graph, plan),
            connections,
            routes: routes_of_plan(graph, plan),
            inside: inside(graph, plan, &told_at),
            pipes: Vec::new(),
            notes_title: "Where frames are copied, and why",
            notes: notes_of_plan(graph, plan, &description),
        };
        let colours = colours(graph, plan);
        words.pipes = plan
            .pipes
            .iter()
            .zip(colours)
            .map(|(pipe, colour)| PipeWords { colour, text: pipe_text(graph, pipe) })
            .collect();
        words.description = words.told();
        words
    }

    /// Of a graph that has no plan.
    pub(super) fn of_error(graph: &'a Graph, error: &NegotiateError) -> Self {
        let (pins, cycle): (&[PinId], bool) = match error {
            NegotiateError::Infeasible(infeasible) => (&infeasible.pins, false),
            NegotiateError::Cycle(pins) => (pins, true),
            NegotiateError::Undecided { .. } => (&[], false),
        };
        let numbers: HashMap<PinId, usize> = pins.iter().enumerate().map(|(place, pin)| (*pin, place + 1)).collect();
        // Of a cycle, each pin leads to the next one.
        let is_next = |from: PinId, to: PinId| {
            let (Some(first), Some(second)) = (numbers.get(&from), numbers.get(&to)) else { return false };
            cycle && first % pins.len() + 1 == *second
        };
        let line = |from: PinId, to: PinId, what: &str| {
            let line = if is_next(from, to) { Line::Conflict } else { Line::Unplanned };
            let crosses = graph.mode(from) != graph.mode(to);
            let title = format!("{} -> {}{what}", graph.pin_name(from), graph.pin_name(to));
            LineWords { line, above: String::new(), below: String::new(), title, crosses }
        };
        let words = graph.pin_ids().map(|pin| {
            let number = numbers.get(&pin).copied();
            PinWords {
                role: number.map_or(Role::Unplanned, Role::Conflict),
                name: shown(graph.pin(pin).name()),
                tag: side_tag(graph, pin),
                title: graph.pin_name(pin),
                connected: graph.pin(pin).peer().is_some(),
            }
        });
        let routes = graph.routes().iter().map(|route| {
            let words = line(route.from, route.to, &format!(": {}", route.kind));
            LineWords { above: route_word(route.kind).to_owned(), crosses: false, ..words }
        });
        let mut words = Words {
            graph,
            headline: "There is no plan for this graph".to_owned(),
            description: error.describe(graph),
            is_plan: false,
            pins: words.collect(),
            connections: graph.connections().iter().map(|c| line(c.from, c.to, "")).collect(),
            routes: routes.collect(),
            inside: vec![Vec::new(); graph.filters().len()],
            pipes: Vec::new(),
            notes_title: "What cannot be had at once",
            notes: Vec::new(),
        };
        match error {
            NegotiateError::Infeasible(infeasible) => {
                for (pin, ask) in &infeasible.asks {
                    let text = format!("{}: {ask}", graph.pin_name(*pin));
                    words.notes.push(Note { number: numbers.get(pin).copied(), text });
                }
                words.notes.push(Note { number: None, text: format!("What helps: {}", infeasible.help) });
            }
            NegotiateError::Cycle(_) => {
                words.notes_title = "Frames cannot go round";
                words.notes.push(Note { number: None, text: error.describe(graph) });
            }
            NegotiateError::Undecided { .. } => {
                words.headline = "No plan was found; there may be one".to_owned();
                words.notes_title = "The search came to its limit";
                words.notes.push(Note { number: None, text: error.describe(graph) });
            }
        }
        words
    }

    /// The colour of a pipe: its place among [`COLOURS`].
    pub(super) fn colour(&self, pipe: PipeId) -> usize {
        self.pipes.get(pipe.index()).map_or(0, |pipe| pipe.colour)
    }

    /// The pipes and copies in words.
    fn told(&self) -> String {
        let mut text = format!("{}.", self.headline);
        for (place, pipe) in self.pipes.iter().enumerate().take(MOST_LISTED) {
            text.push_str(&format!("\nPipe {place}: {}.", pipe.text));
        }
        if self.pipes.len() > MOST_LISTED {
            text.push_str(&format!("\nAnd {} more pipes.", self.pipes.len() - MOST_LISTED));
        }
        for note in &self.notes {
            text.push_str(&format!("\n{}", note.text));
        }
        text
    }
}

fn headline(plan: &Plan) -> String {
    let copied = count(plan.cost.bytes_copied, "byte");
    format!(
        "{}: {}, {}, {copied} copied a frame",
        plan.strategy,
        count(plan.pipes.len() as u64, "pipe"),
        count(plan.bridges.len() as u64, "bridge")
    )
}

/// By pipe: the first connection that is its, which has room for a few words.
fn pipes_on_arrows(graph: &Graph, plan: &Plan, bridges: &HashMap<(PinId, PinId), &Bridge>) -> Vec<Option<usize>> {
    let by_giver: HashMap<PinId, usize> =
        graph.connections().iter().enumerate().map(|(place, connection)| (connection.from, place)).collect();
    let shared = |pin: &PinId| {
        let place = *by_giver.get(pin)?;
        let connection = graph.connections()[place];
        (!bridges.contains_key(&(connection.from, connection.to))).then_some(place)
    };
    plan.pipes.iter().map(|pipe| pipe.pins.iter().find_map(shared)).collect()
}

/// By filter: the pipes that lie in it alone.
fn inside(graph: &Graph, plan: &Plan, told_at: &[Option<usize>]) -> Vec<Vec<(Option<PipeId>, String)>> {
    let mut inside = vec![Vec::new(); graph.filters().len()];
    for (place, pipe) in plan.pipes.iter().enumerate() {
        let id = PipeId(place as u32);
        let (None, Some(first)) = (told_at[place], pipe.pins.first()) else { continue };
        let (above, below) = pipe_in_short(graph, plan, id);
        inside[graph.pin(*first).filter().index()].push((Some(id), format!("{above} {below}")));
    }
    for pipes in &mut inside {
        if pipes.len() > MOST_INSIDE {
            let more = pipes.len() - (MOST_INSIDE - 1);
            pipes.truncate(MOST_INSIDE - 1);
            pipes.push((None, format!("and {more} more pipes")));
        }
    }
    inside
}

/// Frames and their size; their memory.
fn pipe_in_short(graph: &Graph, plan: &Plan, id: PipeId) -> (String, String) {
    let pipe = &plan.pipes[id.index()];
    let numbers = format!("{} × {}", grouped(pipe.frames), short_bytes(pipe.frame_size));
    let name = memory_name(graph, pipe.memory_type);
    // A GUID says nothing at a glance.
    let name = if name.starts_with('{') { "device".to_owned() } else { shown(&name) };
    (numbers, name)
}

fn pipe_text(graph: &Graph, pipe: &Pipe) -> String {
    let allocator = match (pipe.allocator.kind, pipe.allocator.pin) {
        (AllocatorKind::Default, None) => "default allocator".to_owned(),
        (AllocatorKind::Default, Some(pin)) => format!("default allocator on {}", full_name(graph, pin)),
        (kind, Some(pin)) => format!("{} allocates ({})", full_name(graph, pin), kind.name()),
        (kind, None) => format!("{} allocator", kind.name()),
    };
    format!(
        "{} memory, {} × {}, aligned to {}, {allocator}",
        memory_name(graph, pipe.memory_type),
        grouped(pipe.frames),
        count(pipe.frame_size, "byte"),
        grouped(pipe.alignment),
    )
}

/// `filter.pin`, each as it is drawn.
fn full_name(graph: &Graph, pin: PinId) -> String {
    let pin = graph.pin(pin);
    format!("{}.{}", shown(graph.filter(pin.filter()).name()), shown(pin.name()))
}

/// The side of a pin where it is not its filter's.
fn side_tag(graph: &Graph, pin: PinId) -> &'static str {
    match graph.mode(pin) {
        mode if mode == graph.filter(graph.pin(pin).filter()).mode() => "",
        Mode::Kernel => "kernel",
        Mode::User => "user",
    }
}

fn pins_of_plan(graph: &Graph, plan: &Plan) -> Vec<PinWords> {
    let mut pins: Vec<PinWords> = graph
        .pin_ids()
        .map(|pin| {
            let id = plan.pipe_of[pin.index()];
            PinWords {
                role: Role::Shares(id),
                name: shown(graph.pin(pin).name()),
                tag: side_tag(graph, pin),
                title: format!("{}: pipe {}", graph.pin_name(pin), id.0),
                connected: graph.pin(pin).peer().is_some(),
            }
        })
        .collect();
    for (place, pipe) in plan.pipes.iter().enumerate() {
        let Some(pin) = pipe.allocator.pin else { continue };
        let words = &mut pins[pin.index()];
        words.role = Role::Allocates(PipeId(place as u32));
        let (tag, title) = match pipe.allocator.kind {
            AllocatorKind::Default => ("default", "; the default allocator is made on its handle".to_owned()),
            kind => ("allocates", format!("; allocates ({})", kind.name())),
        };
        words.tag = tag;
        words.title.push_str(&title);
    }
    for pin in pins.iter_mut().filter(|pin| !pin.connected) {
        pin.title.push_str("; not connected");
    }
    pins
}

fn route_word(kind: RouteKind) -> &'static str {
    match kind {
        RouteKind::Pass => "",
        RouteKind::InPlace => "in place",
        RouteKind::Copy => "copy",
        RouteKind::Either => "either",
    }
}

fn routes_of_plan(graph: &Graph, plan: &Plan) -> Vec<LineWords> {
    let copies: HashMap<(PinId, PinId), u64> =
        plan.copies.iter().map(|copy| ((copy.route.from, copy.route.to), copy.bytes)).collect();
    graph
        .routes()
        .iter()
        .map(|route| {
            let names = format!("{} -> {}", graph.pin(route.from).name(), graph.pin(route.to).name());
            let id = plan.pipe_of[route.from.index()];
            let (line, above, title) = match (copies.get(&(route.from, route.to)), route.kind) {
                (Some(bytes), kind) => {
                    let title = format!("{names}: {kind}, copies {} a frame", count(*bytes, "byte"));
                    (Line::Copied, "copy", title)
                }
                (None, RouteKind::Pass) => (Line::Shared(id), "", format!("{names}: pass")),
                (None, kind) => (Line::Written(id), "in place", format!("{names}: {kind}, writes into the frame")),
            };
            LineWords { line, above: above.to_owned(), below: String::new(), title, crosses: false }
        })
        .collect()
}

/// Why a bridge is one, in two or three words, by the rule that its reasons rest on.
fn in_short(reasons: &[Reason]) -> &'static str {
    let says = |words: &str| reasons.iter().any(|reason| reason.text.starts_with(words));
    match reasons.first().map(|reason| reason.rule) {
        Some(2) if says("requires to allocate in the kernel") => "kernel allocates",
        Some(2) => "no common memory",
        Some(3) => "sizes differ",
        Some(6) => "two must allocate",
        Some(7) => "shared frames",
        Some(1) if says("frames are copied") => "copied elsewhere",
        _ => "cheapest here",
    }
}

/// Reasons in one line.
fn sentence(graph: &Graph, reasons: &[Reason]) -> String {
    let each = reasons.iter().map(|reason| match reason.pin {
        Some(pin) => format!("{}: {}", graph.pin_name(pin), reason.text),
        None => reason.text.clone(),
    });
    each.collect::<Vec<_>>().join("; ")
}

fn notes_of_plan(graph: &Graph, plan: &Plan, description: &Description<'_>) -> Vec<Note> {
    let mut notes: Vec<Note> = plan
        .bridges
        .iter()
        .take(MOST_LISTED / 2)
        .map(|bridge| {
            let connection = bridge.connection;
            let text = format!(
                "{} → {}, {}: {}",
                graph.pin_name(connection.from),
                graph.pin_name(connection.to),
                count(bridge.bytes, "byte"),
                sentence(graph, &description.bridge_reasons(bridge))
            );
            Note { number: None, text }
        })
        .collect();
    let more = plan.bridges.len().saturating_sub(MOST_LISTED / 2);
    if more > 0 {
        notes.push(Note { number: None, text: format!("and {} more bridges", grouped(more as u64)) });
    }
    notes
}

/// By pipe: its colour. Pipes that meet at a bridge, a copy or a filter get different ones where there are enough.
fn colours(graph: &Graph, plan: &Plan) -> Vec<usize> {
    let mut meets: Vec<Vec<u32>> = vec![Vec::new(); plan.pipes.len()];
    let mut meet = |one: PipeId, other: PipeId| {
        if one != other {
            meets[one.index()].push(other.0);
            meets[other.index()].push(one.0);
        }
    };
    for connection in graph.connections() {
        meet(plan.pipe_of[connection.from.index()], plan.pipe_of[connection.to.index()]);
    }
    for filter in 0..graph.filters().len() {
        let pins: Vec<PinId> = graph.filter(FilterId(filter as u32)).pins().collect();
        for pair in pins.windows(2) {
            meet(plan.pipe_of[pair[0].index()], plan.pipe_of[pair[1].index()]);
        }
    }
    for route in graph.routes() {
        meet(plan.pipe_of[route.from.index()], plan.pipe_of[route.to.index()]);
    }
    let mut colours: Vec<usize> = Vec::with_capacity(plan.pipes.len());
    for (place, around) in meets.iter().enumerate() {
        let mut taken = [false; COLOURS];
        for other in around.iter().filter(|other| (**other as usize) < place) {
            taken[colours[*other as usize]] = true;
        }
        let own = (0..COLOURS).map(|step| (place + step) % COLOURS).find(|colour| !taken[*colour]);
        colours.push(own.unwrap_or(place % COLOURS));
    }
    colours
}
