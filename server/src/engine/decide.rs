//! Decides the jobs of one batch, each against the state left by the one before, and collects
//! what is to be written.

use std::{cell::RefCell, collections::HashMap, ops::Range, sync::Arc};

use bytes::Bytes;
use foldhash::fast::RandomState;

use super::{Answer, Ask, AskKey, AskSubscription, Evidence, Refused};
use crate::{
    domain::{
        command::{Command, Decision, Disposition, Draft, World},
        decide::decide,
        ids::{Claim, OrderKey},
        order::Order,
        time::Time,
    },
    journal::{APPEND_BYTES_MAX, APPEND_ENTRIES_MAX, Attachment, Entry},
    record::{
        self, KeyRecord, OrderRecord, Record, Role, Source, Subject, SubscriptionRecord,
        WebhookMeta,
    },
    store::{Applied, Store},
};

/// API keys that may exist.
pub(crate) const KEYS_MAX: usize = 10_000;
/// Subscriptions that may exist.
pub(crate) const SUBSCRIPTIONS_MAX: usize = 10_000;

/// What became of one job.
pub(super) struct Decided {
    /// Its answer, once its entries are durable.
    pub(super) answer: Result<Answer, Refused>,
    /// Its entries among those of the batch.
    pub(super) entries: Range<usize>,
}

/// The state of everything after the jobs so far. Used for one batch after the other: what it
/// grew to stays.
pub(super) struct Overlay {
    store: Arc<Store>,
    now: Time,
    next: u64,
    /// Also those that were only looked up, and `None` for those that are not there: the rules
    /// ask for the same one several times.
    orders: RefCell<HashMap<OrderKey, Option<Arc<Order>>, RandomState>>,
    claims: HashMap<Claim, OrderKey, RandomState>,
    keys: HashMap<String, KeyRecord>,
    subscriptions: HashMap<Subject, SubscriptionRecord>,
    versions: HashMap<Subject, u64>,
    /// What is to be written.
    pub(super) entries: Vec<Entry>,
    /// What the entries count towards [`APPEND_BYTES_MAX`].
    bytes: usize,
    /// What that leaves behind if it is written right after what is applied now.
    pub(super) applied: Vec<Applied>,
}

impl World for Overlay {
    fn order(&self, key: &OrderKey) -> Option<Arc<Order>> {
        if let Some(known) = self.orders.borrow().get(key) {
            return known.clone();
        }
        let found = self.store.order(key);
        self.orders.borrow_mut().insert(key.clone(), found.clone());
        found
    }

    fn claimant(&self, claim: &Claim) -> Option<OrderKey> {
        self.claims.get(claim).cloned().or_else(|| self.store.claimant(claim))
    }
}

impl Overlay {
    pub(super) fn new(store: Arc<Store>) -> Self {
        Self {
            store,
            now: Time::default(),
            next: 0,
            orders: RefCell::default(),
            claims: HashMap::default(),
            keys: HashMap::new(),
            subscriptions: HashMap::new(),
            versions: HashMap::new(),
            entries: Vec::new(),
            bytes: 0,
            applied: Vec::new(),
        }
    }

    /// Begins a batch, on what is applied now.
    pub(super) fn begin(&mut self, now: Time) {
        self.clear();
        self.now = now;
        self.next = self.store.applied() + 1;
    }

    /// Forgets a batch.
    pub(super) fn clear(&mut self) {
        self.orders.get_mut().clear();
        self.claims.clear();
        self.keys.clear();
        self.subscriptions.clear();
        self.versions.clear();
        self.entries.clear();
        self.applied.clear();
        self.bytes = 0;
    }

    /// True if another job might not fit into the same append. Half of each limit is left for
    /// the one job that is decided before this is asked again.
    pub(super) fn is_full(&self) -> bool {
        self.entries.len() >= APPEND_ENTRIES_MAX / 2 || self.bytes >= APPEND_BYTES_MAX / 2
    }

    pub(super) fn decide(&mut self, ask: &Ask) -> Decided {
        let first = self.entries.len();
        let answer = match ask {
            Ask::Order { command, source, actor } => self.order_command(command, *source, actor),
            Ask::Evidence(evidence) => self.evidence(evidence),
            Ask::Keep(webhook, attachments) => {
                let position = self.push(Record::Kept((**webhook).clone()), attachments.clone());
                Ok(Answer { position: Some(position), ..Answer::plain(false) })
            }
            Ask::Key(ask) => self.key(ask),
            Ask::Subscription(ask) => self.subscription(ask),
        };
        Decided { answer, entries: first..self.entries.len() }
    }

    fn order_command(
        &mut self,
        command: &Command,
        source: Source,
        actor: &Option<String>,
    ) -> Result<Answer, Refused> {
        let decision = decide(self, command, self.now)?;
        Ok(self.record(decision, |_| (source, actor.clone(), None), Vec::new()))
    }

    fn evidence(&mut self, evidence: &Evidence) -> Result<Answer, Refused> {
        let decision = decide(self, &evidence.command, self.now)?;
        let disposition = decision.disposition.unwrap_or(Disposition::Applied);
        let webhook = WebhookMeta { disposition, ..evidence.webhook.clone() };
        // The body of a repeat is on disk already.
        let is_repeat = disposition == Disposition::Repeat;
        let attachments = if is_repeat { Vec::new() } else { evidence.attachments.clone() };
        let meta = |_: &OrderKey| (evidence.source, None, Some(webhook.clone()));
        Ok(self.record(decision, meta, attachments))
    }

    /// Turns the drafts of a decision into linked entries. The first is about the order that
    /// was meant; the others are consequences.
    fn record(
        &mut self,
        decision: Decision,
        meta: impl Fn(&OrderKey) -> (Source, Option<String>, Option<WebhookMeta>),
        attachments: Vec<Attachment>,
    ) -> Answer {
        let first = self.entries.len();
        let mut position = None;
        let mut attachments = Some(attachments);
        for draft in decision.drafts {
            let (source, actor, webhook) = match position {
                None => meta(&draft.key),
                Some(_) => (Source::Consequence, None, None),
            };
            let made = self.push_draft(draft, source, actor, webhook, attachments.take());
            position = position.or(Some(made));
        }
        let count = self.entries.len();
        for entry in &mut self.entries[first..count.max(first + 1) - 1] {
            entry.linked_to_next = true;
        }
        Answer {
            replayed: decision.replayed,
            position,
            order: self.order(&decision.key),
            warning: decision.warning,
            disposition: decision.disposition,
            received: decision.received,
        }
    }

    fn push_draft(
        &mut self,
        draft: Draft,
        source: Source,
        actor: Option<String>,
        webhook: Option<WebhookMeta>,
        attachments: Option<Vec<Attachment>>,
    ) -> u64 {
        let before = self.order(&draft.key);
        let before = before.unwrap_or_else(|| Arc::new(Order::new(draft.key.clone())));
        let position = self.next;
        let order = match draft.known {
            Some(facts) => before.after(position, &draft.decided, facts),
            None => {
                let mut order = Arc::unwrap_or_clone(before);
                order.apply(position, &draft.decided);
                order
            }
        };
        let labels = order.facts.order.as_ref().map(|o| o.labels.clone()).unwrap_or_default();
        let record = Arc::new(Record::Order(OrderRecord {
            key: draft.key.clone(),
            decided: draft.decided,
            source,
            actor,
            webhook,
            labels: labels.into_iter().collect(),
        }));
        for claim in &draft.claims {
            self.claims.insert(claim.clone(), draft.key.clone());
        }
        let order = Arc::new(order);
        self.orders.get_mut().insert(draft.key.clone(), Some(Arc::clone(&order)));
        self.entry(&record, draft.expected_version, &draft.claims, attachments.unwrap_or_default());
        self.applied.push(Applied {
            position,
            subject: Subject::Order(draft.key),
            version: draft.expected_version + 1,
            order: Some(order),
            record,
            claims: draft.claims,
        });
        position
    }

    /// Records something that is not about an order.
    fn push(&mut self, record: Record, attachments: Vec<Attachment>) -> u64 {
        let position = self.next;
        let subject = record.subject();
        let known = self.versions.get(&subject).copied();
        let version = known.unwrap_or_else(|| self.store.version(&subject));
        self.versions.insert(subject.clone(), version + 1);
        let record = Arc::new(record);
        self.entry(&record, version, &[], attachments);
        self.applied.push(Applied {
            position,
            subject,
            version: version + 1,
            order: None,
            record,
            claims: Vec::new(),
        });
        position
    }

    fn entry(
        &mut self,
        record: &Record,
        expected_version: u64,
        claims: &[Claim],
        attachments: Vec<Attachment>,
    ) {
        self.next += 1;
        let entry = Entry {
            subject: record::encode_subject(&record.subject()),
            expected_version,
            entry_id: rand::random(),
            claims: claims.iter().map(record::encode_claim).collect::<Vec<Bytes>>(),
            linked_to_next: false,
            record: record::encode(record),
            attachments,
        };
        self.bytes += entry.bytes();
        self.entries.push(entry);
    }

    fn key(&mut self, ask: &AskKey) -> Result<Answer, Refused> {
        let now = self.now;
        let find = |id: &str| self.keys.get(id).cloned().or_else(|| self.store.key(id));
        let record = match ask {
            AskKey::Create { key_id, name, role, merchants, secret_sha256, request } => {
                if let Some(known) = find(key_id).filter(|known| !known.deleted) {
                    return if known.request == *request {
                        Ok(Answer::plain(true))
                    } else {
                        Err(Refused::RequestIdReused)
                    };
                }
                if self.store.keys().len() + self.keys.len() >= KEYS_MAX {
                    return Err(Refused::TooMany { what: "keys", max: KEYS_MAX });
                }
                KeyRecord {
                    key_id: key_id.clone(),
                    name: name.clone(),
                    role: *role,
                    merchants: merchants.clone(),
                    secret_sha256: *secret_sha256,
                    create_time: now,
                    request: request.clone(),
                    deleted: false,
                    time: now,
                }
            }
            AskKey::Delete { key_id } => {
                let Some(known) = find(key_id).filter(|known| !known.deleted) else {
                    return Ok(Answer::plain(true));
                };
                let is_other_owner = |k: &KeyRecord| {
                    let gone = self.keys.get(&k.key_id).is_some_and(|newer| newer.deleted);
                    k.role == Role::Owner && k.key_id != *key_id && !gone
                };
                if known.role == Role::Owner && !self.store.keys().iter().any(is_other_owner) {
                    return Err(Refused::LastOwnerKey);
                }
                KeyRecord { deleted: true, time: now, ..known }
            }
        };
        self.keys.insert(record.key_id.clone(), record.clone());
        let position = self.push(Record::Key(record), Vec::new());
        Ok(Answer { position: Some(position), ..Answer::plain(false) })
    }

    fn subscription(&mut self, ask: &AskSubscription) -> Result<Answer, Refused> {
        let (merchant, subscription) = match ask {
            AskSubscription::Create { merchant, subscription, .. }
            | AskSubscription::Acknowledge { merchant, subscription, .. }
            | AskSubscription::Delete { merchant, subscription } => (merchant, subscription),
        };
        let subject = Subject::Subscription(merchant.clone(), subscription.clone());
        let in_batch = self.subscriptions.get(&subject).cloned();
        let known = in_batch.or_else(|| self.store.subscription(merchant, subscription));
        let known = known.filter(|known| !known.deleted);
        let now = self.now;
        let record = match (ask, known) {
            (AskSubscription::Create { request, .. }, Some(known)) => {
                return match &known.request {
                    Some(before) if before.1 == request.1 => Ok(Answer::plain(true)),
                    Some(before) if before.0 == request.0 => Err(Refused::RequestIdReused),
                    _ => Err(Refused::NameTaken { what: "subscription" }),
                };
            }
            (AskSubscription::Create { filter, start, request, .. }, None) => {
                let count = self.store.subscription_count() + self.subscriptions.len();
                if count >= SUBSCRIPTIONS_MAX {
                    return Err(Refused::TooMany { what: "subscriptions", max: SUBSCRIPTIONS_MAX });
                }
                SubscriptionRecord {
                    merchant: merchant.clone(),
                    subscription: subscription.clone(),
                    filter: filter.clone(),
                    acknowledged: *start,
                    create_time: now,
                    acknowledge_time: None,
                    request: Some(request.clone()),
                    deleted: false,
                    time: now,
                }
            }
            (AskSubscription::Acknowledge { .. }, None) => {
                return Err(Refused::NotFound { what: "subscription" });
            }
            (AskSubscription::Acknowledge { position, .. }, Some(known)) => {
                // Cumulative: an older acknowledgement says nothing new.
                if *position <= known.acknowledged {
                    return Ok(Answer::plain(true));
                }
                let acknowledge_time = Some(now);
                SubscriptionRecord { acknowledged: *position, acknowledge_time, time: now, ..known }
            }
            (AskSubscription::Delete { .. }, None) => return Ok(Answer::plain(true)),
            (AskSubscription::Delete { .. }, Some(known)) => {
                SubscriptionRecord { deleted: true, time: now, ..known }
            }
        };
        self.subscriptions.insert(subject, record.clone());
        let position = self.push(Record::Subscription(record), Vec::new());
        Ok(Answer { position: Some(position), ..Answer::plain(false) })
    }
}
