//! WebhookService.

mod find;
mod replay;

use std::{collections::BTreeSet, sync::Arc};

use paystatus_proto::{server::webhook_service_server::WebhookService, v1};
use sha2::{Digest as _, Sha256};
use tonic::{Code, Request, Response, Status};

use self::{find::Found, replay::Replay};
use super::{
    auth::Caller,
    by_time, errors,
    from_wire::{self, Violations},
    page, to_wire,
};
use crate::{
    accounts::Accounts,
    clock,
    domain::{digest::Digest, ids::RequestId, time::Time},
    edge::{
        Context,
        intake::{self, NotAccepted},
    },
    engine::Ask,
    record::{AuditRecord, Audited, Role},
};

/// Webhooks of one page if the caller does not say, and at most.
const PAGE: (usize, usize) = (50, 200);
/// The same for a replay.
const REPLAY_PAGE: (usize, usize) = (500, 2000);
/// Records looked at for one page.
const SCANNED_MAX: u64 = 10_000;
/// Webhooks that one replay may name.
const REPLAY_IDS_MAX: usize = 100;
/// Headers of a webhook.
const HEADERS_MAX: usize = 100;

pub(super) struct Webhooks(pub(super) Arc<Context>);

/// What a list admits.
struct Filter<'a> {
    caller: &'a Caller,
    accounts: &'a Accounts,
    request: &'a v1::ListWebhooksRequest,
    since: Option<Time>,
    until: Option<Time>,
}

impl Filter<'_> {
    fn admits(&self, found: &Found) -> bool {
        let (wire, asked) = (&found.wire, self.request);
        let time = found.record.time();
        (asked.account_id.is_empty() || asked.account_id == wire.account_id)
            && (asked.dispositions.is_empty() || asked.dispositions.contains(&wire.disposition))
            && (asked.event_name.is_empty() || asked.event_name == wire.event_name)
            && self.since.is_none_or(|since| time >= since)
            && self.until.is_none_or(|until| time < until)
            && self.caller.account(self.accounts, &wire.account_id).is_ok()
    }
}

impl Webhooks {
    /// A page of those about one order: their number is bounded, so all are looked at.
    async fn of_order(
        &self,
        filter: &Filter<'_>,
        before: Option<u64>,
        size: usize,
    ) -> Result<(Vec<v1::Webhook>, Option<u64>), Status> {
        let request = filter.request;
        let merchant = filter.caller.merchant(&request.merchant_id)?;
        let key = from_wire::intent::parent(merchant, &request.order_id)?.key();
        let read = self.reading(move |journal, store| find::of_order(journal, store, &key)).await?;
        let found = read.ok_or_else(|| {
            errors::error(Code::NotFound, "ORDER_NOT_FOUND", "there is no such order")
        })?;
        let is_before = |found: &Found| before.is_none_or(|before| found.stored.position < before);
        let mut admitted = found.into_iter().rev().filter(|f| is_before(f) && filter.admits(f));
        let page: Vec<Found> = admitted.by_ref().take(size).collect();
        let next = page.last().map(|last| last.stored.position);
        let next = admitted.next().and(next);
        Ok((page.into_iter().map(|found| found.wire).collect(), next))
    }

    /// A page of all, from the newest back.
    async fn newest(
        &self,
        filter: &Filter<'_>,
        before: Option<u64>,
        size: usize,
    ) -> Result<(Vec<v1::Webhook>, Option<u64>), Status> {
        let (since, until) = (filter.since, filter.until);
        let bounds = self.reading(move |journal, _| by_time::bounds(journal, since, until));
        let (first, end) = bounds.await?;
        let start = before.unwrap_or(end).min(end);
        let (mut next, mut page) = (start, Vec::new());
        while next > first && start - next < SCANNED_MAX {
            let read = self.reading(move |journal, store| find::before(journal, store, next));
            let (found, begin) = read.await?;
            for found in found.into_iter().rev().filter(|found| filter.admits(found)) {
                next = found.stored.position;
                page.push(found.wire);
                if page.len() == size {
                    return Ok((page, Some(next).filter(|next| *next > first)));
                }
            }
            next = begin;
        }
        Ok((page, Some(next).filter(|next| *next > first)))
    }

    /// Keeps who was shown a body. Nothing is shown that is not on record.
    async fn audit(
        &self,
        caller: &Caller,
        webhook: &v1::Webhook,
        with_card_tokens: bool,
    ) -> Result<(), Status> {
        let accounts = self.0.accounts.load();
        let account = accounts.get(&webhook.account_id);
        let detail = if with_card_tokens { "its body, with card tokens" } else { "its body" };
        let record = AuditRecord {
            actor: caller.actor(),
            method: "WebhookService/GetWebhook".to_owned(),
            object: webhook.webhook_id.clone(),
            merchants: account.map(|account| account.merchant.clone()).into_iter().collect(),
            what: Audited::Shown,
            detail: detail.to_owned(),
            left_out: 0,
            time: clock::now(),
        };
        let asked = self.0.engine.ask(Ask::Audit(Box::new(record))).await;
        asked.map(drop).map_err(errors::of_engine)
    }

    /// Goes on through the webhooks of an account.
    async fn replay_page(
        &self,
        caller: &Caller,
        request: &v1::ReplayWebhooksRequest,
        since: Option<Time>,
    ) -> Result<v1::ReplayWebhooksResponse, Status> {
        caller.account(&self.0.accounts.load(), &request.account_id)?;
        let size = from_wire::page_size(request.page_size, REPLAY_PAGE.0, REPLAY_PAGE.1)?;
        let digest = || {
            let since = since.map_or(i64::MIN, Time::as_micros);
            Digest::new("replay webhooks").text(&request.account_id).number(since)
        };
        let head = self.0.hub.head();
        let (first, end) = match page::span(&request.page_token, digest())? {
            Some(span) => span,
            None => {
                let first = self.reading(move |journal, _| {
                    since.map_or(Ok(1), |since| by_time::first_at(journal, since))
                });
                (first.await?, head + 1)
            }
        };
        let (mut next, mut reached) = (first, None);
        let mut replay = Replay::new(self, caller, request.validate_only);
        while next < end && replay.count() < size && next - first < SCANNED_MAX {
            let read = self.reading(move |journal, store| find::within(journal, store, next..end));
            let (found, after) = read.await?;
            next = after;
            for found in found {
                let time = found.record.time();
                reached = Some(time);
                let is_meant = found.wire.account_id == request.account_id
                    && since.is_none_or(|since| time >= since);
                if !is_meant {
                    continue;
                }
                replay.one(&found).await?;
                if replay.count() == size {
                    next = found.stored.position + 1;
                    break;
                }
            }
        }
        let (webhooks, orders) = replay.finish();
        let token = (next < end).then(|| page::span_token((next, end), digest()));
        let next_page_token = token.unwrap_or_default();
        let reached_time = reached.map(to_wire::time);
        Ok(v1::ReplayWebhooksResponse { webhooks, next_page_token, orders, reached_time })
    }
}

#[tonic::async_trait]
impl WebhookService for Webhooks {
    async fn submit_webhook(
        &self,
        request: Request<v1::SubmitWebhookRequest>,
    ) -> Result<Response<v1::SubmitWebhookResponse>, Status> {
        let caller = Caller::of(&request)?;
        caller.require(Role::Operator)?;
        let request = request.into_inner();
        let accounts = self.0.accounts.load();
        let account = caller.account(&accounts, &request.account_id)?;
        let mut wrong = Violations::default();
        if request.headers.len() > HEADERS_MAX {
            wrong.add("headers", format!("must be at most {HEADERS_MAX}"));
        }
        let max = self.0.config.limits.webhook_bytes;
        if request.body.len() > max {
            wrong.add("body", format!("must be at most {max} bytes"));
        }
        wrong.check()?;
        let header = |h: v1::Header| (h.name.to_ascii_lowercase(), h.value);
        let headers: Vec<_> = request.headers.into_iter().map(header).collect();
        let body = request.body.into();
        let actor = Some(caller.actor());
        let accepted = intake::submit(&self.0, account, (&headers, &body), actor).await;
        let accepted = accepted.map_err(|error| match error {
            NotAccepted::Rejected(_) => {
                errors::error(Code::Unauthenticated, "SIGNATURE_INVALID", error.to_string())
            }
            NotAccepted::TryLater { .. } => {
                errors::retry(Code::Unavailable, "PROVIDER_UNAVAILABLE", error.to_string())
            }
            NotAccepted::Engine(failed) => errors::of_engine(failed),
        })?;
        Ok(Response::new(v1::SubmitWebhookResponse {
            webhook_id: accepted.position.map(to_wire::webhook::id).unwrap_or_default(),
            disposition: to_wire::webhook::what(accepted.what) as i32,
            http_status: i32::from(accepted.acknowledgement.status),
            http_body: accepted.acknowledgement.body.into(),
        }))
    }

    async fn list_webhooks(
        &self,
        request: Request<v1::ListWebhooksRequest>,
    ) -> Result<Response<v1::ListWebhooksResponse>, Status> {
        let caller = Caller::of(&request)?;
        caller.require(Role::Operator)?;
        let request = request.into_inner();
        let accounts = self.0.accounts.load();
        if !request.account_id.is_empty() {
            caller.account(&accounts, &request.account_id)?;
        }
        let size = from_wire::page_size(request.page_size, PAGE.0, PAGE.1)?;
        let mut wrong = Violations::default();
        let since = wrong.time("since_time", request.since_time.as_ref());
        let until = wrong.time("until_time", request.until_time.as_ref());
        wrong.check()?;
        let digest = || {
            let time = |time: Option<Time>| time.map_or(i64::MIN, Time::as_micros);
            let digest = Digest::new("list webhooks").text(&request.account_id);
            let digest = digest.text(&request.event_name).number(time(since)).number(time(until));
            let digest = digest.text(&request.merchant_id).text(&request.order_id);
            request.dispositions.iter().fold(digest, |d, n| d.number(i64::from(*n)))
        };
        let before = Some(page::after(&request.page_token, digest())?).filter(|before| *before > 0);
        let filter =
            Filter { caller: &caller, accounts: &accounts, request: &request, since, until };
        let (webhooks, next) = match request.order_id.is_empty() {
            true => self.newest(&filter, before, size).await?,
            false => self.of_order(&filter, before, size).await?,
        };
        let next_page_token = next.map(|next| page::token(next, digest())).unwrap_or_default();
        Ok(Response::new(v1::ListWebhooksResponse { webhooks, next_page_token }))
    }

    async fn get_webhook(
        &self,
        request: Request<v1::GetWebhookRequest>,
    ) -> Result<Response<v1::GetWebhookResponse>, Status> {
        let caller = Caller::of(&request)?;
        caller.require(Role::Operator)?;
        let request = request.into_inner();
        if request.include_card_tokens {
            caller.require(Role::Owner)?;
        }
        let found = self.find(&caller, &request.webhook_id).await?;
        self.audit(&caller, &found.wire, request.include_card_tokens).await?;
        let attachments = &found.stored.attachments;
        let body = match request.include_card_tokens {
            true => intake::body(attachments),
            false => intake::blanked_body(attachments),
        };
        let sha256 = |body: &[u8]| hex::encode(Sha256::digest(body));
        let as_received = body.as_ref().is_some_and(|b| sha256(b) == found.wire.body_sha256);
        let body = body.unwrap_or_default().to_vec();
        Ok(Response::new(v1::GetWebhookResponse { webhook: Some(found.wire), body, as_received }))
    }

    async fn replay_webhooks(
        &self,
        request: Request<v1::ReplayWebhooksRequest>,
    ) -> Result<Response<v1::ReplayWebhooksResponse>, Status> {
        let caller = Caller::of(&request)?;
        caller.require(Role::Operator)?;
        let request = request.into_inner();
        let mut wrong = Violations::default();
        wrong.name("request_id", &request.request_id, RequestId::parse);
        if request.webhook_ids.len() > REPLAY_IDS_MAX {
            wrong.add("webhook_ids", format!("must be at most {REPLAY_IDS_MAX}"));
        }
        if request.webhook_ids.is_empty() == request.account_id.is_empty() {
            wrong.add("webhook_ids", "name either webhooks or an account");
        }
        let since = wrong.time("since_time", request.since_time.as_ref());
        wrong.check()?;
        if !request.account_id.is_empty() {
            return self.replay_page(&caller, &request, since).await.map(Response::new);
        }
        // Oldest first, as they were received.
        let ids = request.webhook_ids.iter().map(|id| (to_wire::webhook::position(id), id));
        let mut replay = Replay::new(self, &caller, request.validate_only);
        for (_, id) in ids.collect::<BTreeSet<_>>() {
            replay.one(&self.find(&caller, id).await?).await?;
        }
        let (webhooks, orders) = replay.finish();
        let answer = v1::ReplayWebhooksResponse { webhooks, orders, ..Default::default() };
        Ok(Response::new(answer))
    }
}
