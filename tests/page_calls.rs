//! WatchOrder with a page token: over gRPC-Web where everybody calls, and over gRPC inside. A page
//! is told its order's state, and never anything else.

use std::collections::HashMap;

use paystatus_proto::v1::{self, ClosingReason, OpenedMode, Outcome, frame::Content};
use prost::Message as _;
use serde_json::json;
use tonic::Code;

use crate::harness::{
    GENERIC, MERCHANT, OPTTY, SHOP, System,
    api::{assert_refused, aud, new_attempt},
    http,
    stream::{self, Reader},
    web::{RECORD_RECEIPT, WATCH_ORDER, WebCall},
};

fn of_order(order: &str, start: Option<v1::StreamStart>) -> v1::WatchOrderRequest {
    v1::WatchOrderRequest { merchant_id: MERCHANT.to_owned(), order_id: order.to_owned(), start }
}

impl System {
    async fn watch_page(&self, token: &str) -> WebCall {
        WebCall::watch(self.http(), token, &v1::WatchOrderRequest::default(), &[]).await
    }

    async fn resume_page(&self, token: &str, cursor: &str) -> WebCall {
        let request = of_order("", Some(stream::after(cursor)));
        WebCall::watch(self.http(), token, &request, &[]).await
    }
}

/// The state in a frame.
#[track_caller]
fn state(frame: Option<v1::Frame>) -> (String, v1::PageOrder) {
    let frame = frame.expect("a state");
    match frame.content {
        Some(Content::PageOrder(order)) => (frame.cursor, order),
        other => panic!("not a state: {other:?}"),
    }
}

#[track_caller]
fn opened(frame: Option<v1::Frame>) -> OpenedMode {
    match frame.and_then(|frame| frame.content) {
        Some(Content::Opened(opened)) => opened.mode(),
        other => panic!("not Opened: {other:?}"),
    }
}

#[track_caller]
fn closing(frame: Option<v1::Frame>) -> ClosingReason {
    match frame.and_then(|frame| frame.content) {
        Some(Content::Closing(closing)) => closing.reason(),
        other => panic!("not Closing: {other:?}"),
    }
}

/// Everything that may be sent to a page is looked at, byte by byte.
#[tokio::test]
async fn a_page_is_sent_its_state_and_nothing_else() {
    let system = System::start_with(|config| {
        config.streams.heartbeat = std::time::Duration::from_millis(50);
    })
    .await;
    let labels = HashMap::from([("secret-label".to_owned(), "secret-value".to_owned())]);
    let order = v1::CreateOrderRequest { labels, ..crate::harness::api::new_order("o1", 100) };
    system.api().orders().create_order(order).await.expect("recorded");
    let attempt = v1::CreateAttemptRequest {
        reference: "secret-reference".to_owned(),
        ..new_attempt("o1", "secret-attempt", OPTTY)
    };
    system.api().orders().create_attempt(attempt).await.expect("recorded");
    let token = system.page_token("o1", 60).await;
    let mut page = system.watch_page(&token).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.headers["content-type"], "application/grpc-web+proto");
    assert_eq!(page.headers["cache-control"], "no-store, no-transform");
    assert_eq!(page.headers["x-accel-buffering"], "no");
    assert_eq!(opened(page.any().await), OpenedMode::Snapshot);
    let (_, first) = state(page.next().await);
    assert_eq!((first.outcome(), first.outcome_number), (Outcome::Undecided, 0));
    let heartbeat = page.any().await.and_then(|frame| frame.content);
    assert!(matches!(heartbeat, Some(Content::Heartbeat(_))), "{heartbeat:?}");
    system.say("secret-reference", "SUCCESSFUL").await;
    let (_, paid) = state(page.next().await);
    let expected = v1::PageOrder {
        outcome: Outcome::Approved.into(),
        outcome_number: 1,
        status: v1::PaymentStatus::Successful.into(),
        amount: Some(aud(100)),
        order_id: "o1".to_owned(),
        outcome_time: paid.outcome_time,
        reason: "The payment was successful.".to_owned(),
        missed: false,
    };
    assert_eq!(paid, expected);
    assert_eq!(closing(page.next().await), ClosingReason::Done);
    assert_eq!(page.code().await, Code::Ok);
    let sent = String::from_utf8_lossy(&page.raw);
    for secret in ["secret", OPTTY, MERCHANT] {
        assert!(!sent.contains(secret), "{secret} is no business of a page");
    }
    // The key of the shop is sent all of it, so there was something to leave out.
    let frames = Reader::open_order(&system.api(), "o1", None).await.until("caught_up").await;
    assert!(format!("{frames:?}").contains("secret-label"));
}

#[tokio::test]
async fn a_page_resumes_and_is_told_what_it_missed() {
    let mut system = System::start().await;
    system.api().place("o1", OPTTY, 100).await;
    let token = system.page_token("o1", 60).await;
    let mut page = system.watch_page(&token).await;
    assert_eq!(opened(page.next().await), OpenedMode::Snapshot);
    let (cursor, _) = state(page.next().await);
    system.stop().await;
    assert_eq!(closing(page.next().await), ClosingReason::Drain);
    system.start_again().await;
    system.say("o1", "DECLINED").await;
    let mut page = system.resume_page(&token, &cursor).await;
    assert_eq!(opened(page.next().await), OpenedMode::Continued);
    let (_, refused) = state(page.next().await);
    assert_eq!((refused.outcome(), refused.missed), (Outcome::Refused, false));
    let again = v1::CreateAttemptRequest {
        reference: "o1-again".to_owned(),
        ..new_attempt("o1", "again", OPTTY)
    };
    system.api().orders().create_attempt(again).await.expect("another attempt");
    let (_, paying) = state(page.next().await);
    assert_eq!((paying.outcome(), paying.missed), (Outcome::Undecided, false));
    system.say("o1-again", "SUCCESSFUL").await;
    let (_, paid) = state(page.next().await);
    assert_eq!((paid.outcome(), paid.missed), (Outcome::Approved, false));
    let mut late = system.resume_page(&token, &cursor).await;
    opened(late.next().await);
    let (end, paid) = state(late.next().await);
    assert_eq!((paid.outcome(), paid.missed), (Outcome::Approved, true));
    let mut over = system.resume_page(&token, &end).await;
    opened(over.next().await);
    assert_eq!(closing(over.next().await), ClosingReason::Done, "it has seen the end");
    // Another journal counts from the beginning.
    let mut other = system.resume_page(&token, "1.7.3.0").await;
    assert_eq!(opened(other.next().await), OpenedMode::Reset);
    assert!(!state(other.next().await).1.missed, "nobody knows");
}

#[tokio::test]
async fn an_open_call_ends_with_its_token() {
    let system = System::start().await;
    system.api().place("o1", OPTTY, 100).await;
    let token = system.page_token("o1", 2).await;
    let mut page = system.watch_page(&token).await;
    opened(page.next().await);
    state(page.next().await);
    assert_eq!(closing(page.next().await), ClosingReason::Expired);
    let mut late = system.watch_page(&token).await;
    assert_eq!(late.code().await, Code::Unauthenticated);
    let inside = system.api_of(&token).orders().watch_order(of_order("o1", None)).await;
    assert_refused(inside.map(|_| ()), Code::Unauthenticated, "PAGE_TOKEN_EXPIRED");
}

#[tokio::test]
async fn nothing_but_a_page_token_is_worth_anything_in_public() {
    let system = System::start().await;
    system.api().place("o1", OPTTY, 100).await;
    let token = system.page_token("o1", 60).await;
    for bearer in [&system.owner, &system.operator, &system.checkout, &"".to_owned()] {
        let mut call = WebCall::watch(system.http(), bearer, &of_order("o1", None), &[]).await;
        assert_eq!(call.code().await, Code::Unauthenticated, "whatever it may do inside");
    }
    let set = prost_types::FileDescriptorSet::decode(paystatus_proto::DESCRIPTORS);
    let services = set.expect("valid descriptors").file.into_iter().flat_map(|file| file.service);
    for service in services {
        for method in &service.method {
            let path = format!("/paystatus.v1.{}/{}", service.name(), method.name());
            if [WATCH_ORDER, RECORD_RECEIPT].contains(&path.as_str()) {
                continue;
            }
            let bearer = format!("Bearer {}", system.owner);
            let headers = [("authorization", bearer.as_str())];
            let call = WebCall::send(system.http(), &path, &headers, &[]).await;
            assert_eq!(call.status, 404, "{path} is not there");
        }
    }
    let plain = [("content-type".to_owned(), "application/grpc".to_owned())];
    let answer = http::post(system.http(), WATCH_ORDER, &plain, Vec::new()).await;
    assert_eq!(answer.status, 415, "gRPC itself is not spoken");
    let long = WebCall::send(system.http(), WATCH_ORDER, &[], &[0; 20_000]).await;
    assert_eq!(long.status, 413);
    let mut other = WebCall::watch(system.http(), &token, &of_order("o2", None), &[]).await;
    assert_eq!(other.code().await, Code::PermissionDenied);
    let nonsense = of_order("o1", Some(stream::after("nonsense")));
    let mut nonsense = WebCall::watch(system.http(), &token, &nonsense, &[]).await;
    assert_eq!(nonsense.code().await, Code::InvalidArgument);
}

#[tokio::test]
async fn inside_too_a_page_token_watches_its_order_and_does_no_more() {
    let system = System::start().await;
    system.api().place("o1", OPTTY, 100).await;
    system.api().place("o2", GENERIC, 100).await;
    let api = system.api_of(&system.page_token("o1", 60).await);
    let stream = api.orders().watch_order(of_order("o1", None)).await.expect("it opens");
    let mut stream = stream.into_inner();
    let mut next = async || {
        let response = crate::harness::soon("a frame", stream.message()).await;
        response.expect("the stream is sound").and_then(|response| response.frame)
    };
    assert_eq!(opened(next().await), OpenedMode::Snapshot);
    assert_eq!(state(next().await).1.outcome(), Outcome::Undecided);
    system
        .deliver(OPTTY, &crate::harness::webhook::optty_order("o1", "SUCCESSFUL", json!("1.00")))
        .await;
    assert_eq!(state(next().await).1.outcome(), Outcome::Approved);
    assert_eq!(closing(next().await), ClosingReason::Done);
    for request in [
        of_order("o2", None),
        v1::WatchOrderRequest { merchant_id: "other-shop".to_owned(), ..of_order("o1", None) },
    ] {
        let refused = api.orders().watch_order(request).await.map(|_| ());
        assert_refused(refused, Code::PermissionDenied, "PERMISSION_DENIED");
    }
    let from_beginning = of_order("o1", Some(stream::from(v1::StreamPlace::Beginning)));
    let refused = api.orders().watch_order(from_beginning).await.map(|_| ());
    assert_refused(refused, Code::InvalidArgument, "INVALID_FIELD");
}

#[tokio::test]
async fn pages_of_all_kinds_share_their_places() {
    let system = System::start_with(|config| config.pages.open_per_token = 2).await;
    system.api().place("o1", OPTTY, 100).await;
    let token = system.page_token("o1", 60).await;
    let mut first = system.watch_page(&token).await;
    opened(first.next().await);
    let inside = system.api_of(&token);
    let _second = inside.orders().watch_order(of_order("o1", None)).await.expect("it opens");
    let refused = inside.orders().watch_order(of_order("o1", None)).await.map(|_| ());
    assert_refused(refused, Code::ResourceExhausted, "TOO_MANY_PAGES");
    let path = format!("/pages/order?token={token}");
    assert_eq!(http::get(system.http(), &path).await.status, 429);
}

#[tokio::test]
async fn only_scripts_of_configured_origins_call() {
    let system = System::start_for_shop().await;
    system.api().place("o1", OPTTY, 100).await;
    let token = system.page_token("o1", 60).await;
    let preflight = async |path: &str, origin: &str| {
        let headers = [("origin", origin), ("access-control-request-method", "POST")];
        http::request(system.http(), ::http::Method::OPTIONS, path, &headers).await
    };
    let own = preflight(WATCH_ORDER, SHOP).await;
    assert_eq!(own.status, 204);
    assert_eq!(own.headers["access-control-allow-origin"], SHOP);
    assert_eq!(own.headers["access-control-allow-methods"], "POST");
    let sent = own.headers["access-control-allow-headers"].to_str().expect("text");
    for name in ["authorization", "content-type", "x-grpc-web", "grpc-timeout", "x-user-agent"] {
        assert!(sent.contains(name), "{name} may be sent");
    }
    let other = preflight(WATCH_ORDER, "https://evil.example").await;
    assert!(other.headers.get("access-control-allow-origin").is_none());
    let stream = preflight("/pages/order", SHOP).await;
    assert_eq!(stream.headers["access-control-allow-methods"], "GET, POST");
    let request = v1::WatchOrderRequest::default();
    let origin = [("origin", SHOP)];
    for bearer in [token.as_str(), "x"] {
        let call = WebCall::watch(system.http(), bearer, &request, &origin).await;
        assert_eq!(call.headers["access-control-allow-origin"], SHOP);
        let exposed = call.headers["access-control-expose-headers"].to_str().expect("text");
        for name in ["grpc-status", "grpc-message", "grpc-status-details-bin"] {
            assert!(exposed.contains(name), "{name} may be read");
        }
    }
}

#[tokio::test]
async fn a_page_leaves_its_receipt_by_a_call_too() {
    let system = System::start().await;
    system.api().place("o1", OPTTY, 100).await;
    let token = system.page_token("o1", 60).await;
    system.say("o1", "SUCCESSFUL").await;
    let bearer = format!("Bearer {token}");
    let leave = async |order_id: &str, outcome_number: i64| {
        let order_id = order_id.to_owned();
        let request = v1::RecordReceiptRequest { order_id, outcome_number, ..Default::default() };
        let headers = [("authorization", bearer.as_str())];
        let message = request.encode_to_vec();
        let mut call = WebCall::send(system.http(), RECORD_RECEIPT, &headers, &message).await;
        let answer: Option<v1::RecordReceiptResponse> = call.message().await;
        (call.code().await, answer.map(|answer| answer.disposition()))
    };
    use v1::ReceiptDisposition::{Recorded, Repeat};
    assert_eq!(leave("", 1).await, (Code::Ok, Some(Recorded)));
    assert_eq!(leave("o1", 1).await, (Code::Ok, Some(Repeat)), "without an id of the request");
    assert_eq!(leave("o2", 1).await, (Code::PermissionDenied, None));
    assert_eq!(leave("o1", 0).await, (Code::InvalidArgument, None));
    assert_eq!(leave("o1", 2).await, (Code::InvalidArgument, None), "not reached yet");
    let order = system.api().get_order("o1").await;
    assert_eq!(order.customer_informed_outcome_number, 1);
    let inside = v1::RecordReceiptRequest { outcome_number: 1, ..Default::default() };
    let inside = system.api_of(&token).orders().record_receipt(inside).await.expect("taken");
    assert_eq!(inside.into_inner().disposition(), Repeat);
    let headers = [("authorization", format!("Bearer {}", system.owner))];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    let mut by_key = WebCall::send(system.http(), RECORD_RECEIPT, &headers, &[]).await;
    assert_eq!(by_key.code().await, Code::Unauthenticated, "keys are worth nothing in public");
}
