//! Provider accounts as the server has them configured, and how their webhooks fare.

use std::time::SystemTime;

use crate::webhook::Disposition;

/// A configured provider account.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Account {
    /// Its id; its webhooks come to `/webhooks/{account_id}`.
    pub account_id: String,
    /// The adapter.
    pub provider: String,
    /// The merchant that it belongs to.
    pub merchant_id: String,
    /// What its webhooks are signed with, newest first. Never a value.
    pub secrets: Vec<SigningSecret>,
    /// Whether the provider is asked what became of payments.
    pub can_be_asked: bool,
    /// Whether raw responses of payment methods are kept.
    pub keeps_raw_responses: bool,
    /// Since when the counts count.
    pub count_start: Option<SystemTime>,
    /// Accepted webhooks by what became of them.
    pub accepted: Vec<(Disposition, i64)>,
    /// Rejected requests by reason.
    pub rejected: Vec<(String, i64)>,
    /// When the last webhook was accepted.
    pub last_webhook: Option<SystemTime>,
    /// The last rejections that were explained, newest first.
    pub rejections: Vec<Rejection>,
}

/// A secret that webhooks are signed with, without its value.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SigningSecret {
    /// From when it counts. `None` if it always did.
    pub from: Option<SystemTime>,
    /// Until when it counts. `None` if it has no end.
    pub until: Option<SystemTime>,
    /// Whether it counts now.
    pub active: bool,
}

/// A request that did not verify, explained.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Rejection {
    /// When it came.
    pub receive_time: Option<SystemTime>,
    /// Why, as one word.
    pub reason: String,
    /// The same in words.
    pub message: String,
    /// Names of the headers that came.
    pub header_names: Vec<String>,
    /// Bytes of the body.
    pub body_bytes: i64,
    /// What would have made it verify.
    pub findings: Vec<String>,
}

/// Which accounts to list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListAccounts {
    /// Only those of this merchant. `None` means every merchant that the key may touch.
    pub merchant_id: Option<String>,
    /// Which page.
    pub page: crate::PageRequest,
}
