//! The index of what customers were not told holds what the states say, in memory or in sled, and
//! gives the oldest first.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
};

use proptest::prelude::*;

use crate::{
    domain::{
        command::Command,
        ids::OrderKey,
        testing::{
            accept, create_attempt, create_order, deadline, life::events, parent, receipt, say,
        },
        time::Time,
    },
    engine::tests::bench::{Bench, ask},
    journal::memory::MemoryJournal,
};

/// A bench whose clock goes on by a second with every batch.
fn bench() -> (Bench, impl Fn() -> Time) {
    let seconds = Arc::new(AtomicI64::new(0));
    let clock = Arc::clone(&seconds);
    let folder = tempfile::tempdir().unwrap();
    let tick = Arc::new(move || Time::from_seconds(clock.fetch_add(1, Relaxed) + 1));
    let bench = Bench::open_at(&MemoryJournal::new(), folder, tick);
    (bench, move || Time::from_seconds(seconds.load(Relaxed)))
}

/// An order is paid; gives the time of it.
fn pay(bench: &mut Bench, now: &impl Fn() -> Time, order: &str) -> Time {
    bench.accept(&create_order(order, "100"));
    bench.accept(&create_attempt(order, "a1", order, None));
    bench.accept(&accept(order, vec![say(&format!("p-{order} {order} : sold 100"))]));
    now()
}

fn listed(bench: &Bench, since: Time, limit: usize) -> Vec<(OrderKey, Time)> {
    bench.store.oldest_untold(since, limit).unwrap()
}

#[test]
fn the_oldest_come_first_wherever_they_stand() {
    let (mut bench, now) = bench();
    let mut expected: Vec<(OrderKey, Time)> = Vec::new();
    for number in 0..6 {
        let order = format!("o{number}");
        let time = pay(&mut bench, &now, &order);
        expected.push((parent(&order).key(), time));
        // The first three in sled, the others in memory.
        if number == 2 {
            bench.store.write_step().unwrap();
        }
    }
    assert_eq!(listed(&bench, Time::default(), 9), expected);
    assert_eq!(listed(&bench, Time::default(), 4), expected[..4]);
    assert_eq!(listed(&bench, expected[2].1, 2), expected[2..4], "none that is older");
    // One of each sort is settled; the newest state counts.
    for settled in [receipt("o1", 1), deadline("o4", 1)] {
        bench.accept(&settled);
    }
    expected.remove(4);
    expected.remove(1);
    assert_eq!(listed(&bench, Time::default(), 9), expected);
    bench.store.write_step().unwrap();
    assert_eq!(listed(&bench, Time::default(), 9), expected);
    // A newer outcome of one that stands in sled.
    bench.accept(&accept("void", vec![say("p-o0 o0 : void! v1 ok 100")]));
    bench.accept(&create_attempt("o0", "a2", "o0-b", None));
    bench.accept(&accept("again", vec![say("p9 o0-b : sold 100")]));
    expected.remove(0);
    expected.push((parent("o0").key(), now()));
    assert_eq!(listed(&bench, Time::default(), 9), expected);
    bench.verify();
    let bench = bench.restart();
    assert_eq!(listed(&bench, Time::default(), 9), expected);
    bench.verify();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    #[test]
    fn the_index_says_what_the_states_say(
        events in events(),
        told in prop::collection::vec((1..3_u8, 1..4_u64, any::<bool>(), any::<bool>()), 12),
    ) {
        let (mut bench, _) = bench();
        let mut keys = BTreeSet::new();
        for (event, (order, number, is_receipt, step)) in events.iter().zip(told.iter().cycle()) {
            let order = format!("o{order}");
            let tell: fn(&str, u64) -> Command = if *is_receipt { receipt } else { deadline };
            for command in [&event.command, &tell(&order, *number)] {
                let answers = bench.run([ask(command)]);
                let order = |answer: Result<crate::engine::Answer, _>| answer.ok()?.order;
                keys.extend(answers.into_iter().filter_map(order).map(|order| order.key.clone()));
            }
            if *step {
                bench.store.write_step().unwrap();
            }
            let mut untold: Vec<_> = keys.iter().filter_map(|key| {
                let order = bench.store.find_order(key).unwrap().unwrap();
                order.awaits_receipt().then(|| (key.clone(), order.outcome_time))
            }).collect();
            let mut listed = listed(&bench, Time::default(), 9);
            untold.sort();
            listed.sort();
            prop_assert_eq!(listed, untold);
        }
        bench.verify();
    }
}
