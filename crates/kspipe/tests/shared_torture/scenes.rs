//! What is killed, at which of its doings, and what the living do meanwhile.

use crate::audits::*;
use crate::process::Child;
use crate::roles;
use crate::stage::{FILTER, FRAMES, LATER, OTHER, Props, SOURCE, Stage, VIEWER};
use crate::steps::Point;
use kspipe::allocator::shared::Descriptors;
use std::cell::Cell;
use std::rc::Rc;
use std::time::Instant;

type Watch = Box<dyn Fn(&mut Stage, Point)>;

/// One doing of one role.
pub(crate) struct Scene {
    pub(crate) name: &'static str,
    /// Before the process is there.
    pub(crate) prepare: Box<dyn Fn(&mut Stage) -> Props>,
    /// What the process does: between two stops, every instruction is a point.
    pub(crate) run: fn(Descriptors, u64) -> i32,
    /// What the living do at that point, where it is not the process's end: then it goes on, and is killed when done.
    pub(crate) meanwhile: Option<fn(&mut Stage, &mut Props)>,
    /// What the living do when the process first sleeps.
    pub(crate) while_asleep: Option<fn(&mut Stage, &mut Props)>,
    /// What must be true once the process is dead.
    pub(crate) audit: fn(&mut Stage, Props),
    /// Nobody sleeps, so nothing calls the system.
    pub(crate) awake: bool,
    /// Told each step of the first run: what there is to be seen by others, and where.
    pub(crate) watch: Option<Watch>,
}

impl Scene {
    fn new(name: &'static str, run: fn(Descriptors, u64) -> i32, audit: fn(&mut Stage, Props)) -> Self {
        let prepare = Box::new(|_: &mut Stage| Props::default());
        Scene { name, prepare, run, meanwhile: None, while_asleep: None, audit, awake: false, watch: None }
    }

    fn prepared(self, prepare: impl Fn(&mut Stage) -> Props + 'static) -> Self {
        Scene { prepare: Box::new(prepare), ..self }
    }

    fn awake(self) -> Self {
        Scene { awake: true, ..self }
    }

    fn meanwhile(self, meanwhile: fn(&mut Stage, &mut Props)) -> Self {
        Scene { meanwhile: Some(meanwhile), ..self }
    }

    fn while_asleep(self, act: fn(&mut Stage, &mut Props)) -> Self {
        Scene { while_asleep: Some(act), ..self }
    }

    fn watched(self, watch: impl Fn(&mut Stage, Point) + 'static) -> Self {
        Scene { watch: Some(Box::new(watch)), ..self }
    }
}

/// To be compared with.
pub(crate) fn two_stops() -> Scene {
    Scene::new("nothing", roles::nothing, |_, _| {})
}

/// Where the ledger has who waits: after three in pins and the source.
const WAITER: usize = 4;

fn all_frames(stage: &mut Stage) -> Props {
    let held = (0..FRAMES).filter_map(|_| stage.acquire(SOURCE)).collect();
    Props { held, ..Props::default() }
}

fn one_sent(stage: &mut Stage) -> Props {
    let number = stage.number;
    stage.send(number);
    Props::default()
}

/// The one in pin's frame is the only one that can come home, and a process sleeps until it does.
fn one_sent_and_one_waits(stage: &mut Stage) -> Props {
    let mut props = one_sent(stage);
    stage.drain(VIEWER);
    props.held = (1..FRAMES).filter_map(|_| stage.acquire(SOURCE)).collect();
    props.sleeper = Some(stage.acquirer_asleep(OTHER));
    props
}

/// A source died that had all frames, and somebody sleeps until one comes home.
fn all_frames_of_a_dead_source_and_one_waits(stage: &mut Stage) -> Props {
    let descriptors = stage.descriptors();
    let mut source = Child::start(move || roles::die_with_all_frames(descriptors));
    source.wait();
    Props { sleeper: Some(stage.acquirer_asleep(OTHER)), ..Props::default() }
}

fn another_waits_and_a_frame_comes_home(stage: &mut Stage, props: &mut Props) {
    props.sleeper = Some(stage.acquirer_asleep(LATER));
    drop(props.held.pop());
}

/// Leaves as a process that lives, comes back where it may, and is let in later where the source is in the middle.
fn leaves_and_returns(stage: &mut Stage, _: &mut Props) {
    roles::trusted(stage.here()).receiver(FILTER).expect("a role").leave();
    stage.pool.recover(&[FILTER]);
    let _ = stage.pool.admit(FILTER);
}

/// Hand-overs, at which both wrong ones show.
pub(crate) fn hand_overs() -> Vec<Scene> {
    vec![
        Scene::new("source: hand over to two", roles::hand_over, source_is_dead).awake(),
        Scene::new("source: hand over, a receiver ends", roles::hand_over, receiver_ended_meanwhile).meanwhile(
            |stage, _| {
                stage.pool.recover(&[FILTER]);
            },
        ),
        Scene::new("source: hand over, a receiver ends and returns", roles::hand_over, receiver_ended_meanwhile)
            .meanwhile(|stage, _| {
                stage.pool.recover(&[FILTER]);
                // Where the source is in the middle it is let in later.
                let _ = stage.pool.admit(FILTER);
            }),
    ]
}

/// The first point at which something was seen.
#[derive(Clone, Default)]
struct Seen(Rc<Cell<Option<Point>>>);

impl Seen {
    fn at(&self, point: Point, seen: bool) {
        if seen && self.0.get().is_none() {
            self.0.set(Some(point));
        }
    }

    /// Leaves a process dead that did this, up to there.
    fn die(&self, stage: &Stage, run: fn(Descriptors, u64) -> i32) {
        let point = self.0.get().expect("seen when the scene was stepped");
        let (descriptors, number) = (stage.descriptors(), stage.number);
        let mut child = Child::start_traced(move || run(descriptors, number));
        child.run_to(point.address, point.nth, None);
        child.kill();
    }
}

/// How many frames a holder has, and how many of them wait in its ring.
fn has(stage: &mut Stage, place: usize) -> (usize, u64) {
    let ledger = stage.pool.ledger(Instant::now());
    (ledger.holders[place].held.len(), ledger.holders[place].arriving)
}

pub(crate) fn all() -> Vec<Scene> {
    let (passed, half, offered) = (Seen::default(), Seen::default(), Seen::default());
    let mut scenes = hand_overs();
    let (to_passed, to_half, to_offered) = (passed.clone(), half.clone(), offered.clone());
    scenes[0].watch = Some(Box::new(move |stage, point| {
        let [filter, viewer] = [0, 1].map(|place| has(stage, place));
        to_passed.at(point, filter == (1, 0));
        to_half.at(point, filter == (1, 1) && viewer == (1, 0));
    }));
    scenes.extend([
        Scene::new("source: hand over, a receiver leaves and returns", roles::hand_over, receiver_ended_meanwhile)
            .meanwhile(leaves_and_returns),
        Scene::new("source: acquire", roles::acquire, source_is_dead).awake(),
        Scene::new("source: hand over to a sleeper", roles::hand_over, source_is_dead_and_one_slept)
            .prepared(|stage| Props { sleeper: Some(stage.receiver_asleep()), ..Props::default() }),
        Scene::new("receiver: take", roles::take, receiver_is_dead).prepared(one_sent).awake(),
        Scene::new("receiver: release", roles::release, receiver_is_dead).prepared(one_sent).awake(),
        Scene::new("receiver: release to who waits", roles::release, receiver_is_dead_and_one_waited)
            .prepared(one_sent_and_one_waits)
            // Offered, and its cell does not say so yet: it is the next change.
            .watched(move |stage, point| to_offered.at(point, has(stage, WAITER).0 == 1)),
        Scene::new("receiver: leave", roles::leave, receiver_is_dead).prepared(one_sent),
        Scene::new("receiver: leave, and is sent a frame", roles::leave, one_has_left).prepared(one_sent).meanwhile(
            |stage, props| {
                props.sent_meanwhile += 1;
                stage.number += 1;
                stage.send(stage.number);
            },
        ),
        Scene::new("filter: take and hand over", roles::filter, filter_is_dead).prepared(one_sent).awake(),
        Scene::new("acquirer: wait in vain", roles::wait, waiter_is_dead).prepared(all_frames),
        Scene::new("acquirer: wait, a frame comes home", roles::wait, waiter_is_dead)
            .prepared(all_frames)
            .meanwhile(|_, props| drop(props.held.pop())),
        Scene::new("acquirer: sleep, and wake with a grant", roles::wait_long, waiter_is_dead_and_one_waits_behind)
            .prepared(all_frames)
            .while_asleep(another_waits_and_a_frame_comes_home),
        Scene::new("acquirer: poll, and wake with a grant", roles::poll_long, waiter_is_dead_and_one_waits_behind)
            .prepared(all_frames)
            .while_asleep(another_waits_and_a_frame_comes_home),
        Scene::new("server: recovery, a frame passed on and not pushed", roles::recover, source_is_dead).prepared(
            move |stage| {
                passed.die(stage, roles::hand_over);
                Props::default()
            },
        ),
        Scene::new("server: recovery, a frame pushed to one of two", roles::recover, source_is_dead).prepared(
            move |stage| {
                half.die(stage, roles::hand_over);
                Props::default()
            },
        ),
        Scene::new("server: recovery, offers to who waits", roles::recover, source_is_dead_and_one_waited)
            .prepared(all_frames_of_a_dead_source_and_one_waits),
        Scene::new("server: recovery, of one who was offering", roles::recover_filter, receiver_is_dead_and_one_waited)
            .prepared(move |stage| {
                let props = one_sent_and_one_waits(stage);
                offered.die(stage, roles::release);
                props
            }),
    ]);
    scenes
}
