//! Opens the view, and brings it up to date with the journal: by what it lacks if it is sound,
//! from the beginning if it is missing, damaged, of an older format or of another journal.

use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{Arc, RwLock, atomic::AtomicBool, atomic::AtomicU64, atomic::Ordering::Release},
};

use fastbloom::AtomicBloomFilter;

use super::{Applied, Error, Inner, Store, keys, pages::Pages, writer::Wanted, writer::Writer};
use crate::{
    domain::order::Order,
    journal::{Position, Reader, Stored},
    record::{self, Record},
};

/// How the view is opened.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Bytes of memory that sled may use for its own cache. Budget three times as much.
    pub cache_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { cache_bytes: 256 * 1024 * 1024 }
    }
}

/// How far bringing the view up to date has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Records applied.
    pub applied: Position,
    /// Records to apply in all.
    pub head: Position,
}

/// Format of the view. Another one is rebuilt.
const FORMAT: u32 = 6;
/// Records read from the journal at once.
const REPLAY_RECORDS: usize = 1000;
/// Names and claims that the "surely new" filter is made for, at the least.
const SEEN_MIN: usize = 4_000_000;
/// How often the filter is wrong when it is that full; then sled is asked once in vain.
const SEEN_ERRORS: f64 = 0.01;

/// How often a view that is locked is tried again, and how long it is waited for each time: five
/// seconds in all.
const LOCK_TRIES: u32 = 250;
const LOCK_PAUSE: std::time::Duration = std::time::Duration::from_millis(20);

impl Store {
    /// Opens the view in a folder and brings it up to date.
    ///
    /// # Errors
    /// [`Error`]: a journal that cannot be read, or a folder in which sled cannot work at all.
    pub fn open(
        folder: &Path,
        options: Options,
        journal: &dyn Reader,
        mut progress: impl FnMut(Progress),
    ) -> Result<(Arc<Self>, Writer), Error> {
        // A damaged file can make sled panic rather than fail, also when it is read later.
        let opened = catch_unwind(AssertUnwindSafe(|| {
            Self::open_sound(folder, options, journal, &mut progress)
        }));
        let damaged = |_| Error::Sled {
            path: folder.display().to_string(),
            doing: "opened",
            what: "its file is damaged".to_owned(),
        };
        match opened.map_err(damaged).flatten() {
            Ok(opened) => Ok(opened),
            Err(Error::Journal(error)) => Err(Error::Journal(error)),
            Err(Error::Record { position, source }) => Err(Error::Record { position, source }),
            // It is not ours to remove.
            Err(locked @ Error::Locked { .. }) => Err(locked),
            Err(reason) => {
                tracing::warn!(%reason, "the view is rebuilt from the journal");
                remove(folder)?;
                Self::open_sound(folder, options, journal, &mut progress)
            }
        }
    }

    fn open_sound(
        folder: &Path,
        options: Options,
        journal: &dyn Reader,
        progress: &mut impl FnMut(Progress),
    ) -> Result<(Arc<Self>, Writer), Error> {
        let db = open_sled(folder, options)?;
        let path = folder.display().to_string();
        let pages = Pages::open(&db).map_err(|error| Error::Sled {
            path: path.clone(),
            doing: "opened",
            what: error.to_string(),
        })?;
        let store = Self {
            seen: AtomicBloomFilter::with_false_pos(SEEN_ERRORS).expected_items(SEEN_MIN),
            seen_is_complete: AtomicBool::new(false),
            inner: RwLock::new(Inner::default()),
            applied: AtomicU64::new(0),
            written: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
            withdrawn: tokio::sync::watch::Sender::new(()),
            wake: (std::sync::Mutex::new(Wanted::Nothing), std::sync::Condvar::new()),
            stepping: std::sync::Mutex::new(()),
            epoch: journal.identity().epoch,
            db,
            pages,
            path,
        };
        let written = store.check_meta(journal)?;
        store.applied.store(written, Release);
        store.written.store(written, Release);
        store.load()?;
        let store = Arc::new(store);
        let writer = Writer::start(Arc::clone(&store)).map_err(|error| Error::Sled {
            path: store.path.clone(),
            doing: "served by a thread",
            what: error.to_string(),
        })?;
        store.catch_up(journal, progress)?;
        Ok((store, writer))
    }

    /// Applies what the journal has and the view lacks.
    ///
    /// # Errors
    /// [`Error`] of the journal or the view.
    pub fn catch_up(
        &self,
        journal: &dyn Reader,
        progress: &mut impl FnMut(Progress),
    ) -> Result<(), Error> {
        loop {
            let records = journal.read(self.applied(), REPLAY_RECORDS)?;
            if records.is_empty() {
                return Ok(());
            }
            for stored in &records {
                let applied = self.replay(stored)?;
                self.apply(&mut vec![applied])?;
            }
            progress(Progress { applied: self.applied(), head: journal.head() });
        }
    }

    /// What a record of the journal leaves behind.
    ///
    /// # Errors
    /// [`Error::Record`] if it cannot be read.
    pub fn replay(&self, stored: &Stored) -> Result<Applied, Error> {
        let unreadable = |source| Error::Record { position: stored.position, source };
        let record = record::decode(&stored.record).map_err(unreadable)?;
        let order = match &record {
            Record::Order(r) => {
                let known = self.find_order(&r.key)?;
                let mut order =
                    known.map_or_else(|| Order::new(r.key.clone()), |order| (*order).clone());
                order.apply(stored.position, &r.decided);
                Some(Arc::new(order))
            }
            _ => None,
        };
        let claims = stored.claims.iter().map(|bytes| record::decode_claim(bytes));
        Ok(Applied {
            position: stored.position,
            subject: record.subject(),
            version: stored.version,
            order,
            claims: claims.collect::<Result<_, _>>().map_err(unreadable)?,
            record: Arc::new(record),
        })
    }

    fn check_meta(&self, journal: &dyn Reader) -> Result<Position, Error> {
        let meta = self.db.get(keys::META).map_err(|error| self.failed("read", &error))?;
        let Some(meta) = meta else {
            let is_empty = self.db.is_empty() && self.pages.is_empty();
            return if is_empty { Ok(0) } else { Err(self.unsound("it has no position")) };
        };
        let number = |range: std::ops::Range<usize>| {
            meta.get(range).and_then(|b| b.try_into().ok()).map(u64::from_be_bytes)
        };
        let (Some(format), Some(epoch), Some(applied)) =
            (number(0..8), number(8..16), number(16..24))
        else {
            return Err(self.unsound("its position cannot be read"));
        };
        if format != u64::from(FORMAT) {
            return Err(self.unsound("it has another format"));
        }
        if epoch != journal.identity().epoch {
            return Err(self.unsound("it belongs to another journal"));
        }
        if applied > journal.head() {
            tracing::error!(applied, head = journal.head(), "the journal ends before the view");
            return Err(self.unsound("it is ahead of the journal"));
        }
        Ok(applied)
    }

    /// Bytes of the entry that says up to where sled holds.
    pub(super) fn meta(&self, applied: Position) -> Vec<u8> {
        [u64::from(FORMAT), self.epoch, applied].iter().flat_map(|n| n.to_be_bytes()).collect()
    }

    fn unsound(&self, what: &str) -> Error {
        Error::Sled { path: self.path.clone(), doing: "trusted", what: what.to_owned() }
    }

    /// Loads what is small enough to stand in memory whole, and starts filling the filter.
    fn load(&self) -> Result<(), Error> {
        let mut inner = self.write();
        for entry in self.beginning_with(keys::KEY)? {
            let (_, bytes) = entry?;
            if let Record::Key(key) = record::decode(&bytes).map_err(Error::State)? {
                inner.keys_by_secret.insert(key.secret_sha256, key.key_id.clone());
                inner.keys.insert(key.key_id.clone(), Arc::new(key));
            }
        }
        for entry in self.beginning_with(keys::OPERATOR)? {
            let (_, bytes) = entry?;
            if let Record::Operator(operator) = record::decode(&bytes).map_err(Error::State)? {
                inner.operators.insert(operator.operator.clone(), Arc::new(operator));
            }
        }
        for entry in self.beginning_with(keys::SUBSCRIPTION)? {
            let (_, bytes) = entry?;
            if let Record::Subscription(s) = record::decode(&bytes).map_err(Error::State)? {
                inner.subscriptions.insert((s.merchant.clone(), s.subscription.clone()), s);
            }
        }
        for entry in self.beginning_with(keys::VERSION)? {
            let (place, bytes) = entry?;
            let subject = record::decode_subject(&place[1..]).map_err(Error::State)?;
            let version = bytes.as_ref().try_into().map_or(0, u64::from_be_bytes);
            inner.versions.insert(subject, version);
        }
        drop(inner);
        for first in [keys::NAME, keys::CLAIM] {
            for entry in self.beginning_with(first)? {
                self.seen.insert(&*entry?.0);
            }
        }
        self.seen_is_complete.store(true, Release);
        Ok(())
    }

    /// Every place that sled holds something at. For `verify`.
    ///
    /// # Errors
    /// [`Error::Sled`].
    pub(super) fn places(&self) -> Result<BTreeSet<Vec<u8>>, Error> {
        let entries = self.range(&[], &[u8::MAX])?;
        entries.map(|entry| Ok(entry?.0.to_vec())).collect()
    }
}

fn open_sled(folder: &Path, options: Options) -> Result<sled::Db, Error> {
    remove_unfinished_snapshots(folder);
    let config = sled::Config::new()
        .path(folder)
        .cache_capacity(options.cache_bytes)
        .flush_every_ms(Some(500));
    let path = folder.display().to_string();
    open_free(&config).map_err(|error| match is_locked(&error) {
        true => Error::Locked { path },
        false => Error::Sled { path, doing: "opened", what: error.to_string() },
    })
}

fn is_locked(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(error) if error.to_string().contains("acquire lock"))
}

/// Opens it once it is free. Whoever had it in this process may have dropped it, but sled gives
/// its lock back only when its own threads are done.
pub(super) fn open_free(config: &sled::Config) -> sled::Result<sled::Db> {
    for _ in 0..LOCK_TRIES {
        match config.open() {
            Err(error) if is_locked(&error) => std::thread::park_timeout(LOCK_PAUSE),
            opened => return opened,
        }
    }
    config.open()
}

/// A crash while sled writes a snapshot leaves a file that it cannot open (sled issue 1527).
fn remove_unfinished_snapshots(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().ends_with(".generating") {
            drop(std::fs::remove_file(entry.path()));
        }
    }
}

fn remove(folder: &Path) -> Result<(), Error> {
    std::fs::remove_dir_all(folder).map_err(|error| Error::Sled {
        path: folder.display().to_string(),
        doing: "removed to be rebuilt",
        what: error.to_string(),
    })
}
