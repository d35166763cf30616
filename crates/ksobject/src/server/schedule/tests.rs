//! Shares, counted in costs that the tests say.

use super::*;

/// Somebody who asks: its client, its user, what each request of its costs, and how many are on their way at once.
#[derive(Clone, Copy)]
struct Asks {
    client: u64,
    user: u32,
    cost: u64,
    at_once: usize,
}

/// What each was given of the server's time after so many requests, where everybody always asks.
fn given(asks: &[Asks], requests: usize) -> BTreeMap<u64, u64> {
    let mut schedule = Schedule::default();
    for one in asks {
        schedule.add(one.client, one.user);
        (0..one.at_once).for_each(|_| schedule.push(one.client, (one.client, EventFlags::IN)));
    }
    let mut given = BTreeMap::new();
    for _ in 0..requests {
        let (client, work) = schedule.next().expect("everybody asks");
        let one = asks.iter().find(|one| one.client == client).expect("it asks");
        schedule.charge(client, Duration::from_micros(one.cost));
        *given.entry(client).or_default() += one.cost;
        schedule.push(client, work);
    }
    given
}

#[test]
fn users_that_ask_without_end_have_the_same_time_whatever_they_ask() {
    // Cheap requests one by one, dear ones, many on their way, and two clients.
    let asks = [(1, 10, 3, 1), (2, 20, 300, 1), (3, 30, 3, 60), (4, 40, 40, 5), (5, 40, 40, 5)];
    let asks = asks.map(|(client, user, cost, at_once)| Asks { client, user, cost, at_once });
    let given = given(&asks, 100_000);
    let all: u64 = given.values().sum();
    let share = |clients: &[u64]| clients.iter().map(|client| given[client]).sum::<u64>() as f64 / all as f64;
    for clients in [&[1][..], &[2], &[3], &[4, 5]] {
        assert!((share(clients) - 0.25).abs() < 0.01, "{clients:?}: {given:?}");
    }
    assert!((share(&[4]) - share(&[5])).abs() < 0.01, "{given:?}");
}

#[test]
fn many_processes_of_a_user_weigh_no_more_than_one_of_another() {
    for flooders in [1, 3, 10, 255] {
        let mut asks = vec![Asks { client: 1, user: 1, cost: 5, at_once: 1 }];
        asks.extend((0..flooders).map(|number| Asks { client: 2 + number, user: 2, cost: 50, at_once: 32 }));
        let given = given(&asks, 10_000);
        let all: u64 = given.values().sum();
        assert!(given[&1] * 100 >= all * 49, "{flooders}: {} of {all}", given[&1]);
    }
}

/// A client that asks for less than its share, which is the user's or what is its among those of its user, is always the next.
#[test]
fn who_asks_for_less_than_its_share_waits_for_one_request_of_the_others_at_most() {
    // Of another user than those who flood, and of the same.
    for user in [1, 2] {
        for flooders in [1, 3, 10, 255] {
            let mut schedule = Schedule::default();
            schedule.add(1, user);
            for client in 2..2 + flooders {
                schedule.add(client, 2);
                (0..60).for_each(|_| schedule.push(client, (client, EventFlags::IN)));
            }
            let serve = |schedule: &mut Schedule| {
                let (client, work) = schedule.next().expect("some flood");
                schedule.charge(client, Duration::from_micros(if client == 1 { 5 } else { 50 }));
                if client != 1 {
                    schedule.push(client, work);
                }
                client
            };
            // The others have been there for long.
            (0..2000).for_each(|_| assert_ne!(serve(&mut schedule), 1));
            let mut others = 0;
            for round in 0..100 {
                schedule.push(1, (1, EventFlags::IN));
                others += (0..).take_while(|_| serve(&mut schedule) != 1).count();
                // It thinks, and asks for a tenth of a half of the time at most, or of what is left to one of so many.
                let share = if user == 2 { flooders } else { 0 };
                (0..share + round % 4).for_each(|_| assert_ne!(serve(&mut schedule), 1));
            }
            assert!(others <= 100, "{flooders}: {others} were served before it, in 100 rounds");
        }
    }
}

#[test]
fn nobody_saves_up_what_it_did_not_use() {
    let mut schedule = Schedule::default();
    schedule.add(1, 1);
    schedule.add(2, 2);
    schedule.push(2, (2, EventFlags::IN));
    let mut given = [0; 3];
    let mut serve = |schedule: &mut Schedule, asks: &[u64]| {
        let (client, work) = schedule.next().expect("somebody asks");
        schedule.charge(client, Duration::from_micros(10));
        given[client as usize] += 1;
        if asks.contains(&client) {
            schedule.push(client, work);
        }
        given
    };
    for _ in 0..1000 {
        serve(&mut schedule, &[2]);
    }
    // One was idle for all that time, and has no more of what comes than its half.
    schedule.push(1, (1, EventFlags::IN));
    for _ in 0..99 {
        serve(&mut schedule, &[1, 2]);
    }
    let given = serve(&mut schedule, &[1, 2]);
    assert!((49..=51).contains(&given[1]), "{given:?}");
}

#[test]
fn what_is_left_of_a_client_that_has_ended_is_done_as_a_newcomers() {
    let mut schedule = Schedule::default();
    schedule.add(7, 1);
    schedule.push(7, (70, EventFlags::IN));
    schedule.push(7, (71, EventFlags::HUP));
    schedule.remove(7);
    schedule.push(7, (72, EventFlags::IN));
    assert!(!schedule.is_empty());
    for source in [70, 71, 72] {
        assert!(matches!(schedule.next(), Some((NEWCOMERS, (next, _))) if next == source));
    }
    assert!(schedule.is_empty() && schedule.next().is_none());
    // Nothing is kept of a user that nobody is of.
    assert_eq!((schedule.users.len(), schedule.clients.len()), (1, 1));
}
