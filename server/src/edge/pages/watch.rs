//! One page that watches its order.
//!
//! A page needs the present state and nothing else, so that is what each event holds: the hub only
//! tells when to look again. What a page holds is a few numbers; it cannot fall behind, and
//! one that comes back is told whether outcomes passed while it was away.
//!
//! What comes out are [`Event`]s; how they look to a browser is the business of two small encoders,
//! one for server-sent events and one for gRPC-Web.

use std::{sync::Arc, time::Duration};

use metrics::counter;
use tokio::{sync::watch, time::Instant};

use super::{live::Settings, places::Place, seen::Seen, token::Grant, view::PageView};
use crate::{
    clock,
    domain::{order::Order, time::Time, view::Outcome},
    edge::Context,
    hub::{Subscription, Topic},
};

/// Counts how often pages read their orders: when they open, and when their order changed.
pub(crate) const LOOKS: &str = "paystatus_page_looks_total";

/// What a page is told.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// It is connected. First, and once.
    Opened,
    /// The order as it stands now.
    State(Seen, PageView),
    /// Nothing happened, and the line works.
    Heartbeat,
    /// The stream is over. Last, and once.
    Ended(End),
}

/// Why a page's stream is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// No outcome follows that a page would show: it need not come back.
    Done,
    /// The link has ended, or its key was taken away: it need not come back either.
    Expired,
    /// The server restarts: come back.
    Closing,
}

/// A page that watches.
pub(crate) struct Watch {
    context: Arc<Context>,
    grant: Grant,
    settings: watch::Receiver<Arc<Settings>>,
    touched: Subscription,
    seen: Option<Seen>,
    /// True once it was told a state.
    is_told: bool,
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
    /// A page whose token was valid just now, and what it saw last.
    pub(crate) fn new(
        context: Arc<Context>,
        grant: Grant,
        seen: Option<Seen>,
        place: Place,
    ) -> Self {
        Self {
            // Before keys and state are read, so that no change can fall between.
            settings: context.pages.follow(),
            touched: context.relay.subscribe(Topic::Order(grant.order.clone())),
            seen,
            is_told: false,
            heard: Instant::now(),
            settles: None,
            phase: Phase::Opening,
            _place: place,
            context,
            grant,
        }
    }

    /// What the page saw last: it resumes from there.
    pub(crate) fn seen(&self) -> Option<Seen> {
        self.seen
    }

    /// The next event; `None` after the last.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            let event = match self.phase {
                Phase::Over => return None,
                // Here and not only while waiting: one that does not read is asked late.
                _ if self.is_refused() => Some(Event::Ended(End::Expired)),
                Phase::Opening => {
                    self.phase = Phase::Looking;
                    Some(Event::Opened)
                }
                Phase::Looking => {
                    self.phase = Phase::Waiting;
                    // Boxed: a page that waits, as nearly all do, need not hold room for it.
                    Box::pin(self.look()).await
                }
                Phase::Waiting => self.wait().await,
            };
            let Some(event) = event else { continue };
            self.heard = Instant::now();
            if matches!(event, Event::Ended(_)) {
                self.phase = Phase::Over;
            }
            return Some(event);
        }
    }

    /// True if the link has ended, or its key was taken away.
    fn is_refused(&self) -> bool {
        self.settings.borrow().keys.check(&self.grant, clock::now()).is_err()
    }

    /// The present state, if it says something new.
    async fn look(&mut self) -> Option<Event> {
        counter!(LOOKS).increment(1);
        let Some(order) = find(&self.context, &self.grant).await else {
            return Some(Event::Ended(End::Closing));
        };
        let now = Seen::of(&self.context, &order);
        if !self.is_told && self.seen.is_some_and(|seen| is_over(&order, seen, now)) {
            return Some(Event::Ended(End::Done));
        }
        let before = self.seen.and_then(|seen| seen.outcome_in(&self.context, &order));
        let view = PageView::of(&order, before);
        self.settles = match view.outcome {
            Outcome::Approved => Some(Instant::now()),
            Outcome::Refused => {
                self.settles.or_else(|| Some(Instant::now() + self.settings.borrow().config.settle))
            }
            Outcome::Undecided | Outcome::Withdrawn => None,
        };
        if self.is_told && self.seen.is_some_and(|seen| seen.looks_like(now)) {
            return None;
        }
        self.seen = Some(now);
        self.is_told = true;
        Some(Event::State(now, view))
    }

    async fn wait(&mut self) -> Option<Event> {
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
            _ = drain.wait_for(|drains| *drains) => Some(Event::Ended(End::Closing)),
            Ok(()) = self.settings.changed() => None,
            () = tokio::time::sleep_until(settles.min(expires).min(heartbeat)) => {
                Some(if Instant::now() >= expires {
                    Event::Ended(End::Expired)
                } else if self.settles.is_some_and(|settles| settles <= Instant::now()) {
                    Event::Ended(End::Done)
                } else {
                    Event::Heartbeat
                })
            }
        }
    }
}

/// True if a page has seen the end: an approval, and nothing since.
pub(super) fn is_over(order: &Order, seen: Seen, now: Seen) -> bool {
    order.view.summary.outcome == Outcome::Approved && seen.looks_like(now)
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
    let find = move || store.find_order(&key).map_err(|error| error.to_string());
    let read = tokio::task::spawn_blocking(find).await;
    read.unwrap_or_else(|error| Err(error.to_string())).unwrap_or_else(|error| {
        tracing::error!(%error, "a page could not read its order");
        None
    })
}
