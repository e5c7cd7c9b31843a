//! Appending, going on to the next segment, opening again, and stopping.

use super::*;

#[test]
fn what_was_appended_is_read_back_also_after_opening_again() {
    let directory = TempDir::new().unwrap();
    let mut journal = open_in(directory.path()).unwrap();
    let identity = journal.reader().identity();
    assert_eq!(journal.append(&[]).unwrap(), []);
    let answers = journal.append(&[entry(1), entry(2)]).unwrap();
    assert_eq!(answers, [Appended::Committed(1), Appended::Committed(2)]);
    append_numbered(&mut journal, 3, 60, 3);
    assert_eq!(read_all(&journal), numbered(60));
    assert!(segment_paths(directory.path()).len() > 3);
    for check in [Check::Tail, Check::Records, Check::Hashes] {
        drop(journal);
        journal = FileJournal::open(directory.path(), Options { check, ..options() }).unwrap();
        assert_eq!(read_all(&journal), numbered(60), "{check:?}");
        assert_eq!(journal.reader().identity(), identity);
    }
    append_numbered(&mut journal, 61, 70, 1);
    assert_eq!(read_all(&journal), numbered(70));
}

#[test]
fn an_append_never_spans_segments_and_may_be_larger_than_one() {
    let directory = TempDir::new().unwrap();
    let mut journal = open_in(directory.path()).unwrap();
    let large = Entry { record: vec![5; 10_000].into(), ..entry(2) };
    append_numbered(&mut journal, 1, 1, 1);
    journal.append(&[large.clone(), entry(3)]).unwrap();
    append_numbered(&mut journal, 4, 4, 1);
    assert_eq!(directory::segments(directory.path()).unwrap(), [1, 2, 4]);
    drop(journal);
    let journal = open_in(directory.path()).unwrap();
    let expected =
        [stored(&entry(1), 1), stored(&large, 2), stored(&entry(3), 3), stored(&entry(4), 4)];
    assert_eq!(read_all(&journal), expected);
}

#[test]
fn two_journals_have_two_epochs() {
    let one = TempDir::new().unwrap();
    let two = TempDir::new().unwrap();
    let epoch = |directory: &TempDir| open_in(directory.path()).unwrap().reader().identity().epoch;
    assert_ne!(epoch(&one), epoch(&two));
    assert_eq!(epoch(&one), epoch(&one));
}

#[test]
fn a_directory_has_one_owner() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("new/journal");
    let journal = open_in(&path).unwrap();
    assert!(matches!(open_in(&path), Err(Error::InUse { .. })));
    let reader = journal.reader();
    drop(journal);
    drop(open_in(&path).unwrap());
    assert_eq!(reader.head(), 0);
}

/// Puts a device in place of the file that is written to.
fn replace_active_file(journal: &mut FileJournal, device: &str) {
    let file = File::options().read(true).write(true).open(device).unwrap();
    let Segment { path, head, .. } = &*journal.active.segment;
    journal.active.segment = Arc::new(Segment::empty(path.clone(), file, *head));
}

/// The kernel's own failing files: `/dev/full` refuses writes as a full disk does, `/dev/null`
/// takes them but cannot sync.
#[test]
fn after_a_failed_write_or_sync_nothing_more_is_taken() {
    for (device, call) in [("/dev/full", "write"), ("/dev/null", "sync")] {
        let directory = closed(3, 1);
        let mut journal = open_in(directory.path()).unwrap();
        replace_active_file(&mut journal, device);
        match journal.append(&[entry(4)]) {
            Err(Error::Io { doing, .. }) => assert_eq!(doing, call),
            other => panic!("{device}: {other:?}"),
        }
        assert_eq!(journal.reader().head(), 3);
        assert!(matches!(journal.append(&[entry(4)]), Err(Error::Stopped)));
        assert!(matches!(journal.append(&[]), Err(Error::Stopped)));
        assert!(matches!(journal.erase(1, 0), Err(Error::Stopped)));
        drop(journal);
        let mut journal = open_in(directory.path()).unwrap();
        append_numbered(&mut journal, 4, 5, 1);
        assert_eq!(read_all(&journal), numbered(5));
    }
}

#[test]
fn a_failed_change_of_segment_stops_the_journal() {
    let directory = TempDir::new().unwrap();
    let mut journal = open_in(directory.path()).unwrap();
    append_numbered(&mut journal, 1, 2, 1);
    // Where the next segment is made there is a directory.
    fs::create_dir(directory::spare_path(directory.path())).unwrap();
    let large = Entry { record: vec![5; 10_000].into(), ..entry(3) };
    assert!(matches!(journal.append(&[large]), Err(Error::Io { .. })));
    assert!(matches!(journal.append(&[entry(3)]), Err(Error::Stopped)));
    drop(journal);
    fs::remove_dir(directory::spare_path(directory.path())).unwrap();
    assert_eq!(read_all(&open_in(directory.path()).unwrap()), numbered(2));
}

#[test]
fn erased_bytes_are_gone_and_no_damage() {
    let directory = closed(30, 4);
    let mut journal = open_in(directory.path()).unwrap();
    assert!(!journal.erase(0, 0).unwrap());
    assert!(!journal.erase(2, 0).unwrap(), "it has no attachment");
    assert!(!journal.erase(31, 0).unwrap());
    assert!(!journal.erase(3, 1).unwrap());
    for position in [3, 29] {
        assert!(journal.erase(position, 0).unwrap());
        assert!(journal.erase(position, 0).unwrap(), "again");
    }
    let mut expected = numbered(30);
    expected[2].attachments[0].bytes = None;
    expected[28].attachments[0].bytes = None;
    assert_eq!(read_all(&journal), expected);
    drop(journal);
    for (path, bytes) in contents(directory.path()) {
        for text in ["body-3body", "body-29body"] {
            let found = bytes.windows(text.len()).any(|window| window == text.as_bytes());
            assert!(!found, "{text} in {}", path.display());
        }
    }
    let check = Check::Hashes;
    let journal = FileJournal::open(directory.path(), Options { check, ..options() }).unwrap();
    assert_eq!(read_all(&journal), expected);
}
