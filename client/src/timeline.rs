//! The facts known about an order.

use std::time::SystemTime;

use crate::{change::Change, money::Money, open_enum::open_enum, order::ProviderId};

open_enum! {
    /// Where a fact came from.
    FactSource {
        /// A call of a checkout service.
        Intent = 1 "INTENT",
        /// A webhook whose signature binds what it says.
        Webhook = 2 "WEBHOOK",
        /// A webhook whose signature binds neither kind nor amount.
        WeaklySignedWebhook = 3 "WEAKLY_SIGNED_WEBHOOK",
        /// The provider's answer to a status request.
        Poll = 4 "POLL",
        /// The provider's answer to the checkout service, passed on by it.
        ProviderReply = 5 "PROVIDER_REPLY",
        /// An operator's statement.
        Operator = 6 "OPERATOR",
        /// A deadline that passed.
        Deadline = 7 "DEADLINE",
        /// The customer's order-confirmation page.
        Page = 8 "PAGE",
    }
}

open_enum! {
    /// What a statement is about.
    StatementSubject {
        /// The payment as a whole.
        Payment = 1 "PAYMENT",
        /// A capture.
        Capture = 2 "CAPTURE",
        /// A refund.
        Refund = 3 "REFUND",
        /// A void.
        Void = 4 "VOID",
    }
}

/// What one piece of evidence says of one payment or operation.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Statement {
    /// What it is about.
    pub subject: StatementSubject,
    /// What it says: `AUTHORIZED`, `SOLD`, `DECLINED`, `CORRECTED` …
    pub claim: String,
    /// The amount it names.
    pub amount: Option<Money>,
    /// Ids that name the payment.
    pub ids: Vec<ProviderId>,
    /// Ids that name the operation.
    pub operation_ids: Vec<ProviderId>,
    /// The merchant's reference it names. May be empty.
    pub reference: String,
    /// The provider's reason, in its own words.
    pub reason: String,
    /// The provider's own time of it.
    pub provider_time: Option<SystemTime>,
}

/// Something that became known about an order, and what it changed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TimelineEntry {
    /// The order's version after it.
    pub order_version: i64,
    /// Where it came from.
    pub source: FactSource,
    /// When it was recorded.
    pub record_time: Option<SystemTime>,
    /// What happened, in one plain sentence.
    pub summary: String,
    /// The provider account, if one is concerned.
    pub account_id: String,
    /// The webhook, if it was one.
    pub webhook_id: String,
    /// Who did it, if a call did: the name of the API key, or the name in the certificate.
    pub actor: String,
    /// The id of that key. Empty for a certificate.
    pub actor_key_id: String,
    /// The operator whose key that is. Empty if it is nobody's.
    pub actor_operator_id: String,
    /// What the evidence says.
    pub statements: Vec<Statement>,
    /// What it changed.
    pub changes: Vec<Change>,
    /// Doubts to keep in mind.
    pub notes: Vec<String>,
}
