//! The web component `<payment-status>`: a script for shops' pages, built from `client/web`.

use std::{io::Read as _, sync::LazyLock};

use axum::{
    Router,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use flate2::{Compression, read::GzEncoder};
use sha2::{Digest as _, Sha256};

/// What `npm run build` makes in `client/web`; the checks build it again and compare.
const SCRIPT: &str = include_str!("../../../../client/web/dist/payment-status.js");
/// `v1` is the version of what a shop relies on (attributes, events, slots, parts), not of the
/// script: a script that would break a shop gets a path of its own.
const SCRIPT_PATH: &str = "/pages/v1/payment-status.js";

/// The script as it goes to a browser.
struct Form {
    encoding: Option<&'static str>,
    body: Bytes,
    /// Changes with the script.
    tag: String,
}

static PLAIN: LazyLock<Form> = LazyLock::new(|| Form {
    encoding: None,
    body: Bytes::from_static(SCRIPT.as_bytes()),
    tag: format!("\"{}\"", digest()),
});

/// A third of the size: on a bad network that is seconds.
static PACKED: LazyLock<Form> = LazyLock::new(|| {
    let mut packed = Vec::new();
    let mut encoder = GzEncoder::new(SCRIPT.as_bytes(), Compression::best());
    encoder.read_to_end(&mut packed).expect("memory can be read");
    Form {
        encoding: Some("gzip"),
        body: Bytes::from(packed),
        tag: format!("\"{}-gzip\"", digest()),
    }
});

fn digest() -> String {
    hex::encode(&Sha256::digest(SCRIPT)[..16])
}

/// The routes. Anyone may have what is here, so they need no token.
pub(super) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route(SCRIPT_PATH, get(script))
}

async fn script(headers: HeaderMap) -> Response {
    let form: &Form = if takes_gzip(&headers) { &PACKED } else { &PLAIN };
    let common = [
        (header::ETAG, form.tag.as_str()),
        // Ten minutes after an update every shop has the new one.
        (header::CACHE_CONTROL, "public, max-age=600"),
        (header::VARY, "accept-encoding"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Modules of another origin are loaded by these two only.
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
    ];
    if is_known(&headers, &form.tag) {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    let kind = [(header::CONTENT_TYPE, "text/javascript; charset=utf-8")];
    let mut response = (StatusCode::OK, common, kind, form.body.clone()).into_response();
    if let Some(encoding) = form.encoding {
        let encoding = HeaderValue::from_static(encoding);
        response.headers_mut().insert(header::CONTENT_ENCODING, encoding);
    }
    response
}

/// Whether the browser can unpack (RFC 9110, 12.5.3). All that are known say so by the bare word.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT_ENCODING).iter();
    let mut accepted = accepted.filter_map(|line| line.to_str().ok()).flat_map(|l| l.split(','));
    accepted.any(|encoding| encoding.trim() == "gzip")
}

/// Whether the browser has what this tag names (RFC 9110, 13.1.2).
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|tags| tags.to_str().ok());
    let mut tags = known.flat_map(|tags| tags.split(','));
    tags.any(|known| matches!(known.trim(), "*") || known.trim().trim_start_matches("W/") == tag)
}
