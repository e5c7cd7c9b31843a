//! What is written comes back the same.

use proptest::prelude::*;

use super::{records::any_record, samples, states::any_order};
use crate::{
    domain::{
        command::{Command, Disposition},
        order::Order,
        statement::OperationKind,
        testing::{
            MemoryWorld, accept, assert_same, create_attempt, create_operation, create_order, say,
        },
        time::Time,
    },
    record::{OrderRecord, Record, Source, decode, decode_order, encode, encode_order},
};

/// Amounts are equal by value; their digits have to come back as well, so texts are compared.
fn assert_record_comes_back(record: &Record) {
    let again = decode(&encode(record)).unwrap();
    assert_same(&again, record);
    assert_eq!(format!("{again:?}"), format!("{record:?}"));
}

fn assert_order_comes_back(order: &Order) {
    let again = decode_order(&encode_order(order)).unwrap();
    assert_same(&again, order);
    assert_eq!(format!("{again:?}"), format!("{order:?}"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn records_come_back(record in any_record()) {
        assert_record_comes_back(&record);
    }

    #[test]
    fn states_come_back(order in any_order()) {
        assert_order_comes_back(&order);
    }
}

#[test]
fn samples_come_back() {
    samples::records().iter().for_each(|(_, record)| assert_record_comes_back(record));
    samples::orders().iter().for_each(|(_, order)| assert_order_comes_back(order));
}

fn commands() -> Vec<Command> {
    let attempt = |id, reference| create_attempt("o1", id, reference, None);
    let refund = (OperationKind::Refund, "r1");
    vec![
        accept("parked", vec![say("p1 o1 : authorized 100")]),
        create_order("o1", "100"),
        attempt("a1", "o1"),
        attempt("a2", "o1-b"),
        accept("sold", vec![say("p1 o1 : sold 100")]),
        accept("sold", vec![say("p1 o1 : sold 100")]),
        accept("twice", vec![say("p2 o1-b : sold 99"), say("p2 o1-b : void! v1 ok 99")]),
        create_operation("o1", "a1", refund, Some("40")),
        accept("refund", vec![say("p1 o1 : refund r1 ok 40")]),
        accept("again", vec![say("p3 o1 : try declined")]),
        create_order("o2", "5"),
        create_attempt("o2", "a1", "o2", Some("5")),
        accept("shared", vec![say("p1 o2 : refund r9 declined 1")]),
        accept("corrected", vec![say("p1 o1 : sale-corrected")]),
    ]
}

/// Really decided: every record and every state on the way, and the states of the fold of
/// records that were read again.
#[test]
fn decided_records_and_states_come_back() {
    let mut world = MemoryWorld::default();
    let mut folded = std::collections::BTreeMap::new();
    let mut position = 0;
    for (step, command) in commands().iter().enumerate() {
        let now = Time::from_seconds(1_790_000_000 + step as i64);
        for draft in world.run(command, now).unwrap().drafts {
            let record = Record::Order(OrderRecord {
                key: draft.key.clone(),
                decided: draft.decided,
                source: Source::Webhook,
                actor: None,
                webhook: None,
                labels: Vec::new(),
            });
            assert_record_comes_back(&record);
            let Record::Order(again) = decode(&encode(&record)).unwrap() else { panic!() };
            position += 1;
            let order = folded.entry(draft.key.clone()).or_insert(Order::new(draft.key));
            order.apply(position, &again.decided);
        }
        for (key, order) in &world.orders {
            assert_order_comes_back(order);
            assert_same(&folded[key], order);
        }
    }
    assert!(world.orders.len() > 2);
}

/// The commonest record of all: one webhook of Optty, one statement, three changes.
#[test]
fn a_usual_webhook_is_small() {
    let record = samples::usual_webhook();
    assert_eq!(record.decided.changes.len(), 3);
    assert_eq!(record.webhook.as_ref().map(|w| w.disposition), Some(Disposition::Applied));
    let bytes = encode(&Record::Order(record));
    println!("a usual webhook: {} bytes", bytes.len());
    assert!(bytes.len() <= 350, "{}", bytes.len());
}
