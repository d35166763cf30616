//! The order of the pins' full names, which decides between equals in rule 6.

use crate::graph::{Graph, PinId};

/// Pins in the order of their full names, `filter.pin`, in byte order. The canonical order is by filter and then by pin,
/// which is the same unless a filter's name goes on where a shorter one ends, with something before the dot (`a-b`).
#[derive(Clone, Debug)]
pub(in crate::negotiate) enum NameOrder {
    Canonical,
    /// By pin: its place among the full names.
    Ranks(Vec<u32>),
}

impl NameOrder {
    pub(super) fn of(graph: &Graph) -> Self {
        let dotted = |name: &str| name.bytes().chain([b'.']).collect::<Vec<u8>>();
        let filters = graph.filters();
        let is_dotted = filters.iter().any(|filter| filter.name().contains('.'));
        let goes_on = |pair: &[crate::graph::Filter]| pair[1].name().starts_with(pair[0].name());
        let turned = |pair: &[crate::graph::Filter]| goes_on(pair) && dotted(pair[0].name()) > dotted(pair[1].name());
        if !is_dotted && !filters.windows(2).any(turned) {
            return NameOrder::Canonical;
        }
        let mut pins: Vec<PinId> = graph.pin_ids().collect();
        let name = |pin: PinId| {
            let filter = graph.filter(graph.pin(pin).filter()).name();
            filter.bytes().chain([b'.']).chain(graph.pin(pin).name().bytes())
        };
        pins.sort_by(|a, b| name(*a).cmp(name(*b)));
        let mut ranks = vec![0; pins.len()];
        for (rank, pin) in pins.iter().enumerate() {
            ranks[pin.index()] = rank as u32;
        }
        NameOrder::Ranks(ranks)
    }

    /// Whether the first pin's full name comes first.
    pub(in crate::negotiate) fn is_before(&self, one: PinId, other: PinId) -> bool {
        match self {
            NameOrder::Canonical => one < other,
            NameOrder::Ranks(ranks) => ranks[one.index()] < ranks[other.index()],
        }
    }
}
