//! Of each outcome that a customer has to be told exactly one of told and not told is recorded:
//! also with two engines on one journal, each with a view of its own, where one writes between the
//! other's decision and its append, outcomes of appends are unknown, and either crashes.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use proptest::prelude::*;

use super::bench::{Bench, NOW, ask};
use crate::{
    domain::{
        change::Change,
        command::Command,
        fact::Fact,
        receipt::{Received, Told},
        testing::{
            accept, assert_same, create_attempt, create_order, deadline, parent, receipt, say,
        },
        time::Time,
        view::Outcome,
    },
    engine::{Answer, Error},
    hub::Recent,
    journal::{Position, memory::Fault, memory::MemoryJournal},
    record::{OrderRecord, Record},
};

/// One thing that happens to the order.
#[derive(Clone, Debug)]
enum Event {
    /// Something is said of an attempt, which is recorded if it is new.
    Said(u64, &'static str),
    /// For the outcome so many numbers before the one that the engine knows.
    Receipt(u64),
    Deadline(u64),
}

/// One batch of one engine, and what happens beside it.
#[derive(Clone, Debug)]
struct Round {
    engine: usize,
    events: Vec<Event>,
    /// What the other engine gets before the first one's append.
    between: Vec<Event>,
    /// What its append meets; an error is a crash.
    fault: Option<Fault>,
    /// Whether the view is written, and the engine started anew.
    then: (bool, bool),
}

fn events(most: usize) -> impl Strategy<Value = Vec<Event>> {
    let words = prop_oneof![
        3 => Just("authorized 100"),
        2 => Just("final declined"),
        1 => Just("authorization canceled"),
    ];
    let back = || prop_oneof![3 => Just(0_u64), 1 => 1..3_u64];
    let event = prop_oneof![
        2 => (1..4_u64, words).prop_map(|(attempt, words)| Event::Said(attempt, words)),
        2 => back().prop_map(Event::Receipt),
        2 => back().prop_map(Event::Deadline),
    ];
    prop::collection::vec(event, 0..most)
}

fn rounds() -> impl Strategy<Value = Vec<Round>> {
    let fault = prop_oneof![
        4 => Just(None),
        1 => any::<bool>().prop_map(|written| Some(Fault::Unknown { written })),
        1 => any::<bool>().prop_map(|written| Some(Fault::Error { written })),
    ];
    let then = (prop::bool::weighted(0.3), prop::bool::weighted(0.2));
    let round = (0..2_usize, events(5), events(3), fault, then).prop_map(
        |(engine, events, between, fault, then)| Round { engine, events, between, fault, then },
    );
    prop::collection::vec(round, 1..8)
}

fn commands(bench: &Bench, events: &[Event]) -> Vec<Command> {
    let present = bench.order("o1").view.summary.outcome_number;
    let of = |event: &Event| match event {
        Event::Said(attempt, words) => {
            let reference = format!("o1-{attempt}");
            let said = say(&format!("p{attempt} {reference} : {words}"));
            vec![
                create_attempt("o1", &format!("a{attempt}"), &reference, None),
                accept(&format!("{attempt} {words}"), vec![said]),
            ]
        }
        Event::Receipt(back) => vec![receipt("o1", present.saturating_sub(*back))],
        Event::Deadline(back) => vec![deadline("o1", present.saturating_sub(*back))],
    };
    events.iter().flat_map(of).collect()
}

/// One engine's life, over its crashes.
struct Writer {
    bench: Option<Bench>,
    /// How often it answered that a customer was told.
    told: usize,
    /// How far a watcher has followed it, and what it was told.
    followed: Position,
    seen: Vec<(u64, Change)>,
}

impl Writer {
    fn new(journal: &MemoryJournal) -> Self {
        Self { bench: Some(Bench::on(journal)), told: 0, followed: 0, seen: Vec::new() }
    }

    fn bench(&mut self) -> &mut Bench {
        self.bench.as_mut().unwrap()
    }

    fn run(&mut self, events: &[Event]) {
        let asks: Vec<_> = commands(self.bench(), events).iter().map(ask).collect();
        let (stepped, answers) = self.bench().step(asks);
        self.told += answers.iter().filter(|answer| is_told(answer)).count();
        if stepped.is_err() {
            // What was written and not answered is found by the next one.
            self.start_again(|bench| (bench.crashed_folder(), bench.journal.clone()));
        }
        self.follow();
    }

    fn start_again(&mut self, close: impl FnOnce(Bench) -> (tempfile::TempDir, MemoryJournal)) {
        let (folder, journal) = close(self.bench.take().unwrap());
        self.bench = Some(Bench::open(&journal, folder));
    }

    /// What a watcher of this engine sees that reconnects where it was.
    fn follow(&mut self) {
        loop {
            let hub = Arc::clone(&self.bench().hub);
            let records = match hub.recent(self.followed) {
                Recent::Here(records) => records,
                Recent::Older => hub.read_journal(self.followed).unwrap(),
            };
            let Some(last) = records.last() else { return };
            self.followed = last.position;
            self.seen.extend(records.iter().filter_map(|c| c.of_order()).flat_map(told));
        }
    }
}

fn is_told(answer: &Result<Answer, Error>) -> bool {
    answer.as_ref().is_ok_and(|answer| answer.received == Some(Received::InTime))
}

/// What a record says of what the customer was told.
fn told(record: &OrderRecord) -> Vec<(u64, Change)> {
    let number = record.decided.summary.outcome_number;
    let is_told =
        |change: &&Change| matches!(change, Change::CustomerInformed | Change::CustomerNotInformed);
    record.changes().iter().filter(is_told).map(|change| (number, change.clone())).collect()
}

fn play(writers: &[Arc<Mutex<Writer>>; 2], rounds: &[Round]) {
    for round in rounds {
        let mut writer = writers[round.engine].lock().unwrap();
        let (other, between) = (Arc::clone(&writers[1 - round.engine]), round.between.clone());
        let rival = move || other.lock().unwrap().run(&between);
        writer.bench().before_append(rival);
        let control = writer.bench().control.clone();
        round.fault.into_iter().for_each(|fault| control.add(fault));
        writer.run(&round.events);
        // Where there was nothing to append, the other goes now.
        let left = writer.bench().take_rival();
        drop(writer);
        left.into_iter().for_each(|rival| rival());
        let mut writer = writers[round.engine].lock().unwrap();
        if let (true, _) = round.then {
            writer.bench().store.write_step().unwrap();
        }
        if let (_, true) = round.then {
            writer.start_again(Bench::close);
        }
        writer.bench().engine.follow().unwrap();
        writer.follow();
    }
}

/// What the journal says: of each outcome what it was, and what became of telling it.
fn outcomes(records: &[OrderRecord]) -> BTreeMap<u64, (Outcome, Vec<Change>)> {
    let mut outcomes = BTreeMap::new();
    for record in records {
        let summary = record.decided.summary;
        let entry = outcomes.entry(summary.outcome_number);
        let (outcome, all) = entry.or_insert((summary.outcome, Vec::new()));
        assert_eq!(*outcome, summary.outcome, "a number means one outcome");
        all.extend(told(record).into_iter().map(|(_, change)| change));
    }
    outcomes
}

fn assert_once(records: &[OrderRecord]) {
    for (number, (outcome, told)) in outcomes(records) {
        assert!(told.len() <= 1, "outcome {number}: {told:?}");
        let needs = matches!(outcome, Outcome::Approved | Outcome::Refused);
        assert!(needs || told.is_empty(), "{outcome:?} {number}: {told:?}");
    }
    let mut facts = BTreeMap::new();
    for fact in records.iter().flat_map(|record| &record.decided.facts) {
        if matches!(fact, Fact::Receipt { .. } | Fact::NotInformed(_)) {
            *facts.entry(format!("{fact:?}")).or_insert(0) += 1;
        }
    }
    assert!(facts.values().all(|count| *count == 1), "{facts:?}");
}

fn assert_index(bench: &Bench) {
    let order = bench.order("o1");
    let expected = order.awaits_receipt().then(|| (parent("o1").key(), order.outcome_time));
    let listed = bench.store.oldest_untold(Time::default(), 9).unwrap();
    assert_eq!(listed, Vec::from_iter(expected));
}

fn records(bench: &Bench) -> Vec<OrderRecord> {
    let of_order = |(_, record)| match record {
        Record::Order(record) => Some(record),
        _ => None,
    };
    bench.records().into_iter().filter_map(of_order).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn two_engines_tell_once(rounds in rounds()) {
        let journal = MemoryJournal::new();
        let writers = [(); 2].map(|()| Arc::new(Mutex::new(Writer::new(&journal))));
        writers[0].lock().unwrap().bench().accept(&create_order("o1", "100"));
        writers[1].lock().unwrap().bench().engine.follow().unwrap();
        play(&writers, &rounds);
        let mut writers = writers.each_ref().map(|writer| writer.lock().unwrap());
        for writer in &mut writers {
            writer.bench().engine.follow().unwrap();
            assert_index(writer.bench());
        }
        // At last both fire, and a page comes as well: one of them is first.
        for writer in &mut writers {
            writer.run(&[Event::Deadline(0), Event::Receipt(0)]);
        }
        for writer in &mut writers {
            writer.bench().engine.follow().unwrap();
            writer.follow();
            assert_index(writer.bench());
            writer.bench().verify();
        }
        let [one, two] = &mut writers;
        let order = one.bench().order("o1");
        assert_same(&order, &two.bench().order("o1"));
        let all = records(one.bench());
        assert_once(&all);
        let summary = order.view.summary;
        let needs = matches!(summary.outcome, Outcome::Approved | Outcome::Refused);
        let of_present = &outcomes(&all)[&summary.outcome_number].1;
        prop_assert_eq!(of_present.len(), usize::from(needs), "the present one is settled");
        prop_assert!(!order.awaits_receipt());
        let is_informed = of_present.first() == Some(&Change::CustomerInformed);
        prop_assert_eq!(order.customer_informed(), is_informed.then_some(NOW));
        let state = order.receipts.told(summary.outcome_number);
        prop_assert_eq!(matches!(state, Some(Told::InTime(_))), is_informed);
        // The state, the answers and the streams say the same as the journal.
        let streamed: Vec<_> = all.iter().flat_map(told).collect();
        prop_assert_eq!(&one.seen, &streamed);
        prop_assert_eq!(&two.seen, &streamed);
        let informed = streamed.iter().filter(|(_, c)| *c == Change::CustomerInformed).count();
        prop_assert!(one.told + two.told <= informed, "nobody is answered what is not recorded");
    }
}
