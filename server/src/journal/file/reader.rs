//! The reading end: any thread, any position, no lock held while it reads.

use std::sync::{
    Arc, PoisonError, RwLock,
    atomic::{AtomicU64, Ordering},
};

use super::{
    directory::io,
    frame::{HEADER_BYTES, Header},
    segment::Segment,
    window::Window,
};
use crate::journal::{Error, Identity, Position, READ_BYTES_MAX, Reader, Stored};

/// Records that a result is sized for before any was read.
const RESERVED_RECORDS_MAX: u64 = 1024;

/// What the writer shows to readers.
#[derive(Debug)]
pub(super) struct Shared {
    identity: Identity,
    head: AtomicU64,
    segments: RwLock<Vec<Arc<Segment>>>,
}

impl Shared {
    /// All that was found at opening.
    pub(super) fn new(identity: Identity, head: Position, segments: Vec<Arc<Segment>>) -> Self {
        Self { identity, head: AtomicU64::new(head), segments: RwLock::new(segments) }
    }

    /// Shows a new segment.
    pub(super) fn add(&self, segment: Arc<Segment>) {
        self.segments.write().unwrap_or_else(PoisonError::into_inner).push(segment);
    }

    /// Shows records up to `head`, all of which are durable and in their segment's index.
    pub(super) fn publish(&self, head: Position) {
        self.head.store(head, Ordering::Release);
    }

    /// The segment that holds `position`, which is at most the head.
    pub(super) fn segment(&self, position: Position) -> Arc<Segment> {
        let segments = self.segments.read().unwrap_or_else(PoisonError::into_inner);
        let after = segments.partition_point(|segment| segment.head.first <= position);
        segments[after - 1].clone()
    }
}

impl Reader for Shared {
    fn read(&self, after: Position, limit: usize) -> Result<Vec<Stored>, Error> {
        let head = self.head();
        if after >= head {
            return Ok(Vec::new());
        }
        let reserved = (head - after).min(RESERVED_RECORDS_MAX) as usize;
        let records = Vec::with_capacity(reserved.min(limit));
        let mut page = Page { records, limit, bytes: 0, is_full: limit == 0 };
        let mut next = after + 1;
        while next <= head && !page.is_full {
            next = page.fill(&self.segment(next), next, head)?;
        }
        Ok(page.records)
    }

    fn head(&self) -> Position {
        self.head.load(Ordering::Acquire)
    }

    fn identity(&self) -> Identity {
        self.identity
    }
}

/// What one call of `read` gives.
struct Page {
    records: Vec<Stored>,
    limit: usize,
    bytes: usize,
    is_full: bool,
}

impl Page {
    /// Takes records of one segment from `next` on; answers the position to go on at.
    fn fill(&mut self, segment: &Segment, next: Position, head: Position) -> Result<u64, Error> {
        let end = segment.end();
        let mut window = Window::new(&segment.file, end);
        let (mut position, mut offset) = segment.locate(next);
        loop {
            let header = header_at(&mut window, segment, position, offset)?;
            let bytes = header.frame_bytes();
            if position >= next {
                self.bytes += bytes;
                if self.bytes > READ_BYTES_MAX && !self.records.is_empty() {
                    self.is_full = true;
                    return Ok(position);
                }
                self.records.push(record_at(&mut window, segment, &header, offset)?);
                self.is_full = self.records.len() == self.limit;
            }
            position += 1;
            offset += bytes as u64;
            if self.is_full || position > head || offset >= end {
                return Ok(position);
            }
        }
    }
}

/// The header of a record that must be at `offset`.
pub(super) fn header_at(
    window: &mut Window<'_>,
    segment: &Segment,
    position: Position,
    offset: u64,
) -> Result<Header, Error> {
    let bytes = window.at(offset, HEADER_BYTES).map_err(io("read", &segment.path))?;
    Header::decode(bytes, segment.seed)
        .filter(|header| header.position == position)
        .ok_or_else(|| segment.damaged(position, offset, "the record's header is unreadable"))
}

fn record_at(
    window: &mut Window<'_>,
    segment: &Segment,
    header: &Header,
    offset: u64,
) -> Result<Stored, Error> {
    let seed = segment.seed;
    let frame = window.at(offset, header.frame_bytes()).map_err(io("read", &segment.path))?;
    if let Ok(stored) = header.read(frame, seed) {
        return Ok(stored);
    }
    // An attachment may just have been erased under our eyes; then it is marked so now.
    window.forget();
    let frame = window.at(offset, header.frame_bytes()).map_err(io("read", &segment.path))?;
    header.read(frame, seed).map_err(|what| segment.damaged(header.position, offset, what))
}
