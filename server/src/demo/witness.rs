//! A back office that follows every change through one subscription, and remembers all of it.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::StreamExt as _;
use paystatus_client::{
    Attempt, Change, ChangeKind, Client, Condition, Event, Filter, Operation, Order, Outcome,
    PaymentStatus, Start, Subscribe,
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
    orders: BTreeMap<String, Known>,
    /// Lines for people.
    newest: Vec<String>,
}

/// What it knows of one order, from changes alone.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// All changes, as they came.
    pub(super) seen: Vec<Seen>,
    /// What they leave behind.
    pub(super) parts: Parts,
}

/// Attempts, operations and conditions of an order by their names, each with its status.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Parts(BTreeMap<String, String>);

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
            let known = state.orders.entry(change.order_id.clone()).or_default();
            known.seen.push(Seen::of(change));
            known.parts.change(change);
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

    /// What it knows of an order, once it saw so many changes, or the time is over.
    pub(super) async fn known_of(&self, order: &str, count: usize, limit: Duration) -> Known {
        let now = || self.lock().orders.get(order).cloned().unwrap_or_default();
        let mut changes = self.changes.subscribe();
        let enough = changes.wait_for(|_| now().seen.len() >= count);
        drop(tokio::time::timeout(limit, enough).await);
        now()
    }

    /// How many orders have each status.
    pub(super) fn statuses(&self) -> Vec<(PaymentStatus, usize)> {
        let state = self.lock();
        let newest = |known: &Known| known.seen.last().map(|seen| seen.status);
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

impl Parts {
    /// What an order is made of.
    pub(super) fn of(order: &Order) -> Self {
        let mut parts = Self::default();
        order.attempts.iter().for_each(|attempt| parts.attempt(attempt));
        order.operations.iter().for_each(|operation| parts.operation(operation));
        order.conditions.iter().for_each(|condition| parts.condition(condition));
        parts
    }

    fn change(&mut self, change: &Change) {
        let is_gone = matches!(
            change.kind,
            ChangeKind::AttemptRemoved | ChangeKind::OperationRemoved | ChangeKind::ConditionClosed
        );
        let mut changed = Self::default();
        change.attempt.iter().for_each(|attempt| changed.attempt(attempt));
        change.operation.iter().for_each(|operation| changed.operation(operation));
        change.condition.iter().for_each(|condition| changed.condition(condition));
        let aliases = change.attempt.iter().flat_map(|attempt| &attempt.aliases);
        aliases.for_each(|alias| drop(self.0.remove(&format!("attempt {alias}"))));
        if is_gone {
            changed.0.keys().for_each(|name| drop(self.0.remove(name)));
        } else {
            self.0.extend(changed.0);
        }
    }

    fn attempt(&mut self, attempt: &Attempt) {
        let Attempt { attempt_id, status, totals, .. } = attempt;
        self.0.insert(format!("attempt {attempt_id}"), format!("{status} {totals:?}"));
    }

    fn operation(&mut self, operation: &Operation) {
        let Operation { kind, operation_id, status, .. } = operation;
        self.0.insert(format!("{kind} {operation_id}"), status.to_string());
    }

    fn condition(&mut self, condition: &Condition) {
        self.0.insert(condition.condition_id.clone(), condition.kind.to_string());
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
