//! The shop over HTTP: its pages, and what their scripts ask for.

use std::{convert::Infallible, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Path, Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use bytes::Bytes;
use futures_util::{Stream, stream};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::watch;

use super::{Storefront, scenario::Scenario, shown::Shown, visit};

/// Bytes of a request's body.
const BODY_BYTES_MAX: usize = 1024;
/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);
/// Pages that may follow one visit at once.
const FOLLOWERS_MAX: usize = 8;
/// The longest silence of a stream.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a browser waits before it opens a broken stream again.
const RETRY: &str = "retry: 1000\n\n";

/// What the shop's own page may do. Its frame shows the customer's page, which is the shop's too.
const SHOP_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                           connect-src 'self'; img-src data:; frame-src 'self'; base-uri 'none'; \
                           form-action 'none'; frame-ancestors 'none'";
/// What the customer's page may do.
const ORDER_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                            connect-src 'self'; img-src data:; base-uri 'none'; \
                            form-action 'none'; frame-ancestors 'self'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The routes.
pub(super) fn router(storefront: Storefront) -> Router {
    let shop = || page(HTML, include_str!("page/index.html"), SHOP_POLICY);
    let order = || page(HTML, include_str!("page/order.html"), ORDER_POLICY);
    let asset = |kind, text| move || async move { page(kind, text, "default-src 'none'") };
    Router::new()
        .route("/", get(async || Redirect::temporary("/demo")))
        .route("/demo", get(async move || shop()))
        .route("/demo/order", get(async move || order()))
        .route("/demo/shop.css", get(asset(CSS, include_str!("page/shop.css"))))
        .route("/demo/phone.css", get(asset(CSS, include_str!("page/phone.css"))))
        .route("/demo/shop.js", get(asset(SCRIPT, include_str!("page/shop.js"))))
        .route("/demo/timeline.js", get(asset(SCRIPT, include_str!("page/timeline.js"))))
        .route("/demo/order.css", get(asset(CSS, include_str!("page/order.css"))))
        .route("/demo/order.js", get(asset(SCRIPT, include_str!("page/order.js"))))
        .route("/demo/orders", post(begin))
        .route("/demo/orders/{visit}/events", get(events))
        .route("/demo/orders/{visit}/reverse", post(reverse))
        .with_state(storefront)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Chosen {
    scenario: String,
}

/// The customer presses "Pay".
async fn begin(State(storefront): State<Storefront>, request: Request) -> Response {
    let Some(desk) = storefront.0.desk.get() else { return not_open() };
    if !is_own(&request) {
        return foreign();
    }
    let body = to_bytes(request.into_body(), BODY_BYTES_MAX);
    let Ok(Ok(body)) = tokio::time::timeout(BODY_TIMEOUT, body).await else {
        return refuse(StatusCode::BAD_REQUEST, "the body is too long, or broke off");
    };
    let chosen = serde_json::from_slice(&body).ok();
    let Some(scenario) = chosen.and_then(|Chosen { scenario }| Scenario::by_name(&scenario)) else {
        let what = r#"say {"scenario": one of "approved", "declined", "late", "closed", "twice"}"#;
        return refuse(StatusCode::BAD_REQUEST, what);
    };
    match storefront.begin(desk, scenario).await {
        Ok(visit) => {
            let begun = json!({ "visit": visit.id, "order": visit.order_id, "token": visit.token });
            answer(StatusCode::CREATED, "application/json", begun.to_string())
        }
        Err(error) => failed(&error),
    }
}

/// Streams all that is shown of a visit, at once and whenever it changes.
async fn events(State(storefront): State<Storefront>, Path(id): Path<String>) -> Response {
    let Some(visit) = storefront.visit(|visit| visit.id == id) else { return gone() };
    if visit.shown.receiver_count() >= FOLLOWERS_MAX {
        return refuse(StatusCode::TOO_MANY_REQUESTS, "too many pages follow this order");
    }
    let mut shown = visit.shown.subscribe();
    shown.mark_changed();
    let body = Body::from_stream(all(shown));
    let mut response = answer(StatusCode::OK, "text/event-stream", body);
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// Ends with the visit.
fn all(shown: watch::Receiver<Shown>) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let first = stream::iter([Ok(Bytes::from_static(RETRY.as_bytes()))]);
    let rest = stream::unfold(shown, |mut shown| async move {
        let event = match tokio::time::timeout(HEARTBEAT, shown.changed()).await {
            Err(_) => Bytes::from_static(b":\n\n"),
            Ok(Err(_)) => return None,
            Ok(Ok(())) => {
                let data = serde_json::to_string(&*shown.borrow_and_update()).unwrap_or_default();
                format!("event: shown\ndata: {data}\n\n").into()
            }
        };
        Some((Ok(event), shown))
    });
    stream::StreamExt::chain(first, rest)
}

/// Gives back what was paid twice.
async fn reverse(
    State(storefront): State<Storefront>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    if !is_own(&request) {
        return foreign();
    }
    let Some(visit) = storefront.visit(|visit| visit.id == id) else { return gone() };
    match visit.reverse().await {
        Ok(()) => answer(StatusCode::NO_CONTENT, "text/plain", Body::empty()),
        Err(visit::Error::NothingToReverse) => {
            refuse(StatusCode::CONFLICT, "there is nothing to reverse")
        }
        Err(error) => failed(&error),
    }
}

/// Pages of others place no orders here: a browser says whose script asks, and none can send JSON
/// elsewhere unasked.
fn is_own(request: &Request) -> bool {
    let headers = request.headers();
    let site = headers.get("sec-fetch-site");
    let is_json = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    is_json && site.is_none_or(|site| site == "same-origin")
}

fn foreign() -> Response {
    refuse(StatusCode::FORBIDDEN, "only the shop's own page may ask, in JSON")
}

fn not_open() -> Response {
    let mut response = refuse(StatusCode::SERVICE_UNAVAILABLE, "the shop opens in a moment");
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

fn gone() -> Response {
    refuse(StatusCode::NOT_FOUND, "this order is not shown any more: pay again")
}

fn failed(error: &visit::Error) -> Response {
    tracing::error!(%error, "the shop of the demo failed");
    refuse(StatusCode::INTERNAL_SERVER_ERROR, "that did not work: see the demo's terminal")
}

fn refuse(code: StatusCode, what: &'static str) -> Response {
    answer(code, "text/plain; charset=utf-8", format!("{what}\n"))
}

fn page(kind: &'static str, text: &'static str, policy: &'static str) -> Response {
    let mut response = answer(StatusCode::OK, kind, text);
    let policy = HeaderValue::from_static(policy);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

/// What every answer carries.
fn answer(code: StatusCode, kind: &'static str, body: impl Into<Body>) -> Response {
    let mut response = (code, body.into()).into_response();
    for (name, value) in [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-store, no-transform"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
