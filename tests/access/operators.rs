//! Operators and what they may touch, keys that end, and what is known of their use.

use paystatus_proto::v1;
use prost_types::Duration;
use tonic::Code;

use super::walk::operator_of;
use crate::harness::{
    MERCHANT, OTHER_MERCHANT, PATIENCE, System,
    api::{Api, assert_refused, request_id},
    stream::{Reader, from},
};

fn new_operator(id: &str, merchants: &[&str]) -> v1::CreateOperatorRequest {
    v1::CreateOperatorRequest {
        operator_id: id.to_owned(),
        display_name: "Anna".to_owned(),
        merchant_ids: merchants.iter().map(|&m| m.to_owned()).collect(),
        request_id: request_id(),
    }
}

fn update(id: &str, merchants: &[&str]) -> v1::UpdateOperatorRequest {
    v1::UpdateOperatorRequest {
        operator_id: id.to_owned(),
        display_name: "Anna".to_owned(),
        merchant_ids: merchants.iter().map(|&m| m.to_owned()).collect(),
        request_id: request_id(),
    }
}

async fn delete(api: &Api, id: &str) -> bool {
    let request =
        v1::DeleteOperatorRequest { operator_id: id.to_owned(), request_id: request_id() };
    api.access().delete_operator(request).await.expect("answered").into_inner().replayed
}

async fn operators(api: &Api) -> Vec<String> {
    let request = v1::ListOperatorsRequest::default();
    let answer = api.access().list_operators(request).await.expect("answered").into_inner();
    answer.operators.into_iter().map(|operator| operator.operator_id).collect()
}

async fn keys(api: &Api) -> Vec<v1::Key> {
    let answer = api.access().list_keys(v1::ListKeysRequest::default()).await;
    answer.expect("answered").into_inner().keys
}

/// Lists orders of a merchant: the code of the refusal, if it is one.
async fn reads(api: &Api, merchant: &str) -> Option<Code> {
    let merchant_id = merchant.to_owned();
    let request = v1::ListOrdersRequest { merchant_id, ..Default::default() };
    api.orders().list_orders(request).await.err().map(|status| status.code())
}

/// A stream of what is new of a merchant, which has caught up.
async fn watching(api: &Api, merchant: &str) -> Reader {
    let filter = v1::ChangeFilter { merchant_id: merchant.to_owned(), ..Default::default() };
    let mut stream = Reader::open(api, filter, from(v1::StreamPlace::Now)).await;
    stream.until("caught_up").await;
    stream
}

/// The stream is refused.
async fn assert_ends(stream: Reader, code: Code) {
    let status = stream.end().await.expect("not in good order");
    assert_eq!(status.code(), code, "{status}");
}

/// A server whose streams are silent for longer than a test waits: what ends one of them is not
/// its next heartbeat.
async fn silent() -> System {
    System::start_with(|config| config.streams.heartbeat = 10 * PATIENCE).await
}

#[tokio::test]
async fn an_owner_of_some_merchants_manages_what_is_of_these_alone() {
    let system = System::start().await;
    let all = system.api_of(&system.owner);
    let own = system.api_of(&all.create_key(v1::Role::Owner, &[MERCHANT]).await);
    operator_of(&own, "anna", &[MERCHANT]).await;
    operator_of(&all, "bert", &[MERCHANT, OTHER_MERCHANT]).await;
    assert_eq!(operators(&all).await, ["anna", "bert"]);
    assert_eq!(operators(&own).await, ["anna"], "the other one reaches further");
    let denied = (Code::PermissionDenied, "PERMISSION_DENIED");

    let access = own.access();
    for merchants in [&[OTHER_MERCHANT][..], &[MERCHANT, OTHER_MERCHANT]] {
        let refused = access.clone().create_operator(new_operator("carl", merchants)).await;
        assert_refused(refused, denied.0, denied.1);
        let refused = access.clone().update_operator(update("anna", merchants)).await;
        assert_refused(refused, denied.0, denied.1);
    }
    // One that reaches further, and one that does not exist, look the same.
    for id in ["bert", "nobody"] {
        let refused = access.clone().update_operator(update(id, &[MERCHANT])).await;
        assert_refused(refused, denied.0, denied.1);
        let request = v1::CreateKeyRequest {
            name: "key".to_owned(),
            role: v1::Role::Operator.into(),
            operator_id: id.to_owned(),
            request_id: request_id(),
            ..Default::default()
        };
        assert_refused(access.clone().create_key(request).await, denied.0, denied.1);
        assert!(delete(&own, id).await, "nothing to delete");
    }
    assert_eq!(operators(&all).await, ["anna", "bert"], "bert is still there");
    let refused = all.access().update_operator(update("nobody", &[MERCHANT])).await;
    assert_refused(refused, Code::NotFound, "OPERATOR_NOT_FOUND");

    let of_bert = |key: &v1::Key| key.operator_id == "bert";
    assert!(keys(&all).await.iter().any(of_bert));
    let seen = keys(&own).await;
    assert!(!seen.iter().any(of_bert));
    assert!(seen.iter().all(|key| key.merchant_ids == [MERCHANT]), "{seen:?}");
    let bert = keys(&all).await.into_iter().find(of_bert).expect("it is there");
    let request = v1::DeleteKeyRequest { key_id: bert.key_id, request_id: request_id() };
    assert!(own.access().delete_key(request).await.expect("answered").into_inner().replayed);
    assert!(keys(&all).await.iter().any(of_bert), "bert's key is still there");
    // Once an operator reaches further, he does not belong to the owner any more.
    let made = new_operator("dora", &[MERCHANT]);
    own.access().create_operator(made.clone()).await.expect("made");
    for id in ["anna", "dora"] {
        let wider = update(id, &[MERCHANT, OTHER_MERCHANT]);
        all.access().update_operator(wider).await.expect("wider");
    }
    assert_eq!(operators(&own).await, [""; 0]);
    let again = own.access().create_operator(made).await;
    assert_refused(again, denied.0, denied.1);
}

#[tokio::test]
async fn a_key_of_an_operator_is_for_the_merchants_that_he_has_at_each_moment() {
    let system = silent().await;
    let owner = system.api_of(&system.owner);
    let anna = system.api_of(&operator_of(&owner, "anna", &[MERCHANT]).await);
    assert_eq!(reads(&anna, MERCHANT).await, None);
    assert_eq!(reads(&anna, OTHER_MERCHANT).await, Some(Code::PermissionDenied));
    let stream = watching(&anna, MERCHANT).await;

    owner.access().update_operator(update("anna", &[OTHER_MERCHANT])).await.expect("replaced");
    assert_ends(stream, Code::PermissionDenied).await;
    assert_eq!(reads(&anna, MERCHANT).await, Some(Code::PermissionDenied));
    assert_eq!(reads(&anna, OTHER_MERCHANT).await, None);

    let stream = watching(&anna, OTHER_MERCHANT).await;
    assert!(!delete(&owner, "anna").await);
    assert_ends(stream, Code::Unauthenticated).await;
    assert_eq!(reads(&anna, OTHER_MERCHANT).await, Some(Code::Unauthenticated));
    // One of the same name has a new life.
    let new = system.api_of(&operator_of(&owner, "anna", &[OTHER_MERCHANT]).await);
    assert_eq!(reads(&new, OTHER_MERCHANT).await, None);
    assert_eq!(reads(&anna, OTHER_MERCHANT).await, Some(Code::Unauthenticated));
}

#[tokio::test]
async fn a_revoked_key_ends_its_streams_at_once_and_no_others() {
    let system = silent().await;
    let owner = system.api_of(&system.owner);
    let made = owner.create_named_key(v1::Role::Checkout, &[MERCHANT]).await;
    let stream = watching(&system.api_of(&made.secret), MERCHANT).await;
    let mut other = watching(&system.api(), MERCHANT).await;
    let key_id = made.key.expect("answered").key_id;
    let request = v1::DeleteKeyRequest { key_id, request_id: request_id() };
    owner.access().delete_key(request).await.expect("revoked");
    assert_ends(stream, Code::Unauthenticated).await;
    system.api().create_order("o1", 100).await;
    other.until("change_set").await;
}

#[tokio::test]
async fn a_key_that_expires_ends_calls_and_open_streams() {
    let system = silent().await;
    let owner = system.api_of(&system.owner);
    let request = v1::CreateKeyRequest {
        name: "for a while".to_owned(),
        role: v1::Role::Checkout.into(),
        merchant_ids: vec![MERCHANT.to_owned()],
        ttl: Some(Duration { seconds: 2, nanos: 0 }),
        request_id: request_id(),
        ..Default::default()
    };
    let made = owner.access().create_key(request.clone()).await.expect("made").into_inner();
    let again = owner.access().create_key(request.clone()).await.expect("answered").into_inner();
    assert_eq!((again.replayed, &again.key), (true, &made.key), "it ends when it was to end");
    let longer = v1::CreateKeyRequest { ttl: None, ..request };
    let refused = owner.access().create_key(longer).await;
    assert_refused(refused, Code::InvalidArgument, "REQUEST_ID_REUSED");
    let api = system.api_of(&made.secret);
    let stream = watching(&api, MERCHANT).await;
    assert_ends(stream, Code::Unauthenticated).await;
    let refused = api.orders().list_orders(v1::ListOrdersRequest::default()).await;
    assert_refused(refused, Code::Unauthenticated, "API_KEY_EXPIRED");
    let listed = keys(&owner).await;
    assert!(listed.iter().any(|key| key.name == "for a while" && key.expire_time.is_some()));
    for seconds in [0, -1, i64::MAX] {
        let ttl = Some(Duration { seconds, nanos: 0 });
        let request = v1::CreateKeyRequest { ttl, request_id: request_id(), ..Default::default() };
        let refused = owner.access().create_key(request).await;
        let status = assert_refused(refused, Code::InvalidArgument, "INVALID_FIELD");
        assert!(status.message().contains("ttl"), "{status}");
    }
}

#[tokio::test]
async fn the_last_use_of_a_key_survives_a_restart_and_its_calls_are_counted() {
    let mut system = System::start().await;
    let owner = system.api_of(&system.owner);
    let unused = owner.create_named_key(v1::Role::Checkout, &[MERCHANT]).await.key;
    system.api().create_order("o1", 100).await;
    system.api().get_order("o1").await;
    system.api().get_order("o1").await;
    let used = |key: &v1::Key| key.calls.iter().any(|c| c.method == "OrderService/GetOrder");
    let listed = keys(&owner).await;
    let key = listed.iter().find(|key| used(key)).expect("it was used").clone();
    let calls: Vec<_> = key.calls.iter().map(|c| (c.method.as_str(), c.count)).collect();
    assert_eq!(calls, [("OrderService/CreateOrder", 1), ("OrderService/GetOrder", 2)]);
    let last = key.last_use_time.expect("it was used");
    assert!(last.seconds >= key.create_time.expect("it was created").seconds);
    let unused = |listed: &[v1::Key]| {
        let id = unused.as_ref().map(|key| key.key_id.clone());
        listed.iter().find(|key| Some(&key.key_id) == id.as_ref()).cloned().expect("there")
    };
    assert_eq!((unused(&listed).last_use_time, unused(&listed).calls.len()), (None, 0));

    system.stop().await;
    system.start_again().await;
    let listed = keys(&owner).await;
    let after = listed.iter().find(|after| after.key_id == key.key_id).expect("it is there");
    let recorded = after.last_use_time.expect("the first use was recorded");
    assert!(recorded.seconds <= last.seconds && recorded.seconds > 0);
    assert_eq!(after.calls, [], "counted since the start");
    assert_eq!(unused(&listed).last_use_time, None);
}

/// Else nobody could manage keys an hour later.
#[tokio::test]
async fn an_owner_that_expires_does_not_replace_one_that_lasts() {
    let system = System::start().await;
    let owner = system.api_of(&system.owner);
    let request = v1::CreateKeyRequest {
        name: "ends".to_owned(),
        role: v1::Role::Owner.into(),
        ttl: Some(Duration { seconds: 3600, nanos: 0 }),
        request_id: request_id(),
        ..Default::default()
    };
    owner.access().create_key(request).await.expect("made");
    let first = keys(&owner).await.into_iter().find(|key| key.name == "first owner");
    let key_id = first.expect("it is there").key_id;
    let request = v1::DeleteKeyRequest { key_id, request_id: request_id() };
    let refused = owner.access().delete_key(request).await;
    assert_refused(refused, Code::FailedPrecondition, "LAST_OWNER_KEY");
}
