//! Changes: what a record altered.

use super::{
    Unreadable, invalid,
    number::Number as _,
    part::{Part as _, read_one},
    table::{Reader, Writer},
    view::{StoredAttempt, StoredCondition, StoredOperation},
};
use crate::domain::{
    change::{AttemptChange, Change, OperationChange},
    view::{OperationStatus, Outcome, PaymentStatus},
};

// Kinds of changes. A number that was ever written keeps its meaning.
const ORDER_CREATED: u32 = 1;
const ORDER_STATUS: u32 = 2;
const OUTCOME: u32 = 3;
const ATTEMPT_CREATED: u32 = 4;
const ATTEMPT_STATUS: u32 = 5;
const ATTEMPT_UPDATED: u32 = 6;
const ATTEMPT_MERGED: u32 = 7;
const ATTEMPT_REMOVED: u32 = 8;
const OPERATION_CREATED: u32 = 9;
const OPERATION_STATUS: u32 = 10;
const OPERATION_UPDATED: u32 = 11;
const OPERATION_REMOVED: u32 = 12;
const CONDITION_OPENED: u32 = 13;
const CONDITION_CLOSED: u32 = 14;
const CUSTOMER_INFORMED: u32 = 15;
const CUSTOMER_NOT_INFORMED: u32 = 16;

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StoredChange {
    #[prost(uint32, tag = "1")]
    kind: u32,
    /// The status or outcome before, if the kind has one.
    #[prost(uint32, tag = "2")]
    from: u32,
    /// Absent if it is the same as in the change before.
    #[prost(message, optional, boxed, tag = "3")]
    attempt: Option<Box<StoredAttempt>>,
    #[prost(message, optional, boxed, tag = "4")]
    operation: Option<Box<StoredOperation>>,
    #[prost(message, optional, boxed, tag = "5")]
    condition: Option<Box<StoredCondition>>,
}

/// Writes the changes of one record.
pub(super) fn write_all<'a>(changes: &'a [Change], to: &mut Writer<'a>) -> Vec<StoredChange> {
    let mut all = Vec::with_capacity(changes.len());
    let mut before = None;
    for change in changes {
        all.push(write(change, before, to));
        before = Some(change);
    }
    all
}

/// Reads the changes of one record.
pub(super) fn read_all(all: &[StoredChange], from: &Reader<'_>) -> Result<Vec<Change>, Unreadable> {
    let mut changes = Vec::with_capacity(all.len());
    for stored in all {
        let change = read(stored, changes.last(), from)?;
        changes.push(change);
    }
    Ok(changes)
}

fn write<'a>(change: &'a Change, before: Option<&Change>, to: &mut Writer<'a>) -> StoredChange {
    let kind = |kind, from| StoredChange { kind, from, ..StoredChange::default() };
    match change {
        Change::OrderCreated => kind(ORDER_CREATED, 0),
        Change::OrderStatus { from } => kind(ORDER_STATUS, from.number()),
        Change::Outcome { from } => kind(OUTCOME, from.number()),
        Change::Attempt { what, attempt } => {
            let stored = match what {
                AttemptChange::Created => kind(ATTEMPT_CREATED, 0),
                AttemptChange::Status(from) => kind(ATTEMPT_STATUS, from.number()),
                AttemptChange::Updated => kind(ATTEMPT_UPDATED, 0),
                AttemptChange::Merged => kind(ATTEMPT_MERGED, 0),
                AttemptChange::Removed => kind(ATTEMPT_REMOVED, 0),
            };
            // A merge that also changed the status is two changes with one view.
            let is_same =
                matches!(before, Some(Change::Attempt { attempt: a, .. }) if a == attempt);
            let attempt = (!is_same).then(|| Box::new(StoredAttempt::write(attempt, to)));
            StoredChange { attempt, ..stored }
        }
        Change::Operation { what, operation } => {
            let stored = match what {
                OperationChange::Created => kind(OPERATION_CREATED, 0),
                OperationChange::Status(from) => kind(OPERATION_STATUS, from.number()),
                OperationChange::Updated => kind(OPERATION_UPDATED, 0),
                OperationChange::Removed => kind(OPERATION_REMOVED, 0),
            };
            let operation = Some(Box::new(StoredOperation::write(operation, to)));
            StoredChange { operation, ..stored }
        }
        Change::ConditionOpened(condition) => {
            let condition = Some(Box::new(StoredCondition::write(condition, to)));
            StoredChange { condition, ..kind(CONDITION_OPENED, 0) }
        }
        Change::ConditionClosed(condition) => {
            let condition = Some(Box::new(StoredCondition::write(condition, to)));
            StoredChange { condition, ..kind(CONDITION_CLOSED, 0) }
        }
        Change::CustomerInformed => kind(CUSTOMER_INFORMED, 0),
        Change::CustomerNotInformed => kind(CUSTOMER_NOT_INFORMED, 0),
    }
}

fn read(
    stored: &StoredChange,
    before: Option<&Change>,
    from: &Reader<'_>,
) -> Result<Change, Unreadable> {
    let attempt = |what| {
        let attempt = match (&stored.attempt, before) {
            (Some(attempt), _) => Box::new(attempt.read(from)?),
            (None, Some(Change::Attempt { attempt, .. })) => attempt.clone(),
            (None, _) => return Err(invalid("a change without its attempt")),
        };
        Ok(Change::Attempt { what, attempt })
    };
    let operation = |what| {
        let operation = Box::new(read_one(stored.operation.as_deref(), from)?);
        Ok(Change::Operation { what, operation })
    };
    let condition = || read_one(stored.condition.as_deref(), from);
    match stored.kind {
        ORDER_CREATED => Ok(Change::OrderCreated),
        ORDER_STATUS => Ok(Change::OrderStatus { from: PaymentStatus::of_number(stored.from)? }),
        OUTCOME => Ok(Change::Outcome { from: Outcome::of_number(stored.from)? }),
        ATTEMPT_CREATED => attempt(AttemptChange::Created),
        ATTEMPT_STATUS => attempt(AttemptChange::Status(PaymentStatus::of_number(stored.from)?)),
        ATTEMPT_UPDATED => attempt(AttemptChange::Updated),
        ATTEMPT_MERGED => attempt(AttemptChange::Merged),
        ATTEMPT_REMOVED => attempt(AttemptChange::Removed),
        OPERATION_CREATED => operation(OperationChange::Created),
        OPERATION_STATUS => {
            operation(OperationChange::Status(OperationStatus::of_number(stored.from)?))
        }
        OPERATION_UPDATED => operation(OperationChange::Updated),
        OPERATION_REMOVED => operation(OperationChange::Removed),
        CONDITION_OPENED => Ok(Change::ConditionOpened(condition()?)),
        CONDITION_CLOSED => Ok(Change::ConditionClosed(condition()?)),
        CUSTOMER_INFORMED => Ok(Change::CustomerInformed),
        CUSTOMER_NOT_INFORMED => Ok(Change::CustomerNotInformed),
        _ => Err(invalid("kind of a change")),
    }
}
