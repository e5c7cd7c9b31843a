//! The records that all writers and readers share, and the rules of a replicated log.

use std::{
    collections::{HashMap, HashSet},
    sync::{PoisonError, RwLock},
};

use bytes::Bytes;

use crate::journal::{
    Appended, Attachment, Entry, Error, Identity, Position, READ_BYTES_MAX, Reader, Stored,
};

/// A log.
#[derive(Debug)]
pub(super) struct Log {
    identity: Identity,
    state: RwLock<State>,
}

#[derive(Debug, Default)]
struct State {
    records: Vec<Stored>,
    versions: HashMap<Bytes, u64>,
    /// Which subject holds a claim.
    claims: HashMap<Bytes, Bytes>,
}

impl Log {
    /// An empty log.
    pub(super) fn new(epoch: u64) -> Self {
        Self { identity: Identity { epoch }, state: RwLock::default() }
    }

    /// Appends what does not conflict; linked entries all or none, and nothing about a subject of
    /// which an earlier entry conflicted, even if its version fits by chance.
    pub(super) fn append(&self, entries: &[Entry]) -> Vec<Appended> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let mut answers = Vec::with_capacity(entries.len());
        let mut failed: HashSet<&Bytes> = HashSet::new();
        for group in entries.chunk_by(|entry, _| entry.linked_to_next) {
            let is_based_on_failed = group.iter().any(|entry| failed.contains(&entry.subject));
            if !is_based_on_failed && state.admits(group) {
                answers.extend(group.iter().map(|entry| state.add(entry)));
            } else {
                failed.extend(group.iter().map(|entry| &entry.subject));
                answers.extend(group.iter().map(|_| Appended::Conflict));
            }
        }
        answers
    }
}

impl State {
    /// True if each entry of a group may follow those before it.
    fn admits(&self, group: &[Entry]) -> bool {
        let mut versions = HashMap::new();
        let mut claims = HashMap::new();
        group.iter().all(|entry| {
            let known = versions.get(&entry.subject).or_else(|| self.versions.get(&entry.subject));
            let is_current = known.copied().unwrap_or(0) == entry.expected_version;
            versions.insert(&entry.subject, entry.expected_version + 1);
            let is_free = entry.claims.iter().all(|claim| {
                let holder = claims.get(claim).copied().or_else(|| self.claims.get(claim));
                claims.entry(claim).or_insert(&entry.subject);
                holder.is_none_or(|holder| *holder == entry.subject)
            });
            is_current && is_free
        })
    }

    fn add(&mut self, entry: &Entry) -> Appended {
        let position = self.records.len() as u64 + 1;
        let version = entry.expected_version + 1;
        self.versions.insert(entry.subject.clone(), version);
        for claim in &entry.claims {
            self.claims.entry(claim.clone()).or_insert_with(|| entry.subject.clone());
        }
        self.records.push(Stored {
            position,
            subject: entry.subject.clone(),
            version,
            entry_id: entry.entry_id,
            claims: entry.claims.clone(),
            record: entry.record.clone(),
            attachments: entry.attachments.clone(),
        });
        Appended::Committed(position)
    }
}

impl Reader for Log {
    fn read(&self, after: Position, limit: usize) -> Result<Vec<Stored>, Error> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let start = (after as usize).min(state.records.len());
        let mut bytes = 0;
        let fits = |record: &&Stored| {
            let is_first = bytes == 0;
            bytes += stored_bytes(record);
            is_first || bytes <= READ_BYTES_MAX
        };
        Ok(state.records[start..].iter().take(limit).take_while(fits).cloned().collect())
    }

    fn head(&self) -> Position {
        self.state.read().unwrap_or_else(PoisonError::into_inner).records.len() as u64
    }

    fn identity(&self) -> Identity {
        self.identity
    }
}

fn stored_bytes(stored: &Stored) -> usize {
    let attached = |attachment: &Attachment| attachment.bytes.as_ref().map_or(0, Bytes::len);
    // At least 1, so that the first record is told from the others.
    1 + stored.record.len() + stored.attachments.iter().map(attached).sum::<usize>()
}
