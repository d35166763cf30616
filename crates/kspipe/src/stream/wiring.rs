//! From a graph and its plan to queues and ways between threads, checked: a plan is plain data, and may be anybody's.

use super::engine::{Outlet, Way};
use super::formats::Formats;
use crate::graph::{Direction, Graph, PinId, RouteKind, Run};
use crate::negotiate::{PipeId, Plan};

/// Who is connected to whom, all by filter.
#[derive(Debug, Default)]
pub(super) struct Wiring {
    /// The in pin.
    pub(super) inputs: Vec<Option<PinId>>,
    /// The pipe of the in pin: its frames wait in the filter's queue.
    pub(super) queues: Vec<Option<usize>>,
    /// The out pins.
    pub(super) outlets: Vec<Vec<Outlet>>,
    /// Bytes of a picture at the out pin, the same at every one of them; 0 without one.
    pub(super) out_bytes: Vec<usize>,
}

impl Wiring {
    /// The wiring of a graph by a plan, or what of the plan does not fit.
    pub(super) fn of(graph: &Graph, plan: &Plan, formats: &Formats) -> Result<Self, String> {
        check_pipes(graph, plan, formats)?;
        let mut wiring = Wiring::default();
        for filter in graph.filters() {
            let input = filter.pins().find(|pin| graph.pin(*pin).direction() == Direction::In);
            let out_pins = filter.pins().filter(|pin| graph.pin(*pin).direction() == Direction::Out);
            let mut outlets = Vec::new();
            let mut out_bytes = 0;
            for pin in out_pins {
                let way = match input {
                    None => Way::New { pipe: plan.pipe_of[pin.index()].index(), counts: false },
                    Some(input) => way(graph, plan, filter.run(), input, pin)?,
                };
                out_bytes = formats.get(pin).map_or(0, |format| format.frame_bytes());
                let peer = graph.pin(pin).peer();
                let bridge = peer.filter(|peer| is_bridge(plan, pin, *peer)).map(|peer| plan.pipe_of[peer.index()]);
                outlets.push(Outlet {
                    way,
                    to: peer.map(|peer| graph.pin(peer).filter().index()),
                    bridge: bridge.map(PipeId::index),
                });
            }
            Outlet::order(&mut outlets);
            wiring.inputs.push(input);
            wiring.queues.push(input.map(|pin| plan.pipe_of[pin.index()].index()));
            wiring.outlets.push(outlets);
            wiring.out_bytes.push(out_bytes);
        }
        Ok(wiring)
    }
}

fn is_bridge(plan: &Plan, from: PinId, to: PinId) -> bool {
    plan.bridges.iter().any(|bridge| (bridge.connection.from, bridge.connection.to) == (from, to))
}

/// How frames go from a filter's in pin to one of its out pins.
fn way(graph: &Graph, plan: &Plan, run: Option<&Run>, from: PinId, to: PinId) -> Result<Way, String> {
    let route = graph.routes().iter().find(|route| (route.from, route.to) == (from, to));
    let route = route.ok_or_else(|| format!("no route leads to `{}`", graph.pin_name(to)))?;
    let choice = plan.copies.iter().find(|choice| choice.route == *route);
    let copies = match route.kind {
        RouteKind::Pass | RouteKind::InPlace => false,
        RouteKind::Copy => true,
        RouteKind::Either => choice.is_some(),
    };
    let [from_pipe, to_pipe] = [from, to].map(|pin| plan.pipe_of[pin.index()]);
    if copies {
        // Filters that change nothing copy whatever the reason; others only where the plan had the choice.
        let relays = matches!(run, Some(Run::Tee | Run::Hold { .. }));
        return Ok(Way::New { pipe: to_pipe.index(), counts: relays || route.kind == RouteKind::Either });
    }
    if from_pipe != to_pipe {
        return Err(format!(
            "the route from `{}` to `{}` keeps the frame, but they are in pipes {} and {}",
            graph.pin_name(from),
            graph.pin_name(to),
            from_pipe.0,
            to_pipe.0
        ));
    }
    Ok(Way::Same)
}

/// Checks that every pin is in a pipe whose frames hold its pictures, and every connection within one, or a bridge.
fn check_pipes(graph: &Graph, plan: &Plan, formats: &Formats) -> Result<(), String> {
    if plan.pipe_of.len() != graph.pins().len() {
        return Err(format!("it is for {} pins, the graph has {}", plan.pipe_of.len(), graph.pins().len()));
    }
    for pin in graph.pin_ids() {
        let id = plan.pipe_of[pin.index()];
        let pipe = plan.pipes.get(id.index());
        let pipe = pipe.ok_or_else(|| format!("`{}` is in pipe {}, which is not there", graph.pin_name(pin), id.0))?;
        let bytes = formats.get(pin).map_or(0, |format| format.frame_bytes() as u64);
        if pipe.frame_size < bytes {
            return Err(format!(
                "a picture at `{}` takes {bytes} bytes, a frame of pipe {} has {}",
                graph.pin_name(pin),
                id.0,
                pipe.frame_size
            ));
        }
    }
    for connection in graph.connections() {
        let [from, to] = [connection.from, connection.to].map(|pin| plan.pipe_of[pin.index()]);
        if from != to && !is_bridge(plan, connection.from, connection.to) {
            return Err(format!(
                "`{}` and `{}` are connected without a bridge, but in pipes {} and {}",
                graph.pin_name(connection.from),
                graph.pin_name(connection.to),
                from.0,
                to.0
            ));
        }
    }
    Ok(())
}
