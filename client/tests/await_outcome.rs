//! Waiting for an outcome: a time-out is never a failure.

use std::time::{Duration, Instant};

use paystatus_client::{AwaitTarget, Awaited, Client, Error, ErrorKind, Outcome};
use paystatus_proto::v1;
use tokio::task::JoinHandle;
use tonic::Status;

use crate::{
    fake::{Call, Fake, PATIENCE, receive},
    frames::order,
};

fn wait(
    client: Client,
    target: AwaitTarget,
    limit: Duration,
) -> JoinHandle<Result<Awaited, Error>> {
    tokio::spawn(async move { client.await_outcome(target, limit).await })
}

fn answer(outcome: i32) -> v1::AwaitOrderResponse {
    v1::AwaitOrderResponse { order: Some(order("o1")), outcome, outcome_number: 1 }
}

/// Plays the server until the wait is over, which must not fail.
async fn answer_until(
    fake: &mut Fake,
    mut waiting: JoinHandle<Result<Awaited, Error>>,
    mut answer: impl FnMut(Call),
) -> Awaited {
    loop {
        tokio::select! {
            ended = &mut waiting => {
                return ended.expect("no panic").expect("a time-out is no failure");
            }
            call = fake.next() => answer(call),
        }
    }
}

const UNDECIDED: i32 = v1::Outcome::Undecided as i32;
const APPROVED: i32 = v1::Outcome::Approved as i32;

fn hold(request: &v1::AwaitOrderRequest) -> Duration {
    request.timeout.expect("a time-out").try_into().expect("positive")
}

#[tokio::test]
async fn a_decision_is_told_at_once() {
    let mut fake = Fake::start().await;
    for (number, outcome) in
        [(2, Outcome::Approved), (3, Outcome::Refused), (4, Outcome::Withdrawn)]
    {
        let target = AwaitTarget::attempt("o1", "a1");
        let waiting = wait(fake.client(), target, Duration::from_secs(300));
        let (request, reply) = receive!(fake, AwaitOrder);
        let request = request.into_inner();
        assert_eq!((&request.order_id[..], &request.attempt_id[..]), ("o1", "a1"));
        assert_eq!(hold(&request), Duration::from_secs(57), "a slice, less a little");
        reply.send(Ok(answer(number))).expect("waits");
        let awaited = waiting.await.expect("no panic").expect("decided");
        assert_eq!(awaited.outcome, outcome);
        assert_eq!(awaited.order.expect("an order").order_id, "o1");
    }
}

/// A long poll shorter than the server's makes the client fail: temporal sdk-rust#1149.
#[tokio::test]
async fn a_long_wait_is_made_of_slices_and_unavailability_does_not_end_it() {
    let mut fake = Fake::start().await;
    let slice = Duration::from_millis(100);
    let client = fake.builder().await_slice(slice).connect_lazy().expect("valid");
    let waiting = wait(client, "o1".into(), PATIENCE);
    for _ in 0..3 {
        let (request, reply) = receive!(fake, AwaitOrder);
        let request = request.into_inner();
        assert!(hold(&request) <= slice);
        tokio::time::sleep(hold(&request)).await; // the server's part: it holds the call
        reply.send(Ok(answer(UNDECIDED))).expect("waits");
    }
    let (_, reply) = receive!(fake, AwaitOrder);
    reply.send(Err(Status::unavailable("restarting"))).expect("waits");
    let (_, _unanswered) = receive!(fake, AwaitOrder);
    fake.cut();
    let (_, reply) = receive!(fake, AwaitOrder);
    reply.send(Ok(answer(APPROVED))).expect("waits");
    let awaited = waiting.await.expect("no panic").expect("decided");
    assert_eq!(awaited.outcome, Outcome::Approved);
    assert!(awaited.last_error.is_none());
}

#[tokio::test]
async fn where_long_calls_do_not_get_through_it_polls() {
    let mut fake = Fake::start().await;
    let waiting = wait(fake.client(), "o1".into(), PATIENCE);
    let (_, reply) = receive!(fake, AwaitOrder);
    reply.send(Err(Status::deadline_exceeded("cut on the way"))).expect("waits");
    for outcome in [UNDECIDED, APPROVED] {
        let (_, reply) = receive!(fake, GetOrder);
        let order = v1::Order { outcome, ..order("o1") };
        reply.send(Ok(v1::GetOrderResponse { order: Some(order) })).expect("waits");
    }
    let awaited = waiting.await.expect("no panic").expect("decided");
    assert_eq!(awaited.outcome, Outcome::Approved);
}

#[tokio::test]
async fn for_an_attempt_it_polls_with_short_calls() {
    let mut fake = Fake::start().await;
    let waiting = wait(fake.client(), AwaitTarget::attempt("o1", "a1"), PATIENCE);
    let (_, reply) = receive!(fake, AwaitOrder);
    reply.send(Err(Status::deadline_exceeded("cut on the way"))).expect("waits");
    let (request, reply) = receive!(fake, AwaitOrder);
    assert!(hold(&request.into_inner()) <= Duration::from_secs(1));
    reply.send(Ok(answer(APPROVED))).expect("waits");
    assert_eq!(waiting.await.expect("no panic").expect("decided").outcome, Outcome::Approved);
}

#[tokio::test]
async fn a_time_out_is_undecided_with_the_order_as_last_seen() {
    let mut fake = Fake::start().await;
    let limit = Duration::from_millis(200);
    let began = Instant::now();
    let waiting = wait(fake.client(), "o1".into(), limit);
    let (_, reply) = receive!(fake, AwaitOrder);
    reply.send(Ok(answer(UNDECIDED))).expect("waits");
    let mut unanswered = Vec::new();
    let awaited = answer_until(&mut fake, waiting, |call| unanswered.push(call)).await;
    assert_eq!(awaited.outcome, Outcome::Undecided);
    assert_eq!(awaited.order.expect("seen once").order_id, "o1");
    assert!(began.elapsed() < limit + PATIENCE);
}

#[tokio::test]
async fn a_server_that_is_away_all_the_while_leaves_it_undecided() {
    let mut fake = Fake::start().await;
    let waiting = wait(fake.client(), "o1".into(), Duration::from_millis(300));
    let awaited = answer_until(&mut fake, waiting, |call| match call {
        Call::AwaitOrder(_, reply) => drop(reply.send(Err(Status::unavailable("down")))),
        Call::GetOrder(_, reply) => drop(reply.send(Err(Status::internal("broken")))),
        other => panic!("{}", other.name()),
    })
    .await;
    assert_eq!(awaited.outcome, Outcome::Undecided);
    assert!(awaited.order.is_none());
    assert!(awaited.last_error.is_some());
}

#[tokio::test]
async fn only_what_waiting_cannot_mend_is_an_error() {
    let mut fake = Fake::start().await;
    for (status, kind) in [
        (Status::not_found("no such order"), ErrorKind::NotFound),
        (Status::unauthenticated("who?"), ErrorKind::Unauthenticated),
        (Status::permission_denied("no"), ErrorKind::PermissionDenied),
        (Status::invalid_argument("no"), ErrorKind::InvalidArgument),
    ] {
        let waiting = wait(fake.client(), "o1".into(), PATIENCE);
        let (_, reply) = receive!(fake, AwaitOrder);
        reply.send(Err(status)).expect("waits");
        assert_eq!(waiting.await.expect("no panic").expect_err("final").kind(), kind);
    }
    let client = fake.client();
    let waiting = wait(client.clone(), "o1".into(), PATIENCE);
    let (_, _unanswered) = receive!(fake, AwaitOrder);
    client.close().await.expect("nothing to flush");
    assert_eq!(waiting.await.expect("no panic").expect_err("stopped").kind(), ErrorKind::Closed);
}

#[tokio::test]
async fn an_unknown_outcome_counts_as_undecided_and_keeps_its_number() {
    let mut fake = Fake::start().await;
    let waiting = wait(fake.client(), "o1".into(), Duration::from_millis(400));
    let mut calls = 0;
    let awaited = answer_until(&mut fake, waiting, |call| {
        calls += 1;
        if let Call::AwaitOrder(_, reply) = call {
            // It may have stopped waiting in this very moment.
            let _ = reply.send(Ok(answer(9)));
        }
    })
    .await;
    assert_eq!(awaited.outcome, Outcome::Unrecognized(9));
    assert!(calls < 20, "{calls} calls: it must not ask without a pause");
}
