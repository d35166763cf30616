//! The callback.

use super::*;

fn counting(allocator: &Allocator) -> Arc<AtomicU32> {
    let calls = Arc::new(AtomicU32::new(0));
    let counter = calls.clone();
    allocator.set_notify(Some(Arc::new(move || {
        counter.fetch_add(1, Ordering::Relaxed);
    })));
    calls
}

#[test]
fn the_callback_is_called_once_a_frame_76_77() {
    let allocator = committed(2, 16);
    let before = allocator.try_acquire().unwrap();
    let calls = counting(&allocator);
    let called = || calls.load(Ordering::Relaxed);
    drop(before);
    assert_eq!(called(), 1);
    let shared = allocator.try_acquire().unwrap().share();
    drop(shared.clone());
    assert_eq!(called(), 1);
    drop(shared);
    assert_eq!(called(), 2);
    for count in 3..10 {
        drop(allocator.try_acquire().unwrap());
        assert_eq!(called(), count);
    }
}

#[test]
fn the_callback_is_called_for_the_last_frame_of_a_drain_and_in_the_next_life_78() {
    let allocator = committed(1, 16);
    let calls = counting(&allocator);
    let frame = allocator.try_acquire().unwrap();
    allocator.decommit();
    drop(frame);
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    allocator.commit().unwrap();
    drop(allocator.try_acquire().unwrap());
    assert_eq!(calls.load(Ordering::Relaxed), 2);
}

#[test]
fn the_callback_is_called_for_a_frame_that_goes_to_a_waiter() {
    let allocator = committed(1, 16);
    let calls = counting(&allocator);
    let frame = allocator.try_acquire().unwrap();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| drop(allocator.acquire(None).unwrap()));
        until_waiting(&allocator, 1);
        drop(frame);
        waiter.join().unwrap();
    });
    assert_eq!(calls.load(Ordering::Relaxed), 2);
}

#[test]
fn the_callback_may_use_the_allocator_and_finds_the_frame_free_79_80() {
    let allocator = committed(1, 16);
    let (sender, seen) = mpsc::channel();
    let in_use = {
        let allocator = allocator.clone();
        move || {
            // On another thread, so that a lock held here would be found out.
            let allocator = allocator.clone();
            thread::spawn(move || (allocator.status().in_use, allocator.try_acquire().map(Frame::into_raw)))
                .join()
                .unwrap()
        }
    };
    allocator.set_notify(Some(Arc::new(move || sender.send(in_use()).unwrap())));
    drop(allocator.try_acquire().unwrap());
    let (in_use, raw) = seen.recv().unwrap();
    assert_eq!(in_use, 0);
    allocator.set_notify(None);
    drop(allocator.reclaim(raw.unwrap()).unwrap());
    assert_eq!(allocator.status().in_use, 0);
}

#[test]
fn a_callback_replaced_or_taken_away_is_dropped_and_not_called_81_82() {
    let allocator = committed(1, 16);
    let first = counting(&allocator);
    let second = counting(&allocator);
    assert_eq!(Arc::strong_count(&first), 1);
    drop(allocator.try_acquire().unwrap());
    assert_eq!((first.load(Ordering::Relaxed), second.load(Ordering::Relaxed)), (0, 1));
    allocator.set_notify(None);
    assert_eq!(Arc::strong_count(&second), 1);
    drop(allocator.try_acquire().unwrap());
    assert_eq!(second.load(Ordering::Relaxed), 1);
}
