//! The line to one account: who waits to be asked about, whether the provider may be asked now,
//! and what is being asked.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::{Notify, watch};

use super::{
    breaker::Breaker,
    failed::{Failed, Verdict},
    queue::Queue,
    rate::{Limit, Rate},
    tokens::Tokens,
};
use crate::{
    accounts::StatusAccess,
    domain::{
        ids::{AccountId, OrderKey},
        time::Time,
    },
};

/// Looks that unverified webhooks of one account may cause: nothing proves who sent them.
const HINTS: Limit = Limit { per_second: 0.2, burst: 5 };

/// The line to one account.
pub(super) struct Line {
    pub(super) account: AccountId,
    pub(super) tokens: Tokens,
    /// Rings when there is something to do earlier than before.
    pub(super) wake: Notify,
    state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) queue: Queue,
    breaker: Breaker,
    rate: Rate,
    hints: Rate,
    /// The provider asked to wait.
    wait_until: Option<Instant>,
    /// Orders that are asked about right now; each channel closes when that is done.
    flights: HashMap<OrderKey, watch::Receiver<()>>,
}

/// What the line has to do next.
pub(super) enum Next {
    /// Ask about this order.
    Ask(OrderKey),
    /// Nothing for so long, or until it is woken.
    Wait(Option<Duration>),
}

/// Whether somebody asks about an order already.
pub(super) enum Flight<'a> {
    /// Nobody did.
    Mine(Landing<'a>),
    /// Somebody does; the channel closes when that is done.
    Theirs(watch::Receiver<()>),
}

/// Ends a flight when it is dropped, however that comes, and tells who waits for it.
pub(super) struct Landing<'a> {
    line: &'a Line,
    key: OrderKey,
    _landed: watch::Sender<()>,
}

impl Drop for Landing<'_> {
    fn drop(&mut self) {
        self.line.state().flights.remove(&self.key);
    }
}

impl Line {
    pub(super) fn new(account: AccountId) -> Self {
        Self { account, tokens: Tokens::default(), wake: Notify::new(), state: Mutex::default() }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What to do at this moment.
    pub(super) fn next(&self, now: Time) -> Next {
        let mut state = self.state();
        let Some(due) = state.queue.next_due() else { return Next::Wait(None) };
        if due > now {
            return Next::Wait(Some(due.since(now)));
        }
        let instant = Instant::now();
        if let Some(until) = state.closed_until(instant) {
            return Next::Wait(Some(until.saturating_duration_since(instant)));
        }
        state.queue.take_due(now).map_or(Next::Wait(None), Next::Ask)
    }

    /// May the provider be asked now? Who may must [`Line::conclude`].
    pub(super) fn open(&self) -> Result<(), Failed> {
        let mut state = self.state();
        let now = Instant::now();
        let left_alone = |until: Instant| Failed::LeftAlone { wait: until - now };
        if let Some(until) = state.wait_until.filter(|until| *until > now) {
            return Err(left_alone(until));
        }
        state.breaker.ask(now).map_err(left_alone)
    }

    /// Waits for a place among the requests of a second; not at all if that would take longer
    /// than `patience`.
    pub(super) async fn place(
        &self,
        limit: Limit,
        patience: Option<Duration>,
    ) -> Result<(), Failed> {
        let now = Instant::now();
        // Who waits without an end takes the next place, whenever it is.
        let latest = now + patience.unwrap_or(Duration::from_secs(24 * 60 * 60));
        let taken = self.state().rate.take(limit, now, latest);
        let place = taken.map_err(|place| Failed::Limited { wait: place - now })?;
        tokio::time::sleep_until(place.into()).await;
        Ok(())
    }

    /// True if an unverified webhook may cause a look now.
    pub(super) fn takes_hint(&self) -> bool {
        let now = Instant::now();
        self.state().hints.take(HINTS, now, now).is_ok()
    }

    /// Notes what came of asking.
    pub(super) fn conclude(&self, failed: Option<&Failed>, access: &StatusAccess) {
        let mut state = self.state();
        let was_open = state.breaker.is_open();
        let now = Instant::now();
        match failed.map(Failed::verdict) {
            None => state.breaker.succeeded(),
            Some(Verdict::Nothing) => state.breaker.abandoned(),
            Some(Verdict::Wait(span)) => {
                state.breaker.abandoned();
                state.wait_until = state.wait_until.max(Some(now + span));
            }
            Some(Verdict::Down) => state.breaker.failed(access.breaker, now),
        }
        let is_open = state.breaker.is_open();
        drop(state);
        match (was_open, is_open, failed) {
            (false, true, Some(why)) => {
                tracing::warn!(account = %self.account, %why, "the provider is left alone for now");
            }
            (true, false, _) => {
                tracing::info!(account = %self.account, "the provider answers again");
            }
            _ => {}
        }
        self.wake.notify_one();
    }

    /// Begins to ask about an order, or finds who does.
    pub(super) fn take_off(&self, key: &OrderKey) -> Flight<'_> {
        let mut state = self.state();
        if let Some(theirs) = state.flights.get(key) {
            return Flight::Theirs(theirs.clone());
        }
        let (landed, theirs) = watch::channel(());
        state.flights.insert(key.clone(), theirs);
        Flight::Mine(Landing { line: self, key: key.clone(), _landed: landed })
    }
}

impl State {
    /// Until when nobody may be asked.
    fn closed_until(&self, now: Instant) -> Option<Instant> {
        let waits = self.wait_until.filter(|until| *until > now);
        waits.max(self.breaker.closed_until(now))
    }
}
