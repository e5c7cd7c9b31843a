//! Every method asks what it should, and gives what was answered.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use paystatus_client::{
    AccountExceptionKind, ChangeKind, Disposition, FactSource, Filter, ListAccounts, ListOrders,
    ListWebhooks, Money, NewAttempt, NewKey, NewOperation, NewReceipt, NewSubscription, NewWebhook,
    OperationKind, OrderScope, PageRequest, PaymentStatus, ProviderId, ProviderReply,
    ReceiptDisposition, ReplayMode, ReplyResult, Role, Start, WebhookSelection,
};
use paystatus_proto::v1;

use crate::{
    fake::{Fake, receive},
    frames::{order, start},
};

/// Makes the call in the background, answers it, and gives the request and the result.
macro_rules! made {
    ($fake:ident, $method:ident, $call:expr, $answer:expr) => {{
        let call = tokio::spawn($call);
        let (request, reply) = receive!($fake, $method);
        reply.send(Ok($answer)).expect("waits");
        (request.into_inner(), call.await.expect("no panic").expect("answered"))
    }};
}

fn money(text: &str) -> Money {
    Money::parse(text, "USDT").expect("an amount")
}

fn wire_money(minor_units: i64, exponent: i32) -> Option<v1::Money> {
    Some(v1::Money { currency_code: "USDT".into(), minor_units, exponent })
}

fn second_page() -> PageRequest {
    PageRequest { size: 7, token: Some("token".into()) }
}

#[tokio::test]
async fn attempts_and_operations() {
    let mut fake = Fake::start().await;
    let client = fake.client();

    let caller = client.clone();
    let attempt = NewAttempt::new("o1", "a1", "acc").reference("ref").amount(money("0.50"));
    let answer = v1::CreateAttemptResponse {
        attempt: Some(v1::Attempt { attempt_id: "a1".into(), status: 2, ..Default::default() }),
        ..Default::default()
    };
    let call = async move { caller.create_attempt(attempt).await };
    let (request, recorded) = made!(fake, CreateAttempt, call, answer);
    assert_eq!((&request.account_id[..], &request.reference[..]), ("acc", "ref"));
    assert_eq!(request.amount, wire_money(50, 2));
    assert_eq!(recorded.value.status, PaymentStatus::Authorized);
    assert!(!request.request_id.is_empty() && recorded.warning.is_none());

    let operation = |kind| Some(v1::Operation { kind, ..Default::default() });
    let caller = client.clone();
    let capture = NewOperation::new("o1", "a1", "c1").amount(money("0.50")).reference("ref");
    let answer = v1::CreateCaptureResponse { capture: operation(1), ..Default::default() };
    let call = async move { caller.create_capture(capture).await };
    let (request, recorded) = made!(fake, CreateCapture, call, answer);
    assert_eq!((&request.capture_id[..], &request.reference[..]), ("c1", "ref"));
    assert_eq!(request.amount, wire_money(50, 2));
    assert_eq!(recorded.value.kind, OperationKind::Capture);

    let caller = client.clone();
    let answer = v1::CreateVoidResponse { void: operation(3), ..Default::default() };
    let call = async move { caller.create_void(NewOperation::new("o1", "a1", "v1")).await };
    let (request, recorded) = made!(fake, CreateVoid, call, answer);
    assert_eq!((&request.void_id[..], request.amount), ("v1", None));
    assert_eq!(recorded.value.kind, OperationKind::Void);
}

#[tokio::test]
async fn provider_replies() {
    let mut fake = Fake::start().await;
    let client = fake.client();
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let reply = ProviderReply::new("o1", "a1")
        .result(ReplyResult::Successful)
        .id(ProviderId::new("transaction", "t1"))
        .operation(OperationKind::Refund, "r1")
        .operation_provider_id(ProviderId::new("refund", "p1"))
        .amount(money("1"))
        .reason("ok")
        .provider_time(time);
    let answer = v1::RecordProviderReplyResponse { order: Some(order("o1")), ..Default::default() };
    let call = async move { client.record_provider_reply(reply).await };
    let (request, _) = made!(fake, RecordProviderReply, call, answer);
    assert_eq!(request.result, v1::ReplyResult::Successful as i32);
    assert_eq!(
        (request.ids[0].kind.as_str(), request.ids[0].value.as_str()),
        ("transaction", "t1")
    );
    assert_eq!((request.operation_kind, request.operation_id.as_str()), (2, "r1"));
    assert_eq!(request.operation_ids[0].value, "p1");
    assert_eq!(request.amount, wire_money(1, 0));
    assert_eq!(request.provider_time.expect("a time").seconds, 1_700_000_000);
}

#[tokio::test]
async fn page_tokens() {
    let mut fake = Fake::start().await;
    let caller = fake.client();
    let ttl = Some(Duration::from_millis(1_500));
    let call = async move { caller.create_page_token("o1", ttl).await };
    let answer = v1::CreatePageTokenResponse {
        token: "a.b.c".to_owned(),
        expire_time: Some(prost_types::Timestamp { seconds: 7, nanos: 0 }),
    };
    let (request, token) = made!(fake, CreatePageToken, call, answer);
    assert_eq!(request.ttl, Some(prost_types::Duration { seconds: 1, nanos: 500_000_000 }));
    assert_eq!((request.order_id.as_str(), token.token.as_str()), ("o1", "a.b.c"));
    assert_eq!(token.expires, Some(UNIX_EPOCH + Duration::from_secs(7)));
}

#[tokio::test]
async fn receipts() {
    let mut fake = Fake::start().await;
    let caller = fake.client();
    let call = async move { caller.record_receipt(NewReceipt::new("o1", 3)).await };
    let answer = v1::RecordReceiptResponse {
        disposition: v1::ReceiptDisposition::Late.into(),
        customer_informed_time: Some(prost_types::Timestamp { seconds: 7, nanos: 0 }),
    };
    let (request, receipt) = made!(fake, RecordReceipt, call, answer);
    assert_eq!((request.order_id.as_str(), request.outcome_number), ("o1", 3));
    assert!(!request.request_id.is_empty());
    assert_eq!(receipt.disposition, ReceiptDisposition::Late);
    assert_eq!(receipt.customer_informed_time, Some(UNIX_EPOCH + Duration::from_secs(7)));
}

#[tokio::test]
async fn lists_of_orders_and_facts() {
    let mut fake = Fake::start().await;
    let client = fake.client();

    let caller = client.clone();
    let list = ListOrders {
        statuses: vec![PaymentStatus::Pending, PaymentStatus::Unrecognized(9)],
        labels: [("channel".to_owned(), "web".to_owned())].into(),
        scope: OrderScope::Unclaimed,
        page: second_page(),
    };
    let call = async move { caller.list_orders(list).await };
    let (request, _) = made!(fake, ListOrders, call, v1::ListOrdersResponse::default());
    assert_eq!((request.page_size, request.page_token.as_str()), (7, "token"));
    assert_eq!((&request.statuses[..], request.unclaimed), (&[1, 9][..], true));
    assert_eq!(request.labels["channel"], "web");

    let caller = client.clone();
    let change = v1::Change { kind: 3, previous_outcome: 1, ..Default::default() };
    let statement = v1::Statement { amount: wire_money(5, 1), ..Default::default() };
    let entry = v1::TimelineEntry {
        source: 2,
        statements: vec![statement],
        changes: vec![change],
        ..Default::default()
    };
    let answer = v1::GetTimelineResponse { entries: vec![entry], ..Default::default() };
    let call = async move { caller.timeline("o1", second_page()).await };
    let (request, page) = made!(fake, GetTimeline, call, answer);
    assert_eq!((request.page_size, request.page_token.as_str()), (7, "token"));
    let entry = &page.items[0];
    assert_eq!(entry.source, FactSource::Webhook);
    assert_eq!(entry.statements[0].amount, Some(money("0.5")));
    assert_eq!(entry.changes[0].kind, ChangeKind::OutcomeChanged);
    assert_eq!(entry.changes[0].previous_status, None);
}

#[tokio::test]
async fn subscriptions() {
    let mut fake = Fake::start().await;
    let client = fake.client();
    let filter =
        Filter::all().order("o1").account("acc").label("k", "v").kind(ChangeKind::OutcomeChanged);
    let wire = |filter| v1::Subscription {
        subscription_id: "ledger".into(),
        filter,
        backlog_records: 3,
        ..Default::default()
    };

    let caller = client.clone();
    let new = NewSubscription::new("ledger", filter.clone()).start(Start::Beginning);
    let call = async move { caller.create_subscription(new).await };
    let subscription = Some(wire(Some(v1::ChangeFilter {
        order_ids: vec!["o1".into()],
        account_ids: vec!["acc".into()],
        labels: [("k".to_owned(), "v".to_owned())].into(),
        kinds: vec![3],
        ..Default::default()
    })));
    let answer = v1::CreateSubscriptionResponse { subscription, replayed: true };
    let (request, recorded) = made!(fake, CreateSubscription, call, answer);
    assert_eq!(start(request.start.as_ref()), "place 2");
    assert_eq!(request.filter.expect("a filter").kinds, [3]);
    assert_eq!((recorded.value.filter, recorded.replayed), (filter, true));

    let caller = client.clone();
    let answer = v1::GetSubscriptionResponse { subscription: Some(wire(None)) };
    let call = async move { caller.get_subscription("ledger").await };
    let (request, subscription) = made!(fake, GetSubscription, call, answer);
    assert_eq!(request.subscription_id, "ledger");
    assert_eq!(subscription.backlog_records, 3);

    let caller = client.clone();
    let answer =
        v1::ListSubscriptionsResponse { subscriptions: vec![wire(None)], ..Default::default() };
    let call = async move { caller.list_subscriptions(second_page()).await };
    let (request, page) = made!(fake, ListSubscriptions, call, answer);
    assert_eq!((request.page_size, page.items.len()), (7, 1));

    for replayed in [false, true] {
        let caller = client.clone();
        let answer = v1::DeleteSubscriptionResponse { replayed };
        let call = async move { caller.delete_subscription("ledger").await };
        let (_, was_deleted) = made!(fake, DeleteSubscription, call, answer);
        assert_eq!(was_deleted, !replayed);
    }
}

#[tokio::test]
async fn webhooks() {
    let mut fake = Fake::start().await;
    let client = fake.client();

    let caller = client.clone();
    let headers = vec![("x-signature".to_owned(), "s".to_owned())];
    let webhook = NewWebhook { account_id: "acc".into(), headers, body: b"{}".to_vec() };
    let answer = v1::SubmitWebhookResponse {
        disposition: 4,
        http_status: 200,
        http_body: b"[accepted]".to_vec(),
        ..Default::default()
    };
    let call = async move { caller.submit_webhook(webhook).await };
    let (request, submitted) = made!(fake, SubmitWebhook, call, answer);
    assert_eq!((request.headers[0].name.as_str(), &request.body[..]), ("x-signature", &b"{}"[..]));
    assert_eq!(submitted.disposition, Disposition::Parked);
    assert_eq!((submitted.http_status, &submitted.http_body[..]), (200, &b"[accepted]"[..]));

    let caller = client.clone();
    let list = ListWebhooks {
        account_id: Some("acc".into()),
        dispositions: vec![Disposition::Unreadable],
        since: Some(SystemTime::UNIX_EPOCH),
        event_name: Some("paid".into()),
        order_id: Some("o1".into()),
        page: second_page(),
        ..ListWebhooks::default()
    };
    let call = async move { caller.list_webhooks(list).await };
    let (request, _) = made!(fake, ListWebhooks, call, v1::ListWebhooksResponse::default());
    assert_eq!((&request.dispositions[..], request.page_token.as_str()), (&[5][..], "token"));
    assert_eq!((request.since_time.is_some(), request.until_time.is_some()), (true, false));
    assert_eq!((request.event_name.as_str(), request.order_id.as_str()), ("paid", "o1"));
    assert_eq!(request.merchant_id, "shop", "an order is its merchant's");

    for is_whole in [false, true] {
        let caller = client.clone();
        let webhook = Some(v1::Webhook::default());
        let answer =
            v1::GetWebhookResponse { webhook, body: b"{}".to_vec(), as_received: is_whole };
        let call = async move {
            match is_whole {
                true => caller.get_whole_webhook("w1").await,
                false => caller.get_webhook("w1").await,
            }
        };
        let (request, whole) = made!(fake, GetWebhook, call, answer);
        assert_eq!((request.webhook_id.as_str(), &whole.body[..]), ("w1", &b"{}"[..]));
        assert_eq!((request.include_card_tokens, whole.as_received), (is_whole, is_whole));
    }
}

#[tokio::test]
async fn replays() {
    let mut fake = Fake::start().await;
    let client = fake.client();
    let selection = WebhookSelection::Account {
        account_id: "acc".into(),
        since: Some(SystemTime::UNIX_EPOCH),
        page: second_page(),
    };
    for (selection, mode, dry) in [
        (selection, ReplayMode::DryRun, true),
        (WebhookSelection::Ids(vec!["w1".into()]), ReplayMode::Apply, false),
    ] {
        let caller = client.clone();
        let order = v1::ReplayedOrder { previous_status: 3, status: 1, ..Default::default() };
        let orders = vec![order];
        let webhook =
            v1::ReplayedWebhook { altered: true, orders: orders.clone(), ..Default::default() };
        let answer = v1::ReplayWebhooksResponse {
            webhooks: vec![webhook],
            next_page_token: "more".into(),
            orders,
            reached_time: Some(SystemTime::UNIX_EPOCH.into()),
        };
        let call = async move { caller.replay_webhooks(selection, mode).await };
        let (request, replay) = made!(fake, ReplayWebhooks, call, answer);
        assert_eq!((request.validate_only, request.since_time.is_some()), (dry, dry));
        assert_eq!(request.webhook_ids.len(), usize::from(!dry));
        assert_eq!(request.page_token.is_empty(), !dry);
        assert!(replay.webhooks[0].altered && replay.reached.is_some());
        assert_eq!(replay.next_page_token.as_deref(), Some("more"));
        assert_eq!(replay.orders, replay.webhooks[0].orders);
        let order = &replay.orders[0];
        let moved = (order.previous_status, order.status);
        assert_eq!(moved, (PaymentStatus::Successful, PaymentStatus::Pending));
    }
}

#[tokio::test]
async fn accounts() {
    let mut fake = Fake::start().await;
    let client = fake.client();
    let list = ListAccounts { merchant_id: Some("shop".into()), page: second_page() };
    let call = async move { client.list_accounts(list).await };
    let rejection = v1::Rejection { reason: "mismatch".into(), ..Default::default() };
    let account = v1::Account {
        account_id: "acc".into(),
        secrets: vec![v1::SigningSecret { active: true, ..Default::default() }],
        accepted: vec![v1::AcceptedCount { disposition: 2, count: 7 }],
        rejected: vec![v1::RejectedCount { reason: "mismatch".into(), count: 1 }],
        rejections: vec![rejection],
        ledger: Some(v1::WebhookLedger {
            learned_by_poll_first: 3,
            usual_pause: Some(prost_types::Duration { seconds: 5, nanos: 0 }),
            ..Default::default()
        }),
        exceptions: vec![v1::AccountException { kind: 1, ..Default::default() }],
        ..Default::default()
    };
    let answer = v1::ListAccountsResponse { accounts: vec![account], ..Default::default() };
    let (request, page) = made!(fake, ListAccounts, call, answer);
    assert_eq!((request.merchant_id.as_str(), request.page_token.as_str()), ("shop", "token"));
    let account = &page.items[0];
    assert_eq!(account.accepted, [(Disposition::Repeat, 7)]);
    assert_eq!(account.rejected, [("mismatch".to_owned(), 1)]);
    assert_eq!(account.ledger.learned_by_poll_first, 3);
    assert_eq!(account.ledger.usual_pause, Some(Duration::from_secs(5)));
    assert_eq!(account.exceptions[0].kind, AccountExceptionKind::ProviderSilent);
    assert!(account.secrets[0].active && account.rejections[0].reason == "mismatch");
}

#[tokio::test]
async fn keys() {
    let mut fake = Fake::start().await;
    let client = fake.client();
    let key = || v1::Key { key_id: "k1".into(), role: 1, ..Default::default() };

    for (sent, expected) in [("s3cret", Some("s3cret")), ("", None)] {
        let caller = client.clone();
        let new = NewKey::new("till", Role::Checkout).merchant("shop");
        let call = async move { caller.create_key(new).await };
        let answer = v1::CreateKeyResponse {
            key: Some(key()),
            secret: sent.into(),
            replayed: expected.is_none(),
        };
        let (request, created) = made!(fake, CreateKey, call, answer);
        assert_eq!((request.role, &request.merchant_ids[..]), (1, &["shop".to_owned()][..]));
        assert_eq!(created.secret.as_deref(), expected);
        assert!(!format!("{created:?}").contains("s3cret"), "no secret in logs");
    }

    let caller = client.clone();
    let answer = v1::ListKeysResponse { keys: vec![key()], ..Default::default() };
    let call = async move { caller.list_keys(second_page()).await };
    let (request, page) = made!(fake, ListKeys, call, answer);
    assert_eq!((request.page_size, page.items[0].role), (7, Role::Checkout));

    let call = async move { client.delete_key("k1").await };
    let (request, was_deleted) =
        made!(fake, DeleteKey, call, v1::DeleteKeyResponse { replayed: false });
    assert_eq!((request.key_id.as_str(), was_deleted), ("k1", true));
}
