//! Reading changes with confirmation: what is kept, when, and never too much of it.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt as _;
use paystatus_client::{
    CursorStore, CursorStoreError, Delivery, ErrorKind, Event, FileCursorStore, Filter, Start,
    Subscribe, Subscriber, async_trait,
};
use paystatus_proto::v1;
use tokio::{task::JoinHandle, time::timeout};
use tonic::Status;
use v1::frame::Content;

use crate::{
    fake::{Fake, PATIENCE, Reply, receive},
    frames::{Sender, change, closing, opened_as, snapshot, start},
};

const HOUR: Duration = Duration::from_secs(3600);

/// Reads `count` deliveries in the background, and gives them and the subscriber back.
fn read(mut subscriber: Subscriber, count: usize) -> JoinHandle<(Vec<Delivery>, Subscriber)> {
    tokio::spawn(async move {
        let mut deliveries = Vec::new();
        while deliveries.len() < count {
            let next = timeout(PATIENCE, subscriber.next()).await.expect("a delivery in time");
            deliveries.push(next.expect("the stream goes on").expect("no error"));
        }
        (deliveries, subscriber)
    })
}

/// The error at which the stream ends, read in the background.
fn read_end(mut subscriber: Subscriber) -> JoinHandle<ErrorKind> {
    tokio::spawn(async move {
        loop {
            let next = timeout(PATIENCE, subscriber.next()).await.expect("an end in time");
            if let Err(error) = next.expect("an error first") {
                assert!(subscriber.next().await.is_none());
                return error.kind();
            }
        }
    })
}

async fn opened(reply: Reply<crate::fake::Frames>, generation: i64) -> Sender {
    let frames = Sender::open(reply);
    frames.send("", opened_as(v1::OpenedMode::Continued as i32, HOUR, generation)).await;
    frames
}

/// Waits for an ack, grants it, and gives what it said: `generation cursor`.
macro_rules! acked {
    ($fake:expr) => {{
        let (request, reply) = receive!($fake, AckSubscription);
        let request = request.into_inner();
        let acknowledged_cursor = request.cursor.clone();
        reply.send(Ok(v1::AckSubscriptionResponse { acknowledged_cursor })).expect("waits");
        format!("{} {}", request.generation, request.cursor)
    }};
}

#[tokio::test]
async fn the_store_is_given_what_was_confirmed_and_the_next_run_begins_there() {
    let mut fake = Fake::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let store = || Arc::new(FileCursorStore::open(folder.path()).expect("opens"));
    let subscribe = |store| {
        Subscribe::changes(Filter::all().account("a1"))
            .start(Start::Snapshot)
            .keep_cursor("ledger", store)
    };

    let subscriber = fake.client().subscribe(subscribe(store())).await.expect("subscribes");
    let reading = read(subscriber, 3);
    let (request, reply) = receive!(fake, WatchChanges);
    let request = request.into_inner();
    assert_eq!(start(request.start.as_ref()), "place 3", "nothing is kept yet");
    let filter = request.filter.expect("a filter");
    assert_eq!((&filter.merchant_id[..], &filter.account_ids[..]), ("shop", &["a1".into()][..]));
    let frames = opened(reply, 0).await;
    frames.send("c1", snapshot("o1", 1)).await;
    frames.send("c2", Content::SnapshotEnd(v1::SnapshotEnd { entry_count: 1 })).await;
    frames.send("c3", change("o1", 2)).await;
    let (mut deliveries, subscriber) = reading.await.expect("read");
    assert_eq!(store().load("ledger").await.expect("readable"), None, "nothing is confirmed");
    assert!(matches!(deliveries[2].event(), Event::Changes(_)));
    deliveries.remove(1).confirm();
    subscriber.shutdown().await.expect("written");
    assert_eq!(store().load("ledger").await.expect("readable").as_deref(), Some("c2"));

    let subscriber = fake.client().subscribe(subscribe(store())).await.expect("subscribes");
    let _reading = read(subscriber, 1);
    let (request, _reply) = receive!(fake, WatchChanges);
    assert_eq!(start(request.into_inner().start.as_ref()), "c2");
}

#[tokio::test]
async fn a_kept_cursor_that_cannot_be_read_is_an_error_not_a_new_beginning() {
    let fake = Fake::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let store = Arc::new(FileCursorStore::open(folder.path()).expect("opens"));
    std::fs::write(folder.path().join("ledger.cursor"), "").expect("written");
    let subscribe = Subscribe::changes(Filter::all()).keep_cursor("ledger", store);
    let error = fake.client().subscribe(subscribe).await.expect_err("damaged");
    assert_eq!(error.kind(), ErrorKind::CursorStore);
}

/// Acks still buffered at shutdown are lost: kurrentdbclient#7.
#[tokio::test]
async fn acks_are_coalesced_and_the_last_one_is_sent_at_shutdown() {
    let mut fake = Fake::start().await;
    let client = fake.builder().ack_interval(HOUR).connect_lazy().expect("valid");
    let subscriber = client.subscribe(Subscribe::named("ledger")).await.expect("subscribes");
    let reading = read(subscriber, 4);
    let (request, reply) = receive!(fake, WatchChanges);
    let request = request.into_inner();
    assert_eq!((&request.subscription_id[..], &request.merchant_id[..]), ("ledger", "shop"));
    assert!(request.filter.is_none() && request.start.is_none(), "the server knows them");
    let frames = opened(reply, 7).await;
    for version in 1..=4 {
        frames.send(&format!("c{version}"), change("o1", version)).await;
    }
    let (deliveries, subscriber) = reading.await.expect("read");
    let mut deliveries = deliveries.into_iter();

    deliveries.next().expect("the first").confirm();
    assert_eq!(acked!(fake), "7 c1", "the first goes at once");
    deliveries.for_each(Delivery::confirm);
    let shutdown = tokio::spawn(subscriber.shutdown());
    assert_eq!(acked!(fake), "7 c4", "the others wait, and the newest wins");
    shutdown.await.expect("no panic").expect("flushed");
    assert!(fake.arrived().is_none());
}

/// Checkpoint ahead of the ack, events skipped after a restart: KurrentDB#1301.
#[tokio::test]
async fn nothing_is_acknowledged_beyond_what_was_confirmed() {
    let mut fake = Fake::start().await;
    let client = fake.client();
    let subscriber = client.subscribe(Subscribe::named("ledger")).await.expect("subscribes");
    let reading = read(subscriber, 3);
    let (_, reply) = receive!(fake, WatchChanges);
    let frames = opened(reply, 1).await;
    for version in 1..=3 {
        frames.send(&format!("c{version}"), change("o1", version)).await;
    }
    let (mut deliveries, subscriber) = reading.await.expect("read");
    // Idle time passes, and the cursor moves on with it.
    frames.send("c4", Content::Heartbeat(v1::Heartbeat {})).await;
    frames.send("c5", Content::CaughtUp(v1::CaughtUp {})).await;
    let (_, subscriber) = read(subscriber, 1).await.expect("caught up");
    deliveries.remove(1).confirm();
    assert_eq!(acked!(fake), "1 c2");
    let shutdown = tokio::spawn(subscriber.shutdown());
    shutdown.await.expect("no panic").expect("nothing is left to flush");
    deliveries.remove(1).confirm();
    assert!(fake.arrived().is_none(), "shut down is shut down");
}

/// An idle watcher cannot resume: etcd#20262.
#[tokio::test]
async fn idle_time_moves_the_position_when_all_is_confirmed() {
    let mut fake = Fake::start().await;
    let client = fake.client();
    let subscriber = client.subscribe(Subscribe::named("ledger")).await.expect("subscribes");
    let reading = read(subscriber, 1);
    let (_, reply) = receive!(fake, WatchChanges);
    let frames = opened(reply, 1).await;
    frames.send("c1", change("o1", 1)).await;
    let (deliveries, subscriber) = reading.await.expect("read");
    deliveries.into_iter().for_each(Delivery::confirm);
    assert_eq!(acked!(fake), "1 c1");
    let _reading = read(subscriber, 1);
    frames.send("c2", Content::Heartbeat(v1::Heartbeat {})).await;
    assert_eq!(acked!(fake), "1 c2");
}

#[tokio::test]
async fn after_a_reconnect_repeats_are_dropped_and_acks_name_the_new_generation() {
    let mut fake = Fake::start().await;
    let client = fake.client();
    let subscriber = client.subscribe(Subscribe::named("ledger")).await.expect("subscribes");
    let reading = read(subscriber, 3);
    let (_, reply) = receive!(fake, WatchChanges);
    let frames = opened(reply, 1).await;
    frames.send("c1", change("o1", 1)).await;
    frames.send("c2", change("o1", 2)).await;
    frames.fail(Status::unavailable("restarting")).await;

    // Nothing was acknowledged: the server begins again.
    let (_, reply) = receive!(fake, WatchChanges);
    let frames = opened(reply, 2).await;
    for version in 1..=3 {
        frames.send(&format!("c{version}"), change("o1", version)).await;
    }
    let (deliveries, _subscriber) = reading.await.expect("read");
    let version = |d: &Delivery| match d.event() {
        Event::Changes(changes) => changes[0].order_version,
        other => panic!("{other:?}"),
    };
    assert_eq!(deliveries.iter().map(version).collect::<Vec<_>>(), [1, 2, 3]);
    deliveries.into_iter().next().expect("the first").confirm();
    assert_eq!(acked!(fake), "2 c1");
}

#[tokio::test]
async fn an_ack_that_fails_is_sent_again() {
    let mut fake = Fake::start().await;
    let client = fake.client();
    let subscriber = client.subscribe(Subscribe::named("ledger")).await.expect("subscribes");
    let reading = read(subscriber, 1);
    let (_, reply) = receive!(fake, WatchChanges);
    let frames = opened(reply, 1).await;
    frames.send("c1", change("o1", 1)).await;
    let (deliveries, _subscriber) = reading.await.expect("read");
    deliveries.into_iter().for_each(Delivery::confirm);
    // The server has not sent this far to the new reader yet.
    let (_, reply) = receive!(fake, AckSubscription);
    reply.send(Err(Status::failed_precondition("ACK_BEYOND_SENT"))).expect("waits");
    assert_eq!(acked!(fake), "1 c1");
}

/// A store of an application's own that has lost its database.
struct Lost;

#[async_trait]
impl CursorStore for Lost {
    async fn load(&self, _: &str) -> Result<Option<String>, CursorStoreError> {
        Ok(None)
    }

    async fn save(&self, _: &str, _: &str) -> Result<(), CursorStoreError> {
        Err(CursorStoreError::other(std::io::Error::other("the database is gone")))
    }
}

#[tokio::test]
async fn a_failed_flush_is_told_at_shutdown() {
    let mut fake = Fake::start().await;
    let subscribe = Subscribe::changes(Filter::all()).keep_cursor("ledger", Arc::new(Lost));
    let subscriber = fake.client().subscribe(subscribe).await.expect("subscribes");
    let reading = read(subscriber, 1);
    let (_, reply) = receive!(fake, WatchChanges);
    let frames = opened(reply, 0).await;
    frames.send("c1", change("o1", 1)).await;
    let (deliveries, subscriber) = reading.await.expect("read");
    deliveries.into_iter().for_each(Delivery::confirm);
    let error = subscriber.shutdown().await.expect_err("not written");
    assert_eq!(error.kind(), ErrorKind::CursorStore);
    assert!(error.to_string().contains("the database is gone"), "{error}");
}

#[tokio::test]
async fn closing_the_client_flushes_too() {
    let mut fake = Fake::start().await;
    let client = fake.builder().ack_interval(HOUR).connect_lazy().expect("valid");
    let subscriber = client.subscribe(Subscribe::named("ledger")).await.expect("subscribes");
    let reading = read(subscriber, 2);
    let (_, reply) = receive!(fake, WatchChanges);
    let frames = opened(reply, 1).await;
    frames.send("c1", change("o1", 1)).await;
    frames.send("c2", change("o1", 2)).await;
    let (deliveries, subscriber) = reading.await.expect("read");
    let mut deliveries = deliveries.into_iter();
    deliveries.next().expect("the first").confirm();
    assert_eq!(acked!(fake), "1 c1");
    deliveries.for_each(Delivery::confirm);
    let ended = read_end(subscriber);
    let closing = tokio::spawn(async move { client.close().await });
    assert_eq!(acked!(fake), "1 c2");
    closing.await.expect("no panic").expect("flushed");
    assert_eq!(ended.await.expect("ended"), ErrorKind::Closed);
}

#[tokio::test]
async fn a_dropped_subscriber_flushes_in_the_background() {
    let mut fake = Fake::start().await;
    let client = fake.builder().ack_interval(Duration::from_millis(50)).connect_lazy();
    let client = client.expect("valid");
    let subscriber = client.subscribe(Subscribe::named("ledger")).await.expect("subscribes");
    let reading = read(subscriber, 2);
    let (_, reply) = receive!(fake, WatchChanges);
    let frames = opened(reply, 1).await;
    frames.send("c1", change("o1", 1)).await;
    frames.send("c2", change("o1", 2)).await;
    let (deliveries, subscriber) = reading.await.expect("read");
    let mut deliveries = deliveries.into_iter();
    deliveries.next().expect("the first").confirm();
    assert_eq!(acked!(fake), "1 c1");
    drop(subscriber);
    deliveries.for_each(Delivery::confirm);
    assert_eq!(acked!(fake), "1 c2");
}

#[tokio::test]
async fn a_reader_that_was_replaced_ends_and_does_not_come_back() {
    let mut fake = Fake::start().await;
    for (reason, expected) in [
        (v1::ClosingReason::TakenOver, ErrorKind::TakenOver),
        (v1::ClosingReason::Deleted, ErrorKind::SubscriptionDeleted),
    ] {
        let client = fake.client();
        let subscriber = client.subscribe(Subscribe::named("ledger")).await.expect("subscribes");
        let ended = read_end(subscriber);
        let (_, reply) = receive!(fake, WatchChanges);
        opened(reply, 1).await.send("", closing(reason)).await;
        assert_eq!(ended.await.expect("ended"), expected);
        assert!(fake.arrived().is_none());
    }
}

#[tokio::test]
async fn an_application_may_keep_the_cursor_itself() {
    let mut fake = Fake::start().await;
    let client = fake.client();
    let subscribe = Subscribe::changes(Filter::all()).start(Start::Cursor("c7".into()));
    let reading = read(client.subscribe(subscribe).await.expect("subscribes"), 1);
    let (request, reply) = receive!(fake, WatchChanges);
    assert_eq!(start(request.into_inner().start.as_ref()), "c7");
    let frames = opened(reply, 0).await;
    frames.send("c8", change("o1", 1)).await;
    let (deliveries, subscriber) = reading.await.expect("read");
    assert_eq!(deliveries[0].cursor(), "c8");
    subscriber.shutdown().await.expect("nothing to write");
}
