//! One stream of frames that outlives its connections: it reconnects with the newest cursor when
//! the server ends it, cannot be reached, or falls silent. It knows nothing of orders.

use std::time::Duration;

use futures_util::{StreamExt as _, stream::BoxStream};
use paystatus_proto::v1;
use tokio::time::{sleep, timeout};
use tonic::Status;

use crate::{
    client::{Client, Phase},
    error::{Error, ErrorKind},
    retry,
    subscription::{Filter, Start},
    wire::frame::{ClosingReason, Content, Frame},
};

/// Heartbeats to expect of a server that does not say.
const HEARTBEAT_DEFAULT: Duration = Duration::from_secs(30);
/// A server may ask for at most this pause before reconnecting.
const PAUSE_MAX: Duration = Duration::from_secs(300);

/// What is streamed.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// One order.
    Order { order_id: String },
    /// The changes that a filter admits.
    Changes { filter: Filter },
    /// A named subscription: the server knows where to go on.
    Named { subscription_id: String },
}

/// A stream of frames that outlives its connections.
pub(crate) struct Session {
    client: Client,
    source: Source,
    /// Where to begin, and after each frame, where to go on.
    start: Start,
    connection: Option<BoxStream<'static, Result<Frame, Status>>>,
    silence_max: Duration,
    /// Failures since the stream last worked.
    failures: u32,
}

/// Why a connection is at its end.
enum Break {
    Failed(Error),
    Silent(Duration),
    Ended,
}

impl Session {
    pub(crate) fn new(client: Client, source: Source, start: Start) -> Self {
        let silence_max = silence_max(None);
        Self { client, source, start, connection: None, silence_max, failures: 0 }
    }

    /// The next frame, over as many connections as it takes.
    ///
    /// # Errors
    /// What reconnecting cannot mend; then the stream is at its end.
    pub(crate) async fn next(&mut self) -> Result<Frame, Error> {
        let client = self.client.clone();
        tokio::select! {
            biased;
            () = client.reached(Phase::Draining) => Err(Error::closed()),
            frame = self.receive_repeatedly() => frame,
        }
    }

    async fn receive_repeatedly(&mut self) -> Result<Frame, Error> {
        loop {
            match self.receive().await {
                Ok(frame) => {
                    if let Some(frame) = self.note(frame).await? {
                        return Ok(frame);
                    }
                }
                Err(broken) => self.recover(broken).await?,
            }
        }
    }

    async fn receive(&mut self) -> Result<Frame, Break> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                let allowed = self.client.settings().call_timeout;
                let opened = timeout(allowed, self.open()).await;
                self.silence_max = allowed;
                opened.map_err(|_| Break::Silent(allowed))?.map_err(|e| Break::Failed(e.into()))?
            }
        };
        let connection = self.connection.insert(connection);
        match timeout(self.silence_max, connection.next()).await {
            Ok(Some(Ok(frame))) => Ok(frame),
            Ok(Some(Err(status))) => Err(Break::Failed(status.into())),
            Ok(None) => Err(Break::Ended),
            Err(_) => Err(Break::Silent(self.silence_max)),
        }
    }

    async fn open(&mut self) -> Result<BoxStream<'static, Result<Frame, Status>>, Status> {
        let merchant_id = self.client.merchant_id().to_owned();
        let start = Some(self.start.clone().into_wire());
        let mut request = v1::WatchChangesRequest::default();
        match &self.source {
            Source::Order { order_id } => {
                let order_id = order_id.clone();
                let request = v1::WatchOrderRequest { merchant_id, order_id, start };
                let request = self.client.request(request);
                let answer = self.client.rpc().orders().watch_order(request).await?;
                return Ok(frames(answer.into_inner(), |message| message.frame));
            }
            Source::Changes { filter } => {
                request.filter = Some(filter.to_wire(&merchant_id));
                request.start = start;
            }
            Source::Named { subscription_id } => {
                request.subscription_id.clone_from(subscription_id);
                request.merchant_id = merchant_id;
            }
        }
        let request = self.client.request(request);
        let answer = self.client.rpc().changes().watch_changes(request).await?;
        Ok(frames(answer.into_inner(), |message| message.frame))
    }

    /// Keeps what a frame says about the stream itself. `None` if it ended the connection.
    async fn note(&mut self, frame: Frame) -> Result<Option<Frame>, Error> {
        if !frame.cursor.is_empty() {
            self.start = Start::Cursor(frame.cursor.clone());
        }
        match frame.content {
            Content::Opened { heartbeat, .. } => self.silence_max = silence_max(heartbeat),
            Content::Closing { reason: ClosingReason::TakenOver, .. } => {
                let message = "another reader took over the subscription";
                return Err(Error::local(ErrorKind::TakenOver, message));
            }
            Content::Closing { reason: ClosingReason::Deleted, .. } => {
                let message = "the subscription was deleted";
                return Err(Error::local(ErrorKind::SubscriptionDeleted, message));
            }
            Content::Closing { reconnect_after, .. } => {
                self.connection = None;
                self.pause(reconnect_after, "the server is closing").await;
                return Ok(None);
            }
            // It follows every opening at once: no sign yet that the stream works.
            Content::CaughtUp => {}
            Content::FellBehind => tracing::info!("this reader is slow: nothing is lost"),
            _ => self.failures = 0,
        }
        Ok(Some(frame))
    }

    /// Waits before the next connection, if there should be one.
    async fn recover(&mut self, broken: Break) -> Result<(), Error> {
        self.connection = None;
        match broken {
            Break::Failed(error) if can_resume(&error) => {
                self.pause(error.retry_after(), &error.to_string()).await;
            }
            Break::Failed(error) => return Err(error),
            Break::Silent(silence) => {
                self.pause(None, &format!("no frame for {silence:?}")).await;
            }
            Break::Ended => self.pause(None, "the stream ended").await,
        }
        Ok(())
    }

    async fn pause(&mut self, asked: Option<Duration>, reason: &str) {
        self.failures = self.failures.saturating_add(1);
        let asked = asked.map(|pause| pause.min(PAUSE_MAX));
        let policy = &self.client.settings().retry;
        let wait = retry::wait(policy, asked, self.failures, rand::random());
        tracing::info!(reason, failures = self.failures, ?wait, "the stream reconnects");
        sleep(wait).await;
    }
}

fn frames<M: Send + 'static>(
    messages: tonic::Streaming<M>,
    frame_of: fn(M) -> Option<v1::Frame>,
) -> BoxStream<'static, Result<Frame, Status>> {
    // A message of a later version may hold no frame: that is one that says nothing.
    let frame = move |message| Frame::from_wire(frame_of(message).unwrap_or_default());
    messages.map(move |message| message.map(frame)).boxed()
}

/// Something on the way may cut a long stream with DEADLINE_EXCEEDED: unlike a call that was cut,
/// a stream loses nothing by beginning again.
fn can_resume(error: &Error) -> bool {
    retry::is_transient(error) || error.kind() == ErrorKind::DeadlineExceeded
}

/// How long a healthy stream may be silent: 2.5 heartbeats.
fn silence_max(heartbeat: Option<Duration>) -> Duration {
    let heartbeat = heartbeat.filter(|interval| !interval.is_zero()).unwrap_or(HEARTBEAT_DEFAULT);
    heartbeat.saturating_mul(5) / 2
}
