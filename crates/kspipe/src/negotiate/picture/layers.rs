//! Which filter stands in which column, and in what order from top to bottom.

use crate::graph::{FilterId, Graph, PinId};

/// Places in columns that long arrows take up are made for at most so many; past that arrows go round.
const MOST_WAYPOINTS: usize = 20_000;
/// How often the order in the columns is improved, alternating left to right and right to left.
const SWEEPS: usize = 8;

/// What stands in a column: a filter, or the way of an arrow past the column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Filter(FilterId),
    /// The place of the connection in the graph's order.
    Waypoint(usize),
}

/// The columns of a picture, each with its nodes from top to bottom.
#[derive(Debug)]
pub(super) struct Layers {
    pub(super) nodes: Vec<Node>,
    /// By column: places in [`Self::nodes`].
    pub(super) columns: Vec<Vec<usize>>,
    /// By node: its column.
    pub(super) column_of: Vec<usize>,
    /// By connection: the nodes it runs over, from the giving filter to the taking one.
    pub(super) ways: Vec<Vec<usize>>,
}

impl Layers {
    pub(super) fn of(graph: &Graph) -> Self {
        let filter_of = |pin: PinId| graph.pin(pin).filter().index();
        let arrows: Vec<(usize, usize)> = graph
            .connections()
            .iter()
            .map(|connection| (filter_of(connection.from), filter_of(connection.to)))
            .collect();
        let column_of_filter = columns_of(graph.filters().len(), &arrows);
        let mut layers = Layers {
            nodes: (0..graph.filters().len()).map(|filter| Node::Filter(FilterId(filter as u32))).collect(),
            columns: Vec::new(),
            column_of: column_of_filter,
            ways: Vec::new(),
        };
        let mut waypoints = 0;
        for (place, (from, to)) in arrows.iter().copied().enumerate() {
            let (first, last) = (layers.column_of[from], layers.column_of[to]);
            let mut way = vec![from];
            let between = last.saturating_sub(first).saturating_sub(1);
            if between > 0 && waypoints + between <= MOST_WAYPOINTS {
                waypoints += between;
                for column in first + 1..last {
                    way.push(layers.nodes.len());
                    layers.nodes.push(Node::Waypoint(place));
                    layers.column_of.push(column);
                }
            }
            way.push(to);
            layers.ways.push(way);
        }
        let count = layers.column_of.iter().max().map_or(0, |last| last + 1);
        layers.columns = vec![Vec::new(); count];
        for (node, column) in layers.column_of.iter().enumerate() {
            layers.columns[*column].push(node);
        }
        layers.reduce_crossings();
        layers
    }

    /// The pairs of nodes in neighbouring columns that an arrow joins.
    pub(super) fn steps(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.ways
            .iter()
            .flat_map(|way| way.windows(2).map(|pair| (pair[0], pair[1])))
            .filter(|(from, to)| self.column_of[*from] + 1 == self.column_of[*to])
    }

    /// Orders each column by the mean place of its neighbours, several times; the order with the fewest crossings stays.
    fn reduce_crossings(&mut self) {
        let (mut before, mut after) = (vec![Vec::new(); self.nodes.len()], vec![Vec::new(); self.nodes.len()]);
        for (from, to) in self.steps() {
            after[from].push(to);
            before[to].push(from);
        }
        let mut best = (self.crossings(&after), self.columns.clone());
        for sweep in 0..SWEEPS {
            if best.0 == 0 {
                break;
            }
            let rightwards = sweep % 2 == 0;
            let neighbours = if rightwards { &before } else { &after };
            let mut place = self.places();
            let order: Vec<usize> =
                if rightwards { (0..self.columns.len()).collect() } else { (0..self.columns.len()).rev().collect() };
            for column in order {
                let mean = |node: &usize| {
                    let around = &neighbours[*node];
                    if around.is_empty() {
                        return place[*node] as f64;
                    }
                    around.iter().map(|other| place[*other] as f64).sum::<f64>() / around.len() as f64
                };
                let mut keyed: Vec<(f64, usize)> =
                    self.columns[column].iter().map(|node| (mean(node), *node)).collect();
                keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
                for (row, (_, node)) in keyed.iter().enumerate() {
                    place[*node] = row;
                }
                self.columns[column] = keyed.into_iter().map(|(_, node)| node).collect();
            }
            let crossings = self.crossings(&after);
            if crossings < best.0 {
                best = (crossings, self.columns.clone());
            }
        }
        self.columns = best.1;
    }

    /// By node: its row in its column.
    pub(super) fn places(&self) -> Vec<usize> {
        let mut place = vec![0; self.nodes.len()];
        for column in &self.columns {
            for (row, node) in column.iter().enumerate() {
                place[*node] = row;
            }
        }
        place
    }

    /// How many pairs of arrows between neighbouring columns cross.
    fn crossings(&self, after: &[Vec<usize>]) -> u64 {
        let place = self.places();
        let mut crossings = 0;
        for (column, nodes) in self.columns.iter().enumerate() {
            let rows = self.columns.get(column + 1).map_or(0, Vec::len);
            // A Fenwick tree over the rows of the next column counts the arrows so far that end further down.
            let mut ends = vec![0u64; rows + 1];
            let mut seen = 0;
            for node in nodes {
                let mut targets: Vec<usize> = after[*node].iter().map(|to| place[*to]).collect();
                targets.sort_unstable();
                for target in &targets {
                    let mut not_further = 0;
                    let mut at = target + 1;
                    while at > 0 {
                        not_further += ends[at];
                        at &= at - 1;
                    }
                    crossings += seen - not_further;
                }
                for target in targets {
                    seen += 1;
                    let mut at = target + 1;
                    while at <= rows {
                        ends[at] += 1;
                        at += at & at.wrapping_neg();
                    }
                }
            }
        }
        crossings
    }
}

/// By filter: its column. A filter stands right of all that feed it; a source stands next to what it feeds. Filters may
/// feed each other in a circle (their frames do not): then some arrows go back.
fn columns_of(filters: usize, arrows: &[(usize, usize)]) -> Vec<usize> {
    let (mut after, mut waiting) = (vec![Vec::new(); filters], vec![0usize; filters]);
    for (from, to) in arrows {
        after[*from].push(*to);
        waiting[*to] += 1;
    }
    let is_source: Vec<bool> = waiting.iter().map(|count| *count == 0).collect();
    let (mut column, mut done) = (vec![0usize; filters], vec![false; filters]);
    let mut ready: Vec<usize> = (0..filters).rev().filter(|filter| waiting[*filter] == 0).collect();
    let mut next = 0;
    loop {
        while let Some(filter) = ready.pop() {
            if std::mem::replace(&mut done[filter], true) {
                continue;
            }
            for to in &after[filter] {
                if !done[*to] {
                    column[*to] = column[*to].max(column[filter] + 1);
                    waiting[*to] = waiting[*to].saturating_sub(1);
                    if waiting[*to] == 0 {
                        ready.push(*to);
                    }
                }
            }
        }
        // Only circles are left: one is entered at its first filter.
        match (next..filters).find(|filter| !done[*filter]) {
            Some(filter) => {
                next = filter;
                ready.push(filter);
            }
            None => break,
        }
    }
    for filter in (0..filters).filter(|filter| is_source[*filter]) {
        if let Some(first) = after[filter].iter().map(|to| column[*to]).min() {
            column[filter] = first.saturating_sub(1);
        }
    }
    column
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_go_downstream_and_circles_end() {
        assert_eq!(columns_of(3, &[(0, 1), (1, 2), (0, 2)]), [0, 1, 2]);
        assert_eq!(columns_of(4, &[(0, 1), (1, 2), (3, 2)]), [0, 1, 2, 1], "a source stands next to what it feeds");
        assert_eq!(columns_of(2, &[(0, 1), (1, 0)]), [0, 1]);
        assert_eq!(columns_of(1, &[(0, 0)]), [0]);
        assert!(columns_of(0, &[]).is_empty());
    }
}
