//! Any graph and any changes of it: a negotiator that keeps its state has the plan that a fresh negotiation finds.

use arbitrary::{Result, Unstructured};
use kspipe::graph::{Bridges, Change, Compression, Connection, FilterId, Framing, Graph, PinId, RouteKind, Strategy};
use kspipe::negotiate::{NegotiateError, Negotiator, negotiate, verify};

use super::negotiation::{graph, item, mode, number, wide_number};

/// The most changes of a graph.
const MOST_CHANGES: usize = 12;

/// Panics where that does not hold.
pub(crate) fn check(bytes: &[u8]) {
    let (of_graph, of_changes) = bytes.split_at(bytes.len() / 4 * 3);
    let Some(graph) = graph(&mut Unstructured::new(of_graph)).ok().flatten() else { return };
    if graph.pins().is_empty() {
        return;
    }
    let mut negotiator = Negotiator::new(graph);
    compare(&negotiator);
    let mut bytes = Unstructured::new(of_changes);
    for _ in 0..MOST_CHANGES {
        if bytes.is_empty() {
            break;
        }
        let Ok(change) = change(negotiator.graph(), &mut bytes) else { break };
        // What does not fit, and what leaves no plan, is told; the comparison says whether rightly.
        let _ = negotiator.change([change]);
        compare(&negotiator);
    }
}

fn compare(negotiator: &Negotiator) {
    let graph = negotiator.graph();
    match (negotiator.plan(), negotiate(graph)) {
        (Ok(kept), Ok(fresh)) => {
            assert_eq!(verify(graph, kept), Ok(()));
            // Where a limit came first, more may have been found on the one way than on the other.
            let all = kept.cost.keys(kept.strategy).len();
            if usize::from(kept.proven.min(fresh.proven)) == all {
                assert_eq!(kept, &fresh);
            }
        }
        (Err(NegotiateError::Undecided { .. }), _) | (_, Err(NegotiateError::Undecided { .. })) => {}
        (Err(kept), Err(fresh)) => assert_eq!(kept, fresh),
        (kept, fresh) => panic!("{kept:?}\n{fresh:?}"),
    }
}

/// Any change, mostly one that fits.
fn change(graph: &Graph, bytes: &mut Unstructured<'_>) -> Result<Change> {
    let pins: Vec<PinId> = graph.pin_ids().collect();
    let pin = *bytes.choose(&pins)?;
    let connections = graph.connections();
    Ok(match bytes.int_in_range(0..=9)? {
        0 => Change::Holds { pin, frames: if bytes.arbitrary()? { Some(number(bytes)?) } else { None } },
        1 => Change::MediaSize { pin, bytes: wide_number(bytes)? },
        2 => {
            let (numerator, denominator, margin) = (number(bytes)?, number(bytes)?, number(bytes)?);
            Change::Compression { pin, compression: Compression { numerator, denominator, margin } }
        }
        3 => Change::Connect(Connection { from: pin, to: *bytes.choose(&pins)? }),
        4 if !connections.is_empty() => Change::Disconnect(*bytes.choose(connections)?),
        5 if !graph.routes().is_empty() => {
            let route = *bytes.choose(graph.routes())?;
            let kinds = [RouteKind::Pass, RouteKind::Either, RouteKind::InPlace, RouteKind::Copy];
            Change::Route { from: route.from, to: route.to, kind: *bytes.choose(&kinds)? }
        }
        6 => Change::Mode { filter: filter_of(graph, pin), mode: mode(bytes)? },
        7 => Change::Strategy(bytes.choose(&Strategy::ALL)?.1),
        8 => Change::Bridges(if bytes.arbitrary()? { Bridges::Allow } else { Bridges::Forbid }),
        _ => {
            let mut items = graph.pin(pin).items().to_vec();
            match items.last_mut() {
                Some(last) if bytes.arbitrary()? => *last = item(bytes)?,
                Some(_) if bytes.arbitrary()? => items.clear(),
                _ => items.push(item(bytes)?),
            }
            let framing = if items.is_empty() { Framing::None } else { Framing::Extended(items) };
            Change::Framing { pin, framing }
        }
    })
}

fn filter_of(graph: &Graph, pin: PinId) -> FilterId {
    graph.pin(pin).filter()
}
