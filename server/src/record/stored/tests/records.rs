//! Generated records.

use proptest::{collection::vec, option, prelude::*};

use super::{
    facts::any_fact,
    names::{
        any_account, any_content_id, any_merchant, any_operator, any_order_key, any_pairs,
        any_request, any_subscription, any_text, any_time, numbered,
    },
    views::{any_changes, any_summary},
};
use crate::{
    domain::order::Decided,
    record::{
        Actor, AuditRecord, FilterRecord, KeptWebhook, KeyRecord, OperatorRecord, OrderRecord,
        Record, SubscriptionRecord, WebhookMeta,
    },
};

fn any_webhook() -> BoxedStrategy<WebhookMeta> {
    let event = (any_account(), any_text(), any_text(), any_pairs());
    (event, any::<[u8; 32]>(), numbered(), any_content_id())
        .prop_map(|(event, body_sha256, disposition, reading)| WebhookMeta {
            account: event.0,
            event_id: event.1,
            event_name: event.2,
            body_sha256,
            disposition,
            reading,
            headers: event.3,
        })
        .boxed()
}

fn any_kept() -> BoxedStrategy<KeptWebhook> {
    let event = (any_account(), any_text(), any_text(), any_pairs());
    (event, any_time(), numbered(), any_text(), any::<[u8; 32]>())
        .prop_map(|(event, time, kept_as, reason, body_sha256)| KeptWebhook {
            account: event.0,
            time,
            kept_as,
            reason,
            event_id: event.1,
            event_name: event.2,
            body_sha256,
            headers: event.3,
        })
        .boxed()
}

fn any_order_record() -> BoxedStrategy<OrderRecord> {
    let decided = (vec(any_fact(), 0..4), any_changes(), any_summary(), any_time())
        .prop_map(|(facts, changes, summary, time)| Decided { facts, changes, summary, time });
    let origin = (numbered(), option::of(any_actor()), option::of(any_webhook()));
    (any_order_key(), decided, origin, any_pairs())
        .prop_map(|(key, decided, origin, labels)| OrderRecord {
            key,
            decided,
            source: origin.0,
            actor: origin.1,
            webhook: origin.2,
            labels,
        })
        .boxed()
}

fn any_actor() -> BoxedStrategy<Actor> {
    (any_text(), any_text(), option::of(any_operator()))
        .prop_map(|(name, key_id, operator)| Actor { name, key_id, operator })
        .boxed()
}

fn any_key_record() -> BoxedStrategy<KeyRecord> {
    let names = (any_text(), any_text(), numbered(), vec(any_merchant(), 0..3), any::<[u8; 32]>());
    let request = option::of((any_request(), any_content_id()));
    let times = (any_time(), option::of(any_time()), option::of(any_time()), any_time());
    let by = (option::of(any_operator()), option::of(any_actor()), numbered());
    (names, request, any::<bool>(), times, by)
        .prop_map(|(names, request, deleted, times, by)| KeyRecord {
            key_id: names.0,
            name: names.1,
            role: names.2,
            merchants: names.3,
            secret_sha256: names.4,
            create_time: times.0,
            request,
            expire_time: times.1,
            operator: by.0,
            last_use_time: times.2,
            deleted,
            event: by.2,
            actor: by.1,
            time: times.3,
        })
        .boxed()
}

fn any_operator_record() -> BoxedStrategy<OperatorRecord> {
    let names = (any_operator(), any_text(), vec(any_merchant(), 0..3));
    let requests = (any_request(), any_content_id());
    let update = option::of((any_request(), any_content_id()));
    let times = (any_time(), any_time());
    (names, requests, update, any::<bool>(), option::of(any_actor()), times)
        .prop_map(|(names, request, update, deleted, actor, times)| OperatorRecord {
            operator: names.0,
            display_name: names.1,
            merchants: names.2,
            create_time: times.0,
            request,
            update,
            deleted,
            actor,
            time: times.1,
        })
        .boxed()
}

fn any_audit_record() -> BoxedStrategy<AuditRecord> {
    let texts = (any_text(), any_text(), any_text(), vec(any_merchant(), 0..3));
    (any_actor(), texts, numbered(), any::<u64>(), any_time())
        .prop_map(|(actor, texts, what, left_out, time)| AuditRecord {
            actor,
            method: texts.0,
            object: texts.1,
            merchants: texts.3,
            what,
            detail: texts.2,
            left_out,
            time,
        })
        .boxed()
}

fn any_filter() -> BoxedStrategy<FilterRecord> {
    let texts = || vec(any_text(), 0..3);
    (texts(), texts(), any_pairs(), vec(any::<i32>(), 0..3))
        .prop_map(|(orders, accounts, labels, kinds)| FilterRecord {
            orders,
            accounts,
            labels,
            kinds,
        })
        .boxed()
}

fn any_subscription_record() -> BoxedStrategy<SubscriptionRecord> {
    let names = (any_merchant(), any_subscription(), any_filter(), any::<u64>());
    let request = option::of((any_request(), any_content_id()));
    let times = (any_time(), option::of(any_time()), any_time());
    (names, request, times, any::<bool>(), option::of(any_actor()))
        .prop_map(|(names, request, times, deleted, actor)| SubscriptionRecord {
            merchant: names.0,
            subscription: names.1,
            filter: names.2,
            acknowledged: names.3,
            create_time: times.0,
            acknowledge_time: times.1,
            request,
            deleted,
            actor,
            time: times.2,
        })
        .boxed()
}

pub(super) fn any_record() -> BoxedStrategy<Record> {
    prop_oneof![
        5 => any_order_record().prop_map(Record::Order),
        1 => any_kept().prop_map(Record::Kept),
        1 => any_key_record().prop_map(Record::Key),
        1 => any_subscription_record().prop_map(Record::Subscription),
        1 => any_operator_record().prop_map(Record::Operator),
        1 => any_audit_record().prop_map(Record::Audit),
    ]
    .boxed()
}
