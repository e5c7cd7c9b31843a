//! The poller: works off the queue of each account, and keeps the queues in step with the store.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use sha2::{Digest, Sha256};
use tokio::sync::{Semaphore, watch};

use super::{
    Failed, Looked, Outbound, Shared,
    line::{Flight, Line, Next},
    look::{About, Look},
};
use crate::{
    accounts::{Accounts, StatusAccess},
    clock,
    domain::{
        ids::{AccountId, OrderKey},
        order::Order,
        time::Time,
    },
    hub::Recent,
    record::{self, Record},
};

/// Looks at one account at once.
const LOOKS_AT_ONCE: usize = 4;
/// The longest sleep: the clock may be set meanwhile.
const SLEEP_MAX: Duration = Duration::from_secs(60);
/// How long a search of the store is left alone after one.
const SEARCH_PAUSE: Duration = Duration::from_secs(5);

impl Outbound {
    /// Follows what is recorded, asks, and fires deadlines so long after their outcomes (`None`:
    /// not at all), until the drain begins.
    pub async fn run(&self, mut drain: watch::Receiver<bool>, not_informed: Option<Duration>) {
        let deadlines = async {
            match not_informed {
                Some(after) => self.fire_deadlines(after).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = Arc::clone(&self.0).follow() => {}
            () = deadlines => {}
            _ = drain.wait_for(|drains| *drains) => {}
        }
    }
}

impl Shared {
    /// Keeps the queues in step with the store.
    async fn follow(self: Arc<Self>) {
        let mut replaced = self.accounts.subscribe();
        loop {
            let accounts = Arc::clone(&replaced.borrow_and_update());
            if accounts.iter().all(|account| account.status_access.is_none()) {
                // Nobody is to be asked: nothing is to be followed.
                if replaced.changed().await.is_err() {
                    return;
                }
                continue;
            }
            tokio::select! {
                () = Arc::clone(&self).follow_with(&accounts) => return,
                changed = replaced.changed() => if changed.is_err() { return },
            }
        }
    }

    async fn follow_with(self: Arc<Self>, accounts: &Arc<Accounts>) {
        let mut announced = self.hub.announced();
        let mut position = self.hub.head();
        self.search(Arc::clone(accounts)).await;
        loop {
            match self.hub.recent(position) {
                Recent::Here(records) => match records.last() {
                    Some(last) => {
                        position = last.position;
                        for committed in &records {
                            if let Record::Order(record) = &*committed.record {
                                self.consider_key(accounts, &record.key);
                            }
                        }
                        tokio::task::yield_now().await;
                        continue;
                    }
                    None => tokio::select! {
                        changed = announced.changed() => if changed.is_err() { return },
                        () = self.search.notified() => {
                            self.search(Arc::clone(accounts)).await;
                            tokio::time::sleep(SEARCH_PAUSE).await;
                        }
                    },
                },
                Recent::Older => {
                    position = self.hub.head();
                    self.search(Arc::clone(accounts)).await;
                }
            }
        }
    }

    /// Finds everything undecided.
    async fn search(self: &Arc<Self>, accounts: Arc<Accounts>) {
        let shared = Arc::clone(self);
        let searched = tokio::task::spawn_blocking(move || {
            shared.store.each_undecided(|order| shared.consider(&accounts, order))
        });
        if let Ok(Err(error)) = searched.await {
            tracing::error!(%error, "what is undecided cannot be found");
        }
    }

    fn consider_key(self: &Arc<Self>, accounts: &Accounts, key: &OrderKey) {
        match self.store.find_order(key) {
            Ok(Some(order)) => self.consider(accounts, &order),
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "an order cannot be read"),
        }
    }

    /// Puts an order into the queues of the accounts that could say more of it, and takes it out
    /// of the others.
    fn consider(self: &Arc<Self>, accounts: &Accounts, order: &Order) {
        let mut undecided: BTreeMap<&AccountId, bool> =
            order.view.attempts.iter().map(|attempt| (&attempt.account, false)).collect();
        undecided.extend(order.undecided().map(|attempt| (&attempt.account, true)));
        let now = clock::now();
        for (account, is_undecided) in undecided {
            let known = accounts.get(account.as_str());
            let Some(access) = known.and_then(|a| a.status_access.as_ref()) else { continue };
            if !is_undecided {
                let line = self.known_line(account);
                line.into_iter().for_each(|line| line.state().queue.remove(&order.key));
                continue;
            }
            let line = self.line(account);
            let mut state = line.state();
            let before = state.queue.next_due();
            match next(access, order, account, now) {
                Some(due) => state.queue.put(&order.key, due),
                None => state.queue.remove(&order.key),
            }
            let is_earlier = before.is_none() || state.queue.next_due() < before;
            drop(state);
            if is_earlier {
                line.wake.notify_one();
            }
        }
    }

    /// Works off the queue of one account.
    pub(super) async fn work(self: Arc<Self>, line: Arc<Line>) {
        let places = Arc::new(Semaphore::new(LOOKS_AT_ONCE));
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            let wait = match line.next(clock::now()) {
                Next::Ask(key) => {
                    let (shared, line) = (Arc::clone(&self), Arc::clone(&line));
                    tokio::spawn(async move {
                        let _place = place;
                        drop(shared.look_at(&line, &key, None).await);
                    });
                    continue;
                }
                Next::Wait(wait) => wait.unwrap_or(SLEEP_MAX).min(SLEEP_MAX),
            };
            drop(place);
            tokio::select! {
                () = line.wake.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Asks about what is undecided of an order at an account, and says when to ask again. If
    /// somebody asks already, waits for that.
    pub(super) async fn look_at(
        &self,
        line: &Line,
        key: &OrderKey,
        patience: Option<Duration>,
    ) -> Result<Looked, Failed> {
        let landing = match line.take_off(key) {
            Flight::Mine(landing) => landing,
            Flight::Theirs(mut theirs) => {
                // It never says anything but its end.
                drop(theirs.changed().await);
                self.reschedule(line, key, None);
                return Ok(Looked::default());
            }
        };
        let result = match self.read(key) {
            Some(order) => self.look(line, About::Undecided(&order), patience).await,
            None => Err(Failed::NotAsked),
        };
        self.reschedule(line, key, Some(&result));
        drop(landing);
        result
    }

    pub(super) fn read(&self, key: &OrderKey) -> Option<Arc<Order>> {
        self.store.find_order(key).unwrap_or_else(|error| {
            tracing::error!(%error, "an order cannot be read");
            None
        })
    }

    /// One look, if the account may be asked now.
    pub(super) async fn look(
        &self,
        line: &Line,
        about: About<'_>,
        patience: Option<Duration>,
    ) -> Result<Looked, Failed> {
        let accounts = self.accounts.load();
        let account = accounts.get(line.account.as_str()).ok_or(Failed::NotAsked)?;
        let access = account.status_access.as_ref().ok_or(Failed::NotAsked)?;
        let api = account.provider.status_api().ok_or(Failed::NotAsked)?;
        line.open()?;
        let look = Look { shared: self, line, account, access, api, patience };
        let result = look.ask(about).await;
        let word = result.as_ref().err().map_or("answered", Failed::word);
        let id = account.id.as_str().to_owned();
        metrics::counter!("paystatus_polls_total", "account" => id, "result" => word).increment(1);
        if let Err(why) = &result {
            tracing::debug!(account = %account.id, %why, "a look failed");
        }
        line.conclude(result.as_ref().err(), access);
        result
    }

    /// Says when an order is due again, after somebody asked about it.
    fn reschedule(&self, line: &Line, key: &OrderKey, result: Option<&Result<Looked, Failed>>) {
        let accounts = self.accounts.load();
        let account = accounts.get(line.account.as_str());
        let access = account.and_then(|account| account.status_access.as_ref());
        let order = self.read(key);
        let is_undecided =
            |order: &&Arc<Order>| order.undecided().any(|attempt| attempt.account == line.account);
        let now = clock::now();
        let next =
            order.as_ref().filter(is_undecided).zip(access).and_then(|(order, access)| {
                Some((next(access, order, &line.account, now)?, access))
            });
        let mut state = line.state();
        let failures = match result {
            None | Some(Err(Failed::NotAsked)) => 0,
            Some(Ok(_)) => state.queue.answered(key, now),
            Some(Err(_)) => state.queue.failed(key),
        };
        match next {
            Some((next, access)) => {
                let due = match result.and_then(|result| result.as_ref().err()?.wait()) {
                    Some(wait) => now.plus(wait),
                    None if failures > 0 => next.min(now.plus(access.schedule.retry(failures))),
                    None => next,
                };
                state.queue.put_back(key, due);
            }
            None => state.queue.remove(key),
        }
        let wants_more = state.queue.wants_more();
        drop(state);
        line.wake.notify_one();
        if wants_more {
            self.search.notify_one();
        }
    }
}

/// When an order is due at an account.
fn next(access: &StatusAccess, order: &Order, account: &AccountId, now: Time) -> Option<Time> {
    let seed = Sha256::new()
        .chain_update(record::encode_key(&order.key))
        .chain_update(account.as_str())
        .finalize();
    let seed = seed.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    access.schedule.next(order.update_time, now, seed)
}
