//! A picture as SVG: one self-contained document, for light and dark backgrounds, without scripts or fonts of its own.

use super::layout::{BESIDE, BOUNDARY, FOOT, FilterBox, HEAD, HEADER, Layout};
use super::legend::{self, Item, Legend};
use super::text::{Font, escape_xml, shown, text_width};
use super::words::{COLOURS, Line, LineWords, Role, Words};
use crate::graph::{FilterId, Graph, Mode, PinId, Route};
use crate::negotiate::{NegotiateError, PipeId, Plan};
use std::fmt::Write as _;

/// Colours of pipes, on light and on dark backgrounds. They differ in lightness too, and every pin has its pipe's number
/// on it, so that nobody depends on them.
const PIPES: [(&str, &str); COLOURS] = [
    ("#1d6fd1", "#6aa9ff"),
    ("#166534", "#4ade80"),
    ("#7c3aed", "#b79bff"),
    ("#0e7490", "#4fd1e0"),
    ("#9d174d", "#ff7ab8"),
    ("#6b5e00", "#d6c34a"),
    ("#312e81", "#98a2ff"),
    ("#475569", "#cbd5e1"),
];

/// Everything else: class, property, light, dark.
const STYLES: [(&str, &str, &str, &str); 16] = [
    ("ground", "fill", "#ffffff", "#14171c"),
    ("box", "fill", "#f6f7f9", "#20252d"),
    ("box", "stroke", "#8b95a3", "#5b6573"),
    ("kernel", "fill", "#3f4b5c", "#56647a"),
    ("on-kernel", "fill", "#ffffff", "#ffffff"),
    ("text", "fill", "#1b1f24", "#e6e9ee"),
    ("faint", "fill", "#57606d", "#a3adbb"),
    ("on-pipe", "fill", "#ffffff", "#14171c"),
    ("cut-line", "stroke", "#d9480f", "#ff9a5c"),
    ("cut-text", "fill", "#b93d0a", "#ffa870"),
    ("bar", "stroke", "#1b1f24", "#e6e9ee"),
    ("unplanned", "stroke", "#8b95a3", "#7b8695"),
    ("unplanned-text", "fill", "#8b95a3", "#7b8695"),
    ("conflict", "stroke", "#b91c1c", "#ff8a8a"),
    ("conflict-text", "fill", "#b91c1c", "#ff8a8a"),
    ("hollow", "fill", "#ffffff", "#14171c"),
];

/// What has no colour.
const SHAPES: &str = "\
.kspipe-plan text { font: 12px system-ui, -apple-system, \"Segoe UI\", \"DejaVu Sans\", sans-serif; }
.kspipe-plan .name { font-weight: 600; font-size: 13px; }
.kspipe-plan .pin { font: 11px ui-monospace, \"DejaVu Sans Mono\", monospace; }
.kspipe-plan .small { font-size: 10px; }
.kspipe-plan .bold { font-weight: 700; }
.kspipe-plan .number { font-size: 9px; font-weight: 700; text-anchor: middle; }
.kspipe-plan .middle { text-anchor: middle; }
.kspipe-plan .end { text-anchor: end; }
.kspipe-plan .line { fill: none; stroke-width: 2px; }
.kspipe-plan .cut-line { fill: none; stroke-width: 2px; stroke-dasharray: 6 4; }
.kspipe-plan .conflict { fill: none; stroke-width: 3px; }
.kspipe-plan .unplanned { fill: none; stroke-width: 1.5px; }
.kspipe-plan .thin { stroke-width: 1.4px; }
.kspipe-plan .bar { fill: none; stroke-width: 1.5px; }
.kspipe-plan .ring { fill: none; stroke-width: 2px; }
";

/// Over the graph: the headline.
const TOP: f64 = 26.0;

/// A plan as an SVG document. Names and numbers that do not fit are in tool tips, and all of it in words in `<desc>`.
///
/// It is one self-contained picture without scripts or fonts of its own, for light and for dark backgrounds
/// (`prefers-color-scheme`); light where a viewer knows nothing of that.
pub fn plan_svg(graph: &Graph, plan: &Plan) -> String {
    Drawing::new(&Words::of_plan(graph, plan)).draw()
}

/// A graph that has no plan as an SVG document: the pins that cannot agree, or those of a cycle, are marked and numbered,
/// and what each asks stands below.
///
/// ```
/// use kspipe::graph::{Bridges, Direction, FramingItem, Graph};
/// use kspipe::negotiate::{conflict_svg, negotiate};
///
/// let mut graph = Graph::builder();
/// graph.bridges(Bridges::Forbid);
/// graph.filter("capture").pin("out", Direction::Out).item(FramingItem::exactly(4096));
/// graph.filter("viewer").pin("in", Direction::In).item(FramingItem::exactly(8192));
/// graph.connect("capture.out", "viewer.in");
/// let graph = graph.build()?;
/// let error = negotiate(&graph).unwrap_err();
/// assert!(conflict_svg(&graph, &error).contains("There is no plan"));
/// # Ok::<(), kspipe::graph::BuildError>(())
/// ```
pub fn conflict_svg(graph: &Graph, error: &NegotiateError) -> String {
    Drawing::new(&Words::of_error(graph, error)).draw()
}

struct Drawing<'a> {
    words: &'a Words<'a>,
    graph: &'a Graph,
    layout: Layout,
    /// By pin: how many routes start or end there.
    routes_at: Vec<u32>,
    svg: String,
}

/// Appends formatted text; writing to a `String` does not fail.
macro_rules! put {
    ($to:expr, $($arguments:tt)*) => {{ let _ = write!($to, $($arguments)*); }};
}

impl<'a> Drawing<'a> {
    fn new(words: &'a Words<'a>) -> Self {
        let graph = words.graph;
        let mut routes_at = vec![0u32; graph.pins().len()];
        for pin in graph.routes().iter().flat_map(|route| [route.from, route.to]) {
            routes_at[pin.index()] = routes_at[pin.index()].saturating_add(1);
        }
        Drawing { words, graph, layout: Layout::of(words), routes_at, svg: String::new() }
    }

    fn draw(mut self) -> String {
        let headline = text_width(&self.words.headline, Font::Name) + 2.0 * legend::LEFT;
        let legend = Legend::of(self.words, self.layout.width);
        let width = self.layout.width.max(legend.width).max(headline).ceil();
        let below = TOP + self.layout.height;
        let height = (below + legend.height).ceil();
        put!(
            self.svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"kspipe-plan\" role=\"img\" width=\"{width:.0}\" \
             height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\">\n<title>{}</title>\n<desc>{}</desc>\n",
            escape_xml(&self.words.headline),
            escape_xml(&self.words.description)
        );
        self.style();
        put!(self.svg, "<rect class=\"ground\" width=\"{width:.0}\" height=\"{height:.0}\" rx=\"8\"/>\n");
        let class = if self.words.is_plan { "text" } else { "conflict-text" };
        put!(
            self.svg,
            "<text class=\"{class} name\" x=\"{:.0}\" y=\"26\">{}</text>\n",
            legend::LEFT,
            escape_xml(&self.words.headline)
        );
        // A graph narrower than its legend stands in the middle.
        let shift = ((width - self.layout.width) / 2.0).floor();
        put!(self.svg, "<g transform=\"translate({shift:.0} {TOP:.0})\">\n");
        for place in 0..self.graph.connections().len() {
            self.connection(place);
        }
        for place in 0..self.graph.filters().len() {
            self.filter(place);
        }
        self.svg.push_str("</g>\n");
        for item in &legend.items {
            self.legend_item(item, below);
        }
        self.svg.push_str("</svg>\n");
        self.svg
    }

    fn style(&mut self) {
        let svg = &mut self.svg;
        svg.push_str("<style>\n");
        svg.push_str(SHAPES);
        let theme = |svg: &mut String, dark: bool| {
            for (place, (on_light, on_dark)) in PIPES.iter().enumerate() {
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

    /// The classes of a line, and of what is filled with its colour.
    fn classes(&self, line: Line) -> (String, String) {
        match line {
            Line::Shared(pipe) | Line::Written(pipe) => {
                let colour = self.words.colour(pipe);
                (format!("line s{colour}"), format!("f{colour}"))
            }
            Line::Copied => ("cut-line".to_owned(), "cut-text".to_owned()),
            Line::Unplanned => ("unplanned".to_owned(), "unplanned-text".to_owned()),
            Line::Conflict => ("conflict".to_owned(), "conflict-text".to_owned()),
        }
    }

    fn connection(&mut self, place: usize) {
        let connection = self.graph.connections()[place];
        let (Some(way), Some(words)) = (self.layout.ways.get(place), self.words.connections.get(place)) else { return };
        let (x, y) = self.layout.pins[connection.to.index()];
        let tip = x - self.layout.chip;
        let head = format!("M{:.0} {:.1}L{tip:.0} {y:.1}L{:.0} {:.1}z", tip - HEAD, y - 4.5, tip - HEAD, y + 4.5);
        let (line, fill) = self.classes(words.line);
        put!(
            self.svg,
            "<g class=\"arrow\"><title>{}</title><path class=\"{line}\" d=\"{}\"/><path class=\"{fill}\" d=\"{head}\"/>",
            escape_xml(&words.title),
            way.path
        );
        let (mut x, y) = way.start;
        if words.crosses {
            put!(self.svg, "<path class=\"bar\" d=\"M{:.0} {:.0}v14m4 0v-14\"/>", x + 7.0, y - 7.0);
            x += BOUNDARY;
        }
        let ink = if words.line == Line::Copied { "cut-text" } else { "text" };
        for (text, y, weight) in [(&words.above, y - 4.0, " bold"), (&words.below, y + 11.0, "")] {
            if !text.is_empty() {
                let x = x + 6.0;
                put!(
                    self.svg,
                    "<text class=\"{ink} small{weight}\" x=\"{x:.0}\" y=\"{y:.0}\">{}</text>",
                    escape_xml(text)
                );
            }
        }
        self.svg.push_str("</g>\n");
    }

    fn filter(&mut self, place: usize) {
        let filter = self.graph.filter(FilterId(place as u32));
        let FilterBox { x, y, width, height } = self.layout.boxes[place].clone();
        put!(
            self.svg,
            "<g class=\"filter\"><title>{}, {} mode</title><rect class=\"box\" x=\"{x:.0}\" y=\"{y:.0}\" \
             width=\"{width:.0}\" height=\"{height:.0}\" rx=\"6\"/>",
            escape_xml(filter.name()),
            filter.mode()
        );
        let is_kernel = filter.mode() == Mode::Kernel;
        if is_kernel {
            self.svg.push_str(&kernel_header(x, y, width));
        }
        let (ink, side) = if is_kernel { ("on-kernel", "on-kernel") } else { ("text", "faint") };
        put!(
            self.svg,
            "<text class=\"{ink} name\" x=\"{:.0}\" y=\"{:.0}\">{}</text>\
             <text class=\"{side} small bold end\" x=\"{:.0}\" y=\"{:.0}\">{}</text>\n",
            x + 10.0,
            y + 17.0,
            escape_xml(&shown(filter.name())),
            x + width - 9.0,
            y + 16.5,
            filter.mode()
        );
        let routes = self.graph.routes();
        // Among many lines a word cannot be read.
        let is_calm = filter.pins().map(|pin| self.routes_at[pin.index()]).sum::<u32>() <= 6;
        for pin in filter.pins() {
            let first = routes.partition_point(|route| route.from < pin);
            for (step, route) in routes[first..].iter().take_while(|route| route.from == pin).enumerate() {
                self.route(*route, &self.words.routes[first + step].clone(), x, width, is_calm);
            }
        }
        for pin in filter.pins() {
            self.pin(pin, x);
        }
        let inside = &self.words.inside[place];
        for (row, (pipe, text)) in inside.iter().enumerate() {
            let y = y + height - 7.0 - FOOT * (inside.len() - 1 - row) as f64;
            let at = x + 10.0 + self.layout.chip;
            if let Some(pipe) = pipe {
                let chip = self.chip_with(at, y - 3.5, *pipe, true);
                self.svg.push_str(&chip);
            }
            put!(
                self.svg,
                "<text class=\"text small\" x=\"{:.0}\" y=\"{y:.0}\">{}</text>",
                at + self.layout.chip + 4.0,
                escape_xml(text)
            );
        }
        self.svg.push_str("</g>\n");
    }

    /// The room a pin's words take from its box's side.
    fn pin_width(&self, pin: PinId) -> f64 {
        let words = &self.words.pins[pin.index()];
        let tag = if words.tag.is_empty() { 0.0 } else { text_width(words.tag, Font::SmallBold) + 5.0 };
        text_width(&words.name, Font::Pin) + tag + self.layout.chip + BESIDE
    }

    /// A line inside the box, between the names of two pins.
    fn route(&mut self, route: Route, words: &LineWords, x: f64, width: f64, is_calm: bool) {
        let from = (x + 5.0 + self.pin_width(route.from), self.layout.pins[route.from.index()].1);
        let to = (x + width - 5.0 - self.pin_width(route.to), self.layout.pins[route.to.index()].1);
        let middle = (from.0 + to.0) / 2.0;
        let (line, fill) = self.classes(words.line);
        put!(
            self.svg,
            "<g><title>{}</title><path class=\"{line} thin\" d=\"M{:.0} {:.0}C{middle:.0} {:.0} {middle:.0} {:.0} {:.0} {:.0}\"/>",
            escape_xml(&words.title),
            from.0,
            from.1,
            from.1,
            to.1,
            to.0,
            to.1
        );
        if let Line::Written(_) = words.line {
            let (x, y) = ((from.0 * 3.0 + to.0) / 4.0, (from.1 * 27.0 + to.1 * 5.0) / 32.0);
            put!(self.svg, "{}", diamond(x, y, &fill));
        }
        // A word has room over a straight line that no other route of the filter meets.
        let alone = [route.from, route.to].iter().all(|pin| self.routes_at[pin.index()] == 1) && from.1 == to.1;
        let alone = alone && is_calm;
        let text = &words.above;
        if alone && !text.is_empty() && to.0 - from.0 > text_width(text, Font::Small) {
            let ink = if words.line == Line::Copied { "cut-text" } else { "faint" };
            let y = from.1 - 5.0;
            put!(
                self.svg,
                "<text class=\"{ink} small middle\" x=\"{middle:.0}\" y=\"{y:.0}\">{}</text>",
                escape_xml(text)
            );
        }
        self.svg.push_str("</g>\n");
    }

    /// The number of a pipe, in its colour; hollow where nothing is connected.
    fn chip_with(&self, x: f64, y: f64, pipe: PipeId, is_full: bool) -> String {
        let colour = self.words.colour(pipe);
        let half = self.layout.chip;
        let (shape, ink) = match is_full {
            true => (format!("f{colour}"), "on-pipe".to_owned()),
            false => (format!("hollow thin s{colour}"), format!("f{colour}")),
        };
        format!(
            "<rect class=\"{shape} chip\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"14\" rx=\"7\"/>\
             <text class=\"{ink} number\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>",
            x - half,
            y - 7.0,
            half * 2.0,
            y + 3.3,
            pipe.0
        )
    }

    fn pin(&mut self, pin: PinId, box_x: f64) {
        let (x, y) = self.layout.pins[pin.index()];
        let is_left = x <= box_x + 1.0;
        let words = &self.words.pins[pin.index()];
        let half = self.layout.chip;
        let (shape, tag_ink) = match words.role {
            Role::Shares(pipe) => (self.chip_with(x, y, pipe, words.connected), "faint".to_owned()),
            Role::Allocates(pipe) => {
                let colour = self.words.colour(pipe);
                let chip = self.chip_with(x, y, pipe, words.connected);
                (format!("{}{chip}", ring(x, y, half, &format!("s{colour}"))), format!("f{colour}"))
            }
            Role::Unplanned => {
                (format!("<circle class=\"unplanned-text\" cx=\"{x:.0}\" cy=\"{y:.0}\" r=\"4\"/>"), "faint".to_owned())
            }
            Role::Conflict(number) => (
                format!(
                    "{}<rect class=\"conflict-text chip\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"14\" rx=\"2\"/>\
                     <text class=\"on-pipe number\" x=\"{x:.1}\" y=\"{:.1}\">{number}</text>",
                    ring(x, y, half, "conflict"),
                    x - half,
                    y - 7.0,
                    half * 2.0,
                    y + 3.3
                ),
                "faint".to_owned(),
            ),
        };
        let (direction, class) = if is_left { (1.0, "") } else { (-1.0, " end") };
        let text_x = x + direction * (half + BESIDE);
        put!(
            self.svg,
            "<g><title>{}</title>{shape}<text class=\"text pin{class}\" x=\"{text_x:.1}\" y=\"{:.0}\">{}</text>",
            escape_xml(&words.title),
            y + 4.0,
            escape_xml(&words.name)
        );
        if !words.tag.is_empty() {
            let tag_x = text_x + direction * (text_width(&words.name, Font::Pin) + 5.0);
            put!(
                self.svg,
                "<text class=\"{tag_ink} small bold{class}\" x=\"{tag_x:.1}\" y=\"{:.0}\">{}</text>",
                y + 4.0,
                words.tag
            );
        }
        self.svg.push_str("</g>\n");
    }

    fn legend_item(&mut self, item: &Item, top: f64) {
        match item {
            Item::Text { x, y, class, text } => {
                put!(
                    self.svg,
                    "<text class=\"{class}\" x=\"{x:.0}\" y=\"{:.0}\">{}</text>\n",
                    top + y,
                    escape_xml(text)
                );
            }
            Item::Pipe { x, y, pipe } => {
                let chip = self.chip_with(*x, top + y, *pipe, true);
                put!(self.svg, "{chip}\n");
            }
            Item::Number { x, y, number } => {
                let half = self.layout.chip;
                put!(
                    self.svg,
                    "<rect class=\"conflict-text chip\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"14\" rx=\"2\"/>\
                     <text class=\"on-pipe number\" x=\"{x:.1}\" y=\"{:.1}\">{number}</text>\n",
                    x - half,
                    top + y - 7.0,
                    half * 2.0,
                    top + y + 3.3
                );
            }
            Item::Mark { x, y, mark } => {
                let y = top + y;
                let shape = match mark {
                    legend::Mark::Copied => format!("<path class=\"cut-line\" d=\"M{x:.0} {y:.0}h26\"/>"),
                    legend::Mark::Boundary => format!(
                        "<path class=\"line s7\" d=\"M{x:.0} {y:.0}h26\"/><path class=\"bar\" d=\"M{:.0} {:.0}v14m4 0v-14\"/>",
                        x + 11.0,
                        y - 7.0
                    ),
                    legend::Mark::Written => {
                        format!("<path class=\"line thin s0\" d=\"M{x:.0} {y:.0}h26\"/>{}", diamond(x + 13.0, y, "f0"))
                    }
                    legend::Mark::Allocates => ring(x + 13.0, y, 8.0, "s0"),
                    legend::Mark::Kernel => format!(
                        "<rect class=\"kernel\" x=\"{x:.0}\" y=\"{:.0}\" width=\"26\" height=\"12\" rx=\"3\"/>",
                        y - 6.0
                    ),
                };
                put!(self.svg, "{shape}\n");
            }
        }
    }
}

/// The header of a kernel-mode filter: dark, so that the boundary is seen from afar.
fn kernel_header(x: f64, y: f64, width: f64) -> String {
    format!(
        "<path class=\"kernel\" d=\"M{x:.1} {:.1}v-{:.1}a6 6 0 0 1 6 -6h{:.1}a6 6 0 0 1 6 6v{:.1}z\"/>",
        y + HEADER - 2.0,
        HEADER - 8.0,
        width - 12.0,
        HEADER - 8.0
    )
}

/// A ring around the number of the pin that allocates.
fn ring(x: f64, y: f64, half: f64, class: &str) -> String {
    format!(
        "<rect class=\"ring {class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"20\" rx=\"10\"/>",
        x - half - 3.0,
        y - 10.0,
        half * 2.0 + 6.0
    )
}

/// What writes into frames.
fn diamond(x: f64, y: f64, class: &str) -> String {
    format!("<path class=\"{class}\" d=\"M{:.1} {y:.1}l4 -4l4 4l-4 4z\"/>", x - 4.0)
}
