//! Order of arrival does not matter to several writers either (design 3.1 b): two engines, each
//! with a view of its own, on one journal. Events are dealt to either; now and then one writes
//! between the other's decision and its append, and outcomes are unknown.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Arc, Mutex},
};

use proptest::prelude::*;

use crate::{
    domain::{
        command::World as _,
        fact::Fact,
        ids::OrderKey,
        project::project,
        testing::{
            MemoryWorld, assert_same,
            life::{Event, events},
            parent, unnamed,
        },
        view::View,
    },
    journal::memory::{Fault, MemoryJournal},
    record::Record,
};

use super::bench::{Bench, NOW, ask};

/// One batch of one engine.
#[derive(Clone, Debug)]
struct Round {
    /// Which engine.
    engine: usize,
    /// How many events it gets at once.
    events: usize,
    /// How many the other gets before the first one's append.
    between: usize,
    /// What its append meets.
    fault: Option<Fault>,
}

fn rounds() -> impl Strategy<Value = Vec<Round>> {
    let fault = prop_oneof![
        3 => Just(None),
        1 => any::<bool>().prop_map(|written| Some(Fault::Unknown { written })),
    ];
    let round = (0..2_usize, 1..4_usize, 0..3_usize, fault)
        .prop_map(|(engine, events, between, fault)| Round { engine, events, between, fault });
    prop::collection::vec(round, 1..8)
}

/// The events in a given order, each intent after what it depends on (which makes repeats), and
/// some again.
fn dealt(events: &[Event], order: &[usize], again: &[usize]) -> VecDeque<usize> {
    let mut dealt = VecDeque::new();
    for index in order {
        let mut chain = vec![*index];
        while let Some(parent) = events[chain[chain.len() - 1]].after {
            chain.push(parent);
        }
        dealt.extend(chain.iter().rev());
    }
    dealt.extend(again.iter().map(|index| index % events.len()));
    dealt
}

/// The next events that do not depend on what is still under way.
fn take(dealt: &mut VecDeque<usize>, count: usize, events: &[Event], busy: &[usize]) -> Vec<usize> {
    let mut taken = Vec::new();
    while taken.len() < count
        && let Some(index) = dealt.front()
        && events[*index].after.is_none_or(|parent| !busy.contains(&parent))
    {
        taken.extend(dealt.pop_front());
    }
    taken
}

fn deliver(bench: &Mutex<Bench>, events: &[Event], indexes: &[usize]) {
    let asks: Vec<_> = indexes.iter().map(|index| ask(&events[*index].command)).collect();
    for answer in bench.lock().unwrap().run(asks) {
        answer.expect("nothing refuses these");
    }
}

fn run(benches: &[Arc<Mutex<Bench>>; 2], events: &[Event], rounds: &[Round], dealt: &[usize]) {
    let mut dealt: VecDeque<usize> = dealt.iter().copied().collect();
    for round in rounds.iter().cycle() {
        if dealt.is_empty() {
            return;
        }
        let bench = &benches[round.engine];
        let batch = take(&mut dealt, round.events, events, &[]);
        let between = take(&mut dealt, round.between, events, &batch);
        let (other, all) = (Arc::clone(&benches[1 - round.engine]), events.to_vec());
        {
            let bench = bench.lock().unwrap();
            bench.before_append(move || deliver(&other, &all, &between));
            round.fault.into_iter().for_each(|fault| bench.control.add(fault));
        }
        deliver(bench, events, &batch);
        // Where there was nothing to append, the other goes now.
        let left = bench.lock().unwrap().take_rival();
        left.into_iter().for_each(|rival| rival());
    }
}

/// No fact of the world is recorded twice as news, whatever was answered on the way.
fn assert_recorded_once(bench: &Bench) {
    let mut seen = BTreeSet::new();
    for (_, record) in bench.records() {
        let Record::Order(record) = record else { continue };
        for fact in record.decided.facts {
            let name = match &fact {
                Fact::Order(_) => format!("order {:?}", record.key),
                Fact::Attempt(intent) => format!("attempt {:?} {:?}", record.key, intent.attempt),
                Fact::Operation(i) => format!("{:?} {:?} {:?}", i.kind, record.key, i.operation),
                Fact::Evidence(evidence) => format!("evidence {:?}", evidence.id),
                _ => continue,
            };
            assert!(seen.insert(name.clone()), "twice: {name}");
        }
    }
}

/// Both views hold the same, what they hold is what the rules make of the facts, and folding
/// the journal gives it.
fn assert_agree(one: &Bench, two: &Bench) {
    let keys: BTreeSet<OrderKey> = one
        .records()
        .into_iter()
        .filter_map(|(_, record)| match record {
            Record::Order(record) => Some(record.key),
            _ => None,
        })
        .collect();
    for key in &keys {
        let order = one.store.find_order(key).unwrap();
        assert_same(&order, &two.store.find_order(key).unwrap());
        let order = order.unwrap();
        if order.forwarded_to.is_none() {
            assert_same(&unnamed(&order.view), &project(&order.facts));
        }
    }
    one.verify();
    two.verify();
}

fn views(find: impl Fn(&OrderKey) -> Option<View>) -> [Option<View>; 2] {
    ["o1", "o2"].map(|order| find(&parent(order).key()).as_ref().map(unnamed))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn two_engines_on_one_journal_come_to_what_one_comes_to(
        (events, shuffled, again, rounds) in events().prop_flat_map(|events| {
            let order: Vec<usize> = (0..events.len()).collect();
            let again = prop::collection::vec(0..events.len(), 0..4);
            (Just(events), Just(order).prop_shuffle(), again, rounds())
        })
    ) {
        let mut straight = MemoryWorld::default();
        for event in &events {
            straight.run(&event.command, NOW).unwrap();
        }
        let journal = MemoryJournal::new();
        let benches = [(); 2].map(|()| Arc::new(Mutex::new(Bench::on(&journal))));
        let dealt: Vec<usize> = dealt(&events, &shuffled, &again).into();
        run(&benches, &events, &rounds, &dealt);
        let mut benches = benches.each_ref().map(|bench| bench.lock().unwrap());
        for bench in &mut benches {
            bench.engine.follow().unwrap();
        }
        assert_recorded_once(&benches[0]);
        assert_agree(&benches[0], &benches[1]);
        let of = |order: &OrderKey| straight.order(order).map(|order| order.view.clone());
        let find = |order: &OrderKey| benches[0].store.find_order(order).unwrap();
        assert_same(&views(of), &views(|key| find(key).map(|order| order.view.clone())));
    }
}
