//! Generated states of orders.

use std::sync::Arc;

use proptest::{
    collection::{btree_map, vec},
    option,
    prelude::*,
};

use super::{
    facts::{
        any_attempt_intent, any_held, any_operation_intent, any_order_intent, any_request_key,
    },
    names::{any_claim, any_content_id, any_order_key, any_time, numbered},
    views::any_view,
};
use crate::domain::{
    order::{Facts, HeldReading, Order},
    receipt::{Receipts, Told},
};

fn any_facts() -> BoxedStrategy<Facts> {
    let intents = (
        option::of(any_order_intent()),
        vec(any_attempt_intent(), 0..3),
        vec(any_operation_intent(), 0..3),
    );
    let reading = (any::<u32>(), any::<u32>(), vec(any_content_id(), 0..3))
        .prop_map(|(revision, repeats, statements)| HeldReading { revision, repeats, statements });
    let readings = btree_map(any_content_id(), reading, 0..4);
    let statements = btree_map(any_content_id(), any_held().prop_map(Arc::new), 0..4);
    let shared = btree_map(any_claim(), any_order_key(), 0..2);
    (intents, readings, statements, shared, any::<bool>())
        .prop_map(|(intents, readings, statements, shared, beyond_limit)| Facts {
            order: intents.0,
            attempts: intents.1.into_iter().map(|a| (a.attempt.clone(), a)).collect(),
            operations: intents.2.into_iter().map(|o| ((o.kind, o.operation.clone()), o)).collect(),
            readings: readings.into_iter().collect(),
            statements: statements.into_iter().collect(),
            shared,
            beyond_limit,
        })
        .boxed()
}

fn any_receipts() -> BoxedStrategy<Receipts> {
    let told = prop_oneof![any_time().prop_map(Told::InTime), Just(Told::Missed), Just(Told::Late)];
    vec((any::<u64>(), told), 0..4).prop_map(|told| told.into_iter().collect()).boxed()
}

pub(super) fn any_order() -> BoxedStrategy<Order> {
    let requests = btree_map(any_request_key(), (any_content_id(), any_time()), 0..3);
    let history = (any::<u64>(), vec(any::<u64>(), 0..5), [any_time(), any_time(), any_time()]);
    let forwarded_to = option::of(any_order_key());
    let evidence = option::of((any_time(), numbered()));
    let told = (requests, any_receipts());
    (any_order_key(), history, any_facts(), any_view(), told, forwarded_to, evidence)
        .prop_map(|(key, history, facts, view, told, forwarded_to, last_evidence)| Order {
            key,
            version: history.0,
            positions: history.1,
            create_time: history.2[0],
            update_time: history.2[1],
            outcome_time: history.2[2],
            last_evidence,
            facts,
            view,
            requests: told.0,
            receipts: told.1,
            forwarded_to,
        })
        .boxed()
}
