//! Lists over memory and sled together.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use crate::{
    domain::{
        ids::OrderKey,
        order::Order,
        testing::{accept, create_order, parent, say},
    },
    engine::tests::bench::{Bench, ask},
    store::Store,
};

/// All orders of the merchant that a filter admits, page by page.
fn pages(store: &Store, limit: usize, admits: impl Fn(&Order) -> bool + Copy) -> Vec<Vec<u64>> {
    pages_bounded(store, (limit, 5_000), admits)
}

fn pages_bounded(
    store: &Store,
    (limit, scanned_max): (usize, usize),
    admits: impl Fn(&Order) -> bool + Copy,
) -> Vec<Vec<u64>> {
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let of = parent("any").key();
        let page = store.list_bounded(&of, after, (limit, scanned_max), admits).unwrap();
        assert!(page.orders.len() <= limit);
        all.push(page.orders.iter().map(|order| order.positions[0]).collect());
        match page.next {
            Some(next) => assert!(std::mem::replace(&mut after, next) < next, "it goes on"),
            None => return all,
        }
    }
}

fn fill(bench: &mut Bench, from: usize, to: usize) {
    let numbers: Vec<usize> = (from..to).collect();
    for chunk in numbers.chunks(256) {
        bench.run(chunk.iter().map(|n| ask(&create_order(&format!("n{n}"), "100"))));
    }
}

#[test]
fn pages_hold_each_order_once_in_order_of_creation_wherever_it_stands() {
    let mut bench = Bench::new();
    fill(&mut bench, 0, 10);
    bench.store.write_step().unwrap();
    fill(&mut bench, 10, 20);
    // Newer states of older orders, one in memory only.
    bench.accept(&accept("1", vec![say("p1 n3 : sold 100")]));
    bench.accept(&accept("2", vec![say("p2 n15 : sold 100")]));
    let all: Vec<u64> = (1..=20).collect();
    for limit in [1, 3, 20, 50] {
        assert_eq!(pages(&bench.store, limit, |_| true).concat(), all, "{limit}");
    }
    let paid = |order: &Order| order.view.summary.status.is_approved();
    assert_eq!(pages(&bench.store, 5, paid), [[4, 16]], "in its newest state; no empty page");
    let bench = bench.restart();
    assert_eq!(pages(&bench.store, 7, |_| true).concat(), all);
    assert_eq!(pages(&bench.store, 5, paid), [[4, 16]]);
}

#[test]
fn unclaimed_orders_are_listed_until_they_are_claimed() {
    let mut bench = Bench::new();
    bench.accept(&accept("1", vec![say("p1 o1 : sold 100")]));
    bench.accept(&accept("2", vec![say("p2 o2 : sold 100")]));
    let OrderKey::Unclaimed { account, anchor } = key_of_first(&bench) else { panic!() };
    let of = OrderKey::Unclaimed { account, anchor };
    let listed = |bench: &Bench| bench.store.list(&of, 0, 10, |_| true).unwrap().orders.len();
    assert_eq!(listed(&bench), 2);
    bench.accept(&create_order("o1", "100"));
    assert_eq!(listed(&bench), 1);
    assert_eq!(listed(&bench.restart()), 1);
}

fn key_of_first(bench: &Bench) -> OrderKey {
    let crate::record::Record::Order(record) = bench.records().remove(0).1 else { panic!() };
    record.key
}

/// A page looks at a bounded number of states. Where none of them was admitted, the list once
/// ended there.
#[test]
fn a_list_goes_on_after_what_one_page_may_look_at() {
    let mut bench = Bench::new();
    fill(&mut bench, 0, 60);
    let last = |order: &Order| order.positions[0] == 60;
    let listed = |bench: &Bench, max| pages_bounded(&bench.store, (5, max), last);
    for place in ["memory", "sled"] {
        assert_eq!(listed(&bench, 50), [vec![], vec![60]], "from {place}");
        assert_eq!(listed(&bench, 59), [vec![], vec![60]], "from {place}");
        assert_eq!(listed(&bench, 60), [[60]], "from {place}");
        bench.store.write_step().unwrap();
    }
}

#[test]
fn a_list_misses_nothing_while_orders_move_to_sled() {
    let mut bench = Bench::new();
    let store = bench.store.clone();
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            while !is_done.load(Relaxed) {
                store.write_step().unwrap();
            }
        });
        for round in 0..20 {
            fill(&mut bench, round * 40, (round + 1) * 40);
            let known = bench.store.applied();
            let listed = pages(&bench.store, 17, |_| true).concat();
            assert_eq!(listed, (1..=known).collect::<Vec<_>>());
            assert_eq!(listed.iter().collect::<BTreeSet<_>>().len(), listed.len());
        }
        is_done.store(true, Relaxed);
        writer.join().unwrap();
    });
}
