//! How one provider speaks: its webhooks, and its status API.

use std::{collections::BTreeMap, ops::Range};

use crate::{
    life::{Event, OperationKind, Payment},
    standing::Standing,
};

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

    /// What an account's `options` must be to hear this voice, where the adapter's defaults do
    /// not do: its webhooks come to `webhooks_url`, and the simulator is reached at `url`.
    fn account_options(&self, _webhooks_url: &str, _url: &str) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// A credential that its status API takes, by the name that an account gives it.
    fn credential(&self, name: &str) -> String {
        format!("sim-{name}")
    }

    /// The provider's own name of the merchant, where its status API wants it named: the
    /// account's `provider_merchant`.
    fn merchant(&self) -> Option<&'static str> {
        None
    }

    /// What payments are in, and how many digits its minor units hold.
    fn currency(&self) -> (&'static str, u8) {
        ("AUD", 2)
    }

    /// Which places of a body the signature covers; all of it unless a voice says otherwise.
    /// None at all if the provider does not sign.
    fn signed_places(&self, webhook: &Webhook, _speaker: &Speaker) -> Vec<Range<usize>> {
        std::iter::once(0..webhook.body.len()).collect()
    }

    /// What a merchant records as the reference of an operation, where the provider takes none
    /// and names the operation otherwise.
    fn operation_reference(&self, _kind: OperationKind, _payment: &Payment) -> Option<String> {
        None
    }

    /// What its words can come to at best: where a payment stands, unless the provider says one
    /// thing of two.
    fn standings(&self, payment: &Payment) -> Vec<Standing> {
        vec![payment.standing()]
    }

    /// Answers a question about the payments that the provider knows, after checking who asks.
    /// `None` if there is no such path; a provider without a status API has none at all.
    fn answer(&self, question: &Question, ledger: &[Payment], speaker: &Speaker) -> Option<Reply>;
}
