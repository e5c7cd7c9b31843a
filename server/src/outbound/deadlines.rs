//! Fires the deadline of each outcome that no page showed to the customer in time.
//!
//! What is due follows from the store's index of untold orders, read on in steps, and from what
//! is recorded meanwhile. The engine decides whether a deadline still holds when it passes: what
//! stands here is only when to ask.

#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use metrics::counter;

use super::{Outbound, Shared, queue::Queue};
use crate::{
    clock,
    domain::{
        change::Change,
        command::{Command, Parent, PassDeadline},
        ids::OrderKey,
        order::Order,
        time::Time,
        view::Outcome,
    },
    engine::{self, Ask},
    hub::Recent,
    record::{OrderRecord, Source},
};

/// Orders whose deadline waits in memory. The others stand in the store.
pub const DEADLINES_MAX: usize = 20_000;
/// Deadlines that are fired together: as many as the engine makes durable at once.
const FIRED_AT_ONCE: usize = engine::BATCH_MAX;
/// Outcomes older than this (7 days) are left alone: nobody wants to be told of them any more.
/// Without it all that was ever paid would be told when deadlines are switched on.
pub const OUTCOME_AGE_MAX_SECONDS: i64 = 7 * 24 * 60 * 60;
/// How long is waited after a failure of the engine or the store.
const RETRY_AFTER: Duration = Duration::from_millis(500);
/// The longest sleep: the clock may be set meanwhile.
const SLEEP_MAX: Duration = Duration::from_secs(60);

/// Counts outcomes that no page showed in time.
pub(crate) const NOT_INFORMED: &str = "paystatus_customers_not_informed_total";

/// The deadlines that are known.
struct Deadlines {
    shared: Arc<Shared>,
    /// How long after its outcome each is.
    after: Duration,
    /// How many may wait here.
    room: usize,
    queue: Queue,
    /// When the store is to be searched for more.
    search: Option<Time>,
    /// What the clock said last.
    last: Time,
}

impl Outbound {
    /// Fires deadlines, each so long after its outcome. Never returns as long as the hub lives.
    pub(super) async fn fire_deadlines(&self, after: Duration) {
        Deadlines::new(Arc::clone(&self.0), after, DEADLINES_MAX).run().await;
    }
}

impl Deadlines {
    fn new(shared: Arc<Shared>, after: Duration, room: usize) -> Self {
        let queue = Queue::with_room_for(room);
        let now = clock::now();
        Self { shared, after, room, queue, search: Some(now), last: now }
    }

    async fn run(mut self) {
        let mut announced = self.shared.hub.announced();
        let mut position = self.shared.hub.head();
        loop {
            let now = clock::now();
            self.notice(now);
            if self.search.is_some_and(|due| due <= now) {
                self.search(now).await;
            }
            let has_followed = match self.shared.hub.recent(position) {
                Recent::Here(records) => {
                    position = records.last().map_or(position, |last| last.position);
                    records.iter().filter_map(|c| c.of_order()).for_each(|r| self.consider(r));
                    !records.is_empty()
                }
                Recent::Older => {
                    position = self.shared.hub.head();
                    self.search = Some(now);
                    true
                }
            };
            if self.fire(now).await || has_followed {
                tokio::task::yield_now().await;
                continue;
            }
            let next = [self.search, self.queue.next_due()].into_iter().flatten().min();
            let wait = next.map_or(SLEEP_MAX, |due| due.since(now)).min(SLEEP_MAX);
            tokio::select! {
                changed = announced.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Notices that the clock was set back: what seemed too old to be told may not be so.
    fn notice(&mut self, now: Time) {
        if self.last.since(now) > RETRY_AFTER {
            self.search = Some(now);
        }
        self.last = now;
    }

    /// Finds the oldest outcomes that the customer was not told.
    async fn search(&mut self, now: Time) {
        let store = Arc::clone(&self.shared.store);
        // One more than there is room for, so that the queue knows whether there are more.
        let (since, limit) = (oldest(now), self.room + 1);
        let read = move || store.oldest_untold(since, limit);
        let untold = tokio::task::spawn_blocking(read).await.map_err(|error| error.to_string());
        match untold.and_then(|read| read.map_err(|error| error.to_string())) {
            Ok(untold) => {
                self.search = None;
                for (key, time) in untold {
                    self.queue.put(&key, time.plus(self.after));
                }
            }
            Err(error) => {
                tracing::error!(%error, "what customers were not told cannot be found");
                self.search = Some(now.plus(RETRY_AFTER));
            }
        }
    }

    /// Puts an order into the queue whose outcome is new, and takes one out that is settled.
    fn consider(&mut self, record: &OrderRecord) {
        let changes = record.changes();
        let is_told = |change: &Change| {
            matches!(change, Change::CustomerInformed | Change::CustomerNotInformed)
        };
        if changes.iter().any(is_told) {
            self.queue.remove(&record.key);
        } else if changes.iter().any(|change| matches!(change, Change::Outcome { .. })) {
            match record.decided.summary.outcome {
                Outcome::Approved | Outcome::Refused if record.key.is_recorded() => {
                    self.queue.put(&record.key, record.decided.time.plus(self.after));
                }
                _ => self.queue.remove(&record.key),
            }
        }
    }

    /// Fires what is due, as much as goes at once; false if there was nothing.
    async fn fire(&mut self, now: Time) -> bool {
        let mut due = Vec::new();
        while due.len() < FIRED_AT_ONCE
            && let Some(key) = self.queue.take_due(now)
        {
            due.push(key);
        }
        if due.is_empty() {
            return false;
        }
        let mut fired = Vec::with_capacity(due.len());
        for (key, order) in self.read(due).await {
            match order.map(|order| self.next(order.as_deref(), now)) {
                Ok(Next::Fire(command)) => fired.push((key, command)),
                Ok(Next::Wait(due)) => self.queue.put_back(&key, due),
                Ok(Next::Forget) => self.queue.remove(&key),
                Err(error) => {
                    tracing::error!(%error, "an order cannot be read");
                    self.queue.put_back(&key, now.plus(RETRY_AFTER));
                }
            }
        }
        let engine = &self.shared.engine;
        let asked = fired.into_iter().map(|(key, command)| async move {
            let command = Command::PassDeadline(command);
            let ask = Ask::Order { command, source: Source::Deadline, actor: None };
            (key, engine.ask(ask).await)
        });
        for (key, answer) in futures_util::future::join_all(asked).await {
            match answer {
                // A newer outcome, if there is one, is considered when its record is followed.
                Ok(answer) => {
                    self.queue.remove(&key);
                    counter!(NOT_INFORMED).increment(u64::from(!answer.replayed));
                }
                Err(engine::Error::Refused(refused)) => {
                    tracing::error!(%refused, "a deadline was refused");
                    self.queue.remove(&key);
                }
                Err(error) => {
                    tracing::debug!(%error, "a deadline is fired again later");
                    self.queue.put_back(&key, clock::now().plus(RETRY_AFTER));
                }
            }
        }
        if self.queue.wants_more() {
            self.search = Some(now);
        }
        true
    }

    /// The present states of orders, which the engine then finds in memory.
    async fn read(&self, keys: Vec<OrderKey>) -> Vec<(OrderKey, Result<Found, String>)> {
        let store = Arc::clone(&self.shared.store);
        let all = keys.clone();
        let read = move || -> Vec<Result<Found, String>> {
            let find = |key| store.find_order(key).map_err(|error| error.to_string());
            all.iter().map(find).collect()
        };
        let found = tokio::task::spawn_blocking(read).await;
        let found = found.unwrap_or_else(|error| vec![Err(error.to_string()); keys.len()]);
        keys.into_iter().zip(found).collect()
    }

    fn next(&self, order: Option<&Order>, now: Time) -> Next {
        let Some(order) = order.filter(|order| order.awaits_receipt()) else {
            return Next::Forget;
        };
        let due = order.outcome_time.plus(self.after);
        match Parent::of_key(&order.key) {
            _ if due > now => Next::Wait(due),
            Some(parent) if order.outcome_time >= oldest(now) => {
                let outcome_number = order.view.summary.outcome_number;
                Next::Fire(PassDeadline { parent, outcome_number })
            }
            _ => Next::Forget,
        }
    }
}

/// What stands in the store under a key.
type Found = Option<Arc<Order>>;

/// What to do about an order whose deadline seems to have passed.
enum Next {
    /// It has.
    Fire(PassDeadline),
    /// It has not yet.
    Wait(Time),
    /// There is none any more.
    Forget,
}

/// The oldest outcome that anybody is told of.
fn oldest(now: Time) -> Time {
    now.minus_seconds(OUTCOME_AGE_MAX_SECONDS)
}
