//! What a fact altered: the unit that is streamed, and the difference between two views.

use super::{
    ids::AccountId,
    view::{AttemptView, Condition, OperationStatus, OperationView, Outcome, PaymentStatus, View},
};

/// One thing that a fact altered. Carries all that `apply` has to copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The order was recorded.
    OrderCreated,
    /// The order's status changed.
    OrderStatus {
        /// Before.
        from: PaymentStatus,
    },
    /// The order's outcome changed.
    Outcome {
        /// Before.
        from: Outcome,
    },
    /// An attempt is new, or altered.
    Attempt {
        /// What happened to it.
        what: AttemptChange,
        /// The attempt after it; for `Removed` before it.
        attempt: Box<AttemptView>,
    },
    /// An operation is new, or altered.
    Operation {
        /// What happened to it.
        what: OperationChange,
        /// The operation after it; for `Removed` before it.
        operation: Box<OperationView>,
    },
    /// A condition arose, or concerns other attempts than before.
    ConditionOpened(Condition),
    /// A condition no longer holds.
    ConditionClosed(Condition),
    /// A page showed the present outcome to the customer, in time.
    CustomerInformed,
    /// The time passed in which a page should have shown the present outcome.
    CustomerNotInformed,
}

/// What happened to an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptChange {
    /// Recorded, or first seen.
    Created,
    /// Its status changed from this one.
    Status(PaymentStatus),
    /// Something else of it changed.
    Updated,
    /// Others turned out to be this one.
    Merged,
    /// Its evidence belongs elsewhere.
    Removed,
}

/// What happened to an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationChange {
    /// Recorded, or first seen.
    Created,
    /// Its status changed from this one.
    Status(OperationStatus),
    /// Something else of it changed.
    Updated,
    /// Its evidence belongs elsewhere.
    Removed,
}

/// The changes that lead from one view to the next, attempts first, the outcome near the end.
#[must_use]
pub fn between(before: &View, after: &View) -> Vec<Change> {
    let mut changes = Vec::new();
    attempts(before, after, &mut changes);
    operations(before, after, &mut changes);
    if before.summary.status != after.summary.status {
        changes.push(Change::OrderStatus { from: before.summary.status });
    }
    if before.summary.outcome != after.summary.outcome {
        changes.push(Change::Outcome { from: before.summary.outcome });
    }
    conditions(before, after, &mut changes);
    changes
}

fn attempts(before: &View, after: &View, changes: &mut Vec<Change>) {
    for attempt in &after.attempts {
        let old = before.attempts.iter().find(|old| old.name == attempt.name);
        let what = match old {
            None => Some(AttemptChange::Created),
            Some(old) if old == attempt => None,
            Some(old) if has_new_alias(old, attempt) => Some(AttemptChange::Merged),
            Some(old) if old.status != attempt.status => Some(AttemptChange::Status(old.status)),
            Some(_) => Some(AttemptChange::Updated),
        };
        let push = |what| Change::Attempt { what, attempt: Box::new(attempt.clone()) };
        changes.extend(what.map(push));
        // A merge that also creates, or changes the status, is two changes: nobody may miss
        // either.
        match (what, old) {
            (Some(AttemptChange::Created), _) if !attempt.aliases.is_empty() => {
                changes.push(push(AttemptChange::Merged));
            }
            (Some(AttemptChange::Merged), Some(old)) if old.status != attempt.status => {
                changes.push(push(AttemptChange::Status(old.status)));
            }
            _ => {}
        }
    }
    for old in &before.attempts {
        let still_there = |a: &AttemptView| a.name == old.name || a.aliases.contains(&old.name);
        if !after.attempts.iter().any(still_there) {
            let what = AttemptChange::Removed;
            changes.push(Change::Attempt { what, attempt: Box::new(old.clone()) });
        }
    }
}

/// True if an announced attempt has become part of this one.
fn has_new_alias(old: &AttemptView, new: &AttemptView) -> bool {
    new.aliases.iter().any(|alias| !old.aliases.contains(alias))
}

fn operations(before: &View, after: &View, changes: &mut Vec<Change>) {
    for operation in &after.operations {
        let old = before.operations.iter().find(|old| same_operation(old, operation));
        let what = match old {
            None => Some(OperationChange::Created),
            Some(old) if old == operation => None,
            Some(old) if old.status != operation.status => {
                Some(OperationChange::Status(old.status))
            }
            Some(_) => Some(OperationChange::Updated),
        };
        let push = |what| Change::Operation { what, operation: Box::new(operation.clone()) };
        changes.extend(what.map(push));
    }
    for old in &before.operations {
        if !after.operations.iter().any(|new| same_operation(old, new)) {
            let what = OperationChange::Removed;
            changes.push(Change::Operation { what, operation: Box::new(old.clone()) });
        }
    }
}

fn same_operation(a: &OperationView, b: &OperationView) -> bool {
    a.kind == b.kind && a.name == b.name
}

fn conditions(before: &View, after: &View, changes: &mut Vec<Change>) {
    // A condition that now concerns other attempts is announced again under the same id.
    let opened = after.conditions.iter().filter(|c| !before.conditions.contains(c));
    changes.extend(opened.cloned().map(Change::ConditionOpened));
    let is_over = |c: &&Condition| !after.conditions.iter().any(|other| other.id == c.id);
    let closed = before.conditions.iter().filter(is_over);
    changes.extend(closed.cloned().map(Change::ConditionClosed));
}

/// Copies a change into a view, which has to be sorted afterwards. The summary is copied
/// apart, from the record; who was told is noted from the facts.
pub fn copy_into(view: &mut View, change: &Change) {
    match change {
        Change::OrderCreated
        | Change::OrderStatus { .. }
        | Change::Outcome { .. }
        | Change::CustomerInformed
        | Change::CustomerNotInformed => {}
        Change::Attempt { what, attempt } => {
            let merged = |a: &AttemptView| attempt.aliases.contains(&a.name);
            view.attempts.retain(|a| a.name != attempt.name && !merged(a));
            if *what != AttemptChange::Removed {
                view.attempts.push((**attempt).clone());
            }
        }
        Change::Operation { what, operation } => {
            view.operations.retain(|o| !same_operation(o, operation));
            if *what != OperationChange::Removed {
                view.operations.push((**operation).clone());
            }
        }
        Change::ConditionOpened(condition) => {
            view.conditions.retain(|c| c.id != condition.id);
            view.conditions.push(condition.clone());
        }
        Change::ConditionClosed(condition) => view.conditions.retain(|c| c.id != condition.id),
    }
}

/// The account of the attempt or operation that a change is about.
#[must_use]
pub fn account_of(change: &Change) -> Option<&AccountId> {
    match change {
        Change::Attempt { attempt, .. } => Some(&attempt.account),
        Change::Operation { operation, .. } => Some(&operation.account),
        _ => None,
    }
}

/// A change as a short text, for people and previews.
#[must_use]
pub fn in_words(change: &Change) -> String {
    match change {
        Change::OrderCreated => "order recorded".to_owned(),
        Change::OrderStatus { from } => format!("order was {from:?}"),
        Change::Outcome { from } => format!("outcome was {from:?}"),
        Change::Attempt { what, attempt } => match what {
            AttemptChange::Status(from) => {
                format!("attempt {}: {from:?} becomes {:?}", attempt.name, attempt.status)
            }
            what => format!("attempt {}: {what:?}, {:?}", attempt.name, attempt.status),
        },
        Change::Operation { what, operation } => match what {
            OperationChange::Status(from) => format!(
                "{:?} {}: {from:?} becomes {:?}",
                operation.kind, operation.name, operation.status
            ),
            what => {
                format!("{:?} {}: {what:?}, {:?}", operation.kind, operation.name, operation.status)
            }
        },
        Change::ConditionOpened(condition) => format!("opened: {}", condition.detail),
        Change::ConditionClosed(condition) => format!("closed: {}", condition.detail),
        Change::CustomerInformed => "the customer was told the outcome".to_owned(),
        Change::CustomerNotInformed => "the customer was not told the outcome in time".to_owned(),
    }
}
