//! What is killed, at which of its doings, and what must be true afterwards.

use crate::payload;
use crate::process::{Child, Event, stop};
use crate::stage::{FILTER, FRAMES, LONG, OTHER, Props, SINK, SOURCE, Stage, VIEWER};
use crate::steps::Point;
use kspipe::allocator::shared::{Access, Descriptors, Participant, SharedPool};
use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

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
    /// What must be true once the process is dead.
    pub(crate) audit: fn(&mut Stage, Props),
    /// Nobody sleeps, so nothing calls the system.
    pub(crate) awake: bool,
    /// Told each step of the first run: what there is to be seen by others, and where.
    pub(crate) watch: Option<Watch>,
}

impl Scene {
    fn new(name: &'static str, run: fn(Descriptors, u64) -> i32, audit: fn(&mut Stage, Props)) -> Self {
        Scene { name, prepare: Box::new(|_| Props::default()), run, meanwhile: None, audit, awake: false, watch: None }
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
}

fn open(descriptors: Descriptors) -> Participant {
    Participant::open(descriptors, Access::Write).expect("the pool")
}

/// Nothing: what the two stops themselves are.
fn nothing(_: Descriptors, _: u64) -> i32 {
    stop();
    stop();
    0
}

/// To be compared with.
pub(crate) fn two_stops() -> Scene {
    Scene::new("nothing", nothing, |_, _| {})
}

/// A source hands one frame over to two in pins.
fn hand_over(descriptors: Descriptors, number: u64) -> i32 {
    let there = open(descriptors);
    let (mut acquirer, mut sender) = (there.acquirer(SOURCE).expect("a role"), there.sender(SOURCE).expect("a role"));
    let mut frame = acquirer.try_acquire().expect("a frame");
    payload::fill(&mut frame, number);
    stop();
    sender.hand_over(frame).expect("handed over");
    stop();
    0
}

fn acquire(descriptors: Descriptors, number: u64) -> i32 {
    let mut acquirer = open(descriptors).acquirer(SOURCE).expect("a role");
    stop();
    let mut frame = acquirer.try_acquire().expect("a frame");
    payload::fill(&mut frame, number);
    stop();
    0
}

fn take(descriptors: Descriptors, _: u64) -> i32 {
    let mut receiver = open(descriptors).receiver(FILTER).expect("a role");
    stop();
    let _frame = receiver.try_receive().expect("a frame");
    stop();
    0
}

fn release(descriptors: Descriptors, _: u64) -> i32 {
    let mut receiver = open(descriptors).receiver(FILTER).expect("a role");
    let frame = receiver.try_receive().expect("a frame");
    stop();
    drop(frame);
    stop();
    0
}

/// A filter takes a frame and sends it on.
fn filter(descriptors: Descriptors, _: u64) -> i32 {
    let there = open(descriptors);
    let (mut receiver, mut sender) = (there.receiver(FILTER).expect("a role"), there.sender(FILTER).expect("a role"));
    stop();
    sender.hand_over(receiver.try_receive().expect("a frame")).expect("handed over");
    stop();
    0
}

/// Somebody waits for a frame for no time at all.
fn wait(descriptors: Descriptors, _: u64) -> i32 {
    let mut acquirer = open(descriptors).acquirer(OTHER).expect("a role");
    stop();
    let frame = acquirer.acquire(Some(Duration::ZERO));
    stop();
    i32::from(frame.is_err())
}

/// A server recovers a dead source and lets another take its place.
fn recover(descriptors: Descriptors, _: u64) -> i32 {
    let mut pool = SharedPool::take_over(descriptors).expect("the pool");
    stop();
    pool.recover(&[SOURCE]);
    let _ = pool.admit(SOURCE);
    stop();
    0
}

/// A source is dead: its frame arrived with both or with none, and everything goes on.
fn source_is_dead(stage: &mut Stage, _: Props) {
    stage.pool.recover(&[SOURCE]);
    if !stage.pool.is_admitted(SOURCE) {
        stage.admit(&[SOURCE]);
    }
    let number = stage.number;
    let got = [FILTER, VIEWER].map(|in_pin| stage.drain(in_pin));
    stage.check(got[0] == got[1] && (got[0].is_empty() || got[0] == [number]), || {
        format!("of frame {number} {FILTER} got {:?} and {VIEWER} {:?}", got[0], got[1])
    });
    stage.goes_on();
}

fn must_exit(stage: &mut Stage, sleeper: &mut Option<Child>, with: i32, says: &str) {
    if let Some(mut sleeper) = sleeper.take() {
        let event = sleeper.wait_for(LONG);
        stage.check(event == Some(Event::Exited(with)), || format!("{says}: {event:?} (nothing: it sleeps still)"));
    }
}

/// As before, where one of the two slept.
fn source_is_dead_and_one_slept(stage: &mut Stage, mut props: Props) {
    stage.bury(&[SOURCE]);
    let number = stage.number;
    let got = stage.drain(VIEWER);
    if got == [number] {
        must_exit(stage, &mut props.sleeper, 0, "the sleeper gets the frame its neighbour got");
    } else {
        stage.check(got.is_empty(), || format!("of frame {number} {VIEWER} got {got:?}"));
        stage.send(number + 1);
        stage.drain(VIEWER);
        must_exit(stage, &mut props.sleeper, 1, "the sleeper gets the next frame");
    }
    stage.number += 1;
    stage.bury(&[FILTER]);
    stage.goes_on();
}

/// A receiver is dead: its neighbour has the frame, and all come home.
fn receiver_is_dead(stage: &mut Stage, props: Props) {
    stage.bury(&[FILTER]);
    drop(props);
    let number = stage.number;
    let got = stage.drain(VIEWER);
    stage.check(got == [number], || format!("of frame {number} {VIEWER} got {got:?}"));
    stage.goes_on();
}

/// Somebody waited for what the dead one had.
fn receiver_is_dead_and_one_waited(stage: &mut Stage, mut props: Props) {
    stage.bury(&[FILTER]);
    must_exit(stage, &mut props.sleeper, 0, "who waited gets the frame");
    stage.bury(&[OTHER]);
    drop(props);
    stage.goes_on();
}

fn filter_is_dead(stage: &mut Stage, props: Props) {
    let number = stage.number;
    stage.pool.recover(&[FILTER]);
    let got = stage.drain(SINK);
    stage.check(got.is_empty() || got == [number], || format!("of frame {number} {SINK} got {got:?}"));
    stage.admit(&[FILTER]);
    receiver_is_dead_and_recovered(stage, props);
}

fn receiver_is_dead_and_recovered(stage: &mut Stage, props: Props) {
    drop(props);
    let number = stage.number;
    let got = stage.drain(VIEWER);
    stage.check(got == [number], || format!("of frame {number} {VIEWER} got {got:?}"));
    stage.goes_on();
}

fn waiter_is_dead(stage: &mut Stage, props: Props) {
    stage.bury(&[OTHER]);
    drop(props);
    stage.goes_on();
}

/// The source lives, and its receiver ended meanwhile: what it was sent is home already.
fn receiver_ended_meanwhile(stage: &mut Stage, _: Props) {
    let number = stage.number;
    if !stage.pool.is_admitted(FILTER) {
        let held = stage.pool.ledger(Instant::now()).holders[0].held.len();
        stage.check(held == 0, || format!("{FILTER} has ended, and frame {number} was left to it"));
        stage.admit(&[FILTER]);
    }
    let again = stage.drain(FILTER);
    stage.check(again.is_empty() || again == [number], || format!("of frame {number} {FILTER} got {again:?}"));
    let got = stage.drain(VIEWER);
    stage.check(got == [number], || format!("of frame {number} {VIEWER} got {got:?}"));
    let free = stage.free();
    stage.check(free == FRAMES, || format!("with the source alive {free} of {FRAMES} frames are free"));
    stage.bury(&[SOURCE]);
    stage.goes_on();
}

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
    props.sleeper = Some(stage.acquirer_asleep());
    props
}

/// Hand-overs, at which both wrong ones show.
pub(crate) fn hand_overs() -> Vec<Scene> {
    vec![
        Scene::new("source: hand over to two", hand_over, source_is_dead).awake(),
        Scene::new("source: hand over, a receiver ends", hand_over, receiver_ended_meanwhile).meanwhile(|stage, _| {
            stage.pool.recover(&[FILTER]);
        }),
        Scene::new("source: hand over, a receiver ends and returns", hand_over, receiver_ended_meanwhile).meanwhile(
            |stage, _| {
                stage.pool.recover(&[FILTER]);
                // Where the source is in the middle it is let in later.
                let _ = stage.pool.admit(FILTER);
            },
        ),
    ]
}

pub(crate) fn all() -> Vec<Scene> {
    let passed = Rc::new(Cell::new(None));
    let half = Rc::new(Cell::new(None));
    let mut scenes = hand_overs();
    let (to_passed, to_half) = (passed.clone(), half.clone());
    scenes[0].watch = Some(Box::new(move |stage, point| {
        let ledger = stage.pool.ledger(Instant::now());
        let [filter, viewer] = [0, 1].map(|place| (ledger.holders[place].held.len(), ledger.holders[place].arriving));
        if filter == (1, 0) && to_passed.get().is_none() {
            to_passed.set(Some(point));
        }
        if filter == (1, 1) && viewer == (1, 0) && to_half.get().is_none() {
            to_half.set(Some(point));
        }
    }));
    scenes.extend([
        Scene::new("source: acquire", acquire, source_is_dead).awake(),
        Scene::new("source: hand over to a sleeper", hand_over, source_is_dead_and_one_slept)
            .prepared(|stage| Props { sleeper: Some(stage.receiver_asleep()), ..Props::default() }),
        Scene::new("receiver: take", take, receiver_is_dead).prepared(one_sent).awake(),
        Scene::new("receiver: release", release, receiver_is_dead).prepared(one_sent).awake(),
        Scene::new("receiver: release to who waits", release, receiver_is_dead_and_one_waited)
            .prepared(one_sent_and_one_waits),
        Scene::new("filter: take and hand over", filter, filter_is_dead).prepared(one_sent).awake(),
        Scene::new("acquirer: wait in vain", wait, waiter_is_dead).prepared(all_frames),
        Scene::new("acquirer: wait, a frame comes home", wait, waiter_is_dead)
            .prepared(all_frames)
            .meanwhile(|_, props| drop(props.held.pop())),
    ]);
    for (name, dead_at) in [
        ("server: recovery, a frame passed on and not pushed", passed),
        ("server: recovery, a frame pushed to one of two", half),
    ] {
        let scene = Scene::new(name, recover, source_is_dead).prepared(move |stage| {
            let point = dead_at.get().expect("seen when the hand-over was stepped");
            let (descriptors, number) = (stage.descriptors(), stage.number);
            let mut source = Child::start_traced(move || hand_over(descriptors, number));
            source.run_to(point.address, point.nth);
            source.kill();
            Props::default()
        });
        scenes.push(scene);
    }
    scenes
}
