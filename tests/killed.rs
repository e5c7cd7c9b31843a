//! The server is killed while much happens, again and again. What was acknowledged is there, the
//! view agrees with the journal, and whoever follows the changes sees each one once.

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
};

use futures_util::StreamExt as _;
use paystatus_client::{
    Client, Event, Filter, MemoryCursorStore, Money, NewAttempt, NewOrder, Start as From, Subscribe,
};
use paystatus_proto::v1::{self, PaymentStatus, StreamPlace};
use paystatus_server::{
    journal::{Journal as _, file::Check},
    serve,
};
use serde_json::json;
use tokio::sync::watch;

use crate::harness::{
    MERCHANT, OPTTY,
    api::Api,
    channel, config, folder, http,
    process::{Process, Start},
    soon,
    stream::{Reader, all, change_ids, changes, from},
    webhook::optty_order,
};

const ROUNDS: usize = 4;
const WORKERS: usize = 4;
const MARKER: &str = "the last one";

/// What a worker was told is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Acknowledged {
    Order,
    Attempt,
    Webhook,
}

/// Work that goes on while the server comes and goes.
struct Load {
    client: Client,
    http: std::net::SocketAddr,
    acknowledged: Mutex<Vec<(String, Acknowledged)>>,
    count: watch::Sender<usize>,
    next: AtomicUsize,
    is_over: AtomicBool,
}

impl Load {
    async fn work(self: Arc<Self>) {
        while !self.is_over.load(Relaxed) {
            let order = format!("o{}", self.next.fetch_add(1, Relaxed));
            // Whatever is not acknowledged may or may not be there: nothing is claimed of it.
            if self.one(&order).await.is_none() {
                tokio::task::yield_now().await;
            }
        }
    }

    async fn one(&self, order: &str) -> Option<()> {
        let amount = Money::parse("1.00", "AUD").expect("it is an amount");
        self.client.create_order(NewOrder::new(order, amount)).await.ok()?;
        self.note(order, Acknowledged::Order);
        self.client.create_attempt(NewAttempt::new(order, "a1", OPTTY)).await.ok()?;
        self.note(order, Acknowledged::Attempt);
        let webhook = optty_order(order, "SUCCESSFUL", json!("1.00"));
        let path = format!("/webhooks/{OPTTY}");
        let answer = http::try_post(self.http, &path, &webhook.headers, webhook.body).await?;
        if answer.status == 200 {
            self.note(order, Acknowledged::Webhook);
        }
        Some(())
    }

    fn note(&self, order: &str, what: Acknowledged) {
        self.acknowledged.lock().expect("no worker panicked").push((order.to_owned(), what));
        self.count.send_modify(|count| *count += 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_and_no_change_comes_twice() {
    let folder = folder();
    let mut server = Process::start(folder.path(), Start::First, (0, 0)).await;
    let ports = server.ports();
    let owner = Api::new(channel(server.grpc), server.owner.as_deref().expect("it is shown"));
    let secret = owner.create_key(v1::Role::Checkout, &[MERCHANT]).await;
    let builder = Client::builder(format!("http://{}", server.grpc)).api_key(&secret);
    let client = builder.connect_lazy().expect("the settings are sound");
    let seen = tokio::spawn(follow(client.clone()));
    let load = Arc::new(Load {
        client: client.clone(),
        http: server.http,
        acknowledged: Mutex::default(),
        count: watch::Sender::new(0),
        next: AtomicUsize::new(0),
        is_over: AtomicBool::new(false),
    });
    let workers: Vec<_> = (0..WORKERS).map(|_| tokio::spawn(Arc::clone(&load).work())).collect();

    let mut count = load.count.subscribe();
    for _ in 0..ROUNDS {
        let moment = *count.borrow() + rand::random_range(10..100);
        soon("the load", count.wait_for(|count| *count >= moment)).await.expect("it goes on");
        server.kill().await;
        server = Process::start(folder.path(), Start::Again, ports).await;
    }
    load.is_over.store(true, Relaxed);
    for worker in workers {
        worker.await.expect("no worker panicked");
    }

    let api = Api::new(channel(server.grpc), &secret);
    api.create_order(MARKER, 100).await;
    let acknowledged = load.acknowledged.lock().expect("no worker panicked").clone();
    assert!(acknowledged.len() >= ROUNDS * 10);
    for (order, what) in &acknowledged {
        let found = api.get_order(order).await;
        match what {
            Acknowledged::Order => {}
            Acknowledged::Attempt => assert!(found.attempts[0].recorded, "{found:?}"),
            Acknowledged::Webhook => assert_eq!(found.status(), PaymentStatus::Successful),
        }
    }

    let mut reader = Reader::open(&api, all(), from(StreamPlace::Beginning)).await;
    let frames = reader.until("caught_up").await;
    assert!(changes(&frames).last().is_some_and(|change| change.order_id == MARKER));
    let seen = soon("the marker", seen).await.expect("the follower did not panic");
    assert_eq!(seen, change_ids(&frames), "each change once, in order, none left out");

    drop(reader);
    client.close().await.expect("it closes");
    assert!(server.terminate().await.success());
    verify(folder.path());
}

/// Follows all changes over every restart, up to the marker.
async fn follow(client: Client) -> Vec<String> {
    let subscribe = Subscribe::changes(Filter::all()).start(From::Beginning);
    let subscribe = subscribe.keep_cursor("follower", Arc::new(MemoryCursorStore::default()));
    let mut deliveries = client.subscribe(subscribe).await.expect("it subscribes");
    let mut seen = Vec::new();
    loop {
        let delivery = deliveries.next().await.expect("it goes on").expect("it can go on");
        let mut is_last = false;
        match delivery.event() {
            Event::Changes(changes) => {
                seen.extend(changes.iter().map(|change| change.change_id.clone()));
                is_last = changes.iter().any(|change| change.order_id == MARKER);
            }
            Event::Reset { reason } => panic!("the cursor was not honoured: {reason}"),
            _ => {}
        }
        delivery.confirm();
        if is_last {
            return seen;
        }
    }
}

/// Folds the journal once more and compares it with the view.
fn verify(folder: &Path) {
    let data = serve::open(&config(folder.join("data")), Check::Hashes).expect("it opens");
    let report = data.store.verify(&*data.journal.reader(), |_| ()).expect("they agree");
    assert!(report.records > 0 && report.orders > 0);
}

/// A card token is in no log, also where the log tells much.
#[tokio::test]
async fn the_log_holds_no_card_token_and_no_secret() {
    let folder = folder();
    let server = Process::start(folder.path(), Start::First, (0, 0)).await;
    let owner = Api::new(channel(server.grpc), server.owner.as_deref().expect("it is shown"));
    let secret = owner.create_key(v1::Role::Checkout, &[MERCHANT]).await;
    let mut data = json!({
        "reference": "o1", "transactionId": "t1", "status": "SUCCESSFUL", "hash": "",
        "currency": "AUD", "amount": 1, "token": "nx5so6w6gprawk7ur",
    });
    let mut sent = 0;
    for amount in [json!(1), json!([1])] {
        data["amount"] = amount;
        let webhook = crate::harness::webhook::optty("ORDER_ASYNC_CALLBACK", data.clone());
        for body in [webhook.body.clone(), [&webhook.body[..], b" "].concat(), Vec::new()] {
            let path = format!("/webhooks/{OPTTY}");
            http::post(server.http, &path, &webhook.headers, body).await;
            sent += 1;
        }
    }
    assert_eq!(sent, 6);
    let owner_secret = server.owner.clone().expect("it is shown");
    assert!(server.terminate().await.success());
    let log = std::fs::read_to_string(folder.path().join("log")).expect("there is a log");
    assert!(log.contains("unreadable") && log.contains("rejected"), "{log}");
    for secret in ["nx5so6w6gprawk7ur", &secret, &owner_secret, "optty-secret"] {
        assert!(!log.contains(secret), "{log}");
    }
}
