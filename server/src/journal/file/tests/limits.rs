//! Every limit at its edge.

use super::*;
use crate::journal::{
    APPEND_BYTES_MAX, APPEND_ENTRIES_MAX, ATTACHMENT_BYTES_MAX, ATTACHMENTS_MAX, CLAIM_BYTES_MAX,
    CLAIMS_MAX, RECORD_BYTES_MAX, SUBJECT_BYTES_MAX,
};

fn attachment(bytes: usize) -> Attachment {
    Attachment { kind: 1, bytes: Some(vec![9; bytes].into()) }
}

/// The largest entry there may be.
fn largest() -> Entry {
    Entry {
        subject: vec![1; SUBJECT_BYTES_MAX].into(),
        claims: vec![vec![2; CLAIM_BYTES_MAX].into(); CLAIMS_MAX],
        record: vec![3; RECORD_BYTES_MAX].into(),
        attachments: vec![attachment(ATTACHMENT_BYTES_MAX); ATTACHMENTS_MAX],
        ..entry(2)
    }
}

#[test]
fn what_is_at_a_limit_is_taken_and_what_is_beyond_is_refused_without_stopping() {
    let directory = TempDir::new().unwrap();
    let mut journal = FileJournal::open(directory.path(), Options::default()).unwrap();
    let beyond = [
        Entry { subject: vec![1; SUBJECT_BYTES_MAX + 1].into(), ..entry(2) },
        Entry { claims: vec![vec![2; CLAIM_BYTES_MAX + 1].into()], ..entry(2) },
        Entry { claims: vec![Bytes::new(); CLAIMS_MAX + 1], ..entry(2) },
        Entry { record: vec![3; RECORD_BYTES_MAX + 1].into(), ..entry(2) },
        Entry { attachments: vec![attachment(ATTACHMENT_BYTES_MAX + 1)], ..entry(2) },
        Entry { attachments: vec![attachment(0); ATTACHMENTS_MAX + 1], ..entry(2) },
    ];
    for entry in beyond {
        assert!(matches!(journal.append(&[entry]), Err(Error::TooLarge { .. })));
    }
    journal.append(&[largest()]).unwrap();
    drop(journal);
    let journal = FileJournal::open(directory.path(), Options::default()).unwrap();
    assert!(journal.reader().read_one(1).unwrap().unwrap() == stored(&largest(), 1));
}

#[test]
fn an_append_has_a_limit_of_entries_and_of_bytes() {
    let directory = TempDir::new().unwrap();
    let mut journal = FileJournal::open(directory.path(), Options::default()).unwrap();
    let many = vec![Entry { record: Bytes::new(), ..entry(2) }; APPEND_ENTRIES_MAX + 1];
    assert!(matches!(journal.append(&many), Err(Error::TooLarge { .. })));
    let answers = journal.append(&many[1..]).unwrap();
    assert_eq!(answers.last(), Some(&Appended::Committed(APPEND_ENTRIES_MAX as u64)));

    let of = |bytes: usize| Entry {
        subject: Bytes::new(),
        claims: Vec::new(),
        record: vec![3; bytes].into(),
        attachments: Vec::new(),
        ..entry(2)
    };
    let mut full = vec![of(RECORD_BYTES_MAX); APPEND_BYTES_MAX / RECORD_BYTES_MAX];
    assert_eq!(full.iter().map(Entry::bytes).sum::<usize>(), APPEND_BYTES_MAX);
    journal.append(&full).unwrap();
    full.push(of(1));
    assert!(matches!(journal.append(&full), Err(Error::TooLarge { .. })));
    journal.append(&[of(1)]).unwrap();
}

#[test]
fn the_smallest_entry_and_an_erased_attachment_are_taken() {
    let directory = TempDir::new().unwrap();
    let mut journal = open_in(directory.path()).unwrap();
    let smallest = Entry {
        subject: Bytes::new(),
        expected_version: 0,
        entry_id: [0; 16],
        claims: vec![Bytes::new()],
        linked_to_next: false,
        record: Bytes::new(),
        attachments: vec![
            Attachment { kind: 0, bytes: Some(Bytes::new()) },
            Attachment { kind: 255, bytes: None },
        ],
    };
    journal.append(&[smallest.clone(), entry(1)]).unwrap();
    drop(journal);
    let check = Check::Hashes;
    let journal = FileJournal::open(directory.path(), Options { check, ..options() }).unwrap();
    assert_eq!(read_all(&journal), [stored(&smallest, 1), stored(&entry(1), 2)]);
}
