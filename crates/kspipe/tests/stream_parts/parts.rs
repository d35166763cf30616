//! A graph run in parts, each as a process of its own would run it: with its own descriptors and its own mapping. Threads of
//! this process stand in for the processes, so that thousands of graphs can be run.

use kspipe::allocator::shared::{Access, Participant, SharedPool, TrustedPool};
use kspipe::graph::{FilterId, Graph};
use kspipe::negotiate::{PipeId, Plan};
use kspipe::stream::{Part, Prepared, Process, Report, RunOptions, Running, Sharing, prepare};
use std::time::Duration;

/// How long nothing may move before a run is said to hang. Long: the machine may be busy with other things.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often that is waited for, and for an end of a part.
const MOST_WAITS: u32 = 30;

#[allow(unsafe_code)]
pub(crate) fn trusted(participant: Participant) -> TrustedPool {
    // SAFETY: all who have the descriptors are in this program, which touches frames by the engine only; and nobody recovers
    // a holder before its part has ended.
    unsafe { TrustedPool::new(participant) }
}

/// The pools that the processes of a graph share.
pub(crate) struct Pools {
    pub(crate) sharing: Sharing,
    pub(crate) pools: Vec<(PipeId, SharedPool)>,
}

impl Pools {
    pub(crate) fn of(prepared: &Prepared, plan: &Plan, outside: &[FilterId]) -> Self {
        let sharing = prepared.sharing(plan, outside).unwrap();
        let mut pools = Vec::new();
        for (id, pipe) in sharing.pipes() {
            let mut pool = SharedPool::create(pipe.properties().clone()).unwrap();
            pipe.holders().for_each(|(holder, _, _)| pool.admit(holder).unwrap());
            pools.push((id, pool));
        }
        Pools { sharing, pools }
    }

    /// What a process gets: the pools it has a part in, opened from descriptors.
    pub(crate) fn given(&self, process: Process) -> Vec<(PipeId, TrustedPool)> {
        let of_process =
            |id: PipeId| self.sharing.pipe_of(id).is_some_and(|pipe| pipe.holders_of(process).next().is_some());
        let opened =
            |pool: &SharedPool| trusted(Participant::open(pool.descriptors().unwrap(), Access::Write).unwrap());
        self.pools.iter().filter(|(id, _)| of_process(*id)).map(|(id, pool)| (*id, opened(pool))).collect()
    }

    pub(crate) fn start(&self, prepared: Prepared, plan: &Plan, process: Process) -> Running {
        let pools = self.given(process);
        let part = Part { sharing: &self.sharing, process, pools: &pools };
        prepared.start_part(plan, RunOptions::default(), part).unwrap()
    }

    /// Every frame is home, without anybody's help.
    pub(crate) fn audit(&mut self) -> Result<(), String> {
        for (id, pool) in &mut self.pools {
            let ledger = pool.ledger(std::time::Instant::now());
            if ledger.free != ledger.frames {
                return Err(format!("pipe {}: {ledger:#?}", id.0));
            }
        }
        Ok(())
    }
}

/// Waits for all parts; an error where for long nothing moves, or they go on and on.
pub(crate) fn wait(parts: Vec<(Process, Running)>) -> Result<Vec<(Process, Report)>, String> {
    let moved = |parts: &[(Process, Running)]| -> Vec<u64> {
        parts
            .iter()
            .flat_map(|(_, part)| {
                let progress = part.progress();
                let sinks: u64 = progress.sinks.iter().map(|sink| sink.frames).sum();
                [progress.source_frames, sinks, u64::from(progress.finished)]
            })
            .collect()
    };
    let mut before = Vec::new();
    for _ in 0..MOST_WAITS {
        let Some((_, waited)) = parts.iter().find(|(_, part)| !part.is_finished()) else {
            return Ok(parts.into_iter().map(|(process, part)| (process, part.wait())).collect());
        };
        if waited.wait_timeout(PATIENCE) {
            continue;
        }
        let now = moved(&parts);
        if now == before {
            break;
        }
        before = now;
    }
    let progress: Vec<_> = parts.iter().map(|(process, part)| (process, part.progress())).collect();
    Err(format!("it does not end: {progress:#?}"))
}

/// Runs a graph in parts, started in the order of the numbers.
pub(crate) fn run(
    graph: &Graph,
    plan: &Plan,
    outside: &[FilterId],
    order: &[u32],
) -> Result<Vec<(Process, Report)>, String> {
    let prepared = || prepare(graph.clone()).unwrap();
    let mut pools = Pools::of(&prepared(), plan, outside);
    let mut processes: Vec<_> = pools.sharing.processes().zip(order.iter().cycle()).collect();
    processes.sort_by_key(|(_, order)| **order);
    let start = |(process, _)| (process, pools.start(prepared(), plan, process));
    let reports = wait(processes.into_iter().map(start).collect())?;
    pools.audit()?;
    Ok(reports)
}
