//! Fixed records and states that together hold every variant. They are written out, not
//! decided: the rules may change, these may not.

mod access;
mod facts;
mod views;

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    domain::{
        change::Change,
        command::Disposition,
        digest::ContentId,
        fact::{Fact, Method, RequestKey},
        ids::{
            AccountId, Claim, MerchantId, OperatorId, OrderId, OrderKey, ProviderId, RequestId,
            SubscriptionId,
        },
        money::{Currency, Money},
        order::{Decided, Facts, HeldReading, Order},
        receipt::Told,
        sorted::SortedMap,
        statement::{Basis, Held},
        time::Time,
    },
    record::{
        FilterRecord, KeptAs, KeptWebhook, KeyEvent, KeyRecord, OrderRecord, Record, Role, Source,
        Subject, SubscriptionRecord, WebhookMeta,
    },
};

const ORDER: &str = "6f0a2f0e-6f5b-4f0e-9a34-0a6dfb6fd6b1";
const ATTEMPT: &str = "0b54a5b2-3c53-4be2-8f5b-4f30a2b6c801";
const PAYMENT: &str = "c1f7a1de-08b2-4b2e-8d4f-2f9f5be0a7e4";
const REQUEST: &str = "9d1c33aa-5d2f-4e43-a6a0-6b0c1b8f2d10";

fn now() -> Time {
    Time::from_micros(1_790_000_000_123_456)
}

fn ago(seconds: i64) -> Time {
    now().minus_seconds(seconds)
}

fn merchant() -> MerchantId {
    MerchantId::parse("shop-sandbox").unwrap()
}

fn account() -> AccountId {
    AccountId::parse("optty-sandbox").unwrap()
}

fn id(kind: &str, value: &str) -> ProviderId {
    ProviderId::parse(kind, value).unwrap()
}

fn content(byte: u8) -> ContentId {
    std::array::from_fn(|index| byte.wrapping_mul(31).wrapping_add(index as u8))
}

fn money(code: &str, units: i64, exponent: u8) -> Money {
    Money::new(Currency::parse(code).unwrap(), units, exponent).unwrap()
}

fn aud(units: i64) -> Money {
    money("AUD", units, 2)
}

fn recorded() -> OrderKey {
    OrderKey::Recorded { merchant: merchant(), order: OrderId::parse(ORDER).unwrap() }
}

fn unclaimed() -> OrderKey {
    OrderKey::Unclaimed { account: account(), anchor: id("payment", PAYMENT) }
}

fn labels() -> Vec<(String, String)> {
    vec![("channel".to_owned(), "web".to_owned()), ("empty".to_owned(), String::new())]
}

pub(super) fn claim() -> Claim {
    Claim { account: account(), id: id("reference", "Bestellung 7/ä") }
}

pub(super) fn keys() -> Vec<OrderKey> {
    let long = OrderId::parse(&"x".repeat(OrderId::BYTES_MAX)).unwrap();
    vec![recorded(), unclaimed(), OrderKey::Recorded { merchant: merchant(), order: long }]
}

pub(super) fn subjects() -> Vec<Subject> {
    let subscription = SubscriptionId::parse("ledger").unwrap();
    vec![
        Subject::Order(recorded()),
        Subject::Order(unclaimed()),
        Subject::Account(account()),
        Subject::Key("key-1".to_owned()),
        Subject::Subscription(merchant(), subscription),
        Subject::Operator(OperatorId::parse("anna").unwrap()),
        Subject::Audit,
    ]
}

fn webhook(disposition: Disposition) -> WebhookMeta {
    WebhookMeta {
        account: account(),
        event_id: "sha256-5f3a9c0d7be1".to_owned(),
        event_name: "ORDER_ASYNC".to_owned(),
        body_sha256: [0xb5; 32],
        disposition,
        reading: content(1),
        headers: Vec::new(),
    }
}

/// One webhook of Optty for a recorded attempt: one statement, three changes.
pub(super) fn usual_webhook() -> OrderRecord {
    OrderRecord {
        key: recorded(),
        decided: Decided {
            facts: vec![Fact::Evidence(facts::usual_evidence())],
            changes: views::usual_changes(),
            summary: views::usual_summary(),
            time: now(),
        },
        source: Source::Webhook,
        actor: None,
        webhook: Some(webhook(Disposition::Applied)),
        labels: vec![("channel".to_owned(), "web".to_owned())],
    }
}

/// A record for each source and disposition; all facts and changes are in it.
fn order_records() -> Vec<(String, Record)> {
    let sources =
        [Source::Intent, Source::Webhook, Source::Reread, Source::Reply, Source::Consequence];
    let dispositions = [
        Some(Disposition::Applied),
        Some(Disposition::Parked),
        Some(Disposition::Superseded),
        Some(Disposition::Repeat),
        None,
    ];
    let both = sources.into_iter().zip(dispositions);
    let record = |(index, (source, disposition)): (usize, (Source, Option<Disposition>))| {
        let record = OrderRecord {
            key: if index % 2 == 0 { recorded() } else { unclaimed() },
            decided: Decided {
                facts: if index == 0 { facts::all() } else { Vec::new() },
                changes: if index == 1 { views::all_changes() } else { Vec::new() },
                summary: views::summaries().remove(index),
                time: now(),
            },
            source,
            actor: (index == 0).then(|| access::named("checkout-1")),
            webhook: disposition
                .map(|disposition| WebhookMeta { headers: labels(), ..webhook(disposition) }),
            labels: labels(),
        };
        (format!("order.{index}"), Record::Order(record))
    };
    both.enumerate().map(record).collect()
}

fn kept(kept_as: KeptAs) -> Record {
    Record::Kept(KeptWebhook {
        account: account(),
        time: now(),
        kept_as,
        reason: "no field data.status".to_owned(),
        event_id: "sha256-5f3a9c0d7be1".to_owned(),
        event_name: String::new(),
        body_sha256: [7; 32],
        headers: labels(),
    })
}

fn key(role: Role) -> Record {
    Record::Key(KeyRecord {
        key_id: "key-1".to_owned(),
        name: "Checkout 1".to_owned(),
        role,
        merchants: if role == Role::Owner { Vec::new() } else { vec![merchant()] },
        secret_sha256: [9; 32],
        create_time: ago(5),
        expire_time: None,
        operator: None,
        last_use_time: None,
        event: KeyEvent::Granted,
        actor: None,
        request: (role != Role::Owner).then(|| (RequestId::parse(REQUEST).unwrap(), content(9))),
        deleted: role == Role::Operator,
        time: now(),
    })
}

fn subscription(filter: FilterRecord, acknowledge_time: Option<Time>) -> Record {
    Record::Subscription(SubscriptionRecord {
        merchant: merchant(),
        subscription: SubscriptionId::parse("ledger").unwrap(),
        filter,
        acknowledged: 1_000_000,
        create_time: ago(60),
        acknowledge_time,
        request: acknowledge_time.map(|_| (RequestId::parse(REQUEST).unwrap(), content(8))),
        deleted: acknowledge_time.is_none(),
        actor: None,
        time: now(),
    })
}

/// Every kind of record with every variant in it.
pub(super) fn records() -> Vec<(String, Record)> {
    let filter = FilterRecord {
        orders: vec![ORDER.to_owned()],
        accounts: vec!["optty-sandbox".to_owned()],
        labels: labels(),
        kinds: vec![1, 7, -1],
    };
    let none = FilterRecord { orders: vec![], accounts: vec![], labels: vec![], kinds: vec![] };
    let mut all = vec![("usual_webhook".to_owned(), Record::Order(usual_webhook()))];
    all.extend(order_records());
    let others = [
        ("kept.unreadable", kept(KeptAs::Unreadable)),
        ("kept.ignored", kept(KeptAs::Ignored)),
        ("key.checkout", key(Role::Checkout)),
        ("key.operator", key(Role::Operator)),
        ("key.owner", key(Role::Owner)),
        ("subscription.filtered", subscription(filter, Some(ago(1)))),
        ("subscription.all", subscription(none, None)),
    ];
    all.extend(others.map(|(name, record)| (name.to_owned(), record)));
    let poll = OrderRecord { source: Source::Poll, webhook: None, ..usual_webhook() };
    all.push(("order.poll".to_owned(), Record::Order(poll)));
    all.extend(receipts());
    all.extend(access::records());
    all
}

/// What becomes of telling the customer: by a page, by a checkout service, and not in time.
fn receipts() -> impl Iterator<Item = (String, Record)> {
    let record = |source, facts, changes| {
        let decided = Decided { facts, changes, summary: views::usual_summary(), time: now() };
        Record::Order(OrderRecord { decided, source, webhook: None, ..usual_webhook() })
    };
    let request = RequestId::parse(REQUEST).unwrap();
    let key = RequestKey { method: Method::RecordReceipt, request };
    let receipt = |is_late| Fact::Receipt { outcome_number: 1, is_late };
    let requested = vec![receipt(false), Fact::Request { key, fingerprint: content(11) }];
    let all = [
        ("order.receipt", Source::Intent, requested, vec![Change::CustomerInformed]),
        ("order.receipt.late", Source::Page, vec![receipt(true)], Vec::new()),
        (
            "order.not_informed",
            Source::Deadline,
            vec![Fact::NotInformed(300)],
            vec![Change::CustomerNotInformed],
        ),
    ];
    all.into_iter()
        .map(move |(name, source, facts, changes)| (name.into(), record(source, facts, changes)))
}

/// Nothing known, and one of everything.
pub(super) fn orders() -> Vec<(String, Order)> {
    let mut facts = Facts::default();
    facts::all().iter().for_each(|fact| facts.add(fact));
    let held = Held::new(account(), Basis::Poll, facts::statement());
    facts.statements = SortedMap::from([(content(40), Arc::new(held))]);
    let statements = vec![content(40)];
    let reading = HeldReading { revision: 2, repeats: 3, statements };
    facts.readings = SortedMap::from([(content(41), reading)]);
    let request = RequestId::parse(REQUEST).unwrap();
    let request = RequestKey { method: Method::CreateOrder, request };
    let full = Order {
        version: 3,
        positions: vec![17, 18, 5_000_000],
        create_time: ago(90),
        update_time: now(),
        // What stands for it in states that were written before there was one.
        outcome_time: now(),
        facts,
        view: views::all(),
        requests: BTreeMap::from([(request, (content(42), ago(90)))]),
        forwarded_to: Some(unclaimed()),
        ..Order::new(recorded())
    };
    let told = [(1, Told::InTime(ago(80))), (2, Told::Missed), (300, Told::Late)];
    let receipts = told.into_iter().collect();
    let told = Order { outcome_time: ago(85), receipts, ..full.clone() };
    let fresh = Order { last_evidence: Some((ago(3), Basis::Poll)), ..full.clone() };
    vec![
        ("new".to_owned(), Order::new(unclaimed())),
        ("full".to_owned(), full),
        ("fresh".to_owned(), fresh),
        ("told".to_owned(), told),
    ]
}
