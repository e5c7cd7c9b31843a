//! A back office that follows every change through one subscription, and remembers all of it.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::StreamExt as _;
use paystatus_client::{
    Change, ChangeKind, Client, Event, Filter, Outcome, PaymentStatus, Start, Subscribe,
};
use tokio::sync::watch;

use crate::cli::words::{self, BOLD, DIM};

/// How many of the newest changes are shown.
pub(super) const NEWEST_SHOWN: usize = 10;

/// What the subscriber saw.
#[derive(Default)]
pub(super) struct Witness {
    state: Mutex<State>,
    changes: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    orders: BTreeMap<String, Vec<Seen>>,
    /// Lines for people.
    newest: Vec<String>,
}

/// One change that was seen.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Seen {
    pub(super) change_id: String,
    pub(super) order_version: i64,
    pub(super) index: i32,
    pub(super) status: PaymentStatus,
    pub(super) outcome: Outcome,
    pub(super) outcome_number: i64,
}

impl Witness {
    /// Follows every change of the client's merchant, until the stream fails.
    pub(super) async fn follow(&self, client: &Client) -> paystatus_client::Error {
        let subscribe = Subscribe::changes(Filter::all()).start(Start::Beginning);
        let mut deliveries = match client.subscribe(subscribe).await {
            Ok(deliveries) => deliveries,
            Err(error) => return error,
        };
        loop {
            match deliveries.next().await {
                Some(Ok(delivery)) => {
                    if let Event::Changes(changes) = delivery.event() {
                        self.see(changes);
                    }
                    delivery.confirm();
                }
                Some(Err(error)) => return error,
                // A stream ends with an error, and only then.
                None => std::future::pending().await,
            }
        }
    }

    fn see(&self, changes: &[Change]) {
        let mut state = self.lock();
        for change in changes {
            let seen = Seen::of(change);
            state.orders.entry(change.order_id.clone()).or_default().push(seen);
            if is_news(change) {
                let (id, time) = (&change.order_id, words::time_of_day(change.change_time));
                let news = words::change(change);
                state.newest.push(format!("{DIM}{time}{DIM:#}  {BOLD}{id:<14}{BOLD:#} {news}"));
            }
        }
        let surplus = state.newest.len().saturating_sub(NEWEST_SHOWN);
        state.newest.drain(..surplus);
        drop(state);
        self.changes.send_modify(|count| *count += changes.len() as u64);
    }

    /// How many changes it saw.
    pub(super) fn change_count(&self) -> u64 {
        *self.changes.borrow()
    }

    /// What it saw of an order, once that is at least so much, or the time is over.
    pub(super) async fn seen_of(&self, order: &str, count: usize, limit: Duration) -> Vec<Seen> {
        let now = || self.lock().orders.get(order).cloned().unwrap_or_default();
        let mut changes = self.changes.subscribe();
        let enough = changes.wait_for(|_| now().len() >= count);
        drop(tokio::time::timeout(limit, enough).await);
        now()
    }

    /// How many orders have each status.
    pub(super) fn statuses(&self) -> Vec<(PaymentStatus, usize)> {
        let state = self.lock();
        let newest = |seen: &Vec<Seen>| seen.last().map(|seen| seen.status);
        let statuses: Vec<PaymentStatus> = state.orders.values().filter_map(newest).collect();
        let count = |status| statuses.iter().filter(|s| **s == status).count();
        PaymentStatus::KNOWN.iter().map(|status| (*status, count(*status))).collect()
    }

    /// The newest changes, for people.
    pub(super) fn newest(&self) -> Vec<String> {
        self.lock().newest.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    /// What matters of a change.
    pub(super) fn of(change: &Change) -> Self {
        Self {
            change_id: change.change_id.clone(),
            order_version: change.order_version,
            index: change.index,
            status: change.order_status,
            outcome: change.outcome,
            outcome_number: change.outcome_number,
        }
    }
}

/// What is worth a line while much happens.
fn is_news(change: &Change) -> bool {
    matches!(
        change.kind,
        ChangeKind::OrderStatusChanged
            | ChangeKind::OperationStatusChanged
            | ChangeKind::ConditionOpened
            | ChangeKind::ConditionClosed
    )
}
