//! The four examples of Optty's documentation, byte for byte but for their hashes, through a
//! running server: what they say, and that their card token goes nowhere it should not.

use paystatus_proto::v1::{self, OperationStatus, Outcome, PaymentStatus};
use prost::Message as _;
use tonic::Code;

use crate::harness::{
    CREATING, CREATING_MERCHANT, OPTTY, System,
    api::{Api, assert_refused, aud, request_id},
    webhook::{OPTTY_SECRET, Webhook, resigned},
};

const PAID: &str = r#"{
  "event": "ORDER_ASYNC_CALLBACK",
  "data": {
    "transactionId": "3d59905e-1e26-4647-a67b-6dc900bc5730",
    "reference": "Test-52",
    "status": "SUCCESSFUL",
    "hash": "8c3bc3a7628eccd78ee3b37a389e0fb650fa64ebf9f5f3d6733eec4d57ce5e2dad22f225bc716b0a63433e27826ccbf211541cf6f9356a7e6d4713e4de5efbd5",
    "currency": "AUD",
    "amount": 146.24,
    "transactionReference": "c38f5823fd",
    "provider": "FAT_ZEBRA_AU",
    "initiator": "regular",
    "metadata": null,
    "token": "nx5so6w6gprawk7ur",
    "rawBNPLResponse": null
  }
}
"#;
const REFUNDED: &str = r#"{
  "event": "REFUND_CALLBACK",
  "data": {
    "orderReference": "54534_F-533",
    "status": "SUCCESSFUL",
    "hash": "9b300cd24c3a96cd436c0ca847852dd2d4a1136cf928a400ade4552b40b960838c04b",
    "currency": "AUD",
    "amount": 60,
    "refundReference": "Test-342",
    "refundDescription": "60 Refunded"
  }
}
"#;
const CAPTURED: &str = r#"{
  "event": "ORDER_CAPTURE_ASYNC_CALLBACK",
  "data": {
    "reference": "FZ-LC-UT-333-Test",
    "orderReference": "FZ-LC-UT-333-Test",
    "captureReference": "test-order-12",
    "status": "SUCCESSFUL",
    "token": "nx5so6w6gpytk7ur",
    "currency": "AUD",
    "amount": "12",
    "transactionId": "b497023b-4f6d-4c42-be56-e8795177e340",
    "transactionReference": "5246c2b954",
    "provider": "NUVEI_CARDS_AU",
    "hash":"5d1e82dd0a0e9cba32ede281a223829ca7f5983fd0",
    "captureStatus": "CAPTURED",
    "rejectReason": null
  }
}
"#;
const VOIDED: &str = r#"{
  "event": "ORDER_VOID_ASYNC_CALLBACK",
  "data": {
    "reference": "CARDS_AU_F-40",
    "voidReference": "9724",
    "errorMessage": null,
    "status": "CANCELED",
    "transactionId": "c723354f-cee4-4671-9afc-ab76379dd9a8",
    "transactionReference": "cf099bc431",
    "token": null,
    "currency": "AUD",
    "amount": 60,
    "hash": "4667be1b3925ce3690f4f50901951bbc762962476e26ed600bcd62c6440c5ccd267bc311a28efd69d35b0a290d3065717b75539e116efc63c0fc095e3d111779",
    "provider": "NUVEI_CARDS_AU",
    "voidStatus": "SUCCESSFUL",
    "rejectReason": "Transaction Cancelled"
  }
}
"#;
const TOKEN: &str = "nx5so6w6gprawk7ur";

fn seed(text: &str) -> Webhook {
    // One example has no space before its hash, unlike all its other members.
    resigned(text, OPTTY_SECRET)
}

/// An order that was authorised only, by the same event with other words.
async fn authorize(system: &System, order: &str, transaction: &str, amount: &str) {
    let text = format!(
        r#"{{"event": "ORDER_ASYNC_CALLBACK", "data": {{"reference": "{order}", "hash": "",
        "transactionId": "{transaction}", "status": "SUCCESSFUL", "captureStatus": "AUTHORIZED",
        "currency": "AUD", "amount": {amount}}}}}"#
    );
    system.deliver(OPTTY, &seed(&text)).await;
}

fn sources(timeline: &[v1::TimelineEntry]) -> Vec<v1::FactSource> {
    timeline.iter().map(v1::TimelineEntry::source).collect()
}

fn claims(timeline: &[v1::TimelineEntry]) -> Vec<&str> {
    timeline.iter().flat_map(|entry| &entry.statements).map(|s| s.claim.as_str()).collect()
}

#[tokio::test]
async fn an_order_is_paid() {
    let system = System::start().await;
    let api = system.api();
    api.place("Test-52", OPTTY, 14624).await;
    system.deliver(OPTTY, &seed(PAID)).await;

    let order = api.get_order("Test-52").await;
    assert_eq!((order.status(), order.outcome()), (PaymentStatus::Successful, Outcome::Approved));
    assert_eq!(order.outcome_number, 1);
    assert_eq!(order.captured_amount, Some(aud(14624)));
    assert_eq!(order.authorized_amount, Some(aud(14624)));
    assert_eq!((&order.refunded_amount, &order.voided_amount), (&None, &None));
    assert_eq!(order.conditions, []);
    let [attempt] = &order.attempts[..] else { panic!("one attempt: {order:?}") };
    assert_eq!((attempt.attempt_id.as_str(), attempt.recorded), ("a1", true));
    assert!(!attempt.paired_by_guess, "the reference is the order's alone");
    let id = v1::ProviderId {
        kind: "transaction".to_owned(),
        value: "3d59905e-1e26-4647-a67b-6dc900bc5730".to_owned(),
    };
    assert!(attempt.ids.contains(&id), "{:?}", attempt.ids);

    let timeline = api.timeline("Test-52").await;
    use v1::FactSource::{Intent, WeaklySignedWebhook};
    assert_eq!(sources(&timeline), [Intent, Intent, WeaklySignedWebhook]);
    assert_eq!(claims(&timeline), ["SOLD"]);
    assert_eq!(timeline[2].statements[0].amount, Some(aud(14624)));
    assert!(timeline[2].notes.iter().any(|note| note.contains("weak")), "{:?}", timeline[2].notes);
    assert_eq!(timeline[2].order_version, order.version);
}

#[tokio::test]
async fn an_order_is_captured_in_part() {
    let system = System::start().await;
    let api = system.api();
    api.place("FZ-LC-UT-333-Test", OPTTY, 2000).await;
    authorize(&system, "FZ-LC-UT-333-Test", "b497023b-4f6d-4c42-be56-e8795177e340", "20.00").await;
    assert_eq!(api.get_order("FZ-LC-UT-333-Test").await.status(), PaymentStatus::Authorized);
    let capture = v1::CreateCaptureRequest {
        request_id: request_id(),
        order_id: "FZ-LC-UT-333-Test".to_owned(),
        attempt_id: "a1".to_owned(),
        capture_id: "test-order-12".to_owned(),
        amount: Some(aud(1200)),
        ..Default::default()
    };
    let recorded = api.orders().create_capture(capture).await.expect("recorded").into_inner();
    assert_eq!(recorded.warning, "");
    system.deliver(OPTTY, &seed(CAPTURED)).await;

    let order = api.get_order("FZ-LC-UT-333-Test").await;
    assert_eq!((order.status(), order.outcome()), (PaymentStatus::Successful, Outcome::Approved));
    assert_eq!(order.outcome_number, 1, "authorised and captured are both approved");
    assert_eq!(order.authorized_amount, Some(aud(2000)));
    // The provider wrote "12": the exponent is the text's, the amount is the same.
    assert_eq!(in_cents(order.captured_amount), Some(1200));
    let operation = only_operation(&order.operations);
    assert_eq!(operation.operation_id, "test-order-12");
    assert_eq!((operation.status(), operation.recorded), (OperationStatus::Successful, true));
}

#[tokio::test]
async fn an_order_is_refunded() {
    let system = System::start().await;
    let api = system.api();
    api.place("54534_F-533", OPTTY, 6000).await;
    let paid = PAID.replace("Test-52", "54534_F-533").replace("146.24", "60");
    system.deliver(OPTTY, &seed(&paid)).await;
    let refund = v1::CreateRefundRequest {
        request_id: request_id(),
        order_id: "54534_F-533".to_owned(),
        attempt_id: "a1".to_owned(),
        refund_id: "Test-342".to_owned(),
        amount: Some(aud(6000)),
        ..Default::default()
    };
    let recorded = api.orders().create_refund(refund).await.expect("recorded").into_inner();
    assert_eq!(recorded.refund.expect("answered").status(), OperationStatus::Pending);
    system.deliver(OPTTY, &seed(REFUNDED)).await;

    let order = api.get_order("54534_F-533").await;
    assert_eq!(order.status(), PaymentStatus::Successful, "refunds change amounts, not a status");
    assert_eq!(in_cents(order.refunded_amount), Some(6000));
    assert_eq!(in_cents(order.captured_amount), Some(6000));
    let operation = only_operation(&order.operations);
    assert_eq!((operation.kind(), operation.status()), {
        (v1::OperationKind::Refund, OperationStatus::Successful)
    });
}

#[tokio::test]
async fn an_order_is_voided() {
    let system = System::start().await;
    let api = system.api();
    api.place("CARDS_AU_F-40", OPTTY, 6000).await;
    authorize(&system, "CARDS_AU_F-40", "c723354f-cee4-4671-9afc-ab76379dd9a8", "60").await;
    let void = v1::CreateVoidRequest {
        request_id: request_id(),
        order_id: "CARDS_AU_F-40".to_owned(),
        attempt_id: "a1".to_owned(),
        void_id: "9724".to_owned(),
        ..Default::default()
    };
    api.orders().create_void(void).await.expect("recorded");
    system.deliver(OPTTY, &seed(VOIDED)).await;

    let order = api.get_order("CARDS_AU_F-40").await;
    assert_eq!((order.status(), order.outcome()), (PaymentStatus::Canceled, Outcome::Withdrawn));
    assert_eq!(order.outcome_number, 2);
    assert_eq!(in_cents(order.voided_amount), Some(6000));
    let operation = only_operation(&order.operations);
    assert_eq!((operation.operation_id.as_str(), operation.status()), {
        ("9724", OperationStatus::Successful)
    });
}

/// Optty's signature binds neither kind nor amount: whoever saw one could forge the others.
#[tokio::test]
async fn an_operation_that_nobody_recorded_waits() {
    let system = System::start().await;
    let api = system.api();
    for (order, text) in [("54534_F-533", REFUNDED), ("CARDS_AU_F-40", VOIDED)] {
        api.place(order, OPTTY, 6000).await;
        let paid = PAID.replace("Test-52", order).replace("146.24", "60");
        let paid = paid.replace("3d59905e", order);
        system.deliver(OPTTY, &seed(&paid)).await;
        system.deliver(OPTTY, &seed(text)).await;
        let order = api.get_order(order).await;
        assert_eq!(order.status(), PaymentStatus::Successful);
        assert_eq!((&order.refunded_amount, &order.voided_amount), (&None, &None));
        let operation = only_operation(&order.operations);
        assert_eq!((operation.status(), operation.recorded), (OperationStatus::Pending, false));
    }
}

#[tokio::test]
async fn a_card_token_is_shown_to_owners_who_ask_for_it() {
    let system = System::start().await;
    let api = system.api();
    api.place("Test-52", OPTTY, 14624).await;
    let sent = seed(PAID);
    system.deliver(OPTTY, &sent).await;

    let shown = [
        api.get_order("Test-52").await.encode_to_vec(),
        v1::GetTimelineResponse { entries: api.timeline("Test-52").await, ..Default::default() }
            .encode_to_vec(),
    ];
    let operator = system.api_of(&system.operator);
    let id = operator.list_webhooks(OPTTY).await[0].webhook_id.clone();
    let blanked = operator.get_webhook(&id).await;
    for bytes in shown.iter().chain([&blanked.body]) {
        assert!(!holds(bytes, TOKEN), "{}", String::from_utf8_lossy(bytes));
    }
    assert!(holds(&blanked.body, "Test-52"), "all else is there");
    // As the contract has it.
    assert!(holds(&blanked.body, r#""token": "[removed]""#), "{}", {
        String::from_utf8_lossy(&blanked.body)
    });
    let owner = system.api_of(&system.owner);
    assert_eq!(owner.get_webhook(&id).await, blanked, "nobody gets it by accident");
    let whole = owner.get_whole_webhook(&id).await;
    assert_eq!(whole.body, sent.body, "the owner gets it byte for byte");
    assert_eq!((blanked.as_received, whole.as_received), (false, true));
    let request = v1::GetWebhookRequest { webhook_id: id, include_card_tokens: true };
    let refused = operator.webhooks().get_webhook(request).await;
    assert_refused(refused, Code::PermissionDenied, "PERMISSION_DENIED");
}

#[tokio::test]
async fn an_account_that_creates_orders_needs_no_intent() {
    let system = System::start().await;
    system.deliver(CREATING, &seed(PAID)).await;
    let secret = system.api_of(&system.owner);
    let secret = secret.create_key(v1::Role::Checkout, &[CREATING_MERCHANT]).await;
    let api: Api = system.api_of(&secret);
    let order = api.get_order("Test-52").await;
    assert_eq!((order.status(), order.amount.clone()), (PaymentStatus::Successful, None));
    assert_eq!(order.captured_amount, Some(aud(14624)));
}

fn only_operation(operations: &[v1::Operation]) -> &v1::Operation {
    let [only] = operations else { panic!("one operation: {operations:?}") };
    only
}

fn in_cents(money: Option<v1::Money>) -> Option<i64> {
    let money = money?;
    let exponent = u32::try_from(money.exponent).expect("not negative");
    Some(money.minor_units * 100 / 10_i64.pow(exponent))
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}
