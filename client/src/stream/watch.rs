//! Watching one order.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::{
    Stream, StreamExt as _,
    stream::{self, BoxStream},
};

use super::{
    ledger::Ledger,
    session::{Session, Source},
};
use crate::{change::Event, client::Client, error::Error, subscription::Start};

/// The events of one order: see [`Client::watch`]. Dropping it ends the stream at the server.
#[must_use = "a stream does nothing unless it is read"]
pub struct OrderWatch {
    events: BoxStream<'static, Result<Event, Error>>,
}

impl Client {
    /// Watches one order: its present state, then every change, each once. It reconnects and
    /// resumes by itself, for as long as it is read; it ends after an error.
    ///
    /// ```
    /// # async fn run(client: paystatus_client::Client) -> Result<(), paystatus_client::Error> {
    /// use futures_util::StreamExt as _;
    /// use paystatus_client::Event;
    ///
    /// let mut events = client.watch("order-1");
    /// while let Some(event) = events.next().await {
    ///     match event? {
    ///         Event::Snapshot(order) => println!("now {}", order.status),
    ///         Event::Changes(changes) => println!("now {}", changes[0].order_status),
    ///         _ => {}
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn watch(&self, order_id: impl Into<String>) -> OrderWatch {
        let source = Source::Order { order_id: order_id.into() };
        let session = Session::new(self.clone(), source, Start::Snapshot);
        let open = Some((session, Ledger::default()));
        OrderWatch { events: stream::unfold(open, next_event).boxed() }
    }
}

type Open = Option<(Session, Ledger)>;

async fn next_event(open: Open) -> Option<(Result<Event, Error>, Open)> {
    let (mut session, mut ledger) = open?;
    loop {
        match session.next().await {
            Ok(frame) => {
                if let Some(event) = ledger.event(frame.content) {
                    return Some((Ok(event), Some((session, ledger))));
                }
            }
            Err(error) => return Some((Err(error), None)),
        }
    }
}

impl Stream for OrderWatch {
    type Item = Result<Event, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.events.poll_next_unpin(cx)
    }
}

impl std::fmt::Debug for OrderWatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OrderWatch").finish_non_exhaustive()
    }
}
