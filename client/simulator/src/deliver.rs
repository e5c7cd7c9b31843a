//! Posts webhooks over HTTP, and again until they are taken, as providers do.

use std::time::Duration;

use crate::voice::Webhook;

/// How long an answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a webhook is sent that is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// How often at most, the first time included.
    pub tries_max: u32,
    /// How long after the first; then twice as long each time.
    pub first_delay: Duration,
}

impl Default for Retry {
    /// Six times within 3.1 seconds: the schedule of a provider in a hurry.
    fn default() -> Self {
        Self { tries_max: 6, first_delay: Duration::from_millis(100) }
    }
}

/// What became of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The last HTTP status; `None` if nobody answered.
    pub status: Option<u16>,
    /// How often it was sent.
    pub tries: u32,
}

impl Sent {
    /// True if it was taken.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }

    /// True if it was refused as one that nobody signed.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.status.is_some_and(|status| (400..500).contains(&status))
    }
}

/// No connection can be made at all.
#[derive(Debug, thiserror::Error)]
#[error("requests cannot be sent: {0}")]
pub struct Unsendable(#[from] reqwest::Error);

/// Sends webhooks to one address.
#[derive(Clone, Debug)]
pub struct Sender {
    http: reqwest::Client,
    url: String,
    retry: Retry,
}

impl Sender {
    /// One that posts to an address.
    ///
    /// # Errors
    /// [`Unsendable`] if this system cannot do TLS.
    pub fn new(url: impl Into<String>, retry: Retry) -> Result<Self, Unsendable> {
        // The one provider of cryptography; if there is one already, that will do.
        drop(rustls::crypto::ring::default_provider().install_default());
        let http = reqwest::Client::builder().timeout(ANSWER_TIMEOUT).build()?;
        Ok(Self { http, url: url.into(), retry })
    }

    /// Sends a webhook until it is taken, or has been sent often enough. Each time it is made
    /// anew: providers sign the moment they send.
    pub async fn send(&self, mut make: impl FnMut() -> Option<Webhook>) -> Sent {
        let mut sent = Sent { status: None, tries: 0 };
        while let Some(webhook) = make() {
            sent = Sent { status: self.post(webhook).await, tries: sent.tries + 1 };
            if sent.is_taken() || sent.tries >= self.retry.tries_max {
                break;
            }
            let times = 2_u32.saturating_pow(sent.tries - 1);
            tokio::time::sleep(self.retry.first_delay.saturating_mul(times)).await;
        }
        sent
    }

    /// Sends a webhook once, and again only if nobody answered.
    pub async fn send_once(&self, webhook: &Webhook) -> Sent {
        let mut sent = Sent { status: None, tries: 0 };
        while sent.status.is_none() && sent.tries < self.retry.tries_max {
            sent = Sent { status: self.post(webhook.clone()).await, tries: sent.tries + 1 };
        }
        sent
    }

    async fn post(&self, webhook: Webhook) -> Option<u16> {
        let mut request = self.http.post(&self.url).body(webhook.body);
        for (name, value) in webhook.headers {
            request = request.header(name, value);
        }
        match request.send().await {
            Ok(response) => Some(response.status().as_u16()),
            Err(error) => {
                tracing::debug!(%error, "a webhook was not answered");
                None
            }
        }
    }
}
