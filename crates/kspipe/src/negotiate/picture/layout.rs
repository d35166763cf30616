//! Where everything stands: boxes, pins and the ways of arrows, in pixels. Columns that would make the picture too
//! wide continue below, as lines of text do.

use super::layers::{Layers, Node};
use crate::graph::{Direction, Graph, PinId};
use std::fmt::Write as _;

pub(super) const HEADER: f64 = 26.0;
/// From a box's top to its first row of pins: room for a word over the row's line.
const ROWS: f64 = HEADER + 5.0;
const ROW: f64 = 20.0;
const MARGIN: f64 = 28.0;
const GAP_X: f64 = 86.0;
const GAP_Y: f64 = 22.0;
/// Between two lanes of arrows that go round.
const LANE: f64 = 6.0;
const WAYPOINT: f64 = 12.0;
/// A picture with more columns than this is broken into bands.
const MOST_COLUMNS: usize = 8;
/// Space between bands, without lanes.
const GUTTER: f64 = 34.0;
/// Room for one letter of the pins' names, which are monospaced, and of the filters', which are not.
pub(super) const LETTER: f64 = 6.7;
const WIDE_LETTER: f64 = 7.6;
/// Names are cut after so many letters.
pub(super) const MOST_LETTERS: usize = 26;

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
    /// A point about half way, free of boxes: for a label.
    pub(super) middle: (f64, f64),
}

/// A picture's geometry.
#[derive(Debug, Default)]
pub(super) struct Layout {
    pub(super) width: f64,
    pub(super) height: f64,
    /// By filter.
    pub(super) boxes: Vec<FilterBox>,
    /// By pin: where its dot is.
    pub(super) pins: Vec<(f64, f64)>,
    /// By connection.
    pub(super) ways: Vec<Way>,
}

/// A name as it is drawn: cut where it is too long, control characters replaced.
pub(super) fn shown(name: &str) -> String {
    let mut letters = name.chars().map(|letter| if letter.is_control() { '\u{FFFD}' } else { letter });
    let mut text: String = letters.by_ref().take(MOST_LETTERS).collect();
    if letters.next().is_some() {
        text.pop();
        text.push('…');
    }
    text
}

/// The room a text takes at most, a letter of ASCII taking `letter`.
pub(super) fn text_width(text: &str, letter: f64) -> f64 {
    text.chars().map(|c| if c.is_ascii() { letter } else { letter * 2.0 }).sum()
}

struct Arranger<'a> {
    graph: &'a Graph,
    layers: Layers,
    /// By filter: its in pins and its out pins, from top to bottom.
    sides: Vec<[Vec<PinId>; 2]>,
    /// By pin: its row in its filter's box.
    rows: Vec<usize>,
    /// By column: how wide.
    widths: Vec<f64>,
    /// By node: how high, and where it is in its band.
    heights: Vec<f64>,
    tops: Vec<f64>,
    columns_in_band: usize,
}

impl Layout {
    pub(super) fn of(graph: &Graph) -> Self {
        let layers = Layers::of(graph);
        let sides = sides(graph, &layers);
        let mut rows = vec![0; graph.pins().len()];
        for side in sides.iter().flatten() {
            for (row, pin) in side.iter().enumerate() {
                rows[pin.index()] = row;
            }
        }
        let heights: Vec<f64> = layers
            .nodes
            .iter()
            .map(|node| match node {
                Node::Filter(filter) => {
                    let [ins, outs] = &sides[filter.index()];
                    ROWS + ROW * ins.len().max(outs.len()).max(1) as f64 + 6.0
                }
                Node::Waypoint(_) => WAYPOINT,
            })
            .collect();
        let count = layers.columns.len();
        // Bands of even length, as few as need be.
        let columns_in_band = count.div_ceil(count.div_ceil(MOST_COLUMNS).max(1)).max(1);
        let tops = vec![0.0; heights.len()];
        let widths = vec![0.0; count];
        let mut arranger = Arranger { graph, layers, sides, rows, widths, heights, tops, columns_in_band };
        arranger.measure_columns();
        arranger.arrange_rows();
        arranger.finish()
    }
}

/// Pins stand in the order of what they are connected to, so that arrows cross less.
fn sides(graph: &Graph, layers: &Layers) -> Vec<[Vec<PinId>; 2]> {
    let place = layers.places();
    graph
        .filters()
        .iter()
        .map(|filter| {
            [Direction::In, Direction::Out].map(|direction| {
                let mut pins: Vec<PinId> =
                    filter.pins().filter(|pin| graph.pin(*pin).direction() == direction).collect();
                pins.sort_by_key(|pin| {
                    let peer = graph.pin(*pin).peer();
                    peer.map_or(usize::MAX, |peer| place[graph.pin(peer).filter().index()])
                });
                pins
            })
        })
        .collect()
}

impl Arranger<'_> {
    fn measure_columns(&mut self) {
        for (node, column) in self.layers.nodes.iter().zip(&self.layers.column_of) {
            let Node::Filter(id) = node else { continue };
            let filter = self.graph.filter(*id);
            let [ins, outs] = &self.sides[id.index()];
            let longest = |pins: &[PinId]| {
                let widths = pins.iter().map(|pin| text_width(&shown(self.graph.pin(*pin).name()), LETTER));
                widths.fold(0.0, f64::max)
            };
            let header = text_width(&shown(filter.name()), WIDE_LETTER) + 70.0;
            let width = header.max(longest(ins) + longest(outs) + 88.0).max(150.0);
            self.widths[*column] = self.widths[*column].max(width);
        }
        // Columns that stand over one another are as wide as the widest, so that bands line up.
        for offset in 0..self.columns_in_band {
            let members = || (offset..self.layers.columns.len()).step_by(self.columns_in_band);
            let widest = members().map(|column| self.widths[column]).fold(0.0, f64::max);
            members().collect::<Vec<_>>().into_iter().for_each(|column| self.widths[column] = widest);
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
        let connection = self.graph.connections()[connection];
        let pin = match direction {
            Direction::In => connection.to,
            Direction::Out => connection.from,
        };
        ROWS + ROW * (self.rows[pin.index()] as f64 + 0.5)
    }

    /// Moves the nodes of each column to where their arrows run straight, as far as the order allows.
    fn arrange_rows(&mut self) {
        // By node: the node at the other end, how far below that one's top this one's should lie.
        let (mut before, mut after) = (vec![Vec::new(); self.tops.len()], vec![Vec::new(); self.tops.len()]);
        for (connection, way) in self.layers.ways.iter().enumerate() {
            for pair in way.windows(2) {
                let (from, to) = (pair[0], pair[1]);
                let (left, right) = (self.layers.column_of[from], self.layers.column_of[to]);
                if left + 1 == right && self.band(left) == self.band(right) {
                    let offset = self.port(from, connection, Direction::Out) - self.port(to, connection, Direction::In);
                    before[to].push((from, offset));
                    after[from].push((to, -offset));
                }
            }
        }
        for column in self.layers.columns.clone() {
            let mut y = 0.0;
            for node in column {
                self.tops[node] = y;
                y += self.heights[node] + GAP_Y;
            }
        }
        let columns = self.layers.columns.clone();
        for sweep in 0..6 {
            let rightwards = sweep % 2 == 0;
            let order: Vec<usize> =
                if rightwards { (0..columns.len()).collect() } else { (0..columns.len()).rev().collect() };
            for column in order {
                let neighbours = if rightwards { &before } else { &after };
                self.settle(&columns[column], neighbours);
            }
        }
    }

    /// Moves the nodes of one column as near as can be to where they want to be, none over another: least squares with
    /// an order to keep, by pooling neighbours that push each other.
    fn settle(&mut self, column: &[usize], neighbours: &[Vec<(usize, f64)>]) {
        // (sum of wishes, weight): places of the nodes with the heights above them taken off.
        let mut pools: Vec<(f64, f64, usize)> = Vec::new();
        let mut above = 0.0;
        for node in column {
            let around = &neighbours[*node];
            let (wish, weight) = if around.is_empty() {
                (self.tops[*node], 0.2)
            } else {
                let sum: f64 = around.iter().map(|(other, offset)| self.tops[*other] + offset).sum();
                (sum / around.len() as f64, 1.0)
            };
            pools.push(((wish - above) * weight, weight, 1));
            above += self.heights[*node] + GAP_Y;
            while let [.., first, second] = &pools[..] {
                if first.0 / first.1 <= second.0 / second.1 {
                    break;
                }
                let merged = (first.0 + second.0, first.1 + second.1, first.2 + second.2);
                pools.truncate(pools.len() - 2);
                pools.push(merged);
            }
        }
        let mut above = 0.0;
        let mut nodes = column.iter();
        for (sum, weight, count) in pools {
            for node in nodes.by_ref().take(count) {
                self.tops[*node] = (sum / weight + above).round();
                above += self.heights[*node] + GAP_Y;
            }
        }
    }

    fn finish(self) -> Layout {
        let bands = self.layers.columns.len().div_ceil(self.columns_in_band);
        // Arrows that go round need lanes under the band they start in.
        let goes_round = |from: usize, to: usize| {
            let (left, right) = (self.layers.column_of[from], self.layers.column_of[to]);
            left + 1 != right || self.band(left) != self.band(right)
        };
        let mut lanes = vec![0usize; bands];
        for way in &self.layers.ways {
            for pair in way.windows(2).filter(|pair| goes_round(pair[0], pair[1])) {
                lanes[self.band(self.layers.column_of[pair[0]])] += 1;
            }
        }
        // Far more lanes than this cannot be told apart: they are shared.
        let lanes: Vec<usize> = lanes.into_iter().map(|count| count.min(24)).collect();
        let most_lanes = lanes.iter().copied().max().unwrap_or(0) as f64;
        let left_margin = MARGIN + if most_lanes > 0.0 { 16.0 + most_lanes * LANE } else { 0.0 };

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
            column_x[column] =
                if in_band == 0 { left_margin } else { column_x[column - 1] + self.widths[column - 1] + GAP_X };
            right = f64::max(right, column_x[column] + width);
        }
        let width = right + left_margin;

        let top_of = |node: usize| self.tops[node] + shift[self.band(self.layers.column_of[node])];
        let mut layout = Layout { width, height, ..Layout::default() };
        layout.pins = vec![(0.0, 0.0); self.graph.pins().len()];
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
        let mut used_lanes = vec![0usize; bands];
        for (connection, nodes) in self.layers.ways.iter().enumerate() {
            let mut way = Way::default();
            let mut longest = -1.0;
            for (place, pair) in nodes.windows(2).enumerate() {
                let (from, to) = (pair[0], pair[1]);
                let (left, right) = (self.layers.column_of[from], self.layers.column_of[to]);
                let mut start =
                    (column_x[left] + self.widths[left], top_of(from) + self.port(from, connection, Direction::Out));
                let mut end = (column_x[right], top_of(to) + self.port(to, connection, Direction::In));
                // Writing to a String does not fail.
                if place == 0 {
                    start.0 += 5.0;
                    let _ = write!(way.path, "M{:.0} {:.0}", start.0, start.1);
                } else {
                    let _ = write!(way.path, "H{:.0}", start.0);
                }
                if matches!(self.layers.nodes[to], Node::Filter(_)) {
                    end.0 -= 11.0;
                }
                if goes_round(from, to) {
                    let band = self.band(left);
                    let lane = (used_lanes[band] % lanes[band].max(1)) as f64 * LANE;
                    used_lanes[band] += 1;
                    let (out_x, in_x) = (start.0 + 10.0 + lane, end.0 - 10.0 - lane);
                    let lane_y = band_bottom[band] + 14.0 + lane;
                    let points = [start, (out_x, start.1), (out_x, lane_y), (in_x, lane_y), (in_x, end.1), end];
                    round_corners(&mut way.path, &points);
                    way.middle = ((out_x + in_x) / 2.0, lane_y);
                    longest = f64::INFINITY;
                } else {
                    let middle = (start.0 + end.0) / 2.0;
                    let _ = write!(
                        way.path,
                        "C{middle:.0} {:.0} {middle:.0} {:.0} {:.0} {:.0}",
                        start.1, end.1, end.0, end.1
                    );
                    // The straightest stretch has most room for a label.
                    let flatness = 1000.0 - (start.1 - end.1).abs();
                    if flatness > longest {
                        longest = flatness;
                        way.middle = (middle, (start.1 + end.1) / 2.0);
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
