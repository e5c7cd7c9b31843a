//! Watching one order: resuming, repeats, silence, resets, and how it ends.

use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use paystatus_client::{Event, OrderWatch};
use paystatus_proto::v1;
use tokio::time::timeout;
use tonic::Status;
use v1::frame::Content;

use crate::{
    fake::{Fake, PATIENCE, receive},
    frames::{Sender, change, changes, closing, opened, opened_as, order, snapshot, start},
};

const SNAPSHOT: &str = "place 3";

/// The next event, in one word: `snapshot 3`, `change 4`.
async fn told(watch: &mut OrderWatch) -> String {
    let next = timeout(PATIENCE, watch.next()).await.expect("an event in time");
    match next.expect("the stream goes on") {
        Ok(Event::Snapshot(order)) => format!("snapshot {}", order.version),
        Ok(Event::Changes(changes)) => {
            let places = changes.iter().map(|c| format!("{}.{}", c.order_version, c.index));
            format!("changes {}", places.collect::<Vec<_>>().join(" "))
        }
        Ok(Event::SnapshotEnd { entry_count }) => format!("snapshot end {entry_count}"),
        Ok(Event::CaughtUp) => "caught up".to_owned(),
        Ok(Event::Reset { reason }) => format!("reset: {reason}"),
        Ok(other) => format!("{other:?}"),
        Err(error) => format!("error {:?}", error.kind()),
    }
}

/// Waits for the client to watch; gives where it begins, and the open stream.
macro_rules! watched {
    ($fake:expr) => {{
        let (request, reply) = receive!($fake, WatchOrder);
        let begins = start(request.into_inner().start.as_ref());
        (begins, Sender::opened(reply).await)
    }};
}

/// Polls the stream in the background, as an application does, and passes on what it tells.
fn read(mut watch: OrderWatch) -> tokio::sync::mpsc::UnboundedReceiver<String> {
    let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let word = told(&mut watch).await;
            let is_end = word.starts_with("error");
            if sender.send(word).is_err() || is_end {
                // After an error comes nothing more.
                let _ = sender.send(format!("{:?}", watch.next().await.is_none()));
                return;
            }
        }
    });
    receiver
}

async fn next(words: &mut tokio::sync::mpsc::UnboundedReceiver<String>) -> String {
    timeout(PATIENCE, words.recv()).await.expect("in time").expect("the reader runs")
}

#[tokio::test]
async fn it_begins_with_a_snapshot_and_resumes_from_the_newest_cursor() {
    let mut fake = Fake::start().await;
    let mut words = read(fake.client().watch("o1"));

    let (begins, frames) = watched!(fake);
    assert_eq!(begins, SNAPSHOT);
    frames.send("c1", snapshot("o1", 3)).await;
    frames.send("c2", Content::SnapshotEnd(v1::SnapshotEnd { entry_count: 1 })).await;
    frames.send("c3", Content::CaughtUp(v1::CaughtUp {})).await;
    frames.send("c4", change("o1", 4)).await;
    for expected in ["snapshot 3", "snapshot end 1", "caught up", "changes 4.0"] {
        assert_eq!(next(&mut words).await, expected);
    }
    frames.send("c5", Content::Heartbeat(v1::Heartbeat {})).await;
    frames.fail(Status::unavailable("restarting")).await;

    let (begins, frames) = watched!(fake);
    assert_eq!(begins, "c5", "a heartbeat moves the cursor too");
    frames.send("c6", change("o1", 5)).await;
    assert_eq!(next(&mut words).await, "changes 5.0");
}

#[tokio::test]
async fn repeats_are_not_told_again() {
    let mut fake = Fake::start().await;
    let mut words = read(fake.client().watch("o1"));
    let (_, frames) = watched!(fake);
    frames.send("c1", snapshot("o1", 3)).await;
    frames.send("c2", change("o1", 2)).await; // in the snapshot already
    frames.send("c3", changes("o1", 4, 2)).await;
    frames.fail(Status::unavailable("restarting")).await;

    let (_, frames) = watched!(fake);
    frames.send("c1", snapshot("o1", 3)).await;
    frames.send("c3", changes("o1", 4, 3)).await; // two of them are repeats
    frames.send("c4", change("o1", 5)).await;
    for expected in ["snapshot 3", "changes 4.0 4.1", "changes 4.2", "changes 5.0"] {
        assert_eq!(next(&mut words).await, expected);
    }
}

/// A subscription that stops in silence: KurrentDB-Client-NodeJS#112.
#[tokio::test]
async fn silence_is_noticed() {
    let mut fake = Fake::start().await;
    let mut words = read(fake.client().watch("o1"));
    let (_, reply) = receive!(fake, WatchOrder);
    let frames = Sender::open(reply);
    let heartbeat = Duration::from_millis(60);
    frames.send("c1", opened(heartbeat)).await;
    frames.send("c2", change("o1", 1)).await;
    assert_eq!(next(&mut words).await, "changes 1.0");
    let last = Instant::now();

    // The stream stays open, and says nothing.
    let (begins, again) = watched!(fake);
    assert_eq!(begins, "c2");
    assert!(last.elapsed() >= heartbeat * 2, "two heartbeats may be late");
    timeout(PATIENCE, frames.gone()).await.expect("the silent stream was given up");
    again.send("c3", change("o1", 2)).await;
    assert_eq!(next(&mut words).await, "changes 2.0");
}

/// Half-open connections are the top complaint about long streams: grpc-dart#829,
/// grpc-node#3022. A new stream on the same dead connection would hang as well.
#[tokio::test]
async fn a_half_open_connection_is_given_up() {
    let mut fake = Fake::start().await;
    let ping = Duration::from_millis(100);
    let client = fake.builder().keep_alive(ping, ping).connect_lazy().expect("valid");
    let mut words = read(client.watch("o1"));
    let (_, reply) = receive!(fake, WatchOrder);
    let frames = Sender::open(reply);
    frames.send("c1", opened(Duration::from_millis(60))).await;
    frames.send("c2", change("o1", 1)).await;
    assert_eq!(next(&mut words).await, "changes 1.0");

    fake.freeze();
    let (begins, frames) = watched!(fake);
    assert_eq!(begins, "c2");
    frames.send("c3", change("o1", 2)).await;
    assert_eq!(next(&mut words).await, "changes 2.0");
}

#[tokio::test]
async fn heartbeats_are_no_silence() {
    let mut fake = Fake::start().await;
    let mut words = read(fake.client().watch("o1"));
    let (_, reply) = receive!(fake, WatchOrder);
    let frames = Sender::open(reply);
    let heartbeat = Duration::from_millis(200);
    frames.send("c1", opened(heartbeat)).await;
    let mut ticks = tokio::time::interval(heartbeat);
    for _ in 0..5 {
        ticks.tick().await;
        frames.send("c2", Content::Heartbeat(v1::Heartbeat {})).await;
    }
    frames.send("c3", change("o1", 1)).await;
    assert_eq!(next(&mut words).await, "changes 1.0");
    assert!(fake.arrived().is_none(), "no second stream was opened");
}

/// A new control frame breaks an old client: KurrentDB-Client-Java#253.
#[tokio::test]
async fn an_unknown_frame_is_ignored_but_its_cursor_kept() {
    let mut fake = Fake::start().await;
    let mut words = read(fake.client().watch("o1"));
    let (_, frames) = watched!(fake);
    frames.send("c1", change("o1", 1)).await;
    frames.send_unknown("c2").await;
    frames.fail(Status::unavailable("restarting")).await;

    let (begins, frames) = watched!(fake);
    assert_eq!(begins, "c2");
    frames.send("c3", change("o1", 2)).await;
    assert_eq!(next(&mut words).await, "changes 1.0");
    assert_eq!(next(&mut words).await, "changes 2.0");
}

#[tokio::test]
async fn every_way_to_lose_a_connection_leads_to_the_next() {
    let mut fake = Fake::start().await;
    let mut words = read(fake.client().watch("o1"));
    let (_, frames) = watched!(fake);
    frames.send("c1", change("o1", 1)).await;
    assert_eq!(next(&mut words).await, "changes 1.0");

    fake.cut();
    let (begins, frames) = watched!(fake);
    assert_eq!(begins, "c1", "after a broken connection");

    frames.send("c2", closing(v1::ClosingReason::Drain)).await;
    let (begins, frames) = watched!(fake);
    assert_eq!(begins, "c2", "after an orderly end");

    drop(frames);
    let (begins, frames) = watched!(fake);
    assert_eq!(begins, "c2", "after an end without a word");

    frames.fail(Status::deadline_exceeded("cut on the way")).await;
    let (begins, frames) = watched!(fake);
    assert_eq!(begins, "c2", "after a limit on the way");

    frames.fail(Status::unavailable("down")).await;
    let (_, reply) = receive!(fake, WatchOrder);
    reply.send(Err(Status::unavailable("still down"))).expect("waits");
    let (begins, frames) = watched!(fake);
    assert_eq!(begins, "c2", "after a refused stream");

    frames.send("c3", change("o1", 2)).await;
    assert_eq!(next(&mut words).await, "changes 2.0");
}

/// Resume from a place the server never had, reported as success: mercure#704. Here the server
/// says so, and the application must learn it.
#[tokio::test]
async fn a_reset_is_told_and_what_was_told_before_counts_no_more() {
    let mut fake = Fake::start().await;
    let mut words = read(fake.client().watch("o1"));
    let (_, frames) = watched!(fake);
    frames.send("c9", change("o1", 9)).await;
    frames.fail(Status::unavailable("restored")).await;

    let (_, reply) = receive!(fake, WatchOrder);
    let frames = Sender::open(reply);
    let reset = opened_as(v1::OpenedMode::Reset as i32, Duration::from_secs(60), 0);
    frames.send("d1", reset).await;
    frames.send("d2", snapshot("o1", 5)).await;
    frames.send("d3", Content::SnapshotEnd(v1::SnapshotEnd { entry_count: 1 })).await;
    frames.send("d4", change("o1", 6)).await;
    for expected in [
        "changes 9.0",
        "reset: restored from a backup",
        "snapshot 5",
        "snapshot end 1",
        "changes 6.0",
    ] {
        assert_eq!(next(&mut words).await, expected);
    }
}

#[tokio::test]
async fn what_reconnecting_cannot_mend_ends_the_stream() {
    let mut fake = Fake::start().await;
    for (status, expected) in [
        (Status::not_found("no such order"), "error NotFound"),
        (Status::unauthenticated("who?"), "error Unauthenticated"),
        (Status::permission_denied("no"), "error PermissionDenied"),
        (Status::invalid_argument("no"), "error InvalidArgument"),
        (Status::internal("a bug"), "error Server"),
    ] {
        let mut words = read(fake.client().watch("o1"));
        let (_, reply) = receive!(fake, WatchOrder);
        reply.send(Err(status)).expect("waits");
        assert_eq!(next(&mut words).await, expected);
        assert_eq!(next(&mut words).await, "true", "then it is over");
    }
}

#[tokio::test]
async fn readers_that_are_slow_do_not_hold_up_the_connection() {
    let mut fake = Fake::start().await;
    let client = fake.client();
    let label = |n: usize| (n.to_string(), "x".repeat(64 * 1024));
    let large = v1::Order { labels: [label(1)].into(), ..order("o1") };
    let entry = Content::SnapshotEntry(v1::SnapshotEntry { order: Some(large) });
    let mut slow = Vec::new();
    for _ in 0..16 {
        let mut watch = client.watch("o1");
        let sending = async {
            let (_, frames) = watched!(fake);
            for _ in 0..50 {
                frames.send("c1", entry.clone()).await;
            }
            frames
        };
        let (word, frames) = tokio::join!(told(&mut watch), sending);
        assert_eq!(word, "snapshot 0");
        slow.push((watch, frames));
    }
    let call = tokio::spawn(async move { client.get_order("o2").await });
    let (_, reply) = receive!(fake, GetOrder);
    reply.send(Ok(v1::GetOrderResponse { order: Some(order("o2")) })).expect("waits");
    let answer = timeout(PATIENCE, call).await.expect("in time");
    assert_eq!(answer.expect("no panic").expect("found").order_id, "o2");
}

#[tokio::test]
async fn it_stops_when_told_to() {
    let mut fake = Fake::start().await;
    let client = fake.client();
    let mut words = read(client.watch("o1"));
    let (_, frames) = watched!(fake);
    client.close().await.expect("nothing to flush");
    assert_eq!(next(&mut words).await, "error Closed");
    timeout(PATIENCE, frames.gone()).await.expect("the server is told");
}

#[tokio::test]
async fn dropping_it_ends_the_stream_at_the_server() {
    let mut fake = Fake::start().await;
    let mut watch = fake.client().watch("o1");
    let reading = async {
        let (_, frames) = watched!(fake);
        frames.send("c1", change("o1", 1)).await;
        frames
    };
    let (word, frames) = tokio::join!(told(&mut watch), reading);
    assert_eq!(word, "changes 1.0");
    drop(watch);
    timeout(PATIENCE, frames.gone()).await.expect("the server is told");
}
