//! How one provider speaks: its webhooks, and its status API.

use std::collections::BTreeMap;

use crate::life::{Event, Payment};

/// Who speaks, and with what.
#[derive(Clone, Debug, Default)]
pub struct Speaker {
    /// What webhooks are signed with, as the account's configuration holds it (or the private
    /// part of it, where that holds a public key).
    pub secret: String,
    /// The provider's own settings, by the names that the account's `options` have.
    pub options: BTreeMap<String, String>,
    /// The provider's own name of the merchant.
    pub merchant: String,
    /// What the status API wants to see, by the names of the account's credentials.
    pub credentials: BTreeMap<String, String>,
    /// Where the simulator itself is reached: scheme, host and port.
    pub url: String,
    /// When this is said, in seconds since 1970.
    pub now_seconds: i64,
}

impl Speaker {
    /// One of the provider's own settings, or what it is without one.
    #[must_use]
    pub fn option<'a>(&'a self, name: &str, default: &'a str) -> &'a str {
        self.options.get(name).map_or(default, String::as_str)
    }
}

/// A signed webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// A request to the status API.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// `GET` or `POST`.
    pub method: String,
    /// The path, percent-decoded nowhere.
    pub path: String,
    /// Names and values of the query, decoded.
    pub query: Vec<(String, String)>,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Question {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The value of a name in the query.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// An answer of the status API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// The body, JSON unless the content type says otherwise.
    pub body: Vec<u8>,
    /// The content type.
    pub content_type: &'static str,
}

impl Reply {
    /// A JSON answer.
    #[must_use]
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self { status, body: body.to_string().into_bytes(), content_type: "application/json" }
    }
}

/// One provider's way to speak, as pure functions.
pub trait Voice: Send + Sync + 'static {
    /// The adapter's name in the configuration.
    fn name(&self) -> &'static str;

    /// A secret that could be the provider's, made from a seed; what the account's
    /// configuration must hold comes first, what the provider signs with second. They are the
    /// same where the secret is shared.
    fn secrets(&self, seed: u64) -> (String, String) {
        let shared = format!("secret-{seed:016x}");
        (shared.clone(), shared)
    }

    /// The webhook of an event, or `None` if the provider has none for it.
    fn webhook(&self, event: &Event, speaker: &Speaker) -> Option<Webhook>;

    /// Answers a question about the payments that the provider knows, after checking who asks.
    /// `None` if there is no such path; a provider without a status API has none at all.
    fn answer(&self, question: &Question, ledger: &[Payment], speaker: &Speaker) -> Option<Reply>;
}
