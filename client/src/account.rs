//! Provider accounts as the server has them configured, and how their webhooks fare.

use std::time::{Duration, SystemTime};

use crate::{open_enum::open_enum, webhook::Disposition};

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
    /// How late its webhooks are, and what polls learned before them.
    pub ledger: WebhookLedger,
    /// What a person must look at.
    pub exceptions: Vec<AccountException>,
}

/// How late an account's webhooks are, and what polls learned before them, in the newest part of
/// the server's journal.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct WebhookLedger {
    /// When the oldest record that counts was made.
    pub start: Option<SystemTime>,
    /// Statuses that a poll learned before any webhook told them.
    pub learned_by_poll_first: i64,
    /// Those of them whose order a webhook told something of later.
    pub followed_by_webhook: i64,
    /// From the provider's own time to the webhook.
    pub delay: WebhookDelay,
    /// From the poll that learned a status to the first webhook about its order.
    pub delay_after_poll: WebhookDelay,
    /// The longest usual pause between two webhooks.
    pub usual_pause: Option<Duration>,
}

/// How long something took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct WebhookDelay {
    /// Of how many this is known.
    pub sample_count: i32,
    /// Half of them took no longer.
    pub median: Option<Duration>,
    /// One in a hundred took longer.
    pub percentile_99: Option<Duration>,
}

open_enum! {
    /// What kind of thing of an account a person must look at.
    AccountExceptionKind {
        /// Attempts wait, and the provider says nothing for far longer than it usually does.
        ProviderSilent = 1 "PROVIDER_SILENT",
    }
}

/// Something of an account that a person must look at.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AccountException {
    /// What kind it is.
    pub kind: AccountExceptionKind,
    /// Since when.
    pub since: Option<SystemTime>,
    /// How long a provider may be silent.
    pub allowed: Option<Duration>,
    /// How many attempts wait for it.
    pub waiting_attempts: i64,
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
