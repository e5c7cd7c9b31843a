//! AccountService.

use paystatus_proto::{server::account_service_server::AccountService, v1};
use tonic::{Request, Response, Status};

use super::{auth::Caller, from_wire, page, to_wire};
use crate::{
    accounts::Account,
    clock,
    domain::{digest::Digest, time::Time},
    edge::{Context, tally::Rejection},
    providers::SigningSecret,
    record::Role,
};

/// Accounts of one page if the caller does not say, and at most.
const PAGE: (usize, usize) = (50, 200);

pub(super) struct AccountList(pub(super) Context);

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
        let digest =
            || Digest::new("list accounts").text(caller.key_id()).text(&request.merchant_id);
        let after = page::after(&request.page_token, digest())?;
        let accounts = self.0.accounts.load();
        let is_asked_for = |account: &&Account| {
            caller.may_touch(&account.merchant)
                && named.as_ref().is_none_or(|named| *named == account.merchant)
        };
        let found: Vec<&Account> = accounts.iter().filter(is_asked_for).collect();
        let skip = usize::try_from(after).unwrap_or(usize::MAX);
        let now = clock::now();
        let page = found.iter().skip(skip).take(size).map(|account| self.wire(account, now));
        let page: Vec<v1::Account> = page.collect();
        let next = skip.saturating_add(page.len());
        let token = (next < found.len()).then(|| page::token(next as u64, digest()));
        let next_page_token = token.unwrap_or_default();
        Ok(Response::new(v1::ListAccountsResponse { accounts: page, next_page_token }))
    }
}

impl AccountList {
    fn wire(&self, account: &Account, now: Time) -> v1::Account {
        let tally = self.0.tallies.of(&account.id);
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
            last_webhook_time: tally.last_accepted().map(to_wire::time),
            rejections: tally.recent_rejections().iter().map(rejection).collect(),
        }
    }
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
