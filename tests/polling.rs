//! Where no webhook comes the provider is asked; what it says is told as anything else is, and
//! what it does not say changes nothing.

use std::time::Duration;

use paystatus_client::{EvidenceSource, Outcome};
use paystatus_proto::v1::{self, FactSource, OperationStatus, PaymentStatus};
use serde_json::json;

use crate::harness::{
    GENERIC, OPTTY, System,
    provider::{Act, Provider},
    stream::Reader,
    webhook::{Webhook, optty, optty_order, resigned},
};

const LONG: Option<Duration> = Some(Duration::from_secs(3600));

/// Waits until an order is approved, by being told.
async fn approved(system: &System, order: &str) -> paystatus_client::Order {
    let awaited = system.client().await_outcome(order, crate::harness::PATIENCE).await;
    let awaited = awaited.expect("no error");
    assert_eq!(awaited.outcome, Outcome::Approved);
    awaited.order.expect("it was seen")
}

/// True of the frame that tells of the approval.
fn told(frame: &v1::Frame) -> bool {
    let Some(v1::frame::Content::ChangeSet(set)) = &frame.content else { return false };
    set.changes.iter().any(|change| change.outcome() == v1::Outcome::Approved)
}

/// Waits until something holds of an order, by being told of each change.
async fn until(system: &System, order: &str, holds: impl Fn(&v1::Order) -> bool) -> v1::Order {
    let api = system.api();
    let mut reader = Reader::open_order(&api, order, None).await;
    loop {
        let found = api.get_order(order).await;
        if holds(&found) {
            return found;
        }
        reader.next().await;
    }
}

#[tokio::test]
async fn an_order_is_decided_by_a_poll_alone_and_a_watcher_is_told() {
    let provider = Provider::start().await;
    provider.knows("o1", "PENDING", "146.24");
    let system = System::start_asking(provider.account()).await;
    system.api().place("o1", OPTTY, 14624).await;
    let mut watch = Reader::open_order(&system.api(), "o1", None).await;
    watch.until("caught_up").await;
    provider.asked(2).await;
    assert_eq!(system.api().get_order("o1").await.status(), PaymentStatus::Pending);
    provider.knows("o1", "SUCCESSFUL", "146.24");
    while !told(&watch.next().await) {}
    let order = approved(&system, "o1").await;
    assert_eq!(order.freshness.last_evidence_source, Some(EvidenceSource::Poll));
    assert!(order.freshness.last_evidence_time.is_some());
    assert_eq!(order.freshness.next_check_time, None, "nobody asks any more");
    let timeline = system.api().timeline("o1").await;
    let last = timeline.last().expect("there is something");
    assert_eq!((last.source(), last.account_id.as_str()), (FactSource::Poll, OPTTY));
    assert_eq!(last.webhook_id, "");

    // Final: nobody asks any more, though another order is asked about.
    system.api().place("o2", OPTTY, 100).await;
    let before = provider.questions().len();
    let after = provider.asked(before + 5).await;
    let again = after[before..].iter().filter(|question| question.path.contains("o1")).count();
    assert_eq!(again, 0, "{after:?}");
}

#[tokio::test]
async fn a_restart_forgets_nothing() {
    let provider = Provider::start().await;
    let mut system = System::start_asking(provider.account()).await;
    system.api().place("o1", OPTTY, 14624).await;
    provider.asked(2).await;
    system.stop().await;
    provider.knows("o1", "SUCCESSFUL", "146.24");
    system.start_again().await;
    approved(&system, "o1").await;
}

/// Whatever it does instead of answering: the order is as it was. Then it answers.
#[tokio::test]
async fn what_a_provider_does_not_say_changes_nothing() {
    let provider = Provider::start().await;
    let system = System::start_asking(provider.account()).await;
    system.api().place("o1", OPTTY, 14624).await;
    provider.knows("o1", "SUCCESSFUL", "146.24");
    let acts = [
        Act::Status(500, ""),
        Act::Status(502, ""),
        Act::Status(503, ""),
        Act::Status(403, ""),
        Act::Status(404, ""),
        Act::Status(400, ""),
        Act::Status(301, "location: http://127.0.0.1:1/elsewhere"),
        Act::Truncated,
        Act::Garbage,
        Act::Silent,
        Act::Close,
    ];
    provider.always(Some(Act::Status(500, "")));
    let before = system.api().get_order("o1").await;
    let done = provider.questions().len();
    provider.does(acts.clone());
    provider.asked(done + acts.len() + 1).await;
    let after = system.api().get_order("o1").await;
    assert_eq!((after.version, after.status()), (before.version, PaymentStatus::Pending));
    assert_eq!(after.freshness.expect("told").last_evidence_time, None, "no evidence");
    provider.always(None);
    approved(&system, "o1").await;
}

#[tokio::test]
async fn a_provider_that_cannot_be_reached_changes_nothing() {
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let provider = Provider::start().await;
    let address = gone.local_addr().expect("it is bound");
    drop(gone);
    let account = provider.account_with(|api| {
        api.auth_url = Some(format!("http://{address}"));
    });
    let system = System::start_asking(account).await;
    system.api().place("o1", OPTTY, 100).await;
    let request = v1::GetOrderRequest {
        order_id: "o1".to_owned(),
        max_age: Some(prost_types::Duration::default()),
        ..Default::default()
    };
    let answer = system.api().orders().get_order(request).await.expect("as it stands");
    let order = answer.into_inner().order.expect("it is answered");
    assert_eq!((order.status(), order.version), (PaymentStatus::Pending, 2));
    assert_eq!(order.freshness.expect("told").last_check_time, None);
    assert_eq!(provider.questions().len(), 0);
}

#[tokio::test]
async fn an_answer_that_says_nothing_new_makes_no_record() {
    let provider = Provider::start().await;
    provider.knows("o1", "PENDING", "146.24");
    let system = System::start_asking(provider.account()).await;
    system.deliver(OPTTY, &optty_order("o1", "PENDING", json!(146.24))).await;
    system.api().place("o1", OPTTY, 14624).await;
    let placed = system.api().get_order("o1").await;
    let asked = provider.asked_again(4).await.len();
    let order = system.api().get_order("o1").await;
    assert_eq!(order.version, placed.version, "the webhook said as much");
    assert!(order.freshness.expect("told").last_check_time.is_some());
    // Another word for it, once; then it is the same again.
    provider.says("o1", json!({"merchantReference": "o1", "status": "PENDING"}));
    provider.asked(asked + 3).await;
    provider.knows("o1", "ERROR", "146.24");
    let order = until(&system, "o1", |order| order.outcome() != v1::Outcome::Undecided).await;
    assert_eq!((order.status(), order.version), (PaymentStatus::Error, placed.version + 1));
}

#[tokio::test]
async fn what_a_weakly_signed_webhook_says_waits_for_a_poll() {
    let provider = Provider::start().await;
    let mut account = provider.account();
    account.confirm_payments = true;
    provider.knows("o1", "PENDING", "146.24");
    let system = System::start_asking(account).await;
    system.api().place("o1", OPTTY, 14624).await;
    system.deliver(OPTTY, &optty_order("o1", "SUCCESSFUL", json!(146.24))).await;
    provider.asked_again(2).await;
    assert_eq!(system.api().get_order("o1").await.status(), PaymentStatus::Pending);
    provider.knows("o1", "SUCCESSFUL", "146.24");
    approved(&system, "o1").await;
}

#[tokio::test]
async fn refunds_and_captures_are_told_by_the_details() {
    let provider = Provider::start().await;
    let mut account = provider.account();
    account.provider_merchant = Some("mer/1".to_owned());
    let system = System::start_asking(account).await;
    let order = |refund: &str| {
        json!({
            "merchantReference": "o1", "status": "SUCCESSFUL", "amount": "146.24",
            "currency": "AUD", "captureStatus": "CAPTURED",
            "refunds": [
                {"refundId": "r1", "amount": "20", "currency": "AUD", "status": refund},
                {"refundId": "unknown", "amount": "1", "currency": "AUD", "status": "SUCCESSFUL"},
            ],
            "orderCaptures": [{"captureId": "c1", "amount": "100", "status": "SUCCESSFUL"}],
        })
    };
    provider.says("o1", order("PENDING"));
    system.api().place("o1", OPTTY, 14624).await;
    let paid = until(&system, "o1", |order| order.captured_amount.is_some()).await;
    assert_eq!(paid.captured_amount.expect("captured").minor_units, 10000);
    let request = v1::CreateRefundRequest {
        request_id: crate::harness::api::request_id(),
        order_id: "o1".to_owned(),
        attempt_id: "a1".to_owned(),
        refund_id: "r1".to_owned(),
        amount: Some(crate::harness::api::aud(2000)),
        ..Default::default()
    };
    system.api().orders().create_refund(request).await.expect("recorded");
    provider.asked_again(4).await;
    provider.says("o1", order("SUCCESSFUL"));
    let order = until(&system, "o1", |order| order.refunded_amount.is_some()).await;
    let refund = order.operations.iter().find(|o| o.operation_id == "r1").expect("it is there");
    assert_eq!(refund.status(), OperationStatus::Successful);
    assert_eq!(order.operations.len(), 2, "a capture and a refund: {:?}", order.operations);
    let asked = provider.questions();
    assert!(asked.iter().any(|q| q.path == "/orders/o1/details?merchantId=mer%2F1"), "{asked:?}");
}

/// GetOrder asks first if it is told to, and answers within its time whatever comes of it.
#[tokio::test]
async fn a_caller_can_have_the_provider_asked() {
    let provider = Provider::start().await;
    provider.knows("o1", "PENDING", "146.24");
    let account = provider.account_with(|api| (api.first, api.most) = (LONG, LONG));
    let system = System::start_asking(account).await;
    system.api().place("o1", OPTTY, 14624).await;
    let client = system.client();
    let hour = Duration::from_secs(3600);
    assert_eq!(client.get_order("o1").await.expect("there").freshness.last_check_time, None);
    assert_eq!(provider.questions().len(), 0);
    let order = client.get_fresh_order("o1", hour).await.expect("there");
    assert_eq!(provider.questions().len(), 1, "nothing was ever heard");
    assert_eq!(order.outcome, Outcome::Undecided);
    assert!(order.freshness.last_check_time.is_some() && order.freshness.next_check_time.is_some());
    provider.knows("o1", "SUCCESSFUL", "146.24");
    client.get_fresh_order("o1", hour).await.expect("there");
    assert_eq!(provider.questions().len(), 1, "young enough");
    let order = client.get_fresh_order("o1", Duration::ZERO).await.expect("there");
    assert_eq!(order.outcome, Outcome::Approved);
    client.get_fresh_order("o1", Duration::ZERO).await.expect("there");
    assert_eq!(provider.questions().len(), 2, "what is decided is not asked about");
    // Nobody to ask.
    system.api().place("o2", GENERIC, 100).await;
    client.get_fresh_order("o2", Duration::ZERO).await.expect("there");
    assert_eq!(provider.questions().len(), 2);
}

#[tokio::test]
async fn a_webhook_that_does_not_verify_has_the_provider_asked_about_what_is_known() {
    let provider = Provider::start().await;
    let account = provider.account_with(|api| (api.first, api.most) = (LONG, LONG));
    let system = System::start_asking(account).await;
    system.api().place("o1", OPTTY, 14624).await;
    provider.knows("o1", "DECLINED", "146.24");
    provider.knows("nobody", "SUCCESSFUL", "146.24");
    let forged = |reference: &str| {
        let genuine = optty_order(reference, "SUCCESSFUL", json!(146.24));
        resigned(&String::from_utf8(genuine.body).expect("it is text"), "another secret")
    };
    assert_eq!(system.send(OPTTY, &forged("nobody")).await, 401);
    for _ in 0..20 {
        assert_eq!(system.send(OPTTY, &forged("o1")).await, 401);
    }
    let asked = provider.asked(1).await;
    assert!(asked.iter().all(|question| question.path == "/orders/o1"), "{asked:?}");
    let awaited = system.client().await_outcome("o1", crate::harness::PATIENCE).await;
    assert_eq!(awaited.expect("no error").outcome, Outcome::Refused, "what the provider says");
    assert!(provider.questions().len() <= 6, "so many at most: {:?}", provider.questions());
    // Of what is decided too: it may have been corrected.
    let refund = json!({
        "orderReference": "o1", "refundReference": "r1", "status": "SUCCESSFUL", "hash": "",
        "currency": "AUD", "amount": 10,
    });
    let genuine = optty("REFUND_CALLBACK", refund);
    assert_eq!(system.send(OPTTY, &genuine).await, 200);
}

/// Mollie's classic webhook is an id that nobody signs: what became of it is asked before it is
/// answered, so that nothing is lost.
#[tokio::test]
async fn a_webhook_that_says_nothing_is_acknowledged_once_the_provider_was_asked() {
    let provider = Provider::start().await;
    let mut account = provider.account_with(|api| {
        (api.first, api.most) = (LONG, LONG);
        api.credentials = [("api_key".to_owned(), "key".to_owned())].into();
    });
    account.provider = "mollie".to_owned();
    account.secrets.clear();
    let system = System::start_asking(account).await;
    let webhook = |id: &str| Webhook {
        headers: vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())],
        body: format!("id={id}").into_bytes(),
    };
    system.api().place("o1", OPTTY, 100).await;
    provider.does([Act::Status(500, "")]);
    assert_eq!(system.send(OPTTY, &webhook("tr_1")).await, 503, "it has to come again");
    assert_eq!(system.send(OPTTY, &webhook("tr_1")).await, 200, "Mollie knows nothing of it");
    let operator = system.api_of(&system.operator);
    assert_eq!(operator.list_webhooks(OPTTY).await.len(), 1, "kept for what it is");
    provider.says(
        "tr_1",
        json!({
            "resource": "payment", "id": "tr_1", "mode": "live", "status": "paid",
            "amount": {"currency": "AUD", "value": "1.00"}, "metadata": {"order_id": "o1"},
            "createdAt": "2026-11-21T12:00:00+00:00", "paidAt": "2026-11-21T12:01:00+00:00",
        }),
    );
    assert_eq!(system.send(OPTTY, &webhook("tr_1")).await, 200);
    let order = system.api().get_order("o1").await;
    assert_eq!(order.status(), PaymentStatus::Successful, "by the time it is acknowledged");
    assert_eq!(order.attempts.len(), 1);
    let version = order.version;
    assert_eq!(system.send(OPTTY, &webhook("tr_1")).await, 200);
    assert_eq!(system.api().get_order("o1").await.version, version, "nothing new");
    assert_eq!(operator.list_webhooks(OPTTY).await.len(), 1);
}
