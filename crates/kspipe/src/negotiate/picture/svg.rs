//! A plan as SVG: one self-contained picture, for light and dark backgrounds.

use super::layout::{FilterBox, HEADER, LETTER, Layout, shown, text_width};
use super::short_bytes;
use crate::graph::{FilterId, Graph, Mode, PinId, Route, RouteKind};
use crate::negotiate::describe::{grouped, memory_name};
use crate::negotiate::{AllocatorKind, Bridge, Pipe, PipeId, Plan, RouteChoice};
use std::collections::HashMap;
use std::fmt::Write as _;

/// Colours of pipes, on light and on dark backgrounds; used again after the last.
const COLOURS: [(&str, &str); 8] = [
    ("#1d6fd1", "#6aa9ff"),
    ("#15803d", "#4ade80"),
    ("#7c3aed", "#b79bff"),
    ("#0e7490", "#4fd1e0"),
    ("#be185d", "#ff7ab8"),
    ("#7a6a00", "#d6c34a"),
    ("#4338ca", "#98a2ff"),
    ("#8a4b20", "#d9a27a"),
];

/// Everything else: class, property, light, dark.
const STYLES: [(&str, &str, &str, &str); 8] = [
    ("ground", "fill", "#ffffff", "#14171c"),
    ("box", "fill", "#f6f7f9", "#20252d"),
    ("box", "stroke", "#9aa3af", "#5b6573"),
    ("kernel", "fill", "#e4e7ec", "#323a46"),
    ("text", "fill", "#1b1f24", "#e6e9ee"),
    ("faint", "fill", "#626b78", "#98a2b0"),
    ("cut-line", "stroke", "#d9480f", "#ff9a5c"),
    ("cut-text", "fill", "#c2410c", "#ffa870"),
];

/// Pipes listed in the legend at most.
const LEGEND: usize = 48;
const LEGEND_ROW: f64 = 20.0;
const LEGEND_WIDTH: f64 = 640.0;

/// A plan as an SVG document. Names and numbers that do not fit are in tool tips.
pub fn plan_svg(graph: &Graph, plan: &Plan) -> String {
    Drawing::new(graph, plan).draw()
}

struct Drawing<'a> {
    graph: &'a Graph,
    plan: &'a Plan,
    layout: Layout,
    bridges: HashMap<(PinId, PinId), &'a Bridge>,
    copies: HashMap<(PinId, PinId), &'a RouteChoice>,
    allocating: HashMap<PinId, PipeId>,
    /// By pin: how many routes start or end there.
    routes_at: Vec<u32>,
    svg: String,
}

/// Appends formatted text; writing to a `String` does not fail.
macro_rules! put {
    ($to:expr, $($arguments:tt)*) => {{ let _ = write!($to, $($arguments)*); }};
}

impl<'a> Drawing<'a> {
    fn new(graph: &'a Graph, plan: &'a Plan) -> Self {
        let ends = |bridge: &'a Bridge| ((bridge.connection.from, bridge.connection.to), bridge);
        let allocating = plan.pipes.iter().enumerate();
        let mut routes_at = vec![0u32; graph.pins().len()];
        for pin in graph.routes().iter().flat_map(|route| [route.from, route.to]) {
            routes_at[pin.index()] = routes_at[pin.index()].saturating_add(1);
        }
        Drawing {
            graph,
            plan,
            layout: Layout::of(graph),
            bridges: plan.bridges.iter().map(ends).collect(),
            copies: plan.copies.iter().map(|copy| ((copy.route.from, copy.route.to), copy)).collect(),
            allocating: allocating
                .filter_map(|(place, pipe)| Some((pipe.allocator.pin?, PipeId(place as u32))))
                .collect(),
            routes_at,
            svg: String::new(),
        }
    }

    fn draw(mut self) -> String {
        let legend_y = self.layout.height;
        let width = self.layout.width.max(LEGEND_WIDTH);
        let columns = if self.plan.pipes.len() > 6 { (width / LEGEND_WIDTH) as usize } else { 1 };
        let shown = self.plan.pipes.len().min(LEGEND);
        let rows = 2 + shown.div_ceil(columns.max(1)) + usize::from(self.plan.pipes.len() > LEGEND);
        let height = legend_y + rows as f64 * LEGEND_ROW + 8.0;
        put!(
            self.svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"kspipe-plan\" role=\"img\" width=\"{width:.0}\" \
             height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\">\n<title>{}</title>\n",
            escape(&self.summary())
        );
        self.style();
        put!(self.svg, "<rect class=\"ground\" width=\"{width:.0}\" height=\"{height:.0}\" rx=\"8\"/>\n");
        // A graph narrower than its legend stands in the middle.
        let shift = ((width - self.layout.width) / 2.0).floor();
        put!(self.svg, "<g transform=\"translate({shift:.0} 0)\">\n");
        for place in 0..self.graph.connections().len() {
            self.connection(place);
        }
        for place in 0..self.graph.filters().len() {
            self.filter(place);
        }
        self.svg.push_str("</g>\n");
        self.legend(legend_y, columns.max(1));
        self.svg.push_str("</svg>\n");
        self.svg
    }

    fn summary(&self) -> String {
        let count = |number: usize, noun: &str| format!("{number} {noun}{}", if number == 1 { "" } else { "s" });
        format!(
            "{}: {}, {}, {} bytes copied a frame",
            self.plan.strategy,
            count(self.plan.pipes.len(), "pipe"),
            count(self.plan.bridges.len(), "bridge"),
            grouped(self.plan.cost.bytes_copied)
        )
    }

    fn style(&mut self) {
        let svg = &mut self.svg;
        svg.push_str(
            "<style>\n\
             .kspipe-plan text { font: 12px system-ui, -apple-system, \"Segoe UI\", \"DejaVu Sans\", sans-serif; }\n\
             .kspipe-plan .name { font-weight: 600; font-size: 13px; }\n\
             .kspipe-plan .pin { font: 11px ui-monospace, \"DejaVu Sans Mono\", monospace; }\n\
             .kspipe-plan .small { font-size: 10px; }\n\
             .kspipe-plan .number { font-size: 9px; font-weight: 700; text-anchor: middle; }\n\
             .kspipe-plan .middle { text-anchor: middle; }\n\
             .kspipe-plan .end { text-anchor: end; }\n\
             .kspipe-plan .line { fill: none; stroke-width: 2px; }\n\
             .kspipe-plan .cut-line { fill: none; stroke-width: 2px; stroke-dasharray: 6 4; }\n\
             .kspipe-plan .thin { stroke-width: 1.4px; }\n\
             .kspipe-plan .whole { stroke-dasharray: none; }\n\
             .kspipe-plan .ring { stroke-width: 1.5px; }\n",
        );
        let theme = |svg: &mut String, dark: bool| {
            for (place, (on_light, on_dark)) in COLOURS.iter().enumerate() {
                let colour = if dark { on_dark } else { on_light };
                put!(
                    svg,
                    ".kspipe-plan .s{place} {{ stroke: {colour}; }} .kspipe-plan .f{place} {{ fill: {colour}; }}\n"
                );
            }
            for (class, property, on_light, on_dark) in STYLES {
                let colour = if dark { on_dark } else { on_light };
                put!(svg, ".kspipe-plan .{class} {{ {property}: {colour}; }}\n");
            }
        };
        theme(svg, false);
        svg.push_str("@media (prefers-color-scheme: dark) {\n");
        theme(svg, true);
        svg.push_str("}\n</style>\n");
    }

    fn pipe_of(&self, pin: PinId) -> PipeId {
        self.plan.pipe_of[pin.index()]
    }

    fn connection(&mut self, place: usize) {
        let connection = self.graph.connections()[place];
        let Some(way) = self.layout.ways.get(place).cloned() else { return };
        let ends = format!("{} -> {}", self.graph.pin_name(connection.from), self.graph.pin_name(connection.to));
        let (x, y) = self.layout.pins[connection.to.index()];
        let head = format!("M{:.0} {:.1}L{:.0} {y:.1}L{:.0} {:.1}z", x - 12.0, y - 4.5, x - 4.0, x - 12.0, y + 4.5);
        if let Some(bridge) = self.bridges.get(&(connection.from, connection.to)) {
            let title = escape(&format!("{ends}: a bridge, copies {} bytes a frame", grouped(bridge.bytes)));
            let label = short_bytes(bridge.bytes);
            put!(
                self.svg,
                "<g><title>{title}</title><path class=\"cut-line\" d=\"{}\"/><path class=\"cut-text\" d=\"{head}\"/>",
                way.path
            );
            self.pill(way.middle, "cut-line whole", "cut-text", &label);
            self.svg.push_str("</g>\n");
            return;
        }
        let pipe = self.pipe_of(connection.from);
        let colour = colour(pipe);
        let title = escape(&format!("{ends}: pipe {}", pipe.0));
        put!(
            self.svg,
            "<g><title>{title}</title><path class=\"line s{colour}\" d=\"{}\"/><path class=\"f{colour}\" d=\"{head}\"/>",
            way.path
        );
        // The number tells pipes apart where colours do not.
        if self.plan.pipes.len() > 1 {
            self.pill(way.middle, &format!("line s{colour}"), "text", &pipe.0.to_string());
        }
        self.svg.push_str("</g>\n");
    }

    /// A few letters on an arrow.
    fn pill(&mut self, (x, y): (f64, f64), border: &str, class: &str, text: &str) {
        let half = 5.0 + text.chars().count() as f64 * 2.8;
        put!(
            self.svg,
            "<rect class=\"ground thin {border}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"14\" rx=\"7\"/>\
             <text class=\"{class} number\" x=\"{x:.1}\" y=\"{:.1}\">{text}</text>",
            x - half,
            y - 7.0,
            half * 2.0,
            y + 3.2
        );
    }

    fn filter(&mut self, place: usize) {
        let filter = self.graph.filter(FilterId(place as u32));
        let FilterBox { x, y, width, height } = self.layout.boxes[place].clone();
        put!(
            self.svg,
            "<g><title>{}, {} mode</title><rect class=\"box\" x=\"{x:.0}\" y=\"{y:.0}\" width=\"{width:.0}\" \
             height=\"{height:.0}\" rx=\"6\"/>",
            escape(filter.name()),
            filter.mode()
        );
        if filter.mode() == Mode::Kernel {
            put!(
                self.svg,
                "<path class=\"kernel\" d=\"M{:.1} {:.1}v-{:.1}a5 5 0 0 1 5 -5h{:.1}a5 5 0 0 1 5 5v{:.1}z\"/>",
                x + 0.7,
                y + HEADER - 2.0,
                HEADER - 7.7,
                width - 11.4,
                HEADER - 7.7
            );
        }
        put!(
            self.svg,
            "<text class=\"text name\" x=\"{:.0}\" y=\"{:.0}\">{}</text>\
             <text class=\"faint small end\" x=\"{:.0}\" y=\"{:.0}\">{}</text></g>\n",
            x + 10.0,
            y + 17.0,
            escape(&shown(filter.name())),
            x + width - 9.0,
            y + 16.0,
            filter.mode()
        );
        let routes = self.graph.routes();
        for pin in filter.pins() {
            let first = routes.partition_point(|route| route.from < pin);
            for route in routes[first..].iter().take_while(|route| route.from == pin) {
                self.route(*route, x, width);
            }
        }
        for pin in filter.pins() {
            self.pin(pin, x);
        }
    }

    /// A line inside the box, between the names of two pins.
    fn route(&mut self, route: Route, x: f64, width: f64) {
        let label_width = |pin: PinId| text_width(&shown(self.graph.pin(pin).name()), LETTER);
        let from = (x + 16.0 + label_width(route.from), self.layout.pins[route.from.index()].1);
        let to = (x + width - 16.0 - label_width(route.to), self.layout.pins[route.to.index()].1);
        let names = format!("{} -> {}", self.graph.pin(route.from).name(), self.graph.pin(route.to).name());
        let middle = (from.0 + to.0) / 2.0;
        let path = format!(
            "M{:.0} {:.0}C{middle:.0} {:.0} {middle:.0} {:.0} {:.0} {:.0}",
            from.0, from.1, from.1, to.1, to.0, to.1
        );
        // A word has room where no other route of the filter meets this one.
        let alone = [route.from, route.to].iter().all(|pin| self.routes_at[pin.index()] == 1);
        let (class, title, label, text_class) = match self.copies.get(&(route.from, route.to)) {
            Some(copy) => {
                let title = format!("{names}: {}, copies {} bytes a frame", route.kind, grouped(copy.bytes));
                ("cut-line thin".to_owned(), title, "copy", "cut-text")
            }
            None => {
                let label = match route.kind {
                    RouteKind::Pass => "",
                    _ => "in place",
                };
                let pipe = self.pipe_of(route.from);
                (format!("line thin s{}", colour(pipe)), format!("{names}: {}", route.kind), label, "faint")
            }
        };
        put!(self.svg, "<g><title>{}</title><path class=\"{class}\" d=\"{path}\"/>", escape(&title));
        if alone && !label.is_empty() && to.0 - from.0 > 40.0 {
            let y = (from.1 + to.1) / 2.0 - 4.0;
            put!(self.svg, "<text class=\"{text_class} small middle\" x=\"{middle:.0}\" y=\"{y:.0}\">{label}</text>");
        }
        self.svg.push_str("</g>\n");
    }

    fn pin(&mut self, pin: PinId, box_x: f64) {
        let (x, y) = self.layout.pins[pin.index()];
        let is_left = x <= box_x + 1.0;
        let pipe = self.pipe_of(pin);
        let colour = colour(pipe);
        let mut title = format!("{}: pipe {}", self.graph.pin_name(pin), pipe.0);
        let mut shape = format!("<circle class=\"f{colour}\" cx=\"{x:.0}\" cy=\"{y:.0}\" r=\"4\"/>");
        if let Some(allocates) = self.allocating.get(&pin) {
            let kind = self.plan.pipes[allocates.index()].allocator.kind;
            title = match kind {
                AllocatorKind::Default => format!("{title}; the default allocator is made on its handle"),
                _ => format!("{title}; allocates ({})", kind.name()),
            };
            shape = format!("{}{shape}", allocator_mark(x, y, colour));
        }
        let (text_x, class) = if is_left { (x + 10.0, "") } else { (x - 10.0, " end") };
        put!(
            self.svg,
            "<g><title>{}</title>{shape}<text class=\"text pin{class}\" x=\"{text_x:.0}\" y=\"{:.0}\">{}</text></g>\n",
            escape(&title),
            y + 4.0,
            escape(&shown(self.graph.pin(pin).name()))
        );
    }

    /// Below the graph: a line on the whole plan, what the marks mean, and each pipe.
    fn legend(&mut self, top: f64, columns: usize) {
        let mut y = top + 4.0;
        put!(self.svg, "<text class=\"text name\" x=\"24\" y=\"{y:.0}\">{}</text>\n", escape(&self.summary()));
        y += LEGEND_ROW;
        put!(
            self.svg,
            "<path class=\"cut-line\" d=\"M24 {0:.0}h26\"/><text class=\"faint\" x=\"60\" y=\"{y:.0}\">frames are copied, \
             so many bytes each</text>{1}<circle class=\"f0\" cx=\"318\" cy=\"{0:.0}\" r=\"4\"/>\
             <text class=\"faint\" x=\"332\" y=\"{y:.0}\">the pin that allocates, or has the default allocator</text>\n",
            y - 4.0,
            allocator_mark(318.0, y - 4.0, 0),
        );
        let shown = self.plan.pipes.len().min(LEGEND);
        let rows = shown.div_ceil(columns);
        for (place, pipe) in self.plan.pipes.iter().enumerate().take(LEGEND) {
            let colour = colour(PipeId(place as u32));
            let x = (place / rows.max(1)) as f64 * LEGEND_WIDTH;
            let y = y + (place % rows.max(1) + 1) as f64 * LEGEND_ROW;
            put!(
                self.svg,
                "<path class=\"line s{colour}\" d=\"M{:.0} {:.0}h26\"/><text class=\"text\" x=\"{:.0}\" y=\"{y:.0}\">pipe \
                 {place}</text><text class=\"text\" x=\"{:.0}\" y=\"{y:.0}\">{}</text>\n",
                x + 24.0,
                y - 4.0,
                x + 60.0,
                x + 118.0,
                escape(&self.pipe_text(pipe))
            );
        }
        if let Some(more) = self.plan.pipes.len().checked_sub(LEGEND).filter(|more| *more > 0) {
            let y = y + (rows + 1) as f64 * LEGEND_ROW;
            put!(self.svg, "<text class=\"faint\" x=\"60\" y=\"{y:.0}\">and {more} more pipes</text>\n");
        }
    }

    fn pipe_text(&self, pipe: &Pipe) -> String {
        let allocator = match (pipe.allocator.kind, pipe.allocator.pin) {
            (AllocatorKind::Default, None) => "default allocator".to_owned(),
            (AllocatorKind::Default, Some(pin)) => format!("default allocator on {}", shown(&self.graph.pin_name(pin))),
            (_, Some(pin)) => format!("{} allocates", shown(&self.graph.pin_name(pin))),
            (kind, None) => format!("{} allocator", kind.name()),
        };
        format!(
            "{} memory, {} × {} bytes, aligned to {}, {allocator}",
            memory_name(self.graph, pipe.memory_type),
            grouped(pipe.frames),
            grouped(pipe.frame_size),
            grouped(pipe.alignment),
        )
    }
}

/// A ring around the dot of the pin that allocates.
fn allocator_mark(x: f64, y: f64, colour: usize) -> String {
    format!("<circle class=\"ring ground s{colour}\" cx=\"{x:.0}\" cy=\"{y:.0}\" r=\"7.5\"/>")
}

fn colour(pipe: PipeId) -> usize {
    pipe.index() % COLOURS.len()
}

/// Text as XML has it; characters XML cannot have become U+FFFD.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\u{FFFE}' | '\u{FFFF}' => escaped.push('\u{FFFD}'),
            control if control.is_control() => escaped.push('\u{FFFD}'),
            other => escaped.push(other),
        }
    }
    escaped
}
