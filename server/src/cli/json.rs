//! What `--json` prints. Names and forms are a promise to scripts: fields may be added, none goes.
//! What is not known is `null`; statuses are the words of the API; times are RFC 3339 in UTC.

mod access;
mod account;
mod webhook;

use std::{collections::BTreeMap, time::SystemTime};

use paystatus_client::{
    Attempt, Change, Condition, Freshness, Money, Operation, Order, ProviderId, Statement,
    TimelineEntry, Totals,
};
use serde::Serialize;

pub(super) use self::{access::*, account::account, webhook::*};

#[derive(Serialize)]
pub(super) struct MoneyJson<'a> {
    currency: &'a str,
    minor_units: i64,
    exponent: u32,
}

#[derive(Serialize)]
pub(super) struct TotalsJson<'a> {
    authorized: Option<MoneyJson<'a>>,
    captured: Option<MoneyJson<'a>>,
    refunded: Option<MoneyJson<'a>>,
    voided: Option<MoneyJson<'a>>,
}

#[derive(Serialize)]
pub(super) struct IdJson<'a> {
    kind: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
pub(super) struct OrderJson<'a> {
    merchant_id: &'a str,
    order_id: &'a str,
    status: String,
    outcome: String,
    outcome_number: i64,
    amount: Option<MoneyJson<'a>>,
    totals: TotalsJson<'a>,
    attempts: Vec<AttemptJson<'a>>,
    operations: Vec<OperationJson<'a>>,
    conditions: Vec<ConditionJson<'a>>,
    labels: &'a BTreeMap<String, String>,
    version: i64,
    create_time: Option<String>,
    update_time: Option<String>,
    freshness: FreshnessJson,
    customer_informed_time: Option<String>,
}

#[derive(Serialize)]
pub(super) struct FreshnessJson {
    last_evidence_time: Option<String>,
    last_evidence_source: Option<String>,
    last_check_time: Option<String>,
    next_check_time: Option<String>,
}

#[derive(Serialize)]
pub(super) struct AttemptJson<'a> {
    attempt_id: &'a str,
    aliases: &'a [String],
    account_id: &'a str,
    reference: &'a str,
    ids: Vec<IdJson<'a>>,
    status: String,
    amount: Option<MoneyJson<'a>>,
    totals: TotalsJson<'a>,
    recorded: bool,
    paired_by_guess: bool,
    reason: &'a str,
    provider_time: Option<String>,
}

#[derive(Serialize)]
pub(super) struct OperationJson<'a> {
    kind: String,
    operation_id: &'a str,
    attempt_id: &'a str,
    reference: &'a str,
    ids: Vec<IdJson<'a>>,
    status: String,
    amount: Option<MoneyJson<'a>>,
    recorded: bool,
    reason: &'a str,
    provider_time: Option<String>,
}

#[derive(Serialize)]
pub(super) struct ConditionJson<'a> {
    condition_id: &'a str,
    kind: String,
    detail: &'a str,
    attempt_ids: &'a [String],
}

#[derive(Serialize)]
pub(super) struct ChangeJson<'a> {
    change_id: &'a str,
    merchant_id: &'a str,
    order_id: &'a str,
    order_version: i64,
    index: i32,
    kind: String,
    change_time: Option<String>,
    order_status: String,
    outcome: String,
    outcome_number: i64,
    previous_status: Option<String>,
    previous_operation_status: Option<String>,
    previous_outcome: Option<String>,
    attempt: Option<AttemptJson<'a>>,
    operation: Option<OperationJson<'a>>,
    condition: Option<ConditionJson<'a>>,
    labels: &'a BTreeMap<String, String>,
}

#[derive(Serialize)]
pub(super) struct EntryJson<'a> {
    order_version: i64,
    source: String,
    record_time: Option<String>,
    summary: &'a str,
    account_id: &'a str,
    webhook_id: &'a str,
    actor: &'a str,
    actor_key_id: &'a str,
    actor_operator_id: &'a str,
    statements: Vec<StatementJson<'a>>,
    changes: Vec<ChangeJson<'a>>,
    notes: &'a [String],
}

#[derive(Serialize)]
pub(super) struct StatementJson<'a> {
    subject: String,
    claim: &'a str,
    amount: Option<MoneyJson<'a>>,
    ids: Vec<IdJson<'a>>,
    operation_ids: Vec<IdJson<'a>>,
    reference: &'a str,
    reason: &'a str,
    provider_time: Option<String>,
}

/// One line of `watch`.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum EventJson<'a> {
    /// The present state of an order.
    Snapshot { cursor: &'a str, order: Box<OrderJson<'a>> },
    /// The snapshot is complete.
    SnapshotEnd { cursor: &'a str, entry_count: i64 },
    /// One change; all changes of one fact have the same cursor.
    Change { cursor: &'a str, change: Box<ChangeJson<'a>> },
    /// Everything known at this moment has been told.
    CaughtUp { cursor: &'a str },
    /// Forget what was derived from earlier lines; a snapshot follows.
    Reset { cursor: &'a str, reason: &'a str },
}

pub(super) fn money(money: &Money) -> MoneyJson<'_> {
    MoneyJson {
        currency: money.currency_code(),
        minor_units: money.minor_units(),
        exponent: money.exponent(),
    }
}

fn maybe(amount: Option<&Money>) -> Option<MoneyJson<'_>> {
    amount.map(money)
}

fn totals(totals: &Totals) -> TotalsJson<'_> {
    TotalsJson {
        authorized: maybe(totals.authorized.as_ref()),
        captured: maybe(totals.captured.as_ref()),
        refunded: maybe(totals.refunded.as_ref()),
        voided: maybe(totals.voided.as_ref()),
    }
}

fn ids(ids: &[ProviderId]) -> Vec<IdJson<'_>> {
    ids.iter().map(|id| IdJson { kind: &id.kind, value: &id.value }).collect()
}

pub(super) fn time(time: Option<SystemTime>) -> Option<String> {
    let time = jiff::Timestamp::try_from(time?).ok()?;
    Some(format!("{time:.6}"))
}

fn word<T: ToString>(word: Option<&T>) -> Option<String> {
    word.map(ToString::to_string)
}

pub(super) fn order(order: &Order) -> OrderJson<'_> {
    OrderJson {
        merchant_id: &order.merchant_id,
        order_id: &order.order_id,
        status: order.status.to_string(),
        outcome: order.outcome.to_string(),
        outcome_number: order.outcome_number,
        amount: maybe(order.amount.as_ref()),
        totals: totals(&order.totals),
        attempts: order.attempts.iter().map(attempt).collect(),
        operations: order.operations.iter().map(operation).collect(),
        conditions: order.conditions.iter().map(condition).collect(),
        labels: &order.labels,
        version: order.version,
        create_time: time(order.create_time),
        update_time: time(order.update_time),
        freshness: freshness(&order.freshness),
        customer_informed_time: time(order.customer_informed_time),
    }
}

fn freshness(freshness: &Freshness) -> FreshnessJson {
    FreshnessJson {
        last_evidence_time: time(freshness.last_evidence_time),
        last_evidence_source: word(freshness.last_evidence_source.as_ref()),
        last_check_time: time(freshness.last_check_time),
        next_check_time: time(freshness.next_check_time),
    }
}

fn attempt(attempt: &Attempt) -> AttemptJson<'_> {
    AttemptJson {
        attempt_id: &attempt.attempt_id,
        aliases: &attempt.aliases,
        account_id: &attempt.account_id,
        reference: &attempt.reference,
        ids: ids(&attempt.ids),
        status: attempt.status.to_string(),
        amount: maybe(attempt.amount.as_ref()),
        totals: totals(&attempt.totals),
        recorded: attempt.recorded,
        paired_by_guess: attempt.paired_by_guess,
        reason: &attempt.reason,
        provider_time: time(attempt.provider_time),
    }
}

fn operation(operation: &Operation) -> OperationJson<'_> {
    OperationJson {
        kind: operation.kind.to_string(),
        operation_id: &operation.operation_id,
        attempt_id: &operation.attempt_id,
        reference: &operation.reference,
        ids: ids(&operation.ids),
        status: operation.status.to_string(),
        amount: maybe(operation.amount.as_ref()),
        recorded: operation.recorded,
        reason: &operation.reason,
        provider_time: time(operation.provider_time),
    }
}

fn condition(condition: &Condition) -> ConditionJson<'_> {
    ConditionJson {
        condition_id: &condition.condition_id,
        kind: condition.kind.to_string(),
        detail: &condition.detail,
        attempt_ids: &condition.attempt_ids,
    }
}

pub(super) fn change(change: &Change) -> ChangeJson<'_> {
    ChangeJson {
        change_id: &change.change_id,
        merchant_id: &change.merchant_id,
        order_id: &change.order_id,
        order_version: change.order_version,
        index: change.index,
        kind: change.kind.to_string(),
        change_time: time(change.change_time),
        order_status: change.order_status.to_string(),
        outcome: change.outcome.to_string(),
        outcome_number: change.outcome_number,
        previous_status: word(change.previous_status.as_ref()),
        previous_operation_status: word(change.previous_operation_status.as_ref()),
        previous_outcome: word(change.previous_outcome.as_ref()),
        attempt: change.attempt.as_ref().map(attempt),
        operation: change.operation.as_ref().map(operation),
        condition: change.condition.as_ref().map(condition),
        labels: &change.labels,
    }
}

pub(super) fn entry(entry: &TimelineEntry) -> EntryJson<'_> {
    EntryJson {
        order_version: entry.order_version,
        source: entry.source.to_string(),
        record_time: time(entry.record_time),
        summary: &entry.summary,
        account_id: &entry.account_id,
        webhook_id: &entry.webhook_id,
        actor: &entry.actor,
        actor_key_id: &entry.actor_key_id,
        actor_operator_id: &entry.actor_operator_id,
        statements: entry.statements.iter().map(statement).collect(),
        changes: entry.changes.iter().map(change).collect(),
        notes: &entry.notes,
    }
}

fn statement(statement: &Statement) -> StatementJson<'_> {
    StatementJson {
        subject: statement.subject.to_string(),
        claim: &statement.claim,
        amount: maybe(statement.amount.as_ref()),
        ids: ids(&statement.ids),
        operation_ids: ids(&statement.operation_ids),
        reference: &statement.reference,
        reason: &statement.reason,
        provider_time: time(statement.provider_time),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::{EventJson, money, time};

    fn text(value: &impl serde::Serialize) -> String {
        serde_json::to_string(value).expect("it is plain data")
    }

    #[test]
    fn money_is_exact() {
        let amount = paystatus_client::Money::new("AUD", 14624, 2).expect("an amount");
        let expected = r#"{"currency":"AUD","minor_units":14624,"exponent":2}"#;
        assert_eq!(text(&money(&amount)), expected);
    }

    #[test]
    fn every_event_names_its_type_and_cursor() {
        let expected = r#"{"type":"caught_up","cursor":"c"}"#;
        assert_eq!(text(&EventJson::CaughtUp { cursor: "c" }), expected);
        let expected = r#"{"type":"snapshot_end","cursor":"c","entry_count":2}"#;
        assert_eq!(text(&EventJson::SnapshotEnd { cursor: "c", entry_count: 2 }), expected);
    }

    #[test]
    fn times_are_rfc_3339_in_utc() {
        let moment = UNIX_EPOCH + Duration::from_micros(1_795_000_000_123_456);
        assert_eq!(time(Some(moment)).as_deref(), Some("2026-11-18T11:06:40.123456Z"));
        assert_eq!(time(None), None);
    }
}
