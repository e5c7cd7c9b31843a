//! What browsers get beside the state of an order: the web component, and the page without scripts.
//! `tests/browser.rs` looks at both with a browser.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::harness::{OPTTY, System, api::new_order, http, webhook::optty_order};

const SCRIPT: &str = "/pages/v1/payment-status.js";

fn text(answer: &http::Response) -> &str {
    std::str::from_utf8(&answer.body).expect("it is text")
}

/// The document of an order, in English.
async fn document(system: &System, token: &str) -> http::Response {
    let path = format!("/pages/order/plain?token={token}&lang=en");
    http::get(system.http(), &path).await
}

#[tokio::test]
async fn anyone_may_load_the_component_and_keep_it_for_a_while() {
    let system = System::start().await;
    let script = http::get_with(system.http(), SCRIPT, &[("origin", "https://any.example")]).await;
    assert_eq!(script.status, 200);
    for (name, value) in [
        ("content-type", "text/javascript; charset=utf-8"),
        ("cache-control", "public, max-age=600"),
        ("x-content-type-options", "nosniff"),
        ("access-control-allow-origin", "*"),
        ("cross-origin-resource-policy", "cross-origin"),
    ] {
        assert_eq!(script.headers[name], value, "{name}");
    }
    assert!(text(&script).contains("payment-status") && script.body.len() < 40_000);
    let tag = script.headers["etag"].to_str().expect("text");
    for known in [tag.to_owned(), format!("\"other\", W/{tag}"), "*".to_owned()] {
        let same = http::get_with(system.http(), SCRIPT, &[("if-none-match", &known)]).await;
        assert_eq!((same.status, same.body.len()), (304, 0), "{known}");
        assert_eq!(same.headers["etag"], tag);
    }
    let other = http::get_with(system.http(), SCRIPT, &[("if-none-match", "\"other\"")]).await;
    assert_eq!(other.status, 200);

    let packed = http::get_with(system.http(), SCRIPT, &[("accept-encoding", "br, gzip")]).await;
    assert_eq!(packed.headers["content-encoding"], "gzip");
    assert_eq!(packed.headers["vary"], "accept-encoding");
    assert_ne!(packed.headers["etag"], tag, "other bytes, another tag");
    assert!(packed.body.starts_with(&[0x1f, 0x8b]) && packed.body.len() < 12_000);
}

#[tokio::test]
async fn the_plain_page_asks_again_until_nothing_follows() {
    let system = System::start_for_shop().await;
    system.api().place("o1", OPTTY, 100).await;
    let token = system.page_token("o1", 60).await;
    let pending = document(&system, &token).await;
    assert_eq!(pending.status, 200);
    assert_eq!(pending.headers["content-type"], "text/html; charset=utf-8");
    assert_eq!(pending.headers["cache-control"], "no-store, no-transform");
    assert_eq!(pending.headers["referrer-policy"], "no-referrer");
    assert!(text(&pending).contains("<meta http-equiv=\"refresh\" content=\"5\">"));
    assert!(text(&pending).contains("<h1>Your payment is being processed</h1>"));
    assert!(text(&pending).contains("1.00 AUD"));
    assert!(!text(&pending).contains(&token), "it links to nothing, not to itself either");

    // Only its own style, and only in the shop's frames.
    let (_, style) = text(&pending).split_once("<style>").expect("it has a style");
    let (style, _) = style.split_once("</style>").expect("the style ends");
    let hash = BASE64.encode(Sha256::digest(style));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'self' https://shop.example"
    );
    assert_eq!(pending.headers["content-security-policy"], policy.as_str());

    system.say("o1", "SUCCESSFUL").await;
    let paid = document(&system, &token).await;
    assert!(text(&paid).contains("<h1>Payment successful</h1>"));
    assert!(!text(&paid).contains("refresh"), "nothing follows");
}

#[tokio::test]
async fn the_plain_page_says_why_it_shows_nothing() {
    let system = System::start().await;
    system.api().place("o1", OPTTY, 100).await;
    let token = system.page_token("o1", 1).await;
    let mut page = crate::harness::page::Page::open(system.http(), &token, &[]).await;
    while page.next().await.is_some() {} // The stream ends with the link.
    let expired = document(&system, &token).await;
    assert_eq!(expired.status, 410);
    assert!(text(&expired).contains("<h1>This link has expired</h1>"));
    let invalid = document(&system, "nonsense").await;
    assert_eq!(invalid.status, 401);
    assert!(text(&invalid).contains("<h1>This link does not work</h1>"));
    assert!(!text(&invalid).contains("refresh"));
}

#[tokio::test]
async fn the_plain_page_speaks_the_language_of_the_customer() {
    let system = System::start().await;
    system.api().place("o1", OPTTY, 100).await;
    let token = system.page_token("o1", 60).await;
    let ask = async |more: &str, accepted: &str| {
        let path = format!("/pages/order/plain?token={token}{more}");
        http::get_with(system.http(), &path, &[("accept-language", accepted)]).await
    };
    let german = ask("", "de-AT,en;q=0.8").await;
    assert_eq!(german.headers["content-language"], "de");
    assert_eq!(german.headers["vary"], "origin, accept-language");
    assert!(text(&german).contains("<html lang=\"de\"") && text(&german).contains("1,00 AUD"));
    assert!(text(&german).contains("Ihre Zahlung wird bearbeitet"));
    assert_eq!(ask("&lang=ja", "de").await.headers["content-language"], "ja");
    assert_eq!(ask("&lang=%3Cb%3E", "").await.headers["content-language"], "en");
}

/// A merchant's reference may hold anything that can be typed.
#[tokio::test]
async fn an_order_cannot_write_into_the_plain_page() {
    let system = System::start().await;
    let order = "<img src=x onerror=alert(1)>&\"'";
    let placed = system.api().orders().create_order(new_order(order, 100)).await;
    placed.expect("an id may hold any letters");
    let document = document(&system, &system.page_token(order, 60).await).await;
    assert!(text(&document).contains("&lt;img src=x onerror=alert(1)&gt;&amp;&quot;&#39;"));
    assert!(!text(&document).contains("<img"));
}

#[tokio::test]
async fn a_refusal_is_looked_at_again_while_the_customer_may_pay_again() {
    let system = System::start_with(|config| {
        config.pages.settle = std::time::Duration::from_secs(3600);
    })
    .await;
    system.api().place("o1", OPTTY, 100).await;
    let token = system.page_token("o1", 60).await;
    system.deliver(OPTTY, &optty_order("o1", "DECLINED", json!("1.00"))).await;
    let refused = document(&system, &token).await;
    assert!(text(&refused).contains("<h1>Payment declined</h1>"));
    assert!(text(&refused).contains("http-equiv=\"refresh\""));
}
