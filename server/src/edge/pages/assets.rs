//! The web component `<payment-status>`: a script for shops' pages, built from `client/web`.

use std::sync::LazyLock;

use axum::{
    Router,
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use sha2::{Digest as _, Sha256};

/// What `npm run build` makes in `client/web`; the checks build it again and compare.
const SCRIPT: &str = include_str!("../../../../client/web/dist/payment-status.js");
/// `v1` is the version of what a shop relies on (attributes, events, slots, parts), not of the
/// script: a script that would break a shop gets a path of its own.
const SCRIPT_PATH: &str = "/pages/v1/payment-status.js";

/// Changes with the script.
static SCRIPT_TAG: LazyLock<String> =
    LazyLock::new(|| format!("\"{}\"", hex::encode(&Sha256::digest(SCRIPT)[..16])));

/// The routes. Anyone may have what is here, so they need no token.
pub(super) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route(SCRIPT_PATH, get(script))
}

async fn script(headers: HeaderMap) -> Response {
    let tag = SCRIPT_TAG.as_str();
    let common = [
        (header::ETAG, tag),
        // Ten minutes after an update every shop has the new one.
        (header::CACHE_CONTROL, "public, max-age=600"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Modules of another origin are loaded by these two only.
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
    ];
    if is_known(&headers, tag) {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    let kind = [(header::CONTENT_TYPE, "text/javascript; charset=utf-8")];
    (StatusCode::OK, common, kind, SCRIPT).into_response()
}

/// Whether the browser has what this tag names (RFC 9110, 13.1.2).
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|tags| tags.to_str().ok());
    let mut tags = known.flat_map(|tags| tags.split(','));
    tags.any(|known| matches!(known.trim(), "*") || known.trim().trim_start_matches("W/") == tag)
}
