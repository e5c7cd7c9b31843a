//! Orders, attempts, operations and conditions, from their messages.

use paystatus_proto::v1;

use super::time_from_wire;
use crate::{
    money::Money,
    order::{Attempt, Condition, Freshness, Operation, Order, ProviderId, Totals},
    status::{
        ConditionKind, EvidenceSource, OperationKind, OperationStatus, Outcome, PaymentStatus,
    },
};

impl Order {
    pub(crate) fn from_wire(wire: v1::Order) -> Self {
        Self {
            merchant_id: wire.merchant_id,
            order_id: wire.order_id,
            status: PaymentStatus::from_number(wire.status),
            outcome: Outcome::from_number(wire.outcome),
            outcome_number: wire.outcome_number,
            amount: wire.amount.map(Money::from_wire),
            totals: Totals {
                authorized: wire.authorized_amount.map(Money::from_wire),
                captured: wire.captured_amount.map(Money::from_wire),
                refunded: wire.refunded_amount.map(Money::from_wire),
                voided: wire.voided_amount.map(Money::from_wire),
            },
            attempts: wire.attempts.into_iter().map(Attempt::from_wire).collect(),
            operations: wire.operations.into_iter().map(Operation::from_wire).collect(),
            conditions: wire.conditions.into_iter().map(Condition::from_wire).collect(),
            labels: wire.labels.into_iter().collect(),
            version: wire.version,
            create_time: time_from_wire(wire.create_time),
            update_time: time_from_wire(wire.update_time),
            freshness: wire.freshness.map(Freshness::from_wire).unwrap_or_default(),
            customer_informed_time: time_from_wire(wire.customer_informed_time),
        }
    }
}

impl Freshness {
    fn from_wire(wire: v1::Freshness) -> Self {
        let source = Some(wire.last_evidence_source).filter(|number| *number != 0);
        Self {
            last_evidence_time: time_from_wire(wire.last_evidence_time),
            last_evidence_source: source.map(EvidenceSource::from_number),
            last_check_time: time_from_wire(wire.last_check_time),
            next_check_time: time_from_wire(wire.next_check_time),
        }
    }
}

impl Attempt {
    pub(crate) fn from_wire(wire: v1::Attempt) -> Self {
        Self {
            attempt_id: wire.attempt_id,
            aliases: wire.aliases,
            account_id: wire.account_id,
            reference: wire.reference,
            ids: wire.ids.into_iter().map(ProviderId::from_wire).collect(),
            status: PaymentStatus::from_number(wire.status),
            amount: wire.amount.map(Money::from_wire),
            totals: Totals {
                authorized: wire.authorized_amount.map(Money::from_wire),
                captured: wire.captured_amount.map(Money::from_wire),
                refunded: wire.refunded_amount.map(Money::from_wire),
                voided: wire.voided_amount.map(Money::from_wire),
            },
            recorded: wire.recorded,
            paired_by_guess: wire.paired_by_guess,
            reason: wire.reason,
            provider_time: time_from_wire(wire.provider_time),
        }
    }
}

impl Operation {
    pub(crate) fn from_wire(wire: v1::Operation) -> Self {
        Self {
            kind: OperationKind::from_number(wire.kind),
            operation_id: wire.operation_id,
            attempt_id: wire.attempt_id,
            reference: wire.reference,
            ids: wire.ids.into_iter().map(ProviderId::from_wire).collect(),
            status: OperationStatus::from_number(wire.status),
            amount: wire.amount.map(Money::from_wire),
            recorded: wire.recorded,
            reason: wire.reason,
            provider_time: time_from_wire(wire.provider_time),
        }
    }
}

impl ProviderId {
    pub(crate) fn from_wire(wire: v1::ProviderId) -> Self {
        Self { kind: wire.kind, value: wire.value }
    }

    pub(crate) fn into_wire(self) -> v1::ProviderId {
        v1::ProviderId { kind: self.kind, value: self.value }
    }
}

impl Condition {
    pub(crate) fn from_wire(wire: v1::Condition) -> Self {
        Self {
            condition_id: wire.condition_id,
            kind: ConditionKind::from_number(wire.kind),
            detail: wire.detail,
            attempt_ids: wire.attempt_ids,
        }
    }
}
