//! Who saw the outcome in a real browser is not written to; who did not, is.

use std::time::Duration;

use serde_json::json;

use crate::{
    browser::start_with,
    harness::{
        System,
        browser::{Browser, Customer},
    },
    receipts::{informed, next, not_informed},
};

/// Longer than a busy machine needs to paint a page.
const AMPLE: Duration = Duration::from_secs(40);
const SHORT: Duration = Duration::from_millis(500);

async fn start(span: Duration) -> Option<(System, Browser, String)> {
    start_with(|config| config.pages.not_informed = Some(span)).await
}

fn somebody() -> Customer {
    Customer { name: "customer", options: json!({}) }
}

#[tokio::test]
async fn who_watches_the_outcome_appear_is_known_to_have_seen_it() {
    let Some((system, mut browser, server)) = start(AMPLE).await else { return };
    let mut told = system.informed().await;
    let token = system.placed("R-1").await;
    browser.open("page", &server, &token).await;
    browser.shows("page", "undecided").await;
    system.becomes("R-1", "declined").await;
    assert_eq!(next(&mut told).await, informed("R-1", 1));
    // Whoever opens the page after the outcome sees it as well, but only the first receipt counts.
    browser.open("again", &server, &token).await;
    browser.shows("again", "refused").await;
    let token = system.placed("R-2").await;
    system.becomes("R-2", "paid").await;
    browser.open("other", &server, &token).await;
    assert_eq!(next(&mut told).await, informed("R-2", 1));
}

#[tokio::test]
async fn who_closes_the_page_before_the_outcome_is_written_to() {
    let Some((system, mut browser, server)) = start(SHORT).await else { return };
    let mut told = system.informed().await;
    let token = system.placed("S-1").await;
    browser.open("page", &server, &token).await;
    browser.shows("page", "undecided").await;
    browser.close("page").await;
    system.becomes("S-1", "paid").await;
    assert_eq!(next(&mut told).await, not_informed("S-1", 1));
}

/// A page may show an outcome where nobody looks.
#[tokio::test]
async fn what_is_out_of_sight_was_not_seen() {
    let Some((system, mut browser, server)) = start(SHORT).await else { return };
    let mut told = system.informed().await;
    let token = system.placed("T-1").await;
    browser.open_as("far", &somebody(), &server, &token, "&far").await;
    browser.shows("far", "undecided").await;
    system.becomes("T-1", "paid").await;
    browser.shows("far", "approved").await;
    assert_eq!(next(&mut told).await, not_informed("T-1", 1));
}

#[tokio::test]
async fn what_comes_into_sight_is_seen_then() {
    let Some((system, mut browser, server)) = start(AMPLE).await else { return };
    let mut told = system.informed().await;
    let token = system.placed("U-1").await;
    system.becomes("U-1", "paid").await;
    browser.open_as("far", &somebody(), &server, &token, "&far").await;
    browser.shows("far", "approved").await;
    assert_eq!(system.api().get_order("U-1").await.customer_informed_time, None);
    let scroll = "document.querySelector('payment-status').scrollIntoView()";
    browser.evaluate("far", scroll).await;
    assert_eq!(next(&mut told).await, informed("U-1", 1));
}

#[tokio::test]
async fn a_receipt_that_is_lost_is_sent_again() {
    let Some((system, mut browser, server)) = start(AMPLE).await else { return };
    let mut told = system.informed().await;
    let proxy = browser.set_proxy(&server, "deaf").await;
    let token = system.placed("V-1").await;
    system.becomes("V-1", "paid").await;
    browser.open("page", &proxy, &token).await;
    browser.shows("page", "approved").await;
    browser.lost_post().await;
    browser.set_proxy(&server, "pass").await;
    assert_eq!(next(&mut told).await, informed("V-1", 1));
}

#[tokio::test]
async fn a_shop_can_do_without_receipts() {
    let Some((system, mut browser, server)) = start(SHORT).await else { return };
    let mut told = system.informed().await;
    let token = system.placed("W-1").await;
    browser.open_as("page", &somebody(), &server, &token, "&receipt=off").await;
    browser.shows("page", "undecided").await;
    system.becomes("W-1", "paid").await;
    browser.shows("page", "approved").await;
    assert_eq!(next(&mut told).await, not_informed("W-1", 1));
}
