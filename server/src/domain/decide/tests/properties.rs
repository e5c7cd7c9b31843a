//! Order of arrival does not matter: any permutation, with repeats, of the same deliveries
//! and intents ends in the same projection (design 3.1 b), and folding stored records gives
//! what was decided, wherever it is stopped (3.1 a, checked inside `MemoryWorld::run`).

use proptest::prelude::*;

use crate::domain::{
    command::World as _,
    testing::{
        MemoryWorld, assert_same,
        life::{Event, events},
        parent, unnamed,
    },
    view::View,
};

/// Every event once in the given order, each intent after what it depends on, then some again.
fn run(events: &[Event], order: &[usize], again: &[usize]) -> MemoryWorld {
    let mut world = MemoryWorld::default();
    let mut done = vec![false; events.len()];
    for index in order {
        deliver(&mut world, events, &mut done, *index);
    }
    for index in again {
        let event = &events[index % events.len()];
        world.run(&event.command, event.time).expect("a repeat is never refused");
    }
    world
}

fn deliver(world: &mut MemoryWorld, events: &[Event], done: &mut [bool], index: usize) {
    if std::mem::replace(&mut done[index], true) {
        return;
    }
    if let Some(parent) = events[index].after {
        deliver(world, events, done, parent);
    }
    world.run(&events[index].command, events[index].time).expect("nothing refuses these");
}

fn views(world: &MemoryWorld) -> Vec<Option<View>> {
    let view = |order| world.order(&parent(order).key()).map(|order| unnamed(&order.view));
    vec![view("o1"), view("o2")]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn any_permutation_with_repeats_ends_in_the_same_projection(
        (events, shuffled, again) in events().prop_flat_map(|events| {
            let order: Vec<usize> = (0..events.len()).collect();
            let again = prop::collection::vec(0..events.len(), 0..4);
            (Just(events), Just(order).prop_shuffle(), again)
        })
    ) {
        let straight: Vec<usize> = (0..events.len()).collect();
        let expected = run(&events, &straight, &[]);
        let permuted = run(&events, &shuffled, &again);
        assert_same(&views(&expected), &views(&permuted));
    }
}
