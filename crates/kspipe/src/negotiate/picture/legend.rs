//! Under a picture: what its marks mean, its pipes, and where frames are copied or what conflicts. Measured before it is
//! drawn, so that the picture has room for all of it.

use super::text::{Font, text_width, wrapped};
use super::words::{Line, MOST_LISTED, Role, Words};
use crate::graph::Mode;
use crate::negotiate::PipeId;

pub(super) const LEFT: f64 = 24.0;
const ROW: f64 = 20.0;
/// From a mark to its text.
const MARK: f64 = 36.0;
/// Lines of notes are no longer than this.
const LONGEST: f64 = 1100.0;
const SHORTEST: f64 = 560.0;

/// A mark that is explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    Copied,
    Boundary,
    Written,
    Allocates,
    Kernel,
}

/// One thing of a legend, with its place in it.
#[derive(Clone, Debug)]
pub(super) enum Item {
    Text { x: f64, y: f64, class: &'static str, text: String },
    Pipe { x: f64, y: f64, pipe: PipeId },
    Number { x: f64, y: f64, number: usize },
    Mark { x: f64, y: f64, mark: Mark },
}

#[derive(Debug, Default)]
pub(super) struct Legend {
    pub(super) items: Vec<Item>,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Legend {
    /// The legend of a picture whose graph is so wide.
    pub(super) fn of(words: &Words<'_>, graph_width: f64) -> Self {
        let mut legend = Legend::default();
        legend.marks(words, graph_width);
        legend.pipes(words, graph_width);
        legend.notes(words, graph_width);
        legend.height += 10.0;
        legend.width += LEFT;
        legend
    }

    fn text(&mut self, x: f64, class: &'static str, font: Font, text: &str) {
        self.width = self.width.max(x + text_width(text, font));
        self.items.push(Item::Text { x, y: self.height + 4.0, class, text: text.to_owned() });
    }

    /// The marks that occur, several in a row.
    fn marks(&mut self, words: &Words<'_>, graph_width: f64) {
        let lines = || words.connections.iter().chain(&words.routes);
        let table = [
            (
                Mark::Allocates,
                "allocates, or has the default allocator",
                words.pins.iter().any(|pin| matches!(pin.role, Role::Allocates(_))),
            ),
            (Mark::Copied, "frames are copied", lines().any(|words| words.line == Line::Copied)),
            (Mark::Written, "writes into the frame", lines().any(|words| matches!(words.line, Line::Written(_)))),
            (Mark::Kernel, "kernel mode", words.graph.filters().iter().any(|filter| filter.mode() == Mode::Kernel)),
            (Mark::Boundary, "user / kernel boundary", words.connections.iter().any(|words| words.crosses)),
        ];
        let right = graph_width.max(SHORTEST) - LEFT;
        let mut x = LEFT;
        for (mark, text, _) in table.iter().filter(|(.., occurs)| *occurs) {
            let wide = MARK + text_width(text, Font::Legend);
            if x > LEFT && x + wide > right {
                x = LEFT;
                self.height += ROW;
            }
            self.items.push(Item::Mark { x, y: self.height, mark: *mark });
            self.text(x + MARK, "faint", Font::Legend, text);
            x += wide + 22.0;
        }
        if x > LEFT {
            self.height += ROW;
        }
    }

    /// The pipes, in as many columns as there is room for where there are many.
    fn pipes(&mut self, words: &Words<'_>, graph_width: f64) {
        let shown = words.pipes.len().min(MOST_LISTED);
        let listed = &words.pipes[..shown];
        let widest = listed.iter().map(|pipe| text_width(&pipe.text, Font::Legend)).fold(0.0, f64::max) + MARK + 16.0;
        let room = ((graph_width - LEFT) / widest.max(1.0)) as usize;
        let columns = if shown > 6 { room.max(1) } else { 1 };
        let rows = shown.div_ceil(columns);
        let top = self.height;
        for (place, pipe) in listed.iter().enumerate() {
            let x = LEFT + (place / rows) as f64 * widest;
            self.height = top + (place % rows) as f64 * ROW;
            self.items.push(Item::Pipe { x: x + 13.0, y: self.height, pipe: PipeId(place as u32) });
            self.text(x + MARK, "text", Font::Legend, &pipe.text);
        }
        self.height = top + rows as f64 * ROW;
        if words.pipes.len() > shown {
            self.text(LEFT + MARK, "faint", Font::Legend, &format!("and {} more pipes", words.pipes.len() - shown));
            self.height += ROW;
        }
    }

    fn notes(&mut self, words: &Words<'_>, graph_width: f64) {
        if words.notes.is_empty() {
            return;
        }
        self.height += 6.0;
        self.text(LEFT, "text name", Font::Name, words.notes_title);
        self.height += ROW;
        let room = (graph_width - LEFT - MARK).clamp(SHORTEST, LONGEST);
        for note in &words.notes {
            match note.number {
                Some(number) => self.items.push(Item::Number { x: LEFT + 13.0, y: self.height, number }),
                None if words.is_plan => self.items.push(Item::Mark { x: LEFT, y: self.height, mark: Mark::Copied }),
                None => {}
            }
            for line in note.text.split('\n').flat_map(|line| wrapped(line, Font::Legend, room)) {
                self.text(LEFT + MARK, "text", Font::Legend, &line);
                self.height += ROW - 3.0;
            }
            self.height += 3.0;
        }
    }
}
