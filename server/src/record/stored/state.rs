//! The whole state of an order.

use std::sync::Arc;

use super::{
    Unreadable,
    fact::{
        StoredAttemptIntent, StoredIdShared, StoredOperationIntent, StoredOrderIntent,
        StoredRequest,
    },
    invalid,
    name::{StoredClaim, StoredOrderKey},
    number::Number as _,
    part::{Part, read_all, read_one, write_all},
    statement::StoredHeld,
    table::{Reader, StoredTable, Writer},
    view::StoredView,
};
use crate::{
    domain::{
        digest::ContentId,
        order::{Facts, HeldReading, Order},
        receipt::Told,
        sorted::SortedMap,
        statement::{Basis, Held},
        time::Time,
    },
    record::FORMAT,
};

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StoredOrder {
    /// First in every format, so that it can be looked at alone.
    #[prost(uint32, tag = "1")]
    format: u32,
    /// Microseconds since 1970-01-01 UTC. Every other moment is the distance to it.
    #[prost(int64, tag = "2")]
    update_time: i64,
    #[prost(message, optional, tag = "3")]
    table: Option<StoredTable>,
    #[prost(message, optional, tag = "4")]
    key: Option<StoredOrderKey>,
    #[prost(uint64, tag = "5")]
    version: u64,
    /// Each as the distance to the one before.
    #[prost(uint64, repeated, tag = "6")]
    positions: Vec<u64>,
    #[prost(sint64, tag = "7")]
    create_time: i64,
    #[prost(message, optional, tag = "8")]
    facts: Option<StoredFacts>,
    #[prost(message, optional, tag = "9")]
    view: Option<StoredView>,
    #[prost(message, repeated, tag = "10")]
    requests: Vec<StoredRequest>,
    #[prost(message, optional, tag = "11")]
    forwarded_to: Option<StoredOrderKey>,
    #[prost(sint64, tag = "12")]
    last_evidence_time: i64,
    /// Number of a [`Basis`]; 0 if there was no evidence.
    #[prost(uint32, tag = "13")]
    last_evidence_basis: u32,
    #[prost(sint64, tag = "14")]
    outcome_time: i64,
    #[prost(message, repeated, tag = "15")]
    receipts: Vec<StoredTold>,
}

/// What became of telling the customer one outcome.
#[derive(Clone, PartialEq, prost::Message)]
struct StoredTold {
    #[prost(uint64, tag = "1")]
    outcome_number: u64,
    /// 1 is in time, 2 is missed, 3 is late.
    #[prost(uint32, tag = "2")]
    told: u32,
    /// If it was in time: when.
    #[prost(sint64, tag = "3")]
    time: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct StoredFacts {
    #[prost(message, optional, tag = "1")]
    order: Option<StoredOrderIntent>,
    #[prost(message, repeated, tag = "2")]
    attempts: Vec<StoredAttemptIntent>,
    #[prost(message, repeated, tag = "3")]
    operations: Vec<StoredOperationIntent>,
    #[prost(message, repeated, tag = "4")]
    readings: Vec<StoredReading>,
    /// Ids of the statements, in the order of the statements.
    #[prost(uint32, repeated, tag = "5")]
    statement_ids: Vec<u32>,
    #[prost(message, repeated, tag = "6")]
    statements: Vec<StoredHeld>,
    #[prost(message, repeated, tag = "7")]
    shared: Vec<StoredIdShared>,
    #[prost(bool, tag = "8")]
    beyond_limit: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
struct StoredReading {
    #[prost(uint32, tag = "1")]
    id: u32,
    #[prost(uint32, tag = "2")]
    revision: u32,
    #[prost(uint32, tag = "3")]
    repeats: u32,
    /// Numbers of ids in the table.
    #[prost(uint32, repeated, tag = "4")]
    statements: Vec<u32>,
}

/// A state as a message.
pub(super) fn write(order: &Order) -> StoredOrder {
    let mut writer = Writer::new(order.update_time);
    let to = &mut writer;
    let mut before = 0;
    let positions = order.positions.iter().map(|position| {
        let distance = position.wrapping_sub(before);
        before = *position;
        distance
    });
    let requests = order.requests.iter().map(|(key, (fingerprint, time))| StoredRequest {
        method: key.method.number(),
        request: to.text(key.request.as_str()),
        fingerprint: to.id(*fingerprint),
        time: to.time(*time),
    });
    let requests = requests.collect();
    StoredOrder {
        format: FORMAT,
        update_time: order.update_time.as_micros(),
        key: Some(StoredOrderKey::write(&order.key, to)),
        version: order.version,
        positions: positions.collect(),
        create_time: to.time(order.create_time),
        facts: Some(StoredFacts::write(&order.facts, to)),
        view: Some(StoredView::write(&order.view, to)),
        requests,
        forwarded_to: order.forwarded_to.as_ref().map(|key| StoredOrderKey::write(key, to)),
        last_evidence_time: order.last_evidence.map_or(0, |(time, _)| to.time(time)),
        last_evidence_basis: order.last_evidence.map_or(0, |(_, basis)| basis.number()),
        outcome_time: to.time(order.outcome_time),
        receipts: order.receipts.iter().map(|told| StoredTold::write(told, to)).collect(),
        table: writer.finish(),
    }
}

/// The state that a message stands for.
pub(super) fn read(stored: &StoredOrder) -> Result<Order, Unreadable> {
    let from = &Reader::new(stored.table.as_ref(), stored.update_time)?;
    let mut position = 0_u64;
    let positions = stored.positions.iter().map(|distance| {
        position = position.wrapping_add(*distance);
        position
    });
    let requests = stored.requests.iter().map(|request| {
        let accepted = (from.id(request.fingerprint)?, from.time(request.time));
        Ok((request.key(from)?, accepted))
    });
    Ok(Order {
        key: read_one(stored.key.as_ref(), from)?,
        version: stored.version,
        positions: positions.collect(),
        create_time: from.time(stored.create_time),
        update_time: from.newest(),
        outcome_time: from.time(stored.outcome_time),
        last_evidence: read_last_evidence(stored, from)?,
        facts: read_one(stored.facts.as_ref(), from)?,
        view: read_one(stored.view.as_ref(), from)?,
        requests: requests.collect::<Result<_, _>>()?,
        receipts: stored.receipts.iter().map(|told| told.read(from)).collect::<Result<_, _>>()?,
        forwarded_to: stored.forwarded_to.as_ref().map(|key| key.read(from)).transpose()?,
    })
}

fn read_last_evidence(
    stored: &StoredOrder,
    from: &Reader<'_>,
) -> Result<Option<(Time, Basis)>, Unreadable> {
    if stored.last_evidence_basis == 0 {
        return Ok(None);
    }
    let basis = Basis::of_number(stored.last_evidence_basis)?;
    Ok(Some((from.time(stored.last_evidence_time), basis)))
}

impl Part for StoredFacts {
    type Domain = Facts;

    fn write<'a>(facts: &'a Facts, to: &mut Writer<'a>) -> Self {
        let readings = facts.readings.iter().map(|(id, reading)| StoredReading {
            id: to.id(*id),
            revision: reading.revision,
            repeats: reading.repeats,
            statements: reading.statements.iter().map(|id| to.id(*id)).collect(),
        });
        let readings = readings.collect();
        let shared = facts.shared.iter().map(|(claim, with)| StoredIdShared {
            claim: Some(StoredClaim::write(claim, to)),
            with: Some(StoredOrderKey::write(with, to)),
        });
        let shared = shared.collect();
        Self {
            order: facts.order.as_ref().map(|intent| StoredOrderIntent::write(intent, to)),
            attempts: write_all(facts.attempts.values(), to),
            operations: write_all(facts.operations.values(), to),
            readings,
            statement_ids: facts.statements.keys().map(|id| to.id(*id)).collect(),
            statements: write_all(facts.statements.values().map(Arc::as_ref), to),
            shared,
            beyond_limit: facts.beyond_limit,
        }
    }

    fn read(&self, from: &Reader<'_>) -> Result<Facts, Unreadable> {
        let attempts = read_all(&self.attempts, from)?.into_iter();
        let operations = read_all(&self.operations, from)?.into_iter();
        let shared = self.shared.iter().map(|shared| {
            Ok((read_one(shared.claim.as_ref(), from)?, read_one(shared.with.as_ref(), from)?))
        });
        Ok(Facts {
            order: self.order.as_ref().map(|intent| intent.read(from)).transpose()?,
            attempts: attempts.map(|intent| (intent.attempt.clone(), intent)).collect(),
            operations: operations
                .map(|intent| ((intent.kind, intent.operation.clone()), intent))
                .collect(),
            readings: self.readings.iter().map(|r| r.read(from)).collect::<Result<_, _>>()?,
            statements: self.read_statements(from)?,
            shared: shared.collect::<Result<_, _>>()?,
            beyond_limit: self.beyond_limit,
        })
    }
}

impl StoredFacts {
    fn read_statements(
        &self,
        from: &Reader<'_>,
    ) -> Result<SortedMap<ContentId, Arc<Held>>, Unreadable> {
        if self.statement_ids.len() != self.statements.len() {
            return Err(invalid("statements and their ids"));
        }
        let both = self.statement_ids.iter().zip(&self.statements);
        both.map(|(id, held)| Ok((from.id(*id)?, Arc::new(held.read(from)?)))).collect()
    }
}

impl StoredTold {
    fn write((outcome_number, told): (u64, Told), to: &Writer<'_>) -> Self {
        let (told, time) = match told {
            Told::InTime(time) => (1, to.time(time)),
            Told::Missed => (2, 0),
            Told::Late => (3, 0),
        };
        Self { outcome_number, told, time }
    }

    fn read(&self, from: &Reader<'_>) -> Result<(u64, Told), Unreadable> {
        let told = match self.told {
            1 => Told::InTime(from.time(self.time)),
            2 => Told::Missed,
            3 => Told::Late,
            _ => return Err(invalid("number of what became of a receipt")),
        };
        Ok((self.outcome_number, told))
    }
}

impl StoredReading {
    fn read(&self, from: &Reader<'_>) -> Result<(ContentId, HeldReading), Unreadable> {
        let statements = self.statements.iter().map(|id| from.id(*id));
        let reading = HeldReading {
            revision: self.revision,
            repeats: self.repeats,
            statements: statements.collect::<Result<_, _>>()?,
        };
        Ok((from.id(self.id)?, reading))
    }
}
