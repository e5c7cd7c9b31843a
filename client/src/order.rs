//! Orders, and what is known of their payment.

use std::{collections::BTreeMap, time::SystemTime};

use crate::{
    money::Money,
    status::{
        ConditionKind, EvidenceSource, OperationKind, OperationStatus, Outcome, PaymentStatus,
        ReceiptDisposition,
    },
};

/// What a customer pays for, and all that is known about its payment.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Order {
    /// The merchant the order belongs to.
    pub merchant_id: String,
    /// The merchant's own id of the order.
    pub order_id: String,
    /// Derived from the best attempt.
    pub status: PaymentStatus,
    /// The same as one word for the customer.
    pub outcome: Outcome,
    /// Counts the changes of `outcome`.
    pub outcome_number: i64,
    /// What the customer is to pay. `None` while only webhooks are known.
    pub amount: Option<Money>,
    /// What became of the money.
    pub totals: Totals,
    /// Tries to collect the payment, in order of their creation.
    pub attempts: Vec<Attempt>,
    /// Captures, refunds and voids, in order of their creation.
    pub operations: Vec<Operation>,
    /// What a person should look at.
    pub conditions: Vec<Condition>,
    /// The merchant's own labels.
    pub labels: BTreeMap<String, String>,
    /// Number of records about this order. A change at or below it is already in here.
    pub version: i64,
    /// When the order was recorded.
    pub create_time: Option<SystemTime>,
    /// When the newest record about it was made.
    pub update_time: Option<SystemTime>,
    /// How fresh this is.
    pub freshness: Freshness,
    /// When a page showed the present outcome to the customer, in time.
    pub customer_informed_time: Option<SystemTime>,
}

/// How fresh an order is.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Freshness {
    /// When evidence last came. `None` if none ever came.
    pub last_evidence_time: Option<SystemTime>,
    /// What it was.
    pub last_evidence_source: Option<EvidenceSource>,
    /// When a provider last answered a question about the order, as far as the server process
    /// knows; only while the order is not decided, and not in streams.
    pub last_check_time: Option<SystemTime>,
    /// When a provider is to be asked next, likewise.
    pub next_check_time: Option<SystemTime>,
}

/// What became of the money of an order or attempt. `None` where nothing happened.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Totals {
    /// What providers authorised.
    pub authorized: Option<Money>,
    /// Captures that stand.
    pub captured: Option<Money>,
    /// Refunds that succeeded.
    pub refunded: Option<Money>,
    /// What voids released or took back.
    pub voided: Option<Money>,
}

/// One try to collect an order's payment at one provider account.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Attempt {
    /// The merchant's own id; begins with `~` if the attempt was only seen in webhooks.
    pub attempt_id: String,
    /// Earlier names: attempts that turned out to be this one.
    pub aliases: Vec<String>,
    /// The configured provider account.
    pub account_id: String,
    /// What the merchant gave the provider as its own reference. Empty if not known.
    pub reference: String,
    /// Ids learned from the provider.
    pub ids: Vec<ProviderId>,
    /// Status of this attempt alone.
    pub status: PaymentStatus,
    /// What the attempt is to collect.
    pub amount: Option<Money>,
    /// What became of the money.
    pub totals: Totals,
    /// Whether it was recorded by a call, rather than known from evidence alone.
    pub recorded: bool,
    /// Whether record and evidence were paired without a provider id that joins them.
    pub paired_by_guess: bool,
    /// The provider's reason for a status that is not a success.
    pub reason: String,
    /// Newest time that the provider stated.
    pub provider_time: Option<SystemTime>,
}

/// A capture, refund or void of an attempt.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Operation {
    /// What it does.
    pub kind: OperationKind,
    /// The merchant's own id; begins with `~` if the operation was only seen in webhooks.
    pub operation_id: String,
    /// The attempt it belongs to. Empty if that is not known yet.
    pub attempt_id: String,
    /// What the merchant gave the provider as its own reference. Empty if not known.
    pub reference: String,
    /// Ids learned from the provider.
    pub ids: Vec<ProviderId>,
    /// Status of this operation alone.
    pub status: OperationStatus,
    /// How much. `None` means the whole.
    pub amount: Option<Money>,
    /// Whether it was recorded by a call, rather than known from evidence alone.
    pub recorded: bool,
    /// The provider's reason for a status that is not a success.
    pub reason: String,
    /// Newest time that the provider stated.
    pub provider_time: Option<SystemTime>,
}

/// An id that a provider gave to an attempt or an operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ProviderId {
    /// What sort of id it is, in the provider's words: `transaction`, `payment_intent`.
    pub kind: String,
    /// The id itself.
    pub value: String,
}

/// Something about an order that a person should look at, open while it holds.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Condition {
    /// The same contradiction always has the same id.
    pub condition_id: String,
    /// What kind it is.
    pub kind: ConditionKind,
    /// What was found, in plain words.
    pub detail: String,
    /// The attempts concerned. For a duplicate payment the one to reverse comes first.
    pub attempt_ids: Vec<String>,
}

/// What became of a receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Receipt {
    /// What it came to.
    pub disposition: ReceiptDisposition,
    /// When the customer was told the present outcome in time. `None` if that is not so.
    pub customer_informed_time: Option<SystemTime>,
}

/// Lets a browser watch one order. Whoever has it sees the outcome: give it to nobody else.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PageToken {
    /// The token.
    pub token: String,
    /// When it ends, also for a page that is open then.
    pub expires: Option<SystemTime>,
}

/// The token is not printed.
impl std::fmt::Debug for PageToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PageToken").field("expires", &self.expires).finish_non_exhaustive()
    }
}

impl Order {
    /// The attempt with this id or alias.
    #[must_use]
    pub fn attempt(&self, attempt_id: &str) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| {
            attempt.attempt_id == attempt_id || attempt.aliases.iter().any(|a| a == attempt_id)
        })
    }

    /// The operation of this kind with this id.
    #[must_use]
    pub fn operation(&self, kind: OperationKind, operation_id: &str) -> Option<&Operation> {
        self.operations.iter().find(|o| o.kind == kind && o.operation_id == operation_id)
    }
}

impl ProviderId {
    /// An id of a kind.
    #[must_use]
    pub fn new(kind: impl Into<String>, value: impl Into<String>) -> Self {
        Self { kind: kind.into(), value: value.into() }
    }
}
