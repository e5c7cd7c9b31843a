//! Reads accepted webhooks again with the present adapters and settings.

use std::sync::Arc;

use bytes::Bytes;
use paystatus_proto::v1;
use tonic::Status;

use super::{Webhooks, find::Found};
use crate::{
    accounts::Account,
    clock,
    domain::{
        command::{Command, Refusal, Reread},
        fact::Evidence,
    },
    edge::{
        grpc::{auth::Caller, errors, to_wire},
        intake::{self, Webhook},
    },
    engine::{self, Ask, Moved, Preview, Previewed},
    providers::{self, Content, Reading},
    record::{Actor, OrderRecord, Record, Source},
};

/// A replay under way: what it altered so far, or would alter.
pub(super) struct Replay<'a> {
    service: &'a Webhooks,
    actor: Actor,
    /// `None` while it is being asked.
    preview: Option<Preview>,
    is_dry: bool,
    webhooks: Vec<v1::ReplayedWebhook>,
    orders: Vec<Moved>,
}

impl<'a> Replay<'a> {
    pub(super) fn new(service: &'a Webhooks, caller: &Caller, is_dry: bool) -> Self {
        let (webhooks, orders) = (Vec::new(), Vec::new());
        Self { service, actor: caller.actor(), preview: None, is_dry, webhooks, orders }
    }

    /// How many webhooks were read again.
    pub(super) fn count(&self) -> usize {
        self.webhooks.len()
    }

    /// What became of all.
    pub(super) fn finish(self) -> (Vec<v1::ReplayedWebhook>, Vec<v1::ReplayedOrder>) {
        (self.webhooks, self.orders.iter().map(to_wire::webhook::moved).collect())
    }

    /// Reads one webhook again.
    pub(super) async fn one(&mut self, found: &Found) -> Result<(), Status> {
        let mut replayed = v1::ReplayedWebhook {
            webhook_id: found.wire.webhook_id.clone(),
            disposition: found.wire.disposition,
            ..v1::ReplayedWebhook::default()
        };
        let asks = match self.asks(found) {
            Ok(asks) => asks,
            Err(why) => {
                replayed.difference = why;
                self.webhooks.push(replayed);
                return Ok(());
            }
        };
        let (mut differences, mut orders) = (Vec::new(), Vec::new());
        for ask in asks {
            let Ask::Evidence(mut evidence) = ask else { continue };
            evidence.actor = Some(self.actor.clone());
            let previewed = match self.previewed(evidence.command.clone()).await? {
                Ok(previewed) if previewed.replayed => continue,
                Ok(previewed) => previewed,
                Err(refusal) => {
                    differences.push(refusal.to_string());
                    continue;
                }
            };
            let mut disposition = previewed.disposition;
            if !self.is_dry {
                let answer = match self.service.0.engine.ask(Ask::Evidence(evidence)).await {
                    Ok(answer) => answer,
                    Err(engine::Error::Refused(refused)) => {
                        differences.push(refused.to_string());
                        continue;
                    }
                    Err(failed) => return Err(errors::of_engine(failed)),
                };
                disposition = answer.disposition;
            }
            if let Some(disposition) = disposition {
                replayed.disposition = to_wire::webhook::disposition(disposition) as i32;
            }
            replayed.altered = true;
            differences.extend(previewed.changes);
            merge(&mut orders, &previewed.orders);
            merge(&mut self.orders, &previewed.orders);
        }
        replayed.difference = differences.join("; ");
        replayed.orders = orders.iter().map(to_wire::webhook::moved).collect();
        self.webhooks.push(replayed);
        Ok(())
    }

    /// What a command would come to: for a dry run on top of those before, else on what is.
    async fn previewed(&mut self, command: Command) -> Result<Result<Previewed, Refusal>, Status> {
        let known = self.preview.take().filter(|_| self.is_dry);
        let store = Arc::clone(&self.service.0.store);
        let mut preview = known.unwrap_or_else(|| Preview::new(store));
        let decided = tokio::task::spawn_blocking(move || {
            let previewed = preview.decide(&command, clock::now());
            (preview, previewed)
        });
        let (preview, previewed) = decided.await.map_err(|error| errors::internal(&error))?;
        self.preview = Some(preview);
        Ok(previewed)
    }

    /// What reading it again asks for, or why it cannot be read.
    fn asks(&self, found: &Found) -> Result<Vec<Ask>, String> {
        let accounts = self.service.0.accounts.load();
        let account = accounts.get(&found.wire.account_id);
        let account = account.ok_or("its account is not configured any more")?;
        let body = intake::body(&found.stored.attachments)
            .ok_or("its body is not here: a repeat's stands with the first, or it was erased")?;
        asks(account, &found.record, &body)
    }
}

/// Adds how orders are altered to what altered them before.
fn merge(orders: &mut Vec<Moved>, more: &[Moved]) {
    for moved in more {
        match orders.iter_mut().find(|known| known.key == moved.key) {
            Some(known) => {
                known.status.1 = moved.status.1;
                known.outcome.1 = moved.outcome.1;
            }
            None => orders.push(moved.clone()),
        }
    }
}

fn asks(account: &Account, record: &Record, body: &Bytes) -> Result<Vec<Ask>, String> {
    let (headers, body_sha256) = match record {
        Record::Order(OrderRecord { webhook: Some(meta), .. }) => (&meta.headers, meta.body_sha256),
        Record::Kept(kept) => (&kept.headers, kept.body_sha256),
        _ => return Ok(Vec::new()),
    };
    let request = providers::Request::new(headers, body);
    let readings = account.provider.read(&request, &account.settings);
    let readings = readings.map_err(|unreadable| format!("it cannot be read: {unreadable}"))?;
    if readings.len() > intake::READINGS_MAX {
        return Err("it holds too many events".to_owned());
    }
    match record {
        Record::Order(record) => Ok(revision(account, record, &readings).into_iter().collect()),
        _ => {
            let webhook = Webhook::new(account, headers, (body, body_sha256));
            let asks = readings.iter().map(|reading| webhook.ask(reading));
            Ok(asks.map(as_reread).collect())
        }
    }
}

/// The new revision of a reading that an order holds: what the same event says now, which may be
/// nothing any more.
fn revision(account: &Account, record: &OrderRecord, readings: &[Reading]) -> Option<Ask> {
    let meta = record.webhook.as_ref()?;
    let same = readings.iter().find(|reading| reading.event_id == meta.event_id);
    // A mended adapter may make event ids in another way.
    let only = if let [only] = readings { Some(only) } else { None };
    let statements = match same.or(only).map(|reading| &reading.content) {
        Some(Content::Statements(statements)) => statements.clone(),
        _ => Vec::new(),
    };
    let basis = account.provider.basis(&account.settings);
    let evidence = Evidence::reading(meta.reading, account.id.clone(), basis, 1, statements);
    Some(Ask::Evidence(Box::new(engine::Evidence {
        command: Command::Reread(Reread { holder: record.key.clone(), evidence }),
        webhook: meta.clone(),
        attachments: Vec::new(),
        source: Source::Reread,
        actor: None,
    })))
}

/// What could not be read before is recorded with its body, and does not count as received.
fn as_reread(mut ask: Ask) -> Ask {
    if let Ask::Evidence(evidence) = &mut ask {
        evidence.source = Source::Reread;
    }
    ask
}
