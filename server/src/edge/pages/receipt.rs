//! `POST /pages/order/receipt`: a page has shown an outcome to the customer.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{Query, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header, uri::Authority},
    response::Response,
};
use serde::Deserialize;

use super::{Asked, cors, granted, refuse, respond};
use crate::{
    domain::command::Refusal,
    edge::{
        Context, body,
        receipt::{self, By},
    },
    engine::{Error, Refused},
};

/// Bytes of a receipt.
const BYTES_MAX: usize = 256;
/// How long a receipt may take to arrive.
const READ_MAX: Duration = Duration::from_secs(5);
/// How long a page is asked to wait when too much is waiting, in seconds.
const RETRY_AFTER_SECONDS: &str = "1";
/// What is said of a body that is no receipt.
const WANTED: &str =
    "the body must be {\"outcome_number\": N} with the number that the page showed\n";

/// What is said to a site that is not the shop's.
const FOREIGN: &str = "this site may not leave receipts by cookie; it is not in pages.origins\n";

/// What a page sends, under whatever content type: a beacon has `text/plain`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    outcome_number: u64,
}

/// Takes a receipt. A repeat, a late one and one that nobody needs are taken as well: there is
/// nothing that the page should do about it.
pub(super) async fn record(
    State(context): State<Arc<Context>>,
    Query(asked): Query<Asked>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let headers = parts.headers;
    let grant = match granted(&context, &asked, &headers) {
        Ok(grant) => grant,
        Err(refused) => return refuse(&context, &headers, refused),
    };
    let answer = |code, text: &'static str| respond(&context, &headers, code, Body::from(text));
    // A token in the query is known to its page alone; a cookie comes with what other sites send.
    if asked.token.is_none() && is_foreign(&context, &headers, &parts.uri) {
        return answer(StatusCode::FORBIDDEN, FOREIGN);
    }
    let body = match body::read(body, BYTES_MAX, READ_MAX).await {
        Ok(body) => body,
        Err(refused) => return answer(refused.code, refused.text),
    };
    let Ok(sent) = serde_json::from_slice::<Sent>(&body) else {
        return answer(StatusCode::BAD_REQUEST, WANTED);
    };
    match receipt::record(&context, &grant.order, sent.outcome_number, By::Page).await {
        Ok(_) => answer(StatusCode::NO_CONTENT, ""),
        Err(error) => not_taken(&context, &headers, &error),
    }
}

/// True if the page that sends this is of an origin that is neither ours nor configured. Browsers
/// tell the origin with every POST; what is no browser has nobody's cookies.
fn is_foreign(context: &Context, headers: &HeaderMap, uri: &Uri) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return false };
    // A proxy may have altered the host, but not what the browser says of it.
    let is_same = headers.get("sec-fetch-site").is_some_and(|site| site == "same-origin");
    let host = uri.authority().map(Authority::as_str).map(str::as_bytes);
    let host = host.or_else(|| headers.get(header::HOST).map(HeaderValue::as_bytes));
    let is_host = [&b"https://"[..], b"http://"]
        .into_iter()
        .any(|scheme| origin.as_bytes().strip_prefix(scheme).is_some_and(|o| Some(o) == host));
    !(is_same || is_host || cors::is_configured(&context.pages.load(), origin))
}

fn not_taken(context: &Context, headers: &HeaderMap, error: &Error) -> Response {
    match error {
        Error::Refused(Refused::Order(refusal @ Refusal::OutcomeNotFound { .. })) => {
            let text = Body::from(format!("{refusal}\n"));
            respond(context, headers, StatusCode::BAD_REQUEST, text)
        }
        Error::Refused(refused) => {
            tracing::error!(%refused, "a receipt was refused");
            respond(context, headers, StatusCode::NOT_FOUND, Body::from("there is no such order\n"))
        }
        error => {
            tracing::debug!(%error, "a receipt was not taken");
            let text = Body::from("try again\n");
            let mut response = respond(context, headers, StatusCode::SERVICE_UNAVAILABLE, text);
            let wait = HeaderValue::from_static(RETRY_AFTER_SECONDS);
            response.headers_mut().insert(header::RETRY_AFTER, wait);
            response
        }
    }
}
