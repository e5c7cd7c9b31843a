//! One segment file as writer and readers share it.

use std::{
    fs::File,
    path::PathBuf,
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use super::head::{HEAD_BYTES, Head};
use crate::journal::{Error, Position};

/// Every so many records the index knows one; a reader skips at most the others.
pub(super) const INDEX_EVERY: u64 = 64;
/// Offsets in a segment fit 32 bits, with room for the largest append.
pub(super) const SEGMENT_BYTES_MAX: u64 = 2 * 1024 * 1024 * 1024;

/// An open segment.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) path: PathBuf,
    pub(super) file: File,
    pub(super) head: Head,
    /// What its checksums start from.
    pub(super) seed: u32,
    /// Offsets of the first record and of every [`INDEX_EVERY`]th after it.
    index: RwLock<Vec<u32>>,
    /// Where the durable records end.
    end: AtomicU64,
}

impl Segment {
    /// A segment with records up to `end`.
    pub(super) fn new(path: PathBuf, file: File, head: Head, index: Vec<u32>, end: u64) -> Self {
        let (index, end) = (RwLock::new(index), AtomicU64::new(end));
        Self { path, file, head, seed: head.seed(), index, end }
    }

    /// A segment without records.
    pub(super) fn empty(path: PathBuf, file: File, head: Head) -> Self {
        Self::new(path, file, head, Vec::new(), HEAD_BYTES as u64)
    }

    /// Where the durable records end.
    pub(super) fn end(&self) -> u64 {
        self.end.load(Ordering::Acquire)
    }

    /// The nearest known record at or before `position`, and where it is.
    pub(super) fn locate(&self, position: Position) -> (Position, u64) {
        let slot = (position - self.head.first) / INDEX_EVERY;
        let index = self.index.read().unwrap_or_else(PoisonError::into_inner);
        let offset = index.get(slot as usize).copied().map_or(HEAD_BYTES as u64, u64::from);
        (self.head.first + slot * INDEX_EVERY, offset)
    }

    /// True if the index must know this record.
    pub(super) fn indexes(&self, position: Position) -> bool {
        (position - self.head.first).is_multiple_of(INDEX_EVERY)
    }

    /// Lets readers see durable records up to `end`.
    pub(super) fn publish(&self, offsets: &[u32], end: u64) {
        let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
        index.extend_from_slice(offsets);
        self.end.store(end, Ordering::Release);
    }

    /// The index as it is now.
    pub(super) fn index(&self) -> Vec<u32> {
        self.index.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Says that a record here cannot be read.
    pub(super) fn damaged(&self, position: Position, offset: u64, what: &str) -> Error {
        let path = self.path.display().to_string();
        Error::Damaged { position, path, offset, what: what.to_owned() }
    }
}
