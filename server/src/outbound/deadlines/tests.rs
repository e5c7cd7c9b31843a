//! Deadlines against the engine, with queues that are small and clocks that are wrong.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use super::*;
use crate::{
    accounts::{Accounts, Live},
    domain::testing::{accept, create_attempt, create_order, parent, say},
    engine::{
        JOBS_MAX,
        tests::bench::{Bench, ask},
    },
    hub::Hub,
    journal::{
        Journal as _,
        memory::{Fault, MemoryJournal},
    },
    record::{self, Record},
    store::Store,
};

const ROOM: usize = 4;

/// A bench whose clock is late by so many seconds.
fn bench() -> (Bench, Arc<AtomicI64>) {
    let late = Arc::new(AtomicI64::new(0));
    let by = Arc::clone(&late);
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(move || clock::now().minus_seconds(by.load(Relaxed)));
    (Bench::open_at(&MemoryJournal::new(), folder, clock), late)
}

fn paid(order: &str) -> [Ask; 3] {
    let sold = say(&format!("p-{order} {order} : sold 100"));
    [
        ask(&create_order(order, "100")),
        ask(&create_attempt(order, "a1", order, None)),
        ask(&accept(order, vec![sold])),
    ]
}

fn deadlines(engine: &engine::Handle, bench: &(Arc<Store>, Arc<Hub>)) -> Deadlines {
    let parts = (engine.clone(), Arc::clone(&bench.0), Arc::clone(&bench.1));
    let live = Arc::new(Live::new(Accounts::default()));
    let runtime = tokio::runtime::Handle::current();
    let outbound = Outbound::new(parts, live, runtime).unwrap();
    Deadlines::new(outbound.0, Duration::ZERO, ROOM)
}

fn untold(store: &Store) -> Vec<OrderKey> {
    let untold = store.oldest_untold(Time::default(), usize::MAX).unwrap();
    untold.into_iter().map(|(key, _)| key).collect()
}

/// A backlog as after a downtime: more than finds room, partly in sled, partly ancient.
#[tokio::test]
async fn a_backlog_is_worked_off_in_steps_and_each_is_told_once() {
    let (mut bench, late) = bench();
    late.store(OUTCOME_AGE_MAX_SECONDS + 60, Relaxed);
    bench.run(paid("ancient"));
    late.store(0, Relaxed);
    for number in 0..5 * ROOM {
        bench.run(paid(&format!("o{number}")));
        if number == 2 * ROOM {
            bench.store.write_step().unwrap();
        }
    }
    let journal = bench.journal.clone();
    let parts = (Arc::clone(&bench.store), Arc::clone(&bench.hub));
    let (engine, _running) = bench.engine.start().unwrap();
    let deadlines = deadlines(&engine, &parts);
    let others_are_told = async {
        // While they are, others come.
        for number in 0..2 * ROOM {
            for ask in paid(&format!("new{number}")) {
                engine.ask(ask).await.unwrap();
            }
        }
        while untold(&parts.0) != [parent("ancient").key()] {
            tokio::task::yield_now().await;
        }
    };
    let told = tokio::time::timeout(Duration::from_secs(20), async {
        tokio::select! {
            () = deadlines.run() => panic!("the hub lives"),
            () = others_are_told => {}
        }
    });
    told.await.expect("all are told");
    let stored = journal.reader().read(0, usize::MAX).unwrap();
    let mut fired = Vec::new();
    for stored in stored {
        let Record::Order(record) = record::decode(&stored.record).unwrap() else { panic!() };
        let is_fired = |change: &&Change| **change == Change::CustomerNotInformed;
        fired.extend(record.changes().iter().filter(is_fired).map(|_| record.key.clone()));
    }
    let count = fired.len();
    fired.sort();
    fired.dedup();
    assert_eq!((count, fired.len()), (7 * ROOM, 7 * ROOM));
}

#[tokio::test]
async fn a_busy_engine_is_asked_again() {
    let (mut bench, _) = bench();
    bench.run(paid("o1"));
    let parts = (Arc::clone(&bench.store), Arc::clone(&bench.hub));
    let control = bench.control.clone();
    control.add(Fault::Stall);
    let (engine, _running) = bench.engine.start().unwrap();
    let mut waiting = tokio::task::JoinSet::new();
    let mut create = |order: String| {
        let (engine, create) = (engine.clone(), create_order(&order, "1"));
        waiting.spawn(async move { engine.ask(ask(&create)).await });
    };
    create("first".to_owned());
    // Before that the engine might still take what waits, and make room.
    let stalled = control.clone();
    tokio::task::spawn_blocking(move || stalled.wait_until_stalled()).await.unwrap();
    (0..=JOBS_MAX).for_each(|number| create(format!("n{number}")));
    // One that is refused at once shows that there is no room any more.
    let refused = waiting.join_next().await.unwrap().unwrap();
    assert_eq!(refused, Err(engine::Error::Busy));
    let mut deadlines = deadlines(&engine, &parts);
    let now = clock::now();
    deadlines.search(now).await;
    assert!(deadlines.fire(now).await);
    let again = deadlines.queue.next_due().expect("it is kept");
    assert!(again > now && untold(&parts.0) == [parent("o1").key()]);
    control.release();
    while waiting.join_next().await.is_some() {}
    assert!(deadlines.fire(again).await);
    assert_eq!((untold(&parts.0), deadlines.queue.next_due()), (vec![], None));
}

#[tokio::test]
async fn a_clock_that_was_wrong_for_a_while_loses_nobody() {
    let (mut bench, _) = bench();
    bench.run(paid("o1"));
    let parts = (Arc::clone(&bench.store), Arc::clone(&bench.hub));
    let (engine, _running) = bench.engine.start().unwrap();
    let mut deadlines = deadlines(&engine, &parts);
    let now = clock::now();
    deadlines.search(now).await;
    let wrong = now.plus(Duration::from_secs(8 * 24 * 60 * 60));
    deadlines.notice(wrong);
    assert!(deadlines.fire(wrong).await);
    assert_eq!((deadlines.search, untold(&parts.0).len()), (None, 1), "too old, it seems");
    deadlines.notice(now);
    assert_eq!(deadlines.search, Some(now));
    deadlines.search(now).await;
    assert!(deadlines.fire(now).await);
    assert_eq!(untold(&parts.0), []);
}
