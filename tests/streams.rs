//! What a stream promises: ordered per order, unique, complete, atomic, resumable from any
//! cursor, bounded.

use std::collections::HashMap;

use paystatus_proto::v1::{self, StreamPlace, frame::Content};
use serde_json::json;

use crate::harness::{
    OPTTY, System,
    api::{Api, aud, new_order},
    channel_with,
    stream::{Reader, after, all, change_ids, changes, from, name, names, opened},
    webhook::optty_order,
};

/// Places so many orders and pays them, all at once, each with five facts and a repeat.
async fn pay_many(system: &System, count: usize) {
    let one = async |number: usize| {
        let (api, order) = (system.api(), format!("o{number}"));
        api.create_order(&order, 100).await;
        // The webhook may well come before the attempt.
        let pending = optty_order(&order, "PENDING", json!("1.00"));
        let paid = optty_order(&order, "SUCCESSFUL", json!("1.00"));
        let attempt = async { api.create_attempt(&order, "a1", OPTTY).await };
        tokio::join!(attempt, system.deliver(OPTTY, &pending), system.deliver(OPTTY, &paid));
        system.deliver(OPTTY, &paid).await;
    };
    futures_util::future::join_all((0..count).map(one)).await;
}

#[tokio::test]
async fn changes_are_ordered_unique_complete_and_atomic() {
    let system = System::start().await;
    let api = system.api();
    let mut live = Reader::open(&api, all(), from(StreamPlace::Now)).await;
    live.until("caught_up").await;
    pay_many(&system, 20).await;
    let mut late = Reader::open(&api, all(), from(StreamPlace::Beginning)).await;
    let late = late.until("caught_up").await;

    let ids = change_ids(&late);
    let mut seen_live: Vec<String> = Vec::new();
    while seen_live.len() < ids.len() {
        let (_, changes) = live.next_changes().await;
        seen_live.extend(changes.into_iter().map(|change| change.change_id));
    }
    assert_eq!(seen_live, ids, "who was there and who comes later see the same, in one order");

    let mut last: HashMap<String, (i64, i32)> = HashMap::new();
    let mut of_timelines = 0;
    for change in changes(&late) {
        let place = (change.order_version, change.index);
        let before = last.insert(change.order_id.clone(), place);
        assert!(before.is_none_or(|before| before < place), "{before:?} before {place:?}");
    }
    for order in last.keys() {
        let timeline = api.timeline(order).await;
        of_timelines += timeline.iter().map(|entry| entry.changes.len()).sum::<usize>();
    }
    assert_eq!((last.len(), of_timelines), (20, ids.len()), "complete, and nothing twice");

    // One fact, one frame: no fact is spread over two, no frame holds two.
    let mut facts = std::collections::HashSet::new();
    for frame in &late {
        let of_frame = changes(std::slice::from_ref(frame));
        let Some(first) = of_frame.first() else { continue };
        let fact = |change: &v1::Change| (change.order_id.clone(), change.order_version);
        assert!(of_frame.iter().all(|change| fact(change) == fact(first)), "{frame:?}");
        assert!(facts.insert(fact(first)), "{frame:?}");
        let indices: Vec<i32> = of_frame.iter().map(|change| change.index).collect();
        assert_eq!(indices, (0..).take(indices.len()).collect::<Vec<_>>(), "none is missing");
    }
}

#[tokio::test]
async fn every_cursor_resumes_exactly_after_its_frame() {
    let system = System::start().await;
    let api = system.api();
    pay_many(&system, 4).await;
    let outcomes = v1::ChangeFilter {
        kinds: vec![v1::ChangeKind::OutcomeChanged.into()],
        order_ids: vec!["o1".to_owned(), "o3".to_owned()],
        ..all()
    };
    for filter in [all(), outcomes] {
        let mut reader = Reader::open(&api, filter.clone(), from(StreamPlace::Beginning)).await;
        let frames = reader.until("caught_up").await;
        assert!(frames.len() > 3, "{:?}", names(&frames));
        for (index, frame) in frames.iter().enumerate() {
            let mut again = Reader::open(&api, filter.clone(), after(&frame.cursor)).await;
            let again = again.until("caught_up").await;
            assert_eq!(opened(&again[0]).mode(), v1::OpenedMode::Continued);
            assert_eq!(change_ids(&again), change_ids(&frames[index + 1..]), "after {index}");
        }
    }
}

#[tokio::test]
async fn a_cursor_from_inside_a_snapshot_begins_it_anew() {
    let system = System::start().await;
    let api = system.api();
    pay_many(&system, 3).await;
    let mut reader = Reader::open(&api, all(), from(StreamPlace::Snapshot)).await;
    let frames = reader.until("caught_up").await;
    assert_eq!(
        names(&frames)[..5],
        ["opened", "snapshot_entry", "snapshot_entry", "snapshot_entry", "snapshot_end"]
    );
    for frame in &frames {
        let mut again = Reader::open(&api, all(), after(&frame.cursor)).await;
        let again = again.until("caught_up").await;
        if matches!(name(frame), "opened" | "snapshot_entry") {
            assert_eq!(opened(&again[0]).mode(), v1::OpenedMode::Reset);
            assert_eq!(names(&again)[1..4], ["snapshot_entry"; 3], "the whole of it");
        } else {
            assert_eq!(names(&again), ["opened", "caught_up"]);
        }
    }
}

/// A snapshot taken while much happens, and what follows it, come to what is there in the end.
#[tokio::test]
async fn snapshot_and_changes_make_one_consistent_cut() {
    let system = System::start().await;
    let api = system.api();
    pay_many(&system, 5).await;
    let cut = async {
        let mut reader = Reader::open(&api, all(), from(StreamPlace::Snapshot)).await;
        let mut known: HashMap<String, (i64, i32)> = HashMap::new();
        loop {
            let frame = reader.next().await;
            match frame.content {
                Some(Content::SnapshotEntry(entry)) => {
                    let order = entry.order.expect("there is an order");
                    let entry = (order.version, order.status);
                    assert_eq!(known.insert(order.order_id, entry), None, "one entry an order");
                }
                Some(Content::ChangeSet(set)) => {
                    for change in set.changes {
                        let known = known.entry(change.order_id).or_default();
                        if change.order_version > known.0 || known.1 == 0 {
                            *known = (change.order_version, change.order_status);
                        }
                    }
                }
                _ => {}
            }
            let paid = v1::PaymentStatus::Successful as i32;
            if known.len() == 25 && known.values().all(|(_, status)| *status == paid) {
                return known;
            }
        }
    };
    let more = async {
        futures_util::future::join_all((5..25).map(async |number| {
            let order = format!("o{number}");
            api.place(&order, OPTTY, 100).await;
            system.deliver(OPTTY, &optty_order(&order, "SUCCESSFUL", json!(1))).await;
        }))
        .await
    };
    let (known, _) = tokio::join!(cut, more);
    for (order, (_, status)) in known {
        assert_eq!(api.get_order(&order).await.status, status);
    }
}

/// The server keeps 64 records; a reader that does not read lacks 400 of two kilobytes each.
#[tokio::test]
async fn a_slow_reader_falls_behind_and_misses_nothing() {
    let system = System::start_with(|config| config.streams.memory_records = 64).await;
    let api = system.api();
    let slow = Api::new(channel_with(system.grpc(), |e| e.initial_stream_window_size(65_535)), {
        &system.checkout
    });
    let mut slow = Reader::open(&slow, all(), from(StreamPlace::Now)).await;
    slow.until("caught_up").await;
    let mut fast = Reader::open(&api, all(), from(StreamPlace::Now)).await;
    fast.until("caught_up").await;
    const ORDERS: usize = 400;
    let labels = |number: usize| {
        (0..16).map(move |label| (format!("label-{label}"), format!("{number:064}"))).collect()
    };
    for chunk in (0..ORDERS).collect::<Vec<_>>().chunks(50) {
        let one = async |number: &usize| {
            let labels = labels(*number);
            let request = v1::CreateOrderRequest { labels, ..new_order(&format!("o{number}"), 1) };
            api.orders().create_order(request).await.expect("recorded");
        };
        futures_util::future::join_all(chunk.iter().map(one)).await;
    }
    let expected = read(&mut fast, ORDERS).await;
    let seen = read(&mut slow, ORDERS).await;
    assert_eq!(change_ids(&seen), change_ids(&expected));
    let names = names(&seen);
    assert_eq!(names.iter().filter(|name| **name == "fell_behind").count(), 1, "it is told once");
    let caught_up = slow.until("caught_up").await;
    assert_eq!(change_ids(&caught_up), Vec::<String>::new());
    // And it is live again.
    api.create_order("last", 100).await;
    assert_eq!(slow.next_changes().await.1[0].order_id, "last");
}

/// Frames with so many change sets.
async fn read(reader: &mut Reader, change_sets: usize) -> Vec<v1::Frame> {
    let mut frames = Vec::new();
    let mut seen = 0;
    while seen < change_sets {
        let frame = reader.next().await;
        seen += usize::from(name(&frame) == "change_set");
        frames.push(frame);
    }
    frames
}

#[tokio::test]
async fn a_thousand_streams_share_one_connection() {
    let system = System::start().await;
    let api = system.api();
    api.place("o1", OPTTY, 100).await;
    let open = (0..1000).map(|_| Reader::open_order(&api, "o1", None));
    let mut readers = futures_util::future::join_all(open).await;
    for reader in &mut readers {
        let frames = reader.until("caught_up").await;
        assert_eq!(names(&frames), ["opened", "snapshot_entry", "snapshot_end", "caught_up"]);
    }
    system.deliver(OPTTY, &optty_order("o1", "SUCCESSFUL", json!("1.00"))).await;
    for reader in &mut readers {
        let (_, changes) = reader.next_changes().await;
        assert_eq!(changes[0].outcome(), v1::Outcome::Approved);
        assert_eq!(
            changes.iter().find_map(|c| c.attempt.as_ref()?.captured_amount.clone()),
            Some(aud(100))
        );
    }
}
