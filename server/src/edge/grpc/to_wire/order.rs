//! Orders, attempts, operations and conditions on the wire.

use paystatus_proto::v1;

use super::{ids, money, time};
use crate::{
    domain::{
        digest::ContentId,
        ids::{OrderKey, Reference},
        order::Order,
        statement::{Basis, OperationKind},
        view::{
            AttemptKey, AttemptView, Condition, ConditionKind, OperationKey, OperationStatus,
            OperationView, Outcome, PaymentStatus,
        },
    },
    outbound::Checks,
};

pub(crate) fn order(order: &Order) -> v1::Order {
    let summary = &order.view.summary;
    let intent = order.facts.order.as_ref();
    let (merchant_id, order_id) = names(&order.key);
    let number = i64::try_from(summary.outcome_number).unwrap_or(i64::MAX);
    v1::Order {
        merchant_id,
        order_id,
        status: status(summary.status) as i32,
        outcome: outcome(summary.outcome) as i32,
        outcome_number: number,
        amount: intent.and_then(|intent| intent.amount).map(money),
        authorized_amount: summary.amounts.authorized.map(money),
        captured_amount: summary.amounts.captured.map(money),
        refunded_amount: summary.amounts.refunded.map(money),
        voided_amount: summary.amounts.voided.map(money),
        attempts: order.view.attempts.iter().map(attempt).collect(),
        operations: order.view.operations.iter().map(operation).collect(),
        conditions: order.view.conditions.iter().map(condition).collect(),
        labels: intent.map(|i| i.labels.clone().into_iter().collect()).unwrap_or_default(),
        version: i64::try_from(order.version).unwrap_or(i64::MAX),
        create_time: Some(time(order.create_time)),
        update_time: Some(time(order.update_time)),
        freshness: Some(freshness(order)),
        customer_informed_time: order.customer_informed().map(time),
        customer_informed_outcome_number: order.customer_informed().map_or(0, |_| number),
    }
}

fn freshness(order: &Order) -> v1::Freshness {
    use v1::EvidenceSource as Source;
    let source = order.last_evidence.map(|(_, basis)| match basis {
        Basis::Webhook | Basis::WeakWebhook | Basis::DoubtfulWebhook => Source::Webhook,
        Basis::Poll => Source::Poll,
        Basis::Reply => Source::ProviderReply,
        Basis::Deadline => Source::Unspecified,
    });
    v1::Freshness {
        last_evidence_time: order.last_evidence.map(|(at, _)| time(at)),
        last_evidence_source: source.unwrap_or_default() as i32,
        ..v1::Freshness::default()
    }
}

/// The order with when its providers were and will be asked.
pub(crate) fn checked(order: &Order, checks: Checks) -> v1::Order {
    let mut wire = self::order(order);
    if let Some(freshness) = &mut wire.freshness {
        freshness.last_check_time = checks.last.map(time);
        freshness.next_check_time = checks.next.map(time);
    }
    wire
}

/// Merchant and order id; an unclaimed order shows its account and what named it.
pub(crate) fn names(key: &OrderKey) -> (String, String) {
    match key {
        OrderKey::Recorded { merchant, order } => {
            (merchant.as_str().to_owned(), order.as_str().to_owned())
        }
        OrderKey::Unclaimed { account, anchor } => {
            (String::new(), format!("~{account}/{}/{}", anchor.kind, anchor.value))
        }
    }
}

pub(crate) fn attempt(attempt: &AttemptView) -> v1::Attempt {
    v1::Attempt {
        attempt_id: attempt.name.clone(),
        aliases: attempt.aliases.clone(),
        account_id: attempt.account.as_str().to_owned(),
        reference: text(attempt.reference.as_ref()),
        ids: ids(&attempt.ids),
        status: status(attempt.status) as i32,
        amount: attempt.expected.map(money),
        authorized_amount: attempt.amounts.authorized.map(money),
        captured_amount: attempt.amounts.captured.map(money),
        refunded_amount: attempt.amounts.refunded.map(money),
        voided_amount: attempt.amounts.voided.map(money),
        recorded: matches!(attempt.key, AttemptKey::Recorded(_)),
        paired_by_guess: attempt.paired_by_guess,
        reason: attempt.reason.clone().unwrap_or_default(),
        provider_time: attempt.provider_time.map(time),
    }
}

pub(crate) fn operation(operation: &OperationView) -> v1::Operation {
    v1::Operation {
        kind: operation_kind(operation.kind) as i32,
        operation_id: operation.name.clone(),
        attempt_id: operation.attempt_name.clone(),
        reference: text(operation.reference.as_ref()),
        ids: ids(&operation.ids),
        status: operation_status(operation.status) as i32,
        amount: operation.amount.map(money),
        recorded: matches!(operation.key, OperationKey::Recorded(..)),
        reason: operation.reason.clone().unwrap_or_default(),
        provider_time: operation.provider_time.map(time),
    }
}

pub(crate) fn condition(condition: &Condition) -> v1::Condition {
    v1::Condition {
        condition_id: hex(&condition.id),
        kind: match condition.kind {
            ConditionKind::Conflict => v1::ConditionKind::Conflict,
            ConditionKind::DuplicatePayment => v1::ConditionKind::DuplicatePayment,
            ConditionKind::AmountMismatch => v1::ConditionKind::AmountMismatch,
            ConditionKind::EvidenceLimit => v1::ConditionKind::EvidenceLimit,
        } as i32,
        detail: condition.detail.clone(),
        attempt_ids: condition.attempt_names.clone(),
    }
}

pub(crate) fn status(status: PaymentStatus) -> v1::PaymentStatus {
    match status {
        PaymentStatus::Pending => v1::PaymentStatus::Pending,
        PaymentStatus::Authorized => v1::PaymentStatus::Authorized,
        PaymentStatus::Successful => v1::PaymentStatus::Successful,
        PaymentStatus::Declined => v1::PaymentStatus::Declined,
        PaymentStatus::Canceled => v1::PaymentStatus::Canceled,
        PaymentStatus::Expired => v1::PaymentStatus::Expired,
        PaymentStatus::Error => v1::PaymentStatus::Error,
    }
}

pub(crate) fn operation_status(status: OperationStatus) -> v1::OperationStatus {
    match status {
        OperationStatus::Pending => v1::OperationStatus::Pending,
        OperationStatus::Successful => v1::OperationStatus::Successful,
        OperationStatus::Declined => v1::OperationStatus::Declined,
        OperationStatus::Canceled => v1::OperationStatus::Canceled,
        OperationStatus::Error => v1::OperationStatus::Error,
    }
}

pub(crate) fn outcome(outcome: Outcome) -> v1::Outcome {
    match outcome {
        Outcome::Undecided => v1::Outcome::Undecided,
        Outcome::Approved => v1::Outcome::Approved,
        Outcome::Refused => v1::Outcome::Refused,
        Outcome::Withdrawn => v1::Outcome::Withdrawn,
    }
}

pub(crate) fn operation_kind(kind: OperationKind) -> v1::OperationKind {
    match kind {
        OperationKind::Capture => v1::OperationKind::Capture,
        OperationKind::Refund => v1::OperationKind::Refund,
        OperationKind::Void => v1::OperationKind::Void,
    }
}

pub(crate) fn hex(id: &ContentId) -> String {
    hex::encode(id)
}

fn text(reference: Option<&Reference>) -> String {
    reference.map(|r| r.as_str().to_owned()).unwrap_or_default()
}
