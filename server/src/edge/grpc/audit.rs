//! The audit list of AccessService: who did what, from the journal.

use std::sync::Arc;

use paystatus_proto::v1;
use tonic::Status;

use super::{
    auth::Caller,
    by_time::{self, Failed, boxed},
    from_wire::{self, Violations},
    page, to_wire,
};
use crate::{
    accounts::Accounts,
    domain::{
        digest::Digest,
        fact::{Fact, Method},
        ids::{MerchantId, OperatorId, OrderKey},
        statement::OperationKind,
        time::Time,
    },
    edge::Context,
    journal::{Position, Reader},
    record::{
        self, Actor, Audited, KeyEvent, KeyRecord, OperatorRecord, OrderRecord, Record, Source,
        SubscriptionRecord,
    },
    store::Store,
};

/// Entries of one page if the caller does not say, and at most.
const PAGE: (usize, usize) = (50, 200);
/// Records looked at for one page.
const SCANNED_MAX: u64 = 10_000;
/// Records read at once.
const READ_RECORDS: u64 = 256;

/// What a list admits.
struct Filter {
    caller: Caller,
    accounts: Arc<Accounts>,
    store: Arc<Store>,
    request: v1::ListAuditEntriesRequest,
    since: Option<Time>,
    until: Option<Time>,
}

/// A page of what the filters admit, newest first.
pub(super) async fn list(
    context: &Context,
    caller: Caller,
    request: v1::ListAuditEntriesRequest,
) -> Result<v1::ListAuditEntriesResponse, Status> {
    let mut wrong = Violations::default();
    let since = wrong.time("since_time", request.since_time.as_ref());
    let until = wrong.time("until_time", request.until_time.as_ref());
    wrong.check()?;
    if !request.merchant_id.is_empty() {
        caller.merchant(&request.merchant_id)?;
    }
    let size = from_wire::page_size(request.page_size, PAGE.0, PAGE.1)?;
    let digest = || {
        let time = |time: Option<Time>| time.map_or(i64::MIN, Time::as_micros);
        let digest = Digest::new("list audit entries").text(&request.key_id);
        let digest = digest.text(&request.operator_id).text(&request.merchant_id);
        digest.number(time(since)).number(time(until))
    };
    let before = Some(page::after(&request.page_token, digest())?).filter(|before| *before > 0);
    let accounts = context.accounts.load();
    let store = Arc::clone(&context.store);
    let filter = Filter { caller, accounts, store, request: request.clone(), since, until };
    let read = move |journal: &dyn Reader| read(journal, &filter, before, size);
    let (entries, next) = by_time::reading(&context.hub, read).await?;
    let next_page_token = next.map(|next| page::token(next, digest())).unwrap_or_default();
    Ok(v1::ListAuditEntriesResponse { entries, next_page_token })
}

/// What is found from a position back, and where to go on.
fn read(
    journal: &dyn Reader,
    filter: &Filter,
    before: Option<Position>,
    size: usize,
) -> Result<(Vec<v1::AuditEntry>, Option<Position>), Failed> {
    let (first, end) = by_time::bounds(journal, filter.since, filter.until)?;
    let start = before.unwrap_or(end).min(end);
    let (mut next, mut entries) = (start, Vec::new());
    while next > first && start - next < SCANNED_MAX {
        let begin = next.saturating_sub(READ_RECORDS).max(first);
        for (position, record) in records(journal, begin, next)?.into_iter().rev() {
            next = position;
            entries.extend(filter.admitted(&record));
            if entries.len() == size {
                return Ok((entries, Some(next).filter(|next| *next > first)));
            }
        }
        next = begin;
    }
    Ok((entries, Some(next).filter(|next| *next > first)))
}

/// The records from a position to before another, oldest first.
fn records(
    journal: &dyn Reader,
    begin: Position,
    end: Position,
) -> Result<Vec<(Position, Record)>, Failed> {
    let (mut records, mut next) = (Vec::new(), begin);
    // Large ones come in several reads.
    while next < end {
        let count = usize::try_from(end - next).unwrap_or(usize::MAX);
        let read = journal.read(next - 1, count).map_err(boxed)?;
        let Some(last) = read.last() else { break };
        next = last.position + 1;
        for stored in read.into_iter().filter(|stored| stored.position < end) {
            records.push((stored.position, record::decode(&stored.record).map_err(boxed)?));
        }
    }
    Ok(records)
}

impl Filter {
    /// The entry of a record, if it has one and the filters and the caller's rights admit it.
    fn admitted(&self, record: &Record) -> Option<v1::AuditEntry> {
        let time = record.time();
        let is_in_time = self.since.is_none_or(|since| time >= since)
            && self.until.is_none_or(|until| time < until);
        let (entry, merchants) = self.entry(record).filter(|_| is_in_time)?;
        let asked = &self.request;
        let is_asked_for = (asked.key_id.is_empty() || asked.key_id == entry.key_id)
            && (asked.operator_id.is_empty() || asked.operator_id == entry.operator_id)
            && (asked.merchant_id.is_empty() || entry.merchant_ids.contains(&asked.merchant_id));
        (is_asked_for && self.caller.may_manage(&merchants)).then_some(entry)
    }

    /// The entry of a record that a caller made, with the merchants that it concerns.
    fn entry(&self, record: &Record) -> Option<(v1::AuditEntry, Vec<MerchantId>)> {
        let done = v1::AuditOutcome::Done;
        let (actor, what, merchants) = match record {
            Record::Order(record) => {
                (record.actor.as_ref()?, of_order(record), self.whose(&record.key))
            }
            Record::Key(key) => {
                let operator = key.operator.as_ref().and_then(|id| self.store.operator_ever(id));
                // One that took the name later has nothing to do with the key.
                let operator = operator.filter(|o| o.create_time <= key.create_time);
                let merchants = operator
                    .map_or_else(|| key.merchants.clone(), |operator| operator.merchants.clone());
                (key.actor.as_ref()?, of_key(key)?, merchants)
            }
            Record::Operator(o) => (o.actor.as_ref()?, of_operator(o), o.merchants.clone()),
            Record::Subscription(record) => {
                let merchants = vec![record.merchant.clone()];
                (record.actor.as_ref()?, of_subscription(record)?, merchants)
            }
            Record::Audit(call) => {
                let what = What {
                    method: call.method.clone(),
                    object: call.object.clone(),
                    detail: call.detail.clone(),
                };
                let mut entry = wire(&call.actor, what, call.time, &call.merchants);
                entry.left_out_count = i64::try_from(call.left_out).unwrap_or(i64::MAX);
                entry.outcome = match call.what {
                    Audited::Shown => v1::AuditOutcome::Shown,
                    Audited::Refused => v1::AuditOutcome::Refused,
                } as i32;
                return Some((entry, call.merchants.clone()));
            }
            Record::Kept(_) => return None,
        };
        let mut entry = wire(actor, what, record.time(), &merchants);
        entry.outcome = done as i32;
        Some((entry, merchants))
    }

    /// The merchant of an order. Unclaimed ones are their account's.
    fn whose(&self, key: &OrderKey) -> Vec<MerchantId> {
        match key {
            OrderKey::Recorded { merchant, .. } => vec![merchant.clone()],
            OrderKey::Unclaimed { account, .. } => {
                let account = self.accounts.get(account.as_str());
                account.map(|account| account.merchant.clone()).into_iter().collect()
            }
        }
    }
}

/// What was done, to what.
struct What {
    method: String,
    object: String,
    detail: String,
}

impl What {
    fn new(method: &str, object: &str, detail: impl Into<String>) -> Self {
        Self { method: method.to_owned(), object: object.to_owned(), detail: detail.into() }
    }
}

fn wire(actor: &Actor, what: What, time: Time, merchants: &[MerchantId]) -> v1::AuditEntry {
    v1::AuditEntry {
        record_time: Some(to_wire::time(time)),
        actor: actor.name.clone(),
        key_id: actor.key_id.clone(),
        operator_id: actor.operator.as_ref().map_or("", OperatorId::as_str).to_owned(),
        method: what.method,
        object_id: what.object,
        merchant_ids: merchants.iter().map(|m| m.as_str().to_owned()).collect(),
        outcome: v1::AuditOutcome::Unspecified as i32,
        detail: what.detail,
        left_out_count: 0,
    }
}

fn of_order(record: &OrderRecord) -> What {
    let object = match &record.key {
        OrderKey::Recorded { order, .. } => order.as_str(),
        OrderKey::Unclaimed { anchor, .. } => anchor.value.as_str(),
    };
    let method = match record.source {
        Source::Reply => "OrderService/RecordProviderReply",
        Source::Reread => "WebhookService/ReplayWebhooks",
        Source::Webhook => "WebhookService/SubmitWebhook",
        _ => record.decided.facts.iter().find_map(asked).unwrap_or("OrderService"),
    };
    let sentences = record.decided.facts.iter().filter_map(to_wire::timeline::in_words);
    What::new(method, object, sentences.collect::<Vec<_>>().join("; "))
}

/// The method of a request that was accepted.
fn asked(fact: &Fact) -> Option<&'static str> {
    let Fact::Request { key, .. } = fact else { return None };
    Some(match key.method {
        Method::CreateOrder => "OrderService/CreateOrder",
        Method::CreateAttempt => "OrderService/CreateAttempt",
        Method::RecordReply => "OrderService/RecordProviderReply",
        Method::RecordReceipt => "OrderService/RecordReceipt",
        Method::CreateOperation(OperationKind::Capture) => "OrderService/CreateCapture",
        Method::CreateOperation(OperationKind::Refund) => "OrderService/CreateRefund",
        Method::CreateOperation(OperationKind::Void) => "OrderService/CreateVoid",
    })
}

/// What was done to a key; its use is nothing that somebody did to it.
fn of_key(key: &KeyRecord) -> Option<What> {
    let method = match (key.event, key.deleted) {
        (KeyEvent::Used, _) => return None,
        (KeyEvent::Granted, false) => "AccessService/CreateKey",
        (KeyEvent::Granted, true) => "AccessService/DeleteKey",
    };
    Some(What::new(method, &key.key_id, &*key.name))
}

fn of_operator(operator: &OperatorRecord) -> What {
    let method = match (operator.deleted, &operator.update) {
        (true, _) => "AccessService/DeleteOperator",
        (false, Some(_)) => "AccessService/UpdateOperator",
        (false, None) => "AccessService/CreateOperator",
    };
    What::new(method, operator.operator.as_str(), &*operator.display_name)
}

/// What was done to a subscription; acknowledgements are too many, and say nothing.
fn of_subscription(subscription: &SubscriptionRecord) -> Option<What> {
    let method = match (subscription.deleted, subscription.acknowledge_time) {
        (true, _) => "ChangeService/DeleteSubscription",
        (false, None) => "ChangeService/CreateSubscription",
        (false, Some(_)) => return None,
    };
    Some(What::new(method, subscription.subscription.as_str(), ""))
}
