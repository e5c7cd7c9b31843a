//! Changes, from their messages.

use paystatus_proto::v1;

use super::time_from_wire;
use crate::{
    change::{Change, ChangeKind},
    order::{Attempt, Condition, Operation},
    status::{OperationStatus, Outcome, PaymentStatus},
};

impl Change {
    pub(crate) fn from_wire(wire: v1::Change) -> Self {
        // On the wire, zero stands for "nothing before".
        let previous = |number: i32| (number != 0).then_some(number);
        Self {
            change_id: wire.change_id,
            merchant_id: wire.merchant_id,
            order_id: wire.order_id,
            order_version: wire.order_version,
            index: wire.index,
            kind: ChangeKind::from_number(wire.kind),
            change_time: time_from_wire(wire.change_time),
            order_status: PaymentStatus::from_number(wire.order_status),
            outcome: Outcome::from_number(wire.outcome),
            outcome_number: wire.outcome_number,
            previous_status: previous(wire.previous_status).map(PaymentStatus::from_number),
            previous_operation_status: previous(wire.previous_operation_status)
                .map(OperationStatus::from_number),
            previous_outcome: previous(wire.previous_outcome).map(Outcome::from_number),
            attempt: wire.attempt.map(Attempt::from_wire),
            operation: wire.operation.map(Operation::from_wire),
            condition: wire.condition.map(Condition::from_wire),
            labels: wire.labels.into_iter().collect(),
        }
    }
}
