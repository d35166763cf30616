//! A process is stepped once through every instruction of a scene, and then, in as many trials, killed at each.
//!
//! Children of one parent have the same addresses, and on one processor they do the same, so that an instruction is found
//! again by its address and by how often it was executed before: a breakpoint, not thousands of steps, leads to it. Only
//! reading the clock may take another path; a point that is not met there is one after all of the scene, and is counted.

use crate::process::Child;
use crate::scenes::{Scene, two_stops};
use crate::stage::{Props, Stage};
use std::collections::HashMap;
use std::time::Instant;

/// An instruction of a run: before it is executed at this address for the nth time, from 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    pub(crate) address: u64,
    pub(crate) nth: u32,
}

/// An instruction of the first run.
struct Traced {
    point: Point,
    /// It changed what others see, is a system call, or stands next to one of these.
    matters: bool,
    /// It is a system call.
    call: bool,
}

/// Where it is not said to be every instruction, of those that do not matter one in so many.
const STRIDE: usize = 16;

pub(crate) fn run(scenes: &[Scene], every: bool) -> Vec<String> {
    let calls = |traced: &[Traced]| traced.iter().filter(|traced| traced.call).count();
    let of_stops = calls(&trace(&two_stops(), &mut Stage::new()));
    let columns = ["instructions", "calls", "changes", "trials", "not met", "violations", "s"];
    println!("\n{:<52}{}", "killed at each instruction of", columns.map(|column| format!("{column:>13}")).concat());
    let mut violations = Vec::new();
    for scene in scenes {
        let start = Instant::now();
        let mut stage = Stage::new();
        let traced = trace(scene, &mut stage);
        let points: Vec<Point> = (0..)
            .zip(&traced)
            .filter(|(place, traced)| every || traced.matters || place % STRIDE == 0)
            .map(|(_, traced)| traced.point)
            .collect();
        let before = violations.len();
        let mut missed = 0;
        for point in &points {
            missed += usize::from(!trial(scene, &mut stage, *point));
            if !stage.violations.is_empty() {
                let found = std::mem::take(&mut stage.violations);
                violations.extend(found.into_iter().map(|text| format!("{}, at {point:x?}: {text}", scene.name)));
                // What is broken is not looked at again.
                stage = Stage { number: stage.number, ..Stage::new() };
            }
        }
        let changes = traced.iter().filter(|traced| traced.matters).count();
        let called = calls(&traced).saturating_sub(of_stops);
        let counts = [traced.len(), called, changes, points.len(), missed, violations.len() - before];
        let seconds = start.elapsed().as_secs_f32();
        println!("{:<52}{}{seconds:>13.1}", scene.name, counts.map(|count| format!("{count:>13}")).concat());
        if scene.awake && called != 0 {
            violations.push(format!("{}: {called} system calls, and nobody slept", scene.name));
        }
        if missed * 20 > points.len() {
            violations.push(format!("{}: {missed} of {} points were not met", scene.name, points.len()));
        }
    }
    violations
}

fn start(scene: &Scene, stage: &mut Stage) -> (Child, Props) {
    stage.number += 10;
    let props = (scene.prepare)(stage);
    let (descriptors, number, run) = (stage.descriptors(), stage.number, scene.run);
    (Child::start_traced(move || run(descriptors, number)), props)
}

/// Everything others can see of the pool, in one number.
fn fingerprint(stage: &mut Stage) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    stage.pool.participant().control_words().for_each(|word| word.hash(&mut hasher));
    hasher.finish()
}

fn trace(scene: &Scene, stage: &mut Stage) -> Vec<Traced> {
    let (mut child, mut props) = start(scene, stage);
    let mut times = HashMap::new();
    let mut traced: Vec<Traced> = Vec::new();
    let mut seen = fingerprint(stage);
    let mut near = false;
    loop {
        let address = child.instruction();
        let nth = times.entry(address).or_insert(0);
        *nth += 1;
        let point = Point { address, nth: *nth };
        if let Some(watch) = &scene.watch {
            watch(stage, point);
        }
        let call = child.is_at_system_call();
        let on = {
            let (stage, props) = (&mut *stage, &mut props);
            let mut act = scene.while_asleep.filter(|_| call).map(|act| move || act(stage, props));
            child.step(act.as_mut().map(|act| act as &mut dyn FnMut()))
        };
        if on.is_none() {
            break;
        }
        let now = fingerprint(stage);
        let matters = call || now != seen;
        if matters && let Some(before) = traced.last_mut() {
            before.matters = true;
        }
        traced.push(Traced { point, matters: matters || near, call });
        (seen, near) = (now, matters);
    }
    // Run through, it is one more trial: killed after all of it.
    finish(scene, stage, child, props);
    assert!(stage.violations.is_empty() || cfg!(feature = "wrong-hand-over"), "{}: {:?}", scene.name, stage.violations);
    stage.violations.clear();
    traced
}

/// `false` where the point was not met.
fn trial(scene: &Scene, stage: &mut Stage, point: Point) -> bool {
    let (mut child, mut props) = start(scene, stage);
    let met = {
        let (stage, props) = (&mut *stage, &mut props);
        let mut act = scene.while_asleep.map(|act| move || act(stage, props));
        child.run_to(point.address, point.nth, act.as_mut().map(|act| act as &mut dyn FnMut()))
    };
    if let Some(meanwhile) = scene.meanwhile {
        meanwhile(stage, &mut props);
        if met {
            child.run_to_stop(None);
        }
    }
    finish(scene, stage, child, props);
    met
}

fn finish(scene: &Scene, stage: &mut Stage, child: Child, props: Props) {
    child.kill();
    (scene.audit)(stage, props);
}
