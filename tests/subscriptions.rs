//! Named subscriptions: a position that the server keeps, moved by acknowledgements alone, one
//! reader at a time.

use std::time::Duration;

use paystatus_proto::v1::{self, ChangeKind, ClosingReason, StreamPlace};
use tokio::time::Instant;
use tonic::{Code, Status};

use crate::harness::{
    System,
    api::{Api, assert_refused, request_id},
    stream::{Reader, all, change_ids, from, names, opened},
};

const LEDGER: &str = "ledger";

fn new_subscription(start: Option<v1::StreamStart>) -> v1::CreateSubscriptionRequest {
    v1::CreateSubscriptionRequest {
        request_id: request_id(),
        subscription_id: LEDGER.to_owned(),
        start,
        ..Default::default()
    }
}

async fn create(api: &Api) {
    let request = new_subscription(Some(from(StreamPlace::Beginning)));
    api.changes().create_subscription(request).await.expect("it is created");
}

async fn get(api: &Api) -> v1::Subscription {
    let request =
        v1::GetSubscriptionRequest { subscription_id: LEDGER.to_owned(), ..Default::default() };
    let answer = api.changes().get_subscription(request).await;
    answer.expect("it is there").into_inner().subscription.expect("it is answered")
}

async fn ack(api: &Api, generation: i64, cursor: &str) -> Result<String, Status> {
    let request = v1::AckSubscriptionRequest {
        subscription_id: LEDGER.to_owned(),
        generation,
        cursor: cursor.to_owned(),
        ..Default::default()
    };
    Ok(api.changes().ack_subscription(request).await?.into_inner().acknowledged_cursor)
}

async fn delete(api: &Api) -> bool {
    let request = v1::DeleteSubscriptionRequest {
        subscription_id: LEDGER.to_owned(),
        request_id: request_id(),
        ..Default::default()
    };
    api.changes().delete_subscription(request).await.expect("no error").into_inner().replayed
}

/// Opens the subscription and reads all there is.
async fn read(api: &Api) -> (Reader, i64, Vec<v1::Frame>) {
    let mut reader = Reader::open_named(api, LEDGER).await;
    let frames = reader.until("caught_up").await;
    let generation = opened(&frames[0]).generation;
    assert!(generation > 0);
    (reader, generation, frames)
}

#[tokio::test]
async fn the_position_moves_with_acknowledgements_only_and_survives_a_restart() {
    let mut system = System::start().await;
    let api = system.api();
    create(&api).await;
    for number in 0..4 {
        api.create_order(&format!("o{number}"), 100).await;
    }
    let (reader, generation, frames) = read(&api).await;
    let all_ids = change_ids(&frames);
    assert_eq!(all_ids.len(), 4);
    assert!(get(&api).await.connected);
    drop(reader);

    // Nothing was acknowledged: everything comes again, under the same ids.
    let (_reader, newer, again) = read(&api).await;
    assert!(newer > generation);
    assert_eq!(change_ids(&again), all_ids);
    let after_two = &again[2].cursor;
    assert_eq!(ack(&api, newer, after_two).await.expect("it is taken"), *after_two);
    let known = get(&api).await;
    assert_eq!(known.acknowledged_cursor, *after_two);
    assert!(known.acknowledge_time.is_some() && known.backlog_records >= 2, "{known:?}");
    // Cumulative: an older one says nothing new, and takes nothing back.
    let answer = ack(&api, newer, &again[1].cursor).await.expect("it is taken");
    assert_eq!(answer, *after_two);

    system.stop().await;
    system.start_again().await;
    assert_eq!(get(&api).await.acknowledged_cursor, *after_two);
    let refused = ack(&api, newer, &again[3].cursor).await;
    assert_refused(refused, Code::FailedPrecondition, "SUBSCRIPTION_TAKEN_OVER");
    let (_reader, newest, rest) = read(&api).await;
    assert!(newest > newer, "generations only grow, over a restart too");
    assert_eq!(change_ids(&rest), all_ids[2..]);
}

#[tokio::test]
async fn a_new_reader_takes_over_and_the_old_one_cannot_acknowledge() {
    let system = System::start().await;
    let api = system.api();
    create(&api).await;
    api.create_order("o1", 100).await;
    let (mut old, old_generation, old_frames) = read(&api).await;
    let (_new, new_generation, new_frames) = read(&api).await;
    let closing = old.until("closing").await.pop().expect("the last").content;
    let Some(v1::frame::Content::Closing(closing)) = closing else { panic!("not Closing") };
    assert_eq!(closing.reason(), ClosingReason::TakenOver);
    assert!(old.end().await.is_none());

    let refused = ack(&api, old_generation, &old_frames[1].cursor).await;
    assert_refused(refused, Code::FailedPrecondition, "SUBSCRIPTION_TAKEN_OVER");
    ack(&api, new_generation, &new_frames[1].cursor).await.expect("it is taken");
}

/// A reader that is never idle must stop as well; that was once noticed only while idle.
#[tokio::test]
async fn a_busy_reader_is_taken_over_too() {
    let system = System::start().await;
    let api = system.api();
    create(&api).await;
    let (old, _, _) = read(&api).await;
    let busy = async {
        for number in 0.. {
            api.create_order(&format!("o{number}"), 100).await;
        }
    };
    let take_over = async {
        let _new = read(&api).await;
        old.end().await
    };
    tokio::select! {
        () = busy => unreachable!("it never ends"),
        end = take_over => assert!(end.is_none()),
    }
}

#[tokio::test]
async fn what_was_not_sent_cannot_be_acknowledged() {
    let system = System::start().await;
    let api = system.api();
    create(&api).await;
    api.create_order("o1", 100).await;
    let (reader, generation, _) = read(&api).await;
    // A reader of its own sees a later order under the same filter; this one is not read.
    drop(reader);
    api.create_order("o2", 100).await;
    let mut plain = Reader::open(&api, all(), from(StreamPlace::Beginning)).await;
    let ahead = plain.until("caught_up").await.pop().expect("the last").cursor;
    let refused = ack(&api, generation, &ahead).await;
    assert_refused(refused, Code::FailedPrecondition, "ACK_BEYOND_SENT");

    let one = v1::ChangeFilter { order_ids: vec!["o1".to_owned()], ..all() };
    let mut other = Reader::open(&api, one, from(StreamPlace::Beginning)).await;
    let of_another_filter = other.next().await.cursor;
    for cursor in [of_another_filter.as_str(), "damaged", ""] {
        let refused = ack(&api, generation, cursor).await;
        assert_refused(refused, Code::InvalidArgument, "INVALID_FIELD");
    }
}

/// Ten at once are two records: the first, and a second later one for all the others.
#[tokio::test]
async fn acknowledgements_are_written_once_a_second_at_most() {
    let system = System::start().await;
    let api = system.api();
    create(&api).await;
    for number in 0..11 {
        api.create_order(&format!("o{number}"), 100).await;
    }
    let (_reader, generation, frames) = read(&api).await;
    let begin = Instant::now();
    let acks = frames[1..11].iter().map(|frame| ack(&api, generation, &frame.cursor));
    for answer in futures_util::future::join_all(acks).await {
        answer.expect("it is taken");
    }
    assert!(begin.elapsed() >= Duration::from_secs(1), "the second had to wait");
    let known = get(&api).await;
    assert_eq!(known.acknowledged_cursor, frames[10].cursor);
    assert_eq!(known.backlog_records, 1 + 2, "one order, and two acknowledgements");
}

/// Acknowledging a heartbeat once wrote a record, which moved the next heartbeat, and so on.
#[tokio::test]
async fn an_idle_subscription_comes_to_rest() {
    let beat = Duration::from_millis(50);
    let system = System::start_with(|config| config.streams.heartbeat = beat).await;
    let api = system.api();
    create(&api).await;
    api.create_order("o1", 100).await;
    let (mut reader, generation, frames) = read(&api).await;
    ack(&api, generation, &frames[1].cursor).await.expect("it is taken");
    assert_eq!(get(&api).await.backlog_records, 0, "all done");
    let mut cursors = Vec::new();
    for _ in 0..4 {
        let frame = reader.until("heartbeat").await.pop().expect("the last");
        ack(&api, generation, &frame.cursor).await.expect("it is taken");
        cursors.push(frame.cursor);
    }
    assert_eq!(cursors[2], cursors[3], "nothing was written any more");
    assert_eq!(get(&api).await.backlog_records, 0);
}

#[tokio::test]
async fn deleting_ends_the_stream_and_frees_the_name() {
    let system = System::start().await;
    let api = system.api();
    assert!(delete(&api).await, "one that does not exist is no error");
    create(&api).await;
    api.create_order("o1", 100).await;
    let (mut reader, generation, frames) = read(&api).await;
    assert!(!delete(&api).await);
    let closing = reader.until("closing").await.pop().expect("the last").content;
    let Some(v1::frame::Content::Closing(closing)) = closing else { panic!("not Closing") };
    assert_eq!(closing.reason(), ClosingReason::Deleted);
    let refused = ack(&api, generation, &frames[1].cursor).await;
    assert_refused(refused, Code::NotFound, "SUBSCRIPTION_NOT_FOUND");
    create(&api).await;
    let (_, _, frames) = read(&api).await;
    assert_eq!(names(&frames), ["opened", "change_set", "caught_up"]);
}

#[tokio::test]
async fn creating_is_safe_to_repeat() {
    let system = System::start().await;
    let api = system.api();
    let filter = v1::ChangeFilter {
        kinds: vec![ChangeKind::OutcomeChanged.into()],
        labels: [("channel".to_owned(), "web".to_owned())].into(),
        ..all()
    };
    let request =
        v1::CreateSubscriptionRequest { filter: Some(filter.clone()), ..new_subscription(None) };
    let first = api.changes().create_subscription(request.clone()).await.expect("created");
    api.create_order("o1", 100).await;
    let again = api.changes().create_subscription(request.clone()).await.expect("repeated");
    let (first, again) = (first.into_inner(), again.into_inner());
    assert_eq!((first.replayed, again.replayed), (false, true));
    let known = again.subscription.expect("it is answered");
    let cursor = first.subscription.expect("it is answered").acknowledged_cursor;
    assert_eq!(known.acknowledged_cursor, cursor, "NOW is when it was created");
    let kept = known.filter.expect("it is shown");
    assert_eq!((kept.kinds, kept.labels), (filter.kinds, filter.labels));

    let other = v1::CreateSubscriptionRequest { filter: None, ..request.clone() };
    let refused = api.changes().create_subscription(other.clone()).await;
    assert_refused(refused, Code::InvalidArgument, "REQUEST_ID_REUSED");
    let other = v1::CreateSubscriptionRequest { request_id: request_id(), ..other };
    let refused = api.changes().create_subscription(other).await;
    assert_refused(refused, Code::AlreadyExists, "NAME_TAKEN");
    let snapshot = new_subscription(Some(from(StreamPlace::Snapshot)));
    let refused = api.changes().create_subscription(snapshot).await;
    assert_refused(refused, Code::InvalidArgument, "INVALID_FIELD");
    let list = api.changes().list_subscriptions(v1::ListSubscriptionsRequest::default()).await;
    let list = list.expect("listed").into_inner();
    assert_eq!((list.subscriptions.len(), list.next_page_token.as_str()), (1, ""));
}
