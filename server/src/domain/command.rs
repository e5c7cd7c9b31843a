//! What can be asked of the rules, and what they answer.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    digest::{ContentId, Digest},
    fact::{AmountRule, Evidence},
    ids::{
        AccountId, AttemptId, Claim, MerchantId, OperationId, OrderId, OrderKey, ProviderId,
        Reference, RequestId,
    },
    money::Money,
    order::{Decided, Facts, Order},
    receipt::Received,
    statement::{OperationClaim, OperationKind, PaymentClaim},
    time::Time,
    view::View,
};

/// An order of a merchant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parent {
    /// The merchant.
    pub merchant: MerchantId,
    /// Its order.
    pub order: OrderId,
}

impl Parent {
    /// What the order is kept under.
    #[must_use]
    pub fn key(&self) -> OrderKey {
        OrderKey::Recorded { merchant: self.merchant.clone(), order: self.order.clone() }
    }

    /// The order that a key names, if a merchant recorded it.
    #[must_use]
    pub fn of_key(key: &OrderKey) -> Option<Self> {
        match key {
            OrderKey::Recorded { merchant, order } => {
                Some(Self { merchant: merchant.clone(), order: order.clone() })
            }
            OrderKey::Unclaimed { .. } => None,
        }
    }
}

/// Records an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateOrder {
    /// Which.
    pub parent: Parent,
    /// Makes the call safe to repeat.
    pub request: RequestId,
    /// How much.
    pub amount: Money,
    /// The merchant's labels.
    pub labels: BTreeMap<String, String>,
    /// The merchant's accounts: webhooks there may have named the order already.
    pub accounts: Vec<AccountId>,
}

/// Records an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateAttempt {
    /// Of which order.
    pub parent: Parent,
    /// Makes the call safe to repeat.
    pub request: RequestId,
    /// Its id.
    pub attempt: AttemptId,
    /// Where.
    pub account: AccountId,
    /// What is given to the provider as the merchant's reference.
    pub reference: Reference,
    /// True if that reference identifies the attempt at this provider.
    pub reference_is_id: bool,
    /// How much of the order; `None` is the whole.
    pub amount: Option<Money>,
    /// The account's rules for stated amounts; the first that fits the currency counts.
    pub rules: Vec<AmountRule>,
}

/// Records a capture, refund or void.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateOperation {
    /// Of which order.
    pub parent: Parent,
    /// Makes the call safe to repeat.
    pub request: RequestId,
    /// What.
    pub kind: OperationKind,
    /// Its id.
    pub operation: OperationId,
    /// The name or alias of its attempt.
    pub attempt: String,
    /// What is given to the provider as its reference.
    pub reference: Reference,
    /// How much; `None` is the whole.
    pub amount: Option<Money>,
}

/// What a provider answered to the checkout service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplySaid {
    /// Nothing came back.
    NoAnswer,
    /// Something about the payment.
    Payment(PaymentClaim),
    /// Something about a recorded operation.
    Operation {
        /// Its kind.
        kind: OperationKind,
        /// Its id.
        operation: OperationId,
        /// Ids that the provider gave it.
        ids: Vec<ProviderId>,
        /// What was said.
        claim: OperationClaim,
    },
}

/// Records a provider's answer to the checkout service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordReply {
    /// Of which order.
    pub parent: Parent,
    /// Makes the call safe to repeat.
    pub request: RequestId,
    /// The recorded attempt it is about.
    pub attempt: AttemptId,
    /// What it says.
    pub said: ReplySaid,
    /// Ids that it gave to the payment.
    pub ids: Vec<ProviderId>,
    /// The amount it named.
    pub amount: Option<Money>,
    /// The provider's reason.
    pub reason: Option<String>,
    /// The provider's own time of it.
    pub provider_time: Option<Time>,
}

/// Takes evidence that names a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptEvidence {
    /// The merchant of the account.
    pub merchant: MerchantId,
    /// What it says.
    pub evidence: Evidence,
    /// True if an order that nobody recorded is created by it.
    pub creates_orders: bool,
}

/// Takes a new reading of evidence that was accepted before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reread {
    /// The order whose record holds it.
    pub holder: OrderKey,
    /// The new reading, under the id of the old one. May say nothing any more.
    pub evidence: Evidence,
}

/// Records that a page showed an outcome to the customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordReceipt {
    /// Of which order.
    pub parent: Parent,
    /// Which outcome was shown.
    pub outcome_number: u64,
    /// Makes the call safe to repeat. A page has none: its receipt is safe to repeat as it is.
    pub request: Option<RequestId>,
}

/// Records that the time passed in which a page should have shown an outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassDeadline {
    /// Of which order.
    pub parent: Parent,
    /// Which outcome should have been shown.
    pub outcome_number: u64,
}

/// Anything that can be asked about an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Record an order.
    CreateOrder(CreateOrder),
    /// Record an attempt.
    CreateAttempt(CreateAttempt),
    /// Record a capture, refund or void.
    CreateOperation(CreateOperation),
    /// Record a provider's answer.
    RecordReply(RecordReply),
    /// Take evidence.
    AcceptEvidence(AcceptEvidence),
    /// Take a new reading of evidence.
    Reread(Reread),
    /// Record that the customer was told.
    RecordReceipt(RecordReceipt),
    /// Record that the customer was not told in time. Without effect if that is not so any more.
    PassDeadline(PassDeadline),
}

/// What the rules may look at: the present state of any order.
pub trait World {
    /// The state of an order, or `None` if nothing is known of it.
    fn order(&self, key: &OrderKey) -> Option<Arc<Order>>;
    /// The order that a claim belongs to.
    fn claimant(&self, claim: &Claim) -> Option<OrderKey>;
}

/// What became of evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Disposition {
    /// It changed something.
    Applied,
    /// It is kept as an unclaimed order.
    Parked,
    /// It said nothing new.
    Superseded,
    /// It was there before.
    Repeat,
}

/// A record to be made about one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Which order.
    pub key: OrderKey,
    /// The version it was decided on.
    pub expected_version: u64,
    /// What to record.
    pub decided: Decided,
    /// What is known after it and the view of that, where deciding made them: they follow from
    /// `decided`.
    pub after: Option<(Facts, View)>,
    /// What belongs to that order from now on.
    pub claims: Vec<Claim>,
}

/// What a command comes to. All drafts take effect together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The order that the command was about.
    pub key: OrderKey,
    /// Records to make, at most one an order. Empty if nothing is to be recorded.
    pub drafts: Vec<Draft>,
    /// True if the command was accepted before.
    pub replayed: bool,
    /// What looks odd about it.
    pub warning: Option<String>,
    /// For evidence: what became of it.
    pub disposition: Option<Disposition>,
    /// For a receipt: what it came to.
    pub received: Option<Received>,
}

impl Decision {
    /// One of which there is no more to say than what it records.
    pub(super) fn new(key: OrderKey, drafts: Vec<Draft>) -> Self {
        Self { key, drafts, replayed: false, warning: None, disposition: None, received: None }
    }
}

/// Why a command was not accepted. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The order is not recorded.
    #[error("no such order is recorded; call CreateOrder first")]
    OrderNotFound,
    /// The order has no such attempt.
    #[error("the order has no such attempt; call CreateAttempt first")]
    AttemptNotFound,
    /// The order has no outcome of that number yet.
    #[error("there is no outcome of this number yet; the newest is number {present}")]
    OutcomeNotFound {
        /// The number of the present one.
        present: u64,
    },
    /// The order has no such operation.
    #[error("the order has no such operation; record it before its reply")]
    OperationNotFound,
    /// The order is recorded with other content.
    #[error("this order_id is recorded with {what}; an order_id is unique for ever")]
    OrderIdTaken {
        /// What differs.
        what: &'static str,
    },
    /// The attempt is recorded with other content.
    #[error("this attempt_id is recorded with other content; choose a new one")]
    AttemptIdTaken,
    /// The operation is recorded with other content.
    #[error("this id is recorded with other content; choose a new one")]
    OperationIdTaken,
    /// The reference belongs to another order.
    #[error("at this account the reference belongs to another order; choose a new one")]
    ReferenceTaken,
    /// The request id was used for something else.
    #[error("this request_id was used with other content; make a new one for each new request")]
    RequestIdReused,
    /// The order is full.
    #[error("an order has at most {max} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many it may have.
        max: usize,
    },
}

impl Command {
    /// The order that a caller named, for commands that name one.
    #[must_use]
    pub fn parent(&self) -> Option<&Parent> {
        match self {
            Self::CreateOrder(c) => Some(&c.parent),
            Self::CreateAttempt(c) => Some(&c.parent),
            Self::CreateOperation(c) => Some(&c.parent),
            Self::RecordReply(c) => Some(&c.parent),
            Self::RecordReceipt(c) => Some(&c.parent),
            Self::PassDeadline(c) => Some(&c.parent),
            Self::AcceptEvidence(_) | Self::Reread(_) => None,
        }
    }
}

fn money(digest: Digest, money: Option<&Money>) -> Digest {
    match money {
        None => digest.number(0),
        Some(m) => digest.number(1).text(&m.to_string()),
    }
}

impl CreateOrder {
    /// What it asks for, whatever its request id.
    #[must_use]
    pub fn fingerprint(&self) -> ContentId {
        let digest = money(Digest::new("create order v1"), Some(&self.amount));
        self.labels.iter().fold(digest, |d, (key, value)| d.text(key).text(value)).finish()
    }
}

impl CreateAttempt {
    /// What it asks for, whatever its request id.
    #[must_use]
    pub fn fingerprint(&self) -> ContentId {
        let digest = Digest::new("create attempt v1").text(self.attempt.as_str());
        let digest = digest.text(self.account.as_str()).text(self.reference.as_str());
        money(digest, self.amount.as_ref()).finish()
    }
}

impl CreateOperation {
    /// What it asks for, whatever its request id.
    #[must_use]
    pub fn fingerprint(&self) -> ContentId {
        let digest = Digest::new("create operation v1").number(self.kind.number());
        let digest = digest.text(self.operation.as_str()).text(&self.attempt);
        money(digest.text(self.reference.as_str()), self.amount.as_ref()).finish()
    }
}
