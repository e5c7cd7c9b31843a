//! Reads the body of an HTTP request that anybody may have sent: so much, in so much time.

use std::time::Duration;

use axum::{
    body::{Body, Bytes, to_bytes},
    http::StatusCode,
    response::{IntoResponse, Response},
};

/// Why a body was not read: the answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct NotRead {
    /// Which code says it.
    pub(super) code: StatusCode,
    /// The same in words.
    pub(super) text: &'static str,
}

impl IntoResponse for NotRead {
    fn into_response(self) -> Response {
        (self.code, self.text).into_response()
    }
}

/// Reads a body that is to come within a time.
///
/// # Errors
/// [`NotRead`] for one that is too slow, too large, or broke off.
pub(super) async fn read(
    body: Body,
    bytes_max: usize,
    slowest: Duration,
) -> Result<Bytes, NotRead> {
    let not_read = |code, text| NotRead { code, text };
    let read = tokio::time::timeout(slowest, to_bytes(body, bytes_max)).await;
    let read = read.map_err(|_| not_read(StatusCode::REQUEST_TIMEOUT, "the body is too slow\n"))?;
    read.map_err(|error| match is_too_large(&error) {
        true => not_read(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large\n"),
        false => not_read(StatusCode::BAD_REQUEST, "the body broke off\n"),
    })
}

fn is_too_large(error: &axum::Error) -> bool {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = source {
        if error.is::<http_body_util::LengthLimitError>() {
            return true;
        }
        source = error.source();
    }
    false
}
