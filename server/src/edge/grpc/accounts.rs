//! AccountService.

use std::{sync::Arc, time::Duration};

use paystatus_proto::{server::account_service_server::AccountService, v1};
use tonic::{Request, Response, Status};

use super::{auth::Caller, from_wire, page, to_wire};
use crate::{
    accounts::Account,
    clock,
    domain::{digest::Digest, time::Time},
    edge::{Context, tally::Rejection},
    ledger::{Known, Samples, Silence},
    providers::SigningSecret,
    record::Role,
};

/// Accounts of one page if the caller does not say, and at most.
const PAGE: (usize, usize) = (50, 200);

pub(super) struct AccountList(pub(super) Arc<Context>);

#[tonic::async_trait]
impl AccountService for AccountList {
    async fn list_accounts(
        &self,
        request: Request<v1::ListAccountsRequest>,
    ) -> Result<Response<v1::ListAccountsResponse>, Status> {
        let caller = Caller::of(&request)?;
        caller.require(Role::Operator)?;
        let request = request.into_inner();
        let named = match request.merchant_id.as_str() {
            "" => None,
            named => Some(caller.merchant(named)?),
        };
        let size = from_wire::page_size(request.page_size, PAGE.0, PAGE.1)?;
        let digest = || Digest::new("list accounts").text(caller.id()).text(&request.merchant_id);
        let accounts = self.0.accounts.load();
        let is_asked_for = |account: &&Account| {
            caller.may_touch(&account.merchant)
                && named.as_ref().is_none_or(|named| *named == account.merchant)
        };
        let found: Vec<&Account> = accounts.iter().filter(is_asked_for).collect();
        let (page, next_page_token) = page::of(&found, size, &request.page_token, digest)?;
        let now = clock::now();
        let accounts = page.iter().map(|account| self.wire(account, now)).collect();
        Ok(Response::new(v1::ListAccountsResponse { accounts, next_page_token }))
    }
}

impl AccountList {
    fn wire(&self, account: &Account, now: Time) -> v1::Account {
        let tally = self.0.tallies.of(&account.id);
        let known = self.0.ledger.of(&account.id);
        let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let accepted = tally.accepted_counts().into_iter();
        let rejected = tally.rejected_counts().into_iter();
        v1::Account {
            account_id: account.id.as_str().to_owned(),
            provider: account.provider_name.clone(),
            merchant_id: account.merchant.as_str().to_owned(),
            secrets: account.settings.secrets.iter().map(|s| secret(s, now)).collect(),
            can_be_asked: account.status_access.is_some(),
            keeps_raw_responses: account.keeps_raw_response,
            count_start_time: Some(to_wire::time(self.0.tallies.since)),
            accepted: accepted
                .map(|(what, number)| v1::AcceptedCount {
                    disposition: to_wire::webhook::what(what) as i32,
                    count: count(number),
                })
                .collect(),
            rejected: rejected
                .map(|(reason, number)| v1::RejectedCount {
                    reason: reason.to_owned(),
                    count: count(number),
                })
                .collect(),
            last_webhook_time: tally.last_accepted().max(known.figures.heard).map(to_wire::time),
            rejections: tally.recent_rejections().iter().map(rejection).collect(),
            ledger: Some(ledger(&known)),
            exceptions: known.silence.iter().map(silent).collect(),
        }
    }
}

fn ledger(known: &Known) -> v1::WebhookLedger {
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let ledger = &known.figures;
    v1::WebhookLedger {
        start_time: known.since.map(to_wire::time),
        learned_by_poll_first: count(ledger.learned_by_poll),
        followed_by_webhook: count(ledger.followed),
        delay: Some(delay(&ledger.delays)),
        delay_after_poll: Some(delay(&ledger.after_poll)),
        usual_pause: ledger.usual_pause().map(seconds),
    }
}

fn delay(samples: &Samples) -> v1::WebhookDelay {
    let percentile = |percent| {
        let micros = u64::try_from(samples.percentile(percent)?).unwrap_or_default();
        Some(to_wire::duration(Duration::from_micros(micros)))
    };
    v1::WebhookDelay {
        sample_count: i32::try_from(samples.count()).unwrap_or(i32::MAX),
        median: percentile(50),
        percentile_99: percentile(99),
    }
}

fn silent(silence: &Silence) -> v1::AccountException {
    v1::AccountException {
        kind: v1::AccountExceptionKind::ProviderSilent as i32,
        since_time: Some(to_wire::time(silence.since)),
        allowed: Some(seconds(silence.allowed)),
        waiting_attempts: i64::try_from(silence.waiting).unwrap_or(i64::MAX),
    }
}

fn seconds(seconds: i64) -> prost_types::Duration {
    prost_types::Duration { seconds, nanos: 0 }
}

fn secret(secret: &SigningSecret, now: Time) -> v1::SigningSecret {
    v1::SigningSecret {
        from_time: secret.from.map(to_wire::time),
        until_time: secret.until.map(to_wire::time),
        active: secret.is_active(now),
    }
}

fn rejection(rejection: &Rejection) -> v1::Rejection {
    v1::Rejection {
        receive_time: Some(to_wire::time(rejection.time)),
        reason: rejection.rejected.word().to_owned(),
        message: rejection.rejected.to_string(),
        header_names: rejection.header_names.clone(),
        body_bytes: i64::try_from(rejection.body_bytes).unwrap_or(i64::MAX),
        findings: rejection.findings.iter().map(ToString::to_string).collect(),
    }
}
