//! What a browser may ask for with a page token: the state of one order, as a stream
//! (server-sent events) or, where a network breaks streams, by asking again and again; and what it
//! may say: that it showed an outcome. The same over gRPC-Web is in [`super::grpc::web`].

mod assets;
pub(super) mod cors;
pub mod live;
mod places;
mod plain;
mod receipt;
pub(super) mod seen;
mod sse;
mod texts;
pub mod token;
pub(super) mod view;
pub(super) mod watch;

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{Extension, Query, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use tokio::time::Instant;

pub(super) use self::places::Place;
use self::{
    cors::Cors,
    places::Most,
    seen::Seen,
    token::{Grant, Refused},
    view::PageView,
    watch::{Watch, find, is_over, until},
};
pub use self::{live::Live, places::Places};
use super::Context;
use crate::{clock, hub::Topic};

/// The cookie that may carry a token.
const COOKIE: &str = "paystatus_page";
/// How long [`status`] holds an answer back at most.
const WAIT_MAX: Duration = Duration::from_secs(25);
/// How long a page without a place is asked to wait, in seconds.
const RETRY_AFTER_SECONDS: &str = "5";
/// What scripts of the shop may do here.
const CORS: Cors = Cors {
    methods: "GET, POST",
    sent: "content-type, if-none-match, last-event-id",
    exposed: "etag, retry-after",
};

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
pub fn router(context: Arc<Context>) -> Router {
    Router::new()
        .route("/pages/order", get(events).options(preflight))
        .route("/pages/order/status", get(status).options(preflight))
        .route("/pages/order/plain", get(plain::page))
        .route("/pages/order/receipt", post(receipt::record).options(preflight))
        .merge(assets::router())
        .with_state(context)
}

/// Streams the order's state: at once, and whenever it changes.
async fn events(
    State(context): State<Arc<Context>>,
    Extension(peer): Extension<SocketAddr>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    let grant = match granted(&context, &asked, &headers) {
        Ok(grant) => grant,
        Err(refused) => return refuse(&context, &headers, refused),
    };
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    // Anything else than what this server said is as good as nothing: the state comes anyway.
    let seen = last.or(asked.seen.as_deref()).and_then(Seen::decode);
    if let Some(seen) = seen
        && let Some(order) = find(&context, &grant).await
        && is_over(&order, seen, Seen::of(&context, &order))
    {
        // A browser opens a stream again that ended; this answer is how it is told not to.
        return respond(&context, &headers, StatusCode::NO_CONTENT, Body::empty());
    }
    let Some(place) = place(&context, &grant, Some(peer.ip())) else {
        return too_many(&context, &headers);
    };
    let watch = Watch::new(context.clone(), grant, seen, place);
    let mut response =
        respond(&context, &headers, StatusCode::OK, Body::from_stream(sse::body(watch)));
    let own = response.headers_mut();
    own.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    unbuffered(own);
    response
}

/// Answers with the order's state; if the page has it already, when there is a newer one.
async fn status(
    State(context): State<Arc<Context>>,
    Extension(peer): Extension<SocketAddr>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    let grant = match granted(&context, &asked, &headers) {
        Ok(grant) => grant,
        Err(refused) => return refuse(&context, &headers, refused),
    };
    let tag = headers.get(header::IF_NONE_MATCH).and_then(|tag| tag.to_str().ok());
    let seen = tag.map(|tag| tag.trim_matches('"')).or(asked.seen.as_deref());
    let seen = seen.and_then(Seen::decode);
    let wait = Duration::from_secs(asked.wait.unwrap_or(0)).min(WAIT_MAX).min(until(grant.until));
    let until = Instant::now() + wait;
    let mut touched = context.relay.subscribe(Topic::Order(grant.order.clone()));
    let mut drain = context.drain.clone();
    let mut waiting = None;
    loop {
        let Some(order) = find(&context, &grant).await else {
            let body = Body::from("try again\n");
            return respond(&context, &headers, StatusCode::SERVICE_UNAVAILABLE, body);
        };
        let now = Seen::of(&context, &order);
        let known = seen.filter(|seen| seen.looks_like(now));
        if known.is_none() || Instant::now() >= until || *context.drain.borrow() {
            let before = seen.and_then(|seen| seen.outcome_in(&context, &order));
            let (code, body) = match known {
                None => (StatusCode::OK, Body::from(PageView::of(&order, before).to_json())),
                Some(_) => (StatusCode::NOT_MODIFIED, Body::empty()),
            };
            let mut response = respond(&context, &headers, code, body);
            let json = HeaderValue::from_static("application/json");
            response.headers_mut().insert(header::CONTENT_TYPE, json);
            let tag = format!("\"{}\"", known.unwrap_or(now).encode());
            if let Ok(tag) = HeaderValue::from_str(&tag) {
                response.headers_mut().insert(header::ETAG, tag);
            }
            return response;
        }
        // Who waits is an open page like any other.
        if waiting.is_none() {
            waiting = place(&context, &grant, Some(peer.ip()));
            if waiting.is_none() {
                return too_many(&context, &headers);
            }
        }
        tokio::select! {
            () = touched.touched() => {}
            () = tokio::time::sleep_until(until) => {}
            _ = drain.wait_for(|drains| *drains) => {}
        }
        // Whoever waited may have waited too long.
        if let Err(refused) = context.pages.load().keys.check(&grant, clock::now()) {
            return refuse(&context, &headers, refused);
        }
    }
}

/// A place for a page, if there is one.
pub(super) fn place(context: &Context, grant: &Grant, address: Option<IpAddr>) -> Option<Place> {
    let pages = &context.pages.load().config;
    let most = Most {
        all: context.config.limits.pages,
        of_token: pages.open_per_token,
        of_address: pages.open_per_address,
    };
    Place::take(&context.places, grant.token, address, most)
}

/// Asks those between, as nginx, to pass each event on at once.
pub(super) fn unbuffered(answer: &mut HeaderMap) {
    answer.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
}

/// Nobody may keep what a page is told, nor change it on the way.
pub(super) fn unkept(answer: &mut HeaderMap) {
    let value = HeaderValue::from_static("no-store, no-transform");
    answer.insert(header::CACHE_CONTROL, value);
}

/// What the token of a request grants.
fn granted(context: &Context, asked: &Asked, headers: &HeaderMap) -> Result<Grant, Refused> {
    let token = asked.token.clone().or_else(|| cookie(headers)).ok_or(Refused::Invalid)?;
    context.pages.load().keys.verify(&token, clock::now())
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

fn too_many(context: &Context, headers: &HeaderMap) -> Response {
    let body = Body::from("too many pages are open\n");
    let mut response = respond(context, headers, StatusCode::TOO_MANY_REQUESTS, body);
    let wait = HeaderValue::from_static(RETRY_AFTER_SECONDS);
    response.headers_mut().insert(header::RETRY_AFTER, wait);
    response
}

/// What every answer carries: nobody may keep it, and only configured origins may read it.
fn respond(context: &Context, asked: &HeaderMap, code: StatusCode, body: Body) -> Response {
    let mut response = (code, body).into_response();
    unkept(response.headers_mut());
    let origin = asked.get(header::ORIGIN);
    CORS.allow(&context.pages.load(), origin, response.headers_mut());
    response
}

async fn preflight(State(context): State<Arc<Context>>, headers: HeaderMap) -> Response {
    CORS.preflight(&context.pages.load(), &headers)
}
