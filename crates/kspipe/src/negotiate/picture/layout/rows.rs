//! How high filters stand, and the ways past them: where their arrows run straight, as far as the order in each column
//! allows.

use super::{Arranger, GAP_Y};
use crate::graph::Direction;
use crate::negotiate::picture::layers::Node;

impl Arranger<'_> {
    /// How far a node's top is below the top of the one over it.
    fn step(&self, over: usize, under: usize) -> f64 {
        let is_way = |node: usize| matches!(self.layers.nodes[node], Node::Waypoint(_));
        let gap = if is_way(over) && is_way(under) { 2.0 } else { GAP_Y };
        self.heights[over] + gap
    }

    /// Moves the nodes of each column to where their arrows run straight, as far as the order allows.
    pub(super) fn arrange_rows(&mut self) {
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
        let columns = self.layers.columns.clone();
        for column in &columns {
            let mut y = 0.0;
            for (place, node) in column.iter().enumerate() {
                self.tops[*node] = y;
                y += column.get(place + 1).map_or(0.0, |next| self.step(*node, *next));
            }
        }
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
        // By node: the least distance from the column's first node.
        let mut above = Vec::with_capacity(column.len());
        let mut sum = 0.0;
        for (place, node) in column.iter().enumerate() {
            above.push(sum);
            sum += column.get(place + 1).map_or(0.0, |next| self.step(*node, *next));
        }
        // (sum of wishes, weight, nodes): places of the nodes with the heights above them taken off.
        let mut pools: Vec<(f64, f64, usize)> = Vec::new();
        for (node, above) in column.iter().zip(&above) {
            let around = &neighbours[*node];
            let (wish, weight) = if around.is_empty() {
                (self.tops[*node], 0.2)
            } else {
                let sum: f64 = around.iter().map(|(other, offset)| self.tops[*other] + offset).sum();
                // A way past a column is kept straight before anything else.
                let is_way = matches!(self.layers.nodes[*node], Node::Waypoint(_));
                (sum / around.len() as f64, if is_way { 3.0 } else { 1.0 })
            };
            pools.push(((wish - above) * weight, weight, 1));
            while let [.., first, second] = &pools[..] {
                if first.0 / first.1 <= second.0 / second.1 {
                    break;
                }
                let merged = (first.0 + second.0, first.1 + second.1, first.2 + second.2);
                pools.truncate(pools.len() - 2);
                pools.push(merged);
            }
        }
        let mut nodes = column.iter().zip(&above);
        for (sum, weight, count) in pools {
            for (node, above) in nodes.by_ref().take(count) {
                self.tops[*node] = (sum / weight).round() + above;
            }
        }
    }
}
