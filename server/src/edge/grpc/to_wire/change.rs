//! Changes on the wire, each encoded once for all who watch.

use bytes::Bytes;
use paystatus_proto::v1;
use prost::Message as _;

use super::{order, time};
use crate::{
    domain::change::{AttemptChange, Change, OperationChange},
    hub::Committed,
    record::OrderRecord,
};

/// Kind of a change.
pub(crate) fn kind(change: &Change) -> v1::ChangeKind {
    use v1::ChangeKind as Kind;
    match change {
        Change::OrderCreated => Kind::OrderCreated,
        Change::OrderStatus { .. } => Kind::OrderStatusChanged,
        Change::Outcome { .. } => Kind::OutcomeChanged,
        Change::Attempt { what, .. } => match what {
            AttemptChange::Created => Kind::AttemptCreated,
            AttemptChange::Status(_) => Kind::AttemptStatusChanged,
            AttemptChange::Updated => Kind::AttemptUpdated,
            AttemptChange::Merged => Kind::AttemptMerged,
            AttemptChange::Removed => Kind::AttemptRemoved,
        },
        Change::Operation { what, .. } => match what {
            OperationChange::Created => Kind::OperationCreated,
            OperationChange::Status(_) => Kind::OperationStatusChanged,
            OperationChange::Updated => Kind::OperationUpdated,
            OperationChange::Removed => Kind::OperationRemoved,
        },
        Change::ConditionOpened(_) => Kind::ConditionOpened,
        Change::ConditionClosed(_) => Kind::ConditionClosed,
        Change::CustomerInformed => Kind::CustomerInformed,
        Change::CustomerNotInformed => Kind::CustomerNotInformed,
    }
}

/// The changes of a record, encoded. The first watcher does the work.
pub(crate) fn encoded<'a>(committed: &'a Committed, record: &OrderRecord) -> &'a [Bytes] {
    committed.encoded.get_or_init(|| {
        changes(record, committed.version)
            .into_iter()
            .map(|change| Bytes::from(change.encode_to_vec()))
            .collect()
    })
}

/// The changes of a record.
pub(crate) fn changes(record: &OrderRecord, version: u64) -> Vec<v1::Change> {
    let one = |(index, change): (usize, &Change)| self::change(record, version, index, change);
    record.changes().iter().enumerate().map(one).collect()
}

fn change(record: &OrderRecord, version: u64, index: usize, change: &Change) -> v1::Change {
    let (merchant_id, order_id) = order::names(&record.key);
    let summary = &record.decided.summary;
    let version = i64::try_from(version).unwrap_or(i64::MAX);
    let mut wire = v1::Change {
        change_id: format!("{merchant_id}/{order_id}/{version}/{index}"),
        merchant_id,
        order_id,
        order_version: version,
        index: i32::try_from(index).unwrap_or(i32::MAX),
        kind: kind(change) as i32,
        change_time: Some(time(record.decided.time)),
        order_status: order::status(summary.status) as i32,
        outcome: order::outcome(summary.outcome) as i32,
        outcome_number: i64::try_from(summary.outcome_number).unwrap_or(i64::MAX),
        labels: record.labels.iter().cloned().collect(),
        ..v1::Change::default()
    };
    match change {
        // The outcome and its number say which.
        Change::OrderCreated | Change::CustomerInformed | Change::CustomerNotInformed => {}
        Change::OrderStatus { from } => wire.previous_status = order::status(*from) as i32,
        Change::Outcome { from } => wire.previous_outcome = order::outcome(*from) as i32,
        Change::Attempt { what, attempt } => {
            if let AttemptChange::Status(from) = what {
                wire.previous_status = order::status(*from) as i32;
            }
            wire.attempt = Some(order::attempt(attempt));
        }
        Change::Operation { what, operation } => {
            if let OperationChange::Status(from) = what {
                wire.previous_operation_status = order::operation_status(*from) as i32;
            }
            wire.operation = Some(order::operation(operation));
        }
        Change::ConditionOpened(condition) | Change::ConditionClosed(condition) => {
            wire.condition = Some(order::condition(condition));
        }
    }
    wire
}
