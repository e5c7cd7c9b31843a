//! Was the customer told? A page says so, or else the merchant's mailer is told that none did:
//! exactly one of the two for each outcome.

use std::time::Duration;

use paystatus_client::{NewReceipt, ReceiptDisposition};
use paystatus_proto::v1::{self, ChangeKind, ReceiptDisposition as Disposition};
use serde_json::json;
use tonic::Code;

use crate::harness::{
    MERCHANT, OPTTY, SHOP, System,
    api::{Api, assert_refused, new_attempt, request_id},
    channel, folder, http,
    page::Page,
    process::{Process, Start},
    stream::{Reader, all, changes, from},
    webhook::optty_order,
};

/// Time enough for a page to be told and to answer, also on a busy machine.
const AMPLE: Duration = Duration::from_secs(4);
const SHORT: Duration = Duration::from_millis(200);

impl System {
    pub(crate) async fn start_telling_after(span: Duration) -> Self {
        Self::start_with(|config| config.pages.not_informed = Some(span)).await
    }

    async fn approved(&self, order: &str) {
        self.api().place(order, OPTTY, 100).await;
        self.say(order, "SUCCESSFUL").await;
    }

    /// What a page sends when it has shown an outcome, as `navigator.sendBeacon` does.
    async fn beacon(&self, token: &str, body: &str) -> http::Response {
        let headers = [("content-type".to_owned(), "text/plain;charset=UTF-8".to_owned())];
        let path = format!("/pages/order/receipt?token={token}");
        http::post(self.http(), &path, &headers, body).await
    }

    async fn receipt(&self, token: &str, outcome_number: u64) -> u16 {
        let body = json!({"outcome_number": outcome_number}).to_string();
        self.beacon(token, &body).await.status
    }

    async fn told(&self, order: &str, outcome_number: i64) -> v1::RecordReceiptResponse {
        let request = ask(order, outcome_number, &request_id());
        let answer = self.api().orders().record_receipt(request).await;
        answer.expect("it is taken").into_inner()
    }

    pub(crate) async fn informed(&self) -> Reader {
        told_from(&self.api(), v1::StreamPlace::Now).await
    }
}

fn ask(order: &str, outcome_number: i64, request: &str) -> v1::RecordReceiptRequest {
    v1::RecordReceiptRequest {
        merchant_id: MERCHANT.to_owned(),
        request_id: request.to_owned(),
        order_id: order.to_owned(),
        outcome_number,
    }
}

/// A stream of who was told and who was not.
async fn told_from(api: &Api, place: v1::StreamPlace) -> Reader {
    let kinds = [ChangeKind::CustomerInformed, ChangeKind::CustomerNotInformed];
    let filter = v1::ChangeFilter { kinds: kinds.map(Into::into).to_vec(), ..all() };
    Reader::open(api, filter, from(place)).await
}

/// What a stream says next: of which order, what, and of which outcome.
pub(crate) async fn next(reader: &mut Reader) -> (String, ChangeKind, i64) {
    let (_, mut changes) = reader.next_changes().await;
    assert_eq!(changes.len(), 1, "{changes:?}");
    let change = changes.remove(0);
    (change.order_id.clone(), change.kind(), change.outcome_number)
}

pub(crate) fn informed(order: &str, outcome_number: i64) -> (String, ChangeKind, i64) {
    (order.to_owned(), ChangeKind::CustomerInformed, outcome_number)
}

pub(crate) fn not_informed(order: &str, outcome_number: i64) -> (String, ChangeKind, i64) {
    (order.to_owned(), ChangeKind::CustomerNotInformed, outcome_number)
}

#[tokio::test]
async fn who_was_shown_the_outcome_is_not_written_to() {
    let system = System::start_telling_after(AMPLE).await;
    let mut told = system.informed().await;
    system.api().place("o1", OPTTY, 100).await;
    let token = system.page_token("o1", 600).await;
    let mut page = Page::open(system.http(), &token, &[]).await;
    page.next().await.expect("the present state comes first");
    system.say("o1", "SUCCESSFUL").await;
    let shown = page.next().await.expect("the outcome");
    let number = shown.data["outcome_number"].as_u64().expect("a number");
    assert_eq!(system.receipt(&token, number).await, 204);
    assert_eq!(next(&mut told).await, informed("o1", 1));
    let order = system.api().get_order("o1").await;
    assert_eq!(order.customer_informed_time, order.update_time);
    assert_eq!((order.customer_informed_outcome_number, order.outcome_number), (1, 1));
    let entry = system.api().timeline("o1").await.pop().expect("it is known");
    assert_eq!(entry.source(), v1::FactSource::Page);
    assert_eq!(entry.summary, "the customer was shown outcome 1");
    // Whoever is not told afterwards is the next: the first was not.
    system.approved("o2").await;
    assert_eq!(next(&mut told).await, not_informed("o2", 1));
    let order = system.api().get_order("o2").await;
    assert_eq!((order.customer_informed_time, order.customer_informed_outcome_number), (None, 0));
}

#[tokio::test]
async fn a_receipt_is_no_news_to_a_page() {
    let system = System::start().await;
    system.approved("o1").await;
    let token = system.page_token("o1", 600).await;
    let path = format!("/pages/order/status?token={token}");
    let first = http::get(system.http(), &path).await;
    let tag = first.headers["etag"].to_str().expect("text");
    let before = system.api().get_order("o1").await.version;
    assert_eq!(system.receipt(&token, 1).await, 204);
    assert_eq!(system.api().get_order("o1").await.version, before + 1, "it is recorded");
    let again = http::get_with(system.http(), &path, &[("if-none-match", tag)]).await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    assert_eq!(again.headers["etag"], tag);
    let seen = tag.trim_matches('"');
    let stream = Page::open(system.http(), &token, &[("last-event-id", seen)]).await;
    assert_eq!(stream.status, 204, "it has seen the end and need not come back");
}

#[tokio::test]
async fn who_was_not_shown_it_is_told_of_once_and_a_late_receipt_changes_nothing() {
    let system = System::start_telling_after(SHORT).await;
    let mut told = system.informed().await;
    system.approved("o1").await;
    assert_eq!(next(&mut told).await, not_informed("o1", 1));
    let before = system.api().get_order("o1").await;
    let token = system.page_token("o1", 600).await;
    for _ in 0..3 {
        assert_eq!(system.receipt(&token, 1).await, 204, "the page can do nothing about it");
    }
    let order = system.api().get_order("o1").await;
    assert_eq!(order.version, before.version + 1, "recorded once");
    assert_eq!(order.customer_informed_time, None);
    let timeline = system.api().timeline("o1").await;
    let [fired, late] = &timeline[timeline.len() - 2..] else { panic!("{timeline:?}") };
    assert_eq!(fired.source(), v1::FactSource::Deadline);
    assert_eq!(fired.summary, "no page showed outcome 1 to the customer in time");
    assert_eq!(late.summary, "the customer was shown outcome 1, too late to count");
    assert_eq!((fired.changes.len(), late.changes.len()), (1, 0));
    let answer = system.told("o1", 1).await;
    assert_eq!((answer.disposition(), answer.customer_informed_time), (Disposition::Late, None));
    system.api().place("o2", OPTTY, 100).await;
    system.say("o2", "DECLINED").await;
    assert_eq!(next(&mut told).await, not_informed("o2", 1), "a refusal counts as well");
    let metrics = system.metrics().await;
    for name in ["receipts_total{disposition=\"late\"}", "customers_not_informed_total"] {
        assert!(metrics.contains(&format!("\npaystatus_{name} ")), "{name}: {metrics}");
    }
}

#[tokio::test]
async fn a_newer_outcome_takes_the_place_of_an_older() {
    let system = System::start_telling_after(AMPLE).await;
    let mut told = system.informed().await;
    system.api().place("o1", OPTTY, 100).await;
    system.say("o1", "DECLINED").await;
    // The customer pays again, at an attempt of its own.
    let again = v1::CreateAttemptRequest {
        reference: "o1-again".to_owned(),
        ..new_attempt("o1", "again", OPTTY)
    };
    system.api().orders().create_attempt(again).await.expect("another attempt");
    assert_eq!(system.told("o1", 2).await.disposition(), Disposition::NotNeeded, "undecided");
    system.say("o1-again", "SUCCESSFUL").await;
    assert_eq!(system.told("o1", 1).await.disposition(), Disposition::Late, "overtaken");
    assert_eq!(next(&mut told).await, not_informed("o1", 3), "of the newest, and of no other");
}

#[tokio::test]
async fn a_token_speaks_for_its_order_and_a_body_is_what_it_must_be() {
    let system = System::start_for_shop().await;
    system.approved("o1").await;
    system.approved("o2").await;
    let token = system.page_token("o2", 600).await;
    for (status, token) in [(401, ""), (401, "x"), (401, &system.checkout)] {
        assert_eq!(system.receipt(token, 1).await, status, "{token}");
    }
    for body in ["", "1", "{}", r#"{"outcome_number": -1}"#, r#"{"outcome_number": "1"}"#] {
        let refused = system.beacon(&token, body).await;
        assert_eq!(refused.status, 400, "{body}");
        assert!(refused.body.starts_with(b"the body must be"), "{body}");
        assert_eq!(refused.headers["cache-control"], "no-store, no-transform");
    }
    let padded = format!("{{\"outcome_number\": 1{}}}", " ".repeat(256));
    assert_eq!(system.beacon(&token, &padded).await.status, 413);
    let refused = system.beacon(&token, r#"{"outcome_number": 2}"#).await;
    let text = "there is no outcome of this number yet; the newest is number 1\n";
    assert_eq!((refused.status, refused.body.as_slice()), (400, text.as_bytes()));
    assert_eq!(system.receipt(&token, 1).await, 204);
    assert_eq!(system.told("o1", 1).await.disposition(), Disposition::Recorded, "not told before");
    assert_eq!(system.told("o2", 1).await.disposition(), Disposition::Repeat);

    // By cookie, and from the shop's own origin.
    system.approved("o3").await;
    let headers = [
        ("cookie".to_owned(), format!("paystatus_page={}", system.page_token("o3", 600).await)),
        ("origin".to_owned(), SHOP.to_owned()),
    ];
    let body = r#"{"outcome_number": 1}"#;
    let taken = http::post(system.http(), "/pages/order/receipt", &headers, body).await;
    assert_eq!((taken.status, taken.body.len()), (204, 0));
    assert_eq!(taken.headers["access-control-allow-origin"], SHOP);
    assert!(system.api().get_order("o3").await.customer_informed_time.is_some());
}

#[tokio::test]
async fn a_beacon_that_comes_again_makes_no_record() {
    let system = System::start().await;
    system.approved("o1").await;
    let version = system.api().get_order("o1").await.version;
    let token = system.page_token("o1", 600).await;
    let beacons = (0..50).map(|_| system.receipt(&token, 1));
    let answers = futures_util::future::join_all(beacons).await;
    assert!(answers.iter().all(|status| *status == 204), "{answers:?}");
    let order = system.api().get_order("o1").await;
    assert_eq!(order.version, version + 1);
    for _ in 0..3 {
        assert_eq!(system.told("o1", 1).await.disposition(), Disposition::Repeat);
    }
    assert_eq!(system.api().get_order("o1").await, order);
}

#[tokio::test]
async fn a_checkout_service_says_it_of_its_own_page() {
    let system = System::start().await;
    system.approved("o1").await;
    let call = async |request| system.api().orders().record_receipt(request).await;
    let refused = call(ask("o2", 1, "r1")).await;
    assert_refused(refused, Code::NotFound, "ORDER_NOT_FOUND");
    let refused = call(ask("o1", 2, "r1")).await;
    assert_refused(refused, Code::InvalidArgument, "OUTCOME_NOT_FOUND");
    for wrong in [ask("o1", 0, "r1"), ask("o1", -1, "r1"), ask("o1", 1, ""), ask("", 1, "r1")] {
        assert_refused(call(wrong).await, Code::InvalidArgument, "INVALID_FIELD");
    }
    let first = call(ask("o1", 1, "r1")).await.expect("it is taken").into_inner();
    assert_eq!(first.disposition(), Disposition::Recorded);
    assert!(first.customer_informed_time.is_some());
    let again = call(ask("o1", 1, "r1")).await.expect("it is taken").into_inner();
    assert_eq!(again.disposition(), Disposition::Repeat);
    assert_eq!(again.customer_informed_time, first.customer_informed_time);
    let entry = system.api().timeline("o1").await.pop().expect("it is known");
    assert_eq!(
        (entry.source(), entry.actor),
        (v1::FactSource::Intent, "ROLE_CHECKOUT of shop".into())
    );
    let by_sdk = system.client().record_receipt(NewReceipt::new("o1", 1)).await.expect("taken");
    assert_eq!(by_sdk.disposition, ReceiptDisposition::Repeat);
    assert!(by_sdk.customer_informed_time.is_some());
}

/// Nothing is due while deadlines are off; what was not told is, once they are on.
#[tokio::test]
async fn what_came_due_meanwhile_is_told_at_the_next_start() {
    let mut system = System::start_with(|config| config.pages.not_informed = None).await;
    system.approved("o1").await;
    system.approved("o2").await;
    assert_eq!(system.told("o2", 1).await.disposition(), Disposition::Recorded);
    system.stop().await;
    system.config_mut().pages.not_informed = Some(SHORT);
    system.start_again().await;
    let mut told = told_from(&system.api(), v1::StreamPlace::Beginning).await;
    assert_eq!(next(&mut told).await, informed("o2", 1));
    assert_eq!(next(&mut told).await, not_informed("o1", 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_tells_once() {
    let folder = folder();
    let settings = "pages = { not_informed = \"1s\" }";
    let start =
        async |start, ports| Process::start_with(folder.path(), start, ports, settings).await;
    let mut server = start(Start::First, (0, 0)).await;
    let ports = server.ports();
    let owner = Api::new(channel(server.grpc), server.owner.as_deref().expect("it is shown"));
    let secret = owner.create_key(v1::Role::Checkout, &[MERCHANT]).await;
    let mut expected = Vec::new();
    for round in 0..3 {
        let api = Api::new(channel(server.grpc), &secret);
        let order = format!("o{round}");
        api.place(&order, OPTTY, 100).await;
        let webhook = optty_order(&order, "SUCCESSFUL", json!("1.00"));
        let path = format!("/webhooks/{OPTTY}");
        http::post(server.http, &path, &webhook.headers, webhook.body).await;
        // Before the deadline, most likely; either way it is told once.
        server.kill().await;
        server = start(Start::Again, ports).await;
        expected.push(not_informed(&order, 1));
        let mut told =
            told_from(&Api::new(channel(server.grpc), &secret), v1::StreamPlace::Beginning).await;
        for one in &expected {
            assert_eq!(next(&mut told).await, *one);
        }
    }
    // Whatever else there is stands before the end.
    server.kill().await;
    server = start(Start::Again, ports).await;
    let mut told =
        told_from(&Api::new(channel(server.grpc), &secret), v1::StreamPlace::Beginning).await;
    let frames = told.until("caught_up").await;
    assert_eq!(changes(&frames).len(), expected.len(), "each once");
    assert!(server.terminate().await.success());
}
