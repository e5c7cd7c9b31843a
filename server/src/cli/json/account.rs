//! Provider accounts.

use std::{collections::BTreeMap, time::Duration};

use paystatus_client::{
    Account, AccountException, Rejection, SigningSecret, WebhookDelay, WebhookLedger,
};
use serde::Serialize;

use super::time;

#[derive(Serialize)]
pub(in crate::cli) struct AccountJson<'a> {
    account_id: &'a str,
    provider: &'a str,
    merchant_id: &'a str,
    secrets: Vec<SecretJson>,
    can_be_asked: bool,
    keeps_raw_responses: bool,
    count_start_time: Option<String>,
    accepted: BTreeMap<String, i64>,
    rejected: BTreeMap<&'a str, i64>,
    last_webhook_time: Option<String>,
    rejections: Vec<RejectionJson<'a>>,
    ledger: LedgerJson,
    exceptions: Vec<ExceptionJson>,
}

#[derive(Serialize)]
struct LedgerJson {
    start_time: Option<String>,
    learned_by_poll_first: i64,
    followed_by_webhook: i64,
    delay: DelayJson,
    delay_after_poll: DelayJson,
    usual_pause_seconds: Option<f64>,
}

#[derive(Serialize)]
struct DelayJson {
    sample_count: i32,
    median_seconds: Option<f64>,
    percentile_99_seconds: Option<f64>,
}

#[derive(Serialize)]
struct ExceptionJson {
    kind: String,
    since_time: Option<String>,
    allowed_seconds: Option<f64>,
    waiting_attempts: i64,
}

#[derive(Serialize)]
struct SecretJson {
    from_time: Option<String>,
    until_time: Option<String>,
    active: bool,
}

#[derive(Serialize)]
struct RejectionJson<'a> {
    receive_time: Option<String>,
    reason: &'a str,
    message: &'a str,
    header_names: &'a [String],
    body_bytes: i64,
    findings: &'a [String],
}

pub(in crate::cli) fn account(account: &Account) -> AccountJson<'_> {
    let accepted = account.accepted.iter().map(|(what, count)| (what.to_string(), *count));
    let rejected = account.rejected.iter().map(|(reason, count)| (reason.as_str(), *count));
    AccountJson {
        account_id: &account.account_id,
        provider: &account.provider,
        merchant_id: &account.merchant_id,
        secrets: account.secrets.iter().map(secret).collect(),
        can_be_asked: account.can_be_asked,
        keeps_raw_responses: account.keeps_raw_responses,
        count_start_time: time(account.count_start),
        accepted: accepted.collect(),
        rejected: rejected.collect(),
        last_webhook_time: time(account.last_webhook),
        rejections: account.rejections.iter().map(rejection).collect(),
        ledger: ledger(&account.ledger),
        exceptions: account.exceptions.iter().map(exception).collect(),
    }
}

fn ledger(ledger: &WebhookLedger) -> LedgerJson {
    LedgerJson {
        start_time: time(ledger.start),
        learned_by_poll_first: ledger.learned_by_poll_first,
        followed_by_webhook: ledger.followed_by_webhook,
        delay: delay(ledger.delay),
        delay_after_poll: delay(ledger.delay_after_poll),
        usual_pause_seconds: seconds(ledger.usual_pause),
    }
}

fn delay(delay: WebhookDelay) -> DelayJson {
    DelayJson {
        sample_count: delay.sample_count,
        median_seconds: seconds(delay.median),
        percentile_99_seconds: seconds(delay.percentile_99),
    }
}

fn exception(exception: &AccountException) -> ExceptionJson {
    ExceptionJson {
        kind: exception.kind.to_string(),
        since_time: time(exception.since),
        allowed_seconds: seconds(exception.allowed),
        waiting_attempts: exception.waiting_attempts,
    }
}

fn seconds(duration: Option<Duration>) -> Option<f64> {
    duration.map(|duration| duration.as_secs_f64())
}

fn secret(secret: &SigningSecret) -> SecretJson {
    SecretJson {
        from_time: time(secret.from),
        until_time: time(secret.until),
        active: secret.active,
    }
}

fn rejection(rejection: &Rejection) -> RejectionJson<'_> {
    RejectionJson {
        receive_time: time(rejection.receive_time),
        reason: &rejection.reason,
        message: &rejection.message,
        header_names: &rejection.header_names,
        body_bytes: rejection.body_bytes,
        findings: &rejection.findings,
    }
}
