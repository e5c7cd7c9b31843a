//! Webhooks that providers sent, and what became of them.

use std::time::SystemTime;

use crate::{
    open_enum::open_enum,
    status::{Outcome, PaymentStatus},
};

open_enum! {
    /// What became of a webhook.
    Disposition {
        /// It changed something.
        Applied = 1 "APPLIED",
        /// The same event with the same content was there before.
        Repeat = 2 "REPEAT",
        /// A new event that said nothing new.
        Superseded = 3 "SUPERSEDED",
        /// Nobody recorded its order yet.
        Parked = 4 "PARKED",
        /// It is authentic but could not be read.
        Unreadable = 5 "UNREADABLE",
        /// It is authentic but not about a payment of this account.
        Ignored = 6 "IGNORED",
    }
}

/// An accepted webhook.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Webhook {
    /// Its id.
    pub webhook_id: String,
    /// The provider account it came to.
    pub account_id: String,
    /// When it was recorded.
    pub receive_time: Option<SystemTime>,
    /// What became of it.
    pub disposition: Disposition,
    /// The provider's id of the event, or one made from its content.
    pub event_id: String,
    /// The event's name in the provider's words.
    pub event_name: String,
    /// The merchant, if its order is recorded by now.
    pub merchant_id: String,
    /// The order, if it is recorded by now.
    pub order_id: String,
    /// SHA-256 of the raw body, in hex.
    pub body_sha256: String,
    /// Why, if it was unreadable or ignored.
    pub reason: String,
    /// True if it was not received but recorded by a replay of another webhook.
    pub reread: bool,
}

/// An accepted webhook with its body.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct WebhookWithBody {
    /// The webhook.
    pub webhook: Webhook,
    /// Its body. Card tokens read `[removed]` unless they were asked for. Empty for a repeat.
    pub body: Vec<u8>,
    /// True if the body is byte for byte what was received.
    pub as_received: bool,
}

/// What submitting a webhook led to.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SubmittedWebhook {
    /// The accepted webhook.
    pub webhook_id: String,
    /// What became of it.
    pub disposition: Disposition,
    /// The HTTP status that this provider expects.
    pub http_status: i32,
    /// The body that this provider expects.
    pub http_body: Vec<u8>,
}

/// What reading one webhook again did, or would do.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ReplayedWebhook {
    /// The webhook.
    pub webhook_id: String,
    /// What became of it now.
    pub disposition: Disposition,
    /// Whether it now reads otherwise than before.
    pub altered: bool,
    /// What differs, in plain words; or why it could not be read again.
    pub difference: String,
    /// The orders that it altered.
    pub orders: Vec<ReplayedOrder>,
}

/// How an order was altered by reading webhooks again.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ReplayedOrder {
    /// Its merchant. Empty for an order that nobody recorded.
    pub merchant_id: String,
    /// The order.
    pub order_id: String,
    /// Its status before.
    pub previous_status: PaymentStatus,
    /// Its status after.
    pub status: PaymentStatus,
    /// Its outcome before.
    pub previous_outcome: Outcome,
    /// Its outcome after.
    pub outcome: Outcome,
}

/// What one page of a replay did, or would do.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Replay {
    /// One entry for each webhook, oldest first.
    pub webhooks: Vec<ReplayedWebhook>,
    /// The orders that the whole page altered.
    pub orders: Vec<ReplayedOrder>,
    /// The token of the next page; `None` at the end.
    pub next_page_token: Option<String>,
    /// For an account: everything recorded before this time was gone through.
    pub reached: Option<SystemTime>,
}

/// A webhook to submit.
#[derive(Clone, Debug, PartialEq)]
pub struct NewWebhook {
    /// The configured provider account.
    pub account_id: String,
    /// The headers as received, names and values.
    pub headers: Vec<(String, String)>,
    /// The raw body, byte for byte.
    pub body: Vec<u8>,
}

/// Which webhooks to list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListWebhooks {
    /// Only this account. `None` means every account that the key may see.
    pub account_id: Option<String>,
    /// Only these dispositions. Empty means all.
    pub dispositions: Vec<Disposition>,
    /// Only those recorded at this time or later.
    pub since: Option<SystemTime>,
    /// Only those recorded before this time.
    pub until: Option<SystemTime>,
    /// Only events of this name, in the provider's words.
    pub event_name: Option<String>,
    /// Only those about this recorded order of the client's merchant.
    pub order_id: Option<String>,
    /// Which page.
    pub page: crate::PageRequest,
}

/// Which webhooks to read again.
#[derive(Clone, Debug, PartialEq)]
pub enum WebhookSelection {
    /// These.
    Ids(Vec<String>),
    /// All of an account.
    Account {
        /// The account.
        account_id: String,
        /// Only those recorded at this time or later.
        since: Option<SystemTime>,
        /// Which page.
        page: crate::PageRequest,
    },
}

/// Whether a replay changes anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplayMode {
    /// Tells what would change.
    DryRun,
    /// Records the new readings.
    Apply,
}
