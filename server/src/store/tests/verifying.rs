//! `verify` names the first difference, whatever differs.

use super::{put, some_of_everything};
use crate::{
    domain::{order::Order, testing::parent},
    engine::tests::bench::Bench,
    journal::Journal as _,
    record,
    store::{keys, verify::Failure},
};

/// What verify says after something was done to what sled holds.
fn difference(alter: impl FnOnce(&Bench)) -> String {
    let mut bench = Bench::new();
    bench.run(some_of_everything());
    bench.verify();
    alter(&bench);
    match bench.store.verify(&*bench.journal.reader(), |_| {}) {
        Err(failure @ Failure::Differs { .. }) => failure.to_string(),
        other => panic!("{other:?}"),
    }
}

fn alter_order(bench: &Bench, alter: impl FnOnce(&mut Order)) {
    let mut order = (*bench.order("o1")).clone();
    let place = keys::state(&order);
    alter(&mut order);
    put(&bench.store.pages, &place, Some(&record::encode_order(&order)));
}

/// The first place that begins with a byte.
fn first(bench: &Bench, kind: u8) -> sled::IVec {
    bench.store.beginning_with(kind).unwrap().next().unwrap().unwrap().0
}

#[test]
fn a_sound_view_is_counted() {
    let mut bench = Bench::new();
    bench.run(some_of_everything());
    let mut shown = Vec::new();
    let show = |progress: crate::store::Progress| shown.push((progress.applied, progress.head));
    let report = bench.store.verify(&*bench.journal.reader(), show).unwrap();
    let head = bench.journal.reader().head();
    assert_eq!((report.records, report.orders), (head, 5));
    assert_eq!(report.claims as usize, bench.store.beginning_with(keys::CLAIM).unwrap().count());
    assert_eq!(shown, [(head, head)]);
    let empty = Bench::new();
    assert_eq!(empty.store.verify(&*empty.journal.reader(), |_| {}).unwrap().records, 0);
}

#[test]
fn an_altered_state_is_found() {
    let o1 = "at version";
    let found = difference(|bench| alter_order(bench, |order| order.version += 1));
    assert!(found.starts_with("order") && found.contains(o1) && found.contains("o1"), "{found}");
    let found = difference(|bench| alter_order(bench, |order| order.view.attempts.clear()));
    assert!(found.contains(o1), "{found}");
    let found = difference(|bench| {
        alter_order(bench, |order| order.facts.statements.retain(|_, _| false));
    });
    assert!(found.contains(o1), "{found}");
}

#[test]
fn a_missing_or_altered_entry_is_found() {
    for (kind, what) in [(keys::CLAIM, "the owner of"), (keys::NAME, "the place of")] {
        let found = difference(|bench| put(&bench.store.pages, &first(bench, kind), None));
        assert!(found.starts_with(what) && found.contains("view has ..None"), "{found}");
    }
    let other = record::encode_key(&parent("other").key());
    let found =
        difference(|bench| put(&bench.store.pages, &first(bench, keys::CLAIM), Some(&other)));
    assert!(found.starts_with("the owner of"), "{found}");
    let found =
        difference(|bench| put(&bench.store.pages, &first(bench, keys::VERSION), Some(&[0; 8])));
    assert!(found.starts_with("the version of"), "{found}");
}

#[test]
fn an_extra_entry_is_found() {
    for place in [b"c extra".as_slice(), b"n extra", b"o extra", b"zzz"] {
        let found = difference(|bench| put(&bench.store.pages, place, Some(b"x")));
        assert!(found.starts_with("the set of entries"), "{found}");
    }
}

#[test]
fn a_record_that_the_view_has_not_seen_is_found() {
    let mut bench = Bench::new();
    let mut other = Bench::on(&bench.journal);
    bench.run(some_of_everything());
    other.engine.follow().unwrap();
    bench.run(some_of_everything());
    bench.accept(&crate::domain::testing::create_order("o4", "1"));
    let failure = other.store.verify(&*bench.journal.reader(), |_| {}).unwrap_err();
    assert!(matches!(failure, Failure::Differs { .. }), "{failure}");
}
