//! Of each outcome that a customer has to be told exactly one thing is recorded: the receipt that
//! came in time, or that none did.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::domain::{
    change::Change,
    command::{Command, Decision, RecordReceipt, Refusal, World as _},
    fact::Fact,
    ids::RequestId,
    order::Order,
    receipt::{RECEIPTS_PER_ORDER_MAX, Received, Told},
    testing::{MemoryWorld, accept, create_attempt, create_order, deadline, parent, receipt, say},
    time::Time,
    view::Outcome,
};

/// One order, and the seconds since it was recorded.
struct Life {
    world: MemoryWorld,
    seconds: i64,
}

impl Life {
    fn new() -> Self {
        let mut life = Self { world: MemoryWorld::default(), seconds: 0 };
        life.run(&create_order("o1", "100")).unwrap();
        life
    }

    fn run(&mut self, command: &Command) -> Result<Decision, Refusal> {
        self.seconds += 1;
        self.world.run(command, Time::from_seconds(self.seconds))
    }

    fn order(&self) -> Order {
        (*self.world.order(&parent("o1").key()).unwrap()).clone()
    }

    /// Something is said of an attempt, which is recorded if it is new.
    fn say(&mut self, attempt: u64, words: &str) {
        let reference = format!("o1-{attempt}");
        self.run(&create_attempt("o1", &format!("a{attempt}"), &reference, None)).unwrap();
        let said = say(&format!("p{attempt} {reference} : {words}"));
        self.run(&accept(&format!("{attempt} {words}"), vec![said])).unwrap();
    }

    /// One step of a row, and what it came to.
    fn step(&mut self, step: &str) -> String {
        let (what, number) = step.split_once(' ').unwrap();
        let number: u64 = number.parse().unwrap();
        match what {
            "paid" => self.say(number, "authorized 100"),
            "declined" => self.say(number, "final declined"),
            "voided" => self.say(number, "authorization canceled"),
            "receipt" => return said(self.run(&receipt("o1", number))),
            "deadline" => return said(self.run(&deadline("o1", number))),
            other => panic!("{other}"),
        }
        format!(
            "{:?} {}",
            self.order().view.summary.outcome,
            self.order().view.summary.outcome_number
        )
    }
}

/// What was recorded, and what was answered.
fn said(decided: Result<Decision, Refusal>) -> String {
    let decision = match decided {
        Ok(decision) => decision,
        Err(refusal) => return format!("{refusal}"),
    };
    let recorded: Vec<String> = decision
        .drafts
        .iter()
        .flat_map(|draft| draft.decided.changes.iter().map(|change| format!("{change:?}")))
        .collect();
    let answered = decision.received.map(|received| match received {
        Received::InTime => "in time",
        Received::Repeat => "repeat",
        Received::Late { is_news: true } => "late",
        Received::Late { is_news: false } => "late again",
        Received::NotNeeded => "not needed",
    });
    let nothing = if decision.drafts.is_empty() { "no record" } else { "no change" };
    let recorded = if recorded.is_empty() { nothing.to_owned() } else { recorded.join(" ") };
    answered.map_or_else(|| recorded.clone(), |answered| format!("{answered}, {recorded}"))
}

#[test]
fn exactly_one_of_two_whichever_is_first() {
    let unknown = "there is no outcome of this number yet; the newest is number 0";
    let rows: &[&[(&str, &str)]] = &[
        &[
            ("paid 1", "Approved 1"),
            ("receipt 1", "in time, CustomerInformed"),
            ("receipt 1", "repeat, no record"),
            ("deadline 1", "no record"),
            ("receipt 1", "repeat, no record"),
        ],
        &[
            ("declined 1", "Refused 1"),
            ("deadline 1", "CustomerNotInformed"),
            ("deadline 1", "no record"),
            ("receipt 1", "late, no change"),
            ("receipt 1", "late again, no record"),
            ("deadline 1", "no record"),
        ],
        // A newer outcome cancels what was pending of an older one.
        &[
            ("paid 1", "Approved 1"),
            ("voided 1", "Withdrawn 2"),
            ("deadline 1", "no record"),
            ("receipt 1", "late, no change"),
            ("receipt 1", "late again, no record"),
            ("receipt 2", "not needed, no record"),
            ("deadline 2", "no record"),
            // A new attempt makes it undecided, number 3, before it is paid.
            ("paid 2", "Approved 4"),
            ("receipt 2", "late, no change"),
            ("deadline 3", "no record"),
            ("receipt 4", "in time, CustomerInformed"),
            ("receipt 1", "late again, no record"),
        ],
        // What was told stays told.
        &[
            ("declined 1", "Refused 1"),
            ("receipt 1", "in time, CustomerInformed"),
            ("paid 2", "Approved 3"),
            ("receipt 1", "repeat, no record"),
            ("deadline 1", "no record"),
            ("deadline 3", "CustomerNotInformed"),
            ("receipt 1", "repeat, no record"),
        ],
        &[
            ("receipt 0", "not needed, no record"),
            ("receipt 1", unknown),
            ("deadline 0", "no record"),
            ("deadline 1", "no record"),
            ("paid 1", "Approved 1"),
            ("receipt 0", "not needed, no record"),
            ("deadline 0", "no record"),
        ],
    ];
    for row in rows {
        let mut life = Life::new();
        for (number, (step, expected)) in row.iter().enumerate() {
            assert_eq!(life.step(step), *expected, "step {number} of {row:?}");
        }
    }
}

#[test]
fn the_order_says_when_its_present_outcome_was_told() {
    let mut life = Life::new();
    life.say(1, "authorized 100");
    assert_eq!(life.order().outcome_time, Time::from_seconds(3));
    assert!(life.order().awaits_receipt());
    life.run(&receipt("o1", 1)).unwrap();
    assert_eq!(life.order().customer_informed(), Some(Time::from_seconds(4)));
    life.run(&receipt("o1", 1)).unwrap();
    assert_eq!(life.order().customer_informed(), Some(Time::from_seconds(4)));
    assert!(!life.order().awaits_receipt());
    assert_eq!(life.order().outcome_time, Time::from_seconds(3), "a receipt is no outcome");
    life.say(1, "authorization canceled");
    assert_eq!((life.order().customer_informed(), life.order().awaits_receipt()), (None, false));
    life.say(2, "authorized 100");
    assert_eq!((life.order().customer_informed(), life.order().awaits_receipt()), (None, true));
    life.run(&deadline("o1", 4)).unwrap();
    assert_eq!((life.order().customer_informed(), life.order().awaits_receipt()), (None, false));
}

#[test]
fn what_nobody_recorded_has_no_customer() {
    let mut world = MemoryWorld::default();
    let parked = accept("1", vec![say("p1 o1 : sold 100")]);
    let key = world.run(&parked, Time::default()).unwrap().key;
    let unclaimed = world.order(&key).unwrap();
    assert_eq!(unclaimed.view.summary.outcome, Outcome::Approved);
    assert!(!unclaimed.awaits_receipt());
    let refused = world.run(&receipt("o1", 1), Time::default());
    assert_eq!(refused, Err(Refusal::OrderNotFound));
    let later = Time::from_seconds(9);
    world.run(&create_order("o1", "100"), later).unwrap();
    let claimed = world.order(&parent("o1").key()).unwrap();
    assert!(claimed.awaits_receipt());
    assert_eq!(claimed.outcome_time, later, "the merchant knows of it since then");
}

#[test]
fn a_request_id_belongs_to_one_receipt() {
    let mut life = Life::new();
    life.say(1, "authorized 100");
    let receipt = |request: &str, outcome_number| {
        let request = Some(RequestId::parse(request).unwrap());
        Command::RecordReceipt(RecordReceipt { parent: parent("o1"), outcome_number, request })
    };
    assert_eq!(said(life.run(&receipt("r1", 1))), "in time, CustomerInformed");
    assert_eq!(said(life.run(&receipt("r1", 1))), "repeat, no record");
    assert_eq!(said(life.run(&receipt("r2", 1))), "repeat, no record");
    assert_eq!(life.run(&receipt("r1", 0)), Err(Refusal::RequestIdReused));
}

/// However often an order changes its mind, what it remembers of receipts is bounded, and so is
/// what late receipts can make it record.
#[test]
fn what_an_order_remembers_is_bounded() {
    let mut life = Life::new();
    let most = RECEIPTS_PER_ORDER_MAX as u64;
    for number in 1..=most {
        life.say(number, "final declined");
        let present = life.order().view.summary.outcome_number;
        assert_eq!(said(life.run(&deadline("o1", present))), "CustomerNotInformed");
    }
    let present = life.order().view.summary.outcome_number;
    assert_eq!(present, 2 * most - 1, "between two refusals it was undecided");
    let records = life.order().version;
    let late = |life: &mut Life| {
        for number in 0..=present {
            life.run(&receipt("o1", number)).unwrap();
        }
    };
    late(&mut life);
    let more = life.order().version - records;
    assert!(more <= 2 * most, "{more}");
    assert_eq!(life.order().receipts.iter().count(), RECEIPTS_PER_ORDER_MAX);
    late(&mut life);
    late(&mut life);
    assert_eq!(life.order().version - records, more, "repeats make no record");
}

/// One thing that happens to the order.
#[derive(Clone, Debug)]
enum Event {
    Said(u64, &'static str),
    /// For the outcome so many numbers before the present one.
    Receipt(u64),
    Deadline(u64),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let words = prop_oneof![
        3 => Just("authorized 100"),
        2 => Just("final declined"),
        2 => Just("authorization canceled"),
        1 => Just("pending"),
    ];
    let back = || prop_oneof![3 => Just(0_u64), 1 => 1..4_u64];
    let event = prop_oneof![
        2 => (1..5_u64, words).prop_map(|(attempt, words)| Event::Said(attempt, words)),
        1 => back().prop_map(Event::Receipt),
        1 => back().prop_map(Event::Deadline),
    ];
    prop::collection::vec(event, 1..24)
}

/// What the changes of the records say of each outcome.
#[derive(Default)]
struct Stream(BTreeMap<u64, Vec<Change>>);

impl Stream {
    fn follow(&mut self, decision: &Decision) {
        for draft in &decision.drafts {
            let told = |change: &&Change| {
                matches!(change, Change::CustomerInformed | Change::CustomerNotInformed)
            };
            let number = draft.decided.summary.outcome_number;
            let changes = draft.decided.changes.iter().filter(told).cloned();
            self.0.entry(number).or_default().extend(changes);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// Against the plainest model there is: the first thing that happens to an outcome while it is
    /// the present one.
    #[test]
    fn the_first_thing_that_happens_to_an_outcome_counts(events in events()) {
        let mut life = Life::new();
        let (mut first, mut stream) = (BTreeMap::new(), Stream::default());
        for event in events {
            let summary = life.order().view.summary;
            let present = summary.outcome_number;
            let counts = |back| {
                back == 0 && matches!(summary.outcome, Outcome::Approved | Outcome::Refused)
            };
            let (command, told, back) = match event {
                Event::Said(attempt, words) => {
                    life.say(attempt, words);
                    continue;
                }
                Event::Receipt(back) => {
                    (receipt("o1", present.saturating_sub(back)), Change::CustomerInformed, back)
                }
                Event::Deadline(back) => {
                    (deadline("o1", present.saturating_sub(back)), Change::CustomerNotInformed, back)
                }
            };
            if counts(back.min(present)) {
                first.entry(present).or_insert(told);
            }
            let decision = life.run(&command).unwrap();
            for draft in &decision.drafts {
                prop_assert_eq!(draft.decided.summary, summary, "no status follows from it");
                let is_one = draft.decided.facts.len() == 1;
                let fact = draft.decided.facts.first();
                let is_told = matches!(fact, Some(Fact::Receipt { .. } | Fact::NotInformed(_)));
                prop_assert!(is_one && is_told, "{:?}", fact);
            }
            stream.follow(&decision);
        }
        let streamed: BTreeMap<u64, Change> = stream.0.into_iter()
            .filter(|(_, changes)| !changes.is_empty())
            .map(|(number, mut changes)| {
                assert_eq!(changes.len(), 1, "one thing of outcome {number}: {changes:?}");
                (number, changes.remove(0))
            })
            .collect();
        prop_assert_eq!(&streamed, &first);
        for (number, told) in life.order().receipts.iter() {
            let expected = match told {
                Told::InTime(_) => Some(&Change::CustomerInformed),
                Told::Missed => Some(&Change::CustomerNotInformed),
                // After the deadline, or after a newer outcome.
                Told::Late => first.get(&number).filter(|c| **c == Change::CustomerNotInformed),
            };
            prop_assert_eq!(first.get(&number), expected, "outcome {}", number);
        }
    }
}
