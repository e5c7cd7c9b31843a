//! Memory, sled, and the thread that writes from one to the other.

use std::sync::{Arc, atomic::Ordering::Relaxed};

use super::some_of_everything;
use crate::{
    domain::{
        command::World as _,
        ids::{Claim, OrderKey},
        order::Order,
        testing::{account, create_order, parent},
    },
    engine::tests::bench::{Bench, ask},
    journal::Journal as _,
    store::{Applied, AtHand, Error, Lacking, Store, UNWRITTEN_MAX, keys, layered::Layered},
};

/// Forgets all that is in sled already.
fn evict(store: &Store) {
    store.write_step().unwrap();
    let mut inner = store.write();
    inner.orders = Layered::default();
    inner.claims = Layered::default();
}

#[test]
fn what_was_dropped_from_memory_is_found_in_sled() {
    let mut bench = Bench::new();
    bench.run(some_of_everything());
    let records = bench.journal.reader().read(0, usize::MAX).unwrap();
    let claims: Vec<_> = records
        .iter()
        .flat_map(|stored| &stored.claims)
        .map(|claim| crate::record::decode_claim(claim).unwrap())
        .collect();
    let orders: Vec<_> = ["o1", "o2", "o3", "none"].map(|o| parent(o).key()).into();
    let all = |store: &Store| {
        let orders: Vec<_> = orders.iter().map(|key| store.order(key)).collect();
        (orders, claims.iter().map(|claim| store.claimant(claim)).collect::<Vec<_>>())
    };
    let before = all(&bench.store);
    assert!(before.0[0].is_some() && before.0[3].is_none());
    assert!(!claims.is_empty() && before.1.iter().all(Option::is_some));
    evict(&bench.store);
    let at_hand = |order: &OrderKey| bench.store.order_at_hand(order);
    let claimant = |claim: &Claim| bench.store.claimant_at_hand(claim);
    assert!(orders[..3].iter().all(|order| at_hand(order) == AtHand::NotInMemory));
    assert_eq!(at_hand(&orders[3]), AtHand::Unknown);
    assert!(claims.iter().all(|claim| claimant(claim) == AtHand::NotInMemory));
    assert_eq!(all(&bench.store), before);
    evict(&bench.store);
    let all_of_it = Lacking { orders: orders.clone(), claims: claims.clone() };
    assert!(bench.store.fetch(&all_of_it).unwrap());
    assert!(orders[..3].iter().all(|order| matches!(at_hand(order), AtHand::Found(_))));
    assert!(claims.iter().all(|claim| matches!(claimant(claim), AtHand::Found(_))));
    // Decided on what came back from sled.
    evict(&bench.store);
    let answers = bench.run(some_of_everything());
    let replayed = answers.iter().filter(|answer| answer.as_ref().unwrap().replayed).count();
    assert_eq!(replayed, answers.len() - 1, "all but what is about no order");
    bench.verify();
    assert!(!claims.iter().any(|claim| claim.account != account()));
}

/// The filter takes a new order for a known one: sled is asked, and the order is made.
#[tokio::test]
async fn what_the_filter_is_wrong_about_is_found_not_to_be_there() {
    let bench = Bench::new();
    let key = parent("o1").key();
    bench.store.seen.insert(&keys::name(&key)[..]);
    assert_eq!(bench.store.order_at_hand(&key), AtHand::NotInMemory);
    let lacking = Lacking { orders: vec![key.clone()], claims: Vec::new() };
    assert!(!bench.store.fetch(&lacking).unwrap());
    let store = Arc::clone(&bench.store);
    let (handle, running) = bench.engine.start().unwrap();
    handle.ask(ask(&create_order("o1", "100"))).await.unwrap();
    assert!(matches!(store.order_at_hand(&key), AtHand::Found(_)));
    drop(handle);
    running.join();
}

/// A batch that fills the view's memory to its bound.
fn flood(bench: &Bench, count: usize) -> Vec<Applied> {
    let record = bench.records().remove(0).1;
    let record = Arc::new(record);
    let one = |n: usize| {
        let key = parent(&format!("flood{n}")).key();
        let order = Order { version: 2, positions: vec![1], ..Order::new(key.clone()) };
        Applied {
            position: n as u64 + 2,
            subject: crate::record::Subject::Order(key),
            version: 2,
            order: Some(Arc::new(order)),
            record: Arc::clone(&record),
            claims: Vec::new(),
        }
    };
    (0..count).map(one).collect()
}

/// The engine waits for room instead of filling the memory; and it never waits for a writer
/// that is gone.
#[test]
fn too_much_that_is_unwritten_makes_the_engine_wait() {
    let mut bench = Bench::new();
    bench.run([ask(&create_order("o1", "100"))]);
    let mut flood = flood(&bench, UNWRITTEN_MAX + 1);
    let last = flood.pop().unwrap();
    let store = bench.store.clone();
    // Nothing is written while this is held.
    let stepping = store.stepping.lock().unwrap();
    store.apply(&mut flood).unwrap();
    assert!(store.read().orders.unwritten() >= UNWRITTEN_MAX);
    let (sender, applied) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| sender.send(store.apply(&mut vec![last])));
        assert!(applied.recv_timeout(std::time::Duration::from_millis(120)).is_err());
        store.stopped.store(true, Relaxed);
        store.wake.1.notify_all();
        assert!(matches!(applied.recv().unwrap(), Err(Error::Stopped)));
        // What is held only in this test is not worth writing.
        let mut inner = store.write();
        inner.orders = Layered::default();
        inner.unlisted.clear();
        drop(inner);
        drop(stepping);
    });
}

#[test]
fn a_view_that_cannot_be_written_stops_the_engine() {
    let mut bench = Bench::new();
    bench.run([ask(&create_order("o1", "100"))]);
    bench.store.stopped.store(true, Relaxed);
    let (stepped, answers) = bench.step([ask(&create_order("o2", "100"))]);
    assert!(matches!(stepped, Err(crate::engine::Fatal::Store(Error::Stopped))));
    assert_eq!(answers, [Err(crate::engine::Error::Unavailable)]);
    assert_eq!(bench.hub.head(), 1, "it is in the journal, but nobody was told");
}
