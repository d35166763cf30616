//! From a graph and its plan to queues and ways between threads, checked: a plan is plain data, and may be anybody's.

use super::engine::{Outlet, QueueIndex, To, Way};
use super::formats::Formats;
use crate::graph::{Direction, Graph, PinId, RouteKind, Run};
use crate::negotiate::{PipeId, Plan};

/// Who is connected to whom, all by filter.
#[derive(Debug, Default)]
pub(super) struct Wiring {
    /// The in pins, in the order of their names; the queue before each is its place in [`queues`](Self::queues).
    pub(super) inputs: Vec<Vec<(PinId, QueueIndex)>>,
    /// Of all filters: the pipe whose frames wait in each queue.
    pub(super) queues: Vec<usize>,
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
        let mut queue_of: Vec<Option<QueueIndex>> = vec![None; graph.pins().len()];
        for filter in graph.filters() {
            let mut inputs = Vec::new();
            for pin in filter.pins().filter(|pin| graph.pin(*pin).direction() == Direction::In) {
                queue_of[pin.index()] = Some(wiring.queues.len());
                inputs.push((pin, wiring.queues.len()));
                wiring.queues.push(plan.pipe_of[pin.index()].index());
            }
            wiring.inputs.push(inputs);
        }
        for (filter, inputs) in graph.filters().iter().zip(&wiring.inputs) {
            let out_pins = filter.pins().filter(|pin| graph.pin(*pin).direction() == Direction::Out);
            let mut outlets = Vec::new();
            let mut out_bytes = 0;
            for pin in out_pins {
                let (from, way) = match inputs.as_slice() {
                    [] => (0, Way::New { pipe: plan.pipe_of[pin.index()].index(), counts: false }),
                    inputs => way(graph, plan, filter.run(), inputs, pin)?,
                };
                out_bytes = formats.get(pin).map_or(0, |format| format.frame_bytes());
                let peer = graph.pin(pin).peer();
                let bridge = peer.filter(|peer| is_bridge(plan, pin, *peer)).map(|peer| plan.pipe_of[peer.index()]);
                outlets.push(Outlet {
                    pin,
                    way,
                    from,
                    to: peer.and_then(|peer| queue_of[peer.index()]).map_or(To::Home, To::Queue),
                    bridge: bridge.map(PipeId::index),
                });
            }
            Outlet::order(&mut outlets);
            wiring.outlets.push(outlets);
            wiring.out_bytes.push(out_bytes);
        }
        Ok(wiring)
    }
}

fn is_bridge(plan: &Plan, from: PinId, to: PinId) -> bool {
    plan.bridges.iter().any(|bridge| (bridge.connection.from, bridge.connection.to) == (from, to))
}

/// Which of a filter's in pins has the frames of one of its out pins, and how they go there.
fn way(
    graph: &Graph,
    plan: &Plan,
    run: Option<&Run>,
    inputs: &[(PinId, QueueIndex)],
    to: PinId,
) -> Result<(usize, Way), String> {
    let found = inputs.iter().enumerate().find_map(|(place, (from, _))| {
        let key = (*from, to);
        let route = graph.routes().binary_search_by_key(&key, |route| (route.from, route.to)).ok()?;
        Some((place, graph.routes()[route]))
    });
    let (place, route) = found.ok_or_else(|| format!("no route leads to `{}`", graph.pin_name(to)))?;
    let choice = plan.copies.iter().find(|choice| choice.route == route);
    let copies = match route.kind {
        RouteKind::Pass | RouteKind::InPlace => false,
        RouteKind::Copy => true,
        RouteKind::Either => choice.is_some(),
    };
    let [from_pipe, to_pipe] = [route.from, to].map(|pin| plan.pipe_of[pin.index()]);
    if copies {
        // Filters that change nothing copy whatever the reason; others only where the plan had the choice.
        let relays = matches!(run, Some(Run::Tee | Run::Join | Run::Hold { .. }));
        return Ok((place, Way::New { pipe: to_pipe.index(), counts: relays || route.kind == RouteKind::Either }));
    }
    if from_pipe != to_pipe {
        return Err(format!(
            "the route from `{}` to `{}` keeps the frame, but they are in pipes {} and {}",
            graph.pin_name(route.from),
            graph.pin_name(to),
            from_pipe.0,
            to_pipe.0
        ));
    }
    Ok((place, Way::Same))
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
