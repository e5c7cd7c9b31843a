//! The frames of a stream: how it begins, what it says while nothing happens, how it ends; and
//! which changes its filter admits.

use std::{fs, path::Path, time::Duration};

use paystatus_proto::v1::{self, ChangeKind, ClosingReason, OpenedMode, StreamPlace};
use serde_json::json;
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::harness::{
    GENERIC, OPTTY, System,
    api::{Api, assert_refused, aud, new_order, request_id},
    stream::{Reader, after, all, changes, from, name, names, opened},
    webhook::{generic_payment, optty_order},
};

const BEAT: Duration = Duration::from_millis(50);

async fn fast_beating() -> System {
    System::start_with(|config| config.streams.heartbeat = BEAT).await
}

#[tokio::test]
async fn every_start_is_answered_also_when_there_is_nothing() {
    let system = System::start().await;
    let api = system.api();
    for (place, mode, expected) in [
        (StreamPlace::Unspecified, OpenedMode::Continued, &["caught_up"][..]),
        (StreamPlace::Now, OpenedMode::Continued, &["caught_up"]),
        (StreamPlace::Beginning, OpenedMode::Continued, &["caught_up"]),
        (StreamPlace::Snapshot, OpenedMode::Snapshot, &["snapshot_end", "caught_up"]),
    ] {
        let mut reader = Reader::open(&api, all(), from(place)).await;
        let frames = reader.until("caught_up").await;
        assert_eq!(opened(&frames[0]).mode(), mode);
        assert_eq!(names(&frames)[1..], *expected, "{place:?}");
        let interval = opened(&frames[0]).heartbeat_interval.expect("it is stated");
        assert_eq!((interval.seconds, opened(&frames[0]).generation), (15, 0));
    }
}

/// An order nobody heard of is an error; one that is there begins with its present state.
#[tokio::test]
async fn one_order_is_watched_from_its_present_state_on() {
    let system = System::start().await;
    let api = system.api();
    let request = v1::WatchOrderRequest { order_id: "o1".to_owned(), ..Default::default() };
    let refused = api.orders().watch_order(request).await;
    assert_refused(refused, Code::NotFound, "ORDER_NOT_FOUND");
    api.place("o1", OPTTY, 100).await;
    let mut reader = Reader::open_order(&api, "o1", None).await;
    let frames = reader.until("caught_up").await;
    assert_eq!(names(&frames), ["opened", "snapshot_entry", "snapshot_end", "caught_up"]);
    // Others do not concern it.
    api.place("o2", OPTTY, 100).await;
    system.deliver(OPTTY, &optty_order("o1", "DECLINED", json!(1))).await;
    let (cursor, changes) = reader.next_changes().await;
    assert!(changes.iter().all(|c| c.order_id == "o1" && c.outcome() == v1::Outcome::Refused));
    let start = Some(after(&cursor));
    let mut reader = Reader::open_order(&api, "o1", start).await;
    assert_eq!(names(&reader.until("caught_up").await), ["opened", "caught_up"]);
}

#[tokio::test]
async fn a_heartbeat_moves_the_cursor_over_what_is_not_admitted() {
    let system = fast_beating().await;
    let api = system.api();
    let filter = v1::ChangeFilter { order_ids: vec!["mine".to_owned()], ..all() };
    let mut reader = Reader::open(&api, filter.clone(), from(StreamPlace::Now)).await;
    let begin = reader.until("caught_up").await.pop().expect("the last").cursor;
    api.create_order("another", 100).await;
    let beat = reader.until("heartbeat").await.pop().expect("the last");
    let beat = match beat.cursor == begin {
        // It was due before the order was recorded.
        true => reader.until("heartbeat").await.pop().expect("the last"),
        false => beat,
    };
    assert_ne!(beat.cursor, begin, "it moved");
    api.create_order("mine", 100).await;
    let mut again = Reader::open(&api, filter, after(&beat.cursor)).await;
    assert_eq!(again.next_changes().await.1[0].order_id, "mine");
}

/// What other orders of the merchant do must not silence a stream: its reader would take the
/// connection for dead. The heartbeat was once counted from the newest record of the merchant.
#[tokio::test]
async fn a_stream_beats_while_the_merchant_is_busy_elsewhere() {
    let system = fast_beating().await;
    let api = system.api();
    let filter = v1::ChangeFilter { kinds: vec![ChangeKind::ConditionClosed.into()], ..all() };
    let mut reader = Reader::open(&api, filter, from(StreamPlace::Now)).await;
    let busy = async {
        for number in 0.. {
            api.create_order(&format!("o{number}"), 100).await;
        }
    };
    let beats = async {
        for _ in 0..3 {
            reader.until("heartbeat").await;
        }
    };
    tokio::select! {
        () = busy => unreachable!("it never ends"),
        () = beats => {}
    }
}

/// With a stream that is never idle; that was once never noticed.
#[tokio::test]
async fn a_revoked_key_ends_its_streams() {
    let system = fast_beating().await;
    let owner = system.api_of(&system.owner);
    for is_busy in [false, true] {
        let key = owner.create_named_key(v1::Role::Checkout, &["shop"]).await;
        let api = system.api_of(&key.secret);
        let mut reader = Reader::open(&api, all(), from(StreamPlace::Now)).await;
        reader.until("caught_up").await;
        let key_id = key.key.expect("it is answered").key_id;
        let delete = v1::DeleteKeyRequest { key_id, request_id: request_id() };
        owner.access().delete_key(delete).await.expect("it is revoked");
        let busy = async {
            for number in 0.. {
                let order = format!("o{is_busy}{number}");
                system.api().create_order(&order, 100).await;
            }
        };
        let end = reader.end();
        let end = tokio::select! {
            () = busy, if is_busy => unreachable!("it never ends"),
            end = end => end,
        };
        let status = end.expect("it ends with an error");
        assert_refused(Err::<(), _>(status), Code::Unauthenticated, "API_KEY_INVALID");
    }
}

#[tokio::test]
async fn a_cursor_that_cannot_be_honoured_is_answered_by_a_reset() {
    let (mut system, another) = tokio::join!(System::start(), System::start());
    let api = system.api();
    api.create_order("o1", 100).await;
    let old = newest_cursor(&api).await;
    let of_another = newest_cursor(&another.api()).await;

    // The journal as it was; then it goes on; then it is put back.
    system.stop().await;
    let (data, backup) = (system.config().data.clone(), system.config().data.with_extension("old"));
    copy(&data, &backup);
    system.start_again().await;
    api.create_order("o2", 100).await;
    let ahead = newest_cursor(&api).await;
    system.stop().await;
    fs::remove_dir_all(&data).expect("it is removed");
    fs::rename(&backup, &data).expect("it is put back");
    system.start_again().await;

    for (cursor, mode, why) in [
        (&old, OpenedMode::Continued, ""),
        (&of_another, OpenedMode::Reset, "another journal"),
        (&ahead, OpenedMode::Reset, "ahead"),
    ] {
        let mut reader = Reader::open(&api, all(), after(cursor)).await;
        let frames = reader.until("caught_up").await;
        let opened = opened(&frames[0]);
        assert_eq!(opened.mode(), mode);
        assert!(opened.reset_reason.contains(why), "{opened:?}");
        if mode == OpenedMode::Reset {
            let rest = ["snapshot_entry", "snapshot_end", "caught_up"];
            assert_eq!(names(&frames)[1..], rest);
        }
    }
}

async fn newest_cursor(api: &Api) -> String {
    let mut reader = Reader::open(api, all(), from(StreamPlace::Beginning)).await;
    reader.until("caught_up").await.pop().expect("the last").cursor
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).expect("the folder can be made");
    for entry in fs::read_dir(from).expect("the folder can be read") {
        let path = entry.expect("the entry can be read").path();
        let to = to.join(path.file_name().expect("it has a name"));
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, &to).expect("the file can be copied");
        }
    }
}

#[tokio::test]
async fn a_cursor_of_another_filter_and_a_damaged_one_are_refused() {
    let system = System::start().await;
    let api = system.api();
    let cursor = newest_cursor(&api).await;
    let one_order = v1::ChangeFilter { order_ids: vec!["o1".to_owned()], ..all() };
    let mut damaged = cursor.clone();
    damaged.replace_range(10..11, if &cursor[10..11] == "A" { "B" } else { "A" });
    let long = "A".repeat(10_000);
    for (filter, cursor) in [
        (one_order, cursor.as_str()),
        (all(), &damaged),
        (all(), &cursor[1..]),
        (all(), ""),
        (all(), "not a cursor"),
        (all(), &long),
    ] {
        let refused = Reader::try_open(&api, filter, after(cursor)).await.map(|_| ());
        let status = assert_refused(refused, Code::InvalidArgument, "INVALID_FIELD");
        let fields = status.get_details_bad_request().expect("fields are named");
        assert_eq!(fields.field_violations[0].field, "start");
    }
}

#[tokio::test]
async fn a_filter_admits_by_order_account_label_and_kind() {
    let system = System::start().await;
    let api = system.api();
    let labels = |text: &str| [("channel".to_owned(), text.to_owned())].into();
    for (order, account, channel) in [("o1", OPTTY, "web"), ("o2", GENERIC, "app")] {
        let request = v1::CreateOrderRequest { labels: labels(channel), ..new_order(order, 100) };
        api.orders().create_order(request).await.expect("recorded");
        api.create_attempt(order, "a1", account).await;
    }
    system.deliver(OPTTY, &optty_order("o1", "SUCCESSFUL", json!(1))).await;
    system.deliver(GENERIC, &generic_payment("p2", "o2", "paid", "1.00")).await;

    let o1 = v1::ChangeFilter { order_ids: vec!["o1".to_owned()], ..all() };
    let app = v1::ChangeFilter { labels: labels("app"), ..all() };
    let accounts = v1::ChangeFilter { account_ids: vec![GENERIC.to_owned()], ..all() };
    let outcomes = v1::ChangeFilter { kinds: vec![ChangeKind::OutcomeChanged.into()], ..all() };
    let both = v1::ChangeFilter { kinds: outcomes.kinds.clone(), ..app.clone() };
    let none = v1::ChangeFilter { labels: labels("app"), ..o1.clone() };
    use ChangeKind::{
        AttemptCreated as Attempt, AttemptStatusChanged as Paid, OrderCreated as Created,
        OrderStatusChanged as Status, OutcomeChanged as Outcome,
    };
    let every = [Created, Attempt, Status, Outcome, Paid];
    for (filter, order, kinds) in [
        (o1, "o1", &every[..]),
        (app, "o2", &every),
        (accounts, "o2", &[Attempt, Paid]),
        (outcomes, "o1 o2", &[Outcome]),
        (both, "o2", &[Outcome]),
        (none, "", &[]),
    ] {
        let mut reader = Reader::open(&api, filter.clone(), from(StreamPlace::Beginning)).await;
        let seen = changes(&reader.until("caught_up").await);
        let mut orders: Vec<&str> = seen.iter().map(|change| change.order_id.as_str()).collect();
        orders.dedup();
        assert_eq!(orders.join(" "), order, "{filter:?}");
        let kind_of: std::collections::BTreeSet<_> = seen.iter().map(|c| c.kind).collect();
        let expected: std::collections::BTreeSet<_> = kinds.iter().map(|k| *k as i32).collect();
        assert_eq!(kind_of, expected, "{filter:?}");
    }
    let attempt = v1::ChangeFilter { kinds: vec![Paid.into()], ..all() };
    let mut reader = Reader::open(&api, attempt, from(StreamPlace::Beginning)).await;
    let (_, changes) = reader.next_changes().await;
    let attempt = changes[0].attempt.clone().expect("the attempt is shown");
    assert_eq!(attempt.captured_amount, Some(aud(100)));
}

/// What is wrong with a filter is said; what is at the limit is taken.
#[tokio::test]
async fn filters_have_limits() {
    let system = System::start().await;
    let api = system.api();
    let orders = |count: usize| v1::ChangeFilter {
        order_ids: (0..count).map(|number| format!("o{number}")).collect(),
        ..all()
    };
    let accounts = |count: usize| v1::ChangeFilter {
        account_ids: (0..count).map(|number| format!("a{number}")).collect(),
        ..all()
    };
    let kinds = |kind: i32, count: usize| v1::ChangeFilter { kinds: vec![kind; count], ..all() };
    let labels = |count: usize, length: usize| v1::ChangeFilter {
        labels: (0..count).map(|number| (format!("l{number}"), "x".repeat(length))).collect(),
        ..all()
    };
    for filter in [orders(100), accounts(32), kinds(3, 32), labels(16, 64)] {
        Reader::open(&api, filter, from(StreamPlace::Now)).await;
    }
    for (filter, field) in [
        (orders(101), "filter.order_ids"),
        (accounts(33), "filter.account_ids"),
        (kinds(3, 33), "filter.kinds"),
        (kinds(0, 1), "filter.kinds"),
        (kinds(99, 1), "filter.kinds"),
        (labels(17, 1), "labels"),
        (labels(1, 65), "labels"),
    ] {
        let refused = Reader::try_open(&api, filter, from(StreamPlace::Now)).await.map(|_| ());
        let status = assert_refused(refused, Code::InvalidArgument, "INVALID_FIELD");
        let fields = status.get_details_bad_request().expect("fields are named");
        assert_eq!(fields.field_violations[0].field, field);
    }
}

#[tokio::test]
async fn a_server_that_stops_says_so_and_the_cursor_holds() {
    let mut system = System::start().await;
    let api = system.api();
    api.create_order("o1", 100).await;
    let mut idle = Reader::open(&api, all(), from(StreamPlace::Beginning)).await;
    idle.until("caught_up").await;
    let ((), frames) = tokio::join!(system.stop(), idle.until("closing"));
    let Some(v1::frame::Content::Closing(closing)) = &frames[frames.len() - 1].content else {
        panic!("not Closing: {frames:?}");
    };
    assert_eq!(closing.reason(), ClosingReason::Drain);
    let wait = closing.reconnect_after.expect("how long to wait");
    assert!((0..=2).contains(&wait.seconds), "{wait:?}");
    assert!(idle.end().await.is_none(), "it ends in good order");

    system.start_again().await;
    api.create_order("o2", 100).await;
    let cursor = &frames[frames.len() - 1].cursor;
    let mut again = Reader::open(&api, all(), after(cursor)).await;
    let again = again.until("caught_up").await;
    assert_eq!(name(&again[1]), "change_set");
    assert_eq!(changes(&again)[0].order_id, "o2");
}
