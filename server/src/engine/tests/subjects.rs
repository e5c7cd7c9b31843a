//! What is recorded of API keys, subscriptions and webhooks that are about no order.

use crate::{
    domain::{
        ids::{MerchantId, OperatorId, RequestId, SubscriptionId},
        testing::{account, create_order},
    },
    engine::{
        Answer, Ask, AskKey, AskOperator, AskSubscription, Error, KEYS_PER_OPERATOR_MAX, Refused,
    },
    record::{Actor, FilterRecord, KeptAs, KeptWebhook, Role},
};

use super::bench::{Bench, NOW, ask};

pub(crate) fn kept() -> KeptWebhook {
    KeptWebhook {
        account: account(),
        time: NOW,
        kept_as: KeptAs::Unreadable,
        reason: "test".to_owned(),
        event_id: String::new(),
        event_name: String::new(),
        body_sha256: [0; 32],
        headers: Vec::new(),
    }
}

fn create_key(key_id: &str, role: Role, secret: u8) -> Ask {
    Ask::Key(new_key(key_id, role, secret, None), actor())
}

fn new_key(key_id: &str, role: Role, secret: u8, operator: Option<OperatorId>) -> AskKey {
    AskKey::Create {
        key_id: key_id.to_owned(),
        name: "test".to_owned(),
        role,
        merchants: Vec::new(),
        secret_sha256: [secret; 32],
        request: Some((RequestId::parse(key_id).unwrap(), [1; 16])),
        expire_time: None,
        operator,
    }
}

fn actor() -> Option<Actor> {
    Some(Actor { name: "boss".to_owned(), key_id: "key_boss".to_owned(), operator: None })
}

fn delete_key(key_id: &str) -> Ask {
    Ask::Key(AskKey::Delete { key_id: key_id.to_owned() }, actor())
}

fn subscription() -> (MerchantId, SubscriptionId) {
    (MerchantId::parse("m").unwrap(), SubscriptionId::parse("s").unwrap())
}

fn subscribe(request: &str, content: u8) -> Ask {
    let (merchant, subscription) = subscription();
    let filter = FilterRecord { orders: vec![], accounts: vec![], labels: vec![], kinds: vec![] };
    let request = (RequestId::parse(request).unwrap(), [content; 16]);
    let ask = AskSubscription::Create { merchant, subscription, filter, start: 1, request };
    Ask::Subscription(ask, actor())
}

fn acknowledge(position: u64) -> Ask {
    let (merchant, subscription) = subscription();
    let ask = AskSubscription::Acknowledge { merchant, subscription, position };
    Ask::Subscription(ask, actor())
}

fn delete() -> Ask {
    let (merchant, subscription) = subscription();
    Ask::Subscription(AskSubscription::Delete { merchant, subscription }, actor())
}

/// `12` for a record at that position, `=` for none, else why not.
fn words(answers: &[Result<Answer, Error>]) -> String {
    let word = |answer: &Result<Answer, Error>| match answer {
        Ok(Answer { position: Some(position), .. }) => position.to_string(),
        Ok(_) => "=".to_owned(),
        Err(Error::Refused(Refused::LastOwnerKey)) => "last".to_owned(),
        Err(Error::Refused(Refused::RequestIdReused)) => "reused".to_owned(),
        Err(Error::Refused(Refused::NameTaken { .. })) => "taken".to_owned(),
        Err(Error::Refused(Refused::NotFound { .. })) => "none".to_owned(),
        Err(error) => panic!("{error}"),
    };
    answers.iter().map(word).collect::<Vec<_>>().join(" ")
}

#[test]
fn keys_are_created_once_and_the_last_owner_stays() {
    let mut bench = Bench::new();
    let answers = bench.run([
        create_key("a", Role::Owner, 1),
        create_key("a", Role::Owner, 1),
        delete_key("nobody"),
        create_key("c", Role::Checkout, 3),
        delete_key("a"),
    ]);
    assert_eq!(words(&answers), "1 = = 2 last");
    let answers = bench.run([create_key("b", Role::Owner, 2)]);
    assert_eq!(words(&answers), "3");
    let answers = bench.run([delete_key("a"), delete_key("b"), delete_key("a")]);
    assert_eq!(words(&answers), "4 last =");
    assert_eq!(bench.store.key_by_secret(&[1; 32]), None);
    assert_eq!(bench.store.key_by_secret(&[2; 32]).unwrap().key_id, "b");
    bench.verify();
}

/// An id is made of the request that creates a key, so it comes again when that request does.
/// The secret that was revoked with the first key must not open the second.
#[test]
fn a_revoked_secret_stays_revoked_when_its_key_id_is_given_again() {
    let mut bench = Bench::new();
    bench.run([create_key("a", Role::Owner, 1), create_key("c", Role::Checkout, 2)]);
    bench.run([delete_key("c"), create_key("c", Role::Checkout, 3)]);
    for _ in 0..2 {
        assert_eq!(bench.store.key_by_secret(&[2; 32]), None);
        assert_eq!(bench.store.key_by_secret(&[3; 32]).unwrap().key_id, "c");
        bench = bench.restart();
    }
}

/// A key that ends would leave nobody to manage keys, and so would the owner of one merchant.
#[test]
fn the_last_owner_is_one_of_all_merchants_that_does_not_expire() {
    let mut bench = Bench::new();
    let later = NOW.minus_seconds(-60);
    let mut ending = new_key("b", Role::Owner, 2, None);
    if let AskKey::Create { expire_time, .. } = &mut ending {
        *expire_time = Some(later);
    }
    let mut of_one = new_key("c", Role::Owner, 3, None);
    if let AskKey::Create { merchants, .. } = &mut of_one {
        merchants.push(MerchantId::parse("m").unwrap());
    }
    bench.run([create_key("a", Role::Owner, 1), Ask::Key(ending, None), Ask::Key(of_one, None)]);
    let answers = bench.run([delete_key("a"), delete_key("b"), delete_key("c"), delete_key("a")]);
    assert_eq!(words(&answers), "last 4 5 last");
    let answers = bench.run([create_key("d", Role::Owner, 4), delete_key("a")]);
    assert_eq!(words(&answers), "6 last", "one in the same batch may not come to be");
    assert_eq!(words(&bench.run([delete_key("a")])), "7");
    bench.verify();
}

#[test]
fn the_use_of_a_key_is_recorded_only_forward() {
    let mut bench = Bench::new();
    let used = |seconds: i64| {
        let time = NOW.minus_seconds(-seconds);
        Ask::Key(AskKey::Use { key_id: "a".to_owned(), time }, None)
    };
    let answers = bench.run([used(1), create_key("a", Role::Owner, 1), used(5), used(5), used(3)]);
    assert_eq!(words(&answers), "= 1 2 = =");
    let mut bench = bench.restart();
    let key = bench.store.key("a").unwrap();
    assert_eq!(key.last_use_time, Some(NOW.minus_seconds(-5)));
    assert_eq!(words(&bench.run([used(6)])), "3");
    bench.verify();
}

fn anna() -> OperatorId {
    OperatorId::parse("anna").unwrap()
}

fn merchants(names: &str) -> Vec<MerchantId> {
    names.split(' ').map(|name| MerchantId::parse(name).unwrap()).collect()
}

fn create_operator(request: &str, content: u8) -> Ask {
    let ask = AskOperator::Create {
        operator: anna(),
        display_name: "Anna".to_owned(),
        merchants: merchants("m"),
        request: (RequestId::parse(request).unwrap(), [content; 16]),
    };
    Ask::Operator(ask, actor())
}

fn update_operator(request: &str, content: u8, names: &str) -> Ask {
    let ask = AskOperator::Update {
        operator: anna(),
        display_name: "Anna".to_owned(),
        merchants: merchants(names),
        request: (RequestId::parse(request).unwrap(), [content; 16]),
    };
    Ask::Operator(ask, actor())
}

#[test]
fn operators_are_created_replaced_and_deleted_with_their_keys() {
    let mut bench = Bench::new();
    let key =
        |id: &str, secret| Ask::Key(new_key(id, Role::Operator, secret, Some(anna())), actor());
    let delete = || Ask::Operator(AskOperator::Delete { operator: anna() }, actor());
    let answers = bench.run([
        key("k1", 1),
        update_operator("u1", 1, "m"),
        delete(),
        create_operator("r1", 1),
        create_operator("r1", 1),
        create_operator("r1", 2),
        create_operator("r2", 1),
        update_operator("u1", 1, "m n"),
        update_operator("u1", 1, "m n"),
        update_operator("u1", 2, "m"),
        key("k1", 1),
        key("k2", 2),
        create_key("k3", Role::Owner, 3),
    ]);
    assert_eq!(words(&answers), "none none = 1 = reused taken 2 = reused 3 4 5");
    let mut bench = bench.restart();
    assert_eq!(bench.store.operator(&anna()).unwrap().merchants, merchants("m n"));
    assert_eq!(words(&bench.run([delete()])), "6");
    for _ in 0..2 {
        assert_eq!(bench.store.applied(), 8, "two keys went with it");
        assert_eq!(bench.store.operator(&anna()), None);
        assert_eq!(bench.store.key_by_secret(&[1; 32]), None);
        let left = bench.store.keys();
        assert_eq!(left.iter().map(|key| &*key.key_id).collect::<Vec<_>>(), ["k3"]);
        bench = bench.restart();
    }
    // One of the same name has none of its keys.
    bench.run([create_operator("r1", 1)]);
    assert_eq!(bench.store.key_by_secret(&[1; 32]), None);
    bench.verify();
}

#[test]
fn an_operator_has_so_many_keys_and_no_more() {
    let mut bench = Bench::new();
    bench.run([create_operator("r1", 1)]);
    let key = |n: usize| {
        let secret = u8::try_from(n).unwrap();
        Ask::Key(new_key(&format!("k{n}"), Role::Operator, secret, Some(anna())), actor())
    };
    let mut answers = bench.run((0..=KEYS_PER_OPERATOR_MAX).map(key));
    let last = answers.pop().unwrap();
    assert!(answers.iter().all(Result::is_ok));
    let max = KEYS_PER_OPERATOR_MAX;
    let refused = Refused::TooMany { what: "keys of one operator", max };
    assert_eq!(last, Err(Error::Refused(refused)));
    bench.verify();
}

#[test]
fn subscriptions_move_only_forward() {
    let mut bench = Bench::new();
    let answers = bench.run([
        acknowledge(5),
        subscribe("r1", 1),
        subscribe("r1", 1),
        subscribe("r1", 2),
        subscribe("r2", 2),
        acknowledge(5),
        acknowledge(3),
        acknowledge(5),
        acknowledge(6),
    ]);
    assert_eq!(words(&answers), "none 1 = reused taken 2 = = 3");
    let (merchant, name) = subscription();
    let mut bench = bench.restart();
    assert_eq!(bench.store.subscription(&merchant, &name).unwrap().acknowledged, 6);
    let answers = bench.run([delete(), delete(), acknowledge(7), subscribe("r2", 2)]);
    assert_eq!(words(&answers), "4 = none 5");
    let bench = bench.restart();
    assert_eq!(bench.store.subscription(&merchant, &name).unwrap().acknowledged, 1);
    assert_eq!(bench.store.subscriptions(&merchant).len(), 1);
    assert_eq!(bench.store.subscription_count(), 1);
    bench.verify();
}

#[test]
fn subjects_go_on_where_another_writer_left_them() {
    let mut bench = Bench::new();
    let keep = || Ask::Keep(Box::new(kept()), Vec::new());
    bench.run([create_key("a", Role::Owner, 1), keep()]);
    let mut rival = Bench::on(&bench.journal);
    bench.before_append(move || {
        rival.run([create_key("b", Role::Owner, 2), keep(), subscribe("r1", 1)]);
    });
    let answers = bench.run([
        keep(),
        create_key("b", Role::Owner, 2),
        subscribe("r2", 2),
        ask(&create_order("o1", "100")),
        delete_key("a"),
    ]);
    // What did not conflict comes first; the key could not go before another owner was there.
    assert_eq!(words(&answers), "7 = taken 6 8");
    bench.verify();
}
