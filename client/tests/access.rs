//! AccessService: every method asks what it should, and gives what was answered.

use std::time::{Duration, UNIX_EPOCH};

use paystatus_client::{AuditOutcome, ListAuditEntries, NewKey, NewOperator, PageRequest, Role};
use paystatus_proto::v1;

use crate::fake::{Fake, receive};

#[tokio::test]
async fn keys_of_operators_that_expire() {
    let mut fake = Fake::start().await;
    let client = fake.client();
    let new = NewKey::of_operator("Anna 1", "anna").expires_after(Duration::from_secs(90));
    let call = tokio::spawn(async move { client.create_key(new).await });
    let (request, reply) = receive!(fake, CreateKey);
    let request = request.into_inner();
    assert_eq!((request.role(), &*request.operator_id), (v1::Role::Operator, "anna"));
    assert_eq!(request.ttl.map(|ttl| ttl.seconds), Some(90));
    let key = v1::Key {
        role: v1::Role::Operator.into(),
        operator_id: "anna".into(),
        expire_time: Some(prost_types::Timestamp { seconds: 5, nanos: 0 }),
        last_use_time: Some(prost_types::Timestamp { seconds: 4, nanos: 0 }),
        calls: vec![v1::MethodCalls { method: "OrderService/GetOrder".into(), count: 3 }],
        ..Default::default()
    };
    let answer = v1::CreateKeyResponse { key: Some(key), ..Default::default() };
    reply.send(Ok(answer)).expect("waits");
    let key = call.await.expect("no panic").expect("answered").key;
    assert_eq!((key.role, &*key.operator_id), (Role::Operator, "anna"));
    assert_eq!(key.expire_time, Some(UNIX_EPOCH + Duration::from_secs(5)));
    assert_eq!(key.last_use_time, Some(UNIX_EPOCH + Duration::from_secs(4)));
    assert_eq!((&*key.calls[0].method, key.calls[0].count), ("OrderService/GetOrder", 3));
}

#[tokio::test]
async fn operators() {
    let mut fake = Fake::start().await;
    let client = fake.client();
    let new = || NewOperator::new("anna", "Anna").merchant("a").merchant("b").request_id("r1");
    let anna = || {
        Some(v1::Operator {
            operator_id: "anna".into(),
            display_name: "Anna".into(),
            merchant_ids: vec!["a".into(), "b".into()],
            key_count: 2,
            ..Default::default()
        })
    };

    let caller = client.clone();
    let call = tokio::spawn(async move { caller.create_operator(new()).await });
    let (request, reply) = receive!(fake, CreateOperator);
    let request = request.into_inner();
    assert_eq!((&*request.operator_id, &*request.display_name), ("anna", "Anna"));
    assert_eq!((request.merchant_ids, &*request.request_id), (vec!["a".into(), "b".into()], "r1"));
    let answer = v1::CreateOperatorResponse { operator: anna(), replayed: false };
    reply.send(Ok(answer)).expect("waits");
    let made = call.await.expect("no panic").expect("answered");
    assert_eq!((&*made.operator_id, made.merchant_ids.len(), made.key_count), ("anna", 2, 2));

    let caller = client.clone();
    let call = tokio::spawn(async move { caller.update_operator(new()).await });
    let (request, reply) = receive!(fake, UpdateOperator);
    assert_eq!(request.into_inner().merchant_ids.len(), 2);
    let answer = v1::UpdateOperatorResponse { operator: anna(), replayed: false };
    reply.send(Ok(answer)).expect("waits");
    assert_eq!(call.await.expect("no panic").expect("answered").display_name, "Anna");

    let caller = client.clone();
    let page = PageRequest { size: 7, token: Some("token".into()) };
    let call = tokio::spawn(async move { caller.list_operators(page).await });
    let (request, reply) = receive!(fake, ListOperators);
    assert_eq!(request.into_inner().page_token, "token");
    let operators = anna().into_iter().collect();
    let answer = v1::ListOperatorsResponse { operators, next_page_token: "next".into() };
    reply.send(Ok(answer)).expect("waits");
    let page = call.await.expect("no panic").expect("answered");
    assert_eq!((page.items.len(), page.next_page_token.as_deref()), (1, Some("next")));

    let call = tokio::spawn(async move { client.delete_operator("anna").await });
    let (request, reply) = receive!(fake, DeleteOperator);
    assert_eq!(request.into_inner().operator_id, "anna");
    reply.send(Ok(v1::DeleteOperatorResponse { replayed: true })).expect("waits");
    assert!(!call.await.expect("no panic").expect("answered"), "there was nothing to delete");
}

#[tokio::test]
async fn the_audit_list() {
    let mut fake = Fake::start().await;
    let client = fake.client();
    let list = ListAuditEntries {
        key_id: "k1".into(),
        operator_id: "anna".into(),
        merchant_id: "a".into(),
        since: Some(UNIX_EPOCH + Duration::from_secs(1)),
        until: Some(UNIX_EPOCH + Duration::from_secs(2)),
        page: PageRequest { size: 7, token: None },
    };
    let call = tokio::spawn(async move { client.list_audit_entries(list).await });
    let (request, reply) = receive!(fake, ListAuditEntries);
    let request = request.into_inner();
    let asked = (&*request.key_id, &*request.operator_id, &*request.merchant_id);
    assert_eq!((asked, request.page_size), (("k1", "anna", "a"), 7));
    let seconds = |time: Option<prost_types::Timestamp>| time.map(|time| time.seconds);
    assert_eq!((seconds(request.since_time), seconds(request.until_time)), (Some(1), Some(2)));
    let entry = v1::AuditEntry {
        actor: "Anna 1".into(),
        method: "OrderService/CreateRefund".into(),
        outcome: v1::AuditOutcome::Refused.into(),
        left_out_count: 5,
        ..Default::default()
    };
    let answer = v1::ListAuditEntriesResponse { entries: vec![entry], ..Default::default() };
    reply.send(Ok(answer)).expect("waits");
    let page = call.await.expect("no panic").expect("answered");
    let entry = &page.items[0];
    assert_eq!((&*entry.actor, &*entry.method), ("Anna 1", "OrderService/CreateRefund"));
    assert_eq!((entry.outcome, entry.left_out_count), (AuditOutcome::Refused, 5));
}
