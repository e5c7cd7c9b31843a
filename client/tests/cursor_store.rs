//! Cursors that are kept between runs.

use std::fs;

use paystatus_client::{CursorStore, CursorStoreError, FileCursorStore, MemoryCursorStore};
use tempfile::tempdir;

#[tokio::test]
async fn every_store_keeps_the_newest_cursor_of_each_name() {
    let folder = tempdir().expect("a folder");
    let file = FileCursorStore::open(folder.path().join("made")).expect("opens");
    let stores: [&dyn CursorStore; 2] = [&file, &MemoryCursorStore::new()];
    for store in stores {
        assert_eq!(store.load("a").await.expect("readable"), None);
        store.save("a", "1").await.expect("written");
        store.save("a", "2").await.expect("written");
        store.save("b", "3").await.expect("written");
        assert_eq!(store.load("a").await.expect("readable").as_deref(), Some("2"));
        assert_eq!(store.load("b").await.expect("readable").as_deref(), Some("3"));
    }
}

#[tokio::test]
async fn a_file_survives_the_process() {
    let folder = tempdir().expect("a folder");
    FileCursorStore::open(folder.path()).expect("opens").save("a", "1").await.expect("written");
    let reopened = FileCursorStore::open(folder.path()).expect("opens");
    assert_eq!(reopened.load("a").await.expect("readable").as_deref(), Some("1"));
    let files = fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(files, 1, "nothing else is left behind");
}

#[tokio::test]
async fn a_save_that_fails_or_is_cut_short_leaves_the_old_cursor() {
    let folder = tempdir().expect("a folder");
    let store = FileCursorStore::open(folder.path()).expect("opens");
    store.save("a", "1").await.expect("written");
    // What a process that died while writing leaves behind.
    fs::write(folder.path().join("a.cursor.new"), "half a curs").expect("written");
    assert_eq!(store.load("a").await.expect("readable").as_deref(), Some("1"));
    store.save("a", "2").await.expect("written over it");

    fs::create_dir(folder.path().join("a.cursor.new")).expect("created");
    let error = store.save("a", "3").await.expect_err("a folder is in the way");
    assert!(matches!(error, CursorStoreError::File { .. }), "{error}");
    assert_eq!(store.load("a").await.expect("readable").as_deref(), Some("2"));
}

#[tokio::test]
async fn a_cursor_that_is_lost_is_not_one_that_never_was() {
    let folder = tempdir().expect("a folder");
    let store = FileCursorStore::open(folder.path()).expect("opens");
    fs::write(folder.path().join("a.cursor"), "").expect("written");
    assert!(matches!(store.load("a").await, Err(CursorStoreError::Damaged(_))));
    fs::write(folder.path().join("b.cursor"), [0xff]).expect("written");
    assert!(matches!(store.load("b").await, Err(CursorStoreError::File { .. })));
}

#[tokio::test]
async fn names_cannot_leave_the_folder() {
    let folder = tempdir().expect("a folder");
    let store = FileCursorStore::open(folder.path()).expect("opens");
    let longest = "n".repeat(64);
    store.save(&longest, "1").await.expect("the longest name");
    for name in ["", "../a", "a/b", "a b", &format!("{longest}n")] {
        assert!(matches!(store.save(name, "1").await, Err(CursorStoreError::Name(_))), "{name}");
    }
}
