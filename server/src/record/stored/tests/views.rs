//! Generated views and changes.

use proptest::{collection::vec, option, prelude::*};

use super::names::{
    any_account, any_attempt_key, any_content_id, any_ids, any_money, any_operation_key,
    any_reference, any_text, any_time, numbered,
};
use crate::domain::{
    change::{AttemptChange, Change, OperationChange},
    view::{Amounts, AttemptView, Condition, OperationView, Summary, View},
};

fn any_amounts() -> BoxedStrategy<Amounts> {
    let money = || option::of(any_money());
    (money(), money(), money(), money())
        .prop_map(|(authorized, captured, refunded, voided)| Amounts {
            authorized,
            captured,
            refunded,
            voided,
        })
        .boxed()
}

pub(super) fn any_summary() -> BoxedStrategy<Summary> {
    (numbered(), numbered(), any::<u64>(), any_amounts())
        .prop_map(|(status, outcome, outcome_number, amounts)| Summary {
            status,
            outcome,
            outcome_number,
            amounts,
        })
        .boxed()
}

fn any_attempt() -> BoxedStrategy<AttemptView> {
    let names = (any_attempt_key(), any_text(), vec(any_text(), 0..3), any_ids());
    let place = (any_account(), option::of(any_reference()));
    let flags = (any::<bool>(), any::<bool>());
    let times = (option::of(any_time()), option::of(any_time()));
    let money = (option::of(any_money()), any_amounts(), option::of(any_money()));
    let decided = (numbered(), option::of(any_text()));
    (names, place, flags, times, money, decided)
        .prop_map(|(names, place, flags, times, money, decided)| AttemptView {
            key: names.0,
            name: names.1,
            aliases: names.2,
            created: times.0,
            account: place.0,
            reference: place.1,
            ids: names.3,
            paired_by_guess: flags.0,
            status: decided.0,
            was_approved: flags.1,
            expected: money.0,
            amounts: money.1,
            held: money.2,
            reason: decided.1,
            provider_time: times.1,
        })
        .boxed()
}

fn any_operation() -> BoxedStrategy<OperationView> {
    let names = (any_operation_key(), any_text(), any_ids(), numbered());
    let place = (any_account(), option::of(any_reference()));
    let attempt = (option::of(any_attempt_key()), any_text());
    let times = (option::of(any_time()), option::of(any_time()));
    let decided = (numbered(), option::of(any_money()), option::of(any_text()));
    (names, place, attempt, times, decided)
        .prop_map(|(names, place, attempt, times, decided)| OperationView {
            key: names.0,
            kind: names.3,
            created: times.0,
            account: place.0,
            name: names.1,
            attempt: attempt.0,
            attempt_name: attempt.1,
            reference: place.1,
            ids: names.2,
            status: decided.0,
            amount: decided.1,
            reason: decided.2,
            provider_time: times.1,
        })
        .boxed()
}

fn any_condition() -> BoxedStrategy<Condition> {
    let attempts = (vec(any_attempt_key(), 0..3), vec(any_text(), 0..3));
    (any_content_id(), numbered(), any_text(), attempts)
        .prop_map(|(id, kind, detail, (attempts, attempt_names))| Condition {
            id,
            kind,
            detail,
            attempts,
            attempt_names,
        })
        .boxed()
}

pub(super) fn any_view() -> BoxedStrategy<View> {
    let operations = vec(any_operation(), 0..3);
    (any_summary(), vec(any_attempt(), 0..3), operations, vec(any_condition(), 0..2))
        .prop_map(|(summary, attempts, operations, conditions)| View {
            summary,
            attempts,
            operations,
            conditions,
        })
        .boxed()
}

fn any_attempt_change() -> BoxedStrategy<AttemptChange> {
    prop_oneof![
        Just(AttemptChange::Created),
        numbered().prop_map(AttemptChange::Status),
        Just(AttemptChange::Updated),
        Just(AttemptChange::Merged),
        Just(AttemptChange::Removed),
    ]
    .boxed()
}

fn any_operation_change() -> BoxedStrategy<OperationChange> {
    prop_oneof![
        Just(OperationChange::Created),
        numbered().prop_map(OperationChange::Status),
        Just(OperationChange::Updated),
        Just(OperationChange::Removed),
    ]
    .boxed()
}

fn any_change() -> BoxedStrategy<Change> {
    prop_oneof![
        Just(Change::OrderCreated),
        numbered().prop_map(|from| Change::OrderStatus { from }),
        numbered().prop_map(|from| Change::Outcome { from }),
        (any_attempt_change(), any_attempt())
            .prop_map(|(what, attempt)| Change::Attempt { what, attempt: Box::new(attempt) }),
        (any_operation_change(), any_operation()).prop_map(|(what, operation)| {
            Change::Operation { what, operation: Box::new(operation) }
        }),
        any_condition().prop_map(Change::ConditionOpened),
        any_condition().prop_map(Change::ConditionClosed),
        Just(Change::CustomerInformed),
        Just(Change::CustomerNotInformed),
    ]
    .boxed()
}

/// Changes; sometimes two in a row are about the same view.
pub(super) fn any_changes() -> BoxedStrategy<Vec<Change>> {
    vec((any_change(), option::of(any_attempt_change())), 0..4)
        .prop_map(|some| {
            let mut changes = Vec::new();
            for (change, again) in some {
                let attempt = match &change {
                    Change::Attempt { attempt, .. } => Some(attempt.clone()),
                    _ => None,
                };
                changes.push(change);
                if let (Some(what), Some(attempt)) = (again, attempt) {
                    changes.push(Change::Attempt { what, attempt });
                }
            }
            changes
        })
        .boxed()
}
