//! Holders that poll: events, and the line of those that wait.

use super::super::word::Word;
use super::*;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::os::fd::AsFd;

fn is_readable(event: impl AsFd) -> bool {
    let mut polled = [PollFd::new(&event, PollFlags::IN)];
    poll(&mut polled, Some(&Timespec::default())).unwrap() == 1
}

#[test]
#[cfg_attr(miri, ignore = "Miri maps no memory")]
fn an_event_is_written_only_when_it_was_armed() {
    let (mut pool, there) = pool(4, &[acquirer(0)], 1);
    let (mut frames, mut sender) = (there.acquirer(acquirer(0)).unwrap(), there.sender(acquirer(0)).unwrap());
    let here = pool.participant().clone();
    let mut receiver = here.receiver(in_pin(0)).unwrap();
    send(&mut frames, &mut sender, 1);
    assert!(!is_readable(receiver.event()), "nobody asked");
    assert!(!receiver.arm(), "one has arrived");
    assert_eq!(receiver.try_receive().map(|frame| number(&frame)), Ok(1));
    assert!(receiver.arm());
    assert!(!is_readable(receiver.event()));
    send(&mut frames, &mut sender, 2);
    assert!(is_readable(receiver.event()));
    send(&mut frames, &mut sender, 3);
    assert_eq!(receiver.try_receive().map(|frame| number(&frame)), Ok(2));
    assert_eq!(receiver.try_receive().map(|frame| number(&frame)), Ok(3));
    assert!(receiver.arm(), "and what it said before is over");
    assert!(!is_readable(receiver.event()));
    pool.close_all();
    assert!(is_readable(receiver.event()), "the end is news too");
    assert_eq!(receiver.try_receive().unwrap_err(), Unready::PoolClosed);
}

#[test]
#[cfg_attr(miri, ignore = "Miri maps no memory")]
fn who_polls_for_a_free_frame_is_told_when_it_has_one() {
    let (mut pool, there) = pool(1, &[acquirer(0)], 2);
    let held = pool.participant().acquirer(acquirer(0)).unwrap().try_acquire().unwrap();
    let mut poller = there.acquirer(acquirer(1)).unwrap();
    for _ in 0..2 {
        assert_eq!(poller.try_acquire().unwrap_err(), Unready::Empty);
        assert!(poller.arm());
        assert!(!is_readable(poller.event()));
    }
    drop(held);
    assert!(is_readable(poller.event()));
    let frame = poller.try_acquire().unwrap();
    assert_eq!(poller.try_acquire().unwrap_err(), Unready::Empty, "it has the only one");
    assert!(poller.arm(), "and what it said before is over");
    assert!(!is_readable(poller.event()));
    drop(frame);
    assert!(is_readable(poller.event()), "its own frame is as good as any");
    drop(poller.try_acquire().unwrap());
    let entry = &pool.ledger(Instant::now()).holders[2];
    assert_eq!((entry.taken, entry.waits, entry.waiting), (2, 2, false));
    assert_eq!(free(&mut pool), 1);
}

#[test]
#[cfg_attr(miri, ignore = "Miri maps no memory")]
fn who_asks_for_a_free_frame_that_is_there_need_not_wait() {
    let (mut pool, there) = pool(2, &[acquirer(0)], 1);
    let mut poller = there.acquirer(acquirer(0)).unwrap();
    assert!(!poller.arm());
    assert!(!is_readable(poller.event()), "no system call for what needs none");
    assert!(poller.try_acquire().is_ok());
    assert_eq!(free(&mut pool), 2);
}

#[test]
#[cfg_attr(miri, ignore = "Miri maps no memory")]
fn pollers_and_sleepers_stand_in_one_line() {
    let (mut pool, there) = pool(1, &[acquirer(0)], 3);
    let held = pool.participant().acquirer(acquirer(0)).unwrap().try_acquire().unwrap();
    let (mut first, mut last) = (there.acquirer(acquirer(1)).unwrap(), there.acquirer(acquirer(0)).unwrap());
    assert!(first.arm());
    std::thread::scope(|scope| {
        let second = scope.spawn(|| there.acquirer(acquirer(2)).unwrap().acquire(None).map(|frame| frame.holder()));
        let deadline = Instant::now() + Duration::from_secs(60);
        while !waiting::sleeps(words(&pool), acquirer(2)) {
            assert!(Instant::now() < deadline, "it goes to sleep");
            std::thread::yield_now();
        }
        assert!(last.arm());
        drop(held);
        assert!(is_readable(first.event()));
        assert_eq!(last.try_acquire().unwrap_err(), Unready::Empty);
        drop(first.try_acquire().unwrap());
        assert_eq!(second.join().unwrap(), Ok(acquirer(2)));
        assert!(is_readable(last.event()));
        assert!(last.try_acquire().is_ok());
    });
    assert_eq!(free(&mut pool), 1);
}

#[test]
#[cfg_attr(miri, ignore = "Miri maps no memory")]
fn one_that_does_not_come_for_its_frame_keeps_nobody_from_another() {
    let (mut pool, there) = pool(2, &[acquirer(0)], 2);
    let mut other = pool.participant().acquirer(acquirer(0)).unwrap();
    let mut held = vec![other.try_acquire().unwrap(), other.try_acquire().unwrap()];
    let mut poller = there.acquirer(acquirer(1)).unwrap();
    assert!(poller.arm());
    held.pop();
    assert_eq!(other.try_acquire().unwrap_err(), Unready::Empty, "it is the other's");
    held.pop();
    drop(other.try_acquire().unwrap());
    drop(other.acquire(Some(Duration::ZERO)).unwrap());
    drop(poller);
    assert_eq!(free(&mut pool), 2, "what it was given goes home without it");
}

#[test]
#[cfg_attr(miri, ignore = "Miri maps no memory")]
fn one_that_polled_and_is_dropped_leaves_the_line() {
    let (mut pool, there) = pool(1, &[acquirer(0)], 2);
    let mut other = pool.participant().acquirer(acquirer(0)).unwrap();
    let held = other.try_acquire().unwrap();
    let mut poller = there.acquirer(acquirer(1)).unwrap();
    assert!(poller.arm());
    drop(poller);
    drop(held);
    assert_eq!(free(&mut pool), 1);
    assert!(other.try_acquire().is_ok());
    assert_eq!(words(&pool).waiting().load(Ordering::SeqCst), 0);
}

#[test]
#[cfg_attr(miri, ignore = "Miri maps no memory")]
fn one_that_polled_and_sleeps_then_keeps_its_place() {
    let (mut pool, there) = pool(1, &[acquirer(0)], 3);
    let held = pool.participant().acquirer(acquirer(0)).unwrap().try_acquire().unwrap();
    let (mut first, mut second) = (there.acquirer(acquirer(1)).unwrap(), there.acquirer(acquirer(2)).unwrap());
    assert!(first.arm() && second.arm());
    std::thread::scope(|scope| {
        let first = scope.spawn(|| first.acquire(None).map(|frame| frame.holder()));
        let deadline = Instant::now() + Duration::from_secs(60);
        while !waiting::sleeps(words(&pool), acquirer(1)) {
            assert!(Instant::now() < deadline, "it goes to sleep");
            std::thread::yield_now();
        }
        drop(held);
        assert_eq!(first.join().unwrap(), Ok(acquirer(1)));
    });
    assert!(second.try_acquire().is_ok());
    let held = second.try_acquire().unwrap();
    assert!(first.arm());
    assert_eq!(first.acquire(Some(Duration::ZERO)).unwrap_err(), Unready::TimedOut);
    assert_eq!(words(&pool).waiting().load(Ordering::SeqCst), 0, "a wait that ended leaves the line");
    drop(held);
    assert_eq!(free(&mut pool), 1);
}

#[test]
#[cfg_attr(miri, ignore = "Miri maps no memory")]
fn who_polls_is_told_why_it_polls_no_longer() {
    type End = fn(&mut SharedPool, &Participant);
    let ends: [(End, Unready); 5] = [
        (|pool, _| pool.shut(acquirer(1)), Unready::Shut),
        (|pool, _| assert_eq!(pool.recover(&[acquirer(1)]).claims, 0), Unready::Shut),
        (|pool, _| pool.close_all(), Unready::PoolClosed),
        (|_, there| there.server_gone(), Unready::ServerGone),
        (|_, there| there.interrupt(), Unready::Interrupted),
    ];
    for (end, expected) in ends {
        let (mut pool, there) = pool(1, &[acquirer(0)], 2);
        let held = pool.participant().acquirer(acquirer(0)).unwrap().try_acquire().unwrap();
        let mut poller = there.acquirer(acquirer(1)).unwrap();
        assert!(poller.arm());
        end(&mut pool, &there);
        assert!(is_readable(poller.event()), "{expected}");
        assert_eq!(poller.try_acquire().unwrap_err(), expected);
        assert!(!poller.arm(), "{expected}: it need not be waited for");
        drop((poller, held));
        assert_eq!(free(&mut pool), 1, "{expected}");
    }
}

/// Swaps the free frame to one that waits, as who then dies.
fn offer(pool: &SharedPool, frame: u32, to: Holder) {
    let word = words(pool).word(frame);
    let free = Word(word.load(Ordering::SeqCst));
    assert!(free.is_free());
    word.store(free.offered_to(to).0, Ordering::SeqCst);
}

#[test]
#[cfg_attr(miri, ignore = "Miri maps no memory")]
fn a_poller_gets_what_the_dead_offered_it_and_did_not_say() {
    let (mut pool, there) = pool(1, &[acquirer(0)], 2);
    let mut poller = there.acquirer(acquirer(1)).unwrap();
    let held = pool.participant().acquirer(acquirer(0)).unwrap().try_acquire().unwrap();
    assert!(poller.arm());
    // It comes home by who dies after the swap: nobody has looked at the line.
    let word = words(&pool).word(0);
    word.store(Word(word.load(Ordering::SeqCst)).without(acquirer(0)).0, Ordering::SeqCst);
    offer(&pool, 0, acquirer(1));
    std::mem::forget(held);
    assert!(!is_readable(poller.event()));
    pool.recover(&[acquirer(0)]);
    assert!(is_readable(poller.event()));
    assert!(poller.try_acquire().is_ok());
}

#[test]
#[cfg_attr(miri, ignore = "Miri maps no memory")]
fn a_poller_that_was_granted_a_frame_by_one_who_died_before_the_event_is_told() {
    let (mut pool, there) = pool(1, &[acquirer(0)], 2);
    let mut poller = there.acquirer(acquirer(1)).unwrap();
    let held = pool.participant().acquirer(acquirer(0)).unwrap().try_acquire().unwrap();
    assert!(poller.arm());
    drop(held);
    // As if the event had not been written.
    assert_eq!(rustix::io::read(poller.event(), &mut [0; 8]), Ok(8));
    pool.recover(&[acquirer(0)]);
    assert!(is_readable(poller.event()));
    assert!(poller.try_acquire().is_ok());
}

#[test]
#[cfg_attr(miri, ignore = "Miri maps no memory")]
fn a_poller_whose_grant_is_taken_back_stays_in_its_place() {
    let (pool, there) = pool(1, &[acquirer(0)], 3);
    let mut other = pool.participant().acquirer(acquirer(0)).unwrap();
    let (mut first, mut second) = (there.acquirer(acquirer(1)).unwrap(), there.acquirer(acquirer(2)).unwrap());
    let held = other.try_acquire().unwrap();
    assert!(first.arm() && second.arm());
    drop(held);
    // Somebody takes the offer back, and has the frame.
    let word = words(&pool).word(0);
    let offered = Word(word.load(Ordering::SeqCst));
    assert!(offered.is_offered_to(acquirer(1)));
    word.store(offered.without(acquirer(1)).taken_by(acquirer(0)).0, Ordering::SeqCst);
    assert_eq!(first.try_acquire().unwrap_err(), Unready::Empty);
    assert!(first.arm());
    assert!(words(&pool).give_back(0, acquirer(0)));
    assert!(is_readable(first.event()) && !is_readable(second.event()));
    assert!(first.try_acquire().is_ok());
    assert!(second.try_acquire().is_ok());
}
