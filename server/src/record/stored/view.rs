//! Views: what was decided of attempts, operations, conditions and the order as a whole.

use super::{
    Unreadable, invalid,
    name::{StoredAttemptKey, StoredOperationKey, read_ids, write_ids},
    number::Number as _,
    part::{Part, read_all, read_one, write_all},
    table::{Reader, Writer},
};
use crate::domain::{
    ids::{AccountId, Reference},
    statement::OperationKind,
    view::{
        Amounts, AttemptView, Condition, ConditionKind, OperationKey, OperationStatus,
        OperationView, Outcome, PaymentStatus, Summary, View,
    },
};

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StoredView {
    #[prost(message, optional, tag = "1")]
    summary: Option<StoredSummary>,
    #[prost(message, repeated, tag = "2")]
    attempts: Vec<StoredAttempt>,
    #[prost(message, repeated, tag = "3")]
    operations: Vec<StoredOperation>,
    #[prost(message, repeated, tag = "4")]
    conditions: Vec<StoredCondition>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StoredSummary {
    #[prost(uint32, tag = "1")]
    status: u32,
    #[prost(uint32, tag = "2")]
    outcome: u32,
    #[prost(uint64, tag = "3")]
    outcome_number: u64,
    #[prost(message, optional, tag = "4")]
    amounts: Option<StoredAmounts>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct StoredAmounts {
    #[prost(uint32, tag = "1")]
    authorized: u32,
    #[prost(uint32, tag = "2")]
    captured: u32,
    #[prost(uint32, tag = "3")]
    refunded: u32,
    #[prost(uint32, tag = "4")]
    voided: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StoredAttempt {
    #[prost(message, optional, tag = "1")]
    key: Option<StoredAttemptKey>,
    #[prost(uint32, tag = "2")]
    name: u32,
    #[prost(uint32, repeated, tag = "3")]
    aliases: Vec<u32>,
    #[prost(sint64, optional, tag = "4")]
    created: Option<i64>,
    #[prost(uint32, tag = "5")]
    account: u32,
    #[prost(uint32, tag = "6")]
    reference: u32,
    #[prost(uint32, repeated, tag = "7")]
    ids: Vec<u32>,
    #[prost(bool, tag = "8")]
    paired_by_guess: bool,
    #[prost(uint32, tag = "9")]
    status: u32,
    #[prost(bool, tag = "10")]
    was_approved: bool,
    #[prost(uint32, tag = "11")]
    expected: u32,
    #[prost(message, optional, tag = "12")]
    amounts: Option<StoredAmounts>,
    #[prost(uint32, tag = "13")]
    held: u32,
    #[prost(uint32, tag = "14")]
    reason: u32,
    #[prost(sint64, optional, tag = "15")]
    provider_time: Option<i64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StoredOperation {
    #[prost(message, optional, tag = "1")]
    key: Option<StoredOperationKey>,
    /// 0 if it is the kind that the key says.
    #[prost(uint32, tag = "2")]
    kind: u32,
    #[prost(sint64, optional, tag = "3")]
    created: Option<i64>,
    #[prost(uint32, tag = "4")]
    account: u32,
    #[prost(uint32, tag = "5")]
    name: u32,
    #[prost(message, optional, tag = "6")]
    attempt: Option<StoredAttemptKey>,
    #[prost(uint32, tag = "7")]
    attempt_name: u32,
    #[prost(uint32, tag = "8")]
    reference: u32,
    #[prost(uint32, repeated, tag = "9")]
    ids: Vec<u32>,
    #[prost(uint32, tag = "10")]
    status: u32,
    #[prost(uint32, tag = "11")]
    amount: u32,
    #[prost(uint32, tag = "12")]
    reason: u32,
    #[prost(sint64, optional, tag = "13")]
    provider_time: Option<i64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StoredCondition {
    #[prost(uint32, tag = "1")]
    id: u32,
    #[prost(uint32, tag = "2")]
    kind: u32,
    #[prost(uint32, tag = "3")]
    detail: u32,
    #[prost(message, repeated, tag = "4")]
    attempts: Vec<StoredAttemptKey>,
    #[prost(uint32, repeated, tag = "5")]
    attempt_names: Vec<u32>,
}

impl Part for StoredView {
    type Domain = View;

    fn write<'a>(view: &'a View, to: &mut Writer<'a>) -> Self {
        Self {
            summary: Some(StoredSummary::write(&view.summary, to)),
            attempts: write_all(&view.attempts, to),
            operations: write_all(&view.operations, to),
            conditions: write_all(&view.conditions, to),
        }
    }

    fn read(&self, from: &Reader<'_>) -> Result<View, Unreadable> {
        Ok(View {
            summary: read_one(self.summary.as_ref(), from)?,
            attempts: read_all(&self.attempts, from)?,
            operations: read_all(&self.operations, from)?,
            conditions: read_all(&self.conditions, from)?,
        })
    }
}

impl Part for StoredSummary {
    type Domain = Summary;

    fn write<'a>(summary: &'a Summary, to: &mut Writer<'a>) -> Self {
        Self {
            status: summary.status.number(),
            outcome: summary.outcome.number(),
            outcome_number: summary.outcome_number,
            amounts: write_amounts(&summary.amounts, to),
        }
    }

    fn read(&self, from: &Reader<'_>) -> Result<Summary, Unreadable> {
        Ok(Summary {
            status: PaymentStatus::of_number(self.status)?,
            outcome: Outcome::of_number(self.outcome)?,
            outcome_number: self.outcome_number,
            amounts: read_amounts(self.amounts.as_ref(), from)?,
        })
    }
}

fn write_amounts(amounts: &Amounts, to: &mut Writer<'_>) -> Option<StoredAmounts> {
    let stored = StoredAmounts {
        authorized: to.money(amounts.authorized),
        captured: to.money(amounts.captured),
        refunded: to.money(amounts.refunded),
        voided: to.money(amounts.voided),
    };
    (stored != StoredAmounts::default()).then_some(stored)
}

fn read_amounts(stored: Option<&StoredAmounts>, from: &Reader<'_>) -> Result<Amounts, Unreadable> {
    let Some(stored) = stored else {
        return Ok(Amounts::default());
    };
    Ok(Amounts {
        authorized: from.money(stored.authorized)?,
        captured: from.money(stored.captured)?,
        refunded: from.money(stored.refunded)?,
        voided: from.money(stored.voided)?,
    })
}

impl Part for StoredAttempt {
    type Domain = AttemptView;

    fn write<'a>(attempt: &'a AttemptView, to: &mut Writer<'a>) -> Self {
        Self {
            key: Some(StoredAttemptKey::write(&attempt.key, to)),
            name: to.text(&attempt.name),
            aliases: attempt.aliases.iter().map(|alias| to.text(alias)).collect(),
            created: to.maybe_time(attempt.created),
            account: to.text(attempt.account.as_str()),
            reference: to.maybe_text(attempt.reference.as_ref().map(Reference::as_str)),
            ids: write_ids(&attempt.ids, to),
            paired_by_guess: attempt.paired_by_guess,
            status: attempt.status.number(),
            was_approved: attempt.was_approved,
            expected: to.money(attempt.expected),
            amounts: write_amounts(&attempt.amounts, to),
            held: to.money(attempt.held),
            reason: to.maybe_text(attempt.reason.as_deref()),
            provider_time: to.maybe_time(attempt.provider_time),
        }
    }

    fn read(&self, from: &Reader<'_>) -> Result<AttemptView, Unreadable> {
        Ok(AttemptView {
            key: read_one(self.key.as_ref(), from)?,
            name: from.string(self.name)?,
            aliases: from.strings(&self.aliases)?,
            created: from.maybe_time(self.created),
            account: from.name(self.account, AccountId::parse)?,
            reference: from.maybe_name(self.reference, Reference::parse)?,
            ids: read_ids(&self.ids, from)?,
            paired_by_guess: self.paired_by_guess,
            status: PaymentStatus::of_number(self.status)?,
            was_approved: self.was_approved,
            expected: from.money(self.expected)?,
            amounts: read_amounts(self.amounts.as_ref(), from)?,
            held: from.money(self.held)?,
            reason: from.maybe_string(self.reason)?,
            provider_time: from.maybe_time(self.provider_time),
        })
    }
}

impl Part for StoredOperation {
    type Domain = OperationView;

    fn write<'a>(operation: &'a OperationView, to: &mut Writer<'a>) -> Self {
        let has_kind_of_key = kind_of(&operation.key) == operation.kind;
        Self {
            key: Some(StoredOperationKey::write(&operation.key, to)),
            kind: if has_kind_of_key { 0 } else { operation.kind.number() },
            created: to.maybe_time(operation.created),
            account: to.text(operation.account.as_str()),
            name: to.text(&operation.name),
            attempt: operation.attempt.as_ref().map(|key| StoredAttemptKey::write(key, to)),
            attempt_name: to.text(&operation.attempt_name),
            reference: to.maybe_text(operation.reference.as_ref().map(Reference::as_str)),
            ids: write_ids(&operation.ids, to),
            status: operation.status.number(),
            amount: to.money(operation.amount),
            reason: to.maybe_text(operation.reason.as_deref()),
            provider_time: to.maybe_time(operation.provider_time),
        }
    }

    fn read(&self, from: &Reader<'_>) -> Result<OperationView, Unreadable> {
        let key = self.key.as_ref().ok_or(invalid("key of an operation"))?.read(from)?;
        Ok(OperationView {
            kind: if self.kind == 0 { kind_of(&key) } else { OperationKind::of_number(self.kind)? },
            key,
            created: from.maybe_time(self.created),
            account: from.name(self.account, AccountId::parse)?,
            name: from.string(self.name)?,
            attempt: self.attempt.as_ref().map(|key| key.read(from)).transpose()?,
            attempt_name: from.string(self.attempt_name)?,
            reference: from.maybe_name(self.reference, Reference::parse)?,
            ids: read_ids(&self.ids, from)?,
            status: OperationStatus::of_number(self.status)?,
            amount: from.money(self.amount)?,
            reason: from.maybe_string(self.reason)?,
            provider_time: from.maybe_time(self.provider_time),
        })
    }
}

fn kind_of(key: &OperationKey) -> OperationKind {
    match key {
        OperationKey::Recorded(kind, _) | OperationKey::Observed(kind, _, _) => *kind,
    }
}

impl Part for StoredCondition {
    type Domain = Condition;

    fn write<'a>(condition: &'a Condition, to: &mut Writer<'a>) -> Self {
        Self {
            id: to.id(condition.id),
            kind: condition.kind.number(),
            detail: to.text(&condition.detail),
            attempts: write_all(&condition.attempts, to),
            attempt_names: condition.attempt_names.iter().map(|name| to.text(name)).collect(),
        }
    }

    fn read(&self, from: &Reader<'_>) -> Result<Condition, Unreadable> {
        Ok(Condition {
            id: from.id(self.id)?,
            kind: ConditionKind::of_number(self.kind)?,
            detail: from.string(self.detail)?,
            attempts: read_all(&self.attempts, from)?,
            attempt_names: from.strings(&self.attempt_names)?,
        })
    }
}
