//! One stream: opens, sends a snapshot if one is due, then every admitted record in order,
//! without gaps, for as long as anyone reads.
//!
//! It holds a position and nothing else: what it lacks it reads from the hub's memory, or from
//! the journal when it fell behind. So a slow reader costs the same memory as a fast one.

use std::{collections::VecDeque, pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, stream};
use paystatus_proto::{codec::Encoded, v1};
use prost::Message as _;
use tokio::time::Instant;
use tonic::Status;

use super::{
    auth::Caller,
    change_set::change_set,
    cursor::Cursor,
    errors,
    filter::Filter,
    from_wire::stream::Start,
    leave::Leave,
    sessions::{Ended, Session},
    to_wire,
};
use crate::{
    domain::{change::Change, ids::OrderKey},
    edge::Context,
    hub::{Committed, Recent, Subscription, Topic},
    journal::Position,
    record::OrderRecord,
};

/// Orders of one step of a snapshot.
const SNAPSHOT_ORDERS: usize = 100;
/// Longest time a client is asked to wait before it reconnects after a drain.
const RECONNECT_WITHIN: Duration = Duration::from_secs(2);

/// What the generated services stream.
pub(super) type Frames = Pin<Box<dyn Stream<Item = Result<Encoded, Status>> + Send>>;

/// A stream in progress.
pub(super) struct Watch {
    context: Arc<Context>,
    leave: Leave,
    filter: Arc<Filter>,
    filter_hash: u64,
    touched: Subscription,
    /// Everything up to here was sent or is not admitted.
    position: Position,
    phase: Phase,
    /// What is to be sent next, each with the position that its cursor names.
    frames: VecDeque<(Position, Encoded)>,
    /// When the reader last heard of us.
    heard: Instant,
    session: Option<Arc<Session>>,
}

enum Phase {
    Opening { mode: v1::OpenedMode, reason: &'static str },
    Snapshot { after: u64, sent: i64 },
    CatchingUp,
    Live,
    Over,
}

impl Watch {
    /// A stream over a filter, from a start on. The caller may read what the filter names.
    pub(super) fn new(
        context: Arc<Context>,
        filter: Filter,
        start: Start,
        caller: &Caller,
        session: Option<Arc<Session>>,
    ) -> Self {
        let topic = match filter.orders.first() {
            Some(only) if filter.orders.len() == 1 => order_topic(&filter, only),
            _ => Topic::Merchant(filter.merchant.clone()),
        };
        // Before the head is read, so that nothing can fall between.
        let touched = context.relay.subscribe(topic);
        let head = context.hub.head();
        let (position, mode, reason) = open(start, head, context.hub.epoch());
        Self {
            leave: Leave::new(&context, caller, filter.merchant.clone()),
            filter_hash: filter.hash(),
            filter: Arc::new(filter),
            touched,
            position,
            phase: Phase::Opening { mode, reason },
            frames: VecDeque::new(),
            heard: Instant::now(),
            session,
            context,
        }
    }

    /// The stream of frames. It ends after a `Closing` frame or an error.
    pub(super) fn into_frames(self) -> Frames {
        Box::pin(stream::unfold(self, |mut watch| async move {
            let frame = watch.next().await?;
            Some((frame, watch))
        }))
    }

    async fn next(&mut self) -> Option<Result<Encoded, Status>> {
        loop {
            // Before each frame and not only while waiting: a stream may be busy for hours, and one
            // that is not read sends late what it found early.
            if !matches!(self.phase, Phase::Over)
                && let Err(status) = self.leave.check(&self.context)
            {
                self.phase = Phase::Over;
                self.frames.clear();
                return Some(Err(status));
            }
            if let Some((position, frame)) = self.frames.pop_front() {
                if let Some(session) = &self.session {
                    session.sent(position);
                }
                self.heard = Instant::now();
                return Some(Ok(frame));
            }
            let step = match self.phase {
                Phase::Opening { mode, reason } => {
                    self.open(mode, reason);
                    Ok(())
                }
                Phase::Snapshot { after, sent } => Box::pin(self.snapshot(after, sent)).await,
                Phase::CatchingUp | Phase::Live => self.follow().await,
                Phase::Over => return None,
            };
            if let Err(status) = step {
                self.phase = Phase::Over;
                return Some(Err(status));
            }
        }
    }

    fn open(&mut self, mode: v1::OpenedMode, reason: &str) {
        let has_snapshot = mode != v1::OpenedMode::Continued;
        let opened = v1::Opened {
            mode: mode as i32,
            reset_reason: reason.to_owned(),
            heartbeat_interval: Some(to_wire::duration(self.context.config.streams.heartbeat)),
            generation: self.session.as_ref().map_or(0, |session| session.generation()),
        };
        self.phase = match has_snapshot {
            true => Phase::Snapshot { after: 0, sent: 0 },
            false => Phase::CatchingUp,
        };
        self.push(v1::frame::Content::Opened(opened));
    }

    /// Sends the next part of the snapshot. The cut is consistent without a lock: entries carry
    /// their version, and all that was recorded after the stream began is sent after them.
    async fn snapshot(&mut self, after: u64, sent: i64) -> Result<(), Status> {
        let store = Arc::clone(&self.context.store);
        let filter = Arc::clone(&self.filter);
        let read = move || {
            if filter.orders.is_empty() {
                let of = order_key(&filter, "-");
                let admits = |order: &_| filter.admits_order(order);
                return match of {
                    Some(of) => store.list(&of, after, SNAPSHOT_ORDERS, admits),
                    None => Ok(crate::store::Page { orders: Vec::new(), next: None }),
                };
            }
            let mut orders = Vec::new();
            for key in filter.orders.iter().filter_map(|order| order_key(&filter, order)) {
                orders.extend(store.find_order(&key)?.filter(|order| filter.admits_order(order)));
            }
            Ok(crate::store::Page { orders, next: None })
        };
        let page = tokio::task::spawn_blocking(read).await.map_err(|e| errors::internal(&e))?;
        let page = page.map_err(|error| errors::internal(&error))?;
        let sent = sent + i64::try_from(page.orders.len()).unwrap_or(i64::MAX);
        for order in &page.orders {
            let order = Some(to_wire::order::order(order));
            self.push(v1::frame::Content::SnapshotEntry(v1::SnapshotEntry { order }));
        }
        match page.next {
            Some(after) => self.phase = Phase::Snapshot { after, sent },
            None => {
                self.phase = Phase::CatchingUp;
                let end = v1::SnapshotEnd { entry_count: sent };
                self.push(v1::frame::Content::SnapshotEnd(end));
            }
        }
        Ok(())
    }

    async fn follow(&mut self) -> Result<(), Status> {
        // Here and not only while waiting: a stream may be busy for hours, or read a long part of
        // the journal without finding anything to send.
        if self.is_ending() {
            return Ok(());
        }
        if self.heard.elapsed() >= self.context.config.streams.heartbeat {
            self.push(v1::frame::Content::Heartbeat(v1::Heartbeat {}));
            return Ok(());
        }
        match self.context.hub.recent(self.position) {
            Recent::Here(records) if records.is_empty() => {
                if matches!(self.phase, Phase::CatchingUp) {
                    self.phase = Phase::Live;
                    self.push(v1::frame::Content::CaughtUp(v1::CaughtUp {}));
                    return Ok(());
                }
                self.wait().await
            }
            Recent::Here(records) => {
                self.take(&records);
                Ok(())
            }
            Recent::Older => {
                if matches!(self.phase, Phase::Live) {
                    self.phase = Phase::CatchingUp;
                    self.push(v1::frame::Content::FellBehind(v1::FellBehind {}));
                }
                Box::pin(self.read_journal()).await
            }
        }
    }

    async fn read_journal(&mut self) -> Result<(), Status> {
        let (hub, after) = (Arc::clone(&self.context.hub), self.position);
        let read = tokio::task::spawn_blocking(move || hub.read_journal(after)).await;
        let records = read.map_err(|error| errors::internal(&error))?;
        self.take(&records.map_err(|error| errors::internal(&error))?);
        Ok(())
    }

    /// Sends what is admitted of some records, which follow the position without a gap.
    fn take(&mut self, records: &[Arc<Committed>]) {
        for committed in records {
            self.position = committed.position;
            let Some(record) = committed.of_order() else { continue };
            if record.changes().is_empty() || !self.filter.admits_record(record) {
                continue;
            }
            if let Some(message) = self.message(committed, record) {
                self.frames.push_back((self.position, message));
            }
        }
    }

    /// The change set of a record, if the filter admits any of its changes. Made once for all
    /// streams with the same filter: at the same position they have the same cursor, too.
    fn message(&self, committed: &Committed, record: &OrderRecord) -> Option<Encoded> {
        if let Some((filter, message)) = committed.message.get()
            && *filter == self.filter_hash
        {
            return Some(Encoded::new(message.clone()));
        }
        let encoded = to_wire::change::encoded(committed, record);
        let all = self.filter.admits_all_changes();
        let admits = |change: &(&Change, &Bytes)| all || self.filter.admits_change(change.0);
        let changes = record.changes().iter().zip(encoded);
        let admitted: Vec<&Bytes> = changes.filter(admits).map(|(_, bytes)| bytes).collect();
        if admitted.is_empty() {
            return None;
        }
        let message = change_set(&self.cursor().encode(), &admitted);
        // If another stream was first, with another filter, this one is not kept.
        drop(committed.message.set((self.filter_hash, message.as_bytes().clone())));
        Some(message)
    }

    /// Waits until there may be something to send, a heartbeat included.
    async fn wait(&mut self) -> Result<(), Status> {
        self.skip();
        // Since the last frame, not since the last record: what others do must not silence us.
        let heartbeat = self.heard + self.context.config.streams.heartbeat;
        let mut drain = self.context.drain.clone();
        let mut ended = self.session.as_ref().map(|session| session.ended());
        tokio::select! {
            () = self.touched.touched() => {}
            () = tokio::time::sleep_until(heartbeat) => self.skip(),
            _ = drain.wait_for(|drains| *drains) => {}
            () = has_ended(&mut ended) => {}
            () = self.leave.is_doubtful() => {}
        }
        Ok(())
    }

    /// Moves over what is announced and did not touch the topic: it is not admitted. Only where
    /// everything before was read.
    fn skip(&mut self) {
        let head = self.context.relay.head();
        if !self.touched.is_touched() {
            self.position = self.position.max(head);
        }
    }

    /// Ends the stream in good order if the server drains or another reader took over.
    fn is_ending(&mut self) -> bool {
        let ended = self.session.as_ref().and_then(|session| *session.ended().borrow());
        let reason = match ended {
            Some(Ended::TakenOver) => v1::ClosingReason::TakenOver,
            Some(Ended::Deleted) => v1::ClosingReason::Deleted,
            None if *self.context.drain.borrow() => v1::ClosingReason::Drain,
            None => return false,
        };
        self.close(reason);
        true
    }

    fn close(&mut self, reason: v1::ClosingReason) {
        let closing =
            v1::Closing { reason: reason as i32, reconnect_after: Some(reconnect_after()) };
        self.push(v1::frame::Content::Closing(closing));
        self.phase = Phase::Over;
    }

    fn cursor(&self) -> Cursor {
        Cursor {
            epoch: self.context.hub.epoch(),
            position: self.position,
            filter: self.filter_hash,
            is_in_snapshot: matches!(self.phase, Phase::Snapshot { .. }),
        }
    }

    fn push(&mut self, content: v1::frame::Content) {
        let frame = v1::Frame { cursor: self.cursor().encode(), content: Some(content) };
        let response = v1::WatchChangesResponse { frame: Some(frame) };
        let frame = Encoded::new(response.encode_to_vec().into());
        self.frames.push_back((self.position, frame));
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(session) = &self.session {
            session.disconnected();
        }
    }
}

/// When a client is to come back after a drain: not all at one moment.
pub(super) fn reconnect_after() -> prost_types::Duration {
    to_wire::duration(RECONNECT_WITHIN.mul_f64(rand::random_range(0.0..1.0)))
}

/// Where to begin, and how to say so. A cursor that cannot be honoured is answered with a
/// snapshot, never with a silent hole.
fn open(start: Start, head: Position, epoch: u64) -> (Position, v1::OpenedMode, &'static str) {
    use v1::OpenedMode::{Continued, Reset, Snapshot};
    match start {
        Start::Now => (head, Continued, ""),
        Start::Beginning => (0, Continued, ""),
        Start::Snapshot => (head, Snapshot, ""),
        Start::After(cursor) if cursor.epoch != epoch => (
            head,
            Reset,
            "the cursor belongs to another journal: this one was restored or replaced",
        ),
        Start::After(cursor) if cursor.position > head => {
            (head, Reset, "the cursor is ahead of this server's journal")
        }
        Start::After(cursor) if cursor.is_in_snapshot => {
            (head, Reset, "the cursor is from inside a snapshot, which begins anew")
        }
        Start::After(cursor) => (cursor.position, Continued, ""),
    }
}

fn order_key(filter: &Filter, order: &str) -> Option<OrderKey> {
    let order = crate::domain::ids::OrderId::parse(order).ok()?;
    Some(OrderKey::Recorded { merchant: filter.merchant.clone(), order })
}

fn order_topic(filter: &Filter, order: &str) -> Topic {
    match order_key(filter, order) {
        Some(key) => Topic::Order(key),
        None => Topic::Merchant(filter.merchant.clone()),
    }
}

/// Returns once the session is over; never without a session.
async fn has_ended(ended: &mut Option<tokio::sync::watch::Receiver<Option<Ended>>>) {
    let Some(receiver) = ended else { return std::future::pending().await };
    if receiver.wait_for(Option::is_some).await.is_err() {
        std::future::pending().await
    }
}
