//! Writes the view to sled, in steps: some seconds of changes at once, each state only in its
//! newest form, sorted by place.
//!
//! A step need not be atomic. Each state carries its own position and `apply` skips what it
//! already holds; the applied position is written last. So a crash between two pages of a
//! step only means that some records are applied again at the next start.

use std::{
    collections::BTreeMap,
    hash::Hash,
    sync::{
        Arc, PoisonError,
        atomic::Ordering::{Acquire, Release},
    },
    thread::JoinHandle,
    time::Duration,
};

use sled::IVec;

use super::{
    Error, Store, UNWRITTEN_MAX,
    index::Writing,
    keys,
    layered::{HashMap, Layered},
    pages,
};
use crate::{
    domain::{
        ids::{Claim, OrderKey},
        order::Order,
    },
    journal::Position,
    record,
};

/// Longest time that a change waits to be written to sled.
const STEP_EVERY: Duration = Duration::from_secs(10);
/// Values that are moved under one lock.
const PART_MAX: usize = 1_000;

/// What the writer is asked to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wanted {
    /// Nothing before the interval is over.
    Nothing,
    /// Write now.
    Write,
    /// Write what is left, and end.
    End,
}

/// The thread that writes; ends, with everything written, when this is dropped.
pub struct Writer {
    store: Arc<Store>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts writing.
    pub(super) fn start(store: Arc<Store>) -> std::io::Result<Self> {
        let shared = Arc::clone(&store);
        let builder = std::thread::Builder::new().name("view-writer".into());
        let thread = builder.spawn(move || run(&shared))?;
        Ok(Self { store, thread: Some(thread) })
    }

    /// Has everything that is applied now written, and waits for it. The next step comes after
    /// the whole interval again.
    ///
    /// # Errors
    /// [`Error::Stopped`] if the writer failed.
    pub fn write_now(&self) -> Result<(), Error> {
        let applied = self.store.applied();
        self.store.want(Wanted::Write);
        while !self.store.stopped.load(Acquire) {
            if self.store.written() >= applied {
                return Ok(());
            }
            self.store.wait_for_step();
        }
        Err(Error::Stopped)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.store.want(Wanted::End);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the view's writer panicked; the view is rebuilt if it is damaged");
        }
    }
}

fn run(store: &Store) {
    // However this ends, also by a panic of sled: nobody may wait for room for ever.
    let _stopped = Stop(store);
    loop {
        let wanted = store.wait_until_wanted();
        if let Err(error) = store.write_step() {
            tracing::error!(%error, "the view cannot be written; the engine stops");
            return;
        }
        store.wake.1.notify_all();
        if wanted == Wanted::End {
            return;
        }
    }
}

/// What is written at once.
struct Step {
    applied: Position,
    orders: Arc<HashMap<OrderKey, Arc<Order>>>,
    claims: Arc<HashMap<Claim, OrderKey>>,
    indexes: [Writing; 2],
    small: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Step {
    /// What is to be put where, sorted by place. An order that was never written, as far as
    /// `written` says, has no name there yet; writing a name again does no harm.
    fn puts(&self, written: Position) -> Vec<(IVec, Put<'_>)> {
        let mut puts = Vec::with_capacity(2 * self.orders.len() + self.claims.len());
        for (key, order) in &*self.orders {
            let place = IVec::from(keys::state(order));
            if order.positions.first().is_some_and(|first| *first > written) {
                puts.push((IVec::from(&keys::name(key)[..]), Put::Bytes(place.clone())));
            }
            puts.push((place, Put::Order(order)));
        }
        for (claim, key) in &*self.claims {
            puts.push((IVec::from(&keys::claim(claim)[..]), Put::Key(key)));
        }
        for (place, bytes) in &self.small {
            puts.push((place.as_slice().into(), Put::Bytes(bytes.as_slice().into())));
        }
        for (place, says) in self.indexes.iter().flat_map(Writing::places) {
            puts.push((place.into(), says.map_or(Put::Nothing, Put::Bytes)));
        }
        puts.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        puts
    }
}

/// What is put into sled at one place. Made into bytes only when its page is written: a step is
/// large, and fresh memory for all of it at once is dear.
enum Put<'a> {
    Order(&'a Order),
    Key(&'a OrderKey),
    Bytes(IVec),
    Nothing,
}

impl Put<'_> {
    /// What the place is to hold; `None` if it is to be empty.
    fn bytes(&self) -> Option<IVec> {
        Some(match self {
            Self::Order(order) => record::encode_order(order).into(),
            Self::Key(key) => IVec::from(&*record::encode_key(key)),
            Self::Bytes(bytes) => bytes.clone(),
            Self::Nothing => return None,
        })
    }
}

/// Says that nothing will be written any more.
struct Stop<'a>(&'a Store);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.stopped.store(true, Release);
        self.0.wake.1.notify_all();
    }
}

impl Store {
    /// Asks the writer for something; a stronger wish stands.
    pub(super) fn want(&self, wanted: Wanted) {
        let mut now = self.wake.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now = (*now).max(wanted);
        drop(now);
        self.wake.1.notify_all();
    }

    /// Waits until there is room for another batch.
    pub(super) fn wait_for_room(&self) -> Result<(), Error> {
        while !self.stopped.load(Acquire) {
            if self.read().orders.unwritten() < UNWRITTEN_MAX {
                return Ok(());
            }
            self.want(Wanted::Write);
            self.wait_for_step();
        }
        Err(Error::Stopped)
    }

    /// Waits for the end of a step, or for some milliseconds.
    fn wait_for_step(&self) {
        let guard = self.wake.0.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.wake.1.wait_timeout(guard, Duration::from_millis(50)));
    }

    fn wait_until_wanted(&self) -> Wanted {
        let guard = self.wake.0.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = |wanted: &mut Wanted| *wanted == Wanted::Nothing;
        let waited = self.wake.1.wait_timeout_while(guard, STEP_EVERY, idle);
        let (mut guard, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let wanted = *guard;
        if wanted == Wanted::Write {
            *guard = Wanted::Nothing;
        }
        wanted
    }

    /// Writes everything that is in memory only.
    pub(crate) fn write_step(&self) -> Result<(), Error> {
        let _one_at_a_time = self.stepping.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(step) = self.begin_step() else { return Ok(()) };
        self.write_pages(&step).map_err(|error| self.failed("written", &error))?;
        self.end_step(step);
        Ok(())
    }

    /// Takes what is to be written, with the position that it fits to.
    fn begin_step(&self) -> Option<Step> {
        let mut inner = self.write();
        let applied = self.applied();
        if applied == self.written() {
            return None;
        }
        inner.listing = std::mem::take(&mut inner.unlisted);
        Some(Step {
            applied,
            orders: inner.orders.begin_write(),
            claims: inner.claims.begin_write(),
            indexes: [inner.undecided.begin_write(), inner.untold.begin_write()],
            small: std::mem::take(&mut inner.unwritten_small),
        })
    }

    fn write_pages(&self, step: &Step) -> Result<(), pages::Error> {
        let puts = step.puts(self.written());
        self.pages.write(puts.iter().map(|(place, put)| (&**place, put.bytes())))?;
        self.db.insert(keys::META, self.meta(step.applied))?;
        Ok(())
    }

    /// Remembers what is in sled now as such.
    fn end_step(&self, Step { applied, orders, claims, indexes, .. }: Step) {
        each_part(&orders, |part| self.write().orders.wrote_some(part));
        each_part(&claims, |part| self.write().claims.wrote_some(part));
        drop((orders, claims));
        let mut inner = self.write();
        let listed = std::mem::take(&mut inner.listing);
        let forgotten = (inner.orders.wrote(), inner.claims.wrote());
        inner.undecided.wrote();
        inner.untold.wrote();
        self.written.store(applied, Release);
        // Freed here, not under the lock.
        drop(inner);
        drop((forgotten, listed, indexes));
    }
}

/// Hands out what was written in parts of limited size, as every reader waits for each; but for
/// what becomes a generation as it is.
fn each_part<K: Eq + Hash + Clone, V: Clone>(
    map: &HashMap<K, V>,
    mut take: impl FnMut(Vec<(&K, &V)>),
) {
    if Layered::is_generation(map) {
        return;
    }
    let mut all = map.iter().peekable();
    while all.peek().is_some() {
        take(all.by_ref().take(PART_MAX).collect());
    }
}
