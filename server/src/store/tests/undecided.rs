//! The index of undecided orders holds what the states say, in memory or in sled.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::{
    domain::{
        ids::OrderKey,
        testing::{accept, create_attempt, create_order, life::events, parent, say},
    },
    engine::tests::bench::{Bench, ask},
};

fn listed(bench: &Bench) -> BTreeSet<OrderKey> {
    let mut found = BTreeSet::new();
    bench.store.each_undecided(|order| found.extend([order.key.clone()])).unwrap();
    found
}

fn keys(orders: &[&str]) -> BTreeSet<OrderKey> {
    orders.iter().map(|order| parent(order).key()).collect()
}

#[test]
fn an_order_is_listed_while_it_is_undecided_wherever_it_stands() {
    let mut bench = Bench::new();
    for order in ["o1", "o2", "o3"] {
        bench.accept(&create_order(order, "100"));
    }
    assert_eq!(listed(&bench), keys(&[]), "nobody to ask");
    for order in ["o1", "o2"] {
        bench.accept(&create_attempt(order, "a1", order, None));
    }
    assert_eq!(listed(&bench), keys(&["o1", "o2"]), "in memory");
    bench.store.write_step().unwrap();
    assert_eq!(listed(&bench), keys(&["o1", "o2"]), "in sled");
    bench.accept(&accept("1", vec![say("p1 o1 : sold 100")]));
    assert_eq!(listed(&bench), keys(&["o2"]), "the newest counts");
    bench.store.write_step().unwrap();
    let mut bench = bench.restart();
    assert_eq!(listed(&bench), keys(&["o2"]));
    bench.accept(&accept("2", vec![say("p2 o2 : final declined")]));
    bench.accept(&create_attempt("o2", "a2", "o2-b", None));
    assert_eq!(listed(&bench), keys(&["o2"]));
    bench.verify();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    #[test]
    fn the_index_says_what_the_states_say(
        events in events(),
        steps in prop::collection::vec(any::<bool>(), 20),
    ) {
        let mut bench = Bench::new();
        let mut keys = BTreeSet::new();
        for (event, step) in events.iter().zip(steps.iter().cycle()) {
            let answers = bench.run([ask(&event.command)]);
            keys.extend(answers.into_iter().filter_map(|a| a.ok()?.order.map(|o| o.key.clone())));
            if *step {
                bench.store.write_step().unwrap();
            }
            let undecided = keys.iter().filter(|key| {
                bench.store.find_order(key).unwrap().unwrap().is_undecided()
            });
            prop_assert_eq!(&listed(&bench), &undecided.cloned().collect());
        }
        bench.verify();
    }
}
