//! How far the journal reaches, and who wants to know.
//!
//! The hub carries nothing to watchers: it keeps the newest records in memory, and has each
//! thread's [`Relay`] wake those whose topic was touched. Each watcher reads what it lacks, from
//! here or from the journal; so no watcher can miss a record, and none can slow the writer.

mod relay;

#[cfg(test)]
mod tests;

use std::{
    collections::VecDeque,
    sync::{Arc, OnceLock, PoisonError, RwLock, atomic::AtomicU64},
};

use bytes::Bytes;
use tokio::sync::watch;

use crate::{
    journal::{self, Position, Reader},
    record::{self, OrderRecord, Record},
};
pub use relay::{Relay, Subscription, Topic};
use std::sync::atomic::Ordering::{Acquire, Release};

/// Records kept in memory for watchers, unless the configuration says otherwise.
pub const RECENT_MAX: usize = 16_384;
/// Records that one read hands out.
pub const READ_MAX: usize = 256;

/// A durable record, shared by all its watchers.
#[derive(Debug)]
pub struct Committed {
    /// Its position.
    pub position: Position,
    /// The version of its subject after it.
    pub version: u64,
    /// What was decided.
    pub record: Arc<Record>,
    /// Its changes as the edge sends them, encoded by the first watcher for all.
    pub encoded: OnceLock<Box<[Bytes]>>,
    /// The message of the first watcher, with the hash of its filter: for all watchers with the
    /// same filter.
    pub message: OnceLock<(u64, Bytes)>,
}

impl Committed {
    /// The record as one about an order.
    #[must_use]
    pub fn of_order(&self) -> Option<&OrderRecord> {
        match &*self.record {
            Record::Order(record) => Some(record),
            _ => None,
        }
    }
}

/// Records after a position.
#[derive(Debug)]
pub enum Recent {
    /// All that follows, up to [`READ_MAX`]; empty at the head.
    Here(Vec<Arc<Committed>>),
    /// Older than what is in memory: read the journal.
    Older,
}

/// The hub. One engine announces, everyone else waits and reads.
pub struct Hub {
    head: AtomicU64,
    news: AtomicU64,
    recent_max: usize,
    recent: RwLock<VecDeque<Arc<Committed>>>,
    announced: watch::Sender<Position>,
    journal: Arc<dyn Reader>,
}

impl Hub {
    /// A hub at the head of a journal, which keeps so many records in memory.
    #[must_use]
    pub fn new(journal: Arc<dyn Reader>, recent_max: usize) -> Self {
        Self {
            head: AtomicU64::new(journal.head()),
            news: AtomicU64::new(journal.head()),
            recent_max,
            recent: RwLock::default(),
            announced: watch::Sender::new(journal.head()),
            journal,
        }
    }

    /// Position of the newest announced record.
    #[must_use]
    pub fn head(&self) -> Position {
        self.head.load(Acquire)
    }

    /// Position of the newest record that is about an order or a webhook. What comes after it are
    /// acknowledgements, uses of keys and the like, which no reader lacks. After a start: not
    /// before it.
    #[must_use]
    pub fn news(&self) -> Position {
        self.news.load(Acquire)
    }

    /// Which journal the positions belong to.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.journal.identity().epoch
    }

    /// Makes durable records known, and wakes the relays.
    pub fn announce(&self, batch: Vec<Arc<Committed>>) {
        let Some(head) = batch.last().map(|committed| committed.position) else { return };
        let gone: Vec<_> = {
            let mut recent = self.recent.write().unwrap_or_else(PoisonError::into_inner);
            recent.extend(batch.iter().cloned());
            let excess = recent.len().saturating_sub(self.recent_max);
            recent.drain(..excess).collect()
        };
        // Freed here, not under the lock.
        drop(gone);
        let is_news = |c: &&Arc<Committed>| matches!(*c.record, Record::Order(_) | Record::Kept(_));
        if let Some(news) = batch.iter().rev().find(is_news) {
            self.news.store(news.position, Release);
        }
        self.head.store(head, Release);
        // Only now: a relay that is woken finds the records and the head.
        self.announced.send_replace(head);
    }

    /// Tells when more is announced.
    #[must_use]
    pub fn announced(&self) -> watch::Receiver<Position> {
        self.announced.subscribe()
    }

    /// Position of the newest record that watchers may read.
    fn reach(&self) -> Position {
        let recent = self.recent.read().unwrap_or_else(PoisonError::into_inner);
        recent.back().map_or_else(|| self.head(), |newest| newest.position)
    }

    /// Records after a position, if they are in memory.
    #[must_use]
    pub fn recent(&self, after: Position) -> Recent {
        let recent = self.recent.read().unwrap_or_else(PoisonError::into_inner);
        if after >= recent.back().map_or_else(|| self.head(), |newest| newest.position) {
            return Recent::Here(Vec::new());
        }
        match recent.front() {
            Some(first) if first.position <= after + 1 => {
                let skip = usize::try_from(after + 1 - first.position).unwrap_or(usize::MAX);
                Recent::Here(recent.iter().skip(skip).take(READ_MAX).cloned().collect())
            }
            _ => Recent::Older,
        }
    }

    /// Records after a position, from the journal. Blocks.
    ///
    /// # Errors
    /// A journal that cannot be read, or a record in it that cannot.
    pub fn read_journal(&self, after: Position) -> Result<Vec<Arc<Committed>>, ReadError> {
        let records = self.journal.read(after, READ_MAX)?;
        let reach = self.reach();
        records.into_iter().take_while(|r| r.position <= reach).map(decode).collect()
    }

    /// One record, from the journal. Blocks.
    ///
    /// # Errors
    /// As [`Hub::read_journal`].
    pub fn read_one(&self, position: Position) -> Result<Option<Arc<Committed>>, ReadError> {
        self.journal.read_one(position)?.map(decode).transpose()
    }

    /// The journal itself, for what is not a stream: timelines and raw webhooks.
    #[must_use]
    pub fn journal(&self) -> &Arc<dyn Reader> {
        &self.journal
    }
}

/// Why records could not be read back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The journal failed.
    #[error(transparent)]
    Journal(#[from] journal::Error),
    /// A record is not readable.
    #[error("the record at position {position} cannot be read: {source}")]
    Record {
        /// Where.
        position: Position,
        /// Why.
        #[source]
        source: record::Unreadable,
    },
}

fn decode(stored: journal::Stored) -> Result<Arc<Committed>, ReadError> {
    let record = record::decode(&stored.record)
        .map_err(|source| ReadError::Record { position: stored.position, source })?;
    Ok(Arc::new(Committed {
        position: stored.position,
        version: stored.version,
        record: Arc::new(record),
        encoded: OnceLock::new(),
        message: OnceLock::new(),
    }))
}
