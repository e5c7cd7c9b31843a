//! A real directory, and every way it can be left behind.

mod crash;
mod damage;
mod limits;
mod model;
mod reading;
mod writing;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use tempfile::TempDir;

use super::{frame::MARK_BYTES, *};
use crate::journal::{Attachment, Stored};

/// Small enough that a few records fill it.
const SEGMENT_BYTES: u64 = 2048;

fn options() -> Options {
    Options { segment_bytes: SEGMENT_BYTES, check: Check::Records }
}

fn open_in(directory: &Path) -> Result<FileJournal, Error> {
    FileJournal::open(directory, options())
}

/// An entry whose every part depends on `number`.
fn entry(number: u64) -> Entry {
    let text = |name: &str| Bytes::from(format!("{name}-{number}"));
    Entry {
        subject: text("order"),
        expected_version: number * 3,
        entry_id: u128::from(number).to_be_bytes(),
        claims: (0..number % 3)
            .map(|claim| Bytes::from(format!("claim-{number}-{claim}")))
            .collect(),
        linked_to_next: false,
        record: text("record").repeat(1 + number as usize % 5).into(),
        attachments: (0..number % 2)
            .map(|_| Attachment { kind: 7, bytes: Some(text("body").repeat(9).into()) })
            .collect(),
    }
}

fn linked(number: u64) -> Entry {
    Entry { linked_to_next: true, ..entry(number) }
}

/// What must be read back for `entry` at `position`.
fn stored(entry: &Entry, position: Position) -> Stored {
    Stored {
        position,
        subject: entry.subject.clone(),
        version: entry.expected_version + 1,
        entry_id: entry.entry_id,
        claims: entry.claims.clone(),
        record: entry.record.clone(),
        attachments: entry.attachments.clone(),
    }
}

fn read_all(journal: &FileJournal) -> Vec<Stored> {
    let reader = journal.reader();
    let mut all: Vec<Stored> = Vec::new();
    loop {
        let more = reader.read(all.len() as u64, 100).unwrap();
        if more.is_empty() {
            assert_eq!(reader.head(), all.len() as u64);
            return all;
        }
        all.extend(more);
    }
}

/// A directory in memory if there is one, for tests that sync thousands of times.
fn fast_directory() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() }.unwrap()
}

/// What a journal holds after the entries 1 to `count` were appended.
fn numbered(count: u64) -> Vec<Stored> {
    (1..=count).map(|number| stored(&entry(number), number)).collect()
}

/// Appends the entries `from..=to`, `batch` at a time.
fn append_numbered(journal: &mut FileJournal, from: u64, to: u64, batch: usize) {
    let entries: Vec<Entry> = (from..=to).map(entry).collect();
    for entries in entries.chunks(batch) {
        journal.append(entries).unwrap();
    }
}

/// A directory whose journal holds the entries 1 to `count`, and is closed.
fn closed(count: u64, batch: usize) -> TempDir {
    let directory = TempDir::new().unwrap();
    append_numbered(&mut open_in(directory.path()).unwrap(), 1, count, batch);
    directory
}

/// Every file and its bytes.
fn contents(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = fs::read_dir(directory).unwrap();
    entries
        .map(|e| e.unwrap().path())
        .map(|path| (path.clone(), fs::read(&path).unwrap()))
        .collect()
}

fn segment_paths(directory: &Path) -> Vec<PathBuf> {
    let firsts = directory::segments(directory).unwrap();
    firsts.into_iter().map(|first| directory::segment_path(directory, first)).collect()
}

/// Offsets of the records in a segment, and where the last one ends.
fn record_offsets(path: &Path) -> Vec<u64> {
    let file = File::open(path).unwrap();
    let head = Head::read(&file, path, Kind::Segment, 0).unwrap();
    let mut offsets = vec![HEAD_BYTES as u64];
    let bytes = fs::read(path).unwrap();
    while let Some(header) =
        frame::Header::decode(&bytes[*offsets.last().unwrap() as usize..], head.seed())
    {
        offsets.push(offsets.last().unwrap() + header.frame_bytes() as u64);
    }
    offsets
}

/// Opening fails with damage, says where, and leaves every byte as it was.
fn assert_damaged(directory: &Path, at: Position, file: &Path, context: &str) {
    let before = contents(directory);
    match open_in(directory) {
        Err(Error::Damaged { position, path, .. }) => {
            assert_eq!((position, Path::new(&path)), (at, file), "{context}");
        }
        other => panic!("{context}: {other:?}"),
    }
    assert!(contents(directory) == before, "{context}: something was changed");
}
