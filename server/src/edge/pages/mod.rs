//! What a browser may ask for with a page token: the state of one order, as a stream
//! (server-sent events) or, where a network breaks streams, by asking again and again; and what it
//! may say: that it showed an outcome.

mod assets;
mod places;
mod receipt;
pub mod token;
mod view;
mod watch;

use std::{net::SocketAddr, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{Extension, Query, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

pub use self::places::Places;
use self::{
    places::Place,
    token::{Grant, Refused},
    view::PageView,
    watch::{Seen, Watch, find, until},
};
use super::Context;
use crate::{clock, domain::view::Outcome, hub::Topic};

/// The cookie that may carry a token.
const COOKIE: &str = "paystatus_page";
/// How long [`status`] holds an answer back at most.
const WAIT_MAX: Duration = Duration::from_secs(25);
/// How long a page without a place is asked to wait, in seconds.
const RETRY_AFTER_SECONDS: &str = "5";

/// What stands in the query. The token is for browsers that cannot send a cookie to us.
#[derive(Deserialize)]
struct Asked {
    token: Option<String>,
    /// What a page saw last, for scripts that cannot set `Last-Event-ID`.
    seen: Option<String>,
    /// How long to hold the answer back, in seconds.
    wait: Option<u64>,
}

/// The routes.
pub fn router(context: Context) -> Router {
    Router::new()
        .route("/pages/order", get(events).options(preflight))
        .route("/pages/order/status", get(status).options(preflight))
        .route("/pages/order/receipt", post(receipt::record).options(preflight))
        .merge(assets::router())
        .with_state(context)
}

/// Streams the order's state: at once, and whenever it changes.
async fn events(
    State(context): State<Context>,
    Extension(peer): Extension<SocketAddr>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    let (token, grant) = match granted(&context, &asked, &headers) {
        Ok(granted) => granted,
        Err(refused) => return refuse(&context, &headers, refused),
    };
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let seen = last.or(asked.seen.as_deref()).and_then(Seen::decode);
    if let Some(seen) = seen
        && is_over(&context, &grant, seen).await
    {
        // A browser opens a stream again that ended; this answer is how it is told not to.
        return respond(&context, &headers, StatusCode::NO_CONTENT, Body::empty());
    }
    let hash = Sha256::digest(token.as_bytes()).into();
    let pages = &context.config.pages;
    let limits = (pages.open_per_token, pages.open_per_address);
    let Some(place) = Place::take(&context.places, hash, peer.ip(), limits) else {
        let body = Body::from("too many pages are open\n");
        let mut response = respond(&context, &headers, StatusCode::TOO_MANY_REQUESTS, body);
        let wait = HeaderValue::from_static(RETRY_AFTER_SECONDS);
        response.headers_mut().insert(header::RETRY_AFTER, wait);
        return response;
    };
    let watch = Watch::new(context.clone(), grant, seen, place);
    let body = Body::from_stream(watch.into_events());
    let mut response = respond(&context, &headers, StatusCode::OK, body);
    let own = response.headers_mut();
    own.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    // For nginx and those who do as it does: pass each event on at once.
    own.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}

/// Answers with the order's state; if the page has it already, when there is a newer one.
async fn status(
    State(context): State<Context>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    let grant = match granted(&context, &asked, &headers) {
        Ok((_, grant)) => grant,
        Err(refused) => return refuse(&context, &headers, refused),
    };
    let known = headers.get(header::IF_NONE_MATCH).and_then(|tag| tag.to_str().ok());
    let seen = known.map(|tag| tag.trim_matches('"')).or(asked.seen.as_deref());
    let seen = seen.and_then(Seen::decode);
    let wait = Duration::from_secs(asked.wait.unwrap_or(0)).min(WAIT_MAX).min(until(grant.until));
    let until = Instant::now() + wait;
    let mut touched = context.relay.subscribe(Topic::Order(grant.order.clone()));
    let mut drain = context.drain.clone();
    loop {
        let Some(order) = find(&context, &grant).await else {
            let body = Body::from("try again\n");
            return respond(&context, &headers, StatusCode::SERVICE_UNAVAILABLE, body);
        };
        let now = Seen::of(&context, &order);
        let is_new = seen != Some(now);
        if is_new || Instant::now() >= until || *context.drain.borrow() {
            let before = seen.and_then(|seen| seen.outcome_in(&context, &order));
            let view = serde_json::to_vec(&PageView::of(&order, before)).unwrap_or_default();
            let (code, body) = match is_new {
                true => (StatusCode::OK, Body::from(view)),
                false => (StatusCode::NOT_MODIFIED, Body::empty()),
            };
            let mut response = respond(&context, &headers, code, body);
            let json = HeaderValue::from_static("application/json");
            response.headers_mut().insert(header::CONTENT_TYPE, json);
            if let Ok(tag) = HeaderValue::from_str(&format!("\"{}\"", now.encode())) {
                response.headers_mut().insert(header::ETAG, tag);
            }
            return response;
        }
        tokio::select! {
            () = touched.touched() => {}
            () = tokio::time::sleep_until(until) => {}
            _ = drain.wait_for(|drains| *drains) => {}
        }
    }
}

/// True if a page has seen the end: an approval, and nothing since.
async fn is_over(context: &Context, grant: &Grant, seen: Seen) -> bool {
    find(context, grant).await.is_some_and(|order| {
        let is_approved = order.view.summary.outcome == Outcome::Approved;
        is_approved && seen == Seen::of(context, &order)
    })
}

/// What the token of a request grants, and the token.
fn granted(
    context: &Context,
    asked: &Asked,
    headers: &HeaderMap,
) -> Result<(String, Grant), Refused> {
    let token = asked.token.clone().or_else(|| cookie(headers)).ok_or(Refused::Invalid)?;
    let grant = context.page_keys.verify(&token, clock::now())?;
    Ok((token, grant))
}

fn cookie(headers: &HeaderMap) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let cookies = lines.flat_map(|line| line.split(';'));
    let mut pairs = cookies.filter_map(|cookie| cookie.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, token)| token.to_owned())
}

fn refuse(context: &Context, headers: &HeaderMap, refused: Refused) -> Response {
    let body = Body::from(format!("{refused}\n"));
    let code = match refused {
        Refused::Expired => StatusCode::GONE,
        Refused::Invalid => StatusCode::UNAUTHORIZED,
    };
    respond(context, headers, code, body)
}

/// What every answer carries: nobody may keep it, and only configured origins may read it.
fn respond(context: &Context, asked: &HeaderMap, code: StatusCode, body: Body) -> Response {
    let mut response = (code, body).into_response();
    let own = response.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store, no-transform"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::VARY, "origin"),
    ] {
        own.insert(name, HeaderValue::from_static(value));
    }
    if let Some(origin) = asked.get(header::ORIGIN)
        && context
            .config
            .pages
            .origins
            .iter()
            .any(|allowed| allowed.as_bytes() == origin.as_bytes())
    {
        own.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        own.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        own.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("etag"));
    }
    response
}

/// A browser asks whether a script of another origin may ask.
async fn preflight(State(context): State<Context>, headers: HeaderMap) -> Response {
    let mut response = respond(&context, &headers, StatusCode::NO_CONTENT, Body::empty());
    let own = response.headers_mut();
    own.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
    let named = HeaderValue::from_static("content-type, if-none-match, last-event-id");
    own.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, named);
    own.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    response
}
