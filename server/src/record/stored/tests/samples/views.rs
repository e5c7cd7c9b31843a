//! One of every change, with every status.

use super::{ATTEMPT, ORDER, PAYMENT, account, ago, aud, content, id, money};
use crate::domain::{
    change::{AttemptChange, Change, OperationChange},
    ids::{AttemptId, OperationId, Reference},
    statement::OperationKind,
    view::{
        Amounts, AttemptKey, AttemptView, Condition, ConditionKind, OperationKey, OperationStatus,
        OperationView, Outcome, PaymentStatus, Summary, View,
    },
};

const STATUSES: [PaymentStatus; 7] = [
    PaymentStatus::Pending,
    PaymentStatus::Authorized,
    PaymentStatus::Successful,
    PaymentStatus::Declined,
    PaymentStatus::Canceled,
    PaymentStatus::Expired,
    PaymentStatus::Error,
];
const OPERATION_STATUSES: [OperationStatus; 5] = [
    OperationStatus::Pending,
    OperationStatus::Successful,
    OperationStatus::Declined,
    OperationStatus::Canceled,
    OperationStatus::Error,
];
const OUTCOMES: [Outcome; 4] =
    [Outcome::Undecided, Outcome::Approved, Outcome::Refused, Outcome::Withdrawn];
const CONDITIONS: [ConditionKind; 4] = [
    ConditionKind::Conflict,
    ConditionKind::DuplicatePayment,
    ConditionKind::AmountMismatch,
    ConditionKind::EvidenceLimit,
];

fn own() -> AttemptKey {
    AttemptKey::Recorded(AttemptId::parse(ATTEMPT).unwrap())
}

fn seen() -> AttemptKey {
    AttemptKey::Observed(account(), id("payment", PAYMENT))
}

fn captured() -> Amounts {
    Amounts {
        authorized: Some(aud(14_624)),
        captured: Some(aud(14_624)),
        refunded: None,
        voided: None,
    }
}

pub(super) fn usual_summary() -> Summary {
    Summary {
        status: PaymentStatus::Successful,
        outcome: Outcome::Approved,
        outcome_number: 1,
        amounts: captured(),
    }
}

/// A recorded attempt that a webhook says was paid.
fn paid() -> AttemptView {
    AttemptView {
        key: own(),
        name: ATTEMPT.to_owned(),
        aliases: Vec::new(),
        created: Some(ago(75)),
        account: account(),
        reference: Some(Reference::parse(ORDER).unwrap()),
        ids: vec![id("order", PAYMENT)],
        paired_by_guess: false,
        status: PaymentStatus::Successful,
        was_approved: true,
        expected: Some(aud(14_624)),
        amounts: captured(),
        held: Some(aud(14_624)),
        reason: None,
        provider_time: None,
    }
}

pub(super) fn usual_changes() -> Vec<Change> {
    let what = AttemptChange::Status(PaymentStatus::Pending);
    vec![
        Change::Attempt { what, attempt: Box::new(paid()) },
        Change::OrderStatus { from: PaymentStatus::Pending },
        Change::Outcome { from: Outcome::Undecided },
    ]
}

/// Summaries with every outcome.
pub(super) fn summaries() -> Vec<Summary> {
    let all = OUTCOMES.into_iter().zip(STATUSES).map(|(outcome, status)| Summary {
        status,
        outcome,
        outcome_number: 300,
        amounts: Amounts {
            refunded: Some(money("BTC", 1, 8)),
            voided: Some(money("JPY", 12, 0)),
            ..captured()
        },
    });
    all.chain([Summary::default()]).collect()
}

fn attempts() -> Vec<AttemptView> {
    let all = STATUSES.into_iter().map(|status| AttemptView {
        key: seen(),
        name: "~0123456789abc".to_owned(),
        aliases: vec!["~1123456789abc".to_owned(), String::new()],
        created: None,
        reference: None,
        paired_by_guess: true,
        status,
        was_approved: false,
        expected: None,
        amounts: Amounts::default(),
        held: None,
        reason: Some("insufficient funds".to_owned()),
        provider_time: Some(ago(3)),
        ..paid()
    });
    [paid()].into_iter().chain(all).collect()
}

fn operations() -> Vec<OperationView> {
    let void = OperationId::parse("v1").unwrap();
    let keys = [
        OperationKey::Recorded(OperationKind::Void, void),
        OperationKey::Observed(OperationKind::Refund, account(), id("refund", "re_1")),
    ];
    let all = OPERATION_STATUSES.into_iter().zip(keys.into_iter().cycle());
    let view = |(status, key): (_, OperationKey)| OperationView {
        kind: if status == OperationStatus::Error {
            OperationKind::Capture
        } else {
            match key {
                OperationKey::Recorded(kind, _) | OperationKey::Observed(kind, _, _) => kind,
            }
        },
        created: matches!(key, OperationKey::Recorded(..)).then(|| ago(10)),
        account: account(),
        name: "v1".to_owned(),
        attempt: (status != OperationStatus::Pending).then(seen),
        attempt_name: "~0123456789abc".to_owned(),
        reference: matches!(key, OperationKey::Recorded(..))
            .then(|| Reference::parse("void-1").unwrap()),
        ids: vec![id("refund", "re_1")],
        status,
        amount: (status != OperationStatus::Declined).then(|| aud(40)),
        reason: (status == OperationStatus::Declined).then(|| "too late".to_owned()),
        provider_time: (status == OperationStatus::Successful).then(|| ago(1)),
        key,
    };
    all.map(view).collect()
}

fn conditions() -> Vec<Condition> {
    let condition = |(index, kind)| Condition {
        id: content(60 + index),
        kind,
        detail: "146.24 AUD stated, 140.00 AUD recorded".to_owned(),
        attempts: vec![own(), seen()],
        attempt_names: vec![ATTEMPT.to_owned(), "~0123456789abc".to_owned()],
    };
    (0..4_u8).zip(CONDITIONS).map(condition).collect()
}

/// A view with every status and kind.
pub(super) fn all() -> View {
    View {
        summary: usual_summary(),
        attempts: attempts(),
        operations: operations(),
        conditions: conditions(),
    }
}

/// One of every change, from every status.
pub(super) fn all_changes() -> Vec<Change> {
    let attempt = |what| Change::Attempt { what, attempt: Box::new(paid()) };
    let operation = |what| Change::Operation { what, operation: Box::new(operations().remove(0)) };
    let mut all = vec![Change::OrderCreated];
    all.extend(STATUSES.map(|from| Change::OrderStatus { from }));
    all.extend(OUTCOMES.map(|from| Change::Outcome { from }));
    all.extend([
        attempt(AttemptChange::Created),
        attempt(AttemptChange::Updated),
        attempt(AttemptChange::Merged),
        attempt(AttemptChange::Removed),
    ]);
    all.extend(STATUSES.map(|from| attempt(AttemptChange::Status(from))));
    all.extend([
        operation(OperationChange::Created),
        operation(OperationChange::Updated),
        operation(OperationChange::Removed),
    ]);
    all.extend(OPERATION_STATUSES.map(|from| operation(OperationChange::Status(from))));
    all.extend(conditions().into_iter().map(Change::ConditionOpened));
    all.extend(conditions().into_iter().map(Change::ConditionClosed));
    all
}
