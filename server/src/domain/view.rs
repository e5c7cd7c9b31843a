//! What follows from the facts: the status of an order, of its attempts and operations, and
//! what a person should look at.

use super::{
    digest::ContentId,
    ids::{AccountId, AttemptId, ProviderId, Reference},
    money::Money,
    statement::OperationKind,
    time::Time,
};

/// Status of an order or an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PaymentStatus {
    /// Not known yet.
    Pending,
    /// Money is held.
    Authorized,
    /// Money was captured.
    Successful,
    /// Refused.
    Declined,
    /// Given up, or voided.
    Canceled,
    /// A time limit passed.
    Expired,
    /// A technical failure at the provider.
    Error,
}

impl PaymentStatus {
    /// True for AUTHORIZED and SUCCESSFUL.
    #[must_use]
    pub fn is_approved(self) -> bool {
        matches!(self, Self::Authorized | Self::Successful)
    }
}

/// Status of a capture, refund or void.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OperationStatus {
    /// Asked for or under way.
    Pending,
    /// Done.
    Successful,
    /// Refused.
    Declined,
    /// Given up.
    Canceled,
    /// Failed, or failed after it had succeeded.
    Error,
}

/// What a confirmation page needs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Not known yet.
    Undecided,
    /// Authorised or captured.
    Approved,
    /// Every attempt ended without an approval.
    Refused,
    /// Approved once, but not any more.
    Withdrawn,
}

impl Outcome {
    /// The outcome that a status means, given whether there ever was an approval.
    #[must_use]
    pub fn of(status: PaymentStatus, was_approved: bool) -> Self {
        match status {
            PaymentStatus::Pending => Self::Undecided,
            PaymentStatus::Authorized | PaymentStatus::Successful => Self::Approved,
            _ if was_approved => Self::Withdrawn,
            _ => Self::Refused,
        }
    }
}

/// Sums of money of an attempt or an order. `None`: nothing of the sort happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    /// Authorised by the provider.
    pub authorized: Option<Money>,
    /// Captured, by captures that stand.
    pub captured: Option<Money>,
    /// Refunded, by refunds that succeeded.
    pub refunded: Option<Money>,
    /// Released or taken back by voids.
    pub voided: Option<Money>,
}

/// What an attempt is known by inside its order, whatever it was announced as.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AttemptKey {
    /// A recorded attempt.
    Recorded(AttemptId),
    /// An attempt seen in evidence only, by the least of its ids.
    Observed(AccountId, ProviderId),
}

/// One attempt and all that follows for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptView {
    /// What it is known by.
    pub key: AttemptKey,
    /// What it is announced as. Empty in a projection.
    pub name: String,
    /// Earlier names. Empty in a projection.
    pub aliases: Vec<String>,
    /// When it was recorded; `None` if it is only seen in evidence.
    pub created: Option<Time>,
    /// Its provider account.
    pub account: AccountId,
    /// What was given to the provider as the merchant's reference.
    pub reference: Option<Reference>,
    /// Ids learned. Sorted.
    pub ids: Vec<ProviderId>,
    /// True while record and evidence are paired by reference, amount and time alone.
    pub paired_by_guess: bool,
    /// Its status.
    pub status: PaymentStatus,
    /// True if anything that counts says it was authorised.
    pub was_approved: bool,
    /// What it is to collect.
    pub expected: Option<Money>,
    /// What was collected and given back.
    pub amounts: Amounts,
    /// What it still holds, less voids and refunds.
    pub held: Option<Money>,
    /// The provider's reason, while it is not approved.
    pub reason: Option<String>,
    /// Newest time the provider stated.
    pub provider_time: Option<Time>,
}

/// What an operation is known by inside its order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OperationKey {
    /// A recorded operation.
    Recorded(OperationKind, super::ids::OperationId),
    /// An operation seen in evidence only, by the least of its ids.
    Observed(OperationKind, AccountId, ProviderId),
}

/// One capture, refund or void and all that follows for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationView {
    /// What it is known by.
    pub key: OperationKey,
    /// What it does.
    pub kind: OperationKind,
    /// When it was recorded; `None` if it is only seen in evidence.
    pub created: Option<Time>,
    /// The provider account of it.
    pub account: AccountId,
    /// What it is announced as. Empty in a projection.
    pub name: String,
    /// The attempt it belongs to, if that is known.
    pub attempt: Option<AttemptKey>,
    /// The name of that attempt. Empty in a projection.
    pub attempt_name: String,
    /// What was given to the provider as its reference.
    pub reference: Option<Reference>,
    /// Ids learned. Sorted.
    pub ids: Vec<ProviderId>,
    /// Its status.
    pub status: OperationStatus,
    /// How much; `None` is the whole.
    pub amount: Option<Money>,
    /// The provider's reason, while it did not succeed.
    pub reason: Option<String>,
    /// Newest time the provider stated.
    pub provider_time: Option<Time>,
}

/// What kind of thing a person should look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConditionKind {
    /// Final statements contradict each other, or one id names two recorded things.
    Conflict,
    /// Attempts that hold money cover more than the order.
    DuplicatePayment,
    /// A provider stated another amount than the recorded one.
    AmountMismatch,
    /// The order holds as much evidence as it can.
    EvidenceLimit,
}

/// Something a person should look at, open while it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Made of what contradicts.
    pub id: ContentId,
    /// What kind it is.
    pub kind: ConditionKind,
    /// What was found, without personal data.
    pub detail: String,
    /// The attempts concerned; of a duplicate payment the one to reverse first.
    pub attempts: Vec<AttemptKey>,
    /// Their names. Empty in a projection.
    pub attempt_names: Vec<String>,
}

/// The order as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Its status.
    pub status: PaymentStatus,
    /// Its outcome.
    pub outcome: Outcome,
    /// Counts the changes of the outcome. 0 in a projection.
    pub outcome_number: u64,
    /// Sums over its attempts.
    pub amounts: Amounts,
}

impl Default for Summary {
    fn default() -> Self {
        Self {
            status: PaymentStatus::Pending,
            outcome: Outcome::Undecided,
            outcome_number: 0,
            amounts: Amounts::default(),
        }
    }
}

/// Everything that follows from an order's facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// The order as a whole.
    pub summary: Summary,
    /// Recorded attempts by creation, then observed ones by key.
    pub attempts: Vec<AttemptView>,
    /// Recorded operations by creation, then observed ones by key.
    pub operations: Vec<OperationView>,
    /// Open conditions, by id.
    pub conditions: Vec<Condition>,
}

impl View {
    /// Brings everything into the order that the fields name.
    pub fn sort(&mut self) {
        self.attempts.sort_by_cached_key(|a| (a.created.is_none(), a.created, a.key.clone()));
        self.operations.sort_by_cached_key(|o| (o.created.is_none(), o.created, o.key.clone()));
        self.conditions.sort_by_key(|c| c.id);
    }

    /// The attempt of that name or alias.
    #[must_use]
    pub fn attempt(&self, name: &str) -> Option<&AttemptView> {
        let named = |a: &&AttemptView| a.name == name || a.aliases.iter().any(|b| b == name);
        self.attempts.iter().find(named)
    }

    /// The operation of that kind and name.
    #[must_use]
    pub fn operation(&self, kind: OperationKind, name: &str) -> Option<&OperationView> {
        self.operations.iter().find(|o| o.kind == kind && o.name == name)
    }
}
