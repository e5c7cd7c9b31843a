//! Recording orders and what is done about them: safe to repeat, ids taken once, limits at their
//! edges, lists, waiting, and what the provider answered.

use std::{collections::HashMap, time::Duration};

use paystatus_proto::v1::{self, Outcome, PaymentStatus, ReplyResult};
use serde_json::json;
use tokio::time::Instant;
use tonic::{Code, Request};
use tonic_types::StatusExt as _;

use crate::harness::{
    GENERIC, OPTTY, System,
    api::{Api, assert_refused, aud, new_attempt, new_order, reason, request_id},
    soon,
    webhook::{generic_payment, optty_order},
};

#[tokio::test]
async fn the_same_request_takes_effect_once() {
    let system = System::start().await;
    let api = system.api();
    let request = new_order("o1", 100);
    let at_once = (0..20).map(|_| {
        let (api, request) = (api.clone(), request.clone());
        async move { api.orders().create_order(request).await.expect("answered").into_inner() }
    });
    let answers = futures_util::future::join_all(at_once).await;
    assert_eq!(answers.iter().filter(|answer| !answer.replayed).count(), 1);
    assert!(answers.iter().all(|answer| answer.order == answers[0].order));
    assert_eq!(api.get_order("o1").await.version, 1, "one record");

    // Later the answer is the order as it is by then.
    api.create_attempt("o1", "a1", OPTTY).await;
    system.deliver(OPTTY, &optty_order("o1", "SUCCESSFUL", json!(1))).await;
    let again = api.orders().create_order(request.clone()).await.expect("answered").into_inner();
    assert!(again.replayed);
    assert_eq!(again.order.expect("answered").status(), PaymentStatus::Successful);
    let other = v1::CreateOrderRequest { amount: Some(aud(101)), ..request };
    let refused = api.orders().create_order(other).await;
    assert_refused(refused, Code::InvalidArgument, "REQUEST_ID_REUSED");
}

#[tokio::test]
async fn ids_are_taken_once() {
    let system = System::start().await;
    let api = system.api();
    api.place("o1", OPTTY, 100).await;
    api.create_order("o2", 100).await;
    let answer = api.orders().create_order(new_order("o1", 100)).await.expect("answered");
    assert!(answer.into_inner().replayed, "the same content under another request id");
    let refused = api.orders().create_order(new_order("o1", 101)).await;
    assert_refused(refused, Code::AlreadyExists, "ORDER_ID_TAKEN");
    let labels = HashMap::from([("a".to_owned(), "b".to_owned())]);
    let labelled = v1::CreateOrderRequest { labels, ..new_order("o1", 100) };
    let refused = api.orders().create_order(labelled).await;
    assert_refused(refused, Code::AlreadyExists, "ORDER_ID_TAKEN");

    let attempt = new_attempt("o1", "a1", OPTTY);
    let again = api.orders().create_attempt(attempt.clone()).await.expect("answered");
    assert!(again.into_inner().replayed);
    let other = v1::CreateAttemptRequest { amount: Some(aud(50)), ..attempt };
    let refused = api.orders().create_attempt(other).await;
    assert_refused(refused, Code::AlreadyExists, "ATTEMPT_ID_TAKEN");
    let reference = "o1".to_owned();
    let other = v1::CreateAttemptRequest { reference, ..new_attempt("o2", "a1", OPTTY) };
    let refused = api.orders().create_attempt(other).await;
    assert_refused(refused, Code::AlreadyExists, "REFERENCE_TAKEN");

    let refund = |id: &str, cents: i64, attempt: &str| v1::CreateRefundRequest {
        request_id: request_id(),
        order_id: "o1".to_owned(),
        attempt_id: attempt.to_owned(),
        refund_id: id.to_owned(),
        amount: Some(aud(cents)),
        ..Default::default()
    };
    let first = api.orders().create_refund(refund("r1", 100, "a1")).await.expect("recorded");
    assert!(first.into_inner().warning.contains("captured"), "odd, but never refused");
    let again = api.orders().create_refund(refund("r1", 100, "a1")).await.expect("answered");
    assert!(again.into_inner().replayed);
    let refused = api.orders().create_refund(refund("r1", 99, "a1")).await;
    assert_refused(refused, Code::AlreadyExists, "OPERATION_ID_TAKEN");
    let refused = api.orders().create_refund(refund("r2", 99, "a2")).await;
    assert_refused(refused, Code::NotFound, "ATTEMPT_NOT_FOUND");
    let refused = api.orders().create_attempt(new_attempt("o3", "a1", OPTTY)).await;
    assert_refused(refused, Code::NotFound, "ORDER_NOT_FOUND");
}

/// All that is wrong is named at once; what is at a limit is taken.
#[tokio::test]
async fn fields_have_limits() {
    let system = System::start().await;
    let api = system.api();
    let order = |change: fn(&mut v1::CreateOrderRequest)| {
        let mut request = new_order("o1", 100);
        change(&mut request);
        request
    };
    let labels = |count: usize, length: usize| -> HashMap<String, String> {
        (0..count).map(|n| (format!("{n:0length$}"), "x".repeat(length))).collect()
    };
    let at_limit = v1::CreateOrderRequest {
        order_id: "o".repeat(128),
        request_id: "r".repeat(64),
        labels: labels(16, 64),
        amount: Some(v1::Money {
            currency_code: "A".repeat(12),
            minor_units: i64::MAX,
            exponent: 18,
        }),
        ..Default::default()
    };
    api.orders().create_order(at_limit).await.expect("it is taken");
    let too_many = v1::CreateOrderRequest { labels: labels(17, 2), ..new_order("o1", 100) };
    let too_long = v1::CreateOrderRequest { labels: labels(1, 65), ..new_order("o1", 100) };
    for (request, fields) in [
        (order(|r| r.order_id = "o".repeat(129)), "order_id"),
        (order(|r| r.order_id.clear()), "order_id"),
        (order(|r| r.order_id = " o".to_owned()), "order_id"),
        (order(|r| r.order_id = "a\nb".to_owned()), "order_id"),
        (order(|r| r.request_id.clear()), "request_id"),
        (order(|r| r.request_id = "r".repeat(65)), "request_id"),
        (order(|r| r.request_id = "é".to_owned()), "request_id"),
        (order(|r| r.amount = None), "amount"),
        (order(|r| r.amount = Some(aud(0))), "amount"),
        (order(|r| r.amount = Some(aud(-1))), "amount"),
        (order(|r| r.amount = Some(v1::Money { exponent: 19, ..aud(1) })), "amount"),
        (order(|r| r.amount = Some(v1::Money { exponent: -1, ..aud(1) })), "amount"),
        (order(|r| r.amount.as_mut().unwrap().currency_code = "A-D".to_owned()), "amount"),
        (order(|r| r.amount.as_mut().unwrap().currency_code = "A".repeat(13)), "amount"),
        (too_many, "labels"),
        (too_long, "labels"),
        (v1::CreateOrderRequest::default(), "request_id order_id amount"),
    ] {
        let refused = api.orders().create_order(request.clone()).await;
        assert!(refused.is_err(), "{request:?} was taken");
        let status = assert_refused(refused, Code::InvalidArgument, "INVALID_FIELD");
        let found = status.get_details_bad_request().expect("fields are named").field_violations;
        let mut found: Vec<&str> = found.iter().map(|violation| violation.field.as_str()).collect();
        found.dedup();
        assert_eq!(found.join(" "), fields, "{request:?}");
    }
    let not_found = api.orders().create_attempt(new_attempt("o", "a1", "unknown")).await;
    assert!(not_found.is_err());
}

#[tokio::test]
async fn an_order_has_64_attempts_at_most() {
    let system = System::start().await;
    let api = system.api();
    api.create_order("o1", 100).await;
    for number in 0..64 {
        api.create_attempt("o1", &format!("a{number}"), GENERIC).await;
    }
    let refused = api.orders().create_attempt(new_attempt("o1", "a64", GENERIC)).await;
    assert_refused(refused, Code::ResourceExhausted, "TOO_MANY");
    assert_eq!(api.get_order("o1").await.attempts.len(), 64);
}

async fn list(api: &Api, request: &v1::ListOrdersRequest) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut request = request.clone();
    loop {
        let page = api.orders().list_orders(request.clone()).await.expect("listed").into_inner();
        pages.push(page.orders.into_iter().map(|order| order.order_id).collect());
        if page.next_page_token.is_empty() {
            return pages;
        }
        request.page_token = page.next_page_token;
    }
}

#[tokio::test]
async fn lists_are_paged_and_filtered() {
    let system = System::start().await;
    let api = system.api();
    for number in 0..10 {
        let channel = if number % 2 == 0 { "web" } else { "app" };
        let labels = HashMap::from([("channel".to_owned(), channel.to_owned())]);
        let order = format!("o{number}");
        let request = v1::CreateOrderRequest { labels, ..new_order(&order, 100) };
        api.orders().create_order(request).await.expect("recorded");
        if number >= 5 {
            api.create_attempt(&order, "a1", OPTTY).await;
            system.deliver(OPTTY, &optty_order(&order, "SUCCESSFUL", json!(1))).await;
        }
    }
    let all = v1::ListOrdersRequest { page_size: 3, ..Default::default() };
    let pages = list(&api, &all).await;
    let every: Vec<String> = (0..10).map(|number| format!("o{number}")).collect();
    assert_eq!(pages.concat(), every, "in order of their recording");
    assert!(pages.iter().all(|page| page.len() <= 3));

    let web = HashMap::from([("channel".to_owned(), "web".to_owned())]);
    let paid = vec![PaymentStatus::Successful.into()];
    let filtered = v1::ListOrdersRequest { page_size: 1, statuses: paid, labels: web, ..all };
    assert_eq!(list(&api, &filtered).await.concat(), ["o6", "o8"]);

    let first = api.orders().list_orders(filtered.clone()).await.expect("listed").into_inner();
    let other = v1::ListOrdersRequest {
        page_token: first.next_page_token,
        labels: HashMap::new(),
        ..filtered.clone()
    };
    for wrong in [
        other,
        v1::ListOrdersRequest { page_token: "wrong".to_owned(), ..filtered.clone() },
        v1::ListOrdersRequest { page_size: -1, ..filtered },
    ] {
        let refused = api.orders().list_orders(wrong).await;
        assert_refused(refused, Code::InvalidArgument, "INVALID_FIELD");
    }
}

fn awaited(order: &str, attempt: &str, timeout_ms: i64) -> v1::AwaitOrderRequest {
    let nanos = i32::try_from(timeout_ms % 1000 * 1_000_000).expect("it fits");
    v1::AwaitOrderRequest {
        order_id: order.to_owned(),
        attempt_id: attempt.to_owned(),
        timeout: Some(prost_types::Duration { seconds: timeout_ms / 1000, nanos }),
        ..Default::default()
    }
}

#[tokio::test]
async fn waiting_ends_when_the_outcome_is_known_or_in_time() {
    let system = System::start().await;
    let api = system.api();
    api.place("o1", OPTTY, 100).await;
    api.create_attempt("o1", "a2", GENERIC).await;
    let wait = async |request| {
        let answer = soon("an answer", api.orders().await_order(request))
            .await
            .expect("it is answered")
            .into_inner();
        (answer.outcome(), answer.outcome_number)
    };
    assert_eq!(wait(awaited("o1", "", 50)).await, (Outcome::Undecided, 0), "not an error");

    // The whole order stays undecided while one attempt is open.
    let declined = async {
        system.deliver(OPTTY, &optty_order("o1", "DECLINED", json!(1))).await;
    };
    let (seen, ()) = tokio::join!(wait(awaited("o1", "a1", 20_000)), declined);
    assert_eq!(seen, (Outcome::Refused, 0));
    assert_eq!(wait(awaited("o1", "", 0)).await, (Outcome::Undecided, 0));

    let paid = async {
        system.deliver(GENERIC, &generic_payment("p1", "o1", "paid", "1.00")).await;
    };
    let (seen, ()) = tokio::join!(wait(awaited("o1", "", 20_000)), paid);
    assert_eq!(seen, (Outcome::Approved, 1));
    assert_eq!(wait(awaited("o1", "", 20_000)).await, (Outcome::Approved, 1), "at once");

    let refused = api.orders().await_order(awaited("o2", "", 1000)).await;
    assert_refused(refused, Code::NotFound, "ORDER_NOT_FOUND");
    let refused = api.orders().await_order(awaited("o1", "a3", 1000)).await;
    assert_refused(refused, Code::NotFound, "ATTEMPT_NOT_FOUND");
}

#[tokio::test]
async fn waiting_honours_the_deadline_of_the_call() {
    let system = System::start().await;
    let api = system.api();
    api.place("o1", OPTTY, 100).await;
    let mut request = Request::new(awaited("o1", "", 20_000));
    request.set_timeout(Duration::from_millis(500));
    let begin = Instant::now();
    let answer = api.orders().await_order(request).await.expect("it comes before the deadline");
    assert_eq!(answer.into_inner().outcome(), Outcome::Undecided);
    assert!(begin.elapsed() >= Duration::from_millis(400));
}

fn reply(result: ReplyResult) -> v1::RecordProviderReplyRequest {
    v1::RecordProviderReplyRequest {
        request_id: request_id(),
        order_id: "o1".to_owned(),
        attempt_id: "a1".to_owned(),
        result: result.into(),
        ..Default::default()
    }
}

#[tokio::test]
async fn what_the_provider_answered_is_evidence_and_no_answer_is_none() {
    let system = System::start().await;
    let api = system.api();
    api.place("o1", GENERIC, 100).await;
    let record = async |request| {
        let answer = api.orders().record_provider_reply(request).await.expect("recorded");
        answer.into_inner().order.expect("it is answered")
    };
    let order = record(reply(ReplyResult::NoAnswer)).await;
    assert_eq!(order.status(), PaymentStatus::Pending, "a time-out is not a failure");
    let timeline = api.timeline("o1").await;
    assert_eq!(timeline.last().expect("an entry").source(), v1::FactSource::ProviderReply);

    // The answer names the payment's id: it joins a webhook that knows no reference.
    let id = v1::ProviderId { kind: "payment".to_owned(), value: "p1".to_owned() };
    record(v1::RecordProviderReplyRequest { ids: vec![id], ..reply(ReplyResult::Pending) }).await;
    let data = json!({"payment_id": "p1", "amount": "1.00", "currency": "AUD"});
    let webhook = crate::harness::webhook::generic("m1", "payment.authorized", data);
    system.deliver(GENERIC, &webhook).await;
    let order = api.get_order("o1").await;
    assert_eq!((order.status(), order.attempts.len()), (PaymentStatus::Authorized, 1));
    assert!(!order.attempts[0].paired_by_guess);

    let request = reply(ReplyResult::Successful);
    let order = record(request.clone()).await;
    assert_eq!(order.status(), PaymentStatus::Successful);
    let again = api.orders().record_provider_reply(request.clone()).await.expect("answered");
    assert!(again.into_inner().replayed);
    let other = v1::RecordProviderReplyRequest { reason: "other".to_owned(), ..request };
    let refused = api.orders().record_provider_reply(other).await;
    assert_eq!(reason(&refused.expect_err("refused")), "REQUEST_ID_REUSED");
}
