//! Unary calls: request ids, what is tried again and what is not, and how a client is stopped.

use std::time::{Duration, Instant};

use paystatus_client::{
    Client, ErrorKind, Money, NewOperation, NewOrder, OperationStatus, Outcome, PaymentStatus,
    RetryPolicy, Tls,
};
use paystatus_proto::v1;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::{
    fake::{Fake, quick_retries, receive},
    frames::order,
};

fn new_order() -> NewOrder {
    NewOrder::new("o1", Money::parse("146.24", "AUD").expect("an amount"))
}

fn created() -> v1::CreateOrderResponse {
    v1::CreateOrderResponse { order: Some(order("o1")), replayed: false }
}

#[tokio::test]
async fn a_request_id_is_made_once_and_kept_over_all_tries() {
    let mut fake = Fake::start().await;
    let client = fake.client();
    let call = tokio::spawn({
        let client = client.clone();
        async move { client.create_order(new_order()).await }
    });

    let (first, reply) = receive!(fake, CreateOrder);
    reply.send(Err(Status::unavailable("restarting"))).expect("waits");
    let (second, reply) = receive!(fake, CreateOrder);
    reply.send(Ok(created())).expect("waits");

    assert!(!call.await.expect("no panic").expect("created").replayed);
    let (first, second) = (first.into_inner(), second.into_inner());
    assert_eq!(first, second);
    assert_eq!(first.request_id.len(), 36, "a UUID");
    assert_eq!(first.merchant_id, "shop");

    let again = tokio::spawn(async move { client.create_order(new_order()).await });
    let (third, reply) = receive!(fake, CreateOrder);
    reply.send(Ok(created())).expect("waits");
    assert_ne!(third.into_inner().request_id, first.request_id, "another call, another id");
    again.await.expect("no panic").expect("created");
}

#[tokio::test]
async fn a_request_id_of_the_caller_is_used_and_every_call_carries_the_key() {
    let mut fake = Fake::start().await;
    let client = fake.client().for_merchant("other");
    let refund = NewOperation::new("o1", "a1", "r1").request_id("mine");
    let call = tokio::spawn(async move { client.create_refund(refund).await });

    let (request, reply) = receive!(fake, CreateRefund);
    let wire = v1::Operation { status: 77, ..v1::Operation::default() };
    let warning = "the payment is not known yet".to_owned();
    let answer = v1::CreateRefundResponse { refund: Some(wire), replayed: true, warning };
    reply.send(Ok(answer)).expect("waits");

    assert_eq!(request.metadata().get("authorization").expect("a key"), "Bearer secret");
    assert!(request.metadata().get("grpc-timeout").is_some(), "the server knows the limit");
    let request = request.into_inner();
    assert_eq!((&request.request_id[..], &request.merchant_id[..]), ("mine", "other"));
    let recorded = call.await.expect("no panic").expect("recorded");
    assert!(recorded.replayed);
    assert_eq!(recorded.warning.as_deref(), Some("the payment is not known yet"));
    assert_eq!(recorded.value.status, OperationStatus::Unrecognized(77));
}

/// A v-next server that adds a status must not make an old checkout see "unspecified", and from
/// there "failed": prost's own accessors do that (breez/spark-sdk#791).
#[tokio::test]
async fn an_unknown_status_survives_as_its_number() {
    let mut fake = Fake::start().await;
    let client = fake.client();
    let call = tokio::spawn(async move { client.get_order("o1").await });
    let (_, reply) = receive!(fake, GetOrder);
    let order = v1::Order { status: 99, outcome: 5, ..order("o1") };
    reply.send(Ok(v1::GetOrderResponse { order: Some(order) })).expect("waits");

    let order = call.await.expect("no panic").expect("found");
    assert_eq!(order.status, PaymentStatus::Unrecognized(99));
    assert_eq!(order.outcome, Outcome::Unrecognized(5));
    assert!(!order.outcome.is_decided());
}

#[tokio::test]
async fn what_is_not_safe_or_cannot_help_is_not_tried_again() {
    let mut fake = Fake::start().await;
    let client = fake.client();
    for (code, kind) in [
        (Code::InvalidArgument, ErrorKind::InvalidArgument),
        (Code::NotFound, ErrorKind::NotFound),
        (Code::AlreadyExists, ErrorKind::AlreadyExists),
        (Code::PermissionDenied, ErrorKind::PermissionDenied),
        (Code::Unauthenticated, ErrorKind::Unauthenticated),
        (Code::FailedPrecondition, ErrorKind::FailedPrecondition),
        (Code::Aborted, ErrorKind::FailedPrecondition),
        (Code::Internal, ErrorKind::Server),
        (Code::Unknown, ErrorKind::Server),
        (Code::Cancelled, ErrorKind::Server),
        (Code::DeadlineExceeded, ErrorKind::DeadlineExceeded),
        (Code::ResourceExhausted, ErrorKind::ResourceExhausted),
        (Code::Unimplemented, ErrorKind::Unimplemented),
    ] {
        let caller = client.clone();
        let call = tokio::spawn(async move { caller.get_order("o1").await });
        let (_, reply) = receive!(fake, GetOrder);
        reply.send(Err(Status::new(code, "no"))).expect("waits");
        let error = call.await.expect("no panic").expect_err("refused");
        assert_eq!(error.kind(), kind);
        assert!(fake.arrived().is_none(), "{code:?} was tried again");
    }
}

#[tokio::test]
async fn the_server_is_given_the_time_it_asks_for() {
    let mut fake = Fake::start().await;
    let client = fake.client();
    let call = tokio::spawn(async move { client.get_order("o1").await });
    let (_, reply) = receive!(fake, GetOrder);
    let asked = Duration::from_millis(60);
    let details = ErrorDetails::with_retry_info(Some(asked));
    let status = Status::with_error_details(Code::ResourceExhausted, "busy", details);
    let refused = Instant::now();
    reply.send(Err(status)).expect("waits");

    let (_, reply) = receive!(fake, GetOrder);
    assert!(refused.elapsed() >= asked);
    reply.send(Ok(v1::GetOrderResponse { order: Some(order("o1")) })).expect("waits");
    call.await.expect("no panic").expect("found");
}

#[tokio::test]
async fn when_most_calls_fail_trying_again_stops() {
    let mut fake = Fake::start().await;
    let retry = RetryPolicy { attempts_max: 100, budget_tokens: 6, ..quick_retries() };
    let client = fake.builder().retry(retry).connect_lazy().expect("valid");
    // Six tokens: the first two failures leave more than half, the third does not.
    for tries in [3, 1, 1] {
        let caller = client.clone();
        let call = tokio::spawn(async move { caller.get_order("o1").await });
        for _ in 0..tries {
            let (_, reply) = receive!(fake, GetOrder);
            reply.send(Err(Status::unavailable("down"))).expect("waits");
        }
        let error = call.await.expect("no panic").expect_err("unavailable");
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(fake.arrived().is_none());
    }
}

/// A client that retries for ever and cannot be told to stop: tigerbeetle#3556.
#[tokio::test]
async fn a_client_that_tries_for_ever_can_be_stopped() {
    let mut fake = Fake::start().await;
    let retry =
        RetryPolicy { attempts_max: u32::MAX, budget_tokens: u32::MAX / 10, ..quick_retries() };
    let hour = Duration::from_secs(3600);
    let client = fake.builder().retry(retry).call_timeout(hour).connect_lazy().expect("valid");
    let caller = client.clone();
    let call = tokio::spawn(async move { caller.get_order("o1").await });
    for _ in 0..10 {
        let (_, reply) = receive!(fake, GetOrder);
        reply.send(Err(Status::unavailable("down"))).expect("waits");
    }
    client.close().await.expect("nothing to flush");
    assert_eq!(call.await.expect("no panic").expect_err("stopped").kind(), ErrorKind::Closed);
    let error = client.get_order("o1").await.expect_err("closed");
    assert_eq!(error.kind(), ErrorKind::Closed);
}

#[tokio::test]
async fn no_answer_in_time_is_its_own_kind() {
    let mut fake = Fake::start().await;
    let brief = Duration::from_millis(100);
    let client = fake.builder().call_timeout(brief).connect_lazy().expect("valid");
    let call = tokio::spawn(async move { client.get_order("o1").await });
    let (_, _unanswered) = receive!(fake, GetOrder);
    let error = call.await.expect("no panic").expect_err("no answer");
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
}

#[tokio::test]
async fn a_connection_that_breaks_is_tried_again() {
    let mut fake = Fake::start().await;
    let client = fake.client();
    let call = tokio::spawn(async move { client.create_order(new_order()).await });
    let (first, _unanswered) = receive!(fake, CreateOrder);
    fake.cut();
    let (second, reply) = receive!(fake, CreateOrder);
    reply.send(Ok(created())).expect("waits");
    call.await.expect("no panic").expect("created");
    assert_eq!(first.into_inner(), second.into_inner());
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_unavailable() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let builder = Client::builder(format!("http://{address}")).retry(quick_retries());
    let error = builder.clone().connect().await.expect_err("nobody listens");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let error = builder.connect_lazy().expect("valid").get_order("o1").await.expect_err("nobody");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn wrong_settings_are_refused_at_once() {
    for builder in [
        Client::builder("not an address"),
        Client::builder("http://localhost:1").api_key("new\nline"),
        Client::builder("http://localhost:1").tls(Tls::default()),
        Client::builder("https://localhost:1")
            .tls(Tls { ca_pem: Some("-----BEGIN no".into()), ..Tls::default() }),
    ] {
        let error = builder.connect_lazy().expect_err("wrong");
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    }
}

#[test]
fn the_key_stays_out_of_logs() {
    let builder = Client::builder("http://localhost:1").api_key("s3cret");
    assert!(!format!("{builder:?}").contains("s3cret"));
}

#[tokio::test]
async fn the_last_page_has_no_token() {
    let mut fake = Fake::start().await;
    let client = fake.client();
    for (sent, expected) in [("next", Some("next")), ("", None)] {
        let caller = client.clone();
        let call = tokio::spawn(async move { caller.list_orders(Default::default()).await });
        let (_, reply) = receive!(fake, ListOrders);
        let next_page_token = sent.to_owned();
        let answer = v1::ListOrdersResponse { orders: vec![order("o1")], next_page_token };
        reply.send(Ok(answer)).expect("waits");
        let page = call.await.expect("no panic").expect("a page");
        assert_eq!(page.items.len(), 1);
        assert_eq!(page.next_page_token.as_deref(), expected);
    }
}
