//! Webhooks over HTTP: nothing authentic is dropped, nothing else gets in, nothing counts twice.

use std::time::Duration;

use paystatus_proto::v1::{self, ConditionKind, Disposition, PaymentStatus};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tonic::Code;

use crate::harness::{
    CREATING, CREATING_MERCHANT, GENERIC, MERCHANT, OPTTY, System,
    api::{Api, assert_refused, aud, request_id},
    http, soon,
    webhook::{
        GENERIC_SECRET, OPTTY_SECRET, Webhook, generic_of, generic_payment, optty_order, resigned,
    },
};

fn dispositions(webhooks: &[v1::Webhook]) -> Vec<Disposition> {
    webhooks.iter().rev().map(v1::Webhook::disposition).collect()
}

#[tokio::test]
async fn a_repeat_is_answered_as_the_first_and_changes_nothing() {
    let system = System::start().await;
    let api = system.api();
    api.place("o1", OPTTY, 100).await;
    let paid = optty_order("o1", "SUCCESSFUL", json!("1.00"));
    system.deliver(OPTTY, &paid).await;
    let before = api.get_order("o1").await;
    for _ in 0..20 {
        assert_eq!(system.send(OPTTY, &paid).await, 200);
    }
    let after = api.get_order("o1").await;
    assert_eq!((after.status, after.captured_amount), (before.status, before.captured_amount));
    assert_eq!(after.outcome_number, 1);
    // The event says it in other words, but nothing new.
    let same = Webhook { body: [&paid.body[..], b"\n"].concat(), ..paid.clone() };
    system.deliver(OPTTY, &same).await;
    let webhooks = system.api_of(&system.operator).list_webhooks(OPTTY).await;
    let found = dispositions(&webhooks);
    assert_eq!(found[0], Disposition::Applied);
    assert!(found[1..].iter().all(|d| *d == Disposition::Repeat), "{found:?}");
    assert!(found.len() <= 9, "repeats are recorded up to a limit: {}", found.len());
    assert_eq!(webhooks[0].order_id, "o1");
}

#[tokio::test]
async fn an_event_of_an_unknown_order_is_kept_until_the_order_is_recorded() {
    let system = System::start().await;
    let (api, operator) = (system.api(), system.api_of(&system.operator));
    system.deliver(OPTTY, &optty_order("o1", "SUCCESSFUL", json!("1.00"))).await;
    system.deliver(GENERIC, &generic_payment("p2", "o2", "authorized", "2.00")).await;
    let request = v1::GetOrderRequest { order_id: "o1".to_owned(), ..Default::default() };
    let refused = api.orders().get_order(request).await;
    assert_refused(refused, Code::NotFound, "ORDER_NOT_FOUND");
    let found = dispositions(&operator.list_webhooks("").await);
    assert_eq!(found, [Disposition::Parked; 2]);

    // By the order alone, and only then by the attempt.
    let o1 = api.create_order("o1", 100).await;
    assert_eq!(o1.status(), PaymentStatus::Successful);
    api.create_attempt("o1", "a1", OPTTY).await;
    let o1 = api.get_order("o1").await;
    assert_eq!((o1.attempts.len(), o1.attempts[0].recorded), (1, true));
    api.create_order("o2", 200).await;
    api.create_attempt("o2", "a1", GENERIC).await;
    let o2 = api.get_order("o2").await;
    assert_eq!((o2.status(), o2.attempts.len()), (PaymentStatus::Authorized, 1), "{o2:?}");
    let list = v1::ListOrdersRequest {
        merchant_id: MERCHANT.to_owned(),
        unclaimed: true,
        ..Default::default()
    };
    let left = operator.orders().list_orders(list).await.expect("listed").into_inner().orders;
    assert_eq!(left, [], "nothing is unclaimed any more");
}

#[tokio::test]
async fn an_account_may_create_orders_and_the_merchant_completes_them() {
    let system = System::start().await;
    system.deliver(CREATING, &optty_order("o1", "SUCCESSFUL", json!("1.00"))).await;
    let owner = system.api_of(&system.owner);
    let secret = owner.create_key(v1::Role::Checkout, &[CREATING_MERCHANT]).await;
    let api = system.api_of(&secret);
    assert_eq!(api.get_order("o1").await.status(), PaymentStatus::Successful);
    // The merchant's own amount is what counts: the evidence is compared again.
    let order = api.create_order("o1", 999).await;
    assert_eq!((order.amount, order.status), (Some(aud(999)), PaymentStatus::Pending as i32));
    assert_eq!(order.conditions[0].kind(), ConditionKind::AmountMismatch);
}

#[tokio::test]
async fn what_does_not_verify_changes_nothing() {
    let system = System::start().await;
    let api = system.api();
    api.place("o1", OPTTY, 100).await;
    let good = optty_order("o1", "SUCCESSFUL", json!("1.00"));
    let text = String::from_utf8(good.body.clone()).expect("it is text");
    let generic = generic_payment("p1", "o1", "paid", "1.00");
    let without = |name: &str| {
        let headers = generic.headers.iter().filter(|(n, _)| n != name).cloned().collect();
        Webhook { headers, ..generic.clone() }
    };
    let body = |text: &str| Webhook { headers: Vec::new(), body: text.as_bytes().to_vec() };
    for (account, webhook) in [
        (OPTTY, body(&text.replace("SUCCESSFUL", "DECLINED"))),
        (OPTTY, body(&text.replace("\"o1\"", "\"o2\""))),
        (OPTTY, resigned(&text, "another secret")),
        (OPTTY, body("")),
        (OPTTY, body("not JSON")),
        (OPTTY, body("{}")),
        (GENERIC, body(&text)),
        (GENERIC, without("webhook-id")),
        (GENERIC, without("webhook-timestamp")),
        (GENERIC, without("webhook-signature")),
        (GENERIC, Webhook { body: [&generic.body[..], b" "].concat(), ..generic.clone() }),
        (GENERIC, generic_of("m", &generic.body, "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")),
    ] {
        assert_eq!(system.send(account, &webhook).await, 401, "{webhook:?}");
    }
    assert_eq!(system.send("unknown", &good).await, 404);
    assert_eq!(http::get(system.http(), &format!("/webhooks/{OPTTY}")).await.status, 405);
    assert_eq!(api.get_order("o1").await.version, 2, "an order, an attempt");
    assert_eq!(system.api_of(&system.operator).list_webhooks("").await, []);
    system.deliver(OPTTY, &good).await;
    system.deliver(GENERIC, &generic).await;
}

#[tokio::test]
async fn each_active_secret_will_do() {
    let system = System::start_with(|config| {
        config.accounts[0].secrets = vec!["new".to_owned().into(), OPTTY_SECRET.to_owned().into()];
    })
    .await;
    for (secret, status) in [("new", 200), (OPTTY_SECRET, 200), ("older", 401)] {
        let text = String::from_utf8(optty_order("o1", "SUCCESSFUL", json!(1)).body);
        let webhook = resigned(&text.expect("it is text"), secret);
        assert_eq!(system.send(OPTTY, &webhook).await, status, "{secret}");
    }
}

#[tokio::test]
async fn bodies_have_a_limit_in_bytes_and_in_time() {
    let system = System::start_with(|config| {
        config.limits.webhook_bytes = 1000;
        config.limits.webhook_read = Duration::from_millis(100);
    })
    .await;
    let padded = |bytes: usize| {
        let webhook = optty_order("o1", "SUCCESSFUL", json!(1));
        let spaces = vec![b' '; bytes - webhook.body.len()];
        Webhook { body: [webhook.body, spaces].concat(), headers: Vec::new() }
    };
    assert_eq!(system.send(OPTTY, &padded(1000)).await, 200);
    assert_eq!(system.send(OPTTY, &padded(1001)).await, 413);

    let slow = async |request: &str| {
        let mut stream = TcpStream::connect(system.http()).await.expect("it connects");
        stream.write_all(request.as_bytes()).await.expect("it is sent");
        let mut answer = vec![0; 12];
        soon("an answer", stream.read_exact(&mut answer)).await.expect("it answers");
        String::from_utf8(answer).expect("it is text")
    };
    let head = format!("POST /webhooks/{OPTTY} HTTP/1.1\r\nhost: x\r\n");
    let half = slow(&format!("{head}content-length: 9\r\n\r\n{{")).await;
    assert_eq!(half, "HTTP/1.1 408");
}

/// Never rounded: an amount with more digits than the recorded one is another amount.
#[tokio::test]
async fn amounts_are_exact() {
    let system = System::start().await;
    let api = system.api();
    for (number, (amount, is_paid)) in [
        (json!(146.24), true),
        (json!("146.24"), true),
        (json!("146.240"), true),
        (json!(146.241), false),
        (json!("146.2400001"), false),
        (json!(146.23), false),
        (json!("146.25"), false),
        (json!("146"), false),
    ]
    .into_iter()
    .enumerate()
    {
        let order = format!("o{number}");
        api.place(&order, OPTTY, 14624).await;
        system.deliver(OPTTY, &optty_order(&order, "SUCCESSFUL", amount.clone())).await;
        let found = api.get_order(&order).await;
        let kinds: Vec<ConditionKind> = found.conditions.iter().map(v1::Condition::kind).collect();
        let expected = match is_paid {
            true => (PaymentStatus::Successful, vec![]),
            false => (PaymentStatus::Pending, vec![ConditionKind::AmountMismatch]),
        };
        assert_eq!((found.status(), kinds), expected, "{amount}");
    }
}

#[tokio::test]
async fn an_unreadable_event_is_kept_byte_for_byte_and_can_be_replayed() {
    let system = System::start().await;
    let operator = system.api_of(&system.operator);
    let bodies = [&b"not JSON"[..], b"\xff\xfe", b"{\"type\": \"payment.paid\"}"];
    for (number, body) in bodies.into_iter().enumerate() {
        let webhook = generic_of(&format!("m{number}"), body, GENERIC_SECRET);
        assert_eq!(system.send(GENERIC, &webhook).await, 204);
    }
    let unknown = br#"{"type": "payment.invented", "timestamp": "2026-11-21T12:00:00Z"}"#;
    system.deliver(GENERIC, &generic_of("m3", unknown, GENERIC_SECRET)).await;
    let webhooks = operator.list_webhooks(GENERIC).await;
    use Disposition::{Ignored, Unreadable};
    assert_eq!(dispositions(&webhooks), [Unreadable, Unreadable, Unreadable, Ignored]);
    for (webhook, body) in webhooks.iter().rev().zip(bodies) {
        assert!(!webhook.reason.is_empty());
        assert_eq!(operator.get_webhook(&webhook.webhook_id).await.body, body);
    }
    let replayed = replay(&operator, &webhooks, false).await;
    assert_eq!(replayed.len(), 4);
    assert!(replayed.iter().all(|one| !one.altered), "{replayed:?}");
    assert_eq!(operator.list_webhooks(GENERIC).await, webhooks, "it still reads as before");
}

/// The same evidence under other settings: told first, then done, and undone the same way.
#[tokio::test]
async fn replaying_reads_again_with_the_present_settings() {
    let mut system = System::start().await;
    let (api, operator) = (system.api(), system.api_of(&system.operator));
    api.place("o1", OPTTY, 100).await;
    system.deliver(OPTTY, &optty_order("o1", "SUCCESSFUL", json!("1.00"))).await;
    let webhooks = operator.list_webhooks(OPTTY).await;
    let unaltered = replay(&operator, &webhooks, false).await;
    assert!(!unaltered[0].altered, "{unaltered:?}");
    for (confirms, status) in [(true, PaymentStatus::Pending), (false, PaymentStatus::Successful)] {
        system.stop().await;
        system.config_mut().accounts[0].confirm_payments = confirms;
        system.start_again().await;
        let before = api.get_order("o1").await;
        let told = replay(&operator, &webhooks, true).await;
        assert!(told[0].altered && !told[0].difference.is_empty(), "{told:?}");
        assert_eq!(api.get_order("o1").await, before, "it only tells");
        let done = replay(&operator, &webhooks, false).await;
        assert!(done[0].altered, "{done:?}");
        assert_eq!(api.get_order("o1").await.status(), status);
    }
}

async fn replay(
    api: &Api,
    webhooks: &[v1::Webhook],
    validate_only: bool,
) -> Vec<v1::ReplayedWebhook> {
    let request = v1::ReplayWebhooksRequest {
        request_id: request_id(),
        webhook_ids: webhooks.iter().map(|webhook| webhook.webhook_id.clone()).collect(),
        validate_only,
        ..Default::default()
    };
    let answer = api.webhooks().replay_webhooks(request).await;
    answer.expect("they are replayed").into_inner().webhooks
}
