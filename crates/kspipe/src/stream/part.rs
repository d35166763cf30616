//! One process's part of a graph: its queues, doors and pools.

use super::engine::{Door, OuterPool, Outlet, Pool, Queue, Ring, To, Way};
use super::prepare::Prepared;
use super::running::{Local, RunError, RunOptions, Running, commit};
use super::sharing::{Process, Sharing};
use super::wiring::Wiring;
use crate::allocator::shared::{Holder, RoleError, TrustedPool};
use crate::graph::{Graph, PinId};
use crate::negotiate::{PipeId, Plan};
use std::sync::Arc;

/// The part of a graph that one process runs.
#[derive(Debug)]
pub struct Part<'a> {
    /// What the processes share.
    pub sharing: &'a Sharing,
    /// Which process this is.
    pub process: Process,
    /// The pools of the shared pipes that this process's filters have to do with; of more, those are left alone.
    pub pools: &'a [(PipeId, TrustedPool)],
}

/// Frames that leave a process at an out pin, or at several.
struct Leaving {
    pipe: PipeId,
    sender: Holder,
    receivers: Vec<Holder>,
    /// An in pin there is of a filter outside: a process may come, or come back, and take frames there.
    may_be_joined: bool,
}

impl Prepared {
    /// Starts one process's part of the graph: as [`start`](Prepared::start), with the pipes that processes share in the pools
    /// given. The process's holders are admitted already, and so are the server's: who finds one of those gone takes it that its
    /// filter has ended. The sources of other processes are closed.
    ///
    /// At the end this process's holders are free of claims. Its in pins have [left](crate::allocator::shared::TrustedReceiver),
    /// and the streams of its out pins have ended.
    ///
    /// # Errors
    /// As for [`start`](Prepared::start), and where a pool is missing or a holder not admitted.
    pub fn start_part(self, plan: &Plan, options: RunOptions, part: Part<'_>) -> Result<Running, RunError> {
        let wiring = Wiring::of(&self.graph, plan, &self.formats).map_err(|message| RunError::Plan { message })?;
        let local = part.local(&self.graph, plan, wiring)?;
        self.start_local(plan, options, local)
    }
}

impl Part<'_> {
    fn local(&self, graph: &Graph, plan: &Plan, mut wiring: Wiring) -> Result<Local, RunError> {
        let here: Vec<bool> = (0..graph.filters().len()).map(|it| self.sharing.is_in(it, self.process)).collect();
        let is_here = |pin: PinId| here.get(graph.pin(pin).filter().0 as usize) == Some(&true);
        let pools = self.pools(graph, plan, &wiring, is_here)?;
        let mut queues: Vec<Option<Queue>> = wiring.queues.iter().map(|_| None).collect();
        for (in_pin, queue) in wiring.inputs.iter().flatten().filter(|(pin, _)| is_here(*pin)) {
            let pipe = wiring.queues[*queue];
            let id = PipeId(pools[pipe].pipe);
            let shared = self.sharing.pipe_of(id).and_then(|shared| shared.holder(*in_pin));
            queues[*queue] = match shared {
                Some(holder) => {
                    let receiver = self.pool(graph, id, *in_pin)?.receiver(holder);
                    let receiver = receiver.map_err(|error| role(graph, id, *in_pin, error))?;
                    Some(Queue::Ring(Ring::new(Arc::clone(&pools[pipe]), receiver)))
                }
                None => Some(Queue::new(pools[pipe].frames())),
            };
        }
        let queues = queues.into_iter().map(|queue| queue.unwrap_or_else(|| Queue::new(0))).collect();
        let doors = self.doors(graph, plan, &mut wiring, is_here)?;
        Ok(Local { here, wiring, pools, queues, doors })
    }

    fn pool(&self, graph: &Graph, id: PipeId, pin: PinId) -> Result<&TrustedPool, RunError> {
        let found = self.pools.iter().find(|(of, _)| *of == id).map(|(_, pool)| pool);
        let missing = || RunError::Sharing {
            pipe: id.0,
            message: format!("`{}` needs the pool of it, which is not there", graph.pin_name(pin)),
        };
        found.ok_or_else(missing)
    }

    /// The pools of all pipes: shared ones as they are, the others committed where this process alone has to do with them.
    fn pools(
        &self,
        graph: &Graph,
        plan: &Plan,
        wiring: &Wiring,
        is_here: impl Fn(PinId) -> bool,
    ) -> Result<Vec<Arc<Pool>>, RunError> {
        let mut pools = Vec::with_capacity(plan.pipes.len());
        for (pipe, id) in plan.pipes.iter().zip((0..).map(PipeId)) {
            let pins = graph.pin_ids().filter(|pin| plan.pipe_of[pin.index()] == id && is_here(*pin));
            // Who sends over a bridge takes frames beyond it.
            let bridges = wiring.outlets.iter().flatten().filter(|outlet| outlet.bridge == Some(id.index()));
            let beyond = bridges.map(|outlet| outlet.pin).find(|pin| is_here(*pin));
            let pin = pins.chain(beyond).next();
            let pool = match (self.sharing.pipe_of(id), pin) {
                (_, None) => Pool::elsewhere(id.0),
                (None, Some(_)) => commit(graph, plan, id.0, pipe)?,
                (Some(shared), Some(pin)) => {
                    let pool = self.pool(graph, id, pin)?;
                    if pool.participant().properties().senders != shared.properties().senders
                        || pool.participant().properties().acquirers != shared.properties().acquirers
                        || u64::from(pool.participant().properties().frames.frames) != pipe.frames
                        || pool.participant().properties().frames.size < pipe.frame_size
                    {
                        let message = "its pool is another one than the graph and the plan ask for".to_owned();
                        return Err(RunError::Sharing { pipe: id.0, message });
                    }
                    let acquirers = shared.holders().filter(|(holder, pin, _)| !holder.is_in_pin() && is_here(*pin));
                    let acquirers = acquirers.map(|(holder, pin, _)| {
                        let acquirer = pool.acquirer(holder).map_err(|error| role(graph, id, pin, error))?;
                        Ok((pin, acquirer))
                    });
                    let acquirers = acquirers.collect::<Result<_, RunError>>()?;
                    Pool::outer(id.0, shared.memory_type, OuterPool::new(pool.clone(), acquirers))
                }
            };
            pools.push(Arc::new(pool));
        }
        Ok(pools)
    }

    /// The ways out of this process. Out pins of one filter that send on one in pin's frames to other processes become one
    /// way, so that a frame is handed to all of these at once.
    fn doors(
        &self,
        graph: &Graph,
        plan: &Plan,
        wiring: &mut Wiring,
        is_here: impl Fn(PinId) -> bool,
    ) -> Result<Vec<Door>, RunError> {
        let mut ways: Vec<Vec<Option<Leaving>>> = Vec::with_capacity(wiring.outlets.len());
        for outlets in &wiring.outlets {
            let way = |outlet: &Outlet| {
                let peer = graph.pin(outlet.pin).peer().filter(|peer| is_here(outlet.pin) && !is_here(*peer))?;
                let pipe = plan.pipe_of[peer.index()];
                let [sender, receiver] = self.sharing.sender_of(graph, wiring, pipe, peer)?;
                let may_be_joined = self.sharing.process_of(graph, peer) != Process::Server;
                Some(Leaving { pipe, sender, receivers: vec![receiver], may_be_joined })
            };
            ways.push(outlets.iter().map(way).collect());
        }
        let mut doors = Vec::new();
        for (outlets, ways) in wiring.outlets.iter_mut().zip(ways) {
            let mut merged: Vec<(Outlet, Option<Leaving>)> = Vec::with_capacity(outlets.len());
            for (outlet, way) in outlets.drain(..).zip(ways) {
                let is_same = |outlet: &Outlet| outlet.way == Way::Same && outlet.bridge.is_none();
                let with = |before: &Outlet| is_same(before) && is_same(&outlet) && before.from == outlet.from;
                let found = merged.iter_mut().filter(|(before, _)| with(before)).find_map(|(_, way)| way.as_mut());
                match (found, way) {
                    (Some(found), Some(way)) => {
                        found.receivers.extend(way.receivers);
                        found.may_be_joined |= way.may_be_joined;
                    }
                    (_, way) => merged.push((outlet, way)),
                }
            }
            for (mut outlet, way) in merged {
                if let Some(Leaving { pipe, sender, receivers, may_be_joined }) = way {
                    let pool = self.pool(graph, pipe, outlet.pin)?;
                    let sender = pool.sender_to(sender, &receivers);
                    let sender = sender.map_err(|error| role(graph, pipe, outlet.pin, error))?;
                    outlet.to = To::Door { door: doors.len(), pins: receivers.len() as u64 };
                    doors.push(Door::new(sender, (!may_be_joined).then(|| pool.clone())));
                }
                outlets.push(outlet);
            }
        }
        Ok(doors)
    }
}

fn role(graph: &Graph, pipe: PipeId, pin: PinId, error: RoleError) -> RunError {
    RunError::Sharing { pipe: pipe.0, message: format!("`{}`: {error}", graph.pin_name(pin)) }
}
