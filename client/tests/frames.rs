//! The server's side of a stream: frames, and a sender of them.

use std::time::Duration;

use paystatus_proto::{codec::Encoded, v1};
use prost::Message as _;
use tokio::sync::mpsc;
use tonic::Status;
use v1::frame::Content;

use crate::fake::Reply;

/// Sends frames over a stream that the test has opened.
pub(crate) struct Sender(mpsc::Sender<Result<Encoded, Status>>);

impl Sender {
    /// Answers the call with a stream.
    pub(crate) fn open(reply: Reply<crate::fake::Frames>) -> Self {
        let (sender, frames) = mpsc::channel(64);
        reply.send(Ok(frames)).expect("the client still waits");
        Self(sender)
    }

    /// Answers with a stream that says it continues, with a heartbeat that no test waits for.
    pub(crate) async fn opened(reply: Reply<crate::fake::Frames>) -> Self {
        let sender = Self::open(reply);
        sender.send("", opened(Duration::from_secs(60))).await;
        sender
    }

    pub(crate) async fn send(&self, cursor: &str, content: Content) {
        let frame = v1::Frame { cursor: cursor.to_owned(), content: Some(content) };
        self.send_encoded(&frame.encode_to_vec()).await;
    }

    /// A frame with content that no version knows yet.
    pub(crate) async fn send_unknown(&self, cursor: &str) {
        let mut frame = v1::Frame { cursor: cursor.to_owned(), content: None }.encode_to_vec();
        prost::encoding::string::encode(100, &"news".to_owned(), &mut frame);
        self.send_encoded(&frame).await;
    }

    pub(crate) async fn fail(self, status: Status) {
        self.0.send(Err(status)).await.expect("the client still reads");
    }

    /// Waits until the client has gone away.
    pub(crate) async fn gone(&self) {
        self.0.closed().await;
    }

    async fn send_encoded(&self, frame: &[u8]) {
        // Both stream messages hold the frame in field 1.
        let mut message = Vec::new();
        prost::encoding::bytes::encode(1, &frame.to_vec(), &mut message);
        self.0.send(Ok(Encoded::new(message.into()))).await.expect("the client still reads");
    }
}

pub(crate) fn opened(heartbeat: Duration) -> Content {
    opened_as(v1::OpenedMode::Continued as i32, heartbeat, 1)
}

pub(crate) fn opened_as(mode: i32, heartbeat: Duration, generation: i64) -> Content {
    Content::Opened(v1::Opened {
        mode,
        reset_reason: "restored from a backup".to_owned(),
        heartbeat_interval: Some(heartbeat.try_into().expect("a short time")),
        generation,
    })
}

/// A set of one change.
pub(crate) fn change(order_id: &str, version: i64) -> Content {
    changes(order_id, version, 1)
}

pub(crate) fn changes(order_id: &str, version: i64, count: i32) -> Content {
    let change = |index| v1::Change {
        change_id: format!("{order_id}.{version}.{index}"),
        order_id: order_id.to_owned(),
        order_version: version,
        index,
        ..v1::Change::default()
    };
    Content::ChangeSet(v1::ChangeSet { changes: (0..count).map(change).collect() })
}

pub(crate) fn snapshot(order_id: &str, version: i64) -> Content {
    let order = Some(v1::Order { version, ..order(order_id) });
    Content::SnapshotEntry(v1::SnapshotEntry { order })
}

pub(crate) fn order(order_id: &str) -> v1::Order {
    v1::Order { order_id: order_id.to_owned(), ..v1::Order::default() }
}

pub(crate) fn closing(reason: v1::ClosingReason) -> Content {
    let reconnect_after = Some(Duration::from_millis(5).try_into().expect("a short time"));
    Content::Closing(v1::Closing { reason: reason as i32, reconnect_after })
}

/// The cursor that a stream was asked to begin after, or the number of the place.
pub(crate) fn start(start: Option<&v1::StreamStart>) -> String {
    match start.and_then(|start| start.start.as_ref()) {
        Some(v1::stream_start::Start::Cursor(cursor)) => cursor.clone(),
        Some(v1::stream_start::Start::Place(place)) => format!("place {place}"),
        None => "nowhere".to_owned(),
    }
}
