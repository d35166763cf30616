//! Who sleeps in vain, and since when nothing moves.

use super::super::bell::ASLEEP;
use super::super::handover::CLOSED;
use super::super::word::Word;
use super::*;

/// The cell of an acquirer that sleeps.
const CELL_ASLEEP: u64 = 2;

#[test]
#[cfg_attr(miri, ignore = "Miri maps no memory")]
fn who_sleeps_for_a_free_frame_is_seen_until_there_is_one() {
    let (pool, there) = pool(1, &[acquirer(0)], 3);
    let (holder, sleeper, poller) = (acquirer(0), acquirer(1), acquirer(2));
    let held = pool.participant().acquirer(holder).unwrap().try_acquire().unwrap();
    let mut polls = there.acquirer(poller).unwrap();
    std::thread::scope(|scope| {
        let sleeps = scope.spawn(|| there.acquirer(sleeper).unwrap().acquire(None).map(drop));
        while !waiting::sleeps(words(&pool), sleeper) {
            std::thread::yield_now();
        }
        assert!(polls.arm());
        let first = pool.standstill();
        assert_eq!(first.sleeper(sleeper), Some(SleepsFor::FreeFrame));
        // One does something, for all that is known, and so can the one that polls.
        assert_eq!((first.sleeper(holder), first.sleeper(poller)), (None, None));
        assert_eq!(first, pool.standstill(), "nothing has happened");
        drop(held);
        assert_eq!(sleeps.join().unwrap(), Ok(()));
        assert_eq!(pool.standstill().sleeper(sleeper), None);
    });
}

#[test]
#[cfg_attr(miri, ignore = "Miri maps no memory")]
fn who_sleeps_for_the_next_frame_is_seen_until_it_comes() {
    let (pool, there) = pool(2, &[acquirer(0)], 1);
    let here = pool.participant();
    let (mut frames, mut sender) = (here.acquirer(acquirer(0)).unwrap(), here.sender(acquirer(0)).unwrap());
    std::thread::scope(|scope| {
        let sleeps = scope.spawn(|| there.receiver(in_pin(0)).unwrap().receive(None).map(|frame| number(&frame)));
        while !here.is_asleep(in_pin(0)) {
            std::thread::yield_now();
        }
        assert_eq!(pool.standstill().sleeper(in_pin(0)), Some(SleepsFor::NextFrame));
        send(&mut frames, &mut sender, 7);
        assert_eq!(sleeps.join().unwrap(), Ok(7));
        assert_eq!(pool.standstill().sleeper(in_pin(0)), None);
    });
}

/// Between being woken and looking, or where its waker has died, somebody still is asleep by its word.
#[test]
#[cfg_attr(miri, ignore = "Miri maps no memory")]
fn who_sleeps_while_something_is_there_does_not_sleep_in_vain() {
    let (pool, _there) = pool(1, &[acquirer(0)], 1);
    let words = words(&pool);
    let sleeper = |holder| pool.standstill().sleeper(holder);
    let taken = Word::FRESH.taken_by(in_pin(0));
    words.waiter(acquirer(0)).store(CELL_ASLEEP, Ordering::SeqCst);
    assert_eq!(sleeper(acquirer(0)), None, "one is free");
    words.word(0).store(Word::FRESH.offered_to(in_pin(0)).0, Ordering::SeqCst);
    assert_eq!(sleeper(acquirer(0)), None, "one is being offered");
    words.word(0).store(taken.0, Ordering::SeqCst);
    assert_eq!(sleeper(acquirer(0)), Some(SleepsFor::FreeFrame));

    words.bell(in_pin(0)).store(ASLEEP, Ordering::SeqCst);
    assert_eq!(sleeper(in_pin(0)), Some(SleepsFor::NextFrame));
    for (word, what, value) in [
        (words.tail(in_pin(0)), "one has come", 1),
        (words.ended(in_pin(0)), "the stream has ended", 1),
        (words.section(in_pin(0)), "one is being handed over", 1),
        (words.gate(in_pin(0)), "it takes nothing any more", CLOSED),
    ] {
        let before = word.swap(value, Ordering::SeqCst);
        assert_eq!(sleeper(in_pin(0)), None, "{what}");
        word.store(before, Ordering::SeqCst);
    }
    assert_eq!(sleeper(in_pin(0)), Some(SleepsFor::NextFrame));
    words.gate(acquirer(0)).fetch_or(CLOSED, Ordering::SeqCst);
    assert_eq!(sleeper(acquirer(0)), None, "it is given nothing any more");
}

#[test]
#[cfg_attr(miri, ignore = "Miri maps no memory")]
fn a_frame_that_went_round_and_came_home_makes_another_reading() {
    let (pool, there) = pool(1, &[acquirer(0)], 1);
    let (mut frames, mut sender) = (there.acquirer(acquirer(0)).unwrap(), there.sender(acquirer(0)).unwrap());
    let mut receiver = there.receiver(in_pin(0)).unwrap();
    let before = pool.standstill();
    assert_eq!(pool.standstill(), before);
    send(&mut frames, &mut sender, 1);
    drop(receiver.try_receive().unwrap());
    // The generation wraps: the counters do not.
    let raised = words(&pool).word(0).swap(Word::FRESH.0, Ordering::SeqCst);
    assert_ne!(raised, Word::FRESH.0);
    assert_ne!(pool.standstill(), before);
}

#[test]
#[cfg_attr(miri, ignore = "Miri maps no memory")]
fn the_ledger_knows_since_when_nothing_moves_and_who_waits() {
    let (mut pool, there) = pool(1, &[acquirer(0)], 2);
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    let held = pool.participant().acquirer(acquirer(0)).unwrap().try_acquire().unwrap();
    let mut waiter = there.acquirer(acquirer(1)).unwrap();
    let mut look = |seconds| {
        let ledger = pool.ledger(at(seconds));
        let place = ledger.holders.iter().position(|entry| entry.holder == acquirer(1)).unwrap();
        (ledger.still_since, ledger.holders[place].waiting_since)
    };
    assert_eq!(look(1), (at(1), None));
    assert!(waiter.arm());
    // To wait moves nothing.
    assert_eq!(look(2), (at(1), Some(at(2))));
    assert_eq!(look(3), (at(1), Some(at(2))));
    drop(held);
    assert_eq!(look(4), (at(4), None), "it was granted the frame");
    let held = waiter.try_acquire().unwrap();
    assert!(waiter.arm());
    assert_eq!(look(5), (at(5), Some(at(5))), "another wait");
    assert_eq!(look(6), (at(5), Some(at(5))));
    drop(held);
    assert_eq!(look(7).1, None);
}
