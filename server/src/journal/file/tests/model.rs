//! Any batches, any number of openings, any torn end: what was acknowledged is there.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Append(Vec<Entry>),
    Reopen(Check),
    /// A crash in the next append: so many bytes of it, of 256, reach the disk.
    Tear(Vec<Entry>, u8),
}

fn bytes(size: std::ops::Range<usize>) -> impl Strategy<Value = Bytes> {
    prop::collection::vec(any::<u8>(), size).prop_map(Bytes::from)
}

prop_compose! {
    fn any_entry()(
        subject in bytes(0..20),
        expected_version in 0..1000u64,
        entry_id in any::<[u8; 16]>(),
        claims in prop::collection::vec(bytes(0..20), 0..3),
        linked_to_next in prop::bool::weighted(0.3),
        record in bytes(0..400),
        attachments in prop::collection::vec((any::<u8>(), prop::option::of(bytes(0..400))), 0..3),
    ) -> Entry {
        let attachments =
            attachments.into_iter().map(|(kind, bytes)| Attachment { kind, bytes }).collect();
        Entry { subject, expected_version, entry_id, claims, linked_to_next, record, attachments }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let entries = || prop::collection::vec(any_entry(), 1..6);
    prop_oneof![
        6 => entries().prop_map(Step::Append),
        2 => prop_oneof![Just(Check::Tail), Just(Check::Records)].prop_map(Step::Reopen),
        2 => (entries(), any::<u8>()).prop_map(|(entries, kept)| Step::Tear(entries, kept)),
    ]
}

/// How many of the entries a reader may see if the first `whole` are on disk.
fn visible(entries: &[Entry], whole: usize) -> usize {
    let ends_group = |count: &usize| {
        *count == 0 || *count == entries.len() || !entries[count - 1].linked_to_next
    };
    (0..=whole).rev().find(ends_group).unwrap_or(0)
}

/// Appends, and then takes back the end of what was written. Answers what remains visible.
fn tear(mut journal: FileJournal, entries: &[Entry], kept: u8) -> usize {
    journal.append(entries).unwrap();
    let (path, end) = (journal.active.segment.path.clone(), journal.active.end);
    let sizes: Vec<u64> = entries.iter().map(|entry| encoded_bytes(entry) as u64).collect();
    let batch_bytes: u64 = sizes.iter().sum();
    drop(journal);
    let cut = (batch_bytes * u64::from(kept) / 256) as usize;
    let file = File::options().read(true).write(true).open(path).unwrap();
    let mut batch = vec![0; batch_bytes as usize];
    file.read_exact_at(&mut batch, end - batch_bytes).unwrap();
    let lost = &mut batch[cut..];
    // What was zero anyway is not missing.
    let kept = (cut + lost.iter().take_while(|byte| **byte == 0).count()) as u64;
    lost.fill(0);
    file.write_all_at(&batch, end - batch_bytes).unwrap();
    let mut whole_end = 0;
    let is_whole = |size: &&u64| {
        whole_end += **size;
        whole_end <= kept
    };
    visible(entries, sizes.iter().take_while(is_whole).count())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn what_was_acknowledged_is_read_back(steps in prop::collection::vec(step(), 1..25)) {
        let directory = fast_directory();
        let mut journal = open_in(directory.path()).unwrap();
        let mut expected: Vec<Stored> = Vec::new();
        for step in steps {
            match step {
                Step::Append(entries) => {
                    let answers = journal.append(&entries).unwrap();
                    for (entry, answer) in entries.iter().zip(answers) {
                        let position = expected.len() as u64 + 1;
                        prop_assert_eq!(answer, Appended::Committed(position));
                        expected.push(stored(entry, position));
                    }
                }
                Step::Reopen(check) => {
                    drop(journal);
                    let options = Options { check, ..options() };
                    journal = FileJournal::open(directory.path(), options).unwrap();
                }
                Step::Tear(entries, kept) => {
                    let seen = tear(journal, &entries, kept);
                    for entry in &entries[..seen] {
                        expected.push(stored(entry, expected.len() as u64 + 1));
                    }
                    journal = open_in(directory.path()).unwrap();
                }
            }
            prop_assert_eq!(read_all(&journal), expected.clone());
        }
    }
}
