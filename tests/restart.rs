//! What a restart keeps, and what becomes of damage: the view comes back the same, the journal is
//! never guessed at.

use std::{
    fs,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use paystatus_proto::v1::{self, StreamPlace};
use paystatus_server::serve::Server;
use prost::Message as _;
use serde_json::json;

use crate::harness::{
    OPTTY, System,
    api::{new_order, request_id},
    stream::{Reader, all, from},
    webhook::{generic_of, optty_order},
};

/// Something of everything: paid and pending orders, an unclaimed one, an unreadable webhook.
async fn fill(system: &System) {
    let api = system.api();
    for number in 0..20 {
        let order = format!("o{number}");
        api.place(&order, OPTTY, 100).await;
        if number % 2 == 0 {
            system.deliver(OPTTY, &optty_order(&order, "SUCCESSFUL", json!("1.00"))).await;
        }
    }
    system.deliver(OPTTY, &optty_order("nobody", "SUCCESSFUL", json!("1.00"))).await;
    let unreadable = generic_of("m1", b"not JSON", crate::harness::webhook::GENERIC_SECRET);
    system.deliver(crate::harness::GENERIC, &unreadable).await;
    let request = v1::CreateSubscriptionRequest {
        request_id: request_id(),
        subscription_id: "ledger".to_owned(),
        start: Some(from(StreamPlace::Beginning)),
        ..Default::default()
    };
    api.changes().create_subscription(request).await.expect("it is created");
}

/// All that callers can see, as bytes.
async fn picture(system: &System) -> Vec<Vec<u8>> {
    let api = system.api_of(&system.operator);
    let merchant_id = crate::harness::MERCHANT.to_owned();
    let list = |unclaimed| {
        let merchant_id = merchant_id.clone();
        let request = v1::ListOrdersRequest { merchant_id, unclaimed, ..Default::default() };
        let api = api.clone();
        async move { api.orders().list_orders(request).await.expect("listed").into_inner() }
    };
    let (recorded, unclaimed) = (list(false).await, list(true).await);
    assert_eq!((recorded.orders.len(), unclaimed.orders.len()), (20, 1));
    let mut picture = vec![recorded.encode_to_vec(), unclaimed.encode_to_vec()];
    for webhook in api.list_webhooks("").await {
        picture.push(webhook.encode_to_vec());
    }
    let checkout = system.api();
    for order in ["o1", "o2"] {
        for entry in checkout.timeline(order).await {
            picture.push(entry.encode_to_vec());
        }
    }
    let mut reader = Reader::open(&checkout, all(), from(StreamPlace::Beginning)).await;
    let frames = reader.until("caught_up").await;
    // The last one names the head of the journal, which the use of a key moves.
    picture.extend(frames[1..frames.len() - 1].iter().map(v1::Frame::encode_to_vec));
    let owner = system.api_of(&system.owner);
    let keys = owner.access().list_keys(v1::ListKeysRequest::default()).await.expect("listed");
    for key in keys.into_inner().keys {
        // The picture is itself taken with these.
        let key = v1::Key { last_use_time: None, calls: Vec::new(), ..key };
        picture.push(key.encode_to_vec());
    }
    let list = v1::ListSubscriptionsRequest::default();
    let list = checkout.changes().list_subscriptions(list).await.expect("listed").into_inner();
    let subscriptions = list.subscriptions;
    picture.push(subscriptions[0].acknowledged_cursor.clone().into_bytes());
    picture
}

#[tokio::test]
async fn a_clean_restart_keeps_everything() {
    let mut system = System::start().await;
    fill(&system).await;
    let request = new_order("again", 100);
    system.api().orders().create_order(request.clone()).await.expect("recorded");
    let before = system.api().get_order("again").await;
    system.stop().await;
    system.start_again().await;
    assert_eq!(system.api().get_order("again").await, before);
    // A request that was answered before the restart is known after it.
    let again = system.api().orders().create_order(request).await.expect("answered").into_inner();
    assert!(again.replayed);
}

/// What happens to the folder of a view.
type Damage = fn(&Path);

#[tokio::test]
async fn a_view_that_is_gone_or_damaged_comes_back_the_same() {
    let mut system = System::start().await;
    fill(&system).await;
    let before = picture(&system).await;
    let view = system.config().data.join("view");
    let damages: [(&str, Damage); 5] = [
        ("left as it is", |_| {}),
        ("deleted", |view| fs::remove_dir_all(view).expect("removed")),
        ("overwritten", |view| fs::write(largest(view), [0xA5; 100_000]).expect("written")),
        ("cut short", |view| {
            let file = largest(view);
            let half = fs::metadata(&file).expect("it is there").len() / 2;
            fs::File::options().write(true).open(file).expect("open").set_len(half).expect("cut");
        }),
        ("damaged inside", |view| {
            let file = largest(view);
            let half = fs::metadata(&file).expect("it is there").len() / 2;
            let file = fs::File::options().write(true).open(file).expect("it opens");
            file.write_all_at(&[0xA5; 64], half).expect("written");
        }),
    ];
    for (name, damage) in damages {
        system.stop().await;
        damage(&view);
        system.start_again().await;
        assert_eq!(picture(&system).await, before, "the view was {name}");
    }
}

#[tokio::test]
async fn a_second_server_on_the_same_folder_is_refused() {
    let system = System::start().await;
    let mut config = system.config().clone();
    config.grpc_address.set_port(0);
    config.http_address.set_port(0);
    let second = tokio::task::spawn_blocking(|| Server::start(config).err());
    let error = second.await.expect("no panic").expect("it is refused").to_string();
    assert!(error.contains("another process uses"), "{error}");
    system.api().create_order("o1", 100).await;
}

#[tokio::test]
async fn damage_inside_the_journal_is_named_and_refused() {
    let mut system = System::start().await;
    fill(&system).await;
    system.stop().await;
    let journal = system.config().data.join("journal");
    let segment = journal.join("00000000000000000001.log");
    let sound = fs::read(&segment).expect("the segment is there");
    let used = sound.iter().rposition(|byte| *byte != 0).expect("it is not empty");
    let damaged = fs::File::options().write(true).open(&segment).expect("it opens");
    damaged.write_all_at(&[!sound[used / 2]], (used / 2) as u64).expect("written");

    let before = fs::read(&segment).expect("the segment is there");
    let config = system.config().clone();
    let refused = tokio::task::spawn_blocking(|| Server::start(config).err());
    let error = refused.await.expect("no panic").expect("it is refused").to_string();
    for part in ["damaged at position", "00000000000000000001.log at byte", "backup"] {
        assert!(error.contains(part), "{error}");
    }
    assert_eq!(fs::read(&segment).expect("it is there"), before, "nothing was changed");

    // As from a backup.
    fs::write(&segment, &sound).expect("written");
    system.start_again().await;
    picture(&system).await;
}

/// What was being written when the power went is cut off; it was never acknowledged.
#[tokio::test]
async fn a_torn_end_of_the_journal_is_cut_off() {
    let mut system = System::start().await;
    fill(&system).await;
    let before = picture(&system).await;
    system.stop().await;
    let segment = system.config().data.join("journal/00000000000000000001.log");
    let sound = fs::read(&segment).expect("the segment is there");
    let used = sound.iter().rposition(|byte| *byte != 0).expect("it is not empty");
    // The beginning of some record, where the next one would begin.
    let torn = &sound[used / 2..used / 2 + 50];
    let file = fs::File::options().write(true).open(&segment).expect("it opens");
    file.write_all_at(torn, (used as u64 + 1).next_multiple_of(8)).expect("written");
    system.start_again().await;
    assert_eq!(picture(&system).await, before);
    system.api().create_order("after it", 100).await;
}

fn largest(folder: &Path) -> PathBuf {
    let files = fs::read_dir(folder).expect("the folder can be read");
    let files = files.map(|entry| entry.expect("the entry can be read").path());
    let size = |path: &PathBuf| fs::metadata(path).expect("it is there").len();
    files.filter(|path| path.is_file()).max_by_key(size).expect("there is a file")
}
