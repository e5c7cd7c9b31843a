//! Readers: any position, bounded pages, and what they see while the writer works.

use std::thread;

use super::*;
use crate::journal::READ_BYTES_MAX;

#[test]
fn any_position_can_be_read() {
    let directory = TempDir::new().unwrap();
    let options = Options { segment_bytes: 40_000, check: Check::Records };
    let mut journal = FileJournal::open(directory.path(), options.clone()).unwrap();
    append_numbered(&mut journal, 1, 500, 7);
    assert!(segment_paths(directory.path()).len() > 2);
    let expected = numbered(500);
    for _ in 0..2 {
        let reader = journal.reader();
        for after in 0..500 {
            assert_eq!(reader.read(after as u64, 3).unwrap(), expected[after..500.min(after + 3)]);
            assert_eq!(reader.read_one(after as u64 + 1).unwrap().unwrap(), expected[after]);
        }
        assert_eq!(reader.read(0, 0).unwrap(), []);
        assert_eq!(reader.read(500, 10).unwrap(), []);
        assert_eq!(reader.read(u64::MAX, 10).unwrap(), []);
        assert_eq!(reader.read_one(0).unwrap(), None);
        assert_eq!(reader.read_one(501).unwrap(), None);
        drop(journal);
        journal = FileJournal::open(directory.path(), options.clone()).unwrap();
    }
}

#[test]
fn a_page_is_bounded_in_bytes_and_has_at_least_one_record() {
    let directory = TempDir::new().unwrap();
    let mut journal = FileJournal::open(directory.path(), Options::default()).unwrap();
    let large = vec![1; 2 * 1024 * 1024];
    let attachment = Attachment { kind: 1, bytes: Some(large.into()) };
    let of = |count| Entry { attachments: vec![attachment.clone(); count], ..entry(2) };
    journal.append(&[of(5), of(1), of(1), of(1), of(1)]).unwrap();
    let reader = journal.reader();
    let pages: Vec<usize> =
        [0, 1, 4].map(|after| reader.read(after, 100).unwrap().len()).into_iter().collect();
    assert_eq!(pages, [1, 3, 1]);
    assert_eq!(READ_BYTES_MAX, 4 * 2 * 1024 * 1024);
}

#[test]
fn a_reader_sees_what_is_durable_in_order_while_the_writer_works() {
    const COUNT: u64 = 2000;
    let directory = TempDir::new().unwrap();
    let mut journal = open_in(directory.path()).unwrap();
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let reader = journal.reader();
            thread::spawn(move || {
                let mut read: Vec<Stored> = Vec::new();
                while (read.len() as u64) < COUNT {
                    let head = reader.head();
                    let more = reader.read(read.len() as u64, 50).unwrap();
                    assert!(!more.is_empty() || read.len() as u64 >= head);
                    read.extend(more);
                    thread::yield_now();
                }
                read
            })
        })
        .collect();
    append_numbered(&mut journal, 1, COUNT, 9);
    let expected = numbered(COUNT);
    for reader in readers {
        assert!(reader.join().unwrap() == expected);
    }
}

#[test]
fn damage_after_opening_is_named_when_it_is_read() {
    let directory = closed(10, 1);
    let journal = open_in(directory.path()).unwrap();
    let path = &segment_paths(directory.path())[0];
    let second = record_offsets(path)[1];
    let file = File::options().write(true).open(path).unwrap();
    file.write_all_at(&[0xff], second + frame::HEADER_BYTES as u64 + 3).unwrap();
    let reader = journal.reader();
    assert_eq!(reader.read(0, 1).unwrap(), numbered(1));
    match reader.read(1, 1) {
        Err(Error::Damaged { position: 2, offset, .. }) => assert_eq!(offset, second),
        other => panic!("{other:?}"),
    }
    assert_eq!(reader.read(2, 3).unwrap(), numbered(5)[2..]);
}
