//! What is recorded of API keys, subscriptions and webhooks that are about no order.

use crate::{
    domain::{
        ids::{MerchantId, RequestId, SubscriptionId},
        testing::{account, create_order},
    },
    engine::{Answer, Ask, AskKey, AskSubscription, Error, Refused},
    record::{FilterRecord, KeptAs, KeptWebhook, Role},
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
    Ask::Key(AskKey::Create {
        key_id: key_id.to_owned(),
        name: "test".to_owned(),
        role,
        merchants: Vec::new(),
        secret_sha256: [secret; 32],
        request: Some((RequestId::parse(key_id).unwrap(), [1; 16])),
    })
}

fn delete_key(key_id: &str) -> Ask {
    Ask::Key(AskKey::Delete { key_id: key_id.to_owned() })
}

fn subscription() -> (MerchantId, SubscriptionId) {
    (MerchantId::parse("m").unwrap(), SubscriptionId::parse("s").unwrap())
}

fn subscribe(request: &str, content: u8) -> Ask {
    let (merchant, subscription) = subscription();
    let filter = FilterRecord { orders: vec![], accounts: vec![], labels: vec![], kinds: vec![] };
    let request = (RequestId::parse(request).unwrap(), [content; 16]);
    Ask::Subscription(AskSubscription::Create { merchant, subscription, filter, start: 1, request })
}

fn acknowledge(position: u64) -> Ask {
    let (merchant, subscription) = subscription();
    Ask::Subscription(AskSubscription::Acknowledge { merchant, subscription, position })
}

fn delete() -> Ask {
    let (merchant, subscription) = subscription();
    Ask::Subscription(AskSubscription::Delete { merchant, subscription })
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
