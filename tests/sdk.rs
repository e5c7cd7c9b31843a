//! The SDK against a running server: what its examples show.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt as _;
use paystatus_client::{
    CursorStore as _, Event, Filter, MemoryCursorStore, Money, NewAttempt, NewOperation, NewOrder,
    NewSubscription, OperationKind, OperationStatus, Outcome, ProviderReply, ReplyResult, Start,
    Subscribe, Subscriber,
};
use serde_json::json;

use crate::harness::{
    OPTTY, System, soon,
    webhook::{optty, optty_order},
};

fn aud(text: &str) -> Money {
    Money::parse(text, "AUD").expect("it is an amount")
}

#[tokio::test]
async fn an_order_is_placed_and_awaited() {
    let system = System::start().await;
    let client = system.client();
    client.create_order(NewOrder::new("o1", aud("146.24"))).await.expect("recorded");
    let attempt = client.create_attempt(NewAttempt::new("o1", "a1", OPTTY)).await;
    assert_eq!(attempt.expect("recorded").value.reference, "o1");
    let reply = ProviderReply::new("o1", "a1").result(ReplyResult::NoAnswer);
    client.record_provider_reply(reply).await.expect("recorded");
    let short = client.await_outcome("o1", Duration::from_millis(50)).await.expect("no error");
    assert_eq!(short.outcome, Outcome::Undecided);

    let paid = async {
        system.deliver(OPTTY, &optty_order("o1", "SUCCESSFUL", json!(146.24))).await;
    };
    let (awaited, ()) = tokio::join!(client.await_outcome("o1", Duration::from_secs(20)), paid);
    let awaited = awaited.expect("no error");
    assert_eq!(awaited.outcome, Outcome::Approved);
    let order = awaited.order.expect("it was seen");
    assert_eq!(order.order_id, "o1");
}

#[tokio::test]
async fn a_refund_that_timed_out_is_watched_until_it_is_settled() {
    let system = System::start().await;
    let client = system.client();
    client.create_order(NewOrder::new("o1", aud("60.00"))).await.expect("recorded");
    client.create_attempt(NewAttempt::new("o1", "a1", OPTTY)).await.expect("recorded");
    system.deliver(OPTTY, &optty_order("o1", "SUCCESSFUL", json!(60))).await;
    let refund = || NewOperation::new("o1", "a1", "r1").amount(aud("20.00"));
    assert!(!client.create_refund(refund()).await.expect("recorded").replayed);
    let reply = ProviderReply::new("o1", "a1")
        .operation(OperationKind::Refund, "r1")
        .result(ReplyResult::NoAnswer);
    client.record_provider_reply(reply).await.expect("recorded");
    assert!(client.create_refund(refund()).await.expect("answered").replayed, "never a second");

    let mut events = client.watch("o1");
    let mut statuses = Vec::new();
    loop {
        let event = soon("an event", events.next()).await.expect("it goes on").expect("no error");
        match event {
            Event::Snapshot(order) => statuses.push(order.operations[0].status),
            Event::CaughtUp => {
                let data = json!({
                    "orderReference": "o1", "status": "SUCCESSFUL", "hash": "",
                    "currency": "AUD", "amount": 20, "refundReference": "r1",
                });
                system.deliver(OPTTY, &optty("REFUND_CALLBACK", data)).await;
            }
            Event::Changes(changes) => {
                statuses.extend(changes.into_iter().filter_map(|c| Some(c.operation?.status)));
                break;
            }
            _ => {}
        }
    }
    assert_eq!(statuses.first(), Some(&OperationStatus::Pending));
    assert_eq!(statuses.last(), Some(&OperationStatus::Successful));
}

/// The order of the next delivery with changes; confirms it.
async fn next_order(deliveries: &mut Subscriber) -> String {
    loop {
        let delivery = soon("a delivery", deliveries.next()).await.expect("it goes on");
        let delivery = delivery.expect("it can go on");
        let order = match delivery.event() {
            Event::Changes(changes) => Some(changes[0].order_id.clone()),
            Event::Reset { reason } => panic!("the cursor was not honoured: {reason}"),
            _ => None,
        };
        delivery.confirm();
        if let Some(order) = order {
            return order;
        }
    }
}

/// Once in a store of the application's own, once at the server.
#[tokio::test]
async fn a_subscriber_goes_on_over_a_restart_and_resumes_where_it_confirmed() {
    let mut system = System::start().await;
    let client = system.client();
    let store = Arc::new(MemoryCursorStore::default());
    let named = NewSubscription::new("ledger", Filter::all()).start(Start::Beginning);
    client.create_subscription(named).await.expect("created");
    let own = || {
        let changes = Subscribe::changes(Filter::all()).start(Start::Beginning);
        changes.keep_cursor("own", store.clone())
    };
    let at_server = || Subscribe::named("ledger");
    let mut readers = [
        client.subscribe(own()).await.expect("it subscribes"),
        client.subscribe(at_server()).await.expect("it subscribes"),
    ];
    system.api().create_order("o1", 100).await;
    for reader in &mut readers {
        assert_eq!(next_order(reader).await, "o1");
    }
    // The same subscribers, over a restart.
    system.stop().await;
    system.start_again().await;
    system.api().create_order("o2", 100).await;
    for reader in &mut readers {
        assert_eq!(next_order(reader).await, "o2");
    }
    for reader in readers {
        reader.shutdown().await.expect("the position is written");
    }
    assert!(store.load("own").await.expect("it can be read").is_some());
    // New subscribers, over another one.
    system.api().create_order("o3", 100).await;
    system.stop().await;
    system.start_again().await;
    for subscribe in [own(), at_server()] {
        let mut reader = client.subscribe(subscribe).await.expect("it subscribes");
        assert_eq!(next_order(&mut reader).await, "o3", "what was confirmed does not come again");
    }
}

/// An idle follower must not make the journal grow.
#[tokio::test]
async fn an_idle_subscriber_leaves_no_backlog() {
    let beat = Duration::from_millis(50);
    let system = System::start_with(|config| config.streams.heartbeat = beat).await;
    let client = system.client();
    let named = NewSubscription::new("ledger", Filter::all()).start(Start::Beginning);
    client.create_subscription(named).await.expect("created");
    system.api().create_order("o1", 100).await;
    let mut reader = client.subscribe(Subscribe::named("ledger")).await.expect("it subscribes");
    assert_eq!(next_order(&mut reader).await, "o1");
    reader.shutdown().await.expect("the position is written");
    let subscription = client.get_subscription("ledger").await.expect("it is there");
    assert_eq!(subscription.backlog_records, 0);
}
