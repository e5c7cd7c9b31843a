//! Keys, operators and the audit list.

use std::collections::BTreeMap;

use paystatus_client::{AuditEntry, Key, Operator};
use serde::Serialize;

use super::time;

#[derive(Serialize)]
pub(in crate::cli) struct KeyJson<'a> {
    key_id: &'a str,
    name: &'a str,
    role: String,
    merchant_ids: &'a [String],
    create_time: Option<String>,
    expire_time: Option<String>,
    operator_id: &'a str,
    last_use_time: Option<String>,
    calls: BTreeMap<&'a str, i64>,
}

#[derive(Serialize)]
pub(in crate::cli) struct OperatorJson<'a> {
    operator_id: &'a str,
    display_name: &'a str,
    merchant_ids: &'a [String],
    create_time: Option<String>,
    key_count: i32,
}

#[derive(Serialize)]
pub(in crate::cli) struct AuditEntryJson<'a> {
    record_time: Option<String>,
    actor: &'a str,
    key_id: &'a str,
    operator_id: &'a str,
    method: &'a str,
    object_id: &'a str,
    merchant_ids: &'a [String],
    outcome: String,
    detail: &'a str,
    left_out_count: i64,
}

pub(in crate::cli) fn key(key: &Key) -> KeyJson<'_> {
    KeyJson {
        key_id: &key.key_id,
        name: &key.name,
        role: key.role.to_string(),
        merchant_ids: &key.merchant_ids,
        create_time: time(key.create_time),
        expire_time: time(key.expire_time),
        operator_id: &key.operator_id,
        last_use_time: time(key.last_use_time),
        calls: key.calls.iter().map(|calls| (calls.method.as_str(), calls.count)).collect(),
    }
}

pub(in crate::cli) fn operator(operator: &Operator) -> OperatorJson<'_> {
    OperatorJson {
        operator_id: &operator.operator_id,
        display_name: &operator.display_name,
        merchant_ids: &operator.merchant_ids,
        create_time: time(operator.create_time),
        key_count: operator.key_count,
    }
}

pub(in crate::cli) fn audit_entry(entry: &AuditEntry) -> AuditEntryJson<'_> {
    AuditEntryJson {
        record_time: time(entry.record_time),
        actor: &entry.actor,
        key_id: &entry.key_id,
        operator_id: &entry.operator_id,
        method: &entry.method,
        object_id: &entry.object_id,
        merchant_ids: &entry.merchant_ids,
        outcome: entry.outcome.to_string(),
        detail: &entry.detail,
        left_out_count: entry.left_out_count,
    }
}
