//! The journal as files in one directory.
//!
//! ```text
//! identity                   which journal this is (`head`), made last when a journal is made
//! lock                       locked while a process owns the directory
//! 00000000000000000001.log   a segment, named by its first position: head, records (`frame`), and
//! 00000000000000150277.log   a `seal` in all but the last; the last ends in allocated zeros
//! spare                      the next segment in the making; means nothing
//! ```
//!
//! Everything that decides what is whole and what is damage is in `opening`, `walk` and `tail`.
//! This module keeps out what the records say.
//!
//! The lock makes the owner of the [`FileJournal`] the only writer there is, and it decides each
//! entry on what it wrote itself. So versions and claims cannot conflict here, and they are not
//! checked: that would need every subject in memory, a second time. The answer is always
//! [`Appended::Committed`].

mod directory;
mod encode;
mod erase;
mod found;
mod frame;
mod head;
mod layout;
mod opening;
mod reader;
mod seal;
mod segment;
mod spare;
mod tail;
#[cfg(test)]
mod tests;
mod walk;
mod window;

use std::{
    fs::File,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use self::{
    directory::io,
    encode::{Place, encode, encoded_bytes},
    head::{HEAD_BYTES, Head, Kind},
    opening::{Opened, begin_segment, open},
    reader::Shared,
    seal::Seal,
    segment::{SEGMENT_BYTES_MAX, Segment},
    spare::{Spare, allocate},
};
use super::{Appended, Entry, Error, Identity, Journal, Position, Reader, limits};

/// Size of a segment, unless the options say otherwise.
pub const SEGMENT_BYTES_DEFAULT: u64 = 128 * 1024 * 1024;
/// A buffer that grew beyond this for one large append is given back.
const BUFFER_BYTES_KEPT_MAX: usize = 4 * 1024 * 1024;

/// How a directory is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// Space that is allocated for a segment at once. Only an append that is larger by itself
    /// makes a larger segment.
    pub segment_bytes: u64,
    /// How much is checked before the journal opens.
    pub check: Check,
}

impl Default for Options {
    fn default() -> Self {
        Self { segment_bytes: SEGMENT_BYTES_DEFAULT, check: Check::Records }
    }
}

/// How much of a journal is checked before it opens. Reading checks each record in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// That all segments are there, and the records of the last one.
    Tail,
    /// Every record and attachment, by checksums.
    Records,
    /// Also every attachment by its hash. Slower by far: for a verification.
    Hashes,
}

/// A journal in a directory of its own, which it locks as long as it lives.
#[derive(Debug)]
pub struct FileJournal {
    directory: PathBuf,
    segment_bytes: u64,
    shared: Arc<Shared>,
    active: Active,
    next: Position,
    spare: Spare,
    buffer: Vec<u8>,
    is_stopped: bool,
    // Last, so that the directory is given up when nothing happens in it any more.
    _lock: File,
}

/// The segment that is written to.
#[derive(Debug)]
struct Active {
    segment: Arc<Segment>,
    end: u64,
    /// Space that is allocated.
    bytes: u64,
}

impl FileJournal {
    /// Opens the journal in `directory`, or makes a new one if the directory is empty or missing.
    ///
    /// An append that a crash cut short is removed. It was never acknowledged.
    ///
    /// # Errors
    /// [`Error::InUse`], [`Error::NewerFormat`] or [`Error::Damaged`], after which nothing is
    /// changed; or [`Error::Io`].
    pub fn open(directory: &Path, options: Options) -> Result<Self, Error> {
        let smallest = (HEAD_BYTES * 2) as u64;
        let segment_bytes = options.segment_bytes.clamp(smallest, SEGMENT_BYTES_MAX / 2);
        let options = Options { segment_bytes, ..options };
        let lock = directory::lock(directory)?;
        let Opened { epoch, segments, next } = open(directory, &options)?;
        let last = segments.last().expect("a journal has a segment").clone();
        let bytes = last.file.metadata().map_err(io("read", &last.path))?.len();
        Ok(Self {
            directory: directory.to_owned(),
            segment_bytes,
            active: Active { end: last.end(), bytes, segment: last },
            shared: Arc::new(Shared::new(Identity { epoch }, next - 1, segments)),
            next,
            spare: Spare::new(directory, segment_bytes),
            buffer: Vec::new(),
            is_stopped: false,
            _lock: lock,
        })
    }

    /// Erases the bytes of one attachment, for ever; its kind and hash remain. False if there is
    /// no such attachment. Repeating it finishes what a crash interrupted.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn erase(&mut self, position: Position, attachment: usize) -> Result<bool, Error> {
        if self.is_stopped {
            return Err(Error::Stopped);
        }
        if position == 0 || position >= self.next {
            return Ok(false);
        }
        let result = erase::erase(&self.shared.segment(position), position, attachment);
        self.is_stopped = result.is_err();
        result
    }

    fn write(&mut self, entries: &[Entry]) -> Result<Vec<Appended>, Error> {
        let bytes = entries.iter().map(encoded_bytes).sum::<usize>() as u64;
        if self.active.end + bytes > self.active.bytes {
            self.make_room(bytes)?;
        }
        let first = self.next;
        let offsets = self.encode(entries);
        let Active { segment, end, .. } = &mut self.active;
        segment.file.write_all_at(&self.buffer, *end).map_err(io("write", &segment.path))?;
        segment.file.sync_data().map_err(io("sync", &segment.path))?;
        *end += bytes;
        self.next += entries.len() as u64;
        segment.publish(&offsets, *end);
        self.shared.publish(self.next - 1);
        if self.active.end > self.active.bytes / 2 {
            self.spare.prepare();
        }
        Ok((first..self.next).map(Appended::Committed).collect())
    }

    /// Fills the buffer; answers where the records begin that the index must know.
    fn encode(&mut self, entries: &[Entry]) -> Vec<u32> {
        self.buffer.clear();
        self.buffer.shrink_to(BUFFER_BYTES_KEPT_MAX);
        let segment = &self.active.segment;
        let mut offsets = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            let position = self.next + index as u64;
            if segment.indexes(position) {
                offsets.push((self.active.end + self.buffer.len() as u64) as u32);
            }
            let place = Place {
                position,
                batch_index: index as u16,
                linked_to_next: entry.linked_to_next && index + 1 < entries.len(),
                seed: segment.seed,
            };
            encode(entry, place, &mut self.buffer);
        }
        offsets
    }

    /// Goes on to the next segment, because an append never spans two.
    fn make_room(&mut self, bytes: u64) -> Result<(), Error> {
        let full = self.active.segment.clone();
        if self.next > full.head.first {
            let file = self.spare.take()?;
            let head = Head::new(Kind::Segment, self.shared.identity().epoch, self.next);
            let segment = Arc::new(begin_segment(&self.directory, file, head)?);
            let seal = Seal { next: self.next, start: self.active.end, index: full.index() };
            seal.write(&full.file, &full.head).map_err(io("seal", &full.path))?;
            self.shared.add(segment.clone());
            self.active = Active { segment, end: HEAD_BYTES as u64, bytes: self.segment_bytes };
        }
        let Active { segment, end, bytes: allocated } = &mut self.active;
        *allocated = (*end + bytes).max(*allocated);
        allocate(&segment.file, *allocated).map_err(io("allocate", &segment.path))
    }
}

impl Journal for FileJournal {
    fn append(&mut self, entries: &[Entry]) -> Result<Vec<Appended>, Error> {
        if self.is_stopped {
            return Err(Error::Stopped);
        }
        limits::check(entries)?;
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let result = self.write(entries);
        self.is_stopped = result.is_err();
        result
    }

    fn reader(&self) -> Arc<dyn Reader> {
        self.shared.clone()
    }
}
