//! Facts: what became known.

use super::{
    Unreadable, invalid,
    name::{StoredAttemptKey, StoredClaim, StoredOrderKey},
    number::Number as _,
    part::{Part, read_all, read_one, write_all},
    statement::StoredStatement,
    table::{Reader, Writer},
};
use crate::domain::{
    fact::{
        AmountRule, AttemptIntent, Evidence, Fact, Method, OperationIntent, OrderIntent,
        RecordedBy, RequestKey,
    },
    ids::{AccountId, AttemptId, OperationId, Reference, RequestId},
    statement::{Basis, OperationKind},
};

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StoredFact {
    #[prost(oneof = "Kind", tags = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13")]
    kind: Option<Kind>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum Kind {
    #[prost(message, tag = "1")]
    Order(StoredOrderIntent),
    #[prost(message, tag = "2")]
    Attempt(StoredAttemptIntent),
    #[prost(message, tag = "3")]
    Operation(StoredOperationIntent),
    #[prost(message, tag = "4")]
    Evidence(StoredEvidence),
    #[prost(uint32, tag = "5")]
    Repeated(u32),
    #[prost(message, tag = "6")]
    BeyondLimit(StoredEvidence),
    #[prost(uint32, tag = "7")]
    NoAnswer(u32),
    #[prost(message, tag = "8")]
    Absorbed(StoredAbsorbed),
    #[prost(message, tag = "9")]
    ForwardedTo(StoredOrderKey),
    #[prost(message, tag = "10")]
    IdShared(StoredIdShared),
    #[prost(message, tag = "11")]
    Request(StoredRequest),
    #[prost(message, tag = "12")]
    Receipt(StoredReceipt),
    /// The number of the outcome.
    #[prost(uint64, tag = "13")]
    NotInformed(u64),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StoredOrderIntent {
    #[prost(uint32, tag = "1")]
    by: u32,
    #[prost(uint32, tag = "2")]
    amount: u32,
    #[prost(uint32, repeated, tag = "3")]
    labels: Vec<u32>,
    #[prost(sint64, tag = "4")]
    time: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StoredAttemptIntent {
    #[prost(uint32, tag = "1")]
    attempt: u32,
    #[prost(uint32, tag = "2")]
    account: u32,
    #[prost(uint32, tag = "3")]
    reference: u32,
    #[prost(bool, tag = "4")]
    reference_is_id: bool,
    #[prost(uint32, tag = "5")]
    amount: u32,
    /// 1 is exact, 2 is at least, 3 is within the tolerance.
    #[prost(uint32, tag = "6")]
    rule: u32,
    #[prost(uint32, tag = "7")]
    tolerance: u32,
    #[prost(sint64, tag = "8")]
    time: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StoredOperationIntent {
    #[prost(uint32, tag = "1")]
    kind: u32,
    #[prost(uint32, tag = "2")]
    operation: u32,
    #[prost(message, optional, tag = "3")]
    attempt: Option<StoredAttemptKey>,
    #[prost(uint32, tag = "4")]
    account: u32,
    #[prost(uint32, tag = "5")]
    reference: u32,
    #[prost(uint32, tag = "6")]
    amount: u32,
    #[prost(sint64, tag = "7")]
    time: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StoredEvidence {
    #[prost(uint32, tag = "1")]
    id: u32,
    #[prost(uint32, tag = "2")]
    account: u32,
    #[prost(uint32, tag = "3")]
    basis: u32,
    #[prost(uint32, tag = "4")]
    revision: u32,
    #[prost(message, repeated, tag = "5")]
    statements: Vec<StoredStatement>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct StoredAbsorbed {
    #[prost(message, optional, tag = "1")]
    from: Option<StoredOrderKey>,
    #[prost(message, repeated, tag = "2")]
    evidence: Vec<StoredEvidence>,
}

/// One entry of what an order shares, and the fact that it does.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StoredIdShared {
    #[prost(message, optional, tag = "1")]
    pub(super) claim: Option<StoredClaim>,
    #[prost(message, optional, tag = "2")]
    pub(super) with: Option<StoredOrderKey>,
}

/// A request and what it asked for; in a state also when.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StoredRequest {
    #[prost(uint32, tag = "1")]
    pub(super) method: u32,
    #[prost(uint32, tag = "2")]
    pub(super) request: u32,
    #[prost(uint32, tag = "3")]
    pub(super) fingerprint: u32,
    #[prost(sint64, tag = "4")]
    pub(super) time: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct StoredReceipt {
    #[prost(uint64, tag = "1")]
    outcome_number: u64,
    #[prost(bool, tag = "2")]
    is_late: bool,
}

impl Part for StoredFact {
    type Domain = Fact;

    fn write<'a>(fact: &'a Fact, to: &mut Writer<'a>) -> Self {
        let kind = match fact {
            Fact::Order(intent) => Kind::Order(StoredOrderIntent::write(intent, to)),
            Fact::Attempt(intent) => Kind::Attempt(StoredAttemptIntent::write(intent, to)),
            Fact::Operation(intent) => Kind::Operation(StoredOperationIntent::write(intent, to)),
            Fact::Evidence(evidence) => Kind::Evidence(StoredEvidence::write(evidence, to)),
            Fact::Repeated(reading) => Kind::Repeated(to.id(*reading)),
            Fact::BeyondLimit(evidence) => Kind::BeyondLimit(StoredEvidence::write(evidence, to)),
            Fact::NoAnswer(attempt) => Kind::NoAnswer(to.text(attempt.as_str())),
            Fact::Absorbed { from, evidence } => Kind::Absorbed(StoredAbsorbed {
                from: Some(StoredOrderKey::write(from, to)),
                evidence: write_all(evidence, to),
            }),
            Fact::ForwardedTo(key) => Kind::ForwardedTo(StoredOrderKey::write(key, to)),
            Fact::IdShared { claim, with } => Kind::IdShared(StoredIdShared {
                claim: Some(StoredClaim::write(claim, to)),
                with: Some(StoredOrderKey::write(with, to)),
            }),
            Fact::Request { key, fingerprint } => Kind::Request(StoredRequest {
                method: key.method.number(),
                request: to.text(key.request.as_str()),
                fingerprint: to.id(*fingerprint),
                time: 0,
            }),
            Fact::Receipt { outcome_number, is_late } => {
                Kind::Receipt(StoredReceipt { outcome_number: *outcome_number, is_late: *is_late })
            }
            Fact::NotInformed(outcome_number) => Kind::NotInformed(*outcome_number),
        };
        Self { kind: Some(kind) }
    }

    fn read(&self, from: &Reader<'_>) -> Result<Fact, Unreadable> {
        Ok(match self.kind.as_ref().ok_or(invalid("kind of a fact"))? {
            Kind::Order(intent) => Fact::Order(intent.read(from)?),
            Kind::Attempt(intent) => Fact::Attempt(intent.read(from)?),
            Kind::Operation(intent) => Fact::Operation(intent.read(from)?),
            Kind::Evidence(evidence) => Fact::Evidence(evidence.read(from)?),
            Kind::Repeated(reading) => Fact::Repeated(from.id(*reading)?),
            Kind::BeyondLimit(evidence) => Fact::BeyondLimit(evidence.read(from)?),
            Kind::NoAnswer(attempt) => Fact::NoAnswer(from.name(*attempt, AttemptId::parse)?),
            Kind::Absorbed(absorbed) => Fact::Absorbed {
                from: read_one(absorbed.from.as_ref(), from)?,
                evidence: read_all(&absorbed.evidence, from)?,
            },
            Kind::ForwardedTo(key) => Fact::ForwardedTo(key.read(from)?),
            Kind::IdShared(shared) => Fact::IdShared {
                claim: read_one(shared.claim.as_ref(), from)?,
                with: read_one(shared.with.as_ref(), from)?,
            },
            Kind::Request(request) => {
                let fingerprint = from.id(request.fingerprint)?;
                Fact::Request { key: request.key(from)?, fingerprint }
            }
            Kind::Receipt(StoredReceipt { outcome_number, is_late }) => {
                Fact::Receipt { outcome_number: *outcome_number, is_late: *is_late }
            }
            Kind::NotInformed(outcome_number) => Fact::NotInformed(*outcome_number),
        })
    }
}

impl StoredRequest {
    /// Which request it is.
    pub(super) fn key(&self, from: &Reader<'_>) -> Result<RequestKey, Unreadable> {
        let method = Method::of_number(self.method)?;
        Ok(RequestKey { method, request: from.name(self.request, RequestId::parse)? })
    }
}

impl Part for StoredOrderIntent {
    type Domain = OrderIntent;

    fn write<'a>(intent: &'a OrderIntent, to: &mut Writer<'a>) -> Self {
        Self {
            by: intent.by.number(),
            amount: to.money(intent.amount),
            labels: to.pairs(&intent.labels),
            time: to.time(intent.time),
        }
    }

    fn read(&self, from: &Reader<'_>) -> Result<OrderIntent, Unreadable> {
        Ok(OrderIntent {
            by: RecordedBy::of_number(self.by)?,
            amount: from.money(self.amount)?,
            labels: from.pairs(&self.labels)?,
            time: from.time(self.time),
        })
    }
}

impl Part for StoredAttemptIntent {
    type Domain = AttemptIntent;

    fn write<'a>(intent: &'a AttemptIntent, to: &mut Writer<'a>) -> Self {
        let (rule, tolerance) = match intent.rule {
            AmountRule::Exact => (1, None),
            AmountRule::AtLeast => (2, None),
            AmountRule::Within(tolerance) => (3, Some(tolerance)),
        };
        Self {
            attempt: to.text(intent.attempt.as_str()),
            account: to.text(intent.account.as_str()),
            reference: to.text(intent.reference.as_str()),
            reference_is_id: intent.reference_is_id,
            amount: to.money(intent.amount),
            rule,
            tolerance: to.money(tolerance),
            time: to.time(intent.time),
        }
    }

    fn read(&self, from: &Reader<'_>) -> Result<AttemptIntent, Unreadable> {
        let rule = match (self.rule, from.money(self.tolerance)?) {
            (1, None) => AmountRule::Exact,
            (2, None) => AmountRule::AtLeast,
            (3, Some(tolerance)) => AmountRule::Within(tolerance),
            _ => return Err(invalid("number of a rule about amounts")),
        };
        Ok(AttemptIntent {
            attempt: from.name(self.attempt, AttemptId::parse)?,
            account: from.name(self.account, AccountId::parse)?,
            reference: from.name(self.reference, Reference::parse)?,
            reference_is_id: self.reference_is_id,
            amount: from.money(self.amount)?,
            rule,
            time: from.time(self.time),
        })
    }
}

impl Part for StoredOperationIntent {
    type Domain = OperationIntent;

    fn write<'a>(intent: &'a OperationIntent, to: &mut Writer<'a>) -> Self {
        Self {
            kind: intent.kind.number(),
            operation: to.text(intent.operation.as_str()),
            attempt: Some(StoredAttemptKey::write(&intent.attempt, to)),
            account: to.text(intent.account.as_str()),
            reference: to.text(intent.reference.as_str()),
            amount: to.money(intent.amount),
            time: to.time(intent.time),
        }
    }

    fn read(&self, from: &Reader<'_>) -> Result<OperationIntent, Unreadable> {
        Ok(OperationIntent {
            kind: OperationKind::of_number(self.kind)?,
            operation: from.name(self.operation, OperationId::parse)?,
            attempt: read_one(self.attempt.as_ref(), from)?,
            account: from.name(self.account, AccountId::parse)?,
            reference: from.name(self.reference, Reference::parse)?,
            amount: from.money(self.amount)?,
            time: from.time(self.time),
        })
    }
}

impl Part for StoredEvidence {
    type Domain = Evidence;

    fn write<'a>(evidence: &'a Evidence, to: &mut Writer<'a>) -> Self {
        Self {
            id: to.id(evidence.id),
            account: to.text(evidence.account.as_str()),
            basis: evidence.basis.number(),
            revision: evidence.revision,
            statements: write_all(evidence.statements.iter().map(|held| &held.statement), to),
        }
    }

    fn read(&self, from: &Reader<'_>) -> Result<Evidence, Unreadable> {
        let account = from.name(self.account, AccountId::parse)?;
        let basis = Basis::of_number(self.basis)?;
        let statements = read_all(&self.statements, from)?;
        Ok(Evidence::reading(from.id(self.id)?, account, basis, self.revision, statements))
    }
}
