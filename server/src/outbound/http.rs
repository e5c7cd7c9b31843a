//! Requests to others, over real HTTP: with a time limit, a limit for what comes back, and no
//! way to be sent elsewhere. What goes wrong is told without addresses, headers or bodies.

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use reqwest::{Client, header::RETRY_AFTER};
use tokio_rustls::rustls;

use super::failed::Failed;
use crate::{domain::time::Time, providers::Call};

/// Bytes of an answer.
pub const ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// The longest that a provider may ask to wait.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(60 * 60);
/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an idle connection is kept.
const IDLE: Duration = Duration::from_secs(60);

/// What came back.
#[derive(Debug)]
pub(super) struct Reply {
    /// HTTP status.
    pub(super) status: u16,
    /// How long to wait before the next request, if it says so.
    pub(super) retry_after: Option<Duration>,
    /// The body.
    pub(super) body: Bytes,
}

/// Why no client can be made.
#[derive(Debug, thiserror::Error)]
#[error("HTTPS cannot be used: {0}")]
pub struct Unusable(String);

/// Sends requests. Cheap to clone.
#[derive(Clone)]
pub(super) struct Http(Client);

impl Http {
    /// A client that trusts the roots of Mozilla.
    pub(super) fn new() -> Result<Self, Unusable> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let roots = webpki_roots::TLS_SERVER_ROOTS.to_vec();
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Unusable(error.to_string()))?
            .with_root_certificates(rustls::RootCertStore { roots })
            .with_no_client_auth();
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .user_agent(concat!("paystatus/", env!("CARGO_PKG_VERSION")))
            // A request carries credentials: it goes where it was meant to go, or nowhere.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .pool_idle_timeout(IDLE)
            .build();
        client.map(Self).map_err(|error| Unusable(error.to_string()))
    }

    /// Sends a call to a provider.
    pub(super) async fn call(
        &self,
        base: &str,
        call: &Call,
        limit: Duration,
        now: Time,
    ) -> Result<Reply, Failed> {
        let url = format!("{base}{}", call.path);
        let mut request = match &call.body {
            None => self.0.get(url),
            Some(body) => self.0.post(url).body(body.clone()),
        };
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        exchange(request, limit, ANSWER_BYTES_MAX, now).await
    }

    /// Fetches what stands at an address.
    pub(super) async fn get(
        &self,
        url: &str,
        limit: Duration,
        bytes_max: usize,
        now: Time,
    ) -> Result<Reply, Failed> {
        exchange(self.0.get(url), limit, bytes_max, now).await
    }
}

async fn exchange(
    request: reqwest::RequestBuilder,
    limit: Duration,
    bytes_max: usize,
    now: Time,
) -> Result<Reply, Failed> {
    let mut response = request.timeout(limit).send().await.map_err(|e| unreachable(&e))?;
    let status = response.status().as_u16();
    let retry_after = response.headers().get(RETRY_AFTER);
    let retry_after = retry_after.and_then(|value| waits(value.to_str().ok()?, now));
    if response.content_length().is_some_and(|length| length > bytes_max as u64) {
        return Err(Failed::TooLarge);
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| unreachable(&e))? {
        if body.len() + chunk.len() > bytes_max {
            return Err(Failed::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Reply { status, retry_after, body: body.freeze() })
}

/// Without the error's own text, which may hold the address.
fn unreachable(error: &reqwest::Error) -> Failed {
    Failed::Unreachable(match error {
        _ if error.is_timeout() => "it took too long",
        _ if error.is_connect() => "no connection could be made",
        _ if error.is_builder() => "the request could not be written",
        _ => "the connection broke off",
    })
}

/// `Retry-After`: seconds, or a date.
fn waits(text: &str, now: Time) -> Option<Duration> {
    let span = match text.trim().parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let date = jiff::fmt::rfc2822::parse(text.trim()).ok()?;
            Time::from_micros(date.timestamp().as_microsecond()).since(now)
        }
    };
    Some(span.min(RETRY_AFTER_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_says_how_long_to_wait_in_two_ways() {
        // Sun, 06 Nov 1994 08:49:37 GMT
        let now = Time::from_seconds(784_111_777);
        for (text, seconds) in [
            ("0", Some(0)),
            (" 120 ", Some(120)),
            ("99999999999", Some(3600)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", Some(30)),
            ("Sun, 06 Nov 1994 08:49:07 GMT", Some(0)),
            ("-1", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(waits(text, now).map(|span| span.as_secs()), seconds, "{text:?}");
        }
    }

    #[test]
    fn a_client_can_be_made() {
        assert!(Http::new().is_ok());
    }
}
