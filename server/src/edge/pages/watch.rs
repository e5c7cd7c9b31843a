//! One page that watches its order.
//!
//! A page needs the present state and nothing else, so that is what each event holds: the hub only
//! tells when to look again. What a page holds is a few numbers; it cannot fall behind, and
//! one that comes back is told whether outcomes passed while it was away.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, stream};
use tokio::time::Instant;

use super::{places::Place, token::Grant, view::PageView};
use crate::{
    clock,
    domain::{order::Order, time::Time, view::Outcome},
    edge::Context,
    hub::{Subscription, Topic},
};

/// How long a browser waits before it opens a broken stream again.
const RETRY: &str = "retry: 2000\n\n";
/// No outcome follows that a page would show: it need not come back.
const DONE: &str = "event: done\ndata: {}\n\n";
/// The link has ended: it need not come back either.
const EXPIRED: &str = "event: expired\ndata: {}\n\n";
/// The server restarts: come back at once.
const CLOSING: &str = "event: closing\ndata: {}\n\n";
/// Nothing happened, and the line works.
const HEARTBEAT: &str = "event: heartbeat\ndata: {}\n\n";

/// Where a page is: which journal, and which state of its order it saw last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    epoch: u64,
    version: u64,
    outcome_number: u64,
}

impl Seen {
    /// A state of an order.
    pub(super) fn of(context: &Context, order: &Order) -> Self {
        Self {
            epoch: context.hub.epoch(),
            version: order.version,
            outcome_number: order.view.summary.outcome_number,
        }
    }

    /// As a page carries it.
    pub(super) fn encode(self) -> String {
        format!("{:x}.{}.{}", self.epoch, self.version, self.outcome_number)
    }

    /// Reads what [`Seen::encode`] made; anything else is as good as nothing.
    pub(super) fn decode(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let epoch = u64::from_str_radix(parts.next()?, 16).ok()?;
        let version = parts.next()?.parse().ok()?;
        let outcome_number = parts.next()?.parse().ok()?;
        parts.next().is_none().then_some(Self { epoch, version, outcome_number })
    }

    /// The number of the outcome that a page saw last, if that was one of this order here. A
    /// journal that was replaced has other numbers.
    pub(super) fn outcome_in(self, context: &Context, order: &Order) -> Option<u64> {
        let is_here = self.epoch == context.hub.epoch() && self.version <= order.version;
        is_here.then_some(self.outcome_number)
    }
}

/// A page that watches.
pub(super) struct Watch {
    context: Context,
    grant: Grant,
    touched: Subscription,
    seen: Option<Seen>,
    sent: Option<PageView>,
    heard: Instant,
    /// When it may be told that nothing follows.
    settles: Option<Instant>,
    phase: Phase,
    _place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Opening,
    Looking,
    Waiting,
    Over,
}

impl Watch {
    /// A page whose token was valid just now.
    pub(super) fn new(context: Context, grant: Grant, seen: Option<Seen>, place: Place) -> Self {
        // Before the state is read, so that no change can fall between.
        let touched = context.relay.subscribe(Topic::Order(grant.order.clone()));
        Self {
            touched,
            seen,
            sent: None,
            heard: Instant::now(),
            settles: None,
            phase: Phase::Opening,
            _place: place,
            context,
            grant,
        }
    }

    /// The events, as they go to the browser.
    pub(super) fn into_events(self) -> impl Stream<Item = Result<Bytes, std::convert::Infallible>> {
        stream::unfold(self, |mut watch| async move {
            let event = watch.next().await?;
            Some((Ok(event), watch))
        })
    }

    async fn next(&mut self) -> Option<Bytes> {
        loop {
            match self.phase {
                Phase::Over => return None,
                Phase::Opening => {
                    self.phase = Phase::Looking;
                    return Some(Bytes::from_static(RETRY.as_bytes()));
                }
                Phase::Looking => {
                    self.phase = Phase::Waiting;
                    if let Some(event) = self.look().await {
                        self.heard = Instant::now();
                        return Some(event);
                    }
                }
                Phase::Waiting => {
                    if let Some(event) = self.wait().await {
                        self.heard = Instant::now();
                        return Some(Bytes::from_static(event.as_bytes()));
                    }
                }
            }
        }
    }

    /// The present state, if it says something new.
    async fn look(&mut self) -> Option<Bytes> {
        let Some(order) = find(&self.context, &self.grant).await else {
            self.phase = Phase::Over;
            return Some(Bytes::from_static(CLOSING.as_bytes()));
        };
        let before = self.seen.and_then(|seen| seen.outcome_in(&self.context, &order));
        let view = PageView::of(&order, before);
        self.settles = match order.view.summary.outcome {
            Outcome::Approved => Some(Instant::now()),
            Outcome::Refused => {
                self.settles.or_else(|| Some(Instant::now() + self.context.config.pages.settle))
            }
            Outcome::Undecided | Outcome::Withdrawn => None,
        };
        if self.sent.as_ref().is_some_and(|sent| sent.says_the_same(&view)) {
            return None;
        }
        let seen = Seen::of(&self.context, &order);
        let data = serde_json::to_string(&view).unwrap_or_default();
        self.seen = Some(seen);
        self.sent = Some(view);
        Some(format!("id: {}\nevent: status\ndata: {data}\n\n", seen.encode()).into())
    }

    async fn wait(&mut self) -> Option<&'static str> {
        let now = Instant::now();
        let heartbeat = self.heard + self.context.config.streams.heartbeat;
        let expires = now + until(self.grant.until);
        let settles = self.settles.unwrap_or(expires);
        let mut drain = self.context.drain.clone();
        tokio::select! {
            biased;
            () = self.touched.touched() => {
                self.phase = Phase::Looking;
                None
            }
            _ = drain.wait_for(|drains| *drains) => self.end(CLOSING),
            () = tokio::time::sleep_until(settles.min(expires).min(heartbeat)) => {
                if Instant::now() >= expires {
                    self.end(EXPIRED)
                } else if self.settles.is_some_and(|settles| settles <= Instant::now()) {
                    self.end(DONE)
                } else {
                    Some(HEARTBEAT)
                }
            }
        }
    }

    fn end(&mut self, event: &'static str) -> Option<&'static str> {
        self.phase = Phase::Over;
        Some(event)
    }
}

/// How long it is until then.
pub(super) fn until(time: Time) -> Duration {
    let micros = time.as_micros().saturating_sub(clock::now().as_micros());
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

/// The order that a page watches.
pub(super) async fn find(context: &Context, grant: &Grant) -> Option<Arc<Order>> {
    if let Some(order) = context.store.order_in_memory(&grant.order) {
        return Some(order);
    }
    let (store, key) = (Arc::clone(&context.store), grant.order.clone());
    let read = tokio::task::spawn_blocking(move || store.find_order(&key)).await;
    match read {
        Ok(Ok(order)) => order,
        Ok(Err(error)) => {
            tracing::error!(%error, "a page could not read its order");
            None
        }
        Err(error) => {
            tracing::error!(%error, "a page could not read its order");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Seen;

    #[test]
    fn what_a_page_saw_comes_back_and_nonsense_does_not() {
        let seen = Seen { epoch: u64::MAX, version: 7, outcome_number: 2 };
        assert_eq!(Seen::decode(&seen.encode()), Some(seen));
        for text in ["", "1", "1.2", "x.1.2", "1.-1.2", "1.2.3.4", "1.2.99999999999999999999"] {
            assert_eq!(Seen::decode(text), None, "{text}");
        }
    }
}
