//! Keys, operators and the audit list, from their messages.

use paystatus_proto::v1;

use super::time_from_wire;
use crate::access::{AuditEntry, AuditOutcome, Key, MethodCalls, Operator, Role};

impl Key {
    pub(crate) fn from_wire(wire: v1::Key) -> Self {
        let calls = wire.calls.into_iter();
        Self {
            key_id: wire.key_id,
            name: wire.name,
            role: Role::from_number(wire.role),
            merchant_ids: wire.merchant_ids,
            create_time: time_from_wire(wire.create_time),
            expire_time: time_from_wire(wire.expire_time),
            operator_id: wire.operator_id,
            last_use_time: time_from_wire(wire.last_use_time),
            calls: calls.map(|c| MethodCalls { method: c.method, count: c.count }).collect(),
        }
    }
}

impl Operator {
    pub(crate) fn from_wire(wire: v1::Operator) -> Self {
        Self {
            operator_id: wire.operator_id,
            display_name: wire.display_name,
            merchant_ids: wire.merchant_ids,
            create_time: time_from_wire(wire.create_time),
            key_count: wire.key_count,
        }
    }
}

impl AuditEntry {
    pub(crate) fn from_wire(wire: v1::AuditEntry) -> Self {
        Self {
            record_time: time_from_wire(wire.record_time),
            actor: wire.actor,
            key_id: wire.key_id,
            operator_id: wire.operator_id,
            method: wire.method,
            object_id: wire.object_id,
            merchant_ids: wire.merchant_ids,
            outcome: AuditOutcome::from_number(wire.outcome),
            detail: wire.detail,
            left_out_count: wire.left_out_count,
        }
    }
}
