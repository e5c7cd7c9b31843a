//! Order-confirmation pages: each is told the outcome the moment it is known, and nothing else.

use std::time::Duration;

use paystatus_proto::v1;
use paystatus_server::config::PageKeyConfig;
use serde_json::{Value, json};
use tonic::Code;

use crate::harness::{
    MERCHANT, OPTTY, SHOP, System,
    api::{assert_refused, new_attempt},
    http,
    page::Page,
    soon,
    web::WebCall,
};

impl System {
    async fn page(&self, token: &str) -> Page {
        Page::open(self.http(), token, &[]).await
    }
}

#[tokio::test]
async fn a_page_is_told_the_outcome_and_then_that_it_is_done() {
    let system = System::start().await;
    system.api().place("o1", OPTTY, 100).await;
    let mut page = system.page(&system.page_token("o1", 60).await).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.headers["content-type"], "text/event-stream");
    assert_eq!(page.headers["cache-control"], "no-store, no-transform");
    assert_eq!(page.headers["x-accel-buffering"], "no");
    let first = page.next().await.expect("the present state comes first");
    assert_eq!((first.name.as_str(), &first.data["outcome"]), ("status", &json!("UNDECIDED")));
    system.say("o1", "SUCCESSFUL").await;
    let paid = page.next().await.expect("the outcome");
    let expected = json!({
        "outcome": "APPROVED",
        "outcome_number": 1,
        "status": "SUCCESSFUL",
        "amount": {"currency": "AUD", "value": "1.00"},
        "order": "o1",
        "time": paid.data["time"],
        "reason": "The payment was successful.",
        "missed": false,
    });
    assert_eq!(paid.data, expected, "and nothing beside it");
    assert_eq!(page.next().await.map(|event| event.name), Some("done".to_owned()));
    assert_eq!(page.next().await, None);
}

#[tokio::test]
async fn a_page_that_comes_back_is_told_what_it_missed() {
    let system = System::start().await;
    system.api().place("o1", OPTTY, 100).await;
    let token = system.page_token("o1", 60).await;
    let first = system.page(&token).await.next().await.expect("a state");
    system.say("o1", "DECLINED").await;
    let resumed = |id: String| {
        let token = token.clone();
        let address = system.http();
        async move { Page::open(address, &token, &[("last-event-id", &id)]).await }
    };
    let refused = resumed(first.id.clone()).await.next().await.expect("a state");
    assert_eq!(refused.data["outcome"], json!("REFUSED"));
    assert_eq!(refused.data["missed"], json!(false), "one outcome followed the one it saw");
    // The customer pays again, at an attempt of its own.
    let again = v1::CreateAttemptRequest {
        reference: "o1-again".to_owned(),
        ..new_attempt("o1", "again", OPTTY)
    };
    system.api().orders().create_attempt(again).await.expect("another attempt");
    system.say("o1-again", "SUCCESSFUL").await;
    let paid = resumed(first.id).await.next().await.expect("a state");
    assert_eq!(paid.data["outcome"], json!("APPROVED"));
    assert_eq!(paid.data["missed"], json!(true), "it never saw the refusal");
    let over = resumed(paid.id).await;
    assert_eq!(over.status, 204, "it has seen the end and need not come back");
}

#[tokio::test]
async fn a_refusal_is_not_the_end_until_it_settles() {
    let system = System::start_with(|config| {
        config.pages.settle = Duration::from_millis(300);
    })
    .await;
    system.api().place("o1", OPTTY, 100).await;
    let mut page = system.page(&system.page_token("o1", 60).await).await;
    page.next().await.expect("a state");
    system.say("o1", "DECLINED").await;
    assert_eq!(page.next().await.expect("a state").data["outcome"], json!("REFUSED"));
    assert_eq!(page.next().await.expect("an end").name, "done");
}

#[tokio::test]
async fn a_link_ends_also_for_a_page_that_is_open() {
    let system = System::start().await;
    system.api().place("o1", OPTTY, 100).await;
    let token = system.page_token("o1", 2).await;
    let mut page = system.page(&token).await;
    page.next().await.expect("a state");
    assert_eq!(page.next().await.expect("an end").name, "expired");
    assert_eq!(page.next().await, None);
    assert_eq!(system.page(&token).await.status, 410);
}

#[tokio::test]
async fn only_a_token_of_ours_opens_a_page_and_only_of_its_order() {
    let mut system = System::start_with(|config| {
        let secret = Some("0123456789abcdef0123456789abcdef".to_owned());
        config.pages.keys = vec![PageKeyConfig { id: "k1".to_owned(), secret, file: None }];
    })
    .await;
    system.api().place("o1", OPTTY, 100).await;
    let token = system.page_token("o1", 60).await;
    assert_eq!(system.page("").await.status, 401);
    assert_eq!(system.page(&format!("{token}x")).await.status, 401);
    assert_eq!(system.page(&system.checkout).await.status, 401, "an API key is no token");
    let as_key = system.api_of(&token);
    let request = v1::GetOrderRequest {
        merchant_id: MERCHANT.to_owned(),
        order_id: "o1".to_owned(),
        ..Default::default()
    };
    let refused = as_key.orders().get_order(request).await;
    assert_refused(refused, Code::PermissionDenied, "PERMISSION_DENIED");
    let cookie = format!("a=b; paystatus_page={token}");
    let by_cookie = Page::open(system.http(), "", &[("cookie", &cookie)]).await;
    assert_eq!(by_cookie.status, 401, "an empty token in the query is one that is not valid");
    let answer = http::get_with(system.http(), "/pages/order/status", &[("cookie", &cookie)]).await;
    assert_eq!(answer.status, 200);

    // Without the key that signed it, a token is worth nothing.
    system.stop().await;
    let secret = Some("fedcba9876543210fedcba9876543210".to_owned());
    let key = PageKeyConfig { id: "k2".to_owned(), secret, file: None };
    system.config_mut().pages.keys = vec![key];
    system.start_again().await;
    assert_eq!(system.page(&token).await.status, 401);
    let fresh = system.page_token("o1", 60).await;
    assert_eq!(system.page(&fresh).await.status, 200);
}

#[tokio::test]
async fn a_token_is_made_for_orders_of_the_caller_and_for_a_day_at_most() {
    let system = System::start().await;
    system.api().place("o1", OPTTY, 100).await;
    let ask = |order: &str, seconds: i64| v1::CreatePageTokenRequest {
        order_id: order.to_owned(),
        ttl: Some(prost_types::Duration { seconds, nanos: 0 }),
        merchant_id: MERCHANT.to_owned(),
    };
    for seconds in [0, -1, 24 * 60 * 60 + 1] {
        let refused = system.api().orders().create_page_token(ask("o1", seconds)).await;
        assert_refused(refused, Code::InvalidArgument, "INVALID_FIELD");
    }
    assert!(system.api().orders().create_page_token(ask("o1", 24 * 60 * 60)).await.is_ok());
    let refused = system.api().orders().create_page_token(ask("o2", 60)).await;
    assert_refused(refused, Code::NotFound, "ORDER_NOT_FOUND");
    let other = system.api_of(&system.other);
    let refused = other.orders().create_page_token(ask("o1", 60)).await;
    assert_refused(refused, Code::PermissionDenied, "PERMISSION_DENIED");
    let token = system.client().create_page_token("o1", None).await.expect("by the SDK");
    assert!(!format!("{token:?}").contains(&token.token), "it is not printed");
    assert_eq!(system.page(&token.token).await.status, 200);
}

#[tokio::test]
async fn who_cannot_stream_asks_again_and_is_answered_when_there_is_news() {
    let system = System::start().await;
    system.api().place("o1", OPTTY, 100).await;
    let token = system.page_token("o1", 60).await;
    let path = |wait: u64| format!("/pages/order/status?token={token}&wait={wait}");
    let first = http::get(system.http(), &path(20)).await;
    assert_eq!(first.status, 200, "what is new is answered at once");
    let tag = first.headers["etag"].to_str().expect("text").to_owned();
    let same = http::get_with(system.http(), &path(0), &[("if-none-match", &tag)]).await;
    assert_eq!((same.status, same.body.len()), (304, 0));
    let (address, waiting) = (system.http(), path(20));
    let known = tag.clone();
    let held = tokio::spawn(async move {
        http::get_with(address, &waiting, &[("if-none-match", &known)]).await
    });
    system.say("o1", "SUCCESSFUL").await;
    let told = held.await.expect("an answer");
    assert_eq!(told.status, 200);
    let view: Value = serde_json::from_slice(&told.body).expect("JSON");
    assert_eq!(view["outcome"], json!("APPROVED"));
}

#[tokio::test]
async fn only_configured_origins_may_read() {
    let system = System::start_for_shop().await;
    system.api().place("o1", OPTTY, 100).await;
    let token = system.page_token("o1", 60).await;
    let open = |origin: &'static str| {
        let (address, token) = (system.http(), token.clone());
        async move { Page::open(address, &token, &[("origin", origin)]).await }
    };
    let own = open(SHOP).await;
    assert_eq!(own.headers["access-control-allow-origin"], SHOP);
    assert_eq!(own.headers["vary"], "origin");
    let other = open("https://shop.example.evil").await;
    assert!(other.headers.get("access-control-allow-origin").is_none());
}

#[tokio::test]
async fn a_key_that_is_taken_away_closes_the_pages_that_it_opened() {
    let key = |id: &str, secret: &str| PageKeyConfig {
        id: id.to_owned(),
        secret: Some(secret.to_owned()),
        file: None,
    };
    let (old, new) = ("0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210");
    let mut system = System::start_with(|config| config.pages.keys = vec![key("k1", old)]).await;
    system.api().place("o1", OPTTY, 100).await;
    let token = system.page_token("o1", 600).await;
    let mut stream = system.page(&token).await;
    stream.next().await.expect("a state");
    let mut web = WebCall::watch(system.http(), &token, &Default::default(), &[]).await;
    web.next().await.expect("opened");
    // Another key signs from now on; the old one verifies still.
    system.reload(|config| config.pages.keys = vec![key("k2", new), key("k1", old)]);
    let later = system.page_token("o1", 600).await;
    assert_eq!(system.page(&token).await.status, 200);
    let path = format!("/pages/order/status?token={token}&wait=20");
    let known = http::get(system.http(), &path).await;
    let tag = known.headers["etag"].to_str().expect("text").to_owned();
    let address = system.http();
    let held = tokio::spawn(async move {
        http::get_with(address, &path, &[("if-none-match", &tag)]).await.status
    });
    soon("the page that asks again waits", async {
        while !system.metrics().await.contains("paystatus_pages_open 3\n") {
            tokio::task::yield_now().await;
        }
    })
    .await;
    // The same name with another secret is another key.
    system.reload(|config| config.pages.keys = vec![key("k2", new), key("k1", new)]);
    assert_eq!(stream.next().await.expect("an end").name, "expired");
    assert_eq!(stream.next().await, None);
    let mut closing = None;
    while let Some(frame) = web.next().await {
        closing = frame.content;
    }
    let Some(v1::frame::Content::Closing(closing)) = closing else { panic!("{closing:?}") };
    assert_eq!(closing.reason(), v1::ClosingReason::Expired);
    assert_eq!(system.page(&token).await.status, 401);
    assert_eq!(system.page(&later).await.status, 200);
    system.say("o1", "SUCCESSFUL").await;
    assert_eq!(held.await.expect("no panic"), 401, "who waited is told no more either");
    // What cannot be used changes nothing.
    let server = system.server();
    let mut weak = system.config().clone();
    weak.pages.keys = vec![key("k3", "short")];
    let refused = server.reload(&weak).expect_err("it is too short").to_string();
    assert!(refused.contains("pages.keys") && !refused.contains("short\""), "{refused}");
    assert_eq!(system.page(&later).await.status, 200);
}

#[tokio::test]
async fn origins_and_limits_of_pages_count_at_once() {
    let mut system = System::start().await;
    system.api().place("o1", OPTTY, 100).await;
    let token = system.page_token("o1", 60).await;
    let open = async |system: &System| Page::open(system.http(), &token, &[("origin", SHOP)]).await;
    let before = open(&system).await;
    assert!(before.headers.get("access-control-allow-origin").is_none());
    let reloaded = system.reload(|config| {
        config.pages.origins = vec![SHOP.to_owned()];
        config.pages.open_per_token = 2;
    });
    assert!(!reloaded.needs_restart.contains(&"pages"), "{reloaded:?}");
    let after = open(&system).await;
    assert_eq!(after.headers["access-control-allow-origin"], SHOP);
    assert_eq!(open(&system).await.status, 429);
}

#[tokio::test]
async fn pages_of_one_token_are_limited() {
    let system = System::start_with(|config| config.pages.open_per_token = 2).await;
    system.api().place("o1", OPTTY, 100).await;
    let token = system.page_token("o1", 60).await;
    let (first, _second) = (system.page(&token).await, system.page(&token).await);
    let third = system.page(&token).await;
    assert_eq!((third.status, third.headers["retry-after"].to_str().unwrap()), (429, "5"));
    let path = format!("/pages/order/status?token={token}&wait=20");
    let known = http::get(system.http(), &path).await;
    assert_eq!(known.status, 200, "who does not wait needs no place");
    let tag = known.headers["etag"].to_str().expect("text");
    let held = http::get_with(system.http(), &path, &[("if-none-match", tag)]).await;
    assert_eq!(held.status, 429, "who waits does");
    drop(first);
    soon("a place is free again", async {
        while system.page(&token).await.status != 200 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn pages_survive_a_restart_of_the_server() {
    let mut system = System::start().await;
    system.api().place("o1", OPTTY, 100).await;
    let token = system.page_token("o1", 60).await;
    let mut page = system.page(&token).await;
    let first = page.next().await.expect("a state");
    system.stop().await;
    assert_eq!(page.next().await.expect("a goodbye").name, "closing");
    system.start_again().await;
    system.say("o1", "SUCCESSFUL").await;
    let mut page = Page::open(system.http(), &token, &[("last-event-id", &first.id)]).await;
    let told = page.next().await.expect("a state");
    assert_eq!((&told.data["outcome"], &told.data["missed"]), (&json!("APPROVED"), &json!(false)));
}
