//! The rules of a replicated log, and every fault.

use std::thread;

use bytes::Bytes;

use super::*;
use crate::journal::Position;

fn entry(subject: &str, expected_version: u64, claims: &[&str]) -> Entry {
    Entry {
        subject: Bytes::copy_from_slice(subject.as_bytes()),
        expected_version,
        entry_id: rand::random(),
        claims: claims.iter().map(|claim| Bytes::copy_from_slice(claim.as_bytes())).collect(),
        linked_to_next: false,
        record: Bytes::from_static(b"record"),
        attachments: Vec::new(),
    }
}

fn linked(entry: Entry) -> Entry {
    Entry { linked_to_next: true, ..entry }
}

fn positions(reader: &dyn Reader) -> Vec<Position> {
    reader.read(0, usize::MAX).unwrap().iter().map(|stored| stored.position).collect()
}

#[test]
fn an_old_version_conflicts_also_between_writers() {
    let mut one = MemoryJournal::new();
    let mut two = one.clone();
    assert_eq!(one.append(&[entry("a", 0, &[])]).unwrap(), [Appended::Committed(1)]);
    assert_eq!(two.append(&[entry("a", 0, &[])]).unwrap(), [Appended::Conflict]);
    let both = [entry("a", 0, &[]), entry("b", 0, &[]), entry("a", 1, &[])];
    let answers = two.append(&both).unwrap();
    assert_eq!(
        answers,
        [Appended::Conflict, Appended::Committed(2), Appended::Conflict],
        "the third was decided on the first, which did not come to be"
    );
    assert_eq!(two.append(&[entry("a", 1, &[])]).unwrap(), [Appended::Committed(3)]);
    assert_eq!(two.append(&[entry("a", 5, &[])]).unwrap(), [Appended::Conflict]);
    let read = one.reader().read(1, 10).unwrap();
    assert_eq!(read.iter().map(|stored| stored.version).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn a_claim_belongs_to_its_first_subject_for_ever() {
    let mut one = MemoryJournal::new();
    let mut two = one.clone();
    one.append(&[entry("a", 0, &["pay-1"])]).unwrap();
    assert_eq!(two.append(&[entry("b", 0, &["pay-1"])]).unwrap(), [Appended::Conflict]);
    assert_eq!(two.append(&[entry("a", 1, &["pay-1"])]).unwrap(), [Appended::Committed(2)]);
    let same_append = [entry("c", 0, &["pay-2"]), entry("d", 0, &["pay-2"])];
    let answers = two.append(&same_append).unwrap();
    assert_eq!(answers, [Appended::Committed(3), Appended::Conflict]);
    assert_eq!(two.append(&[entry("d", 0, &[])]).unwrap(), [Appended::Committed(4)]);
}

#[test]
fn linked_entries_take_effect_together_or_not_at_all() {
    let mut journal = MemoryJournal::new();
    let bad = [linked(entry("a", 0, &["x"])), linked(entry("a", 1, &[])), entry("b", 7, &[])];
    assert_eq!(journal.append(&bad).unwrap(), [Appended::Conflict; 3]);
    let within = [linked(entry("a", 0, &["x"])), entry("b", 0, &["x"])];
    assert_eq!(journal.append(&within).unwrap(), [Appended::Conflict; 2]);
    assert_eq!(journal.reader().head(), 0);
    let good = [linked(entry("a", 0, &["x"])), entry("a", 1, &["x"]), entry("b", 9, &[])];
    let answers = journal.append(&good).unwrap();
    assert_eq!(answers, [Appended::Committed(1), Appended::Committed(2), Appended::Conflict]);
}

#[test]
fn a_link_on_the_last_entry_says_nothing() {
    let mut journal = MemoryJournal::new();
    journal.append(&[linked(entry("a", 0, &[]))]).unwrap();
    journal.append(&[entry("b", 4, &[])]).unwrap();
    assert_eq!(positions(&*journal.reader()), [1]);
}

#[test]
fn faults_happen_in_order() {
    let mut journal = MemoryJournal::new();
    let control = journal.control();
    control.add(Fault::Unknown { written: false });
    control.add(Fault::Unknown { written: true });
    control.add(Fault::Error { written: true });
    assert_eq!(journal.append(&[]).unwrap(), []);
    assert_eq!(journal.append(&[entry("a", 0, &[])]).unwrap(), [Appended::Unknown]);
    assert_eq!(journal.reader().head(), 0);
    assert_eq!(journal.append(&[entry("a", 0, &[])]).unwrap(), [Appended::Unknown]);
    assert_eq!(journal.reader().head(), 1);
    assert!(matches!(journal.append(&[entry("a", 1, &[])]), Err(Error::Io { .. })));
    assert_eq!(journal.reader().head(), 2);
    assert!(matches!(journal.append(&[entry("a", 2, &[])]), Err(Error::Stopped)));
    let mut restarted = journal.clone();
    assert_eq!(restarted.append(&[entry("a", 2, &[])]).unwrap(), [Appended::Committed(3)]);
}

#[test]
fn a_stalled_append_goes_on_when_released() {
    let mut journal = MemoryJournal::new();
    let (control, reader) = (journal.control(), journal.reader());
    control.add(Fault::Stall);
    let writer = thread::spawn(move || journal.append(&[entry("a", 0, &[])]));
    control.wait_until_stalled();
    assert_eq!(reader.head(), 0);
    control.release();
    assert_eq!(writer.join().unwrap().unwrap(), [Appended::Committed(1)]);
}

#[test]
fn a_crash_drops_what_is_stalled_and_the_log_lives_on() {
    let mut journal = MemoryJournal::new();
    let (control, reader, mut other) = (journal.control(), journal.reader(), journal.clone());
    control.add(Fault::Stall);
    let writer = thread::spawn(move || {
        let crashed = journal.append(&[entry("a", 0, &[])]);
        (crashed, journal.append(&[entry("a", 0, &[])]))
    });
    control.wait_until_stalled();
    control.crash();
    let (crashed, later) = writer.join().unwrap();
    assert!(matches!(crashed, Err(Error::Stopped)));
    assert!(matches!(later, Err(Error::Stopped)));
    assert_eq!(other.append(&[entry("b", 0, &[])]).unwrap(), [Appended::Committed(1)]);
    assert_eq!(positions(&*reader), [1]);
    assert_eq!(reader.read_one(1).unwrap().unwrap().subject, "b");
    assert_eq!(reader.read_one(2).unwrap(), None);
}
