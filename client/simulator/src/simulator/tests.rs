//! Real HTTP on port 0, in both directions.

use std::{
    sync::atomic::{AtomicU16, Ordering::Relaxed},
    time::{Duration, Instant},
};

use axum::{Router, http::StatusCode};
use tokio::net::TcpListener;

use super::*;

/// A merchant that answers 503 so many times, then 200. Returns its address.
async fn merchant(failures: u16) -> String {
    let left = Arc::new(AtomicU16::new(failures));
    let handler = move || {
        let failed = left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok();
        let status = if failed { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
        async move { status }
    };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port is free");
    let address = listener.local_addr().expect("it has one");
    let router = Router::new().fallback(handler);
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}/webhooks/optty")
}

async fn optty(url: String) -> (Simulator, Event) {
    let retry = Retry { tries_max: 4, first_delay: Duration::from_millis(1) };
    let simulator = Simulator::builder("optty").expect("it is known").webhooks_to(url).retry(retry);
    let simulator = simulator.credential("client_id", "shop").credential("client_secret", "s");
    let simulator = simulator.status_api(([127, 0, 0, 1], 0)).start().await.expect("it starts");
    let amount = Amount { currency: "AUD".to_owned(), minor_units: 100, exponent: 2 };
    let payment = simulator.open("o-1", amount);
    let event = simulator.act(&payment, &Action::Pay).expect("it is paid");
    (simulator, event)
}

#[tokio::test]
async fn a_webhook_is_sent_until_it_is_taken_or_often_enough() {
    for (failures, taken, tries) in [(0, true, 1), (3, true, 4), (4, false, 4)] {
        let (simulator, event) = optty(merchant(failures).await).await;
        let sent = simulator.tell(&event).await.expect("there is a webhook");
        assert_eq!((sent.is_taken(), sent.tries), (taken, tries), "after {failures} failures");
    }
    let (simulator, event) = optty("http://127.0.0.1:1/".to_owned()).await;
    let sent = simulator.tell(&event).await.expect("there is a webhook");
    assert_eq!((sent.status, sent.tries), (None, 4), "nobody is there");
}

#[tokio::test]
async fn the_status_api_answers_and_fails_on_demand() {
    let (simulator, _) = optty(String::new()).await;
    let url = simulator.status_api_url().expect("it is served");
    let http = reqwest::Client::new();
    let form = "client_id=shop&client_secret=s&grant_type=client_credentials";
    let token = http.post(format!("{url}/token")).body(form).send().await.expect("an answer");
    let token = token.text().await.expect("a body");
    let token: serde_json::Value = serde_json::from_str(&token).expect("JSON");
    let token = token["access_token"].as_str().expect("a token").to_owned();
    let ask = async || {
        let request = http.get(format!("{url}/orders/o-1")).bearer_auth(&token);
        let response = request.send().await.expect("an answer");
        let retry_after = response.headers().get("retry-after").cloned();
        let status = response.status().as_u16();
        (status, retry_after, response.bytes().await.expect("a body"))
    };
    let whole = ask().await.2;
    assert!(serde_json::from_slice::<serde_json::Value>(&whole).is_ok());

    let delay = Duration::from_millis(50);
    for fault in [
        Fault::Unauthorized,
        Fault::TooManyRequests { retry_after: 7 },
        Fault::ServerError,
        Fault::Truncated,
        Fault::Slow(delay),
    ] {
        simulator.fail_next(fault);
    }
    assert_eq!(ask().await.0, 401);
    let (status, retry_after, _) = ask().await;
    assert_eq!((status, retry_after.expect("it says when").as_bytes()), (429, &b"7"[..]));
    assert_eq!(ask().await.0, 500);
    let (status, _, cut) = ask().await;
    assert!(status == 201 && cut.len() < whole.len() && whole.starts_with(&cut));
    let began = Instant::now();
    assert_eq!(ask().await.2, whole);
    assert!(began.elapsed() >= delay);
    assert_eq!(ask().await.2, whole, "and then all is well");
    assert_eq!(simulator.asked().first().map(String::as_str), Some("POST /token"));
    assert_eq!(simulator.asked().len(), 8);
}
