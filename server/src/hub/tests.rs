//! No wake-up is lost, and no head is seen before those it stands for were woken.

use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
};

use futures_util::FutureExt as _;

use super::*;
use crate::{
    domain::{
        order::Decided,
        testing::{create_order, parent},
        time::Time,
        view::Summary,
    },
    engine::tests::bench::{Bench, ask},
    journal::{Journal as _, memory::MemoryJournal},
    record::Source,
};

fn committed(position: Position, order: &str) -> Arc<Committed> {
    let record = Record::Order(OrderRecord {
        key: parent(order).key(),
        decided: Decided {
            facts: Vec::new(),
            changes: Vec::new(),
            summary: Summary::default(),
            time: Time::default(),
        },
        source: Source::Intent,
        actor: None,
        webhook: None,
        labels: Vec::new(),
    });
    let encoded = OnceLock::new();
    Arc::new(Committed {
        position,
        version: 1,
        record: Arc::new(record),
        encoded,
        message: OnceLock::new(),
    })
}

fn hub() -> Arc<Hub> {
    Arc::new(Hub::new(MemoryJournal::new().reader(), RECENT_MAX))
}

fn relay() -> Arc<Relay> {
    Relay::new(hub())
}

/// As the engine and then the relay's own task do it.
fn announce(relay: &Relay, batch: Vec<Arc<Committed>>) {
    relay.hub.announce(batch);
    relay.wake();
}

fn of_order(order: &str) -> Topic {
    Topic::Order(parent(order).key())
}

fn of_merchant() -> Topic {
    Topic::Merchant(parent("any").merchant)
}

fn positions(recent: Recent) -> Option<Vec<Position>> {
    match recent {
        Recent::Here(records) => Some(records.iter().map(|record| record.position).collect()),
        Recent::Older => None,
    }
}

#[test]
fn a_record_wakes_its_order_and_its_merchant_and_nobody_else() {
    let relay = relay();
    announce(&relay, vec![committed(1, "o1")]);
    let mut order = relay.subscribe(of_order("o1"));
    let other = relay.subscribe(of_order("o2"));
    let mut merchant = relay.subscribe(of_merchant());
    assert!(!order.is_touched() && !merchant.is_touched(), "only what comes from now on");
    announce(&relay, vec![committed(2, "o1"), committed(3, "o1")]);
    assert!(order.is_touched() && merchant.is_touched() && !other.is_touched());
    order.touched().now_or_never().unwrap();
    assert!(order.touched().now_or_never().is_none(), "once for what was announced together");
    merchant.touched().now_or_never().unwrap();
    announce(&relay, vec![committed(4, "o2")]);
    assert!(!order.is_touched() && merchant.is_touched() && other.is_touched());
    announce(&relay, Vec::new());
    assert_eq!((relay.head(), relay.hub.head()), (4, 4));
}

#[test]
fn topics_are_forgotten_with_their_last_subscription() {
    let relay = relay();
    let (one, two) = (relay.subscribe(of_order("o1")), relay.subscribe(of_order("o1")));
    let other = relay.subscribe(of_merchant());
    assert_eq!(relay.topic_count(), 2);
    drop(one);
    assert_eq!(relay.topic_count(), 2);
    announce(&relay, vec![committed(1, "o1")]);
    assert!(two.is_touched(), "the other still listens");
    drop(two);
    drop(other);
    assert_eq!(relay.topic_count(), 0);
}

#[test]
fn the_newest_records_are_kept_and_older_ones_are_in_the_journal() {
    let hub = hub();
    assert_eq!(positions(hub.recent(0)), Some(vec![]));
    let record = committed(1, "o1").record.clone();
    let batch = |from: u64, to: u64| {
        let one = |position| {
            let (record, encoded) = (Arc::clone(&record), OnceLock::new());
            Arc::new(Committed { position, version: 1, record, encoded, message: OnceLock::new() })
        };
        (from..=to).map(one).collect::<Vec<_>>()
    };
    let max = RECENT_MAX as u64;
    hub.announce(batch(1, max));
    assert_eq!(positions(hub.recent(0)).unwrap(), (1..=READ_MAX as u64).collect::<Vec<_>>());
    hub.announce(batch(max + 1, max + 10));
    assert_eq!(hub.recent.read().unwrap().len(), RECENT_MAX);
    assert_eq!(positions(hub.recent(9)), None, "the next one is no longer here");
    assert_eq!(positions(hub.recent(10)).unwrap().first(), Some(&11));
    assert_eq!(positions(hub.recent(max + 8)).unwrap(), [max + 9, max + 10]);
    assert_eq!(positions(hub.recent(max + 10)), Some(vec![]));
    assert_eq!(positions(hub.recent(u64::MAX)), Some(vec![]), "of another journal, perhaps");
}

#[test]
fn what_is_read_from_the_journal_was_announced() {
    let mut bench = Bench::new();
    bench.run([ask(&create_order("o1", "100")), ask(&create_order("o2", "100"))]);
    let read = |hub: &Hub, after| -> Vec<Position> {
        hub.read_journal(after).unwrap().iter().map(|record| record.position).collect()
    };
    let hub = Hub::new(bench.journal.reader(), RECENT_MAX);
    assert_eq!(positions(hub.recent(0)), None, "from before this start");
    assert_eq!(read(&hub, 0), [1, 2]);
    assert_eq!(read(&hub, 1), [2]);
    bench.accept(&create_order("o3", "100"));
    assert_eq!(read(&hub, 0), [1, 2], "the third is durable, but not announced here");
    assert_eq!((hub.head(), bench.hub.head()), (2, 3));
    assert_eq!(read(&bench.hub, 0), [1, 2, 3]);
    let one = bench.hub.read_one(3).unwrap().unwrap();
    assert_eq!((one.version, one.of_order().unwrap().key.clone()), (1, parent("o3").key()));
    assert!(bench.hub.read_one(4).unwrap().is_none());
    let Recent::Here(recent) = bench.hub.recent(2) else { panic!() };
    assert_eq!(recent[0].record, one.record, "the same from memory and journal");
}

/// Records of the stress test; few enough that all stay in memory.
const ROUNDS: u64 = 4_000;
/// Orders that they are spread over.
const ORDERS: u64 = 5;

/// Watches one order as a stream does: waits to be touched, then reads all it lacks.
async fn watch(relay: Arc<Relay>, order: u64) -> Vec<Position> {
    let key = parent(&format!("o{order}")).key();
    let mut subscription = relay.subscribe(Topic::Order(key.clone()));
    let (mut cursor, mut seen) = (0, Vec::new());
    while cursor < ROUNDS {
        let Recent::Here(records) = relay.hub.recent(cursor) else { panic!("all stay in memory") };
        if let Some(last) = records.last() {
            cursor = last.position;
            let of_order = |record: &&Arc<Committed>| record.of_order().unwrap().key == key;
            seen.extend(records.iter().filter(of_order).map(|record| record.position));
            continue;
        }
        // The very last round is of order 0; the others are told to end by it.
        let is_last_of_order = seen.last().is_some_and(|last| last + ORDERS > ROUNDS);
        if is_last_of_order {
            break;
        }
        subscription.touched().await;
    }
    seen
}

#[test]
fn no_watcher_misses_a_wake_up() {
    let hub = hub();
    let watchers: Vec<_> = (0..ORDERS)
        .map(|order| {
            let relay = Relay::new(Arc::clone(&hub));
            thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                runtime.block_on(async {
                    let waker = Arc::clone(&relay);
                    tokio::spawn(async move { waker.run().await });
                    watch(relay, order).await
                })
            })
        })
        .collect();
    for position in 1..=ROUNDS {
        hub.announce(vec![committed(position, &format!("o{}", position % ORDERS))]);
    }
    // A lost wake-up would leave one of these waiting for ever.
    for (order, watcher) in (0..ORDERS).zip(watchers) {
        let expected: Vec<u64> = (1..=ROUNDS).filter(|p| p % ORDERS == order).collect();
        assert_eq!(watcher.join().unwrap(), expected);
    }
}

/// Whoever reads the head and then finds itself untouched may skip ahead to that head.
#[test]
fn a_head_is_never_ahead_of_the_wake_ups_it_stands_for() {
    let relay = relay();
    let is_done = AtomicBool::new(false);
    let mut subscription = relay.subscribe(of_order("o1"));
    let seen = thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let (mut cursor, mut seen) = (0, Vec::new());
            loop {
                let ends = is_done.load(Relaxed);
                let head = relay.head();
                if subscription.is_touched() {
                    subscription.touched().now_or_never().unwrap();
                    while let Some(read) =
                        positions(relay.hub.recent(cursor)).filter(|r| !r.is_empty())
                    {
                        cursor = read[read.len() - 1];
                        seen.extend(read.into_iter().filter(|position| position % 2 == 1));
                    }
                } else {
                    cursor = cursor.max(head);
                }
                if ends {
                    return seen;
                }
            }
        });
        for position in 1..=ROUNDS {
            let order = if position % 2 == 1 { "o1" } else { "o2" };
            announce(&relay, vec![committed(position, order)]);
        }
        is_done.store(true, Relaxed);
        watcher.join().unwrap()
    });
    let odd: Vec<Position> = (1..=ROUNDS).step_by(2).collect();
    assert_eq!(seen, odd, "no record of the order was skipped");
}

#[test]
fn subscriptions_come_and_go_while_records_are_announced() {
    let relay = relay();
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !is_done.load(Relaxed) {
                    let subscription = relay.subscribe(of_order("o1"));
                    let from = relay.head();
                    // At least one of all that are announced from here on touches it.
                    while relay.head() < from + 2 && !is_done.load(Relaxed) {
                        thread::yield_now();
                    }
                    assert!(subscription.is_touched() || is_done.load(Relaxed));
                }
            });
        }
        (1..=ROUNDS).for_each(|position| announce(&relay, vec![committed(position, "o1")]));
        is_done.store(true, Relaxed);
    });
    assert_eq!(relay.topic_count(), 0);
}
