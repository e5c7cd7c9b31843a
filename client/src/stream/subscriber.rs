//! Reading the changes of many orders, and confirming what was processed.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::{
    Stream, StreamExt as _,
    stream::{self, BoxStream},
};
use tokio::sync::{Notify, oneshot};

use super::{
    acker::{Acker, Keeper},
    ledger::Ledger,
    progress::Progress,
    session::{Session, Source},
};
use crate::{
    change::Event,
    client::Client,
    cursor_store::CursorStore,
    error::Error,
    subscription::{Filter, Start},
    wire::frame::{Content, Frame},
};

/// What to read, and who keeps the position.
#[must_use]
pub struct Subscribe {
    source: Source,
    start: Start,
    keeper: Option<Keeper>,
}

/// A stream of [`Delivery`]s: see [`Client::subscribe`].
#[must_use = "a stream does nothing unless it is read"]
pub struct Subscriber {
    deliveries: BoxStream<'static, Result<Delivery, Error>>,
    acker: Option<AckerHandle>,
}

/// One event of a [`Subscriber`]. Confirm it once it is processed: the position moves only with
/// confirmations, so what was not confirmed comes again after a restart.
#[derive(Debug)]
pub struct Delivery {
    event: Event,
    cursor: String,
    /// `None` if there is nothing to confirm.
    number: Option<u64>,
    progress: Arc<Progress>,
}

struct AckerHandle {
    stop: Arc<Notify>,
    stopped: oneshot::Receiver<Result<(), Error>>,
}

impl Subscribe {
    /// The changes that `filter` admits, from now on, at a position that nobody keeps.
    pub fn changes(filter: Filter) -> Self {
        Self { source: Source::Changes { filter }, start: Start::Now, keeper: None }
    }

    /// A named subscription, whose position the server keeps. It takes over from any other reader.
    pub fn named(subscription_id: impl Into<String>) -> Self {
        let subscription_id = subscription_id.into();
        Self {
            source: Source::Named { subscription_id: subscription_id.clone() },
            start: Start::Now,
            keeper: Some(Keeper::Server { subscription_id }),
        }
    }

    /// Begins here, unless a position is kept already. Has no meaning for a named subscription.
    pub fn start(mut self, start: Start) -> Self {
        self.start = start;
        self
    }

    /// Keeps the position in `store` under `name`, and begins there. Has no meaning for a named
    /// subscription.
    pub fn keep_cursor(mut self, name: impl Into<String>, store: Arc<dyn CursorStore>) -> Self {
        if let Source::Changes { .. } = self.source {
            self.keeper = Some(Keeper::Store { name: name.into(), store });
        }
        self
    }
}

impl Client {
    /// Reads the changes of many orders. The stream reconnects and resumes by itself, for as long
    /// as it is read; each change comes at least once, and once only in one run; it ends after an
    /// error. The position moves up to what was confirmed, never beyond.
    ///
    /// ```
    /// # async fn run(client: paystatus_client::Client) -> Result<(), paystatus_client::Error> {
    /// use futures_util::StreamExt as _;
    /// use paystatus_client::{Event, Subscribe};
    ///
    /// let mut deliveries = client.subscribe(Subscribe::named("ledger")).await?;
    /// while let Some(delivery) = deliveries.next().await {
    ///     let delivery = delivery?;
    ///     if let Event::Changes(changes) = delivery.event() {
    ///         println!("{} changes", changes.len()); // process them …
    ///     }
    ///     delivery.confirm(); // … then say so
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `CursorStore` if the kept position cannot be read.
    pub async fn subscribe(&self, subscribe: Subscribe) -> Result<Subscriber, Error> {
        let mut start = subscribe.start;
        if let Some(Keeper::Store { name, store }) = &subscribe.keeper
            && let Some(cursor) = store.load(name).await?
        {
            start = Start::Cursor(cursor);
        }
        let progress = Arc::new(Progress::new());
        let acker = subscribe.keeper.map(|keeper| self.start_acker(keeper, &progress));
        let reader = Reader {
            session: Session::new(self.clone(), subscribe.source, start),
            ledger: Ledger::default(),
            progress,
        };
        let deliveries = stream::unfold(Some(reader), next_delivery).boxed();
        Ok(Subscriber { deliveries, acker })
    }

    fn start_acker(&self, keeper: Keeper, progress: &Arc<Progress>) -> AckerHandle {
        let stop = Arc::new(Notify::new());
        let (stopped_signal, stopped) = oneshot::channel();
        let acker = Acker { client: self.clone(), keeper, targets: progress.targets() };
        self.spawn(acker.run(stop.clone(), stopped_signal));
        AckerHandle { stop, stopped }
    }
}

impl Subscriber {
    /// Ends the stream and writes down what was confirmed. Without it the same is done in the
    /// background when the subscriber is dropped, but nobody learns whether it worked.
    ///
    /// # Errors
    /// Why the last position could not be written; what it covers will come again.
    pub async fn shutdown(self) -> Result<(), Error> {
        drop(self.deliveries);
        let Some(AckerHandle { stop, stopped }) = self.acker else {
            return Ok(());
        };
        // If it has ended already, its result is waiting.
        stop.notify_one();
        stopped.await.unwrap_or_else(|_| Err(Error::closed()))
    }
}

impl Delivery {
    /// What happened.
    #[must_use]
    pub fn event(&self) -> &Event {
        &self.event
    }

    /// Says that this delivery, and every one before it, is processed. Returns at once: the
    /// position is written in the background. Confirm in the order of arrival.
    pub fn confirm(self) {
        if let Some(number) = self.number {
            self.progress.confirmed(number, &self.cursor);
        }
    }

    /// The position after this delivery, to be kept by the application itself, for example in the
    /// same transaction as what it did: see [`Start::Cursor`].
    #[must_use]
    pub fn cursor(&self) -> &str {
        &self.cursor
    }
}

struct Reader {
    session: Session,
    ledger: Ledger,
    progress: Arc<Progress>,
}

async fn next_delivery(
    reader: Option<Reader>,
) -> Option<(Result<Delivery, Error>, Option<Reader>)> {
    let mut reader = reader?;
    loop {
        match reader.session.next().await {
            Ok(frame) => {
                if let Some(delivery) = reader.deliver(frame) {
                    return Some((Ok(delivery), Some(reader)));
                }
            }
            Err(error) => return Some((Err(error), None)),
        }
    }
}

impl Reader {
    fn deliver(&mut self, frame: Frame) -> Option<Delivery> {
        let Frame { cursor, content } = frame;
        if let Content::Opened { generation, .. } = content {
            self.progress.opened(generation);
        }
        let event = self.ledger.event(content);
        let number = match &event {
            // To be processed before the position may move over them.
            Some(
                Event::Snapshot(_)
                | Event::Changes(_)
                | Event::SnapshotEnd { .. }
                | Event::Reset { .. },
            ) => Some(self.progress.delivered(&cursor)),
            Some(Event::CaughtUp) | None => {
                self.progress.passed(&cursor);
                None
            }
        };
        Some(Delivery { event: event?, cursor, number, progress: self.progress.clone() })
    }
}

impl Stream for Subscriber {
    type Item = Result<Delivery, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.deliveries.poll_next_unpin(cx)
    }
}

impl std::fmt::Debug for Subscriber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subscriber").finish_non_exhaustive()
    }
}
