//! Timeline entries, from their messages.

use paystatus_proto::v1;

use super::time_from_wire;
use crate::{
    change::Change,
    money::Money,
    order::ProviderId,
    timeline::{FactSource, Statement, StatementSubject, TimelineEntry},
};

impl TimelineEntry {
    pub(crate) fn from_wire(wire: v1::TimelineEntry) -> Self {
        Self {
            order_version: wire.order_version,
            source: FactSource::from_number(wire.source),
            record_time: time_from_wire(wire.record_time),
            summary: wire.summary,
            account_id: wire.account_id,
            webhook_id: wire.webhook_id,
            actor: wire.actor,
            actor_key_id: wire.actor_key_id,
            actor_operator_id: wire.actor_operator_id,
            statements: wire.statements.into_iter().map(Statement::from_wire).collect(),
            changes: wire.changes.into_iter().map(Change::from_wire).collect(),
            notes: wire.notes,
        }
    }
}

impl Statement {
    fn from_wire(wire: v1::Statement) -> Self {
        Self {
            subject: StatementSubject::from_number(wire.subject),
            claim: wire.claim,
            amount: wire.amount.map(Money::from_wire),
            ids: wire.ids.into_iter().map(ProviderId::from_wire).collect(),
            operation_ids: wire.operation_ids.into_iter().map(ProviderId::from_wire).collect(),
            reference: wire.reference,
            reason: wire.reason,
            provider_time: time_from_wire(wire.provider_time),
        }
    }
}
