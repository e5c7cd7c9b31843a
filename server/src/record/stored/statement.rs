//! Statements, alone and as an order holds them.

use super::{
    Unreadable,
    name::{read_ids, write_ids},
    number::Number as _,
    part::{Part, read_one},
    table::{Reader, Writer},
};
use crate::domain::{
    ids::{AccountId, AttemptId, OperationId, Reference},
    statement::{
        Basis, Held, OperationClaim, OperationClaimed, OperationKind, PaymentClaim, Said,
        StatedAmount, Statement,
    },
};

/// With an operation it is about that, else about the payment.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StoredStatement {
    #[prost(uint32, repeated, tag = "1")]
    ids: Vec<u32>,
    #[prost(uint32, tag = "2")]
    reference: u32,
    #[prost(uint32, tag = "3")]
    attempt: u32,
    /// Number of a [`PaymentClaim`].
    #[prost(uint32, tag = "4")]
    payment: u32,
    #[prost(message, optional, tag = "5")]
    operation: Option<StoredOperationClaimed>,
    #[prost(uint32, tag = "6")]
    amount: u32,
    #[prost(bool, tag = "7")]
    too_precise: bool,
    #[prost(sint64, optional, tag = "8")]
    provider_time: Option<i64>,
    #[prost(uint32, tag = "9")]
    reason: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StoredOperationClaimed {
    #[prost(uint32, tag = "1")]
    kind: u32,
    #[prost(uint32, repeated, tag = "2")]
    ids: Vec<u32>,
    #[prost(uint32, tag = "3")]
    reference: u32,
    #[prost(uint32, tag = "4")]
    operation: u32,
    #[prost(bool, tag = "5")]
    takes_back_captured: bool,
    #[prost(uint32, tag = "6")]
    claim: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StoredHeld {
    #[prost(uint32, tag = "1")]
    account: u32,
    #[prost(uint32, tag = "2")]
    basis: u32,
    #[prost(message, optional, tag = "3")]
    statement: Option<StoredStatement>,
}

impl Part for StoredStatement {
    type Domain = Statement;

    fn write<'a>(statement: &'a Statement, to: &mut Writer<'a>) -> Self {
        let (payment, operation) = match &statement.said {
            Said::Payment(claim) => (claim.number(), None),
            Said::Operation(claimed) => (0, Some(StoredOperationClaimed::write(claimed, to))),
        };
        Self {
            ids: write_ids(&statement.ids, to),
            reference: to.maybe_text(statement.reference.as_ref().map(Reference::as_str)),
            attempt: to.maybe_text(statement.attempt.as_ref().map(AttemptId::as_str)),
            payment,
            operation,
            amount: to.money(statement.amount.map(|amount| amount.money)),
            too_precise: statement.amount.is_some_and(|amount| amount.too_precise),
            provider_time: to.maybe_time(statement.provider_time),
            reason: to.maybe_text(statement.reason.as_deref()),
        }
    }

    fn read(&self, from: &Reader<'_>) -> Result<Statement, Unreadable> {
        let amount = |money| StatedAmount { money, too_precise: self.too_precise };
        Ok(Statement {
            ids: read_ids(&self.ids, from)?,
            reference: from.maybe_name(self.reference, Reference::parse)?,
            attempt: from.maybe_name(self.attempt, AttemptId::parse)?,
            said: match &self.operation {
                None => Said::Payment(PaymentClaim::of_number(self.payment)?),
                Some(claimed) => Said::Operation(claimed.read(from)?),
            },
            amount: from.money(self.amount)?.map(amount),
            provider_time: from.maybe_time(self.provider_time),
            reason: from.maybe_string(self.reason)?,
        })
    }
}

impl Part for StoredOperationClaimed {
    type Domain = OperationClaimed;

    fn write<'a>(claimed: &'a OperationClaimed, to: &mut Writer<'a>) -> Self {
        Self {
            kind: claimed.kind.number(),
            ids: write_ids(&claimed.ids, to),
            reference: to.maybe_text(claimed.reference.as_ref().map(Reference::as_str)),
            operation: to.maybe_text(claimed.operation.as_ref().map(OperationId::as_str)),
            takes_back_captured: claimed.takes_back_captured,
            claim: claimed.claim.number(),
        }
    }

    fn read(&self, from: &Reader<'_>) -> Result<OperationClaimed, Unreadable> {
        Ok(OperationClaimed {
            kind: OperationKind::of_number(self.kind)?,
            ids: read_ids(&self.ids, from)?,
            reference: from.maybe_name(self.reference, Reference::parse)?,
            operation: from.maybe_name(self.operation, OperationId::parse)?,
            takes_back_captured: self.takes_back_captured,
            claim: OperationClaim::of_number(self.claim)?,
        })
    }
}

impl Part for StoredHeld {
    type Domain = Held;

    fn write<'a>(held: &'a Held, to: &mut Writer<'a>) -> Self {
        Self {
            account: to.text(held.account.as_str()),
            basis: held.basis.number(),
            statement: Some(StoredStatement::write(&held.statement, to)),
        }
    }

    fn read(&self, from: &Reader<'_>) -> Result<Held, Unreadable> {
        Ok(Held::new(
            from.name(self.account, AccountId::parse)?,
            Basis::of_number(self.basis)?,
            read_one(self.statement.as_ref(), from)?,
        ))
    }
}
