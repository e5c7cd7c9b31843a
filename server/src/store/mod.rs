//! The view: the present state of every order, with the indexes that find it. Derived from the
//! journal by `apply` alone; it can be deleted and comes back the same.
//!
//! What is newest stands in memory, where every reader sees it, and is written to sled in
//! larger steps (see `writer`); so sled is never waited for, and never needed to be durable.

mod access;
mod error;
mod index;
mod keys;
mod layered;
mod list;
mod look_up;
mod open;
mod pages;
#[cfg(test)]
mod tests;
mod undecided;
mod untold;
pub mod verify;
mod writer;

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Condvar, Mutex, PoisonError, RwLock, atomic::AtomicBool, atomic::AtomicU64},
};

use fastbloom::AtomicBloomFilter;
use tokio::sync::watch;

use crate::{
    domain::{
        ids::{Claim, MerchantId, OperatorId, OrderKey, SubscriptionId},
        order::Order,
    },
    journal::Position,
    record::{self, KeyRecord, OperatorRecord, Record, Subject, SubscriptionRecord},
};
use index::Index;
use layered::Layered;
use pages::Pages;
use std::sync::atomic::Ordering::{Acquire, Release};

pub use error::Error;
pub use list::Page;
pub use look_up::{AtHand, Lacking};
pub use open::{Options, Progress};
pub use writer::Writer;

/// Changes that may wait to be written to sled before the engine has to wait as well.
pub const UNWRITTEN_MAX: usize = 200_000;

/// One applied record: the states it leaves behind.
#[derive(Clone, Debug)]
pub struct Applied {
    /// Its position.
    pub position: Position,
    /// What it was about.
    pub subject: Subject,
    /// The subject's version after it.
    pub version: u64,
    /// The state after it, for orders.
    pub order: Option<Arc<Order>>,
    /// The record itself.
    pub record: Arc<Record>,
    /// What it claimed for its order.
    pub claims: Vec<Claim>,
}

/// The view. Cheap to share; one engine applies, everyone reads.
pub struct Store {
    db: sled::Db,
    pages: Pages,
    path: String,
    epoch: u64,
    inner: RwLock<Inner>,
    /// Names and claims that may be in sled; what is not in here surely is not.
    seen: AtomicBloomFilter,
    /// False until everything that is in sled has been added to `seen`.
    seen_is_complete: AtomicBool,
    applied: AtomicU64,
    written: AtomicU64,
    stopped: AtomicBool,
    /// Changes whenever somebody may less than before.
    withdrawn: watch::Sender<()>,
    wake: (Mutex<writer::Wanted>, Condvar),
    /// Held during a step of the writer: there is one at a time.
    stepping: Mutex<()>,
}

struct Inner {
    orders: Layered<OrderKey, Arc<Order>>,
    claims: Layered<Claim, OrderKey>,
    undecided: Index,
    untold: Index,
    /// Orders whose place in sled is not written yet, by that place.
    unlisted: BTreeMap<Vec<u8>, OrderKey>,
    /// Those whose place is being written now: all were created before the others.
    listing: BTreeMap<Vec<u8>, OrderKey>,
    keys: BTreeMap<String, Arc<KeyRecord>>,
    keys_by_secret: HashMap<[u8; 32], String>,
    operators: BTreeMap<OperatorId, Arc<OperatorRecord>>,
    subscriptions: BTreeMap<(MerchantId, SubscriptionId), SubscriptionRecord>,
    versions: HashMap<Subject, u64>,
    /// Small states (keys, operators, subscriptions, versions) to be written.
    unwritten_small: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Default for Inner {
    fn default() -> Self {
        Self {
            orders: Layered::default(),
            claims: Layered::default(),
            undecided: Index::new(&undecided::KIND),
            untold: Index::new(&untold::KIND),
            unlisted: BTreeMap::new(),
            listing: BTreeMap::new(),
            keys: BTreeMap::new(),
            keys_by_secret: HashMap::new(),
            operators: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            versions: HashMap::new(),
            unwritten_small: BTreeMap::new(),
        }
    }
}

impl Store {
    /// Position up to which the view holds, in memory and sled together.
    #[must_use]
    pub fn applied(&self) -> Position {
        self.applied.load(Acquire)
    }

    /// Position up to which sled alone holds.
    #[must_use]
    pub fn written(&self) -> Position {
        self.written.load(Acquire)
    }

    /// The version of a subject that is not an order; 0 if there is no record of it.
    #[must_use]
    pub fn version(&self, subject: &Subject) -> u64 {
        self.read().versions.get(subject).copied().unwrap_or(0)
    }

    /// A subscription. Deleted ones are not found.
    #[must_use]
    pub fn subscription(
        &self,
        merchant: &MerchantId,
        subscription: &SubscriptionId,
    ) -> Option<SubscriptionRecord> {
        let key = (merchant.clone(), subscription.clone());
        self.read().subscriptions.get(&key).filter(|s| !s.deleted).cloned()
    }

    /// Subscriptions of a merchant after a name, by name.
    #[must_use]
    pub fn subscriptions(&self, merchant: &MerchantId) -> Vec<SubscriptionRecord> {
        let inner = self.read();
        let of_merchant = |s: &&SubscriptionRecord| s.merchant == *merchant && !s.deleted;
        inner.subscriptions.values().filter(of_merchant).cloned().collect()
    }

    /// How many subscriptions there are.
    #[must_use]
    pub fn subscription_count(&self) -> usize {
        self.read().subscriptions.values().filter(|s| !s.deleted).count()
    }

    /// Makes applied records visible. They must follow the applied position without a gap.
    /// Waits while too much is unwritten.
    ///
    /// # Errors
    /// [`Error::Stopped`] if the writer failed.
    pub fn apply(&self, batch: &mut Vec<Applied>) -> Result<(), Error> {
        if batch.is_empty() {
            return Ok(());
        }
        self.wait_for_room()?;
        // Hashing is not for the lock: every reader waits for it.
        let mut places: VecDeque<_> = batch.iter().filter_map(|new| self.announce(new)).collect();
        let mut replaced = Vec::with_capacity(batch.len());
        let mut inner = self.write();
        let mut last = self.applied();
        let is_withdrawn = batch.iter().any(|applied| access::withdraws(&applied.record));
        for applied in batch.drain(..) {
            debug_assert_eq!(applied.position, last + 1, "records without a gap");
            last = applied.position;
            replaced.extend(apply_one(&mut inner, applied, &mut places));
        }
        let unwritten = inner.orders.unwritten();
        // Under the lock, so that the writer takes states and position that fit together.
        self.applied.store(last, Release);
        drop(inner);
        // What was replaced is freed here, not under the lock.
        drop(replaced);
        if is_withdrawn {
            self.withdrawn.send_replace(());
        }
        if unwritten > UNWRITTEN_MAX / 2 {
            self.want(writer::Wanted::Write);
        }
        Ok(())
    }

    /// Has the filter know the names of what is about to be applied; answers the place of an
    /// order that is new.
    fn announce(&self, applied: &Applied) -> Option<Vec<u8>> {
        for claim in &applied.claims {
            self.seen.insert(&keys::claim(claim)[..]);
        }
        let order = applied.order.as_deref().filter(|order| order.version == 1)?;
        self.seen.insert(&keys::name(&order.key)[..]);
        Some(keys::state(order))
    }

    fn get(&self, place: &[u8]) -> Result<Option<sled::IVec>, Error> {
        self.pages.get(place).map_err(|error| self.failed("read", &error))
    }

    /// Entries in sled from one place up to, but without, another.
    fn range<'a>(
        &'a self,
        from: &[u8],
        end: &[u8],
    ) -> Result<impl Iterator<Item = Result<pages::Entry, Error>> + use<'a>, Error> {
        let entries = self.pages.range(from, end).map_err(|error| self.failed("read", &error))?;
        Ok(entries.map(|entry| entry.map_err(|error| self.failed("read", &error))))
    }

    /// Entries in sled whose place begins with a byte.
    fn beginning_with(
        &self,
        first: u8,
    ) -> Result<impl Iterator<Item = Result<pages::Entry, Error>>, Error> {
        self.range(&[first], &[first + 1])
    }

    fn failed(&self, doing: &'static str, error: &impl ToString) -> Error {
        Error::Sled { path: self.path.clone(), doing, what: error.to_string() }
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Inner> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Inner> {
        self.inner.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Applies one record; answers the state that it replaced. Takes the place of an order that is
/// new from those of the batch.
fn apply_one(
    inner: &mut Inner,
    applied: Applied,
    places: &mut VecDeque<Vec<u8>>,
) -> Option<Arc<Order>> {
    if let Subject::Order(key) = &applied.subject {
        for claim in applied.claims {
            inner.claims.put(claim, key.clone());
        }
    }
    match (&applied.subject, applied.order, &*applied.record) {
        (Subject::Order(key), Some(order), _) => {
            let before = inner.orders.get(key).map(AsRef::as_ref);
            inner.undecided.note(before, &order, applied.position);
            inner.untold.note(before, &order, applied.position);
            let place = if order.version == 1 { places.pop_front() } else { None };
            inner.unlisted.extend(place.map(|place| (place, key.clone())));
            return inner.orders.put(key.clone(), order);
        }
        (_, _, Record::Key(key)) => {
            inner.keys_by_secret.insert(key.secret_sha256, key.key_id.clone());
            inner.keys.insert(key.key_id.clone(), Arc::new(key.clone()));
            inner.unwritten_small.insert(keys::key(key), record::encode(&applied.record).into());
        }
        (_, _, Record::Operator(operator)) => {
            inner.operators.insert(operator.operator.clone(), Arc::new(operator.clone()));
            let place = keys::operator(operator);
            inner.unwritten_small.insert(place, record::encode(&applied.record).into());
        }
        (_, _, Record::Subscription(s)) => {
            let key = (s.merchant.clone(), s.subscription.clone());
            inner.subscriptions.insert(key, s.clone());
            let place = keys::subscription(s);
            inner.unwritten_small.insert(place, record::encode(&applied.record).into());
        }
        _ => {}
    }
    let place = keys::version(&applied.subject);
    inner.unwritten_small.insert(place, applied.version.to_be_bytes().to_vec());
    inner.versions.insert(applied.subject, applied.version);
    None
}
