//! Changes of orders, and what a stream tells of them.

use std::{collections::BTreeMap, time::SystemTime};

use crate::{
    open_enum::open_enum,
    order::{Attempt, Condition, Operation, Order},
    status::{OperationStatus, Outcome, PaymentStatus},
};

open_enum! {
    /// What a change altered.
    ChangeKind {
        /// The order was recorded.
        OrderCreated = 1 "ORDER_CREATED",
        /// The order's status changed.
        OrderStatusChanged = 2 "ORDER_STATUS_CHANGED",
        /// The order's outcome changed.
        OutcomeChanged = 3 "OUTCOME_CHANGED",
        /// An attempt was recorded, or first seen in evidence.
        AttemptCreated = 4 "ATTEMPT_CREATED",
        /// An attempt's status changed.
        AttemptStatusChanged = 5 "ATTEMPT_STATUS_CHANGED",
        /// An attempt's ids, amounts or reason changed, not its status.
        AttemptUpdated = 6 "ATTEMPT_UPDATED",
        /// Attempts turned out to be one.
        AttemptMerged = 7 "ATTEMPT_MERGED",
        /// An attempt known from evidence is gone.
        AttemptRemoved = 8 "ATTEMPT_REMOVED",
        /// A capture, refund or void was recorded, or first seen in evidence.
        OperationCreated = 9 "OPERATION_CREATED",
        /// An operation's status changed.
        OperationStatusChanged = 10 "OPERATION_STATUS_CHANGED",
        /// An operation's ids, amount or reason changed, not its status.
        OperationUpdated = 11 "OPERATION_UPDATED",
        /// An operation known from evidence is gone.
        OperationRemoved = 12 "OPERATION_REMOVED",
        /// Something arose that a person should look at.
        ConditionOpened = 13 "CONDITION_OPENED",
        /// A condition no longer holds.
        ConditionClosed = 14 "CONDITION_CLOSED",
        /// A page showed the outcome named by `outcome_number` to the customer, in time.
        CustomerInformed = 15 "CUSTOMER_INFORMED",
        /// No page showed the outcome named by `outcome_number` in time: write to the customer.
        CustomerNotInformed = 16 "CUSTOMER_NOT_INFORMED",
    }
}

/// One thing that one fact altered.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Change {
    /// Stable for ever: the same change has the same id on every stream.
    pub change_id: String,
    /// The merchant of the order.
    pub merchant_id: String,
    /// The order.
    pub order_id: String,
    /// The order's version after the fact.
    pub order_version: i64,
    /// Place among the changes of this version.
    pub index: i32,
    /// What changed.
    pub kind: ChangeKind,
    /// When it was decided.
    pub change_time: Option<SystemTime>,
    /// The order's status after the fact.
    pub order_status: PaymentStatus,
    /// The order's outcome after the fact.
    pub outcome: Outcome,
    /// The number of that outcome.
    pub outcome_number: i64,
    /// The status of order or attempt before, where one changed.
    pub previous_status: Option<PaymentStatus>,
    /// The status of the operation before, where one changed.
    pub previous_operation_status: Option<OperationStatus>,
    /// The outcome before, where it changed.
    pub previous_outcome: Option<Outcome>,
    /// For changes of an attempt: the attempt after the fact (before it, if it was removed).
    pub attempt: Option<Attempt>,
    /// For changes of an operation: the operation after the fact (before it, if it was removed).
    pub operation: Option<Operation>,
    /// For changes of a condition: the condition.
    pub condition: Option<Condition>,
    /// The order's labels.
    pub labels: BTreeMap<String, String>,
}

/// What a stream tells its reader. Reconnecting is not told: the stream goes on where it was.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The present state of an order.
    Snapshot(Box<Order>),
    /// All changes of one fact, together, in their order.
    Changes(Vec<Change>),
    /// The snapshot is complete, also when it was empty.
    SnapshotEnd {
        /// How many orders the server sent.
        entry_count: i64,
    },
    /// Everything known at this moment has been told.
    CaughtUp,
    /// The cursor could not be honoured, and a snapshot follows: discard what you derived from
    /// earlier events.
    Reset {
        /// Why, in plain words.
        reason: String,
    },
}
