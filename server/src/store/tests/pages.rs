//! Entries in pages are what a sorted map would hold, whatever is put and removed.

use std::{collections::BTreeMap, sync::atomic::AtomicBool, sync::atomic::Ordering::Relaxed};

use proptest::prelude::*;
use sled::IVec;

use super::put;
use crate::store::pages::{Error, Pages};

type Map = BTreeMap<Vec<u8>, Vec<u8>>;

fn database() -> sled::Db {
    sled::Config::new().temporary(true).open().unwrap()
}

fn write(pages: &Pages, puts: &BTreeMap<Vec<u8>, Option<Vec<u8>>>) {
    let value = |value: &Option<Vec<u8>>| value.as_deref().map(IVec::from);
    pages.write(puts.iter().map(|(place, v)| (place.as_slice(), value(v)))).unwrap();
}

fn range(pages: &Pages, from: &[u8], end: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let entries = pages.range(from, end).unwrap().map(Result::unwrap);
    entries.map(|(place, value)| (place.to_vec(), value.to_vec())).collect()
}

fn all(pages: &Pages) -> Map {
    range(pages, &[], &[u8::MAX; 4]).into_iter().collect()
}

/// Places that come in order, as those of states, and places that do not, as those of names.
fn place() -> impl Strategy<Value = Vec<u8>> {
    let ordered = (0..2000_u16).prop_map(|n| [b"o".as_slice(), &n.to_be_bytes()].concat());
    let hashed = prop::collection::vec(any::<u8>(), 0..3);
    prop_oneof![ordered, hashed]
}

fn value() -> impl Strategy<Value = Option<Vec<u8>>> {
    let length = prop_oneof![3 => 0..40_usize, 2 => 300..900_usize, 1 => 4000..20_000_usize];
    let bytes = (length, any::<u8>()).prop_map(|(length, byte)| vec![byte; length]);
    prop::option::weighted(0.8, bytes)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    #[test]
    fn pages_hold_what_a_sorted_map_would(
        steps in prop::collection::vec(prop::collection::btree_map(place(), value(), 0..300), 1..8),
        (from, end) in (place(), place()),
    ) {
        let db = database();
        let mut map = Map::new();
        for puts in &steps {
            // Opened anew: nothing is remembered but what sled holds.
            let pages = Pages::open(&db).unwrap();
            write(&pages, puts);
            for (place, value) in puts {
                match value {
                    Some(value) => drop(map.insert(place.clone(), value.clone())),
                    None => drop(map.remove(place)),
                }
                let got = pages.get(place).unwrap();
                prop_assert_eq!(got.as_deref(), value.as_deref());
            }
            prop_assert_eq!(&all(&pages), &map);
            prop_assert_eq!(pages.is_empty(), map.is_empty());
            if from <= end {
                let expected = map.range(from.clone()..end.clone());
                let expected: Vec<_> = expected.map(|(k, v)| (k.clone(), v.clone())).collect();
                prop_assert_eq!(range(&pages, &from, &end), expected);
            }
        }
    }
}

#[test]
fn neighbours_share_pages_in_whatever_order_they_come() {
    let db = database();
    let pages = Pages::open(&db).unwrap();
    let tree = db.open_tree("pages").unwrap();
    let place = |number: u32| number.to_be_bytes();
    let value = [7; 100];
    for number in 0..2000 {
        put(&pages, &place(number), Some(&value));
    }
    // 2000 entries of 110 bytes: 54 pages if each is full.
    assert!((54..=60).contains(&tree.len()), "full pages are left behind: {}", tree.len());
    for number in 0..2000_u32 {
        put(&pages, &place(10_000 + number.reverse_bits() / 4096), Some(&value));
    }
    assert!(tree.len() < 60 + 110, "half full at the least: {}", tree.len());
    assert_eq!(all(&pages).len(), 4000);
    for number in 0..2000 {
        put(&pages, &place(number), None);
    }
    assert!(tree.len() < 110, "nothing is left of those that were removed: {}", tree.len());
}

/// A reader of everything meets each entry once, while pages are divided under it.
#[test]
fn a_scan_shows_everything_once_while_pages_are_divided() {
    let pages = Pages::open(&database()).unwrap();
    let place = |number: u32| number.to_be_bytes().to_vec();
    let there = || (0..2000).map(|number| place(number * 100));
    write(&pages, &there().map(|place| (place, Some(vec![1; 50]))).collect());
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for offset in 1..100 {
                let puts = (0..2000).map(|number| (place(number * 100 + offset), Some(vec![2; 9])));
                write(&pages, &puts.collect());
            }
            done.store(true, Relaxed);
        });
        let mut scans = 0;
        while !done.load(Relaxed) {
            let seen: Vec<_> = range(&pages, &[], &[u8::MAX; 5]);
            assert!(seen.is_sorted_by(|(a, _), (b, _)| a < b), "in order, and once");
            let old = seen.iter().filter(|(_, value)| value[0] == 1);
            assert!(old.map(|(place, _)| place.clone()).eq(there()), "everything");
            for place in there().step_by(97) {
                assert_eq!(pages.get(&place).unwrap().unwrap().len(), 50);
            }
            scans += 1;
        }
        assert!(scans > 0);
    });
}

#[test]
fn a_damaged_page_is_an_error_and_no_more() {
    for page in [&[1][..], &[1, 0, 0, 0, 0, 0], &[0, 0, 255, 255, 255, 255], &[0; 7]] {
        let db = database();
        db.open_tree("pages").unwrap().insert(b"", page).unwrap();
        let pages = Pages::open(&db).unwrap();
        assert!(matches!(pages.get(b"x"), Err(Error::Damaged)), "{page:?}");
        let scanned: Result<Vec<_>, _> = pages.range(&[], b"zz").unwrap().collect();
        assert!(matches!(scanned, Err(Error::Damaged)), "{page:?}");
        let written = pages.write([(b"x".as_slice(), Some(IVec::default()))].into_iter());
        assert!(matches!(written, Err(Error::Damaged)), "{page:?}");
    }
    let pages = Pages::open(&database()).unwrap();
    let long = vec![0; usize::from(u16::MAX) + 1];
    let written = pages.write([(long.as_slice(), Some(IVec::default()))].into_iter());
    assert!(matches!(written, Err(Error::TooLong(65_536))));
}
