//! However the view was left, opening it gives the same states.

use std::{
    fs,
    path::{Path, PathBuf},
};

use proptest::prelude::*;

use super::{put, some_of_everything};
use crate::{
    domain::testing::life::events,
    engine::tests::bench::{Bench, ask, copy_files, open_store},
    journal::{Journal as _, memory::MemoryJournal},
    store::{Error, Options, Progress, Store, keys, open::open_free, pages::Pages},
};

/// Opens a folder; gives the positions at which progress was shown.
fn open(folder: &Path, journal: &MemoryJournal) -> Vec<u64> {
    let mut shown = Vec::new();
    let show = |progress: Progress| shown.push(progress.applied);
    let options = Options { cache_bytes: 4 * 1024 * 1024 };
    let (store, _writer) = Store::open(folder, options, &*journal.reader(), show).unwrap();
    assert_eq!(store.applied(), journal.reader().head());
    store.verify(&*journal.reader(), |_| {}).unwrap();
    shown
}

/// A bench with something in it, all of it written, and then some more in memory only.
fn half_written() -> Bench {
    let mut bench = Bench::new();
    let mut asks = some_of_everything();
    let later = asks.split_off(6);
    bench.run(asks);
    bench.store.write_step().unwrap();
    bench.run(later);
    bench
}

#[test]
fn what_was_closed_in_good_order_lacks_nothing() {
    let (folder, journal) = half_written().close();
    assert!(open(folder.path(), &journal).is_empty(), "nothing is to be applied");
}

#[test]
fn a_crash_loses_at_most_what_comes_back_from_the_journal() {
    let bench = half_written();
    bench.store.db.flush().unwrap();
    let folder = bench.crashed_folder();
    let head = bench.journal.reader().head();
    assert_eq!(open(folder.path(), &bench.journal), [head], "only what was not written");
}

#[test]
fn a_missing_view_is_rebuilt_with_progress() {
    let bench = half_written();
    let head = bench.journal.reader().head();
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(open(&folder.path().join("new"), &bench.journal), [head]);
}

fn database(folder: &Path) -> PathBuf {
    folder.join("db")
}

#[test]
fn a_damaged_view_is_rebuilt() {
    type Damage = fn(&mut Vec<u8>);
    let damages: [(&str, Damage); 5] = [
        ("garbage", |bytes| bytes.fill(0xA5)),
        ("garbage inside", |bytes| {
            let (from, to) = (bytes.len() / 64, bytes.len() / 2);
            bytes[from..to].fill(0xA5);
        }),
        ("cut", |bytes| bytes.truncate(bytes.len() / 3)),
        ("empty", Vec::clear),
        ("zeros", |bytes| bytes.fill(0)),
    ];
    let (closed, journal) = half_written().close();
    for (name, damage) in damages {
        let folder = tempfile::tempdir().unwrap();
        copy_files(closed.path(), folder.path());
        let mut bytes = fs::read(database(folder.path())).unwrap();
        damage(&mut bytes);
        fs::write(database(folder.path()), bytes).unwrap();
        println!("{name}: {:?}", open(folder.path(), &journal));
    }
}

/// Alters an opened view, closes it and opens it again; true if it was rebuilt.
fn is_rebuilt_after(alter: impl FnOnce(&sled::Db)) -> bool {
    let (folder, journal) = half_written().close();
    {
        let db = open_free(&sled::Config::new().path(folder.path())).unwrap();
        alter(&db);
        db.flush().unwrap();
    }
    open(folder.path(), &journal).first() == Some(&journal.reader().head())
}

#[test]
fn what_cannot_be_trusted_is_rebuilt() {
    let meta = |numbers: [u64; 3]| -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
    };
    let set = |alter: fn(&mut [u64; 3])| {
        move |db: &sled::Db| {
            let bytes = db.get(keys::META).unwrap().unwrap();
            let number = |at: usize| u64::from_be_bytes(bytes[at..at + 8].try_into().unwrap());
            let mut numbers = [number(0), number(8), number(16)];
            alter(&mut numbers);
            db.insert(keys::META, meta(numbers)).unwrap();
        }
    };
    assert!(!is_rebuilt_after(|_| {}));
    assert!(is_rebuilt_after(set(|numbers| numbers[0] = 0)), "an older format");
    assert!(is_rebuilt_after(set(|numbers| numbers[1] ^= 1)), "another journal");
    assert!(is_rebuilt_after(set(|numbers| numbers[2] += 1)), "ahead of the journal");
    assert!(is_rebuilt_after(|db| drop(db.insert(keys::META, b"?").unwrap())));
    assert!(is_rebuilt_after(|db| drop(db.remove(keys::META).unwrap())));
    assert!(is_rebuilt_after(|db| put(&Pages::open(db).unwrap(), b"kx", Some(b"?"))), "a key");
}

/// A crash in the middle of a writing step: some states are newer than the position says.
#[test]
fn a_step_that_was_cut_short_does_no_harm() {
    let (folder, journal) = half_written().close();
    let db = open_free(&sled::Config::new().path(folder.path())).unwrap();
    let bytes = db.get(keys::META).unwrap().unwrap().to_vec();
    for applied in [0_u64, 1, 5, 9] {
        let meta = [&bytes[..16], &applied.to_be_bytes()].concat();
        db.insert(keys::META, meta).unwrap();
        db.flush().unwrap();
        let copy = tempfile::tempdir().unwrap();
        copy_files(folder.path(), copy.path());
        let head = journal.reader().head();
        assert_eq!(open(copy.path(), &journal), [head], "from {applied}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]

    /// Written or not, stopped in good order or not, at any point of any life (design 3.1 a).
    #[test]
    fn stopped_anywhere_it_comes_back_the_same(
        events in events(),
        stops in prop::collection::vec((0..4_usize, 0..3_u8), 1..4),
    ) {
        let mut bench = Bench::new();
        let mut stops = stops.into_iter().cycle();
        let mut asks = events.iter().map(|event| ask(&event.command)).peekable();
        while asks.peek().is_some() {
            let (count, how) = stops.next().unwrap();
            for answer in bench.run(asks.by_ref().take(count + 1)) {
                answer.unwrap();
            }
            if how > 0 {
                bench.store.write_step().unwrap();
            }
            let folder = bench.crashed_folder();
            let (crashed, _writer) = open_store(folder.path(), &bench.journal);
            crashed.verify(&*bench.journal.reader(), |_| {}).unwrap();
            if how > 1 {
                bench = bench.restart();
            }
        }
        bench.verify();
    }
}

#[test]
fn a_view_that_somebody_else_has_open_is_not_removed() {
    let (folder, journal) = half_written().close();
    let held = open_free(&sled::Config::new().path(folder.path())).unwrap();
    let options = Options { cache_bytes: 4 * 1024 * 1024 };
    let refused = Store::open(folder.path(), options, &*journal.reader(), |_| {});
    assert!(matches!(refused, Err(Error::Locked { .. })));
    assert!(database(folder.path()).exists());
    drop(held);
    let is_rebuilt = open(folder.path(), &journal).first() == Some(&journal.reader().head());
    assert!(!is_rebuilt, "it was left as it is");
}
