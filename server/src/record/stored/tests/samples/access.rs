//! What is kept of who may do what, and who did.

use super::{REQUEST, ago, content, merchant, now, usual_webhook};
use crate::{
    domain::ids::{OperatorId, RequestId},
    record::{
        Actor, AuditRecord, Audited, FilterRecord, KeyEvent, KeyRecord, OperatorRecord,
        OrderRecord, Record, Role, Source, SubscriptionRecord,
    },
};

/// An actor of whom only the name was kept.
pub(super) fn named(name: &str) -> Actor {
    Actor { name: name.to_owned(), key_id: String::new(), operator: None }
}

/// What was kept of keys, operators and calls later.
pub(super) fn records() -> Vec<(String, Record)> {
    let anna = || OperatorId::parse("anna").unwrap();
    let actor =
        || Actor { name: "Anna 1".to_owned(), key_id: "key-2".to_owned(), operator: Some(anna()) };
    let Record::Key(before) = super::key(Role::Operator) else { unreachable!() };
    let used = KeyRecord {
        merchants: Vec::new(),
        expire_time: Some(ago(-3600)),
        operator: Some(anna()),
        last_use_time: Some(ago(1)),
        event: KeyEvent::Used,
        actor: Some(actor()),
        ..before
    };
    let request = || (RequestId::parse(REQUEST).unwrap(), content(7));
    let operator = |update, deleted| {
        Record::Operator(OperatorRecord {
            operator: anna(),
            display_name: "Anna Müller".to_owned(),
            merchants: vec![merchant()],
            create_time: ago(9),
            request: request(),
            update,
            deleted,
            actor: Some(actor()),
            time: now(),
        })
    };
    let audit = |what, left_out| {
        Record::Audit(AuditRecord {
            actor: actor(),
            method: "WebhookService/GetWebhook".to_owned(),
            object: "wh_17".to_owned(),
            merchants: vec![merchant()],
            what,
            detail: "its body".to_owned(),
            left_out,
            time: now(),
        })
    };
    let none = FilterRecord { orders: vec![], accounts: vec![], labels: vec![], kinds: vec![] };
    let Record::Subscription(before) = super::subscription(none, None) else { unreachable!() };
    let subscription = SubscriptionRecord { actor: Some(actor()), ..before };
    let intent = OrderRecord { actor: Some(actor()), source: Source::Intent, ..usual_webhook() };
    let all = [
        ("key.used", Record::Key(used)),
        ("operator.created", operator(None, false)),
        ("operator.deleted", operator(Some(request()), true)),
        ("audit.shown", audit(Audited::Shown, 0)),
        ("audit.refused", audit(Audited::Refused, 100)),
        ("subscription.by", Record::Subscription(subscription)),
        ("order.by", Record::Order(intent)),
    ];
    all.map(|(name, record)| (name.to_owned(), record)).into()
}
