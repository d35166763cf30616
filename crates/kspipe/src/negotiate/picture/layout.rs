//! Where everything stands: boxes, pins and the ways of arrows, in pixels. Columns that would make the picture too
//! wide continue below, as lines of text do.
//!
//! Nothing can lie over anything by construction. An arrow leaves its pin straight through a zone that is wide enough for
//! its words, bends in the rest of the gap between two columns, and passes a column in a row of its own. One that goes
//! back, or on in the next band, goes round in a lane of its own under its band.

mod rows;

use super::layers::{Layers, Node};
use super::text::{Font, text_width};
use super::words::Words;
use crate::graph::{Direction, FilterId, PinId};
use std::fmt::Write as _;

pub(super) const HEADER: f64 = 26.0;
/// From a box's top to its first row of pins: room for a word over the row's line.
const ROWS: f64 = HEADER + 4.0;
/// Between two rows: room for words over an arrow and under it.
const ROW: f64 = 26.0;
/// A line of text at the foot of a box.
pub(super) const FOOT: f64 = 15.0;
const MARGIN: f64 = 28.0;
/// Room for an arrow to bend between two columns; more where there are many, which would run steeply.
const BEND: f64 = 56.0;
const MOST_BEND: f64 = 140.0;
/// Over and under a filter; a way past a column needs less.
const GAP_Y: f64 = 20.0;
const WAYPOINT: f64 = 12.0;
/// Between two lanes of arrows that go round,.
const LANE: f64 = 7.0;
/// More lanes than this cannot be told apart: they are shared.
const MOST_LANES: usize = 24;
/// A picture with more columns than this, or wider, is broken into bands.
const MOST_COLUMNS: usize = 8;
const WIDEST: f64 = 1800.0;
const LEAST_COLUMNS: usize = 3;
/// Space between bands, without lanes.
const GUTTER: f64 = 34.0;
/// From a box's side to the words of a pin, beside half of the number on it.
pub(super) const BESIDE: f64 = 7.0;
/// Room for the lines through a filter.
const THROUGH: f64 = 64.0;
/// The double bar where an arrow crosses the user / kernel boundary.
pub(super) const BOUNDARY: f64 = 16.0;
/// The length of an arrow's head.
pub(super) const HEAD: f64 = 8.0;

/// A filter's box.
#[derive(Clone, Debug, Default)]
pub(super) struct FilterBox {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// The way of an arrow.
#[derive(Clone, Debug, Default)]
pub(super) struct Way {
    /// SVG path data, up to the arrow head.
    pub(super) path: String,
    /// Where its straight start begins, behind the number of the pin.
    pub(super) start: (f64, f64),
}

/// A picture's geometry.
#[derive(Debug, Default)]
pub(super) struct Layout {
    pub(super) width: f64,
    pub(super) height: f64,
    /// Half of the width of the numbers at pins.
    pub(super) chip: f64,
    /// By filter.
    pub(super) boxes: Vec<FilterBox>,
    /// By pin: where it is on its box's side.
    pub(super) pins: Vec<(f64, f64)>,
    /// By connection.
    pub(super) ways: Vec<Way>,
}

struct Arranger<'a> {
    words: &'a Words<'a>,
    layers: Layers,
    /// By filter: its in pins and its out pins, from top to bottom.
    sides: Vec<[Vec<PinId>; 2]>,
    /// By pin: its row in its filter's box.
    rows: Vec<usize>,
    chip: f64,
    /// By column: how wide the boxes are, and the zone behind them in which arrows run straight.
    widths: Vec<f64>,
    zones: Vec<f64>,
    /// By column: the room behind that in which they bend.
    bends: Vec<f64>,
    /// By node: how high, and where it is in its band.
    heights: Vec<f64>,
    tops: Vec<f64>,
    columns_in_band: usize,
}

impl Layout {
    pub(super) fn of(words: &Words<'_>) -> Self {
        let layers = Layers::of(words.graph);
        let (sides, rows) = sides(words, &layers);
        let heights: Vec<f64> = layers
            .nodes
            .iter()
            .map(|node| match node {
                Node::Filter(filter) => {
                    let [ins, outs] = &sides[filter.index()];
                    let feet = words.inside[filter.index()].len() as f64 * FOOT;
                    ROWS + ROW * ins.len().max(outs.len()).max(1) as f64 + feet + if feet > 0.0 { 6.0 } else { 3.0 }
                }
                Node::Waypoint(_) => WAYPOINT,
            })
            .collect();
        let count = layers.columns.len();
        let tops = vec![0.0; heights.len()];
        let mut arranger = Arranger {
            words,
            layers,
            sides,
            rows,
            chip: chip(words),
            widths: vec![0.0; count],
            zones: vec![0.0; count],
            bends: vec![BEND; count],
            heights,
            tops,
            columns_in_band: count.max(1),
        };
        arranger.measure_columns();
        arranger.break_into_bands();
        arranger.arrange_rows();
        arranger.finish()
    }
}

/// Half of the width of the widest number at a pin.
fn chip(words: &Words<'_>) -> f64 {
    let widest = if words.is_plan { words.pipes.len().saturating_sub(1) } else { words.notes.len() };
    ((text_width(&widest.to_string(), Font::Number) + 8.0) / 2.0).ceil().max(8.0)
}

/// Pins stand in the order of what they are connected to, so that arrows do not cross more than they must. Out pins
/// first, then the in pins that they lead to.
fn sides(words: &Words<'_>, layers: &Layers) -> (Vec<[Vec<PinId>; 2]>, Vec<usize>) {
    let graph = words.graph;
    let place = layers.places();
    // By pin: the place of what its arrow comes to next.
    let mut next = vec![usize::MAX; graph.pins().len()];
    for (connection, way) in graph.connections().iter().zip(&layers.ways) {
        if let [_, second, ..] = way[..] {
            next[connection.from.index()] = place[second];
        }
        if let [.., before, _] = way[..] {
            next[connection.to.index()] = place[before];
        }
    }
    let mut rows = vec![0; graph.pins().len()];
    let mut sides = vec![[Vec::new(), Vec::new()]; graph.filters().len()];
    for (side, direction) in [(1, Direction::Out), (0, Direction::In)] {
        for (filter, sides) in graph.filters().iter().zip(&mut sides) {
            let mut pins: Vec<PinId> = filter.pins().filter(|pin| graph.pin(*pin).direction() == direction).collect();
            let peer_row =
                |pin: &PinId| graph.pin(*pin).peer().filter(|_| side == 0).map_or(0, |peer| rows[peer.index()]);
            pins.sort_by_key(|pin| (next[pin.index()], peer_row(pin)));
            for (row, pin) in pins.iter().enumerate() {
                rows[pin.index()] = row;
            }
            sides[side] = pins;
        }
    }
    (sides, rows)
}

impl Arranger<'_> {
    /// How wide each column's boxes are, and the words on the arrows that leave them.
    fn measure_columns(&mut self) {
        for (node, column) in self.layers.nodes.iter().zip(&self.layers.column_of) {
            let Node::Filter(id) = node else { continue };
            self.widths[*column] = self.widths[*column].max(self.box_width(*id));
        }
        for (place, connection) in self.words.graph.connections().iter().enumerate() {
            let words = &self.words.connections[place];
            let text = text_width(&words.above, Font::SmallBold).max(text_width(&words.below, Font::Small));
            let bars = if words.crosses { BOUNDARY } else { 0.0 };
            let zone = if text > 0.0 { text + 10.0 } else { 0.0 } + bars;
            let filter = self.words.graph.pin(connection.from).filter();
            let column = self.layers.column_of[filter.index()];
            self.zones[column] = self.zones[column].max(zone.ceil());
        }
        let mut arrows = vec![0usize; self.widths.len()];
        for (from, _) in self.layers.steps() {
            arrows[self.layers.column_of[from]] += 1;
        }
        for (bend, arrows) in self.bends.iter_mut().zip(arrows) {
            *bend = (BEND + 3.0 * arrows.saturating_sub(6) as f64).min(MOST_BEND);
        }
    }

    fn box_width(&self, id: FilterId) -> f64 {
        let filter = self.words.graph.filter(id);
        let side = |pins: &[PinId]| {
            let widths = pins.iter().map(|pin| {
                let words = &self.words.pins[pin.index()];
                let tag = if words.tag.is_empty() { 0.0 } else { text_width(words.tag, Font::SmallBold) + 5.0 };
                text_width(&words.name, Font::Pin) + tag + self.chip + BESIDE
            });
            widths.fold(self.chip, f64::max)
        };
        let [ins, outs] = &self.sides[id.index()];
        let name = super::text::shown(filter.name());
        let header = text_width(&name, Font::Name) + text_width(&filter.mode().to_string(), Font::SmallBold) + 34.0;
        let feet =
            self.words.inside[id.index()].iter().map(|(_, text)| text_width(text, Font::Small) + 2.0 * self.chip);
        let foot = feet.fold(0.0, f64::max) + 28.0;
        header.max(side(ins) + side(outs) + THROUGH).max(foot).max(130.0).ceil()
    }

    fn gap(&self, column: usize) -> f64 {
        2.0 * self.chip + self.zones[column] + self.bends[column]
    }

    /// The most columns in a band that are not too wide; bands of even length, as few as need be. Columns that stand over
    /// one another get the width of the widest, so that bands line up.
    fn break_into_bands(&mut self) {
        let count = self.widths.len();
        for most in (LEAST_COLUMNS..=MOST_COLUMNS).rev() {
            let columns = count.div_ceil(count.div_ceil(most).max(1)).max(1);
            let widest = |values: &[f64]| -> Vec<f64> {
                let widest_at =
                    |offset: usize| values.iter().skip(offset).step_by(columns).copied().fold(0.0, f64::max);
                (0..columns.min(count)).map(widest_at).collect()
            };
            let (widths, zones, bends) = (widest(&self.widths), widest(&self.zones), widest(&self.bends));
            let gaps: f64 = zones.iter().zip(&bends).map(|(zone, bend)| zone + bend + 2.0 * self.chip).sum();
            if widths.iter().sum::<f64>() + gaps <= WIDEST || most == LEAST_COLUMNS || columns <= LEAST_COLUMNS {
                self.columns_in_band = columns;
                for column in 0..count {
                    self.widths[column] = widths[column % columns];
                    self.zones[column] = zones[column % columns];
                    self.bends[column] = bends[column % columns];
                }
                return;
            }
        }
    }

    fn band(&self, column: usize) -> usize {
        column / self.columns_in_band
    }

    /// Where an arrow meets a node, from the node's top.
    fn port(&self, node: usize, connection: usize, direction: Direction) -> f64 {
        if matches!(self.layers.nodes[node], Node::Waypoint(_)) {
            return WAYPOINT / 2.0;
        }
        let connection = self.words.graph.connections()[connection];
        let pin = match direction {
            Direction::In => connection.to,
            Direction::Out => connection.from,
        };
        ROWS + ROW * (self.rows[pin.index()] as f64 + 0.5)
    }

    /// Whether an arrow from one column to another goes round.
    fn goes_round(&self, from: usize, to: usize) -> bool {
        let (left, right) = (self.layers.column_of[from], self.layers.column_of[to]);
        left + 1 != right || self.band(left) != self.band(right)
    }

    /// By connection and place on its way: the lane of an arrow that goes round. The lower its start, the nearer the lane
    /// is to its band, so that arrows that keep their order do not cross. And by band, how many there are.
    fn lanes(&self) -> (std::collections::HashMap<(usize, usize), usize>, Vec<usize>) {
        let bands = self.layers.columns.len().div_ceil(self.columns_in_band);
        let mut round: Vec<Vec<(f64, usize, usize)>> = vec![Vec::new(); bands];
        for (connection, way) in self.layers.ways.iter().enumerate() {
            for (place, pair) in way.windows(2).enumerate().filter(|(_, pair)| self.goes_round(pair[0], pair[1])) {
                let y = self.tops[pair[0]] + self.port(pair[0], connection, Direction::Out);
                round[self.band(self.layers.column_of[pair[0]])].push((y, connection, place));
            }
        }
        let mut lanes = std::collections::HashMap::new();
        for arrows in &mut round {
            arrows.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.cmp(&a.1)));
            lanes.extend(
                arrows
                    .iter()
                    .enumerate()
                    .map(|(lane, (_, connection, place))| ((*connection, *place), lane % MOST_LANES)),
            );
        }
        (lanes, round.iter().map(|arrows| arrows.len().min(MOST_LANES)).collect())
    }

    fn finish(self) -> Layout {
        let bands = self.layers.columns.len().div_ceil(self.columns_in_band);
        let (lane_of, lanes) = self.lanes();
        let most_lanes = lanes.iter().copied().max().unwrap_or(0) as f64;
        let left_margin = MARGIN + self.chip + if most_lanes > 0.0 { 16.0 + most_lanes * LANE } else { 0.0 };

        let mut band_bottom = vec![0.0f64; bands];
        let mut shift = vec![0.0f64; bands];
        let mut y = MARGIN;
        for band in 0..bands {
            let nodes = || {
                let first = band * self.columns_in_band;
                let last = (first + self.columns_in_band).min(self.layers.columns.len());
                self.layers.columns[first..last].iter().flatten().copied()
            };
            let top = nodes().map(|node| self.tops[node]).fold(f64::INFINITY, f64::min);
            let bottom = nodes().map(|node| self.tops[node] + self.heights[node]).fold(f64::NEG_INFINITY, f64::max);
            if top.is_finite() {
                shift[band] = y - top;
                y += bottom - top;
            }
            band_bottom[band] = y;
            y += GUTTER + lanes[band] as f64 * LANE;
        }
        let last_gutter = match lanes.last() {
            Some(0) | None => GUTTER,
            Some(_) => 0.0,
        };
        let height = (y - last_gutter + MARGIN).max(2.0 * MARGIN);

        let mut column_x = vec![0.0; self.layers.columns.len()];
        let mut right = left_margin;
        for (column, width) in self.widths.iter().enumerate() {
            let in_band = column % self.columns_in_band;
            column_x[column] = if in_band == 0 {
                left_margin
            } else {
                column_x[column - 1] + self.widths[column - 1] + self.gap(column - 1)
            };
            right = f64::max(right, column_x[column] + width);
            // Arrows that leave the last column of a band turn behind their words.
            if most_lanes > 0.0 && in_band + 1 == self.columns_in_band {
                right = f64::max(right, column_x[column] + width + self.chip + self.zones[column]);
            }
        }
        let width = right + MARGIN + self.chip + if most_lanes > 0.0 { 16.0 + most_lanes * LANE } else { 0.0 };

        let top_of = |node: usize| self.tops[node] + shift[self.band(self.layers.column_of[node])];
        let mut layout = Layout { width, height, chip: self.chip, ..Layout::default() };
        layout.pins = vec![(0.0, 0.0); self.words.graph.pins().len()];
        for (node, kind) in self.layers.nodes.iter().enumerate() {
            let Node::Filter(filter) = kind else { continue };
            let column = self.layers.column_of[node];
            let (x, y, width) = (column_x[column], top_of(node), self.widths[column]);
            for (side, at) in self.sides[filter.index()].iter().zip([x, x + width]) {
                for (row, pin) in side.iter().enumerate() {
                    layout.pins[pin.index()] = (at, y + ROWS + ROW * (row as f64 + 0.5));
                }
            }
            layout.boxes.push(FilterBox { x, y, width, height: self.heights[node] });
        }
        for (connection, nodes) in self.layers.ways.iter().enumerate() {
            let mut way = Way::default();
            for (place, pair) in nodes.windows(2).enumerate() {
                let (from, to) = (pair[0], pair[1]);
                let (left, right) = (self.layers.column_of[from], self.layers.column_of[to]);
                let side = column_x[left] + self.widths[left];
                let (start_y, end_y) = (
                    top_of(from) + self.port(from, connection, Direction::Out),
                    top_of(to) + self.port(to, connection, Direction::In),
                );
                // Writing to a String does not fail.
                if place == 0 {
                    way.start = (side + self.chip, start_y);
                    let _ = write!(way.path, "M{:.0} {start_y:.0}", way.start.0);
                }
                let bend = side + self.chip + self.zones[left];
                let end_x = match self.layers.nodes[to] {
                    Node::Filter(_) => column_x[right] - self.chip - HEAD + 1.0,
                    Node::Waypoint(_) => column_x[right],
                };
                match lane_of.get(&(connection, place)) {
                    Some(lane) => {
                        let (band, lane) = (self.band(left), *lane as f64);
                        // Between two columns there is little room: lanes share it.
                        let is_last = (left + 1) % self.columns_in_band == 0 || left + 1 == self.layers.columns.len();
                        let out = if is_last { lane * LANE } else { (lane * 3.0) % 18.0 };
                        let others = lanes[band] as f64 - 1.0 - lane;
                        let back =
                            if right % self.columns_in_band == 0 { others * LANE } else { (others * 3.0) % 18.0 };
                        let (out_x, in_x) = (bend + 8.0 + out, column_x[right] - self.chip - HEAD - 8.0 - back);
                        let lane_y = band_bottom[band] + 14.0 + lane * LANE;
                        let points = [
                            (side + self.chip, start_y),
                            (out_x, start_y),
                            (out_x, lane_y),
                            (in_x, lane_y),
                            (in_x, end_y),
                            (end_x, end_y),
                        ];
                        round_corners(&mut way.path, &points);
                    }
                    None => {
                        let middle = (bend + end_x) / 2.0;
                        let _ = write!(
                            way.path,
                            "H{bend:.0}C{middle:.0} {start_y:.0} {middle:.0} {end_y:.0} {end_x:.0} {end_y:.0}"
                        );
                    }
                }
            }
            layout.ways.push(way);
        }
        layout
    }
}

/// Straight lines from point to point, the corners rounded.
fn round_corners(path: &mut String, points: &[(f64, f64)]) {
    const RADIUS: f64 = 6.0;
    for corner in points.windows(3) {
        let toward = |to: (f64, f64)| {
            let (dx, dy) = (to.0 - corner[1].0, to.1 - corner[1].1);
            let length = dx.hypot(dy).max(f64::EPSILON);
            let radius = RADIUS.min(length / 2.0);
            (corner[1].0 + dx / length * radius, corner[1].1 + dy / length * radius)
        };
        let (before, after) = (toward(corner[0]), toward(corner[2]));
        let _ = write!(
            path,
            "L{:.1} {:.1}Q{:.0} {:.0} {:.1} {:.1}",
            before.0, before.1, corner[1].0, corner[1].1, after.0, after.1
        );
    }
    if let Some(last) = points.last() {
        let _ = write!(path, "L{:.0} {:.0}", last.0, last.1);
    }
}
