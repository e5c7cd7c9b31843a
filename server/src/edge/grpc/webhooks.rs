//! WebhookService.

use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;
use paystatus_proto::{server::webhook_service_server::WebhookService, v1};
use tonic::{Code, Request, Response, Status};

use super::{
    auth::Caller,
    errors,
    from_wire::{self, Violations},
    page, to_wire,
};
use crate::{
    accounts::Account,
    domain::{
        command::{Command, Reread},
        digest::Digest,
        fact::Evidence,
        ids::RequestId,
    },
    edge::{
        Context,
        intake::{self, NotAccepted, Webhook},
    },
    engine::{self, Ask},
    journal::Stored,
    providers::{self, Content, Reading},
    record::{self, OrderRecord, Record, Role, Source, WebhookMeta},
};

/// Webhooks of one page if the caller does not say, and at most.
const PAGE: (usize, usize) = (50, 200);
/// Records looked at for one page, or by one replay.
const SCANNED_MAX: u64 = 10_000;
/// Records read at once.
const READ_RECORDS: usize = 256;
/// Webhooks that one replay may name.
const REPLAY_IDS_MAX: usize = 100;
/// Headers of a webhook.
const HEADERS_MAX: usize = 100;

pub(super) struct Webhooks(pub(super) Context);

/// A webhook as it was accepted.
struct Found {
    stored: Stored,
    record: Record,
    wire: v1::Webhook,
}

impl Webhooks {
    /// Records of webhooks among those after a position.
    async fn read(&self, after: u64, limit: usize) -> Result<(Vec<Found>, u64), Status> {
        let journal = Arc::clone(self.0.hub.journal());
        let read = tokio::task::spawn_blocking(move || journal.read(after, limit)).await;
        let records = read.map_err(|error| errors::internal(&error))?;
        let records = records.map_err(|error| errors::internal(&error))?;
        let last = records.last().map_or(after, |stored| stored.position);
        let mut found = Vec::new();
        for stored in records {
            let record = record::decode(&stored.record).map_err(|e| errors::internal(&e))?;
            if let Some(wire) = to_wire::webhook::webhook(stored.position, &record) {
                found.push(Found { stored, record, wire });
            }
        }
        Ok((found, last))
    }

    async fn find(&self, caller: &Caller, id: &str) -> Result<Found, Status> {
        let missing =
            || errors::error(Code::NotFound, "WEBHOOK_NOT_FOUND", "there is no such webhook");
        let position = to_wire::webhook::position(id).ok_or_else(missing)?;
        let (found, _) = self.read(position - 1, 1).await?;
        let found = found.into_iter().find(|f| f.stored.position == position);
        let is_own =
            |found: &Found| caller.account(&self.0.accounts, &found.wire.account_id).is_ok();
        found.filter(is_own).ok_or_else(missing)
    }

    /// Reads one accepted webhook again.
    async fn replay(
        &self,
        found: &Found,
        validate_only: bool,
    ) -> Result<v1::ReplayedWebhook, Status> {
        let mut replayed = v1::ReplayedWebhook {
            webhook_id: found.wire.webhook_id.clone(),
            disposition: found.wire.disposition,
            altered: false,
            difference: String::new(),
        };
        let account = self.0.accounts.get(&found.wire.account_id);
        let Some(account) = account else {
            "its account is not configured any more".clone_into(&mut replayed.difference);
            return Ok(replayed);
        };
        let Some(body) = intake::body(&found.stored.attachments) else {
            "it is a repeat: its body stands with the first".clone_into(&mut replayed.difference);
            return Ok(replayed);
        };
        for ask in asks(account, &found.record, &body) {
            let command = match &ask {
                Ask::Evidence(evidence) => Some(evidence.command.clone()),
                _ => None,
            };
            let ask = match command {
                Some(command) if validate_only => Ask::Preview(command),
                Some(_) => ask,
                // Still unreadable, or still not about a payment: nothing new to record.
                None => continue,
            };
            let answer = match self.0.engine.ask(ask).await {
                Ok(answer) => answer,
                Err(engine::Error::Refused(refused)) => {
                    replayed.difference = refused.to_string();
                    continue;
                }
                Err(failed) => return Err(errors::of_engine(failed)),
            };
            let disposition = answer.disposition.map(to_wire::webhook::disposition);
            replayed.disposition = disposition.map_or(replayed.disposition, |d| d as i32);
            replayed.altered |= !answer.replayed;
            replayed.difference = answer.preview.join("; ");
        }
        Ok(replayed)
    }
}

/// What reading a webhook again asks for.
fn asks(account: &Account, record: &Record, body: &Bytes) -> Vec<Ask> {
    let headers = match record {
        Record::Order(OrderRecord { webhook: Some(meta), .. }) => &meta.headers,
        Record::Kept(kept) => &kept.headers,
        _ => return Vec::new(),
    };
    let request = providers::Request::new(headers, body);
    let Ok(readings) = account.provider.read(&request, &account.settings) else {
        return Vec::new();
    };
    let webhook = Webhook::new(account, headers, body);
    match record {
        Record::Order(OrderRecord { key, webhook: Some(meta), .. }) => {
            let same = |reading: &&Reading| reading.event_id == meta.event_id;
            let reading = readings.iter().find(same).or(readings.first());
            let statements = match reading.map(|reading| &reading.content) {
                Some(Content::Statements(statements)) => statements.clone(),
                _ => Vec::new(),
            };
            let evidence = Evidence {
                id: meta.reading,
                account: account.id.clone(),
                basis: account.provider.basis(&account.settings),
                revision: 1,
                statements,
            };
            let command = Command::Reread(Reread { holder: key.clone(), evidence });
            let webhook: WebhookMeta = meta.clone();
            let (attachments, source) = (Vec::new(), Source::Reread);
            vec![Ask::Evidence(Box::new(engine::Evidence {
                command,
                webhook,
                attachments,
                source,
            }))]
        }
        _ => readings.iter().map(|reading| webhook.ask(reading)).collect(),
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
        let account = caller.account(&self.0.accounts, &request.account_id)?;
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
        let accepted = intake::submit(&self.0, account, &headers, &request.body.into()).await;
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
        if !request.account_id.is_empty() {
            caller.account(&self.0.accounts, &request.account_id)?;
        }
        let size = from_wire::page_size(request.page_size, PAGE.0, PAGE.1)?;
        let digest = || {
            let digest = Digest::new("list webhooks").text(&request.account_id);
            request.dispositions.iter().fold(digest, |d, n| d.number(i64::from(*n)))
        };
        let before = match page::after(&request.page_token, digest())? {
            0 => self.0.hub.head() + 1,
            before => before,
        };
        let admits = |found: &Found| {
            let account = &found.wire.account_id;
            (request.account_id.is_empty() || request.account_id == *account)
                && (request.dispositions.is_empty()
                    || request.dispositions.contains(&found.wire.disposition))
                && caller.account(&self.0.accounts, account).is_ok()
        };
        let mut webhooks = Vec::new();
        let mut next = before;
        while next > 1 && webhooks.len() < size && before - next < SCANNED_MAX {
            let from = next.saturating_sub(1 + READ_RECORDS as u64);
            let count = usize::try_from(next - 1 - from).unwrap_or(READ_RECORDS);
            let (mut found, _) = self.read(from, count).await?;
            found.retain(|found| found.stored.position < next);
            next = from + 1;
            for found in found.into_iter().rev() {
                if admits(&found) {
                    if webhooks.len() == size {
                        break;
                    }
                    next = found.stored.position;
                    webhooks.push(found.wire);
                }
            }
            if webhooks.len() < size {
                next = from + 1;
            }
        }
        let token = (next > 1).then(|| page::token(next, digest()));
        let next_page_token = token.unwrap_or_default();
        Ok(Response::new(v1::ListWebhooksResponse { webhooks, next_page_token }))
    }

    async fn get_webhook(
        &self,
        request: Request<v1::GetWebhookRequest>,
    ) -> Result<Response<v1::GetWebhookResponse>, Status> {
        let caller = Caller::of(&request)?;
        caller.require(Role::Operator)?;
        let found = self.find(&caller, &request.into_inner().webhook_id).await?;
        let attachments = &found.stored.attachments;
        let body = match caller.is_at_least(Role::Owner) {
            true => intake::body(attachments),
            false => intake::blanked_body(attachments),
        };
        let body = body.unwrap_or_default().to_vec();
        Ok(Response::new(v1::GetWebhookResponse { webhook: Some(found.wire), body }))
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
        let mut webhooks = Vec::new();
        for id in request.webhook_ids.iter().collect::<BTreeSet<_>>() {
            let found = self.find(&caller, id).await?;
            webhooks.push(self.replay(&found, request.validate_only).await?);
        }
        let mut next_since_time = None;
        if !request.account_id.is_empty() {
            caller.account(&self.0.accounts, &request.account_id)?;
            let head = self.0.hub.head();
            let mut after = 0;
            while after < head {
                let (found, last) = self.read(after, READ_RECORDS).await?;
                after = last;
                for found in found {
                    let is_meant = found.wire.account_id == request.account_id
                        && since.is_none_or(|since| found.record.time() >= since);
                    if !is_meant {
                        continue;
                    }
                    if webhooks.len() as u64 == SCANNED_MAX {
                        next_since_time = found.wire.receive_time;
                        break;
                    }
                    webhooks.push(self.replay(&found, request.validate_only).await?);
                }
                if next_since_time.is_some() {
                    break;
                }
            }
        }
        Ok(Response::new(v1::ReplayWebhooksResponse { webhooks, next_since_time }))
    }
}
