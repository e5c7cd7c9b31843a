//! Reading streams frame by frame.

use std::pin::Pin;

use paystatus_proto::v1::{self, frame::Content, stream_start};
use tokio_stream::{Stream, StreamExt as _};
use tonic::Status;

use super::{api::Api, soon};

/// A stream that is being read.
pub(crate) struct Reader(Pin<Box<dyn Stream<Item = Result<v1::Frame, Status>> + Send>>);

impl Reader {
    /// Changes of the key's merchant that a filter admits.
    pub(crate) async fn open(api: &Api, filter: v1::ChangeFilter, start: v1::StreamStart) -> Self {
        Self::try_open(api, filter, start).await.expect("the stream opens")
    }

    pub(crate) async fn try_open(
        api: &Api,
        filter: v1::ChangeFilter,
        start: v1::StreamStart,
    ) -> Result<Self, Status> {
        let (filter, start) = (Some(filter), Some(start));
        Self::watch(api, v1::WatchChangesRequest { filter, start, ..Default::default() }).await
    }

    /// A named subscription of the key's merchant.
    pub(crate) async fn open_named(api: &Api, subscription: &str) -> Self {
        let subscription_id = subscription.to_owned();
        let request = v1::WatchChangesRequest { subscription_id, ..Default::default() };
        Self::watch(api, request).await.expect("the stream opens")
    }

    /// One order.
    pub(crate) async fn open_order(api: &Api, order: &str, start: Option<v1::StreamStart>) -> Self {
        let order_id = order.to_owned();
        let request = v1::WatchOrderRequest { order_id, start, ..Default::default() };
        let stream = api.orders().watch_order(request).await.expect("the stream opens");
        let frame = |r: v1::WatchOrderResponse| r.frame.expect("there is a frame");
        Self(Box::pin(stream.into_inner().map(move |r| r.map(frame))))
    }

    async fn watch(api: &Api, request: v1::WatchChangesRequest) -> Result<Self, Status> {
        let stream = api.changes().watch_changes(request).await?;
        let frame = |r: v1::WatchChangesResponse| r.frame.expect("there is a frame");
        Ok(Self(Box::pin(stream.into_inner().map(move |r| r.map(frame)))))
    }

    /// The next frame.
    pub(crate) async fn next(&mut self) -> v1::Frame {
        let frame = soon("a frame", self.0.next()).await.expect("the stream goes on");
        let frame = frame.expect("the stream is sound");
        assert!(!frame.cursor.is_empty(), "every frame carries a cursor: {frame:?}");
        frame
    }

    /// All frames up to and including the first of this name.
    pub(crate) async fn until(&mut self, last: &str) -> Vec<v1::Frame> {
        let mut frames = Vec::new();
        loop {
            let frame = self.next().await;
            let is_last = name(&frame) == last;
            frames.push(frame);
            if is_last {
                return frames;
            }
        }
    }

    /// The next change set; frames that say nothing of changes are skipped.
    pub(crate) async fn next_changes(&mut self) -> (String, Vec<v1::Change>) {
        loop {
            let frame = self.next().await;
            if let Some(Content::ChangeSet(set)) = frame.content {
                return (frame.cursor, set.changes);
            }
        }
    }

    /// How the stream ends: in good order, or with an error. Frames before it are skipped.
    pub(crate) async fn end(mut self) -> Option<Status> {
        loop {
            match soon("the end of the stream", self.0.next()).await {
                None => return None,
                Some(Err(status)) => return Some(status),
                Some(Ok(_)) => {}
            }
        }
    }
}

/// A word for what a frame says.
pub(crate) fn name(frame: &v1::Frame) -> &'static str {
    match &frame.content {
        Some(Content::Opened(_)) => "opened",
        Some(Content::ChangeSet(_)) => "change_set",
        Some(Content::SnapshotEntry(_)) => "snapshot_entry",
        Some(Content::SnapshotEnd(_)) => "snapshot_end",
        Some(Content::CaughtUp(_)) => "caught_up",
        Some(Content::FellBehind(_)) => "fell_behind",
        Some(Content::Heartbeat(_)) => "heartbeat",
        Some(Content::Closing(_)) => "closing",
        Some(Content::PageOrder(_)) => "page_order",
        None => "nothing",
    }
}

pub(crate) fn names(frames: &[v1::Frame]) -> Vec<&'static str> {
    frames.iter().map(name).collect()
}

/// How a stream says that it was opened.
pub(crate) fn opened(frame: &v1::Frame) -> &v1::Opened {
    match &frame.content {
        Some(Content::Opened(opened)) => opened,
        other => panic!("not Opened: {other:?}"),
    }
}

/// The changes of some frames, in their order.
pub(crate) fn changes(frames: &[v1::Frame]) -> Vec<v1::Change> {
    let of = |frame: &v1::Frame| match &frame.content {
        Some(Content::ChangeSet(set)) => set.changes.clone(),
        _ => Vec::new(),
    };
    frames.iter().flat_map(of).collect()
}

/// The ids of the changes of some frames.
pub(crate) fn change_ids(frames: &[v1::Frame]) -> Vec<String> {
    changes(frames).into_iter().map(|change| change.change_id).collect()
}

pub(crate) fn from(place: v1::StreamPlace) -> v1::StreamStart {
    v1::StreamStart { start: Some(stream_start::Start::Place(place.into())) }
}

pub(crate) fn after(cursor: &str) -> v1::StreamStart {
    v1::StreamStart { start: Some(stream_start::Start::Cursor(cursor.to_owned())) }
}

/// Everything of the merchant.
pub(crate) fn all() -> v1::ChangeFilter {
    v1::ChangeFilter::default()
}
