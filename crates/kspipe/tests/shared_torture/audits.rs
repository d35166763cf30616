//! What must be true once a process is dead.

use crate::process::{Child, Event};
use crate::stage::{FILTER, FRAMES, LATER, LONG, OTHER, Props, SINK, SOURCE, Stage, VIEWER};
use std::time::Instant;

/// A source is dead: its frame arrived with both or with none, and everything goes on.
pub(crate) fn source_is_dead(stage: &mut Stage, _: Props) {
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
pub(crate) fn source_is_dead_and_one_slept(stage: &mut Stage, mut props: Props) {
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
pub(crate) fn receiver_is_dead(stage: &mut Stage, props: Props) {
    stage.bury(&[FILTER]);
    drop(props);
    let number = stage.number;
    let got = stage.drain(VIEWER);
    stage.check(got == [number], || format!("of frame {number} {VIEWER} got {got:?}"));
    stage.goes_on();
}

/// Somebody waited for what the dead one had.
pub(crate) fn receiver_is_dead_and_one_waited(stage: &mut Stage, mut props: Props) {
    stage.bury(&[FILTER]);
    must_exit(stage, &mut props.sleeper, 0, "who waited gets the frame");
    stage.bury(&[OTHER]);
    drop(props);
    stage.goes_on();
}

pub(crate) fn filter_is_dead(stage: &mut Stage, props: Props) {
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

pub(crate) fn waiter_is_dead(stage: &mut Stage, props: Props) {
    stage.bury(&[OTHER]);
    drop(props);
    stage.goes_on();
}

/// The source lives, and its receiver ended meanwhile: what it was sent is home already.
pub(crate) fn receiver_ended_meanwhile(stage: &mut Stage, _: Props) {
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

/// A source is dead, and a server that recovered it, too: who waited gets what it had.
pub(crate) fn source_is_dead_and_one_waited(stage: &mut Stage, mut props: Props) {
    stage.bury(&[SOURCE]);
    must_exit(stage, &mut props.sleeper, 0, "who waited gets the frame");
    stage.bury(&[OTHER]);
    stage.goes_on();
}

/// Who waited first is dead, whatever it had been granted: the one behind it gets the frame that came home.
pub(crate) fn waiter_is_dead_and_one_waits_behind(stage: &mut Stage, mut props: Props) {
    stage.bury(&[OTHER]);
    must_exit(stage, &mut props.sleeper, 0, "who waited behind it gets the frame");
    stage.bury(&[LATER]);
    drop(props);
    stage.goes_on();
}

/// One that left has nothing left, and its neighbour got all that was sent.
pub(crate) fn one_has_left(stage: &mut Stage, props: Props) {
    let held = stage.pool.ledger(Instant::now()).holders[0].held.len();
    stage.check(held == 0, || format!("{FILTER} has left, and has {held} frames"));
    stage.bury(&[FILTER]);
    let sent: Vec<u64> = (stage.number - props.sent_meanwhile..=stage.number).collect();
    let got = stage.drain(VIEWER);
    stage.check(got == sent, || format!("{VIEWER} got {got:?} and was sent {sent:?}"));
    stage.goes_on();
}
